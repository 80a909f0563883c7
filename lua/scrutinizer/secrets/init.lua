--- Secrets: tokens, passwords, passphrases. Masks them in texts, in every encoding in which they are sent or shown. A set keeps its secrets in
--- closures, so a dump of its table does not show them.

local ascii = require "scrutinizer.ascii"
local match = require "scrutinizer.secrets.match"

local secrets = {}

local MASK = "***"

-- A text that was cut may end within a secret. If it ends with at least this many first characters of a secret, they are masked.
local BEGINNING = 4

-- In recorded data, secrets shorter than this are not masked inside texts: they look like ordinary words.
local SHORTEST_IN_DATA = 4

-- The most secrets in a set; the oldest are dropped. So a token that changes every hour does not fill memory.
local MOST = 32

-- The longest first: otherwise masking a short secret could leave parts of a longer one.
local function longer(a, b)
  return #a.units > #b.units
end

local function replace(text, patterns, shortest)
  for _, pattern in ipairs(patterns) do
    local parts, from = {}, 1
    local first, last
    if #pattern.units >= shortest then first, last = match.find(text, pattern, 1) end
    while first do
      parts[#parts + 1] = text:sub(from, first - 1)
      from = last + 1
      first, last = match.find(text, pattern, from)
    end
    if from > 1 then text = table.concat(parts, MASK) .. MASK .. text:sub(from) end
  end
  return text
end

-- Masks the end of a text that was cut within a secret.
local function replace_end(text, patterns)
  local dots = text:sub(-3) == "…" and "…" or ""
  local body = text:sub(1, #text - #dots)
  for _, pattern in ipairs(patterns) do
    local at = match.begun(body, pattern, BEGINNING)
    if at then return body:sub(1, at - 1) .. MASK .. dots end
  end
  return text
end

-- Masks a text that arrives in pieces. A secret may span two pieces, so what may be its beginning is held back.
local function stream(patterns)
  local held = ""
  return function(piece, last)
    local text = replace(held .. piece, patterns(), SHORTEST_IN_DATA)
    local keep = #text + 1
    for _, pattern in ipairs(last and {} or patterns()) do
      local at = #pattern.units >= SHORTEST_IN_DATA and match.begun(text, pattern, 0)
      if at and at < keep then keep = at end
    end
    held = text:sub(keep)
    return text:sub(1, keep - 1)
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
  local known, order, patterns, set = {}, {}, {}, {}
  function set.add(secret)
    if not secret or secret == "" or known[secret] then return end
    known[secret] = match.pattern(secret)
    order[#order + 1] = secret
    if #order > MOST then known[table.remove(order, 1)] = nil end
    patterns = {}
    for i, one in ipairs(order) do patterns[i] = known[one] end
    table.sort(patterns, longer)
  end
  function set.mask(text)
    if others then text = others.mask(text) end
    if #patterns == 0 then return text end
    return replace_end(replace(text, patterns, 1), patterns)
  end
  function set.stream()
    local mine, theirs = stream(function() return patterns end), others and others.stream()
    return function(piece, last)
      return mine(theirs and theirs(piece, last) or piece, last)
    end
  end
  for _, secret in ipairs(list or {}) do set.add(secret) end
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
