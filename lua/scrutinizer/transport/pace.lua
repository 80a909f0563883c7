--- Letting time pass for one exchange: sleeps that are short while bytes flow and longer while the appliance thinks, and work in small
--- pieces where others share the loop.

local clock = require("scrutinizer.core").now
local running_list = require "scrutinizer.transport.running"
local turn_budget = require "scrutinizer.transport.turn_budget"

local pace = {}

-- Seconds. One wait is never longer, so that limits are kept to about this.
local LONGEST = 0.5
-- A sleep, where there is nothing but sleeping: a part of the time that nothing has come for, within bounds.
local SHORTEST_SLEEP, LONGEST_SLEEP, PART = 0.001, 0.02, 1 / 8
-- Where sockets wake us: after fewer bytes than this the next are left to gather for a moment, as a slow line would cost steps for each packet.
local TRICKLE, MOMENT = 65536, 0.002
-- Connections are looked after at most so often, however many wait for theirs.
local STEP_EVERY = 0.0001

---@class scrutinizer.Pace
---@field client table       its `_private.host` finds the host
---@field http userdata      what moves the transfer on
---@field transfer userdata
---@field closed fun(): boolean
---@field pausing boolean  the host has it
---@field private _owner table      the exchange
---@field private _ticket scrutinizer.Ticket
---@field private _host? scrutinizer.Host  while it sleeps
---@field private _calm number      seconds since something came
---@field private _received integer bytes when it last dozed
local methods = {}
local Pace = { __index = methods }

--- The pace of an exchange.
---@param owner table it has `abandon()`
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

-- When connections of a multi handle were last looked after.
local stepped = setmetatable({}, { __mode = "k" })

function methods:_step(host)
  local now = clock()
  if host.turns and now - (stepped[self.http] or 0) < STEP_EVERY then return true end
  stepped[self.http] = now
  local running, kind, message = self.http:step()
  return running and true, kind, message
end

-- Between going to sleep and coming back the host may have ended us: then nobody comes back.
function methods:_asleep(host, seconds)
  if host.aborts then running_list.sleeps(self._owner, seconds) end
end

function methods:_awake(host)
  if host.aborts then running_list.wakes(self._owner) end
end

-- How long to sleep while nothing comes. libcurl's own timer bounds it.
function methods:_doze_seconds(host, most)
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

-- Sleeps until something may have come.
function methods:_doze(host, most)
  local before, seconds = clock(), self:_doze_seconds(host, most)
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
  local elapsed = clock() - before
  self._calm = self._calm + elapsed
  return true, elapsed
end

-- Lets the host's loop go round.
function methods:_turn(host)
  local number = turn_budget.pause(self._ticket)
  self:_asleep(host, 0)
  self.pausing = true
  local ok, kind, message = host.turn(number, self.http)
  self.pausing = false
  self:_awake(host)
  return ok, kind, message
end

-- Waits until there is time to work in, and says libcurl how much.
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

--- Lets the connections go on, without waiting, for those who have their own work to do.
function methods:nudge()
  self:_step { turns = true }
end

--- The transfer is about to be closed.
function methods:release()
  local host = self._host
  if host and host.release then host.release(self.transfer) end
end

--- Lets time pass until the transfer may have something to read, `most` seconds at most. Gives true and the seconds in which nothing came;
--- nil, kind and message where the host cannot wait, or its connections are lost. The exchange may have been closed meanwhile.
---@param most number
---@return true?
---@return number|string
---@return string? message
function methods:wait(most)
  self.pausing = false -- an error of the host's may have left it
  local host, kind, message = self.client._private.host()
  if not host then return nil, kind, message end
  local ok
  ok, kind, message = self:_enter(host)
  if not ok then return nil, kind, message end
  if self.closed() then return true, 0 end
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
  return self:_doze(host, most)
end

--- Lets a client's host pass the time: `seconds` at most, less when a socket has something or the host can only sleep.
---@param find fun(): scrutinizer.Host?, string?, string?
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
