--- Where a broken walk goes on: what `query:resume` reads out of an error.

local check = require "scrutinizer.check"

local resume = {}

-- Who was given of the rows that tie with the last one, by an error's `resume`: { [direction] = { offset =, ties = } }. Not in the table
-- itself, which is data and may be written down.
local memories = setmetatable({}, { __mode = "k" })

--- Keeps who was given, for the query that goes on.
---@param said table an error's `resume`
---@param memory table
function resume.remember(said, memory)
  memories[said] = memory
end

--- What was kept; nil for a `resume` that has been written down and read again.
---@param said table
---@return table?
function resume.recall(said)
  return memories[said]
end

-- Where one direction goes on; nil when that is not said, or when nothing of it is left.
local function part_of(said)
  if type(said) ~= "table" then return nil end
  local offset = check.integer(said.offset, 0)
  local limit = check.integer(said.remaining, 1)
  if not offset or (said.remaining ~= nil and not limit) then return nil end
  return { offset = offset, limit = limit }
end

--- What of a query is left. One direction: `{ offset =, remaining = }`. Both: the same under each direction that is not finished.
---@param directions string[] the query's
---@param said table an error's `resume`
---@return { offset: integer, limit?: integer }? one
---@return table<string, { offset: integer, limit?: integer }>? each by direction; both results are nil when nothing is left
function resume.rest(directions, said)
  local one = #directions == 1 and part_of(said)
  if one then return one end
  local each
  for _, direction in ipairs(directions) do
    local part = part_of(said[direction])
    if part then
      each = each or {}
      each[direction] = part
    end
  end
  return nil, each
end

return resume
