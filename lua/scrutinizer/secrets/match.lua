--- Finds a secret in a text, in any encoding: plain, in JSON (also nested in JSON), in a URL, in HTML, or escaped as in our errors. Letters and
--- digits are never encoded.

local match = {}

-- The most bytes of one encoded character.
local WIDEST = 16

local NAMES = { amp = 38, lt = 60, gt = 62, quot = 34, apos = 39 }

-- Characters that begin an encoding but may also stand for themselves.
local AMBIGUOUS = { ["%"] = true, ["&"] = true }

---@class scrutinizer.SecretPattern
---@field units { [1]: string, [2]: integer }[]  its characters and their code points (bytes, where it is not UTF-8)
---@field text? string     the longest run of letters and digits in it
---@field first integer    the first unit of that run
---@field last integer     the last unit of that run; 0 without a run
---@field start string     a Lua pattern for its first byte, in any encoding

local function code_point(char)
  local first = char:byte()
  if #char == 1 then return first end
  local code = #char == 2 and first % 32 or #char == 3 and first % 16 or first % 8
  for i = 2, #char do code = code * 64 + char:byte(i) % 64 end
  return code
end

-- The character at a position: a whole UTF-8 sequence, else one byte.
local function char_at(text, at)
  return text:match("^[\194-\223][\128-\191]", at) or text:match("^[\224-\239][\128-\191][\128-\191]", at)
    or text:match("^[\240-\244][\128-\191][\128-\191][\128-\191]", at) or text:sub(at, at)
end

--- Makes the pattern of a secret for `find` and `begun`.
---@param secret string
---@return scrutinizer.SecretPattern
function match.pattern(secret)
  local units, at = {}, 1
  while at <= #secret do
    local char = char_at(secret, at)
    units[#units + 1] = { char, code_point(char) }
    at = at + #char
  end
  local pattern, run = { units = units, first = #units + 1, last = 0, start = "[\\%%&%" .. secret:sub(1, 1) .. "]" }, 0
  if secret:find "^[A-Za-z0-9]" then pattern.start = secret:sub(1, 1) end
  if secret:find "^[%z\1-\31\127 ]" then pattern.start = "[\\%%&%+%z\1-\31\127 ]" end
  for i = 1, #units do
    run = units[i][1]:find "^[A-Za-z0-9]$" and run + 1 or 0
    if run > 0 and run > pattern.last - pattern.first + 1 then pattern.first, pattern.last = i - run + 1, i end
  end
  if pattern.last > 0 then
    local chars = {}
    for i = pattern.first, pattern.last do chars[#chars + 1] = units[i][1] end
    pattern.text = table.concat(chars)
  end
  return pattern
end

-- Matches `%XX` for each byte; each `%` may itself be encoded as `%25`. Returns the last position.
local function percent_end(text, at, char)
  for i = 1, #char do
    local from, to, hex = text:find("^%%(%x%x)", at)
    while from and hex == "25" and text:find("^%x%x", to + 1) do from, to, hex = text:find("^(%x%x)", to + 1) end
    if not from or tonumber(hex, 16) ~= char:byte(i) then return nil end
    at = to + 1
  end
  return at - 1
end

-- Matches `&name;` or `&#number;`; the `&` may itself be encoded as `&amp;`. Returns the last position.
local function entity_end(text, at, code)
  local _, to = text:find("^&", at)
  if not to then return nil end
  while text:find("^amp;[A-Za-z0-9#]+;", to + 1) do to = to + 4 end
  local _, finish, name = text:find("^(#?[A-Za-z0-9]+);", to + 1)
  if not name then return nil end
  local number = NAMES[name] or tonumber(name:match "^#(%d+)$") or tonumber(name:match "^#[xX](%x+)$" or "", 16)
  return number == code and finish or nil
end

local SHORT = { ["\n"] = "n", ["\r"] = "r", ["\t"] = "t", ["\b"] = "b", ["\f"] = "f" }

-- Matches what follows one or more backslashes: JSON's `n` etc. and `uXXXX`, or `xXX` for each byte as in our errors.
local function escape_end(text, at, char, code)
  if SHORT[char] and text:sub(at, at) == SHORT[char] then return at end
  local hex = text:match("^u(%x%x%x%x)", at)
  if hex and tonumber(hex, 16) == code then return at + 4 end
  for i = 1, #char do
    hex = text:match(i == 1 and "^x(%x%x)" or "^\\*x(%x%x)", at)
    if not hex or tonumber(hex, 16) ~= char:byte(i) then return nil end
    at = select(2, text:find("^\\*x%x%x", at)) + 1
  end
  return at - 1
end

-- Two end positions of a character that begins at `at`: if it is encoded there, and if it is plain there. Nil: it is not.
local function unit_ends(text, at, unit)
  local char, code = unit[1], unit[2]
  local _, slashes = text:find("^\\*", at)
  local bare = slashes + 1
  local other = entity_end(text, bare, code) or percent_end(text, bare, char) or (slashes >= at and escape_end(text, bare, char, code)) or nil
  if text:sub(bare, bare + #char - 1) == char then return other, bare + #char - 1 end
  return other, char == " " and text:sub(bare, bare) == "+" and bare or nil
end

-- Whether the text ends within something that may become this character.
local function unit_begins(text, at, unit)
  local rest = text:match("^\\*(.*)$", at)
  if rest == "" or unit[1]:sub(1, #rest) == rest then return true end
  return #rest < WIDEST and (rest:find "^&[A-Za-z0-9#;]*$" or rest:find "^%%[%x%%]*$" or rest:find "^[ux]%x*$") ~= nil
end

local units_end

-- As `units_end`, when the first unit is a backslash. Some of several backslashes may belong to the next unit. Tries the longest match first.
local function slashes_end(text, at, units, from, to)
  local _, slashes = text:find("^\\*", at)
  local begun
  for finish = slashes, at, -1 do
    local last, count = units_end(text, finish + 1, units, from + 1, to)
    if last then return last end
    begun = begun or (count and count + 1)
  end
  return nil, begun
end

-- The last position of the units `from` to `to` that begin at `at`. Or nil; if the text ended too early, also how many units matched.
function units_end(text, at, units, from, to)
  local begun
  for i = from, to do
    if units[i][1] == "\\" and text:sub(at, at) == "\\" then
      local last, count = slashes_end(text, at, units, i, to)
      return last, not last and (count and i - from + count or begun) or nil
    end
    local other, plain = unit_ends(text, at, units[i])
    if other and plain then -- a `%` or `&` may be plain, or begin its own encoding
      local last, count = units_end(text, other + 1, units, i + 1, to)
      if last then return last end
      begun = begun or (count and i - from + 1 + count)
    end
    local finish = plain or other
    local may_begin = plain and not begun and AMBIGUOUS[units[i][1]] and text:find("^.[A-Za-z0-9#%%;]*$", at)
    if may_begin and unit_begins(text, at, units[i]) then begun = i - from end
    if not finish then
      return nil, #text - at < WIDEST * #units and unit_begins(text, at, units[i]) and i - from or begun
    end
    at = finish + 1
  end
  return at - 1
end

-- The first position of the units before the run, so that they end right before it. The earliest one, to include a backslash of an escape.
local function head_start(text, at, pattern, from)
  if pattern.first == 1 then return at end
  for start = math.max(from, at - WIDEST * (pattern.first - 1)), at - 1 do
    if units_end(text, start, pattern.units, 1, pattern.first - 1) == at - 1 then return start end
  end
end

--- Finds a secret from position `from` on, like string.find.
---@param text string
---@param pattern scrutinizer.SecretPattern
---@param from integer
---@return integer? first
---@return integer? last
function match.find(text, pattern, from)
  local count, at = #pattern.units, from
  while at <= #text do
    local finish, start = at, at
    if pattern.text then
      at, finish = text:find(pattern.text, at, true)
      if not at then return nil end
      start = head_start(text, at, pattern, from)
    end
    if start then
      local last = pattern.last < count and units_end(text, pattern.text and finish + 1 or at, pattern.units, pattern.last + 1, count)
        or (pattern.last == count and finish)
      if last then return start, last end
    end
    at = at + 1
  end
end

--- The position from which the end of a text may be the beginning of a secret.
---@param text string
---@param pattern scrutinizer.SecretPattern
---@param least integer the least number of the secret's characters
---@return integer? first
function match.begun(text, pattern, least)
  local units = pattern.units
  local at = text:find(pattern.start, math.max(1, #text - WIDEST * #units))
  while at do
    local _, matched = units_end(text, at, units, 1, #units)
    if matched and matched >= least then return at end
    at = text:find(pattern.start, at + 1)
  end
end

return match
