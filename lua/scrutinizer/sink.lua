--- Where exported text goes: a file that appears under its name only when it is whole, an open file, or a function.

local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local files = require "scrutinizer.files"

local sink = {}

local Target = {}
Target.__index = Target

local function failure(path, why)
  return errors.fail("file", ("%s: %s"):format(errors.neutral(path, 200), errors.neutral(why or "cannot be written", 200)))
end

function Target:write(text)
  local ok, why = self.put(text)
  -- Functions that return nothing have taken the text.
  if ok or (ok == nil and why == nil) then return true end
  return failure(self.name, why)
end

function Target:finish()
  if not self.file then return true end
  local ok, why = self.file:close()
  self.file = nil
  if ok and self.aside then ok, why = os.rename(self.aside, self.name) end
  if ok then
    self.aside = nil
    return true
  end
  return failure(self.name, why)
end

--- Drops what was written: removes the temporary file.
function Target:abort()
  if files.is_open(self.file) then self.file:close() end -- the garbage collector may have closed it
  if self.aside then os.remove(self.aside) end
  self.file, self.aside = nil, nil
end

local count = 0

-- A temporary name in the same folder that no other process or Lua state uses: address of a new table, clock, counter.
local function aside_name(path)
  count = count + 1
  local unique = tostring({}):match "0?x?(%x+)$" or "0"
  return ("%s.%s%.0f%d.part"):format(path, unique, core.now() * 1e6, count)
end

local function open_path(path)
  -- A device cannot be replaced by a rename.
  local aside = not path:find "^/dev/" and aside_name(path) or nil
  local file, why = files.open(aside or path, "wb")
  if not file then return failure(path, why and why:gsub("^" .. (aside or path):gsub("[^A-Za-z0-9 ]", "%%%0") .. ": ", "")) end
  return setmetatable({ name = path, file = file, aside = aside, put = function(text) return file:write(text) end }, Target)
end

--- Opens a target. Nil and err when the file cannot be created; nothing at all when `out` is not a target.
---@param out scrutinizer.ExportTarget
---@return table? target
---@return scrutinizer.Error? err
function sink.open(out)
  local kind = type(out)
  if kind == "string" and out ~= "" and not out:find "%z" then return open_path(out) end
  if kind == "function" then return setmetatable({ name = "the function", put = out }, Target) end
  if files.is_open(out) then
    return setmetatable({ name = "the file", put = function(text) return out:write(text) end }, Target)
  end
end

return sink
