-- The load of a router's interfaces: draws inbound and outbound load over a day, and prints each one's 95th percentile and peak beside its speed.
-- Usage: interface_utilisation.lua [exporter [picture.svg]]; set SCRUTINIZER_URL and SCRUTINIZER_TOKEN.
local billing = require "scrutinizer.billing"
local chart = require "scrutinizer.chart"
local scrutinizer = require "scrutinizer"

local exporter, picture = arg[1] or "192.0.2.3", arg[2] or "utilisation.svg"
local client = assert(scrutinizer.connect {})
local day = client:report("interfaces"):exporter(exporter):both():timezone("UTC"):day("2026-11-01"):granularity(30)
local list = assert(day:series())
assert(chart.series(day, picture, { unit = "bits/s", stacked = true, title = "Interfaces of " .. exporter }))

-- Each series has the table's row of its interface, with the speed of the line. Other has none. Points are bytes of a bucket.
print(("%-36s %-9s %10s %10s %10s %7s"):format("interface", "direction", "line", "95th", "peak", "of line"))
for _, series in ipairs(list) do
  local bytes, peak = {}, 0
  for i, point in ipairs(series.points) do bytes[i], peak = point[2], math.max(peak, point[2]) end
  for i = #bytes + 1, #bytes + series.missing do bytes[i] = 0 end -- buckets without traffic
  if series.row then
    local speed, rate = tonumber(series.row.interfacespeed), 8 / series.interval / 1e3
    print(("%-36s %-9s %6.0f Mb/s %5.2f kb/s %5.2f kb/s %5.2f %%"):format(series.label, series.direction, speed / 1e6,
      billing.percentile(bytes, 95) * rate, peak * rate, peak * rate / speed * 1e5))
  end
end
print(picture .. " shows them over the day")
