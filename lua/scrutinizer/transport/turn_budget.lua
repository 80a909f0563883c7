--- Limits the work done in one turn of the host's loop: about a millisecond for all clients of this Lua state. The exchanges that want to work
--- share it.
---
--- The host does not tell when a turn begins. But an exchange that paused in one turn and runs again must be in a later turn.

local clock = require("scrutinizer.core").now

local turn_budget = {}

-- Seconds of work in one turn. A request of another user needs two turns of the server (accept, answer): so we delay it by less than 2 ms.
local BUDGET = 0.0007
-- The smallest share in seconds. If there are too many exchanges for that, they form groups, and the groups work in different turns.
local LEAST = 0.00005
local MOST_AT_ONCE = BUDGET / LEAST
-- Seconds between two of our exchanges after which we assume that the host ran in between.
local GAP = 0.0001
-- The same for one that has just begun: before it there was the caller's work, in the same turn.
local GAP_OF_NEW = 0.002

local number, ends, left = 0, 0, 0
-- How many want to work in this turn; how many did in the last one; the last ticket's id.
local wanting, wanted, last_id = 0, 1, 0

---@class scrutinizer.Ticket of one exchange that wants to work
---@field id integer
---@field turn integer       the turn in which it works
---@field until_ number      the time at which its share of that turn ends
---@field paused integer     the turn in which it paused

--- A ticket for one exchange.
---@return scrutinizer.Ticket
function turn_budget.ticket()
  last_id = last_id + 1
  return { id = last_id, turn = -1, until_ = 0, paused = -1 }
end

-- How many groups there are: each works in every so many turns.
local function groups_now()
  return math.ceil(wanted / MOST_AT_ONCE)
end

--- After how many turns its group works: 1 is the next one.
---@param ticket scrutinizer.Ticket
---@return integer
function turn_budget.turns_until(ticket)
  local groups = groups_now()
  return groups - (ticket.id + number) % groups
end

local function begin(now)
  number, ends = number + 1, now + BUDGET
  wanted, wanting = math.max(wanting, 1), 0
end

local function share(ticket, now)
  local groups = groups_now()
  if groups > 1 and (ticket.id + number) % groups ~= 0 then return now end
  return math.min(ends, now + BUDGET / math.min(wanted, MOST_AT_ONCE))
end

--- Seconds that the ticket's owner may work now. When the result is 0 or less, it must pause first.
---@param ticket scrutinizer.Ticket
---@return number
function turn_budget.left(ticket)
  local now = clock()
  local gap = ticket.turn < 0 and GAP_OF_NEW or GAP
  if ticket.paused == number or (ticket.turn ~= number and now >= ends and now - left > gap) then begin(now) end
  ticket.paused = -1
  if ticket.turn ~= number then
    ticket.turn, wanting = number, wanting + 1
    ticket.until_ = share(ticket, now)
  end
  return ticket.until_ - now
end

--- To be called before the owner pauses. Returns the turn's number.
---@param ticket scrutinizer.Ticket
---@return integer
function turn_budget.pause(ticket)
  ticket.paused, left = number, clock()
  return number
end

return turn_budget
