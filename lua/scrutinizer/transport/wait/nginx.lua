--- Waiting inside nginx (OpenResty, or nginx with its Lua module): the light thread sleeps while the worker serves others.

local nginx = {}

-- Phases in which Lua may sleep.
local SLEEPS = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true, preread = true,
  ssl_cert = true, ssl_session_fetch = true, ssl_client_hello = true,
}
-- Phases in which blocking is harmless, because nginx serves no requests yet.
local BLOCKS = { init = true }

local TIMER = "start a timer there, ngx.timer.at(0, function() … end), and run the report in it"
local EARLIER = "run the report in an earlier phase (access_by_lua, content_by_lua), or in a timer"
local WAY_OUT = { init_worker = TIMER, log = TIMER, exit_worker = "run it before the worker ends" }

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

function nginx.pause(_, seconds)
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

-- Seconds after which an unused pacemaker ends.
local IDLE = 1

local beating = false

-- It runs in a timer, in its own context. As a thread of the caller it could remain after the caller was killed, and nginx would wait for it
-- forever. It opens the gate at once for the first turn, because nobody has posted anything yet.
local function pacemaker(premature)
  open_gate()
  while not premature and start:wait(IDLE) do ngx.timer.at(0, open_gate) end
  beating = false
end

-- Has the gate opened after the next turn of the loop. False: nginx has no timer left.
local function set_pace()
  if start:count() < 0 then
    start:post(1)
  elseif not beating then
    beating = ngx.timer.at(0, pacemaker) and true or false
    return beating
  end
  return true
end

-- The longest wait at the gate in seconds: the thread that started the pacemaker may have been killed.
local LOST = 0.005

-- nginx handles its sockets, then its timers, then its posted events, and starts again. A timer of 0 ms started from a posted event (such as a
-- thread that a semaphore wakes) fires in the next round. Started from a timer (ngx.sleep(0) too) it would fire in the same round, forever,
-- without a patch of OpenResty. A sleep of 1 ms is no alternative: it lasts a full 1 ms, even if our own work took that long.
function nginx.turn(number)
  if not ready() then return nginx.pause(nil, 0) end
  if number == led then
    gate:wait(LOST)
    return true
  end
  led = number
  if not set_pace() then return nginx.pause(nil, 0) end
  gate:wait(LOST)
  return true
end

return nginx
