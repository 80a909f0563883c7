-- Sends one JSON value as the whole answer: the switch `keys` sets the order of keys, numbers stay as the mode made them.
local json = require "sandbox.http.json"
local keys = require "sandbox.report.keys"

local reply = {}

local function text_of(value, options)
  if type(value) ~= "table" or value == json.null then return json.write(value) end
  local parts = {}
  if value[1] ~= nil or getmetatable(value) == json.list then
    for i, item in ipairs(value) do parts[i] = text_of(item, options) end
    return json.array(parts)
  end
  local names = {}
  for key in pairs(value) do names[#names + 1] = key end
  table.sort(names)
  for i, key in ipairs(names) do parts[i] = json.string(key) .. ":" .. text_of(value[key], options) end
  return json.object(keys.arrange(options, parts))
end

--- Sends a value; empty tables are objects unless marked with `json.list`.
function reply.send(sink, options, value)
  sink:write(text_of(value, options))
  sink:finish()
end

--- Marks a table as a list, even if it is empty.
function reply.list(items) return setmetatable(items or {}, json.list) end

return reply
