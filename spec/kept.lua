--- For specs: the sandbox behind spec/servers/kept_server.py, which leaves something on its connections when it has answered.

local assert = require "luassert"
local python_server = require "spec.python_server"
local support = require "spec.support"

local kept = {}

local dir, pipe
local ports = {}

local function read(name) return support.read(dir .. "/" .. name) end

function kept.start()
  local box = support.sandbox()
  dir = support.certificates()
  local line
  pipe, line = python_server.start("kept_server", ("%s/good.pem %s/good.key %s/log %s %s"):format(dir, dir, dir, box.url:match ":(%d+)$",
    support.quote(box.ca)))
  ports.http, ports["TLS 1.2"], ports["TLS 1.3"] = line:match "(%d+) (%d+) (%d+)"
end

function kept.stop()
  pipe:close()
  support.shell("rm -rf " .. dir)
end

--- Options of `connect` for a server that leaves something: what and how as spec/servers/kept_server.py has them, over "http", "TLS 1.2" or
--- "TLS 1.3".
function kept.options(transport, what, how)
  return {
    url = ("%s://127.0.0.1:%s/%s/%s/"):format(transport == "http" and "http" or "https", ports[transport], what, how),
    token = support.sandbox().token, tls = { ca_file = dir .. "/ca.pem" }, allow_http = transport == "http", retry = false,
  }
end

--- The authority of its certificate.
function kept.authority() return read "ca.pem" end

--- Lua text of a function that asks in many ways with a client of these options, inside whatever host: gives what it got as a text, which
--- is kept.RIGHT, and how many requests there were, how many of them were tried again or went over a kept connection.
kept.ASK = [[function(options)
  local counts = { request = 0, retry = 0, reused = 0 }
  options.on_event = function(event)
    if counts[event.type] then counts[event.type] = counts[event.type] + 1 end
    if event.reused then counts.reused = counts.reused + 1 end
  end
  local client = assert(require("scrutinizer").connect(options))
  local query = client:report("custom_rows_40"):between(1795341600, 1795342800):select "sum_packetdeltacount"
  local function sum(of)
    local total = 0
    for row in of:rows() do total = total + row.sum_packetdeltacount end
    return total
  end
  local said = { sum(query), sum(query:page_size(10):prefetch(2)) }
  said[3] = assert(query:aggregate { sum = { "sum_packetdeltacount" } })[1].sum_packetdeltacount
  said[4] = tostring(client:ping())
  said[5] = assert(client.users:create { { name = "kept", password = "a secret of it" } })[1].name
  said[6] = assert(client.users:delete { "kept" })[1].name
  local list = client:gather { query, query:limit(3), query:limit(7), concurrency = 2 }
  for i = 1, 3 do said[6 + i] = #list[i].rows end
  client:close()
  return table.concat(said, " "), counts.request, counts.retry, counts.reused
end]]
kept.RIGHT = "820 820 820 true kept kept 40 3 7"

kept.TRANSPORTS = { "http", "TLS 1.2", "TLS 1.3" }
kept.TLS_ONLY = { alert = true, close_notify = true }

local HOSTED = {
  { "second", "length" }, { "second", "trimmed" }, { "half", "chunked" }, { "timeout", "trimmed" }, { "crlf", "trimmed" }, { "fin", "length" },
  { "alert", "apart" }, { "close_notify", "apart" },
}

local LINE = "lines[#lines + 1] = table.concat({ %q, "
  .. "ask { url = %q, token = %q, tls = { ca_file = %q }, allow_http = true, retry = false } }, ' ')"

--- Lua text for a host: all of these over each transport. Gives a text.
function kept.script()
  local parts = { "local ask, lines = " .. kept.ASK .. ", {}" }
  for _, transport in ipairs(kept.TRANSPORTS) do
    for _, left in ipairs(HOSTED) do
      local o = kept.options(transport, left[1], left[2])
      if transport ~= "http" or not kept.TLS_ONLY[left[1]] then
        parts[#parts + 1] = LINE:format(("%s (%s, %s):"):format(left[1], left[2], transport), o.url, o.token, o.tls.ca_file)
      end
    end
  end
  parts[#parts + 1] = "return table.concat(lines, '\\n')"
  return table.concat(parts, "\n")
end

--- Checks what a host's script gave, and that the server has seen each request once, on a connection of its own.
function kept.check_hosted(text)
  local asked, expected = 0, {}
  for line in text:gmatch "[^\n]+" do
    local name, requests, reused = line:match "^(.-:) .* (%d+) %d+ (%d+)$"
    assert(name, line)
    local probes = name:find("http)", 1, true) and 1 or 0
    assert.equal(("%s %s %s 0 %s"):format(name, kept.RIGHT, requests, reused), line)
    assert.is_true(tonumber(reused) <= probes, line) -- where the look's answer was read whole
    asked, expected[#expected + 1] = asked + requests + probes, name
  end
  assert.equal(3 * #HOSTED - 2, #expected)
  local seen = kept.seen()
  assert.same({ asked, 0 }, { seen.requests, seen.late })
end

--- What the server has seen since the last call: requests, connections, and requests that came where something had been left.
function kept.seen()
  local seen, connections = { requests = 0, connections = 0, late = 0 }, {}
  for line in read("log"):gmatch "[^\n]+" do
    local late, number = line:match "^(l?a?t?e? ?)/%S+ (%d+)"
    seen.requests = seen.requests + 1
    if late ~= "" then seen.late = seen.late + 1 end
    if not connections[number] then seen.connections = seen.connections + 1 end
    connections[number] = true
  end
  assert(io.open(dir .. "/log", "w")):close()
  return seen
end

return kept
