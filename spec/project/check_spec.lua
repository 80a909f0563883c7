local check = require "scrutinizer.check"

local INTEGERS = {
  { 5, 5 }, { 5.0, 5 }, { 0, 0 }, { 2 ^ 53, 2 ^ 53 },
  { -1 }, { 1.5 }, { 0 / 0 }, { math.huge }, { -math.huge }, { 2 ^ 54 }, { "5" }, { true }, {},
}

describe("check", function()
  for _, case in ipairs(INTEGERS) do
    it("takes " .. tostring(case[1]) .. " as a whole number or not", function()
      assert.equal(case[2], check.integer(case[1]))
      if case[2] then assert.equal(("%d"):format(case[2]), ("%d"):format(check.integer(case[1]))) end
    end)
  end

  it("keeps bounds, and reads digits", function()
    assert.is_nil(check.integer(0, 1))
    assert.is_nil(check.integer(9, 0, 8))
    assert.equal(-3, check.integer(-3, -5, 5))
    assert.equal(80, check.digits "80")
    assert.equal(80, check.digits "080")
    for _, bad in ipairs { "", "-1", "1.0", "0x10", " 1", "1e3" } do assert.is_nil(check.digits(bad)) end
  end)

  it("shows values on one short line", function()
    assert.equal('"a"', check.show "a")
    assert.equal("5", check.show(5))
    assert.equal("nil", check.show(nil))
    assert.equal("true", check.show(true))
    assert.equal("a table", check.show {})
    assert.equal("a function", check.show(print))
    local shown = check.show("\27[31m\n" .. ("x"):rep(1000))
    assert.is_nil(shown:find "%c")
    assert.is_true(#shown < 100)
  end)

  it("orders by bytes, whatever the locale", function()
    local words = { "b", "a", "B", "", "ab", "a_", "\195\164", "a\0", "Z" }
    table.sort(words, check.before)
    assert.same({ "", "B", "Z", "a", "a\0", "a_", "ab", "b", "\195\164" }, words)
    assert.is_false(check.before("a", "a"))
    assert.same({ "A", "a", "b" }, check.sorted_keys { b = 1, a = 2, A = 3 })
  end)
end)
