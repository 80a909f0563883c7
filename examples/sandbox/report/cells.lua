-- The values in a report's rows: raw value, label and title of each cell.
local json = require "sandbox.http.json"
local labels = require "sandbox.report.labels"

local cells = {}

local function digits(value) return ("%.0f"):format(value) end

local function interface_key(row) return row[1] .. "/" .. digits(row[2]) end

local function key_cell(column, context)
  local names = column.names and context.names[column.names]
  return function(row)
    local value = row[column.key]
    local raw = type(value) == "number" and digits(value) or value
    local label = names and names[column.names == "interfaces" and interface_key(row) or raw] or raw
    return raw, label, label
  end
end

local makers = {}

function makers.percent(_, context)
  local measure = context.percent_of
  return function(row)
    local text = labels.percent(row[measure], context.whole[measure])
    return json.null, text, text
  end
end

function makers.none()
  return function() return json.null, "NA", "Value undefined" end
end

local function counted(column, context)
  local measure, spec = column.measure, context.spec
  return function(row)
    local label = labels.amount(spec, measure, row[measure])
    return digits(row[measure]), label, label == "NA" and "--" or label
  end
end
makers.octets, makers.packets = counted, counted

local function number(column)
  return function(row)
    local text = digits(row[column.measure])
    return text, text, text
  end
end
makers.flows, makers.destinations = number, number

local function epoch(column, context)
  local bucket = context.spec.bucket
  return function(row)
    local seconds = math.floor(row[column.measure] / 1000)
    local text = digits(seconds - seconds % bucket)
    return text, text, text
  end
end
makers.first, makers.last = epoch, epoch

function makers.speed(_, context)
  return function(row)
    local speed = context.speeds[interface_key(row)] or 0
    local label = labels.scaled(speed, "b/s")
    return digits(speed), label, label
  end
end

function makers.utilization(_, context)
  local seconds = math.max(1, context.spec.to - context.spec.from)
  return function(row)
    local speed = context.speeds[interface_key(row)] or 1
    local percent = row.octets * 8 / seconds / speed * 100
    local label = ("%.4f %%"):format(percent)
    return ("%.10f"):format(percent), label, label
  end
end

--- One function per column. It takes a row and returns raw value (text or json.null), label and title.
function cells.makers(spec, result)
  local context = { spec = spec, whole = result.whole, names = {}, percent_of = result.columns.sort == "flows" and "flows" or "octets" }
  local list = {}
  for i, column in ipairs(result.columns) do
    if column.names and not context.names[column.names] then context.names[column.names] = labels.names(column.names) end
    if column.names == "interfaces" then context.speeds = labels.speeds() end
    list[i] = column.key and key_cell(column, context) or makers[column.measure](column, context)
  end
  return list
end

return cells
