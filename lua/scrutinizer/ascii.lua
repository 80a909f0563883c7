--- Letter case and decimal points that do not depend on the locale. Lua's own `lower`, `upper`, `%a`, `%w`, `%f`, `%g`, `tonumber`, `tostring`
--- and `<` on strings follow the process's locale. To compare strings, use `check.before`. `make lint` checks that only this file uses these.

local ascii = {}

local LOWER, UPPER = {}, {}
for i = 0, 25 do
  local small, large = string.char(97 + i), string.char(65 + i)
  LOWER[large], UPPER[small] = small, large
end

--- Changes A to Z into a to z; all other bytes stay.
---@param text string
---@return string
function ascii.lower(text)
  return (text:gsub("[A-Z]", LOWER))
end

--- Changes a to z into A to Z; all other bytes stay.
---@param text string
---@return string
function ascii.upper(text)
  return (text:gsub("[a-z]", UPPER))
end

-- Any other bytes in a number's text are the locale's decimal point.
local function pointed(text)
  return (text:gsub("[^0-9A-Za-z+ -]+", "."))
end

--- Like string.format, but the decimal point is always ".".
---@param form string
---@param ... any
---@return string
function ascii.format(form, ...)
  local values, i = { ... }, 0
  return (form:gsub("%%[-+ #0]*[0-9]*%.?[0-9]*[A-Za-z%%]", function(item)
    if item == "%%" then return "%" end
    i = i + 1
    local text = item:format(values[i])
    return item:find "[efgEG]$" and pointed(text) or text
  end))
end

--- Reads a decimal number: digits, perhaps a sign, a point and an exponent. Nil for anything else. A number is returned as it is, an int64 of
--- LuaJIT as the nearest number.
---@param text any
---@return number?
function ascii.number(text)
  if type(text) == "number" then return text end
  if type(text) == "cdata" then return tonumber(text) end
  if type(text) ~= "string" or not text:find "^[-+]?[0-9]*%.?[0-9]*[eE]?[-+]?[0-9]*$" then return nil end
  return tonumber(text) or tonumber((text:gsub("%.", (("%.1f"):format(0.5):match "0(.*)5"))))
end

--- Like tostring for a number, but the decimal point is always ".".
---@param number number
---@return string
function ascii.text(number)
  return pointed(tostring(number))
end

return ascii
