-- rm=mappingConfiguration: device groups, their members, and the objects that can become members.
local fields = require "sandbox.http.fields"
local json = require "sandbox.http.json"
local listing = require "sandbox.http.listing"
local reply = require "sandbox.http.reply"
local store = require "sandbox.state.store"

local mode = { fields = { "view", "session_state", "id", "name", "groupType", "mapid", "json" } }
local views, actions = {}, {}

local function blank() return { title = "" } end

-- The group's name and id in cell 1 (as one client reads them), or the label in cell 3 and the id in cell 8 (as another client does).
local function group_row(group, options)
  local row = {}
  for i = 1, 9 do row[i] = blank() end
  local id = listing.id(options, group.id, "numbers")
  if options.group_cells ~= "new" then row[2] = { id = id, name = group.name } end
  if options.group_cells ~= "old" then row[4], row[9] = { label = group.name }, { id = id } end
  return row
end

local function searched(name, session)
  for _, item in ipairs(session.search) do
    if item.column == "name" and item.comparison == "equal" and item.value ~= name then return false end
  end
  return true
end

function views.mapping_configuration(session, options)
  local rows = {}
  for _, group in ipairs(store.rows "SELECT id, name FROM device_groups ORDER BY id") do
    if searched(group.name, session) then rows[#rows + 1] = group_row(group, options) end
  end
  return rows
end

function views.object_configuration(_, options)
  local rows = {}
  for _, device in ipairs(store.rows "SELECT id, ip, name FROM devices ORDER BY ip") do
    rows[#rows + 1] = { blank(), { id = listing.id(options, device.id, "numbers"), ip = device.ip, label = device.name }, blank() }
  end
  return rows
end

local function group_of(id)
  local group = id and store.rows("SELECT id, name FROM device_groups WHERE id = ?", id)[1]
  return group or error({ err = "No such group." }, 0)
end

function actions.getObjectsInGroup(request)
  local group, list = group_of(fields.digits(request, "id", true)), reply.list()
  for _, row in ipairs(store.rows([[SELECT exporter, name FROM device_group_members JOIN devices ON ip = exporter
      WHERE device_group_members.id = ? ORDER BY exporter]], group.id)) do
    list[#list + 1] = { exporter_ip = row.exporter, lbl = row.name, parent_gname = group.name }
  end
  return { results = list }
end

function actions.mapconfNewGroup(request)
  local name = request.value.name
  if not name or name == "" then error({ err = "A group needs a name." }, 0) end
  fields.word(request, "groupType", { "flash" })
  return store.atomic(function()
    if store.rows("SELECT 1 FROM device_groups WHERE name = ?", name)[1] then error({ err = "A group of that name exists." }, 0) end
    store.change("INSERT INTO device_groups (name) VALUES (?)", name)
    return { lbl = name }
  end)
end

-- Adds one object to a group; nil if no object has this id.
local function add(group, item, request)
  if item.kind == "string" then request:violate("type", "json.added: a string for an object's id") end
  local device = store.rows("SELECT ip, name FROM devices WHERE id = ?", tonumber(item.value) or -1)[1]
  if not device then return nil end
  store.change("INSERT OR IGNORE INTO device_group_members VALUES (?, ?)", group.id, device.ip)
  return { lbl = device.name, parent_gname = group.name }
end

function actions.mapconfSaveGroupMem(request)
  local node = fields.json(request, "json", "object")
  local wanted = node and node.value.added
  if not wanted or wanted.kind ~= "array" then error({ err = "Nothing to save." }, 0) end
  for _, key in ipairs(node.keys) do
    if key ~= "added" then request:violate("unknown field", "json." .. key) end
  end
  local mapid = fields.digits(request, "mapid", true)
  return store.atomic(function()
    local group, added = group_of(mapid), reply.list()
    for _, item in ipairs(wanted.value) do added[#added + 1] = add(group, item, request) end
    return { added = added }
  end)
end

function mode.run(request, options, sink)
  local action = request.value.action
  if action then
    if not actions[action] then error({ err = "No such action of mappingConfiguration." }, 0) end
    return reply.send(sink, options, actions[action](request, options) or json.null)
  end
  local view = fields.word(request, "view", { "mapping_configuration", "object_configuration" })
  if not view then error({ err = "No such view of mappingConfiguration." }, 0) end
  local session = fields.session(request)
  reply.send(sink, options, { rows = listing.page(views[view](session, options), session, options) })
end

return mode
