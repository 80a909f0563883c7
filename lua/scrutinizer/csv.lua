--- Reads CSV lines: fields with or without quotes (RFC 4180), each record on one line.

local ascii = require "scrutinizer.ascii"

local csv = {}

-- Reads a quoted field; `at` is the byte after its first quote. Returns its text and the position after it; nil when the quote is not closed.
local function quoted(line, at)
  local parts = {}
  while true do
    local part, after = line:match('^([^"]*)"()', at)
    if not part then return nil end
    parts[#parts + 1] = part
    if line:sub(after, after) ~= '"' then return table.concat(parts, '"'), after end
    at = after + 1
  end
end

--- The fields of a line, without the blanks around them. Nil when a quote is not closed, or when text follows a closing quote.
---@param line string
---@return string[]?
function csv.fields(line)
  local fields, at = {}, 1
  while at do
    local value
    local after = line:match('^%s*"()', at)
    if after then
      value, after = quoted(line, after)
      if not value then return nil end
    else
      value, after = line:match("^%s*([^,]*)()", at)
      value = value:match "^(.-)%s*$"
    end
    fields[#fields + 1] = value
    at = line:match("^%s*,()", after)
    if not at and line:find("%S", after) then return nil end
  end
  return fields
end

--- Iterates over the lines that hold data: line number (from 1) and line. Skips empty lines, lines that begin with `#`, a first line whose
--- first field is `name`, and a byte order mark.
---@param text string
---@return fun(): integer?, string?
function csv.lines(text)
  local number, next_line = 0, (text:gsub("^\239\187\191", "") .. "\n"):gmatch "([^\n]*)\n"
  return function()
    for raw in next_line do
      number = number + 1
      local line = raw:gsub("\r$", "")
      local skip = line:find "^%s*$" or line:find "^%s*#" or (number == 1 and ascii.lower(line):find "^%s*name%s*,")
      if not skip then return number, line end
    end
  end
end

return csv
