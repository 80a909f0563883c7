-- query:aggregate by networks and by steps of time, against python over the recorded flows; and the names of its fields.

local answers = require "spec.answers"
local command = require "spec.command"
local core = require "scrutinizer.core"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local FROM, TO = "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"

-- What a python program prints; `rows` are the flows of the day. Some of their IPv6 addresses were cut to be shown ("fe80::7..0f:a88e"): no
-- addresses, they stay as they are.
local function python(program)
  local path = os.tmpname()
  support.write(path, [[
import csv, gzip, ipaddress as ip
from collections import defaultdict
def network(text, v4, v6):
    try: address = ip.ip_address(text)
    except ValueError: return text
    return ip.ip_network("%s/%d" % (address, v4 if address.version == 4 else v6), strict=False)
rows = list(csv.DictReader(gzip.open("examples/sandbox/flows.csv.gz", "rt")))
]] .. program)
  local out = support.shell("python3 " .. path)
  os.remove(path)
  return out
end

-- Lines "name sum" as a map.
local function map_of(text)
  local map = {}
  for name, value in text:gmatch "(%S+) (%d+)\n" do map[name] = tonumber(value) end
  return map
end

local function sums_of(groups, name, value)
  local map = {}
  for _, group in ipairs(groups) do
    assert.is_nil(map[group[name]])
    map[group[name]] = group[value]
  end
  return map
end

describe("an aggregate by networks", function()
  local client
  support.client_for_each(function(made) client = made end)

  local function day(report_type)
    local query = client:report(report_type or "host2host"):between(FROM, TO)
      :select { src = "sourceipaddress", dst = "destinationipaddress", octets = "sum_octetdeltacount" }
    return query
  end

  local function networks(v4, v6)
    return map_of(python(([[
sums = defaultdict(int)
for row in rows: sums[network(row["src_ip"], %d, %d)] += int(row["octets"])
for net, octets in sums.items(): print(net, octets)
]]):format(v4, v6)))
  end

  it("sums each network of IPv4 and IPv6 as python does", function()
    for _, bits in ipairs { { 24, 64 }, { 32, 128 }, { 0, 0 }, { 13, 57 }, { 8, 31 } } do
      local groups = assert(day():aggregate { by = { net = { "src", prefix = bits[1], prefix6 = bits[2] } }, sum = { "octets" } })
      assert.same(networks(bits[1], bits[2]), sums_of(groups, "net", "sum_octets"))
    end
    local groups = assert(day():aggregate { by = { net = { "src", prefix = 20 } }, sum = { "octets" } })
    assert.same(networks(20, 20), sums_of(groups, "net", "sum_octets"))
  end)

  it("groups by a network and a plain field, over pages and in both directions", function()
    local expected = map_of(python [[
sums = defaultdict(int)
for row in rows: sums["%s-%s" % (network(row["src_ip"], 16, 48), row["dst_ip"])] += int(row["octets"])
for name, octets in sums.items(): print(name, octets)
]])
    local options = { by = { "dst", net = { "src", prefix = 16, prefix6 = 48 } }, sum = { "octets" }, count = true }
    for _, query in ipairs { day(), day():page_size(1500), day():outbound() } do
      local got = {}
      for _, group in ipairs(assert(query:aggregate(options))) do got[group.net .. "-" .. group.dst] = group.sum_octets end
      assert.same(expected, got)
    end
  end)

  it("groups the rows that are kept", function()
    local expected = map_of(python [[
sums = defaultdict(int)
for row in rows:
    if row["src_ip"].startswith("10."): sums[network(row["src_ip"], 24, 64)] += int(row["octets"])
for name, octets in sums.items(): print(name, octets)
]])
    for _, query in ipairs { day(), day():page_size(1500) } do
      local groups = assert(query:keep({ src = "10.0.0.0/8" }):aggregate { by = { net = { "src", prefix = 24 } }, sum = { "octets" } })
      assert.same(expected, sums_of(groups, "net", "sum_octets"))
    end
  end)

  it("is descending; equal sums are in the order of the fields' bytes, plain ones first", function()
    local groups = assert(day():aggregate { by = { net = { "src", prefix = 24, prefix6 = 64 } }, count = true })
    local ties = 0
    for i = 2, #groups do
      local a, b = groups[i - 1], groups[i]
      assert.is_true(a.count > b.count or (a.count == b.count and a.net < b.net))
      ties = ties + (a.count == b.count and 1 or 0)
    end
    assert.is_true(ties > 0)
  end)

  it("is an error where the value is a number, or has no such prefix", function()
    local groups, err = day():aggregate { by = { net = { "octets", prefix = 8 } }, count = true }
    assert.is_nil(groups)
    assert.equal("decode", err.kind)
    assert.equal("'octets' has a number where prefix needs an IP address", err.message)
    groups, err = day():aggregate { by = { net = { "src", prefix = 48 } }, count = true }
    assert.is_nil(groups)
    assert.equal("'src' has an IPv4 address, and its prefix has more than 32 bits: use prefix for IPv4 and prefix6 for IPv6", err.message)
  end)

  it("groups by steps of a row's time", function()
    -- The first flow of each pair of hosts, in hours; the appliance names the bucket, a minute or more, in which it starts.
    local query = client:report("host2host"):between("2026-11-22T00:00:00Z", "2026-11-22T04:00:00Z"):granularity(1)
    local groups = assert(query:aggregate { by = { hour = { "first_flow_epoch", every = "1h" } }, sum = { "sum_octetdeltacount" }, count = true })
    local expected = map_of(python [[
first, sums, counts = {}, defaultdict(int), defaultdict(int)
for row in rows:
    start = int(row["start_ms"]) // 1000
    if start < 4 * 3600:
        pair = row["src_ip"], row["dst_ip"]
        first[pair] = min(first.get(pair, start), start)
        sums[pair] += int(row["octets"])
total = defaultdict(int)
for pair, start in first.items(): total[1795305600 + start // 3600 * 3600] += sums[pair]
for hour, octets in total.items(): print(hour, octets)
]])
    local got = {}
    for _, group in ipairs(groups) do
      assert.equal("number", type(group.hour))
      if math.type then assert.equal("integer", math.type(group.hour)) end
      got[("%d"):format(group.hour)] = group.sum_octetdeltacount
    end
    assert.same(expected, got)
  end)

  it("says what may be said", function()
    local function complains(said, options)
      local _, message = pcall(function()
        local _ = day():aggregate(options)
      end)
      assert.matches("by_spec%.lua:%d+: ", message)
      assert.equal(said, (message:gsub("^.-:%d+: ", "")):sub(1, #said))
    end
    complains('aggregate: by: "net": got "src"; allowed: a table such as { "src", prefix = 24 }', { by = { net = "src" } })
    complains('aggregate: by: "net": set either prefix or every', { by = { net = { "src" } } })
    complains('aggregate: by: "net": set either prefix or every', { by = { net = { "src", prefix = 8, every = 5 } } })
    complains('aggregate: by: "net": set either prefix or every', { by = { net = { "src", prefix6 = 64 } } })
    complains('aggregate: by: "net": prefix: got 129; allowed: bits, a whole number from 0 to 128', { by = { net = { "src", prefix = 129 } } })
    complains('aggregate: by: "net": prefix6: got "64"; allowed: bits', { by = { net = { "src", prefix = 24, prefix6 = "64" } } })
    complains('aggregate: by: "net": option: got "bits"; allowed: prefix, prefix6, every', { by = { net = { "src", bits = 8 } } })
    complains('aggregate: by: "t": every: got "1x"; allowed: whole seconds from 1, or text such as "5m", "1h"', { by = { t = { "src",
      every = "1x" } } })
    complains('aggregate: by: "t": every: got 0;', { by = { t = { "src", every = 0 } } })
    complains('aggregate: by: got "nowhere"; allowed: a field that the query selects', { by = { net = { "nowhere", prefix = 24 } } })
    complains('aggregate: by: two fields of the result would have the name "src"; give one an alias',
      { by = { "src", src = { "src", prefix = 24 } } })
    complains('aggregate: sum: two fields of the result would have the name "sum_octets"',
      { by = { sum_octets = { "src", prefix = 24 } }, sum = { "octets" } })
    complains('aggregate: count: two fields of the result would have the name "count"', { by = { count = { "src", prefix = 24 } }, count = true })
  end)

  it("does not double a name that says its sum, and tells the old name", function()
    local groups = assert(client:report("host2host"):between(FROM, TO):aggregate {
      sum = { "sum_octetdeltacount" }, max = { "sum_octetdeltacount" }, count = true })
    local names = {}
    for name in pairs(groups[1]) do names[#names + 1] = name end
    table.sort(names)
    assert.same({ "count", "max_sum_octetdeltacount", "sum_octetdeltacount" }, names)
    assert.equal(tonumber(python 'print(sum(int(row["octets"]) for row in rows))'), groups[1].sum_octetdeltacount)
    assert.is_nil(groups[1].nowhere)
    local _, message = pcall(function() return groups[1].sum_sum_octetdeltacount + 1 end)
    assert.matches("by_spec%.lua:%d+: aggregate: the field sum_sum_octetdeltacount is now called sum_octetdeltacount$", message)
    groups = assert(day():aggregate { sum = { "octets" } })
    assert.is_nil(getmetatable(groups[1]))
  end)
end)

-- Addresses as few write them, and others that are none; python's ipaddress says which.
describe("the networks of single addresses", function()
  local TEXTS = { "10.1.2.3", "255.255.255.255", "0.0.0.0", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.4 ", "", "::", "::1", "2001:DB8::1",
    "2001:db8:0:0:1:0:0:1", "2001:db8::1::", "fe80::1%eth0", "1::2:3:4:5:6:7:8", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "g::1", "12345::",
    "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "10.1.2.3/24", "-1.2.3.4", "1.2.3.4\0" }

  local function lua_text(text) return '"' .. text:gsub("%z", "\\x00") .. '"' end

  -- What python says of each text: the network, or "none".
  local function expected(bits4, bits6)
    local list = {}
    for i, text in ipairs(TEXTS) do list[i] = lua_text(text) end
    local out = python(([[
for text in [%s]:
    try:
        address = ip.ip_address(text)
        if "%%" in text: raise ValueError
        net = ip.ip_network((int(address), 0)[:1] + ((%d if address.version == 4 else %d),), strict=False) if address.version == 4 \
            else ip.IPv6Network((int(address), %d), strict=False)
        print(net.network_address.packed.hex(), net.prefixlen)
    except ValueError: print("none 0")
]]):format(table.concat(list, ","), bits4, bits6, bits6))
    local result = {}
    for hex, length in out:gmatch "(%S+) (%d+)\n" do result[#result + 1] = hex .. "/" .. length end
    return result
  end

  -- The bytes of a network's text as python reads it, and that it is the text that Python's RFC 5952 spelling or inet_ntop's would be.
  local function hex_of(texts)
    local list = {}
    for i, text in ipairs(texts) do list[i] = lua_text(text) end
    local out = python(([[
for text in [%s]:
    net = ip.ip_network(text)
    assert text == text.lower()
    print(net.network_address.packed.hex(), net.prefixlen)
]]):format(table.concat(list, ",")))
    local result = {}
    for hex, length in out:gmatch "(%S+) (%d+)\n" do result[#result + 1] = hex .. "/" .. length end
    return result
  end

  local function network_of(text, bits4, bits6)
    local columns = { answers.rank_column(), answers.column "host" }
    local rows = { answers.array { answers.rank(1), answers.cell("host", text) } }
    local decoder = core.decoder { inbound = true, max_body = 1e6, max_depth = 64, max_row = 1e5, max_held = 1e6,
      projection = { { field = "host", column = "host", member = "raw" } } }
    local sums = core.aggregate { fields = { "host" }, by = { { field = 1, name = "net", prefix = bits4, prefix6 = bits6 } }, folded = {} }
    local answer = core.feed()
    core.feed_header(answer, {})
    core.feed_push(answer, answers.write(answers.report("inbound", answers.direction(columns, rows))))
    core.feed_finish(answer)
    assert.equal(1, (decoder:fold(answer, sums, 1, 10)))
    return sums:rows()[1].net
  end

  for _, bits in ipairs { { 24, 64 }, { 9, 33 }, { 32, 128 }, { 0, 0 } } do
    it(("are those of python: %d, %d bits"):format(bits[1], bits[2]), function()
      local wanted, got, places = expected(bits[1], bits[2]), {}, {}
      assert.equal(#TEXTS, #wanted)
      for i, text in ipairs(TEXTS) do
        local network = network_of(text, bits[1], bits[2])
        if network == text then
          assert.equal("none/0", wanted[i], text)
        else
          got[#got + 1], places[#places + 1] = network, i
        end
      end
      for i, hex in ipairs(hex_of(got)) do assert.equal(wanted[places[i]], hex, TEXTS[places[i]]) end
    end)
  end
end)

describe("steps", function()
  it("go down to the multiple below, also of negative numbers and fractions", function()
    local values = { "-1", "0", "59", "60", "61.5", "-60", "-61", "1e3", "9223372036854775807", "5e-1", "-5e-1",
      "59.99999999999999999999", "-60.00000000000000000001", "1e-400", "-1e-400", "123456789012345678901234567890.9" } -- no doubles
    local rows, answer, program = {}, command.temporary(), command.temporary()
    for i, value in ipairs(values) do rows[i] = answers.array { answers.rank(i), answers.cell("last_flow_epoch", value) } end
    local columns = { answers.rank_column(), answers.column "last_flow_epoch" }
    command.write(answer, answers.write(answers.report("inbound", answers.direction(columns, rows))))
    command.write(program, ("#!/bin/sh\ncat >/dev/null\ncat %s\n"):format(answer), "700")
    local client = assert(scrutinizer.connect { command = program })
    local groups = assert(client:report("hosts"):last(60):aggregate { by = { at = { "last_flow_epoch", every = 60 } }, count = true })
    local got = {}
    for _, group in ipairs(groups) do got[(tostring(group.at):gsub("%.0$", ""))] = group.count end
    -- python: collections.Counter(math.floor(fractions.Fraction(v)) // 60 * 60 for v in values)
    assert.same({ ["-60"] = 4, ["0"] = 5, ["60"] = 2, ["-120"] = 2, ["960"] = 1, ["9223372036854775800"] = 1,
      ["123456789012345678901234567860"] = 1 }, got)
    local err
    groups, err = client:report("hosts"):last(60):select { said = "last_flow_epoch.label" }
      :aggregate { by = { at = { "said", every = 60 } }, count = true }
    assert.is_nil(groups)
    assert.equal("'said' has a value that is not a number", err.message)
    client:close()
    os.remove(answer)
    os.remove(program)
  end)
end)
