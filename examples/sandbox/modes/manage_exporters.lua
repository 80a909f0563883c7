-- rm=manageExporters, view=ManageExporters: each exporter with its names.
local fields = require "sandbox.http.fields"
local listing = require "sandbox.http.listing"
local reply = require "sandbox.http.reply"
local store = require "sandbox.state.store"

local mode = { fields = { "view", "session_state" } }

function mode.run(request, options, sink)
  if options.manage_exporters == "refused" then error({ err = "You do not have permission to manage exporters." }, 0) end
  fields.word(request, "view", { "ManageExporters" })
  local session, rows = fields.session(request), {}
  for _, row in ipairs(store.rows "SELECT ip, dns, sysname, label FROM devices ORDER BY ip") do
    rows[#rows + 1] = { { title = "" }, { title = "" },
      { exporterip = row.ip, dns = row.dns, sysname = row.sysname, exporter_label = row.label, label = row.label } }
  end
  reply.send(sink, options, { rows = listing.page(rows, session, options) })
end

return mode
