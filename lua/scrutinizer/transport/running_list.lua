--- The running exchanges of this Lua state. An exchange is closed when the host has ended its coroutine.
---
--- nginx and HAProxy end a coroutine without notice when its client hangs up. The coroutine then sleeps forever, and its transfer would keep a
--- connection until it is garbage-collected, which may take long as the Lua objects are small. So each new exchange checks the others.

local clock = require("scrutinizer.core").now

local running_list = {}

-- Seconds between two checks. An exchange that is late in two checks is abandoned: after one check the whole host may just have been stopped.
local INTERVAL = 1
-- Seconds after the planned end of a sleep. After that we assume that the coroutine will not return.
local OVERDUE = 4
-- Seconds without any wait, after which we assume that the caller's loop is gone and not just slow.
local FORGOTTEN = 300
-- With this many exchanges or more, each check runs a garbage-collection step.
local MANY = 16

---@class scrutinizer.RunningEntry
---@field seen number         time when it was added or last ended a wait
---@field due? number|false   time when its current sleep should end
---@field late boolean        it was late at the last check

---@type table<table, scrutinizer.RunningEntry>
local entries = setmetatable({}, { __mode = "k" })
local looked = 0
-- How many entries there were at the last count, with those added and removed since; and when that was.
local running, counted = 0, 0

local function is_late(entry, now)
  if entry.due then return now > entry.due + OVERDUE end
  return now > entry.seen + FORGOTTEN
end

function running_list.remove(exchange)
  if entries[exchange] then running = running - 1 end
  entries[exchange] = nil
end

-- Abandons exchanges that are late for the second time. This happens after the loop, because it may change the table.
local function abandon_late(now)
  local lost, count = {}, 0
  looked = now
  for exchange, entry in pairs(entries) do
    local late = is_late(entry, now)
    if late and entry.late then lost[#lost + 1] = exchange end
    entry.late, count = late, count + 1
  end
  for _, exchange in ipairs(lost) do
    running_list.remove(exchange)
    exchange:abandon()
  end
  if count >= MANY then collectgarbage "step" end
end

--- Adds an exchange, and checks the others from time to time.
---@param exchange table it has `abandon()`
function running_list.add(exchange)
  local now = clock()
  entries[exchange], running = { seen = now, due = false, late = false }, running + 1
  if now - looked >= INTERVAL then abandon_late(now) end
end

--- The exchange goes to sleep for `seconds`.
function running_list.sleeps(exchange, seconds)
  local entry = entries[exchange]
  if entry then entry.due = clock() + seconds end
end

--- The exchange has returned from its sleep.
function running_list.wakes(exchange)
  local entry = entries[exchange]
  if entry then entry.seen, entry.due, entry.late = clock(), false, false end
end

--- The number of running exchanges. One that was collected without being closed is counted for another second at most.
---@return integer
function running_list.count()
  local now = clock()
  if now - counted >= INTERVAL then
    running, counted = 0, now
    for _ in pairs(entries) do running = running + 1 end
  end
  return running
end

return running_list
