-- Usage: LUA spec/hostile/reentry_alone.lua feed|take DOCUMENT
-- Sixty readers read a document of 200 rows of 40 cells; into each comes one finalizer, a row later than into the one before, which feeds the
-- same decoder or takes the next row, which then counts as read. Every row must be right and come once. Prints what finalizers were told, and
-- how often.

local scrutinizer = require "scrutinizer"

local visit, path = ...
local file = assert(io.open(path))
local DOC = file:read "*a"
file:close()
local VALUE = ("v"):rep(50)
local HALF = math.floor(#DOC / 3)

local new_proxy = newproxy -- luacheck: ignore 113
local function at_collection(call)
  if new_proxy then
    getmetatable(new_proxy(true)).__gc = call
  else
    setmetatable({}, { __gc = call })
  end
end

-- Each gives whether the rest was fed, and what it was told.
local VISITS = {
  feed = function(decoder) return decoder:feed(DOC:sub(HALF + 1)) end,
  take = function(decoder, next_row, read)
    local good, row = pcall(next_row, decoder)
    if good and row then read(row) end
    return false, good and (row and "a row" or "no row") or row
  end,
}

local NAMES = {}
for i = 1, 40 do NAMES[i] = "c" .. i end

-- Makes one string: nearly all that is allocated is the core's, so that the finalizers run there.
local function check(row, number)
  local expected = VALUE .. number
  for i = 1, 40 do
    local value = row[NAMES[i]]
    if value ~= expected then error(("row %d, column %d: %s"):format(number, i, tostring(value))) end
  end
end

local told = {}

-- Reads all rows; the finalizer may come in once `first` rows were read.
local function read_all(first)
  local decoder = scrutinizer.decoder { direction = "inbound" }
  assert(decoder:feed(DOC:sub(1, HALF)))
  local next_row, armed, count, fed = decoder:rows(), true, 0, false
  local function read(row)
    count = count + 1
    check(row, count)
  end
  for _ = 1, first do read(next_row(decoder)) end
  at_collection(function()
    if not armed then return end
    armed = false
    local err
    fed, err = VISITS[visit](decoder, next_row, read)
    told[tostring(err)] = (told[tostring(err)] or 0) + 1
  end)
  for row in next_row, decoder do read(row) end
  armed = false
  if not fed then assert(decoder:feed(DOC:sub(HALF + 1))) end
  for row in decoder:rows() do read(row) end
  assert(count == 200, count)
  assert(decoder:finish())
end

-- A cycle within some tens of rows.
if _VERSION == "Lua 5.4" then
  collectgarbage("incremental", 110, 400, 13)
elseif _VERSION == "Lua 5.5" then
  collectgarbage "incremental"
  for name, value in pairs { pause = 110, stepmul = 400, stepsize = 2 ^ 13 } do collectgarbage("param", name, math.floor(value)) end
else
  collectgarbage("setpause", 100)
  collectgarbage("setstepmul", 2000)
end
for try = 1, 60 do read_all(try) end
for words, times in pairs(told) do print(("%d times: %s"):format(times, words)) end
print "60 readers read 200 rows each"
