-- Many reports at once over one client: side by side, in order, each failing alone.
local support = require "spec.support"

-- The same for every Lua: once is enough for what takes long.
local it_once = os.getenv "SANDBOX_CHECKED" and function() end or it

local FROM, TO = 1795341600, 1795342800
local client

local function query(report_type)
  local made = client:report(report_type or "host2host"):between(FROM, TO)
  return made
end

local function sum(rows)
  local total = 0
  for _, row in ipairs(rows) do total = total + row.sum_octetdeltacount end
  return total
end

describe("gather", function()
  support.client_for_each(function(made) client = made end)

  it("gives each report in its place, as fetch does", function()
    local queries = { query(), query("conversations"):limit(3), query():limit(2):offset(1), query("conversations"):outbound():limit(4) }
    local expected = {}
    for i, one in ipairs(queries) do expected[i] = assert(one:fetch()) end
    local list, failed = client:gather(queries)
    assert.equal(0, failed)
    assert.equal(4, list.n)
    for i = 1, 4 do
      assert.same(expected[i].rows, list[i].rows)
      assert.equal(expected[i].total, list[i].total)
      assert.same(expected[i].columns, list[i].columns)
      assert.equal(expected[i].truncated, list[i].truncated)
    end
    assert.is_true(#list[1].rows > 0 and sum(list[1].rows) > 0)
  end)

  it("gives what an entry asks for: aggregates, series, rates, pies, counts", function()
    local octets, packets = { by = { "sourceipaddress" }, sum = { "sum_octetdeltacount" } }, { sum = { "sum_packetdeltacount" }, count = true }
    local hosts = query("srcHosts"):granularity(1):limit(3)
    local list, failed = client:gather { { query(), aggregate = octets }, query():limit(2), { hosts, series = true }, { hosts, rates = true },
      { hosts, pie = true }, { hosts, count = true }, { query("conversations"), aggregate = packets }, { query():limit(1) }, concurrency = 3 }
    assert.equal(0, failed)
    assert.equal(8, list.n)
    assert.same(query():aggregate(octets), list[1])
    assert.same(query():limit(2):fetch().rows, list[2].rows)
    assert.same(hosts:series(), list[3])
    assert.same(hosts:rates(), list[4])
    assert.same(hosts:pie(), list[5])
    assert.equal(hosts:count(), list[6])
    assert.same(query("conversations"):aggregate(packets), list[7])
    assert.same(query():limit(1):fetch().rows, list[8].rows)
    -- The octets of the window by awk.
    local octets_of_all = 0
    for _, group in ipairs(list[1]) do octets_of_all = octets_of_all + group.sum_octetdeltacount end
    assert.equal(tonumber((support.awk(("NR>1{t=$1/1000;if(t>=%d&&t<%d)s+=$12}END{printf \"%%.0f\",s}"):format(FROM % 86400, TO % 86400)))),
      octets_of_all)
  end)

  it("lets an aggregate that fails fail alone", function()
    local list, failed = client:gather { { query(), aggregate = { sum = { "sourceipaddress" } } }, { query(), aggregate = { count = true } } }
    assert.equal(1, failed)
    assert.equal("'sourceipaddress' has a value that is not a number, so it cannot be aggregated", list[1].error.message)
    assert.equal(query():count(), list[2][1].count)
  end)

  it("lets one that fails fail alone", function()
    support.faults { { kind = "status", status = 500 } }
    local queries = {}
    for i = 1, 6 do queries[i] = query():limit(5) end
    queries.concurrency = 2
    local list, failed = client:gather(queries)
    assert.equal(1, failed)
    local errors = 0
    for i = 1, 6 do
      if list[i].error then
        errors = errors + 1
        assert.equal("http", list[i].error.kind)
      else
        assert.equal(5, #list[i].rows)
      end
    end
    assert.equal(1, errors)
  end)

  it("runs so many at a time, and the slowest alone decides the time", function()
    support.faults { { kind = "delay", seconds = 0.4, times = 8 } }
    local queries = { concurrency = 8 }
    for i = 1, 8 do queries[i] = query():limit(2) end
    local clock = require("scrutinizer.core").now
    local before = clock()
    local _, failed = client:gather(queries)
    local took = clock() - before
    assert.equal(0, failed)
    assert.is_true(took >= 0.4 and took < 2.4, ("8 reports of 0.4 s took %.2f s"):format(took))
    assert.equal(8, #support.log())
  end)

  it_once("is polite: no more than concurrency, over connections that are used again", function()
    local reused, fresh = 0, 0
    client:close()
    client = support.connect {
      on_event = function(event)
        if event.type == "response" and event.reused then reused = reused + 1 end
        if event.type == "response" and not event.reused then fresh = fresh + 1 end
      end,
    }
    local queries = { concurrency = 3 }
    for i = 1, 12 do queries[i] = query():limit(2) end
    local _, failed = client:gather(queries)
    assert.equal(0, failed)
    assert.equal(12, reused + fresh)
    assert.is_true(fresh <= 3, fresh .. " connections were opened")
  end)

  it_once("walks pages, aggregates nothing, and knows an empty list", function()
    local whole = assert(query():fetch())
    local list, failed = client:gather { query():page_size(7), query():page_size(5) }
    assert.equal(0, failed)
    assert.same(whole.rows, list[1].rows)
    assert.same(whole.rows, list[2].rows)
    list, failed = client:gather {}
    assert.same({ n = 0 }, list)
    assert.equal(0, failed)
  end)

  it("raises misuse at the caller's line", function()
    local function complains(pattern, given)
      local good, message = pcall(function()
        local list = client:gather(given)
        return list
      end)
      assert.is_false(good)
      assert.matches("gather_spec.lua:%d+: " .. pattern, message)
    end
    complains("gather: got nil", nil)
    complains("gather: entry 1: got 5; allowed: a query", { 5 })
    complains("gather: entry 2: .*say when", { query(), client:report "host2host" })
    complains("gather: entry 1: series: say when", { { client:report "host2host", series = true } })
    complains('gather: entry 1: got a table; allowed: a query, or a query with one of aggregate = { … }, series = true', { { 5, series = true } })
    complains('gather: entry 1: key: got "sereis"; allowed: aggregate = { … }, series = true', { { query(), sereis = true } })
    complains("gather: entry 1: series: got 1; allowed: true", { { query(), series = 1 } })
    complains("gather: entry 1: set either .* or ", { { query(), series = true, pie = true } })
    complains('gather: entry 1: aggregate: sum: got 5; allowed: a list of field names', { { query(), aggregate = { sum = 5 } } })
    complains("gather: entry 2: rates: the report is in percent", { query(), { query("interfaces"):percent(), rates = true } })
    complains("gather: concurrency: got 0; allowed: a whole number from 1 to 1000", { query(), concurrency = 0 })
    complains("gather: concurency: got 3; allowed: a list of queries", { query(), concurency = 3 })
    local other = support.connect()
    complains("gather: entry 1 is a query of another client", { other:report("host2host"):range "LastHour" })
    other:close()
  end)

  it_once("tells those whom closing cut off", function()
    support.faults { { kind = "delay", seconds = 20, times = 2 } }
    local waits = 0
    client:close()
    client = support.connect {
      wait = function()
        waits = waits + 1
        if waits == 50 then client:close() end
        support.shell "sleep 0.005"
      end,
    }
    local list, failed = client:gather { query(), query() }
    assert.equal(2, failed)
    assert.equal("cancelled", list[1].error.kind)
    assert.equal("cancelled", list[2].error.kind)
  end)
end)

describe("cursors side by side", function()
  it_once("go on together over one client's connections", function()
    support.clear()
    client = support.connect()
    local whole = assert(query():fetch()).rows
    support.faults { { kind = "delay", seconds = 0.1, times = 3 } }
    local cursors, rows = {}, {}
    for i = 1, 3 do cursors[i], rows[i] = query():page_size(100):rows(), {} end
    local open = 3
    while open > 0 do
      open = 0
      for i = 1, 3 do
        local row, err = cursors[i]:next()
        assert.is_nil(err)
        if row then rows[i][#rows[i] + 1], open = row, open + 1 end
      end
    end
    for i = 1, 3 do assert.same(whole, rows[i]) end
    client:close()
    assert.same({}, support.violations())
  end)
end)
