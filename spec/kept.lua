--- For specs: the sandbox behind spec/kept_server.py, which leaves something on its connections when it has answered.

local support = require "spec.support"

local kept = {}

local dir, pipe
local ports = {}

local function read(name)
  local file = io.open(dir .. "/" .. name)
  local text = file and file:read "*a" or ""
  if file then file:close() end
  return text
end

function kept.start()
  local box = support.sandbox()
  dir = support.shell("mktemp -d"):gsub("%s", "")
  assert(support.shell(("spec/certificates.sh %s >%s/said 2>&1 && echo made"):format(dir, dir)) == "made\n", "openssl cannot make certificates")
  pipe = assert(io.popen(("python3 -W ignore spec/kept_server.py %s/good.pem %s/good.key %s/log %s %s >%s/ports"):format(dir, dir, dir,
    box.url:match ":(%d+)$", support.quote(box.ca), dir), "w"))
  for _ = 1, 200 do
    ports.http, ports["TLS 1.2"], ports["TLS 1.3"] = read("ports"):match "(%d+) (%d+) (%d+)\n"
    if ports.http then return end
    support.shell "sleep 0.05"
  end
  error "spec/kept_server.py did not start"
end

function kept.stop()
  pipe:close()
  support.shell("rm -rf " .. dir)
end

--- Options of `connect` for a server that leaves something: what and how as spec/kept_server.py has them, over "http", "TLS 1.2" or "TLS 1.3".
function kept.options(transport, what, how)
  return {
    url = ("%s://127.0.0.1:%s/%s/%s/"):format(transport == "http" and "http" or "https", ports[transport], what, how),
    token = support.sandbox().token, tls = { ca_file = dir .. "/ca.pem" }, allow_http = transport == "http", retry = false,
  }
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
