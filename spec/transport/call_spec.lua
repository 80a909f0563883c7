-- client:call and client:ping: any run mode, decoded; refusals and answers that are no JSON.
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

describe("call", function()
  local client
  support.client_for_each(function(made) client = made end)

  it("pings", function()
    assert.equal(true, client:ping())
    assert.equal("licensing", support.log()[1].rm)
  end)

  it("pings in vain with a wrong token", function()
    local _, err = support.connect({ token = "wrong_token_000000000000" }):ping()
    assert.equal("auth", err.kind)
    assert.is_nil(err.message:find("wrong_token", 1, true))
  end)

  local function version_of(client_of_it)
    local version, err = client_of_it:version()
    assert.is_true((version == nil) ~= (err == nil))
    return version, err
  end

  -- By every way a form is sent: none may carry the token, and the token's function is not even asked.
  it("asks for the version without the token", function()
    local function token() error("the token was asked for") end
    for _, more in ipairs { {}, { method = "GET" }, { encoding = "multipart" }, { token = token }, { token = false } } do
      assert.equal("19.7.0.87654", version_of(support.connect(more)))
      local log = support.log()
      assert.equal("auth initLogin", log[#log].rm .. " " .. log[#log].action)
      local sent = {}
      for _, field in ipairs(log[#log].fields) do sent[#sent + 1] = table.concat(field, "=") end
      assert.equal("rm=auth action=initLogin nosso=0", table.concat(sent, " "))
    end
  end)

  it("asks for the version again as for any read, and follows a redirect, both without the token", function()
    support.faults { { kind = "503", seconds = 0 }, { kind = "302", location = support.sandbox().url .. "/" } }
    assert.equal("19.7.0.87654", version_of(support.connect { retry = { attempts = 3, base = 0.01, cap = 0.01, deadline = 5 } }))
    local log = support.log()
    assert.equal(3, #log)
    for _, entry in ipairs(log) do assert.equal(3, #entry.fields) end
  end)

  it("says where an answer has no version", function()
    for _, said in ipairs { "", "none", "19", "19.7.0 <b>", ("1."):rep(51) } do
      support.switches { version = said }
      local version, err = version_of(client)
      assert.is_nil(version)
      assert.equal("decode", err.kind)
      assert.equal("version: the answer contains no installedVersion such as 19.7.0", err.message)
    end
    for body, kind in pairs { ["[]"] = "decode", ['{"installedVersion":19.7}'] = "decode", ['"19.7.0"'] = "decode", ["null"] = "decode",
      ['{"err":"No."}'] = "api", ["<html>"] = "decode" } do
      support.faults { { kind = "status", status = 200, body = body } }
      local version, err = version_of(client)
      assert.is_nil(version)
      assert.equal(kind, err.kind, body)
    end
    support.faults { { kind = "refused" } }
    assert.equal("auth", select(2, version_of(client)).kind)
  end)

  it("sends any fields, tables as JSON", function()
    local value = assert(client:call { rm = "report_api", action = "get",
      rpt_json = { reportTypeLang = "custom_rows_1", reportDirections = { selected = "inbound" }, dataGranularity = { selected = "auto" },
        times = { dateRange = "LastHour" }, filters = { sdfDips_0 = "in_GROUP_ALL" } },
      data_requested = { inbound = { table = { query_limit = { offset = 0, max_num_rows = 1 } } } } })
    assert.equal(1, #value.report.table.inbound.rows)
  end)

  it("makes an answer with err an error", function()
    local value, err = client:call { rm = "no_such_mode" }
    assert.is_nil(value)
    assert.equal("api", err.kind)
    assert.matches("no_such_mode", err.message)
    assert.equal(200, err.status)
  end)

  it("tells what an answer that is no JSON begins with", function()
    support.faults { { kind = "html" } }
    local _, err = client:call { rm = "licensing" }
    assert.equal("decode", err.kind)
    assert.matches("begins with \"<", err.message)
    support.faults { { kind = "empty" } }
    _, err = client:call { rm = "licensing" }
    assert.equal("decode", err.kind)
    assert.matches("empty", err.message)
  end)

  it("keeps to max_body", function()
    local _, err = support.connect({ max_body = 10 }):call { rm = "licensing" }
    assert.equal("limit", err.kind)
    assert.matches("max_body", err.message)
  end)

  it("refuses misuse at the caller's line", function()
    for _, case in ipairs {
      { nil, "allowed: a table of form fields" }, { {}, "call: rm: got nil" }, { { rm = "x", authToken = "y" }, "authToken cannot be a field" },
      { { rm = "x", y = print }, "field y: JSON cannot hold a function" }, { { "x" }, "call: field name: got 1" },
    } do
      local ok, message = pcall(function() client:call(case[1]) end)
      assert.is_false(ok)
      assert.matches("call_spec%.lua:%d+: ", message)
      assert.is_truthy(message:find(case[2], 1, true), message)
    end
  end)

  -- Brothers that were looked for: every failure that a read asks again after, by `call` and by each write that sends more than one request.
  it("and a write are retryable only where the appliance has certainly not done them; a read is in all of these cases", function()
    local users = { { name = "a", password = "x1" } }
    local function outcomes(fault, options)
      local told = {}
      options = options or {}
      options.retry = false
      local c = support.connect(options)
      for _, way in ipairs {
        function() return c:ping() end, function() return c:call { rm = "licensing" } end, function() return c.users:create(users) end,
      } do
        support.clear()
        if fault then support.faults { fault } end
        local value, err = way()
        assert.is_nil(value)
        told[#told + 1] = err.retryable
      end
      return told
    end
    local only_read, all = { true, false, false }, { true, true, true }
    for _, case in ipairs {
      { { kind = "drop" }, only_read }, { { kind = "reset" }, only_read }, { { kind = "truncate", at = 3 }, only_read },
      { { kind = "status", status = 502 }, only_read }, { { kind = "status", status = 504 }, only_read },
      { { kind = "status", status = 503 }, only_read }, { { kind = "status", status = 503, headers = { ["Retry-After"] = "1" } }, all },
      { { kind = "status", status = 429 }, all }, { { kind = "stall", seconds = 3 }, only_read, { timeout = 0.3 } },
      { nil, all, { url = "https://127.0.0.1:9" } }, { nil, all, { url = "https://nowhere.invalid" } },
      { nil, all, { proxy = "http://127.0.0.1:9" } },
      { nil, all, { resolve = { ["nowhere.invalid:443"] = "127.0.0.1" }, url = "https://nowhere.invalid:9" } },
    } do
      assert.same(case[2], outcomes(case[1], case[3]), case[1] and case[1].kind .. tostring(case[1].status) or case[3].url or case[3].proxy)
    end
    support.clear()
  end)

  it("is sent once, whatever comes of it; ping is a read and asks again", function()
    local quick = support.connect { retry = { attempts = 4, base = 0.001 } }
    for _, fault in ipairs { { kind = "drop" }, { kind = "status", status = 503, body = "busy" }, { kind = "truncate", at = 3 } } do
      support.clear()
      support.faults { fault }
      local value, err = quick:call { rm = "licensing" }
      assert.is_nil(value)
      assert.is_false(err.retryable)
      assert.equal(1, #support.log())
      support.clear()
      support.faults { fault, fault }
      assert.equal(true, quick:ping())
      assert.equal(3, #support.log())
    end
    support.clear()
  end)

  it("gives any JSON as decode does: lists, exact integers, null, the text where it must", function()
    local cases = {
      { "[1,2]", { 1, 2 } }, { '{"a":null,"n":9007199254740991}', { a = scrutinizer.null, n = 9007199254740991 } }, { "7", 7 }, { '"x"', "x" },
      { "true", true }, { "[]", {} }, { "1e400", "1e400" },
    }
    local list = {}
    for i, case in ipairs(cases) do list[i] = { kind = "status", status = 200, body = case[1] } end
    support.faults(list)
    for _, case in ipairs(cases) do assert.same(case[2], (client:call { rm = "licensing" })) end
    support.faults { { kind = "status", status = 200, body = "false" }, { kind = "status", status = 200, body = "null" } }
    local value, err = client:call { rm = "licensing" }
    assert.same({ false, nil }, { value, err })
    assert.equal(scrutinizer.null, (client:call { rm = "licensing" }))
  end)

  it("goes by the client's method and encoding, and is told in events without its fields", function()
    for _, options in ipairs { { method = "GET" }, { encoding = "multipart" }, {} } do
      support.clear()
      local events = {}
      options.on_event = function(event) events[#events + 1] = event end
      local found = assert(support.connect(options):call { rm = "get_known_objects", type = "devices" })
      assert.equal(4, #found)
      local fields = {}
      for _, field in ipairs(support.log()[1].fields) do fields[field[1]] = field[2] end
      assert.same({ rm = "get_known_objects", type = "devices", authToken = "***" }, fields)
      assert.same({ "request", "response", "done" }, { events[1].type, events[2].type, events[3].type })
      assert.same({ "get_known_objects", 200 }, { events[1].run_mode, events[2].status })
      for _, event in ipairs(events) do
        for _, value in pairs(event) do assert.is_nil(tostring(value):find("devices", 1, true)) end
      end
    end
  end)

  it("is closed with the client", function()
    client:close()
    local _, err = client:call { rm = "licensing" }
    assert.equal("cancelled", err.kind)
    assert.is_true(scrutinizer.null ~= nil)
  end)
end)

describe("columns", function()
  support.clean_for_each()

  it("are those of a report type on this appliance, for one row", function()
    local columns = assert(support.connect():columns "host2host")
    local names = {}
    for i, column in ipairs(columns) do names[i] = column.name end
    assert.equal("rank sourceipaddress destinationipaddress percenttotal sum_packetdeltacount sum_octetdeltacount first_flow_epoch "
      .. "last_flow_epoch", table.concat(names, " "))
    assert.same({ false, true }, { columns[2].numeric, columns[8].numeric })
    local log = support.log()
    assert.equal(1, #log)
    for _, field in ipairs(log[1].fields) do
      if field[1] == "data_requested" then assert.equal('{"inbound":{"table":{"query_limit":{"max_num_rows":1,"offset":0}}}}', field[2]) end
    end
  end)

  it("are an error where there are none", function()
    local client = support.connect()
    local columns, err = client:columns "noSuchReport"
    assert.is_nil(columns)
    assert.equal("api", err.kind)
    support.faults { { kind = "status", status = 200, content_type = "application/json",
      body = '{"report":{"table":{"inbound":{"columns":[],"rows":[],"totalRowCount":"0"}}}}' } }
    columns, err = client:columns "host2host"
    assert.is_nil(columns)
    assert.equal('decode: columns: the answer to the report "host2host" has no columns (report "host2host", inbound, LastHour)', tostring(err))
    assert.matches('call_spec.lua:%d+: report: got "host2hots"', select(2, pcall(function() local _ = client:columns "host2hots" end)))
  end)
end)
