--- `query:aggregate`: sums, minima, maxima and counts per group, computed in the core while the answer arrives.

local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local projection = require "scrutinizer.report.projection"
local times = require "scrutinizer.time.times"

local aggregate = {}

local FOLDS = { "sum", "min", "max" }
local KNOWN = { by = true, sum = true, min = true, max = true, count = true, top = true }

---@class scrutinizer.AggregateBy one field of the result: { "src", prefix = 24 } or { "first_flow_epoch", every = "1h" }
---@field [1] string                the field it is made of
---@field prefix? integer           groups addresses by network, such as "10.1.2.0/24": bits of IPv4, and of IPv6 without `prefix6`. A text that is
---  no address, such as a host's name, is a group of its own
---@field prefix6? integer          bits of IPv6 addresses
---@field every? integer|string     groups numbers, as epochs, in steps: the multiple of `every` at or below. Seconds, or text such as "1h"

---@class scrutinizer.AggregateOptions
---@field by? (string|scrutinizer.AggregateBy)[]|table<string, scrutinizer.AggregateBy> fields to group by; an AggregateBy has the name of its key.
---  None: one group of all rows
---@field sum? string[]   fields to add up, as sum_<field>. A field that is called sum_ already keeps its name, and so for min and max
---@field min? string[]   fields whose minimum is wanted, as min_<field>
---@field max? string[]   fields whose maximum is wanted, as max_<field>
---@field count? boolean  adds the number of rows per group, as count
---@field top? integer    return only this many groups, the first ones

local function list_of_names(value)
  if type(value) == "string" then value = { value } end
  if type(value) ~= "table" then return nil end
  for key in pairs(value) do
    if type(key) ~= "number" or key < 1 or key > #value then return nil end
  end
  for _, name in ipairs(value) do
    if type(name) ~= "string" or name == "" then return nil end
  end
  return value
end

-- The query's selected entry with this name or alias; without `:select`, the column itself.
local function projected(spec, name)
  if not spec.projection then return { field = name, column = name, member = "raw" } end
  for _, entry in ipairs(spec.projection) do
    if entry.field == name then return entry end
  end
end

local function add_field(plan, spec, option, name)
  for i, known in ipairs(plan.fields) do
    if known == name then return i end
  end
  local entry = projected(spec, name)
  if not entry then
    return nil, check.message("aggregate: " .. option, name, "a field that the query selects")
  end
  local of_all = projection.of_all("aggregate: " .. option, entry.column, spec.tests and spec.tests.by)
  if of_all then return nil, of_all end
  plan.fields[#plan.fields + 1], plan.projection[#plan.projection + 1] = name, entry
  return #plan.fields
end

-- A field of the result; no two may have one name. Returns what is wrong.
local function add_result(plan, option, name)
  if plan.results[name] then
    return ("aggregate: %s: two fields of the result would have the name %s; give one an alias with :select, or in by"):format(
      option, check.show(name))
  end
  plan.results[name] = true
end

-- Splits `by` into its list of names and its map of aliases.
local function split_by(given)
  if type(given) ~= "table" then return given, {} end
  local list, map = {}, {}
  for key, value in pairs(given) do
    if type(key) == "string" then map[key] = value else list[key] = value end
  end
  return list, map
end

local BY = { [1] = true, prefix = true, prefix6 = true, every = true }
local BY_ALLOWED = 'a table such as { "src", prefix = 24 } or { "first_flow_epoch", every = "1h" }'

-- One alias of `by` for the core, without its field; or nil and what is wrong.
local function read_alias(name, given)
  local place = "aggregate: by: " .. check.show(name)
  if type(given) ~= "table" or type(given[1]) ~= "string" or name == "" then return nil, check.message(place, given, BY_ALLOWED) end
  for key in pairs(given) do
    if not BY[key] then return nil, check.message(place .. ": option", key, "prefix, prefix6, every") end
  end
  if (given.prefix == nil) == (given.every == nil) then return nil, place .. ": set either prefix or every" end
  local by = { name = name, prefix = check.integer(given.prefix, 0, 128), prefix6 = check.integer(given.prefix6, 0, 128) }
  if given.every ~= nil then
    by.every = times.seconds(given.every)
    if not by.every then return nil, check.message(place .. ": every", given.every, 'whole seconds from 1, or text such as "5m", "1h"') end
    return by
  end
  for _, key in ipairs { "prefix", "prefix6" } do
    if given[key] ~= nil and not by[key] then return nil, check.message(place .. ": " .. key, given[key], "bits, a whole number from 0 to 128") end
  end
  return by
end

local function read_aliases(plan, spec, map)
  for _, name in ipairs(check.sorted_keys(map)) do
    local by, complaint = read_alias(name, map[name])
    if not by then return complaint end
    by.field, complaint = add_field(plan, spec, "by", map[name][1])
    complaint = complaint or add_result(plan, "by", name)
    if complaint then return complaint end
    plan.by[#plan.by + 1] = by
  end
end

local function read_names(plan, spec, option, given, add)
  local names = list_of_names(given or {})
  if not names then
    return check.message("aggregate: " .. option, given, "a list of field names"
      .. (option == "by" and ', and { name = { "src", prefix = 24 } }' or ""))
  end
  local seen = {}
  for _, name in ipairs(names) do
    if seen[name] then return check.message("aggregate: " .. option, name, "a name that is not in the list yet") end
    seen[name] = true
    local index, complaint = add_field(plan, spec, option, name)
    complaint = complaint or add(index, name)
    if complaint then return complaint end
  end
end

local function read_by(plan, spec, given)
  local list, map = split_by(given)
  return read_names(plan, spec, "by", list, function(index, name)
    plan.by[#plan.by + 1] = index
    return add_result(plan, "by", name)
  end) or read_aliases(plan, spec, map)
end

-- The result's name of a folded field. A name that begins with the fold's word is not doubled; in 0.1.0 it was.
local function folded_name(plan, fold, name)
  local full = fold .. "_" .. name
  if name:sub(1, #fold + 1) ~= fold .. "_" then return full end
  plan.renamed = plan.renamed or {}
  plan.renamed[full] = name
  return name
end

local function read_folded(plan, spec, fold, given)
  return read_names(plan, spec, fold, given, function(index, name)
    local full = folded_name(plan, fold, name)
    plan.folded[#plan.folded + 1] = { field = index, fold = fold, name = full }
    return add_result(plan, fold, full)
  end)
end

-- A group's metatable: the name that a field had in 0.1.0 raises, with the new one. Nil when no field was renamed.
local function old_names(renamed)
  return renamed and {
    __index = function(_, key)
      local new = renamed[key]
      if new then error(("aggregate: the field %s is now called %s"):format(key, new), 2) end
    end,
  }
end

local function check_rest(options)
  for key in pairs(options) do
    if not KNOWN[key] then return check.message("aggregate: option", key, "by, sum, min, max, count, top") end
  end
  if options.count ~= nil and type(options.count) ~= "boolean" then
    return check.message("aggregate: count", options.count, "true or false")
  end
  if options.top ~= nil and not check.integer(options.top, 1) then
    return check.message("aggregate: top", options.top, "a whole number from 1")
  end
end

--- The plan for some options: which fields are read, and how they are combined. Nil and a message on misuse.
---@param spec table the query's
---@param options scrutinizer.AggregateOptions
---@return table? plan
---@return string? complaint
function aggregate.plan(spec, options)
  if type(options) ~= "table" then return nil, check.message("aggregate", options, "a table with by, sum, min, max, count, top") end
  local plan = { fields = {}, projection = {}, by = {}, folded = {}, results = {}, count = options.count or false, top = options.top }
  local complaint = check_rest(options) or read_by(plan, spec, options.by)
  for _, fold in ipairs(FOLDS) do complaint = complaint or read_folded(plan, spec, fold, options[fold]) end
  if plan.count then complaint = complaint or add_result(plan, "count", "count") end
  if complaint then return nil, complaint end
  if #plan.by + #plan.folded == 0 and not plan.count then
    return nil, "aggregate: set at least one of by, sum, min, max, count"
  end
  plan.metatable = old_names(plan.renamed)
  return plan
end

--- The core's aggregate for a plan.
---@param plan table
---@param o table the client's options: `max_held`, the most memory that the names of the groups may take, and `integers`
---@return userdata
function aggregate.new(plan, o)
  return core.aggregate {
    fields = plan.fields, by = plan.by, folded = plan.folded, max_keys = o.max_held, int64 = o.integers == "int64",
  }
end

return aggregate
