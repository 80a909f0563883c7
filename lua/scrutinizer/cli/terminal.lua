--- Terminals: detection, width, and text that is safe to show.

local terminal = {}

--- Whether a descriptor is a terminal.
---@param descriptor integer 1 stdout, 2 stderr
---@return boolean
function terminal.is(descriptor)
  local ok, _, status = os.execute(("test -t %d"):format(descriptor))
  return ok == true or ok == 0 or (ok == nil and status == 0)
end

--- Columns of the terminal; 80 if unknown.
---@return integer
function terminal.width()
  local columns = tonumber(os.getenv "COLUMNS" or "")
  if not columns and terminal.is(1) then
    local pipe = io.popen "stty size </dev/tty 2>/dev/null"
    columns = pipe and tonumber((pipe:read "*l" or ""):match " (%d+)$" or "")
    if pipe then pipe:close() end
  end
  return columns and columns >= 30 and columns <= 500 and columns or 80
end

local function escape(bytes)
  return (bytes:gsub(".", function(byte) return ("\\x%02X"):format(byte:byte()) end))
end

--- Text that is safe for a terminal: control characters are shown as `\xNN`. Line ends stay.
---@param text string
---@return string
function terminal.visible(text)
  text = text:gsub("\r\n", "\n")
  text = text:gsub("[%z\1-\8\11-\31\127]+", escape)
  -- U+0080 to U+009F are control characters too; U+009B begins a terminal command.
  return (text:gsub("\194[\128-\159]", escape))
end

--- The target for rows without --output: standard output; if that is a terminal, control characters are made visible.
---@return file*|fun(text: string): any, string?
function terminal.output()
  if not terminal.is(1) then return io.stdout end
  return function(text) return io.stdout:write(terminal.visible(text)) end
end

return terminal
