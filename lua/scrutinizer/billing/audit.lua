--- A bill as a file: the record of its inputs and the invoice made from it. The JSON text is the same on every Lua. `verify` makes the
--- invoice again from the record and compares the whole text.

local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local bigint = require "scrutinizer.arithmetic.bigint"
local files = require "scrutinizer.files"
local invoice = require "scrutinizer.billing.invoice"
local period = require "scrutinizer.billing.period"
local samples = require "scrutinizer.billing.samples"
local sink = require "scrutinizer.sink"
local wire = require "scrutinizer.wire"

local audit = {}

local FORMAT = "scrutinizer bill 1"
local null = core.null

-- ---- writing ----

-- On every Lua: numbers beyond 2^53 become text, missing samples null, empty tables lists. Names that begin with _ are left out.
local function portable(value)
  if value == false then return null end
  if type(value) == "number" then
    return (value > check.MAX or value < -check.MAX) and bigint.text(value) or value
  end
  if type(value) ~= "table" then return value end
  local copy = setmetatable({}, next(value) == nil and core.array_mt or nil)
  for key, item in pairs(value) do
    if type(key) ~= "string" or key:sub(1, 1) ~= "_" then copy[key] = portable(item) end
  end
  return copy
end

local function boolean(value)
  return value and true or nil
end

-- Flags such as `pool` are true or absent, because false means a missing sample here.
local function tidy(invoiced)
  local copy = {}
  for key, value in pairs(invoiced) do copy[key] = value end
  copy.pool = boolean(invoiced.pool)
  copy.period = {}
  for key, value in pairs(invoiced.period) do copy.period[key] = value end
  copy.period.whole = boolean(invoiced.period.whole)
  return copy
end

-- Removes flags that were given as false from the record.
local function record_of(record)
  local copy = {}
  for key, value in pairs(record) do copy[key] = value end
  copy.pool = boolean(record.pool)
  return copy
end

--- The JSON text of an invoice.
---@param bill scrutinizer.Invoice
---@return string
function audit.json(bill)
  return assert(wire.encode(portable(tidy(bill)))) .. "\n"
end

--- The text of the file.
---@param bill scrutinizer.Invoice
---@return string
function audit.text(bill)
  return assert(wire.encode(portable { format = FORMAT, invoice = tidy(bill), record = record_of(bill._record) })) .. "\n"
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

local function revive_set(kept, of)
  if type(kept) ~= "table" or not check.integer(kept.interval, 1) or type(kept.forced) ~= "table" then return nil end
  if not check.integer(kept.duplicates) or not check.integer(kept.outside) then return nil end
  local set, err = invoice.restore(kept, of)
  if not set then return nil, err.message end
  for _, side in ipairs(samples.SIDES) do
    if kept[side] ~= nil and type(kept[side]) ~= "table" then return nil end
    for _, part in ipairs(kept[side] or {}) do
      if not revive_values(part, set.n) then return nil end
    end
  end
  return set
end

local function revive_flags(tariff)
  if type(tariff) ~= "table" then return end
  if tariff.prorate_commit == null then tariff.prorate_commit = false end
  for _, fee in ipairs(type(tariff.fees) == "table" and tariff.fees or {}) do
    if type(fee) == "table" and fee.prorate == null then fee.prorate = false end
  end
end

-- Turns a decoded record into one for `invoice.compose`; nil and a complaint when it is damaged.
local function revive(record)
  local saved = type(record) == "table" and record.period
  if type(saved) ~= "table" or type(record.members) ~= "table" or type(record.version) ~= "string" then return nil, "it has no record" end
  if not check.integer(saved.from) or not check.integer(saved.to) then return nil, "its period is invalid" end
  local of, complaint = period.between(saved.from, saved.to, saved.timezone)
  if not of then return nil, complaint end
  record.pool = record.pool == true
  revive_flags(record.tariff)
  local members = {}
  for i, kept in ipairs(record.members) do
    local set = type(kept) == "table" and revive_set(kept.samples, of)
    if not set then return nil, ("the samples of member %d are invalid"):format(i) end
    members[i] = { name = kept.name, commit = kept.commit, samples = set }
  end
  local given = { customer = record.customer, number = record.number, usage = record.usage, tariff = record.tariff }
  if record.pool then given.members = members else given.samples = members[1] and members[1].samples end
  complaint = invoice.complaint(given)
  if complaint then return nil, complaint end
  return record
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

local function differ(saved, made, version)
  local path, one, other = difference(assert(core.decode(saved)), assert(core.decode(made)), "")
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
  if type(saved) ~= "table" or saved.format ~= FORMAT then return refuse("%s: not a saved bill that this version can read", path) end
  local fine, record
  fine, record, why = pcall(revive, saved.record)
  if not fine then record, why = nil, "its record is damaged" end
  if record then return record, text end
  return refuse("%s: %s", path, why)
end

--- Makes a saved bill again from its samples and compares it byte by byte.
---@param path string
---@param finish fun(record: table): scrutinizer.Invoice?, scrutinizer.Error? makes the invoice
---@return scrutinizer.Invoice? bill
---@return scrutinizer.Error? err
function audit.verify(path, finish)
  local record, text = audit.load(path)
  if not record then return nil, text end
  local fine, bill, err = pcall(finish, record)
  if not fine then return refuse("%s: its record is damaged", path) end
  if not bill then return nil, err end
  local made = audit.text(bill)
  if made == text then return bill end
  return differ(text, made, record.version)
end

return audit
