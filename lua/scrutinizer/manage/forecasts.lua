--- `client.forecasts`: the appliance's traffic forecasts. These calls are not documented; they follow a published client.

local ascii = require "scrutinizer.ascii"
local call = require "scrutinizer.transport.call"
local check = require "scrutinizer.check"
local item_fields = require "scrutinizer.manage.common.item_fields"
local listing = require "scrutinizer.listing"
local object_lists = require "scrutinizer.manage.common.object_lists"
local item_results = require "scrutinizer.manage.common.item_results"
local paged_rows = require "scrutinizer.manage.common.paged_rows"
local wire = require "scrutinizer.wire.inventory"

---@class scrutinizer.Forecasts
---@field private _client scrutinizer.Client
local methods = {}
local Forecasts = { __index = methods, __name = "scrutinizer.Forecasts" }

local function read_id(value) return item_results.whole(value) or item_fields.text(value) end

--- All forecasts.
---@return { id: integer|string, description?: string }[]?
---@return scrutinizer.Error? err
function methods:list()
  local list, err = paged_rows.once(self._client, "forecasts:list", wire.forecast "table", function(row)
    local forecast = wire.read_forecast(row)
    local id = forecast and read_id(forecast.id)
    return id and { id = id, description = forecast.description } or nil
  end)
  return listing.result("forecasts", { "id", "description" }, list, err)
end

local function id_text(method, id)
  local known = read_id(id)
  if not known then return nil, check.message(method, id, "a forecast's id from forecasts:list") end
  return type(known) == "number" and ("%d"):format(known) or known
end

-- The text or number of a member; it may be inside an object as { label = }.
local function value_of(member)
  if type(member) == "table" then member = member.label end
  if type(member) == "string" or type(member) == "number" then return member end
end

-- One row of the summary as a table: the wire has a list of objects with one key each.
local function read_summary(row)
  if type(row) ~= "table" then return nil end
  local fields = {}
  for _, cell in ipairs(row) do
    if type(cell) ~= "table" then return nil end
    for name, member in pairs(cell) do fields[wire.summary_name(name)] = value_of(member) end
  end
  return next(fields) and fields or nil
end

--- The rows of a forecast: `rank`, the report's columns, `max_forecast_time`, `upper_bound`, `expected_value`; values as the appliance writes them.
---@param id integer|string
---@return table[]?
---@return scrutinizer.Error? err
function methods:summary(id)
  local text, complaint = id_text("forecasts:summary", id)
  if not text then error(complaint, 2) end
  local answer, err = call.send(self._client, wire.forecast("summary", text))
  if answer == nil then return nil, err end
  local found = type(answer) == "table" and answer.inbound_rows
  if not item_results.is_list(found) then return object_lists.malformed("forecasts:summary", "a list 'inbound_rows'") end
  local list = {}
  for i, row in ipairs(found) do
    list[i] = read_summary(row)
    if not list[i] then return object_lists.malformed("forecasts:summary", ("fields in row %d"):format(i)) end
  end
  return listing.of(list, "rows")
end

-- A number, or a text with a number, as a number; else nil.
local function number(value)
  if type(value) == "string" then value = ascii.number(value) end
  return type(value) == "number" and value or nil
end

local function read_point(row)
  local point = wire.read_forecast_point(row)
  local time = point and item_results.whole(point.time)
  if not time then return nil end
  point.rank, point.time = item_results.whole(point.rank), time
  for _, name in ipairs { "mean", "upper", "lower" } do point[name] = number(point[name]) end
  return point
end

--- The points of a forecast: past values used for training (kind "train") and expected values ("forecast"), with confidence bounds. `time` is in
--- epoch seconds.
---@param id integer|string
---@return { rank: integer, direction: string, time: integer, kind: string, mean?: number, upper?: number, lower?: number }[]?
---@return scrutinizer.Error? err
function methods:points(id)
  local text, complaint = id_text("forecasts:points", id)
  if not text then error(complaint, 2) end
  return listing.result("points", { "rank", "direction", "time", "kind", "mean", "lower", "upper" },
    paged_rows.once(self._client, "forecasts:points", wire.forecast("forecast_data", text), read_point))
end

return { new = function(client) return setmetatable({ _client = client }, Forecasts) end }
