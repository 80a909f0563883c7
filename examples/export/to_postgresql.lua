-- Loads files of `scrutinizer report --split` into PostgreSQL: each window whole and at once, in the place of the one that was loaded before.
-- Usage: to_postgresql.lua table file.csv …; PGHOST, PGDATABASE and so on name the database. `scrutinizer schema --for postgresql` makes the table.
-- It goes by files: rows that are piped into psql are committed even if their report breaks off.
local export = require "scrutinizer.export"

local function stop(text)
  io.stderr:write("to_postgresql: ", text, "\n")
  os.exit(1)
end

if not arg[2] then stop "usage: to_postgresql.lua table file.csv …" end
for i = 2, #arg do
  local statements, err = export.loading("postgresql", arg[1], arg[i])
  if not statements then stop(tostring(err)) end
  local path = os.tmpname()
  local script = assert(io.open(path, "w"))
  script:write(statements[1].sql)
  script:close()
  -- One transaction. Whatever is killed, and when: until it is committed, the table has the earlier window.
  local status = os.execute("psql -X -q -A -t -v ON_ERROR_STOP=1 -f " .. path)
  os.remove(path)
  if status ~= true and status ~= 0 then stop(arg[i] .. " was not loaded") end
  print(arg[i] .. " is loaded")
end
