-- Numbers to the nearest double, ties to even, where it is hardest: exactly between two doubles, and a hair beside that. The decimal texts, of up
-- to 800 digits and more, are made by long multiplication; nothing that reads or prints a fraction takes part.
-- From 2^53 on a number is exact or its own text: Python's decimal says which texts are doubles there. Looked for in: decode, rows (whole, cut, of a
-- column of numbers and of texts), sums, minima and maxima, groups, points of a series, totals.

local answers = require "spec.answers"
local command = require "spec.command"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local decode = scrutinizer.decode
local chance = answers.chance(20261123)
local MANY = support.sanitized and 5 or 40
local LIMB = 10 ^ 7 -- of seven digits

---------------------------------------------------------------------------------------------------------------------- long numbers

-- A whole number in limbs, least first.
local function multiply(limbs, by, carry)
  for i = 1, #limbs do
    local n = limbs[i] * by + carry
    carry = math.floor(n / LIMB)
    limbs[i] = n - carry * LIMB
  end
  while carry > 0 do
    limbs[#limbs + 1] = carry % LIMB
    carry = math.floor(carry / LIMB)
  end
end

local function multiply_by_power(limbs, base, power)
  for _ = 1, math.floor(power / 10) do multiply(limbs, base ^ 10, 0) end
  for _ = 1, power % 10 do multiply(limbs, base, 0) end
end

local function text_of(limbs)
  local out = {}
  for i = #limbs, 1, -1 do out[#out + 1] = ("%07d"):format(limbs[i]) end
  return (table.concat(out):gsub("^0+", ""))
end

-- (2n + 1) / 2^(k + 1) is halfway between n / 2^k and (n + 1) / 2^k. Digits, and the exponent of ten of the last one.
local function halfway(n, k)
  local limbs = { n % LIMB, math.floor(n / LIMB) % LIMB, math.floor(n / LIMB / LIMB) }
  multiply(limbs, 2, 1)
  if k < 0 then
    multiply_by_power(limbs, 2, -k - 1)
    return text_of(limbs), 0
  end
  multiply_by_power(limbs, 5, k + 1) -- 1 / 2 is 5 / 10
  return text_of(limbs), -(k + 1)
end

-- The double n / 2^k: n is whole, so that halving and doubling are exact.
local function scaled(n, k)
  n = n + 0.0
  for _ = 1, k do n = n / 2 end
  for _ = 1, -k do n = n * 2 end
  return n
end

-- Ways to write the digits, the last of which has that exponent: a point somewhere, zeros around, the exponent the rest.
local function forms(digits, exponent)
  local point, zeros = chance(#digits), ("0"):rep(chance(30) - 1)
  local list = {
    digits .. "e" .. exponent,
    digits:sub(1, point) .. "." .. digits:sub(point + 1) .. zeros .. "0E" .. exponent + #digits - point,
    "0." .. zeros .. digits .. "e" .. exponent + #digits + #zeros,
  }
  if exponent < 0 and -exponent >= #digits then
    list[4] = "0." .. ("0"):rep(-exponent - #digits) .. digits
  elseif exponent < 0 then
    list[4] = digits:sub(1, exponent - 1) .. "." .. digits:sub(exponent)
  else
    list[4] = digits .. ("0"):rep(exponent) .. ".0"
  end
  return list
end

-- Whether the value is that double; or, of a whole number that is written out, the very digits.
local function is_right(value, text, whole, due)
  if math.abs(due) < 2 ^ 53 or not whole or text:find "[eE]" then return value == due end
  return value == text or math.type and math.type(value) == "integer" and ("%d"):format(value) == whole
end

-- The digits are those of no double.
local function must_read(digits, exponent, expected)
  for _, text in ipairs(forms(digits, exponent)) do
    for _, sign in ipairs { "", "-" } do
      local value, due = decode(sign .. text), sign == "" and expected or -expected
      if not is_right(value, sign .. text, exponent == 0 and sign .. digits, due) then
        error(("%s%s is %s, not %.17g"):format(sign, text, tostring(value), due))
      end
    end
  end
end

-- n / 2^k and (n + 1) / 2^k are neighbours among the doubles.
local function check(n, k)
  local low, high = scaled(n, k), scaled(n + 1, k)
  local digits, exponent = halfway(n, k)
  assert.equal("5", digits:sub(-1), "a half ends so")
  must_read(digits, exponent, n % 2 == 0 and low or high)
  local more = ("0"):rep(chance(900) - 1) .. "1"
  must_read(digits .. more, exponent - #more, high)
  local less = ("9"):rep(chance(900))
  must_read(digits:sub(1, -2) .. "4" .. less, exponent - #less, low)
end

local function mantissa()
  return 2 ^ 52 + (chance(2 ^ 26) - 1) * 2 ^ 26 + chance(2 ^ 26) - 1
end

---------------------------------------------------------------------------------------------------------------------- specs

describe("a number halfway between two doubles", function()
  it("goes to the even one, and by a digit 900 places on to its side: around one", function()
    for _ = 1, MANY do check(mantissa(), chance(120) - 1) end
    for _, n in ipairs { 2 ^ 52, 2 ^ 52 + 1, 2 ^ 53 - 2, 2 ^ 53 - 1 } do check(n, 52) end
  end)

  it("does so among the smallest normal and the subnormal numbers", function()
    for _ = 1, MANY do check(mantissa(), 1074 - chance(120) + 1) end
    for _ = 1, MANY do check(chance(2 ^ 26) * chance(2 ^ 26) - 1, 1074) end
    for _, n in ipairs { 0, 1, 2, 2 ^ 52 - 2, 2 ^ 52 - 1, 2 ^ 52 } do check(n, 1074) end
    assert.is_true(#halfway(2 ^ 53 - 1, 1074) > 760) -- no half has more digits than these
  end)

  it("does so among the greatest", function()
    local function check_great(n, k)
      local digits = halfway(n, k)
      assert.is_truthy(digits:find "^%d+$")
      must_read(digits, 0, n % 2 == 0 and scaled(n, k) or scaled(n + 1, k))
      must_read(digits .. ("0"):rep(700) .. "1", -701, scaled(n + 1, k))
    end
    for _ = 1, MANY do check_great(mantissa(), -chance(971)) end
    check_great(2 ^ 53 - 2, -971)
  end)

  it("above the greatest is the greatest below the half, and stays text from the half on", function()
    local digits = halfway(2 ^ 53 - 1, -971)
    assert.equal(digits .. ".0", decode(digits .. ".0"))
    assert.equal("-" .. digits .. "e0", decode("-" .. digits .. "e0"))
    local last = tonumber(digits:sub(-1))
    assert.equal(scaled(2 ^ 53 - 1, -971), decode(digits:sub(1, -2) .. last - 1 .. "." .. ("9"):rep(800)))
  end)
end)

describe("a number of 17 digits", function()
  it("is the double that printed it", function()
    for _ = 1, MANY * 25 do
      local value = scaled(mantissa(), chance(2046) - 972)
      assert.equal(value, decode(("%.17e"):format(value)))
      assert.equal(value, decode(("%.16e"):format(value)))
      assert.equal(-value, decode(("%.16E"):format(-value)))
    end
  end)
end)

describe("a number of few digits", function()
  it("is the double that Python reads, whatever power of ten it is times", function()
    -- A mantissa below 2^53 and a power up to 22 go a way of their own, with a table of the powers; those beside it do not.
    local file = assert(io.popen [[python3 -c '
import random
random.seed(7)
for power in range(-30, 31):
    some = ["1", "3", "7", "9007199254740991", "9007199254740992", "9007199254740993", "18014398509481985"]
    for digits in some + [str(random.randrange(1, 2**53)) for _ in range(20)]:
        for text in ["%se%d" % (digits, power), "-%sE%+d" % (digits, power)] + (["0." + digits.rjust(-power, "0")] if -power >= len(digits) else []):
            if abs(float(text)) < 2**53: # from there on whole numbers are another matter
                print(text, "%.17g" % float(text))
']])
    local count = 0
    for line in file:lines() do
      local text, wanted = line:match "^(%S+) (%S+)$"
      if decode(text) ~= tonumber(wanted) then assert.equal(wanted, decode(text), text) end
      count = count + 1
    end
    file:close()
    assert.is_true(count > 2000, count)
  end)
end)

describe("a whole number", function()
  -- Every length, and around every power of two: exact, or its own text.
  local function check_whole(text)
    local value = decode(text)
    if type(value) == "string" then
      assert.equal(text, value)
    elseif math.type then
      assert.equal("integer", math.type(value), text)
      assert.equal(text, tostring(value))
    else
      assert.equal(text, ("%.0f"):format(value))
      assert.is_true(math.abs(value) <= 2 ^ 53)
    end
    local digits = text:gsub("%D", "")
    local limit = math.type and "9223372036854775807" or "9007199254740992"
    local fits = #digits < #limit or #digits == #limit and digits <= limit
    if text ~= "-9223372036854775808" then assert.equal(fits, type(value) == "number", text) end
  end

  it("is exact or its own text, at every length and around every power of two", function()
    for length = 1, 60 do
      for _ = 1, 20 do
        local digits = { ("%d"):format(chance(9)) }
        for i = 2, length do digits[i] = ("%d"):format(chance(10) - 1) end
        check_whole(table.concat(digits))
        check_whole("-" .. table.concat(digits))
      end
    end
    for power = 1, 200 do
      local limbs = { 1 }
      multiply_by_power(limbs, 2, power)
      for _, add in ipairs { -1, 0, 1 } do -- no power of two but the first ends in 0 or 9
        local text = text_of(limbs)
        check_whole(text:sub(1, -2) .. ("%d"):format(tonumber(text:sub(-1)) + add))
      end
    end
  end)
end)

---------------------------------------------------------------------------------------------------------------------- against decimal

-- A line a text: what it is, and of what value. Doubles as whole number times a power of two: for a text with a fraction or an exponent that is
-- none the nearest one comes behind. Then, a line a group of ten texts, the exact sum,
-- minimum and maximum of those that are whole and fit 64 bits twice over.
local PYTHON = [[
import sys
from decimal import Decimal
from fractions import Fraction
from math import frexp
group = []
for line in open(sys.argv[1]):
    text = line.strip()
    exact = Fraction(Decimal(text))
    near = float(text)
    real = near not in (float("inf"), float("-inf"))
    form = any(c in text for c in ".eE")
    m, e = frexp(near) if real else (0, 0)
    near_text = "%d %d" % (m * 2 ** 53, e - 53) if real and (exact.denominator > 1 or "e" in text.lower()) else ""
    if form and real and (abs(near) < 2.0 ** 53 or Fraction(near) == exact):
        print("real", int(m * 2 ** 53), e - 53)
    elif exact.denominator == 1 and -2 ** 63 <= exact < 2 ** 63:
        print("integer", int(exact), 0, near_text)
    else:
        print("text", text, 0, near_text)
    if exact.denominator == 1 and abs(exact) < 2 ** 100:
        group.append(int(exact))
    else:
        group.append(None)
    if len(group) == 10:
        whole = [n for n in group if n is not None]
        print("group", sum(whole), ",".join(str(n is not None) for n in group), min(whole, default="nil"), max(whole, default="nil"))
        group = []
]]

local EDGES = {
  "18446744073709551615.0", "18446744073709551615", "1.8446744073709551615e19", "-18446744073709551615.0", "9007199254740993.0", "9007199254740991.0",
  "9007199254740992.0", "9007199254740992.5", "9007199254740991.5", "-9007199254740993.000", "1e20", "1E20", "1e22", "1e23", "-1e23", "1.5", "0.1",
  "-0.1", "100e-2", "1.0", "0.0", "0e99", "1e400", "-1e400", "1e-400", "9223372036854775807.0", "9223372036854775808.0", "-9223372036854775808.0",
  "-9223372036854775809.0", "922337203685477580.7e1", "9.223372036854775807E+18", "1267650600228229401496703205376.0",
  "1267650600228229401496703205377.0",
  "123456789012345678901234567890e-11", "0.00009007199254740993e20", "170141183460469231731687303715884105.0", "4.9e-324", "1.7976931348623157e308",
}

local function made_up()
  local digits = { ("%d"):format(chance(9)) }
  for i = 2, chance(chance(2) == 1 and 22 or 6) do digits[i] = ("%d"):format(chance(3) == 1 and 0 or chance(10) - 1) end
  local text = table.concat(digits)
  local form = chance(5)
  if form == 1 then text = text .. "." .. ("0"):rep(chance(3)) end
  if form == 2 then text = text .. "e" .. chance(30) - 10 end
  if form == 3 and #text > 1 then text = text:sub(1, 1) .. "." .. text:sub(2) .. "E+" .. #text - 1 + chance(3) - 1 end
  if form == 4 and #text > 2 then text = text:sub(1, -2) .. "." .. text:sub(-1) end
  return (chance(4) == 1 and "-" or "") .. text
end

describe("numbers of every form", function()
  local texts, right, groups = {}, {}, {}

  setup(function()
    for _, text in ipairs(EDGES) do texts[#texts + 1] = text end
    while #texts < (support.sanitized and 300 or 3000) do texts[#texts + 1] = made_up() end
    local path = os.tmpname()
    support.write(path, table.concat(texts, "\n"), "\n")
    for line in support.shell(("python3 -c %s %s"):format(support.quote(PYTHON), path)):gmatch "[^\n]+" do
      local words = {}
      for word in line:gmatch "%S+" do words[#words + 1] = word end
      if words[1] == "group" then groups[#groups + 1] = words else right[#right + 1] = words end
    end
    os.remove(path)
    assert.equal(#texts, #right)
  end)

  local function double(value, exponent)
    local n = tonumber(value) + 0.0
    for _ = 1, exponent do n = n * 2 end
    for _ = 1, -exponent do n = n / 2 end
    return n
  end

  -- What a text is on this Lua.
  local function due(i, nearest)
    local kind, value = right[i][1], right[i][2]
    if kind == "real" then return double(value, tonumber(right[i][3])) end
    if nearest and right[i][4] then return double(right[i][4], tonumber(right[i][5])) end
    if kind == "text" then return texts[i] end
    if not math.type then return math.abs(tonumber(value)) <= 2 ^ 53 and ("%.0f"):format(tonumber(value)) == value and tonumber(value) or texts[i] end
    return math.tointeger(value) or math.tointeger(tonumber(value))
  end

  local function check_value(i, value, nearest)
    local expected = due(i, nearest)
    if value ~= expected or (math.type and math.type(value) ~= math.type(expected)) then
      error(("%s is %s, not %s"):format(texts[i], tostring(value), tostring(expected)))
    end
  end

  it("are what decimal says, with an exponent the nearest double: decoded, in one go and token by token", function()
    for i, text in ipairs(texts) do
      check_value(i, decode(text), true)
      check_value(i, decode("[" .. text .. "]")[1], true)
      check_value(i, decode(("[%s,\"\\u0041\"]"):format(text), { utf8 = "replace" })[1], true)
    end
  end)

  it("are what decimal says in rows, at every cut", function()
    local rows = {}
    for i, text in ipairs(texts) do rows[i] = ('[{"rawValue":"%s"},{"rawValue":%s}]'):format(text, text) end
    local whole = '{"report":{"table":{"inbound":{"columns":[{"elementName":"sum_a"},{"elementName":"b"}],"rows":['
      .. table.concat(rows, ",") .. "]}}}}"
    for _, size in ipairs { #whole, 1, 333 } do
      local decoder, i = scrutinizer.decoder { direction = "inbound" }, 0
      local function take()
        for row in decoder:rows() do
          i = i + 1
          if texts[i] ~= "-0" then check_value(i, row.sum_a) end
          check_value(i, row.b)
        end
      end
      for at = 1, #whole, size do
        assert(decoder:feed(whole:sub(at, at + size - 1)))
        take()
      end
      assert(decoder:finish())
      take()
      assert.equal(#texts, i)
    end
  end)

  -- The answer of a program.
  local function client_of(text)
    local program = command.temporary()
    command.write(program, "#!/bin/sh\ncat >/dev/null\ncat <<'END'\n" .. text .. "\nEND\n", "700")
    return assert(scrutinizer.connect { command = program }), program
  end

  it("are added up exactly, and compared", function()
    local rows = {}
    for n, group in ipairs(groups) do
      local i = (n - 1) * 10
      for fits in group[3]:gmatch "%a+" do
        i = i + 1
        if fits == "True" then rows[#rows + 1] = ('[{"rawValue":"g%d"},{"rawValue":"%s"}]'):format(n, texts[i]) end
      end
    end
    local client, program = client_of('{"report":{"table":{"inbound":{"columns":[{"elementName":"g"},{"elementName":"sum_a"}],"rows":['
      .. table.concat(rows, ",\n") .. ('],"totalRowCount":%d}}}}'):format(#rows))
    local query = client:report("x"):last(60):select { g = "g", a = "sum_a" }
    local list = assert(query:aggregate { by = { "g" }, sum = { "a" }, min = { "a" }, max = { "a" } })
    local function digits(value) return type(value) == "number" and ("%.0f"):format(value) or value end
    local seen = 0
    for _, row in ipairs(list) do
      local group = groups[tonumber(row.g:sub(2))]
      local function same(expected, value)
        if type(value) == "number" and math.type then
          assert.equal("integer", math.type(value))
          assert.equal(expected, ("%d"):format(value))
        else
          assert.equal(expected, digits(value))
        end
      end
      same(group[2], row.sum_a)
      same(group[4], row.min_a)
      same(group[5], row.max_a)
      seen = seen + 1
    end
    assert.is_true(seen > #groups - 3)
    client:close()
    os.remove(program)
  end)

  it("with a fraction are added up as doubles; what passes 128 bits is an error", function()
    local function sum(...)
      local rows = {}
      for i, text in ipairs { ... } do rows[i] = ('[{"rawValue":"%s"}]'):format(text) end
      local client, program = client_of('{"report":{"table":{"inbound":{"columns":[{"elementName":"sum_a"}],"rows":['
        .. table.concat(rows, ",") .. ('],"totalRowCount":%d}}}}'):format(#rows))
      local list, err = client:report("x"):last(60):select { a = "sum_a" }:aggregate { sum = { "a" }, max = { "a" } }
      client:close()
      os.remove(program)
      return list and list[1], err
    end
    assert.same({ sum_a = 4.0, max_a = 1.5 }, sum("1.5", "0.5", "1.0", "1e0"))
    assert.same({ sum_a = "36893488147419103230", max_a = "18446744073709551615" }, sum("18446744073709551615.0", "1.8446744073709551615e19"))
    for _, text in ipairs { "1e300", "9007199254740992.5" } do
      local row, err = sum(text, "1")
      assert.is_nil(row)
      assert.equal("decode", err.kind)
      assert.matches("'a' has a value that is not a number, so it cannot be aggregated", err.message)
    end
  end)

  it("are what decimal says in the points of a series", function()
    local points, places = {}, {}
    for i, text in ipairs(texts) do
      if not text:find "^%-" then
        places[#places + 1] = i
        points[#points + 1] = ('["%d",%s]'):format(#places * 300, #places % 2 == 0 and text or '"' .. text .. '"')
      end
    end
    local client, program = client_of('{"report":{"table":{"inbound":{"columns":[],"rows":[]}},"graph":{"timeseries":{"inbound":[['
      .. table.concat(points, ",") .. ']]},"pie":{"inbound":[{"label":"a"}]}}}}')
    local list = assert(client:report("x"):between(300, 300 * (#places + 1)):inbound():granularity(5):series())
    assert.equal(#places, #list[1].points)
    for n, point in ipairs(list[1].points) do check_value(places[n], point[2]) end
    client:close()
    os.remove(program)
  end)
end)
