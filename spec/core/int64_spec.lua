-- scrutinizer.add and .compare against python; and integers = "int64", which on LuaJIT makes cdata of what doubles cannot hold.

local answers = require "spec.answers"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local JIT = rawget(_G, "jit") ~= nil
local INTEGERS = rawget(math, "type") ~= nil
local add, compare = scrutinizer.add, scrutinizer.compare

-- Digits of a whole number of any type.
local function digits(value)
  if type(value) == "cdata" then return (tostring(value):gsub("U?LL$", "")) end
  if type(value) == "number" then return (("%.0f"):format(value):gsub("^%-0$", "0")) end
  return value
end

local function exact(value)
  return INTEGERS and rawget(math, "type")(value) == "integer" and ("%d"):format(value) or digits(value)
end

local WHOLE = { "0", "1", "-1", "7", "-12345", "9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740993",
  "9223372036854775807", "-9223372036854775807", "-9223372036854775808", "9223372036854775808", "18446744073709551615", "-18446744073709551616",
  "99999999999999999999999999999999999999", "170141183460469231731687303715884105727" }

-- What python makes of each pair: "sum order", by its own whole numbers of any size.
local function python(texts)
  local path = os.tmpname()
  support.write(path, ("numbers = [%s]\nfor a in numbers:\n  for b in numbers: print(a + b, (a > b) - (a < b))\n"):format(table.concat(texts, ",")))
  local out = support.shell("python3 " .. path)
  os.remove(path)
  return out:gmatch "(%S+) (%S+)\n"
end

-- Every form in which this Lua holds a number: text, a number where it is exact, an int64 on LuaJIT.
local function forms(text)
  local list = { text, text .. ".0", text .. "e0", text .. "0.0e-1" }
  local value = scrutinizer.decode(text)
  if type(value) == "number" then list[#list + 1] = value end
  if JIT then
    local cdata = scrutinizer.decode("[" .. text .. "]", { integers = "int64" })[1]
    if type(cdata) == "cdata" then list[#list + 1] = cdata end
  end
  return list
end

describe("add and compare", function()
  it("are exact on whole numbers of every size and form, as python says", function()
    local next_pair = python(WHOLE)
    for _, a in ipairs(WHOLE) do
      for _, b in ipairs(WHOLE) do
        local sum, order = next_pair()
        for _, x in ipairs(forms(a)) do
          for _, y in ipairs(forms(b)) do
            assert.equal(sum, exact(add(x, y)), a .. " + " .. b)
            assert.equal(tonumber(order), compare(x, y), a .. " ? " .. b)
          end
        end
      end
    end
  end)

  it("give a number where this Lua has an exact one", function()
    assert.equal(3, add(1, "2"))
    assert.equal("number", type(add("9007199254740991", 1)))
    assert.equal(INTEGERS and "number" or "string", type(add("9007199254740992", 1)))
    assert.equal("string", type(add("9223372036854775807", 1)))
    if INTEGERS then
      assert.equal("integer", math.type(add(1.0, 2)))
      assert.equal(math.mininteger, add("-9223372036854775807", -1))
    end
  end)

  it("take fractions as floats, and compare them exactly", function()
    assert.equal(1.75, add(0.5, "1.25"))
    assert.equal(-0.5, add("-1", 0.5))
    assert.equal(9007199254740992.0, add("9007199254740993", 0.5)) -- as python's 9007199254740993 + 0.5
    local cases = { { "9007199254740993", 9007199254740992, 1 }, { 9007199254740992, "9007199254740993", -1 }, { 1, 1.5, -1 }, { 2, 1.5, 1 },
      { -1, -1.5, 1 }, { -2, "-1.5", -1 }, { 0.5, 0.25, 1 }, { 1.5, "1.5", 0 }, { 1e20, "100000000000000000000", 0 }, { 1e20,
        "100000000000000000001", -1 },
      { "1e300", 1e300, -1 }, { "0e5", 0, 0 }, { "-0", 0, 0 }, { 2 ^ 53, "9007199254740992.0", 0 }, { 0.1, "0.1", 1 }, { "1e-5", 0.00001, -1 },
      { "10000000000000000000000.5", 1, 1 }, { "9007199254740993.5", "9007199254740994", -1 }, { "1.99999999999999999999", 2, -1 },
      { "4503599627370497.99999999999", 4503599627370498, -1 }, { "0.1", "0.10000000000000000000000001", -1 }, { 1.5, "001.5", 0 } }
    for i, case in ipairs(cases) do
      assert.equal(case[3], compare(case[1], case[2]), i)
      assert.equal(0 - case[3], compare(case[2], case[1]), i)
    end
    assert.equal("0", ("%g"):format(compare("-1000000000000000000.0", -1e18))) -- not -0
  end)

  it("sort what Lua's own < refuses", function()
    local list = { "9007199254740993", 5, "18446744073709551615", "9007199254740995", -1, "9007199254740994" }
    table.sort(list, function(a, b) return compare(a, b) < 0 end)
    assert.same({ -1, 5, "9007199254740993", "9007199254740994", "9007199254740995", "18446744073709551615" }, list)
  end)

  it("refuse what is no number, at the caller's line", function()
    for _, bad in ipairs { "", "x", "1x", "0x10", " 1", "1e", "--1", "+1", "1.", ".5", true, {}, 0 / 0, math.huge, "1e5000", "1e999999999",
      ("9"):rep(1001) } do
      for name, call in pairs { add = add, compare = compare } do
        local _, message = pcall(function()
          local _ = call(1, bad)
        end)
        assert.matches("int64_spec%.lua:%d+: " .. name .. ": got .*; allowed: a number, the decimal text of one, or an int64 of LuaJIT", message)
      end
    end
    assert.is_false((pcall(add, nil, 1)))
  end)
end)

-- What integers = "int64" makes of these texts: cdata on LuaJIT, integers on Lua 5.3 and later.
local LARGE = { "9007199254740993", "-9007199254740993", "9223372036854775807", "-9223372036854775808" }
local BEYOND = { "9223372036854775808", "-9223372036854775809", "18446744073709551615" }

describe("integers", function()
  if not JIT and not INTEGERS then
    it('refuse "int64" on a Lua without it', function()
      for _, call in ipairs {
        function() local _ = scrutinizer.decode("1", { integers = "int64" }) end,
        function() local _ = scrutinizer.decoder { integers = "int64" } end,
        function() local _ = scrutinizer.connect { url = "https://a.invalid", token = false, integers = "int64" } end,
      } do
        local message = support.complaint(call)
        assert.matches('integers: got "int64"; allowed: "text" %("int64" needs LuaJIT, or Lua 5%.3 or later%)$', message)
      end
      assert.equal("9007199254740993", scrutinizer.decode("9007199254740993", { integers = "text" }))
    end)
    return
  end

  local function check(value, text)
    assert.equal(JIT and "cdata" or "number", type(value), text)
    assert.equal(text, exact(value))
  end

  it("are checked", function()
    for _, call in ipairs {
      function() local _ = scrutinizer.decode("1", { integers = "double" }) end,
      function() local _ = scrutinizer.decoder { integers = "double" } end,
      function() local _ = scrutinizer.connect { url = "https://a.invalid", token = false, integers = "double" } end,
    } do
      assert.matches('integers: got "double"; allowed: "text", "int64"$', support.complaint(call))
    end
  end)

  it("hold 64 bits in decoded texts, in every container and on both ways through the decoder", function()
    for _, utf8 in ipairs { "pass", "replace" } do
      for _, text in ipairs(LARGE) do
        local value = scrutinizer.decode(('{"a":[%s],"b":%s}'):format(text, text), { integers = "int64", utf8 = utf8 })
        check(value.a[1], text)
        check(value.b, text)
        check(scrutinizer.decode(text, { integers = "int64", utf8 = utf8 }), text)
      end
      for _, text in ipairs(BEYOND) do assert.equal(text, scrutinizer.decode(text, { integers = "int64", utf8 = utf8 })) end
      assert.equal("number", type(scrutinizer.decode("9007199254740992", { integers = "int64", utf8 = utf8 })))
    end
    assert.equal(JIT and "string" or "number", type(scrutinizer.decode "9007199254740993"))
  end)

  it("hold 64 bits in rows", function()
    local texts = {}
    for _, list in ipairs { LARGE, BEYOND, { "5", "9007199254740992" } } do
      for _, text in ipairs(list) do texts[#texts + 1] = text end
    end
    local rows = {}
    for i, text in ipairs(texts) do rows[i] = answers.array { answers.rank(i), answers.cell("sum_octets", text) } end
    local columns = { answers.rank_column(), answers.column "sum_octets" }
    local text = answers.write(answers.report("inbound", answers.direction(columns, rows)))
    for _, integers in ipairs { "int64", "text" } do
      local decoder = scrutinizer.decoder { select = { "sum_octets" }, integers = integers }
      local got = answers.feed(decoder, { text })
      assert.equal(#texts, #got)
      for i, row in ipairs(got) do
        assert.equal(texts[i], exact(row.sum_octets))
        local large = i <= #LARGE and JIT and (integers == "int64" and "cdata" or "string")
        assert.equal(large or (i > #LARGE and i <= #LARGE + #BEYOND and "string") or "number", type(row.sum_octets), texts[i])
      end
    end
  end)
end)

describe('a client with integers = "int64"', function()
  if not JIT and not INTEGERS then return end
  local client
  support.client_for_each(function(made) client = made end, { integers = "int64" })

  -- Octets of the made-up rows: i * 1000, and 2^53 more where i is a multiple of 7.
  local function made_up(n)
    local query = client:report("custom_rows_" .. n):last(3600):select { src = "sourceipaddress", octets = "sum_octetdeltacount" }
    return query
  end

  it("adds rows up exactly, with + and with add", function()
    local n = 1000
    local expected = support.shell(("python3 -c 'print(sum(i * 1000 + (2**53 if i %% 7 == 0 else 0) for i in range(1, %d + 1)))'"):format(n))
      :match "%d+"
    local sum, plain = 0, 0
    for row in made_up(n):rows() do sum, plain = add(sum, row.octets), plain + row.octets end
    assert.equal(expected, exact(sum))
    assert.equal(expected, exact(plain))
    assert.equal(JIT and "cdata" or "number", type(sum))
    assert.equal("number", type(made_up(1):first().octets))
    local seventh = made_up(7):fetch().rows[7].octets
    assert.equal("9007199254747992", exact(seventh))
    assert.is_true(seventh > made_up(6):fetch().rows[6].octets)
  end)

  it("gives aggregates as it gives rows", function()
    for _, text in ipairs { "int64", "text" } do
      local other = support.connect { integers = text }
      local groups = assert(other:report("custom_rows_70"):last(3600):select { src = "sourceipaddress", octets = "sum_octetdeltacount" }
        :aggregate { by = { net = { "src", prefix = 26 } }, sum = { "octets" }, max = { "octets" } })
      -- python: sums of i * 1000 + 2^53 where 7 divides i, for 1 <= i < 64 and 64 <= i <= 70
      assert.equal("10.0.0.0/26", groups[1].net)
      assert.equal("81064793294684928", exact(groups[1].sum_octets))
      assert.equal("9007199255209992", exact(groups[2].sum_octets))
      assert.equal(JIT and (text == "int64" and "cdata" or "string") or "number", type(groups[2].max_octets))
      other:close()
    end
  end)

  it("is written to files with all digits, and drawn", function()
    local export = require "scrutinizer.export"
    local out = {}
    local function keep(text)
      out[#out + 1] = text
      return true
    end
    assert(export.csv(made_up(7), keep, { columns = { "octets" }, newline = "\n" }))
    assert.matches("\n6000\n9007199254747992\n$", table.concat(out))
    out = {}
    assert(export.ndjson(made_up(7), keep, { columns = { "octets" } }))
    assert.matches('{"octets":6000}\n{"octets":9007199254747992}\n$', table.concat(out))
    out = {}
    assert(export.table(made_up(7), keep, { columns = { "octets" }, units = false }))
    assert.matches("9007199254747992 *\n", table.concat(out))
    out = {}
    assert(export.table(made_up(7), keep, { columns = { "octets" } }))
    assert.matches("9%.0 PB", table.concat(out))
  end)

  it("decodes plain calls so", function()
    support.answer_with '{"octets":[9007199254740993,"9007199254740993",5]}'
    local value = assert(client:call { rm = "licensing" })
    assert.equal("9007199254740993", exact(value.octets[1]))
    assert.equal(JIT and "cdata" or "number", type(value.octets[1]))
    assert.same({ "9007199254740993", 5 }, { value.octets[2], value.octets[3] })
  end)

  it("gives points of graphs so", function()
    support.answer_with('{"report":{"table":{"inbound":{"columns":[{"elementName":"a","label":"A"}],"rows":[[{"rawValue":"x"}]],'
      .. '"totalRowCount":"1"}},"graph":{"pie":{"inbound":[{"label":"x"}]},"timeseries":{"inbound":[[["1700006400","9007199254740993"],'
      .. "[1700006700,9007199254740995]]]}}}}")
    local list = assert(client:report("srcHosts"):between(1700006400, 1700007000):granularity(5):series())
    assert.equal("9007199254740993", exact(list[1].points[1][2]))
    assert.equal("9007199254740995", exact(list[1].points[2][2]))
    assert.equal(JIT and "cdata" or "number", type(list[1].points[1][2]))
    support.answer_with('{"report":{"table":{"inbound":{"columns":[{"elementName":"a","label":"A"}],"rows":[[{"rawValue":"x"}]],'
      .. '"totalRowCount":"1"}},"graph":{"pie":{"inbound":[{"label":"x"}]},"timeseries":{"inbound":[[["1700006400","9007199254740993"]]]}}}}')
    list = assert(client:report("srcHosts"):between(1700006400, 1700007000):granularity(5):rates())
    assert.equal(9007199254740993 * 8 / 300, list[1].points[1][2])
  end)
end)
