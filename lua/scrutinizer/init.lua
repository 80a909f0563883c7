--- scrutinizer: flow reports of Plixer Scrutinizer as plain rows. Requiring it does no I/O and sets no globals.

local check = require "scrutinizer.check"
local client = require "scrutinizer.client"
local core = require "scrutinizer.core"
local decoder = require "scrutinizer.report.decoder"
local errors = require "scrutinizer.errors"
local names = require "scrutinizer.query.names"
local limits = require "scrutinizer.limits"
local recorder = require "scrutinizer.recorder"
local report_json = require "scrutinizer.query.report_json"

local scrutinizer = {
  VERSION = core.VERSION,
  --- JSON null, where one must be kept.
  null = core.null,
  --- The metatable of decoded arrays; put it on an empty table to send `[]`.
  array_mt = core.array_mt,
  report_types = names.report_types,
  date_ranges = names.date_ranges,
  filters = names.filters,
  connect = client.connect,
  decoder = decoder.new,
  recorder = recorder.new,
  report_json = report_json.read,
}

-- The checked options of `decode`; raises at its caller's line.
local function decode_options(given)
  if type(given) ~= "table" then error(check.message("decode: options", given, "a table with max_depth, utf8; or nothing"), 3) end
  for key in pairs(given) do
    if key ~= "max_depth" and key ~= "utf8" then error(check.message("decode: option", key, "max_depth, utf8"), 3) end
  end
  local depth, utf8 = given.max_depth, given.utf8
  if depth ~= nil and not check.integer(depth, 1, 4000) then
    error(check.message("decode: max_depth", depth, "a whole number from 1 to 4000"), 3)
  end
  if utf8 ~= nil then
    local good, allowed = limits.CHECKS.utf8(utf8)
    if not good then error(check.message("decode: utf8", utf8, allowed), 3) end
  end
  return given
end

--- One whole JSON text as a Lua value: whole numbers are exact integers (on Lua 5.1 and LuaJIT up to 2^53), 1.0 stays a float, -0 is -0.0;
--- a whole number that no number of this Lua holds stays its text (18446744073709551615.0 too); one with an exponent is the nearest float, in
--- range of floats, and so is a fraction. null is `scrutinizer.null`; the last of duplicate keys counts.
---@param text string
---@param given? { max_depth?: integer, utf8?: "pass"|"replace"|"error" }
---@return any value
---@return scrutinizer.Error? err
function scrutinizer.decode(text, given)
  if type(text) ~= "string" then error(check.message("decode", text, "a JSON text"), 2) end
  local value, kind, message, position = core.decode(text, given ~= nil and decode_options(given) or nil)
  if value == nil then return errors.fail(kind, message, { position = position }) end
  return value
end

return scrutinizer
