-- How long and how often a report lets nginx's loop run: with OpenResty's patch of delayed events and without, whichever nginx is at hand; when no
-- timer is left; when the worker ends. NGINX_PROGRAM names another nginx, such as OpenResty's.
-- nginx brings its own Lua, so once is enough.
if os.getenv "SANDBOX_CHECKED" or os.getenv "SCRUTINIZER_SANITIZED" then return end

local servers = require "spec.hosts.servers"
local support = require "spec.support"

local ROWS, SUM = 60000, 60000 * 60001 / 2

-- What nginx calls for turns is counted. @PATCH@: what the module is told about the patch; nil: what is true.
local INIT = [[
lua_shared_dict said 1m;
init_by_lua_block {
  called = { timers = 0, zero_sleeps = 0 }
  local timer_at, sleep = ngx.timer.at, ngx.sleep
  function ngx.timer.at(...)
    called.timers = called.timers + 1
    return timer_at(...)
  end
  function ngx.sleep(seconds)
    if seconds == 0 then called.zero_sleeps = called.zero_sleeps + 1 end
    return sleep(seconds)
  end
  local ffi, patch = require "ffi", @PATCH@
  local C = setmetatable({}, { __index = function(_, name)
    if name ~= "ngx_posted_delayed_events" or patch == nil then return ffi.C[name] end
    return patch or error "missing symbol"
  end })
  if patch ~= nil then package.loaded.ffi = setmetatable({ C = C, cdef = ffi.cdef }, { __index = ffi }) end
  scrutinizer = require "scrutinizer"
  client = assert(scrutinizer.connect(@OPTIONS@))
  function sum(n)
    local total, count = 0, 0
    for row in client:report("custom_rows_" .. n):range("LastHour"):rows() do
      total, count = total + row.sum_packetdeltacount, count + 1
    end
    return ("%d %.0f"):format(count, total)
  end
  function outcome(...)
    local good, result = pcall(sum, ...)
    return good and result or tostring(result)
  end
}
]]

local SERVER = [[
location = /rows { content_by_lua_block {
  client:ping()
  called.timers, called.zero_sleeps = 0, 0
  ngx.print(outcome(ngx.var.arg_n), " ", called.timers, " ", called.zero_sleeps)
} }
location = /said { content_by_lua_block { ngx.print(ngx.shared.said:get "report" or "") } }
location = /start { content_by_lua_block {
  ngx.timer.at(0, function() ngx.shared.said:set("report", outcome(5000)) end)
} }
location = /slow { content_by_lua_block { ngx.print(outcome(300)) } }
location = /uncaught { content_by_lua_block { sum(0) } }
location = /caught { content_by_lua_block { ngx.print(outcome(0)) } }
location = /thread { content_by_lua_block {
  local good, err = ngx.thread.wait(ngx.thread.spawn(sum, 0))
  ngx.print(tostring(good), " ", err.kind)
} }
location = /nothing { content_by_lua_block { ngx.print(select(2, pcall(scrutinizer.connect, {}))) } }
]]

local function fill(text, patch)
  local values = { OPTIONS = servers.options "retry = false", PATCH = tostring(patch) }
  return (text:gsub("@(%u+)@", values))
end

local function with_nginx(parts, run)
  local http, server = (parts.http or "") .. fill(INIT, parts.patch), SERVER .. (parts.server or "")
  servers.during(servers.nginx { http = http, server = server, main = parts.main }, run)
end

-- Whether the nginx at hand has a word in it: a directive or a module.
local function knows(word)
  return support.shell(("grep -qa %s %s && echo yes"):format(word, servers.nginx_program())) == "yes\n"
end

local function lines_with(text, part)
  return select(2, text:gsub(part:gsub("%p", "%%%0"), ""))
end

describe("turns in nginx", function()
  support.clean_for_each()

  -- Debian's nginx goes both ways (and warns of each ngx.sleep(0)). On OpenResty the way by timers loses turns, and is then given up.
  for _, patch in ipairs { true, false } do
    it(patch and "go by delayed events, without a timer for each" or "go by timers where nginx has no delayed events", function()
      with_nginx({ patch = patch }, function(server)
        server:burst(3, "/rows?n=" .. ROWS .. "&[1-3]", 0.2)
        local pings = 0
        for _ = 1, 600 do
          assert.equal(200, (select(2, server:get "/up")))
          pings = pings + 1
          if lines_with(server:given(), ("%d %.0f"):format(ROWS, SUM)) == 3 then break end
        end
        assert.is_true(pings > 3, pings .. " pings")
        local text = server:get("/rows?n=" .. ROWS)
        local rows, total, timers, zero_sleeps = text:match "^(%d+) (%d+) (%d+) (%d+)$"
        assert.same({ tostring(ROWS), ("%.0f"):format(SUM) }, { rows, total }, text)
        timers, zero_sleeps = tonumber(timers), tonumber(zero_sleeps)
        if patch then
          assert.is_true(zero_sleeps > 10 and timers <= 2, text)
        else
          assert.is_true(zero_sleeps == 0 and (timers >= 2 or knows "ngx_posted_delayed_events"), text)
        end
      end)
    end)
  end

  it("choose what the nginx at hand has", function()
    with_nginx({}, function(server)
      local zero_sleeps = server:get("/rows?n=" .. ROWS):match "(%d+)$"
      assert.equal(knows "ngx_posted_delayed_events", tonumber(zero_sleeps) > 0)
      assert.equal("", server:log())
    end)
  end)

  it("go on quietly when no timer may run", function()
    local http = [[
      lua_max_running_timers 2;
      init_worker_by_lua_block { for _ = 1, 2 do ngx.timer.at(0, function() ngx.sleep(600) end) end } ]]
    with_nginx({ http = http }, function(server)
      assert.matches(("^%d %.0f "):format(ROWS, SUM), (server:get("/rows?n=" .. ROWS)))
      local alerts = lines_with(server:log(), "lua_max_running_timers are not enough")
      assert.is_true(alerts >= 1 and alerts <= 3, alerts .. " alerts")
      support.shell(("kill -9 %d"):format(server:worker())) -- its timers would hold it up
    end)
  end)
end)

describe("an nginx worker that ends", function()
  support.clean_for_each()

  it("cancels the reports of its timers, and answers its clients", function()
    with_nginx({}, function(server)
      support.faults { { kind = "drip", bytes_per_second = 100000, after_bytes = 5000, times = 2 } }
      local worker = server:worker()
      server:get "/start"
      server:burst(1, "/slow?[1-1]", 1)
      support.shell(("kill -HUP %d"):format(server.pid))
      local said
      for _ = 1, 30 do
        said = server:get "/said"
        if said ~= "" then break end
        support.shell "sleep 0.1"
      end
      assert.matches("^cancelled: the nginx worker is ending %(reload or stop%)", said)
      assert.equal("", server:given())
      for _ = 1, 600 do
        if support.shell(("kill -0 %d 2>/dev/null && echo there"):format(worker)) == "" then break end
        support.shell "sleep 0.1"
      end
      assert.equal("300 45150", server:given())
      assert.equal("", support.shell(("kill -0 %d 2>/dev/null && echo there"):format(worker)))
      assert.equal("", server:log())
    end)
  end)
end)

describe("nginx's error log", function()
  support.clean_for_each()

  it("has the text of an error that nobody catches, once, and of no other", function()
    with_nginx({}, function(server)
      local text = server:get "/caught"
      assert.matches("^api: ", text)
      assert.equal("", server:log())
      assert.equal(500, (select(2, server:get "/uncaught")))
      assert.equal(1, lines_with(server:log(), "scrutinizer: " .. text), server:log())
      assert.equal("false api", (server:get "/thread"))
    end)
  end)

  it("is not needed to learn why an environment variable is not seen", function()
    with_nginx({}, function(server)
      assert.is_not_nil((server:get "/nothing"):find("env SCRUTINIZER_URL;", 1, true))
    end)
  end)
end)

describe("newer parts of nginx's Lua modules", function()
  support.clean_for_each()

  it("wait, where nginx has them: the precontent phase, the stream subsystem", function()
    local server, main, port = "", "", servers.port()
    if knows "precontent_by_lua_block" then
      server = "location = /precontent { precontent_by_lua_block { ngx.ctx.said = outcome(2000) } content_by_lua_block { ngx.print(ngx.ctx.said) } }"
    end
    if knows "ngx_stream_lua_module" then
      local here = servers.here
      main = ([[stream {
        lua_package_path "%s/lua/?.lua;%s/lua/?/init.lua;;";
        lua_package_cpath "%s;;";]]):format(here, here, servers.core("luajit", "nginx")) .. fill(INIT):gsub("said 1m", "stream_said 1m") .. ([[
        server { listen 127.0.0.1:%d; content_by_lua_block { ngx.print(outcome(2000)) } } }]]):format(port)
    end
    with_nginx({ server = server, main = main }, function(one)
      if server ~= "" then assert.equal("2000 2001000", (one:get "/precontent")) end
      if main ~= "" then
        assert.equal("2000 2001000", support.shell(("bash -c 'exec 3<>/dev/tcp/127.0.0.1/%d; cat <&3'"):format(port)))
      end
      assert.equal("", one:log())
    end)
  end)
end)
