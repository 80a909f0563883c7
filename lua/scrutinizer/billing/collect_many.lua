--- Samples of many customers from few reports: for each day and side one graph of all customers of a kind, into one file. What is there already is
--- not asked for again, and a customer that cannot be collected does not stop the others.

local bigint = require "scrutinizer.arithmetic.bigint"
local check = require "scrutinizer.check"
local collect = require "scrutinizer.billing.collect"
local core = require "scrutinizer.core"
local coverage = require "scrutinizer.billing.coverage"
local errors = require "scrutinizer.errors"
local fraction = require "scrutinizer.arithmetic.fraction"
local many_graphs = require "scrutinizer.billing.many_graphs"
local period = require "scrutinizer.billing.period"
local sample_files = require "scrutinizer.billing.sample_files"
local samples = require "scrutinizer.billing.samples"
local wire = require "scrutinizer.wire"
local zone = require "scrutinizer.time.zone"

local collect_many = {}

local MINUTE, INTERVAL = 60, period.INTERVAL
local SETTLE = 900 -- seconds after a day's end before it is collected
local POINTS = 250000 -- of a graph by minutes, about: then it fits into max_held

---@class scrutinizer.ManyOptions
---@field client scrutinizer.Client
---@field dir string                folder of the files; it must exist
---@field per? "1d"                 a file for each calendar day of the period's time zone
---@field settle? integer           a day is collected this many seconds after its end (default 900), when late flows have arrived
---@field coverage_by_totals? number|string|false as of `collect`

---@class scrutinizer.Refusal
---@field customer string
---@field side? "inbound"|"outbound" nil: the customer's definition is wrong
---@field from? integer              the day that is missing
---@field error scrutinizer.Error

---@class scrutinizer.Collected
---@field files { path: string, side: string, from: integer, to: integer, customers: integer, kept: boolean }[] `kept`: nothing was asked for
---@field refused scrutinizer.Refusal[]
---@field open integer               days of the period that have not ended, or not long enough ago

local KNOWN = { client = "table", dir = "string", per = "string", settle = "number" }

--- What is wrong with the arguments, or nil.
---@param customers any
---@param options any
---@return string?
function collect_many.complaint(customers, options)
  if type(customers) ~= "table" or (next(customers) ~= nil and customers[1] == nil) then
    return check.message("customers", customers, "a list of { name =, exporter =, network = … }")
  end
  if type(options) ~= "table" then return check.message("options", options, "{ client =, dir = }") end
  for name, value in pairs(options) do
    if not KNOWN[name] and name ~= "coverage_by_totals" then
      return check.message("option", name, table.concat(check.sorted_keys(KNOWN), ", ") .. ", coverage_by_totals")
    end
    if KNOWN[name] and type(value) ~= KNOWN[name] then return check.message(name, value, "a " .. KNOWN[name]) end
  end
  if not options.client or not options.client.report then return check.message("client", options.client, "what scrutinizer.connect gives") end
  if not options.dir or options.dir == "" then return check.message("dir", options.dir, "the path of a folder") end
  if options.per ~= nil and options.per ~= "1d" then return check.message("per", options.per, '"1d"') end
  if options.settle ~= nil and not check.integer(options.settle) then return check.message("settle", options.settle, "seconds from 0") end
  return coverage.complaint(options.coverage_by_totals)
end

-- ---- customers ----

-- What belongs to the bill and not to the samples.
local OF_BILL = { name = true, tariff = true, usage = true, number = true }

local function definition(customer)
  local copy = {}
  for name, value in pairs(customer) do
    if not OF_BILL[name] then copy[name] = value end
  end
  return copy
end

--- What a customer is, as text: the same for every table that defines it so. Nil when JSON cannot hold it.
---@param customer table
---@return string?
function collect_many.definition(customer)
  return (wire.try_encode(definition(customer)))
end

local function bad(text, ...) return errors.new("bill", text:format(...)) end

-- The interfaces of a customer by address and index.
local function resolve(client, of)
  for i, port in ipairs(of.interfaces) do
    local device, err = client.exporters:find(port[1])
    if not device then return nil, err end
    local index = port[2]
    if type(index) == "string" then
      local interface
      interface, err = client.exporters:interface(device.ip, index)
      if not interface then return nil, err end
      index = interface.index
    end
    of.interfaces[i] = { port[1], port[2], ip = device.ip, index = index }
  end
  return true
end

local function copy_ports(ports)
  local list = {}
  for i, port in ipairs(ports) do list[i] = { port[1], port[2] } end
  return list
end

-- A customer as the graphs take it; nil and why not.
local function read_customer(client, customer, seen)
  if type(customer) ~= "table" or not check.name(customer.name) or not wire.try_encode(customer.name) then
    return nil, bad("the customer has no name, or one that is not text in UTF-8")
  end
  if seen[customer.name] then return nil, bad("two customers have this name") end
  local of = definition(customer)
  local complaint = collect.customer_complaint(of)
  if not complaint and (of.report or of.limit) then complaint = "customer: report and limit are not for many customers" end
  local fine, queries = true, nil
  if not complaint then fine, queries = pcall(collect.queries, client, of) end
  if not fine then complaint = tostring(queries):gsub("^[^\n]-%.lua:%d+: ", "") end
  if complaint then return nil, bad("%s", complaint) end
  seen[customer.name] = true
  local text = assert(wire.encode(of))
  if of.interfaces then
    of.interfaces = copy_ports(of.interfaces)
    local ok, err = resolve(client, of)
    if not ok then return nil, err end
  end
  return { name = customer.name, of = text, given = of, kind = many_graphs.kind(of), parts = many_graphs.parts(of) }
end

-- Errors that concern one customer or one exporter, and not the connection.
local OWN = { bill = true, api = true }

local function read_customers(run, given)
  local list, seen = {}, {}
  for i, customer in ipairs(given) do
    local found, err = read_customer(run.client, customer, seen)
    if not found and not OWN[err.kind] then return nil, err end
    if not found then
      local name = type(customer) == "table" and type(customer.name) == "string" and customer.name or ("customer %d"):format(i)
      table.insert(run.refused, { customer = name, error = err })
    end
    list[#list + 1] = found
  end
  return list
end

-- Customers that one graph can show: of one kind and exporter.
local function groups_of(customers)
  local groups, by_key = {}, {}
  for _, customer in ipairs(customers) do
    local exporter = customer.given.exporter
    local key = customer.kind .. " " .. tostring(exporter)
    if not by_key[key] then
      by_key[key] = { kind = customer.kind, exporter = exporter, customers = {} }
      groups[#groups + 1] = by_key[key]
    end
    table.insert(by_key[key].customers, customer)
  end
  return groups
end

-- ---- days ----

-- The calendar days of a period; the first and the last may be parts of one.
local function days_of(of)
  local clock, days, from = assert(zone.load(of.timezone)), {}, of.from
  while from < of.to do
    local c = clock:civil(from)
    local to = math.min(of.to, clock:start { year = c.year, month = c.month, day = c.day + 1 })
    local day, complaint = period.between(from, to, of.timezone)
    if not day then return nil, complaint end
    days[#days + 1], from = day, to
  end
  return days
end
collect_many.days = days_of

-- ---- what the conversations hold ----

local function slice(values, span, day)
  local list, first = {}, math.floor((day.from - span.from) / INTERVAL)
  for i = 1, day.intervals do list[i] = values[first + i] end
  return list
end

-- The octets of all conversations of the exporter's five-minute tables and of its interfaces' totals, for all days to be collected: asked for once.
local function rollups(run, group)
  local key = tostring(group.exporter)
  local found = run.rollups[key]
  if found then return found end
  local base = run.client:report "host2host"
  if group.exporter ~= "all" then base = base:exporter(group.exporter) end
  local all, totals = coverage.queries(base, run.span)
  local err
  found = { all = all, span = run.span }
  found.held, err = collect.traffic(all, run.span, INTERVAL)
  if found.held then found.totals, err = collect.traffic(totals, run.span, INTERVAL) end
  if not found.totals then return nil, err end
  run.rollups[key] = found
  return found
end

local function compare(day, held, totals)
  return coverage.compare(assert(samples.new(day)), held, totals, os.time())
end

local function is_whole(found)
  local one = fraction.new(1)
  return fraction.compare(found.worst, one) == 0 and fraction.compare(found.share, one) == 0
end

-- Which table a day is read from, and what was measured of it: { step =, source =, found = }. Five-minute tables that hold every octet of the
-- totals have dropped nothing; else one-minute tables; else what there is, if that is enough.
local function measure(run, group, day)
  local of, err = rollups(run, group)
  if not of then return nil, err end
  local totals = slice(of.totals, of.span, day)
  local found, complaint = compare(day, slice(of.held, of.span, day), totals)
  if complaint then return nil, bad("%s: set coverage_by_totals = false to collect without knowing how much is missing", complaint) end
  local rollup = { step = INTERVAL, source = "rollup", found = found, present = totals }
  if not found or is_whole(found) then return rollup end
  local held, wanted
  held, err = collect.traffic(of.all, day, MINUTE)
  if held == nil then return nil, err end
  wanted = run.options.coverage_by_totals
  local minutes = held and compare(day, held, totals)
  local set = { period = day }
  if minutes and not coverage.refusal(minutes, wanted, "minute", set) then
    return { step = MINUTE, source = "minute", found = minutes, present = totals }
  end
  err = coverage.refusal(found, wanted, "rollup", set)
  if err then return nil, err end
  return rollup
end

-- The same for both sides of a day.
local function measured(run, group, day)
  local key = ("%.0f %s"):format(day.from, tostring(group.exporter))
  local from, err = run.measured[key], nil
  if not from then from, err = measure(run, group, day) end
  run.measured[key] = from
  return from, err
end

-- The same when the appliance is not to be asked for totals.
local function unmeasured(group, query, day)
  if group.kind == "interfaces" then return { step = INTERVAL, source = "totals" } end
  local seconds = query:between(day.from, day.to):granularity(1):interval()
  local minutes = seconds == MINUTE
  return { step = minutes and MINUTE or INTERVAL, source = minutes and "minute" or "rollup", unmeasured = true }
end

-- ---- one graph ----

-- Sums the graph of a piece of the day; in two halves when it is too large.
local function add_piece(run, sums, group, customers, day, from, to, step)
  local query = sums.query:between(from, to):granularity(math.floor(step / 60))
  local list, err = query:series()
  if not list and err.kind == "limit" and to - from >= 2 * 3600 then
    local middle = from + math.floor((to - from) / 2 / INTERVAL) * INTERVAL
    local ok
    ok, err = add_piece(run, sums, group, customers, day, from, middle, step)
    if ok then ok, err = add_piece(run, sums, group, customers, day, middle, to, step) end
    return ok, err
  end
  if not list then return nil, err end
  local ok
  ok, err = collect.check_buckets(list, from, step)
  if not ok then return nil, err end
  local complete
  complete, err = many_graphs.complete(query, list)
  if complete == nil then return nil, err end
  local shown
  shown, err = many_graphs.add(sums, list, group.kind, customers, day, INTERVAL)
  if not shown then return nil, err end
  for _, customer in ipairs(complete and {} or customers) do
    if many_graphs.hidden(shown, group.kind, customer) then sums.hidden[customer.name] = true end
  end
  return true
end

-- The sums of a group's customers in buckets of `step` seconds: { found =, hidden = … }.
local function sums_of(run, group, customers, day, query, from, step)
  local sums = { query = query, found = {}, hidden = {}, present = not from.present and {} or nil, totals = from.present, from = from }
  local length, at = day.to - day.from, day.from
  if step == MINUTE then length = math.max(2, math.floor(POINTS / #customers / 60)) * 3600 end
  while at < day.to do
    local stop = math.min(day.to, at + length)
    local ok, err = add_piece(run, sums, group, customers, day, at, stop, step)
    if not ok then return nil, err end
    at = stop
  end
  return sums
end

-- When nothing is measured, nothing tells whether minutes are gone: each interval is the greater of what both tables hold. Neither holds too much.
local function take_greater(sums, kept, customers)
  for _, customer in ipairs(customers) do
    sums.found[customer.name] = sums.found[customer.name] or {}
    for p, octets in pairs(kept.found[customer.name] or {}) do
      local values = sums.found[customer.name][p] or {}
      sums.found[customer.name][p] = values
      for place, more in pairs(octets) do
        if not values[place] or bigint.compare(more, values[place]) > 0 then values[place], sums.from.source = more, "rollup" end
      end
    end
    sums.hidden[customer.name] = sums.hidden[customer.name] or kept.hidden[customer.name]
  end
  for origin, places in pairs(kept.present) do
    sums.present[origin] = sums.present[origin] or {}
    for place in pairs(places) do sums.present[origin][place] = true end
  end
end

-- The day's graph of a group's customers.
local function graph_of(run, group, customers, day, side)
  local query = many_graphs.query(run.client, group.kind, group.exporter, customers, side)
  local from, err
  if group.kind == "interfaces" or run.options.coverage_by_totals == false then
    from = unmeasured(group, query, day)
  else
    from, err = measured(run, group, day)
  end
  if not from then return nil, err end
  local sums
  sums, err = sums_of(run, group, customers, day, query, from, from.step)
  if not sums or not from.unmeasured or from.step == INTERVAL then return sums, err end
  local kept
  kept, err = sums_of(run, group, customers, day, query, from, INTERVAL)
  if not kept and err.kind ~= "bill" then return nil, err end
  if kept then take_greater(sums, kept, customers) end
  return sums
end

-- ---- one file ----

-- Where a graph's samples come from, for the lines of its customers.
local function source_of(from)
  local said = { source = from.source, forced = setmetatable({}, core.array_mt) }
  if from.found then coverage.note(said, from.found) end
  if from.unmeasured then table.insert(said.forced, "unmeasured") end
  if from.found and coverage.is_low(from.found) then table.insert(said.forced, "coverage_by_totals") end
  return said
end

-- A customer's octets: zero in an interval of which the appliance has traffic of others (interfaces: of the same exporter), missing where it has
-- none at all.
local function line_of(customer, sums, day)
  local parts = {}
  for p, part in ipairs(customer.parts) do
    local octets = (sums.found[customer.name] or {})[p] or {}
    local present = sums.totals or many_graphs.present(sums, customer.kind, part.keys[1])
    for i = 1, day.intervals do
      if not octets[i] then octets[i] = present[i] and 0 or false end
    end
    parts[p] = { name = part.name, octets = octets }
  end
  return { customer = customer.name, of = customer.of, parts = parts, said = source_of(sums.from) }
end

-- Adds a customer's line, in place of an older one.
local function add_line(file, customer, line)
  if file.customers[customer.name] then
    local lines = {}
    for _, old in ipairs(file.lines) do
      if sample_files.head(old) ~= customer.name then lines[#lines + 1] = old end
    end
    file.lines = lines
  end
  table.insert(file.lines, line)
  file.customers[customer.name] = customer.of
end

local HIDDEN = "some rows of the graph have no series, so the customer's traffic may be hidden in Other"

-- Asks for a group's customers and adds their lines to `added`. Nil and err when no customer can be collected now.
local function add_group(run, group, customers, day, side, added)
  local sums, err = graph_of(run, group, customers, day, side)
  if not sums and not OWN[err.kind] then return nil, err end
  for _, customer in ipairs(customers) do
    local wrong = err
    if sums and sums.hidden[customer.name] then wrong = bad(HIDDEN) end
    if wrong then
      table.insert(run.refused, { customer = customer.name, side = side, from = day.from, error = wrong })
    else
      added[#added + 1] = { customer = customer, line = sample_files.line(line_of(customer, sums, day), day.intervals) }
    end
  end
  return true
end

-- What is on the disk of a day and side: the lines of the file, to which more customers can be added.
local function open_file(run, day, side)
  local path = sample_files.path(run.options.dir, day, side)
  local text, err = sample_files.read(path, day, side)
  if text == nil then return nil, err end
  local file = { path = path, lines = {}, customers = {} }
  if not text then return file end
  file.lines, file.customers = sample_files.lines(text)
  file.exists = true
  return file
end

local function is_there(file, customer) return file.customers[customer.name] == customer.of end

-- The groups with those of their customers that the file lacks.
local function lacking(groups, file)
  local list = {}
  for _, group in ipairs(groups) do
    local customers = {}
    for _, customer in ipairs(group.customers) do
      if not is_there(file, customer) then customers[#customers + 1] = customer end
    end
    if customers[1] then list[#list + 1] = { group = group, customers = customers } end
  end
  return list
end

local function note_file(run, file, day, side, kept)
  table.insert(run.files, { path = file.path, side = side, from = day.from, to = day.to, customers = #file.lines, kept = kept })
end

-- Whether a file has all customers already; then it is noted as kept.
local function is_finished(run, groups, day, side)
  local file, err = open_file(run, day, side)
  if not file then return nil, err end
  if lacking(groups, file)[1] then return false end
  if file.exists then note_file(run, file, day, side, true) end
  return true
end

local function collect_day(run, groups, day, side)
  local file, err = open_file(run, day, side)
  if not file then return nil, err end
  local added = {}
  for _, item in ipairs(lacking(groups, file)) do
    local ok
    ok, err = add_group(run, item.group, item.customers, day, side, added)
    if not ok then return nil, err end
  end
  if not added[1] then return true end
  -- Another process may have added customers meanwhile.
  file, err = open_file(run, day, side)
  if not file then return nil, err end
  for _, one in ipairs(added) do add_line(file, one.customer, one.line) end
  local ok
  ok, err = sample_files.write(file.path, file.lines, day, side)
  if not ok then return nil, err end
  note_file(run, file, day, side, false)
  return true
end

-- ---- the run ----

-- The days and sides that lack customers, in order; and how many days are still open.
local function unfinished(run, groups, days)
  local list, open = {}, 0
  for _, day in ipairs(days) do
    local closed = day.to + (run.options.settle or SETTLE) <= os.time()
    if not closed then open = open + 1 end
    for _, side in ipairs(closed and samples.SIDES or {}) do
      local finished, err = is_finished(run, groups, day, side)
      if finished == nil then return nil, err end
      if not finished then list[#list + 1] = { day = day, side = side } end
    end
  end
  return list, open
end

--- Collects the days of a period that have ended.
---@param of scrutinizer.Period
---@param customers table[]
---@param options scrutinizer.ManyOptions
---@return scrutinizer.Collected?
---@return scrutinizer.Error? err what is written by then stays and is not asked for again
function collect_many.run(of, customers, options)
  local run = { client = options.client, options = options, refused = {}, files = {}, rollups = {}, measured = {} }
  local days, complaint = days_of(of)
  if not days then return nil, bad("%s", complaint) end
  local list, err = read_customers(run, customers)
  if not list then return nil, err end
  local groups = groups_of(list)
  local wanted, open = unfinished(run, groups, days)
  if not wanted then return nil, open end
  if wanted[1] then run.span = assert(period.between(wanted[1].day.from, wanted[#wanted].day.to, of.timezone)) end
  for _, item in ipairs(wanted) do
    local ok
    ok, err = collect_day(run, groups, item.day, item.side)
    if not ok then return nil, err end
  end
  return { files = run.files, refused = run.refused, open = open }
end

return collect_many
