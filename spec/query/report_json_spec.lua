local core = require "scrutinizer.core"
local query = require "scrutinizer.query"
local report_json = require "scrutinizer.query.report_json"

local CLIENT = { url = "https://scrutinizer.example.net/fcgi/scrut_fcgi.fcgi", has_token = true }
local HERE = "spec/"

local function fixture(name)
  local file = assert(io.open(HERE .. "fixtures/" .. name, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

-- The lines of the vendor's article, byte for byte, from "rpt_json=" to the end of data_requested.
local VENDOR = fixture "vendor_request.txt"

-- The article's own URL form of the same request.
local VENDOR_URL = [[http://[SCRUTINIZER SERVER]/fcgi/scrut_fcgi.fcgi?rm=report_api&action=get&rpt_json={"reportTypeLang":"host2host",]]
  .. [["reportDirections":{"selected":"inbound"},"dataGranularity":{"selected":1},"times":{"dateRange":"Custom","start":1441146000,]]
  .. [["end":1441149600},"filters":{"sdfDips_0":"in_GROUP_ALL","sdfIPGroups_0":"in_16800023_both","sdfIps_0":"in_x.x.x.x_Both"}}]]
  .. [[&data_requested={"inbound":{"table":{"query_limit":{"offset":0,"max_num_rows":1000}}}}]]

local VENDOR_REPORT = {
  reportTypeLang = "host2host",
  reportDirections = { selected = "inbound" },
  dataGranularity = { selected = 1 },
  times = { dateRange = "Custom", start = 1441146000, ["end"] = 1441149600 },
  filters = { sdfDips_0 = "in_GROUP_ALL", sdfIPGroups_0 = "in_16800023_both", sdfIps_0 = "in_x.x.x.x_Both" },
}

local function limits(offset, rows)
  return { table = { query_limit = { offset = offset, max_num_rows = rows } } }
end

local VENDOR_DATA = { inbound = limits(0, 1000) }

-- A text, and what it says: rpt_json, data_requested.
local READ = {
  { VENDOR, VENDOR_REPORT, VENDOR_DATA },
  { VENDOR:gsub("\n", "\r\n"), VENDOR_REPORT, VENDOR_DATA },
  { VENDOR:gsub("\n", "\r"), VENDOR_REPORT, VENDOR_DATA },
  { "\239\187\191" .. VENDOR, VENDOR_REPORT, VENDOR_DATA },
  { VENDOR:gsub('\n"', '\n\194\160 \194\160"'), VENDOR_REPORT, VENDOR_DATA },
  { VENDOR_URL, VENDOR_REPORT, VENDOR_DATA },
  { '{"a":1}', { a = 1 } },
  { '\n\n  {"a":1}  \n', { a = 1 } },
  { '{"a":1}\n{"inbound":{}}', { a = 1 }, { inbound = {} } },
  { '{"inbound":{}} {"a":1}', { a = 1 }, { inbound = {} } },
  { '{"inbound":{},"outbound":{}}', nil, { inbound = {}, outbound = {} } },
  { 'rpt_json={"a":1}', { a = 1 } },
  { 'rpt_json = {"a":1}', { a = 1 } },
  { 'rpt_json\n=\n{"a":1}', { a = 1 } },
  { 'data_requested={"inbound":{}}', nil, { inbound = {} } },
  { 'data_requested={"inbound":{}}\nrpt_json={"a":1}', { a = 1 }, { inbound = {} } },
  { "{}", {} },
  { 'rpt_json={}data_requested={}', {}, {} },
  { '{"a":"#1", # a comment\n"b":"x # y"}', { a = "#1", b = "x # y" } },
  { '{"a":"\\"#1\\\\",#"\n"b":1}', { a = '"#1\\', b = 1 } },
  { '# only a comment before\n{"a":1}', { a = 1 } },
  { '# wrapped\nhere and\nthere\n{"a":1}', { a = 1 } },
  { '{\n# wrapped\ntrue story\n"a":1}', { a = 1 } },
  { '{\n# wrapped\n1 minute intervals\n"a":1}', { a = 1 } },
  { '{\n# wrapped\n"auto" is better\n"a":1}', { a = 1 } },
  { '{\n# wrapped\nx = y, and more\n"a":1}', { a = 1 } },
  { '{\n# see\nhttps://example.net/?a=1\n"a":1}', { a = 1 } },
  { '{"a":[\n# numbers\n1,\n# more\n-2.5e3\n# words\n,true\n# wrapped\nin vain\n,null]}', { a = { 1, -2500, true, core.null } } },
  { '{\n# key\n"a\\"b":1}', { ['a"b'] = 1 } },
  { '{"a":1}\n# the end\nwrapped', { a = 1 } },
  { '{"a":"http://x//y", // a comment, "b":2\n"b":"x // y"}', { a = "http://x//y", b = "x // y" } },
  { '// before\n{"a":1,//"b":2\n  // and on\n  wrapped\n"c":[1,//2\n3]}// after', { a = 1, c = { 1, 3 } } },
  { '{"a":1} // see https://example.net # and more', { a = 1 } },
  { 'https://example.net//fcgi/scrut_fcgi.fcgi?rm=report_api&rpt_json={"a":1} // as pasted', { a = 1 } },
  { '{"a":"}{","b":{"c":"\\\\"}}', { a = "}{", b = { c = "\\" } } },
  { '{"a":1} # “quoted” words', { a = 1 } },
}

-- A bad text; a part of the message, with the line.
local BAD = {
  { "", "line 1: the text contains no JSON" },
  { "# nothing\nbut words", "the text contains no JSON" },
  { "<html>", "line 1: expected an object in braces" },
  { "\n\n[1]", "line 3: expected an object in braces" },
  { "hello", "line 1: expected an object in braces" },
  { "rpt_json=", "line 1: expected an object in braces" },
  { "rpt_json=5", "line 1: expected an object in braces" },
  { "report={}", "line 1: expected rpt_json= or data_requested=, got report=" },
  { '{"a":1}\n{"b":2}', "line 2: rpt_json occurs twice" },
  { 'rpt_json={}\nrpt_json={}', "line 2: rpt_json occurs twice" },
  { '{\n"a":1,\n}', "line 3:" },
  { '{\n"a":tru\n}', "line 2:" },
  { '{\n"a":1', "line 2:" },
  { '{"a":1', "line 1:" },
  { '{"a', "line 1:" },
  { '{"a\\', "line 1:" },
  { '{\n\n“a”:1}', "line 3:" },
  { 'rpt_json={"a":1}\n}', "line 2: expected an object" },
  { "\27[31m", "line 1: expected an object" },
}

local function from(text)
  return assert(report_json.from(CLIENT, text))
end

local function json_of(q)
  return core.decode(q:request().rpt_json)
end

local function data_of(q)
  return core.decode(q:request().data_requested)
end

local WHEN = '"times":{"dateRange":"LastHour"}'

-- A report's fields beside type and times, and what the request then has in their place when it differs.
local KEPT = {
  { '"rateTotal":{"selected":"rate","available":["rate","total"]}' },
  { '"rateTotal":{"selected":"odd"}' },
  { '"rateTotal":"odd"' },
  { '"bbp":{"selected":"percent"}' },
  { '"bbp":{"selected":"nibbles"}' },
  { '"dataFormat":{"selected":"raw"}' },
  { '"dataMode":{"selected":"raw_flows"}' },
  { '"orderBy":"sum_octetdeltacount"' },
  { '"orderBy":5' },
  { '"showOthers":0' },
  { '"showOthers":"1"', '"showOthers":1' },
  { '"showOthers":true', '"showOthers":1' },
  { '"showOthers":2' },
  { '"dataGranularity":{"selected":"auto"}' },
  { '"dataGranularity":{"selected":30}' },
  { '"dataGranularity":{"selected":"30"}', '"dataGranularity":{"selected":30}' },
  { '"dataGranularity":{"selected":"1m"}', '"dataGranularity":{"selected":1}' },
  { '"dataGranularity":{"selected":"1h"}' },
  { '"dataGranularity":{"selected":5,"used":5}' },
  { '"reportDirections":{"selected":"outbound"}' },
  { '"reportDirections":{"selected":"both"}' },
  { '"saved":{}' },
  { '"saved":{"name":"x","id":5}' },
  { '"filters":{"sdfDips_0":"in_10.1.1.252_ALL","sdfIps_0":"in_x.x.x.x_Both","odd":{"a":1}}' },
  { '"filters":{"sdfDips_3":"a"}', '"filters":{"sdfDips_0":"a"}' },
  { '"filters":{"sdfDips_0":"a","sdfIps_10":"c","sdfIps_9":"b"}', '"filters":{"sdfDips_0":"a","sdfIps_0":"b","sdfIps_1":"c"}' },
  { '"filters":{"sdfIps_0":"a"}', '"filters":{"sdfDips_0":"in_GROUP_ALL","sdfIps_0":"a"}' },
  { '"tableView":{"inbound":{"hidden_cols":[]},"x":null,"y":[1,{}]}' },
}

-- Times as pasted, and as sent.
local TIMES = {
  { '{"dateRange":"LastHour"}' },
  { '{"dateRange":"LastHour","start":"","end":""}', '{"dateRange":"LastHour"}' },
  { '{"dateRange":"Last24Hours","start":"1552408380","end":"1552494780","clientTimezone":"America/New_York"}',
    '{"clientTimezone":"America/New_York","dateRange":"Last24Hours"}' },
  { '{"dateRange":"Custom","start":"1441146000","end":"1441149600"}', '{"dateRange":"Custom","end":1441149600,"start":1441146000}' },
  { '{"dateRange":"Custom","start":"","end":""}' },
  { '{"dateRange":"Custom","start":20,"end":10}' },
  { '{"clientTimezone":"Not/A_Zone","dateRange":"Today"}' },
  { '{"clientTimezone":5,"dateRange":"Today"}' },
  { '{"dateRange":"Today","more":{"a":1}}' },
  { '"never"' },
}

-- data_requested as pasted, and as sent when it differs.
local DATA = {
  { '{"inbound":{"table":{"query_limit":{"max_num_rows":10,"offset":5}}}}' },
  { '{"inbound":{"table":{"query_limit":{"max_num_rows":"10","offset":"5"}}}}',
    '{"inbound":{"table":{"query_limit":{"max_num_rows":10,"offset":5}}}}' },
  { '{"inbound":{"table":{"query_limit":{"max_num_rows":1e10,"offset":0}}}}',
    '{"inbound":{"table":{"query_limit":{"max_num_rows":10000000000,"offset":0}}}}' },
  { '{"inbound":{"table":{"query_limit":{"max_num_rows":100000000000000000,"offset":0}}}}',
    '{"inbound":{"table":{"query_limit":{"max_num_rows":10000000000,"offset":0}}}}' },
  { '{"inbound":{"graph":"all"}}',
    '{"inbound":{"graph":"all","table":{"query_limit":{"max_num_rows":10000000000,"offset":0}}}}' },
  { '{"outbound":{"table":{"query_limit":{"max_num_rows":10,"offset":0}}}}' },
  { '{"inbound":{"table":{"query_limit":{"max_num_rows":10,"offset":0}}},"outbound":{"table":{"query_limit":{"max_num_rows":20,"offset":1}}}}' },
}

local BAD_QUERY = {
  { 'data_requested={"inbound":{}}', "rpt_json is missing" },
  { '{"a":1}', "rpt_json has no reportTypeLang" },
  { '{"reportTypeLang":5}', "rpt_json has no reportTypeLang" },
  { '{"reportTypeLang":"tos"}data_requested={}', "data_requested: it names no direction" },
  { '{"reportTypeLang":"tos"}data_requested={"inbound":5}', "data_requested: its directions must be objects" },
  { '{"reportTypeLang":"tos"}{"inbound":{"table":{"query_limit":{"offset":-1}}}}', "offset must be" },
  { '{"reportTypeLang":"tos"}{"inbound":{"table":{"query_limit":{"max_num_rows":0}}}}', "max_num_rows must be" },
  { '{"reportTypeLang":"tos"}{"inbound":{"table":{"query_limit":{"max_num_rows":"all"}}}}', "max_num_rows must be" },
  { '{"reportTypeLang":"tos"}{"inbound":{"table":{"query_limit":{"max_num_rows":{}}}}}', "max_num_rows must be" },
  { "nonsense", "line 1:" },
}

describe("report_json.read", function()
  for i, case in ipairs(READ) do
    it("reads text " .. i, function()
      local found, err = report_json.read(case[1])
      assert.is_nil(err and err.message)
      assert.same(case[2], found.rpt_json)
      assert.same(case[3], found.data_requested)
    end)
  end

  for i, case in ipairs(BAD) do
    it(("says what is wrong with text %d: %s"):format(i, case[2]), function()
      local found, err = report_json.read(case[1])
      assert.is_nil(found)
      assert.equal("decode", err.kind)
      assert.truthy(err.message:find(case[2], 1, true), err.message)
      assert.equal("number", type(err.position))
      assert.is_nil(err.message:find "%c")
    end)
  end

  it("never fails in another way, wherever the text is cut", function()
    for cut = 0, #VENDOR do
      local found, err = report_json.read(VENDOR:sub(1, cut))
      assert.is_true(found ~= nil or err.kind == "decode")
    end
  end)

  it("keeps large numbers, empty arrays and null", function()
    local found = report_json.read '{"a":[],"b":{},"c":null,"d":9007199254740991}'
    assert.equal(core.array_mt, getmetatable(found.rpt_json.a))
    assert.is_nil(getmetatable(found.rpt_json.b))
    assert.equal(core.null, found.rpt_json.c)
    assert.equal(9007199254740991, found.rpt_json.d)
  end)

  it("raises when the text is no string", function()
    local ok, message = pcall(function() local _ = report_json.read(5) end)
    assert.is_false(ok)
    assert.matches("report_json_spec%.lua:%d+: report_json: got 5; allowed: the text of a report's JSON", message)
  end)
end)

describe("report_json.from", function()
  it("makes of the vendor's lines what the query's methods make", function()
    local built = query.new(CLIENT, "host2host", 2):granularity(1):between(1441146000, 1441149600)
      :where({ ip_group = 16800023 }):filter("sdfIps", "in_x.x.x.x_Both"):limit(1000)
    assert.same(built:request(), from(VENDOR):request())
    assert.same(built:request(), from(VENDOR_URL):request())
    assert.same(VENDOR_REPORT, json_of(from(VENDOR)))
    assert.same(VENDOR_DATA, data_of(from(VENDOR)))
  end)

  for i, case in ipairs(KEPT) do
    it("keeps field " .. i .. ", " .. case[1], function()
      local sent = json_of(from(('{"reportTypeLang":"tos",%s,%s}'):format(WHEN, case[1])))
      local expected = core.decode(('{"reportTypeLang":"tos",%s,%s}'):format(WHEN, case[2] or case[1]))
      expected.reportDirections = expected.reportDirections or { selected = "inbound" }
      expected.dataGranularity = expected.dataGranularity or { selected = "auto" }
      expected.filters = expected.filters or { sdfDips_0 = "in_GROUP_ALL" }
      assert.same(expected, sent)
    end)
  end

  for i, case in ipairs(TIMES) do
    it("keeps times " .. i .. ", " .. case[1], function()
      local sent = json_of(from(('{"reportTypeLang":"tos","times":%s}'):format(case[1])))
      assert.same(core.decode('{"x":' .. (case[2] or case[1]) .. "}").x, sent.times)
    end)
  end

  for i, case in ipairs(DATA) do
    it("keeps limits " .. i, function()
      local q = from(('rpt_json={"reportTypeLang":"tos",%s} data_requested=%s'):format(WHEN, case[1]))
      assert.equal(case[2] or case[1], q:request().data_requested)
    end)
  end

  for i, case in ipairs(BAD_QUERY) do
    it("refuses text " .. i .. ": " .. case[2], function()
      local q, err = report_json.from(CLIENT, case[1])
      assert.is_nil(q)
      assert.equal("decode", err.kind)
      assert.truthy(err.message:find(case[2], 1, true), err.message)
    end)
  end

  it("leaves what it knows to be changed", function()
    local q = from(VENDOR):outbound():range("LastHour"):granularity("auto"):where({ port = 53 }):limit(5):offset(2):rate()
    assert.same({
      reportTypeLang = "host2host", reportDirections = { selected = "outbound" }, times = { dateRange = "LastHour" },
      dataGranularity = { selected = "auto" }, rateTotal = { selected = "rate" },
      filters = { sdfDips_0 = "in_GROUP_ALL", sdfIPGroups_0 = "in_16800023_both", sdfIps_0 = "in_x.x.x.x_Both",
        sdfSdPorts_0 = "in_53_both" },
    }, json_of(q))
    assert.same({ outbound = limits(2, 5) }, data_of(q))
    assert.same({ sdfDips_0 = "in_0A010104_ALL" }, json_of(
      from('{"reportTypeLang":"tos","filters":{"sdfDips_0":"in_0A010104_ALL"},' .. WHEN .. "}")).filters)
  end)

  it("lets a named device take the place of all, and adds it to pasted ones", function()
    local function pasted(filters) return from('{"reportTypeLang":"tos","filters":{' .. filters .. "}," .. WHEN .. "}") end
    local function filters(q) return json_of(q).filters end
    local all, one = pasted '"sdfDips_0":"in_GROUP_ALL","sdfIps_0":"in_10.1.1.1_src"', pasted '"sdfDips_0":"in_0A010104_0A010104-7"'
    assert.same({ sdfDips_0 = "in_0A010105_ALL", sdfIps_0 = "in_10.1.1.1_src" }, filters(all:exporter "10.1.1.5"))
    assert.same({ sdfDips_0 = "in_0A010104_0A010104-7", sdfDips_1 = "in_0A010105_ALL" }, filters(one:inbound():exporter "10.1.1.5"))
    assert.same({ sdfDips_0 = "in_0A010105_ALL" }, filters(one:only_exporter "10.1.1.5"))
    assert.same({ sdfDips_0 = "in_GROUP_ALL" }, filters(one:without "exporter"))
    assert.same({ sdfDips_0 = "in_GROUP_ALL" }, filters(all:without "src_ip"))
    assert.same({ sdfDips_0 = "in_GROUP_ALL", sdfIps_0 = "in_10.1.1.1_src" }, filters(all:without "ip"))
    local good, message = pcall(one.request, one)
    assert.is_false(good)
    assert.matches("names an interface and no direction", message)
    assert.is_truthy(from('{"reportTypeLang":"tos","filters":{"sdfDips_0":"in_0A010104_0A010104-7"},' .. WHEN .. '}{"inbound":{}}'):request())
  end)

  it("lets methods take the place of what was not understood", function()
    local q = from '{"reportTypeLang":"tos","times":"odd","bbp":{"selected":"nibbles"},"dataGranularity":{"selected":"1h"}}'
    q = q:range("Today"):bits():granularity(5)
    assert.same({ dateRange = "Today" }, json_of(q).times)
    assert.same({ selected = "bits" }, json_of(q).bbp)
    assert.same({ selected = 5 }, json_of(q).dataGranularity)
  end)

  it("asks for the directions that the data name, and leaves the report's word as it is", function()
    local q = from('{"reportTypeLang":"tos","reportDirections":{"selected":"inbound"},' .. WHEN .. "}"
      .. '{"inbound":{"table":{"query_limit":{"max_num_rows":10,"offset":0}}},"outbound":{"graph":"all"}}')
    assert.same({ "inbound", "outbound" }, q._spec.directions)
    assert.equal("inbound", json_of(q).reportDirections.selected)
    assert.equal("both", json_of(q:both()).reportDirections.selected)
  end)

  it("needs times before it runs", function()
    local q = from '{"reportTypeLang":"tos"}'
    local ok, message = pcall(function() local _ = q:request() end)
    assert.is_false(ok)
    assert.matches("request: say when", message)
  end)

  it("does not judge a report type that is pasted", function()
    assert.equal("Host2Host", json_of(from('{"reportTypeLang":"Host2Host",' .. WHEN .. "}")).reportTypeLang)
  end)
end)
