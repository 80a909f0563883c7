local core = require "scrutinizer.core"
local support = require "spec.support"
local query = require "scrutinizer.query"
local wire = require "scrutinizer.wire"

local CLIENT = { url = "https://scrutinizer.example.net/fcgi/scrut_fcgi.fcgi", has_token = true }

-- As client:report does it: the caller's caller is to blame.
local function report(type_name)
  local made = query.new(CLIENT, type_name)
  return made
end

local complaint = support.complaint
local base = report "host2host"
local timed = base:range "LastHour"

local function json_of(q)
  return core.decode(q:request().rpt_json)
end

local function data_of(q)
  return core.decode(q:request().data_requested)
end

local function filters_of(q)
  return json_of(q).filters
end

-- A method, and the rpt_json fields that it adds to those of `timed`.
local ADDED = {
  { function(q) return q end, {} },
  { function(q) return q:inbound() end, {} },
  { function(q) return q:outbound() end, { reportDirections = { selected = "outbound" } } },
  { function(q) return q:both() end, { reportDirections = { selected = "both" } } },
  { function(q) return q:range "Today" end, { times = { dateRange = "Today" } } },
  { function(q) return q:range "Last5Minutes" end, { times = { dateRange = "Last5Minutes" } } },
  { function(q) return q:between(10, 20) end, { times = { dateRange = "Custom", start = 10, ["end"] = 20 } } },
  { function(q) return q:between("2026-11-01T00:00:00Z", "2026-11-01T01:00:00+00:00") end,
    { times = { dateRange = "Custom", start = 1793491200, ["end"] = 1793494800 } } },
  { function(q) return q:timezone("America/New_York"):between("2026-11-01", "2026-11-02") end,
    { times = { dateRange = "Custom", start = 1793505600, ["end"] = 1793595600, clientTimezone = "America/New_York" } } },
  { function(q) return q:timezone("UTC"):between("2026-11-01", "2026-11-02"):timezone "America/New_York" end, -- the last zone counts
    { times = { dateRange = "Custom", start = 1793505600, ["end"] = 1793595600, clientTimezone = "America/New_York" } } },
  { function(q) return q:between("2026-11-01", "2026-11-02T00:00:00Z"):timezone "America/New_York" end,
    { times = { dateRange = "Custom", start = 1793505600, ["end"] = 1793577600, clientTimezone = "America/New_York" } } },
  { function(q) return q:day("2026-11-01"):timezone "America/New_York" end, -- 25 hours
    { times = { dateRange = "Custom", start = 1793505600, ["end"] = 1793595600, clientTimezone = "America/New_York" } } },
  { function(q) return q:timezone("America/New_York"):hour "2026-11-01T00" end,
    { times = { dateRange = "Custom", start = 1793505600, ["end"] = 1793509200, clientTimezone = "America/New_York" } } },
  { function(q) return q:timezone("UTC"):month "2026-11" end,
    { times = { dateRange = "Custom", start = 1793491200, ["end"] = 1796083200, clientTimezone = "UTC" } } },
  { function(q) return q:between(1000000, 1000060):shift "-1h" end, { times = { dateRange = "Custom", start = 996400, ["end"] = 996460 } } },
  { function(q) return q:timezone("UTC"):day("2026-11-02"):shift("-2d"):shift "+1d" end,
    { times = { dateRange = "Custom", start = 1793491200, ["end"] = 1793577600, clientTimezone = "UTC" } } },
  { function(q) return q:shift("-1h"):between(10, 20) end, { times = { dateRange = "Custom", start = 10, ["end"] = 20 } } },
  { function(q) return q:shift("-1h"):set("times", { dateRange = "Odd" }) end, { times = { dateRange = "Odd" } } },
  { function(q) return q:shift("-1h"):without "shift" end, {} },
  { function(q) return q:timezone "Europe/Berlin" end, { times = { dateRange = "LastHour", clientTimezone = "Europe/Berlin" } } },
  { function(q) return q:granularity(5) end, { dataGranularity = { selected = 5 } } },
  { function(q) return q:granularity(5):granularity "auto" end, {} },
  { function(q) return q:rate() end, { rateTotal = { selected = "rate" } } },
  { function(q) return q:total() end, { rateTotal = { selected = "total" } } },
  { function(q) return q:bits() end, { bbp = { selected = "bits" } } },
  { function(q) return q:bytes() end, { bbp = { selected = "bytes" } } },
  { function(q) return q:percent() end, { bbp = { selected = "percent" } } },
  { function(q) return q:raw() end, { dataFormat = { selected = "raw" } } },
  { function(q) return q:formatted() end, { dataFormat = { selected = "normal" } } },
  { function(q) return q:data_mode "saf" end, { dataMode = { selected = "saf" } } },
  { function(q) return q:data_mode "something_new" end, { dataMode = { selected = "something_new" } } },
  { function(q) return q:order_by "sum_packetdeltacount" end, { orderBy = "sum_packetdeltacount" } },
  { function(q) return q:others(true) end, { showOthers = 1 } },
  { function(q) return q:others(false) end, { showOthers = 0 } },
  { function(q) return q:select("a", "b.label"):limit(3):offset(2):page_size(2):prefetch(1) end, {} },
  { function(q) return q:set("byInt", { selected = 0 }) end, { byInt = { selected = 0 } } },
  { function(q) return q:set("saved", {}) end, { saved = {} } },
  { function(q) return q:set("gone", core.null) end, { gone = core.null } },
  { function(q) return q:rate():set("rateTotal", "mine") end, { rateTotal = "mine" } },
  { function(q) return q:set("rateTotal", "mine"):rate() end, { rateTotal = { selected = "rate" } } },
  { function(q) return q:set("times", { dateRange = "Odd" }) end, { times = { dateRange = "Odd" } } },
  { function(q) return q:set("times", { dateRange = "Odd" }):range "Today" end, { times = { dateRange = "Today" } } },
}

-- A method, and the filters that come of it.
local FILTERS = {
  { function(q) return q end, { sdfDips_0 = "in_GROUP_ALL" } },
  { function(q) return q:all_exporters() end, { sdfDips_0 = "in_GROUP_ALL" } },
  { function(q) return q:exporter "10.1.1.4" end, { sdfDips_0 = "in_0A010104_ALL" } },
  { function(q) return q:exporter("10.1.1.4", 11):inbound():exporter "10.25.1.1" end,
    { sdfDips_0 = "in_0A010104_0A010104-11", sdfDips_1 = "in_0A190101_ALL" } },
  { function(q) return q:exporter("10.1.1.4"):all_exporters() end, { sdfDips_0 = "in_GROUP_ALL" } },
  { function(q) return q:all_exporters():exporter "10.1.1.4" end, { sdfDips_0 = "in_0A010104_ALL" } },
  { function(q) return q:all_exporters():device_group(7) end, { sdfDips_0 = "in_GROUP_7" } },
  { function(q) return q:filter("sdfDips", "in_GROUP_ALL"):exporter "10.1.1.4" end, { sdfDips_0 = "in_0A010104_ALL" } },
  { function(q) return q:filter("sdfDips", "ex_0A190101_ALL"):all_exporters():exporter "10.1.1.4" end,
    { sdfDips_0 = "in_0A010104_ALL" } },
  { function(q) return q:exporter("10.1.1.4"):filter("sdfDips", "ex_0A190101_ALL"):exporter "10.1.1.5" end,
    { sdfDips_0 = "in_0A010104_ALL", sdfDips_1 = "ex_0A190101_ALL", sdfDips_2 = "in_0A010105_ALL" } },
  { function(q) return q:filter("sdfDips", "ex_0A190101_ALL"):only_exporter "10.25.1.1" end, { sdfDips_0 = "in_0A190101_ALL" } },
  { function(q) return q:filter("sdfIps", "in_3.3.3.3_Both"):only_exporter "10.25.1.1" end,
    { sdfDips_0 = "in_0A190101_ALL", sdfIps_0 = "in_3.3.3.3_Both" } },
  { function(q) return q:filter("sdfIps", "in_3.3.3.3_Both"):exporter("10.25.1.1"):all_exporters() end,
    { sdfDips_0 = "in_GROUP_ALL", sdfIps_0 = "in_3.3.3.3_Both" } },
  { function(q) return q:exporter("10.1.1.4"):device_group(7):only_exporter "10.25.1.1" end, { sdfDips_0 = "in_0A190101_ALL" } },
  { function(q) return q:exporter("10.1.1.4"):device_group(7):without "exporter" end, { sdfDips_0 = "in_GROUP_ALL" } },
  { function(q)
    return q:where({ ip = "1.1.1.1", port = 53 }):exclude({ ip = "2.2.2.2" }):filter("sdfIps", "in_3.3.3.3_Both"):filter("sdfIps", "in_4.4.4.4_src")
      :without "ip"
  end, { sdfDips_0 = "in_GROUP_ALL", sdfSdPorts_0 = "in_53_both", sdfIps_0 = "in_4.4.4.4_src" } },
  { function(q) return q:where({ app_port = "53/udp" }):without("app_port"):where { app_port = "443/tcp" } end,
    { sdfDips_0 = "in_GROUP_ALL", sdfPorts_0 = "in_443-6" } },
  { function(q) return q:exporter("10.1.1.4"):where({ ip = "1.1.1.1" }):filter("sdfNew", "x"):without "filters" end,
    { sdfDips_0 = "in_GROUP_ALL" } },
  { function(q) return q:set("filters", { a = "b" }):without "filters" end, { sdfDips_0 = "in_GROUP_ALL" } },
  { function(q) return q:filter("sdfDips", "ex_0A010104_ALL"):all_exporters() end, { sdfDips_0 = "in_GROUP_ALL" } },
  { function(q) return q:device_group(7):device_group(8) end, { sdfDips_0 = "in_GROUP_7", sdfDips_1 = "in_GROUP_8" } },
  { function(q) return q:where { ip = "10.1.1.1" }:exclude { ip = "10.1.1.2" }:where { src_ip = { "1.1.1.1", "2.2.2.2" } } end,
    { sdfDips_0 = "in_GROUP_ALL", sdfIps_0 = "in_10.1.1.1_Both", sdfIps_1 = "ex_10.1.1.2_Both" } }, -- the rest is filtered here
  { function(q) return q:exclude { app_port = "443/tcp", dst_network = "20.140.0.0/15" } end,
    { sdfDips_0 = "in_GROUP_ALL", sdfPorts_0 = "ex_443-6", sdfIpns_0 = "ex_20.140.0.0_15_dst" } },
  { function(q) return q:filter("sdfNew", "in_any thing"):filter("sdfDips", "in_10.1.1.252_ALL") end,
    { sdfNew_0 = "in_any thing", sdfDips_0 = "in_10.1.1.252_ALL" } },
  { function(q) return q:set("filters", { a = "b" }) end, { a = "b" } },
  { function(q) return q:where({ ip = "1.1.1.1" }):exporter("10.1.1.4"):without("filters"):set("filters", { a = "b" }) end, { a = "b" } },
  -- What is said twice is sent once, however it was written.
  { function(q) return q:exporter("10.1.1.4"):filter("sdfDips", "in_10.1.1.4_ALL"):filter("sdfDips", "in_0a010104_ALL"):exporter "10.1.1.4" end,
    { sdfDips_0 = "in_0A010104_ALL" } },
  { function(q) return q:all_exporters():filter("sdfDips", "in_GROUP_ALL"):device_group(7):device_group(7) end, { sdfDips_0 = "in_GROUP_7" } },
  { function(q)
    return q:filter("sdfIps", "in_1.1.1.1_src"):filter("sdfIps", "in_1.1.1.1_src"):exclude({ port = { 53, 53 } }):exclude { port = 53 }
  end,
    { sdfDips_0 = "in_GROUP_ALL", sdfIps_0 = "in_1.1.1.1_src", sdfSdPorts_0 = "ex_53_both" } },
  { function(q) return q:exporter("10.1.1.4"):inbound():filter("sdfDips", "ex_0A010104_0A010104-11"):filter("sdfDips", "ex_GROUP_7") end,
    { sdfDips_0 = "in_0A010104_ALL", sdfDips_1 = "ex_0A010104_0A010104-11", sdfDips_2 = "ex_GROUP_7" } },
}

-- A misuse on one line, and parts of its message.
local MISUSE = {
  { function() local _ = report "Host2Host" end, 'report: got "Host2Host"', 'did you mean "host2host"?', ':set("reportTypeLang"' },
  { function() local _ = report "" end, 'report: got ""; allowed: a report type\'s name' },
  { function() local _ = report(5) end, "report: got 5;" },
  { function() local _ = report() end, "report: got nil;" },
  { function() local _ = report "x\255" end, "report: got" },
  { function() local _ = base:range "LastHuor" end, 'range: got "LastHuor"', 'did you mean "LastHour"?' },
  { function() local _ = base:range "lasthour" end, 'did you mean "LastHour"?' },
  { function() local _ = base:range "Custom" end, 'range: got "Custom"', ":between(from, to)" },
  { function() local _ = base:range(5) end, "range: got 5; allowed: a name as in scrutinizer.date_ranges" },
  { function() local _ = base:range() end, "range: got nil;" },
  { function() local _ = base:between(20, 10) end, "between: to: got 10; allowed: a moment after from; from is 20" },
  { function() local _ = base:between(10, 10) end, "between: to: got 10;" },
  { function() local _ = base:between(10) end, "between: to: got nil;" },
  { function() local _ = base:between(nil, 10) end, "between: from: got nil; allowed: epoch seconds or ISO 8601 text" },
  { function() local _ = base:between(1.5, 10) end, "between: from: got 1.5;" },
  { function() local _ = base:between(-5, 10) end, "between: from: got -5;" },
  { function() local _ = base:between(10, math.huge) end, "between: to: got" },
  { function() local _ = base:between(1441146000000, 1441149600000) end, "this looks like milliseconds" },
  { function() local _ = base:between("2026-11-01", "2026-11-02"):request() end,
    'request: between: from: "2026-11-01": it has no zone: add "Z"', "or call :timezone" },
  { function() local _ = base:between("2026-11-31", "2026-12-02") end, 'from: got "2026-11-31"', "there is no such day" },
  { function() local _ = base:between("2026-11-02", "2026-11-01") end, 'to: got "2026-11-01"', 'from is "2026-11-02"' },
  { function() local _ = base:between("2026-11-01", "2026-11-01T01:00:00+05:00"):timezone("UTC"):rows() end, "rows: between: to:",
    "is not after from" },
  { function() local _ = base:between("1969-12-30", 20) end, "years 1970 to 9999" },
  { function() local _ = base:day "2026-02-30" end, 'day: got "2026-02-30"', "there is no such day" },
  { function() local _ = base:day(1) end, "day: got 1; allowed: a day such as", "-1 yesterday" },
  { function() local _ = base:day() end, "day: got nil;" },
  { function() local _ = base:day("2026-11-26"):fetch() end, 'fetch: day: the query has no time zone; set one, such as :timezone "Europe/Berlin"' },
  { function() local _ = base:month "2026" end, 'month: got "2026"' },
  { function() local _ = base:hour "2026-11-26" end, 'hour: got "2026-11-26"' },
  { function() local _ = base:hour("2026-03-29T02"):timezone("Europe/Berlin"):first() end,
    "first: hour: there is no 2026-03-29T02 in Europe/Berlin" },
  { function() local _ = base:shift "7d" end, 'shift: got "7d"; allowed: text with a sign' },
  { function() local _ = base:last("1h"):shift("-7d"):count() end, "count: shift: the query has no time zone" },
  { function() local _ = base:range("LastFortnightOfUs"):shift("-1h"):count() end, "count: shift: only the appliance knows" },
  { function() local _ = base:range("Yesterday"):shift("-1h"):count() end, "count: shift: Yesterday depends on the time zone" },
  { function() local _ = base:between(10, 20):shift("-1h"):count() end, "years 1970 to 9999" },
  { function() local _ = base:set("times", {}):shift "-1h" end, "shift: :set has replaced the query's times" },
  { function() local _ = base:shift("-1h"):count() end, "count: say when" },
  { function() local _ = base:order_by("x", "asc") end, 'order_by: a second argument: got "asc"; allowed: the column alone' },
  { function() local _ = timed:exporter("10.1.1.4", 11):rows() end, "rows: the query names an interface", ":inbound(), :outbound() or :both()" },
  { function() local _ = timed:exporter("core-1", "xe-0/0/1"):fetch() end, "fetch: the query names an interface" },
  { function() local _ = timed:filter("sdfDips", "in_0A010104_0A010104-11"):request() end, "request: the query names an interface" },
  { function() local _ = base:only_exporter "10.1.1" end, 'exporter: got "10.1.1"' },
  { function() local _ = base:without "scr_ip" end, 'without: got "scr_ip"', 'did you mean "src_ip"?' },
  { function() local _ = base:without() end, "without: got nil; allowed: app_port," },
  { function() local _ = base:set("filters", {}):without "ip" end, "without: :set has replaced the query's filters" },
  { function() local _ = base:between("2026-11-01T00:00:00.5Z", 20) end, "whole seconds only" },
  { function() local _ = base:between("yesterday", 20) end, "not ISO 8601" },
  { function() local _ = base:last "90" end, 'last: got "90"; allowed: whole seconds from 1' },
  { function() local _ = base:last(0) end, "last: got 0;" },
  { function() local _ = base:last "2y" end, 'as "90m"' },
  { function() local _ = base:last() end, "last: got nil;" },
  { function() local _ = base:timezone "America/New York" end, 'timezone: got "America/New York"', 'did you mean "America/New_York"?' },
  { function() local _ = base:timezone "../etc/passwd" end, "no such time zone" },
  { function() local _ = base:timezone(5) end, "timezone: got 5;" },
  { function() local _ = base:set("times", {}):timezone "UTC" end, "timezone: :set has replaced the query's times" },
  { function() local _ = base:granularity(0) end, 'granularity: got 0; allowed: whole minutes from 1, or "auto"' },
  { function() local _ = base:granularity "Auto" end, 'did you mean "auto"?' },
  { function() local _ = base:granularity "5" end, 'granularity: got "5";' },
  { function() local _ = base:granularity(2.5) end, "granularity: got 2.5;" },
  { function() local _ = base:data_mode "SAF" end, 'data_mode: got "SAF"', 'did you mean "saf"?' },
  { function() local _ = base:data_mode "tradional" end, 'did you mean "traditional"?' },
  { function() local _ = base:data_mode(1) end, "data_mode: got 1;" },
  { function() local _ = base:order_by "" end, 'order_by: got ""; allowed: a column\'s element name' },
  { function() local _ = base:order_by "rank" end, 'order_by: got "rank"; allowed: a column that the appliance can sort by', "ranks follow from it" },
  { function() local _ = base:order_by "direction" end, 'order_by: got "direction"' },
  { function() local _ = base:order_by {} end, "order_by: got a table;" },
  { function() local _ = base:order_by "a\0b" end, "order_by: got" },
  { function() local _ = base:order_by "\255" end, "order_by: got" },
  { function() local _ = base:data_mode "\255" end, "data_mode: got" },
  { function() local _ = base:others() end, "others: got nil; allowed: true or false" },
  { function() local _ = base:others(0) end, "others: got 0;" },
  { function() local _ = base:exporter "10.1.1" end, 'exporter: got "10.1.1"', "IPv4 or IPv6 address, or its name" },
  { function() local _ = base:exporter() end, "exporter: got nil;" },
  { function() local _ = base:only_exporter() end, "only_exporter: got nil;" },
  { function() local _ = base:exporter("10.1.1.4", -1) end, 'exporter: interface: got -1' },
  { function() local _ = base:device_group (-5) end,
    'device_group: got -5; allowed: the id of a device group, a whole number from 0, or its name' },
  { function() local _ = base:device_group(-1) end, "device_group: got -1;" },
  { function() local _ = base:where { scr_ip = "1.1.1.1" } end, 'did you mean "src_ip"?' },
  { function() local _ = base:where { network = "10.1.0.0/8" } end, "where: network:", 'did you mean "10.0.0.0/8"?' },
  { function() local _ = base:where() end, "where: got nil;" },
  { function() local _ = base:exclude { port = 70000 } end, "exclude: port: got 70000;" },
  { function() local _ = base:exclude {} end, "exclude: got a table;" },
  { function() local _ = base:filter("", "x") end, 'filter: type: got ""' },
  { function() local _ = base:filter(5, "x") end, "filter: type: got 5;" },
  { function() local _ = base:filter("sdfIps", 5) end, "filter: value: got 5; allowed: text in UTF-8" },
  { function() local _ = base:filter("sdfIps", "\255") end, "filter: value: got" },
  { function() local _ = base:filter("sdfIps") end, "filter: value: got nil;" },
  { function() local _ = base:set("filters", {}):where { ip = "1.1.1.1" } end, "where: :set has replaced the query's filters" },
  { function() local _ = base:where({ ip = "1.1.1.1" }):set("filters", {}) end,
    'set: the query has filters or exporters already: say :without "filters"' },
  { function() local _ = base:exporter("10.1.1.4"):set("filters", { a = "b" }) end, "set: the query has filters or exporters already" },
  { function() local _ = timed:set("filters", { sdfDips_0 = "in_0A010104_0A010104-11" }):rows() end, "rows: the query names an interface" },
  { function() local _ = timed:exporter("10.1.1.4"):filter("sdfDips", "in_GROUP_ALL"):rows() end,
    "exporter: the query says all devices and 10.1.1.4: the appliance would take all devices; say :all_exporters() or :only_exporter(…)" },
  { function() local _ = timed:device_group("Branches"):filter("sdfDips", "in_GROUP_ALL"):fetch() end,
    "says all devices and device group Branches" },
  { function() local _ = timed:exporter("core-1"):exporter("core-1", 11):inbound():count() end,
    "exporter: the query says core-1 and core-1 interface 11: the appliance would take the whole device; say :only_exporter(…)" },
  { function() local _ = timed:exporter("10.1.1.4", 11):both():filter("sdfDips", "in_10.1.1.4_ALL"):request() end,
    "says in_10.1.1.4_ALL and 10.1.1.4 interface 11" },
  { function() local _ = timed:exporter("10.1.1.4"):filter("sdfDips", "ex_10.1.1.4_ALL"):explain() end,
    "exporter: the query says ex_10.1.1.4_ALL and 10.1.1.4: no flow meets both" },
  { function() local _ = timed:device_group(7):filter("sdfDips", "ex_GROUP_7"):url() end, "says ex_GROUP_7 and device group 7: no flow meets both" },
  { function() local _ = timed:windows "1y" end, 'windows: got "1y"; allowed: a length such as "1d" or "6h"' },
  { function() local _ = timed:windows "0d" end, 'windows: got "0d";' },
  { function() local _ = timed:windows(0.5) end, "windows: got 0.5;" },
  { function() local _ = timed:windows() end, "windows: got nil;" },
  { function() local _ = base:windows "1d" end, "windows: say when" },
  { function() local _ = base:set("times", {}):windows "1d" end, "windows: :set has replaced the query's times" },
  { function() local _ = base:between(0, 86400):windows "1d" end, "windows: days: the query has no time zone; set one" },
  { function() local _ = base:between(0, 86400 * 365):windows "1s" end, "windows: it would be more than 100000 windows" },
  { function() local _ = base:day("2026-03-29"):windows "1h" end, "windows: day: the query has no time zone; set one" },
  { function() local _ = timed:resume({ resume = { offset = 5 } }):windows "1h" end, "windows: the query resumes a walk" },
  { function() local _ = base:set("", 1) end, 'set: field: got ""' },
  { function() local _ = base:set(nil, 1) end, "set: field: got nil;" },
  { function() local _ = base:set "x" end, "set: value: got nil; allowed: what JSON can hold", "it holds a nil" },
  { function() local _ = base:set("x", { print }) end, "it holds a function" },
  { function() local _ = base:set("x", 0 / 0) end, "a number that JSON cannot hold" },
  { function() local _ = base:select() end, "select: got nil;" },
  { function() local _ = base:select("a", "a") end, "a name that is not in the list yet" },
  { function() local _ = base:select { "a", x = "b" } end, "not both" },
  { function() local _ = base:limit(0) end, "limit: got 0; allowed: a whole number from 1" },
  { function() local _ = base:limit "10" end, 'limit: got "10";' },
  { function() local _ = base:limit(1.5) end, "limit: got 1.5;" },
  { function() local _ = base:offset(-1) end, "offset: got -1; allowed: a whole number from 0" },
  { function() local _ = base:page_size(0) end, "page_size: got 0; allowed: a whole number from 1" },
  { function() local _ = base:prefetch(-1) end, "prefetch: got -1; allowed: a whole number from 0 to 64" },
  { function() local _ = base:prefetch(65) end, "prefetch: got 65;" },
  { function() local _ = base:resume() end, "resume: got nil; allowed: an error that has the field resume" },
  { function() local _ = base:resume {} end, "resume: got a table;" },
  { function() local _ = base:resume { resume = { offset = "x" } } end, "resume: the error names no direction" },
  { function() local _ = base:resume { resume = { offset = 5, remaining = 0 } } end, "no direction of this query" },
  { function() local _ = base:rows() end, 'rows: say when: :range "LastHour"' },
  { function() local _ = base:fetch() end, "fetch: say when" },
  { function() local _ = base:first() end, "first: say when" },
  { function() local _ = base:count() end, "count: say when" },
  { function() local _ = base:request() end, "request: say when" },
  { function() local _ = base:url() end, "url: say when" },
  { function() local _ = base:curl() end, "curl: say when" },
  { function() local _ = timed:rows(5) end, "rows: got 5; allowed: a table of options" },
  { function() local _ = timed:rows { resuse = true } end, 'rows: option: got "resuse"; allowed: reuse' },
  { function() local _ = timed:rows { reuse = 1 } end, "rows: reuse: got 1; allowed: true or false" },
  { function() local _ = base.limit(5) end, "limit: called without its query; write query:limit(…)" },
  { function() local _ = base.both() end, "both: called without its query" },
  { function() local _ = timed.rows() end, "rows: called without its query" },
  { function() local _ = timed.where { host = "10.0.0.1" } end, "where: called without its query" },
  { function() base.limit = 5 end, 'queries are immutable: field "limit" cannot be set' },
}

local function merged(fields)
  local whole = {
    reportTypeLang = "host2host", reportDirections = { selected = "inbound" }, times = { dateRange = "LastHour" },
    dataGranularity = { selected = "auto" }, filters = { sdfDips_0 = "in_GROUP_ALL" },
  }
  for name, value in pairs(fields) do whole[name] = value end
  return whole
end

local function limits(offset, rows)
  return { table = { query_limit = { offset = offset, max_num_rows = rows } } }
end

describe("query", function()
  for i, case in ipairs(ADDED) do
    it("sends what is said, " .. i, function()
      assert.same(merged(case[2]), json_of(case[1](timed)))
      assert.same(merged {}, json_of(timed)) -- and the query itself is as it was
    end)
  end

  for i, case in ipairs(FILTERS) do
    it("sends filters, " .. i, function()
      assert.same(case[2], filters_of(case[1](timed)))
      assert.same({ sdfDips_0 = "in_GROUP_ALL" }, filters_of(timed))
    end)
  end

  for i, case in ipairs(MISUSE) do
    it(("blames the caller's line, %d: %s"):format(i, case[2]), function()
      local text = complaint(case[1])
      for n = 2, #case do assert.truthy(text:find(case[n], 1, true), text) end
    end)
  end

  it("checks a table that it is given before it keeps it", function()
    local value = { selected = { 1, 2 } }
    local q = timed:set("x", value)
    value.selected[1] = print
    assert.same({ selected = { 1, 2 } }, json_of(q).x)
    local list = { "10.0.0.1" }
    q = timed:where { ip = list }
    list[1] = "10.0.0.2"
    assert.equal("in_10.0.0.1_Both", filters_of(q).sdfIps_0)
    q = timed:set("locked", setmetatable({ a = 1 }, { __metatable = "locked", __index = print }))
    assert.same({ a = 1 }, json_of(q).locked)
    q = timed:set("list", setmetatable({}, core.array_mt))
    assert.truthy(q:request().rpt_json:find('"list":[]', 1, true))
  end)

  it("branches: what one query adds, another does not have", function()
    local a, b = timed:where { ip = "1.1.1.1" }, timed:where { ip = "2.2.2.2" }
    assert.equal("in_1.1.1.1_Both", filters_of(a).sdfIps_0)
    assert.equal("in_2.2.2.2_Both", filters_of(b).sdfIps_0)
    assert.is_nil(filters_of(b).sdfIps_1)
  end)

  it("makes the example of the vendor's article", function()
    local q = base:granularity(1):between(1441146000, 1441149600)
      :where({ ip_group = 16800023 }):filter("sdfIps", "in_x.x.x.x_Both"):limit(1000)
    assert.same({
      reportTypeLang = "host2host",
      reportDirections = { selected = "inbound" },
      dataGranularity = { selected = 1 },
      times = { dateRange = "Custom", start = 1441146000, ["end"] = 1441149600 },
      filters = { sdfDips_0 = "in_GROUP_ALL", sdfIPGroups_0 = "in_16800023_both", sdfIps_0 = "in_x.x.x.x_Both" },
    }, json_of(q))
    assert.same({ inbound = limits(0, 1000) }, data_of(q))
    local form = q:request()
    assert.equal("report_api", form.rm)
    assert.equal("get", form.action)
    assert.is_nil(form.authToken)
  end)

  it("asks for limits in both directions", function()
    assert.same({ inbound = limits(0, 10000000000) }, data_of(timed))
    assert.same({ outbound = limits(3, 10) }, data_of(timed:outbound():offset(3):limit(10)))
    assert.same({ inbound = limits(3, 10), outbound = limits(3, 10) }, data_of(timed:both():offset(3):limit(10)))
  end)

  it("takes filters of rows back", function()
    local kept = timed:keep { sum_octetdeltacount = { min = 5 } }
    assert.is_true(tostring(kept) ~= tostring(timed) and tostring(kept) ~= tostring(timed:keep { sum_octetdeltacount = { min = 6 } }))
    assert.equal(tostring(timed), tostring(kept:without "keep"))
    local seen = {}
    for _, condition in ipairs { 3, "3", { no = 3 }, { no = { 3, 4 } }, { { no = 3 }, 4 }, { min = 3 }, { max = 3 }, { min = 3, no = 4 },
      { begins = "3" }, { contains = "3" }, { no = { begins = "3" } }, ("x"):rep(100), ("x"):rep(101) } do
      local text = tostring(timed:keep { field = condition })
      assert.is_nil(seen[text], text)
      seen[text] = true
    end
    assert.same({}, kept:without("keep")._spec.kept)
  end)

  it("takes limits back", function()
    assert.same({ inbound = limits(3, 10000000000) }, data_of(timed:offset(3):limit(10):no_limit()))
    assert.same({ inbound = limits(0, 10) }, data_of(timed:offset(3):limit(10):without "offset"))
    local both = timed:both():resume { resume = { inbound = { offset = 4, remaining = 6 }, outbound = { offset = 0, remaining = 10 } } }
    assert.same({ inbound = limits(4, 10000000000), outbound = limits(0, 10000000000) }, data_of(both:no_limit()))
  end)

  it("counts :last from each run", function()
    local q = base:last "90m"
    local times = json_of(q).times
    assert.equal("Custom", times.dateRange)
    assert.equal(5400, times["end"] - times.start)
    assert.equal(5400, q._spec.times.last)
  end)

  it("goes on where an error says", function()
    local q = timed:limit(100):offset(10):resume { resume = { offset = 40, remaining = 70 } }
    assert.same({ inbound = limits(40, 70) }, data_of(q))
    assert.same({ inbound = limits(40, 10000000000) }, data_of(timed:resume { resume = { offset = 40 } }))
    local both = timed:both():limit(100)
    q = both:resume { resume = { inbound = { offset = 40, remaining = 60 }, outbound = { offset = 0, remaining = 100 } } }
    assert.same({ inbound = limits(40, 60), outbound = limits(0, 100) }, data_of(q))
    q = both:resume { resume = { outbound = { offset = 5, remaining = 95 } } }
    assert.same({ outbound = limits(5, 95) }, data_of(q))
    assert.same({ "inbound", "outbound" }, q._spec.directions) -- its rows still say their direction
    assert.same({ outbound = limits(5, 7) }, data_of(q:limit(7))) -- each begins where it did
    assert.same({ inbound = limits(0, 95), outbound = limits(0, 95) }, data_of(both:limit(95)))
    assert.same({ inbound = limits(0, 100) }, data_of(q:inbound()))
    assert.same({ outbound = limits(5, 95) }, data_of(q:outbound()))
    q = base:last("90m"):resume { resume = { offset = 1, from = 100, to = 200 } }
    assert.same({ dateRange = "Custom", start = 100, ["end"] = 200 }, json_of(q).times)
  end)

  it("compares no names for a report that somebody designed, as it needs no suggestion", function()
    local suggest = require "scrutinizer.suggest"
    local nearest, compared = suggest.nearest, 0
    suggest.nearest = function(...)
      compared = compared + 1
      return nearest(...)
    end
    local good, err = pcall(function()
      report "custom_x"
      report "host2host"
      assert.equal(0, compared)
      assert.has_error(function() local _ = report "Host2Host" end)
      assert.equal(1, compared)
    end)
    suggest.nearest = nearest
    assert(good, err)
  end)

  it("shows itself in one harmless line", function()
    assert.equal('scrutinizer.Query: "host2host", inbound, LastHour', tostring(timed))
    assert.equal('scrutinizer.Query: "host2host", both, no times yet', tostring(base:both()))
    assert.equal('scrutinizer.Query: "host2host", inbound, 10 to 20', tostring(base:between(10, 20)))
    assert.equal('scrutinizer.Query: "host2host", inbound, last 5400 s', tostring(base:last "90m"))
    assert.equal('scrutinizer.Query: "host2host", inbound, times as set, set { times = {} }', tostring(base:set("times", {})))
    assert.is_nil(tostring(report("custom_\27[31m\n")):find "%c")
    local strange = report("custom_\27[31m\n"):range "a\nb\27[31m"
    assert.is_nil(tostring(strange):find "%c")
    assert.is_nil(strange:explain():gsub("\n", ""):find "%c")
    assert.equal(4, select(2, strange:explain():gsub("\n", "\n")) + 1)
    local others = { ["day 2026-11-26"] = strange:day "2026-11-26", ["last 3600 s"] = strange:last(3600), ["1 to 2"] = strange:between(1, 2) }
    for words, other in pairs(others) do
      assert.are_not.equal(tostring(strange:range(words)), tostring(other))
    end
    local all = timed:both():timezone("UTC"):granularity(5):exporter("10.1.1.4", 11):exporter("core-1", "xe-0/0/1"):device_group(7)
      :where({ ip = { "1.1.1.1", "2.2.2.2" }, port = 53 }):exclude({ app_port = { 443, "tcp" } }):filter("sdfNew", 'in_"x"')
      :select({ src = "sourceipaddress", note = "x.label?" }):rate():bits():raw():data_mode("saf"):order_by("sum_octetdeltacount"):others(false)
      :limit(5):offset(2):page_size(3):prefetch(1):set("byInt", { selected = 0 }):shift "-1d"
    assert.equal('scrutinizer.Query: "host2host", both, LastHour, shifted by -1d, timezone "UTC", granularity 5, '
      .. 'exporter "10.1.1.4" interface 11, exporter "core-1" interface "xe-0/0/1", device group 7, filter "sdfNew" "in_\\"x\\"", '
      .. 'where { ip = { "1.1.1.1", "2.2.2.2" }, port = 53 }, exclude { app_port = { 443, "tcp" } }, '
      .. 'select note = "x.label?", src = "sourceipaddress", rate, bits, raw, data mode "saf", order by "sum_octetdeltacount", others false, '
      .. 'limit 5, offset 2, page size 3, prefetch 1, set { byInt = { selected = 0 } }', tostring(all))
  end)

  it("has no methods but its own", function()
    assert.is_nil(base.next)
    assert.is_nil(base.__index)
    assert.is_true(query.is(base))
    assert.is_false(query.is {})
  end)

  it("writes a URL and a curl command without the token", function()
    local q = timed:set("x", "it's\n`id`\27[2J\194\155$(id)")
    assert.matches("^https://scrutinizer%.example%.net/fcgi/scrut_fcgi%.fcgi%?rm=report_api&action=get&rpt_json=%%7B", q:url())
    assert.matches("&authToken=%*%*%*$", q:url())
    assert.is_nil(q:url():find "[^%w%%&=?/:._~*-]")
    local command = q:curl()
    assert.is_nil(command:find "[%c\128-\255]")
    assert.truthy(command:find([["x":"it'\''s\n`id`\u001b[2J\u009b$(id)"]], 1, true), command)
    assert.truthy(command:find("'authToken=***'", 1, true))
    local open_client = query.new({ url = CLIENT.url, has_token = false }, "tos", 2):range "Today"
    assert.is_nil(open_client:url():find("authToken", 1, true))
    assert.is_nil(open_client:curl():find("authToken", 1, true))
  end)

  it("hands running over to the cursor", function()
    local saved = package.loaded["scrutinizer.report.cursor"]
    local seen = {}
    local function spy(name)
      return function(...)
        seen[#seen + 1] = { name, ... }
        return name, "second"
      end
    end
    package.loaded["scrutinizer.report.cursor"] = {
      rows = spy "rows", fetch = spy "fetch", first = spy "first", count = spy "count",
    }
    local options = { reuse = true }
    assert.same({ "rows", "second" }, { timed:rows(options) })
    assert.same({ "fetch", "second" }, { timed:fetch() })
    assert.same({ "first", "second" }, { timed:first() })
    assert.same({ "count", "second" }, { timed:count() })
    package.loaded["scrutinizer.report.cursor"] = saved
    assert.equal(timed, seen[1][2])
    assert.equal(timed._spec.times, seen[1][3].times)
    assert.equal(options, seen[1][4])
    assert.equal(4, #seen)
  end)
end)

describe("the request's text", function()
  local SCRIPT = [[
    local query = require "scrutinizer.query"
    local q = query.new({ url = "https://h/", has_token = true }, "conversations", 2):both():between(1, 2):timezone "UTC"
      :where { ip = { "1.1.1.1", "2.2.2.2" }, port = 53, app_port = "443/tcp", ip_group = 5, network = "10.0.0.0/8" }
      :exclude { src_ip = "::1", dst_port = 22 }:exporter("10.1.1.4", 3):rate():bits():raw():order_by "x":others(false)
      :set("a", { z = 1, y = { 1, 2 }, x = {} }):set("b", 1.5):set("c", "ü"):select { b = "x", a = "y" }:limit(5)
    io.write(q:url(), "\n", q:curl(), "\n")
    for _, entry in ipairs(q._spec.projection) do io.write(entry.field, " ") end
  ]]

  it("is the same in a hundred processes", function()
    local path = os.tmpname()
    support.write(path, SCRIPT)
    local first
    for _ = 1, 100 do
      local pipe = assert(io.popen(support.lua .. " " .. path .. " 2>&1"))
      local text = pipe:read "*a"
      pipe:close()
      first = first or text
      assert.equal(first, text)
    end
    os.remove(path)
    assert.matches("^https://h/%?rm=report_api&", first)
    assert.matches("\ncurl .*\na b $", first)
  end)

  it("does not follow the locale", function()
    local before = os.setlocale()
    local q = timed:set("n", 1.5):set("B", 1):set("a", 2)
    local text = q:request().rpt_json
    for _, name in ipairs { "de_DE.UTF-8", "en_US.UTF-8", "C.UTF-8" } do
      if os.setlocale(name) then
        assert.equal(text, q:request().rpt_json)
      end
    end
    os.setlocale(before)
    assert.equal(wire.encode(core.decode(text)), text)
  end)
end)
