-- rm=quick_search, action=check_hosts: which exporters have seen a host. It was first seen on 2026-01-01, the first repetition of the recorded
-- day, and last seen today or yesterday. Connections: the flows from this host on the recorded day; "N/A" if there are none.
local fields = require "sandbox.http.fields"
local reply = require "sandbox.http.reply"
local store = require "sandbox.state.store"

local mode = { fields = { "view", "data_requested" } }
local FIRST_DAY, DAY = 1767225600, 86400

local function text_of(epoch) return os.date("!%Y-%m-%d %H:%M:%S", epoch) end

-- The latest second with this time of day that is not after now.
local function latest(seconds, now)
  local epoch = now - now % DAY + seconds
  return epoch > now and epoch - DAY or epoch
end

local function count_of(row, options)
  if options.host_counts == "odd" then return "many" end
  if row.started == 0 then return "N/A" end
  return options.host_counts == "numbers" and row.started or ("%d"):format(row.started)
end

local function seen(host, options, now, list)
  for _, row in ipairs(store.rows([[SELECT exporter, MIN(start_ms) / 1000 AS first, MAX(start_ms) / 1000 AS last, SUM(src_ip = ?) AS started
      FROM flows WHERE src_ip = ? OR dst_ip = ? GROUP BY exporter ORDER BY exporter]], host, host, host)) do
    list[#list + 1] = reply.list {
      { label = row.exporter }, { label = text_of(FIRST_DAY + row.first) }, { label = text_of(latest(row.last, now)) },
      { label = count_of(row, options) },
    }
  end
end

function mode.run(request, options, sink)
  fields.word(request, "view", { "quick_search" })
  if not fields.word(request, "action", { "check_hosts" }) then error({ err = "No such action of quick_search." }, 0) end
  local node, rows = fields.json(request, "data_requested", "object"), reply.list()
  local hosts = node and node.value.hosts
  if not hosts or hosts.kind ~= "array" then error({ err = "No hosts to check." }, 0) end
  for _, key in ipairs(node.keys) do
    if key ~= "hosts" then request:violate("unknown field", "data_requested." .. key) end
  end
  if #hosts.value == 0 then request:violate("missing field", "data_requested.hosts: no host") end
  local now = type(options.now) == "number" and options.now or ngx.now()
  for _, host in ipairs(hosts.value) do
    if host.kind ~= "string" then error({ err = "A host must be an address." }, 0) end
    seen(host.value:lower(), options, math.floor(now), rows)
  end
  reply.send(sink, options, { rows = rows })
end

return mode
