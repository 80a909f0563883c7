-- What connect is told: each option's right values, each misuse, and that secrets stay out of sight.
local ascii = require "scrutinizer.ascii"
local support = require "spec.support"
local scrutinizer = require "scrutinizer"

local URL = "https://scrutinizer.example.net"
local TOKEN = "Tk_1234567890abcdefghijkl"

-- Connects with these options added to a right URL and token. Not a tail call: misuse is blamed on the line that called connect.
local function connect(added)
  local all = { url = URL, token = TOKEN }
  for name, value in pairs(added) do all[name] = value end
  local client, err = scrutinizer.connect(all)
  return client, err
end

local complaint = support.complaint

-- The message of a misuse by options given to `connect` above.
local function refused(added)
  local ok, message = pcall(connect, added)
  assert.is_false(ok)
  return (message:match "options_spec%.lua:%d+: (connect: .*)$" or error("no place in: " .. message))
end

local function noop() end

local GOOD = {
  token = { TOKEN, false, noop },
  timeout = { 1, 0.5, 300 }, connect_timeout = { 1, 0.25 },
  low_speed = { {}, { bytes = 100 }, { seconds = 2.5 }, { bytes = 1, seconds = 1 } },
  tls = {
    {}, { verify = true }, { verify = false },
    { pin = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" },
    { ca_blob = "-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n" },
    { passphrase = "x" },
  },
  allow_http = { true, false }, method = { "POST", "GET" }, encoding = { "urlencoded", "multipart" }, http2 = { true, false },
  headers = {
    {}, { ["X-Trace"] = "1", Accept = "" }, { ["X-Colon"] = "a: b;c", Cookie = "a=b", ["X-Tab"] = "a\tb", ["X-Name"] = "Köln" },
    { Authorization = "Basic eDp5", Accept = "text/json", Via = "1.1 me" },
  }, proxy = {
    "http://127.0.0.1:3128", "proxy", "proxy:3128", "HTTPS://u:p@proxy.example:1/", "u:p@x@proxy", "socks5h://[::1]:1080",
    "socks4://a_b-c.d:65535", "socks4a://h", "socks5://u@h", "http://[fe80::1%25eth0]:1",
  }, unix_socket = { "/run/x.sock" },
  resolve = { {}, { ["scrutinizer.example.net:443"] = "192.0.2.7" } }, user_agent = { "mine/1" },
  retry = { false, {}, { attempts = 1 }, { attempts = 100, base = 0.1, cap = 1, deadline = 5 } },
  wait = { "auto", "poll", noop }, max_body = { 1, 2 ^ 40 }, max_depth = { 8, 4000 }, max_row = { 1 }, max_held = { 1 },
  utf8 = { "pass", "replace", "error" }, on_event = { noop },
}

-- Values that are wrong, by option; what is allowed must be said.
local BAD = {
  url = { {
    1, true, "", "a\nb", "example.net", "ftp://h", "https://", "https://h:port",
    "https://h:0", "https://h:65536", "https://h/p?q=1", "https://h/#f", "https://a b/",
  } },
  token = { { 1, true, "", {} }, "text, a function" },
  timeout = { { 0, -1, "5", 0 / 0, 1 / 0, {}, true }, "seconds, more than 0" },
  connect_timeout = { { 0, -1, "5", false }, "seconds, more than 0" },
  low_speed = { { 1, true, "x" }, "a table" },
  tls = { { 1, true, "x" }, "a table" },
  allow_http = { { 1, "yes" }, "true or false" }, http2 = { { 0, "no" }, "true or false" },
  method = { { "PUT", "get", 1, true }, '"POST", "GET"' }, encoding = { { "json", 1 }, '"urlencoded", "multipart"' },
  headers = {
    { "X: y", 1, { "X: y" }, { ["A b"] = "c" }, { A = 1 }, { A = "b\r\nEvil: 1" }, { A = "b\nc" }, { ["A:"] = "b" }, { A = "a\0b" }, { [""] = "x" },
      { ["A\tb"] = "c" }, { ["A\n"] = "c" }, { ["A;"] = "" }, { ["Ä"] = "c" }, { ["A\0"] = "c" }, { ["A(b)"] = "c" }, { A = " b" }, { A = "b " },
      { A = "b\t" }, { A = " " }, { A = "\27[31m" }, { A = "\127" }, { A = "b\rc" }, { A = true }, { A = {} } },
    "without line breaks",
  },
  proxy = {
    { 1, "", true, "a\nb", "http://u:p@h:1:bad", "ftp://h", "http://h:99999", "http://h:0", "http://h:", "http://", "http:///x", "http://u:p/w@h:1",
      "http://[::1", "http://[::1]x:1", "h h", "http://u:p@:1" }, "text such as http://host:port" },
  unix_socket = { { 1, "" }, "text" }, user_agent = { { 1, "", "a\r\nb", "a\27", " a", "a " }, "text" },
  resolve = { { 1, { "x" }, { host = "192.0.2.7" }, { ["h:443"] = 1 }, { ["h:443"] = "" } }, "192.0.2.7" },
  retry = { { true, 1, "no" }, "false, or a table" },
  wait = { { "sleep", 1, true, {} }, "function(seconds, fds)" },
  max_body = { { 0, -1, 1.5, "1", 1 / 0 }, "bytes" }, max_row = { { 0, "1" }, "bytes" }, max_held = { { 0, true }, "bytes" },
  max_depth = { { 0, 7, 4001, 8.5, "64" }, "from 8" },
  utf8 = { { "strict", 1, true }, '"pass", "replace", "error"' }, on_event = { { 1, "print", true, {} }, "a function" },
}

local BAD_MEMBERS = {
  tls = {
    ca_file = { 1, "", true }, ca_blob = { 1, "" }, verify = { 0, "no" }, pin = { 1, "", "sha1//x", "sha256/abc", "sha256//a b" },
    cert = { 1, "" }, key = { 1, "" },
    passphrase = { 1, "" },
  },
  low_speed = { bytes = { 0, 1.5, "1" }, seconds = { 0, "60" } },
  retry = { attempts = { 0, 101, 1.5, "4" }, base = { 0, "x" }, cap = { -1 }, deadline = { 0, {} } },
}

describe("connect's options", function()
  it("takes every right value", function()
    for name, values in pairs(GOOD) do
      for _, value in ipairs(values) do
        local client, err = connect { [name] = value }
        assert.is_nil(err)
        client:close()
      end
    end
  end)

  it("refuses every wrong value, names the option and says what is allowed", function()
    for name, case in pairs(BAD) do
      for _, value in ipairs(case[1]) do
        local text = refused { [name] = value }
        assert.equal(1, (text:find("connect: " .. name, 1, true)), text)
        assert.truthy(text:find("allowed: .*" .. (case[2] or ""):gsub("%p", "%%%0")), text)
      end
    end
  end)

  it("refuses every wrong member of tls, low_speed and retry by its full name", function()
    for option, members in pairs(BAD_MEMBERS) do
      for member, values in pairs(members) do
        for _, value in ipairs(values) do
          local text = refused { [option] = { [member] = value } }
          assert.equal(1, (text:find(("connect: %s.%s: got "):format(option, member), 1, true)), text)
          assert.truthy(text:find("allowed: ", 1, true), text)
        end
      end
    end
  end)

  it("blames the line that called connect", function()
    local text = complaint(function() local _ = scrutinizer.connect { url = URL, timeout = "5" } end)
    assert.equal('connect: timeout: got "5"; allowed: seconds, more than 0', text)
    assert.equal("connect: got nil; allowed: a table of options", complaint(function() local _ = scrutinizer.connect() end))
    assert.equal("connect: got 3; allowed: a table of options", complaint(function() local _ = scrutinizer.connect(3) end))
    assert.matches("^connect: url: over http://", complaint(function() local _ = scrutinizer.connect { url = "http://h" } end))
  end)

  it("knows what a misspelt option was meant to be, and lists what there is for others", function()
    for wrong, right in pairs { Timeout = "timeout", tokn = "token", conect_timeout = "connect_timeout", on_events = "on_event", URL = "url" } do
      assert.equal(('connect: unknown option %s; did you mean "%s"?'):format(wrong, right), refused { [wrong] = "s3cret" })
    end
    assert.equal('connect: unknown option tls.cafile; did you mean "tls.ca_file"?', refused { tls = { cafile = "x" } })
    assert.equal('connect: unknown option retry.atempts; did you mean "retry.attempts"?', refused { retry = { atempts = 1 } })
    assert.equal("connect: unknown option low_speed.x; allowed: bytes, seconds", refused { low_speed = { x = 1 } })
    assert.matches("^connect: unknown option elephant; allowed: allow_http, ", refused { elephant = 1 })
    assert.matches("^connect: unknown option 1; allowed: ", refused { "https://h" })
  end)

  it("refuses what contradicts", function()
    assert.equal("connect: set url or host, not both", refused { host = "h" })
    assert.equal("connect: set tls.ca_file or tls.ca_blob, not both", refused { tls = { ca_file = "x", ca_blob = "y" } })
    assert.equal('connect: encoding: "multipart" needs method = "POST"', refused { method = "GET", encoding = "multipart" })
  end)

  it("refuses headers that the client writes itself, by name, however they are spelt, and says what says them", function()
    for name, words in pairs {
      ["Accept-Encoding"] = "it asks for gzip", Host = "the host of url", ["User-Agent"] = "option user_agent",
      ["Content-Type"] = "option encoding", ["Content-Length"] = "the body",
      ["Content-Encoding"] = "the body", ["Transfer-Encoding"] = "the body", Expect = "without waiting for",
      Connection = "option http2", ["Keep-Alive"] = "option http2", ["Proxy-Connection"] = "option http2", TE = "option http2",
      Trailer = "option http2", Upgrade = "option http2",
      ["HTTP2-Settings"] = "option http2", ["Proxy-Authorization"] = "would be sent to the appliance",
    } do
      for _, spelt in ipairs { name, ascii.upper(name), ascii.lower(name) } do
        for _, value in ipairs { "s3cret", "" } do
          local text = refused { headers = { [spelt] = value } }
          assert.equal(1, (text:find(("connect: headers: the client sets %s itself: "):format(spelt), 1, true)), text)
          assert.truthy(text:find(words, 1, true), text)
          assert.is_nil(text:find("s3cret", 1, true))
        end
      end
    end
  end)

  -- A server of two requests over plain http, the second of which it prints.
  local LISTENER = [[python3 -u -c '
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1])
for _ in range(2):
    connection = listener.accept()[0]
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(1000)
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}")
print(head.split(b"\r\n\r\n")[0].decode("latin-1"))
']]

  it("sends headers as they were said, an empty one too, and its own once", function()
    local pipe = assert(io.popen(LISTENER))
    local client = connect {
      url = "http://127.0.0.1:" .. pipe:read "*l", allow_http = true, user_agent = "spec/1",
      headers = { ["X-Empty"] = "", ["X-Colon"] = "a: b;c", ["X-Note"] = "one two", Accept = "text/json" },
    }
    assert.is_true(client:ping())
    client:close()
    local seen = {}
    for line in pipe:lines() do
      local name, value = line:gsub("\r", ""):match "^([^:]+):[ ]?(.*)$"
      if name then
        assert.is_nil(seen[name:lower()], name .. " twice")
        seen[name:lower()] = value
      end
    end
    pipe:close()
    seen.host, seen["content-length"] = nil, nil
    assert.same({
      ["x-empty"] = "", ["x-colon"] = "a: b;c", ["x-note"] = "one two", accept = "text/json", ["user-agent"] = "spec/1",
      ["accept-encoding"] = "gzip", ["content-type"] = "application/x-www-form-urlencoded",
    }, seen)
  end)

  it("leaves the caller's tables alone", function()
    local given = { url = URL, token = TOKEN, tls = { verify = true }, low_speed = { bytes = 5 }, headers = { A = "b" } }
    assert(scrutinizer.connect(given))
    assert.same({ url = URL, token = TOKEN, tls = { verify = true }, low_speed = { bytes = 5 }, headers = { A = "b" } }, given)
  end)
end)

describe("connect's address", function()
  local PATH = "/fcgi/scrut_fcgi.fcgi"
  local FORMS = {
    ["https://h"] = "https://h" .. PATH, ["https://h/"] = "https://h" .. PATH, ["HTTPS://h"] = "https://h" .. PATH,
    ["https://h:8443"] = "https://h:8443" .. PATH, ["https://h:8443/"] = "https://h:8443" .. PATH, ["https://h/other"] = "https://h/other",
    ["https://h/fcgi/scrut_fcgi.fcgi"] = "https://h" .. PATH, ["https://192.0.2.1"] = "https://192.0.2.1" .. PATH,
    ["https://[2001:db8::1]"] = "https://[2001:db8::1]" .. PATH, ["https://[2001:db8::1]:8443/x/"] = "https://[2001:db8::1]:8443/x/",
    ["https://a-b.example_c.net"] = "https://a-b.example_c.net" .. PATH,
  }

  it("takes URLs, and adds the path when there is none", function()
    for given, wanted in pairs(FORMS) do assert.equal(wanted, connect({ url = given }).url) end
  end)

  it("takes no URL with a user's name, and says what it may not have", function()
    for _, url in ipairs { "https://user@h", "https://user:s3cret@h", "https://h@evil.example", "https://user:s3cret@h:8443/path" } do
      assert.matches("allowed: a URL without user name and password", refused { url = url })
    end
  end)

  it("takes hosts, also with a port, a path, or in brackets", function()
    for given, wanted in pairs(FORMS) do
      local host = given:match "^https://(.*)$"
      if host then assert.equal(wanted, scrutinizer.connect({ host = host, token = TOKEN }).url) end
    end
    local ok, message = pcall(scrutinizer.connect, { host = "2001:db8::1" })
    assert.is_false(ok)
    assert.matches("IPv6 in brackets", message)
  end)

  it("refuses http:// unless allowed", function()
    assert.equal("connect: url: over http:// anyone on the network path can read the token; use https://, or set allow_http = true",
      refused { url = "http://h" })
    assert.equal("http://h" .. PATH, connect({ url = "http://h", allow_http = true }).url)
    assert.equal(URL .. PATH, connect({ allow_http = true }).url)
  end)
end)

describe("secrets", function()
  it("are in no message of misuse", function()
    local SECRET = "s3cretWord"
    local cases = {
      { url = "https://user:" .. SECRET .. "@h" }, { url = "https://user:a/" .. SECRET .. "@h" }, { url = "https://user:" .. SECRET .. "@h\n" },
      { url = "https://h/x?authToken=" .. SECRET }, { url = "https://h/x#" .. SECRET }, { url = "ftp://u:" .. SECRET .. "@h" },
      { proxy = "http://u:" .. SECRET .. "@proxy\n" }, { token = { SECRET } }, { tokn = SECRET },
      { tls = { passphrase = SECRET .. "\n" } },
      { tls = { pasphrase = SECRET } }, { tls = { key = SECRET .. "\nMIIE" } }, { headers = "Authorization: " .. SECRET },
      { headers = { Authorization = SECRET .. "\n" } },
    }
    for _, case in ipairs(cases) do
      local text = refused(case)
      assert.is_nil(text:find(SECRET, 1, true), text)
    end
    assert.is_nil(refused({ token = 31415926 }):find "31415926")
    assert.is_nil(refused({ tls = { passphrase = 31415926 } }):find "31415926")
    local ok, message = pcall(scrutinizer.connect, { host = "user:" .. SECRET .. "@h" })
    assert.is_false(ok)
    assert.is_nil(message:find(SECRET, 1, true), message)
  end)

  it("are in no table that a dump of the client would print", function()
    local ca = support.sandbox().ca
    local client = connect {
      tls = { ca_file = ca, passphrase = "word-of-the-key" },
      proxy = "http://u:proxy-word@127.0.0.1:1", headers = { Authorization = "Basic header-word" },
    }
    local seen = {}
    local function dump(value)
      if type(value) == "string" then
        for _, secret in ipairs { TOKEN, "word-of-the-key", "proxy-word", "header-word" } do assert.is_nil(value:find(secret, 1, true)) end
      elseif type(value) == "table" and not seen[value] then
        seen[value] = true
        for key, member in next, value do
          dump(key)
          dump(member)
        end
        dump(getmetatable(value))
      end
    end
    dump(client)
    dump(client:report("host2host"):range "LastHour")
    dump(client:report("host2host"):range("LastHour"):request())
    dump(tostring(client))
    assert.equal("scrutinizer.Client: https://scrutinizer.example.net/fcgi/scrut_fcgi.fcgi", tostring(client))
    client:close()
    assert.equal("scrutinizer.Client: https://scrutinizer.example.net/fcgi/scrut_fcgi.fcgi (closed)", tostring(client))
  end)
end)

describe("connect's files", function()
  it("are read at once: one that cannot be read is an error of kind tls, not a misuse", function()
    for _, name in ipairs { "ca_file", "cert", "key" } do
      local client, err = connect { tls = { [name] = "/nowhere/at/all.pem" } }
      assert.is_nil(client)
      assert.equal("tls", err.kind)
      assert.matches("^tls%." .. name .. " cannot be read: /nowhere/at/all.pem: ", err.message)
      assert.is_false(err.retryable)
    end
  end)

  it("must hold PEM text", function()
    local path = os.tmpname()
    support.write(path, "not a certificate\n")
    local client, err = connect { tls = { ca_file = path } }
    os.remove(path)
    assert.is_nil(client)
    assert.equal("tls: tls.ca_file holds no PEM text: " .. path, tostring(err))
  end)

  it("that are something else than PEM are named, with option and file, and how PEM is made of them", function()
    local dir = support.folder()
    support.shell(([[cd %s && openssl ecparam -name prime256v1 -genkey -noout -out key.pem \
      && openssl req -x509 -new -key key.pem -subj /CN=x -out cert.pem \
      && openssl x509 -in cert.pem -outform der -out cert.der && openssl crl2pkcs7 -nocrl -certfile cert.pem -out p7.pem \
      && openssl crl2pkcs7 -nocrl -certfile cert.pem -outform der -out p7.der && openssl pkcs12 -export -passout pass: -nokeys -in cert.pem -out p12 \
      && openssl req -new -key key.pem -subj /CN=x -out csr.pem && : >empty && sed "s/^/  /" cert.pem >indented.pem \
      && iconv -f ascii -t utf-16 cert.pem >wide.pem && printf "  \n\n" >blank]]):format(dir))
    for _, case in ipairs {
      { "ca_file", "empty", "is empty" }, { "ca_file", "blank", "is empty" }, { "ca_file", "cert.der", "is binary (DER)" },
      { "ca_file", "p7.der", "is binary (DER)" }, { "cert", "p12", "is binary (DER)" }, { "ca_file", "p7.pem", "holds PKCS#7" },
      { "ca_file", "key.pem", "holds a private key, but no certificate" }, { "cert", "key.pem", "holds a private key, but no certificate" },
      { "key", "cert.pem", "holds a certificate, but no private key" }, { "cert", "csr.pem", "holds a certificate request" },
      { "ca_file", "indented.pem", "has spaces before -----BEGIN" }, { "ca_file", "wide.pem", "is text in UTF-16" },
      { "key", "empty", "is empty" },
    } do
      local path = dir .. "/" .. case[2]
      local client, err = connect { tls = { [case[1]] = path } }
      assert.is_nil(client, case[2])
      assert.equal("tls", err.kind)
      local head = ("tls.%s %s"):format(case[1], case[3])
      assert.equal(1, (err.message:find(head, 1, true)), err.message)
      assert.truthy(err.message:find(": " .. path .. "; PEM text is required", 1, true), err.message)
    end
    assert.is_table((connect { tls = { ca_file = dir .. "/cert.pem", cert = dir .. "/cert.pem", key = dir .. "/key.pem" } }))
    assert.equal("connect: tls.key belongs to a client certificate; set tls.cert too", refused { tls = { key = dir .. "/key.pem" } })
    assert.equal("connect: tls.ca_blob: the text holds no PEM text; PEM text is required",
      refused { tls = { ca_blob = "x" } })
    support.shell("rm -rf " .. dir)
  end)

  -- Brothers that were looked for: every place where a file is read whole (files.read), and a recording's first line. OpenSSL is asked whether it
  -- takes what is taken here.
  it("must hold whole blocks, all of them", function()
    local dir = support.folder()
    support.shell(([[cd %s && openssl ecparam -name prime256v1 -genkey -out key.pem && openssl req -x509 -new -key key.pem -subj /CN=x -out cert.pem \
      && openssl x509 -in cert.pem -text -out words.pem && openssl x509 -in cert.pem -trustout -addtrust serverAuth -out trusted.pem \
      && openssl pkcs8 -topk8 -nocrypt -in key.pem -out pkcs8.pem && openssl pkcs8 -topk8 -in key.pem -passout pass:x -out locked.pem \
      && openssl ec -in key.pem -aes128 -passout pass:x -out locked2.pem 2>/dev/null && sed "s/\$/  /" cert.pem >trailing.pem \
      && cat cert.pem words.pem trusted.pem >many.pem && head -c -60 cert.pem >cut.pem && head -n 4 cert.pem >cut2.pem \
      && { head -n 4 cert.pem; tail -n 1 cert.pem; } >short.pem && { cat cert.pem; head -n 4 cert.pem; } >second_cut.pem \
      && { cat cert.pem; printf -- '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'; } >second.pem \
      && { printf -- '-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n'; cat cert.pem; } >junk.pem \
      && { head -n 4 cert.pem; cat cert.pem; } >begun.pem && sed "s/CERTIFICATE-----/CERTIFICATE-----/; 2,\$ s/^/   /" cert.pem >later.pem \
      && sed "\$ s/^/\t/" cert.pem >last.pem && head -n 5 pkcs8.pem | sed "3d" >key_short.pem; tail -n 3 pkcs8.pem >key_cut.pem]]):format(dir))
    local function given(option, file)
      local path = dir .. "/" .. file
      local tls = option == "key" and { cert = dir .. "/cert.pem", key = path } or { [option] = path }
      local client, err = connect { tls = tls }
      return client, err, path
    end
    for file, option in pairs {
      ["cert.pem"] = "ca_file", ["words.pem"] = "ca_file", ["trusted.pem"] = "ca_file", ["many.pem"] = "ca_file", ["trailing.pem"] = "ca_file",
      ["key.pem"] = "key", ["pkcs8.pem"] = "key", ["locked.pem"] = "key", ["locked2.pem"] = "key",
    } do
      local client, err, path = given(option, file)
      assert.is_table(client, file .. ": " .. tostring(err))
      local tool = option == "key" and "pkey -passin pass:x" or "x509"
      assert.equal("0\n", support.shell(("openssl %s -in %s -noout >/dev/null 2>&1; echo $?"):format(tool, path)), file)
    end
    local CUT, DAMAGED, BLANKS = "is cut short: a block of it has no -----END CERTIFICATE-----", "is damaged: ", "has spaces before its lines"
    for file, what in pairs {
      ["cut.pem"] = CUT, ["cut2.pem"] = CUT, ["second_cut.pem"] = CUT, ["begun.pem"] = CUT, ["short.pem"] = DAMAGED, ["second.pem"] = DAMAGED,
      ["junk.pem"] = DAMAGED, ["later.pem"] = BLANKS, ["last.pem"] = BLANKS,
    } do
      local client, err, path = given("ca_file", file)
      assert.is_nil(client, file)
      assert.equal(1, (err.message:find("tls.ca_file " .. what, 1, true)), err.message)
      assert.truthy(err.message:find(": " .. path .. "; PEM text is required", 1, true), err.message)
      local text = io.open(path):read "*a"
      assert.truthy(refused({ tls = { ca_blob = text } }):find("connect: tls.ca_blob: the text " .. what, 1, true))
    end
    for _, file in ipairs { "key_short.pem", "key_cut.pem" } do
      local client, err = given("key", file)
      assert.is_nil(client, file)
      assert.equal("tls", err.kind)
    end
    support.shell("rm -rf " .. dir)
  end)

  it("are read with a maximum: a device that never ends is an error", function()
    for _, name in ipairs { "ca_file", "cert", "key" } do
      local client, err = connect { tls = { cert = name == "key" and "/dev/zero" or nil, [name] = "/dev/zero" } }
      assert.is_nil(client)
      assert.matches("^tls: tls%.%l+_?%l* cannot be read: /dev/zero: longer than 4194304 bytes$", tostring(err))
    end
    local files = require "scrutinizer.files"
    assert.same({ nil, "/dev/zero: longer than 67108864 bytes" }, { files.read "/dev/zero" })
    assert.equal("", (files.read "/dev/null"))
    local recorder = scrutinizer.recorder "/dev/zero"
    local client, err = recorder:connect { url = URL, token = TOKEN }
    assert.is_nil(client)
    assert.equal("file: /dev/zero, line 1: not a recording of this version", tostring(err))
  end)

  it("may not be a folder", function()
    local client, err = connect { tls = { ca_file = "/" } }
    assert.is_nil(client)
    assert.equal("tls", err.kind)
    assert.matches("tls%.ca_file cannot be read: .", err.message)
  end)
end)

describe("the environment", function()
  -- What a child of the same Lua prints, with these variables.
  local function child(variables, code)
    local words = { "env -u SCRUTINIZER_URL -u SCRUTINIZER_TOKEN -u SCRUTINIZER_CA" }
    for name, value in pairs(variables) do words[#words + 1] = name .. "=" .. support.quote(value) end
    words[#words + 1] = support.lua
    local before = 'local s = require "scrutinizer" local function show(c) print(c.url:match "//([^/]*)", c.has_token) end '
    words[#words + 1] = "-e " .. support.quote(before .. code) .. " 2>&1"
    return (support.shell(table.concat(words, " ")):gsub("%s+$", ""))
  end

  local BOTH = { SCRUTINIZER_URL = "https://env.example", SCRUTINIZER_TOKEN = TOKEN }

  it("gives URL and token when nothing else is said", function()
    assert.equal("env.example\ttrue", child(BOTH, "show(s.connect {})"))
    assert.equal("env.example\tfalse", child({ SCRUTINIZER_URL = "https://env.example" }, "show(s.connect {})"))
    assert.equal("env.example\tfalse", child(BOTH, "show(s.connect { token = false })"))
  end)

  it("gives its token to its own host only, or when it names none", function()
    assert.equal("env.example\ttrue", child(BOTH, 'show(s.connect { host = "env.example" })'))
    assert.equal("ENV.example:8443\ttrue", child(BOTH, 'show(s.connect { url = "https://ENV.example:8443/x" })'))
    assert.equal("other.example\tfalse", child(BOTH, 'show(s.connect { host = "other.example" })'))
    assert.equal("env.example.evil\tfalse", child(BOTH, 'show(s.connect { host = "env.example.evil" })'))
    assert.equal("other.example\ttrue", child({ SCRUTINIZER_TOKEN = TOKEN }, 'show(s.connect { host = "other.example" })'))
    local bad = { SCRUTINIZER_TOKEN = TOKEN, SCRUTINIZER_URL = "nonsense" }
    assert.equal("other.example\tfalse", child(bad, 'show(s.connect { host = "other.example" })'))
  end)

  it("counts as unset when empty", function()
    assert.equal("h\tfalse", child({ SCRUTINIZER_TOKEN = "", SCRUTINIZER_URL = "" }, 'show(s.connect { host = "h" })'))
    assert.equal("h\ttrue", child({ SCRUTINIZER_TOKEN = TOKEN, SCRUTINIZER_URL = "" }, 'show(s.connect { host = "h" })'))
    assert.matches("environment variable SCRUTINIZER_URL", child({ SCRUTINIZER_URL = "" }, "show(s.connect {})"))
  end)

  it("gives its CA like its token, where no certificate is said", function()
    local box = support.sandbox()
    local all = { SCRUTINIZER_URL = box.url, SCRUTINIZER_TOKEN = box.token, SCRUTINIZER_CA = box.ca }
    assert.equal("true", child(all, "print(s.connect({}):ping())"))
    local bad = { SCRUTINIZER_URL = box.url, SCRUTINIZER_TOKEN = box.token, SCRUTINIZER_CA = "/nonexistent" }
    assert.matches("^nil\ttls: SCRUTINIZER_CA cannot be read: ", child(bad, "print(s.connect {})"))
    assert.equal("true", child(bad, ("print(s.connect({ tls = { ca_file = %q } }):ping())"):format(box.ca)))
    assert.equal("other.example\tfalse", child(bad, 'show(s.connect { host = "other.example" })'))
    assert.matches("SCRUTINIZER_CA cannot be read", child({ SCRUTINIZER_CA = "/nonexistent" }, 'print(s.connect { host = "other.example" })'))
  end)

  it("is named when it is wrong, without its secrets", function()
    assert.matches("connect: no address: set url = .* SCRUTINIZER_URL", child({}, "show(s.connect {})"))
    assert.matches("connect: SCRUTINIZER_URL: got \"env.example\"", child({ SCRUTINIZER_URL = "env.example" }, "show(s.connect {})"))
    local text = child({ SCRUTINIZER_URL = "https://u:s3cret@h" }, "show(s.connect {})")
    assert.matches("connect: SCRUTINIZER_URL: ", text)
    assert.is_nil(text:find("s3cret", 1, true))
    assert.matches("over http:// anyone on the network path can read the token", child({ SCRUTINIZER_URL = "http://h" }, "show(s.connect {})"))
  end)
end)
