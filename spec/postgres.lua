--- For specs: a PostgreSQL server of their own, on a socket in a temporary folder, run by a user without privileges.
---
---     local server = postgres.start()
---     server.sql "select 1"            -- what psql prints, without headers; raises psql's complaint
---     server.psql                      -- the psql command, quoted for a shell, to pipe things into
---     server.environment               -- PGHOST, PGUSER, PGDATABASE for children, to stand before a command
---     server.kill()                    -- as if the machine had failed; server.again() starts it anew
---     server.stop()                    -- ends the server and removes the folder

local support = require "spec.support"

local postgres = {}
local quote = support.quote

-- A shell command's output and status; the sanitizers' libraries are not the server's matter.
local function shell(command)
  local text = support.shell(("env -u LD_PRELOAD sh -c %s 2>&1; printf ' %%d' $?"):format(quote(command)))
  local out, status = text:match "^(.*) (%d+)$"
  return out, tonumber(status)
end

local function must(command)
  local out, status = shell(command)
  if status ~= 0 then error(("%s\nended with %d:\n%s"):format(command, status, out), 0) end
  return out
end

-- The server refuses to run as root: Debian's package brings a user for it.
local function as_user()
  return support.shell "id -u" == "0\n" and "runuser -u postgres -- " or ""
end

local function programs()
  local folder = support.shell "ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1":match "%S+"
  return assert(folder, "no PostgreSQL server here: apt-get install postgresql")
end

-- Starts the server on a socket in the folder; it keeps nothing: fsync is off.
local function start(folder, control)
  local settings = ("-k %s -c listen_addresses= -c fsync=off -c max_connections=10 -c shared_buffers=16MB -c timezone=UTC"):format(folder)
  must(("%s-w -l %s/log -o %s start </dev/null"):format(control, folder, quote(settings)))
end

-- Makes the data, and starts the server.
local function launch(folder, user, bin, control)
  must(("cd / && %s%s/initdb -D %s/data -U postgres -A trust -E UTF8 --locale=C --no-sync >/dev/null"):format(user, bin, folder))
  start(folder, control)
end

--- Starts a server.
---@return { sql: fun(text: string): string, psql: string, environment: string, folder: string, kill: fun(), again: fun(), stop: fun() }
function postgres.start()
  local user, bin = as_user(), programs()
  local folder = must("cd / && " .. user .. 'mktemp -d "${TMPDIR:-/tmp}/scrutinizer-postgres.XXXXXX"'):match "%S+"
  local control = ("cd / && %s%s/pg_ctl -s -D %s/data "):format(user, bin, folder)
  local server = { folder = folder, environment = ("env -u LD_PRELOAD PGHOST=%s PGUSER=postgres PGDATABASE=postgres "):format(folder) }
  server.psql = server.environment .. "psql -X -q -A -t -v ON_ERROR_STOP=1 "
  function server.sql(text)
    return must(("%s-c %s"):format(server.psql, quote(text)))
  end
  -- As if the machine had failed: the server's processes at once.
  function server.kill()
    shell(([[pid=$(head -n 1 %s/data/postmaster.pid); all="$pid $(ps -o pid= --ppid $pid)"; kill -9 $all
      for one in $all; do while kill -0 $one 2>/dev/null; do sleep 0.05; done; done; rm -f %s/data/postmaster.pid]]):format(folder, folder))
  end
  function server.again() start(folder, control) end
  function server.stop()
    shell(control .. "-m immediate stop")
    support.shell("rm -rf " .. quote(folder))
  end
  local good, complaint = pcall(launch, folder, user, bin, control)
  if not good then
    server.stop()
    error(complaint, 0)
  end
  return server
end

return postgres
