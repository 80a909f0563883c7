--- For specs: a Lua file as text without comments, and its strings apart.

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

return lua_source
