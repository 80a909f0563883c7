--- The command line: one command per task, arguments by argparse, an exit status that a script can act on.

local action_commands = require "scrutinizer.cli.action_commands"
local argparse = require "argparse"
local completion = require "scrutinizer.cli.completion"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local exit_status = require "scrutinizer.cli.exit_status"
local profile = require "scrutinizer.cli.profile"
local query_arguments = require "scrutinizer.cli.query_arguments"

local cli = {}

local COMMANDS = { "report", "series", "bill", "collect", "users", "groups", "ip_groups", "inventory", "calls", "merge", "schema" }

-- Commands that may be run again when TERM has ended them: they change nothing at the appliance.
local READS = { report = true, series = true, bill = true, collect = true, merge = true, schema = true }

local ABOUT = "Flow reports from Plixer Scrutinizer as tables, CSV, NDJSON and charts; bills; management of users, usergroups and IP groups."

-- Each paragraph is one line; the parser wraps it.
local EPILOG = "The appliance and its token come from the environment (SCRUTINIZER_URL, SCRUTINIZER_TOKEN, SCRUTINIZER_CA) or from a profile in "
  .. '~/.config/scrutinizer/config.lua, a Lua table: { url = "https://…", token = "…", ca_file = "…", lab = { url = … } }. A file with a '
  .. "token must be readable by its owner only. The token is not an option, because other users could see it in the process list.\n\n"
  .. exit_status.HELP

-- An option of a command that takes one value and is given twice is misuse: the last one would replace the others in silence.
local function once_each(commands)
  for _, command in ipairs(commands) do
    for _, option in ipairs(command._options) do
      if option._maxcount == 1 then option:overwrite(false) end
    end
    once_each(command._commands)
  end
end

local function parser()
  local root = argparse("scrutinizer", ABOUT, EPILOG)
  root:help_max_width(100)
  root:flag("--version", "Print the version and exit."):action(function()
    print("scrutinizer " .. core.VERSION)
    os.exit(0)
  end)
  profile.options(root)
  root:command_target "command"
  root:require_command(true)
  local handlers = {}
  for _, name in ipairs(COMMANDS) do
    for command, handler in pairs(require("scrutinizer.cli.commands." .. name)(root)) do handlers[command] = handler end
  end
  once_each(root._commands)
  completion.option(root)
  return root, handlers
end

-- The library's message about a wrong argument, without the position in our source; the time zone is an option here.
local function without_place(message)
  return (tostring(message):gsub("^[^\n]-%.lua:%d+: ", ""):gsub(':timezone "Europe/Berlin"', "--timezone Europe/Berlin"))
end

local function complain(text)
  io.stderr:write("scrutinizer: ", text, "\n")
end

--- Runs the command. It writes only to stdout, stderr and the files that the arguments name.
---@param argv string[]
---@return integer status see `exit_status.lua`
function cli.run(argv)
  local root, handlers = parser()
  local ok, args = root:pparse(query_arguments.joined(action_commands.complete(argv)))
  if not ok then
    complain(args .. "; see scrutinizer --help")
    return exit_status.MISUSE
  end
  if args.output == "-" then
    complain "--output -: name a file; standard output is /dev/stdout"
    return exit_status.MISUSE
  end
  core.handle_signals(READS[args.command] and exit_status.TRY_AGAIN or 0)
  local done, status, err = xpcall(function() return handlers[args.command](args) end, function(message)
    if type(message) == "table" then return message end
    -- Any other error is reported as misuse; SCRUTINIZER_TRACE shows its traceback.
    return { misuse = without_place(message), trace = debug.traceback(message, 2) }
  end)
  if not done and errors.is(status) then status, err = nil, status end
  if not done and type(status) == "table" and status.misuse then
    complain(os.getenv "SCRUTINIZER_TRACE" and status.trace or status.misuse)
    return exit_status.MISUSE
  end
  if not err then return status or exit_status.DONE end
  if exit_status.quiet(err) then return exit_status.DONE end
  complain(tostring(err))
  return exit_status.of(err)
end

return cli
