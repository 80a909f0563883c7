-- Conditions narrow: every pair of keys, in one call and in two, included and excluded, against Python over the recorded flows. Each report is
-- exact or refused with a sentence.
local support = require "spec.support"

local unpack = table.unpack or unpack -- luacheck: ignore
local FROM, TO = "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"

-- Two values of each key.
local VALUES = {
  ip = { "10.8.0.69", "8.8.8.8" }, src_ip = { "10.8.0.69", "8.8.8.8" }, dst_ip = { "8.8.8.8", "10.8.0.69" },
  network = { "10.8.0.0/16", "8.8.8.0/24" }, src_network = { "10.0.0.0/8", "10.8.0.0/24" }, dst_network = { "8.8.0.0/16", "8.8.8.8/32" },
  ip_group = { 16900046, 16800023 }, src_ip_group = { 16800023, 16900046 }, dst_ip_group = { 16900046, 16800023 },
  port = { 53, 52251 }, src_port = { 52251, 53 }, dst_port = { 53, 443 }, app_port = { "53/udp", "443/tcp" },
}
-- What Python says of all pairs: lines "key key how mode octets packets connections host2host srcHosts tos", the last four as numbers of rows.
local PROGRAM = [==[
import csv, gzip, ipaddress, json, sys
values = json.loads(sys.argv[1])
flows = list(csv.DictReader(gzip.open("examples/sandbox/flows.csv.gz", "rt")))
PROTOCOLS = {"udp": "17", "tcp": "6"}
GROUPS = {16800023: ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"], 16900046: ["8.8.8.8/32", "8.8.4.4/32", "1.1.1.1/32"]}
addresses = {}
for f in flows:
    for side in ("src_ip", "dst_ip"):
        try:
            addresses[f[side]] = ipaddress.ip_address(f[side])
        except ValueError:
            addresses[f[side]] = None # the meter has shortened it

def inside(text, network):
    a, n = addresses[text], ipaddress.ip_network(network)
    return a is not None and a.version == n.version and a in n

def one(kind, side, value, f):
    ip, port = f[side + "_ip"], f[side + "_port"]
    if kind == "ip":
        return ip == value
    if kind == "network":
        return inside(ip, value)
    if kind == "ip_group":
        return any(inside(ip, n) for n in GROUPS[value])
    return port == str(value)

cache = {}
def flows_of(key, value):
    if (key, value) not in cache:
        if key == "app_port":
            port, protocol = value.split("/")
            found = [n for n, f in enumerate(flows) if f["protocol"] == PROTOCOLS[protocol] and port in (f["src_port"], f["dst_port"])]
        else:
            side = key[:3] if key[:4] in ("src_", "dst_") else None
            kind = key[4:] if side else key
            found = [n for n, f in enumerate(flows) if any(one(kind, s, value, f) for s in ([side] if side else ["src", "dst"]))]
        cache[key, value] = frozenset(found)
    return cache[key, value]

ROWS = [("src_ip", "dst_ip", "src_port", "dst_port", "protocol"), ("src_ip", "dst_ip"), ("src_ip",), ("tos",)]
places = [[tuple(f[c] for c in columns) for f in flows] for columns in ROWS]
octets, packets = [int(f["octets"]) for f in flows], [int(f["packets"]) for f in flows]
everything = frozenset(range(len(flows)))
keys = sorted(values)
for i, a in enumerate(keys):
    for b in keys[i:]:
        p, q = flows_of(a, values[a][0]), flows_of(b, values[b][0 if a != b else 1])
        for how in ("one", "two"):
            for mode in ("where", "exclude", "where and exclude", "exclude and where"):
                if " and " in mode and (how == "one" or a == b):
                    continue
                kept = everything - (p | q) if mode == "exclude" else p - q if mode == "where and exclude" else q - p if mode == "exclude and where" \
                    else p | q if how == "one" and a == b else p & q
                print(a, b, how, mode, sum(octets[n] for n in kept), sum(packets[n] for n in kept), *[len({r[n] for n in kept}) for r in places])
]==]

local cases = {}
local function read_cases()
  local path = os.tmpname()
  support.write(path, PROGRAM)
  local text = support.shell(("python3 %s %s"):format(path, support.quote(require("cjson").encode(VALUES))))
  os.remove(path)
  for line in text:gmatch "[^\n]+" do
    local a, b, how, mode, octets, packets, connections, host2host, srcHosts, tos = line:match(
      "^(%S+) (%S+) (%S+) (%l[%l ]*) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$")
    cases[#cases + 1] = { a = a, b = b, how = how, mode = mode, octets = tonumber(octets), packets = tonumber(packets),
      rows = { connections = tonumber(connections), host2host = tonumber(host2host), srcHosts = tonumber(srcHosts), tos = tonumber(tos) } }
  end
end
read_cases()

local function kind_of(key)
  return (key:gsub("^src_", ""):gsub("^dst_", ""))
end

local function query_of(client, report, case)
  local q = client:report(report):between(FROM, TO):select { octets = "sum_octetdeltacount", packets = "sum_packetdeltacount" }
  local x, y = VALUES[case.a][1], VALUES[case.b][case.a == case.b and 2 or 1]
  if case.how == "two" then
    local first, second = case.mode:match "^%l+", case.mode:match "%l+$"
    return q[second](q[first](q, { [case.a] = x }), { [case.b] = y })
  end
  return q[case.mode](q, case.a == case.b and { [case.a] = { x, y } } or { [case.a] = x, [case.b] = y })
end

-- "exact", or the sentence of the refusal; raises for a wrong sum. A request that was sent before is not sent again: its sums are compared.
local sent = {}
local function run(client, report, case)
  local query = query_of(client, report, case)
  local good, form = pcall(query.request, query)
  if not good then return (form:gsub("^.-:%d+: ", "")) end
  local text = form.rpt_json .. query:explain()
  if not sent[text] then
    local list, err = query:aggregate { sum = { "octets", "packets" }, count = true }
    assert(list, err)
    sent[text] = list[1] or { sum_octets = 0, sum_packets = 0, count = 0 }
  end
  local sums, at = sent[text], ("%s: %s %s with %s, %s"):format(report, case.mode, case.a, case.b, case.how)
  assert.equal(case.octets, sums.sum_octets, at)
  assert.equal(case.packets, sums.sum_packets, at)
  assert.equal(case.rows[report], sums.count, at)
  return "exact"
end

-- Whether two conditions may be refused: of one key whose value a flow has once, when nothing meets both; and of one kind, where the rows do not
-- show it: what they show is here.
local ONCE = { src_ip = true, dst_ip = true, src_port = true, dst_port = true }
local SHOWN = {
  connections = { ip = true, network = true, port = true }, host2host = { ip = true, network = true }, srcHosts = {}, tos = {},
}
local function may_be_refused(report, case)
  local kind = kind_of(case.a)
  if case.mode ~= "where" or kind ~= kind_of(case.b) or (case.a == case.b and case.how == "one") then return false end
  return not SHOWN[report][kind] or (case.a == case.b and ONCE[case.a])
end

describe("conditions", function()
  local client

  support.client_for_each(function(made) client = made end)

  -- Of tos all pairs are asked for; of reports with many rows those that the appliance would widen. How many are exact with flows in them.
  -- What is sent and filtered does not depend on the Lua: the others ask for one in twelve.
  local step = os.getenv "SANDBOX_CHECKED" and 12 or 1
  for report, exact in pairs { connections = 38, host2host = 33, srcHosts = 27, tos = 469 } do
    it("narrow, of one key and of two, in one call and in two, or are refused: " .. report, function()
      local full = 0
      for i = 1, #cases, step do
        local case = cases[i]
        if report == "tos" or (case.mode == "where" and kind_of(case.a) == kind_of(case.b)) then
          local said = run(client, report, case)
          if said ~= "exact" then
            assert.is_true(may_be_refused(report, case), said)
            assert.matches("^where: [%l_]+[%l_ ]*: ", said)
          elseif case.octets > 0 then
            full = full + 1
          end
        end
      end
      if step == 1 then assert.equal(exact, full) else assert.is_true(full > 0) end
    end)
  end

  it("of all keys there are stand in the pairs above", function()
    local pairs_seen, keys = {}, 0
    for key in pairs(require("scrutinizer.wire.conditions").keys) do
      assert.is_table(VALUES[key], key)
      keys = keys + 1
    end
    for _, case in ipairs(cases) do pairs_seen[case.a .. " " .. case.b .. " " .. case.how .. " " .. case.mode] = true end
    local count = 0
    for _ in pairs(pairs_seen) do count = count + 1 end
    assert.equal(keys * (keys + 1) / 2 * 4 + keys * (keys - 1), count) -- where and exclude in two calls, in both orders
  end)

  it("are refused with what can be done instead", function()
    local function said(report, ...)
      local q = client:report(report):last "1h"
      for _, conditions in ipairs { ... } do q = q:where(conditions) end
      local _, message = pcall(q.request, q)
      return message
    end
    local ors = "the appliance ORs filters of the same type"
    local take = "by which the client could filter rows: use a report that has it"
    assert.equal(("where: dst_ip with src_ip: %s, and 'tos' has no column sourceipaddress %s (host2host, conversations) and sum its rows with "
      .. ":aggregate"):format(ors, take), said("tos", { src_ip = "10.0.0.1", dst_ip = "10.0.0.2" }))
    assert.equal(("where: port in several calls: %s, and 'host2host' has no column %s %s (connections) and sum its rows with :aggregate"):format(
      ors, "sourcetransportport or no destinationtransportport", take), said("host2host", { port = 1 }, { port = 2 }))
    assert.equal(("where: dst_ip_group with ip_group: %s, and the client cannot filter rows by IP group: %s"):format(
      ors, "use only one of these conditions, or networks instead of a group"), said("host2host", { ip_group = 1 }, { dst_ip_group = 2 }))
    assert.equal(("where: src_ip_group in several calls: %s, and the client cannot filter rows by IP group: %s"):format( -- a host may be of both
      ors, "use only one of these conditions, or networks instead of a group"), said("host2host", { src_ip_group = 1 }, { src_ip_group = 2 }))
    assert.equal(("where: app_port in several calls: %s, and the client cannot filter rows by app_port: %s"):format(
      ors, "give the values as a list in one call, or use port with the report connections"),
      said("connections", { app_port = "1/tcp" }, { app_port = "2/tcp" }))
    assert.equal("where: src_ip: no flow can match all calls, because calls are ANDed; give alternatives as a list in one call",
      said("connections", { src_ip = "10.0.0.1" }, { src_ip = "10.0.0.2" }))
  end)

  local function filters_of(q)
    local filters = require("scrutinizer").decode(q:request().rpt_json).filters
    filters.sdfDips_0 = nil
    return filters
  end

  local function sent_by(report, ...)
    local q = client:report(report):last "1h"
    for _, call in ipairs { ... } do q = q[call[1]](q, call[2], call[3]) end
    return filters_of(q), q
  end

  it("send one of those that the appliance would widen, whatever the order of calls, and filter by the others", function()
    local filters, q = sent_by("host2host", { "where", { src_ip = "10.0.0.1" } }, { "where", { dst_ip = { "10.0.0.2", "10.0.0.3" } } })
    assert.same({ sdfIps_0 = "in_10.0.0.1_src" }, filters)
    assert.matches("filtered here: dst_ip = 10.0.0.2 or 10.0.0.3, because", q:explain(), 1, true)
    local again, same = sent_by("host2host", { "where", { dst_ip = { "10.0.0.2", "10.0.0.3" } } }, { "where", { src_ip = "10.0.0.1" } })
    assert.same(filters, again)
    assert.equal(q:explain(), same:explain())
    -- Where the rows show one end only, the other is sent.
    assert.same({ sdfIps_0 = "in_10.0.0.2_dst", sdfIps_1 = "in_10.0.0.3_dst" },
      (sent_by("srcHosts", { "where", { dst_ip = { "10.0.0.2", "10.0.0.3" } } }, { "where", { src_ip = "10.0.0.1" } })))
  end)

  it("are sent as they are where the appliance narrows, or where one says no more than another", function()
    assert.same({ sdfIps_0 = "in_10.0.0.1_src", sdfIpns_0 = "in_10.0.0.0_8_dst", sdfSdPorts_0 = "in_53_both" },
      (sent_by("tos", { "where", { src_ip = "10.0.0.1", dst_network = "10.0.0.0/8" } }, { "where", { port = 53 } })))
    assert.same({ sdfIps_0 = "in_10.0.0.1_src" }, (sent_by("tos", { "where", { ip = "10.0.0.1" } }, { "where", { src_ip = "10.0.0.1" } })))
    for wanted, said in pairs { ["in_10.0.0.1_Both"] = { ip = "10.0.0.1" }, ["in_5_both"] = { ip_group = 5 }, ["in_53_both"] = { port = 53 },
      ["in_10.0.0.0_8_both"] = { network = "10.0.0.0/8" }, ["in_53-17"] = { app_port = "53/udp" } } do
      local name, filter = next((sent_by("tos", { "where", said }, { "where", said }, { "where", said })))
      assert.equal(wanted, filter, name) -- said again it is said, not nothing
    end
    local wide, narrow = { "10.0.0.0/8", "192.168.0.0/16" }, { "10.1.0.0/16", "11.0.0.0/8" }
    assert.same({ sdfIpns_0 = "in_10.1.0.0_16_src" }, (sent_by("tos", { "where", { src_network = wide } }, { "where", { src_network = narrow } })))
    assert.same({ sdfIpns_0 = "in_10.1.0.0_16_both" },
      (sent_by("tos", { "where", { network = "10.0.0.0/8" } }, { "where", { network = "10.1.0.0/16" } })))
    assert.same({ sdfIps_0 = "in_2001:DB8::1_dst" },
      (sent_by("tos", { "where", { dst_ip = "2001:db8:0:0::1" } }, { "where", { dst_ip = { "2001:DB8::1", "::2" } } })))
    assert.same({ sdfIPGroups_0 = "in_5_src" }, (sent_by("tos", { "where", { ip_group = { 4, 5 } } }, { "where", { src_ip_group = 5 } })))
    assert.same({ sdfPorts_0 = "in_53-17" },
      (sent_by("tos", { "where", { app_port = { "53/udp", "53/tcp" } } }, { "where", { app_port = { 53, 17 } } })))
  end)

  it("are planned in a time that grows with their number: 3,000 by 3,000 values, and 2,000 calls", function()
    local networks, hosts = {}, {}
    for i = 1, 3000 do
      networks[i] = ("10.%d.%d.0/24"):format(math.floor(i / 250), i % 250)
      hosts[i] = ("10.%d.%d.7"):format(math.floor(i / 250), (i + 1000) % 250)
    end
    local q = client:report("connections"):last "1h"
    local large = {
      { q:where({ src_ip = hosts }):where { src_ip = { unpack(hosts, 1, 1000) } }, 1000 },
      { q:where({ src_network = networks }):where { src_network = networks }, 3000 },
      { q:where({ src_network = networks }):where { network = networks }, 3000 },
      { q:where({ src_ip = hosts }):where { ip = hosts }, 3000 },
    }
    local many = q
    for i = 1, 2000 do many = many:where { ip = hosts[i] } end
    large[5] = { many, 1 }
    for i, case in ipairs(large) do
      local before, count = os.clock(), 0
      for _ in pairs(filters_of(case[1])) do count = count + 1 end
      assert.is_true(os.clock() - before < (support.sanitized and 20 or 2), i .. ": " .. os.clock() - before)
      assert.equal(case[2], count)
    end
  end)

  it("narrow what :filter and pasted reports include, which is sent as it is", function()
    local filters, q = sent_by("host2host", { "filter", "sdfIps", "in_10.0.0.9_Both" }, { "filter", "sdfIps", "ex_10.0.0.8_src" },
      { "where", { src_ip = "10.0.0.1" } })
    assert.same({ sdfIps_0 = "in_10.0.0.9_Both", sdfIps_1 = "ex_10.0.0.8_src" }, filters)
    assert.matches("filtered here: src_ip = 10.0.0.1", q:explain(), 1, true)
    assert.same({ sdfIps_0 = "ex_10.0.0.8_src", sdfIps_1 = "in_10.0.0.1_src" },
      (sent_by("tos", { "filter", "sdfIps", "ex_10.0.0.8_src" }, { "where", { src_ip = "10.0.0.1" } })))
    assert.is_false((pcall(sent_by, "tos", { "filter", "sdfIps", "in_10.0.0.9_Both" }, { "where", { src_ip = "10.0.0.1" } })))
  end)

  it("of an unknown report type are checked against its columns", function()
    local q = client:report("custom_rows_3"):between(FROM, TO):where { src_ip = "10.0.0.1", dst_ip = "10.0.0.2" }
    assert.is_table(q:fetch())
    local report, err = client:report("postTranslationsNAT"):between(FROM, TO):where({ src_port = 1, dst_port = 2 }):fetch()
    assert.is_nil(report)
    assert.equal("api", err.kind)
    assert.matches("where: src_port is filtered in the client by the column sourcetransportport, which this report lacks", err.message, 1, true)
  end)

  it("that are filtered here give no shares of what was not", function()
    local share = client:report("host2host"):last("1h"):select({ "percenttotal.label" }):where { src_ip = "10.0.0.1", dst_ip = "10.0.0.2" }
    assert.equal("select: the appliance computes percenttotal from all rows that it sends, but the client filters them by "
      .. "src_ip = 10.0.0.1: remove it from select",
      support.complaint(function() local _ = share:request() end))
    local both = client:report("host2host"):last("1h"):where { src_ip = "10.0.0.1", dst_ip = "10.0.0.2" }
    local function refused(at, column, call)
      local words = "%s: the appliance computes %s from all rows that it sends, but the client filters them by src_ip = 10.0.0.1: remove it from %s"
      local text = support.complaint(call)
      assert.truthy(text:find(words:format(at, column, at:match "^%l+"), 1, true), text)
    end
    refused("keep", "rank", function() local _ = both:keep({ rank = { max = 10 } }):rows() end)
    refused("keep", "percenttotal", function() local _ = both:keep({ ["percenttotal.label"] = "1.00 %" }):fetch() end)
    refused("keep", "rank", function() local _ = both:keep({ rank = 1 }):explain() end)
    refused("aggregate: by", "rank", function() local _ = both:aggregate { by = { "rank" }, count = true } end)
    refused("aggregate: min", "rank", function() local _ = both:aggregate { min = { "rank" } } end)
    refused("aggregate: max", "rank", function() local _ = client:gather { { both, aggregate = { max = { "rank" } } } } end)
    assert.is_true(pcall(both.request, both:keep { sum_octetdeltacount = { min = 1 } }))
    assert.is_true(pcall(share.request, share:without("dst_ip"):keep { rank = { max = 10 } }))
  end)
end)
