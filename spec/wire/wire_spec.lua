local ascii = require "scrutinizer.ascii"
local core = require "scrutinizer.core"
local wire = require "scrutinizer.wire"

local array = function(list) return setmetatable(list, core.array_mt) end

local ENCODED = {
  { {}, "{}" },
  { array {}, "[]" },
  { array { 1, 2 }, "[1,2]" },
  { { 1, "a", true, false, core.null }, '[1,"a",true,false,null]' },
  { { b = 1, a = 2, A = 3, ["a b"] = 4, [""] = 5 }, '{"":5,"A":3,"a":2,"a b":4,"b":1}' },
  { { ["sdfIps_10"] = "x", ["sdfIps_2"] = "y" }, '{"sdfIps_10":"x","sdfIps_2":"y"}' },
  { { a = { b = { c = {} } } }, '{"a":{"b":{"c":{}}}}' },
  { core.null, "null" },
  { true, "true" },
  { 0, "0" },
  { -0.0, "0" },
  { 1, "1" },
  { -17, "-17" },
  { 1.0, "1" },
  { 1e10, "10000000000" },
  { 1e17, "100000000000000000" },
  { 9007199254740991, "9007199254740991" },
  { 2 ^ 53, "9007199254740992" },
  { 1.5, "1.5" },
  { 0.1, "0.1" },
  { 1 / 3, "0.3333333333333333" },
  { 0.1 + 0.2, "0.30000000000000004" },
  { 1e300, "1e+300" },
  { -2.5e-8, "-2.5e-08" },
  { "", '""' },
  { "a/b", '"a/b"' },
  { "a\\/b", [["a\\/b"]] },
  { "\\", [["\\"]] },
  { 'say "x"', [["say \"x\""]] },
  { "tab\tline\nnul\0esc\27del\127", [["tab\tline\nnul\u0000esc\u001bdel\u007f"]] },
  { "Zürich €", '"Zürich €"' },
  { "\240\159\152\128", '"\240\159\152\128"' },
  { "\194\155", [["\u009b"]] }, -- CSI: a terminal obeys it
  { "\194\160", '"\194\160"' },
  { "\226\128\174x\226\128\143\226\129\166", [["\u202ex\u200f\u2066"]] },
  { "\226\128\147", '"\226\128\147"' },
}

local circle = {}
circle.circle = circle

local REFUSED = {
  { 0 / 0, "a number that JSON cannot hold" },
  { math.huge, "a number that JSON cannot hold" },
  { -math.huge, "a number that JSON cannot hold" },
  { print, "a function" },
  { io.stdout, "a userdata" },
  { nil, "a nil" },
  { { a = { print } }, "a function" },
  { { 1, 2, x = 3 }, "both array and object" },
  { { 1, 2, nil, 4, [9] = 5 }, "holes" },
  { { [1] = 1, [1.5] = 2 }, "both array and object" },
  { { [true] = 1 }, "a key that is a boolean" },
  { { [2] = 1 }, "a key that is a number" },
  { array { x = 1 }, "both array and object" },
  { circle, "perhaps a table that contains itself" },
  { "\255", "not UTF-8" },
  { "\192\128", "not UTF-8" },
  { "\237\160\128", "not UTF-8" },
  { "\244\144\128\128", "not UTF-8" },
  { "\226\130", "not UTF-8" },
  { { ["\128"] = 1 }, "not UTF-8" },
}

-- A spec as queries make it, with some members said.
local function spec_with(members)
  local spec = {
    type = "host2host", directions = { "inbound" }, granularity = "auto", times = { range = "LastHour" },
    filters = {}, conditions = {}, fields = {}, extras = {}, offset = 0, prefetch = 0,
  }
  for key, value in pairs(members or {}) do spec[key] = value end
  return spec
end

local function report_of(...)
  return core.decode(wire.report_form(...).rpt_json)
end

local function data_of(...)
  return core.decode(wire.report_form(...).data_requested)
end

local function limits(offset, rows)
  return { table = { query_limit = { offset = offset, max_num_rows = rows } } }
end

describe("wire.encode", function()
  for i, case in ipairs(ENCODED) do
    it("writes value " .. i .. " as " .. case[2], function()
      assert.equal(case[2], wire.encode(case[1]))
    end)
  end

  for i, case in ipairs(REFUSED) do
    it("refuses value " .. i .. ", " .. case[2], function()
      local text, complaint = wire.try_encode(case[1])
      assert.is_nil(text)
      assert.truthy(complaint:find(case[2], 1, true), complaint)
      local ok, message = pcall(function() local _ = wire.encode(case[1]) end)
      assert.is_false(ok)
      assert.truthy(message:find("wire_spec.lua:", 1, true), message)
      assert.truthy(message:find("JSON cannot hold " .. complaint, 1, true), message)
    end)
  end

  it("nests a hundred deep and no deeper", function()
    local value = { "x" }
    for _ = 2, 100 do value = { value } end
    assert.equal(("["):rep(100) .. '"x"' .. ("]"):rep(100), wire.try_encode(value))
    assert.same({ nil, "tables nested too deep, perhaps a table that contains itself" }, { wire.try_encode { value } })
  end)

  it("writes 64-bit integers whole where Lua has them", function()
    if not rawget(math, "type") then return end
    assert.equal("9223372036854775807", wire.encode(math.maxinteger))
    assert.equal("-9223372036854775808", wire.encode(math.mininteger))
    assert.equal("9007199254740993", wire.encode(math.tointeger(2 ^ 53) + 1))
  end)

  it("writes numbers that read back as the same", function()
    local seed = 1
    for _ = 1, 2000 do
      seed = (seed * 16807) % 2147483647
      local value = (seed - 1e9) / 1e5 * 10 ^ (seed % 40 - 20)
      assert.equal(value, ascii.number(wire.encode(value)))
    end
  end)

  it("gives back what the decoder read, arrays and null included", function()
    local text = [==[{"a":[],"b":{},"c":[[],{}],"d":null,"e":[null,1,"x/y"],"f":1441146000}]==]
    assert.equal(text, wire.encode(core.decode(text)))
  end)

  it("leaves the settings of lua-cjson alone", function()
    assert.equal([["a\/b"]], require("cjson").encode "a/b")
  end)
end)

describe("wire.urlencode", function()
  it("percent-encodes all but letters, digits and -._~", function()
    local all = {}
    for byte = 0, 255 do all[#all + 1] = string.char(byte) end
    local text = wire.percent(table.concat(all))
    assert.equal("-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~", (text:gsub("%%%x%x", "")))
    assert.equal(table.concat(all), (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)))
    assert.equal("%20%2B%26%3D%7B%22%C3%BC%22%7D", wire.percent ' +&={"ü"}')
  end)

  it("keeps a list's order, and puts a map in order", function()
    assert.equal("b=2&a=1&b=3", wire.urlencode { { "b", "2" }, { "a", "1" }, { "b", "3" } })
    assert.equal("rm=r&action=x&rpt_json=j&data_requested=d&authToken=t&zz=",
      wire.urlencode { zz = "", authToken = "t", data_requested = "d", rpt_json = "j", action = "x", rm = "r" })
    assert.equal("", wire.urlencode {})
  end)
end)

describe("wire.report_form", function()
  it("sends what is said, and no more", function()
    local form = wire.report_form(spec_with())
    assert.same({
      rm = "report_api",
      action = "get",
      rpt_json = '{"dataGranularity":{"selected":"auto"},"filters":{"sdfDips_0":"in_GROUP_ALL"},'
        .. '"reportDirections":{"selected":"inbound"},"reportTypeLang":"host2host","times":{"dateRange":"LastHour"}}',
      data_requested = '{"inbound":{"table":{"query_limit":{"max_num_rows":10000000000,"offset":0}}}}',
    }, form)
  end)

  it("writes every member of the spec", function()
    local report = report_of(spec_with {
      timezone = "Europe/Berlin", granularity = 30, rate_total = "rate", unit = "bits", data_format = "raw", data_mode = "saf",
      order_by = "sum_octetdeltacount", others = false, fields = { byInt = { selected = 0 } },
    })
    assert.same({
      reportTypeLang = "host2host", reportDirections = { selected = "inbound" },
      times = { dateRange = "LastHour", clientTimezone = "Europe/Berlin" },
      dataGranularity = { selected = 30 }, rateTotal = { selected = "rate" }, bbp = { selected = "bits" },
      dataFormat = { selected = "raw" }, dataMode = { selected = "saf" }, orderBy = "sum_octetdeltacount", showOthers = 0,
      byInt = { selected = 0 }, filters = { sdfDips_0 = "in_GROUP_ALL" },
    }, report)
    assert.equal(1, report_of(spec_with { others = true }).showOthers)
  end)

  it("numbers filters per type, as given", function()
    local report = report_of(spec_with { filters = {
      { type = "sdfIps", value = "c" }, { type = "sdfDips", value = "d" }, { type = "sdfIps", value = "a" },
      { key = "odd", value = 5 },
    } })
    assert.same({ sdfIps_0 = "c", sdfIps_1 = "a", sdfDips_0 = "d", odd = 5 }, report.filters)
  end)

  it("turns times into epochs where they must hold still", function()
    local custom = { dateRange = "Custom", start = 10, ["end"] = 20 }
    assert.same(custom, report_of(spec_with { times = { from = 10, to = 20 } }).times)
    assert.same(custom, report_of(spec_with(), nil, { from = 10, to = 20 }).times)
    assert.same(custom, report_of(spec_with { times = { last = 10 } }, nil, nil, 20).times)
    assert.same(custom, report_of(spec_with { times = { last = 99 } }, nil, { from = 10, to = 20 }, 500).times)
    assert.same(custom, report_of(spec_with { fields = { times = { dateRange = "Today" } } }, nil, { from = 10, to = 20 }).times)
    assert.same({ dateRange = "Today" }, report_of(spec_with { fields = { times = { dateRange = "Today" } } }).times)
    local times = report_of(spec_with { times = { last = 60 } }).times
    assert.equal(60, times["end"] - times.start)
    assert.is_true(math.abs(times["end"] - os.time()) <= 2)
  end)

  it("asks for rows by limit, page and window", function()
    assert.same({ inbound = limits(5, 10) }, data_of(spec_with { offset = 5, limit = 10 }))
    assert.same({ inbound = limits(0, 7) }, data_of(spec_with { limit = 10, page_size = 7 }))
    assert.same({ inbound = limits(0, 10) }, data_of(spec_with { limit = 10, page_size = 70 }))
    assert.same({ inbound = limits(0, 7) }, data_of(spec_with { page_size = 7 }))
    local both = { "inbound", "outbound" }
    assert.same({ inbound = limits(0, 3), outbound = limits(0, 3) }, data_of(spec_with { directions = both, limit = 3 }))
    assert.same({ inbound = limits(2, 1), outbound = limits(4, 10000000000) }, data_of(spec_with {
      directions = both, window = { inbound = { offset = 2, limit = 1 }, outbound = { offset = 4 } },
    }))
  end)

  it("names in reportDirections what it asks for", function()
    local spec = spec_with { directions = { "inbound", "outbound" } }
    assert.equal("both", report_of(spec).reportDirections.selected)
    local pages = { { direction = "outbound", offset = 99, max = 100 } }
    assert.equal("outbound", report_of(spec, pages).reportDirections.selected)
    assert.same({ outbound = limits(99, 100) }, data_of(spec, pages))
    spec.window = { outbound = { offset = 4, limit = 2 } }
    assert.equal("outbound", report_of(spec).reportDirections.selected)
    assert.same({ outbound = limits(4, 2) }, data_of(spec))
  end)

  it("asks for graphs only when told", function()
    local spec = spec_with { directions = { "inbound", "outbound" }, graph = "all", limit = 1 }
    local data = data_of(spec)
    assert.equal("all", data.inbound.graph)
    assert.equal("all", data.outbound.graph)
  end)
end)
