--- Refusals in answers with status 200: an object with `err`.

local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local wire = require "scrutinizer.wire"

local refusal = {}

-- The most bytes of a text, and the most members of a value, that are turned into a message. An error shows less anyway.
local MOST_BYTES, MOST_MEMBERS = 65536, 1000

-- Subtracts the number of all members of a value, nested ones included, from `left`. Below 0: the value has more.
local function members_left(value, left)
  for _, member in next, value do
    left = left - 1
    if left >= 0 and type(member) == "table" then left = members_left(member, left) end
    if left < 0 then return left end
  end
  return left
end

--- Any JSON value as text; nil for nil and null.
---@param value any
---@return string?
function refusal.text(value)
  if value == nil or value == core.null then return nil end
  if type(value) == "string" then value = value:sub(1, MOST_BYTES) end
  if type(value) == "table" and members_left(value, MOST_MEMBERS) < 0 then return "(too much to show)" end
  return wire.show(value)
end

--- The error for an object with `err`; nil when it has none. Only the two known codes are compared, never a sentence.
---@param object { err: any, details: any, msg: any }
---@param context { has_token: boolean, status?: integer, mask?: fun(text: string): string } mask: masks secrets in the appliance's texts
---@return scrutinizer.Error?
function refusal.of(object, context)
  local reason = refusal.text(object.err)
  if not reason then return nil end
  local details, extra = refusal.text(object.details), refusal.text(object.msg)
  if context.mask then reason, extra = context.mask(reason), extra and context.mask(extra) end
  local text = extra and extra .. " (" .. reason .. ")" or reason
  local fields = { status = context.status }
  if details == wire.answer.bad_token then
    return errors.new("auth", "the appliance refuses the token: " .. text, fields)
  end
  if reason == wire.answer.refused then
    return errors.new("auth", "the appliance does not know this address or token: " .. text, fields)
  end
  if not context.has_token then
    return errors.new("auth", "the appliance refuses the request, and no token was sent: " .. text, fields)
  end
  return errors.new("api", "the appliance answers: " .. text, fields)
end

return refusal
