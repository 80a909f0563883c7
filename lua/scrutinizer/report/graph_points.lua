--- A graph's points: reads and checks them, fits them to one grid of buckets, and counts the buckets.

local check = require "scrutinizer.check"
local core = require "scrutinizer.core"

local graph_points = {}

local null, floor = core.null, math.floor
local MOST = 2 ^ 50 -- epochs below are taken as they are

local EXACT, INT64 = { exact = true }, { exact = true, int64 = true }

--- The exact number for a number or numeric text from the appliance. A value that this Lua cannot hold exactly stays text.
---@param value any
---@param int64? boolean on LuaJIT it becomes an int64 when 64 bits hold it
---@return number|string|ffi.cdata*|nil number nil when it is neither
function graph_points.number(value, int64)
  if type(value) == "number" then return value end
  if type(value) ~= "string" then return nil end
  if #value < 16 and value:find "^%d+$" then return tonumber(value) end
  if not value:find "^%-?%d" then return nil end
  return (core.decode(value, int64 and INT64 or EXACT))
end

--- A whole number from 0; the appliance sends it as a number or as text. Nil for anything else.
---@param value any
---@return integer?
function graph_points.whole(value)
  return check.integer(graph_points.number(value), 0)
end

--- Changes a list of points from the appliance, in place, to { { epoch, value }, … }. Points whose value is null are removed: they are missing.
---@param list any
---@param int64? boolean see `number`
---@return table[]? points
---@return string? complaint
function graph_points.read(list, int64)
  if list == nil or list == null then return {} end
  if type(list) ~= "table" or (next(list) ~= nil and list[1] == nil) then return nil, "a series is not a list of points" end
  local kept, before = 0, -1
  for i = 1, #list do
    local point = list[i]
    local epoch, value
    if type(point) == "table" then epoch, value = point[1], point[2] end
    if type(epoch) == "number" and epoch % 1 == 0 and epoch >= 0 and epoch < MOST then
      epoch = floor(epoch)
    else
      epoch = graph_points.whole(epoch)
    end
    if not epoch or value == nil then return nil, ("point %d is not [epoch seconds, value]"):format(i) end
    if epoch <= before then return nil, ("point %d is not later than the one before it"):format(i) end
    before = epoch
    if value ~= null then
      local number = type(value) == "number" and value or graph_points.number(value, int64)
      if not number then return nil, ("the value of point %d is not a number"):format(i) end
      point[1], point[2], kept = epoch, number, kept + 1
      list[kept] = setmetatable(point, nil)
    end
    if kept < i then list[i] = nil end
  end
  return setmetatable(list, nil)
end

--- The smallest distance between neighbouring points in several series; nil when no series has two points.
---@param all table[][]
---@return integer? seconds
function graph_points.spacing(all)
  local least
  for _, list in ipairs(all) do
    for i = 2, #list do
      local step = list[i][1] - list[i - 1][1]
      if not least or step < least then least = step end
    end
  end
  return least
end

-- The first and the last bucket that any series has.
local function extent(all)
  local first, last
  for _, list in ipairs(all) do
    local a, b = list[1], list[#list]
    if a and (not first or a[1] < first) then first = a[1] end
    if b and (not last or b[1] > last) then last = b[1] end
  end
  return first, last
end

--- Whether all points lie on one grid of buckets of this length; nil and the distance in seconds that does not fit.
---@param all table[][]
---@param interval integer seconds
---@return true?
---@return integer? distance
function graph_points.fit(all, interval)
  local origin = extent(all)
  for _, list in ipairs(all) do
    for i = 1, #list do
      local distance = list[i][1] - origin
      if distance % interval ~= 0 then return nil, distance end
    end
  end
  return true
end

--- How many buckets there are: from the bucket of the window's start to the window's last one, and at least all that have points.
---@param all table[][] every series of the graph, on one grid
---@param interval integer seconds
---@param time? { first?: integer, last?: integer } the answer's window: starts of buckets
---@param epochs? { from: integer, to: integer } the window asked for, half-open
---@return integer
function graph_points.buckets(all, interval, time, epochs)
  local first, last = extent(all)
  local from = time and time.first or (epochs and epochs.from)
  local to = time and time.last or (epochs and epochs.to - 1)
  if epochs and to and to >= epochs.to then to = epochs.to - 1 end
  if not first then -- no point at all: buckets as the window has them
    if not from or not to or to < from then return 0 end
    return math.floor((to - from) / interval) + 1
  end
  if from and from < first then first = first - math.ceil((first - from) / interval) * interval end
  if to and to > last then last = last + math.floor((to - last) / interval) * interval end
  return math.floor((last - first) / interval) + 1
end

return graph_points
