-- An invoice as text, CSV, JSON and a page; saved, verified, tampered with.
local billing = require "scrutinizer.billing"
local cjson = require "cjson"
local core = require "scrutinizer.core"
local bigint = require "scrutinizer.arithmetic.bigint"
local export = require "scrutinizer.export"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local DAY = billing.period("2023-10-29", "2023-10-30", "Europe/Berlin") -- 25 hours, 300 samples
local HOSTILE = '<script>alert("x")</script> & \27[31m=1+1'

-- 300 samples of 1,000,000 to 300,000,000 octets inbound, a third of them outbound: ceil(0.95 × 300) = the 285th.
local function samples()
  local one, other = {}, {}
  for i = 1, DAY.intervals do
    local at = DAY.from + (i - 1) * 300
    one[i], other[i] = { at, (i * 7 % 300 + 1) * 1000000 }, { at, (i * 7 % 300 + 1) * 333333 }
  end
  table.remove(other, 200)
  return assert(billing.samples(DAY, { inbound = { { name = HOSTILE, points = one } }, outbound = other }))
end

local function given(more)
  local all = {
    customer = HOSTILE, number = "2023-10/7", samples = samples(), usage = { missing = "zero" },
    tariff = { currency = "EUR", unit = "Mbps", step = "0.01", commit = 5, commit_price = 500, price = "750.5", prorate_commit = true,
      fees = { { name = "Port <1>", amount = 31000, prorate = true } } },
  }
  for name, value in pairs(more or {}) do all[name] = value or nil end
  return all
end

local function invoice(more) return assert(billing.invoice(given(more))) end

-- 285,000,000 octets are 7.6 Mbit/s. Commit 5 × 5.00 / 31 = 0.81; over 2.6 × 7.505 = 19.513; port 310.00 / 31 = 10.00.
local AMOUNTS = { 81, 1951, 1000 }

local function temporary(body)
  local path = os.tmpname()
  local fine, err = pcall(body, path)
  os.remove(path)
  if not fine then error(err, 0) end
end

describe("an invoice", function()
  it("is a plain table of what was billed and why", function()
    local bill = invoice()
    for i, amount in ipairs(AMOUNTS) do assert.equal(amount, bill.lines[i].amount) end
    assert.equal(3032, bill.total)
    local used = bill.members[1].usage
    assert.same({ 300, 285, "nearest_rank", "inbound", 1, 15 }, { used.n, used.rank, used.method, used.side, used.missing, #used.discarded })
    assert.equal(285000000, used.octets.numerator)
    assert.equal("152.00", bill.used)
    assert.equal(scrutinizer.VERSION, bill.audit.version)
    assert.equal(core.sha256(billing.canonical(samples())), bill.audit.samples_sha256)
  end)

  it("is the same whenever it is made: nothing of the clock or of chance is in it", function()
    assert.equal(invoice():json(), invoice():json())
    assert.equal(invoice():html(), invoice():html())
    assert.equal(invoice():text(), invoice():text())
  end)

  it("names the samples by a hash that sha256sum gives for their text", function()
    temporary(function(path)
      support.write(path, billing.canonical(samples()))
      assert.equal(invoice().audit.samples_sha256, support.shell("sha256sum " .. path):match "%x+")
    end)
  end)

  it("is a text", function()
    local text = invoice():text()
    for _, line in ipairs {
      'Customer              <script>alert("x")</script> & \\x1B[31m=1+1',
      "Period                2023-10-29 00:00:00 +0200 to 2023-10-30 00:00:00 +0100 (Europe/Berlin, 1 of 31 days of 2023-10)",
      "Percentile 95         7.600 Mbit/s (nearest_rank, rank 285 of 300; the higher of inbound and outbound, here inbound)",
      "Octets inbound        45,150,000,000",
      "Samples               299 of 300, 99.66 %; 1 missing, counted as: zero",
      "Discarded             15 samples, 7.627 Mbit/s to 8.000 Mbit/s; the highest at 2023-10-29 20:20:00 +0100",
      "Commit                5 Mbps, 152.00 % used",
      "Commit           5 Mbps × 5.00 × 1/31 of the month   0.81",
      "Over the commit  2.6 Mbps × 7.505                   19.51",
      "Port <1>         310.00 × 1/31 of the month         10.00",
      "Total EUR                                           30.32",
      "Rounding: rate half_up, units up, line half_up, total half_up",
    } do
      assert.is_truthy(text:find("\n" .. line .. "\n", 1, true), line .. "\n\n" .. text)
    end
    assert.matches("Under other policies  zero 7%.600 Mbit/s %(rank 285 of 300%), drop ", text)
    assert.is_nil(text:find("[%z\1-\9\11-\31\127]"))
    assert.is_truthy(text:find("Samples' SHA-256: " .. invoice().audit.samples_sha256, 1, true))
  end)

  it("is CSV, its total last; what a spreadsheet would run is guarded", function()
    local rows = {}
    for line in invoice({ customer = "=1+1", number = "7" }):csv():gmatch "(.-)\r\n" do rows[#rows + 1] = line end
    assert.same({
      "number,customer,from,to,timezone,line,quantity,unit,price,part,amount,currency",
      "7,'=1+1,2023-10-29 00:00:00 +0200,2023-10-30 00:00:00 +0100,Europe/Berlin,Commit,5,Mbps,5.00,1/31,0.81,EUR",
      "7,'=1+1,2023-10-29 00:00:00 +0200,2023-10-30 00:00:00 +0100,Europe/Berlin,Over the commit,2.6,Mbps,7.505,,19.51,EUR",
      "7,'=1+1,2023-10-29 00:00:00 +0200,2023-10-30 00:00:00 +0100,Europe/Berlin,Port <1>,1,,310.00,1/31,10.00,EUR",
      "7,'=1+1,2023-10-29 00:00:00 +0200,2023-10-30 00:00:00 +0100,Europe/Berlin,Total,,,,,30.32,EUR",
    }, rows)
  end)

  it("is JSON that another reader reads", function()
    local bill = cjson.decode(invoice():json())
    assert.equal(3032, bill.total)
    assert.equal(HOSTILE, bill.customer)
    assert.equal(15, #bill.members[1].usage.discarded)
    assert.equal(285000000, bill.members[1].usage.octets.numerator)
    assert.is_nil(bill._record)
  end)

  it("is a page that needs nothing else, with names escaped", function()
    local html = invoice():html()
    assert.is_nil(html:find("<script", 1, true))
    assert.is_nil(html:find "[%z\1-\9\11-\31\127]")
    assert.is_truthy(html:find("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; \\x1B[31m=1+1", 1, true))
    assert.is_truthy(html:find("Port &lt;1&gt;", 1, true))
    -- No link, no source, no import: only the namespace names a URL.
    for url in html:gmatch "https?://[^\"'<> ]+" do assert.equal("http://www.w3.org/2000/svg", url) end
    for _, word in ipairs { "src=", "href=", "@import", "url(", "onload", "javascript:" } do assert.is_nil(html:find(word, 1, true)) end
    assert.matches("<td class=\"n\">30%.32</td>", html)
    -- Every discarded sample is listed, and is a dot.
    local listed = select(2, html:match("<summary>15 discarded samples</summary>(.-)</details>"):gsub("<br>", ""))
    assert.equal(15, listed)
    local dots = html:match '<path class="d" d="([^"]*)"'
    assert.equal(15, select(2, dots:gsub("M[%d.]+ [%d.]+h0", "")))
    assert.is_truthy(html:find("1 missing samples", 1, true))
  end)

  it("draws the curve, the percentile and the commit where they belong", function()
    local html = invoice():html()
    local axis = {}
    for y, label in html:gmatch '<path d="M70 ([%d.]+)H950" class="g"/><text[^>]*>([%d.]+) Mbit/s</text>' do
      axis[#axis + 1] = { tonumber(label), tonumber(y) }
    end
    assert.is_true(#axis >= 3)
    local slope = (axis[#axis][2] - axis[1][2]) / (axis[#axis][1] - axis[1][1])
    local function height(mbps) return axis[1][2] + slope * (mbps - axis[1][1]) end
    assert.is_true(math.abs(height(7.6) - tonumber(html:match 'd="M70 ([%d.]+)H950" class="p"')) < 0.2)
    assert.is_true(math.abs(height(5) - tonumber(html:match 'd="M70 ([%d.]+)H950" class="m"')) < 0.2)
    local highest, curves = 1000, 0
    for path in html:gmatch '<path class="c"[^>]* d="([^"]*)"' do
      curves = curves + 1
      for y in path:gmatch "%d+ ([%d.]+)" do highest = math.min(highest, tonumber(y)) end
    end
    assert.equal(2, curves)
    assert.is_true(math.abs(height(8) - highest) < 0.2)
  end)

  it("of a pool shows every member", function()
    local members = { { name = "one", samples = samples(), commit = 3 }, { name = HOSTILE, samples = samples(), commit = 2 } }
    local pooled = given().tariff
    pooled.commit = nil
    local bill = invoice { samples = false, members = members, tariff = pooled }
    assert.same({ numerator = 5, denominator = 1 }, bill.commit) -- of both
    local html, text = bill:html(), bill:text()
    assert.equal(2, select(2, html:gsub("<svg", "")))
    assert.matches("<h2>one</h2>", html)
    assert.matches("Member%s+one\n", text)
    assert.equal("15.2", require("scrutinizer.arithmetic.fraction").text(bill.units))
  end)

  it("gives a summary with the columns that open tools keep", function()
    local rows, columns = billing.summary { invoice(), invoice { customer = "second" } }
    assert.equal(2, #rows)
    local out = {}
    assert(export.csv(rows, function(text) out[#out + 1] = text end, { columns = columns }))
    local text = table.concat(out)
    assert.matches("^customer,number,from,to,timezone,percent,method,n,rank,dir_95th,rate_95th,total_data_in,total_data_out,unit,allowed,used,"
      .. "overuse,", text)
    assert.matches("\r\nsecond,2023%-10/7,1698530400,1698620400,Europe/Berlin,95,nearest_rank,300,285,inbound,7600000,45150000000,%d+,Mbps,"
      .. "5,7.6,2.6,152.00,1,99.66,30.32,EUR,%x+\r\n", text)
  end)

  it("of a pool has the pool's rate and octets in its summary", function()
    local slow = {}
    for i = 1, DAY.intervals do slow[i] = { DAY.from + (i - 1) * 300, 37500000 } end -- 1 Mbit/s
    local pooled = given().tariff
    pooled.commit = nil
    local members = { { name = "one", samples = samples(), commit = 3 },
      { name = "two", samples = assert(billing.samples(DAY, { inbound = slow })) } }
    local row = billing.summary({ invoice { samples = false, members = members, tariff = pooled } })[1]
    -- 7.6 and 1 Mbit/s; 299 and 300 of 300 samples.
    assert.same({ "8600000", 45150000000 + 300 * 37500000, 1, "99.83", "8.6", 285, "inbound" },
      { row.rate_95th, row.total_data_in, row.missing, row.coverage, row.used, row.rank, row.dir_95th })
    members[2] = { name = "three", samples = assert(billing.samples(DAY, { outbound = slow })) }
    row = billing.summary({ invoice { samples = false, members = members, tariff = pooled } })[1]
    assert.same({ "8600000", nil }, { row.rate_95th, row.dir_95th })
  end)

  it("owns its data: what the caller does to its tables later is not in it", function()
    local all = given { usage = { missing = "zero", exclude = {
      { name = "night", reason = "r", weekdays = { "sun" }, from = "02:00", to = "03:00" } } },
      seller = { name = "us" } }
    local bill = assert(billing.invoice(all))
    local text, html = bill:json(), bill:html()
    for i = 1, 300 do all.samples.inbound[1].values[i] = 1 end
    all.samples.inbound[1].name, all.samples.forced[1], all.tariff.price, all.tariff.fees[1].amount = "x", "truncated", 1, 1
    all.usage.missing, all.usage.exclude[1].to, all.seller.name = "drop", "04:00", "them"
    assert.equal(text, bill:json())
    assert.equal(html, bill:html())
    temporary(function(path)
      assert(bill:save(path))
      assert.equal(text, assert(billing.verify(path)):json())
    end)
  end)

  it("has the same text from numbers of either kind: 3600 / 12 is 300", function()
    local hour, points = billing.period(1700006400 / 1, 1700010000 / 1), {}
    for i = 0, 11 do points[i + 1] = { (hour.from + i * 300) / 1, (i + 1) * 10 / 1 } end
    local bill = assert(billing.invoice { customer = "c", samples = assert(billing.samples(hour, { inbound = points }, { interval = 3600 / 12 })),
      usage = { percent = 190 / 2 }, tariff = { currency = "EUR", unit = "bps", price = 6 / 2, fees = { { name = "f", amount = 10 / 2 } } } })
    assert.is_nil(bill:json():find '[:,%[]"?%-?%d+%.0[",}%]]')
    temporary(function(path)
      assert(bill:save(path))
      assert.equal(bill.total, assert(billing.verify(path)).total)
    end)
    -- sha256sum of the lines "inbound 1 1700006400 10" to "inbound 1 1700009700 120" behind "member 1".
    local lines = { "member 1\n" }
    for i = 0, 11 do lines[i + 2] = ("inbound 1 %d %d\n"):format(1700006400 + i * 300, (i + 1) * 10) end
    temporary(function(path)
      support.write(path, table.concat(lines))
      assert.equal(support.shell("sha256sum " .. path):match "%x+", bill.audit.samples_sha256)
    end)
  end)

  for _, digits in ipairs { 20, 21, 40, 309, 700 } do
    it(("is a page with samples of %d digits"):format(digits), function()
      local hour, points = billing.period(1700006400, 1700010000), {}
      for i = 0, 11 do points[i + 1] = { hour.from + i * 300, (i + 1) .. ("0"):rep(digits - 2) } end
      local html = assert(billing.invoice { customer = "c", samples = assert(billing.samples(hour, { inbound = points })),
        tariff = { currency = "EUR", unit = "Tbps", price = 0 } }):html()
      -- The curve's heights are as 1 to 12: the first and the last sample.
      local heights = {}
      for y in html:match '<path class="c"[^>]* d="([^"]*)"':gmatch "%d+ ([%d.]+)" do heights[#heights + 1] = 270 - tonumber(y) end
      local last = 270 - tonumber(html:match 'd="M70 ([%d.]+)H950" class="p"')
      assert.is_true(math.abs(heights[1] / heights[#heights] - 1 / 12) < 0.01 and math.abs(last - heights[#heights]) < 0.2)
      assert.is_nil(html:find "nan" or html:find "inf[^o]")
    end)
  end

  it("is refused for samples over the line's speed, which may be cut or left out", function()
    -- 1 of 300 samples is 8 Mbit/s, the three highest are over 7.93: 298, 299 and 300 million octets are 7.947, 7.973 and 8.000 Mbit/s.
    local bill, err = billing.invoice(given { usage = { missing = "zero", line_speed = 7930000 } })
    assert.is_nil(bill)
    assert.equal("bill", err.kind)
    assert.matches("3 samples are over the line's speed of 7930000 bit/s, the highest, inbound at epoch %d+, has 300000000 octets in 300 s",
      err.message)
    bill = invoice { usage = { missing = "zero", line_speed = 7930000, over_speed = "missing" } }
    local used = bill.members[1].usage
    assert.same({ 4, 3, "missing", 300000000 }, { used.missing, used.over_speed.samples, used.over_speed.policy, used.over_speed.highest[2] })
    -- Three more zeros: the 285th of 300 is now 282 million octets.
    assert.equal(282000000, used.octets.numerator)
    bill = invoice { usage = { missing = "zero", line_speed = 7930000, over_speed = "clip", percent = 100 } }
    used = bill.members[1].usage
    assert.same({ 297375000, 1 }, { used.octets.numerator, used.missing }) -- 7,930,000 × 300 / 8
    assert.equal(45150000000 - 897000000 + 3 * 297375000, used.totals.inbound)
    assert.matches("Line speed%s+7%.930 Mbit/s; 3 samples above it, counted as the line's speed; the highest inbound 8%.000 Mbit/s", bill:text())
    -- The samples may know the line themselves.
    local set = assert(billing.samples(DAY, { inbound = { { DAY.from, 300000000 } } }, { line_speed = "7930000" }))
    assert.matches("1 samples are over", select(2, billing.usage(set, { missing = "zero" })).message)
    assert.equal(0, assert(billing.usage(set, { missing = "zero", line_speed = 8000000 })).over_speed.samples) -- exactly full
  end)

  it("is refused where more than half of the samples are missing, unless that is said", function()
    local function bill_with(count, threshold, missing)
      local points = {}
      for i = 1, count do points[i] = { DAY.from + (i - 1) * 300, 1 } end
      return billing.invoice(given { samples = assert(billing.samples(DAY, { inbound = points })),
        usage = { missing = missing or "zero", threshold = threshold } })
    end
    for _, policy in ipairs { "zero", "drop", "carry" } do
      assert.is_truthy(bill_with(150, nil, policy))
      local bill, err = bill_with(149, nil, policy)
      assert.is_nil(bill)
      assert.matches("151 of 300 samples are missing %(50%.33 %%%), over the threshold of 50 %%; is the customer's network right%?",
        err.message)
    end
    assert.matches("300 of 300 samples are missing", select(2, bill_with(0)).message)
    assert.equal("0.00", assert(bill_with(0, 1)).members[1].usage.coverage)
    assert.matches("there are no samples to rank", select(2, bill_with(0, 1, "drop")).message)
  end)

  for _, case in ipairs {
    { { customer = 5 }, "customer: got 5; allowed: text in UTF-8" }, { { customer = "\255" }, "customer: got" }, { { number = 7 }, "number: got 7" },
    { { samples = false }, "either samples or members" }, { { members = { {} } }, "either samples or members" },
    { { tariff = false }, "tariff: got nil" },
    { { colour = "red" }, 'field: got "colour"' }, { { usage = { percent = 200 } }, "percent: got 200" },
    { { usage = { direction = "both" } }, 'direction: got "both"' },
  } do
    it("refuses at the caller's line: " .. case[2], function()
      local all = given(case[1])
      local ok, message = pcall(function() billing.invoice(all) end)
      assert.is_false(ok)
      assert.matches("invoice_spec%.lua:%d+: invoice: ", message)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end)
  end

  it("is refused as the samples are", function()
    local bill, err = billing.invoice(given { usage = {} })
    assert.is_nil(bill)
    assert.equal("bill", err.kind)
    assert.matches("1 of 300 samples are missing", err.message)
    assert.is_nil(err.message:find "\27")
  end)
end)

describe("verify", function()
  it("makes the saved bill again, byte by byte", function()
    temporary(function(path)
      assert(invoice():save(path))
      local bill = assert(billing.verify(path))
      assert.equal(3032, bill.total)
      assert.equal(invoice():html(), bill:html())
      assert(bill:save(path .. ".again"))
      local again = support.read(path .. ".again")
      os.remove(path .. ".again")
      assert.equal(support.read(path), again)
    end)
  end)

  it("makes every kind of bill again", function()
    local hour = billing.period("2023-11-15T00:00:00Z", "2023-11-15T06:00:00Z")
    local points = {}
    for i = 1, 12 do points[i] = { hour.from + (i - 1) * 1800, i * 1000000 } end
    local coarse = assert(billing.samples(hour, { outbound = points }, { interval = 1800 }))
    local pool = { { name = "a", samples = samples(), commit = "1.5" }, { name = "b", samples = samples() } }
    local pooled = given().tariff
    pooled.commit = nil
    local kinds = {
      { samples = false, members = pool, tariff = pooled }, { samples = false, members = { pool[1] }, tariff = pooled },
      { samples = coarse, tariff = { currency = "EUR", measure = "volume", unit = "GiB", price = 0.125, fees = {} } },
      { samples = coarse, usage = { method = "linear", percent = 99.9 },
        tariff = { currency = "CHF", unit = "kbps", tiers = { { up_to = 10, price = 3 }, { price = 2.5 } }, tiering = "volume", minimum = 5,
          total_step = 5, rounding = { rate = "half_even" } } },
      { samples = coarse, usage = {}, number = false, tariff = { currency = "EUR", unit = "bps", price = 0, commit = 1, prorate_commit = false,
        prorate = "seconds", fees = { { name = "x", amount = -5, prorate = false }, { name = "y", amount = 7, prorate = true } } } },
      { usage = { missing = "drop", threshold = "0.5", direction = "sum", discard = 0.1, take = "mean_next", take_fraction = 0.2 },
        tariff = { currency = "EUR", unit = "Mbps", price = 1, rounding = { rate = "up" } } },
    }
    temporary(function(path)
      for i, kind in ipairs(kinds) do
        local bill = invoice(kind)
        assert(bill:save(path))
        local again, err = billing.verify(path)
        assert(again, ("%d: %s"):format(i, tostring(err)))
        assert.equal(bill:json(), again:json())
        assert.equal(bill:text(), again:text())
      end
    end)
  end)

  -- Written on another Lua: amounts beyond 2^53 are text in it, so that every Lua reads and writes the same bytes.
  it("verifies a file from elsewhere", function()
    local bill = assert(billing.verify "spec/fixtures/bill.json")
    assert.equal("72057594037927944", bigint.text(bill.total))
  end)

  for name, case in pairs {
    ["an amount"] = { '"amount":81,', '"amount":80,', "invoice.lines[1].amount: the file says 80, the samples give 81" },
    ["the total"] = { '"total":3032', '"total":3031', "invoice.total: the file says 3031, the samples give 3032" },
    ["a sample"] = { '"values":[8000000,', '"values":[9000000,', 'invoice.audit.samples_sha256: the file says "' },
    ["the hash"] = { '"samples_sha256":"%x', '"samples_sha256":"g', 'invoice.audit.samples_sha256: the file says "g' },
    ["the commit"] = { '"commit":5,', '"commit":6,', "invoice.commit.numerator: the file says 5, the samples give 6" },
    ["a rank"] = { '"rank":285,', '"rank":284,', "invoice.members[1].usage.rank: the file says 284, the samples give 285" },
    ["a line more"] = { '"lines":%[', '"lines":[{},', "invoice.lines[1].amount: the file says nothing, the samples give 81" },
    ["the words"] = { '"format":', ' "format":', "the same values but not the same text: byte 1 differs" },
    ["a new field"] = { '"format":', '"extra":1,"format":', "extra: the file says 1, the samples give nothing" },
    ["the period"] = { '"to":1698620400', '"to":1698620100', "invoice.period.to: the file says 1698620100, the samples give 1698620400" },
    ["the record's period"] = { '"to":1698620400},"pool":false,"tariff"', '"to":1698620100},"pool":false,"tariff"',
      "the samples of member 1 are invalid" },
    ["another version's mark"] = { '"version":"%d+%.%d+%.%d+"', '"version":"9.9.9"', "invoice.audit.version" },
    ["the format"] = { "scrutinizer bill 2", "scrutinizer bill 9", "not a saved bill that this version can read" },
    ["broken text"] = { "}\n$", "\n", "not a saved bill that this version can read" },
    ["the record"] = { '"record":{', '"record":5,"was":{', "it has no record" },
    ["a sample that is none"] = { '"values":[8000000,', '"values":["x",', "the samples of member 1 are invalid" },
    ["a sample below zero"] = { '"values":[8000000,', '"values":[-1,', "the samples of member 1 are invalid" },
    ["the record's zone"] = { 'Berlin","to":1698620400},"pool":false,"tariff"', 'Berln","to":1698620400},"tariff"', 'did you mean "Europe/Berlin"' },
    ["the tariff"] = { '"unit":"Mbps"},"usage"', '"unit":"Mb"},"usage"', 'unit: got "Mb"' },
  } do
    it("names the first difference: " .. name, function()
      temporary(function(path)
        assert(invoice():save(path))
        local text, count = support.read(path):gsub(case[1]:gsub("%[8", "%%[8"), (case[2]:gsub("%%", "%%%%")), 1)
        assert.equal(1, count)
        support.write(path, text)
        local bill, err = billing.verify(path)
        assert.is_nil(bill)
        assert.equal("bill", err.kind)
        assert.is_truthy(err.message:find(case[3], 1, true), err.message)
      end)
    end)
  end

  it("says when there is no file, and when none can be written", function()
    local bill, err = billing.verify "/nonexistent/bill.json"
    assert.is_nil(bill)
    assert.equal("file", err.kind)
    local ok
    ok, err = invoice():save "/nonexistent/bill.json"
    assert.is_nil(ok)
    assert.equal("file", err.kind)
  end)

  it("survives whatever stands in the file", function()
    temporary(function(path)
      assert(invoice():save(path))
      local text = support.read(path)
      for _ = 1, 150 do
        local at = math.random(#text)
        local broken = text:sub(1, at - 1) .. string.char(math.random(32, 126)) .. text:sub(at + 1 + math.random(0, 3))
        support.write(path, broken)
        local bill, err = billing.verify(path)
        if broken ~= text then
          assert.is_nil(bill)
          assert.equal("bill", err.kind)
        end
      end
      for _, garbage in ipairs { "", "null", "[]", "{}", '{"format":"scrutinizer bill 1"}', '{"format":"scrutinizer bill 1","record":{"period":5}}',
        '{"format":"scrutinizer bill 1","record":{"version":"1","period":{"from":0,"to":300,"timezone":"UTC"},"members":[5]}}',
        '{"format":"scrutinizer bill 1","record":{"version":"1","period":{"from":0,"to":300,"timezone":"UTC"},"members":[]}}' } do
        support.write(path, garbage)
        local bill, err = billing.verify(path)
        assert.is_nil(bill)
        assert.equal("bill", err.kind)
      end
    end)
  end)
end)
