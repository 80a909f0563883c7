--- `client.exporters`: finds devices and interfaces by any of their names. Each client caches the lists for a while.

local ascii = require "scrutinizer.ascii"
local addresses = require "scrutinizer.addresses"
local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local item_fields = require "scrutinizer.manage.common.item_fields"
local listing = require "scrutinizer.listing"
local suggest = require "scrutinizer.suggest"
local paged_rows = require "scrutinizer.manage.common.paged_rows"
local wire = require "scrutinizer.wire.inventory"

---@class scrutinizer.Exporter
---@field ip string
---@field name? string    as in get_known_objects
---@field dns? string
---@field sysname? string
---@field label? string

---@class scrutinizer.Exporters
---@field private _client scrutinizer.Client
---@field private _directory? { list: scrutinizer.Exporter[], time: number }
---@field private _interfaces table<string, { list: scrutinizer.Interface[], time: number }>
local methods = {}
local Exporters = { __index = methods, __name = "scrutinizer.Exporters" }

-- Seconds that a list is cached; and its age in seconds from which a name that is not in it makes us read it again.
local MAX_AGE, NEW_AGE = 300, 10

--- Sets how long names are cached.
---@param seconds number from 0 (default 300); 0: no cache
---@return true
function methods:max_age(seconds)
  if type(seconds) ~= "number" or seconds ~= seconds or seconds < 0 then error(check.message("exporters:max_age", seconds, "seconds, from 0"), 2) end
  self._max_age = seconds
  return true
end

--- Clears the cache.
---@return true
function methods:forget()
  self._directory, self._interfaces = nil, {}
  return true
end

local function fresh(kept, age)
  return kept and core.now() - kept.time < age
end

-- DNS names, system names and labels, if this token may see them: { [ip] = names }, and the same as a list.
local function managed(self)
  local list, err = paged_rows.all(self._client, "exporters:list", wire.exporters, wire.read_exporter, function(one) return one.ip end)
  if list then
    local by_ip = {}
    for _, one in ipairs(list) do by_ip[one.ip] = one end
    return by_ip, list
  end
  -- Some tokens may not manage exporters, and some versions lack this page.
  if err.kind == "api" or (err.kind == "auth" and err.status ~= 401) then return {}, {} end
  return nil, err
end

local function read_directory(self)
  local devices, err = self._client.devices:list()
  if not devices then return nil, err end
  local more, others = managed(self)
  if not more then return nil, others end
  local list, seen = {}, {}
  for i, device in ipairs(devices) do
    local known = more[device.ip] or {}
    list[i] = { ip = device.ip, name = device.name, dns = known.dns, sysname = known.sysname, label = known.label }
    seen[device.ip] = true
  end
  for _, one in ipairs(others) do
    if not seen[one.ip] then list[#list + 1] = one end
  end
  return list
end

-- The list, at most `age` seconds old.
local function directory(self, age)
  if fresh(self._directory, age) then return self._directory.list end
  local list, err = read_directory(self)
  if not list then return nil, err end
  self._directory = { list = list, time = core.now() }
  return list
end

--- All exporters with all their names, always read from the appliance. DNS name, sysname and label are set only if the token may see them.
---@return scrutinizer.Exporter[]?
---@return scrutinizer.Error? err
function methods:list()
  return listing.result("exporters", { "ip", "name", "dns", "sysname", "label" }, directory(self, 0))
end

-- How well a name fits: 2: it is one of the exporter's names; 1: it is the host part of a DNS name; 0: not at all.
local function fit(exporter, wanted)
  local best = 0
  for _, field in ipairs { "ip", "name", "dns", "sysname", "label" } do
    local name = exporter[field] and ascii.lower(exporter[field])
    if name == wanted then return 2 end
    if name and not addresses.is_ip(name) and name:match "^([^.]+)%." == wanted then best = 1 end
  end
  return best
end

-- The exporters that fit best.
local function fitting(list, name)
  local found, wanted = { {}, {} }, ascii.lower(name)
  for _, exporter in ipairs(list) do
    local how = fit(exporter, wanted)
    if how > 0 then table.insert(found[how], exporter) end
  end
  return found[2][1] and found[2] or found[1]
end

local function unknown(list, name)
  local all = {}
  for _, exporter in ipairs(list) do
    for _, field in ipairs { "name", "dns", "sysname", "label" } do
      if exporter[field] then all[exporter[field]] = true end
    end
  end
  local hint = suggest.did_you_mean(suggest.nearest(name, all))
  return errors.fail("api", ("exporter: no exporter of the appliance has the name %s%s"):format(check.show(name), hint and "; " .. hint or ""))
end

local function ambiguous(found, name)
  local all = {}
  for i, exporter in ipairs(found) do all[i] = ("%s (%s)"):format(exporter.ip, exporter.name or exporter.dns or "?") end
  return errors.fail("api", ("exporter: %d exporters have the name %s: %s; use the address of one"):format(#found, check.show(name),
    table.concat(all, ", ")))
end

--- One exporter by its address, name, DNS name (or its host part), sysname or label. Case does not matter.
---@param name string
---@return scrutinizer.Exporter?
---@return scrutinizer.Error? err kind `api`: no exporter or several have this name; the message lists them
function methods:find(name)
  if not item_fields.text(name) then error(check.message("exporters:find", name, "an exporter's address or name"), 2) end
  local list, err = directory(self, self._max_age)
  if not list then return nil, err end
  local found = fitting(list, name)
  if not found[1] and not fresh(self._directory, math.min(NEW_AGE, self._max_age)) then
    list, err = directory(self, 0)
    if not list then return nil, err end
    found = fitting(list, name)
  end
  if not found[1] then return unknown(list, name) end
  if found[2] then return ambiguous(found, name) end
  return listing.one("exporter", found[1])
end

-- Whether an interface has this index (a number) or this name (a text): "8 - Uplink 1 (xe-0/0/1)" is also "Uplink 1 (xe-0/0/1)", "Uplink 1" and
-- "xe-0/0/1".
local function called(interface, wanted)
  if type(wanted) == "number" then return wanted == interface.index end
  local name = ascii.lower(interface.name)
  local rest = name:match "^%d+%s*%-%s*(.+)$" or name
  local alias, inner = rest:match "^(.-)%s*%(([^()]*)%)$"
  return wanted == name or wanted == rest or wanted == alias or wanted == inner
end

local function interfaces_of(self, ip, age)
  local kept = self._interfaces[ip]
  if fresh(kept, age) then return kept.list end
  local list, err = self._client.interfaces:list { exporter = ip }
  if not list then return nil, err end
  self._interfaces[ip] = { list = list, time = core.now() }
  return list
end

local function interfaces_called(list, wanted)
  local found = {}
  for _, interface in ipairs(list) do
    if called(interface, wanted) then found[#found + 1] = interface end
  end
  return found
end

--- One interface of an exporter by its number, or by its name (a text). "8 - Uplink 1 (xe-0/0/1)" is found by this text, by
--- "Uplink 1 (xe-0/0/1)", "Uplink 1" and "xe-0/0/1". Case does not matter.
---@param exporter string its address or one of its names
---@param name string|integer
---@return scrutinizer.Interface?
---@return scrutinizer.Error? err
function methods:interface(exporter, name)
  local wanted = check.integer(name) or (item_fields.text(name) and ascii.lower(name))
  if not wanted then error(check.message("exporters:interface", name, "an interface's number, or its name, a text"), 2) end
  local device, err = self:find(exporter)
  if not device then return nil, err end
  local list
  list, err = interfaces_of(self, device.ip, self._max_age)
  local found = list and interfaces_called(list, wanted)
  if found and not found[1] and not fresh(self._interfaces[device.ip], math.min(NEW_AGE, self._max_age)) then
    list, err = interfaces_of(self, device.ip, 0)
    found = list and interfaces_called(list, wanted)
  end
  if not found then return nil, err end
  if #found == 1 then return listing.one("interface", found[1]) end
  local all = {}
  for _, interface in ipairs(#found == 0 and list or found) do all[#all + 1] = check.show(interface.name) end
  return errors.fail("api", ("exporter: %s %s the name %s; the interfaces of %s are %s"):format(
    #found == 0 and "no interface" or #found .. " interfaces", #found == 0 and "has" or "have", check.show(name), device.ip,
    table.concat(all, ", ", 1, math.min(#all, 30))))
end

return {
  new = function(client) return setmetatable({ _client = client, _interfaces = {}, _max_age = MAX_AGE }, Exporters) end,
}
