-- Where a redirect may lead: https on the same host, nothing else; and what is sent again, counted by a server. More of what travels over the
-- network is in fault_matrix_spec and report_e2e_spec.
local url_parts = require "scrutinizer.transport.url"
local redirect = require "scrutinizer.transport.redirect"
local support = require "spec.support"

local function endpoint(url) return assert(url_parts.split(url)) end

local function target(url, location)
  local found, other = redirect.target(endpoint(url), location)
  return found and url_parts.join(found) or nil, other
end

local API = "/fcgi/scrut_fcgi.fcgi"

-- A client and an exchange, as far as redirects know them.
local function client_at(url)
  local events = {}
  local client = { url = url, events = events, _options = { endpoint = endpoint(url), on_event = function(event) events[#events + 1] = event end } }
  return client
end

describe("a redirect", function()
  it("to https on the same host is followed with the client's own path", function()
    for _, case in ipairs {
      { "http://a.example" .. API, "https://a.example" .. API, "https://a.example" .. API },
      { "http://a.example" .. API, "https://A.Example/", "https://a.example" .. API },
      { "http://a.example" .. API, "https://a.example", "https://a.example" .. API },
      { "http://a.example:8080" .. API, "https://a.example:8443/", "https://a.example:8443" .. API },
      { "https://a.example" .. API, "https://a.example:8443" .. API, "https://a.example:8443" .. API },
      { "https://a.example" .. API, "/", "https://a.example" .. API },
      { "https://a.example" .. API, "//a.example/?x", "https://a.example" .. API },
      { "http://[2001:db8::1]" .. API, "https://[2001:DB8::1]/", "https://[2001:db8::1]" .. API },
      { "http://a.example" .. API, "https://a.example/new/api?authToken=x", "https://a.example" .. API, "/new/api" },
    } do
      local found, other = target(case[1], case[2])
      assert.equal(case[3], found)
      assert.equal(case[4], other)
    end
  end)

  it("to anywhere else is not", function()
    for _, location in ipairs {
      "https://b.example" .. API, "http://a.example" .. API, "https://a.example.evil.example/", "https://user@a.example/",
      "https://a.example@b.example/", "ftp://a.example/", "//b.example/", "javascript:alert(1)", "", "https://", "/login",
      "https://a.example/login", "https://a.example:443/login",
    } do
      assert.is_nil((target("https://a.example" .. API, location)), location)
    end
    assert.is_nil((redirect.target(endpoint("https://a.example" .. API), nil)))
    assert.is_nil((target("http://a.example" .. API, "http://a.example/")))
    assert.is_nil((target("http://a.example" .. API, "/")))
  end)

  it("is 301, 302, 303, 307 or 308, and nothing else", function()
    local statuses = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }
    for status = 100, 599 do assert.equal(statuses[status] or false, redirect.is { status = status, location = "/" }, status) end
  end)

  it("moves the client for good; after a 404 there the path that it named is tried", function()
    local client, exchange = client_at("http://a.example" .. API), {}
    assert.is_true(redirect.move(client, { status = 302, location = "https://a.example/moved/api" }, exchange))
    assert.equal("https://a.example" .. API, client.url)
    assert.is_true(redirect.move(client, { status = 404 }, exchange))
    assert.equal("https://a.example/moved/api", client.url)
    assert.is_false(redirect.move(client, { status = 404 }, exchange))
    assert.same({ { type = "redirect", url = "https://a.example" .. API, status = 302 },
      { type = "redirect", url = "https://a.example/moved/api", status = 404 } }, client.events)
    assert.is_false(redirect.move(client_at("https://a.example" .. API), { status = 404 }, {}))
  end)

  it("in a circle ends", function()
    local client, exchange = client_at("https://a.example" .. API), {}
    assert.is_true(redirect.move(client, { status = 302, location = "/" }, exchange))
    assert.is_false(redirect.move(client, { status = 302, location = "/" }, exchange))
    client, exchange = client_at("https://a.example:1" .. API), {}
    local moves = 0
    while redirect.move(client, { status = 302, location = ("https://a.example:%d/"):format(moves % 2 + 2) }, exchange) do moves = moves + 1 end
    assert.equal(3, moves)
  end)

  it("names its target in the error, without the query, on one line", function()
    local err = redirect.error { status = 302, location = "https://b.example/x\27[31m?authToken=abc" }
    assert.equal("the appliance redirects (HTTP 302) to https://b.example/x\\x1B[31m: "
      .. "this redirect is not followed; set url to the appliance's real address",
      err.message)
    assert.same({ "http", 302, false }, { err.kind, err.status, err.retryable })
  end)

  it("is one by five statuses only, also without a target", function()
    local found = {}
    for status = 300, 399 do
      if redirect.is { status = status } then found[#found + 1] = status end
    end
    assert.same({ 301, 302, 303, 307, 308 }, found)
    assert.equal("the appliance redirects (HTTP 302) without a target: this redirect is not followed; set url to the appliance's real address",
      redirect.error({ status = 302 }).message)
  end)
end)

-- What is sent again, and why: the table that README has. A server counts.
--
-- Brothers that were looked for: the GET without fields before a token goes over http (report_e2e_spec); a 404 behind a redirect that named
-- another path (above); libcurl, which repeats what a kept connection loses (writes go over a new one: retry_spec); statuses that are no
-- redirect (below); writes by client:call and in method GET (below).
describe("behind a redirect", function()
  local serial, http_port = 0, nil
  local STATUSES = { 301, 302, 303, 307, 308 }
  local box = support.sandbox()

  local function http_url()
    http_port = http_port or support.shell(("curl -sS --cacert %s %s/sandbox/ready"):format(box.ca, box.url)):match '"http_port":(%d+)'
    return "http://127.0.0.1:" .. http_port
  end

  -- Where the redirect leads: whether a read, and a write by status, is sent again; the kind where it is not; where it begins.
  local ALL = { [301] = true, [302] = true, [303] = true, [307] = true, [308] = true }
  local NEVER = {}
  local NOT_DONE = { [307] = true, [308] = true }
  local TARGETS = {
    { "from http to https", from = "http", location = box.url .. "/fcgi/scrut_fcgi.fcgi", read = ALL,
      write = { [301] = true, [302] = true, [307] = true, [308] = true } },
    { "from http to https, the path lost", from = "http", location = box.url .. "/", read = ALL,
      write = { [301] = true, [302] = true, [307] = true, [308] = true } },
    { "to the very same URL", location = box.url .. "/fcgi/scrut_fcgi.fcgi", read = ALL, write = NOT_DONE },
    { "to the very same page", location = "/fcgi/scrut_fcgi.fcgi", read = ALL, write = NOT_DONE },
    { "to /", location = "/", read = ALL, write = NOT_DONE },
    { "to another path", location = "/login.html", read = NEVER, write = NEVER },
    { "to another host", location = "https://elsewhere.example/fcgi/scrut_fcgi.fcgi", read = NEVER, write = NEVER },
    { "to http", location = "http://127.0.0.1:1/", read = NEVER, write = NEVER },
    { "without a target", read = NEVER, write = NEVER },
  }

  local function fault(status, location)
    return { kind = "status", status = status, body = "moved", headers = { Location = location } }
  end

  -- Requests with a form, by where they arrived.
  local function count()
    local seen = { http = 0, https = 0 }
    for _, entry in ipairs(support.log()) do
      if next(entry.fields or {}) then seen[entry.scheme] = seen[entry.scheme] + 1 end
    end
    return seen
  end

  local function prepare(place, status)
    support.clear()
    support.switches { http = "serve" }
    local first = place.from == "http" and { kind = "none" } or nil -- the GET without fields
    support.faults { first or fault(status, place.location), first and fault(status, place.location) }
    return support.connect { url = place.from == "http" and http_url() or nil, allow_http = true }
  end

  local OPERATIONS = {
    read = function(client) return client:report("host2host"):between(1795341600, 1795342800):limit(3):fetch() end,
    write = function(client)
      serial = serial + 1
      local made, err = client.users:create { { name = "moved" .. serial, password = "a secret" } }
      return made and made[1].id and made, err
    end,
  }

  local function expect(place, status, operation)
    local client = prepare(place, status)
    local value, err = OPERATIONS[operation](client)
    client:close()
    local again, seen = place[operation][status], count()
    local what = ("%d %s, %s"):format(status, place[1], operation)
    if again then
      assert.is_nil(err, what .. ": " .. tostring(err))
      assert.is_table(value, what)
    else
      assert.is_nil(value, what)
      assert.same({ "http", status, false }, { err.kind, err.status, err.retryable }, what)
      local words = operation == "read" and "this redirect is not followed" or status == 303 and "the write was executed and is not sent again"
        or NOT_DONE[status] and "this redirect is not followed" or "unknown whether the write was executed, so it is not sent again"
      assert.truthy(err.message:find(words, 1, true), what .. ": " .. err.message)
    end
    local over_http = place.from == "http" and 1 or 0
    assert.same({ http = over_http, https = 1 - over_http + (again and 1 or 0) }, seen, what)
  end

  teardown(function()
    support.reset "accounts"
    support.clear()
  end)

  local few = os.getenv "SANDBOX_CHECKED" or support.sanitized -- the same on every Lua
  for i, place in ipairs(TARGETS) do
    for j, status in ipairs(STATUSES) do
      if not few or (i + j) % 4 == 0 then
        it(("%d %s reads and writes are sent again as the table says"):format(status, place[1]), function()
          expect(place, status, "read")
          expect(place, status, "write")
        end)
      end
    end
  end

  it("a write is sent at most once more, though each answer says that it was not done", function()
    support.clear()
    local loop = fault(307, "/")
    loop.times = 0
    support.faults { loop }
    local client = support.connect()
    local made, err = OPERATIONS.write(client)
    assert.is_nil(made)
    assert.same({ "http", 307 }, { err.kind, err.status })
    assert.same({ http = 0, https = 2 }, count())
    client:close()
  end)

  it("client:call, writes in method GET and in multipart are writes", function()
    for _, how in ipairs { { method = "POST" }, { method = "GET" }, { encoding = "multipart" } } do
      support.clear()
      support.faults { fault(303, "/") }
      local client = support.connect(how)
      local value, err = client:call { rm = "licensing" }
      client:close()
      assert.is_nil(value)
      assert.matches("the write was executed", err.message)
      assert.same({ http = 0, https = 1 }, count())
    end
  end)

  it("another status with a Location is none: nothing is sent again", function()
    for _, status in ipairs { 300, 305, 201 } do
      support.clear()
      support.faults { fault(status, "/") }
      local client = support.connect()
      local _, err = OPERATIONS.read(client)
      client:close()
      assert.same({ "http", status }, { err.kind, err.status })
      assert.matches("answers with HTTP status " .. status, err.message)
      assert.same({ http = 0, https = 1 }, count())
    end
  end)
end)
