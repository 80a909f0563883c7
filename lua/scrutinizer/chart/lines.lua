--- Series as a gnuplot script: lines or stacked areas over time. With both directions, outbound is drawn below zero.

local ascii = require "scrutinizer.ascii"
local axis = require "scrutinizer.chart.axis"
local gnuplot = require "scrutinizer.chart.gnuplot"
local style = require "scrutinizer.chart.style"

local lines = {}

local add = style.add
local LABEL = 40 -- characters of a label in the legend

-- ---- series ----

-- Points as { [epoch] = number }. Text is a number that this Lua cannot hold exactly; a double is exact enough for a picture.
local function by_epoch(entry, sign)
  local values = {}
  for _, point in ipairs(entry.points) do values[point[1]] = ascii.number(point[2]) * sign end
  return values
end

local function add_values(to, values)
  for epoch, value in pairs(values) do to[epoch] = (to[epoch] or 0) + value end
end

-- The times of all points of all series, ascending.
local function grid_of(drawn)
  local seen, grid = {}, {}
  for _, item in ipairs(drawn) do
    for epoch in pairs(item.values) do
      if not seen[epoch] then seen[epoch], grid[#grid + 1] = true, epoch end
    end
  end
  table.sort(grid) -- numbers
  return grid
end

-- An entry's label.
local function label_of(entry, o)
  return (o.names and entry.dns or entry.label) or (entry.other and "Other") or "(no name)"
end

--- The series to draw; the rest of each direction is summed as Other. A label has the same colour in both directions.
---@param list scrutinizer.Series[]
---@param o table
---@return table[] drawn { label =, values =, color =, dash =, below = }
function lines.prepare(list, o)
  local drawn, colors, counts, rest, known = {}, {}, {}, {}, 0
  local both = false
  for _, entry in ipairs(list) do both = both or entry.direction ~= list[1].direction end
  for _, entry in ipairs(list) do
    local direction = entry.direction or "inbound"
    local below = both and direction == "outbound"
    local values, label = by_epoch(entry, below and -1 or 1), label_of(entry, o)
    counts[direction] = (counts[direction] or 0) + (entry.other and 0 or 1)
    if entry.other or counts[direction] > o.top then
      local other = rest[direction] or { label = "Other", values = {}, below = below, other = true, color = style.color(1, true), dash = 1 }
      rest[direction] = other
      add_values(other.values, values)
    else
      if not colors[label] then known, colors[label] = known + 1, known + 1 end
      local color, round = style.color(colors[label])
      drawn[#drawn + 1] = { label = label, values = values, below = below, color = color, dash = round + 1 }
    end
  end
  for _, direction in ipairs { "inbound", "outbound" } do drawn[#drawn + 1] = rest[direction] end
  return drawn, both
end

-- Stacks the series, per direction: `base` is the sum of the series below.
local function stack(drawn, grid)
  local tops = { [true] = {}, [false] = {} }
  for _, item in ipairs(drawn) do
    local top = tops[item.below]
    item.base = {}
    for _, epoch in ipairs(grid) do
      local base = top[epoch] or 0
      item.base[epoch], item.values[epoch] = base, base + (item.values[epoch] or 0)
      top[epoch] = item.values[epoch]
    end
  end
end

local function extremes(drawn)
  local low, high = 0, 0
  for _, item in ipairs(drawn) do
    for _, value in pairs(item.values) do low, high = math.min(low, value), math.max(high, value) end
  end
  return low, high
end

-- ---- data for gnuplot ----

-- A line goes through the middle of each bucket, and starts and ends at a bucket's edge. A bucket without a point is a gap in the line.
local function data_lines(item, grid, interval, origin)
  local out, before = {}, nil
  local function put(x, epoch)
    out[#out + 1] = ascii.format("%.1f %.15g %.15g", x - origin, item.values[epoch], item.base and item.base[epoch] or 0)
  end
  for _, epoch in ipairs(grid) do
    if item.values[epoch] then
      if not before or before + interval ~= epoch then
        if before then
          put(before + interval, before)
          out[#out + 1] = ""
        end
        put(epoch, epoch)
      end
      put(epoch + interval / 2, epoch)
      before = epoch
    end
  end
  if before then put(before + interval, before) end
  return table.concat(out, "\n")
end

local function data_blocks(script, drawn, grid, interval, origin)
  for i, item in ipairs(drawn) do add(script, "$d%d << EOD\n%s\nEOD", i, data_lines(item, grid, interval, origin)) end
end

-- ---- axes ----

local function time_marks(script, window, o, count)
  local list = {}
  for i, mark in ipairs(axis.times(window.from, window.to, count, o.place)) do
    local text, below = mark.text, mark.below
    -- A terminal has one line for marks: show the date instead of 00:00.
    if o.format == "text" then text, below = text == "00:00" and below or text, nil end
    list[i] = ("%s %d"):format(gnuplot.mark(text, below), mark.at - window.from)
  end
  add(script, "set xtics nomirror out scale 0.6 textcolor rgb '%s' (%s)", style.SOFT, table.concat(list, ", "))
  add(script, "set xrange [0:%d]", window.to - window.from)
end

-- Marks above zero, and below zero for outbound; the texts have no minus sign.
local function value_marks(script, low, high, o, count)
  local list, marks = {}, axis.values(math.max(high, -low), count, o.unit)
  local top, bottom = 0, 0
  for i, mark in ipairs(marks) do
    if i == 1 or marks[i - 1].at < high then
      list[#list + 1], top = ascii.format("%s %.15g", gnuplot.mark(mark.text), mark.at), mark.at
    end
    if i > 1 and marks[i - 1].at < -low then
      list[#list + 1], bottom = ascii.format("%s -%.15g", gnuplot.mark(mark.text), mark.at), -mark.at
    end
  end
  if top == bottom then top = marks[2].at end
  add(script, "set ytics nomirror scale 0 textcolor rgb '%s' (%s)", style.SOFT, table.concat(list, ", "))
  add(script, "set yrange [%.15g:%.15g]", bottom, top)
  return marks
end

local function widest(marks)
  local width = 0
  for _, mark in ipairs(marks) do width = math.max(width, style.text_width(mark.text)) end
  return width
end

-- ---- scripts ----

-- The plot command, and the labels in the order of its plots.
local function plots(drawn, o)
  local list, labels = {}, {}
  for i, item in ipairs(drawn) do
    -- Lines are drawn from the last to the first, so that the largest is on top.
    local at = (o.stacked or o.format == "text") and i or #drawn + 1 - i
    labels[at] = item.label
    if o.format == "text" then
      list[at] = ("$d%d using 1:2 with lines linetype %d title %s"):format(i, i, gnuplot.quote(gnuplot.cut(gnuplot.plain(item.label), LABEL)))
    elseif o.stacked then
      list[at] = ("$d%d using 1:2:3 with filledcurves fillcolor rgb '%s' fillstyle solid 0.88 noborder notitle"):format(i, item.color)
    else
      list[at] = ("$d%d using 1:2 with lines linewidth %s linecolor rgb '%s' dashtype %d notitle"):format(
        i, item.other and "1.5" or "2", item.color, item.dash)
    end
  end
  return "plot " .. table.concat(list, ", \\\n  "), labels
end

-- One entry for each label; for stacked areas in the order of the stack, from top to bottom.
local function legend_of(drawn, o)
  local items, seen = {}, {}
  for _, item in ipairs(drawn) do
    if not seen[item.label] then
      seen[item.label] = true
      items[#items + 1] = { text = gnuplot.cut(gnuplot.plain(item.label), LABEL), color = item.color, dash = item.dash, line = not o.stacked }
    end
  end
  if not o.stacked then return items end
  for i = 1, math.floor(#items / 2) do items[i], items[#items + 1 - i] = items[#items + 1 - i], items[i] end
  return items
end

-- Writes "inbound" and "outbound" into the plot's corners.
local function name_halves(script)
  add(script, "set label 'inbound' at graph 0.008, graph 0.965 left front textcolor rgb '%s'", style.SOFT)
  add(script, "set label 'outbound' at graph 0.008, graph 0.035 left front textcolor rgb '%s'", style.SOFT)
  add(script, "set arrow from graph 0, first 0 to graph 1, first 0 nohead front linewidth 1 linecolor rgb '%s'", style.SOFT)
end

local function picture(drawn, grid, o, window)
  local items, low, high = legend_of(drawn, o), extremes(drawn)
  local legend = style.text_width(o.place.name)
  for _, item in ipairs(items) do legend = math.max(legend, style.text_width(item.text)) end
  local right = math.min(legend + 72, o.width * 0.45)
  local count = math.max(2, math.floor((o.height - 120) / 62) * (low < 0 and 0.5 or 1))
  local left = 26 + widest(axis.values(math.max(high, -low), count, o.unit))
  local script = style.picture(o, left, right, 56)
  add(script, "set grid ytics noxtics back linetype 1 linewidth 1 linecolor rgb '%s'", style.GRID)
  add(script, "set border 1 linewidth 1 linecolor rgb '%s'", style.SOFT)
  time_marks(script, window, o, math.floor((o.width - left - right) / 70))
  value_marks(script, low, high, o, count)
  add(script, "set label %s at screen %.5f, screen %.5f left front textcolor rgb '%s'",
    gnuplot.quote(o.place.name), 1 - (right - 50) / o.width, 37 / o.height, style.SOFT)
  style.legend(script, o, o.width - right + 22, items)
  if low < 0 then name_halves(script) end
  data_blocks(script, drawn, grid, window.interval, window.from)
  local labels
  script[#script + 1], labels = plots(drawn, o)
  return script, labels
end

local function for_terminal(drawn, grid, o, window)
  local script = style.text(o)
  local low, high = extremes(drawn)
  time_marks(script, window, o, math.floor((o.width - 14) / 12))
  value_marks(script, low, high, o, math.max(2, math.floor((o.height - 6) / 4) * (low < 0 and 0.5 or 1)))
  data_blocks(script, drawn, grid, window.interval, window.from)
  local labels
  script[#script + 1], labels = plots(drawn, o)
  return script, labels
end

--- The script that draws prepared series.
---@param drawn table[]
---@param o table checked options
---@param interval integer seconds per bucket
---@return string script
---@return string[] labels of the plots, in order
function lines.script(drawn, o, interval)
  local grid = grid_of(drawn)
  local window = { from = grid[1], to = grid[#grid] + interval, interval = interval }
  if o.window then window.from, window.to = math.min(window.from, o.window.from), math.max(window.to, o.window.to) end
  if o.stacked then stack(drawn, grid) end
  local script, labels = (o.format == "text" and for_terminal or picture)(drawn, grid, o, window)
  return table.concat(script, "\n") .. "\n", labels
end

return lines
