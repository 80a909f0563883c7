--- Retries: which failures of a read may be temporary, and how long to wait before the next try. Writes are
--- never retried; redirect.lua has the one case in which a write is sent again.

local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local events = require "scrutinizer.transport.events"
local zone = require "scrutinizer.time.zone"

local retry = {}

---@class scrutinizer.Retry the tries of one answer
---@field private _client scrutinizer.Client
---@field private _tries integer     requests sent for the answer, the first included
---@field private _timeouts integer  tries that timed out, in the whole report
---@field private _spent number      seconds of waiting for the answer, pauses included
local methods = {}
local Retry = { __index = methods }

local STATUS = { [429] = true, [502] = true, [503] = true, [504] = true }

-- Whether the same request may succeed later. A connect timeout counts as a failed connection. Permanent refusals, such as a proxy's rules, have
-- `retryable` = false.
local function may_pass(err)
  local kind = err.kind
  if not err.retryable then return false end
  return kind == "connect" or kind == "truncated" or kind == "timeout" or (kind == "http" and STATUS[err.status] or false)
end

-- ---- Retry-After ----

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12 }

-- The three forms of RFC 9110, 5.6.7: day, month, year and clock.
local function date_parts(text)
  local day, month, year, clock = text:match "^[A-Za-z]+, (%d%d) ([A-Za-z][A-Za-z][A-Za-z]) (%d%d%d%d) ([%d:]+) GMT$"
  if day then return day, month, year, clock end
  day, month, year, clock = text:match "^[A-Za-z]+, (%d%d)%-([A-Za-z][A-Za-z][A-Za-z])%-(%d%d) ([%d:]+) GMT$"
  if day then return day, month, year, clock end
  month, day, clock, year = text:match "^[A-Za-z][A-Za-z][A-Za-z] ([A-Za-z][A-Za-z][A-Za-z]) ([ %d]%d) ([%d:]+) (%d%d%d%d)$"
  return day, month, year, clock
end

-- A year of two digits is the latest matching year that is at most 50 years in the future.
local function full_year(year, now)
  if year >= 100 then return year end
  local last = zone.date(math.floor(now / 86400)) + 50
  return last - (last - year) % 100
end

-- The epoch seconds of an HTTP date; nil when the text is not one.
local function date_epoch(text, now)
  local day, month, year, clock = date_parts(text)
  local hour, minute, second = (clock or ""):match "^(%d%d):(%d%d):(%d%d)$"
  month, day, year = MONTHS[month], tonumber(day), tonumber(year)
  if not hour or not month then return nil end
  year = full_year(year, now)
  hour, minute, second = tonumber(hour), tonumber(minute), tonumber(second)
  if day < 1 or day > zone.month_length(year, month) or hour > 23 or minute > 59 or second > 60 then return nil end
  return zone.days(year, month, day) * 86400 + hour * 3600 + minute * 60 + second
end

--- Seconds that a Retry-After header asks for. The header is a whole number or an HTTP date in one of three forms (a past date: 0 seconds).
---@param text? string
---@param now? integer epoch seconds, default the current time
---@return number? seconds nil: no header, or not readable
function retry.after(text, now)
  if not text then return nil end
  if text:find "^%d+$" then return math.min(tonumber(text), check.MAX) end
  now = now or os.time()
  local epoch = date_epoch(text, now)
  return epoch and math.max(0, epoch - now)
end

-- ---- how long to wait ----

-- A random generator of our own (Park and Miller): math.random belongs to the host, and on most Luas it starts with the same seed in each process.
local function random_of(seed)
  local state = seed % 2147483646 + 1
  return function()
    state = state * 16807 % 2147483647
    return state / 2147483647
  end
end

local function seed_of(object)
  local seed = os.time() + math.floor(core.now() * 1e6 % 1e9)
  for digits in tostring(object):gmatch "%x%x%x%x%x?%x?" do seed = seed * 31 % 2 ^ 40 + (tonumber(digits, 16) or 0) end
  return math.floor(seed)
end

--- Counts the tries for one answer, or for the answers of one report, one after the other.
---@param client scrutinizer.Client
---@return scrutinizer.Retry
function retry.new(client)
  local self = { _client = client, _tries = 1, _timeouts = 0, _spent = 0 }
  self._random = random_of(seed_of(self))
  return setmetatable(self, Retry)
end

--- A complete answer has arrived: the next one has all its tries again. Timeouts are still counted for the whole report.
function methods:succeeded()
  self._tries, self._spent = 1, 0
end

--- Adds the seconds of waiting that a try took. Time spent in the caller's loop must not be added.
---@param seconds number
function methods:spend(seconds)
  self._spent = self._spent + seconds
end

--- The most seconds that the next try may wait. The first try has no such limit (nil): `retry.deadline` limits only the further ones.
---@return number?
function methods:left()
  local options = self._client._options.retry
  if self._tries == 1 then return nil end
  return math.max(0.001, options.deadline - self._spent)
end

-- Full jitter: a random time up to a bound that doubles with each try. The appliance's Retry-After is added, even beyond the cap.
function methods:_pause_for(err)
  local options = self._client._options.retry
  local bound = math.min(options.cap, options.base * 2 ^ (self._tries - 1))
  return self._random() * bound + (err.retry_after or 0)
end

-- Sleeps in the host's way, without waiting for any descriptor.
local function sleep(client, seconds)
  local due, left = core.now() + seconds, seconds
  local http = client._private.multi()
  local no_sockets = { fds = function() return {} end, wait = function(_, most) return http:wait(most) end }
  while left > 0 and not client._private.closed() do
    local host = client._private.host()
    if not host or not (host.turns or http:step()) or not host.pause(no_sockets, math.min(left, 0.5), no_sockets) then return end
    left = due - core.now()
  end
end

-- Whether another try is due after this failure.
function methods:_due(err)
  local options = self._client._options.retry
  if not options or not may_pass(err) or self._tries >= options.attempts then return false end
  if err.kind == "timeout" and err.which ~= "connect" then
    self._timeouts = self._timeouts + 1
    return self._timeouts <= 1
  end
  return true
end

--- After a failed read: if another try is due, waits the pause.
---@param err scrutinizer.Error its secrets are masked already
---@return boolean again true: send it again now
function methods:again(err)
  if not self:_due(err) then return false end
  local seconds = self:_pause_for(err)
  if self._spent + seconds >= self._client._options.retry.deadline then return false end
  self._tries = self._tries + 1
  events.retry(self._client, self._tries, seconds, err)
  sleep(self._client, seconds)
  self._spent = self._spent + seconds
  return true
end

--- Runs a read that either returns the complete answer or fails, and repeats it when a retry is due.
---@generic A, B
---@param client scrutinizer.Client
---@param attempt fun(limit?: number): A, B limit: seconds; when the first result is nil, the second is the error
---@return A
---@return B
function retry.run(client, attempt)
  local tries = retry.new(client)
  while true do
    local before = core.now()
    local value, second = attempt(tries:left())
    if value ~= nil then return value, second end
    tries:spend(core.now() - before)
    if not tries:again(second) then return nil, second end
  end
end

return retry
