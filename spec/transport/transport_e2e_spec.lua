-- What a network does to an answer: typed errors with what to do next, rows that are a true beginning, and nothing left behind.
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local walk = support.walk
local FROM, TO = 1795341600, 1795342800
local client, whole

local function report(of)
  local query = (of or client):report("host2host"):between(FROM, TO)
  return query
end

local function true_beginning(rows)
  for i, row in ipairs(rows) do assert.same(whole[i], row) end
end

local function fault(...)
  support.faults { ... }
end

-- The error that this fault leads to; what came before must be a report's true beginning.
local function broken(kind, ...)
  fault(...)
  local rows, err = walk(report())
  true_beginning(rows)
  assert.is_not_nil(err, "no error, but kind " .. kind .. " is due")
  assert.equal(kind, err.kind, tostring(err))
  assert.is_nil(err.message:find("[%c]"))
  assert.is_nil(err.message:find(support.sandbox().token, 1, true))
  return err, rows
end

local function resumes(err, rows)
  assert.same({ offset = #rows }, support.place(err.resume))
  support.clear()
  local rest, again = walk(report():resume(err))
  assert.is_nil(again)
  for _, row in ipairs(rest) do rows[#rows + 1] = row end
  assert.equal(#whole, #rows)
  true_beginning(rows)
end

local function fresh()
  support.clear()
  client = support.connect()
  whole = whole or assert(report():fetch()).rows
  support.clear()
end

local function done()
  client:close()
  assert.same({}, support.violations())
end

describe("an answer that breaks", function()
  before_each(fresh)
  after_each(done)

  for name, cut in pairs {
    ["is shorter than announced"] = { kind = "truncate", at = 60000 }, ["is reset"] = { kind = "reset", after_bytes = 60000 },
    ["lacks its last chunk"] = { kind = "unended", at = 60000 },
  } do
    it("because it " .. name .. " is truncated, can be taken up, and may succeed later", function()
      support.switches { rows_before_columns = "never" }
      local err, rows = broken("truncated", cut)
      assert.is_true(#rows > 20 and #rows < #whole)
      assert.is_true(err.retryable)
      assert.equal(200, err.status)
      assert.matches("^the answer ended early: ", err.message)
      resumes(err, rows)
    end)
  end

  it("anywhere never gives fewer rows without an error", function()
    for _, at in ipairs { 0, 1, 100, 5000, 16384, 70000, 140000 } do
      support.clear()
      local err, rows = broken("truncated", { kind = "unended", at = at })
      resumes(err, rows)
    end
  end)

  it("before its first byte is connect", function()
    for _, kind in ipairs { "reset", "drop" } do
      support.clear()
      local err = broken("connect", { kind = kind })
      assert.is_true(err.retryable)
      assert.same({ offset = 0 }, support.place(err.resume))
    end
  end)

  it("by a cap of its bytes, or of a row's, is limit", function()
    client:close()
    client = support.connect { max_body = 50000 }
    local rows, err = walk(report())
    true_beginning(rows)
    assert.equal("limit", err.kind)
    assert.matches("max_body", err.message)
    client:close()
    client = support.connect { max_row = 20 }
    rows, err = walk(report())
    assert.same({}, rows)
    assert.equal("limit", err.kind)
    assert.matches("max_row", err.message)
    client:close()
    support.switches { rows_before_columns = "always" } -- their cells name them: they need not be held
    client = support.connect { max_held = 20000 }
    rows, err = walk(report())
    assert.is_nil(err)
    true_beginning(rows)
  end)

  it("gives the same error again, and its cursor closes quietly", function()
    fault { kind = "404" }
    local rows = report():rows()
    local _, err = rows:next()
    local _, again = rows:next()
    assert.equal(err, again)
    rows:close()
    rows:close()
    _, again = rows:next()
    assert.equal(err, again)
  end)

  it("raises the error in a loop", function()
    fault { kind = "404" }
    local ok, err = pcall(function()
      for _ in report():rows() do error "no row is due" end
    end)
    assert.is_false(ok)
    assert.equal("http", err.kind)
    assert.matches("^http: the appliance answers with HTTP status 404 %(report ", tostring(err))
  end)
end)

describe("an answer that is none", function()
  before_each(fresh)
  after_each(done)

  it("by its status is http, and only some are worth another try", function()
    for status, retryable in pairs { [404] = false, [500] = false, [429] = true, [502] = true, [503] = true, [504] = true, [204] = false } do
      support.clear()
      local err = broken("http", { kind = "status", status = status, body = status ~= 204 and "<html>no</html>" or nil })
      assert.equal(status, err.status)
      assert.equal(retryable, err.retryable)
      assert.matches("status " .. status, err.message)
    end
  end)

  it("503 says when to come again", function()
    local err = broken("http", { kind = "503", seconds = 7 })
    assert.equal(503, err.status)
    assert.equal("7", tostring(err.retry_after))
    resumes(err, {})
  end)

  it("by 401, 403 or 407 is auth", function()
    for _, status in ipairs { 401, 403, 407 } do
      support.clear()
      local err = broken("auth", { kind = "status", status = status, body = "no" })
      assert.equal(status, err.status)
      assert.same({ offset = 0 }, err.resume)
    end
  end)

  it("with the token in it does not show it", function()
    local token = support.sandbox().token
    local bodies = { "<p>bad request: authToken=" .. token, ('{"err":"token %s is bad"}'):format(token), ("x"):rep(50) .. token, token }
    for i, body in ipairs(bodies) do
      for _, status in ipairs { 200, 400 } do
        support.clear()
        fault { kind = "status", status = status, body = body }
        local rows, err = walk(report())
        assert.same({}, rows)
        assert.is_not_nil(err)
        assert.is_nil(err.message:find(token:sub(1, 12), 1, true), i .. ": " .. err.message)
      end
    end
  end)

  it("but HTML or any other text is decode, with its beginning in the message", function()
    local err = broken("decode", { kind = "html", body = "<html>\n<h1>Log in\27[31m</h1>" })
    assert.equal(0, err.position)
    assert.truthy(err.message:find("<html>\\x0A<h1>Log in\\x1B[31m</h1>", 1, true), err.message)
    support.clear()
    err = broken("decode", { kind = "status", status = 200, body = "  <nothing>" })
    assert.equal(2, err.position)
    support.clear()
    broken("decode", { kind = "status", status = 200, body = "[]" })
    support.clear()
    broken("decode", { kind = "status", status = 200, body = "{}" })
    support.clear()
    err = broken("decode", { kind = "empty" })
    assert.equal(0, err.position)
    assert.matches("empty", err.message)
  end)

  it("but a redirect elsewhere is http, names the target, and follows nothing", function()
    for location, shown in pairs {
      ["https://elsewhere.example/login?next=%2Ffcgi&authToken=abc"] = "https://elsewhere.example/login",
      ["http://127.0.0.1:1/"] = "http://127.0.0.1:1/", ["/login#top"] = "/login",
    } do
      support.clear()
      local err = broken("http", { kind = "302", location = location })
      assert.equal(302, err.status)
      assert.truthy(err.message:find(shown, 1, true), err.message)
      assert.is_nil(err.message:find("authToken", 1, true))
      assert.is_false(err.retryable)
      assert.equal(1, #support.log())
    end
  end)

  it("but a refusal of the appliance's is api or auth", function()
    local err = broken("api", { kind = "report_error", text = "No such\ntable." })
    assert.matches("No such\\x0Atable%.", err.message)
    support.clear()
    assert.equal(200, broken("auth", { kind = "bad_token" }).status)
    support.clear()
    broken("auth", { kind = "refused" })
    support.clear()
    broken("api", { kind = "status", status = 200, body = '{"err":"The database is away."}' })
    support.clear()
    support.switches { error_beside_table = "yes" }
    local rows
    rows, err = walk(report())
    true_beginning(rows)
    assert.equal("api", err and err.kind)
  end)

  it("compressed well is right, compressed badly is an error", function()
    fault { kind = "gzip" }
    local rows, err = walk(report())
    assert.is_nil(err)
    assert.equal(#whole, #rows)
    true_beginning(rows)
    support.clear()
    assert.matches("compressed", broken("decode", { kind = "bad_gzip", how = "plain" }).message)
    support.clear()
    assert.matches("compressed", broken("truncated", { kind = "bad_gzip", how = "cut" }).message)
    support.clear()
    broken("decode", { kind = "bad_gzip", how = "corrupt" })
  end)
end)

describe("a slow answer", function()
  before_each(fresh)
  after_each(done)

  local function with(options)
    client:close()
    client = support.connect(options)
  end

  it("is given up after timeout seconds of waiting, which the error says", function()
    with { timeout = 0.3 }
    local err = broken("timeout", { kind = "delay", seconds = 1.5 })
    assert.equal("waited 0.3 s for the appliance (timeout)", err.message)
    assert.is_true(err.retryable)
  end)

  it("that stalls is given up with the rows that came", function()
    support.switches { rows_before_columns = "never" }
    with { timeout = 0.4 }
    local err, rows = broken("timeout", { kind = "stall", seconds = 2, after_bytes = 60000 })
    assert.is_true(#rows > 20)
    assert.matches("%(timeout%)", err.message)
    with {} -- the rest may take its time
    resumes(err, rows)
  end)

  it("that drips is given up by low_speed", function()
    with { low_speed = { bytes = 5000, seconds = 0.5 } }
    local err = broken("timeout", { kind = "drip", bytes_per_second = 1000, after_bytes = 1000 })
    assert.equal("the answer arrived at less than 5000 bytes per second for 0.5 s (low_speed)", err.message)
  end)

  it("that is slow but not too slow comes whole", function()
    with { timeout = 5, low_speed = { bytes = 100, seconds = 0.3 } }
    fault { kind = "stall", seconds = 0.2, after_bytes = 60000 }
    local rows, err = walk(report())
    assert.is_nil(err)
    assert.equal(#whole, #rows)
  end)

  it("does not count the time that the loop takes", function()
    with { timeout = 0.6, low_speed = { bytes = 100, seconds = 0.5 } }
    local count = 0
    for _ in client:report("custom_rows_3000"):range("LastHour"):rows() do
      count = count + 1
      if count % 1000 == 1 then support.shell "sleep 0.4" end
    end
    assert.equal(3000, count)
  end)

  it("is waited for by the caller's own wait", function()
    local calls, fds_seen = 0, 0
    with {
      wait = function(seconds, fds)
        calls = calls + 1
        assert(seconds >= 0 and seconds <= 0.5)
        for _, fd in ipairs(fds) do
          assert(type(fd.fd) == "number" and type(fd.read) == "boolean" and type(fd.write) == "boolean")
          fds_seen = fds_seen + 1
        end
      end,
    }
    local rows, err = walk(report())
    assert.is_nil(err)
    assert.equal(#whole, #rows)
    assert.is_true(calls > 0 and fds_seen > 0)
  end)
end)

describe("connecting", function()
  before_each(fresh)
  after_each(done)

  local function fails(kind, options)
    local other = support.connect(options)
    local rows, err = walk(report(other))
    other:close()
    assert.same({}, rows)
    assert.equal(kind, err and err.kind, tostring(err))
    return err
  end

  it("to a port that refuses is connect", function()
    local err = fails("connect", { url = "https://127.0.0.1:1" })
    assert.is_true(err.retryable)
    assert.matches("127%.0%.0%.1", err.message)
  end)

  it("to a name that is not found is connect", function()
    assert.matches("no%-such%-host%.invalid", fails("connect", { url = "https://no-such-host.invalid" }).message)
  end)

  it("through resolve finds the address, and the certificate is held against the name", function()
    local box = support.sandbox()
    local port = box.url:match ":(%d+)$"
    local other = support.connect { url = "https://localhost:" .. port, resolve = { ["localhost:" .. port] = "127.0.0.1" } }
    assert.equal(#whole, #walk(report(other)))
    other:close()
    fails("tls", { url = "https://wrong.example:" .. port, resolve = { ["wrong.example:" .. port] = "127.0.0.1" } })
  end)

  it("to a server of an unknown CA is tls, unless verify is off", function()
    local err = fails("tls", { tls = {} })
    assert.is_false(err.retryable)
    local other = support.connect { tls = { verify = false } }
    assert.equal(#whole, #walk(report(other)))
    other:close()
    assert.equal(1, #support.log())
  end)

  it("holds the server against the pin", function()
    local box = support.sandbox()
    local pin = support.shell(("openssl s_client -connect %s -CAfile %s </dev/null 2>/dev/null | openssl x509 -pubkey -noout "
      .. "| openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64"):format(box.url:match "//(.*)$", box.ca)):gsub("%s", "")
    assert.equal(44, #pin)
    local other = support.connect { tls = { ca_file = box.ca, pin = "sha256//" .. pin } }
    assert.equal(#whole, #walk(report(other)))
    other:close()
    support.clear()
    fails("tls", { tls = { ca_file = box.ca, pin = "sha256//47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=" } })
    assert.same({}, support.log())
  end)

  it("with a CA text that is none is tls", function()
    fails("tls", { tls = { ca_blob = "-----BEGIN CERTIFICATE-----\nMAMCAQA=\n-----END CERTIFICATE-----\n" } })
  end)

  it("by a proxy that refuses is connect, without the proxy's password", function()
    local err = fails("connect", { proxy = "http://user:proxyword@127.0.0.1:1" })
    assert.is_nil(err.message:find("proxyword", 1, true))
  end)
end)

describe("one client", function()
  before_each(fresh)
  after_each(done)

  it("uses its connection again, and tells what it does", function()
    local events, seen = {}, ""
    client:close()
    client = support.connect { on_event = function(event) events[#events + 1] = event end }
    for _ = 1, 20 do assert.equal(3, #assert(report():limit(3):fetch()).rows) end
    local reused, types = 0, {}
    for _, event in ipairs(events) do
      types[event.type] = (types[event.type] or 0) + 1
      for key, value in pairs(event) do seen = seen .. key .. "=" .. tostring(value) .. " " end
      if event.type == "response" then
        assert.equal(200, event.status)
        assert.equal("boolean", type(event.reused))
        assert.is_true(event.first_byte >= 0)
        if event.reused then reused = reused + 1 end
      elseif event.type == "request" then
        assert.equal("POST", event.method)
        assert.equal("report_api", event.run_mode)
        assert.equal(client.url, event.url)
        assert.is_true(event.bytes > 100)
      elseif event.type == "page" then
        assert.equal(1, event.page)
        assert.is_true(event.bytes > 100)
      end
    end
    assert.equal(19, reused)
    assert.same({ request = 20, response = 20, page = 20, done = 20 }, types)
    assert.is_nil(seen:find(support.sandbox().token, 1, true))
  end)

  it("shows no token in the events of a GET or a multipart request", function()
    for _, options in ipairs { { method = "GET" }, { encoding = "multipart" } } do
      local seen = ""
      options.on_event = function(event)
        for key, value in pairs(event) do seen = seen .. key .. "=" .. tostring(value) .. " " end
      end
      local other = support.connect(options)
      assert(report(other):limit(1):fetch())
      other:close()
      assert.matches("request", seen)
      assert.is_nil(seen:find(support.sandbox().token, 1, true))
    end
  end)

  it("runs two cursors row by row side by side", function()
    local a, b = report():rows(), client:report("custom_rows_500"):range("LastHour"):rows()
    local i, row_a, row_b = 0
    repeat
      i = i + 1
      row_a, row_b = a:next(), b:next()
      if row_a then assert.same(whole[i], row_a) end
      if row_b then assert.equal(i, row_b.sum_packetdeltacount) end
    until not row_a and not row_b
    assert.equal(501, i)
    assert.equal(#whole, a.total)
    assert.equal(500, b.total)
  end)

  it("may be used in a callback of its own", function()
    local inner
    client:close()
    client = support.connect {
      on_event = function(event)
        if event.type == "response" and not inner then
          inner = {}
          inner = assert(report():limit(2):fetch()).rows
        end
      end,
    }
    assert.equal(#whole, #assert(report():fetch()).rows)
    assert.equal(2, #inner)
  end)

  it("ends its running cursors when it is closed", function()
    local a, b, c = report():rows(), client:report("custom_rows_100000"):range("LastHour"):rows(), report():rows()
    assert(a:next())
    assert(b:next())
    client:close()
    for _, rows in ipairs { a, b, c } do
      local row, err = rows:next()
      while row do row, err = rows:next() end
      assert.equal("cancelled", err and err.kind, tostring(err))
      assert.equal(rows == c and "the client is closed; connect again" or "the client was closed", err.message)
    end
    local report_after, err = report():fetch()
    assert.is_nil(report_after)
    assert.equal("cancelled", err.kind)
    client:close()
  end)

  it("ends a cursor that is closed, once or twice, running or not", function()
    local rows = report():rows()
    assert(rows:next())
    rows:close()
    rows:close()
    local row, err = rows:next()
    assert.is_nil(row)
    assert.equal("cancelled", err.kind)
    assert.is_false(err.retryable)
    local idle = report():rows()
    idle:close()
    row, err = idle:next()
    assert.is_nil(row)
    assert.equal("cancelled", err.kind)
    local ended = report():limit(1):rows()
    assert(ended:next())
    assert.is_nil(ended:next())
    ended:close()
    row, err = ended:next()
    assert.is_nil(row)
    assert.is_nil(err)
  end)

  it("keeps its connections of before a closed cursor for others", function()
    for _ = 1, 5 do
      local rows = client:report("custom_rows_100000"):range("LastHour"):rows()
      assert(rows:next())
      rows:close()
    end
    assert.equal(#whole, #assert(report():fetch()).rows)
  end)
end)

describe("what is left behind", function()
  before_each(fresh)
  after_each(done)

  -- Bytes that the sandbox could send of the last request: nil while it still runs.
  local function sent_bytes()
    for _ = 1, 100 do
      local log = support.log()
      if log[#log].bytes then return log[#log].bytes end
      support.shell "sleep 0.02"
    end
  end

  it("by break is nothing: on Lua 5.4 the transfer ends at once, elsewhere when the cursor is collected", function()
    local kept
    local function early()
      for row in client:report("custom_rows_300000"):range("LastHour"):rows() do
        kept = kept or row
        if kept then break end
      end
    end
    collectgarbage "stop"
    early()
    if _VERSION < "Lua 5.4" then support.collect() end
    -- the sandbox sees the connection go long before all is sent
    local bytes = sent_bytes()
    collectgarbage "restart"
    assert.equal(1, kept.sum_packetdeltacount)
    assert.is_number(bytes, "the transfer still runs")
    assert.is_true(bytes < 100e6, "all was sent")
  end)

  if _VERSION >= "Lua 5.4" then
    it("by break, return and error closes the cursor from Lua 5.4 on", function()
      local load = load or loadstring
      local run = load [[
        local query, how = ...
        local cursor
        local function body()
          local a, b, c, d = query:rows()
          cursor = d
          for _ in a, b, c, d do
            if how == "break" then break elseif how == "return" then return else error "mine" end
          end
        end
        pcall(body)
        return cursor
      ]]
      for _, how in ipairs { "break", "return", "error" } do
        local cursor = run(report(), how)
        assert.matches("^scrutinizer%.Cursor %(closed%): ", tostring(cursor))
        local _, err = cursor:next()
        assert.equal("cancelled", err.kind)
      end
      -- a client is closed by its scope
      local closed = load [[
        local connect = ...
        local kept
        do
          local c <close> = connect()
          kept = c
        end
        return kept
      ]](support.connect)
      assert.matches("%(closed%)", tostring(closed))
    end)
  end

  it("is collected: clients, queries, cursors, exchanges and rows", function()
    local weak = setmetatable({}, { __mode = "k" })
    local function use()
      local other = support.connect { on_event = function() end }
      local query = report(other)
      local running, ended, unused = query:rows(), query:limit(1):rows(), query:rows()
      weak[other], weak[query], weak[running], weak[ended], weak[unused] = "client", "query", "running cursor", "ended cursor", "cursor"
      weak[assert(running:next())] = "row"
      weak[running._exchange], weak[running._exchange.transfer], weak[running._decoder] = "exchange", "transfer", "decoder"
      while ended:next() do end
      local decoder = scrutinizer.decoder {}
      assert(decoder:feed '{"report":{"table":{"inbound":{"columns":[')
      weak[decoder] = "decoder by itself"
    end
    use()
    assert.is_not_nil(next(weak))
    support.collect()
    local left = {}
    for _, what in pairs(weak) do left[#left + 1] = what end
    assert.same({}, left)
  end)

  it("keeps no descriptors: 50 clients, closed or dropped, running or done", function()
    local function use(i)
      local other = support.connect()
      local rows = other:report("custom_rows_20"):range("LastHour"):rows()
      assert(rows:next())
      if i % 3 == 0 then
        while rows:next() do end
      elseif i % 3 == 1 then
        other:close()
      end
    end
    use(1)
    support.collect()
    local before = support.descriptors()
    for i = 1, os.getenv "SCRUTINIZER_SANITIZED" and 12 or 50 do use(i) end
    support.collect()
    assert.equal(before, support.descriptors())
  end)
end)
