--- Rows as bars or as a ring: one label and one value per row, the largest first, the rest summed.

local ascii = require "scrutinizer.ascii"
local axis = require "scrutinizer.chart.axis"
local gnuplot = require "scrutinizer.chart.gnuplot"
local style = require "scrutinizer.chart.style"

local shares = {}

local add = style.add

-- ---- the largest ----

-- Inserts an entry into the list of the largest; the entry that drops out is added to the rest.
local function place(list, entry, top, rest)
  local at = #list + 1
  while at > 1 and list[at - 1].value < entry.value do at = at - 1 end
  table.insert(list, at, entry)
  if #list > top then
    local last = table.remove(list)
    rest.value, rest.count = rest.value + last.value, rest.count + 1
  end
end

--- Reads all rows and keeps the largest. If there are more, the last entry of the list is the rest, with `other` set.
---@param next_row fun(): table?, scrutinizer.Error?
---@param read fun(row: table): string, number
---@param top integer
---@return { list: table[], sum: number, rows: integer }? found
---@return scrutinizer.Error? err
function shares.read(next_row, read, top)
  local list, rest, sum, rows = {}, { label = "Other", value = 0, count = 0, other = true }, 0, 0
  local row, err = next_row()
  while row do
    local label, value = read(row)
    rows, sum = rows + 1, sum + value
    place(list, { label = label, value = value }, top, rest)
    row, err = next_row()
  end
  if err then return nil, err end
  for i, entry in ipairs(list) do entry.color = style.color(i) end
  if rest.count > 0 then
    rest.color = style.color(1, true)
    list[#list + 1] = rest
  end
  return { list = list, sum = sum, rows = rows }
end

local function percent(value, sum)
  return ascii.format("%.1f %%", sum > 0 and value / sum * 100 or 0)
end

-- ---- the ring ----

-- gnuplot counts degrees counterclockwise from three o'clock; the largest part begins at twelve o'clock and goes clockwise.
local function slices(script, found)
  local plots, at = {}, 0
  for i, entry in ipairs(found.list) do
    local from = at
    at = at + (found.sum > 0 and entry.value / found.sum * 360 or 0)
    add(script, "$d%d << EOD\n0 0 1 %.6f %.6f\nEOD", i, 90 - at, 90 - from)
    plots[i] = ("$d%d using 1:2:3:4:5 with circles fillcolor rgb '%s' fillstyle solid border linecolor rgb '#FFFFFF' linewidth 1.5 notitle"):format(
      i, entry.color)
  end
  plots[#plots + 1] = "'+' using (0):(0):(0.58) every ::0::0 with circles fillcolor rgb '#FFFFFF' fillstyle solid noborder notitle"
  return "plot " .. table.concat(plots, ", \\\n  ")
end

--- The script of a ring: the parts, and their sum in the middle.
---@param found table see `read`
---@param o table checked options
---@return string
function shares.ring(found, o)
  local right = o.width - math.min(o.width * 0.5, o.height)
  local script, items = style.picture(o, 20, right, 20), {}
  add(script, "set size ratio -1\nset angles degrees\nset xrange [-1.05:1.05]\nset yrange [-1.05:1.05]")
  for i, entry in ipairs(found.list) do
    items[i] = {
      text = gnuplot.cut(gnuplot.plain(entry.label), math.floor((right - 200) / 7.3)), color = entry.color,
      columns = { axis.value(entry.value, o.unit), percent(entry.value, found.sum) },
    }
  end
  add(script, "set label %s at 0, 0.07 center front font ',%s' textcolor rgb '%s'", gnuplot.quote(axis.value(found.sum, o.unit)),
    o.format == "png" and "14" or "19", style.INK)
  add(script, "set label 'in all' at 0, -0.1 center front textcolor rgb '%s'", style.SOFT)
  style.legend(script, o, o.width - right + 16, items)
  local plot = slices(script, found)
  script[#script + 1] = plot
  return table.concat(script, "\n") .. "\n"
end

-- ---- bars ----

local function bar_marks(script, found, o, left)
  local names = {}
  for i, entry in ipairs(found.list) do
    local room = math.floor((left - 24) / 7.3)
    names[i] = ("%s %d"):format(gnuplot.mark(gnuplot.cut(gnuplot.plain(entry.label), room)), -i)
    add(script, "set label %s at %.15g, %d left front offset character 0.8, 0 textcolor rgb '%s'", gnuplot.quote(axis.value(entry.value, o.unit)),
      entry.value, -i, style.SOFT)
  end
  add(script, "set ytics nomirror scale 0 textcolor rgb '%s' (%s)", style.INK, table.concat(names, ", "))
end

--- The script of horizontal bars.
---@param found table see `read`
---@param o table checked options
---@return string
function shares.bars(found, o)
  local widest, most, plots = 0, 0, {}
  for _, entry in ipairs(found.list) do
    widest, most = math.max(widest, style.text_width(gnuplot.plain(entry.label))), math.max(most, entry.value)
  end
  local left = math.min(widest, o.width * 0.45) + 30
  local script = style.picture(o, left, 100, 24)
  add(script, "set xrange [0:%.15g]\nset yrange [-%.1f:-0.4]", most > 0 and most or 1, #found.list + 0.6)
  bar_marks(script, found, o, left)
  for i, entry in ipairs(found.list) do
    add(script, "$d%d << EOD\n0 %d 0 %.15g %.2f %.2f\nEOD", i, -i, entry.value, -i - 0.34, -i + 0.34)
    plots[i] = ("$d%d using 1:2:3:4:5:6 with boxxyerror fillcolor rgb '%s' fillstyle solid noborder notitle"):format(
      i, entry.other and entry.color or style.color(1))
  end
  add(script, "set arrow from graph 0, graph 0 to graph 0, graph 1 nohead front linewidth 1 linecolor rgb '%s'", style.SOFT)
  return table.concat(script, "\n") .. "\nplot " .. table.concat(plots, ", \\\n  ") .. "\n"
end

-- ---- terminals ----

local EIGHTHS = { "▏", "▎", "▍", "▌", "▋", "▊", "▉" }

local function bar_text(part, width)
  local eighths = math.floor(part * width * 8 + 0.5)
  local whole = math.floor(eighths / 8)
  return ("█"):rep(whole) .. (EIGHTHS[eighths % 8] or "")
end

local function pad(text, width)
  return text .. (" "):rep(width - #(text:gsub("[\128-\191]", "")))
end

--- Bars for a terminal, made of block characters, without gnuplot.
---@param found table see `read`
---@param o table checked options
---@return string
function shares.text(found, o)
  local label, value, most, lines = 0, 0, 0, {}
  for _, entry in ipairs(found.list) do
    entry.shown = gnuplot.cut(gnuplot.plain(entry.label), math.max(10, math.floor(o.width * 0.45)))
    entry.size = axis.value(entry.value, o.unit)
    label = math.max(label, #(entry.shown:gsub("[\128-\191]", "")))
    value, most = math.max(value, #entry.size), math.max(most, entry.value)
  end
  if o.title then lines[1] = gnuplot.plain(o.title) end
  if o.subtitle then lines[#lines + 1] = gnuplot.plain(o.subtitle) end
  local width = math.max(8, o.width - label - value - (o.shares and 14 or 4))
  for _, entry in ipairs(found.list) do
    local line = ("%s  %s  %" .. value .. "s"):format(
      pad(entry.shown, label), pad(bar_text(most > 0 and entry.value / most or 0, width), width), entry.size)
    lines[#lines + 1] = line .. (o.shares and ("  %7s"):format(percent(entry.value, found.sum)) or "")
  end
  return table.concat(lines, "\n") .. "\n"
end

return shares
