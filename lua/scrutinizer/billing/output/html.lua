--- An invoice as one HTML page without external files: no script, no font, no image. Every text is escaped.

local curve = require "scrutinizer.billing.output.curve"
local errors = require "scrutinizer.errors"
local fraction = require "scrutinizer.arithmetic.fraction"
local invoice = require "scrutinizer.billing.invoice"
local period = require "scrutinizer.billing.period"
local tariff = require "scrutinizer.billing.tariff"
local usage = require "scrutinizer.billing.usage"
local figures = require "scrutinizer.billing.output.figures"

local html_page = {}

local ENTITIES = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

local function escape(value)
  return (errors.neutral(value, 4000):gsub("[&<>\"']", ENTITIES))
end

local HEAD = [[
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>%s</title>
<style>
body { font: 15px/1.45 system-ui, sans-serif; color: #222; max-width: 62em; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.5em; margin-bottom: 0 } h2 { font-size: 1.1em; margin-top: 1.8em }
table { border-collapse: collapse; width: 100%% } td, th { padding: .25em .6em; text-align: left; vertical-align: top }
th { font-weight: normal; color: #666; white-space: nowrap; width: 1%% } tr + tr { border-top: 1px solid #eee }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap } .total td { border-top: 2px solid #222; font-weight: bold }
svg { width: 100%%; height: auto; margin: 1em 0 } small, .about { color: #666 } code { overflow-wrap: anywhere } summary { cursor: pointer }
.columns { columns: 22em; font-variant-numeric: tabular-nums } .forced { background: #fffaf0; border-left: 4px solid #b7791f; padding: .5em 1em }
</style>
</head>
<body>
]]

local function pairs_table(list)
  local out = { "<table>" }
  for _, entry in ipairs(list) do out[#out + 1] = ("<tr><th>%s</th><td>%s</td></tr>"):format(escape(entry[1]), escape(entry[2])) end
  out[#out + 1] = "</table>"
  return table.concat(out, "\n")
end

local function lines_table(bill)
  local out = { "<table>" }
  for _, line in ipairs(bill.lines) do
    out[#out + 1] = ('<tr><td>%s</td><td class="n">%s</td><td class="n">%s</td></tr>'):format(escape(line.name), escape(figures.formula(bill, line)),
      figures.grouped(figures.money(line.amount, bill.decimals)))
  end
  for _, entry in ipairs(figures.taxes(bill)) do
    out[#out + 1] = ('<tr><td>%s</td><td class="n">%s</td><td class="n">%s</td></tr>'):format(escape(entry[1]), escape(entry[2]),
      figures.grouped(figures.money(entry[3], bill.decimals)))
  end
  out[#out + 1] = ('<tr class="total"><td>Total %s</td><td></td><td class="n">%s</td></tr></table>'):format(escape(bill.currency),
    figures.grouped(figures.money(bill.total, bill.decimals)))
  return table.concat(out, "\n")
end

-- The discarded samples with their times, in a collapsed block.
local function discarded(bill, used)
  if #used.discarded == 0 then return "" end
  local out, eight = {}, fraction.new(8, used.interval)
  for i, sample in ipairs(used.discarded) do
    out[i] = ("%s %s<br>"):format(period.clock_text(bill.period.timezone, sample[1]),
      figures.rate(fraction.multiply(fraction.new(sample[2]), eight)))
  end
  return ('<details><summary>%d discarded samples</summary><div class="columns">\n%s</div></details>\n'):format(#out, table.concat(out, "\n"))
end

local function ranges(bill, list, count, what)
  if count == 0 then return "" end
  local out = {}
  for i, range in ipairs(list) do
    out[i] = ("%s to %s<br>"):format(period.clock_text(bill.period.timezone, range[1]), period.clock_text(bill.period.timezone, range[2]))
  end
  return ('<details><summary>%d %s samples</summary><div>\n%s</div></details>\n'):format(count, what, table.concat(out, "\n"))
end

-- Missing samples, and apart from them what each exclusion excluded.
local function all_ranges(bill, used)
  local out = { ranges(bill, used.missing_ranges, used.missing, "missing") }
  for _, entry in ipairs(used.exclusions or {}) do
    out[#out + 1] = ranges(bill, entry.ranges, entry.samples, "excluded: " .. escape(entry.name) .. ",")
  end
  return table.concat(out)
end

-- The commit as a rate, for the picture.
local function commit_rate(bill, member)
  local commit = member.commit or (not bill.pool and bill.commit)
  if not commit or bill.measure ~= "rate" then return nil end
  return fraction.multiply(commit, fraction.new(tariff.unit("rate", bill.unit)))
end

local function member_part(bill, i, plan)
  local member = bill.members[i]
  local set = assert(invoice.billed(bill._record, bill._record.members[i], bill.period))
  local out = {
    bill.pool and ("<h2>%s</h2>"):format(escape(member.name)) or "",
    curve.svg(bill.period, member.usage, usage.curves(plan, set), commit_rate(bill, member)),
    pairs_table(figures.usage(bill, member)), discarded(bill, member.usage), all_ranges(bill, member.usage),
  }
  return table.concat(out, "\n")
end

local function audit_part(bill)
  local list = {
    { "Rounding", figures.rounding(bill) }, { "Samples' SHA-256", bill.audit.samples_sha256 }, { "Record's SHA-256", bill.audit.record_sha256 },
    { "Made by", "scrutinizer " .. bill.audit.version },
  }
  for i, entry in ipairs(figures.limits(bill)) do table.insert(list, i, entry) end
  if bill.rule then list[#list + 1] = { "Custom rule", figures.rule(bill) } end
  for _, member in ipairs(bill.members) do
    for _, query in ipairs(member.queries) do
      if query.query then list[#list + 1] = { ("%s %d"):format(query.side, query.part), query.query.rpt_json } end
    end
  end
  return "<h2>How it was made</h2>\n" .. pairs_table(list)
end

--- Writes the page.
---@param bill scrutinizer.Invoice
---@return string html
function html_page.html(bill)
  local title = bill.customer
  if bill.number then title = ("%s %s, %s"):format(figures.title(bill), bill.number, bill.customer) end
  if not bill.number and bill.document == "credit_note" then title = ("%s, %s"):format(figures.title(bill), bill.customer) end
  local head = figures.parties(bill)
  local plan = assert(usage.plan(bill._record.usage))
  local out = {
    HEAD:format(escape(title)), ("<h1>%s</h1>\n<p class=\"about\">%s</p>"):format(escape(title), escape(figures.period(bill))),
    figures.forced(bill) and ('<p class="forced">Billed although: %s</p>'):format(escape(figures.forced(bill))) or "",
    #head > 0 and pairs_table(head) or "", lines_table(bill),
  }
  for i = 1, #bill.members do out[#out + 1] = member_part(bill, i, plan) end
  out[#out + 1] = audit_part(bill)
  return table.concat(out, "\n") .. "\n</body>\n</html>\n"
end

return html_page
