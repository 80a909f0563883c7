--- Common parts of the commands with actions: actions, ids and names, results as rows.

local exit_status = require "scrutinizer.cli.exit_status"
local errors = require "scrutinizer.errors"
local files = require "scrutinizer.files"
local output = require "scrutinizer.cli.output"
local profile = require "scrutinizer.cli.profile"

local action_commands = {}

-- Commands whose default action is `list`.
local LISTING = { devices = true, ["ip-groups"] = true }

--- Inserts `list` after a command that has it as its default action: `scrutinizer devices --format csv` becomes `devices list --format csv`.
---@param argv string[]
---@return string[]
function action_commands.complete(argv)
  local list, command = {}, nil
  for i, word in ipairs(argv) do
    list[#list + 1] = word
    -- The command is the first word that is neither an option nor an option's value.
    local before, after = argv[i - 1] or "", argv[i + 1] or "-"
    if not command and not word:find "^%-" and (not before:find "^%-" or before == "--no-verify") then
      command = word
      if LISTING[word] and after:find "^%-" and after ~= "-h" and after ~= "--help" then list[#list + 1] = "list" end
    end
  end
  return list
end

--- Adds a command with actions: `scrutinizer users create …`. An action's `setup(command)` adds its arguments; `run(client, args)` runs it.
---@param root table argparse's
---@param name string
---@param about string help text
---@param actions table[] { name =, help =, example =, setup =, run = }
---@return fun(args: table): any, any handler
function action_commands.command(root, name, about, actions)
  local command, by_name = root:command(name, about), {}
  command:command_target "action"
  command:require_command(true)
  for _, action in ipairs(actions) do
    local sub = command:command(action.name, action.help, action.example and "Example: scrutinizer " .. name .. " " .. action.example)
    if action.setup then action.setup(sub) end
    output.options(sub)
    by_name[action.name] = action
  end
  return function(args)
    local status, err = by_name[args.action].run(profile.connect(args), args)
    return status, err
  end
end

action_commands.WHO = "Digits mean an id, other text a name; `name:42` means the name 42."

--- Reads an id or a name from an argument: digits are an id, `name:42` is the name 42.
---@param text string
---@return integer|string
function action_commands.who(text)
  return text:match "^name:(.+)$" or (text:find "^%d+$" and tonumber(text)) or text
end

--- Reads an id from an argument.
---@param text string
---@return integer?
---@return string? complaint
function action_commands.id(text)
  local id = text:find "^%d+$" and tonumber(text)
  if id then return id end
  return nil, ("'%s' is not an id; an id has only digits"):format(text)
end

--- An id as it is, or that of a name, which is looked up.
---@param part table a part of the client with `find`
---@param who integer|string
---@param kind string what is looked up, for people
---@return integer? id
---@return scrutinizer.Error? err
function action_commands.id_of(part, who, kind)
  if type(who) == "number" then return who end
  local found, err = part:find(who)
  if found then return found.id end
  return nil, err or errors.new("api", ("no %s has the name '%s'"):format(kind, who))
end

--- Prints results. The status is 76 when one of them has failed.
---@param args table
---@param list? table[]
---@param err? scrutinizer.Error
---@param columns table
---@return integer? status
---@return scrutinizer.Error? err
function action_commands.show(args, list, err, columns)
  if not list then return nil, err end
  args.no_units = true -- programs read ids and counts too: print all digits
  local rows
  rows, err = output.write(list, args, columns)
  if not rows then return nil, err end
  for _, item in ipairs(list) do
    if item.error then return exit_status.REFUSED end
  end
  return exit_status.DONE
end

--- Adds the options that name who has left, for a sync of objects that the appliance cannot list.
---@param command table argparse's
function action_commands.gone(command)
  command:option("--gone", "Who has left and is removed. " .. action_commands.WHO):argname "<who>":count "*":convert(action_commands.who)
  command:flag("--none-gone", "Nobody has left; nobody is removed.")
end

--- The lists of a sync's result as rows, each with what was done.
---@param result? table<string, table[]>
---@param lists string[] the lists besides `failed`
---@return table[]?
function action_commands.synced(result, lists)
  if not result then return nil end
  local rows = {}
  for _, done in ipairs(lists) do
    for _, item in ipairs(result[done]) do
      item.done = done
      rows[#rows + 1] = item
    end
  end
  for _, item in ipairs(result.failed) do rows[#rows + 1] = item end
  return rows
end

--- The text of a file, or of standard input for "-". Raises when the file cannot be read.
---@param path string
---@return string
function action_commands.read(path)
  if path == "-" then return io.read "*a" or "" end
  local text, why = files.read(path)
  if not text then error(errors.new("file", why), 0) end
  return text
end

return action_commands
