--- Bills from five-minute samples: percentiles, tariffs, invoices and their audit. It computes with whole numbers and exact fractions only.
--- Each rounding uses a named mode (half_up, half_even, up, down). Wrong arguments raise; other failures return nil and err (kind "bill": no
--- bill can be made from these samples).

local audit = require "scrutinizer.billing.audit"
local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local bigint = require "scrutinizer.arithmetic.bigint"
local invoice = require "scrutinizer.billing.invoice"
local html_page = require "scrutinizer.billing.output.html"
local fields = require "scrutinizer.billing.contract.fields"
local line_speed = require "scrutinizer.billing.contract.line_speed"
local percentile = require "scrutinizer.billing.percentile"
local period = require "scrutinizer.billing.period"
local rule = require "scrutinizer.billing.contract.rule"
local samples = require "scrutinizer.billing.samples"
local text = require "scrutinizer.billing.output.text"
local usage = require "scrutinizer.billing.usage"

local billing = {}

local SAMPLE_OPTIONS = { duplicates = true, interval = true, line_speed = true }
local SAMPLES, PERIOD = "what billing.samples or billing.collect gives", "what billing.month or billing.period gives"

-- Collecting needs the whole client, so it is loaded on first use.
local function collect()
  return require "scrutinizer.billing.collect"
end

--- The percentile of samples. With the default method the result is one of the samples, unchanged.
--- `info.discarded` lists the samples above it. `billing/rank.lua` has the formulas and their sources. Wrong arguments raise.
---@param list table[]|scrutinizer.Whole[] numbers, or { epoch, number }; decimal text for whole numbers that this Lua cannot hold exactly
---@param percent? number|string over 0, at most 100, taken as the exact decimal number ("99.9"); nil with `discard`
---@param options? scrutinizer.PercentileOptions
---@return scrutinizer.Whole|number value
---@return scrutinizer.PercentileInfo info
function billing.percentile(list, percent, options)
  local plan, complaint = percentile.plan(percent, options)
  if not plan then error("percentile: " .. complaint, 2) end
  local value, info = percentile.run(plan, list)
  if value == nil then error("percentile: " .. info, 2) end
  return value, info
end

---@class scrutinizer.PercentileStream
---@field private _plan table
---@field private _top table
---@field private _most integer
local Stream = {}
Stream.__index = Stream
Stream.__name = "scrutinizer.PercentileStream"

--- Adds one sample.
---@param value scrutinizer.Whole of at most 64 bits
---@param at? integer its time in epoch seconds; default: its position in the stream
---@return true
function Stream:add(value, at)
  if at then self._timed = true end
  if not self._top:add(value, at) then error(check.message("add", value, "a whole number of 64 bits"), 2) end
  return true
end

--- The percentile of the samples added so far, as `billing.percentile` returns it; nil when there are none. More samples may be added
--- afterwards. Raises when more than `most` samples were added: a sample that was needed may have been dropped.
---@return scrutinizer.Whole|number? value
---@return scrutinizer.PercentileInfo? info
function Stream:finish()
  local best, n = self._top:finish(self._timed)
  if n > self._most then error(("finish: %d samples were added, more than the maximum of this stream, %d"):format(n, self._most), 2) end
  if n == 0 then return nil end
  return percentile.settle(self._plan, best, n)
end

--- A percentile of samples that are added one by one. It keeps only the samples above the percentile: of a month's 8,928 the greatest 447.
---@param most integer how many samples may be added at most
---@param percent? number|string over 0, at most 100; nil with `discard`
---@param options? scrutinizer.PercentileOptions
---@return scrutinizer.PercentileStream
function billing.stream(most, percent, options)
  local plan, complaint = percentile.plan(percent, options)
  if not plan then error("stream: " .. complaint, 2) end
  if not check.integer(most, 1, 10000000) then error(check.message("stream", most, "a whole number from 1 to 10,000,000"), 2) end
  return setmetatable({ _plan = plan, _top = core.top(percentile.keep(plan, most)), _most = most }, Stream)
end

--- A calendar month in a time zone, without the first second of the next month: `billing.month("2026-11", "Europe/Berlin")`.
---@param month string
---@param timezone? string IANA name, default "UTC"
---@return scrutinizer.Period
function billing.month(month, timezone)
  local found, complaint = period.month(month, timezone or "UTC")
  if not found then error("month: " .. complaint, 2) end
  return found
end

--- A billing cycle: from a day of the month up to that day of the next one, in a time zone. `billing.cycle("2026-11", 16)` ends before 16
--- December. In a month that is too short the cycle begins on its last day.
---@param month string the month in which the cycle begins
---@param anchor integer the day of the month, 1 to 31
---@param timezone? string IANA name, default "UTC"
---@return scrutinizer.Period
function billing.cycle(month, anchor, timezone)
  local found, complaint = period.month(month, timezone or "UTC", anchor == nil and 0 or anchor)
  if not found then error("cycle: " .. complaint, 2) end
  return found
end

--- Any other span, such as part of a month when a contract begins or ends in it.
---@param from integer|string epoch seconds, or ISO 8601 text in the time zone
---@param to integer|string the same; this moment is not part of the period
---@param timezone? string IANA name, default "UTC"
---@param anchor? integer the day of the month on which billing cycles begin (default 1): the span is a part of such a cycle
---@return scrutinizer.Period
function billing.period(from, to, timezone, anchor)
  local found, complaint = period.span(from, to, timezone or "UTC", anchor)
  if not found then error("period: " .. complaint, 2) end
  return found
end

--- Samples from lists. Each side is { { epoch, octets }, … } in any order, or several parts { { name =, points = … }, … } that are summed.
---@param of scrutinizer.Period
---@param sides { inbound?: table[], outbound?: table[] }
---@param options? { duplicates?: "error"|"sum"|"first"|"last", interval?: integer, line_speed?: integer } duplicates: what to do when an epoch
---   occurs twice (default "error"); interval: seconds per sample (default 300); line_speed: as in the usage's options, for these samples
---@return scrutinizer.Samples? set
---@return scrutinizer.Error? err
function billing.samples(of, sides, options)
  local o = options or {}
  local complaint = type(o) ~= "table" and check.message("options", o, "a table") or fields.unknown("option", o, SAMPLE_OPTIONS)
  if complaint then error("samples: " .. complaint, 2) end
  local duplicates, interval, speed = o.duplicates or "error", nil, bigint.whole(o.line_speed)
  complaint = samples.complaint(sides)
  if type(of) ~= "table" or not of.intervals then complaint = check.message("period", of, PERIOD) end
  if not samples.JOINS[duplicates] then complaint = check.message("duplicates", duplicates, table.concat(check.sorted_keys(samples.JOINS), ", ")) end
  if o.interval ~= nil then
    interval = check.integer(o.interval, 1, 86400)
    complaint = not interval and check.message("interval", o.interval, "whole seconds") or complaint
  end
  if o.line_speed ~= nil and (not speed or bigint.compare(speed, 0) <= 0) then
    complaint = check.message("line_speed", o.line_speed, "whole bits per second over 0")
  end
  if complaint then error("samples: " .. complaint, 2) end
  local set, err = samples.from_lists(of, sides, duplicates, interval)
  if not set then return nil, err end
  set.line_speed = speed
  return set
end

--- Samples from the appliance: five-minute octets from reports that are filtered to the customer, one query per part. The period's times and
--- a granularity of five minutes (or `coarser`) replace those of the queries. Refused: buckets of another length, rows without a series, a
--- period that has not ended. Of groups, networks and addresses it asks for one-minute buckets while the appliance has them, because from five
--- minutes on it keeps only the greatest conversations; it measures how much that is, and refuses less than `coverage_by_totals`.
---@param of scrutinizer.Period
---@param queries { inbound?: scrutinizer.Query|scrutinizer.Query[], outbound?: scrutinizer.Query|scrutinizer.Query[] }
---@param options? scrutinizer.CollectOptions
---@return scrutinizer.Samples? set
---@return scrutinizer.Error? err
function billing.collect(of, queries, options)
  local complaint = collect().complaint(queries, options)
  if type(of) ~= "table" or not of.intervals then complaint = check.message("period", of, PERIOD) end
  if complaint then error("collect: " .. complaint, 2) end
  return collect().run(of, queries, options)
end

--- Samples of many customers, into files: for each day and side one graph of all customers and one file, with a manifest. Run it every day: it asks
--- for what is not there yet. A customer that cannot be collected is in `refused` of the result and does not stop the others.
---@param of scrutinizer.Period
---@param customers table[] { name = "ACME", exporter = …, network = … }: as `queries` takes it, with a name
---@param options scrutinizer.ManyOptions
---@return scrutinizer.Collected?
---@return scrutinizer.Error? err
function billing.collect_many(of, customers, options)
  local complaint = require("scrutinizer.billing.collect_many").complaint(customers, options)
  if type(of) ~= "table" or not of.intervals then complaint = check.message("period", of, PERIOD) end
  if complaint then error("collect_many: " .. complaint, 2) end
  return require("scrutinizer.billing.collect_many").run(of, customers, options)
end

--- Opens the files that `collect_many` wrote for a period: `:names()` lists the customers, `:samples(name)` gives one's samples, for an invoice.
---@param of scrutinizer.Period
---@param dir string
---@return scrutinizer.CollectedFiles?
---@return scrutinizer.Error? err a day is missing, or a file is not what its manifest says
function billing.collected(of, dir)
  local complaint = (type(dir) ~= "string" or dir == "") and check.message("dir", dir, "the path of a folder")
  if type(of) ~= "table" or not of.intervals then complaint = check.message("period", of, PERIOD) end
  if complaint then error("collected: " .. complaint, 2) end
  return require("scrutinizer.billing.collected").open(of, dir)
end

--- Queries for `collect`, for a customer's interfaces (one part each) or addresses. For addresses, inbound is traffic to them and outbound
--- traffic from them. A flow that several exporters report is counted once per exporter, so addresses need `exporter`: an address or name,
--- or "all" when no two exporters report the same flow. The graph has `limit` rows (default 1); the rest is in Other.
---@param client scrutinizer.Client
---@param customer { interfaces?: table[], ip_group?: any, network?: any, ip?: any, exporter?: any, report?: string, limit?: integer }
---@return { inbound: scrutinizer.Query[], outbound: scrutinizer.Query[] }
function billing.queries(client, customer)
  local complaint = collect().customer_complaint(customer)
  if complaint then error("queries: " .. complaint, 2) end
  local fine, found = pcall(collect().queries, client, customer)
  if not fine then error("queries: " .. tostring(found):gsub("^[^\n]-%.lua:%d+: ", ""), 2) end
  return found
end

--- The speed of a customer's interfaces together, for `line_speed`, as the appliance shows it: with two digits after the decimal point.
---@param client scrutinizer.Client
---@param customer { interfaces: table[] } as for `queries`
---@return scrutinizer.Whole? bits per second
---@return scrutinizer.Error? err
function billing.line_speed(client, customer)
  local complaint = collect().customer_complaint(customer)
  if not complaint and not fields.is_list(customer.interfaces) then
    complaint = check.message("interfaces", customer.interfaces, "a list of { exporter, number or name }")
  end
  if complaint then error("line_speed: " .. complaint, 2) end
  return line_speed.of(client, customer.interfaces)
end

--- What a customer used: the percentile under each policy for missing samples, with all figures that an audit needs.
---@param set scrutinizer.Samples
---@param options? scrutinizer.UsageOptions
---@return scrutinizer.Usage? result
---@return scrutinizer.Error? err
function billing.usage(set, options)
  local plan, complaint = usage.plan(options)
  if plan and (type(set) ~= "table" or not set.period) then complaint = check.message("samples", set, SAMPLES) end
  complaint = complaint or usage.complaint(plan, set)
  if complaint then error("usage: " .. complaint, 2) end
  return usage.of(plan, set)
end

--- The text whose SHA-256 is in the audit: "member 1", then one line "direction part epoch octets" for each sample.
---@param set scrutinizer.Samples
---@return string
function billing.canonical(set)
  return "member 1\n" .. samples.canonical(set)
end

local Invoice = {}
Invoice.__index = Invoice
Invoice.__name = "scrutinizer.Invoice"

--- The invoice as plain text.
---@return string
function Invoice:text() return text.plain(self) end

--- The invoice's lines as CSV. The last line is the total.
---@return string
function Invoice:csv() return text.csv(self) end

--- The whole invoice as JSON; whole numbers beyond 2^53 are text.
---@return string
function Invoice:json() return audit.json(self) end

--- One HTML page without external files: the lines, the usage curve, the percentile's line, the discarded samples, the audit.
---@return string
function Invoice:html() return html_page.html(self) end

--- Writes invoice and samples to a file that `billing.verify` reads.
---@param path string
---@return true?
---@return scrutinizer.Error? err
function Invoice:save(path) return audit.save(self, path) end

local function finish(record)
  local bill, err = invoice.compose(record, audit.record_text(record))
  if not bill then return nil, err end
  return setmetatable(bill, Invoice)
end

---@class scrutinizer.InvoiceInput: scrutinizer.Parties
---@field customer string name on the invoice
---@field number? string the invoice's number
---@field samples? scrutinizer.Samples one set; its parts are summed before ranking
---@field members? { name: string, samples: scrutinizer.Samples, commit?: number|string }[] a pool, instead of `samples`: the sum of the
---   members' billable units is compared with the sum of their commits (or with the tariff's commit when no member has one)
---@field usage? scrutinizer.UsageOptions
---@field tariff scrutinizer.Tariff
---@field rule? scrutinizer.Rule a custom rule, from `billing.rule`; it is run once for each member

--- A custom rule: `apply` gets a customer's samples with their local time, and the period; it gives `{ samples = …, lines = … }`, either or both.
--- The bill keeps its name, version, the SHA-256 of its source, and what it gave.
---@param given scrutinizer.RuleInput
---@return scrutinizer.Rule
function billing.rule(given)
  local made, complaint = rule.new(given)
  if not made then error("rule: " .. complaint, 2) end
  return made
end

--- An invoice: a plain table, printable as text, CSV, JSON and HTML. It depends only on the argument: no clock, no network.
---@param given scrutinizer.InvoiceInput
---@return scrutinizer.Invoice? bill
---@return scrutinizer.Error? err
function billing.invoice(given)
  local record, complaint = invoice.record(given)
  if not record then error("invoice: " .. complaint, 2) end
  if given.rule then
    local ok, err = invoice.apply_rule(record, given.rule)
    if not ok then return nil, err end
  end
  return finish(record)
end

--- Makes a saved bill again from its samples and compares it with the file, byte by byte. On a difference it returns nil and an err that
--- names the first one. That proves that the file agrees with itself, not who made it: for that, sign the file.
---@param path string
---@param options? { rule?: scrutinizer.Rule } rule: the bill's custom rule, to run it again
---@return scrutinizer.Invoice? bill the invoice, when it equals the file
---@return scrutinizer.Error|{ rule: "run again"|"not run" }? err; with a bill that has a custom rule: what became of the rule
function billing.verify(path, options)
  local o = options or {}
  local complaint = type(o) ~= "table" and check.message("options", o, "a table") or fields.unknown("option", o, { rule = true })
  if not complaint and o.rule ~= nil and not rule.is(o.rule) then complaint = check.message("rule", o.rule, "what billing.rule gives") end
  if complaint then error("verify: " .. complaint, 2) end
  return audit.verify(path, finish, o.rule)
end

--- One row for each invoice, with the columns of open-source billing tools: for a table of all customers, or of a year.
---@param bills scrutinizer.Invoice[]
---@return table[] rows for `scrutinizer.export`
---@return string[] columns in order
function billing.summary(bills)
  return text.summary(bills), text.SUMMARY
end

return billing
