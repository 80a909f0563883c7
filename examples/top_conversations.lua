-- Prints the ten largest conversations of a day as a table. Set SCRUTINIZER_URL and SCRUTINIZER_TOKEN.
local scrutinizer = require "scrutinizer"
local client = assert(scrutinizer.connect {})
local day = client:report("conversations"):between("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"):total():bytes()
local top = day:select { n = "rank", from = "sourceipaddress", to = "destinationipaddress", app = "commonport.label",
  traffic = "sum_octetdeltacount.label", share = "percenttotal.label" }
print(("%4s  %-16s %-16s %-20s %10s %9s"):format("rank", "source", "destination", "application", "traffic", "share"))
for row in top:limit(10):rows() do
  print(("%4d  %-16s %-16s %-20s %10s %9s"):format(row.n, row.from, row.to, row.app, row.traffic, row.share))
end
print(("%d conversations exist"):format(assert(day:count())))
