--- One request and its answer: starts the transfer, lets time pass, keeps the time limits, judges the status.

local answer = require "scrutinizer.answer"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local live = require "scrutinizer.live"
local pace = require "scrutinizer.pace"

local exchange = {}

-- Bytes of a refusal's body that are read for its message.
local REFUSAL_BYTES = 65536
local ABANDONED = "nobody has read it for a long time: the host ended whoever did"

---@class scrutinizer.Exchange
---@field transfer userdata
---@field mask? fun(text: string): string takes secrets out of what the appliance says
---@field private _client table
---@field private _pace scrutinizer.Pace
---@field private _closed string|false   why, once it is closed
---@field private _owners table          weak: what reads it, and how that is cancelled
---@field private _waited number         seconds of waiting so far
---@field private _slow { seconds: number, bytes: integer }
local methods = {}
local Exchange = { __index = methods }

-- Begins a transfer, over connections of this process.
local function begin(client, request)
  local http = client._private.multi()
  local transfer, kind, message = http:start(request)
  if kind == "phase" then -- the process has forked since: connections stay with the parent
    http = client._private.multi(true)
    transfer, kind, message = http:start(request)
  end
  if not transfer then return nil, kind, message end
  return transfer, http
end

--- Starts a request. `request` is what `http:start` takes. Nothing is sent where the host cannot wait for the answer.
---@return scrutinizer.Exchange?
---@return scrutinizer.Error? err
function exchange.start(client, request)
  local host, kind, message = client._private.host()
  if not host then return errors.fail(kind, message) end
  local transfer, http
  transfer, http, message = begin(client, request)
  if not transfer then return errors.fail(http, message) end
  local x = setmetatable({
    transfer = transfer, _client = client, _waited = 0, _slow = { seconds = 0, bytes = 0 }, started = core.now(), _closed = false,
    _owners = setmetatable({}, { __mode = "k" }),
  }, Exchange)
  x._pace = pace.new(x, function() return x._closed or client._private.closed() end, client, http, transfer)
  client._private.watch(x, methods.close)
  if host.aborts then live.add(x) end
  return x
end

local function timed_out(which, ...)
  return errors.fail("timeout", which:format(...))
end

-- Low speed is watched from the answer's first byte on: how long the appliance may think is `timeout`'s matter.
function methods:_check_limits(elapsed)
  local options = self._client._options
  self._waited = self._waited + elapsed
  if self._waited >= options.timeout then
    return timed_out("waited %g s for the appliance (timeout)", options.timeout)
  end
  local info, slow, low = self.transfer:info(), self._slow, options.low_speed
  if not info.headers_done or info.done then return true end
  slow.seconds = slow.seconds + elapsed
  if slow.seconds < low.seconds then return true end
  if info.received - slow.bytes < low.bytes * low.seconds then
    return timed_out("fewer than %g bytes a second for %g s (low_speed)", low.bytes, low.seconds)
  end
  slow.seconds, slow.bytes = 0, info.received
  return true
end

--- Lets time pass until something may have come. Only time in which nothing came counts towards the limits.
---@return true?
---@return scrutinizer.Error? err
function methods:wait()
  local ok, elapsed, message = self._pace:wait(self._client._options.timeout - self._waited)
  if self._pace.closed() then return errors.fail("cancelled", self._closed or "the client was closed") end
  if not ok then return errors.fail(elapsed, message) end
  if elapsed == 0 then return true end
  return self:_check_limits(elapsed)
end

--- Waits for the answer's header. Nil and err when the transfer fails before.
---@return table? info
---@return scrutinizer.Error? err
function methods:header()
  while true do
    local info = self.transfer:info()
    if info.headers_done then return info end
    if info.done then
      local _, kind, message = self.transfer:read()
      if kind then return errors.fail(kind, message) end
      return info
    end
    local ok, err = self:wait()
    if not ok then return nil, err end
  end
end

--- Reads the answer's body, at most `max` bytes of it (the rest is not waited for).
---@param max integer
---@return string? body
---@return scrutinizer.Error? err
function methods:body(max)
  local parts, size = {}, 0
  while size < max do
    local part, kind, message = self.transfer:read(max - size)
    if part then
      parts[#parts + 1], size = part, size + #part
    elseif part == false then
      local ok, err = self:wait()
      if not ok then return nil, err end
    elseif kind then
      return errors.fail(kind, message)
    else
      break
    end
  end
  return table.concat(parts)
end

local STATUS_KINDS = { [401] = "auth", [403] = "auth", [407] = "auth" }

local function redirect_error(info)
  return errors.new("http", ("the appliance redirects (HTTP %d) to %s; connect to where it really is")
    :format(info.status, errors.neutral((info.location or "nowhere"):match "^[^?#]*", 200)), { status = info.status })
end

-- The error of an answer that is not 200. Its body is read for what it says.
function methods:_refusal(info)
  if info.location and info.status >= 300 and info.status < 400 then return redirect_error(info) end
  local body = self:body(REFUSAL_BYTES) or ""
  local value = core.decode(body)
  local context = { has_token = self._client.has_token, status = info.status, mask = self.mask }
  local said = type(value) == "table" and answer.refusal(value, context)
  local kind = STATUS_KINDS[info.status] or "http"
  if said and said.kind == "auth" then return said end
  if said then return errors.new(kind, ("HTTP %d: %s"):format(info.status, said.message), { status = info.status }) end
  return errors.new(kind, ("the appliance answers with HTTP status %d"):format(info.status),
    { status = info.status, retry_after = info.retry_after })
end

--- Waits for a good answer's header: status 200.
---@return table? info
---@return scrutinizer.Error? err
function methods:accepted()
  local info, err = self:header()
  if not info then return nil, err end
  if info.status == 200 then return info end
  err = self:_refusal(info)
  self:close()
  return nil, err
end

--- Says who reads it: `cancel(owner, why)` is called when it is abandoned. Keeps nobody alive.
---@param owner table
---@param cancel fun(owner: table, why: string)
function methods:read_by(owner, cancel)
  self._owners[owner] = cancel
end

--- Its host has ended whoever was reading it.
function methods:abandon()
  for owner, cancel in pairs(self._owners) do cancel(owner, ABANDONED) end
  self:close(ABANDONED)
end

--- Any number of times.
---@param why? string for one who is waiting for it meanwhile
function methods:close(why)
  if not self._closed then self._closed = why or "closed" end
  live.remove(self)
  self._client._private.watch(self, nil)
  self._pace:release()
  self.transfer:close()
end

return exchange
