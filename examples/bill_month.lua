-- Bills a customer's month by the 95th percentile: gets the samples from the appliance, writes the invoice as text and as an HTML page, and
-- saves a file that can be verified.
-- Usage: lua bill_month.lua 2025-10 Europe/Berlin 10.8.0.0/24 [folder]; set SCRUTINIZER_URL and SCRUTINIZER_TOKEN.
local billing = require "scrutinizer.billing"
local scrutinizer = require "scrutinizer"

if not arg[3] then
  io.stderr:write "usage: bill_month.lua 2025-10 Europe/Berlin 10.8.0.0/24 [folder]\n"
  os.exit(64)
end
local month, timezone, network, folder = arg[1], arg[2], arg[3], arg[4] or "."
local client = assert(scrutinizer.connect {})

-- Traffic to the network is inbound, traffic from it outbound. That makes two queries; their graphs have one point for every five minutes.
local queries = billing.queries(client, { network = network, exporter = "all" }) -- "all": no two exporters report the same flow
local samples = assert(billing.collect(billing.month(month, timezone), queries))

local invoice = assert(billing.invoice {
  customer = network, number = month, samples = samples,
  usage = { percent = 95, direction = "higher_percentile", missing = "zero", threshold = "0.01" },
  tariff = {
    currency = "EUR", unit = "Mbps", step = "0.001", -- rounded up to thousandths of a Mbit/s
    commit = "0.1", commit_price = 1000, price = 1250, -- cents per Mbit/s
    fees = { { name = "Port", amount = 5000, prorate = true } },
  },
})
print(invoice:text())

local path = folder .. "/" .. month
local page = assert(io.open(path .. ".html", "w"))
page:write(invoice:html())
page:close()
assert(invoice:save(path .. ".json"))
assert(billing.verify(path .. ".json"))
print(("written: %s.html, %s.json (verified)"):format(path, path))
