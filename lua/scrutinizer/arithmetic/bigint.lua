--- Whole numbers of any size, on every Lua: a Lua number when it is exact, else decimal digits as text.
---
--- A bill's octets, products and amounts are computed here. Only `divide` rounds, by the mode that the caller names.

local check = require "scrutinizer.check"
local int64 = require "scrutinizer.arithmetic.int64"

local bigint = {}

local floor = math.floor
local to_integer, kind_of_number = rawget(math, "tointeger"), rawget(math, "type")

-- Limbs of seven digits: the product of two, with a carry, is exact in a double.
local BASE, DIGITS = 10000000, 7
local SAFE = 2 ^ 53

---@alias scrutinizer.Whole integer|string a whole number; text (decimal digits, "-" first if negative) when a number of this Lua is not exact

-- ---- magnitudes: lists of limbs, the lowest first; zero is the empty list ----

local function trim(limbs)
  local n = #limbs
  while n > 0 and limbs[n] == 0 do
    limbs[n] = nil
    n = n - 1
  end
  return limbs
end

local function read_digits(text)
  local limbs = {}
  for last = #text, 1, -DIGITS do
    limbs[#limbs + 1] = floor(tonumber(text:sub(math.max(1, last - DIGITS + 1), last)))
  end
  return trim(limbs)
end

local function write_digits(limbs)
  local n = #limbs
  if n == 0 then return "0" end
  local out = { ("%d"):format(limbs[n]) }
  for i = n - 1, 1, -1 do out[#out + 1] = ("%07d"):format(limbs[i]) end
  return table.concat(out)
end

local function compare_limbs(a, b)
  if #a ~= #b then return #a < #b and -1 or 1 end
  for i = #a, 1, -1 do
    if a[i] ~= b[i] then return a[i] < b[i] and -1 or 1 end
  end
  return 0
end

local function add_limbs(a, b)
  local sum, carry = {}, 0
  for i = 1, math.max(#a, #b) do
    local limb = (a[i] or 0) + (b[i] or 0) + carry
    carry = limb >= BASE and 1 or 0
    sum[i] = limb - carry * BASE
  end
  if carry > 0 then sum[#sum + 1] = carry end
  return sum
end

-- a must not be less than b.
local function subtract_limbs(a, b)
  local rest, borrow = {}, 0
  for i = 1, #a do
    local limb = a[i] - (b[i] or 0) - borrow
    borrow = limb < 0 and 1 or 0
    rest[i] = limb + borrow * BASE
  end
  return trim(rest)
end

local function multiply_limbs(a, b)
  local product = {}
  for i = 1, #a + #b do product[i] = 0 end
  for i = 1, #a do
    local carry = 0
    for j = 1, #b do
      local limb = product[i + j - 1] + a[i] * b[j] + carry
      carry = floor(limb / BASE)
      product[i + j - 1] = limb - carry * BASE
    end
    product[i + #b] = product[i + #b] + carry
  end
  return trim(product)
end

local function divide_by_limb(a, divisor)
  local quotient, rest = {}, 0
  for i = #a, 1, -1 do
    local value = rest * BASE + a[i]
    quotient[i] = floor(value / divisor)
    rest = value - quotient[i] * divisor
  end
  return trim(quotient), trim { rest }
end

-- One step of a long division: subtracts q * divisor, shifted by `shift` limbs, from rest. The estimate q may be too great by one or two;
-- returns the right one.
local function reduce(rest, divisor, shift, q)
  local n, borrow, carry = #divisor, 0, 0
  for i = 1, n + 1 do
    local product = (divisor[i] or 0) * q + carry
    carry = floor(product / BASE)
    local limb = rest[shift + i] - (product - carry * BASE) - borrow
    borrow = limb < 0 and 1 or 0
    rest[shift + i] = limb + borrow * BASE
  end
  while borrow > 0 do
    q, carry = q - 1, 0
    for i = 1, n + 1 do
      local limb = rest[shift + i] + (divisor[i] or 0) + carry
      carry = limb >= BASE and 1 or 0
      rest[shift + i] = limb - carry * BASE
    end
    borrow = borrow - carry
  end
  return q
end

-- Knuth's algorithm D (The Art of Computer Programming 2, 4.3.1). It scales both so that the divisor's highest limb is at least half the base.
local function divide_limbs(a, b)
  if compare_limbs(a, b) < 0 then return {}, a end
  if #b == 1 then return divide_by_limb(a, b[1]) end
  local scale = { floor(BASE / (b[#b] + 1)) }
  local rest, divisor = multiply_limbs(a, scale), multiply_limbs(b, scale)
  local n, quotient = #divisor, {}
  for i = #rest + 1, #a + 1 do rest[i] = 0 end
  for shift = #rest - n - 1, 0, -1 do
    local high = rest[shift + n + 1] * BASE + rest[shift + n]
    quotient[shift + 1] = reduce(rest, divisor, shift, math.min(floor(high / divisor[n]), BASE - 1))
  end
  return trim(quotient), (divide_by_limb(trim(rest), scale[1]))
end

-- ---- values ----

-- Magnitude and sign of a value that `whole` has returned.
local function open(value)
  local text = type(value) == "string" and value or ("%.0f"):format(value)
  if to_integer and type(value) == "number" then text = ("%d"):format(value) end
  local minus = text:sub(1, 1) == "-"
  return read_digits(minus and text:sub(2) or text), minus
end

local MAX_TEXT = "9223372036854775807"

-- The Lua number if it is exact, else nil.
local function host_number(digits, minus)
  local sign = minus and -1 or 1
  if #digits < 16 then return floor(tonumber(digits)) * sign end
  if to_integer then
    if #digits < #MAX_TEXT or (#digits == #MAX_TEXT and not check.before(MAX_TEXT, digits)) then return to_integer(tonumber(digits)) * sign end
  elseif #digits == 16 and digits <= "9007199254740992" then
    return tonumber(digits) * sign
  end
end

local function close(limbs, minus)
  local digits = write_digits(limbs)
  minus = minus and digits ~= "0"
  return host_number(digits, minus) or (minus and "-" .. digits or digits)
end

--- The value (a number, digits, an int64 of LuaJIT) as a whole number: a Lua number if it is exact, else digits. Nil when the value is not a whole
--- number, or is a double beyond
--- 2^53, where not every whole number has a double of its own.
---@param value any
---@return scrutinizer.Whole?
function bigint.whole(value)
  if type(value) == "cdata" then value = int64.text(value) end
  if type(value) == "string" then
    local minus, digits = value:match "^(%-?)0*(%d+)$"
    if not digits or #digits > 1000 then return nil end
    minus = minus == "-" and digits ~= "0"
    return host_number(digits, minus) or (minus and "-" or "") .. digits
  end
  if type(value) ~= "number" then return nil end
  if to_integer and kind_of_number(value) == "integer" then
    -- The smallest integer has no positive counterpart in 64 bits, so it becomes text.
    return value ~= -value and value or (value == 0 and 0 or ("%d"):format(value))
  end
  if not (value >= -SAFE and value <= SAFE) or value ~= floor(value) then return nil end
  return floor(value) + 0 -- doubles have a -0
end

local function small(value)
  return type(value) == "number" and value < SAFE / 2 and value > -SAFE / 2
end

--- -1, 0 or 1 when a is less than, equal to or greater than b.
---@param a scrutinizer.Whole
---@param b scrutinizer.Whole
---@return integer
function bigint.compare(a, b)
  if type(a) == "number" and type(b) == "number" then return a < b and -1 or (a > b and 1 or 0) end
  local x, x_minus = open(a)
  local y, y_minus = open(b)
  if x_minus ~= y_minus then return x_minus and -1 or 1 end
  local order = compare_limbs(x, y)
  return x_minus and -order or order
end

--- a + b.
---@param a scrutinizer.Whole
---@param b scrutinizer.Whole
---@return scrutinizer.Whole
function bigint.add(a, b)
  if small(a) and small(b) then return a + b end
  local x, x_minus = open(a)
  local y, y_minus = open(b)
  if x_minus == y_minus then return close(add_limbs(x, y), x_minus) end
  if compare_limbs(x, y) >= 0 then return close(subtract_limbs(x, y), x_minus) end
  return close(subtract_limbs(y, x), y_minus)
end

--- The sum of a list's first n values, which must not be negative; false is skipped.
---@param list (scrutinizer.Whole|false)[]
---@param n integer
---@return scrutinizer.Whole
function bigint.sum(list, n)
  local sum, plain, limit = 0, 0, SAFE / 2
  for i = 1, n do
    local value = list[i]
    if value then
      if type(value) == "number" and value < limit then
        plain = plain + value
      else
        sum = bigint.add(sum, value)
      end
      if plain >= limit then sum, plain = bigint.add(sum, plain), 0 end
    end
  end
  return bigint.add(sum, plain)
end

--- The number with its sign changed.
---@param a scrutinizer.Whole
---@return scrutinizer.Whole
function bigint.negate(a)
  local limbs, minus = open(a)
  return close(limbs, not minus)
end

--- a - b.
---@param a scrutinizer.Whole
---@param b scrutinizer.Whole
---@return scrutinizer.Whole
function bigint.subtract(a, b)
  return bigint.add(a, bigint.negate(b))
end

--- a × b.
---@param a scrutinizer.Whole
---@param b scrutinizer.Whole
---@return scrutinizer.Whole
function bigint.multiply(a, b)
  if small(a) and small(b) then
    -- The product in floats shows whether the exact product is too great.
    local about = (a + 0.0) * b
    if about < SAFE and about > -SAFE then return a * b + 0 end -- doubles have a -0
  end
  local x, x_minus = open(a)
  local y, y_minus = open(b)
  return close(multiply_limbs(x, y), x_minus ~= y_minus)
end

--- Rounding modes. half_up: to the nearest, halves away from zero; half_even: to the nearest, halves to the even one; up: away from zero;
--- down: towards zero.
bigint.ROUNDINGS = { half_up = true, half_even = true, up = true, down = true }

-- Whether |a| / |b| is rounded up to the next whole number.
local function goes_up(rounding, quotient, rest, divisor)
  if #rest == 0 or rounding == "down" then return false end
  if rounding == "up" then return true end
  local order = compare_limbs(add_limbs(rest, rest), divisor)
  if order ~= 0 or rounding == "half_up" then return order >= 0 end
  return (quotient[1] or 0) % 2 == 1
end

--- a / b, rounded to a whole number; b is not 0.
---@param a scrutinizer.Whole
---@param b scrutinizer.Whole
---@param rounding "half_up"|"half_even"|"up"|"down"
---@return scrutinizer.Whole
function bigint.divide(a, b, rounding)
  local x, x_minus = open(a)
  local y, y_minus = open(b)
  assert(#y > 0 and bigint.ROUNDINGS[rounding], "divide: a divisor and a rounding")
  local quotient, rest = divide_limbs(x, y)
  if goes_up(rounding, quotient, rest, y) then quotient = add_limbs(quotient, { 1 }) end
  return close(quotient, x_minus ~= y_minus)
end

--- The greatest common divisor, at least 1.
---@param a scrutinizer.Whole not negative
---@param b scrutinizer.Whole not negative
---@return scrutinizer.Whole
function bigint.common(a, b)
  if small(a) and small(b) then
    while b ~= 0 do a, b = b, a % b end
    return a == 0 and 1 or a
  end
  local x, y = open(a), open(b)
  while #y > 0 do
    local _, rest = divide_limbs(x, y)
    x, y = y, rest
  end
  return close(#x > 0 and x or { 1 }, false)
end

--- The decimal digits, with "-" first if negative.
---@param a scrutinizer.Whole
---@return string
function bigint.text(a)
  if type(a) == "string" then return a end
  return (to_integer and "%d" or "%.0f"):format(a)
end

return bigint
