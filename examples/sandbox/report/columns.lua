-- The report types: the flow properties that rows are grouped by, and the columns in wire order. All names of elements, types and labels are here.
--
-- A key column has `sql` (the group-by expression over the table flows), and perhaps `names` (the kind of names for its labels). `%in` in the
-- SQL stands for the interface of the direction. A measure column has `measure`: octets, packets, flows, destinations, percent, speed,
-- utilization, none, first or last.
local columns = {}

local SRC = { "sourceipaddress", "Source", sql = "src_ip" }
local DST = { "destinationipaddress", "Destination", sql = "dst_ip" }
local WKP = { "commonport", "Common Port", sql = "wkp" }
local APP = { "applicationid", "Application", sql = "app" }
local SRC_PORT = { "sourcetransportport", "Src Port", sql = "src_port" }
local DST_PORT = { "destinationtransportport", "Dst Port", sql = "dst_port" }
local PROTOCOL = { "protocolidentifier", "Protocol", sql = "protocol", names = "protocols" }
local TOS = { "ipclassofservice", "ToS", sql = "tos" }
local EXPORTER = { "exporteripaddress", "Exporter", sql = "exporter" }
local INTERFACE = { "ingressinterface", "Interface", sql = "%in", names = "interfaces", outbound = "egressinterface" }
local SRC_GROUP = { "sourceipgroup", "Source IP Group", sql = "src_group", names = "ip_groups" }
local DST_GROUP = { "destinationipgroup", "Destination IP Group", sql = "dst_group", names = "ip_groups" }

local PERCENT = { "percenttotal", "Traffic %", measure = "percent" }
local PEAK = { "rpt_man_peak", "Peak", measure = "none", bbp = true, force = true }
local P95 = { "rpt_man_95th", "95th", measure = "none", bbp = true, force = true }
local PACKETS = { "sum_packetdeltacount", "Packets", measure = "packets", rate = true }
local OCTETS = { "sum_octetdeltacount", "Traffic", measure = "octets", rate = true, bbp = true }
local FLOWS = { "sum_plixeraggregatedrecordcount", "Flow Count", measure = "flows" }
local DESTINATIONS = { "countdistinct_destinationipaddress", "Distinct Destinations", measure = "destinations" }
local SPEED = { "interfacespeed", "Interface Speed", measure = "speed" }
local UTILIZATION = { "custom_interfacepercent", "% Util.", measure = "utilization" }
local FIRST = { "first_flow_epoch", "first_flow_epoch", measure = "first" }
local LAST = { "last_flow_epoch", "last_flow_epoch", measure = "last" }

columns.types = {
  conversations = { SRC, WKP, DST, PERCENT, PACKETS, OCTETS, FIRST, LAST },
  conversationsApp = { SRC, APP, DST, PERCENT, PEAK, P95, OCTETS, FIRST, LAST },
  conversationsWKP = { SRC, WKP, DST, PERCENT, PEAK, P95, OCTETS, FIRST, LAST },
  host2host = { SRC, DST, PERCENT, PACKETS, OCTETS, FIRST, LAST },
  connections = { APP, SRC_PORT, SRC, PROTOCOL, DST, DST_PORT, PERCENT, PACKETS, PEAK, P95, OCTETS, FIRST, LAST },
  applications = { APP, PERCENT, PEAK, P95, OCTETS, FIRST, LAST },
  srcHosts = { SRC, PERCENT, PACKETS, PEAK, P95, OCTETS, FIRST, LAST },
  dstHosts = { DST, PERCENT, PACKETS, PEAK, P95, OCTETS, FIRST, LAST },
  srcHostFlows = { SRC, PERCENT, FLOWS, DESTINATIONS, OCTETS, FIRST, LAST },
  tos = { TOS, PERCENT, PEAK, P95, PACKETS, OCTETS, FIRST, LAST },
  interfaces = { EXPORTER, INTERFACE, SPEED, PEAK, P95, OCTETS, UTILIZATION, FIRST, LAST },
  ipGroupGroup = { SRC_GROUP, DST_GROUP, PERCENT, PEAK, P95, OCTETS, FIRST, LAST },
  flowCountByWKP = { WKP, PERCENT, OCTETS, FLOWS, FIRST, LAST, sort = FLOWS },
  flowCountBySource = { SRC, PERCENT, DESTINATIONS, OCTETS, FLOWS, FIRST, LAST, sort = FLOWS },
}

-- Report types for which the recorded flows have no data: the table is empty. No source shows the names of these columns.
local function untold(name, label) return { name, label, sql = "NULL" } end
local function empty(...)
  local list = { empty = true, ... }
  for _, column in ipairs { PERCENT, PACKETS, OCTETS, FIRST, LAST } do list[#list + 1] = column end
  return list
end

for name, list in pairs {
  country2country = empty(untold("sourcecountry", "Source Country"), untold("destinationcountry", "Destination Country")),
  srcCountries = empty(untold("sourcecountry", "Source Country")),
  topMacsSrc = empty(untold("sourcemacaddress", "Source MAC")),
  newSrcAs = empty(untold("bgpsourceasnumber", "Source AS")),
  newDstAs = empty(untold("bgpdestinationasnumber", "Destination AS")),
  srcdomains = empty(untold("sourcedomain", "Source Domain")),
  dstdomains = empty(untold("destinationdomain", "Destination Domain")),
  gigamonSSLVersionCount = empty(untold("gigamonsslversion", "TLS Version")),
  postTranslationsNAT = empty(SRC, untold("postnatsourceipv4address", "Post NAT Source"), DST),
  paApplications = empty(untold("paapplication", "Application")),
  paUsers = empty(untold("pauser", "User")),
  paFirewallEvents = empty(untold("pafirewallevent", "Firewall Event")),
} do columns.types[name] = list end

-- Columns that orderBy may name in any report, even if they are not shown.
columns.orders = {
  sum_octetdeltacount = "octets", sum_packetdeltacount = "packets", sum_plixeraggregatedrecordcount = "flows",
  countdistinct_destinationipaddress = "destinations", custom_interfacepercent = "utilization",
}

--- The columns of a report type in one direction: a list of { name, label, sql, measure, … }, with `empty` if the flows have no data; nil for an
--- unknown type.
function columns.of(report_type, direction)
  local known = columns.types[report_type]
  if not known then return nil end
  local list = { keys = {}, sort = (known.sort or OCTETS).measure, empty = known.empty }
  for i, column in ipairs(known) do
    local copy = {}
    for key, value in pairs(column) do copy[key] = value end
    copy.name, copy.label = column[direction] or column[1], column[2]
    list[i] = copy
    if copy.sql then
      copy.sql = copy.sql:gsub("%%in", direction == "outbound" and "output_if" or "input_if")
      list.keys[#list.keys + 1] = copy
      copy.key = #list.keys
    end
  end
  return list
end

return columns
