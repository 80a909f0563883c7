--- `scrutinizer users`. Passwords come from the environment or from standard input, never from arguments.

local action_commands = require "scrutinizer.cli.action_commands"
local csv = require "scrutinizer.csv"
local terminal = require "scrutinizer.cli.terminal"

local COLUMNS = { "name", "id", "error" }

-- Reads one line from standard input; a terminal does not show it.
local function ask_password(name)
  local quiet = terminal.is(0)
  if quiet then
    io.stderr:write("password for ", (name:gsub("[%z\1-\31\127]", "?")), ": ")
    os.execute "stty -echo </dev/tty"
  end
  local line = io.read "*l"
  if quiet then
    os.execute "stty echo </dev/tty"
    io.stderr:write "\n"
  end
  return line
end

local function password_of(name)
  local password = os.getenv "SCRUTINIZER_USER_PASSWORD" or ask_password(name)
  if not password or password == "" then error("users create: no password: set SCRUTINIZER_USER_PASSWORD, or give a line on standard input", 0) end
  return password
end

-- Usergroups of a CSV field: names and ids separated by semicolons; ids also by blanks.
local function groups_of(text)
  local groups = {}
  for part in text:gmatch "[^;]+" do
    local who = part:match "^%s*(.-)%s*$"
    for word in who:gmatch(who:find "^[%d%s]+$" and "%d+" or ".+") do groups[#groups + 1] = action_commands.who(word) end
  end
  return groups
end

-- Users from CSV lines: name,password[,groups]. No message shows a password.
local function from_csv(action, text)
  local list = {}
  for number, line in csv.lines(text) do
    local fields = csv.fields(line)
    if not fields or #fields < 2 or #fields > 3 then error(("users %s: line %d is not name,password[,groups]"):format(action, number), 0) end
    list[#list + 1] = { name = fields[1], password = fields[2], groups = groups_of(fields[3] or "") }
  end
  return list
end

local function create(client, args)
  if (args.csv == nil) == (args.name == nil) then error("users create: give a name, or --csv", 0) end
  local users = args.csv and from_csv("create", action_commands.read(args.csv))
    or { { name = args.name, password = password_of(args.name), groups = args.group } }
  local list, err = client.users:create(users)
  return action_commands.show(args, list, err, COLUMNS)
end

local function sync(client, args)
  local gone = (args.gone[1] or args.none_gone) and args.gone or nil
  local result, err = client.users:sync(from_csv("sync", action_commands.read(args.csv)), { gone = gone })
  return action_commands.show(args, action_commands.synced(result, { "created", "kept", "joined", "removed", "absent" }), err,
    { "id", "name", "user", "group", "done", "error", "code" })
end

local function delete(client, args)
  local list, err = client.users:delete(args.who)
  return action_commands.show(args, list, err, { "id", "name", "error" })
end

local function rename(client, args)
  local result, err = client.users:rename(args.who, args.new)
  return action_commands.show(args, result and { result }, err, { "id", "name", "error" })
end

local function set(client, args)
  local map = {}
  for _, text in ipairs(args.preferences) do
    local name, value = text:match "^([^=]+)=(.*)$"
    if not name then error(("users set: '%s' is not of the form name=value"):format(text), 0) end
    map[name] = value:find "^%-?%d+$" and tonumber(value) or value
  end
  local list, err = client.users:set_preferences(args.id, map)
  return action_commands.show(args, list, err, { "name", "setting", "error" })
end

local CSV = "CSV file with lines name,password[,groups]; - is standard input. Groups are ids and names separated by semicolons, as in "
  .. "ann,secret,2;Network Operators. " .. action_commands.WHO

return function(root)
  return {
    users = action_commands.command(root, "users", "Create, delete and rename users, and set their preferences.", {
      {
        name = "create", run = create, example = "create alice --group 2 </run/secrets/alice",
        help = "Create a user, or many with --csv. One user's password is SCRUTINIZER_USER_PASSWORD or a line on standard input.",
        setup = function(command)
          command:argument("name", "The user's name."):args "?":argname "<name>"
          command:option("--group", "A usergroup (1: Administrators, 2: Guests). " .. action_commands.WHO):argname "<group>":count "*"
            :convert(action_commands.who)
          command:option("--csv", CSV):argname "<file>"
        end,
      },
      {
        name = "sync", run = sync, example = "sync --csv staff.csv --gone leo --gone 14",
        help = "Create missing users, add each user to the groups given, and delete those who have left. The appliance cannot list its users, "
          .. "so --gone must name those. Existing users keep their passwords.",
        setup = function(command)
          command:option("--csv", CSV):argname "<file>":count(1)
          action_commands.gone(command)
        end,
      },
      {
        name = "delete", run = delete, help = "Delete users. " .. action_commands.WHO, example = "delete 11 guest",
        setup = function(command) command:argument("who", "Ids and names."):args "+":argname "<who>":convert(action_commands.who) end,
      },
      {
        name = "rename", run = rename, help = "Rename a user. " .. action_commands.WHO, example = "rename 14 alice",
        setup = function(command)
          command:argument("who", "The user's id or current name."):argname "<who>":convert(action_commands.who)
          command:argument("new", "The new name."):argname "<name>"
        end,
      },
      {
        name = "set", run = set, help = "Set preferences of a user, such as language=english or statusTopn=10.", example = "set 11 language=english",
        setup = function(command)
          command:argument("id", "The user's id."):argname "<id>":convert(action_commands.id)
          command:argument("preferences", "Preferences; digits are sent as numbers."):args "+":argname "<name=value>"
        end,
      },
    }),
  }
end
