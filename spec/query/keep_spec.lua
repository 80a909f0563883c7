-- `query:keep` and `query:explain`: what is misuse, what they say, and that the order of calls does not matter.
local answers = require "spec.answers"
local query = require "scrutinizer.query"
local support = require "spec.support"

local unpack = table.unpack or unpack -- luacheck: ignore
local CLIENT = { url = "https://scrutinizer.example.net/fcgi/scrut_fcgi.fcgi", has_token = true }
local base = query.new(CLIENT, "host2host", 2)
local timed = base:between(1795305600, 1795392000)

local VALUE = 'a value (text, a number, a network such as "10.0.0.0/8"), a list of values, or a table with min, max, begins, contains, no'
local KEYS = "min, max, begins, contains, no"

local cyclic = {}
cyclic.no = cyclic

-- What is given; the message.
local MISUSE = {
  { nil, "keep: got nil; allowed: a table of conditions, { field = condition }" },
  { {}, "keep: got a table; allowed: a table of conditions, { field = condition }" },
  { "src", 'keep: got "src"; allowed: a table of conditions, { field = condition }' },
  { { "10.0.0.1" }, "keep: field: got 1; allowed: the name of one of the row's fields, or of a column" },
  { { [""] = 1 }, 'keep: field: got ""; allowed: the name of one of the row\'s fields, or of a column' },
  { { a = true }, 'keep: "a": got true; allowed: ' .. VALUE },
  { { a = {} }, 'keep: "a": got a table; allowed: ' .. VALUE },
  { { a = 0 / 0 }, 'keep: "a": got ' },
  { { a = math.huge }, 'keep: "a": got ' },
  { { a = { 1, min = 2 } }, 'keep: "a": got a table; allowed: ' .. VALUE },
  { { a = { [2] = 1 } }, 'keep: "a": got a table; allowed: ' .. VALUE },
  { { a = { 1, {} } }, 'keep: "a": got a table; allowed: ' .. VALUE },
  { { a = { mni = 1 } }, 'keep: "a": key: got "mni"; allowed: ' .. KEYS .. '; did you mean "min"?' },
  { { a = { equals = 1 } }, 'keep: "a": key: got "equals"; allowed: ' .. KEYS },
  { { a = { min = "x" } }, 'keep: "a": min: got "x"; allowed: a number, or its decimal text' },
  { { a = { max = "01" } }, 'keep: "a": max: got "01"; allowed: a number, or its decimal text' },
  { { a = { min = {} } }, 'keep: "a": min: got a table; allowed: a number, or its decimal text' },
  { { a = { begins = 1 } }, 'keep: "a": begins: got 1; allowed: text that is not empty, or a list of such texts' },
  { { a = { contains = "" } }, 'keep: "a": contains: got ""; allowed: text that is not empty, or a list of such texts' },
  { { a = { contains = {} } }, 'keep: "a": contains: got a table; allowed: text that is not empty, or a list of such texts' },
  { { a = "10.1.2.3/8" }, 'keep: "a": got "10.1.2.3/8"; allowed: a network without host bits; did you mean "10.0.0.0/8"?' },
  { { a = "10.0.0.0/33" }, 'keep: "a": got "10.0.0.0/33"; allowed: a network, an address with its length, as "10.0.0.0/8" or "2001:db8::/32"' },
  { { a = "300.1.1.1/8" }, 'keep: "a": got "300.1.1.1/8"; allowed: a network' },
  { { a = { "10.0.0.0/8", "10.0.0/8" } }, 'keep: "a": got "10.0.0/8"; allowed: a network' },
  { { a = { no = "10.0.0.0/255.0.0.0" } }, 'keep: "a": no: got "10.0.0.0/255.0.0.0"; allowed: a network' },
  { { a = "10.0.0.0/" }, 'keep: "a": got "10.0.0.0/"; allowed: a network' },
  { { a = "2001:db8::/129" }, 'keep: "a": got "2001:db8::/129"; allowed: a network' },
  { { a = "2001:db8:::/32" }, 'keep: "a": got "2001:db8:::/32"; allowed: a network' },
  { { a = "::ffff:300.0.0.1/96" }, 'keep: "a": got "::ffff:300.0.0.1/96"; allowed: a network' },
  { { a = { min = 2, max = 1 } }, 'keep: "a": min is 2 and max 1: no number is in between' },
  { { a = { no = { min = "9007199254740993", max = "9007199254740992.5" } } },
    'keep: "a": no: min is 9007199254740993 and max 9007199254740992.5: no number is in between' },
  { { a = { min = 0, max = "-1e-400" } }, 'keep: "a": min is 0 and max -1e-400: no number is in between' },
  { { a = { no = { no = true } } }, 'keep: "a": no: no: got true; allowed: ' .. VALUE },
  { { a = cyclic }, "conditions are nested too deep" },
}

-- A call that adds a condition; the words of the query's text.
local SAID = {
  { { src = "10.0.0.0/8" }, 'keep src = "10.0.0.0/8"' },
  { { src = { "10.0.0.1", 7 } }, 'keep src = "10.0.0.1" or 7' },
  { { n = { min = 1, max = "18446744073709551616" } }, "keep n from 1 up to 18446744073709551616" },
  { { ["n.label"] = { no = { begins = { "a", 'b"' } } } }, 'keep n.label not begins "a" or "b\\""' },
  { { ["a b"] = { contains = "x", no = "x" } }, 'keep "a b" (contains "x" and not = "x")' },
  { { a = { { min = 1 }, "y" } }, 'keep a (from 1 or = "y")' },
  { { a = { min = "1e3", max = 1000 } }, "keep a from 1e3 up to 1000" },
  -- Text with a slash that no network looks like.
  { { a = { "0/1", "ge-0/0/1", "1.5 Mb/s", "80/tcp", "10/100", "a:b/1", "2026/11/22", "/" } },
    'keep a = "0/1" or "ge-0/0/1" or "1.5 Mb/s" or "80/tcp" or "10/100" or "a:b/1" or "2026/11/22" or "/"' },
}

describe("keep", function()
  for i, case in ipairs(MISUSE) do
    it("refuses " .. i .. ", " .. case[2], function()
      local message = support.complaint(function() local _ = base:keep(case[1]) end)
      assert.truthy(message:find(case[2], 1, true), message)
    end)
  end

  for i, case in ipairs(SAID) do
    it("says what it keeps, " .. i, function()
      local text = tostring(timed:keep(case[1]))
      assert.truthy(text:find(case[2], 1, true), text)
      local line = "\n" .. case[2]:gsub("^keep ", "kept here: ") .. "\n"
      assert.truthy(timed:keep(case[1]):explain():find(line, 1, true))
      assert.is_nil(tostring(timed):find("keep", 1, true))
    end)
  end

  it("is not sent, and lets the appliance send all rows", function()
    local q = timed:select({ src = "sourceipaddress" }):limit(5):offset(3)
    local kept = q:keep { src = "10.0.0.1" }
    assert.equal(q:request().rpt_json, kept:request().rpt_json)
    assert.matches('"max_num_rows":5,"offset":3', q:request().data_requested, 1, true)
    assert.matches('"max_num_rows":10000000000,"offset":0', kept:request().data_requested, 1, true)
    assert.equal(q:request().data_requested, kept:without("keep"):request().data_requested)
  end)

  it("takes no field that is no column", function()
    assert.equal("keep: direction: use :inbound() or :outbound() instead",
      support.complaint(function() local _ = timed:both():keep({ direction = "inbound" }):request() end))
    assert.equal('keep: field: got "rank.label"; allowed: rank has no .label; use "rank"',
      support.complaint(function() local _ = timed:keep({ ["rank.label"] = "1" }):request() end))
  end)

  it("takes conditions within conditions, eight deep", function()
    local deep = "x"
    for _ = 1, 8 do deep = { no = deep } end
    assert.is_truthy(timed:keep { a = deep })
    assert.has_error(function() timed:keep { a = { no = deep } } end)
  end)

  it("takes a float of any size for its exact value", function()
    for value, text in pairs { [2 ^ 53] = "9007199254740992", [2 ^ 63] = "9223372036854775808", [-2 ^ 63] = "-9223372036854775808",
      [2 ^ 64] = "18446744073709551616", [1e23] = "99999999999999991611392" } do
      assert.matches("keep x = " .. text:gsub("%-", "%%-") .. "$", tostring(timed:keep { x = value }))
    end
    local odd = 9007199254740992 + 1 -- an integer where this Lua has them
    assert.matches("keep x = " .. ("%d"):format(odd) .. "$", tostring(timed:keep { x = odd }))
  end)

  it("takes a number of LuaJIT's for what it is", function()
    if not jit then return end
    local cdata = assert((loadstring or load) "return 9223372036854775807LL")()
    assert.matches("keep n = 9223372036854775807", tostring(timed:keep { n = cdata }), 1, true)
  end)
end)

-- Calls that change which rows there are, and none that replaces another.
local CALLS = {
  { "where", { src_ip = "10.0.0.1" } }, { "where", { dst_ip = { "10.0.0.2", "10.0.0.3" } } }, { "where", { ip = "10.0.0.2" } },
  { "where", { network = "10.0.0.0/8", port = 53 } }, { "where", { src_network = "10.0.0.0/16" } }, { "exclude", { ip = "10.0.0.9", port = 80 } },
  { "where", { src_ip = { "10.0.0.1", "10.0.0.7" } } }, { "keep", { octets = { min = 5 } } },
  { "keep", { destinationipaddress = { no = "10.0.0.4" } } }, { "select", { octets = "sum_octetdeltacount" } },
  { "limit", 7 }, { "offset", 2 }, { "page_size", 100 }, { "both" }, { "exporter", "192.0.2.1" },
}

local function apply(calls)
  local q = timed
  for _, call in ipairs(calls) do
    local before, said = q, tostring(q)
    q = q[call[1]](q, unpack(call, 2))
    assert.equal(said, tostring(before))
  end
  return q
end

-- What a query does, its lines sorted: filters are numbered and tests are listed in the order of calls.
local function meaning(q)
  local good, form = pcall(q.request, q)
  if not good then return form end
  local lines, filters = {}, {}
  for line in q:explain():gmatch "[^\n]+" do
    if not line:find "^sent" then lines[#lines + 1] = line end
  end
  local object = require("scrutinizer").decode(form.rpt_json)
  for key, value in pairs(object.filters) do filters[#filters + 1] = key:gsub("_%d+$", " ") .. value end
  table.sort(lines)
  table.sort(filters)
  return { lines, filters, form.data_requested }
end

describe("which rows a query has", function()
  it("does not depend on the order of calls", function()
    local chance, filtered = answers.chance(7), 0
    for _ = 1, 300 do
      local calls = {}
      for _, call in ipairs(CALLS) do
        if chance(2) == 1 then calls[#calls + 1] = call end
      end
      local wanted = meaning(apply(calls))
      for _ = 1, 4 do
        for i = #calls, 2, -1 do
          local k = chance(i)
          calls[i], calls[k] = calls[k], calls[i]
        end
        assert.same(wanted, meaning(apply(calls)))
      end
      if type(wanted) == "table" and table.concat(wanted[1]):find "filtered here: %l+_" then filtered = filtered + 1 end
    end
    assert.is_true(filtered > 50, filtered)
  end)
end)

describe("explain", function()
  it("says when, what is sent, what is filtered here, and which rows are given", function()
    local q = base:day("2026-11-22"):timezone("Europe/Berlin"):where({ src_ip = "10.0.0.1", dst_ip = "10.0.0.2" })
      :keep({ sum_octetdeltacount = { min = 1 } }):exporter("core-2"):limit(10):offset(2):bits()
    assert.equal([[
when: from 2026-11-22T00:00:00+01:00 to 2026-11-23T00:00:00+01:00, the end not included
sent: host2host, inbound; exporter "core-2" (looked up when it runs), sdfIps in_10.0.0.2_dst; ]] .. [[
bbp {"selected":"bits"}, dataGranularity {"selected":"auto"}
filtered here: src_ip = 10.0.0.1, because the appliance ORs filters of the same type
kept here: sum_octetdeltacount from 1
rank, percenttotal and similar columns: computed by the appliance from all rows that it sends; total and footer are absent
rows: at most 10 kept rows, the first 2 kept rows skipped, requested in one answer]], q:explain())
    assert.equal([[
when: from 2026-11-22T00:00:00Z to 2026-11-23T00:00:00Z, the end not included
sent: host2host, both; all devices; dataGranularity {"selected":"auto"}
filtered here: nothing
rows: all rows, requested in pages of 50]], timed:both():page_size(50):explain())
    assert.matches("^when: LastHour, computed by the appliance; by this host's clock from 20%d%d%-", base:range("LastHour"):explain())
    assert.matches("\nsent: host2host, inbound; filters as :set gave them; ", timed:set("filters", { a = "b" }):explain(), 1, true)
  end)

  it("asks the appliance nothing, and raises as running does", function()
    assert.matches("^explain: say when", support.complaint(function() local _ = base:explain() end))
    local groups = timed:where { ip_group = 1, src_ip_group = 2 }
    assert.matches("^where: ip_group with src_ip_group", support.complaint(function() local _ = groups:explain() end))
  end)
end)
