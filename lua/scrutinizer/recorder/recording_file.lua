--- The file of a recording: one JSON object per line. The first line identifies the format; each further line has the number of a request:
---
---     {"id":1,"asked":{"rm":"report_api",…}}      the request's fields, without secrets
---     {"id":1,"header":{"status":200,…}}
---     {"id":1,"body":"{\"report\":…"}             a piece of the answer, in the order received; "hex" where it is not UTF-8
---     {"id":1,"end":true}                         the answer was complete
---     {"id":1,"failed":["timeout","…"]}           or it failed: kind and message, and "unsent" if nothing of the request left
---
--- Lines of several requests may be mixed. An answer has neither "end" nor "failed" if its reader stopped early.

local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local files = require "scrutinizer.files"
local sink = require "scrutinizer.sink"
local wire = require "scrutinizer.wire"

local file = {}

local MAGIC = "scrutinizer_recording"
local FORMAT = 1

local function to_hex(text)
  return (text:gsub(".", function(char) return ("%02x"):format(char:byte()) end))
end

local function from_hex(text)
  if #text % 2 ~= 0 or text:find "%X" then return nil end
  return (text:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

-- ---- writing ----

---@class scrutinizer.RecordingWriter
local Writer = {}
Writer.__index = Writer

-- After the first failure nothing more is written, and the error is kept.
function Writer:_write(text)
  if self.err then return end
  local ok, err = self._target:write(text .. "\n")
  if not ok then self.err = err end
end

--- Writes the first line of a request.
---@param fields table<string, any>
---@return integer id
function Writer:asked(fields)
  self._count = self._count + 1
  self:add(self._count, "asked", fields)
  return self._count
end

--- Writes a line about an answer.
---@param id integer
---@param what "asked"|"header"|"end"|"failed"
---@param value any
function Writer:add(id, what, value)
  self:_write(('{"id":%d,"%s":%s}'):format(id, what, wire.encode(value)))
end

--- Writes a piece of an answer's body.
---@param id integer
---@param piece string
function Writer:body(id, piece)
  if piece == "" then return end
  local text = wire.quick_string(piece)
  if text then
    self:_write(('{"id":%d,"body":%s}'):format(id, text))
  else
    self:_write(('{"id":%d,"hex":"%s"}'):format(id, to_hex(piece)))
  end
end

--- Gives the file its name. If any line could not be written, returns nil and err; then there is no file.
---@return true?
---@return scrutinizer.Error? err
function Writer:finish()
  local err = self.err
  if err then
    self:abort()
    return nil, err
  end
  self.err = errors.new("file", "the recording is closed")
  return self._target:finish()
end

--- Drops the recording: there is no new file.
function Writer:abort()
  self.err = self.err or errors.new("file", "the recording is closed")
  self._target:abort()
end

--- Begins a new recording. The file gets its name only when it is finished.
---@param path string
---@param has_token boolean whether the recorded client has a token: replay needs it to tell what a refusal means
---@return scrutinizer.RecordingWriter?
---@return scrutinizer.Error? err
function file.create(path, has_token)
  local opened, err = sink.open(path)
  if not opened then return nil, err end
  local writer = setmetatable({ _target = opened, _count = 0 }, Writer)
  writer:_write(('{"%s":%d,"token":%s,"version":%s}'):format(MAGIC, FORMAT, tostring(has_token), wire.encode(core.VERSION)))
  return writer
end

-- ---- reading ----

---@class scrutinizer.Recording
---@field path string
---@field has_token boolean
---@field requests { id: integer, fields: table<string, any>, at: integer }[] in the order sent; at: file offset after the request's line
local Recording = {}
Recording.__index = Recording

local function parse(line)
  local id, what, text = line:match '^{"id":(%d+),"([A-Za-z]+)":(.*)}$'
  return id and #id < 16 and tonumber(id) or nil, what, text
end

local function damaged(path, line, why)
  return errors.fail("file", ("%s, line %d: %s"):format(errors.neutral(path, 200), line, why))
end

-- Reads all lines once; decodes only the requests.
local function index(self)
  local number, asked_at = 1, self._handle:seek()
  for line in function() return self._handle:read "*l" end do
    number, asked_at = number + 1, asked_at + #line + 1
    local id, what, text = parse(line)
    if not id then return damaged(self.path, number, "not a line of a recording") end
    if what == "asked" then
      local fields = core.decode(text)
      local good = type(fields) == "table" and wire.try_encode(fields) and next(fields) ~= 1
      if not good then return damaged(self.path, number, "its request cannot be read") end
      self.requests[#self.requests + 1] = { id = id, fields = fields, at = asked_at }
    end
  end
  return self
end

--- The next line of a request's answer, from file offset `at` on.
---@param id integer
---@param at integer
---@return string? what nil: there are no more lines
---@return any value nil: it cannot be decoded
---@return integer at the offset for the next call
function Recording:line(id, at)
  self._handle:seek("set", at)
  while true do
    local line = self._handle:read "*l"
    if not line then return nil, nil, at end
    at = at + #line + 1
    local number, what, text = parse(line)
    if number == id then
      local value = core.decode(text)
      if what == "hex" then
        what, value = "body", type(value) == "string" and from_hex(value) or nil
      end
      return what, value, at
    end
  end
end

function Recording:close()
  if self._handle then self._handle:close() end
  self._handle = nil
end

-- The most bytes of the first line. A file with a longer one is not a recording; it may be a device that never ends.
local MAX_HEAD = 65536

-- The first line, decoded. The next read begins behind it.
local function read_head(handle)
  local line = (handle:read(MAX_HEAD) or ""):match "^([^\n]*)\n"
  if not line then return nil end
  handle:seek("set", #line + 1)
  return core.decode(line)
end

--- Opens a recording.
---@param path string
---@return scrutinizer.Recording?
---@return scrutinizer.Error? err
function file.open(path)
  local handle, why = files.open(path, "rb")
  if not handle then return errors.fail("file", errors.neutral(why, 300)) end
  local recording = setmetatable({ path = path, _handle = handle, requests = {} }, Recording)
  local head = read_head(handle)
  local good, err
  if type(head) ~= "table" or head[MAGIC] ~= FORMAT then
    good, err = damaged(path, 1, "not a recording of this version")
  else
    recording.has_token = head.token == true
    good, err = index(recording)
  end
  if good then return recording end
  recording:close()
  return nil, err
end

return file
