-- What host.c runs with another call coming in: for each call of a list, each other (and itself) is made by a finalizer, at each allocation.
--
-- What came out must be as if one had been made after the other, whichever was first; or the one that came in was refused, and then the
-- other is as if alone. So nothing moved meanwhile. Where the one that comes in closes something, the other may say that it was cancelled.

local answer, part, port = ...
if jit then jit.off() end -- so that LuaJIT allocates the same each time
local core = require "scrutinizer.core"

local function show(value)
  if type(value) ~= "table" then return type(value) == "userdata" and "userdata" or tostring(value) end
  if value.kind and value.message then return value.kind .. ": " .. value.message end
  local keys, parts = {}, {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for i, key in ipairs(keys) do parts[i] = tostring(key) .. "=" .. show(value[key]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function text(...)
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = show((select(i, ...))) end
  return table.concat(parts, "; ")
end

local function caught(call, things)
  local function pack(good, ...) return (good and "" or "raised: ") .. text(...) end
  return pack(pcall(call, things))
end

-- ---- part 1: the core, and the decoder ----

local CAPS = { max_body = 2 ^ 40, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 20 }
local function decoder()
  local options = { inbound = true, outbound = true, with_direction = true, ordered = true }
  for name, value in pairs(CAPS) do options[name] = value end
  return core.decoder(options)
end

local HALF = math.floor(#answer * 0.75)
local MAKE = {}
function MAKE.pushed()
  local d = decoder()
  d:feed(answer:sub(1, HALF))
  return d
end
function MAKE.source()
  local t = core.feed()
  core.feed_header(t, { status = 200, content_type = "a/b", location = "c" })
  core.feed_push(t, answer)
  return t
end
function MAKE.pulled(things)
  local d = decoder()
  local _, direction = d:next(things.source)
  d:fast_path(direction, 100)
  return d
end
function MAKE.sums()
  local sums = core.aggregate { fields = { "host", "sum_octets" }, by = { 1 }, folded = { { field = 2, fold = "max" } } }
  local d = decoder()
  d:feed(answer)
  d:fold(core.feed(), sums, 2, 100)
  return sums
end
function MAKE.writer()
  local w = core.writer { fields = { "a", "b" }, headers = { "A", "B" }, separator = ",", null = "", newline = "\n", tostring = tostring }
  w:add { a = 1, b = "two" }
  return w
end
function MAKE.top()
  local top = core.top(3)
  for i = 1, 5 do top:add(i) end
  return top
end
function MAKE.ties() return core.ties(1000) end
function MAKE.caller()
  return core.caller and core.caller(function() return "slow" end) or function(cursor) return cursor[1]:pass() or "slow" end
end
function MAKE.cursor(things) return { things.pulled } end

local CALLS = {
  { "feed", { "pushed" }, function(t) return t.pushed:feed(answer:sub(HALF + 1)) end },
  { "finish", { "pushed" }, function(t) return t.pushed:finish() end },
  { "next", { "pushed" }, function(t) return t.pushed:next() end },
  { "pull", { "source", "pulled" }, function(t) return t.pulled:next(t.source) end },
  { "pass", { "source", "pulled" }, function(t) return t.pulled:pass() end },
  { "caller", { "source", "pulled", "cursor", "caller" }, function(t) return t.caller(t.cursor) end },
  { "hold", { "source", "pulled" }, function(t) return t.pulled:hold(t.source) end },
  { "fold", { "source", "sums", "pulled" }, function(t) return t.pulled:fold(t.source, t.sums, 2, 100) end },
  { "fact", { "pushed" }, function(t) return t.pushed:fact("footer", 2) end },
  { "columns", { "pushed" }, function(t) return t.pushed:columns(1) end },
  { "last_row", { "pushed" }, function(t) return t.pushed:last_row(2) end },
  { "close pushed", { "pushed" }, function(t) return t.pushed:close() end, "closes" },
  { "close pulled", { "source", "pulled" }, function(t) return t.pulled:close() end, "closes" },
  { "rows", { "source", "sums" }, function(t) return t.sums:rows(nil, true) end },
  { "close sums", { "source", "sums" }, function(t) return t.sums:close() end, "closes" },
  { "add", { "writer" }, function(t) return t.writer:add(setmetatable({ b = {} and 7 }, { __index = function(_, k) return k .. k end })) end },
  { "header", { "writer" }, function(t) return t.writer:header() end },
  { "take", { "writer" }, function(t) return t.writer:take() end },
  { "close writer", { "writer" }, function(t) return t.writer:close() end, "closes" },
  { "read", { "source" }, function(t) return t.source:read(50) end },
  { "info", { "source" }, function(t) return t.source:info() end },
  { "close source", { "source" }, function(t) return t.source:close() end, "closes" },
  { "top", { "top" }, function(t) return t.top:finish(true) end },
  { "top add", { "top" }, function(t) return t.top:add(10) end },
  { "ties", { "ties" }, function(t) return t.ties:copy() end },
  { "decode", {}, function() return core.decode('[1,{"a":["\\u00e9",null]}]', { utf8 = "error" }) end },
}

-- ---- part 2: the public decoder; part 3: a client ----

local scrutinizer = part > 1 and require "scrutinizer"
if part == 2 then
  MAKE.decoder = function()
    local d = scrutinizer.decoder { select = { "host", "sum_octets" } }
    d:feed(answer:sub(1, HALF))
    return d
  end
  CALLS = {
    { "feed", { "decoder" }, function(t) return t.decoder:feed(answer:sub(HALF + 1)) end },
    { "rows", { "decoder" }, function(t) return (t.decoder:rows())(t.decoder) end },
    { "finish", { "decoder" }, function(t) return t.decoder:finish() end },
    { "whole", { "decoder" }, function(t)
      t.decoder:feed(answer:sub(HALF + 1))
      local list, report, err = {}, t.decoder:finish()
      for row in t.decoder:rows() do list[#list + 1] = row end
      return report, err, list
    end, "several" },
    { "decode", {}, function() return scrutinizer.decode '{"a":[1,2]}' end },
  }
elseif part == 3 then
  require "scrutinizer.report.cursor"
  local function connect()
    return assert(scrutinizer.connect {
      url = "http://127.0.0.1:" .. port, allow_http = true, token = "in no message", retry = false, timeout = 20,
    })
  end
  MAKE.client = function()
    local client = connect()
    client._probed = true -- the stand-in does not redirect
    return client
  end
  MAKE.query = function(t) return t.client:report("host2host"):between(1441146000, 1441149600):select { host = "host", octets = "sum_octets" } end
  MAKE.cursor = function(t)
    local cursor = t.query:rows()
    assert(cursor:next())
    return cursor
  end
  MAKE.fresh = function(t) return (t.query:rows()) end
  CALLS = {
    { "next", { "client", "query", "cursor" }, function(t) return t.cursor:next() end },
    { "first next", { "client", "query", "fresh" }, function(t) return t.fresh:next() end },
    { "call", { "client", "query", "cursor" }, function(t) return t.cursor() end },
    { "total", { "client", "query", "cursor" }, function(t) return t.cursor.total, t.cursor.columns end },
    { "rest", { "client", "query", "cursor" }, function(t)
      local list = {}
      local row, err = t.cursor:next()
      while row do
        list[#list + 1] = row
        row, err = t.cursor:next()
      end
      return list, err
    end, "several" },
    { "close cursor", { "client", "query", "cursor" }, function(t) return t.cursor:close() end, "closes" },
    { "close client", { "client", "query", "cursor" }, function(t) return t.client:close() end, "closes" },
    { "fetch", { "client", "query" }, function(t) return t.query:fetch() end },
    { "aggregate", { "client", "query" }, function(t) return t.query:aggregate { by = { "host" }, count = true } end },
    { "ping", { "client" }, function(t) return t.client:ping() end },
    { "gather", { "client", "query" }, function(t) return t.client:gather { t.query } end },
  }
end

-- ---- pairs ----

local function things_for(...)
  local things = {}
  for i = 1, select("#", ...) do
    for _, name in ipairs((select(i, ...))[2]) do
      things[name] = things[name] or MAKE[name](things)
    end
  end
  return things
end

local new_proxy = newproxy -- luacheck: ignore 113
local function at_collection(call)
  if new_proxy then
    getmetatable(new_proxy(true)).__gc = call
  else
    setmetatable({}, { __gc = call })
  end
end

local expected = {}
local function expect(outer, inner)
  local key = outer[1] .. "/" .. inner[1]
  if not expected[key] then
    local things = things_for(outer, inner)
    local first = caught(outer[3], things)
    expected[key] = { first, caught(inner[3], things) }
  end
  return expected[key][1], expected[key][2]
end

if jit or _VERSION == "Lua 5.1" then
  collectgarbage("setpause", 0)
  collectgarbage("setstepmul", jit and 0 or 1000000)
elseif _VERSION == "Lua 5.3" then
  collectgarbage("setpause", 0)
  collectgarbage("setstepmul", 1000000)
elseif _VERSION == "Lua 5.4" then
  collectgarbage("incremental", 1, 1000, 25)
else
  collectgarbage "incremental"
  collectgarbage("param", "stepmul", 0) -- each step is a whole cycle
end
collectgarbage "stop"

local run, count, refused, visited = nil, 0, 0, 0

local function prepare(pair)
  local outer, inner = CALLS[math.floor((pair - 1) / #CALLS) + 1], CALLS[(pair - 1) % #CALLS + 1]
  local alone, then_inner = expect(outer, inner)
  local inner_alone, then_outer = expect(inner, outer)
  local things = things_for(outer, inner)
  local mine = { outer = outer, inner = inner, alone = alone, then_inner = then_inner, inner_alone = inner_alone, then_outer = then_outer,
    armed = true }
  count = count + 1
  if count % 200 == 0 then
    collectgarbage()
    collectgarbage "stop"
  end
  run = mine
  at_collection(function()
    if not mine.armed or mine.said then return end
    collectgarbage "stop"
    mine.said = caught(inner[3], things)
  end)
  return function()
    mine.came = caught(outer[3], things)
    return mine.came
  end
end

local function is_refusal(call, said)
  if call[1] == "pass" and said == "" or call[1] == "caller" and (said == "slow" or said == "") then return true end
  return said:find("is in use", 1, true) or said:find("is being read", 1, true) or said:find("is being made", 1, true)
    or said:find("cannot wait here", 1, true)
    -- Lua 5.1 cannot tell beforehand that nothing can wait here.
    or (_VERSION == "Lua 5.1" and said:find("attempt to yield across", 1, true))
end

local function is_bare(said)
  return said:find("attempt to index", 1, true) or said:find("attempt to call", 1, true) or said:find("attempt to perform", 1, true)
end

local function says_closed(said)
  return said:find("cancelled", 1, true) or said:find("closed", 1, true)
end

-- What is wrong with how a run with a visitor came out, or nil.
local function complaint(mine, came, said)
  if is_bare(came) or is_bare(said) then return "a bare error" end
  if is_refusal(mine.inner, said) then return came ~= mine.alone and "differs, though the other was refused" or nil end
  if mine.outer[4] == "several" then return nil end -- the other may come between two of them
  local closes = mine.inner[4] == "closes" and says_closed(came) or mine.outer[4] == "closes" and says_closed(said)
  if closes then return nil end
  if came ~= mine.alone and came ~= mine.then_outer then return "neither as before the other nor as after it" end
  if said ~= mine.inner_alone and said ~= mine.then_inner and mine.inner[4] ~= "several" then return "the other came out otherwise" end
end

local function judge(result)
  local mine = run
  mine.armed = false
  if not mine.came then return mine.outer[1] .. ": " .. tostring(result) end
  local what
  if mine.said then
    visited = visited + 1
    if is_refusal(mine.inner, mine.said) then refused = refused + 1 end
    what = complaint(mine, mine.came, mine.said)
  elseif mine.came ~= mine.alone then
    what = "differs, though nothing came in"
  end
  if not what then return nil end
  return ("%s, while %s came in: %s\n  came: %s\n  alone: %s\n  after it: %s\n  it said: %s\n  it alone: %s\n  it after: %s"):format(
    mine.outer[1], mine.inner[1], what, mine.came, mine.alone, mine.then_outer, tostring(mine.said), mine.inner_alone, mine.then_inner)
end

return {
  pairs = #CALLS * #CALLS,
  prepare = prepare,
  judge = judge,
  close = function(runs)
    return ("visits %d: %d pairs, %d runs, %d visited, %d refused"):format(part, #CALLS * #CALLS, runs, visited, refused)
  end,
}
