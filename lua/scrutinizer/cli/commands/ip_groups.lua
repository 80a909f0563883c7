--- `scrutinizer ip-groups`: groups of IP addresses, defined by rules.

local action_commands = require "scrutinizer.cli.action_commands"

local RULES = { "group", "name", "rule_id", "rule", "done", "error" }
local SYNCED = { "group", "name", "rule_id", "rule", "done", "error", "code" }

-- One row for each rule that was added, changed or removed; one row for a group without such rules.
local function rows_of(group, rows)
  rows = rows or {}
  local before = #rows
  local function add(list, done)
    for _, rule in ipairs(list or {}) do
      rows[#rows + 1] = { group = group.id, name = group.name, rule_id = rule.id, rule = rule.type and tostring(rule),
        done = not rule.error and done or nil, error = rule.error }
    end
  end
  add(group.rules, "added")
  add(group.changed, "changed")
  add(group.removed, "removed")
  if #rows == before then rows[1 + before] = { group = group.id, name = group.name, error = group.error } end
  return rows
end

-- `group:42` (an id) and `group:Berlin` are child groups, `all` is every address; the library reads other text.
local function read_rule(text)
  local child = text:match "^group:(.+)$"
  if child then return { type = "child", group = action_commands.who(child) } end
  return text == "all" and { type = "ipall" } or text
end

local function list(client, args)
  local all, err = client.ip_groups:list()
  return action_commands.show(args, all, err, { "id", "name" })
end

-- A group's id; a name is looked up.
local function id_of(client, who)
  local id, err = action_commands.id_of(client.ip_groups, who, "IP group")
  return id, err
end

local function rules(client, args)
  local id, err = id_of(client, args.who)
  if not id then return nil, err end
  local all
  all, err = client.ip_groups:rules(id)
  for _, rule in ipairs(all or {}) do rule.rule = tostring(rule) end
  return action_commands.show(args, all, err, { "id", "type", "rule" })
end

local function create(client, args)
  local group, err = client.ip_groups:create(args.name, args.rules)
  return action_commands.show(args, group and rows_of(group), err, RULES)
end

-- The rules of the arguments, or of the file of --from.
local function rules_given(args)
  if not args.from then return args.rules end
  local texts = {}
  for line in action_commands.read(args.from):gmatch "[^\r\n]+" do
    if line:find "%S" and not line:find "^%s*#" then texts[#texts + 1] = read_rule(line:match "^%s*(.-)%s*$") end
  end
  return texts
end

local function add(client, args)
  local group, err = client.ip_groups:from_list(args.name, rules_given(args), { create = not args.no_create })
  return action_commands.show(args, group and rows_of(group), err, RULES)
end

local function sync(client, args)
  if not args.from and not args.rules[1] then error("ip-groups sync: give rules, or --from; an empty file removes all rules", 0) end
  local group, err = client.ip_groups:sync(args.name, rules_given(args), { dry = args.dry_run or false })
  local rows = {}
  for _, done in ipairs(group and { "added", "removed", "kept" } or {}) do
    for _, rule in ipairs(group[done]) do
      rows[#rows + 1] = { group = group.id, name = group.name, rule_id = rule.id, rule = tostring(rule),
        done = not rule.error and done or nil, error = rule.error, code = rule.code }
    end
  end
  return action_commands.show(args, group and rows, err, SYNCED)
end

local function update(client, args)
  local id, err = id_of(client, args.who)
  if not id then return nil, err end
  local change = { name = args.name, add = args.add[1] and args.add or nil, remove = args.remove[1] and args.remove or nil }
  if next(change) == nil then error("ip-groups update: give at least one of --name, --add and --remove", 0) end
  local group
  group, err = client.ip_groups:update(id, change)
  return action_commands.show(args, group and rows_of(group), err, RULES)
end

local function import(client, args)
  local groups, err = client.ip_groups:from_csv({ text = action_commands.read(args.file) }, { create = not args.no_create })
  local rows = {}
  for _, group in ipairs(groups or {}) do rows_of(group, rows) end
  return action_commands.show(args, groups and rows, err, RULES)
end

local function delete(client, args)
  local gone, err = client.ip_groups:delete(args.who)
  return action_commands.show(args, gone, err, { "id", "name", "error" })
end

local WRITING = "10.1.1.1, 10.0.0.0/8, 10.1.1.1-10.1.1.9, 10.0.4.0/0.255.0.255 (a wildcard: bits that are 1 are ignored), group:WHO (a child "
  .. "group: digits mean an id, other text a name), all."

local function rule_arguments(command, count)
  command:argument("rules", WRITING):args(count):argname "<rule>":convert(read_rule)
end

local SYNC = {
  name = "sync", run = sync, example = "sync 'Microsoft 365' --from prefixes.txt --dry-run",
  help = "Change a group until it has exactly these rules; create it if no group has the name. Its present rules are read first, by a call that "
    .. "is not documented. " .. action_commands.WHO,
  setup = function(command)
    command:argument("name", "The group."):argname "<who>":convert(action_commands.who)
    rule_arguments(command, "*")
    command:option("--from", "File with one rule per line; - is standard input."):argname "<file>"
    command:flag("--dry-run", "Change nothing; print what would be done.")
  end,
}

return function(root)
  return {
    ["ip-groups"] = action_commands.command(root, "ip-groups", "List, create, fill, change and delete IP groups.", {
      { name = "list", run = list, help = "All IP groups." },
      {
        name = "rules", run = rules, help = "The rules of a group. Unverified: this call is not documented. " .. action_commands.WHO,
        example = "rules Berlin",
        setup = function(command) command:argument("who", "The group."):argname "<who>":convert(action_commands.who) end,
      },
      {
        name = "create", run = create, help = "Create a group.", example = "create Berlin 10.2.0.0/16 10.9.1.1-10.9.1.20",
        setup = function(command)
          command:argument("name", "The group's name."):argname "<name>"
          rule_arguments(command, "*")
        end,
      },
      {
        name = "add", run = add, help = "Add rules to a group, which is created if it is missing. Many rules are sent in batches.",
        example = "add 'Microsoft 365' --from prefixes.txt",
        setup = function(command)
          command:argument("name", "The group's name."):argname "<name>"
          rule_arguments(command, "*")
          command:option("--from", "File with one rule per line; - is standard input."):argname "<file>"
          command:flag("--no-create", "Do not create a missing group.")
        end,
      },
      SYNC,
      {
        name = "update", run = update, help = "Rename a group, add rules, remove rules by their ids. " .. action_commands.WHO,
        example = "update Berlin --add 10.2.7.0/24 --remove 506588",
        setup = function(command)
          command:argument("who", "The group."):argname "<who>":convert(action_commands.who)
          command:option("--name", "The new name."):argname "<name>"
          command:option("--add", "A rule: " .. WRITING):argname "<rule>":count "*":convert(read_rule)
          command:option("--remove", "A rule's id."):argname "<id>":count "*":convert(action_commands.id)
        end,
      },
      {
        name = "import", run = import,
        help = "Fill groups from CSV lines name,rule; group:NAME is a child group, by name. If any line is wrong, nothing is sent.",
        example = "import sites.csv",
        setup = function(command)
          command:argument("file", "CSV file; - is standard input."):argname "<file>"
          command:flag("--no-create", "Do not create missing groups.")
        end,
      },
      {
        name = "delete", run = delete, help = "Delete groups. " .. action_commands.WHO, example = "delete Berlin 16900093",
        setup = function(command) command:argument("who", "Ids and names."):args "+":argname "<who>":convert(action_commands.who) end,
      },
    }),
  }
end
