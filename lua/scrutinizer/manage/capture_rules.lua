--- `client.capture_rules`: packet-capture rules of FlowPro.

local call = require "scrutinizer.transport.call"
local addresses = require "scrutinizer.addresses"
local check = require "scrutinizer.check"
local item_fields = require "scrutinizer.manage.common.item_fields"
local item_results = require "scrutinizer.manage.common.item_results"
local listing = require "scrutinizer.listing"
local times = require "scrutinizer.time.times"
local wire = require "scrutinizer.wire.inventory"

---@class scrutinizer.CaptureRules
---@field private _client scrutinizer.Client
local methods = {}
local CaptureRules = { __index = methods, __name = "scrutinizer.CaptureRules" }

local function address(value)
  if addresses.is_ip(value) then return value end
  local network, hint = addresses.network(value)
  if network then return value end
  return nil, hint
end

local function count(value) return check.integer(value, 1) end

local RULE = {
  name = item_fields.NAME,
  server_ip = { read = address, allowed = 'an address, or one with its length, as "10.1.1.0/24"', required = true },
  client_ip = { read = address, allowed = 'an address, or one with its length, as "10.1.1.0/24"', required = true },
  max_packets = { read = count, allowed = "a whole number from 1", required = true },
  stops_on = { read = times.moment, allowed = 'epoch seconds or ISO 8601 text with its zone, as "2026-11-01T00:00:00Z"', required = true },
  port = { read = addresses.app_port, allowed = 'a port with its protocol, as "389/tcp", "389/6" or { 389, "tcp" }', required = true },
  retention_hours = { read = count, allowed = "a whole number from 1", required = true },
  enabled = { read = function(value) return type(value) == "boolean" and { on = value } or nil end, allowed = "true or false" },
}

--- Adds a packet-capture rule. Needs FlowPro and an admin token. Unverified: the encoding of port and protocol (protocol × 65536 + port), and
--- the answer: everything except a refusal counts as success, and `id` is set if the answer contains one.
---@param rule { name: string, server_ip: string, client_ip: string, max_packets: integer, stops_on: integer|string, port: string|table,
---  retention_hours: integer, enabled?: boolean } stops_on: epoch seconds or ISO 8601 with a zone; port: "389/tcp"; enabled: default true
---@return { name: string, id?: integer }?
---@return scrutinizer.Error? err
function methods:add(rule)
  local read, complaint = item_fields.one("capture_rules:add", rule, RULE)
  if not read then error(complaint, 2) end
  read.enabled = read.enabled == nil or read.enabled.on
  local answer, err = call.send(self._client, wire.capture_rule(read), { write = true })
  if answer == nil then return nil, err end
  if type(answer) ~= "table" then return item_results.malformed("capture_rules:add", "an object") end
  local said = item_results.is_list(answer) and type(answer[1]) == "table" and answer[1] or answer
  return listing.one("capture rule", { name = read.name, id = item_results.whole(said.id) })
end

return { new = function(client) return setmetatable({ _client = client }, CaptureRules) end }
