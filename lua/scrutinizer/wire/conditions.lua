--- The conditions of `query:where` and `:exclude` as the appliance's filters.

local addresses = require "scrutinizer.addresses"
local check = require "scrutinizer.check"
local filters = require "scrutinizer.wire.filters"

local conditions = {}

---@class scrutinizer.Condition
---@field mode "in"|"ex"
---@field key string      a key of `where`, such as "src_ip"
---@field values any[]    as the caller gave them; each passes `conditions.read`
---@field call integer    which call of `where` and `exclude` said it, from 1

--- The keys of `where` and `exclude`.
---@type table<string, { kind: string, side?: "both"|"src"|"dst" }>
conditions.keys = { app_port = { kind = "app_port" } }
for _, kind in ipairs { "ip", "ip_group", "network", "port" } do
  conditions.keys[kind] = { kind = kind, side = "both" }
  conditions.keys["src_" .. kind] = { kind = kind, side = "src" }
  conditions.keys["dst_" .. kind] = { kind = kind, side = "dst" }
end

-- One reader per kind: the value that filters.write takes, or nil and perhaps a hint.
local READERS = { network = addresses.network, app_port = addresses.app_port }

function READERS.ip(value)
  return addresses.is_ip(value) and value or nil
end

-- A name is looked up before a request is made.
function READERS.ip_group(value)
  return check.digits(value, 1) or (check.name(value) and value) or nil
end

function READERS.port(value)
  return check.digits(value, 0, 65535)
end

--- A value of a key as `filters.write` takes it; nil, and perhaps a hint, when it is no such value.
---@param key string
---@param value any
---@return any
---@return string? hint
function conditions.read(key, value)
  return READERS[conditions.keys[key].kind](value)
end

--- All filters of a query: those of `:exporter`, `:filter` and their like, then those of its conditions.
---@param spec table
---@return { type?: string, key?: string, value: string }[]
function conditions.entries(spec)
  local out = {}
  for i, entry in ipairs(spec.filters) do out[i] = entry end
  for _, condition in ipairs(spec.conditions) do
    local rule = conditions.keys[condition.key]
    for _, value in ipairs(condition.values) do
      out[#out + 1] = filters.write[rule.kind](condition.mode, rule.side, conditions.read(condition.key, value))
    end
  end
  return out
end

return conditions
