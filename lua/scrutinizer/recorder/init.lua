--- Record and replay: tests of a script run without an appliance. The clients of a recorder are ordinary clients. The first run writes the
--- appliance's answers to a file; later runs read them from it.
---
--- Two requests are the same when their fields are equal. JSON is compared by value; the token and fields named like a password are ignored.
--- Times that come from the clock (`:last`, paged named ranges, and `resume` of these) are compared as the query states them, so a test also
--- passes tomorrow. Times that a script computes itself are compared as they are. A repeated request gets its answers in the recorded order.

local check = require "scrutinizer.check"
local client = require "scrutinizer.client"
local errors = require "scrutinizer.errors"
local files = require "scrutinizer.files"
local file = require "scrutinizer.recorder.recording_file"
local record = require "scrutinizer.recorder.record"
local replay = require "scrutinizer.recorder.replay"

---@class scrutinizer.Recorder
---@field path string
---@field replays? boolean   nil until the first client is made
local methods = {}
local Recorder = { __index = methods, __name = "scrutinizer.Recorder" }

function Recorder:__tostring()
  local doing = self.replays == nil and "" or self.replays and " (replays)" or " (records)"
  return "scrutinizer.Recorder: " .. errors.neutral(self.path, 200) .. (self._closed and " (closed)" or doing)
end

local function exists(path)
  local handle = files.open(path, "rb")
  if handle then handle:close() end
  return handle ~= nil
end

-- Opens the file for reading or writing, once. Returns true, or nil and err.
local function open(self, has_token)
  if self._closed then return errors.fail("cancelled", "the recorder is closed") end
  local err
  if self.replays and not self._answers then
    local recording
    recording, err = file.open(self.path)
    if not recording then return nil, err end
    self._answers = replay.answers(recording, self._ignore, self._repeats)
  elseif not self.replays and not self._writer then
    self._writer, err = file.create(self.path, has_token)
    if not self._writer then return nil, err end
    self._keep.writer = self._writer
  end
  return true
end

-- What replaces the client's connections.
local function through(self)
  return {
    replays = self.replays,
    open = function(has_token) return open(self, has_token) end,
    has_token = function() return self._answers.recording.has_token end,
    multi = function(make, again, secrets, host)
      if self.replays then return replay.multi(self._answers, host) end
      if again then return errors.fail("phase", "forked: a recording belongs to the process that started it") end
      return record.over(make(), { writer = self._writer, ignore = self._ignore, secrets = secrets, host = host })
    end,
  }
end

--- Makes an ordinary client. In replay it needs no address and no token, and reads no files for them. Use one recorder per appliance: its
--- clients share the answers.
---@param options? table what `scrutinizer.connect` takes
---@return scrutinizer.Client?
---@return scrutinizer.Error? err as of `scrutinizer.connect`; kind `file`: the recording cannot be read or written
function methods:connect(options)
  if self.replays == nil then self.replays = self._mode == "replay" or (self._mode == "auto" and exists(self.path)) end
  return errors.result(client.build(options or {}, 3, through(self)))
end

--- Ends the recording and gives the complete file its name. Without `close` there is no file. The recorder's clients cannot be used afterwards.
--- A second call does nothing.
---@return true?
---@return scrutinizer.Error? err kind `file`: it could not be written completely, so there is no file
function methods:close()
  if self._closed then return true end
  self._closed, self._keep.writer = true, nil
  if self._answers then self._answers.recording:close() end
  if self._writer then return self._writer:finish() end
  return true
end

-- When an error leaves the block, the recording is incomplete and is removed.
function Recorder:__close(err)
  if err ~= nil and self._writer and not self._closed then
    self._closed, self._keep.writer = true, nil
    self._writer:abort()
  end
  self:close()
end

-- Without `close`, the temporary file is removed when the recorder is garbage-collected.
local function collected(keep)
  if keep.writer then keep.writer:abort() end
end

local function keeper()
  local new_proxy = rawget(_G, "newproxy") -- Lua 5.1: tables have no finalizers
  if not new_proxy then return setmetatable({}, { __gc = collected }) end
  local keep, proxy = {}, new_proxy(true)
  getmetatable(proxy).__gc = function() collected(keep) end
  keep.proxy = proxy
  return keep
end

local MODES = { auto = true, record = true, replay = true }
local ALLOWED = "a table with mode, ignore, repeats; or nothing"

-- Checks the options; a wrong one raises at the caller's caller.
local function read_options(given)
  if given ~= nil and type(given) ~= "table" then error(check.message("recorder: options", given, ALLOWED), 3) end
  given = given or {}
  for name in pairs(given) do
    if name ~= "mode" and name ~= "ignore" and name ~= "repeats" then error(check.message("recorder: option", name, "mode, ignore, repeats"), 3) end
  end
  local mode, ignore, repeats = given.mode, {}, given.repeats
  if mode ~= nil and not MODES[mode] then error(check.message("recorder: mode", mode, '"auto", "record", "replay"'), 3) end
  if repeats ~= nil and type(repeats) ~= "boolean" then error(check.message("recorder: repeats", repeats, "true or false"), 3) end
  if given.ignore ~= nil and type(given.ignore) ~= "table" then
    error(check.message("recorder: ignore", given.ignore, 'a list of form fields such as { "st", "et" }'), 3)
  end
  for _, name in ipairs(given.ignore or {}) do
    if type(name) ~= "string" then error(check.message("recorder: ignore", name, "names of form fields"), 3) end
    ignore[name] = true
  end
  return mode or "auto", ignore, repeats or false
end

local recorder = {}

--- Makes a recorder for a file. Mode "auto" (the default) replays if the file exists and records if not. "record" always records; the old file
--- stays until the new one is complete. "replay" never records. `ignore` lists form fields that are not compared. `repeats` = true: when a
--- request is sent more often than recorded, it gets its last answer again; otherwise that is an error.
---@param path string the recording's file
---@param options? { mode?: "auto"|"record"|"replay", ignore?: string[], repeats?: boolean }
---@return scrutinizer.Recorder
function recorder.new(path, options)
  if type(path) ~= "string" or path == "" or path:find "%z" then error(check.message("recorder", path, "a file's path"), 2) end
  local mode, ignore, repeats = read_options(options)
  return setmetatable({ path = path, _mode = mode, _ignore = ignore, _repeats = repeats, _keep = keeper() }, Recorder)
end

return recorder
