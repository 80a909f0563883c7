-- Walks over pages, against an appliance that caps, loses, shuffles and changes: the rows are the report's, or the error is typed and the
-- rest can be asked for.
local core = require "scrutinizer.core"
local support = require "spec.support"

local walk = support.walk
local FROM, TO = 1795341600, 1795342800
local client, whole

local function report()
  local query = client:report("host2host"):between(FROM, TO)
  return query
end

local function same_rows(got, from, to) support.same_rows(whole, got, from, to) end

local function asked()
  local list = {}
  for i, entry in ipairs(support.log()) do
    local fields = {}
    for _, pair in ipairs(entry.fields) do fields[pair[1]] = pair[2] end
    local item = { times = core.decode(fields.rpt_json).times }
    for direction, set in pairs(core.decode(fields.data_requested)) do
      item[direction] = { set.table.query_limit.offset, set.table.query_limit.max_num_rows }
    end
    list[i] = item
  end
  return list
end

-- Offsets and counts that a walk must ask for: every further page begins with the last row given.
local function expected(count, size, limit, offset)
  offset = offset or 0
  local wanted, given, last = {}, 0, math.min(limit or count, count - offset)
  repeat
    local overlap = given > 0 and 1 or 0
    local max = overlap == 1 and math.max(size, 2) or size
    if limit then max = math.min(max, limit - given + overlap) end
    wanted[#wanted + 1] = { offset + given - overlap, max }
    given = math.min(last, given + max - overlap)
  until given >= last
  return wanted
end

local function same_requests(wanted)
  local got = asked()
  assert.equal(#wanted, #got)
  for i, item in ipairs(got) do assert.same(wanted[i], item.inbound) end
end

-- Nothing is lost and nothing comes twice when the walk is taken up after an error.
local function resumes(query, before, err)
  assert.is_table(err.resume, tostring(err))
  assert.equal(#before, err.resume.offset)
  support.clear()
  local rest, again = walk(query:resume(err))
  assert.is_nil(again)
  for _, row in ipairs(rest) do before[#before + 1] = row end
  same_rows(before, 1, #whole)
end

local function page_fault(page, ...)
  local list = {}
  if page > 1 then list[1] = { kind = "none", times = page - 1 } end
  list[#list + 1] = { ... }
  support.faults(list)
end

local function switch(name, value)
  return { kind = "switch", name = name, value = value }
end

support.client_for_each(function(made)
  client = made
  whole = whole or assert(report():fetch()).rows
  support.clear()
end)

describe("what makes a row the same row", function()
  local pages = require "scrutinizer.report.pages"

  local function cells(...)
    local list = {}
    for i = 1, select("#", ...) do list[i] = { rawValue = (select(i, ...)), label = "any" } end
    return list
  end

  it("is the value of each cell: none runs into another, and absent is not empty", function()
    local seen = {}
    for _, row in ipairs {
      cells("1", "23"), cells("12", "3"), cells("123"), cells("1,23"), cells("1", "2", "3"), cells("1,2", "3"), cells("", "123"), cells("123", ""),
      cells("-"), cells(core.null), cells(""), cells("1:1"), cells("1:1,1:2"), cells("1", "2"), cells({ "1", "2" }), cells('["1","2"]', ""), cells(),
    } do
      local name = pages.identity(row)
      assert.is_nil(seen[name], name)
      seen[name] = true
    end
    assert.equal(pages.identity(cells("1", core.null)), pages.identity { { rawValue = "1", title = "x" }, { label = "y" } })
    assert.is_nil(pages.identity(nil))
  end)
end)

describe("a walk by page_size", function()
  for _, case in ipairs { { 1, 12 }, { 2, 12 }, { 7, 30 }, { 7, 29 }, { 7, 7 }, { 7, 8 }, { 5, 14 } } do
    it(("of %d gives the first %d rows, each page overlapping the last by one"):format(case[1], case[2]), function()
      local rows, err = walk(report():page_size(case[1]):limit(case[2]))
      assert.is_nil(err)
      same_rows(rows, 1, case[2])
      same_requests(expected(#whole, case[1], case[2]))
    end)
  end

  it("gives the whole report, also when the last page is full, has one row, or there is but one", function()
    -- 149 = 50 + 49 + ... : the sizes that end exactly, one before, one after, and in one page
    for _, size in ipairs { 30, #whole, #whole - 1, #whole + 1, 1000, (#whole + 1) / 2 } do
      size = math.floor(size)
      support.clear()
      local rows, err, cursor = walk(report():page_size(size))
      assert.is_nil(err)
      same_rows(rows, 1, #whole)
      same_requests(expected(#whole, size))
      assert.equal(#whole, cursor.total)
      assert.is_false(cursor.truncated)
    end
  end)

  it("holds limit and offset over all pages", function()
    for _, case in ipairs { { 31, 13, 10 }, { 10, 13, 10 }, { 11, 13, 10 }, { 500, #whole - 25, 10 }, { 3, 0, 10 } } do
      local limit, offset, size = case[1], case[2], case[3]
      support.clear()
      local rows, err, cursor = walk(report():limit(limit):offset(offset):page_size(size))
      assert.is_nil(err)
      same_rows(rows, offset + 1, math.min(#whole, offset + limit))
      same_requests(expected(#whole, size, limit, offset))
      assert.equal(#whole, cursor.total)
      assert.equal(offset + limit < #whole, cursor.truncated)
    end
    assert.same({}, (walk(report():offset(#whole):page_size(10))))
    assert.same({}, (walk(report():offset(#whole + 7):page_size(10))))
  end)

  it("goes through one direction after the other", function()
    local rows, err, cursor = walk(report():both():page_size(60):limit(100))
    assert.is_nil(err)
    assert.equal(200, #rows)
    for i, row in ipairs(rows) do
      assert.equal(i <= 100 and "inbound" or "outbound", row.direction)
      assert.equal(whole[(i - 1) % 100 + 1].sourceipaddress, row.sourceipaddress)
      assert.equal(whole[(i - 1) % 100 + 1].sum_octetdeltacount, row.sum_octetdeltacount)
    end
    assert.same({ inbound = #whole, outbound = #whole }, cursor.totals)
    assert.equal(2 * #whole, cursor.total)
  end)

  it("works with select, without the columns that tell rows apart", function()
    local rows, err = walk(report():page_size(40):select "sum_octetdeltacount")
    assert.is_nil(err)
    assert.equal(#whole, #rows)
    for i, row in ipairs(rows) do assert.same({ sum_octetdeltacount = whole[i].sum_octetdeltacount }, row) end
  end)

  it("works with a table that is used again, rows before columns, numbers, and pretty text", function()
    support.switches { rows_before_columns = "always", pretty = "yes", numbers = "numbers" }
    local count = 0
    for row in report():page_size(40):rows { reuse = true } do
      count = count + 1
      assert.equal(whole[count].sum_octetdeltacount, row.sum_octetdeltacount)
    end
    assert.equal(#whole, count)
  end)

  it("first and count ask for one row only", function()
    assert.same(whole[1], report():page_size(10):first())
    assert.equal(#whole, report():page_size(10):count())
    same_requests { { 0, 1 }, { 0, 1 } }
  end)
end)

describe("an appliance that caps its answers", function()
  it("is walked to the end", function()
    for _, cap in ipairs { 40, #whole, #whole - 1, 75 } do
      support.clear()
      support.switches { max_rows = cap }
      local rows, err = walk(report())
      assert.is_nil(err)
      same_rows(rows, 1, #whole)
      assert.same({ 0, 10000000000 }, asked()[1].inbound)
    end
  end)

  it("is walked when it gives no total: a short page ends nothing, an empty one does", function()
    for _, total in ipairs { "missing", "null" } do
      support.clear()
      support.switches { max_rows = 40, total = total }
      local rows, err, cursor = walk(report())
      assert.is_nil(err)
      same_rows(rows, 1, #whole)
      assert.equal(#whole, cursor.total)
      assert.equal(math.ceil((#whole - 1) / 39) + 1, #asked())
    end
  end)

  it("is walked under page_size, limit and offset", function()
    support.switches { max_rows = 25 }
    local rows, err = walk(report():page_size(60):limit(90):offset(17))
    assert.is_nil(err)
    same_rows(rows, 18, 107)
  end)

  it("in both directions gives inbound to its end before outbound", function()
    for _, total in ipairs { "string", "missing" } do
      support.clear()
      support.switches { max_rows = 60, total = total }
      local report_both = assert(report():both():fetch())
      assert.equal(2 * #whole, #report_both.rows)
      for i, row in ipairs(report_both.rows) do
        assert.equal(i <= #whole and "inbound" or "outbound", row.direction)
        assert.equal(whole[(i - 1) % #whole + 1].sum_octetdeltacount, row.sum_octetdeltacount)
        assert.equal(whole[(i - 1) % #whole + 1].sourceipaddress, row.sourceipaddress)
      end
      assert.equal(2 * #whole, report_both.total)
      assert.is_false(report_both.truncated)
    end
  end)

  it("is counted right where it gives no total", function()
    support.switches { max_rows = 40, total = "missing" }
    assert.equal(#whole, report():count())
    assert.equal(#whole, report():limit(3):offset(9):count())
  end)
end)

describe("the total", function()
  it("too small ends nothing", function()
    for _, cap in ipairs { "none", 40 } do
      support.clear()
      support.switches { total_value = 5, max_rows = cap }
      local fetched = assert(report():fetch())
      same_rows(fetched.rows, 1, #whole)
      assert.equal(#whole, fetched.total)
      assert.is_false(fetched.truncated)
    end
  end)

  it("too large is error truncated after the rows there are", function()
    for _, cap in ipairs { "none", 40 } do
      support.clear()
      support.switches { total_value = 500, max_rows = cap }
      local rows, err = walk(report())
      same_rows(rows, 1, #whole)
      assert.equal("truncated", err.kind)
      assert.equal(#whole, err.resume.offset)
      assert.matches("of 500 rows", err.message)
    end
  end)

  it("missing is no error: nothing says that rows are missing", function()
    support.switches { total = "missing" }
    local fetched = assert(report():fetch())
    same_rows(fetched.rows, 1, #whole)
    assert.equal(#whole, fetched.total)
  end)

  it("that is no number is error decode", function()
    support.switches { total_value = -1 }
    local rows, err = walk(report())
    assert.is_true(#rows <= #whole)
    assert.equal("decode", err.kind)
    assert.matches("totalRowCount", err.message)
  end)
end)

describe("a report that changes between pages", function()
  it("because of late flows is error changed before any row of the page, and the rest can be asked for", function()
    for _, hosts in ipairs { "new", "existing" } do
      support.clear()
      page_fault(3, switch("late_flows", 3000), switch("late_hosts", hosts), switch("late_octets", 100000))
      local query = report():page_size(40)
      local rows, err = walk(query)
      assert.equal("changed", err and err.kind)
      assert.is_true(err.retryable)
      same_rows(rows, 1, 79)
      resumes(query, rows, err)
    end
  end)

  it("because ties have another order is error changed, when the row at the border is another", function()
    -- A page's end within rows of the same octets, that is not just the middle of them.
    local first = 60
    while whole[first].sum_octetdeltacount ~= whole[first + 1].sum_octetdeltacount do first = first + 1 end
    local from, to = first, first
    while whole[from - 1].sum_octetdeltacount == whole[first].sum_octetdeltacount do from = from - 1 end
    while whole[to + 1] and whole[to + 1].sum_octetdeltacount == whole[first].sum_octetdeltacount do to = to + 1 end
    assert.is_true(to > from)
    page_fault(2, switch("ties", "reverse"))
    local query = report():page_size(from)
    local rows, err = walk(query)
    assert.equal("changed", err and err.kind)
    assert.matches("row " .. from .. " of inbound is not the same as before", err.message)
    same_rows(rows, 1, from)
    resumes(query, rows, err)
  end)

  it("because its window has moved is error changed", function()
    for _, time in ipairs { "exact", "missing" } do
      support.clear()
      page_fault(2, switch("time_details", time))
      local query = report():page_size(50)
      local rows, err = walk(query)
      assert.equal("changed", err and err.kind)
      assert.matches("time range has changed", err.message)
      same_rows(rows, 1, 50)
      resumes(query, rows, err)
    end
  end)

  it("in its total is error changed, before the page's rows", function()
    page_fault(2, switch("total_value", 77))
    local query = report():page_size(50)
    local rows, err = walk(query)
    assert.equal("changed", err and err.kind)
    same_rows(rows, 1, 50)
    resumes(query, rows, err)
  end)

  it("by a page that repeats the one before is error changed: no row comes twice", function()
    -- late hosts at the top move every row down: the page begins with what was given already
    page_fault(2, switch("late_flows", 20), switch("late_hosts", "new"), switch("late_octets", 1e9), switch("total_value", #whole))
    local query = report():page_size(50)
    local rows, err = walk(query)
    assert.equal("changed", err and err.kind)
    same_rows(rows, 1, 50)
    resumes(query, rows, err)
  end)

  it("where outbound begins is error changed, before any row of it", function()
    for _, keys in ipairs { "shuffled", "fixed" } do
      support.clear()
      support.switches { keys = keys }
      page_fault(3, switch("time_details", "exact"))
      local rows, err = walk(report():both():page_size(100))
      assert.equal("changed", err and err.kind)
      assert.equal(#whole, #rows)
      assert.equal("inbound", rows[#rows].direction)
      assert.same({ outbound = { offset = 0 } }, support.place(err.resume))
    end
  end)

  it("in both directions can be taken up in each", function()
    page_fault(2, switch("time_details", "exact"))
    local query = report():both():page_size(100)
    local rows, err = walk(query)
    assert.equal("changed", err and err.kind)
    assert.equal(100, #rows)
    assert.same({ offset = 100 }, support.place(err.resume.inbound))
    assert.same({ offset = 0 }, support.place(err.resume.outbound))
    support.clear()
    local rest = walk(query:resume(err))
    assert.equal(2 * #whole - 100, #rest)
    for i, row in ipairs(rest) do
      local inbound = i <= #whole - 100
      assert.equal(inbound and "inbound" or "outbound", row.direction)
      assert.equal(whole[inbound and 100 + i or i - (#whole - 100)].sourceipaddress, row.sourceipaddress)
    end
  end)
end)

describe("a walk that breaks", function()
  it("at a page with no rows is error truncated, and the rest can be asked for", function()
    for _, empty in ipairs { "no_rows", "null_rows", "rows" } do
      support.clear()
      support.faults { { kind = "none" }, { switch("max_rows", 0), switch("empty", empty) } }
      local query = report():page_size(50)
      local rows, err = walk(query)
      assert.equal("truncated", err and err.kind, empty)
      same_rows(rows, 1, 50)
      resumes(query, rows, err)
    end
  end)

  it("within a page gives a true beginning, and the rest can be asked for", function()
    for _, fault in ipairs { { kind = "truncate", at = 30000 }, { kind = "reset", after_bytes = 30000 }, { kind = "unended", at = 30000 } } do
      support.clear()
      support.switches { rows_before_columns = "never" }
      page_fault(2, fault)
      local query = report():page_size(50)
      local rows, err = walk(query)
      assert.equal("truncated", err and err.kind)
      assert.is_true(#rows >= 50 and #rows < 99)
      same_rows(rows, 1, #rows)
      resumes(query, rows, err)
    end
  end)

  it("keeps base offset and limit in resume", function()
    page_fault(2, { kind = "503" })
    local query = report():page_size(20):offset(10):limit(70)
    local rows, err = walk(query)
    assert.equal("http", err.kind)
    same_rows(rows, 11, 30)
    assert.same({ offset = 30, remaining = 50 }, support.place(err.resume))
    local rest = walk(query:resume(err))
    same_rows(rest, 31, 80)
  end)
end)

describe("times that move", function()
  it("are the same epochs on all pages", function()
    for _, case in ipairs { { "range", "Last24Hours", 86400 }, { "last", "1d", 86400 } } do
      support.clear()
      local query = client:report("srcHosts")
      query = query[case[1]](query, case[2]):page_size(100):limit(250)
      local rows, err = walk(query)
      assert.is_nil(err)
      assert.equal(250, #rows)
      local seen = asked()
      assert.equal(3, #seen)
      for _, item in ipairs(seen) do
        assert.equal("Custom", item.times.dateRange)
        assert.equal(case[3], item.times["end"] - item.times.start)
        assert.same(seen[1].times, item.times)
      end
    end
  end)

  it("of the calendar are those of the query's zone, and without one the query says so", function()
    local rows, err = walk(client:report("srcHosts"):timezone("UTC"):range("Yesterday"):page_size(100):limit(150))
    assert.is_nil(err)
    assert.equal(150, #rows)
    local times = asked()[2].times
    assert.equal(0, times.start % 86400)
    assert.equal(86400, times["end"] - times.start)
    rows, err = walk(client:report("srcHosts"):range("Yesterday"):page_size(100))
    assert.same({}, rows)
    assert.equal("truncated", err.kind)
    assert.equal("pages need fixed times: Yesterday depends on the time zone; set it with query:timezone", err.message)
  end)

  it("are kept by the error of a broken walk", function()
    page_fault(2, { kind = "404" })
    local query = client:report("srcHosts"):last("1d"):page_size(100):limit(150)
    local rows, err = walk(query)
    assert.equal(100, #rows)
    assert.equal(86400, err.resume.to - err.resume.from)
    local rest = walk(query:resume(err))
    assert.equal(50, #rest)
    local seen = asked()
    assert.equal(seen[1].times.start, seen[3].times.start)
    assert.equal(seen[1].times["end"], seen[3].times["end"])
  end)
end)
