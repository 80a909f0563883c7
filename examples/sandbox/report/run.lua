-- Runs a report with SQL. The recorded day is repeated on every day (UTC). A flow counts once for each day on which its start (in milliseconds)
-- is in the window; all its octets and packets count at its start.
local columns = require "sandbox.report.columns"
local filters = require "sandbox.report.filters"
local store = require "sandbox.state.store"

local report = {}
local DAY_MS = 86400000

-- The first millisecond in the window, and the first after it.
local function window(spec)
  local options, bucket = spec.options, spec.bucket
  local from, to = spec.from * 1000, spec.to * 1000
  if spec.minutes_from then from = math.max(from, spec.minutes_from * 1000) end
  if options.window_start == "open" then from = from + 1 end
  if options.window_start == "bucket" then from = from - from % (bucket * 1000) end
  if options.window_end == "closed" then to = to + 1000 end
  if options.window_end == "bucket" then to = to - to % (bucket * 1000) + bucket * 1000 end
  return from, math.max(from, to)
end
report.window = window

-- SQL of first_day and end_day: a flow is in [from, to) on the days first_day … end_day - 1 (days since 1970).
local function days(spec)
  local from, to = window(spec)
  return ("(%.0f - start_ms) / %d"):format(from + DAY_MS - 1, DAY_MS), ("(%.0f - start_ms) / %d"):format(to + DAY_MS - 1, DAY_MS)
end

local COPIED = { "start_ms", "exporter", "input_if", "output_if", "protocol", "src_ip", "src_port", "dst_ip", "dst_port", "packets", "octets", "tos",
  "src_number", "dst_number", "src_group", "dst_group", "wkp", "app", "rank_300", "rank_1800", "rank_7200", "rank_43200", "rank_86400" }

-- The table of flows, plus late flows if the switch late_flows requires them.
local function source(options, condition, first, last)
  local late = options.late_flows
  if late == 0 then return "flows" end
  local copy = table.concat(COPIED, ", ")
  local host = options.late_hosts == "new" and "'198.51.100.' || row_number() OVER ()" or "src_ip"
  local changed = copy:gsub("octets", ("%.0f"):format(options.late_octets)):gsub("src_ip", host, 1)
  return ("(SELECT %s FROM flows UNION ALL SELECT * FROM (SELECT %s FROM flows WHERE %s AND %s > %s LIMIT %d))"):format(
    copy, changed, condition, last, first, late)
end

-- The lengths of buckets, in seconds, that have tables which keep only the top conversations. A week's table keeps what a day's does: the day recurs.
local ROLLUPS = { 86400, 43200, 7200, 1800, 300 }

-- Whether a report reads the tables of interface totals, which are always exact: no filter but exporters and interfaces.
local function of_totals(spec)
  if spec.type ~= "interfaces" then return false end
  for _, filter in ipairs(spec.filters) do
    if filter.type ~= "sdfDips" then return false end
  end
  return true
end

-- SQL of which flows the table that a report reads has kept.
local function kept(spec)
  for _, length in ipairs(ROLLUPS) do
    if spec.bucket >= length and not of_totals(spec) then
      return (" AND rank_%d <= %.0f"):format(length, spec.options.max_conversations)
    end
  end
  return ""
end

-- SQL of the flows in one direction that are in the window, with first_day and end_day.
local function base(spec, direction, selected)
  local first, last = days(spec)
  local condition = columns.types[spec.type].empty and "0" or filters.sql(spec.filters, direction, spec.options) .. kept(spec)
  return ("SELECT %s, %s AS first_day, %s AS end_day FROM %s WHERE %s AND end_day > first_day"):format(
    selected, first, last, source(spec.options, condition, first, last), condition)
end

local MEASURES = {
  "SUM(octets * (end_day - first_day)) AS octets",
  "SUM(packets * (end_day - first_day)) AS packets",
  "SUM(end_day - first_day) AS flows",
  "COUNT(DISTINCT dst_ip) AS destinations",
  ("MIN(start_ms + %d * first_day) AS first"):format(DAY_MS),
  ("MAX(start_ms + %d * (end_day - 1)) AS last"):format(DAY_MS),
}

local function key_names(list)
  local selected, names = {}, {}
  for i, key in ipairs(list.keys) do
    selected[i], names[i] = key.sql .. " AS k" .. i, "k" .. i
  end
  return selected, names
end

local function order_by(spec, list, names)
  local measure = spec.order or list.sort
  if measure == "utilization" then
    local is_interfaces = list.keys[2] and list.keys[2].names == "interfaces"
    measure = is_interfaces and "octets * 1.0 / (SELECT speed FROM interfaces WHERE exporter = k1 AND number = k2)" or "octets"
  end
  local ties = spec.options.ties
  if ties == "shuffled" then return measure .. " DESC, random()" end
  local keys = {}
  for i, name in ipairs(names) do keys[i] = name .. (ties == "reverse" and " DESC" or "") end
  return measure .. " DESC, " .. table.concat(keys, ", ")
end

local function grouped(spec, direction, list)
  local selected, names = key_names(list)
  local flows = base(spec, direction, table.concat(selected, ", ") .. ", octets, packets, dst_ip, start_ms")
  return ("SELECT %s, %s FROM (%s) GROUP BY %s ORDER BY %s"):format(
    table.concat(names, ", "), table.concat(MEASURES, ", "), flows, table.concat(names, ", "), order_by(spec, list, names))
end

local function copy_row(row, count)
  local copy = { octets = row.octets, packets = row.packets, flows = row.flows, destinations = row.destinations, first = row.first, last = row.last }
  for i = 1, count do copy[i] = row["k" .. i] end
  return copy
end

local function add(sums, row)
  sums.octets, sums.packets, sums.flows = sums.octets + row.octets, sums.packets + row.packets, sums.flows + row.flows
end

local function zero()
  return { octets = 0, packets = 0, flows = 0 }
end

--- The rows of one direction: { columns =, rows = the page, offset =, exists = number of all rows, whole = sums of all, shown = sums of the page }.
--- A row has its keys by number, and octets, packets, flows, destinations, first, last (ms).
function report.run(spec, wanted)
  local list = columns.of(spec.type, wanted.name)
  local result = { columns = list, rows = {}, offset = wanted.offset, exists = 0, whole = zero(), shown = zero() }
  local max = wanted.max
  if type(spec.options.max_rows) == "number" then max = math.min(max, spec.options.max_rows) end
  store.query(grouped(spec, wanted.name, list), function(row)
    result.exists = result.exists + 1
    add(result.whole, row)
    if result.exists > wanted.offset and result.exists <= wanted.offset + max then
      result.rows[#result.rows + 1] = copy_row(row, #list.keys)
      add(result.shown, row)
    end
  end)
  return result
end

--- The flows per exporter in the window: a list of { exporter, count }.
function report.exporters(spec, direction)
  local list = {}
  store.query(("SELECT exporter, SUM(end_day - first_day) AS flows FROM (%s) GROUP BY exporter"):format(base(spec, direction, "exporter, start_ms")),
    function(row) list[#list + 1] = { row.exporter, row.flows } end)
  return list
end

--- Calls each(key, start_ms, octets, packets, first_day, end_day) for every flow of the report; `key` is report.key of its row.
function report.flows(spec, direction, list, each)
  local selected, names = key_names(list)
  local flows = base(spec, direction, table.concat(selected, ", ") .. ", octets, packets, start_ms")
  local sql = ("SELECT %s AS key, start_ms, octets, packets, first_day, end_day FROM (%s)"):format(table.concat(names, " || char(31) || "), flows)
  store.query(sql, function(row) each(tostring(row.key), row.start_ms, row.octets, row.packets, row.first_day, row.end_day) end)
end

function report.key(row, list)
  local parts = {}
  for i = 1, #list.keys do parts[i] = type(row[i]) == "number" and ("%.0f"):format(row[i]) or row[i] end
  return table.concat(parts, "\31")
end

return report
