-- Every public call gives exactly one value on success, so that `table.insert(t, call())` and `f(call())` do what they say. Each call is made
-- against the sandbox; the sources are read for calls that this table does not know.
local billing = require "scrutinizer.billing"
local chart = require "scrutinizer.chart"
local export = require "scrutinizer.export"
local scrutinizer = require "scrutinizer"
local command = require "spec.command"
local support = require "spec.support"

local FROM, TO = "2026-03-01T10:00:00Z", "2026-03-01T12:00:00Z"

-- Calls that give more, and why.
local MORE = {
  ["client.gather"] = "the second value counts what failed",
  ["billing.percentile"] = "the second value says how it was found",
  ["percentile_stream.finish"] = "as billing.percentile",
  ["billing.summary"] = "the second value is the list of columns",
  ["query.rows"] = "four, as `for` takes them: the fourth closes the cursor when the loop is left early",
  ["decoder.rows"] = "an iterator as `for` takes it: function and state",
}

local client, query, recorder, samples, bill, decoder, folder

local TARIFF = { currency = "EUR", unit = "Mbps", step = 1, price = "1" }

local ANSWER = '{"report":{"table":{"inbound":{"columns":[{"elementName":"a","label":"A","title":"A"}],"rows":[],"totalRowCount":"0"}}}}'

local function whole()
  local made = scrutinizer.decoder {}
  made:feed(ANSWER)
  return made
end

local function hosts() return client:report("srcHosts"):between(FROM, TO):granularity(5):inbound():limit(3) end

local MANY = { name = "a", ip = "10.8.0.69", exporter = "all" }

local function collected()
  local of = billing.period(FROM, TO)
  assert(billing.collect_many(of, { MANY }, { client = client, dir = folder, coverage_by_totals = false }))
  return (assert(billing.collected(of, folder)))
end

local function csv() return folder .. "/groups.csv" end

-- "part.method" = the call.
local CALLS = {
  ["scrutinizer.connect"] = function() return scrutinizer.connect(support.options()) end,
  ["scrutinizer.decoder"] = function() return scrutinizer.decoder {} end,
  ["scrutinizer.recorder"] = function() return scrutinizer.recorder(folder .. "/other.rec") end,
  ["scrutinizer.report_json"] = function() return scrutinizer.report_json '{"reportTypeLang":"tos"}' end,
  ["scrutinizer.decode"] = function() return scrutinizer.decode "[1]" end,

  ["scrutinizer.add"] = function() return scrutinizer.add(1, 2) end,
  ["scrutinizer.compare"] = function() return scrutinizer.compare(1, 2) end,

  ["client.report"] = function() return client:report "tos" end,
  ["client.columns"] = function() return client:columns "tos" end,
  ["client.report_from"] = function() return client:report_from '{"reportTypeLang":"tos"}' end,
  ["client.call"] = function() return client:call { rm = "get_known_objects", type = "deviceGroups" } end,
  ["client.close"] = function() return scrutinizer.connect(support.options()):close() end,
  ["client.ping"] = function() return client:ping() end,
  ["client.version"] = function() return client:version() end,
  ["client.warm"] = function() return client:warm() end,

  ["query.fetch"] = function() return query:fetch() end,
  ["query.first"] = function() return query:first() end,
  ["query.count"] = function() return query:count() end,
  ["query.columns"] = function() return query:columns() end,
  ["query.aggregate"] = function() return query:aggregate { sum = { "sum_octetdeltacount" } } end,
  ["query.request"] = function() return query:request() end,
  ["query.explain"] = function() return query:explain() end,
  ["query.url"] = function() return query:url() end,
  ["query.curl"] = function() return query:curl() end,
  ["query.series"] = function() return query:series() end,
  ["query.rates"] = function() return query:rates() end,
  ["query.pie"] = function() return query:pie() end,
  ["query.interval"] = function() return query:interval() end,
  ["query.window"] = function() return query:window() end,
  ["query.windows"] = function() return query:windows "1h" end,
  ["cursor.next"] = function() return (query:rows()):next() end,
  ["cursor.close"] = function() return (query:rows()):close() end,

  ["decoder.feed"] = function() return decoder:feed(ANSWER) end,
  ["decoder.finish"] = function() return whole():finish() end,
  ["recorder.close"] = function() return scrutinizer.recorder(folder .. "/third.rec"):close() end,
  ["recorder.connect"] = function() return recorder:connect(support.options()) end,

  ["exporters.forget"] = function() return client.exporters:forget() end,
  ["exporters.max_age"] = function() return client.exporters:max_age(300) end,
  ["devices.list"] = function() return client.devices:list() end,
  ["device_groups.list"] = function() return client.device_groups:list() end,
  ["device_groups.find"] = function() return client.device_groups:find "Campus" end,
  ["device_groups.members"] = function() return client.device_groups:members(1) end,
  ["device_groups.create"] = function() return client.device_groups:create "One" end,
  ["device_groups.add_members"] = function() return client.device_groups:add_members(1, { "192.0.2.1" }) end,
  ["exporters.list"] = function() return client.exporters:list() end,
  ["exporters.find"] = function() return client.exporters:find "core-1" end,
  ["exporters.interface"] = function() return client.exporters:interface("192.0.2.1", 1) end,
  ["interfaces.list"] = function() return client.interfaces:list { exporter = "192.0.2.1" } end,
  ["hosts.find"] = function() return client.hosts:find { "10.8.0.69" } end,
  ["capture_rules.add"] = function()
    return client.capture_rules:add { name = "one", server_ip = "10.1.1.1", client_ip = "10.1.1.2", max_packets = 5, stops_on = 1800000000,
      port = "389/tcp", retention_hours = 1 }
  end,
  ["entities.list"] = function() return client.entities:list "applications" end,
  ["entities.trend"] = function() return client.entities:trend { src = "10.8.0.69", from = FROM, to = TO } end,
  ["forecasts.list"] = function() return client.forecasts:list() end,
  ["forecasts.summary"] = function() return client.forecasts:summary(client.forecasts:list()[1].id) end,
  ["forecasts.points"] = function() return client.forecasts:points(client.forecasts:list()[1].id) end,

  ["users.create"] = function() return client.users:create { { name = "one", password = "x1" } } end,
  ["users.sync"] = function() return client.users:sync({ { name = "two", password = "x2" } }, { gone = {} }) end,
  ["users.rename"] = function() return client.users:rename("guest", "visitor") end,
  ["users.set_preferences"] = function() return client.users:set_preferences(1, { language = "english" }) end,
  ["users.delete"] = function() return client.users:delete { "nobody" } end,
  ["groups.create"] = function() return client.groups:create { { name = "One", template = 1 } } end,
  ["groups.delete"] = function() return client.groups:delete { "nobody" } end,
  ["groups.add_members"] = function() return client.groups:add_members { { user = 2, group = 1 } } end,
  ["groups.remove_members"] = function() return client.groups:remove_members { { user = 2, group = 1 } } end,
  ["groups.sync_members"] = function() return client.groups:sync_members(1, { 1 }, { gone = {} }) end,
  ["groups.grant"] = function() return client.groups:grant { { group = 2, type = "plixer", code = "adminTab" } } end,
  ["groups.revoke"] = function() return client.groups:revoke { { group = 2, type = "plixer", code = "adminTab" } } end,
  ["ip_groups.list"] = function() return client.ip_groups:list() end,
  ["ip_groups.find"] = function() return client.ip_groups:find "Multicast" end,
  ["ip_groups.rules"] = function() return client.ip_groups:rules(16900006) end,
  ["ip_groups.create"] = function() return client.ip_groups:create("One", { "10.1.1.1" }) end,
  ["ip_groups.update"] = function() return client.ip_groups:update(16900006, { name = "Multicast 2" }) end,
  ["ip_groups.delete"] = function() return client.ip_groups:delete { 16800000 } end,
  ["ip_groups.sync"] = function() return client.ip_groups:sync("Two", { "10.1.2.0/24" }) end,
  ["ip_groups.from_list"] = function() return client.ip_groups:from_list("Two", { "10.1.1.0/24" }) end,
  ["ip_groups.from_csv"] = function() return client.ip_groups:from_csv(csv()) end,

  ["export.csv"] = function() return export.csv(query, folder .. "/one.csv") end,
  ["export.ndjson"] = function() return export.ndjson(query, folder .. "/one.json") end,
  ["export.table"] = function() return export.table(query, folder .. "/one.txt") end,
  ["export.schema"] = function() return export.schema("postgresql", "t", { { name = "octets", type = "whole" } }) end,
  ["export.loading"] = function()
    command.good(("report host2host --between 2026-11-01T10:00:00Z 2026-11-01T11:00:00Z --granularity 5 --split 1h --quiet --format csv "
      .. "--select src=sourceipaddress,octets=sum_octetdeltacount --output %s/w.csv"):format(folder))
    return export.loading("postgresql", "t", folder .. "/w.2026-11-01T10.csv")
  end,
  ["chart.series"] = function() return chart.series(query, folder .. "/one.txt") end,
  ["chart.pie"] = function() return chart.pie(query, folder .. "/two.txt") end,
  ["chart.bars"] = function() return chart.bars(query, folder .. "/three.txt") end,

  ["billing.stream"] = function() return billing.stream(10, 95) end,
  ["percentile_stream.add"] = function() return billing.stream(10, 95):add(5) end,
  ["billing.month"] = function() return billing.month "2026-02" end,
  ["billing.line_speed"] = function() return billing.line_speed(client, { interfaces = { { "192.0.2.1", 8 } } }) end,
  ["billing.cycle"] = function() return billing.cycle("2026-02", 16) end,
  ["billing.rule"] = function() return billing.rule { name = "r", version = "1", apply = function() return { lines = {} } end } end,
  ["billing.period"] = function() return billing.period(0, 300) end,
  ["billing.samples"] = function() return billing.samples(billing.period(0, 300), { inbound = { { 0, 5 } } }) end,
  ["billing.collect"] = function()
    return billing.collect(billing.period(FROM, TO), { inbound = client:report("interfaces"):inbound():limit(10000) }, { coarser = 30 })
  end,
  ["billing.collect_many"] = function()
    return billing.collect_many(billing.period(FROM, TO), { MANY }, { client = client, dir = folder, coverage_by_totals = false })
  end,
  ["billing.collected"] = function() return collected() end,
  ["collected.names"] = function() return collected():names() end,
  ["collected.samples"] = function() return collected():samples "a" end,
  ["billing.queries"] = function() return billing.queries(client, { ip = "10.8.0.69", exporter = "all" }) end,
  ["billing.usage"] = function() return billing.usage(samples, { percent = 95 }) end,
  ["billing.canonical"] = function() return billing.canonical(samples) end,
  ["billing.invoice"] = function()
    return billing.invoice { customer = "A", samples = samples, usage = { percent = 95 }, tariff = TARIFF }
  end,
  ["billing.verify"] = function()
    assert(bill:save(folder .. "/bill.json"))
    return billing.verify(folder .. "/bill.json")
  end,
  ["invoice.text"] = function() return bill:text() end,
  ["invoice.csv"] = function() return bill:csv() end,
  ["invoice.json"] = function() return bill:json() end,
  ["invoice.html"] = function() return bill:html() end,
  ["invoice.save"] = function() return bill:save(folder .. "/bill2.json") end,
}

-- The methods that build a query give one as `query_spec` shows; their values are counted below.
local BUILDERS = {
  { "inbound" }, { "outbound" }, { "both" }, { "range", "LastHour" }, { "between", 10, 20 }, { "last", "1h" }, { "day", -1 }, { "month", "2026-03" },
  { "hour", "2026-03-01T10" }, { "shift", "-7d" }, { "timezone", "UTC" }, { "granularity", 5 }, { "rate" }, { "total" }, { "bits" }, { "bytes" },
  { "percent" }, { "raw" }, { "formatted" }, { "data_mode", "saf" }, { "order_by", "x" }, { "others", true }, { "exporter", "10.1.1.1" },
  { "only_exporter", "10.1.1.1" }, { "all_exporters" }, { "device_group", 1 }, { "where", { port = 53 } }, { "exclude", { port = 53 } },
  { "filter", "sdfIps", "x" }, { "set", "x", 1 }, { "select", "a" }, { "limit", 1 }, { "offset", 1 }, { "page_size", 1 }, { "prefetch", 1 },
  { "resume", { resume = { offset = 1 } } }, { "without", "limit" }, { "no_limit" },
  { "keep", { sum_octetdeltacount = 5 } },
}

-- Which part a file's methods belong to.
local function part_of(path)
  local manage = path:match "manage/([a-z_]+)%.lua$" or path:match "manage/([a-z_]+)/init%.lua$"
  if manage then return manage end
  if path:find "/query/" then return "query" end
  return path:match "report/(cursor)%.lua$" or path:match "report/(decoder)%.lua$"
    or path:match "(client)%.lua$" or path:match "(recorder)/init%.lua$"
end

-- Names of the public calls in the sources: "part.method".
local function public_calls()
  local found = {}
  for _, path in ipairs { "billing", "chart", "export" } do
    for name in support.read("lua/scrutinizer/" .. path .. "/init.lua"):gmatch("\nfunction " .. path .. "%.([a-z_]+)%(") do
      found[path .. "." .. name] = true
    end
  end
  for class, part in pairs { Invoice = "invoice", Stream = "percentile_stream" } do
    local methods = "\nfunction " .. class .. ":([a-z_]+)%("
    for name in support.read("lua/scrutinizer/billing/init.lua"):gmatch(methods) do found[part .. "." .. name] = true end
  end
  for name in support.read("lua/scrutinizer/billing/collected.lua"):gmatch "\nfunction Collected:([a-z_]+)%(" do
    found["collected." .. name] = true
  end
  for path in support.shell("find lua/scrutinizer -name '*.lua'"):gmatch "[^\n]+" do
    local part = part_of(path)
    for name in support.read(path):gmatch "\nfunction methods:([a-z][a-z_]*)%(" do
      if part then found[part .. "." .. name] = true end
    end
  end
  -- However a function came into its table.
  for part, of in pairs { scrutinizer = scrutinizer, billing = billing, chart = chart, export = export } do
    for name, value in pairs(of) do
      if type(value) == "function" then found[part .. "." .. name] = true end
    end
  end
  return found
end

describe("a public call", function()
  setup(function()
    support.clear()
    for _, part in ipairs { "accounts", "ipgroups" } do support.reset(part) end
    folder = support.folder()
    client = support.connect()
    query = hosts()
    recorder = scrutinizer.recorder(folder .. "/one.rec")
    decoder = scrutinizer.decoder {}
    samples = assert(billing.samples(billing.period(0, 300), { inbound = { { 0, 5 } } }))
    bill = assert(billing.invoice { customer = "A", samples = samples, usage = { percent = 95 }, tariff = TARIFF })
    support.write(csv(), "Three,10.1.2.0/24\n")
  end)
  teardown(function()
    recorder:close()
    client:close()
    for _, part in ipairs { "accounts", "ipgroups" } do support.reset(part) end
    os.execute("rm -rf " .. folder)
  end)

  local names = {}
  for name in pairs(CALLS) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    it("gives one value: " .. name, function()
      local function count(...)
        assert.is_true((...) ~= nil, name .. ": " .. tostring((select(2, ...))))
        assert.equal(1, select("#", ...), name)
      end
      count(CALLS[name]())
    end)
  end

  it("of the groups of calls gives what prints itself", function()
    local seen = 0
    for _, name in ipairs(names) do
      local part = name:match "^([%l_]+)%."
      if getmetatable(client[part]) then
        local text = tostring(CALLS[name]())
        assert.is_nil(text:find "^table: ", name)
        assert.matches("^[%w{}_:, ]+", text, name)
        seen = seen + 1
      end
    end
    assert.is_true(seen >= 30, tostring(seen))
  end)

  it("that builds a query gives one query", function()
    for _, builder in ipairs(BUILDERS) do
      local method = query[builder[1]]
      assert.equal(1, select("#", method(query, (table.unpack or unpack)(builder, 2))), builder[1]) -- luacheck: ignore
    end
  end)

  it("is in this table", function()
    local known, left = {}, {}
    for _, builder in ipairs(BUILDERS) do known["query." .. builder[1]] = true end
    for name in pairs(public_calls()) do
      if not (CALLS[name] or MORE[name] or known[name]) then left[#left + 1] = name end
    end
    table.sort(left)
    assert.same({}, left)
  end)
end)
