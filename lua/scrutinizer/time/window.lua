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

-- The bounds of a day or month.
local function calendar_bounds(unit, first)
  local after = { year = first.year, month = first.month, day = first.day, hour = 0, starts = true }
  after[unit] = after[unit] + 1
  first.starts = true
  return { from = first, to = after }
end

-- ---- texts that wait for their zone ----

local function between_bounds(spec)
  local found = {}
  for i, name in ipairs { "from", "to" } do
    local said, message = spec.times.between[i], nil
    local _, fields = times.waits(said)
    found[name] = fields
    if not fields or not spec.timezone then found[name], message = times.moment(said) end
    if message then return nil, ("between: %s: %s: %s"):format(name, check.show(said), message) end
  end
  return found
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

-- All moments at which the clock shows an hour, after it was moved by days.
local function hour_window(spec, local_zone)
  local fields, said = fields_of("hour", spec.times.at), spec.times.at
  if spec.shift then
    fields.day = fields.day + spec.shift.days
    said = ("%s, shifted by %s,"):format(said, span_text(spec.shift))
  end
  local spans, words = local_zone:showings(fields, 3600), {}
  if #spans == 1 then return spans[1] end
  if not spans[1] then return nil, ("hour: there is no %s in %s: its clocks skip it"):format(said, local_zone.name) end
  for i, one in ipairs(spans) do words[i] = ("%.0f to %.0f"):format(one.from, one.to) end
  return nil, ("hour: the clocks of %s show the hour %s twice, with other times in between: say one of both with :between, in epochs %s"):format(
    local_zone.name, said, table.concat(words, " or "))
end

-- What the query says where a bound cannot be read.
local function bound_complaint(spec, name, message)
  local said = spec.times.between
  local text = said and check.show(said[name == "from" and 1 or 2]) or window.text(spec)
  if said and spec.shift then text = ("%s, shifted by %s"):format(text, span_text(spec.shift)) end
  return ("%s: %s: %s"):format(said and "between" or "shift", said and name .. ": " .. text or text, message)
end

-- Why nothing lies between two bounds.
local function empty(spec, local_zone)
  local said = spec.times
  if said.unit then return ("%s: there is no %s %s in %s: its clocks skip it"):format(said.unit, said.unit, said.at, local_zone.name) end
  if spec.shift then
    return ("shift: moved by %s, nothing is left of the window: the clocks of %s skip it"):format(span_text(spec.shift), local_zone.name)
  end
  return ("between: to: %s is not after from, %s, in %s"):format(check.show(said.between[2]), check.show(said.between[1]), spec.timezone)
end

-- The epochs between two bounds that are moved by the days of a shift.
local function span(spec, bounds, days, local_zone)
  local to, message = times.at(bounds.to, days, local_zone)
  if not to then return nil, bound_complaint(spec, "to", message) end
  -- What has a length keeps it; what the calendar bounds keeps its bounds on the clock.
  if times.has_length(spec.times) then return { from = to - (bounds.to - bounds.from), to = to } end
  local from
  from, message = times.at(bounds.from, days, local_zone)
  if not from then return nil, bound_complaint(spec, "from", message) end
  if bounds.is_open then to = math.max(to, from + 1) end
  if from >= to then return nil, empty(spec, local_zone) end
  return { from = from, to = to }
end

-- The bounds before they are moved.
local function bounds_of(spec, now, local_zone)
  local said = spec.times
  if said.between then return between_bounds(spec) end
  if not said.unit then
    local bounds, message = times.bounds(spec, now)
    return bounds, message and "shift: " .. message
  end
  if said.unit == "hour" then return hour_back(said.at, local_zone, now) end
  return calendar_bounds(said.unit, fields_of(said.unit, said.at, local_zone, now))
end

-- The window before its seconds are moved: epochs.
local function counted(spec, now, days)
  local said, local_zone = spec.times, nil
  if said.unit or days ~= 0 then
    local found, missing = zone_of(spec, said.unit or "shift")
    if not found then return nil, missing end
    local_zone = found
  end
  if said.unit == "hour" and type(said.at) == "string" then return hour_window(spec, local_zone) end
  local bounds, message = bounds_of(spec, now, local_zone)
  if not bounds then return nil, message end
  return span(spec, bounds, days, local_zone or zone.load(spec.timezone))
end

--- The spec with its times as they are sent: epochs for the times that the client computes. The same spec when there are none.
---@param spec table a query's spec, with times
---@param now? integer epoch seconds, default the clock's
---@return table? spec
---@return string? message why its times are not known
function window.settle(spec, now)
  local said, shift = spec.times, spec.shift or { days = 0, seconds = 0 }
  if not said or not (said.between or said.unit or spec.shift) then return spec end
  local found, message = counted(spec, now or os.time(), shift.days)
  if not found then return nil, message end
  local from, to = found.from + shift.seconds, found.to + shift.seconds
  if from < 0 or to >= times.MAX_EPOCH then return nil, window.text(spec) .. ": " .. times.YEARS end
  return with_times(spec, { from = from, to = to, words = times.words(spec) })
end

-- ---- a window in parts ----

local MOST_PARTS = 100000

-- The end of the k-th part: of days at the zone's midnight, of seconds counted from the beginning.
local function edges_of(from, length, local_zone)
  if length.days == 0 then return function(k) return from + k * length.seconds end end
  local first = local_zone:civil(from)
  return function(k)
    return local_zone:start { year = first.year, month = first.month, day = first.day + k * length.days }
  end
end

--- The epochs of a query's times, cut into windows that follow each other: half-open, none empty, the last one as long as what is left.
---@param spec table a query's spec, with times
---@param length { days: integer, seconds: integer } as `window.span` reads it; days end at the zone's midnight
---@param now? integer epoch seconds, default the clock's
---@return { from: integer, to: integer, words?: table }[]?
---@return string? message
function window.split(spec, length, now)
  now = now or os.time()
  local settled, message = window.settle(spec, now)
  if not settled then return nil, message end
  local whole, unknown = times.epochs(settled, now)
  if not whole then return nil, unknown end
  local local_zone
  if length.days ~= 0 then local_zone, message = zone_of(spec, "days") end
  if message then return nil, message end
  local list, from, k, edge, words = {}, whole.from, 0, edges_of(whole.from, length, local_zone), times.words(settled)
  while from < whole.to do
    k = k + 1
    local to = math.min(edge(k), whole.to)
    if to > from then
      local part = words and { from = ("%s[%d]"):format(words.from, #list), to = ("%s[%d]"):format(words.to, #list) }
      list[#list + 1], from = { from = from, to = to, words = part or nil }, to
    end
    if #list > MOST_PARTS then return nil, ("it would be more than %d windows"):format(MOST_PARTS) end
  end
  return list
end

return window
