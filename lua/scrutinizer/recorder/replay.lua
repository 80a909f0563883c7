--- Replay: replaces a client's connections, and gives answers from a recording, piece by piece.

local request_match = require "scrutinizer.recorder.request_match"
local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local host = require "scrutinizer.recorder.own_host"

local replay = {}

-- The answers of a recording by request, and how many of each were given.
---@class scrutinizer.Answers
local Answers = {}
Answers.__index = Answers

--- The answers of a recording; several clients may share them.
---@param recording scrutinizer.Recording
---@param ignore table<string, true>
---@param repeats boolean true: when the answers to a request are used up, the last one is given again
---@return scrutinizer.Answers
function replay.answers(recording, ignore, repeats)
  local by_key = {}
  for _, request in ipairs(recording.requests) do
    for name in pairs(ignore) do request.fields[name] = nil end
    local key = request_match.key(request.fields)
    by_key[key] = by_key[key] or { given = 0 }
    table.insert(by_key[key], request)
  end
  return setmetatable({ recording = recording, _ignore = ignore, _repeats = repeats, _by_key = by_key }, Answers)
end

-- The next answer to a request; or nil and a message.
function Answers:_take(request)
  local path = errors.neutral(self.recording.path, 200)
  if not request then return nil, path .. " is being replayed: no request is sent over the network" end
  local fields = request_match.fields(request, self._ignore)
  local list = self._by_key[request_match.key(fields)]
  if not list then
    return nil, ("%s has no answer to %s: %s; record it again if the script has changed")
      :format(path, request_match.describe(fields), request_match.nearest(fields, self.recording.requests))
  end
  local at = list.given + 1
  if at > #list and self._repeats then at = #list end
  if not list[at] then
    return nil, ("%s has only %d answer%s to %s; record it again, or set repeats = true")
      :format(path, #list, #list == 1 and "" or "s", request_match.describe(fields))
  end
  list.given = list.given + 1
  return list[at]
end

-- The most bytes of a piece that the core accepts; recorded pieces are shorter.
local MAX_PIECE = 2 ^ 20
-- The header fields that are texts.
local TEXTS = { "location", "retry_after", "content_type" }

local Multi = {}
Multi.__index = Multi

-- Reads lines until the reader has a piece, or until the answer ends.
function Multi:_pump(outer, state)
  while core.feed_ready(outer) do
    local what, value
    what, value, state.at = self._answers.recording:line(state.id, state.at)
    if what == "body" and type(value) == "string" and #value <= MAX_PIECE and state.header then
      core.feed_push(outer, value)
    elseif what == "header" and type(value) == "table" and check.integer(value.status, 100, 999) and not state.header then
      state.header = true
      for _, name in ipairs(TEXTS) do
        if type(value[name]) ~= "string" then value[name] = nil end
      end
      value.location = type(value.location) == "string" and host.into(value.location, self._host) or nil
      core.feed_header(outer, value)
    elseif what == "end" and value == true and state.header then
      core.feed_finish(outer)
    elseif what == "failed" and type(value) == "table" and type(value[1]) == "string" and type(value[2]) == "string" then
      core.feed_finish(outer, value[1], value[2], value[3] == "unsent")
    else
      local path = errors.neutral(self._answers.recording.path, 200)
      core.feed_finish(outer, "file", what and path .. ": an answer is damaged"
        or path .. ": the recorded answer ends here, because its reader stopped here when it was recorded")
    end
  end
end

-- The methods of core.http.

function Multi:start(request)
  local answer, why = self._answers:_take(request.asked)
  if not answer then return nil, "file", why end
  local outer = core.feed()
  self._running[outer] = { id = answer.id, at = answer.at }
  return outer
end

function Multi:step()
  local count = 0
  for outer, state in pairs(self._running) do
    local ready = core.feed_ready(outer)
    if ready == nil or outer:info().done then
      self._running[outer] = nil
    else
      if ready then self:_pump(outer, state) end
      count = count + 1
    end
  end
  return count
end

-- Whether the next step has something for a reader.
function Multi:_waiting()
  for outer in pairs(self._running) do
    if core.feed_ready(outer) then return true end
  end
  return false
end

function Multi:wait(seconds)
  if self:_waiting() then return true end
  return self._clock:wait(seconds)
end

function Multi.fds() return {} end

function Multi:timeout() return self:_waiting() and 0 or nil end

function Multi:close()
  for outer in pairs(self._running) do core.feed_finish(outer, "cancelled", "closed") end
  self._running = {}
  self._clock:close()
end

--- Makes a replaying replacement for a client's connections.
---@param answers scrutinizer.Answers
---@param client_host? string the client's host name
---@return table multi with the methods of core.http
function replay.multi(answers, client_host)
  local running = setmetatable({}, { __mode = "k" })
  return setmetatable({ _answers = answers, _running = running, _host = client_host, _clock = core.http() }, Multi)
end

return replay
