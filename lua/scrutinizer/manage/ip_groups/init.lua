--- `client.ip_groups`: groups of addresses, defined by rules. Reports can be filtered by them.

local call = require "scrutinizer.transport.call"
local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local item_fields = require "scrutinizer.manage.common.item_fields"
local listing = require "scrutinizer.listing"
local lists = require "scrutinizer.manage.ip_groups.lists"
local object_lists = require "scrutinizer.manage.common.object_lists"
local item_results = require "scrutinizer.manage.common.item_results"
local rules = require "scrutinizer.manage.ip_groups.rules"
local sync = require "scrutinizer.manage.ip_groups.sync"
local wire = require "scrutinizer.wire.ip_groups"

---@class scrutinizer.IpGroup
---@field id integer
---@field name string
---@field rules? scrutinizer.IpRule[]     the rules that were sent, in the order given, each with its id or with `error`
---@field changed? scrutinizer.IpRule[]   update: the rules of `change`
---@field removed? { id: integer, error?: string, code?: scrutinizer.ItemCode }[] update: the rules of `remove`
---@field warnings? string[]              the appliance's warnings, if any
---@field created? boolean                from_list, from_csv: true if the group is new

---@class scrutinizer.IpGroups
---@field private _client scrutinizer.Client
local methods = {}
local IpGroups = { __index = methods, __name = "scrutinizer.IpGroups" }

local WHO = "the group's id (a whole number) or name (a text)"

-- The most rules per request.
local BATCH = 1000

--- All IP groups.
---@return { id: integer, name: string }[]?
---@return scrutinizer.Error? err
function methods:list()
  local list, err = object_lists.list(self._client, "ip_groups:list", wire.list(), { id = "id", name = "name" })
  if list then return listing.result("IP groups", { "id", "name" }, list) end
  if err.kind ~= "api" then return nil, err end
  -- Not every version has that page. Of the other page only the name is documented.
  local tree = object_lists.list(self._client, "ip_groups:list", wire.tree(), { id = wire.answer.id, name = wire.answer.name }, "results")
  return listing.result("IP groups", { "id", "name" }, tree, err)
end

-- The ids of all groups by name: { [name] = { ids } }; or nil and err.
local function ids_by_name(self)
  local all, err = self:list()
  if not all then return nil, err end
  local map = {}
  for _, group in ipairs(all) do
    map[group.name] = map[group.name] or {}
    table.insert(map[group.name], group.id)
  end
  return map
end

--- One IP group by its name. Case matters.
---@param name string
---@return { id: integer, name: string }? group nil without err: there is no such group
---@return scrutinizer.Error? err also if several groups have this name
function methods:find(name)
  if not item_fields.text(name) then error(check.message("ip_groups:find", name, "a group's name"), 2) end
  local map, err = ids_by_name(self)
  if not map then return nil, err end
  local ids = map[name]
  if not ids then return nil end
  if #ids > 1 then return object_lists.ambiguous("ip_groups:find", "IP groups", name, ids) end
  return listing.one("IP group", { id = ids[1], name = name })
end

--- Looks names of groups up: for queries and rules.
---@private
---@return fun(method: string, name: string): integer?, scrutinizer.Error? finder
function methods:_finder()
  return object_lists.finder(self, "IP group")
end

-- The rules in these lists whose child group is given by name.
local function named_children(lists_of_rules)
  local found = {}
  for _, list in ipairs(lists_of_rules) do
    for _, rule in ipairs(list) do
      if rule.group_name then found[#found + 1] = rule end
    end
  end
  return found
end

-- Replaces names of child groups by ids. Returns true, or nil and err.
local function resolve_children(self, method, ...)
  local finder = self:_finder()
  for _, rule in ipairs(named_children { ... }) do
    local id, err = finder(method, rule.group_name)
    if not id then return nil, err end
    rule.group, rule.group_name = id, nil
  end
  return true
end

-- The answer's warnings as texts; nil if there are none.
local function said_besides(warnings, mask)
  local list = {}
  for i, warning in ipairs(warnings) do list[i] = item_results.said(warning, mask) end
  return list[1] and list or nil
end

local function list_in(answer, name)
  return item_results.is_list(answer[name]) and answer[name] or {}
end

-- The group in an answer; or nil and err.
local function group_in(method, answer)
  local id = type(answer) == "table" and item_results.whole(answer[wire.answer.id])
  if not id then return item_results.malformed(method, "fc_id, the group's id") end
  return lists.shown { id = id, name = type(answer[wire.answer.name]) == "string" and answer[wire.answer.name] or nil }
end

-- Creates a group with its first rules, or sends one update (then `id` is the group's). Returns the group; each of these rules has its id or `error`.
local function save(self, method, form, add, id)
  local answer, err = call.send(self._client, form, { write = true })
  if answer == nil then return nil, err end
  local group
  group, err = group_in(method, answer)
  if not group then return nil, err end
  if id and group.id ~= id then return item_results.malformed(method, "the group that it was sent for") end
  local mask, warnings = self._client._private.mask, list_in(answer, wire.answer.warnings)
  group.rules = rules.confirm(add, list_in(answer, wire.answer.added), warnings, mask)
  group.warnings = said_besides(warnings, mask)
  return group, answer, mask
end

local function slice(list, from, count)
  local part = {}
  for i = from, math.min(#list, from + count - 1) do part[#part + 1] = list[i] end
  return part
end

local function append(list, more)
  for _, item in ipairs(more or {}) do list[#list + 1] = item end
end

-- Adds the rules from number `from` on to an existing group, batch by batch. On an error, `err.partial` is the group so far.
local function add_batches(self, method, group, list, from, how)
  while from <= #list do
    local part = slice(list, from, how.batch)
    local done, err = save(self, method, wire.update(group.id, { add = part }), part, group.id)
    if not done then
      if group.rules[1] then
        -- The whole call again would send the first batches twice, unless it looks which rules there are.
        err.partial, err.retryable = group, (how.looks and err.retryable) or false
      end
      return nil, err
    end
    append(group.rules, done.rules)
    if done.warnings then
      group.warnings = group.warnings or {}
      append(group.warnings, done.warnings)
    end
    from = from + #part
    if how.on_progress then how.on_progress(from - 1, #list) end
  end
  return group
end

-- Creates a group with all these rules.
local function create(self, method, name, list, how)
  local first = slice(list, 1, how.batch)
  local group, err = save(self, method, wire.create(name, first), first)
  if not group then return nil, err end
  group.name = group.name or name
  if how.on_progress then how.on_progress(#first, #list) end
  return add_batches(self, method, group, list, #first + 1, how)
end

--- Creates an IP group. Rules beyond the first 1,000 are sent in further requests. If one of these fails, `err.partial` is the group so far, with
--- the rules sent before.
---@param name string
---@param list (string|table)[] rules: "10.1.1.1", "10.0.0.0/8", "10.1.1.1-10.1.1.9", "10.0.4.0/0.255.0.255" (wildcard mask: bits that are 1 are
---  ignored), or tables: { type = "ip", address = }, { type = "range", from =, to = }, { type = "network", address =, length = },
---  { type = "wildcard", address =, mask = }, { type = "child", group = id or name }, { type = "ipall" }. IPv6 addresses are sent as written
---@return scrutinizer.IpGroup? group
---@return scrutinizer.Error? err
function methods:create(name, list)
  if not item_fields.text(name) then error(check.message("ip_groups:create", name, "a name for the group"), 2) end
  local read, complaint = rules.read_all("ip_groups:create", list)
  if not read then error(complaint, 2) end
  local ok, err = resolve_children(self, "ip_groups:create", read)
  if not ok then return nil, err end
  return errors.result(create(self, "ip_groups:create", name, read, { batch = BATCH }))
end

local function read_ids(where, list)
  local ids, complaint = item_fields.each(where, list, "rules' ids", function(place, value)
    local id = check.digits(type(value) == "table" and value.id or value, 1)
    if not id then return nil, check.message(place, value, "a rule's id, a whole number, or a rule from a result") end
    return id
  end, function(id) return id end)
  return ids, complaint
end

local UPDATE = { name = true, add = true, change = true, remove = true }

-- Checks the argument of `update`. Returns a copy; or nil and the complaint.
local function read_change(given)
  if type(given) ~= "table" or next(given) == nil then
    return nil, check.message("ip_groups:update", given, "a table with name, add, change, remove")
  end
  for key in next, given do
    if not UPDATE[key] then return nil, check.message("ip_groups:update: field", key, "name, add, change, remove") end
  end
  local change = { name = given.name }
  local complaint
  if given.name ~= nil and not item_fields.text(given.name) then
    return nil, check.message("ip_groups:update: name", given.name, "the group's new name")
  end
  for _, key in ipairs { "add", "change" } do
    if given[key] ~= nil then
      change[key], complaint = rules.read_all("ip_groups:update: " .. key, given[key])
      if not change[key] then return nil, complaint end
    end
  end
  for i, rule in ipairs(change.change or {}) do
    rule.id = check.digits(rule.id, 1)
    if not rule.id then return nil, ("ip_groups:update: change: rule %d needs the id of the rule that it changes"):format(i) end
  end
  if given.remove ~= nil then
    change.remove, complaint = read_ids("ip_groups:update: remove", given.remove)
    if not change.remove then return nil, complaint end
  end
  return change
end

-- The rules of `change` with their ids. A rule that is not in the answer's `updated` has `error`.
local function judge_changed(change, answer, mask)
  local there, out = {}, {}
  for _, entry in ipairs(list_in(answer, wire.answer.updated)) do
    local id = item_results.whole(type(entry) == "table" and entry[wire.answer.rule] or entry)
    if id then there[id] = true end
  end
  local warnings = list_in(answer, wire.answer.warnings)
  for i, rule in ipairs(rules.confirm(change, {}, warnings, mask)) do
    rule.id = change[i].id
    if there[rule.id] then rule.error, rule.code = nil, nil end
    out[i] = rule
  end
  return out
end

local function judge_removed(ids, answer)
  local there, out = {}, {}
  for _, entry in ipairs(list_in(answer, wire.answer.removed)) do
    local id = item_results.whole(type(entry) == "table" and entry[wire.answer.rule] or entry)
    if id then there[id] = true end
  end
  for i, id in ipairs(ids) do
    out[i] = { id = id }
    if not there[id] then out[i].error, out[i].code = "the answer does not confirm that it was removed", "unconfirmed" end
  end
  return out
end

--- Changes an IP group's name and rules. A rule's type cannot be changed: remove the rule and add another. Unverified: no source shows the answer
--- to this call. It is assumed to be like that of `create`; each rule that it does not confirm has `error`.
---@param who integer|string the group's id or name
---@param given { name?: string, add?: (string|table)[], change?: table[], remove?: (integer|table)[] } add: rules as in `create`; change: rules
---  as tables with the rule's `id`; remove: rules' ids, or rules from a result
---@return scrutinizer.IpGroup? group `rules`: those of `add`; `changed`, `removed`
---@return scrutinizer.Error? err
function methods:update(who, given)
  local reference = object_lists.who(who, 1)
  if not reference then error(check.message("ip_groups:update", who, WHO), 2) end
  local change, complaint = read_change(given)
  if not change then error(complaint, 2) end
  local group_id, err = object_lists.look_up(self, "ip_groups:update", "IP group", reference)
  if not group_id then return nil, err end
  local ok
  ok, err = resolve_children(self, "ip_groups:update", change.add or {}, change.change or {})
  if not ok then return nil, err end
  local all = change.add
  change.add = all and slice(all, 1, BATCH)
  local group, answer, mask = save(self, "ip_groups:update", wire.update(group_id, change), change.add or {}, group_id)
  if not group then return nil, answer end
  group.name = group.name or change.name
  if change.change then group.changed = judge_changed(change.change, answer, mask) end
  if change.remove then group.removed = judge_removed(change.remove, answer) end
  if all and #all > BATCH then return add_batches(self, "ip_groups:update", group, all, BATCH + 1, { batch = BATCH }) end
  return group
end

-- The result for a group given by name; with `error` if no group or several groups have the name.
local function result_of(name, ids)
  if not ids then return { name = name, error = "no IP group has this name", code = "missing" } end
  if #ids > 1 then return { name = name, error = ("%d IP groups have this name: use the id of one"):format(#ids), code = "ambiguous" } end
  return { id = ids[1], name = name }
end

-- Results, in order, for a list of ids and names.
local function resolve(self, who)
  local out, map = {}, nil
  for i, one in ipairs(who) do
    if type(one) == "string" and not map then
      local all, err = ids_by_name(self)
      if not all then return nil, err end
      map = all
    end
    out[i] = type(one) == "number" and { id = one } or result_of(one, map[one])
  end
  return out
end

-- Sets `error` for each group that the answer does not show as removed.
local function judge_deleted(out, answer, mask)
  local gone = {}
  for _, id in ipairs(answer.removed) do gone[item_results.whole(id) or false] = true end
  for _, result in ipairs(out) do
    if not result.error and not gone[result.id] then
      result.error = item_results.said("the answer does not confirm that it was removed; it contains: " .. item_results.text(answer), mask)
      result.code = "unconfirmed"
    end
  end
  return out
end

--- Deletes IP groups, by id (numbers) or name (texts). Names are looked up first.
---@param list (integer|string)[]
---@return { id?: integer, name?: string, error?: string, code?: scrutinizer.ItemCode }[]? results in the order given
---@return scrutinizer.Error? err
function methods:delete(list)
  local who, complaint = item_fields.references("ip_groups:delete", list)
  if not who then error(complaint, 2) end
  local out, err = resolve(self, who)
  if not out then return nil, err end
  local ids = {}
  for _, result in ipairs(out) do
    if not result.error then ids[#ids + 1] = result.id end
  end
  out = listing.of(out, "IP groups", { "id", "name", "code", "error" })
  if #ids == 0 then return out end
  local answer
  answer, err = call.send(self._client, wire.delete(ids), { write = true })
  if answer == nil then return nil, err end
  if type(answer) ~= "table" or not item_results.is_list(answer.removed) then
    return item_results.malformed("ip_groups:delete", "a list 'removed'")
  end
  return judge_deleted(out, answer, self._client._private.mask)
end

--- The rules of an IP group. Unverified: the appliance has this call, but no source shows its fields or answer.
---@param who integer|string the group's id or name
---@return scrutinizer.IpRule[]?
---@return scrutinizer.Error? err
function methods:rules(who)
  local reference = object_lists.who(who, 1)
  if not reference then error(check.message("ip_groups:rules", who, WHO), 2) end
  local group_id, err = object_lists.look_up(self, "ip_groups:rules", "IP group", reference)
  if not group_id then return nil, err end
  local answer
  answer, err = call.send(self._client, wire.rules(group_id))
  if answer == nil then return nil, err end
  local entries = item_results.is_list(answer) and next(answer) ~= nil and answer or nil
  for _, name in ipairs(wire.RULE_LISTS) do
    if not entries and type(answer) == "table" and item_results.is_list(answer[name]) then entries = answer[name] end
  end
  local list = entries and rules.answered(entries)
  if not list then return errors.fail("decode", "ip_groups:rules: the answer lacks a list of rules", { status = 200 }) end
  return listing.result("rules", {}, list)
end

-- The functions that lists.lua needs.
local function hands(self)
  return {
    there = function() return ids_by_name(self) end,
    create = function(method, name, list, how) return create(self, method, name, list, how) end,
    add = function(method, group, list, how) return add_batches(self, method, group, list, 1, how) end,
    resolve_children = function(method, list) return resolve_children(self, method, list) end,
  }
end

--- Adds a list of rules to the IP group of this name; creates the group if it does not exist. A rule that the group has already is
--- added again: `sync` adds what is missing. Rules are sent in batches; writes are never retried.
---@param name string
---@param list (string|table)[] rules as in `create`; duplicates are sent once
---@param options? { create?: boolean, batch?: integer, on_progress?: fun(done: integer, all: integer) } create = false: a missing group is an
---  error; batch: rules per request, 1 to 100,000 (default 1,000)
---@return scrutinizer.IpGroup? group with `created`, and `rules`: the rules sent, each with its id or with `error`
---@return scrutinizer.Error? err kind `decode`: a wrong entry of the list, nothing was sent; or the call failed: `err.partial` is the group so far
function methods:from_list(name, list, options)
  if not item_fields.text(name) then error(check.message("ip_groups:from_list", name, "the group's name"), 2) end
  if type(list) ~= "table" then error(check.message("ip_groups:from_list", list, "a list of rules: " .. rules.ALLOWED), 2) end
  local how, complaint = lists.options("ip_groups:from_list", options, BATCH)
  if not how then error(complaint, 2) end
  return errors.result(lists.from_list(hands(self), name, list, how))
end

-- Refuses a map: it would count as an empty list, and an empty list removes all rules.
local function is_list(value)
  if type(value) ~= "table" then return false end
  for key in next, value do
    if not check.integer(key, 1, #value) then return false end
  end
  return true
end

--- Gives an IP group these rules and no others; creates it if no group has this name. The rules that it has are read first (unverified,
--- see `rules`), and again after the change: the result tells for each rule what was done. When they cannot be read, nothing is sent.
---@param who integer|string the id of an existing group, or a group's name
---@param list (string|table)[] rules as in `create`; duplicates count once
---@param options? { dry?: boolean, batch?: integer, on_progress?: fun(done: integer, all: integer) } dry = true: nothing is changed, the result
---  tells what would be done; batch: rules per request, 1 to 100,000 (default 1,000)
---@return scrutinizer.SyncedIpGroup? group
---@return scrutinizer.Error? err kind `decode`: a wrong entry of the list, nothing was sent; `api`: the group's rules cannot be read, several groups
---  have the name, or the appliance refused. When a call failed half-way, its message and `err.partial` say what was done before, and what is left;
---  run the sync again: what was done then counts as kept
function methods:sync(who, list, options)
  local group = object_lists.who(who, 1)
  if not group then error(check.message("ip_groups:sync", who, WHO), 2) end
  if not is_list(list) then error(check.message("ip_groups:sync", list, "a list of rules: " .. rules.ALLOWED), 2) end
  local how, complaint = lists.options("ip_groups:sync", options, BATCH, true)
  if not how then error(complaint, 2) end
  return errors.result(sync.run(self, hands(self), group, list, how))
end

--- Reads CSV lines `name,rule`, and adds each group's rules to the IP group of that name; creates missing groups. A rule is a text as in
--- `create`, or `group:NAME` for a child group, by name (also where that is digits), which may be in the same file. Empty lines, lines that
--- begin with `#` and a first line `name,…` are skipped. Nothing is sent if any line is wrong.
---@param source string|{ text: string } a file's path, or the text itself
---@param options? { create?: boolean, batch?: integer, on_progress?: fun(done: integer, all: integer) } as in `from_list`
---@return (scrutinizer.IpGroup|{ name: string, error: string, code: scrutinizer.ItemCode })[]? groups in the order of their first lines
---@return scrutinizer.Error? err kind `decode`: a wrong line; `file`: the file cannot be read; or a call failed: `err.partial` has what was done
function methods:from_csv(source, options)
  local text = type(source) == "table" and source.text
  if type(text) ~= "string" and type(source) ~= "string" then
    error(check.message("ip_groups:from_csv", source, "a file's path, or { text = … }"), 2)
  end
  local how, complaint = lists.options("ip_groups:from_csv", options, BATCH)
  if not how then error(complaint, 2) end
  return errors.result(lists.from_csv(hands(self), source, how))
end

return { new = function(client) return setmetatable({ _client = client }, IpGroups) end }
