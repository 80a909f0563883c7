--- `--format chart`: draws rows and series, in a file or on the terminal.

local chart = require "scrutinizer.chart"
local exit_status = require "scrutinizer.cli.exit_status"
local output = require "scrutinizer.cli.output"
local terminal = require "scrutinizer.cli.terminal"

local picture = {}

local function shared(command)
  return command:option("--title", "The picture's title."):argname "<text>",
    command:option("--top", "Number of series, bars or slices; the rest is summed as Other."):argname "<n>":convert(tonumber),
    command:option("--width", "Pixels (default 960), or columns (default: the terminal's)."):argname "<n>":convert(tonumber),
    command:option("--height", "Pixels (default 480), or lines (default 24)."):argname "<n>":convert(tonumber)
end

--- Adds the options of charts of rows.
function picture.of_rows(command)
  command:group("Chart: -o file.svg, file.png or file.txt, else text on standard output",
    command:option("--chart", "bars (default) or pie."):choices { "bars", "pie" }:default "bars":show_default(false),
    command:option("--label", "Fields that name a row, separated by commas (default: its text fields)."):argname "<fields>",
    command:option("--value", "The field to draw (default: octets)."):argname "<field>", shared(command))
end

--- Adds the options of charts of series.
function picture.of_series(command)
  command:group("Chart: -o file.svg, file.png or file.txt, else text on standard output",
    command:flag("--stacked", "Stacked areas instead of lines."),
    command:flag("--names", "Host names instead of addresses, if the appliance knows them."), shared(command))
end

-- The chart's options from the arguments, for a file or for standard output.
local function options_of(args)
  local o = { title = args.title, top = args.top, width = args.width, height = args.height }
  if not args.output then o.format, o.width = "text", o.width or terminal.width() end
  return o
end

local function finish(args, ok, err)
  if ok and not args.output then ok, err = output.flushed(true) end
  if not ok then return nil, err end
  return exit_status.DONE
end

--- Draws rows.
---@param given scrutinizer.ExportSource
---@param args table
---@return integer? status
---@return scrutinizer.Error? err
function picture.rows(given, args)
  local o = options_of(args)
  o.value = args.value
  if args.label then
    o.label = {}
    for field in args.label:gmatch "[^,]+" do o.label[#o.label + 1] = field end
  end
  return finish(args, chart[args.chart](given, args.output or io.stdout, o))
end

--- Draws series.
---@param given scrutinizer.Query
---@param args table
---@param unit "bits/s"|"bytes"
---@return integer? status
---@return scrutinizer.Error? err
function picture.series(given, args, unit)
  local o = options_of(args)
  o.unit, o.stacked, o.names = unit, args.stacked or false, args.names or false
  if o.format == "text" then o.colors = terminal.is(1) and not os.getenv "NO_COLOR" end
  return finish(args, chart.series(given, args.output or io.stdout, o))
end

return picture
