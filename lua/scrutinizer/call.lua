--- One plain call: sends a form, reads the whole answer, decodes it, tells a refusal from an answer. Users, groups and the rest stand on it.

local answer = require "scrutinizer.answer"
local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local wire = require "scrutinizer.wire"

local call = {}

-- Bytes of an answer that are read where `max_body` does not say.
local MAX_ANSWER = 64 * 2 ^ 20

local function decoded(client, body)
  local o = client._options
  local value, kind, message, position = core.decode(body, { max_depth = o.max_depth, utf8 = o.utf8 })
  if value ~= nil then return value end
  local head = errors.neutral(client._private.mask(body:sub(1, 200)), 60)
  local text = body == "" and "the answer is empty" or ("not JSON: %s; the answer begins with \"%s\""):format(message, head)
  return errors.fail(kind, text, { position = position, status = 200 })
end

local function read(client, x)
  local info, err = x:accepted()
  if not info then return nil, err end
  local max, body = client._options.max_body or MAX_ANSWER
  body, err = x:body(max + 1)
  if not body then return nil, err end
  if #body > max then return errors.fail("limit", ("the answer is over %d bytes (max_body)"):format(max)) end
  return decoded(client, body)
end

--- Sends a form once and gives the decoded answer. An object with `err` is an error.
---@param client scrutinizer.Client
---@param form table<string, string>
---@param how? { write?: boolean } a write goes over a connection of its own, so that nothing below can send it twice
---@return any value
---@return scrutinizer.Error? err
function call.send(client, form, how)
  local x, err = client:_send(form, how)
  if not x then return nil, err end
  local value
  value, err = read(client, x)
  x:close()
  if value == nil then
    err.message = client._private.mask(err.message)
    return nil, err
  end
  local refusal = type(value) == "table" and answer.refusal(value, { has_token = client.has_token, status = 200 })
  if refusal then
    refusal.message = client._private.mask(refusal.message)
    return nil, refusal
  end
  return value
end

local FIELD = "text, a number, a boolean or a table (sent as JSON)"

-- A field's text; nil and what is wrong with it.
local function field_text(value)
  local kind = type(value)
  if kind == "string" then return value end
  if kind == "number" or kind == "boolean" or kind == "table" then return wire.try_encode(value) end
  return nil, "a " .. kind
end

--- The form of a `client:call`, checked; raises at its caller's caller.
---@param fields table<string, any>
---@return table<string, string>
function call.form(fields)
  if type(fields) ~= "table" then error(check.message("call", fields, "a table of form fields such as { rm = … }"), 3) end
  local form = {}
  for name, value in pairs(fields) do
    if type(name) ~= "string" or name == "" then error(check.message("call: field name", name, "text"), 3) end
    if name == wire.form.token then error("call: authToken is sent by itself; the client's token says which", 3) end
    local text, complaint = field_text(value)
    if not text then error(("call: field %s: JSON cannot hold %s; allowed: %s"):format(errors.neutral(name, 60), complaint, FIELD), 3) end
    form[name] = text
  end
  if not form[wire.form.run_mode] then error(check.message("call: rm", nil, "the run mode's name"), 3) end
  return form
end

return call
