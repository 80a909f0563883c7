--- A query as one line of text, with everything that was set. Two different requests have two different texts.

local ascii = require "scrutinizer.ascii"
local check = require "scrutinizer.check"
local query_words = require "scrutinizer.report.query_words"
local errors = require "scrutinizer.errors"
local wire = require "scrutinizer.wire"

local to_text = {}

local quoted = errors.quoted
local value_text

local function list_text(list)
  local words = {}
  for i, item in ipairs(list) do words[i] = value_text(item) end
  return words[1] and "{ " .. table.concat(words, ", ") .. " }" or "{}"
end

local function map_text(map)
  local words = {}
  for i, key in ipairs(check.sorted_keys(map)) do
    words[i] = (key:find "^[A-Za-z_][A-Za-z0-9_]*$" and key or "[" .. quoted(key) .. "]") .. " = " .. value_text(map[key])
  end
  return words[1] and "{ " .. table.concat(words, ", ") .. " }" or "{}"
end

-- An empty list is written as [], an empty table of names as {}, because JSON distinguishes them.
function value_text(value)
  local kind = type(value)
  if kind == "string" then return quoted(value) end
  if kind == "number" then return wire.try_encode(value) or ascii.text(value) end
  if kind == "table" and rawget(value, 1) ~= nil then return list_text(value) end
  if kind == "table" then return getmetatable(value) and not next(value) and "[]" or map_text(value) end
  return kind == "boolean" and tostring(value) or "null"
end

-- ---- devices and filters ----

local function device_text(device)
  if device.all then return "all exporters" end
  if device.group then return "device group " .. device.group end
  if device.device_group then return "device group " .. quoted(device.device_group) end
  return "exporter " .. quoted(device.exporter) .. (device.interface and " interface " .. value_text(device.interface) or "")
end

--- A filter of the appliance's form; devices as `:exporter` and `:device_group` take them.
---@param entry table
---@return string
function to_text.filter(entry)
  local device = entry.named or wire.device(entry)
  if device then return device_text(device) end
  return ("filter %s %s"):format(quoted(entry.key or entry.type), value_text(entry.value))
end

-- The conditions, one group for each call of `where` or `exclude`.
local function add_conditions(words, conditions)
  local call, parts, mode
  local function close()
    if call then words[#words + 1] = ("%s { %s }"):format(mode == "in" and "where" or "exclude", table.concat(parts, ", ")) end
  end
  for _, one in ipairs(conditions) do
    if one.call ~= call or one.mode ~= mode then
      close()
      call, mode, parts = one.call, one.mode, {}
    end
    parts[#parts + 1] = ("%s = %s"):format(one.key, value_text(#one.values == 1 and one.values[1] or one.values))
  end
  close()
end

-- ---- fields and the rest ----

local function projection_text(projection)
  local words = {}
  for i, entry in ipairs(projection) do
    local name = entry.column .. (entry.member ~= "raw" and "." .. entry.member or "")
    local alias = entry.field ~= name and (entry.field:find "^[A-Za-z_][A-Za-z0-9_]*$" and entry.field or quoted(entry.field)) .. " = " or ""
    words[i] = alias .. quoted(name .. (entry.optional and "?" or ""))
  end
  return "select " .. table.concat(words, ", ")
end

-- Members of the spec in the order of the text, each with its word and its default value, which is not written.
local PLAIN = {
  { "rate_total" }, { "unit" }, { "data_format" }, { "data_mode", "data mode " }, { "order_by", "order by " }, { "others", "others " },
  { "limit", "limit " }, { "offset", "offset ", 0 }, { "skip", "skip " }, { "window", "window " },
  { "page_size", "page size " }, { "prefetch", "prefetch ", 0 }, { "graph", "graph " },
}

local function add_plain(words, spec)
  for _, item in ipairs(PLAIN) do
    local value, word = spec[item[1]], item[2]
    if value ~= nil and value ~= item[3] then words[#words + 1] = word and word .. value_text(value) or value end
  end
end

-- Members with tables, each with its word; empty ones are not written.
local function add_table(words, word, value)
  if type(value) == "table" and next(value) ~= nil then words[#words + 1] = word .. " " .. value_text(value) end
end

--- The text of a query's spec.
---@param spec table
---@return string
function to_text.spec(spec)
  local words = { quoted(spec.type), query_words.direction(spec), query_words.times(spec) or "no times yet" }
  if spec.timezone then words[#words + 1] = "timezone " .. quoted(spec.timezone) end
  if spec.granularity ~= "auto" then words[#words + 1] = "granularity " .. value_text(spec.granularity) end
  for _, entry in ipairs(spec.filters) do words[#words + 1] = to_text.filter(entry) end
  add_conditions(words, spec.conditions)
  for _, condition in ipairs(spec.kept) do words[#words + 1] = "keep " .. condition.words end
  if spec.projection then words[#words + 1] = projection_text(spec.projection) end
  add_plain(words, spec)
  add_table(words, "set", spec.fields)
  add_table(words, "and", spec.extras)
  add_table(words, "resumed", spec.proof)
  return table.concat(words, ", ")
end

return to_text
