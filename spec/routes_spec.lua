-- Ways to the appliance that are libcurl's: proxies, IPv6 literals, unix sockets.
local support = require "spec.support"

local FROM, TO = 1795341600, 1795342800
local dir, pipe, http, closed, socks
local box = support.sandbox()
local port = box.url:match ":(%d+)$"

local function read(name)
  local file = io.open(dir .. "/" .. name)
  local text = file and file:read "*a" or ""
  if file then file:close() end
  return text
end

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
    dir = support.shell("mktemp -d"):gsub("%s", "")
    pipe = assert(io.popen(("python3 spec/proxy.py %s/log %s/socket %s >%s/ports"):format(dir, dir, port, dir), "w"))
    for _ = 1, 200 do
      http, closed, socks = read("ports"):match "(%d+) (%d+) (%d+)\n"
      if http then return end
      support.shell "sleep 0.05"
    end
    error "spec/proxy.py did not start"
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
    assert.equal("connect", err.kind)
    assert.matches("407", err.message)
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

  it("through a proxy that is not there is connect", function()
    for _, scheme in ipairs { "http", "socks5" } do
      local got, err = rows { proxy = scheme .. "://127.0.0.1:1" }
      assert.is_nil(got)
      assert.equal("connect", err.kind, tostring(err))
      assert.is_true(err.retryable)
    end
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
