--- Reads times: ISO 8601 text, spans such as "90m", and the appliance's named ranges. All become epoch seconds; ranges are half-open, [from, to).

local check = require "scrutinizer.check"
local zone = require "scrutinizer.time.zone"

local times = {}

-- The first second of the year 10000. Larger values are probably milliseconds.
times.MAX_EPOCH = 253402300800
times.YEARS = "it must lie in the years 1970 to 9999"

--- Seconds of the units of spans.
times.UNITS = { s = 1, m = 60, h = 3600, d = 86400, w = 604800 }
local MAX_SPAN = 1000000000

--- Seconds of a span: whole seconds, or a number with its unit, such as "90m" (s m h d w).
---@param span integer|string
---@return integer? seconds 1 to 10^9; nil when it is neither
function times.seconds(span)
  if type(span) == "string" then
    local count, unit = span:match "^(%d+)([smhdw])$"
    span = count and tonumber(count) * times.UNITS[unit]
  end
  return check.integer(span, 1, MAX_SPAN)
end

local ISO_DATE = "^(%d%d%d%d)%-(%d%d)%-(%d%d)()"

-- Reads "T12:30[:15[.000]]" at `at`: a table with hour, min, sec, and the position after it; or nil and what is wrong.
local function clock(text, at)
  local hour, min, rest = text:match("^[Tt ](%d%d):(%d%d)()", at)
  if not hour then return nil, "the time must be hh:mm or hh:mm:ss" end
  local sec, after = text:match("^:(%d%d)()", rest)
  rest = after or rest
  local fraction, behind = text:match("^[.,](%d+)()", rest)
  if fraction and (not sec or fraction:find "[^0]") then return nil, "whole seconds only" end
  hour, min, sec = tonumber(hour), tonumber(min), tonumber(sec or 0)
  if hour > 23 or min > 59 or sec > 59 then return nil, "the time must be from 00:00:00 to 23:59:59" end
  return { hour = hour, min = min, sec = sec }, behind or rest
end

-- Reads "Z", "+01:00", "+0100" or "+01": seconds east of UTC; false for an empty text; nil for any other.
local function shift(text)
  if text == "" then return false end
  if text:find "^ ?[Zz]$" then return 0 end
  local sign, hours, minutes = text:match "^ ?([+-])(%d%d):?(%d%d)$"
  if not sign then
    sign, hours = text:match "^ ?([+-])(%d%d)$"
    minutes = "00"
  end
  if not sign or tonumber(hours) > 23 or tonumber(minutes) > 59 then return nil end
  local seconds = tonumber(hours) * 3600 + tonumber(minutes) * 60
  return sign == "-" and -seconds or seconds
end

local function read_date(text)
  local year, month, day, at = text:match(ISO_DATE)
  if not year then return nil, "not ISO 8601" end
  year, month, day = tonumber(year), tonumber(month), tonumber(day)
  if month < 1 or month > 12 or day < 1 or day > zone.month_length(year, month) then
    return nil, "there is no such day"
  end
  return { year = year, month = month, day = day, hour = 0, min = 0, sec = 0, starts = true }, at
end

-- Reads ISO 8601 text: its fields, and seconds east of UTC (false: the text has no zone); or nil and what is wrong.
local function read(text)
  local fields, at = read_date(text)
  if not fields then return nil, at end
  if at > #text then return fields, false end
  local time, rest = clock(text, at)
  if not time then return nil, rest end
  fields.hour, fields.min, fields.sec, fields.starts = time.hour, time.min, time.sec, nil
  local offset = shift(text:sub(rest))
  if offset == nil then return nil, 'the zone must be "Z" or as in "+01:00"' end
  return fields, offset
end

-- Seconds from 1970 on a clock that stays in UTC.
local function clock_seconds(fields)
  return zone.days(fields.year, fields.month, fields.day) * 86400 + fields.hour * 3600 + fields.min * 60 + fields.sec
end

---@alias scrutinizer.Bound integer|table a moment; or fields of the zone's clock: with `starts`, the first moment that has them or later ones

--- A bound as a moment, after it was moved by days of the calendar. A moment keeps the hour that the zone's clock shows then.
---@param bound scrutinizer.Bound
---@param days integer
---@param local_zone? table may be nil for a moment that is not moved
---@return integer?
---@return string? message when the clock skips the time, or shows it twice
function times.at(bound, days, local_zone)
  if type(bound) == "number" then
    if days == 0 then return bound end
    local c = local_zone:civil(bound)
    c.day = c.day + days
    return local_zone:epoch(c)
  end
  local fields = {}
  for key, value in pairs(bound) do fields[key] = value end
  fields.day = fields.day + days
  if fields.starts then return local_zone:start(fields) end
  return local_zone:moment(fields)
end

--- Epoch seconds of ISO 8601 text: "2026-11-01T00:00:00Z", "2026-11-01 00:00+01:00", "2026-11-01". Text without a zone is
--- read in `timezone`: a day alone is its first moment; a time that the zone's clock skips, or shows twice, is wrong.
---@param text string
---@param timezone? string IANA name
---@return integer? epoch
---@return string? message what is wrong with it
function times.parse(text, timezone)
  local fields, offset = read(text)
  if not fields then return nil, offset end
  if offset then return clock_seconds(fields) - offset end
  if not timezone then return nil, 'it has no zone: add "Z" or "+01:00" at its end, or call :timezone "Europe/Berlin"' end
  local local_zone, message = zone.load(timezone)
  if not local_zone then return nil, message end
  return times.at(fields, 0, local_zone)
end

--- Reads a moment as `query:between` takes it.
---@param moment integer|string epoch seconds or ISO 8601 text
---@param timezone? string for text without a zone
---@return integer? epoch seconds, in the years 1970 to 9999
---@return string? message what is wrong with it
function times.moment(moment, timezone)
  local epoch, message
  if type(moment) == "string" then
    epoch, message = times.parse(moment, timezone)
    if not epoch then return nil, message end
  else
    epoch = moment
  end
  local whole = check.integer(epoch, 0, times.MAX_EPOCH - 1)
  if whole then return whole end
  if type(epoch) == "number" and epoch >= times.MAX_EPOCH and epoch < times.MAX_EPOCH * 1000 then
    return nil, "it must be in seconds; this looks like milliseconds"
  end
  return nil, "it must be whole seconds in the years 1970 to 9999"
end

--- Whether a moment is text that can be read, but only in the query's zone.
---@param moment any
---@return integer? clock seconds from 1970 on the clock of that zone; nil: it waits for none
---@return scrutinizer.Bound? fields
function times.waits(moment)
  local fields, offset = read(type(moment) == "string" and moment or "")
  if not fields or offset then return nil end
  return clock_seconds(fields), fields
end

-- Named ranges that end now: their length in seconds.
local ROLLING = {
  LastFiveMinutes = 300,
  LastTenMinutes = 600,
  LastFifteenMinutes = 900,
  LastTwentyMinutes = 1200,
  LastThirtyMinutes = 1800,
  LastFortyFiveMinutes = 2700,
  LastHour = 3600,
  Last24Hours = 86400,
  LastThreeDays = 3 * 86400,
  LastSevenDays = 7 * 86400,
  LastThirtyDays = 30 * 86400,
}

-- Named ranges of the calendar: the first day, and the day after the last (nil: up to now). A day is { year, month, day };
-- its month and day may be out of range (zone.days corrects them). `c` is the local clock now.
-- It is unverified that weeks begin on Sunday.
local CALENDAR = {
  Today = function(c) return { c.year, c.month, c.day } end,
  Yesterday = function(c) return { c.year, c.month, c.day - 1 }, { c.year, c.month, c.day } end,
  ThisWeek = function(c) return { c.year, c.month, c.day - c.wday } end,
  LastWeek = function(c)
    return { c.year, c.month, c.day - c.wday - 7 }, { c.year, c.month, c.day - c.wday }
  end,
  ThisMonth = function(c) return { c.year, c.month, 1 } end,
  LastMonth = function(c) return { c.year, c.month - 1, 1 }, { c.year, c.month, 1 } end,
  ThisYear = function(c) return { c.year, 1, 1 } end,
  LastYear = function(c) return { c.year - 1, 1, 1 }, { c.year, 1, 1 } end,
}

local function midnight(day)
  return { year = day[1], month = day[2], day = day[3], hour = 0, starts = true }
end

-- Uses the local clock's hour, because some zones differ from UTC by half an hour.
local function last_full_hour(local_zone, now)
  local clock_now = local_zone:civil(now)
  local to = now - clock_now.min * 60 - clock_now.sec
  return { from = to - 3600, to = to }
end

local function named(range, timezone, now)
  if ROLLING[range] then
    local to = now - now % 60 -- the only known answer covers whole minutes: 10 for LastTenMinutes
    return { from = to - ROLLING[range], to = to }
  end
  local calendar = CALENDAR[range]
  if not calendar and range ~= "LastFullHour" then
    return nil, ("only the appliance knows when %s begins and ends; use query:between"):format(check.show(range))
  end
  if not timezone then
    return nil, ("%s depends on the time zone; set it with query:timezone"):format(range)
  end
  local local_zone, message = zone.load(timezone)
  if not local_zone then return nil, message end
  if not calendar then return last_full_hour(local_zone, now) end
  local first, after = calendar(local_zone:civil(now))
  return { from = midnight(first), to = after and midnight(after) or now, is_open = not after }
end

--- Whether times have a length rather than bounds: "LastHour", `query:last`.
---@param said table a spec's times
---@return boolean
function times.has_length(said)
  local hours_back = said.unit == "hour" and type(said.at) == "number"
  return said.last ~= nil or hours_back or ROLLING[said.range] ~= nil or said.range == "LastFullHour"
end

--- The bounds of a query's times at the moment `now`, before they are moved. Ranges of minutes, hours or days such as "LastHour" end with the last
--- full minute; "Today" and "This…" end at `now`. Calendar ranges need the query's timezone. It is unverified that the appliance counts each range
--- in the same way.
---@param spec table a query's spec
---@param now integer epoch seconds
---@return { from: scrutinizer.Bound, to: scrutinizer.Bound, is_open?: boolean }? bounds `is_open`: up to now, which may be the window's beginning
---@return string? message why they are not known
function times.bounds(spec, now)
  local span = spec.times
  if not span then return nil, "the query has no times" end
  if span.from then return { from = span.from, to = span.to } end
  if span.last then return { from = now - span.last, to = now } end
  return named(span.range, spec.timezone, now)
end

--- The epochs of a query's times at the moment `now`; all pages of one walk share them.
---@param spec table a query's spec
---@param now? integer epoch seconds, default the clock's
---@return { from: integer, to: integer }? epochs
---@return string? message why they are not known
function times.epochs(spec, now)
  local bounds, message = times.bounds(spec, now or os.time())
  if not bounds then return nil, message end
  local local_zone = zone.load(spec.timezone)
  local from, to = times.at(bounds.from, 0, local_zone), times.at(bounds.to, 0, local_zone)
  -- At midnight exactly "Today" would be empty: make it one second.
  return { from = from, to = bounds.is_open and math.max(to, from + 1) or to }
end

--- The query's times in words, such as "now-3600", when they come from the clock. Unlike epochs, they are the same in every run of a query.
--- Nil: the query has fixed times, or none.
---@param spec table
---@return { from: string, to: string }?
function times.words(spec)
  local span, words = spec.times, nil
  if not span or span.words then return span and span.words end
  if span.last then words = { from = ("now-%d"):format(span.last), to = "now" } end
  local name = span.range or (type(span.at) == "number" and ("%s%d"):format(span.unit, span.at))
  if name then words = { from = name .. ".from", to = name .. ".to" } end
  if not words or not spec.shift then return words end
  local moved = ("%+dd%+ds"):format(spec.shift.days, spec.shift.seconds)
  return { from = words.from .. moved, to = words.to .. moved }
end

--- A function that makes a request's form with the times in words. A recorder uses it to see that two runs of a query are the same. Nil when the
--- times that are sent do not come from the clock.
---@param make fun(spec: table, pages?: table[], words: table): table<string, string>
---@param spec table
---@param pages? table[]
---@param epochs? { from: integer, to: integer } the ones that are sent instead of the query's times
---@return (fun(): table<string, string>)?
function times.like(make, spec, pages, epochs)
  local words = times.words(spec)
  -- A named range without epochs is sent by its name.
  if not words or not (epochs or spec.times.from) then return nil end
  return function() return make(spec, pages, words) end
end

return times
