--- `scrutinizer ping`, `call` and `sandbox`.

local exit_status = require "scrutinizer.cli.exit_status"
local profile = require "scrutinizer.cli.profile"
local terminal = require "scrutinizer.cli.terminal"
local wire = require "scrutinizer.wire"

local function ping(args)
  local client = profile.connect(args)
  local ok, err = client:ping()
  if not ok then return nil, err end
  print(client.url .. " answers")
  return exit_status.DONE
end

local function call(args)
  local fields = {}
  for _, text in ipairs(args.fields) do
    local name, value = text:match "^([^=]+)=(.*)$"
    if not name then error(("call: '%s' is not of the form name=value"):format(text), 0) end
    if fields[name] then error("call: " .. name .. " is given twice", 0) end
    fields[name] = value
  end
  local value, err = profile.connect(args):call(fields)
  if value == nil then return nil, err end
  local text = wire.encode(value)
  print(terminal.is(1) and terminal.visible(text) or text)
  return exit_status.DONE
end

-- The sandbox's start script, if this file is in a checkout of the repository.
local function start_script()
  local here = debug.getinfo(1, "S").source:match "^@(.*)lua/scrutinizer/cli/commands/calls%.lua$"
  local path = here and here .. "examples/sandbox/start"
  local file = path and io.open(path, "rb")
  if file then file:close() end
  return file and path
end

local function sandbox(args)
  local path = start_script()
  if not path then
    io.stderr:write("scrutinizer: the sandbox appliance is not installed with the command; it is part of the source: "
      .. "in a checkout of the repository, run make sandbox\n")
    return exit_status.MISUSE
  end
  local state = args.state and ("STATE='%s' "):format(args.state:gsub("'", "'\\''")) or ""
  local ok, _, status = os.execute(("%sPORT=%d HTTP_PORT=%d exec '%s'"):format(state, args.port, args.http_port, path:gsub("'", "'\\''")))
  return (ok == true or ok == 0) and exit_status.DONE or status or exit_status.INTERNAL
end

return function(root)
  root:command("ping", "Check that the appliance answers and accepts the token.")
  local command = root:command("call", "Call any run mode of the appliance with form fields name=value; prints the answer as JSON. Never retried.",
    "Example: scrutinizer call rm=get_known_objects type=devices")
  command:argument("fields", "Form fields; rm is the run mode."):args "+":argname "<name=value>"
  command = root:command("sandbox", "Run a simulated appliance in the foreground; only from a checkout of the repository.")
  command:option("--port", "HTTPS port (0: any free port)."):default "8443":convert(tonumber)
  command:option("--http-port", "HTTP port, without TLS."):default "8080":convert(tonumber)
  command:option("--state", "SQLite file that keeps the state across restarts."):argname "<file>"
  return { ping = ping, call = call, sandbox = sandbox }
end
