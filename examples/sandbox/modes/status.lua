-- rm=status, view=topInterfaces: the interfaces of the recorded flows, with speeds, and rates of the last sixty full minutes.
local entities = require "sandbox.modes.entities"
local fields = require "sandbox.http.fields"
local json = require "sandbox.http.json"
local listing = require "sandbox.http.listing"
local reply = require "sandbox.http.reply"
local store = require "sandbox.state.store"

local mode = { fields = { "view", "unit", "session_state", "rpt_json" } }
local HOUR_MS, DAY_MS = 3600000, 86400000

-- Octets of the last hour by "exporter/number", and the interfaces that have traffic in this direction on the recorded day.
local function traffic(column, stop_ms)
  local sums = {}
  store.query(([[SELECT exporter || '/' || %s AS key,
    SUM(CASE WHEN (start_ms - %d + %d) %% %d < %d THEN octets ELSE 0 END) AS octets FROM flows GROUP BY key]]):format(
    column, (stop_ms - HOUR_MS) % DAY_MS, DAY_MS, DAY_MS, HOUR_MS), function(row) sums[row.key] = row.octets end)
  return sums
end

local function tagged(text, wanted)
  return wanted and ("<span class='util'>%s</span>"):format(text) or text
end

local function tip(direction, interface, rate, options, html)
  local speed, per_second = listing.speed(interface.speed), listing.speed(rate)
  if options.status_labels == "odd" then speed, per_second = "10 Mbps", "NA" end
  return { rows = { { ul = reply.list {
    direction, tagged(interface.device, html), interface.name,
    html and ("Interface Speed: <b>%s</b>"):format(speed) or "Interface Speed: " .. speed,
    html and "Rate:&nbsp;<b>" .. per_second .. "</b>" or "Rate: " .. per_second,
  } } } }
end

local function use(direction, interface, octets, options, unit)
  local rate = (octets or 0) * 8 * 1000 / HOUR_MS
  local html = options.status_html == "all" or (options.status_html == "some" and interface.number % 2 == 1)
  local label = unit == "percent" and ("%.4f%%"):format(rate / interface.speed * 100) or listing.speed(rate)
  if options.status_labels == "odd" then label = "NA" end
  local cell = { label = tagged(label, html), klasstd = "alignRight" }
  if options.status_tips == "all" or (options.status_tips == "some" and octets) then
    cell.oTip = tip(direction, interface, rate, options, html)
  end
  return cell
end

-- Whether an interface's row matches the search.
local function found(item, interface, options)
  local value = item.value
  local text = item.column == "exporter_search" and interface.exporter or item.column == "interface_search" and interface.name
  if not text then return true end
  if item.column == "exporter_search" then
    if options.exporter_search == "ignored" then return true end
    if options.exporter_search == "word" then text, value = " " .. text .. " ", value:find " " and value or " " .. value .. " " end
    if options.exporter_search == "label" then text = interface.device end
    if options.exporter_search == "part" then value = value:match "^ *(.-) *$" end
  end
  local equal = text == value
  if item.comparison == "equal" then return equal end
  return (text:find(value, 1, true) ~= nil) == (item.comparison == "like")
end

local function wanted(interface, session, options)
  for _, item in ipairs(session.search) do
    if not found(item, interface, options) then return false end
  end
  return true
end

local function number_text(interface, options)
  return listing.id(options, interface.number, "strings")
end

local function cells(interface, inbound, outbound, session, options, time, unit)
  local key = interface.exporter .. "/" .. ("%d"):format(interface.number)
  local out = use("Outbound", interface, outbound[key], options, unit)
  out.type = "interface"
  local device = session.display == "ip" and interface.exporter or interface.device
  return {
    { title = time }, { title = "" }, { title = "" }, { title = "" }, { label = device, ip = interface.exporter },
    { label = interface.name, filterDrag = { searchStr = number_text(interface, options), type = "interface" } },
    { title = "" }, use("Inbound", interface, inbound[key], options, unit), out,
  }
end

-- The older form has view and unit in rpt_json.
local function asked(request)
  local view, unit = request.value.view, request.value.unit
  if request.value.rpt_json then
    local node = fields.json(request, "rpt_json", "object")
    local inner = node and json.plain(node) or {}
    view, unit = view or inner.view, unit or inner.unit
    return view, unit, { search = {}, offset = 0, max = 100000, display = "dns" }
  end
  return view, unit, fields.session(request)
end

function mode.run(request, options, sink)
  if entities.views[request.value.view] then return reply.send(sink, options, entities.list(request, options, request.value.view)) end
  local view, unit, session = asked(request)
  if view ~= "topInterfaces" then error({ err = "No such view of the status page." }, 0) end
  if unit and unit ~= "percent" and unit ~= "bits" then request:violate("unknown value", "unit: " .. tostring(unit)) end
  local now = type(options.now) == "number" and options.now or ngx.now()
  local stop = now - now % 60
  local inbound, outbound = traffic("input_if", stop * 1000), traffic("output_if", stop * 1000)
  local time, rows = os.date("!%Y-%m-%d %H:%M", stop), {}
  for _, interface in ipairs(store.rows [[SELECT exporter, number, interfaces.name AS name, speed, devices.dns AS device
      FROM interfaces JOIN devices ON devices.ip = exporter ORDER BY exporter, number]]) do
    if wanted(interface, session, options) then
      rows[#rows + 1] = cells(interface, inbound, outbound, session, options, time, unit)
    end
  end
  reply.send(sink, options, { rows = listing.page(rows, session, options) })
end

return mode
