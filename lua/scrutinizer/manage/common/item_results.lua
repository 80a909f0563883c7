--- One result per item, in the order given: what an answer says of each. An item has succeeded only if its documented success is there.

local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local wire = require "scrutinizer.wire"

local item_results = {}

local SILENT = "the appliance says nothing of this one"

--- Any JSON value as text, whatever its bytes; "nothing" where there is none.
---@param value any
---@return string
function item_results.text(value)
  if value == nil then return "nothing" end
  return wire.show(value)
end

--- A stranger's text as an item's `error`: without secrets, fit for one line.
---@param value any
---@param mask fun(text: string): string
---@return string
function item_results.said(value, mask)
  return errors.neutral(mask(item_results.text(value)), 1000)
end

--- A whole number that may stand in a string. Nil when it is none.
---@param value any
---@return integer?
function item_results.whole(value)
  if type(value) == "string" and value:find "^%d+$" then value = core.decode(value) end
  return check.integer(value, 0)
end

--- Whether a decoded value is a JSON list. An empty Perl hash or list may stand for the other.
---@param value any
---@return boolean
function item_results.is_list(value)
  return type(value) == "table" and (getmetatable(value) == core.array_mt or next(value) == nil)
end

-- What was said of none of the items, as one text.
local function left_over(sayings, used)
  local parts = {}
  for i, saying in ipairs(sayings) do
    if not used[i] then parts[#parts + 1] = item_results.text(saying) end
  end
  if #parts == 0 then return SILENT end
  return SILENT .. "; it says: " .. table.concat(parts, "; ")
end

-- Gives the unused saying that fits an item. The one at the item's own place is asked first: items may be alike.
local function take(sayings, used, place, fits)
  for step = 0, #sayings do
    local i = step == 0 and place or step
    if sayings[i] ~= nil and not used[i] and fits(sayings[i]) then
      used[i] = true
      return sayings[i]
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
---@field success fun(item: any, saying: any): boolean  the saying is the item's documented success
---@field concerns fun(item: any, saying: any): boolean the saying is about the item
---@field result fun(item: any, saying?: any): table    the item's result; the saying where it is a success
---@field reason? fun(saying: any): string              what a saying says, where it is no success

--- Judges items by an answer's sayings: sentences or objects.
---@param list any[] items
---@param sayings any[]
---@param judge scrutinizer.Judge
---@param mask fun(text: string): string
---@param complaints? any[] sayings that are no success of anything
---@return table[]
function item_results.judge(list, sayings, judge, mask, complaints)
  local used, out = {}, {}
  for i, item in ipairs(list) do
    local saying = take(sayings, used, i, function(one) return judge.success(item, one) end)
    if saying ~= nil then out[i] = judge.result(item, saying) end
  end
  sayings = joined(sayings, complaints)
  for i, item in ipairs(list) do
    if not out[i] then
      local saying = take(sayings, used, i, function(one) return judge.concerns(item, one) end)
      -- Where each item has its sentence, the one at its place is about it.
      if type(sayings[i]) == "string" and saying == nil and #sayings == #list and not used[i] then saying, used[i] = sayings[i], true end
      out[i] = judge.result(item)
      out[i].error = saying ~= nil and (judge.reason or item_results.text)(saying) or false
    end
  end
  local rest = left_over(sayings, used)
  for _, result in ipairs(out) do
    if result.error == false then result.error = rest end
    if result.error then result.error = item_results.said(result.error, mask) end
  end
  return out
end

-- Whether a text stands in another with no letter or digit beside it.
local function stands_in(text, part)
  local at = 1
  while true do
    local first, last = text:find(part, at, true)
    if not first then return false end
    if not text:sub(first - 1, first - 1):find "[A-Za-z0-9_]" and not text:sub(last + 1, last + 1):find "[A-Za-z0-9_]" then return true end
    at = first + 1
  end
end

--- Whether a sentence names all of these, as words of their own.
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

--- An answer that is not what was asked for. The call may have done its work all the same.
---@param method string
---@param lacks string such as "a list 'data'"
---@return nil, scrutinizer.Error
function item_results.malformed(method, lacks)
  return errors.fail("decode", ("%s: the answer lacks %s: what the call did is not known"):format(method, lacks), { status = 200 })
end

return item_results
