-- Many Lua states in one process, as HAProxy's lua-load-per-thread has them: 8 threads run 1,000 reports each under ThreadSanitizer. Our own
-- code and Lua are built with it (Lua's sources are a package; where they cannot be had, Lua is as it is packaged, and the build says so);
-- libcurl and OpenSSL are Debian's (.ci/tsan.supp lists what it is not asked about).
-- It brings its own Lua, so once is enough.
if os.getenv "SANDBOX_CHECKED" or os.getenv "SCRUTINIZER_SANITIZED" then return end

local json = require "cjson"
local servers = require "spec.hosts.servers"
local support = require "spec.support"

local function column(name, title, more)
  local made = { elementName = name, label = title, title = title }
  for key, value in pairs(more or {}) do made[key] = value end
  return made
end

local ANSWER = json.encode { report = {
  request_id = "r", time_details = { start = 1795341600, ["end"] = 1795345200 },
  table = { inbound = {
    totalRowCount = 3,
    columns = {
      column("rank", "Rank"), column("sourceipaddress", "Source"), column("sum_octetdeltacount", "Traffic", { colHasBbp = 1, canBeRate = 1 }),
    },
    rows = {
      { { label = "1" }, { rawValue = "192.0.2.1" }, { rawValue = "3000" } },
      { { label = "2" }, { rawValue = "192.0.2.2" }, { rawValue = "2000" } },
      { { label = "3" }, { rawValue = "192.0.2.3" }, { rawValue = "1000" } },
    },
  } },
} }

describe("eight Lua states in eight threads", function()
  it("run 1,000 reports each without a race", function()
    local built = support.shell([[env -u MAKEFLAGS make -s --no-print-directory threads-host LUA=lua5.4 OUT=build/tsan-lua5.4 ]]
      .. [[CFLAGS='-O1 -g -fsanitize=thread' 2>&1]])
    assert.equal("", (built:gsub("lua%-archive: [^\n]*\n", "")))
    local home, port = support.sandbox().ca:match "^(.*)/[^/]*$", servers.port()
    local answer = ("default_type application/json; location / { return 200 '%s'; }"):format(ANSWER)
    local server = servers.nginx { server = ("%s } server { listen 127.0.0.1:%d ssl; ssl_certificate %s/server.pem; ssl_certificate_key "
      .. "%s/server.key; keepalive_requests 100000; %s"):format(answer, port, home, home, answer) }
    -- Lua as it comes looks for Debian's lua-cjson nowhere.
    local modules = support.shell "env -u LUA_CPATH lua5.4 -e 'io.write(package.cpath)'"
    local out = support.shell(([[LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' LUA_CPATH='%s' TSAN_OPTIONS='suppressions=.ci/tsan.supp exitcode=66' ]]
      .. [[timeout 600 $(setarch -R true 2>/dev/null && echo setarch -R) ]]
      .. [[build/tsan-lua5.4/threads_host 8 spec/threads/reports.lua https://127.0.0.1:%d http://127.0.0.1:%d %s 1000 2>&1; ]]
      .. [[echo status $?]]):format(servers.here, servers.here, modules, port, server.port, support.sandbox().ca))
    server:stop()
    assert.equal("8 threads, 0 failed\nstatus 0\n", out)
  end)
end)
