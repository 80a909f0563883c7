--- One request and its answer: starts the transfer, waits, enforces the time limits, checks the status.

local ascii = require "scrutinizer.ascii"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local running_list = require "scrutinizer.transport.running_list"
local pace = require "scrutinizer.transport.pace"
local redirect = require "scrutinizer.transport.redirect"
local refusal = require "scrutinizer.transport.refusal"
local retry = require "scrutinizer.transport.retry"
local tls = require "scrutinizer.transport.tls"

local exchange = {}

-- The most bytes of a refusal's body that are read for its message.
local REFUSAL_BYTES = 65536
-- Time limit in seconds for reading the server's certificate.
local LOOK = 10
local ABANDONED = "the answer was not read for a long time: the host has probably ended the coroutine that was reading it"

---@class scrutinizer.Exchange
---@field transfer userdata
---@field mask? fun(text: string): string masks secrets in the appliance's texts
---@field private _client table
---@field private _pace scrutinizer.Pace
---@field private _closed string|false   the reason, once it is closed
---@field private _owners table          weak: who reads it, and the function that cancels the reader
---@field private _waited number         seconds of waiting so far
---@field private _slow { seconds: number, bytes: integer }
---@field private _answering? boolean      the header has come: from now on there is a least speed
---@field private _limit? number         the most seconds that this try may wait, when that is less than `timeout`
---@field private _again? fun(): table?, scrutinizer.Error?  builds the request again for the client's new address
---@field private _on_header? fun(info: table)  called with each header
---@field private _write? boolean        the request must not be executed twice
local methods = {}
local Exchange = { __index = methods }

-- Starts a transfer on connections of this process.
local function begin(client, request)
  local http = client._private.multi()
  local transfer, kind, message = http:start(request)
  if kind == "phase" then -- the process has forked: the connections belong to the parent
    local err
    http, err = client._private.multi(true)
    if not http then return nil, err.kind, err.message end
    transfer, kind, message = http:start(request)
  end
  if not transfer then return nil, kind, message end
  return transfer, http
end

--- Starts a request. If the host cannot wait for the answer, it returns an error and sends nothing.
---@param client scrutinizer.Client
---@param request table what `http:start` takes
---@param how? { limit?: number, again?: (fun(): table?, scrutinizer.Error?), on_header?: fun(info: table), write?: boolean } limit: the most seconds
---  to wait; again: builds the request again after a redirect; on_header: called with each header; write: must not be executed twice
---@return scrutinizer.Exchange?
---@return scrutinizer.Error? err
function exchange.start(client, request, how)
  local host, kind, message = client._private.host()
  if not host then return errors.fail(kind, message) end
  how = how or {}
  local x = setmetatable({
    _client = client, _waited = 0, _slow = { seconds = 0, bytes = 0 }, started = core.now(), _closed = false,
    _owners = setmetatable({}, { __mode = "k" }), _limit = how.limit, _again = how.again, _on_header = how.on_header,
    _write = how.write,
  }, Exchange)
  x._pace = pace.new(x, function() return x._closed or client._private.closed() end, client)
  local ok
  ok, kind, message = x._pace:enter(host)
  if not ok then return errors.fail(kind, message) end
  if client._private.closed() then return errors.fail("cancelled", "the client was closed") end
  local transfer, http
  transfer, http, message = begin(client, request)
  if not transfer then return errors.fail(http, message) end
  x.transfer, x._waited = transfer, core.now() - x.started
  x._pace:drive(http, transfer)
  client._private.watch(x, methods.close)
  if host.aborts then running_list.add(x) end
  return x
end

local function timed_out(which, text, ...)
  return errors.fail("timeout", ascii.format(text, ...), { which = which })
end

-- The low-speed limit applies after the header. Before that only `timeout` limits how long the appliance may work. It counts the answer's own
-- bytes: compressed ones and framing may hold nothing.
function methods:_check_limits(elapsed)
  local options, limit = self._client._options, self._limit
  self._waited = self._waited + elapsed
  if self._waited >= options.timeout then
    return timed_out("total", "waited %g s for the appliance (timeout)", options.timeout)
  end
  if limit and self._waited >= limit then
    return timed_out("deadline", "no complete answer after %g s of attempts (retry.deadline)", options.retry.deadline)
  end
  local info, slow, low = self.transfer:info(), self._slow, options.low_speed
  if not info.headers_done or info.done then return true end
  slow.seconds = slow.seconds + elapsed
  if slow.seconds < low.seconds then return true end
  if info.decoded - slow.bytes < low.bytes * low.seconds then
    return timed_out("low_speed", "the answer arrived at less than %g bytes per second for %g s (low_speed)", low.bytes, low.seconds)
  end
  slow.seconds, slow.bytes = 0, info.decoded
  return true
end

--- Waits until there may be something to read. Only time in which nothing arrives counts towards the limits.
---@return true?
---@return scrutinizer.Error? err
function methods:wait()
  local options = self._client._options
  local most = math.min(options.timeout, self._limit or math.huge) - self._waited
  if self._answering then most = math.min(most, options.low_speed.seconds - self._slow.seconds) end
  local ok, elapsed, message = self._pace:wait(most)
  if self._pace.closed() then return errors.fail("cancelled", self._closed or "the client was closed") end
  if not ok then return errors.fail(elapsed, message) end
  if elapsed == 0 then return true end
  return self:_check_limits(elapsed)
end

-- Reads the server's certificates with a separate handshake that sends nothing of the request.
function methods:_look()
  local request = self._client._private.transport()
  request.url, request.inspect = self._client.url, true
  local x = exchange.start(self._client, request, { limit = LOOK })
  if not x then return nil end
  x._looking = true
  local chain, seen = {}, x:header() and x.transfer:certificate(1)
  while seen do
    chain[#chain + 1] = seen
    seen = x.transfer:certificate(#chain + 1)
  end
  x:close()
  return chain
end

local PROXY_LOGIN = 'set its user name and password: proxy = "http://user:password@host:port"'
-- Statuses of a proxy after which a retry may succeed.
local PASSING = { [429] = true, [502] = true, [503] = true, [504] = true }

-- What to do about a proxy's status.
local function proxy_advice(status)
  if status == 407 then return PROXY_LOGIN end
  if status < 400 then return "it redirects, perhaps to a login page" end
  if status == 401 or status == 403 then return "it does not allow this client to reach the appliance" end
  return "it cannot reach the appliance"
end

-- The error when a proxy refuses a connection, recognized by the core's message.
local function proxy_error(kind, message)
  local status = tonumber(message:match "^the proxy answers CONNECT with HTTP status (%d+)")
  if status then
    return errors.new(kind, ("%s: %s"):format(message, proxy_advice(status)), { status = status, retryable = PASSING[status] or false })
  end
  if kind == "auth" then return errors.new(kind, ("%s; %s"):format(message, PROXY_LOGIN:gsub("http:", "socks5:"))) end
  return errors.new(kind, message, { retryable = message:find "^the proxy failed" ~= nil })
end

-- The error of a failed transfer.
function methods:_failure(kind, message)
  if kind == "tls" then return tls.error(message, not self._looking and self:_look() or nil, self._client._options.ca) end
  if message:find "^the proxy " then return proxy_error(kind, message) end
  return errors.new(kind, message, { which = kind == "timeout" and "connect" or nil })
end

--- Waits for the answer's header, of any status.
---@return table? info
---@return scrutinizer.Error? err
function methods:header()
  while true do
    local info = self.transfer:info()
    if info.headers_done then
      self._answering = true
      if self._on_header then self._on_header(info) end
      return info
    end
    if info.done then
      local _, kind, message = self.transfer:read()
      if kind then return nil, self:_failure(kind, message) end
      return info
    end
    local ok, err = self:wait()
    if not ok then return nil, err end
  end
end

--- Reads at most `max` bytes of the answer's body. It does not wait for the rest.
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

--- Reads the whole body and keeps it outside Lua for `transfer:decode`. More than `max` bytes is an error of kind `limit`.
---@param max integer
---@return true?
---@return scrutinizer.Error? err
function methods:keep(max)
  while true do
    local state, kind, message = self.transfer:keep(max)
    if state == nil and kind then return errors.fail(kind, message) end
    if state == nil then return true end
    local ok, err = self:wait()
    if not ok then return nil, err end
  end
end

-- Statuses that a proxy may send itself.
local OF_PROXIES = { [403] = true, [407] = true, [429] = true, [502] = true, [503] = true, [504] = true }

local function environment_proxy()
  for _, name in ipairs { "http_proxy", "all_proxy", "ALL_PROXY" } do
    local value = os.getenv(name)
    if value and value ~= "" then return value end
  end
end

-- Who sent this status. Over https a proxy only forwards bytes; over http it may answer itself.
function methods:_who(info)
  local endpoint = self._client._options.endpoint
  if not endpoint or endpoint.scheme ~= "http" then return "the appliance" end
  local proxy = self._client._private.transport().proxy or environment_proxy()
  if not proxy or proxy == "" or proxy:find "^socks" then return "the appliance" end
  if info.status == 407 then return "the proxy" end
  return (OF_PROXIES[info.status] or redirect.is(info)) and "the appliance, or the proxy in front of it," or "the appliance"
end

local STATUS_KINDS = { [401] = "auth", [403] = "auth", [407] = "auth" }

-- The error of an answer whose status is not 200. Its body is read for a message.
function methods:_refusal(info)
  local mask = self.mask or self._client._private.mask
  if redirect.is(info) then return redirect.error(info, { mask = mask, write = self._write, who = self:_who(info) }) end
  local body = self:body(REFUSAL_BYTES) or ""
  local value = core.decode(body)
  local context = { has_token = self._client.has_token, status = info.status, mask = mask }
  local refused = type(value) == "table" and refusal.of(value, context)
  local kind = STATUS_KINDS[info.status] or "http"
  if refused and refused.kind == "auth" then return refused end
  local fields = { status = info.status, retry_after = retry.after(info.retry_after) }
  if refused then return errors.new(kind, ("HTTP %d: %s"):format(info.status, refused.message), fields) end
  local who = self:_who(info)
  return errors.new(kind, ("%s answers with HTTP status %d%s"):format(who, info.status, who == "the proxy" and ": " .. PROXY_LOGIN or ""), fields)
end

-- Sends the request again when the appliance redirects within its host. False: there is no redirect to follow.
function methods:_follow(info)
  if not self._again or not redirect.move(self._client, info, self) then return false end
  local request, err = self._again()
  if not request then return nil, err end
  self._pace:release()
  self.transfer:close()
  local transfer, http, message = begin(self._client, request)
  if not transfer then return errors.fail(http, message) end
  self.transfer = transfer
  self._pace:drive(http, transfer)
  return true
end

-- Statuses sent by a proxy or gateway instead of the appliance.
local GATEWAY = { [407] = true, [429] = true, [502] = true, [503] = true, [504] = true }

--- Waits for a header from the appliance, of any status. An answer of a proxy or gateway is an error.
---@return table? info
---@return scrutinizer.Error? err
function methods:answered()
  local info, err = self:header()
  if info and GATEWAY[info.status] then info, err = nil, self:_refusal(info) end
  return info, err
end

--- Waits for a header with status 200; any other status is an error. After a redirect to https on the same host it sends the whole request again.
---@return table? info
---@return scrutinizer.Error? err
function methods:accepted()
  while true do
    local info, err = self:header()
    if not info then return nil, err end
    if info.status == 200 then return info end
    local followed
    followed, err = self:_follow(info)
    if not followed then
      err = err or self:_refusal(info)
      self:close()
      return nil, err
    end
  end
end

--- Marks the error of a write: it is not retryable when the appliance may have done the write. It has not when nothing of the request left, or
--- when the answer says so: 429, and 503 with Retry-After (without it, a server may have lost the program that did the write).
---@param err scrutinizer.Error
function methods:judge_write(err)
  local declined = err.status == 429 or (err.status == 503 and err.retry_after ~= nil)
  if self.transfer:info().sent and not declined then err.retryable = false end
end

--- Serves the exchanges that nobody has read yet, without waiting.
function methods:nudge()
  if not self._closed then self._pace:nudge() end
end

--- Registers a reader: `cancel(owner, why)` is called when the exchange is abandoned. The reference to the owner is weak.
---@param owner table
---@param cancel fun(owner: table, why: string)
function methods:read_by(owner, cancel)
  self._owners[owner] = cancel
end

--- The host has ended the coroutine that was reading this exchange: cancels its readers and closes it.
function methods:abandon()
  for owner, cancel in pairs(self._owners) do cancel(owner, ABANDONED) end
  self:close(ABANDONED)
end

--- Whether its reader is waiting in the host now. The reader continues by itself when it returns.
---@return boolean
function methods:pauses()
  return self._pace.pausing
end

--- Closes the exchange; a second call does nothing.
---@param why? string the message for a reader that is still waiting
function methods:close(why)
  if not self._closed then self._closed = why or "closed" end
  running_list.remove(self)
  self._client._private.watch(self, nil)
  self._pace:release()
  self.transfer:close()
end

return exchange
