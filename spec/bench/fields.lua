-- Which values of an answer are wanted, and the loops that use them: the same for all readers.
--
-- As a program: lua5.4 fields.lua FILE... reads each answer by lua-cjson and writes FILE.want, a line for each wanted value:
-- cell (from 0), field's name, number or text. At most five: the first columns that have raw values.
local fields = {}
local MOST = 5

-- README, Fields: which columns hold numbers.
local function is_number(column)
  local name = column.elementName
  return column.colHasBbp == 1 or column.canBeRate == 1 or name:find "^sum_" or name:find "^count" or name:find "_epoch$"
end

local function has_values(rows, place)
  for i = 1, math.min(#rows, 100) do
    if type(rows[i][place].rawValue) == "string" then return true end
  end
end

local function write(path)
  local source = assert(io.open(path, "rb"))
  local inbound = require("cjson").decode(source:read "*a").report.table.inbound
  source:close()
  local out, count = assert(io.open(path .. ".want", "w")), 0
  for i, column in ipairs(inbound.columns) do
    if column.elementName and column.elementName ~= "custom_interfacepercent" and count < MOST and has_values(inbound.rows, i) then
      out:write(("%d %s %s\n"):format(i - 1, column.elementName, is_number(column) and "number" or "text"))
      count = count + 1
    end
  end
  out:close()
end

--- The wanted values of an answer: a list of { cell = from 0, name =, number = }.
function fields.of(path)
  local list = {}
  for line in io.lines(path .. ".want") do
    local cell, name, kind = line:match "^(%d+) (%S+) (%S+)$"
    list[#list + 1] = { cell = tonumber(cell), name = name, number = kind == "number" }
  end
  return list
end

function fields.names(list)
  local names = {}
  for i, field in ipairs(list) do names[i] = field.name end
  return names
end

local function compiled(lines)
  return assert((loadstring or load)(table.concat(lines, "\n")))() -- luacheck: ignore
end

--- The user's loop over rows: a function(next, state) -> rows, sum of what it has seen. It uses all fields; a null is nil.
function fields.loop(list)
  local lines = { "return function(next_row, state) local count, sum = 0, 0", "for row in next_row, state do count = count + 1" }
  for _, field in ipairs(list) do
    local use = field.number and "v" or "#v"
    lines[#lines + 1] = ("do local v = row.%s if v then sum = sum + %s end end"):format(field.name, use)
  end
  lines[#lines + 1] = "end return count, sum end"
  return compiled(lines)
end

--- The same over decoded JSON: a function(rows, null) -> rows, sum. It makes no tables of the values: the least that a user can do.
function fields.decoded_loop(list)
  local lines = { "return function(rows, null) local count, sum = 0, 0", "for _, row in ipairs(rows) do count = count + 1" }
  for _, field in ipairs(list) do
    local use = field.number and "tonumber(v)" or "#v"
    lines[#lines + 1] = ("do local v = row[%d].%s if v ~= nil and v ~= null then sum = sum + %s end end"):format(
      field.cell + 1, field.label and "label" or "rawValue", use)
  end
  lines[#lines + 1] = "end return count, sum end"
  return compiled(lines)
end

--- All values of the answer's columns but those that are always null, and the rank's label: what a full row has.
function fields.full(columns)
  local list = {}
  for i, column in ipairs(columns) do
    if not column.elementName then
      list[#list + 1] = { cell = i - 1, name = "rank", number = true, label = true }
    elseif not column.elementName:find "^percent" and not column.elementName:find "^rpt_" then
      list[#list + 1] = { cell = i - 1, name = column.elementName, number = is_number(column) and true }
    end
  end
  return list
end

for _, path in ipairs(arg and arg[0]:find "fields%.lua$" and arg or {}) do write(path) end

return fields
