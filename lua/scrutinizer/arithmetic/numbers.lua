--- `scrutinizer.add` and `scrutinizer.compare`: exact on every number that rows hold: Lua numbers, decimal text, LuaJIT's int64.

local ascii = require "scrutinizer.ascii"
local bigint = require "scrutinizer.arithmetic.bigint"
local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local int64 = require "scrutinizer.arithmetic.int64"

local numbers = {}

local floor = math.floor
local ALLOWED = "a number, the decimal text of one, or an int64 of LuaJIT"

-- The most digits of a whole number.
local MAX_DIGITS = 1000

-- The whole number that a decimal text stands for, in any form ("12.0", "1.2e1"); nil if it has a fraction, or too many digits.
local function whole_text(text)
  local minus, before, after, exponent = text:match "^(%-?)(%d+)%.?(%d*)[eE]?([+-]?%d*)$"
  local digits = (before .. after):gsub("^0+", "")
  local zeros = (tonumber(exponent) or 0) - #after
  if digits == "" then return 0 end
  if zeros < 0 then
    if not digits:sub(zeros):find "^0+$" or #digits < -zeros then return nil end
    digits, zeros = digits:sub(1, zeros - 1), 0
  end
  if #digits + zeros > MAX_DIGITS then return nil end
  return bigint.whole(minus .. digits .. ("0"):rep(zeros))
end

local function is_decimal(text)
  return text:find "^%-?%d+$" or text:find "^%-?%d+%.%d+$" or text:find "^%-?%d+%.?%d*[eE][+-]?%d+$"
end

-- A value as a whole number (see bigint), or else as a float: whole, float. Raises two levels up if it is neither.
local function read(method, value)
  local whole = bigint.whole(value)
  if whole then return whole end
  if type(value) == "number" and value - value == 0 then
    if value == floor(value) then return bigint.whole(("%.0f"):format(value)) end
    return nil, value
  end
  if type(value) == "string" and is_decimal(value) then
    whole = whole_text(value)
    local real = not whole and ascii.number(value)
    if whole then return whole end
    if real and real - real == 0 then return nil, real end
  end
  error(check.message(method, value, ALLOWED), 4)
end

local function is_cdata(value)
  return int64.text(value) ~= nil
end

-- A sum: a number if one is exact, an int64 if one was given, else digits.
local function written(sum, a, b)
  if type(sum) ~= "string" then return sum end
  if sum == "-9223372036854775808" and rawget(math, "mininteger") then return rawget(math, "mininteger") end
  return (is_cdata(a) or is_cdata(b)) and int64.make(sum) or sum
end

local function add(a, b)
  local x, x_real = read("add", a)
  local y, y_real = read("add", b)
  if x and y then return written(bigint.add(x, y), a, b) end
  return (x_real or ascii.number(bigint.text(x))) + (y_real or ascii.number(bigint.text(y)))
end

--- a + b. A sum of whole numbers is exact, of any size: a Lua number if this Lua can hold it exactly; an int64 if one operand is an int64 and the
--- sum fits 64 bits; else decimal digits. If an operand has a fraction, the sum is a float, as in `aggregate`.
---@param a number|string|ffi.cdata*
---@param b number|string|ffi.cdata*
---@return number|string|ffi.cdata*
function numbers.add(a, b)
  local sum = add(a, b)
  return sum
end

-- A number that `read` has read, as JSON's text of its exact value. (Of a float below 2^-46 the first 99 decimals.)
local function exact_text(value, whole, real)
  if whole then return bigint.text(whole) end
  if type(value) == "number" then return ascii.format("%.99f", real) end
  return (value:gsub("^(%-?)0+(%d)", "%1%2"))
end

local function compare(a, b)
  local x, x_real = read("compare", a)
  local y, y_real = read("compare", b)
  if x and y then return bigint.compare(x, y) end
  return core.compare(exact_text(a, x, x_real), exact_text(b, y, y_real))
end

--- -1, 0 or 1 when a is less than, equal to or greater than b: by value, whatever the types.
---@param a number|string|ffi.cdata*
---@param b number|string|ffi.cdata*
---@return -1|0|1
function numbers.compare(a, b)
  return compare(a, b) + 0 -- LuaJIT has a -0
end

return numbers
