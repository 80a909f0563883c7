-- Ways to the appliance that are libcurl's: proxies, IPv6 literals, unix sockets.
local python_server = require "spec.python_server"
local support = require "spec.support"

local FROM, TO = 1795341600, 1795342800
local dir, pipe, http, closed, socks
local box = support.sandbox()
local port = box.url:match ":(%d+)$"

local function read(name) return support.read(dir .. "/" .. name) end

-- The lines of the proxies' log since the last call.
local function log()
  local text = read "log"
  assert(io.open(dir .. "/log", "w")):close()
  return text
end

local function rows(options)
  local client = support.connect(options)
  local report, err = client:report("host2host"):between(FROM, TO):limit(3):fetch()
  client:close()
  return report and #report.rows, err
end

describe("a route", function()
  setup(function()
    support.clear()
    dir = support.folder()
    local line
    pipe, line = python_server.start("proxy", ("%s/log %s/socket %s"):format(dir, dir, port))
    http, closed, socks = line:match "(%d+) (%d+) (%d+)"
  end)
  teardown(function()
    pipe:close()
    support.shell("rm -rf " .. dir)
  end)
  before_each(log)
  after_each(function() assert.same({}, support.violations()) end)

  it("through an HTTP proxy is a tunnel: it sees host and port, and no more", function()
    assert.equal(3, rows { proxy = "http://127.0.0.1:" .. http })
    assert.equal(("CONNECT 127.0.0.1:%s\n"):format(port), log())
  end)

  it("through one that wants a password uses the one given, and shows it nowhere", function()
    assert.equal(3, rows { proxy = "http://user:secret@127.0.0.1:" .. closed })
    log()
    local seen = {}
    local got, err = rows {
      proxy = "http://user:wrongword@127.0.0.1:" .. closed, retry = { attempts = 2, base = 0.001, cap = 0.002 },
      on_event = function(event)
        for _, value in pairs(event) do seen[#seen + 1] = tostring(value) end
      end,
    }
    assert.is_nil(got)
    assert.same({ "auth", 407, false }, { err.kind, err.status, err.retryable })
    assert.matches("the proxy answers CONNECT with HTTP status 407.*proxy = \"http://user:password@", err.message)
    assert.equal(("CONNECT 127.0.0.1:%s\n"):format(port), log()) -- a wrong password goes out once
    local all = table.concat(seen, " ") .. err.message .. tostring(err)
    assert.is_nil(all:find("wrongword", 1, true))
    assert.is_nil(all:find(box.token, 1, true))
  end)

  it("through a SOCKS5 proxy has names looked up here, or there", function()
    assert.equal(3, rows { proxy = "socks5://127.0.0.1:" .. socks })
    assert.equal(("SOCKS 127.0.0.1:%s\n"):format(port), log())
    assert.equal(3, rows { url = "https://localhost:" .. port, proxy = "socks5h://127.0.0.1:" .. socks })
    assert.equal(("SOCKS localhost:%s\n"):format(port), log())
  end)

  -- What the proxy says to the next requests.
  local function mood(words)
    support.write(dir .. "/log.mood", words)
  end

  local AGAIN = { attempts = 3, base = 0.001, cap = 0.002 }

  -- The proxy says no to every request: kind, status, words, and how often it is asked.
  local function refused(options, word, kind, status, words, times)
    mood((word .. " "):rep(5))
    options.retry = AGAIN
    local got, err = rows(options)
    mood ""
    assert.is_nil(got)
    assert.same({ kind, status, times > 1 }, { err.kind, err.status, err.retryable }, tostring(err))
    assert.truthy(err.message:find(words, 1, true), err.message)
    local _, count = log():gsub("\n", "")
    assert.equal(times, count, word)
    assert.is_nil(err.message:find(box.token, 1, true))
  end

  it("through a proxy that answers CONNECT with another status says that it was the proxy, and comes again where that may help", function()
    local FAR = "cannot reach the appliance"
    for _, case in ipairs {
      { "407", "auth", "set its user name and password", 1 }, { "401", "connect", "does not allow this client", 1 },
      { "403", "connect", "does not allow this client", 1 }, { "302", "connect", "it redirects", 1 },
      { "400", "connect", FAR, 1 },
      { "500", "connect", FAR, 1 }, { "502", "connect", FAR, 3 }, { "503", "connect", FAR, 3 },
      { "504", "connect", FAR, 3 }, { "429", "connect", FAR, 3 },
    } do
      local words = ("the proxy answers CONNECT with HTTP status %s (127.0.0.1:%s): "):format(case[1], port)
      refused({ proxy = "http://127.0.0.1:" .. http }, case[1], case[2], tonumber(case[1]), words, case[4])
      refused({ proxy = "http://127.0.0.1:" .. http }, case[1], case[2], tonumber(case[1]), case[3], case[4])
    end
    mood "502 ok"
    assert.equal(3, rows { proxy = "http://127.0.0.1:" .. http, retry = AGAIN })
  end)

  it("through a SOCKS5 proxy that refuses says so, and comes again where that may help", function()
    local proxy = "socks5://user:wrongword@127.0.0.1:" .. socks
    for _, case in ipairs {
      { "none", "auth", "the proxy refuses this client: ", 1 }, { "wrong", "auth", "proxy = \"socks5://user:password@", 1 },
      { "2", "connect", "the proxy forbids this connection: ", 1 }, { "7", "connect", "the proxy forbids this connection: ", 1 },
      { "1", "connect", "the proxy failed: ", 3 }, { "3", "connect", "the proxy failed: ", 3 }, { "4", "connect", "the proxy failed: ", 3 },
      { "5", "connect", "the proxy failed: ", 3 },
    } do
      refused({ proxy = proxy }, case[1], case[2], nil, case[3], case[4])
    end
  end)

  it("of plain http through a proxy: its own statuses are told from the appliance's as far as that can be", function()
    support.switches { http = "serve" }
    local plain = support.shell(("curl -sS --cacert %s %s/sandbox/ready"):format(box.ca, box.url)):match '"http_port":(%d+)'
    local function options(of) return { url = "http://127.0.0.1:" .. plain, allow_http = true, proxy = "http://127.0.0.1:" .. (of or http) } end
    assert.equal(3, rows(options()))
    assert.matches("^GET http://127%.0%.0%.1:%d+/fcgi/scrut_fcgi%.fcgi\nPOST http://", log())
    refused(options(), "407", "auth", 407, 'the proxy answers with HTTP status 407: set its user name and password: proxy = "http:', 1)
    refused(options(closed), "407", "auth", 407, "the proxy answers with HTTP status 407", 1)
    refused(options(), "502", "http", 502, "the appliance, or the proxy in front of it, answers with HTTP status 502", 3)
    refused(options(), "302", "http", 302, "the appliance, or the proxy in front of it, redirects (HTTP 302) to http://login.example/", 1)
    for _, words in ipairs { "ok 407", "ok 403" } do -- behind the GET without fields
      mood(words)
      local got, err = rows(options())
      assert.is_nil(got)
      assert.same({ "auth", tonumber(words:match "%d+") }, { err.kind, err.status })
      assert.matches("the proxy", err.message)
      log()
    end
  end)

  it("of plain http: an error before the appliance has answered sends no token", function()
    support.switches { http = "serve" }
    local plain = support.shell(("curl -sS --cacert %s %s/sandbox/ready"):format(box.ca, box.url)):match '"http_port":(%d+)'
    for _, status in ipairs { 407, 429, 502, 503, 504 } do
      mood(tostring(status))
      local warnings = 0
      local got, err = rows {
        url = "http://127.0.0.1:" .. plain, allow_http = true, proxy = "http://127.0.0.1:" .. http,
        on_event = function(event) if event.type == "warning" then warnings = warnings + 1 end end,
      }
      assert.is_nil(got)
      assert.equal(status, err.status)
      assert.equal(0, warnings)
      assert.matches("^GET [^\n]*\n$", log())
    end
  end)

  it("through a proxy that is not there is connect", function()
    for _, scheme in ipairs { "http", "socks5" } do
      local got, err = rows { proxy = scheme .. "://127.0.0.1:1" }
      assert.is_nil(got)
      assert.equal("connect", err.kind, tostring(err))
      assert.is_true(err.retryable)
    end
  end)

  it("through a malformed proxy of the environment is connect, tried once, without its password", function()
    local script = os.tmpname()
    support.write(script, [[
      local events = 0
      local client = assert(require("scrutinizer").connect { url = "https://192.0.2.1", token = "secret-token",
        on_event = function(event) if event.type == "retry" then events = events + 1 end end })
      local _, err = client:ping()
      io.write(err.kind, " ", tostring(err.retryable), " ", events, " ", err.message)]])
    for _, proxy in ipairs { "http://u:proxyword@h:1:bad", "ftp://u:proxyword@h:1", "http://u:proxyword@h:99999" } do
      local said = support.shell(("https_proxy=%s %s %s 2>&1"):format(support.quote(proxy), support.lua, script))
      assert.matches("^connect false 0 the proxy from the environment is not a URL such as ", said)
      assert.is_nil(said:find("proxyword", 1, true))
    end
    os.remove(script)
  end)

  it("over a unix socket is one, the certificate held against the URL's name", function()
    assert.equal(3, rows { unix_socket = dir .. "/socket" })
    assert.equal(3, rows { url = "https://localhost", unix_socket = dir .. "/socket" })
    local got, err = rows { url = "https://elsewhere.example", unix_socket = dir .. "/socket" }
    assert.is_nil(got)
    assert.equal("tls", err.kind)
    assert.matches("for another name", err.message)
    got, err = rows { unix_socket = dir .. "/nothing" }
    assert.is_nil(got)
    assert.equal("connect", err.kind)
  end)

  -- Where the machine has IPv6 on its loopback.
  local six = support.shell("grep -s '^0*1 ' /proc/net/if_inet6") ~= ""
  it("to an IPv6 literal " .. (six and "is one" or "is refused where there is no IPv6"), function()
    local got, err = rows { url = ("https://[::1]:%s"):format(port) }
    if six then
      assert.equal(3, got, tostring(err))
    else
      assert.equal("connect", err.kind)
    end
    assert.equal("connect", select(2, rows { url = "https://[::1]:1" }).kind)
  end)
end)
