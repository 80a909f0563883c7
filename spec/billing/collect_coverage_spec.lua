-- Bills of an appliance that keeps only the greatest conversations from five minutes on: low, refused, or right from its one-minute tables. What it
-- has kept and what is right is python's, from the flows alone.
local bigint = require "scrutinizer.arithmetic.bigint"
local billing = require "scrutinizer.billing"
local coverage = require "scrutinizer.billing.coverage"
local fraction = require "scrutinizer.arithmetic.fraction"
local support = require "spec.support"

local DAY = billing.period("2023-11-15", "2023-11-16")
local HOURS = billing.period("2023-11-15T04:00:00Z", "2023-11-15T06:00:00Z")
local NETWORK, MOST = "10.8.0.0/24", 20
local TARIFF = { currency = "EUR", unit = "kbps", price = 100 }

-- Octets by interval, as python computes them from the flows.
local function kept(of, bucket, most, ...)
  local words = { "env -u LD_PRELOAD python3 spec/sandbox/kept_flows.py", of.from, of.to, 300, bucket, most }
  for _, word in ipairs { ... } do words[#words + 1] = support.quote(word) end
  local values = {}
  for octets in support.shell(table.concat(words, " ")):gmatch "%d+ (%d+)\n" do values[#values + 1] = tonumber(octets) end
  assert.equal(of.intervals, #values)
  return values
end

local function sum(values)
  local total = 0
  for _, value in ipairs(values) do total = total + value end
  return total
end

-- The 95th percentile by sorting.
local function percentile(values)
  local sorted = {}
  for i, value in ipairs(values) do sorted[i] = value end
  table.sort(sorted)
  return sorted[math.floor((#sorted * 95 + 99) / 100)]
end

-- Shares of the period and of the worst interval, rounded down to four digits.
local function shares(held, whole)
  local worst = 1
  for i, value in ipairs(whole) do
    if value > 0 then worst = math.min(worst, held[i] / value) end
  end
  return math.floor(sum(held) / sum(whole) * 10000) / 10000, math.floor(worst * 10000) / 10000
end

describe("collect, of what the appliance has kept,", function()
  local client

  support.client_for_each(function(made) client = made end)

  local function queries(more)
    local customer = { network = NETWORK, exporter = "all" }
    for name, value in pairs(more or {}) do customer[name] = value end
    return billing.queries(client, customer)
  end

  local function check_right(samples)
    for side, column in pairs { inbound = "dst", outbound = "src" } do
      local wanted = kept(DAY, 60, 0, column, NETWORK)
      local used = assert(billing.usage(samples, { direction = side }))
      assert.equal(("%.0f"):format(sum(wanted)), bigint.text(used.totals[side]))
      assert.equal(percentile(wanted), used.octets.numerator)
      assert.same(wanted, samples[side][1].values)
    end
  end

  it("bills from minutes while it has them: the right bill, whatever is dropped later", function()
    support.switches { max_conversations = MOST }
    local samples = assert(billing.collect(DAY, queries()))
    check_right(samples)
    assert.equal("minute", samples.source)
    assert.equal(1, samples.coverage_by_totals)
    assert.equal(1, samples.worst_interval.coverage)
    assert.same({}, samples.forced)
    assert.matches('"dataGranularity":{"selected":"?1"?}', samples.inbound[1].query.rpt_json)
  end)

  it("refuses the low bill when only rollups are left, and says what to do", function()
    support.switches { max_conversations = MOST, minute_retention = 3600 }
    local samples, err = billing.collect(DAY, queries())
    assert.is_nil(samples)
    assert.equal("bill", err.kind)
    local share, worst = shares(kept(DAY, 300, MOST), kept(DAY, 60, 0))
    assert.is_true(worst < share and share < 0.99)
    for _, words in ipairs {
      ("hold %.2f %% of what its interfaces counted"):format(share * 100), ("only %.2f %% in the interval at 2023-11-15 "):format(worst * 100),
      '"Maximum Conversations", 1000 by default', "Collect every day", "scrutinizer collect", "set coverage_by_totals to a lower share",
    } do
      assert.is_truthy(err.message:find(words, 1, true), words .. ": " .. err.message)
    end
  end)

  it("gives the low bill when told to, and says how low: in the result, the audit and on the page", function()
    support.switches { max_conversations = MOST, minute_retention = 3600 }
    local samples = assert(billing.collect(DAY, queries(), { coverage_by_totals = 0.1 }))
    local low = kept(DAY, 300, MOST, "dst", NETWORK)
    assert.same(low, samples.inbound[1].values)
    assert.is_true(sum(low) < sum(kept(DAY, 60, 0, "dst", NETWORK)))
    assert.equal("rollup", samples.source)
    assert.same({ "coverage_by_totals" }, samples.forced)
    local share, worst = shares(kept(DAY, 300, MOST), kept(DAY, 60, 0))
    assert.equal(share, samples.coverage_by_totals)
    assert.equal(worst, samples.worst_interval.coverage)
    local bill = assert(billing.invoice { customer = "c", samples = samples, tariff = TARIFF })
    local said = ("%.2f %%%% of the interfaces' totals, at least %.2f %%%% in each interval %%(2023"):format(share * 100, worst * 100)
    for _, text in ipairs { bill:text(), bill:html() } do
      assert.matches("Billed although:? +coverage_by_totals", text)
      assert.matches(said:gsub("'", "."), (text:gsub("&#39;", "'")))
    end
    assert.matches('"source":"rollup"', bill:json())
    assert.matches(('"coverage_by_totals":"%.4f"'):format(share), bill:json())
    local path = os.tmpname()
    assert(bill:save(path))
    assert.equal(bill:json(), assert(billing.verify(path)):json())
    os.remove(path)
  end)

  it("bills from rollups that have dropped nothing", function()
    support.switches { minute_retention = 3600 }
    local samples = assert(billing.collect(DAY, queries()))
    check_right(samples)
    assert.equal("rollup", samples.source)
    assert.equal(1, samples.coverage_by_totals)
    assert.same({}, samples.forced)
  end)

  it("is not deceived by one-minute tables that are empty", function()
    support.switches { minute_retention = 3600, minutes_gone = "empty" }
    local samples = assert(billing.collect(DAY, queries()))
    check_right(samples)
    assert.equal("rollup", samples.source)
    support.switches { max_conversations = MOST }
    local err
    samples, err = billing.collect(DAY, queries())
    assert.is_nil(samples)
    assert.matches("Maximum Conversations", err.message)
  end)

  it("measures one exporter by that exporter's interfaces", function()
    support.switches { max_conversations = MOST, minute_retention = 3600 }
    local samples = assert(billing.collect(DAY, queries { exporter = "192.0.2.4" }, { coverage_by_totals = 0 }))
    local share, worst = shares(kept(DAY, 300, MOST, "", "", "192.0.2.4"), kept(DAY, 60, 0, "", "", "192.0.2.4"))
    assert.is_true(share < 1)
    assert.equal(share, samples.coverage_by_totals)
    assert.equal(worst, samples.worst_interval.coverage)
  end)

  it("bills interfaces from their totals, at any age", function()
    support.switches { max_conversations = 1, minute_retention = 3600 }
    local samples = assert(billing.collect(DAY, billing.queries(client, { interfaces = { { "192.0.2.2", 1 }, { "192.0.2.1", 2 } } })))
    local octets = support.awk 'NR > 1 && (($3 == "192.0.2.2" && $4 == 1) || ($3 == "192.0.2.1" && $4 == 2)) { s += $12 } END { printf "%.0f", s }'
    local result = assert(billing.usage(samples, { direction = "inbound" }))
    assert.equal(octets, bigint.text(result.totals.inbound))
    assert.equal("totals", samples.source)
    assert.is_nil(samples.coverage_by_totals)
    local bill = assert(billing.invoice { customer = "c", samples = samples, tariff = TARIFF, usage = { direction = "inbound" } })
    assert.matches("\nSource +the appliance's totals of interfaces, which are complete\n", bill:text())
    -- The conversations of an interface are measured by that interface.
    local err
    samples, err = billing.collect(DAY, { inbound = client:report("host2host"):exporter("192.0.2.2", 1):inbound():limit(1) })
    assert.is_nil(samples)
    assert.matches("Maximum Conversations", err.message)
  end)

  it("does not measure when told so, and says that", function()
    support.switches { max_conversations = MOST, minute_retention = 3600 }
    local samples = assert(billing.collect(HOURS, queries(), { coverage_by_totals = false }))
    assert.same({ "unmeasured" }, samples.forced)
    assert.is_nil(samples.coverage_by_totals)
    for _, request in ipairs(support.log()) do
      for _, field in ipairs(request.fields) do assert.is_nil(field[2]:find('"interfaces"', 1, true)) end
    end
  end)

  for _, gone in ipairs { "coarser", "empty" } do
    it("does not take minutes that are gone for no traffic when it does not measure: minutes " .. gone, function()
      support.switches { max_conversations = MOST, minute_retention = 3600, minutes_gone = gone }
      local folder = support.folder()
      local samples = assert(billing.collect(HOURS, queries(), { coverage_by_totals = false }))
      assert.same({}, assert(billing.collect_many(HOURS, { { name = "ACME", network = NETWORK, exporter = "all" } },
        { client = client, dir = folder, coverage_by_totals = false })).refused)
      local from_files = assert(assert(billing.collected(HOURS, folder)):samples "ACME")
      os.execute("rm -r " .. folder)
      for side, column in pairs { inbound = "dst", outbound = "src" } do
        local right = kept(HOURS, 300, MOST, column, NETWORK)
        assert.is_true(sum(right) > 0)
        assert.same(right, samples[side][1].values)
        assert.same(right, from_files[side][1].values)
      end
      assert.equal("rollup", samples.source)
      assert.matches('"dataGranularity":{"selected":"?5', samples.inbound[1].query.rpt_json)
      assert.equal("rollup", from_files.source)
      assert.same({ "unmeasured" }, from_files.forced)
    end)
  end

  it("refuses to measure by totals that lack interfaces", function()
    -- An exporter has 1000 octets and 1000 in its totals; another 500, and none in its totals. By 10 octets more is no such case.
    local set = assert(billing.samples(billing.period(0, 600), { inbound = {} }))
    local found, complaint = coverage.compare(set, { 1000, 500 }, { 1000, false }, 600)
    assert.is_nil(found)
    assert.equal("the totals of these exporters' interfaces lack traffic: their conversations hold 150.00 % of them", complaint)
    assert.equal("1", fraction.text(assert(coverage.compare(set, { 1010, 0 }, { 1000, 0 }, 600)).worst))
    assert.equal("0", fraction.text(assert(coverage.compare(set, { false, false }, { 1000, 0 }, 600)).worst))
  end)

  it("refuses to bill what it cannot measure", function()
    local NONE = { kind = "none" }
    -- The customer's length and graph, all conversations', the totals' length; then the totals are refused.
    support.faults { NONE, NONE, NONE, NONE, NONE, { kind = "report_error", text = "no such report" } }
    local samples, err = billing.collect(HOURS, { inbound = queries().inbound })
    assert.is_nil(samples)
    assert.matches("no such report: how much of the traffic .* cannot be measured; set coverage_by_totals = false", err.message)
    samples, err = billing.collect(HOURS, { inbound = client:report("host2host"):set("filters", { sdfDips_0 = "in_GROUP_ALL" }):limit(1) })
    assert.is_nil(samples)
    assert.matches("set by :set", err.message)
    support.clear()
  end)

  it("asks for the totals once for both sides", function()
    assert(billing.collect(HOURS, queries()))
    local reports = {}
    for _, request in ipairs(support.log()) do
      for _, field in ipairs(request.fields) do
        local kind = field[1] == "rpt_json" and field[2]:match '"reportTypeLang":"(%w+)"'
        if kind then reports[kind] = (reports[kind] or 0) + 1 end
      end
    end
    assert.same({ host2host = 3, interfaces = 1 }, reports)
  end)

  it("misuse raises at the caller's line", function()
    for _, value in ipairs { 1.5, -1, "much", true } do
      local message = support.complaint(function() billing.collect(DAY, queries(), { coverage_by_totals = value }) end)
      assert.matches("^collect: coverage_by_totals: got ", message)
    end
  end)
end)

describe("a filter by transport ports", function()
  local events, client

  support.client_for_each(function()
    events = {}
    client = support.connect { on_event = function(event) if event.type == "warning" then events[#events + 1] = event.message end end }
  end)

  local SAID = 'the report filters by %s, but summary data (data mode saf%s) does not have the ports of flows: the result may be wrong; add '
    .. ':data_mode "traditional", or filter by app_port'

  it("warns in summary data, once for each report", function()
    local base = client:report("host2host"):between(HOURS.from, HOURS.to)
    assert(base:where { port = 443 }:fetch())
    assert(base:exclude { dst_port = 53 }:data_mode("saf"):series())
    assert(base:filter("sdfSdPorts", "in_443_src"):page_size(50):fetch())
    assert(base:set("filters", { sdfDips_0 = "in_GROUP_ALL", sdfSdPorts_0 = "in_443_both" }):limit(1):fetch())
    assert.same({ SAID:format("port", ", the default"), SAID:format("dst_port", ""), SAID:format("sdfSdPorts", ", the default"),
      SAID:format("sdfSdPorts", ", the default") }, events)
  end)

  it("does not in data that has them, nor for well-known ports", function()
    local base = client:report("host2host"):between(HOURS.from, HOURS.to):limit(1)
    assert(base:where({ src_port = 443 }):data_mode("traditional"):fetch())
    assert(base:where({ port = 443 }):set("dataMode", { selected = "raw_flows" }):fetch())
    assert(base:where({ app_port = "443/tcp" }):fetch())
    assert(base:fetch())
    assert.same({}, events)
  end)
end)
