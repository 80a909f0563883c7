--- Record and replay: a script's own tests run without an appliance. Clients of a recorder are ordinary clients; what the appliance answers is
--- written to a file the first time, and read from it ever after.
---
--- Two requests are the same when their fields are: JSON is compared as values, the token and what looks like a password is left out. Times
--- that come from the clock (`:last`, named ranges that are paged, and `resume` of such) are compared as the query says them, so that a test
--- passes tomorrow; times that a script computes itself are not. The same request asked several times gets its answers in the order they were
--- recorded.

local check = require "scrutinizer.check"
local client = require "scrutinizer.client"
local errors = require "scrutinizer.errors"
local file = require "scrutinizer.recorder.recording_file"
local record = require "scrutinizer.recorder.record"
local replay = require "scrutinizer.recorder.replay"

---@class scrutinizer.Recorder
---@field path string
---@field replays? boolean   known once there is a client
local methods = {}
local Recorder = { __index = methods, __name = "scrutinizer.Recorder" }

function Recorder:__tostring()
  local doing = self.replays == nil and "" or self.replays and " (replays)" or " (records)"
  return "scrutinizer.Recorder: " .. errors.neutral(self.path, 200) .. (self._closed and " (closed)" or doing)
end

local function exists(path)
  local handle = io.open(path, "rb")
  if handle then handle:close() end
  return handle ~= nil
end

-- Opens the file for reading or writing, once. Nil and err.
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

-- What the client gets in the place of its connections.
local function through(self)
  return {
    replays = self.replays,
    open = function(has_token) return open(self, has_token) end,
    has_token = function() return self._answers.recording.has_token end,
    multi = function(make, again, secrets, host)
      if self.replays then return replay.multi(self._answers, host) end
      if again then return errors.fail("phase", "forked: a recording belongs to the process that began it") end
      return record.over(make(), { writer = self._writer, ignore = self._ignore, secrets = secrets, host = host })
    end,
  }
end

--- An ordinary client. While it is replayed it needs neither address nor token, and looks at no file of theirs. One recorder is for one
--- appliance: clients share its answers.
---@param options? table what `scrutinizer.connect` takes
---@return scrutinizer.Client?
---@return scrutinizer.Error? err as of connect; kind `file`: the recording cannot be read or written
function methods:connect(options)
  if self.replays == nil then self.replays = self._mode == "replay" or (self._mode == "auto" and exists(self.path)) end
  local made, err = client.build(options or {}, 3, through(self))
  return made, err
end

--- Ends recording: now the file has its name, whole. Without it there is no file. Clients of the recorder are of no use afterwards. Any number
--- of times.
---@return true?
---@return scrutinizer.Error? err kind `file`: it could not be written whole, and is not there
function methods:close()
  if self._closed then return true end
  self._closed, self._keep.writer = true, nil
  if self._answers then self._answers.recording:close() end
  if self._writer then return self._writer:finish() end
  return true
end

-- A block that is left by an error has recorded half a story.
function Recorder:__close(err)
  if err ~= nil and self._writer and not self._closed then
    self._closed, self._keep.writer = true, nil
    self._writer:abort()
  end
  self:close()
end

-- Without `close` the file beside is removed when the recorder is collected.
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

-- The checked options; raises at the caller's caller.
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

--- A recorder over a file. Mode "auto" replays when the file is there and records when it is not; "record" always records (the old file stays
--- until the new one is whole), "replay" never does. `ignore` names form fields that do not tell requests apart; `repeats` gives the last
--- answer to a request again and again, where otherwise asking more often than recorded is an error.
---@param path string
---@param options? { mode?: "auto"|"record"|"replay", ignore?: string[], repeats?: boolean }
---@return scrutinizer.Recorder
function recorder.new(path, options)
  if type(path) ~= "string" or path == "" or path:find "%z" then error(check.message("recorder", path, "a file's path"), 2) end
  local mode, ignore, repeats = read_options(options)
  return setmetatable({ path = path, _mode = mode, _ignore = ignore, _repeats = repeats, _keep = keeper() }, Recorder)
end

return recorder
