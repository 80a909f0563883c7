--- The checks of a tariff: every field is known and fits the others; a field that would change nothing is refused.

local bigint = require "scrutinizer.arithmetic.bigint"
local check = require "scrutinizer.check"
local currency = require "scrutinizer.billing.contract.currency"
local fields = require "scrutinizer.billing.contract.fields"
local fraction = require "scrutinizer.arithmetic.fraction"

local terms = {}

---@alias scrutinizer.Rounding "half_up"|"half_even"|"up"|"down"

---@class scrutinizer.Tariff
---@field currency string       a code of ISO 4217, such as "EUR"
---@field decimals? integer     digits of the minor unit; default: the currency's in ISO 4217 (EUR 2, JPY 0, KWD 3)
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
---@field minimum? integer      minor units; commit and usage cost at least this, in a part of a month too
---@field prorate_minimum? boolean a part of a month has only a part of the minimum
---@field cap? integer          minor units; commit and usage cost at most this, in a part of a month too
---@field prorate_cap? boolean  a part of a month has only a part of the cap
---@field fees? { name: string, amount: integer, prorate?: boolean }[] fixed fees in minor units, negative for a credit
---@field prorate? "days"|"seconds" how the share of a month is measured (default: calendar days of the zone). With cycles
---   that begin on another day (`billing.cycle`), a cycle takes the place of the month
---@field taxes? { name: string, rate?: number|string, reverse_charge?: string }[] each on the sum of all lines: `rate` in percent, or
---   `reverse_charge`: the text that says why none is charged
---@field total_step? integer   minor units; the total, with taxes, is rounded to a multiple of it
---@field rounding? { rate?: scrutinizer.Rounding|"none", units?: scrutinizer.Rounding, line?: scrutinizer.Rounding,
---   tax?: scrutinizer.Rounding, total?: scrutinizer.Rounding }
---   `rate`: to whole bits per second (default half_up; required with `linear` and `mean_next`); `units`: to the step (default up);
---   `line`, `tax`: to minor units (default half_up); `total`: to total_step (default half_up). Halves go away from zero with half_up, also
---   below zero; up is away from zero, down towards it

local RATE_UNITS, VOLUME_UNITS = { bps = 1 }, { B = 1 }
for i, letter in ipairs { "k", "M", "G", "T", "P" } do
  local binary = (letter == "k" and "K" or letter) .. "i"
  RATE_UNITS[letter .. "bps"], VOLUME_UNITS[letter .. "B"] = bigint.whole("1" .. ("000"):rep(i)), bigint.whole("1" .. ("000"):rep(i))
  RATE_UNITS[binary .. "bps"], VOLUME_UNITS[binary .. "B"] = bigint.whole(("%.0f"):format(1024 ^ i)), bigint.whole(("%.0f"):format(1024 ^ i))
end
local UNITS = { rate = RATE_UNITS, volume = VOLUME_UNITS }

local KNOWN = {
  currency = true, decimals = true, measure = true, unit = true, step = true, commit = true, commit_price = true, commit_fee = true,
  prorate_commit = true, price = true, tiers = true, tiering = true, minimum = true, prorate_minimum = true, cap = true, prorate_cap = true,
  fees = true, prorate = true, taxes = true, total_step = true, rounding = true,
}

--- The points at which amounts are rounded, and their default modes.
terms.POINTS = { rate = "half_up", units = "up", line = "half_up", tax = "half_up", total = "half_up" }

--- A decimal number from 0 as a fraction, or nil.
---@param value any
---@return scrutinizer.Fraction?
function terms.positive(value)
  local given = fraction.decimal(value)
  return given and bigint.compare(given.numerator, 0) >= 0 and given or nil
end

local positive = terms.positive

local function one_of(t, name, allowed)
  local value = t[name]
  if value == nil or allowed[value] then return nil end
  return check.message(name, value, table.concat(check.sorted_keys(allowed), ", "))
end

local function currency_complaint(t)
  if not currency.digits(t.currency) then return check.message("currency", t.currency, 'a code of ISO 4217 that has a minor unit, such as "EUR"') end
  if t.decimals ~= nil and not check.integer(t.decimals, 0, 9) then return check.message("decimals", t.decimals, "a whole number from 0 to 9") end
end

local function numbers_complaint(t)
  for _, name in ipairs { "commit", "commit_price", "price" } do
    if t[name] ~= nil and not positive(t[name]) then return check.message(name, t[name], "a decimal number from 0, exact, such as 12 or \"12.5\"") end
  end
  for _, name in ipairs { "commit_fee", "minimum", "cap" } do
    local whole = bigint.whole(t[name])
    if t[name] ~= nil and (not whole or bigint.compare(whole, 0) < 0) then return check.message(name, t[name], "whole minor units from 0") end
  end
  for _, name in ipairs { "step", "total_step" } do
    local given = positive(t[name])
    if t[name] ~= nil and (not given or given.numerator == 0) then return check.message(name, t[name], "a decimal number over 0") end
  end
  if t.total_step ~= nil and not bigint.whole(t.total_step) then return check.message("total_step", t.total_step, "whole minor units") end
  if t.minimum ~= nil and t.cap ~= nil and bigint.compare(bigint.whole(t.minimum), bigint.whole(t.cap)) > 0 then
    return "minimum: it is over the cap"
  end
end

local function flags_complaint(t)
  for _, name in ipairs { "prorate_commit", "prorate_minimum", "prorate_cap" } do
    local complaint = fields.flag(name, t[name])
    if complaint then return complaint end
  end
end

local TIER, FEE = { up_to = true, price = true }, { name = true, amount = true, prorate = true }
local TAX = { name = true, rate = true, reverse_charge = true }

local function tiers_complaint(t)
  if (t.price == nil) == (t.tiers == nil) then return "set either price or tiers" end
  if t.tiers == nil then return nil end
  if type(t.tiers) ~= "table" or next(t.tiers) == nil then return check.message("tiers", t.tiers, "a list of { up_to =, price = }") end
  local before = fraction.new(0)
  return fields.list("tiers", "tier", t.tiers, TIER, function(tier, i)
    if not positive(tier.price) then return "price must be a decimal number from 0" end
    local up_to = positive(tier.up_to)
    if i == #t.tiers then return tier.up_to ~= nil and "up_to: the last tier must have no up_to: usage beyond it would have no price" or nil end
    if not up_to or fraction.compare(up_to, before) <= 0 then return "up_to must be greater than the one before" end
    before = up_to
  end)
end

local function fees_complaint(t)
  return t.fees ~= nil and fields.list("fees", "fee", t.fees, FEE, function(fee)
    if not fields.is_text(fee.name) or not bigint.whole(fee.amount) then return "name and whole minor units as amount are needed" end
    return fields.flag("prorate", fee.prorate)
  end) or nil
end

local function taxes_complaint(t)
  return t.taxes ~= nil and fields.list("taxes", "tax", t.taxes, TAX, function(tax)
    if (tax.rate == nil) == (tax.reverse_charge == nil) then return "set either rate or reverse_charge" end
    local rate = tax.rate ~= nil and positive(tax.rate)
    if tax.rate ~= nil and (not rate or fraction.compare(rate, fraction.new(100)) > 0) then
      return check.message("rate", tax.rate, "percent from 0 to 100, such as 19 or \"8.1\"")
    end
    return fields.text("name", tax.name) or (tax.reverse_charge ~= nil and fields.text("reverse_charge", tax.reverse_charge) or nil)
  end) or nil
end

local function rounding_complaint(t)
  if t.rounding == nil then return nil end
  if type(t.rounding) ~= "table" then return check.message("rounding", t.rounding, "a table with rate, units, line, tax, total") end
  local unknown = fields.unknown("rounding", t.rounding, terms.POINTS)
  if unknown then return unknown end
  for point, how in pairs(t.rounding) do
    if not bigint.ROUNDINGS[how] and not (point == "rate" and how == "none") then
      return check.message("rounding." .. point, how, table.concat(check.sorted_keys(bigint.ROUNDINGS), ", "))
    end
  end
end

-- ---- fields that need another ----

local function has_item(list, name)
  for _, item in ipairs(list or {}) do
    if item[name] ~= nil and item[name] ~= false then return true end
  end
  return false
end

local function prorates(t)
  return t.prorate_commit or t.prorate_minimum or t.prorate_cap or has_item(t.fees, "prorate")
end

-- Field, whether something uses it, and what would.
local function needs(t, commits)
  local rounding = t.rounding or {}
  return {
    { "commit_price", t.commit_price, commits, "commit" }, { "commit_fee", t.commit_fee, commits, "commit" },
    { "prorate_commit", t.prorate_commit, commits, "commit" }, { "tiering", t.tiering, t.tiers, "tiers" },
    { "prorate_minimum", t.prorate_minimum, t.minimum, "minimum" }, { "prorate_cap", t.prorate_cap, t.cap, "cap" },
    { "prorate", t.prorate, prorates(t), "a fee with prorate = true, prorate_commit, prorate_minimum or prorate_cap" },
    { "rounding.rate", rounding.rate, t.measure ~= "volume", 'measure = "rate"' }, { "rounding.units", rounding.units, t.step, "step" },
    { "rounding.tax", rounding.tax, has_item(t.taxes, "rate"), "taxes with a rate" },
    { "rounding.total", rounding.total, t.total_step, "total_step" },
  }
end

local function effect_complaint(t, member_commits)
  if t.commit_price ~= nil and t.commit_fee ~= nil then return "set either commit_price or commit_fee" end
  if t.commit ~= nil and member_commits then return "commit: set it in the tariff or for the members, not both" end
  for _, need in ipairs(needs(t, t.commit ~= nil or member_commits)) do
    if need[2] ~= nil and not need[3] then return ("%s: it has no effect without %s"):format(need[1], need[4]) end
  end
end

--- What is wrong with a tariff, or nil.
---@param t any
---@param member_commits? boolean whether members of a pool have commits
---@return string?
function terms.complaint(t, member_commits)
  if type(t) ~= "table" then return check.message("tariff", t, "a table") end
  local units = UNITS[t.measure or "rate"]
  return fields.unknown("field", t, KNOWN) or currency_complaint(t) or one_of(t, "measure", UNITS)
    or (t.unit == nil and check.message("unit", nil, table.concat(check.sorted_keys(units), ", ")))
    or one_of(t, "unit", units) or one_of(t, "tiering", { graduated = true, volume = true })
    or one_of(t, "prorate", { days = true, seconds = true }) or numbers_complaint(t) or flags_complaint(t) or tiers_complaint(t)
    or fees_complaint(t) or taxes_complaint(t) or rounding_complaint(t) or effect_complaint(t, member_commits or false)
end

--- How many bits per second, or octets, one unit is.
---@param measure "rate"|"volume"
---@param unit string
---@return scrutinizer.Whole
function terms.unit(measure, unit)
  return UNITS[measure][unit]
end

return terms
