--- A command's output: format, file, progress.

local errors = require "scrutinizer.errors"
local export = require "scrutinizer.export"
local progress = require "scrutinizer.cli.progress"
local terminal = require "scrutinizer.cli.terminal"

local output = {}

--- Adds `--format`, `--output` and related options.
---@param command table argparse's
---@param charts? boolean whether to allow `--format chart`
---@return table command
function output.options(command, charts)
  local formats = { "table", "csv", "ndjson", charts and "chart" or nil }
  command:group("Output",
    command:option("--format", table.concat(formats, ", ") .. "."):choices(formats):default "table",
    command:option("-o --output", "File to write; it appears only when it is complete. Default: standard output."):argname "<file>",
    command:flag("--no-header", "csv, table: omit the line of column names."),
    command:flag("--guard", "csv: put a quote before text that a spreadsheet would run as a formula."),
    command:flag("--no-units", "table: print all digits of numbers, without units."),
    command:flag("-q --quiet", "Show no progress."))
  return command
end

--- Flushes standard output: returns `value`, or nil and err when it cannot be written.
---@param value any
function output.flushed(value)
  local ok, why = io.stdout:flush()
  if ok then return value end
  return errors.fail("file", "standard output: " .. tostring(why))
end

--- Writes rows in the chosen format.
---@param given scrutinizer.ExportSource
---@param args table
---@param columns? table fields in order
---@param units? table as `export.table` takes them
---@return integer? rows
---@return scrutinizer.Error? err
function output.write(given, args, columns, units)
  local format = args.format
  local options = { columns = columns }
  if format == "csv" or format == "table" then options.header = not args.no_header end
  if format == "csv" then options.guard = args.guard or false end
  if format == "table" then options.units = not args.no_units and units or (args.no_units and false or nil) end
  local wipe
  options.on_progress, wipe = progress.listener(args)
  local rows, err = export[format](given, args.output or terminal.output(), options)
  wipe()
  if rows and not args.output then return output.flushed(rows) end
  return rows, err
end

return output
