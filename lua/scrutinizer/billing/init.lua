--- Bills from five-minute samples: percentiles, tariffs, invoices and their audit. Whole numbers and exact fractions all through; what is
--- rounded is rounded by name. Wrong arguments raise; what the world does comes back as nil and err (kind "bill": no bill can be made).

local audit = require "scrutinizer.billing.audit"
local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local invoice = require "scrutinizer.billing.invoice"
local html_page = require "scrutinizer.billing.output.html"
local percentile = require "scrutinizer.billing.percentile"
local period = require "scrutinizer.billing.period"
local samples = require "scrutinizer.billing.samples"
local text = require "scrutinizer.billing.output.text"
local usage = require "scrutinizer.billing.usage"

local billing = {}

local SAMPLES, PERIOD = "what billing.samples or billing.collect gives", "what billing.month or billing.period gives"

-- Collecting needs the whole client: it is loaded when it is asked for.
local function collect()
  return require "scrutinizer.billing.collect"
end

--- The percentile of samples, found by selection. With the default method it is one of the samples, unchanged; no arithmetic touches it.
--- `discarded` are the samples above it. Formulas and their sources: `billing/rank.lua`. Wrong arguments raise.
---@param list table[]|scrutinizer.Whole[] numbers, or { epoch, number }; whole numbers beyond this Lua's as decimal text
---@param percent? number|string over 0, at most 100; exact as it reads in decimal ("99.9"); nil with `discard`
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

--- Takes one sample more.
---@param value scrutinizer.Whole of 64 bits
---@param at? integer its time; without one, its place
function Stream:add(value, at)
  if at then self._timed = true end
  if not self._top:add(value, at) then error(check.message("add", value, "a whole number of 64 bits"), 2) end
end

--- The percentile of what was added so far, as `billing.percentile` gives it; nil when nothing was. More may be added afterwards. Raises
--- when more came than was announced: what was forgotten may have been part of it.
---@return scrutinizer.Whole|number? value
---@return scrutinizer.PercentileInfo? info
function Stream:finish()
  local best, n = self._top:finish(self._timed)
  if n > self._most then error(("finish: %d samples came, %d were announced"):format(n, self._most), 2) end
  if n == 0 then return nil end
  return percentile.settle(self._plan, best, n)
end

--- A percentile of samples that come one by one, in memory for the samples above it only: of a month's 8,928 the greatest 447.
---@param most integer how many samples may come
---@param percent? number|string
---@param options? scrutinizer.PercentileOptions
---@return scrutinizer.PercentileStream
function billing.stream(most, percent, options)
  local plan, complaint = percentile.plan(percent, options)
  if not plan then error("stream: " .. complaint, 2) end
  if not check.integer(most, 1, 10000000) then error(check.message("stream", most, "a whole number from 1 to 10,000,000"), 2) end
  return setmetatable({ _plan = plan, _top = core.top(percentile.keep(plan, most)), _most = most }, Stream)
end

--- A calendar month of a zone, half-open: `billing.month("2026-11", "Europe/Berlin")`.
---@param month string
---@param timezone? string IANA name, default "UTC"
---@return scrutinizer.Period
function billing.month(month, timezone)
  local found, complaint = period.month(month, timezone or "UTC")
  if not found then error("month: " .. complaint, 2) end
  return found
end

--- Any other span, half-open: part of a month for a contract that begins or ends in it.
---@param from integer|string epoch seconds, or ISO 8601 text read in the zone
---@param to integer|string
---@param timezone? string IANA name, default "UTC"
---@return scrutinizer.Period
function billing.period(from, to, timezone)
  local found, complaint = period.span(from, to, timezone or "UTC")
  if not found then error("period: " .. complaint, 2) end
  return found
end

--- Samples from lists: for each side { { epoch, octets }, … } in any order, or several parts { { name =, points = … }, … } that are summed.
---@param of scrutinizer.Period
---@param sides { inbound?: table[], outbound?: table[] }
---@param options? { duplicates?: "error"|"sum"|"first"|"last", interval?: integer } an epoch that comes twice (default "error"); seconds of
---   a sample (default 300)
---@return scrutinizer.Samples? set
---@return scrutinizer.Error? err
function billing.samples(of, sides, options)
  local o = options or {}
  local complaint = samples.complaint(sides)
  local duplicates = o.duplicates or "error"
  if type(of) ~= "table" or not of.intervals then complaint = check.message("period", of, PERIOD) end
  if not samples.JOINS[duplicates] then complaint = check.message("duplicates", duplicates, table.concat(check.sorted_keys(samples.JOINS), ", ")) end
  if o.interval ~= nil and not check.integer(o.interval, 1, 86400) then complaint = check.message("interval", o.interval, "whole seconds") end
  if complaint then error("samples: " .. complaint, 2) end
  return samples.from_lists(of, sides, duplicates, o.interval)
end

--- Samples from the appliance: five-minute octets of reports filtered to the customer, one query for each part; their times and granularity
--- give way to the period's. Refused: buckets of another length, rows that no series shows, a period that has not ended.
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

--- Queries for `collect`: of a customer's interfaces (one part each), or of addresses, where inbound is what goes to them and outbound what
--- comes from them. A flow that several exporters report counts at each, so `exporter` (address or name, or { exporter, interface }) must be
--- said for addresses; "all" where no two report the same. The graph has `limit` rows (default 1), the rest is in Other.
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

--- What a customer used: the percentile by direction and policy, with all that an audit asks for.
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

--- The text that the audit's SHA-256 is of: "member 1", then one line "direction part epoch octets" for each sample.
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

--- Its lines as CSV, the total last.
---@return string
function Invoice:csv() return text.csv(self) end

--- All of it as JSON; whole numbers beyond 2^53 as text.
---@return string
function Invoice:json() return audit.json(self) end

--- A page that needs nothing else: the lines, the usage curve, the percentile's line, the discarded samples, the audit.
---@return string
function Invoice:html() return html_page.html(self) end

--- Writes invoice and samples to a file that `billing.verify` reads.
---@param path string
---@return true?
---@return scrutinizer.Error? err
function Invoice:save(path) return audit.save(self, path) end

local function finish(record)
  local bill, err = invoice.compose(record)
  if not bill then return nil, err end
  bill._record = record
  return setmetatable(bill, Invoice)
end

---@class scrutinizer.InvoiceInput
---@field customer string
---@field number? string
---@field samples? scrutinizer.Samples parts that are to be summed before ranking belong in one set
---@field members? { name: string, samples: scrutinizer.Samples, commit?: number|string }[] in place of samples, a pool: the sum of the
---   members' billable units is held against the sum of their commits (or the tariff's, where none has one)
---@field usage? scrutinizer.UsageOptions
---@field tariff scrutinizer.Tariff

--- An invoice: a plain table, printable as text, CSV, JSON and HTML. Made from what is given and nothing else: no clock, no network.
---@param given scrutinizer.InvoiceInput
---@return scrutinizer.Invoice? bill
---@return scrutinizer.Error? err
function billing.invoice(given)
  local record, complaint = invoice.record(given)
  if not record then error("invoice: " .. complaint, 2) end
  return finish(record)
end

--- Makes a saved bill again from its samples and compares it with the file, byte by byte. Nil and err name the first difference.
---@param path string
---@return scrutinizer.Invoice? bill the invoice, when all is as the file says
---@return scrutinizer.Error? err
function billing.verify(path)
  return audit.verify(path, finish)
end

--- One row for each invoice, with the columns that open billing tools keep: for tables of all customers, or of a year.
---@param bills scrutinizer.Invoice[]
---@return table[] rows for `scrutinizer.export`
---@return string[] columns in order
function billing.summary(bills)
  return text.summary(bills), text.SUMMARY
end

return billing
