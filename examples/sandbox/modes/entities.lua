-- The newer pages: lists of entities (rm=status, other views), and their bytes over time (rm=alarmsEntity…). Bytes come from the recorded flows,
-- per hour. Countries and autonomous systems are invented.
local fields = require "sandbox.http.fields"
local listing = require "sandbox.http.listing"
local reply = require "sandbox.http.reply"
local store = require "sandbox.state.store"

local entities = {}
local HOUR = 3600

local LISTS = {
  applications = "SELECT 1000 + row_number() OVER (ORDER BY app) AS id, app AS label FROM (SELECT DISTINCT app FROM flows)",
  hosts = "SELECT ip AS id, ip AS label FROM addresses ORDER BY ip",
  ipgroups = "SELECT id, name AS label FROM ip_groups ORDER BY id",
  protocols = "SELECT DISTINCT protocol AS id, coalesce(protocols.name, protocol || '') AS label FROM flows "
    .. "LEFT JOIN protocols ON number = protocol ORDER BY protocol",
  countries = "SELECT 276 AS id, 'Germany' AS label UNION SELECT 250, 'France'",
  ["autonomous-systems"] = "SELECT 64496 AS id, 'EXAMPLE-AS &amp; <b>Sons</b>' AS label UNION SELECT 64511, 'DOCUMENTATION-AS'",
}
local PROTOCOL = "coalesce((SELECT name FROM protocols WHERE number = protocol), protocol || '')"
entities.views = {}
for name in pairs(LISTS) do entities.views[name] = true end

--- The rows of a list page.
function entities.list(request, options, view)
  local session, rows = fields.session(request), {}
  for _, row in ipairs(store.rows(LISTS[view])) do
    local id = type(row.id) == "number" and listing.id(options, row.id, "strings") or row.id
    rows[#rows + 1] = { { entity_id = id, label = row.label }, { title = "" } }
  end
  return { rows = listing.page(rows, session, options) }
end

-- Octets by hour of the day and by `key`, of the flows that match `where`.
local function by_hour(key, where)
  local sums = {}
  store.query(("SELECT start_ms / 3600000 AS hour, %s AS key, SUM(octets) AS octets FROM flows WHERE %s GROUP BY 1, 2 ORDER BY 2"):format(key, where),
    function(row) sums[#sums + 1] = { hour = row.hour, key = row.key, octets = row.octets } end)
  return sums
end

-- The hours that begin in [st, et), with the sums for that hour of the day.
local function trend(request, options, key, where, point)
  local from, to, list = fields.digits(request, "st", true), fields.digits(request, "et", true), reply.list()
  if not from or not to then error({ err = "A trend needs st and et." }, 0) end
  local sums = by_hour(key, where)
  for ts = math.ceil(from / HOUR) * HOUR, to - 1, HOUR do
    for _, sum in ipairs(sums) do
      if sum.hour == ts % 86400 / HOUR then
        local octets = options.numbers == "numbers" and sum.octets or ("%.0f"):format(sum.octets)
        list[#list + 1] = point(options.numbers == "numbers" and ts or ("%d"):format(ts), octets, sum.key)
      end
    end
  end
  return { trend = list }
end

entities.application = { fields = { "view", "app_id", "st", "et" } }
function entities.application.run(request, options, sink)
  fields.word(request, "view", { "load" })
  local id = fields.digits(request, "app_id", true) or -1
  local found = store.rows(("SELECT label FROM (%s) WHERE id = ?"):format(LISTS.applications), id)[1]
  if not found then error({ err = "No such application." }, 0) end
  reply.send(sink, options, trend(request, options, "1", "app = " .. store.quote(found.label), function(ts, octets)
    return { ts = ts, bytes = octets }
  end))
end

entities.protocol = { fields = { "view", "st", "et" } }
function entities.protocol.run(request, options, sink)
  fields.word(request, "view", { "load" })
  reply.send(sink, options, trend(request, options, PROTOCOL, "1", function(ts, octets, name)
    return { ts = ts, name = name, bytes = octets }
  end))
end

entities.host = { fields = { "view", "src", "dst", "st", "et" } }
function entities.host.run(request, options, sink)
  fields.word(request, "view", { "trend" })
  local side = request.value.src and "src" or "dst"
  local host = request.value[side]
  if not host or (request.value.src and request.value.dst) then error({ err = "A host's trend needs src or dst." }, 0) end
  reply.send(sink, options, trend(request, options, "1", side .. "_ip = " .. store.quote(host), function(ts, octets)
    return { ts = ts, [side] = host, [side .. "_bytes"] = octets }
  end))
end

return entities
