-- Loads files of `scrutinizer report --split --format ndjson` into ClickHouse: each window whole and at once, in the place of the one before.
-- Usage: CLICKHOUSE_URL=http://127.0.0.1:8123 to_clickhouse.lua table file.ndjson …; `scrutinizer schema --for clickhouse` makes the table.
local export = require "scrutinizer.export"

local function stop(text)
  io.stderr:write("to_clickhouse: ", text, "\n")
  os.exit(1)
end

if not arg[2] then stop "usage: to_clickhouse.lua table file.ndjson …" end
if not os.getenv "CLICKHOUSE_URL" then stop "set CLICKHOUSE_URL to the server's address, such as http://127.0.0.1:8123" end
local function quote(text) return "'" .. text:gsub("'", "'\\''") .. "'" end

-- The shell takes the address from the environment, in quotes, so that it runs nothing in it. curl streams its input.
local POST = [[said=$({ echo %s; cat %s; } | curl -sS --fail-with-body -X POST -T - "$CLICKHOUSE_URL/" 2>&1) || { echo "$said" >&2; exit 1; }]]
for i = 2, #arg do
  local statements, err = export.loading("clickhouse", arg[1], arg[i])
  if not statements then stop(tostring(err)) end
  -- Until the last but one, only a table beside the real one has changed.
  for _, statement in ipairs(statements) do
    local status = os.execute(POST:format(quote(statement.sql), quote(statement.file or "/dev/null")))
    if status ~= true and status ~= 0 then stop(arg[i] .. " was not loaded") end
  end
  print(arg[i] .. " is loaded")
end
