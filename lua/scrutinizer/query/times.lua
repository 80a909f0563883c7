--- The methods that set a query's times: named ranges, any window, days, months, hours, the time zone, and a shift.

local check = require "scrutinizer.check"
local draft = require "scrutinizer.query.draft"
local listing = require "scrutinizer.listing"
local names = require "scrutinizer.query.names"
local suggest = require "scrutinizer.suggest"
local times = require "scrutinizer.time.times"
local window = require "scrutinizer.time.window"
local wire = require "scrutinizer.wire"
local zone = require "scrutinizer.time.zone"

---@class scrutinizer.Query
local methods = draft.methods

-- A draft that gets new times. They replace the times that were set before, and a shift of those.
local function times_draft(query, method)
  local replaces = draft.is(query) and (query._spec.times or query._spec.fields[wire.field.times] ~= nil)
  local spec = draft.of(query, method, "times", 1)
  if replaces then spec.shift = nil end
  return spec
end

--- A named range, such as "LastHour"; see `scrutinizer.date_ranges`. Unknown names are accepted; a misspelling of a known name raises.
---@param name string
---@return scrutinizer.Query
function methods:range(name)
  local spec = times_draft(self, "range")
  local good, hint = suggest.open(name, names.date_ranges)
  if not good then draft.misuse("range", name, "a name as in scrutinizer.date_ranges", hint) end
  if name == wire.CUSTOM then draft.misuse("range", name, "a named range; for other times use :between(from, to)") end
  draft.set_times(spec, { range = name })
  return draft.finish(self, spec)
end

local MOMENT = 'epoch seconds or ISO 8601 text such as "2026-11-01T00:00:00Z"'

-- Epoch seconds; or, for text that waits for the query's zone, seconds on that zone's clock, and true. Raises when it can never be read.
local function moment(name, value)
  local clock = times.waits(value)
  if clock and clock > -86400 then return clock, true end -- no zone is more than a day from UTC
  local epoch, complaint = times.moment(value)
  if epoch then return epoch, false end
  if clock then complaint = times.YEARS end
  error(check.message("between: " .. name, value, MOMENT, complaint), 4)
end

-- The times from one moment to another. Raises at the line that called the query's method.
local function between(from, to)
  local first, first_waits = moment("from", from)
  local after, after_waits = moment("to", to)
  if first_waits == after_waits and first >= after then
    error(check.message("between: to", to, "a moment after from", ("from is %s"):format(check.show(from))), 3)
  end
  if not first_waits and not after_waits then return { from = first, to = after } end
  return { between = { first_waits and from or first, after_waits and to or after } }
end

--- From one moment to another, as epoch seconds or ISO 8601 text. Text without a zone is read in the query's `:timezone` when the query runs,
--- which raises where there is none, and for a time that the zone's clock skips or shows twice: say that one with its offset. A day alone is its
--- first moment, where midnight is skipped too.
---@param from integer|string included
---@param to integer|string not included
---@return scrutinizer.Query
function methods:between(from, to)
  local spec = times_draft(self, "between")
  draft.set_times(spec, between(from, to))
  return draft.finish(self, spec)
end

--- A span of time that ends now. It is counted back from the moment of each run.
---@param span integer|string seconds, 1 to 10^9, or a number with a unit such as "90m" (s m h d w)
---@return scrutinizer.Query
function methods:last(span)
  local spec = times_draft(self, "last")
  local seconds = times.seconds(span)
  if not seconds then
    draft.misuse("last", span, 'whole seconds from 1 to 10^9, or such a number with a unit of s, m, h, d, w, as "90m"')
  end
  draft.set_times(spec, { last = seconds })
  return draft.finish(self, spec)
end

local UNITS = {
  day = 'a day such as "2026-11-26", or how many days back: 0 is today, -1 yesterday',
  month = 'a month such as "2026-11", or how many months back: 0 is this month, -1 the one before',
  hour = 'an hour such as "2026-11-26T14", or how many hours back: 0 is this hour, -1 the one before',
}

-- The times of one day, month or hour. Raises at the line that called the query's method.
local function unit_times(spec, unit, value)
  local at, complaint = window.read(unit, value)
  if not at then error(check.message(unit, value, UNITS[unit], complaint), 3) end
  draft.set_times(spec, { unit = unit, at = at })
end

--- One day of the calendar in the query's zone, from midnight to midnight: 23 or 25 hours where the clocks change. A number is resolved when
--- the query runs; without `:timezone` this raises.
---@param day string|integer "2026-11-26"; or 0 for today, -1 for yesterday
---@return scrutinizer.Query
function methods:day(day)
  local spec = times_draft(self, "day")
  unit_times(spec, "day", day)
  return draft.finish(self, spec)
end

--- One month of the calendar in the query's zone. A number is resolved when the query runs; without `:timezone` this raises.
---@param month string|integer "2026-11"; or 0 for this month, -1 for the one before
---@return scrutinizer.Query
function methods:month(month)
  local spec = times_draft(self, "month")
  unit_times(spec, "month", month)
  return draft.finish(self, spec)
end

--- One hour of the clock in the query's zone. A text means all moments at which the clock shows this hour: two hours when the clock is set back
--- during it. An hour that the clock skips, or shows twice with other times in between, raises when the query runs. A number counts hours of 60
--- minutes; moved by days, it is the hour that the clock shows at its beginning, as a text would name it. Without `:timezone` the
--- query raises when it runs.
---@param hour string|integer "2026-11-26T14" for 14:00 to 15:00; or 0 for this hour, -1 for the one before
---@return scrutinizer.Query
function methods:hour(hour)
  local spec = times_draft(self, "hour")
  unit_times(spec, "hour", hour)
  return draft.finish(self, spec)
end

--- Moves the query's window: `:last "1h":shift "-7d"` is the same hour one week earlier. Days and weeks are those of the calendar in the query's
--- zone: the local time stays the same, also across a clock change, and a `:day` becomes another whole day; without `:timezone` the query raises
--- when it runs. Hours, minutes and seconds are exact. Several calls are added. It may come before or after the query's first times. Times that are
--- set later replace the earlier times and their shift. A named range that only the appliance can compute raises when the query runs.
---@param span string|integer "-7d", "+12h" (s m h d w), or seconds: -3600
---@return scrutinizer.Query
function methods:shift(span)
  local spec = draft.of(self, "shift")
  if spec.fields[wire.field.times] ~= nil then draft.blame "shift: :set has replaced the query's times; change them in :set" end
  local more = window.span(span)
  if not more then draft.misuse("shift", span, 'text with a sign and a unit of s, m, h, d, w, as "-7d"; or whole seconds, as -3600') end
  local before = spec.shift or { days = 0, seconds = 0 }
  spec.shift = { days = before.days + more.days, seconds = before.seconds + more.seconds }
  return draft.finish(self, spec)
end

--- From when to when the query asks, in epoch seconds; times that depend on the clock are counted now. Raises when they are not known.
---@return { from: integer, to: integer } window half-open
function methods:window()
  local spec = draft.of(self, "window")
  if spec.fields[wire.field.times] ~= nil then draft.blame "window: :set has replaced the query's times; set them with :between" end
  if not spec.times then draft.blame "window: the query has no times" end
  local now, epochs = os.time(), nil
  local settled, message = window.settle(spec, now)
  if settled then epochs, message = times.epochs(settled, now) end
  if not epochs then draft.blame("window: " .. message) end
  return epochs
end

-- The length of windows: as `window.span` reads it; nil for what is none.
local function length_of(value)
  local length = type(value) == "string" and window.span("+" .. value) or times.seconds(value) and { days = 0, seconds = times.seconds(value) }
  return length and length.days + length.seconds > 0 and length or nil
end

--- The query's window in parts: a list of queries, one for each window of time, the first one first. They follow each other without a gap or an
--- overlap, are half-open, and cover the query's window exactly; times that depend on the clock are counted now. Days and weeks end at midnight in
--- the query's zone, so that days have 23 or 25 hours where its clocks change, and the first and the last one may be parts of a day; without
--- `:timezone` they raise. Hours, minutes and seconds are exact, and counted from the window's beginning.
---
--- All else holds in each window: `:limit`, ranks and percentages are of one window. Sums and counts add up over windows; peaks, percentiles and
--- distinct counts do not.
---@param length string|integer "1d", "6h" (s m h d w), or seconds
---@return scrutinizer.Query[]
function methods:windows(length)
  local spec = draft.of(self, "windows")
  local parts_length = length_of(length)
  if not parts_length then
    draft.misuse("windows", length, 'a length such as "1d" or "6h" (s m h d w), or whole seconds from 1')
  end
  if spec.fields[wire.field.times] ~= nil then draft.blame "windows: :set has replaced the query's times; set them with :between" end
  if not spec.times then draft.blame 'windows: say when: :range "LastHour", :between(from, to), :last "90m" or :day "2026-11-26"' end
  if spec.proof then draft.blame "windows: the query resumes a walk, whose rows are those of one window: cut the query that it came from" end
  local parts, message = window.split(spec, parts_length)
  if not parts then draft.blame("windows: " .. message) end
  for i, part in ipairs(parts) do
    local one = draft.of(self, "windows")
    draft.set_times(one, part)
    one.shift = nil
    parts[i] = draft.finish(self, one)
  end
  return listing.of(parts, "windows", {})
end

--- The time zone in which the appliance shows times and counts days, and in which the query's days, hours and texts without a zone are read
--- when it runs. Its effect on the appliance's own calendar ranges is unverified.
---@param name string IANA name, such as "America/New_York"
---@return scrutinizer.Query
function methods:timezone(name)
  local spec = draft.of(self, "timezone")
  if spec.fields[wire.field.times] ~= nil then
    draft.blame "timezone: :set has replaced the query's times; set the time zone in :set"
  end
  local known, complaint, unreadable = zone.load(name)
  -- Without zone files only the form of the name can be checked.
  local plausible = unreadable and type(name) == "string" and name:find "^[A-Za-z][A-Za-z0-9_+/-]*$"
  if not known and not plausible then draft.misuse("timezone", name, 'an IANA name such as "Europe/Berlin"', complaint) end
  spec.timezone = name
  return draft.finish(self, spec)
end
