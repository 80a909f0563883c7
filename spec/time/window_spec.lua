-- Windows of the calendar, against Python's zoneinfo: it walks a year in quarters of an hour and notes what the clock shows.
local support = require "spec.support"
local window = require "scrutinizer.time.window"
local zones = require "scrutinizer.time.zone"

local PYTHON = [[
import datetime, random, zoneinfo
random.seed(7)
STEP = 900
# Zones that skip or repeat midnight, or parts of hours, or two hours at once, are among them.
for name, year in [("Europe/Berlin", 2026), ("America/New_York", 2026), ("Australia/Lord_Howe", 2026), ("Asia/Kathmandu", 2026),
                   ("America/Santiago", 2026), ("America/Havana", 2026), ("Africa/Casablanca", 2026), ("Pacific/Apia", 2011),
                   ("Africa/Cairo", 2026), ("America/Sao_Paulo", 2018), ("Asia/Beirut", 2026), ("Atlantic/Azores", 2026),
                   ("Antarctica/Troll", 2026)]:
    zone = zoneinfo.ZoneInfo(name)
    show = lambda t: datetime.datetime.fromtimestamp(t, zone)
    begin = int(datetime.datetime(year, 1, 1, tzinfo=datetime.timezone.utc).timestamp()) - 2 * 86400
    found, shown, moments = {}, {}, range(begin, begin + 370 * 86400, STEP)
    for t in moments:
        c = show(t)
        if c.year != year: continue
        for unit, at in (("month", f"{c:%Y-%m}"), ("day", f"{c:%Y-%m-%d}"), ("hour", f"{c:%Y-%m-%dT%H}")):
            first, last = found.get((unit, at), (t, t))
            found[unit, at] = first, t + STEP
            shown[unit, at] = shown.get((unit, at), 0) + STEP
    day = datetime.date(year, 1, 1)
    while day.year == year:
        said = found.get(("day", f"{day:%Y-%m-%d}"))
        odd = not said or said[1] - said[0] != 86400
        cases = [("day", f"{day:%Y-%m-%d}")]
        if day.day == 1: cases.append(("month", f"{day:%Y-%m}"))
        if odd or day.day == 9: cases += [("hour", f"{day:%Y-%m-%d}T{hour:02d}") for hour in range(24)]
        for unit, at in cases:
            span = found.get((unit, at), ("-", "-"))
            whole = span[0] == "-" or shown[unit, at] == span[1] - span[0]
            print(name, unit, at, 0, *(span if whole else ("twice", "twice")))
        if odd:
            for days in (-7, -1, 1, 7, 31):
                then = day + datetime.timedelta(days=days)
                for unit, at in cases:
                    if unit == "month": continue
                    hour = at[10:]
                    span = found.get((unit, f"{then:%Y-%m-%d}" + hour), ("-", "-"))
                    whole = span[0] == "-" or shown[unit, f"{then:%Y-%m-%d}" + hour] == span[1] - span[0]
                    if then.year == year: print(name, f"{unit}{days:+}", at, 0, *(span if whole else ("twice", "twice")))
                first, last = (found.get(("day", f"{then + datetime.timedelta(days=n):%Y-%m-%d}")) for n in (0, 2))
                if first and last and 2 < then.timetuple().tm_yday < 362: print(name, f"days{days:+}", day, 0, first[0], last[0])
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

-- "day+7" is a day that is moved by seven; "days+7" two days that texts name, moved by seven.
local function spec_of(zone, unit, at, now)
  local name, days = unit:match "^(%l+)([+-]%d+)$"
  local spec = { timezone = zone, times = { unit = name or unit, at = tonumber(at) or at }, shift = days and { days = tonumber(days), seconds = 0 } }
  if name == "days" then
    local year, month, day = at:match "^(%d+)-(%d+)-(%d+)$"
    local y, m, d = zones.date(zones.days(tonumber(year), tonumber(month), tonumber(day)) + 2)
    spec.times = { between = { at, ("%04d-%02d-%02d"):format(y, m, d) } }
  end
  if unit == "last" or unit == "between" then
    spec.times = unit == "last" and { last = 7200 } or { from = now - 7200, to = now }
    spec.shift = { days = tonumber(at), seconds = 0 }
  end
  return spec
end

describe("a window", function()
  it("is the one that Python's clocks show", function()
    local counts, skipped, twice = {}, 0, 0
    for line in support.shell("env -u LD_PRELOAD python3 -c " .. support.quote(PYTHON)):gmatch "[^\n]+" do
      local zone, unit, at, now, from, to = line:match "^(%S+) (%S+) (%S+) (%S+) (%S+) (%S+)$"
      now = tonumber(now)
      local found, message = window.settle(spec_of(zone, unit, at, now), now)
      if from == "-" then
        skipped = skipped + 1
        assert.is_nil(found, line)
        assert.matches("skip", message)
      elseif from == "twice" then
        twice = twice + 1
        assert.is_nil(found, line)
        assert.matches("twice, with other times in between", message)
      else
        assert.is_truthy(found, line .. ": " .. tostring(message))
        assert.equal(from .. " " .. to, ("%d %d"):format(found.times.from, found.times.to), line)
      end
      unit = unit:match "^%l+"
      counts[unit] = (counts[unit] or 0) + 1
    end
    assert.is_true(counts.day > 10000 and counts.month > 2000 and counts.hour > 4000 and counts.last == 15600 and counts.between == 15600)
    assert.is_true(counts.days > 100 and skipped > 20 and twice == 2)
  end)

  it("of an hour that the clock shows twice, with a minute of the next in between, is refused; so is that next hour", function()
    local python = [[
import datetime, zoneinfo
zone, shown = zoneinfo.ZoneInfo("America/St_Johns"), {}
for t in range(1130590800, 1130680800, 60): # from 2005-10-29T13:00 UTC on: the clock goes from 00:01 back to 23:01
    shown.setdefault(f"{datetime.datetime.fromtimestamp(t, zone):%Y-%m-%dT%H}", []).append(t)
for at, moments in list(shown.items())[1:-1]:
    whole = moments[-1] - moments[0] + 60 == 60 * len(moments)
    print(at, moments[0] if whole else "-", moments[-1] + 60)
]]
    local refused = {}
    for at, from, to in support.shell("env -u LD_PRELOAD python3 -c " .. support.quote(python)):gmatch "(%S+) (%S+) (%S+)" do
      local found = window.settle(spec_of("America/St_Johns", "hour", at, 0), 0)
      if from == "-" then refused[#refused + 1] = at end
      assert.equal(from == "-" and "" or from .. " " .. to, found and ("%d %d"):format(found.times.from, found.times.to) or "")
    end
    assert.same({ "2005-10-29T23", "2005-10-30T00" }, refused)
  end)

  it("takes texts that the clock shows once, and says of others that it skips them or shows them twice", function()
    local python = [[
import datetime, zoneinfo
for name, days in [("Europe/Berlin", ["2026-03-29", "2026-10-25", "2026-07-01"]), ("Africa/Cairo", ["2026-04-24", "2026-10-29"]),
                   ("America/Havana", ["2026-03-08", "2026-11-01"]), ("Antarctica/Troll", ["2026-03-29", "2026-10-25"]),
                   ("Australia/Lord_Howe", ["2026-04-05", "2026-10-04"])]:
    zone = zoneinfo.ZoneInfo(name)
    def epochs(naive): # those at which the clock shows it
        found = {int(naive.replace(tzinfo=zone, fold=fold).timestamp()) for fold in (0, 1)}
        return sorted(t for t in found if datetime.datetime.fromtimestamp(t, zone).replace(tzinfo=None) == naive)
    for day in days:
        for minute in range(0, 300, 10):
            naive = datetime.datetime.fromisoformat(day) + datetime.timedelta(minutes=minute)
            at, before = epochs(naive), epochs(naive - datetime.timedelta(seconds=1))
            if not at and before: at = [before[0] + 1] # the first moment of a gap
            print(name, naive.isoformat(), at[0] if len(at) == 1 else "twice" if at else "skip")
]]
    local counts = { once = 0, twice = 0, skip = 0 }
    for name, text, epoch in support.shell("env -u LD_PRELOAD python3 -c " .. support.quote(python)):gmatch "(%S+) (%S+) (%S+)" do
      local found, message = window.settle({ timezone = name, times = { between = { text, 4e9 } } }, 0)
      counts[counts[epoch] and epoch or "once"] = counts[counts[epoch] and epoch or "once"] + 1
      if counts[epoch] then
        assert.is_nil(found, text)
        assert.matches(('between: from: "%s": the clocks of %s '):format(text, name), message, 1, true)
        assert.matches(epoch == "skip" and "skip it" or "show it twice", message)
      else
        assert.equal(tonumber(epoch), found and found.times.from, name .. " " .. text .. tostring(message))
      end
    end
    assert.is_true(counts.once > 200 and counts.twice >= 20 and counts.skip >= 20)
    local _, message = window.settle({ timezone = "Europe/Berlin", times = { between = { "2026-10-25T02:30", 4e9 } } }, 0)
    assert.matches('show it twice: add "+02:00" for the first time, "+01:00" for the second', message, 1, true)
    _, message = window.settle({ timezone = "Europe/Berlin", times = { between = { 0, "2026-03-22T02:30" } }, shift = { days = 7, seconds = 0 } }, 0)
    assert.matches('between: to: "2026-03-22T02:30", shifted by +7d: the clocks of Europe/Berlin skip it', message, 1, true)
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
        assert.same(found.times, window.settle(spec_of("Europe/Berlin", "hour", back, now + 1799), now + 1799).times)
        assert.same(found.times, window.settle(spec_of("Europe/Berlin", "hour", back, now - 1799), now - 1799).times)
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

  it("moves a named day by its name: the day that began at 01:00 becomes one that begins at midnight", function()
    local spec = { timezone = "Africa/Cairo", times = { range = "Yesterday" }, shift = { days = -7, seconds = 0 } }
    local found = window.settle(spec, 1777100400).times
    assert.same({ 1776376800, 1776463200 }, { found.from, found.to })
  end)

  it("is cut into days as Python's calendar has them, and into hours from its beginning, without gap or overlap", function()
    local python = [[
import datetime, random, zoneinfo
random.seed(3)
for name, day in [("Europe/Berlin", "2026-03-27"), ("Europe/Berlin", "2026-10-23"), ("Africa/Cairo", "2026-04-22"), ("America/Havana", "2026-10-30"),
                  ("Pacific/Apia", "2011-12-28"), ("Antarctica/Troll", "2026-10-23"), ("America/St_Johns", "2005-10-28"), ("UTC", "2026-11-01")]:
    zone = zoneinfo.ZoneInfo(name)
    base = int(datetime.datetime.fromisoformat(day).replace(tzinfo=zone).timestamp())
    first_of = {}
    for t in range(base - 86400, base + 8 * 86400, 60): first_of.setdefault(datetime.datetime.fromtimestamp(t, zone).date(), t)
    for n in range(12):
        start = base + (random.randrange(0, 2 * 86400, 60) if n else 0)
        end = start + random.randrange(60, 5 * 86400, 60)
        print(name, start, end, "1d", *[start] + sorted(t for t in first_of.values() if start < t < end) + [end])
        print(name, start, end, "6h", *list(range(start, end, 21600)) + [end])
]]
    local count = 0
    for line in support.shell("env -u LD_PRELOAD python3 -c " .. support.quote(python)):gmatch "[^\n]+" do
      local name, from, to, length, edges = line:match "^(%S+) (%d+) (%d+) (%S+) (.*)$"
      local spec = { timezone = name, times = { from = tonumber(from), to = tonumber(to) } }
      local found = {}
      for i, part in ipairs(assert(window.split(spec, window.span("+" .. length)))) do
        assert.equal(part.from, i > 1 and found[#found] or part.from)
        if i == 1 then found[1] = part.from end
        found[#found + 1] = part.to
      end
      for i, edge in ipairs(found) do found[i] = ("%d"):format(edge) end
      assert.equal(edges, table.concat(found, " "), line)
      count = count + 1
    end
    assert.equal(8 * 12 * 2, count)
  end)

  it("of two texts ends after it begins", function()
    local function between(from, to)
      local found, message = window.settle({ timezone = "Europe/Berlin", times = { between = { from, to } } }, 0)
      return found and found.times.to - found.times.from, message
    end
    assert.equal(1, (between("2026-11-26T12:00:00", "2026-11-26T12:00:01")))
    for _, to in ipairs { "2026-11-26T12:00:00", "2026-11-26T11:59:59" } do
      local length, message = between("2026-11-26T12:00:00", to)
      assert.is_nil(length)
      assert.equal(('between: to: "%s" is not after from, "2026-11-26T12:00:00", in Europe/Berlin'):format(to), message)
    end
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
