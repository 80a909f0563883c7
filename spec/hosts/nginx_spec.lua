-- Inside the real nginx: where it can wait and where not, side by side with other requests, and what is left of clients that hang up.
-- nginx brings its own Lua, so once is enough.
if os.getenv "SANDBOX_CHECKED" or os.getenv "SCRUTINIZER_SANITIZED" then return end

local kept = require "spec.kept"
local servers = require "spec.hosts.servers"
local support = require "spec.support"

local FROM, TO = 1795341600, 1795342800
local INIT = [[
lua_shared_dict said 1m;
init_by_lua_block {
  scrutinizer = require "scrutinizer"
  options = @OPTIONS@
  -- Requests that reports have begun in this worker, and those of them begun by a thread after it was killed.
  seen, killed = { begun = 0, after_kill = 0 }, setmetatable({}, { __mode = "k" })
  function options.on_event(event)
    if event.type ~= "request" then return end
    seen.begun = seen.begun + 1
    if killed[coroutine.running() or seen] then seen.after_kill = seen.after_kill + 1 end
  end
  client = assert(scrutinizer.connect(options))
  function query() return client:report("host2host"):between(@FROM@, @TO@) end
  -- Sum over the rows, or the error's text.
  function sum(of, ...)
    local total, count = 0, 0
    local good, err = pcall(function()
      for row in (of or query()):rows() do total, count = total + row.sum_octetdeltacount, count + 1 end
    end)
    return good and ("%d rows %.0f"):format(count, total) or tostring(err)
  end
  local total = sum()
  function early() return total end
}
init_worker_by_lua_block {
  local said = ngx.shared.said
  said:set("init_worker", sum())
  said:set("warm", tostring(client:warm()))
  ngx.timer.at(0, function() said:set("timer", sum()) end)
}
]]

local SERVER = [[
lua_check_client_abort on;
location = /early { content_by_lua_block { ngx.print(early()) } }
location = /content { content_by_lua_block { ngx.print(sum()) } }
location = /access { access_by_lua_block { ngx.ctx.said = sum() } content_by_lua_block { ngx.print(ngx.ctx.said) } }
location = /rewrite { rewrite_by_lua_block { ngx.ctx.said = sum() } content_by_lua_block { ngx.print(ngx.ctx.said) } }
location = /said { content_by_lua_block { ngx.print(ngx.shared.said:get(ngx.var.arg_name) or "") } }
location = /seen { content_by_lua_block { ngx.print(seen.begun, " ", seen.after_kill) } }
location = /named { content_by_lua_block {
  local o = {} for k, v in pairs(options) do o[k] = v end
  o.wait = ngx.var.arg_wait
  local other = assert(scrutinizer.connect(o))
  local row, err = other:report("host2host"):between(@FROM@, @TO@):first()
  ngx.print(row and "a row" or tostring(err))
} }
location = /filters {
  set_by_lua_block $said { ngx.shared.said:set("set", sum()) return "" }
  content_by_lua_block { ngx.print "body" }
  header_filter_by_lua_block { ngx.shared.said:set("header_filter", sum()) }
  body_filter_by_lua_block { ngx.shared.said:set("body_filter", sum()) }
  log_by_lua_block { ngx.shared.said:set("log", sum()) }
}
location = /threads { content_by_lua_block {
  local threads = {}
  for i = 1, 4 do threads[i] = ngx.thread.spawn(function() return sum() end) end
  for i = 1, 4 do ngx.say(select(2, ngx.thread.wait(threads[i]))) end
} }
location = /gather { content_by_lua_block {
  local list, failed = client:gather { query(), query():limit(3), query():outbound(), query():page_size(100):prefetch(2) }
  for i = 1, list.n do ngx.print(#list[i].rows, " ") end
  ngx.print(failed)
} }
location = /wrapped { content_by_lua_block {
  ngx.print(coroutine.wrap(function() return sum() end)())
} }
location = /rows { content_by_lua_block {
  local count, total = 0, 0
  for row in client:report("custom_rows_" .. ngx.var.arg_n):range("LastHour"):rows() do
    count, total = count + 1, total + row.sum_packetdeltacount
  end
  ngx.say(count, " ", total)
} }
location = /killed { content_by_lua_block {
  local kinds = {
    rows = function() return sum(client:report "custom_rows_20000":range "LastHour") end,
    prefetch = function() return sum(query():page_size(20):prefetch(3)) end,
    gather = function() return client:gather { query(), query():outbound(), query():page_size(50) } end,
    aggregate = function() return query():aggregate { sum = { "sum_octetdeltacount" } } end,
  }
  local run = kinds[ngx.var.arg_kind]
  local thread = ngx.thread.spawn(function()
    killed[coroutine.running()] = nil -- nginx uses its coroutines again
    return run()
  end)
  ngx.sleep(tonumber(ngx.var.arg_after) / 1000)
  if ngx.var.arg_how == "exit" then return ngx.exit(204) end
  ngx.thread.kill(thread)
  killed[thread] = true
  ngx.print "killed"
} }
# Ends a report that a coroutine within a thread runs, without killing the thread.
location = /closed { content_by_lua_block {
  local cursor = client:report "custom_rows_20000":range "LastHour":rows()
  local function read()
    while true do
      local row, err = cursor:next()
      if not row then return err and err.kind or "all" end
    end
  end
  local thread = ngx.thread.spawn(function() return coroutine.wrap(read)() end)
  ngx.sleep(tonumber(ngx.var.arg_after) / 1000)
  cursor:close()
  ngx.say(select(2, ngx.thread.wait(thread)))
} }
location = /err { content_by_lua_block {
  local row, err = query():rows():next()
  ngx.print(row and "a row" or err.kind)
} }
]]

local function fill(text, more)
  local values = { OPTIONS = servers.options(more), FROM = tostring(FROM), TO = tostring(TO) }
  return (text:gsub("@(%u+)@", values))
end

-- Starts nginx, runs, and stops it, whatever came of it.
local function with_nginx(parts, run)
  servers.during(servers.nginx(parts), run)
end

-- Counted where they begin: a busy appliance may read only later what was sent before the kill.
local function assert_nothing_goes_on(server, reports)
  local before = server:get "/seen"
  support.shell "sleep 1.5"
  assert.equal(before, (server:get "/seen"))
  local begun, after_kill = before:match "^(%d+) (%d+)$"
  assert.is_true(tonumber(begun) >= reports, before)
  assert.equal("0", after_kill)
end

local function expected() return servers.expected(FROM, TO) end

describe("nginx", function()
  support.clean_for_each()

  it("waits where its Lua may, and says elsewhere what to do", function()
    with_nginx({ http = fill(INIT), server = fill(SERVER) }, function(server)
      local right, count = expected()
      for _, path in ipairs { "/early", "/content", "/access", "/rewrite", "/wrapped" } do assert.equal(right, (server:get(path))) end
      assert.equal(right, (server:get "/said?name=timer"))
      assert.equal((right .. "\n"):rep(4), (server:get "/threads"))
      assert.matches(("^%d 3 %%d+ %d 0$"):format(count, count), (server:get "/gather"))
      assert.equal("a row", (server:get "/named?wait=ngx"))
      assert.equal("a row", (server:get "/named?wait=auto"))
      assert.matches("^phase: this is not HAProxy", (server:get "/named?wait=haproxy"))
      server:get "/filters"
      assert.equal("true", (server:get "/said?name=warm"))
      for _, phase in ipairs { "init_worker", "set", "header_filter", "body_filter", "log" } do
        local said = server:get("/said?name=" .. phase)
        assert.matches("^phase: nginx cannot wait in phase " .. phase, said)
        local way_out = (phase == "log" or phase == "init_worker") and "ngx.timer.at(0, function() … end)" or "access_by_lua"
        assert.is_not_nil(said:find(way_out, 1, true), said)
      end
      assert.equal("", server:log())
    end)
  end)

  it("sends no request over a connection on which something waits", function()
    kept.start()
    finally(kept.stop)
    local script = ("location = /kept { content_by_lua_block { ngx.print((function() %s end)()) } }"):format(kept.script())
    with_nginx({ http = fill(INIT), server = script }, function(server)
      kept.check_hosted((server:get "/kept"))
      assert.equal("", server:log())
    end)
  end)

  it("serves others while reports stream, and loses no row", function()
    with_nginx({ http = fill(INIT), server = fill(SERVER) }, function(server)
      local expected_text = ("60000 1800030000\n"):rep(8)
      server:burst(8, "/rows?n=60000&[1-8]", 0.2)
      local seconds, began = {}, os.time()
      repeat
        seconds[#seconds + 1] = select(3, server:get "/up")
      until #server:given() >= #expected_text or os.time() - began > 60
      assert.equal(expected_text, server:given())
      table.sort(seconds)
      -- A blocked worker would answer after seconds; a loaded machine after some hundredths.
      assert.is_true(#seconds > 1 and seconds[math.ceil(#seconds / 2)] < 0.1, ("half of the pings took over %.3f s"):format(
        seconds[math.ceil(#seconds / 2)]))
    end)
  end)

  it("has nothing left of 200 clients that hang up", function()
    with_nginx({ http = fill(INIT, "retry = false"), server = fill(SERVER) }, function(server)
      server:get "/content"
      local before, rss = server:descriptors(), server:rss()
      support.faults { { kind = "delay", seconds = 60, times = 200 } }
      server:burst(200, "/content?[1-200]", 1.5, "--max-time 2")
      assert.is_true(server:descriptors() > before + 100, "no transfers were under way")
      support.shell "sleep 6"
      support.clear()
      for _ = 1, 15 do
        assert.equal("a row", (server:get "/err"))
        if server:descriptors() <= before + 8 then break end
        support.shell "sleep 1"
      end
      assert.is_true(server:descriptors() <= before + 8, ("%d descriptors, before %d"):format(server:descriptors(), before))
      assert.is_true(server:rss() < rss + 60000, ("%d KiB, before %d"):format(server:rss(), rss))
      assert.equal((expected()), (server:get "/content"))
    end)
  end)

  -- Killed at any moment of {rows, pages ahead, gather, an aggregate}, left by ngx.exit, left by its client: requests end, and
  -- nothing goes on. nginx waits for threads that nobody waits for, so that a thread of ours must never be one.
  it("ends with a thread that is killed, whatever it is at", function()
    local many = tonumber(os.getenv "SCRUTINIZER_KILLS" or "40")
    with_nginx({ http = fill(INIT), server = fill(SERVER) }, function(server)
      assert.equal((expected()), (server:get "/content"))
      local at, lists = 0, {}
      for _, kind in ipairs { "rows", "prefetch", "gather", "aggregate" } do
        local list = {}
        for i = 1, many do
          at = (at * 31 + 7) % 60
          local how = i % 10 == 0 and "exit" or "kill"
          list[i] = ("'http://127.0.0.1:%d/killed?kind=%s&after=%d&how=%s'"):format(server.port, kind, i % 10 == 5 and 500 or at, how)
        end
        local said = support.shell(("printf '%%s\\n' %s | xargs -P 8 -n 1 curl -s -o /dev/null -w '%%{http_code} ' --max-time 20")
          :format(table.concat(list, " ")))
        local _, good = said:gsub("20[04] ", "")
        assert.equal(many, good, kind .. ": " .. said)
        lists[#lists + 1] = table.concat(list, " ", 1, 10)
      end
      assert_nothing_goes_on(server, 4 * many)
      for _, list in ipairs(lists) do -- clients that hang up
        support.shell(("printf '%%s\\n' %s | xargs -P 8 -n 1 curl -s -o /dev/null --max-time 0.02"):format(list))
      end
      assert.equal((expected()), (server:get "/content"))
    end)
  end)

  -- nginx's Lua module does not know what a killed thread's coroutine waits for, and crashes when that comes; this is the way without a kill.
  it("ends a report in a coroutine within a thread when its cursor is closed", function()
    with_nginx({ http = fill(INIT), server = fill(SERVER) }, function(server)
      local worker, list = server:worker(), {}
      for i = 1, 80 do list[i] = ("'http://127.0.0.1:%d/closed?after=%d'"):format(server.port, 1 + i * 7 % 40) end
      local said = support.shell(("printf '%%s\\n' %s | xargs -P 8 -n 1 curl -s --max-time 20"):format(table.concat(list, " ")))
      local _, cancelled = said:gsub("cancelled\n", "")
      local _, all = said:gsub("all\n", "")
      assert.equal(80, cancelled + all, said)
      assert.is_true(cancelled > 40, said)
      assert_nothing_goes_on(server, 80)
      assert.equal((expected()), (server:get "/content"))
      assert.equal(worker, server:worker())
      assert.equal("", server:log())
    end)
  end)

  it("survives an appliance that dies, and finds it again", function()
    servers.with_mortal(function(options, mortal)
      local http = INIT:gsub("@OPTIONS@", function() return options end)
      with_nginx({ http = fill(http), server = fill(SERVER) }, function(server)
        local said = server:given_by_the_dying("/content?[1-5]", mortal)
        assert.equal(5, select(2, said:gsub("truncated: ", "")), said)
        assert.equal("connect", (server:get "/err"))
        assert.equal(200, select(2, server:get "/up"))
      end)
    end)
  end)

  it("leaks nothing where each request has a Lua state of its own (lua_code_cache off)", function()
    with_nginx({
      http = "lua_code_cache off;",
      server = fill [[location = /content { content_by_lua_block {
        local client = assert(require("scrutinizer").connect(@OPTIONS@))
        ngx.print(#assert(client:report("host2host"):between(@FROM@, @TO@):limit(3):fetch()).rows)
      } }]],
    }, function(server)
      for _ = 1, 5 do assert.equal("3", (server:get "/content")) end
      local before, rss = server:descriptors(), server:rss()
      for _ = 1, 40 do assert.equal("3", (server:get "/content")) end
      assert.is_true(server:descriptors() <= before + 2)
      assert.is_true(server:rss() < rss + 20000, ("%d KiB, before %d"):format(server:rss(), rss))
    end)
  end)
end)
