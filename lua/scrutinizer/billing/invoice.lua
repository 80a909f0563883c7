--- An invoice: a plain table made only from a record of inputs, so that the same record gives the same invoice on every host.

local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local currency = require "scrutinizer.billing.contract.currency"
local errors = require "scrutinizer.errors"
local bigint = require "scrutinizer.arithmetic.bigint"
local fields = require "scrutinizer.billing.contract.fields"
local fraction = require "scrutinizer.arithmetic.fraction"
local parties = require "scrutinizer.billing.contract.parties"
local period = require "scrutinizer.billing.period"
local rule = require "scrutinizer.billing.contract.rule"
local samples = require "scrutinizer.billing.samples"
local tariff = require "scrutinizer.billing.tariff"
local usage = require "scrutinizer.billing.usage"

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
---@field document "invoice"|"credit_note"    a credit note when the total is negative
---@field seller? scrutinizer.Party
---@field buyer? scrutinizer.Party
---@field issued? string
---@field due? string
---@field note? string
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
---@field minimum? scrutinizer.Whole          minor units, for this period
---@field cap? scrutinizer.Whole              minor units, for this period
---@field subtotal? scrutinizer.Whole         minor units: the sum of the lines, when there are taxes
---@field taxes? { name: string, rate: scrutinizer.Fraction, reverse_charge?: string, exact: scrutinizer.Fraction, amount: scrutinizer.Whole }[]
---@field total scrutinizer.Whole             minor units, with taxes
---@field rule? { name: string, version: string, source_sha256: string } the custom rule that was applied
---@field rounding table<string, string>      how each point was rounded
---@field forced string[]                     refusals that an option overruled, such as "truncated"
---@field audit { version: string, samples_sha256: string, record_sha256: string } the program's version, and the SHA-256 of the samples' canonical
---   text and of the record: all that the bill is made from, as the saved file has it

-- ---- the record ----

-- Options as data of the bill's own. Percentages and shares become exact text, so that the file contains no float.
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

local function members_of(given)
  if given.members == nil then return { { name = given.customer, samples = given.samples } } end
  return given.members
end

-- Whether a member of a pool has a commit.
local function member_commits(given)
  for _, member in ipairs(type(given.members) == "table" and given.members or {}) do
    if type(member) == "table" and member.commit ~= nil then return true end
  end
  return false
end

local function same_period(members)
  local first = members[1].samples.period
  for _, member in ipairs(members) do
    local own = member.samples.period
    if own.from ~= first.from or own.to ~= first.to or own.timezone ~= first.timezone or own.anchor ~= first.anchor then return false end
  end
  return true
end

local function is_set(value)
  return type(value) == "table" and type(value.period) == "table" and type(value.n) == "number" and type(value.forced) == "table"
end

local MEMBER = { name = true, samples = true, commit = true }

local function member_complaint(member, plan)
  if not is_set(member.samples) then return check.message("samples", member.samples, "what billing.samples or billing.collect gives") end
  if not fields.is_text(member.name) then return check.message("name", member.name, fields.TEXT) end
  local commit = member.commit ~= nil and fraction.decimal(member.commit)
  if member.commit ~= nil and (not commit or bigint.compare(commit.numerator, 0) < 0) then
    return check.message("commit", member.commit, "a decimal number from 0")
  end
  return usage.complaint(plan, member.samples)
end

local function members_complaint(given, plan)
  if (given.samples == nil) == (given.members == nil) then return "set either samples or members" end
  local members = members_of(given)
  if type(members) ~= "table" or next(members) == nil then return check.message("members", members, "a list of { name =, samples =, commit = }") end
  local complaint = fields.list("members", "member", members, MEMBER, function(member) return member_complaint(member, plan) end)
  if complaint then return complaint end
  if not same_period(members) then return "members: their periods differ" end
end

local GIVEN = { customer = true, number = true, samples = true, members = true, usage = true, tariff = true, rule = true }
for _, name in ipairs(parties.FIELDS) do GIVEN[name] = true end

--- What is wrong with an invoice's input, or nil.
---@param given any
---@return string?
function invoice.complaint(given)
  if type(given) ~= "table" then return check.message("given", given, "a table") end
  local complaint = fields.unknown("field", given, GIVEN)
  if complaint then return complaint end
  if not fields.is_text(given.customer) then return check.message("customer", given.customer, fields.TEXT) end
  if given.number ~= nil and not fields.is_text(given.number) then return check.message("number", given.number, fields.TEXT) end
  if given.rule ~= nil and not rule.is(given.rule) then return check.message("rule", given.rule, "what billing.rule gives") end
  local plan
  plan, complaint = usage.plan(given.usage)
  complaint = complaint or parties.complaint(given) or tariff.complaint(given.tariff, member_commits(given)) or members_complaint(given, plan)
  if complaint then return complaint end
  local inner = plan.percentile
  return tariff.fits(given.tariff, members_of(given)[1].samples.period, inner.method == "linear" or inner.take == "mean_next",
    given.tariff.commit ~= nil or member_commits(given))
end

local SET_FIELDS = { "interval", "duplicates", "outside", "forced", "line_speed", "source", "coverage_by_totals", "worst_interval" }

local function copy_values(values)
  local copy = setmetatable({}, core.array_mt)
  for i = 1, #values do copy[i] = values[i] end
  return copy
end

local function record_samples(set)
  local copy = {}
  for _, name in ipairs(SET_FIELDS) do copy[name] = plain(set[name]) end
  for _, side in ipairs(samples.SIDES) do
    copy[side] = set[side] and setmetatable({}, core.array_mt)
    for i, part in ipairs(set[side] or {}) do
      copy[side][i] = { name = part.name, values = copy_values(part.values), query = plain(part.query), series = plain(part.series),
        files = plain(part.files) }
    end
  end
  return copy
end

--- The record of an invoice: all of its inputs, as data of its own. Nil and a complaint for wrong input.
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
  local record = {
    version = core.VERSION, customer = given.customer, number = given.number, usage = plain(given.usage or {}), tariff = plain(given.tariff),
    period = { from = of.from, to = of.to, timezone = of.timezone, anchor = of.anchor }, members = members, pool = given.members ~= nil,
  }
  for _, name in ipairs(parties.FIELDS) do record[name] = plain(given[name]) end
  return record
end

--- Runs a custom rule for every member of a record, and keeps what it gives.
---@param record table it is changed
---@param own scrutinizer.Rule
---@return table? record
---@return scrutinizer.Error? err
function invoice.apply_rule(record, own)
  local of = assert(period.between(record.period.from, record.period.to, record.period.timezone, record.period.anchor))
  record.rule = { name = own.name, version = own.version, source_sha256 = own.source_sha256 }
  for _, kept in ipairs(record.members) do
    local set, err = invoice.restore(kept.samples, of)
    if not set then return nil, err end
    kept.ruled, err = rule.run(own, set)
    if not kept.ruled then return nil, err end
  end
  return record
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
  for _, name in ipairs(SET_FIELDS) do set[name] = kept[name] end
  for _, side in ipairs(samples.SIDES) do set[side] = kept[side] end
  return set
end

--- The samples that a record's member is billed for: those that the custom rule gave, or the member's own.
---@param record table
---@param kept table the member
---@param of scrutinizer.Period
---@return scrutinizer.Samples? set
---@return scrutinizer.Error? err
function invoice.billed(record, kept, of)
  local set, err = invoice.restore(kept.samples, of)
  if not set or not kept.ruled then return set, err end
  return rule.applied(set, kept.ruled, record.rule)
end

local function queries_of(set)
  local list = {}
  for _, side in ipairs(samples.SIDES) do
    for i, part in ipairs(set[side] or {}) do
      list[#list + 1] = { side = side, part = i, name = part.name, query = plain(part.query), series = plain(part.series),
        files = plain(part.files) }
    end
  end
  return list
end

local function compose_member(record, kept, of, plan)
  local set, err = invoice.restore(kept.samples, of)
  if not set then return nil, err end
  local used
  used, err = usage.of(plan, kept.ruled and rule.applied(set, kept.ruled, record.rule) or set)
  if not used then
    err.message = ("%s: %s"):format(errors.neutral(kept.name, 100), err.message)
    return nil, err
  end
  local units, steps = tariff.units(record.tariff, used)
  local commit = kept.commit
  if commit == nil and not record.pool then commit = record.tariff.commit end
  return {
    name = kept.name, usage = used, units = units, steps = steps, queries = queries_of(set), forced = plain(set.forced),
    source = set.source, coverage_by_totals = set.coverage_by_totals, worst_interval = plain(set.worst_interval),
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
  bill.audit = { version = record.version, samples_sha256 = core.sha256(table.concat(texts)), record_sha256 = core.sha256(bill._record_text) }
end

-- The lines that a custom rule gave, of all members.
local function rule_lines(record)
  local list = {}
  for _, kept in ipairs(record.members) do
    for _, line in ipairs(kept.ruled and kept.ruled.lines or {}) do list[#list + 1] = line end
  end
  return list
end

-- An invoice's threshold where none is said. More missing samples are more often a mistake than a customer: a mistyped network has none at all.
local THRESHOLD = fraction.new(1, 2)

-- What an invoice says about itself and its two sides.
local function head_of(record, of)
  local bill = {
    customer = record.customer, number = record.number, period = of, members = {}, forced = {}, currency = record.tariff.currency,
    decimals = record.tariff.decimals or currency.digits(record.tariff.currency), measure = record.tariff.measure or "rate",
    unit = record.tariff.unit, pool = record.pool, rule = plain(record.rule),
  }
  for _, name in ipairs(parties.FIELDS) do bill[name] = plain(record[name]) end
  return bill
end

--- Makes the invoice of a record.
---@param record table
---@param text string the record's JSON text
---@return scrutinizer.Invoice? bill
---@return scrutinizer.Error? err
function invoice.compose(record, text)
  local of, complaint = period.between(record.period.from, record.period.to, record.period.timezone, record.period.anchor)
  if not of then return errors.fail("bill", complaint) end
  local plan = assert(usage.plan(record.usage))
  plan.threshold = plan.threshold or THRESHOLD
  local bill = head_of(record, of)
  bill._record, bill._record_text = record, text
  for i, kept in ipairs(record.members) do
    local member, err = compose_member(record, kept, of, plan)
    if not member then return nil, err end
    bill.members[i] = member
  end
  sum_up(bill, record)
  local priced = tariff.price(record.tariff, of, bill.units, bill.commit, rule_lines(record))
  for name, value in pairs(priced) do bill[name] = value end
  bill.document = bigint.compare(bill.total, 0) < 0 and "credit_note" or "invoice"
  if bill.commit and bigint.compare(bill.commit.numerator, 0) > 0 then
    bill.used = fraction.text(fraction.multiply(fraction.divide(bill.units, bill.commit), fraction.new(100)), 2, "half_up")
  end
  return bill
end

return invoice
