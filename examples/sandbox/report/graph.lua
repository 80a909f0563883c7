-- The graph of a report: one series per row shown, in the rows' order, and Other. Each series has one point per bucket of the window.
local cells = require "sandbox.report.cells"
local json = require "sandbox.http.json"
local keys = require "sandbox.report.keys"
local report = require "sandbox.report.run"

local graph = {}
local DAY_MS = 86400000

--- The epoch of the first bucket, and the number of buckets.
function graph.buckets(spec)
  local from, to = report.window(spec)
  local size = spec.bucket * 1000
  local first = from - from % size
  local last = to > from and (to - 1) - (to - 1) % size or first
  return first / 1000, (last - first) / size + 1
end

local function add_flow(series, size, start, value, first_day, end_day)
  for day = first_day, end_day - 1 do
    local bucket = math.floor((start + day * DAY_MS) / size)
    series[bucket] = (series[bucket] or 0) + value
  end
end

-- Sums per bucket for each row shown; flows of all other rows are summed in `other`.
local function collect(spec, result, measure)
  local index, all, other = {}, {}, {}
  for i, row in ipairs(result.rows) do
    all[i] = {}
    index[report.key(row, result.columns)] = all[i]
  end
  local size = spec.bucket * 1000
  report.flows(spec, result.direction, result.columns, function(key, start, octets, packets, first_day, end_day)
    local value = measure == "octets" and octets or measure == "packets" and packets or 1
    add_flow(index[key] or other, size, start, value, first_day, end_day)
  end)
  return all, other
end

-- Nil: points hold the measure. If the report is ordered by utilization: a function of a row; its result converts octets to percent.
local function scale(spec, result, makers)
  if spec.order ~= "utilization" or result.columns.keys[2] == nil or result.columns.keys[2].names ~= "interfaces" then return nil end
  return function(row)
    local utilization = row and makers.speed(row)
    return utilization and function(octets) return octets * 8 / spec.bucket / utilization * 100 end
  end
end

local function number_text(value)
  return value == math.floor(value) and ("%.0f"):format(value) or ("%.10f"):format(value)
end

local function write_points(sink, spec, series, convert)
  local first, count = graph.buckets(spec)
  local as_text, gaps = spec.options.graph_points == "strings", spec.options.graph_gaps
  local index, comma = first / spec.bucket, ""
  sink:write "["
  for i = 0, count - 1 do
    local value = series[index + i]
    if value or gaps ~= "left_out" then
      local text = number_text(convert and convert(value or 0) or value or 0)
      if as_text then text = '"' .. text .. '"' end
      if not value and gaps == "null" then text = "null" end
      local epoch = ("%.0f"):format(first + i * spec.bucket)
      sink:write(("%s[%s,%s]"):format(comma, as_text and '"' .. epoch .. '"' or epoch, text))
      comma = ","
    end
  end
  sink:write "]"
end

local function pie_members(options, label, facts)
  return json.object(keys.arrange(options, {
    '"label":' .. label, '"label_dns":' .. label, '"tooltip":[' .. label .. "," .. json.object(keys.arrange(options, facts)) .. "]",
  }))
end

local function pie_entry(spec, result, makers, row)
  if not row then return pie_members(spec.options, '"Other"', {}) end
  local parts, facts = {}, {}
  for i, column in ipairs(result.columns) do
    if column.key then
      local _, label = makers[i](row)
      parts[#parts + 1] = label
      local title = column.names == "interfaces" and (result.direction == "outbound" and "Outbound Interface" or "Inbound Interface") or column.label
      facts[#facts + 1] = json.string(title) .. ":" .. json.string(label)
    end
  end
  return pie_members(spec.options, json.string(table.concat(parts, " - ")), facts)
end

local function speed_of(makers, columns)
  for i, column in ipairs(columns) do
    if column.measure == "speed" then
      return function(row) return tonumber((makers[i](row))) end
    end
  end
end

--- The members of report.graph for one direction: functions that write its pie and its timeseries.
function graph.parts(spec, result)
  local makers = cells.makers(spec, result)
  local measure = spec.order or result.columns.sort
  local all, other = collect(spec, result, (measure == "packets" or measure == "flows") and measure or "octets")
  local with_other = result.exists > #result.rows and not (spec.options.show_others == "honoured" and not spec.show_others)
  local kind = spec.options.graph_other
  local convert = scale(spec, result, { speed = speed_of(makers, result.columns) })
  local parts = {}
  function parts.pie(sink)
    local entries = {}
    for i, row in ipairs(result.rows) do entries[i] = pie_entry(spec, result, makers, row) end
    if with_other and kind ~= "missing" then entries[#entries + 1] = pie_entry(spec, result, makers) end
    sink:write(json.array(entries))
  end
  function parts.timeseries(sink)
    sink:write "["
    for i, series in ipairs(all) do
      if i > 1 then sink:write "," end
      write_points(sink, spec, series, convert and convert(result.rows[i]))
    end
    if with_other and kind == "both" then
      if #all > 0 then sink:write "," end
      write_points(sink, spec, other, convert and function() return 0 end)
    end
    sink:write "]"
  end
  return parts
end

return graph
