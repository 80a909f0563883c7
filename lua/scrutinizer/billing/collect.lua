--- Samples from an appliance: the graphs of reports that are filtered to the customer, one query for each part. It refuses what would give a
--- wrong bill without notice: coarser buckets, rows without a series, points that are not octets, a period that has not ended.

local bigint = require "scrutinizer.arithmetic.bigint"
local check = require "scrutinizer.check"
local conditions = require "scrutinizer.wire.conditions"
local coverage = require "scrutinizer.billing.coverage"
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
---@field coverage_by_totals? number|string|false the least share of the interfaces' totals that the conversations of each interval must hold (default
---   0.99); false: do not measure it (which takes two more requests), and take the greater of minutes and five minutes for each interval

local KNOWN = { series = "table", coarser = "number", sparse = "boolean", truncated = "boolean", unfinished = "boolean" }

local MINUTE = 60

local function refuse(text, ...)
  return nil, errors.new("bill", text:format(...))
end

-- Notes that an option overruled a refusal.
local function force(set, word)
  for _, other in ipairs(set.forced) do
    if other == word then return end
  end
  set.forced[#set.forced + 1] = word
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
    if name ~= "coverage_by_totals" and not KNOWN[name] then
      return check.message("option", name, table.concat(check.sorted_keys(KNOWN), ", ") .. ", coverage_by_totals")
    end
    if KNOWN[name] and type(value) ~= KNOWN[name] then return check.message(name, value, "a " .. KNOWN[name]) end
  end
  local wrong = coverage.complaint((options or {}).coverage_by_totals)
  if wrong then return wrong end
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
    local points = entry.points
    for i = 1, #points do
      local distance = points[i][1] - from
      if step == 0 or distance % step ~= 0 then step = common(math.abs(distance), step) end
    end
    count = count + #points
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
  force(set, "truncated")
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

-- ---- one query's samples ----

local function fetch(query, set, o)
  local list, ok, err
  ok, err = check_reported(query, set.interval)
  if not ok then return nil, err end
  list, err = query:series()
  if not list then return nil, err end
  ok, err = check_length(list[1] and list[1].interval, set.interval)
  if ok then ok, err = check_points(list, set.period.from, set.interval, o) end
  if not ok then return nil, err end
  return list
end

-- The same in buckets of one minute; false when the appliance has none of that time any more, or the graph is too large.
local function fetch_minutes(query, set)
  local seconds, err = query:interval()
  if not seconds and not UNKNOWN[err.kind] then return nil, err end
  if seconds and seconds ~= MINUTE then return false end
  local list
  list, err = query:series()
  if not list and err.kind == "limit" then return false end
  if not list then return nil, err end
  local step, count = grid_of(list, set.period.from)
  if list[1] and list[1].interval and list[1].interval ~= MINUTE then return false end
  if count > 0 and step % set.interval == 0 then return false end
  return list
end

-- A query's samples in buckets of `step` seconds, summed over its series. False when there are no buckets of one minute.
local function values_of(query, set, step, o)
  query = query:between(set.period.from, set.period.to):granularity(math.floor(step / 60))
  local list, err = (step == MINUTE and fetch_minutes or fetch)(query, set, o)
  if not list then return list, err end
  -- A customer without any traffic has no rows and no series: every sample is missing.
  if #list > 0 or o.series then list, err = choose(query, list, o, set) end
  if not list then return nil, err end
  local values = samples.place(set, {}, "error")
  for _, entry in ipairs(list) do
    local more
    more, err = samples.fold(set, entry.points, step)
    if not more then return nil, err end
    samples.add_up(set, values, more)
  end
  return values, query
end

-- ---- what the conversations hold of the totals ----

-- All traffic of a query, whichever rows it has.
local function all_traffic(query, like, step)
  local set = { period = like.period, interval = like.interval, n = like.n, outside = 0, forced = {} }
  local values, err = values_of(query:limit(1), set, step, {})
  if values == nil and err.kind == "bill" then values, err = values_of(query, set, step, {}) end
  return values, err
end

local function unmeasured(why)
  return refuse("%s: how much of the traffic is in the appliance's conversations cannot be measured; set coverage_by_totals = false to bill "
    .. "without knowing", why)
end

-- Compares all conversations of the query's exporters with the totals of their interfaces. False when there was no traffic.
local function measure(query, set, step)
  local all, totals = coverage.queries(query, set.period)
  if not all then return unmeasured(totals) end
  local held, err = all_traffic(all, set, step)
  if not held then return nil, err or errors.new("bill", "the appliance has one-minute tables of the customer and none of the exporters") end
  local whole
  whole, err = all_traffic(totals, set, set.interval)
  if not whole and (err.kind == "api" or err.kind == "bill") then return unmeasured(err.message) end
  if not whole then return nil, err end
  local found, complaint = coverage.compare(set, held, whole, os.time())
  if complaint then return unmeasured(complaint) end
  return found or false
end

-- What was measured for queries of the same exporters is not measured again.
local function measured_once(run, query, step)
  local all = coverage.queries(query, run.set.period)
  local key = all and ("%d %s"):format(step, tostring(all)) or step
  if run.measured[key] == nil then
    local found, err = measure(query, run.set, step)
    if found == nil then return nil, err end
    run.measured[key] = found
  end
  return run.measured[key]
end

-- Whether the conversations are complete enough: true, or nil, err and whether that is because they are not.
local function check_coverage(run, query, step, source)
  local set, wanted = run.set, run.options.coverage_by_totals
  if wanted == false then
    force(set, "unmeasured")
    return true
  end
  local found, err = measured_once(run, query, step)
  if found == nil then return nil, err end
  if not found then return true end
  err = coverage.refusal(found, wanted, source, set)
  if err then return nil, err, true end
  coverage.note(set, found)
  if coverage.is_low(found) then force(set, "coverage_by_totals") end
  return true
end

-- ---- one part ----

-- The samples from one kind of table. False when there are no buckets of one minute; nil, err and whether the coverage is too low.
local function values_from(run, query, step, source)
  local outside = run.set.outside
  local values, asked = values_of(query, run.set, step, run.options)
  if not values then return values, asked end
  local ok, err, too_low = check_coverage(run, asked, step, source)
  if ok then return values, asked end
  run.set.outside = outside
  return nil, err, too_low
end

-- When nothing is measured, nothing tells whether minutes are gone: each interval is the greater of what both tables hold. Neither holds too much.
local function greater_values(run, query, values, asked)
  local set, source = run.set, "minute"
  local outside = set.outside
  local kept, again = values_of(query, set, set.interval, run.options)
  set.outside = outside
  if not kept and again.kind ~= "bill" then return nil, again end
  for i = 1, kept and set.n or 0 do
    local a, b = values[i], kept[i]
    if b and (not a or bigint.compare(b, a) > 0) then values[i], source, asked = b, "rollup", again end
  end
  return values, asked, source
end

-- Minutes where the appliance has all of them, else what its longer tables have kept; totals of interfaces are whole anyhow.
local function best_values(run, query)
  local set = run.set
  if coverage.is_totals(query) then
    local values, asked = values_of(query, set, set.interval, run.options)
    return values, asked, "totals"
  end
  if not run.options.coarser then
    local values, asked, too_low = values_from(run, query, MINUTE, "minute")
    if values and run.options.coverage_by_totals == false then return greater_values(run, query, values, asked) end
    if values then return values, asked, "minute" end
    if values == nil and not too_low then return nil, asked end
  end
  local values, asked = values_from(run, query, set.interval, "rollup")
  return values, asked, "rollup"
end

local function part_name(query)
  local spec, words = query._spec, {}
  for _, entry in ipairs(conditions.entries(spec)) do words[#words + 1] = tostring(entry.value) end
  return ("%s %s"):format(spec.type, table.concat(words, " "))
end

local function part_of(run, query)
  local values, asked, source = best_values(run, query)
  if not values then return nil, asked end
  local set, form = run.set, asked:request()
  set.source = samples.less_complete(set.source, source)
  return {
    name = part_name(query), values = values, series = run.options.series, query = { rpt_json = form.rpt_json, data_requested = form.data_requested },
  }
end

local function collect_side(run, side, given)
  run.set[side] = {}
  for i, query in ipairs(given) do
    local part, err = part_of(run, query)
    if not part then
      err.message = ("%s, query %d: %s"):format(side, i, err.message)
      return nil, err
    end
    run.set[side][i] = part
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
  local run = { set = set, options = o, measured = {} }
  for _, side in ipairs(samples.SIDES) do
    local given, ok = queries[side], true
    if given then ok, err = collect_side(run, side, given.series and { given } or given) end
    if not ok then return nil, err end
  end
  return set
end

-- ---- for many customers at once ----

--- All octets of a query's report by interval. False when there are no buckets of one minute; nil and err.
---@param query scrutinizer.Query without a limit
---@param of scrutinizer.Period
---@param step integer seconds
---@return (scrutinizer.Whole|false)[]|false|nil
---@return scrutinizer.Error? err
function collect.traffic(query, of, step)
  local set, err = samples.new(of)
  if not set then return nil, err end
  local values, wrong = all_traffic(query, set, step)
  return values, not values and wrong or nil
end

--- Whether a graph's points are of buckets of this length: true, or nil and err.
---@param list scrutinizer.Series[]
---@param from integer
---@param seconds integer
---@return true?
---@return scrutinizer.Error? err
function collect.check_buckets(list, from, seconds)
  local ok, err = check_length(list[1] and list[1].interval, seconds)
  if ok then ok, err = check_points(list, from, seconds, {}) end
  return ok, err
end

-- ---- queries for a customer ----

local KINDS = { ip_group = true, network = true, ip = true }
local ALL = "all"

--- Queries for a customer's interfaces (their totals, one part each), or for its addresses: inbound is traffic to them, outbound traffic from them.
--- The graph has `limit` rows (default 1); the rest is in Other. Raises as the query's methods do.
---@param client scrutinizer.Client
---@param customer table
---@return { inbound: scrutinizer.Query[], outbound: scrutinizer.Query[] }
function collect.queries(client, customer)
  local totals = customer.interfaces and not customer.report
  local base = client:report(customer.report or (totals and wire.TOTALS or "host2host")):limit(customer.limit or 1)
  if totals then base = base:order_by(wire.graph.BYTES_COLUMN) end
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
