-- Loads a day of conversations into ClickHouse, as NDJSON over its HTTP interface. Tested with a simulated HTTP server only, not with ClickHouse.
-- Usage: CLICKHOUSE_URL=http://127.0.0.1:8123 to_clickhouse.lua [day]; create the table as shown below. Needs the curl command.
local export = require "scrutinizer.export"
local scrutinizer = require "scrutinizer"

-- create table conversations (day Date, source String, destination String, octets UInt64, packets UInt64)
--   engine = ReplacingMergeTree order by (day, source, destination)
local day = arg[1] or "2026-11-01"
local y, m, d = day:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)$"
local following = os.date("%Y-%m-%d", os.time { year = assert(y, "usage: to_clickhouse.lua 2026-11-01"), month = m, day = d + 1, hour = 12 })
local client = assert(scrutinizer.connect {})
local query = client:report("host2host"):timezone("UTC"):between(day, following):select {
  source = "sourceipaddress", destination = "destinationipaddress", octets = "sum_octetdeltacount", packets = "sum_packetdeltacount" }

-- The shell takes the address from the environment, in quotes, so that it runs nothing in it. curl streams its input, and fails for HTTP errors.
local curl = assert(io.popen([[curl -sS --fail -X POST -T - "$CLICKHOUSE_URL/?query=INSERT%20INTO%20conversations%20FORMAT%20JSONEachRow"]], "w"))
local cursor = query:rows { reuse = true }
local rows, err = export.ndjson(function()
  local row, why = cursor:next()
  if row then row.day = day end
  return row, why
end, function(text) return curl:write(text) end, { columns = { "day", "source", "destination", "octets", "packets" } })
local ok = curl:close()
-- If the report failed, ClickHouse has part of the rows. Run again: the table's key replaces them.
if not rows then error(tostring(err), 0) end
if not ok then error("ClickHouse did not take the rows", 0) end
print(("%d rows sent"):format(rows))
