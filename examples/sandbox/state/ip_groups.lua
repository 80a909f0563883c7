-- IP groups and their rules: the state of rm=ipgroups, and the addresses of the flows that match the rules.
local filters = require "sandbox.report.filters"
local store = require "sandbox.state.store"

local ip_groups = {}

--- Restores the initial state.
function ip_groups.reset()
  store.atomic(function()
    for _, name in ipairs { "ip_groups", "ip_group_rules" } do
      store.change("DELETE FROM " .. name)
      store.change(("INSERT INTO %s SELECT * FROM initial_%s"):format(name, name))
    end
    store.change "DELETE FROM ip_group_members"
    store.change "UPDATE sqlite_sequence SET seq = (SELECT max(rule_id) FROM ip_group_rules) WHERE name = 'ip_group_rules'"
  end)
end

function ip_groups.get(id) return store.rows("SELECT id, name FROM ip_groups WHERE id = ?", id)[1] end

function ip_groups.named(name) return store.rows("SELECT id, name FROM ip_groups WHERE name = ?", name) end

function ip_groups.make(name)
  store.change("INSERT INTO ip_groups (name) VALUES (?)", name)
  return store.rows "SELECT last_insert_rowid() AS id"[1].id
end

function ip_groups.rename(id, name) store.change("UPDATE ip_groups SET name = ? WHERE id = ?", name, id) end

--- Returns the number of deleted groups: 1 or 0.
function ip_groups.delete(id)
  for _, name in ipairs { "ip_group_rules", "ip_group_members" } do store.change(("DELETE FROM %s WHERE group_id = ?"):format(name), id) end
  return store.change("DELETE FROM ip_groups WHERE id = ?", id)
end

function ip_groups.rules(id)
  return store.rows("SELECT rule_id, type, address, mask, sip, eip, child_id FROM ip_group_rules WHERE group_id = ? ORDER BY rule_id", id)
end

-- A rule as an SQL condition on `addresses`; nil if it cannot match any.
local function condition(rule)
  local first, last = filters.quads(rule.sip or ""), filters.quads(rule.eip or "")
  local number, mask = filters.quads(rule.address or ""), filters.quads(rule.mask or "")
  if rule.type == "ipall" then return "1" end
  if rule.type == "range" and first and last then return ("number BETWEEN %.0f AND %.0f"):format(first, last) end
  if rule.type == "ip" and number then return ("number = %.0f"):format(number) end
  if rule.type == "ip" then return "ip = " .. store.quote(rule.address:lower()) end
  if rule.type == "network" then
    local made = filters.network(rule.address, tonumber(rule.mask))
    return made and made.column .. " " .. made.test
  end
  if rule.type == "wildcard" and number and mask then
    return ("number >= 0 AND (number & ~%.0f) = (%.0f & ~%.0f)"):format(mask, number, mask)
  end
end

local function join(group, rule)
  local text = condition(rule)
  if text then store.change(("INSERT OR IGNORE INTO ip_group_members SELECT %d, ip FROM addresses WHERE %s"):format(group, text)) end
end

--- Adds a rule; returns its id.
function ip_groups.add(group, rule)
  store.change("INSERT INTO ip_group_rules (group_id, type, address, mask, sip, eip, child_id) VALUES (?, ?, ?, ?, ?, ?, ?)",
    group, rule.type, rule.address, rule.mask, rule.sip, rule.eip, rule.child_id)
  local id = store.rows "SELECT last_insert_rowid() AS id"[1].id
  join(group, rule)
  return id
end

-- Computes a group's members again, after a rule was changed or removed.
local function again(group)
  store.change("DELETE FROM ip_group_members WHERE group_id = ?", group)
  for _, rule in ipairs(ip_groups.rules(group)) do join(group, rule) end
end

function ip_groups.rule(group, rule_id)
  return store.rows("SELECT rule_id, type FROM ip_group_rules WHERE group_id = ? AND rule_id = ?", group, rule_id)[1]
end

function ip_groups.change(group, rule_id, rule)
  store.change("UPDATE ip_group_rules SET address = ?, mask = ?, sip = ?, eip = ?, child_id = ? WHERE rule_id = ?",
    rule.address, rule.mask, rule.sip, rule.eip, rule.child_id, rule_id)
  again(group)
end

--- Removes rules; returns the ids of those that existed.
function ip_groups.remove(group, rule_ids)
  local gone = {}
  for _, id in ipairs(rule_ids) do
    if store.change("DELETE FROM ip_group_rules WHERE group_id = ? AND rule_id = ?", group, id) == 1 then gone[#gone + 1] = id end
  end
  again(group)
  return gone
end

return ip_groups
