-- Asking again: which failures of reads, how often, after how long; and that a broken answer goes on where it broke off.
local retry = require "scrutinizer.transport.retry"
local support = require "spec.support"

local walk = support.walk
local FROM, TO = 1795341600, 1795342800
local client, whole, events

local function report(other)
  local query = (other or client):report("host2host"):between(FROM, TO)
  return query
end

local function same_rows(got, from, to) support.same_rows(whole, got, from, to) end

-- A client that asks again soon.
local function connect(options)
  if client then client:close() end
  events = {}
  local all = { retry = { attempts = 4, base = 0.01, cap = 0.02 }, on_event = function(event) events[#events + 1] = event end }
  for name, value in pairs(options or {}) do all[name] = value end
  client = support.connect(all)
end

local function of_type(name)
  local list = {}
  for _, event in ipairs(events) do
    if event.type == name then list[#list + 1] = event end
  end
  return list
end

-- Offsets and counts asked for, in order.
local function asked()
  local list = {}
  for i, entry in ipairs(support.log()) do
    for _, pair in ipairs(entry.fields) do
      if pair[1] == "data_requested" then
        list[i] = { tonumber(pair[2]:match '"offset":(%d+)'), tonumber(pair[2]:match '"max_num_rows":(%d+)') }
      end
    end
  end
  return list
end

before_each(function()
  support.clear()
  connect()
  whole = whole or assert(report():fetch()).rows
  support.clear()
  events = {}
end)

after_each(function()
  client:close()
  client = nil
  assert.same({}, support.violations())
end)

describe("Retry-After", function()
  it("is whole seconds, or an HTTP date in any of its three forms", function()
    local now = 784111777 - 100 -- 100 s before Sun, 06 Nov 1994 08:49:37 GMT
    for text, seconds in pairs {
      ["0"] = 0, ["7"] = 7, ["120"] = 120, ["Sun, 06 Nov 1994 08:49:37 GMT"] = 100, ["Sunday, 06-Nov-94 08:49:37 GMT"] = 100,
      ["Sun Nov  6 08:49:37 1994"] = 100, ["Sun, 06 Nov 1994 08:47:00 GMT"] = 0, ["Thu, 29 Feb 1996 00:00:00 GMT"] = 825552000 - now,
      ["Fri, 01-Jan-10 00:00:00 GMT"] = 1262304000 - now,
      -- At most 50 years ahead, as Python's calendar counts them; and a leap second.
      ["Sunday, 06-Nov-44 08:49:37 GMT"] = 2362034977 - now, ["Monday, 06-Nov-45 08:49:37 GMT"] = 0,
      ["Sat, 31 Dec 2016 23:59:60 GMT"] = 1483228800 - now,
    } do
      assert.equal(seconds, retry.after(text, now), text)
    end
    for _, text in ipairs { "", "-1", "1.5", "soon", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:00:00 GMT",
      "Sun, 06 Foo 1994 08:00:00 GMT", "Sun, 06 Nov 1994 23:60:00 GMT", "Sun, 06 Nov 1994 23:59:61 GMT" } do
      assert.is_nil(retry.after(text, now), text)
    end
    assert.is_nil(retry.after(nil, now))
  end)

  it("is waited for, in seconds and as a date, and told", function()
    support.faults { { kind = "503", seconds = 1 } }
    local before = os.time()
    same_rows(assert(report():fetch()).rows, 1, #whole)
    assert.is_true(os.time() - before >= 1)
    local told = of_type "retry"
    assert.equal(1, #told)
    assert.is_true(told[1].after >= 1 and told[1].after < 1.02)
    assert.same({ 2, "http", 503 }, { told[1].attempt, told[1].kind, told[1].status })
    support.clear()
    local date = os.date("!%a, %d %b %Y %H:%M:%S GMT", os.time() + 2)
    support.faults { { kind = "status", status = 429, headers = { ["Retry-After"] = date } } }
    events = {}
    same_rows(assert(report():fetch()).rows, 1, #whole)
    told = of_type "retry"
    assert.is_true(told[1].after > 0 and told[1].after < 2.02)
    assert.equal(429, told[1].status)
  end)

  it("over the deadline is the error at once, with the seconds in it", function()
    connect { retry = { attempts = 4, base = 0.01, cap = 0.02, deadline = 5 } }
    support.faults { { kind = "503", seconds = 3600 } }
    local got, err = report():fetch()
    assert.is_nil(got)
    assert.equal("http", err.kind)
    assert.equal(3600, err.retry_after)
    assert.is_true(err.retryable)
    assert.equal(1, #support.log())
  end)
end)

describe("a read", function()
  it("that fails before its first row is asked for again, and its rows are right", function()
    for _, fault in ipairs {
      { kind = "drop" }, { kind = "reset" }, { kind = "reset", after_bytes = 0 }, { kind = "503", seconds = 0 }, { kind = "html", status = 502 },
      { kind = "html", status = 504 }, { kind = "status", status = 429 }, { kind = "truncate", at = 0 }, { kind = "unended", at = 10 },
      { kind = "bad_gzip", how = "cut" },
    } do
      connect() -- libcurl itself sends again what a kept connection loses before its answer
      support.clear()
      fault.times = 3
      support.faults { fault }
      local rows, err = walk(report())
      assert.is_nil(err, fault.kind)
      same_rows(rows, 1, #whole)
      assert.equal(4, #support.log())
      assert.equal(3, #of_type "retry")
      local done = of_type "done"
      assert.equal(1, #done)
      assert.same({ #whole, 4, 1 }, { done[1].rows, done[1].requests, done[1].pages })
      assert.is_nil(done[1].kind)
    end
  end)

  it("is asked for as often as attempts says, then the error is told", function()
    for _, attempts in ipairs { 1, 2, 3 } do
      connect { retry = { attempts = attempts, base = 0.01, cap = 0.02 } }
      support.clear()
      support.faults { { kind = "503", seconds = 0, times = 0 } }
      local rows, err = walk(report())
      assert.same({}, rows)
      assert.same({ "http", 503, true }, { err.kind, err.status, err.retryable })
      assert.same({ offset = 0 }, support.place(err.resume))
      assert.equal(attempts, #support.log())
      assert.equal("http", of_type("done")[1].kind)
    end
  end)

  it("is asked for once when retry is false", function()
    connect { retry = false }
    support.faults { { kind = "503", seconds = 0, times = 0 } }
    assert.equal("http", select(2, report():fetch()).kind)
    assert.equal(1, #support.log())
    assert.same({}, of_type "retry")
  end)

  it("that was refused, or is wrong, is not asked for again", function()
    for _, fault in ipairs {
      { kind = "404" }, { kind = "500" },
      { kind = "status", status = 401 }, { kind = "status", status = 403 },
      { kind = "bad_token" }, { kind = "refused" }, { kind = "report_error" }, { kind = "html" }, { kind = "empty" },
      { kind = "bad_gzip", how = "plain" },
    } do
      support.clear()
      fault.times = 0
      support.faults { fault }
      assert.is_table(select(2, report():fetch()), fault.kind)
      assert.equal(1, #support.log(), fault.kind)
    end
  end)

  it("that times out is asked for once more", function()
    connect { timeout = 0.3, retry = { attempts = 5, base = 0.01, cap = 0.02 } }
    support.faults { { kind = "delay", seconds = 1.2, times = 0 } }
    local err = select(2, report():fetch())
    assert.same({ "timeout", true }, { err.kind, err.retryable })
    assert.equal("waited 0.3 s for the appliance (timeout)", err.message)
    assert.equal(2, #support.log())
  end)

  it("ends at its deadline, also within a further try", function()
    connect { timeout = 30, retry = { attempts = 5, base = 0.01, cap = 0.02, deadline = 1.5 } }
    support.faults { { kind = "503", seconds = 0 }, { kind = "delay", seconds = 4 } }
    local err = select(2, report():fetch())
    assert.equal("timeout", err.kind)
    assert.equal("no complete answer after 1.5 s of attempts (retry.deadline)", err.message)
  end)

  it("waits by full jitter: anything up to a bound that doubles up to the cap", function()
    local most = {}
    for _ = 1, 6 do
      connect { retry = { attempts = 5, base = 0.02, cap = 0.05 } }
      support.clear()
      support.faults { { kind = "status", status = 503, times = 0 } }
      walk(report())
      for i, event in ipairs(of_type "retry") do
        assert.is_true(event.after >= 0 and event.after <= math.min(0.05, 0.02 * 2 ^ (i - 1)))
        most[#most + 1] = event.after
      end
    end
    table.sort(most)
    assert.equal(24, #most)
    for i = 2, #most do assert.is_true(most[i] ~= most[i - 1]) end
    assert.is_true(most[1] < 0.015 and most[#most] > 0.02)
  end)

  it("of any kind is asked for again: ping, report_start, first, count, graphs", function()
    support.faults { { kind = "drop" } }
    assert.is_true(client:ping())
    support.faults { { kind = "503", seconds = 0, times = 2 } }
    assert.equal(#whole, report():count())
    support.faults { { kind = "reset", after_bytes = 200 } }
    assert.same(whole[1], report():first())
    support.clear()
    support.faults { { kind = "reset", after_bytes = 2000 }, { kind = "none" }, { kind = "html", status = 502 } }
    local list = assert(report():limit(3):series())
    assert.is_true(#list >= 3)
    assert.equal(60, list[1].interval)
    assert.equal(4, #support.log())
  end)
end)

describe("a write", function()
  it("is sent once, whatever happens", function()
    for _, fault in ipairs { { kind = "drop" }, { kind = "503", seconds = 0 }, { kind = "reset", after_bytes = 0 }, { kind = "truncate", at = 3 } } do
      support.clear()
      support.faults { fault }
      local value, err = client:call { rm = "licensing" }
      assert.is_nil(value)
      assert.equal(fault.kind == "503", err.retryable) -- it comes with Retry-After: it was not done
      assert.equal(1, #support.log())
      support.clear()
      support.faults { fault }
      value, err = client.users:create { { name = "somebody", password = "s3cret" } }
      assert.is_nil(value)
      assert.equal(fault.kind == "503", err.retryable) -- it comes with Retry-After: it was not done
      assert.equal(1, #support.log())
      assert.same({}, of_type "retry")
    end
  end)
end)

describe("an answer that breaks off", function()
  local function fresh()
    support.clear()
    support.switches { rows_before_columns = "never" }
  end
  before_each(fresh)

  local BREAKS = {
    { kind = "reset", after_bytes = 30000 }, { kind = "truncate", at = 50000 }, { kind = "unended", at = 70000 },
    { kind = "reset", after_bytes = 97531 },
  }

  it("goes on after the last row given: all rows, each once", function()
    for _, fault in ipairs(BREAKS) do
      fresh()
      support.faults { fault }
      local rows, err, cursor = walk(report())
      assert.is_nil(err)
      same_rows(rows, 1, #whole)
      assert.equal(#whole, cursor.total)
      assert.is_false(cursor.truncated)
      local log = asked()
      assert.equal(2, #log)
      assert.same({ 0, 10000000000 }, log[1])
      assert.is_true(log[2][1] > 10 and log[2][1] < #whole, tostring(log[2][1]))
    end
  end)

  it("goes on again and again, within the attempts for one answer", function()
    support.faults(BREAKS)
    connect { retry = { attempts = 5, base = 0.01, cap = 0.02 } }
    local rows, err = walk(report())
    assert.is_nil(err)
    same_rows(rows, 1, #whole)
    fresh()
    support.faults { { kind = "reset", after_bytes = 20000, times = 0 } }
    connect { retry = { attempts = 2, base = 0.01, cap = 0.02 } }
    rows, err = walk(report())
    assert.equal("truncated", err and err.kind)
    assert.is_true(#rows > 10 and #rows < #whole)
    same_rows(rows, 1, #rows)
    assert.same({ offset = #rows }, support.place(err.resume))
    assert.equal(2, #support.log())
    fresh()
    local rest = walk(report():resume(err))
    same_rows(rest, #rows + 1, #whole)
  end)

  it("goes on within limit, offset and pages", function()
    for _, size in ipairs { 1000, 33 } do
      fresh()
      support.faults { { kind = "none", times = size == 33 and 1 or nil }, { kind = "reset", after_bytes = 15000 } }
      if size == 1000 then
        fresh()
        support.faults { { kind = "reset", after_bytes = 15000 } }
      end
      local rows, err = walk(report():limit(80):offset(20):page_size(size))
      assert.is_nil(err)
      same_rows(rows, 21, 100)
    end
  end)

  it("goes on in both directions", function()
    local both = assert(report():both():fetch()).rows
    for _, at in ipairs { 60000, 180000, 220000 } do
      fresh()
      support.faults { { kind = "reset", after_bytes = at } }
      local rows, err, cursor = walk(report():both())
      assert.is_nil(err)
      assert.same(both, rows)
      assert.same({ inbound = #whole, outbound = #whole }, cursor.totals)
      assert.equal(2 * #whole, cursor.total)
      local log = support.log()
      assert.is_true(#log == 2 or #log == 3) -- where inbound broke, outbound is asked for behind its rest
    end
  end)

  it("goes on in aggregates: no row counts twice", function()
    local plan = { by = { "sourceipaddress" }, sum = { "sum_octetdeltacount" }, count = true }
    local right = assert(report():aggregate(plan))
    for _, at in ipairs { 30000, 64000, 66000, 100000 } do
      fresh()
      support.faults { { kind = "reset", after_bytes = at } }
      assert.same(right, assert(report():aggregate(plan)))
      assert.equal(2, #support.log())
    end
  end)

  it("goes on with a table that is used again, and with select", function()
    support.faults { { kind = "reset", after_bytes = 60000 } }
    local count = 0
    for row in report():select("sum_octetdeltacount"):rows { reuse = true } do
      count = count + 1
      assert.equal(whole[count].sum_octetdeltacount, row.sum_octetdeltacount)
    end
    assert.equal(#whole, count)
  end)

  it("goes on over a large report, the rest held in pieces", function()
    connect { max_held = 4 * 2 ^ 20 }
    support.switches { keys = "fixed" }
    support.faults { { kind = "reset", after_bytes = 5000000 } }
    local rows, sum, count = client:report("custom_rows_30000"):range("LastHour"):last("1h"):rows(), 0, 0
    local row, err = rows:next()
    while row do
      count, sum = count + 1, sum + row.sum_packetdeltacount
      row, err = rows:next()
    end
    assert.is_nil(err)
    assert.equal(30000, count)
    assert.equal(30000 * 30001 / 2, sum)
  end)

  it("ends in changed where the rest is of another report, before any row of it", function()
    for _, change in ipairs {
      { kind = "switch", name = "late_flows", value = 3000 }, { kind = "switch", name = "total_value", value = 77 },
      { kind = "switch", name = "time_details", value = "exact" },
    } do
      fresh()
      local list = { { kind = "reset", after_bytes = 90000 }, { change } }
      if change.name == "late_flows" then
        list[2][2] = { kind = "switch", name = "late_octets", value = 100000 }
      end
      support.faults(list)
      support.switches { keys = "fixed" }
      local rows, err = walk(report())
      -- What the broken answer had not yet said of itself cannot be compared: then the rows are those of one report all the same.
      if err then
        assert.equal("changed", err.kind)
        same_rows(rows, 1, #rows)
        assert.same({ offset = #rows }, support.place(err.resume))
      else
        same_rows(rows, 1, #whole)
      end
    end
  end)

  it("of a range by name goes on only where the window is known to be the same", function()
    for _ = 1, 6 do
      fresh()
      support.switches { now = TO, rows_before_columns = "never" }
      local hour = assert(client:report("host2host"):range("LastHour"):fetch())
      fresh()
      support.switches { now = TO, rows_before_columns = "never" }
      support.faults { { kind = "reset", after_bytes = 60000 } }
      local rows, err = walk(client:report("host2host"):range("LastHour"))
      assert.is_true(#rows > 0)
      for i, row in ipairs(rows) do assert.same(hour.rows[i], row) end
      if err then
        assert.is_true(err.kind == "changed" or err.kind == "truncated")
        assert.equal(#rows, err.resume.offset)
      else
        assert.equal(#hour.rows, #rows)
      end
    end
  end)

  it("is not asked for again once the cursor is closed", function()
    support.faults { { kind = "reset", after_bytes = 30000, times = 0 } }
    local rows = report():rows()
    assert(rows:next())
    rows:close()
    assert.equal("cancelled", select(2, rows:next()).kind)
    assert.equal(1, #support.log())
    assert.equal("cancelled", of_type("done")[1].kind)
  end)

  it("after a loop that took longer than all limits goes on as well, or is an error with resume", function()
    connect { timeout = 2, low_speed = { bytes = 1, seconds = 1 } }
    support.faults { { kind = "reset", after_bytes = 60000 } }
    local rows, cursor = {}, report():rows()
    for row in cursor do
      rows[#rows + 1] = row
      if #rows == 1 then support.shell "sleep 2.2" end
    end
    same_rows(rows, 1, #whole)
  end)
end)
