--- `client.interfaces`: the interfaces of the exporters, with their speed, utilization, and the number that filters of a report need.

local addresses = require "scrutinizer.addresses"
local check = require "scrutinizer.check"
local html = require "scrutinizer.manage.common.html"
local item_results = require "scrutinizer.manage.common.item_results"
local listing = require "scrutinizer.listing"
local paged_rows = require "scrutinizer.manage.common.paged_rows"
local wire = require "scrutinizer.wire.inventory"

---@class scrutinizer.InterfaceUse
---@field percent? number percent of the speed
---@field rate? integer   bits per second

---@class scrutinizer.Interface
---@field exporter string  the device's address
---@field device? string   the device's name
---@field index integer    the interface's number, for filters
---@field name string      as the appliance shows it, such as "11 - Port Trunk 1 (Port-channel1)"
---@field speed? integer   bits per second, if the appliance shows it
---@field inbound scrutinizer.InterfaceUse
---@field outbound scrutinizer.InterfaceUse

---@class scrutinizer.Interfaces
---@field private _client scrutinizer.Client
local methods = {}
local Interfaces = { __index = methods, __name = "scrutinizer.Interfaces" }

local function use_of(texts)
  return { percent = html.percent(texts.percent), rate = html.bits_per_second(texts.rate) }
end

local function read(row)
  local texts = wire.read_interface(row)
  local index = texts and item_results.whole(texts.index)
  if not index then return nil end
  return {
    exporter = texts.exporter, device = texts.device and html.plain(texts.device), index = index,
    name = texts.name and html.plain(texts.name) or ("%d"):format(index),
    speed = html.bits_per_second(texts.inbound.speed) or html.bits_per_second(texts.outbound.speed),
    inbound = use_of(texts.inbound), outbound = use_of(texts.outbound),
  }
end

local function key(interface) return ("%s %d"):format(interface.exporter, interface.index) end

local function all_of(self, exporter)
  return paged_rows.all(self._client, "interfaces:list", function(offset, count) return wire.interfaces(offset, count, exporter) end, read, key)
end

-- The interfaces of exactly this exporter: the appliance's search also finds similar addresses.
local function only(list, exporter)
  local own = {}
  for _, interface in ipairs(list) do
    if interface.exporter == exporter then own[#own + 1] = interface end
  end
  return own
end

--- All interfaces, or those of one exporter. Numbers that the appliance does not show are nil.
---@param given? { exporter?: string } exporter: its address, or a name as in `client.exporters:find`
---@return scrutinizer.Interface[]?
---@return scrutinizer.Error? err
function methods:list(given)
  given = given or {}
  if type(given) ~= "table" then error(check.message("interfaces:list", given, "a table with exporter, or nothing"), 2) end
  for name in next, given do
    if name ~= "exporter" then error(check.message("interfaces:list: field", name, "exporter"), 2) end
  end
  local exporter = given.exporter
  if exporter ~= nil and (type(exporter) ~= "string" or exporter == "") then
    error(check.message("interfaces:list: exporter", exporter, "a device's address or name"), 2)
  end
  if exporter and not addresses.is_ip(exporter) then
    local found, err = self._client.exporters:find(exporter)
    if not found then return nil, err end
    exporter = found.ip
  end
  local list, err = all_of(self, exporter)
  if list and exporter then list = only(list, exporter) end
  -- The appliance's search may not know addresses: then list all and choose here.
  if list and exporter and #list == 0 then
    list, err = all_of(self)
    if list then list = only(list, exporter) end
  end
  return listing.result("interfaces", { "exporter", "index", "name", "speed" }, list, err)
end

return { new = function(client) return setmetatable({ _client = client }, Interfaces) end }
