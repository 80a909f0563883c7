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
  if bill.number or bill.document == "credit_note" then table.insert(list, 1, { figures.title(bill), shown(bill.number or "") }) end
  for _, entry in ipairs(figures.parties(bill)) do list[#list + 1] = { entry[1], errors.neutral(entry[2], 2000) } end
  for _, member in ipairs(bill.members) do
    if bill.pool then list[#list + 1], list[#list + 2] = { "", "" }, { "Member", shown(member.name) } end
    for _, entry in ipairs(figures.usage(bill, member)) do list[#list + 1] = { shown(entry[1]), errors.neutral(entry[2], 2000) } end
  end
  if bill.commit then
    local used = bill.used and (", %s %% used"):format(bill.used) or ""
    list[#list + 1] = { "Commit", ("%s %s%s"):format(figures.quantity(bill.commit), bill.unit, used) }
  end
  for _, entry in ipairs(figures.limits(bill)) do list[#list + 1] = entry end
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
  for _, entry in ipairs(figures.taxes(bill)) do
    rows[#rows + 1] = { shown(entry[1]), shown(entry[2]), figures.grouped(figures.money(entry[3], bill.decimals)) }
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
  out[#out + 1] = "Rounding: " .. figures.rounding(bill)
  if bill.rule then out[#out + 1] = "Custom rule: " .. errors.neutral(figures.rule(bill), 2000) end
  out[#out + 1] = ("Samples' SHA-256: %s; scrutinizer %s"):format(bill.audit.samples_sha256, bill.audit.version)
  out[#out + 1] = "Record's SHA-256: " .. bill.audit.record_sha256
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
  for _, entry in ipairs(figures.taxes(bill)) do rows[#rows + 1] = row_of(bill, entry[1], entry[3]) end
  for i, tax in ipairs(bill.taxes or {}) do
    local row = rows[#bill.lines + 1 + i]
    row.quantity, row.unit, row.price = fraction.text(tax.rate), "%", figures.money(bill.subtotal, bill.decimals)
  end
  rows[#rows + 1] = row_of(bill, "Total", bill.total)
  assert(export.csv(rows, function(piece) out[#out + 1] = piece end, { columns = COLUMNS, guard = true }))
  return table.concat(out)
end

local SAME = { "percent", "method", "n", "rank", "side" }

-- The usage of all members: rates, octets and samples are summed; what differs between them has no value.
local function all_members(bill)
  local sum, first = { rate = fraction.new(0), missing = 0, present = 0, expected = 0 }, bill.members[1].usage
  for _, name in ipairs(SAME) do sum[name] = first[name] end
  for _, member in ipairs(bill.members) do
    local used = member.usage
    sum.rate = fraction.add(sum.rate, used.rate)
    for _, name in ipairs { "missing", "present", "expected" } do sum[name] = sum[name] + used[name] end
    for side, octets in pairs(used.totals) do sum[side] = bigint.add(sum[side] or 0, octets) end
    for _, name in ipairs(SAME) do
      if sum[name] ~= used[name] then sum[name] = nil end
    end
  end
  return sum
end

-- The columns of open-source billing tools: rate, octets, allowed and used, overuse.
local function summary_row(bill)
  local used, of = all_members(bill), bill.period
  return {
    customer = bill.customer, number = bill.number, from = of.from, to = of.to, timezone = of.timezone, percent = used.percent,
    method = used.method, n = used.n, rank = used.rank, dir_95th = used.side, rate_95th = fraction.text(used.rate, 0, "half_up"),
    total_data_in = used.inbound, total_data_out = used.outbound, unit = bill.unit,
    allowed = bill.commit and fraction.text(bill.commit) or nil, used = fraction.text(bill.units), overuse = fraction.text(bill.over),
    used_percent = bill.used, missing = used.missing,
    coverage = fraction.text(fraction.new(bigint.multiply(used.present, 100), used.expected), 2, "down"),
    amount = figures.money(bill.total, bill.decimals), currency = bill.currency,
    samples_sha256 = bill.audit.samples_sha256,
  }
end

--- The columns of a summary, in order, for `scrutinizer.export`.
text.SUMMARY = {
  "customer", "number", "from", "to", "timezone", "percent", "method", "n", "rank", "dir_95th", "rate_95th", "total_data_in", "total_data_out",
  "unit", "allowed", "used", "overuse", "used_percent", "missing", "coverage", "amount", "currency", "samples_sha256",
}

--- One row for each invoice, for `scrutinizer.export`. A pool's row has the sums of its members: the rate is the
--- sum of their percentiles, as the billable units are; n, rank and direction are empty where they differ.
---@param bills scrutinizer.Invoice[]
---@return table[]
function text.summary(bills)
  local rows = {}
  for i, bill in ipairs(bills) do rows[i] = summary_row(bill) end
  return rows
end

return text
