--- `client.devices`: the devices that send flows to the appliance.

local listing = require "scrutinizer.listing"
local object_lists = require "scrutinizer.manage.common.object_lists"
local wire = require "scrutinizer.wire.inventory"

---@class scrutinizer.Devices
---@field private _client scrutinizer.Client
local methods = {}
local Devices = { __index = methods, __name = "scrutinizer.Devices" }

--- All devices. `name` is what the appliance shows: a name, a DNS name or the address.
---@return { name: string, ip: string }[]?
---@return scrutinizer.Error? err
function methods:list()
  return listing.result("devices", { "ip", "name" },
    object_lists.list(self._client, "devices:list", wire.known "devices", { name = "name", ip = "ip" }))
end

return { new = function(client) return setmetatable({ _client = client }, Devices) end }
