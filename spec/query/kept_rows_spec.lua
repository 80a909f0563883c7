-- `query:keep` over real answers: what Python keeps of the recorded flows, in one answer and over pages, whatever breaks on the way.
local json = require "cjson"
local support = require "spec.support"

local FROM, TO = "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"
local SELECT = { src = "sourceipaddress", dst = "destinationipaddress", octets = "sum_octetdeltacount" }

-- The pairs of hosts in the report's order, and which of them are kept: sources in 10.0.0.0/8, from 1,000 octets and 3 packets on, not to 8.8.8.8.
local PROGRAM = [==[
import csv, gzip, ipaddress, json
octets, packets = {}, {}
for f in csv.DictReader(gzip.open("examples/sandbox/flows.csv.gz", "rt")):
    key = (f["src_ip"], f["dst_ip"])
    octets[key] = octets.get(key, 0) + int(f["octets"])
    packets[key] = packets.get(key, 0) + int(f["packets"])
def inside(text):
    try:
        return ipaddress.ip_address(text) in ipaddress.ip_network("10.0.0.0/8")
    except (ValueError, TypeError):
        return False
order = sorted(octets, key=lambda k: (-octets[k], k[0].encode(), k[1].encode()))
kept = [i for i, k in enumerate(order) if inside(k[0]) and octets[k] >= 1000 and packets[k] >= 3 and k[1] != "8.8.8.8"]
rows = [{"src": order[i][0], "dst": order[i][1], "octets": octets[order[i]]} for i in kept]
print(json.dumps({"rows": rows, "places": [i + 1 for i in kept], "all": len(order)}))
]==]

local function read_program()
  local path = os.tmpname()
  support.write(path, PROGRAM)
  local said = support.shell("python3 " .. path)
  os.remove(path)
  return json.decode(said)
end
local python = read_program()
local wanted = python.rows

local client

local function all()
  local query = client:report("host2host"):between(FROM, TO)
  return query
end

-- Packets are tested and are in no row.
local function kept()
  local query = all():select(SELECT):keep({ src = "10.0.0.0/8", octets = { min = 1000 } })
    :keep { sum_packetdeltacount = { min = 3 }, dst = { no = "8.8.8.8" } }
  return query
end

local function same(from, to, got)
  assert.equal(math.max(0, to - from + 1), #got)
  for i, row in ipairs(got) do
    local want = wanted[from + i - 1]
    assert.same({ want.src, want.dst, want.octets }, { row.src, row.dst, row.octets })
    for field in pairs(row) do assert.is_not_nil(SELECT[field], field) end
  end
end

local function fetch(query)
  local report, err = query:fetch()
  assert.is_nil(err)
  assert.is_nil(report.total)
  assert.is_nil(report.totals)
  assert.is_nil(report.footer)
  return report
end

local function faults_from(page, ...)
  local list = {}
  if page > 1 then list[1] = { kind = "none", times = page - 1 } end
  list[#list + 1] = { ... }
  support.faults(list)
end

local FEW = os.getenv "SANDBOX_CHECKED" -- the other Luas try less of what does not depend on them

describe("rows that are kept", function()
  support.client_for_each(function(made) client = made end)

  it("are Python's, in one answer and over pages", function()
    assert.is_true(#wanted > 100 and #wanted < python.all / 2, #wanted)
    local report = fetch(kept())
    same(1, #wanted, report.rows)
    assert.is_false(report.truncated)
    for _, size in ipairs(FEW and { 2000 } or { 700, 2000 }) do
      for _, ahead in ipairs(FEW and { 2 } or { 0, 2 }) do same(1, #wanted, fetch(kept():page_size(size):prefetch(ahead)).rows) end
    end
  end)

  it("are the same from a loop, reused or not, and their rank is the appliance's", function()
    local places = {}
    for row in kept():select({ src = "sourceipaddress", dst = "destinationipaddress", octets = "sum_octetdeltacount", rank = "rank" }):rows() do
      places[#places + 1] = row.rank
    end
    assert.same(python.places, places)
    local count = 0
    for row in kept():rows { reuse = true } do
      count = count + 1
      assert.equal(wanted[count].octets, row.octets)
    end
    assert.equal(#wanted, count)
    count = 0
    for row in all():keep({ sourceipaddress = "10.0.0.0/8", sum_octetdeltacount = { min = 1000 }, sum_packetdeltacount = { min = 3 },
        destinationipaddress = { no = "8.8.8.8" } }):rows() do
      count = count + 1
      assert.equal(wanted[count].octets, row.sum_octetdeltacount)
      assert.equal(python.places[count], row.rank)
    end
    assert.equal(#wanted, count)
  end)

  it("are what limit and offset count, and truncated is right", function()
    local n = #wanted
    local few, many = { { 7, 5 }, { n - 1, 1 } }, { { 1, 0 }, { 7, 0 }, { 7, 5 }, { n, 0 }, { n + 1, 0 }, { n - 1, 1 }, { n - 2, 1 }, { 5, n } }
    for _, case in ipairs(FEW and few or many) do
      local limit, offset = case[1], case[2]
      local to = math.min(offset + limit, #wanted)
      for _, size in ipairs { false, 1500 } do
        local query = kept():limit(limit):offset(offset)
        local report = fetch(size and query:page_size(size) or query)
        same(offset + 1, to, report.rows)
        local left_unread = size and offset + limit <= #wanted and python.places[to] <= python.all - size
        if to < #wanted or not left_unread then assert.equal(to < #wanted, report.truncated, limit .. " " .. offset) end
      end
    end
    same(1, #wanted, fetch(kept():limit(2):no_limit()).rows)
    same(1, 1, { (assert(kept():first())) })
    assert.is_nil((all():keep({ sourceipaddress = "203.0.113.7" }):first()))
    assert.equal(#wanted, kept():limit(3):offset(2):count())
    assert.equal(0, all():keep({ sourceipaddress = "203.0.113.7" }):count())
  end)

  it("ask for no more pages than they need", function()
    same(1, 3, fetch(kept():limit(3):page_size(700)).rows)
    assert.equal(math.ceil((python.places[3] - 1) / 699), #support.log())
  end)

  it("end the transfer once the limit is reached and the report's facts are known", function()
    local least = math.huge
    for seed = 1, 5 do -- seed 5 has them before the rows
      support.switches { seed = seed }
      local rows = client:report("custom_rows_20000"):between(FROM, TO):keep({ sum_packetdeltacount = { min = 5 } }):limit(3):rows()
      local got = {}
      for row in rows do got[#got + 1] = row.sum_packetdeltacount end
      assert.same({ 5, 6, 7 }, got)
      assert.is_true(rows.truncated)
      assert.is_table(rows.time)
      assert.is_table(rows.exporters)
      least = math.min(least, rows.bytes)
    end
    assert.is_true(least < 4000000, least)
  end)

  it("are each direction's own with both", function()
    for _, size in ipairs { false, 2000 } do
      local query = kept():select({ src = SELECT.src, dst = SELECT.dst, octets = SELECT.octets, way = "direction" }):both():limit(20):offset(3)
      local rows, by_way = fetch(size and query:page_size(size) or query).rows, { inbound = {}, outbound = {} }
      assert.equal(40, #rows)
      for i, row in ipairs(rows) do
        assert.equal(i <= 20 and "inbound" or "outbound", row.way)
        table.insert(by_way[row.way], row)
        row.way = nil
      end
      same(4, 23, by_way.inbound)
      same(4, 23, by_way.outbound)
    end
  end)

  it("are each direction's own with both, also when the appliance cuts its answer or keeps none of one", function()
    for _, cap in ipairs { 2000, 3000 } do
      support.switches { max_rows = cap }
      local query = kept():both()
      local rows = fetch(query).rows
      assert.equal(2 * #wanted, #rows)
      for i = 1, #wanted do assert.same(rows[i], rows[i + #wanted]) end
      same(1, #wanted, { (table.unpack or unpack)(rows, 1, #wanted) }) -- luacheck: ignore
    end
    support.switches { max_rows = 2000 }
    assert.same({}, fetch(all():both():keep { sourceipaddress = "203.0.113.7" }).rows)
    assert.equal(0, all():both():keep({ sourceipaddress = "203.0.113.7" }):count())
  end)

  it("are what aggregate, gather and export see", function()
    local octets = 0
    for _, row in ipairs(wanted) do octets = octets + row.octets end
    local groups = assert(kept():aggregate { sum = { "octets" }, count = true })
    assert.same({ { sum_octets = octets, count = #wanted } }, groups)
    groups = assert(kept():limit(5):aggregate { by = { "src" }, sum = { "octets" } })
    local sum = 0
    for _, group in ipairs(groups) do sum = sum + group.sum_octets end
    assert.equal(wanted[1].octets + wanted[2].octets + wanted[3].octets + wanted[4].octets + wanted[5].octets, sum)
    local reports, failed = client:gather { kept(), kept():limit(4), all():keep { nowhere = 1 } }
    assert.equal(1, failed)
    same(1, #wanted, reports[1].rows)
    same(1, 4, reports[2].rows)
    assert.equal("api", reports[3].error.kind)
    local path = os.tmpname()
    local file = assert(io.open(path, "wb"))
    assert(require("scrutinizer.export").csv(kept():select({ src = SELECT.src, octets = SELECT.octets, dst = SELECT.dst }):rows(), file))
    file:close()
    local lines = {}
    for line in io.lines(path) do lines[#lines + 1] = line:gsub("\r$", "") end
    os.remove(path)
    assert.equal(#wanted + 1, #lines)
    assert.equal(("%s,%d,%s"):format(wanted[1].dst, wanted[1].octets, wanted[1].src), lines[2])
  end)

  it("go on after an error exactly, as the error says and out of JSON", function()
    local breaks = 0
    local faults = { { kind = "truncate", at = 150000 }, { kind = "reset", after_bytes = 400000 }, { kind = "truncate", at = 900000 },
      { kind = "reset", after_bytes = 1500000 } }
    for i = 1, #faults, FEW and 3 or 1 do
      local fault = faults[i]
      for _, size in ipairs { false, 1500 } do
        for _, limit in ipairs { false, 60 } do
          support.clear()
          faults_from(size and 2 or 1, fault)
          local query = kept():offset(4)
          if size then query = query:page_size(size) end
          if limit then query = query:limit(limit) end
          local rows, err = support.walk(query)
          local last = limit and 4 + limit or #wanted
          if err then
            breaks = breaks + 1
            assert.equal(limit and limit - #rows or nil, err.resume.remaining)
            local again = i % 2 == 0 and { resume = json.decode(json.encode(err.resume)) } or err
            local rest, second = support.walk(query:resume(again))
            assert.is_nil(second)
            for _, row in ipairs(rest) do rows[#rows + 1] = row end
          end
          same(5, last, rows)
        end
      end
    end
    assert.is_true(breaks > (FEW and 4 or 8), breaks)
  end)

  it("go on by themselves where the client may ask again", function()
    client:close()
    client = support.connect { retry = { base = 0.01 } }
    for _, at in ipairs(FEW and { 300000 } or { 60000, 300000, 1000000 }) do
      faults_from(1, { kind = "reset", after_bytes = at }, { kind = "reset", after_bytes = 200000 })
      same(1, #wanted, fetch(kept()).rows)
      faults_from(1, { kind = "truncate", at = at })
      local rows = fetch(kept():both():limit(30)).rows
      same(1, 30, { (table.unpack or unpack)(rows, 1, 30) }) -- luacheck: ignore
      assert.equal(60, #rows)
    end
  end)

  -- The rows of a list, in an order of their own: a report whose ties change their order is still the same report.
  local function sorted(rows)
    local list = {}
    for i, row in ipairs(rows) do list[i] = ("%s %s %d"):format(row.src, row.dst, row.octets) end
    table.sort(list)
    return list
  end

  it("are proven over pages by the rows that were not kept: moved ties and late flows are an error", function()
    local moved = 0
    for _, change in ipairs { { kind = "switch", name = "ties", value = "reverse" }, { kind = "switch", name = "late_flows", value = 300 } } do
      support.clear()
      faults_from(2, change)
      local rows, err = support.walk(kept():page_size(2500))
      if err then
        assert.equal("changed", err.kind)
        moved = moved + 1
      else
        assert.same(sorted(wanted), sorted(rows))
      end
    end
    assert.is_true(moved > 0)
  end)

  it("need columns that the report has: an error before the first row, with the nearest name", function()
    local report, err = all():select({ octets = "sum_octetdeltacount" }):keep({ octet = 1 }):fetch()
    assert.is_nil(report)
    assert.equal("api", err.kind)
    assert.equal([[keep: no column 'octet' in this report, did you mean "octets"?; it has: rank, sourceipaddress, destinationipaddress, ]]
      .. "percenttotal, sum_packetdeltacount, sum_octetdeltacount, first_flow_epoch, last_flow_epoch", err.message)
  end)

  it("are of no graph", function()
    local query = kept()
    local why = "in the client, but the appliance makes the graph from all rows: use rows or :aggregate, or remove :keep"
    assert.equal("series: :keep filters rows " .. why, support.complaint(function() local _ = query:series() end))
    assert.equal("rates: :keep filters rows " .. why, support.complaint(function() local _ = query:rates() end))
    assert.equal("pie: :keep filters rows " .. why, support.complaint(function() local _ = query:pie() end))
    assert.is_truthy(all():without("keep"):series())
  end)
end)
