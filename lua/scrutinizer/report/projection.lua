--- `select`: which columns are wanted, and what the fields of a row are called.

local check = require "scrutinizer.check"
local suggest = require "scrutinizer.suggest"

local projection = {}

local ALLOWED = 'a column\'s name, perhaps with ".label" or ".title" and a final "?"'

local MEMBERS = { label = "label", title = "title" }

-- Fields that every row has, but no cell with members behind them.
local PLAIN = { rank = true, direction = true }

---@class scrutinizer.Projected
---@field field string    the row's field
---@field column string   the column's `elementName`, or rank, or direction
---@field member "raw"|"label"|"title"
---@field optional boolean the answer may lack the column

-- One name, "column[.label|.title][?]": the entry, or nil, what is allowed, and perhaps a hint.
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
  if member and PLAIN[column] then return nil, ("%s has no .%s; say %q"):format(column, member, column) end
  return { field = text, column = column, member = member or "raw", optional = mark == "?" }
end

local function from_list(list)
  local out, seen = {}, {}
  for i, name in ipairs(list) do
    local entry, allowed, hint = parse_name(name)
    if not entry then return nil, check.message("select", name, allowed, hint) end
    if seen[entry.field] then return nil, check.message("select", name, "each field once") end
    seen[entry.field], out[i] = true, entry
  end
  return out
end

-- By sorted aliases, so that the order does not depend on the table's.
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

-- How the table is filled: with "names" (1 to n), with "aliases" (strings), or else what is allowed.
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
    -- A nil among the arguments would end the list unseen.
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

--- The projection that `select`'s arguments say: names one by one, one list of names, or one map of aliases to names.
---
--- A name is a column's `elementName` for the raw value, or `elementName.label` or `.title` for these; `rank` and `direction` are
--- names too. In a list the field is called as the name is written; in a map by its alias. A final "?" (no part of the field)
--- makes the column optional: without it an answer that lacks the column is an error. Exactly these fields are in a row, those of a map
--- sorted by alias. Misuse raises: a name that is no string or has another suffix, a field twice, list and map mixed, nothing at all.
---@param level integer where misuse is blamed, counted as `error` does from the caller: 1 is the line that calls `parse`
---@param ... string|table
---@return scrutinizer.Projected[]
function projection.parse(level, ...)
  local list, message = build(select("#", ...), ...)
  if not list then error(message, level + 1) end
  return list
end

return projection
