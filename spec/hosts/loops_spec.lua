-- Inside cqueues and luv, and in a loop of the caller's own: reports side by side, by descriptors, and never a blocked loop.
local servers = require "spec.hosts.servers"
local support = require "spec.support"

local FROM, TO = 1795341600, 1795342800
local client

local function query(of)
  local asked = (of or client):report("host2host"):between(FROM, TO)
  return asked
end

-- Sum over a cursor's rows without a `for`: on Lua 5.1 nothing can yield inside one.
local function sum(cursor)
  local total, count = 0, 0
  local row, err = cursor:next()
  while row do
    total, count = total + row.sum_octetdeltacount, count + 1
    row, err = cursor:next()
  end
  return err and tostring(err) or total, count
end

local function plain()
  local other = support.connect { wait = "poll" }
  local total, count = sum(query(other):rows())
  other:close()
  return total, count
end

before_each(function() support.clear() end)
after_each(function()
  if client then client:close() end
  client = nil
  assert.same({}, support.violations())
end)

-- Each loop: run(functions) runs them side by side and comes back when all are through; tick counts how often a neighbour got its turn.
local loops = {}

function loops.cqueues(functions)
  local cqueues = require "cqueues"
  local controller, ticks, open = cqueues.new(), 0, #functions
  for _, run in ipairs(functions) do
    controller:wrap(function()
      run()
      open = open - 1
    end)
  end
  controller:wrap(function()
    while open > 0 do
      ticks = ticks + 1
      cqueues.sleep(0.002)
    end
  end)
  assert(controller:loop())
  return ticks
end

function loops.luv(functions)
  local uv = support.luv()
  local ticks, open, timer = 0, #functions, uv.new_timer()
  timer:start(2, 2, function()
    ticks = ticks + 1
    if open == 0 then timer:close() end
  end)
  for _, run in ipairs(functions) do
    local start = uv.new_timer()
    start:start(0, 0, function()
      start:close()
      coroutine.wrap(function()
        run()
        open = open - 1
      end)()
    end)
  end
  uv.run()
  return ticks
end

for name, loop in pairs(loops) do
  describe("in " .. name, function()
    for _, preset in ipairs { "auto", name } do
      it("reports run side by side, wait = " .. preset, function()
        local total, count = plain()
        client = support.connect { wait = preset }
        local got, run = {}, {}
        support.faults { { kind = "delay", seconds = 0.3, times = 5 } }
        for i = 1, 5 do
          run[i] = function() got[i] = { sum(query():rows()) } end
        end
        local before = os.time()
        local ticks = loop(run)
        for i = 1, 5 do assert.same({ total, count }, got[i]) end
        assert.is_true(os.time() - before < 10)
        assert.is_true(ticks > 10, "the neighbour ran " .. ticks .. " times")
      end)
    end

    it("an appliance that refuses is an error there, and closing ends those who wait", function()
      local refused, cancelled
      client = support.connect()
      local other = support.connect { url = "https://127.0.0.1:1" }
      support.faults { { kind = "delay", seconds = 20 } }
      loop {
        function() refused = select(2, query(other):rows():next()) end,
        function() cancelled = select(2, query():rows():next()) end,
        function()
          if name == "cqueues" then
            require("cqueues").sleep(0.3)
          else
            local co, timer = coroutine.running(), support.luv().new_timer()
            timer:start(300, 0, function() timer:close() coroutine.resume(co) end)
            coroutine.yield()
          end
          client:close()
        end,
      }
      assert.equal("connect", refused.kind)
      assert.equal("cancelled", cancelled.kind)
      client = nil
    end)
  end)
end

describe("where no loop runs", function()
  it("auto waits as a plain script does, and a preset says what is missing", function()
    require "cqueues"
    support.luv()
    local total, count = plain()
    client = support.connect()
    assert.same({ total, count }, { sum(query():rows()) })
    for preset, message in pairs {
      cqueues = "no cqueues controller is running", luv = "run it in a coroutine", ngx = "this is not nginx", haproxy = "this is not HAProxy",
    } do
      local other = support.connect { wait = preset }
      local row, err = query(other):first()
      assert.is_nil(row)
      assert.equal("phase", err.kind)
      assert.is_not_nil(err.message:find(message, 1, true), err.message)
    end
    assert.equal(2, #support.log()) -- those of `plain` and `auto`; the others sent nothing
  end)

  it("luv's own callbacks are told to use a coroutine", function()
    local uv, err = support.luv(), nil
    client = support.connect()
    local timer = uv.new_timer()
    timer:start(0, 0, function()
      timer:close()
      err = select(2, query():first())
    end)
    uv.run()
    assert.equal("phase", err.kind)
    assert.is_not_nil(err.message:find("coroutine.wrap", 1, true))
  end)
end)

describe("README's wait for luasocket", function()
  it("serves the caller's own sockets while the appliance works", function()
    local socket = require "socket"
    local lines = support.read("README.md"):match "\n(    local function wait_by_select.-\n    end\n)"
    local mine, served = { assert(socket.bind("127.0.0.1", 0)) }, 0
    local function serve(own)
      own:accept():close()
      served = served + 1
    end
    local text = "local socket, mine, serve = ...\n" .. lines .. "return wait_by_select"
    local wait = assert((loadstring or load)(text))(socket, mine, serve) -- luacheck: ignore 113
    local total, count = plain()
    local calls = 0
    client = support.connect { wait = function(seconds, fds)
      calls = calls + 1
      return wait(seconds, fds)
    end }
    support.faults { { kind = "delay", seconds = 0.5 } }
    local _, port = mine[1]:getsockname()
    local caller = assert(socket.connect("127.0.0.1", port))
    local cursor = query():rows()
    local first = cursor:next()
    local during = served
    local rest, others = sum(cursor)
    assert.same({ total, count }, { first.sum_octetdeltacount + rest, others + 1 })
    assert.equal(1, during)
    assert.is_true(calls < 200, "it was called " .. calls .. " times")
    caller:close()
    mine[1]:close()
  end)
end)

describe("a turn of the loop", function()
  -- Most processor time between two calls of the caller's own wait, in seconds.
  local function longest(options, run)
    local most, last = 0, nil
    options.wait = function(seconds, fds)
      if last then most = math.max(most, os.clock() - last) end
      if seconds > 0 and #fds > 0 then support.shell "sleep 0.001" end
      last = os.clock()
    end
    client = support.connect(options)
    run()
    return most
  end

  it("has about a millisecond of work, over a report's rows", function()
    local most = math.huge
    for _ = 1, 3 do -- a busy machine has long turns by itself
      local total, count
      most = math.min(most, longest({}, function()
        total, count = sum(client:report("custom_rows_20000"):range("LastHour"):rows())
      end))
      assert.equal(20000, count)
      assert.is_true(total > 0)
      client:close()
    end
    assert.is_true(support.sanitized or most < 0.01, ("a turn took %.1f ms"):format(most * 1000))
  end)

  if os.getenv "SANDBOX_CHECKED" or support.sanitized then return end

  -- An appliance whose answer has 100 MB in the place of one skipped value: plain, and as a bomb of 100 kilobytes.
  local function with_answers(bomb, run)
    local server = servers.nginx {
      server = ([[
        location = /bomb { add_header Content-Encoding gzip; alias %s.gz; }
        location = /cell { alias %s; }
      ]]):format(bomb, bomb),
    }
    local good, complaint = pcall(run, "http://127.0.0.1:" .. server.port)
    server:stop()
    assert(good, complaint)
  end

  for _, path in ipairs { "cell", "bomb" } do
    it("has no more over a " .. path .. " of 100 MB, in bounded memory", function()
      local bomb = os.tmpname()
      support.shell(([==[{ printf '{"report":{"junk":"'; head -c 104857600 /dev/zero | tr '\0' x; printf '","table":{"inbound":{"totalRowCount":1,'
        printf '"columns":[{"elementName":"rank","label":"","title":"Rank"},{"elementName":"sum_octetdeltacount","label":"T","title":"T",'
        printf '"colHasBbp":1}],"rows":[[{"label":"1"},{"rawValue":"7"}]]}}}}'; } | tee %s | gzip >%s.gz; chmod 644 %s*]==]):format(bomb, bomb, bomb))
      with_answers(bomb, function(url)
        local row, err, rss
        local most = longest({ url = url .. "/" .. path, allow_http = true, method = "GET" }, function()
          support.collect()
          rss = support.rss()
          row, err = client:report("host2host"):range("LastHour"):rows():next()
        end)
        assert.is_nil(err)
        assert.equal(7, row.sum_octetdeltacount)
        assert.is_true(most < 0.01, ("a turn took %.1f ms"):format(most * 1000))
        assert.is_true(support.rss() < rss + 8 * 1024, "it took too much memory")
      end)
      os.remove(bomb)
      os.remove(bomb .. ".gz")
    end)
  end
end)
