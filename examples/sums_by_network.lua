-- Prints the octets of each source network of 24 bits (48 bits of IPv6) in a day, the greatest first, and their sum: exact on every Lua.
-- Usage: sums_by_network.lua [day [zone]]; set SCRUTINIZER_URL and SCRUTINIZER_TOKEN.
local scrutinizer = require "scrutinizer"

local client = assert(scrutinizer.connect {})
local query = client:report("host2host"):timezone(arg[2] or "UTC"):day(arg[1] or "2026-11-01")
  :select { src = "sourceipaddress", octets = "sum_octetdeltacount" }

-- Exact on every Lua: what no number of it holds comes as text.
local function digits(n) return type(n) == "number" and ("%d"):format(n) or n end

-- The core groups the rows while they arrive. Texts that are no address, such as names, are groups of their own.
local networks = assert(query:aggregate { by = { net = { "src", prefix = 24, prefix6 = 48 } }, sum = { "octets" } })
local sum = 0
for _, network in ipairs(networks) do
  print(("%-24s %20s"):format(network.net, digits(network.sum_octets)))
  sum = scrutinizer.add(sum, network.sum_octets) -- a number, an int64 or digits: whatever holds it exactly
end
print(("%d networks %25s"):format(#networks, digits(sum)))
