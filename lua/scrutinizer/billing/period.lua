--- The billing period: a span of time, [from, to), in an IANA time zone. All times are epoch seconds, so that months of 28 to 31 days and
--- days of 23 and 25 hours have their true length.

local check = require "scrutinizer.check"
local times = require "scrutinizer.time.times"
local zone = require "scrutinizer.time.zone"

local period = {}

-- A sample's length, in seconds.
period.INTERVAL = 300

---@class scrutinizer.Period
---@field from integer        epoch seconds
---@field to integer          epoch seconds; the first second after the period
---@field timezone string     IANA name
---@field month string        "2026-11": the month in which it begins
---@field days? integer       its calendar days; nil when it does not begin and end at midnight
---@field month_from integer  epoch seconds of that month's beginning
---@field month_to integer    epoch seconds of that month's end
---@field month_days integer  that month's calendar days
---@field whole boolean       whether the period is that whole month
---@field intervals integer   its number of five-minute samples

local function month_start(clock, year, month)
  -- Month 13 is January of the next year.
  return clock:epoch { year = year + math.floor((month - 1) / 12), month = (month - 1) % 12 + 1, day = 1 }
end

-- The number of days from 1970 to a midnight of the zone; nil when the moment is not a midnight.
local function day_of(clock, epoch)
  local civil = clock:civil(epoch)
  if clock:epoch { year = civil.year, month = civil.month, day = civil.day } ~= epoch then return nil end
  return zone.days(civil.year, civil.month, civil.day)
end

local function days_between(clock, from, to)
  local first, last = day_of(clock, from), day_of(clock, to)
  return first and last and last - first or nil
end

--- A period between two epochs, or nil and a complaint.
---@param from integer
---@param to integer
---@param timezone string
---@return scrutinizer.Period?
---@return string? complaint
function period.between(from, to, timezone)
  local clock, message = zone.load(timezone)
  if not clock then return nil, check.message("timezone", timezone, "an IANA name", message) end
  if from >= to then return nil, ("from must be before to: %d, %d"):format(from, to) end
  if from % period.INTERVAL ~= 0 or to % period.INTERVAL ~= 0 then
    return nil, ("both ends must be multiples of five minutes: %d, %d"):format(from, to)
  end
  local civil = clock:civil(from)
  local month_from, month_to = month_start(clock, civil.year, civil.month), month_start(clock, civil.year, civil.month + 1)
  return {
    from = from, to = to, timezone = timezone, intervals = math.floor((to - from) / period.INTERVAL),
    month = ("%04d-%02d"):format(civil.year, civil.month), days = days_between(clock, from, to),
    month_from = month_from, month_to = month_to, month_days = zone.month_length(civil.year, civil.month),
    whole = from == month_from and to == month_to,
  }
end

--- A calendar month, or nil and a complaint.
---@param text any "2026-11"
---@param timezone string
---@return scrutinizer.Period?
---@return string? complaint
function period.month(text, timezone)
  local year, month = tostring(text):match "^(%d%d%d%d)%-(%d%d)$"
  year, month = tonumber(year), tonumber(month)
  if type(text) ~= "string" or not year or year < 1970 or month < 1 or month > 12 then
    return nil, check.message("month", text, 'such as "2026-11"')
  end
  local clock, message = zone.load(timezone)
  if not clock then return nil, check.message("timezone", timezone, "an IANA name", message) end
  return period.between(month_start(clock, year, month), month_start(clock, year, month + 1), timezone)
end

--- Part of a month or any other span: epoch seconds, or ISO 8601 text in the time zone. Nil and a complaint for wrong input.
---@param from integer|string
---@param to integer|string
---@param timezone string
---@return scrutinizer.Period?
---@return string? complaint
function period.span(from, to, timezone)
  local clock, message = zone.load(timezone)
  if not clock then return nil, check.message("timezone", timezone, "an IANA name", message) end
  local first, last
  first, message = times.moment(from, timezone)
  if not first then return nil, check.message("from", from, "epoch seconds or ISO 8601 text", message) end
  last, message = times.moment(to, timezone)
  if not last then return nil, check.message("to", to, "epoch seconds or ISO 8601 text", message) end
  return period.between(first, last, timezone)
end

--- A moment as local time of the zone: "2026-11-01 00:00:00 +0100".
---@param timezone string
---@param epoch integer
---@return string
function period.clock_text(timezone, epoch)
  local clock = assert(zone.load(timezone))
  local c, offset = clock:civil(epoch), clock:offset(epoch)
  local minutes = math.floor(math.abs(offset) / 60)
  return ("%04d-%02d-%02d %02d:%02d:%02d %s%02d%02d"):format(c.year, c.month, c.day, c.hour, c.min, c.sec, offset < 0 and "-" or "+",
    math.floor(minutes / 60), minutes % 60)
end

return period
