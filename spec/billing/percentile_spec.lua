-- billing.percentile: the five formulas for every length of a month, against PostgreSQL and RRDtool; and what never changes it.
local billing = require "scrutinizer.billing"
local core = require "scrutinizer.core"
local bigint = require "scrutinizer.arithmetic.bigint"
local postgres = require "spec.postgres"
local support = require "spec.support"

local function numbers(n)
  local list = {}
  for i = 1, n do list[i] = i end
  return list
end

local function random(n, most)
  local list = {}
  for i = 1, n do list[i] = math.random(0, most) end
  return list
end

local function shuffled(list)
  local copy = {}
  for i, value in ipairs(list) do copy[i] = value end
  for i = #copy, 2, -1 do
    local j = math.random(i)
    copy[i], copy[j] = copy[j], copy[i]
  end
  return copy
end

-- By sorting, and a rank from whole numbers: ceil(p × N).
local function by_sorting(list, percent)
  local copy = {}
  for i, value in ipairs(list) do copy[i] = value end
  table.sort(copy)
  return copy[math.max(1, math.floor((#copy * percent + 99) / 100))]
end

-- Ranks by month, each typed from its formula: nearest, LibreNMS, Cacti, RRDtool, and the position of the linear one.
local MONTHS = {
  { "28 days", 8064, 7661, 7661, 7660, 7661, 7660.85 },
  { "29 days", 8352, 7935, 7934, 7934, 7934, 7934.45 },
  { "30 days", 8640, 8208, 8208, 8208, 8208, 8208.05 },
  { "31 days", 8928, 8482, 8482, 8481, 8482, 8481.65 },
  { "31 days and an hour", 8940, 8493, 8493, 8493, 8493, 8493.05 },
  { "31 days less an hour", 8916, 8471, 8470, 8470, 8470, 8470.25 },
  { "30 days, 7 samples lost", 8633, 8202, 8201, 8201, 8201, 8201.4 },
}
local METHODS = { "nearest_rank", "librenms", "cacti", "rrdtool", "linear" }

describe("percentile", function()
  for _, month in ipairs(MONTHS) do
    it("has the ranks of " .. month[1], function()
      local list = shuffled(numbers(month[2]))
      for i, method in ipairs(METHODS) do
        local value, info = billing.percentile(list, 95, { method = method })
        local expected = month[i + 2]
        assert.equal(expected, value)
        assert.equal(month[2], info.n)
        assert.equal(method, info.method)
        assert.equal(math.floor(expected), info.rank)
        assert.equal(month[2] - math.floor(expected), #info.discarded)
        assert.equal(month[2], info.discarded[1])
        assert.equal(math.floor(expected) + 1, info.discarded[#info.discarded])
        if math.type and method ~= "linear" then assert.equal("integer", math.type(value)) end
      end
    end)
  end

  it("takes other percentages exactly: 99.9 % of 1,000 is the 999th, not the 1,000th", function()
    local list = numbers(1000)
    for _, case in ipairs { { 99.9, 999 }, { "99.9", 999 }, { 90, 900 }, { 100, 1000 }, { "0.1", 1 }, { "0.0001", 1 }, { "99.99", 1000 } } do
      assert.equal(case[2], (billing.percentile(list, case[1])))
    end
    assert.equal("99.9", select(2, billing.percentile(list, 99.9)).percent)
    -- ceil(0.07 × 100) is 7; in floats 0.07 × 100 is 7.000000000000001.
    assert.equal(7, (billing.percentile(numbers(100), 7)))
  end)

  it("stays within the samples, however few", function()
    for n = 1, 25 do
      for _, method in ipairs(METHODS) do
        for _, percent in ipairs { "0.5", 5, 50, 95, 100 } do
          local value, info = billing.percentile(numbers(n), percent, { method = method })
          assert.is_true(value >= 1 and value <= n)
          assert.is_true(info.rank >= 1 and info.rank <= n)
        end
      end
    end
  end)

  it("does not depend on the order of the samples", function()
    for _, n in ipairs { 1, 2, 3, 19, 20, 21, 447, 1000 } do
      local list = random(n, 50) -- many are equal
      local points = {}
      for i, value in ipairs(list) do points[i] = { 300 * i, value } end
      local value, info = billing.percentile(points, 95)
      assert.equal(by_sorting(list, 95), value)
      for _ = 1, 5 do
        local again, other = billing.percentile(shuffled(points), 95)
        assert.equal(value, again)
        assert.same(info, other)
      end
      assert.equal(value, (billing.percentile(shuffled(list), 95)))
    end
  end)

  it("selects as sorting does, whatever the order that comes", function()
    local orders = {
      rising = function(i) return i end, falling = function(i) return -i end, equal = function() return 7 end,
      saw = function(i) return i % 10 end, organ = function(i) return math.min(i, 3000 - i) end,
      random = function() return math.random(1, 1000000) end,
    }
    for name, value_of in pairs(orders) do
      local list = {}
      for i = 1, 3000 do list[i] = 5000 + value_of(i) end
      for _, percent in ipairs { 1, 50, 95, 99 } do
        assert.equal(by_sorting(list, percent), (billing.percentile(list, percent)), name)
      end
    end
  end)

  it("gives the discarded samples with their times, of equal ones the earlier first", function()
    local points = { { 900, 5 }, { 300, 9 }, { 600, 9 }, { 1200, 1 } }
    local value, info = billing.percentile(points, 50)
    assert.equal(5, value)
    assert.same({ { 300, 9 }, { 600, 9 } }, info.discarded)
  end)

  it("drops a share and averages the next ones where a contract says so", function()
    -- 1 to 200: the top 5 % are 191 to 200; the next 15 % are 161 to 190, whose mean is 175.5.
    local value, info = billing.percentile(numbers(200), nil, { discard = 0.05, take = "mean_next", take_fraction = 0.15 })
    assert.equal(175.5, value)
    assert.equal(10, #info.discarded)
    assert.equal(30, info.kept)
    assert.same({ numerator = 351, denominator = 2 }, info.exact)
    assert.equal(176, (billing.percentile(numbers(200), 95, { take = "mean_next", take_fraction = "0.15", rounding = "half_up" })))
    assert.equal(175, (billing.percentile(numbers(200), 95, { take = "mean_next", take_fraction = "0.15", rounding = "down" })))
    assert.equal(190, (billing.percentile(numbers(200), nil, { discard = "0.05" })))
  end)

  it("gives linear's float, and a whole number with a named rounding, from the exact fraction", function()
    local value, info = billing.percentile(numbers(8928), 95, { method = "linear" })
    assert.equal(8481.65, value)
    assert.same({ numerator = 169633, denominator = 20 }, info.exact)
    for rounding, expected in pairs { up = 8482, down = 8481, half_up = 8482, half_even = 8482 } do
      local whole = billing.percentile(numbers(8928), 95, { method = "linear", rounding = rounding })
      assert.equal(expected, whole)
      if math.type then assert.equal("integer", math.type(whole)) end
    end
  end)

  it("ranks what this Lua's numbers cannot hold, exactly", function()
    local big = { "9223372036854775806", "9223372036854775807", "9223372036854775805", 3 }
    assert.equal("9223372036854775806", bigint.text((billing.percentile(big, 75))))
    local huge = { "18446744073709551617", "18446744073709551616", "18446744073709551618", 3 }
    local value, info = billing.percentile(huge, 50)
    assert.equal("18446744073709551616", value)
    assert.same({ "18446744073709551618", "18446744073709551617" }, info.discarded)
    assert.equal("18446744073709551617", (billing.percentile(huge, 75, { method = "linear", rounding = "down" }))) -- of …617.25
  end)

  it("selects among rates that are floats, and computes with none of them", function()
    assert.equal(2.5, (billing.percentile({ 1.5, 3.5, 2.5 }, 50)))
    assert.equal(2.5, (billing.percentile({ 1, 3.5, 2.5 }, 50)))
  end)

  for _, case in ipairs {
    { { 1 }, 95, { method = "nearest" }, 'method: got "nearest"; allowed: cacti, librenms, linear, nearest_rank, rrdtool' },
    { { 1 }, 95, { method = "rrdtol" }, 'did you mean "rrdtool"' },
    { { 1 }, 95, { methd = "cacti" }, 'option: got "methd"; allowed: discard, method' },
    { { 1 }, 0, nil, "percent: got 0; allowed: a number over 0 and at most 100" }, { { 1 }, 101, nil, "percent: got 101" },
    { { 1 }, "95 %", nil, 'percent: got "95 %"' }, { { 1 }, nil, nil, "percent: got nil" }, { { 1 }, 0 / 0, nil, "percent: got" },
    { {}, 95, nil, "samples: got a table; allowed: a list" }, { nil, 95, nil, "samples: got nil" }, { "x", 95, nil, 'samples: got "x"' },
    { { 1, "x" }, 95, nil, 'sample 2: got "x"' }, { { 1, 0 / 0 }, 95, nil, "sample 2: got" }, { { 1, math.huge }, 95, nil, "sample 2: got" },
    { { 1, { 300, 5 } }, 95, nil, "sample 2: got a table" }, { { { 300, 5 }, 1 }, 95, nil, "sample 2: got 1" },
    { { 1, false, 2 }, 95, nil, "sample 2: got false" },
    { { { 300 } }, 95, nil, "sample 1: got nil" }, { { 1 }, 95, { take = "mean_next" }, "take_fraction: required with" },
    { { 1 }, 95, { take_fraction = 0.1 }, "take_fraction: required with" }, { { 1 }, 95, { discard = 0.05 }, "either discard or a percent" },
    { { 1 }, nil, { discard = 5 }, "discard: got 5" }, { { 1 }, 95, { rounding = "nearest" }, 'rounding: got "nearest"' },
    { { 1 }, 95, { take = "mean_next", take_fraction = 0.1, method = "cacti" }, "nearest_rank with take_fraction" },
    { { 1 }, 95, 5, "options: got 5" },
    { { 1 }, 95, { take = "all" }, 'take: got "all"' }, { { 1, "99999999999999999999", 1.5 }, 95, nil, "sample 3: got 1.5" },
  } do
    it("refuses at the caller's line: " .. case[4], function()
      local ok, message = pcall(function() billing.percentile(case[1], case[2], case[3]) end)
      assert.is_false(ok)
      assert.matches("percentile_spec%.lua:%d+: percentile: ", message)
      assert.is_truthy(message:find(case[4], 1, true), message)
    end)
  end
end)

describe("stream", function()
  it("gives what the whole list gives", function()
    for _, n in ipairs { 1, 7, 500, 2000 } do
      local list, points = random(n, 300), {}
      for _, options in ipairs { {}, { method = "cacti" }, { method = "linear", rounding = "up" }, { take = "mean_next", take_fraction = 0.15 } } do
        local stream = billing.stream(2000, 95, options)
        for i, value in ipairs(list) do
          points[i] = { 300 * i, value }
          stream:add(value, 300 * i)
        end
        local value, info = stream:finish()
        local wanted, wanted_info = billing.percentile(points, 95, options)
        assert.equal(wanted, value)
        assert.same(wanted_info, info)
      end
    end
  end)

  it("holds the samples above the percentile only", function()
    -- 447 of a month's samples, twice, at 16 bytes: 14 KiB, not 140.
    collectgarbage() collectgarbage()
    local before, streams = collectgarbage "count", {}
    for i = 1, 20 do streams[i] = billing.stream(8928, 95) end
    for i = 1, 8928 do
      for k = 1, 20 do streams[k]:add((i * 7919 + k) % 100003) end
    end
    collectgarbage() collectgarbage()
    assert.is_true((collectgarbage "count" - before) / 20 < 20)
    assert.equal(8482, select(2, streams[20]:finish()).rank)
  end)

  it("may be asked in between; says nothing of nothing; refuses what it cannot hold", function()
    local stream = billing.stream(3, 95)
    assert.is_nil(stream:finish())
    stream:add(5)
    assert.equal(5, (stream:finish()))
    stream:add(9)
    assert.equal(9, (stream:finish()))
    for _, bad in ipairs { 1.5, "x", "99999999999999999999" } do
      local ok, message = pcall(function() billing.stream(9, 95):add(bad) end)
      assert.is_false(ok)
      assert.matches("percentile_spec%.lua:%d+: add: got", message)
    end
    stream:add(1)
    stream:add(2)
    local ok, message = pcall(function() stream:finish() end)
    assert.is_false(ok)
    assert.matches("percentile_spec%.lua:%d+: finish: 4 samples were added, more than the maximum of this stream, 3", message)
    assert.has_error(function() billing.stream(0, 95) end)
  end)
end)

describe("the core's selection and hash", function()
  it("takes no double from 2^53 on, which may stand for its neighbours", function()
    for _, sign in ipairs { 1, -1 } do
      assert.is_true(core.top(1):add(sign * (2.0 ^ 53 - 1)))
      for _, value in ipairs { 2.0 ^ 53, 2.0 ^ 53 + 2, 2.0 ^ 63, 0.5, math.huge, 0 / 0 } do assert.is_false(core.top(1):add(sign * value)) end
    end
  end)

  it("misuse raises", function()
    for _, keep in ipairs { 0, -1, 1e18, 0 / 0 } do assert.has_error(function() core.top(keep) end) end
    assert.has_error(function() core.top(3):add_list(5, 1, 1, 1) end)
    assert.has_error(function() core.top(3):add_list({}, 1, "x", 1) end)
    assert.has_error(function() core.top(3).add({}, 1, 1) end)
    assert.has_error(function() core.sha256() end)
  end)

  it("hashes texts of every length around a block as sha256sum does", function()
    local text, wanted = {}, support.shell [[for n in 0 1 54 55 56 57 63 64 65 119 120 127 128 129 1000; do
      head -c $n /dev/zero | tr '\0' q | sha256sum | cut -d' ' -f1; done]]
    for _, n in ipairs { 0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129, 1000 } do text[#text + 1] = core.sha256(("q"):rep(n)) .. "\n" end
    assert.equal(wanted, table.concat(text))
  end)
end)

-- Other programs' figures do not depend on the Lua: once.
if not os.getenv "SANDBOX_CHECKED" then
  describe("against python", function()
    -- Each as its tool does it: a list sorted its way, and the place in it, counted from 0; in fractions where the tool has floats.
    local PYTHON = [[
from fractions import Fraction
from math import ceil, floor
def half_up(x): return floor(x + Fraction(1, 2))
for text in ("95", "99.9", "90", "50", "99.99", "33.3", "2.5"):
    p = Fraction(text) / 100
    for n in list(range(1, 300)) + list(range(8000, 9000, 7)):
        rising, falling = range(1, n + 1), range(n, 0, -1)
        places = [ceil(p * n) - 1, max(half_up(Fraction(n) / 100 * Fraction(text)) - 1, 0), half_up(p * (n - 1))]
        values = [rising[place] for place in places]
        index = ceil(n * (1 - p))
        values.insert(2, falling[index] if index < n else 1)
        print(text, n, *values)
]]

    it("has the ranks that the tools' own ways give, for many lengths and percentages", function()
      local rank, count = require "scrutinizer.billing.rank", 0
      local out = support.shell("env -u LD_PRELOAD python3 -c " .. support.quote(PYTHON))
      for percent, n, nearest, librenms, cacti, rrdtool in out:gmatch "(%S+) (%d+) (%d+) (%d+) (%d+) (%d+)\n" do
        local wanted, share = { nearest_rank = nearest, librenms = librenms, cacti = cacti, rrdtool = rrdtool }, rank.share(percent)
        for method, value in pairs(wanted) do
          local found = rank.of(method, tonumber(n), share)
          if found ~= tonumber(value) then error(("%s %s %s: %s, python %s"):format(method, percent, n, found, value)) end
        end
        count = count + 1
      end
      assert.equal(7 * (299 + 143), count)
    end)
  end)

  describe("against PostgreSQL", function()
    local server
    setup(function() server = postgres.start() end)
    teardown(function() server.stop() end)

    local function load_samples(list)
      server.sql "drop table if exists samples; create table samples (octets bigint)"
      local path = os.tmpname()
      local file = assert(io.open(path, "w"))
      for _, value in ipairs(list) do file:write(bigint.text(value), "\n") end
      file:close()
      support.shell(("%s -c %s <%s"):format(server.psql, support.quote "copy samples from stdin", path))
      os.remove(path)
    end

    it("nearest_rank is percentile_disc and linear is percentile_cont, on the same samples", function()
      for _, n in ipairs { 8064, 8352, 8633, 8640, 8916, 8928, 8940 } do
        local list = random(n, 2147483646) -- one more is too much for random on Lua 5.1
        load_samples(list)
        for _, percent in ipairs { "95", "99.9", "90", "50" } do
          local share = tonumber(percent) / 100
          local disc, cont = server.sql(("select percentile_disc(%.17g) within group (order by octets), "
            .. "percentile_cont(%.17g) within group (order by octets) from samples"):format(share, share)):match "(%d+)|([%d.e+]+)"
          assert.equal(disc, bigint.text((billing.percentile(list, percent))))
          local linear = billing.percentile(list, percent, { method = "linear" })
          assert.is_true(math.abs(linear - tonumber(cont)) <= 1e-9 * linear, n .. " " .. percent)
        end
      end
    end)
  end)

  describe("against RRDtool", function()
    it("rrdtool is its PERCENT, on the same samples", function()
      local folder = support.folder()
      local from, rrdtool = 1700006400, "env -u LD_PRELOAD rrdtool"
      for _, n in ipairs { 8064, 8352, 8928, 8916 } do
        local path, list, words = folder .. "/usage.rrd", random(n, 1000000000), {}
        support.shell(("rm -f %s; %s create %s --start %d --step 300 DS:octets:GAUGE:600:0:U RRA:LAST:0:1:9000"):format(path, rrdtool, path, from))
        for i, value in ipairs(list) do words[i] = ("%d:%d"):format(from + 300 * i, value) end
        for i = 1, n, 2000 do
          support.shell(("%s update %s %s"):format(rrdtool, path, table.concat(words, " ", i, math.min(n, i + 1999))))
        end
        for _, percent in ipairs { 95, 90, 50 } do
          -- As many pixels as samples: with fewer RRDtool ranks averages. To the last second: at the boundary it adds an unknown sample.
          local out = support.shell(("%s graph /dev/null --width %d --start %d --end %d DEF:o=%s:octets:LAST VDEF:p=o,%d,PERCENT "
            .. "PRINT:p:%%.0lf"):format(rrdtool, n, from, from + 300 * n - 1, path, percent))
          assert.equal(out:match "\n(%d+)", ("%d"):format((billing.percentile(list, percent, { method = "rrdtool" }))), n .. " " .. percent)
        end
      end
      support.shell("rm -rf " .. folder)
    end)
  end)
end
