-- An allocator that fails at the n-th call, for each n until none fails: the core's allocations and Lua's own, on each Lua.

local support = require "spec.support"

local LUA = os.getenv "SCRUTINIZER_LUA" or "lua5.4"
local OUT = os.getenv "OUT" or "build/" .. LUA

describe("without memory", function()
  local out

  setup(function()
    -- The host is a process of its own: nothing is preloaded into it, and the sanitizers that it may be built with look after it.
    local alone = "env -u LD_PRELOAD -u MAKEFLAGS -u MAKELEVEL -u http_proxy -u all_proxy -u ALL_PROXY "
    out = support.shell(alone .. "make -s alloc-host LUA=" .. LUA .. " 2>&1 && " .. alone .. OUT
      .. "/alloc_host spec/alloc/scenario.lua spec/alloc/answer.json 2>&1; echo status $?")
  end)

  it("each allocation's failure is a clean error, leaves nothing behind and changes no result", function()
    assert.matches("status 0\n$", out)
  end)

  for _, how in ipairs { "once", "from then on" } do
    it("the reader and the aggregate say so, failing " .. how, function()
      for _, piece in ipairs { 1, 256, 65536 } do
        local pattern = ("C, pieces of %d, failing %s: (%%d+) allocations, (%%d+) clean failures"):format(piece, how)
        local runs = 0
        for allocations, failures in out:gmatch(pattern) do
          runs = runs + 1
          assert.is_true(tonumber(allocations) > 30, out)
          assert.equal(allocations, failures)
        end
        assert.equal(2, runs, out)
      end
    end)

    it("the core and a client raise in Lua, or return the error, failing " .. how, function()
      for part = 1, 7 do
        local line = "Lua %d, failing %s: (%%d+) allocations, (%%d+) clean failures"
        local allocations, failures = out:match(line:format(part, how))
        assert.is_true(tonumber(allocations) > 100, out)
        -- Lua collects garbage and tries again, so a single failure is seen only where C asked.
        assert.is_true(tonumber(failures) > 0)
        if how ~= "once" then assert.equal(allocations, failures) end
      end
    end)
  end
end)

-- Nothing moves under a call: see spec/alloc/visits.lua. Every how many allocations, for each part.
describe("with another call at an allocation", function()
  local ASAN = os.getenv "SCRUTINIZER_SANITIZED"
  local less = os.getenv "SANDBOX_CHECKED" and 3 or 1 -- the first Lua is enough to try many
  for part, step in ipairs { ASAN and 1 or 5 * less, ASAN and 3 or 11, ASAN and 29 or 101 * less } do
    it("each call is as if alone, before or after it: part " .. part, function()
      local alone = "env -u LD_PRELOAD -u MAKEFLAGS -u MAKELEVEL -u http_proxy -u all_proxy -u ALL_PROXY "
      local paths = 'LUA_PATH="./lua/?.lua;./lua/?/init.lua;$LUA_PATH" '
      local out = support.shell(alone .. "make -s alloc-host LUA=" .. LUA .. " 2>&1 && " .. alone .. paths .. OUT
        .. ("/alloc_host spec/alloc/visits.lua spec/alloc/answer.json %d %d 2>&1; echo status $?"):format(part, step))
      assert.matches("status 0\n$", out)
      local pairs_, runs, visited, refused = out:match "visits %d: (%d+) pairs, (%d+) runs, (%d+) visited, (%d+) refused"
      assert.equal(({ 676, 25, 121 })[part], tonumber(pairs_), out)
      assert.is_true(tonumber(runs) > 50, out)
      assert.is_true(tonumber(visited) > tonumber(runs) / 2, out)
      assert.is_true(tonumber(refused) > 3, out)
    end)
  end
end)
