-- Prints the heaviest conversations of a day whose source is in a network and whose application is not HTTPS. The rows are filtered while they
-- arrive: the limit counts those that are kept.
-- Usage: keep_network.lua [network [day]]; set SCRUTINIZER_URL and SCRUTINIZER_TOKEN.
local scrutinizer = require "scrutinizer"

local network, day = arg[1] or "10.0.0.0/8", arg[2] or "2026-11-01"
local client = assert(scrutinizer.connect {})
local query = client:report("conversations"):timezone("UTC"):day(day)
  :select { src = "sourceipaddress", dst = "destinationipaddress", app = "commonport.label", octets = "sum_octetdeltacount" }
  :keep { src = network, app = { no = { begins = "HTTPS" } } }

-- Exact on every Lua: what no number of it holds comes as text.
local function digits(n) return type(n) == "number" and ("%d"):format(n) or n end

for row in query:limit(5):rows() do
  print(("%-16s %-16s %-24s %15s"):format(row.src, row.dst, row.app, digits(row.octets)))
end
print(("%d rows are kept"):format(assert(query:count())))
