-- Reports of the recorded day, asked over TLS: every sum is awk's sum over the same flows.
local cjson = require "cjson"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local FROM, TO = "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"
local DAY_START = 1795305600
local integer = math.type and function(value) return math.type(value) == "integer" end
  or function(value) return type(value) == "number" and value % 1 == 0 end

local client

local function day(report_type)
  local query = client:report(report_type or "host2host"):between(FROM, TO)
  return query
end

-- Octets, packets and number of the rows, summed in the loop.
local function sums(query)
  local octets, packets, count = 0, 0, 0
  for row in query:select { octets = "sum_octetdeltacount", packets = "sum_packetdeltacount?" }:rows { reuse = true } do
    octets, packets, count = octets + row.octets, packets + (row.packets or 0), count + 1
  end
  return octets, packets, count
end

-- Octets and packets of the flows for which an awk condition holds.
local known = {}
local function awk_sums(condition)
  local program = ('NR > 1 && (%s) { o += $12; p += $11 } END { printf "%%d %%d", o, p }'):format(condition)
  known[condition] = known[condition] or support.awk(program)
  local octets, packets = known[condition]:match "(%d+) (%d+)"
  return tonumber(octets), tonumber(packets)
end

local function same_sums(condition, query)
  local octets, packets = awk_sums(condition)
  local got_octets, got_packets = sums(query)
  assert.equal(octets, got_octets, condition)
  assert.equal(packets, got_packets, condition)
  assert.is_true(octets > 0, condition .. ": holds for nothing, proves nothing")
end

local function fails(kind, query)
  local report, err = query:fetch()
  assert.is_nil(report)
  assert.equal(kind, err.kind, tostring(err))
  return err
end

local function http_port()
  local box = support.sandbox()
  return cjson.decode(support.shell(("curl -sS --cacert %s %s/sandbox/ready"):format(box.ca, box.url))).http_port
end

local function log_fields(entry)
  local fields = {}
  for _, pair in ipairs(entry.fields or {}) do fields[pair[1]] = pair[2] end
  return fields
end

describe("a report of the recorded day", function()
  support.client_for_each(function(made) client = made end)

  it("sums up to awk's octets and packets exactly, in as many rows as there are pairs of hosts", function()
    local octets, packets, count = sums(day())
    local awk_octets, awk_packets = awk_sums "1"
    assert.equal(awk_octets, octets)
    assert.equal(awk_packets, packets)
    local pairs_seen = tonumber((support.awk 'NR > 1 { if (!s[$7 " " $9]++) n++ } END { print n }'))
    assert.equal(pairs_seen, count)
    assert.equal(pairs_seen, day():count())
  end)

  it("is right row by row", function()
    local wanted = {}
    for line in support.awk('NR > 1 { k = $7 " " $9; o[k] += $12; p[k] += $11 } END { for (k in o) print k, o[k], p[k] }'):gmatch "[^\n]+" do
      local src, dst, octets, packets = line:match "^(%S+) (%S+) (%d+) (%d+)$"
      wanted[src .. " " .. dst] = { tonumber(octets), tonumber(packets) }
    end
    local last
    for row in day():rows() do
      local key = row.sourceipaddress .. " " .. row.destinationipaddress
      local want = assert(wanted[key], key)
      assert(row.sum_octetdeltacount == want[1] and row.sum_packetdeltacount == want[2], key)
      assert(integer(row.sum_octetdeltacount) and integer(row.rank) and integer(row.first_flow_epoch))
      assert(not last or row.sum_octetdeltacount <= last, "not in descending order")
      wanted[key], last = nil, row.sum_octetdeltacount
    end
    assert.same({}, wanted)
  end)

  it("is right for each of ten hosts, as either end, as source, as destination", function()
    local program = [[NR > 1 { a[$7] += $12; if ($9 != $7) a[$9] += $12; s[$7] += $12; d[$9] += $12 }
      END { for (h in a) if (s[h] && d[h] && h !~ /\.\./) print h, a[h], s[h], d[h] }]]
    local hosts = {}
    for line in support.awk(program):gmatch "[^\n]+" do
      local host, either, src, dst = line:match "^(%S+) (%d+) (%d+) (%d+)$"
      hosts[#hosts + 1] = { host = host, ip = tonumber(either), src_ip = tonumber(src), dst_ip = tonumber(dst) }
    end
    table.sort(hosts, function(a, b) return a.ip > b.ip or (a.ip == b.ip and a.host < b.host) end)
    for i = 1, 10 do
      local entry = hosts[i * 3]
      for _, side in ipairs { "ip", "src_ip", "dst_ip" } do
        assert.equal(entry[side], (sums(day "tos":where { [side] = entry.host })), side .. " " .. entry.host)
      end
    end
  end)

  it("is right for each exporter, and for each interface in its direction", function()
    for n = 1, 4 do
      local ip = "192.0.2." .. n
      same_sums(('$3 == "%s"'):format(ip), day "tos":exporter(ip))
      for _, case in ipairs { { 1 + n % 6, "inbound", 4 }, { 7 + n % 4, "outbound", 5 } } do
        local index, direction, column = case[1], case[2], case[3]
        local query = day "tos":exporter(ip, index):both()
        local got = { inbound = 0, outbound = 0 }
        for row in query:select { "direction", "sum_octetdeltacount" }:rows() do
          got[row.direction] = got[row.direction] + row.sum_octetdeltacount
        end
        local wanted = { inbound = 0, outbound = 0 }
        wanted[direction] = awk_sums(('$3 == "%s" && $%d == %d'):format(ip, column, index))
        assert.is_true(wanted[direction] > 0)
        assert.same(wanted, got)
        local alone = day "tos":inbound():exporter(ip, index)
        assert.equal(wanted[direction], (sums(direction == "inbound" and alone or alone:outbound())))
      end
    end
  end)

  local A, B = "8.8.8.8", "192.168.1.2"
  local CASES = {
    { '$7 == "8.8.8.8" || $9 == "8.8.8.8" || $7 == "192.168.1.2" || $9 == "192.168.1.2"',
      function() return day "tos":where { ip = { A, B } } end },
    { '$7 == "192.168.1.2"', function() return day "tos":where { src_ip = B } end },
    { '$7 == "192.168.1.2" && $9 == "192.168.1.1"',
      function() return day "tos":where { src_ip = B }:filter("sdfIpns", "in_192.168.1.1_32_dst") end },
    { "$8 == 443 || $10 == 443", function() return day "tos":where { port = 443 } end },
    { "$8 == 443", function() return day "tos":where { src_port = 443 } end },
    { "$10 == 53 || $10 == 80", function() return day "tos":where { dst_port = { 53, 80 } } end },
    { "$6 == 6 && ($8 == 443 || $10 == 443)", function() return day "tos":where { app_port = "443/tcp" } end },
    { "$6 == 17 && ($8 == 53 || $10 == 53) || $6 == 6 && ($8 == 80 || $10 == 80)",
      function() return day "tos":where { app_port = { { 53, "udp" }, "80/6" } } end },
    { "$7 ~ /^192\\.168\\./ || $9 ~ /^192\\.168\\./", function() return day "tos":where { network = "192.168.0.0/16" } end },
    { "$7 ~ /^10\\./", function() return day "tos":where { src_network = "10.0.0.0/8" } end },
    { "$9 ~ /^10\\.8\\.0\\./", function() return day "tos":where { dst_network = "10.8.0.0/24" } end },
    { '$7 ~ /^(8\\.8\\.8\\.8|8\\.8\\.4\\.4|1\\.1\\.1\\.1)$/ || $9 ~ /^(8\\.8\\.8\\.8|8\\.8\\.4\\.4|1\\.1\\.1\\.1)$/',
      function() return day "tos":where { ip_group = 16900046 } end },
    { "$7 ~ /^(8\\.8\\.8\\.8|8\\.8\\.4\\.4|1\\.1\\.1\\.1)$/", function() return day "tos":where { src_ip_group = 16900046 } end },
    { "$9 ~ /^(8\\.8\\.8\\.8|8\\.8\\.4\\.4|1\\.1\\.1\\.1)$/", function() return day "tos":where { dst_ip_group = 16900046 } end },
    { '($7 == "8.8.8.8" || $9 == "8.8.8.8") && ($8 == 53 || $10 == 53)', function() return day "tos":where { ip = A, port = 53 } end },
    { '!($7 == "8.8.8.8" || $9 == "8.8.8.8")', function() return day "tos":exclude { ip = A } end },
    { "!($8 == 443 || $10 == 443) && !($8 == 80 || $10 == 80)", function() return day "tos":exclude { port = { 443, 80 } } end },
    { '($7 ~ /^10\\./ || $9 ~ /^10\\./) && !($6 == 6 && ($8 == 443 || $10 == 443))',
      function() return day "tos":where { network = "10.0.0.0/8" }:exclude { app_port = "443/tcp" } end },
    { '$3 == "192.0.2.1" || $3 == "192.0.2.2"', function() return day "tos":device_group(1) end },
    { '$3 == "192.0.2.1" || $3 == "192.0.2.4"', function() return day "tos":exporter("192.0.2.1"):exporter("192.0.2.4") end },
    { "1", function() return day "tos":exporter("192.0.2.1"):all_exporters() end },
    { '$3 == "192.0.2.3" && $4 == 5 && ($7 ~ /^192\\.168\\./ || $9 ~ /^192\\.168\\./)',
      function() return day "tos":inbound():exporter("192.0.2.3", 5):where { network = "192.168.0.0/16" } end },
  }
  for i, case in ipairs(CASES) do
    it(("is right with filters, case %d: %s"):format(i, case[1]), function() same_sums(case[1], case[2]()) end)
  end

  it("is right between odd seconds, and over a month with two filters", function()
    same_sums("$1 >= 787000 && $1 < 47655000", client:report("host2host"):between(DAY_START + 787, DAY_START + 47655))
    same_sums("$1 >= 41400000 && $1 < 50400000",
      client:report("host2host"):timezone("America/New_York"):between("2026-11-22T06:30", "2026-11-22T09:00:00"))
    local program = [[NR > 1 && ($8 == 443 || $10 == 443) && ($7 ~ /^10\./ || $9 ~ /^10\./) {
      for (d = 0; d < 40; d++) { t = 1793491200000 + d * 86400000 + $1; if (t >= 1793502245000 && t < 1796073743000) o += $12 } }
      END { printf "%.0f", o }]]
    -- Two hours: longer buckets lack what is not among the top conversations.
    local query = client:report("conversations"):between(1793502245, 1796073743):where { network = "10.0.0.0/8", port = 443 }:granularity(120)
    assert.equal(tonumber((support.awk(program))), (sums(query)))
  end)

  it("is the whole day for the last day, whenever that is", function()
    local octets = awk_sums "1"
    for _, query in ipairs {
      client:report("tos"):last "1d", client:report("tos"):last(86400), client:report("tos"):range "Last24Hours",
      client:report("tos"):timezone("UTC"):range "Yesterday",
    } do
      assert.equal(octets, (sums(query)))
    end
  end)

  it("is right for a named range at a known time", function()
    support.switches { now = DAY_START + 50000 }
    same_sums("$1 >= 46380000 && $1 < 49980000", client:report("host2host"):range "LastHour")
    same_sums("$1 >= 43200000 && $1 < 46800000", client:report("host2host"):range "LastFullHour")
  end)
end)

-- Whether a type counts packets, and a column of its own that must be there.
local TYPES = {
  conversations = "commonport", conversationsApp = "applicationid", conversationsWKP = "commonport", host2host = "destinationipaddress",
  connections = "destinationtransportport", applications = "applicationid", srcHosts = "sourceipaddress", dstHosts = "destinationipaddress",
  srcHostFlows = "countdistinct_destinationipaddress", tos = "ipclassofservice", interfaces = "custom_interfacepercent",
  ipGroupGroup = "sourceipgroup", flowCountByWKP = "sum_plixeraggregatedrecordcount", flowCountBySource = "sum_plixeraggregatedrecordcount",
}

describe("every report type", function()
  support.client_for_each(function(made) client = made end)

  for name, column in pairs(TYPES) do
    it(name .. " gives rows with integers whose octets are all octets of the window", function()
      local octets = awk_sums "$1 >= 36000000 && $1 < 43200000"
      local report = assert(client:report(name):between("2026-11-22T10:00:00Z", "2026-11-22T12:00:00Z"):fetch())
      assert.equal(report.total, #report.rows)
      local sum = 0
      for i, row in ipairs(report.rows) do
        sum = sum + row.sum_octetdeltacount
        assert(integer(row.sum_octetdeltacount) and integer(row.first_flow_epoch) and integer(row.last_flow_epoch))
        assert.equal(i, row.rank)
        assert(row[column] ~= nil, column)
      end
      assert.equal(octets, sum)
    end)
  end

  it("that is unknown is an error of the appliance's", function()
    local err = fails("api", client:report("noSuchReport"):range "LastHour")
    assert.matches("^the report failed: ", err.message)
    assert.is_false(err.retryable)
  end)
end)

describe("what a query asks for", function()
  local all

  local function hours()
    local query = client:report("host2host"):between(DAY_START + 36000, DAY_START + 43200)
    return query
  end

  support.client_for_each(function(made)
    client = made
    all = all or assert(hours():fetch()).rows
  end)

  it("limit and offset cut the same rows", function()
    for _, case in ipairs { { 1, 0 }, { 5, 0 }, { 5, 10 }, { 3, #all - 2 }, { 10, #all - 4 } } do
      local limit, offset = case[1], case[2]
      local report = assert(hours():limit(limit):offset(offset):fetch())
      assert.equal(math.min(limit, #all - offset), #report.rows)
      for i, row in ipairs(report.rows) do assert.same(all[offset + i], row) end
      assert.equal(#all, report.total)
      assert.equal(offset + limit < #all, report.truncated)
    end
    assert.same({}, assert(hours():offset(#all):fetch()).rows)
    assert.same({}, assert(hours():offset(#all + 1000):fetch()).rows)
    assert.equal(#all - 100, #assert(hours():offset(100):fetch()).rows)
  end)

  it("order_by sorts", function()
    for _, column in ipairs { "sum_packetdeltacount", "sum_octetdeltacount" } do
      local last
      for row in hours():order_by(column):limit(500):rows() do
        assert(not last or row[column] <= last)
        last = row[column]
      end
    end
    local most = tonumber((support.awk [[NR > 1 && $1 >= 36000000 && $1 < 43200000 { p[$7 " " $9] += $11 }
      END { for (k in p) if (p[k] > m) m = p[k]; print m }]]))
    assert.equal(most, hours():order_by("sum_packetdeltacount"):first().sum_packetdeltacount)
  end)

  it("select gives exactly those fields", function()
    assert.same({ sourceipaddress = all[1].sourceipaddress, sum_octetdeltacount = all[1].sum_octetdeltacount },
      hours():select("sourceipaddress", "sum_octetdeltacount"):first())
    assert.same({ sourceipaddress = all[1].sourceipaddress, rank = 1 }, hours():select({ "sourceipaddress", "rank" }):first())
    local row = hours():select({
      src = "sourceipaddress", share = "percenttotal.label", tip = "sum_octetdeltacount.title", none = "nothing?",
    }):first()
    assert.equal(all[1].sourceipaddress, row.src)
    assert.matches("^%d+%.%d+ %%$", row.share)
    assert.is_string(row.tip)
    assert.is_nil(row.none)
    assert.equal("inbound", hours():select("direction"):first().direction)
  end)

  it("select of a column that is not there fails before the first row and lists what there is", function()
    local rows = hours():select("sourceipaddress", "sourceipadress"):rows()
    local row, err = rows:next()
    assert.is_nil(row)
    assert.equal("api", err.kind)
    for _, name in ipairs { "sourceipadress", "sourceipaddress", "sum_octetdeltacount", "last_flow_epoch" } do
      assert.truthy(err.message:find(name, 1, true), err.message)
    end
  end)

  it("both directions come inbound first, limits hold for each", function()
    local report = assert(hours():exporter("192.0.2.2"):both():limit(7):offset(2):fetch())
    assert.equal(14, #report.rows)
    for i, row in ipairs(report.rows) do assert.equal(i <= 7 and "inbound" or "outbound", row.direction) end
    assert.equal(report.totals.inbound + report.totals.outbound, report.total)
    assert.equal(report.totals.inbound, hours():exporter("192.0.2.2"):count())
    assert.equal(report.totals.outbound, hours():exporter("192.0.2.2"):outbound():count())
    assert.equal(report.total, hours():exporter("192.0.2.2"):both():count())
    assert.is_true(report.truncated)
    assert.is_nil(hours():first().direction)
  end)

  it("first gives the first row, or nil without an error", function()
    assert.same(all[1], hours():first())
    assert.same(all[4], hours():offset(3):first())
    local row, err = hours():where({ ip = "203.0.113.77" }):first()
    assert.is_nil(row)
    assert.is_nil(err)
    assert.equal(0, hours():where({ ip = "203.0.113.77" }):count())
  end)

  it("count is the number of rows that exist, whatever limit and offset say, and asks for one", function()
    support.clear()
    assert.equal(#all, hours():limit(3):offset(7):count())
    local log = support.log()
    assert.equal(1, #log)
    assert.equal('{"inbound":{"table":{"query_limit":{"max_num_rows":1,"offset":0}}}}', log_fields(log[1]).data_requested)
  end)

  it("fetch gives the report's fields", function()
    local report = assert(hours():granularity(5):limit(10):fetch())
    assert.same({ name = "rank", label = "", title = "Rank", numeric = true }, report.columns[1])
    local names = {}
    for i, column in ipairs(report.columns) do names[i] = column.name end
    assert.equal("rank sourceipaddress destinationipaddress percenttotal sum_packetdeltacount sum_octetdeltacount "
      .. "first_flow_epoch last_flow_epoch", table.concat(names, " "))
    assert.same({ name = "sum_octetdeltacount", label = "Traffic", title = "sum_octetdeltacount", numeric = true }, report.columns[6])
    assert.is_false(report.columns[2].numeric)
    assert.equal(#all, report.total)
    assert.is_true(integer(report.total))
    assert.is_nil(report.totals)
    assert.equal(DAY_START + 36000, report.time.first)
    assert.equal(DAY_START + 43200 - 300, report.time.last)
    assert.equal("UTC", report.time.timezone)
    local flows = tonumber((support.awk 'NR > 1 && $3 == "192.0.2.1" && $1 >= 36000000 && $1 < 43200000 { n++ } END { print n }'))
    assert.same({ flows = flows, hex = "C0000201" }, report.exporters["192.0.2.1"])
    assert.equal("100.00 %", report.footer.total.percenttotal)
    assert.is_string(report.footer.others.sum_octetdeltacount)
    assert.matches("^0x%x+$", report.request_id)
    assert.equal(34, #report.request_id)
    assert.equal(5, report.granularity)
    assert.is_true(report.truncated)
    assert.is_false(assert(hours():fetch()).truncated)
    assert.equal(#all, assert(hours():offset(10):limit(5):fetch()).total)
  end)

  it("rows has the same fields once they are known", function()
    local rows = hours():rows()
    assert.is_nil(rows.total)
    assert.is_nil(rows.columns)
    local count = 0
    for _ in rows do count = count + 1 end
    assert.equal(#all, count)
    assert.equal(#all, rows.total)
    assert.equal("rank", rows.columns[1].name)
    assert.equal(DAY_START + 36000, rows.time.first)
    assert.matches("^0x", rows.request_id)
    assert.is_table(rows.exporters["192.0.2.4"])
    assert.is_nil(rows:next())
    rows:close()
    local row, err = rows:next()
    assert.is_nil(row)
    assert.is_nil(err)
  end)

  it("reuse gives one table with the fields of each row", function()
    local first, count = nil, 0
    for row in hours():limit(100):rows { reuse = true } do
      first, count = first or row, count + 1
      assert.is_true(rawequal(first, row))
      assert.same(all[count], row)
    end
    assert.equal(100, count)
    local seen = {}
    for row in hours():limit(100):rows() do
      assert.is_nil(seen[row])
      assert.is_nil(getmetatable(row))
      seen[row] = true
    end
  end)

  it("timezone is sent, and what the appliance shows comes back", function()
    local report = assert(client:report("tos"):timezone("America/New_York"):granularity(5):between("2026-11-22", "2026-11-23"):fetch())
    assert.equal("EST", report.time.timezone)
    assert.equal(DAY_START + 5 * 3600, report.time.first)
    assert.equal((awk_sums "1"), report.rows[1].sum_octetdeltacount)
  end)
end)

describe("method, encoding and authentication", function()
  support.clean_for_each()

  local function rows_of(options)
    client = support.connect(options)
    local report = assert(day():where({ ip = "192.168.1.2" }):fetch())
    client:close()
    return report.rows
  end

  it("GET, POST and multipart give the same rows", function()
    local post = rows_of {}
    assert.is_true(#post > 0)
    assert.same(post, rows_of { method = "GET" })
    assert.same(post, rows_of { encoding = "multipart" })
    assert.same(post, rows_of { http2 = true })
    local log = support.log()
    local seen = {}
    for i, entry in ipairs(log) do
      seen[i] = entry.method .. " " .. tostring(entry.encoding)
      assert.equal("***", log_fields(entry).authToken)
    end
    assert.same({ "POST urlencoded", "GET query", "POST multipart", "POST urlencoded" }, seen)
    assert.equal("/fcgi/scrut_fcgi.fcgi", (log[1].path:gsub("%?.*", "")))
  end)

  it("gzip gives the same rows", function()
    local plain = rows_of {}
    support.switches { gzip = "accepted" }
    assert.same(plain, rows_of {})
    support.switches { gzip = "always" }
    assert.same(plain, rows_of { method = "GET" })
  end)

  it("url() and curl() give the same totals when they are run", function()
    local box = support.sandbox()
    client = support.connect()
    local query = day():where({ ip = { "192.168.1.2", "8.8.8.8" } }):exclude { port = 53 }
    local octets = sums(query)
    local function total_of(command)
      local text, inbound = support.shell(command), 0
      for _, cells in ipairs(cjson.decode(text).report.table.inbound.rows) do inbound = inbound + tonumber(cells[6].rawValue) end
      return inbound
    end
    assert.is_nil(query:url():find(box.token, 1, true))
    assert.is_nil(query:curl():find(box.token, 1, true))
    assert.equal(octets, total_of(("curl -sS --cacert %s %s"):format(box.ca, support.quote((query:url():gsub("%*%*%*", box.token))))))
    assert.equal(octets, total_of((query:curl():gsub("%*%*%*", box.token):gsub("^curl ", "curl --cacert " .. box.ca .. " "))))
    client:close()
  end)

  it("a token function is asked for each request", function()
    local asked = 0
    client = support.connect {
      token = function()
        asked = asked + 1
        return support.sandbox().token
      end,
    }
    assert.equal(0, asked)
    assert(day "tos":fetch())
    assert(day "tos":fetch())
    assert.equal(2, asked)
    client:close()
    client = support.connect { token = function() return nil end }
    local ok, message = pcall(function() return day("tos"):fetch() end)
    assert.is_false(ok)
    assert.matches("token%(%).*got \"nil\"", tostring(message))
    client:close()
  end)

  it("a wrong token is an error of kind auth, whatever the status, and not shown", function()
    for _, status in ipairs { "200", "400", "401", "403", "500" } do
      support.switches { error_status = status }
      client = support.connect { token = "WrongToken_0123456789abc" }
      local err = fails("auth", day "tos")
      assert.matches("token", err.message)
      assert.is_nil(err.message:find("WrongToken", 1, true))
      assert.is_false(err.retryable)
      assert.equal(tonumber(status), err.status)
      client:close()
    end
  end)

  it("a missing token is an error of kind auth", function()
    client = support.connect { token = false }
    local err = fails("auth", day "tos")
    assert.matches("no token was sent", err.message)
    client:close()
  end)

  it("a refused address is an error of kind auth", function()
    support.switches { auth = "address", allowed = "192.0.2.99" }
    for _, token in ipairs { false, support.sandbox().token } do
      client = support.connect { token = token }
      assert.matches("oauthFailure", fails("auth", day "tos").message)
      client:close()
    end
    support.switches { auth = "address", allowed = "127.0.0.1" }
    client = support.connect { token = false }
    assert.equal(1, #assert(day("tos"):fetch()).rows)
    client:close()
  end)
end)

describe("plain http", function()
  local events
  support.clean_for_each(function()
    events = {}
  end)

  local function connect_plain()
    local box = support.sandbox()
    client = support.connect {
      url = ("http://127.0.0.1:%d"):format(http_port()), allow_http = true, on_event = function(event) events[#events + 1] = event end,
    }
    return box
  end

  local function of_type(name)
    local found = {}
    for _, event in ipairs(events) do
      if event.type == name then found[#found + 1] = event end
    end
    return found
  end

  for _, mode in ipairs { "origin", "query_lost", "kept" } do
    it("that redirects to https moves the client there, and the token goes over https only: " .. mode, function()
      support.switches { http = mode }
      local box = connect_plain()
      for _ = 1, 2 do assert.equal(1, #assert(day("tos"):fetch()).rows) end
      assert.equal(box.url .. "/fcgi/scrut_fcgi.fcgi", client.url)
      local log, plain, secure = support.log(), 0, 0
      for _, entry in ipairs(log) do
        if entry.scheme == "http" then
          plain = plain + 1
          assert.equal("GET", entry.method)
          assert.is_nil(log_fields(entry).authToken)
          assert.is_nil(next(entry.fields or {}))
        else
          secure = secure + 1
          assert.equal("POST", entry.method)
          assert.equal("***", log_fields(entry).authToken)
        end
      end
      assert.is_true(plain <= 1)
      assert.equal(2, secure)
      assert.equal(1, #of_type "redirect")
      assert.equal(0, #of_type "warning")
      client:close()
    end)
  end

  it("that does not redirect gets the token, with one warning", function()
    support.switches { http = "serve" }
    connect_plain()
    for _ = 1, 3 do assert.equal(1, #assert(day("tos"):fetch()).rows) end
    assert.equal(1, #of_type "warning")
    assert.matches("^http://", client.url)
    client:close()
  end)

  it("is refused by a client that does not allow it", function()
    local ok, message = pcall(scrutinizer.connect, { url = "http://127.0.0.1:1", token = "x" })
    assert.is_false(ok)
    assert.matches("allow_http", message)
  end)
end)
