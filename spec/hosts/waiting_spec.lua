-- Reports that wait for an appliance which never answers: they cost the host next to nothing, delay nobody, and their time limits are exact.
-- WAITERS=1000 for more of them than 200.

local clock = require("scrutinizer.core").now
local python_server = require "spec.python_server"
local servers = require "spec.hosts.servers"
local support = require "spec.support"

local COUNT = tonumber(os.getenv "WAITERS") or 200
-- Share of a core that so many may cost.
local MOST = COUNT > 200 and 0.15 or 0.05
local TIMEOUT = 3
-- The age of the reports from which on we measure, once their cost and once others' delay; all have begun, and none has ended.
local FROM, SECONDS = 1.2, 0.8

local dir, pipe, port

setup(function()
  dir = support.certificates()
  pipe, port = python_server.start("stall_server", ("%s/good.pem %s/good.key"):format(dir, dir))
end)
teardown(function()
  pipe:close()
  support.shell("rm -rf " .. dir)
end)

-- Options of a client for the appliance that never answers.
local function options()
  return {
    url = "https://127.0.0.1:" .. port, token = "none", tls = { ca_file = dir .. "/ca.pem" }, timeout = TIMEOUT, connect_timeout = 10, retry = false,
  }
end

-- The same as Lua text.
local function options_text()
  local o = options()
  return ("{ url = %q, token = %q, tls = { ca_file = %q }, timeout = %g, connect_timeout = %g, retry = false }"):format(o.url, o.token, o.tls.ca_file,
    o.timeout, o.connect_timeout)
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
local notes = assert((loadstring or load)(NOTES .. "return notes"))() -- luacheck: ignore

-- What `said()` gives, checked.
local function check_limits(said)
  local ended, right, least, most = said:match "^(%d+) (%d+) (%S+) (%S+)"
  assert.is_not_nil(ended, said)
  assert.same({ COUNT, COUNT }, { tonumber(ended), tonumber(right) }, said)
  print("limits", least, most)
  assert.is_true(tonumber(least) >= TIMEOUT and tonumber(most) <= TIMEOUT + 0.2, ("the limit of %g s came after %s to %s s"):format(TIMEOUT, least, most))
end

local function check_cost(share)
  print("cost", share)
  assert.is_true(support.sanitized or share <= MOST, ("%d waiting reports cost %.1f %% of a core"):format(COUNT, share * 100))
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

local PINGS = [[python3 -c '
import socket, sys, time
port, seconds = %d, %g
took, end = [], time.time() + seconds
while time.time() < end:
  begin = time.perf_counter()
  s = socket.create_connection(("127.0.0.1", port))
  s.sendall(b"GET /ping HTTP/1.0\r\n\r\n")
  while s.recv(4096): pass
  s.close()
  took.append(time.perf_counter() - begin)
  time.sleep(0.01)
took.sort()
print(took[len(took) // 2] * 1000)
']]

-- Milliseconds that half of the requests to another page take at most.
local function ping(server, seconds)
  return tonumber((support.shell(PINGS:format(server.port, seconds))))
end

-- A server whose page /wait has so many reports wait at once, and then says how they ended.
local function check_server(server)
  local idle = ping(server, 1)
  local path = server.dir .. "/waited"
  support.shell(("curl -s --noproxy '*' --max-time 30 'http://127.0.0.1:%d/wait' >%s 2>&1 & sleep %g"):format(server.port, path, FROM))
  local cost = share(server:worker(), SECONDS)
  local busy = ping(server, SECONDS)
  for _ = 1, 200 do
    if support.read(path) ~= "" then break end
    support.shell "sleep 0.05"
  end
  print("ping", idle, busy)
  check_limits(support.read(path))
  check_cost(cost)
  assert.is_true(busy - idle <= 0.2, ("half of the other requests took %.2f ms, idle %.2f"):format(busy, idle))
end

if not os.getenv "SANDBOX_CHECKED_WAITING" and not support.sanitized then
  it("nginx serves others as if nobody waited", function()
    servers.during(servers.nginx {
      http = ("init_by_lua_block { %s %s run, count, new = ask, %d, notes client = assert(require('scrutinizer').connect(%s)) }"):format(ASK, NOTES, COUNT,
        options_text()),
      server = [[
        location = /ping { content_by_lua_block { ngx.print "pong" } }
        location = /wait { content_by_lua_block {
          local seen, threads = new(), {}
          for i = 1, count do threads[i] = ngx.thread.spawn(function() seen.took(run(client)) end) end
          for i = 1, count do ngx.thread.wait(threads[i]) end
          ngx.say(seen.said())
        } }]],
    }, check_server)
  end)

  it("HAProxy serves others as if nobody waited", function()
    servers.during(servers.haproxy {
      global = "ulimit-n 4000",
      lua = ([[
        %s %s
        local client = assert(require("scrutinizer").connect(%s))
        local function answer(applet, text)
          applet:set_status(200) applet:add_header("content-length", #text) applet:start_response() applet:send(text)
        end
        core.register_service("ping", "http", function(applet) answer(applet, "pong") end)
        core.register_service("wait", "http", function(applet)
          local seen = notes()
          for _ = 1, %d do core.register_task(function() seen.took(ask(client)) end) end
          while seen.ended < %d do core.msleep(20) end
          answer(applet, seen.said())
        end)]]):format(ASK, NOTES, options_text(), COUNT, COUNT),
      frontend = "http-request use-service lua.ping if { path /ping }\n  http-request use-service lua.wait if { path /wait }",
    }, check_server)
  end)
end
