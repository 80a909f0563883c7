--- How much of the traffic the appliance's conversations hold. From tables of five minutes on the appliance keeps only the greatest conversations
--- of each exporter; its totals of interfaces are whole at any age. So the sum of all conversations over the sum of all interfaces says how
--- much a bill from conversations can lack.

local ascii = require "scrutinizer.ascii"
local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local bigint = require "scrutinizer.arithmetic.bigint"
local fraction = require "scrutinizer.arithmetic.fraction"
local period = require "scrutinizer.billing.period"
local wire = require "scrutinizer.wire"

local coverage = {}

local FLOOR = "0.99"

---@class scrutinizer.Coverage
---@field share scrutinizer.Fraction conversations over totals, of the whole period
---@field worst scrutinizer.Fraction the same of the interval where it is least
---@field at integer                 when that interval begins

local ALLOWED = "a share from 0 to 1, such as 0.95, or false: do not measure"

--- What is wrong with the option `coverage_by_totals`, or nil.
---@param value any
---@return string?
function coverage.complaint(value)
  if value == nil or value == false then return nil end
  local floor = (type(value) == "number" or type(value) == "string") and fraction.decimal(value)
  if not floor or bigint.compare(floor.numerator, 0) < 0 or fraction.compare(floor, fraction.new(1)) > 0 then
    return check.message("coverage_by_totals", value, ALLOWED)
  end
end

-- ---- what is compared ----

local function of_exporters(entry) return entry.type == wire.filter_type.exporter end

--- Whether a query reads the totals of interfaces: nothing but exporters and interfaces filters it.
---@param query scrutinizer.Query
---@return boolean
function coverage.is_totals(query)
  local spec = query._spec
  if spec.type ~= wire.TOTALS or spec.conditions[1] or spec.fields[wire.field.filters] ~= nil then return false end
  for _, entry in ipairs(spec.filters) do
    if not of_exporters(entry) then return false end
  end
  return true
end

-- The query with only these of its filters.
local function with_exporters(query, from)
  for _, entry in ipairs(from._spec.filters) do
    local named = entry.named
    if of_exporters(entry) and not named then
      query = query:filter(entry.type, entry.value)
    elseif of_exporters(entry) then
      query = named.device_group and query:device_group(named.device_group) or query:exporter(named.exporter, named.interface)
    end
  end
  return query
end

local function names_interface(query)
  for _, entry in ipairs(query._spec.filters) do
    if wire.includes_interface(entry) then return true end
  end
  return false
end

--- The queries for all conversations of the same exporters as the query's, at the same granularity, and for the totals of these
--- exporters' interfaces. Nil and why not when the exporters are not known.
---@param query scrutinizer.Query with its times and granularity
---@param of scrutinizer.Period
---@return scrutinizer.Query? conversations
---@return scrutinizer.Query|string totals
function coverage.queries(query, of)
  local spec = query._spec
  if spec.fields[wire.field.filters] ~= nil then return nil, "the query's filters are set by :set, so its exporters are not known" end
  local all = query
  for _, word in ipairs { "filters", "select", "order_by", "offset", "limit" } do all = all:without(word) end
  local totals = query._client:report(wire.TOTALS):order_by(wire.graph.BYTES_COLUMN)
  all, totals = with_exporters(all, query), with_exporters(totals, query)
  -- Both directions are the same flows, unless interfaces are named.
  local direction = names_interface(query) and spec.directions[1] or "inbound"
  return all[direction](all), totals[direction](totals):between(of.from, of.to)
end

-- ---- the shares ----

local function is_less(a, b) return fraction.compare(a, b) < 0 end

local function percent(share) return fraction.text(fraction.multiply(share, fraction.new(100)), 2, "down") end

--- Compares the octets of each interval. Nil when there was no traffic at all.
---@param set scrutinizer.Samples
---@param conversations (scrutinizer.Whole|false)[]
---@param totals (scrutinizer.Whole|false)[]
---@param now integer intervals that have not ended by then are left out
---@return scrutinizer.Coverage?
---@return string? complaint
function coverage.compare(set, conversations, totals, now)
  local held, whole, worst, at = 0, 0, fraction.new(1), nil
  for i = 1, set.n do
    local epoch = set.period.from + (i - 1) * set.interval
    if epoch + set.interval > now then break end
    local part, all = conversations[i] or 0, totals[i] or 0
    held, whole = bigint.add(held, part), bigint.add(whole, all)
    if part ~= all and bigint.compare(all, 0) > 0 then
      local share = fraction.new(part, all)
      if is_less(share, worst) then worst, at = share, epoch end
    end
  end
  if bigint.compare(whole, 0) > 0 then
    local share = fraction.new(held, whole)
    -- Totals that lack interfaces would hide conversations that the appliance dropped.
    if bigint.compare(held, 0) > 0 and is_less(fraction.new(whole, held), fraction.decimal(FLOOR)) then
      return nil, ("the totals of these exporters' interfaces lack traffic: their conversations hold %s %% of them"):format(percent(share))
    end
    return { share = share, worst = worst, at = at or set.period.from }
  end
  if bigint.compare(held, 0) == 0 then return nil end
  return nil, "the appliance shows no totals of these exporters' interfaces"
end

local WHAT = {
  minute = "the appliance's one-minute tables hold", rollup = "the appliance's tables of five minutes and more hold",
}

--- The refusal when the coverage is under the floor, else nil.
---@param found scrutinizer.Coverage
---@param wanted? number|string the floor
---@param source "minute"|"rollup"
---@param set scrutinizer.Samples
---@return scrutinizer.Error?
function coverage.refusal(found, wanted, source, set)
  local floor = fraction.decimal(wanted or FLOOR)
  if not is_less(found.worst, floor) then return nil end
  return errors.new("bill", ("%s %s %% of what its interfaces counted, and only %s %% in the interval at %s, under the floor of %s %%: a bill "
    .. "from them would be too low. From five minutes on the appliance keeps only the greatest conversations of each exporter "
    .. '("Maximum Conversations", 1000 by default). Collect every day, while the appliance still has one-minute tables (scrutinizer collect); '
    .. "or raise Maximum Conversations for the months to come; or bill interfaces, whose totals are complete; or set coverage_by_totals to a "
    .. "lower share")
    :format(WHAT[source], percent(found.share), percent(found.worst), period.clock_text(set.period.timezone, found.at), percent(floor)))
end

-- As a number of four digits that is the same on every Lua, rounded down: 1 is all.
local function rounded(share) return ascii.number(fraction.text(share, 4, "down")) end

--- Notes in the samples what was measured; the least of several.
---@param set scrutinizer.Samples
---@param found scrutinizer.Coverage
function coverage.note(set, found)
  local share, worst = rounded(found.share), rounded(found.worst)
  if not set.coverage_by_totals or share < set.coverage_by_totals then set.coverage_by_totals = share end
  if not set.worst_interval or worst < set.worst_interval.coverage then set.worst_interval = { at = found.at, coverage = worst } end
end

--- Whether the usual floor was overruled.
---@param found scrutinizer.Coverage
---@return boolean
function coverage.is_low(found)
  return is_less(found.worst, fraction.decimal(FLOOR))
end

return coverage
