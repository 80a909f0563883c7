--- Waiting inside nginx (OpenResty, or its Lua module): light threads sleep, and the worker serves others meanwhile.

local nginx = {}

-- Phases whose Lua may sleep.
local SLEEPS = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true, preread = true,
  ssl_cert = true, ssl_session_fetch = true, ssl_client_hello = true,
}
-- Before there is anybody to be kept waiting: blocking harms nobody.
local BLOCKS = { init = true }

local TIMER = "start a timer there, ngx.timer.at(0, function() … end), and run the report in it"
local EARLIER = "run the report in an earlier phase (access_by_lua, content_by_lua), or in a timer"
local WAY_OUT = { init_worker = TIMER, log = TIMER, exit_worker = "run it before the worker ends" }

--- Whether this Lua state is nginx's.
function nginx.here()
  return type(ngx) == "table" and type(ngx.get_phase) == "function" and type(ngx.sleep) == "function"
end

--- Whether blocking is right: nginx is starting, and serves nobody yet.
function nginx.loading()
  return nginx.here() and BLOCKS[ngx.get_phase()] or false
end

--- The same, or a worker that begins: it cannot wait, and may block for a moment.
function nginx.beginning()
  return nginx.loading() or ngx.get_phase() == "init_worker"
end

--- Nil where Lua may sleep, else why not and what to do instead.
---@return string?
function nginx.refusal()
  if not nginx.here() then return "this is not nginx: its Lua module's ngx is not there" end
  local phase = ngx.get_phase()
  if SLEEPS[phase] then return nil end
  return ("nginx cannot wait in phase %s; %s"):format(phase, WAY_OUT[phase] or EARLIER)
end

function nginx.pause(_, seconds)
  ngx.sleep(math.max(seconds, 0.001))
  return true
end

local Semaphore -- nil: not looked for yet; false: there is none
-- What a turn's pacemaker waits for; what all who have paused in that turn wait for.
local start, gate
-- The turn whose end somebody has seen to already.
local led

-- A thread that was killed leaves its count behind: a semaphore that does not wait is no use.
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

-- Seconds after which a pacemaker that nobody wants ends.
local IDLE = 1

local beating = false

-- It has a context of its own: a thread of the caller's could be left behind, ended, by one that was killed, and nginx would wait for it for good.
-- The first turn it ends at once: nobody has posted anything yet.
local function pacemaker(premature)
  open_gate()
  while not premature and start:wait(IDLE) do ngx.timer.at(0, open_gate) end
  beating = false
end

-- Sees to it that the gate is opened when the loop has gone round. False: no timer is left.
local function set_pace()
  if start:count() < 0 then
    start:post(1)
  elseif not beating then
    beating = ngx.timer.at(0, pacemaker) and true or false
    return beating
  end
  return true
end

-- Seconds until who waits comes back anyway: whoever led may have been killed.
local LOST = 0.005

-- nginx looks at its sockets, then at its timers, then at what is posted, and goes round. So a timer of no time lets the loop go round where
-- it is started by what was posted, as a thread that a semaphore wakes; begun from within a timer (ngx.sleep(0) as well) it would run in the
-- same round, for good, without a patch of OpenResty's. And a sleep of 1 ms is slept through, although our work has taken as long.
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
