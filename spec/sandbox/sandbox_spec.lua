-- The sandbox appliance's sums, shapes, encodings and errors, by curl and awk. Faults and switches: faults_spec.lua.
-- Nothing here depends on the Lua it runs on: where SANDBOX_CHECKED is set, what takes long is left out.
local cjson = require "cjson"
local sandbox = dofile "spec/sandbox.lua"

local DAY = 1700006400 -- 2023-11-15 00:00:00 UTC
local NEXT = DAY + 86400
local ALL = '"sdfDips_0":"in_GROUP_ALL"'

local function total(rows, name)
  local sum = 0
  for _, row in ipairs(rows) do sum = sum + row[name or "sum_octetdeltacount"] end
  return ("%.0f"):format(sum)
end

local function by_pair(rows)
  local sums = {}
  for _, row in ipairs(rows) do sums[row.sourceipaddress .. " " .. row.destinationipaddress] = row.sum_octetdeltacount end
  return sums
end

local describe_once = os.getenv "SANDBOX_CHECKED" and function() end or describe

local PAIR = '$7 " " $9'

-- host2host rows under these filters are what awk makes of the same condition.
local function same(filters, condition, more)
  local options = { from = DAY, to = NEXT, filters = filters }
  for key, value in pairs(more or {}) do options[key] = value end
  assert.same(sandbox.awk(options.from, options.to, condition, PAIR), by_pair((sandbox.rows(options))))
end

describe("sandbox", function()
  setup(sandbox.start)
  teardown(sandbox.finish)
  before_each(function() sandbox.clear() end)

  describe_once("sums", function()
    after_each(function() assert.equal("", sandbox.violations()) end)

    it("has the recorded day's octets, to the octet", function()
      local sums, counts = sandbox.awk(DAY, NEXT, "1", '"all"')
      local rows, part, report = sandbox.rows { from = DAY, to = NEXT }
      assert.equal("382530355", sums.all)
      assert.equal(sums.all, total(rows))
      assert.equal(tostring(#rows), part.totalRowCount)
      local flows = 0
      for _, exporter in pairs(report.exporter_details) do flows = flows + exporter.flow_count end
      assert.equal(counts.all, flows)
    end)

    it("has every pair's octets", function() same(ALL, "1") end)

    it("has the octets of ten hosts", function()
      local sums = sandbox.awk(DAY, NEXT, "1", "$7")
      local rows = sandbox.rows { type = "srcHosts", from = DAY, to = NEXT, max = 10 }
      assert.equal(10, #rows)
      for _, row in ipairs(rows) do assert.equal(sums[row.sourceipaddress], row.sum_octetdeltacount) end
    end)

    it("has the octets of each exporter, hex or dotted", function()
      local sums = sandbox.awk(DAY, NEXT, "1", "$3")
      for n = 1, 4 do
        for _, name in ipairs { ("192.0.2.%d"):format(n), ("C000020%d"):format(n) } do
          local rows = sandbox.rows { type = "tos", from = DAY, to = NEXT, filters = ('"sdfDips_0":"in_%s_ALL"'):format(name) }
          assert.equal(sums["192.0.2." .. n], total(rows))
        end
      end
    end)

    it("counts a flow on its input interface inbound, on its output interface outbound", function()
      same('"sdfDips_0":"in_C0000202_C0000202-1"', '$3 == "192.0.2.2" && $4 == 1')
      same('"sdfDips_0":"in_192.0.2.2_192.0.2.2-9"', '$3 == "192.0.2.2" && $5 == 9', { direction = "outbound" })
      assert.same({}, sandbox.rows { from = DAY, to = NEXT, filters = '"sdfDips_0":"in_C0000202_C0000202-9"' })
      same(ALL, "1", { direction = "outbound" })
    end)

    it("knows device groups and excluded exporters", function()
      same('"sdfDips_0":"in_GROUP_1"', '$3 == "192.0.2.1" || $3 == "192.0.2.2"')
      same('"sdfDips_0":"in_GROUP_ALL","sdfDips_1":"ex_C0000202_ALL"', '$3 != "192.0.2.2"')
      assert.same({}, sandbox.rows { from = DAY, to = NEXT, filters = '"sdfDips_0":"in_2001:db8::1_ALL"' })
    end)

    it("knows each filter", function()
      same(ALL .. ',"sdfIps_0":"in_10.8.0.69_src"', '$7 == "10.8.0.69"')
      same(ALL .. ',"sdfIps_0":"in_10.8.0.69_Both"', '$7 == "10.8.0.69" || $9 == "10.8.0.69"')
      same(ALL .. ',"sdfIps_0":"ex_10.8.0.69_Both"', '$7 != "10.8.0.69" && $9 != "10.8.0.69"')
      same(ALL .. ',"sdfIps_0":"in_fe80::2_dst"', '$9 == "fe80::2"')
      same(ALL .. ',"sdfPorts_0":"in_53-17"', '$6 == 17 && ($8 == 53 || $10 == 53)')
      same(ALL .. ',"sdfSdPorts_0":"in_443_both"', "$8 == 443 || $10 == 443")
      same(ALL .. ',"sdfSdPorts_0":"ex_443_dst"', "$10 != 443")
      same(ALL .. ',"sdfIpns_0":"in_192.168.0.0_16_src"', '$7 ~ /^192\\.168\\./')
      same(ALL .. ',"sdfIpns_0":"ex_10.0.0.0_8_both"', '$7 !~ /^10\\./ && $9 !~ /^10\\./')
      same(ALL .. ',"sdfIpns_0":"in_fe80::_16_src"', '$7 ~ /^fe80::/ && $7 !~ /\\.\\./')
      same(ALL .. ',"sdfIPGroups_0":"in_16900046_dst"', '$9 == "8.8.8.8" || $9 == "8.8.4.4" || $9 == "1.1.1.1"')
      same(ALL .. ',"sdfIPGroups_0":"in_16800023_src"', '$7 ~ /^(10|192\\.168|172\\.(1[6-9]|2[0-9]|3[01]))\\./')
      same(ALL .. ',"sdfIPGroups_0":"in_999_both"', "0")
    end)

    it("widens within a type, narrows between types, and lets excludes remove", function()
      same(ALL .. ',"sdfIps_0":"in_8.8.8.8_Both","sdfIps_1":"in_10.8.0.69_src","sdfPorts_0":"in_53-17","sdfPorts_1":"in_443-6"',
        '($7 == "8.8.8.8" || $9 == "8.8.8.8" || $7 == "10.8.0.69")'
          .. ' && (($6 == 17 && ($8 == 53 || $10 == 53)) || ($6 == 6 && ($8 == 443 || $10 == 443)))')
      same(ALL .. ',"sdfIps_0":"in_10.8.0.69_Both","sdfIps_1":"ex_157.240.30.63_src","sdfIps_2":"ex_195.113.214.205_Both"',
        '($7 == "10.8.0.69" || $9 == "10.8.0.69") && $7 != "157.240.30.63" && $7 != "195.113.214.205" && $9 != "195.113.214.205"')
    end)

    it("takes windows as half-open, to the millisecond", function()
      same(ALL, "1", { from = DAY + 14, to = DAY + 15 })
      same(ALL, "1", { from = DAY - 40000, to = DAY + 50001 })
      assert.same({}, sandbox.rows { from = DAY, to = DAY })
    end)

    it("repeats the day over a month between odd seconds, within 10 s", function()
      local from, to = 1701386417, 1703978403
      local filters = ALL .. ',"sdfIps_0":"in_10.8.0.69_Both","sdfPorts_0":"in_443-6"'
      local began = os.time()
      -- Two hours: a table of longer buckets keeps only the top conversations.
      local rows = sandbox.rows { from = from, to = to, filters = filters, granularity = '"120"' }
      assert.is_true(os.time() - began <= 10)
      local sums = sandbox.awk(from, to, '($7 == "10.8.0.69" || $9 == "10.8.0.69") && $6 == 6 && ($8 == 443 || $10 == 443)', PAIR)
      assert.is_true(#rows > 800)
      assert.same(sums, by_pair(rows))
    end)

    it("agrees between report types", function()
      local sums = sandbox.awk(DAY, NEXT, '$3 == "192.0.2.3"', '"all"')
      for _, name in ipairs { "conversations", "conversationsApp", "conversationsWKP", "connections", "applications", "srcHosts", "dstHosts",
        "srcHostFlows", "tos", "interfaces", "ipGroupGroup", "flowCountByWKP", "flowCountBySource" } do
        local rows, part = sandbox.rows { type = name, from = DAY, to = NEXT, filters = '"sdfDips_0":"in_C0000203_ALL"' }
        assert.equal(sums.all, total(rows), name)
        assert.equal(tostring(#rows), part.totalRowCount, name)
      end
    end)

    it("counts flows, distinct destinations, connections and groups", function()
      local _, flows = sandbox.awk(DAY, NEXT, "1", "$7")
      local pairs_of, distinct = sandbox.awk(DAY, NEXT, "1", PAIR), {}
      for pair in pairs(pairs_of) do
        local source = pair:match "^%S+"
        distinct[source] = (distinct[source] or 0) + 1
      end
      for _, row in ipairs(sandbox.rows { type = "srcHostFlows", from = DAY, to = NEXT, max = 50 }) do
        assert.equal(flows[row.sourceipaddress], tonumber(row.sum_plixeraggregatedrecordcount))
        assert.equal(distinct[row.sourceipaddress], tonumber(row.countdistinct_destinationipaddress))
      end
      local private = "/^(10|192\\.168|172\\.(1[6-9]|2[0-9]|3[01]))\\./"
      local sums = sandbox.awk(DAY, NEXT, "$7 ~ " .. private .. " && $9 ~ " .. private, '"both"')
      for _, row in ipairs(sandbox.rows { type = "ipGroupGroup", from = DAY, to = NEXT }) do
        if row.sourceipgroup == "16800023" and row.destinationipgroup == "16800023" then
          assert.equal(sums.both, row.sum_octetdeltacount)
          assert.equal("Private networks", row.label.sourceipgroup)
          sums.both = "seen"
        end
      end
      assert.equal("seen", sums.both)
    end)
  end)

  describe_once("order, pages and totals", function()
    after_each(function() assert.equal("", sandbox.violations()) end)

    it("orders by the column asked for, ties by key", function()
      local rows = sandbox.rows { from = DAY, to = NEXT, more = '"orderBy":"sum_packetdeltacount"' }
      for i = 2, #rows do
        local a, b = rows[i - 1], rows[i]
        local pa, pb = tonumber(a.sum_packetdeltacount), tonumber(b.sum_packetdeltacount)
        assert.is_true(pa >= pb)
        if pa == pb then assert.is_true(a.sourceipaddress .. "\1" .. a.destinationipaddress < b.sourceipaddress .. "\1" .. b.destinationipaddress) end
      end
    end)

    it("gives pages that join, with absolute ranks and the count of all", function()
      local whole = sandbox.rows { type = "applications", from = DAY, to = NEXT }
      local joined = {}
      for offset = 0, #whole, 100 do
        local rows, part = sandbox.rows { type = "applications", from = DAY, to = NEXT, offset = offset, max = 100 }
        assert.equal(tostring(#whole), part.totalRowCount)
        for _, row in ipairs(rows) do joined[#joined + 1] = row end
      end
      assert.same(whole, joined)
      for i, row in ipairs(joined) do assert.equal(tostring(i), row.rank) end
    end)

    it("has a footer shorter than the columns: the rest and the whole", function()
      local plain = '"rateTotal":{"selected":"total"},"dataFormat":{"selected":"raw"},"bbp":{"selected":"bytes"}'
      local rows, part = sandbox.rows { from = DAY, to = NEXT, max = 2, more = plain }
      assert.equal(#part.columns - 2, #part.footer[1])
      local texts = {}
      for i, cells in ipairs(part.footer) do
        for _, cell in ipairs(cells) do
          if cell.elementName == "sum_octetdeltacount" then texts[i] = cell.label end
        end
      end
      assert.equal("Other", part.footer[1][1].label)
      assert.equal("Total*", part.footer[2][1].label)
      assert.equal("382530355", texts[2])
      assert.equal(("%.0f"):format(382530355 - total(rows)), texts[1])
      assert.equal("192133242", rows[1].label.sum_octetdeltacount)
    end)
  end)

  describe_once("times", function()
    after_each(function() assert.equal("", sandbox.violations()) end)

    local function window(range, zone, now)
      sandbox.post("switches", { now = now })
      local times = ('{"dateRange":"%s"%s}'):format(range, zone and (',"clientTimezone":"%s"'):format(zone) or "")
      local _, _, report = sandbox.rows { times = times, granularity = '"1"', max = 1 }
      local details = report.time_details
      return details.first_time.epoch .. " " .. details.last_time.epoch, details
    end

    -- The second Sunday after a clock change in New York: Sunday 2026-11-08 15:34:56 UTC, 10:34:56 EST.
    local NOW = 1794152096
    local RANGES = {
      { "LastFiveMinutes", "2026-11-08 10:29", "2026-11-08 10:33" }, { "LastTenMinutes", "2026-11-08 10:24", "2026-11-08 10:33" },
      { "LastFifteenMinutes", "2026-11-08 10:19", "2026-11-08 10:33" }, { "LastTwentyMinutes", "2026-11-08 10:14", "2026-11-08 10:33" },
      { "LastThirtyMinutes", "2026-11-08 10:04", "2026-11-08 10:33" }, { "LastFortyFiveMinutes", "2026-11-08 09:49", "2026-11-08 10:33" },
      { "LastHour", "2026-11-08 09:34", "2026-11-08 10:33" }, { "LastFullHour", "2026-11-08 09:00", "2026-11-08 09:59" },
      { "Last24Hours", "2026-11-07 10:34", "2026-11-08 10:33" }, { "LastThreeDays", "2026-11-05 10:34", "2026-11-08 10:33" },
      { "LastSevenDays", "2026-11-01 10:34", "2026-11-08 10:33" }, { "LastThirtyDays", "2026-10-09 11:34", "2026-11-08 10:33" },
      { "Today", "2026-11-08 00:00", "2026-11-08 10:34" }, { "Yesterday", "2026-11-07 00:00", "2026-11-07 23:59" },
      { "ThisWeek", "2026-11-08 00:00", "2026-11-08 10:34" }, { "LastWeek", "2026-11-01 00:00", "2026-11-07 23:59" },
      { "ThisMonth", "2026-11-01 00:00", "2026-11-08 10:34" }, { "LastMonth", "2026-10-01 00:00", "2026-10-31 23:59" },
      { "ThisYear", "2026-01-01 00:00", "2026-11-08 10:34" }, { "LastYear", "2025-01-01 00:00", "2025-12-31 23:59" },
    }
    for _, case in ipairs(RANGES) do
      it("knows " .. case[1], function()
        local _, details = window(case[1], "America/New_York", NOW)
        assert.equal(case[2] .. ":00", details.first_time.formatted)
        assert.equal(case[3] .. ":00", details.last_time.formatted)
      end)
    end

    it("names the zone by its abbreviation, and takes UTC when none is said", function()
      local _, details = window("LastHour", "America/New_York", NOW)
      assert.equal("EST", details.timezone)
      _, details = window("LastHour", "America/New_York", NOW - 86400 * 30)
      assert.equal("EDT", details.timezone)
      _, details = window("Today", nil, NOW)
      assert.equal("UTC", details.timezone)
      assert.equal("2026-11-08 00:00:00", details.first_time.formatted)
    end)

    it("says the window's ends as starts of buckets", function()
      local _, _, report = sandbox.rows { from = DAY + 17, to = DAY + 3663, granularity = "5", max = 1 }
      assert.equal(tostring(DAY), report.time_details.first_time.epoch)
      assert.equal(tostring(DAY + 3600), report.time_details.last_time.epoch)
    end)
  end)

  describe_once("graph", function()
    after_each(function() assert.equal("", sandbox.violations()) end)

    it("is there only when asked for", function()
      local _, _, report = sandbox.rows { from = DAY, to = NEXT, max = 1 }
      assert.is_nil(report.graph)
    end)

    it("has zero-filled buckets whose sums are the rows', and Other", function()
      local rows, _, report = sandbox.rows { type = "applications", from = DAY + 17, to = NEXT - 100, graph = "all", max = 5, granularity = '"30"' }
      local series, pie = report.graph.timeseries.inbound, report.graph.pie.inbound
      assert.equal(6, #series)
      assert.equal(6, #pie)
      assert.equal("Other", pie[6].label)
      local all = 0
      for i, points in ipairs(series) do
        assert.equal(48, #points)
        local sum = 0
        for p, point in ipairs(points) do
          assert.equal(DAY + (p - 1) * 1800, point[1])
          sum = sum + point[2]
        end
        all = all + sum
        if rows[i] then
          assert.equal(rows[i].sum_octetdeltacount, ("%.0f"):format(sum))
          assert.equal(rows[i].applicationid, pie[i].label)
        end
      end
      assert.equal(sandbox.awk(DAY + 17, NEXT - 100, "1", '"all"').all, ("%.0f"):format(all))
    end)

    it("has the right octets in each bucket over days", function()
      local from, to = DAY - 100000, DAY + 100001
      local _, _, report = sandbox.rows { type = "tos", from = from, to = to, graph = "timeseries", granularity = '"120"' }
      local sums = sandbox.awk(from, to, "1", "sprintf(\"%d\", int(t / 7200000) * 7200)")
      local seen = 0
      for _, point in ipairs(report.graph.timeseries.inbound[1]) do
        assert.equal(tonumber(sums[("%.0f"):format(point[1])] or 0), point[2])
        seen = seen + 1
      end
      assert.equal(math.floor((to - 1) / 7200) - math.floor(from / 7200) + 1, seen)
    end)

    it("holds percentages for interfaces ordered by utilization, and names the interface", function()
      local rows, _, report = sandbox.rows { type = "interfaces", from = DAY, to = NEXT, graph = "all", max = 3, granularity = "1440",
        more = '"orderBy":"custom_interfacepercent"' }
      for i, row in ipairs(rows) do
        local point = report.graph.timeseries.inbound[i][1]
        assert.is_true(math.abs(point[2] - row.custom_interfacepercent) < 1e-9)
        assert.is_string(report.graph.pie.inbound[i].tooltip[2]["Inbound Interface"])
      end
    end)
  end)

  describe("shapes", function()
    it("writes numbers as strings, computed columns as null, dataJson as text", function()
      local answer = sandbox.answer { type = "applications", from = DAY, to = NEXT, max = 3, more = '"bbp":{"selected":"percent"}' }
      local part = answer.report.table.inbound
      local row = part.rows[2]
      assert.same({ klasstd = "rank2", title = "Rank: 2", label = "2" }, row[1])
      assert.equal(cjson.null, row[3].rawValue)
      assert.equal("NA", row[4].label)
      assert.equal("Value undefined", row[4].title)
      assert.equal("NA", row[6].label)
      assert.equal("--", row[6].title)
      assert.is_string(row[6].rawValue)
      assert.same({ column = "sum_octetdeltacount" }, cjson.decode(row[6].dataJson))
      assert.same({ elementName = "last_flow_epoch", label = "last_flow_epoch" }, part.columns[8])
      assert.equal("95th", part.columns[5].forceLabel)
      assert.matches("^0x%x+$", answer.report.request_id)
      assert.equal(34, #answer.report.request_id)
      assert.equal("C0000202", answer.report.exporter_details["192.0.2.2"].exporter_hex)
    end)

    it("changes the order of keys, and of rows and columns", function()
      local orders, first = {}, {}
      for _ = 1, 12 do
        local body = sandbox.ask({ type = "tos", from = DAY, to = NEXT, max = 1 }).body
        first[body:match '^{"report":{"(%w+)'] = true
        orders[body:find('"rows":', 1, true) < body:find('"columns":', 1, true)] = true
      end
      assert.is_true(orders[true] and orders[false])
      assert.is_truthy(next(first, next(first)))
    end)

    it("answers both directions when both are asked for", function()
      local data = '{"inbound":{"table":{"query_limit":{"offset":0,"max_num_rows":1}}},'
        .. '"outbound":{"table":{"query_limit":{"offset":0,"max_num_rows":2}}}}'
      local answer = sandbox.answer { direction = "both", from = DAY, to = NEXT, data = data }
      assert.equal(1, #answer.report.table.inbound.rows)
      assert.equal(2, #answer.report.table.outbound.rows)
    end)

    it("makes up rows that anyone can compute", function()
      sandbox.post("switches", { numbers = "strings" }) -- cjson's numbers are not exact
      local rows, part = sandbox.rows { type = "custom_rows_1000", from = DAY, to = NEXT, offset = 300, max = 650 }
      assert.equal("1000", part.totalRowCount)
      assert.equal(650, #rows)
      for n, row in ipairs(rows) do
        local i = n + 300
        assert.equal(tostring(i), row.rank)
        assert.equal(("10.0.%d.%d"):format(math.floor(i / 256), i % 256), row.sourceipaddress)
        assert.equal(tostring(i), tostring(row.sum_packetdeltacount))
        local octets = i % 7 == 0 and ("9007%012.0f"):format(199254740992 + i * 1000) or tostring(i * 1000) -- 2^53 is 9007199254740992
        assert.equal(octets, row.sum_octetdeltacount)
      end
    end)

    it("streams 200,000 made-up rows whose octets sum to what they must", function()
      local command = ("curl -s --noproxy '*' --cacert %s %s"):format(sandbox.quote(sandbox.ca), sandbox.endpoint())
      for name, value in pairs(sandbox.fields { type = "custom_rows_200000", from = DAY, to = NEXT }) do
        command = command .. " --data-urlencode " .. sandbox.quote(name .. "=" .. value)
      end
      -- A cell is what stands between two "},{"; its raw value is text or a number.
      local out = sandbox.sh(command .. [[ | awk -v RS='},[{]' '/sum_octetdeltacount/ {
          if (!match($0, /"rawValue":"?[0-9]+/)) next
          n++; digits = substr($0, RSTART, RLENGTH); gsub(/[^0-9]/, "", digits); cut = length(digits) - 6
          low += substr(digits, cut > 0 ? cut + 1 : 1); high += cut > 0 ? substr(digits, 1, cut) : 0
        } END { carry = int(low / 1000000); printf "%d %.0f %06d", n, high + carry, low - carry * 1000000 }']])
      -- 1000 * n (n + 1) / 2, and 2^53 for each of the 28,571 multiples of 7.
      local low = 28571 * 740992
      local high = 20000100 + 28571 * 9007199254 + math.floor(low / 1000000)
      assert.equal(("200000 %.0f %06d"):format(high, low % 1000000), out)
    end)
  end)

  describe("requests", function()
    local function send(...) return sandbox.curl(sandbox.endpoint(), ...) end

    local function words(flag, fields)
      local list = {}
      for name, value in pairs(fields) do
        list[#list + 1], list[#list + 2] = flag, name .. "=" .. value
      end
      return list
    end

    local FIELDS = { from = DAY, to = NEXT, max = 1 }
    local unpack = table.unpack or unpack

    it("may be GET, urlencoded, multipart, or mislabelled multipart", function()
      local fields = sandbox.fields(FIELDS)
      for _, flag in ipairs { "--form-string", "--data-urlencode" } do
        local list = words(flag, fields)
        assert.matches("192133242", send(unpack(list)).body)
        list[#list + 1], list[#list + 2] = "-H", "Content-Type: application/json"
        assert.matches("192133242", send(unpack(list)).body)
      end
      assert.matches("192133242", send("-G", unpack(words("--data-urlencode", fields))).body)
      assert.equal("", sandbox.violations())
      local encodings = {}
      for _, entry in ipairs(sandbox.get "log") do encodings[entry.encoding] = true end
      assert.same({ query = true, urlencoded = true, multipart = true, ["multipart as application/json"] = true,
        ["urlencoded as application/json"] = true }, encodings)
    end)

    it("logs what it saw, with the token masked", function()
      sandbox.ask(FIELDS)
      local log = sandbox.get "log"
      assert.equal(1, #log)
      assert.equal("POST", log[1].method)
      assert.equal("report_api", log[1].rm)
      assert.equal(5, #log[1].fields)
      assert.is_nil(sandbox.curl(sandbox.url .. "/sandbox/log").body:find(sandbox.token, 1, true))
    end)

    it("without, or with a bad token are refused with status 200", function()
      local fields = sandbox.fields(FIELDS)
      fields.authToken = "wrong"
      local got = send(unpack(words("--data-urlencode", fields)))
      assert.equal(200, got.status)
      assert.equal("invalidToken", cjson.decode(got.body).details)
      fields.authToken = nil
      got = cjson.decode(send(unpack(words("--data-urlencode", fields))).body)
      assert.is_string(got.err)
      assert.is_nil(got.details)
      sandbox.post("switches", '{"auth":"address"}')
      assert.matches("192133242", send(unpack(words("--data-urlencode", fields))).body)
      sandbox.post("switches", '{"allowed":"192.0.2.1"}')
      assert.same({ err = "oauthFailure", msg = "Request cannot be authenticated." },
        cjson.decode(send(unpack(words("--data-urlencode", fields))).body))
    end)

    it("over plain http are sent to https", function()
      local plain = ("http://127.0.0.1:%d/fcgi/scrut_fcgi.fcgi"):format(sandbox.http_port)
      local got = sandbox.curl("-i", plain)
      assert.equal(302, got.status)
      assert.matches("Location: " .. sandbox.url:gsub("%p", "%%%0") .. "/\r\n", got.body)
      assert.equal("", sandbox.violations())
      sandbox.post("switches", '{"http":"serve"}')
      FIELDS.url = plain
      assert.matches("192133242", sandbox.ask(FIELDS).body)
      assert.equal("", sandbox.violations())
      sandbox.post("switches", '{"http":"kept"}')
      assert.equal(302, sandbox.ask(FIELDS).status)
      FIELDS.url = nil
      assert.equal("token place: the token over plain http", sandbox.violations())
    end)

    local ERRORS = {
      { { rpt_json = "{" }, "^rpt_json is not JSON" },
      { { rpt_json = "[1]" }, "must be a JSON object" },
      { { rm = "nope" }, "Run mode 'nope'" },
      { { action = "put" }, "Action 'put'" },
    }
    for _, case in ipairs(ERRORS) do
      it("in error are told so: " .. case[2], function()
        local fields = sandbox.fields(FIELDS)
        for name, value in pairs(case[1]) do fields[name] = value end
        assert.matches(case[2], cjson.decode(send(unpack(words("--data-urlencode", fields))).body).err)
      end)
    end

    local REPORT_ERRORS = {
      { { type = "noSuchReport" }, "noSuchReport" }, { { type = "Host2Host" }, "Host2Host" }, { { type = "custom_rows_0" }, "custom_rows_0" },
      { { type = "custom_rows_5000001" }, "custom_rows_5000001" }, { { filters = ALL .. ',"sdfNope_0":"in_1_both"' }, "sdfNope" },
      { { filters = '"sdfDips_0":"in_nowhere_ALL"' }, "in_nowhere_ALL" }, { { times = '{"dateRange":"Custom"}' }, "start and end" },
      { { times = '{"dateRange":"Custom","start":"yesterday","end":5}' }, "times.start" },
      { { granularity = '"soon"' }, "granularity" },
    }
    for _, case in ipairs(REPORT_ERRORS) do
      it("that cannot be run say so: " .. case[2], function()
        local options = { from = DAY, to = NEXT }
        for name, value in pairs(case[1]) do options[name] = value end
        local answer = sandbox.answer(options)
        assert.is_truthy(answer.report.error:find(case[2], 1, true))
        assert.is_nil(answer.report.table)
      end)
    end
  end)
end)
