--- Progress for people: one line on stderr if that is a terminal. Nothing if stderr is a pipe or a file.

local ascii = require "scrutinizer.ascii"
local terminal = require "scrutinizer.cli.terminal"

local progress = {}

local BAR = 24 -- columns

local function grouped(number)
  local text = ("%.0f"):format(number)
  return (text:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", ""))
end

local function bar(part)
  local full = math.floor(part * BAR)
  return "[" .. ("="):rep(full) .. (full < BAR and ">" or "") .. (" "):rep(BAR - full - 1) .. "] "
end

--- "[===========>            ]  45 %  123,456 of 270,000 rows  35.2 MB"; without a bar while the total is not known.
---@param p { rows: integer, bytes?: integer, total?: integer }
---@return string
function progress.line(p)
  local line = ""
  if p.total and p.total > 0 then
    local part = math.min(1, p.rows / p.total)
    line = bar(part) .. ("%3d %%  "):format(math.floor(part * 100))
  end
  line = line .. grouped(p.rows) .. (p.total and " of " .. grouped(p.total) or "") .. " rows"
  return p.bytes and ascii.format("%s  %.1f MB", line, p.bytes / 1e6) or line
end

--- A listener for `on_progress`, and a function that erases its line. No listener with --quiet, if stderr is not a terminal, or if the rows go
--- to the terminal.
---@param args { quiet?: boolean, output?: string }
---@return function? listener
---@return function wipe
function progress.listener(args)
  if args.quiet or not terminal.is(2) or (not args.output and terminal.is(1)) then return nil, function() end end
  local last, now = 0, require("scrutinizer.core").now
  return function(p)
    if now() - last < 0.1 then return end
    last = now()
    io.stderr:write("\r\27[K", progress.line(p))
  end, function()
    if last > 0 then io.stderr:write "\r\27[K" end
  end
end

return progress
