--- Where exported rows come from: a query, a cursor, a report, a list of rows, or a function that returns them one by one.

local check = require "scrutinizer.check"

local source = {}

local Source = {}
Source.__index = Source

function Source:close()
  if self.cursor then self.cursor:close() end
end

--- Rows so far; bytes and total if they are known.
function Source:progress(rows)
  local cursor = self.cursor
  return { rows = rows, bytes = cursor and cursor.bytes, total = cursor and cursor.total or self.total }
end

local function entry(column)
  if type(column) == "string" then return { field = column, header = column, column = column } end
  return { field = column.field, header = column.header or column.field, column = column.column or column.field }
end

local function by_sorted_keys(row)
  local list = {}
  for i, key in ipairs(check.sorted_keys(row or {})) do list[i] = entry(key) end
  return list
end

--- The fields in order: `columns`, else those of the cursor or the report, else those of the first row, sorted by name.
function Source:fields(columns, first)
  local list = {}
  columns = columns or (self.cursor and self.cursor.fields) or self.known
  if not columns then return by_sorted_keys(first) end
  for i, column in ipairs(columns) do list[i] = entry(column) end
  return list
end

local function check_columns(columns)
  if columns == nil then return true end
  for _, column in ipairs(columns) do
    local field = type(column) == "table" and column.field or column
    if type(field) ~= "string" then return false end
  end
  return #columns > 0
end

local function over_list(rows, known)
  local at = 0
  return setmetatable({ total = #rows, known = known, next = function()
    at = at + 1
    return rows[at]
  end }, Source)
end

local function fields_of_report(report)
  if not report.columns then return nil end
  local list = {}
  for i, column in ipairs(report.columns) do list[i] = column.name end
  -- After `select` the rows have aliases instead of the columns' names.
  local first = report.rows[1]
  for _, name in ipairs(list) do
    if first and first[name] ~= nil then return list end
  end
end

local ALLOWED = "a query, a cursor, a report, a list of rows, or a function that returns rows"

--- Opens a source: an object with `fields`, `progress` and `close`. `source.next(source.state)` returns a row, or nil at the end, or nil and
--- err. For a wrong argument `open` returns nil and the allowed kinds.
---@param given scrutinizer.ExportSource
---@param columns? table
---@return table? source
---@return string? allowed
function source.open(given, columns)
  if not check_columns(columns) then return nil, "with columns = a list of fields or { field =, header = }" end
  if type(given) == "function" then return setmetatable({ next = given }, Source) end
  if type(given) ~= "table" then return nil, ALLOWED end
  if type(given.next) == "function" then
    return setmetatable({ cursor = given, next = given.next, state = given }, Source)
  end
  if type(given.rows) == "function" then
    local cursor = given:rows { reuse = true }
    return setmetatable({ cursor = cursor, next = cursor.next, state = cursor }, Source)
  end
  if type(given.rows) == "table" then return over_list(given.rows, fields_of_report(given)) end
  if given[1] == nil and next(given) ~= nil then return nil, ALLOWED end
  return over_list(given)
end

return source
