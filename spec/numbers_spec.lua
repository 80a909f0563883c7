-- Numbers to the nearest double, ties to even, where it is hardest: exactly between two doubles, and a hair beside that. The decimal texts, of up
-- to 800 digits and more, are made by long multiplication; nothing that reads or prints a fraction takes part.

local answers = require "spec.answers"
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

local function must_read(digits, exponent, expected)
  for _, text in ipairs(forms(digits, exponent)) do
    for _, sign in ipairs { "", "-" } do
      local value, due = decode(sign .. text), sign == "" and expected or -expected
      if value ~= due then error(("%s%s is %s, not %.17g"):format(sign, text, tostring(value), due)) end
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
