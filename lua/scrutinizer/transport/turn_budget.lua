--- How much may be done in one turn of the host's loop: about a millisecond over all clients of this Lua state, shared among those that
--- want to work.
---
--- Nothing tells when a turn begins. But who was paused in one turn and runs again is in another.

local clock = require("scrutinizer.core").now

local turn_budget = {}

-- Seconds of work in one turn. Another request takes its server two turns (accept, answer): this keeps it within 2 ms with room to spare.
local BUDGET = 0.0007
-- Nobody's share is smaller; where more want to work than have room for it, they take turns in turn.
local LEAST = 0.00005
local MOST_AT_ONCE = BUDGET / LEAST
-- Time between two of ours that the host must have had for itself.
local GAP = 0.0001

local number, ends, left = 0, 0, 0
-- Who wants to work: in this turn, in the last one, and a number for each.
local wanting, wanted, last_id = 0, 1, 0

---@class scrutinizer.Ticket of one that wants to work
---@field id integer
---@field turn integer       the turn that it works in
---@field until_ number      when its share of that is over
---@field paused integer     the turn in which it paused

--- A ticket for one that will want to work.
---@return scrutinizer.Ticket
function turn_budget.ticket()
  last_id = last_id + 1
  return { id = last_id, turn = -1, until_ = 0, paused = -1 }
end

local function begin(now)
  number, ends = number + 1, now + BUDGET
  wanted, wanting = math.max(wanting, 1), 0
end

local function share(ticket, now)
  local groups = math.ceil(wanted / MOST_AT_ONCE)
  if groups > 1 and (ticket.id + number) % groups ~= 0 then return now end
  return math.min(ends, now + BUDGET / math.min(wanted, MOST_AT_ONCE))
end

--- Seconds for which it may work now. None or less: it pauses first.
---@param ticket scrutinizer.Ticket
---@return number
function turn_budget.left(ticket)
  local now = clock()
  if ticket.paused == number or (ticket.turn ~= number and now >= ends and now - left > GAP) then begin(now) end
  ticket.paused = -1
  if ticket.turn ~= number then
    ticket.turn, wanting = number, wanting + 1
    ticket.until_ = share(ticket, now)
  end
  return ticket.until_ - now
end

--- To be said before it pauses. Gives the turn's number.
---@param ticket scrutinizer.Ticket
---@return integer
function turn_budget.pause(ticket)
  ticket.paused, left = number, clock()
  return number
end

return turn_budget
