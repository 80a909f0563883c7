--- Waiting inside nginx (OpenResty, or nginx with its Lua module): the light thread sleeps while the worker serves others.

local clock = require("scrutinizer.core").now

local nginx = {}

-- Phases in which Lua may sleep. An nginx that cannot sleep in one of them does not have that phase.
local SLEEPS = {
  rewrite = true, server_rewrite = true, access = true, precontent = true, content = true, timer = true, preread = true,
  ssl_cert = true, ssl_session_fetch = true, ssl_client_hello = true, proxy_ssl_cert = true, proxy_ssl_verify = true,
}
-- Phases in which blocking is harmless, because nginx serves no requests yet.
local BLOCKS = { init = true }

local TIMER = "start a timer there, ngx.timer.at(0, function() … end), and run the report in it"
local EARLIER = "run the report in an earlier phase (access_by_lua, content_by_lua), or in a timer"
local WAY_OUT = { init_worker = TIMER, log = TIMER, exit_worker = "run it before the worker ends" }

nginx.environment = "nginx hides the environment from Lua, except for the variables that nginx.conf names: env SCRUTINIZER_URL; "
  .. "env SCRUTINIZER_TOKEN; env SCRUTINIZER_CA;"

function nginx.log(text)
  ngx.log(ngx.ERR, text)
end

--- Whether this Lua state is nginx's.
function nginx.here()
  return type(ngx) == "table" and type(ngx.get_phase) == "function" and type(ngx.sleep) == "function"
end

--- Whether blocking is harmless: nginx is starting and serves no requests yet.
function nginx.loading()
  return nginx.here() and BLOCKS[ngx.get_phase()] or false
end

--- As `loading`, or a starting worker: there Lua cannot sleep, but may block for a moment.
function nginx.beginning()
  return nginx.loading() or ngx.get_phase() == "init_worker"
end

--- Nil where Lua may sleep; else why not, and what to do instead.
---@return string?
function nginx.refusal()
  if not nginx.here() then return "this is not nginx: the global ngx of its Lua module is missing" end
  local phase = ngx.get_phase()
  if SLEEPS[phase] then return nil end
  return ("nginx cannot wait in phase %s; %s"):format(phase, WAY_OUT[phase] or EARLIER)
end

local LEAVING = "the nginx worker is ending (reload or stop), and a timer's report must not hold it up"

-- Timers end when their worker does: nginx would wait for them as long as they run. Requests of nginx's clients are still answered.
local function is_leaving()
  return ngx.worker.exiting() and ngx.get_phase() == "timer"
end

function nginx.pause(_, seconds)
  if is_leaving() then return nil, "cancelled", LEAVING end
  ngx.sleep(math.max(seconds, 0.001))
  return true
end

local Semaphore -- nil: not looked for yet; false: not available
-- The pacemaker waits for `start`; all threads that paused in this turn wait for `gate`.
local start, gate
-- The number of the turn for which the pacemaker was already started.
local led

-- A killed thread may leave a positive count behind. Such a semaphore would not wait, so it is replaced.
local function waiting(semaphore)
  if semaphore and semaphore:count() <= 0 then return semaphore end
  return Semaphore.new()
end

local function ready()
  if Semaphore == nil then
    local good, module = pcall(require, "ngx.semaphore")
    Semaphore = good and module
  end
  if not Semaphore then return false end
  start, gate = start or Semaphore.new(), waiting(gate)
  return true
end

local function open_gate()
  local count = -gate:count()
  if count > 0 then gate:post(count) end
end

-- Whether nginx has OpenResty's patch of delayed events. With it ngx.sleep(0) returns in the next round of nginx's loop.
local function has_delayed_events()
  local good, ffi = pcall(require, "ffi")
  if not good then return false end
  pcall(ffi.cdef, "char ngx_posted_delayed_events[1];") -- fails when another module has declared it
  return (pcall(function() return ffi.C.ngx_posted_delayed_events end))
end

-- Has the gate opened after the next round, each in its way. nginx handles its sockets, then its timers, then its posted events (threads that a
-- semaphore wakes, such as those at the gate), then OpenResty's delayed events, and starts again.
--
-- With delayed events: the pacemaker opens the gate after the posted events, and sleeps again, so that nginx does not wait for its sockets before
-- the threads have run. (Threads that called ngx.sleep(0) themselves would run after the posted events, and what the caller's code posts after
-- its report would wait for the next socket.)
local function open_after_round()
  ngx.sleep(0)
  while gate:count() < 0 do
    open_gate()
    ngx.sleep(0)
  end
end

-- Without: a timer of 0 ms started from a posted event fires in the next round. Started from a timer (ngx.sleep(0) too) it would fire in the same
-- round, forever. A sleep of 1 ms is no alternative: it lasts a full 1 ms, even if our own work took that long.
local function open_by_timer()
  ngx.timer.at(0, open_gate)
end

local open_later -- one of these two, once it is known

-- Seconds after which an unused pacemaker ends.
local IDLE = 1

local beating = false

-- It runs in a timer, in its own context. As a thread of the caller it could remain after the caller was killed, and nginx would wait for it
-- forever. It opens the gate at once for the first turn, because nobody has posted anything yet.
local function pacemaker(premature)
  open_gate()
  while not premature do
    open_later()
    if not start:wait(IDLE) then break end
  end
  beating = false
end

-- Has the gate opened after the next round of the loop. False: nginx has no timer left, or the worker is ending: a first timer then would leave an
-- alert about an open socket in nginx's log.
local function set_pace()
  open_later = open_later or (has_delayed_events() and open_after_round or open_by_timer)
  if start:count() < 0 then
    start:post(1)
  elseif not beating then
    if ngx.worker.exiting() then return false end
    beating = ngx.timer.at(0, pacemaker) and true or false
    return beating
  end
  return true
end

-- The longest wait at the gate in seconds. It remains closed when nginx runs no more timers, because as many as lua_max_running_timers allows
-- are running. nginx logs an alert for each that it does not run.
local LOST = 0.05
-- After so many lost turns in a row, all turns of the next REST seconds are sleeps of 1 ms.
local MANY_LOST, REST = 2, 10

local lost, rests_until = 0, 0

local function count_lost(opened)
  lost = opened and 0 or lost + 1
  if lost < MANY_LOST then return end
  lost, rests_until, beating = 0, clock() + REST, false
end

function nginx.turn(number)
  if is_leaving() then return nil, "cancelled", LEAVING end
  if clock() < rests_until or not ready() then return nginx.pause(nil, 0) end
  if number == led then
    gate:wait(LOST)
    return true
  end
  led = number
  if not set_pace() then return nginx.pause(nil, 0) end
  count_lost((gate:wait(LOST)))
  return true
end

return nginx
