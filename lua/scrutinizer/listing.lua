--- Results that print themselves: lists show how many entries they have, and then one line for each; a single one its fields.

local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"

local listing = {}

-- Entries that are printed at most.
local MOST = 100

-- The fields to print by default: those of the first entry, sorted by their bytes.
local function fields_of(list)
  return check.sorted_keys(type(list[1]) == "table" and list[1] or {})
end

-- An entry that prints itself, as a report does, or an error in its place: one line of it.
local function own_line(entry)
  local shown = type(entry) == "table" and errors.is(entry.error) and entry.error or entry
  local metatable = getmetatable(shown)
  return type(metatable) == "table" and metatable.__tostring and errors.neutral(tostring(shown):match "[^\n]*", 1000) or nil
end

local function line_of(entry, fields)
  local own, words = own_line(entry), {}
  if own then return own end
  for i, field in ipairs(fields) do
    local value = entry[field]
    if type(value) == "table" then value = #value end
    words[i] = value == nil and "-" or errors.neutral(value, 100)
  end
  return table.concat(words, "  ")
end

local function text_of(list, what, fields)
  fields = fields or fields_of(list)
  local lines = { ("%d %s%s"):format(#list, what, type(fields[1]) == "string" and ": " .. table.concat(fields, ", ") or "") }
  for i = 1, math.min(#list, MOST) do lines[i + 1] = line_of(list[i], fields) end
  if #list > MOST then lines[#lines + 1] = ("… and %d more"):format(#list - MOST) end
  return table.concat(lines, "\n")
end

--- Lets `tostring` of a list show its entries. The entries stay plain tables.
---@generic T: table
---@param list T
---@param what string     what the entries are, as in "7 exporters"
---@param fields? (string|integer)[] the entries' fields, in the order of the line; of one that holds a list, its length. Default: those of the first
---@return T list
function listing.of(list, what, fields)
  return setmetatable(list, { __name = "scrutinizer.List", __tostring = function(self) return text_of(self, what, fields) end })
end

--- The same for what a call returns: such a list, or nil and err.
---@generic T: table
---@param what string
---@param fields? string[]
---@param list? T
---@param err? scrutinizer.Error
---@return T? list
---@return scrutinizer.Error? err
function listing.result(what, fields, list, err)
  if not list then return nil, err end
  return listing.of(list, what, fields)
end

-- The fields of a single result in a row: `error` and `code` are last.
local function row_of(item)
  local words, last = {}, { error = true, code = true }
  for _, name in ipairs(check.sorted_keys(item)) do
    local value = item[name]
    if type(value) == "table" then value = #value end
    if not last[name] then words[#words + 1] = ("%s %s"):format(name, check.show(value)) end
  end
  local text = table.concat(words, ", ")
  return item.error and ("%s: %s (%s)"):format(text, errors.neutral(item.error), tostring(item.code)) or text
end

--- Lets `tostring` of a single result show its fields; of one that holds a list, its length.
---@generic T: table
---@param what string such as "user"
---@param item? T
---@param err? scrutinizer.Error
---@return T? item
---@return scrutinizer.Error? err
function listing.one(what, item, err)
  if not item then return nil, err end
  return setmetatable(item, { __name = "scrutinizer.Result", __tostring = function(self) return what .. ": " .. row_of(self) end })
end

return listing
