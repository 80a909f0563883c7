-- JSON for the sandbox: a writer, and a strict reader that keeps what checks need (kind of each value, digits of a number, duplicate keys).
local json = {}

local MAX_DEPTH = 64
local ESCAPES = { ['"'] = '"', ["\\"] = "\\", ["/"] = "/", b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }
local read_value

local function fail(position, message)
  error({ json = ("%s at byte %d"):format(message, position - 1) }, 0)
end

local function skip_blanks(text, at)
  return text:match("^[ \t\r\n]*()", at)
end

local function utf8_bytes(code)
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then return string.char(0xC0 + math.floor(code / 64), 0x80 + code % 64) end
  if code < 0x10000 then return string.char(0xE0 + math.floor(code / 4096), 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64) end
  return string.char(0xF0 + math.floor(code / 262144), 0x80 + math.floor(code / 4096) % 64, 0x80 + math.floor(code / 64) % 64, 0x80 + code % 64)
end

local function read_escape(text, at)
  local letter = text:sub(at, at)
  if ESCAPES[letter] then return ESCAPES[letter], at + 1 end
  local digits = text:match("^u(%x%x%x%x)", at)
  if not digits then fail(at, "bad escape") end
  local code = tonumber(digits, 16)
  if code < 0xD800 or code > 0xDFFF then return utf8_bytes(code), at + 5 end
  local low = code < 0xDC00 and tonumber(text:match("^\\u(%x%x%x%x)", at + 5) or "0", 16)
  if not low or low < 0xDC00 or low > 0xDFFF then fail(at, "lone surrogate") end
  return utf8_bytes(0x10000 + (code - 0xD800) * 1024 + low - 0xDC00), at + 11
end

local function read_string(text, at)
  local parts, start = {}, at
  at = at + 1
  while true do
    local plain, stop = text:match('^([^"\\%c]*)()', at)
    parts[#parts + 1], at = plain, stop
    local byte = text:sub(at, at)
    if byte == '"' then return { kind = "string", value = table.concat(parts) }, at + 1 end
    if byte == "\127" then
      parts[#parts + 1], at = byte, at + 1
    elseif byte == "\\" then
      parts[#parts + 1], at = read_escape(text, at + 1)
    else
      fail(start, "string without end, or with a control character,")
    end
  end
end

local function read_number(text, at)
  local digits = text:match("^%-?%d+", at)
  if not digits or digits:find("^%-?0%d") then fail(at, "bad value") end
  local stop = at + #digits
  local fraction = text:match("^%.%d+", stop) or ""
  local exponent = text:match("^[eE][+-]?%d+", stop + #fraction) or ""
  local all = digits .. fraction .. exponent
  return { kind = "number", value = tonumber(all), digits = all, integer = all == digits }, at + #all
end

local function read_members(text, at, depth, node)
  at = skip_blanks(text, at + 1)
  if text:sub(at, at) == "}" then return at + 1 end
  while true do
    if text:sub(at, at) ~= '"' then fail(at, "a key must be a string") end
    local key
    key, at = read_string(text, at)
    key, at = key.value, skip_blanks(text, at)
    if text:sub(at, at) ~= ":" then fail(at, "no colon after a key") end
    if node.value[key] then node.twice[#node.twice + 1] = key else node.keys[#node.keys + 1] = key end
    node.value[key], at = read_value(text, at + 1, depth + 1)
    at = skip_blanks(text, at)
    local mark = text:sub(at, at)
    if mark == "}" then return at + 1 end
    if mark ~= "," then fail(at, "no comma between members") end
    at = skip_blanks(text, at + 1)
  end
end

local function read_items(text, at, depth, node)
  at = skip_blanks(text, at + 1)
  if text:sub(at, at) == "]" then return at + 1 end
  while true do
    node.value[#node.value + 1], at = read_value(text, at, depth + 1)
    at = skip_blanks(text, at)
    local mark = text:sub(at, at)
    if mark == "]" then return at + 1 end
    if mark ~= "," then fail(at, "no comma between items") end
    at = at + 1
  end
end

local WORDS = { ["true"] = true, ["false"] = false, ["null"] = "null" }

function read_value(text, at, depth)
  if depth > MAX_DEPTH then fail(at, "too deep") end
  at = skip_blanks(text, at)
  local first = text:sub(at, at)
  if first == '"' then return read_string(text, at) end
  if first == "{" then
    local node = { kind = "object", value = {}, keys = {}, twice = {} }
    return node, read_members(text, at, depth, node)
  elseif first == "[" then
    local node = { kind = "array", value = {} }
    return node, read_items(text, at, depth, node)
  end
  local word = text:match("^%a+", at)
  if WORDS[word] == nil then return read_number(text, at) end
  return { kind = word == "null" and "null" or "boolean", value = WORDS[word] }, at + #word
end

--- Reads one JSON text into nodes `{ kind =, value = }`; objects also have `keys` (in order) and `twice` (duplicates). Or nil and a message.
function json.read(text)
  local ok, node, at = pcall(read_value, text, 1, 1)
  if not ok then return nil, type(node) == "table" and node.json or tostring(node) end
  at = skip_blanks(text, at)
  if at <= #text then return nil, ("text after the value at byte %d"):format(at - 1) end
  return node
end

local PLAIN = { ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r", ['"'] = '\\"', ["\\"] = "\\\\" }

--- JSON text of a string.
function json.string(text)
  return '"' .. text:gsub('[%c"\\]', function(c) return PLAIN[c] or ("\\u%04x"):format(c:byte()) end) .. '"'
end

json.null = setmetatable({}, { __tostring = function() return "null" end })

--- Joins items that are JSON texts to an array, or members to an object.
function json.array(items) return "[" .. table.concat(items, ",") .. "]" end
function json.object(members) return "{" .. table.concat(members, ",") .. "}" end

--- The plain Lua value of a node, for storage: null becomes json.null.
function json.plain(node)
  if node.kind == "null" then return json.null end
  if node.kind ~= "object" and node.kind ~= "array" then return node.value end
  local copy = {}
  for key, item in pairs(node.value) do copy[key] = json.plain(item) end
  return copy
end

--- JSON text of a plain Lua value; tables with `[1]` and empty tables marked with json.list are arrays; object keys are sorted.
json.list = {}
function json.write(value)
  local kind = type(value)
  if value == json.null or value == nil then return "null" end
  if kind == "string" then return json.string(value) end
  if kind == "number" then return value == math.floor(value) and ("%.0f"):format(value) or ("%.17g"):format(value) end
  if kind ~= "table" then return tostring(value) end
  local parts = {}
  if value[1] ~= nil or getmetatable(value) == json.list then
    for i, item in ipairs(value) do parts[i] = json.write(item) end
    return json.array(parts)
  end
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys)
  for i, key in ipairs(keys) do parts[i] = json.string(key) .. ":" .. json.write(value[key]) end
  return json.object(parts)
end

return json
