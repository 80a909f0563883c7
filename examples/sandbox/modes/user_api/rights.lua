-- The actions of rm=user_api that change existing users and groups: membership, prefs, permissions, changeUsername.
local accounts = require "sandbox.state.accounts"
local fields = require "sandbox.http.fields"
local reply = require "sandbox.http.reply"

local actions = {}

-- Returns { who, as written }. An object has either `<kind>_id` (a number) or `<kind>_name` (a string).
local function reference(request, found, path, kind)
  local id, name = found[kind .. "_id"], found[kind .. "_name"]
  if (id == nil) == (name == nil) then
    request:violate("missing field", ("%s: one of %s_id and %s_name"):format(path, kind, kind))
    return nil
  end
  return (id or name).value
end

local function text_of(who) return type(who) == "number" and ("%d"):format(who) or tostring(who) end

-- The objects under add and remove.
local function changes(request, node, key)
  local inner = fields.members(request, node, "json", { [key] = "object" })[key]
  if not inner then error({ err = ("No %s in json."):format(key) }, 0) end
  local found = fields.members(request, inner, "json." .. key, { add = "array", remove = "array" })
  local function list(name)
    if not found[name] then request:violate("missing field", ("json.%s.%s"):format(key, name)) end
    return found[name] and found[name].value or {}
  end
  return list "add", list "remove"
end

local MEMBER = { user_id = "number", user_name = "string", usergroup_id = "number", usergroup_name = "string" }

local function change_member(request, item, path, options, verb)
  local found = fields.members(request, item, path, MEMBER)
  local who, which = reference(request, found, path, "user"), reference(request, found, path, "usergroup")
  local user, group = who and accounts.user(who), which and accounts.group(which)
  if not user then return ("User %s does not exist"):format(text_of(who)) end
  if not group then return ("Usergroup %s does not exist"):format(text_of(which)) end
  local inside = accounts.is_member(user.id, group.id)
  local user_text, group_text = text_of(who), text_of(which)
  if options.membership_names == "ids" then user_text, group_text = text_of(user.id), text_of(group.id) end
  if options.membership_names == "quoted" then
    if type(who) == "string" then user_text = "'" .. user_text .. "'" end
    if type(which) == "string" then group_text = "'" .. group_text .. "'" end
  end
  if verb == "added" then
    if inside then return ("User %s is already in usergroup %s"):format(user_text, group_text) end
    accounts.join(user.id, group.id)
    return ("User %s added to usergroup %s"):format(user_text, group_text)
  end
  if not inside then return ("User %s is not in usergroup %s"):format(user_text, group_text) end
  accounts.leave(user.id, group.id)
  return ("User %s removed from usergroup %s"):format(user_text, group_text)
end

function actions.membership(request, node, options)
  local add, remove = changes(request, node, "membership")
  local data = { added = reply.list(), removed = reply.list() }
  local function all(list, key, verb)
    for i, item in ipairs(list) do
      data[verb][i] = change_member(request, item, ("json.membership.%s[%d]"):format(key, i - 1), options, verb)
    end
  end
  all(add, "add", "added")
  all(remove, "remove", "removed")
  return data, options.membership_shape == "top"
end

local PREFERENCES = { statusTopn = "number", language = "string" }

local function prefer(request, user, item, path, data)
  local name = item.value.pref and item.value.pref.value
  local setting = item.value.setting
  for _, key in ipairs(item.keys) do
    if key ~= "pref" and key ~= "setting" then request:violate("unknown field", path .. "." .. key) end
  end
  if not name or not setting then
    request:violate("missing field", path .. ": pref and setting")
    data.errors[#data.errors + 1] = "A preference needs a name and a setting"
  elseif not PREFERENCES[name] then
    data.errors[#data.errors + 1] = ("%s is not a preference"):format(tostring(name))
  elseif not user then
    data.errors[#data.errors + 1] = ("%s not updated: no such user"):format(name)
  else
    if setting.kind ~= PREFERENCES[name] then request:violate("type", ("%s.setting: a JSON %s"):format(path, setting.kind)) end
    local text = text_of(setting.value)
    accounts.prefer(user.id, name, text)
    data.updated[#data.updated + 1] = ("%s updated to %s for user_id %d"):format(name, text, user.id)
  end
end

function actions.prefs(request, node)
  local found = fields.members(request, node, "json", { user_id = "number", prefs = "array" })
  if not found.user_id or not found.prefs then error({ err = "prefs needs user_id and prefs." }, 0) end
  local user, data = accounts.user(found.user_id.value), { updated = reply.list(), errors = reply.list() }
  for i, item in ipairs(found.prefs.value) do
    if item.kind ~= "object" then error({ err = "A preference must be an object." }, 0) end
    prefer(request, user, item, ("json.prefs[%d]"):format(i - 1), data)
  end
  return data
end

local PERMISSION = { usergroup_id = "number", usergroup_name = "string", permission_type = "string", seccode = "string" }
local TYPES = { device = "^%x%x%x%x%x%x%x%x$", interface = "^%x%x%x%x%x%x%x%x%-%d+$", group = "^%d+$", report = "^%d+$", gadget = ".",
  thirdparty = ".", bboard = ".", plixer = "." }

local function change_permission(request, item, path, verb, data)
  local found = fields.members(request, item, path, PERMISSION)
  local which = reference(request, found, path, "usergroup")
  local kind, code = found.permission_type and found.permission_type.value, found.seccode and found.seccode.value
  if not kind or not code then request:violate("missing field", path .. ": permission_type and seccode") end
  local group = which and accounts.group(which)
  local function fail(text, ...) data.errors[#data.errors + 1] = text:format(...) end
  if not group then return fail("Usergroup %s does not exist", text_of(which)) end
  if not TYPES[kind] then return fail("%s is not a permission type", tostring(kind)) end
  if not tostring(code):find(TYPES[kind]) then return fail("%s is not a %s", tostring(code), kind) end
  if verb == "Removed" and not accounts.may(group.id, kind, code) then
    return fail("Usergroup %s has no %s permission %s", text_of(which), kind, code)
  end
  if verb == "Added" then accounts.permit(group.id, kind, code) else accounts.forbid(group.id, kind, code) end
  local where = verb == "Added" and "to" or "from"
  data.updated[#data.updated + 1] = ("%s %s permission %s %s usergroup %s "):format(verb, kind, code, where, text_of(which))
end

function actions.permissions(request, node)
  local add, remove = changes(request, node, "permissions")
  local data = { updated = reply.list(), errors = reply.list() }
  for i, item in ipairs(add) do change_permission(request, item, ("json.permissions.add[%d]"):format(i - 1), "Added", data) end
  for i, item in ipairs(remove) do change_permission(request, item, ("json.permissions.remove[%d]"):format(i - 1), "Removed", data) end
  return data
end

function actions.changeUsername(request, node, options)
  local inner = fields.members(request, node, "json", { changeUsername = "object" }).changeUsername
  if not inner then error({ err = "No changeUsername in json." }, 0) end
  local found = fields.members(request, inner, "json.changeUsername", { user_id = "string", oldname = "string", newname = "string" })
  if not found.newname or (found.user_id == nil) == (found.oldname == nil) then
    error({ err = "changeUsername needs newname, and one of user_id and oldname." }, 0)
  end
  local who = found.oldname and found.oldname.value or tonumber(found.user_id.value)
  local user, name = who and accounts.user(who), found.newname.value
  if not user then return { message = ("User %s does not exist"):format(text_of(who)) } end
  if accounts.user(name) then return { message = ("A user named %s already exists"):format(name) } end
  accounts.rename_user(user.id, name)
  local shown = options.rename_names == "given" and text_of(who) or user.name
  return { message = ("User %s successfully renamed to %s"):format(shown, name) }
end

return actions
