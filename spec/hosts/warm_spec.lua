-- client:warm(): names looked up beforehand, and nothing opened.
local support = require "spec.support"

-- The sandbox under the name localhost, with resolve or without.
local function connect(options)
  local box = support.sandbox()
  options.url = box.url:gsub("127%.0%.0%.1", "localhost")
  return support.connect(options)
end

describe("warm", function()
  before_each(function() support.clear() end)

  it("looks up the appliance's name and sends nothing", function()
    connect({}):close() -- what the module opens when it is loaded
    support.collect()
    local before = support.descriptors()
    local client = connect {}
    assert.is_true(client:warm())
    support.collect()
    assert.is_true(support.descriptors() <= before + 1) -- one may be the pipe of the count itself
    assert.same({}, support.log())
    local row, err = client:report("host2host"):between(1795341600, 1795342800):first()
    assert.is_nil(err)
    assert.is_not_nil(row)
    assert.equal(1, #support.log())
    client:close()
  end)

  it("says which name is not found", function()
    local client = support.connect { url = "https://no-such-name.invalid" }
    local good, err = client:warm()
    assert.is_nil(good)
    assert.equal("connect", err.kind)
    assert.matches("^no%-such%-name%.invalid cannot be resolved: ", err.message)
    assert.is_true(err.retryable)
    client:close()
  end)

  it("has nothing to do for addresses, sockets, and names that resolve has", function()
    for _, options in ipairs {
      { url = "https://192.0.2.7" }, { url = "https://[2001:db8::1]:8443" }, { url = "https://no-such-name.invalid", unix_socket = "/nowhere" },
      { url = "https://no-such-name.invalid:444", resolve = { ["no-such-name.invalid:444"] = "192.0.2.7" } },
      { url = "https://no-such-name.invalid", proxy = "http://192.0.2.8:3128" },
    } do
      local client = support.connect(options)
      assert.is_true(client:warm())
      client:close()
    end
  end)

  it("looks up the proxy's name where there is one", function()
    local client = support.connect { url = "https://192.0.2.7", proxy = "http://user:secret@no-such-proxy.invalid:3128" }
    local _, err = client:warm()
    assert.equal("connect", err.kind)
    assert.matches("no%-such%-proxy%.invalid", err.message)
    assert.is_nil(err.message:find("secret", 1, true))
    client:close()
  end)

  it("is refused where others are served, and when closed", function()
    local client = support.connect { wait = function() end }
    local _, err = client:warm()
    assert.equal("phase", err.kind)
    client:close()
    _, err = client:warm()
    assert.equal("cancelled", err.kind)
  end)
end)
