-- Nothing moves under a reader: what comes in while a row is made, an answer is waited for or options are read is refused in words, or
-- waits; and what it came into is as if alone.
--
-- Brothers looked for in every binding (src/lua_*.c): pointers into an object held while Lua values are made (decoder: rows, facts, columns,
-- last row, errors; aggregate: rows; writer: the text of rows before; transfer: bytes lent, words of an error, a header's texts; top: samples);
-- texts of a list that a script can change meanwhile (aggregate: fields; http: headers, resolve, form; command: arguments); lists looked at
-- twice (writer: fields); lengths that overflow an allocation; numbers cast out of range (aggregate: top; fast_path, fold: limits; top: n, times;
-- feed: status); objects that the collector has freed (ties, a transfer whose bytes are lent). spec/alloc/visits.lua tries all pairs of calls,
-- spec/hostile/core_calls_spec.lua any argument.

local core = require "scrutinizer.core"
local support = require "spec.support"

local FORBIDDEN = "a finalizer, hook or metamethod must not use it meanwhile"

local function document(rows)
  local columns, list = {}, {}
  for i = 1, 40 do columns[i] = ('{"elementName":"c%d"}'):format(i) end
  for n = 1, rows do
    local cells = {}
    for i = 1, 40 do cells[i] = ('{"rawValue":"%s%d"}'):format(("v"):rep(50), n) end
    list[n] = "[" .. table.concat(cells, ",") .. "]"
  end
  return '{"report":{"table":{"inbound":{"columns":[' .. table.concat(columns, ",") .. '],"rows":[' .. table.concat(list, ",") .. "]}}}}"
end

local CAPS = { inbound = true, max_body = 2 ^ 40, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 24 }

-- The collector works at every turn there: a process of its own, with nothing else in its memory.
describe("a finalizer while a row is made", function()
  local function run(visit)
    local folder = support.folder()
    support.write(folder .. "/document", document(200))
    local said = support.shell(("%s spec/hostile/reentry_alone.lua %s %s/document 2>&1"):format(support.lua, visit, folder))
    support.shell("rm -rf " .. folder)
    assert.matches("\n60 readers read 200 rows each\n$", said)
    return said
  end

  for visit, method in pairs { feed = "feed", take = "next" } do
    it("cannot " .. visit .. ", is told so, and every row is right", function()
      local refusal = ("phase: %s: the decoder is in use by another call of its method 'next'; "):format(method) .. FORBIDDEN
      assert.is_truthy(run(visit):find(refusal, 1, true))
    end)
  end
end)

describe("what the core's objects are asked while they are at work", function()
  it("a row's metamethod cannot write into the writer that reads it; a row that raises leaves nothing", function()
    local w = core.writer { fields = { "a", "b" }, headers = { "A", "B" }, separator = ",", null = "", newline = "\n", tostring = tostring }
    local said = {}
    local row = setmetatable({ a = "x" }, { __index = function()
      for _, method in ipairs { "add", "header", "take" } do said[#said + 1] = select(2, pcall(w[method], w, { a = "other" })) end
      return "y"
    end })
    assert.equal(4, w:add(row))
    for i = 1, 3 do assert.matches("the writer is in use by another call of its method 'add'; " .. FORBIDDEN, said[i]) end
    assert.is_false(pcall(w.add, w, setmetatable({ a = "half" }, { __index = function() error "raised" end })))
    assert.equal(8, w:add { a = "p", b = "q" })
    assert.equal("x,y\np,q\n", w:take())
    assert.same({ nil, "cancelled", "the writer was closed" }, { w:add(setmetatable({}, { __index = function() w:close() end })) })
    assert.equal("", w:take())
  end)

  it("fields of an aggregate are strings, and its own", function()
    assert.has_error(function() core.aggregate { fields = { 1, 2 }, by = { 1 }, folded = {} } end, "fields must be strings")
    local fields = { "c" .. 1 }
    local sums = core.aggregate { fields = fields, by = { 1 }, folded = {} }
    fields[1] = nil
    support.collect()
    local d, source = core.decoder(CAPS), core.feed()
    assert(d:feed(document(3)))
    assert.same({ 3, false }, { d:fold(source, sums, 1, 10) })
    assert.equal(("v"):rep(50) .. "1", sums:rows(1)[1].c1)
    for _, top in ipairs { -1, 0 / 0 } do assert.is_false(pcall(sums.rows, sums, top)) end
    assert.same({}, sums:rows(0))
  end)

  it("options whose reading raises, or shrinks their lists, are an error or are as they were read", function()
    local function raising(t) return setmetatable({}, { __index = function(_, key) return t[key] or error "raised" end }) end
    for _, make in ipairs { "aggregate", "decoder", "writer" } do
      assert.has_error(function() core[make](raising { fields = { "a" }, by = { 1 }, inbound = true }) end)
    end
    local headers = { "A: b", "C: d" }
    local http = core.http()
    local options = setmetatable({ url = "https://127.0.0.1:9/", headers = headers }, { __index = function(_, key)
      if key == "resolve" then
        headers[1], headers[2] = nil, nil
        support.collect()
      end
    end })
    local transfer = assert(http:start(options))
    transfer:close()
    http:close()
  end)

  it("a list without an honest length is refused", function()
    local list = {}
    for i = 0, 61 do list[2 ^ i] = "x" end
    assert.is_false(pcall(core.aggregate, { fields = list, by = {}, folded = {} }))
    assert.is_false(pcall(core.writer, { fields = list, headers = list, separator = ",", null = "", newline = "\n" }))
    local http = core.http()
    assert.is_false(pcall(http.start, http, { url = "https://127.0.0.1:9/", headers = list }))
    http:close()
  end)

  it("scripts cannot reach what is for the collector", function()
    for _, object in ipairs { core.decoder(CAPS), core.feed(), core.http(), core.command(), core.ties(10) } do
      assert.is_false(getmetatable(object))
      assert.is_nil(object.__gc)
    end
  end)
end)

describe("one cursor", function()
  local ANOTHER = "the cursor is being read by another coroutine; only one can read it at a time"
  local MEANWHILE = "the cursor is being read by another call; a finalizer, hook or metamethod must not use it meanwhile"

  local function rows(options)
    local client = support.connect(options)
    return client:report("custom_rows_500"):between(1764028800, 1764032400):rows(), client
  end

  -- The other rows, after a first one.
  local function count(cursor)
    local n = 0
    while cursor:next() do n = n + 1 end
    return n
  end

  it("read by two coroutines says so, and goes on for the first", function()
    local cursor = rows { wait = function() if coroutine.running() then coroutine.yield() end end }
    local first
    local co = coroutine.create(function() first = cursor:next() end)
    assert(coroutine.resume(co))
    assert.equal("suspended", coroutine.status(co))
    local row, err = cursor:next()
    assert.is_nil(row)
    assert.same({ "phase", ANOTHER }, { err.kind, err.message })
    local good, raised = pcall(cursor)
    assert.same({ false, ANOTHER }, { good, raised.message })
    while coroutine.status(co) == "suspended" do assert(coroutine.resume(co)) end
    assert.is_table(first)
    local n
    co = coroutine.create(function() n = count(cursor) end)
    while coroutine.status(co) == "suspended" do assert(coroutine.resume(co)) end
    assert.equal(499, n)
  end)

  it("is free again when whoever read it has died of an error", function()
    local fail = true
    local cursor = rows { wait = function() if fail then error "of the host" end end }
    local co = coroutine.create(function() cursor:next() end)
    assert.is_false(coroutine.resume(co))
    assert.is_false(pcall(cursor.next, cursor))
    fail = false
    assert.equal(500, count(cursor))
  end)

  it("read by a hook, or by the wait function, says so and loses nothing", function()
    local told, inside = {}, false
    local cursor, visit
    function visit()
      if inside then return end
      inside = true
      local row, err = cursor:next()
      told[#told + 1] = row and "row" or err and err.message or "the end"
      inside = false
    end
    cursor = rows { wait = visit }
    local n = 0
    debug.sethook(visit, "", 997)
    local row, err = cursor:next()
    while row do
      n = n + 1
      row, err = cursor:next()
    end
    debug.sethook()
    assert.is_nil(err)
    local given, refused = 0, 0
    for _, what in ipairs(told) do
      given, refused = given + (what == "row" and 1 or 0), refused + (what == MEANWHILE and 1 or 0)
    end
    assert.equal(500, n + given)
    assert.is_true(refused > 0)
  end)

  it("closed from within is cancelled when its reader comes to it", function()
    for _, what in ipairs { "cursor", "client" } do
      local cursor, client
      cursor, client = rows { on_event = function(event)
        if event.type == "request" or event.name == "request" then (what == "cursor" and cursor or client):close() end
      end }
      local row, err = cursor:next()
      assert.is_nil(row)
      assert.equal("cancelled", err.kind)
      assert.equal(err, select(2, cursor:next()))
    end
  end)
end)

describe("the end of the state", function()
  local function run(script)
    return support.shell(("%s -e %s 2>&1; echo status $?"):format(support.lua, support.quote(script)))
  end

  local FINALIZER = [[
    local S = require "scrutinizer"
    local function at_end(call)
      if newproxy then keep = newproxy(true) getmetatable(keep).__gc = call else keep = setmetatable({}, { __gc = call }) end
    end
    local client, d
    at_end(function()
      local ok, a, err = pcall(function() return client:ping() end)
      io.stdout:write("ping ", tostring(ok), " ", tostring(ok and err and err.kind or a), "\n")
      ok, err = pcall(function() return d:feed "{}" end)
      io.stdout:write("feed ", tostring(ok), "\n")
      %s
    end)
    client = S.connect { url = "https://127.0.0.1:9/", token = "x", retry = false }
    client:ping()
    d = S.decoder()
    %s
  ]]

  for _, how in ipairs { { "", "" }, { "", "os.exit(0, true)" }, { "error 'late'", "" } } do
    it("a finalizer makes a request: no crash (" .. table.concat(how, how[1] ~= "" and "" or " ") .. ")", function()
      local out = run(FINALIZER:format(how[1], how[2]))
      if not (how[2] ~= "" and _VERSION == "Lua 5.1" and not rawget(_G, "jit")) then -- there os.exit leaves the state open
        assert.matches("ping %w+", out)
        assert.matches("feed %w+", out)
      end
      assert.matches("status 0\n$", out)
    end)
  end
end)
