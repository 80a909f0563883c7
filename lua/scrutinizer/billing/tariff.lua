--- Prices: commit and overage, tiers, minimum and cap, fixed fees, taxes. Money is in minor units (cents); a price may be a decimal number of
--- them. Amounts are exact; they are rounded only at five named points: rate, units, line, tax, total. `contract/terms.lua` lists all fields.

local bigint = require "scrutinizer.arithmetic.bigint"
local fraction = require "scrutinizer.arithmetic.fraction"
local terms = require "scrutinizer.billing.contract.terms"

local tariff = {}

local positive = terms.positive

tariff.complaint, tariff.unit = terms.complaint, terms.unit

--- The rounding mode of every point, with defaults; without taxes there is no `tax`.
---@param t scrutinizer.Tariff
---@return table<string, string>
function tariff.rounding(t)
  local all = {}
  for point, how in pairs(terms.POINTS) do all[point] = t.rounding and t.rounding[point] or how end
  if not t.taxes then all.tax = nil end
  return all
end

-- ---- quantities ----

-- The octets of the period, by direction. A volume has no samples to compare: higher_sample takes the higher direction of the whole period, as
-- higher_percentile does.
local function volume_of(usage)
  local a, b = usage.totals.inbound, usage.totals.outbound
  if usage.direction == "sum" then return bigint.add(a, b) end
  if usage.direction == "inbound" or usage.direction == "outbound" then return usage.totals[usage.direction] end
  return bigint.compare(a, b) >= 0 and a or b
end

--- Billable units of one usage, and the roundings in order: each { point =, from =, to = } as fractions.
---@param t scrutinizer.Tariff
---@param usage scrutinizer.Usage
---@return scrutinizer.Fraction units
---@return table[] steps
function tariff.units(t, usage)
  local how, steps = tariff.rounding(t), {}
  local amount = t.measure == "volume" and fraction.new(volume_of(usage)) or usage.rate
  if t.measure ~= "volume" and how.rate ~= "none" then
    local rounded = fraction.new(fraction.round(amount, how.rate))
    steps[1] = { point = "rate", rounding = how.rate, from = amount, to = rounded }
    amount = rounded
  end
  local units = fraction.divide(amount, fraction.new(terms.unit(t.measure or "rate", t.unit)))
  if not t.step then return units, steps end
  local step = positive(t.step)
  local rounded = fraction.multiply(fraction.new(fraction.round(fraction.divide(units, step), how.units)), step)
  steps[#steps + 1] = { point = "units", rounding = how.units, from = units, to = rounded }
  return rounded, steps
end

-- ---- lines ----

-- The period's share of its month; nil and a complaint when it cannot be computed.
local function part_of_month(t, period)
  if period.whole then return fraction.new(1) end
  if t.prorate == "seconds" then
    if period.to > period.month_to then return nil, "proration: the period must lie within one month or cycle" end
    return fraction.new(period.to - period.from, period.month_to - period.month_from)
  end
  if not period.days then return nil, 'proration by days needs a period of whole days of its zone; set prorate = "seconds"' end
  if period.to > period.month_to then return nil, "proration: the period must lie within one month or cycle" end
  return fraction.new(period.days, period.month_days)
end

-- A commit, minimum or cap for this period: `prorated` says whether it is a part of the month's.
local function limit(amount, part, prorated, rounding)
  local whole = fraction.new(bigint.whole(amount))
  return fraction.round(prorated and part and fraction.multiply(whole, part) or whole, rounding)
end

--- A complaint when the tariff cannot be applied to the period and the usage's options, else nil.
---@param t scrutinizer.Tariff
---@param period scrutinizer.Period
---@param between_samples boolean whether the percentile can lie between two samples
---@param has_commit boolean whether the tariff or a member has a commit
---@return string? complaint
function tariff.fits(t, period, between_samples, has_commit)
  local rate = t.rounding and t.rounding.rate
  if between_samples and t.measure ~= "volume" and (rate == nil or rate == "none") then
    return "rounding.rate: a percentile that lies between samples must be rounded; set half_up, half_even, up or down"
  end
  if has_commit and not period.whole and t.prorate_commit == nil then
    return "prorate_commit: the period is not a whole month; set true or false"
  end
  local prorated = t.prorate_commit or t.prorate_minimum or t.prorate_cap
  for _, fee in ipairs(t.fees or {}) do prorated = prorated or fee.prorate end
  local part, complaint = part_of_month(t, period)
  if prorated and complaint then return complaint end
  if t.minimum == nil or t.cap == nil then return nil end
  local line = tariff.rounding(t).line
  if bigint.compare(limit(t.minimum, part, t.prorate_minimum, line), limit(t.cap, part, t.prorate_cap, line)) > 0 then
    return "minimum: in this part of a month it is over the cap; prorate both or none"
  end
end

local ONE, ZERO = fraction.new(1), fraction.new(0)

local function line(bill, name, price, part, quantity, unit)
  local value = fraction.multiply(quantity or ONE, price)
  if part then value = fraction.multiply(value, part) end
  local amount = fraction.round(value, bill.rounding.line)
  bill.lines[#bill.lines + 1] = { name = name, quantity = quantity or ONE, unit = unit, price = price, part = part, exact = value, amount = amount }
  bill.total = bigint.add(bill.total, amount)
end

local function commit_line(bill, t, commit, part)
  if t.commit_fee ~= nil then return line(bill, "Commit", fraction.new(bigint.whole(t.commit_fee)), part) end
  line(bill, "Commit", positive(t.commit_price or t.price or t.tiers[1].price), part, commit, t.unit)
end

local function graduated(bill, t, units, name)
  local from = ZERO
  for i, tier in ipairs(t.tiers) do
    local up_to = tier.up_to ~= nil and positive(tier.up_to) or units
    if fraction.compare(up_to, units) > 0 then up_to = units end
    if fraction.compare(up_to, from) > 0 or (i == 1 and units.numerator == 0) then
      line(bill, ("%s, tier %d"):format(name, i), positive(tier.price), nil, fraction.subtract(up_to, from), t.unit)
    end
    if fraction.compare(up_to, from) > 0 then from = up_to end
  end
end

local function volume(bill, t, units, name)
  for i, tier in ipairs(t.tiers) do
    if tier.up_to == nil or fraction.compare(units, positive(tier.up_to)) <= 0 then
      return line(bill, ("%s, tier %d"):format(name, i), positive(tier.price), nil, units, t.unit)
    end
  end
end

local function usage_lines(bill, t, units, name)
  if not t.tiers then return line(bill, name, positive(t.price), nil, units, t.unit) end
  return (t.tiering == "volume" and volume or graduated)(bill, t, units, name)
end

-- Commit and usage cost at least the minimum and at most the cap.
local function limit_lines(bill, t, part)
  if t.minimum ~= nil then
    bill.minimum = limit(t.minimum, part, t.prorate_minimum, bill.rounding.line)
    local lacking = bigint.subtract(bill.minimum, bill.total)
    if bigint.compare(lacking, 0) > 0 then line(bill, "Up to the minimum charge", fraction.new(lacking)) end
  end
  if t.cap ~= nil then
    bill.cap = limit(t.cap, part, t.prorate_cap, bill.rounding.line)
    local over = bigint.subtract(bill.cap, bill.total)
    if bigint.compare(over, 0) < 0 then line(bill, "Down to the cap", fraction.new(over)) end
  end
end

-- Each tax is on the sum of all lines.
local function tax_lines(bill, t)
  bill.subtotal, bill.taxes = bill.total, {}
  for i, tax in ipairs(t.taxes) do
    local rate = tax.rate ~= nil and positive(tax.rate) or ZERO
    local exact = fraction.multiply(fraction.new(bill.subtotal), fraction.divide(rate, fraction.new(100)))
    local amount = fraction.round(exact, bill.rounding.tax)
    bill.taxes[i] = { name = tax.name, rate = rate, reverse_charge = tax.reverse_charge, exact = exact, amount = amount }
    bill.total = bigint.add(bill.total, amount)
  end
end

local function round_total(bill, t)
  if t.total_step == nil then return end
  local step = bigint.whole(t.total_step)
  local rounded = bigint.multiply(bigint.divide(bill.total, step, bill.rounding.total), step)
  bill.steps[#bill.steps + 1] = { point = "total", rounding = bill.rounding.total, from = fraction.new(bill.total), to = fraction.new(rounded) }
  bill.total = rounded
end

--- Prices a quantity. `commit` is the tariff's commit, or the sum of a pool's commits.
---@param t scrutinizer.Tariff
---@param period scrutinizer.Period
---@param units scrutinizer.Fraction
---@param commit? scrutinizer.Fraction
---@param more? { name: string, amount: scrutinizer.Whole }[] lines of a custom rule, in minor units
---@return table bill { lines =, subtotal =, taxes =, total =, rounding =, steps =, minimum =, cap =, over = units over the commit }
function tariff.price(t, period, units, commit, more)
  local bill = { lines = {}, total = 0, rounding = tariff.rounding(t), steps = {} }
  local part = not period.whole and part_of_month(t, period) or nil
  local over = units
  if commit then
    commit_line(bill, t, commit, t.prorate_commit and part or nil)
    over = fraction.compare(units, commit) > 0 and fraction.subtract(units, commit) or ZERO
  end
  usage_lines(bill, t, over, commit and "Over the commit" or "Usage")
  limit_lines(bill, t, part)
  for _, fee in ipairs(t.fees or {}) do
    line(bill, fee.name, fraction.new(bigint.whole(fee.amount)), fee.prorate and part or nil)
  end
  for _, extra in ipairs(more or {}) do line(bill, extra.name, fraction.new(bigint.whole(extra.amount))) end
  if t.taxes then tax_lines(bill, t) end
  round_total(bill, t)
  bill.over = over
  return bill
end

return tariff
