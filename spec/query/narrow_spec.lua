-- Conditions narrow: every pair of keys, in one call and in two, included and excluded, against Python over the recorded flows. Each report is
-- exact or refused with a sentence.
local support = require "spec.support"

local FROM, TO = "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"

-- Two values of each key.
local VALUES = {
  ip = { "10.8.0.69", "8.8.8.8" }, src_ip = { "10.8.0.69", "8.8.8.8" }, dst_ip = { "8.8.8.8", "10.8.0.69" },
  network = { "10.8.0.0/16", "8.8.8.0/24" }, src_network = { "10.0.0.0/8", "10.8.0.0/24" }, dst_network = { "8.8.0.0/16", "8.8.8.8/32" },
  ip_group = { 16900046, 16800023 }, src_ip_group = { 16800023, 16900046 }, dst_ip_group = { 16900046, 16800023 },
  port = { 53, 52251 }, src_port = { 52251, 53 }, dst_port = { 53, 443 }, app_port = { "53/udp", "443/tcp" },
}
local KEYS = { "app_port", "dst_ip", "dst_ip_group", "dst_network", "dst_port", "ip", "ip_group", "network", "port", "src_ip", "src_ip_group",
  "src_network", "src_port" }

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
def meets(key, value, f, n):
    known = cache.setdefault((key, value), {})
    if n not in known:
        if key == "app_port":
            port, protocol = value.split("/")
            known[n] = f["protocol"] == PROTOCOLS[protocol] and port in (f["src_port"], f["dst_port"])
        else:
            side = key[:3] if key[:4] in ("src_", "dst_") else None
            kind = key[4:] if side else key
            known[n] = any(one(kind, s, value, f) for s in ([side] if side else ["src", "dst"]))
    return known[n]

ROWS = [("src_ip", "dst_ip", "src_port", "dst_port", "protocol"), ("src_ip", "dst_ip"), ("src_ip",), ("tos",)]
keys = sorted(values)
for i, a in enumerate(keys):
    for b in keys[i:]:
        x, y = values[a][0], values[b][0 if a != b else 1]
        for how in ("one", "two"):
            for mode in ("where", "exclude"):
                octets = packets = 0
                seen = [set() for _ in ROWS]
                for n, f in enumerate(flows):
                    p, q = meets(a, x, f, n), meets(b, y, f, n)
                    alternatives = how == "one" and a == b
                    kept = not (p or q) if mode == "exclude" else (p or q) if alternatives else p and q
                    if kept:
                        octets += int(f["octets"])
                        packets += int(f["packets"])
                        for s, columns in zip(seen, ROWS):
                            s.add(tuple(f[c] for c in columns))
                print(a, b, how, mode, octets, packets, *[len(s) for s in seen])
]==]

local cases = {}
local function read_cases()
  local path = os.tmpname()
  support.write(path, PROGRAM)
  local text = support.shell(("python3 %s %s"):format(path, support.quote(require("cjson").encode(VALUES))))
  os.remove(path)
  for line in text:gmatch "[^\n]+" do
    local a, b, how, mode, octets, packets, connections, host2host, srcHosts, tos = line:match(
      "^(%S+) (%S+) (%S+) (%S+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$")
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
  if case.how == "two" then return q[case.mode](q[case.mode](q, { [case.a] = x }), { [case.b] = y }) end
  return q[case.mode](q, case.a == case.b and { [case.a] = { x, y } } or { [case.a] = x, [case.b] = y })
end

-- "exact", or the sentence of the refusal; raises for a wrong sum.
local function run(client, report, case)
  local query = query_of(client, report, case)
  local good, list, err = pcall(query.aggregate, query, { sum = { "octets", "packets" }, count = true })
  if not good then return (list:gsub("^.-:%d+: ", "")) end
  assert(list, err)
  local sums = list[1] or { sum_octets = 0, sum_packets = 0, count = 0 }
  local at = ("%s: %s %s with %s, %s"):format(report, case.mode, case.a, case.b, case.how)
  assert.equal(case.octets, sums.sum_octets, at)
  assert.equal(case.packets, sums.sum_packets, at)
  assert.equal(case.rows[report], sums.count, at)
  return "exact"
end

describe("conditions", function()
  local client

  before_each(function() client = support.connect() end)
  after_each(function() client:close() end)

  -- Runs some of the cases: { ["ip ip two"] = sentence } of those refused, and how many were exact with flows in them.
  local function run_all(report, wanted)
    local refused, exact, full = {}, 0, 0
    for _, case in ipairs(cases) do
      if wanted(case) then
        local said = run(client, report, case)
        if said == "exact" then
          exact, full = exact + 1, full + (case.octets > 0 and 1 or 0)
        else
          refused[("%s %s %s %s"):format(case.mode, case.a, case.b, case.how)] = said
        end
      end
    end
    return refused, exact, full
  end
  for _, report in ipairs { "connections", "host2host", "srcHosts", "tos" } do
    it("try " .. report, function()
      local refused, exact, full = run_all(report, function(case)
        return report == "tos" or (case.mode == "where" and kind_of(case.a) == kind_of(case.b))
      end)
      print(report, exact, full)
      for k, v in pairs(refused) do print(k, v) end
    end)
  end
end)
