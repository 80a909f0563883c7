--- One plain call: sends a form, reads and decodes the whole answer, and detects a refusal. The management calls (users, groups, …) use it.

local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local events = require "scrutinizer.transport.events"
local refusal = require "scrutinizer.transport.refusal"
local retry = require "scrutinizer.transport.retry"
local secrets = require "scrutinizer.secrets"
local wire = require "scrutinizer.wire"

local call = {}

-- Memory limit of one call, in bytes: the answer itself, plus its Lua values twice (the caller may get a copy of them). The limit is
-- `max_answer` times OVER, but never below LEAST.
local OVER, LEAST = 11 / 8, 32 * 2 ^ 20

--- A function that masks secrets in texts from outside: those of the client and those of this call. Errors show only masked texts.
---@param client scrutinizer.Client
---@param list? string[] the secrets of this call
---@return fun(text: string): string
function call.masker(client, list)
  return list and secrets.new(list, client._private.secrets).mask or client._private.mask
end

-- If secrets were sent, the error does not quote the answer: it may contain them in a form that the mask does not know.
local function decoded(client, transfer, how)
  local o, size, head = client._options, transfer:kept()
  local made = (math.max(o.max_answer * OVER, LEAST) - size) / 2
  local value, kind, message, position = transfer:decode { max_depth = o.max_depth, utf8 = o.utf8, max_made = made, int64 = how.int64 }
  if value ~= nil then return value end
  if kind == "limit" then return errors.fail(kind, "the answer: " .. message, { position = position, status = 200 }) end
  local text = size == 0 and "the answer is empty" or "not JSON: " .. message
  if size > 0 and not how.secrets then
    text = ("%s; the answer begins with \"%s\""):format(text, errors.neutral(client._private.mask(head), 60))
  end
  return errors.fail(kind, text, { position = position, status = 200 })
end

local function read(client, x, how, spent)
  local info, err = x:accepted()
  if not info then return nil, err end
  local kept
  kept, err = x:keep(client._options.max_answer)
  spent.bytes = spent.bytes + x.transfer:info().decoded
  if not kept then return nil, err end
  return decoded(client, x.transfer, how)
end

-- One try. Its waiting time and bytes are added to `spent`.
local function attempt(client, form, how, limit, spent)
  local x, err = client:_send(form, { write = how.write, limit = limit, secrets = how.secrets, like = how.like, open = how.open })
  if not x then return nil, err end
  local value
  x.mask = call.masker(client, how.secrets)
  value, err = read(client, x, how, spent)
  spent.waited = spent.waited + x._waited
  x:close()
  if value == nil then return nil, secrets.clean(err, x.mask) end
  local refused = type(value) == "table" and refusal.of(value, { has_token = client.has_token, status = 200, mask = x.mask })
  if refused then return nil, refused end
  return value
end

--- Sends a form and returns the decoded answer. An object with `err` is an error. A read is retried as option `retry` says, a write never.
---@param client scrutinizer.Client
---@param form table<string, string>
---@param how? { write?: boolean, secrets?: string[], like?: (fun(): table<string, string>), open?: boolean, int64?: boolean } a write uses a new
---  connection, so that libcurl cannot send it twice; secrets are masked in errors; `like` and `open`: see client:_send; `int64`: the answer's large
---  whole numbers become cdata on LuaJIT
---@return any value
---@return scrutinizer.Error? err
function call.send(client, form, how)
  how = how or {}
  local spent = { waited = 0, bytes = 0 }
  local function try(limit) return attempt(client, form, how, limit, spent) end
  local value, err
  if how.write then value, err = try() else value, err = retry.run(client, try) end
  events.done(client, {
    run_mode = form[wire.form.run_mode], kind = value == nil and err.kind or nil, bytes = spent.bytes, waited = spent.waited,
  })
  return errors.result(value, err)
end

local FIELD = "text, a number, a boolean or a table (sent as JSON)"

-- A field as text; or nil and what JSON cannot hold.
local function field_text(value)
  local kind = type(value)
  if kind == "string" then return value end
  if kind == "number" or kind == "boolean" or kind == "table" then return wire.try_encode(value) end
  return nil, "a " .. kind
end

--- Checks the fields of a `client:call` and returns its form. A wrong field raises at the caller's caller.
---@param fields table<string, any>
---@return table<string, string>
function call.form(fields)
  if type(fields) ~= "table" then error(check.message("call", fields, "a table of form fields such as { rm = … }"), 3) end
  local form = {}
  for name, value in pairs(fields) do
    if type(name) ~= "string" or name == "" then error(check.message("call: field name", name, "text"), 3) end
    if name == wire.form.token then error("call: authToken cannot be a field: the client adds its own token", 3) end
    local text, complaint = field_text(value)
    if not text then error(("call: field %s: JSON cannot hold %s; allowed: %s"):format(errors.neutral(name, 60), complaint, FIELD), 3) end
    form[name] = text
  end
  if not form[wire.form.run_mode] then error(check.message("call: rm", nil, "the run mode's name"), 3) end
  return form
end

return call
