-- What goes wrong on a network, against a `for` loop, `fetch` and `users:create`: what the user sees, which rows were given, and how many
-- requests were sent. Reads may be sent twice here, writes never are.
local python_server = require "spec.python_server"
local support = require "spec.support"

local FROM, TO = 1795341600, 1795342800
local whole, box, serial = nil, support.sandbox(), 0

-- ---- servers beside the sandbox ----

local raw = {}

local function start_raw()
  local home = box.ca:match "^(.*)/[^/]*$"
  local line
  raw.log = os.tmpname()
  raw.pipe, line = python_server.start("raw_server", ("%s/server.pem %s/server.key %s"):format(home, home, raw.log))
  raw.port, raw.silent = line:match "(%d+) (%d+)"
end

local function raw_requests()
  local count = 0
  for _ in io.lines(raw.log) do count = count + 1 end
  return count
end

-- ---- the table ----

local function switch(name, value) return { kind = "switch", name = name, value = value } end
local function json(body, status) return { kind = "status", status = status or 200, body = body, content_type = "application/json" } end
local function status(code, headers)
  return { kind = "status", status = code, body = "<html>no</html>", content_type = "text/html", headers = headers }
end
local function redirect(location, code) return { kind = "redirect", location = location, status = code } end
local SELF = "%(HTTP 30%d%)"
local CELL = '{"rawValue":"%s","label":"x","title":"x"}'
local function table_of(columns, rows, more)
  return json(('{"report":{"table":{"inbound":{%s"columns":[%s],"rows":[%s]}}}}'):format(more or "", columns, rows))
end
-- These servers know nothing of offsets: a second request would not give the rest.
local ONCE = { retry = false }
local COLUMN = '{"elementName":"sum_a","label":"a","title":"a"}'

-- Each row: what happens to every request (`faults`, or a whole queue of them; `raw`: an answer of spec/servers/raw_server.py); what a read sees:
-- kind, pattern, whether it may succeed later, rows given ("all", "some", or how many), requests sent; what a write sees, where that is not
-- the same kind and pattern ("ok": nothing).
local ROWS = {
  -- connecting
  { "refused connection", options = { url = "https://127.0.0.1:1" }, "connect", "127%.0%.0%.1", true, 0, 0 },
  { "name not found", options = { url = "https://no-such-host.invalid" }, "connect", "no%-such%-host%.invalid", true, 0, 0 },
  { "nobody takes the connection", raw = "silent", options = { connect_timeout = 0.3 }, "timeout",
    "connecting took longer than 300 ms", true, 0, 0 },
  -- ended too early
  { "ended before the header", faults = { kind = "drop" }, "connect", "", true, 0, 2 },
  { "reset before the header", faults = { kind = "reset" }, "connect", "", true, 0, 2 },
  { "ended within the header", raw = "header_cut", "truncated", "header was cut short", true, 0, 2 },
  { "reset behind the header", faults = { kind = "reset", after_bytes = 0 }, "truncated", "ended early", true, 0, 2,
    write = { "truncated", "" } },
  { "reset in the middle of a row", faults = { kind = "reset", after_bytes = 40001 }, "truncated", "ended early", true, "some", 2,
    write = { "truncated", "" } },
  { "cut with Content-Length", faults = { kind = "truncate", at = 40001, length = 90000 }, "truncated", "ended early", true, "some", 2,
    write = { "truncated", "" } },
  { "nothing of a Content-Length", faults = { kind = "truncate", at = 0 }, "truncated", "ended early", true, 0, 2, write = { "truncated", "" } },
  { "cut without Content-Length", raw = "cut_without_length", options = ONCE, "truncated", "ended early", true, "some", 1,
    write = { "truncated", "" } },
  { "chunked without end", faults = { kind = "unended", at = 40001 }, "truncated", "ended early", true, "some", 2,
    write = { "truncated", "" } },
  { "chunked, cut within the first", raw = "chunk_cut", options = ONCE, "truncated", "ended early", true, "some", 1,
    write = { "truncated", "" } },
  { "a chunk of nonsense length", raw = "chunk_bad", options = ONCE, "truncated", "", true, "some", 1, write = { "truncated", "" } },
  { "JSON cut in a whole answer", faults = json '{"report":{"table":{"inbound":{"columns":[', "truncated", "ended early", true, 0, 2,
    write = { "truncated", "" } },
  { "Content-Length too short", raw = "length_short", options = ONCE, "truncated", "ended early", true, "some", 1, write = { "truncated", "" } },
  { "Content-Length too long", raw = "length_long", options = ONCE, "truncated", "", true, "some", 1, write = { "truncated", "" } },
  -- too slow
  { "slow header", faults = { kind = "delay", seconds = 1 }, options = { timeout = 0.3 }, "timeout", "waited 0%.3 s .*%(timeout%)", true, 0, 2 },
  { "header byte by byte", raw = "header_slow", options = { timeout = 0.3 }, "timeout", "%(timeout%)", true, 0, 2 },
  { "one byte a second", faults = { kind = "drip", bytes_per_second = 1 }, options = { low_speed = { bytes = 50, seconds = 0.3 } },
    "timeout", "less than 50 bytes per second for 0%.3 s %(low_speed%)", true, 0, 2 },
  { "stalls in the middle", faults = { kind = "stall", after_bytes = 40001, seconds = 2 }, options = { timeout = 1 }, "timeout",
    "%(timeout%)", true, "some", 2, write = { "timeout", "" } },
  -- elsewhere
  { "301 to another host", faults = redirect("https://elsewhere.example/fcgi/scrut_fcgi.fcgi", 301), "http",
    SELF .. " to https://elsewhere%.example/fcgi", false, 0, 1 },
  { "302 to another host", faults = redirect "https://elsewhere.example/?authToken=abc", "http",
    SELF .. " to https://elsewhere%.example/:", false, 0, 1 },
  { "307 to another host", faults = redirect("//elsewhere.example/x", 307), "http", SELF .. " to //elsewhere%.example/x", false, 0, 1 },
  { "302 to http", faults = redirect "http://127.0.0.1/fcgi/scrut_fcgi.fcgi", "http", SELF .. " to http://127%.0%.0%.1/", false, 0, 1 },
  { "308 to http", faults = redirect("http://127.0.0.1:1/", 308), "http", SELF .. " to http://127%.0%.0%.1:1/", false, 0, 1 },
  { "302 to a login page", faults = redirect "/login.html?next=/", "http", SELF .. " to /login%.html:", false, 0, 1 },
  { "302 in a circle", faults = redirect "/fcgi/scrut_fcgi.fcgi", "http", SELF, false, 0, 2, writes = 1 },
  { "302 that lost the path, once", queue = { redirect(box.url .. "/") }, nil, nil, nil, "all", 2,
    write = { "http", "unknown whether the write was executed", false }, writes = 1 },
  { "303 to its start page, once", queue = { redirect("/", 303) }, nil, nil, nil, "all", 2,
    write = { "http", "the write was executed", false }, writes = 1 },
  { "307 without the path, once", queue = { redirect("/", 307) }, nil, nil, nil, "all", 2, write = "ok", writes = 2 },
  { "302 to nowhere", raw = "redirect_nowhere", "http", "302.*without a target", false, 0, 1 },
  { "302 to a port that refuses", faults = redirect "https://127.0.0.1:1/", "connect", "127%.0%.0%.1:1", true, 0, 1,
    write = { "http", "https://127%.0%.0%.1:1/: it is unknown", false } },
  -- refused by status
  { "401", faults = status(401), "auth", "HTTP status 401", false, 0, 1 },
  { "403", faults = status(403), "auth", "HTTP status 403", false, 0, 1 },
  { "407", faults = status(407), "auth", "HTTP status 407", false, 0, 1 },
  { "404", faults = { kind = "404" }, "http", "HTTP status 404", false, 0, 1 },
  { "418", faults = status(418), "http", "HTTP status 418", false, 0, 1 },
  { "429", faults = status(429, { ["Retry-After"] = "0" }), "http", "HTTP status 429", true, 0, 2 },
  { "500", faults = { kind = "500" }, "http", "HTTP status 500", false, 0, 1 },
  { "502", faults = status(502), "http", "HTTP status 502", true, 0, 2 },
  { "503 with Retry-After", faults = { kind = "503", seconds = 0 }, "http", "HTTP status 503", true, 0, 2 },
  { "503 with too long a Retry-After", faults = { kind = "503", seconds = 9999 }, "http", "HTTP status 503", true, 0, 1 },
  { "503 with JSON", faults = json('{"err":"The collector starts."}', 503), "http", "HTTP 503.*The collector starts%.", true, 0, 2 },
  { "504", faults = status(504), "http", "HTTP status 504", true, 0, 2 },
  { "204", faults = { kind = "status", status = 204 }, "http", "HTTP status 204", false, 0, 1 },
  { "206", faults = json('{"report"', 206), "http", "HTTP status 206", false, 0, 1 },
  -- 200, and no report
  { "HTML", faults = { kind = "html" }, "decode", "<html>", false, 0, 1, write = { "decode", "not JSON" } },
  { "nothing at all", faults = { kind = "empty" }, "decode", "empty", false, 0, 1 },
  { "a list", faults = json "[]", "decode", "not a JSON object", false, 0, 1, write = { "decode", "" } },
  { "an object without report", faults = json "{}", "decode", "no report", false, 0, 1, write = { "decode", "" } },
  { "not HTTP", raw = "garbage", "http", "", false, 0, 1 },
  { "headers without end", raw = "header_huge", "limit", "headers are longer", false, 0, 1 },
  { "two Content-Lengths", raw = "two_lengths", options = ONCE, "truncated", "", true, "some", 1, write = { "truncated", "" } },
  -- compressed
  { "wrong gzip", faults = { kind = "bad_gzip", how = "corrupt" }, "decode", "", false, "some", 1, write = { "decode", "" } },
  { "gzip that is none", faults = { kind = "bad_gzip", how = "plain" }, "decode", "compressed", false, 0, 1, write = { "decode", "" } },
  { "gzip cut short", faults = { kind = "bad_gzip", how = "cut" }, "truncated", "compressed", true, "some", 2, write = { "truncated", "" } },
  { "an unknown coding", raw = "encoding_unknown", "decode", "Content%-Encoding", false, 0, 1 },
  { "gzip bomb", faults = { kind = "gzip" }, report = "custom_rows_300000", options = { max_body = 1000000 }, "limit", "max_body", false, "many", 1,
    write = "ok" },
  -- refused by the appliance
  { "bad token", faults = { kind = "bad_token" }, "auth", "refuses the token", false, 0, 1 },
  { "expired token", faults = json '{"err":"The authentication token has expired.","details":"invalidToken"}', "auth", "has expired", false, 0, 1 },
  { "bad token with 401", queue = { { { kind = "bad_token" }, switch("error_status", "401") } }, "auth", "refuses the token", false, 0, 1 },
  { "refused address", faults = { kind = "refused" }, "auth", "does not know this address", false, 0, 1 },
  { "no token", options = { token = false }, "auth", "no token was sent", false, 0, 1 },
  { "report.error", faults = { kind = "report_error", text = "No such table." }, "api", "No such table%.", false, 0, 1, write = { "decode", "" } },
  { "err without details", faults = json '{"err":"The database is away."}', "api", "The database is away%.", false, 0, 1 },
  -- a report of the wrong shape
  { "a counter that is text", faults = table_of(COLUMN, "[" .. CELL:format "12x" .. "]"), "decode", "sum_a", false, 0, 1, write = { "decode", "" } },
  { "a row too short", faults = table_of(COLUMN .. "," .. COLUMN, "[" .. CELL:format "1" .. "]"), "decode", "1 cells for 2 columns", false, 0, 1,
    write = { "decode", "" } },
  { "a structural key twice", faults = table_of(COLUMN, "", '"rows":[],'), "decode", "'rows' occurs twice", false, 0, 1, write = { "decode", "" } },
  -- pages
  { "capped by the server", faults = switch("max_rows", 60), nil, nil, nil, "all", 3, write = "ok" },
  { "rows that change", query = "pages", queue = { { kind = "none" }, { switch("late_flows", 3000), switch("late_octets", 100000) } },
    "changed", "", true, 50, 2, write = "ok" },
  { "ties in another order", query = "ties", queue = { { kind = "none" }, switch("ties", "reverse") }, "changed",
    "is not the same as before", true, "some", 2, write = "ok" },
  { "a page that comes twice", query = "pages", queue = { { kind = "none" }, { switch("late_flows", 20), switch("late_hosts", "new"),
    switch("late_octets", 1e9), switch("total_value", 150) } }, "changed", "", true, 50, 2, write = "ok" },
  { "a moved window", query = "pages", queue = { { kind = "none" }, switch("time_details", "exact") }, "changed",
    "time range has changed", true, 50, 2, write = "ok" },
  { "an empty page", query = "pages", queue = { { kind = "none" }, { switch("max_rows", 0), switch("empty", "no_rows") } },
    "truncated", "empty page", true, 50, 2, write = "ok" },
  { "total too small", faults = switch("total_value", 5), nil, nil, nil, "all", 2, write = "ok" },
  { "total too large", faults = switch("total_value", 500), "truncated", "of 500 rows", true, "all", 2, write = "ok" },
  { "total huge", faults = switch("total_value", 2 ^ 52), "truncated", "of 45035996273%d+ rows", true, "all", 2, write = "ok" },
  { "total negative", faults = switch("total_value", -1), "decode", "totalRowCount", false, "many", 1, write = "ok" },
  { "total missing", faults = switch("total", "missing"), nil, nil, nil, "all", 2, write = "ok" },
  { "total a number", faults = switch("total", "number"), nil, nil, nil, "all", 1, write = "ok" },
  { "total no number", faults = table_of(COLUMN, "", '"totalRowCount":"many",'), "decode", "totalRowCount", false, 0, 1, write = { "decode", "" } },
}

-- ---- running one ----

local function url_of(row)
  if not row.raw then return nil end
  if row.raw == "silent" then return "https://127.0.0.1:" .. raw.silent end
  return ("https://127.0.0.1:%s/%s"):format(raw.port, row.raw)
end

local function prepare(row)
  support.clear()
  support.switches { rows_before_columns = "never" }
  if row.raw then assert(io.open(raw.log, "w")):close() end
  local queue = row.queue
  if row.faults then
    row.faults.times = 0
    queue = { row.faults }
  end
  if queue then support.faults(queue) end
end

local function requests(row)
  if row.raw == "silent" then return 0 end
  return row.raw and raw_requests() or #support.log()
end

local function client_of(row)
  local options = { retry = { attempts = 2, base = 0.001, cap = 0.002, deadline = 60 }, url = url_of(row) }
  for name, value in pairs(row.options or {}) do options[name] = value end
  return support.connect(options)
end

-- A page's end at the first of several rows with the same octets.
local function tie()
  local at = 60
  while whole[at - 1].sum_octetdeltacount == whole[at].sum_octetdeltacount
    or whole[at].sum_octetdeltacount ~= whole[at + 1].sum_octetdeltacount do
    at = at + 1
  end
  return at
end

local function query_of(row, client)
  local query = client:report(row.report or "host2host"):between(FROM, TO)
  if row.query == "pages" then query = query:page_size(50) end
  if row.query == "ties" then query = query:page_size(tie()) end
  return query
end

local function check_error(err, kind, pattern, retryable)
  assert.equal(kind, err and err.kind, tostring(err))
  assert.matches(pattern, err.message)
  if retryable ~= nil then assert.equal(retryable, err.retryable) end
  assert.is_nil(err.message:find("\n", 1, true))
  assert.is_nil(err.message:find(box.token, 1, true))
end

local function check_rows(row, given)
  local wanted = row[5]
  if wanted == "all" then wanted = #whole end
  if type(wanted) == "number" then assert.equal(wanted, #given) end
  if wanted == "some" then assert.is_true(#given > 0 and #given < #whole, #given .. " rows") end
  if row.report then return end
  for i, got in ipairs(given) do
    if row.raw then assert.same({ sum_a = i }, got) else assert.same(whole[i], got) end
  end
end

local function loop(row)
  local client, given = client_of(row), {}
  local good, err = pcall(function()
    for got in query_of(row, client):rows() do given[#given + 1] = got end
  end)
  client:close()
  if row[2] then
    assert.is_false(good)
    check_error(err, row[2], row[3], row[4])
  else
    assert.is_true(good, tostring(err))
  end
  check_rows(row, given)
  assert.equal(row[6], requests(row))
end

local function fetch(row)
  local client = client_of(row)
  local report, err = query_of(row, client):fetch()
  client:close()
  if row[2] then
    assert.is_nil(report)
    check_error(err, row[2], row[3], row[4])
  else
    check_rows(row, assert(report, tostring(err)).rows)
  end
  assert.equal(row[6], requests(row))
end

-- After these nothing of a write was done, so it may be sent again: it was not sent, or the answer says so.
local UNDONE = { ["refused connection"] = true, ["name not found"] = true, ["nobody takes the connection"] = true, ["429"] = true,
  ["503 with Retry-After"] = true, ["503 with too long a Retry-After"] = true }

local function create(row)
  local client = client_of(row)
  serial = serial + 1
  local name = "matrix" .. serial
  local made, err = client.users:create { { name = name, password = "matrix secret" } }
  client:close()
  local wanted = row.write or { row[2], row[3], row[4] and UNDONE[row[1]] or false }
  if wanted == "ok" then
    assert.equal(name, assert(made, tostring(err))[1].name)
  else
    assert.is_nil(made)
    check_error(err, wanted[1], wanted[2], wanted[3] or false)
    assert.is_nil(err.message:find("matrix secret", 1, true))
  end
  assert.equal(row.writes or math.min(1, row[6]), requests(row))
end

describe("the fault matrix", function()
  setup(function()
    start_raw()
    support.clear()
    local client = support.connect()
    whole = assert(client:report("host2host"):between(FROM, TO):fetch()).rows
    client:close()
    assert.equal(150, #whole)
  end)

  teardown(function()
    raw.pipe:close()
    os.remove(raw.log)
    support.reset "accounts"
    support.clear()
  end)

  it("has its rows", function() assert.is_true(#ROWS >= 60, #ROWS) end)

  -- What the network does is the same for every Lua: the others look at some of it.
  local step = (os.getenv "SANDBOX_CHECKED" or support.sanitized) and 7 or 1
  for i = 1, #ROWS, step do
    local row = ROWS[i]
    it(row[1] .. ": a for loop, fetch and users:create", function()
      for _, run in ipairs { loop, fetch, create } do
        prepare(row)
        run(row)
      end
      assert.same({}, support.violations())
    end)
  end
end)
