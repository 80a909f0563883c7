-- Answers made to hurt: sizes that no appliance sends. Memory is bound by the caps and the time by the bytes, whatever they say. The core is
-- the same C for every Lua: where SANDBOX_CHECKED is set, what takes long is left out.

local core = require "scrutinizer.core"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local SANITIZED = support.sanitized
local MEGABYTE = 2 ^ 20
local PIECES = SANITIZED and 4 or 100 -- megabytes of one thing
local MANY = SANITIZED and 20000 or 1000000
local ALLOWED_KIB = 6 * 1024

local it_once = os.getenv "SANDBOX_CHECKED" and function() end or it

local HEAD = '{"report":{"table":{"inbound":{"columns":[{"elementName":"a"},{"elementName":"b"}],"rows":['
local ROW = '[{"rawValue":"1"},{"rawValue":"2","label":"3"}]'
local TAIL = '],"totalRowCount":"1"}}}}'

-- Feeds pieces and takes rows as they come: how many, then report and err. `pieces` is a list, or a function that gives one after the other.
local function feed(pieces, options)
  local decoder, count = scrutinizer.decoder(options or { direction = "inbound" }), 0
  local next_piece = pieces
  if type(pieces) == "table" then
    local i = 0
    next_piece = function()
      i = i + 1
      return pieces[i]
    end
  end
  for piece in next_piece do
    local good, err = decoder:feed(piece)
    for _ in decoder:rows() do count = count + 1 end
    if not good then return count, nil, err end
  end
  local report, err = decoder:finish()
  for _ in decoder:rows() do count = count + 1 end
  return count, report, err
end

-- Pieces: `before`, the filler as often as told, `after`.
local function around(before, filler, times, after)
  local at = -1
  return function()
    at = at + 1
    return at == 0 and before or at <= times and filler or at == times + 1 and after or nil
  end
end

-- Calls with memory watched: it may grow by a few megabytes, or by `allowed` KiB.
local function within(allowed, run)
  support.collect()
  local before = support.rss()
  run()
  local grown = support.rss() - before
  if not SANITIZED then assert.is_true(grown <= allowed, grown .. " KiB") end
end

-- The least processor time of three.
local function time(run)
  local least = math.huge
  for _ = 1, 3 do
    collectgarbage()
    local started = os.clock()
    run()
    least = math.min(least, os.clock() - started)
  end
  return math.max(least, 0.001)
end

-- Eight times the size may take eight times as long and, as clocks and caches go, three times that: a square would be sixty-four times.
local function linear(size, run)
  if SANITIZED then return run(size) end
  local once, eight = time(function() run(size) end), time(function() run(8 * size) end)
  assert.is_true(eight < 24 * once, ("%g s for %d, %g s for eight times that"):format(once, size, eight))
end

---------------------------------------------------------------------------------------------------------------------- one long thing

describe("a string of 100 MB", function()
  -- Plain, and full of what must be looked at.
  local FILLERS = { ("x"):rep(MEGABYTE), ('\\u20ac\\n"'):sub(1, 8):rep(MEGABYTE / 8), ("\195\169"):rep(MEGABYTE / 2) }
  local SELECT = { direction = "inbound", select = { "b" } }

  for i, filler in ipairs(FILLERS) do
    it_once(("is passed over in constant memory where nobody wants it, case %d"):format(i), function()
      within(ALLOWED_KIB, function()
        for _, place in ipairs {
          { HEAD .. '[{"rawValue":"', '"},{"rawValue":"2"}]' .. TAIL }, -- a column that is not selected
          { HEAD .. '[{"rawValue":"1"},{"odd":"', '","rawValue":"2"}]' .. TAIL }, -- a member that nobody reads
          { '{"odd":"', '",' .. (HEAD .. ROW .. TAIL):sub(2) },
        } do
          local count, report, err = feed(around(place[1], filler, PIECES, place[2]), SELECT)
          assert.is_nil(err)
          assert.same({ 1, 1 }, { count, report.total })
        end
      end)
    end)

    it(("is over a limit where it is wanted, and held no longer, case %d"):format(i), function()
      within(ALLOWED_KIB, function()
        for _, before in ipairs { HEAD .. '[{"rawValue":', HEAD .. "[{", "{", '{"report":{"table":{' } do -- a value, and keys
          local decoder = scrutinizer.decoder { direction = "inbound" }
          assert(decoder:feed(before .. '"'))
          local good, err, pieces = true, nil, 0
          while good do
            good, err = decoder:feed(filler)
            pieces = pieces + 1
          end
          assert.is_true(pieces <= 2)
          assert.same({ "limit", #before }, { err.kind, err.position })
          assert.matches("max_row", err.message)
          assert.equal(err, select(2, decoder:feed(filler)))
          assert.equal(err, select(2, decoder:finish()))
        end
      end)
    end)
  end

  it_once("is over a limit where it is kept for later", function()
    for before, words in pairs {
      ['{"err":"'] = "err is longer than 65536 bytes", ['{"report":{"time_details":"'] = "time_details is longer than 65536 bytes",
      [HEAD:match "^(.-)%[" .. '[{"label":"'] = "columns is longer than 131072 bytes (a sixteenth of max_held)",
      [HEAD .. ROW .. '],"footer":"'] = "footer is longer than 131072 bytes (a sixteenth of max_held)",
      ['{"report":{"table":{"inbound":{"rows":["'] = "the parts of the answer that must be kept in memory take more than max_held bytes",
    } do
      within(ALLOWED_KIB, function()
        local _, _, err = feed(around(before, FILLERS[1], PIECES, '"'), { direction = "inbound", max_held = 2 * MEGABYTE })
        assert.same({ "limit", words }, { err.kind, err.message })
      end)
    end
  end)
end)

describe("a number of millions of digits", function()
  local DIGITS = ("12345678"):rep(MEGABYTE / 8)

  it_once("is passed over in constant memory where nobody wants it, and over a limit where it is", function()
    within(ALLOWED_KIB, function()
      for _, form in ipairs { { "1", "" }, { "-0.", "e-7" }, { "1e", "" } } do
        local before, after = '[{"rawValue":' .. form[1], form[2] .. '},{"rawValue":"2"}]' .. TAIL
        local count, _, err = feed(around(HEAD .. before, DIGITS, PIECES / 2, after), { direction = "inbound", select = { "b" } })
        assert.is_nil(err)
        assert.equal(1, count)
        _, _, err = feed(around(HEAD .. before, DIGITS, PIECES / 2, after))
        assert.same({ "limit", #HEAD + 13 }, { err.kind, err.position })
      end
    end)
  end)

  it_once("is read in linear time", function()
    linear(MEGABYTE / 4, function(size)
      local digits = ("7"):rep(size)
      assert.equal("1" .. digits, scrutinizer.decode("1" .. digits))
      assert.equal(7 / 9, scrutinizer.decode("0." .. digits))
      assert.equal(0, scrutinizer.decode("1e-" .. digits))
      assert.equal(1, scrutinizer.decode("1." .. ("0"):rep(size) .. "1"))
    end)
  end)
end)

---------------------------------------------------------------------------------------------------------------------- many small things

describe("blanks", function()
  local BLANKS = { (" "):rep(MEGABYTE), (" \n\t\r"):rep(MEGABYTE / 4) }

  it_once("by the 100 MB change nothing wherever they stand", function()
    within(ALLOWED_KIB, function()
      for i, text in ipairs {
        HEAD .. ROW .. TAIL .. "@", "@" .. HEAD .. ROW .. TAIL, HEAD .. "@" .. ROW .. TAIL, HEAD .. "[@" .. ROW:sub(2) .. TAIL,
        ((HEAD .. ROW .. TAIL):gsub('"columns":', '"columns"@:', 1)), ((HEAD .. ROW .. TAIL):gsub('"rawValue":"2"', '"rawValue":@"2"', 1)),
      } do
        local before, after = text:match "^(.-)@(.*)$"
        local count, report, err = feed(around(before, BLANKS[i % 2 + 1], PIECES, after))
        assert.is_nil(err)
        assert.same({ 1, 1 }, { count, report.total })
      end
    end)
  end)

  it_once("count for max_body", function()
    local _, _, err = feed(around(HEAD .. ROW .. TAIL, BLANKS[1], PIECES, ""), { direction = "inbound", max_body = 2 * MEGABYTE })
    assert.same({ "limit", 2 * MEGABYTE }, { err.kind, err.position })
    _, _, err = feed(around("", BLANKS[1], PIECES, ""), { max_body = 2 * MEGABYTE })
    assert.same({ "limit", 2 * MEGABYTE }, { err.kind, err.position })
  end)

  it_once("between rows take linear time, in one piece and in many", function()
    linear(MEGABYTE / 4, function(size)
      local rows = {}
      for i = 1, 16 do rows[i] = ROW .. (" "):rep(size / 16) end
      local text = HEAD .. table.concat(rows, ",") .. TAIL
      assert.equal(16, (feed { text }))
      local at = 1 - 1000
      assert.equal(16, (feed(function()
        at = at + 1000
        return at <= #text and text:sub(at, at + 999) or nil
      end)))
    end)
  end)
end)

describe("ten thousand columns", function()
  local MOST = 10000
  -- Pieces: `count` headers, by the thousand: a million strings at a time would be Lua's burden, not ours.
  local function heads_of(name, count, after)
    local at = -1
    return function()
      at = at + 1
      if at == 0 then return '{"report":{"table":{"inbound":{"columns":[' end
      if at > count / 1000 then
        local last = after
        after = nil
        return last
      end
      local heads = {}
      for i = 1, 1000 do heads[i] = name:format((at - 1) * 1000 + i) .. (at * 1000 == count and i == 1000 and "" or ",") end
      return table.concat(heads)
    end
  end
  local ROWS = '],"rows":['
  local CELLS = "[" .. ("{},"):rep(MOST - 2) .. '{"rawValue":"last but one"},{"title":"7"}]'

  it_once("are read, and the row with as many cells; one more is over a limit", function()
    local name = '{"elementName":"c%d"}'
    -- In C: their text, less than a hundred bytes for each, and a hash of them; buffers double.
    within(MOST * (#name + 6 + 100 + 4 * 8) / 1024 + ALLOWED_KIB, function()
      local decoder = scrutinizer.decoder { direction = "inbound", select = { "c" .. MOST .. ".title", "c" .. MOST - 1, "c1" } }
      for piece in heads_of(name, MOST) do assert(decoder:feed(piece)) end
      for _, piece in ipairs { ROWS, CELLS, ",", CELLS, TAIL } do assert(decoder:feed(piece)) end
      local count = 0
      for row in decoder:rows() do
        count = count + 1
        assert.same({ ["c" .. MOST .. ".title"] = "7", ["c" .. MOST - 1] = "last but one" }, row)
      end
      assert.equal(2, count)
    end)
    local _, _, err = feed(heads_of(name, math.max(MANY, 20 * MOST)), { direction = "inbound" }) -- over a sixteenth of max_held
    assert.equal("limit", err.kind)
    _, _, err = feed(heads_of("{}", MOST, ",{}]}}}}"))
    assert.same({ "limit", "a table has more than 10000 columns" }, { err.kind, err.message })
    _, _, err = feed(heads_of(name, MOST, ROWS .. CELLS .. "," .. CELLS:sub(1, -2) .. ",{}]"))
    assert.matches("more cells than the " .. MOST .. " columns", err.message)
  end)

  it_once("take linear time, whatever their names", function()
    for _, name in ipairs { '{"elementName":"c%d"}', '{"elementName":"same"}', '{"title":"same#%d"}', "{}" } do
      linear(1000, function(size)
        local decoder = scrutinizer.decoder { direction = "inbound", select = { "same" } }
        for piece in heads_of(name, size, ',{"elementName":"same"}]}}}}') do assert(decoder:feed(piece)) end
      end)
    end
  end)
end)

describe("a million rows", function()
  local function rows_of(row, count)
    local piece, per = (row .. ","):rep(1000), 1000
    return around(HEAD, piece, count / per, row .. TAIL)
  end

  it_once("without cells are refused at the first", function()
    within(ALLOWED_KIB, function()
      local count, _, err = feed(rows_of("[]", MANY))
      assert.same({ 0, "decode", #HEAD + 1 }, { count, err.kind, err.position })
      assert.matches("0 cells for 2 columns", err.message)
    end)
  end)

  it_once("with empty cells are a million rows without a value", function()
    within(ALLOWED_KIB, function()
      local count, report, err = feed(rows_of("[{},{}]", MANY))
      assert.is_nil(err)
      assert.same({ MANY + 1, 1 }, { count, report.total })
      count = feed(rows_of('[{"rawValue":null},{"x":0,"y":[]}]', MANY / 4))
      assert.equal(MANY / 4 + 1, count)
    end)
  end)

  it_once("are over a limit where they must wait, for columns or for a reader", function()
    local piece = ("[{},{}],"):rep(1000)
    within(ALLOWED_KIB, function()
      local _, _, err = feed(around('{"report":{"table":{"inbound":{"rows":[', piece, MANY / 1000, "[]]"), { max_held = 2 * MANY })
      assert.same({ "limit", #'{"report":{"table":{"inbound":{"rows":' }, { err.kind, err.position })
      local decoder = scrutinizer.decoder { direction = "inbound", max_held = MEGABYTE }
      local good = decoder:feed(HEAD)
      while good do good, err = decoder:feed(piece) end -- nobody takes the rows
      assert.equal("limit", err.kind)
      assert.matches("rows not yet read take more than max_held bytes", err.message)
    end)
  end)
end)

describe("keys", function()
  it_once("by the million that nobody asked for change nothing", function()
    local keys, n = {}, 0
    for i = 1, 1000 do keys[i] = ('"key %d":[{"report":{"rows":[]}},%d,"",null],'):format(i, i) end
    local piece = table.concat(keys)
    within(ALLOWED_KIB, function()
      local count, report, err = feed(around("{", piece, MANY / 4000, (HEAD .. ROW .. TAIL):sub(2)))
      n = n + count
      assert.is_nil(err)
      assert.equal(1, report.total)
      count = feed(around(HEAD .. "[{", piece, MANY / 4000, ROW:sub(3) .. TAIL))
      assert.equal(1, count)
    end)
  end)

  it_once("that come again and again are over a limit where they are kept", function()
    within(ALLOWED_KIB, function()
      for _, fact in ipairs { '"err":"no",', '"details":[1,2,3],' } do
        local _, _, err = feed(around("{", fact:rep(10000), MANY / 10000, '"x":1}'), { max_held = MANY / 8 })
        assert.equal("limit", err.kind)
      end
    end)
  end)
end)

describe("nesting", function()
  it_once("by the million is over a limit at once, wherever it stands", function()
    within(ALLOWED_KIB, function()
      for _, open in ipairs { "[", '{"a":', '[{"a":' } do
        for _, before in ipairs {
          '{"x":', '{"err":', HEAD .. '[{"rawValue":"1"},{"x":', HEAD .. '[{"x":', '{"report":{"table":{"inbound":{"rows":[[{"x":',
        } do
          local _, _, err = feed(around(before, open:rep(10000), MANY / 10000, ""), { direction = "inbound", select = { "b" } })
          assert.equal("limit", err.kind)
          assert.matches("max_depth", err.message)
          assert.is_true(err.position <= #before + 64 * #open)
        end
      end
    end)
  end)
end)

---------------------------------------------------------------------------------------------------------------------- texts that fall together

describe("values that were chosen to fall together in a hash without a key", function()
  -- Two words of which the second takes back what the first one did, for a hash that stirs word by word.
  local STIR = 0x9E3779B97F4A7C15
  local chosen = math.type and assert(load([[
    local stir = ...
    local function mix(h)
      h = (h ~ h >> 32) * stir
      return h ~ h >> 29
    end
    local head = string.unpack("<i8", string.pack("<I4I4", 1, 16))
    return function(i)
      local first = string.unpack("<i8", ("%08d"):format(i))
      return string.pack("<i8i8", first, mix(mix(24 ~ head) ~ first) ~ 0x1234567812345678)
    end]]))(STIR)

  local function aggregate(count, value)
    local rows = {}
    for i = 1, count do
      rows[i] = '[{"rawValue":"' .. value(i):gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"}]'
    end
    local text = '{"report":{"table":{"inbound":{"columns":[{"elementName":"a"}],"rows":[' .. table.concat(rows, ",") .. "]}}}}"
    local http = core.http()
    local transfer = http:start { url = "https://127.0.0.1:9/" }
    local decoder = core.decoder { inbound = true, max_body = 2 ^ 50, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 30,
      projection = { { field = "a", column = "a" } } }
    local groups = core.aggregate { fields = { "a" }, by = { 1 }, folded = {} }
    assert(decoder:feed(text))
    assert(decoder:finish())
    local took = time(function()
      groups:close()
      groups = core.aggregate { fields = { "a" }, by = { 1 }, folded = {} }
      decoder:close()
      decoder = core.decoder { inbound = true, max_body = 2 ^ 50, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 30,
        projection = { { field = "a", column = "a" } } }
      assert(decoder:feed(text))
      assert(decoder:finish())
      decoder:fold(transfer, groups, 1, 2 ^ 50)
    end)
    assert.equal(count, #groups:rows(nil, true))
    transfer:close()
    http:close()
    return took
  end

  if chosen then
    it_once("are groups like any others", function()
      local count = SANITIZED and 1000 or 20000
      local usual = aggregate(count, function(i) return ("%016d"):format(i) end)
      local took = aggregate(count, chosen)
      if not SANITIZED then assert.is_true(took < 8 * usual, ("%g s, others %g s"):format(took, usual)) end
    end)
  end
end)

---------------------------------------------------------------------------------------------------------------------- gzip

describe("a gzip bomb", function()
  -- An answer of `megabytes` that takes a thousandth of that on the wire.
  local function fault(megabytes)
    local path = os.tmpname()
    support.shell(("{ printf %%s %s; head -c %d /dev/zero | tr '\\0' ' '; printf %%s %s; } | gzip -9 > %s"):format(
      support.quote(HEAD .. ROW), megabytes * MEGABYTE, support.quote(TAIL), path))
    local zipped = support.read(path)
    os.remove(path)
    local headers = { ["Content-Encoding"] = "gzip" }
    support.faults { { kind = "status", status = 200, body = zipped, content_type = "application/json", headers = headers } }
    return #zipped
  end

  local function rows(options)
    local client = support.connect(options)
    local cursor, count = client:report("conversations"):range("LastHour"):select({ "a", "b" }):rows(), 0
    local row, err = cursor:next()
    while row do
      count = count + 1
      row, err = cursor:next()
    end
    client:close()
    return count, err
  end

  support.clean_for_each()

  it_once("is measured by what it becomes: max_body", function()
    local zipped = fault(40)
    assert.is_true(zipped < MEGABYTE / 10)
    within(ALLOWED_KIB, function()
      local count, err = rows { max_body = 2 * MEGABYTE, retry = false }
      assert.equal("limit", err.kind)
      assert.matches("max_body", err.message)
      assert.equal(1, count)
    end)
  end)

  it_once("takes no memory where it is let through", function()
    fault(40)
    within(ALLOWED_KIB, function()
      local count, err = rows { retry = false }
      assert.is_nil(err)
      assert.equal(1, count)
    end)
  end)
end)
