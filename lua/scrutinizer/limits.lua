--- Limits on what an answer may hold, how invalid UTF-8 is treated, and what large whole numbers become. The same for `connect` and
--- `scrutinizer.decoder`.

local check = require "scrutinizer.check"
local int64 = require "scrutinizer.arithmetic.int64"

local limits = {}

--- Default values; sizes in bytes.
limits.DEFAULTS = { max_depth = 64, max_row = 2 ^ 20, max_held = 64 * 2 ^ 20, max_body = 2 ^ 53, utf8 = "pass", integers = "text" }

-- Checks: each returns the value to use, or nil and what is allowed.
local CHECKS = {}
limits.CHECKS = CHECKS

local function bytes(value)
  local whole = check.integer(value, 1)
  if whole then return whole end
  return nil, "bytes, a whole number from 1"
end
limits.bytes = bytes

CHECKS.max_body, CHECKS.max_row, CHECKS.max_held = bytes, bytes, bytes

function CHECKS.max_depth(value)
  local whole = check.integer(value, 8, 4000)
  if whole then return whole end
  return nil, "a whole number from 8 (a report's own depth) to 4000"
end

function CHECKS.utf8(value)
  if value == "pass" or value == "replace" or value == "error" then return value end
  return nil, '"pass", "replace", "error"'
end

--- Whole numbers that no double holds: "text", or "int64" (cdata on LuaJIT; Lua 5.3 and later have integers of 64 bits anyway).
function CHECKS.integers(value)
  if value == "text" or (value == "int64" and int64.available) then return value end
  return nil, int64.available and '"text", "int64"' or '"text" ("int64" needs LuaJIT, or Lua 5.3 or later)'
end

return limits
