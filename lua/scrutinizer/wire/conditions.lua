--- The conditions of `query:where` and `:exclude`: which of them are sent as filters, and by which of them the client filters the rows.
---
--- Values of one key are ORed; different keys and further calls are ANDed. The appliance ANDs filters of different types, but ORs filters of
--- the same type. So of two conditions of one type, one is sent, and the client filters the rows by the other, if they have the columns for it.

local addresses = require "scrutinizer.addresses"
local check = require "scrutinizer.check"
local filters = require "scrutinizer.wire.filters"

local conditions = {}

---@class scrutinizer.Condition
---@field mode "in"|"ex"
---@field key string      a key of `where`, such as "src_ip"
---@field values any[]    as the caller gave them; each passes `conditions.read`
---@field call integer    number of the call of `where` or `exclude` that it is from; counts from 1

--- The keys of `where` and `exclude`.
---@type table<string, { kind: string, side?: "both"|"src"|"dst" }>
conditions.keys = {}
for kind in pairs(filters.type) do
  if filters.ONE_KEY[kind] then
    conditions.keys[kind] = { kind = kind }
  elseif kind ~= "exporter" then
    conditions.keys[kind] = { kind = kind, side = "both" }
    conditions.keys["src_" .. kind] = { kind = kind, side = "src" }
    conditions.keys["dst_" .. kind] = { kind = kind, side = "dst" }
  end
end

-- One reader per kind: the value that filters.write takes, or nil and perhaps a hint.
local READERS = { network = addresses.network, app_port = addresses.app_port }

function READERS.ip(value)
  return addresses.is_ip(value) and value or nil
end

-- A name is looked up before a request is made.
function READERS.ip_group(value)
  return check.integer(value, 1) or (check.name(value) and value) or nil
end

function READERS.port(value)
  return check.digits(value, 0, 65535)
end

--- A value of a key as `filters.write` takes it; nil, and perhaps a hint, for any other value.
---@param key string
---@param value any
---@return any
---@return string? hint
function conditions.read(key, value)
  return READERS[conditions.keys[key].kind](value)
end

-- ---- the columns of rows ----

local SOURCE, DESTINATION = "sourceipaddress", "destinationipaddress"

-- The columns by which rows can be filtered, for each kind of condition.
local COLUMNS = {
  ip = { src = SOURCE, dst = DESTINATION },
  network = { src = SOURCE, dst = DESTINATION },
  port = { src = "sourcetransportport", dst = "destinationtransportport" },
}

local function set(...)
  local out = {}
  for _, name in ipairs { ... } do out[name] = true end
  return out
end

-- Which of these columns the known report types have. For other types the answer's header tells.
local SHOWN = {
  connections = set(SOURCE, DESTINATION, COLUMNS.port.src, COLUMNS.port.dst),
  conversations = set(SOURCE, DESTINATION), conversationsApp = set(SOURCE, DESTINATION), conversationsWKP = set(SOURCE, DESTINATION),
  host2host = set(SOURCE, DESTINATION),
  srcHosts = set(SOURCE), srcHostFlows = set(SOURCE), flowCountBySource = set(SOURCE), dstHosts = set(DESTINATION),
}
for _, name in ipairs {
  "applications", "country2country", "dstdomains", "flowCountByWKP", "interfaces", "ipGroupGroup", "newDstAs", "newSrcAs", "srcCountries",
  "srcdomains", "topMacsSrc", "tos",
} do SHOWN[name] = {} end

-- Columns that the appliance computes from all its rows, before the client filters them: rank and shares.
conditions.OF_ALL = set("rank", "percenttotal")

-- ---- clauses: the ORed values of one key, from one call or several ----

-- One value of a clause. Addresses and networks have digits and length.
local function alternative(key, given)
  local kind = conditions.keys[key].kind
  local value = conditions.read(key, given)
  local text = kind == "ip" and value or kind == "network" and value.address
  local one = { value = value, given = given }
  if text then
    one.digits = addresses.digits(text)
    one.length = kind == "network" and value.length or #one.digits * 4
  elseif kind == "app_port" then
    one.text = ("%d-%d"):format(value.port, value.protocol)
  else
    one.text = type(value) == "number" and ("%d"):format(value) or ("name %s"):format(value)
  end
  return one
end

-- The first bits of an alternative's address as text, whatever its spelling; of one without an address its text.
local function key_of(one, length)
  if not one.digits then return one.text end
  local whole, rest = math.floor(length / 4), length % 4
  local bits = rest > 0 and math.floor(tonumber(one.digits:sub(whole + 1, whole + 1), 16) / 2 ^ (4 - rest)) or 0
  return ("%d/%d/%s/%d"):format(#one.digits, length, one.digits:sub(1, whole), bits)
end

-- The lengths of the alternatives' networks, those of IPv4 apart from those of IPv6.
local function add_lengths(lengths, alternatives)
  for _, one in ipairs(alternatives) do
    if one.digits then
      local of = lengths[#one.digits] or {}
      lengths[#one.digits], of[one.length] = of, true
    end
  end
end

-- The keys of what may hold an alternative: itself, and networks of the given lengths around it.
local function keys_around(one, lengths)
  if not one.digits then return { one.text } end
  local keys = {}
  for length in pairs(lengths[#one.digits] or {}) do
    if length <= one.length then keys[#keys + 1] = key_of(one, length) end
  end
  return keys
end

-- Whether every value that matches this alternative also matches the clause.
local function holds(clause, one)
  if not clause.keys then
    clause.keys, clause.lengths = {}, {}
    add_lengths(clause.lengths, clause.alternatives)
    for _, other in ipairs(clause.alternatives) do clause.keys[key_of(other, other.length)] = true end
  end
  for _, key in ipairs(keys_around(one, clause.lengths)) do
    if clause.keys[key] then return true end
  end
  return false
end

local function clause_of(condition)
  local rule, alternatives = conditions.keys[condition.key], {}
  for i, value in ipairs(condition.values) do alternatives[i] = alternative(condition.key, value) end
  return { key = condition.key, kind = rule.kind, side = rule.side, alternatives = alternatives }
end

-- An alternative as text, to sort alternatives by their value alone.
local function sort_key(one)
  return one.digits and ("%s/%03d"):format(one.digits, one.length) or one.text
end

-- The values that are in both clauses of one key. Only for keys of which a flow has exactly one value: an address or port of one side.
local function common(a, b)
  local by_text, alternatives = {}, {}
  for _, pair in ipairs { { a, b }, { b, a } } do
    for _, one in ipairs(pair[1].alternatives) do
      if holds(pair[2], one) then by_text[sort_key(one)] = one end
    end
  end
  for i, text in ipairs(check.sorted_keys(by_text)) do alternatives[i] = by_text[text] end
  return { key = a.key, kind = a.kind, side = a.side, alternatives = alternatives }
end

local function is_single(clause)
  return (clause.side == "src" or clause.side == "dst") and clause.kind ~= "ip_group"
end

-- Whether every flow that matches `inner` also matches `outer`; both are of one kind.
local function implied(outer, inner)
  if outer.side ~= inner.side and outer.side ~= "both" then return false end
  for _, one in ipairs(inner.alternatives) do
    if not holds(outer, one) then return false end
  end
  return true
end

-- Clauses in an order that does not depend on the order of calls.
local function before(a, b)
  if #a.alternatives ~= #b.alternatives then return #a.alternatives < #b.alternatives end
  if a.key ~= b.key then return check.before(a.key, b.key) end
  for i, x in ipairs(a.alternatives) do
    local first, second = sort_key(x), sort_key(b.alternatives[i])
    if first ~= second then return check.before(first, second) end
  end
  return false
end

-- Which clauses may imply another: those whose first alternative lies in one of its own, by the key of that.
local function by_first(clauses)
  local lengths, places = {}, {}
  for _, clause in ipairs(clauses) do add_lengths(lengths, clause.alternatives) end
  for i, clause in ipairs(clauses) do
    for _, key in ipairs(keys_around(clause.alternatives[1], lengths)) do
      places[key] = places[key] or {}
      table.insert(places[key], i)
    end
  end
  return places
end

-- Leaves out clauses that another one implies.
local function without_implied(clauses)
  local out, dropped = {}, {}
  table.sort(clauses, before)
  local places = by_first(clauses)
  local function is_implied(i)
    for _, one in ipairs(clauses[i].alternatives) do
      for _, j in ipairs(places[key_of(one, one.length)] or {}) do
        if i ~= j and not dropped[j] and implied(clauses[i], clauses[j]) then return true end
      end
    end
    return false
  end
  for i, clause in ipairs(clauses) do
    dropped[i] = is_implied(i)
    if not dropped[i] then out[#out + 1] = clause end
  end
  return out
end

local function show(values)
  local words = {}
  for i, value in ipairs(values) do
    words[i] = type(value) == "table" and table.concat({ tostring(value[1]), tostring(value[2]) }, "/") or tostring(value)
  end
  return table.concat(words, " or ")
end

-- Adds a clause to those of its kind. Returns false when no flow can match both this clause and an earlier one.
local function add_clause(list, singles, clause)
  local place = is_single(clause) and singles[clause.key]
  if not place then
    list[#list + 1] = clause
    singles[clause.key] = #list
    return true
  end
  list[place] = common(list[place], clause)
  return #list[place].alternatives > 0
end

-- The clauses that include flows, by kind; nil and a complaint when no flow can match all of them.
local function clauses_of(spec)
  local by_kind, singles = {}, {}
  for _, condition in ipairs(spec.conditions) do
    if condition.mode == "in" then
      local clause = clause_of(condition)
      by_kind[clause.kind] = by_kind[clause.kind] or {}
      if not add_clause(by_kind[clause.kind], singles, clause) then
        return nil, ("where: %s: no flow can match all calls, because calls are ANDed; give alternatives as a list in one call"):format(clause.key)
      end
    end
  end
  for kind, list in pairs(by_kind) do by_kind[kind] = without_implied(list) end
  return by_kind
end

-- ---- which clause is sent ----

-- The columns by which the client can filter rows for a clause; nil when there are none.
local function columns_of(clause)
  local of = COLUMNS[clause.kind]
  if not of then return nil end
  return clause.side == "both" and { of.src, of.dst } or { of[clause.side] }
end

local function report_type(spec)
  local set_type = spec.fields[filters.TYPE_FIELD]
  if set_type == nil then return spec.type end
  return type(set_type) == "string" and set_type or ""
end

local function can_filter(spec, clause)
  local shown, columns = SHOWN[report_type(spec)], columns_of(clause)
  if not columns then return false end
  for _, column in ipairs(columns) do
    if shown and not shown[column] then return false end
  end
  return true
end

local function keys_of(list)
  local words, seen = {}, {}
  for _, clause in ipairs(list) do
    if not seen[clause.key] then words[#words + 1] = clause.key end
    seen[clause.key] = true
  end
  return words[2] and table.concat(words, " with ") or words[1] .. " in several calls"
end

-- For kinds that no column shows: why rows cannot be filtered by them, and what to do instead.
local NOT_SHOWN = {
  ip_group = "the client cannot filter rows by IP group: use only one of these conditions, or networks instead of a group",
  app_port = "the client cannot filter rows by app_port: give the values as a list in one call, or use port with the report connections",
}

local function complaint(spec, unfilterable, all)
  local ors = ("where: %s: the appliance ORs filters of the same type"):format(keys_of(all))
  local columns = columns_of(unfilterable)
  if not columns then return ("%s, and %s"):format(ors, NOT_SHOWN[unfilterable.kind]) end
  return ("%s, and '%s' has no column %s by which the client could filter rows: use a report that has it (%s) and sum its rows with :aggregate")
    :format(ors, report_type(spec), table.concat(columns, " or no "), unfilterable.kind == "port" and "connections" or "host2host, conversations")
end

-- The clause that is sent, and those by which the client filters. `others`: filters of this type that are not conditions are sent, too.
local function split(spec, list, others)
  local sent, rest, unfilterable = nil, {}, nil
  for _, clause in ipairs(list) do
    if not can_filter(spec, clause) then
      if unfilterable or others then return nil, complaint(spec, clause, list) end
      unfilterable = clause
    end
  end
  if not others then sent = unfilterable or list[1] end
  for _, clause in ipairs(list) do
    if clause ~= sent then rest[#rest + 1] = clause end
  end
  return { sent = sent, rest = rest }
end

-- ---- the test of a clause ----

local function missing_column(clause, column)
  return ("where: %s is filtered in the client by the column %s, which this report lacks (the appliance ORs filters of the same type)")
    :format(clause.key, column)
end

local function test_of(clause)
  local one_of, tests = {}, {}
  for i, one in ipairs(clause.alternatives) do
    if clause.kind == "port" then
      one_of[i] = one.text
    else
      one_of[i] = clause.kind == "network" and ("%s/%d"):format(one.value.address, one.value.length) or one.value
    end
  end
  for i, column in ipairs(columns_of(clause)) do
    tests[i] = { column = column, member = "raw", why = missing_column(clause, column),
      one_of = clause.kind == "port" and { numbers = one_of } or { networks = one_of } }
  end
  return #tests > 1 and { any = tests } or tests[1]
end

-- ---- the plan ----

local function write(out, clause, mode)
  for _, one in ipairs(clause.alternatives) do out[#out + 1] = filters.write[clause.kind](mode, clause.side, one.value) end
end

-- The types of the filters from `:filter` and pasted reports that include flows.
local function other_types(spec)
  local types = {}
  for _, entry in ipairs(spec.filters) do
    local shuts_out = type(entry.value) == "string" and entry.value:find "^ex_"
    if entry.type and not shuts_out then types[entry.type] = true end
  end
  return types
end

local function given(clause)
  local values = {}
  for i, one in ipairs(clause.alternatives) do values[i] = one.given end
  return values
end

-- Plans the clauses of one kind.
local function plan_kind(spec, plan, list, others)
  local parts, message = split(spec, list, others)
  if not parts then return message end
  if parts.sent then write(plan.entries, parts.sent, "in") end
  for _, clause in ipairs(parts.rest) do
    plan.rest[#plan.rest + 1] = { key = clause.key, words = ("%s = %s"):format(clause.key, show(given(clause))), test = test_of(clause) }
  end
end

---@class scrutinizer.FilterPlan
---@field entries { type?: string, key?: string, value: any }[] the filters to send
---@field rest { key: string, words: string, test: table }[]   by what the client filters rows

--- How a query's filters are applied. Nil and a message when it cannot be done.
---@param spec table
---@return scrutinizer.FilterPlan?
---@return string? message
function conditions.plan(spec)
  local plan, others = { entries = {}, rest = {} }, other_types(spec)
  if spec.fields[filters.FIELD] ~= nil then return plan end -- `:set` has given them all
  for i, entry in ipairs(filters.distinct(spec.filters)) do plan.entries[i] = entry end
  local wrong = filters.contradiction(plan.entries)
  if wrong then return nil, wrong end
  local by_kind, message = clauses_of(spec)
  if not by_kind then return nil, message end
  for _, kind in ipairs(check.sorted_keys(by_kind)) do
    message = plan_kind(spec, plan, by_kind[kind], others[filters.type[kind]])
    if message then return nil, message end
  end
  for _, condition in ipairs(spec.conditions) do
    if condition.mode == "ex" then write(plan.entries, clause_of(condition), "ex") end
  end
  plan.entries = filters.distinct(plan.entries)
  return plan
end

--- All filters that are sent: those of `:exporter`, `:filter` and their like, then those of conditions.
---@param spec table
---@return { type?: string, key?: string, value: any }[]
function conditions.entries(spec)
  local plan, message = conditions.plan(spec)
  if not plan then error(message, 0) end
  return plan.entries
end

return conditions
