-- One JSON value as the whole answer of a call: keys in any order, numbers as the mode gave them.
local json = require "sandbox.json"

local reply = {}

local function text_of(value, fixed)
  if type(value) ~= "table" or value == json.null then return json.write(value) end
  local parts = {}
  if value[1] ~= nil or getmetatable(value) == json.list then
    for i, item in ipairs(value) do parts[i] = text_of(item, fixed) end
    return json.array(parts)
  end
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys)
  for i, key in ipairs(keys) do parts[i] = json.string(key) .. ":" .. text_of(value[key], fixed) end
  return json.object(fixed and parts or json.shuffle(parts))
end

--- Sends a value; empty tables are objects unless marked with `json.list`.
function reply.send(sink, options, value)
  sink:write(text_of(value, options.keys == "fixed"))
  sink:finish()
end

--- A list, also when it is empty.
function reply.list(items) return setmetatable(items or {}, json.list) end

return reply
