-- A real nginx on free loopback ports, for http_spec.lua: TLS by an authority
-- made on the spot, one location for each way an answer can go.

local support = require "spec.support"

local CONF = [[
user root;
pid @DIR@/nginx.pid;
error_log @DIR@/error.log;
load_module @MODULES@/ndk_http_module.so;
load_module @MODULES@/ngx_http_lua_module.so;
worker_processes 1;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path @DIR@/t1; proxy_temp_path @DIR@/t2; fastcgi_temp_path @DIR@/t3;
  uwsgi_temp_path @DIR@/t4; scgi_temp_path @DIR@/t5;
  client_max_body_size 8m;
  client_body_buffer_size 8m;
  keepalive_timeout 60;
  lingering_close off;
  reset_timedout_connection on;
  lua_shared_dict counts 1m;
  ssl_certificate @DIR@/server.pem;
  ssl_certificate_key @DIR@/server.key;

  server {
    listen 127.0.0.1:@SLOW@ ssl;
    ssl_certificate_by_lua_block { ngx.sleep(5) }
  }
  server {
    listen 127.0.0.1:@HTTPS@ ssl http2;
    listen 127.0.0.1:@HTTP@;
    listen unix:@DIR@/socket;
    ssl_client_certificate @DIR@/ca.pem;
    ssl_verify_client optional;
    default_type text/plain;

    location = /plain { return 200 "hello\n"; }
    location = /empty { return 200; }
    location = /moved { return 302 https://elsewhere.test/x; }
    location = /busy { add_header Retry-After 7 always; return 503 "busy\n"; }
    location = /who { return 200 "$ssl_client_s_dn"; }
    location /file/ { alias @DIR@/files/; add_header Content-Encoding $arg_enc; }
    location = /gzip {
      gzip on; gzip_types text/plain;
      content_by_lua_block { for i = 1, 20000 do ngx.print("line ", i, "\n") end }
    }
    location = /big { content_by_lua_block {
      local block = ("0123456789abcdef"):rep(4096)
      for _ = 1, tonumber(ngx.var.arg_blocks) do ngx.print(block) ngx.flush(true) end
    } }
    location = /drip { content_by_lua_block {
      for i = 1, 5 do ngx.print(i) ngx.flush(true) ngx.sleep(0.03) end
    } }
    location = /slow { content_by_lua_block { ngx.sleep(5) } }
    location = /hang { content_by_lua_block { ngx.print("begun") ngx.flush(true) ngx.sleep(5) } }
    location = /echo { content_by_lua_block {
      ngx.req.read_body()
      local h = ngx.req.get_headers()
      ngx.print(ngx.var.request_method, "\n", h.content_type or "-", "\n", h.accept_encoding or "-", "\n",
        h.expect or "-", "\n", h.user_agent or "-", "\n", h.x_extra or "-", "\n", ngx.req.get_body_data() or "")
    } }
    location = /drop { content_by_lua_block {
      ngx.req.read_body()
      ngx.shared.counts:incr("drop", 1, 0)
      return ngx.exit(444)
    } }
    location = /count { content_by_lua_block { ngx.print(ngx.shared.counts:get("drop") or 0) } }
    location = /small { client_max_body_size 1k; content_by_lua_block { ngx.req.read_body() ngx.print("ok") } }
    location = /raw { content_by_lua_block {
      local socket = ngx.req.socket(true)
      local f = io.open("@DIR@/files/" .. ngx.var.arg_name, "rb")
      socket:send(f:read("*a"))
      f:close()
    } }
  }
}
]]

-- lua5.1 returns the exit status, later ones true.
local function run(command)
  local ok = os.execute("(" .. command .. ") >/dev/null 2>&1")
  return ok == true or ok == 0
end

local KEYS = [[
set -e; cd %s
key() { openssl ecparam -name prime256v1 -genkey -noout -out $1.key; }
key ca; key other; key server; key client
openssl req -x509 -new -key ca.key -subj /CN=spec-ca -days 2 -out ca.pem
openssl req -x509 -new -key other.key -subj /CN=other-ca -days 2 -out other.pem
printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\n' > san
openssl req -new -key server.key -subj /CN=server -out server.csr
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -extfile san -days 2 -out server.pem
openssl req -new -key client.key -subj /CN=spec-client -out client.csr
openssl x509 -req -in client.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out client.pem
openssl ec -in client.key -aes128 -passout pass:secret -out locked.key
openssl x509 -in server.pem -pubkey -noout | openssl pkey -pubin -outform der \
  | openssl dgst -sha256 -binary | base64 > pin
]]

local Server = {}
Server.__index = Server

--- Puts bytes where `/file/<name>` and `/raw?name=<name>` find them.
function Server:put(name, bytes)
  support.write(self.dir .. "/files/" .. name, bytes)
end

--- Runs a shell command in the directory of the served files.
function Server:shell(command)
  assert(run("cd " .. self.dir .. "/files && " .. command), command)
end

function Server:read(name)
  return support.read(self.dir .. "/" .. name)
end

function Server:stop()
  local pid = support.read(self.dir .. "/nginx.pid"):match("%d+")
  run("kill " .. pid .. "; for i in $(seq 100); do kill -0 " .. pid .. " || break; sleep 0.05; done")
  run("rm -rf " .. self.dir)
end

local function modules()
  for _, dir in ipairs { "/usr/lib/nginx/modules", "/usr/share/nginx/modules" } do
    if run("test -e " .. dir .. "/ngx_http_lua_module.so") then return dir end
  end
  error("nginx's Lua module is not installed")
end

-- A port may be taken: try others until nginx can listen.
local function launch(server)
  local base = 20000 + tonumber((support.shell "od -An -N2 -tu2 /dev/urandom")) % 20000
  for try = 1, 20 do
    local port = base + try * 7
    local names = { DIR = server.dir, MODULES = modules(), HTTPS = port, HTTP = port + 1, SLOW = port + 2 }
    support.write(server.dir .. "/nginx.conf", (CONF:gsub("@(%u+)@", names)))
    os.remove(server.dir .. "/socket") -- an nginx that found its port taken leaves it behind
    if run("nginx -p " .. server.dir .. " -e error.log -c nginx.conf") then return port end
  end
  error("nginx does not start: " .. support.read(server.dir .. "/error.log"))
end

--- Starts the server; `stop` ends it and removes its files.
local function start()
  local server = setmetatable({ dir = support.folder() }, Server)
  assert(run("mkdir " .. server.dir .. "/files"))
  assert(run(KEYS:format(server.dir)), "openssl cannot make keys")
  local port = launch(server)
  server.port = port
  server.https = "https://127.0.0.1:" .. port
  server.http = "http://127.0.0.1:" .. port + 1
  server.silent = "https://127.0.0.1:" .. port + 2
  server.socket = server.dir .. "/socket"
  server.ca = server:read("ca.pem")
  server.pin = "sha256//" .. server:read("pin"):gsub("%s", "")
  return server
end

return { start = start }
