--- Files that are read whole: certificates, lists, saved bills.

local files = {}

--- A file's bytes.
---@param path string
---@param max? integer bytes: a longer one is not read to its end
---@return string? text
---@return string? why with the path in it, as the system says it; nothing is made neutral yet
function files.read(path, max)
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local text
  text, why = file:read(max and max + 1 or "*a") -- a folder can be opened, and not be read
  if max and not text and not why then text = "" end -- the end at once
  if max and text and #text > max then text, why = nil, ("over %d bytes"):format(max) end
  file:close()
  if text then return text end
  return nil, path .. ": " .. (why or "it cannot be read")
end

return files
