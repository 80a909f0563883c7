--- For specs: a Lua file as text without comments, and its strings apart; what it assigns to the variables of its loops.

local lua_source = {}

-- The last byte of the comment at `at`; nil when none begins there.
local function comment_end(text, at)
  local level = text:match("^%-%-%[(=*)%[", at)
  if level then return select(2, text:find("]" .. level .. "]", at, true)) or #text end
  return text:find("^%-%-", at) and (text:find("\n", at, true) or #text + 1) - 1
end

-- The content of the string at `at`, as written, and its last byte; nil when none begins there.
local function string_at(text, at)
  local level, first = text:match("^%[(=*)%[()", at)
  if level then
    local from, last = text:find("]" .. level .. "]", first, true)
    return text:sub(first, (from or #text + 1) - 1), last or #text
  end
  local quote, last = text:match("^[\"']", at), at
  if not quote then return nil end
  repeat
    last = text:find("[\\" .. quote .. "]", last + 1) or #text
    local escape = text:sub(last, last) == "\\"
    if escape then last = last + 1 end
  until not escape or last > #text
  return text:sub(at + 1, last - 1), last
end

--- Takes a file's text apart.
---@param text string
---@return string code without comments; instead of each string `"n"`, its number in the list
---@return string[] strings as written between their quotes
function lua_source.parts(text)
  local out, strings, at = {}, {}, 1
  while at <= #text do
    local mark = text:find('["\'%[-]', at) or #text + 1
    out[#out + 1] = text:sub(at, mark - 1)
    local last = comment_end(text, mark)
    if not last then
      local content
      content, last = string_at(text, mark)
      if content then strings[#strings + 1] = content end
      out[#out + 1] = content and ('"%d"'):format(#strings) or text:sub(mark, mark)
    end
    at = (last or mark) + 1
  end
  return table.concat(out), strings
end

-- ---- loops ----

-- The tokens of a file, strings as numbers; and the line of each.
local function tokens(text)
  local code, list, lines, line, at = lua_source.parts(text), {}, {}, 1, 1
  while at <= #code do
    local space, last = code:match("^(%s*)()", at)
    line = line + select(2, space:gsub("\n", ""))
    local word = code:match("^[%a_][%w_]*", last) or code:match("^%d[%w.]*", last) or code:match("^[=~<>]=", last)
      or code:match("^%.%.+", last) or code:match('^"%d+"', last) or code:sub(last, last)
    if word ~= "" then list[#list + 1], lines[#lines + 1] = word, line end
    at = last + #word
  end
  return list, lines
end

local Reader = {}
Reader.__index = Reader

local KEYWORDS = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true until while]]):gmatch "%l+" do
  KEYWORDS[word] = true
end

local function is_name(token) return token ~= nil and token:find "^[%a_]" ~= nil and not KEYWORDS[token] end

-- The names from `at`, with commas between them, and where they end.
local function names_from(list, at)
  local names = {}
  while is_name(list[at]) do
    names[#names + 1] = list[at]
    at = at + 1
    if list[at] == "<" then at = at + 3 end -- <const>
    if list[at] ~= "," then break end
    at = at + 1
  end
  return names, at
end

-- What a name means here: "loop", "local", or nil.
function Reader:meaning(name)
  for depth = #self.blocks, 1, -1 do
    if self.blocks[depth][name] then return self.blocks[depth][name] end
  end
end

function Reader:declare(names, first)
  for i, name in ipairs(names) do self.blocks[#self.blocks][name] = i == 1 and first or "local" end
end

function Reader:push() self.blocks[#self.blocks + 1] = {} end

function Reader:pop() self.blocks[#self.blocks] = nil end

function Reader:assign(name, at)
  if self:meaning(name) == "loop" then self.wrong[#self.wrong + 1] = ("%d: %s"):format(self.lines[at], name) end
end

-- Where the expression begins that ends at `at`, such as f(x)[1].y.
function Reader:begin(at)
  local list, opening = self.list, { ["]"] = "[", [")"] = "(" }
  while true do
    local token = list[at]
    if opening[token] then
      local depth = 0
      repeat
        if list[at] == token then depth = depth + 1 end
        if list[at] == opening[token] then depth = depth - 1 end
        at = at - 1
      until depth == 0 or at < 1
      if not (is_name(list[at]) or opening[list[at]]) then return at + 1 end
    elseif list[at - 1] == "." or list[at - 1] == ":" then
      at = at - 2
    else
      return at
    end
  end
end

-- The targets before the "=" at `at`.
function Reader:targets(at)
  repeat
    local last = at - 1
    local first = self:begin(last)
    if first == last and is_name(self.list[last]) then self:assign(self.list[last], last) end
    at = first - 1
  until self.list[at] ~= ","
end

local STEPS = {}

STEPS["then"] = function(self) self:push() end
STEPS["repeat"] = STEPS["then"]
STEPS["{"] = function(self)
  self:push()
  self.blocks[#self.blocks]["{"] = "fields"
end
STEPS["end"] = function(self) self:pop() end
STEPS["}"], STEPS["until"], STEPS["elseif"] = STEPS["end"], STEPS["end"], STEPS["end"]
STEPS["else"] = function(self)
  self:pop()
  self:push()
end

STEPS["for"] = function(self, at)
  local names, after = names_from(self.list, at + 1)
  self.blocks[#self.blocks]["for"] = names
  return after + 1 -- "=" or "in"
end

STEPS["do"] = function(self)
  local here = self.blocks[#self.blocks]
  local names = here["for"]
  here["for"] = nil
  self:push()
  self:declare(names or {}, "loop")
end

STEPS["local"] = function(self, at)
  if self.list[at + 1] == "function" then
    self:declare({ self.list[at + 2] }, "local")
    return at + 1
  end
  local names, after = names_from(self.list, at + 1)
  self:declare(names, "local")
  return self.list[after] == "=" and after + 1 or after
end

STEPS["function"] = function(self, at)
  local after = at + 1
  if is_name(self.list[after]) and self.list[after + 1] == "(" and self.list[at - 1] ~= "local" then self:assign(self.list[after], after) end
  while self.list[after] ~= "(" do after = after + 1 end
  self:push()
  local names, last = names_from(self.list, after + 1)
  self:declare(names, "local")
  return last
end

STEPS["="] = function(self, at)
  if not self.blocks[#self.blocks]["{"] then self:targets(at) end
end

--- Where a file assigns to the first variable of a `for`, which Lua 5.5 does not take: "line: name" each.
---@param text string
---@return string[]
function lua_source.loop_assignments(text)
  local list, lines = tokens(text)
  local self = setmetatable({ list = list, lines = lines, blocks = { {} }, wrong = {} }, Reader)
  local at = 1
  while at <= #list do
    local step = STEPS[list[at]]
    at = step and step(self, at) or at + 1
  end
  assert(#self.blocks == 1, "a block is open at the end of the file")
  return self.wrong
end

return lua_source
