-- What host.c runs with allocations failing: the core over an answer, then a client. Gives a function for each part, nil after the last;
-- allocations fail only inside it. It gives all that it saw as one text.

local answer, part, port = ...
if jit then jit.off() end -- memory that runs out inside compiled code ends LuaJIT itself
local core

local seen = {}

local function show(value)
  if type(value) ~= "table" then
    return tostring(value)
  end
  local keys, parts = {}, {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  for i, key in ipairs(keys) do parts[i] = tostring(key) .. "=" .. show(value[key]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function see(...)
  for i = 1, select("#", ...) do seen[#seen + 1] = show((select(i, ...))) end
end

-- Raises what the core's nil, kind, message and the client's nil, err say.
local function good(value, kind, message)
  if value == nil and kind then error(tostring(kind) .. ": " .. tostring(message), 0) end
  return value
end

local function decoder_of(options)
  core = require "scrutinizer.core"
  local all = { inbound = true, outbound = true, ordered = true, graph = true, max_body = 2 ^ 40, max_depth = 64,
    max_row = 2 ^ 20, max_held = 2 ^ 20 }
  for name, value in pairs(options) do all[name] = value end
  return core.decoder(all)
end

local function take(decoder)
  local row, direction = decoder:next()
  while row do
    see(row, direction)
    row, direction = decoder:next()
  end
end

local function read(options, size)
  local decoder = decoder_of(options)
  for at = 1, #answer, size do
    good(decoder:feed(answer:sub(at, at + size - 1)))
    take(decoder)
  end
  good(decoder:finish())
  take(decoder)
  for _, fact in ipairs { "err", "details", "request_id", "time_details", "graph", "totalRowCount", "footer" } do
    see(fact, good(decoder:fact(fact)), good(decoder:fact(fact, 2)))
  end
  see(decoder:columns(1), decoder:columns(2), decoder:last_row(1), decoder:last_row(2), decoder:state())
  decoder:close()
end

local SELECT = { { field = "host", column = "host" }, { field = "octets", column = "sum_octets" },
  { field = "label", column = "sum_octets", member = "label" }, { field = "rank", column = "rank", optional = true } }

local scrutinizer = part == 5 and require "scrutinizer"
if scrutinizer then require "scrutinizer.report.cursor" end -- Lua 5.1 never loads again what it once failed to load

local PARTS = {
  function() read({ with_direction = true }, #answer) end,

  function() read({ projection = SELECT, reuse = true, utf8 = "replace" }, 500) end,

  function()
    core = require "scrutinizer.core"
    see(good(core.decode('[1,-2.5,"\\u00e9\\n",{"a":[[]],"b":{}},null,true,0.' .. ("1"):rep(200) .. "]", { utf8 = "error" })))
    see(good(core.decode("[" .. ("[],"):rep(20) .. '"\\"\255"]', { utf8 = "replace" })))
    for _, json in ipairs { false, true } do
      local writer = core.writer { fields = { "a", "b" }, headers = { "A", "B\"" }, json = json, separator = ",", null = "", newline = "\n",
        tostring = tostring }
      see(writer:header(), good(writer:add { a = ('x"\255\n'):rep(100), b = 0.1 }), good(writer:add { b = {} and 7 }), writer:take())
      writer:close()
    end
  end,

  function()
    core = require "scrutinizer.core"
    local http = core.http()
    local transfer = good(http:start { url = "https://127.0.0.1:9/" })
    local decoder = decoder_of { projection = SELECT }
    local aggregate = core.aggregate { fields = { "host", "octets" }, by = { 1 },
      folded = { { field = 2, fold = "sum" }, { field = 2, fold = "min" }, { field = 2, fold = "max" } } }
    good(decoder:feed(answer))
    good(decoder:finish())
    for direction = 1, 2 do see(decoder:fold(transfer, aggregate, direction, 1000)) end
    see(aggregate:rows(nil, true), aggregate:rows(1))
    aggregate:close()
    decoder:close()
    transfer:close()
    http:close()
  end,

  function()
    local client = good(scrutinizer.connect {
      url = "http://127.0.0.1:" .. port, allow_http = true, token = "not in any message", retry = false,
    })
    local query = client:report("host2host"):between(1441146000, 1441149600):where { ip = "10.1.1.1" }
    query = query:select { host = "host", octets = "sum_octets" }
    for row in query:rows() do see(row) end
    client:close()
  end,

  function()
    core = require "scrutinizer.core"
    local runner = core.command()
    local text
    local transfer = good(runner:start { "/bin/echo", "hello" })
    repeat
      good(runner:wait(1))
      good(runner:step())
      text = transfer:read()
    until text ~= false
    runner:fds()
    see(text)
    transfer:close()
    runner:close()
    local feed = core.feed()
    core.feed_header(feed, { status = 200, content_type = "a/b", location = "c", retry_after = "7" })
    core.feed_push(feed, ("x"):rep(1000))
    core.feed_finish(feed, "timeout", "late")
    see(feed:info(), feed:read(), feed:read())
    feed:close()
  end,

  function()
    core = require "scrutinizer.core"
    local keep = core.keep {
      fields = { { column = "host", why = "why" }, { column = "sum_octets" }, { column = "host", member = "title" } },
      test = { all = {
        { field = 1, any = { { one_of = { texts = { "x", "10.0.0.1" }, networks = { "10.0.0.2/31", "2001:db8::/32" } } }, { begins = "10.0.0.4" } } },
        { field = 2, no = { one_of = { numbers = { "78", "5" }, decimals = { "1e3" } } } }, { field = 2, between = { min = "2", max = "1e30" } },
        { field = 3, contains = "e" },
      } },
    }
    read({ with_direction = true, keep = keep }, #answer)
    read({ projection = SELECT, keep = keep, quotas = { { skip = 1, left = 1 }, { overlap = true } } }, 700)
  end,
}

if not PARTS[part] then return nil end
return function()
  seen = {}
  PARTS[part]()
  return table.concat(seen, ";")
end
