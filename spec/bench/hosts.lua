-- The hosts section of the bench; see spec/bench/hosts. Each figure stands beside its goal; build/bench_hosts.json has them too.
local cjson = require "cjson"
local servers = require "spec.hosts.servers"
local support = require "spec.support"

local now = require("scrutinizer.core").now

local SECONDS = tonumber(os.getenv "SECONDS_EACH") or 10
local ROWS = 300000

local said = {}

local function say(what, measured, goal)
  said[#said + 1] = { what = what, measured = measured, goal = goal }
  print(("%-64s %-34s %s"):format(what, measured, goal))
  io.stdout:flush()
end

-- ---- pings of another request ----

-- Who asks must not wait for a core itself, as the host keeps one busy and the appliance the other: it gets the first look at the
-- appliance's, where chrt can say so.
local FIRST = support.shell("chrt -f 5 true 2>/dev/null && echo chrt -f 5 taskset -c $(($(nproc) - 1))"):gsub("%s+$", "")

local function pings(server, seconds) return servers.pings(server, seconds, FIRST) end

local function pin(server)
  for _, pid in ipairs { server.pid, server:worker() } do support.shell(("taskset -cp 0 %d >/dev/null 2>&1"):format(pid)) end
end

local function measure_pings(name, server, most)
  pin(server)
  local idle = pings(server, 3)
  server:burst(20, ("/stream?seconds=%g&[1-20]"):format(SECONDS + 2), 1)
  local busy = pings(server, SECONDS)
  say(name .. ": p99 of another request while 20 reports stream, over idle", ("%+.2f ms (%.2f, idle %.2f)"):format(
    busy.p99 - idle.p99, busy.p99, idle.p99), most or "at most +2 ms")
  say(name .. ": its longest, of " .. busy.count, ("%.2f ms (idle %.2f)"):format(busy.max, idle.max), "under 8 ms")
  support.shell "sleep 3"
end

-- ---- one report, inside and outside ----

local function plain(lua)
  local script = ([[
    local client = assert(require("scrutinizer").connect(%s))
    local function run() local n = 0 for _ in client:report("custom_rows_%d"):range("LastHour"):rows() do n = n + 1 end return n end
    run()
    local now = require("scrutinizer.core").now
    local begin = now() run() print(now() - begin)]]):format(servers.options(), ROWS)
  return tonumber((support.shell(("LUA_CPATH='build/%s/?.so;;' taskset -c 0 %s -e %s"):format(lua, lua, support.quote(script)))))
end

local function measure_throughput(name, lua, server, goal, path)
  local ratios = {}
  pin(server)
  path = path or ("/once?rows=%d"):format(ROWS)
  server:get(path)
  for i = 1, 3 do
    local outside = plain(lua)
    ratios[i] = outside / tonumber((server:get(path)))
  end
  table.sort(ratios)
  say(("%s: throughput of one report over a plain script on %s"):format(name, lua), ("%.2fx"):format(ratios[2]), goal or "at least 0.5x")
end

local function in_nginx()
  local server = servers.nginx {
    http = ("init_by_lua_block { now = require('scrutinizer.core').now client = assert(require('scrutinizer').connect(%s)) }")
      :format(servers.options()),
    server = [[
      location = /ping { content_by_lua_block { ngx.print "pong" } }
      location = /stream { content_by_lua_block {
        local stop = now() + tonumber(ngx.var.arg_seconds)
        while now() < stop do
          for _ in client:report("custom_rows_200000"):range("LastHour"):rows() do if now() > stop then break end end
        end
        ngx.print "done"
      } }
      location = /once { content_by_lua_block {
        local begin, n = now(), 0
        for _ in client:report("custom_rows_" .. ngx.var.arg_rows):range("LastHour"):rows() do n = n + 1 end
        ngx.print(now() - begin)
      } }]],
  }
  measure_pings("nginx, one worker", server)
  measure_throughput("nginx", "luajit", server)
  server:stop()
end

local IN_HAPROXY = [[
  local scrutinizer = require "scrutinizer"
  local now, options = require("scrutinizer.core").now, @OPTIONS@
  local client = assert(scrutinizer.connect(options))
  local function answer(applet, text)
    applet:set_status(200) applet:add_header("content-length", #text) applet:start_response() applet:send(text)
  end
  local function read(client, rows, stop)
    local begin = now()
    for _ in client:report("custom_rows_" .. rows):range("LastHour"):rows() do if stop and now() > stop then break end end
    return tostring(now() - begin)
  end
  core.register_service("ping", "http", function(applet) answer(applet, "pong") end)
  core.register_service("stream", "http", function(applet)
    local stop = now() + tonumber(applet.qs:match "seconds=([%d.]+)")
    while now() < stop do
      local anew = applet.qs:find "anew" and assert(scrutinizer.connect(options))
      read(anew or client, 5000, stop)
      if anew then anew:close() end
    end
    answer(applet, "done")
  end)
  -- The most that the processor worked in one turn of the loop, in ms: what passes on the processor's clock while this service sleeps 0 ms.
  core.register_service("turns", "http", function(applet)
    local stop, longest = now() + tonumber(applet.qs:match "seconds=([%d.]+)"), 0
    while now() < stop do
      local begin = os.clock()
      core.msleep(0)
      longest = math.max(longest, os.clock() - begin)
    end
    answer(applet, tostring(longest * 1000))
  end)
  core.register_service("once", "http", function(applet) answer(applet, read(client, applet.qs:match "rows=(%d+)")) end)
  core.register_action("once", { "http-req" }, function(txn) txn:set_var("txn.took", read(client, "@ROWS@")) end)
]]

local function turns_in_haproxy(name, server, how)
  server:burst(20, ("/stream?seconds=%g&%s[1-20]"):format(SECONDS + 2, how), 1)
  say(("%s: longest turn on the processor%s"):format(name, how ~= "" and ", clients connected anew" or ""),
    ("%.2f ms"):format(tonumber((server:get(("/turns?seconds=%g"):format(SECONDS))))), "at most 3 ms")
  support.shell "sleep 3"
end

local function in_haproxy()
  local version = support.shell(servers.haproxy_program() .. " -v"):match "version (%d+%.%d+)"
  local server = servers.haproxy {
    global = "tune.lua.service-timeout 600s\n  tune.lua.session-timeout 600s",
    lua = IN_HAPROXY:gsub("@(%u+)@", { OPTIONS = servers.options(), ROWS = tostring(ROWS) }),
    frontend = "  http-request use-service lua.ping if { path /ping }\n  http-request use-service lua.stream if { path /stream }\n"
      .. "  http-request use-service lua.turns if { path /turns }\n  http-request use-service lua.once if { path /once }\n"
      .. "  http-request lua.once if { path /action }\n"
      .. "  http-request return status 200 content-type text/plain lf-string %[var(txn.took)] if { path /action }\n",
  }
  local name = ("HAProxy %s, one thread"):format(version)
  measure_pings(name, server, "at most +1.0 ms")
  turns_in_haproxy(name, server, "")
  turns_in_haproxy(name, server, "anew&")
  measure_throughput(name .. ", a service", servers.haproxy_lua(), server, "at least 0.9x")
  measure_throughput(name .. ", an action", servers.haproxy_lua(), server, "at least 0.5x", "/action")
  server:stop()
end

-- ---- many at once, and ahead ----

local function many()
  local client = support.connect()
  local queries = { concurrency = 64 }
  for i = 1, 64 do queries[i] = client:report("custom_rows_1"):range "LastHour" end
  support.faults { { kind = "delay", seconds = 1, times = 64 } }
  local begin = now()
  local _, failed = client:gather(queries)
  say("64 reports of 1 s each, one thread, concurrency = 64", ("%.2f s, %d failed"):format(now() - begin, failed), "at most 1.15 s")
  client:close()
  support.clear()
end

local function walk_pages(ahead)
  local client = support.connect()
  local begin, count = now(), 0
  support.faults { { kind = "delay", seconds = 0.2, times = 40 } }
  for _ in client:report("custom_rows_2000"):range("LastHour"):page_size(101):prefetch(ahead):limit(2000):rows() do
    count = count + 1
    if count % 5 == 0 then support.shell "sleep 0.01" end
  end
  client:close()
  support.clear()
  return now() - begin
end

local function pages()
  local without, with = walk_pages(0), walk_pages(1)
  say("20 pages of 200 ms, 200 ms of work on each: prefetch(1) over none", ("%.2fx (%.1f s, %.1f s)"):format(with / without, with, without),
    "at most 0.6x")
end

-- ---- steps of loops that wait by descriptors ----

local function steps(name, loop)
  local client = support.connect()
  local count, bytes = 0, 0
  local methods = getmetatable(client._private.multi()).__index
  local step = methods.step
  methods.step = function(http)
    count = count + 1
    return step(http)
  end
  loop(function()
    local rows = client:report("custom_rows_780"):range("LastHour"):rows()
    while rows:next() do bytes = rows.bytes end
  end)
  methods.step = step
  client:close()
  say(name .. ": steps of one transfer of 1 MB, by descriptors", ("%d for %.2f MB"):format(count, bytes / 1e6), "under 30")
end

if os.getenv "ONLY" == "haproxy" then return in_haproxy() end
in_nginx()
in_haproxy()
many()
pages()
steps("cqueues", function(run)
  local loop = require("cqueues").new()
  loop:wrap(run)
  assert(loop:loop())
end)
steps("luv", function(run)
  local uv = require "luv"
  local timer = uv.new_timer()
  timer:start(0, 0, function()
    timer:close()
    coroutine.wrap(run)()
  end)
  uv.run()
end)

local file = assert(io.open("build/bench_hosts.json", "w"))
file:write(cjson.encode(said), "\n")
file:close()
