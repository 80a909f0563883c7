--- The decoder without a client: for bytes from another source, such as a cosocket or a file.

local answer = require "scrutinizer.report.answer"
local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local limits = require "scrutinizer.limits"
local projection = require "scrutinizer.report.projection"

---@class scrutinizer.Decoder
---@field private _core userdata
local methods = {}
local Decoder = { __index = methods, __name = "scrutinizer.Decoder" }

local CAPS = { "max_body", "max_depth", "max_row", "max_held", "utf8", "integers" }
local KNOWN = { select = true, direction = true }
for _, name in ipairs(CAPS) do KNOWN[name] = true end

-- The limits, checked as `connect` checks them; raises two levels up.
local function read_caps(given)
  local caps = {}
  for _, name in ipairs(CAPS) do
    local value = given[name]
    if value == nil then value = limits.DEFAULTS[name] end
    local good, allowed = limits.CHECKS[name](value)
    if good == nil then error(check.message("decoder: " .. name, value, allowed), 3) end
    caps[name] = good
  end
  return caps
end

--- A decoder for one report answer.
---
--- Options: `select` as in `query:select` (a list or a map); `direction`, "inbound" or "outbound" (without it: all rows in the order of the
--- answer, each with its direction); and the limits of `connect`: `max_body`, `max_depth`, `max_row`, `max_held` (which also limits the
--- memory of rows that wait to be read), `utf8`, `integers`. Misuse raises.
---@param given? table
---@return scrutinizer.Decoder
local function new(given)
  if given == nil then given = {} end
  if type(given) ~= "table" then error(check.message("decoder", given, "a table of options, or nothing"), 2) end
  for key in pairs(given) do
    if not KNOWN[key] then error(check.message("decoder: option", key, "select, direction, " .. table.concat(CAPS, ", ")), 2) end
  end
  local direction = given.direction
  if direction ~= nil and direction ~= "inbound" and direction ~= "outbound" then
    error(check.message("decoder: direction", direction, '"inbound" or "outbound"'), 2)
  end
  local wanted = read_caps(given)
  wanted.inbound, wanted.outbound = direction ~= "outbound", direction ~= "inbound"
  wanted.with_direction, wanted.int64 = direction == nil, wanted.integers == "int64"
  if given.select ~= nil then wanted.projection = projection.parse(2, given.select) end
  return setmetatable({ _core = core.decoder(wanted), _direction = direction }, Decoder)
end

-- Keeps the first error: every later call returns it. An error of kind `phase` is not kept: it refuses a call made while the decoder works.
local function fail(self, kind, message, position)
  if kind == "phase" then return errors.fail(kind, message) end
  self._error = errors.new(kind, message, { position = position })
  return nil, self._error
end

--- Reads the next bytes. They may be split at any byte. Raises after `finish`.
---@param chunk string
---@return true?
---@return scrutinizer.Error? err after an error, the same err again
function methods:feed(chunk)
  if type(chunk) ~= "string" then error(check.message("feed", chunk, "the next bytes, a string"), 2) end
  if self._finished then error("feed: the decoder is finished; make a new one for the next answer", 2) end
  if self._error then return nil, self._error end
  local ok, kind, message, position = self._core:feed(chunk)
  if not ok then return fail(self, kind, message, position) end
  return true
end

-- A `for` loop cannot receive an error: it is raised.
local function next_row(self)
  local row, kind, message = self._core:next()
  if kind == "phase" then error(errors.new(kind, message), 0) end
  return row or nil
end

--- Iterates over the rows that are complete and were not given yet. Also allowed after `finish` and after an error.
---@return fun(): table?
function methods:rows()
  return next_row, self
end

local function report_of(self)
  local decoder, report = self._core, {}
  local err
  for index, direction in ipairs { "inbound", "outbound" } do
    report.columns = report.columns or decoder:columns(index)
    local total
    total, err = answer.total(decoder, index)
    if err then return nil, err end
    local footer
    footer, err = answer.footer(decoder, index)
    if err then return nil, err end
    if self._direction == direction then
      report.total, report.footer = total, footer
    elseif not self._direction then
      report.totals, report.footers = report.totals or {}, report.footers or {}
      report.totals[direction], report.footers[direction] = total, footer
    end
  end
  if report.totals then
    local a, b = report.totals.inbound, report.totals.outbound
    report.total = (a or b) and (a or 0) + (b or 0)
    report.footer = report.footers.inbound or report.footers.outbound
  end
  report.time, err = answer.time(decoder)
  if err then return nil, err end
  report.exporters, err = answer.exporters(decoder)
  if err then return nil, err end
  report.request_id, err = answer.request_id(decoder)
  if err then return nil, err end
  report.columns = report.columns or {}
  return report
end

--- Call it when the bytes have ended. Returns the report without its rows; nil and err when the text is not a complete report, or is an error
--- of the appliance.
---@return table? report
---@return scrutinizer.Error? err
function methods:finish()
  if self._error then return nil, self._error end
  if self._report then return self._report end
  local ok, kind, message, position = self._core:finish()
  self._finished = kind ~= "phase"
  if not ok then return fail(self, kind, message, position) end
  self._error = answer.failure(self._core)
  if self._error then return nil, self._error end
  self._report, self._error = report_of(self)
  return errors.result(self._report, self._error)
end

return { new = new }
