-- The run modes by name (`rm`). Each is a file of its own under modes/: { fields = { form fields it takes beside rm, action, authToken },
-- run = function(request, options, sink) }. A mode raises { err = text } for what the appliance answers with {"err": …}.
return {
  licensing = require "sandbox.modes.licensing",
  report_api = require "sandbox.modes.report_api",
}
