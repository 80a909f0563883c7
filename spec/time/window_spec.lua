-- Windows of the calendar, against Python's zoneinfo: it walks a year in quarters of an hour and notes what the clock shows.
local support = require "spec.support"
local window = require "scrutinizer.time.window"

local PYTHON = [[
import datetime, random, zoneinfo
random.seed(7)
STEP = 900
for name, year in [("Europe/Berlin", 2026), ("America/New_York", 2026), ("Australia/Lord_Howe", 2026), ("Asia/Kathmandu", 2026),
                   ("America/Santiago", 2026), ("America/Havana", 2026), ("Africa/Casablanca", 2026), ("Pacific/Apia", 2011)]:
    zone = zoneinfo.ZoneInfo(name)
    show = lambda t: datetime.datetime.fromtimestamp(t, zone)
    begin = int(datetime.datetime(year, 1, 1, tzinfo=datetime.timezone.utc).timestamp()) - 2 * 86400
    found, moments = {}, range(begin, begin + 370 * 86400, STEP)
    for t in moments:
        c = show(t)
        if c.year != year: continue
        for unit, at in (("month", f"{c:%Y-%m}"), ("day", f"{c:%Y-%m-%d}"), ("hour", f"{c:%Y-%m-%dT%H}")):
            first, last = found.get((unit, at), (t, t))
            found[unit, at] = first, t + STEP
    day = datetime.date(year, 1, 1)
    while day.year == year:
        said = found.get(("day", f"{day:%Y-%m-%d}"))
        odd = not said or said[1] - said[0] != 86400
        cases = [("day", f"{day:%Y-%m-%d}")]
        if day.day == 1: cases.append(("month", f"{day:%Y-%m}"))
        if odd or day.day == 9: cases += [("hour", f"{day:%Y-%m-%d}T{hour:02d}") for hour in range(24)]
        for unit, at in cases:
            print(name, unit, at, 0, *found.get((unit, at), ("-", "-")))
        day += datetime.timedelta(days=1)
    for t in random.sample(moments[400:-400], 200):
        c = show(t + 7)
        for back in (0, -1, -6):
            then = (c + datetime.timedelta(days=back)).date()
            if then.year == year: print(name, "day", back, t + 7, *found.get(("day", f"{then:%Y-%m-%d}"), ("-", "-")))
        print(name, "month", 0, t + 7, *found["month", f"{c:%Y-%m}"])
    for t in random.sample(moments[400:-400], 400):
        for days in (-7, -1, 28):
            to = (show(t) + datetime.timedelta(days=days)).replace(fold=0)
            start = (show(t - 7200) + datetime.timedelta(days=days)).replace(fold=0)
            print(name, "last", days, t, int(to.timestamp()) - 7200, int(to.timestamp()))
            if start.timestamp() < to.timestamp(): print(name, "between", days, t, int(start.timestamp()), int(to.timestamp()))
            else: print(name, "between", days, t, "-", "-")
]]

local function spec_of(zone, unit, at, now)
  local spec = { timezone = zone, times = { unit = unit, at = tonumber(at) or at } }
  if unit == "last" or unit == "between" then
    spec.times = unit == "last" and { last = 7200 } or { from = now - 7200, to = now }
    spec.shift = { days = tonumber(at), seconds = 0 }
  end
  return spec
end

describe("a window", function()
  it("is the one that Python's clocks show", function()
    local counts, skipped = {}, 0
    for line in support.shell("env -u LD_PRELOAD python3 -c " .. support.quote(PYTHON)):gmatch "[^\n]+" do
      local zone, unit, at, now, from, to = line:match "^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$"
      now = tonumber(now)
      local found, message = window.settle(spec_of(zone, unit, at, now), now)
      if from == "-" then
        skipped = skipped + 1
        assert.is_nil(found, line)
        assert.matches("skip", message)
      else
        assert.is_truthy(found, line .. ": " .. tostring(message))
        assert.equal(from .. " " .. to, ("%d %d"):format(found.times.from, found.times.to), line)
      end
      counts[unit] = (counts[unit] or 0) + 1
    end
    assert.is_true(counts.day > 5000 and counts.month > 1000 and counts.hour > 2000 and counts.last == 9600 and counts.between == 9600)
    assert.is_true(skipped > 0)
  end)

  it("knows days of 23 and of 25 hours, and the hour that comes twice", function()
    local function length(unit, at)
      local found = assert(window.settle(spec_of("Europe/Berlin", unit, at, 0), 0))
      return found.times.to - found.times.from
    end
    assert.equal(23 * 3600, length("day", "2026-03-29"))
    assert.equal(25 * 3600, length("day", "2026-10-25"))
    assert.equal(2 * 3600, length("hour", "2026-10-25T02"))
    assert.equal(31 * 86400 - 3600, length("month", "2026-03"))
  end)

  it("of hours counted back has 60 minutes each", function()
    for _, now in ipairs { 1792886400 + 1800, 1792890000 + 1800, 1792893600 + 1800 } do -- 02:30 summer time, 02:30 winter time, 03:30 in Berlin
      for back = 0, -3, -1 do
        local found = assert(window.settle(spec_of("Europe/Berlin", "hour", back, now), now))
        assert.equal(now - 1800 + back * 3600, found.times.from)
        assert.equal(3600, found.times.to - found.times.from)
      end
    end
  end)

  it("keeps the hour of the clock over days, and the seconds over hours", function()
    local summer, winter = 1792749600, 1793358000 -- Friday 2026-10-23 and 2026-10-30, 12:00 in Berlin
    local spec = { timezone = "Europe/Berlin", times = { from = winter, to = winter + 3600 }, shift = { days = -7, seconds = 0 } }
    assert.same({ from = summer, to = summer + 3600 }, window.settle(spec, 0).times)
    spec.shift = { days = 0, seconds = -7 * 86400 }
    assert.same({ from = summer + 3600, to = summer + 7200 }, window.settle(spec, 0).times)
  end)

  it("reads spans", function()
    for _, case in ipairs { { "-7d", -7, 0 }, { "+1w", 7, 0 }, { "-90m", 0, -5400 }, { "+2h", 0, 7200 }, { "-48h", 0, -172800 },
      { "-5s", 0, -5 }, { -60, 0, -60 }, { 0, 0, 0 }, { "-0d", 0, 0 } } do
      assert.same({ days = case[2], seconds = case[3] }, window.span(case[1]))
    end
    for _, bad in ipairs { "7d", "-7", "-7y", "d", "", "--7d", "-1.5d", "-99999999999d", 1.5, 0 / 0, math.huge, true, {} } do
      assert.is_nil(window.span(bad))
    end
  end)

  it("reads days, months and hours, and says what can never be one", function()
    local good = { day = { "2026-11-26", 0, -1, -1.0, "2024-02-29" }, month = { "2026-10", 0, -12 }, hour = { "2026-11-26T14", "2026-11-26 14", -1 } }
    local bad = {
      day = { "2026-02-29", "2026-13-01", "2026-11", "26.11.2026", "2026-11-26Z", "1969-12-31", 1, -1.5, -1e9, true, {} },
      month = { "2026-13", "2026-00", "2026-11-01", "November", 1, "" },
      hour = { "2026-11-26T24", "2026-11-31T00", "2026-11-26T14:00", "14", 1 },
    }
    for unit, list in pairs(good) do
      for _, value in ipairs(list) do assert.is_truthy(window.read(unit, value), unit .. " " .. tostring(value)) end
    end
    for unit, list in pairs(bad) do
      for _, value in ipairs(list) do assert.is_nil((window.read(unit, value)), unit .. " " .. tostring(value)) end
    end
  end)
end)
