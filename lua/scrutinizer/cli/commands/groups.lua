--- `scrutinizer groups`: usergroups, their members and permissions.

local action_commands = require "scrutinizer.cli.action_commands"

local function joined(ids)
  local texts = {}
  for i, id in ipairs(ids or {}) do texts[i] = ("%d"):format(id) end
  return table.concat(texts, " ")
end

local function create(client, args)
  local list, err = client.groups:create { { name = args.name, template = args.template, users = args.user } }
  for _, group in ipairs(list or {}) do group.members, group.missing = joined(group.members), joined(group.missing) end
  return action_commands.show(args, list, err, { "name", "id", "members", "missing", "error" })
end

local function delete(client, args)
  local list, err = client.groups:delete(args.who)
  return action_commands.show(args, list, err, { "id", "name", "error" })
end

local function change_members(method)
  return function(client, args)
    local pairs_given = {}
    for i, user in ipairs(args.users) do pairs_given[i] = { user = user, group = args.group } end
    local list, err = client.groups[method](client.groups, pairs_given)
    return action_commands.show(args, list, err, { "user", "group", "error" })
  end
end

local function sync(client, args)
  local gone = (args.gone[1] or args.none_gone) and args.gone or nil
  local result, err = client.groups:sync_members(args.group, args.users, { gone = gone })
  return action_commands.show(args, action_commands.synced(result, { "added", "kept", "removed", "absent" }), err,
    { "user", "group", "done", "error", "code" })
end

local function change_permissions(method)
  return function(client, args)
    local given = {}
    for i, code in ipairs(args.codes) do
      given[i] = { group = args.group, type = args.type, code = args.type == "group" and action_commands.who(code) or code }
    end
    local list, err = client.groups[method](client.groups, given)
    return action_commands.show(args, list, err, { "group", "type", "code", "error" })
  end
end

local function members(command)
  command:argument("group", "The usergroup."):argname "<group>":convert(action_commands.who)
  command:argument("users", "Users."):args "+":argname "<user>":convert(action_commands.who)
end

local function permissions(command)
  command:argument("group", "The usergroup."):argname "<group>":convert(action_commands.who)
  command:argument("type", "Type of the codes: device (address in hex: 0A010107), interface (0A010107-1), group (a device group: id or "
    .. "name), report (an id), plixer (a feature, such as adminTab), gadget, thirdparty, bboard."):argname "<type>"
  command:argument("codes", "Codes of this type."):args "+":argname "<code>"
end

return function(root)
  return {
    groups = action_commands.command(root, "groups", "Create and delete usergroups; change their members and permissions.", {
      {
        name = "create", run = create, help = "Create a usergroup.", example = "create Readers --template 2 --user alice",
        setup = function(command)
          command:argument("name", "The group's name."):argname "<name>"
          command:option("--template", "Id of the usergroup whose permissions are copied."):argname "<id>":count(1):convert(action_commands.id)
          command:option("--user", "A member. " .. action_commands.WHO):argname "<who>":count "*":convert(action_commands.who)
        end,
      },
      {
        name = "delete", run = delete, example = "delete Readers",
        help = "Delete usergroups. Unverified: the appliance's parameters for this are not documented. " .. action_commands.WHO,
        setup = function(command) command:argument("who", "Ids and names."):args "+":argname "<who>":convert(action_commands.who) end,
      },
      {
        name = "add", run = change_members "add_members", help = "Add users to a usergroup. " .. action_commands.WHO,
        example = "add Readers alice 14",
        setup = members,
      },
      {
        name = "remove", run = change_members "remove_members", help = "Remove users from a usergroup. " .. action_commands.WHO,
        example = "remove Readers alice", setup = members,
      },
      {
        name = "sync", run = sync, example = "sync Readers alice 14 --gone leo",
        help = "Add users to a usergroup, and remove those who have left. The appliance cannot list the members, so --gone must name those. "
          .. action_commands.WHO,
        setup = function(command)
          command:argument("group", "The usergroup."):argname "<group>":convert(action_commands.who)
          command:argument("users", "Users."):args "*":argname "<user>":convert(action_commands.who)
          action_commands.gone(command)
        end,
      },
      {
        name = "grant", run = change_permissions "grant", help = "Grant permissions to a usergroup. " .. action_commands.WHO,
        example = "grant Readers device 0A010107", setup = permissions,
      },
      {
        name = "revoke", run = change_permissions "revoke", help = "Revoke permissions of a usergroup. " .. action_commands.WHO,
        example = "revoke Readers plixer allGadgets", setup = permissions,
      },
    }),
  }
end
