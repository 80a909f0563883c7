--- Known names, each with a short description. The lists are open: an appliance knows many more.

local check = require "scrutinizer.check"
local listing = require "scrutinizer.listing"

local names = {}

--- Report types (`client:report`). The product has over 600, and its users add their own.
---@type table<string, string>
names.report_types = {
  applications = "applications (defined)",
  connections = "single connections with both ports",
  conversations = "conversations, well-known port",
  conversationsApp = "conversations by application",
  conversationsWKP = "conversations by well-known port",
  country2country = "country to country",
  custom_ApplicationSourceCount = "designed report of some installations: sources per application",
  custom_dstcountrycount = "designed report of some installations: destination countries",
  custom_gigamonquery = "designed report of some installations: Gigamon queries",
  custom_gigamonresponders = "designed report of some installations: Gigamon responders",
  custom_protowatch = "designed report of some installations: protocols",
  custom_responsecount = "designed report of some installations: responses",
  custom_smbversion = "designed report of some installations: SMB versions",
  dstHosts = "top destination hosts",
  dstdomains = "destination domains",
  flowCountBySource = "flow counts by source",
  flowCountByWKP = "flow counts by well-known port",
  gigamonSSLVersionCount = "Gigamon: TLS versions",
  host2host = "host to host",
  interfaces = "interface utilization",
  ipGroupGroup = "IP group to IP group",
  newDstAs = "destination autonomous systems",
  newSrcAs = "source autonomous systems",
  paApplications = "Palo Alto: applications",
  paFirewallEvents = "Palo Alto: firewall events",
  paUsers = "Palo Alto: users",
  postTranslationsNAT = "NAT: addresses after translation",
  srcCountries = "source countries",
  srcHostFlows = "source hosts with flow and distinct-destination counts",
  srcHosts = "top source hosts",
  srcdomains = "source domains",
  topMacsSrc = "source MAC addresses",
  tos = "type of service",
}

--- Named times (`query:range`). The appliance decides when a day begins; see `query:timezone`.
---@type table<string, string>
names.date_ranges = {
  Custom = "the times set with query:between",
  Last24Hours = "the last 24 hours",
  LastFifteenMinutes = "the last 15 minutes",
  LastFiveMinutes = "the last 5 minutes",
  LastFortyFiveMinutes = "the last 45 minutes",
  LastFullHour = "the last whole hour of the clock",
  LastHour = "the last 60 minutes",
  LastMonth = "the calendar month before this one",
  LastSevenDays = "the last 7 times 24 hours",
  LastTenMinutes = "the last 10 minutes",
  LastThirtyDays = "the last 30 times 24 hours",
  LastThirtyMinutes = "the last 30 minutes",
  LastThreeDays = "the last 3 times 24 hours",
  LastTwentyMinutes = "the last 20 minutes",
  LastWeek = "the calendar week before this one",
  LastYear = "the calendar year before this one",
  ThisMonth = "since the first of the month",
  ThisWeek = "since the week began",
  ThisYear = "since the first of January",
  Today = "since midnight",
  Yesterday = "the calendar day before today",
}

--- Filter types (`query:filter`), each with the query methods that write it.
---@type table<string, string>
names.filters = {
  sdfDips = "exporters and interfaces: query:exporter, query:device_group, query:all_exporters",
  sdfIPGroups = "IP groups, by id or name: ip_group, src_ip_group, dst_ip_group",
  sdfIpns = "IP networks: network, src_network, dst_network",
  sdfIps = "host addresses: ip, src_ip, dst_ip",
  sdfPorts = "application port and protocol: app_port",
  sdfSdPorts = "source and destination ports: port, src_port, dst_port",
}

---@class scrutinizer.Names
---@field [integer] { name: string, text: string } each name with its description, by the bytes of the names
---@field [string] string a name's description

--- Known names as scripts see them: a list, and the descriptions by name.
---@param known table<string, string>
---@param what string for `tostring`
---@return scrutinizer.Names
function names.list(known, what)
  local list = {}
  for i, name in ipairs(check.sorted_keys(known)) do
    list[i], list[name] = { name = name, text = known[name] }, known[name]
  end
  return listing.of(list, what, { "name", "text" })
end

return names
