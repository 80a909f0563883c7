-- A customer's month by the 95th percentile: samples from the appliance, an invoice as text and as a page, and a file that can be verified.
-- Usage: lua bill_month.lua 2025-10 Europe/Berlin 10.8.0.0/24 [folder]; SCRUTINIZER_URL and SCRUTINIZER_TOKEN say where and who.
local billing = require "scrutinizer.billing"
local scrutinizer = require "scrutinizer"

local month, timezone, network, folder = arg[1], arg[2], arg[3], arg[4] or "."
local client = assert(scrutinizer.connect { tls = { ca_file = os.getenv "SCRUTINIZER_CA" } })

-- Traffic to the network is inbound, traffic from it outbound: two queries, whose graphs have a point for every five minutes.
local queries = billing.queries(client, { network = network, exporter = "all" }) -- no two exporters here report one flow
local samples = assert(billing.collect(billing.month(month, timezone), queries))

local invoice = assert(billing.invoice {
  customer = network, number = month, samples = samples,
  usage = { percent = 95, direction = "higher_percentile", missing = "zero", threshold = "0.01" },
  tariff = {
    currency = "EUR", unit = "Mbps", step = "0.001", -- thousandths of a Mbit/s, begun ones count
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
