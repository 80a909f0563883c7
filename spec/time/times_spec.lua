local times = require "scrutinizer.time.times"

local SPANS = {
  { 90, 90 }, { 90.0, 90 }, { 1, 1 }, { 1000000000, 1000000000 },
  { "90s", 90 }, { "90m", 5400 }, { "24h", 86400 }, { "2d", 172800 }, { "1w", 604800 },
  { 0 }, { -1 }, { 1.5 }, { 1000000001 }, { math.huge }, { 0 / 0 },
  { "90" }, { "0m" }, { "1.5h" }, { "-1h" }, { "90 m" }, { "90M" }, { "1y" }, { "m" }, { "" }, { true }, { {} },
}

-- Text, zone said before, epoch or a part of the message.
local TEXTS = {
  { "2026-11-01T00:00:00Z", nil, 1793491200 },
  { "2026-11-01t00:00:00z", nil, 1793491200 },
  { "2026-11-01 00:00:00Z", nil, 1793491200 },
  { "2026-11-01 00:00:00 Z", nil, 1793491200 },
  { "2026-11-01T00:00Z", nil, 1793491200 },
  { "2026-11-01T00:00:00.000Z", nil, 1793491200 },
  { "2026-11-01T01:00:00+01:00", nil, 1793491200 },
  { "2026-11-01T01:00:00+0100", nil, 1793491200 },
  { "2026-11-01 01:00:00 +01", nil, 1793491200 },
  { "2026-10-31T18:30:00-05:30", nil, 1793491200 },
  { "1970-01-01T00:00:00Z", nil, 0 },
  { "2024-02-29T00:00:00Z", nil, 1709164800 },
  { "2026-11-01", "UTC", 1793491200 },
  { "2026-11-01", "America/New_York", 1793505600 },
  { "2026-11-01T12:00", "Europe/Berlin", 1793530800 },
  { "2026-11-01T01:00:00+01:00", "America/New_York", 1793491200 }, -- the text's zone holds
  { "2026-03-29T02:30:00", "Europe/Berlin", "the clocks of Europe/Berlin skip it" },
  { "2026-10-25T02:30:00", "Europe/Berlin", "the clocks of Europe/Berlin show it twice" },
  { "2026-04-24", "Africa/Cairo", 1776981600 }, -- its first moment is 01:00
  { "2026-11-01", nil, "it has no zone" },
  { "2026-11-01T00:00:00", nil, "it has no zone" },
  { "2026-11-01T00:00:00.5Z", nil, "whole seconds" },
  { "2026-11-01T00:00.0Z", nil, "whole seconds" },
  { "2026-11-01T24:00:00Z", nil, "23:59:59" },
  { "2026-11-01T00:60:00Z", nil, "23:59:59" },
  { "2026-11-01T23:59:60Z", nil, "23:59:59" },
  { "2026-02-29T00:00:00Z", nil, "no such day" },
  { "2026-13-01T00:00:00Z", nil, "no such day" },
  { "2026-00-01T00:00:00Z", nil, "no such day" },
  { "2026-01-00T00:00:00Z", nil, "no such day" },
  { "2026-11-01T00:00:00 UTC", nil, "the zone must be" },
  { "2026-11-01T00:00:00+25:00", nil, "the zone must be" },
  { "2026-11-01T00:00:00+1:00", nil, "the zone must be" },
  { "2026-11-01Z", nil, "the time must be" },
  { "2026-11-01T00Z", nil, "the time must be" },
  { "20261101T000000Z", nil, "not ISO 8601" },
  { "11/01/2026", nil, "not ISO 8601" },
  { "yesterday", nil, "not ISO 8601" },
  { "1441146000", nil, "not ISO 8601" },
  { "", nil, "not ISO 8601" },
}

local MOMENTS = {
  { 1441146000, 1441146000 },
  { 1441146000.0, 1441146000 },
  { 0, 0 },
  { 253402300799, 253402300799 },
  { 253402300800, "milliseconds" },
  { 1441146000000, "milliseconds" },
  { 1.5, "whole seconds" },
  { -1, "1970 to 9999" },
  { math.huge, "1970 to 9999" },
  { 0 / 0, "1970 to 9999" },
  { "1969-12-31T23:59:59Z", "1970 to 9999" },
  { true, "1970 to 9999" },
  { {}, "1970 to 9999" },
}

-- Range, zone, from, to; at Tuesday 2026-11-03 05:30:15 UTC, which is 00:30:15 in New York (winter time since the 1st).
local NOW = 1793683815
local MINUTE = NOW - NOW % 60
local RANGES = {
  { "LastFiveMinutes", nil, MINUTE - 300, MINUTE },
  { "LastTenMinutes", nil, MINUTE - 600, MINUTE },
  { "LastFifteenMinutes", nil, MINUTE - 900, MINUTE },
  { "LastTwentyMinutes", nil, MINUTE - 1200, MINUTE },
  { "LastThirtyMinutes", nil, MINUTE - 1800, MINUTE },
  { "LastFortyFiveMinutes", nil, MINUTE - 2700, MINUTE },
  { "LastHour", nil, MINUTE - 3600, MINUTE },
  { "Last24Hours", nil, MINUTE - 86400, MINUTE },
  { "LastThreeDays", nil, MINUTE - 259200, MINUTE },
  { "LastSevenDays", nil, MINUTE - 604800, MINUTE },
  { "LastThirtyDays", nil, MINUTE - 2592000, MINUTE },
  { "LastFullHour", "UTC", 1793678400, 1793682000 },
  { "LastFullHour", "Asia/Kolkata", 1793680200, 1793683800 }, -- hours begin at half past UTC's
  { "Today", "UTC", 1793664000, NOW },
  { "Today", "America/New_York", 1793682000, NOW },
  { "Yesterday", "UTC", 1793577600, 1793664000 },
  { "Yesterday", "America/New_York", 1793595600, 1793682000 },
  { "ThisWeek", "America/New_York", 1793505600, NOW }, -- Sunday's midnight was in summer time
  { "LastWeek", "America/New_York", 1792900800, 1793505600 },
  { "ThisMonth", "America/New_York", 1793505600, NOW },
  { "LastMonth", "America/New_York", 1790827200, 1793505600 },
  { "LastMonth", "UTC", 1790812800, 1793491200 },
  { "ThisYear", "UTC", 1767225600, NOW },
  { "LastYear", "UTC", 1735689600, 1767225600 },
  { "LastYear", "America/New_York", 1735707600, 1767243600 },
}

describe("times", function()
  for _, case in ipairs(SPANS) do
    it("reads the span " .. tostring(case[1]), function()
      assert.equal(case[2], times.seconds(case[1]))
    end)
  end

  for _, case in ipairs(TEXTS) do
    it(("parses %q in %s"):format(case[1], tostring(case[2])), function()
      local epoch, message = times.parse(case[1], case[2])
      if type(case[3]) == "number" then
        assert.equal(case[3], epoch)
      else
        assert.is_nil(epoch)
        assert.truthy(message:find(case[3], 1, true), message)
      end
    end)
  end

  for _, case in ipairs(MOMENTS) do
    it("takes the moment " .. tostring(case[1]), function()
      local epoch, message = times.moment(case[1])
      if type(case[2]) == "number" then
        assert.equal(case[2], epoch)
        assert.equal(("%d"):format(case[2]), ("%d"):format(epoch))
      else
        assert.is_nil(epoch)
        assert.truthy(message:find(case[2], 1, true), message)
      end
    end)
  end

  for _, case in ipairs(RANGES) do
    it(("turns %s in %s into epochs"):format(case[1], tostring(case[2])), function()
      local epochs = assert(times.epochs({ times = { range = case[1] }, timezone = case[2] }, NOW))
      assert.same({ from = case[3], to = case[4] }, epochs)
    end)
  end

  it("covers every range that is known", function()
    for name in pairs(require("scrutinizer.query.names").date_ranges) do
      if name ~= "Custom" then
        assert(times.epochs({ times = { range = name }, timezone = "UTC" }, NOW))
      end
    end
  end)

  it("gives said epochs back, and counts :last from now", function()
    assert.same({ from = 1, to = 2 }, times.epochs({ times = { from = 1, to = 2 } }, NOW))
    assert.same({ from = NOW - 60, to = NOW }, times.epochs({ times = { last = 60 } }, NOW))
    local epochs = times.epochs { times = { last = 60 } }
    assert.equal(60, epochs.to - epochs.from)
    assert.is_true(math.abs(os.time() - epochs.to) <= 2)
  end)

  it("says what a range needs", function()
    local epochs, message = times.epochs({ times = { range = "Today" } }, NOW)
    assert.is_nil(epochs)
    assert.equal("Today depends on the time zone; set it with query:timezone", message)
    epochs, message = times.epochs({ times = { range = "Last5Minutes" } }, NOW)
    assert.is_nil(epochs)
    assert.equal('only the appliance knows when "Last5Minutes" begins and ends; use query:between', message)
    epochs, message = times.epochs({}, NOW)
    assert.is_nil(epochs)
    assert.equal("the query has no times", message)
  end)

  it("asks for one second on the stroke of midnight", function()
    assert.same({ from = 1793664000, to = 1793664001 }, times.epochs({ times = { range = "Today" }, timezone = "UTC" }, 1793664000))
  end)
end)
