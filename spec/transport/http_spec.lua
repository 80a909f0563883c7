-- core.http against a real server: what arrives, in what memory, and what
-- each failure is called.

local core = require "scrutinizer.core"
local support = require "spec.support"
local http_server = require "spec.http_server"

local server, http

-- Sanitizers and valgrind keep memory of their own: then its figures mean nothing.
local sanitized = os.getenv "SCRUTINIZER_SANITIZED" ~= nil

local function start(path, options)
  local request = { url = path:match("^https?:") and path or server.https .. path, ca_blob = server.ca, proxy = "" }
  for name, value in pairs(options or {}) do request[name] = value end
  return http:start(request)
end

-- What the next read gives, after waiting for it. To wait before having read
-- what a step brought would wait for a transfer that pauses.
local function next_part(transfer, max)
  for _ = 1, 2000 do
    local text, kind, message = transfer:read(max)
    if text ~= false then return text, kind, message end
    assert(http:step())
    text, kind, message = transfer:read(max)
    if text ~= false then return text, kind, message end
    assert(http:wait(0.02))
  end
  error("the transfer hangs")
end

-- Reads to the end: the text, and what read said there.
local function pull(transfer, max)
  local parts = {}
  while true do
    local text, kind, message = next_part(transfer, max)
    if text == nil then return table.concat(parts), kind, message, #parts end
    parts[#parts + 1] = text
  end
end

local function get(path, options)
  local transfer = assert(start(path, options))
  local text, kind, message, parts = pull(transfer)
  return text, kind, message, transfer:info(), parts
end

-- Steps until `done` says so.
local function step_until(done)
  for _ = 1, 500 do
    assert(http:step())
    if done() then return end
    http:wait(0.01)
  end
  error("nothing happened in 5 s")
end

-- Resident kilobytes of this process; 0 under a sanitizer or valgrind, which
-- keep what is freed.
local function resident()
  local preload = os.getenv("LD_PRELOAD") or ""
  if preload:find("asan") or preload:find("vgpreload") then return 0 end
  local f = assert(io.open("/proc/self/status"))
  local kilobytes = f:read("*a"):match("VmRSS:%s*(%d+)")
  f:close()
  return tonumber(kilobytes)
end

-- An answer typed by hand, sent as it stands.
local function raw(name, bytes, options)
  server:put(name, bytes)
  return get("/raw?name=" .. name, options)
end

setup(function() server = http_server.start() end)
teardown(function() server:stop() end)
before_each(function() http = core.http() end)
after_each(function() http:close() end)

describe("an answer", function()
  it("comes whole, with what its header said", function()
    local text, kind, message, info = get("/plain")
    assert.same({ "hello\n" }, { text, kind, message })
    assert.equal(200, info.status)
    assert.equal("1.1", info.http_version)
    assert.equal("text/plain", info.content_type)
    assert.same({ 6, 6, 0 }, { info.received, info.decoded, info.buffered })
    assert.same({ true, true, false }, { info.headers_done, info.done, info.reused })
    assert.is_true(info.first_byte > 0 and info.first_byte < 5)
  end)

  it("may be empty", function()
    local text, kind, _, info = get("/empty")
    assert.same({ "", 200 }, { text, info.status })
    assert.is_nil(kind)
  end)

  it("says false while nothing has come", function()
    local transfer = start("/drip")
    assert.is_false(transfer:read())
    local info = transfer:info()
    assert.same({ false, false }, { info.headers_done, info.done })
    assert.is_nil(info.status)
    local text, kind, _, parts = pull(transfer)
    assert.same({ "12345", nil, 5 }, { text, kind, parts })
    assert.is_nil(transfer:read())
  end)

  it("comes in pieces no longer than asked for", function()
    local transfer = start("/plain")
    local text, kind, _, parts = pull(transfer, 4)
    assert.same({ "hello\n", nil, 2 }, { text, kind, parts })
  end)

  it("redirects without being followed", function()
    local _, kind, _, info = get("/moved")
    assert.same({ 302, "https://elsewhere.test/x" }, { info.status, info.location })
    assert.is_nil(kind)
  end)

  it("tells status, Retry-After and body of a refusal", function()
    local text, _, _, info = get("/busy")
    assert.same({ 503, "7", "busy\n" }, { info.status, info.retry_after, text })
  end)

  it("is the one after 103, and trailers change nothing", function()
    local text, kind, _, info = raw("hints", "HTTP/1.1 103 Early Hints\r\nLocation: /wrong\r\n\r\n"
      .. "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nretry-after:  9 \r\nConnection: close\r\n\r\n"
      .. "3\r\nabc\r\n0\r\nContent-Encoding: gzip\r\nLocation: /late\r\n\r\n")
    assert.same({ "abc", nil, 200, "9" }, { text, kind, info.status, info.retry_after })
    assert.is_nil(info.location)
  end)

  it("comes over HTTP/2 when asked, and over a unix socket", function()
    local text, _, _, info = get("/plain", { http2 = true })
    assert.same({ "hello\n", "2" }, { text, info.http_version })
    text = get("http://localhost/plain", { unix_socket = server.socket, allow_http = true })
    assert.equal("hello\n", text)
  end)

  it("uses a kept connection the next time, unless fresh", function()
    local _, _, _, first = get("/plain")
    local _, _, _, second = get("/plain")
    local _, _, _, third = get("/plain", { fresh = true })
    assert.same({ false, true, false }, { first.reused, second.reused, third.reused })
  end)
end)

describe("a request", function()
  it("posts a urlencoded body", function()
    local text = get("/echo", { method = "POST", body = "a=1&b=%00", user_agent = "spec/1",
      headers = { "X-Extra: yes" } })
    assert.equal("POST\napplication/x-www-form-urlencoded\ngzip\n-\nspec/1\nyes\na=1&b=%00", text)
  end)

  it("posts an empty body, and a long one without Expect", function()
    assert.equal("POST\napplication/x-www-form-urlencoded\ngzip\n-\n-\n-\n", (get("/echo", { method = "POST" })))
    local body = ("x"):rep(3 * 2 ^ 20)
    local text = get("/echo", { method = "POST", body = body })
    assert.is_true(text == "POST\napplication/x-www-form-urlencoded\ngzip\n-\n-\n-\n" .. body)
  end)

  it("posts a multipart form, zero bytes included", function()
    local text = get("/echo", { method = "POST", form = { { "rm", "report\0api" }, { "empty", "" } } })
    local boundary, body = text:match("^POST\nmultipart/form%-data; boundary=(%S+)\n.-\n%-\n%-\n%-\n(.*)")
    local expected = ("--B\r\nContent-Disposition: form-data; name=\"rm\"\r\n\r\nreport\0api\r\n"
      .. "--B\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--B--\r\n"):gsub("B", boundary)
    assert.equal(expected, body)
  end)

  it("shows a client certificate, and never asks for its passphrase", function()
    local cert, key = server:read("client.pem"), server:read("locked.key")
    local text = get("/who", { cert = cert, key = key, passphrase = "secret" })
    assert.equal("CN=spec-client", text)
    local _, kind = get("/who", { cert = cert, key = key, fresh = true })
    assert.equal("tls", kind)
  end)

  local misuse = {
    { "url", 1, "option 'url' must be a string, not a number" },
    { "method", "PUT", "option 'method' must be GET or POST" },
    { "headers", { "A: b\r\nC: d" }, "option 'headers' has a line break" },
    { "headers", { 1 }, "option 'headers' must be a list of strings" },
    { "form", { { "a" } }, "option 'form' must be a list of { name, value }" },
    { "pin", "a\0b", "option 'pin' has a zero byte" },
    { "verify", "no", "option 'verify' must be a boolean, not a string" },
    { "connect_timeout", -1, "seconds must not be negative" },
  }
  for _, case in ipairs(misuse) do
    it("refuses " .. case[3], function()
      local _, err = pcall(start, "/plain", { [case[1]] = case[2] })
      assert.is_truthy(err:find(case[3], 1, true), err)
    end)
  end
end)

-- Of the other specs so much may wait for the collector that nothing is seen: what is resident is looked at in a process of its own.
local ALONE = "SCRUTINIZER_MEMORY_ALONE"

describe("memory", function()
  if not os.getenv(ALONE) then
    it("is bounded, in a process of its own", function()
      local busted = support.shell "command -v busted":gsub("%s", "")
      local run = "%s=1 %s -e 'package.path = package.path' %s -o plainTerminal --filter='^memory ' spec/transport/http_spec.lua 2>&1"
      local said = support.shell(run:format(ALONE, support.lua, busted))
      assert.matches("\n4 successes / 0 failures / 0 errors / 0 pending", said)
    end)
    return
  end

  it("stays in the buffer while nobody reads, and the bytes are right", function()
    local transfer = start("/big?blocks=48") -- 3 MiB
    step_until(function() return transfer:info().buffered > 200 * 1024 end)
    for _ = 1, 50 do http:step() http:wait(0.002) end
    local info = transfer:info()
    assert.is_true(info.buffered <= 272 * 1024)
    assert.same({ info.buffered, false }, { info.received, info.done })
    local text, kind = pull(transfer, 100003)
    assert.is_nil(kind)
    assert.is_true(text == ("0123456789abcdef"):rep(4096 * 48))
    assert.same({ 3145728, 3145728 }, { transfer:info().received, transfer:info().decoded })
  end)

  it("does not grow with a report, nor with eight that wait", function()
    local list = {}
    for i = 1, 8 do list[i] = start("/big?blocks=1600") end -- 100 MiB each
    local before, most = resident(), 0
    for _ = 1, 200 do http:step() http:wait(0.001) end
    for _, transfer in ipairs(list) do most = math.max(most, transfer:info().buffered) end
    assert.is_true(most <= 272 * 1024)
    assert.is_true(sanitized or resident() - before < 8 * 1024)
    for i = 2, 8 do list[i]:close() end
    local received = 0
    for text in function() return next_part(list[1]) end do received = received + #text end
    assert.equal(1600 * 65536, received)
    assert.is_true(sanitized or resident() - before < 12 * 1024)
  end)

  it("is given back by each answer: bodies, and what inflates them", function()
    local function some(path, count)
      for _ = 1, count do assert.is_nil((select(2, get(path)))) end
      for _ = 1, 3 do collectgarbage() end
    end
    for _, path in ipairs { "/big?blocks=4", "/gzip" } do -- 256 KiB each; and zlib's window of 32 KiB
      -- What leaks grows in each round; an allocator that takes its reserve comes to rest (Lua 5.1's after up to eight).
      local grown, rounds = math.huge, 0
      while not sanitized and grown > 1024 and rounds < 20 do
        local before = resident()
        some(path, 150)
        grown, rounds = resident() - before, rounds + 1
      end
      assert.is_true(sanitized or grown <= 1024, path .. ": " .. grown .. " KiB in the last of " .. rounds .. " rounds")
    end
  end)

  it("does not grow with a gzip bomb, read in part or left alone", function()
    server:shell("head -c 67108864 /dev/zero | gzip -9 > one && for i in $(seq 16); do cat one; done > bomb")
    local transfer = start("/file/bomb?enc=gzip")
    step_until(function() return transfer:info().buffered > 0 end)
    for _ = 1, 20 do http:step() http:wait(0.002) end
    local before = resident()
    local decoded = 0
    while decoded < 200 * 2 ^ 20 do
      local text = next_part(transfer)
      assert.is_true(#text <= 65536)
      decoded = decoded + #text
    end
    assert.is_true(transfer:info().received < 600 * 1024)
    assert.is_true(sanitized or resident() - before < 4 * 1024)
  end)
end)

describe("gzip", function()
  local zipped

  setup(function()
    server:shell("seq 30000 > numbers && gzip -k -9 numbers")
    zipped = server:read("files/numbers.gz")
  end)

  local function numbers(enc, bytes)
    server:put("made", bytes)
    local text, kind, message = get("/file/made?enc=" .. enc)
    return text, kind, message
  end

  it("comes decoded, as nginx makes it", function()
    local text, kind, _, info = get("/gzip")
    assert.is_nil(kind)
    assert.equal("line 20000\n", text:sub(-11))
    assert.equal(#text, info.decoded)
    assert.is_true(info.received > 0 and info.received < #text / 2)
  end)

  it("comes decoded by any name, and in several members", function()
    local plain = server:read("files/numbers")
    for _, enc in ipairs { "gzip", "x-gzip", "GZIP" } do
      assert.is_true(numbers(enc, zipped) == plain)
    end
    assert.is_true(numbers("gzip", zipped .. zipped) == plain .. plain)
    assert.is_true(numbers("identity", plain) == plain)
  end)

  it("may be deflate, with and without a frame", function()
    local bare = "\203\072\205\201\201\087\200\064\039\185\000"
    assert.same({ "hello hello hello hello\n" }, { numbers("deflate", bare) })
    assert.same({ "hello hello hello hello\n" }, { numbers("deflate", "\120\218" .. bare .. "\112\190\008\187") })
    for cut = 1, #bare - 1 do
      assert.equal("truncated", (select(2, numbers("deflate", bare:sub(1, cut)))))
    end
  end)

  it("cut short gives what came, then truncated", function()
    local text, kind, message = numbers("gzip", zipped:sub(1, -9))
    assert.equal(server:read("files/numbers"), text)
    assert.equal("truncated", kind)
    assert.equal("the compressed answer was cut short (127.0.0.1:" .. server.port .. ")", message)
    text, kind = numbers("gzip", zipped:sub(1, math.floor(#zipped / 2)))
    assert.equal(server:read("files/numbers"):sub(1, #text), text)
    assert.is_true(#text > 10000)
    assert.equal("truncated", kind)
    assert.equal("truncated", select(2, numbers("gzip", "\031")))
  end)

  it("cut anywhere gives all that zlib makes of what came", function()
    -- Zeros: a byte stands for a thousand, so that the window is full at times when all bytes are used.
    server:shell([[python3 -c '
import gzip, zlib
made = gzip.compress(bytes(300000), 9)
open("zeros", "wb").write(made)
open("cuts", "w").write(" ".join(str(len(zlib.decompressobj(31).decompress(made[:n]))) for n in range(1, len(made))))
']])
    local made, cut = server:read "files/zeros", 0
    for wanted in server:read("files/cuts"):gmatch "%d+" do
      cut = cut + 1
      server:put("made", made:sub(1, cut))
      local text, kind = get "/file/made?enc=gzip"
      assert.equal("truncated", kind)
      if #text ~= tonumber(wanted) then assert.equal(wanted, #text, "cut at " .. cut) end
    end
    assert.equal(#made - 1, cut)
  end)

  it("corrupt, followed by garbage or not gzip at all is decode", function()
    local bad = zipped:sub(1, -9) .. "AAAA" .. zipped:sub(-4)
    local text, kind, message = numbers("gzip", bad)
    assert.equal(server:read("files/numbers"), text)
    assert.same({ "decode", "the compressed answer is damaged: incorrect data check (127.0.0.1:" .. server.port .. ")" }, { kind, message })
    text, kind, message = numbers("gzip", zipped .. "{}")
    assert.equal(server:read("files/numbers"), text)
    assert.equal("decode", kind)
    assert.matches("^the compressed answer is damaged: there are bytes after its end", message)
    text, kind = numbers("gzip", "<html>")
    assert.same({ "", "decode" }, { text, kind })
  end)

  it("is refused when the coding is unknown", function()
    local text, kind, message = numbers("br", "abc")
    assert.same({ "", "decode" }, { text, kind })
    assert.matches("^unknown Content%-Encoding", message)
  end)
end)

describe("a failure", function()
  it("to reach the server is connect", function()
    local text, kind, message = get("https://127.0.0.1:1/plain?authToken=secret")
    assert.same({ "", "connect" }, { text, kind })
    assert.matches("127.0.0.1:1", message, 1, true)
    assert.is_nil(message:find("secret"))
    kind = select(2, get("https://no-such-host.invalid/"))
    assert.equal("connect", kind)
    kind = select(2, get("/plain", { proxy = "http://127.0.0.1:1" }))
    assert.equal("connect", kind)
  end)

  it("before the first byte is connect; a fresh request is sent once", function()
    local before = tonumber((get("/count")))
    local text, kind = get("/drop", { method = "POST", body = "x", fresh = true })
    assert.same({ "", "connect" }, { text, kind })
    assert.equal(before + 1, tonumber((get("/count"))))
  end)

  it("of a kept connection makes libcurl send again: fresh is needed", function()
    local before = tonumber((get("/count")))
    assert.equal("connect", select(2, get("/drop", { method = "POST", body = "x" })))
    assert.equal(before + 2, tonumber((get("/count"))))
  end)

  it("of TLS is tls: authority, name, pin, protocol", function()
    local function tls(path, options)
      local text, kind, message = get(path, options)
      assert.same({ "", "tls" }, { text, kind })
      return message
    end
    assert.matches("issuer certificate", tls("/plain", { ca_blob = server:read("other.pem") }))
    local other = "other.test:" .. server.port
    assert.matches("other.test", tls("https://" .. other .. "/plain", { resolve = { other .. ":127.0.0.1" } }))
    assert.matches("public key", tls("/plain", { pin = "sha256//" .. ("A"):rep(43) .. "=" }))
    tls((server.http:gsub("^http", "https")) .. "/plain")
    tls("/plain", { ca_blob = "no certificate" })
  end)

  it("of TLS does not happen with the pin of the server, or unverified", function()
    assert.equal("hello\n", (get("/plain", { pin = server.pin })))
    assert.equal("hello\n", (get("/plain", { ca_blob = server:read("other.pem"), verify = false })))
    local kind = select(2, get("/plain", { pin = "sha256//" .. ("A"):rep(43) .. "=", verify = false, fresh = true }))
    assert.equal("tls", kind)
  end)

  it("of TLS can be looked into without sending a request", function()
    local before = tonumber((get("/count")))
    local text, kind, _, info = get("/drop", { inspect = true, ca_blob = server:read("other.pem"),
      method = "POST", body = "secret" })
    assert.same({ "", nil, nil }, { text, kind, info.status })
    assert.equal(before, tonumber((get("/count"))))
    local transfer = start("/plain", { inspect = true })
    assert.is_nil(transfer:certificate())
    pull(transfer)
    local certificate = transfer:certificate()
    assert.equal(server.pin, certificate.pin)
    assert.matches("^CN ?= ?server$", certificate.subject)
    assert.matches("^CN ?= ?spec%-ca$", certificate.issuer)
    assert.matches("%d%d%d%d GMT$", certificate.from)
    assert.matches("%d%d%d%d GMT$", certificate.to)
    local plain = start("/plain")
    pull(plain)
    assert.is_nil(plain:certificate())
    local _, refused = get("https://127.0.0.1:1/", { inspect = true })
    assert.equal("connect", refused)
    _, refused = get(server.http .. "/drop", { inspect = true, allow_http = true })
    assert.equal("http", refused)
  end)

  it("to connect in time is timeout, and says how long", function()
    local text, kind, message = get(server.silent .. "/", { connect_timeout = 0.2 })
    assert.same({ "", "timeout" }, { text, kind })
    local transfer, connecting = start(server.silent .. "/", { connect_timeout = 9 }), 0
    for _ = 1, 20 do
      assert(http:step())
      connecting = math.max(connecting, http:timeout() or 0)
      assert(http:wait(0.01))
    end
    assert.is_true(connecting > 0 and connecting <= 9, connecting .. " s")
    transfer:close()
    assert.equal("connecting took longer than 200 ms (127.0.0.1:" .. server.port + 2 .. ")", message)
  end)

  it("after the first byte is truncated, and comes after the bytes", function()
    local head = "HTTP/1.1 200 OK\r\nConnection: close\r\n"
    local text, kind = raw("cut", head .. "Content-Length: 1000\r\n\r\n0123456789")
    assert.same({ "0123456789", "truncated" }, { text, kind })
    text, kind = raw("chunk", head .. "Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n9\r\nxy")
    assert.same({ "abcdexy", "truncated" }, { text, kind })
    text, kind = raw("head", "HTTP/1.1 200 OK\r\nContent-Le")
    assert.same({ "", "truncated" }, { text, kind })
  end)

  it("of HTTP itself is http", function()
    assert.equal("http", select(2, raw("ftp", "220 hello, this is not HTTP\r\n\r\n")))
    assert.equal("http", select(2, get(server.http .. "/plain")))
    assert.equal("http", select(2, get("https://user:word@127.0.0.1:" .. server.port .. "/plain")))
    assert.equal("hello\n", (get(server.http .. "/plain", { allow_http = true })))
  end)

  it("of too long headers is limit", function()
    local lines = ("X-Long: " .. ("x"):rep(992) .. "\r\n"):rep(70)
    local text, kind, message = raw("long", "HTTP/1.1 200 OK\r\n" .. lines .. "\r\nbody")
    assert.same({ "", "limit" }, { text, kind })
    assert.matches("longer than 64 KiB", message)
  end)

  it("of sending to a server that stops reading ends no process", function()
    local _, kind, _, info = get("/small", { method = "POST", body = ("x"):rep(4 * 2 ^ 20) })
    assert.is_true(info.status == 413 or kind == "connect" or kind == "truncated")
  end)

  it("is told again each time", function()
    local transfer = start("https://127.0.0.1:1/")
    local _, kind = pull(transfer)
    assert.same({ "connect", "connect" }, { kind, (select(2, transfer:read())) })
  end)
end)

describe("the life of http and transfer", function()
  local running, finished

  before_each(function()
    finished = start("/plain")
    step_until(function() return finished:info().done end)
    running = start("/hang")
    step_until(function() return running:info().received == 5 end)
  end)

  it("shows in tostring, and may be closed twice", function()
    assert.same({ "scrutinizer.http", "scrutinizer.transfer" }, { tostring(http), tostring(running) })
    running:close()
    running:close()
    http:close()
    http:close()
    assert.same({ "scrutinizer.http (closed)", "scrutinizer.transfer (closed)" },
      { tostring(http), tostring(running) })
  end)

  it("says cancelled after close, as whoever closes it does so while others work", function()
    local function same(...) assert.same({ nil, "cancelled", "closed", n = 3 }, { n = select("#", ...), ... }) end
    running:close()
    same(running:read())
    assert.is_true(running:info().done)
    assert.is_true(running:ready())
    assert.equal(0, http:step())
    http:close()
    for _, method in ipairs { "step", "wait", "fds" } do same(http[method](http, 0)) end
    same(http:start { url = "http://127.0.0.1:9/", allow_http = true })
    http:allow(1)
    assert.is_nil(http:timeout())
    assert.is_false(http:held())
  end)

  it("cancels what runs when http closes, and keeps what is complete", function()
    http:close()
    assert.same({ nil, "cancelled", "closed", n = 3 }, { n = select("#", running:read()), running:read() })
    assert.equal("hello\n", finished:read())
    assert.is_nil(finished:read())
    assert.is_true(running:info().done)
  end)

  it("has no metamethod among its methods", function()
    assert.is_nil(http.__gc)
    assert.is_nil(running.__gc)
    assert.has_error(function() running.read(http) end)
    assert.has_error(function() http.step(running) end)
  end)

  it("ends in any order of collection", function()
    local weak = setmetatable({ http, running, finished }, { __mode = "v" })
    http, finished = nil, nil
    collectgarbage()
    collectgarbage()
    assert.equal("begun", running:read()) -- keeps its http
    running = nil
    collectgarbage()
    collectgarbage()
    assert.same({}, { weak[1], weak[2], weak[3] })
    http = core.http()
  end)

  it("closes by __close where Lua has it", function()
    debug.getmetatable(running).__close(running)
    assert.equal("scrutinizer.transfer (closed)", tostring(running))
  end)

  it("can be waited for by descriptor", function()
    local fds = assert(http:fds())
    assert.equal(1, #fds)
    assert.is_true(fds[1].fd > 2)
    assert.same({ true, false }, { fds[1].read, fds[1].write })
    local timeout = http:timeout()
    assert.is_true(timeout == nil or timeout >= 0)
    assert.is_true(http:wait(0))
    assert.has_error(function() http:wait(-1) end)
  end)

  if rawget(_G, "jit") then
    it("is the parent's after fork", function()
      local ffi = require "ffi"
      ffi.cdef "int fork(void); int waitpid(int, int *, int); void _exit(int);"
      get("/plain") -- leaves a connection idle
      local child = ffi.C.fork()
      if child == 0 then
        local _, kind, message = http:step()
        local good = kind == "phase" and message == "forked: connect again in this process"
          and select(2, running:read()) == "phase" and select(2, start("/plain")) == "phase"
        http:close()
        http = core.http()
        good = good and get("/plain") == "hello\n"
        ffi.C._exit(good and 0 or 1)
      end
      local status = ffi.new "int[1]"
      ffi.C.waitpid(child, status, 0)
      assert.equal(0, status[0])
      assert.equal("begun", running:read())
      running:close()
      local text, _, _, info = get("/plain") -- the parent's connection lives
      assert.same({ "hello\n", true }, { text, info.reused })
    end)
  end
end)
