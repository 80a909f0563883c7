--- Reports by `reporting.cgi` on the appliance itself: no network, no token. What takes the place of HTTP in a client that was made with
--- `connect { command = path }`. Programs are run without a shell (core.command).

local errors = require "scrutinizer.errors"
local wire = require "scrutinizer.wire"

local command = {}

--- What `core.command():start` takes for a form. Only reports can be had this way.
---@param path string
---@param form table<string, string>
---@return string[]? argv
---@return scrutinizer.Error? err kind `api`: not a report
function command.request(path, form)
  local argv = wire.command_arguments(form)
  if argv then
    table.insert(argv, 1, path)
    return argv
  end
  return errors.fail("api", ("%s only gives reports, and run mode %s is none; connect with url and token for it")
    :format(path:match "[^/]*$", form[wire.form.run_mode]))
end

return command
