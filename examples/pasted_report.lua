-- Makes a query from JSON that was copied from the appliance's UI: another exporter replaces those that it names, filters and fields are added.
-- Usage: pasted_report.lua [exporter [file]]; without a file it takes the text below. Set SCRUTINIZER_URL and SCRUTINIZER_TOKEN.
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

local text = arg[2] and assert(assert(io.open(arg[2], "rb")):read "*a") or PASTED
local query = assert(assert(scrutinizer.connect {}):report_from(text))
if arg[1] then query = query:only_exporter(arg[1]) end
print(query)
local mine = query:where { port = 443 }:limit(5):select("sourceipaddress", "destinationipaddress", "sum_octetdeltacount")
for row in mine:rows() do
  print(("%-16s %-16s %12d"):format(row.sourceipaddress, row.destinationipaddress, row.sum_octetdeltacount))
end
