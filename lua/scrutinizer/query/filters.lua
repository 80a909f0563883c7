--- Checks what is given to `query:where`, `:exclude` and `:exporter`.

local addresses = require "scrutinizer.addresses"
local check = require "scrutinizer.check"
local conditions = require "scrutinizer.wire.conditions"
local suggest = require "scrutinizer.suggest"
local wire = require "scrutinizer.wire"

local filters = {}

local ALLOWED = {
  ip = "the text of an IPv4 or IPv6 address",
  ip_group = "the id of an IP group, a whole number from 1, or its name, a text",
  network = 'the text of a network with its length, as "10.0.0.0/8"',
  port = "a port, a whole number from 0 to 65535",
  app_port = 'a port with its protocol, as "443/tcp", "443/6" or { 443, "tcp" }',
}

local KEYS = conditions.keys

local KEY_LIST = table.concat(check.sorted_keys(KEYS), ", ")

-- A value or a list of values, as a list; nil for an empty table or one that is not a list. { 443, "tcp" } is one app_port.
local function as_list(kind, value)
  if type(value) ~= "table" then return { value } end
  if kind == "app_port" and type(value[1]) == "number" then return { value } end
  local count = 0
  for _ in pairs(value) do count = count + 1 end
  return count > 0 and count == #value and value or nil
end

-- The condition for one key, or nil and what is wrong.
local function condition(method, mode, key, given)
  local kind = KEYS[key].kind
  local at = ("%s: %s"):format(method, key)
  local list, values = as_list(kind, given), {}
  if not list then return nil, check.message(at, given, ALLOWED[kind] .. ", or a list of them that is not empty") end
  for i, value in ipairs(list) do
    local good, hint = conditions.read(key, value)
    if good == nil then return nil, check.message(at, value, ALLOWED[kind], hint) end
    values[i] = wire.copy(value)
  end
  return { mode = mode, key = key, values = values }
end

--- The conditions of one call of `where` or `exclude`, sorted by key; list values keep their order.
---@param method string for messages
---@param mode "in"|"ex"
---@param given table
---@return scrutinizer.Condition[]? list without their `call`
---@return string? message what is wrong
function filters.conditions(method, mode, given)
  if type(given) ~= "table" or next(given) == nil then
    return nil, check.message(method, given, "a table with any of the keys " .. KEY_LIST)
  end
  for key in pairs(given) do
    if not KEYS[key] then
      return nil, check.message(method .. ": key", key, KEY_LIST, suggest.did_you_mean(suggest.nearest(key, KEYS)))
    end
  end
  local out = {}
  for i, key in ipairs(check.sorted_keys(given)) do
    local message
    out[i], message = condition(method, mode, key, given[key])
    if message then return nil, message end
  end
  return out
end

local function is_text(text)
  return check.name(text) and wire.try_encode(text) ~= nil
end

-- Whether a text can be a device's name and does not look like an address.
local function is_name(text)
  return is_text(text) and not text:find "^[%d./-]*$" and not text:find ":"
end

--- The filter for a device, or for one of its interfaces. A filter with names has `named`: they are looked up when the query runs.
---@param device string an IPv4 address, or a name; IPv6 is sent as text, which is unverified
---@param interface? integer|string its SNMP index (a number), or a name (a text)
---@return { type: string, value?: string, named?: { exporter: string, interface?: integer|string } }?
---@return string? message what is wrong
function filters.exporter(device, interface)
  if not addresses.is_ip(device) and not is_name(device) then
    return nil, check.message("exporter", device, "the text of the device's IPv4 or IPv6 address, or its name")
  end
  local index = check.integer(interface, 0, 2 ^ 32 - 1)
  if interface ~= nil and not index and not is_text(interface) then
    return nil, check.message("exporter: interface", interface, "an interface's SNMP index, a whole number from 0, or its name, a text")
  end
  if not addresses.is_ip(device) or (interface ~= nil and not index) then
    return { type = wire.filter_type.exporter, named = { exporter = device, interface = index or interface } }
  end
  return wire.filters.exporter("in", device, index)
end

--- The filter for a group of devices. A name is looked up when the query runs.
---@param group integer|string its id (a number) or name (a text)
---@return { type: string, value?: string, named?: { device_group: string } }?
---@return string? message what is wrong
function filters.device_group(group)
  local id = check.integer(group, 0)
  if id then return wire.filters.device_group("in", id) end
  if is_text(group) then return { type = wire.filter_type.exporter, named = { device_group = group } } end
  return nil, check.message("device_group", group, "the id of a device group, a whole number from 0, or its name, a text")
end

return filters
