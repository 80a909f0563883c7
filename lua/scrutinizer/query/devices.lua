--- The methods that select devices: exporters, their interfaces, and groups of devices.

local draft = require "scrutinizer.query.draft"
local filters = require "scrutinizer.query.filters"
local wire = require "scrutinizer.wire"

---@class scrutinizer.Query
local methods = draft.methods

-- Removes the filters for which `drop` is true.
local function drop_filters(spec, drop)
  local rest = {}
  for _, entry in ipairs(spec.filters) do
    if not drop(entry) then rest[#rest + 1] = entry end
  end
  spec.filters = rest
end

local function of_devices(entry) return entry.type == wire.filter_type.exporter end

-- Adds one device, or one of its interfaces. Raises at the line that called the query's method.
local function add_device(spec, device, interface)
  local entry, message = filters.exporter(device, interface)
  if not entry then error(message, 3) end
  drop_filters(spec, wire.includes_all_exporters)
  draft.add_filters(spec, { entry })
end

--- Only flows of this device, or of one of its interfaces. Several calls are ORed, and so are devices of pasted JSON; `:only_exporter` replaces
--- them. It replaces `:all_exporters`, also that of pasted JSON. Names are looked up when the query runs; the client keeps the result for five
--- minutes (`client.exporters`). A name of no device, or of several, is an error. A query with an interface must set its direction: without
--- `:inbound`, `:outbound` or `:both` it raises when it runs. So does a query with a device and one of its interfaces, of which the appliance would
--- take the whole device.
---@param device string its address, name, DNS name, sysname or label; IPv6 is sent as text, which is unverified
---@param interface? integer|string its SNMP index (a number) or its name (a text), such as "xe-0/0/1"
---@return scrutinizer.Query
function methods:exporter(device, interface)
  local spec = draft.with_filters(self, "exporter")
  add_device(spec, device, interface)
  return draft.finish(self, spec)
end

--- Like `:exporter`, but replaces all devices and device groups that were set before, also those that pasted JSON excludes.
---@param device string
---@param interface? integer|string
---@return scrutinizer.Query
function methods:only_exporter(device, interface)
  local spec = draft.with_filters(self, "only_exporter")
  drop_filters(spec, of_devices)
  add_device(spec, device, interface)
  return draft.finish(self, spec)
end

--- Flows of every device: removes the devices that `:exporter`, `:device_group` and pasted JSON have set.
---@return scrutinizer.Query
function methods:all_exporters()
  local spec = draft.with_filters(self, "all_exporters")
  drop_filters(spec, of_devices)
  draft.add_filters(spec, { wire.filters.all_exporters() })
  return draft.finish(self, spec)
end

--- Only flows of the devices in this group. Several calls, and calls of `:exporter`, are ORed. It replaces `:all_exporters`.
---@param group integer|string its id (a number from 0) or name (a text), see client.device_groups:list(); a name is looked up when the query runs
---@return scrutinizer.Query
function methods:device_group(group)
  local spec = draft.with_filters(self, "device_group")
  local entry, message = filters.device_group(group)
  if not entry then draft.blame(message) end
  drop_filters(spec, wire.includes_all_exporters)
  draft.add_filters(spec, { entry })
  return draft.finish(self, spec)
end
