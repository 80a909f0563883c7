--- Secrets: tokens, passwords, passphrases. Masks them in texts, in every encoding in which they are sent or shown. A set keeps its secrets in
--- closures, so a dump of its table does not show them.

local ascii = require "scrutinizer.ascii"
local core = require "scrutinizer.core"

local secrets = {}

local MASK = "***"

-- A text that was cut may end within a secret. If it ends with at least this many first bytes of a secret, they are masked.
local BEGINNING = 4

-- In recorded data, secrets shorter than this are not masked inside texts: they look like ordinary words.
local SHORTEST_IN_DATA = 4

-- The most secrets that are added to a set later; the oldest are dropped. So a token that changes every hour does not fill memory.
local MOST = 32

-- The longest first: otherwise masking a short secret could leave parts of a longer one.
local function longer(a, b)
  return #a > #b or (#a == #b and a < b)
end

-- Masks a text that may have been cut within a secret.
local function replace(text, list)
  local dots = text:sub(-3) == "…" and "…" or ""
  text = text:sub(1, #text - #dots)
  for _, secret in ipairs(list) do
    local masked, rest = core.mask(text, secret, BEGINNING)
    text = rest == "" and masked or masked .. MASK
  end
  return text .. dots
end

-- Masks one secret in a text that arrives in pieces. The secret may span two pieces, so what may be its beginning is held back.
local function piece_masker(secret)
  local held = ""
  return function(piece, last)
    local masked, rest = core.mask(held .. piece, secret, not last and 0 or nil)
    held = rest
    return masked
  end
end

-- Masks a text that arrives in pieces: one secret after the other. Secrets may be added meanwhile.
local function stream(list)
  local stages, known = {}, {}
  return function(piece, last)
    for _, secret in ipairs(list()) do
      if not known[secret] and #secret >= SHORTEST_IN_DATA then
        known[secret] = true
        stages[#stages + 1] = piece_masker(secret)
      end
    end
    for _, clean in ipairs(stages) do piece = clean(piece, last) end
    return piece
  end
end

---@class scrutinizer.Secrets
---@field add fun(secret?: string)                      adds a secret; nil and "" are ignored
---@field mask fun(text: string): string                replaces each secret by `***`, also a secret cut at the text's end
---@field stream fun(): fun(piece: string, last?: boolean): string   the same for a text in pieces; returns each part as soon as it is certain

--- A set of secrets.
---@param list? string[]
---@param others? scrutinizer.Secrets its secrets are masked too, also those added later
---@return scrutinizer.Secrets
function secrets.new(list, others)
  local known, added, sorted, set = {}, {}, {}, {}
  local function sort()
    sorted = {}
    for secret in pairs(known) do sorted[#sorted + 1] = secret end
    table.sort(sorted, longer)
  end
  local function is_new(secret) return secret and secret ~= "" and not known[secret] end
  function set.add(secret)
    if not is_new(secret) then return end
    known[secret], added[#added + 1] = true, secret
    if #added > MOST then known[table.remove(added, 1)] = nil end
    sort()
  end
  function set.mask(text)
    if others then text = others.mask(text) end
    return sorted[1] and replace(text, sorted) or text
  end
  function set.stream()
    local mine, theirs = stream(function() return sorted end), others and others.stream()
    return function(piece, last)
      return mine(theirs and theirs(piece, last) or piece, last)
    end
  end
  for _, secret in pairs(list or {}) do
    if is_new(secret) then known[secret] = true end
  end
  sort()
  return set
end

--- Whether the name of a field or header says that it holds a secret.
---@param name string
---@return boolean
function secrets.is_name(name)
  name = ascii.lower(name)
  local found = name == "pass" or name == "pwd" or name:find("passw", 1, true) or name:find("passphrase", 1, true) or name:find("secret", 1, true)
    or name:find("token", 1, true) or name:find("authorization", 1, true) or name:find("cookie", 1, true) or name:find "api.?key"
  return found and true or false
end

-- A copy without secrets; their texts are added to `found`. Under a secret's name every text and number is a secret, also in lists.
local function cleaned(value, found, secret)
  if secret and (type(value) == "string" or type(value) == "number") then
    found[#found + 1] = type(value) == "string" and value or ascii.text(value)
    return MASK
  end
  if type(value) ~= "table" then return value end
  local copy = {}
  for name, member in pairs(value) do
    copy[name] = cleaned(member, found, secret or (type(name) == "string" and secrets.is_name(name)))
  end
  return setmetatable(copy, getmetatable(value))
end

--- A copy of decoded data, such as a form's fields, with each given secret masked: as a whole value, within a text, in a key or as a number.
---@param value any
---@param list string[] the secrets
---@return any
function secrets.unrepeated(value, list)
  local set, whole = secrets.new(list), {}
  for _, secret in ipairs(list) do whole[secret] = true end
  local function clean(one)
    if type(one) == "number" then return whole[ascii.text(one)] and #ascii.text(one) >= SHORTEST_IN_DATA and MASK or one end
    if type(one) == "string" then return whole[one] and MASK or set.stream()(one, true) end
    if type(one) ~= "table" then return one end
    local copy = {}
    for name, member in pairs(one) do copy[type(name) == "string" and clean(name) or name] = clean(member) end
    return setmetatable(copy, getmetatable(one))
  end
  return clean(value)
end

--- Masks secrets in an error.
---@param err scrutinizer.Error is changed
---@param mask fun(text: string): string
---@return scrutinizer.Error err the same object
function secrets.clean(err, mask)
  err.message = mask(err.message)
  if err.request_id then err.request_id = mask(err.request_id) end
  return err
end

--- A form's fields, with JSON decoded and the values of secret fields masked; and these secrets.
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
