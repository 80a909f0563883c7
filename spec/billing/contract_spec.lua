-- Contracts as they are written: minimum and cap, taxes, currencies, credit notes, exclusions, parties, custom rules. Worked by hand.
local billing = require "scrutinizer.billing"
local core = require "scrutinizer.core"
local support = require "spec.support"

local MONTH = billing.month("2023-11", "UTC")
local MBPS = 37500000 -- octets of five minutes at 1 Mbit/s

local function samples(of, octets)
  local points = {}
  for i = 1, of.intervals do
    local at = of.from + (i - 1) * 300
    points[i] = { at, type(octets) == "function" and octets(at, i) or octets }
  end
  return assert(billing.samples(of, { inbound = points }))
end

local function invoice(of, octets, tariff, more)
  local all = { customer = "ACME", samples = samples(of, octets), tariff = { currency = "EUR", unit = "Mbps", price = 700 } }
  for name, value in pairs(tariff) do all.tariff[name] = value end
  for name, value in pairs(more or {}) do all[name] = value end
  return assert(billing.invoice(all))
end

local function lines_of(bill)
  local list = {}
  for i, line in ipairs(bill.lines) do list[i] = { line.name, line.amount } end
  return list
end

local function again(bill, options)
  local path = os.tmpname()
  assert(bill:save(path))
  local made, done = billing.verify(path, options)
  os.remove(path)
  if made then assert.equal(bill:json(), made:json()) end
  return made, done
end

describe("a contract", function()
  local PART = billing.period("2023-11-10", "2023-12-01") -- 21 of 30 days
  for _, case in ipairs {
    { "a minimum stays whole in a part of a month: 70.00 up to 250.00", { minimum = 25000 }, 10,
      { { "Usage", 7000 }, { "Up to the minimum charge", 18000 } }, 25000 },
    { "or is prorated: 250.01 × 0.7 = 175.007", { minimum = 25001, prorate_minimum = true }, 10,
      { { "Usage", 7000 }, { "Up to the minimum charge", 10501 } }, 17501 },
    { "a cap: 700.00 down to 500.00; fees come on top", { cap = 50000, fees = { { name = "Port", amount = 100 } } }, 100,
      { { "Usage", 70000 }, { "Down to the cap", -20000 }, { "Port", 100 } }, 50100 },
    { "a prorated cap: 500.00 × 0.7", { cap = 50000, prorate_cap = true }, 100, { { "Usage", 70000 }, { "Down to the cap", -35000 } }, 35000 },
    { "a cap that is not reached", { cap = 70000, minimum = 70000 }, 100, { { "Usage", 70000 } }, 70000 },
    { "a cap on the commit too", { cap = 50000, commit = 100, prorate_commit = false }, 110,
      { { "Commit", 70000 }, { "Over the commit", 7000 }, { "Down to the cap", -27000 } }, 50000 },
  } do
    it("has " .. case[1], function()
      local bill = invoice(PART, case[3] * MBPS, case[2])
      assert.same(case[4], lines_of(bill))
      assert.equal(case[5], bill.total)
      local shown = bill.minimum or bill.cap
      assert.matches(("\n%s +%d.%02d EUR\n"):format(bill.minimum and "Minimum" or "Cap", math.floor(shown / 100), shown % 100), bill:text())
      assert.is_truthy(again(bill))
    end)
  end

  it("is prorated by its cycle: 15 of the 31 days from 16 December", function()
    local bill = invoice(billing.period("2024-01-01", "2024-01-16", "Europe/Berlin", 16), MBPS,
      { price = 0, fees = { { name = "Port", amount = 31000, prorate = true } } })
    assert.equal(15000, bill.total)
    assert.matches("Port +310%.00 × 15/31 of the cycle +150%.00\n", bill:text())
    assert.is_truthy(again(bill))
    bill = invoice(billing.cycle("2023-12", 16), MBPS, { price = 0, fees = { { name = "Port", amount = 31000, prorate = true } } })
    assert.equal(31000, bill.total)
    assert.matches("the cycle of 2023%-12 from day 16", bill:text())
  end)

  it("has taxes on the sum of all lines, each rounded, and none where the customer pays it", function()
    -- 70.00 + 9.99 = 79.99; 19 % = 15.1981, 1.5 % = 1.19985.
    local tariff = { fees = { { name = "Port", amount = 999 } }, taxes = { { name = "VAT", rate = 19 }, { name = "Levy", rate = "1.5" } } }
    local bill = invoice(MONTH, 10 * MBPS, tariff)
    assert.same({ 7999, 1520, 120, 9639 }, { bill.subtotal, bill.taxes[1].amount, bill.taxes[2].amount, bill.total })
    tariff.rounding = { tax = "up" }
    assert.equal(9639 + 0, invoice(MONTH, 10 * MBPS, tariff).total) -- 1520 and 120 upwards too
    tariff.rounding, tariff.total_step = { tax = "down", total = "down" }, 5
    bill = invoice(MONTH, 10 * MBPS, tariff) -- 79.99 + 15.19 + 1.19 = 96.37, down to 96.35
    assert.same({ 1519, 119, 9635 }, { bill.taxes[1].amount, bill.taxes[2].amount, bill.total })
    assert.matches("Subtotal  +79%.99\nVAT  +19 %% of 79%.99 +15%.19\nLevy  +1%.5 %% of 79%.99 +1%.19\n%-+\nTotal EUR +96%.35\n", bill:text())
    assert.is_truthy(bill:csv():find(',VAT,19,%,79.99,,15.19,EUR\r\n', 1, true))
    assert.is_truthy(bill:csv():find(",Subtotal,,,,,79.99,EUR\r\n", 1, true))
    assert.is_truthy(bill:html():find('<td>VAT</td><td class="n">19 % of 79.99</td><td class="n">15.19</td>', 1, true))
    assert.is_truthy(again(bill))
    bill = invoice(MONTH, 10 * MBPS, { taxes = { { name = "VAT", reverse_charge = "Reverse charge: the customer owes the tax" } } })
    assert.same({ 7000, 0, 7000 }, { bill.subtotal, bill.taxes[1].amount, bill.total })
    assert.matches("VAT +Reverse charge: the customer owes the tax +0%.00\n", bill:text())
  end)

  -- ISO 4217: the yen has no minor unit, the dinar of Kuwait three digits, the unit of Chile four.
  for code, text in pairs { JPY = "90,000", KWD = "90.000", EUR = "900.00", CLF = "9.0000" } do
    it("counts the digits of " .. code, function()
      local bill = invoice(MONTH, 100 * MBPS, { currency = code, price = 900 })
      assert.equal(90000, bill.total)
      assert.is_truthy(bill:text():gsub(" +", " "):find(("\nTotal %s %s\n"):format(code, text), 1, true), bill:text())
    end)
  end

  it("says credit note where the total is negative, taxes with it", function()
    local bill = invoice(MONTH, 0, { fees = { { name = "Credit for the outage", amount = -1050 } },
      taxes = { { name = "VAT", rate = 19 } } }, { number = "9" })
    -- -10.50 × 0.19 = -1.995: halves go away from zero.
    assert.same({ "credit_note", -200, -1250 }, { bill.document, bill.taxes[1].amount, bill.total })
    assert.matches("^Credit note +9\n", bill:text())
    assert.matches("<title>Credit note 9, ACME</title>", bill:html())
    assert.is_truthy(again(bill))
    assert.equal("invoice", invoice(MONTH, 0, {}).document)
  end)

  it("shows both sides, dates and free text", function()
    local bill = invoice(MONTH, MBPS, {}, { number = "7", issued = "2023-12-01", due = "2023-12-31", note = "Thank you.\nPay by transfer.",
      seller = { name = "Carrier <AG>", address = "1 Road\n8000 Town", tax_number = "CHE-1", contact = "bills@example.net" },
      buyer = { address = "2 Street", reference = "PO 5\27[31m" } })
    for _, line in ipairs { "Seller               Carrier <AG>", "Seller: address      1 Road, 8000 Town", "Seller: tax number   CHE-1",
      "Customer: address    2 Street", "Customer: reference  PO 5\\x1B[31m", "Date                 2023-12-01", "Payable until        2023-12-31",
      "Note                 Thank you., Pay by transfer." } do
      assert.is_truthy(bill:text():find("\n" .. line .. "\n", 1, true), line .. "\n" .. bill:text())
    end
    assert.is_truthy(bill:html():find("Carrier &lt;AG&gt;", 1, true))
    assert.is_truthy(again(bill))
  end)

  for _, case in ipairs {
    { { seller = { address = "x" } }, "seller.name: got nil" }, { { seller = { name = "x", vat = "y" } }, 'seller: got "vat"' },
    { { buyer = { name = "x" } }, 'buyer: got "name"' }, { { buyer = {} }, "buyer: got a table" },
    { { buyer = { address = " " } }, 'buyer.address: got " "' },
    { { issued = "2023-02-30" }, 'issued: got "2023-02-30"' }, { { due = 20231231 }, "due: got 20231231" },
    { { issued = "2023-12-02", due = "2023-12-01" }, "due: it is before issued" }, { { note = "" }, 'note: got ""' },
    { { rule = { name = "x" } }, "rule: got a table; allowed: what billing.rule gives" },
    { { usage = { exclude = { { name = "x", reason = "y", from = 0 } } } }, "exclusion 1: to: got nil" },
    { { usage = { exclude = { { name = "x", from = 0, to = 1 } } } }, "exclusion 1: reason: got nil" },
    { { usage = { exclude = { { name = "x", reason = "y", from = "2023-10-01", to = "2023-10-02" } } } },
      'exclusion 1 ("x"): no sample of the period begins in it' },
    { { usage = { exclude = { { name = "x", reason = "y", weekdays = { "Mon" }, from = "00:00", to = "24:00" } } } },
      'exclusion 1: weekdays: got "Mon"' },
    { { usage = { exclude = { { name = "x", reason = "y", weekdays = { "mon", "mon" }, from = "00:00", to = "24:00" } } } }, "each once" },
    { { usage = { exclude = { { name = "x", reason = "y", weekdays = { "mon" }, from = "24:00", to = "24:00" } } } }, 'from: got "24:00"' },
    { { usage = { exclude = { { name = "x", reason = "y", weekdays = { "mon" }, from = "1:00", to = "24:00" } } } }, 'from: got "1:00"' },
    { { usage = { exclude = { { name = "x", reason = "y", weekday = "mon", from = 0, to = 1 } } } }, 'exclusion 1: got "weekday"' },
  } do
    it("refuses at the caller's line: " .. case[2], function()
      local all = { customer = "c", samples = samples(MONTH, 1), tariff = { currency = "EUR", unit = "bps", price = 1 } }
      for name, value in pairs(case[1]) do all[name] = value end
      local ok, message = pcall(function() billing.invoice(all) end)
      assert.is_false(ok)
      assert.matches("contract_spec%.lua:%d+: invoice: ", message)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end)
  end
end)

describe("a line's speed", function()
  -- examples/sandbox/state/names.sql: 10 Gbit/s, but 10 Mbit/s at 192.0.2.3's third.
  it("is that of the customer's interfaces together", function()
    local client = support.connect()
    assert.equal(10010000000, billing.line_speed(client, { interfaces = { { "192.0.2.1", 8 }, { "192.0.2.3", 3 } } }))
    assert.equal(10000000000, billing.line_speed(client, { interfaces = { { "core-1.example.net", "8 - Uplink 1 (xe-0/0/1)" } } }))
    local speed, err = billing.line_speed(client, { interfaces = { { "192.0.2.1", 99 } } })
    assert.is_nil(speed)
    assert.equal('interface 99 of "192.0.2.1": the appliance does not show it; set line_speed yourself', err.message)
    local ok, message = pcall(function() billing.line_speed(client, { ip = "10.8.0.1", exporter = "all" }) end)
    assert.is_false(ok)
    assert.matches("contract_spec%.lua:%d+: line_speed: interfaces: got nil", message)
  end)
end)

describe("an exclusion", function()
  -- Europe/Berlin, Sunday 29 October 2023: 25 hours; the clock shows 02:00 to 03:00 twice.
  local DAY = billing.period("2023-10-29", "2023-10-30", "Europe/Berlin")

  it("takes an attack out of the bill, and is told apart from what is missing", function()
    local day = billing.period("2023-11-15", "2023-11-16")
    local function octets(at) return at >= day.from + 3600 and at < day.from + 10800 and 100 * MBPS or MBPS end
    local set = samples(day, octets)
    set.inbound[1].values[1], set.inbound[1].values[13] = false, false -- one missing, and one within the attack
    local bill = assert(billing.invoice { customer = "c", samples = set, tariff = { currency = "EUR", unit = "Mbps", price = 100 },
      usage = { missing = "carry",
        exclude = { { name = "Attack", reason = "announced to the carrier", from = "2023-11-15T01:00", to = "2023-11-15 03:00" } } } })
    local used = bill.members[1].usage
    -- 24 of 288 are excluded; of the others one is missing. 263 / 264 = 99.62 %. Without the attack all are 1 Mbit/s.
    assert.same({ 24, 264, 1, 263, "99.62", 264, 100 },
      { used.excluded, used.expected, used.missing, used.present, used.coverage, used.n, bill.total })
    assert.same({ { name = "Attack", reason = "announced to the carrier", samples = 24, octets = { inbound = 2300 * MBPS },
      ranges = { { day.from + 3600, day.from + 10800 } } } }, used.exclusions)
    assert.equal(263 * MBPS, used.totals.inbound)
    assert.matches("Excluded: Attack +announced to the carrier; 24 samples, 86,250,000,000 octets inbound\n", bill:text())
    assert.matches("263 of 264, 99%.62 %%; 1 missing, counted as: carry; 24 excluded\n", bill:text())
    local html = bill:html()
    assert.is_truthy(html:find("<summary>24 excluded: Attack, samples</summary>", 1, true))
    assert.is_truthy(html:find("2023-11-15 01:00:00 +0000 to 2023-11-15 03:00:00 +0000", 1, true))
    assert.is_truthy(html:find("<summary>1 missing samples</summary>", 1, true))
    assert.is_truthy(again(bill))
  end)

  -- Counted by hand: the hour from 02:00 comes twice; the night from Saturday 22:00 to Sunday 06:00 has 7 hours of this day.
  for _, case in ipairs {
    { "the hour that comes twice", { "sun" }, "02:00", "03:00", 24 }, { "the night before, to 06:00", { "sat" }, "22:00", "06:00", 84 },
    { "this day's night, from 22:00", { "sun" }, "22:00", "06:00", 24 }, { "both nights", { "sat", "sun" }, "22:00", "06:00", 108 },
    { "not on other days", { "mon", "fri" }, "00:00", "24:00", 0 }, { "all but the last five minutes", { "sun" }, "00:00", "23:55", 299 },
  } do
    it("follows the clock of the zone: " .. case[1], function()
      local entry = { name = "x", reason = "y", weekdays = case[2], from = case[3], to = case[4] }
      assert.equal(case[5], assert(billing.usage(samples(DAY, 1), { exclude = { entry } })).excluded)
    end)
  end

  it("counts a sample once, and refuses when nothing is left", function()
    local list = { { name = "a", reason = "r", from = DAY.from, to = DAY.from + 3600 },
      { name = "b", reason = "r", from = DAY.from + 1800, to = DAY.from + 7200 } }
    local used = assert(billing.usage(samples(DAY, 5), { exclude = list }))
    assert.same({ 24, 12, 12 }, { used.excluded, used.exclusions[1].samples, used.exclusions[2].samples })
    local result, err = billing.usage(samples(DAY, 5), { exclude = { { name = "all", reason = "r", from = DAY.from, to = DAY.to } } })
    assert.is_nil(result)
    assert.equal("all samples are excluded", err.message)
  end)
end)

describe("a custom rule", function()
  local day = billing.period("2023-11-17", "2023-11-18", "America/New_York") -- a Friday
  local seen
  -- Nights count half, Friday evenings are free, and there is a line for it.
  local function apply(list, of)
    seen = { list[1], #list, of.timezone }
    local kept = {}
    for _, sample in ipairs(list) do
      if sample.hour < 6 then sample.inbound = sample.inbound / 2 end
      if not (sample.weekday == "fri" and sample.hour >= 18) then kept[#kept + 1] = sample end
    end
    return { samples = kept, lines = { { name = "Evening flat rate", amount = 500 } } }
  end
  local function octets(at) return (at - day.from < 21600 and 4 or 1) * MBPS end
  local function rule(more)
    local all = { name = "evenings", version = "3", apply = apply }
    for name, value in pairs(more or {}) do all[name] = value end
    return billing.rule(all)
  end

  it("gets samples with their local time, and gives samples and lines", function()
    local bill = invoice(day, octets, { price = 100 }, { rule = rule() })
    assert.same({ { epoch = day.from, inbound = 2 * MBPS, year = 2023, month = 11, day = 17,
      hour = 0, min = 0, weekday = "fri" }, 288, "America/New_York" }, seen)
    local used = bill.members[1].usage
    -- 72 of 288 are left out; of the other 216 rank ceil(205.2) = 206 is a night's: 2 Mbit/s.
    assert.same({ 216, 206, 72, 2 * MBPS }, { used.n, used.rank, used.excluded, used.octets.numerator })
    assert.same({ { "Usage", 200 }, { "Evening flat rate", 500 } }, lines_of(bill))
    assert.same({ name = "evenings", reason = "rule, version 3", samples = 72, octets = { inbound = 0 }, ranges = { { day.from + 64800, day.to } } },
      used.exclusions[1])
    assert.matches("\nCustom rule: evenings, version 3, SHA%-256 of its source %x+\n", bill:text())
    assert.is_truthy(bill:html():find("<th>Custom rule</th>", 1, true))
  end)

  it("is known by the hash of its source: the lines of its file", function()
    local info = debug.getinfo(apply, "S")
    local path = os.tmpname()
    support.shell(("sed -n '%d,%dp' spec/billing/contract_spec.lua | head -c -1 >%s"):format(info.linedefined, info.lastlinedefined, path))
    assert.equal(support.shell("sha256sum " .. path):match "%x+", rule().source_sha256)
    os.remove(path)
    assert.equal(core.sha256 "text of it", rule({ source = "text of it" }).source_sha256)
  end)

  it("is run again by verify when it is handed over, and else said to be not run", function()
    local bill = invoice(day, octets, { price = 100 }, { rule = rule() })
    local made, done = again(bill)
    assert.is_truthy(made)
    assert.same({ rule = "not run" }, done)
    assert.same({ rule = "run again" }, select(2, again(bill, { rule = rule() })))
    for _, case in ipairs {
      { rule { version = "4" }, 'rule.version: the bill has "3", the rule "4"' }, { rule { name = "x" }, "rule.name: the bill has" },
      { rule { source = "other" }, "rule.source_sha256: the bill has" },
    } do
      local none, err = again(bill, { rule = case[1] })
      assert.is_nil(none)
      assert.is_truthy(err.message:find(case[2], 1, true), err.message)
    end
    -- The same source that gives something else now.
    local amount = 1
    local function counts() return { lines = { { name = "x", amount = amount } } } end
    local counting = billing.rule { name = "n", version = "1", apply = counts }
    bill = invoice(day, octets, { price = 100 }, { rule = counting })
    assert.is_truthy(again(bill, { rule = counting }))
    amount = 2
    assert.equal("the rule gives other samples or lines for member 1 than the bill has", select(2, again(bill, { rule = counting })).message)
    assert.equal("the bill has no custom rule", select(2, again(invoice(day, octets, {}), { rule = counting })).message)
  end)

  for _, case in ipairs {
    { function() error(setmetatable({}, { __tostring = function() error "no text" end })) end, "no text" },
    { function() error "no such day" end, "no such day" }, { function() end, "result: got nil; allowed: { samples =, lines = }" },
    { function() return { line = {} } end, 'result: got "line"' },
    { function() return { lines = { { name = "x", amount = 1.5 } } } end, "line 1: amount: got 1.5" },
    { function() return { samples = { { epoch = 5 } } } end, "sample 1: epoch: got 5" },
    { function(list) return { samples = { list[1], list[1] } } end, "sample 2: epoch: got" },
    { function(list) list[2].inbound = -1; return { samples = list } end, "sample 2: inbound: got -1" },
    { function(list) list[2].outbound = 1; return { samples = list } end, "sample 2: outbound: the customer has no such samples" },
    { function(list) list[2].octets = 1; return { samples = list } end, 'sample 2: got "octets"' },
  } do
    it("makes no bill when it fails: " .. case[2], function()
      local bill, err = billing.invoice { customer = "c", samples = samples(day, 1), tariff = { currency = "EUR", unit = "bps", price = 1 },
        rule = billing.rule { name = "bad", version = "1", apply = case[1] } }
      assert.is_nil(bill)
      assert.equal("bill", err.kind)
      assert.matches("^rule bad, version 1: ", err.message)
      assert.is_truthy(err.message:find(case[2], 1, true), err.message)
    end)
  end

  for _, case in ipairs {
    { 5, "rule: got 5" }, { { name = "x", version = "1" }, "apply: got nil" }, { { name = "x", version = 1, apply = apply }, "version: got 1" },
    { { version = "1", apply = apply }, "name: got nil" },
    { { name = "x", version = "1", apply = print }, "source: Lua does not know the text of apply" },
    { { name = "x", version = "1", apply = apply, sauce = "" }, 'rule: got "sauce"' },
  } do
    it("is refused at the caller's line: " .. case[2], function()
      local ok, message = pcall(function() billing.rule(case[1]) end)
      assert.is_false(ok)
      assert.matches("contract_spec%.lua:%d+: rule: ", message)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end)
  end
end)
