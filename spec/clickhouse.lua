--- For specs: a ClickHouse server of their own, on a port of loopback, in a temporary folder.
---
---     local server = clickhouse.start()
---     server.sql "select 1"     -- what it answers; raises its complaint
---     server.environment        -- CLICKHOUSE_URL for children, to stand before a command
---     server.kill()             -- as if the machine had failed; server.again() starts it anew
---     server.stop()             -- ends it and removes the folder

local support = require "spec.support"

local clickhouse = {}
local quote = support.quote

local CONFIG = [[<yandex><logger><level>warning</level><log>%s/log</log><errorlog>%s/err</errorlog></logger>
<http_port>%d</http_port><listen_host>127.0.0.1</listen_host><path>%s/data/</path><tmp_path>%s/tmp/</tmp_path>
<users_config>%s/users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
<mark_cache_size>10000000</mark_cache_size><max_connections>20</max_connections></yandex>]]
local USERS = [[<yandex><profiles><default><max_threads>2</max_threads></default></profiles><quotas><default></default></quotas>
<users><default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users>
</yandex>]]

-- A port that nothing uses now.
local function free_port()
  return tonumber(support.shell [[python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])']])
end

--- Whether Debian's server is here.
function clickhouse.is_here()
  return support.shell "command -v clickhouse-server" ~= ""
end

--- Starts a server.
---@return { sql: fun(text: string): string, environment: string, folder: string, kill: fun(), again: fun(), stop: fun() }
function clickhouse.start()
  local folder, port = support.folder(), free_port()
  local server = { folder = folder, url = ("http://127.0.0.1:%d"):format(port) }
  server.environment = "env -u LD_PRELOAD CLICKHOUSE_URL=" .. server.url .. " "
  support.shell(("mkdir -p %s/data %s/tmp"):format(folder, folder))
  support.write(folder .. "/config.xml", CONFIG:format(folder, folder, port, folder, folder, folder))
  support.write(folder .. "/users.xml", USERS)
  function server.sql(text)
    local out, status = support.shell(("curl -s -S --max-time 60 --fail-with-body --data-binary %s %s/ 2>&1; printf ' %%d' $?"):format(
      quote(text), server.url)):match "^(.*) (%d+)$"
    if status ~= "0" then error(text .. "\n" .. out, 0) end
    return out
  end
  function server.again()
    server.pid = support.shell(("(cd %s && exec env -u LD_PRELOAD clickhouse-server --config-file=%s/config.xml) >%s/out 2>&1 & echo $!"):format(
      folder, folder, folder)):match "%d+"
    for _ = 1, 200 do
      if pcall(server.sql, "select 1") then return end
      support.shell "sleep 0.1"
    end
    error("ClickHouse did not start: " .. support.shell(("tail -n 20 %s/out %s/err"):format(folder, folder)), 0)
  end
  function server.kill()
    support.shell(("kill -9 %s; while kill -0 %s; do sleep 0.05; done 2>/dev/null"):format(server.pid, server.pid))
  end
  function server.stop()
    support.shell(("kill -9 %s 2>/dev/null; while kill -0 %s; do sleep 0.05; done 2>/dev/null; rm -rf %s"):format(
      server.pid, server.pid, quote(folder)))
  end
  local good, complaint = pcall(server.again)
  if not good then
    server.stop()
    error(complaint, 0)
  end
  return server
end

return clickhouse
