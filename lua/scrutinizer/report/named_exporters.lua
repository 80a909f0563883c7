--- Replaces the names of exporters, interfaces and groups in a query by addresses, indexes and ids, before a request is made.

local addresses = require "scrutinizer.addresses"
local conditions = require "scrutinizer.wire.conditions"
local errors = require "scrutinizer.errors"
local wire = require "scrutinizer.wire"

local named_exporters = {}

-- The filter for a device with address and index, for one with names; nil and err when a name is not found.
local function device_by_number(exporters, named)
  local ip, index = named.exporter, named.interface
  if not addresses.is_ip(ip) then
    local device, err = exporters:find(ip)
    if not device then return nil, err end
    ip = device.ip
  end
  if type(index) == "string" then
    local interface, err = exporters:interface(ip, index)
    if not interface then return nil, err end
    index = interface.index
  end
  return wire.filters.exporter("in", ip, index)
end

-- Finds the ids of a part's groups by name; the part's list is read at the first name.
local function finder_of(client, part)
  local finder
  return function(method, name)
    finder = finder or client[part]:_finder()
    return finder(method, name)
  end
end

-- Looks up the filters that have names. Returns a new list; the same one when there are none; nil and err.
local function look_up_filters(client, filters)
  local finder, list, changed = finder_of(client, "device_groups"), {}, false
  for i, entry in ipairs(filters) do
    local named, err = entry.named, nil
    list[i] = entry
    if named and named.device_group then
      local id
      id, err = finder("device_group", named.device_group)
      list[i] = id and wire.filters.device_group("in", id)
    elseif named then
      list[i], err = device_by_number(client.exporters, named)
    end
    if err then return nil, err end
    changed = changed or named ~= nil
  end
  return changed and list or filters
end

local METHOD = { ["in"] = "where", ex = "exclude" }

-- The condition with the ids of its groups; the same one when it has no names; nil and err.
local function groups_by_id(finder, condition)
  local values, changed = {}, false
  for i, value in ipairs(condition.values) do
    local id, err = conditions.read(condition.key, value), nil
    if type(id) == "string" then
      id, err = finder(("%s: %s"):format(METHOD[condition.mode], condition.key), id)
      changed = true
    end
    if not id then return nil, err end
    values[i] = id
  end
  if not changed then return condition end
  local copy = {}
  for key, value in pairs(condition) do copy[key] = value end
  copy.values = values
  return copy
end

-- The same for conditions.
local function look_up_conditions(client, given)
  local finder, list, changed = finder_of(client, "ip_groups"), {}, false
  for i, condition in ipairs(given) do
    list[i] = condition
    if conditions.keys[condition.key].kind == "ip_group" then
      local err
      list[i], err = groups_by_id(finder, condition)
      if not list[i] then return nil, err end
      changed = changed or list[i] ~= condition
    end
  end
  return changed and list or given
end

--- A query's spec with its names looked up; the same spec when it has no names.
---@param client scrutinizer.Client
---@param spec table
---@return table? spec
---@return scrutinizer.Error? err
function named_exporters.look_up(client, spec)
  local filters, err = look_up_filters(client, spec.filters)
  if not filters then return nil, err end
  local contradiction = filters ~= spec.filters and wire.contradiction(wire.distinct(filters))
  if contradiction then return errors.fail("api", contradiction) end
  local list
  list, err = look_up_conditions(client, spec.conditions)
  if not list then return nil, err end
  if filters == spec.filters and list == spec.conditions then return spec end
  local copy = {}
  for key, value in pairs(spec) do copy[key] = value end
  copy.filters, copy.conditions = filters, list
  return copy
end

return named_exporters
