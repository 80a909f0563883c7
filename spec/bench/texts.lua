-- Texts for comparing decoders: the same on every run. Usage: lua5.4 texts.lua FOLDER; writes FOLDER/<name>.json.
local folder = ...

local seed = 42
local function random(n)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed // 65536 % n
end

local function list(n, item)
  local items = {}
  for i = 1, n do items[i] = item(i) end
  return "[" .. table.concat(items, ",") .. "]"
end

local function number(i)
  local kind = i % 4
  if kind == 0 then return tostring(random(1000)) end
  if kind == 1 then return tostring(random(32768) * 32768 + random(32768)) end
  if kind == 2 then return ("%d.%03d"):format(random(1000), random(1000)) end
  return ("-%d.%d%de-%d"):format(random(10), random(32768), random(32768), random(12))
end

local function deep(level)
  if level == 0 then return '{"leaf":true,"value":null,"n":' .. random(100) .. "}" end
  return ('{"level":%d,"left":%s,"right":%s,"tags":["a","b",false]}'):format(level, deep(level - 1), deep(level - 1))
end

local WORDS = { "plain words ", "interface eth0 is up ", "caf\195\169 ", "\230\151\165\230\156\172 ", "10.1.1.4 ", "Gr\195\182\195\159e ",
  "and more of it " }
local ESCAPES = { "a \\\"quote\\\" ", "line\\nbreak ", "\\u20ac 5 ", "tab\\t", "C:\\\\path ", "\\ud83d\\ude00 " }

-- Texts of up to `most` pieces, one of `every` with an escape.
local function text(most, every)
  local pieces = {}
  for i = 1, 1 + random(most) do
    local from = random(every) == 0 and ESCAPES or WORDS
    pieces[i] = from[1 + random(#from)]
  end
  return '"' .. table.concat(pieces) .. '"'
end

local function service(i)
  return ([[{
    "name": "service-%d",
    "enabled": %s,
    "listen": { "address": "10.0.%d.%d", "port": %d },
    "timeouts": { "connect": %d, "read": 30, "idle": 2.5 },
    "tags": ["edge", "zone-%d"],
    "comment": null
  }]]):format(i, i % 3 == 0 and "false" or "true", random(256), random(256), 1024 + random(30000), random(60), random(9))
end

local texts = {
  numbers = list(100000, number),
  deep = list(20, function() return deep(9) end),
  strings = list(20000, function() return text(12, 5) end),
  escapes = list(20000, function() return text(12, 1) end),
  config = '{ "version": 3, "services": ' .. list(20, service) .. " }",
}

for name, content in pairs(texts) do
  local file = assert(io.open(folder .. "/" .. name .. ".json", "wb"))
  file:write(content)
  file:close()
end
