-- Periods in their zones; samples, their parts and what is missing; directions and policies.
local billing = require "scrutinizer.billing"
local bigint = require "scrutinizer.arithmetic.bigint"
local fraction = require "scrutinizer.arithmetic.fraction"
local support = require "spec.support"

local HOUR = billing.period("2023-11-15T00:00:00Z", "2023-11-15T01:00:00Z")

-- Points from octets in order; false leaves one out.
local function points(of, octets)
  local list = {}
  for i, value in ipairs(octets) do
    if value then list[#list + 1] = { of.from + (i - 1) * 300, value } end
  end
  return list
end

local function set_of(inbound, outbound, options)
  return assert(billing.samples(HOUR, { inbound = inbound and points(HOUR, inbound), outbound = outbound and points(HOUR, outbound) }, options))
end

local function octets_of(result)
  return fraction.text(result.octets)
end

describe("a missing sample", function()
  it("is carried from the one before it, never from one after it", function()
    -- 10 10 10 | 30 30 30 30 30 30 | 50 50 50, where the first, the third, and the fifth to the ninth were not there (the first: 0).
    local set = set_of { false, 10, false, 30, false, false, false, false, false, 50, 50, 50 }
    local result = assert(billing.usage(set, { missing = "carry", percent = 75 }))
    assert.equal("30", octets_of(result)) -- 0 10 10 30 30 30 30 30 | 30: the ninth
    assert.same({ { HOUR.from + 11 * 300, 50 }, { HOUR.from + 10 * 300, 50 }, { HOUR.from + 9 * 300, 50 } },
      { result.discarded[3], result.discarded[2], result.discarded[1] })
    assert.equal("0", octets_of(assert(billing.usage(set, { missing = "carry", percent = 8 }))))
    assert.equal("10", octets_of(assert(billing.usage(set, { missing = "carry", percent = 25 }))))
    assert.equal("30", octets_of(assert(billing.usage(set, { missing = "carry", percent = 33 }))))
  end)
end)

describe("a month", function()
  for _, case in ipairs {
    { "2023-02", "UTC", 28, 8064 }, { "2024-02", "UTC", 29, 8352 }, { "2023-04", "Europe/Berlin", 30, 8640 },
    { "2023-01", "Europe/Berlin", 31, 8928 },
    { "2023-03", "Europe/Berlin", 31, 8916 }, { "2023-10", "Europe/Berlin", 31, 8940 }, { "2023-11", "America/New_York", 30, 8652 },
    { "2023-03", "America/New_York", 31, 8916 }, { "2023-04", "Australia/Lord_Howe", 30, 8646 }, { "2023-12", "Asia/Kathmandu", 31, 8928 },
  } do
    it(("%s in %s has %d days and %d samples"):format(case[1], case[2], case[3], case[4]), function()
      local of = billing.month(case[1], case[2])
      assert.equal(case[3], of.days)
      assert.equal(case[4], of.intervals)
      assert.equal(case[4] * 300, of.to - of.from)
      assert.is_true(of.whole)
      assert.is_false(billing.period(of.from, of.to - 300, case[2]).whole)
      assert.is_false(billing.period(of.from + 300, of.to, case[2]).whole)
      assert.is_false(billing.period(of.from, of.to + 300, case[2]).whole)
      assert.equal(case[1], of.month)
    end)
  end

  it("is half-open: each begins where the one before ends", function()
    local last
    for year = 2022, 2023 do
      for month = 1, 12 do
        local of = billing.month(("%d-%02d"):format(year, month), "Europe/Berlin")
        if last then assert.equal(last, of.from) end
        last = of.to
      end
    end
    assert.equal(1672527600, billing.month("2023-01", "Europe/Berlin").from) -- 2022-12-31T23:00:00Z
  end)

  if not os.getenv "SANDBOX_CHECKED" then
    it("has python's bounds, in many zones over thirty years", function()
      local zones = { "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Cairo",
        "Pacific/Apia", "Asia/Beirut", "America/St_Johns", "UTC" }
      local out = support.shell(([[env -u LD_PRELOAD python3 -c '
import zoneinfo, datetime
for name in "%s".split():
    zone = zoneinfo.ZoneInfo(name)
    for n in range(12 * 1995, 12 * 2026):
        print(name, "%%d-%%02d" %% (n // 12, n %% 12 + 1), int(datetime.datetime(n // 12, n %% 12 + 1, 1, tzinfo=zone).timestamp()))']])
        :format(table.concat(zones, " ")))
      local count = 0
      for name, month, epoch in out:gmatch "(%S+) (%S+) (%d+)\n" do
        assert.equal(tonumber(epoch), billing.month(month, name).from, name .. " " .. month)
        count = count + 1
      end
      assert.equal(#zones * 31 * 12, count)
    end)
  end

  -- Zones that changed their side of the date line skipped a day. The days were counted with python's zoneinfo: dates that some hour of the span has.
  for _, case in ipairs {
    { "Pacific/Apia", "2011-12-16", "2012-01-01", 15, 30 }, { "Pacific/Apia", "2011-12-01", "2011-12-31", 29, 30 },
    { "Pacific/Fakaofo", "2011-12-16", "2012-01-01", 15, 30 }, { "Pacific/Kwajalein", "1993-08-16", "1993-09-01", 15, 30 },
    { "Pacific/Kiritimati", "1994-12-16", "1995-01-01", 15, 30 }, { "Pacific/Enderbury", "1994-12-16", "1995-01-01", 15, 30 },
    { "Pacific/Kiritimati", "1995-01-01", "1995-01-16", 15, 31 }, { "Europe/Berlin", "2023-03-16", "2023-04-01", 16, 31 },
  } do
    it(("counts the days that %s had from %s to %s"):format(case[1], case[2], case[3]), function()
      local of = billing.period(case[2], case[3], case[1])
      assert.same({ case[4], case[5] }, { of.days, of.month_days })
    end)
  end

  it("may be a billing cycle from another day of the month", function()
    local of = billing.cycle("2023-11", 16, "Europe/Berlin")
    assert.same({ billing.period("2023-11-16", "2023-12-16", "Europe/Berlin", 16) }, { of })
    assert.same({ true, 30, 30, "2023-11", 16 }, { of.whole, of.days, of.month_days, of.month, of.anchor })
    -- 31 days, one of them of 23 hours.
    assert.equal(31 * 288 - 12, billing.cycle("2023-03", 16, "Europe/Berlin").intervals)
    -- A part of a cycle lies in the month before where it begins before the day.
    of = billing.period("2023-12-01", "2023-12-16", "UTC", 16)
    assert.same({ false, 15, 30, "2023-11" }, { of.whole, of.days, of.month_days, of.month })
    -- Too short a month: its last day. 31 January to 28 February, to 31 March.
    assert.same({ 28, 31 }, { billing.cycle("2023-01", 31).days, billing.cycle("2023-02", 31).days })
    assert.equal("2023-02", billing.period("2023-03-30", "2023-03-31", "UTC", 31).month)
    assert.equal("2022-12", billing.period("2023-01-15", "2023-01-16", "UTC", 16).month)
    -- Each begins where the one before ends.
    local last
    for month = 1, 12 do
      of = billing.cycle(("2024-%02d"):format(month), 30, "America/New_York")
      if last then assert.equal(last, of.from) end
      last = of.to
    end
  end)

  it("may be a part of one: days of 23 and 25 hours count as days", function()
    local of = billing.period("2023-03-26", "2023-03-27", "Europe/Berlin")
    assert.equal(23 * 12, of.intervals)
    assert.equal(1, of.days)
    of = billing.period("2023-10-29", "2023-10-30", "Europe/Berlin")
    assert.equal(25 * 12, of.intervals)
    assert.equal(1, of.days)
    assert.is_false(of.whole)
    assert.equal(31, of.month_days)
    assert.is_nil(HOUR.days)
    assert.equal(12, HOUR.intervals)
  end)

  for _, case in ipairs {
    { "month", { "2023-13" }, 'month: got "2023-13"; allowed: such as "2026-11"' }, { "month", { "2023" }, 'month: got "2023"' },
    { "month", { 202301 }, "month: got 202301" }, { "month", { "2023-01", "Europe/Berln" }, 'did you mean "Europe/Berlin"' },
    { "period", { 300, 300 }, "from must be before to" }, { "period", { 600, 300 }, "from must be before to" },
    { "period", { 0, 301 }, "multiples of five minutes" }, { "period", { "x", 300 }, 'from: got "x"' }, { "period", { 0, "y" }, 'to: got "y"' },
    { "period", { 0, 300, "Nowhere/At_All" }, "no such time zone" }, { "period", { 0, 300, "UTC", 32 }, "anchor: got 32" },
    { "cycle", { "2023-11", 0 }, "anchor: got 0" }, { "cycle", { "2023-11", 1.5 }, "anchor: got 1.5" }, { "cycle", { "2023-11" }, "anchor: got" },
  } do
    it("refuses at the caller's line: " .. case[3], function()
      local ok, message = pcall(function() billing[case[1]]((table.unpack or unpack)(case[2])) end)
      assert.is_false(ok)
      assert.matches("usage_spec%.lua:%d+: " .. case[1] .. ": ", message)
      assert.is_truthy(message:find(case[3], 1, true), message)
    end)
  end
end)

describe("samples", function()
  it("lie on one grid, whatever order they come in; what is outside is counted and left out", function()
    local set = assert(billing.samples(HOUR, { inbound = { { HOUR.from + 600, 3 }, { HOUR.from, 1 }, { HOUR.to, 9 }, { HOUR.from - 300, 9 } } }))
    assert.same({ 1, false, 3, false, false, false, false, false, false, false, false, false }, set.inbound[1].values)
    assert.equal(2, set.outside)
    assert.equal(12, set.n)
  end)

  for how, wanted in pairs { sum = 12, first = 5, last = 7 } do
    it("that come twice are joined where it is said: " .. how, function()
      local set = assert(billing.samples(HOUR, { inbound = { { HOUR.from, 5 }, { HOUR.from, 7 } } }, { duplicates = how }))
      assert.equal(wanted, set.inbound[1].values[1])
      assert.equal(1, set.duplicates)
    end)
  end

  for _, case in ipairs {
    { { { HOUR.from, 5 }, { HOUR.from, 7 } }, "an earlier sample has the same time, " .. HOUR.from },
    { { { HOUR.from + 60, 5 } }, "is not the start of an interval of 300 s" }, { { { HOUR.from, 1.5 } }, "not { epoch seconds, octets }" },
    { { { HOUR.from, -1 } }, "not { epoch seconds, octets }" }, { { { HOUR.from, "x" } }, "not { epoch seconds, octets }" },
    { { { "x", 1 } }, "not { epoch seconds, octets }" }, { { { HOUR.from } }, "not { epoch seconds, octets }" },
  } do
    it("are an error of kind bill: " .. case[2], function()
      local set, err = billing.samples(HOUR, { inbound = { { points = case[1] } } })
      assert.is_nil(set)
      assert.equal("bill", err.kind)
      assert.is_truthy(err.message:find(case[2], 1, true), err.message)
      assert.matches("^inbound, part 1: sample %d", err.message)
    end)
  end

  it("have a canonical text that others can write and hash", function()
    local set = set_of({ 1, false, 3 }, { 4 })
    local lines = {}
    for line in billing.canonical(set):gmatch "[^\n]+" do lines[#lines + 1] = line end
    assert.equal(25, #lines)
    assert.same({ "member 1", "inbound 1 1700006400 1", "inbound 1 1700006700 -", "inbound 1 1700007000 3" },
      { lines[1], lines[2], lines[3], lines[4] })
    assert.equal("outbound 1 1700006400 4", lines[14])
  end)

  for _, case in ipairs {
    { { HOUR, {} }, "samples: got a table; allowed: { inbound" }, { { HOUR, 5 }, "samples: got 5" }, { { HOUR, { inbound = 5 } }, "inbound: got 5" },
    { { {}, { inbound = {} } }, "period: got a table" }, { { HOUR, { inbound = {} }, { duplicates = "no" } }, 'duplicates: got "no"' },
    { { HOUR, { inbound = { { points = 5 } } } }, "part 1 is not { name =, points" },
    { { HOUR, { inbound = { { points = { { HOUR.from, 1 }, nil, { HOUR.from + 600, 1 } } } } } },
      "part 1: points: got a table; allowed: a list without gaps" },
    { { HOUR, { outbound = { { points = { { HOUR.from, 1 }, total = 5 } } } } }, "part 1: points: got a table; allowed: a list without gaps" },
    { { HOUR, { inbound = {} }, { interval = 0 } }, "interval: got 0" },
  } do
    it("refuse at the caller's line: " .. case[2], function()
      local ok, message = pcall(function() billing.samples((table.unpack or unpack)(case[1])) end)
      assert.is_false(ok)
      assert.matches("usage_spec%.lua:%d+: samples: ", message)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end)
  end
end)

-- Twelve samples, so that percent 75 is the ninth in ascending order: three are discarded.
local IN = { 10, 80, 30, 40, 50, 60, 70, 20, 90, 100, 110, 120 } -- its ninth is 90
local OUT = { 200, 10, 10, 10, 10, 10, 150, 10, 10, 10, 10, 5 }  -- its ninth is 10

describe("usage", function()
  for _, case in ipairs {
    { "inbound", 90, "inbound" }, { "outbound", 10, "outbound" }, { "higher_percentile", 90, "inbound" },
    -- Sums: 210 90 40 50 60 70 220 30 100 110 120 125, the ninth is 120; higher ones: 200 80 30 40 50 60 150 20 90 100 110 120, the ninth 110.
    { "sum", 120, "both" }, { "higher_sample", 110, "both" },
  } do
    it("of " .. case[1], function()
      local result = assert(billing.usage(set_of(IN, OUT), { percent = 75, direction = case[1] }))
      assert.equal(tostring(case[2]), octets_of(result))
      assert.equal(case[3], result.side)
      assert.equal(9, result.rank)
      assert.equal(12, result.n)
      assert.equal(3, #result.discarded)
      -- octets × 8 / 300
      assert.equal(fraction.text(fraction.new(case[2] * 8, 300)), fraction.text(result.rate))
      assert.same({ inbound = 780, outbound = 445 }, result.totals)
      assert.equal("100.00", result.coverage)
    end)
  end

  it("of the higher of two names the side, inbound where they are equal", function()
    assert.equal("outbound", billing.usage(set_of(OUT, IN), { percent = 75 }).side)
    assert.equal("inbound", billing.usage(set_of(IN, IN), { percent = 75 }).side)
    assert.equal("inbound", billing.usage(set_of(IN), { percent = 75 }).direction)
  end)

  -- Two of twelve are missing: [2] and [10] of IN, which were 80 and 100. The rest: 10 20 30 40 50 60 70 90 110 120.
  -- zero: 0 0 10 20 30 40 50 60 70 | 90: the ninth is 70. drop: N = 10, ceil(7.5) = the eighth: 90. carry: 10 and 90 again:
  -- 10 10 20 30 40 50 60 70 90 | 90: the ninth is 90.
  local GAPS = { 10, false, 30, 40, 50, 60, 70, 20, 90, false, 110, 120 }
  for policy, case in pairs { zero = { 70, 12, 9 }, drop = { 90, 10, 8 }, carry = { 90, 12, 9 } } do
    it("with missing samples counts them as said: " .. policy, function()
      local result = assert(billing.usage(set_of(GAPS), { percent = 75, missing = policy }))
      assert.equal(tostring(case[1]), octets_of(result))
      assert.equal(case[2], result.n)
      assert.equal(case[3], result.rank)
      assert.equal(2, result.missing)
      assert.equal("83.33", result.coverage)
      assert.same({ { HOUR.from + 300, HOUR.from + 600 }, { HOUR.from + 2700, HOUR.from + 3000 } }, result.missing_ranges)
      -- The others stand beside it, whichever is billed.
      assert.same({ 70, 90, 90 }, { result.under.zero.octets.numerator, result.under.drop.octets.numerator, result.under.carry.octets.numerator })
      assert.equal(10, result.under.drop.n)
    end)
  end

  it("refuses missing samples unless told otherwise, and over a threshold", function()
    local result, err = billing.usage(set_of(GAPS), { percent = 75 })
    assert.is_nil(result)
    assert.equal("bill", err.kind)
    assert.matches("2 of 12 samples are missing %(16%.67 %%%), over the threshold of 0 %%", err.message)
    assert.is_nil(billing.usage(set_of(GAPS), { percent = 75, threshold = 0.16 }))
    assert.equal("70", octets_of(assert(billing.usage(set_of(GAPS), { percent = 75, threshold = 0.17 }))))
    assert.is_nil(billing.usage(set_of(GAPS), { percent = 75, missing = "drop", threshold = "0.1" }))
    assert.equal("90", octets_of(assert(billing.usage(set_of(GAPS), { percent = 75, missing = "drop", threshold = "0.2" }))))
  end)

  it("says when nothing is left", function()
    local result, err = billing.usage(set_of {}, { missing = "drop" })
    assert.is_nil(result)
    assert.matches("there are no samples to rank", err.message)
    result = assert(billing.usage(set_of {}, { missing = "zero" }))
    assert.equal("0", octets_of(result))
    assert.is_nil(result.under.drop)
  end)

  it("looks for what is missing only in the sides that it bills", function()
    local set = set_of(GAPS, OUT)
    assert.equal(0, billing.usage(set, { percent = 75, direction = "outbound" }).missing)
    assert.is_nil(billing.usage(set, { percent = 75, direction = "inbound" }))
    assert.is_nil(billing.usage(set, { percent = 75, direction = "sum" }))
  end)

  it("does not change when a customer is split into parts", function()
    for _ = 1, 20 do
      local whole, parts = {}, { {}, {}, {} }
      for i = 1, 12 do
        whole[i] = { HOUR.from + (i - 1) * 300, math.random(0, 100) }
        local rest = whole[i][2]
        for p = 1, 3 do
          local share = p == 3 and rest or math.random(0, rest)
          rest, parts[p][i] = rest - share, { whole[i][1], share }
        end
      end
      local one = assert(billing.samples(HOUR, { inbound = whole }))
      local three = assert(billing.samples(HOUR, { inbound = { { points = parts[1] }, { points = parts[3] }, { name = "x", points = parts[2] } } }))
      assert.same(billing.usage(one), billing.usage(three))
    end
  end)

  it("sums parts before ranking: the percentile of a sum is no sum of percentiles", function()
    local a, b = {}, {}
    for i = 1, 12 do
      a[i], b[i] = i > 6 and 100 or 0, i > 6 and 0 or 100
    end
    local set = assert(billing.samples(HOUR, { inbound = { { points = points(HOUR, a) }, { points = points(HOUR, b) } } }))
    assert.equal("100", octets_of(billing.usage(set)))
  end)

  it("knows a sample that one part lacks, and counts the rest of it with zero", function()
    local set = assert(billing.samples(HOUR, { inbound = { { points = points(HOUR, IN) }, { points = points(HOUR, GAPS) } } }))
    local result = assert(billing.usage(set, { percent = 75, missing = "zero" }))
    assert.equal(2, result.missing)
    -- 20 80 60 80 100 120 140 40 180 100 220 240: the ninth is 140.
    assert.equal("140", octets_of(result))
    -- Carried: the second part's 10 and 90: 90 and 190 in place of 80 and 100; 20 40 60 80 90 100 120 140 180 | 190 220 240.
    assert.equal(180, result.under.carry.octets.numerator)
    -- Dropped: of ten the eighth: 20 40 60 80 100 120 140 180.
    assert.equal(180, result.under.drop.octets.numerator)
  end)

  it("is exact where this Lua's integers are not", function()
    local octets = {}
    for i = 1, 12 do octets[i] = "922337203685477580" .. (i % 10) .. "1" end
    local set = assert(billing.samples(HOUR, { inbound = points(HOUR, octets), outbound = points(HOUR, octets) }))
    local result = assert(billing.usage(set, { percent = 100, direction = "sum" }))
    assert.equal("184467440737095516182", bigint.text(result.octets.numerator))
    -- × 8 / 300 = × 2 / 75
    assert.equal("368934881474191032364", bigint.text(result.rate.numerator))
    assert.equal("75", bigint.text(result.rate.denominator))
    local sum = 0
    for _, value in ipairs(octets) do sum = bigint.add(sum, value) end
    assert.equal(bigint.text(sum), bigint.text(result.totals.inbound))
  end)

  for _, case in ipairs {
    { { missing = "ignore" }, 'missing: got "ignore"; allowed: carry, drop, error, zero' }, { { direction = "both" }, 'direction: got "both"' },
    { { direction = "sum" }, "direction sum: there are samples of inbound only" }, { { direction = "outbound" }, "samples of inbound only" },
    { { threshold = 2 }, "threshold: got 2" }, { { method = "x" }, 'method: got "x"' }, { { percent = 0 }, "percent: got 0" },
    { { percents = 95 }, 'did you mean "percent"' }, { { line_speed = 1.5 }, "line_speed: got 1.5" }, { { line_speed = 0 }, "line_speed: got 0" },
    { { over_speed = "clip" }, "over_speed: it has no effect without line_speed" },
    { { line_speed = 1, over_speed = "cut" }, 'over_speed: got "cut"; allowed: clip, error, missing' },
    { { rounding = "up" }, "rounding: set it in the tariff" }, { { speed = 1 }, 'option: got "speed"' }, { 5, "usage: got 5" },
  } do
    it("refuses at the caller's line: " .. case[2], function()
      local ok, message = pcall(function() billing.usage(set_of(IN), case[1]) end)
      assert.is_false(ok)
      assert.matches("usage_spec%.lua:%d+: usage: ", message)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end)
  end

  for _, case in ipairs {
    { { { inbound = {} }, { intervall = 300 } }, 'option: got "intervall"' }, { { { inbound = {}, outbond = {} } }, 'did you mean "outbound"' },
    { { { inbound = { { points = {}, nam = "x" } } } }, 'inbound: part 1: got "nam"' }, { { { inbound = { name = "x" } } }, "inbound: got a table" },
    { { { inbound = {} }, { interval = 1.5 } }, "interval: got 1.5" }, { { { inbound = {} }, { line_speed = "fast" } }, 'line_speed: got "fast"' },
  } do
    it("refuses samples with what it does not know, at the caller's line: " .. case[2], function()
      local ok, message = pcall(function() billing.samples(HOUR, (table.unpack or unpack)(case[1])) end)
      assert.is_false(ok)
      assert.matches("usage_spec%.lua:%d+: samples: ", message)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end)
  end

  it("refuses what are no samples", function()
    local ok, message = pcall(function() billing.usage {} end)
    assert.is_false(ok)
    assert.matches("samples: got a table", message)
  end)
end)
