--- Reports of summary data, the appliance's default since version 18. It does not have the transport ports of flows, only their well-known port.

local conditions = require "scrutinizer.wire.conditions"
local filters = require "scrutinizer.wire.filters"

local summary_data = {}

local MODE_FIELD, SUMMARY = "dataMode", "saf"

local WARNING = "the report filters by %s, but summary data (data mode %s) does not have the ports of flows: the result may be wrong; add "
  .. ':data_mode "traditional", or filter by app_port'

-- What of the query is a filter by transport port, in the caller's words; nil: nothing.
local function port_filter(spec)
  local given = spec.fields[filters.FIELD]
  if given ~= nil then
    for key in pairs(type(given) == "table" and given or {}) do
      if tostring(key):match "^(.*)_%d+$" == filters.type.port then return filters.type.port end
    end
    return nil
  end
  for _, condition in ipairs(spec.conditions) do
    if conditions.keys[condition.key].kind == "port" then return condition.key end
  end
  for _, entry in ipairs(spec.filters) do
    if entry.type == filters.type.port then return filters.type.port end
  end
end

-- The data mode that the query asks for; nil: the appliance's default.
local function mode_of(spec)
  local set = spec.fields[MODE_FIELD]
  if set ~= nil then return type(set) == "table" and set.selected or nil end
  return spec.data_mode
end

--- Why the result of a query may be wrong: it filters by ports that the data which it reads does not have. Nil when it does not.
---@param spec table a query's
---@return string?
function summary_data.warning(spec)
  local mode = mode_of(spec)
  if mode ~= nil and mode ~= SUMMARY then return nil end
  local what = port_filter(spec)
  return what and WARNING:format(what, mode and SUMMARY or SUMMARY .. ", the default") or nil
end

return summary_data
