--- Text that no locale changes: letters' case, and numbers' points. Lua's own `lower`, `upper`, `%a`, `%w`, `%f`, `%g`, `tonumber`, `tostring`
--- and `<` on strings follow the process's locale (`check.before` compares). `make lint` sees to it that only this file uses them.

local ascii = {}

local LOWER, UPPER = {}, {}
for i = 0, 25 do
  local small, large = string.char(97 + i), string.char(65 + i)
  LOWER[large], UPPER[small] = small, large
end

--- A to Z as a to z; all other bytes stay.
---@param text string
---@return string
function ascii.lower(text)
  return (text:gsub("[A-Z]", LOWER))
end

--- a to z as A to Z; all other bytes stay.
---@param text string
---@return string
function ascii.upper(text)
  return (text:gsub("[a-z]", UPPER))
end

-- What a number's text has beside these is the locale's point.
local function pointed(text)
  return (text:gsub("[^0-9A-Za-z+ -]+", "."))
end

--- As string.format; the point of a number is a point.
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

--- A decimal number's text as number: digits, a point, an exponent. Nil for all else; a number stays itself.
---@param text any
---@return number?
function ascii.number(text)
  if type(text) == "number" then return text end
  if type(text) ~= "string" or not text:find "^[-+]?[0-9]*%.?[0-9]*[eE]?[-+]?[0-9]*$" then return nil end
  return tonumber(text) or tonumber((text:gsub("%.", (("%.1f"):format(0.5):match "0(.*)5"))))
end

--- tostring of a number, with a point.
---@param number number
---@return string
function ascii.text(number)
  return pointed(tostring(number))
end

return ascii
