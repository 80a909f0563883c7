--- `client.users`: creates, renames and deletes users, sets their preferences. Lists in, one result per item out, in the order given.

local accounts = require "scrutinizer.manage.common.accounts"
local check = require "scrutinizer.check"
local item_codes = require "scrutinizer.wire.item_codes"
local item_fields = require "scrutinizer.manage.common.item_fields"
local item_results = require "scrutinizer.manage.common.item_results"
local wire = require "scrutinizer.wire.accounts"

---@class scrutinizer.Users
---@field private _client scrutinizer.Client
local methods = {}
local Users = { __index = methods, __name = "scrutinizer.Users" }

local USER = {
  name = item_fields.NAME,
  password = { read = item_fields.text, allowed = "text in UTF-8", required = true, secret = true },
  groups = { read = item_fields.list_of(item_fields.id), allowed = "a list of usergroups' ids (1: Administrators, 2: Guests)" },
}

local CREATE = accounts.made(function(user, entry) return { id = entry and item_results.whole(entry.id), name = user.name } end)

--- Creates users. If an item fails (its name exists already, its group does not exist, …) it has `error` and `code`; the other users are created.
---@param list { name: string, password: string, groups?: integer[] }[] groups: ids of usergroups (by default 1 is Administrators, 2 Guests)
---@return ({ id: integer, name: string }|{ name: string, error: string, code: scrutinizer.ItemCode })[]? results in the order given
---@return scrutinizer.Error? err the whole call failed; it is never retried. No error contains a password
function methods:create(list)
  local users, complaint = item_fields.named("users:create", list, USER, "users, { name =, password =, groups = { 1 } }")
  if not users then error(complaint, 2) end
  local secrets = {}
  for i, user in ipairs(users) do secrets[i] = user.password end
  local made, err = accounts.change(self._client, "users:create", users, wire.create_users, CREATE, { secrets = secrets })
  return made, err
end

--- Deletes users, by id (numbers) or name (texts). For a user that does not exist, the item's `code` is "missing".
---@param list (integer|string)[]
---@return { id?: integer, name?: string, error?: string, code?: scrutinizer.ItemCode }[]? results in the order given
---@return scrutinizer.Error? err
function methods:delete(list)
  local who, complaint = item_fields.references("users:delete", list)
  if not who then error(complaint, 2) end
  local gone, err = accounts.delete(self._client, "users:delete", who, wire.delete_users, wire.said.deleted_user)
  return gone, err
end

--- Renames a user.
---@param who integer|string the user's id or old name
---@param name string the new name
---@return { id?: integer, name?: string, error?: string, code?: scrutinizer.ItemCode }? result `name`: the new name; with `error` the old one, if it was given
---@return scrutinizer.Error? err
function methods:rename(who, name)
  if not item_fields.id_or_name(who) then error(check.message("users:rename", who, item_fields.WHO.allowed), 2) end
  if not item_fields.text(name) then error(check.message("users:rename: new name", name, item_fields.NAME.allowed), 2) end
  local answer, err = accounts.ask(self._client, "users:rename", wire.rename_user(who, name))
  if not answer then return nil, err end
  local id, data = type(who) == "number" and who or nil, answer.data
  if type(data) ~= "table" or data.message == nil then return item_results.malformed("users:rename", "data.message") end
  if wire.said.renamed_user(who, name, data.message) then return { id = id, name = name } end
  local sentence = item_results.text(data.message)
  return { id = id, name = type(who) == "string" and who or nil, code = item_codes.of(sentence, "unconfirmed"),
    error = item_results.said(sentence, self._client._private.mask) }
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
  if not user then error(check.message("users:set_preferences", id, "a user's id, a whole number; the appliance takes no name here"), 2) end
  local list, complaint = read_preferences(map)
  if not list then error(complaint, 2) end
  local judge = accounts.about(function(one) return { name = one.name, setting = one.setting } end)
  function judge.success(one, sentence) return wire.said.preferred(user, one, sentence) end
  function judge.concerns(one, sentence) return item_results.mentions(sentence, one.name) end
  local set, err = accounts.change(self._client, "users:set_preferences", list,
    function(prefs) return wire.set_preferences(user, prefs) end, judge, { sentences = { "updated" } })
  return set, err
end

return { new = function(client) return setmetatable({ _client = client }, Users) end }
