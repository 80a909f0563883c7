--- `client.users`: made, renamed, deleted, and how each likes it. Lists in, one result per item out, in the order given.

local accounts = require "scrutinizer.wire.accounts"
local call = require "scrutinizer.call"
local items = require "scrutinizer.items"
local results = require "scrutinizer.results"

---@class scrutinizer.Users
---@field private _client scrutinizer.Client
local methods = {}
local Users = { __index = methods, __name = "scrutinizer.Users" }

local USER = {
  name = items.NAME,
  password = { read = items.text, allowed = "text in UTF-8", required = true, secret = true },
  groups = { read = items.list_of(items.id), allowed = "a list of usergroups' ids (1: Administrators, 2: Guests)" },
}

local CREATE = {
  success = function(user, entry)
    return type(entry) == "table" and entry.name == user.name and entry.error == nil and results.whole(entry.id) ~= nil
  end,
  concerns = function(user, entry) return type(entry) == "table" and entry.name == user.name end,
  result = function(user, entry) return { id = entry and results.whole(entry.id), name = user.name } end,
  reason = function(entry) return results.text(entry.error or entry) end,
}

--- Makes users. A name that is taken, a group that does not exist and the like are the item's `error`; the others are made.
---@param list { name: string, password: string, groups?: integer[] }[] groups: ids of usergroups (by default 1 is Administrators, 2 Guests)
---@return ({ id: integer, name: string }|{ name: string, error: string })[]? results in the order given
---@return scrutinizer.Error? err the call itself failed; never retried. No error holds a password
function methods:create(list)
  local users, complaint = items.named("users:create", list, USER, "users, { name =, password =, groups = { 1 } }")
  if not users then error(complaint, 2) end
  if #users == 0 then return {} end
  local secrets = {}
  for i, user in ipairs(users) do secrets[i] = user.password end
  local answer, err = call.send(self._client, accounts.create_users(users), { write = true, secrets = secrets })
  if not answer then return nil, err end
  local data = type(answer) == "table" and answer[accounts.answer.data]
  if not results.is_list(data) then return results.malformed("users:create", "a list 'data'") end
  return results.judge(users, data, CREATE, call.masker(self._client, secrets))
end

return { new = function(client) return setmetatable({ _client = client }, Users) end }
