--- Makes one result per item, in the order given, from an answer. An item has succeeded only if the answer contains its documented success.

local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local item_codes = require "scrutinizer.wire.item_codes"
local wire = require "scrutinizer.wire"

local item_results = {}

local SILENT = "the answer does not mention this item"

--- Any JSON value as text, of any bytes; "nothing" for nil.
---@param value any
---@return string
function item_results.text(value)
  if value == nil then return "nothing" end
  return wire.show(value)
end

--- The appliance's text as an item's `error`: secrets masked, on one line, cut at 1000 bytes.
---@param value any
---@param mask fun(text: string): string
---@return string
function item_results.said(value, mask)
  return errors.neutral(mask(item_results.text(value)), 1000)
end

--- A whole number from 0, or a string of digits, as a number; else nil.
---@param value any
---@return integer?
function item_results.whole(value)
  if type(value) == "string" and value:find "^%d+$" then value = core.decode(value) end
  return check.integer(value, 0)
end

--- Whether a decoded value is a JSON array. An empty object counts too: Perl may write an empty list as an empty hash.
---@param value any
---@return boolean
function item_results.is_list(value)
  return type(value) == "table" and (getmetatable(value) == core.array_mt or next(value) == nil)
end

-- All sayings that belong to no item, as one text.
local function left_over(sayings, used)
  local parts = {}
  for i, saying in ipairs(sayings) do
    if not used[i] then parts[#parts + 1] = item_results.text(saying) end
  end
  if #parts == 0 then return SILENT end
  return SILENT .. "; it contains: " .. table.concat(parts, "; ")
end

-- Returns an unused saying that fits an item, and its place. Tries the one at the item's own position first, because items may be equal.
local function take(sayings, used, place, fits)
  for step = 0, #sayings do
    local i = step == 0 and place or step
    if sayings[i] ~= nil and not used[i] and fits(sayings[i]) then
      used[i] = true
      return sayings[i], i
    end
  end
end

local function joined(list, more)
  if not more or more[1] == nil then return list end
  local all = {}
  for _, part in ipairs { list, more } do
    for _, saying in ipairs(part) do all[#all + 1] = saying end
  end
  return all
end

---@class scrutinizer.Judge
---@field success fun(item: any, saying: any): boolean  whether the saying is the item's documented success
---@field concerns fun(item: any, saying: any): boolean whether the saying is about the item
---@field result fun(item: any, saying?: any): table    makes the item's result; has the saying only after a success
---@field reason? fun(saying: any): string              the error text of a saying that is not a success

-- Sets an item's `error` and `code`. A permission has a code of its own: its error's is `error_code`.
local function fail(result, sentence, code, mask)
  result.error, result[result.code == nil and "code" or "error_code"] = item_results.said(sentence, mask), code
end

--- Makes the results of items from an answer's sayings (sentences or objects).
---@param list any[] items
---@param sayings any[]
---@param judge scrutinizer.Judge
---@param mask fun(text: string): string
---@param complaints? any[] further sayings that are never a success
---@return table[]
function item_results.judge(list, sayings, judge, mask, complaints)
  local used, out, codes, count = {}, {}, {}, #sayings
  for i, item in ipairs(list) do
    local saying = take(sayings, used, i, function(one) return judge.success(item, one) end)
    if saying ~= nil then out[i] = judge.result(item, saying) end
  end
  sayings = joined(sayings, complaints)
  for i, item in ipairs(list) do
    if not out[i] then
      local saying, at = take(sayings, used, i, function(one) return judge.concerns(item, one) end)
      -- If there are as many sentences as items, each is about the item at its position.
      if type(sayings[i]) == "string" and saying == nil and #sayings == #list and not used[i] then saying, at, used[i] = sayings[i], i, true end
      out[i] = judge.result(item)
      out[i].error = saying ~= nil and (judge.reason or item_results.text)(saying) or false
      codes[i] = saying ~= nil and item_codes.of(out[i].error, (at > count or judge.reason) and "refused" or "unconfirmed") or "unconfirmed"
    end
  end
  local rest = left_over(sayings, used)
  for i, result in ipairs(out) do
    if codes[i] then fail(result, result.error or rest, codes[i], mask) end
  end
  return out
end

-- Whether a text contains another as whole words.
local function stands_in(text, part)
  local at = 1
  while true do
    local first, last = text:find(part, at, true)
    if not first then return false end
    if not text:sub(first - 1, first - 1):find "[A-Za-z0-9_]" and not text:sub(last + 1, last + 1):find "[A-Za-z0-9_]" then return true end
    at = first + 1
  end
end

--- Whether a sentence contains all of these names, as whole words.
---@param sentence any
---@param ... integer|string
---@return boolean
function item_results.mentions(sentence, ...)
  if type(sentence) ~= "string" then return false end
  for _, name in ipairs { ... } do
    if not stands_in(sentence, type(name) == "number" and ("%d"):format(name) or name) then return false end
  end
  return true
end

--- The error for an answer of an unexpected shape. The call may have succeeded nevertheless.
---@param method string
---@param lacks string such as "a list 'data'"
---@return nil, scrutinizer.Error
function item_results.malformed(method, lacks)
  return errors.fail("decode", ("%s: the answer lacks %s, so it is not known what the call did"):format(method, lacks), { status = 200 })
end

return item_results
