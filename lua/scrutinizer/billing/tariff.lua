--- Prices: commit and overage, tiers, minimum, fixed fees. Money is in minor units (cents); a price may be a decimal number of them. Amounts
--- are exact; they are rounded only at four named points: rate, units, line, total.

local check = require "scrutinizer.check"
local bigint = require "scrutinizer.arithmetic.bigint"
local fraction = require "scrutinizer.arithmetic.fraction"
local suggest = require "scrutinizer.suggest"

local tariff = {}

---@alias scrutinizer.Rounding "half_up"|"half_even"|"up"|"down"

---@class scrutinizer.Tariff
---@field currency string       such as "EUR"
---@field decimals? integer     digits of the minor unit (default 2)
---@field measure? "rate"|"volume" bill the percentile (default), or the octets of the period
---@field unit string           rate: bps kbps Mbps Gbps Tbps (powers of 1000), Kibps Mibps Gibps Tibps (of 1024); volume: B kB MB GB TB PB,
---   KiB MiB GiB TiB PiB
---@field step? number|string   units are rounded to a multiple of it (1: whole units); default: not rounded
---@field commit? number|string units that are paid for even when they are not used
---@field commit_price? number|string minor units per unit of the commit (default: price, or the first tier's); or
---@field commit_fee? integer   minor units for the whole commit
---@field prorate_commit? boolean whether a part of a month pays only a part of the commit's fee; required for such a period
---@field price? number|string  minor units per unit: per unit over the commit, or per unit when there is no commit; or
---@field tiers? { up_to?: number|string, price: number|string }[] ascending, the last without `up_to`; `up_to` units are still in the tier.
---   With a commit, tiers count the units over it
---@field tiering? "graduated"|"volume" each tier's units at that tier's price (default), or all units at the price of the tier reached
---@field minimum? integer      minor units; commit and usage cost at least this
---@field fees? { name: string, amount: integer, prorate?: boolean }[] fixed fees in minor units, negative for a credit
---@field prorate? "days"|"seconds" how the share of a month is measured (default: calendar days of the zone)
---@field total_step? integer   minor units; the total is rounded to a multiple of it
---@field rounding? { rate?: scrutinizer.Rounding|"none", units?: scrutinizer.Rounding, line?: scrutinizer.Rounding, total?: scrutinizer.Rounding }
---   `rate`: to whole bits per second (default half_up; required with `linear` and `mean_next`); `units`: to the step (default up);
---   `line`: to minor units (default half_up); `total`: to total_step (default half_up)

local RATE_UNITS, VOLUME_UNITS = { bps = 1 }, { B = 1 }
for i, letter in ipairs { "k", "M", "G", "T", "P" } do
  local binary = (letter == "k" and "K" or letter) .. "i"
  RATE_UNITS[letter .. "bps"], VOLUME_UNITS[letter .. "B"] = bigint.whole("1" .. ("000"):rep(i)), bigint.whole("1" .. ("000"):rep(i))
  RATE_UNITS[binary .. "bps"], VOLUME_UNITS[binary .. "B"] = bigint.whole(("%.0f"):format(1024 ^ i)), bigint.whole(("%.0f"):format(1024 ^ i))
end
local UNITS = { rate = RATE_UNITS, volume = VOLUME_UNITS }

local KNOWN = {
  currency = true, decimals = true, measure = true, unit = true, step = true, commit = true, commit_price = true, commit_fee = true,
  prorate_commit = true, price = true, tiers = true, tiering = true, minimum = true, fees = true, prorate = true, total_step = true,
  rounding = true,
}
local POINTS = { rate = "half_up", units = "up", line = "half_up", total = "half_up" }

-- ---- checks ----

local function positive(value)
  local given = fraction.decimal(value)
  return given and bigint.compare(given.numerator, 0) >= 0 and given or nil
end

local function one_of(t, name, allowed)
  local value = t[name]
  if value == nil or allowed[value] then return nil end
  return check.message(name, value, table.concat(check.sorted_keys(allowed), ", "))
end

local function names_complaint(t)
  for name in pairs(t) do
    if not KNOWN[name] then
      return check.message("field", name, table.concat(check.sorted_keys(KNOWN), ", "),
        type(name) == "string" and suggest.did_you_mean(suggest.nearest(name, KNOWN)) or nil)
    end
  end
  if type(t.currency) == "string" and t.currency:find "^[A-Z][A-Z][A-Z]$" then return nil end
  return check.message("currency", t.currency, 'three capitals, such as "EUR"')
end

local function numbers_complaint(t)
  for _, name in ipairs { "commit", "commit_price", "price" } do
    if t[name] ~= nil and not positive(t[name]) then return check.message(name, t[name], "a decimal number from 0, exact, such as 12 or \"12.5\"") end
  end
  for _, name in ipairs { "commit_fee", "minimum" } do
    local whole = bigint.whole(t[name])
    if t[name] ~= nil and (not whole or bigint.compare(whole, 0) < 0) then return check.message(name, t[name], "whole minor units from 0") end
  end
  for _, name in ipairs { "step", "total_step" } do
    local given = positive(t[name])
    if t[name] ~= nil and (not given or given.numerator == 0) then return check.message(name, t[name], "a decimal number over 0") end
  end
  if t.total_step ~= nil and not bigint.whole(t.total_step) then return check.message("total_step", t.total_step, "whole minor units") end
  if t.decimals ~= nil and not check.integer(t.decimals, 0, 9) then return check.message("decimals", t.decimals, "a whole number from 0 to 9") end
end

local function tiers_complaint(t)
  if (t.price == nil) == (t.tiers == nil) then return "set either price or tiers" end
  if t.tiers == nil then return nil end
  if type(t.tiers) ~= "table" or #t.tiers == 0 then return check.message("tiers", t.tiers, "a list of { up_to =, price = }") end
  local before = fraction.new(0)
  for i, tier in ipairs(t.tiers) do
    local last = i == #t.tiers
    if type(tier) ~= "table" or not positive(tier.price) then return ("tier %d: price must be a decimal number from 0"):format(i) end
    local up_to = positive(tier.up_to)
    if last and tier.up_to ~= nil then return "the last tier must have no up_to: usage beyond it would have no price" end
    if not last and (not up_to or fraction.compare(up_to, before) <= 0) then
      return ("tier %d: up_to must be greater than the one before"):format(i)
    end
    before = up_to
  end
end

local function fees_complaint(t)
  if t.fees == nil then return nil end
  if type(t.fees) ~= "table" then return check.message("fees", t.fees, "a list of { name =, amount = }") end
  for i, fee in ipairs(t.fees) do
    if type(fee) ~= "table" or type(fee.name) ~= "string" or not bigint.whole(fee.amount) then
      return ("fee %d: name and whole minor units as amount are needed"):format(i)
    end
    if fee.prorate ~= nil and type(fee.prorate) ~= "boolean" then
      return check.message(("fee %d: prorate"):format(i), fee.prorate, "true or false")
    end
  end
end

local function rounding_complaint(t)
  if t.rounding == nil then return nil end
  if type(t.rounding) ~= "table" then return check.message("rounding", t.rounding, "a table with rate, units, line, total") end
  for point, how in pairs(t.rounding) do
    if not POINTS[point] then return check.message("rounding", point, table.concat(check.sorted_keys(POINTS), ", ")) end
    if not bigint.ROUNDINGS[how] and not (point == "rate" and how == "none") then
      return check.message("rounding." .. point, how, table.concat(check.sorted_keys(bigint.ROUNDINGS), ", "))
    end
  end
end

local function commit_complaint(t)
  if t.commit_price ~= nil and t.commit_fee ~= nil then return "set either commit_price or commit_fee" end
  if t.prorate_commit ~= nil and type(t.prorate_commit) ~= "boolean" then
    return check.message("prorate_commit", t.prorate_commit, "true or false")
  end
end

--- What is wrong with a tariff, or nil.
---@param t any
---@return string?
function tariff.complaint(t)
  if type(t) ~= "table" then return check.message("tariff", t, "a table") end
  local units = UNITS[t.measure or "rate"]
  return names_complaint(t) or one_of(t, "measure", UNITS)
    or (t.unit == nil and check.message("unit", nil, table.concat(check.sorted_keys(units), ", ")))
    or one_of(t, "unit", units) or one_of(t, "tiering", { graduated = true, volume = true })
    or one_of(t, "prorate", { days = true, seconds = true }) or numbers_complaint(t) or commit_complaint(t) or tiers_complaint(t)
    or fees_complaint(t) or rounding_complaint(t)
end

--- The rounding mode of every point, with defaults.
---@param t scrutinizer.Tariff
---@return table<string, string>
function tariff.rounding(t)
  local all = {}
  for point, how in pairs(POINTS) do all[point] = t.rounding and t.rounding[point] or how end
  return all
end

-- ---- quantities ----

--- How many bits per second, or octets, one unit is.
---@param measure "rate"|"volume"
---@param unit string
---@return scrutinizer.Whole
function tariff.unit(measure, unit)
  return UNITS[measure][unit]
end

-- The octets of the period, by direction.
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
  local units = fraction.divide(amount, fraction.new(tariff.unit(t.measure or "rate", t.unit)))
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
    if period.to > period.month_to then return nil, "proration: the period must lie within one month" end
    return fraction.new(period.to - period.from, period.month_to - period.month_from)
  end
  if not period.days then return nil, 'proration by days needs a period of whole days of its zone; set prorate = "seconds"' end
  if period.to > period.month_to then return nil, "proration: the period must lie within one month" end
  return fraction.new(period.days, period.month_days)
end

--- A complaint when the tariff cannot be applied to the period and the usage's options, else nil.
---@param t scrutinizer.Tariff
---@param period scrutinizer.Period
---@param between_samples boolean whether the percentile can lie between two samples
---@return string? complaint
function tariff.fits(t, period, between_samples)
  local rate = t.rounding and t.rounding.rate
  if between_samples and t.measure ~= "volume" and (rate == nil or rate == "none") then
    return "rounding.rate: a percentile that lies between samples must be rounded; set half_up, half_even, up or down"
  end
  if t.commit ~= nil and not period.whole and t.prorate_commit == nil then
    return "prorate_commit: the period is not a whole month; set true or false"
  end
  local prorated = t.prorate_commit
  for _, fee in ipairs(t.fees or {}) do prorated = prorated or fee.prorate end
  local _, complaint = part_of_month(t, period)
  return prorated and complaint or nil
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

local function minimum_line(bill, t)
  local lacking = t.minimum ~= nil and bigint.subtract(bigint.whole(t.minimum), bill.total)
  if lacking and bigint.compare(lacking, 0) > 0 then line(bill, "Up to the minimum charge", fraction.new(lacking)) end
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
---@return table bill { lines =, total =, rounding =, steps =, over = units over the commit }
function tariff.price(t, period, units, commit)
  local bill = { lines = {}, total = 0, rounding = tariff.rounding(t), steps = {} }
  local part = not period.whole and part_of_month(t, period) or nil
  local over = units
  if commit then
    commit_line(bill, t, commit, t.prorate_commit and part or nil)
    over = fraction.compare(units, commit) > 0 and fraction.subtract(units, commit) or ZERO
  end
  usage_lines(bill, t, over, commit and "Over the commit" or "Usage")
  minimum_line(bill, t)
  for _, fee in ipairs(t.fees or {}) do
    line(bill, fee.name, fraction.new(bigint.whole(fee.amount)), fee.prorate and part or nil)
  end
  round_total(bill, t)
  bill.over = over
  return bill
end

return tariff
