--- Waiting for one exchange: short sleeps while bytes arrive, longer ones while the appliance works. Where others share the loop, the work is
--- done in small pieces.

local clock = require("scrutinizer.core").now
local running_list = require "scrutinizer.transport.running_list"
local turn_budget = require "scrutinizer.transport.turn_budget"

local pace = {}

-- The longest single wait in seconds.
local LONGEST = 0.5
-- For hosts that can only sleep, in seconds: a sleep is PART of the time since the last bytes arrived, within these bounds.
local SHORTEST_SLEEP, LONGEST_SLEEP, PART = 0.001, 0.02, 1 / 8
-- With many exchanges the longest sleep is this much for each, so that all together look for bytes no more often than this.
local SLEEP_EACH = 0.0005
-- For hosts where sockets wake us: after fewer than TRICKLE bytes we sleep MOMENT seconds, so that a slow line does not cost a step per packet.
local TRICKLE, MOMENT = 65536, 0.002
-- Seconds between two steps of a transfer; where nobody shares the loop, between two of all, however many readers wait.
local STEP_EVERY = 0.0001
-- About how many seconds a turn lasts; so many turns are gone through, more are slept.
local TURN, NEAR = 0.001, 3
-- Seconds of work, when the exchange's time is up and it had no share of a turn yet.
local LAST_LOOK = 0.00005

---@class scrutinizer.Pace
---@field client table       its `_private.host` finds the host
---@field http table|userdata  the multi handle that drives the transfer
---@field transfer? userdata  nil before it starts
---@field closed fun(): boolean  whether the exchange or the client was closed
---@field pausing boolean  it is waiting in the host now
---@field private _owner table      the exchange
---@field private _ticket scrutinizer.Ticket
---@field private _host? scrutinizer.WaitHost  set while it sleeps
---@field private _calm number      seconds since something arrived
---@field private _received integer bytes received at the last sleep
---@field private _stepped number   time of the last step
local methods = {}
local Pace = { __index = methods }

-- In the place of a multi handle until there is one.
local NO_SOCKETS = { fds = function() return {} end }

--- Makes the pace of an exchange, whose transfer `drive` sets.
---@param owner table the exchange; it has `abandon()`
---@param closed fun(): boolean whether the owner has been closed
---@param client table
---@return scrutinizer.Pace
function pace.new(owner, closed, client)
  return setmetatable({
    client = client, closed = closed, http = NO_SOCKETS, _owner = owner, _ticket = turn_budget.ticket(), _calm = 0, _received = 0,
    _stepped = 0, pausing = false,
  }, Pace)
end

--- Sets the transfer, and the multi handle that drives it.
---@param http userdata
---@param transfer userdata
function methods:drive(http, transfer)
  self.http, self.transfer = http, transfer
end

-- Time of the last step of each multi handle where nobody shares the loop.
local stepped = setmetatable({}, { __mode = "k" })

-- Where others share the loop, each reader has libcurl work for its own transfer only. So the cost of waiting does not depend on how many others
-- wait, and no reader takes the bytes whose arrival was to wake another one. Elsewhere one reader waits for the sockets of all, and serves all.
function methods:_step(host)
  local now, http = clock(), self.http
  local last = host.turns and self._stepped or stepped[http] or 0
  if now - last < STEP_EVERY then return true end
  self._stepped, stepped[http] = now, now
  local running, kind, message = http:step(host.turns and self.transfer or nil)
  return running and true, kind, message
end

-- Whether a step would find nothing to do.
function methods:_idle(host)
  local http = self.http
  return host.turns and http.idle and http:idle(self.transfer)
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
    local longest = math.max(LONGEST_SLEEP, running_list.count() * SLEEP_EACH)
    seconds = math.min(seconds, longest, math.max(SHORTEST_SLEEP, self._calm * PART))
  end
  local timer = host.turns and self.http:timeout(self.transfer)
  return timer and math.min(seconds, math.max(timer, SHORTEST_SLEEP)) or seconds
end

function methods:_trickles()
  local received = self.transfer:info().received
  local came = received - self._received
  self._received = received
  return came > 0 and came < TRICKLE
end

-- Has the host let this time pass, or less when a socket is ready. `moment`: the host's function for a time that nothing cuts short, if it has one.
function methods:_pause(host, seconds, moment)
  self:_asleep(host, seconds)
  self._host, self.pausing = host, true
  local ok, kind, message
  if moment then
    ok, kind, message = moment(seconds)
  else
    ok, kind, message = host.pause(self.http, seconds, self.transfer)
  end
  self._host, self.pausing = nil, false
  self:_awake(host)
  return ok, kind, message
end

-- Sleeps until something may have arrived.
function methods:_sleep(host, most)
  local seconds, before = self:_sleep_seconds(host, most), clock()
  local moment = host.moment and self:_trickles() and host.moment
  local ok, kind, message = self:_pause(host, moment and math.min(seconds, MOMENT) or seconds, moment)
  self._calm = self._calm + clock() - before
  return ok, kind, message
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

-- Lets the host's loop run until its group's turn. When so many want to work that this is far away, it does not run in every turn only to find
-- that others do.
function methods:_pass(host)
  local turns = turn_budget.turns_until(self._ticket)
  if turns <= NEAR then return self:_turn(host) end
  turn_budget.pause(self._ticket)
  return self:_pause(host, TURN * (turns - 1), host.moment)
end

-- Waits until this turn has time left for our work, and gives how much. After `most` seconds it waits no longer.
function methods:_share(host, most, since)
  local left = turn_budget.left(self._ticket)
  while left <= 0 do
    local ok, kind, message = self:_pass(host)
    if not ok then return nil, kind, message end
    if self.closed() then return 0 end
    left = turn_budget.left(self._ticket)
    if left <= 0 and clock() - since >= most then left = LAST_LOOK end
  end
  return left
end

--- Waits until this turn has time left for our work. The exchange may be closed when it returns.
---@param host scrutinizer.WaitHost
---@return true?
---@return string? kind
---@return string? message
function methods:enter(host)
  if not host.turns then return true end
  local left, kind, message = self:_share(host, math.huge, 0)
  return left and true, kind, message
end

-- Sleeps until there is something to do or the time is up. The seconds count from `since`.
function methods:_rest(host, most, since)
  local elapsed = clock() - since
  while elapsed < most do
    local ok, kind, message = self:_sleep(host, most - elapsed)
    if not ok then return nil, kind, message end
    elapsed = clock() - since
    if self.closed() or not self:_idle(host) then break end
  end
  if elapsed >= most then self:enter(host) end -- the reader will end, and others may with it
  return true, elapsed
end

-- Waits until this turn has time left for our work, and tells the core how much. After `most` seconds it waits no longer.
function methods:_enter(host, most, since)
  local http = self.http
  if not host.turns then
    if http.allow then http:allow() end
    return true
  end
  local left, kind, message = self:_share(host, most, since)
  if not left then return nil, kind, message end
  if http.allow and not self.closed() then http:allow(left) end
  return true
end

--- Serves the transfers that no reader waits for yet, for callers that have other work to do.
function methods:nudge()
  local http = self.http
  if http.step_ahead then http:step_ahead() else http:step() end
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
  local since = clock() -- a step that brings nothing is waiting, too: it may read a lot that is not the answer
  if self:_idle(host) then return self:_rest(host, most, since) end
  local ok
  ok, kind, message = self:_enter(host, most, since)
  if not ok then return nil, kind, message end
  if self.closed() then return true, 0 end
  ok, kind, message = self:_step(host)
  if not ok then return nil, kind, message end
  if self.transfer:ready() then
    self._calm = 0
    return true, 0
  end
  if host.turns and self.http.held and self.http:held(self.transfer) then
    ok, kind, message = self:_turn(host)
    return ok, kind or 0, message
  end
  turn_budget.pause(self._ticket)
  return self:_rest(host, most, since)
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
