--- Checks the lists passed to management calls, item by item and field by field. No message shows the value of a secret field.

local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local suggest = require "scrutinizer.suggest"
local wire = require "scrutinizer.wire"

local item_fields = {}

---@class scrutinizer.Field
---@field read fun(value: any): any, string?   the checked value; or nil and perhaps a hint
---@field allowed string      what is allowed, for messages
---@field required? boolean
---@field secret? boolean     messages must not show the value

-- The most bytes of a text; no name is longer. Texts are sent in JSON, so they must be UTF-8.
local MAX_TEXT = 1000

--- Text in UTF-8 that is not empty; else nil.
---@param value any
---@return string?
function item_fields.text(value)
  if type(value) ~= "string" or value == "" or #value > MAX_TEXT then return nil end
  return wire.try_encode(value) and value or nil
end

--- An id: a whole number from 1; else nil.
---@param value any
---@return integer?
function item_fields.id(value) return check.integer(value, 1) end

--- A number that JSON can hold (not NaN, not infinite); else nil.
---@param value any
---@return number?
function item_fields.number(value)
  return type(value) == "number" and wire.try_encode(value) and value or nil
end

--- An id or a name; else nil.
---@param value any
---@return integer|string|nil
function item_fields.id_or_name(value)
  return item_fields.id(value) or item_fields.text(value)
end

--- Makes a reader for lists whose items `read` accepts.
---@param read fun(value: any): any
---@return fun(value: any): any[]?
function item_fields.list_of(read)
  return function(value)
    if type(value) ~= "table" then return nil end
    local list = {}
    for key in next, value do
      if not check.integer(key, 1, #value) then return nil end
    end
    for i = 1, #value do
      list[i] = read(value[i])
      if list[i] == nil then return nil end
    end
    return list
  end
end

item_fields.NAME = { read = item_fields.text, allowed = "a name, text in UTF-8", required = true }
item_fields.WHO = { read = item_fields.id_or_name, allowed = "an id (a whole number) or a name (text)", required = true }

local function show(field, value)
  return field.secret and "a secret " .. type(value) or check.show(value)
end

-- Checks one field of an item. Returns true and the value; or nil and a message.
local function read_field(where, item, name, field)
  local value = item[name]
  if value == nil and not field.required then return true end
  local kept, hint = field.read(value)
  if kept == nil then
    local text = ("%s: %s: got %s; allowed: %s"):format(where, name, value == nil and "nil" or show(field, value), field.allowed)
    return nil, hint and text .. "; " .. hint or text
  end
  return true, kept
end

--- A checked copy of one item; or nil and the complaint.
---@param where string the method and the item's place, for messages
---@param item any
---@param fields table<string, scrutinizer.Field>
---@return table? copy
---@return string? complaint
function item_fields.one(where, item, fields)
  if type(item) ~= "table" then
    return nil, check.message(where, item, "a table of " .. table.concat(check.sorted_keys(fields), ", "))
  end
  for key in next, item do
    if not fields[key] then
      local hint = suggest.did_you_mean(type(key) == "string" and suggest.nearest(key, fields) or nil)
      return nil, check.message(where .. ": field", key, table.concat(check.sorted_keys(fields), ", "), hint)
    end
  end
  local copy = {}
  for _, name in ipairs(check.sorted_keys(fields)) do
    local ok, kept = read_field(where, item, name, fields[name])
    if not ok then return nil, kept end
    copy[name] = kept
  end
  return copy
end

local function is_list(list)
  if type(list) ~= "table" then return false end
  for key in next, list do
    if not check.integer(key, 1, #list) then return false end
  end
  return true
end

--- Checks each item of a list with `read(where, item)`. No two items may have the same `key(item)`.
---@param method string
---@param list any
---@param what string what the list contains, for messages
---@param read fun(where: string, item: any): any, string?
---@param key? fun(item: any): any
---@return any[]? checked
---@return string? complaint
function item_fields.each(method, list, what, read, key)
  if not is_list(list) then return nil, check.message(method, list, "a list of " .. what) end
  local checked, seen = {}, {}
  for i = 1, #list do
    local where = ("%s: item %d"):format(method, i)
    local kept, complaint = read(where, list[i])
    if kept == nil then return nil, complaint end
    local mark = key and key(kept)
    if mark ~= nil and seen[mark] then
      return nil, ("%s: %s occurs already, as item %d"):format(where, errors.neutral(mark, 60), seen[mark])
    end
    if mark ~= nil then seen[mark] = i end
    checked[i] = kept
  end
  return checked
end

--- Checks a list of items with these fields.
---@param method string
---@param list any
---@param fields table<string, scrutinizer.Field>
---@param what string
---@return table[]? checked
---@return string? complaint
function item_fields.plain(method, list, fields, what)
  return item_fields.each(method, list, what, function(where, item) return item_fields.one(where, item, fields) end)
end

--- Checks a list of items with these fields; no name may occur twice.
---@param method string
---@param list any
---@param fields table<string, scrutinizer.Field>
---@param what string
---@return table[]? checked
---@return string? complaint
function item_fields.named(method, list, fields, what)
  return item_fields.each(method, list, what, function(where, item) return item_fields.one(where, item, fields) end,
    function(item) return item.name end)
end

--- Checks a list of ids and names; none may occur twice.
---@param method string
---@param list any
---@return (integer|string)[]? checked
---@return string? complaint
function item_fields.references(method, list)
  return item_fields.each(method, list, "ids and names", function(where, value)
    local who = item_fields.id_or_name(value)
    if who == nil then return nil, check.message(where, value, item_fields.WHO.allowed) end
    return who
  end, function(who) return who end)
end

--- The same; none may be in the other list either.
---@param method string
---@param list any
---@param others (integer|string)[]
---@return (integer|string)[]? checked
---@return string? complaint
function item_fields.apart(method, list, others)
  local who, complaint = item_fields.references(method, list)
  if not who then return nil, complaint end
  local there = {}
  for _, one in ipairs(others) do there[one] = true end
  for _, one in ipairs(who) do
    if there[one] then return nil, ("%s: %s is in both lists"):format(method, check.show(one)) end
  end
  return who
end

return item_fields
