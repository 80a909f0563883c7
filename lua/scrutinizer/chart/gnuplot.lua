--- gnuplot: runs a script and returns the picture. Text from outside cannot inject commands: all characters except letters and blanks are
--- written as octal codes.

local errors = require "scrutinizer.errors"
local files = require "scrutinizer.files"

local gnuplot = {}

--- A text from outside as a chart shows it: one line, with control bytes and bytes that are not UTF-8 as `\xNN`.
---@param text any
---@return string
function gnuplot.plain(text)
  return errors.neutral(text, 500)
end

--- A text cut to `characters` characters, the last one "…"; a UTF-8 character is never split.
---@param text string
---@param characters integer
---@return string
function gnuplot.cut(text, characters)
  local at, count = 1, 0
  while at <= #text do
    local size = #(text:match("^[^\128-\191][\128-\191]*", at) or " ")
    if count == characters - 1 and at + size <= #text then return text:sub(1, at - 1) .. "…" end
    at, count = at + size, count + 1
  end
  return text
end

--- A text as gnuplot's double-quoted string. Backquotes (gnuplot would run the text between them), quotes, backslashes, `@` and `%` are
--- written as octal codes. So are digits, because gnuplot would read a digit after a code as part of it. Control bytes and bytes that are not
--- UTF-8 are first shown as `\xNN`.
---@param text string
---@return string
function gnuplot.quote(text)
  return '"' .. gnuplot.plain(text):gsub("[^A-Za-z ]", function(char) return ("\\%03o"):format(char:byte()) end) .. '"'
end

--- One or two lines as one gnuplot string; gnuplot's escape for a line break stands between them.
---@param text string
---@param below? string
---@return string
function gnuplot.lines(text, below)
  local quoted = gnuplot.quote(text)
  if not below then return quoted end
  return quoted:sub(1, -2) .. "\\n" .. gnuplot.quote(below):sub(2)
end

--- The same for the label of an axis mark, where gnuplot would read `%` as a format.
---@param text string
---@param below? string
---@return string
function gnuplot.mark(text, below)
  return gnuplot.lines((text:gsub("%%", "%%%%")), below and below:gsub("%%", "%%%%") or nil)
end

local function write_file(path, text)
  local file, why = files.open(path, "wb")
  if not file then return nil, why end
  local ok
  ok, why = file:write(text)
  local closed, late = file:close()
  return ok and closed, why or late
end

-- A command's exit status; Lua 5.1 returns the system's wait status instead.
local function status_of(ok, _, code)
  if type(ok) == "number" then return ok >= 256 and math.floor(ok / 256) or ok end
  return ok and 0 or code
end

local MISSING = "charts need gnuplot, which is not installed: install it (Debian: apt-get install gnuplot-nox)"

-- The file names come from the system (os.tmpname): the command line contains no text of the caller.
local function run(script, names)
  local ok, why = write_file(names[1], script)
  if not ok then return errors.fail("file", ("%s: %s"):format(names[1], why)) end
  local status = status_of(os.execute(("gnuplot -d '%s' >'%s' 2>'%s' </dev/null"):format(names[1], names[2], names[3])))
  local output = files.read(names[3]) or ""
  if status == 127 then return errors.fail("file", MISSING) end
  if status ~= 0 then
    return errors.fail("file", ("gnuplot failed with exit status %d: %s"):format(status, output:match "[^%s][^\n]*" or "it gives no reason"))
  end
  local drawn = files.read(names[2]) or ""
  if not drawn:find "%S" then return errors.fail("file", "gnuplot drew nothing: " .. output) end
  return drawn
end

local ENTITIES = { ["<"] = "&lt;", [">"] = "&gt;", ["&"] = "&amp;", ['"'] = "&quot;" }

--- Sets the title of each part of an SVG picture; browsers show it under the mouse pointer. gnuplot's own titles have no meaning.
---@param picture string
---@param title? string
---@param labels string[] in the order of the plots
---@return string
function gnuplot.name_parts(picture, title, labels)
  local function element(text) return "<title>" .. gnuplot.plain(text):gsub('[<>&"]', ENTITIES) .. "</title>" end
  picture = picture:gsub("<title>Gnuplot</title>", function() return element(title or "Chart") end, 1)
  return (picture:gsub("<title>gnuplot_plot_(%d+)</title>", function(i)
    local label = labels[tonumber(i)]
    return label and element(label) or ""
  end))
end

--- Runs a script and returns what gnuplot wrote to its standard output.
---@param script string
---@return string? picture
---@return scrutinizer.Error? err kind "file"
function gnuplot.draw(script)
  local names = {}
  for i = 1, 3 do
    local ok, name = pcall(os.tmpname)
    if not ok then break end
    names[i] = name
  end
  local picture, err
  if names[3] then
    picture, err = run(script, names)
  else
    picture, err = errors.fail("file", "a temporary file cannot be created")
  end
  for _, name in ipairs(names) do os.remove(name) end
  return picture, err
end

return gnuplot
