-- The run modes by name (`rm`). Each has its own file under modes/: { fields = { form fields besides rm, action, authToken },
-- run = function(request, options, sink), open = { [action] = true, for actions that need no token } }. A mode raises { err = text } where the
-- appliance answers with {"err": …}.
local entities = require "sandbox.modes.entities"

return {
  alarmsEntityApplication = entities.application,
  alarmsEntityHost = entities.host,
  alarmsEntityProtocol = entities.protocol,
  auth = require "sandbox.modes.auth",
  flowpro_capture_rules = require "sandbox.modes.flowpro_capture_rules",
  forecasting = require "sandbox.modes.forecasting",
  get_known_objects = require "sandbox.modes.get_known_objects",
  ipgroups = require "sandbox.modes.ipgroups",
  licensing = require "sandbox.modes.licensing",
  loadMap = require "sandbox.modes.load_map",
  manageExporters = require "sandbox.modes.manage_exporters",
  mappingConfiguration = require "sandbox.modes.mapping_configuration",
  quick_search = require "sandbox.modes.quick_search",
  report_api = require "sandbox.modes.report_api",
  report_start = require "sandbox.modes.report_start",
  status = require "sandbox.modes.status",
  user_api = require "sandbox.modes.user_api",
}
