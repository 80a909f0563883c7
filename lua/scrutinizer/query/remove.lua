--- The methods that remove what earlier methods set in a query.

local check = require "scrutinizer.check"
local conditions = require "scrutinizer.wire.conditions"
local draft = require "scrutinizer.query.draft"
local suggest = require "scrutinizer.suggest"
local wire = require "scrutinizer.wire"

---@class scrutinizer.Query
local methods = draft.methods

-- The items of a list for which `drop` is not true.
local function rest_of(list, drop)
  local rest = {}
  for _, item in ipairs(list) do
    if not drop(item) then rest[#rest + 1] = item end
  end
  return rest
end

-- Removes the conditions of one key of `where`, and filters in the appliance's form that have the same meaning.
local function drop_key(spec, key)
  spec.conditions = rest_of(spec.conditions, function(condition) return condition.key == key end)
  spec.filters = rest_of(spec.filters, function(entry) return wire.filter_key(entry) == key end)
end

-- What each word besides the keys of `where` removes: a member of the spec, and the value of this member afterwards.
local MEMBERS = {
  keep = function(spec) spec.kept = {} end,
  select = function(spec) spec.projection = nil end,
  order_by = function(spec) spec.order_by = nil end,
  timezone = function(spec) spec.timezone = nil end,
  shift = function(spec) spec.shift = nil end,
  offset = function(spec) spec.offset, spec.window, spec.proof, spec.ties, spec.skip = 0, nil, nil, nil, nil end,
}

function MEMBERS.exporter(spec)
  spec.filters = rest_of(spec.filters, function(entry) return entry.type == wire.filter_type.exporter end)
end

function MEMBERS.filters(spec)
  spec.filters, spec.conditions = {}, {}
end

function MEMBERS.limit(spec)
  spec.limit = nil
  if not spec.window then return end
  local window = {}
  for direction, part in pairs(spec.window) do window[direction] = { offset = part.offset, skip = part.skip } end
  spec.window = window
end

-- The wire fields that they write: values that `:set` gave to these fields are removed, too.
local PARTS = { order_by = "order_by", filters = "filters" }

local KNOWN = {}
for key in pairs(conditions.keys) do KNOWN[key] = true end
for word in pairs(MEMBERS) do KNOWN[word] = true end

local ALLOWED = table.concat(check.sorted_keys(KNOWN), ", ")

--- Removes what earlier methods set. `:without "src_ip"` removes the conditions of `:where` and `:exclude` with this key, also those of pasted
--- JSON. "exporter" removes all devices and device groups. "filters" removes both kinds, and what `:filter` added. "keep", "select", "order_by",
--- "limit", "offset", "timezone" and "shift" remove what the method of that name set. If nothing was set, nothing changes.
---@param word string
---@return scrutinizer.Query
function methods:without(word)
  local spec = draft.of(self, "without", PARTS[word])
  if type(word) ~= "string" or not KNOWN[word] then
    draft.misuse("without", word, ALLOWED, suggest.did_you_mean(suggest.nearest(word, KNOWN)))
  end
  local whole = word ~= "filters" and (conditions.keys[word] or word == "exporter") and spec.fields[wire.field.filters] ~= nil
  if whole then draft.blame "without: :set has replaced the query's filters; change them in :set" end
  if MEMBERS[word] then MEMBERS[word](spec) else drop_key(spec, word) end
  return draft.finish(self, spec)
end

--- All rows: removes `:limit`. The same as `:without "limit"`.
---@return scrutinizer.Query
function methods:no_limit()
  local spec = draft.of(self, "no_limit")
  MEMBERS.limit(spec)
  return draft.finish(self, spec)
end
