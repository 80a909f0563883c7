local projection = require "scrutinizer.report.projection"

local function entry(field, column, member, optional)
  return { field = field, column = column, member = member or "raw", optional = optional or false }
end

local GOOD = {
  { { "a" }, { entry("a", "a") } },
  { { "sourceipaddress", "sum_octetdeltacount" },
    { entry("sourceipaddress", "sourceipaddress"), entry("sum_octetdeltacount", "sum_octetdeltacount") } },
  { { { "b", "a" } }, { entry("b", "b"), entry("a", "a") } },
  { { "a.label", "a.title", "a" },
    { entry("a.label", "a", "label"), entry("a.title", "a", "title"), entry("a", "a") } },
  { { "a?", "b.label?" }, { entry("a", "a", "raw", true), entry("b.label", "b", "label", true) } },
  { { "rank", "direction" }, { entry("rank", "rank"), entry("direction", "direction") } },
  { { "name#2", "rank_column" }, { entry("name#2", "name#2"), entry("rank_column", "rank_column") } },
  { { { src = "sourceipaddress", share = "percenttotal.label?", n = "rank" } },
    { entry("n", "rank"), entry("share", "percenttotal", "label", true), entry("src", "sourceipaddress") } },
  { { { x = "a", y = "a" } }, { entry("x", "a"), entry("y", "a") } },
}

local BAD = {
  { { n = 0 }, "select: got nil; allowed: a column's name" },
  { { n = 1, nil }, "select: got nil" },
  { { n = 1, 5 }, "select: got 5" },
  { { n = 1, true }, "select: got true" },
  { { n = 3, "a", nil, "b" }, "select: got nil" },
  { { n = 1, "" }, 'select: got ""' },
  { { n = 1, "?" }, 'select: got "?"' },
  { { n = 1, "a??" }, 'select: got "a??"' },
  { { n = 1, ".label" }, 'select: got ".label"' },
  { { n = 1, "a.lable" }, 'did you mean "label"?' },
  { { n = 1, "a.raw" }, 'select: got "a.raw"; allowed: a column\'s name, perhaps with ".label" or ".title"' },
  { { n = 1, "rank.label" }, 'rank has no .label; use "rank"' },
  { { n = 1, "direction.title" }, "direction has no .title" },
  { { n = 2, "a", "a" }, 'select: got "a"; allowed: a name that is not in the list yet' },
  { { n = 2, "a", "a?" }, 'got "a?"; allowed: a name that is not in the list yet' },
  { { n = 1, {} }, "select: got a table; allowed: either a list of names or a map of aliases to names, not empty and not both" },
  { { n = 1, { "a", x = "b" } }, "not both" },
  { { n = 2, { x = "b" }, "a" }, "not both" },
  { { n = 2, "a", { x = "b" } }, "select: got a table" },
  { { n = 1, { [1] = "a", [3] = "b" } }, "not both" },
  { { n = 1, { [true] = "a" } }, "not both" },
  { { n = 1, { [""] = "a" } }, "not both" },
  { { n = 1, { x = 5 } }, 'select: "x": got 5' },
  { { n = 1, { x = "a.lable" } }, 'did you mean "label"?' },
  { { n = 1, { "a", "a" } }, "a name that is not in the list yet" },
}

local unpack = table.unpack or unpack

describe("projection", function()
  for i, case in ipairs(GOOD) do
    it("parses selection " .. i, function()
      assert.same(case[2], projection.parse(1, unpack(case[1])))
    end)
  end

  for i, case in ipairs(BAD) do
    it("refuses selection " .. i .. ": " .. case[2], function()
      local ok, message = pcall(function()
        local list = projection.parse(1, unpack(case[1], 1, case[1].n))
        return list
      end)
      assert.is_false(ok)
      assert.matches("projection_spec%.lua:%d+: select", message)
      assert.truthy(message:find(case[2], 1, true), message)
    end)
  end

  it("blames the line that the level says", function()
    local function caller()
      local list = projection.parse(2, 5)
      return list
    end
    local ok, message = pcall(function() local _ = caller() end)
    assert.is_false(ok)
    assert.equal(debug.getinfo(1, "l").currentline - 2, tonumber(message:match "projection_spec%.lua:(%d+):"))
  end)
end)
