-- Rows are tested in the core, however the answer's bytes are cut: Python writes the rows and says which of them each condition keeps.
local core = require "scrutinizer.core"
local json = require "cjson"
local keep = require "scrutinizer.query.keep"
local projection = require "scrutinizer.report.projection"
local support = require "spec.support"

local PROGRAM = [==[
import ipaddress, json, random, re
from decimal import Decimal
random.seed(20261127)
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")
ADDRESSES = ["10.0.0.1", "10.0.0.255", "10.0.1.0", "10.255.255.255", "11.0.0.0", "9.255.255.255", "192.0.2.7", "010.0.0.1", "10.0.0", "10.0.0.256",
    "2001:db8::1", "2001:DB8:0:0:0:0:0:1", "2001:db8:ffff::", "2001:db9::", "::ffff:10.0.0.1", "::", "fe80::7..0f:a88e", "fe80::1%eth0", "1::2::3",
    "1:2:3:4:5:6:7::", "::1.2.3.4", "", "host-10.0.0.1", "10.0.0.1 ", "255.255.255.255", "0.0.0.0"]
NUMBERS = ["0", "-0", "1", "999", "1000", "1001", "1e3", "1000.0", "1000.5", "9007199254740992", "9007199254740993", "9223372036854775807",
    "9223372036854775808", "18446744073709551615", "18446744073709551616", "-9223372036854775808", "-9223372036854775809", "0.1", "0.10", "1e400",
    "1e-400", "123456789012345678901234567890.000000000000000000001", "123456789012345678901234567890", "-1", "-0.0", "12e-1", "1.2"]
APPS = ["HTTP (80 - TCP)", "HTTPS (443 - TCP)", "https", "DNS", "", "ipfix (4739 - UDP)", "a\"b\\c", "zürich", "443", "443.0", "53", "HTT", "xHTTP", "aab", "aaab"]

def row(i):
    a = random.choice(ADDRESSES) if random.random() < 0.9 else None
    n = random.choice(NUMBERS) if random.random() < 0.9 else None
    t = random.choice(APPS) if random.random() < 0.9 else None
    return {"i": i, "ip": a, "n": n, "t": t, "label": "row %d%s" % (i, random.choice(["", "", " é", ' "q"']))}

def is_address(text):
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None

def network_of(text):
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        return None

def decimal(text):
    return Decimal(text) if NUMBER.match(text) else None

def holds(c, value, numeric):
    if isinstance(c, list):
        return any(holds(x, value, numeric) for x in c)
    if isinstance(c, dict):
        parts = []
        for name, x in c.items():
            if name == "no":
                parts.append(not holds(x, value, numeric))
            elif value is None:
                parts.append(False)
            elif name in ("begins", "contains"):
                texts = x if isinstance(x, list) else [x]
                parts.append(any(value.startswith(t) if name == "begins" else t in value for t in texts))
            else:
                n, bound = decimal(value), Decimal(str(x))
                parts.append(n is not None and (n >= bound if name == "min" else n <= bound))
        return all(parts)
    if value is None:
        return False
    if isinstance(c, str) and not numeric:
        if c == value:
            return True
        a, n = is_address(value), network_of(c)
        return "%" not in value and a is not None and n is not None and a.version == n.version and a in n
    n, wanted = decimal(value), decimal(str(c))
    return n is not None and n == wanted

CONDITIONS = [{"ip": c} for c in ["10.0.0.0/8", "10.0.0.0/24", "10.0.0.1", "10.0.0.1/32", "0.0.0.0/0", "::/0", "2001:db8::/32", "2001:db8::1", "2001:0db8::0001",
    "fe80::7..0f:a88e", "", ["10.0.0.1", "192.0.2.0/24", "2001:db8::/33"], {"no": "10.0.0.0/8"}, {"no": {"no": "10.0.0.0/8"}}, {"begins": "10.0.0."}, {"contains": "::"},
    {"no": ["0.0.0.0/0", "::/0"]}, ["10.0.0.0/9", "10.0.0.0/16", "10.128.0.0/9"], ["255.255.255.255", "0.0.0.0"], "::ffff:10.0.0.1", "255.255.255.255/32"]]
CONDITIONS += [{"n": c} for c in [1000, "1000", "1e3", 0, "-0", "9007199254740993", "9223372036854775808", {"min": 1000}, {"max": 1000}, {"min": 1000, "max": 1001},
    {"min": "9223372036854775807"}, {"min": "9223372036854775808"}, {"max": "-9223372036854775809"}, {"min": 0.1, "max": 0.1}, {"min": "1e400"}, {"max": "1e-400"},
    {"min": "0", "max": "1e-399"}, {"no": {"min": 1}}, {"no": 0}, [1, 999, "18446744073709551615"], {"min": "123456789012345678901234567890.0000000000000000000001"},
    {"begins": "9"}, {"contains": "."}, "HTTP", {"min": 1.2, "max": "12e-1"}, {"no": [{"min": 1000}, "0.1"]}]]
CONDITIONS += [{"t": c} for c in ["DNS", ["DNS", "https"], {"begins": "HTTP"}, {"begins": ["HTTP", "ip"]}, {"contains": "443"}, {"contains": ["aab", "ür"]}, {"no": {"begins": "HTTP"}},
    443, "443", 443.0, {"min": 53, "max": 443}, "a\"b\\c", {"contains": "\\"}, "zürich", "", {"begins": "HTT", "contains": "443"}, {"begins": "HTTP", "no": {"contains": "443"}},
    {"no": ""}, [{"begins": "x"}, {"contains": "aa"}, "DNS"], {"no": {"no": {"no": "DNS"}}}, {"contains": "aab"}]]
CONDITIONS += [{"label": {"contains": "é"}}, {"label": "row 7"}, {"label": {"begins": "row 1"}, "ip": "10.0.0.0/8"},
    {"ip": "10.0.0.0/8", "n": {"min": 1}, "t": {"no": {"begins": "HTTP"}}}, {"n": {"no": 1000}, "label": {"no": {"contains": "q"}}}]

def cell(value, label):
    return json.dumps({"rawValue": value, "label": label, "title": "x"}, ensure_ascii=random.random() < 0.5)

def answer(rows):
    columns = [{"title": "Rank", "label": ""}, {"elementName": "ip", "label": "l"}, {"elementName": "sum_n", "label": "l"}, {"elementName": "t", "label": "l"}]
    out = ["[%s,%s,%s,%s]" % (json.dumps({"title": "Rank: %d" % r["i"], "label": str(r["i"])}), cell(r["ip"], r["label"]), cell(r["n"], "NA"), cell(r["t"], "t")) for r in rows]
    return '{"report":{"table":{"inbound":{"columns":%s,"rows":[%s],"totalRowCount":"%d"}}}}' % (json.dumps(columns), ",".join(out), len(rows))

def kept(rows):
    return [[r["i"] for r in rows if all(holds(c, r[f], f == "n") for f, c in condition.items())] for condition in CONDITIONS]

many, few = [row(i) for i in range(1, 401)], [row(i) for i in range(1, 13)]
print(json.dumps({"conditions": CONDITIONS, "many": {"text": answer(many), "kept": kept(many)}, "few": {"text": answer(few), "kept": kept(few)}}))
]==]

local function read_program()
  local path = os.tmpname()
  support.write(path, PROGRAM)
  local said = support.shell("python3 " .. path)
  os.remove(path)
  return json.decode(said)
end
local python = read_program()

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

  it("are refused where they are none", function()
    local fields = { { column = "a" } }
    for _, options in ipairs {
      {}, { fields = fields }, { fields = fields, test = {} }, { fields = fields, test = { begins = "x" } }, { fields = {}, test = { field = 1, begins = "x" } },
      { fields = fields, test = { field = 2, begins = "x" } }, { fields = fields, test = { field = 1, one_of = { networks = { "x" } } } },
      { fields = fields, test = { field = 1, one_of = { networks = { "10.0.0.0/33" } } } }, { fields = fields, test = { field = 1, between = { min = "x" } } },
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
