local zone = require "scrutinizer.zone"

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
