-- Pages asked for ahead of the loop: the same rows in less time, and nothing asked for that nobody wants.
local support = require "spec.support"

local now = require("scrutinizer.core").now

-- The same for every Lua: once is enough for what takes long.
local it_once = os.getenv "SANDBOX_CHECKED" and function() end or it

local FROM, TO = 1795341600, 1795342800
local client, whole

local function query()
  local made = client:report("host2host"):between(FROM, TO)
  return made
end

describe("prefetch", function()
  support.client_for_each(function(made)
    client = made
    whole = whole or assert(query():fetch()).rows
    support.clear()
  end)

  it("gives the same rows, whatever the page and however many ahead", function()
    local first = {}
    for i = 1, 60 do first[i] = whole[i] end
    assert.is_true(#whole > 60)
    for _, case in ipairs { { 13, 1 }, { 20, 3 }, { 1000, 2 } } do
      assert.same(first, assert(query():page_size(case[1]):prefetch(case[2]):limit(60):fetch()).rows)
    end
    assert.same(whole, assert(query():page_size(100):prefetch(2):fetch()).rows)
  end)

  it_once("saves the time that pages take while the loop works", function()
    local function walk(of)
      local before, count = now(), 0
      for _ in of:rows() do
        count = count + 1
        if count % 10 == 0 then support.shell "sleep 0.1" end
      end
      return now() - before, count
    end
    local paged = query():limit(40):page_size(10)
    support.faults { { kind = "delay", seconds = 0.2, times = 20 } }
    local without, count = walk(paged)
    assert.equal(40, count)
    support.clear()
    support.faults { { kind = "delay", seconds = 0.2, times = 20 } }
    local with
    with, count = walk(paged:prefetch(1))
    assert.equal(40, count)
    assert.is_true(with < without * 0.95, ("%.2f s with, %.2f s without"):format(with, without))
  end)

  it_once("asks for each page once, and for none behind the limit or the end", function()
    for _, of in ipairs { query():limit(40):page_size(10), query():offset(#whole - 25):page_size(10) } do
      support.clear()
      local plain = assert(of:fetch())
      local expected = #support.log()
      support.clear()
      local ahead = assert(of:prefetch(4):fetch())
      assert.same(plain.rows, ahead.rows)
      assert.equal(expected, #support.log())
    end
  end)

  it_once("is forgotten when the appliance caps its pages", function()
    support.switches { max_rows = 8 }
    local rows = assert(query():page_size(20):prefetch(2):limit(40):fetch()).rows
    assert.equal(40, #rows)
    for i = 1, 40 do assert.same(whole[i], rows[i]) end
  end)

  it("first and count ask for nothing ahead", function()
    assert.same(whole[1], query():page_size(5):prefetch(3):first())
    assert.equal(1, #support.log())
    support.clear()
    assert.equal(#whole, query():page_size(5):prefetch(3):count())
    assert.equal(1, #support.log())
  end)

  it_once("leaves nothing behind when the loop is left early or a page fails", function()
    support.collect()
    local before = support.descriptors()
    local cursor = query():page_size(10):prefetch(4):rows()
    for _ = 1, 12 do cursor:next() end
    cursor:close()
    support.faults { { kind = "delay", seconds = 0 }, { kind = "delay", seconds = 0 }, { kind = "status", status = 500, times = 9 } }
    local row, err
    cursor = query():page_size(10):prefetch(4):rows()
    repeat row, err = cursor:next() until not row
    assert.equal("http", err.kind)
    client:close()
    support.collect()
    local after = support.descriptors()
    -- One may be the pipe of the count itself.
    assert.is_true(after <= before + 1, ("%d descriptors, before %d"):format(after, before))
  end)
end)
