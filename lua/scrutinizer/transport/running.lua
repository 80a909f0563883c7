--- Exchanges under way in this Lua state, so that those whose host has ended their coroutine are ended too.
---
--- nginx and HAProxy end a coroutine without a word to it: its client hung up. It sleeps for good then, and its transfer would keep a
--- connection until the collector comes by, for which such small objects give little cause. So whoever begins another exchange looks.

local clock = require("scrutinizer.core").now

local running_list = {}

-- Seconds between two looks. Who is found late twice is ended: after one look alone the whole host may have stood still.
local INTERVAL = 1
-- Seconds behind the end of a sleep after which nobody will come back from it.
local OVERDUE = 4
-- Seconds without any wait at all: the caller's loop may be slow, or gone.
local FORGOTTEN = 300
-- From so many on the collector gets a push at each look.
local MANY = 16

---@class scrutinizer.LiveEntry
---@field seen number         when it last began or ended a wait
---@field due? number|false   when the sleep that it is in should be over
---@field late boolean        found late by the last look

---@type table<table, scrutinizer.LiveEntry>
local entries = setmetatable({}, { __mode = "k" })
local looked = 0

local function is_late(entry, now)
  if entry.due then return now > entry.due + OVERDUE end
  return now > entry.seen + FORGOTTEN
end

-- Ends what is late for the second time. Ending is done behind the loop: it may change the table.
local function look(now)
  local lost, count = {}, 0
  looked = now
  for exchange, entry in pairs(entries) do
    local late = is_late(entry, now)
    if late and entry.late then lost[#lost + 1] = exchange end
    entry.late, count = late, count + 1
  end
  for _, exchange in ipairs(lost) do
    entries[exchange] = nil
    exchange:abandon()
  end
  if count >= MANY then collectgarbage "step" end
end

--- Keeps an eye on an exchange, which has `abandon()`; and looks after the others.
---@param exchange table
function running_list.add(exchange)
  local now = clock()
  entries[exchange] = { seen = now, due = false, late = false }
  if now - looked >= INTERVAL then look(now) end
end

function running_list.remove(exchange)
  entries[exchange] = nil
end

--- It goes to sleep for so many seconds.
function running_list.sleeps(exchange, seconds)
  local entry = entries[exchange]
  if entry then entry.due = clock() + seconds end
end

--- It has come back.
function running_list.wakes(exchange)
  local entry = entries[exchange]
  if entry then entry.seen, entry.due, entry.late = clock(), false, false end
end

--- How many are under way.
---@return integer
function running_list.count()
  local count = 0
  for _ in pairs(entries) do count = count + 1 end
  return count
end

return running_list
