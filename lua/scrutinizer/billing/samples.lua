--- A customer's samples: for each direction one or more parts (ports, groups, networks), each with the octets of every five minutes of the
--- period on one grid. Parts stay apart until they are summed, so that what is missing in one of them is known.

local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local bigint = require "scrutinizer.billing.arithmetic.bigint"
local period = require "scrutinizer.billing.period"
local wire = require "scrutinizer.wire"

local samples = {}

samples.SIDES = { "inbound", "outbound" }

---@class scrutinizer.Part
---@field name string
---@field values (scrutinizer.Whole|false)[] octets per interval from the period's start; false: no sample
---@field query? { data_requested: string, rpt_json: string } what was asked, without the token
---@field series? string[] labels of the series that were taken; nil: all, and Other

---@class scrutinizer.Samples
---@field period scrutinizer.Period
---@field interval integer     seconds of a sample
---@field n integer            samples that the period has
---@field inbound? scrutinizer.Part[]
---@field outbound? scrutinizer.Part[]
---@field duplicates integer   samples that came more than once
---@field outside integer      samples outside of the period, left out
---@field forced string[]      what would have been refused, had it not been asked for

local function bill_error(text, ...)
  return errors.new("bill", text:format(...))
end

--- An empty set.
---@param of scrutinizer.Period
---@param interval? integer seconds; default 300
---@return scrutinizer.Samples? set
---@return scrutinizer.Error? err
function samples.new(of, interval)
  interval = interval or period.INTERVAL
  if (of.to - of.from) % interval ~= 0 then
    return nil, bill_error("the period of %d s is no multiple of %d s", of.to - of.from, interval)
  end
  return { period = of, interval = interval, n = math.floor((of.to - of.from) / interval), duplicates = 0, outside = 0, forced = {} }
end

-- ---- points onto the grid ----

local JOIN = {}
function JOIN.sum(a, b) return bigint.add(a, b) end
function JOIN.first(a) return a end
function JOIN.last(_, b) return b end
samples.JOINS = { error = true, sum = true, first = true, last = true }

-- One point's place and octets, or nil and a complaint. A place outside of the grid is false.
local function read_point(set, point)
  local epoch = type(point) == "table" and check.integer(point[1])
  local octets = epoch and bigint.whole(point[2])
  if not epoch or not octets or bigint.compare(octets, 0) < 0 then
    return nil, "not { epoch seconds, octets } with whole numbers from 0"
  end
  local offset = epoch - set.period.from
  if offset % set.interval ~= 0 then return nil, ("%d does not begin an interval of %d s"):format(epoch, set.interval) end
  local place = math.floor(offset / set.interval) + 1
  return (place >= 1 and place <= set.n) and place, octets
end

local function empty_grid(n)
  local values = {}
  for i = 1, n do values[i] = false end
  return values
end

--- Puts points into a part's grid: `values` as they are, or a new one. A point that is there twice is an error, or joined.
---@param set scrutinizer.Samples
---@param points table[] { epoch, octets } in any order
---@param duplicates "error"|"sum"|"first"|"last"
---@return (scrutinizer.Whole|false)[]? values
---@return scrutinizer.Error? err
function samples.place(set, points, duplicates)
  local values, outside = empty_grid(set.n), 0
  for i, point in ipairs(points) do
    local place, octets = read_point(set, point)
    if place == nil then return nil, bill_error("sample %d: %s", i, octets) end
    if not place then
      outside = outside + 1
    elseif values[place] == false then
      values[place] = octets
    elseif duplicates == "error" then
      return nil, bill_error("sample %d: there is one of %d already; say duplicates = \"sum\", \"first\" or \"last\"", i, point[1])
    else
      values[place], set.duplicates = JOIN[duplicates](values[place], octets), set.duplicates + 1
    end
  end
  set.outside = set.outside + outside
  return values
end

--- Adds series to a grid, interval by interval: several series of one answer are one part.
---@param set scrutinizer.Samples
---@param values (scrutinizer.Whole|false)[]
---@param more (scrutinizer.Whole|false)[]
function samples.add_up(set, values, more)
  for i = 1, set.n do
    local a, b = values[i], more[i]
    if b then values[i] = a and bigint.add(a, b) or b end
  end
end

-- ---- from lists ----

-- The parts that a caller gave for a side: one list of points, or several parts.
local function parts_given(list)
  if #list > 0 and type(list[1]) == "table" and list[1].points == nil then return { { points = list } } end
  if #list == 0 then return { { points = list } } end
  return list
end

local function add_parts(set, side, list, duplicates)
  set[side] = {}
  for i, part in ipairs(parts_given(list)) do
    local values, err = samples.place(set, part.points, duplicates)
    if not values then
      err.message = ("%s, part %d: %s"):format(side, i, err.message)
      return nil, err
    end
    set[side][i] = { name = part.name or ("part %d"):format(i), values = values }
  end
  return true
end

--- What is wrong with sides given by a caller, or nil.
---@param given any
---@return string?
function samples.complaint(given)
  if type(given) ~= "table" or (given.inbound == nil and given.outbound == nil) then
    return check.message("samples", given, "{ inbound = …, outbound = … }, at least one of them")
  end
  for _, side in ipairs(samples.SIDES) do
    if given[side] ~= nil and type(given[side]) ~= "table" then return check.message(side, given[side], "a list") end
  end
  for _, side in ipairs(samples.SIDES) do
    for i, part in ipairs(given[side] and parts_given(given[side]) or {}) do
      if type(part) ~= "table" or type(part.points) ~= "table" then return ("%s: part %d is not { name =, points = { … } }"):format(side, i) end
      if part.name ~= nil and not (type(part.name) == "string" and wire.try_encode(part.name)) then
        return check.message(side .. ": name", part.name, "text in UTF-8")
      end
    end
  end
end

--- Samples from lists that the caller has.
---@param of scrutinizer.Period
---@param given { inbound?: table[], outbound?: table[] }
---@param duplicates "error"|"sum"|"first"|"last"
---@param interval? integer
---@return scrutinizer.Samples? set
---@return scrutinizer.Error? err
function samples.from_lists(of, given, duplicates, interval)
  local set, err = samples.new(of, interval)
  if not set then return nil, err end
  for _, side in ipairs(samples.SIDES) do
    if given[side] then
      local ok
      ok, err = add_parts(set, side, given[side], duplicates)
      if not ok then return nil, err end
    end
  end
  return set
end

-- ---- the canonical text ----

local kind_of_number = rawget(math, "type")

-- Whether table.concat writes a number's very digits.
local plain = kind_of_number and function(value) return kind_of_number(value) == "integer" end
  or function(value) return type(value) == "number" and value < 1e14 end

--- The text that a bill's hash is of: for each direction, part and interval one line "direction part epoch octets", "-" where there is no
--- sample. Anyone can write it again and hash it with sha256sum.
---@param set scrutinizer.Samples
---@return string
function samples.canonical(set)
  local out, n, text = {}, 0, bigint.text
  for _, side in ipairs(samples.SIDES) do
    for p, part in ipairs(set[side] or {}) do
      local head, epoch = ("%s %d "):format(side, p), set.period.from
      for i = 1, set.n do
        local octets = part.values[i]
        if not octets then octets = "-" elseif not plain(octets) then octets = text(octets) end
        out[n + 1], out[n + 2], out[n + 3], out[n + 4], out[n + 5] = head, epoch, " ", octets, "\n"
        n, epoch = n + 5, epoch + set.interval
      end
    end
  end
  return table.concat(out)
end

return samples
