-- Strict readers of form fields, of JSON in them, and of session_state. They record each violation that is tolerated.
local json = require "sandbox.http.json"

local fields = {}
local SESSION = { client_time_zone = "string", order_by = "array", search = "array", query_limit = "object", hostDisplayType = "string" }
local SEARCH = { column = "string", value = "string", comparison = "string", data = "object", _key = "string", custom = "string" }
local COMPARISONS = { like = true, notlike = true, equal = true }
local DEFAULT_ROWS = 10

--- Reads a form field that must be one of a list of words.
function fields.word(request, name, allowed)
  local value = request.value[name]
  if not value then
    request:violate("missing field", "the form field " .. name)
    return nil
  end
  for _, word in ipairs(allowed) do
    if word == value then return value end
  end
  request:violate("unknown value", ("%s: '%s'"):format(name, value))
  return nil
end

--- Reads a form field of digits.
function fields.digits(request, name, required)
  local value = request.value[name]
  if not value then
    if required then request:violate("missing field", "the form field " .. name) end
    return nil
  end
  if not value:find "^%d+$" then
    request:violate("type", ("%s: '%s' for digits"):format(name, value))
    return nil
  end
  return tonumber(value)
end

--- The JSON node of a form field, if its top-level value has this kind; else nil, and a violation is recorded.
function fields.json(request, name, kind)
  local text = request.value[name]
  if not text then
    request:violate("missing field", "the form field " .. name)
    return nil
  end
  local node, why = json.read(text)
  if node and node.kind == kind then return node end
  request:violate("type", ("%s: %s"):format(name, node and "a JSON " .. node.kind or why))
  return nil
end

--- Checks an object's members against their kinds ({ name = kind, or "any" }); returns those that fit.
function fields.members(request, node, path, kinds)
  local found = {}
  if node.kind ~= "object" then
    request:violate("type", ("%s: a JSON %s"):format(path, node.kind))
    return found
  end
  for _, key in ipairs(node.twice) do request:violate("field twice", path .. "." .. key) end
  for _, key in ipairs(node.keys) do
    local member = node.value[key]
    if not kinds[key] then
      request:violate("unknown field", path .. "." .. key)
    elseif kinds[key] ~= "any" and member.kind ~= kinds[key] then
      request:violate("type", ("%s.%s: a JSON %s"):format(path, key, member.kind))
    else
      found[key] = member
    end
  end
  return found
end

local function read_search(request, item, path)
  if item.kind ~= "object" then
    request:violate("type", path .. ": a JSON " .. item.kind)
    return nil
  end
  local found = fields.members(request, item, path, SEARCH)
  for _, key in ipairs { "column", "value", "comparison", "data", "_key" } do
    if not found[key] then
      request:violate("missing field", path .. "." .. key)
      return nil
    end
  end
  local column, comparison, value = found.column.value, found.comparison.value, found.value.value
  if not COMPARISONS[comparison] then request:violate("unknown value", ("%s.comparison: '%s'"):format(path, comparison)) end
  return { column = column, comparison = comparison, value = value }
end

-- A whole number, as JSON number or text: both are usual.
local function whole(request, node, path)
  if node.kind == "string" and node.value:find "^%d+$" then return tonumber(node.value) end
  if node.kind == "number" and node.value >= 0 then
    if not node.integer then request:violate("float for integer", path) end
    return math.floor(node.value)
  end
  request:violate("type", ("%s: a JSON %s for a whole number"):format(path, node.kind))
  return nil
end

local function read_limit(request, node, session)
  local found = node and fields.members(request, node, "session_state.query_limit", { offset = "any", max_num_rows = "any" }) or {}
  local function limit(key, default)
    local path = "session_state.query_limit." .. key
    if not found[key] then request:violate("missing field", path) end
    return found[key] and whole(request, found[key], path) or default
  end
  session.offset, session.max = limit("offset", 0), limit("max_num_rows", DEFAULT_ROWS)
end

--- The parameters of a list view: { search = { { column =, value =, comparison = }, … }, offset =, max =, display = "ip" or "dns" }. An
--- unreadable session_state is ignored, as the appliance seems to do.
function fields.session(request)
  local session = { search = {}, offset = 0, max = DEFAULT_ROWS, display = "dns" }
  local node = fields.json(request, "session_state", "object")
  if not node then return session end
  local found = fields.members(request, node, "session_state", SESSION)
  read_limit(request, found.query_limit, session)
  for i, item in ipairs(found.search and found.search.value or {}) do
    session.search[#session.search + 1] = read_search(request, item, ("session_state.search[%d]"):format(i - 1))
  end
  local display = found.hostDisplayType and found.hostDisplayType.value
  if display == "ip" or display == "dns" then
    session.display = display
  elseif display then
    request:violate("unknown value", ("session_state.hostDisplayType: '%s'"):format(display))
  end
  return session
end

return fields
