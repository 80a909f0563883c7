--- Prepares a query's spec for a run. A query can run when it has times, and a direction if it names an interface.

local draft = require "scrutinizer.query.draft"
local projection = require "scrutinizer.report.projection"
local window = require "scrutinizer.time.window"
local wire = require "scrutinizer.wire"

-- Whether the query names an interface but no direction. `:set` may have replaced the filters.
local function lacks_direction(spec)
  if spec.direction_said or spec.fields[wire.field.directions] ~= nil then return false end
  for _, entry in ipairs(spec.filters) do
    if wire.includes_interface(entry) then return true end
  end
  local given = spec.fields[wire.field.filters]
  for key, value in pairs(type(given) == "table" and given or {}) do
    if wire.includes_interface { type = tostring(key):match "^(.*)_%d+$", value = value } then return true end
  end
  return false
end

-- How the client filters rows, as `projection.tests` returns it. The appliance makes graphs: the client cannot filter them.
local function tests_of(spec, method, is_graph)
  local tests, message = projection.tests(spec)
  if not tests or not is_graph then return tests, message end
  local why = spec.kept[1] and ":keep filters rows in the client" or "the client must filter rows by some of these conditions"
  local remedy = spec.kept[1] and "remove :keep" or "use fewer conditions"
  return nil, ("%s: %s, but the appliance makes the graph from all rows: use rows or :aggregate, or %s"):format(method, why, remedy)
end

local prepare = {}

--- A spec with its times settled and `tests` for its rows; nil and why the query cannot run.
---@param spec table a query's
---@param method string
---@param is_graph? boolean the appliance makes what the method gives, of all rows
---@return table? settled a copy
---@return string? message
function prepare.spec(spec, method, is_graph)
  if not spec.times and spec.fields[wire.field.times] == nil then
    return nil, ('%s: say when: :range "LastHour", :between(from, to), :last "90m" or :day "2026-11-26"'):format(method)
  end
  if lacks_direction(spec) then
    return nil, ("%s: the query names an interface and no direction: say :inbound(), :outbound() or :both()"):format(method)
  end
  local settled, message = window.settle(spec)
  if not settled then return nil, ("%s: %s"):format(method, message) end
  local copy = {}
  for key, value in pairs(settled) do copy[key] = value end
  copy.tests, message = tests_of(settled, method, is_graph)
  if message then return nil, message end
  return copy
end

--- The query's spec with its times settled and `tests` for its rows, when it can run. Otherwise raises at the line that called the query's
--- method, which must call this itself and not by a tail call.
---@param query scrutinizer.Query
---@param method string
---@param is_graph? boolean the appliance makes what the method gives, of all rows
---@return table spec
function prepare.of_query(query, method, is_graph)
  local settled, message = prepare.spec(draft.of(query, method, nil, 1), method, is_graph)
  if not settled then error(message, 3) end
  return settled
end

return prepare
