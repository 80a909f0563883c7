-- The fast path: most rows come this way, without Lua code; in C where C may call a function that yields. Its arguments are not trusted.

local core = require "scrutinizer.core"
local support = require "spec.support"

local CAPS = { inbound = true, ordered = true, max_body = 2 ^ 50, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 26 }
local ANSWER = [==[{"report":{"table":{"inbound":{"columns":[{"elementName":"a"}],]==]
  .. [==["rows":[[{"rawValue":"1"}],[{"rawValue":"2"}],[{"rawValue":"3"}]]}}}}]==]

local function decoder_with_rows()
  local decoder = core.decoder(CAPS)
  assert(decoder:feed(ANSWER))
  assert.same({ a = "1" }, (decoder:next()))
  return decoder
end

describe("decoder:pass", function()
  it("gives the rows of its direction that are at hand, up to its limit, and counts them", function()
    local decoder = decoder_with_rows()
    decoder:fast_path(1, 1)
    assert.same({ a = "2" }, decoder:pass())
    assert.is_nil(decoder:pass())
    assert.equal(1, decoder:passed())
    decoder:fast_path(1, 10)
    assert.same({ a = "3" }, decoder:pass())
    assert.is_nil(decoder:pass())
    assert.equal(1, decoder:passed())
  end)

  it("makes nothing but the row, with room for the values that it has", function()
    local columns, cells = {}, {}
    for i = 1, 9 do
      columns[i] = ('{"elementName":"c%d"}'):format(i)
      cells[i] = i < 9 and '{"rawValue":"x"}' or "{}"
    end
    local row = "[" .. table.concat(cells, ",") .. "]"
    local decoder = core.decoder(CAPS)
    local text = '{"report":{"table":{"inbound":{"columns":[%s],"rows":[%s%s]}}}}'
    assert(decoder:feed(text:format(table.concat(columns, ","), row, ("," .. row):rep(200))))
    assert.equal("x", decoder:next().c8)
    decoder:fast_path(1, 1000)
    assert.is_table(decoder:pass()) -- the field's repeated text is kept now
    local held = {} -- LuaJIT makes no table that nobody looks at
    for i = 1, 200 do held[i] = false end
    support.collect()
    collectgarbage "stop"
    local before = collectgarbage "count"
    for i = 1, 100 do held[i] = decoder:pass() end
    local rows = collectgarbage "count" - before
    before = collectgarbage "count"
    for i = 101, 200 do held[i] = { c1 = "x", c2 = "x", c3 = "x", c4 = "x", c5 = "x", c6 = "x", c7 = "x", c8 = "x" } end
    local tables = collectgarbage "count" - before
    collectgarbage "restart"
    assert.equal(200, #held)
    assert.is_true(math.abs(rows - tables) < 0.5, ("%.2f KiB for 100 rows, %.2f for 100 such tables"):format(rows, tables))
  end)

  it("gives nothing of a closed decoder, and refuses what is none", function()
    local decoder = decoder_with_rows()
    decoder:fast_path(1, 10)
    decoder:close()
    assert.is_nil(decoder:pass())
    for _, other in ipairs { io.stdout, 1, "x", {}, core.null } do
      assert.has_error(function() decoder.pass(other) end)
    end
    assert.has_error(function() decoder.pass() end)
  end)
end)

if core.caller then
  describe("core.caller", function()
    it("asks the slow function where there is no row, whatever stands in the decoder's place", function()
      local asked = {}
      local call = core.caller(function(cursor)
        asked[#asked + 1] = cursor
        return "slow", "unseen"
      end)
      local closed = decoder_with_rows()
      closed:close()
      local cursors = { {}, { false }, { io.stdout }, { 1 }, { "x" }, { {} }, { core.null }, { core.decoder(CAPS) }, { closed } }
      for i, cursor in ipairs(cursors) do
        assert.same({ "slow" }, { call(cursor, nil, nil) })
        assert.equal(cursor, asked[i])
      end
      assert.has_error(function() call(1) end)
      assert.has_error(function() call() end)
      assert.has_error(function() core.caller(1) end)
    end)

    it("gives the decoder's rows without asking", function()
      local decoder = decoder_with_rows()
      decoder:fast_path(1, 10)
      local call = core.caller(function() return "slow" end)
      assert.same({ a = "2" }, call { decoder })
      assert.same({ a = "3" }, call { decoder })
      assert.equal("slow", call { decoder })
    end)

    it("lets the slow function wait, and fail", function()
      local call = core.caller(function(cursor) return coroutine.yield(cursor.name) end)
      local thread = coroutine.wrap(function() return "got " .. call { name = "me" } end)
      assert.equal("me", thread())
      assert.equal("got it", thread "it")
      local failing = core.caller(function() error({ kind = "mine" }, 0) end)
      local good, err = pcall(failing, {})
      assert.same({ false, { kind = "mine" } }, { good, err })
    end)
  end)
end

describe("a loop over a cursor", function()
  support.clean_for_each()

  it("runs in a coroutine whose wait yields", function()
    local waits = 0
    local client = support.connect { wait = function()
      waits = waits + 1
      coroutine.yield()
    end }
    local rows = 0
    local query = client:report("custom_rows_20000"):range("LastHour")
    local thread = coroutine.create(function()
      if _VERSION == "Lua 5.1" and not jit then -- no `for` of its can wait
        local cursor = query:rows()
        while cursor:next() do rows = rows + 1 end
        return
      end
      for _ in query:rows() do rows = rows + 1 end
    end)
    repeat assert(coroutine.resume(thread)) until coroutine.status(thread) == "dead"
    assert.equal(20000, rows)
    assert.is_true(waits > 0)
    client:close()
  end)
end)
