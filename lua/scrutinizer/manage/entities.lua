--- `client.entities`: applications, hosts etc. as the appliance's newer pages list them, and their bytes over time. These calls are not
--- documented; they follow published clients.

local call = require "scrutinizer.transport.call"
local addresses = require "scrutinizer.addresses"
local check = require "scrutinizer.check"
local item_fields = require "scrutinizer.manage.common.item_fields"
local html = require "scrutinizer.manage.common.html"
local listing = require "scrutinizer.listing"
local suggest = require "scrutinizer.suggest"
local object_lists = require "scrutinizer.manage.common.object_lists"
local item_results = require "scrutinizer.manage.common.item_results"
local paged_rows = require "scrutinizer.manage.common.paged_rows"
local times = require "scrutinizer.time.times"
local wire = require "scrutinizer.wire.inventory"

---@class scrutinizer.Entities
---@field private _client scrutinizer.Client
local methods = {}
local Entities = { __index = methods, __name = "scrutinizer.Entities" }

local KINDS = { applications = true, hosts = true, ["autonomous-systems"] = true, ipgroups = true, countries = true, protocols = true }

-- Ids of hosts are addresses; other ids are mostly numbers.
local function read_id(value)
  return item_results.whole(value) or item_fields.text(value)
end

local function read(row)
  local entity = wire.read_entity(row)
  local id = entity and read_id(entity.id)
  return id and { id = id, label = html.plain(entity.label) } or nil
end

--- All entities of a kind.
---@param kind "applications"|"hosts"|"autonomous-systems"|"ipgroups"|"countries"|"protocols"
---@return { id: integer|string, label: string }[]?
---@return scrutinizer.Error? err
function methods:list(kind)
  if not KINDS[kind] then
    local hint = type(kind) == "string" and suggest.did_you_mean(suggest.nearest(kind, KINDS)) or nil
    error(check.message("entities:list", kind, table.concat(check.sorted_keys(KINDS), ", "), hint), 2)
  end
  local list, err = paged_rows.all(self._client, "entities:list", function(offset, count) return wire.entities(kind, offset, count) end, read,
    function(entity) return tostring(entity.id) end)
  return listing.result("entities", { "id", "label" }, list, err)
end

local MOMENT = 'epoch seconds or ISO 8601 text with its zone, as "2026-11-01T00:00:00Z"'

local TREND = {
  application = { read = read_id, allowed = "an application's id from entities:list \"applications\"" },
  protocols = { read = function(value) return value == true or nil end, allowed = "true" },
  src = { read = function(value) return addresses.is_ip(value) and value or nil end, allowed = "a host's address" },
  dst = { read = function(value) return addresses.is_ip(value) and value or nil end, allowed = "a host's address" },
  from = { read = times.moment, allowed = MOMENT, required = true },
  to = { read = times.moment, allowed = MOMENT, required = true },
}

-- Which trend is requested: application, protocols, src or dst; or nil and the complaint.
local function kind_of(given)
  local kind
  for _, name in ipairs { "application", "protocols", "src", "dst" } do
    if given[name] ~= nil and kind then return nil, "entities:trend: set only one of application, protocols, src, dst" end
    if given[name] ~= nil then kind = name end
  end
  if not kind then return nil, "entities:trend: set one of application, protocols, src, dst" end
  if given.from >= given.to then return nil, check.message("entities:trend: to", given.to, "a moment after from") end
  return kind
end

-- The points by name, in the order of the first points. Only the trend of protocols has names.
local function read_points(kind, trend)
  local order, by_name = {}, {}
  for i, entry in ipairs(trend) do
    local point = wire.read_trend(kind, entry) or {}
    local epoch, bytes, name = item_results.whole(point.time), item_results.whole(point.bytes), point.name
    if not epoch or not bytes or (kind == "protocols" and not name) then
      return object_lists.malformed("entities:trend", ("time, bytes or name in point %d"):format(i))
    end
    local series = by_name[name or ""]
    if not series then
      series = { name = name, points = {} }
      by_name[name or ""], order[#order + 1] = series, series
    end
    table.insert(series.points, { epoch, bytes })
  end
  return order
end

--- Bytes over time of one application, of a host as source or destination, or of all protocols.
---@param given { application?: integer|string, protocols?: true, src?: string, dst?: string, from: integer|string, to: integer|string } exactly
---  one of application, protocols, src, dst; from, to: epoch seconds or ISO 8601 with a zone
---@return table? trend a list of { epoch, bytes }; for protocols a list of { name =, points = { { epoch, bytes }, … } }
---@return scrutinizer.Error? err
function methods:trend(given)
  local asked, complaint = item_fields.one("entities:trend", given, TREND)
  local kind
  if asked then kind, complaint = kind_of(asked) end
  if not kind then error(complaint, 2) end
  local value = asked[kind]
  if type(value) == "number" then value = ("%d"):format(value) end
  local answer, err = call.send(self._client, wire.trend(kind, value, asked.from, asked.to))
  if answer == nil then return nil, err end
  local trend = type(answer) == "table" and answer.trend
  if not item_results.is_list(trend) then return object_lists.malformed("entities:trend", "a list 'trend'") end
  local order
  order, err = read_points(kind, trend)
  if not order then return nil, err end
  if kind == "protocols" then return listing.of(order, "protocols", { "name", "points" }) end
  return listing.of(order[1] and order[1].points or {}, "points, { epoch, bytes }", { 1, 2 })
end

return { new = function(client) return setmetatable({ _client = client }, Entities) end }
