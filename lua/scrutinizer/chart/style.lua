--- Common parts of all charts: colours that colour-blind people can distinguish, the frame, title and legend.

local ascii = require "scrutinizer.ascii"
local gnuplot = require "scrutinizer.chart.gnuplot"

local style = {}

local quote = gnuplot.quote

-- The colours of Okabe and Ito; violet and brown replace yellow (too weak on white) and black (too strong).
local COLORS = { "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#6A4C93", "#8C6D1F" }
local OTHER = "#B4B8BD"

style.INK, style.SOFT, style.GRID = "#24292F", "#6B7280", "#E3E6EA"

-- When the colours are used a second time they are paler, then darker.
local TINTS = { [0] = { 1, 0 }, { 0.55, 0.45 * 255 }, { 0.6, 0 } }

--- The colour of entry i, and how many times all colours were used before.
---@param i integer from 1
---@param other? boolean
---@return string color
---@return integer round from 0
function style.color(i, other)
  if other then return OTHER, 0 end
  local round = math.floor((i - 1) / #COLORS)
  local scale, add = TINTS[round % 3][1], TINTS[round % 3][2]
  local color = COLORS[(i - 1) % #COLORS + 1]:gsub("%x%x", function(part) return ("%02X"):format(math.floor(tonumber(part, 16) * scale + add)) end)
  return color, round
end

--- Appends `string.format(text, ...)` to the script.
function style.add(script, text, ...)
  script[#script + 1] = ascii.format(text, ...)
end

local TERMINALS = {
  svg = function(o) return ("svg size %d,%d dynamic noenhanced background rgb '#FFFFFF' font 'sans-serif,13'"):format(o.width, o.height) end,
  png = function(o)
    return ("pngcairo size %d,%d noenhanced fontscale 2 linewidth 2 background rgb '#FFFFFF' font 'sans,9.5'"):format(o.width * 2, o.height * 2)
  end,
  text = function(o) return ("dumb size %d,%d noenhanced nofeed %s"):format(o.width, o.height, o.colors and "ansi256" or "mono") end,
}

-- Height of title and subtitle in pixels.
local function head_height(o)
  return 24 + (o.title and 26 or 0) + (o.subtitle and 24 or 0)
end

local function head(script, o, text, y, size, color)
  if text then
    style.add(script, "set label %s at screen %.5f, screen %.5f left front font ',%s' textcolor rgb '%s'",
      quote(gnuplot.cut(text, math.floor(o.width / 9))), 20 / o.width, 1 - y / o.height, size, color)
  end
end

--- The beginning of a script for pictures: terminal, title and subtitle, and margins in pixels.
---@param o table checked options
---@param left number
---@param right number
---@param bottom number
---@return string[] script
function style.picture(o, left, right, bottom)
  local script, png = { "set encoding utf8", "set terminal " .. TERMINALS[o.format](o), "unset key", "set border 0", "unset xtics", "unset ytics" },
    o.format == "png"
  style.add(script, "set lmargin at screen %.5f", left / o.width)
  style.add(script, "set rmargin at screen %.5f", 1 - right / o.width)
  style.add(script, "set tmargin at screen %.5f", 1 - head_height(o) / o.height)
  style.add(script, "set bmargin at screen %.5f", bottom / o.height)
  head(script, o, o.title, 26, png and "12.5" or "17", style.INK)
  head(script, o, o.subtitle, o.title and 49 or 26, png and "9" or "12", style.SOFT)
  return script
end

--- The beginning of a script for a terminal.
---@param o table checked options
---@return string[] script
function style.text(o)
  local script = { "set encoding utf8", "set terminal " .. TERMINALS.text(o), "set border 3", "set key below left noenhanced" }
  local title, below = o.title or o.subtitle, o.title and o.subtitle
  if title then style.add(script, "set title %s", gnuplot.lines(gnuplot.cut(title, o.width - 4), below and gnuplot.cut(below, o.width - 4))) end
  return script
end

--- A legend: one entry below the other.
---@param script string[]
---@param o table
---@param x number pixels from the left
---@param items { text: string, color: string, dash?: integer, line?: boolean, columns?: string[] }[] columns: more texts, the last at the
---   picture's right edge
function style.legend(script, o, x, items)
  for i, item in ipairs(items) do
    local y = 1 - (head_height(o) + 8 + (i - 1) * 21) / o.height
    if item.line then
      style.add(script, "set arrow from screen %.5f, screen %.5f to screen %.5f, screen %.5f nohead front linewidth 2.5 "
        .. "linecolor rgb '%s' dashtype %d", x / o.width, y, (x + 20) / o.width, y, item.color, item.dash or 1)
    else
      style.add(script, "set object rectangle from screen %.5f, screen %.5f to screen %.5f, screen %.5f front "
        .. "fillcolor rgb '%s' fillstyle solid noborder", (x + 4) / o.width, y - 6 / o.height, (x + 16) / o.width, y + 6 / o.height, item.color)
    end
    style.add(script, "set label %s at screen %.5f, screen %.5f left front textcolor rgb '%s'", quote(item.text), (x + 28) / o.width, y, style.INK)
    for n, text in ipairs(item.columns or {}) do
      style.add(script, "set label %s at screen %.5f, screen %.5f right front textcolor rgb '%s'",
        quote(text), 1 - (20 + (#item.columns - n) * 66) / o.width, y, style.SOFT)
    end
  end
end

--- A text's approximate width in pixels; no font metrics are available here.
---@param text string
---@return number
function style.text_width(text)
  return #(text:gsub("[\128-\191]", "")) * 7.3
end

return style
