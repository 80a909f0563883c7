-- Tariffs worked by hand: the arithmetic stands beside each. And misuse, pools, big amounts.
local billing = require "scrutinizer.billing"
local bigint = require "scrutinizer.arithmetic.bigint"
local fraction = require "scrutinizer.arithmetic.fraction"

local MONTH = billing.month("2023-11", "UTC") -- 30 days, 8640 samples
local PART = billing.period("2023-11-10", "2023-12-01", "UTC") -- 21 of 30 days

-- Samples that are all of one size: the percentile is known without ranking.
local function flat(of, octets, outbound)
  local one, other = {}, {}
  for i = 1, of.intervals do
    one[i], other[i] = { of.from + (i - 1) * 300, octets }, { of.from + (i - 1) * 300, outbound or 0 }
  end
  return assert(billing.samples(of, { inbound = one, outbound = outbound and other }))
end

local function bill_of(tariff, octets, options)
  local o = options or {}
  tariff.currency = tariff.currency or "EUR"
  return assert(billing.invoice { customer = "c", samples = flat(o.period or MONTH, octets, o.outbound), usage = o.usage, tariff = tariff })
end

local function lines_of(bill)
  local list = {}
  for i, line in ipairs(bill.lines) do list[i] = { line.name, line.amount } end
  return list
end

-- Octets of five minutes at so many Mbit/s: × 10^6 / 8 × 300 = × 37,500,000.
local MBPS = 37500000

local CASES = {
  { "commit and overage: 100 × 5.00 and 20.5 × 7.00 = 500 + 143.50",
    { unit = "Mbps", commit = 100, commit_price = 500, price = 700 }, 120.5 * MBPS,
    { { "Commit", 50000 }, { "Over the commit", 14350 } }, 64350 },
  { "the same in whole Mbps, rounded up as the contract says: 121 - 100 = 21 × 7.00",
    { unit = "Mbps", step = 1, commit = 100, commit_price = 500, price = 700 }, 120.5 * MBPS,
    { { "Commit", 50000 }, { "Over the commit", 14700 } }, 64700 },
  { "the same rounded to the even neighbour: 120.5 is 120, 20 × 7.00",
    { unit = "Mbps", step = 1, commit = 100, commit_price = 500, price = 700, rounding = { units = "half_even" } }, 120.5 * MBPS,
    { { "Commit", 50000 }, { "Over the commit", 14000 } }, 64000 },
  { "steps of a tenth: 120.54 is 120.6 upwards, 20.6 × 7.00 = 144.20",
    { unit = "Mbps", step = "0.1", commit = 100, commit_price = 500, price = 700 }, 120.54 * MBPS,
    { { "Commit", 50000 }, { "Over the commit", 14420 } }, 64420 },
  { "below the commit, the commit alone, as a fee",
    { unit = "Mbps", commit = 100, commit_fee = 45000, price = 700 }, 60 * MBPS, { { "Commit", 45000 }, { "Over the commit", 0 } }, 45000 },
  { "no commit: 60 × 7.25 = 435.00", { unit = "Mbps", price = "725" }, 60 * MBPS, { { "Usage", 43500 } }, 43500 },
  { "a price in parts of a cent: 60 × 0.125 = 7.5 cents, halves up", { unit = "Mbps", price = "0.125" }, 60 * MBPS, { { "Usage", 8 } }, 8 },
  { "and to the even neighbour", { unit = "Mbps", price = "0.125", rounding = { line = "half_even" } }, 60 * MBPS, { { "Usage", 8 } }, 8 },
  { "20 × 0.125 = 2.5 cents to the even neighbour", { unit = "Mbps", price = 0.125, rounding = { line = "half_even" } }, 20 * MBPS,
    { { "Usage", 2 } }, 2 },
  { "and towards zero", { unit = "Mbps", price = "0.125", rounding = { line = "down" } }, 60 * MBPS, { { "Usage", 7 } }, 7 },
  { "graduated tiers: 100 × 5.00 + 400 × 4.00 + 20 × 3.00 = 500 + 1600 + 60",
    { unit = "Mbps", tiers = { { up_to = 100, price = 500 }, { up_to = 500, price = 400 }, { price = 300 } } }, 520 * MBPS,
    { { "Usage, tier 1", 50000 }, { "Usage, tier 2", 160000 }, { "Usage, tier 3", 6000 } }, 216000 },
  { "graduated tiers, at a tier's very end: 100 × 5.00",
    { unit = "Mbps", tiers = { { up_to = 100, price = 500 }, { price = 300 } } }, 100 * MBPS, { { "Usage, tier 1", 50000 } }, 50000 },
  { "graduated tiers, nothing used", { unit = "Mbps", tiers = { { up_to = 100, price = 500 }, { price = 300 } } }, 0, { { "Usage, tier 1", 0 } }, 0 },
  { "volume tiers: all 520 at the third tier's price, 520 × 3.00",
    { unit = "Mbps", tiering = "volume", tiers = { { up_to = 100, price = 500 }, { up_to = 500, price = 400 }, { price = 300 } } }, 520 * MBPS,
    { { "Usage, tier 3", 156000 } }, 156000 },
  { "volume tiers: a tier's end belongs to it, 500 × 4.00",
    { unit = "Mbps", tiering = "volume", tiers = { { up_to = 100, price = 500 }, { up_to = 500, price = 400 }, { price = 300 } } }, 500 * MBPS,
    { { "Usage, tier 2", 200000 } }, 200000 },
  { "tiers of the overage: 150 over 100, 100 × 6.00 + 50 × 5.00",
    { unit = "Mbps", commit = 100, commit_fee = 40000, tiers = { { up_to = 100, price = 600 }, { price = 500 } } }, 250 * MBPS,
    { { "Commit", 40000 }, { "Over the commit, tier 1", 60000 }, { "Over the commit, tier 2", 25000 } }, 125000 },
  -- 8640 samples of 10^9 octets are 8640 GB; 8640 × 0.02 = 172.80.
  { "gigabytes of the period", { measure = "volume", unit = "GB", price = 2 }, 1000000000, { { "Usage", 17280 } }, 17280 },
  -- 8640 × 10^9 / 2^30 = 8046.627044677734375 GiB × 2 cents = 16093.25408935546875 cents
  { "gibibytes of the period", { measure = "volume", unit = "GiB", price = 2 }, 1000000000, { { "Usage", 16093 } }, 16093 },
  { "whole terabytes, upwards: 8.64 is 9, 9 × 100.00", { measure = "volume", unit = "TB", step = 1, price = 10000 }, 1000000000,
    { { "Usage", 90000 } }, 90000 },
  -- 60 Mbit/s are 57.220458984375 Mibit/s; × 7.00 = 400.543212890625
  { "binary units of a rate", { unit = "Mibps", price = 700 }, 60 * MBPS, { { "Usage", 40054 } }, 40054 },
  { "the minimum charge: 10 × 7.00 = 70.00, up to 250.00",
    { unit = "Mbps", price = 700, minimum = 25000 }, 10 * MBPS, { { "Usage", 7000 }, { "Up to the minimum charge", 18000 } }, 25000 },
  { "the minimum is reached: no line for it", { unit = "Mbps", price = 700, minimum = 7000 }, 10 * MBPS, { { "Usage", 7000 } }, 7000 },
  { "fees, and a credit; they are no part of the minimum: 70 + 180 + 99.99 - 10",
    { unit = "Mbps", price = 700, minimum = 25000, fees = { { name = "Port", amount = 9999 }, { name = "Credit", amount = -1000 } } }, 10 * MBPS,
    { { "Usage", 7000 }, { "Up to the minimum charge", 18000 }, { "Port", 9999 }, { "Credit", -1000 } }, 33999 },
  -- 21 of 30 days: 99.99 × 0.7 = 69.993; the rest is whole.
  { "part of a month: fixed fees by days, usage as it is",
    { unit = "Mbps", price = 700, fees = { { name = "Port", amount = 9999, prorate = true }, { name = "Setup", amount = 5000 } } }, 10 * MBPS,
    { { "Usage", 7000 }, { "Port", 6999 }, { "Setup", 5000 } }, 18999, { period = PART } },
  { "part of a month: the commit too where it is said, 100 × 5.00 × 0.7",
    { unit = "Mbps", commit = 100, commit_price = 500, price = 700, prorate_commit = true }, 110 * MBPS,
    { { "Commit", 35000 }, { "Over the commit", 7000 } }, 42000, { period = PART } },
  { "part of a month: and whole where that is said",
    { unit = "Mbps", commit = 100, commit_price = 500, price = 700, prorate_commit = false }, 110 * MBPS,
    { { "Commit", 50000 }, { "Over the commit", 7000 } }, 57000, { period = PART } },
  -- Twelve hours of 30 days: 1/60.
  { "part of a day, by seconds: 60.00 / 60",
    { unit = "Mbps", price = 700, prorate = "seconds", fees = { { name = "Port", amount = 6000, prorate = true } } },
    10 * MBPS, { { "Usage", 7000 }, { "Port", 100 } }, 7100, { period = billing.period("2023-11-10", "2023-11-10T12:00:00Z") } },
  -- A day of 23 hours is a day: 31.00 / 31.
  { "a short day, by days", { unit = "Mbps", price = 0, fees = { { name = "Port", amount = 3100, prorate = true } } }, MBPS,
    { { "Usage", 0 }, { "Port", 100 } }, 100, { period = billing.period("2023-03-26", "2023-03-27", "Europe/Berlin") } },
  -- 82,800 of the month's 2,674,800 seconds (31 days less an hour): 31.00 × 23/743 = 0.9596
  { "a short day, by seconds", { unit = "Mbps", price = 0, prorate = "seconds", fees = { { name = "Port", amount = 3100, prorate = true } } }, MBPS,
    { { "Usage", 0 }, { "Port", 96 } }, 96, { period = billing.period("2023-03-26", "2023-03-27", "Europe/Berlin") } },
  { "a total in steps of five cents: 10.5 × 7.01 = 73.605, 73.61, 73.60",
    { currency = "CHF", unit = "Mbps", price = 701, total_step = 5 }, 10.5 * MBPS, { { "Usage", 7361 } }, 7360 },
  { "and upwards", { currency = "CHF", unit = "Mbps", price = 701, total_step = 5, rounding = { total = "up" } }, 10.5 * MBPS,
    { { "Usage", 7361 } }, 7365 },
  -- 37,500,001 octets are 1,000,000.02666… bit/s: rounded to whole bit/s before it is priced, or not.
  { "the rate is rounded to whole bits per second first", { unit = "bps", price = 1 }, MBPS + 1, { { "Usage", 1000000 } }, 1000000 },
  { "upwards where it is said", { unit = "bps", price = 1, rounding = { rate = "up" } }, MBPS + 1, { { "Usage", 1000001 } }, 1000001 },
  { "or not at all: × 30", { unit = "bps", price = 30, rounding = { rate = "none" } }, MBPS + 1, { { "Usage", 30000001 } }, 30000001 },
  { "a volume follows the direction: both sides", { measure = "volume", unit = "GB", price = 1 }, 2000000000, { { "Usage", 25920 } }, 25920,
    { outbound = 1000000000, usage = { direction = "sum" } } },
  { "a volume follows the direction: the higher side", { measure = "volume", unit = "GB", price = 1 }, 1000000000, { { "Usage", 17280 } }, 17280,
    { outbound = 2000000000 } },
  { "a volume follows the direction: one side", { measure = "volume", unit = "GB", price = 1 }, 2000000000, { { "Usage", 8640 } }, 8640,
    { outbound = 1000000000, usage = { direction = "outbound" } } },
}

describe("a tariff", function()
  for _, case in ipairs(CASES) do
    it("worked by hand: " .. case[1], function()
      local bill = bill_of(case[2], case[3], case[6])
      assert.same(case[4], lines_of(bill))
      assert.equal(case[5], bill.total)
      if math.type then assert.equal("integer", math.type(bill.total)) end
      -- What was rounded is kept, with what it was before.
      for _, line in ipairs(bill.lines) do
        assert.equal(bigint.text(line.amount), bigint.text(fraction.round(line.exact, bill.rounding.line)))
      end
    end)
  end

  it("names each rounding with the value before and after", function()
    local bill = bill_of({ unit = "Mbps", step = 1, price = 700, total_step = 5 }, 120.5 * MBPS + 1)
    local steps = {}
    for _, step in ipairs(bill.members[1].steps) do
      steps[#steps + 1] = ("%s %s %s %s"):format(step.point, step.rounding, fraction.text(step.from), fraction.text(step.to))
    end
    assert.same({ "rate half_up 120500000.026666666666… 120500000", "units up 120.5 121" }, steps)
    assert.same({ rate = "half_up", units = "up", line = "half_up", total = "half_up" }, bill.rounding)
    assert.equal("total", bill.steps[1].point)
  end)

  it("rounds below zero as above it: halves and up away from zero, down towards it", function()
    -- 15 of 30 days: -5 / 2 = -2.5 and -7 / 2 = -3.5.
    local half = billing.period("2023-11-16", "2023-12-01", "UTC")
    for how, amounts in pairs { half_up = { -3, -4 }, half_even = { -2, -4 }, up = { -3, -4 }, down = { -2, -3 } } do
      local bill = bill_of({ unit = "Mbps", price = 0, rounding = { line = how },
        fees = { { name = "a", amount = -5, prorate = true }, { name = "b", amount = -7, prorate = true } } }, MBPS, { period = half })
      assert.same({ { "Usage", 0 }, { "a", amounts[1] }, { "b", amounts[2] } }, lines_of(bill), how)
    end
  end)

  it("takes a volume's direction from the whole period with higher_sample too", function()
    -- Inbound 4,320 × 3 GB, outbound 4,320 × 4 GB, by turns: the higher sample's would be 4,320 × 7.
    local one, other = {}, {}
    for i = 1, MONTH.intervals do
      local at = MONTH.from + (i - 1) * 300
      one[i], other[i] = { at, i % 2 == 0 and 3000000000 or 0 }, { at, i % 2 == 0 and 0 or 4000000000 }
    end
    local bill = assert(billing.invoice { customer = "c", samples = assert(billing.samples(MONTH, { inbound = one, outbound = other })),
      usage = { direction = "higher_sample" }, tariff = { currency = "EUR", measure = "volume", unit = "GB", price = 1 } })
    assert.equal(17280, bill.total)
  end)

  it("bills a part of a month by the days that there were", function()
    -- 30 December 2011 was skipped in Samoa: 15 of 30 days.
    local bill = bill_of({ unit = "Mbps", price = 0, fees = { { name = "Port", amount = 31000, prorate = true } } }, MBPS,
      { period = billing.period("2011-12-16", "2012-01-01", "Pacific/Apia") })
    assert.equal(15500, bill.total)
  end)

  it("says how much of the commit is used", function()
    assert.equal("120.50", bill_of({ unit = "Mbps", commit = 100, commit_price = 1, price = 1 }, 120.5 * MBPS).used)
    assert.is_nil(bill_of({ unit = "Mbps", commit = 0, price = 1 }, MBPS).used)
  end)

  it("is exact beyond 2^53 and 2^63", function()
    -- 9007199254740993 octets × 8 / 300 are 240191980126426.48 bit/s, to whole ones …426.
    -- python: 240191980126426 * 123456789123 = 29653330639503981561664398
    local bill = bill_of({ unit = "bps", price = "123456789.123" }, "9007199254740993")
    assert.equal("29653330639503981561664", bigint.text(bill.total))
    assert.equal("29653330639503981561664.398", fraction.text(bill.lines[1].exact))
    -- 300 × 2^53 + 300 octets are 2^56 + 8 bit/s: no double holds it.
    bill = bill_of({ unit = "bps", price = 1 }, "2702159776422297900")
    assert.equal("72057594037927944", bigint.text(bill.total))
  end)

  it("pools members: the sum of their use against the sum of their commits", function()
    local function member(name, mbps, commit) return { name = name, samples = flat(MONTH, mbps * MBPS), commit = commit } end
    -- 150.2 and 20.1 are 151 and 21, 172 together, of 200: nothing is over, though one is over its own 100.
    local tariff = { currency = "EUR", unit = "Mbps", step = 1, commit_price = 500, price = 700 }
    local bill = assert(billing.invoice { customer = "c", tariff = tariff, members = { member("a", 150.2, 100), member("b", 20.1, 100) } })
    assert.same({ { "Commit", 100000 }, { "Over the commit", 0 } }, lines_of(bill))
    assert.equal("172", fraction.text(bill.units))
    assert.equal("86.00", bill.used)
    -- 172 of 150: 22 × 7.00.
    bill = assert(billing.invoice { customer = "c", tariff = tariff, members = { member("a", 150.2, 100), member("b", 20.1, 50) } })
    assert.same({ { "Commit", 75000 }, { "Over the commit", 15400 } }, lines_of(bill))
    -- A pool may have one commit for all.
    tariff.commit = 170
    for _, case in ipairs {
      { { { name = "a", samples = flat(MONTH, MBPS), comit = 1 } }, 'member 1: got "comit"; allowed: commit, name, samples; did you mean "commit"?' },
      { { member("a", 1), member("b", 1, 5) }, "commit: set it in the tariff or for the members, not both" },
      { { member("a", 1), x = member("b", 1) }, "members: got a table" },
    } do
      local ok, message = pcall(function() billing.invoice { customer = "c", tariff = tariff, members = case[1] } end)
      assert.is_false(ok)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end
    bill = assert(billing.invoice { customer = "c", tariff = tariff, members = { member("a", 150.2), member("b", 20.1) } })
    assert.same({ { "Commit", 85000 }, { "Over the commit", 1400 } }, lines_of(bill))
  end)

  it("pools a part of a month only when told what to do with the commits", function()
    local day = billing.period(MONTH.from, MONTH.from + 86400)
    local function pooled(prorate)
      return billing.invoice { customer = "c", members = { { name = "a", samples = flat(day, 0), commit = 100 } },
        tariff = { currency = "EUR", unit = "Mbps", commit_price = 500, price = 700, prorate_commit = prorate } }
    end
    local ok, message = pcall(function() pooled(nil) end)
    assert.is_false(ok)
    assert.matches("invoice: prorate_commit: the period is not a whole month; set true or false", message)
    assert.equal(50000, assert(pooled(false)).total)
    assert.equal(1667, assert(pooled(true)).total) -- 500.00 / 30 = 16.666…
  end)

  it("with tiers: the slices are the whole, more never costs less, and equal prices are one price", function()
    local tariff = require "scrutinizer.billing.tariff"
    for _ = 1, 50 do
      local tiers, up_to = {}, 0
      for i = 1, math.random(1, 5) do
        up_to = up_to + math.random(1, 40)
        tiers[i] = { up_to = up_to, price = math.random(0, 9) }
      end
      tiers[#tiers].up_to = nil
      local t, equal = { unit = "Mbps", tiers = tiers }, { unit = "Mbps", tiers = {} }
      for i, tier in ipairs(tiers) do equal.tiers[i] = { up_to = tier.up_to, price = 7 } end
      local before = 0
      for units = 0, 200, 10 do
        local bill = tariff.price(t, MONTH, fraction.new(units))
        local sum = fraction.new(0)
        for _, line in ipairs(bill.lines) do sum = fraction.add(sum, line.quantity) end
        assert.equal(units, sum.numerator)
        assert.is_true(bill.total >= before)
        assert.equal(7 * units, tariff.price(equal, MONTH, fraction.new(units)).total)
        before = bill.total
      end
    end
  end)

  it("bills linear and means from a named rounding only", function()
    local samples = flat(MONTH, MBPS)
    for _, usage in ipairs { { method = "linear" }, { take = "mean_next", take_fraction = 0.15 } } do
      for _, rounding in ipairs { false, { rate = "none" }, { line = "up" } } do
        local ok, message = pcall(function()
          billing.invoice { customer = "c", samples = samples, usage = usage,
            tariff = { currency = "EUR", unit = "Mbps", price = 1, rounding = rounding or nil } }
        end)
        assert.is_false(ok)
        assert.matches("tariff_spec%.lua:%d+: invoice: rounding%.rate: a percentile that lies between samples", message)
      end
      local bill = assert(billing.invoice { customer = "c", samples = samples, usage = usage,
        tariff = { currency = "EUR", unit = "Mbps", price = 700, rounding = { rate = "half_even" } } })
      assert.equal(700, bill.total)
    end
  end)

  for _, case in ipairs {
    { {}, "currency: got nil" }, { { currency = "EUR" }, "unit: got nil; allowed: Gbps" },
    { { currency = "EUR", unit = "Mb", price = 1 }, 'unit: got "Mb"; allowed: Gbps' },
    { { currency = "EUR", unit = "GB", price = 1 }, 'unit: got "GB"' }, { { currency = "eur", unit = "Mbps", price = 1 }, 'currency: got "eur"' },
    { { unit = "Mbps" }, "either price or tiers" }, { { unit = "Mbps", price = 1, tiers = {} }, "either price or tiers" },
    { { unit = "Mbps", tiers = {} }, "tiers: got" }, { { unit = "Mbps", tiers = { { up_to = 1, price = 1 } } }, "the last tier must have no up_to" },
    { { unit = "Mbps", tiers = { { up_to = 2, price = 1 }, { up_to = 1, price = 1 }, { price = 1 } } }, "tier 2: up_to must be greater" },
    { { unit = "Mbps", price = 1, fees = { { name = "x", amount = 1, prorated = true } } }, 'fee 1: got "prorated"; allowed: amount, name, prorate' },
    { { unit = "Mbps", price = 1, fees = { name = "x", amount = 1 } }, "fees: got a table" },
    { { unit = "Mbps", price = 1, fees = { { name = "x", amount = 1 }, { name = "\255", amount = 1 } } }, "fee 2: name and whole minor units" },
    { { unit = "Mbps", tiers = { { upto = 10, price = 1 }, { price = 2 } } }, 'tier 1: got "upto"; allowed: price, up_to; did you mean "up_to"?' },
    { { unit = "Mbps", tiers = { { up_to = 10, price = 1 }, { price = 2 }, last = 1 } }, "tiers: got a table" },
    { { unit = "Mbps", price = 1, commit_fee = 5 }, "commit_fee: it has no effect without commit" },
    { { unit = "Mbps", price = 1, commit_price = 5 }, "commit_price: it has no effect without commit" },
    { { unit = "Mbps", price = 1, prorate_commit = false }, "prorate_commit: it has no effect without commit" },
    { { unit = "Mbps", price = 1, tiering = "volume" }, "tiering: it has no effect without tiers" },
    { { unit = "Mbps", price = 1, prorate = "days" }, "prorate: it has no effect without a fee" },
    { { unit = "Mbps", price = 1, prorate_minimum = true }, "prorate_minimum: it has no effect without minimum" },
    { { unit = "Mbps", price = 1, prorate_cap = true }, "prorate_cap: it has no effect without cap" },
    { { unit = "Mbps", price = 1, minimum = 5, cap = 4 }, "minimum: it is over the cap" },
    { { unit = "Mbps", price = 1, minimum = 5, prorate_minimum = 1 }, "prorate_minimum: got 1; allowed: true or false" },
    { { unit = "Mbps", price = 1, cap = -1 }, "cap: got -1" },
    { { unit = "Mbps", price = 1, rounding = { units = "up" } }, "rounding.units: it has no effect without step" },
    { { unit = "Mbps", price = 1, rounding = { total = "up" } }, "rounding.total: it has no effect without total_step" },
    { { unit = "Mbps", price = 1, rounding = { tax = "up" } }, "rounding.tax: it has no effect without taxes" },
    { { measure = "volume", unit = "GB", price = 1, rounding = { rate = "up" } }, 'rounding.rate: it has no effect without measure = "rate"' },
    { { unit = "Mbps", price = 1, currency = "ZZZ" }, 'currency: got "ZZZ"; allowed: a code of ISO 4217' },
    { { unit = "Mbps", price = 1, currency = "XAU" }, 'currency: got "XAU"' },
    { { unit = "Mbps", price = 1, taxes = { { name = "VAT" } } }, "tax 1: set either rate or reverse_charge" },
    { { unit = "Mbps", price = 1, taxes = { { name = "VAT", rate = 101 } } }, "tax 1: rate: got 101" },
    { { unit = "Mbps", price = 1, taxes = { { rate = 19 } } }, "tax 1: name: got nil" },
    { { unit = "Mbps", price = 1, taxes = { { name = "VAT", percent = 19 } } }, 'tax 1: got "percent"' },
    { { unit = "Mbps", tiers = { { up_to = 2 }, { price = 1 } } }, "tier 1: price" }, { { unit = "Mbps", price = -1 }, "price: got -1" },
    { { unit = "Mbps", price = "1,5" }, 'price: got "1,5"' }, { { unit = "Mbps", price = 1, step = 0 }, "step: got 0" },
    { { unit = "Mbps", price = 1, minimum = 1.5 }, "minimum: got 1.5" }, { { unit = "Mbps", price = 1, decimals = 12 }, "decimals: got 12" },
    { { unit = "Mbps", price = 1, rounding = { line = "nearest" } }, 'rounding.line: got "nearest"' },
    { { unit = "Mbps", price = 1, rounding = { lines = "up" } }, 'rounding: got "lines"' },
      { { unit = "Mbps", price = 1, rounding = { line = "none" } }, "rounding.line" },
    { { unit = "Mbps", price = 1, fees = { { name = "x", amount = 1.5 } } }, "fee 1: name and whole minor units" },
    { { unit = "Mbps", price = 1, comit = 5 }, 'did you mean "commit"' },
      { { unit = "Mbps", price = 1, commit_price = 1, commit_fee = 1 }, "either commit_price or" },
    { { unit = "Mbps", price = 1, tiering = "slices" }, 'tiering: got "slices"' },
      { { unit = "Mbps", price = 1, total_step = "0.5" }, "total_step: got" },
    { { unit = "Mbps", price = 1, commit = 1 }, "prorate_commit: the period is not a whole month", PART },
    { { unit = "Mbps", price = 1, minimum = 100, cap = 101, prorate_cap = true }, "minimum: in this part of a month it is over the cap", PART },
    { { unit = "Mbps", price = 1, fees = { { name = "x", amount = 1, prorate = true } } }, "whole days", billing.period(MONTH.from + 300, MONTH.to) },

      { { unit = "Mbps", price = 1, fees = { { name = "x", amount = 1, prorate = true } } },
      "within one month", billing.period("2023-11-10", "2023-12-10") },
  } do
    it("refuses at the caller's line: " .. case[2], function()
      if case[1].unit and not case[1].currency then case[1].currency = "EUR" end
      local samples = flat(case[3] or billing.period(MONTH.from, MONTH.from + 86400), 1)
      local ok, message = pcall(function() billing.invoice { customer = "c", samples = samples, tariff = case[1] } end)
      assert.is_false(ok)
      assert.matches("tariff_spec%.lua:%d+: invoice: ", message)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end)
  end
end)
