--- A file and its manifest: what was asked for, what was found, and the file's SHA-256. A file whose manifest asks for the same, and whose hash is
--- right, need not be made again. Each is on the disk before it gets its name, and the file before its manifest: a process or a machine may fail
--- at any moment.

local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local files = require "scrutinizer.files"
local wire = require "scrutinizer.wire"

local manifest = {}

manifest.SUFFIX = ".manifest"
local FORM = 1 -- of manifests; a change of what decides the files' bytes raises it too
local BLOCK = 2 ^ 18 -- bytes
local LAST = 253402300800 -- epoch seconds: the end of the year 9999

---@class scrutinizer.Manifest
---@field manifest integer the form of manifests
---@field version string   of the program that wrote it
---@field asked table      all that decides the file's content
---@field found table      what the content is: rows, columns
---@field bytes integer
---@field sha256 string

local function failure(path, why, fields)
  return errors.fail("file", ("%s: %s"):format(errors.neutral(path, 200), errors.neutral(why, 200)), fields)
end

-- What stands in a file that is no part of another process.
local function open(path)
  local file, why = core.file(path, path .. ".part")
  if file then return file end
  return failure(path, why)
end

-- Writes by `make(put)`, and moves the file to its name. SHA-256, bytes, and what `make` returned; or nil and err.
local function write(path, make)
  local file, err = open(path)
  if not file then return nil, err end
  local full -- why nothing more could be written
  local ok, found, why = pcall(make, function(text)
    local written, complaint = file:write(text)
    full = complaint
    return written, complaint
  end)
  if not ok or found == nil or full then
    file:abort()
    if not ok then error(found, 0) end
    if full then return failure(path, full) end
    return nil, why
  end
  local hash, bytes, busy = file:finish()
  if hash then return hash, bytes, found end
  return failure(path, bytes, { retryable = busy or false })
end

local function is_whole(text)
  return type(text) == "table" and text.manifest == FORM and type(text.asked) == "table" and type(text.found) == "table"
    and type(text.sha256) == "string"
end

--- The manifest of a file.
---@param path string of the file
---@return scrutinizer.Manifest?
---@return scrutinizer.Error? err
function manifest.read(path)
  local name = path .. manifest.SUFFIX
  local text, why = files.read(name)
  if not text then return errors.fail("file", why) end
  local found = core.decode(text)
  if is_whole(found) then return found end
  return failure(name, "not a manifest, or one of another version", { exit = "DATA" })
end

local function is_column(value)
  return type(value) == "table" and type(value.name) == "string" and type(value.column) == "string"
end

-- Whether a manifest has all that `report --split` writes.
local function is_of_window(of)
  local asked, found = of.asked, of.found
  local window, request, columns = asked.window, asked.request, found.columns
  if type(window) ~= "table" or type(request) ~= "table" or type(columns) ~= "table" or type(request.rpt_json) ~= "string" then return false end
  local from, to, rows = check.integer(window.from, 0, LAST), check.integer(window.to, 0, LAST), check.integer(found.rows, 0)
  if not from or not to or from >= to or not rows then return false end
  for _, column in ipairs(columns) do
    if not is_column(column) then return false end
  end
  return columns[1] ~= nil or rows == 0
end

--- The manifest of a window's file, as `report --split` writes it, of a window that was complete.
---@param path string of the file
---@return scrutinizer.Manifest?
---@return scrutinizer.Error? err
function manifest.window(path)
  local of, err = manifest.read(path)
  if not of then return nil, err end
  if not is_of_window(of) then return failure(path, "its manifest is not one of report --split", { exit = "DATA" }) end
  if not of.asked.open then return of end
  return failure(path, "its window was not complete when it was fetched (--open): fetch it again", { exit = "DATA" })
end

--- Gives a file's bytes to `put`, in pieces, and checks its hash at the end.
---@param path string
---@param of scrutinizer.Manifest
---@param put fun(text: string): any, any
---@return true?
---@return scrutinizer.Error? err of kind `file`; or what `put` returned
function manifest.pour(path, of, put)
  local file, why = files.open(path, "rb")
  if not file then return errors.fail("file", why) end
  local hash, ok, err = core.hash(), true, nil
  local text
  text, why = file:read(BLOCK)
  while text and ok do
    hash:add(text)
    ok, err = put(text)
    if ok then text, why = file:read(BLOCK) end
  end
  file:close()
  if not ok then return nil, err end
  if why then return failure(path, why) end
  if hash:digest() == of.sha256 then return true end
  return failure(path, "its SHA-256 differs from the one in its manifest: it was changed after it was written", { exit = "DATA" })
end

local function accept() return true end

--- The manifest of a file that is there already: with this request, and unchanged since it was written.
---@param path string
---@param asked table as `write` takes it
---@return scrutinizer.Manifest? nil: the file must be made
function manifest.find(path, asked)
  local there = manifest.read(path)
  if there and wire.encode(there.asked) == wire.encode(asked) and manifest.pour(path, there, accept) then return there end
end

--- Writes a file's manifest anew.
---@param path string of the file
---@param changed scrutinizer.Manifest
---@return true?
---@return scrutinizer.Error? err
function manifest.amend(path, changed)
  local text = wire.encode(changed) .. "\n"
  local hash, err = write(path .. manifest.SUFFIX, function(put) return put(text) end)
  if hash then return true end
  return nil, err
end

--- Writes a file and its manifest. Until both are whole, a file of that name stays as it is.
---@param path string
---@param asked table all that decides the file's content, as JSON can hold it; empty lists need `core.array_mt`
---@param make fun(put: fun(text: string): true?, string?): table?, scrutinizer.Error? writes the content; returns what is said of it
---@return scrutinizer.Manifest?
---@return scrutinizer.Error? err
function manifest.write(path, asked, make)
  local hash, bytes, found = write(path, make)
  if not hash then return nil, bytes end
  local all = { manifest = FORM, version = core.VERSION, asked = asked, found = found, bytes = bytes, sha256 = hash }
  local ok, err = manifest.amend(path, all)
  if not ok then return nil, err end
  return all
end

return manifest
