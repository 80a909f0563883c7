--- Waiting for one exchange: short sleeps while bytes arrive, longer ones while the appliance works. Where others share the loop, the work is
--- done in small pieces.

local clock = require("scrutinizer.core").now
local running_list = require "scrutinizer.transport.running_list"
local turn_budget = require "scrutinizer.transport.turn_budget"

local pace = {}

-- The longest single wait in seconds; so limits are exact to about this.
local LONGEST = 0.5
-- For hosts that can only sleep, in seconds: a sleep is PART of the time since the last bytes arrived, within these bounds.
local SHORTEST_SLEEP, LONGEST_SLEEP, PART = 0.001, 0.02, 1 / 8
-- For hosts where sockets wake us: after fewer than TRICKLE bytes we sleep MOMENT seconds, so that a slow line does not cost a step per packet.
local TRICKLE, MOMENT = 65536, 0.002
-- Seconds between two steps of the same connections, however many readers wait for them.
local STEP_EVERY = 0.0001

---@class scrutinizer.Pace
---@field client table       its `_private.host` finds the host
---@field http userdata      the multi handle that drives the transfer
---@field transfer userdata
---@field closed fun(): boolean  whether the exchange or the client was closed
---@field pausing boolean  it is waiting in the host now
---@field private _owner table      the exchange
---@field private _ticket scrutinizer.Ticket
---@field private _host? scrutinizer.WaitHost  set while it sleeps
---@field private _calm number      seconds since something arrived
---@field private _received integer bytes received at the last sleep
local methods = {}
local Pace = { __index = methods }

--- Makes the pace of an exchange.
---@param owner table the exchange; it has `abandon()`
---@param closed fun(): boolean whether the owner has been closed
---@param client table
---@param http userdata
---@param transfer userdata
---@return scrutinizer.Pace
function pace.new(owner, closed, client, http, transfer)
  return setmetatable({
    client = client, http = http, transfer = transfer, closed = closed, _owner = owner, _ticket = turn_budget.ticket(), _calm = 0,
    _received = 0, pausing = false,
  }, Pace)
end

-- Time of the last step of each multi handle.
local stepped = setmetatable({}, { __mode = "k" })

function methods:_step(host)
  local now = clock()
  if host.turns and now - (stepped[self.http] or 0) < STEP_EVERY then return true end
  stepped[self.http] = now
  local running, kind, message = self.http:step()
  return running and true, kind, message
end

-- The host may end this coroutine while it sleeps; then `_awake` is never called.
function methods:_asleep(host, seconds)
  if host.aborts then running_list.sleeps(self._owner, seconds) end
end

function methods:_awake(host)
  if host.aborts then running_list.wakes(self._owner) end
end

-- Seconds to sleep while nothing arrives, at most until libcurl's own timer.
function methods:_sleep_seconds(host, most)
  local seconds = math.min(most, LONGEST)
  if host.sleeps then
    seconds = math.min(seconds, LONGEST_SLEEP, math.max(SHORTEST_SLEEP, self._calm * PART))
  end
  local timer = host.turns and self.http:timeout()
  return timer and math.min(seconds, math.max(timer, SHORTEST_SLEEP)) or seconds
end

function methods:_trickles()
  local received = self.transfer:info().received
  local came = received - self._received
  self._received = received
  return came > 0 and came < TRICKLE
end

-- Sleeps until something may have arrived. The seconds count from `since`.
function methods:_sleep(host, most, since)
  local seconds = self:_sleep_seconds(host, most)
  turn_budget.pause(self._ticket)
  self:_asleep(host, seconds)
  self._host, self.pausing = host, true
  local ok, kind, message
  if host.moment and self:_trickles() then
    ok, kind, message = host.moment(math.min(seconds, MOMENT))
  else
    ok, kind, message = host.pause(self.http, seconds, self.transfer)
  end
  self._host, self.pausing = nil, false
  self:_awake(host)
  if not ok then return nil, kind, message end
  local elapsed = clock() - since
  self._calm = self._calm + elapsed
  return true, elapsed
end

-- Lets the host's loop run once.
function methods:_turn(host)
  local number = turn_budget.pause(self._ticket)
  self:_asleep(host, 0)
  self.pausing = true
  local ok, kind, message = host.turn(number, self.http)
  self.pausing = false
  self:_awake(host)
  return ok, kind, message
end

-- Waits until this turn has time left for our work, and tells the core how much.
function methods:_enter(host)
  local http = self.http
  if not host.turns then
    if http.allow then http:allow() end
    return true
  end
  local left = turn_budget.left(self._ticket)
  while left <= 0 do
    local ok, kind, message = self:_turn(host)
    if not ok then return nil, kind, message end
    if self.closed() then return true end
    left = turn_budget.left(self._ticket)
  end
  if http.allow then http:allow(left) end
  return true
end

--- Serves the connections once, without waiting, for callers that have other work to do.
function methods:nudge()
  self:_step { turns = true }
end

--- To be called before the transfer is closed: wakes the coroutine that waits for its sockets.
function methods:release()
  local host = self._host
  if host and host.release then host.release(self.transfer) end
end

--- Waits until the transfer may have something to read, at most `most` seconds. Returns true and the seconds in which nothing arrived; or nil,
--- kind and message when the host cannot wait or the connections are lost. The exchange may be closed when it returns.
---@param most number
---@return true?
---@return number|string
---@return string? message
function methods:wait(most)
  self.pausing = false -- the host may have raised an error during the last wait
  local host, kind, message = self.client._private.host()
  if not host then return nil, kind, message end
  local ok
  ok, kind, message = self:_enter(host)
  if not ok then return nil, kind, message end
  if self.closed() then return true, 0 end
  local since = clock() -- a step that brings nothing is waiting, too: it may read a lot that is not the answer
  ok, kind, message = self:_step(host)
  if not ok then return nil, kind, message end
  if self.transfer:ready() then
    self._calm = 0
    return true, 0
  end
  if host.turns and self.http.held and self.http:held() then
    ok, kind, message = self:_turn(host)
    return ok, kind or 0, message
  end
  return self:_sleep(host, most, since)
end

--- Waits in the client's host for at most `seconds`; less when a socket is ready or the host can only sleep.
---@param find fun(): scrutinizer.WaitHost?, string?, string?
---@param http userdata
---@param seconds number
---@return true?
---@return string? kind
---@return string? message
function pace.pause(find, http, seconds)
  local host, kind, message = find()
  if not host then return nil, kind, message end
  return host.pause(http, host.sleeps and math.min(seconds, LONGEST_SLEEP) or seconds)
end

return pace
