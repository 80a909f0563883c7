-- Prints what leaves through one interface in a day: its sum, and the heaviest conversations. A query with an interface must say its direction.
-- Usage: interface_outbound.lua [exporter [interface [day]]], both by name or by address and number; set SCRUTINIZER_URL and SCRUTINIZER_TOKEN.
local scrutinizer = require "scrutinizer"

local exporter, interface, day = arg[1] or "core-2", arg[2] or "xe-0/0/2", arg[3] or "2026-11-01"
local client = assert(scrutinizer.connect {})
local query = client:report("host2host"):timezone("UTC"):day(day):exporter(exporter, tonumber(interface) or interface):outbound()
  :select { src = "sourceipaddress", dst = "destinationipaddress", octets = "sum_octetdeltacount" }

-- Exact on every Lua: what no number of it holds comes as text.
local function digits(n) return type(n) == "number" and ("%d"):format(n) or n end

local sum = assert(query:aggregate { sum = { "octets" }, count = true })[1]
print(("%s, %s, outbound: %d conversations, %s octets"):format(exporter, interface, sum.count, digits(sum.sum_octets)))
for row in query:limit(5):rows() do print(("%-16s %-16s %15s"):format(row.src, row.dst, digits(row.octets))) end
