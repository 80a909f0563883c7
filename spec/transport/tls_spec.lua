-- Certificates that are wrong in one way each: the words, the option that answers it, the certificate as the server shows it, and that nothing
-- of the request was sent.
local python_server = require "spec.python_server"
local support = require "spec.support"

local dir, pipe
local ports = {}
local TOKEN = "tls-spec-token"

local function read(name) return support.read(dir .. "/" .. name) end

local function pin_of(name) return "sha256//" .. read(name .. ".pin"):gsub("%s", "") end

local function start()
  dir = support.certificates()
  local line
  pipe, line = python_server.start("tls_server", dir)
  for name, port in line:gmatch "(%w+) (%d+)" do ports[name] = port end
end

-- Asks the server of a name. Gives the report, or nil and err.
local function ask(name, tls, more)
  local options = { url = "https://127.0.0.1:" .. ports[name], token = TOKEN, tls = tls or { ca_file = dir .. "/ca.pem" } }
  for key, value in pairs(more or {}) do options[key] = value end
  local client = support.connect(options)
  local report, err = client:report("host2host"):range("LastHour"):fetch()
  client:close()
  return report, err
end

-- Bytes that each connection to the server has sent behind its handshake.
local function received(name)
  local list = {}
  for who, bytes in read("received"):gmatch "(%w+) (%d+)\n" do
    if who == name then list[#list + 1] = tonumber(bytes) end
  end
  return list
end

local function refused(name, tls, ...)
  local before = #received(name)
  local report, err = ask(name, tls)
  assert.is_nil(report)
  assert.equal("tls", err.kind, tostring(err))
  assert.is_false(err.retryable)
  for _, pattern in ipairs { ... } do assert.matches(pattern, err.message) end
  assert.is_nil(err.message:find(TOKEN, 1, true))
  assert.is_nil(err.message:find("[%z\1-\31\127]"))
  local connections = received(name)
  for _ = 1, 50 do -- told when a connection is over
    if #connections > before then break end
    support.shell "sleep 0.02"
    connections = received(name)
  end
  for i = before + 1, #connections do assert.equal(0, connections[i]) end
  return err
end

describe("a handshake", function()
  setup(start)
  teardown(function()
    pipe:close()
    support.shell("rm -rf " .. dir)
  end)

  it("with the right certificate is one, and the report comes", function()
    local report, err = ask "good"
    assert.is_nil(err)
    assert.equal(0, #report.rows)
    assert.is_true(received("good")[1] > 100)
  end)

  it("with an expired certificate is refused", function()
    local err = refused("expired", nil, "has expired", "renew it", "subject CN = expired; issuer CN = the right authority",
      "valid from Jan  1 00:00:00 2020 GMT to Jan  1 00:00:00 2021 GMT", "pin sha256//[%w+/]+=")
    assert.matches("2021", err.certificate.to)
  end)

  it("with one that is not yet valid is refused", function()
    refused("future", nil, "not yet valid", "clocks", "valid from Jan  1 00:00:00 2049 GMT")
  end)

  it("with one for another name is refused", function()
    refused("elsewhere", nil, "for another name", "resolve =", "subject CN = elsewhere")
  end)

  it("with one that is signed by itself is refused, and says what to copy", function()
    local err = refused("selfsigned", nil, "self%-signed", "tls%.ca_file", "subject CN = selfsigned; issuer CN = selfsigned")
    assert.truthy(err.message:find(('tls = { verify = false, pin = "%s" }'):format(pin_of "selfsigned"), 1, true), err.message)
    assert.equal(pin_of "selfsigned", err.certificate.pin)
    assert.is_table((ask("selfsigned", { ca_file = dir .. "/selfsigned.pem" })))
    assert.is_table((ask("selfsigned", { verify = false, pin = err.certificate.pin })))
  end)

  it("with one of an unknown authority is refused", function()
    refused("stranger", nil, "unknown authority", "tls%.ca_file", "issuer CN = another authority")
    assert.is_table((ask("stranger", { ca_blob = read "other.pem" })))
  end)

  -- A chain: which certificate is at fault, by subject, dates and place; never the server's own when that is right.
  it("with a whole chain is one", function() assert.is_table((ask "whole")) end)

  it("with an authority in between that has expired, or is not yet valid, names that one", function()
    local err = refused("midover", nil, "a certificate above the server's own has expired", "number 2 of the 2 that the server sent",
      "subject CN = between over; issuer CN = the right authority", "valid from Jan  1 00:00:00 2020 GMT to Jan  1 00:00:00 2021 GMT", "renew it")
    assert.same({ "CN = between over", 2, "Jan  1 00:00:00 2021 GMT" }, { err.certificate.subject, err.place, err.certificate.to })
    assert.is_nil(err.message:find("subject CN = midover", 1, true))
    -- What the pin is of: the server's own key, so that it can be gone by.
    assert.is_table((ask("midover", { verify = false, pin = err.certificate.pin })))
    err = refused("midearly", nil, "a certificate above the server's own is not yet valid", "number 2 of the 2 that the server sent",
      "subject CN = between early", "valid from Jan  1 00:00:00 2049 GMT")
    assert.equal(2, err.place)
  end)

  it("without the authority in between says whose certificate is missing", function()
    local err = refused("missing", nil, "unknown authority, and the server does not send that authority's certificate",
      "subject CN = missing; issuer CN = between right", "tls%.ca_file")
    assert.equal(1, err.place)
    support.shell(("cat %s/ca.pem %s/right.pem >%s/both.pem"):format(dir, dir, dir))
    assert.is_table((ask("missing", { ca_file = dir .. "/both.pem" })))
  end)

  it("of a chain that ends in an unknown authority's own certificate names that", function()
    local err = refused("strangeroot", nil, "a certificate above the server's own is self%-signed", "number 3 of the 3 that the server sent",
      "subject CN = another authority; issuer CN = another authority", "tls%.ca_file")
    assert.equal(3, err.place)
    assert.is_table((ask("strangeroot", { ca_file = dir .. "/other.pem" })))
  end)

  it("where the authority in tls.ca_file has expired blames none that the server sent", function()
    local err = refused("oldroot", { ca_file = dir .. "/old.pem" }, "a CA certificate on this host, above the server's own, has expired",
      "the server sent no certificate that is at fault; its own certificate: subject CN = oldroot; issuer CN = the old authority")
    assert.same({ "CN = oldroot", 0 }, { err.certificate.subject, err.place })
  end)

  it("by authorities that are no certificates at all names the option and the file", function()
    local path = dir .. "/broken.pem"
    support.shell(("printf -- '-----BEGIN CERTIFICATE-----\\nMAMCAQA=\\n-----END CERTIFICATE-----\\n' >%s"):format(path))
    local _, err = ask("good", { ca_file = path })
    assert.equal("tls", err.kind)
    assert.truthy(err.message:find(("check tls.ca_file (%s): PEM certificates are required"):format(path), 1, true), err.message)
    assert.is_nil(err.certificate)
    _, err = ask("good", { ca_blob = read "broken.pem" })
    assert.matches("check tls%.ca_blob: PEM", err.message)
  end)

  it("takes CA, certificate and key with a byte order mark, CRLF, and words before them", function()
    for _, name in ipairs { "ca.pem", "client.pem", "client.key" } do
      local text = "\239\187\191" .. read(name):gsub("\n", "\r\n")
      support.write(dir .. "/marked." .. name, text)
    end
    local own = { ca_file = dir .. "/marked.ca.pem", cert = dir .. "/marked.client.pem", key = dir .. "/marked.client.key" }
    assert.is_table((ask("mutual", own)))
    assert.is_table((ask("good", { ca_blob = read "marked.ca.pem" })))
    assert.is_table((ask("good", { ca_blob = "the authority of the appliance:\n" .. read "ca.pem" })))
  end)

  it("with a weak key is refused", function()
    refused("weak", nil, "key that is too weak", "RSA 2048", "subject CN = weak")
  end)

  it("in TLS 1.0 only is refused", function()
    refused("old", nil, "TLS", "enable TLS 1%.2 or 1%.3")
  end)

  it("with another key than the pin's is refused, whether the chain is verified or not", function()
    local wrong = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    for _, verify in ipairs { true, false } do
      local err = refused("good", { ca_file = dir .. "/ca.pem", verify = verify, pin = wrong }, "does not match tls%.pin",
      "set tls.pin to the new pin")
      assert.truthy(err.message:find("pin " .. pin_of "good", 1, true), err.message)
    end
    assert.is_table((ask("good", { ca_file = dir .. "/ca.pem", pin = pin_of "good" })))
  end)

  it("without the client certificate that the server wants is refused", function()
    refused("mutual", nil, "client certificate", "tls%.cert", "subject CN = good")
    refused("mutual", { ca_file = dir .. "/ca.pem", cert = dir .. "/intruder.pem", key = dir .. "/intruder.key" }, "client certificate", "tls%.cert")
    local own = { ca_file = dir .. "/ca.pem", cert = dir .. "/client.pem", key = dir .. "/client.key" }
    assert.is_table((ask("mutual", own)))
    own.key, own.passphrase = dir .. "/locked.key", "secret"
    assert.is_table((ask("mutual", own)))
    own.passphrase = "not this one"
    local _, err = ask("mutual", own)
    assert.equal("tls", err.kind)
    assert.matches("tls%.passphrase", err.message)
    assert.is_nil(err.message:find("not this one", 1, true))
    assert.is_nil(err.certificate)
  end)

  it("shows a stranger's words as escapes", function()
    local err = refused("hostile", nil, "evil", "self%-signed")
    for _, text in pairs(err.certificate) do assert.is_nil(text:find "[%z\1-\31\127]") end
    assert.is_nil(err.message:find("\194\155", 1, true))
  end)

  it("is not verified with verify = false, which is said once", function()
    local warnings = {}
    local client = support.connect {
      url = "https://127.0.0.1:" .. ports.selfsigned, token = TOKEN, tls = { verify = false },
      on_event = function(event) if event.type == "warning" then warnings[#warnings + 1] = event.message end end,
    }
    for _ = 1, 3 do assert.is_table((client:report("host2host"):range("LastHour"):fetch())) end
    client:close()
    assert.same({ "the server's certificate is not verified (tls.verify = false): an attacker on the network path can read the token" }, warnings)
  end)

  it("with what is no TLS at all is refused", function()
    local box = support.sandbox()
    ports.plain = support.shell(("curl -sS --cacert %s %s/sandbox/ready"):format(box.ca, box.url)):match '"http_port":(%d+)'
    local _, err = ask "plain"
    assert.equal("tls", err.kind, tostring(err))
    assert.matches("does not use TLS", err.message)
  end)

  it("is refused below TLS 1.2 also where the system would allow that", function()
    local conf = assert(io.open(dir .. "/lax.cnf", "w"))
    conf:write("openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMinProtocol = TLSv1\nCipherString = ALL:@SECLEVEL=0\n")
    conf:close()
    local lax = "OPENSSL_CONF=" .. support.quote(dir .. "/lax.cnf") .. " "
    local url = "https://127.0.0.1:" .. ports.old
    -- Others get in: it is we who do not.
    local said = support.shell(lax .. ("curl -sS --noproxy '*' --tlsv1.0 --cacert %s/ca.pem -d data_requested=1 %s 2>&1"):format(dir, url))
    assert.matches('^{"report":', said)
    local program = ([[
      local client = require("scrutinizer").connect { url = %q, token = %q, retry = false, tls = { ca_file = %q } }
      local report, err = client:report("host2host"):range("LastHour"):fetch()
      print(report, err and err.kind, err and err.message)
    ]]):format(url, TOKEN, dir .. "/ca.pem")
    said = support.shell(lax .. support.lua .. " -e " .. support.quote(program) .. " 2>&1")
    assert.matches("^nil\ttls\t.*protocol", said)
    assert.equal(0, received("old")[#received "old"])
  end)
end)
