-- Makes a query from JSON that was copied from the appliance's UI (or the vendor's article), adds filters and fields, and prints the rows.
-- Usage: pasted_report.lua [file]; the default is the text below. Set SCRUTINIZER_URL and SCRUTINIZER_TOKEN.
local scrutinizer = require "scrutinizer"

local PASTED = [[
rpt_json=
{
  "reportTypeLang": "host2host",
  "reportDirections": { "selected": "inbound" },
  "dataGranularity": { "selected": 1 },        # minutes
  "times": { "dateRange": "Custom", "start": 1793491200, "end": 1793577600 },
  # sdfIps is an IP filter. *note, both is a different case for IP filters.
  "filters": { "sdfDips_0": "in_GROUP_ALL", "sdfIps_0": "in_10.8.0.69_Both" }
}
data_requested=
{ "inbound": { "table": { "query_limit": { "offset": 0, "max_num_rows": 1000 } } } }
]]

local function text_of(path)
  if not path then return PASTED end
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local client = assert(scrutinizer.connect { tls = { ca_file = os.getenv "SCRUTINIZER_CA" } })
local query = assert(client:report_from(text_of(arg[1])))
print(query)

-- The query keeps the settings of the text; these methods add to them or replace them.
local mine = query:where { port = 443 }:limit(5):select("sourceipaddress", "destinationipaddress", "sum_octetdeltacount")
for row in mine:rows() do
  print(("%-16s %-16s %12d"):format(row.sourceipaddress, row.destinationipaddress, row.sum_octetdeltacount))
end
