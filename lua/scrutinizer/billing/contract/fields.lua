--- Checks of the tables that a user writes: every field is known, a list has nothing but its items. A misspelt field would bill something else.

local check = require "scrutinizer.check"
local suggest = require "scrutinizer.suggest"
local wire = require "scrutinizer.wire"

local fields = {}

fields.TEXT = "text in UTF-8"

--- A complaint about a field that is not known, or nil.
---@param what string where the table stands, for the message
---@param given table
---@param known table<string, any>
---@return string?
function fields.unknown(what, given, known)
  for name in pairs(given) do
    if type(name) ~= "string" or known[name] == nil then
      return check.message(what, name, table.concat(check.sorted_keys(known), ", "),
        type(name) == "string" and suggest.did_you_mean(suggest.nearest(name, known)) or nil)
    end
  end
end

--- Whether a value is a list: a table whose keys are 1 to n.
---@param value any
---@return boolean
function fields.is_list(value)
  if type(value) ~= "table" then return false end
  local count = 0
  for _ in pairs(value) do count = count + 1 end
  for i = 1, count do
    if value[i] == nil then return false end
  end
  return true
end

--- A complaint about a list of tables, or nil: what is no list, what is no table in it, and what `each` says about an item.
---@param what string the list's name
---@param item string an item's name: "fee" gives "fee 1: …"
---@param list any
---@param known table<string, any> the items' fields
---@param each fun(item: table, i: integer): string? a complaint without the item's name
---@return string?
function fields.list(what, item, list, known, each)
  if not fields.is_list(list) then return check.message(what, list, ("a list of { %s = }"):format(table.concat(check.sorted_keys(known), " =, "))) end
  for i, entry in ipairs(list) do
    local where = ("%s %d"):format(item, i)
    if type(entry) ~= "table" then return check.message(where, entry, "a table") end
    local complaint = fields.unknown(where, entry, known)
    if complaint then return complaint end
    complaint = each(entry, i)
    if complaint then return where .. ": " .. complaint end
  end
end

--- Whether a value is text that JSON can hold.
---@param value any
---@return boolean
function fields.is_text(value)
  return type(value) == "string" and wire.try_encode(value) ~= nil
end

--- A complaint when a text is wrong or blank, or nil.
---@param what string
---@param value any
---@return string?
function fields.text(what, value)
  if fields.is_text(value) and value:find "%S" then return nil end
  return check.message(what, value, fields.TEXT .. ", not blank")
end

--- A complaint when a flag is neither true, false nor nil.
---@param what string
---@param value any
---@return string?
function fields.flag(what, value)
  if value == nil or type(value) == "boolean" then return nil end
  return check.message(what, value, "true or false")
end

return fields
