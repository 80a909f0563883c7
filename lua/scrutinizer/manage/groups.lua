--- `client.groups`: usergroups, their members and permissions. Methods take lists and return one result per item, in the order given.

local accounts = require "scrutinizer.manage.common.accounts"
local check = require "scrutinizer.check"
local item_fields = require "scrutinizer.manage.common.item_fields"
local listing = require "scrutinizer.listing"
local suggest = require "scrutinizer.suggest"
local item_results = require "scrutinizer.manage.common.item_results"
local syncs = require "scrutinizer.manage.common.syncs"
local wire = require "scrutinizer.wire.accounts"

---@class scrutinizer.Groups
---@field private _client scrutinizer.Client
local methods = {}
local Groups = { __index = methods, __name = "scrutinizer.Groups" }

local GROUP = {
  name = item_fields.NAME,
  template = { read = item_fields.id, allowed = "the id of the usergroup whose permissions are copied", required = true },
  users = { read = item_fields.list_of(item_fields.id_or_name), allowed = "a list of users' ids and names" },
}

local function members_of(entry)
  local members = {}
  for _, id in ipairs(type(entry.members) == "table" and entry.members or {}) do members[#members + 1] = item_results.whole(id) end
  return members
end

-- The users requested by id that the answer does not show as members.
local function missing_of(group, members)
  local there, missing = {}, {}
  for _, id in ipairs(members) do there[id] = true end
  for _, who in ipairs(group.users or {}) do
    if type(who) == "number" and not there[who] then missing[#missing + 1] = who end
  end
  return missing[1] and missing or nil
end

local CREATE = accounts.made(function(group, entry)
  if not entry then return { name = group.name } end
  local members = members_of(entry)
  return { id = item_results.whole(entry.id), name = group.name, members = members, missing = missing_of(group, members) }
end)

--- Creates usergroups.
---@param list { name: string, template: integer, users?: (integer|string)[] }[] template: id of the group whose permissions are copied
---@return { id?: integer, name: string, members?: integer[], missing?: integer[], error?: string, code?: scrutinizer.ItemCode }[]? results in the
---  order given. `members`: ids
---  of its users; `missing`: requested ids that are not among them
---@return scrutinizer.Error? err
function methods:create(list)
  local groups, complaint = item_fields.named("groups:create", list, GROUP, "usergroups, { name =, template = 1, users = {} }")
  if not groups then error(complaint, 2) end
  return listing.result("usergroups", { "id", "name", "members", "missing", "code", "error" },
    accounts.change(self._client, "groups:create", groups, wire.create_groups, CREATE))
end

--- Deletes usergroups, by id (numbers) or name (texts). Unverified: no source shows the JSON of this call or its answer; both are assumed to
--- be like those of `users:delete`.
---@param list (integer|string)[]
---@return { id?: integer, name?: string, error?: string, code?: scrutinizer.ItemCode }[]? results in the order given
---@return scrutinizer.Error? err
function methods:delete(list)
  local who, complaint = item_fields.references("groups:delete", list)
  if not who then error(complaint, 2) end
  return listing.result("usergroups", { "id", "name", "code", "error" },
    accounts.delete(self._client, "groups:delete", who, wire.delete_groups, wire.said.deleted_group))
end

local MEMBER = { user = item_fields.WHO, group = item_fields.WHO }

local function change_members(self, method, key, list)
  local pairs_given, complaint = item_fields.plain(method, list, MEMBER, "pairs, { user =, group = }")
  if not pairs_given then error(complaint, 3) end
  return accounts.change_members(self._client, method, key, pairs_given)
end

--- Adds users to usergroups, each by id (a number) or name (a text). An item has succeeded if the appliance confirms it with the same id or name.
--- If a user is given by name and the appliance answers with an id, the item's `error` is that answer.
---@param list { user: integer|string, group: integer|string }[]
---@return { user: integer|string, group: integer|string, error?: string, code?: scrutinizer.ItemCode }[]? results in the order given
---@return scrutinizer.Error? err
function methods:add_members(list)
  return listing.result("members", { "user", "group", "code", "error" }, change_members(self, "groups:add_members", "add", list))
end

--- Removes users from usergroups; otherwise like `add_members`.
---@param list { user: integer|string, group: integer|string }[]
---@return { user: integer|string, group: integer|string, error?: string, code?: scrutinizer.ItemCode }[]? results in the order given
---@return scrutinizer.Error? err
function methods:remove_members(list)
  return listing.result("members", { "user", "group", "code", "error" }, change_members(self, "groups:remove_members", "remove", list))
end

-- The pairs of one group with these users.
local function with_group(group, users)
  local list = {}
  for i, user in ipairs(users) do list[i] = { user = user, group = group } end
  return list
end

---@class scrutinizer.SyncedMembers lists of { user =, group = }, as given
---@field added table[]
---@field kept table[]    were in it already
---@field removed table[]
---@field absent table[]  of `gone`: were not in it; also users that do not exist (any more)
---@field failed table[]  with `error` and `code`: also of `gone`, where the answer does not say that the user is not in it
---@field left? { add: table[], remove: table[] } in `err.partial`: what is not done, or not known to be done

local LISTS = { "added", "kept", "removed", "absent", "failed" }

-- Whether the user is surely not in the group, by the result of removing the user: it is not a member, or there is no such user. If the group
-- is missing, the answer is false.
local function is_out(result)
  if result.code == "not_member" then return true end
  return result.code == "missing" and item_results.mentions(result.error, result.user) and not item_results.mentions(result.error, result.group)
end

-- Adds, then removes. Returns true, or nil and err.
local function run_sync(self, wanted, gone, out)
  local left = { add = wanted, remove = gone }
  local results, err = accounts.change_members(self._client, "groups:sync_members", "add", wanted)
  if not results then return syncs.broke_off(err, out, LISTS, left) end
  syncs.sort(out, results, "added", "kept", function(result) return result.code == "exists" end)
  left.add = {}
  results, err = accounts.change_members(self._client, "groups:sync_members", "remove", gone)
  if not results then return syncs.broke_off(err, out, LISTS, left) end
  syncs.sort(out, results, "removed", "absent", is_out)
  return true
end

--- Puts these users into a usergroup, and those of `gone` out of it. The appliance has no call that lists a group's members: users that are in
--- neither list stay as they are, and what would be done (`dry`) cannot be known, which is an error.
---@param group integer|string
---@param users (integer|string)[]
---@param options { gone: (integer|string)[], dry?: boolean } gone: users to remove from it; {} for nobody
---@return scrutinizer.SyncedMembers? result
---@return scrutinizer.Error? err when a call failed, its message and `err.partial` say what was done before, and what is left
function methods:sync_members(group, users, options)
  local which = item_fields.id_or_name(group)
  if not which then error(check.message("groups:sync_members", group, item_fields.WHO.allowed), 2) end
  local wanted, complaint = item_fields.references("groups:sync_members", users)
  if not wanted then error(complaint, 2) end
  local gone, err = syncs.options("groups:sync_members", "a group's members", options, function(list)
    return item_fields.apart("groups:sync_members: gone", list, wanted)
  end, 2)
  if not gone then return nil, err end
  local out = syncs.result({ added = {}, kept = {}, removed = {}, absent = {}, failed = {} },
    "groups:sync_members of " .. check.show(which), LISTS)
  local ok
  ok, err = run_sync(self, with_group(which, wanted), with_group(which, gone), out)
  if not ok then return nil, err end
  return out
end

local HEX = "eight hex digits of the device's IPv4 address, as 0A010107"

-- The format of a permission's code, by type. Codes of other types may be any text.
local CODES = {
  device = { "^%x%x%x%x%x%x%x%x$", HEX },
  interface = { "^%x%x%x%x%x%x%x%x%-%d+$", HEX .. ", a hyphen and the interface's number" },
  group = { "%S", "a device group's id or name" },
  report = { "^%d+$", "a saved report's id" },
  gadget = { ".", "a gadget's id, as welcomeGadget" },
  thirdparty = { ".", "the id of a third-party link" },
  bboard = { ".", "a bulletin board's id" },
  plixer = { ".", "a feature's code, as adminTab, statusTab, viewUserIdentity, allGadgets" },
}

local function read_type(value)
  if not item_fields.text(value) then return nil end
  local hint = not CODES[value] and suggest.did_you_mean(suggest.nearest(value, CODES)) or nil
  if hint then return nil, hint end
  return value
end

local PERMISSION = {
  group = item_fields.WHO,
  type = { read = read_type, allowed = table.concat(check.sorted_keys(CODES), ", ") .. ", or a name of your appliance", required = true },
  code = { read = item_fields.id_or_name, allowed = "text, or an id (a number)", required = true },
}

local function code_text(code) return type(code) == "number" and ("%d"):format(code) or code end

local function check_codes(method, list)
  for i, item in ipairs(list) do
    local known = CODES[item.type]
    if known and not code_text(item.code):find(known[1]) then
      return nil, check.message(("%s: item %d: code of a %s"):format(method, i, item.type), item.code, known[2])
    end
  end
  return list
end

-- Makes each code the text that is sent: names of device groups are looked up. Returns the list; or nil and err.
local function look_up_codes(client, method, list)
  local finder
  for _, item in ipairs(list) do
    if item.type == "group" and type(item.code) == "string" then
      finder = finder or client.device_groups:_finder()
      local id, err = finder(method, item.code)
      if not id then return nil, err end
      item.code = id
    end
    item.code = code_text(item.code)
  end
  return list
end

local function change_permissions(self, method, key, list)
  local given, complaint = item_fields.plain(method, list, PERMISSION, "permissions, { group =, type =, code = }")
  if given then given, complaint = check_codes(method, given) end
  if not given then error(complaint, 3) end
  local err
  given, err = look_up_codes(self._client, method, given)
  if not given then return nil, err end
  local judge = accounts.about(function(item) return { group = item.group, type = item.type, code = item.code } end)
  function judge.success(item, sentence) return wire.said.permission(key, item, sentence) end
  function judge.concerns(item, sentence) return item_results.mentions(sentence, item.code) or item_results.mentions(sentence, item.group) end
  return accounts.change(self._client, method, given, function(all) return wire.permissions(key, all) end, judge, { sentences = { "updated" } })
end

--- Grants permissions to usergroups. `type` says what `code` is: device (hex address, 0A010107), interface (0A010107-1), group (device group's
--- id, a number, or name, a text), report (saved report's id), gadget, thirdparty, bboard (ids), plixer (a feature's code such as adminTab).
--- Other types are not checked.
---@param list { group: integer|string, type: string, code: string|integer }[]
---@return { group: integer|string, type: string, code: string, error?: string, error_code?: scrutinizer.ItemCode }[]? results in the order given
---@return scrutinizer.Error? err
function methods:grant(list)
  return listing.result("permissions", { "group", "type", "code", "error_code", "error" }, change_permissions(self, "groups:grant", "add", list))
end

--- Revokes permissions of usergroups; otherwise like `grant`.
---@param list { group: integer|string, type: string, code: string|integer }[]
---@return { group: integer|string, type: string, code: string, error?: string, error_code?: scrutinizer.ItemCode }[]? results in the order given
---@return scrutinizer.Error? err
function methods:revoke(list)
  return listing.result("permissions", { "group", "type", "code", "error_code", "error" }, change_permissions(self, "groups:revoke", "remove", list))
end

return { new = function(client) return setmetatable({ _client = client }, Groups) end }
