--- What nobody may read: tokens, passwords, passphrases. Takes them out of texts, in each form in which they travel or are shown. A set is
--- functions over closures: no dump of a table shows what it holds.

local errors = require "scrutinizer.errors"
local wire = require "scrutinizer.wire"

local secrets = {}

local MASK = "***"

-- A cut text may end within a secret: so many of its first bytes at the end are taken for it.
local BEGINNING = 4

-- In a text that is kept as data (a recording), shorter ones are words like any other.
local SHORTEST_IN_DATA = 4

-- A token that changes every hour must not fill memory: the oldest are forgotten.
local MOST = 32

local HTML = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

-- As it is, within JSON, within a URL, within HTML, and as errors show it.
local function forms_of(secret)
  local json = wire.try_encode(secret)
  return { secret, json and json:sub(2, -2) or secret, wire.percent(secret), (secret:gsub("[&<>\"']", HTML)), errors.neutral(secret, #secret) }
end

-- The longest first: none may be left over around a shorter one.
local function longer(a, b)
  return #a > #b or (#a == #b and a < b)
end

-- How many bytes at the end of a text are a form's first ones, at least `least`; 0: none.
local function begun(text, form, least)
  for n = math.min(#form - 1, #text), least, -1 do
    if text:sub(-n) == form:sub(1, n) then return n end
  end
  return 0
end

local function replace(text, forms, shortest)
  for _, form in ipairs(forms) do
    if #form >= shortest then text = errors.without(text, form) end
  end
  return text
end

-- The end of a text that was cut off within a secret.
local function replace_end(text, forms)
  local dots = text:sub(-3) == "…" and "…" or ""
  local body = text:sub(1, #text - #dots)
  for _, form in ipairs(forms) do
    local n = begun(body, form, BEGINNING)
    if n > 0 then return body:sub(1, -n - 1) .. MASK .. dots end
  end
  return text
end

-- A text that comes piece by piece: a secret may lie across two of them, so its beginning is held back.
local function stream(forms)
  local held = ""
  return function(piece, last)
    local text, keep = replace(held .. piece, forms, SHORTEST_IN_DATA), 0
    for _, form in ipairs(forms) do
      if not last and #form >= SHORTEST_IN_DATA then keep = math.max(keep, begun(text, form, 1)) end
    end
    held = text:sub(#text - keep + 1)
    return text:sub(1, #text - keep)
  end
end

---@class scrutinizer.Secrets
---@field add fun(secret?: string)                      one more; empty and nil are none
---@field mask fun(text: string): string                the text with `***` for each of them, also where its end was cut off
---@field stream fun(): fun(piece: string, last?: boolean): string   the same for a text in pieces, which are given as soon as they can be

--- A set of secrets.
---@param list? string[]
---@param others? scrutinizer.Secrets whose members belong to it too, those of now and later
---@return scrutinizer.Secrets
function secrets.new(list, others)
  local order, forms, set = {}, {}, {}
  function set.add(secret)
    if not secret or secret == "" or secret == order[#order] then return end
    order[#order + 1] = secret
    if #order > MOST then table.remove(order, 1) end
    forms = {}
    for _, one in ipairs(order) do
      for _, form in ipairs(forms_of(one)) do forms[#forms + 1] = form end
    end
    table.sort(forms, longer)
  end
  function set.mask(text)
    if others then text = others.mask(text) end
    if #forms == 0 then return text end
    return replace_end(replace(text, forms, 1), forms)
  end
  function set.stream()
    local mine, theirs = stream(forms), others and others.stream()
    return function(piece, last)
      return mine(theirs and theirs(piece, last) or piece, last)
    end
  end
  for _, secret in ipairs(list or {}) do set.add(secret) end
  return set
end

--- Whether a field or a header of this name holds a secret.
---@param name string
---@return boolean
function secrets.is_name(name)
  name = name:lower()
  local found = name == "pass" or name == "pwd" or name:find("passw", 1, true) or name:find("passphrase", 1, true) or name:find("secret", 1, true)
    or name:find("token", 1, true) or name:find("authorization", 1, true) or name:find("cookie", 1, true) or name:find "api.?key"
  return found and true or false
end

-- A copy without secrets; their texts go into `found`.
local function cleaned(value, found)
  if type(value) ~= "table" then return value end
  local copy = {}
  for name, member in pairs(value) do
    if type(name) == "string" and secrets.is_name(name) and (type(member) == "string" or type(member) == "number") then
      found[#found + 1] = tostring(member)
      copy[name] = MASK
    else
      copy[name] = cleaned(member, found)
    end
  end
  return setmetatable(copy, getmetatable(value))
end

--- Takes secrets out of an error.
---@param err scrutinizer.Error
---@param mask fun(text: string): string
---@return scrutinizer.Error err the same
function secrets.clean(err, mask)
  err.message = mask(err.message)
  if err.request_id then err.request_id = mask(err.request_id) end
  return err
end

--- A form's fields without what their names say is secret, JSON in them decoded; and the secrets.
---@param form table<string, string>
---@param decode fun(text: string): any
---@return table<string, any> fields
---@return string[] found
function secrets.of_form(form, decode)
  local fields, found = {}, {}
  for name, text in pairs(form) do
    local value = text:find "^%s*[{%[]" and decode(text) or nil
    fields[name] = type(value) == "table" and value or text
  end
  return cleaned(fields, found), found
end

return secrets
