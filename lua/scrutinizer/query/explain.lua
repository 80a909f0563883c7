--- `query:explain()`: describes in words what a query sends, by what the client filters rows, and which times it covers.

local check = require "scrutinizer.check"
local conditions = require "scrutinizer.wire.conditions"
local query_words = require "scrutinizer.report.query_words"
local errors = require "scrutinizer.errors"
local pages = require "scrutinizer.report.pages"
local to_text = require "scrutinizer.query.to_text"
local times = require "scrutinizer.time.times"
local wire = require "scrutinizer.wire"
local zone = require "scrutinizer.time.zone"

local explain = {}

-- A moment on the clock of a zone: "2026-11-26T14:00:00+01:00".
local function moment(epoch, name)
  local at = zone.load(name or "UTC")
  return at and at:text(epoch) or ("%.0f"):format(epoch)
end

local function when(spec)
  if spec.fields[wire.field.times] ~= nil then return "when: times as :set gave them" end
  local epochs, unknown = times.epochs(spec)
  local words = query_words.times(spec)
  if not epochs then return ("when: %s (%s)"):format(words, unknown) end
  local span = ("from %s to %s, the end not included"):format(moment(epochs.from, spec.timezone), moment(epochs.to, spec.timezone))
  local by_clock = spec.times.range and not spec.page_size
  return by_clock and ("when: %s, computed by the appliance; by this host's clock %s"):format(words, span) or "when: " .. span
end

-- Fields of the request beside the report's type, direction, times and filters.
local function other_fields(spec)
  local bare = {}
  for key, value in pairs(spec) do bare[key] = value end
  bare.filters, bare.conditions = {}, {}
  local object, words = wire.report_object(bare, pages.first(bare)), {}
  for _, part in ipairs { "type", "directions", "times", "filters" } do object[wire.field[part]] = nil end
  for _, name in ipairs(check.sorted_keys(object)) do words[#words + 1] = name .. " " .. wire.show(object[name]) end
  return table.concat(words, ", ")
end

local function sent(spec, plan)
  local words, devices = {}, false
  for i, entry in ipairs(plan.entries) do
    words[i] = entry.named and to_text.filter(entry) .. " (looked up when it runs)"
      or ("%s %s"):format(entry.key or entry.type, wire.show(entry.value))
    devices = devices or entry.type == wire.filter_type.exporter
  end
  if spec.fields[wire.field.filters] ~= nil then
    words = { "filters as :set gave them" }
  elseif not devices then
    table.insert(words, 1, "all devices")
  end
  return ("sent: %s, %s; %s; %s"):format(errors.neutral(spec.type, 200), query_words.direction(spec), table.concat(words, ", "), other_fields(spec))
end

local function filtered(spec, plan)
  local words = {}
  for _, clause in ipairs(plan.rest) do
    words[#words + 1] = ("filtered here: %s, because the appliance ORs filters of the same type"):format(clause.words)
  end
  for _, condition in ipairs(spec.kept) do words[#words + 1] = "kept here: " .. condition.words end
  if words[1] then
    words[#words + 1] = "rank, percenttotal and similar columns: computed by the appliance from all rows that it sends; total and footer are absent"
  else
    words[1] = "filtered here: nothing"
  end
  return words
end

local function rows(spec)
  local skip = spec.tests and (spec.proof and spec.skip or not spec.proof and spec.offset) or spec.offset
  local which = spec.tests and "kept rows" or "rows"
  local words = { spec.limit and ("at most %d %s"):format(spec.limit, which) or "all " .. which }
  if skip and skip > 0 then words[#words + 1] = ("the first %d %s skipped"):format(skip, which) end
  words[#words + 1] = spec.page_size and ("requested in pages of %d"):format(spec.page_size) or "requested in one answer"
  return "rows: " .. table.concat(words, ", ")
end

--- The text for a query's spec that can run.
---@param spec table settled, with its `tests`
---@return string one line for each thing
function explain.text(spec)
  local plan = assert(conditions.plan(spec))
  local lines = { when(spec), sent(spec, plan) }
  for _, line in ipairs(filtered(spec, plan)) do lines[#lines + 1] = line end
  lines[#lines + 1] = rows(spec)
  return table.concat(lines, "\n")
end

return explain
