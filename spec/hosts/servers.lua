--- For specs: the real nginx and the real HAProxy on loopback, with the module as each of them links Lua.

local json = require "cjson"
local sandbox = require "spec.sandbox"
local support = require "spec.support"

local servers = {}

local function trimmed(command)
  return (support.shell(command):gsub("%s+$", ""))
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
end

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read "*a" or ""
  if file then file:close() end
  return text
end

local here = trimmed "pwd"
servers.here = here

--- A loopback port that nobody listens on.
function servers.port()
  return tonumber((trimmed [[python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])']]))
end

--- The path of a program that a spec needs, which Debian has in a package.
function servers.program(name, package)
  local path = trimmed(("PATH=$PATH:/usr/sbin:/sbin command -v %s"):format(name))
  if path == "" then error(("%s is missing: install the package %s (make test does)"):format(name, package), 0) end
  return path
end

-- Debian's packages of the headers that a core is built with.
local HEADERS = { luajit = "libluajit2-5.1-dev", ["lua5.3"] = "liblua5.3-dev", ["lua5.4"] = "liblua5.4-dev" }

--- The core for the Lua that a server links, as its `package.cpath` finds it: built where it lacks. Without it the server would load the core
--- of another Lua, so what is missing is an error.
function servers.core(lua, server)
  local said = support.shell(("env -u OUT -u CFLAGS make -s --no-print-directory core LUA=%s OUT=build/%s CFLAGS='-O2 -g' 2>&1 || echo failed")
    :format(lua, lua))
  if said:find "failed\n$" then
    error(("%s links %s, and the core for that cannot be built. Its headers are in the package %s (make test installs it). make said:\n%s"):format(
      server, lua, HEADERS[lua], said), 0)
  end
  return ("%s/build/%s/?.so"):format(here, lua)
end

--- HAProxy's program: HAPROXY, or the one that is installed.
function servers.haproxy_program()
  return os.getenv "HAPROXY" or servers.program("haproxy", "haproxy")
end

--- The Lua that HAProxy links.
function servers.haproxy_lua()
  return trimmed(("HAPROXY=%s .ci/haproxy-lua"):format(servers.haproxy_program()))
end

--- What a report of these times adds up to, by a plain script: its text in the servers of the specs, and how many rows.
function servers.expected(from, to)
  local client = support.connect()
  local total, count = 0, 0
  for row in client:report("host2host"):between(from, to):rows() do total, count = total + row.sum_octetdeltacount, count + 1 end
  client:close()
  return ("%d rows %.0f"):format(count, total), count
end

--- Runs a spec with an appliance to be killed, which is gone afterwards in any case: run(options of `connect` as Lua text, what
--- `given_by_the_dying` takes).
function servers.with_mortal(run)
  sandbox.during("PORT=0 HTTP_PORT=0 STATE=", function(box)
    local mortal = { kill = box.stop }
    local function ask(page, more)
      return support.shell(("curl -s --cacert %s %s %s/sandbox/%s"):format(box.ca, more or "", box.url, page))
    end
    function mortal.slow()
      ask("faults", [[-d '[{"kind":"drip","bytes_per_second":20000,"after_bytes":5000,"times":5}]']])
    end
    function mortal.seen() return #json.decode(ask "log") end
    run(("{ url = %q, token = %q, tls = { ca_file = %q }, retry = false }"):format(box.url, box.token, box.ca), mortal)
  end)
end

--- Runs a server's spec, and stops the server whatever came of it.
function servers.during(server, run)
  local good, complaint = pcall(run, server)
  if not good then io.stderr:write(server:log()) end
  server:stop()
  if not good then error(complaint, 0) end
end

--- The options of `connect` for the run's sandbox, as Lua text.
function servers.options(more)
  local box = support.sandbox()
  return ("{ url = %q, token = %q, tls = { ca_file = %q }, %s }"):format(box.url, box.token, box.ca, more or "")
end

local Server = {}
Server.__index = Server

--- GET of a path: body, status, seconds.
function Server:get(path, more)
  local out = support.shell(("curl -s -g --noproxy '*' --max-time 60 %s -w '\n%%{http_code} %%{time_total}' 'http://127.0.0.1:%d%s'")
    :format(more or "", self.port, path))
  local body, status, seconds = out:match "^(.*)\n(%d+) (%S+)$"
  return body, tonumber(status), tonumber(seconds)
end

local CONTROL = [[python3 -c '
import re, socket, time
def ask(text):
  s = socket.socket(socket.AF_UNIX); s.connect("%s/control"); s.send(text.encode() + b"\n")
  out = b""
  while True:
    part = s.recv(65536)
    if not part: return out.decode()
    out += part
ended = set()
for _ in range(20): # a busy HAProxy does not list all of them at once
  ids = re.findall(r"^(0x[0-9a-f]+):.*fe=main", ask("show sess"), re.M)
  if not ids: break
  for one in ids: ask("shutdown session " + one)
  ended.update(ids)
  time.sleep(0.2)
print(len(ended))
']]

--- HAProxy only: ends all streams of its frontend, and gives how many there were.
function Server:end_streams()
  return tonumber((support.shell(CONTROL:format(self.dir))))
end

--- What the server has written about errors.
function Server:log()
  return read(self.dir .. "/error.log")
end

--- Many GETs at once, in the background, of a path in which curl's [1-9] counts; comes back after some seconds.
function Server:burst(many, path, seconds, more)
  support.shell(("curl -s -S --noproxy '*' -Z --parallel-immediate --parallel-max %d %s 'http://127.0.0.1:%d%s' >%s/burst 2>/dev/null & sleep %g")
    :format(many, more or "", self.port, path, self.dir, seconds))
end

--- What the last burst has given so far.
function Server:given()
  return read(self.dir .. "/burst")
end

--- What five requests give, for a path in which curl's [1-5] counts, when the appliance dies in the middle of its answers to them.
function Server:given_by_the_dying(path, mortal)
  mortal.slow()
  local before = mortal.seen()
  self:burst(5, path, 1)
  for _ = 1, 300 do -- a busy machine takes its time
    if mortal.seen() >= before + 5 then break end
    support.shell "sleep 0.1"
  end
  support.shell "sleep 1" -- their answers begin
  mortal.kill()
  for _ = 1, 50 do
    if select(2, self:given():gsub("%l+: ", "")) >= 5 then break end
    support.shell "sleep 0.1"
  end
  return self:given()
end

-- Processes below one, itself first.
local function family(pid)
  local list = { pid }
  for child in trimmed(("pgrep -P %d"):format(pid)):gmatch "%d+" do
    for _, one in ipairs(family(tonumber(child))) do list[#list + 1] = one end
  end
  return list
end

--- The process that serves: nginx's worker, HAProxy's.
function Server:worker()
  local list = family(self.pid)
  return list[#list]
end

--- Descriptors of the serving process.
function Server:descriptors()
  return tonumber(trimmed(("ls /proc/%d/fd | wc -l"):format(self:worker())))
end

--- Sockets of the serving process.
function Server:sockets()
  return tonumber(trimmed(("ls -l /proc/%d/fd | grep -c socket:"):format(self:worker())))
end

--- Its resident memory in KiB.
function Server:rss()
  return tonumber(read(("/proc/%d/status"):format(self:worker())):match "VmRSS:%s+(%d+)")
end

local function gone(pid)
  for _ = 1, 100 do
    if trimmed(("kill -0 %d 2>/dev/null && echo there"):format(pid)) == "" then return end
    support.shell "sleep 0.05"
  end
  support.shell(("kill -9 %d"):format(pid))
end

function Server:stop()
  local all = family(self.pid)
  support.shell(("kill %d 2>/dev/null"):format(self.pid))
  for _, pid in ipairs(all) do gone(pid) end
  support.shell("rm -rf " .. self.dir)
end

local function wait_for_port(server)
  for _ = 1, 600 do
    if support.shell(("curl -s --noproxy '*' -o /dev/null -w '%%{http_code}' http://127.0.0.1:%d/up"):format(server.port)) ~= "000" then
      return server
    end
    support.shell "sleep 0.05"
  end
  local log = server:log()
  server:stop()
  error("it does not answer:\n" .. log)
end

-- ---- nginx ----

local NGINX = [[
@MODULES@
@MAIN@
pid @DIR@/pid;
error_log @DIR@/error.log warn;
worker_processes 1;
user root;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path @DIR@/t1; proxy_temp_path @DIR@/t2; fastcgi_temp_path @DIR@/t3; uwsgi_temp_path @DIR@/t4; scgi_temp_path @DIR@/t5;
  lua_package_path "@HERE@/lua/?.lua;@HERE@/lua/?/init.lua;@HERE@/?.lua;;";
  lua_package_cpath "@CORE@;;";
  @HTTP@
  server {
    listen 127.0.0.1:@PORT@;
    location = /up { return 200; }
    @SERVER@
  }
}
]]

--- nginx's program: NGINX_PROGRAM, or the one that is installed.
function servers.nginx_program()
  return os.getenv "NGINX_PROGRAM" or servers.program("nginx", "nginx-light")
end

--- Starts nginx with directives of its configuration's main level, of the http and of the server block.
function servers.nginx(parts)
  local nginx = servers.nginx_program()
  local values = {
    HERE = here, MODULES = trimmed(("examples/nginx_modules %s 2>&1"):format(nginx)), CORE = servers.core("luajit", "nginx"),
    MAIN = parts.main or "", HTTP = parts.http or "", SERVER = parts.server or "",
  }
  local server = setmetatable({ dir = trimmed "mktemp -d", port = servers.port() }, Server)
  values.DIR, values.PORT = server.dir, server.port
  write(server.dir .. "/nginx.conf", (NGINX:gsub("@(%u+)@", values)))
  local said = support.shell(("%s -p %s -e %s/error.log -c %s/nginx.conf 2>&1"):format(nginx, server.dir, server.dir, server.dir))
  server.pid = tonumber(trimmed(("cat %s/pid 2>/dev/null"):format(server.dir)))
  assert(server.pid, said .. server:log())
  return wait_for_port(server)
end

-- ---- HAProxy ----

local HAPROXY = [[
global
  log 127.0.0.1:9 local0
  nbthread @THREADS@
  maxconn 400
  stats socket @DIR@/control mode 600 level admin
  @GLOBAL@
  lua-prepend-path @HERE@/lua/?.lua
  lua-prepend-path @HERE@/lua/?/init.lua
  lua-prepend-path @CORE@ cpath
  @LOAD@ @DIR@/main.lua
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s

frontend main
  bind 127.0.0.1:@PORT@
  http-request return status 200 if { path /up }
@FRONTEND@
]]

--- Starts HAProxy with a Lua file's text. More: frontend, global (lines), threads, load = "lua-load-per-thread", master = true.
function servers.haproxy(parts)
  local haproxy = servers.haproxy_program()
  local values = {
    HERE = here, CORE = servers.core(servers.haproxy_lua(), "HAProxy"), THREADS = parts.threads or 1,
    LOAD = parts.load or "lua-load", GLOBAL = parts.global or "", FRONTEND = parts.frontend or "",
  }
  local server = setmetatable({ dir = trimmed "mktemp -d", port = servers.port() }, Server)
  values.DIR, values.PORT = server.dir, server.port
  support.shell(("chmod 755 %s"):format(server.dir))
  write(server.dir .. "/main.lua", parts.lua)
  write(server.dir .. "/haproxy.cfg", (HAPROXY:gsub("@(%u+)@", values):gsub("@PORT@", server.port)))
  server.pid = tonumber(trimmed(("%s %s -f %s/haproxy.cfg >%s/error.log 2>&1 & echo $!"):format(
    haproxy, parts.master and "-W -db" or "-db", server.dir, server.dir)))
  return wait_for_port(server)
end

local PINGS = [[ python3 -c '
import socket, sys, time
port, seconds = %d, %g
took, end = [], time.time() + seconds
while time.time() < end:
  begin = time.perf_counter()
  s = socket.create_connection(("127.0.0.1", port))
  s.sendall(b"GET /ping HTTP/1.0\r\n\r\n")
  while s.recv(4096): pass
  s.close()
  took.append(time.perf_counter() - begin)
  time.sleep(0.01)
took.sort()
print(len(took), took[len(took) // 2] * 1000, took[int(len(took) * 0.99)] * 1000, took[-1] * 1000)
']]

--- Asks a server's page /ping every 10 ms, on a new connection each time.
---@param first? string words before the program that asks, such as "chrt -f 5"
---@return { count: integer, p50: number, p99: number, max: number } milliseconds
function servers.pings(server, seconds, first)
  local said = support.shell((first or "") .. PINGS:format(server.port, seconds))
  local count, p50, p99, max = said:match "(%S+) (%S+) (%S+) (%S+)"
  return { count = tonumber(count), p50 = tonumber(p50), p99 = tonumber(p99), max = tonumber(max) }
end

return servers
