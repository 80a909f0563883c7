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
  --- JSON null in decoded values.
  null = core.null,
  --- The metatable of decoded arrays; put it on an empty table to send `[]`.
  array_mt = core.array_mt,
  --- Known names: lists of { name =, text = }, and the texts by name.
  report_types = names.list(names.report_types, "report types"),
  date_ranges = names.list(names.date_ranges, "date ranges"),
  filters = names.list(names.filters, "types of filters"),
  connect = client.connect,
  decoder = decoder.new,
  recorder = recorder.new,
  report_json = report_json.read,
}

-- Checks the options of `decode`; raises at the line that called `decode`.
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

--- Decodes one whole JSON text. Whole numbers become exact integers (on Lua 5.1 and LuaJIT up to 2^53); 1.0 stays a float; -0 becomes -0.0.
--- A whole number that this Lua cannot hold exactly stays a string (18446744073709551615.0 too). A number with a fraction or an exponent
--- becomes the nearest float, within the range of floats. null becomes `scrutinizer.null`. Of duplicate keys the last one counts.
---@param text string
---@param given? { max_depth?: integer, utf8?: "pass"|"replace"|"error" } max_depth: 1 to 4000
---@return any value nil: it failed
---@return scrutinizer.Error? err with the `position` of the error, in bytes from 0
function scrutinizer.decode(text, given)
  if type(text) ~= "string" then error(check.message("decode", text, "a JSON text"), 2) end
  local value, kind, message, position = core.decode(text, given ~= nil and decode_options(given) or nil)
  if value == nil then return errors.fail(kind, message, { position = position }) end
  return value
end

return scrutinizer
