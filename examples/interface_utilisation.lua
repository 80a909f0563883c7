-- The load of a router's interfaces: draws inbound and outbound load over a day, and prints each peak in percent of the interface speed.
-- Usage: interface_utilisation.lua [exporter [picture.svg]]; set SCRUTINIZER_URL and SCRUTINIZER_TOKEN.
local chart = require "scrutinizer.chart"
local scrutinizer = require "scrutinizer"

local exporter, picture = arg[1] or "192.0.2.3", arg[2] or "utilisation.svg"
local client = assert(scrutinizer.connect { tls = { ca_file = os.getenv "SCRUTINIZER_CA" } })
local day = client:report("interfaces"):exporter(exporter):both():between("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"):granularity(30)

local rates = assert(day:rates())
assert(chart.series(rates, picture, { unit = "bits/s", stacked = true, title = "Interfaces of " .. exporter }))

-- Each series has the table's row of its interface, with the speed of the line. Other has none.
print(("%-36s %-9s %10s %10s %10s %7s"):format("interface", "direction", "line", "mean", "peak", "of line"))
for _, series in ipairs(rates) do
  local sum, peak = 0, 0
  for _, point in ipairs(series.points) do sum, peak = sum + point[2], math.max(peak, point[2]) end
  if series.row and #series.points > 0 then
    local speed = tonumber(series.row.interfacespeed)
    print(("%-36s %-9s %6.0f Mb/s %5.2f kb/s %5.2f kb/s %5.2f %%"):format(
      series.label, series.direction, speed / 1e6, sum / #series.points / 1e3, peak / 1e3, peak / speed * 100))
  end
end
print(picture .. " shows them over the day")
