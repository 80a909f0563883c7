--- `client.users`: creates, renames and deletes users, sets their preferences. Lists in, one result per item out, in the order given.

local accounts = require "scrutinizer.manage.common.accounts"
local check = require "scrutinizer.check"
local item_codes = require "scrutinizer.wire.item_codes"
local item_fields = require "scrutinizer.manage.common.item_fields"
local item_results = require "scrutinizer.manage.common.item_results"
local listing = require "scrutinizer.listing"
local syncs = require "scrutinizer.manage.common.syncs"
local wire = require "scrutinizer.wire.accounts"

---@class scrutinizer.Users
---@field private _client scrutinizer.Client
local methods = {}
local Users = { __index = methods, __name = "scrutinizer.Users" }

local USER = {
  name = item_fields.NAME,
  password = { read = item_fields.text, allowed = "text in UTF-8", required = true, secret = true },
  groups = { read = item_fields.list_of(item_fields.id_or_name), allowed = "a list of usergroups' ids and names (1: Administrators, 2: Guests)" },
}

local CREATE = accounts.made(function(user, entry) return { id = entry and item_results.whole(entry.id), name = user.name } end)

-- The fields of a result, as it prints them.
local RESULT = { "id", "name", "code", "error" }

local function read_users(method, list)
  return item_fields.named(method, list, USER, 'users, { name =, password =, groups = { 1, "Guests" } }')
end

-- A user's groups that are given by id, or by name.
local function groups_by(kind, user)
  local list = {}
  for _, group in ipairs(user.groups or {}) do
    if type(group) == kind then list[#list + 1] = group end
  end
  return list
end

-- Users as createUser takes them: it takes groups' ids only.
local function with_ids(users)
  local list = {}
  for i, user in ipairs(users) do list[i] = { name = user.name, password = user.password, groups = groups_by("number", user) } end
  return list
end

-- Adds the new users to their groups that were given by name. A user that is then not in all of them has `error`, beside its id.
local function join_named(self, method, users, made)
  local members, of = {}, {}
  for i, user in ipairs(users) do
    for _, group in ipairs(made[i].error and {} or groups_by("string", user)) do
      members[#members + 1], of[#of + 1] = { user = made[i].id, group = group }, made[i]
    end
  end
  local joined, err = accounts.change_members(self._client, method, "add", members)
  for i, result in ipairs(of) do
    local sentence, code = err and err.message, err and "unconfirmed"
    if joined then sentence, code = joined[i].error, joined[i].code end
    if sentence and not result.error then
      result.error, result.code = ("the user was created, but is not in group %s: %s"):format(check.show(members[i].group), sentence), code
    end
  end
end

local function create(self, method, users)
  local secrets = {}
  for i, user in ipairs(users) do secrets[i] = user.password end
  local made, err = accounts.change(self._client, method, with_ids(users), wire.create_users, CREATE, { secrets = secrets })
  if not made then return nil, err end
  join_named(self, method, users, made)
  return made
end

--- Creates users. If an item fails (its name exists already, its group does not exist, …) it has `error` and `code`; the other users are created.
--- Groups that are given by name are joined in a second call: if that fails, the item has `error` beside the `id` of the user, which was made.
---@param list { name: string, password: string, groups?: (integer|string)[] }[] groups: usergroups (by default 1 is Administrators, 2 Guests)
---@return { id?: integer, name: string, error?: string, code?: scrutinizer.ItemCode }[]? results in the order given
---@return scrutinizer.Error? err the whole call failed; it is never retried. No error contains a password
function methods:create(list)
  local users, complaint = read_users("users:create", list)
  if not users then error(complaint, 2) end
  return listing.result("users", RESULT, create(self, "users:create", users))
end

-- The users of a sync that were there before, each with each of its groups.
local function memberships(users, kept)
  local there, list = {}, {}
  for _, result in ipairs(kept) do there[result.name] = true end
  for _, user in ipairs(users) do
    for _, group in ipairs(there[user.name] and user.groups or {}) do list[#list + 1] = { user = user.name, group = group } end
  end
  return list
end

-- A user by id or name, as results show it.
local function referred(one) return type(one) == "number" and { id = one } or { name = one } end

local LISTS = { "created", "kept", "joined", "removed", "absent", "failed" }

local function says(code)
  return function(result) return result.code == code end
end

-- The steps of a sync, each with the lists its results go to. Returns true, or nil and err.
local function run_sync(self, users, gone, out)
  local left = { create = {}, join = {}, remove = {} }
  for i, user in ipairs(users) do left.create[i] = { name = user.name } end
  for i, one in ipairs(gone) do left.remove[i] = referred(one) end
  local results, err = create(self, "users:sync", users)
  if not results then return syncs.broke_off(err, out, LISTS, left) end
  syncs.sort(out, results, "created", "kept", says "exists")
  left.create, left.join = {}, memberships(users, out.kept)
  results, err = accounts.change_members(self._client, "users:sync", "add", left.join)
  if not results then return syncs.broke_off(err, out, LISTS, left) end
  local in_group = { joined = out.joined, in_group = {}, failed = out.failed }
  syncs.sort(in_group, results, "joined", "in_group", says "exists")
  left.join = {}
  results, err = accounts.delete(self._client, "users:sync", gone, wire.delete_users, wire.said.deleted_user)
  if not results then return syncs.broke_off(err, out, LISTS, left) end
  syncs.sort(out, results, "removed", "absent", says "missing")
  return true
end

---@class scrutinizer.SyncedUsers
---@field created { id: integer, name: string }[]
---@field kept { name: string }[]                  were there already; their passwords stay
---@field joined { user: string, group: integer|string }[] memberships of kept users that are new
---@field removed { id?: integer, name?: string }[] of `gone`
---@field absent { id?: integer, name?: string }[]  of `gone`: were not there
---@field failed table[]                           with `error` and `code`; with an `id` beside a `name`: a user that was made, but is not in all its
---  groups
---@field left? { create: table[], join: table[], remove: table[] } in `err.partial`: what is not done, or not known to be done

--- Creates the users that are missing, adds each to its groups, and deletes those of `gone`. Existing users keep their password and other
--- groups. The appliance has no call that lists its users: users in neither list stay as they are, and `dry` is an error, because what would
--- change is not known.
---@param list { name: string, password: string, groups?: (integer|string)[] }[]
---@param options { gone: (integer|string)[], dry?: boolean } gone: users to delete; {} for nobody
---@return scrutinizer.SyncedUsers? result
---@return scrutinizer.Error? err when a call failed, its message and `err.partial` say what was done before, and what is left
function methods:sync(list, options)
  local users, complaint = read_users("users:sync", list)
  if not users then error(complaint, 2) end
  local names = {}
  for i, user in ipairs(users) do names[i] = user.name end
  local gone, err = syncs.options("users:sync", "its users", options, function(list_of_gone)
    return item_fields.apart("users:sync: gone", list_of_gone, names)
  end, 2)
  if not gone then return nil, err end
  local out = syncs.result({ created = {}, kept = {}, joined = {}, removed = {}, absent = {}, failed = {} }, "users:sync", LISTS)
  local ok
  ok, err = run_sync(self, users, gone, out)
  if not ok then return nil, err end
  return out
end

--- Deletes users, by id (numbers) or name (texts). For a user that does not exist, the item's `code` is "missing".
---@param list (integer|string)[]
---@return { id?: integer, name?: string, error?: string, code?: scrutinizer.ItemCode }[]? results in the order given
---@return scrutinizer.Error? err
function methods:delete(list)
  local who, complaint = item_fields.references("users:delete", list)
  if not who then error(complaint, 2) end
  return listing.result("users", RESULT, accounts.delete(self._client, "users:delete", who, wire.delete_users, wire.said.deleted_user))
end

--- Renames a user.
---@param who integer|string the user's id or old name
---@param name string the new name
---@return { id?: integer, name?: string, error?: string, code?: scrutinizer.ItemCode }? result `name`: the new name; with `error` the old one, if it
---  was given
---@return scrutinizer.Error? err
function methods:rename(who, name)
  if not item_fields.id_or_name(who) then error(check.message("users:rename", who, item_fields.WHO.allowed), 2) end
  if not item_fields.text(name) then error(check.message("users:rename: new name", name, item_fields.NAME.allowed), 2) end
  local answer, err = accounts.ask(self._client, "users:rename", wire.rename_user(who, name))
  if not answer then return nil, err end
  local id, data = type(who) == "number" and who or nil, answer.data
  if type(data) ~= "table" or data.message == nil then return item_results.malformed("users:rename", "data.message") end
  if wire.said.renamed_user(who, name, data.message) then return listing.one("user", { id = id, name = name }) end
  local sentence = item_results.text(data.message)
  return listing.one("user", { id = id, name = type(who) == "string" and who or nil, code = item_codes.of(sentence, "unconfirmed"),
    error = item_results.said(sentence, self._client._private.mask) })
end

-- The preferences of a map, sorted by name; or nil and the complaint.
local function read_preferences(map)
  if type(map) ~= "table" then return nil, check.message("users:set_preferences", map, "a table such as { language = \"english\" }") end
  for name, setting in next, map do
    if not item_fields.text(name) then return nil, check.message("users:set_preferences: name", name, "a preference's name (text)") end
    if not item_fields.text(setting) and not item_fields.number(setting) then
      return nil, check.message("users:set_preferences: " .. name, setting, "text or a number")
    end
  end
  local list = {}
  for i, name in ipairs(check.sorted_keys(map)) do list[i] = { name = name, setting = map[name] } end
  return list
end

--- Sets preferences of one user. Known names: `statusTopn` (a number), `language` (such as "english"); other names are not checked.
---@param id integer the user's id; the appliance accepts no name here
---@param map table<string, string|number> preference = setting
---@return { name: string, setting: string|number, error?: string, code?: scrutinizer.ItemCode }[]? results sorted by the preferences' names
---@return scrutinizer.Error? err
function methods:set_preferences(id, map)
  local user = item_fields.id(id)
  if not user then error(check.message("users:set_preferences", id, "a user's id, a whole number; the appliance accepts no name here"), 2) end
  local list, complaint = read_preferences(map)
  if not list then error(complaint, 2) end
  local judge = accounts.about(function(one) return { name = one.name, setting = one.setting } end)
  function judge.success(one, sentence) return wire.said.preferred(user, one, sentence) end
  function judge.concerns(one, sentence) return item_results.mentions(sentence, one.name) end
  local set, err = accounts.change(self._client, "users:set_preferences", list,
    function(prefs) return wire.set_preferences(user, prefs) end, judge, { sentences = { "updated" } })
  return listing.result("preferences", { "name", "setting", "code", "error" }, set, err)
end

return { new = function(client) return setmetatable({ _client = client }, Users) end }
