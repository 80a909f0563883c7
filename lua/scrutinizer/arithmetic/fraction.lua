--- Exact fractions of whole numbers: rates, prices and quantities before they are rounded.

local ascii = require "scrutinizer.ascii"
local bigint = require "scrutinizer.arithmetic.bigint"

local fraction = {}

---@class scrutinizer.Fraction
---@field numerator scrutinizer.Whole
---@field denominator scrutinizer.Whole at least 1; the fraction is reduced

--- numerator / denominator, reduced.
---@param numerator scrutinizer.Whole
---@param denominator? scrutinizer.Whole positive; default 1
---@return scrutinizer.Fraction
function fraction.new(numerator, denominator)
  denominator = denominator or 1
  local positive = bigint.compare(numerator, 0) < 0 and bigint.negate(numerator) or numerator
  local common = bigint.common(positive, denominator)
  if common ~= 1 then
    numerator, denominator = bigint.divide(numerator, common, "down"), bigint.divide(denominator, common, "down")
  end
  return { numerator = numerator, denominator = denominator }
end

--- a + b.
---@param a scrutinizer.Fraction
---@param b scrutinizer.Fraction
---@return scrutinizer.Fraction
function fraction.add(a, b)
  return fraction.new(bigint.add(bigint.multiply(a.numerator, b.denominator), bigint.multiply(b.numerator, a.denominator)),
    bigint.multiply(a.denominator, b.denominator))
end

--- a - b.
---@param a scrutinizer.Fraction
---@param b scrutinizer.Fraction
---@return scrutinizer.Fraction
function fraction.subtract(a, b)
  return fraction.add(a, { numerator = bigint.negate(b.numerator), denominator = b.denominator })
end

--- a × b.
---@param a scrutinizer.Fraction
---@param b scrutinizer.Fraction
---@return scrutinizer.Fraction
function fraction.multiply(a, b)
  return fraction.new(bigint.multiply(a.numerator, b.numerator), bigint.multiply(a.denominator, b.denominator))
end

--- a / b; b is positive.
---@param a scrutinizer.Fraction
---@param b scrutinizer.Fraction
---@return scrutinizer.Fraction
function fraction.divide(a, b)
  return fraction.new(bigint.multiply(a.numerator, b.denominator), bigint.multiply(a.denominator, b.numerator))
end

--- -1, 0 or 1 when a is less than, equal to or greater than b.
---@param a scrutinizer.Fraction
---@param b scrutinizer.Fraction
---@return integer
function fraction.compare(a, b)
  return bigint.compare(bigint.multiply(a.numerator, b.denominator), bigint.multiply(b.numerator, a.denominator))
end

--- The fraction rounded to a whole number.
---@param a scrutinizer.Fraction
---@param rounding "half_up"|"half_even"|"up"|"down"
---@return scrutinizer.Whole
function fraction.round(a, rounding)
  return bigint.divide(a.numerator, a.denominator, rounding)
end

-- The shortest decimal text that reads back as this number.
local function shortest(value)
  if value ~= value or value == math.huge or value == -math.huge then return nil end
  for _, format in ipairs { "%.15g", "%.16g", "%.17g" } do -- points: ascii.format writes them
    local text = ascii.format(format, value)
    if ascii.number(text) == value then return text end
  end
end

--- The exact fraction of a decimal number: "12.5", 12, or a float, read as its shortest decimal text (99.9 is 999/10). Nil when the value is
--- not a number, or has more than 30 digits before or after the decimal point.
---@param value any
---@return scrutinizer.Fraction?
function fraction.decimal(value)
  local whole = bigint.whole(value)
  if whole then return fraction.new(whole) end
  local text = type(value) == "number" and shortest(value) or value
  if type(text) ~= "string" then return nil end
  local minus, before, behind = text:match "^(%-?)(%d+)%.(%d+)$"
  if not before or #before > 30 or #behind > 30 then return nil end
  return fraction.new(bigint.whole(minus .. before .. behind) or 0, bigint.whole("1" .. ("0"):rep(#behind)))
end

--- Decimal text. Without `digits` it has no trailing zeros, and is cut (not rounded) after 12 digits; "…" marks a cut.
---@param a scrutinizer.Fraction
---@param digits? integer digits after the decimal point
---@param rounding? "half_up"|"half_even"|"up"|"down" default "down"
---@return string
function fraction.text(a, digits, rounding)
  local places = digits or 12
  local scale = bigint.whole("1" .. ("0"):rep(places))
  local scaled = bigint.multiply(a.numerator, scale)
  local whole = bigint.text(bigint.divide(scaled, a.denominator, rounding or "down"))
  local minus, text = whole:match "^(%-?)(%d+)$"
  text = ("0"):rep(places + 1 - #text) .. text
  local behind = text:sub(#text - places + 1)
  if not digits then behind = behind:gsub("0+$", "") end
  local out = minus .. text:sub(1, #text - places) .. (behind ~= "" and "." .. behind or "")
  local cut = not digits and bigint.compare(bigint.multiply(bigint.whole(whole), a.denominator), scaled) ~= 0
  return cut and out .. "…" or out
end

return fraction
