--- The appliance's names for devices, interfaces, hosts and other objects that its UI lists: the forms that are sent, and the members of answers.
--- See wire/init.lua. None of these run modes is documented; published clients use them.

local core = require "scrutinizer.core"
local wire = require "scrutinizer.wire"

local inventory = {}

local function array(list) return setmetatable(list or {}, core.array_mt) end

local function form(run_mode, fields)
  fields[wire.form.run_mode] = run_mode
  return fields
end

--- Asks for all objects of a type. The answer is a bare array: "devices" gives { name, ip }, "deviceGroups" gives { id, name }.
---@param kind string
---@return table<string, string> form
function inventory.known(kind) return form("get_known_objects", { type = kind }) end

-- Selects one page of a list view.
local function session_state(offset, rows, search)
  return wire.encode {
    client_time_zone = "UTC", hostDisplayType = "dns", order_by = array(), search = array(search),
    query_limit = { offset = offset, max_num_rows = rows },
  }
end

-- With blanks around it, "10.1.1.4" does not match 10.1.1.40.
local function exporter_search(ip)
  local value = " " .. ip .. " "
  return { { column = "exporter_search", comparison = "like", value = value, data = { filterType = "multi_string" },
    _key = "exporter_search_like_" .. value } }
end

--- Interfaces with their utilization; all, or those of one exporter.
---@param offset integer
---@param rows integer
---@param exporter? string its address
---@return table<string, string> form
function inventory.interfaces(offset, rows, exporter)
  return form("status", { view = "topInterfaces", [wire.form.action] = "get", unit = "percent",
    session_state = session_state(offset, rows, exporter and exporter_search(exporter)) })
end

--- Exporters with their names. The user needs the permission to manage exporters.
---@param offset integer
---@param rows integer
---@return table<string, string> form
function inventory.exporters(offset, rows)
  return form("manageExporters", { view = "ManageExporters", session_state = session_state(offset, rows) })
end

--- A list of entities, such as "applications".
---@param view string
---@param offset integer
---@param rows integer
---@return table<string, string> form
function inventory.entities(view, offset, rows)
  return form("status", { view = view, session_state = session_state(offset, rows) })
end

---@param id integer
---@return table<string, string> form
function inventory.group_members(id)
  return form("mappingConfiguration", { [wire.form.action] = "getObjectsInGroup", id = ("%d"):format(id) })
end

---@param name string
---@return table<string, string> form
function inventory.new_group(name)
  return form("mappingConfiguration", { [wire.form.action] = "mapconfNewGroup", name = name, groupType = "flash" })
end

--- Objects that can be members of a device group: { id, ip }.
---@param offset integer
---@param rows integer
---@return table<string, string> form
function inventory.objects(offset, rows)
  return form("mappingConfiguration", { view = "object_configuration", session_state = session_state(offset, rows) })
end

---@param group integer
---@param objects integer[]
---@return table<string, string> form
function inventory.add_to_group(group, objects)
  return form("mappingConfiguration", { [wire.form.action] = "mapconfSaveGroupMem", mapid = ("%d"):format(group),
    json = wire.encode { added = array(objects) } })
end

--- Exporters that have seen a host. One host per call, because the answer's rows do not name the host.
---@param ip string
---@return table<string, string> form
function inventory.host(ip)
  return form("quick_search", { view = "quick_search", [wire.form.action] = "check_hosts", [wire.form.data] = wire.encode { hosts = { ip } } })
end

---@param rule table checked: name, server_ip, client_ip, max_packets, stops_on, port = { port =, protocol = }, retention_hours (hours), enabled
---@return table<string, string> form
function inventory.capture_rule(rule)
  local function digits(number) return ("%d"):format(number) end
  return form("flowpro_capture_rules", {
    [wire.form.action] = "add", name = rule.name, server_ip = rule.server_ip, client_ip = rule.client_ip,
    max_packets = digits(rule.max_packets), stops_on = digits(rule.stops_on), retention_hours = digits(rule.retention_hours),
    well_known_port = digits(rule.port.protocol * 65536 + rule.port.port), enabled = rule.enabled and "1" or "0",
  })
end

local TREND = {
  application = function(id) return form("alarmsEntityApplication", { view = "load", app_id = id }) end,
  protocols = function() return form("alarmsEntityProtocol", { view = "load" }) end,
  src = function(ip) return form("alarmsEntityHost", { view = "trend", src = ip }) end,
  dst = function(ip) return form("alarmsEntityHost", { view = "trend", dst = ip }) end,
}

--- Bytes over time of an application, of all protocols, or of a host as source or destination.
---@param kind "application"|"protocols"|"src"|"dst"
---@param value? string the application's id, or the host's address; nil for protocols
---@param from integer epoch seconds
---@param to integer epoch seconds
---@return table<string, string> form
function inventory.trend(kind, value, from, to)
  local made = TREND[kind](value)
  made.st, made.et = ("%d"):format(from), ("%d"):format(to)
  return made
end

---@param view "table"|"summary"|"forecast_data"
---@param id? string
---@return table<string, string> form
function inventory.forecast(view, id)
  return form("forecasting", { view = view, forecast_id = id })
end

-- ---- answers ----

-- Calls `wanted` for each cell of a row until it returns a true value: returns that value and the cell's place.
local function find_cell(row, wanted)
  for i, cell in ipairs(type(row) == "table" and row or {}) do
    local found = type(cell) == "table" and wanted(cell)
    if found then return found, i end
  end
end

local function text(value) return type(value) == "string" and value or nil end

local function use_of(cell)
  if type(cell) ~= "table" then return {} end
  local tip = type(cell.oTip) == "table" and type(cell.oTip.rows) == "table" and cell.oTip.rows[1]
  local lines = type(tip) == "table" and type(tip.ul) == "table" and tip.ul or {}
  return { percent = text(cell.label), speed = text(lines[4]), rate = text(lines[5]) }
end

--- Reads an interface from a row of topInterfaces. Finds the cells by their content, because their places differ between versions.
---@param row any
---@return { exporter: string, device?: string, index: any, name?: string, inbound: table, outbound: table }?
function inventory.read_interface(row)
  local device = find_cell(row, function(cell) return text(cell.ip) and cell end)
  local interface, place = find_cell(row, function(cell) return type(cell.filterDrag) == "table" and cell.filterDrag.searchStr ~= nil and cell end)
  if not device or not interface then return nil end
  return {
    exporter = device.ip, device = text(device.label), index = interface.filterDrag.searchStr, name = text(interface.label),
    inbound = use_of(row[place + 2]), outbound = use_of(row[place + 3]),
  }
end

--- Reads an exporter's names from a row of ManageExporters.
---@param row any
---@return { ip: string, dns?: string, sysname?: string, label?: string }?
function inventory.read_exporter(row)
  local cell = find_cell(row, function(one) return text(one.exporterip) and one end)
  return cell and { ip = cell.exporterip, dns = text(cell.dns), sysname = text(cell.sysname), label = text(cell.exporter_label) }
end

--- Reads an object's id and address from a row of object_configuration.
---@param row any
---@return { id: any, ip: string }?
function inventory.read_object(row)
  return find_cell(row, function(cell) return text(cell.ip) and cell.id ~= nil and { id = cell.id, ip = cell.ip } or nil end)
end

--- Reads an entity from a row.
---@param row any
---@return { id: any, label: string }?
function inventory.read_entity(row)
  return find_cell(row, function(cell) return cell.entity_id ~= nil and text(cell.label) and { id = cell.entity_id, label = cell.label } or nil end)
end

--- Reads an exporter that has seen a host from a row of check_hosts.
---@param row any
---@return { exporter: string, first: string, last: string, connections: any }?
function inventory.read_sighting(row)
  local labels = {}
  for i = 1, 4 do
    local cell = type(row) == "table" and row[i]
    labels[i] = type(cell) == "table" and cell.label
  end
  if not (text(labels[1]) and text(labels[2]) and text(labels[3])) then return nil end
  return { exporter = labels[1], first = labels[2], last = labels[3], connections = labels[4] }
end

--- Reads a forecast from a row whose cells each have a type.
---@param row any
---@return { id: any, description?: string }?
function inventory.read_forecast(row)
  local id = find_cell(row, function(cell) return cell.type == "forecast_id" and cell end)
  local description = find_cell(row, function(cell) return cell.type == "description" and text(cell.title) end)
  return id and id.title ~= nil and { id = id.title, description = description } or nil
end

local TREND_BYTES = { application = "bytes", protocols = "bytes", src = "src_bytes", dst = "dst_bytes" }

--- Reads a point of a trend.
---@param kind "application"|"protocols"|"src"|"dst"
---@param point any
---@return { time: any, bytes: any, name?: string }?
function inventory.read_trend(kind, point)
  if type(point) ~= "table" then return nil end
  return { time = point.ts, bytes = point[TREND_BYTES[kind]], name = kind == "protocols" and text(point.name) or nil }
end

--- Reads a point of a forecast. Its target is rank and direction, such as "1-inbound".
---@param row any
---@return { rank: string, direction: string, time: any, kind: string, mean: any, upper: any, lower: any }?
function inventory.read_forecast_point(row)
  if type(row) ~= "table" or not text(row.target) or not text(row.record_type) then return nil end
  local rank, direction = row.target:match "^(%d+)%-([A-Za-z]+)$"
  return rank and { rank = rank, direction = direction, time = row.intervaltime, kind = row.record_type, mean = row.mean, upper = row.conf_upper,
    lower = row.conf_lower } or nil
end

--- This library's name for a field of a forecast's summary.
---@param name string
---@return string
function inventory.summary_name(name) return name == "Rank" and "rank" or name end

return inventory
