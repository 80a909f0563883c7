--- Samples from an appliance: the graphs of reports that are filtered to the customer, one query for each part. It refuses what would give a
--- wrong bill without notice: coarser buckets, rows without a series, points that are not octets, a period that has not ended.

local check = require "scrutinizer.check"
local conditions = require "scrutinizer.wire.conditions"
local errors = require "scrutinizer.errors"
local samples = require "scrutinizer.billing.samples"
local series = require "scrutinizer.report.series"
local wire = require "scrutinizer.wire"

local collect = {}

---@class scrutinizer.CollectOptions
---@field series? string[]     only the series with these labels; a label that is not found is refused. Default: all series, and Other
---@field coarser? integer     bill from buckets of this many minutes, longer than five; they hide peaks
---@field sparse? boolean      accept points that all lie on a coarser grid as five-minute sums
---@field truncated? boolean   bill although some rows have no series
---@field unfinished? boolean  bill a period that has not ended; future samples count as missing

local KNOWN = { series = "table", coarser = "number", sparse = "boolean", truncated = "boolean", unfinished = "boolean" }

local function refuse(text, ...)
  return nil, errors.new("bill", text:format(...))
end

-- ---- arguments ----

local function query_complaint(query, side, i)
  local where = ("%s: query %d"):format(side, i)
  local spec = type(query) == "table" and query._spec
  if not spec or not query.series then return check.message(where, query, "a query of client:report") end
  if #spec.directions ~= 1 then return where .. ": it asks for both directions; each side needs queries of one direction" end
  if spec.shift then return where .. ': a shift would move the period; remove :shift, or use :without "shift"' end
  if spec.offset and spec.offset > 0 then return where .. ": its offset skips rows; remove :offset" end
  local unit = series.complaint(spec)
  return unit and where .. ": " .. unit
end

local function side_complaint(given, side, seen)
  for i, query in ipairs(given) do
    local complaint = query_complaint(query, side, i)
    if complaint then return complaint end
    local good, form, err = pcall(query.request, query:between(0, 300))
    if not good then return ("%s: query %d: %s"):format(side, i, (tostring(form):gsub("^request: ", ""))) end
    if not form then return ("%s: query %d: %s"):format(side, i, err.message) end
    local text = form.rpt_json
    if seen[text] then return ("%s: query %d is the same as query %d: its traffic would be counted twice"):format(side, i, seen[text]) end
    seen[text] = i
  end
  if #given == 0 then return side .. ": no query" end
end

--- What is wrong with the queries and options, or nil.
---@param queries any
---@param options any
---@return string?
function collect.complaint(queries, options)
  if type(queries) ~= "table" or (queries.inbound == nil and queries.outbound == nil) then
    return check.message("queries", queries, "{ inbound = query or list, outbound = … }, at least one of them")
  end
  for _, side in ipairs(samples.SIDES) do
    local given = queries[side]
    if given ~= nil and type(given) ~= "table" then return check.message(side, given, "a query or a list of queries") end
    local complaint = given and side_complaint(given.series and { given } or given, side, {})
    if complaint then return complaint end
  end
  for name, value in pairs(options or {}) do
    if not KNOWN[name] then return check.message("option", name, table.concat(check.sorted_keys(KNOWN), ", ")) end
    if type(value) ~= KNOWN[name] then return check.message(name, value, "a " .. KNOWN[name]) end
  end
  for _, label in ipairs(options and options.series or {}) do
    if type(label) ~= "string" or not wire.try_encode(label) then return check.message("series", label, "labels, texts in UTF-8") end
  end
  if options and options.coarser and not check.integer(options.coarser, 6) then
    return check.message("coarser", options.coarser, "whole minutes over 5")
  end
end

-- ---- the true length of the buckets ----

local UNKNOWN = { api = true, decode = true, http = true }

local function common(a, b)
  while b ~= 0 do a, b = b, a % b end
  return a
end

-- The coarsest grid that all points lie on, and how many there are.
local function grid_of(list, from)
  local step, count = 0, 0
  for _, entry in ipairs(list) do
    for _, point in ipairs(entry.points) do
      step, count = common(math.abs(point[1] - from), step), count + 1
    end
  end
  return step, count
end

local function check_length(seconds, wanted)
  if seconds == nil or seconds == wanted then return true end
  return refuse("the appliance answers in buckets of %d s, not %d s%s", seconds, wanted,
    seconds > wanted and (": their averages hide peaks; set coarser = %d to bill from them"):format(math.floor(seconds / 60)) or "")
end

local function check_reported(query, wanted)
  local seconds, err = query:interval()
  if not seconds then return UNKNOWN[err.kind] or nil, err end
  return check_length(seconds, wanted)
end

local function check_points(list, from, wanted, o)
  local step, count = grid_of(list, from)
  if count < 3 or step <= wanted or o.sparse then return true end
  return refuse("all %d points are %d s apart or a multiple of it, not %d s: the appliance seems to have answered in longer buckets; "
    .. "if each point is still the sum of %d s, set sparse = true", count, step, wanted, wanted)
end

-- ---- which series count ----

local function split(list)
  local shown, others = {}, {}
  for _, entry in ipairs(list) do
    local to = entry.other and others or shown
    to[#to + 1] = entry
  end
  return shown, others
end

-- Whether the shown series and Other contain all rows. Nil and err when the appliance cannot be asked.
local function complete(query, shown, others)
  if #others > 0 then return series.drawn(others) or not series.drawn(shown) end
  local exist, err = query:count()
  if not exist then return nil, err end
  return exist <= #shown, exist
end

local function check_complete(query, shown, others, o, set)
  local whole, exist = complete(query, shown, others)
  if whole == nil then return nil, exist end
  if whole then return true end
  if not o.truncated then
    local what = exist and ("%d rows exist and %d have a series"):format(exist, #shown) or "Other has no points"
    return refuse("%s: some traffic is in no series; raise the query's limit, or set truncated = true", what)
  end
  set.forced[#set.forced + 1] = "truncated"
  return true
end

-- The series with the requested labels. A row that is summed into Other has no series of its own.
local function labelled(shown, others, labels)
  local wanted, chosen = {}, {}
  for _, label in ipairs(labels) do wanted[label] = 0 end
  for _, entry in ipairs(shown) do
    if entry.label and wanted[entry.label] then
      wanted[entry.label], chosen[#chosen + 1] = wanted[entry.label] + 1, entry
    end
  end
  for _, label in ipairs(labels) do
    if wanted[label] == 0 then
      return refuse("no series has the label %s%s", check.show(label), #others > 0 and ": it may be part of Other; raise the query's limit" or "")
    end
  end
  return chosen
end

local function choose(query, list, o, set)
  local shown, others = split(list)
  if o.series then return labelled(shown, others, o.series) end
  local ok, err = check_complete(query, shown, others, o, set)
  if not ok then return nil, err end
  return list
end

-- ---- one part ----

local function fetch(query, set, o)
  local list, ok, err
  ok, err = check_reported(query, set.interval)
  if not ok then return nil, err end
  list, err = query:series()
  if not list then return nil, err end
  ok, err = check_length(list[1] and list[1].interval, set.interval)
  if ok then ok, err = check_points(list, set.period.from, set.interval, o) end
  if not ok then return nil, err end
  -- A customer without any traffic has no rows and no series: every sample is missing.
  if #list == 0 and not o.series then return list end
  return choose(query, list, o, set)
end

local function part_of(query, set, o)
  local list, err = fetch(query:between(set.period.from, set.period.to):granularity(math.floor(set.interval / 60)), set, o)
  if not list then return nil, err end
  local part = { values = nil, series = o.series }
  part.values, err = samples.place(set, {}, "error")
  if not part.values then return nil, err end
  for _, entry in ipairs(list) do
    local values
    values, err = samples.place(set, entry.points, "error")
    if not values then return nil, err end
    samples.add_up(set, part.values, values)
  end
  return part
end

local function part_name(query)
  local spec, words = query._spec, {}
  for _, entry in ipairs(conditions.entries(spec)) do words[#words + 1] = tostring(entry.value) end
  return ("%s %s"):format(spec.type, table.concat(words, " "))
end

local function collect_side(set, side, given, o)
  set[side] = {}
  for i, query in ipairs(given) do
    local part, err = part_of(query, set, o)
    if not part then
      err.message = ("%s, query %d: %s"):format(side, i, err.message)
      return nil, err
    end
    local form = query:between(set.period.from, set.period.to):granularity(math.floor(set.interval / 60)):request()
    part.name, part.query = part_name(query), { rpt_json = form.rpt_json, data_requested = form.data_requested }
    set[side][i] = part
  end
  return true
end

--- Asks the appliance for a customer's samples. The period's times and granularity replace those of the queries.
---@param of scrutinizer.Period
---@param queries { inbound?: scrutinizer.Query|scrutinizer.Query[], outbound?: scrutinizer.Query|scrutinizer.Query[] }
---@param options? scrutinizer.CollectOptions
---@return scrutinizer.Samples? set
---@return scrutinizer.Error? err
function collect.run(of, queries, options)
  local o = options or {}
  if of.to > os.time() and not o.unfinished then return refuse("the period has not ended; set unfinished = true to use the samples so far") end
  local set, err = samples.new(of, o.coarser and o.coarser * 60)
  if not set then return nil, err end
  if o.coarser then set.forced[1] = "coarser" end
  if of.to > os.time() then set.forced[#set.forced + 1] = "unfinished" end
  if o.sparse then set.forced[#set.forced + 1] = "sparse" end
  for _, side in ipairs(samples.SIDES) do
    local given, ok = queries[side], true
    if given then ok, err = collect_side(set, side, given.series and { given } or given, o) end
    if not ok then return nil, err end
  end
  return set
end

-- ---- queries for a customer ----

local KINDS = { ip_group = true, network = true, ip = true }
local ALL = "all"

--- Queries for a customer's interfaces (one part each), or for its addresses: inbound is traffic to them, outbound traffic from them.
--- The graph has `limit` rows (default 1); the rest is in Other. Raises as the query's methods do.
---@param client scrutinizer.Client
---@param customer table
---@return { inbound: scrutinizer.Query[], outbound: scrutinizer.Query[] }
function collect.queries(client, customer)
  local base = client:report(customer.report or "host2host"):limit(customer.limit or 1)
  local found = { inbound = {}, outbound = {} }
  for i, port in ipairs(customer.interfaces or {}) do
    found.inbound[i] = base:inbound():exporter(port[1], port[2])
    found.outbound[i] = base:outbound():exporter(port[1], port[2])
  end
  if customer.exporter and customer.exporter ~= ALL then base = base:exporter(customer.exporter) end
  for _, kind in ipairs(check.sorted_keys(KINDS)) do
    if customer[kind] ~= nil then
      table.insert(found.inbound, base:where { ["dst_" .. kind] = customer[kind] })
      table.insert(found.outbound, base:where { ["src_" .. kind] = customer[kind] })
    end
  end
  return found
end

--- What is wrong with a customer, or nil.
---@param customer any
---@return string?
function collect.customer_complaint(customer)
  local known = { interfaces = true, report = true, limit = true, exporter = true, ip = true, ip_group = true, network = true }
  if type(customer) ~= "table" then return check.message("customer", customer, "a table") end
  local kinds = 0
  for name in pairs(customer) do
    if not known[name] then return check.message("customer", name, table.concat(check.sorted_keys(known), ", ")) end
    if KINDS[name] or name == "interfaces" then kinds = kinds + 1 end
  end
  -- Parts of different kinds may contain the same flows.
  if kinds ~= 1 then return "customer: set exactly one of interfaces, ip_group, network, ip; with several, a flow could be counted twice" end
  if customer.interfaces and customer.exporter then return "customer: exporter cannot be set with interfaces, which name their exporters" end
  -- Without an exporter a flow could be billed twice without notice.
  if not customer.interfaces and customer.exporter == nil then
    return 'customer: set exporter: a flow that several exporters report would be counted for each of them; use "all" if no two report the same flow'
  end
  -- Which way the customer's traffic takes through an interface depends on which end of it the customer is.
  if type(customer.exporter) == "table" then
    return "customer: exporter: with ip, ip_group or network it cannot be one interface; set interfaces instead, or make queries of your own "
      .. "with :inbound() or :outbound()"
  end
end

return collect
