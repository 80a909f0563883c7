-- Pretty-prints JSON text that arrives in pieces: indent.new() returns a function, text -> text.
local indent = {}

local OPEN = { ["{"] = true, ["["] = true }
local CLOSE = { ["}"] = true, ["]"] = true }

function indent.new()
  local depth, in_string, escaped = 0, false, false
  local function outside(byte)
    if OPEN[byte] then
      depth = depth + 1
      return byte .. "\n" .. ("   "):rep(depth)
    elseif CLOSE[byte] then
      depth = depth - 1
      return "\n" .. ("   "):rep(depth) .. byte
    elseif byte == "," then
      return ",\n" .. ("   "):rep(depth)
    end
    in_string = byte == '"'
    return byte == ":" and " : " or byte
  end
  local function step(byte)
    if not in_string then return outside(byte) end
    if escaped then
      escaped = false
    elseif byte == "\\" then
      escaped = true
    elseif byte == '"' then
      in_string = false
    end
    return byte
  end
  return function(text) return (text:gsub("[%z\1-\255]", step)) end
end

return indent
