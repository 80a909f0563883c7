--- `client.device_groups`: groups of devices, for example by site. Reports take a group's id (`query:device_group`).

local call = require "scrutinizer.transport.call"
local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local item_fields = require "scrutinizer.manage.common.item_fields"
local listing = require "scrutinizer.listing"
local object_lists = require "scrutinizer.manage.common.object_lists"
local item_results = require "scrutinizer.manage.common.item_results"
local paged_rows = require "scrutinizer.manage.common.paged_rows"
local wire = require "scrutinizer.wire.inventory"

---@class scrutinizer.DeviceGroups
---@field private _client scrutinizer.Client
local methods = {}
local DeviceGroups = { __index = methods, __name = "scrutinizer.DeviceGroups" }

local WHO = "a device group's id (a whole number) or name (a text)"

--- All device groups.
---@return { id: integer, name: string }[]?
---@return scrutinizer.Error? err
function methods:list()
  return listing.result("device groups", { "id", "name" },
    object_lists.list(self._client, "device_groups:list", wire.known "deviceGroups", { id = "id", name = "name" }))
end

--- One device group by its name. Case matters.
---@param name string
---@return { id: integer, name: string }? group nil without err: there is no such group
---@return scrutinizer.Error? err also if several groups have this name
function methods:find(name)
  if not item_fields.text(name) then error(check.message("device_groups:find", name, "a group's name"), 2) end
  local all, err = self:list()
  if not all then return nil, err end
  local found
  for _, group in ipairs(all) do
    if group.name == name and found then
      return errors.fail("api", ("device_groups:find: several device groups have the name %s"):format(check.show(name)))
    end
    if group.name == name then found = group end
  end
  return listing.one("device group", found)
end

--- Looks names of groups up: for queries.
---@private
---@return fun(method: string, name: string): integer?, scrutinizer.Error? finder
function methods:_finder()
  return object_lists.finder(self, "device group")
end

--- The devices in a group.
---@param who integer|string the group's id or name
---@return { ip: string, name: string }[]?
---@return scrutinizer.Error? err
function methods:members(who)
  local given = object_lists.who(who, 0)
  if not given then error(check.message("device_groups:members", who, WHO), 2) end
  local group, err = object_lists.look_up(self, "device_groups:members", "device group", given)
  if not group then return nil, err end
  local form, names = wire.group_members(group), { ip = "exporter_ip", name = "lbl" }
  return listing.result("devices", { "ip", "name" }, object_lists.list(self._client, "device_groups:members", form, names, "results"))
end

--- Creates a device group without members. The answer has no id; `find` returns it.
---@param name string
---@return { name: string, error?: string, code?: scrutinizer.ItemCode }? result
---@return scrutinizer.Error? err
function methods:create(name)
  if not item_fields.text(name) then error(check.message("device_groups:create", name, "a name for the group"), 2) end
  local answer, err = call.send(self._client, wire.new_group(name), { write = true })
  if answer == nil then return nil, err end
  if type(answer) ~= "table" or answer.lbl == nil then return item_results.malformed("device_groups:create", "lbl, the group's name") end
  if answer.lbl == name then return listing.one("device group", { name = name }) end
  return listing.one("device group", { name = name, error = item_results.said(answer.lbl, self._client._private.mask), code = "unconfirmed" })
end

-- The ids of objects, by address.
local function objects_by_ip(self)
  local list, err = paged_rows.all(self._client, "device_groups:add_members", wire.objects, function(row)
    local object = wire.read_object(row)
    local id = object and item_results.whole(object.id)
    return id and { id = id, ip = object.ip } or nil
  end, function(object) return tostring(object.id) end)
  if not list then return nil, err end
  local map = {}
  for _, object in ipairs(list) do map[object.ip] = object.id end
  return map
end

local function read_ips(list)
  return item_fields.each("device_groups:add_members", list, "devices' addresses", function(where, ip)
    if not item_fields.text(ip) then return nil, check.message(where, ip, "the text of a device's address") end
    return ip
  end, function(ip) return ip end)
end

-- An item has succeeded if the group now has the member. The answer itself names no addresses.
local function judge(self, group, out)
  local members, err = self:members(group)
  if not members then return nil, err end
  local there = {}
  for _, member in ipairs(members) do there[member.ip] = true end
  for _, result in ipairs(out) do
    if not result.error and not there[result.ip] then result.error, result.code = "the group does not have this device after the call", "refused" end
  end
  return out
end

--- Adds devices to a group, by address. It looks up the objects' ids, sends them, and reads the group's members to check.
---@param who integer|string the group's id or name
---@param list string[] addresses
---@return { ip: string, error?: string, code?: scrutinizer.ItemCode }[]? results in the order given
---@return scrutinizer.Error? err
function methods:add_members(who, list)
  local given = object_lists.who(who, 0)
  if not given then error(check.message("device_groups:add_members", who, WHO), 2) end
  local ips, complaint = read_ips(list)
  if not ips then error(complaint, 2) end
  local group, err = object_lists.look_up(self, "device_groups:add_members", "device group", given)
  if not group then return nil, err end
  local by_ip
  by_ip, err = objects_by_ip(self)
  if not by_ip then return nil, err end
  local out, ids = {}, {}
  for i, ip in ipairs(ips) do
    out[i] = { ip = ip }
    if not by_ip[ip] then out[i].error, out[i].code = "no object of the appliance has this address", "missing" end
    ids[#ids + 1] = by_ip[ip]
  end
  if #ids == 0 then return listing.result("devices", { "ip", "code", "error" }, out) end
  local answer
  answer, err = call.send(self._client, wire.add_to_group(group, ids), { write = true })
  if answer == nil then return nil, err end
  out, err = judge(self, group, out)
  if err then err.retryable = false end -- the devices may be in the group by now
  return listing.result("devices", { "ip", "code", "error" }, out, err)
end

return { new = function(client) return setmetatable({ _client = client }, DeviceGroups) end }
