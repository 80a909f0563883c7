-- The decoder and bad input: each a typed error with its position, never a crash, never fewer rows without an error.

local answers = require "spec.answers"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local object, array, plain, NULL = answers.object, answers.array, answers.plain, answers.NULL
local SANITIZED = os.getenv "SCRUTINIZER_SANITIZED"

local function columns()
  return { answers.rank_column(), answers.column "host", answers.column "sum_octets" }
end

local function row(n, host, octets)
  return array { answers.rank(n), answers.cell("host", host), answers.cell("sum_octets", octets, "NA") }
end

local function inbound()
  return answers.direction(columns(), { row(1, "a", "10"), row(2, "b", "20") },
    { footer = array { array { object("elementName", "host", "label", "x") }, array {} } })
end

local function outbound()
  return answers.direction({ answers.column "host" }, { array { answers.cell("host", "z") } })
end

local ROWS = { { rank = 1, host = "a", sum_octets = 10 }, { rank = 2, host = "b", sum_octets = 20 } }
local TEXT = answers.write(answers.report("inbound", inbound()))

-- Rows, and the error, of chunks that must fail. The error must stay.
local function fail(chunks, options, kind, position, pattern)
  local decoder = scrutinizer.decoder(options or { direction = "inbound" })
  local rows, report, err = answers.feed(decoder, type(chunks) == "table" and chunks or { chunks })
  assert.is_nil(report)
  assert.is_true(errors.is(err))
  if kind then assert.equal(kind, err.kind) end
  if position then assert.equal(position, err.position) end
  if pattern then assert.matches(pattern, err.message) end
  assert.is_nil(err.message:find "%c")
  local again, same = decoder:finish()
  assert.is_nil(again)
  assert.equal(err, same)
  return rows, err, decoder
end

-- Where a part of a text begins, from 0.
local function at(text, part, add)
  return text:find(part, 1, true) - 1 + (add or 0)
end

---------------------------------------------------------------------------------------------------------------------- cut off

describe("an answer cut off", function()
  it("is an error at every byte, after the rows before it", function()
    local both = answers.write(answers.report("inbound", inbound(), "outbound", outbound()))
    for n = 0, #both - 1 do
      local decoder = scrutinizer.decoder { direction = "inbound" }
      assert.is_true(decoder:feed(both:sub(1, n)))
      local report, err = decoder:finish()
      assert.is_nil(report)
      assert.equal(n == 0 and "decode" or "truncated", err.kind)
      assert.equal(n, err.position)
      local rows = {}
      for r in decoder:rows() do rows[#rows + 1] = r end
      assert.is_true(#rows <= 2)
      for i, r in ipairs(rows) do assert.same(ROWS[i], r) end
    end
  end)

  it("is one however it was written and fed", function()
    local answer = answers.report("outbound", outbound(), "inbound", inbound())
    for seed = 1, SANITIZED and 5 or 25 do
      local text = answers.write(answer, { seed = seed, pretty = seed % 2 == 0, escapes = seed % 3 == 0 and 3 or nil })
      local chance = answers.chance(seed)
      for _ = 1, 40 do
        local n = chance(#text) - 1
        local rows, report, err = answers.feed(scrutinizer.decoder(), answers.cuts(text:sub(1, n), chance, 40))
        assert.is_nil(report)
        assert.is_true(#rows <= 3)
        -- Blanks at the end: the answer before them was whole.
        assert.is_true(err.kind == "truncated" or n == 0 or not text:sub(1, n):find "%S" and err.kind == "decode")
      end
    end
  end)
end)

---------------------------------------------------------------------------------------------------------------------- no report

describe("a text that is no report", function()
  local CASES = {
    { "nothing", "", "decode", 0, "empty" }, { "blanks", " \r\n\t ", "decode", 5, "empty" },
    { "HTML", "<!DOCTYPE html><html>login</html>", "decode", 0, "unexpected byte" },
    { "a word", "Internal Server Error", "decode", 0, "unexpected" },
    { "a lone byte order mark", "\239\187\191", "truncated", 3 },
    { "half a byte order mark", "\239\187", "truncated", 2 },
    { "two byte order marks", "\239\187\191\239\187\191{}", "decode", 3, "unexpected byte" }, { "a NUL byte", "\0", "decode", 0, "unexpected byte" },
    { "an array", "[]", "decode", 0, "not a JSON object" }, { "a string", '"report"', "decode", 0, "not a JSON object" },
    { "a number", "12", "decode", 0, "not a JSON object" },
    { "null", "null", "decode", 0, "not a JSON object" },
    { "an empty object", "{}", "decode", 0, 'the answer has no report; it begins with "{}"' },
    { "another object", '{"rows":[],"table":{}}', "decode", 0, "the answer has no report" },
    { "gzip", "\31\139\8\0\0\0\0\0", "decode", 0, "unexpected byte" }, { "UTF-16", "{\0}\0", "decode", 1, "a key must be" },
    { "bytes behind it", TEXT .. "x", "decode", #TEXT, "after the end" }, { "a NUL behind it", TEXT .. "\0", "decode", #TEXT, "after the end" },
    { "a second answer", TEXT .. TEXT, "decode", #TEXT, "after the end" },
    { "a comma behind it", TEXT .. "\n,", "decode", #TEXT + 1, "after the end" },
  }
  for _, case in ipairs(CASES) do
    it("is refused: " .. case[1], function()
      fail(case[2], nil, case[3], case[4], case[5])
      fail(answers.bytes(case[2]), nil, case[3], case[4], case[5])
    end)
  end

  it("shows hostile bytes as escapes", function()
    local _, err = fail('{"\27[31m":1}', nil, "decode", 2, "control byte")
    assert.is_nil(err.message:find "\27")
    _, err = fail("{\"a\":\"\194\155\255\"}", nil, "decode", 0)
    assert.is_truthy(err.message:find("\\xC2\\x9B\\xFF", 1, true))
  end)

  it("is refused with the rows that came before the bytes behind it", function()
    local rows = fail(TEXT .. "x")
    assert.same(ROWS, rows)
  end)
end)

describe("a refusal", function()
  local CASES = {
    { '{"err":"no such report"}', "api", "no such report" },
    { '{"err":"token expired","details":"invalidToken"}', "auth", "token expired" },
    { '{"details":"invalidToken","err":"token expired"}', "auth", "token expired" },
    { '{"msg":"Request cannot be authenticated.","err":"oauthFailure"}', "auth", "Request cannot be authenticated" },
    { '{"err":"x","details":"other"}', "api", "x" }, { '{"err":{"a":1}}', "api", '{"a":1}' }, { '{"err":12}', "api", "12" },
    { '{"err":["x"]}', "api", '%["x"%]' }, { '{"err":true}', "api", "true" }, { '{"err":"a\\u001b[2Jb"}', "api", "a\\x1B%[2Jb" },
    { '{"report":{"error":"Invalid report type"}}', "api", "the report failed: Invalid report type" },
    { '{"report":{"error":{"code":5}}}', "api", '{"code":5}' },
    { '{"report":{"error":12}}', "api", "12" },
    { '{"report":{"table":{},"error":"late","request_id":"0xab"}}', "api", "late" },
    { '{"report":{"table":null},"err":"beside"}', "api", "beside" },
  }
  for _, case in ipairs(CASES) do
    it("is told: " .. case[1], function()
      local _, err = fail(case[1], nil, case[2], nil, case[3])
      fail(answers.bytes(case[1]), nil, case[2], nil, case[3])
      if case[1]:find "request_id" then assert.equal("0xab", err.request_id) end
    end)
  end
end)

---------------------------------------------------------------------------------------------------------------------- wrong types

describe("a wrong type", function()
  local VALUES = {
    NULL, plain "true", plain "false", plain "0", plain "-1.5e3", "", "text", array {}, array { plain "1" }, array { array {} }, array { object() },
    array { NULL }, object(), object("a", plain "1"), array { array { object("rawValue", "x") } },
  }

  -- Calls visit(replaced answer, path) for each path of a value and each value that could stand there.
  local function each(value, rebuild, path, visit)
    for _, other in ipairs(VALUES) do visit(rebuild(other), path .. " = " .. answers.write(other)) end
    if type(value) == "string" then return end
    for i, item in ipairs(value) do
      if type(item) == "table" and type(item[1]) == "string" and item[2] ~= nil and #item == 2 then -- a pair of an object
        each(item[2], function(other) return rebuild(answers.with(value, item[1], other)) end, path .. "." .. item[1], visit)
      elseif getmetatable(value) == getmetatable(array {}) then
        each(item, function(other)
          local copy = array(value)
          copy[i] = other
          return rebuild(copy)
        end, path .. "[" .. i .. "]", visit)
      end
    end
  end

  -- Not read for inbound's rows and report.
  local function is_read(path)
    return not (path:find "klass" or path:find "dataJson" or path:find "formatted" or path:find "%.format" or path:find "%.title"
      or path:find "%.label" or path:find "%.outbound" or path:find "footer" or path:find "exporter_hex" or path:find "flow_count"
      or path:find "epoch" or path:find "timezone" or path:find "request_id" or path:find "_time" or path:find "time_details"
      or path:find "exporter_details")
  end

  local function sweep(order)
    local answer = answers.report("outbound", outbound(), "inbound", inbound())
    local cases, same, typed, less = 0, 0, 0, {}
    each(answer, function(other) return other end, "", function(changed, path)
      cases = cases + 1
      if SANITIZED and cases % 5 ~= 0 then return end
      local text = answers.write(changed, { seed = order })
      local decoder = scrutinizer.decoder { direction = "inbound" }
      local rows, report, err = answers.feed(decoder, cases % 2 == 0 and { text } or answers.cuts(text, answers.chance(cases), 100))
      if report then
        same = same + 1
        -- Whole, or empty because the answer says that nothing is there, or with the value that stands there now.
        if #rows ~= 2 and not path:find "rows = " and not path:find "inbound = " and not path:find "table = " and not path:find "report = " then
          less[#less + 1] = path
        end
        if not is_read(path) then
          assert.equal(2, #rows, path)
          assert.equal(10, rows[1].sum_octets, path)
          assert.equal(20, rows[2].sum_octets, path)
        end
      else
        typed = typed + 1
        assert.is_true(errors.is(err), path)
        assert.is_truthy(err.kind == "decode" or err.kind == "api", path)
        if err.kind == "decode" then assert.is_true(err.position >= 0 and err.position <= #text, path) end
      end
    end)
    assert.same({}, less)
    return cases, same, typed
  end

  it("at any path gives the same report or a typed error", function()
    local cases, same, typed = sweep(nil)
    assert.is_true(cases > 1500)
    if not SANITIZED then assert.is_true(same > 300 and typed > 300) end
  end)

  it("does so for keys in other orders", function()
    for seed = 1, SANITIZED and 1 or 3 do sweep(seed) end
  end)

  -- What is refused, and where.
  local function with_rows(rows) return answers.report("inbound", answers.with(inbound(), "rows", rows)) end
  local function with_table(value) return object("report", object("table", value)) end
  local function with_inbound(key, value) return answers.report("inbound", answers.with(inbound(), key, value)) end
  local CASES = {
    { object("report", "x"), '"x"', "report is not an object" }, { object("report", NULL), "null", "report is not an object" },
    { with_table "x", '"x"', "table is not an object" }, { with_table(array { plain "1" }), "1", "a list in place of an object" },
    { with_table(object("inbound", plain "5")), "5", "a direction is not an object" },
    { with_table(object("inbound", array { NULL })), "null", "a list in place of" },
    { with_rows "x1", '"x1"', "rows is not a list" }, { with_rows(object()), "{}", "rows is not a list" },
    { with_rows(plain "12"), "12", "rows is not a list" },
    { with_rows(array { "x1" }), '"x1"', "a row is not a list of cells" }, { with_rows(array { NULL }), "[null", "a row is not a list", 1 },
    { with_rows(array { array { "x1" } }), '"x1"', "the cell of column 'rank' is not an object" },
    { with_rows(array { array { answers.rank(1), array { "x1" } } }), '["x1"]', "the cell of column 'host' is not an object" },
    { with_rows(array { array { answers.rank(1), plain "-7" } }), "-7", "the cell of column 'host' is not an object" },
    { with_rows(array { array {} }), "]", "a row has 0 cells for 3 columns", nil, "[[]]" },
    { with_inbound("columns", "x1"), '"x1"', "columns is not a list" }, { with_inbound("columns", plain "12"), "12", "columns is not a list" },
    { with_inbound("columns", object()), "{}", "columns is not a list" },
    { with_inbound("columns", array { "x1" }), '"x1"', "a column is not an object" },
    { with_inbound("columns", array { object("elementName", plain "-7") }), "-7", "elementName, label or title is not a string" },
    { with_inbound("columns", array { object("elementName", "a\0b") }), '"a\\u0000b"', "a NUL byte in a column's name" },
    { with_inbound("columns", array { object("colHasBbp", object()) }), "{}", "colHasBbp or canBeRate is an object or a list" },
    { with_inbound("columns", NULL), '[{"klasstd":"rank1"', "the answer has rows but no columns" },
    { answers.report("inbound", answers.without(inbound(), "columns")), '[{"klasstd":"rank1"', "the answer has rows but no columns" },
    { with_inbound("totalRowCount", "many"), '"many"', "totalRowCount is not a whole number" },
    { with_inbound("totalRowCount", plain "1.5"), "1.5", "totalRowCount is not a whole number" },
    { with_inbound("totalRowCount", plain "-1"), "-1", "totalRowCount is not a whole number" },
    { with_inbound("footer", "x1"), '"x1"', "footer is not a list" },
    { object("report", object("time_details", "x1")), '"x1"', "time_details is not an object" },
    { object("report", object("exporter_details", "x1")), '"x1"', "exporter_details is not an object" },
    { object("report", object("exporter_details", object("e", "x1"))), '{"e"', "an entry of exporter_details is not an object" },
    { object("report", object("exporter_details", array { object() })), "[{}]", "exporter_details is not an object" },
  }
  for _, case in ipairs(CASES) do
    local text = answers.write(case[1])
    it("is named: " .. case[3] .. ", at " .. case[2], function()
      local position = case[5] and at(text, case[5], 2) or at(text, case[2], case[4])
      fail(text, nil, "decode", position, case[3]:gsub("%p", "%%%0"))
      fail(answers.bytes(text), nil, "decode", position, case[3]:gsub("%p", "%%%0"))
    end)
  end
end)

describe("rows and columns", function()
  local function cells(n)
    local list = {}
    for i = 1, n do list[i] = answers.cell("host", "x" .. i) end
    return list
  end
  local HEADS = { answers.column "a", answers.column "b", answers.column "c" }

  it("must be as many", function()
    for _, wanted in ipairs { false, { "a" }, { "c" }, { "b", "c" } } do
      for _, n in ipairs { 0, 1, 2, 4, 5 } do
        local good = array(cells(3))
        local text = answers.write(answers.report("inbound", answers.direction(HEADS, { good, good, good, array(cells(n)), good })))
        for _, chunks in ipairs { { text }, answers.bytes(text) } do
          local rows, err = fail(chunks, { direction = "inbound", select = wanted or nil }, "decode")
          assert.equal(3, #rows)
          assert.equal(n > 3 and "a row has more cells than the 3 columns" or ("a row has %d cells for 3 columns"):format(n), err.message)
          if n > 3 then assert.equal(at(text, '{"rawValue":"x4"'), err.position) end
        end
      end
    end
  end)

  it("stand once: a structural key twice is an error", function()
    local report = answers.report("inbound", inbound())[1][2]
    local d = inbound()
    local function twice(list, key, value)
      local copy = object()
      for i, pair in ipairs(list) do copy[i] = pair end
      copy[#copy + 1] = { key, value }
      return copy
    end
    local function wrap(value) return object("report", object("table", object("inbound", value))) end
    local CASES = {
      report = twice(object("report", report), "report", report),
      table = object("report", twice(report, "table", object())),
      inbound = object("report", object("table", twice(object("inbound", d), "inbound", NULL))),
      outbound = object("report", object("table", object("outbound", NULL, "inbound", d, "outbound", NULL))),
      columns = wrap(twice(d, "columns", array(columns()))),
      rows = wrap(twice(d, "rows", array {})),
    }
    for key, value in pairs(CASES) do
      for seed = 0, 8 do
        local text = answers.write(value, { seed = seed > 0 and seed or nil })
        local escaped = text:gsub('"' .. key .. '":', '"\\u00' .. ("%02x"):format(key:byte()) .. key:sub(2) .. '":', 1)
        for _, chunks in ipairs { { text }, { escaped }, answers.bytes(text) } do
          local _, err = fail(chunks, nil, "decode", nil, ("the key '%s' occurs twice"):format(key))
          assert.is_number(err.position)
        end
      end
    end
    local text = answers.write(CASES.rows)
    fail(text, nil, "decode", text:find('"rows":[]', 1, true) - 1)
  end)

  it("may stand beside other keys that come twice", function()
    local text = TEXT:gsub('"totalRowCount":"2"', '"totalRowCount":"x","zz":1,"zz":2,"totalRowCount":"2"')
    text = text:gsub('"request_id"', '"request_id":1,"graph":1,"graph":2,%0')
    local rows, report = answers.feed(scrutinizer.decoder { direction = "inbound" }, { text })
    assert.same(ROWS, rows)
    assert.equal(2, report.total)
    assert.equal("0x0123456789abcdef0123456789abcdef", report.request_id)
  end)
end)

---------------------------------------------------------------------------------------------------------------------- caps

describe("a cap", function()
  it("bounds depth, in what is read and in what is not", function()
    local n = SANITIZED and 20000 or 500000
    for _, bomb in ipairs { ("["):rep(n), ('{"a":'):rep(n), ('[{"a":'):rep(n) } do
      fail(bomb, nil, bomb:sub(1, 1) == "[" and "decode" or "limit", bomb:sub(1, 1) == "[" and 0 or 64 * 5)
      for _, head in ipairs {
        '{"x":', '{"err":', '{"report":{"x":', '{"report":{"time_details":', '{"report":{"table":{"x":', '{"report":{"table":{"inbound":{"columns":',
        '{"report":{"table":{"inbound":{"rows":', '{"report":{"table":{"inbound":{"footer":',
        '{"report":{"table":{"inbound":{"columns":[{"elementName":"a"}],"rows":[[{"x":',
      } do
        fail(head .. bomb, nil, "limit", nil, "max_depth")
        local _, err = fail({ head, bomb }, { max_depth = 20 }, "limit", nil, "max_depth")
        assert.is_true(err.position < #head + 20 * 5)
      end
    end
    local deep = TEXT:gsub('"alignLeft"', ("["):rep(57) .. ("]"):rep(57), 1) -- within seven levels of the cell
    assert.same(ROWS, (answers.feed(scrutinizer.decoder { direction = "inbound" }, { deep })))
    fail((TEXT:gsub('"alignLeft"', ("["):rep(58) .. ("]"):rep(58), 1)), nil, "limit", nil, "max_depth")
  end)

  local function with_host(host)
    return answers.write(answers.report("inbound", answers.direction(columns(), { row(1, "a", "10"), row(2, host, "20"), row(3, "c", "30") })))
  end

  it("bounds a row's wanted values: max_row", function()
    local text = with_host(("h"):rep(990))
    for _, chunks in ipairs { { text }, answers.cuts(text, answers.chance(1), 100), answers.bytes(text) } do
      local rows = answers.feed(scrutinizer.decoder { direction = "inbound", max_row = 1000 }, chunks)
      assert.equal(3, #rows)
      rows = fail(chunks, { direction = "inbound", max_row = 992 }, "limit", nil, "max_row") -- rank 1, host 990, octets 2
      assert.same({ ROWS[1] }, rows)
      rows = fail(chunks, { direction = "inbound", max_row = 900 }, "limit", at(text, '"hhh'), "max_row")
      assert.same({ ROWS[1] }, rows)
      rows = answers.feed(scrutinizer.decoder { direction = "inbound", max_row = 100, select = { "sum_octets" } }, chunks)
      assert.same({ { sum_octets = 10 }, { sum_octets = 20 }, { sum_octets = 30 } }, rows)
    end
    fail(with_host(("\\"):rep(600)), { direction = "inbound", max_row = 500 }, "limit", nil, "max_row")
    fail('{"' .. ("k"):rep(2000) .. '":1}', { max_row = 1000 }, "limit", 1, "max_row")
    fail({ '{"' .. ("k"):rep(2000) }, { max_row = 1000 }, "limit", 1, "max_row")
  end)

  it("bounds what is held back: max_held", function()
    local list = {}
    for i = 1, 50 do list[i] = row(i, "h", "1") end
    local d = object("rows", array(list), "columns", array(columns()))
    local text = answers.write(answers.report("inbound", d))
    local names
    text, names = text:gsub('"dataJson":"{\\"column\\":\\"[%w_]+\\"}",', "") -- or the rows would not wait
    assert.is_true(names >= 100)
    for _, chunks in ipairs { { text }, answers.cuts(text, answers.chance(2), 100), answers.bytes(text) } do
      assert.equal(50, #answers.feed(scrutinizer.decoder { direction = "inbound" }, chunks))
      local rows, err = fail(chunks, { direction = "inbound", max_held = 5000 }, "limit", nil, "max_held")
      assert.same({}, rows)
      assert.is_number(err.position)
    end
    fail('{"report":{"time_details":"' .. ("x"):rep(2000) .. '"}}', { max_held = 1000 }, "limit", nil, "max_held")
    local heads = {}
    for i = 1, 100 do heads[i] = object() end
    local text_of_heads = '{"report":{"table":{"inbound":{"columns":' .. answers.write(array(heads)) .. "}}}}"
    fail(text_of_heads, { max_held = 400 }, "limit", nil, "max_held")
    for held = 300, 12000, 50 do -- wherever it ends, it is this error
      local ok, err = scrutinizer.decoder({ max_held = held }):feed(text_of_heads)
      assert.is_true(ok or err.kind == "limit")
    end
  end)

  it("bounds rows that wait unread: max_held", function()
    local list = {}
    for i = 1, 500 do list[i] = row(i, "host", "1") end
    local text = answers.write(answers.report("inbound", answers.direction(columns(), list)))
    local rows = fail(text, { direction = "inbound", max_held = 20000 }, "limit", nil, "rows not yet read take more than max_held bytes")
    assert.is_true(#rows > 50 and #rows < 500)
    for i, r in ipairs(rows) do assert.equal(i, r.rank) end
    assert.equal(500, #answers.feed(scrutinizer.decoder { direction = "inbound", max_held = 20000 }, answers.cuts(text, answers.chance(4), 1000)))
  end)

  it("bounds the answer: max_body", function()
    for _, chunks in ipairs { { TEXT }, answers.bytes(TEXT), answers.cuts(TEXT, answers.chance(5), 90) } do
      assert.same(ROWS, (answers.feed(scrutinizer.decoder { direction = "inbound", max_body = #TEXT }, chunks)))
      local rows = fail(chunks, { direction = "inbound", max_body = #TEXT - 1 }, "limit", #TEXT - 1, "max_body")
      assert.same(ROWS, rows)
      fail(chunks, { direction = "inbound", max_body = 1 }, "limit", 1, "max_body")
    end
    fail({ TEXT, " " }, { direction = "inbound", max_body = #TEXT }, "limit", #TEXT, "max_body")
  end)

  it("lets no million of headers take a gigabyte", function()
    local decoder = scrutinizer.decoder { direction = "inbound", max_held = 2 ^ 20 }
    support.collect()
    local before = support.rss()
    local ok, err = decoder:feed('{"report":{"table":{"inbound":{"columns":[' .. ("{},"):rep(340000) .. "{}]}}}}")
    assert.is_nil(ok)
    assert.equal("limit", err.kind)
    if not SANITIZED then assert.is_true(support.rss() - before < 16384) end
  end)
end)

describe("a string that is not UTF-8", function()
  local text = TEXT:gsub('"rawValue":"a"', '"rawValue":"\255a"')

  it("passes, is replaced, or is an error", function()
    for _, chunks in ipairs { { text }, answers.bytes(text) } do
      local rows = answers.feed(scrutinizer.decoder { direction = "inbound" }, chunks)
      assert.equal("\255a", rows[1].host)
      rows = answers.feed(scrutinizer.decoder { direction = "inbound", utf8 = "replace" }, chunks)
      assert.equal("\239\191\189a", rows[1].host)
      fail(chunks, { direction = "inbound", utf8 = "error" }, "decode", at(text, '"\255a"'), "not UTF%-8")
    end
  end)

  it("passes where nobody reads it", function()
    local rows = answers.feed(scrutinizer.decoder { direction = "inbound", utf8 = "error", select = { "sum_octets" } }, { text })
    assert.equal(2, #rows)
  end)

  it("is an error in the facts too", function()
    fail((TEXT:gsub("0x0123", "\255")), { direction = "inbound", utf8 = "error" }, "decode", nil, "not UTF%-8")
    fail((TEXT:gsub('"L host"', '"\255"')), { direction = "inbound", utf8 = "error" }, "decode", nil, "not UTF%-8")
  end)
end)

---------------------------------------------------------------------------------------------------------------------- life

describe("a decoder that failed or ended", function()
  it("answers every feed with the same error, and gives the rows before it", function()
    local decoder = scrutinizer.decoder { direction = "inbound" }
    local text = TEXT:gsub('"20"', '"NA"', 1)
    local ok, err = decoder:feed(text)
    assert.is_nil(ok)
    assert.equal("decode", err.kind)
    for _ = 1, 3 do
      local again, same = decoder:feed "more"
      assert.is_nil(again)
      assert.equal(err, same)
    end
    local rows = {}
    for r in decoder:rows() do rows[#rows + 1] = r end
    assert.same({ ROWS[1] }, rows)
    assert.is_nil((decoder:rows())(decoder))
    assert.equal(err, select(2, decoder:finish()))
  end)

  it("may be finished twice, and raises when fed after that", function()
    local decoder = scrutinizer.decoder { direction = "inbound" }
    assert(decoder:feed(TEXT))
    local report = decoder:finish()
    assert.equal(report, decoder:finish())
    assert.equal(2, report.total)
    local rows = {}
    for r in decoder:rows() do rows[#rows + 1] = r end
    assert.same(ROWS, rows)
    assert.has_error(function() decoder:feed "" end)
    decoder = scrutinizer.decoder()
    local _, err = decoder:finish()
    assert.equal(err, select(2, decoder:finish()))
    assert.has_error(function() decoder:feed(TEXT) end)
  end)

  it("keeps the last row's text when the chunk is gone", function()
    local given = { inbound = true, max_body = 2 ^ 50, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 20 }
    local decoder = core.decoder(given)
    assert.is_nil((decoder:feed((TEXT:gsub('"20"', '"NA"', 1)))))
    support.collect()
    local filler = {}
    for i = 1, 200 do filler[i] = ("x"):rep(#TEXT) .. i end
    assert.equal("a", decoder:last_row(1)[2].rawValue)
    assert.equal(200, #filler)
  end)
end)

describe("the core's decoder", function()
  local function new(more)
    local given = { inbound = true, outbound = true, max_body = 2 ^ 50, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 20 }
    for name, value in pairs(more or {}) do given[name] = value end
    return core.decoder(given)
  end

  it("may be closed twice, and says so when used after", function()
    local decoder = new()
    assert.equal("scrutinizer.decoder", tostring(decoder))
    assert(decoder:feed(TEXT))
    decoder:close()
    decoder:close()
    assert.equal("scrutinizer.decoder (closed)", tostring(decoder))
    for _, method in ipairs { "feed", "finish", "next", "hold", "fact", "columns", "last_row", "state", "fold" } do
      local ok, message = pcall(decoder[method], decoder, "")
      assert.is_false(ok)
      assert.matches("attempt to use a closed decoder", message)
    end
  end)

  it("is collected when dropped, whatever it holds", function()
    local weak = setmetatable({}, { __mode = "k" })
    for i = 1, 20 do
      local decoder = new { projection = { { field = "h", column = "host" } } }
      decoder:feed(i % 2 == 0 and TEXT or TEXT:sub(1, i * 30))
      weak[decoder] = true
      weak[scrutinizer.decoder { select = { "host" } }] = true
    end
    support.collect()
    assert.is_nil(next(weak))
  end)

  it("refuses other objects and odd options", function()
    local decoder = new()
    assert.has_error(function() decoder.feed({}, "x") end)
    assert.has_error(function() decoder.feed(io.stdout, "x") end)
    assert.has_error(function() decoder:columns(3) end)
    assert.has_error(function() decoder:fact "rows" end)
    assert.has_error(function() decoder:next {} end)
    assert.has_error(function() core.decoder() end)
    assert.has_error(function() core.decoder {} end)
    assert.has_error(function() new { max_row = 0 } end)
    assert.has_error(function() new { max_row = 0 / 0 } end)
    assert.has_error(function() new { projection = { "x" } } end)
    assert.has_error(function() new { projection = { { field = "a", column = "b", member = "text" } } } end)
    assert.has_error(function() new { utf8 = "x" } end)
  end)
end)
