--- `scrutinizer series`: a report's graph over time, as one row per point or as a picture.

local exit_status = require "scrutinizer.cli.exit_status"
local output = require "scrutinizer.cli.output"
local picture = require "scrutinizer.cli.chart"
local profile = require "scrutinizer.cli.profile"
local query = require "scrutinizer.cli.query_arguments"
local zone = require "scrutinizer.time.zone"

local FIELDS = { "time", "epoch", "direction", "label", "other" }

-- Returns the points one by one, in a row table that is reused.
local function points_of(list, name, place)
  local at, point, row = 1, 0, {}
  return function()
    local entry = list[at]
    while entry and not entry.points[point + 1] do at, point, entry = at + 1, 0, list[at + 1] end
    if not entry then return nil end
    point = point + 1
    local epoch = entry.points[point][1]
    row.time, row.epoch, row.direction, row.label, row.other = place:text(epoch), epoch, entry.direction, entry.label, entry.other
    row[name] = entry.points[point][2]
    return row
  end
end

local function series(args)
  local q = query.build(profile.connect(args), args)
  if args.format == "chart" then return picture.series(q, args, args.bytes and "bytes" or "bits/s") end
  local name = args.bytes and "bytes" or "bits_per_second"
  local list, err = q[args.bytes and "series" or "rates"](q)
  if not list then return nil, err end
  local fields = {}
  for i, field in ipairs(FIELDS) do fields[i] = field end
  fields[#fields + 1] = name
  local rows
  rows, err = output.write(points_of(list, name, zone.load(args.timezone or "UTC")), args, fields, { [name] = args.bytes and "bytes" or "bits" })
  if not rows then return nil, err end
  return exit_status.DONE
end

--- Adds the command; returns its handler.
return function(root)
  local command = root:command("series", "A report's graph over time, in bits/s: one series for each row of the report, and Other.",
    "Example: scrutinizer series srcHosts --last 24h --limit 7 --format chart --stacked -o sources.svg")
  query.options(command, true)
  command:flag("--bytes", "Bytes per bucket instead of bits/s; if the report is ordered by another column, that column's values.")
  output.options(command, true)
  picture.of_series(command)
  return { series = series }
end
