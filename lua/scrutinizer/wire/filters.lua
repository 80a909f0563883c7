--- The texts of the appliance's filters.

local addresses = require "scrutinizer.addresses"

local filters = {}

--- Fields of `rpt_json` that decide about filters.
filters.FIELD, filters.TYPE_FIELD = "filters", "reportTypeLang"

-- The appliance writes "Both" for one kind and "both" for others.

filters.type = {
  exporter = "sdfDips",
  ip = "sdfIps",
  ip_group = "sdfIPGroups",
  network = "sdfIpns",
  port = "sdfSdPorts",
  app_port = "sdfPorts",
}

--- Kinds that have no side, and so one key of `query:where`. The others have three: ip, src_ip, dst_ip.
filters.ONE_KEY = { app_port = true }

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

--- Whether a filter includes all devices.
---@param entry { type?: string, value: any }
---@return boolean
function filters.includes_all_exporters(entry)
  return entry.type == filters.type.exporter and entry.value == FILTERS.all_exporters().value
end

--- Whether a filter includes an interface of a device.
---@param entry { type?: string, value: any, named?: table }
---@return boolean
function filters.includes_interface(entry)
  if entry.named then return entry.named.interface ~= nil end
  return entry.type == filters.type.exporter and type(entry.value) == "string" and entry.value:find "^in_[^_]+_.*%-%d+$" ~= nil
end

--- The devices that a filter includes, as arguments of `query:exporter` and `:device_group`; nil for other filters, and for filters in a form
--- that these methods do not write.
---@param entry { type?: string, value: any }
---@return { all?: true, group?: string, exporter?: string, interface?: integer }?
function filters.device(entry)
  if entry.type ~= filters.type.exporter or type(entry.value) ~= "string" then return nil end
  if filters.includes_all_exporters(entry) then return { all = true } end
  local group = entry.value:match "^in_GROUP_([0-9]+)$"
  if group then return { group = group } end
  local hex, again, index = entry.value:match "^in_([0-9A-F]+)_([0-9A-F]+)%-([0-9]+)$"
  if not hex then hex = entry.value:match "^in_([0-9A-F]+)_ALL$" end
  if not hex or #hex ~= 8 or (index and (again ~= hex or #index > 10)) then return nil end
  local octets = {}
  for pair in hex:gmatch ".." do octets[#octets + 1] = ("%d"):format(tonumber(pair, 16)) end
  return { exporter = table.concat(octets, "."), interface = index and tonumber(index) }
end

local KIND = {}
for kind, name in pairs(filters.type) do KIND[name] = kind end

--- The key of `query:where` that has the same meaning as a filter; nil when there is none.
---@param entry { type?: string, value: any }
---@return string?
function filters.key(entry)
  local kind = KIND[entry.type]
  if filters.ONE_KEY[kind] then return kind end
  if not kind or kind == "exporter" or type(entry.value) ~= "string" then return nil end
  local side = entry.value:match "_([A-Za-z]+)$"
  if side == "both" or side == "Both" then return kind end
  return (side == "src" or side == "dst") and side .. "_" .. kind or nil
end

return filters
