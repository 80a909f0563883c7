-- Rows are crossed by their structure. Where UTF-8 is looked at they are read token by token: both readings must agree, however an answer is cut.

local core = require "scrutinizer.core"

local CAPS = { max_body = 2 ^ 50, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 26 }

local COLUMNS = [==[[{"title":"Rank","label":""},{"elementName":"host","label":"Host","title":"host"},]==]
  .. [==[{"elementName":"share","label":"%"},{"elementName":"sum_octets","label":"Octets","colHasBbp":1}]]==]

local function answer(rows)
  return ([[{"report":{"table":{"inbound":{"columns":%s,"rows":[%s],"totalRowCount":"%d"}}}}]]):format(
    COLUMNS, table.concat(rows, ","), #rows)
end

-- All rows of a text that comes in pieces; then what went wrong, if anything did.
local function read_pieces(pieces, options)
  local given = { inbound = true }
  for name, value in pairs(CAPS) do given[name] = value end
  for name, value in pairs(options or {}) do given[name] = value end
  local decoder, rows, failure = core.decoder(given), {}, nil
  local function take(ok, kind, message, position)
    local row = decoder:next()
    while row do
      rows[#rows + 1] = row
      row = decoder:next()
    end
    if not ok then failure = { kind, message, position } end
  end
  for _, piece in ipairs(pieces) do
    take(decoder:feed(piece))
    if failure then break end
  end
  if not failure then take(decoder:finish()) end
  decoder:close()
  return rows, failure
end

-- In pieces of a size.
local function read(text, size, options)
  local pieces = {}
  for at = 1, #text, size do pieces[#pieces + 1] = text:sub(at, at + size - 1) end
  return read_pieces(pieces, options)
end

-- Whether there is nothing to replace in a text: no bytes beyond ASCII, no escapes that may be half of a pair.
local function is_plain(text)
  return not text:find "[\128-\255]" and not text:find("\\u", 1, true)
end

local function agree(text, options)
  local rows, failure = read(text, #text, options)
  local careful, careful_failure = read(text, 1, options)
  if is_plain(text) then
    local by_tokens = { utf8 = "replace" }
    for name, value in pairs(options or {}) do by_tokens[name] = value end
    local token_rows, token_failure = read(text, #text, by_tokens)
    assert.same(token_rows, rows)
    assert.same(token_failure, failure)
  end
  assert.same(careful, rows)
  assert.same(careful_failure, failure)
  for _, size in ipairs { 701, 1499, 2503 } do -- a cut goes through rows
    local cut_rows, cut_failure = read(text, size, options)
    assert.same(careful, cut_rows)
    assert.same(careful_failure, cut_failure)
  end
  return rows, failure
end

local function row(i, changes)
  local at = {
    rank = ('{"klasstd":"rank%d","title":"Rank: %d","label":"%d"}'):format(i, i, i),
    host = ('{"rawValue":"10.0.%d.%d","dataJson":"{\\"column\\":\\"host\\"}","title":"10.0.%d.%d","label":"host %d"}'):format(
      math.floor(i / 256), i % 256, math.floor(i / 256), i % 256, i),
    share = ('{"rawValue":null,"klasstd":"alignRight","label":"%d.0 %%","title":"%d.0 %%"}'):format(i % 3, i % 3),
    octets = ('{"rawValue":"%d","label":"NA","title":"--"}'):format(i * 1000),
  }
  for name, text in pairs(changes or {}) do at[name] = text end
  return ("[%s,%s,%s,%s]"):format(at.rank, at.host, at.share, at.octets)
end

local SELECT = {
  projection = {
    { field = "host", column = "host" }, { field = "octets", column = "sum_octets" },
    { field = "text", column = "sum_octets", member = "label" }, { field = "share", column = "share", member = "label" },
    { field = "raw", column = "share" }, { field = "rank", column = "rank" }, { field = "rank text", column = "rank", member = "label" },
  },
}

-- What one row among equals may do; `nil` results are good rows.
local ODD = {
  ["an escape in a wanted value"] = { host = '{"rawValue":"a\\u0062c\\n","title":"x","label":"y"}' },
  ["short escapes in a wanted value"] = { host = '{"rawValue":"a\\tc\\n\\"\\\\","title":"x","label":"y\\/"}' },
  ["escapes in a cell of the same make"] = {
    host = '{"rawValue":"a\\tb\\\\","dataJson":"{\\"column\\":\\"host\\"}","title":"t\\/","label":"l\\"m"}',
    octets = '{"rawValue":"5","label":"\\n","title":"--"}',
  },
  ["an escape in a cell's number"] = { octets = '{"rawValue":"5\\t","label":"NA","title":"--"}' },
  ["an escape in an unwanted value"] = { host = '{"rawValue":"b","dataJson":"{\\"column\\":\\"host\\"}","title":"a\\"b","label":"y"}' },
  ["other key order"] = { octets = '{"label":"NA","title":"--","rawValue":"77"}' },
  ["a number for a string"] = { octets = '{"rawValue":88,"label":"NA","title":"--"}' },
  ["a string for null"] = { share = '{"rawValue":"5","klasstd":"alignRight","label":"1.0 %","title":"1.0 %"}' },
  ["null for a string"] = { octets = '{"rawValue":null,"label":"NA","title":"--"}' },
  ["null after the string, twice the key"] = { octets = '{"rawValue":"5","rawValue":null,"label":"NA","title":"--"}' },
  ["an escaped key"] = { octets = '{"raw\\u0056alue":"9","label":"NA","title":"--"}' },
  ["a missing member"] = { octets = '{"label":"NA","title":"--"}' },
  ["one member more"] = { octets = '{"rawValue":"5","label":"NA","title":"--","more":[1,{"rawValue":"6"}]}' },
  ["blanks"] = { host = ' { "rawValue" : "b" , "title":"x","label":"y"}' },
  ["an empty value"] = { host = '{"rawValue":"","dataJson":"{\\"column\\":\\"host\\"}","title":"","label":""}' },
  ["a long value"] = { host = ('{"rawValue":"%s","dataJson":"{\\"column\\":\\"host\\"}","title":"t","label":"l"}'):format(("x"):rep(3000)) },
  ["bytes that are not UTF-8"] = { host = '{"rawValue":"\255\254","dataJson":"{\\"column\\":\\"host\\"}","title":"t","label":"l"}' },
  ["a number over 2^63"] = { octets = '{"rawValue":"18446744073709551615","label":"NA","title":"--"}' },
  ["a fraction"] = { octets = '{"rawValue":"1.5","label":"NA","title":"--"}' },
  ["minus nought"] = { octets = '{"rawValue":"-0","label":"NA","title":"--"}' },
  ["a word where a number must be"] = { octets = '{"rawValue":"many","label":"NA","title":"--"}' },
  ["an empty text where a number must be"] = { octets = '{"rawValue":"","label":"NA","title":"--"}' },
  ["a control byte"] = { host = '{"rawValue":"a\1b","dataJson":"{\\"column\\":\\"host\\"}","title":"t","label":"l"}' },
  ["a NUL in an unwanted value"] = { host = '{"rawValue":"a","dataJson":"{\\"column\\":\\"host\\"}","title":"t\0","label":"l"}' },
  ["a bad escape"] = { host = '{"rawValue":"a\\x","dataJson":"{\\"column\\":\\"host\\"}","title":"t","label":"l"}' },
  ["a cell that is a number"] = { share = "5" },
  ["a cell too many"] = { share = '{"rawValue":null},{"rawValue":null}' },
  ["a scalar that is none"] = { share = '{"rawValue":nul,"klasstd":"alignRight"}' },
  ["a number with a zero before"] = { share = '{"rawValue":null,"klasstd":01}' },
  ["two values"] = { share = '{"rawValue":null null,"klasstd":1}' },
  ["a colon too many"] = { share = '{"rawValue"::null,"klasstd":1}' },
  ["a comma too many"] = { share = '{"rawValue":null,,"klasstd":1}' },
  ["a comma before the brace"] = { share = '{"rawValue":null,"klasstd":1,}' },
  ["a key without value"] = { share = '{"rawValue":null,"klasstd"}' },
  ["a text for a cell"] = { share = '"rawValue"' },
  ["an empty cell"] = { share = "{}" },
  ["a list for the last cell"] = { octets = '[{"rawValue":"7","label":"NA"}]' },
  ["a list for a cell"] = { share = '[{"rawValue":"1"}]' },
  ["an object in a cell"] = { share = '{"rawValue":null,"more":{"rawValue":"7","list":[[]]}}' },
  ["no comma between cells"] = { share = '{"rawValue":null}{"rawValue":null}' },
  ["a byte between cells"] = { share = '{"rawValue":null}x' },
  ["a word before a cell"] = { share = 'null{"rawValue":null}' },
  ["a backslash outside strings"] = { share = '{"rawValue":null\\,"klasstd":1}' },
  ["a quote escaped outside strings"] = { share = '{"rawValue":\\"x","klasstd":1}' },
  ["an escaped letter in an unwanted value"] = { host = '{"rawValue":"b","dataJson":"\\n\\/\\t","title":"\\b","label":"y"}' },
  ["an escape that JSON has not"] = { host = '{"rawValue":"b","title":"\\i","label":"y"}' },
  ["hex digits that are none"] = { host = '{"rawValue":"b","title":"\\u12g4","label":"y"}' },
  ["many backslashes"] = { host = '{"rawValue":"b\\\\\\\\","title":"\\\\\\\\\\\"","label":"y"}' },
  ["keys like wanted ones"] = { host = '{"rawValue":"b","xxxV":1,"rawVal":2,"xawValue":3,"labels":4,"xxb":5,"xi":6,"titlf":7,"label":"y"}' },
  ["keys at the row's end"] = { octets = '{"rawValue":"7","aaaV":1}' },
  ["white space of each kind"] = { share = '\t{\r\n"rawValue" :\n null\t,\r"klasstd":1 }  ' },
  ["a form feed between tokens"] = { share = '{"rawValue":null,\f"klasstd":1}' },
  ["a row that is closed too early"] = { share = '{"rawValue":null}]' },
  ["a value that holds a row's end"] = { host = '{"rawValue":"\\"}],[{","dataJson":"}]","title":"}],[{","label":"]"}' },
}

describe("crossing rows", function()
  for name, changes in pairs(ODD) do
    for _, where in ipairs { 1, 2, 3, 7, 12 } do
      it(("agrees with the careful reading: %s in row %d"):format(name, where), function()
        local rows = {}
        for i = 1, 12 do rows[i] = row(i, i == where and changes or nil) end
        local text = answer(rows)
        agree(text)
        agree(text, SELECT)
        for _, mode in ipairs { "replace", "error" } do agree(text, { utf8 = mode }) end
      end)
    end
  end

  it("agrees when every row is odd, and when odd ones alternate", function()
    local names = {}
    for name in pairs(ODD) do names[#names + 1] = name end
    table.sort(names)
    for _, name in ipairs(names) do
      local all, some = {}, {}
      for i = 1, 9 do
        all[i] = row(i, ODD[name])
        some[i] = row(i, i % 2 == 0 and ODD[name] or nil)
      end
      agree(answer(all), SELECT)
      agree(answer(some), SELECT)
    end
  end)

  it("agrees where a key stands twice, once with an escape: the last one counts", function()
    local function cell(first, last) return ('{"rawValue":"%d","raw\\u0056alue":"%d","label":"NA","title":"--"}'):format(first, last) end
    for _, odd in ipairs { { 6, 5 }, { 5, 6 }, { 6, 7 } } do
      local rows = {}
      for i = 1, 12 do rows[i] = row(i, { octets = cell(5, 5) }) end
      rows[8] = row(8, { octets = cell(odd[1], odd[2]) })
      for i, got in ipairs((agree(answer(rows)))) do assert.equal(i == 8 and odd[2] or 5, got.sum_octets) end
    end
  end)

  it("agrees on random mixtures", function()
    math.randomseed(7)
    local names = {}
    for name in pairs(ODD) do names[#names + 1] = name end
    table.sort(names)
    for _ = 1, os.getenv "SCRUTINIZER_SANITIZED" and 30 or 200 do
      local rows = {}
      for i = 1, 20 do
        rows[i] = row(math.random(1, 500), math.random(4) == 1 and ODD[names[math.random(#names)]] or nil)
      end
      agree(answer(rows), math.random(2) == 1 and SELECT or nil)
    end
  end)

  it("agrees on texts with one byte changed anywhere", function()
    math.randomseed(11)
    local rows = {}
    for i = 1, 6 do rows[i] = row(i) end
    local text = answer(rows)
    local from = text:find('"rows"', 1, true)
    for at = from, #text do
      local byte = string.char(math.random(32, 126))
      agree(text:sub(1, at - 1) .. byte .. text:sub(at + 1), SELECT)
    end
  end)

  it("agrees wherever a cut goes through rows, and whatever comes behind it", function()
    local rows = {}
    for i = 1, 8 do rows[i] = row(i) end
    for _, odd in ipairs { "other key order", "a control byte", "a long value", "null for a string", "a word where a number must be" } do
      rows[7] = row(7, ODD[odd])
      local text = answer(rows)
      local careful, careful_failure = read(text, 1)
      local from = text:find("Rank: 6", 1, true)
      for at = from - 40, from + 1100, 7 do
        for _, second in ipairs { 1, 30, 5000 } do
          local got, failure = read_pieces { text:sub(1, at), text:sub(at + 1, at + second), text:sub(at + second + 1) }
          assert.same(careful, got)
          assert.same(careful_failure, failure)
        end
      end
    end
  end)

  it("agrees on blanks between rows, as many as are looked at again and one more", function()
    for _, count in ipairs { 1, 127, 254, 255, 256, 257, 700 } do
      local blanks = (" \n\t\r"):rep(count):sub(1, count)
      for _, before in ipairs { "", blanks } do
        local rows = { row(1), before .. blanks .. row(2), blanks .. row(3) .. before, row(4) }
        local got, failure = agree(answer(rows))
        assert.is_nil(failure)
        assert.equal(4, #got)
        local text = answer(rows)
        local from = text:find(blanks, 1, true)
        for at = from - 2, from + 2 * count + 2, count > 300 and 7 or 3 do -- a cut goes through the blanks
          assert.same(got, (read_pieces { text:sub(1, at), text:sub(at + 1, at + 64), text:sub(at + 65) }))
        end
      end
    end
  end)

  it("keeps the last row's text, crossed or not", function()
    local rows = {}
    for i = 1, 9 do rows[i] = row(i) end
    for size = 1, 2000, 97 do
      local decoder = core.decoder { inbound = true, max_body = 2 ^ 50, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 26 }
      local text = answer(rows)
      for at = 1, #text, size do assert.is_true(decoder:feed(text:sub(at, at + size - 1))) end
      assert.equal("9000", decoder:last_row(1)[4].rawValue)
      assert.equal("Rank: 9", decoder:last_row(1)[1].title)
    end
  end)

  it("looks at UTF-8 where that is asked for", function()
    local rows = {}
    for i = 1, 8 do rows[i] = row(i) end
    rows[5] = rows[5]:gsub('"rawValue":"10.0.0.5"', '"rawValue":"a\255b"')
    local text = answer(rows)
    assert.equal("a\255b", (read(text, #text))[5].host)
    assert.equal("a\239\191\189b", (read(text, #text, { utf8 = "replace" }))[5].host)
    local got, failure = read(text, #text, { utf8 = "error" })
    assert.equal(4, #got)
    assert.same({ "decode", "a string is not UTF-8" }, { failure[1], failure[2] })
  end)

  it("holds to max_depth", function()
    local text = answer { row(1), row(2), row(3) }
    for depth = 3, 9 do
      local got, failure = agree(text, { max_depth = depth })
      assert.equal(depth < 7 and 0 or 3, #got) -- the answer, report, table, direction, rows, a row, a cell
      assert.equal(depth < 7 and "limit" or nil, failure and failure[1])
    end
  end)

  it("holds to max_row", function()
    local rows = {}
    for i = 1, 6 do rows[i] = row(i) end
    rows[7] = row(7, { host = ('{"rawValue":"%s","dataJson":"{\\"column\\":\\"host\\"}","title":"t","label":"l"}'):format(("x"):rep(900)) })
    local got, failure = agree(answer(rows), { max_row = 800 })
    assert.equal(6, #got)
    assert.equal("limit", failure[1])
  end)

  it("holds to max_row by the byte: a row's values take as much and no more", function()
    local rows = {}
    for i = 1, 9 do rows[i] = row(i) end
    rows[9] = rows[9]:gsub("10%.0%.0%.9", ("x"):rep(600), 1) -- the rows before are short
    -- Rank, host and octets; or one text, which is too long by itself.
    local one = { projection = { { field = "host", column = "host" } } }
    for _, case in ipairs { { #"9" + 600 + #"9000", {} }, { 600, one } } do
      for more = -3, 3 do
        local got, failure = agree(answer(rows), { max_row = case[1] + more, projection = case[2].projection })
        assert.equal(more < 0 and 8 or 9, #got, more)
        assert.equal(more < 0 and "limit" or nil, failure and failure[1])
      end
    end
  end)

  it("reads counters of every length as their digits say", function()
    -- Around every power of ten, 2^53, 2^63 and 2^64, of either sign; eight digits are read at once, and 19 may be more than 64 bits.
    local texts = { "9007199254740991", "9007199254740992", "9007199254740993", "9223372036854775806", "9223372036854775807",
      "9223372036854775808", "9223372036854775809", "9999999999999999999", "18446744073709551615", "18446744073709551616" }
    for length = 1, 40 do
      texts[#texts + 1] = ("9"):rep(length)
      texts[#texts + 1] = "1" .. ("0"):rep(length - 1)
      texts[#texts + 1] = ("1234567890"):rep(4):sub(1, length)
    end
    for i = 1, #texts do texts[#texts + 1] = "-" .. texts[i] end
    local rows = {}
    for i, text in ipairs(texts) do rows[i] = row(i, { octets = ('{"rawValue":"%s","label":"NA","title":"--"}'):format(text) }) end
    local got, failure = agree(answer(rows))
    assert.is_nil(failure)
    for i, text in ipairs(texts) do
      local value = got[i].sum_octets
      local whole = math.type and tostring(value) or type(value) == "number" and ("%.0f"):format(value) or value
      assert.equal(text, whole)
      local digits = text:gsub("-", "")
      local limit = not math.type and "9007199254740992" or text:find "-" and "9223372036854775808" or "9223372036854775807"
      local fits = #digits < #limit or #digits == #limit and digits <= limit
      assert.equal(fits and "number" or "string", type(value), text)
    end
  end)

  it("takes no text for a number that JSON has none like, and minus zero for zero", function()
    for _, text in ipairs { "00", "007", "0123456789", "-01", "-007", "12a", "1 ", " 1", "1.",
      ".5", "1.e1", "1e", "1e+", "-", "+1", "0x10", "1,5", "١", "" } do
      local rows = {}
      for i = 1, 5 do rows[i] = row(i) end
      rows[4] = row(4, { octets = ('{"rawValue":"%s","label":"NA","title":"--"}'):format(text) })
      local got, failure = agree(answer(rows))
      assert.equal(3, #got, text)
      assert.equal("column 'sum_octets': its rawValue is not a number", failure[2])
    end
    local rows = {}
    for i = 1, 5 do rows[i] = row(i, { octets = '{"rawValue":"-0","label":"NA","title":"--"}' }) end
    for _, got in ipairs((agree(answer(rows)))) do assert.equal("0", tostring(got.sum_octets)) end
  end)

  it("takes no other byte for a digit", function()
    for place = 1, 17 do
      for _, byte in ipairs { "/", ":", ";", "?", "@", "a", "p", " ", "\127", "\176", "\185" } do
        local rows = {}
        for i = 1, 5 do rows[i] = row(i, { octets = '{"rawValue":"12345678901234567","label":"NA","title":"--"}' }) end
        rows[4] = rows[4]:gsub("12345678901234567", ("12345678901234567"):sub(1, place - 1) .. byte .. ("12345678901234567"):sub(place + 1))
        local got, failure = agree(answer(rows))
        assert.equal(3, #got)
        assert.equal("column 'sum_octets': its rawValue is not a number", failure[2])
      end
    end
  end)
end)
