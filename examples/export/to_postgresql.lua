-- Loads a day of conversations into PostgreSQL with COPY. The table has a key: loading a day again replaces its rows.
-- Usage: to_postgresql.lua [day]; PGHOST, PGDATABASE and so on name the database, SCRUTINIZER_URL and SCRUTINIZER_TOKEN the appliance.
local export = require "scrutinizer.export"
local scrutinizer = require "scrutinizer"

local day = arg[1] or "2026-11-01"
local y, m, d = day:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)$"
local following = os.date("%Y-%m-%d", os.time { year = assert(y, "usage: to_postgresql.lua 2026-11-01"), month = m, day = d + 1, hour = 12 })
local client = assert(scrutinizer.connect {})
local query = client:report("host2host"):timezone("UTC"):between(day, following):select {
  source = "sourceipaddress", destination = "destinationipaddress", octets = "sum_octetdeltacount", packets = "sum_packetdeltacount" }

-- Octets are numeric, because sums over many flows may exceed bigint. Addresses are text as the appliance writes them.
local BEFORE = [[
set client_min_messages = warning;
begin;
create table if not exists conversations (day date, source text, destination text, octets numeric not null, packets numeric not null,
  primary key (day, source, destination));
create temporary table incoming (source text, destination text, octets numeric, packets numeric) on commit drop;
copy incoming (source, destination, octets, packets) from stdin with (format csv);
]]
local AFTER = [[
\.
insert into conversations select date '%s', source, destination, octets, packets from incoming
  on conflict (day, source, destination) do update set octets = excluded.octets, packets = excluded.packets;
select count(*) || ' rows, ' || coalesce(sum(octets), 0) || ' octets' from conversations where day = '%s';
commit;
]]

-- psql reads commands and data from one pipe. It stops at the first error; PostgreSQL then rolls the transaction back.
local psql = assert(io.popen("psql -X -q -A -t -v ON_ERROR_STOP=1", "w"))
psql:write(BEFORE)
local rows, err = export.csv(query, function(text) return psql:write(text) end, {
  columns = { "source", "destination", "octets", "packets" }, header = false, newline = "\n" })
psql:write(rows and AFTER:format(day, day) or "\\.\nrollback;\n")
local ok = psql:close()
if not rows then error(tostring(err), 0) end
if not ok then error("psql has failed", 0) end
