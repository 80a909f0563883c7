--- Times that a contract does not bill: announced maintenance, an attack, a week's rhythm such as the nights. A sample is excluded when it begins
--- in such a time. An excluded sample is neither ranked nor missing.

local check = require "scrutinizer.check"
local bigint = require "scrutinizer.arithmetic.bigint"
local fields = require "scrutinizer.billing.contract.fields"
local times = require "scrutinizer.time.times"
local zone = require "scrutinizer.time.zone"

local exclusions = {}

---@class scrutinizer.Exclusion
---@field name string
---@field reason string
---@field from integer|string     epoch seconds, or ISO 8601 text in the period's time zone; with `weekdays` a time of day, "22:00"
---@field to integer|string       the same; this moment is not excluded. With `weekdays`: "24:00" is the day's end; up to `from` or before it, the
---   time goes on into the next day
---@field weekdays? string[]      "mon" to "sun": the days on which the time of day begins, by the zone's clock

local KNOWN = { name = true, reason = true, from = true, to = true, weekdays = true }
--- The days' names; the index is the day's number, from 0 on Sundays.
exclusions.WEEKDAYS = { [0] = "sun", "mon", "tue", "wed", "thu", "fri", "sat" }
local NUMBERS = {}
for number, name in pairs(exclusions.WEEKDAYS) do NUMBERS[name] = number end

-- Minutes of the day of "22:00"; nil when it is none.
local function minutes(value, last)
  local hour, minute = tostring(value):match "^(%d%d):(%d%d)$"
  local sum = hour and tonumber(hour) * 60 + tonumber(minute)
  return type(value) == "string" and sum and tonumber(minute) < 60 and sum <= last and sum or nil
end

local function weekly_complaint(entry)
  if not fields.is_list(entry.weekdays) or #entry.weekdays == 0 then return check.message("weekdays", entry.weekdays, 'a list of "mon" to "sun"') end
  local seen = {}
  for _, name in ipairs(entry.weekdays) do
    if not NUMBERS[name] or seen[name] then return check.message("weekdays", name, '"mon" to "sun", each once') end
    seen[name] = true
  end
  if not minutes(entry.from, 1439) then return check.message("from", entry.from, 'a time of day such as "22:00"') end
  if not minutes(entry.to, 1440) then return check.message("to", entry.to, 'a time of day such as "06:00", or "24:00"') end
  if entry.from == entry.to then return "from and to are the same" end
end

local function span_complaint(entry)
  for _, name in ipairs { "from", "to" } do
    local moment, message = times.moment(entry[name], "UTC")
    if not moment then return check.message(name, entry[name], "epoch seconds or ISO 8601 text", message) end
  end
end

--- What is wrong with a list of exclusions, or nil.
---@param list any
---@return string?
function exclusions.complaint(list)
  if list == nil then return nil end
  return fields.list("exclude", "exclusion", list, KNOWN, function(entry)
    return fields.text("name", entry.name) or fields.text("reason", entry.reason)
      or (entry.weekdays ~= nil and weekly_complaint or span_complaint)(entry)
  end)
end

-- Whether a time of the clock lies in a week's rhythm.
local function weekly(entry)
  local days, from, to = {}, minutes(entry.from, 1439), minutes(entry.to, 1440)
  for _, name in ipairs(entry.weekdays) do days[NUMBERS[name]] = true end
  return function(civil)
    local now = civil.hour * 60 + civil.min
    if from < to then return (days[civil.wday] and now >= from and now < to) or false end
    return (days[civil.wday] and now >= from) or (days[(civil.wday + 6) % 7] and now < to) or false
  end
end

-- The first and last sample that begin in [from, to), or a complaint.
local function span_places(entry, set)
  local bounds = {}
  for i, name in ipairs { "from", "to" } do
    local moment, message = times.moment(entry[name], set.period.timezone)
    if not moment then return nil, check.message(name, entry[name], "epoch seconds or ISO 8601 text", message) end
    bounds[i] = math.ceil((moment - set.period.from) / set.interval)
  end
  local first, last = math.max(bounds[1] + 1, 1), math.min(bounds[2], set.n)
  if first > last then return nil, "no sample of the period begins in it" end
  return first, last
end

local function mark(found, entry, set, clock)
  local first, last, applies = 1, set.n, nil
  if entry.weekdays then applies = weekly(entry) else first, last = span_places(entry, set) end
  if not first then return last end
  for i = first, last do
    if not found[i] and (not applies or applies(clock:civil(set.period.from + (i - 1) * set.interval))) then found[i] = entry end
  end
end

--- Which samples are excluded, and by which exclusion: the first one that holds. Nil and a complaint when one does not fit the period.
---@param list scrutinizer.Exclusion[]
---@param set scrutinizer.Samples
---@return table<integer, scrutinizer.Exclusion>?
---@return string? complaint
function exclusions.of(list, set)
  local found, clock = {}, assert(zone.load(set.period.timezone))
  for i, entry in ipairs(list) do
    local complaint = mark(found, entry, set, clock)
    if complaint then return nil, ("exclusion %d (%s): %s"):format(i, check.show(entry.name), complaint) end
  end
  return found
end

local function add_range(entry, at, interval)
  local last = entry.ranges[#entry.ranges]
  if last and last[2] == at then last[2] = at + interval else entry.ranges[#entry.ranges + 1] = { at, at + interval } end
end

--- What was excluded, for the bill: for each exclusion its samples, their ranges of time and octets.
---@param list scrutinizer.Exclusion[]
---@param found table<integer, scrutinizer.Exclusion>
---@param set scrutinizer.Samples
---@return { name: string, reason: string, samples: integer, octets: table<string, scrutinizer.Whole>, ranges: integer[][] }[] shown
---@return integer count of all
function exclusions.shown(list, found, set)
  local shown, place, count = {}, {}, 0
  for i, entry in ipairs(list) do
    shown[i] = { name = entry.name, reason = entry.reason, samples = 0, octets = {}, ranges = {} }
    for _, side in ipairs { "inbound", "outbound" } do shown[i].octets[side] = set[side] and 0 or nil end
    place[entry] = shown[i]
  end
  for i = 1, set.n do
    local entry = found[i] and place[found[i]]
    if entry then
      count, entry.samples = count + 1, entry.samples + 1
      add_range(entry, set.period.from + (i - 1) * set.interval, set.interval)
      for side, sum in pairs(entry.octets) do
        for _, part in ipairs(set[side]) do sum = bigint.add(sum, part.values[i] or 0) end
        entry.octets[side] = sum
      end
    end
  end
  return shown, count
end

return exclusions
