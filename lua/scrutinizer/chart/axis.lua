--- An axis's marks and their texts: values in readable units, times as local time of a zone.

local ascii = require "scrutinizer.ascii"
local zone = require "scrutinizer.time.zone"

local axis = {}

local DAY = 86400
local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }
local PREFIXES = { "", "k", "M", "G", "T", "P", "E" }
local SYMBOLS = { bytes = "B", ["bits/s"] = "b/s", ["bytes/s"] = "B/s", bits = "b", count = "" }

-- ---- values ----

--- A value with its unit, in steps of 1000: 192134567 and "bytes" is "192.1 MB".
---@param value number
---@param unit string "bits/s", "bytes", "count" …, or any text, which is written unchanged
---@param digits? integer digits after the decimal point (default 1; none below 1000)
---@return string
function axis.value(value, unit, digits)
  local step, size = 1, math.abs(value)
  digits = digits or (size >= 999.5 and 1 or 0)
  while size >= 1000 - 0.5 * 10 ^ -digits and PREFIXES[step + 1] do size, step = size / 1000, step + 1 end
  local text = ascii.format("%." .. digits .. "f", value < 0 and -size or size)
  return (("%s %s%s"):format(text, PREFIXES[step], SYMBOLS[unit] or unit):gsub(" $", ""))
end

-- The smallest 1, 2 or 5 times a power of ten that is at least `number`.
local function round_up(number)
  local power = 10 ^ math.floor(math.log(number) / math.log(10))
  for _, factor in ipairs { 1, 2, 5, 10 } do
    if factor * power >= number * (1 - 1e-9) then return factor * power end
  end
end

--- Marks at round numbers from 0 to at least the largest value.
---@param most number the largest value
---@param count integer about how many marks at most
---@param unit string as `axis.value` takes it
---@return { at: number, text: string }[] marks the last one is the axis's end
function axis.values(most, count, unit)
  local step = round_up((most > 0 and most or 1) / count)
  -- Bits, bytes and counts are whole numbers: no marks between them.
  if step < 1 and unit ~= "percent" then step = 1 end
  local marks, scale, prefix = {}, 1, 1
  local top = math.max(1, math.ceil(most / step - 1e-9))
  while top * step / scale >= 1000 and PREFIXES[prefix + 1] do scale, prefix = scale * 1000, prefix + 1 end
  for i = 0, top do
    local text = ascii.format("%.10g %s%s", i * step / scale, PREFIXES[prefix], SYMBOLS[unit] or unit):gsub(" $", "")
    marks[i + 1] = { at = i * step, text = i == 0 and "0" or text }
  end
  return marks
end

-- ---- times ----

local MINUTES = { 1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720 }
local DAYS = { 1, 2, 7, 14 }
local MONTH_STEPS = { 1, 2, 3, 6, 12, 24, 60, 120 }

local function date_text(c)
  return MONTHS[c.month] .. " " .. c.day
end

-- Adds a mark at every n-th minute of a day's local time. Times that the clock skips in spring are left out.
local function add_day(list, place, from, to, day, minutes)
  local year, month, of_month = zone.date(day)
  for minute = 0, 1439, minutes do
    local hour = math.floor(minute / 60)
    local epoch = place:epoch { year = year, month = month, day = of_month, hour = hour, min = minute % 60 }
    local c = place:civil(epoch)
    if epoch >= from and epoch <= to and c.hour == hour and c.min == minute % 60 then
      list[#list + 1] = { at = epoch, text = ("%02d:%02d"):format(hour, c.min), civil = c }
    end
  end
end

local function first_day(place, epoch)
  return math.floor((epoch + place:offset(epoch)) / DAY)
end

-- Hours as marks; the date stands below the first mark and below each midnight.
local function within_days(place, from, to, minutes)
  local list = {}
  for day = first_day(place, from), first_day(place, to) do add_day(list, place, from, to, day, minutes) end
  for i, mark in ipairs(list) do
    local c = mark.civil
    if i == 1 or (c.hour == 0 and c.min == 0) then mark.below = date_text(c) end
  end
  return list
end

local function by_days(place, from, to, days)
  local list = {}
  for day = first_day(place, from), first_day(place, to) do
    -- Day 4 after 1970-01-01 was a Monday, so weeks begin on Mondays.
    if (day - 4) % days == 0 then
      local year, month, of_month = zone.date(day)
      local epoch = place:epoch { year = year, month = month, day = of_month }
      if epoch >= from and epoch <= to then list[#list + 1] = { at = epoch, text = MONTHS[month] .. " " .. of_month, civil = { year = year } } end
    end
  end
  return list
end

local function by_months(place, from, to, months)
  local list, first, last = {}, place:civil(from), place:civil(to)
  for month = first.year * 12 + first.month - 1, last.year * 12 + last.month - 1 do
    if month % months == 0 then
      local year = math.floor(month / 12)
      local epoch = place:epoch { year = year, month = month % 12 + 1, day = 1 }
      if epoch >= from and epoch <= to then
        list[#list + 1] = { at = epoch, text = months < 12 and MONTHS[month % 12 + 1] or ("%d"):format(year), civil = { year = year } }
      end
    end
  end
  return list
end

-- Puts the year below the first mark, and below each mark where it changes.
local function with_years(list)
  for i, mark in ipairs(list) do
    if i == 1 or list[i - 1].civil.year ~= mark.civil.year then mark.below = ("%d"):format(mark.civil.year) end
    if mark.below == mark.text then mark.below = nil end
  end
  return list
end

--- Marks of a time axis in local time of the zone: at midnights, full hours and so on, also across a clock change.
---@param from integer epoch seconds
---@param to integer epoch seconds
---@param count integer marks at most; at least two if possible
---@param place scrutinizer.Zone
---@return { at: integer, text: string, below: string? }[]
function axis.times(from, to, count, place)
  local span = to - from
  for _, minutes in ipairs(MINUTES) do
    if span / (minutes * 60) <= count then return within_days(place, from, to, minutes) end
  end
  for _, days in ipairs(DAYS) do
    if span / (days * DAY) <= count then return with_years(by_days(place, from, to, days)) end
  end
  for _, months in ipairs(MONTH_STEPS) do
    if span / (months * 30 * DAY) <= count or months == 120 then return with_years(by_months(place, from, to, months)) end
  end
end

--- A moment as local time of the zone: "2026-11-01 18:05".
---@param epoch integer
---@param place scrutinizer.Zone
---@return string
function axis.moment(epoch, place)
  local c = place:civil(epoch)
  return ("%04d-%02d-%02d %02d:%02d"):format(c.year, c.month, c.day, c.hour, c.min)
end

return axis
