--- Samples of many customers as files: one for each window of time and side, a line of JSON for each customer, and beside it a manifest with the
--- file's hash. A file appears under its name only when it is whole and on the disk, and before its manifest.

local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local bigint = require "scrutinizer.arithmetic.bigint"
local files = require "scrutinizer.files"
local manifest = require "scrutinizer.export.manifest"
local period = require "scrutinizer.billing.period"
local wire = require "scrutinizer.wire"
local zone = require "scrutinizer.time.zone"

local sample_files = {}

local FORMAT = "samples 1"
local HEAD = '{"customer":' -- how a line begins

---@class scrutinizer.SampleLine
---@field customer string
---@field of string      what the customer is, as text: the same in every file
---@field parts { name: string, octets: (scrutinizer.Whole|false)[] }[]
---@field said table     where they come from: source, coverage_by_totals, worst_interval, forced, as in scrutinizer.Samples

local function damaged(path, text, ...)
  return errors.fail("file", ("%s: %s"):format(errors.neutral(path, 200), text:format(...)), { exit = "DATA" })
end

--- The path of a window's file: "2025-10-03.inbound.ndjson"; of a part of a day with its times.
---@param dir string
---@param window scrutinizer.Period
---@param side "inbound"|"outbound"
---@return string
function sample_files.path(dir, window, side)
  local clock = assert(zone.load(window.timezone))
  local a, b = clock:civil(window.from), clock:civil(window.to)
  local name = ("%04d-%02d-%02d"):format(a.year, a.month, a.day)
  if window.days ~= 1 then name = name .. ("T%02d%02d-%02d%02d%02d"):format(a.hour, a.min, b.day, b.hour, b.min) end
  return ("%s/%s.%s.ndjson"):format(dir, name, side)
end

-- ---- writing ----

local MOST_PLAIN = 1e14 -- table.concat writes all digits of whole numbers below on every Lua

-- Whether table.concat can write the list as it is.
local function is_plain(list, n)
  for i = 1, n do
    local value = list[i]
    if type(value) ~= "number" or value >= MOST_PLAIN then return false end
  end
  return true
end

local function octets_text(list, n)
  if is_plain(list, n) then return table.concat(list, ",", 1, n) end
  local out = {}
  for i = 1, n do
    local value = list[i]
    if not value then
      out[i] = "null"
    elseif type(value) == "number" and value < MOST_PLAIN then
      out[i] = value
    else
      local text = bigint.text(value)
      out[i] = #text > 15 and '"' .. text .. '"' or text
    end
  end
  return table.concat(out, ",")
end

--- One customer's line.
---@param line scrutinizer.SampleLine
---@param n integer
---@return string
function sample_files.line(line, n)
  local parts = {}
  for i, part in ipairs(line.parts) do
    parts[i] = ('{"name":%s,"octets":[%s]}'):format(wire.encode(part.name), octets_text(part.octets, n))
  end
  return ('%s%s,"of":%s,"parts":[%s],"said":%s}\n'):format(HEAD, wire.encode(line.customer), wire.encode(line.of), table.concat(parts, ","),
    wire.encode(line.said))
end

-- What a window's file must be of.
local function asked(window, side)
  return { format = FORMAT, from = window.from, to = window.to, timezone = window.timezone, side = side, interval = period.INTERVAL }
end

--- Writes a file and its manifest.
---@param path string
---@param lines string[] of `sample_files.line`
---@param window scrutinizer.Period
---@param side "inbound"|"outbound"
---@return true?
---@return scrutinizer.Error? err
function sample_files.write(path, lines, window, side)
  local text, before = table.concat(lines), manifest.read(path)
  -- A process that is killed between file and manifest must not leave a file that its manifest does not know.
  if before then
    before.next_sha256 = core.sha256(text)
    local announced, why = manifest.amend(path, before)
    if not announced then return nil, why end
  end
  local ok, err = manifest.write(path, asked(window, side), function(put)
    local done, why = put(text)
    if done then return { customers = #lines } end
    return damaged(path, "%s", errors.neutral(why, 200))
  end)
  return ok and true, err
end

-- ---- reading ----

--- The text of a window's file, and its SHA-256; false when there is no finished one. Nil and err when the file is not what its manifest says.
---@param path string
---@param window scrutinizer.Period
---@param side "inbound"|"outbound"
---@return string|false|nil text
---@return string|scrutinizer.Error|nil sha256
function sample_files.read(path, window, side)
  for _, name in ipairs { path, path .. manifest.SUFFIX } do
    local file, _, code = files.open(name, "rb")
    if not file and (code == 2 or code == 20) then return false end -- ENOENT, ENOTDIR
    if file then file:close() end
  end
  local found, err = manifest.read(path)
  if not found then return nil, err end
  local wanted, said = wire.encode(asked(window, side)), wire.encode(found.asked)
  if wanted ~= said then return damaged(path, "it is of %s, not of %s", errors.neutral(said, 300), wanted) end
  local pieces, ok = {}
  ok, err = manifest.pour(path, found, function(text)
    pieces[#pieces + 1] = text
    return true
  end)
  if ok then return table.concat(pieces), found.sha256 end
  local text = table.concat(pieces)
  if type(found.next_sha256) == "string" and core.sha256(text) == found.next_sha256 then return text, found.next_sha256 end
  return nil, err
end

--- The customer of a line, and what it is; nil when it has none.
---@param line string
---@return string? name
---@return string? of
function sample_files.head(line)
  -- These are the first members. No text holds a quote without a backslash before it, so this is where they end.
  local stop = line:find('","of":"', 1, true)
  local over = stop and line:find('","parts":[', stop + 7, true)
  if not over then return nil end
  local name, of = core.decode(line:sub(#HEAD + 1, stop)), core.decode(line:sub(stop + 7, over))
  if type(name) == "string" and type(of) == "string" then return name, of end
end

--- The lines of a file's text, and what each customer in them is.
---@param text string
---@return string[] lines
---@return table<string, string> customers { [name] = of }
function sample_files.lines(text)
  local lines, customers = {}, {}
  for line in text:gmatch "[^\n]*\n" do
    local name, of = sample_files.head(line)
    if name then lines[#lines + 1], customers[name] = line, of end
  end
  return lines, customers
end

-- Octets as numbers or text; nil when one is neither a whole number from 0 nor null.
local function read_octets(list, n)
  if type(list) ~= "table" or #list ~= n then return nil end
  for i = 1, n do
    local value = list[i]
    if value == core.null then
      list[i] = false
    else
      local whole = bigint.whole(value)
      if not whole or bigint.compare(whole, 0) < 0 then return nil end
      list[i] = whole
    end
  end
  return list
end

--- A customer's line as a table.
---@param path string for messages
---@param line string
---@param n integer number of samples
---@return scrutinizer.SampleLine?
---@return scrutinizer.Error? err
function sample_files.parse(path, line, n)
  local found = core.decode(line)
  local fine = type(found) == "table" and type(found.parts) == "table" and type(found.of) == "string"
  if not fine or type(found.said) ~= "table" or type(found.said.forced) ~= "table" then return damaged(path, "a line is damaged") end
  for _, part in ipairs(found.parts) do
    if type(part) ~= "table" or type(part.name) ~= "string" or not read_octets(part.octets, n) then return damaged(path, "a line is damaged") end
  end
  return found
end

return sample_files
