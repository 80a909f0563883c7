--- The six types of IP group rules: reads them from tables and texts, checks them, and finds them in answers.

local addresses = require "scrutinizer.addresses"
local ascii = require "scrutinizer.ascii"
local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local suggest = require "scrutinizer.suggest"
local item_results = require "scrutinizer.manage.common.item_results"
local wire = require "scrutinizer.wire.ip_groups"

local rules = {}

-- The members that identify a rule, by its type.
local MEMBERS = { ip = { "address" }, range = { "from", "to" }, network = { "address", "length" }, wildcard = { "address", "mask" },
  child = { "group" }, ipall = {} }

---@class scrutinizer.IpRule
---@field id? integer      the appliance's id of the rule
---@field type "ip"|"range"|"network"|"wildcard"|"child"|"ipall"
---@field address? string  ip, network, wildcard
---@field length? integer  network: prefix length in bits
---@field mask? string     wildcard: bits that are 1 are ignored
---@field from? string     range: first address
---@field to? string       range: last address
---@field group? integer   child: the child group's id
---@field error? string    in results: why the rule is not confirmed
---@field code? scrutinizer.ItemCode

rules.ALLOWED = [["10.1.1.1", "10.0.0.0/8", "10.1.1.1-10.1.1.9", "10.0.4.0/0.255.0.255", or a table { type = "ip", address = }, ]]
  .. [[{ type = "range", from =, to = }, { type = "network", address =, length = }, { type = "wildcard", address =, mask = }, ]]
  .. [[{ type = "child", group = }, { type = "ipall" }]]

-- The 8 groups of an IPv6 address, four hex digits each; so texts compare as addresses do.
local function expanded(text)
  local head, tail = text:match "^(.*:)([^:]*%.[^:]*)$"
  if tail then
    local o = addresses.octets(tail)
    text = ("%s%x:%x"):format(head, o[1] * 256 + o[2], o[3] * 256 + o[4])
  end
  local left, right = text:match "^(.-)::(.*)$"
  local parts, after = {}, {}
  for group in (left or text):gmatch "[^:]+" do parts[#parts + 1] = ("%04x"):format(tonumber(group, 16)) end
  for group in (right or ""):gmatch "[^:]+" do after[#after + 1] = ("%04x"):format(tonumber(group, 16)) end
  for _ = #parts + #after + 1, 8 do parts[#parts + 1] = "0000" end
  return table.concat(parts) .. table.concat(after)
end

-- An address as a text that compares as addresses do; nil if it is not an address.
local function sortable(text)
  if type(text) ~= "string" then return nil end
  local o = addresses.octets(text)
  if o then return ("%02x%02x%02x%02x"):format(o[1], o[2], o[3], o[4]) end
  return addresses.is_ipv6(text) and expanded(text) or nil
end

-- One reader per type: returns the rule's own fields from a table, or nil and the complaint.
local READ = {}

function READ.ip(given)
  if not addresses.is_ip(given.address) then return nil, check.message("address", given.address, "the text of an IPv4 or IPv6 address") end
  return { address = given.address }
end

function READ.range(given)
  local from, to = given.from or given.sip, given.to or given.eip
  local first, last = sortable(from), sortable(to)
  if not first then return nil, check.message("from", from, "the text of an IPv4 or IPv6 address") end
  if not last then return nil, check.message("to", to, "the text of an IPv4 or IPv6 address") end
  if #first ~= #last then return nil, check.message("to", to, "an address of the family of " .. from) end
  if last < first then return nil, check.message("to", to, "no address before " .. from) end
  return { from = from, to = to }
end

function READ.network(given)
  local length = check.digits(given.length or given.mask, 0, 128)
  local text = type(given.address) == "string" and length and ("%s/%d"):format(given.address, length) or nil
  local network, hint = addresses.network(text)
  if network then return network end
  return nil, check.message("network", text or given.length or given.mask, "an address and its length, as 10.0.0.0 and 8", hint)
end

function READ.wildcard(given)
  for _, name in ipairs { "address", "mask" } do
    if type(given[name]) ~= "string" or not addresses.octets(given[name]) then
      return nil, check.message(name, given[name], "an IPv4 address and a mask such as 0.255.0.255, whose 1 bits do not count")
    end
  end
  return { address = given.address, mask = given.mask }
end

function READ.child(given)
  local group = given.group or check.digits(given.child_id, 1) or given.child_id
  local id = check.integer(group, 1)
  if id then return { group = id } end
  if check.name(group) then return { group_name = group } end
  return nil, check.message("group", group, "the id (a number) or the name (a text) of an IP group that exists")
end

function READ.ipall() return {} end

local FIELDS = { id = true, rule_id = true, type = true, address = true, length = true, mask = true, from = true, to = true, sip = true, eip = true,
  group = true, child_id = true, all = true }

local function from_table(given)
  for key in next, given do
    if not FIELDS[key] then return nil, check.message("field", key, table.concat(check.sorted_keys(FIELDS), ", ")) end
  end
  local kind = given.type == "all" and "ipall" or given.type
  if type(kind) ~= "string" or not READ[kind] then
    local hint = type(kind) == "string" and suggest.did_you_mean(suggest.nearest(kind, READ)) or nil
    return nil, check.message("type", given.type, table.concat(check.sorted_keys(READ), ", "), hint)
  end
  local rule, complaint = READ[kind](given)
  if not rule then return nil, complaint end
  rule.type, rule.id = kind, given.id or given.rule_id
  return rule
end

local function from_text(text)
  local left, right = text:match "^%s*([^%s/-]+)%s*%-%s*([^%s/-]+)%s*$"
  if left then return from_table { type = "range", from = left, to = right } end
  left, right = text:match "^%s*([^%s/]+)/([^%s/]+)%s*$"
  if left and right:find "%." then return from_table { type = "wildcard", address = left, mask = right } end
  if left then return from_table { type = "network", address = left, length = right } end
  return from_table { type = "ip", address = text:match "^%s*(.-)%s*$" }
end

--- Checks one rule. Addresses stay as written.
---@param value string|table
---@return scrutinizer.IpRule? rule
---@return string? complaint
function rules.read(value)
  if type(value) == "string" then return from_text(value) end
  if type(value) == "table" then return from_table(value) end
  return nil, check.message("rule", value, rules.ALLOWED)
end

--- Checks each rule of a list.
---@param where string the method, for messages
---@param list any
---@return scrutinizer.IpRule[]? rules
---@return string? complaint
function rules.read_all(where, list)
  if type(list) ~= "table" or (next(list) ~= nil and list[1] == nil) then
    return nil, check.message(where, list, "a list of rules: " .. rules.ALLOWED)
  end
  local read = {}
  for i = 1, #list do
    local rule, complaint = rules.read(list[i])
    if not rule then return nil, ("%s: rule %d: %s"):format(where, i, complaint) end
    read[i] = rule
  end
  return read
end

-- An address as `same` writes it: equal addresses are equal texts.
local function canonical(address)
  return sortable(address) or ascii.lower(address)
end

--- A text that is equal for equal rules, however their addresses are written. Nil when a member is missing, or the type is unknown.
---@param rule scrutinizer.IpRule with or without its id; a child group by id or name
---@return string?
function rules.same(rule)
  local parts = { rule.type }
  for _, name in ipairs(MEMBERS[rule.type] or {}) do
    local value = rule[name]
    if name == "group" and value == nil and rule.group_name then value = "name " .. rule.group_name end
    if value == nil then return nil end
    parts[#parts + 1] = type(value) == "number" and ("%d"):format(value) or (name == "group" and value) or canonical(value)
  end
  return MEMBERS[rule.type] and table.concat(parts, "\0") or nil
end

-- ---- answers ----

-- A rule in the notation of texts.
local TEXT = {
  range = function(rule) return rule.from .. "-" .. rule.to end,
  network = function(rule) return ("%s/%d"):format(rule.address, rule.length) end,
  wildcard = function(rule) return rule.address .. "/" .. rule.mask end,
  child = function(rule) return rule.group and ("group:%d"):format(rule.group) or "group:" .. rule.group_name end,
  ip = function(rule) return rule.address end,
  ipall = function() return "all" end,
}

local Rule = { __name = "scrutinizer.IpRule", __tostring = function(rule)
  local of = rules.same(rule) and TEXT[rule.type] or nil
  return of and of(rule) or errors.neutral(rule.type or "rule", 100)
end }

--- A rule as results show it. It prints itself.
---@param rule scrutinizer.IpRule
---@param id? integer
---@return scrutinizer.IpRule
function rules.shown(rule, id)
  local copy = setmetatable({ id = id }, Rule)
  for _, name in ipairs { "type", "address", "length", "mask", "from", "to", "group" } do copy[name] = rule[name] end
  return copy
end

local shown = rules.shown

-- The positions of an answer's entries by key: lists in descending order.
local function by_key(entries)
  local map = {}
  for i = #entries, 1, -1 do
    local entry = entries[i]
    local key = type(entry) == "table" and item_results.whole(entry.rule_id) and wire.answered_key(entry)
    if key then
      map[key] = map[key] or {}
      table.insert(map[key], i)
    end
  end
  return map
end

-- If the answer has as many entries as rules, the entry at the same position and of the same type is the rule's: the appliance may write the
-- address differently.
local function at_place(rule, entries, used, i, count)
  local entry = entries[i]
  if #entries ~= count or used[i] or type(entry) ~= "table" or entry.type ~= rule.type then return nil end
  used[i] = true
  return item_results.whole(entry.rule_id)
end

--- Why an answer does not confirm a rule: what it warns of, if that is about the rule.
---@param rule scrutinizer.IpRule
---@param warnings any[]
---@param mask fun(text: string): string
---@return string sentence
---@return scrutinizer.ItemCode code
function rules.complaint(rule, warnings, mask)
  local all = {}
  for _, warning in ipairs(warnings) do
    local text = item_results.text(warning)
    if item_results.mentions(text, rule.address or rule.from or rule.group or rule.type) then return item_results.said(text, mask), "refused" end
    all[#all + 1] = text
  end
  local silent = "the answer does not mention this rule"
  return all[1] and item_results.said(silent .. "; it contains: " .. table.concat(all, "; "), mask) or silent, "unconfirmed"
end

--- The rules in the order given, each with its id from the answer, or with `error`.
---@param list scrutinizer.IpRule[]
---@param entries any[] the rules in the answer
---@param warnings any[]
---@param mask fun(text: string): string
---@return scrutinizer.IpRule[]
function rules.confirm(list, entries, warnings, mask)
  local map, used, out = by_key(entries), {}, {}
  for i, rule in ipairs(list) do
    local places = map[wire.key(rule)]
    local place = places and table.remove(places)
    if place then
      used[place] = true
      out[i] = shown(rule, item_results.whole(entries[place].rule_id))
    end
  end
  for i, rule in ipairs(list) do
    if not out[i] then
      out[i] = shown(rule, at_place(rule, entries, used, i, #list))
      if not out[i].id then out[i].error, out[i].code = rules.complaint(rule, warnings, mask) end
    end
  end
  return out
end

--- Reads a list of rules in an answer.
---@param entries any[]
---@return scrutinizer.IpRule[]? rules nil: an entry is not a rule
function rules.answered(entries)
  local list = {}
  for i, entry in ipairs(entries) do
    local id = type(entry) == "table" and item_results.whole(entry.rule_id)
    if not id or type(entry.type) ~= "string" then return nil end
    list[i] = rules.shown(wire.read(entry), id)
  end
  return list
end

return rules
