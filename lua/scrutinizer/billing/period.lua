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
---@field anchor integer      day of the month on which a billing cycle begins; 1: cycles are calendar months
---@field month string        "2026-11": the month in which its cycle begins
---@field days? integer       its days by the zone's calendar; nil when it does not begin and end at midnight
---@field month_from integer  epoch seconds of that cycle's beginning
---@field month_to integer    epoch seconds of that cycle's end
---@field month_days integer  that cycle's days; a day that the zone skipped is not one
---@field whole boolean       whether the period is that whole cycle
---@field intervals integer   its number of five-minute samples

local function day_start(clock, day)
  local year, month, date = zone.date(day)
  return clock:start { year = year, month = month, day = date }
end

-- The day, counted from 1970, on which the cycle of a month begins: the anchor, or the last day of a shorter month. Month 13 is the next January.
local function cycle_day(year, month, anchor)
  year, month = year + math.floor((month - 1) / 12), (month - 1) % 12 + 1
  return zone.days(year, month, math.min(anchor, zone.month_length(year, month)))
end

-- The number of days from 1970 to a midnight of the zone; nil when the moment is not a midnight.
local function day_of(clock, epoch)
  local civil = clock:civil(epoch)
  local day = zone.days(civil.year, civil.month, civil.day)
  return day_start(clock, day) == epoch and day or nil
end

-- The days that the zone had. A zone that changed its side of the date line skipped a whole day: it begins when the next one does.
local function count_days(clock, first, last)
  local count, begins = 0, day_start(clock, first)
  for day = first + 1, last do
    local ends = day_start(clock, day)
    if ends > begins then count = count + 1 end
    begins = ends
  end
  return count
end

local function days_between(clock, from, to)
  local first, last = day_of(clock, from), day_of(clock, to)
  return first and last and count_days(clock, first, last) or nil
end

-- Year and month of the cycle that contains a moment.
local function cycle_of(clock, epoch, anchor)
  local civil = clock:civil(epoch)
  local year, month = civil.year, civil.month
  if epoch >= day_start(clock, cycle_day(year, month, anchor)) then return year, month end
  return month == 1 and year - 1 or year, month == 1 and 12 or month - 1
end

--- A period between two epochs, or nil and a complaint.
---@param from integer
---@param to integer
---@param timezone string
---@param anchor? integer day of the month on which cycles begin, default 1
---@return scrutinizer.Period?
---@return string? complaint
function period.between(from, to, timezone, anchor)
  local clock, message = zone.load(timezone)
  if not clock then return nil, check.message("timezone", timezone, "an IANA name", message) end
  local day = check.integer(anchor == nil and 1 or anchor, 1, 31)
  if not day then return nil, check.message("anchor", anchor, "a day of the month, from 1 to 31") end
  if from >= to then return nil, ("from must be before to: %d, %d"):format(from, to) end
  if from % period.INTERVAL ~= 0 or to % period.INTERVAL ~= 0 then
    return nil, ("both ends must be multiples of five minutes: %d, %d"):format(from, to)
  end
  local year, month = cycle_of(clock, from, day)
  local first, last = cycle_day(year, month, day), cycle_day(year, month + 1, day)
  local month_from, month_to = day_start(clock, first), day_start(clock, last)
  return {
    from = from, to = to, timezone = timezone, anchor = day, intervals = math.floor((to - from) / period.INTERVAL),
    month = ("%04d-%02d"):format(year, month), days = days_between(clock, from, to),
    month_from = month_from, month_to = month_to, month_days = count_days(clock, first, last), whole = from == month_from and to == month_to,
  }
end

--- The billing cycle that begins in a month: the calendar month, or from `anchor` up to the next month's. Nil and a complaint for wrong input.
---@param text any "2026-11"
---@param timezone string
---@param anchor? integer default 1
---@return scrutinizer.Period?
---@return string? complaint
function period.month(text, timezone, anchor)
  local year, month = tostring(text):match "^(%d%d%d%d)%-(%d%d)$"
  year, month = tonumber(year), tonumber(month)
  if type(text) ~= "string" or not year or year < 1970 or month < 1 or month > 12 then
    return nil, check.message("month", text, 'such as "2026-11"')
  end
  local clock, message = zone.load(timezone)
  if not clock then return nil, check.message("timezone", timezone, "an IANA name", message) end
  local day = check.integer(anchor == nil and 1 or anchor, 1, 31)
  if not day then return nil, check.message("anchor", anchor, "a day of the month, from 1 to 31") end
  return period.between(day_start(clock, cycle_day(year, month, day)), day_start(clock, cycle_day(year, month + 1, day)), timezone, day)
end

--- Part of a month or any other span: epoch seconds, or ISO 8601 text in the time zone. Nil and a complaint for wrong input.
---@param from integer|string
---@param to integer|string
---@param timezone string
---@param anchor? integer day of the month on which cycles begin, default 1
---@return scrutinizer.Period?
---@return string? complaint
function period.span(from, to, timezone, anchor)
  local clock, message = zone.load(timezone)
  if not clock then return nil, check.message("timezone", timezone, "an IANA name", message) end
  local first, last
  first, message = times.moment(from, timezone)
  if not first then return nil, check.message("from", from, "epoch seconds or ISO 8601 text", message) end
  last, message = times.moment(to, timezone)
  if not last then return nil, check.message("to", to, "epoch seconds or ISO 8601 text", message) end
  return period.between(first, last, timezone, anchor)
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
