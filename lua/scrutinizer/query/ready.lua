--- Whether a query can run: it says when, and in which direction where it names an interface.

local draft = require "scrutinizer.query.draft"
local window = require "scrutinizer.time.window"
local wire = require "scrutinizer.wire"

-- Whether the query names an interface and leaves its direction open.
local function lacks_direction(spec)
  if spec.direction_said or spec.fields[wire.field.directions] ~= nil then return false end
  for _, entry in ipairs(spec.filters) do
    if wire.includes_interface(entry) then return true end
  end
  return false
end

--- The query's spec with its times settled, when it can run. Otherwise raises at the line that called the query's method, which must call this
--- itself and not by a tail call.
---@param query scrutinizer.Query
---@param method string
---@return table spec
local function ready(query, method)
  local spec = draft.of(query, method, nil, 1)
  if not spec.times and spec.fields[wire.field.times] == nil then
    error(('%s: say when: :range "LastHour", :between(from, to), :last "90m" or :day "2026-11-26"'):format(method), 3)
  end
  if lacks_direction(spec) then
    error(("%s: the query names an interface and no direction: say :inbound(), :outbound() or :both()"):format(method), 3)
  end
  local settled, message = window.settle(spec)
  if not settled then error(("%s: %s"):format(method, message), 3) end
  return settled
end

return ready
