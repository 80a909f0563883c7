--- What a customer used: sums the samples of all parts, applies the policy for missing samples, joins the directions, takes the percentile.

local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local bigint = require "scrutinizer.arithmetic.bigint"
local exclusions = require "scrutinizer.billing.contract.exclusions"
local fields = require "scrutinizer.billing.contract.fields"
local fraction = require "scrutinizer.arithmetic.fraction"
local percentile = require "scrutinizer.billing.percentile"
local samples = require "scrutinizer.billing.samples"

local usage = {}

---@alias scrutinizer.Direction
---| "higher_percentile" # the higher of the two directions' percentiles (default when there are samples of both)
---| "higher_sample"     # take the higher direction of each sample, then the percentile
---| "sum"               # add both directions of each sample, then take the percentile
---| "inbound"           # the percentile of inbound samples
---| "outbound"          # the percentile of outbound samples

---@class scrutinizer.UsageOptions: scrutinizer.PercentileOptions
---@field percent? number|string over 0, at most 100; default 95
---@field direction? scrutinizer.Direction
---@field missing? "error"|"zero"|"drop"|"carry" what a missing sample counts as. "error" (default): refuse the bill above `threshold`, count as
---   zero below it. "zero": no traffic (favours the customer). "drop": not a sample, so N is smaller. "carry": the sample before it (zero at
---   the period's beginning)
---@field threshold? number|string share of the samples that may be missing, such as 0.01; default 0 for "error"; for the others no limit, but
---   0.5 on an invoice: 1 bills even without any sample
---@field exclude? scrutinizer.Exclusion[] times that are not billed; their samples are neither ranked nor missing
---@field line_speed? integer|string bits per second of the customer's line (all its parts together), in each direction. A sample above it is wrong
---@field over_speed? "error"|"clip"|"missing" what a sample over the line's speed is. "error" (default): the bill is refused. "clip": as if the
---   line had been full. "missing": a missing sample

---@class scrutinizer.Usage
---@field n integer                   how many samples were ranked
---@field rank integer                the percentile's rank in ascending order, from 1
---@field method string
---@field percent string              decimal text, such as "99.9"
---@field direction scrutinizer.Direction
---@field side "inbound"|"outbound"|"both" the direction that the percentile comes from
---@field octets scrutinizer.Fraction the percentile, in octets per interval
---@field rate scrutinizer.Fraction   the same in bits per second: octets × 8 / interval
---@field discarded table[]           samples above the percentile, { epoch, octets }, the greatest first
---@field expected integer            number of samples in the period that are not excluded
---@field present integer             samples that every billed part has
---@field missing integer             samples that at least one billed part lacks
---@field missing_ranges table[]      { from, to }: epoch seconds, `to` excluded
---@field duplicates integer          samples whose epoch occurred more than once
---@field outside integer             samples outside the period; they are ignored
---@field coverage string             present / expected in percent
---@field totals { inbound?: scrutinizer.Whole, outbound?: scrutinizer.Whole } octets of the period
---@field excluded? integer           samples that are excluded
---@field exclusions? table[]         { name =, reason =, samples =, octets = by side, ranges = { { from, to } } }
---@field over_speed? table           { line_speed =, policy =, samples =, highest = { epoch, octets }, side = } when the line's speed is known
---@field under table<string, table>  the result under each policy: { n =, rank =, octets =, rate = }; nil when no sample is left to rank

local POLICIES = { "carry", "drop", "zero" }
local MISSING = { error = "zero", zero = "zero", drop = "drop", carry = "carry" }
local DIRECTIONS = { higher_percentile = true, higher_sample = true, sum = true, inbound = true, outbound = true }
local OVER_SPEED = { error = true, clip = true, missing = true }
local OWN = { percent = true, direction = true, missing = true, threshold = true, exclude = true, line_speed = true, over_speed = true }
local KNOWN = { method = true, take = true, take_fraction = true, discard = true, rounding = true }
for name in pairs(OWN) do KNOWN[name] = true end

local function refuse(text, ...)
  return nil, errors.new("bill", text:format(...))
end

-- ---- arguments ----

local function one_of(name, value, allowed)
  if value == nil or allowed[value] then return nil end
  return check.message(name, value, table.concat(check.sorted_keys(allowed), ", "))
end

local function speed_complaint(value)
  local bits = bigint.whole(value)
  if value == nil or (bits and bigint.compare(bits, 0) > 0) then return nil end
  return check.message("line_speed", value, "whole bits per second over 0")
end

local function threshold_complaint(given, threshold)
  local fine = threshold and bigint.compare(threshold.numerator, 0) >= 0 and fraction.compare(threshold, fraction.new(1)) <= 0
  if given == nil or fine then return nil end
  return check.message("threshold", given, "a share from 0 to 1, such as 0.01")
end

--- Checks the options and fills in the defaults.
---@param options? scrutinizer.UsageOptions
---@return table? plan
---@return string? complaint
function usage.plan(options)
  local o, rest = options or {}, {}
  if type(o) ~= "table" then return nil, check.message("usage", o, "a table") end
  local complaint = fields.unknown("option", o, KNOWN)
  if complaint then return nil, complaint end
  if o.rounding ~= nil then return nil, "rounding: set it in the tariff, as rounding = { rate =, units =, line =, tax =, total = }" end
  for name, value in pairs(o) do
    if not OWN[name] then rest[name] = value end
  end
  local percent = o.percent
  if percent == nil and o.discard == nil then percent = 95 end
  local plan
  plan, complaint = percentile.plan(percent, rest)
  if not plan then return nil, complaint end
  local missing, threshold = o.missing == nil and "error" or o.missing, fraction.decimal(o.threshold)
  complaint = one_of("direction", o.direction, DIRECTIONS) or one_of("missing", missing, MISSING) or threshold_complaint(o.threshold, threshold)
    or exclusions.complaint(o.exclude) or speed_complaint(o.line_speed) or one_of("over_speed", o.over_speed, OVER_SPEED)
  if complaint then return nil, complaint end
  return {
    percentile = plan, direction = o.direction, missing = missing, threshold = threshold or (missing == "error" and fraction.new(0) or nil),
    exclude = o.exclude, line_speed = bigint.whole(o.line_speed), over_speed = o.over_speed,
  }
end

-- ---- one side: the sum of its parts under a policy ----

local FILL = {}
function FILL.zero() return 0 end
function FILL.carry(before) return before or 0 end
function FILL.drop() return false end

local function has_holes(part, n)
  local values = part.values
  for i = 1, n do
    if not values[i] then return true end
  end
  return false
end

-- A part's octets under a policy: its own list where nothing is missing. False for what is excluded.
local function filled(part, n, policy, excluded)
  local values = part.values
  if not excluded and not has_holes(part, n) then return values end
  local fill, list, before = FILL[policy], {}, false
  for i = 1, n do
    if excluded and excluded[i] then
      list[i] = false
    else
      before = values[i] or fill(before)
      list[i] = before
    end
  end
  return list
end

-- Octets per interval, at most the line's speed where that is the rule; false for a sample that is excluded or that the policy drops.
local function sum_parts(of, side, policy)
  local parts, n, limit = of[side], of.n, of.limit
  local sum = filled(parts[1], n, policy, of.mask)
  for p = 2, #parts do
    local more, joined, add = filled(parts[p], n, policy, of.mask), {}, bigint.add
    for i = 1, n do
      local a, b = sum[i], more[i]
      joined[i] = a and b and add(a, b)
    end
    sum = joined
  end
  if not limit then return sum end
  local clipped = {}
  for i = 1, n do clipped[i] = sum[i] and bigint.compare(sum[i], limit) > 0 and limit or sum[i] end
  return clipped
end

local JOIN = {}
function JOIN.sum(a, b) return bigint.add(a, b) end
function JOIN.higher_sample(a, b) return bigint.compare(a, b) >= 0 and a or b end

local function join(a, b, how)
  local joined, with = {}, JOIN[how]
  for i = 1, #a do joined[i] = a[i] and b[i] and with(a[i], b[i]) end
  return joined
end

-- ---- the percentile of one list ----

-- Sorts octets beyond 64 bits, which the core does not take.
local function rank_any(plan, set, list)
  local points = {}
  for i = 1, set.n do
    if list[i] then points[#points + 1] = { set.period.from + (i - 1) * set.interval, list[i] } end
  end
  return percentile.run(plan, points)
end

-- Value and info, or nil when no sample is left.
local function rank(plan, set, list)
  local top = core.top(percentile.keep(plan, set.n))
  local added = top:add_list(list, set.n, set.period.from, set.interval)
  if added == 0 then return nil end
  if not added then return rank_any(plan, set, list) end
  return percentile.settle(plan, top:finish(true), added)
end

local function as_fraction(value, info)
  return info.exact or fraction.new(value)
end

local function measure(plan, set, list, side)
  local value, info = rank(plan, set, list)
  if value == nil then return nil end
  local octets = as_fraction(value, info)
  return {
    n = info.n, rank = info.rank, method = info.method, percent = info.percent, discarded = info.discarded, kept = info.kept, side = side,
    octets = octets, rate = fraction.multiply(octets, fraction.new(8, set.interval)),
  }
end

-- ---- directions ----

-- The result under one policy.
local function result_under(plan, set, direction, policy)
  local sides = {}
  for _, side in ipairs(samples.SIDES) do
    if set[side] then sides[side] = sum_parts(set, side, policy) end
  end
  if direction == "inbound" or direction == "outbound" then return measure(plan, set, sides[direction], direction) end
  if direction ~= "higher_percentile" then return measure(plan, set, join(sides.inbound, sides.outbound, direction), "both") end
  local one, other = measure(plan, set, sides.inbound, "inbound"), measure(plan, set, sides.outbound, "outbound")
  if not one or not other then return one or other end
  return fraction.compare(one.octets, other.octets) >= 0 and one or other
end

local function direction_of(plan, set)
  local direction = plan.direction
  if not direction then
    direction = set.inbound and set.outbound and "higher_percentile" or (set.inbound and "inbound" or "outbound")
  end
  local one = direction == "inbound" or direction == "outbound"
  if (one and not set[direction]) or (not one and not (set.inbound and set.outbound)) then
    return nil, ("direction %s: there are samples of %s only"):format(direction, set.inbound and "inbound" or "outbound")
  end
  return direction
end

-- The sides that are billed.
local function billed_sides(set, direction)
  local list = {}
  for _, side in ipairs(samples.SIDES) do
    if set[side] and (direction == side or not set[direction]) then list[#list + 1] = side end
  end
  return list
end

-- ---- what the contract leaves out: excluded times, samples over the line's speed ----

local function exclude(of, plan, set)
  local list = {}
  for i, entry in ipairs(plan.exclude or {}) do list[i] = entry end
  of.mask = assert(exclusions.of(list, set))
  local left_out = set.left_out
  list[#list + 1] = left_out and left_out.entry
  for _, i in ipairs(left_out and left_out.places or {}) do of.mask[i] = of.mask[i] or left_out.entry end
  of.exclusions, of.excluded = exclusions.shown(list, of.mask, set)
end

local function without(parts, places)
  local copies = {}
  for p, part in ipairs(parts) do
    copies[p] = { values = {} }
    for i, octets in ipairs(part.values) do copies[p].values[i] = not places[i] and octets end
  end
  return copies
end

-- Finds the samples over the line's speed, and cuts them or takes them out as the policy says.
local function limit_speed(of, plan, direction, bits)
  local limit = bigint.divide(bigint.multiply(bits, of.interval), 8, "down")
  local found = { line_speed = bits, policy = plan.over_speed or "error", samples = 0 }
  for _, side in ipairs(billed_sides(of, direction)) do
    local places = {}
    for i, octets in ipairs(sum_parts(of, side, "zero")) do
      if octets and bigint.compare(octets, limit) > 0 then
        places[i], found.samples = true, found.samples + 1
        if not found.highest or bigint.compare(octets, found.highest[2]) > 0 then
          found.highest, found.side = { of.period.from + (i - 1) * of.interval, octets }, side
        end
      end
    end
    if found.policy == "missing" then of[side] = without(of[side], places) end
  end
  of.over_speed, of.limit = found, found.policy == "clip" and limit or nil
end

-- The samples that are billed.
local function prepared(plan, set, direction)
  local of, bits = {}, plan.line_speed or set.line_speed
  for name, value in pairs(set) do of[name] = value end
  if plan.exclude or set.left_out then exclude(of, plan, set) end
  if bits then limit_speed(of, plan, direction, bits) end
  return of
end

local function check_speed(of)
  local over = of.over_speed
  if not over or over.policy ~= "error" or over.samples == 0 then return true end
  return refuse("%d samples are over the line's speed of %s bit/s, the highest, %s at epoch %d, has %s octets in %d s; "
    .. "set over_speed = \"clip\" or \"missing\", or correct line_speed", over.samples, bigint.text(over.line_speed), over.side, over.highest[1],
    bigint.text(over.highest[2]), of.interval)
end

--- The lists of octets per interval that the percentile was taken from: one, or one per direction. For pictures.
---@param plan table
---@param set scrutinizer.Samples
---@return { name: string, values: (scrutinizer.Whole|false)[] }[]
function usage.curves(plan, set)
  local direction, policy, list = direction_of(plan, set), MISSING[plan.missing], {}
  local of = prepared(plan, set, direction)
  for i, side in ipairs(billed_sides(set, direction)) do list[i] = { name = side, values = sum_parts(of, side, policy) } end
  if not JOIN[direction] then return list end
  local name = direction == "sum" and "inbound + outbound" or "the higher direction"
  return { { name = name, values = join(list[1].values, list[2].values, direction) } }
end

-- ---- missing samples ----

-- The billed parts that lack samples.
local function parts_with_holes(set, direction)
  local list = {}
  for _, side in ipairs(billed_sides(set, direction)) do
    for _, part in ipairs(set[side]) do
      if has_holes(part, set.n) then list[#list + 1] = part.values end
    end
  end
  return list
end

-- The number of samples that at least one part lacks, and their ranges.
local function find_missing(set, direction)
  local lists, ranges, count, open = parts_with_holes(set, direction), {}, 0, nil
  for i = 1, #lists > 0 and set.n or 0 do
    local lacks = false
    for _, values in ipairs(lists) do lacks = lacks or not values[i] end
    if set.mask and set.mask[i] then lacks = false end
    local at = set.period.from + (i - 1) * set.interval
    if lacks and not open then
      open = { at, at + set.interval }
      ranges[#ranges + 1] = open
    elseif lacks then
      open[2] = at + set.interval
    else
      open = nil
    end
    count = count + (lacks and 1 or 0)
  end
  return count, ranges
end

local function check_missing(plan, count, n)
  if n == 0 then return refuse("all samples are excluded") end
  if not plan.threshold or fraction.compare(fraction.new(count, n), plan.threshold) <= 0 then return true end
  local hint = plan.missing == "error" and 'set missing = "zero", "drop" or "carry", or raise the threshold'
    or "is the customer's network right? Set threshold = 1 to bill whatever is missing"
  return refuse("%d of %d samples are missing (%s %%), over the threshold of %s %%; %s", count, n,
    fraction.text(fraction.new(bigint.multiply(count, 100), n), 2, "half_up"),
    fraction.text(fraction.multiply(plan.threshold, fraction.new(100))), hint)
end

local function totals(of)
  local sums = {}
  for _, side in ipairs(samples.SIDES) do
    if of[side] and (of.mask or of.limit) then
      sums[side] = bigint.sum(sum_parts(of, side, "zero"), of.n)
    else
      for _, part in ipairs(of[side] or {}) do sums[side] = bigint.add(sums[side] or 0, bigint.sum(part.values, of.n)) end
    end
  end
  return sums
end

--- A complaint when the options do not fit the samples, else nil.
---@param plan table
---@param set scrutinizer.Samples
---@return string?
function usage.complaint(plan, set)
  local direction, complaint = direction_of(plan, set)
  if not direction then return complaint end
  if plan.over_speed ~= nil and not plan.line_speed and not set.line_speed then return "over_speed: it has no effect without line_speed" end
  if plan.exclude then return select(2, exclusions.of(plan.exclude, set)) end
end

--- The usage of a set of samples.
---@param plan table from `usage.plan`
---@param set scrutinizer.Samples
---@return scrutinizer.Usage? result
---@return scrutinizer.Error? err kind "bill"
function usage.of(plan, set)
  local direction = direction_of(plan, set)
  local of = prepared(plan, set, direction)
  local expected, missing, ranges = set.n - (of.excluded or 0), find_missing(of, direction)
  local ok, err = check_speed(of)
  if ok then ok, err = check_missing(plan, missing, expected) end
  if not ok then return nil, err end
  local all = {}
  for _, policy in ipairs(POLICIES) do
    -- Without missing samples all policies have the same result.
    all[policy] = missing == 0 and all.carry or result_under(plan.percentile, of, direction, policy)
  end
  local found = all[MISSING[plan.missing]]
  if not found then return refuse("there are no samples to rank") end
  local result = { direction = direction, expected = expected, present = expected - missing, missing = missing, missing_ranges = ranges, under = {} }
  for name, value in pairs(found) do result[name] = value end
  for policy, other in pairs(all) do
    result.under[policy] = { n = other.n, rank = other.rank, octets = other.octets, rate = other.rate }
  end
  result.policy, result.interval = plan.missing, set.interval
  result.excluded, result.exclusions, result.over_speed = of.excluded, of.exclusions, of.over_speed
  result.duplicates, result.outside, result.totals = set.duplicates, set.outside, totals(of)
  result.coverage = fraction.text(fraction.new(bigint.multiply(result.present, 100), expected), 2, "down")
  return result
end

return usage
