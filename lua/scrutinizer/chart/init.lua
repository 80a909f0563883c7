--- Pictures of reports, drawn by gnuplot as SVG, PNG or text: series over time, rings of shares, bars of the largest.
---
--- Labels are text from outside: they are written for gnuplot as octal codes, so gnuplot never runs or interprets them.

local ascii = require "scrutinizer.ascii"
local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local files = require "scrutinizer.files"
local gnuplot = require "scrutinizer.chart.gnuplot"
local lines = require "scrutinizer.chart.lines"
local suggest = require "scrutinizer.suggest"
local shares = require "scrutinizer.chart.shares"
local source = require "scrutinizer.export.source"
local sink = require "scrutinizer.sink"
local window = require "scrutinizer.time.window"
local zone = require "scrutinizer.time.zone"

local axis = require "scrutinizer.chart.axis"

local chart = {}

---@class scrutinizer.ChartOptions
---@field format? "svg"|"png"|"text" default: by the path's end (.svg, .png, .txt); "text" for other targets
---@field width? integer   pixels (default 960; PNG files have twice as many), or columns (default 80)
---@field height? integer  pixels (default 480), or lines (default 24)
---@field title? string
---@field subtitle? string default: the query's report type, window and direction
---@field timezone? string IANA zone of the time axis; default: the query's, else UTC
---@field unit? string     series: "bits/s" (default for a query) or "bytes"; required for a list: one of these, or any text.
---   pie, bars: "bytes", "bits", "count" or any text; default: by the column's name
---@field top? integer     number of series (default 12, per direction), parts (default 8) or bars (default 10); the rest is summed as Other
---@field stacked? boolean series: stacked areas (default false: lines)
---@field names? boolean   series: host names in place of addresses, where the appliance knows them
---@field colors? boolean  series as text: with a terminal's colours
---@field label? string|string[]|fun(row: table): string pie, bars: the field or fields that name a row; default: its texts
---@field value? string    pie, bars: the field that is drawn; default: octets, else the first number

local FORMATS = { svg = true, png = true, text = true }
local ENDINGS = { svg = "svg", png = "png", txt = "text" }

local SHARED = {
  format = "string", width = "number", height = "number", title = "string", subtitle = "string", timezone = "string", unit = "string",
  top = "number",
}
local OPTIONS = {
  series = { stacked = "boolean", names = "boolean", colors = "boolean" },
  pie = { label = "label", value = "string" },
  bars = { label = "label", value = "string" },
}
local LABELS = { string = true, table = true, ["function"] = true }

-- ---- options ----

local function check_value(kind, name, value)
  local allowed = OPTIONS[kind][name] or SHARED[name]
  if not allowed then
    local known = {}
    for _, list in ipairs { OPTIONS[kind], SHARED } do
      for other in pairs(list) do known[other] = true end
    end
    return check.message(kind .. ": option", name, table.concat(check.sorted_keys(known), ", "),
      suggest.did_you_mean(suggest.nearest(tostring(name), known)))
  end
  if allowed == "label" then
    return not LABELS[type(value)] and check.message("pie, bars: label", value, "a field, a list of fields, or a function(row)") or nil
  end
  if type(value) ~= allowed then return check.message(kind .. ": " .. name, value, "a " .. allowed) end
  if name == "format" and not FORMATS[value] then return check.message(kind .. ": format", value, "svg, png, text") end
  if name == "top" and not check.integer(value, 1, 1000) then return check.message(kind .. ": top", value, "a whole number from 1 to 1000") end
  local hint = name == "timezone" and select(2, zone.load(value))
  if hint then return check.message(kind .. ": timezone", value, "an IANA zone", hint) end
end

local SIZES = { picture = { width = { 960, 200, 8000 }, height = { 480, 150, 8000 } }, text = { width = { 80, 30, 500 }, height = { 24, 8, 500 } } }

local function check_sizes(kind, o)
  for name, size in pairs(SIZES[o.format == "text" and "text" or "picture"]) do
    o[name] = o[name] or size[1]
    if not check.integer(o[name], size[2], size[3]) then
      return check.message(kind .. ": " .. name, o[name], ("a whole number from %d to %d"):format(size[2], size[3]))
    end
  end
end

-- The options, checked and filled. Misuse raises at `level`, the line that called the chart.
local function check_options(kind, out, options, level)
  if options ~= nil and type(options) ~= "table" then error(check.message(kind .. ": options", options, "a table"), level) end
  if not (type(out) == "string" and out ~= "" and not out:find "%z") and type(out) ~= "function" and not files.is_open(out) then
    error(check.message(kind .. ": target", out, "a path, a file open for writing, or a function(text)"), level)
  end
  local o = {}
  for name, value in pairs(options or {}) do
    local complaint = check_value(kind, name, value)
    if complaint then error(complaint, level) end
    o[name] = value
  end
  local ending = type(out) == "string" and out:match "%.([A-Za-z0-9]+)$"
  o.format = o.format or (type(out) ~= "string" and "text") or (ending and ENDINGS[ascii.lower(ending)])
  if not o.format then
    error(check.message(kind .. ": target", out, "a path that ends in .svg, .png or .txt, or any path with the option format"), level)
  end
  local complaint = check_sizes(kind, o)
  if complaint then error(complaint, level) end
  return o
end

local function spec_of(given)
  return type(given) == "table" and type(given.series) == "function" and type(given.rows) == "function" and given._spec or nil
end

local function span_text(seconds)
  for _, unit in ipairs { { 86400, "days" }, { 3600, "hours" }, { 60, "minutes" } } do
    if seconds % unit[1] == 0 and seconds >= 2 * unit[1] then return ("last %d %s"):format(seconds / unit[1], unit[2]) end
  end
  return ("last %d seconds"):format(seconds)
end

-- Defaults from the query: its zone, its window, its description.
local function adopt(o, spec, note)
  local timezone = o.timezone or (spec and spec.timezone) or "UTC"
  o.place = zone.load(timezone) or zone.load "UTC"
  if not spec then return end
  local asked = (window.settle(spec) or spec).times or {} -- times that cannot be settled raise when the query runs
  if asked.from and not spec.fields.times then o.window = { from = asked.from, to = asked.to } end
  if o.subtitle then return end
  local span = o.window and ("%s to %s"):format(axis.moment(asked.from, o.place), axis.moment(asked.to, o.place))
    or asked.range or (asked.last and span_text(asked.last))
  local words = { spec.type, table.concat(spec.directions, " and ") }
  if span then words[#words + 1] = span .. " " .. o.place.name end
  words[#words + 1] = note
  o.subtitle = table.concat(words, ", ")
end

-- ---- running ----

local function write(to, text)
  local ok, err = to:write(text)
  if ok then ok, err = to:finish() end
  if ok then return true end
  to:abort()
  return nil, err
end

-- Opens the target, draws, writes: a chart that cannot be drawn leaves a file as it was.
local function give(out, draw)
  local to, err = sink.open(out)
  if not to then return nil, err end
  local ok, picture, why = pcall(draw)
  if not (ok and picture) then to:abort() end
  if not ok then error(picture, 0) end
  if not picture then return nil, why end
  return write(to, picture)
end

local function no_data(what)
  return errors.fail("api", ("there is nothing to draw: %s"):format(what))
end

local function check_list(given)
  if type(given) ~= "table" or (given[1] == nil and next(given) ~= nil) then return false end
  for _, entry in ipairs(given) do
    if type(entry) ~= "table" or type(entry.points) ~= "table" then return false end
  end
  return true
end

-- A script's picture.
local function draw(script, labels, o)
  local picture, err = gnuplot.draw(script)
  if not picture then return nil, err end
  if o.format == "svg" then return gnuplot.name_parts(picture, o.title or o.subtitle, labels) end
  -- A terminal needs no blank lines around it.
  if o.format == "text" then return (("\n" .. picture):gsub("^%s*\n", ""):gsub("[ \f]+\n", "\n"):gsub("%s*$", "\n")) end
  return picture
end

-- The list to draw: the query's own, or the one given.
local function series_of(given, o)
  if not spec_of(given) then return given end
  o.unit = o.unit or "bits/s"
  -- No tail calls: they would hide this file's name from what `rates` raises.
  local list, err
  if o.unit == "bits/s" then list, err = given:rates() else list, err = given:series() end
  return list, err
end

local function draw_series(given, o)
  local list, err = series_of(given, o)
  if not list then return nil, err end
  local interval, points
  for _, entry in ipairs(list) do interval, points = interval or entry.interval, points or entry.points[1] end
  if not points then return no_data "the report has no series with a point in it" end
  if not interval then return no_data "no series has a bucket length (interval)" end
  local script, labels = lines.script(lines.prepare(list, o), o, interval)
  return draw(script, labels, o)
end

--- Draws a report's graph over time, from a query (it runs `rates`, or `series` with unit = "bytes") or from the list that these give. Where
--- both directions are there, outbound goes down from zero.
---@param given scrutinizer.Query|scrutinizer.Series[]
---@param out scrutinizer.ExportTarget a path is written aside and renamed
---@param options? scrutinizer.ChartOptions
---@return true?
---@return scrutinizer.Error? err the report's; kind "api" when there is nothing to draw; "file" without gnuplot or when a file cannot be written
function chart.series(given, out, options)
  local o = check_options("series", out, options, 3)
  local spec = spec_of(given)
  if not spec and not check_list(given) then error(check.message("series: source", given, "a query, or the list of its series or rates"), 2) end
  if not spec and not o.unit then error(check.message("series: unit", nil, '"bits/s" for rates, "bytes" for series, or any text'), 2) end
  o.top = o.top or 12
  adopt(o, spec, o.unit ~= "bytes" and "bits/s" or "bytes")
  local ok, done, err = pcall(give, out, function() return draw_series(given, o) end)
  if ok then return errors.result(done, err) end
  -- Misuse that `rates` and `series` report is raised at the caller's line.
  local wrong = type(done) == "string" and done:match "^[^\n]-chart/init%.lua:%d+: ([a-z]+: .*)$"
  error(wrong or done, wrong and 2 or 0)
end

-- Ends the drawing; raised again at the caller's line.
local function misuse(message)
  error({ misuse = message }, 0)
end

local function shown_number(value)
  return type(value) == "number" or type(value) == "cdata" or (type(value) == "string" and value:find "^%-?%d+%.?%d*$" ~= nil)
end

-- The fields to draw by default: octets, else the first number; and all texts as the label.
local function choose(fields, row, o)
  local texts, numbers = {}, {}
  for _, field in ipairs(fields) do
    local numeric = type(row[field.field]) == "number" or type(row[field.field]) == "cdata" or field.column:find "^sum_"
    local passed = field.column == "rank" or field.column == "percenttotal" or field.column:find "_epoch$"
    if numeric and not passed then
      table.insert(numbers, field.column:find "octet" and 1 or #numbers + 1, field)
    elseif not passed then
      texts[#texts + 1] = field.field
    end
  end
  local value = numbers[1]
  for _, field in ipairs(fields) do
    if field.field == o.value then value = field end
  end
  o.value = o.value or (value and value.field)
  o.label = o.label or texts
  if not o.unit then
    local column = value and value.column or o.value or ""
    o.unit = column:find "octet" and "bytes" or "count"
  end
end

local function label_text(row, label)
  if type(label) == "function" then return tostring(label(row)) end
  if type(label) == "string" then label = { label } end
  local parts = {}
  for _, field in ipairs(label) do
    if row[field] ~= nil then parts[#parts + 1] = tostring(row[field]) end
  end
  return #parts > 0 and table.concat(parts, " – ") or "(no name)"
end

local function reader(kind, o)
  return function(row)
    local value = row[o.value]
    if value == nil then return label_text(row, o.label), 0 end
    if not shown_number(value) then
      misuse(check.message(("%s: value: field %s"):format(kind, check.show(o.value)), value, "a field of numbers"))
    end
    return label_text(row, o.label), math.max(0, ascii.number(value))
  end
end

-- Draws the rows; the subtitle tells if there are more.
local function draw_shares(kind, from, o, spec)
  local first, err = from.next(from.state)
  if err then return nil, err end
  if not first then return no_data "the report has no rows" end
  choose(from:fields(nil, first), first, o)
  if not o.value then misuse(kind .. ": no field of the rows is a number; set value to a field") end
  local ahead = first
  local found
  found, err = shares.read(function()
    local row, why = ahead, nil
    ahead = nil
    if not row then row, why = from.next(from.state) end
    return row, why
  end, reader(kind, o), o.top)
  if not found then return nil, err end
  if found.sum <= 0 then return no_data(("field %s is zero in all rows"):format(check.show(o.value))) end
  local total = from.cursor and from.cursor.total
  adopt(o, spec, total and total > found.rows and ("%d of %d rows"):format(found.rows, total) or nil)
  o.shares = kind == "pie"
  if o.format == "text" then return shares.text(found, o) end
  local labels = {}
  for i, entry in ipairs(found.list) do labels[i] = entry.label end
  return draw((kind == "pie" and shares.ring or shares.bars)(found, o), labels, o)
end

local function rows_chart(kind, given, out, options)
  local o = check_options(kind, out, options, 4)
  o.top = o.top or (kind == "pie" and 8 or 10)
  local from, allowed = source.open(given)
  -- Of series, say, the first number would be drawn: the length of a bucket.
  if from and from.odd and not (o.label and o.value) then
    from, allowed = nil, ("rows of plain values: %s holds a table; say label and value"):format(check.show(from.odd))
  end
  if not from then error(check.message(kind .. ": source", given, allowed), 3) end
  local ok, drawn, err = pcall(give, out, function() return draw_shares(kind, from, o, spec_of(given)) end)
  from:close()
  if ok then return drawn, err end
  local wrong = type(drawn) == "table" and drawn.misuse
  error(wrong or drawn, wrong and 3 or 0)
end

--- Draws the shares of rows as a ring, from any source that `scrutinizer.export` accepts; as text they are bars with percentages. Shares are of the
--- rows given: if there are more rows, the subtitle tells so.
---@param given scrutinizer.ExportSource
---@param out scrutinizer.ExportTarget
---@param options? scrutinizer.ChartOptions
---@return true?
---@return scrutinizer.Error? err as with `series`
function chart.pie(given, out, options)
  return errors.result(rows_chart("pie", given, out, options))
end

--- Draws the largest rows as bars, from any source that `scrutinizer.export` accepts. As text this needs no gnuplot.
---@param given scrutinizer.ExportSource
---@param out scrutinizer.ExportTarget
---@param options? scrutinizer.ChartOptions
---@return true?
---@return scrutinizer.Error? err as with `series`
function chart.bars(given, out, options)
  return errors.result(rows_chart("bars", given, out, options))
end

return chart
