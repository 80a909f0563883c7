-- The shape of a report's answer: all keys and their order.
local cells = require "sandbox.report.cells"
local graph = require "sandbox.report.graph"
local json = require "sandbox.http.json"
local keys = require "sandbox.report.keys"
local labels = require "sandbox.report.labels"
local report = require "sandbox.report.run"
local times = require "sandbox.report.times"

local answer = {}

-- Writes an object whose members are { key, text or function(sink) }.
local function write_members(sink, members)
  sink:write "{"
  for i, member in ipairs(members) do
    sink:write((i > 1 and "," or "") .. json.string(member[1]) .. ":")
    if type(member[2]) == "function" then member[2](sink) else sink:write(member[2]) end
  end
  sink:write "}"
end

local function write_object(sink, options, members)
  write_members(sink, keys.arrange(options, members))
end

local function object(options, members)
  return json.object(keys.arrange(options, members))
end

local NUMERIC = { octets = true, packets = true, flows = true, destinations = true, first = true, last = true, speed = true, utilization = true }

local function class(column) return (column.key or column.measure == "first" or column.measure == "last") and "alignLeft" or "alignRight" end

local function header(options, column, sorted)
  local text = json.string
  if column.measure == "first" or column.measure == "last" then
    return object(options, { '"elementName":' .. text(column.name), '"label":' .. text(column.label) })
  end
  local percent = column.measure == "percent" or column.measure == "utilization"
  local format = object(options, percent and { '"isRate":0', '"niceLtr":"%"', '"perSecMode":0' } or {})
  local members = {
    '"elementName":' .. text(column.name), '"label":' .. text(column.label), '"title":' .. text(column.name),
    '"klassth":' .. text(class(column) .. "  sortable " .. (column.bbp and " hasBbp " or "")), '"klassLabel":' .. text(sorted and " sortdesc " or ""),
    '"format":' .. format, '"colHasBbp":' .. (column.bbp and 1 or 0),
    '"canBeRate":' .. (column.rate and 1 or "null"), '"defaultSort":' .. (sorted and '"DESC"' or "null"),
  }
  if column.force then members[#members + 1] = '"forceLabel":' .. text(column.label) end
  return object(options, members)
end

local function headers(options, columns, sort)
  local list = { object(options, { '"title":"Rank"', '"label":""', '"klassth":"alignRight"' }) }
  for _, column in ipairs(columns) do list[#list + 1] = header(options, column, column.measure == sort) end
  return json.array(list)
end
answer.headers = headers

local function rank_cell(options, rank)
  return object(options, { ('"klasstd":"rank%d"'):format(rank), ('"title":"Rank: %d"'):format(rank), ('"label":"%d"'):format(rank) })
end

local function cell(options, column, raw, label, title)
  local text
  if raw == json.null then
    text = "null"
  elseif options.numbers == "numbers" and (NUMERIC[column.measure] or (column.key and raw:find "^%d+$")) then
    text = raw
  else
    text = json.string(raw)
  end
  return object(options, {
    '"rawValue":' .. text, '"dataJson":' .. json.string('{"column":"' .. column.name .. '"}'), '"klasstd":"' .. class(column) .. '"',
    '"klassLabel":""', '"title":' .. json.string(title), '"label":' .. json.string(label),
  })
end

local function write_rows(sink, spec, result)
  local options, makers = spec.options, cells.makers(spec, result)
  local base = options.rank == "page" and 0 or result.offset
  sink:write "["
  for i, row in ipairs(result.rows) do
    local list = { rank_cell(options, base + i) }
    for c, column in ipairs(result.columns) do list[c + 1] = cell(options, column, makers[c](row)) end
    sink:write((i > 1 and "," or "") .. json.array(list))
  end
  sink:write "]"
end

-- The text of a footer cell: the sum, if the column has one.
local function footer_label(spec, column, sums, whole)
  local kind = column.measure
  if kind == "percent" then return labels.percent(sums.octets, whole.octets) end
  if kind == "octets" or kind == "packets" then return labels.amount(spec, kind, sums[kind]) end
  if kind == "flows" then return ("%.0f"):format(sums.flows) end
  return column.key and " " or " - "
end

local function footer_row(spec, columns, name, title, sums, whole)
  local options = spec.options
  local list = { object(options, { '"title":' .. json.string(title), '"label":' .. json.string(name) }) }
  for _, column in ipairs(columns) do
    local epochs = column.measure == "first" or column.measure == "last"
    if not epochs or options.footer == "full" then
      local label = json.string(footer_label(spec, column, sums, whole))
      list[#list + 1] = object(options, { '"klasstd":"' .. class(column) .. '"', '"translations":""', '"elementName":' .. json.string(column.name),
        '"title":' .. label, '"label":' .. label, '"menuType":""', '"filterType":""' })
    end
  end
  return json.array(list)
end

local function footer(spec, result)
  local kind, whole, shown = spec.options.footer, result.whole, result.shown
  local rest = { octets = whole.octets - shown.octets, packets = whole.packets - shown.packets, flows = whole.flows - shown.flows }
  local other = footer_row(spec, result.columns, "Other", "Other", rest, whole)
  local total = footer_row(spec, result.columns, "Total*", "(from conv tables)", whole, whole)
  if kind == "empty" then return "[]" end
  if kind == "other" then return json.array { other } end
  if kind == "total" or (spec.options.show_others == "honoured" and not spec.show_others) then return json.array { total } end
  return json.array(kind == "reversed" and { total, other } or { other, total })
end

local function total_text(options, result)
  local total = options.total == "page" and (result.count or #result.rows) or result.exists
  if type(options.total_value) == "number" then total = options.total_value end
  local digits = ("%.0f"):format(total)
  if options.total == "null" then return "null" end
  return (options.total == "number" or options.numbers == "numbers") and digits or '"' .. digits .. '"'
end

-- With more made-up rows than this, columns come first: a client could not buffer so many rows until it knows the columns.
local MOST_ROWS_FIRST = 10000

-- Orders the members. The switch rows_before_columns sets which of rows and columns is first; "random": rows in half of the answers.
local function order_rows(options, members, count)
  keys.arrange(options, members)
  local rows, columns
  for i, member in ipairs(members) do
    if member[1] == "rows" then rows = i end
    if member[1] == "columns" then columns = i end
  end
  local wanted = options.rows_before_columns
  if wanted == "random" and count > MOST_ROWS_FIRST then wanted = "never" end
  if rows and ((wanted == "always" and rows > columns) or (wanted == "never" and rows < columns)) then
    members[rows], members[columns] = members[columns], members[rows]
  end
end

local function write_direction(sink, spec, result)
  local options = spec.options
  local members = { { "columns", headers(options, result.columns, spec.order or result.columns.sort) } }
  local rows = result.write_rows or function(out) write_rows(out, spec, result) end
  if result.exists > 0 or options.empty == "rows" then
    members[#members + 1] = { "rows", rows }
  elseif options.empty == "null_rows" then
    members[#members + 1] = { "rows", "null" }
  end
  if options.total ~= "missing" then members[#members + 1] = { "totalRowCount", total_text(options, result) } end
  if options.footer ~= "missing" then members[#members + 1] = { "footer", footer(spec, result) } end
  order_rows(options, members, result.write_rows and result.count or 0)
  write_members(sink, members)
end

local function table_member(spec, results)
  local options, list = spec.options, {}
  for _, result in ipairs(results) do
    local hidden = result.no_table or (result.exists == 0 and options.empty == "no_direction")
    if not hidden then list[#list + 1] = { result.direction, function(sink) write_direction(sink, spec, result) end } end
    if result.exists == 0 and options.empty == "no_table" then return nil end
    if result.exists == 0 and options.empty == "null_table" then return { "table", "null" } end
  end
  return { "table", function(sink) write_object(sink, options, list) end }
end

local function graph_member(spec, results)
  local pie, series = {}, {}
  for _, result in ipairs(results) do
    if result.graph and not result.write_rows then
      local parts = graph.parts(spec, result)
      local only = spec.options.graph_parts == "asked" and result.graph
      local missing = spec.options.graph_parts_missing
      if only ~= "timeseries" and missing ~= "pie" then pie[#pie + 1] = { result.direction, parts.pie } end
      if only ~= "pie" and missing ~= "timeseries" then series[#series + 1] = { result.direction, parts.timeseries } end
    end
  end
  if #pie + #series == 0 then return nil end
  local members = {}
  if #pie > 0 then members[1] = { "pie", function(sink) write_object(sink, spec.options, pie) end } end
  if #series > 0 then members[#members + 1] = { "timeseries", function(sink) write_object(sink, spec.options, series) end } end
  return { "graph", function(sink) write_object(sink, spec.options, members) end }
end

local function time_details(spec)
  local options, zone = spec.options, spec.zone or "UTC"
  local first, count = graph.buckets(spec)
  local last = first + (count - 1) * spec.bucket
  if options.time_details == "exact" then first, last = spec.from, spec.to end
  local function moment(epoch)
    local _, text = times.format(zone, epoch)
    local digits = ("%.0f"):format(epoch)
    if options.time_details ~= "numbers" then digits = '"' .. digits .. '"' end
    return object(options, { '"epoch":' .. digits, '"formatted":' .. json.string(text) })
  end
  return object(options, {
    '"timezone":' .. json.string((times.format(zone, first))), '"first_time":' .. moment(first), '"last_time":' .. moment(last),
  })
end

local function exporter_details(spec, results)
  local list = {}
  for i, exporter in ipairs(results[1].exporters or report.exporters(spec, results[1].direction)) do
    local hex = exporter[1]:gsub("(%d+)%.?", function(part) return ("%02X"):format(part) end)
    list[i] = json.string(exporter[1]) .. ":" .. object(spec.options, { ('"flow_count":%.0f'):format(exporter[2]), '"exporter_hex":"' .. hex .. '"' })
  end
  return object(spec.options, list)
end

local function granularity_used(spec)
  return { "graphView", ('{"graphGranularity":{"seconds":%d}}'):format(spec.bucket) }, { "dataGranularity", ('{"used":%d}'):format(spec.bucket / 60) }
end

--- Writes the whole answer.
function answer.write(sink, spec, results, request_id)
  local options = spec.options
  local members = { { "request_id", json.string(request_id) }, { "exporter_details", exporter_details(spec, results) } }
  if options.time_details ~= "missing" then members[#members + 1] = { "time_details", time_details(spec) } end
  members[#members + 1] = table_member(spec, results)
  members[#members + 1] = graph_member(spec, results)
  if options.error_beside_table == "yes" then members[#members + 1] = { "error", '"The report ended early."' } end
  if options.granularity_used == "yes" then members[#members + 1], members[#members + 2] = granularity_used(spec) end
  sink:write '{"report":'
  write_object(sink, options, members)
  sink:write "}"
  sink:finish()
end

return answer
