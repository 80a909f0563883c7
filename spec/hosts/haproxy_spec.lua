-- Inside the real HAProxy: tasks, services and actions wait, fetches and converters are told why not; its watchdog, its locks, its threads.
-- HAProxy brings its own Lua, so once is enough.
if os.getenv "SANDBOX_CHECKED" or os.getenv "SCRUTINIZER_SANITIZED" then return end

local kept = require "spec.kept"
local servers = require "spec.hosts.servers"
local support = require "spec.support"

local FROM, TO = 1795341600, 1795342800
local MAIN = [[
core.register_action("early", { "http-req" }, function(txn, many) txn:set_var("txn.said", _G.rows(many)) end, 1)
core.register_service("early", "http", function(applet) _G.answer(applet, _G.rows(applet.qs)) end)
core.register_fetches("early", function() return _G.sum() end)
local scrutinizer = require "scrutinizer"
local client = assert(scrutinizer.connect(@OPTIONS@))
local function query() return client:report("host2host"):between(@FROM@, @TO@) end
function sum()
  local total, count = 0, 0
  local good, err = pcall(function()
    for row in query():rows() do total, count = total + row.sum_octetdeltacount, count + 1 end
  end)
  return good and ("%d rows %.0f"):format(count, total) or tostring(err)
end
function answer(applet, text)
  applet:set_status(200)
  applet:add_header("content-length", #text)
  applet:start_response()
  applet:send(text)
end
local said = { load = sum(), warm = tostring((client:warm())) }
core.register_init(function() said.init = sum() end)
core.register_task(function() said.task = sum() end)
core.register_service("said", "http", function(applet) answer(applet, tostring(said[applet.qs])) end)
core.register_service("sum", "http", function(applet) answer(applet, sum()) end)
core.register_service("wrapped", "http", function(applet)
  local inner = function() return "through: " .. sum() end
  local run = coroutine.wrap(inner)
  if applet.qs == "create" then
    local co = coroutine.create(inner)
    run = function()
      local _, value = coroutine.resume(co)
      return value
    end
  end
  local text
  repeat text = run() until text
  answer(applet, text)
end)
core.register_service("gather", "http", function(applet)
  local list, failed = client:gather { query(), query():limit(3), query():page_size(100):prefetch(2) }
  answer(applet, ("%d %d %d %d"):format(#list[1].rows, #list[2].rows, #list[3].rows, failed))
end)
function rows(many)
  local count, total = 0, 0
  for row in client:report("custom_rows_" .. many):range("LastHour"):rows() do
    count, total = count + 1, total + row.sum_packetdeltacount
  end
  return count .. " " .. total
end
core.register_service("rows", "http", function(applet) answer(applet, rows(applet.qs)) end)
core.register_action("rows", { "http-req", "http-res" }, function(txn, many) txn:set_var("txn.said", rows(many)) end, 1)
core.register_service("err", "http", function(applet)
  local row, err = query():rows():next()
  answer(applet, row and "a row" or tostring(err))
end)
core.register_action("act", { "http-req" }, function(txn) txn:set_var("txn.said", sum()) end)
core.register_fetches("fetched", function() return sum() end)
core.register_converters("converted", function() return sum() end)
]]
local FRONTEND = [[
  http-request lua.act if { path /action }
  http-request return status 200 content-type text/plain lf-string "%[var(txn.said)]" if { path /action }
  http-request return status 200 content-type text/plain lf-string "%[lua.fetched]" if { path /fetch }
  http-request return status 200 content-type text/plain lf-string "%[str(x),lua.converted]" if { path /convert }
  http-request lua.rows 150 if { path /action150 }
  http-request lua.rows 20000 if { path /action20000 }
  http-request lua.early 20000 if { path /early_action }
  http-request return status 200 content-type text/plain lf-string "%[var(txn.said)]" if { var(txn.said) -m found }
  http-request return status 200 content-type text/plain lf-string "%[lua.early]" if { path /early_fetch }
  http-request use-service lua.early if { path /early_service }
  http-request use-service lua.said if { path /said }
  http-request use-service lua.sum if { path /sum }
  http-request use-service lua.wrapped if { path /wrapped }
  http-request use-service lua.gather if { path /gather }
  http-request use-service lua.rows if { path /rows }
  http-request use-service lua.err if { path /err }
  use_backend answered if { path /answered150 /answered20000 }
backend answered
  http-request set-var(txn.many) path,regsub(/answered,)
  http-request set-path /up
  http-response lua.rows 150 if { var(txn.many) -m str 150 }
  http-response lua.rows 20000 if { var(txn.many) -m str 20000 }
  http-response set-header x-said %[var(txn.said)]
  server this 127.0.0.1:@PORT@
]]

local FAILS = [[
local client = assert(require("scrutinizer").connect { url = "http://127.0.0.1:1", allow_http = true, token = "x", retry = false })
local function ask() for _ in client:report("host2host"):range("LastHour"):rows() do end end
core.register_task(ask)
core.register_action("fails", { "http-req" }, ask)
core.register_service("fails", "http", ask)
core.register_fetches("fails", ask)
]]
local FAILING = [[
  http-request lua.fails if { path /action }
  http-request use-service lua.fails if { path /service }
  http-request return status 200 content-type text/plain lf-string "%[lua.fails]" if { path /fetch }
]]

local function fill(text, options)
  local values = { OPTIONS = options or servers.options(), FROM = tostring(FROM), TO = tostring(TO) }
  return (text:gsub("@(%u+)@", values))
end

local function with_haproxy(parts, run)
  parts.lua = parts.lua or fill(MAIN)
  parts.frontend = parts.frontend or FRONTEND
  servers.during(servers.haproxy(parts), run)
end

local function expected() return servers.expected(FROM, TO) end

-- A request that waits until what a task leaves is there.
local function wait_for(server, path, text)
  for _ = 1, 50 do
    if server:get(path) == text then return text end
    support.shell "sleep 0.1"
  end
  return (server:get(path))
end

local KEPT = [[
local function script() @SCRIPT@ end
core.register_service("kept", "http", function(applet)
  local text = script()
  applet:set_status(200)
  applet:add_header("content-length", #text)
  applet:start_response()
  applet:send(text)
end)
]]

describe("HAProxy", function()
  support.clean_for_each()

  it("sends no request over a connection on which something waits", function()
    kept.start()
    finally(kept.stop)
    local main = KEPT:gsub("@SCRIPT@", function() return kept.script() end)
    local frontend = "  http-request use-service lua.kept if { path /kept }\n"
    with_haproxy({ lua = main, global = "tune.lua.service-timeout 120s", frontend = frontend }, function(server)
      kept.check_hosted((server:get "/kept"))
    end)
  end)

  it("waits in tasks, services and actions, and tells fetches and converters what to do", function()
    with_haproxy({}, function(server)
      local right, count = expected()
      for _, path in ipairs { "/said?load", "/said?init", "/sum", "/action" } do assert.equal(right, (server:get(path))) end
      assert.equal(right, wait_for(server, "/said?task", right))
      assert.equal("true", (server:get "/said?warm"))
      assert.equal(("%d 3 %d 0"):format(count, count), (server:get "/gather"))
      for path, place in pairs { ["/fetch"] = "a sample fetch", ["/convert"] = "a converter" } do
        local said = server:get(path)
        assert.is_not_nil(said:find("phase: HAProxy cannot wait in " .. place, 1, true), said)
        assert.is_not_nil(said:find("core.register_task", 1, true))
      end
      assert.matches("^through: phase: HAProxy cannot wait in a coroutine of your own", (server:get "/wrapped?wrap"))
      -- From 2.8 on HAProxy yields in the one who resumes a coroutine of coroutine.create, so that it does wait.
      local created = server:get "/wrapped?create"
      assert.is_true(created == "through: " .. right or created:find("in a coroutine of your own", 1, true) ~= nil, created)
      assert.equal(right, (server:get "/sum")) -- behind all of that
    end)
  end)

  it("waits in actions at a request and at a response, while others are served", function()
    for _, mode in ipairs { "lua-load", "lua-load-per-thread" } do
      with_haproxy({ load = mode, threads = 2, global = "tune.lua.session-timeout 60s" }, function(server)
        for many, right in pairs { [150] = "150 11325", [20000] = "20000 200010000" } do
          assert.equal(right, (server:get("/action" .. many)))
          assert.matches("x%-said: " .. right, (server:get("/answered" .. many, "-i")))
        end
        server:burst(8, "/action20000?[1-16]", 0)
        local seconds = {}
        for _ = 1, 1200 do
          seconds[#seconds + 1] = select(3, server:get "/up")
          if #server:given() >= 16 * #"20000 200010000" then break end
          support.shell "sleep 0.05"
        end
        assert.equal(("20000 200010000"):rep(16), server:given())
        table.sort(seconds)
        assert.is_true(seconds[math.ceil(#seconds / 2)] < 0.1)
      end)
    end
  end)

  it("serves what was registered before it was loaded", function()
    with_haproxy({ global = "tune.lua.session-timeout 60s" }, function(server)
      assert.equal("20000 200010000", (server:get "/early_action"))
      assert.equal("20000 200010000", (server:get "/early_service?20000"))
      assert.equal((expected()), (server:get "/sum"))
    end)
  end)

  it("needs neither the library io nor debug", function()
    local ca = support.read(support.sandbox().ca)
    local main, global = fill(MAIN, (servers.options():gsub("ca_file = %b\"\"", function() return ("ca_blob = %q"):format(ca) end))), ""
    local version = support.shell(servers.haproxy_program() .. " -v"):match "version (%d+%.%d+)"
    if tonumber(version) >= 3.5 then
      global = "tune.lua.openlibs package,string,table,math,os"
    else
      main = "io, debug, utf8 = nil\n" .. main
    end
    main = main .. 'assert(io == nil and debug == nil)\nsaid.file = tostring(select(2, scrutinizer.connect(@OPTIONS@)))'
    with_haproxy({ lua = fill(main), global = global }, function(server)
      assert.equal((expected()), (server:get "/sum"))
      assert.matches("^tls: tls.ca_file cannot be read: .*tune%.lua%.openlibs", (server:get "/said?file"))
    end)
  end)

  it("finds its sentences in HAProxy's log", function()
    with_haproxy({ lua = fill(FAILS), global = "log stderr local0 debug", frontend = FAILING }, function(server)
      for _, path in ipairs { "/action", "/service", "/fetch" } do server:get(path) end
      for _ = 1, 50 do
        if select(2, server:log():gsub("Lua task", "")) > 0 then break end
        support.shell "sleep 0.1"
      end
      local log = server:log()
      for _, head in ipairs { "Lua function 'fails'", "Lua applet http '<lua%.fails>'", "Lua task" } do
        assert.matches(head .. "[^\n]*: connect: Failed to connect to 127%.0%.0%.1", log)
      end
      assert.matches("Lua sample%-fetch 'fails'[^\n]*: phase: HAProxy cannot wait in a sample fetch", log)
      assert.is_nil(log:find "unknown")
    end)
  end)

  it("is not killed by its watchdog over a million rows, and serves others meanwhile", function()
    with_haproxy({ global = "tune.lua.service-timeout 300s" }, function(server)
      server:burst(1, "/rows?1000000", 0.5)
      local seconds = {}
      for _ = 1, 1200 do
        seconds[#seconds + 1] = select(3, server:get "/up")
        if server:given() ~= "" then break end
        support.shell "sleep 0.05"
      end
      assert.equal("1000000 500000500000", server:given())
      table.sort(seconds)
      assert.is_true(#seconds > 5 and seconds[math.ceil(#seconds / 2)] < 0.1)
    end)
  end)

  it("runs a state per thread: four at a time, each with its own client", function()
    with_haproxy({ load = "lua-load-per-thread", threads = 4 }, function(server)
      local right = expected()
      server:burst(16, "/sum?[1-24]", 0)
      for _ = 1, 300 do
        if #server:given() >= 24 * #right then break end
        support.shell "sleep 0.1"
      end
      assert.equal(right:rep(24), server:given())
    end)
  end)

  local named = function()
    local box = support.sandbox()
    return ("{ url = %q, token = %q, tls = { ca_file = %q } }"):format((box.url:gsub("127%.0%.0%.1", "localhost")), box.token, box.ca)
  end

  it("works as a master with workers", function()
    with_haproxy({ master = true }, function(server)
      assert.equal((expected()), (server:get "/sum"))
      assert.equal("true", (server:get "/said?warm"))
    end)
  end)

  it("works under its locks: no root, a chroot, no more threads", function()
    for _, master in ipairs { false, true } do
      local jail = support.folder()
      with_haproxy({
        master = master, lua = fill(MAIN, named()), global = ("user nobody\n  group nogroup\n  chroot %s"):format(jail),
      }, function(server)
        local status = support.shell(("cat /proc/%d/status /proc/%d/limits; readlink /proc/%d/root"):format(
          server:worker(), server:worker(), server:worker()))
        assert.is_nil(status:find "Uid:%s+0")
        assert.matches("Max processes%s+0", status)
        assert.is_not_nil(status:find(jail, 1, true))
        assert.equal((expected()), (server:get "/sum"))
      end)
      support.shell("rm -rf " .. jail)
    end
  end)

  it("says under its locks what was not done beforehand", function()
    local jail = support.folder()
    local cold = fill(MAIN, (named():gsub("localhost", "ip6-localhost"))):gsub("local said = {[^\n]*", "local said = {}")
      :gsub("core.register_init[^\n]*", ""):gsub("core.register_task[^\n]*", "")
    with_haproxy({ lua = cold, global = ("user nobody\n  group nogroup\n  chroot %s"):format(jail) }, function(server)
      local said = server:get "/err"
      assert.matches("^connect: ", said)
      assert.is_not_nil(said:find("client:warm()", 1, true), said)
    end)
    support.shell("rm -rf " .. jail)
  end)

  it("survives an appliance that dies, and says so", function()
    servers.with_mortal(function(options, mortal)
      with_haproxy({ lua = fill(MAIN, options) }, function(server)
        local said = server:given_by_the_dying("/sum?[1-5]", mortal)
        assert.equal(5, select(2, said:gsub("truncated: ", "")), said)
        assert.matches("^connect: ", (server:get "/err"))
        assert.equal(200, select(2, server:get "/up"))
      end)
    end)
  end)

  it("has nothing left of 200 streams that it ends", function()
    with_haproxy({ lua = fill(MAIN, servers.options "retry = false") }, function(server)
      server:get "/sum"
      local before, rss = server:descriptors(), server:rss()
      support.faults { { kind = "delay", seconds = 60, times = 200 } }
      -- The clients are still there when it ends them: from 3.2 on it does not end all streams whose clients have gone.
      server:burst(200, "/sum?[1-200]", 1.5, "--max-time 60")
      for _ = 1, 150 do -- a client's connection and one to the appliance for each: a busy machine takes its time
        if server:descriptors() >= before + 400 then break end
        support.shell "sleep 0.1"
      end
      assert.is_true(server:descriptors() > before + 100, "no transfers were under way")
      assert.is_true(server:end_streams() > 100)
      support.shell "sleep 5"
      support.clear()
      for _ = 1, 15 do
        server:get "/err"
        if server:descriptors() <= before + 8 then break end
        support.shell "sleep 1"
      end
      assert.equal("a row", (server:get "/err"))
      assert.is_true(server:descriptors() <= before + 8, ("%d descriptors, before %d"):format(server:descriptors(), before))
      -- 0.4 MB for each, HAProxy's own part included (3.2 takes more than 2.6); the system's allocator keeps some of it.
      assert.is_true(server:rss() < rss + 80000, ("%d KiB, before %d"):format(server:rss(), rss))
    end)
  end)
end)
