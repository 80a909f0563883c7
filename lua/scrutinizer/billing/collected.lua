--- Reads the files of `collect_many`: a customer's samples of a period.

local check = require "scrutinizer.check"
local collect_many = require "scrutinizer.billing.collect_many"
local errors = require "scrutinizer.errors"
local files = require "scrutinizer.files"
local period = require "scrutinizer.billing.period"
local sample_files = require "scrutinizer.billing.sample_files"
local samples = require "scrutinizer.billing.samples"

---@class scrutinizer.CollectedFiles
---@field private _period scrutinizer.Period
---@field private _files table[] in order of time, inbound before outbound
local Collected = {}
Collected.__index = Collected
Collected.__name = "scrutinizer.CollectedFiles"

local collected = {}

local function refuse(text, ...)
  return nil, errors.new("bill", text:format(...))
end

local function day_text(day) return period.clock_text(day.timezone, day.from):sub(1, 10) end

-- Where each customer's line is in a file's text.
local function places_of(text)
  local places, at = {}, 1
  for line in text:gmatch "[^\n]*\n" do
    local name = sample_files.head(line)
    if name then places[name] = { at - 1, #line } end
    at = at + #line
  end
  return places
end

-- A file whose hash is right, and where its lines are.
local function open_file(dir, day, side)
  local path = sample_files.path(dir, day, side)
  local text, hash = sample_files.read(path, day, side)
  if text == nil then return nil, hash end
  if not text then return refuse("%s of %s is not in %s: collect it, or bill a shorter period", side, day_text(day), errors.neutral(dir, 200)) end
  return { path = path, day = day, side = side, sha256 = hash, places = places_of(text) }
end

--- Opens the files of a period. Every day of the period must be there, and every file as its manifest says.
---@param of scrutinizer.Period
---@param dir string
---@return scrutinizer.CollectedFiles?
---@return scrutinizer.Error? err
function collected.open(of, dir)
  local days, complaint = collect_many.days(of)
  if not days then return refuse("%s", complaint) end
  local list = {}
  for _, day in ipairs(days) do
    for _, side in ipairs(samples.SIDES) do
      local file, err = open_file(dir, day, side)
      if not file then return nil, err end
      list[#list + 1] = file
    end
  end
  return setmetatable({ _period = of, _files = list }, Collected)
end

--- The names of all customers in the files, sorted.
---@return string[]
function Collected:names()
  local seen = {}
  for _, file in ipairs(self._files) do
    for name in pairs(file.places) do seen[name] = true end
  end
  return check.sorted_keys(seen)
end

local function line_in(file, name)
  local place = file.places[name]
  if not place then
    return refuse("%s is not among the customers of %s, %s: collect again, or see what scrutinizer collect said", check.show(name),
      day_text(file.day), file.side)
  end
  local text, why = files.part(file.path, place[1], place[2])
  if not text then return errors.fail("file", why) end
  local line, err = sample_files.parse(file.path, text, file.day.intervals)
  if line and line.customer ~= name then return refuse("%s has changed while it was read", errors.neutral(file.path, 200)) end
  return line, err
end

-- Adds a day's octets to the parts of its side.
local function add_day(set, file, line)
  set[file.side] = set[file.side] or {}
  local first = math.floor((file.day.from - set.period.from) / set.interval)
  for p, part in ipairs(line.parts) do
    local whole = set[file.side][p] or { name = part.name, values = {}, files = {} }
    set[file.side][p] = whole
    for i = 1, file.day.intervals do whole.values[first + i] = part.octets[i] end
    table.insert(whole.files, { from = file.day.from, sha256 = file.sha256 })
  end
end

local function note(set, said)
  set.source = samples.less_complete(set.source, said.source)
  local share, worst = said.coverage_by_totals, said.worst_interval
  if share and (not set.coverage_by_totals or share < set.coverage_by_totals) then set.coverage_by_totals = share end
  if worst and (not set.worst_interval or worst.coverage < set.worst_interval.coverage) then set.worst_interval = worst end
  for _, word in ipairs(said.forced) do
    local known = false
    for _, other in ipairs(set.forced) do known = known or other == word end
    if not known then set.forced[#set.forced + 1] = word end
  end
end

--- A customer's samples of the period, as `billing.collect` gives them.
---@param name string
---@param customer? table its definition: samples that were collected by another one are refused
---@return scrutinizer.Samples? set
---@return scrutinizer.Error? err
function Collected:samples(name, customer)
  local set, err = samples.new(self._period)
  if not set then return nil, err end
  local wanted, of = customer and collect_many.definition(customer), nil
  for _, file in ipairs(self._files) do
    local line
    line, err = line_in(file, name)
    if not line then return nil, err end
    if of and line.of ~= of then
      return refuse("%s is not the same on all days: it changes on %s; collect again", check.show(name), day_text(file.day))
    end
    of = line.of
    if customer and of ~= wanted then
      return refuse("%s was collected as %s, and is now %s: collect again", check.show(name), errors.neutral(of, 200),
        errors.neutral(wanted or "invalid", 200))
    end
    add_day(set, file, line)
    note(set, line.said)
  end
  return set
end

return collected
