-- Runs six reports at once and prints rows and octets of each. One that fails does not stop the others: its error names report and window.
-- Usage: many_reports.lua [day [type ...]]; set SCRUTINIZER_URL and SCRUTINIZER_TOKEN.
local scrutinizer = require "scrutinizer"

local client = assert(scrutinizer.connect {})
local types = { (table.unpack or unpack)(arg, 2) } -- luacheck: ignore
if not types[1] then types = { "srcHosts", "dstHosts", "host2host", "conversations", "connections", "tos" } end

-- Exact on every Lua: what no number of it holds comes as text.
local function digits(n) return type(n) == "number" and ("%d"):format(n) or n end

local queries = {}
for i, name in ipairs(types) do
  local query = client:report(name):timezone("UTC"):day(arg[1] or "2026-11-01")
  queries[i] = { query, aggregate = { sum = { "sum_octetdeltacount" }, count = true } }
end
local results, failed = client:gather(queries)
for i, result in ipairs(results) do
  if result.error then print(result.error)
  else print(("%-16s %6d rows %15s octets"):format(types[i], result[1].count, digits(result[1].sum_octetdeltacount))) end
end
os.exit(failed == 0 and 0 or 1)
