-- The sandbox's faults, switches, violations, and how it starts and ends. Each fault and each switch is used once.
-- Nothing here depends on the Lua it runs on: where SANDBOX_CHECKED is set, what takes long is left out.
local cjson = require "cjson"
local sandbox = dofile "spec/sandbox.lua"

local DAY = 1700006400 -- 2023-11-15 00:00:00 UTC
local NEXT = DAY + 86400
local ALL = '"sdfDips_0":"in_GROUP_ALL"'
local BASE = { type = "srcHosts", from = DAY, to = NEXT, max = 3 }

local describe_once = os.getenv "SANDBOX_CHECKED" and function() end or describe

local function with(more)
  local options = {}
  for key, value in pairs(BASE) do options[key] = value end
  for key, value in pairs(more or {}) do options[key] = value end
  return options
end

local function fault(...)
  assert.same({ ok = true }, sandbox.post("faults", cjson.encode { ... }))
end

local function switch(name, value)
  assert.same({ ok = true }, sandbox.post("switches", { [name] = value }))
end

-- A report with these faults: curl's result.
local function hit(faults, more)
  fault(faults)
  return sandbox.ask(with(more))
end

local function octets(rows)
  local sum = 0
  for _, row in ipairs(rows) do sum = sum + row.sum_octetdeltacount end
  return ("%.0f"):format(sum)
end

describe("sandbox", function()
  setup(sandbox.start)
  teardown(function()
    sandbox.clear()
    sandbox.finish()
  end)
  before_each(function() sandbox.clear() end)

  describe("faults", function()
    it("queue up, one request each, and run out", function()
      fault({ kind = "500" }, { kind = "none" }, { kind = "404", times = 2 })
      local seen = {}
      for i = 1, 5 do seen[i] = sandbox.ask(with()).status end
      assert.same({ 500, 200, 404, 404, 200 }, seen)
      assert.same({}, sandbox.get "faults")
      local statuses = {}
      for i, entry in ipairs(sandbox.get "log") do statuses[i] = entry.status end
      assert.same({ 500, 200, 404, 404, 200 }, statuses)
    end)

    it("delay the answer", function()
      assert.is_true(hit({ kind = "delay", seconds = 0.4 }).seconds >= 0.4)
    end)

    it("drop, reset, cut and leave open connections", function()
      assert.equal(52, hit({ kind = "drop" }).code)
      local code = hit({ kind = "reset" }).code
      assert.is_true(code == 35 or code == 56, "curl said " .. code)
      local got = hit({ kind = "reset", after_bytes = 3000 })
      assert.is_true(got.code == 56 or got.code == 18, "curl said " .. got.code)
      got = hit { kind = "truncate", at = 1234 }
      assert.equal(1234, #got.body)
      assert.equal(18, got.code)
      got = hit { kind = "unended", at = 777 }
      assert.equal(777, #got.body)
      assert.is_true(got.code ~= 0)
      got = hit { kind = "truncate", at = 0, length = 5 }
      assert.equal("", got.body)
      assert.equal(18, got.code)
    end)

    it("stall and drip", function()
      assert.is_true(hit({ kind = "stall", seconds = 0.4, after_bytes = 500 }).seconds >= 0.4)
      assert.is_true(hit({ kind = "drip", bytes_per_second = 20000 }).seconds >= 0.2)
      local got = hit { kind = "drip", bytes_per_second = 50000, after_bytes = 100 }
      assert.equal(3, #cjson.decode(got.body).report.table.inbound.rows)
    end)

    it("redirect, refuse and answer with anything", function()
      local got = hit({ kind = "302", location = "https://example.invalid/x" }, { curl = { "-i" } })
      assert.equal(302, got.status)
      assert.matches("Location: https://example.invalid/x", got.body)
      got = hit({ kind = "503", seconds = 7 }, { curl = { "-i" } })
      assert.equal(503, got.status)
      assert.matches("Retry%-After: 7", got.body)
      got = hit({ kind = "status", status = 418, body = "short", content_type = "text/plain", headers = { ["X-Odd"] = "yes" } }, { curl = { "-i" } })
      assert.equal(418, got.status)
      assert.matches("X%-Odd: yes", got.body)
      assert.matches("short$", got.body)
      assert.matches("^<html>", hit({ kind = "html" }).body)
      got = hit { kind = "empty" }
      assert.equal("200", got.status .. got.body)
      assert.equal("invalidToken", cjson.decode(hit({ kind = "bad_token" }).body).details)
      assert.equal("oauthFailure", cjson.decode(hit({ kind = "refused" }).body).err)
      assert.same({ report = { error = "too big" } }, cjson.decode(hit({ kind = "report_error", text = "too big" }).body))
    end)

    it("gzip well and badly", function()
      local got = hit({ kind = "gzip" }, { curl = { "--compressed" } })
      assert.equal(3, #cjson.decode(got.body).report.table.inbound.rows)
      for _, how in ipairs { "corrupt", "cut", "plain" } do
        got = hit({ kind = "bad_gzip", how = how }, { curl = { "--compressed" } })
        assert.is_false(pcall(cjson.decode, got.body), how)
      end
      got = hit({ kind = "gzip" }, { type = "custom_rows_5000", max = 5000, curl = { "--compressed" } })
      assert.equal(5000, #cjson.decode(got.body).report.table.inbound.rows)
    end)

    it("change the report for one request", function()
      local function part(faults) return cjson.decode(hit(faults).body).report.table.inbound end
      assert.equal(1, #part({ kind = "cap_rows", rows = 1 }).rows)
      assert.is_nil(part({ kind = "no_total" }).totalRowCount)
      assert.equal("99", part({ kind = "total_value", value = 99 }).totalRowCount)
      assert.is_number(part({ kind = "numbers" }).totalRowCount)
      local body = hit({ kind = "rows_before_columns" }).body
      assert.is_true(body:find('"rows":', 1, true) < body:find('"columns":', 1, true))
      body = hit({ kind = "pretty" }).body
      assert.matches('\n +"rows" : %[\n', body)
      assert.equal(3, #cjson.decode(body).report.table.inbound.rows)
      assert.equal("2941", part({ kind = "switch", name = "total", value = "string" }).totalRowCount)
      assert.equal(3, #part({ kind = "ties" }).rows)
    end)

    it("let late flows in", function()
      local options = with { max = 10000 }
      local before = octets(sandbox.rows(options))
      fault { kind = "late", flows = 5 }
      assert.equal(("%.0f"):format(before + 5), octets(sandbox.rows(options)))
      switch("late_octets", 1e9)
      switch("late_hosts", "new")
      fault { kind = "late", flows = 2 }
      local rows = sandbox.rows(options)
      assert.equal(2943, #rows)
      assert.matches("^198%.51%.100%.%d$", rows[1].sourceipaddress)
    end)

    it("combine on one request", function()
      local faults = { { kind = "delay", seconds = 0.05 }, { kind = "gzip" }, { kind = "drip", bytes_per_second = 100000 } }
      local got = hit(faults, { curl = { "--compressed" } })
      assert.equal(3, #cjson.decode(got.body).report.table.inbound.rows)
    end)

    it("that make no sense are refused", function()
      for _, case in ipairs { { { kind = "quake" }, "no fault of kind 'quake'" }, { { kind = "delay" }, "delay needs seconds" },
        { { kind = "drop", after = 1 }, "drop knows no field 'after'" }, { { kind = "switch", name = "nope", value = 1 }, "no switch" } } do
        assert.is_truthy(sandbox.post("faults", cjson.encode { case[1] }).error:find(case[2], 1, true))
      end
      assert.same({}, sandbox.get "faults")
    end)
  end)

  describe_once("switches", function()
    local function part(more)
      local _, direction, report = sandbox.rows(with(more))
      return direction, report
    end

    it("say what is known, and refuse what is not", function()
      assert.equal("open", sandbox.get("switches").window_end)
      assert.matches("must be one of", sandbox.post("switches", { window_end = "ajar" }).error)
      assert.matches("no switch", sandbox.post("switches", { nope = 1 }).error)
      switch("window_end", "closed")
      assert.same({ ok = true }, sandbox.post("switches", '{"window_end":null}'))
      assert.equal("open", sandbox.get("switches").window_end)
    end)

    it("move the window's ends", function()
      -- Flows start at 9350, 9352 and 14187 ms of the day.
      local function flows(from, to)
        local rows = sandbox.rows { type = "flowCountBySource", from = DAY + from, to = DAY + to, granularity = '"1"' }
        local sum = 0
        for _, row in ipairs(rows) do sum = sum + row.sum_plixeraggregatedrecordcount end
        return sum
      end
      local _, counts = sandbox.awk(DAY, DAY + 60, "1", '"all"')
      assert.equal(0, flows(0, 9))
      switch("window_end", "closed")
      assert.equal(2, flows(0, 9))
      switch("window_end", "bucket")
      assert.equal(counts.all, flows(0, 9))
      sandbox.clear "switches"
      assert.equal(counts.all - 2, flows(10, 60))
      switch("window_start", "bucket")
      assert.equal(counts.all, flows(10, 60))
      switch("window_start", "open")
      assert.equal(counts.all - 2, flows(10, 60))
    end)

    it("combine filters in the other way", function()
      local filters = ALL .. ',"sdfIps_0":"in_10.8.0.69_src","sdfIps_1":"in_157.240.30.63_dst","sdfPorts_0":"in_443-6"'
      local function check(condition)
        local sums = sandbox.awk(DAY, NEXT, condition, "$7")
        for _, row in ipairs(sandbox.rows(with { filters = filters, max = 10000 })) do
          assert.equal(sums[row.sourceipaddress], row.sum_octetdeltacount)
          sums[row.sourceipaddress] = nil
        end
        assert.same({}, sums)
      end
      local port = '$6 == 6 && ($8 == 443 || $10 == 443)'
      check('($7 == "10.8.0.69" || $9 == "157.240.30.63") && ' .. port)
      switch("filters_within", "and")
      check('$7 == "10.8.0.69" && $9 == "157.240.30.63" && ' .. port)
      sandbox.clear "switches"
      switch("filters_across", "or")
      check "1" -- every device is one of the kinds
      switch("unknown_filter", "ignore")
      assert.equal(3, #part { filters = ALL .. ',"sdfOdd_0":"in_1"' }.rows)
    end)

    it("order ties, ranks and pages otherwise", function()
      local function order(options)
        local names = {}
        for i, row in ipairs(sandbox.rows(with(options))) do names[i] = row.sourceipaddress end
        return table.concat(names, " ")
      end
      local tail = { offset = 2500, max = 60 }
      local stable = order(tail)
      assert.equal(stable, order(tail))
      switch("ties", "shuffled")
      assert.are_not.equal(stable, order(tail))
      switch("ties", "reverse")
      assert.are_not.equal(stable, order(tail))
      switch("rank", "page")
      assert.equal("1", part({ offset = 10 }).rows[1][1].label)
      switch("max_rows", 2)
      assert.equal(2, #part().rows)
      switch("max_rows", "none")
      switch("directions", "selected")
      local answer = sandbox.answer(with { data =
        '{"inbound":{"table":{"query_limit":{"offset":0,"max_num_rows":1}}},"outbound":{"table":{"query_limit":{"offset":0,"max_num_rows":1}}}}' })
      assert.is_nil(answer.report.table.outbound)
    end)

    it("change what is counted and said beside the rows", function()
      switch("total", "number")
      assert.equal(2941, part().totalRowCount)
      switch("total", "null")
      assert.equal(cjson.null, part().totalRowCount)
      switch("total", "page")
      assert.equal("3", part().totalRowCount)
      switch("total_value", 7)
      assert.equal("7", part().totalRowCount)
      local function footer(kind)
        switch("footer", kind)
        return part().footer
      end
      assert.is_nil(footer "missing")
      assert.same({}, footer "empty")
      assert.equal(9, #footer("full")[1])
      assert.equal("Total*", footer("reversed")[1][1].label)
      assert.equal(1, #footer "other")
      assert.equal("Total*", footer("total")[1][1].label)
      sandbox.clear "switches"
      switch("show_others", "honoured")
      local direction, report = part { graph = "all", more = '"showOthers":0' }
      assert.equal(1, #direction.footer)
      assert.equal(3, #report.graph.pie.inbound)
    end)

    it("change the answer's shape", function()
      switch("rows_before_columns", "always")
      switch("keys", "fixed")
      local first = sandbox.ask(with()).body:gsub('"0x%x+"', "")
      assert.equal(first, (sandbox.ask(with()).body:gsub('"0x%x+"', "")))
      switch("numbers", "numbers")
      assert.is_number(part().rows[1][7].rawValue)
      switch("pretty", "yes")
      assert.matches("\n", sandbox.ask(with()).body)
      switch("time_details", "exact")
      assert.equal(tostring(NEXT), select(2, part()).time_details.last_time.epoch)
      switch("time_details", "numbers")
      assert.equal(DAY, select(2, part()).time_details.first_time.epoch)
      switch("time_details", "missing")
      assert.is_nil(select(2, part()).time_details)
      switch("granularity_used", "yes")
      assert.equal(7200, select(2, part()).graphView.graphGranularity.seconds)
      switch("error_beside_table", "yes")
      assert.is_string(select(2, part()).error)
    end)

    it("change a report without rows", function()
      local none = with { filters = ALL .. ',"sdfIps_0":"in_192.0.2.99_Both"' }
      local function got(kind)
        switch("empty", kind)
        return sandbox.answer(none).report.table
      end
      assert.same({}, got("rows").inbound.rows)
      assert.equal("0", got("rows").inbound.totalRowCount)
      assert.is_nil(got("no_rows").inbound.rows)
      assert.equal(cjson.null, got("null_rows").inbound.rows)
      assert.is_nil(got("no_direction").inbound)
      assert.is_nil(got "no_table")
      assert.equal(cjson.null, got "null_table")
      switch("empty_window", "error")
      assert.is_string(sandbox.answer(with { to = DAY }).report.error)
    end)

    it("change the graph", function()
      local function graph(ask) return select(2, part { graph = ask or "all" }).graph end
      assert.equal(4, #graph().timeseries.inbound)
      switch("graph_other", "pie")
      assert.equal(3, #graph().timeseries.inbound)
      assert.equal(4, #graph().pie.inbound)
      switch("graph_other", "missing")
      assert.equal(3, #graph().pie.inbound)
      switch("graph_points", "strings")
      assert.is_string(graph().timeseries.inbound[1][1][2])
      switch("graph_parts", "asked")
      assert.is_nil(graph("timeseries").pie)
      assert.is_nil(graph("pie").timeseries)
    end)

    it("change weeks and the clock", function()
      switch("now", 1794152096) -- Sunday 2026-11-08
      local function first() return select(2, part { times = '{"dateRange":"ThisWeek"}', granularity = '"1"' }).time_details.first_time.formatted end
      assert.equal("2026-11-08 00:00:00", first())
      switch("week_start", "monday")
      assert.equal("2026-11-02 00:00:00", first())
    end)

    it("change transport and authentication", function()
      switch("content_type", "text/html")
      assert.matches("Content%-Type: text/html", sandbox.ask(with { curl = { "-i" } }).body)
      switch("error_status", "401")
      assert.equal(401, sandbox.ask(with { token = "bad" }).status)
      switch("auth", "either")
      assert.equal(200, sandbox.ask(with { token = "bad" }).status)
      switch("gzip", "accepted")
      assert.matches("Content%-Encoding: gzip", sandbox.ask(with { curl = { "-i", "--compressed" } }).body)
      assert.is_nil(sandbox.ask(with { curl = { "-i" } }).body:find "Content%-Encoding")
    end)
  end)

  describe_once("violations", function()
    local function rule(options, expected)
      sandbox.clear "violations"
      sandbox.ask(with(options))
      assert.is_truthy(sandbox.violations():find(expected, 1, true), ("'%s' is not in:\n%s"):format(expected, sandbox.violations()))
    end

    it("are none for an ordinary request", function()
      sandbox.ask(with())
      assert.equal("", sandbox.violations())
    end)

    local GRANTED = {
      { { filters = ALL .. ',"sdfIps_0":"in_8.8.8.8_both"' }, "case: sdfIps_0" },
      { { filters = ALL .. ',"sdfSdPorts_0":"in_443_Both"' }, "case: sdfSdPorts_0" },
      { { filters = '"sdfDips_0":"in_c0000201_ALL"' }, "case: exporter" },
      { { filters = '"sdfDips_0":"IN_GROUP_ALL"' }, "case: sdfDips_0" },
      { { filters = '"sdfDips_0":"in_192.0.2.1_192.0.2.1"' }, "has no interface" },
      { { filters = '"sdfDips_0":"in_192.0.2.1_C0000201-1"' }, "two ways" },
      { { filters = '"sdfDips_0":"in_ALL_1"' }, "names no exporter" },
      { { filters = '"sdfDips_01":"in_GROUP_ALL"' }, "filter number" },
      { { filters = '"sdfIps_0":"in_8.8.8.8_Both"' }, "missing field: filters.sdfDips_N" },
      { { filters = ALL .. ',"sdfOdd_0":"in_1"' }, "unknown filter" },
      { { filters = ALL .. ',"sdfPorts_0":443' }, "type: filters.sdfPorts_0" },
      { { filters = ALL .. "," .. ALL }, "field twice: filters.sdfDips_0" },
      { { times = '{"dateRange":"lasthour"}' }, "case: times.dateRange" },
      { { times = ('{"start":%d,"end":%d}'):format(DAY, NEXT) }, "missing field: times.dateRange" },
      { { times = ('{"dateRange":"Custom","start":%d.0,"end":%d}'):format(DAY, NEXT) }, "float for integer: times.start" },
      { { times = '{"dateRange":"Today","clientTimezone":"America/New York"}' }, "unknown value: times.clientTimezone" },
      { { times = '{"dateRange":"Today","zone":"UTC"}' }, "unknown field: times.zone" },
      { { granularity = '"7"' }, "unknown value: dataGranularity" },
      { { granularity = "5.0" }, "float for integer: dataGranularity" },
      { { direction = "Inbound", data = '{"inbound":{"table":{"query_limit":{"offset":0,"max_num_rows":1}}}}' }, "case: reportDirections" },
      { { direction = "outbound", data = '{"inbound":{"table":{"query_limit":{"offset":0,"max_num_rows":1}}}}' }, "directions: " },
      { { more = '"bbp":{"selected":"Bits"}' }, "case: bbp.selected" },
      { { more = '"rateTotal":{"selected":"sum"}' }, "unknown value: rateTotal" },
      { { more = '"rateTotal":[]' }, "type: rateTotal: [] for {}" },
      { { more = '"orderBy":"octets"' }, "unknown value: orderBy" },
      { { more = '"showOthers":false' }, "type: showOthers" },
      { { more = '"colour":"red"' }, "unknown field: rpt_json.colour" },
      { { max = "10.0" }, "float for integer: inbound.table.max_num_rows" },
      { { max = "1e3" }, "float for integer: inbound.table.max_num_rows" },
      { { data = '{"inbound":{"table":{"query_limit":{"max_num_rows":1}}}}' }, "missing field: inbound.table.query_limit.offset" },
      { { data = '{"inbound":{"table":{"query_limit":{"offset":"0","max_num_rows":1}}}}' }, "type: inbound.table.offset" },
      { { data = '{"inbound":{"table":{}}}' }, "missing field: inbound.table.query_limit" },
      { { data = '{"inbound":{"graph":"ALL"}}' }, "case: inbound.graph" },
      { { data = '{"sideways":{},"inbound":{"graph":"all"}}' }, "unknown field: data_requested.sideways" },
      { { data = "[]" }, "type: data_requested: [] for {}" },
      { { curl = { "--data-urlencode", "rm=report_api" } }, "field twice: the form field rm" },
      { { curl = { "-d", "colour=red" } }, "unknown field: the form field colour" },
      { { curl = { "-H", "authToken: x" } }, "token place: a token in the header" },
      { { curl = { "-H", "Authorization: Bearer x" } }, "token place: a token in the header" },
      { { curl = { "-H", "Content-Type: text/plain" } }, "encoding: urlencoded body under" },
    }
    for _, case in ipairs(GRANTED) do
      it("are written down: " .. case[2], function() rule(case[1], case[2]) end)
    end

    it("are written down for fields in the URL of a POST, and missing form fields", function()
      rule({ url = sandbox.endpoint() .. "?authToken=" .. sandbox.token }, "token place: the token in the URL of a POST")
      sandbox.clear "violations"
      sandbox.curl("-d", "rm=report_api&authToken=" .. sandbox.token, sandbox.endpoint())
      assert.is_truthy(sandbox.violations():find("missing field: the form field action", 1, true))
      assert.is_truthy(sandbox.violations():find("missing field: the form field rpt_json", 1, true))
      local first = sandbox.get("violations")[1]
      assert.equal(sandbox.get("log")[2].request_id, first.request_id)
    end)
  end)

  describe_once("start", function()
    it("says that a port is taken, at once", function()
      local port = sandbox.url:match "%d+$"
      local out, code = sandbox.sh(("PORT=%s HTTP_PORT=0 timeout 5 examples/sandbox/start 2>&1"):format(port))
      assert.equal(1, code)
      assert.equal("sandbox: PORT=" .. port .. " is taken by another program\n", out)
    end)

    it("keeps its state in a file, leaves nothing behind, whatever LUA_* says", function()
      local folder = sandbox.sh("mktemp -d"):gsub("%s", "")
      local variables = ("TMPDIR=%s STATE=%s/state.db PORT=0 HTTP_PORT=0 "):format(folder, folder)
        .. "LUA_PATH=nowhere LUA_CPATH=nowhere LUA_INIT='error()'"
      local tokens = {}
      for i = 1, 2 do
        sandbox.during(variables, function(box)
          tokens[i] = box.token
          assert.matches("^https://127%.0%.0%.1:%d+$", box.url)
          local out = sandbox.sh(("curl -s --cacert %s -d rm=report_api %s/fcgi/scrut_fcgi.fcgi"):format(box.ca, box.url))
          assert.matches('"err"', out)
          out = sandbox.sh(("curl -s --cacert %s %s/sandbox/log"):format(box.ca, box.url))
          assert.equal(i, #cjson.decode(out))
        end)
      end
      assert.equal(tokens[1], tokens[2])
      assert.equal("state.db\n", (sandbox.sh("ls " .. folder .. " | grep -v -e -wal -e -shm")))
      sandbox.sh("rm -r " .. folder)
    end)
  end)
end)
