-- rm=licensing: what clients test a connection with. Its success body is not known; the sandbox says something harmless.
local reply = require "sandbox.http.reply"

local mode = { fields = {} }

function mode.run(_, options, sink)
  reply.send(sink, options, { product = "Scrutinizer sandbox" })
end

return mode
