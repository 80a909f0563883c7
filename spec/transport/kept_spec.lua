-- A kept connection is clean, or no request goes out on it: whatever a server leaves behind its answer, each request is sent once, on a
-- connection that nothing waits on, and has its own answer. The brothers that were looked for: a whole answer, parts of one (whose rest comes
-- later), 408, 100, a line end, a byte, an alert, close_notify, FIN, a close and a reset; with the answer (one write, chunks), in a TLS record
-- of its own, where libcurl stops reading just before it (then OpenSSL holds it), and later; reads, writes and what runs side by side.
local core = require "scrutinizer.core"
local kept = require "spec.kept"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local FROM, TO = 1795341600, 1795342800

local function counting(options)
  local counts = { request = 0, retry = 0, reused = 0 }
  options.on_event = function(event)
    if counts[event.type] then counts[event.type] = counts[event.type] + 1 end
    if event.reused then counts.reused = counts.reused + 1 end
  end
  return assert(scrutinizer.connect(options)), counts
end

local function sum(rows)
  local total = 0
  for row in rows do total = total + row.sum_packetdeltacount end
  return total
end

local function query_of(client) return client:report("custom_rows_40"):between(FROM, TO):select("sourceipaddress", "sum_packetdeltacount") end
local function series_of(client) return assert(client:report("host2host"):between(FROM, FROM + 300):series()) end

-- What the sandbox says when it is asked directly.
local series

-- Every way of asking, each with the value that it must have.
local WAYS = {
  rows = function(client) assert.equal(820, sum(query_of(client):page_size(30):rows())) end,
  aggregate = function(client)
    assert.same({ { sum_packetdeltacount = 820 } }, query_of(client):aggregate { sum = { "sum_packetdeltacount" } })
  end,
  fetch = function(client)
    local report = assert(query_of(client):fetch())
    assert.same({ 40, 40, 40 }, { #report.rows, report.total, report.rows[40].sum_packetdeltacount })
  end,
  series = function(client) assert.same(series, series_of(client)) end,
  plain = function(client) assert.equal(true, client:ping()) end,
  write = function(client)
    assert.is_table(client:call { rm = "licensing" }) -- may be one
    local made = assert(client.users:create { { name = "kept", password = "a secret of it" } })
    assert.same({ "kept", 1 }, { made[1].name, #made })
    assert.equal(tostring(made[1].id), support.state("SELECT id FROM users WHERE name = 'kept'")[1])
    assert.same({ { name = "kept" } }, client.users:delete { "kept" })
  end,
  gather = function(client)
    local query = query_of(client)
    local list, failed = client:gather { query, query:limit(3), query:limit(7), concurrency = 2 }
    assert.same({ 0, 40, 3, 7 }, { failed, #list[1].rows, #list[2].rows, #list[3].rows })
  end,
  prefetch = function(client) assert.equal(820, sum(query_of(client):page_size(20):prefetch(2):rows())) end,
}
local ORDER = { "rows", "plain", "aggregate", "write", "fetch", "series", "gather", "prefetch" }

local TRANSPORTS, TLS_ONLY = kept.TRANSPORTS, kept.TLS_ONLY
local LEFT = { "second", "half", "head", "timeout", "continue", "crlf", "byte", "fin", "alert", "close_notify" }
local HOW = { "length", "chunked", "apart", "trimmed" }


-- Counts what the look at a connection costs: calls that only the core makes, and the processor's time for them.
local COUNT = [[
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
static long peeks, unsent, spent;
static long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}
ssize_t recv(int fd, void *data, size_t len, int flags) {
  static ssize_t (*real)(int, void *, size_t, int);
  long before;
  ssize_t n;
  if (!real) real = (ssize_t (*)(int, void *, size_t, int))dlsym(RTLD_NEXT, "recv");
  if (flags != (MSG_PEEK | MSG_DONTWAIT)) return real(fd, data, len, flags);
  before = now();
  n = real(fd, data, len, flags);
  spent += now() - before;
  peeks++;
  return n;
}
int ioctl(int fd, unsigned long what, ...) {
  static int (*real)(int, unsigned long, ...);
  long before = now();
  va_list rest;
  void *value;
  int n;
  va_start(rest, what);
  value = va_arg(rest, void *);
  va_end(rest);
  if (!real) real = (int (*)(int, unsigned long, ...))dlsym(RTLD_NEXT, "ioctl");
  n = real(fd, what, value);
  if (what == TIOCOUTQ) {
    spent += now() - before;
    unsent++;
  }
  return n;
}
__attribute__((destructor)) static void tell(void) {
  long i, before;
  for (i = 0; i < peeks + unsent; i++) { /* what the clock itself takes */
    before = now();
    spent -= now() - before;
  }
  printf("%ld peeks, %ld unsent, %ld ns\n", peeks, unsent, spent);
}
]]
local ASK_OFTEN = [[
local reused = 0
local client = assert(require("scrutinizer").connect { url = %q, token = %q, tls = { ca_file = %q }, retry = false,
  on_event = function(event) if event.reused then reused = reused + 1 end end })
for _ = 1, 300 do assert(client:ping()) end
client:close()
print(reused .. " reused")
]]

describe("behind each answer", function()
  setup(function()
    support.clear()
    kept.start()
    local client = support.connect()
    series = series_of(client)
    client:close()
  end)
  teardown(kept.stop)
  support.clean_for_each(function()
    kept.seen()
  end)

  -- One client asks in some ways, then once more: what comes of it, and what the server has seen.
  local function ask(transport, what, how, ways)
    local client, counts = counting(kept.options(transport, what, how))
    for _, way in ipairs(ways) do
      local good, message = pcall(WAYS[way], client)
      if not good then error(("%s (%s): %s"):format(way, how, tostring(message)), 0) end
    end
    assert.equal(true, client:ping())
    client:close()
    local seen, probes = kept.seen(), transport == "http" and 1 or 0
    assert.same({ requests = counts.request + probes, late = 0, retries = 0 },
      { requests = seen.requests, late = seen.late, retries = counts.retry }, how)
    return seen, counts, probes
  end

  -- The ways take turns with how it is left, so that all meet.
  local function turn(n)
    local ways = {}
    for i = 1, #ORDER do
      if (i + n) % #HOW == 0 then ways[#ways + 1] = ORDER[i] end
    end
    return ways
  end

  for i, what in ipairs(LEFT) do
    for j, transport in ipairs(TRANSPORTS) do
      if transport ~= "http" or not TLS_ONLY[what] then
        it(("%s waits (%s): a new connection, once"):format(what, transport), function()
          local requests = 0
          for k, how in ipairs(HOW) do
            local seen, counts, probes = ask(transport, what, how, turn(i + j + k))
            assert.is_true(counts.reused <= probes, how) -- where the look's answer was read whole
            assert.equal(seen.requests - counts.reused, seen.connections, how)
            requests = requests + counts.request
          end
          assert.equal(requests, #support.log())
        end)
      end
    end
  end

  for _, transport in ipairs(TRANSPORTS) do
    it(("nothing waits (%s): the connection is used again"):format(transport), function()
      local seen, counts, probes = ask(transport, "nothing", "chunked", { "fetch", "plain", "aggregate", "series" })
      assert.same({ 1, counts.request - 1 + probes }, { seen.connections, counts.reused })
    end)
  end

  -- libcurl 8 itself takes no connection where anything waits.
  local again = tonumber(support.shell "pkg-config --modversion libcurl":match "^%d+") < 8
  it("session tickets wait (TLS 1.3): the connection is used again by libcurl 7, and a new one by libcurl 8", function()
    local seen, counts = ask("TLS 1.3", "ticket", "length", { "fetch", "plain", "aggregate" })
    local reused = again and counts.request - 1 or 0
    assert.same({ counts.request - reused, reused }, { seen.connections, counts.reused })
  end)

  -- The client does something else meanwhile.
  for _, transport in ipairs(TRANSPORTS) do
    it(("whatever comes while the connection is idle (%s)"):format(transport), function()
      for _, what in ipairs { "second", "half", "timeout", "crlf", "closed", "reset", "alert", "close_notify" } do
        if transport ~= "http" or not TLS_ONLY[what] then
          local client, counts = counting(kept.options(transport, what, "later"))
          for _ = 1, 3 do
            assert.equal(true, client:ping(), what)
            support.shell "sleep 0.1"
          end
          WAYS.write(client)
          client:close()
          local seen, probes = kept.seen(), transport == "http" and 1 or 0
          assert.is_true(counts.reused <= probes, what)
          assert.same({ requests = counts.request + probes, connections = seen.requests - counts.reused, late = 0 }, seen, what)
          assert.equal(0, counts.retry, what)
        end
      end
    end)
  end

  -- What comes after the look and is no answer: asked again. A whole answer that comes then nobody can tell from the right one.
  for _, transport in ipairs(TRANSPORTS) do
    it(("the request crosses an idle connection's end (%s): asked again"):format(transport), function()
      for _, what in ipairs { "timeout", "crlf", "byte", "fin", "reset", "alert", "close_notify" } do
        if transport ~= "http" or not TLS_ONLY[what] then
          for _, more in ipairs(what == "timeout" and { {}, { encoding = "multipart" }, { method = "GET" } } or { {} }) do
            local options = kept.options(transport, what, "crossing")
            for name, value in pairs(more) do options[name] = value end
            local client, counts = counting(options)
            WAYS.rows(client)
            client:close()
            local seen, probes = kept.seen(), transport == "http" and 1 or 0
            assert.same({ requests = counts.request + probes, connections = counts.request, late = 0 }, seen, what)
            assert.equal(0, counts.retry)
          end
        end
      end
    end)
  end

  it("an answer that begins before all of the request has arrived is none", function()
    for _, transport in ipairs(TRANSPORTS) do
      local options, http = kept.options(transport, "second", "crossing"), core.http()
      local function post(body)
        local transfer = assert(http:start {
          url = options.url, allow_http = true, ca_blob = kept.authority(), proxy = "", method = "POST", body = body,
        })
        local answer = ""
        while true do
          local text, kind, message = transfer:read()
          if text == nil then
            assert.is_nil(kind, message)
            return answer, transfer:info().reused
          end
          answer = answer .. (text or "")
          if not text then
            assert(http:step())
            assert(http:wait(0.02))
          end
        end
      end
      assert.same({ '{"err":"nothing was asked"}', false }, { post "small" })
      assert.same({ '{"err":"nothing was asked"}', false }, { post(("x"):rep(2 ^ 24)) })
      http:close()
      assert.same({ requests = 2, connections = 2, late = 0 }, kept.seen())
    end
  end)

  it("costs two system calls a request, and less than 20 µs", function()
    if support.sanitized then return end -- it stands between the core and the system itself
    local path, options = support.folder(), kept.options("TLS 1.3", "nothing", "length")
    finally(function() support.shell("rm -rf " .. path) end)
    support.write(path .. "/count.c", COUNT)
    support.shell(("cc -shared -fPIC -O2 -o %s/count.so %s/count.c -ldl"):format(path, path))
    local script = ASK_OFTEN:format(options.url, options.token, options.tls.ca_file)
    local said = support.shell(("LD_PRELOAD=%s/count.so %s -e %s 2>&1"):format(path, support.lua, support.quote(script)))
    local reused, peeks, unsent, nanoseconds = said:match "(%d+) reused.-(%d+) peeks, (%d+) unsent, (-?%d+) ns"
    assert(reused, said)
    assert.same({ 299, 299, 299 }, { tonumber(reused), tonumber(peeks), tonumber(unsent) })
    assert.is_true(tonumber(nanoseconds) / 299 < 20000, said)
  end)
end)
