--- Waiting inside HAProxy: tasks, services and actions can sleep; sample fetches and converters cannot.

local clock = require("scrutinizer.core").now
local errors = require "scrutinizer.errors"

local haproxy = {}

---@class scrutinizer.HaproxyKind what HAProxy registers with a function of `core`
---@field name string
---@field at integer       the place of its function among the arguments
---@field waits? boolean   whether it may sleep
---@field quick? boolean   whether it may sleep 0 ms. In an action that never returns to HAProxy's loop from 2.8 on: its watchdog kills the process

---@type table<string, scrutinizer.HaproxyKind>
local REGISTERS = {
  register_fetches = { name = "a sample fetch", at = 2 },
  register_converters = { name = "a converter", at = 2 },
  register_action = { name = "an action", at = 3, waits = true },
  register_service = { name = "a service", at = 3, waits = true, quick = true },
  register_task = { name = "a task", at = 1, waits = true, quick = true },
  register_cli = { name = "a command of the control socket", at = 3, waits = true },
  register_init = { name = "a function of core.register_init", at = 1, waits = true },
}

-- What HAProxy's coroutines run now. Nothing is known of other coroutines, and of what was registered before this file was loaded.
---@type table<thread, scrutinizer.HaproxyKind>
local running = setmetatable({}, { __mode = "k" })
-- Other coroutines in which a sleep has worked.
local proven = setmetatable({}, { __mode = "k" })

local WAY_OUT = "do it in a task (core.register_task), a service or an action, and let the fetch read the result that it stored"
local UNKNOWN = "HAProxy cannot wait in a coroutine of your own, nor in a fetch, converter or filter that scrutinizer does not know because it was "
  .. "registered before; call it from the task, service or action itself"

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

-- HAProxy logs texts only; for other errors it says "unknown runtime error". Its trace would end at this file, so the text gets the real one.
local function loggable(err)
  if errors.is(err) then err = tostring(err) end
  if type(err) ~= "string" or not debug then return err end -- txn:done() raises a number
  return (debug.traceback(err, 2):gsub("%s*\n%s*", ", "))
end

local function leave(co, before, good, ...)
  if co then running[co] = before end
  if not good then error((...), 0) end
  return ...
end

-- HAProxy does not tell what it runs, and it ends a fetch that yields, without notice. So what is registered from now on marks its coroutine.
local function marking(kind, run)
  if type(run) ~= "function" then return run end
  return function(...)
    local co = current()
    local before = co and running[co]
    if co then running[co] = kind end
    return leave(co, before, xpcall(run, loggable, ...))
  end
end

-- The arguments, with the one at the function's place wrapped.
local function marked(kind, at, first, ...)
  if at == 1 then return marking(kind, first), ... end
  return first, marked(kind, at - 1, ...)
end

local function watch()
  local host = core
  for field, kind in pairs(REGISTERS) do
    local register = host[field]
    host[field] = function(...) return register(marked(kind, kind.at, ...)) end
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
  local kind = co and running[co]
  if kind then return not kind.waits and ("HAProxy cannot wait in %s; %s"):format(kind.name, WAY_OUT) or nil end
  if co and (proven[co] or may_yield()) then return nil end
  return UNKNOWN
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
  return nil, "phase", UNKNOWN
end

local function sleep(milliseconds)
  local co = current()
  if not running[co] and not proven[co] then return check_that_it_waits(co) end
  core.msleep(milliseconds)
  return true
end

function haproxy.pause(_, seconds)
  return sleep(math.max(1, math.floor(seconds * 1000)))
end

-- HAProxy may run a task that yields many times before it polls its sockets. A task that sleeps 0 ms runs again only after HAProxy has polled
-- them.
function haproxy.turn()
  local kind = running[current()]
  return sleep(kind and kind.quick and 0 or 1)
end

if haproxy.here() then watch() end

return haproxy
