--- Names that are known, each with one line, and "did you mean". The lists are open: an appliance knows many more.

local ascii = require "scrutinizer.ascii"
local check = require "scrutinizer.check"

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

--- Named times (`query:range`). Where days begin is the appliance's matter; see `query:timezone`.
---@type table<string, string>
names.date_ranges = {
  Custom = "the times said with query:between",
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

--- Filter types (`query:filter`), with the query method that writes them.
---@type table<string, string>
names.filters = {
  sdfDips = "exporters and interfaces: query:exporter, query:device_group, query:all_exporters",
  sdfIPGroups = "IP groups by id: ip_group, src_ip_group, dst_ip_group",
  sdfIpns = "IP networks: network, src_network, dst_network",
  sdfIps = "host addresses: ip, src_ip, dst_ip",
  sdfPorts = "application port and protocol: app_port",
  sdfSdPorts = "source and destination ports: port, src_port, dst_port",
}

-- Edits that turn `a` into `b` (insert, delete, replace, swap neighbours), or nil when more than `max`.
local function distance(a, b, max)
  if math.abs(#a - #b) > max then return nil end
  local before, row = {}, {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local two_before = before
    before, row = row, { [0] = i }
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      row[j] = math.min(before[j] + 1, row[j - 1] + 1, before[j - 1] + cost)
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], two_before[j - 2] + 1)
      end
    end
  end
  return row[#b] <= max and row[#b] or nil
end

--- The known name that a misspelt one is nearest to, letters' case aside; nil when none is near.
---@param name string
---@param list table<string, any> the known names are its keys
---@param max? integer edits allowed (default 2; case alone is no edit)
---@return string?
function names.suggest(name, list, max)
  if type(name) ~= "string" or #name > 100 then return nil end
  local lower, best, best_edits = ascii.lower(name), nil, nil
  for _, known in ipairs(check.sorted_keys(list)) do
    local edits = distance(lower, ascii.lower(known), max or 2)
    if edits and (not best_edits or edits < best_edits) then best, best_edits = known, edits end
  end
  return best
end

--- For open lists: the known name that `name` surely meant, or nil when it is known or simply another one.
--- Short names are near to many others by chance, so they must be nearer: up to 4 bytes only the case may differ, up to 8 one edit.
---@param name string
---@param list table<string, any>
---@return string?
function names.misspelt(name, list)
  if list[name] then return nil end
  local max = #name < 5 and 0 or #name < 9 and 1 or 2
  return names.suggest(name, list, max)
end

--- The hint of a message: `did you mean "x"?`, or nil.
---@param known? string
---@return string?
function names.did_you_mean(known)
  return known and ('did you mean "%s"?'):format(known) or nil
end

--- A word of an open list: unknown ones pass, misspelt known ones and what is no word do not.
---@param value any
---@param list table<string, any>
---@return string? value
---@return string? hint "did you mean", when it is misspelt
function names.open(value, list)
  if type(value) ~= "string" or value == "" then return nil end
  local meant = names.misspelt(value, list)
  if meant then return nil, names.did_you_mean(meant) end
  return value
end

return names
