--- `query:aggregate`: sums, minima, maxima and counts per group, computed in the core while the answer arrives.

local check = require "scrutinizer.check"
local core = require "scrutinizer.core"

local aggregate = {}

local FOLDS = { "sum", "min", "max" }
local KNOWN = { by = true, sum = true, min = true, max = true, count = true, top = true }

---@class scrutinizer.AggregateOptions
---@field by? string[]    fields to group by; none: one group of all rows
---@field sum? string[]   fields to add up, as sum_<field>
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
  plan.fields[#plan.fields + 1], plan.projection[#plan.projection + 1] = name, entry
  return #plan.fields
end

local function read_names(plan, spec, options, option, add)
  local names = list_of_names(options[option] or {})
  if not names then return check.message("aggregate: " .. option, options[option], "a list of field names") end
  local seen = {}
  for _, name in ipairs(names) do
    if seen[name] then return check.message("aggregate: " .. option, name, "each field once") end
    seen[name] = true
    local index, complaint = add_field(plan, spec, option, name)
    if not index then return complaint end
    add(index)
  end
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
  local plan = { fields = {}, projection = {}, by = {}, folded = {}, count = options.count or false, top = options.top }
  local complaint = check_rest(options)
    or read_names(plan, spec, options, "by", function(index) plan.by[#plan.by + 1] = index end)
  for _, fold in ipairs(FOLDS) do
    complaint = complaint or read_names(plan, spec, options, fold, function(index)
      plan.folded[#plan.folded + 1] = { field = index, fold = fold }
    end)
  end
  if complaint then return nil, complaint end
  if #plan.by + #plan.folded == 0 and not plan.count then
    return nil, "aggregate: set at least one of by, sum, min, max, count"
  end
  return plan
end

--- The core's aggregate for a plan.
---@param max_bytes integer the most memory that the names of the groups may take
---@return userdata
function aggregate.new(plan, max_bytes)
  return core.aggregate { fields = plan.fields, by = plan.by, folded = plan.folded, max_keys = max_bytes }
end

return aggregate
