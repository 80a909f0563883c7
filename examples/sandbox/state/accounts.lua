-- Users and usergroups, with members, permissions and preferences: the state of rm=user_api.
local store = require "sandbox.state.store"

local accounts = {}
local TABLES = { "users", "usergroups", "memberships", "preferences", "permissions" }

--- Restores the initial state.
function accounts.reset()
  store.atomic(function()
    for _, name in ipairs(TABLES) do
      store.change("DELETE FROM " .. name)
      store.change(("INSERT INTO %s SELECT * FROM initial_%s"):format(name, name))
    end
    store.change "DELETE FROM sqlite_sequence WHERE name IN ('users', 'usergroups')"
  end)
end

local function last_id() return store.rows "SELECT last_insert_rowid() AS id"[1].id end

-- By id (a number) or name, in the table.
local function find(table_name, who)
  local column = type(who) == "number" and "id" or "name"
  return store.rows(("SELECT id, name FROM %s WHERE %s = ?"):format(table_name, column), who)[1]
end

function accounts.user(who) return find("users", who) end
function accounts.group(who) return find("usergroups", who) end

function accounts.add_user(name, password)
  store.change("INSERT INTO users (name, password) VALUES (?, ?)", name, password)
  return last_id()
end

function accounts.add_group(name)
  store.change("INSERT INTO usergroups (name) VALUES (?)", name)
  return last_id()
end

--- A new group gets the permissions of its template.
function accounts.copy_permissions(from, to)
  store.change("INSERT INTO permissions SELECT ?, type, seccode FROM permissions WHERE usergroup_id = ?", to, from)
end

--- Returns the number of deleted rows: 1 or 0.
function accounts.delete_user(who)
  local user = accounts.user(who)
  if not user then return 0 end
  for _, name in ipairs { "memberships", "preferences" } do store.change(("DELETE FROM %s WHERE user_id = ?"):format(name), user.id) end
  return store.change("DELETE FROM users WHERE id = ?", user.id)
end

function accounts.delete_group(who)
  local group = accounts.group(who)
  if not group then return 0 end
  for _, name in ipairs { "memberships", "permissions" } do store.change(("DELETE FROM %s WHERE usergroup_id = ?"):format(name), group.id) end
  return store.change("DELETE FROM usergroups WHERE id = ?", group.id)
end

function accounts.rename_user(id, name)
  store.change("UPDATE users SET name = ? WHERE id = ?", name, id)
end

function accounts.is_member(user, group)
  return store.rows("SELECT 1 FROM memberships WHERE user_id = ? AND usergroup_id = ?", user, group)[1] ~= nil
end

function accounts.join(user, group)
  store.change("INSERT OR IGNORE INTO memberships VALUES (?, ?)", user, group)
end

function accounts.leave(user, group)
  store.change("DELETE FROM memberships WHERE user_id = ? AND usergroup_id = ?", user, group)
end

function accounts.prefer(user, name, setting)
  store.change("INSERT OR REPLACE INTO preferences VALUES (?, ?, ?)", user, name, setting)
end

function accounts.may(group, kind, code)
  return store.rows("SELECT 1 FROM permissions WHERE usergroup_id = ? AND type = ? AND seccode = ?", group, kind, code)[1] ~= nil
end

function accounts.permit(group, kind, code)
  store.change("INSERT OR IGNORE INTO permissions VALUES (?, ?, ?)", group, kind, code)
end

function accounts.forbid(group, kind, code)
  store.change("DELETE FROM permissions WHERE usergroup_id = ? AND type = ? AND seccode = ?", group, kind, code)
end

return accounts
