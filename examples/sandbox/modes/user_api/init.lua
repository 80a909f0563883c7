-- rm=user_api: eight actions on users and usergroups. Nearly every answer has status 200 and `data`, which shows failures item by item.
local accounts = require "sandbox.state.accounts"
local fields = require "sandbox.http.fields"
local reply = require "sandbox.http.reply"
local store = require "sandbox.state.store"

local mode = { fields = { "json" } }
local actions = {}

local function id_text(options, id)
  if options.account_ids == "strings" then return ("%d"):format(id) end
  return id
end

-- The list under the JSON's single key; raises if it is missing.
local function list_of(request, node, key)
  local found = fields.members(request, node, "json", { [key] = "array" })[key]
  return found and found.value or error({ err = ("No %s in json."):format(key) }, 0)
end

-- A required member of an object.
local function need(request, found, path, ...)
  local all = true
  for _, name in ipairs { ... } do
    if not found[name] then
      request:violate("missing field", path .. "." .. name)
      all = false
    end
  end
  return all
end

local function incomplete(found)
  return { name = found.name and found.name.value, error = "Fields are missing" }
end

-- Users or groups by id (a number) or name (a string).
local function references(request, node, path)
  local list = {}
  for i, item in ipairs(node and node.value or {}) do
    if item.kind ~= "number" and item.kind ~= "string" then request:violate("type", ("%s[%d]: a JSON %s"):format(path, i - 1, item.kind)) end
    list[i] = item.value
  end
  return list
end

local function create_user(request, item, path, options)
  local found = fields.members(request, item, path, { name = "string", pass = "string", membership = "array" })
  if not need(request, found, path, "name", "pass", "membership") then return incomplete(found) end
  local name, groups = found.name.value, references(request, found.membership, path .. ".membership")
  if name == "" or found.pass.value == "" then return { name = name, error = "A user needs a name and a password" } end
  if accounts.user(name) then return { name = name, error = "A user already exists with that name" } end
  for _, group in ipairs(groups) do
    if type(group) ~= "number" then request:violate("type", path .. ".membership: a name for a usergroup's id") end
    if not accounts.group(group) then return { name = name, error = ("Usergroup %s does not exist"):format(tostring(group)) } end
  end
  local id = accounts.add_user(name, found.pass.value)
  for _, group in ipairs(groups) do accounts.join(id, accounts.group(group).id) end
  return { id = id_text(options, id), name = name }
end

function actions.createUser(request, node, options)
  local data = reply.list()
  for i, item in ipairs(list_of(request, node, "users")) do
    data[i] = create_user(request, item, ("json.users[%d]"):format(i - 1), options)
  end
  return data
end

local function create_group(request, item, path, options)
  local found = fields.members(request, item, path, { name = "string", template_usergroup = "number", users = "array" })
  if not need(request, found, path, "name", "template_usergroup", "users") then return incomplete(found) end
  local name, template = found.name.value, accounts.group(found.template_usergroup.value)
  if accounts.group(name) then return { name = name, error = "A usergroup already exists with that name" } end
  if not template then return { name = name, error = "The template usergroup does not exist" } end
  local id, members = accounts.add_group(name), reply.list()
  accounts.copy_permissions(template.id, id)
  for _, who in ipairs(references(request, found.users, path .. ".users")) do
    local user = accounts.user(who)
    if user then
      accounts.join(user.id, id)
      members[#members + 1] = options.account_ids == "numbers" and user.id or ("%d"):format(user.id)
    end
  end
  return { id = id_text(options, id), name = name, members = members }
end

function actions.createUsergroup(request, node, options)
  local data = reply.list()
  for i, item in ipairs(list_of(request, node, "usergroups")) do
    data[i] = create_group(request, item, ("json.usergroups[%d]"):format(i - 1), options)
  end
  return data
end

local DELETE_WORDS = {
  user = { number = "Deleting user id %s (%d matched)", string = "Deleting user named '%s' (%d matched)" },
  group = { number = "Deleting usergroup id %s (%d matched)", string = "Deleting usergroup named '%s' (%d matched)" },
  bare = { number = "Deleting usergroup %s (%d matched)", string = "Deleting usergroup %s (%d matched)" },
}

local function delete(request, node, key, remove, words)
  local data = reply.list()
  for i, who in ipairs(references(request, { value = list_of(request, node, key) }, "json." .. key)) do
    local text = type(who) == "number" and ("%d"):format(who) or tostring(who)
    data[i] = (words[type(who)] or words.string):format(text, remove(who))
  end
  return data
end

function actions.delUsers(request, node)
  return delete(request, node, "delUsers", accounts.delete_user, DELETE_WORDS.user)
end

-- No source shows the JSON of this action or its answer; both are modelled on a similar action.
function actions.delUsergroups(request, node, options)
  return delete(request, node, "delUsergroups", accounts.delete_group, DELETE_WORDS[options.group_delete])
end

for name, action in pairs(require "sandbox.modes.user_api.rights") do actions[name] = action end

function mode.run(request, options, sink)
  local action = actions[request.value.action or ""]
  if not action then error({ err = "No such action of user_api." }, 0) end
  local node = fields.json(request, "json", "object")
  if not node then error({ err = "The json could not be read." }, 0) end
  local data, bare
  store.atomic(function() data, bare = action(request, node, options) end)
  reply.send(sink, options, bare and data or { data = data })
end

return mode
