-- Prints who talks between two networks in a day: the octets of each way, and the heaviest pairs of hosts. Two keys narrow: both must hold.
-- Usage: between_networks.lua [network network [day]]; set SCRUTINIZER_URL and SCRUTINIZER_TOKEN.
local scrutinizer = require "scrutinizer"

local a, b, day = arg[1] or "10.8.0.0/16", arg[2] or "157.240.0.0/16", arg[3] or "2026-11-01"
local client = assert(scrutinizer.connect {})
local query = client:report("host2host"):timezone("UTC"):day(day)
  :select { src = "sourceipaddress", dst = "destinationipaddress", octets = "sum_octetdeltacount" }

-- Exact on every Lua: what no number of it holds comes as text.
local function digits(n) return type(n) == "number" and ("%d"):format(n) or n end

for _, way in ipairs { { a, b }, { b, a } } do
  local narrowed = query:where { src_network = way[1], dst_network = way[2] }
  local talkers, sum = assert(narrowed:aggregate { by = { "src", "dst" }, sum = { "octets" } }), 0
  for _, pair in ipairs(talkers) do sum = scrutinizer.add(sum, pair.sum_octets) end
  print(("%s to %s: %d pairs, %s octets"):format(way[1], way[2], #talkers, digits(sum)))
  for i = 1, math.min(5, #talkers) do
    print(("  %-16s %-16s %15s"):format(talkers[i].src, talkers[i].dst, digits(talkers[i].sum_octets)))
  end
end
