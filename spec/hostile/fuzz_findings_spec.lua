-- Inputs that the fuzz targets found, made small: each once came out otherwise when it came in pieces.

local core = require "scrutinizer.core"

local COLUMNS = '[{"title":"Rank"},{"elementName":"host"}]'

local function table_of(inside)
  return '{"report":{"table":{"inbound":{' .. inside .. "}}}}"
end

-- Reads a text fed in pieces of a size; gives what there is to see, and the decoder.
local function read(text, size, options)
  local given = { inbound = true, max_body = 2 ^ 50, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 26 }
  for name, value in pairs(options or {}) do given[name] = value end
  local decoder, seen = core.decoder(given), { rows = {} }
  local function step(good, kind, message, position)
    local row = decoder:next()
    while row do
      seen.rows[#seen.rows + 1] = row
      row = decoder:next()
    end
    if not good then seen.error = { kind, message, position } end
    return good
  end
  local good = true
  for at = 1, #text, size do
    good = step(decoder:feed(text:sub(at, at + size - 1)))
    if not good then break end
  end
  if good then step(decoder:finish()) end
  seen.columns_at = select(2, decoder:fact "columns")
  seen.total_at = select(2, decoder:fact "totalRowCount")
  seen.last_row = decoder:last_row(1)
  return seen
end

local function same_in_pieces(text, options)
  local whole = read(text, #text, options)
  for size = 1, 9 do assert.same(whole, read(text, size, options)) end
  return whole
end

describe("however it is cut, an answer", function()
  it("has its facts where their values begin, with blanks on both sides of the colon", function()
    local text = table_of('"columns" \n:\t ' .. COLUMNS .. ',"totalRowCount"  :  "1"')
    local seen = same_in_pieces(text)
    assert.equal(text:find(COLUMNS, 1, true) - 1, seen.columns_at)
    assert.equal(text:find('"1"', 1, true) - 1, seen.total_at)
  end)

  it("gives errors in rows that were held back their place", function()
    local text = table_of('"rows"  : [[{"label":"1"},7]],"columns":' .. COLUMNS)
    assert.equal(text:find "7" - 1, same_in_pieces(text).error[3])
  end)

  it("is over a limit before it is wrong past it", function()
    local rows = table_of('"columns":' .. COLUMNS .. ',"rows":[[{"label":"1"},{"rawValue":"abcdefghij\1"}]]')
    local seen = same_in_pieces(rows, { max_row = 9 })
    assert.same({ "limit", rows:find('"abc', 1, true) - 1 }, { seen.error[1], seen.error[3] })
    assert.equal("decode", same_in_pieces(rows, { max_row = 10 }).error[1])
    assert.equal("limit", same_in_pieces(rows:gsub("abcdefghij", "abcdefghi\\x"), { max_row = 9 }).error[1])
    assert.equal("limit", same_in_pieces(rows:gsub('"abcdefghij\1"', "123456789."), { max_row = 9 }).error[1])
    local held = table_of('"rows":  [[[1,2,3,tru]]]')
    seen = same_in_pieces(held, { max_held = 6 })
    assert.same({ "limit", held:find("[[[", 1, true) - 1 }, { seen.error[1], seen.error[3] })
    assert.equal("decode", same_in_pieces(held, { max_held = 100 }).error[1])
  end)

  it("has its rows where nothing of them is wanted", function()
    local row = '[{"label":"%d"},{"rawValue":"a","title":"%d"}]'
    local list = {}
    for i = 1, 9 do list[i] = row:format(i, i) end
    local text = table_of('"columns":' .. COLUMNS .. ',"rows":[' .. table.concat(list, ",") .. "]")
    local seen = same_in_pieces(text, { projection = { { field = "where", column = "direction" } } })
    assert.equal(9, #seen.rows)
    for _, found in ipairs(seen.rows) do assert.same({ where = "inbound" }, found) end
  end)

  it("has no last row when that is longer than max_row", function()
    local row = '[{"label":"1"},{"rawValue":"a","title":"%s"}]'
    local text = table_of('"columns":' .. COLUMNS .. ',"rows":[' .. row:format "x" .. "," .. row:format(("y"):rep(50)) .. "]")
    assert.is_nil(same_in_pieces(text, { max_row = 60 }).last_row)
    assert.equal(2, #same_in_pieces(text, { max_row = 100 }).last_row)
  end)
end)

describe("a number of which rows are kept", function()
  it("is compared by its exponent, however long that is", function()
    local rows, exponents = {}, { "17", "100000000000000000", "200000000000000000", "999999999999999999", "1" .. ("0"):rep(18), "3" .. ("0"):rep(30) }
    for i, exponent in ipairs(exponents) do rows[i] = ('[{"rawValue":"1e%s"}]'):format(exponent) end
    local text = table_of('"columns":[{"elementName":"sum_n"}],"rows":[' .. table.concat(rows, ",") .. "]")
    for i, exponent in ipairs(exponents) do
      for sign, wanted in pairs { [""] = #exponents - i + 1, ["-"] = #exponents } do
        local keep = core.keep { fields = { { column = "sum_n", member = "raw", why = "" } },
          test = { field = 1, between = { min = "1e" .. sign .. exponent } } }
        local seen = read(text, 7, { keep = keep })
        if i > 4 and sign == "" then wanted = 2 end -- from 10^18 on exponents count as one
        assert.equal(wanted, #seen.rows, sign .. exponent)
      end
    end
  end)
end)
