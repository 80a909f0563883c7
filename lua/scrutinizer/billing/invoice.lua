--- An invoice: a plain table made only from a record of inputs, so that the same record gives the same invoice on every host.

local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local bigint = require "scrutinizer.arithmetic.bigint"
local fraction = require "scrutinizer.arithmetic.fraction"
local period = require "scrutinizer.billing.period"
local samples = require "scrutinizer.billing.samples"
local tariff = require "scrutinizer.billing.tariff"
local usage = require "scrutinizer.billing.usage"
local wire = require "scrutinizer.wire"

local invoice = {}

---@class scrutinizer.InvoiceMember
---@field name string
---@field usage scrutinizer.Usage
---@field units scrutinizer.Fraction   billable units, rounded as the tariff says
---@field commit? scrutinizer.Fraction
---@field steps table[]                the roundings in order: { point =, rounding =, from =, to = }
---@field source? "minute"|"rollup"|"totals" the appliance's tables that the samples come from
---@field coverage_by_totals? number|string all conversations over all interfaces' totals
---@field worst_interval? { at: integer, coverage: number|string } where that is least
---@field queries table[]              the requests to the appliance, without the token: { side =, part =, name =, query =, files = }

---@class scrutinizer.InvoiceLine
---@field name string
---@field quantity scrutinizer.Fraction
---@field unit? string                  nil for a fee
---@field price scrutinizer.Fraction    minor units
---@field part? scrutinizer.Fraction    share of the month, when the line is prorated
---@field exact scrutinizer.Fraction    quantity × price × part
---@field amount scrutinizer.Whole      `exact` rounded to minor units

---@class scrutinizer.Invoice
---@field customer string
---@field number? string
---@field period scrutinizer.Period
---@field currency string
---@field decimals integer                    digits of the minor unit
---@field measure "rate"|"volume"
---@field unit string
---@field members scrutinizer.InvoiceMember[] one, or the members of a pool
---@field units scrutinizer.Fraction          billable units of all members
---@field commit? scrutinizer.Fraction        units, of all members
---@field over scrutinizer.Fraction           units over the commit
---@field used? string                        usage in percent of the commit
---@field lines scrutinizer.InvoiceLine[]
---@field total scrutinizer.Whole             minor units
---@field rounding table<string, string>      how each point was rounded
---@field forced string[]                     refusals that an option overruled, such as "truncated"
---@field audit { version: string, samples_sha256: string } the program's version, and the SHA-256 of the samples' canonical text

-- ---- the record ----

-- Options as data. Percentages and shares become exact text, so that the file contains no float.
local function plain_number(value)
  local given = type(value) == "number" and fraction.decimal(value)
  if not given then return value end
  return given.denominator == 1 and given.numerator or fraction.text(given, 30):gsub("0+$", "")
end

local function plain(value)
  if type(value) ~= "table" then return (plain_number(value)) end
  local copy = setmetatable({}, (#value > 0 or next(value) == nil) and core.array_mt or nil)
  for key, item in pairs(value) do copy[key] = plain(item) end
  return copy
end

local TEXT = "text in UTF-8"

local function is_text(value)
  return type(value) == "string" and wire.try_encode(value) ~= nil
end

local function members_of(given)
  if given.members == nil then return { { name = given.customer, samples = given.samples } } end
  return given.members
end

local function same_period(members)
  local first = members[1].samples.period
  for _, member in ipairs(members) do
    local own = member.samples.period
    if own.from ~= first.from or own.to ~= first.to or own.timezone ~= first.timezone then return false end
  end
  return true
end

local function is_set(value)
  return type(value) == "table" and type(value.period) == "table" and type(value.n) == "number" and type(value.forced) == "table"
end

local function members_complaint(given, plan)
  if (given.samples == nil) == (given.members == nil) then return "set either samples or members" end
  local members = members_of(given)
  if type(members) ~= "table" or #members == 0 then return check.message("members", members, "a list of { name =, samples =, commit = }") end
  for i, member in ipairs(members) do
    if type(member) ~= "table" or not is_set(member.samples) then
      return check.message(("member %d: samples"):format(i), type(member) == "table" and member.samples or nil,
        "what billing.samples or billing.collect gives")
    end
    if not is_text(member.name) then return check.message(("member %d: name"):format(i), member.name, TEXT) end
    local commit = member.commit ~= nil and fraction.decimal(member.commit)
    if member.commit ~= nil and (not commit or bigint.compare(commit.numerator, 0) < 0) then
      return check.message(("member %d: commit"):format(i), member.commit, "a decimal number from 0")
    end
    local complaint = usage.complaint(plan, member.samples)
    if complaint then return ("member %d: %s"):format(i, complaint) end
  end
  if not same_period(members) then return "members: their periods differ" end
end

local GIVEN = { customer = true, number = true, samples = true, members = true, usage = true, tariff = true }

--- What is wrong with an invoice's input, or nil.
---@param given any
---@return string?
function invoice.complaint(given)
  if type(given) ~= "table" then return check.message("given", given, "a table") end
  for name in pairs(given) do
    if not GIVEN[name] then return check.message("field", name, table.concat(check.sorted_keys(GIVEN), ", ")) end
  end
  if not is_text(given.customer) then return check.message("customer", given.customer, TEXT) end
  if given.number ~= nil and not is_text(given.number) then return check.message("number", given.number, TEXT) end
  local plan, complaint = usage.plan(given.usage)
  complaint = complaint or tariff.complaint(given.tariff) or members_complaint(given, plan)
  if complaint then return complaint end
  local inner = plan.percentile
  return tariff.fits(given.tariff, members_of(given)[1].samples.period, inner.method == "linear" or inner.take == "mean_next")
end

local function record_samples(set)
  local copy = { interval = set.interval, duplicates = set.duplicates, outside = set.outside, forced = plain(set.forced),
    source = set.source, coverage_by_totals = plain(set.coverage_by_totals), worst_interval = set.worst_interval and plain(set.worst_interval) }
  for _, side in ipairs(samples.SIDES) do copy[side] = set[side] end
  return copy
end

--- The record of an invoice: all of its inputs, as data. Nil and a complaint for wrong input.
---@param given table
---@return table? record
---@return string? complaint
function invoice.record(given)
  local complaint = invoice.complaint(given)
  if complaint then return nil, complaint end
  local members = {}
  for i, member in ipairs(members_of(given)) do
    members[i] = { name = member.name, commit = plain(member.commit), samples = record_samples(member.samples) }
  end
  local of = members_of(given)[1].samples.period
  return {
    version = core.VERSION, customer = given.customer, number = given.number, usage = plain(given.usage or {}), tariff = plain(given.tariff),
    period = { from = of.from, to = of.to, timezone = of.timezone }, members = members, pool = given.members ~= nil,
  }
end

-- ---- the invoice ----

--- The samples of a record's member.
---@param kept table
---@param of scrutinizer.Period
---@return scrutinizer.Samples? set
---@return scrutinizer.Error? err
function invoice.restore(kept, of)
  local set, err = samples.new(of, kept.interval)
  if not set then return nil, err end
  set.duplicates, set.outside, set.forced = kept.duplicates, kept.outside, kept.forced
  set.source, set.coverage_by_totals, set.worst_interval = kept.source, kept.coverage_by_totals, kept.worst_interval
  for _, side in ipairs(samples.SIDES) do set[side] = kept[side] end
  return set
end

local function queries_of(set)
  local list = {}
  for _, side in ipairs(samples.SIDES) do
    for i, part in ipairs(set[side] or {}) do
      list[#list + 1] = { side = side, part = i, name = part.name, query = part.query, series = part.series, files = part.files }
    end
  end
  return list
end

local function compose_member(record, kept, of, plan)
  local set, err = invoice.restore(kept.samples, of)
  if not set then return nil, err end
  local used
  used, err = usage.of(plan, set)
  if not used then
    err.message = ("%s: %s"):format(errors.neutral(kept.name, 100), err.message)
    return nil, err
  end
  local units, steps = tariff.units(record.tariff, used)
  local commit = kept.commit
  if commit == nil and not record.pool then commit = record.tariff.commit end
  return {
    name = kept.name, usage = used, units = units, steps = steps, queries = queries_of(set), forced = set.forced,
    source = set.source, coverage_by_totals = set.coverage_by_totals, worst_interval = set.worst_interval,
    commit = commit ~= nil and fraction.decimal(commit) or nil, canonical = samples.canonical(set),
  }
end

-- Sums units and commits over the members; a normal invoice has one member.
local function sum_up(bill, record)
  local texts, seen = {}, {}
  bill.units = fraction.new(0)
  for i, member in ipairs(bill.members) do
    bill.units = fraction.add(bill.units, member.units)
    if member.commit then bill.commit = fraction.add(bill.commit or fraction.new(0), member.commit) end
    texts[i], member.canonical = ("member %d\n"):format(i) .. member.canonical, nil
    for _, word in ipairs(member.forced) do
      if not seen[word] then table.insert(bill.forced, word) end
      seen[word] = true
    end
    member.forced = nil
  end
  -- A pool may take the tariff's commit instead of commits per member.
  if not bill.commit and record.tariff.commit ~= nil then bill.commit = fraction.decimal(record.tariff.commit) end
  local text = table.concat(texts)
  bill.audit = { version = record.version, samples_sha256 = core.sha256(text) }
  return text
end

--- Makes the invoice of a record.
---@param record table
---@return scrutinizer.Invoice? bill
---@return scrutinizer.Error|string what err, or the canonical text of all samples
function invoice.compose(record)
  local of, complaint = period.between(record.period.from, record.period.to, record.period.timezone)
  if not of then return errors.fail("bill", complaint) end
  local plan = assert(usage.plan(record.usage))
  local bill = {
    customer = record.customer, number = record.number, period = of, members = {}, forced = {}, currency = record.tariff.currency,
    decimals = record.tariff.decimals or 2, measure = record.tariff.measure or "rate", unit = record.tariff.unit, pool = record.pool,
  }
  for i, kept in ipairs(record.members) do
    local member, err = compose_member(record, kept, of, plan)
    if not member then return nil, err end
    bill.members[i] = member
  end
  local canonical = sum_up(bill, record)
  local priced = tariff.price(record.tariff, of, bill.units, bill.commit)
  for name, value in pairs(priced) do bill[name] = value end
  if bill.commit and bigint.compare(bill.commit.numerator, 0) > 0 then
    bill.used = fraction.text(fraction.multiply(fraction.divide(bill.units, bill.commit), fraction.new(100)), 2, "half_up")
  end
  return bill, canonical
end

return invoice
