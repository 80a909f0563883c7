--- The texts of the appliance's filters.

local addresses = require "scrutinizer.addresses"
local ascii = require "scrutinizer.ascii"
local check = require "scrutinizer.check"

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

-- ---- filters that repeat or contradict each other ----

-- A device as a filter's text names it: IPv4 as upper-case hex digits, whichever way it was written.
local function device_word(text)
  local list = addresses.octets(text)
  if list then return ("%02X%02X%02X%02X"):format(list[1], list[2], list[3], list[4]) end
  return text:find "^%x%x%x%x%x%x%x%x$" and ascii.upper(text) or text
end

-- What a device's filter says: { mode =, device =, part = } ("ALL" or an interface's number); nil for other filters.
local function parts(entry)
  if entry.type ~= filters.type.exporter then return nil end
  local named = entry.named
  if named then
    return { mode = "in", device = named.exporter or "GROUP", part = tostring(named.exporter and (named.interface or "ALL") or named.device_group) }
  end
  local mode, device, part = tostring(entry.value):match "^([a-z][a-z])_([^_]+)_(.+)$"
  if not mode then return nil end
  return { mode = mode, device = device_word(device), part = part:match "%-(%d+)$" or part }
end

--- Filters without those that repeat an earlier one.
---@param list { type?: string, key?: string, value: any, named?: table }[]
---@return table[]
function filters.distinct(list)
  local out, seen = {}, {}
  for _, entry in ipairs(list) do
    local said = parts(entry)
    local text = said and ("%s\0%s\0%s"):format(said.mode, said.device, said.part) or type(entry.value) == "string" and entry.value
    local id = text and entry.type and not entry.key and entry.type .. "\0" .. text
    if not id or not seen[id] then out[#out + 1] = entry end
    if id then seen[id] = true end
  end
  return out
end

local function both(first, second, why)
  return ("exporter: the query says %s and %s: %s"):format(first.text, second.text, why)
end

-- Why two filters of one device, or of all devices and any, cannot be meant together; nil: they can.
local function against(a, b)
  if a == b or b.mode ~= "in" then return nil end
  if a.mode == "ex" then
    return (a.part == "ALL" or a.part == b.part) and both(a, b, "no flow meets both") or nil
  elseif a.is_all then
    return both(a, b, "the appliance would take all devices; say :all_exporters() or :only_exporter(…)")
  elseif a.part == "ALL" then
    return both(a, b, "the appliance would take the whole device; say :only_exporter(…) with what is meant")
  end
end

-- What filters of devices say, by device; and the one that includes all.
local function by_device(list)
  local devices, all = {}, nil
  for _, entry in ipairs(list) do
    local said = parts(entry)
    if said then
      local is_group = said.device == "GROUP"
      said.text = entry.named and ("%s %s"):format(is_group and "device group" or said.device, said.part) or entry.value
      said.is_all = is_group and said.part == "ALL" and said.mode == "in"
      if said.is_all then all = said end
      local place = is_group and "GROUP " .. said.part or said.device
      devices[place] = devices[place] or { all = {}, wide = {} }
      table.insert(devices[place].all, said)
      if said.part == "ALL" or said.mode == "ex" then table.insert(devices[place].wide, said) end
    end
  end
  return devices, all
end

--- What is wrong with filters of devices of which one makes another void. Nil: nothing.
---@param list { type?: string, value: any, named?: table }[] distinct ones
---@return string?
function filters.contradiction(list)
  local devices, all = by_device(list)
  for _, name in ipairs(check.sorted_keys(devices)) do
    local same = devices[name]
    for _, b in ipairs(same.all) do
      local message = all and against(all, b)
      for _, a in ipairs(same.wide) do message = message or against(a, b) end
      if message then return message end
    end
  end
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
