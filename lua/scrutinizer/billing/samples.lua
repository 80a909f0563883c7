--- A customer's samples. Each direction has one or more parts (ports, groups, networks). Each part has the octets of every five minutes of
--- the period; all parts share one grid. Parts are stored separately, so that a missing sample of one part is visible.

local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local fields = require "scrutinizer.billing.contract.fields"
local bigint = require "scrutinizer.arithmetic.bigint"
local period = require "scrutinizer.billing.period"
local wire = require "scrutinizer.wire"

local samples = {}

samples.SIDES = { "inbound", "outbound" }

---@class scrutinizer.Part
---@field name string
---@field values (scrutinizer.Whole|false)[] octets per interval from the period's start; false: no sample
---@field query? { data_requested: string, rpt_json: string } the request, without the token
---@field series? string[] labels of the series that are counted; nil: all, and Other
---@field files? { from: integer, sha256: string }[] the files of `collect_many` that the samples are from

---@class scrutinizer.Samples
---@field period scrutinizer.Period
---@field interval integer     seconds per sample
---@field n integer            number of samples in the period
---@field inbound? scrutinizer.Part[]
---@field outbound? scrutinizer.Part[]
---@field duplicates integer   samples whose epoch occurred more than once
---@field outside integer      samples outside the period; they are ignored
---@field forced string[]      refusals that an option overruled, such as "truncated"
---@field source? "minute"|"rollup"|"totals" where samples from the appliance come from: tables of one minute, which keep all conversations; tables
---   of five minutes and more, which keep the greatest; totals of interfaces. The least complete one of the parts'. Nil for the caller's lists
---@field coverage_by_totals? number all conversations over all interfaces' totals: 1 when nothing is missing, rounded down to four digits
---@field worst_interval? { at: integer, coverage: number } the interval where that is least

local LESS = { totals = 1, minute = 2, rollup = 3 }

--- The less complete of two sources.
---@param a? string
---@param b? string
---@return string?
function samples.less_complete(a, b)
  if not a or not b then return a or b end
  return LESS[b] > LESS[a] and b or a
end

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
    return nil, bill_error("the period of %d s is not a multiple of %d s", of.to - of.from, interval)
  end
  return { period = of, interval = interval, n = math.floor((of.to - of.from) / interval), duplicates = 0, outside = 0, forced = {} }
end

-- ---- points onto the grid ----

local JOIN = {}
function JOIN.sum(a, b) return bigint.add(a, b) end
function JOIN.first(a) return a end
function JOIN.last(_, b) return b end
samples.JOINS = { error = true, sum = true, first = true, last = true }

-- One point's index and octets, or nil and a complaint. The index is false for a point outside the grid. `step`: seconds per point.
local function read_point(set, point, step)
  local epoch = type(point) == "table" and check.integer(point[1])
  local octets = epoch and bigint.whole(point[2])
  if not epoch or not octets or bigint.compare(octets, 0) < 0 then
    return nil, "not { epoch seconds, octets } with whole numbers from 0"
  end
  local offset = epoch - set.period.from
  if offset % step ~= 0 then return nil, ("%d is not the start of an interval of %d s"):format(epoch, step) end
  local place = math.floor(offset / set.interval) + 1
  return (place >= 1 and place <= set.n) and place, octets
end

local function empty_grid(n)
  local values = {}
  for i = 1, n do values[i] = false end
  return values
end

--- Puts points into a new grid. `duplicates` says what to do with a second point of the same time.
---@param set scrutinizer.Samples
---@param points table[] { epoch, octets } in any order
---@param duplicates "error"|"sum"|"first"|"last"
---@return (scrutinizer.Whole|false)[]? values
---@return scrutinizer.Error? err
function samples.place(set, points, duplicates)
  local values, outside = empty_grid(set.n), 0
  for i, point in ipairs(points) do
    local place, octets = read_point(set, point, set.interval)
    if place == nil then return nil, bill_error("sample %d: %s", i, octets) end
    if not place then
      outside = outside + 1
    elseif values[place] == false then
      values[place] = octets
    elseif duplicates == "error" then
      return nil, bill_error("sample %d: an earlier sample has the same time, %d; set duplicates = \"sum\", \"first\" or \"last\"", i, point[1])
    else
      values[place], set.duplicates = JOIN[duplicates](values[place], octets), set.duplicates + 1
    end
  end
  set.outside = set.outside + outside
  return values
end

--- Puts points of shorter intervals into a new grid: each of its samples is the sum of those that there are.
---@param set scrutinizer.Samples
---@param points table[] { epoch, octets } by time, none twice
---@param step integer seconds per point, a divisor of the set's interval
---@return (scrutinizer.Whole|false)[]? values
---@return scrutinizer.Error? err
function samples.fold(set, points, step)
  local values = empty_grid(set.n)
  for i, point in ipairs(points) do
    local place, octets = read_point(set, point, step)
    if place == nil then return nil, bill_error("sample %d: %s", i, octets) end
    if place then
      local before = values[place]
      values[place] = before and bigint.add(before, octets) or octets
    else
      set.outside = set.outside + 1
    end
  end
  return values
end

--- Adds a series to a grid, interval by interval: several series of one answer are one part.
---@param set scrutinizer.Samples
---@param values (scrutinizer.Whole|false)[] the grid; it is changed
---@param more (scrutinizer.Whole|false)[]
function samples.add_up(set, values, more)
  for i = 1, set.n do
    local a, b = values[i], more[i]
    if b then values[i] = a and bigint.add(a, b) or b end
  end
end

-- ---- from lists ----

-- The parts of one side as the caller gave them: one list of points, or several parts.
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

local SIDE, PART = { inbound = true, outbound = true }, { name = true, points = true }

--- What is wrong with the caller's sides, or nil.
---@param given any
---@return string?
function samples.complaint(given)
  if type(given) ~= "table" or (given.inbound == nil and given.outbound == nil) then
    return check.message("samples", given, "{ inbound = …, outbound = … }, at least one of them")
  end
  local unknown = fields.unknown("samples", given, SIDE)
  if unknown then return unknown end
  for _, side in ipairs(samples.SIDES) do
    if given[side] ~= nil and not fields.is_list(given[side]) then return check.message(side, given[side], "a list of points or of parts") end
  end
  for _, side in ipairs(samples.SIDES) do
    for i, part in ipairs(given[side] and parts_given(given[side]) or {}) do
      if type(part) ~= "table" or type(part.points) ~= "table" then return ("%s: part %d is not { name =, points = { … } }"):format(side, i) end
      if not fields.is_list(part.points) then return check.message(("%s: part %d: points"):format(side, i), part.points, "a list without gaps") end
      unknown = fields.unknown(("%s: part %d"):format(side, i), part, PART)
      if unknown then return unknown end
      if part.name ~= nil and not (type(part.name) == "string" and wire.try_encode(part.name)) then
        return check.message(side .. ": name", part.name, "text in UTF-8")
      end
    end
  end
end

--- Samples from the caller's lists.
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

-- Whether table.concat writes all digits of a number.
local plain = kind_of_number and function(value) return kind_of_number(value) == "integer" end
  or function(value) return type(value) == "number" and value < 1e14 end

--- The text that a bill's hash covers: for each direction, part and interval one line "direction part epoch octets", with "-" for a missing
--- sample. Anyone can rebuild the text and check the hash with sha256sum.
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
