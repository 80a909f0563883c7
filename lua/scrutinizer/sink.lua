--- Where exported text goes: a file that appears under its name only when it is whole and on the disk, an open file, or a function.

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
  local file = self.file
  if not file then return true end
  self.file = nil
  local ok, why
  if self.is_device then ok, why = file:close() else ok, why = file:finish() end
  if ok then return true end
  return failure(self.name, why)
end

--- Drops what was written: removes the temporary file.
function Target:abort()
  local file = self.file
  self.file = nil
  if file and not self.is_device then file:abort() end
  if files.is_open(file) then file:close() end -- the garbage collector may have closed it
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
  local is_device = path:find "^/dev/" ~= nil
  local file, why
  if is_device then file, why = files.open(path, "wb") else file, why = core.file(path, aside_name(path)) end
  if not file then return failure(path, is_device and why:gsub("^" .. path:gsub("[^A-Za-z0-9 ]", "%%%0") .. ": ", "") or why) end
  return setmetatable({ name = path, file = file, is_device = is_device, put = function(text) return file:write(text) end }, Target)
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
