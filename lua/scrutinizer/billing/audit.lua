--- A bill as a file: the record of its inputs and the invoice made from it. The JSON text is the same on every Lua. The invoice has the SHA-256 of
--- the record's text. `verify` makes record and invoice again from the record and compares the whole text: the file agrees with itself. It does
--- not tell who made it.

local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local bigint = require "scrutinizer.arithmetic.bigint"
local fields = require "scrutinizer.billing.contract.fields"
local files = require "scrutinizer.files"
local invoice = require "scrutinizer.billing.invoice"
local parties = require "scrutinizer.billing.contract.parties"
local period = require "scrutinizer.billing.period"
local rule = require "scrutinizer.billing.contract.rule"
local samples = require "scrutinizer.billing.samples"
local sink = require "scrutinizer.sink"
local wire = require "scrutinizer.wire"

local audit = {}

local FORMAT, BEFORE = "scrutinizer bill 2", "scrutinizer bill 1"
local null = core.null

-- ---- writing ----

local portable

-- The lists of octets: a missing sample is null.
local function portable_values(values)
  local copy = setmetatable({}, core.array_mt)
  for i = 1, #values do
    local value = values[i]
    if value == false then value = null elseif type(value) ~= "number" or value > check.MAX then value = portable(value) end
    copy[i] = value
  end
  return copy
end

-- On every Lua: numbers beyond 2^53 become text, missing samples null, empty tables lists. Names that begin with _ are left out.
function portable(value)
  if type(value) == "number" then
    return (value > check.MAX or value < -check.MAX) and bigint.text(value) or value
  end
  if type(value) ~= "table" then return value end
  local copy = setmetatable({}, next(value) == nil and core.array_mt or nil)
  for key, item in pairs(value) do
    if key == "values" then copy[key] = portable_values(item)
    elseif type(key) ~= "string" or key:sub(1, 1) ~= "_" then copy[key] = portable(item) end
  end
  return copy
end

local function encode(value)
  return assert(wire.encode(portable(value)))
end

--- The JSON text of a record.
---@param record table
---@return string
function audit.record_text(record)
  return encode(record)
end

--- The JSON text of an invoice.
---@param bill scrutinizer.Invoice
---@return string
function audit.json(bill)
  return encode(bill) .. "\n"
end

--- The text of the file.
---@param bill scrutinizer.Invoice
---@return string
function audit.text(bill)
  return ('{"format":"%s","invoice":%s,"record":%s}\n'):format(FORMAT, encode(bill), bill._record_text)
end

--- Writes a temporary file and renames it to `path`.
---@param bill scrutinizer.Invoice
---@param path string
---@return true?
---@return scrutinizer.Error? err kind "file"
function audit.save(bill, path)
  local to, err = sink.open(path)
  if not to then return nil, err end
  local ok
  ok, err = to:write(audit.text(bill))
  if ok then ok, err = to:finish() end
  if ok then return true end
  to:abort()
  return nil, err
end

-- ---- reading ----

local function refuse(text, ...)
  return nil, errors.new("bill", text:format(...))
end

-- Null becomes a missing sample (false) among the samples, and nil elsewhere.
local function revive_values(part, n)
  if type(part) ~= "table" or type(part.values) ~= "table" then return nil end
  for i = 1, n do
    local value = part.values[i]
    if value == null then
      part.values[i] = false
    else
      local octets = bigint.whole(value)
      if not octets or bigint.compare(octets, 0) < 0 then return nil end
      part.values[i] = octets
    end
  end
  return part.values[n + 1] == nil
end

local function revive_parts(parts, n)
  if parts == nil then return true end
  if type(parts) ~= "table" or #parts == 0 then return false end
  for _, part in ipairs(parts) do
    if not revive_values(part, n) then return false end
  end
  return true
end

local function revive_set(kept, of)
  if type(kept) ~= "table" or not check.integer(kept.interval, 1) or type(kept.forced) ~= "table" then return nil end
  if not check.integer(kept.duplicates) or not check.integer(kept.outside) then return nil end
  local set = invoice.restore(kept, of)
  for _, side in ipairs(samples.SIDES) do
    if not set or not revive_parts(kept[side], set.n) then return nil end
  end
  return set
end

local RULED = { inbound = true, outbound = true, left_out = true, lines = true }

local function revive_lines(lines)
  return lines == nil or not fields.list("lines", "line", lines, { name = true, amount = true }, function(line)
    return not (bigint.whole(line.amount) and fields.is_text(line.name)) and "invalid" or nil
  end)
end

-- What a custom rule gave: samples of the same directions, places that it left out, lines.
local function revive_ruled(ruled, set)
  if type(ruled) ~= "table" or fields.unknown("ruled", ruled, RULED) then return false end
  for _, side in ipairs(samples.SIDES) do
    local given = ruled[side]
    if (given ~= nil) ~= (ruled.left_out ~= nil and set[side] ~= nil) then return false end
    if given ~= nil and (not revive_values(given, set.n) or fields.unknown("ruled", given, { values = true })) then return false end
  end
  for _, place in ipairs(ruled.left_out or {}) do
    if not check.integer(place, 1, set.n) then return false end
  end
  return revive_lines(ruled.lines)
end

local function revive_members(record, of)
  local members = {}
  for i, kept in ipairs(record.members) do
    local set = type(kept) == "table" and revive_set(kept.samples, of)
    if not set then return nil, ("the samples of member %d are invalid"):format(i) end
    if (record.rule ~= nil or kept.ruled ~= nil) and not revive_ruled(kept.ruled, set) then
      return nil, ("what the rule gave for member %d is invalid"):format(i)
    end
    members[i] = { name = kept.name, commit = kept.commit, samples = set }
  end
  return members
end

-- The record made again from a decoded one; nil and a complaint when it is damaged. A field that no record has is not in it.
local function revive(record)
  local saved = type(record) == "table" and record.period
  if type(saved) ~= "table" or type(record.members) ~= "table" or type(record.version) ~= "string" then return nil, "it has no record" end
  if not check.integer(saved.from) or not check.integer(saved.to) then return nil, "its period is invalid" end
  local of, complaint = period.between(saved.from, saved.to, saved.timezone, saved.anchor)
  if not of then return nil, complaint end
  local members
  members, complaint = revive_members(record, of)
  if not members then return nil, complaint end
  local given = { customer = record.customer, number = record.number, usage = record.usage, tariff = record.tariff }
  for _, name in ipairs(parties.FIELDS) do given[name] = record[name] end
  if record.pool then given.members = members else given.samples = members[1] and members[1].samples end
  local made
  made, complaint = invoice.record(given)
  if not made then return nil, complaint end
  made.version = record.version
  if record.rule ~= nil then
    made.rule = { name = record.rule.name, version = record.rule.version, source_sha256 = record.rule.source_sha256 }
    for _, name in ipairs { "name", "version", "source_sha256" } do
      if not fields.is_text(made.rule[name]) then return nil, "its rule is invalid" end
    end
    for i, kept in ipairs(record.members) do made.members[i].ruled = kept.ruled end
  end
  return made
end

-- ---- the first difference ----

local function keys_of(a, b)
  local all = {}
  for key in pairs(a) do all[tostring(key)] = key end
  for key in pairs(b) do all[tostring(key)] = key end
  local list = check.sorted_keys(all)
  for i, name in ipairs(list) do list[i] = all[name] end
  -- A list's indexes in numeric order.
  if type(list[1]) == "number" then table.sort(list) end -- numbers
  return list
end

local function shown(value)
  if value == nil then return "nothing" end
  return check.show(value == null and "null" or value)
end

-- The first difference of two decoded values: a path, and both values as text.
local function difference(saved, made, path)
  if type(saved) == "table" and type(made) == "table" then
    for _, key in ipairs(keys_of(saved, made)) do
      local at, one, other = difference(saved[key], made[key], type(key) == "number" and ("%s[%d]"):format(path, key) or
        (path == "" and key or path .. "." .. key))
      if at then return at, one, other end
    end
    return nil
  end
  if saved ~= made then return path, shown(saved), shown(made) end
end

local function first_byte(a, b)
  local low, high = 0, math.min(#a, #b)
  while low < high do
    local middle = math.floor((low + high + 1) / 2)
    if a:sub(1, middle) == b:sub(1, middle) then low = middle else high = middle - 1 end
  end
  return low
end

-- The first difference of two files, and both decoded. What differs in the record only shows in its hash: that is said last.
local function first_difference(saved, made)
  local one, other = assert(core.decode(saved)), assert(core.decode(made))
  local audits = { one, other }
  for i, file in ipairs(audits) do
    local of = type(file.invoice) == "table" and file.invoice.audit
    audits[i] = type(of) == "table" and of.record_sha256 or nil
    if type(of) == "table" then of.record_sha256 = nil end
  end
  local path, was, is = difference(one, other, "")
  if path then return path, was, is end
  return difference({ record_sha256 = audits[1] }, { record_sha256 = audits[2] }, "invoice.audit")
end

local function differ(saved, made, version)
  local path, one, other = first_difference(saved, made)
  local by = version ~= core.VERSION and (" (made by version %s, this is %s)"):format(errors.neutral(version, 20), core.VERSION) or ""
  if path then
    return nil, errors.new("bill", ("%s: the file says %s, the samples give %s%s"):format(path, one, other, by),
      { difference = { path = path, saved = one, computed = other } })
  end
  return refuse("the file has the same values but not the same text: byte %d differs%s", first_byte(saved, made), by)
end

--- The checked record of a saved bill, and the file's text.
---@param path string
---@return table? record
---@return string|scrutinizer.Error text or err, when there is no record
function audit.load(path)
  local text, why = files.read(path)
  if not text then return errors.fail("file", why) end
  local saved = core.decode(text)
  if type(saved) == "table" and saved.format == BEFORE then
    return refuse("%s: a bill of format 1, whose hash does not cover parties, rules and queries; verify it with the version that made it", path)
  end
  if type(saved) ~= "table" or saved.format ~= FORMAT then return refuse("%s: not a saved bill that this version can read", path) end
  local fine, record
  fine, record, why = pcall(revive, saved.record)
  if not fine then record, why = nil, "its record is damaged" end
  if record then return record, text end
  return refuse("%s: %s", path, why)
end

-- ---- verifying ----

-- Runs a custom rule again and compares what it gives with what the record has. Returns what was done, false for a bill without a rule.
local function check_rule(record, own)
  local about = record.rule
  if not about then
    if own then return refuse("the bill has no custom rule") end
    return false
  end
  if not own then return { rule = "not run" } end
  for _, name in ipairs { "name", "version", "source_sha256" } do
    if about[name] ~= own[name] then return refuse("rule.%s: the bill has %s, the rule %s", name, check.show(about[name]), check.show(own[name])) end
  end
  local of = assert(period.between(record.period.from, record.period.to, record.period.timezone, record.period.anchor))
  for i, kept in ipairs(record.members) do
    local gives, err = rule.run(own, assert(invoice.restore(kept.samples, of)))
    if not gives then return nil, err end
    if encode(gives) ~= encode(kept.ruled) then return refuse("the rule gives other samples or lines for member %d than the bill has", i) end
  end
  return { rule = "run again" }
end

--- Makes a saved bill again from its samples and compares it byte by byte.
---@param path string
---@param finish fun(record: table): scrutinizer.Invoice?, scrutinizer.Error? makes the invoice
---@param own? scrutinizer.Rule the bill's custom rule, to run it again
---@return scrutinizer.Invoice? bill
---@return scrutinizer.Error|{ rule: "run again"|"not run" }? err; with a bill that has a custom rule: what became of the rule
function audit.verify(path, finish, own)
  local record, text = audit.load(path)
  if not record then return nil, text end
  local fine, bill, err = pcall(finish, record)
  if not fine then return refuse("%s: its record is damaged", path) end
  if not bill then return nil, err end
  local made = audit.text(bill)
  if made ~= text then return differ(text, made, record.version) end
  local done
  done, err = check_rule(record, own)
  if done == nil then return nil, err end
  if not done then return bill end
  return bill, done
end

return audit
