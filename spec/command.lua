--- The command `scrutinizer` for specs: a real process, its output, its exit status.

local assert = require "luassert"
local support = require "spec.support"

local command = { FROM = "2026-11-01T00:00:00Z", TO = "2026-11-02T00:00:00Z" }

local box, quote = support.sandbox(), support.quote

--- A path where nothing is.
function command.temporary()
  local path = os.tmpname()
  os.remove(path)
  return path
end

command.contents = support.read

--- Writes a file that its owner alone can read, or with another mode.
function command.write(path, text, mode)
  support.write(path, text)
  support.shell(("chmod %s %s"):format(mode or "600", quote(path)))
end

--- What stands before the command so that it finds the sandbox.
command.ENVIRONMENT = ("env -u XDG_CONFIG_HOME -u SCRUTINIZER_CA HOME=/nonexistent SCRUTINIZER_URL=%s SCRUTINIZER_TOKEN=%s SCRUTINIZER_CA=%s")
  :format(quote(box.url), quote(box.token), quote(box.ca))

--- The command's words for a shell, without an environment.
command.words = support.lua .. " lua/scrutinizer/main.lua"

--- Runs it: stdout, stderr, status. `environment` replaces the one that names the sandbox. The token is in nothing that it prints.
function command.run(arguments, environment)
  local path = command.temporary()
  local out = support.shell(("%s %s %s 2>%s; printf ' %%d' $?"):format(environment or command.ENVIRONMENT, command.words, arguments, path))
  local err = command.contents(path)
  os.remove(path)
  local text, status = out:match "^(.*) (%d+)$"
  assert.is_nil((text .. err):find(box.token, 1, true))
  return text, err, tonumber(status)
end

--- Runs it and expects nothing but success: stdout.
function command.good(arguments, environment)
  local out, err, status = command.run(arguments, environment)
  assert.equal("", err)
  assert.equal(0, status)
  return out
end

return command
