local check = require "scrutinizer.check"
local names = require "scrutinizer.query.names"
local suggest = require "scrutinizer.suggest"

describe("names", function()
  it("describes each known name in one line", function()
    for _, list in ipairs { names.report_types, names.date_ranges, names.filters } do
      for name, line in pairs(list) do
        assert.matches("^[%w_]+$", name)
        assert.matches("^[^\n]+$", line)
      end
    end
  end)

  local counts = { report_types = 33, date_ranges = 21, filters = 6 }
  for list, expected in pairs(counts) do
    it("knows the documented " .. list, function()
      local n = 0
      for _ in pairs(names[list]) do n = n + 1 end
      assert.equal(expected, n)
    end)
  end

  it("are lists for scripts, in the order of their names, and texts by name", function()
    local scrutinizer = require "scrutinizer"
    for name, count in pairs(counts) do
      local list, known = scrutinizer[name], names[name]
      assert.equal(count, #list)
      for i, entry in ipairs(list) do
        assert.equal(known[entry.name], entry.text)
        assert.equal(entry.text, list[entry.name])
        assert.is_true(i == 1 or check.before(list[i - 1].name, entry.name))
      end
      local _, lines = tostring(list):gsub("\n", "")
      assert.equal(count, lines)
    end
    assert.matches("^6 types of filters: name, text\nsdfDips  exporters and interfaces", tostring(scrutinizer.filters))
    assert.is_nil(scrutinizer.report_types.Host2Host)
  end)

  local suggestions = {
    { "LastHour", "LastHour" },
    { "lasthour", "LastHour" },
    { "LastHuor", "LastHour" },
    { "LstHuor", "LastHour" },
    { "LastFUllHour", "LastFullHour" },
    { "LastMOnth", "LastMonth" },
    { "Lasthours", "LastHour" },
    { "Yesterdy", "Yesterday" },
    { "WhenPigsFly", nil },
    { "", nil },
    { ("x"):rep(5000), nil },
    { 5, nil },
  }
  for _, case in ipairs(suggestions) do
    it("suggests for " .. tostring(case[1]):sub(1, 20), function()
      assert.equal(case[2], suggest.nearest(case[1], names.date_ranges))
    end)
  end

  local misspellings = {
    { "host2host", nil },
    { "Host2Host", "host2host" },
    { "hots2host", "host2host" },
    { "host2hots", "host2host" },
    { "conversatons", "conversations" },
    { "conversationapp", "conversationsApp" },
    { "aplications", "applications" },
    { "TOS", "tos" },
    { "tox", nil }, -- short names are near to others by chance
    { "srcPorts", nil }, -- two edits from srcHosts, but a plausible name
    { "srcHots", "srcHosts" },
    { "vlans", nil },
    { "dstCountries", nil },
  }
  for _, case in ipairs(misspellings) do
    it("judges the open name " .. case[1], function()
      assert.equal(case[2], suggest.misspelt(case[1], names.report_types))
    end)
  end

  it("lets unknown words of open lists pass", function()
    assert.equal("LastHour", suggest.open("LastHour", names.date_ranges))
    assert.equal("Fortnight", suggest.open("Fortnight", names.date_ranges))
    assert.same({ nil, 'did you mean "LastHour"?' }, { suggest.open("LastHuor", names.date_ranges) })
    for _, bad in ipairs { "", 5, true, {} } do assert.is_nil(suggest.open(bad, names.date_ranges)) end
  end)

  it("chooses the nearest, and the first by bytes among equals", function()
    assert.equal("abcde1", suggest.nearest("abcde", { abcde2 = 1, abcde1 = 1, abcdeff = 1 }))
  end)
end)
