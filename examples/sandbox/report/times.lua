-- The times of a report: named ranges, time zones (from the system's `date`), the length of buckets.
local times = {}
local DAY = 86400

local SHORT = {
  LastFiveMinutes = 300, Last5Minutes = 300, LastTenMinutes = 600, LastFifteenMinutes = 900, LastTwentyMinutes = 1200,
  LastThirtyMinutes = 1800, LastFortyFiveMinutes = 2700, LastHour = 3600, Last24Hours = DAY, LastThreeDays = 3 * DAY,
  LastSevenDays = 7 * DAY, LastThirtyDays = 30 * DAY,
}

-- Cache of the outputs of `date`: the same arguments always give the same output.
local MOST_SAID = 1000
local said, count = {}, 0

local function date(zone, ...)
  local command = ("TZ='%s' LC_ALL=C date %s"):format(zone, table.concat({ ... }, " "))
  if said[command] then return said[command] end
  local pipe = assert(io.popen(command))
  local line = pipe:read "*l" or ""
  pipe:close()
  if count == MOST_SAID then said, count = {}, 0 end
  said[command], count = line, count + 1
  return line
end

--- Whether the system knows a zone of this name.
function times.known_zone(zone)
  if not zone:find "^%a[%w_+/-]*$" then return false end
  local file = io.open("/usr/share/zoneinfo/" .. zone, "rb")
  local magic = file and file:read(4)
  if file then file:close() end
  return magic == "TZif"
end

--- The zone's abbreviation and local time at an epoch.
function times.format(zone, epoch)
  local text = date(zone, ("-d @%.0f"):format(epoch), "'+%Z|%Y-%m-%d %H:%M:%S'")
  return text:match "^(.-)|(.*)$"
end

-- The epoch at which a day begins in the zone. Month and day may be out of range; they are normalized at noon, when no clock changes.
local function midnight(zone, year, month, day)
  local noon = os.date("*t", os.time { year = year, month = month, day = day, hour = 12 })
  local text = ("'%04d-%02d-%02d 00:00:00'"):format(noon.year, noon.month, noon.day)
  local epoch = date(zone, "-d", text, "+%s 2>/dev/null")
  if epoch == "" then epoch = date(zone, "-d", text:gsub("00:00:00", "01:00:00"), "+%s") end
  return tonumber(epoch)
end

-- Calendar ranges: the days `from` and `to`, relative to today in the zone. `to` = nil means now.
local CALENDAR = {
  Today = function(t) return { t.year, t.month, t.day } end,
  Yesterday = function(t) return { t.year, t.month, t.day - 1 }, { t.year, t.month, t.day } end,
  ThisWeek = function(t) return { t.year, t.month, t.day - t.weekday } end,
  LastWeek = function(t) return { t.year, t.month, t.day - t.weekday - 7 }, { t.year, t.month, t.day - t.weekday } end,
  ThisMonth = function(t) return { t.year, t.month, 1 } end,
  LastMonth = function(t) return { t.year, t.month - 1, 1 }, { t.year, t.month, 1 } end,
  ThisYear = function(t) return { t.year, 1, 1 } end,
  LastYear = function(t) return { t.year - 1, 1, 1 }, { t.year, 1, 1 } end,
}

local function today(zone, now, week_start)
  local year, month, day, weekday = date(zone, ("-d @%.0f"):format(now), "'+%Y %m %d %w'"):match "(%d+) (%d+) (%d+) (%d)"
  local shift = week_start == "monday" and (weekday + 6) % 7 or tonumber(weekday)
  return { year = tonumber(year), month = tonumber(month), day = tonumber(day), weekday = shift }
end

--- The epochs [from, to) of a named range; nil for an unknown name. "Last…" ends at the last full minute, "This…" and Today end now.
function times.range(name, zone, now, week_start)
  now = math.floor(now)
  if SHORT[name] then
    local stop = now - now % 60
    return stop - SHORT[name], stop
  elseif name == "LastFullHour" then
    local minutes, seconds = date(zone, ("-d @%.0f"):format(now), "'+%M %S'"):match "(%d+) (%d+)"
    local stop = now - minutes * 60 - seconds
    return stop - 3600, stop
  elseif CALENDAR[name] then
    local from, to = CALENDAR[name](today(zone, now, week_start))
    return midnight(zone, unpack(from)), to and midnight(zone, unpack(to)) or now
  end
end

--- All names of ranges.
function times.names()
  local names = { LastFullHour = true, Custom = true }
  for name in pairs(SHORT) do names[name] = true end
  for name in pairs(CALENDAR) do names[name] = true end
  return names
end

-- { the longest span in minutes for one device, for several devices, bucket length in seconds }.
local AUTO = { { 60, 30, 60 }, { 300, 120, 300 }, { 1800, 900, 1800 }, { 7200, 3600, 7200 }, { 43200, 21600, 43200 } }

--- The length in seconds of a bucket with "auto".
function times.auto(span_seconds, one_device)
  for _, step in ipairs(AUTO) do
    if span_seconds / 60 <= step[one_device and 1 or 2] then return step[3] end
  end
  return DAY
end

return times
