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

--- The fields in order: `columns`, else those of the cursor or the report, else those of a list's rows, or of a function's first one, sorted by name.
function Source:fields(columns, first)
  local list = {}
  columns = columns or (self.cursor and self.cursor.fields) or self.known
  if not columns then return by_sorted_keys(self.keys or first) end
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

local function over_list(rows, known, keys)
  local at = 0
  return setmetatable({ total = #rows, known = known, keys = keys, next = function()
    at = at + 1
    return rows[at]
  end }, Source)
end

local function fields_of_report(report)
  if report.fields or not report.columns then return report.fields end
  local list = {}
  for i, column in ipairs(report.columns) do list[i] = column.name end
  -- After `select` the rows have aliases instead of the columns' names.
  local first = report.rows[1]
  for _, name in ipairs(list) do
    if first and first[name] ~= nil then return list end
  end
end

-- Whether a value is a table that no cell shows, as the points of a series are.
local function is_odd(value)
  if type(value) ~= "table" then return false end
  local metatable = getmetatable(value)
  return type(metatable) ~= "table" or not metatable.__tostring
end

-- The keys of all rows, as the first one may lack values that others have; and the first key, by its bytes, whose value is a table.
local function keys_of(rows)
  local keys, odd = {}, {}
  for _, row in ipairs(rows) do
    for key, value in next, type(row) == "table" and row or {} do
      keys[key] = true
      if is_odd(value) then odd[key] = true end
    end
  end
  return keys, check.sorted_keys(odd)[1]
end

-- A list of rows. `odd` is a key whose value no cell shows, where neither the report nor `columns` names the fields.
local function of_list(rows, known, columns)
  if known or columns then return over_list(rows, known) end
  local keys, odd = keys_of(rows)
  local list = over_list(rows, nil, keys)
  list.odd = odd
  return list
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
  if type(given.rows) == "table" then return of_list(given.rows, fields_of_report(given), columns) end
  if given[1] == nil and next(given) ~= nil then return nil, ALLOWED end
  return of_list(given, nil, columns)
end

return source
