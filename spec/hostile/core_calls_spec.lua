-- The core survives any argument: random calls of its functions and of its objects' methods, with random values, more or fewer of them than
-- wanted, methods of one type with another's objects, metamethods that raise or call the core again, objects that were closed, coroutines,
-- finalizers. What a script can reach cannot crash, so there is nothing to assert but that each call came back with values or a Lua error,
-- and that the core works afterwards. Under the sanitizers this finds reads and writes out of place.
--
-- SCRUTINIZER_CORE_CALLS says how many calls (10,000), SCRUTINIZER_CORE_SEED where the sequence begins (1).

local core = require "scrutinizer.core"
local support = require "spec.support"

local CALLS = tonumber(os.getenv "SCRUTINIZER_CORE_CALLS") or 10000
local SEED = tonumber(os.getenv "SCRUTINIZER_CORE_SEED") or 1

-- A generator of its own: the same sequence on each Lua.
local state = SEED
local function random(n)
  state = (state * 16807) % 2147483647
  return state % n + 1
end

local function pick(list)
  return list[random(#list)]
end

local ANSWER = support.read "spec/alloc/answer.json"
local unpack = table.unpack or unpack -- luacheck: ignore 143

-- Functions that wait, look up names or run programs are called with what makes that short.
local FUNCTIONS = {
  "aggregate", "caller", "calls", "command", "compare", "decode", "decoder", "feed", "feed_finish", "feed_header", "feed_push", "feed_ready", "http",
  "mask", "now", "running", "sha256", "ties", "top", "writer",
}
local METHODS = {
  "feed", "finish", "next", "hold", "fast_path", "pass", "passed", "fact", "fold", "last_row", "state", "columns", "busy", "close", "rows", "add",
  "header", "take", "read", "info", "ready", "certificate", "copy", "join", "follow", "add_list", "allow", "held", "step", "timeout", "fds",
  "start", "__gc", "__close", "__tostring", "__index",
}

local objects, closing = {}, false
local function keep(value)
  if type(value) == "userdata" and value ~= core.null then objects[random(40)] = value end
  return value
end

local value

-- A function of the core, or an object and a method that it has, or a method and another type's object.
local function choose(depth)
  if random(4) == 1 then return core[pick(FUNCTIONS)], nil end
  local object = objects[random(40)]
  if object == nil then return nil end
  local good, method = pcall(function() return object[pick(METHODS)] end)
  if not good or type(method) ~= "function" then return nil end
  if random(8) == 1 then return method, value(depth + 1) end
  return method, object
end

local calls = 0

local function call_core(depth)
  local callee, first
  repeat callee, first = choose(depth) until callee
  local arguments, count = { first }, first ~= nil and 1 or 0
  for _ = 1, random(6) - 1 do
    count = count + 1
    arguments[count] = value(depth + 1)
  end
  calls = calls + 1
  return callee(unpack(arguments, 1, count))
end

local function meddle(depth)
  local what = random(5)
  if what == 1 then error "meddled" end
  if what == 2 then collectgarbage() end
  if depth < 4 then pcall(call_core, depth + 1) end
  return what == 3 and value(depth + 1) or nil
end

local NUMBERS = { 0, 1, 2, 3, -1, 7, 64, 1.5, -0.5, 2 ^ 31, 2 ^ 53, -2 ^ 53, 2 ^ 63, 1e300, -1e300, 1 / 0, -1 / 0, 0 / 0 }
local TEXTS = {
  "", "a", "host", "sum_octets", "raw", "label", "sum", "inbound", "max", "error", "replace", "footer", "columns", "err", ",", "\n", "\0", "x\0y",
  ANSWER,
  ANSWER:sub(1, 900), ANSWER:sub(901), "1", "-0", "1e999", ("9"):rep(400), "[[[1]]]", '{"a":"\\ud800"}', "\255\254", ("["):rep(5000),
  "1.1", "timeout", "2.",
}
local NAMES = {
  "fields", "by", "folded", "field", "fold", "column", "member", "optional", "projection", "inbound", "outbound", "max_body", "max_depth", "max_row",
  "max_held", "utf8", "ties", "order", "headers", "json", "separator", "null", "newline", "guard", "tostring", "url", "body", "form",
  "resolve", "method",
  "connect_timeout", "status", "location", "http_version", "content_type", "reused", "reuse", "graph", "ordered", "with_direction", 1, 2, 3,
}

-- Options as they should be, but for one or two.
local function options(depth)
  local t = pick {
    function()
      return { inbound = true, outbound = random(2) == 1, ordered = true, max_body = 2 ^ 40, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 20,
        reuse = random(2) == 1, ties = { core.ties(100) },
        projection = random(2) == 1 and { { field = "host", column = "host" }, { field = "o", column = "sum_octets", member = "label" } } or nil }
    end,
    function() return { fields = { "host", "sum_octets" }, by = { 1 }, folded = { { field = 2, fold = "sum" }, { field = 2, fold = "max" } } } end,
    function()
      return { fields = { "a", "b" }, headers = { "A", "B" }, json = random(2) == 1, separator = ",", null = "", newline = "\n", tostring = tostring }
    end,
    function()
      return { fields = { { column = "host" }, { column = "sum_octets" } }, test = { all = {
        { field = random(3), one_of = { texts = { "10.0.0.1" } } }, { field = 2, between = { min = "1" } }, { field = 1, no = { begins = "x" } },
      } } }
    end,
    function() return { url = "http://127.0.0.1:1/", allow_http = true, form = { { "a", "b" } }, headers = { "A: b" } } end,
    function() return { status = 200, location = "x", http_version = "1.1" } end,
  }()
  for _ = 1, random(3) - 1 do t[pick(NAMES)] = value(depth + 1) end
  return t
end

local function odd_table(depth)
  local t = random(2) == 1 and options(depth) or {}
  for _ = 1, random(4) - 1 do t[pick(NAMES)] = value(depth + 1) end
  if random(40) == 1 then for i = 0, 61 do t[2 ^ i] = "x" end end -- its length is anybody's guess
  if random(3) > 1 then return t end
  local function other() return meddle(depth) end
  local function shrink(self, key)
    for k in pairs(self) do rawset(self, k, nil) end
    collectgarbage()
    return value(depth + 1), key
  end
  return setmetatable({}, {
    __index = pick { t, other, shrink, function(_, key) if random(8) == 1 then return meddle(depth) end return t[key] end },
    __len = other, __tostring = other, __call = other, __gc = function() pcall(meddle, depth) end, __newindex = other,
  })
end

local MAKE = {
  function() return pick(NUMBERS) end,
  function() return pick(TEXTS) end,
  function() return objects[random(40)] end,
  function() return objects[random(40)] end,
  function(depth) return depth < 6 and options(depth) or {} end,
  function(depth) return depth < 6 and odd_table(depth) or {} end,
  function() return random(2) == 1 end,
  function() return core.null end,
  function() return io.stdout end,
  function() return print ~= nil and coroutine.create(function() coroutine.yield() end) end,
  function(depth) return function(...) meddle(depth) return ... end end,
  function() return nil end,
}

function value(depth)
  return pick(MAKE)(depth)
end

-- Somebody's finalizer, that comes in wherever it is collected.
local new_proxy = newproxy -- luacheck: ignore 113
local function drop_visitor()
  local function visit() if not closing then pcall(call_core, 1) end end
  if new_proxy then
    getmetatable(new_proxy(true)).__gc = visit
  else
    setmetatable({}, { __gc = visit })
  end
end

-- Objects in good order, so that calls reach deep.
local function fresh_objects()
  local d = keep(core.decoder {
    inbound = true, outbound = true, ordered = true, max_body = 2 ^ 40, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 20,
  })
  local t = keep(core.feed())
  core.feed_push(t, ANSWER)
  if random(2) == 1 then d:feed(ANSWER:sub(1, random(#ANSWER))) else d:next(t) end
  keep(core.aggregate { fields = { "host", "sum_octets" }, by = { 1 }, folded = { { field = 2, fold = "max" } } })
  keep(core.writer { fields = { "a" }, headers = { "A" }, json = random(2) == 1, separator = ",", null = "", newline = "\n", tostring = tostring })
  keep(core.top(random(50)))
  keep(core.ties(1000))
  local tests = keep(core.keep { fields = { { column = "host" } }, test = { field = 1, begins = "1" } })
  keep(core.decoder { inbound = true, max_body = 2 ^ 40, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 20, keep = tests }):feed(ANSWER)
  if random(20) == 1 then keep(core.http()) end
  if random(20) == 1 then keep(core.command()) end
end

local function run(count)
  local returned, raised = 0, 0
  for i = 1, count do
    if i % 50 == 1 then pcall(fresh_objects) end -- a finalizer may be in the way
    if random(8) == 1 then drop_visitor() end
    local call = function() return keep(call_core(1)) end
    local good
    if random(5) == 1 then
      good = coroutine.resume(coroutine.create(call))
    else
      good = pcall(call)
    end
    if good then returned = returned + 1 else raised = raised + 1 end
    if i % 500 == 0 then collectgarbage() end
  end
  return returned, raised
end

describe("calls of the core with anything", function()
  it("come back with values or a Lua error, and the core works afterwards", function()
    local returned, raised = run(CALLS)
    closing = true
    objects = {}
    support.collect()
    if os.getenv "SCRUTINIZER_CORE_CALLS" then print(calls, returned, raised) end
    assert.equal(CALLS, returned + raised)
    assert.is_true(calls >= CALLS)
    -- Both happen often, or the calls do not reach what they are for.
    assert.is_true(returned > CALLS / 10)
    assert.is_true(raised > CALLS / 10)
    local d = core.decoder { inbound = true, max_body = 2 ^ 40, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 20 }
    assert.is_true(d:feed(ANSWER))
    assert.equal("10.0.0.1", d:next().host)
  end)
end)
