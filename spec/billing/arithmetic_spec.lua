-- Whole numbers and fractions of bills: against python's, of any size, on every Lua.
local bigint = require "scrutinizer.arithmetic.bigint"
local fraction = require "scrutinizer.arithmetic.fraction"
local support = require "spec.support"

local ROUNDINGS = { "down", "up", "half_up", "half_even" }

-- Digits that make carries and borrows likely.
local function digits()
  local out = {}
  for i = 1, math.random(1, 45) do
    local kind = math.random(10)
    out[i] = kind < 3 and "0" or kind < 5 and "9" or tostring(math.random(0, 9))
  end
  local text = table.concat(out):gsub("^0+", "")
  if text == "" then text = "0" end
  return (math.random(3) == 1 and text ~= "0") and "-" .. text or text
end

local PYTHON = [[
import sys
from fractions import Fraction
from math import floor, ceil
count = 0
for line in sys.stdin:
    a, b, total, rest, product, order, down, up, half_up, half_even = map(int, line.split())
    q = Fraction(a, b)
    sign, size = (-1 if q < 0 else 1), abs(q)
    assert (total, rest, product, order) == (a + b, a - b, a * b, (a > b) - (a < b)), line
    assert (down, up) == (sign * floor(size), sign * ceil(size)), line
    assert (half_up, half_even) == (sign * floor(size + Fraction(1, 2)), round(q)), line
    count += 1
print(count)
]]

local function line_of(a, b)
  local x, y = bigint.whole(a), bigint.whole(b)
  local words = { a, b, bigint.text(bigint.add(x, y)), bigint.text(bigint.subtract(x, y)), bigint.text(bigint.multiply(x, y)),
    ("%d"):format(bigint.compare(x, y)) }
  for _, rounding in ipairs(ROUNDINGS) do words[#words + 1] = bigint.text(bigint.divide(x, y, rounding)) end
  return table.concat(words, " ")
end

describe("exact", function()
  it("adds, multiplies, divides and compares as python does", function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    for i = 1, 1500 do
      local a, b = digits(), digits()
      -- Halves and whole quotients too, where roundings differ.
      if i % 3 == 0 then b = tostring(2 * math.random(1, 500)) end
      -- Every limb full, or exactly what the next one counts as one.
      if i % 10 == 1 then a, b = ("9"):rep(i % 50), "1" end
      if b == "0" then b = "7" end
      file:write(line_of(a, b), "\n")
    end
    file:close()
    local out = support.shell(("env -u LD_PRELOAD python3 -c %s <%s 2>&1"):format(support.quote(PYTHON), path))
    os.remove(path)
    assert.equal("1500\n", out)
  end)

  it("gives numbers where this Lua's are exact, and digits beyond", function()
    local most = math.maxinteger and "9223372036854775807" or "9007199254740992"
    local next_one = math.maxinteger and "9223372036854775808" or "9007199254740993"
    assert.equal("number", type(bigint.whole(most)))
    assert.equal(next_one, bigint.add(bigint.whole(most), 1))
    assert.equal(bigint.whole(most), bigint.subtract(next_one, 1))
    assert.equal("-" .. next_one, bigint.negate(next_one))
    if math.type then
      assert.equal("integer", math.type(bigint.whole(5.0)))
      assert.equal("-9223372036854775808", bigint.whole(math.mininteger))
    end
    assert.equal("85070591730234615865843651857942052864", bigint.multiply(bigint.whole "9223372036854775808", bigint.whole "9223372036854775808"))
  end)

  it("takes no double that may stand for its neighbours, and no fraction", function()
    for _, bad in ipairs { 2 ^ 53 + 2, 1.5, 0 / 0, math.huge, -math.huge, "1.0", "", "1e3", "0x10", " 1", true, {}, ("9"):rep(1001) } do
      assert.is_nil(bigint.whole(bad))
    end
    assert.equal(7, bigint.whole "007")
    assert.equal(0, bigint.whole "-0")
    -- No -0 of doubles: it would be written.
    for _, zero in ipairs { bigint.multiply(-5, 0), bigint.multiply(0, -5), bigint.whole(-0.0), bigint.add(-5, 5), bigint.negate(0) } do
      assert.equal("0", bigint.text(zero))
    end
  end)
end)

describe("fraction", function()
  it("reads decimals exactly, floats as they are written", function()
    for _, case in ipairs {
      { 95, "95", "1" }, { "99.9", "999", "10" }, { 99.9, "999", "10" }, { 0.1, "1", "10" }, { "0.0125", "1", "80" }, { "-2.50", "-5", "2" },
      { "123456789012345678901234567890.5", "246913578024691357802469135781", "2" },
    } do
      local value = fraction.decimal(case[1])
      assert.equal(case[2], bigint.text(value.numerator))
      assert.equal(case[3], bigint.text(value.denominator))
    end
    for _, bad in ipairs { "1e2", "1,5", "", ".5", "5.", 0 / 0, math.huge, 1e-30, "x", {} } do assert.is_nil(fraction.decimal(bad)) end
  end)

  it("is written with the digits it has, cut where they do not end, or rounded by name", function()
    local third = fraction.new(1, 3)
    assert.equal("0.333333333333…", fraction.text(third))
    assert.equal("0.33", fraction.text(third, 2, "down"))
    assert.equal("0.34", fraction.text(third, 2, "up"))
    assert.equal("-0.3", fraction.text(fraction.new(-1, 3), 1, "half_up"))
    assert.equal("12.5", fraction.text(fraction.new(25, 2)))
    assert.equal("12.50", fraction.text(fraction.new(25, 2), 2))
    assert.equal("0", fraction.text(fraction.new(0)))
    assert.equal("2", fraction.text(fraction.new(5, 2), 0, "half_even"))
    assert.equal("3", fraction.text(fraction.new(5, 2), 0, "half_up"))
  end)
end)
