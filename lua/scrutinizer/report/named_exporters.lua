--- Replaces the names of exporters and interfaces in filters by addresses and indexes, before a request is made.

local addresses = require "scrutinizer.addresses"
local wire = require "scrutinizer.wire"

local named_exporters = {}

-- The filter with address and index, for one with names; nil and err when a name is not found.
local function by_number(exporters, named)
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

--- A query's spec with the names of exporters looked up; the same spec when it has no names.
---@param client scrutinizer.Client
---@param spec table
---@return table? spec
---@return scrutinizer.Error? err
function named_exporters.look_up(client, spec)
  local list, changed = {}, false
  for i, entry in ipairs(spec.filters) do
    list[i] = entry
    if entry.named then
      local err
      list[i], err = by_number(client.exporters, entry.named)
      if not list[i] then return nil, err end
      changed = true
    end
  end
  if not changed then return spec end
  local copy = {}
  for key, value in pairs(spec) do copy[key] = value end
  copy.filters = list
  return copy
end

return named_exporters
