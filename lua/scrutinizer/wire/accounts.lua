--- The appliance's names for users and usergroups: what is sent, and where answers keep what. Part of wire.lua's room.

local core = require "scrutinizer.core"
local wire = require "scrutinizer.wire"

local accounts = {}

--- Members of answers.
accounts.answer = { data = "data", error = "error", errors = "errors", added = "added", removed = "removed", updated = "updated",
  message = "message", id = "id", name = "name", members = "members" }

local function array(list) return setmetatable(list or {}, core.array_mt) end

local function form(action, object)
  return { [wire.form.run_mode] = "user_api", [wire.form.action] = action, json = wire.encode(object) }
end

---@param users { name: string, password: string, groups?: integer[] }[]
---@return table<string, string> form
function accounts.create_users(users)
  local list = {}
  for i, user in ipairs(users) do list[i] = { name = user.name, pass = user.password, membership = array(user.groups) } end
  return form("createUser", { users = list })
end

---@param who (integer|string)[]
---@return table<string, string> form
function accounts.delete_users(who)
  return form("delUsers", { delUsers = who })
end

return accounts
