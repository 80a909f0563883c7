-- rm=loadMap: devices by name or address, and the tree of device groups.
local fields = require "sandbox.http.fields"
local listing = require "sandbox.http.listing"
local reply = require "sandbox.http.reply"
local store = require "sandbox.state.store"

local mode = { fields = { "str", "defaultGroupOnTop", "statusTreeEnabled", "page", "maxRows", "offset" } }
local actions = {}

function actions.search(request)
  local text = request.value.str
  if not text then request:violate("missing field", "the form field str") end
  fields.word(request, "defaultGroupOnTop", { "1", "0" })
  fields.word(request, "statusTreeEnabled", { "1", "0" })
  local list, part = reply.list(), (text or ""):lower()
  if fields.digits(request, "page", true) ~= 1 then return list end
  for _, row in ipairs(store.rows "SELECT ip, name, dns FROM devices ORDER BY ip") do
    if (row.ip .. " " .. row.name .. " " .. row.dns):lower():find(part, 1, true) then
      list[#list + 1] = { exporter_ip = row.ip, lbl = row.name }
    end
  end
  return list
end

function actions.loadTreeGraph(request, options)
  local max, offset = fields.digits(request, "maxRows", true) or 10, fields.digits(request, "offset", true) or 0
  fields.word(request, "defaultGroupOnTop", { "1", "0" })
  local list = reply.list()
  for i, row in ipairs(store.rows "SELECT id, name FROM device_groups ORDER BY id") do
    if i > offset and i <= offset + max then list[#list + 1] = { id = listing.id(options, row.id, "numbers"), lbl = row.name } end
  end
  return list
end

function mode.run(request, options, sink)
  local action = actions[request.value.action or ""]
  if not action then error({ err = "No such action of loadMap." }, 0) end
  reply.send(sink, options, { results = action(request, options) })
end

return mode
