--- Which sample is "the 95th percentile": five formulas in common use, without floats. Ranks count from 1 in ascending order.

local check = require "scrutinizer.check"
local bigint = require "scrutinizer.arithmetic.bigint"
local fraction = require "scrutinizer.arithmetic.fraction"
local suggest = require "scrutinizer.suggest"

local rank = {}

local ONE = fraction.new(1)
local HUNDRED = fraction.new(100)

-- A share of n, rounded by the named mode.
local function rounded_share(n, share, rounding)
  return fraction.round(fraction.multiply(fraction.new(n), share), rounding)
end

-- Each takes the number of samples and the percentile as a fraction of one (95/100).
local FORMULAS = {}

--- ceil(p × N): the smallest sample such that at least p of all samples are not greater than it. The same as SQL's percentile_disc, and as the
--- contracts' "drop the top 5 %, bill the next": N - floor((1 - p) × N).
function FORMULAS.nearest_rank(n, share)
  return rounded_share(n, share, "up")
end

--- round(N / 100 × percent), halves up: LibreNMS (LibreNMS/Billing.php, get95thIn) and Observium (includes/billing.php).
function FORMULAS.librenms(n, share)
  return rounded_share(n, share, "half_up")
end

--- N - ceil((1 - p) × N): Cacti's lib/graph_variables.php sorts descending and takes the index ceil((1 - p) × N), counted from 0.
function FORMULAS.cacti(n, share)
  return n - rounded_share(n, fraction.subtract(ONE, share), "up")
end

--- round(p × (N - 1)) + 1, halves up: RRDtool's VDEF PERCENT (src/rrd_graph.c).
function FORMULAS.rrdtool(n, share)
  return rounded_share(n - 1, share, "half_up") + 1
end

--- p × (N - 1) + 1, interpolated between two samples: SQL's percentile_cont, Akvorado (console/line.go). Returns the lower rank and the
--- fraction of the way to the next.
function FORMULAS.linear(n, share)
  local position = fraction.multiply(fraction.new(n - 1), share)
  local below = fraction.round(position, "down")
  return below + 1, fraction.subtract(position, fraction.new(below))
end

rank.METHODS = FORMULAS

--- The percentile as a fraction of one; nil for a wrong value. 95, 99.9 and "99.9" are taken as exact decimal numbers.
---@param percent number|string over 0, at most 100
---@return scrutinizer.Fraction?
function rank.share(percent)
  local given = fraction.decimal(percent)
  if not given or bigint.compare(given.numerator, 0) <= 0 or fraction.compare(given, HUNDRED) > 0 then return nil end
  return fraction.divide(given, HUNDRED)
end

--- What is wrong with a method's name, or nil.
---@param method any
---@return string? complaint
function rank.complaint(method)
  if type(method) == "string" and FORMULAS[method] then return nil end
  return check.message("method", method, table.concat(check.sorted_keys(FORMULAS), ", "),
    suggest.did_you_mean(type(method) == "string" and suggest.nearest(method, FORMULAS) or nil))
end

--- The rank among n samples, from 1 to n; for `linear` the lower of two ranks, and the fraction of the way to the next.
---@param method string
---@param n integer at least 1
---@param share scrutinizer.Fraction
---@return integer rank
---@return scrutinizer.Fraction? beyond
function rank.of(method, n, share)
  local found, beyond = FORMULAS[method](n, share)
  if found < 1 then return 1, beyond end
  if found >= n then return n, beyond and fraction.new(0) end
  return found, beyond
end

return rank
