--- The appliance's names for IP groups and their rules: the forms that are sent, and the members of answers. See wire/init.lua.

local ascii = require "scrutinizer.ascii"
local core = require "scrutinizer.core"
local wire = require "scrutinizer.wire"

local groups = {}

local function array(list) return setmetatable(list or {}, core.array_mt) end

local function digits(id) return ("%d"):format(id) end

local function form(action, fields)
  fields[wire.form.run_mode], fields[wire.form.action] = "ipgroups", action
  return fields
end

-- A rule's own fields, by its type.
local WRITE = {
  ip = function(rule) return { address = rule.address } end,
  range = function(rule) return { sip = rule.from, eip = rule.to } end,
  network = function(rule) return { address = rule.address, mask = digits(rule.length) } end,
  wildcard = function(rule) return { address = rule.address, mask = rule.mask } end,
  child = function(rule) return { child_id = digits(rule.group) } end,
  ipall = function() return { all = 1 } end,
}

local function write(rule)
  local object = WRITE[rule.type](rule)
  object.type, object.rule_id = rule.type, rule.id
  return object
end

local function rules_text(list)
  local written = array()
  for i, rule in ipairs(list) do written[i] = write(rule) end
  return wire.encode(written)
end

--- All groups as a bare array of { id, name }.
---@return table<string, string> form
function groups.list()
  return { [wire.form.run_mode] = "get_known_objects", type = "ipgroups" }
end

--- The same list, from another page of the UI: { results = { { fc_id, fc_name } } }.
---@return table<string, string> form
function groups.tree()
  return form("loadTreeRootFast", {})
end

---@param name string
---@param list table[] checked rules
---@return table<string, string> form
function groups.create(name, list)
  return form("saveRule", { new_fc = name, added = rules_text(list) })
end

---@param id integer
---@param change { name?: string, add?: table[], change?: table[], remove?: integer[] }
---@return table<string, string> form
function groups.update(id, change)
  return form("update", {
    fc_id = digits(id), name = change.name, added = change.add and rules_text(change.add),
    updated = change.change and rules_text(change.change), removed = change.remove and wire.encode(array(change.remove)),
  })
end

---@param ids integer[] sent as strings
---@return table<string, string> form
function groups.delete(ids)
  local list = array()
  for i, id in ipairs(ids) do list[i] = { id = digits(id) } end
  return form("delete", { json = wire.encode(list) })
end

--- Unverified: no source shows this request's fields.
---@param id integer
---@return table<string, string> form
function groups.rules(id)
  return form("loadRules", { fc_id = digits(id) })
end

--- Members of answers.
groups.answer = { id = "fc_id", name = "fc_name", added = "added", updated = "updated", removed = "removed", warnings = "warnings", rule = "rule_id" }

--- Members where the answer to loadRules may have its list. Unverified: no source shows it.
groups.RULE_LISTS = { "results", "rows", "rules", "added" }

-- The members that identify a rule, by its type.
local IDENTIFYING = { ip = { "address" }, range = { "sip", "eip" }, network = { "address", "mask" }, wildcard = { "address", "mask" },
  child = { "child_id" }, ipall = {} }

-- A text that is the same for equal rules. Nil when members are missing or the type is unknown.
local function key_of(object)
  local parts = { object.type }
  for _, name in ipairs(IDENTIFYING[object.type] or {}) do
    local value = object[name]
    if type(value) == "number" then value = digits(value) end
    if type(value) ~= "string" then return nil end
    parts[#parts + 1] = ascii.lower(value)
  end
  return IDENTIFYING[object.type] and table.concat(parts, " ") or nil
end

--- The key of a rule in this library's form.
---@param rule table
---@return string
function groups.key(rule) return key_of(write(rule)) end

--- The key of a rule in an answer.
---@param entry table
---@return string?
function groups.answered_key(entry) return key_of(entry) end

--- Converts a rule of an answer to this library's form, without its id.
---@param entry table
---@return table
function groups.read(entry)
  local function text(name) return type(entry[name]) == "string" and entry[name] or nil end
  local rule = { type = text "type" }
  if rule.type == "range" then
    rule.from, rule.to = text "sip", text "eip"
  elseif rule.type == "child" then
    rule.group = tonumber(entry.child_id)
  elseif rule.type == "network" then
    rule.address, rule.length = text "address", tonumber(entry.mask)
  else
    rule.address, rule.mask = text "address", text "mask"
  end
  return rule
end

return groups
