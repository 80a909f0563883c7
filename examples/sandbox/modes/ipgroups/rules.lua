-- The six types of rules, read strictly. A wrong rule is left out of the answer's list and named in its warnings.
local fields = require "sandbox.http.fields"
local filters = require "sandbox.report.filters"
local ip_groups = require "sandbox.state.ip_groups"
local json = require "sandbox.http.json"

local rules = {}

local FIELDS = { type = "string", address = "string", mask = "string", sip = "string", eip = "string", child_id = "string", all = "number",
  rule_id = "number" }
local NEEDED = { ip = { "address" }, range = { "sip", "eip" }, network = { "address", "mask" }, wildcard = { "address", "mask" },
  child = { "child_id" }, ipall = { "all" } }

local function is_address(text) return filters.quads(text) ~= nil or filters.digits6(text) ~= nil end

local COMPLAINTS = {}
function COMPLAINTS.ip(rule) return not is_address(rule.address) and "not an address" end
function COMPLAINTS.range(rule)
  local first, last = filters.quads(rule.sip) or filters.digits6(rule.sip), filters.quads(rule.eip) or filters.digits6(rule.eip)
  return (not first or not last or type(first) ~= type(last) or first > last) and "not a range"
end
function COMPLAINTS.network(rule)
  local most, length = filters.quads(rule.address) and 32 or filters.digits6(rule.address) and 128, tonumber(rule.mask)
  return (not most or not length or length > most) and "not a network"
end
function COMPLAINTS.wildcard(rule) return not (filters.quads(rule.address) and filters.quads(rule.mask)) and "not a wildcard" end
function COMPLAINTS.child(rule) return not ip_groups.get(rule.child_id) and "no such child" end
function COMPLAINTS.ipall() return false end

-- Returns the rule's own fields, or nil and what is wrong.
local function read(request, node, path)
  local found, rule = fields.members(request, node, path, FIELDS), {}
  for name, member in pairs(found) do rule[name] = member.value end
  -- The vendor's prerequisite page writes sip instead of address.
  if rule.type == "ip" and rule.sip and not rule.address then rule.address, rule.sip = rule.sip, nil end
  local needed = NEEDED[rule.type or ""]
  if not needed then return nil, ("Unknown rule type '%s'"):format(tostring(rule.type)) end
  for _, name in ipairs(needed) do
    if rule[name] == nil then return nil, ("A rule of type %s needs %s"):format(rule.type, name) end
  end
  rule.child_id = tonumber(rule.child_id)
  local why = COMPLAINTS[rule.type](rule)
  if why then return nil, ("%s: %s"):format(rule.address or rule.sip or tostring(rule.child_id), why) end
  return rule
end

--- A rule as answers show it.
function rules.show(rule, options)
  local shown = { rule_id = rule.rule_id, cid = json.null, type = rule.type }
  if options.object_ids == "strings" then shown.rule_id = ("%d"):format(rule.rule_id) end
  if options.rule_fields == "bare" then return shown end
  for _, name in ipairs { "address", "mask", "sip", "eip" } do shown[name] = rule[name] end
  if rule.child_id then shown.child_id = ("%d"):format(rule.child_id) end
  if rule.type == "ipall" then shown.all = 1 end
  return shown
end

function rules.add(request, group, node, change, options)
  for i, item in ipairs(node and node.value or {}) do
    local rule, why = read(request, item, ("added[%d]"):format(i - 1))
    if rule then
      rule.rule_id = ip_groups.add(group.id, rule)
      change.added[#change.added + 1] = rules.show(rule, options)
    else
      change.warnings[#change.warnings + 1] = why
    end
  end
end

function rules.update(request, group, node, change, options)
  for i, item in ipairs(node and node.value or {}) do
    local rule, why = read(request, item, ("updated[%d]"):format(i - 1))
    local there = rule and rule.rule_id and ip_groups.rule(group.id, rule.rule_id)
    if rule and not there then why = ("Rule %s is not in this group"):format(tostring(rule.rule_id)) end
    if there and there.type ~= rule.type then why = ("Rule %d is of type %s"):format(rule.rule_id, there.type) end
    if why then
      change.warnings[#change.warnings + 1] = why
    else
      ip_groups.change(group.id, rule.rule_id, rule)
      change.updated[#change.updated + 1] = rules.show(rule, options)
    end
  end
end

return rules
