-- The rules of a row: which fields it has, what they are called, which of them are numbers; and select.

local answers = require "spec.answers"
local scrutinizer = require "scrutinizer"

local object, array, plain, NULL = answers.object, answers.array, answers.plain, answers.NULL
local HAS_INTEGERS = math.type ~= nil

-- Rows, report and err of one row under these headers.
local function read(columns, cells, options)
  options = options or { direction = "inbound" }
  local text = answers.write(answers.report("inbound", answers.direction(columns, { array(cells) })))
  return answers.feed(scrutinizer.decoder(options), { text })
end

local function names_of(report)
  local names = {}
  for i, c in ipairs(report.columns) do names[i] = c.name end
  return names
end

---------------------------------------------------------------------------------------------------------------------- names

describe("row fields", function()
  -- Headers, and what their columns are called.
  local CASES = {
    { { answers.rank_column(), object("elementName", "a"), object("elementName", "b") }, { "rank", "a", "b" } },
    { { object("elementName", "a"), object("elementName", "a"), object("elementName", "a") }, { "a", "a#2", "a#3" } },
    { { object("elementName", "a#2"), object("elementName", "a"), object("elementName", "a") }, { "a#2", "a", "a#3" } },
    { { object("elementName", "a"), object("elementName", "a"), object("elementName", "a#2") }, { "a", "a#2", "a#2#2" } },
    { { object("elementName", "rank"), object("elementName", "direction") }, { "rank_column", "direction_column" } },
    { { answers.rank_column(), object("elementName", "rank"), object("elementName", "rank") }, { "rank", "rank_column", "rank_column#2" } },
    { { object("elementName", "rank"), object("elementName", "rank_column") }, { "rank_column", "rank_column#2" } },
    { { answers.rank_column(), answers.rank_column() }, { "rank", "rank#2" } },
    { { object("elementName", "Rank", "title", "Rank") }, { "Rank" } },
    { { object("title", "Peak"), object(), object("label", "x") }, { "Peak", "column_2", "column_3" } },
    { { object("elementName", NULL, "title", "T"), object("elementName", "", "title", "U") }, { "T", "U" } },
    { { object("elementName", NULL, "title", "Rank") }, { "rank" } },
    { { object("elementName", "a", "elementName", "b") }, { "b" } },
    { { object("elementName", "a", "elementName", NULL, "title", "Rank") }, { "rank" } },
    { { object("elementName", "a", "elementName", NULL, "title", "t", "title", NULL) }, { "column_1" } },
    { { object("elementName", "caf\195\169"), object("elementName", "x y.z") }, { "caf\195\169", "x y.z" } },
  }
  for _, case in ipairs(CASES) do
    it("are called " .. table.concat(case[2], ", "), function()
      local cells, expected = {}, {}
      for i, name in ipairs(case[2]) do
        local is_rank = name:find "^rank" and not name:find "column"
        cells[i] = is_rank and answers.rank(i) or answers.cell("x", "v" .. i)
        expected[name] = is_rank and i or "v" .. i
      end
      local rows, report = read(case[1], cells)
      assert.same(case[2], names_of(report))
      assert.same({ expected }, rows)
    end)
  end

  it("leave the wire's direction its own name beside ours", function()
    local rows = read({ object("elementName", "direction") }, { answers.cell("direction", "up") }, {})
    assert.same({ { direction = "inbound", direction_column = "up" } }, rows)
  end)

  it("are absent for null, and for cells without the member", function()
    local columns = { object("elementName", "a"), object("elementName", "b"), object("elementName", "sum_c"), answers.rank_column() }
    local rows = read(columns, { object("rawValue", NULL), object(), object("label", "5"), object("title", "Rank: 1") })
    assert.same({ {} }, rows)
  end)

  it("hold the last of a cell's duplicate members", function()
    local columns = { object("elementName", "a"), object("elementName", "sum_b") }
    assert.same({ { a = "2", sum_b = 4 } }, (read(columns, { object("rawValue", "1", "rawValue", "2"), object("rawValue", "3", "rawValue", "4") })))
    assert.same({ {} }, (read(columns, { object("rawValue", "1", "rawValue", NULL), object("rawValue", "3", "rawValue", NULL) })))
    assert.same({ { a = "", sum_b = 4 } }, (read(columns, { object("rawValue", NULL, "rawValue", ""), object("rawValue", NULL, "rawValue", "4") })))
  end)

  it("hold the last of duplicate members in guessed rows too", function()
    local rows = {}
    for i = 1, 9 do rows[i] = array { plain(('{"rawValue":"%d","raw\\u0056alue":"%d"}'):format(i < 5 and 7 or i, i < 5 and 7 or i * 2)) } end
    local text = answers.write(answers.report("inbound", answers.direction({ object("elementName", "a") }, rows)))
    local got = answers.feed(scrutinizer.decoder { direction = "inbound" }, { text })
    assert.same({ a = "7" }, got[4])
    assert.same({ a = "18" }, got[9])
  end)
end)

---------------------------------------------------------------------------------------------------------------------- numbers

describe("the rule for numbers", function()
  local function value_of(header, raw)
    local rows, _, err = read({ header }, { object("rawValue", raw) })
    if err then return nil, err end
    return rows[1][header[1][2]]
  end

  -- Element name, further members of the header, whether the column counts.
  local CASES = {
    { "sum_octetdeltacount", {}, true }, { "min_x", {}, true }, { "max_x", {}, true }, { "avg_x", {}, true }, { "count_x", {}, true },
    { "countdistinct_x", {}, true }, { "countdistinctx", {}, false }, { "sumx", {}, false }, { "x_sum_", {}, false }, { "epoch", {}, false },
    { "last_epoch_", {}, false }, { "custom_interfacepercent2", {}, false }, { "my_custom_interfacepercent", {}, false },
    { "countdistinct_x", {}, true }, { "sum_", {}, true }, { "first_flow_epoch", {}, true }, { "_epoch", {}, true },
    { "custom_interfacepercent", {}, true },
    { "sumx", {}, false }, { "Sum_x", {}, false }, { "xsum_x", {}, false }, { "count", {}, false }, { "epoch", {}, false }, { "x_epochs", {}, false },
    { "custom_interfacepercents", {}, false }, { "custom_x", {}, false }, { "sourcetransportport", {}, false },
    { "p", { colHasBbp = plain "1" }, true }, { "p", { colHasBbp = "1" }, true }, { "p", { colHasBbp = plain "true" }, true },
    { "p", { canBeRate = plain "1" }, true }, { "p", { canBeRate = "1" }, true },
    { "p", { colHasBbp = plain "0" }, false }, { "p", { colHasBbp = "0" }, false }, { "p", { colHasBbp = NULL }, false },
    { "p", { colHasBbp = plain "false" }, false }, { "p", { colHasBbp = plain "10" }, false }, { "p", { colHasBbp = "" }, false },
    { "p", { canBeRate = plain "0" }, false }, { "p", { canBeRate = NULL }, false }, { "p", { canBeRate = "0", colHasBbp = "1" }, true },
  }
  for _, case in ipairs(CASES) do
    local name, more, counts = case[1], case[2], case[3]
    local said = {}
    for key, v in pairs(more) do said[#said + 1] = key .. "=" .. answers.write(v) end
    it(("%s %s: %s"):format(name, table.concat(said, " "), counts and "a number" or "a text"), function()
      local header = object("elementName", name)
      for key, v in pairs(more) do header = answers.with(header, key, v) end
      assert.equal(counts and 17 or "17", (value_of(header, "17")))
      assert.equal(17, (value_of(header, plain "17")))
      assert.is_nil((value_of(header, NULL)))
      local _, report = read({ header }, { object("rawValue", "1") })
      assert.equal(counts, report.columns[1].numeric)
      -- "0" on the wire for a column that does not count
      assert.equal(counts and 0 or "-0", (value_of(header, "-0")))
      if not counts then
        assert.equal("", (value_of(header, "")))
        assert.equal("no number", (value_of(header, "no number")))
      end
    end)
  end

  local SUM = object("elementName", "sum_x")

  -- Text; its value, "text" for the text itself; "integer" or "float" where that can be told.
  local EXACT = {
    { "0", 0, "integer" }, { "-0", 0, "integer" }, { "7", 7, "integer" }, { "-7", -7, "integer" }, { "4759190101", 4759190101, "integer" },
    { "9007199254740992", 2 ^ 53, "integer" }, { "1.5", 1.5, "float" }, { "1.0", 1, "float" }, { "1e3", 1000, "float" }, { "1E3", 1000, "float" },
    { "-2.5e-1", -0.25, "float" }, { "0.0", 0, "float" }, { "1e999", "text" }, { "9223372036854775808", "text" }, { "-9223372036854775809", "text" },
    { "18446744073709551615", "text" }, { ("9"):rep(400), "text" },
  }
  for _, case in ipairs(EXACT) do
    it("reads " .. case[1]:sub(1, 30), function()
      for _, raw in ipairs { case[1], plain(case[1]) } do
        local value = value_of(SUM, raw)
        if case[2] == "text" then
          assert.equal(case[1], value)
        else
          assert.equal(case[2], value)
          if HAS_INTEGERS then assert.equal(case[3], math.type(value)) end
        end
      end
    end)
  end

  it("does not make an inexact number of an integer over 2^53", function()
    for _, text in ipairs { "9007199254740993", "-9007199254740993", "9223372036854775807", "-9223372036854775808" } do
      local value = value_of(SUM, text)
      if HAS_INTEGERS then assert.equal("integer", math.type(value)) else assert.equal("string", type(value)) end
      assert.equal(text, tostring(value))
    end
  end)

  it("keeps -0 apart from -0.0", function()
    assert.equal(math.huge, 1 / value_of(SUM, "-0"))
    assert.equal(-math.huge, 1 / value_of(SUM, "-0.0"))
    assert.equal(math.huge, 1 / value_of(object("elementName", "plain"), plain "-0"))
  end)

  local BAD = { "", " ", "NA", "12 ", " 12", "+1", "01", "1.", ".5", "1e", "0x10", "1,5", "1_000", "--1", "NaN", "inf", "null", "\0", "1\0" }
  for _, text in ipairs(BAD) do
    it(("refuses %q where a number is due"):format(text):gsub("%z", "NUL"), function()
      local rows, report, err = read({ object("elementName", "a"), SUM }, { object("rawValue", "x"), object("rawValue", text) })
      assert.same({}, rows)
      assert.is_nil(report)
      assert.equal("decode", err.kind)
      assert.equal("column 'sum_x': its rawValue is not a number", err.message)
      local whole = answers.write(answers.report("inbound",
        answers.direction({ object("elementName", "a"), SUM }, { array { object("rawValue", "x"), object("rawValue", text) } })))
      assert.equal(whole:find('"rawValue":"x"', 1, true) + #'"rawValue":"x"},{"rawValue":' - 1, err.position)
    end)
  end

  it("refuses a rank that is no number", function()
    local _, _, err = read({ answers.rank_column() }, { object("label", "first") })
    assert.equal("decode", err.kind)
    assert.equal("column 'rank': its label is not a number", err.message)
  end)

  for _, value in ipairs { plain "true", plain "false", object(), array {}, array { "1" }, object("rawValue", "1") } do
    it("refuses a value that is " .. answers.write(value), function()
      for _, name in ipairs { "sum_x", "x" } do
        local _, _, err = read({ object("elementName", name) }, { object("rawValue", value) })
        assert.equal("decode", err.kind)
        assert.equal(("column '%s': its rawValue is neither text nor number"):format(name), err.message)
      end
    end)
  end

  it("does not look at values that nobody asked for", function()
    local rows = read({ SUM, object("elementName", "b") }, { object("rawValue", "NA", "label", plain "true"), object("rawValue", "x") },
      { direction = "inbound", select = { "b" } })
    assert.same({ { b = "x" } }, rows)
  end)
end)

---------------------------------------------------------------------------------------------------------------------- select

describe("select", function()
  local COLUMNS = {
    answers.rank_column(), object("elementName", "src"), object("elementName", "sum_octets"), object("elementName", "percenttotal"),
    object("elementName", "src"),
  }
  local CELLS = {
    answers.rank(4), answers.cell("src", "10.0.0.1", "host.example", "tip"), answers.cell("sum_octets", "77", "77 B", "--"),
    answers.cell("percenttotal", NULL, "5 %", "five"), answers.cell("src", "10.0.0.2"),
  }

  local function select(wanted, direction)
    local rows, report, err = read(COLUMNS, CELLS, { direction = direction, select = wanted })
    return rows[1], err, report
  end

  local CASES = {
    { { "src" }, { src = "10.0.0.1" } },
    { { "src.label", "src.title", "src" }, { src = "10.0.0.1", ["src.label"] = "host.example", ["src.title"] = "tip" } },
    { { "sum_octets", "sum_octets.label" }, { sum_octets = 77, ["sum_octets.label"] = "77 B" } },
    { { "percenttotal", "percenttotal.title" }, { ["percenttotal.title"] = "five" } },
    { { "rank" }, { rank = 4 } },
    { { "rank", "direction" }, { rank = 4, direction = "inbound" } },
    { { "direction" }, { direction = "inbound" } },
    { { "src#2" }, { ["src#2"] = "10.0.0.2" } },
    { { "src#2.label" }, { ["src#2.label"] = "10.0.0.2" } },
    { { a = "src", b = "src", c = "src.label" }, { a = "10.0.0.1", b = "10.0.0.1", c = "host.example" } },
    { { n = "rank", where = "direction", total = "sum_octets" }, { n = 4, where = "inbound", total = 77 } },
    { { rank = "src", src = "rank" }, { rank = "10.0.0.1", src = 4 } },
    { { "src", "other?" }, { src = "10.0.0.1" } },
    { { x = "other?", y = "more.label?", z = "src?" }, { z = "10.0.0.1" } },
    { { "nothing?" }, {} },
    { { "src.label?" }, { ["src.label"] = "host.example" } },
  }
  for i, case in ipairs(CASES) do
    it("gives exactly the fields of case " .. i, function()
      local row, err = select(case[1], "inbound")
      assert.is_nil(err)
      assert.same(case[2], row)
      assert.same(case[2], (select(case[1]))) -- all directions: no field is added
    end)
  end

  it("keeps the report's columns whole", function()
    local _, _, report = select({ "src" }, "inbound")
    assert.same({ "rank", "src", "sum_octets", "percenttotal", "src#2" }, names_of(report))
  end)

  it("says before the first row which column is missing, and which there are", function()
    for _, wanted in ipairs { { "dst" }, { "src", "dst.label" }, { x = "src", y = "dst" } } do
      local row, err = select(wanted, "inbound")
      assert.is_nil(row)
      assert.equal("api", err.kind)
      assert.equal("no column 'dst' in this report; it has: rank, src, sum_octets, percenttotal, src#2", err.message)
      assert.is_number(err.position)
    end
  end)

  it("lists very many columns without harm", function()
    local heads = {}
    for i = 1, 500 do heads[i] = object("elementName", "a_long_column_name_" .. i) end
    local decoder = scrutinizer.decoder { select = { ("y"):rep(3000) } }
    local ok, err = decoder:feed(answers.write(answers.report("inbound", answers.direction(heads, {}))))
    assert.is_nil(ok)
    assert.equal("api", err.kind)
    assert.is_true(#err.message <= 600)
    assert.is_nil(err.message:find "\n")
  end)

  it("does not miss a column where there are none", function()
    local decoder = scrutinizer.decoder { select = { "dst" } }
    assert(decoder:feed '{"report":{"table":{"inbound":{"columns":[],"rows":[],"totalRowCount":"0"}}}}')
    assert.equal(0, decoder:finish().total)
  end)
end)

describe("decoder misuse", function()
  local CASES = {
    { "x", 'decoder: got "x"; allowed: a table of options' },
    { { direction = "both" }, 'decoder: direction: got "both"; allowed: "inbound" or "outbound"' },
    { { direction = 1 }, "decoder: direction: got 1" },
    { { columns = {} }, 'decoder: option: got "columns"; allowed: select, direction, max_body' },
    { { max_row = 0 }, "decoder: max_row: got 0; allowed:" }, { { max_held = "1" }, 'decoder: max_held: got "1"; allowed:' },
    { { max_body = -1 }, "decoder: max_body: got -1; allowed:" }, { { max_depth = 7 }, "decoder: max_depth: got 7; allowed:" },
    { { max_depth = 4001 }, "decoder: max_depth: got 4001; allowed:" }, { { utf8 = "no" }, 'decoder: utf8: got "no"; allowed: "pass"' },
    { { select = {} }, "select: got a table; allowed:" },
    { { select = { "a", "a" } }, 'select: got "a"; allowed: a name that is not in the list yet' },
    { { select = { "a", x = "b" } }, "select: got a table; allowed:" }, { { select = { 1 } }, "select: got 1; allowed:" },
    { { select = { "a.raw" } }, 'select: got "a.raw"; allowed:' }, { { select = { "rank.label" } }, 'select: got "rank.label"' },
    { { select = { "" } }, 'select: got ""; allowed:' }, { { select = { x = false } }, 'select: "x": got false; allowed:' },
    { { select = { "a\0b" } }, 'select: got "a\\x00b"; allowed: a name without NUL bytes' },
    { { select = { ["x\0"] = "a" } }, 'select: got "x\\x00"; allowed: an alias without NUL bytes' },
    { { select = "a" }, nil },
  }
  for i, case in ipairs(CASES) do
    it("is blamed on the caller, case " .. i, function()
      local line
      local ok, message = pcall(function()
        line = debug.getinfo(1, "l").currentline + 1
        local _ = scrutinizer.decoder(case[1])
      end)
      if not case[2] then return assert.is_true(ok) end
      assert.is_false(ok)
      assert.is_truthy(message:find(("columns_spec.lua:%d: %s"):format(line, case[2]), 1, true), message)
    end)
  end

  it("is blamed when what is fed is no string, or comes after the end", function()
    local decoder = scrutinizer.decoder()
    local ok, message = pcall(function() local _ = decoder:feed(12) end)
    assert.is_false(ok)
    assert.matches("columns_spec.lua:%d+: feed: got 12; allowed: the next bytes, a string", message)
    assert(decoder:feed '{"report":{}}')
    assert(decoder:finish())
    ok, message = pcall(function() local _ = decoder:feed "x" end)
    assert.is_false(ok)
    assert.matches("columns_spec.lua:%d+: feed: the decoder is finished", message)
  end)
end)
