-- scrutinizer.decoder: the same rows from every way to write one answer, and from every way to cut it.

local answers = require "spec.answers"
local core = require "scrutinizer.core"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local object, array, plain, NULL = answers.object, answers.array, answers.plain, answers.NULL
local column, cell, rank = answers.column, answers.cell, answers.rank
local SANITIZED = os.getenv "SCRUTINIZER_SANITIZED"

---------------------------------------------------------------------------------------------------------------------- fixtures

local EPOCHS = {
  object("elementName", "first_flow_epoch", "label", "First"), object("elementName", "last_flow_epoch", "label", "Last"),
}

local function columns()
  return {
    answers.rank_column(), column "applicationid", column "percenttotal", column("sum_octetdeltacount", { colHasBbp = plain "1" }),
    EPOCHS[1], EPOCHS[2],
  }
end

local function row(n, app, share, octets, first, last)
  return array {
    rank(n), cell("applicationid", app), cell("percenttotal", NULL, share, share), cell("sum_octetdeltacount", octets, "NA", "--"),
    cell("first_flow_epoch", first), cell("last_flow_epoch", last),
  }
end

local FOOTER = array {
  array {
    object("title", "Other", "label", "Other"), object("elementName", "applicationid", "title", " ", "label", " "),
    object("klasstd", "alignRight", "translations", "", "elementName", "percenttotal", "title", "0.1 %", "label", "0.1 %"),
  },
  array {
    object("title", "(from conv tables)", "label", "Total*"), object("elementName", "applicationid", "label", " - "),
    object("elementName", "sum_octetdeltacount", "label", "8.43 GB", "menuType", ""),
  },
}

local APPS = { "ipfix (4739 - UDP)", 'Ni\195\177o "x" \\ /', "\240\159\152\128\n\127" }

local function inbound()
  return answers.direction(columns(), {
    row(1, APPS[1], "56.45 %", "4759190101", "1552408380", "1552408920"), row(2, APPS[2], "25 %", NULL, "1552408380", "1552408980"),
    row(3, APPS[3], "", "0", "1552408560", "1552408920"),
  }, { footer = FOOTER, totalRowCount = "38" })
end

-- Other columns than inbound's, more of them, and one row.
local function outbound()
  local list = { column "host", column "port", answers.rank_column(), column("custom_rate", { canBeRate = plain "1" }) }
  local cells = { cell("host", "10.0.0.9"), cell("port", "443"), rank(1), cell("custom_rate", "1.5") }
  for i = 1, 8 do
    list[#list + 1], cells[#cells + 1] = column("more" .. i), cell("more" .. i, "m" .. i)
  end
  return answers.direction(list, { array(cells) }, { totalRowCount = plain "1" })
end

local IN_ROWS = {
  { rank = 1, applicationid = APPS[1], sum_octetdeltacount = 4759190101, first_flow_epoch = 1552408380, last_flow_epoch = 1552408920 },
  { rank = 2, applicationid = APPS[2], first_flow_epoch = 1552408380, last_flow_epoch = 1552408980 },
  { rank = 3, applicationid = APPS[3], sum_octetdeltacount = 0, first_flow_epoch = 1552408560, last_flow_epoch = 1552408920 },
}

local OUT_ROW = { host = "10.0.0.9", port = "443", rank = 1, custom_rate = 1.5 }
for i = 1, 8 do OUT_ROW["more" .. i] = "m" .. i end

local function directed(rows, direction)
  local out = {}
  for i, fields in ipairs(rows) do
    out[i] = { direction = direction }
    for name, value in pairs(fields) do out[i][name] = value end
  end
  return out
end

local IN_REPORT = {
  columns = {
    { name = "rank", label = "", title = "Rank", numeric = true },
    { name = "applicationid", label = "L applicationid", title = "applicationid", numeric = false },
    { name = "percenttotal", label = "L percenttotal", title = "percenttotal", numeric = false },
    { name = "sum_octetdeltacount", label = "L sum_octetdeltacount", title = "sum_octetdeltacount", numeric = true },
    { name = "first_flow_epoch", label = "First", title = "", numeric = true },
    { name = "last_flow_epoch", label = "Last", title = "", numeric = true },
  },
  total = 38,
  footer = {
    others = { applicationid = " ", percenttotal = "0.1 %" },
    total = { applicationid = " - ", sum_octetdeltacount = "8.43 GB" },
  },
  time = { first = 1552408380, last = 1552408920, timezone = "EDT" },
  exporters = { ["10.1.1.252"] = { flows = 664, hex = "0A0101FC" } },
  request_id = "0x0123456789abcdef0123456789abcdef",
}

local function check(chunks, options)
  local rows, report, err = answers.feed(scrutinizer.decoder(options or { direction = "inbound" }), chunks)
  assert.is_nil(err)
  assert.same(IN_ROWS, rows)
  assert.same(IN_REPORT, report)
end

local TEXT = answers.write(answers.report("inbound", inbound()))

---------------------------------------------------------------------------------------------------------------------- cuts

describe("decoder: cuts", function()
  it("reads an answer whole", function() check { TEXT } end)

  it("reads each byte alone", function() check(answers.bytes(TEXT)) end)

  it("reads it cut in two anywhere", function()
    for at = 0, #TEXT, SANITIZED and 7 or 1 do
      local rows, report = answers.feed(scrutinizer.decoder { direction = "inbound" }, { TEXT:sub(1, at), TEXT:sub(at + 1) })
      if #rows ~= 3 or not report then error("cut at " .. at) end
      if at % 16 == 0 then
        assert.same(IN_ROWS, rows)
        assert.same(IN_REPORT, report)
      end
      for i, fields in ipairs(IN_ROWS) do
        for name, value in pairs(fields) do
          if rows[i][name] ~= value then error(("cut at %d: %s is %s"):format(at, name, tostring(rows[i][name]))) end
        end
      end
    end
  end)

  it("reads a longer one cut at random", function()
    local list = {}
    for i = 1, 300 do
      list[i] = row(i, i % 7 == 0 and "odd\t" .. i or "app " .. i, i .. " %", i % 11 == 0 and NULL or tostring(i * 12345678901), "1552408380", "1")
    end
    local text = answers.write(answers.report("inbound", answers.direction(columns(), list)))
    local chance = answers.chance(7)
    for _ = 1, SANITIZED and 3 or 20 do
      local rows, report = answers.feed(scrutinizer.decoder { direction = "inbound" }, answers.cuts(text, chance, chance(400)))
      assert.equal(300, report.total)
      assert.equal(300, #rows)
      for i, got in ipairs(rows) do
        assert.is_true(got.rank == i and got.applicationid == (i % 7 == 0 and "odd\t" .. i or "app " .. i)
          and got.last_flow_epoch == 1 and got.percenttotal == nil)
        if i % 11 == 0 then assert.is_nil(got.sum_octetdeltacount) else assert.equal(i * 12345678901, got.sum_octetdeltacount) end
      end
    end
  end)

  it("takes empty chunks, and blanks around", function()
    check { "", "", " \n", "", TEXT, "\r\n\t ", "" }
    check { "\239", "\187", "\191", TEXT }
  end)
end)

---------------------------------------------------------------------------------------------------------------------- ways to write

describe("decoder: keys and blanks", function()
  it("reads keys in any order at every level", function()
    local answer = answers.report("inbound", inbound())
    local late = 0
    for seed = 1, SANITIZED and 20 or 200 do
      local text = answers.write(answer, { seed = seed })
      if text:find '"columns"' > text:find '"rows"' then late = late + 1 end
      check { text }
      check(answers.cuts(text, answers.chance(seed), 60))
    end
    assert.is_true(late > 5) -- the shuffle does what it is for
  end)

  it("reads pretty text and escapes for any character", function()
    local answer = answers.report("inbound", inbound())
    for seed = 1, SANITIZED and 10 or 60 do
      local text = answers.write(answer, { seed = seed, pretty = true, escapes = seed % 4 + 1 })
      check { text }
      check(answers.cuts(text, answers.chance(seed), 20))
    end
    check(answers.bytes(answers.write(answer, { seed = 5, pretty = true, escapes = 1 })))
  end)

  it("reads an escaped structural key", function()
    check { (TEXT:gsub('"rows"', '"r\\u006fws"'):gsub('"report"', '"\\u0072eport"'):gsub('"rawValue"', '"raw\\u0056alue"')) }
  end)

  it("reads rows before columns, and totalRowCount last", function()
    local d = inbound()
    local late = object("rows", d[2][2], "footer", FOOTER, "columns", d[1][2], "totalRowCount", "38")
    check { answers.write(answers.report("inbound", late)) }
    check(answers.bytes(answers.write(answers.report("inbound", late))))
  end)
end)

describe("decoder: nothing there", function()
  local function no_rows(report, found)
    local rows, got, err = answers.feed(scrutinizer.decoder { direction = "inbound" }, { answers.write(report) })
    assert.is_nil(err)
    assert.same({}, rows)
    assert.same(found or { columns = {} }, got)
  end

  local function table_of(value) return object("report", object("table", value)) end

  it("is a report without rows", function()
    no_rows(object("report", object()))
    for _, nothing in ipairs { NULL, array {}, object() } do
      no_rows(table_of(nothing))
      no_rows(table_of(object("inbound", nothing)))
      no_rows(table_of(object("outbound", nothing, "inbound", nothing)))
    end
    for _, nothing in ipairs { NULL, array {} } do
      no_rows(table_of(object("inbound", object("rows", nothing))))
      no_rows(table_of(object("inbound", object("rows", nothing, "columns", nothing, "totalRowCount", "0"))), { columns = {}, total = 0 })
      no_rows(table_of(object("inbound", object("columns", array(columns()), "rows", nothing))), { columns = IN_REPORT.columns })
      no_rows(table_of(object("inbound", object("rows", nothing, "columns", array(columns())))), { columns = IN_REPORT.columns })
    end
    no_rows(table_of(object("inbound", object("columns", array(columns())))), { columns = IN_REPORT.columns })
    no_rows(object("report", object("request_id", NULL, "time_details", NULL, "exporter_details", NULL, "error", NULL), "err", NULL))
  end)

  it("is nothing with the other direction's rows", function()
    no_rows(object("report", object("table", object("outbound", outbound()))))
  end)
end)

describe("decoder: other types than usual", function()
  it("takes numbers for strings, and strings for numbers", function()
    local d = answers.direction(columns(), {
      array {
        answers.with(rank(1), "label", plain "1"), cell("applicationid", plain "17"), cell("percenttotal", NULL, plain "5.5"),
        cell("sum_octetdeltacount", plain "4759190101"), cell("first_flow_epoch", plain "1552408380"), cell("last_flow_epoch", "1552408920"),
      },
    }, { totalRowCount = plain "38" })
    local answer = answers.report("inbound", d)
    local report = answer[1][2]
    report = answers.with(report, "time_details", object("first_time", object("epoch", plain "12"), "last_time", object("epoch", plain "13.0")))
    report = answers.with(report, "exporter_details", object("e", object("flow_count", "7")))
    local rows, got = answers.feed(scrutinizer.decoder { direction = "inbound" }, { answers.write(object("report", report)) })
    assert.same({
      { rank = 1, applicationid = 17, sum_octetdeltacount = 4759190101, first_flow_epoch = 1552408380, last_flow_epoch = 1552408920 },
    }, rows)
    assert.equal(38, got.total)
    assert.same({ first = 12, last = 13 }, got.time)
    assert.same({ e = { flows = 7 } }, got.exporters)
    rows = answers.feed(scrutinizer.decoder { direction = "inbound", select = { "percenttotal.label", "applicationid.title" } },
      { answers.write(object("report", report)) })
    assert.same({ { ["percenttotal.label"] = "5.5", ["applicationid.title"] = "17" } }, rows)
  end)

  it("passes over members of every type that nobody reads", function()
    local odd = {
      NULL, plain "true", plain "false", plain "-1.5e-7", plain "0", "text \\ \" \n", "", array {}, object(),
      array { NULL, array { object("a", array { plain "1", "]}" }) } }, object("rows", array { plain "1" }, "columns", "x", "rows", NULL),
    }
    for i, value in ipairs(odd) do
      local d = inbound()
      local function extra(target) return answers.with(target, "zz", value) end
      local rows = {}
      for k, r in ipairs(d[2][2]) do
        local cells = {}
        for n, c in ipairs(r) do cells[n] = answers.with(extra(c), "dataJson", value) end
        rows[k] = array(cells)
      end
      local heads = {}
      for k, c in ipairs(columns()) do heads[k] = answers.with(extra(c), "format", value) end
      d = answers.with(answers.with(extra(d), "rows", array(rows)), "columns", array(heads))
      local report = answers.report("inbound", d)[1][2]
      report = answers.with(extra(report), "graph", value)
      report = answers.with(report, "table", extra(report[1][2]))
      local answer = extra(object("report", report))
      check { answers.write(answer) }
      check(answers.cuts(answers.write(answer, { seed = i }), answers.chance(i), 30))
    end
  end)

  it("reads a header that is nested deep", function()
    local deep = plain(("["):rep(50) .. ("]"):rep(50))
    local heads = columns()
    heads[2] = answers.with(heads[2], "format", deep)
    check { answers.write(answers.report("inbound", answers.with(inbound(), "columns", array(heads)))) }
  end)
end)

---------------------------------------------------------------------------------------------------------------------- sizes

describe("decoder: sizes", function()
  it("reads 300 columns", function()
    local heads, cells, expected = {}, {}, {}
    for i = 1, 300 do
      local name = (i % 2 == 0 and "sum_c" or "c") .. i
      heads[i], cells[i], expected[name] = column(name), cell(name, tostring(i)), i % 2 == 0 and i or tostring(i)
    end
    local text = answers.write(answers.report("inbound", answers.direction(heads, { array(cells), array(cells), array(cells) })))
    local rows, report = answers.feed(scrutinizer.decoder { direction = "inbound" }, answers.cuts(text, answers.chance(3), 500))
    assert.same({ expected, expected, expected }, rows)
    assert.equal(300, #report.columns)
    rows = answers.feed(scrutinizer.decoder { direction = "inbound", select = { last = "sum_c300", first = "c1" } }, { text })
    assert.same({ last = 300, first = "1" }, rows[3])
  end)

  it("reads as many headers as there may be in linear time, and no more", function()
    local n = 10000
    local heads = {}
    for i = 1, n do heads[i] = '{"elementName":"a"}' end -- all of one name: a, a#2, a#3 …
    local decoder = scrutinizer.decoder { direction = "inbound", select = { "a#" .. n, "a" } }
    local started = os.clock()
    assert(decoder:feed('{"report":{"table":{"inbound":{"columns":[' .. table.concat(heads, ",") .. "]}}}}"))
    assert.is_true(os.clock() - started < 0.5 or SANITIZED)
    assert.equal("a#" .. n, decoder:finish().columns[n].name)
    heads[n + 1] = "{}"
    local _, err = scrutinizer.decoder():feed('{"report":{"table":{"inbound":{"columns":[' .. table.concat(heads, ",") .. "]}}}}")
    assert.same({ "limit", "a table has more than 10000 columns" }, { err.kind, err.message })
  end)

  it("reads a cell of 64 KB, wanted or not", function()
    local big = ("0123456789abcde\\"):rep(4096)
    local r = array {
      rank(1), cell("applicationid", big), cell("percenttotal", NULL, "x"), cell("sum_octetdeltacount", "5"), cell("first_flow_epoch", "1"),
      cell("last_flow_epoch", "2"),
    }
    local text = answers.write(answers.report("inbound", answers.direction(columns(), { r, r })))
    for _, chunks in ipairs { { text }, answers.cuts(text, answers.chance(9), 1000), answers.cuts(text, answers.chance(9), 40000) } do
      local rows = answers.feed(scrutinizer.decoder { direction = "inbound" }, chunks)
      assert.equal(2, #rows)
      assert.is_true(rows[1].applicationid == big and rows[2].applicationid == big)
      rows = answers.feed(scrutinizer.decoder { direction = "inbound", select = { "sum_octetdeltacount" }, max_row = 1000 }, chunks)
      assert.same({ { sum_octetdeltacount = 5 }, { sum_octetdeltacount = 5 } }, rows)
    end
  end)

  it("does not store what nobody wants", function()
    local megabyte = ("x"):rep(2 ^ 20)
    local head, tail = answers.write(answers.report("inbound", answers.direction(columns(), {
      row(1, "@@", "1 %", "7", "1", "2"), row(2, "b", "1 %", "8", "1", "2"),
    }))):match '^(.-)@@(.*)$'
    local decoder = scrutinizer.decoder { direction = "inbound", select = { "rank", "sum_octetdeltacount" } }
    assert(decoder:feed(head))
    support.collect()
    local before = support.rss()
    for _ = 1, SANITIZED and 2 or 64 do assert(decoder:feed(megabyte)) end
    if not SANITIZED then assert.is_true(support.rss() - before < 4096) end
    -- The rawValue was cut at the marks; label and title still have them.
    assert(decoder:feed((tail:gsub("@@", "short"))))
    local rows = {}
    for r in decoder:rows() do rows[#rows + 1] = r end
    assert.same({ { rank = 1, sum_octetdeltacount = 7 }, { rank = 2, sum_octetdeltacount = 8 } }, rows)
    assert.equal(2, assert(decoder:finish()).total)
  end)

  it("keeps 200,000 rows within a few MB", function()
    local n = SANITIZED and 2000 or 200000
    local one = answers.write(row(1, "app@", "1 %", "1@", "1", "2"))
    local head, tail = answers.write(answers.report("inbound", answers.direction(columns(), { plain "@rows" }))):match "^(.-)@rows(.*)$"
    local function run(count)
      local decoder, seen, sum, parts = scrutinizer.decoder { direction = "inbound" }, 0, 0, {}
      assert(decoder:feed(head))
      for i = 1, count do
        -- Not a string for each row: many long strings that differ in a few bytes are slow in LuaJIT's table of strings.
        parts[#parts + 1] = i > 1 and "," or ""
        for piece, mark in one:gmatch "([^@]*)(@?)" do
          parts[#parts + 1] = piece
          parts[#parts + 1] = mark == "@" and ("%06d"):format(i) or nil
        end
        if i % 40 == 0 or i == count then
          assert(decoder:feed(table.concat(parts)))
          parts = {}
          for r in decoder:rows() do seen, sum = seen + 1, sum + r.sum_octetdeltacount - 1000000 end
        end
      end
      assert(decoder:feed(tail))
      assert(decoder:finish())
      assert.equal(count, seen)
      assert.equal(count * (count + 1) / 2, sum)
    end
    run(1000)
    support.collect()
    local before = support.rss()
    run(n)
    if not SANITIZED then assert.is_true(support.rss() - before < 4096) end
  end)
end)

---------------------------------------------------------------------------------------------------------------------- directions

describe("decoder: directions", function()
  local OUT_ROWS = directed({ OUT_ROW }, "outbound")
  local function joined(a, b)
    local out = {}
    for _, list in ipairs { a, b } do
      for _, r in ipairs(list) do out[#out + 1] = r end
    end
    return out
  end

  it("gives both, each row with its direction, as they stand in the answer", function()
    local first = answers.write(answers.report("inbound", inbound(), "outbound", outbound()))
    local rows, report = answers.feed(scrutinizer.decoder(), { first })
    assert.same(joined(directed(IN_ROWS, "inbound"), OUT_ROWS), rows)
    assert.equal(39, report.total)
    assert.same({ inbound = 38, outbound = 1 }, report.totals)
    assert.same(IN_REPORT.columns, report.columns)
    rows = answers.feed(scrutinizer.decoder {}, answers.bytes(answers.write(answers.report("outbound", outbound(), "inbound", inbound()))))
    assert.same(joined(OUT_ROWS, directed(IN_ROWS, "inbound")), rows)
  end)

  it("gives one of both", function()
    local answer = answers.report("outbound", outbound(), "inbound", inbound())
    for seed = 1, 20 do
      local text = answers.write(answer, { seed = seed })
      check { text }
      local rows, report = answers.feed(scrutinizer.decoder { direction = "outbound" }, answers.cuts(text, answers.chance(seed), 50))
      assert.same({ OUT_ROW }, rows)
      assert.equal(1, report.total)
    end
  end)

  -- The decoder under the cursor, which wants inbound's rows first.
  local function ordered(chunks, options)
    local given = {
      inbound = true, outbound = true, ordered = true, with_direction = true, max_body = 2 ^ 50, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 20,
    }
    for name, value in pairs(options or {}) do given[name] = value end
    local decoder, rows = core.decoder(given), {}
    for _, chunk in ipairs(chunks) do
      assert(decoder:feed(chunk))
      local r, direction = decoder:next()
      while r do
        assert.equal(r.direction, ({ "inbound", "outbound" })[direction])
        rows[#rows + 1] = r
        r, direction = decoder:next()
      end
    end
    assert(decoder:finish())
    return rows, decoder
  end

  it("gives inbound's rows first when asked to, however they come", function()
    local expected = joined(directed(IN_ROWS, "inbound"), OUT_ROWS)
    local answer = answers.report("outbound", outbound(), "inbound", inbound())
    assert.same(expected, (ordered { answers.write(answer) }))
    assert.same(expected, (ordered(answers.bytes(answers.write(answer)))))
    for seed = 1, SANITIZED and 10 or 60 do
      assert.same(expected, (ordered { answers.write(answer, { seed = seed }) }))
    end
    for _, nothing in ipairs { NULL, array {}, object(), object("rows", array {}) } do
      assert.same(OUT_ROWS, (ordered { answers.write(answers.report("outbound", outbound(), "inbound", nothing)) }))
      assert.same(OUT_ROWS, (ordered { answers.write(answers.report("inbound", nothing, "outbound", outbound())) }))
    end
    assert.same(OUT_ROWS, (ordered { answers.write(answers.report("outbound", outbound())) }))
    assert.same(OUT_ROWS, (ordered({ answers.write(answers.report("outbound", outbound())) }, { inbound = false })))
  end)

  it("remembers each direction's last row", function()
    local answer = answers.report("outbound", outbound(), "inbound", inbound())
    for seed = 1, 30 do
      local text = answers.write(answer, { seed = seed })
      for _, chunks in ipairs { { text }, answers.bytes(text), answers.cuts(text, answers.chance(seed), 200) } do
        local _, decoder = ordered(chunks)
        assert.equal(APPS[3], decoder:last_row(1)[2].rawValue)
        assert.equal("10.0.0.9", decoder:last_row(2)[1].rawValue)
      end
    end
  end)

  it("uses one row table again when asked to, without the other direction's fields", function()
    local answer = answers.write(answers.report("inbound", inbound(), "outbound", outbound()))
    local decoder = core.decoder {
      inbound = true, reuse = true, with_direction = false, max_body = 2 ^ 50, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 20,
    }
    assert(decoder:feed(answer))
    local first = decoder:next()
    assert.equal(4759190101, first.sum_octetdeltacount)
    local second = decoder:next()
    assert.equal(first, second)
    assert.is_nil(second.sum_octetdeltacount)
    assert.equal(APPS[2], second.applicationid)
  end)
end)
