-- Lua 5.5 does not take an assignment to the first variable of a `for`; the older Luas, on which most runs happen, do.

local lua_source = require "spec.lua_source"
local support = require "spec.support"

describe("the first variable of a loop", function()
  it("is assigned to nowhere", function()
    local wrong, read = {}, 0
    for path in support.shell "find lua spec examples -name '*.lua'":gmatch "%S+" do
      read = read + 1
      for _, place in ipairs(lua_source.loop_assignments((support.read(path):gsub("^#![^\n]*", "")))) do wrong[#wrong + 1] = path .. ":" .. place end
    end
    assert.same({}, wrong)
    assert.is_true(read > 300)
  end)

  it("is seen where a file assigns to it, and nothing else is", function()
    local text = [[
      for i = 1, 3 do i = i + 1 end                           -- 1
      for key, value in pairs {} do value = key end           -- the second may be
      for line in io.lines() do
        n, line = 1, line:gsub("x", "y")                      -- 4
        t[line].x, f(line)[line], line = 1, 2, 3              -- 5
        if x then while y do line = nil end end               -- 6
        t.line, line.a = 1, { line = 2, [line] = 3 }
        local function f(a, line) line = a end
        repeat local line = 1; line = 2 until line
        u = function() return { line = function() line = 1 end } end -- 10
        function line() end                                   -- 11
        function line.f() end
        if line == 1 or line <= 2 then return "line = 1" end  -- line = 1
        for line = 1, 2 do local line <const> = 3 end
      end
      line, i = 1, 2
      for f in (function() for i = 1, 2 do g(i) end; return next end)() do
        f = 1                                                 -- 18
      end
      for x in y do local x = x; x = 1 elseif_, x = 1, 2 end
      for x in y do if a then x = 1 elseif b then x = 2 else x = 3 end end -- 21, thrice
    ]]
    assert.same({ "1: i", "4: line", "5: line", "6: line", "10: line", "11: line", "18: f", "21: x", "21: x", "21: x" },
      lua_source.loop_assignments(text))
  end)
end)
