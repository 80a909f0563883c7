-- rm=flowpro_capture_rules, action=add: a packet-capture rule. The real answer is unknown; the sandbox answers with id and name.
local fields = require "sandbox.http.fields"
local reply = require "sandbox.http.reply"
local store = require "sandbox.state.store"

local NUMBERS = { "max_packets", "stops_on", "well_known_port", "retention_hours", "enabled" }
local mode = { fields = { "name", "server_ip", "client_ip", "max_packets", "stops_on", "well_known_port", "retention_hours", "enabled" } }

-- IPv4 or IPv6, with or without a prefix length.
local function check_address(request, name)
  local text = request.value[name]
  local address, length = (text or ""):match "^([%x.:]+)/(%d+)$"
  address = address or text or ""
  local most = address:find "^%d+%.%d+%.%d+%.%d+$" and 32 or address:find ":" and 128
  if not most or tonumber(length or 0) > most then error({ err = ("Field %s is not an address."):format(name) }, 0) end
  return text
end

local function read(request)
  local rule = { name = request.value.name }
  if not rule.name or rule.name == "" then error({ err = "A capture rule needs a name." }, 0) end
  rule.server_ip, rule.client_ip = check_address(request, "server_ip"), check_address(request, "client_ip")
  for _, name in ipairs(NUMBERS) do rule[name] = fields.digits(request, name, true) end
  if rule.well_known_port and rule.well_known_port < 65536 then
    request:violate("unknown value", ("well_known_port: %d has no protocol"):format(rule.well_known_port))
  end
  if rule.enabled and rule.enabled > 1 then request:violate("unknown value", "enabled: neither 0 nor 1") end
  return rule
end

local function insert(rule)
  return store.atomic(function()
    if store.rows("SELECT 1 FROM capture_rules WHERE name = ?", rule.name)[1] then error({ err = "A capture rule of that name exists." }, 0) end
    store.change([[INSERT INTO capture_rules (name, server_ip, client_ip, max_packets, stops_on, well_known_port, retention_hours, enabled)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)]], rule.name, rule.server_ip, rule.client_ip, rule.max_packets, rule.stops_on, rule.well_known_port,
      rule.retention_hours, rule.enabled)
    return store.rows "SELECT last_insert_rowid() AS id"[1].id
  end)
end

function mode.run(request, options, sink)
  if request.value.action ~= "add" then error({ err = "No such action of flowpro_capture_rules." }, 0) end
  local rule = read(request)
  local id = insert(rule)
  if options.capture_answer == "empty" then return reply.send(sink, options, {}) end
  local made = { id = id, name = rule.name }
  reply.send(sink, options, options.capture_answer == "list" and reply.list { made } or made)
end

return mode
