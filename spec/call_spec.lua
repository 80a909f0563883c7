-- client:call and client:ping: any run mode, decoded; refusals and answers that are no JSON.
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

describe("call", function()
  local client
  before_each(function()
    support.clear()
    client = support.connect()
  end)
  after_each(function() assert.same({}, support.violations()) end)

  it("pings", function()
    assert.equal(true, client:ping())
    assert.equal("licensing", support.log()[1].rm)
  end)

  it("pings in vain with a wrong token", function()
    local _, err = support.connect({ token = "wrong_token_000000000000" }):ping()
    assert.equal("auth", err.kind)
    assert.is_nil(err.message:find("wrong_token", 1, true))
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
      { nil, "allowed: a table of form fields" }, { {}, "call: rm: got nil" }, { { rm = "x", authToken = "y" }, "authToken is sent by itself" },
      { { rm = "x", y = print }, "field y: JSON cannot hold a function" }, { { "x" }, "call: field name: got 1" },
    } do
      local ok, message = pcall(function() client:call(case[1]) end)
      assert.is_false(ok)
      assert.matches("call_spec%.lua:%d+: ", message)
      assert.is_truthy(message:find(case[2], 1, true), message)
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
  before_each(function() support.clear() end)
  after_each(function() assert.same({}, support.violations()) end)

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
    assert.equal('decode: columns: the report "host2host" came without columns', tostring(err))
    assert.matches('call_spec.lua:%d+: report: got "host2hots"', select(2, pcall(function() local _ = client:columns "host2hots" end)))
  end)
end)
