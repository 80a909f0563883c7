-- Tasks of spec/bench/task.lua: percentiles of 1,000 customers with 8,928 samples each, which are in memory already.

local tasks = {}

local CUSTOMERS, SAMPLES, LISTS = 1000, 8928, 20

-- As traffic is: a daily wave, noise, and peaks. The same numbers on every Lua.
local function make(seed)
  local list, state = {}, seed
  for i = 1, SAMPLES do
    state = (state * 16807) % 2147483647
    local wave = math.floor((math.sin(i / 288 * 6.2831853) + 1.2) * 1000000000)
    list[i] = wave + state % 500000000 + (state % 97 == 0 and state or 0)
  end
  return list
end

local function lists()
  local all = {}
  for i = 1, LISTS do all[i] = make(i * 7919) end
  return all
end

-- Each customer's percentile by `of`; the sum of them is the check.
local function over(of)
  local all = lists()
  return function()
    local sum = 0
    for customer = 1, CUSTOMERS do sum = sum + of(all[customer % LISTS + 1]) end
    return CUSTOMERS * SAMPLES, sum
  end
end

function tasks.billing_percentile()
  local billing = require "scrutinizer.billing"
  return over(function(list) return (billing.percentile(list, 95)) end)
end

-- Samples that come one by one; only those above the percentile are kept.
function tasks.billing_stream()
  local billing = require "scrutinizer.billing"
  return over(function(list)
    local stream = billing.stream(SAMPLES, 95)
    for i = 1, SAMPLES do stream:add(list[i]) end
    return (stream:finish())
  end)
end

-- What a script does without the module: a copy, table.sort, the rank.
function tasks.billing_sort()
  local sort = table.sort
  return over(function(list)
    local copy = {}
    for i = 1, SAMPLES do copy[i] = list[i] end
    sort(copy)
    return copy[8482]
  end)
end

return tasks
