-- rm=licensing: clients use it to test a connection. The real answer is unknown; the sandbox sends a harmless one.
local reply = require "sandbox.http.reply"

local mode = { fields = {} }

function mode.run(_, options, sink)
  reply.send(sink, options, { product = "Scrutinizer sandbox" })
end

return mode
