-- Compares an hour with the same hour of the clock a week before, by source: the octets of each, the greatest change first.
-- Usage: week_ago.lua [zone [hour]]; the hour is 2026-11-05T14, or -1 (the default) for the last whole one. Set SCRUTINIZER_URL and
-- SCRUTINIZER_TOKEN.
local scrutinizer = require "scrutinizer"

local zone, hour = arg[1] or "UTC", tonumber(arg[2] or -1) or arg[2]
local client = assert(scrutinizer.connect {})
local now = client:report("srcHosts"):timezone(zone):hour(hour):select { src = "sourceipaddress", octets = "sum_octetdeltacount" }

-- Exact on every Lua: what no number of it holds comes as text.
local function digits(n) return type(n) == "number" and ("%d"):format(n) or n end

local by_source, list = {}, {}
for when, query in pairs { now = now, before = now:shift "-7d" } do
  for row in query:rows() do
    local source = by_source[row.src] or { src = row.src, now = 0, before = 0 }
    if not by_source[row.src] then by_source[row.src], list[#list + 1] = source, source end
    source[when] = row.octets
  end
end

local function change(source) return math.abs(source.now - source.before) end
table.sort(list, function(a, b)
  if change(a) ~= change(b) then return change(a) > change(b) end
  return a.src < b.src
end)
for i = 1, math.min(10, #list) do print(("%-24s %15s %15s"):format(list[i].src, digits(list[i].before), digits(list[i].now))) end
