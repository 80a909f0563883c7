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

local semaphore -- nil: not looked for yet; false: there is none

local function hurry()
  semaphore:wait(1)
  ngx.update_time()
end

local function own_semaphore()
  if semaphore == nil or (semaphore and semaphore:count() > 0) then -- a thread that was killed left its count
    local good, module = pcall(require, "ngx.semaphore")
    semaphore = good and module.new() or false
  end
  return semaphore
end

local hurried

-- A sleep of nothing is no turn: without a patch of OpenResty's, timers of 0 ms run on in one turn of the loop for good. A sleep of 1 ms is
-- one, but the loop sleeps through it although our work has taken as long. So a thread of ours sets nginx's clock behind the timers, and
-- the loop looks at its sockets and comes back at once.
function nginx.turn(number)
  local own = number ~= hurried and own_semaphore()
  hurried = number
  if not own then return nginx.pause(nil, 0) end
  local thread = ngx.thread.spawn(hurry)
  own:post(1)
  ngx.sleep(0.001)
  ngx.thread.wait(thread)
  return true
end

return nginx
