-- Rows are tested in the core, however the answer is cut: keep.py writes the rows and says which of them each condition keeps.
local core = require "scrutinizer.core"
local json = require "cjson"
local keep = require "scrutinizer.query.keep"
local projection = require "scrutinizer.report.projection"
local support = require "spec.support"

local python = json.decode(support.shell "python3 spec/core/keep.py")

-- What select calls the columns that the program tests.
local FIELDS = { ip = "ip", n = "sum_n", t = "t", label = "ip.label" }

local function tests_of(conditions)
  local named = {}
  for field, condition in pairs(conditions) do named[FIELDS[field]] = condition end
  local kept = assert(keep.conditions(named))
  return core.keep(assert(projection.tests { type = "x", kept = kept, conditions = {}, filters = {}, fields = {} }))
end

-- The ranks of the rows that are kept of a text in pieces.
local function read(pieces, tests, more)
  local given = { inbound = true, max_body = 2 ^ 50, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 26, keep = tests,
    projection = { { field = "rank", column = "rank" } } }
  for name, value in pairs(more or {}) do given[name] = value or nil end
  local decoder, ranks = core.decoder(given), {}
  local function take()
    local row = decoder:next()
    while row do
      ranks[#ranks + 1] = row.rank
      row = decoder:next()
    end
  end
  for _, piece in ipairs(pieces) do
    assert(decoder:feed(piece))
    take()
  end
  assert(decoder:finish())
  take()
  local dropped, skipped, cut = decoder:dropped(1)
  decoder:close()
  return ranks, dropped, skipped, cut
end

local function pieces_of(text, size)
  local pieces = {}
  for at = 1, #text, size do pieces[#pieces + 1] = text:sub(at, at + size - 1) end
  return pieces
end

describe("tests of rows", function()
  it("prove something: each condition keeps some rows and drops some", function()
    local all_or_none = 0
    for i in ipairs(python.conditions) do
      if #python.many.kept[i] == 0 or #python.many.kept[i] == 400 then all_or_none = all_or_none + 1 end
    end
    assert.is_true(#python.conditions > 70)
    assert.is_true(all_or_none < 6, all_or_none .. " conditions keep none or all")
  end)

  for i, condition in ipairs(python.conditions) do
    it("keep what Python keeps: " .. json.encode(condition), function()
      local tests = tests_of(condition)
      for _, size in ipairs { #python.many.text, 1, 97, 701, 4096 } do
        local ranks, dropped = read(pieces_of(python.many.text, size), tests)
        assert.same(python.many.kept[i], ranks, "in pieces of " .. size)
        assert.equal(400 - #ranks, dropped)
      end
      local all = read(pieces_of(python.many.text, 701), tests, { projection = false, utf8 = "replace" })
      assert.same(python.many.kept[i], all)
    end)
  end

  it("keep the same wherever a cut goes", function()
    local text = python.few.text
    for i = 1, #python.conditions, 7 do
      local tests = tests_of(python.conditions[i])
      for at = 1, #text - 1 do
        assert.same(python.few.kept[i], (read({ text:sub(1, at), text:sub(at + 1) }, tests)), at)
      end
    end
  end)

  it("skip rows that they keep, give so many, and say whether more would come", function()
    for i = 1, #python.conditions, 3 do
      local wanted, tests = python.many.kept[i], tests_of(python.conditions[i])
      for _, quota in ipairs { { 0, 1 }, { 2, 3 }, { #wanted, 1 }, { 0, #wanted }, { 1, #wanted }, { 0, 0 } } do
        local skip, left = quota[1], quota[2]
        local expected = {}
        for n = skip + 1, math.min(skip + left, #wanted) do expected[#expected + 1] = wanted[n] end
        local ranks, dropped, skipped, cut = read(pieces_of(python.many.text, 701), tests, { quotas = { { skip = skip, left = left } } })
        assert.same(expected, ranks)
        assert.equal(400 - #expected, dropped)
        assert.equal(math.min(skip, #wanted), skipped)
        assert.equal(#wanted > skip + left, cut)
      end
    end
  end)

  it("give a page's first row untested, for it proves the page's place", function()
    local tests = tests_of { t = "no row has this" }
    local ranks, dropped = read(pieces_of(python.many.text, 97), tests, { quotas = { { overlap = true } } })
    assert.same({ 1 }, ranks)
    assert.equal(399, dropped)
  end)

  it("say which column the answer lacks, before the first row", function()
    local conditions = assert(keep.conditions { nowhere = 1 })
    local tests = core.keep(projection.tests { type = "x", kept = conditions, conditions = {}, filters = {}, fields = {} })
    local decoder = core.decoder { inbound = true, max_body = 2 ^ 50, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 26, keep = tests }
    local ok, kind, message = decoder:feed(python.few.text)
    assert.is_nil(ok)
    assert.equal("api", kind)
    assert.equal("keep: no column 'nowhere' in this report; it has: rank, ip, sum_n, t", message)
    assert.is_false((decoder:next()))
  end)

  it("read the field that they say, else that of the test around them", function()
    local tests = core.keep { fields = { { column = "ip" }, { column = "t" } },
      test = { field = 1, all = { { field = 2, begins = "H" }, { contains = "." }, { no = { field = 2, contains = "S" } }, { contains = ".0." } } } }
    local cell = '[{"label":"%d"},{"rawValue":"%s"},{"rawValue":"%s"}]'
    local columns = '[{"title":"Rank","label":""},{"elementName":"ip"},{"elementName":"t"}]'
    local text = ('{"report":{"table":{"inbound":{"columns":%s,"rows":[%s,%s,%s]}}}}'):format(columns,
      cell:format(1, "10.0.0.1", "HTTP"), cell:format(2, "1", "H.0."), cell:format(3, "10.0.0.1", "HTTPS"))
    assert.same({ 1 }, (read({ text }, tests)))
  end)

  it("are refused where they are none", function()
    local fields = { { column = "a" } }
    for _, options in ipairs {
      {}, { fields = fields }, { fields = fields, test = {} }, { fields = fields, test = { begins = "x" } },
      { fields = {}, test = { field = 1, begins = "x" } },
      { fields = fields, test = { field = 2, begins = "x" } }, { fields = fields, test = { field = 1, one_of = { networks = { "x" } } } },
      { fields = fields, test = { field = 1, one_of = { networks = { "10.0.0.0/33" } } } },
      { fields = fields, test = { field = 1, between = { min = "x" } } },
      { fields = fields, test = { field = 1, one_of = { numbers = { "01" } } } }, { fields = { {} }, test = { field = 1, begins = "x" } },
      { fields = fields, test = { all = 1 } }, { fields = fields, test = { no = "x" } },
    } do
      assert.is_false((pcall(core.keep, options)))
    end
    local deep = { field = 1, begins = "x" }
    for _ = 1, 40 do deep = { no = deep } end
    assert.is_false((pcall(core.keep, { fields = fields, test = deep })))
    assert.is_false((pcall(core.decoder, { inbound = true, max_body = 1, max_depth = 1, max_row = 1, max_held = 1, keep = core.ties(100) })))
  end)
end)
