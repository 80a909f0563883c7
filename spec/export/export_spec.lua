-- Rows to files: exact text, whole files or none, constant memory.
local ascii = require "scrutinizer.ascii"
local export = require "scrutinizer.export"
local support = require "spec.support"

local function text_of(kind, source, options)
  local parts = {}
  local rows, err = export[kind](source, function(text) parts[#parts + 1] = text end, options)
  assert.is_nil(err)
  return table.concat(parts), rows
end

local function temporary()
  local path = os.tmpname()
  os.remove(path)
  return path
end

local function exists(path)
  local file = io.open(path, "rb")
  if file then file:close() end
  return file ~= nil
end

local function siblings(path)
  return support.shell("ls -a " .. support.quote(path) .. "* 2>/dev/null")
end

local EVIL = { { name = '=cmd()|"x"', n = -5, note = "a,b" }, { name = "+1 `id`\r\n", n = 2 ^ 53 - 1, note = "\27[31m\0é\255" } }
local ORDER = { "name", "n", "note" }

describe("export.csv", function()
  it("writes RFC 4180: quotes doubled, breaks kept, CR LF, exact digits", function()
    local text, rows = text_of("csv", EVIL, { columns = ORDER })
    assert.equal(2, rows)
    assert.equal('name,n,note\r\n"=cmd()|""x""",-5,"a,b"\r\n"+1 `id`\r\n",9007199254740991,\27[31m\0é\255\r\n', text)
  end)

  it("has the fields of all rows of a list, also those that the first row lacks", function()
    assert.equal("a,b,c\n1,,\n,2,\n,,3\n", (text_of("csv", { { a = 1 }, { b = 2 }, { c = 3 } }, { newline = "\n" })))
    assert.equal("a,b\n1,\n,2\n", (text_of("csv", { rows = { { a = 1 }, { b = 2 } } }, { newline = "\n" })))
  end)

  it("guards against formulas when asked, and leaves numbers alone", function()
    local rows = { { "=1+1" }, { "@x" }, { "-5" }, { -5 }, { "-x" }, { "\t=1" }, { "plain" }, { "9223372036854775808" } }
    for i, row in ipairs(rows) do rows[i] = { v = row[1] } end
    assert.equal("v\n'=1+1\n'@x\n-5\n-5\n'-x\n'\t=1\nplain\n9223372036854775808\n", (text_of("csv", rows, { guard = true, newline = "\n" })))
  end)

  it("reads back by Python's csv module", function()
    local path = temporary()
    assert.equal(2, (export.csv(EVIL, path, { columns = ORDER })))
    local command = "import csv,sys; print([r for r in csv.reader(open(sys.argv[1], newline='', encoding='latin-1'))][1:])"
    assert.equal([==[[['=cmd()|"x"', '-5', 'a,b'], ['+1 `id`\r\n', '9007199254740991', '\x1b[31m\x00Ã©ÿ']]
]==], (support.shell(("python3 -c %s %s"):format(support.quote(command), path)):gsub("\r", "")))
    os.remove(path)
  end)

  it("takes separators, headers, and what stands for nothing", function()
    local rows = { { a = "x;y", b = 1.5 }, { b = 0.1 } }
    local text = text_of("csv", rows, { separator = ";", null = "-", columns = { { field = "a", header = "A;" }, "b" }, newline = "\n" })
    assert.equal('"A;";b\n"x;y";1.5\n-;0.1\n', text)
    assert.equal("1.5\n0.1\n", (text_of("csv", rows, { header = false, columns = { "b" }, newline = "\n" })))
  end)
end)

describe("export.ndjson", function()
  it("writes what any JSON reader takes, texts as UTF-8", function()
    local text = text_of("ndjson", EVIL, { columns = ORDER })
    assert.equal('{"name":"=cmd()|\\"x\\"","n":-5,"note":"a,b"}\n'
      .. '{"name":"+1 `id`\\r\\n","n":9007199254740991,"note":"\\u001b[31m\\u0000é\239\191\189"}\n', text)
  end)

  it("leaves out what is absent and keeps digits that no number holds", function()
    assert.equal('{"b":"18446744073709551616"}\n', (text_of("ndjson", { { b = "18446744073709551616" } }, { columns = { "a", "b" } })))
  end)
end)

-- Values of all kinds, as strangers might have made them.
local function odd_rows(count)
  local seed = 7
  local function random(n)
    seed = (seed * 16807) % 2147483647
    return seed % n
  end
  local BYTES = { '"', "'", ",", "\r", "\n", "\\", "\0", "\27", "\127", "\194", "\195\169", "\226\130\172", "\240\159\152\128",
    "\237\160\128", "\255", "=", "-", "a", "7", " " }
  local NUMBERS = { 0, -1, 7, 2 ^ 53 - 1, -2 ^ 53 + 1, 0.1, -2.5e-7, 1e300, 1 / 3, 123456789012, 4294967296 }
  local rows = {}
  for i = 1, count do
    local parts = {}
    for n = 1, random(12) do parts[n] = BYTES[random(#BYTES) + 1] end
    rows[i] = { text = table.concat(parts), number = NUMBERS[random(#NUMBERS) + 1], flag = random(3) == 0 and i % 2 == 0 or nil }
  end
  return rows
end

describe("text of any kind", function()
  -- Python's csv and json modules read what was written; the rows go to them as hexadecimal bytes.
  local READER = [==[
import csv, io, json, sys
rows = [line.rstrip("\n").split(" ") for line in open(sys.argv[1])]
csv.field_size_limit(1 << 30)
read = list(csv.reader(io.StringIO(open(sys.argv[2], "rb").read().decode("latin-1"), newline="")))[1:]
lines = open(sys.argv[3], "rb").read().decode("utf-8").split("\n")
assert lines.pop() == ""
assert len(rows) == len(read) == len(lines), (len(rows), len(read), len(lines))
for row, cells, line in zip(rows, read, lines):
    text = bytes.fromhex(row[0][1:])
    assert cells[0].encode("latin-1") == text, (cells, text)
    assert float(cells[1]) == float(row[1]) and cells[2] == row[2][1:], (cells, row)
    value = json.loads(line)
    assert value["text"] == text.decode("utf-8", "replace"), (line, text)
    assert value["number"] == float(row[1]) and value.get("flag") == {"": None, "true": True, "false": False}[row[2][1:]], (line, row)
print("same")]==]

  it("comes back from Python as it was", function()
    local rows, folder = odd_rows(3000), support.folder()
    local file = assert(io.open(folder .. "/rows", "wb"))
    for _, row in ipairs(rows) do
      local hex = row.text:gsub(".", function(char) return ("%02x"):format(char:byte()) end)
      file:write(ascii.format("x%s %.17g x%s\n", hex, row.number, row.flag == nil and "" or tostring(row.flag)))
    end
    file:close()
    local columns = { columns = { "text", "number", "flag" } }
    assert.equal(3000, (export.csv(rows, folder .. "/csv", columns)))
    assert.equal(3000, (export.ndjson(rows, folder .. "/json", columns)))
    local out = support.shell(("python3 -c %s %s/rows %s/csv %s/json 2>&1"):format(support.quote(READER), folder, folder, folder))
    support.shell("rm -rf " .. folder)
    assert.equal("same\n", out)
  end)

  it("has numbers in their shortest exact form, and none that JSON lacks", function()
    local rows = { { n = 0.1 }, { n = -0.5 }, { n = 1e15 }, { n = 2 ^ 60 + 0.0 }, { n = 1e100 }, { n = 1 / 3 }, { n = 100 }, { n = -7 } }
    assert.equal("n\n0.1\n-0.5\n1000000000000000\n1.152921504606847e+18\n1e+100\n0.33333333333333331\n100\n-7\n",
      (text_of("csv", rows, { newline = "\n" })))
    assert.equal('{"n":null}\n{"n":null}\n{"n":true}\n{}\n{"n":null}\n',
      (text_of("ndjson", { { n = 0 / 0 }, { n = math.huge }, { n = true }, {}, { n = {} } }, { columns = { "n" } })))
    assert.equal("n\nxyz\nfalse\n",
      (text_of("csv", { { n = setmetatable({}, { __tostring = function() return "xyz" end }) }, { n = false } }, { newline = "\n" })))
  end)
end)

describe("export.table", function()
  it("aligns, puts numbers to the right with units, and shows control bytes", function()
    local rows = {
      { host = "10.0.0.1", sum_octetdeltacount = 192134567, n = 7 }, { host = "é\27[2J", sum_octetdeltacount = 999, n = 123456 },
      { host = "x", sum_octetdeltacount = 999950, n = 1 }, { host = "y" },
    }
    assert.equal([[
host      sum_octetdeltacount       n
10.0.0.1             192.1 MB       7
é\x1B[2J                999 B  123456
x                      1.0 MB       1
y
]], (text_of("table", rows, { columns = { "host", "sum_octetdeltacount", "n" } })))
    assert.matches("192134567", (text_of("table", rows, { columns = { "sum_octetdeltacount" }, units = false })))
    assert.matches("1%.5 Gb", (text_of("table", { { r = 1500000000 } }, { units = { r = "bits" } })))
  end)

  it("goes on past the rows that set the widths", function()
    local rows = {}
    for i = 1, 1000 do rows[i] = { a = ("x"):rep(i % 10), b = i } end
    local text, count = text_of("table", rows, {})
    assert.equal(1000, count)
    assert.equal(1001, select(2, text:gsub("\n", "")))
  end)
end)

describe("a file", function()
  it("appears when it is whole", function()
    local path = temporary()
    local before
    local rows = export.csv(function() before = exists(path) end, path, { columns = { "a" } })
    assert.equal(0, rows)
    assert.is_false(before)
    assert.equal("a\r\n", support.read(path))
    os.remove(path)
  end)

  it("is left as it was when the report breaks off, and nothing lies beside it", function()
    support.clear()
    local path = temporary()
    support.write(path, "old")
    support.faults { { kind = "truncate", at = 200000, times = 10 } }
    local query = support.connect({ retry = false }):report("custom_rows_10000"):range("LastHour")
    local rows, err = export.csv(query, path)
    assert.is_nil(rows)
    assert.equal("truncated", err.kind)
    assert.equal("old", support.read(path))
    assert.equal(path .. "\n", siblings(path))
    os.remove(path)
    support.clear()
  end)

  it("that cannot be made or written is an error of kind file", function()
    local _, err = export.csv({}, "/nonexistent/x.csv")
    assert.equal("file", err.kind)
    assert.equal(select(2, io.open "/nonexistent/x.csv"), err.message) -- the system's words, in its language
    local many = {}
    for i = 1, 20000 do many[i] = { a = i } end
    _, err = export.csv(many, "/dev/full")
    assert.equal("file", err.kind)
    assert.matches("^/dev/full: %S", err.message)
  end)

  it("is removed when a listener raises", function()
    local path = temporary()
    local many = {}
    for i = 1, 5000 do many[i] = { a = i } end
    local ok, message = pcall(export.csv, many, path, { on_progress = function() error("enough", 0) end })
    assert.is_false(ok)
    assert.equal("enough", message)
    assert.equal("", siblings(path))
  end)
end)

describe("a report", function()
  local client
  support.client_for_each(function(made) client = made end)

  local function day()
    local query = client:report("host2host"):between("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z")
    return query
  end

  it("comes out as CSV whose octets are the recorded flows' to the octet", function()
    local path = temporary()
    local last
    local rows = assert(export.csv(day():select { src = "sourceipaddress", octets = "sum_octetdeltacount" }, path,
      { on_progress = function(p) last = p end }))
    local sum = support.shell(("awk -F, 'NR>1{s+=$1}END{printf \"%%.0f\", s}' %s"):format(path))
    local flows = support.awk("NR>1{s+=$12}END{printf \"%.0f\", s}")
    assert.equal("octets,src\r", support.read(path):match "^[^\n]*")
    assert.equal(flows, sum)
    assert.equal(rows, last.rows)
    assert.equal(rows, last.total)
    assert.is_true(last.bytes > rows * 500)
    os.remove(path)
  end)

  it("has a header, and only that, when there are no rows", function()
    local text = text_of("csv", day():where { ip = "192.0.2.1" }:select("sourceipaddress", "rank"), { newline = "\n" })
    assert.equal("sourceipaddress,rank\n", text)
  end)

  it("takes wire order without select, direction first", function()
    local line = text_of("ndjson", day():both():limit(1)):match "^[^\n]*"
    assert.matches('^{"direction":"inbound","rank":1,"sourceipaddress":', line)
  end)

  it("exports a cursor under way, and a fetched report", function()
    local cursor = day():select("rank"):limit(5):rows()
    cursor:next()
    assert.equal("rank\n2\n3\n4\n5\n", (text_of("csv", cursor, { newline = "\n" })))
    local report = assert(day():limit(2):fetch())
    assert.matches("^rank,sourceipaddress,", (text_of("csv", report)))
    for _, query in ipairs { day():limit(2):select("sum_octetdeltacount", "percenttotal", "sourceipaddress"),
      day():both():limit(1):select { b = "rank", a = "x?" }, day():keep({ rank = 0 }):select("rank") } do
      for _, kind in ipairs { "csv", "ndjson" } do assert.equal((text_of(kind, query)), (text_of(kind, assert(query:fetch())))) end
    end
  end)

  it("refuses what no cell shows, such as a series' points, unless its columns are named", function()
    local series = assert(day():limit(1):series())
    for _, kind in ipairs { "csv", "ndjson", "table" } do
      local ok, message = pcall(function() export[kind](series, function() end) end)
      assert.is_false(ok)
      assert.matches('source: got a table; allowed: rows of plain values: "points" holds a table; say columns = {…}', message, 1, true)
    end
    assert.equal("label,missing\n" .. series[1].label .. ",0\n",
      (text_of("csv", { series[1] }, { newline = "\n", columns = { "label", "missing" } })))
  end)

  if not support.sanitized and not os.getenv "SANDBOX_CHECKED" then
    -- In a process of its own, whose collector does not wait for as much garbage again before it begins: 5.3 lets 3 MB lie.
    it("of 300,000 rows stays within 4 MB over idle", function()
      local box = support.sandbox()
      local path = temporary()
      support.write(path, ([[
        local scrutinizer, support = require "scrutinizer", require "spec.support"
        local client = assert(scrutinizer.connect { url = %q, token = %q, tls = { ca_file = %q } })
        local query = client:report("custom_rows_300000"):range("LastHour")
        collectgarbage("setpause", 100)
        support.collect()
        local idle, peak = support.rss(), 0
        local function look() peak = math.max(peak, support.rss()) end
        local rows = assert(require("scrutinizer.export").csv(query, "/dev/null", { on_progress = look }))
        print(("%%d rows, %%d KiB"):format(rows, math.max(0, peak - idle)))
      ]]):format(box.url, box.token, box.ca))
      local rows, grown = support.shell(support.lua .. " " .. path .. " 2>&1"):match "^(%d+) rows, (%d+) KiB\n$"
      os.remove(path)
      assert.equal("300000", rows)
      assert.is_true(tonumber(grown) <= 4096, grown .. " KiB")
    end)
  end
end)

describe("misuse", function()
  it("raises at the caller's line and says what is allowed", function()
    for _, case in ipairs {
      { function() export.csv(1, "x") end, "csv: source: got 1; allowed: a query" },
      { function() export.csv({}, 5) end, "csv: target: got 5" },
      { function() export.csv({}, "x", 5) end, "csv: options: got 5" },
      { function() export.csv({}, "x", { seperator = ";" }) end, 'did you mean "separator"' },
      { function() export.csv({}, "x", { separator = "ab" }) end, "csv: separator" },
      { function() export.csv({}, "x", { newline = "\r" }) end, "csv: newline" },
      { function() export.csv({}, "x", { columns = {} }) end, "columns" },
      { function() export.table({}, "x", { max_width = 1 }) end, "table: max_width" },
      { function() export.ndjson({}, "x", { header = true }) end, "ndjson: option" },
    } do
      local ok, message = pcall(case[1])
      assert.is_false(ok)
      assert.matches("export_spec%.lua:%d+: ", message)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end
  end)
end)
