--- Comparing requests: which fields a recording keeps, when two requests are the same, and which recorded request is the nearest.

local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local secrets = require "scrutinizer.secrets"
local wire = require "scrutinizer.wire"

local request_match = {}

-- A field's bytes as UTF-8 text, as the recording needs it: other bytes become hex digits.
local function as_text(bytes)
  if wire.try_encode(bytes) then return bytes end
  return "hex:" .. bytes:gsub(".", function(char) return ("%02x"):format(char:byte()) end)
end

--- The fields of a request that the recording keeps: JSON is decoded, secrets are masked. Times that come from the clock are kept as the query
--- states them ("now-5400", "LastHour.from").
---@param request { form: table<string, string>, like?: fun(): table<string, string>, secrets?: string[] }
---@param ignore table<string, true> names of fields to leave out
---@return table<string, any> fields
---@return string[] found the secrets
function request_match.fields(request, ignore)
  local secret_values, found = secrets.of_form(request.like and request.like() or request.form, core.decode)
  local fields = {}
  for name, value in pairs(secret_values) do
    if not ignore[name] then fields[as_text(name)] = type(value) == "string" and as_text(value) or value end
  end
  for _, secret in ipairs(request.secrets or {}) do found[#found + 1] = secret end
  return secrets.unrepeated(fields, found), found
end

--- A text that is equal for equal requests.
---@param fields table<string, any>
---@return string
function request_match.key(fields)
  return wire.encode(fields)
end

--- A short phrase that names a request, for messages.
---@param fields table<string, any>
---@return string
function request_match.describe(fields)
  local words, report = {}, fields[wire.form.report]
  for _, name in ipairs { wire.form.run_mode, wire.form.action } do
    if fields[name] then words[#words + 1] = name .. "=" .. tostring(fields[name]) end
  end
  if type(report) == "table" then words[#words + 1] = wire.field.type .. "=" .. tostring(report[wire.field.type]) end
  return table.concat(words, " ")
end

-- Every value by its path, such as `rpt_json.times.start`.
local function flatten(value, path, out)
  if type(value) ~= "table" then
    out[path] = check.show(value == core.null and "null" or value)
    return out
  end
  if path ~= "" and next(value) == nil then out[path] = "{}" end
  for name, member in pairs(value) do
    flatten(member, path == "" and tostring(name) or path .. "." .. tostring(name), out)
  end
  return out
end

-- The paths at which two requests differ, sorted.
local function differences(a, b)
  local paths = {}
  for path, text in pairs(a) do
    if b[path] ~= text then paths[path] = true end
  end
  for path in pairs(b) do
    if a[path] == nil then paths[path] = true end
  end
  return check.sorted_keys(paths)
end

-- The most differences that a message names.
local SHOWN = 3

--- Names the recorded request with the fewest differences, and these differences, for messages.
---@param fields table<string, any>
---@param recorded { fields: table<string, any>, id: integer }[]
---@return string phrase
function request_match.nearest(fields, recorded)
  local mine, best, paths = flatten(fields, "", {}), nil, nil
  for _, other in ipairs(recorded) do
    local between = differences(flatten(other.fields, "", {}), mine)
    if not paths or #between < #paths then best, paths = other, between end
  end
  if not best then return "it holds no requests" end
  local theirs, words = flatten(best.fields, "", {}), {}
  for i = 1, math.min(#paths, SHOWN) do
    words[i] = ("%s: recorded %s, requested %s"):format(paths[i], theirs[paths[i]] or "nothing", mine[paths[i]] or "nothing")
  end
  if #paths > SHOWN then words[#words + 1] = ("and %d more"):format(#paths - SHOWN) end
  return ("the most similar is number %d (%s), which differs in %s"):format(best.id, request_match.describe(best.fields), table.concat(words, "; "))
end

return request_match
