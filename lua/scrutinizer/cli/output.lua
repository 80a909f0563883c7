--- Where a command's rows go: format, file, progress.

local export = require "scrutinizer.export"

local output = {}

local FORMATS = { table = "table", csv = "csv", ndjson = "ndjson" }

--- Adds `--format`, `--output` and what goes with them.
---@param command table argparse's
---@return table command
function output.options(command)
  command:group("Output",
    command:option("--format", "table (default), csv or ndjson."):choices { "table", "csv", "ndjson" }:default "table",
    command:option("-o --output", "File: it appears when it is whole. Default: standard output."):argname "<file>",
    command:flag("--no-header", "csv, table: without the line of names."),
    command:flag("--guard", "csv: texts that a spreadsheet would run as a formula get a leading quote."),
    command:flag("--no-units", "table: numbers as exact digits."),
    command:flag("-q --quiet", "No progress on a terminal."))
  return command
end

local function is_terminal(descriptor)
  local ok, _, status = os.execute(("test -t %d"):format(descriptor))
  return ok == true or ok == 0 or (ok == nil and status == 0)
end

local function grouped(number)
  local text = ("%.0f"):format(number)
  return (text:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
end

-- "  45 %  123,456 of 270,000 rows  35.2 MB"
local function line_of(p)
  local line = p.total and p.total > 0 and ("%3d %%  "):format(math.floor(p.rows / p.total * 100)) or ""
  line = line .. grouped(p.rows) .. (p.total and " of " .. grouped(p.total) or "") .. " rows"
  return p.bytes and ("%s  %.1f MB"):format(line, p.bytes / 1e6) or line
end

-- Progress for people: only where stderr is a terminal that stdout's rows do not go to. Gives the listener, and what wipes the line.
local function progress(args)
  if args.quiet or not is_terminal(2) or (not args.output and is_terminal(1)) then return nil, function() end end
  local last, now = 0, require("scrutinizer.core").now
  return function(p)
    if now() - last < 0.1 then return end
    last = now()
    io.stderr:write("\r\27[K", line_of(p))
  end, function()
    if last > 0 then io.stderr:write "\r\27[K" end
  end
end

--- Writes rows in the format asked for.
---@param given scrutinizer.ExportSource
---@param args table
---@param columns? table fields in order
---@return integer? rows
---@return scrutinizer.Error? err
function output.write(given, args, columns)
  local format = FORMATS[args.format]
  local options = { columns = columns }
  if format ~= "ndjson" then options.header = not args.no_header end
  if format == "csv" then options.guard = args.guard or false end
  if format == "table" and args.no_units then options.units = false end
  local wipe
  options.on_progress, wipe = progress(args)
  local rows, err = export[format](given, args.output or io.stdout, options)
  wipe()
  if rows and not args.output then
    local ok, why = io.stdout:flush()
    if not ok then return nil, require("scrutinizer.errors").new("file", "standard output: " .. tostring(why)) end
  end
  return rows, err
end

return output
