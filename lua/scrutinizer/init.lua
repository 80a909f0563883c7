--- scrutinizer: flow reports of Plixer Scrutinizer as plain rows. Requiring it does no I/O and sets no globals.

local check = require "scrutinizer.check"
local client = require "scrutinizer.client"
local core = require "scrutinizer.core"
local decoder = require "scrutinizer.report.decoder"
local errors = require "scrutinizer.errors"
local names = require "scrutinizer.query.names"
local numbers = require "scrutinizer.arithmetic.numbers"
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
  add = numbers.add,
  compare = numbers.compare,
}

local DECODE = { max_depth = true, utf8 = true, integers = true }

-- The options of `decode` for the core; misuse raises at the line that called `decode`.
local function decode_options(given)
  if type(given) ~= "table" then error(check.message("decode: options", given, "a table with max_depth, utf8, integers; or nothing"), 3) end
  for key in pairs(given) do
    if not DECODE[key] then error(check.message("decode: option", key, "max_depth, utf8, integers"), 3) end
  end
  local depth = given.max_depth
  if depth ~= nil and not check.integer(depth, 1, 4000) then
    error(check.message("decode: max_depth", depth, "a whole number from 1 to 4000"), 3)
  end
  for _, name in ipairs { "utf8", "integers" } do
    local good, allowed
    if given[name] ~= nil then good, allowed = limits.CHECKS[name](given[name]) end
    if allowed and not good then error(check.message("decode: " .. name, given[name], allowed), 3) end
  end
  return { max_depth = depth, utf8 = given.utf8, int64 = given.integers == "int64" }
end

--- Decodes one whole JSON text. Whole numbers become exact integers (on Lua 5.1 and LuaJIT up to 2^53); 1.0 stays a float; -0 becomes -0.0.
--- A whole number that this Lua cannot hold exactly stays a string (18446744073709551615.0 too); with `integers = "int64"` LuaJIT holds those
--- up to 2^63-1 as cdata. A number with a fraction or an exponent
--- becomes the nearest float, within the range of floats. null becomes `scrutinizer.null`. Of duplicate keys the last one counts.
---@param text string
---@param given? { max_depth?: integer, utf8?: "pass"|"replace"|"error", integers?: "text"|"int64" } max_depth: 1 to 4000
---@return any value nil: it failed
---@return scrutinizer.Error? err with the `position` of the error, in bytes from 0
function scrutinizer.decode(text, given)
  if type(text) ~= "string" then error(check.message("decode", text, "a JSON text"), 2) end
  local value, kind, message, position = core.decode(text, given ~= nil and decode_options(given) or nil)
  if value == nil then return errors.fail(kind, message, { position = position }) end
  return value
end

return scrutinizer
