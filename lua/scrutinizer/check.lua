--- Shared by the argument checks of the public methods: whole numbers, and how a message shows a value.

local ascii = require "scrutinizer.ascii"
local errors = require "scrutinizer.errors"

local check = {}

-- Every Lua represents integers exactly up to this one.
check.MAX = 2 ^ 53

--- The value as a whole number within the bounds, or nil. `5.0` counts as 5.
---@param value any
---@param min? integer default 0
---@param max? integer default 2^53
---@return integer?
function check.integer(value, min, max)
  if type(value) ~= "number" then return nil end
  -- Check the bounds first: floor must not see NaN or an infinity.
  if not (value >= (min or 0) and value <= (max or check.MAX)) then return nil end
  local whole = math.floor(value)
  return whole == value and whole or nil
end

--- Like `integer`, but also takes a string of digits.
---@param value any
---@param min? integer default 0
---@param max? integer default 2^53
---@return integer?
function check.digits(value, min, max)
  if type(value) == "string" and value:find "^%d+$" then value = tonumber(value) end
  return check.integer(value, min, max)
end

--- Whether a value can be a name: text that is not blank. Text made of digits is a name, too: ids are numbers.
---@param value any
---@return boolean
function check.name(value)
  return type(value) == "string" and value:find "%S" ~= nil
end

--- A value as a message shows it: one line, short, without control bytes.
---@param value any
---@return string
function check.show(value)
  local kind = type(value)
  if kind == "string" then return '"' .. errors.neutral(value, 60) .. '"' end
  if kind == "number" then return ascii.text(value) end
  if kind == "boolean" or kind == "nil" then return tostring(value) end
  return "a " .. kind
end

--- A message about misuse: the method, the value, what is allowed, and perhaps a hint.
---@param method string
---@param value any
---@param allowed string
---@param hint? string
---@return string
function check.message(method, value, allowed, hint)
  local text = ("%s: got %s; allowed: %s"):format(method, check.show(value), allowed)
  return hint and text .. "; " .. hint or text
end

--- Whether `a` comes before `b`, by bytes. Lua's own `<` on strings follows the locale.
---@param a string
---@param b string
---@return boolean
function check.before(a, b)
  local at = 1
  while true do
    local left, right = a:byte(at), b:byte(at)
    if left ~= right then return not left or (right ~= nil and left < right) end
    if not left then return false end
    at = at + 1
  end
end

--- The string keys of a table in the order of their bytes.
---@param map table<string, any>
---@return string[]
function check.sorted_keys(map)
  local keys = {}
  for key in next, map do keys[#keys + 1] = key end
  table.sort(keys, check.before)
  return keys
end

return check
