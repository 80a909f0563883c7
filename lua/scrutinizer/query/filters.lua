--- Checks the conditions of `query:where`, `:exclude` and `:exporter` and turns them into the appliance's filters.

local addresses = require "scrutinizer.addresses"
local check = require "scrutinizer.check"
local suggest = require "scrutinizer.suggest"
local wire = require "scrutinizer.wire"

local filters = {}

-- One check per kind: returns the value that wire.filters takes, or nil and perhaps a hint.

local ALLOWED = {
  ip = "the text of an IPv4 or IPv6 address",
  ip_group = "the id of an IP group, a whole number from 1",
  network = 'the text of a network with its length, as "10.0.0.0/8"',
  port = "a port, a whole number from 0 to 65535",
  app_port = 'a port with its protocol, as "443/tcp", "443/6" or { 443, "tcp" }',
}

local CHECKS = {}

function CHECKS.ip(value)
  return addresses.is_ip(value) and value or nil
end

function CHECKS.ip_group(value)
  return check.digits(value, 1)
end

function CHECKS.port(value)
  return check.digits(value, 0, 65535)
end

CHECKS.network = addresses.network
CHECKS.app_port = addresses.app_port

-- The keys of `where` and `exclude`.
local KEYS = {}
for _, kind in ipairs { "ip", "ip_group", "network", "port" } do
  KEYS[kind] = { kind = kind, side = "both" }
  KEYS["src_" .. kind] = { kind = kind, side = "src" }
  KEYS["dst_" .. kind] = { kind = kind, side = "dst" }
end
KEYS.app_port = { kind = "app_port" }

local KEY_LIST = table.concat(check.sorted_keys(KEYS), ", ")

-- A value or a list of values, as a list; nil for an empty table or one that is not a list. { 443, "tcp" } is one app_port.
local function as_list(kind, value)
  if type(value) ~= "table" then return { value } end
  if kind == "app_port" and type(value[1]) == "number" then return { value } end
  local count = 0
  for _ in pairs(value) do count = count + 1 end
  return count > 0 and count == #value and value or nil
end

local function add_condition(method, mode, key, given, out)
  local rule = KEYS[key]
  local at = ("%s: %s"):format(method, key)
  local list = as_list(rule.kind, given)
  if not list then return check.message(at, given, ALLOWED[rule.kind] .. ", or a list of such, not empty") end
  for _, value in ipairs(list) do
    local good, hint = CHECKS[rule.kind](value)
    if good == nil then return check.message(at, value, ALLOWED[rule.kind], hint) end
    out[#out + 1] = wire.filters[rule.kind](mode, rule.side, good)
  end
end

--- The filters of one call of `where` or `exclude`. Keys are sorted; list values keep their order.
---@param method string for messages
---@param mode "in"|"ex"
---@param conditions table
---@return { type: string, value: string }[]?
---@return string? message what is wrong
function filters.conditions(method, mode, conditions)
  if type(conditions) ~= "table" or next(conditions) == nil then
    return nil, check.message(method, conditions, "a table with any of the keys " .. KEY_LIST)
  end
  for key in pairs(conditions) do
    if not KEYS[key] then
      return nil, check.message(method .. ": key", key, KEY_LIST, suggest.did_you_mean(suggest.nearest(key, KEYS)))
    end
  end
  local out = {}
  for _, key in ipairs(check.sorted_keys(conditions)) do
    local message = add_condition(method, mode, key, conditions[key], out)
    if message then return nil, message end
  end
  return out
end

local function is_text(text)
  return type(text) == "string" and text:find "%S" ~= nil and not text:find "^[%d.-]*$" and wire.try_encode(text) ~= nil
end

-- Whether a text can be a device's name and does not look like an address.
local function is_name(text)
  return is_text(text) and not text:find "^[%d./]*$" and not text:find ":"
end

--- The filter for a device, or for one of its interfaces. A filter with names has `named`: they are looked up when the query runs.
---@param device string an IPv4 address, or a name; IPv6 is sent as text, which is unverified
---@param interface? integer|string its SNMP index, or a name
---@return { type: string, value?: string, named?: { exporter: string, interface?: integer|string } }?
---@return string? message what is wrong
function filters.exporter(device, interface)
  if not addresses.is_ip(device) and not is_name(device) then
    return nil, check.message("exporter", device, "the text of the device's IPv4 or IPv6 address, or its name")
  end
  local index = check.digits(interface, 0, 2 ^ 32 - 1)
  if interface ~= nil and not index and not is_text(interface) then
    return nil, check.message("exporter: interface", interface, "an interface's SNMP index, a whole number from 0, or its name")
  end
  if not addresses.is_ip(device) or (interface ~= nil and not index) then
    return { type = wire.filter_type.exporter, named = { exporter = device, interface = index or interface } }
  end
  return wire.filters.exporter("in", device, index)
end

return filters
