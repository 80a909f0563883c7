--- The texts of the appliance's filters.

local addresses = require "scrutinizer.addresses"

local filters = {}

-- The appliance writes "Both" for one kind and "both" for others.

filters.type = {
  exporter = "sdfDips",
  ip = "sdfIps",
  ip_group = "sdfIPGroups",
  network = "sdfIpns",
  port = "sdfSdPorts",
  app_port = "sdfPorts",
}

local HOST_SIDE = { both = "Both", src = "src", dst = "dst" }
local SIDE = { both = "both", src = "src", dst = "dst" }

local function filter(kind, ...)
  return { type = filters.type[kind], value = table.concat({ ... }, "_") }
end

-- One writer per kind. `mode` is "in" or "ex"; `side` is "both", "src" or "dst"; numbers are whole.
local FILTERS = {}
filters.write = FILTERS

function FILTERS.ip(mode, side, address)
  return filter("ip", mode, address, HOST_SIDE[side])
end

function FILTERS.ip_group(mode, side, id)
  return filter("ip_group", mode, type(id) == "number" and ("%d"):format(id) or id, SIDE[side])
end

--- Only "dst" has been seen in use; "src" and "both" are inferred.
function FILTERS.network(mode, side, network)
  return filter("network", mode, network.address, ("%d"):format(network.length), SIDE[side])
end

--- Only "both" has been seen in use; "src" and "dst" are inferred.
function FILTERS.port(mode, side, port)
  return filter("port", mode, ("%d"):format(port), SIDE[side])
end

--- It has no side: the appliance decides which port is the application's.
function FILTERS.app_port(mode, _, app)
  return filter("app_port", mode, ("%d-%d"):format(app.port, app.protocol))
end

--- All interfaces of a device, or one. IPv4 devices as eight hex digits, IPv6 as text (unverified).
function FILTERS.exporter(mode, device, if_index)
  local octets = addresses.octets(device)
  if octets then device = ("%02X%02X%02X%02X"):format(octets[1], octets[2], octets[3], octets[4]) end
  if not if_index then return filter("exporter", mode, device, "ALL") end
  return filter("exporter", mode, device, ("%s-%d"):format(device, if_index))
end

function FILTERS.device_group(mode, id)
  return filter("exporter", mode, "GROUP", ("%d"):format(id))
end

function FILTERS.all_exporters()
  return filter("exporter", "in", "GROUP", "ALL")
end

--- Whether a filter includes devices rather than excludes them.
---@param entry { type?: string, value: any }
---@return boolean
function filters.includes_exporter(entry)
  local shuts_out = type(entry.value) == "string" and entry.value:find "^ex_"
  return entry.type == filters.type.exporter and not shuts_out
end

return filters
