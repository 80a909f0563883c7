--- An invoice's figures as text, for the text, CSV and HTML outputs. Digits come from exact fractions; no amount is computed here.

local bigint = require "scrutinizer.arithmetic.bigint"
local fraction = require "scrutinizer.arithmetic.fraction"
local period = require "scrutinizer.billing.period"

local figures = {}

--- Minor units as "1234.50".
---@param amount scrutinizer.Whole|scrutinizer.Fraction minor units
---@param decimals integer digits of the minor unit
---@return string
function figures.money(amount, decimals)
  local minor = type(amount) == "table" and amount or fraction.new(amount)
  local major = fraction.divide(minor, fraction.new(bigint.whole("1" .. ("0"):rep(decimals))))
  -- A price may have more digits than the currency.
  local text = fraction.text(major)
  local short = fraction.text(major, decimals)
  return #text > #short and text or short
end

--- "1234567" as "1,234,567".
---@param digits string
---@return string
function figures.grouped(digits)
  local minus, whole, rest = digits:match "^(%-?)(%d+)(.*)$"
  return minus .. (whole:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", "")) .. rest
end

local SCALES = { { "Tbit/s", 12 }, { "Gbit/s", 9 }, { "Mbit/s", 6 }, { "kbit/s", 3 } }

--- A rate with its unit, rounded to three digits after the decimal point: "1.234 Gbit/s".
---@param rate scrutinizer.Fraction
---@return string
function figures.rate(rate)
  for _, scale in ipairs(SCALES) do
    local unit = fraction.new(bigint.whole("1" .. ("0"):rep(scale[2])))
    if fraction.compare(rate, unit) >= 0 then return fraction.text(fraction.divide(rate, unit), 3, "half_up") .. " " .. scale[1] end
  end
  return fraction.text(rate, 0, "half_up") .. " bit/s"
end

--- A quantity's text: exact with up to six digits after the decimal point, else rounded to six.
---@param quantity scrutinizer.Fraction
---@return string
function figures.quantity(quantity)
  local text = fraction.text(quantity)
  return #(text:match "%.(.*)$" or "") > 6 and fraction.text(quantity, 6, "half_up") or text
end

--- The line's formula: "377 Mbps × 7.505", "500.00 × 21/30 of the month"; empty for a plain fee.
---@param bill scrutinizer.Invoice
---@param line scrutinizer.InvoiceLine
---@return string
function figures.formula(bill, line)
  local price = figures.money(line.price, bill.decimals)
  local text = line.unit and ("%s %s × %s"):format(figures.quantity(line.quantity), line.unit, price) or (line.part and price or "")
  if not line.part then return text end
  return ("%s × %s/%s of the month"):format(text, bigint.text(line.part.numerator), bigint.text(line.part.denominator))
end

local SIDES = {
  higher_percentile = "the higher of inbound and outbound", higher_sample = "of each sample's higher direction",
  sum = "of inbound and outbound together", inbound = "of inbound", outbound = "of outbound",
}

local function of_percentile(used)
  local take = used.kept and (", mean of the next %d samples"):format(used.kept) or ""
  return ("%s, rank %d of %d%s"):format(used.method, used.rank, used.n, take)
end

-- How complete the samples are.
local function about_samples(used)
  local text = ("%d of %d, %s %%"):format(used.present, used.expected, used.coverage)
  if used.missing > 0 then
    text = ("%s; %d missing, counted as: %s"):format(text, used.missing, used.policy == "error" and "zero, below the threshold" or used.policy)
  end
  if used.duplicates > 0 then text = text .. ("; %d duplicates"):format(used.duplicates) end
  if used.outside > 0 then text = text .. ("; %d outside of the period left out"):format(used.outside) end
  return text
end

local function about_policies(used)
  local list = {}
  for _, policy in ipairs { "zero", "drop", "carry" } do
    local other = used.under[policy]
    list[#list + 1] = ("%s %s"):format(policy, other and ("%s (rank %d of %d)"):format(figures.rate(other.rate), other.rank, other.n) or "none")
  end
  return table.concat(list, ", ")
end

local function about_discarded(used, timezone)
  local first, last = used.discarded[1], used.discarded[#used.discarded]
  if not first then return "none" end
  local eight = fraction.new(8, used.interval)
  local function rate(sample) return figures.rate(fraction.multiply(fraction.new(sample[2]), eight)) end
  return ("%d samples, %s to %s; the highest at %s"):format(#used.discarded, rate(last), rate(first), period.clock_text(timezone, first[1]))
end

local SOURCES = {
  minute = "the appliance's one-minute tables, which keep all conversations",
  rollup = "the appliance's longer tables, which keep the greatest conversations only",
  totals = "the appliance's totals of interfaces, which are complete",
}

local function percent(share) return fraction.text(fraction.multiply(fraction.decimal(share), fraction.new(100)), 2, "down") end

-- Where the samples come from, and what share of the interfaces' totals the conversations there hold.
local function about_source(member, timezone)
  local text, worst = SOURCES[member.source], member.worst_interval
  if not worst then return text end
  return ("%s: %s %% of the interfaces' totals, at least %s %% in each interval (%s)"):format(text, percent(member.coverage_by_totals),
    percent(worst.coverage), period.clock_text(timezone, worst.at))
end

--- A member's usage as pairs of title and text, in order.
---@param bill scrutinizer.Invoice
---@param member scrutinizer.InvoiceMember
---@return string[][]
function figures.usage(bill, member)
  local used, list = member.usage, {}
  list[1] = { ("Percentile %s"):format(used.percent), ("%s (%s; %s, %s)"):format(figures.rate(used.rate), of_percentile(used),
    SIDES[used.direction], used.direction == "higher_percentile" and "here " .. used.side or ("%d s samples"):format(used.interval)) }
  for _, side in ipairs { "inbound", "outbound" } do
    if used.totals[side] then list[#list + 1] = { "Octets " .. side, figures.grouped(bigint.text(used.totals[side])) } end
  end
  list[#list + 1] = { "Samples", about_samples(used) }
  if SOURCES[member.source] then list[#list + 1] = { "Source", about_source(member, bill.period.timezone) } end
  if used.missing > 0 then list[#list + 1] = { "Under other policies", about_policies(used) } end
  list[#list + 1] = { "Discarded", about_discarded(used, bill.period.timezone) }
  for _, step in ipairs(member.steps) do
    list[#list + 1] = { "Rounded: " .. step.point, ("%s, %s to %s"):format(step.rounding, fraction.text(step.from), fraction.text(step.to)) }
  end
  list[#list + 1] = { "Billable", ("%s %s"):format(figures.quantity(member.units), bill.unit) }
  return list
end

--- The period in words.
---@param bill scrutinizer.Invoice
---@return string
function figures.period(bill)
  local of = bill.period
  local days = of.days and ("%d of %d days of %s"):format(of.days, of.month_days, of.month) or ("%d s"):format(of.to - of.from)
  if of.whole then days = of.month end
  return ("%s to %s (%s, %s)"):format(period.clock_text(of.timezone, of.from), period.clock_text(of.timezone, of.to), of.timezone, days)
end

--- The refusals that options overruled, or nil.
---@param bill scrutinizer.Invoice
---@return string?
function figures.forced(bill)
  return bill.forced[1] and table.concat(bill.forced, ", ") or nil
end

--- A fraction as a float, to draw it; no amount is computed from it.
---@param value scrutinizer.Fraction
---@return number
function figures.float(value)
  return tonumber(bigint.text(value.numerator)) / tonumber(bigint.text(value.denominator))
end

return figures
