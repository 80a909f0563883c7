-- rm=auth, action=initLogin: the request of the login page before the login. Needs no token.
local fields = require "sandbox.http.fields"
local reply = require "sandbox.http.reply"

local mode = { fields = { "nosso" }, open = { initLogin = true } }

function mode.run(request, options, sink)
  if not fields.word(request, "action", { "initLogin" }) then error({ err = "No such action of auth." }, 0) end
  if not fields.digits(request, "nosso") then request:violate("missing field", "the form field nosso") end
  if request.value.authToken then request:violate("unknown field", "the form field authToken: initLogin takes none") end
  reply.send(sink, options, { installedVersion = options.version ~= "" and options.version or nil })
end

return mode
