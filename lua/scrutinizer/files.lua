--- Files that are read whole: certificates, lists, saved bills.

local files = {}

--- A file's bytes.
---@param path string
---@return string? text
---@return string? why with the path in it, as the system says it; nothing is made neutral yet
function files.read(path)
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local text
  text, why = file:read "*a" -- a folder can be opened, and not be read
  file:close()
  if text then return text end
  return nil, path .. ": " .. (why or "it cannot be read")
end

return files
