-- Every example, run as it stands against the sandbox (and a real PostgreSQL): what it prints, and what it leaves behind.
local postgres = require "spec.postgres"
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

examples["top_conversations.lua"] = function(name)
  local out = good(name)
  assert.matches("\n   1  157%.240%.30%.63    10%.8%.0%.69        HTTPS %(443 %- TCP%)%s+192%.1 MB   50%.23 %%\n", out)
  assert.matches("\n%d+ conversations exist\n$", out)
end

examples["pasted_report.lua"] = function(name)
  local out = good(name)
  assert.matches('^scrutinizer.Query: "host2host", inbound, 1793491200 to 1793577600, granularity 1, all exporters, '
    .. 'filter "sdfIps" "in_10%.8%.0%.69_Both", limit 1000\n157%.240%.30%.63 +10%.8%.0%.69 +192133242\n', out)
  assert.equal(6, select(2, out:gsub("\n", "")))
  support.write(folder .. "/pasted.txt", support.read("examples/" .. name):match "PASTED = %[%[\n(.-)%]%]")
  assert.equal(out, good(name, folder .. "/pasted.txt"))
end

examples["interface_utilisation.lua"] = function(name)
  local out = good(name, "192.0.2.3 " .. folder .. "/load.svg")
  assert.matches("\n192%.0%.2%.3 %- 3 %- GigabitEthernet0/3 +inbound +10 Mb/s +0%.07 kb/s +%d%.%d%d kb/s +0%.01 %%\n", out)
  -- Its mean by awk: octets of that interface over the day's seconds.
  local mean = tonumber((support.awk 'NR>1&&$3=="192.0.2.3"&&$4==3{s+=$12}END{print s*8/86400/1000}'))
  assert.equal(("%.2f"):format(mean), out:match "GigabitEthernet0/3 +inbound +10 Mb/s +([%d.]+) kb/s")
  local svg = support.read(folder .. "/load.svg")
  assert.equal(10, select(2, svg:gsub('id="gnuplot_plot_', "")))
end

examples["users_from_csv.lua"] = function(name)
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

examples["sync_ip_group.lua"] = function(name)
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

examples["sync_users.lua"] = function(name)
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
  assert.equal(expected, (good(name):gsub("%.0(\n)", "%1")))
end

examples["ip_groups_from_csv.lua"] = function(name)
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

examples["to_postgresql.lua"] = function(name)
  if os.getenv "SANDBOX_CHECKED" then return end -- a server once is enough
  local server = postgres.start()
  local ok, err = pcall(function()
    local function load(day) return run(name, day, server.environment) end
    local out, status = load "2026-11-01"
    assert.equal(0, status, out)
    assert.equal(("%d rows, %s octets\n"):format(ROWS, OCTETS), out)
    -- Loaded again it replaces itself, and nothing else.
    server.sql "insert into conversations select date '2026-10-31', source, destination, octets, packets from conversations"
    server.sql "update conversations set octets = 1 where day = '2026-11-01'"
    server.sql "delete from conversations where day = '2026-11-01' and source = '157.240.30.63'"
    assert.equal(("%d rows, %s octets\n"):format(ROWS, OCTETS), (load "2026-11-01"))
    local both = ("%d|%.0f\n"):format(2 * ROWS, 2 * tonumber(OCTETS))
    assert.equal(both, server.sql "select count(*), sum(octets) from conversations")
    -- A report that breaks off changes nothing.
    support.faults { { kind = "truncate", at = 300000, times = 9 } }
    out, status = load "2026-11-01"
    support.clear()
    assert.equal(1, status)
    assert.matches("truncated: ", out)
    assert.equal(("%d\n"):format(2 * ROWS), server.sql "select count(*) from conversations")
  end)
  server.stop()
  if not ok then error(err, 0) end
end

-- Stands in for ClickHouse: takes one chunked POST, keeps its query and its body, and answers with the status given.
local STAND_IN = [[
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        with open(sys.argv[1] + "/body", "wb") as out:
            while True:
                size = int(self.rfile.readline(), 16)
                out.write(self.rfile.read(size)); self.rfile.readline()
                if not size: break
        open(sys.argv[1] + "/query", "w").write(self.path)
        self.send_response(int(sys.argv[2])); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
server.timeout = 20
print(server.server_port, flush=True)
server.handle_request()
]]

local function clickhouse(name, status)
  support.write(folder .. "/stand_in.py", STAND_IN)
  local before = ("python3 %s/stand_in.py %s %d >%s/port & for _ in $(seq 100); do [ -s %s/port ] && break; sleep 0.05; done; "
    .. "CLICKHOUSE_URL=http://127.0.0.1:$(cat %s/port) "):format(folder, folder, status, folder, folder, folder)
  return run(name, "2026-11-01", before)
end

examples["to_clickhouse.lua"] = function(name)
  local out, status = clickhouse(name, 200)
  assert.equal(0, status, out)
  assert.equal(("%d rows sent\n"):format(ROWS), out)
  assert.equal("/?query=INSERT%20INTO%20conversations%20FORMAT%20JSONEachRow", support.read(folder .. "/query"))
  assert.equal(("%d %s\n"):format(ROWS, OCTETS), support.shell([[python3 -c '
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
assert all(row["day"] == "2026-11-01" and len(row) == 5 for row in rows)
print(len(rows), sum(row["octets"] for row in rows))' ]] .. folder .. "/body"))
  if _VERSION ~= "Lua 5.1" then -- there popen tells no status
    out, status = clickhouse(name, 500)
    assert.equal(1, status)
    assert.matches("500.*ClickHouse did not take the rows", out)
  end
end

-- Examples that other specs run, with what they need around them.
local ELSEWHERE = {
  ["bill_month.lua"] = "billing/collect_spec.lua", ["replay_spec.lua"] = "recorder/recorder_spec.lua",
  ["cqueues_reports.lua"] = "hosts/examples_spec.lua", ["luv_reports.lua"] = "hosts/examples_spec.lua",
}

describe("examples/", function()
  before_each(function()
    support.clear()
    folder = support.folder()
  end)
  after_each(function()
    support.shell("rm -rf " .. quote(folder))
    assert.same({}, support.violations())
  end)

  for path in support.shell "ls examples/*.lua":gmatch "%S+" do
    local name = path:match "[^/]+$"
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

  it("holds what this spec runs", function()
    for name in pairs(examples) do io.open("examples/" .. name):close() end
  end)
end)
