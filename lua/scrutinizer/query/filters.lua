--- What `query:where`, `:exclude` and `:exporter` say, checked and turned into the appliance's filters.

local ascii = require "scrutinizer.ascii"
local check = require "scrutinizer.check"
local names = require "scrutinizer.query.names"
local wire = require "scrutinizer.wire"

local filters = {}

-- IANA protocol numbers that have ports or are often asked for.
local PROTOCOLS = {
  icmp = 1, igmp = 2, ipip = 4, tcp = 6, egp = 8, udp = 17, dccp = 33, rsvp = 46, gre = 47, esp = 50, ah = 51,
  icmpv6 = 58, eigrp = 88, ospf = 89, pim = 103, vrrp = 112, l2tp = 115, sctp = 132, udplite = 136,
}

-- The four octets of a dotted IPv4 address. Leading zeros are refused: some read them as octal.
local function octets(text)
  local list = { text:match "^(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)%.(%d%d?%d?)$" }
  for i, octet in ipairs(list) do
    local value = tonumber(octet)
    if value > 255 or (#octet > 1 and octet:find "^0") then return nil end
    list[i] = value
  end
  return list[1] and list or nil
end

-- Whether the text can be an IPv6 address. It is passed on as it is written.
local function is_ipv6(text)
  if #text > 45 or not text:find ":" or text:find "[^%x:.]" then return false end
  local head, tail = text:match "^(.*:)([^:]*%.[^:]*)$"
  if tail then
    if not octets(tail) then return false end
    text = head .. "0:0"
  end
  if text:find "%." or text:find ":::" or text:find "^:[^:]" or text:find "[^:]:$" then return false end
  local _, gaps = text:gsub("::", "")
  local groups = 0
  for group in text:gmatch "[^:]+" do
    groups = groups + 1
    if #group > 4 then return false end
  end
  return gaps == 0 and groups == 8 or gaps == 1 and groups < 8
end

filters.octets, filters.is_ipv6 = octets, is_ipv6

--- Whether a value is the text of an IP address.
---@param value any
---@return boolean
function filters.is_ip(value)
  return type(value) == "string" and (octets(value) ~= nil or is_ipv6(value))
end

-- One check per kind: the value as wire.lua's writer wants it, or nil and, perhaps, a hint.

local ALLOWED = {
  ip = "the text of an IPv4 or IPv6 address",
  ip_group = "the id of an IP group, a whole number from 1",
  network = 'the text of a network with its length, as "10.0.0.0/8"',
  port = "a port, a whole number from 0 to 65535",
  app_port = 'a port with its protocol, as "443/tcp", "443/6" or { 443, "tcp" }',
}

local CHECKS = {}

function CHECKS.ip(value)
  return filters.is_ip(value) and value or nil
end

function CHECKS.ip_group(value)
  return check.digits(value, 1)
end

function CHECKS.port(value)
  return check.digits(value, 0, 65535)
end

-- The network's own address, when bits of the host are set.
local function network_of(list, length)
  local address = ((list[1] * 256 + list[2]) * 256 + list[3]) * 256 + list[4]
  local rest = address % 2 ^ (32 - length)
  if rest == 0 then return nil end
  address = address - rest
  local parts = {}
  for i = 4, 1, -1 do
    parts[i] = ("%d"):format(address % 256)
    address = math.floor(address / 256)
  end
  return ("%s/%d"):format(table.concat(parts, "."), length)
end

function CHECKS.network(value)
  if type(value) ~= "string" then return nil end
  local address, digits = value:match "^([^/]+)/(%d%d?%d?)$"
  if not address then return nil end
  local length, list = tonumber(digits), octets(address)
  if not list then return is_ipv6(address) and length <= 128 and { address = address, length = length } or nil end
  if length > 32 then return nil end
  local right = network_of(list, length)
  if right then return nil, names.did_you_mean(right) end
  return { address = address, length = length }
end

--- A port with its protocol, as "443/tcp", "443/6" or { 443, "tcp" }; nil, and perhaps a hint, when it is none.
---@param value any
---@return { port: integer, protocol: integer }?
---@return string? hint
function filters.app_port(value)
  local port, hint = CHECKS.app_port(value)
  return port, hint
end

--- The text of a network with its length; nil, and perhaps a hint, when it is none or bits of the host are set.
---@param value any
---@return { address: string, length: integer }?
---@return string? hint
function filters.network(value)
  local network, hint = CHECKS.network(value)
  return network, hint
end

local function protocol_number(value)
  local number = check.digits(value, 0, 255)
  if number or type(value) ~= "string" then return number end
  number = PROTOCOLS[ascii.lower(value)]
  if number then return number end
  return nil, names.did_you_mean(names.suggest(value, PROTOCOLS, 1))
end

function CHECKS.app_port(value)
  local port, protocol
  if type(value) == "table" and #value == 2 then
    port, protocol = value[1], value[2]
  elseif type(value) == "string" then
    port, protocol = value:match "^(%d+)/([A-Za-z0-9]+)$"
  end
  port = check.digits(port, 0, 65535)
  if not port or protocol == nil then return nil end
  local number, hint = protocol_number(protocol)
  if not number then return nil, hint end
  return { port = port, protocol = number }
end

-- The keys of `where` and `exclude`.
local KEYS = {}
for _, kind in ipairs { "ip", "ip_group", "network", "port" } do
  KEYS[kind] = { kind = kind, side = "both" }
  KEYS["src_" .. kind] = { kind = kind, side = "src" }
  KEYS["dst_" .. kind] = { kind = kind, side = "dst" }
end
KEYS.app_port = { kind = "app_port" }

local KEY_LIST = table.concat(check.sorted_keys(KEYS), ", ")

-- A value or a list of values, as a list; nil when it is neither. { 443, "tcp" } is one app_port.
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

--- The filters of one call of `where` or `exclude`, by sorted keys, list values as given.
---@param method string for messages
---@param mode "in"|"ex"
---@param conditions table
---@return { type: string, value: string }[]?
---@return string? message
function filters.conditions(method, mode, conditions)
  if type(conditions) ~= "table" or next(conditions) == nil then
    return nil, check.message(method, conditions, "a table with any of the keys " .. KEY_LIST)
  end
  for key in pairs(conditions) do
    if not KEYS[key] then
      return nil, check.message(method .. ": key", key, KEY_LIST, names.did_you_mean(names.suggest(key, KEYS)))
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

-- Whether a text can be a device's name, and was not meant to be an address.
local function is_name(text)
  return is_text(text) and not text:find "^[%d./]*$" and not text:find ":"
end

--- The filter for a device, or for one of its interfaces. Names make a filter that is `named`, to be looked up when the query runs.
---@param device string an IPv4 address, or a name; IPv6 is passed on as text, which is unverified
---@param interface? integer|string its SNMP index, or a name
---@return { type: string, value?: string, named?: { exporter: string, interface?: integer|string } }?
---@return string? message
function filters.exporter(device, interface)
  if not filters.is_ip(device) and not is_name(device) then
    return nil, check.message("exporter", device, "the text of the device's IPv4 or IPv6 address, or its name")
  end
  local index = check.digits(interface, 0, 2 ^ 32 - 1)
  if interface ~= nil and not index and not is_text(interface) then
    return nil, check.message("exporter: interface", interface, "an interface's SNMP index, a whole number from 0, or its name")
  end
  if not filters.is_ip(device) or (interface ~= nil and not index) then
    return { type = wire.filter_type.exporter, named = { exporter = device, interface = index or interface } }
  end
  local list = octets(device)
  if list then device = ("%02X%02X%02X%02X"):format(list[1], list[2], list[3], list[4]) end
  return wire.filters.exporter("in", device, index)
end

return filters
