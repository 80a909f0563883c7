--- An invoice's figures as text, for the text, CSV and HTML outputs. Digits come from exact fractions; no amount is computed here.

local ascii = require "scrutinizer.ascii"
local bigint = require "scrutinizer.arithmetic.bigint"
local fraction = require "scrutinizer.arithmetic.fraction"
local parties = require "scrutinizer.billing.contract.parties"
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
  return ("%s × %s/%s of the %s"):format(text, bigint.text(line.part.numerator), bigint.text(line.part.denominator),
    bill.period.anchor == 1 and "month" or "cycle")
end

--- What follows the lines, as { title, formula, amount }: the subtotal and the taxes.
---@param bill scrutinizer.Invoice
---@return { [1]: string, [2]: string, [3]: scrutinizer.Whole }[]
function figures.taxes(bill)
  if not bill.taxes then return {} end
  local list = { { "Subtotal", "", bill.subtotal } }
  for _, tax in ipairs(bill.taxes) do
    local formula = tax.reverse_charge or ("%s %% of %s"):format(fraction.text(tax.rate), figures.money(bill.subtotal, bill.decimals))
    list[#list + 1] = { tax.name, formula, tax.amount }
  end
  return list
end

--- The minimum and the cap of commit and usage in this period, as pairs of title and text.
---@param bill scrutinizer.Invoice
---@return string[][]
function figures.limits(bill)
  local list = {}
  for _, limit in ipairs { { "Minimum", bill.minimum }, { "Cap", bill.cap } } do
    if limit[2] then list[#list + 1] = { limit[1], ("%s %s"):format(figures.grouped(figures.money(limit[2], bill.decimals)), bill.currency) } end
  end
  return list
end

--- What the document is called: "Invoice", or "Credit note" for a negative total.
---@param bill scrutinizer.Invoice
---@return string
function figures.title(bill)
  return bill.document == "credit_note" and "Credit note" or "Invoice"
end

-- A text of several lines as one.
local function one_line(value)
  return (value:gsub("%s*\n%s*", ", "))
end

--- The two sides, the dates and the free text, as pairs of title and text.
---@param bill scrutinizer.Invoice
---@return string[][]
function figures.parties(bill)
  local list = {}
  for _, side in ipairs { { "seller", "Seller" }, { "buyer", "Customer" } } do
    for _, field in ipairs(parties.SHOWN) do
      local value = bill[side[1]] and bill[side[1]][field[1]]
      local title = field[1] == "name" and side[2] or ("%s: %s"):format(side[2], ascii.lower(field[2]))
      if value then list[#list + 1] = { title, one_line(value) } end
    end
  end
  for _, field in ipairs { { "issued", "Date" }, { "due", "Payable until" }, { "note", "Note" } } do
    if bill[field[1]] then list[#list + 1] = { field[2], one_line(bill[field[1]]) } end
  end
  return list
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
  if (used.excluded or 0) > 0 then text = text .. ("; %d excluded"):format(used.excluded) end
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

-- The exclusions with what was not billed because of each.
local function add_exclusions(list, used)
  for _, entry in ipairs(used.exclusions or {}) do
    local octets = {}
    for _, side in ipairs { "inbound", "outbound" } do
      if entry.octets[side] then octets[#octets + 1] = ("%s octets %s"):format(figures.grouped(bigint.text(entry.octets[side])), side) end
    end
    list[#list + 1] = { "Excluded: " .. one_line(entry.name),
      ("%s; %d samples, %s"):format(one_line(entry.reason), entry.samples, table.concat(octets, ", ")) }
  end
end

local OVER_SPEED = { clip = "counted as the line's speed", missing = "counted as missing", error = "" }

-- What the samples are against the line's speed.
local function add_speed(list, used)
  local over = used.over_speed
  if not over then return end
  local text = "no sample above it"
  if over.samples > 0 then
    local highest = fraction.multiply(fraction.new(over.highest[2]), fraction.new(8, used.interval))
    text = ("%d samples above it, %s; the highest %s %s"):format(over.samples, OVER_SPEED[over.policy], over.side, figures.rate(highest))
  end
  list[#list + 1] = { "Line speed", ("%s; %s"):format(figures.rate(fraction.new(over.line_speed)), text) }
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
  add_exclusions(list, used)
  add_speed(list, used)
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
  if of.anchor ~= 1 and not of.whole and of.days then days = ("%d of %d days of the cycle of %s"):format(of.days, of.month_days, of.month) end
  if of.whole then days = of.anchor == 1 and of.month or ("the cycle of %s from day %d"):format(of.month, of.anchor) end
  return ("%s to %s (%s, %s)"):format(period.clock_text(of.timezone, of.from), period.clock_text(of.timezone, of.to), of.timezone, days)
end

--- How each point is rounded.
---@param bill scrutinizer.Invoice
---@return string
function figures.rounding(bill)
  local list = {}
  for _, point in ipairs { "rate", "units", "line", "tax", "total" } do
    if bill.rounding[point] then list[#list + 1] = point .. " " .. bill.rounding[point] end
  end
  return table.concat(list, ", ")
end

--- The custom rule, or nil.
---@param bill scrutinizer.Invoice
---@return string?
function figures.rule(bill)
  return bill.rule and ("%s, version %s, SHA-256 of its source %s"):format(bill.rule.name, bill.rule.version, bill.rule.source_sha256) or nil
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
  local scale = bigint.whole("1" .. ("0"):rep(6))
  return tonumber(bigint.text(bigint.divide(bigint.multiply(value.numerator, scale), value.denominator, "down"))) / 1000000
end

return figures
