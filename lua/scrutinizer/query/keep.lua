--- Reads the conditions of `query:keep`.

local addresses = require "scrutinizer.addresses"
local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local suggest = require "scrutinizer.suggest"
local wire = require "scrutinizer.wire"

local keep = {}

local ALLOWED = "a value (text, a number, a network such as \"10.0.0.0/8\"), a list of values, or a table with min, max, begins, contains, no"
local NUMBER = "a number, or its decimal text"
local TEXTS = "text that is not empty, or a list of such texts"
local MAX_DEPTH = 8

---@class scrutinizer.Kept one condition
---@field field string  the row's field, or a column
---@field words string  the field and the condition as text
---@field test table    see core.keep; without its field

local math_type = rawget(math, "type") -- Lua 5.3 and later

-- A number as JSON text of its exact value; nil for other values. LuaJIT's 64-bit integers are numbers too.
local function number_text(value)
  local is_float = type(value) == "number" and not (math_type and math_type(value) == "integer")
  if is_float and math.abs(value) >= 2 ^ 53 and math.abs(value) < math.huge then return ("%.0f"):format(value) end -- it is whole
  if type(value) == "number" then return (wire.try_encode(value)) end
  return type(value) == "cdata" and tostring(value):match "^(-?%d+)U?LL$" or nil
end

local function is_decimal(text)
  local whole = text:match "^-?(%d+)$" or text:match "^-?(%d+)%.%d+$" or text:match "^-?(%d+)[eE][+-]?%d+$"
    or text:match "^-?(%d+)%.%d+[eE][+-]?%d+$"
  return whole ~= nil and (#whole == 1 or whole:sub(1, 1) ~= "0")
end

local function is_plain(value)
  return type(value) == "string" or number_text(value) ~= nil
end

-- Whether a text was meant as a network: an address of digits and dots, or with two colons, and a length or mask behind a slash.
local function is_like_network(text)
  return text:find "^%d+%.[%d.]*/[%d.]*$" ~= nil or text:find "^[%x.]*:[%x:.]*:[%x:.]*/%d*$" ~= nil
end

-- Adds a plain value to a test's lists. Returns what is allowed, and perhaps a hint, when it is a text that looks like a network and is none.
local function add_plain(lists, value)
  local number = number_text(value)
  if number then
    table.insert(lists.numbers, number)
    return
  end
  table.insert(lists.texts, value)
  local network, hint = addresses.network(value)
  if hint then return "a network without host bits", hint end
  if not network and is_like_network(value) then return 'a network, an address with its length, as "10.0.0.0/8" or "2001:db8::/32"' end
  if network or addresses.is_ip(value) then table.insert(lists.networks, value) end
  if is_decimal(value) then table.insert(lists.decimals, value) end
end

-- A value in words; different values have different words.
local function show(value)
  return number_text(value) or '"' .. errors.neutral(value:gsub('[\\"]', "\\%0"), math.huge) .. '"'
end

local read -- reads any condition

local function read_values(at, list)
  local lists, words = { texts = {}, decimals = {}, numbers = {}, networks = {} }, {}
  for i, value in ipairs(list) do
    local allowed, hint = add_plain(lists, value)
    if allowed then return nil, check.message(at, value, allowed, hint) end
    words[i] = show(value)
  end
  return { one_of = lists }, "= " .. table.concat(words, " or ")
end

-- A list: values, or conditions of which one must hold.
local function read_list(at, list, depth)
  local plain, tests, words = true, {}, {}
  for _, value in ipairs(list) do plain = plain and is_plain(value) end
  if plain then return read_values(at, list) end
  for i, value in ipairs(list) do
    local test, text = read(at, value, depth)
    if not test then return nil, text end
    tests[i], words[i] = test, text
  end
  return { any = tests }, "(" .. table.concat(words, " or ") .. ")"
end

-- `begins` and `contains`: a text or a list of texts.
local function read_texts(at, name, given)
  local list = type(given) == "table" and given or { given }
  local tests, words = {}, {}
  for i, text in ipairs(list) do
    if type(text) ~= "string" or text == "" then return nil, check.message(("%s: %s"):format(at, name), text, TEXTS) end
    tests[i], words[i] = { [name] = text }, show(text)
  end
  if #tests == 0 then return nil, check.message(("%s: %s"):format(at, name), given, TEXTS) end
  return { any = tests }, ("%s %s"):format(name, table.concat(words, " or "))
end

local function read_bound(at, name, value)
  local text = number_text(value) or (type(value) == "string" and is_decimal(value) and value) or nil
  if value ~= nil and not text then return nil, check.message(("%s: %s"):format(at, name), value, NUMBER) end
  return text
end

local function read_range(at, given)
  local words = {}
  local min, wrong = read_bound(at, "min", given.min)
  if wrong then return nil, wrong end
  local max
  max, wrong = read_bound(at, "max", given.max)
  if wrong then return nil, wrong end
  if min and max and require("scrutinizer.core").compare(min, max) > 0 then
    return nil, ("%s: min is %s and max %s: no number is in between"):format(at, min, max)
  end
  if min then words[#words + 1] = "from " .. min end
  if max then words[#words + 1] = "up to " .. max end
  return { between = { min = min, max = max } }, table.concat(words, " ")
end

local NAMED = { min = true, max = true, begins = true, contains = true, no = true }

-- The parts of a table with min, max, begins, contains, no: all must hold.
local function read_named(at, given, depth)
  local tests, words = {}, {}
  local function add(test, text)
    tests[#tests + 1], words[#words + 1] = test, text
    return not test and text or nil
  end
  local wrong
  if given.min ~= nil or given.max ~= nil then wrong = add(read_range(at, given)) end
  for _, name in ipairs { "begins", "contains" } do
    if not wrong and given[name] ~= nil then wrong = add(read_texts(at, name, given[name])) end
  end
  if not wrong and given.no ~= nil then
    local test, text = read(at .. ": no", given.no, depth)
    wrong = not test and text or add({ no = test }, "not " .. tostring(text))
  end
  if wrong then return nil, wrong end
  return { all = tests }, #words > 1 and "(" .. table.concat(words, " and ") .. ")" or words[1]
end

-- What a table is: "list" or "named"; nil and a complaint for others.
local function shape(at, given)
  local numbered, named = 0, 0
  for key in pairs(given) do
    if NAMED[key] then
      named = named + 1
    elseif type(key) == "number" then
      numbered = numbered + 1
    else
      local hint = type(key) == "string" and suggest.did_you_mean(suggest.nearest(key, NAMED)) or nil
      return nil, check.message(at .. ": key", key, "min, max, begins, contains, no", hint)
    end
  end
  if numbered > 0 and named == 0 and numbered == #given then return "list" end
  if named > 0 and numbered == 0 then return "named" end
  return nil, check.message(at, given, ALLOWED)
end

function read(at, given, depth)
  if is_plain(given) then return read_values(at, { given }) end
  if type(given) ~= "table" then return nil, check.message(at, given, ALLOWED) end
  if depth == MAX_DEPTH then return nil, ("%s: conditions are nested too deep"):format(at) end
  local kind, complaint = shape(at, given)
  if not kind then return nil, complaint end
  if kind == "list" then return read_list(at, given, depth + 1) end
  return read_named(at, given, depth + 1)
end

--- The conditions of one call of `keep`, sorted by field.
---@param given table
---@return scrutinizer.Kept[]?
---@return string? message what is wrong
function keep.conditions(given)
  if type(given) ~= "table" or next(given) == nil then
    return nil, check.message("keep", given, "a table of conditions, { field = condition }")
  end
  for field in pairs(given) do
    if type(field) ~= "string" or field == "" or field:find("\0", 1, true) then
      return nil, check.message("keep: field", field, "the name of one of the row's fields, or of a column")
    end
  end
  local out = {}
  for i, field in ipairs(check.sorted_keys(given)) do
    local test, words = read("keep: " .. check.show(field), given[field], 0)
    if not test then return nil, words end
    local name = field:find "^[A-Za-z_][A-Za-z0-9_.]*$" and field or show(field)
    out[i] = { field = field, words = ("%s %s"):format(name, words), test = test }
  end
  return out
end

return keep
