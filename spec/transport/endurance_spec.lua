-- Many small requests over one client, and an appliance that is killed outright while a report runs.
-- SCRUTINIZER_REQUESTS=100000 asks for that many.
local sandbox = require "spec.sandbox"
local support = require "spec.support"

local FULL = tonumber(os.getenv "SCRUTINIZER_REQUESTS" or "")
local REQUESTS = FULL or ((support.sanitized or os.getenv "SANDBOX_CHECKED") and 300 or 1500)

local function kib()
  support.collect()
  return collectgarbage "count"
end

describe("one client", function()
  it(("sends %d small requests over one connection; memory stays flat, no descriptor is left"):format(REQUESTS), function()
    support.clear()
    support.collect()
    local before, responses, reused = support.descriptors(), 0, 0
    local client = support.connect {
      on_event = function(event)
        if event.type ~= "response" then return end
        responses = responses + 1
        if event.reused then reused = reused + 1 end
      end,
    }
    local query = client:report("custom_rows_5"):between(1795341600, 1795342800):select "sum_packetdeltacount":limit(2)
    local function ask(i)
      if i % 4 ~= 0 then return assert(client:ping()) end
      local sum = 0
      for row in query:rows() do sum = sum + row.sum_packetdeltacount end
      assert(sum == 3)
    end
    local warm = math.floor(REQUESTS / 4)
    for i = 1, warm do ask(i) end
    local lua, rss = kib(), support.rss()
    for i = warm + 1, REQUESTS do ask(i) end
    local more_lua, more_rss = kib() - lua, support.rss() - rss
    assert.equal(REQUESTS, responses)
    assert.equal(REQUESTS - 1, reused)
    assert.is_true(more_lua < 200, ("Lua's memory grew by %.0f KiB"):format(more_lua))
    if not support.sanitized then assert.is_true(more_rss < 4096, ("the process grew by %d KiB"):format(more_rss)) end
    if FULL then
      print(("%d requests: %d reused their connection; Lua's memory grew by %.1f KiB, the process by %d KiB"):format(responses, reused,
        more_lua, more_rss))
    end
    client:close()
    support.collect()
    assert.is_true(support.descriptors() <= before) -- specs before this one may have left some to be collected
    assert.same({}, support.violations())
    support.clear()
  end)
end)

if os.getenv "SANDBOX_CHECKED" or support.sanitized then return end -- what follows is the same on every Lua, and slow

describe("an appliance killed by kill -9 while a report runs, and started again", function()
  local state, port, http_port, pid, path, token

  local function start()
    pid, path = sandbox.launch(("PORT=%s HTTP_PORT=%s STATE=%s"):format(port, http_port, state))
    local line = sandbox.line(path)
    token = line:match "token=(%S+)"
    return line:match "^(%S+)"
  end

  setup(function()
    state = os.tmpname()
    os.remove(state)
    local function free()
      return support.shell("python3 -c 'import socket; s = socket.socket(); s.bind((\"127.0.0.1\", 0)); print(s.getsockname()[1])'"):gsub("%s", "")
    end
    port, http_port = free(), free()
  end)

  teardown(function()
    if pid then sandbox.stop(pid, path) end
    for _, suffix in ipairs { "", "-wal", "-shm" } do os.remove(state .. suffix) end
  end)

  -- nginx and its workers, by their ids; the script around it ends by itself. Another one begins soon after.
  local function kill_and_start_again()
    support.shell(("master=$(pgrep -P %d nginx); kill -9 $master $(pgrep -P $master); while kill -0 %d 2>/dev/null; do sleep 0.02; done")
      :format(pid, pid))
    os.remove(path)
    pid, path = sandbox.launch(("PORT=%s HTTP_PORT=%s STATE=%s"):format(port, http_port, state))
  end

  local function client_of(url, events)
    -- Each start makes a certificate of its own.
    return support.connect {
      url = url, token = token, tls = { verify = false }, retry = { attempts = 100, base = 0.1, cap = 0.2 },
      on_event = function(event) if event.type == "retry" then events[#events + 1] = event.kind end end,
    }
  end

  for _, case in ipairs {
    { name = "pages of 1000", size = 1000, rows = 6000, kill = 2500 }, { name = "one answer", rows = 40000, kill = 700 },
  } do
    it("loses no row of " .. case.name .. ", and gives none twice", function()
      local events = {}
      local client = client_of(pid and "https://127.0.0.1:" .. port or start(), events)
      local query = client:report("custom_rows_" .. case.rows):between(1795341600, 1795342800):select("sourceipaddress", "sum_packetdeltacount")
      if case.size then query = query:page_size(case.size) end
      local count = 0
      for row in query:rows() do
        count = count + 1
        assert(row.sum_packetdeltacount == count)
        if count == case.kill then kill_and_start_again() end
      end
      client:close()
      assert.equal(case.rows, count)
      assert.is_true(#events > 0)
      sandbox.line(path)
    end)
  end
end)
