-- The commands users, groups, ip-groups, devices, interfaces, hosts: real processes against the sandbox, its state looked up with sqlite3.
local cli = require "spec.command"
local support = require "spec.support"

local run, good, temporary, write, quote = cli.run, cli.good, cli.temporary, cli.write, support.quote

-- A command with its standard input.
local function fed(input, arguments)
  return ("printf %%s %s | %s %s %s"):format(quote(input), cli.ENVIRONMENT, cli.words, arguments)
end

local function csv(arguments)
  return (good(arguments .. " --format csv"):gsub("\r", ""))
end

describe("scrutinizer", function()
  support.clean_for_each(function()
    support.reset "accounts"
    support.reset "ipgroups"
  end)

  describe("users", function()
    it("are made with a password from standard input or the environment", function()
      assert.equal("name  id  error\nbo     3\n", (support.shell(fed("s3cret\n", "users create bo --group 2 --group 1"))))
      local made = good("users create ann --format csv", "SCRUTINIZER_USER_PASSWORD=other " .. cli.ENVIRONMENT)
      assert.equal("name,id,error\nann,4,\n", (made:gsub("\r", "")))
      assert.same({ "3|bo|s3cret", "4|ann|other" }, support.state "SELECT * FROM users WHERE id > 2 ORDER BY id")
      assert.same({ "1", "2" }, support.state "SELECT usergroup_id FROM memberships WHERE user_id = 3 ORDER BY 1")
      local _, err, status = run "users create cy </dev/null"
      assert.equal(64, status)
      assert.matches("no password: set SCRUTINIZER_USER_PASSWORD", err)
    end)

    it("are made from CSV, and one that is refused makes the status 76", function()
      local path = temporary()
      write(path, 'name,password,groups\n"Desk, N",pw1,1 2\nguest,pw2\nzed,"p""w3",2\n')
      local out, err, status = run("users create --csv " .. path .. " --format csv")
      assert.equal('name,id,error\n"Desk, N",3,\nguest,,A user already exists with that name\nzed,4,\n', (out:gsub("\r", "")))
      assert.equal("", err)
      assert.equal(76, status)
      assert.same({ '3|Desk, N|pw1', '4|zed|p"w3' }, support.state "SELECT * FROM users WHERE id > 2 ORDER BY id")
      write(path, "a,secretword,1,2\n")
      out, err, status = run("users create --csv " .. path)
      assert.equal("", out)
      os.remove(path)
      assert.equal(64, status)
      assert.equal("scrutinizer: users create: line 1 is not name,password[,groups]\n", err)
    end)

    it("are renamed, deleted, and have preferences", function()
      assert.equal("id,name,error\n,visitor,\n", csv "users rename guest visitor")
      assert.equal("id,name,error\n1,root,\n", csv "users rename 1 root")
      assert.equal("name,setting,error\nlanguage,english,\nstatusTopn,10,\n", csv "users set 2 statusTopn=10 language=english")
      assert.same({ "2|language|english", "2|statusTopn|10" }, support.state "SELECT * FROM preferences ORDER BY 2")
      local out, _, status = run "users delete 2 nobody --format ndjson"
      assert.equal('{"id":2}\n{"name":"nobody","error":"Deleting user named \'nobody\' (0 matched)"}\n', out)
      assert.equal(76, status)
      assert.same({ "1|root" }, support.state "SELECT id, name FROM users")
    end)

    it("are synced with a CSV file and those who have left", function()
      local path = temporary()
      write(path, "name,password,groups\nguest,pw0,1 2\nbo,pw1,2\ncy,pw2,77\n")
      local out, err, status = run("users sync --gone admin --gone nobody --format csv --csv " .. path)
      assert.equal("", err)
      assert.equal("id,name,user,group,done,error,code\n3,bo,,,created,,\n,guest,,,kept,,\n,,guest,1,joined,,\n"
        .. ",admin,,,removed,,\n,nobody,,,absent,,\n"
        .. ",cy,,,,Usergroup 77 does not exist,missing\n", (out:gsub("\r", "")))
      assert.equal(76, status)
      assert.same({ "guest", "bo" }, support.state "SELECT name FROM users ORDER BY id")
      out, err, status = run("users sync --csv " .. path)
      os.remove(path)
      assert.equal("", out)
      assert.matches("the appliance has no call that lists its users", err)
      assert.is_true(status ~= 0)
      assert.equal("user,group,done,error,code\nbo,1,added,,\nguest,1,kept,,\n", csv "groups sync 1 bo guest --none-gone")
      assert.equal("user,group,done,error,code\nbo,1,removed,,\n", csv "groups sync 1 --gone bo")
      assert.same({ "2" }, support.state "SELECT user_id FROM memberships WHERE usergroup_id = 1")
    end)

    it("are put into groups by name and by id", function()
      local path = temporary()
      assert.equal("name,id,members,missing,error\n2,3,,,\n", csv "groups create 2 --template 2") -- a group whose name is an id
      write(path, "name,password,groups\nbo,pw1,Guests; 1\ncy,pw2,name:2\ndi,pw3,1 2\ned,pw4,\"Guests;No, where\"\n")
      local out, _, status = run("users create --format csv --csv " .. path)
      os.remove(path)
      assert.equal(76, status)
      assert.matches('\ned,6,"?the user was created, but is not in group ""No, where"": Usergroup No, where does not exist', (out:gsub("\r", "")))
      assert.equal("name,id,error\nfi,7,\n", (good("users create fi --group Guests --format csv", "SCRUTINIZER_USER_PASSWORD=x "
        .. cli.ENVIRONMENT):gsub("\r", "")))
      assert.same({ "bo|1", "bo|2", "cy|3", "di|1", "di|2", "ed|2", "fi|2" }, support.state [[SELECT users.name, usergroup_id FROM memberships
        JOIN users ON users.id = user_id WHERE users.id > 2 ORDER BY 1, 2]])
    end)

    it("have no password in an argument", function()
      local out = good "users create --help"
      assert.is_nil(out:find "%-%-password")
      assert.matches("SCRUTINIZER_USER_PASSWORD", out)
      assert.matches("Example: scrutinizer users create alice", out)
    end)
  end)

  it("syncs an IP group with a file of rules", function()
    csv "ip-groups create Sites 10.1.0.0/16 10.9.9.9"
    local path = temporary()
    write(path, "# sites\n10.1.0.0/16\n10.2.0.0/16\ngroup:Multicast\n")
    local dry = csv("ip-groups sync Sites --dry-run --from " .. path)
    assert.equal("group,name,rule_id,rule,done,error,code\n16900093,Sites,,10.2.0.0/16,added,,\n16900093,Sites,,group:16900006,added,,\n"
      .. "16900093,Sites,506013,10.9.9.9,removed,,\n16900093,Sites,506012,10.1.0.0/16,kept,,\n", dry)
    local kept = "SELECT type, address, mask, child_id FROM ip_group_rules WHERE group_id = 16900093 ORDER BY rule_id"
    assert.same({ "network|10.1.0.0|16|", "ip|10.9.9.9||" }, support.state(kept))
    assert.equal((dry:gsub("Sites,,10", "Sites,506014,10"):gsub("Sites,,group", "Sites,506015,group")), csv("ip-groups sync Sites --from " .. path))
    assert.same({ "network|10.1.0.0|16|", "network|10.2.0.0|16|", "child|||16900006" }, support.state(kept))
    os.remove(path)
    local _, err, status = run "ip-groups sync Sites"
    assert.equal(64, status)
    assert.matches("give rules, or %-%-from", err)
  end)

  it("takes names of groups in a report", function()
    local report = "report host2host --between 2026-11-22T00:00:00Z 2026-11-22T02:00:00Z --limit 5 "
    assert.equal(csv(report .. "--where ip_group=16800023 --device-group 2"), csv(report
      .. "--where 'ip_group=Private networks' --device-group Branches"))
    csv "ip-groups create 16900006 10.8.0.0/16" -- its name is Multicast's id
    assert.equal(csv(report .. "--where network=10.8.0.0/16"), csv(report .. "--where ip_group=name:16900006"))
    local _, err, status = run(report .. "--device-group name:2")
    assert.equal(76, status)
    assert.matches('no device group has the name "2"', err)
    csv "ip-groups delete name:16900006"
  end)

  it("says in --help what narrows, and what digits mean", function()
    local out = good("report --help"):gsub("%s+", " ")
    assert.is_truthy(out:find("--where ip=A --where ip=B matches flows between A and B", 1, true), out)
    assert.is_truthy(out:find("A device group. Digits mean an id, other text a name; `name:42` means the name 42.", 1, true), out)
    local words = "report host2host --between 2026-11-22T00:00:00Z 2026-11-23T00:00:00Z --select octets=sum_octetdeltacount --format csv "
    local function sum(arguments)
      local octets = 0
      for number in good(words .. arguments):gmatch "\n(%d+)" do octets = octets + tonumber(number) end
      return ("%.0f"):format(octets)
    end
    local function awk(condition) return support.awk("NR > 1 && (" .. condition .. ") { s += $12 } END { printf \"%.0f\", s }") end
    local a, b = [[($7 == "10.8.0.69" || $9 == "10.8.0.69")]], [[($7 == "157.240.30.63" || $9 == "157.240.30.63")]]
    assert.equal(awk(a .. " && " .. b), sum "--where ip=10.8.0.69 --where ip=157.240.30.63")
    assert.equal(awk(a .. " || " .. b), sum "--where ip=10.8.0.69,157.240.30.63")
  end)

  it("makes, fills and deletes groups", function()
    assert.equal("name,id,members,missing,error\nReaders,3,1 2,,\n", csv "groups create Readers --template 2 --user 1 --user guest")
    assert.equal("user,group,error\nguest,1,\n", csv "groups add 1 guest")
    local out, _, code = run "groups remove Guests guest 1 --format csv"
    assert.equal("user,group,error\nguest,Guests,\n1,Guests,User 1 is not in usergroup Guests\n", (out:gsub("\r", "")))
    assert.equal(76, code)
    assert.equal("group,type,code,error\nReaders,device,0A010107,\n", csv "groups grant Readers device 0A010107")
    assert.same({ "device|0A010107", "plixer|statusTab" },
      support.state "SELECT type, seccode FROM permissions WHERE usergroup_id = 3 ORDER BY 1")
    csv "groups revoke Readers device 0A010107"
    assert.equal("id,name,error\n,Readers,\n", csv "groups delete Readers")
    assert.same({ "1|1", "2|1" }, support.state "SELECT * FROM memberships ORDER BY 1, 2")
    local _, err, status = run "groups grant Guests divice 1"
    assert.equal(64, status)
    assert.matches('did you mean "device"', err)
  end)

  it("lists, makes, fills and deletes IP groups", function()
    assert.matches("\n16900006,Multicast\n", csv "ip-groups list")
    assert.equal("group,name,rule_id,rule,done,error\n16900093,Berlin,506012,10.2.0.0/16,added,\n16900093,Berlin,506013,10.9.1.1-10.9.1.20,added,\n"
      .. "16900093,Berlin,506014,group:16900006,added,\n", csv "ip-groups create Berlin 10.2.0.0/16 10.9.1.1-10.9.1.20 group:Multicast")
    assert.equal("id,type,rule\n506012,network,10.2.0.0/16\n506013,range,10.9.1.1-10.9.1.20\n506014,child,group:16900006\n",
      csv "ip-groups rules Berlin")
    assert.equal("group,name,rule_id,rule,done,error\n16900093,Paris,506015,10.0.4.0/0.255.0.255,added,\n16900093,Paris,506012,,removed,\n",
      csv "ip-groups update Berlin --name Paris --add 10.0.4.0/0.255.0.255 --remove 506012")
    local path = temporary()
    write(path, "# prefixes\n10.7.0.0/24\n\n  10.7.1.0/24  \nall\n")
    assert.equal(4, select(2, csv("ip-groups add Paris --from " .. path):gsub("\n", "")))
    write(path, "name,rule\nLyon,10.8.0.0/24\nParis,10.8.1.0/24\n")
    csv("ip-groups import " .. path)
    os.remove(path)
    assert.same({ "Lyon|1", "Paris|7" }, support.state [[SELECT name, count(*) FROM ip_groups JOIN ip_group_rules ON group_id = ip_groups.id
      WHERE ip_groups.id > 16900092 GROUP BY 1 ORDER BY 1]])
    assert.equal("id,name,error\n16900093,Paris,\n16900094,,\n", csv "ip-groups delete Paris 16900094")
    local _, err, status = run "ip-groups create x 10.0.0.1/8"
    assert.equal(64, status)
    assert.matches('did you mean "10.0.0.0/8"', err)
    _, err, status = run "ip-groups add nowhere 10.0.0.1 --no-create"
    assert.equal(76, status)
    assert.matches('no IP group has the name "nowhere"', err)
    _, _, status = run "ip-groups rules nowhere"
    assert.equal(76, status)
  end)

  it("lists devices, their groups and interfaces", function()
    assert.equal("ip,name\n192.0.2.1,core-1\n192.0.2.2,core-2\n192.0.2.3,branch-1\n192.0.2.4,branch-2\n", csv "devices list")
    assert.matches("\n192.0.2.3,branch%-1,branch%-1.example.net,edge,Branch router 1\n", csv "devices names")
    assert.equal(csv "devices list", csv "devices")
    assert.equal(csv "ip-groups list", csv "--no-verify ip-groups")
    assert.same({ "report", "devices", "--last", "1h" }, require("scrutinizer.cli.action_commands").complete { "report", "devices", "--last", "1h" })
    assert.matches("^id,name\n1,Campus\n2,Branches\n", csv "devices groups")
    assert.equal("ip,name\n192.0.2.3,branch-1\n192.0.2.4,branch-2\n", csv "devices members Branches")
    assert.equal("ip,name\n192.0.2.3,branch-1\n192.0.2.4,branch-2\n", csv "devices members 2")
    support.switches { now = 1772366400 }
    local out = csv "interfaces --exporter core-1"
    assert.equal("exporter,device,index,name,speed,in_percent,in_rate,out_percent,out_rate", out:match "^[^\n]*")
    assert.matches("\n192.0.2.1,core%-1.example.net,8,8 %- Uplink 1 %(xe%-0/0/1%),10000000000,0,,%d*%.?%d*,%d+\n", out)
    assert.equal(11, select(2, out:gsub("\n", "")))
    local _, err, status = run "interfaces --exporter core-9"
    assert.equal(76, status)
    assert.matches('did you mean "core', err)
  end)

  it("finds hosts, and tells which were not found", function()
    local out = good "hosts 10.9.9.9 10.8.0.69 --format ndjson"
    assert.matches('^{"ip":"10.9.9.9","found":"no"}\n', out)
    assert.matches('\n{"ip":"10.8.0.69","found":"yes","exporter":"192.0.2.2","first":"2026', out)
    assert.equal("ip,found,exporter,first,last,connections,error\n10.9.9.9,no,,,,,\n10.9.9.8,no,,,,,\n",
      (support.shell(fed("10.9.9.9 10.9.9.8\n", "hosts --from - --format csv")):gsub("\r", "")))
    local _, err, status = run "hosts core-1"
    assert.equal(64, status)
    assert.matches('got "core%-1"', err)
    support.faults { { kind = "status", status = 200, body = '{"err":"no index"}', content_type = "application/json" } }
    out, _, status = run "hosts 10.9.9.9 --format csv"
    assert.equal(76, status)
    assert.matches("no index", out)
  end)

  it("reports of exporters and interfaces by name", function()
    local words = ("report tos --between %s %s --direction outbound --select octets=sum_octetdeltacount --format csv"):format(cli.FROM, cli.TO)
    local out = good(words .. " --exporter core-1 --interface xe-0/0/1")
    assert.equal(good(words .. " --exporter 192.0.2.1 --interface 8"), out)
    local sum = 0
    for octets in out:gmatch "\n(%d+)" do sum = sum + tonumber(octets) end
    assert.equal(support.awk 'NR > 1 && $3 == "192.0.2.1" && $5 == 8 { s += $12 } END { printf "%.0f", s }', ("%.0f"):format(sum))
    assert.matches("in_C0000201_C0000201%-8", good "explain tos --last 1h --exporter core-1 --interface xe-0/0/1 --direction both")
    for _, command in ipairs { words, "explain tos --last 1h" } do
      local _, err, status = run(command .. " --exporter core-9")
      assert.equal(76, status)
      assert.matches("no exporter of the appliance has the name", err)
    end
  end)

  it("gives help for each of them", function()
    for _, command in ipairs {
      "users", "groups", "ip-groups", "devices", "interfaces", "hosts", "users create", "groups grant", "ip-groups import",
    } do
      local out = good(command .. " --help")
      assert.matches("^Usage: scrutinizer " .. command:gsub("%-", "%%-"), out)
      assert.is_true(#out > 300)
    end
  end)
end)
