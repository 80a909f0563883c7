--- `select`: which columns are wanted, and the names of a row's fields. `keep`: which columns are tested.

local check = require "scrutinizer.check"
local conditions = require "scrutinizer.wire.conditions"
local suggest = require "scrutinizer.suggest"

local projection = {}

local ALLOWED = 'a column\'s name, perhaps with ".label" or ".title" and a final "?"'

local MEMBERS = { label = "label", title = "title" }

-- Fields that every row has but that have no `.label` or `.title`.
local PLAIN = { rank = true, direction = true }

---@class scrutinizer.Projected
---@field field string    the row's field
---@field column string   the column's `elementName`, or rank, or direction
---@field member "raw"|"label"|"title"
---@field optional boolean the answer may lack the column

-- Reads one name, "column[.label|.title][?]": the entry, or nil, what is allowed, and perhaps a hint.
local function parse_name(name)
  if type(name) ~= "string" then return nil, ALLOWED end
  local text, mark = name:match "^(.-)(%??)$"
  local column, member = text:match "^(.*)%.([^.]*)$"
  column = column or text
  if column == "" or column:find "%?" then return nil, ALLOWED end
  if column:find("\0", 1, true) then return nil, "a name without NUL bytes" end
  if member and not MEMBERS[member] then
    return nil, ALLOWED, suggest.did_you_mean(suggest.nearest(member, MEMBERS))
  end
  if member and PLAIN[column] then return nil, ("%s has no .%s; use %q"):format(column, member, column) end
  return { field = text, column = column, member = member or "raw", optional = mark == "?" }
end

local function from_list(list)
  local out, seen = {}, {}
  for i, name in ipairs(list) do
    local entry, allowed, hint = parse_name(name)
    if not entry then return nil, check.message("select", name, allowed, hint) end
    if seen[entry.field] then return nil, check.message("select", name, "a name that is not in the list yet") end
    seen[entry.field], out[i] = true, entry
  end
  return out
end

-- Sorted by alias, so that the order does not depend on the order of the table.
local function from_map(map)
  local out = {}
  for i, alias in ipairs(check.sorted_keys(map)) do
    local entry, allowed, hint = parse_name(map[alias])
    if not entry then return nil, check.message("select: " .. check.show(alias), map[alias], allowed, hint) end
    if alias:find("\0", 1, true) then return nil, check.message("select", alias, "an alias without NUL bytes") end
    entry.field, out[i] = alias, entry
  end
  return out
end

local MIXED = "either a list of names or a map of aliases to names"

-- What a table has: "names" (keys 1 to n) or "aliases" (string keys); nil for an empty or mixed table.
local function shape(value)
  local numbered, aliased = 0, 0
  for key in pairs(value) do
    if type(key) == "string" and key ~= "" then
      aliased = aliased + 1
    elseif type(key) == "number" then
      numbered = numbered + 1
    else
      return nil
    end
  end
  if aliased > 0 and numbered == 0 then return "aliases" end
  if numbered > 0 and aliased == 0 and numbered == #value then return "names" end
end

local function build(count, first, ...)
  if type(first) ~= "table" then
    if count == 0 then return nil, check.message("select", nil, ALLOWED) end
    local list = { first, ... }
    -- Check every argument: a nil among them would silently end the list.
    for i = 1, count do
      if type(list[i]) ~= "string" then return nil, check.message("select", list[i], count > 1 and ALLOWED or MIXED) end
    end
    return from_list(list)
  end
  if count > 1 then return nil, check.message("select", first, MIXED .. ", not both") end
  local kind = shape(first)
  if not kind then return nil, check.message("select", first, MIXED .. ", not empty and not both") end
  if kind == "names" then return from_list(first) end
  return from_map(first)
end

--- Reads the arguments of `select`: several names, one list of names, or one map of aliases to names.
---
--- A name is a column's `elementName` for the raw value; with `.label` or `.title` it means that member. `rank` and `direction` are
--- names too. In a list, the field has the name as written; in a map, it has the alias. A final "?" makes the column optional and is
--- not part of the field's name; without it, an answer that lacks the column is an error. A row has exactly these fields; those of a
--- map are sorted by alias. Raises for a name that is not a string or has another suffix, a repeated field, list and map mixed, or no name.
---@param level integer where misuse raises, as `error` counts from the caller: 1 is the line that calls `parse`
---@param ... string|table
---@return scrutinizer.Projected[]
function projection.parse(level, ...)
  local list, message = build(select("#", ...), ...)
  if not list then error(message, level + 1) end
  return list
end

-- ---- tests of rows ----

-- The column that a condition of `keep` reads: a field of the row, else a column of that name. Nil and a message for what cannot be tested.
local function tested(spec, field)
  local aliases, found = {}, nil
  for _, entry in ipairs(spec.projection or {}) do
    aliases[entry.field] = true
    if entry.field == field then found = entry end
  end
  local allowed, hint
  if not found then found, allowed, hint = parse_name(field) end
  if not found then return nil, check.message("keep: field", field, allowed, hint) end
  if found.column == "direction" then return nil, "keep: direction: use :inbound() or :outbound() instead" end
  hint = not aliases[field] and suggest.did_you_mean(suggest.nearest(field, aliases))
  local why = ("keep: no column '%s' in this report%s"):format(found.column, hint and ", " .. hint or "")
  return { column = found.column, member = found.member, why = why }
end

-- The test as the core takes it: the columns it reads are numbers in `fields`.
local function numbered(test, fields)
  local out = { one_of = test.one_of, between = test.between, begins = test.begins, contains = test.contains }
  if test.column then
    fields[#fields + 1] = { column = test.column, member = test.member, why = test.why }
    out.field = #fields
  end
  for _, kind in ipairs { "all", "any" } do
    if test[kind] then
      out[kind] = {}
      for i, part in ipairs(test[kind]) do out[kind][i] = numbered(part, fields) end
    end
  end
  if test.no then out.no = numbered(test.no, fields) end
  return out
end

--- What is wrong with a column that the appliance computes from all rows, where the client leaves out rows because of a `where`. Nil: nothing.
---@param option string the method, for the message
---@param column string
---@param by? string the condition by which the client filters rows; nil: none
---@return string?
function projection.of_all(option, column, by)
  if not by or not conditions.OF_ALL[column] then return nil end
  return ("%s: the appliance computes %s from all rows that it sends, but the client filters them by %s: remove it from %s"):format(
    option, column, by, option:match "^[a-z]+")
end

local function selected_of_all(spec, by)
  for _, entry in ipairs(spec.projection or {}) do
    local message = projection.of_all("select", entry.column, by)
    if message then return message end
  end
end

-- Names of columns that hold numbers in every answer; columns.h has the whole rule, which also reads the header.
local OF_NUMBERS = { "^sum_", "^min_", "^max_", "^avg_", "^count_", "^countdistinct_", "_epoch$", "^custom_interfacepercent$", "^rank$" }

local function holds_numbers(column)
  if column.member ~= "raw" then return false end
  for _, pattern in ipairs(OF_NUMBERS) do
    if column.column:find(pattern) then return true end
  end
  return false
end

-- A text that a condition wants a number to equal; nil: there is none.
local function text_for_number(test)
  local lists = test.one_of
  local is_decimal = {}
  for _, text in ipairs(lists and lists.decimals or {}) do is_decimal[text] = true end
  for _, text in ipairs(lists and lists.texts or {}) do
    if not is_decimal[text] then return text end
  end
  local found = test.no and text_for_number(test.no)
  for _, kind in ipairs { "all", "any" } do
    for _, part in ipairs(test[kind] or {}) do found = found or text_for_number(part) end
  end
  return found
end

-- What is wrong with a condition that no row could meet, as its column holds numbers.
local function never_met(column, condition)
  local text = holds_numbers(column) and text_for_number(condition.test)
  if not text then return nil end
  return check.message("keep: " .. check.show(condition.field), text, ("a number or its decimal text, as %s holds numbers"):format(column.column))
end

-- The tests of `keep`, added to those there are. Returns what is wrong.
local function add_kept(all, spec, by)
  for _, condition in ipairs(spec.kept) do
    local column, message = tested(spec, condition.field)
    message = message or projection.of_all("keep", column.column, by) or never_met(column, condition)
    if message then return message end
    for kind, part in pairs(condition.test) do column[kind] = part end
    all[#all + 1] = column
  end
end

--- How the client filters the rows of a query: the argument of `core.keep`, or false when every row is kept. Nil and a message on misuse. `by` is
--- the first condition of `where` by which it filters, in words.
---@param spec table
---@return table|false|nil
---@return string? message
function projection.tests(spec)
  local plan, message = conditions.plan(spec)
  if not plan then return nil, message end
  local all, by = {}, plan.rest[1] and plan.rest[1].words
  for _, clause in ipairs(plan.rest) do all[#all + 1] = clause.test end
  message = selected_of_all(spec, by) or add_kept(all, spec, by)
  if message then return nil, message end
  if #all == 0 then return false end
  local fields = {}
  return { test = numbered({ all = all }, fields), fields = fields, by = by }
end

return projection
