-- Random whole bills against a second engine, in python's exact fractions and zoneinfo (engine.py): every figure, every line, the samples' hash.
-- BILLS=10000 compares that many, SEED=2 others; the same seed gives the same bills.
local billing = require "scrutinizer.billing"
local bigint = require "scrutinizer.arithmetic.bigint"
local core = require "scrutinizer.core"

local BILLS, SEED = tonumber(os.getenv "BILLS") or 300, tonumber(os.getenv "SEED") or 1

local function fraction_text(value)
  return value and bigint.text(value.numerator) .. "/" .. bigint.text(value.denominator) or nil
end

local function ranges_text(list)
  local out = {}
  for i, range in ipairs(list) do out[i] = ("[%d, %d]"):format(range[1], range[2]) end
  return "[" .. table.concat(out, ", ") .. "]"
end

local function usage_figures(out, prefix, used)
  for _, name in ipairs { "n", "rank", "side", "missing", "expected", "present", "duplicates", "outside", "coverage" } do
    out[prefix .. name] = tostring(used[name])
  end
  out[prefix .. "octets"], out[prefix .. "rate"] = fraction_text(used.octets), fraction_text(used.rate)
  out[prefix .. "ranges"] = ranges_text(used.missing_ranges)
  local discarded = {}
  for i, sample in ipairs(used.discarded) do discarded[i] = ("%d %s\n"):format(sample[1], bigint.text(sample[2])) end
  out[prefix .. "discarded"] = core.sha256(table.concat(discarded))
  for _, policy in ipairs { "zero", "drop", "carry" } do
    local other = used.under[policy]
    out[prefix .. policy] = other and ("%d %d %s"):format(other.n, other.rank, fraction_text(other.octets)) or "none"
  end
  for side, total in pairs(used.totals) do out[prefix .. "total " .. side] = bigint.text(total) end
  out[prefix .. "over_speed"] = used.over_speed and tostring(used.over_speed.samples) or nil
  for i, entry in ipairs(used.exclusions or {}) do
    local octets = {}
    for _, side in ipairs { "inbound", "outbound" } do
      if entry.octets[side] then octets[#octets + 1] = bigint.text(entry.octets[side]) end
    end
    out[("%sexclusion %d"):format(prefix, i)] = ("%d %s %s"):format(entry.samples, ranges_text(entry.ranges), table.concat(octets, " "))
  end
end

local function figures(bill)
  local out, of = {}, bill.period
  for _, name in ipairs { "from", "to", "month", "month_from", "month_to", "month_days", "whole" } do out["period " .. name] = tostring(of[name]) end
  out["period days"] = of.days and tostring(of.days) or "none"
  for i, member in ipairs(bill.members) do
    usage_figures(out, ("member %d "):format(i), member.usage)
    out[("member %d units"):format(i)] = fraction_text(member.units)
  end
  for i, line in ipairs(bill.lines) do
    out[("line %d"):format(i)] = ("%s %s %s %s %s %s"):format(line.name, fraction_text(line.quantity), fraction_text(line.price),
      fraction_text(line.part) or "-", fraction_text(line.exact), bigint.text(line.amount))
  end
  for i, tax in ipairs(bill.taxes or {}) do
    out[("tax %d"):format(i)] = ("%s %s %s"):format(tax.name, fraction_text(tax.exact), bigint.text(tax.amount))
  end
  out.subtotal = bill.subtotal and bigint.text(bill.subtotal)
  out.total, out.units, out.over = bigint.text(bill.total), fraction_text(bill.units), fraction_text(bill.over)
  out.commit = fraction_text(bill.commit) or "none"
  out.document, out.used, out.samples_sha256 = bill.document, bill.used or "none", bill.audit.samples_sha256
  return out
end

local function bill_of(given)
  local of = billing.period(given.period.from, given.period.to, given.zone, given.period.anchor)
  local members = {}
  for i, member in ipairs(given.members) do
    local set = assert(billing.samples(of, { inbound = member.inbound, outbound = member.outbound },
      { duplicates = given.duplicates, interval = given.interval }))
    members[i] = { name = member.name, commit = member.commit, samples = set }
  end
  local all = { customer = "c", usage = given.usage, tariff = given.tariff }
  if given.pool then all.members = members else all.samples = members[1].samples end
  return billing.invoice(all)
end

-- The first key in which two tables differ.
local function difference(one, other)
  local names = {}
  for name in pairs(one) do names[name] = true end
  for name in pairs(other) do names[name] = true end
  for name in pairs(names) do
    if one[name] ~= other[name] then return ("%s: %s, python: %s"):format(name, tostring(one[name]), tostring(other[name])) end
  end
end

local function compare(case)
  local bill, err = bill_of(case.given)
  if not bill then
    if case.expected == "refused" and err.kind == "bill" then return nil end
    return "refused: " .. err.message
  end
  if case.expected == "refused" then return "python refuses" end
  return difference(figures(bill), case.expected)
end

describe("a second engine", function()
  it(("agrees with every figure of %d random bills of seed %d"):format(BILLS, SEED), function()
    local count, refused, wrong = 0, 0, {}
    local bills = assert(io.popen(("env -u LD_PRELOAD python3 spec/billing/engine.py %d %d"):format(SEED, BILLS)))
    for line in bills:lines() do
      local case = assert(core.decode(line))
      local fine, complaint = pcall(compare, case)
      if not fine or complaint then wrong[#wrong + 1] = ("bill %d: %s"):format(case.number, tostring(complaint)) end
      count, refused = count + 1, refused + (case.expected == "refused" and 1 or 0)
    end
    bills:close()
    assert.equal("", table.concat(wrong, "\n", 1, math.min(#wrong, 20)), #wrong .. " differ")
    assert.equal(BILLS, count)
    assert.is_true(refused < count / 2)
  end)
end)
