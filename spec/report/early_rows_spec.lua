-- Rows that come before their columns: their cells name them. They are given at once; what the header says otherwise is an error.

local answers = require "spec.answers"
local core = require "scrutinizer.core"

local CAPS = { inbound = true, max_body = 2 ^ 50, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 26 }

local function cell(name, raw, more)
  return ('{"rawValue":%s,"dataJson":"{\\"column\\":\\"%s\\"}","title":"t","label":"l"%s}'):format(raw, name, more or "")
end

local function row(i)
  return ('[{"klasstd":"rank%d","title":"Rank: %d","label":"%d"},%s,%s]'):format(i, i, i, cell("host", ('"h%d"'):format(i)),
    cell("sum_octets", ('"%d"'):format(i * 1000)))
end

local COLUMNS = '[{"title":"Rank","label":"#"},{"elementName":"host","label":"Host"},{"elementName":"sum_octets","label":"Octets"}]'

local function answer(rows, columns)
  return ('{"report":{"table":{"inbound":{"rows":[%s],"columns":%s,"totalRowCount":"%d"}}}}'):format(table.concat(rows, ","), columns, #rows)
end

local function rows_of(n)
  local list = {}
  for i = 1, n do list[i] = row(i) end
  return list
end

-- The rows of pieces, the error's kind and message.
local function read(pieces, options)
  local given = {}
  for name, value in pairs(CAPS) do given[name] = value end
  for name, value in pairs(options or {}) do given[name] = value end
  local decoder, rows = core.decoder(given), {}
  local function take()
    local got = decoder:next()
    while got do
      rows[#rows + 1] = got
      got = decoder:next()
    end
  end
  for _, piece in ipairs(pieces) do
    local good, kind, message = decoder:feed(piece)
    take()
    if not good then return rows, kind, message end
  end
  local good, kind, message = decoder:finish()
  take()
  return rows, not good and kind or nil, message
end

local function right(n)
  local list = {}
  for i = 1, n do list[i] = { rank = i, host = "h" .. i, sum_octets = i * 1000 } end
  return list
end

describe("rows before their columns", function()
  it("are given before the columns have come", function()
    local text = answer(rows_of(5), COLUMNS)
    local cut = text:find('"columns"', 1, true)
    local decoder = core.decoder(CAPS)
    assert.is_true(decoder:feed(text:sub(1, cut - 1)))
    for i = 1, 5 do assert.same({ rank = i, host = "h" .. i, sum_octets = i * 1000 }, decoder:next()) end
    assert.is_nil(decoder:columns(1))
    assert.same({ "rank", "host", "sum_octets" }, decoder:fields(1))
    assert.is_true(decoder:feed(text:sub(cut)))
    assert.is_true(decoder:finish())
    assert.equal("Host", decoder:columns(1)[2].label)
    assert.equal("#", decoder:columns(1)[1].label)
    assert.equal(0, decoder:unnamed())
    decoder:close()
  end)

  it("are the same however the answer is cut, and with blanks", function()
    for _, text in ipairs { answer(rows_of(4), COLUMNS), (answer(rows_of(4), COLUMNS):gsub("([%[%]{},:])", "%1 \n")) } do
      text = text:gsub('\\"column\\": \n', '\\"column\\":'):gsub('"{ \n\\', '"{\\'):gsub('\\"} \n"', '\\"}"'):gsub("Rank: \n", "Rank:")
      for at = 1, #text, 3 do
        local rows, kind, message = read { text:sub(1, at), text:sub(at + 1) }
        assert.is_nil(kind, message)
        assert.same(right(4), rows)
      end
      assert.same(right(4), (read(answers.bytes(text))))
    end
  end)

  it("are held where their cells do not name them, with the bytes told", function()
    for _, change in ipairs {
      { '"dataJson":"{\\"column\\":\\"host\\"}",', "" }, -- no name
      { '{\\"column\\":\\"host\\"}', "host" }, -- no JSON
      { '{\\"column\\":\\"host\\"}', '{\\"name\\":\\"host\\"}' },
      { '{\\"column\\":\\"host\\"}', '{\\"column\\":[1]}' },
      { '"Rank: 1"', '"1"' },
      { '"Rank: 1"', '"Rang: 1."' },
    } do
      local rows = rows_of(3)
      local from, to = rows[1]:find(change[1], 1, true)
      rows[1] = rows[1]:sub(1, from - 1) .. change[2] .. rows[1]:sub(to + 1)
      local text = answer(rows, COLUMNS)
      local cut = text:find('"columns"', 1, true)
      local decoder = core.decoder(CAPS)
      assert.is_true(decoder:feed(text:sub(1, cut - 1)))
      assert.is_false(decoder:next())
      assert.is_true(decoder:feed(text:sub(cut)))
      for i = 1, 3 do assert.same(right(3)[i], decoder:next()) end
      assert.equal(#table.concat(rows, ",") + 2, decoder:unnamed())
      assert.same(right(3), (read(answers.bytes(text))))
    end
  end)

  it("fail with `changed` where the header differs, which says how", function()
    for columns, said in pairs {
      ['[{"title":"Rank"},{"elementName":"host"}]'] = "the rows came before their columns and name 3, but there are 2",
      ['[{"title":"Rank"},{"elementName":"sum_octets"},{"elementName":"host"}]'] =
        "the rows came before their columns: column 2 is 'host' in the rows, but 'sum_octets' in the columns",
      ['[{"elementName":"host"},{"title":"Rank"},{"elementName":"sum_octets"}]'] =
        "the rows came before their columns: column 1 is 'Rank' in the rows, but 'host' in the columns",
      ['[{"title":"Rank"},{"elementName":"host","colHasBbp":"1"},{"elementName":"sum_octets"}]'] =
        "the rows came before their columns: only these tell that 'host' has numbers, and its values were given as text",
    } do
      local rows, kind, message = read { answer(rows_of(3), columns) }
      assert.same(right(3), rows)
      assert.equal("changed", kind)
      assert.equal(said, message)
    end
  end)

  it("may lack the values of numbers that only the header tells", function()
    local rows = {}
    for i = 1, 3 do rows[i] = row(i):gsub('"rawValue":"h%d"', '"rawValue":' .. (i == 2 and "7" or "null")) end
    local columns = '[{"title":"Rank"},{"elementName":"host","colHasBbp":"1"},{"elementName":"sum_octets"}]'
    local got, kind, message = read { answer(rows, columns) }
    assert.is_nil(kind, message)
    assert.same({ { rank = 1, sum_octets = 1000 }, { rank = 2, host = 7, sum_octets = 2000 }, { rank = 3, sum_octets = 3000 } }, got)
    -- Nor are they looked at where the column is not wanted.
    got, kind, message = read({ answer(rows_of(2), columns) }, { projection = { { field = "rank", column = "rank" } } })
    assert.is_nil(kind, message)
    assert.same({ { rank = 1 }, { rank = 2 } }, got)
  end)

  it("fail where no columns come, and where a wanted column is missing", function()
    local text = answer(rows_of(2), COLUMNS):gsub(',"columns":.*,"total', ',"total')
    local rows, kind, message = read { text }
    assert.same(right(2), rows)
    assert.same({ "decode", "the answer has rows but no columns" }, { kind, message })
    rows, kind, message = read({ answer(rows_of(2), COLUMNS) }, { projection = { { field = "x", column = "port" } } })
    assert.same({}, rows)
    assert.same({ "api", "no column 'port' in this report; it has: rank, host, sum_octets" }, { kind, message })
  end)

  it("take no more memory than one row", function()
    local text = answer(rows_of(300), COLUMNS)
    local _, queued = read({ text }, { max_held = 4000 })
    assert.equal("limit", queued) -- rows that were fed and not yet taken
    local pieces = {}
    for at = 1, #text, 1000 do pieces[#pieces + 1] = text:sub(at, at + 999) end
    local rows, kind, message = read(pieces, { max_held = 4000 })
    assert.is_nil(kind, message)
    assert.same(right(300), rows)
  end)

  it("that are none, or null", function()
    for _, none in ipairs { "[]", "[ ]", "null" } do
      local rows, kind, message = read { '{"report":{"table":{"inbound":{"rows":' .. none .. ',"columns":' .. COLUMNS .. "}}}}" }
      assert.is_nil(kind, message)
      assert.same({}, rows)
    end
  end)
end)

describe("ties of rows before their columns", function()
  local SORTED = COLUMNS:gsub('"label":"Octets"', '"label":"Octets","defaultSort":"DESC"')

  -- Rows h<n> with these octets, of which the rank is not told twice.
  local function tied(list)
    local rows = {}
    for i, item in ipairs(list) do
      rows[i] = ('[{"title":"Rank: %d","label":"%d"},%s,%s]'):format(i, i, cell("host", ('"h%d"'):format(item[1])),
        cell("sum_octets", ('"%d"'):format(item[2])))
    end
    return rows
  end

  -- Reads an answer that breaks off before its columns, or does not, then a page that begins with its last row.
  local function second(first, broken, page, saved)
    local ties = core.ties(2 ^ 16)
    local text = answer(tied(first), SORTED)
    local options = { ties = { ties }, order = "" }
    local given = { ties = options.ties, order = "" }
    for name, value in pairs(CAPS) do given[name] = value end
    local decoder = core.decoder(given)
    assert.is_true(decoder:feed(broken and text:sub(1, text:find('"columns"', 1, true)) or text))
    for _ = 1, #first do assert.is_truthy(decoder:next()) end
    assert.is_true(ties:join(decoder, 1))
    decoder:close()
    options.ties[1] = saved and assert(core.ties(2 ^ 16, (assert(ties:save())))) or ties:copy()
    local next_page = '{"report":{"table":{"inbound":{"columns":%s,"rows":[%s]}}}}'
    local rows, kind, message = read({ next_page:format(SORTED, table.concat(tied(page), ",")) }, options)
    return #rows, kind, message
  end

  local FIRST = { { 1, 5 }, { 2, 4 }, { 3, 3 }, { 4, 3 }, { 5, 3 } }

  for _, broken in ipairs { false, true } do
    it("find a row that comes twice" .. (broken and ", also after an answer that broke off" or ""), function()
      local count, kind, message = second(FIRST, broken, { { 5, 3 }, { 6, 3 }, { 4, 3 }, { 7, 2 } })
      assert.equal("changed", kind)
      assert.matches("^a row came twice", message)
      assert.equal(2, count)
    end)

    it("pass rows that are new" .. (broken and ", also after an answer that broke off" or ""), function()
      local count, kind, message = second(FIRST, broken, { { 5, 3 }, { 6, 3 }, { 7, 3 }, { 8, 2 }, { 9, 2 } })
      assert.is_nil(kind, message)
      assert.equal(5, count)
    end)
  end

  it("are found by another process, from what was saved", function()
    local count, kind = second(FIRST, true, { { 5, 3 }, { 6, 3 }, { 4, 3 }, { 7, 2 } }, true)
    assert.same({ 2, "changed" }, { count, kind })
    count, kind = second(FIRST, true, { { 5, 3 }, { 6, 3 }, { 7, 3 }, { 8, 2 }, { 1, 1 } }, true)
    assert.same({ 5 }, { count, kind })
  end)

  it("are those that tie with the last row, as many as can be remembered", function()
    local function joins(list)
      local ties = core.ties(128) -- room for a dozen rows
      local given = { ties = { ties }, order = "" }
      for name, value in pairs(CAPS) do given[name] = value end
      local decoder = core.decoder(given)
      assert.is_true(decoder:feed(answer(tied(list), SORTED)))
      local joined = ties:join(decoder, 1)
      decoder:close()
      return joined
    end
    local list = {}
    for i = 1, 40 do list[i] = { i, 3 } end
    assert.is_false(joins(list))
    for i = 41, 45 do list[i] = { i, 2 } end
    assert.is_true(joins(list))
  end)
end)
