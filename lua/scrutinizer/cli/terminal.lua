--- What the command's output goes to: terminals and their width.

local terminal = {}

--- Whether a descriptor is a terminal.
---@param descriptor integer 1 stdout, 2 stderr
---@return boolean
function terminal.is(descriptor)
  local ok, _, status = os.execute(("test -t %d"):format(descriptor))
  return ok == true or ok == 0 or (ok == nil and status == 0)
end

--- Columns of the terminal; 80 where nobody knows.
---@return integer
function terminal.width()
  local said = tonumber(os.getenv "COLUMNS" or "")
  if not said and terminal.is(1) then
    local pipe = io.popen "stty size </dev/tty 2>/dev/null"
    said = pipe and tonumber((pipe:read "*l" or ""):match " (%d+)$" or "")
    if pipe then pipe:close() end
  end
  return said and said >= 30 and said <= 500 and said or 80
end

return terminal
