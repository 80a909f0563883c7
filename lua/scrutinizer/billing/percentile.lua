--- A percentile of samples by selection: it keeps only the samples from the percentile's rank upwards.

local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local bigint = require "scrutinizer.arithmetic.bigint"
local fraction = require "scrutinizer.arithmetic.fraction"
local rank = require "scrutinizer.billing.rank"

local percentile = {}

---@class scrutinizer.PercentileOptions
---@field method? "nearest_rank"|"librenms"|"cacti"|"rrdtool"|"linear" default "nearest_rank"; `rank.lua` has the formulas and their sources
---@field take? "next"|"mean_next"  bill the next sample below the discarded ones (default), or the mean of the next ones
---@field take_fraction? number|string share of all samples that `mean_next` averages, such as 0.15
---@field discard? number|string    share of all samples that is dropped from the top; replaces `percent`: 0.05 means percent 95
---@field rounding? "half_up"|"half_even"|"up"|"down" for `linear` and `mean_next`: round the exact fraction to a whole number in this way;
---   without it the result is a float, for comparison only

---@class scrutinizer.PercentileInfo
---@field n integer           how many samples were ranked
---@field rank integer        the value's rank in ascending order, from 1; `linear`: the lower of two ranks
---@field method string
---@field percent string      decimal text, such as "99.9"
---@field discarded table[]|scrutinizer.Whole[] the samples above the value, the greatest first; equal samples in order of time
---@field kept? integer       `mean_next`: how many samples were averaged
---@field exact? scrutinizer.Fraction `linear`, `mean_next`: the value before rounding

local ZERO = fraction.new(0)

-- ---- arguments ----

local TAKES = { next = true, mean_next = true }
local KNOWN = { method = true, take = true, take_fraction = true, discard = true, rounding = true }

local function share_of(value)
  local share = fraction.decimal(value)
  return share and fraction.compare(share, ZERO) > 0 and fraction.compare(share, fraction.new(1)) < 0 and share or nil
end

local function check_names(options)
  for name in pairs(options) do
    if not KNOWN[name] then return check.message("option", name, table.concat(check.sorted_keys(KNOWN), ", ")) end
  end
end

local function check_take(o, plan)
  plan.take = o.take == nil and "next" or o.take
  if not TAKES[plan.take] then return check.message("take", o.take, '"next" or "mean_next"') end
  if (plan.take == "mean_next") ~= (o.take_fraction ~= nil) then return 'take_fraction: required with take = "mean_next", and allowed only there' end
  if o.take_fraction ~= nil then
    plan.next = share_of(o.take_fraction)
    if not plan.next then return check.message("take_fraction", o.take_fraction, "a share of all samples, over 0 and under 1, such as 0.15") end
    if plan.method ~= "nearest_rank" then return check.message("method", plan.method, "nearest_rank with take_fraction") end
  end
end

local function check_percent(percent, o, plan)
  if o.discard == nil then
    plan.share = rank.share(percent)
    if not plan.share then return check.message("percent", percent, "a number over 0 and at most 100, such as 95 or 99.9") end
  else
    local dropped = share_of(o.discard)
    if percent ~= nil then return "discard: set either discard or a percent, not both" end
    if not dropped then return check.message("discard", o.discard, "a share of all samples, over 0 and under 1, such as 0.05") end
    plan.share = fraction.subtract(fraction.new(1), dropped)
  end
  plan.percent = fraction.text(fraction.multiply(plan.share, fraction.new(100)))
end

--- Checks percent and options once; the plan serves any number of selections.
---@param percent? number|string over 0, at most 100; nil with `discard`
---@param options? scrutinizer.PercentileOptions
---@return table? plan
---@return string? complaint
function percentile.plan(percent, options)
  local o = options or {}
  if type(o) ~= "table" then return nil, check.message("options", o, "a table") end
  local plan = { method = o.method == nil and "nearest_rank" or o.method, rounding = o.rounding }
  local complaint = check_names(o) or rank.complaint(plan.method) or check_percent(percent, o, plan) or check_take(o, plan)
  if not complaint and o.rounding ~= nil and not bigint.ROUNDINGS[o.rounding] then
    complaint = check.message("rounding", o.rounding, "half_up, half_even, up, down")
  end
  if complaint then return nil, complaint end
  return plan
end

-- For n samples: the rank, the fraction of the way to the next rank, how many samples `mean_next` averages, and how many of the greatest
-- samples must be kept.
local function places(plan, n)
  local at, beyond = rank.of(plan.method, n, plan.share)
  local count
  if plan.take == "mean_next" then
    count = math.max(1, fraction.round(fraction.multiply(plan.next, fraction.new(n)), "down"))
    count = math.min(count, at)
  end
  return at, beyond, count, n - at + (count or 1)
end

--- How many of the greatest samples must be kept to find the percentile of at most n samples.
---@param plan table
---@param n integer
---@return integer
function percentile.keep(plan, n)
  return (select(4, places(plan, n)))
end

-- ---- the value ----

local function value_of(sample)
  if type(sample) == "table" then return sample[2] end
  return sample
end

local function between(lower, upper, beyond)
  local low, high = fraction.new(lower), fraction.new(upper)
  return fraction.add(low, fraction.multiply(fraction.subtract(high, low), beyond))
end

local function mean(best, first, count)
  local sum = 0
  for i = first, first + count - 1 do sum = bigint.add(sum, value_of(best[i])) end
  return fraction.new(sum, count)
end

local function settle(plan, info, value)
  info.exact = value
  if plan.rounding then return fraction.round(value, plan.rounding), info end
  return tonumber(bigint.text(value.numerator)) / tonumber(bigint.text(value.denominator)), info
end

-- Samples that are floats have no exact fraction: interpolate in floats.
local function settle_floats(info, lower, upper, beyond)
  local way = tonumber(bigint.text(beyond.numerator)) / tonumber(bigint.text(beyond.denominator))
  return lower + (upper - lower) * way, info
end

local function is_float(value)
  return type(value) == "number" and bigint.whole(value) == nil
end

--- The percentile from the greatest samples.
---@param plan table
---@param best table[]|scrutinizer.Whole[] at least `percentile.keep` samples, the greatest first
---@param n integer number of all samples
---@return scrutinizer.Whole|number value
---@return scrutinizer.PercentileInfo info
function percentile.settle(plan, best, n)
  local at, beyond, count = places(plan, n)
  local above = n - at
  local info = { n = n, rank = at, method = plan.method, percent = plan.percent, discarded = {}, kept = count }
  for i = 1, above do info.discarded[i] = best[i] end
  local value = value_of(best[above + 1])
  if count then return settle(plan, info, mean(best, above + 1, count)) end
  if not beyond then return value, info end
  local upper = above > 0 and value_of(best[above]) or value
  if is_float(value) or is_float(upper) then return settle_floats(info, value, upper, beyond) end
  return settle(plan, info, between(value, upper, beyond))
end

-- ---- selection ----

-- Sorts what the core does not take: fractions, and numbers beyond 64 bits.
local function before(a, b)
  if type(a.value) == "number" and type(b.value) == "number" then
    if a.value ~= b.value then return a.value > b.value end
  else
    local order = bigint.compare(a.value, b.value)
    if order ~= 0 then return order > 0 end
  end
  return a.at < b.at
end

local function read_any(samples)
  local list, text, float = {}, false, nil
  for i = 1, #samples do
    local sample = samples[i]
    local value, at = value_of(sample), type(sample) == "table" and sample[1] or i
    local whole = bigint.whole(value)
    if (type(sample) == "table") ~= (type(samples[1]) == "table") then return nil, i, sample end
    if not whole then
      local finite = type(value) == "number" and value == value and value ~= math.huge and value ~= -math.huge
      if not finite then return nil, i, value end
      float = float or i
    end
    text = text or type(whole) == "string"
    list[i] = { value = whole or value, at = at, sample = sample }
  end
  if text and float then return nil, float, value_of(samples[float]) end
  return list
end

local function sort_any(samples)
  local list, at, value = read_any(samples)
  if not list then
    return nil, check.message(("sample %d"):format(at), value, "numbers, or { epoch, number }; a whole number that is too large for this Lua as text")
  end
  table.sort(list, before)
  for i, entry in ipairs(list) do list[i] = entry.sample end
  return list
end

-- The greatest samples, in order.
local function select_best(plan, samples, n)
  local top = core.top(percentile.keep(plan, n))
  if top:add_list(samples, n, 1, 1) == n then return (top:finish(type(samples[1]) == "table")) end
  return sort_any(samples)
end

--- The percentile of a list: value and info, or nil and a complaint.
---@param plan table
---@param samples any a list of numbers or { epoch, number }
---@return scrutinizer.Whole|number? value
---@return scrutinizer.PercentileInfo|string info or the complaint
function percentile.run(plan, samples)
  local n = type(samples) == "table" and #samples or 0
  if n == 0 then return nil, check.message("samples", samples, "a list of numbers or of { epoch, number }, not empty") end
  local best, complaint = select_best(plan, samples, n)
  if not best then return nil, complaint end
  return percentile.settle(plan, best, n)
end

return percentile
