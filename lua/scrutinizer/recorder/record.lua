--- Recording: stands between a client and its connections, and writes each piece of an answer to the file before it passes it on.

local request_match = require "scrutinizer.recorder.request_match"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local host = require "scrutinizer.recorder.own_host"
local secrets = require "scrutinizer.secrets"

local record = {}

-- The most bytes of a piece.
local PIECE = 65536

-- The header fields that are recorded. Their texts are masked.
local HEADER = { "status", "location", "retry_after", "content_type" }

---@class scrutinizer.Recorded one answer that is being recorded
---@field id integer
---@field inner userdata   the transfer that receives it
---@field set scrutinizer.Secrets
---@field clean fun(piece: string, last?: boolean): string
---@field pending string   the beginning of a UTF-8 character whose other bytes come in the next piece

-- The complete UTF-8 characters of a piece. An incomplete one at its end waits for the next piece.
local function whole(state, text, last)
  text = state.pending .. text
  local at = not last and text:find "[\194-\244][\128-\191]?[\128-\191]?$" or #text + 1
  state.pending = text:sub(at)
  return text:sub(1, at - 1)
end

-- A text of a header or a message as it is recorded.
local function shown(state, text)
  return errors.neutral(state.set.mask(text), 4000)
end

local Multi = {}
Multi.__index = Multi

function Multi:_header(outer, state)
  local info, kept = state.inner:info(), {}
  if not info.headers_done then return end
  for _, name in ipairs(HEADER) do
    local value = info[name]
    kept[name] = type(value) == "string" and shown(state, value) or value
  end
  kept.location = kept.location and host.out_of(kept.location, self._host)
  self._writer:add(state.id, "header", kept)
  core.feed_header(outer, info)
  state.header = true
end

-- How an answer failed, for the file. The third value says that nothing of the request left.
local function failure(state, kind, message)
  local unsent = not state.inner or not state.inner:info().sent
  return { kind, shown(state, message), unsent and "unsent" or nil }
end

function Multi:_finish(outer, state, kind, message)
  self._writer:body(state.id, whole(state, state.clean("", true), true))
  if kind then
    self._writer:add(state.id, "failed", failure(state, kind, message))
  else
    self._writer:add(state.id, "end", true)
  end
  core.feed_finish(outer, kind, message)
  self._running[outer] = nil
end

-- Passes one piece on. Returns true if there was a piece.
function Multi:_pump(outer, state)
  local ready = core.feed_ready(outer)
  if ready == nil then self._running[outer] = nil end -- its reader is gone
  if not ready then return false end
  local text, kind, message = state.inner:read(PIECE)
  -- The read may have received the header, which must be recorded before the body.
  if not state.header then self:_header(outer, state) end
  if text == false then return false end
  if text == nil then
    self:_finish(outer, state, kind, message)
    return true
  end
  self._writer:body(state.id, whole(state, state.clean(text)))
  local err = self._writer.err
  if err then
    core.feed_finish(outer, err.kind, err.message)
    self._running[outer] = nil
    return true
  end
  core.feed_push(outer, text)
  return true
end

function Multi:_pump_all()
  local any = false
  for outer, state in pairs(self._running) do any = self:_pump(outer, state) or any end
  return any
end

-- The methods of core.http.

function Multi:start(request)
  local transfer, kind, message = self._inner:start(request)
  if not request.asked or kind == "phase" then return transfer, kind, message end
  local fields, found = request_match.fields(request.asked, self._ignore)
  local id = self._writer:asked(fields)
  local set = secrets.new(found, self._secrets)
  local state = { id = id, inner = transfer, set = set, clean = set.stream(), pending = "" }
  if not transfer then
    self._writer:add(id, "failed", failure(state, kind, message))
    return nil, kind, message
  end
  local outer = core.feed(transfer)
  self._running[outer] = state
  return outer
end

function Multi:step(outer)
  local state = outer and self._running[outer]
  local running, kind, message = self._inner:step(state and state.inner or outer)
  if not running then return nil, kind, message end
  self:_pump_all()
  return running
end

function Multi:wait(seconds)
  if self:_pump_all() then return true end
  return self._inner:wait(seconds)
end

function Multi:fds(outer)
  local state = outer and self._running[outer]
  return self._inner:fds(state and state.inner or nil)
end

function Multi:timeout() return self._inner:timeout() end

function Multi:close()
  for outer in pairs(self._running) do core.feed_finish(outer, "cancelled", "closed") end
  self._running = {}
  self._inner:close()
end

--- Makes a recording replacement for a client's connections.
---@param inner userdata core.http or core.command
---@param how { writer: scrutinizer.RecordingWriter, ignore: table<string, true>, secrets: scrutinizer.Secrets, host?: string } secrets, host:
---  the client's
---@return table multi with the methods of core.http
function record.over(inner, how)
  -- Weak: the entry is collected together with its reader.
  local running = setmetatable({}, { __mode = "k" })
  return setmetatable({
    _inner = inner, _writer = how.writer, _ignore = how.ignore, _secrets = how.secrets, _host = how.host, _running = running,
  }, Multi)
end

return record
