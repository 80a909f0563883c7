-- Every example, run as it stands against the sandbox (and a real PostgreSQL): what it prints, and what it leaves behind.
local support = require "spec.support"

local quote = support.quote
local box = support.sandbox()
local ENVIRONMENT = ("SCRUTINIZER_URL=%s SCRUTINIZER_TOKEN=%s SCRUTINIZER_CA=%s "):format(quote(box.url), quote(box.token), quote(box.ca))

-- What an example prints on both outputs, and its status. `before` stands before the command.
local function run(name, arguments, before)
  local command = ("%senv %s %s examples/%s %s"):format(before or "", ENVIRONMENT, support.lua, name, arguments or "")
  local out = support.shell(command .. " 2>&1; printf ' %d' $?")
  local text, status = out:match "^(.*) (%d+)$"
  assert.is_nil(text:find(box.token, 1, true))
  return text, tonumber(status)
end

local function good(...)
  local text, status = run(...)
  assert.equal(0, status, text)
  return text
end

local folder
-- What awk makes of the day: rows of host2host, and their octets.
local ROWS = tonumber((support.awk 'NR>1{k[$7 " " $9]=1}END{n=0;for(i in k)n++;print n}'))
local OCTETS = support.awk 'NR>1{s+=$12}END{printf "%.0f",s}'

local examples = {}

-- What python makes of the flows: `flows` has them, `top(key, rows)` sums of octets by key, descending, equal ones by their keys.
local PYTHON = [[
import csv, gzip, ipaddress
flows = list(csv.DictReader(gzip.open("examples/sandbox/flows.csv.gz", "rt")))
for row in flows:
    row["octets"] = int(row["octets"]); row["hour"] = int(row["start_ms"]) // 3600000
def inside(text, network):
    try: return ipaddress.ip_address(text) in ipaddress.ip_network(network)
    except ValueError: return False
def top(key, rows):
    sums = {}
    for row in rows: sums[key(row)] = sums.get(key(row), 0) + row["octets"]
    return sorted(sums.items(), key=lambda one: (-one[1], one[0]))
pair = lambda row: (row["src_ip"], row["dst_ip"])
total = lambda sums: sum(octets for _, octets in sums)
]]

local function python(program)
  return support.shell("python3 -c " .. quote(PYTHON .. program))
end

examples["top_conversations.lua"] = function(name)
  local out = good(name)
  assert.matches("\n   1  157%.240%.30%.63    10%.8%.0%.69        HTTPS %(443 %- TCP%)%s+192%.1 MB   50%.23 %%\n", out)
  assert.matches("\n%d+ conversations exist\n$", out)
end

examples["between_networks.lua"] = function(name)
  assert.equal(python [[
a, b = "10.8.0.0/16", "157.240.0.0/16"
for src, dst in (a, b), (b, a):
    sums = top(pair, [row for row in flows if inside(row["src_ip"], src) and inside(row["dst_ip"], dst)])
    print("%s to %s: %d pairs, %d octets" % (src, dst, len(sums), total(sums)))
    for (s, d), octets in sums[:5]: print("  %-16s %-16s %15d" % (s, d, octets))]], good(name))
end

examples["export/export_day.lua"] = function(name)
  local path = folder .. "/day.csv"
  for _, when in ipairs { { "Asia/Kolkata", "yesterday" }, { "UTC", "2026-11-01", "2026-11-01" } } do
    assert.equal(("%d rows of %s, %s\n"):format(ROWS, when[2], when[1]), good(name, ("%s %s %s"):format(path, when[1], when[3] or "")))
    assert.equal(python('[print("%s,%s,%d" % (*key, octets)) for key, octets in sorted(top(pair, flows))]'),
      support.shell(([[python3 -c 'import csv
for row in sorted(csv.DictReader(open("%s")), key=lambda row: (row["source"], row["destination"])): print(row["source"], row["destination"],
  row["octets"], sep=",")']]):format(path)))
  end
  -- New York's 1 November 2026 has 25 hours: the first four hours of the sandbox's next day, and one more.
  good(name, path .. " America/New_York 2026-11-01")
  assert.equal(python 'print(sum(row["octets"] * (2 if row["hour"] == 4 else 1) for row in flows))',
    support.shell(([[python3 -c 'import csv
print(sum(int(row["octets"]) for row in csv.DictReader(open("%s"))))']]):format(path)))
end

examples["week_ago.lua"] = function(name)
  -- 14 o'clock in Berlin was 13 UTC on 29 October, and 12 UTC a week before, in summer time.
  assert.equal(python [[
now, before = (dict(top(lambda row: row["src_ip"], [row for row in flows if row["hour"] == hour])) for hour in (13, 12))
rows = [(source, before.get(source, 0), now.get(source, 0)) for source in set(now) | set(before)]
for row in sorted(rows, key=lambda row: (-abs(row[1] - row[2]), row[0]))[:10]: print("%-24s %15d %15d" % row)]],
    good(name, "Europe/Berlin 2026-10-29T14"))
end

examples["interface_outbound.lua"] = function(name)
  for arguments, condition in pairs {
    [""] = '"192.0.2.2", "9"', ["branch-1 xe-0/0/1"] = '"192.0.2.3", "8"', ["192.0.2.3 8"] = '"192.0.2.3", "8"',
  } do
    local said = arguments == "" and "core-2, xe-0/0/2" or arguments:gsub(" ", ", ")
    assert.equal(python(([[
sums = top(pair, [row for row in flows if (row["exporter"], row["output_if"]) == (%s)])
print("%s, outbound: %%d conversations, %%d octets" %% (len(sums), total(sums)))
for (s, d), octets in sums[:5]: print("%%-16s %%-16s %%15d" %% (s, d, octets))]]):format(condition, said)), good(name, arguments))
  end
end

examples["keep_network.lua"] = function(name)
  local out = good(name)
  local wanted = python [[
def port(row): # the lower one that is not 0, of protocols that have ports
    both = [int(row[side]) for side in ("src_port", "dst_port") if row["protocol"] in ("6", "17", "132") and int(row[side])]
    return min(both, default=0)
sums = top(lambda row: (row["src_ip"], row["dst_ip"], port(row), row["protocol"]), [row for row in flows
  if inside(row["src_ip"], "10.0.0.0/8") and not (port(row) == 443 and row["protocol"] in ("6", "17"))])
for (s, d, p, _), octets in sums[:5]: print("%-16s %-16s (%d %15d" % (s, d, p, octets))
print("%d rows are kept" % len(sums))]]
  -- Names of applications are the appliance's; the port is in them.
  assert.equal(wanted, (out:gsub("(\n?%S+ +%S+ +)[^\n]-(%(%d+) %- %u+%) +( %d+\n?)", function(pair, port, octets)
    return pair:gsub("^(\n?)(%S+) +(%S+) +$", function(line, s, d) return line .. ("%-16s %-16s "):format(s, d) end) .. port
      .. (" %15s"):format(octets:match "%d+") .. octets:match "\n?$"
  end)))
end

examples["many_reports.lua"] = function(name)
  local line = "%-16s %6d rows %15s octets\n"
  local counts = { srcHosts = "$7", dstHosts = "$9", host2host = '$7 " " $9', tos = "$14" }
  local function rows(kind)
    return tonumber((support.awk(("NR > 1 { k[%s] } END { print length(k) }"):format(counts[kind]))))
  end
  local out = good(name)
  for kind in pairs(counts) do assert.is_truthy(out:find(line:format(kind, rows(kind), OCTETS), 1, true), kind .. out) end
  assert.equal(6, select(2, out:gsub(OCTETS .. " octets\n", "")))
  -- Beyond 2^53 too, on every Lua: the sandbox says row i has octets i * 1000, and 2^53 more where 7 divides i.
  assert.equal(python 'print("%-16s   1000 rows %15d octets" % ("custom_rows_1000", sum(i * 1000 + (i % 7 == 0) * 2**53 for i in range(1, 1001))))',
    good(name, "2026-11-01 custom_rows_1000"))
  local status
  out, status = run(name, "2026-11-01 srcHosts nonsense")
  assert.equal(1, status)
  assert.equal(line:format("srcHosts", rows "srcHosts", OCTETS)
    .. "api: the report failed: Report type 'nonsense' is not known. (report \"nonsense\", inbound, day 2026-11-01)\n", out)
end

examples["what_there_is.lua"] = function(name)
  local out = good(name)
  for _, line in ipairs {
    "33 report types: name, text", "host2host  host to host", "21 date ranges: name, text", "6 types of filters: name, text",
    "sourceipaddress  false  Source  sourceipaddress", "sum_octetdeltacount  true  Traffic  sum_octetdeltacount",
  } do assert.is_truthy(("\n" .. out):find("\n" .. line .. "\n", 1, true), line) end
  -- wire-api's columns of `interfaces`, in its order.
  local at = 0
  for _, column in ipairs { "exporteripaddress", "ingressinterface", "interfacespeed", "sum_octetdeltacount" } do
    at = assert(select(2, good(name, "interfaces"):find("\n" .. column .. "  ", at + 1, true)), column)
  end
end

examples["pasted_report.lua"] = function(name)
  local function expected(condition)
    return python(([[
sums = top(pair, [row for row in flows if "10.8.0.69" in pair(row) and "443" in (row["src_port"], row["dst_port"]) and %s])
for (s, d), octets in sums[:5]: print("%%-16s %%-16s %%12d" %% (s, d, octets))]]):format(condition))
  end
  local text = 'scrutinizer.Query: "host2host", inbound, 1793491200 to 1793577600, granularity 1, %slimit 1000\n%s'
  local filter = 'filter "sdfIps" "in_10.8.0.69_Both", '
  assert.equal(text:format("all exporters, " .. filter, expected "True"), good(name))
  local out = good(name, "branch-2")
  assert.equal(text:format(filter .. 'exporter "branch-2", ', expected 'row["exporter"] == "192.0.2.4"'), out)
  support.write(folder .. "/pasted.txt", support.read("examples/" .. name):match "PASTED = %[%[\n(.-)%]%]")
  assert.equal(out, good(name, "branch-2 " .. folder .. "/pasted.txt"))
end

examples["interface_utilisation.lua"] = function(name)
  local out = good(name, "192.0.2.3 " .. folder .. "/load.svg")
  -- By python: the 95th percentile by nearest rank, and the peak, of 48 half hours; a bucket without traffic counts as zero.
  local wanted = python [[
for side, direction in ("input_if", "inbound"), ("output_if", "outbound"):
    for number in {row[side] for row in flows if row["exporter"] == "192.0.2.3"}:
        buckets = [0] * 48
        for row in flows:
            if row["exporter"] == "192.0.2.3" and row[side] == number: buckets[int(row["start_ms"]) // 1800000] += row["octets"]
        print("%s %s %.2f %.2f" % (number, direction, sorted(buckets)[45] * 8 / 1.8e6, max(buckets) * 8 / 1.8e6))]]
  local by_interface, seen = {}, 0
  for number, direction, percentile, peak in wanted:gmatch "(%d+) (%l+) ([%d.]+) ([%d.]+)\n" do
    by_interface[number .. direction] = percentile .. " " .. peak
  end
  for number, direction, speed, percentile, peak in
    out:gmatch "192%.0%.2%.3 %- (%d+) [^\n]- (%l+) +(%d+) Mb/s +([%d.]+) kb/s +([%d.]+) kb/s +[%d.]+ %%\n" do
    assert.equal(by_interface[number .. direction], percentile .. " " .. peak, number .. " " .. direction)
    assert.equal(number == "3" and "10" or tonumber(number) > 6 and "10000" or "1000", speed)
    seen = seen + 1
  end
  assert.equal(10, seen)
  assert.equal(10, select(2, support.read(folder .. "/load.svg"):gsub('id="gnuplot_plot_', "")))
end

examples["management/users_from_csv.lua"] = function(name)
  local unique = tostring({}):match "%x%x%x%x$" .. (os.getenv "SCRUTINIZER_LUA" or ""):gsub("%W", "")
  local csv = 'name,password,groups\r\n"u,%s","pa""ss,word",Guests\r\nv%s,secret word,Administrators;Nowhere\r\n'
  support.write(folder .. "/users.csv", csv:format(unique, unique))
  local out, status = run(name, folder .. "/users.csv")
  assert.equal(1, status)
  local u, v, lines = "u," .. unique, "v" .. unique, {}
  for what, became in out:gmatch "([^\n]-)  *(done)\n" do lines[#lines + 1] = what .. ": " .. became end
  assert.same({ "user " .. u .. ": done", "user " .. v .. ": done", u .. " in Guests: done", v .. " in Administrators: done" }, lines)
  assert.matches("\n" .. v .. " in Nowhere +failed: Usergroup Nowhere does not exist\n$", out)
  assert.is_nil(out:find("secret word", 1, true))
end

examples["management/sync_ip_group.lua"] = function(name)
  local group = "Sync " .. (os.getenv "SCRUTINIZER_LUA" or "") .. tostring({}):match "%x%x%x%x$"
  local path = folder .. "/prefixes.txt"
  local function rules()
    return support.state(("SELECT type || ' ' || address || ' ' || ifnull(mask, '') FROM ip_group_rules JOIN ip_groups ON ip_groups.id = group_id "
      .. "WHERE ip_groups.name = '%s' ORDER BY 1"):format(group))
  end
  support.write(path, "# ours\n10.1.0.0/16\n\n10.9.9.9  # a server\n")
  local arguments = quote(group) .. " " .. path
  assert.equal(("added    network  10.1.0.0 16\nadded    ip       10.9.9.9 \n%s: 2 added, 0 removed, 0 kept\n"):format(group), good(name, arguments))
  assert.same({ "ip 10.9.9.9 ", "network 10.1.0.0 16" }, rules())
  support.write(path, "10.1.0.0/16\n10.2.0.0/16\n")
  local done = "added    network  10.2.0.0 16\nremoved  ip       10.9.9.9 \n%s: 1 added, 1 removed, 1 kept%s\n"
  assert.equal(done:format(group, " (nothing was changed)"), good(name, arguments .. " --dry"))
  assert.same({ "ip 10.9.9.9 ", "network 10.1.0.0 16" }, rules())
  assert.equal(done:format(group, ""), good(name, arguments))
  assert.same({ "network 10.1.0.0 16", "network 10.2.0.0 16" }, rules())
  assert.equal(("%s: 0 added, 0 removed, 2 kept\n"):format(group), good(name, arguments))
end

examples["management/sync_users.lua"] = function(name)
  local unique = tostring({}):match "%x%x%x%x$" .. (os.getenv "SCRUTINIZER_LUA" or ""):gsub("%W", "")
  local staff, left = folder .. "/staff.csv", folder .. "/left.txt"
  local function state()
    return support.state(([[SELECT users.name, usergroups.name FROM users LEFT JOIN memberships ON users.id = user_id
      LEFT JOIN usergroups ON usergroups.id = usergroup_id WHERE users.name LIKE '%%%s' ORDER BY 1, 2]]):format(unique))
  end
  support.write(staff, ("ann-%s,secret one,Guests\nleo-%s,secret two,Guests\n"):format(unique, unique))
  support.write(left, "")
  local arguments = staff .. " " .. left
  assert.equal(("created  ann-%s\ncreated  leo-%s\n"):format(unique, unique), good(name, arguments))
  support.write(staff, ("ann-%s,secret one,Administrators\nbo-%s,secret three,Guests\ncy-%s,secret four,Nowhere\n"):format(unique, unique, unique))
  support.write(left, ("leo-%s\nold-%s\n"):format(unique, unique))
  local out, status = run(name, arguments)
  assert.equal(1, status)
  assert.equal(("created  bo-@\nkept     ann-@\nremoved  leo-@\nabsent   old-@\njoined   ann-@: Administrators\n"
    .. 'failed   cy-@: the user was created, but is not in group "Nowhere": Usergroup Nowhere does not exist (missing)\n'):gsub("@", unique), out)
  assert.same({ ("ann-%s|Administrators"):format(unique), ("ann-%s|Guests"):format(unique), ("bo-%s|Guests"):format(unique),
    ("cy-%s|"):format(unique) },
    state())
end

examples["sums_by_network.lua"] = function(name)
  local expected = support.shell [[python3 -c '
import csv, gzip, ipaddress
sums = {}
for row in csv.DictReader(gzip.open("examples/sandbox/flows.csv.gz", "rt")):
    text = row["src_ip"]
    try:
        address = ipaddress.ip_address(text)
        text = str(ipaddress.ip_network("%s/%d" % (text, 24 if address.version == 4 else 48), strict=False))
    except ValueError: pass
    sums[text] = sums.get(text, 0) + int(row["octets"])
for net, octets in sorted(sums.items(), key=lambda one: (-one[1], one[0])): print("%-24s %20d" % (net, octets))
print("%d networks %25d" % (len(sums), sum(sums.values())))']]
  assert.equal(expected, good(name))
end

examples["management/ip_groups_from_csv.lua"] = function(name)
  local unique = "Branches " .. (os.getenv "SCRUTINIZER_LUA" or "") .. tostring({}):match "%x%x%x%x$"
  local path = folder .. "/groups.csv"
  support.write(path, ("name,rule\r\n%s,10.20.0.0/16\r\n%s,10.9.0.1-10.9.0.99\r\nAll %s,group:%s\r\n"):format(unique, unique, unique, unique))
  local function told(how) return ("%-24s %s, 2 rules\n%-24s %s, 1 rules\n"):format(unique, how, "All " .. unique, how) end
  assert.equal(told "made", good(name, path))
  local client = support.connect()
  local group = assert(client.ip_groups:find(unique))
  assert.equal(told "was there", good(name, path))
  assert.equal(group.id, client.ip_groups:find(unique).id)
  support.write(path, "x,10.1.1.1/99\n")
  local out, status = run(name, path)
  assert.equal(1, status)
  assert.matches("^decode: ip_groups:from_csv: line 1: ", out)
  assert.is_nil((client.ip_groups:find "x"))
end

-- Examples that other specs run, with what they need around them.
local ELSEWHERE = {
  ["bill_month.lua"] = "billing/collect_spec.lua", ["replay_spec.lua"] = "recorder/recorder_spec.lua",
  ["cqueues_reports.lua"] = "hosts/examples_spec.lua", ["luv_reports.lua"] = "hosts/examples_spec.lua",
  ["export/to_postgresql.lua"] = "export/stores_spec.lua", ["export/to_clickhouse.lua"] = "export/stores_spec.lua",
}

-- The tasks that a newcomer comes with; each is under 30 lines.
local TASKS = {
  "between_networks.lua", "export/export_day.lua", "week_ago.lua", "pasted_report.lua", "interface_outbound.lua", "sums_by_network.lua",
  "management/sync_ip_group.lua", "management/sync_users.lua", "what_there_is.lua", "many_reports.lua", "interface_utilisation.lua",
  "keep_network.lua", "top_conversations.lua", "management/ip_groups_from_csv.lua", "export/to_clickhouse.lua",
}

local FILES = "ls examples/*.lua examples/management/*.lua examples/export/*.lua"

describe("examples/", function()
  before_each(function()
    support.clear()
    folder = support.folder()
  end)
  after_each(function()
    support.shell("rm -rf " .. quote(folder))
    assert.same({}, support.violations())
  end)

  for path in support.shell(FILES):gmatch "%S+" do
    local name = path:match "^examples/(.*)$"
    it(name .. " says which task it is for, is short, and does it", function()
      local text = support.read(path)
      assert.matches("^%-%- %u[^\n]+[.:]", text)
      assert.is_true(select(2, text:gsub("\n", "")) < 60)
      if ELSEWHERE[name] then
        assert.is_truthy(support.read("spec/" .. ELSEWHERE[name]):find("examples/" .. name, 1, true))
        return
      end
      assert.is_function(examples[name], "examples/" .. name .. " has no case in spec/project/examples_spec.lua")
      examples[name](name)
    end)
  end

  it("holds the tasks in under 30 lines each, and README names every example", function()
    for _, name in ipairs(TASKS) do
      assert.is_true(select(2, support.read("examples/" .. name):gsub("\n", "")) < 30, name)
    end
    local readme = support.read "README.md"
    for path in support.shell(FILES):gmatch "%S+" do
      assert.is_truthy(readme:find("`" .. path:match "^examples/(.*)$" .. "`", 1, true), path)
    end
  end)

  it("holds what this spec runs", function()
    for name in pairs(examples) do io.open("examples/" .. name):close() end
  end)
end)
