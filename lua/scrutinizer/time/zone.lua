--- Time zones from the system's TZif files (RFC 8536), and calendar days. Whole numbers only; uses no os.date and no TZ variable.

local files = require "scrutinizer.files"
local suggest = require "scrutinizer.suggest"

local zone = {}

local FOLDERS = { "/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo" }
local DAY = 86400

local function div(a, b)
  return math.floor(a / b)
end

-- Calendar days. Years are counted from 1 March, so that the leap day is the last day.

--- Days from 1970-01-01 to a date of the Gregorian calendar. The month and the day may be out of range: month 13 is the next January.
---@param year integer
---@param month integer
---@param day integer
---@return integer
function zone.days(year, month, day)
  year = year + div(month - 3, 12)
  local from_march = (month - 3) % 12
  return 365 * year + div(year, 4) - div(year, 100) + div(year, 400)
    + div(153 * from_march + 2, 5) + day - 719469
end

--- The date this many days after 1970-01-01.
---@param days integer
---@return integer year, integer month, integer day
function zone.date(days)
  local n = days + 719468
  local era, of_era = div(n, 146097), n % 146097
  local year = div(of_era - div(of_era, 1460) + div(of_era, 36524) - div(of_era, 146096), 365)
  local of_year = of_era - (365 * year + div(year, 4) - div(year, 100))
  local from_march = div(5 * of_year + 2, 153)
  local day = of_year - div(153 * from_march + 2, 5) + 1
  local month = from_march < 10 and from_march + 3 or from_march - 9
  return year + era * 400 + (month <= 2 and 1 or 0), month, day
end

--- How many days a month has.
---@param year integer
---@param month integer
---@return integer
function zone.month_length(year, month)
  return zone.days(year, month + 1, 1) - zone.days(year, month, 1)
end

-- The rule at the end of the file, for times after its table: "EST5EDT,M3.2.0,M11.1.0".

-- Reads "[+-]hh[:mm[:ss]]" at `at`: seconds, and the position after it.
local function rule_time(text, at)
  local sign, hours, rest = text:match("^([+-]?)(%d+)()", at)
  if not hours then return nil end
  local seconds = tonumber(hours) * 3600
  for _, unit in ipairs { 60, 1 } do
    local digits, next_at = text:match("^:(%d%d)()", rest)
    if not digits then break end
    seconds, rest = seconds + tonumber(digits) * unit, next_at
  end
  return sign == "-" and -seconds or seconds, rest
end

local function rule_name(text, at)
  return text:match("^<[A-Za-z0-9+-]+>()", at) or text:match("^[A-Za-z]+()", at)
end

-- Reads ",M3.2.0/2" at `at`: when the offset changes, and the position after it.
local function rule_change(text, at)
  local change = { time = 7200 }
  local month, week, weekday, rest = text:match("^,M(%d+)%.(%d)%.(%d)()", at)
  if month then
    change.month, change.week, change.weekday = tonumber(month), tonumber(week), tonumber(weekday)
  else
    local julian, day
    julian, day, rest = text:match("^,(J?)(%d+)()", at)
    if not day then return nil end
    change.day, change.julian = tonumber(day), julian == "J"
  end
  if text:sub(rest, rest) == "/" then
    change.time, rest = rule_time(text, rest + 1)
    if not change.time then return nil end
  end
  return change, rest
end

local function parse_rule(text)
  local name_end = rule_name(text, 1)
  if not name_end then return nil end
  local standard, at = rule_time(text, name_end)
  if not standard then return nil end
  local rule = { standard = -standard }
  if at > #text then return rule end
  at = rule_name(text, at)
  if not at then return nil end
  local daylight = standard - 3600
  local offset_found, after = rule_time(text, at)
  if offset_found then daylight, at = offset_found, after end
  rule.daylight = -daylight
  rule.begins, at = rule_change(text, at)
  if not rule.begins then return nil end
  rule.ends, at = rule_change(text, at)
  if not rule.ends or at <= #text then return nil end
  return rule
end

-- The change's moment in a year, in seconds of the local clock before the change.
local function change_moment(change, year)
  local day
  if change.month then
    local first = zone.days(year, change.month, 1)
    day = first + (change.weekday - (first + 4)) % 7 + (change.week - 1) * 7
    -- Week 5 means the last one; a fifth week may lie in the next month.
    if day >= first + zone.month_length(year, change.month) then day = day - 7 end
  else
    day = zone.days(year, 1, 1) + change.day
    if change.julian then
      -- Day 60 is always 1 March: the leap day is not counted.
      local leap = zone.month_length(year, 2) == 29
      day = day - ((leap and change.day >= 60) and 0 or 1)
    end
  end
  return day * DAY + change.time
end

local function rule_offset(rule, epoch)
  if not rule.daylight then return rule.standard end
  local year = zone.date(div(epoch + rule.standard, DAY))
  local begins = change_moment(rule.begins, year) - rule.standard
  local ends = change_moment(rule.ends, year) - rule.daylight
  local daylight
  if begins < ends then
    daylight = epoch >= begins and epoch < ends
  else
    daylight = not (epoch >= ends and epoch < begins)
  end
  return daylight and rule.daylight or rule.standard
end

-- The file.

-- Reads a big-endian signed number of `size` bytes at `at`. Starts with the sign of the first byte, so that 64 bits never overflow.
local function number(data, at, size)
  local value = data:byte(at)
  if value >= 128 then value = value - 256 end
  for i = at + 1, at + size - 1 do value = value * 256 + data:byte(i) end
  return value
end

local function header(data, at)
  if data:sub(at, at + 3) ~= "TZif" or #data < at + 43 then return nil end
  local head = { version = data:byte(at + 4) }
  for i, field in ipairs { "utc_flags", "std_flags", "leaps", "times", "types", "chars" } do
    head[field] = number(data, at + 16 + 4 * i, 4)
    if head[field] < 0 then return nil end
  end
  return head
end

local function block_size(head, width)
  return head.times * (width + 1) + head.types * 6 + head.chars
    + head.leaps * (width + 4) + head.std_flags + head.utc_flags
end

-- The transitions of one block: their moments, the offset after each, and the offset before the first.
local function read_block(data, at, head, width)
  local kinds, moments, offsets = {}, {}, {}
  local indices = at + head.times * width
  for i = 0, head.types - 1 do kinds[i] = number(data, indices + head.times + 6 * i, 4) end
  for i = 1, head.times do
    moments[i] = number(data, at + (i - 1) * width, width)
    offsets[i] = kinds[data:byte(indices + i - 1)]
    if not offsets[i] then return nil end
  end
  return { moments = moments, offsets = offsets, first = kinds[0] }
end

local function parse_tzif(data)
  local head = header(data, 1)
  if not head then return nil end
  local at, width = 45, 4
  if head.version ~= 0 then
    at, width = at + block_size(head, 4), 8
    head = header(data, at)
    if not head then return nil end
    at = at + 44
  end
  local size = block_size(head, width)
  -- A file with leap seconds ("right/"). The timestamps of flows do not count leap seconds.
  if head.types == 0 or head.leaps > 0 or #data < at + size - 1 then return nil end
  local found = read_block(data, at, head, width)
  if not found then return nil end
  local footer = width == 8 and data:match("^\n([^\n]*)\n", at + size)
  if footer and footer ~= "" then
    found.rule = parse_rule(footer)
    if not found.rule then return nil end
  end
  return found
end

---@class scrutinizer.Zone
---@field name string
---@field private _moments integer[] when the offset changes, ascending
---@field private _offsets integer[] seconds east of UTC from that moment on
---@field private _first integer     the offset before the first change
---@field private _rule? table       for times after the last change
local Zone = {}
Zone.__index = Zone
Zone.__name = "scrutinizer.Zone"

--- Seconds east of UTC at a moment.
---@param epoch integer
---@return integer
function Zone:offset(epoch)
  local moments = self._moments
  local low, high = 0, #moments
  if self._rule and (high == 0 or epoch >= moments[high]) then return rule_offset(self._rule, epoch) end
  while low < high do
    local middle = div(low + high + 1, 2)
    if moments[middle] <= epoch then low = middle else high = middle - 1 end
  end
  return low == 0 and self._first or self._offsets[low]
end

--- The local date and time at a moment; `wday` is 0 on Sundays.
---@param epoch integer
---@return { year: integer, month: integer, day: integer, hour: integer, min: integer, sec: integer, wday: integer }
function Zone:civil(epoch)
  local clock = epoch + self:offset(epoch)
  local days, seconds = div(clock, DAY), clock % DAY
  local year, month, day = zone.date(days)
  return {
    year = year, month = month, day = day,
    hour = div(seconds, 3600), min = div(seconds, 60) % 60, sec = seconds % 60, wday = (days + 4) % 7,
  }
end

-- Seconds from 1970 on a clock that shows these fields and stays in UTC.
local function clock_of(fields)
  return zone.days(fields.year, fields.month, fields.day) * DAY
    + (fields.hour or 0) * 3600 + (fields.min or 0) * 60 + (fields.sec or 0)
end

-- The offsets a day before and a day after a time of the clock, and the moment at which the offset changes between them; nil: it does not.
local function change_near(self, clock, seconds)
  local low, high = clock - DAY, clock + seconds + DAY
  local before, after = self:offset(low), self:offset(high)
  if before == after then return before, after, nil end
  while high - low > 1 do
    local middle = div(low + high, 2)
    if self:offset(middle) == after then high = middle else low = middle end
  end
  return before, after, high
end

--- The moment at which the zone's clock shows these fields. When clocks go forward, a time in the gap is moved forward by the gap
--- (02:30 becomes 03:30). When clocks go back, the first of the two moments is used.
---@param fields { year: integer, month: integer, day: integer, hour?: integer, min?: integer, sec?: integer }
---@return integer
function Zone:epoch(fields)
  local clock = clock_of(fields)
  local before, after, change = change_near(self, clock, 0)
  local early, late = clock - before, clock - after
  if not change or early < change or late < change then return early end
  return late
end

--- The first moment at which the zone's clock shows these fields or a later time. If the clock skips the time, that is the moment of the skip.
---@param fields { year: integer, month: integer, day: integer, hour?: integer, min?: integer, sec?: integer }
---@return integer
function Zone:start(fields)
  local clock = clock_of(fields)
  local before, after, change = change_near(self, clock, 0)
  if not change or clock - before < change then return clock - before end
  return math.max(clock - after, change)
end

--- When the zone's clock shows these fields and the seconds that follow: none where it skips them; two spans where it shows them twice with other
--- times in between.
---@param fields { year: integer, month: integer, day: integer, hour?: integer, min?: integer, sec?: integer }
---@param seconds integer
---@return { from: integer, to: integer }[] spans half-open
function Zone:showings(fields, seconds)
  local clock = clock_of(fields)
  local before, after, change = change_near(self, clock, seconds)
  if not change then return { { from = clock - before, to = clock - before + seconds } } end
  local list = {}
  local first = { from = clock - before, to = math.min(clock - before + seconds, change) }
  local second = { from = math.max(clock - after, change), to = clock - after + seconds }
  if first.from < first.to then list[1] = first end
  if second.from >= second.to then return list end
  if list[1] and first.to == second.from then first.to = second.to else list[#list + 1] = second end
  return list
end

--- An offset as text: "Z", "+05:30".
---@param seconds integer east of UTC
---@return string
function zone.offset_text(seconds)
  if seconds == 0 then return "Z" end
  local size = math.abs(seconds)
  return ("%s%02d:%02d"):format(seconds < 0 and "-" or "+", div(size, 3600), div(size, 60) % 60)
end

--- A moment as ISO 8601 text on the zone's clock: "2026-11-26T14:00:00+01:00".
---@param epoch integer
---@return string
function Zone:text(epoch)
  local c = self:civil(epoch)
  return ("%04d-%02d-%02dT%02d:%02d:%02d%s"):format(c.year, c.month, c.day, c.hour, c.min, c.sec, zone.offset_text(self:offset(epoch)))
end

--- The one moment at which the zone's clock shows these fields. The first moment of a gap is one too: nothing lies between the last second before
--- it and the first one after it.
---@param fields { year: integer, month: integer, day: integer, hour?: integer, min?: integer, sec?: integer }
---@return integer?
---@return string? message when the clock skips them, or shows them twice
function Zone:moment(fields)
  local at = self:showings(fields, 1)
  if at[1] and at[1].to - at[1].from == 1 and not at[2] then return at[1].from end
  if not at[1] then
    local start, clock = self:start(fields), clock_of(fields)
    if start == clock - self:offset(start - 1) then return start end
    return nil, ('the clocks of %s skip it: say a time that they show, or add an offset such as "+01:00"'):format(self.name)
  end
  return nil, ('the clocks of %s show it twice: add "%s" for the first time, "%s" for the second'):format(
    self.name, zone.offset_text(self:offset(at[1].from)), zone.offset_text(self:offset((at[2] or at[1]).to - 1)))
end

local UTC = setmetatable({ name = "UTC", _moments = {}, _offsets = {}, _first = 0 }, Zone)

local function folder()
  for _, path in ipairs(FOLDERS) do
    local file = files.open(path .. "/tzdata.zi") or files.open(path .. "/UTC")
    if file then
      file:close()
      return path
    end
  end
end

-- The names in the system's own list; used only for "did you mean".
local function known_names(path)
  local list = {}
  local data = files.read(path .. "/tzdata.zi") or ""
  for line in data:gmatch "[^\n]+" do
    local name = line:match "^Z (%S+)" or line:match "^L %S+ (%S+)"
    if name then list[name] = true end
  end
  return list
end

local function unknown(name, path)
  local hint = suggest.did_you_mean(suggest.nearest((name:gsub(" ", "_")), known_names(path), 2))
  return nil, "no such time zone" .. (hint and "; " .. hint or "")
end

local loaded = {}

--- Loads a zone by its IANA name; each file is read once. "UTC" needs no file.
---@param name string such as "America/New_York"
---@return scrutinizer.Zone? zone
---@return string? message
---@return boolean? unreadable true when this system has no time zone files: then names cannot be checked
function zone.load(name)
  if type(name) ~= "string" then return nil, "a time zone's name is a string" end
  if name == "UTC" then return UTC end
  if loaded[name] then return loaded[name] end
  local path = folder()
  if not path then return nil, "this system has no time zone files (Debian: package tzdata)", true end
  -- The name must not leave the folder: no "..", no leading slash. Zones under right/ count leap seconds. Names that
  -- only this machine knows (localtime, posixrules) mean nothing to the appliance.
  local plain = name:find "^[A-Za-z0-9_+/-]+$" and not name:find "^/" and not name:find "//" and not name:find "/$"
  local own = name == "localtime" or name:find "^right/" or name:find "^posix"
  local data = plain and not own and files.read(path .. "/" .. name)
  local found = data and parse_tzif(data)
  if not found then return unknown(name, path) end
  loaded[name] = setmetatable({
    name = name, _moments = found.moments, _offsets = found.offsets, _first = found.first, _rule = found.rule,
  }, Zone)
  return loaded[name]
end

return zone
