-- Bills of real recorded flows: collected from the sandbox, compared with what python makes of the flows themselves.
local billing = require "scrutinizer.billing"
local bigint = require "scrutinizer.arithmetic.bigint"
local support = require "spec.support"

local describe_once = os.getenv "SANDBOX_CHECKED" and function() end or describe

-- October in Berlin: 31 days and an hour.
local MONTH = billing.month("2023-10", "Europe/Berlin")
local DAY = billing.period("2023-11-15", "2023-11-16")
local HOURS = billing.period("2023-11-15T04:00:00Z", "2023-11-15T06:00:00Z")
local NETWORK = "10.8.0.0/24"

-- The recorded day recurs on every UTC day; a flow's octets belong to the moment it starts. Prints the month's 95th percentiles by sorting,
-- totals, and the SHA-256 of the canonical text that it writes itself.
local PYTHON = [[
import csv, gzip, hashlib, ipaddress, sys
first, last, network = int(sys.argv[1]), int(sys.argv[2]), ipaddress.ip_network(sys.argv[3])
def inside(text):
    try: return ipaddress.ip_address(text) in network
    except ValueError: return False
day = {"inbound": [0] * 288, "outbound": [0] * 288}
for flow in csv.DictReader(gzip.open("examples/sandbox/flows.csv.gz", "rt")):
    place = int(flow["start_ms"]) // 300000
    if inside(flow["dst_ip"]): day["inbound"][place] += int(flow["octets"])
    if inside(flow["src_ip"]): day["outbound"][place] += int(flow["octets"])
lines = ["member 1\n"]
for side in ("inbound", "outbound"):
    values = [day[side][t % 86400 // 300] for t in range(first, last, 300)]
    lines += ["%s 1 %d %d\n" % (side, t, values[i]) for i, t in enumerate(range(first, last, 300))]
    n = len(values)
    print(n, sorted(values)[(n * 95 + 99) // 100 - 1], sum(values))
both = [day["inbound"][t % 86400 // 300] + day["outbound"][t % 86400 // 300] for t in range(first, last, 300)]
print(n, sorted(both)[(n * 95 + 99) // 100 - 1], sum(both))
print(hashlib.sha256("".join(lines).encode()).hexdigest())
]]

local known

-- Asked once.
local function python()
  if known then return known end
  local of = MONTH
  local out = support.shell(("env -u LD_PRELOAD python3 -c %s %d %d %s"):format(support.quote(PYTHON), of.from, of.to, NETWORK))
  local found = {}
  for line in out:gmatch "[^\n]+" do found[#found + 1] = line end
  assert.equal(4, #found, out)
  known = found
  return found
end

local function shown(result, total)
  return ("%d %s %s"):format(result.n, bigint.text(result.octets.numerator), bigint.text(total))
end

local TARIFF = { currency = "EUR", unit = "Mbps", price = 1000 }

describe("collect", function()
  local client

  support.client_for_each(function(made) client = made end)

  local function queries(more)
    local customer = { network = NETWORK, exporter = "all" }
    for name, value in pairs(more or {}) do customer[name] = value end
    return billing.queries(client, customer)
  end

  local function inbound(limit)
    return client:report("host2host"):where { dst_network = NETWORK }:limit(limit or 1)
  end

  it("a customer's month is what python makes of the flows, to the byte", function()
    local found = python()
    local samples = assert(billing.collect(MONTH, queries()))
    local one, other = billing.usage(samples, { direction = "inbound" }), billing.usage(samples, { direction = "outbound" })
    assert.equal(found[1], shown(one, one.totals.inbound))
    assert.equal(found[2], shown(other, other.totals.outbound))
    local sum = billing.usage(samples, { direction = "sum" })
    assert.equal(found[3], shown(sum, bigint.add(sum.totals.inbound, sum.totals.outbound)))
    assert.equal(8493, one.rank)
    assert.equal(8940 - 8493, #one.discarded)
    local bill = assert(billing.invoice { customer = NETWORK, samples = samples, tariff = TARIFF })
    assert.equal(found[4], bill.audit.samples_sha256)
    -- The audit holds what was asked, without the token.
    local asked = bill.members[1].queries[1].query
    assert.matches('"in_10%.8%.0%.0_24_dst"', asked.rpt_json)
    assert.is_nil((asked.rpt_json .. asked.data_requested .. bill:json()):find(support.sandbox().token, 1, true))
  end)

  it("is the same for parts that make up the whole, and for all rows without Other", function()
    local whole = assert(billing.collect(HOURS, { inbound = inbound() }))
    local halves = {}
    for i, address in ipairs { "10.8.0.69", "10.8.0.1" } do
      halves[i] = client:report("host2host"):where { dst_ip = address }:limit(3)
    end
    local parts = assert(billing.collect(HOURS, { inbound = halves }))
    assert.equal(2, #parts.inbound)
    local every = assert(billing.collect(HOURS, { inbound = client:report("host2host"):where { dst_network = NETWORK } }))
    local wanted = billing.usage(whole)
    assert.same(wanted, billing.usage(parts))
    assert.same(wanted, billing.usage(every))
  end)

  it("bills an IP group as it bills the networks in it", function()
    local group = assert(client.ip_groups:create("billed customer", { NETWORK }))
    local samples, err = billing.collect(DAY, billing.queries(client, { ip_group = group.id, exporter = "all", report = "conversations", limit = 2 }))
    assert(client.ip_groups:delete { group.id })
    assert(samples, err)
    local wanted = assert(billing.usage(assert(billing.collect(DAY, queries()))))
    assert.same(wanted, billing.usage(samples))
    assert.is_true(wanted.octets.numerator > 0)
  end)

  it("takes what one exporter reports", function()
    local samples = assert(billing.collect(DAY, queries { exporter = "192.0.2.2" }))
    local octets = support.awk 'NR > 1 && $3 == "192.0.2.2" && $9 ~ /^10\\.8\\.0\\./ { s += $12 } END { printf "%.0f", s }'
    local all = support.awk 'NR > 1 && $9 ~ /^10\\.8\\.0\\./ { s += $12 } END { printf "%.0f", s }'
    assert.equal(octets, bigint.text(billing.usage(samples, { direction = "inbound" }).totals.inbound))
    assert.not_equal(octets, all)
  end)

  it("bills interfaces, each a part", function()
    local samples = assert(billing.collect(DAY, billing.queries(client, { interfaces = { { "192.0.2.2", 1 }, { "192.0.2.1", 2 } } })))
    assert.equal(2, #samples.inbound)
    local octets = support.awk 'NR > 1 && (($3 == "192.0.2.2" && $4 == 1) || ($3 == "192.0.2.1" && $4 == 2)) { s += $12 } END { printf "%.0f", s }'
    local result = assert(billing.usage(samples, { direction = "inbound" }))
    assert.equal(octets, bigint.text(result.totals.inbound))
    -- Nothing goes out there: no rows, no samples.
    assert.equal(288, assert(billing.usage(samples, { direction = "outbound", missing = "zero" })).missing)
    samples = assert(billing.collect(DAY, billing.queries(client, { interfaces = { { "192.0.2.2", 9 } } })))
    octets = support.awk 'NR > 1 && $3 == "192.0.2.2" && $5 == 9 { s += $12 } END { printf "%.0f", s }'
    assert.equal(octets, bigint.text(billing.usage(samples, { direction = "outbound" }).totals.outbound))
  end)

  it("checks the length of the buckets with the appliance, and by the points where it does not say", function()
    for _, kind in ipairs { "seconds", "used", "neither", "unknown" } do
      support.switches { report_start = kind }
      assert.equal(288, assert(billing.collect(DAY, { inbound = inbound() })).n)
    end
  end)

  -- Who says it: report_start, the answer, or only the points.
  for _, case in ipairs {
    { { report_start = "both" }, "buckets of 1800 s, not 300 s: their averages hide peaks; set coarser = 30" },
    { { report_start = "unknown", granularity_used = "yes" }, "buckets of 1800 s, not 300 s: their averages hide peaks" },
    { { report_start = "unknown" }, "all 96 points are 1800 s apart or a multiple of it, not 300 s" },
  } do
    it("refuses longer buckets than it asked for: " .. case[2], function()
      case[1].granularity_kept = "30"
      support.switches(case[1])
      local samples, err = billing.collect(DAY, { inbound = inbound() })
      assert.is_nil(samples)
      assert.equal("bill", err.kind)
      assert.is_truthy(err.message:find(case[2], 1, true), err.message)
      assert.equal(48, assert(billing.collect(DAY, { inbound = inbound() }, { coarser = 30 })).n)
    end)
  end

  it("bills from coarser buckets only when asked for, and says so", function()
    local samples = assert(billing.collect(DAY, { inbound = inbound() }, { coarser = 30 }))
    assert.equal(48, samples.n)
    assert.equal(1800, samples.interval)
    assert.same({ "coarser" }, samples.forced)
    local bill = assert(billing.invoice { customer = "c", samples = samples, tariff = TARIFF })
    assert.matches("Billed although%s+coarser", bill:text())
    assert.matches("Billed although: coarser", bill:html())
  end)

  for gaps, kind in pairs { left_out = "no point", null = "null" } do
    it("takes a bucket with " .. kind .. " as a missing sample", function()
      local full = assert(billing.usage(assert(billing.collect(DAY, { inbound = inbound() }))))
      support.switches { graph_gaps = gaps }
      local samples = assert(billing.collect(DAY, { inbound = inbound() }))
      local result, err = billing.usage(samples)
      assert.is_nil(result)
      assert.equal("bill", err.kind)
      result = assert(billing.usage(samples, { missing = "zero" }))
      assert.is_true(result.missing > 0)
      assert.same(full.octets, result.octets)
      assert.same(full.totals, result.totals)
    end)
  end

  it("leaves out a bucket that the appliance adds behind the period's end", function()
    local wanted = assert(billing.usage(assert(billing.collect(DAY, { inbound = inbound() }))))
    support.switches { window_end = "closed" }
    local samples = assert(billing.collect(DAY, { inbound = inbound() }))
    local result = assert(billing.usage(samples))
    assert.same(wanted.octets, result.octets)
    assert.same(wanted.totals, result.totals)
    assert.equal(samples.outside, result.outside)
  end)

  for _, where in ipairs { "missing", "pie" } do
    it("refuses rows that no series shows: Other " .. where, function()
      support.switches { graph_other = where }
      local samples, err = billing.collect(HOURS, { inbound = inbound() })
      assert.is_nil(samples)
      assert.equal("bill", err.kind)
      assert.matches("^inbound, query 1: .*some traffic is in no series; raise the query's limit", err.message)
      samples = assert(billing.collect(HOURS, { inbound = inbound() }, { truncated = true }))
      assert.same({ "truncated" }, samples.forced)
      -- Every row has its series: nothing is hidden.
      samples = assert(billing.collect(HOURS, { inbound = client:report("host2host"):where { dst_network = NETWORK } }))
      assert.same({}, samples.forced)
    end)
  end

  it("takes series by their labels, and refuses one that may be part of Other", function()
    local query = client:report("srcHosts"):limit(3)
    local rows = assert(query:between(HOURS.from, HOURS.to):fetch()).rows
    local name = rows[2].sourceipaddress
    local samples = assert(billing.collect(HOURS, { inbound = query }, { series = { name } }))
    local octets = support.awk(('NR > 1 && $1 >= 14400000 && $1 < 21600000 && $7 == "%s" { s += $12 } END { printf "%%.0f", s }'):format(name))
    assert.equal(octets, bigint.text(billing.usage(samples).totals.inbound))
    local err
    samples, err = billing.collect(HOURS, { inbound = query }, { series = { "192.0.2.99" } })
    assert.is_nil(samples)
    assert.matches('no series has the label "192%.0%.2%.99": it may be part of Other', err.message)
    samples, err = billing.collect(HOURS, { inbound = client:report("srcHosts") }, { series = { "192.0.2.99" } })
    assert.is_nil(samples)
    assert.matches('no series has the label "192%.0%.2%.99"$', err.message)
  end)

  it("knows a customer without any traffic: every sample is missing", function()
    local samples = assert(billing.collect(DAY, { inbound = client:report("host2host"):where { dst_ip = "203.0.113.254" }:limit(1) }))
    local result = assert(billing.usage(samples, { missing = "zero" }))
    assert.equal(288, result.missing)
    assert.equal(0, result.octets.numerator)
  end)

  it("refuses a period that has not ended", function()
    local now = os.time()
    local of = billing.period(now - now % 300 - 3600, now - now % 300 + 3600)
    local samples, err = billing.collect(of, { inbound = inbound() })
    assert.is_nil(samples)
    assert.matches("has not ended", err.message)
    assert.same({ "unfinished" }, assert(billing.collect(of, { inbound = inbound() }, { unfinished = true })).forced)
  end)

  it("gives the appliance's errors, with the query that they are of", function()
    client = support.connect { retry = false }
    for _, case in ipairs { { { { kind = "bad_token" } }, "auth" }, { { { kind = "none" }, { kind = "truncate", at = 500 } }, "truncated" } } do
      support.faults(case[1])
      local samples, err = billing.collect(DAY, { inbound = inbound() })
      assert.is_nil(samples)
      assert.equal(case[2], err.kind)
      assert.matches("^inbound, query 1: ", err.message)
    end
    support.clear()
  end)

  it("misuse raises at the caller's line", function()
    local function bad(...)
      local arguments = { n = select("#", ...), ... }
      return function() billing.collect((table.unpack or unpack)(arguments, 1, arguments.n)) end -- luacheck: ignore
    end
    for _, case in ipairs {
      { bad(DAY, {}), "queries: got a table" }, { bad(DAY, { inbound = 5 }), "inbound: got 5" }, { bad(DAY, { inbound = {} }), "no query" },
      { bad(DAY, { inbound = { inbound(), inbound() } }), "query 2 is the same as query 1: its traffic would be counted twice" },
      { bad(DAY, { inbound = inbound():both() }), "both directions" }, { bad(DAY, { inbound = inbound():offset(5) }), "offset" },
      { bad(DAY, { inbound = inbound():percent() }), "percent" }, { bad(DAY, { inbound = inbound():order_by "sum_packetdeltacount" }), "not bytes" },
      { bad(DAY, { inbound = inbound():shift "-1h" }), "a shift would move the period" },
      { bad(DAY, { inbound = client:report("host2host"):exporter("192.0.2.1", 1) }), "query 1: the query names an interface and no direction" },
      { bad(DAY, { inbound = inbound():exporter "core-9" }), "no exporter of the appliance has the name" },
      { bad({}, { inbound = inbound() }), "period: got a table" }, { bad(DAY, { inbound = inbound() }, { coarse = 5 }), 'option: got "coarse"' },
      { bad(DAY, { inbound = inbound() }, { coarser = 5 }), "coarser: got 5" },
      { bad(DAY, { inbound = inbound() }, { series = { 5 } }), "series: got 5" },
    } do
      local ok, message = pcall(case[1])
      assert.is_false(ok)
      assert.matches("collect_spec%.lua:%d+: collect: ", message)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end
    for _, case in ipairs {
      { { ip = "x", exporter = "all" }, "allowed: " }, { { ip = "10.0.0.1" }, "set exporter: a flow that several exporters report would be counted" },
      { {}, "set exactly one of" }, { { ip = "10.0.0.1", network = NETWORK }, "set exactly one of" }, { { ips = {} }, '"ips"' },
      { { interfaces = { { "192.0.2.1", 1 } }, exporter = "192.0.2.1" }, "interfaces, which name their exporters" }, { 5, "customer: got 5" },
      { { ip = "10.0.0.1", exporter = { "192.0.2.1", 1 } }, "it cannot be one interface; set interfaces instead" },
    } do
      local ok, message = pcall(function() billing.queries(client, case[1]) end)
      assert.is_false(ok)
      assert.matches("^[^\n]*collect_spec%.lua:%d+: queries: ", message)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end
  end)
end)

describe("collect from an appliance that answers otherwise than it was asked", function()
  -- A query that answers what it is told to.
  local function query(seconds, step, count)
    local q = { _spec = { directions = { "inbound" }, fields = {}, filters = {}, conditions = {}, type = "stub" } }
    for _, name in ipairs { "between", "granularity" } do q[name] = function() return q end end
    function q.request() return { rpt_json = "{}", data_requested = "{}" } end
    function q.count() return 1 end
    function q.interval() return seconds end
    function q.series()
      local points = {}
      for i = 1, count do points[i] = { DAY.from + (i - 1) * step, 100 } end
      return { { label = "a", other = false, direction = "inbound", interval = 300, points = points, missing = 0 } }
    end
    return q
  end

  it("refuses longer buckets that it admits", function()
    local samples, err = billing.collect(DAY, { inbound = query(1800, 1800, 48) })
    assert.is_nil(samples)
    assert.equal("bill", err.kind)
    assert.matches("buckets of 1800 s, not 300 s: their averages hide peaks; set coarser = 30", err.message)
  end)

  it("refuses longer buckets that only its points show", function()
    local samples, err = billing.collect(DAY, { inbound = query(300, 1800, 48) })
    assert.is_nil(samples)
    assert.matches("all 48 points are 1800 s apart", err.message)
    local options = { sparse = true, coverage_by_totals = false }
    assert.same({ "sparse", "unmeasured" }, assert(billing.collect(DAY, { inbound = query(300, 1800, 48) }, options)).forced)
  end)

  it("refuses shorter ones, and points that lie between the intervals", function()
    assert.is_nil(billing.collect(DAY, { inbound = query(60, 60, 1440) }))
    local samples, err = billing.collect(DAY, { inbound = query(300, 60, 100) })
    assert.is_nil(samples)
    assert.matches("is not the start of an interval of 300 s", err.message)
  end)
end)

describe_once("README's bill", function()
  it("runs as it stands, but for the folder", function()
    local file, path = assert(io.open "README.md"), os.tmpname()
    local text = file:read "*a":match "## Bills\n\n```lua\n(.-)```"
    file:close()
    text = text:gsub("acme%-2025%-10%.json", path)
    local printed = {}
    local environment = setmetatable({ client = support.connect(), print = function(line) printed[#printed + 1] = line end }, { __index = _G })
    local chunk = setfenv and setfenv(assert(loadstring(text)), environment) or assert(load(text, "README", "t", environment)) -- luacheck: ignore
    chunk()
    assert.matches("^Customer +ACME\n", printed[1])
    assert.matches("\nTotal EUR +500%.00\n", printed[1])
    os.remove(path)
  end)
end)

describe_once("the example", function()
  it("bills a month on the sandbox: text, page and a file that verifies", function()
    local box, folder = support.sandbox(), support.folder()
    local out = support.shell(("SCRUTINIZER_URL=%s SCRUTINIZER_TOKEN=%s SCRUTINIZER_CA=%s %s examples/bill_month.lua 2023-10 Europe/Berlin "
      .. "%s %s 2>&1"):format(box.url, box.token, support.quote(box.ca), support.lua, NETWORK, folder))
    local wanted = python()
    local octets = tonumber(wanted[1]:match "^%d+ (%d+)")
    local other = tonumber(wanted[2]:match "^%d+ (%d+)")
    assert.is_truthy(out:find(("Percentile 95    %.3f kbit/s"):format(math.max(octets, other) * 8 / 300 / 1000), 1, true), out)
    assert.is_truthy(out:find("Samples' SHA-256: " .. wanted[4], 1, true))
    assert.matches("written: .*%.html, .*%.json %(verified%)", out)
    assert.is_truthy(billing.verify(folder .. "/2023-10.json"))
    local lines = 0
    for _ in io.lines "examples/bill_month.lua" do lines = lines + 1 end
    assert.is_true(lines < 60)
    os.execute("rm -rf " .. folder)
  end)
end)
