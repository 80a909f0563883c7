--- A rule of one's own: a function that gets a customer's samples with their local time, and gives other samples, lines, or both. A bill keeps its
--- name, its version, the SHA-256 of its source and what it gave.

local bigint = require "scrutinizer.arithmetic.bigint"
local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local exclusions = require "scrutinizer.billing.contract.exclusions"
local fields = require "scrutinizer.billing.contract.fields"
local files = require "scrutinizer.files"
local zone = require "scrutinizer.time.zone"

local rule = {}

local SIDES = { "inbound", "outbound" }

---@class scrutinizer.RuleSample
---@field epoch integer
---@field inbound? scrutinizer.Whole  octets of all parts; nil when a part lacks the sample, or the customer has no inbound
---@field outbound? scrutinizer.Whole
---@field year integer     by the clock of the period's zone, as month, day, hour, min
---@field month integer
---@field day integer
---@field hour integer
---@field min integer
---@field weekday string   "mon" to "sun"

---@class scrutinizer.RuleResult
---@field samples? scrutinizer.RuleSample[] what is billed instead; a sample that is not in it is left out, as an excluded one
---@field lines? { name: string, amount: scrutinizer.Whole }[] lines of the bill, in minor units, negative for a credit

---@class scrutinizer.RuleInput
---@field name string
---@field version string
---@field apply fun(samples: scrutinizer.RuleSample[], period: scrutinizer.Period): scrutinizer.RuleResult depends only on its arguments
---@field source? string its text, where Lua cannot tell it (a function of a program without source); default: the lines of its file

---@class scrutinizer.Rule
---@field name string
---@field version string
---@field source_sha256 string
---@field private _apply function
local Rule = {}
Rule.__index = Rule
Rule.__name = "scrutinizer.Rule"

local KNOWN = { name = true, version = true, apply = true, source = true }

-- The lines of a function's file, or of the text that it was loaded from; nil when Lua does not know them.
local function source_of(apply)
  local info = debug.getinfo(apply, "S")
  local text = info.source
  if text:sub(1, 1) == "@" then text = files.read(text:sub(2)) elseif text:sub(1, 1) == "=" then text = nil end
  if not text or info.linedefined < 1 then return nil end
  local lines, number = {}, 0
  for line in (text .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    if number >= info.linedefined and number <= info.lastlinedefined then lines[#lines + 1] = line end
  end
  return #lines > 0 and table.concat(lines, "\n") or nil
end

--- Makes a rule; nil and a complaint for wrong input.
---@param given any
---@return scrutinizer.Rule?
---@return string? complaint
function rule.new(given)
  if type(given) ~= "table" then return nil, check.message("rule", given, "a table with name, version and apply") end
  local complaint = fields.unknown("rule", given, KNOWN) or fields.text("name", given.name) or fields.text("version", given.version)
  if complaint then return nil, complaint end
  if type(given.apply) ~= "function" then return nil, check.message("apply", given.apply, "a function") end
  if given.source ~= nil and type(given.source) ~= "string" then return nil, check.message("source", given.source, "the text of the function") end
  local source = given.source or source_of(given.apply)
  if not source then return nil, "source: Lua does not know the text of apply; give it as source" end
  return setmetatable({ name = given.name, version = given.version, source_sha256 = core.sha256(source), _apply = given.apply }, Rule)
end

--- Whether a value is a rule.
---@param value any
---@return boolean
function rule.is(value)
  return getmetatable(value) == Rule
end

-- ---- what the function gets ----

local function octets_of(parts, i)
  local sum = parts and 0
  for _, part in ipairs(parts or {}) do sum = sum and part.values[i] and bigint.add(sum, part.values[i]) end
  return sum or nil
end

local function samples_of(set)
  local clock, list = assert(zone.load(set.period.timezone)), {}
  for i = 1, set.n do
    local at = set.period.from + (i - 1) * set.interval
    local civil = clock:civil(at)
    list[i] = {
      epoch = at, inbound = octets_of(set.inbound, i), outbound = octets_of(set.outbound, i), year = civil.year, month = civil.month,
      day = civil.day, hour = civil.hour, min = civil.min, weekday = exclusions.WEEKDAYS[civil.wday],
    }
  end
  return list
end

-- ---- what it gives ----

local RESULT, LINE = { samples = true, lines = true }, { name = true, amount = true }
local SAMPLE = { epoch = true, inbound = true, outbound = true, year = true, month = true, day = true, hour = true, min = true, weekday = true }

local function place_of(set, epoch)
  local at = check.integer(epoch)
  local offset = at and at - set.period.from
  if not at or offset < 0 or offset % set.interval ~= 0 or at >= set.period.to then return nil end
  return math.floor(offset / set.interval) + 1
end

local function take_sample(kept, set, sample)
  local place = place_of(set, sample.epoch)
  if not place or kept.seen[place] then return check.message("epoch", sample.epoch, "the beginning of a sample of the period, each once") end
  kept.seen[place] = true
  for _, side in ipairs(SIDES) do
    local octets = sample[side]
    if octets ~= nil then
      local whole = bigint.whole(octets)
      if not kept[side] then return side .. ": the customer has no such samples" end
      if not whole or bigint.compare(whole, 0) < 0 then return check.message(side, octets, "whole octets from 0") end
      kept[side].values[place] = whole
    end
  end
end

local function take_samples(set, list)
  local kept = { seen = {}, left_out = {} }
  for _, side in ipairs(SIDES) do
    kept[side] = set[side] and { values = {} }
    for i = 1, set[side] and set.n or 0 do kept[side].values[i] = false end
  end
  local complaint = fields.list("samples", "sample", list, SAMPLE, function(sample) return take_sample(kept, set, sample) end)
  if complaint then return nil, complaint end
  for i = 1, set.n do
    if not kept.seen[i] then kept.left_out[#kept.left_out + 1] = i end
  end
  kept.seen = nil
  return kept
end

local function take_lines(list)
  local lines = {}
  local complaint = fields.list("lines", "line", list, LINE, function(line, i)
    local amount = bigint.whole(line.amount)
    if not amount then return check.message("amount", line.amount, "whole minor units") end
    lines[i] = { name = line.name, amount = amount }
    return fields.text("name", line.name)
  end)
  if complaint then return nil, complaint end
  return lines
end

local function take(set, result)
  local complaint = type(result) == "table" and fields.unknown("result", result, RESULT)
  if complaint then return nil, complaint end
  if type(result) ~= "table" or next(result) == nil then return nil, check.message("result", result, "{ samples =, lines = }") end
  local kept, lines = {}, nil
  if result.samples ~= nil then kept, complaint = take_samples(set, result.samples) end
  if kept and result.lines ~= nil then lines, complaint = take_lines(result.lines) end
  if complaint then return nil, complaint end
  kept.lines = lines
  return kept
end

--- Runs a rule on a customer's samples.
---@param own scrutinizer.Rule
---@param set scrutinizer.Samples
---@return table? kept { inbound =, outbound =, left_out =, lines = }: what the bill keeps and is made from
---@return scrutinizer.Error? err
function rule.run(own, set)
  local period = {}
  for name, value in pairs(set.period) do period[name] = value end
  local fine, result = pcall(own._apply, samples_of(set), period)
  local kept, complaint = nil, result
  if fine then kept, complaint = take(set, result) end
  if kept then return kept end
  local _, said = pcall(tostring, complaint) -- an error value's own __tostring may raise
  return nil, errors.new("bill", ("rule %s, version %s: %s"):format(errors.neutral(own.name, 100), errors.neutral(own.version, 40),
    errors.neutral(tostring(said), 400)))
end

--- A set in which the samples that a rule gave stand for the customer's.
---@param set scrutinizer.Samples
---@param kept table
---@param about { name: string, version: string }
---@return scrutinizer.Samples
function rule.applied(set, kept, about)
  if not kept.left_out then return set end
  local billed = {}
  for name, value in pairs(set) do billed[name] = value end
  for _, side in ipairs(SIDES) do billed[side] = kept[side] and { { name = about.name, values = kept[side].values } } end
  if #kept.left_out > 0 then
    billed.left_out = { entry = { name = about.name, reason = "rule, version " .. about.version }, places = kept.left_out }
  end
  return billed
end

return rule
