-- Where a redirect may lead: https on the same host, nothing else. What travels over the network is in fault_matrix_spec and report_e2e_spec.
local options = require "scrutinizer.options"
local redirect = require "scrutinizer.redirect"

local function endpoint(url) return assert(options.split_url(url)) end

local function target(url, location)
  local found, other = redirect.target(endpoint(url), location)
  return found and options.join_url(found) or nil, other
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
      "https://a.example/login",
    } do
      assert.is_nil((target("https://a.example" .. API, location)), location)
    end
    assert.is_nil((redirect.target(endpoint("https://a.example" .. API), nil)))
    assert.is_nil((target("http://a.example" .. API, "http://a.example/")))
    assert.is_nil((target("http://a.example" .. API, "/")))
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
    assert.equal("the appliance redirects (HTTP 302) to https://b.example/x\\x1B[31m: not https on the same host; connect to where it really is",
      err.message)
    assert.same({ "http", 302, false }, { err.kind, err.status, err.retryable })
  end)
end)
