local zone = require "scrutinizer.time.zone"

-- Moments and clocks as Python's zoneinfo gives them.
local CLOCKS = {
  { "UTC", 0, "1970-01-01 00:00:00", 0 },
  { "UTC", 951782400, "2000-02-29 00:00:00", 0 },
  { "UTC", -1, "1969-12-31 23:59:59", 0 },
  { "America/New_York", 1793509200, "2026-11-01 01:00:00", -14400 },
  { "America/New_York", 1793512800, "2026-11-01 01:00:00", -18000 },
  { "America/New_York", 4102444800, "2099-12-31 19:00:00", -18000 }, -- past the table: by the rule
  { "America/New_York", 4089556800, "2099-08-04 16:00:00", -14400 },
  { "Europe/Berlin", 1774746000, "2026-03-29 03:00:00", 7200 },
  { "Europe/Berlin", 1774745999, "2026-03-29 01:59:59", 3600 },
  { "Europe/Berlin", -4000000000, "1843-03-31 17:46:48", 3208 }, -- local mean time
  { "Asia/Kolkata", 1441146000, "2015-09-02 03:50:00", 19800 },
  { "Australia/Lord_Howe", 1767225600, "2026-01-01 11:00:00", 39600 },
  { "Australia/Lord_Howe", 1782864000, "2026-07-01 10:30:00", 37800 }, -- half an hour of summer time
  { "Etc/GMT+5", 0, "1969-12-31 19:00:00", -18000 },
}

-- Local times and their moments: skipped ones move forward, of doubled ones the earlier counts.
local MOMENTS = {
  { "America/New_York", { 2026, 3, 8, 2, 30, 0 }, 1772955000 }, -- skipped: 03:30
  { "America/New_York", { 2026, 11, 1, 1, 30, 0 }, 1793511000 }, -- twice: still summer time
  { "America/New_York", { 2060, 7, 1, 0, 0, 0 }, 2855880000 },
  { "Europe/Berlin", { 2026, 3, 29, 2, 0, 0 }, 1774746000 },
  { "Europe/Berlin", { 2026, 10, 25, 2, 30, 0 }, 1792888200 },
  { "Australia/Lord_Howe", { 2026, 10, 4, 2, 15, 0 }, 1791042300 }, -- a gap of half an hour
  { "Pacific/Apia", { 2011, 12, 30, 12, 0, 0 }, 1325282400 }, -- a day that was not
  { "UTC", { 9999, 12, 31, 23, 59, 59 }, 253402300799 },
}

local function clock_text(c)
  return ("%04d-%02d-%02d %02d:%02d:%02d"):format(c.year, c.month, c.day, c.hour, c.min, c.sec)
end

describe("zone", function()
  for _, case in ipairs(CLOCKS) do
    it(("shows %s at %d"):format(case[1], case[2]), function()
      local z = assert(zone.load(case[1]))
      assert.equal(case[3], clock_text(z:civil(case[2])))
      assert.equal(case[4], z:offset(case[2]))
    end)
  end

  for _, case in ipairs(MOMENTS) do
    it(("finds %s's %s"):format(case[1], table.concat(case[2], " ")), function()
      local t = case[2]
      local z = assert(zone.load(case[1]))
      assert.equal(case[3], z:epoch { year = t[1], month = t[2], day = t[3], hour = t[4], min = t[5], sec = t[6] })
    end)
  end

  it("turns days into dates and back, over four centuries", function()
    for days = -100000, 60000, 7 do
      local year, month, day = zone.date(days)
      assert.equal(days, zone.days(year, month, day))
    end
    assert.equal(29, zone.month_length(2000, 2))
    assert.equal(28, zone.month_length(1900, 2))
    assert.equal(31, zone.month_length(2026, 12))
  end)

  it("knows the day of the week", function()
    assert.equal(4, zone.load("UTC"):civil(0).wday)
    assert.equal(0, zone.load("America/New_York"):civil(1793509200).wday)
  end)

  it("finds each moment again from its clock, unless the clock shows it twice", function()
    local z = assert(zone.load "Africa/Casablanca")
    for epoch = 1000000000, 3000000000, 7654321 do
      local again = z:epoch(z:civil(epoch))
      assert.is_true(again == epoch or again == epoch - 3600)
      assert.same(z:civil(epoch), z:civil(again))
    end
  end)

  -- Files as RFC 8536 has them, without a table: all is in the rule at the end. The system's files hold few kinds of rules.
  local RULES = {
    "AAA3BBB,J60/2,J300/2", "AAA3BBB,J59/0,J334/23:59:59", "AAA3BBB,59/2,299/2:30:15", "AAA3BBB,60/2,330/0", "AAA-5:30BBB-6,M10.1.0,M4.1.0/3",
    "<+0330>-3:30<+0430>,J79/24,J263/24", "AAA3BBB2:15,M3.5.0/-1,M10.5.6/25", "<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", "AAA3BBB,J300,J61",
    "AAA-12BBB-13,M9.5.0/2:45,M4.1.0/3:45",
  }

  -- What Python's zoneinfo, and of bare rules the C library, says of the seconds around each change: zone, epoch, seconds east of UTC; and the
  -- bytes of files.
  local PYTHON = [[
import datetime, os, struct, sys, time, zoneinfo
def offset(zone, epoch):
    if not zone: # by the C library
        return time.localtime(epoch).tm_gmtoff
    return int(datetime.datetime.fromtimestamp(epoch, zone).utcoffset().total_seconds())
def changes(name, zone, first, last):
    begin = int(datetime.datetime(first, 1, 1, tzinfo=datetime.timezone.utc).timestamp())
    end = int(datetime.datetime(last, 1, 1, tzinfo=datetime.timezone.utc).timestamp())
    before = offset(zone, begin)
    for low in range(begin, end, 10 * 86400):
        a, b = low, low + 10 * 86400
        after = offset(zone, b)
        if before != after:
            while b - a > 1:
                middle = (a + b) // 2
                a, b = (middle, b) if offset(zone, middle) == before else (a, middle)
            print(name, a, before)
            print(name, b, after)
        before = after
def make(rule, leaps=0):
    head = lambda version: b"TZif" + version + bytes(15) + struct.pack(">6l", 0, 0, leaps, 0, 1, 4)
    body = struct.pack(">lbb", -10800, 0, 0) + b"AAA\0"
    return head(b"2") + body + bytes(8 * leaps) + head(b"2") + body + bytes(12 * leaps) + b"\n" + rule.encode() + b"\n"
for name in ["America/New_York", "Europe/Berlin", "Australia/Sydney", "Pacific/Chatham", "America/Santiago", "Asia/Jerusalem", "Asia/Beirut",
             "Africa/Cairo", "America/Havana", "America/Nuuk", "Europe/Chisinau", "Europe/Dublin", "Antarctica/Troll", "Australia/Lord_Howe"]:
    changes(name, zoneinfo.ZoneInfo(name), 2020, 2024)
    changes(name, zoneinfo.ZoneInfo(name), 2036, 2056)
for i, rule in enumerate(sys.argv[1:], 1):
    os.environ["TZ"] = rule
    time.tzset()
    changes("Spec/%d" % i, None, 2019, 2037)
    print("Spec/%d" % i, "file", make(rule).hex())
for name, rule, leaps in [("plain", "AAA3", 0), ("leaps", "AAA3", 1), ("broken", "AAA3BBB", 0)]:
    print("Spec/" + name, "file", make(rule, leaps).hex())
]]

  local changes, contents, read = {}, {}, nil

  setup(function()
    local file = assert(io.popen("python3 - '" .. table.concat(RULES, "' '") .. "' <<'END'\n" .. PYTHON .. "END"))
    for line in file:lines() do
      local name, epoch, value = line:match "^(%S+) (%S+) (%S+)$"
      if epoch == "file" then
        contents[name] = value:gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end)
      else
        changes[#changes + 1] = { name = name, epoch = tonumber(epoch), offset = tonumber(value) }
      end
    end
    file:close()
    -- In the place of the system's.
    local files = require "scrutinizer.files"
    read = files.read
    files.read = function(path)
      local name = path:match "/(Spec/[^/]*)$"
      if name then return contents[name] end
      return read(path)
    end
  end)

  teardown(function() require("scrutinizer.files").read = read end)

  it("changes at the second that others say, by the table, by the rule behind it, and by rules of every kind", function()
    local seen, kinds = {}, 0
    for _, case in ipairs(changes) do
      assert.equal(case.offset, zone.load(case.name):offset(case.epoch), case.name .. " " .. case.epoch)
      if not seen[case.name] then kinds = kinds + 1 end
      seen[case.name] = (seen[case.name] or 0) + 1
    end
    assert.equal(14 + #RULES, kinds)
    for name, count in pairs(seen) do assert.is_true(count >= 70, name) end
  end)

  it("refuses files whose clock counts leap seconds, and broken ones", function()
    contents["Spec/cut"], contents["Spec/empty"] = contents["Spec/plain"]:sub(1, 60), ""
    assert.equal(-10800, zone.load("Spec/plain"):offset(0))
    for _, name in ipairs { "leaps", "broken", "cut", "empty" } do
      local found, message = zone.load("Spec/" .. name)
      assert.is_nil(found, name)
      assert.matches("^no such time zone", message)
    end
  end)

  local refused = {
    { "America/New York", 'did you mean "America/New_York"' },
    { "Europe/Berln", 'did you mean "Europe/Berlin"' },
    { "europe/berlin", 'did you mean "Europe/Berlin"' },
    { "Nowhere/At_All", "no such time zone" },
    { "../../../etc/passwd", "no such time zone" },
    { "/usr/share/zoneinfo/UTC", "no such time zone" },
    { "Europe", "no such time zone" },
    { "Europe/", "no such time zone" },
    { "Europe/Berlin\0", "no such time zone" },
    { "tzdata.zi", "no such time zone" },
    { "leapseconds", "no such time zone" },
    { "localtime", "no such time zone" },
    { "right/Europe/Berlin", "no such time zone" },
    { "", "no such time zone" },
    { 5, "a time zone's name is a string" },
  }
  for _, case in ipairs(refused) do
    it(("refuses %q"):format(tostring(case[1])), function()
      local found, message = zone.load(case[1])
      assert.is_nil(found)
      assert.truthy(message:find(case[2], 1, true), message)
    end)
  end

  it("gives whole numbers where Lua has them", function()
    local kind_of_number = rawget(math, "type")
    if not kind_of_number then return end
    local z = assert(zone.load "Europe/Berlin")
    for _, value in pairs(z:civil(1774746000)) do assert.equal("integer", kind_of_number(value)) end
    assert.equal("integer", kind_of_number(z:epoch { year = 2026, month = 1, day = 1 }))
  end)
end)
