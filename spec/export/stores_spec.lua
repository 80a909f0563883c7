-- Files of windows in databases: real servers, loaded twice, with fewer rows the second time, killed in between. Sums by awk over the flows.
if os.getenv "SANDBOX_CHECKED" == "1" then return end -- the servers once are enough

local clickhouse = require "spec.clickhouse"
local command = require "spec.command"
local postgres = require "spec.postgres"
local support = require "spec.support"

local quote = support.quote
local SELECT = "--select src=sourceipaddress,dst=destinationipaddress,port=commonport,octets=sum_octetdeltacount,first=first_flow_epoch "
-- The recorded IPv6 addresses are shortened to texts that are no addresses.
local IPV4 = "--keep src=0.0.0.0/0 --keep dst=0.0.0.0/0 "
local FEWER = "--keep src=10.0.0.0/8 --keep dst=0.0.0.0/0 "

-- Rows and octets of the flows that begin in these hours of the day, as "rows|octets".
local function awk(first, last, condition)
  return support.awk(([[NR > 1 && $1 >= %d && $1 < %d && $7 !~ /:/ && $9 !~ /:/ %s { s += $12 } END { printf "%%.0f", s }]]):format(
    first * 3600000, last * 3600000, condition or ""))
end

local folder
local function prepare()
  support.clear()
  folder = support.folder()
end

local function clean()
  support.shell("rm -rf " .. quote(folder))
  assert.same({}, support.violations())
end

local function fetch(format, more)
  command.good(("report conversations --between 2026-11-01T10:00:00Z 2026-11-01T12:00:00Z --granularity 1 --split 1h --quiet --format %s "
    .. "--output %s/c.%s %s"):format(format, folder, format, SELECT .. (more or IPV4)))
end

-- Runs an example: what it says, and its status.
local function load(name, environment, files)
  local out, status = support.shell(("%s %s examples/export/%s conversations %s 2>&1; printf ' %%d' $?"):format(
    environment, support.lua, name, files or folder .. "/c.*0.* ")):match "^(.*) (%d+)$"
  return out, tonumber(status)
end

local function good(name, environment, files)
  local out, status = load(name, environment, files)
  assert.equal(0, status, out)
  return out
end

-- A window's file of 10 to 11 o'clock that no appliance has sent, with its manifest. `columns`: { { name, type }, … }.
local function by_hand(name, text, columns, rows)
  local file, list = folder .. "/" .. name, {}
  support.write(file, text)
  for i, column in ipairs(columns) do list[i] = ('{"name":"%s","column":"%s","type":"%s"}'):format(column[1], column[1], column[2]) end
  support.write(file .. ".manifest", ([[{"manifest":1,"version":"x","asked":{"window":{"from":1793527200,"to":1793530800},"format":"%s",
    "header":true,"request":{"rpt_json":"{}"}},"found":{"rows":%d,"columns":[%s]},"bytes":%d,"sha256":"%s"}]]):format(
    name:match "[^.]*$", rows, table.concat(list, ","), #text, support.shell("sha256sum " .. quote(file)):match "%x+"))
  return quote(file)
end

local SUMS = { { "src", "address" }, { "octets", "whole" } }

local HALVES = { "c.2026-11-01T10.", "c.2026-11-01T11." }
local function path(i, format) return folder .. "/" .. HALVES[i] .. format end
local function both(format) return path(1, format) .. " " .. path(2, format) end

describe("PostgreSQL", function()
  local server
  before_each(function()
    prepare()
    server = postgres.start()
  end)
  after_each(function()
    server.stop()
    clean()
  end)

  local function sums()
    return server.sql "select sum(octets) from conversations group by window_start order by window_start"
  end

  it("has each window whole, replaces it at once, and refuses what does not fit", function()
    fetch "csv"
    support.shell(("%s %s %s schema conversations %s --for postgresql | %s"):format(command.ENVIRONMENT, "", command.words, SELECT, server.psql))
    local out = good("to_postgresql.lua", server.environment, both "csv")
    assert.equal(("%s is loaded\n%s is loaded\n"):format(path(1, "csv"), path(2, "csv")), out)
    local day = awk(10, 11) .. "\n" .. awk(11, 12) .. "\n"
    assert.equal(day, sums())
    assert.equal("2026-11-01 10:00:00+00|2026-11-01 11:00:00+00\n2026-11-01 11:00:00+00|2026-11-01 12:00:00+00\n",
      server.sql "select distinct window_start, window_end from conversations order by 1")
    assert.equal("src|inet\ndst|inet\nport|text\noctets|numeric\nfirst|bigint\n", server.sql [[select column_name, data_type
      from information_schema.columns where table_name = 'conversations' and column_name not like 'window%' order by ordinal_position]])
    -- Again, and with fewer rows.
    good("to_postgresql.lua", server.environment, both "csv")
    assert.equal(day, sums())
    fetch("csv", FEWER)
    good("to_postgresql.lua", server.environment, path(2, "csv"))
    local mixed = awk(10, 11) .. "\n" .. awk(11, 12, '&& $7 ~ /^10\\./') .. "\n"
    assert.are_not.equal(day, mixed)
    assert.equal(mixed, sums())
    assert.equal("2\n", server.sql "select count(*) from pg_inherits")
    -- A window that overlaps others; a file that was changed; one without a manifest; none.
    support.shell("mkdir " .. folder .. "/whole")
    command.good(("report conversations --between 2026-11-01T10:00:00Z 2026-11-01T12:00:00Z --granularity 1 --split 2h --quiet --format csv "
      .. "--output %s/whole/c.csv %s"):format(folder, SELECT .. IPV4))
    local status
    out, status = load("to_postgresql.lua", server.environment, folder .. "/whole/c.2026-11-01T10.csv")
    assert.equal(1, status)
    assert.matches("the table has a window that overlaps the one from", out)
    support.write(path(1, "csv"), (support.read(path(1, "csv")):gsub("0\r\n", "1\r\n", 1)))
    out, status = load("to_postgresql.lua", server.environment, path(1, "csv"))
    assert.equal(1, status)
    assert.matches("^to_postgresql: file: .*SHA%-256 differs", out)
    out, status = load("to_postgresql.lua", server.environment, folder .. "/none.csv")
    assert.equal(1, status)
    assert.matches("none.csv.manifest: No such file", out)
    out, status = load("to_postgresql.lua", server.environment, "")
    assert.equal(1, status)
    assert.equal("to_postgresql: usage: to_postgresql.lua table file.csv …\n", out)
    assert.equal(mixed, sums())
  end)

  it("does not round, and takes all digits", function()
    support.shell(("%s %s schema conversations --select src=sourceipaddress,octets=sum_octetdeltacount --for postgresql | %s"):format(
      command.ENVIRONMENT, command.words, server.psql))
    good("to_postgresql.lua", server.environment, by_hand("a [1]*.csv",
      "src,octets\r\n10.0.0.1,12.5\r\n2001:db8::1,18446744073709551621\r\n10.0.0.2,\r\n", SUMS, 3))
    assert.equal("18446744073709551633.5\n", server.sql "select sum(octets) from conversations")
  end)

  it("refuses the second of two windows that overlap and are loaded at the same time", function()
    support.shell(("%s %s schema conversations --select src=sourceipaddress,octets=sum_octetdeltacount --for postgresql | %s"):format(
      command.ENVIRONMENT, command.words, server.psql))
    local hour = by_hand("hour.csv", "src,octets\r\n10.0.0.1,1\r\n", SUMS, 1)
    local text = command.good("schema conversations --for postgresql --load " .. hour)
    -- The same from an hour earlier, stopped before it attaches its partition until the other loader has looked at the table.
    local longer = text:gsub("10:00:00Z", "09:00:00Z"):gsub("T10", "T09"):gsub("lock table", "perform pg_sleep(3); lock table")
    support.write(folder .. "/longer.sql", longer)
    local out = support.shell(("%s -f %s/longer.sql >%s/out 2>&1 & sleep 1; %s %s examples/export/to_postgresql.lua conversations %s; wait; "
      .. "cat %s/out"):format(server.psql, folder, folder, server.environment, support.lua, hour, folder))
    assert.matches("is loaded", out)
    assert.matches("the table has a window that overlaps the one from", out)
    assert.equal("2026-11-01 10:00:00+00|1\n", server.sql "select window_start, sum(octets) from conversations group by 1")
  end)

  it("gives no column's name to psql as a command", function()
    for _, name in ipairs { "x\\n\\\\! touch " .. folder .. "/made", "a\\\\b", "" } do
      local file = by_hand("c.csv", "x\r\n1\r\n", { { name, "text" } }, 1)
      local _, err, status = command.run("schema conversations --for postgresql --load " .. file)
      assert.equal(65, status)
      assert.matches("a name without control bytes and backslashes is needed", err)
    end
    local file = by_hand("c.csv", "x\r\n1\r\n", { { "x", "float" } }, 1)
    local _, err, status = command.run("schema conversations --for postgresql --load " .. file)
    assert.equal(65, status)
    assert.matches("type: got \"float\"; allowed: address, decimal, text, time, whole", err)
  end)

  it("keeps the earlier window when loader or server are killed", function()
    fetch "csv"
    support.shell(("%s %s schema conversations %s --for postgresql | %s"):format(command.ENVIRONMENT, command.words, SELECT, server.psql))
    good("to_postgresql.lua", server.environment, both "csv")
    local day = awk(10, 11) .. "\n" .. awk(11, 12) .. "\n"
    fetch("csv", FEWER)
    -- A reader keeps the table, so that the loader waits behind its rows; then it is killed, and later the server.
    local function stuck(kill)
      support.shell(([[%s -c "begin; lock table conversations in access share mode; select pg_sleep(30)" >/dev/null 2>&1 & reader=$!
        n=0; while [ $n -lt 100 ] && ! %s -c "select 1 from pg_stat_activity where query like '%%pg_sleep%%' and pid <> pg_backend_pid()" | grep -q 1
        do sleep 0.1; n=$((n+1)); done
        %s setsid %s examples/export/to_postgresql.lua conversations %s >%s/out 2>&1 & loader=$!
        n=0; while [ $n -lt 100 ] && ! %s -c "select 1 from pg_stat_activity where wait_event_type = 'Lock'" | grep -q 1
        do sleep 0.1; n=$((n+1)); done
        %s; kill -9 $reader; wait]]):format(server.psql, server.psql, server.environment, support.lua, path(2, "csv"), folder, server.psql, kill))
    end
    stuck "kill -9 -$loader"
    server.sql "select pg_terminate_backend(pid) from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()"
    assert.equal(day, sums())
    assert.equal("2\n", server.sql "select count(*) from pg_inherits")
    stuck((("pid=$(head -n 1 %s/data/postmaster.pid); kill -9 $pid $(ps -o pid= --ppid $pid); sleep 1"):format(server.folder)))
    assert.matches("was not loaded", support.read(folder .. "/out"))
    support.shell("rm -f " .. server.folder .. "/data/postmaster.pid")
    server.again()
    assert.equal(day, sums())
    assert.equal("0\n", server.sql "select count(*) from pg_class where relname like '%_new'")
    good("to_postgresql.lua", server.environment, path(2, "csv"))
    assert.equal(awk(10, 11) .. "\n" .. awk(11, 12, '&& $7 ~ /^10\\./') .. "\n", sums())
  end)

  it("commits nothing of statements that are cut off anywhere", function()
    fetch "csv"
    support.shell(("%s %s schema conversations %s --for postgresql | %s"):format(command.ENVIRONMENT, command.words, SELECT, server.psql))
    good("to_postgresql.lua", server.environment, both "csv")
    local day = sums()
    fetch("csv", FEWER)
    local text = command.good(("schema conversations --for postgresql --load %s"):format(path(1, "csv")))
    local lines = select(2, text:gsub("\n", ""))
    for n = 1, lines - 1 do
      support.write(folder .. "/sql", (text:match(("[^\n]*\n"):rep(n))))
      support.shell(("%s <%s/sql >/dev/null 2>&1"):format(server.psql, folder))
      assert.equal(day, sums(), n)
    end
  end)
end)

describe("ClickHouse", function()
  if not clickhouse.is_here() then
    it("has windows", function() pending "clickhouse-server is not installed" end)
    return
  end
  local server
  before_each(function()
    prepare()
    server = clickhouse.start()
    server.sql((command.good("schema conversations --for clickhouse " .. SELECT):gsub("%-%-[^\n]*\n", ""):gsub(";", "")))
  end)
  after_each(function()
    server.stop()
    clean()
  end)

  local function sums()
    return server.sql "select sum(toDecimal128(octets, 0)) from conversations group by window_start order by window_start"
  end

  it("has each window whole, replaces it at once, and refuses what does not fit", function()
    fetch "ndjson"
    local day = awk(10, 11) .. "\n" .. awk(11, 12) .. "\n"
    good("to_clickhouse.lua", server.environment, both "ndjson")
    assert.equal(day, sums())
    good("to_clickhouse.lua", server.environment, both "ndjson")
    assert.equal(day, sums())
    fetch("ndjson", FEWER)
    good("to_clickhouse.lua", server.environment, path(2, "ndjson"))
    local mixed = awk(10, 11) .. "\n" .. awk(11, 12, '&& $7 ~ /^10\\./') .. "\n"
    assert.equal(mixed, sums())
    assert.equal("conversations\n", server.sql "show tables")
    local out, status = load("to_clickhouse.lua", "env -u CLICKHOUSE_URL", path(2, "ndjson"))
    assert.equal(1, status)
    assert.equal("to_clickhouse: set CLICKHOUSE_URL to the server's address, such as http://127.0.0.1:8123\n", out)
    out, status = load("to_clickhouse.lua", "env CLICKHOUSE_URL=http://127.0.0.1:1", path(2, "ndjson"))
    assert.equal(1, status)
    assert.matches("to_clickhouse: .*was not loaded", out)
    support.shell("mkdir " .. folder .. "/whole")
    command.good(("report conversations --between 2026-11-01T10:00:00Z 2026-11-01T12:00:00Z --split 2h --quiet --format ndjson "
      .. "--output %s/whole/c.ndjson %s"):format(folder, SELECT .. IPV4))
    out, status = load("to_clickhouse.lua", server.environment, folder .. "/whole/c.2026-11-01T10.ndjson")
    assert.equal(1, status, out)
    assert.equal(mixed, sums())
    -- A window without rows takes the rows of the earlier one away.
    fetch("ndjson", "--keep src=203.0.113.1")
    good("to_clickhouse.lua", server.environment, path(1, "ndjson"))
    assert.equal(mixed:match "\n(.*)", sums())
  end)

  it("refuses a number that does not fit, instead of another one", function()
    server.sql((command.good "schema conversations --table t --for clickhouse --select src=sourceipaddress,octets=sum_octetdeltacount"
      :gsub("%-%-[^\n]*\n", ""):gsub(";", "")))
    local function loaded(octets, before)
      local file = by_hand("t.ndjson", (before or "") .. ('{"src":"10.0.0.1","octets":"%s"}\n'):format(octets), SUMS, 1)
      local out, status = support.shell(("%s %s examples/export/to_clickhouse.lua t %s 2>&1; printf ' %%d' $?"):format(
        server.environment, support.lua, file)):match "^(.*) (%d+)$"
      return tonumber(status), out
    end
    assert.equal(0, (loaded "18446744073709551615"))
    assert.equal("18446744073709551615\n", server.sql "select octets from t")
    -- Also where the number is at the end of the piece that is read at once.
    for _, at in ipairs { 0, 2 ^ 18 - 60, 2 ^ 18 - 45, 2 ^ 18 - 40, 2 ^ 18 - 30, 2 ^ 18 - 25, 2 ^ 18 - 10 } do
      local status, out = loaded("18446744073709551616", (" "):rep(at))
      assert.equal(1, status)
      assert.matches("octets: 18446744073709551616 is more than ClickHouse's UInt64 holds", out)
    end
    assert.equal(1, (loaded "184467440737095516160"))
    assert.equal("18446744073709551615\n", server.sql "select octets from t")
  end)

  it("keeps the earlier window when loader or server are killed", function()
    fetch "ndjson"
    local day = awk(10, 11) .. "\n" .. awk(11, 12) .. "\n"
    good("to_clickhouse.lua", server.environment, both "ndjson")
    fetch("ndjson", FEWER)
    -- curl sends slowly, so that rows are on their way when something is killed.
    support.write(folder .. "/.curlrc", "limit-rate = 20k\n")
    local function stuck(kill)
      support.shell(([[%s HOME=%s setsid %s examples/export/to_clickhouse.lua conversations %s >%s/out 2>&1 & loader=$!
        n=0; while [ $n -lt 100 ] && ! curl -s "%s/?query=show+tables" | grep -q _new; do sleep 0.05; n=$((n+1)); done; sleep 0.3; %s; wait]]):format(
        server.environment, folder, support.lua, path(2, "ndjson"), folder, server.url, kill))
    end
    stuck "kill -9 -$loader"
    assert.equal(day, sums())
    stuck("kill -9 " .. server.pid)
    assert.matches("was not loaded", support.read(folder .. "/out"))
    server.again()
    assert.equal(day, sums())
    os.remove(folder .. "/.curlrc")
    good("to_clickhouse.lua", server.environment, path(2, "ndjson"))
    assert.equal(awk(10, 11) .. "\n" .. awk(11, 12, '&& $7 ~ /^10\\./') .. "\n", sums())
    assert.equal("conversations\n", server.sql "show tables")
  end)
end)

describe("DuckDB", function()
  local folder_of_npm
  before_each(prepare)
  after_each(clean)

  -- DuckDB for node, in a folder of its own; nil and why not.
  local function install()
    if support.shell "command -v npm" == "" then return nil, "npm is not installed" end
    folder_of_npm = folder .. "/npm"
    local out, status = support.shell(("mkdir %s && cd %s && env -u LD_PRELOAD npm install --no-audit --no-fund --prefer-offline "
      .. "@duckdb/node-api 2>&1; printf ' %%d' $?"):format(folder_of_npm, folder_of_npm)):match "^(.*) (%d+)$"
    return status == "0" or nil, "npm cannot install @duckdb/node-api: " .. out
  end

  -- Statements by DuckDB; what each gives, a row a line.
  local ASK = [[
import { createRequire } from "node:module";
const { DuckDBInstance } = await import(createRequire(process.cwd() + "/").resolve("@duckdb/node-api"));
const database = await (await DuckDBInstance.create(":memory:")).connect();
for (const row of (await database.runAndReadAll(process.argv[2])).getRows()) console.log(row.map(String).join("|"));
]]

  it("has a Parquet file for each window, with the columns' types", function()
    local there, why = install()
    if not there then return print("Parquet is not tried: " .. why) end -- DuckDB is in no package of Debian's
    fetch "csv"
    support.write(folder .. "/scrutinizer", ('#!/bin/sh\ncd %s && exec %s %s "$@"\n'):format(
      quote((support.shell "pwd":gsub("\n", ""))), command.ENVIRONMENT, command.words))
    support.shell("chmod +x " .. folder .. "/scrutinizer")
    local examples = support.shell "pwd":gsub("\n", "") .. "/examples/export"
    local function convert(files)
      return support.shell(("cd %s && SCRUTINIZER=%s/scrutinizer env -u LD_PRELOAD node %s/to_parquet.mjs %s 2>&1; printf ' %%d' $?"):format(
        folder_of_npm, folder, examples, files))
    end
    support.write(folder_of_npm .. "/ask.mjs", ASK)
    local function ask(sql)
      return support.shell(("cd %s && env -u LD_PRELOAD node ask.mjs %s 2>&1"):format(folder_of_npm, quote(sql)))
    end
    local all = ("read_parquet('%s/c.*.parquet')"):format(folder)
    assert.equal(("%s is there\n%s is there\n 0"):format(path(1, "parquet"), path(2, "parquet")), convert(both "csv"))
    assert.equal(awk(10, 11) .. "|HUGEINT\n" .. awk(11, 12) .. "|HUGEINT\n",
      ask("select sum(octets), typeof(sum(octets)) from " .. all .. " group by window_start order by window_start"))
    assert.equal("TIMESTAMP|VARCHAR|UBIGINT|BIGINT\n",
      ask("select distinct typeof(window_start), typeof(src), typeof(octets), typeof(first) from " .. all))
    -- Fewer rows: the file is replaced. One that was changed is refused, and the earlier one stays.
    fetch("csv", FEWER)
    convert(path(2, "csv"))
    local mixed = awk(10, 11) .. "\n" .. awk(11, 12, '&& $7 ~ /^10\\./') .. "\n"
    assert.equal(mixed, ask("select sum(octets) from " .. all .. " group by window_start order by window_start"))
    support.write(path(1, "csv"), (support.read(path(1, "csv")):gsub("0\r\n", "1\r\n", 1)))
    assert.matches("to_parquet: .*was not converted: .*SHA%-256 differs.* 1$", convert(path(1, "csv")))
    assert.equal(mixed, ask("select sum(octets) from " .. all .. " group by window_start order by window_start"))
    -- A name that would match other files, all digits, and what is refused.
    by_hand("g1x.csv", "src,octets\r\n10.9.9.9,9\r\n", SUMS, 1)
    convert(by_hand("g[1]*.csv", "src,octets\r\n10.0.0.1,18446744073709551615\r\n10.0.0.2,\r\n", SUMS, 2))
    assert.equal("10.0.0.1|18446744073709551615\n10.0.0.2|null\n",
      ask(("select src, octets from read_parquet('%s/g[[]1][*].parquet')"):format(folder)))
    assert.matches("octets: not a whole number: 12.5.* 1$", convert(by_hand("h.csv", "src,octets\r\n10.0.0.1,12.5\r\n", SUMS, 1)))
    assert.matches(" 1$", convert(by_hand("h.csv", "src,octets\r\n10.0.0.1,18446744073709551616\r\n", SUMS, 1)))
    assert.matches("the file has not 2 rows, as its manifest says.* 1$", convert(by_hand("h.csv", "src,octets\r\n10.0.0.1,1\r\n", SUMS, 2)))
    assert.equal("", support.shell("ls " .. folder .. " | grep -e part -e h.parquet"))
  end)
end)
