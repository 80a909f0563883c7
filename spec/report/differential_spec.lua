-- Made-up answers, read here as they stream in, and by lua-cjson whole: the same rows, columns and totals, whatever the order of keys,
-- the blanks, the escapes and the cuts.

local answers = require "spec.answers"
local cjson = require "cjson"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local object, array, plain, NULL = answers.object, answers.array, answers.plain, answers.NULL
local MANY = support.sanitized and 20 or 150

local NAMES = { "sourceipaddress", "sum_octetdeltacount", "host", "first_flow_epoch", "percenttotal", "avg_rate", "r\195\169seau", "a b", "x#2",
  "min_" }
local TEXTS = { "", "10.1.2.3", "NA", "--", "Ni\195\177o \"x\" \\ /", "\240\159\152\128\n", "56.45 %", "ipfix (4739 - UDP)", ("long "):rep(80) }
local REALS = { "0.5", "-1.25", "1e3", "2.5E-3", "0.1", "123456789.123", "-0.0" }

---------------------------------------------------------------------------------------------------------------------- making answers

local function digits(chance)
  local length = chance(chance(4) == 1 and 25 or 12)
  local out = { ("%d"):format(chance(9)) }
  for i = 2, length do out[i] = ("%d"):format(chance(10) - 1) end
  return (chance(8) == 1 and "-" or "") .. table.concat(out)
end

local function numeric_text(chance)
  local pick = chance(10)
  if pick == 1 then return "0" end
  if pick == 2 then return REALS[chance(#REALS)] end
  return digits(chance)
end

-- What a column of the answer is like; it may bring a name a second time.
local function make_column(chance)
  local name = NAMES[chance(#NAMES)]
  local flag = chance(4) == 1
  return {
    name = name, bbp = flag,
    numeric = flag or name:find "^sum_" ~= nil or name:find "^avg_" ~= nil or name:find "^min_" ~= nil or name:find "_epoch$" ~= nil,
  }
end

local function raw_value(chance, column)
  local pick = chance(10)
  if pick == 1 then return NULL end
  if column.numeric then return pick == 2 and plain(numeric_text(chance)) or numeric_text(chance) end
  return TEXTS[chance(#TEXTS)]
end

local function make_cell(chance, column)
  local parts = { "rawValue", raw_value(chance, column), "label", TEXTS[chance(#TEXTS)], "title", TEXTS[chance(#TEXTS)] }
  local odd = array { plain "1", object("rawValue", "no"), NULL }
  local unread = { "klasstd", "alignLeft", "dataJson", '{"column":"' .. column.name .. '"}', "odd", odd }
  for i = 1, chance(4) * 2 - 2 do parts[#parts + 1] = unread[i] end
  if chance(9) == 1 then table.remove(parts, 1) table.remove(parts, 1) end -- no rawValue at all
  return object((table.unpack or unpack)(parts))
end

local function make_answer(chance)
  local columns, heads, rows = {}, {}, {}
  if chance(3) > 1 then heads[1] = answers.rank_column() end
  local ranked = #heads
  for i = 1, chance(6) do
    columns[i] = make_column(chance)
    heads[ranked + i] = answers.column(columns[i].name, columns[i].bbp and { colHasBbp = plain "1" } or nil)
  end
  for r = 1, chance(30) - 1 do
    local cells = { ranked == 1 and answers.rank(r) or nil }
    for i, column in ipairs(columns) do cells[ranked + i] = make_cell(chance, column) end
    rows[r] = array(cells)
  end
  local direction = object("columns", array(heads), "rows", array(rows), "totalRowCount", tostring(#rows), "footer", array {})
  return answers.report("inbound", direction), columns, ranked == 1
end

---------------------------------------------------------------------------------------------------------------------- reading them otherwise

-- The exact value of a numeric column's text, by this Lua's own means; a text that no number holds is its own value.
local function number_of(text)
  if text:find "[.eE]" then return tonumber(text) end
  if math.type then
    local value = math.tointeger(tonumber(text))
    return value and tostring(value) == text and value or text
  end
  local value = tonumber(text)
  return math.abs(value) <= 2 ^ 53 and ("%.0f"):format(value) == text and value or text
end

-- Row fields' names: the second column of one name is name#2; and so on past names that are taken.
local function field_names(columns)
  local taken, names, seconds = {}, {}, {}
  for i, column in ipairs(columns) do
    local name, n = column.name, seconds[column.name] or 1
    while taken[name] do
      n = n + 1
      name = column.name .. "#" .. n
    end
    seconds[column.name] = n
    taken[name], names[i] = true, name
  end
  return names
end

-- The text of each raw value is asked of lua-cjson with bare numbers quoted first: it would round them.
local function read_otherwise(text, columns, ranked)
  local quoted = text:gsub('("[^"]-"%s*:%s*)(%-?%d[%d.eE+-]*)(%s*[,}])', '%1"%2"%3')
  local table_ = cjson.decode(quoted).report.table.inbound
  local names, rows = field_names(columns), {}
  local skip = ranked and 1 or 0
  for r, cells in ipairs(table_.rows) do
    local row = {}
    if ranked then row.rank = number_of(cells[1].label) end
    for i, column in ipairs(columns) do
      local raw = cells[skip + i].rawValue
      if raw ~= nil and raw ~= cjson.null then row[names[i]] = column.numeric and number_of(raw) or raw end
    end
    rows[r] = row
  end
  return rows, names
end

local function must_be(rows, expected, what)
  if #rows ~= #expected then error(what .. ": " .. #rows .. " rows for " .. #expected) end
  for r, row in ipairs(expected) do
    for name, value in pairs(row) do
      local got = rows[r][name]
      if got ~= value or math.type and math.type(got) ~= math.type(value) then
        error(("%s, row %d: %s is %s, not %s"):format(what, r, name, tostring(got), tostring(value)))
      end
    end
    for name in pairs(rows[r]) do
      if row[name] == nil then error(("%s, row %d: %s should not be there"):format(what, r, name)) end
    end
  end
end

---------------------------------------------------------------------------------------------------------------------- specs

-- Where rows come before columns whose names do not tell that they hold numbers, texts were given: that is an error.
local function is_late(err, pieces)
  local text = table.concat(pieces)
  return err.kind == "changed" and err.message:find("has numbers", 1, true) and text:find '"rows"' < text:find '"columns"'
end

describe("made-up answers", function()
  local function each(seed, visit)
    local chance = answers.chance(seed)
    for i = 1, MANY do
      local answer, columns, ranked = make_answer(chance)
      -- Rows are guessed from the rows before them where keys keep their order: every other answer does.
      local style = { seed = i % 2 == 0 and i or nil, pretty = i % 3 == 0, escapes = i % 5 == 0 and 6 or nil }
      local text = answers.write(answer, style)
      local expected, names = read_otherwise(text, columns, ranked)
      local pieces = i % 4 == 0 and answers.bytes(text) or i % 4 == 1 and { text } or answers.cuts(text, chance, chance(400))
      visit("answer " .. i, pieces, expected, names, chance)
    end
  end

  it("give the rows that lua-cjson finds in them", function()
    each(11, function(what, pieces, expected, names)
      local rows, report, err = answers.feed(scrutinizer.decoder { direction = "inbound" }, pieces)
      if err and is_late(err, pieces) then return end
      assert.is_nil(err, what)
      must_be(rows, expected, what)
      assert.equal(#expected, report.total)
      for i, name in ipairs(names) do assert.equal(name, report.columns[#report.columns - #names + i].name) end
    end)
  end)

  it("give the same of some columns", function()
    each(12, function(what, pieces, expected, names, chance)
      local select, wanted = {}, {}
      for i, name in ipairs(names) do
        if chance(2) == 1 then
          select["f" .. i] = name
          wanted["f" .. i] = name
        end
      end
      if next(select) == nil then return end
      for r, row in ipairs(expected) do
        local some = {}
        for field, name in pairs(wanted) do some[field] = row[name] end
        expected[r] = some
      end
      local rows, _, err = answers.feed(scrutinizer.decoder { direction = "inbound", select = select }, pieces)
      assert.is_nil(err, what)
      must_be(rows, expected, what)
    end)
  end)
end)

describe("whole documents", function()
  -- Deeply: tables key by key, numbers to the last bit.
  local function same(a, b, path)
    if type(b) ~= "table" then
      if a ~= b then error(("%s: %s is not %s"):format(path, tostring(a), tostring(b))) end
      return
    end
    if type(a) ~= "table" then error(path .. ": no table") end
    for k, v in pairs(b) do same(a[k], v, path .. "." .. tostring(k)) end
    for k in pairs(a) do
      if b[k] == nil then error(path .. "." .. tostring(k) .. " should not be there") end
    end
  end

  it("are what lua-cjson reads, in one go and token by token", function()
    local chance = answers.chance(13)
    for i = 1, MANY do
      local text = answers.write((make_answer(chance)), { seed = i, pretty = i % 2 == 0, escapes = i % 3 == 0 and 3 or nil })
      -- As text, whole numbers are compared to the last digit.
      local quoted = text:gsub('("[^"]-"%s*:%s*)(%-?%d+)(%s*[,}])', '%1"%2"%3')
      local expected = cjson.decode(quoted)
      same(scrutinizer.decode(quoted), expected, "document " .. i)
      same(scrutinizer.decode(quoted, { utf8 = "error" }), expected, "document " .. i)
      local whole = text:match '"rawValue"%s*:%s*(%-?%d+)%s*[,}]'
      if whole then assert.equal(number_of(whole), scrutinizer.decode(whole)) end
    end
  end)
end)
