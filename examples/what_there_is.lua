-- Prints the known report types, named ranges and filters, and the columns of one report: those that :select, :keep and :order_by take.
-- Usage: what_there_is.lua [type]; set SCRUTINIZER_URL and SCRUTINIZER_TOKEN. An appliance has more types; any name may be asked for.
local scrutinizer = require "scrutinizer"

print(scrutinizer.report_types)
print(scrutinizer.date_ranges)
print(scrutinizer.filters)
local client = assert(scrutinizer.connect {})
local name = arg[1] or "host2host"
print(name .. ":", assert(client:columns(name)))
