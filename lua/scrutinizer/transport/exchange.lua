--- One request and its answer: starts the transfer, lets time pass, keeps the time limits, judges the status.

local ascii = require "scrutinizer.ascii"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local running_list = require "scrutinizer.transport.running"
local pace = require "scrutinizer.transport.pace"
local redirect = require "scrutinizer.transport.redirect"
local refusal = require "scrutinizer.transport.refusal"
local retry = require "scrutinizer.transport.retry"
local tls = require "scrutinizer.transport.tls"

local exchange = {}

-- Bytes of a refusal's body that are read for its message.
local REFUSAL_BYTES = 65536
-- Seconds that looking at a certificate may take.
local LOOK = 10
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
---@field private _limit? number         seconds that this try may wait, where that is less than `timeout`
---@field private _again? fun(status: integer): userdata?, scrutinizer.Error?  sends the request anew, to where the client has moved
---@field private _heard? fun(info: table)  is told each header
---@field private _write? boolean        a request that must not be done twice
local methods = {}
local Exchange = { __index = methods }

-- Begins a transfer, over connections of this process.
local function begin(client, request)
  local http = client._private.multi()
  local transfer, kind, message = http:start(request)
  if kind == "phase" then -- the process has forked since: connections stay with the parent
    local err
    http, err = client._private.multi(true)
    if not http then return nil, err.kind, err.message end
    transfer, kind, message = http:start(request)
  end
  if not transfer then return nil, kind, message end
  return transfer, http
end

--- Starts a request. Nothing is sent where the host cannot wait for the answer.
---@param client scrutinizer.Client
---@param request table what `http:start` takes
---@param how? { limit?: number, again?: (fun(): table?, scrutinizer.Error?), heard?: fun(info: table), write?: boolean } seconds of waiting at
---  most; makes the request anew after a redirect; is told each answer's header; whether the request must not be done twice
---@return scrutinizer.Exchange?
---@return scrutinizer.Error? err
function exchange.start(client, request, how)
  local host, kind, message = client._private.host()
  if not host then return errors.fail(kind, message) end
  if client._private.closed() then return errors.fail("cancelled", "the client was closed") end
  local transfer, http
  transfer, http, message = begin(client, request)
  if not transfer then return errors.fail(http, message) end
  how = how or {}
  local x = setmetatable({
    transfer = transfer, _client = client, _waited = 0, _slow = { seconds = 0, bytes = 0 }, started = core.now(), _closed = false,
    _owners = setmetatable({}, { __mode = "k" }), _limit = how.limit, _again = how.again, _heard = how.heard,
    _write = how.write,
  }, Exchange)
  x._pace = pace.new(x, function() return x._closed or client._private.closed() end, client, http, transfer)
  client._private.watch(x, methods.close)
  if host.aborts then running_list.add(x) end
  return x
end

local function timed_out(which, text, ...)
  return errors.fail("timeout", ascii.format(text, ...), { which = which })
end

-- Low speed is watched from the answer's first byte on: how long the appliance may think is `timeout`'s matter.
function methods:_check_limits(elapsed)
  local options, limit = self._client._options, self._limit
  self._waited = self._waited + elapsed
  if self._waited >= options.timeout then
    return timed_out("total", "waited %g s for the appliance (timeout)", options.timeout)
  end
  if limit and self._waited >= limit then
    return timed_out("deadline", "tried for %g s (retry.deadline)", options.retry.deadline)
  end
  local info, slow, low = self.transfer:info(), self._slow, options.low_speed
  if not info.headers_done or info.done then return true end
  slow.seconds = slow.seconds + elapsed
  if slow.seconds < low.seconds then return true end
  if info.received - slow.bytes < low.bytes * low.seconds then
    return timed_out("low_speed", "fewer than %g bytes a second for %g s (low_speed)", low.bytes, low.seconds)
  end
  slow.seconds, slow.bytes = 0, info.received
  return true
end

--- Lets time pass until something may have come. Only time in which nothing came counts towards the limits.
---@return true?
---@return scrutinizer.Error? err
function methods:wait()
  local most = math.min(self._client._options.timeout, self._limit or math.huge) - self._waited
  local ok, elapsed, message = self._pace:wait(most)
  if self._pace.closed() then return errors.fail("cancelled", self._closed or "the client was closed") end
  if not ok then return errors.fail(elapsed, message) end
  if elapsed == 0 then return true end
  return self:_check_limits(elapsed)
end

-- What certificates does the server show? A handshake of its own, in which nothing of the request is sent.
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

local PROXY_LOGIN = 'say its user name and password, as proxy = "http://user:password@host:port"'
-- Statuses of a proxy that may pass by themselves.
local PASSING = { [429] = true, [502] = true, [503] = true, [504] = true }

-- What a proxy's status means for the way to the appliance.
local function proxy_advice(status)
  if status == 407 then return PROXY_LOGIN end
  if status < 400 then return "it redirects, perhaps to a page for logging in" end
  if status == 401 or status == 403 then return "it does not let this client through to there" end
  return "it does not get through to there"
end

-- The error where a proxy says no to a connection (the core's words say so).
local function proxy_error(kind, message)
  local status = tonumber(message:match "^the proxy answers CONNECT with HTTP status (%d+)")
  if status then
    return errors.new(kind, ("%s: %s"):format(message, proxy_advice(status)), { status = status, retryable = PASSING[status] or false })
  end
  if kind == "auth" then return errors.new(kind, ("%s; %s"):format(message, PROXY_LOGIN:gsub("http:", "socks5:"))) end
  return errors.new(kind, message, { retryable = message:find "^the proxy fails" ~= nil })
end

-- The error of a transfer that came to nothing.
function methods:_failure(kind, message)
  if kind == "tls" then return tls.error(message, not self._looking and self:_look() or nil, self._client._options.ca) end
  if message:find "^the proxy " then return proxy_error(kind, message) end
  return errors.new(kind, message, { which = kind == "timeout" and "connect" or nil })
end

--- Waits for the answer's header. Nil and err when the transfer fails before.
---@return table? info
---@return scrutinizer.Error? err
function methods:header()
  while true do
    local info = self.transfer:info()
    if info.headers_done then
      if self._heard then self._heard(info) end
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

--- Reads the answer's body to its end, and keeps it outside of Lua for `transfer:decode`: at most `max` bytes, more is an error of kind
--- `limit`.
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

-- Statuses that a proxy gives of its own accord.
local OF_PROXIES = { [403] = true, [407] = true, [429] = true, [502] = true, [503] = true, [504] = true }

local function environment_proxy()
  for _, name in ipairs { "http_proxy", "all_proxy", "ALL_PROXY" } do
    local value = os.getenv(name)
    if value and value ~= "" then return value end
  end
end

-- Who answers with this status: over https a proxy only passes bytes on, over http it may answer itself.
function methods:_who(info)
  local endpoint = self._client._options.endpoint
  if not endpoint or endpoint.scheme ~= "http" then return "the appliance" end
  local proxy = self._client._private.transport().proxy or environment_proxy()
  if not proxy or proxy == "" or proxy:find "^socks" then return "the appliance" end
  if info.status == 407 then return "the proxy" end
  return (OF_PROXIES[info.status] or redirect.is(info)) and "the appliance, or the proxy before it," or "the appliance"
end

local STATUS_KINDS = { [401] = "auth", [403] = "auth", [407] = "auth" }

-- The error of an answer that is not 200. Its body is read for what it says.
function methods:_refusal(info)
  local mask = self.mask or self._client._private.mask
  if redirect.is(info) then return redirect.error(info, { mask = mask, write = self._write, who = self:_who(info) }) end
  local body = self:body(REFUSAL_BYTES) or ""
  local value = core.decode(body)
  local context = { has_token = self._client.has_token, status = info.status, mask = mask }
  local said = type(value) == "table" and refusal.of(value, context)
  local kind = STATUS_KINDS[info.status] or "http"
  if said and said.kind == "auth" then return said end
  local fields = { status = info.status, retry_after = retry.after(info.retry_after) }
  if said then return errors.new(kind, ("HTTP %d: %s"):format(info.status, said.message), fields) end
  local who = self:_who(info)
  return errors.new(kind, ("%s answers with HTTP status %d%s"):format(who, info.status, who == "the proxy" and ": " .. PROXY_LOGIN or ""), fields)
end

-- Sends the request anew when the appliance is elsewhere on its host. False: it is not, or not any more.
function methods:_follow(info)
  if not self._again or not redirect.move(self._client, info, self) then return false end
  local request, err = self._again()
  if not request then return nil, err end
  self._pace:release()
  self.transfer:close()
  local transfer, http, message = begin(self._client, request)
  if not transfer then return errors.fail(http, message) end
  self.transfer, self._pace.transfer, self._pace.http = transfer, transfer, http
  return true
end

-- Statuses by which something before the appliance says that it has not been asked, or not now.
local GATEWAY = { [407] = true, [429] = true, [502] = true, [503] = true, [504] = true }

--- Waits for any header of the appliance's: an error where something before it answers in its place.
---@return table? info
---@return scrutinizer.Error? err
function methods:answered()
  local info, err = self:header()
  if info and GATEWAY[info.status] then info, err = nil, self:_refusal(info) end
  return info, err
end

--- Waits for a good answer's header: status 200. A redirect to https on the same host is followed by sending the whole request again.
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

--- Lets connections go on without waiting for anything.
function methods:nudge()
  if not self._closed then self._pace:nudge() end
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

--- Whether whoever reads it is with the host now, and will look after itself when it comes back.
---@return boolean
function methods:pauses()
  return self._pace.pausing
end

--- Any number of times.
---@param why? string for one who is waiting for it meanwhile
function methods:close(why)
  if not self._closed then self._closed = why or "closed" end
  running_list.remove(self)
  self._client._private.watch(self, nil)
  self._pace:release()
  self.transfer:close()
end

return exchange
