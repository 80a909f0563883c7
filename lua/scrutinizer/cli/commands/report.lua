--- `scrutinizer report` and `scrutinizer explain`.

local exit_status = require "scrutinizer.cli.exit_status"
local output = require "scrutinizer.cli.output"
local picture = require "scrutinizer.cli.chart"
local profile = require "scrutinizer.cli.profile"
local query = require "scrutinizer.cli.query_arguments"
local windows = require "scrutinizer.cli.windows"

local function report(args)
  local client = profile.connect(args)
  local q, order = query.build(client, args)
  local status, err = windows.run(q, args, client)
  if status or err then return status, err end
  if args.format == "chart" then return picture.rows(q, args) end
  local rows
  rows, err = output.write(q, args, order)
  if not rows then return nil, err end
  return exit_status.DONE
end

-- Prints the request and does not send it.
local function explain(args)
  local q = query.build(profile.connect(args), args)
  local form, err = q:request()
  if not form then return nil, err end
  for _, name in ipairs { "rm", "action", "rpt_json", "data_requested" } do print(("%-14s  %s"):format(name, form[name])) end
  print("\n" .. q:url() .. "\n\n" .. q:curl() .. "\n\n" .. q:explain())
  return exit_status.DONE
end

--- Adds the commands; returns their handlers.
return function(root)
  local command = root:command("report", "Rows of a flow report.",
    "Example: scrutinizer report host2host --last 24h --where ip=10.1.1.1 --select src=sourceipaddress,octets=sum_octetdeltacount --limit 50")
  output.options(query.options(command), true)
  picture.of_rows(command)
  windows.options(command)
  query.options(root:command("explain", "Show what report would send: the form, the URL, a curl command, and a description. Only "
    .. "names are looked up at the appliance."))
  return { report = report, explain = explain }
end
