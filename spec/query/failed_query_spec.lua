-- Which query failed: errors say it, and what runs a query can be asked for it. Against the sandbox over TLS.
local cjson = require "cjson"
local support = require "spec.support"

local FROM, TO = "2026-03-01T10:00:00Z", "2026-03-01T12:00:00Z"

describe("a failed query", function()
  local client
  before_each(function()
    support.clear()
    client = support.connect()
  end)

  local function hosts() return client:report("srcHosts"):between(FROM, TO):inbound():limit(3) end

  local function is_of(err, query, report, direction, window)
    assert.equal(query, err.query)
    assert.same({ report, direction, window }, { err.report, err.direction, err.window })
    assert.matches((' (report "%s", %s, %s)'):format(report, direction, window), tostring(err), 1, true)
  end

  it("is told from five others in a loop", function()
    local queries = {}
    for i, day in ipairs { "2026-03-01", "2026-03-02", "2026-03-03" } do
      queries[i] = client:report("srcHosts"):timezone("UTC"):day(day):outbound():limit(2)
      queries[i + 3] = client:report("dstHosts"):timezone("UTC"):day(day):limit(2)
    end
    local failed
    for i, query in ipairs(queries) do
      if i == 5 then support.faults { { kind = "500" } } end
      local good, err = pcall(function() for _ in query:rows() do assert(true) end end)
      if not good then failed = err end
    end
    is_of(failed, queries[5], "dstHosts", "inbound", "day 2026-03-02")
    local list, count = client:gather { queries[1], queries[2]:order_by "nonsense", queries[3] }
    assert.equal(1, count)
    assert.equal("day 2026-03-02", list[2].error.window)
    assert.equal("srcHosts", list[2].error.query._spec.type)
    local lines = {}
    for line in tostring(list):gmatch "[^\n]+" do lines[#lines + 1] = line end
    assert.equal(4, #lines)
    assert.equal("3 reports", lines[1])
    assert.equal(tostring(list[1]), lines[2])
    assert.equal(tostring(list[2].error), lines[3])
  end)

  it("is named by every way to run it", function()
    for _, method in ipairs { "fetch", "first", "count", "columns", "series", "rates", "pie", "interval" } do
      support.faults { { kind = "500" } }
      local query = hosts()
      local got, err = query[method](query)
      assert.is_nil(got, method)
      is_of(err, query, "srcHosts", "inbound", "1772359200 to 1772366400")
    end
    support.faults { { kind = "500" } }
    local query = hosts()
    local _, err = query:aggregate { count = true }
    is_of(err, query, "srcHosts", "inbound", "1772359200 to 1772366400")
    support.faults { { kind = "500" } }
    local cursor = query:rows()
    _, err = cursor:next()
    is_of(err, query, "srcHosts", "inbound", "1772359200 to 1772366400")
    assert.equal(err, select(2, cursor:next()))
    cursor = query:rows()
    assert(cursor:next())
    cursor:close()
    _, err = cursor:next()
    is_of(err, query, "srcHosts", "inbound", "1772359200 to 1772366400")
    for _, method in ipairs { "request", "url", "curl" } do
      local named = hosts():exporter "core-9"
      err = select(2, named[method](named))
      assert.equal(named, err.query)
    end
  end)

  it("goes on from its error", function()
    local query = client:report("srcHosts"):between(FROM, TO):inbound():page_size(2):limit(4)
    local whole = assert(query:fetch()).rows
    local cursor = query:rows()
    local rows = { (cursor:next()), (cursor:next()) }
    support.faults { { kind = "404" } }
    local row, err = cursor:next()
    assert.is_nil(row)
    for _, rest in ipairs(assert(err.query:resume(err):fetch()).rows) do rows[#rows + 1] = rest end
    support.same_rows(whole, rows, 1, 4)
  end)

  it("goes on in the failed run's window, also where it was moved or counted back", function()
    for _, query in ipairs { client:report("srcHosts"):timezone("UTC"):day(-1), client:report("srcHosts"):timezone("UTC"):last("1d"):shift "-1d" } do
      local cursor = query:page_size(2):limit(4):rows()
      assert(cursor:next())
      assert(cursor:next())
      support.faults { { kind = "404" } }
      local _, err = cursor:next()
      assert.equal(86400, err.resume.to - err.resume.from)
      local sent = cjson.decode(query:resume(err):request().rpt_json).times
      assert.same({ err.resume.from, err.resume.to }, { sent.start, sent["end"] })
    end
  end)

  it("is no member of its error: what saves an error does not reach it", function()
    support.faults { { kind = "500" } }
    local _, err = hosts():fetch()
    for name in pairs(err) do assert.is_true(name ~= "query") end
    local text = cjson.encode(err)
    assert.is_nil(text:find(support.sandbox().token, 1, true))
    assert.equal("srcHosts", cjson.decode(text).report)
  end)

  it("lets its error go", function()
    local weak = setmetatable({}, { __mode = "v" })
    support.faults { { kind = "500" } }
    do
      local _, err = hosts():fetch()
      weak.err, weak.query = err, err.query
    end
    support.collect()
    assert.same({}, { weak.err, weak.query })
  end)
end)

describe("the columns of a query", function()
  local client
  support.client_for_each(function(made) client = made end)

  local function day(report_type) return client:report(report_type):between("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"):inbound() end

  it("are those of its report, asked for with one row", function()
    local columns = assert(day("host2host"):limit(100):page_size(50):offset(7):columns())
    local log = support.log()
    assert.equal(1, #log)
    local fields = {}
    for _, pair in ipairs(log[1].fields) do fields[pair[1]] = pair[2] end
    assert.equal('{"inbound":{"table":{"query_limit":{"max_num_rows":1,"offset":0}}}}', fields.data_requested)
    local report = assert(day("host2host"):limit(1):fetch())
    assert.same(report.columns, columns)
    assert.equal("rank", columns[1].name)
    assert.same(columns, client:report("host2host"):columns()) -- of the last hour
    assert.same(columns, client:columns "host2host")
    assert.matches("^%d+ columns: name, numeric, label, title\nrank  true", tostring(columns))
  end)

  it("are the fields of its selection, in order", function()
    local columns = assert(day("host2host"):select({ b = "sum_octetdeltacount", a = "sourceipaddress", c = "sum_octetdeltacount.label", d = "none?",
      e = "direction", f = "rank" }):columns())
    local short = {}
    for i, column in ipairs(columns) do short[i] = { column.name, column.column, column.numeric } end
    assert.same({ { "a", "sourceipaddress", false }, { "b", "sum_octetdeltacount", true }, { "c", "sum_octetdeltacount", false },
      { "e", "direction", false }, { "f", "rank", true } }, short)
    local row = day("host2host"):select({ a = "sourceipaddress", b = "sum_octetdeltacount", c = "sum_octetdeltacount.label" }):first()
    for i = 1, 3 do assert.equal(short[i][3] and "number" or "string", type(row[short[i][1]])) end
  end)

  it("must have the one that it is ordered by, before the first row", function()
    local wrong = day("host2host"):order_by "nonsense"
    local function refused(got, err)
      assert.is_nil(got)
      assert.equal("api", err.kind)
      assert.matches("^no column 'nonsense' to order by in this report; it has: rank, sourceipaddress, ", err.message)
    end
    for _, method in ipairs { "fetch", "first", "count", "series", "pie", "columns" } do refused(wrong[method](wrong)) end
    refused(wrong:aggregate { count = true })
    refused(wrong:both():rows():next())
    refused(wrong:select("sourceipaddress"):rows():next())
    refused(wrong:page_size(2):rows():next())
    for _, first in ipairs { "always", "never" } do
      support.switches { rows_before_columns = first }
      refused(wrong:rows():next())
      refused(wrong:outbound():rows():next())
    end
    assert.is_truthy(day("host2host"):order_by("sum_packetdeltacount"):select("sourceipaddress"):first())
    support.clear()
  end)

  it("are not held against what :set said", function()
    local good, err = day("host2host"):set("orderBy", "nonsense"):limit(1):fetch()
    assert.is_truthy(good, tostring(err))
    support.clear()
  end)
end)

describe("results", function()
  it("say their direction, and print themselves", function()
    support.clear()
    local client = support.connect()
    local query = client:report("srcHosts"):between(FROM, TO):limit(2)
    for _, direction in ipairs { "inbound", "outbound", "both" } do
      local q = query[direction](query)
      local report, cursor = assert(q:fetch()), q:rows()
      assert.same({ direction, "srcHosts", "1772359200 to 1772366400" }, { report.direction, report.type, report.window })
      assert.equal(direction, cursor.direction)
      assert.matches('^scrutinizer%.Report: "srcHosts", ' .. direction .. ", 1772359200 to 1772366400, %d of %d+ rows$", tostring(report))
      assert.equal('scrutinizer.Cursor: "srcHosts", ' .. direction .. ", 1772359200 to 1772366400", tostring(cursor))
      assert.is_nil(getmetatable(report.rows[1]))
      cursor:close()
    end
    local groups = assert(query:aggregate { by = { "sourceipaddress" }, count = true })
    assert.matches("^2 groups: count, sourceipaddress\n1  %d+%.%d+%.%d+%.%d+\n1  ", tostring(groups))
    assert.matches("^%d series: direction, label, dns, interval, points, missing\ninbound  ", tostring(assert(query:granularity(5):series())))
    assert.matches("^%d parts: direction, label, dns, other\ninbound  ", tostring(assert(query:pie())))
    assert.matches("^4 exporters: ip, name, dns, sysname, label\n192%.0%.2%.1  core%-1  ", tostring(assert(client.exporters:list())))
    assert.matches("^4 devices: ip, name\n192%.0%.2%.1  core%-1\n", tostring(assert(client.devices:list())))
    assert.matches("^10 interfaces: exporter, index, name, speed\n192%.0%.2%.1  %d+  ",
      tostring(assert(client.interfaces:list { exporter = "192.0.2.1" })))
    assert.same({}, support.violations())
  end)
end)
