--- An invoice as plain text and as CSV rows.

local cells = require "scrutinizer.export.cells"
local errors = require "scrutinizer.errors"
local bigint = require "scrutinizer.arithmetic.bigint"
local export = require "scrutinizer.export"
local fraction = require "scrutinizer.arithmetic.fraction"
local period = require "scrutinizer.billing.period"
local figures = require "scrutinizer.billing.output.figures"

local text = {}

local function shown(value)
  return errors.neutral(value, 200)
end

local function heads(bill)
  local list = { { "Customer", shown(bill.customer) }, { "Period", figures.period(bill) } }
  if bill.number then table.insert(list, 1, { "Invoice", shown(bill.number) }) end
  for _, member in ipairs(bill.members) do
    if bill.pool then list[#list + 1], list[#list + 2] = { "", "" }, { "Member", shown(member.name) } end
    for _, entry in ipairs(figures.usage(bill, member)) do list[#list + 1] = entry end
  end
  if bill.commit then
    local used = bill.used and (", %s %% used"):format(bill.used) or ""
    list[#list + 1] = { "Commit", ("%s %s%s"):format(figures.quantity(bill.commit), bill.unit, used) }
  end
  if figures.forced(bill) then list[#list + 1] = { "Billed although", figures.forced(bill) } end
  return list
end

local function pad(value, width, right)
  local space = (" "):rep(width - cells.width(value))
  return right and space .. value or value .. space
end

-- Lines as columns: name, formula, amount.
local function table_of(bill)
  local rows, widths = {}, { 0, 0, 0 }
  for _, line in ipairs(bill.lines) do
    rows[#rows + 1] = { shown(line.name), figures.formula(bill, line), figures.grouped(figures.money(line.amount, bill.decimals)) }
  end
  rows[#rows + 1] = { "Total " .. bill.currency, "", figures.grouped(figures.money(bill.total, bill.decimals)) }
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do widths[i] = math.max(widths[i], cells.width(cell)) end
  end
  local out = {}
  for i, row in ipairs(rows) do
    if i == #rows then out[i] = ("-"):rep(widths[1] + widths[2] + widths[3] + 4) end
    out[#out + 1] = ("%s  %s  %s"):format(pad(row[1], widths[1]), pad(row[2], widths[2]), pad(row[3], widths[3], true))
  end
  return table.concat(out, "\n")
end

--- The invoice as text. Control bytes in names are shown as `\xNN`.
---@param bill scrutinizer.Invoice
---@return string
function text.plain(bill)
  local out, width = {}, 0
  local list = heads(bill)
  for _, entry in ipairs(list) do width = math.max(width, cells.width(entry[1])) end
  for _, entry in ipairs(list) do out[#out + 1] = (pad(entry[1], width) .. "  " .. entry[2]):gsub(" +$", "") end
  out[#out + 1] = "\n" .. table_of(bill) .. "\n"
  out[#out + 1] = ("Rounding: rate %s, units %s, line %s, total %s"):format(bill.rounding.rate, bill.rounding.units, bill.rounding.line,
    bill.rounding.total)
  out[#out + 1] = ("Samples' SHA-256: %s; scrutinizer %s"):format(bill.audit.samples_sha256, bill.audit.version)
  return table.concat(out, "\n") .. "\n"
end

local COLUMNS = { "number", "customer", "from", "to", "timezone", "line", "quantity", "unit", "price", "part", "amount", "currency" }

local function row_of(bill, name, amount)
  local of = bill.period
  return {
    number = bill.number, customer = bill.customer, from = period.clock_text(of.timezone, of.from), to = period.clock_text(of.timezone, of.to),
    timezone = of.timezone, line = name, amount = figures.money(amount, bill.decimals), currency = bill.currency,
  }
end

--- The invoice's lines as CSV (RFC 4180); the last line is the total. Text that a spreadsheet would run as a formula gets a leading quote.
---@param bill scrutinizer.Invoice
---@return string
function text.csv(bill)
  local rows, out = {}, {}
  for i, line in ipairs(bill.lines) do
    local row = row_of(bill, line.name, line.amount)
    row.quantity, row.unit, row.price = fraction.text(line.quantity), line.unit, figures.money(line.price, bill.decimals)
    row.part = line.part and ("%s/%s"):format(bigint.text(line.part.numerator), bigint.text(line.part.denominator)) or nil
    rows[i] = row
  end
  rows[#rows + 1] = row_of(bill, "Total", bill.total)
  assert(export.csv(rows, function(piece) out[#out + 1] = piece end, { columns = COLUMNS, guard = true }))
  return table.concat(out)
end

-- The columns of open-source billing tools: rate, octets, allowed and used, overuse.
local function summary_row(bill)
  local used, of = bill.members[1].usage, bill.period
  return {
    customer = bill.customer, number = bill.number, from = of.from, to = of.to, timezone = of.timezone, percent = used.percent,
    method = used.method, n = used.n, rank = used.rank, dir_95th = used.side, rate_95th = fraction.text(used.rate, 0, "half_up"),
    total_data_in = used.totals.inbound, total_data_out = used.totals.outbound, unit = bill.unit,
    allowed = bill.commit and fraction.text(bill.commit) or nil, used = fraction.text(bill.units), overuse = fraction.text(bill.over),
    used_percent = bill.used, missing = used.missing, coverage = used.coverage,
    amount = figures.money(bill.total, bill.decimals), currency = bill.currency,
    samples_sha256 = bill.audit.samples_sha256,
  }
end

--- The columns of a summary, in order, for `scrutinizer.export`.
text.SUMMARY = {
  "customer", "number", "from", "to", "timezone", "percent", "method", "n", "rank", "dir_95th", "rate_95th", "total_data_in", "total_data_out",
  "unit", "allowed", "used", "overuse", "used_percent", "missing", "coverage", "amount", "currency", "samples_sha256",
}

--- One row for each invoice, for `scrutinizer.export`. A pool's row shows the usage of its first member.
---@param bills scrutinizer.Invoice[]
---@return table[]
function text.summary(bills)
  local rows = {}
  for i, bill in ipairs(bills) do rows[i] = summary_row(bill) end
  return rows
end

return text
