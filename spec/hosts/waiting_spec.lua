-- Reports that wait for an appliance which never answers: they cost the host next to nothing, delay nobody, and their time limits are exact.
-- WAITERS=1000 for more of them than 200, SHOW=1 to see the figures.

local core = require "scrutinizer.core"
local clock = core.now
local python_server = require "spec.python_server"
local servers = require "spec.hosts.servers"
local support = require "spec.support"

local COUNT = tonumber(os.getenv "WAITERS") or 200
-- Share of a core that so many may cost.
local MOST = COUNT > 200 and 0.15 or 0.05
-- Time limits in seconds: one that is to pass, and one that is not.
local SHORT, LONG = 3, 60

local dir, pipe, port, process

setup(function()
  dir = support.certificates()
  local line
  pipe, line = python_server.start("stall_server", ("%s/good.pem %s/good.key"):format(dir, dir))
  port, process = line:match "^(%d+) (%d+)$"
end)
teardown(function()
  pipe:close()
  support.shell("rm -rf " .. dir)
end)

-- A client for the appliance that never answers.
local function connect(timeout, wait)
  return assert(require("scrutinizer").connect {
    url = "https://127.0.0.1:" .. port, token = "none", tls = { ca_file = dir .. "/ca.pem" }, timeout = timeout, retry = false, wait = wait,
  })
end

-- The same as Lua text: two clients, by the name of the page that uses them.
local function clients()
  local one = ("assert(require('scrutinizer').connect { url = %q, token = 'none', tls = { ca_file = %q }, timeout = %%d, retry = false })"):format(
    "https://127.0.0.1:" .. port, dir .. "/ca.pem")
  return ("{ short = %s, long = %s }"):format(one:format(SHORT), one:format(LONG))
end

-- Lua text, and the function: one report. Gives how long it took, and how it ended.
local ASK = [[
  local clock = require("scrutinizer.core").now
  local function ask(client)
    local began = clock()
    local _, err = client:report("host2host"):range("LastHour"):rows():next()
    return clock() - began, err and (err.kind .. " " .. tostring(err.which)) or "none"
  end
]]
local ask = assert((loadstring or load)(ASK .. "return ask"))() -- luacheck: ignore

-- Lua text: notes how reports end: took(seconds, how), and `said()` gives "ended total min max".
local NOTES = [[
  local function notes()
    local self = { ended = 0, right = 0, least = 1e9, most = 0 }
    function self.took(seconds, how)
      self.ended, self.least, self.most = self.ended + 1, math.min(self.least, seconds), math.max(self.most, seconds)
      if how == "timeout total" then self.right = self.right + 1 else self.other = how end
    end
    function self.said() return ("%d %d %.3f %.3f %s"):format(self.ended, self.right, self.least, self.most, tostring(self.other)) end
    return self
  end
]]
local new_notes = assert((loadstring or load)(NOTES .. "return notes"))() -- luacheck: ignore

-- A busy machine is late by itself: one of three measurements must be good. `measure` gives whether it is, and what to say of it.
local function one_of_three(measure)
  local good, what
  for _ = 1, 3 do
    good, what = measure()
    if good then return end
  end
  assert.is_true(good, what)
end

-- All reports end by their limit, at its time.
local function check_limits(wait)
  one_of_three(function()
    local said = wait()
    local ended, right, least, most = said:match "^(%d+) (%d+) (%S+) (%S+)"
    assert.is_not_nil(ended, said)
    assert.same({ COUNT, COUNT }, { tonumber(ended), tonumber(right) }, said)
    assert.is_true(tonumber(least) >= SHORT, said)
    return support.sanitized or tonumber(most) <= SHORT + 0.2, ("the limit of %g s came after %s to %s s"):format(SHORT, least, most)
  end)
end

local function is_cheap(share)
  return share <= MOST, ("%d waiting reports cost %.1f %% of a core"):format(COUNT, share * 100)
end

-- Seconds that a process has been on a processor.
local function processor(pid)
  return tonumber(support.read(("/proc/%s/schedstat"):format(pid)):match "^(%d+)") / 1e9
end

-- The share of a core that a process uses in these seconds.
local function share(pid, seconds)
  local before, began = processor(pid), clock()
  support.shell("sleep " .. seconds)
  return (processor(pid) - before) / (clock() - began)
end

-- Milliseconds that half of the requests to another page take at most.
local function ping(server, seconds) return servers.pings(server, seconds).p50 end

-- A server whose pages /short and /long have so many reports wait at once, and say how they ended.
local function check_server(server)
  local function page(name) return ("curl -s --noproxy '*' --max-time 60 'http://127.0.0.1:%d/%s'"):format(server.port, name) end
  check_limits(function() return (support.shell(page "short")) end)
  one_of_three(function()
    local idle = ping(server, 2)
    support.shell(page "long" .. " >/dev/null 2>&1 & sleep " .. SHORT)
    local cost, busy = share(server:worker(), 2), ping(server, 2)
    if os.getenv "SHOW" then print(("%.2f %% of a core, others %.2f ms, idle %.2f"):format(cost * 100, busy, idle)) end
    local cheap, what = is_cheap(cost)
    return cheap and busy - idle <= 0.2, ("%s; half of the other requests took %.2f ms, idle %.2f"):format(what, busy, idle)
  end)
end

if not support.sanitized and not os.getenv "SANDBOX_CHECKED" then -- they bring a Lua of their own
  it("nginx serves others as if nobody waited", function()
    servers.during(servers.nginx {
      http = ("init_by_lua_block { %s %s run, count, new, clients = ask, %d, notes, %s }"):format(ASK, NOTES, COUNT, clients()),
      server = [=[
        location = /ping { content_by_lua_block { ngx.print "pong" } }
        location ~ ^/(short|long)$ { content_by_lua_block {
          local seen, threads, client = new(), {}, clients[ngx.var[1]]
          for i = 1, count do threads[i] = ngx.thread.spawn(function() seen.took(run(client)) end) end
          for i = 1, count do ngx.thread.wait(threads[i]) end
          ngx.say(seen.said())
        } }]=],
    }, check_server)
  end)

  it("HAProxy serves others as if nobody waited", function()
    servers.during(servers.haproxy {
      global = "ulimit-n 4000",
      lua = ([[
        %s %s
        local count, clients = %d, %s
        local function answer(applet, text)
          applet:set_status(200) applet:add_header("content-length", #text) applet:start_response() applet:send(text)
        end
        core.register_service("ping", "http", function(applet) answer(applet, "pong") end)
        core.register_service("wait", "http", function(applet)
          local seen, client = notes(), clients[applet.path:sub(2)]
          for _ = 1, count do core.register_task(function() seen.took(ask(client)) end) end
          while seen.ended < count do core.msleep(20) end
          answer(applet, seen.said())
        end)]]):format(ASK, NOTES, COUNT, clients()),
      frontend = "http-request use-service lua.ping if { path /ping }\n  http-request use-service lua.wait if { path /short /long }",
    }, check_server)
  end)
end

-- ---- loops that run coroutines ----

local ME = "self"

-- Each loop: run(functions, watch) runs them side by side; `watch(sleep)` runs beside them.
local loops = {}

function loops.cqueues(functions, watch)
  local cqueues = require "cqueues"
  local controller = cqueues.new()
  for _, run in ipairs(functions) do controller:wrap(run) end
  if watch then controller:wrap(function() watch(cqueues.sleep) end) end
  assert(controller:loop())
end

function loops.luv(functions, watch)
  local uv = support.luv()
  local function start(run)
    local timer = uv.new_timer()
    timer:start(0, 0, function()
      timer:close()
      coroutine.wrap(run)()
    end)
  end
  local function sleep(seconds)
    local co, timer = coroutine.running(), uv.new_timer()
    timer:start(math.floor(seconds * 1000), 0, function()
      timer:close()
      assert(coroutine.resume(co))
    end)
    coroutine.yield()
  end
  for _, run in ipairs(functions) do start(run) end
  if watch then start(function() watch(sleep) end) end
  uv.run()
end

-- A loop of one's own, that looks at no socket: it resumes each coroutine when the time that it asked for is over.
local function own_wait(seconds) coroutine.yield(seconds) end

-- Starts functions in coroutines. Gives a function for one turn: it resumes those whose time has come, and gives how many are left, and whether
-- one of them wants the next turn.
local function turns_of(functions)
  local list = {}
  for i, run in ipairs(functions) do list[i] = { co = coroutine.create(run), due = 0 } end
  return function()
    local now, left, soon = clock(), {}, false
    for _, one in ipairs(list) do
      if one.due <= now then
        local _, seconds = assert(coroutine.resume(one.co))
        one.due, soon = clock() + (seconds or 0), soon or seconds == 0
      end
      if coroutine.status(one.co) ~= "dead" then left[#left + 1] = one end
    end
    list = left
    return #list, soon
  end
end

loops["a loop of one's own"] = function(functions, watch)
  local all, idle = {}, core.http()
  for i, run in ipairs(functions) do all[i] = run end
  if watch then all[#all + 1] = function() watch(own_wait) end end
  local turn = turns_of(all)
  local left, soon = turn()
  while left > 0 do
    idle:wait(soon and 0 or 0.01)
    left, soon = turn()
  end
  idle:close()
end

-- What reports of a client, so many at once, say in the end.
local function wait_in(loop, client, watch)
  local seen, run = new_notes(), {}
  for i = 1, COUNT do
    run[i] = function() seen.took(ask(client)) end
  end
  loop(run, watch)
  client:close()
  return seen.said()
end

for name, loop in pairs(loops) do
  it("in " .. name .. " limits are exact, and waiting costs next to nothing", function()
    local wait = not name:find "^%l+$" and own_wait or name
    check_limits(function() return wait_in(loop, connect(SHORT, wait)) end)
    if support.sanitized then return end
    one_of_three(function()
      local cost
      local client = connect(LONG, wait)
      wait_in(loop, client, function(sleep)
        sleep(SHORT)
        local before, began = processor(ME), clock()
        sleep(2)
        cost = (processor(ME) - before) / (clock() - began)
        client:close()
      end)
      if os.getenv "SHOW" then print(("%s: %.2f %% of a core"):format(name, cost * 100)) end
      return is_cheap(cost)
    end)
  end)
end

-- The answers to 20 handshakes lie in the sockets before any is read: without shares of a turn one step makes them all, in 11 ms.
it("handshakes that are due together are spread over turns", function()
  one_of_three(function()
    local client, run = connect(LONG, own_wait), {}
    for i = 1, 20 do
      run[i] = function() ask(client) end
    end
    local turn, most, idle = turns_of(run), 0, core.http()
    local function some_turns(count)
      for _ = 1, count do
        local before = os.clock()
        turn()
        most = math.max(most, os.clock() - before)
        idle:wait(0.002)
      end
    end
    support.shell("kill -STOP " .. process)
    some_turns(200)
    support.shell("kill -CONT " .. process .. "; sleep 2")
    most = 0
    some_turns(200)
    client:close()
    idle:close()
    if os.getenv "SHOW" then print(("the longest turn: %.2f ms"):format(most * 1000)) end
    return support.sanitized or most < 0.005, ("a turn took %.1f ms"):format(most * 1000)
  end)
end)

-- ---- a plain script ----

it("in a plain script one report and many at once end when their time is up", function()
  local client = connect(SHORT)
  one_of_three(function()
    local before = processor(ME)
    local seconds, how = ask(client)
    local cost = (processor(ME) - before) / SHORT
    assert.is_true(support.sanitized or cost < 0.05, ("one waiting report cost %.1f %% of a core"):format(cost * 100))
    assert.equal("timeout total", how)
    assert.is_true(seconds >= SHORT)
    return support.sanitized or seconds <= SHORT + 0.2, ("the limit of %g s came after %.3f s"):format(SHORT, seconds)
  end)

  local queries = { concurrency = COUNT }
  for i = 1, COUNT do queries[i] = client:report("host2host"):range("LastHour"):limit(i) end
  local began = clock()
  local list, failed = client:gather(queries)
  local last = clock() - began
  assert.equal(COUNT, failed)
  for i = 1, COUNT do assert.equal("timeout total", list[i].error.kind .. " " .. list[i].error.which) end
  if os.getenv "SHOW" then print(("gather: %.2f s"):format(last)) end
  client:close()
end)
