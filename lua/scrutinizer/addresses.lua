--- IP addresses, networks and ports as people write them.

local ascii = require "scrutinizer.ascii"
local check = require "scrutinizer.check"
local suggest = require "scrutinizer.suggest"

local addresses = {}

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

addresses.octets, addresses.is_ipv6 = octets, is_ipv6

-- The hex digits of an IPv6 address, 32 of them.
local function digits6(text)
  local head, tail = text:match "^(.*:)([^:]*%.[^:]*)$"
  if tail then
    local list = octets(tail)
    text = ("%s%x:%x"):format(head, list[1] * 256 + list[2], list[3] * 256 + list[4])
  end
  local function groups(part)
    local digits = {}
    for group in part:gmatch "[^:]+" do digits[#digits + 1] = ("0"):rep(4 - #group) .. ascii.lower(group) end
    return table.concat(digits)
  end
  local before, after = text:match "^(.-)::(.*)$"
  local left, right = groups(before or text), groups(after or "")
  return left .. ("0"):rep(32 - #left - #right) .. right
end

--- An address as hex digits: 8 of IPv4, 32 of IPv6. Two texts of one address give the same digits.
---@param text string an address
---@return string
function addresses.digits(text)
  local list = octets(text)
  return list and ("%02x%02x%02x%02x"):format(list[1], list[2], list[3], list[4]) or digits6(text)
end

--- Whether a value is the text of an IP address.
---@param value any
---@return boolean
function addresses.is_ip(value)
  return type(value) == "string" and (octets(value) ~= nil or is_ipv6(value))
end

-- The network that the address lies in, as "10.0.0.0/8", when host bits are set; nil when none is set.
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

--- Reads a network with its prefix length, such as "10.0.0.0/8". Nil when the value is not a network, or when host bits are set.
---@param value any
---@return { address: string, length: integer }?
---@return string? hint "did you mean", when host bits are set
function addresses.network(value)
  if type(value) ~= "string" then return nil end
  local address, digits = value:match "^([^/]+)/(%d%d?%d?)$"
  if not address then return nil end
  local length, list = tonumber(digits), octets(address)
  if not list then return is_ipv6(address) and length <= 128 and { address = address, length = length } or nil end
  if length > 32 then return nil end
  local right = network_of(list, length)
  if right then return nil, suggest.did_you_mean(right) end
  return { address = address, length = length }
end

local function protocol_number(value)
  local number = check.digits(value, 0, 255)
  if number or type(value) ~= "string" then return number end
  number = PROTOCOLS[ascii.lower(value)]
  if number then return number end
  return nil, suggest.did_you_mean(suggest.nearest(value, PROTOCOLS, 1))
end

--- Reads a port with its protocol: "443/tcp", "443/6" or { 443, "tcp" }. Nil when the value is none of these.
---@param value any
---@return { port: integer, protocol: integer }? port 0 to 65535, protocol as its IANA number
---@return string? hint "did you mean", when the protocol's name is misspelt
function addresses.app_port(value)
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

return addresses
