--- The usage curve as SVG: the samples, the percentile's line, the discarded samples as dots above it, the commit. Its coordinates are floats;
--- no amount is computed from them.

local ascii = require "scrutinizer.ascii"
local bigint = require "scrutinizer.arithmetic.bigint"
local fraction = require "scrutinizer.arithmetic.fraction"
local figures = require "scrutinizer.billing.output.figures"
local zone = require "scrutinizer.time.zone"

local curve = {}

local WIDTH, HEIGHT = 960, 300
local LEFT, RIGHT, TOP, BOTTOM = 70, 950, 12, 270
local COLORS = { "#2b6cb0", "#2f855a" }

-- A whole number divided by a power of ten, so that its digits fit into a float.
local function number(value, unit)
  if unit ~= 1 then value = bigint.divide(value, unit, "down") end
  return tonumber(bigint.text(value))
end

-- The power of ten for octets of any size: 1 up to 15 digits.
local function unit_of(lines, used)
  local digits = #bigint.text(used.octets.numerator)
  for _, line in ipairs(lines) do
    for _, octets in ipairs(line.values) do
      if octets and (type(octets) == "string" or octets >= 1e15) then digits = math.max(digits, #bigint.text(octets)) end
    end
  end
  return digits > 15 and bigint.whole("1" .. ("0"):rep(digits - 15)) or 1
end

local function coordinate(value)
  return ascii.format("%.1f", value)
end

-- The highest rate in the picture, in `unit` bits per second.
local function ceiling(lines, used, unit, commit_rate)
  local most = 10
  for _, line in ipairs(lines) do
    for _, octets in ipairs(line.values) do
      if octets then most = math.max(most, number(octets, unit) * 8 / used.interval) end
    end
  end
  return math.max(most, commit_rate or 0)
end

-- An axis step of 1, 2 or 5 times a power of ten, for about five marks.
local function nice_step(most)
  local power = 10 ^ math.floor(math.log(most / 5) / math.log(10))
  for _, factor in ipairs { 1, 2, 5 } do
    if most / (power * factor) <= 6 then return power * factor end
  end
  return power * 10
end

local function scales(of, most)
  local span = of.to - of.from
  local function x(epoch) return LEFT + (epoch - of.from) / span * (RIGHT - LEFT) end
  local function y(bits) return BOTTOM - bits / most * (BOTTOM - TOP) end
  return x, y
end

local function grid(out, most, unit, y)
  local step = nice_step(most)
  local bits = 0
  while bits <= most do
    local at, label = coordinate(y(bits)), figures.rate(fraction.new(bigint.multiply(bigint.whole(("%.0f"):format(math.floor(bits))), unit)))
    label = label:gsub("%.0+ ", " "):gsub("(%.%d-)0+ ", "%1 ")
    out[#out + 1] = ('<path d="M%d %sH%d" class="g"/><text x="%d" y="%s" text-anchor="end" dy=".3em">%s</text>'):format(
      LEFT, at, RIGHT, LEFT - 6, at, label)
    bits = bits + step
  end
end

-- Marks at midnights of the zone, at most about ten: every n-th day.
local function days(out, of, x)
  local clock = assert(zone.load(of.timezone))
  local first = clock:civil(of.from)
  local day = zone.days(first.year, first.month, first.day)
  local every = math.max(1, math.ceil((of.to - of.from) / 86400 / 10))
  while true do
    local year, month, date = zone.date(day)
    local epoch = clock:epoch { year = year, month = month, day = date }
    if epoch >= of.to then return end
    if epoch >= of.from then
      local at = coordinate(x(epoch))
      out[#out + 1] = ('<path d="M%s %dV%d" class="g"/><text x="%s" y="%d" text-anchor="middle">%04d-%02d-%02d</text>'):format(
        at, TOP, BOTTOM, at, BOTTOM + 18, year, month, date)
    end
    day = day + every
  end
end

-- One point per pixel column: its highest sample, so that no peak is lost. Missing samples interrupt the line.
local function path(values, used, of, unit, x, y)
  local out, column, most, pen = {}, nil, nil, "M"
  local function flush()
    if column and most then
      out[#out + 1] = ("%s%d %s"):format(pen, column, coordinate(y(most)))
      pen = "L"
    elseif column then
      pen = "M"
    end
  end
  for i, octets in ipairs(values) do
    local here = math.floor(x(of.from + (i - 1) * used.interval))
    if here ~= column then
      flush()
      column, most = here, nil
    end
    if octets then most = math.max(most or 0, number(octets, unit) * 8 / used.interval) end
  end
  flush()
  return table.concat(out)
end

local function dots(used, unit, x, y)
  local out = {}
  for i, sample in ipairs(used.discarded) do
    out[i] = ("M%s %sh0"):format(coordinate(x(sample[1] + used.interval / 2)), coordinate(y(number(sample[2], unit) * 8 / used.interval)))
  end
  return table.concat(out)
end

local function level(out, bits, y, class, label)
  local at = coordinate(y(bits))
  out[#out + 1] = ('<path d="M%d %sH%d" class="%s"/><text x="%d" y="%s" dy="-.35em" text-anchor="end" class="%s-label">%s</text>'):format(
    LEFT, at, RIGHT, class, RIGHT, at, class, label)
end

local STYLE = "<style>.g{stroke:#ddd}text{font:11px sans-serif;fill:#555}.c{fill:none;stroke-width:1.2}.p{stroke:#c53030;stroke-width:1.6}"
  .. ".p-label{fill:#c53030;font-weight:bold}.m{stroke:#b7791f;stroke-dasharray:6 4}.m-label{fill:#b7791f}"
  .. ".p-label,.m-label{paint-order:stroke;stroke:#fff;stroke-width:4px;stroke-linejoin:round}"
  .. ".d{stroke:#c53030;stroke-width:3.2;stroke-linecap:round;fill:none}</style>"

--- Draws the curve.
---@param of scrutinizer.Period
---@param used scrutinizer.Usage
---@param lines { name: string, values: (scrutinizer.Whole|false)[] }[]
---@param commit_rate? scrutinizer.Fraction bits per second
---@return string svg
function curve.svg(of, used, lines, commit_rate)
  local unit = unit_of(lines, used)
  local function scaled(rate) return figures.float(fraction.divide(rate, fraction.new(unit))) end
  commit_rate = commit_rate and scaled(commit_rate)
  local most = ceiling(lines, used, unit, commit_rate) * 1.05
  local x, y = scales(of, most)
  local head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="Usage, percentile and discarded samples">'
  local out = { head:format(WIDTH, HEIGHT), STYLE }
  grid(out, most, unit, y)
  days(out, of, x)
  for i, line in ipairs(lines) do
    out[#out + 1] = ('<path class="c" stroke="%s" d="%s"><title>%s</title></path>'):format(
      COLORS[i], path(line.values, used, of, unit, x, y), line.name)
    out[#out + 1] = ('<text x="%d" y="%d" style="fill:%s">%s</text>'):format(LEFT + (i - 1) * 130, HEIGHT - 2, COLORS[i], line.name)
  end
  out[#out + 1] = ('<path class="d" d="%s"><title>discarded samples</title></path>'):format(dots(used, unit, x, y))
  if commit_rate then level(out, commit_rate, y, "m", "commit") end
  level(out, scaled(used.rate), y, "p", ("percentile %s: %s"):format(used.percent, figures.rate(used.rate)))
  out[#out + 1] = "</svg>"
  return table.concat(out, "\n")
end

return curve
