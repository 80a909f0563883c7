-- query:series, :rates, :pie, :interval: the graph against sums that awk makes over the recorded flows, and what it may look like.
local scrutinizer = require "scrutinizer"
local graph_points = require "scrutinizer.report.graph_points"
local support = require "spec.support"

local MIDNIGHT = 1700006400 -- a day's beginning, UTC
local FROM, TO = MIDNIGHT, MIDNIGHT + 6 * 3600

local client

local function hosts()
  local query = client:report("srcHosts"):between(FROM, TO):limit(5)
  return query
end

-- Octets by source and bucket, and by source and bucket for all the others, from the flows themselves.
local function sums(interval, from, to)
  local out = support.awk(([[NR > 1 && $1 >= %d && $1 < %d { s[$7 " " int($1 / 1000 / %d) * %d] += $12 }
    END { for (k in s) printf "%%s %%.0f\n", k, s[k] }]]):format((from - MIDNIGHT) * 1000, (to - MIDNIGHT) * 1000, interval, interval))
  local by_host, by_bucket = {}, {}
  for host, bucket, octets in out:gmatch "(%S+) (%d+) (%d+)\n" do
    bucket, octets = tonumber(bucket) + MIDNIGHT, tonumber(octets)
    by_host[host] = by_host[host] or {}
    by_host[host][bucket] = octets
    by_bucket[bucket] = (by_bucket[bucket] or 0) + octets
  end
  return by_host, by_bucket
end

-- Compares every point; what is in no series of its own must be Other.
local function check_sums(list, interval)
  local by_host, rest = sums(interval, FROM, TO)
  local checked = 0
  for _, entry in ipairs(list) do
    if not entry.other then
      local wanted = assert(by_host[entry.label], entry.label)
      for _, point in ipairs(entry.points) do
        assert.equal(wanted[point[1]] or 0, point[2])
        rest[point[1]], checked = (rest[point[1]] or 0) - point[2], checked + 1
      end
    end
  end
  for _, entry in ipairs(list) do
    if entry.other then
      for _, point in ipairs(entry.points) do
        assert.equal(rest[point[1]] or 0, point[2])
        checked = checked + 1
      end
    end
  end
  return checked
end

local function by_rm()
  local seen = {}
  for _, row in ipairs(support.log()) do seen[#seen + 1] = row.rm end
  return seen
end

describe("series", function()
  support.client_for_each(function(made) client = made end)

  it("are the flows' bytes, per host and per bucket, Other apart", function()
    local list = assert(hosts():granularity(30):series())
    assert.equal(6, #list)
    assert.equal(6 * 12, check_sums(list, 1800))
    for i, entry in ipairs(list) do
      assert.equal(i == 6, entry.other)
      assert.equal(1800, entry.interval)
      assert.equal("inbound", entry.direction)
      assert.equal(0, entry.missing)
      assert.equal(entry.label, entry.dns)
      assert.equal(FROM, entry.points[1][1])
      assert.is_nil(getmetatable(entry.points))
      if math.type then assert.equal("integer", math.type(entry.points[1][2])) end
    end
    assert.same({ "report_api" }, by_rm()) -- the interval was said: nothing to ask
  end)

  it("have the table's rows, from the same request, in both directions, and select's fields", function()
    local base = client:report("interfaces"):between(FROM, TO):granularity(30)
    for _, query in ipairs { base, base:both(), base:outbound():limit(3), base:select { device = "exporteripaddress", speed = "interfacespeed" },
      base:both():select { speed = "interfacespeed", way = "direction", shown = "interfacespeed.label" } } do
      local rows = query:fetch().rows
      support.clear()
      local list, n = assert(query:series()), 0
      assert.same({ "report_api" }, by_rm())
      for _, entry in ipairs(list) do
        if entry.other then
          assert.is_nil(entry.row)
        else
          n = n + 1
          assert.same(rows[n], entry.row)
        end
      end
      assert.equal(#rows, n)
    end
    -- What the sandbox keeps of an interface's speed, and awk's octets of that interface.
    local speeds = {}
    for _, line in ipairs(support.state "SELECT exporter, number, speed FROM interfaces") do
      local device, index, speed = line:match "^(.-)|(.-)|(.-)$"
      speeds[device .. " " .. index] = speed
    end
    local octets = {}
    for key, sum in support.awk([[NR>1&&$1<21600000{s[$3 " " $4]+=$12}END{for(k in s)printf "%s=%.0f\n",k,s[k]}]]):gmatch "([^\n=]+)=(%d+)" do
      octets[key] = tonumber(sum)
    end
    local checked = 0
    for _, entry in ipairs(assert(base:series())) do
      if not entry.other then
        local key = entry.row.exporteripaddress .. " " .. entry.label:match "%- (%d+) %-"
        local sum = 0
        for _, point in ipairs(entry.points) do sum = sum + point[2] end
        assert.equal(speeds[key], entry.row.interfacespeed)
        assert.equal(octets[key], sum)
        checked = checked + 1
      end
    end
    assert.is_true(checked > 5)
  end)

  it("have no rows where the answer does not tell whose they are", function()
    local function answer(labels, values)
      local pie, lines, rows = {}, {}, {}
      for i, label in ipairs(labels) do pie[i], lines[i] = '{"label":"' .. label .. '"}', "[[0,1]]" end
      for i, value in ipairs(values) do rows[i] = '[{"rawValue":"' .. value .. '"}]' end
      support.answer_with('{"report":{"table":{"inbound":{"columns":[{"elementName":"a","label":"A"}],"rows":[' .. table.concat(rows, ",")
        .. '],"totalRowCount":"' .. #rows .. '"}},"graph":{"pie":{"inbound":[' .. table.concat(pie, ",") .. ']},"timeseries":{"inbound":['
        .. table.concat(lines, ",") .. "]}}}}")
      local list, of = assert(hosts():granularity(5):series()), {}
      for i, entry in ipairs(list) do of[i] = entry.row and entry.row.a or false end
      return of
    end
    assert.same({ "x", "y" }, answer({ "x", "y" }, { "x", "y" }))
    assert.same({ "x", false, "y" }, answer({ "x", "Other", "y" }, { "x", "y" }))
    assert.same({ "x", "y" }, answer({ "host x", "host y" }, { "x", "y" }))
    assert.same({ false, false }, answer({ "y", "x" }, { "x", "y" }))
    assert.same({ false }, answer({ "x" }, { "x", "y" }))
    assert.same({ false, false }, answer({ "x", "y" }, { "x" }))
    assert.same({ "x", "x" }, answer({ "x", "x" }, { "x", "x" }))
  end)

  it("ask for the bucket's length where the query leaves it to the appliance", function()
    local list = assert(hosts():series())
    assert.same({ "report_api", "report_start" }, by_rm())
    assert.equal(1800, list[1].interval)
    check_sums(list, 1800)
    assert.equal(1800, hosts():interval())
    assert.equal(300, hosts():granularity(5):interval())
  end)

  it("take the bucket's length from the answer where it says it", function()
    support.switches { granularity_used = "yes" }
    local list = assert(hosts():series())
    assert.same({ "report_api" }, by_rm())
    assert.equal(1800, list[1].interval)
    assert.equal(30, hosts():fetch().granularity)
  end)

  it("go by the answer where it says that it used longer buckets than it was asked for", function()
    support.switches { granularity_used = "yes", granularity_kept = "30" }
    local list = assert(hosts():granularity(5):series())
    assert.same({ "report_api" }, by_rm())
    assert.equal(1800, list[1].interval)
    assert.equal(0, list[1].missing)
    check_sums(list, 1800)
    local rates = assert(hosts():granularity(5):rates())
    assert.equal(list[1].points[1][2] * 8 / 1800, rates[1].points[1][2])
  end)

  for _, kind in ipairs { "seconds", "used" } do
    it("read report_start's " .. kind, function()
      for _, numbers in ipairs { "numbers", "strings" } do
        support.switches { report_start = kind, numbers = numbers }
        assert.equal(1800, hosts():interval())
      end
    end)
  end

  for _, kind in ipairs { "neither", "unknown" } do
    it("go by the points' distance where report_start is of no use: " .. kind, function()
      support.switches { report_start = kind }
      local list = assert(hosts():series())
      assert.equal(1800, list[1].interval)
      local seconds, err = hosts():interval()
      assert.is_nil(seconds)
      assert.equal("api", err.kind)
      -- One bucket has no distance.
      list, err = client:report("srcHosts"):between(FROM, FROM + 60):limit(5):series()
      assert.is_nil(list)
      assert.equal("decode", err.kind)
      assert.matches(":granularity", err.message)
    end)
  end

  it("are an error, not a guess, where report_start fails for another reason", function()
    support.faults { { kind = "none" }, { kind = "bad_token" } }
    local list, err = hosts():series()
    assert.is_nil(list)
    assert.equal("auth", err.kind)
  end)

  -- An answer that no switch makes, word for word.
  local function answered(graph, more)
    support.faults { { kind = "status", status = 200, content_type = "application/json", body =
      '{"report":{"table":{"inbound":{"columns":[{"elementName":"a","label":"A"}],"rows":[[{"rawValue":"x"}]],"totalRowCount":"1"}},"graph":'
      .. graph .. (more or "") .. "}}" } }
    return hosts():granularity(5):series()
  end

  it("are refused where the points do not fit the buckets", function()
    for _, series in ipairs { "[[[300,1],[600,2],[960,3]]]", "[[[300,1]],[[450,2]]]", "[[[0,1],[60,1]]]" } do
      local list, err = answered('{"timeseries":{"inbound":' .. series .. "}}")
      assert.is_nil(list)
      assert.equal("decode", err.kind)
      assert.matches("buckets of 300 s", err.message)
    end
  end)

  it("are refused in any other shape than the wire's", function()
    for _, case in ipairs {
      { "7", "graph is not an object" }, { '{"timeseries":{"inbound":{"a":1}}}', "graph.timeseries.inbound is not a list" },
      { '{"pie":{"inbound":"x"}}', "graph.pie.inbound is not a list" }, { '{"timeseries":{"inbound":[7]}}', "series 1 of inbound" },
      { '{"timeseries":{"inbound":[[[0,1]],[[0,"-"]]]}}', "series 2 of inbound: the value of point 1" },
      { "null", "no graph" },
    } do
      local list, err = answered(case[1])
      assert.is_nil(list)
      assert.matches(case[2], err.message)
    end
    assert.same({ total = 1, { label = "x", direction = "inbound", other = false, interval = 300, missing = 71, points = { { FROM, 5 } },
      row = { a = "x" } } },
      answered('{"pie":{"inbound":[{"label":"x","tooltip":null}],"outbound":null},"timeseries":{"inbound":[[["' .. FROM .. '","5"]]]}}',
        (',"time_details":{"first_time":{"epoch":"%d"},"last_time":{"epoch":%d}}'):format(FROM, TO - 300)))
  end)

  for _, gaps in ipairs { "zero", "left_out", "null" } do
    for _, kind in ipairs { "numbers", "strings" } do
      it(("count the buckets without a point: %s, %s"):format(gaps, kind), function()
        support.switches { graph_gaps = gaps, graph_points = kind }
        local list = assert(hosts():granularity(5):series())
        check_sums(list, 300)
        local missing = 0
        for _, entry in ipairs(list) do
          assert.equal(72, #entry.points + entry.missing)
          missing = missing + entry.missing
        end
        assert.equal(gaps ~= "zero", missing > 0)
      end)
    end
  end

  for _, kind in ipairs { "bucket", "exact", "missing", "numbers" } do
    it("count the same buckets whatever time_details says: " .. kind, function()
      support.switches { graph_gaps = "left_out", time_details = kind }
      for _, entry in ipairs(assert(hosts():granularity(5):series())) do assert.equal(72, #entry.points + entry.missing) end
    end)
  end

  for _, where in ipairs { "both", "pie", "missing" } do
    it("keep Other apart, with and without points: " .. where, function()
      support.switches { graph_other = where }
      local list = assert(hosts():granularity(30):series())
      local last = list[#list]
      assert.equal(where == "missing" and 5 or 6, #list)
      assert.equal(where ~= "missing", last.other)
      assert.equal(where == "pie" and 0 or 12, #last.points)
      assert.equal(where == "pie" and 12 or 0, last.missing)
    end)
  end

  it("come without labels where the pie is missing, and without points where the series are", function()
    support.switches { graph_parts_missing = "pie" }
    local list = assert(hosts():granularity(30):series())
    assert.equal(6, #list)
    assert.is_nil(list[1].label)
    assert.equal(12, #list[6].points)
    assert.same({}, hosts():pie())
    support.switches { graph_parts_missing = "timeseries" }
    list = assert(hosts():granularity(30):series())
    assert.equal(6, #list)
    assert.same({}, list[1].points)
    assert.equal(12, list[1].missing)
    support.switches { report_start = "unknown" }
    list = assert(hosts():series())
    assert.is_nil(list[1].interval)
  end)

  it("come for both directions, inbound first", function()
    local list = assert(hosts():both():granularity(30):series())
    assert.equal(12, #list)
    assert.equal("inbound", list[6].direction)
    assert.equal("outbound", list[7].direction)
  end)

  it("are of the rows that limit and offset show", function()
    local rows = assert(hosts():offset(2):limit(2):fetch()).rows
    local list = assert(hosts():offset(2):limit(2):granularity(30):series())
    assert.same({ rows[1].sourceipaddress, rows[2].sourceipaddress, "Other" }, { list[1].label, list[2].label, list[3].label })
  end)

  it("are rates in bits per second", function()
    local list, rates = assert(hosts():granularity(30):series()), assert(hosts():granularity(30):rates())
    for i, entry in ipairs(rates) do
      for j, point in ipairs(entry.points) do assert.equal(list[i].points[j][2] * 8 / 1800, point[2]) end
    end
  end)

  it("hold percentages where the report is ordered by them, and then there are no rates", function()
    local query = client:report("interfaces"):between(FROM, TO):granularity(30):order_by("custom_interfacepercent"):limit(3)
    local list = assert(query:series())
    local top = 0
    for _, point in ipairs(list[1].points) do top = math.max(top, point[2]) end
    assert.is_true(top > 0 and top <= 100)
    assert.is_truthy(list[1].tooltip[2]["Inbound Interface"])
    for _, bad in ipairs { query, hosts():percent(), hosts():set("bbp", { selected = "percent" }), hosts():order_by("sum_packetdeltacount") } do
      local ok, message = pcall(function() bad:rates() end)
      assert.is_false(ok)
      assert.matches("series_spec%.lua:%d+: rates: ", message)
      assert.matches("sum_octetdeltacount", message)
    end
    assert.is_truthy(hosts():order_by("sum_octetdeltacount"):rates())
  end)

  it("are a pie", function()
    local pie = assert(hosts():pie())
    local rows = assert(hosts():fetch()).rows
    assert.equal(6, #pie)
    for i, row in ipairs(rows) do
      assert.equal(row.sourceipaddress, pie[i].label)
      assert.equal(row.sourceipaddress, pie[i].dns)
      assert.equal("inbound", pie[i].direction)
      assert.is_false(pie[i].other)
      assert.equal(row.sourceipaddress, pie[i].tooltip[1])
      assert.is_nil(pie[i].label_dns)
    end
    assert.is_true(pie[6].other)
  end)

  it("are empty for a report without rows, in every shape of one", function()
    local nothing = client:report("srcHosts"):between(FROM, TO):where { ip = "203.0.113.254" }
    for _, shape in ipairs { "rows", "no_rows", "null_rows", "no_direction", "no_table", "null_table" } do
      support.switches { empty = shape }
      local series = assert(nothing:series())
      assert.is_nil(series[1])
      assert.is_true(series.total == nil or series.total == 0, tostring(series.total))
      assert.same({}, nothing:pie())
    end
  end)

  it("are an error where the report draws no graph", function()
    local list, err = client:report("custom_rows_3"):between(FROM, TO):series()
    assert.is_nil(list)
    assert.equal("api", err.kind)
    assert.matches("no graph", err.message)
  end)

  it("are an error of kind limit when the graph is over max_held", function()
    client = support.connect { max_held = 20000 }
    local list, err = hosts():granularity(1):series()
    assert.is_nil(list)
    assert.equal("limit", err.kind)
    assert.matches(":limit%(n%)", err.message)
    assert.is_truthy(hosts():granularity(720):series())
  end)

  it("end in the error that the report ends in", function()
    for _, case in ipairs {
      { { kind = "report_error" }, "api" }, { { kind = "html" }, "decode" }, { { kind = "truncate", at = 2000 }, "truncated" },
      { { kind = "bad_token" }, "auth" }, { { kind = "500" }, "http" }, { { kind = "reset", after_bytes = 1000 }, nil },
    } do
      client = support.connect { retry = false }
      support.faults { case[1] }
      local list, err = hosts():granularity(30):series()
      assert.is_nil(list)
      if case[2] then assert.equal(case[2], err.kind) end
    end
  end)

  it("raise at the caller's line when no time was said", function()
    for _, method in ipairs { "series", "rates", "pie", "interval" } do
      local ok, message = pcall(function()
        local query = client:report("srcHosts")
        query[method](query)
      end)
      assert.is_false(ok)
      assert.matches("series_spec%.lua:%d+: " .. method .. ": say when", message)
    end
  end)

  it("leave what the query set as it was", function()
    local times = { dateRange = "Custom", start = FROM, ["end"] = TO }
    local query = client:report("srcHosts"):set("times", times):limit(2)
    assert.is_truthy(query:series())
    assert.equal(1800, query:interval())
    assert.equal(FROM, query._spec.fields.times.start)
  end)
end)

describe("points", function()
  it("keep exact numbers, from numbers and from texts", function()
    local read = assert(graph_points.read(scrutinizer.decode '[["60","9007199254740993"],[120,9007199254740993],[180,"1.5"],[240,7]]'))
    assert.equal(scrutinizer.decode "9007199254740993", read[1][2])
    assert.equal(read[1][2], read[2][2])
    assert.equal(1.5, read[3][2])
    assert.equal(60, read[1][1])
  end)

  it("say what is wrong with a list", function()
    for _, case in ipairs {
      { '{"a":1}', "not a list" }, { '[1]', "point 1 is not" }, { '[[1]]', "point 1 is not" }, { '[[1,2],[1,3]]', "point 2 is not later" },
      { '[[1,2],[0,3]]', "point 2 is not later" }, { '[[1,"x"]]', "value of point 1" }, { '[[1,"12x"]]', "value of point 1" },
      { '[[1,true]]', "value of point 1" }, { '[["x",1]]', "point 1 is not" }, { '[[1.5,1]]', "point 1 is not" }, { '[[1,[]]]', "value of point 1" },
    } do
      local read, complaint = graph_points.read(scrutinizer.decode(case[1]))
      assert.is_nil(read)
      assert.matches(case[2], complaint)
    end
  end)

  it("count buckets from the window and from the points, whichever reach further", function()
    local some = { { { 600, 1 }, { 1200, 1 } } }
    assert.equal(3, graph_points.buckets(some, 300))
    assert.equal(5, graph_points.buckets(some, 300, { first = 300, last = 1500 }))
    assert.equal(5, graph_points.buckets(some, 300, nil, { from = 450, to = 1501 }))
    assert.equal(4, graph_points.buckets(some, 300, nil, { from = 450, to = 1500 }))
    assert.equal(4, graph_points.buckets({ {} }, 300, nil, { from = 300, to = 1500 }))
    assert.equal(0, graph_points.buckets({}, 300))
    assert.equal(3, graph_points.buckets(some, 300, { first = 900, last = 900 }))
  end)
end)
