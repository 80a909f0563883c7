--- The appliance's names for users and groups of users: the forms that are sent, the members of answers, and the sentences that mean success.
--- See wire/init.lua.

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

local function digits(id) return ("%d"):format(id) end

-- An id is a number and a name is a string; each has its own key.
local function set_reference(object, kind, who)
  object[kind .. (type(who) == "number" and "_id" or "_name")] = who
  return object
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

---@param who integer|string id or current name; an id is sent as text
---@param name string the new one
---@return table<string, string> form
function accounts.rename_user(who, name)
  local object = { newname = name }
  if type(who) == "number" then object.user_id = digits(who) else object.oldname = who end
  return form("changeUsername", { changeUsername = object })
end

---@param id integer
---@param preferences { name: string, setting: any }[]
---@return table<string, string> form
function accounts.set_preferences(id, preferences)
  local list = {}
  for i, one in ipairs(preferences) do list[i] = { pref = one.name, setting = one.setting } end
  return form("prefs", { user_id = id, prefs = list })
end

---@param groups { name: string, template: integer, users?: (integer|string)[] }[]
---@return table<string, string> form
function accounts.create_groups(groups)
  local list = {}
  for i, group in ipairs(groups) do list[i] = { name = group.name, template_usergroup = group.template, users = array(group.users) } end
  return form("createUsergroup", { usergroups = list })
end

--- Unverified: no source shows this request's JSON. It is modelled on delUsers.
---@param who (integer|string)[]
---@return table<string, string> form
function accounts.delete_groups(who)
  return form("delUsergroups", { delUsergroups = who })
end

-- Always sends both lists: no source shows that one alone is enough.
local function change(action, key, list, write)
  local object = { add = array(), remove = array() }
  for i, item in ipairs(list) do object[key][i] = write(item) end
  return form(action, { [action] = object })
end

---@param key "add"|"remove"
---@param list { user: integer|string, group: integer|string }[]
---@return table<string, string> form
function accounts.membership(key, list)
  return change("membership", key, list, function(item) return set_reference(set_reference({}, "user", item.user), "usergroup", item.group) end)
end

---@param key "add"|"remove"
---@param list { group: integer|string, type: string, code: string }[]
---@return table<string, string> form
function accounts.permissions(key, list)
  return change("permissions", key, list, function(item)
    return set_reference({ permission_type = item.type, seccode = item.code }, "usergroup", item.group)
  end)
end

-- Sentences. Each function tells whether a sentence reports success for the item it names. Blanks around the sentence are ignored.

local said = {}
accounts.said = said

local function is(sentence, wanted)
  return type(sentence) == "string" and sentence:match "^%s*(.-)%s*$" == wanted
end

-- The appliance may put a name in quotes.
local function spellings(who)
  if type(who) == "number" then return { digits(who) } end
  return { who, "'" .. who .. "'" }
end

-- Whether a sentence starts with one of the beginnings and says that at least one was matched: "… (1 matched)".
local function matched(sentence, beginnings)
  if type(sentence) ~= "string" then return false end
  for _, beginning in ipairs(beginnings) do
    if sentence:sub(1, #beginning) == beginning then
      local count = sentence:sub(#beginning + 1):match "^ %((%d+) matched%)%s*$"
      if count then return tonumber(count) > 0 end
    end
  end
  return false
end

function said.deleted_user(who, sentence)
  if type(who) == "number" then return matched(sentence, { "Deleting user id " .. digits(who) }) end
  return matched(sentence, { "Deleting user named '" .. who .. "'" })
end

--- Unverified: no source shows this sentence.
function said.deleted_group(who, sentence)
  local beginnings = {}
  for _, spelling in ipairs(spellings(who)) do
    for _, kind in ipairs { "", "id ", "named " } do beginnings[#beginnings + 1] = "Deleting usergroup " .. kind .. spelling end
  end
  return matched(sentence, beginnings)
end

--- For a user given by id, the sentence may contain the old name, which is not known here.
function said.renamed_user(who, name, sentence)
  if type(who) == "string" then return is(sentence, ("User %s successfully renamed to %s"):format(who, name)) end
  local tail = " successfully renamed to " .. name
  sentence = type(sentence) == "string" and sentence:match "^%s*(.-)%s*$" or ""
  return sentence:find "^User ." ~= nil and #sentence > #tail and sentence:sub(-#tail) == tail
end

function said.preferred(id, preference, sentence)
  local setting = type(preference.setting) == "string" and preference.setting or wire.encode(preference.setting)
  return is(sentence, ("%s updated to %s for user_id %d"):format(preference.name, setting, id))
end

local MEMBER = { add = "User %s added to usergroup %s", remove = "User %s removed from usergroup %s" }

function said.member(key, item, sentence)
  for _, user in ipairs(spellings(item.user)) do
    for _, group in ipairs(spellings(item.group)) do
      if is(sentence, MEMBER[key]:format(user, group)) then return true end
    end
  end
  return false
end

local PERMISSION = { add = "Added %s permission %s to usergroup %s", remove = "Removed %s permission %s from usergroup %s" }

function said.permission(key, item, sentence)
  for _, group in ipairs(spellings(item.group)) do
    if is(sentence, PERMISSION[key]:format(item.type, item.code, group)) then return true end
  end
  return false
end

return accounts
