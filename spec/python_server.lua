--- For specs: the servers of spec/servers, each a process that ends when its pipe is closed.

local support = require "spec.support"

local python_server = {}

--- Starts spec/servers/NAME.py. Gives the pipe to close in the end, and the line that the server prints when it is ready: its ports.
function python_server.start(name, arguments)
  local path = os.tmpname()
  local pipe = assert(io.popen(("exec python3 -B -W ignore spec/servers/%s.py %s >%s"):format(name, arguments, path), "w"))
  local line
  for _ = 1, 200 do
    line = support.read(path):match "^([^\n]*)\n"
    if line then break end
    support.shell "sleep 0.05"
  end
  os.remove(path)
  return pipe, line or error(("spec/servers/%s.py did not start"):format(name))
end

return python_server
