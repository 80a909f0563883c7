-- Writes a day's conversations into a CSV file: yesterday in a time zone, or a day by its date. Days have 23 or 25 hours where the clocks change.
-- Usage: export_day.lua file.csv [zone [day]], such as Asia/Kolkata and 2026-11-01; set SCRUTINIZER_URL and SCRUTINIZER_TOKEN.
local export = require "scrutinizer.export"
local scrutinizer = require "scrutinizer"

local path, zone, day = assert(arg[1], "usage: export_day.lua file.csv [zone [day]]"), arg[2] or "UTC", arg[3] or -1
local client = assert(scrutinizer.connect {})
local query = client:report("host2host"):timezone(zone):day(day):select {
  source = "sourceipaddress", destination = "destinationipaddress", octets = "sum_octetdeltacount", packets = "sum_packetdeltacount" }

-- The file appears when it is whole: a report that breaks off leaves none.
local rows = assert(export.csv(query, path, { columns = { "source", "destination", "octets", "packets" } }))
print(("%d rows of %s, %s"):format(rows, arg[3] or "yesterday", zone))
