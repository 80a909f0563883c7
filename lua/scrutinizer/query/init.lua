--- The query: an immutable value that describes which flows are requested, and how. The methods that build a query are in devices.lua,
--- report_options.lua, times.lua and remove.lua; those that run it are in run.lua.

local check = require "scrutinizer.check"
local draft = require "scrutinizer.query.draft"
local names = require "scrutinizer.query.names"
local suggest = require "scrutinizer.suggest"
local wire = require "scrutinizer.wire"

require "scrutinizer.query.devices"
require "scrutinizer.query.remove"
require "scrutinizer.query.report_options"
require "scrutinizer.query.times"
local run = require "scrutinizer.query.run"

local query = {}

-- The defaults. Other fields are sent only when the caller sets them.
local function new_spec(report_type)
  return {
    type = report_type,
    directions = { "inbound" },
    granularity = "auto",
    filters = {},
    conditions = {},
    kept = {},
    fields = {},
    extras = {},
    offset = 0,
    prefetch = 0,
  }
end

--- A query for a report type. Unknown names are accepted, a misspelling of a known name raises; names with `custom_` in front are not checked.
---@param client table `:url()` and `:curl()` show its `url` and `has_token`
---@param report_type string
---@param level? integer where misuse raises, as `error` counts from here: by default 3, the line that called the caller (the caller must not
--- use a tail call)
---@return scrutinizer.Query
function query.new(client, report_type, level)
  local designed = type(report_type) == "string" and report_type:find "^custom_" and wire.try_encode(report_type)
  if not designed then
    local good, hint = suggest.open(report_type, names.report_types)
    if hint then
      hint = ('%s (if the name is right, use :set("%s", %s))'):format(hint, wire.field.type, check.show(report_type))
    end
    if not (good and wire.try_encode(good)) then
      error(check.message("report", report_type, "a report type's name, as in scrutinizer.report_types", hint), level or 3)
    end
  end
  return draft.query(client, new_spec(report_type))
end

--- A query with a finished spec (`report_json.from`). Absent members get their defaults.
---@param client table
---@param spec table
---@return scrutinizer.Query
function query.from_spec(client, spec)
  local whole = new_spec(spec.type)
  for key, value in pairs(spec) do whole[key] = value end
  return draft.query(client, whole)
end

query.is, query.complaint = draft.is, run.complaint

return query
