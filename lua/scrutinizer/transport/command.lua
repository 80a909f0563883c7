--- Reports by `reporting.cgi` on the appliance itself: no network, no token. It replaces HTTP in a client made with
--- `connect { command = path }`. Programs are run without a shell (core.command).

local errors = require "scrutinizer.errors"
local wire = require "scrutinizer.wire"

local command = {}

--- The arguments of `core.command():start` for a form. Only reports are available this way.
---@param path string of the program
---@param form table<string, string>
---@return string[]? argv
---@return scrutinizer.Error? err kind `api`: not a report
function command.request(path, form)
  local argv = wire.command_arguments(form)
  if argv then
    table.insert(argv, 1, path)
    return argv
  end
  return errors.fail("api", ("%s only makes reports and does not know run mode %s; connect with url and token to use it")
    :format(path:match "[^/]*$", form[wire.form.run_mode]))
end

return command
