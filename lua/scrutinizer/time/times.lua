--- Times as a script says them: ISO 8601 text, "90m", and the appliance's named ranges as epochs. Half-open, [from, to).

local check = require "scrutinizer.check"
local zone = require "scrutinizer.time.zone"

local times = {}

-- The first second of the year 10000. Milliseconds given for seconds lie beyond it.
times.MAX_EPOCH = 253402300800

local UNITS = { s = 1, m = 60, h = 3600, d = 86400, w = 604800 }
local MAX_SPAN = 1000000000

--- Seconds of a span: whole seconds, or a number with its unit, such as "90m" (s m h d w).
---@param span integer|string
---@return integer? seconds nil when it is neither
function times.seconds(span)
  if type(span) == "string" then
    local count, unit = span:match "^(%d+)([smhdw])$"
    span = count and tonumber(count) * UNITS[unit]
  end
  return check.integer(span, 1, MAX_SPAN)
end

local ISO_DATE = "^(%d%d%d%d)%-(%d%d)%-(%d%d)()"

-- "T12:30[:15[.000]]" at `at`: hour, min, sec, and where it ends; nil and what is wrong.
local function clock(text, at)
  local hour, min, rest = text:match("^[Tt ](%d%d):(%d%d)()", at)
  if not hour then return nil, "the time must be hh:mm or hh:mm:ss" end
  local sec, after = text:match("^:(%d%d)()", rest)
  rest = after or rest
  local fraction, behind = text:match("^[.,](%d+)()", rest)
  if fraction and (not sec or fraction:find "[^0]") then return nil, "whole seconds only" end
  hour, min, sec = tonumber(hour), tonumber(min), tonumber(sec or 0)
  if hour > 23 or min > 59 or sec > 59 then return nil, "the time must lie within 00:00:00 and 23:59:59" end
  return { hour = hour, min = min, sec = sec }, behind or rest
end

-- "Z", "+01:00", "+0100" or "+01": seconds east of UTC; false when there is no zone; nil when it is none of these.
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
  return { year = year, month = month, day = day, hour = 0, min = 0, sec = 0 }, at
end

local function epoch_in(fields, timezone)
  if not timezone then
    return nil, 'it has no zone: end it in "Z" or "+01:00", or say :timezone first'
  end
  local local_zone, message = zone.load(timezone)
  if not local_zone then return nil, message end
  return local_zone:epoch(fields)
end

--- Epoch seconds of ISO 8601 text: "2026-11-01T00:00:00Z", "2026-11-01 00:00+01:00", "2026-11-01". Text without a zone is
--- read in `timezone`: a time skipped there is moved forward by the gap, of a doubled one the earlier is taken.
---@param text string
---@param timezone? string IANA name
---@return integer? epoch
---@return string? message
function times.parse(text, timezone)
  local fields, at = read_date(text)
  if not fields then return nil, at end
  if at > #text then return epoch_in(fields, timezone) end
  local time, rest = clock(text, at)
  if not time then return nil, rest end
  fields.hour, fields.min, fields.sec = time.hour, time.min, time.sec
  local offset = shift(text:sub(rest))
  if offset == nil then return nil, 'the zone must be "Z" or as in "+01:00"' end
  if not offset then return epoch_in(fields, timezone) end
  return zone.days(fields.year, fields.month, fields.day) * 86400
    + fields.hour * 3600 + fields.min * 60 + fields.sec - offset
end

--- A moment as `query:between` takes it.
---@param moment integer|string epoch seconds or ISO 8601 text
---@param timezone? string for text without a zone
---@return integer? epoch
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
    return nil, "seconds are wanted, these look like milliseconds"
  end
  return nil, "it must lie in the years 1970 to 9999, in whole seconds"
end

-- Named ranges that end now, by their length.
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

-- Named ranges of the calendar, as { first day, day after the last (nil: up to now) }; a day is { year, month, day },
-- and months and days may lie over or under (zone.days carries them on). `c` is the clock now.
-- That weeks begin on Sunday is unverified.
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

local function midnight(local_zone, day)
  return local_zone:epoch { year = day[1], month = day[2], day = day[3] }
end

-- From the local clock's hour, since zones may lie off by half an hour.
local function last_full_hour(local_zone, now)
  local clock_now = local_zone:civil(now)
  local to = now - clock_now.min * 60 - clock_now.sec
  return { from = to - 3600, to = to }
end

local function named(range, timezone, now)
  if ROLLING[range] then
    local to = now - now % 60 -- the one answer that is known covers whole minutes: ten for the last ten
    return { from = to - ROLLING[range], to = to }
  end
  local calendar = CALENDAR[range]
  if not calendar and range ~= "LastFullHour" then
    return nil, ("what %s means is known to the appliance only; say query:between"):format(check.show(range))
  end
  if not timezone then
    return nil, ("%s depends on the time zone; say query:timezone"):format(range)
  end
  local local_zone, message = zone.load(timezone)
  if not local_zone then return nil, message end
  if not calendar then return last_full_hour(local_zone, now) end
  local first, after = calendar(local_zone:civil(now))
  local from = midnight(local_zone, first)
  -- On the very stroke of midnight an empty span would be asked for: make it one second.
  local to = after and midnight(local_zone, after) or math.max(now, from + 1)
  return { from = from, to = to }
end

--- The epochs of a query's times, as they are at `now`; pages of one walk share them. Ranges of so many minutes or days end with the last
--- full minute, "This" and Today at `now`. Calendar ranges need the query's timezone. That the appliance counts each range in the same
--- way is unverified.
---@param spec table a query's spec
---@param now? integer epoch seconds, default the clock's
---@return { from: integer, to: integer }? epochs
---@return string? message
function times.epochs(spec, now)
  local said = spec.times
  if not said then return nil, "the query has no times" end
  if said.from then return { from = said.from, to = said.to } end
  now = now or os.time()
  if said.last then return { from = now - said.last, to = now } end
  return named(said.range, spec.timezone, now)
end

--- The query's times in words, where they come from the clock: two walks of one query have the same, whenever they run. In the place of
--- epochs. Nil: the query says its times itself.
---@param spec table
---@return { from: string, to: string }?
function times.words(spec)
  local said = spec.times
  if not said or (said.from and not said.words) then return nil end
  if said.words then return said.words end
  if said.last then return { from = ("now-%d"):format(said.last), to = "now" } end
  return { from = said.range .. ".from", to = said.range .. ".to" }
end

--- Makes a request's form with the times in words, for recorders: two runs of one query are then told to be the same. Nil where what is sent
--- does not come from the clock.
---@param make fun(spec: table, pages?: table[], words: table): table<string, string>
---@param spec table
---@param pages? table[]
---@param epochs? { from: integer, to: integer } those that are sent in the place of the query's times
---@return (fun(): table<string, string>)?
function times.like(make, spec, pages, epochs)
  local words = times.words(spec)
  -- A named range alone goes as it is.
  if not words or not (epochs or spec.times.from) then return nil end
  return function() return make(spec, pages, words) end
end

return times
