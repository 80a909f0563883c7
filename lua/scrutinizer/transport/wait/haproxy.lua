--- Waiting inside HAProxy: tasks, services and actions can sleep; sample fetches and converters cannot.

local clock = require("scrutinizer.core").now

local haproxy = {}

-- HAProxy's coroutines that run a fetch or a converter now.
local unable = setmetatable({}, { __mode = "k" })
-- Coroutines in which a sleep has worked.
local proven = setmetatable({}, { __mode = "k" })

local WAY_OUT = "do it in a task (core.register_task), a service or an action, and let the fetch read the result that it stored"

--- Whether this Lua state is HAProxy's.
function haproxy.here()
  return type(core) == "table" and type(core.msleep) == "function" and type(core.register_task) == "function"
end

local function current()
  local co, main = coroutine.running()
  return not main and co or nil
end

--- Whether HAProxy reads its configuration or runs a function of core.register_init. Blocking is harmless then.
function haproxy.loading()
  return haproxy.here() and current() == nil
end

-- HAProxy does not tell what it runs, and it ends a fetch that yields, without notice. So fetches and converters registered from now on are
-- wrapped and mark their coroutine.
local function marking(name, run)
  return function(...)
    local co = current()
    local before = co and unable[co]
    if co then unable[co] = name end
    local function leave(good, ...)
      if co then unable[co] = before end
      if not good then error((...), 0) end
      return ...
    end
    return leave(pcall(run, ...))
  end
end

local watched

--- Marks all fetches and converters that are registered from now on.
function haproxy.watch()
  if watched or not haproxy.here() then return end
  watched = true
  local host = core
  for field, name in pairs { register_fetches = "a sample fetch", register_converters = "a converter" } do
    local register = host[field]
    host[field] = function(title, run)
      return register(title, type(run) == "function" and marking(name, run) or run)
    end
  end
end

-- From HAProxy 2.8 on, taking from a queue raises an error where Lua must not yield.
local function may_yield()
  if not core.queue then return true end
  local queue = core.queue()
  queue:push(true)
  return (pcall(queue.pop_wait, queue))
end

--- Nil where Lua may sleep; else why not, and what to do instead.
---@return string?
function haproxy.refusal()
  if not haproxy.here() then return "this is not HAProxy: its global core is missing" end
  local co = current()
  if co and not unable[co] and (proven[co] or may_yield()) then return nil end
  return ("HAProxy cannot wait in %s; %s"):format(co and unable[co] or "a sample fetch or a converter", WAY_OUT)
end

-- In the caller's own coroutine a sleep yields to the caller and not to HAProxy. A loop of such sleeps would make HAProxy's watchdog kill the
-- process. (The first sleep may end at once: HAProxy counts its time from the last turn of its loop.)
local function check_that_it_waits(co)
  for _ = 1, 3 do
    local before = clock()
    core.msleep(2)
    if clock() - before > 0.0005 then
      proven[co] = true
      return true
    end
  end
  return nil, "phase", "HAProxy cannot wait in a coroutine of your own; call it from the task, service or action itself"
end

function haproxy.pause(_, seconds)
  local co = current()
  if not proven[co] then return check_that_it_waits(co) end
  core.msleep(math.max(1, math.floor(seconds * 1000)))
  return true
end

-- HAProxy may run a task that yields many times before it polls its sockets. A task that sleeps 0 ms runs again only after HAProxy has polled
-- them.
function haproxy.turn()
  local co = current()
  if not proven[co] then return check_that_it_waits(co) end
  core.msleep(0)
  return true
end

return haproxy
