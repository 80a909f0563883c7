--- The window of a query: days, months and hours of a zone's clock, texts without a zone, and windows that are moved. All become half-open
--- epochs, [from, to), when the query runs.

local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local times = require "scrutinizer.time.times"
local zone = require "scrutinizer.time.zone"

local window = {}

-- ---- days, months and hours ----

local FORMS = {
  day = "^(%d%d%d%d)%-(%d%d)%-(%d%d)$",
  month = "^(%d%d%d%d)%-(%d%d)$",
  hour = "^(%d%d%d%d)%-(%d%d)%-(%d%d)[T ](%d%d)$",
}

-- About as many as there have been since 1970.
local MOST_BACK = { day = 36500, month = 1200, hour = 876000 }

--- What `query:day`, `:month` and `:hour` were given: the text or the whole number; nil when it is neither, and perhaps what is wrong with it.
---@param unit "day"|"month"|"hour"
---@param value any a text such as "2026-11-26", or how many back: 0 for this one, -1 for the one before
---@return string|integer?
---@return string? complaint
function window.read(unit, value)
  if type(value) ~= "string" then
    local back = type(value) == "number" and check.integer(-value, 0, MOST_BACK[unit])
    return back and (back == 0 and 0 or -back) or nil
  end
  local year, month, day, hour = value:match(FORMS[unit])
  if not year then return nil end
  year, month, day, hour = tonumber(year), tonumber(month), tonumber(day or 1), tonumber(hour or 0)
  if year < 1970 then return nil, times.YEARS end
  if month < 1 or month > 12 then return nil, "there is no such month" end
  if day < 1 or day > zone.month_length(year, month) then return nil, "there is no such day" end
  if hour > 23 then return nil, "hours are 00 to 23" end
  return (value:gsub(" ", "T"))
end

-- The local date and hour that a text or number means; for hours also the moment.
local function fields_of(unit, at, local_zone, now)
  if type(at) == "string" then
    local year, month, day, hour = at:match(FORMS[unit])
    return { year = tonumber(year), month = tonumber(month), day = tonumber(day or 1), hour = tonumber(hour or 0) }
  end
  local c = local_zone:civil(now)
  if unit == "month" then return { year = c.year, month = c.month + at, day = 1, hour = 0 } end
  return { year = c.year, month = c.month, day = c.day + at, hour = 0 }
end

-- Hours that are counted back are of 60 minutes each: the clock may show one of them twice.
local function hour_back(at, local_zone, now)
  local c = local_zone:civil(now)
  local from = now - c.min * 60 - c.sec + at * 3600
  return { from = from, to = from + 3600 }
end

-- The time zone of a query's window; nil and a message when the query has none.
local function zone_of(spec, what)
  if not spec.timezone then return nil, ('%s: the query has no time zone; set one, such as :timezone "Europe/Berlin"'):format(what) end
  local found, message = zone.load(spec.timezone)
  if not found then return nil, ("%s: time zone %s: %s"):format(what, check.show(spec.timezone), message) end
  return found
end

-- The first moment at which the clock shows these fields or later: of a time that it skips, the moment at which it skips it.
local function boundary(local_zone, fields)
  local epoch = local_zone:epoch(fields)
  local c = local_zone:civil(epoch)
  local skipped = (zone.days(c.year, c.month, c.day) - zone.days(fields.year, fields.month, fields.day)) * 86400
    + (c.hour - fields.hour) * 3600 + c.min * 60 + c.sec
  local low, high = epoch - math.max(skipped, 0), epoch
  while low < high do
    local middle = math.floor((low + high) / 2)
    if local_zone:offset(middle) == local_zone:offset(epoch) then high = middle else low = middle + 1 end
  end
  return high
end

local function calendar_window(spec, now)
  local unit, at = spec.times.unit, spec.times.at
  local local_zone, message = zone_of(spec, unit)
  if not local_zone then return nil, message end
  if unit == "hour" and type(at) == "number" then return hour_back(at, local_zone, now) end
  local first = fields_of(unit, at, local_zone, now)
  local after = { year = first.year, month = first.month, day = first.day, hour = first.hour }
  after[unit] = after[unit] + 1
  local from, to = boundary(local_zone, first), boundary(local_zone, after)
  if from < to then return { from = from, to = to } end
  return nil, ("%s: there is no %s in %s: its clocks skip it"):format(unit, at, local_zone.name)
end

-- ---- texts that wait for their zone ----

local function between_window(spec)
  local said, found = spec.times.between, {}
  for i, name in ipairs { "from", "to" } do
    local message
    found[name], message = times.moment(said[i], spec.timezone)
    if not found[name] then return nil, ("between: %s: %s: %s"):format(name, check.show(said[i]), message) end
  end
  if found.from < found.to then return found end
  return nil, ("between: to: %s is not after from, %s, in %s"):format(check.show(said[2]), check.show(said[1]), spec.timezone)
end

-- ---- moving a window ----

local MOST_SECONDS = 10 ^ 10

--- A span as `query:shift` takes it: days of the calendar, or seconds.
---@param span any whole seconds, or text with a sign and a unit such as "-7d" (s m h d w)
---@return { days: integer, seconds: integer }? nil when it is neither
function window.span(span)
  if type(span) == "number" then
    local seconds = check.integer(math.abs(span), 0, MOST_SECONDS)
    return seconds and { days = 0, seconds = span < 0 and -seconds or seconds } or nil
  end
  local sign, count, unit = tostring(span):match "^([+-])(%d+)([smhdw])$"
  if type(span) ~= "string" or not sign or #count > 10 then return nil end
  local seconds = times.UNITS[unit] * tonumber(count) * (sign == "-" and -1 or 1)
  if math.abs(seconds) > MOST_SECONDS then return nil end
  if unit ~= "d" and unit ~= "w" then return { days = 0, seconds = seconds } end
  return { days = check.integer(math.abs(seconds) / 86400) * (seconds < 0 and -1 or 1), seconds = 0 }
end

-- A span as text.
local function span_text(shift)
  local words = {}
  if shift.days ~= 0 then words[1] = ("%+dd"):format(shift.days) end
  if shift.seconds ~= 0 or not words[1] then words[#words + 1] = ("%+ds"):format(shift.seconds) end
  return table.concat(words, " ")
end

-- A moment moved by days of the calendar, at the same hour of the zone's clock, and then by seconds.
local function moved(epoch, shift, local_zone)
  if shift.days ~= 0 then
    local c = local_zone:civil(epoch)
    c.day = c.day + shift.days
    epoch = local_zone:epoch(c)
  end
  return epoch + shift.seconds
end

local function move(spec, found, local_zone)
  local shift, said = spec.shift, spec.times
  local to = moved(found.to, shift, local_zone)
  -- A window with a length keeps its length; a window of the calendar keeps its local times.
  local from = times.has_length(said) and to - (found.to - found.from) or moved(found.from, shift, local_zone)
  if from < to then return { from = from, to = to } end
  return nil, ("shift: the window moved by %s is empty, because the clocks of %s skip it"):format(span_text(shift), local_zone.name)
end

-- ---- a query's times as text ----

local function said_text(said)
  if said.last then return ("last %d s"):format(said.last) end
  if said.between then return ("%s to %s"):format(said.between[1], said.between[2]) end
  if said.unit then return ("%s %s"):format(said.unit, said.at) end
  if said.range then return said.range:find "^[A-Za-z][A-Za-z0-9_]*$" and said.range or errors.quoted(said.range) end
  return ("%d to %d"):format(said.from, said.to)
end

--- A query's times in words, as they were set.
---@param spec table
---@return string? text nil when none were set
function window.text(spec)
  local text = spec.times and said_text(spec.times)
  if not spec.shift then return text end
  return ("%s, shifted by %s"):format(text or "no times yet", span_text(spec.shift))
end

-- The same spec with other times and no shift.
local function with_times(spec, said)
  local copy = {}
  for key, value in pairs(spec) do copy[key] = value end
  copy.times, copy.shift = said, nil
  return copy
end

-- The window before it is moved: epochs, or the unchanged times when the appliance or each request computes them.
local function unmoved(spec, now)
  local said = spec.times
  if said.between then return between_window(spec) end
  if said.unit then return calendar_window(spec, now) end
  return said
end

-- The epochs of a window that is to be moved.
local function shiftable(spec, found, now)
  local epochs, message = times.epochs(with_times(spec, found), now)
  return epochs, message and "shift: " .. message
end

--- The spec with its times as they are sent: epochs for the times that the client computes. The same spec when there are none.
---@param spec table a query's spec, with times
---@param now? integer epoch seconds, default the clock's
---@return table? spec
---@return string? message why its times are not known
function window.settle(spec, now)
  local said = spec.times
  if not said or not (said.between or said.unit or spec.shift) then return spec end
  now = now or os.time()
  local found, message = unmoved(spec, now)
  if found and spec.shift then
    local local_zone
    if spec.shift.days ~= 0 then
      local_zone, message = zone_of(spec, "shift")
      found = local_zone and found
    end
    if found then found, message = shiftable(spec, found, now) end
    if found then found, message = move(spec, found, local_zone or zone.load "UTC") end
  end
  if not found then return nil, message end
  if found.from < 0 or found.to >= times.MAX_EPOCH then
    return nil, window.text(spec) .. ": " .. times.YEARS
  end
  return with_times(spec, { from = found.from, to = found.to, words = times.words(spec) })
end

return window
