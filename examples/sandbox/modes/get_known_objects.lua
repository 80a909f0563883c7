-- rm=get_known_objects: a JSON array of the appliance's objects of one type.
local fields = require "sandbox.http.fields"
local listing = require "sandbox.http.listing"
local reply = require "sandbox.http.reply"
local store = require "sandbox.state.store"

local mode = { fields = { "type" } }
local types = {}

function types.devices(options)
  local list = reply.list()
  for _, row in ipairs(store.rows "SELECT ip, name, dns FROM devices ORDER BY ip") do
    list[#list + 1] = { name = row[options.device_names], ip = row.ip }
  end
  return list
end

local function groups(table_name, usual)
  return function(options)
    local list = reply.list()
    for _, row in ipairs(store.rows(("SELECT id, name FROM %s ORDER BY id"):format(table_name))) do
      list[#list + 1] = { id = listing.id(options, row.id, usual), name = row.name }
    end
    return list
  end
end
types.deviceGroups = groups("device_groups", "numbers")
types.ipgroups = groups("ip_groups", "strings")

function mode.run(request, options, sink)
  local kind = fields.word(request, "type", { "devices", "deviceGroups", "ipgroups" })
  if not kind then error({ err = "Objects of that type are not known." }, 0) end
  reply.send(sink, options, types[kind](options))
end

return mode
