--- Gives an IP group the rules of a list and no others.

local call = require "scrutinizer.transport.call"
local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local item_results = require "scrutinizer.manage.common.item_results"
local rules = require "scrutinizer.manage.ip_groups.rules"
local syncs = require "scrutinizer.manage.common.syncs"
local wire = require "scrutinizer.wire.ip_groups"

local sync = {}

---@class scrutinizer.SyncedIpGroup
---@field id? integer                     nil: the group does not exist yet (dry)
---@field name string
---@field created boolean                 the group is new, or would be
---@field dry? true                       nothing was changed
---@field added scrutinizer.IpRule[]      each with its id, or with `error` and `code`; when dry without an id
---@field removed scrutinizer.IpRule[]    each with its id; or with `error` and `code`: it is still there
---@field kept scrutinizer.IpRule[]       were there already
---@field left? { add: scrutinizer.IpRule[], remove: scrutinizer.IpRule[] } in `err.partial`: what is not done, or not known to be done. Rules of
---  `added` have no ids there where the group was there before: its rules are not read again

local METHOD = "ip_groups:sync"
local LISTS = { "added", "removed", "kept" }

-- The rules of a list, checked, each once.
local function read_list(list)
  local wanted, seen = {}, {}
  for i = 1, #list do
    local rule, complaint = rules.read(list[i])
    if not rule then return errors.fail("decode", ("%s: entry %d: %s"):format(METHOD, i, complaint)) end
    local key = rules.same(rule)
    if not seen[key] then wanted[#wanted + 1] = rule end
    seen[key] = true
  end
  return wanted
end

-- The rules that a group has. Nil and err also when one of them cannot be read: it could not be compared.
local function present(self, id)
  local list, err = self:rules(id)
  if not list and err.kind ~= "decode" and err.kind ~= "api" then return nil, err end
  if not list then return errors.fail("api", ("%s: the group's rules cannot be read: %s"):format(METHOD, err.message)) end
  for _, rule in ipairs(list) do
    if not rules.same(rule) then
      return errors.fail("api", ("%s: rule %d of the group, of type %s, cannot be read"):format(METHOD, rule.id, check.show(rule.type)))
    end
  end
  return list
end

-- What is to be added, what is to be removed, and what stays.
local function compare(wanted, there)
  local by_key, added, removed, kept = {}, {}, {}, {}
  for _, rule in ipairs(there) do
    local key = rules.same(rule)
    if by_key[key] then removed[#removed + 1] = rule else by_key[key] = rule end -- one of each is enough
  end
  for _, rule in ipairs(wanted) do
    local key = rules.same(rule)
    if by_key[key] then kept[#kept + 1] = by_key[key] else added[#added + 1] = rule end
    by_key[key] = nil
  end
  for _, rule in ipairs(there) do
    if by_key[rules.same(rule)] == rule then removed[#removed + 1] = rule end
  end
  return added, removed, kept
end

-- Sends the changes: rules are added before others are removed. Returns the appliance's warnings; or nil, err and how many were added before. The
-- answers are not read for their rules: those are listed afterwards.
local function change(self, id, added, removed, how)
  local from, warnings = 1, {}
  repeat
    local part, last = {}, from + how.batch > #added
    for i = from, math.min(#added, from + how.batch - 1) do part[#part + 1] = added[i] end
    local gone
    if last and removed[1] then
      gone = {}
      for i, rule in ipairs(removed) do gone[i] = rule.id end
    end
    local answer, err = call.send(self._client, wire.update(id, { add = part[1] and part, remove = gone }), { write = true })
    if answer == nil then return nil, err, from - 1 end
    local said = type(answer) == "table" and answer[wire.answer.warnings]
    for _, warning in ipairs(item_results.is_list(said) and said or {}) do warnings[#warnings + 1] = warning end
    from = from + #part
    if how.on_progress and part[1] then how.on_progress(from - 1, #added) end
  until last
  return warnings
end

-- The rules that were to be added, as the group has them now; and those that were to be removed.
local function confirm(there, added, removed, warnings, mask)
  local by_key, by_id, now, gone = {}, {}, {}, {}
  for _, rule in ipairs(there) do by_key[rules.same(rule)], by_id[rule.id] = rule, true end
  for i, rule in ipairs(added) do
    local found = by_key[rules.same(rule)]
    now[i] = rules.shown(rule, found and found.id)
    if not found then
      local sentence, code = rules.complaint(rule, warnings, mask)
      now[i].error, now[i].code = code == "refused" and sentence or "the group does not have this rule after the call", "refused"
    end
  end
  for i, rule in ipairs(removed) do
    gone[i] = rules.shown(rule, rule.id)
    if by_id[rule.id] then gone[i].error, gone[i].code = "the group still has this rule after the call", "refused" end
  end
  return now, gone
end

-- Rules as results show them, from number `from` to number `to`.
local function part(list, from, to)
  local out = {}
  for i = from, to or #list do out[#out + 1] = rules.shown(list[i], list[i].id) end
  return out
end

local function shown(list) return part(list, 1) end

local function result(out)
  return syncs.result(out, ("%s of %s"):format(METHOD, check.show(out.name)), LISTS)
end

-- Creates the group. Its answer is documented: it confirms each rule.
local function create(hands, name, wanted, how)
  if how.dry then return result { name = name, created = true, dry = true, added = shown(wanted), removed = {}, kept = {} } end
  local group, err = hands.create(METHOD, name, wanted, { batch = how.batch, on_progress = how.on_progress, looks = true })
  if group then return result { id = group.id, name = name, created = true, added = group.rules, removed = {}, kept = {} } end
  local made = err.partial or { rules = {} }
  local out = result { id = made.id, name = name, created = made.id ~= nil, added = made.rules, removed = {}, kept = {} }
  return syncs.broke_off(err, out, LISTS, { add = part(wanted, #made.rules + 1), remove = {} })
end

-- Changes a group that exists.
local function update(self, group, wanted, how)
  local there, err = present(self, group.id)
  if not there then return nil, err end
  local added, removed, kept = compare(wanted, there)
  local out = result { id = group.id, name = group.name, created = false, dry = how.dry or nil, added = shown(added), removed = shown(removed),
    kept = shown(kept) }
  if how.dry or #added + #removed == 0 then return out end
  local warnings, count
  warnings, err, count = change(self, group.id, added, removed, how)
  if not warnings then
    out.added, out.removed = part(added, 1, count), {}
    return syncs.broke_off(err, out, LISTS, { add = part(added, count + 1), remove = shown(removed) })
  end
  there, err = present(self, group.id)
  if not there then return syncs.broke_off(err, out, LISTS, { add = {}, remove = {} }) end
  out.added, out.removed = confirm(there, added, removed, warnings, self._client._private.mask)
  return out
end

-- The group with this id or name; nil without err: no group has this name.
local function find(self, who)
  if type(who) == "string" then
    local group, err = self:find(who)
    return group, err
  end
  local all, err = self:list()
  if not all then return nil, err end
  for _, group in ipairs(all) do
    if group.id == who then return group end
  end
  return errors.fail("api", ("%s: no IP group has the id %d"):format(METHOD, who), { code = "missing" })
end

--- See `client.ip_groups:sync`.
function sync.run(self, hands, who, list, how)
  local wanted, err = read_list(list)
  if not wanted then return nil, err end
  local ok
  ok, err = hands.resolve_children(METHOD, wanted)
  if not ok then return nil, err end
  wanted, err = read_list(wanted) -- a child group may be there by name and by id
  if not wanted then return nil, err end
  local group
  group, err = find(self, who)
  if err then return nil, err end
  local out
  if group then
    out, err = update(self, group, wanted, how)
  else
    out, err = create(hands, who, wanted, how)
  end
  return out, err
end

return sync
