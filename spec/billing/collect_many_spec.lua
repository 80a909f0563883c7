-- Samples of many customers from one graph for each day and side, in files; bills from them. Right samples are python's, from the flows alone.
local billing = require "scrutinizer.billing"
local cli = require "spec.command"
local json = require "cjson"
local support = require "spec.support"

local DAY = billing.period("2023-11-15", "2023-11-16")
local TWO = billing.period("2023-11-15", "2023-11-17")
local TARIFF = { currency = "EUR", unit = "kbps", price = 100 }

-- Octets by interval, as python computes them from the flows.
local function kept(of, ...)
  local words = { "env -u LD_PRELOAD python3 spec/sandbox/kept_flows.py", of.from, of.to, 300, 60, 0 }
  for _, word in ipairs { ... } do words[#words + 1] = support.quote(word) end
  local values = {}
  for octets in support.shell(table.concat(words, " ")):gmatch "%d+ (%d+)\n" do values[#values + 1] = tonumber(octets) end
  assert.equal(of.intervals, #values)
  return values
end

local function list(folder) return support.shell("cd " .. folder .. " && ls") end

local function sums(folder) return support.shell("cd " .. folder .. " && sha256sum *.ndjson") end

-- How many reports were asked for, by type.
local function reports()
  local counts = {}
  for _, request in ipairs(support.log()) do
    local form = {}
    for _, field in ipairs(request.fields) do form[field[1]] = field[2] end
    local kind = form.rm == "report_api" and form.rpt_json:match '"reportTypeLang":"(%w+)"'
    if kind then counts[kind] = (counts[kind] or 0) + 1 end
  end
  return counts
end

describe("collect_many", function()
  local client, folder

  support.client_for_each(function(made)
    client, folder = made, support.folder()
  end)
  after_each(function() os.execute("rm -rf " .. folder) end)

  local HOSTS = {
    { name = "ACME", network = "10.8.0.0/24", exporter = "all" },
    { name = "A \"B\" \\", ip = { "157.240.30.18", "10.8.0.69" }, exporter = "all" },
    { name = "idle", ip = "203.0.113.254", exporter = "all" },
  }

  local function collect(of, customers, more)
    local options = { client = client, dir = folder }
    for name, value in pairs(more or {}) do options[name] = value end
    return billing.collect_many(of, customers, options)
  end

  local function samples_of(of, name) return assert(assert(billing.collected(of, folder)):samples(name)) end

  it("collects all from one graph for each day and side, as python sums the flows", function()
    local got = assert(collect(TWO, HOSTS))
    assert.same({}, got.refused)
    assert.equal(0, got.open)
    local names = {}
    for _, day in ipairs { "2023-11-15", "2023-11-16" } do
      for _, side in ipairs { "inbound", "outbound" } do
        names[#names + 1] = ("%s.%s.ndjson\n%s.%s.ndjson.manifest\n"):format(day, side, day, side)
      end
    end
    assert.equal(table.concat(names), list(folder))
    -- Besides: all conversations and the totals of interfaces, once.
    assert.same({ dstHosts = 2, srcHosts = 2, host2host = 1, interfaces = 1 }, reports())
    for side, column in pairs { inbound = "dst", outbound = "src" } do
      assert.same(kept(TWO, column, "10.8.0.0/24"), samples_of(TWO, "ACME")[side][1].values)
      local one, two, both = kept(TWO, column, "157.240.30.18/32"), kept(TWO, column, "10.8.0.69/32"), {}
      for i, value in ipairs(one) do both[i] = value + two[i] end
      assert.same(both, samples_of(TWO, HOSTS[2].name)[side][1].values)
      assert.same(kept(TWO, column, "203.0.113.254/32"), samples_of(TWO, "idle")[side][1].values)
    end
    assert.same({ HOSTS[2].name, "ACME", "idle" }, assert(billing.collected(TWO, folder)):names())
  end)

  it("collects groups, exporters and interfaces beside them", function()
    assert(collect(DAY, {
      HOSTS[1], { name = "private", ip_group = 16800023, exporter = "all" }, { name = "named", ip_group = "IPv6", exporter = "all" },
      { name = "one", network = "10.8.0.0/24", exporter = "192.0.2.2" }, { name = "ports", interfaces = { { "core-2", 1 }, { "192.0.2.1", 2 } } },
    }))
    assert.same(kept(DAY, "dst", "10.8.0.0/24", "192.0.2.2"), samples_of(DAY, "one").inbound[1].values)
    local ports = samples_of(DAY, "ports")
    assert.equal("totals", ports.source)
    for p, condition in ipairs { '$3 == "192.0.2.2" && $4 == 1', '$3 == "192.0.2.1" && $4 == 2' } do
      local octets = 0
      for _, value in ipairs(ports.inbound[p].values) do octets = octets + value end
      assert.equal(support.awk(('NR > 1 && %s { s += $12 } END { printf "%%.0f", s }'):format(condition)), ("%.0f"):format(octets))
    end
    for name, group in pairs { private = 16800023, named = "IPv6" } do
      local wanted = assert(billing.collect(DAY, { inbound = client:report("host2host"):where({ dst_ip_group = group }):limit(1) }))
      assert.same(wanted.inbound[1].values, samples_of(DAY, name).inbound[1].values)
    end
  end)

  it("asks again for nothing that is there, and goes on where it ended", function()
    support.faults { { kind = "none", times = 6 }, { kind = "status", status = 500, body = "" } }
    local got, err = collect(TWO, HOSTS)
    assert.is_nil(got)
    assert.equal("http", err.kind)
    local before = sums(folder)
    assert.is_true(#before > 0)
    support.clear()
    got = assert(collect(TWO, HOSTS))
    local there = 0
    for _, file in ipairs(got.files) do there = there + (file.kept and 1 or 0) end
    assert.equal(4, #got.files)
    assert.is_true(there > 0 and there < 4)
    assert.equal(4 - there, (reports().dstHosts or 0) + (reports().srcHosts or 0))
    assert.equal(before, sums(folder):sub(1, #before))
    support.clear()
    local all = sums(folder)
    got = assert(collect(TWO, HOSTS))
    for _, file in ipairs(got.files) do assert.is_true(file.kept) end
    assert.same({}, reports())
    assert.equal(all, sums(folder))
    -- A file whose manifest was not written is not finished; a manifest alone is no file.
    for _, ending in ipairs { ".manifest", "" } do
      os.remove(folder .. "/2023-11-16.outbound.ndjson" .. ending)
      support.clear()
      assert(collect(TWO, HOSTS))
      assert.equal(all, sums(folder))
      assert.same({ srcHosts = 1, host2host = 1, interfaces = 1 }, reports())
    end
  end)

  it("adds customers to files that are there, and asks for these alone", function()
    assert(collect(DAY, { HOSTS[1] }))
    local line = support.read(folder .. "/2023-11-15.inbound.ndjson")
    support.clear()
    local got = assert(collect(DAY, { HOSTS[3], HOSTS[2] }))
    assert.equal(3, got.files[1].customers)
    assert.equal(line, support.read(folder .. "/2023-11-15.inbound.ndjson"):sub(1, #line))
    for _, request in ipairs(support.log()) do
      for _, field in ipairs(request.fields) do assert.is_nil(field[2]:find("10.8.0.0_24", 1, true)) end
    end
    -- A customer that is another now is collected again.
    assert(collect(DAY, { { name = "ACME", network = "192.168.1.0/24", exporter = "all" } }))
    assert.same(kept(DAY, "dst", "192.168.1.0/24"), samples_of(DAY, "ACME").inbound[1].values)
    assert.same({ HOSTS[2].name, "ACME", "idle" }, assert(billing.collected(DAY, folder)):names())
  end)

  it("does not let one customer stop the others", function()
    local got = assert(collect(DAY, {
      { name = "host bits", network = "10.8.0.1/24", exporter = "all" },
      { name = "two", ip = "10.8.0.69", network = "10.8.0.0/24", exporter = "all" }, 5,
      { name = "no exporter", ip = "10.8.0.69" }, { name = "unknown", ip = "10.8.0.69", exporter = "no-such" }, HOSTS[1], HOSTS[1],
      { name = "no port", interfaces = { { "core-9", 1 } } },
    }))
    local said = {}
    for _, refusal in ipairs(got.refused) do said[refusal.customer] = refusal.error.message end
    assert.matches("10%.8%.0%.1/24", said["host bits"])
    assert.matches("set exactly one of", said.two)
    assert.matches("has no name", said["customer 3"])
    assert.matches("set exporter", said["no exporter"])
    assert.matches("no%-such", said.unknown)
    assert.matches("two customers have this name", said.ACME)
    assert.matches("core%-9", said["no port"])
    assert.same(kept(DAY, "dst", "10.8.0.0/24"), samples_of(DAY, "ACME").inbound[1].values)
    assert.same({ "ACME" }, assert(billing.collected(DAY, folder)):names())
  end)

  for _, other in ipairs { "both", "pie", "missing" } do
    it("refuses customers that may be hidden in Other: Other in " .. other, function()
      support.switches { max_rows = 1, graph_other = other }
      local got = assert(collect(DAY, {
        { name = "first", ip = "10.8.0.69", exporter = "all" }, { name = "second", ip = "157.240.30.18", exporter = "all" }, HOSTS[1],
      }, { coverage_by_totals = false }))
      local refused = {}
      for _, refusal in ipairs(got.refused) do
        assert.matches("may be hidden in Other", refusal.error.message)
        refused[refusal.customer .. " " .. refusal.side] = true
      end
      assert.is_true(refused["second inbound"] and refused["ACME inbound"] and refused["ACME outbound"])
      assert.is_nil(refused["first inbound"])
      assert.matches('"customer":"first"', support.read(folder .. "/2023-11-15.inbound.ndjson"))
    end)
  end

  it("refuses customers behind a rollup, and reads minutes while there are some", function()
    support.switches { max_conversations = 20, minute_retention = 3600 }
    local got = assert(collect(DAY, { HOSTS[1] }))
    assert.equal(2, #got.refused)
    assert.matches("Maximum Conversations", got.refused[1].error.message)
    assert.equal("", list(folder))
    support.switches { minute_retention = "all" }
    assert.same({}, assert(collect(DAY, { HOSTS[1] })).refused)
    local samples = samples_of(DAY, "ACME")
    assert.equal("minute", samples.source)
    assert.equal(1, samples.coverage_by_totals)
    assert.same(kept(DAY, "dst", "10.8.0.0/24"), samples.inbound[1].values)
    support.switches { minute_retention = 3600 }
    os.execute("rm -f " .. folder .. "/*")
    assert(collect(DAY, { HOSTS[1] }, { coverage_by_totals = "0.01" }))
    samples = samples_of(DAY, "ACME")
    assert.equal("rollup", samples.source)
    assert.same({ "coverage_by_totals" }, samples.forced)
    assert.is_true(samples.coverage_by_totals < 0.99)
  end)

  it("gives bills their samples: those of collect, with the files' hashes in the audit", function()
    assert(collect(TWO, HOSTS))
    local samples = samples_of(TWO, "ACME")
    local wanted = assert(billing.collect(TWO, billing.queries(client, { network = "10.8.0.0/24", exporter = "all" })))
    for _, side in ipairs { "inbound", "outbound" } do assert.same(wanted[side][1].values, samples[side][1].values) end
    local bill = assert(billing.invoice { customer = "ACME", samples = samples, tariff = TARIFF })
    local path = folder .. "/bill.json"
    assert(bill:save(path))
    assert(billing.verify(path))
    local saved = json.decode(support.read(path))
    for i, side in ipairs { "inbound", "outbound" } do
      local hash = support.shell(("sha256sum %s/2023-11-16.%s.ndjson"):format(folder, side)):match "^%x+"
      assert.equal(hash, saved.invoice.members[1].queries[i].files[2].sha256)
    end
  end)

  it("refuses files that are not what their manifests say, and days that are not there", function()
    assert(collect(DAY, { HOSTS[1] }))
    local path = folder .. "/2023-11-15.inbound.ndjson"
    local text = support.read(path)
    support.write(path, (text:gsub("%d,", "7,", 1)))
    for _, call in ipairs { function() return collect(DAY, { HOSTS[1] }) end, function() return billing.collected(DAY, folder) end } do
      local got, err = call()
      assert.is_nil(got)
      assert.equal("file", err.kind)
      assert.matches("its SHA%-256 differs", err.message)
    end
    support.write(path, text)
    local got, err = billing.collected(TWO, folder)
    assert.is_nil(got)
    assert.matches("inbound of 2023%-11%-16 is not in .*: collect it", err.message)
    got, err = assert(billing.collected(DAY, folder)):samples "nobody"
    assert.is_nil(got)
    assert.matches('"nobody" is not among the customers of 2023%-11%-15, inbound', err.message)
  end)

  it("leaves days alone that have not ended for long enough", function()
    local now = os.time()
    local midnight = now - now % 86400
    local got = assert(collect(billing.period(midnight - 86400, midnight + 86400), { HOSTS[1] }, { settle = 0 }))
    assert.equal(1, got.open)
    assert.equal(2, #got.files)
    got = assert(collect(billing.period(midnight - 86400, midnight + 86400), { HOSTS[2] }, { settle = 2 * 86400 }))
    assert.equal(2, got.open)
    assert.equal(0, #got.files)
  end)

  it("misuse raises at the caller's line", function()
    for text, arguments in pairs {
      ["period: got a table"] = { {}, HOSTS, { client = client, dir = folder } },
      ["customers: got 5"] = { DAY, 5, { client = client, dir = folder } },
      ["client: got nil"] = { DAY, HOSTS, { dir = folder } }, ["dir: got nil"] = { DAY, HOSTS, { client = client } },
      ['per: got "1h"'] = { DAY, HOSTS, { client = client, dir = folder, per = "1h" } },
      ['option: got "every"'] = { DAY, HOSTS, { client = client, dir = folder, every = 5 } },
      ["settle: got %-1"] = { DAY, HOSTS, { client = client, dir = folder, settle = -1 } },
    } do
      assert.matches("^collect_many: " .. text, support.complaint(function() billing.collect_many(arguments[1], arguments[2], arguments[3]) end))
    end
    assert.matches("^collected: dir: got nil", support.complaint(function() billing.collected(DAY) end))
  end)
end)

describe("scrutinizer collect", function()
  local folder, customers, tariff

  support.clean_for_each(function()
    folder = support.folder()
    customers, tariff = folder .. "/customers.lua", folder .. "/gold.lua"
    os.execute(("mkdir %s/files %s/bills"):format(folder, folder))
    cli.write(customers, [[{ { name = "ACME", network = "10.8.0.0/24", exporter = "all", tariff = "gold.lua", number = "7" },
      { name = "-Ü/1", ip = "10.8.0.69", exporter = "all", tariff = { currency = "EUR", unit = "kbps", price = 200 },
        usage = { direction = "inbound" } } }]])
    cli.write(tariff, [[{ currency = "EUR", unit = "kbps", step = 1, price = 100 }]])
  end)
  after_each(function() os.execute("rm -rf " .. folder) end)

  local PERIOD = " --between 2023-11-15 2023-11-16"

  it("collects, and bill --from makes all bills without an appliance", function()
    local where = (" --customers %s --dir %s/files"):format(customers, folder)
    assert.equal("2 files written, 0 were there; 0 refusals; 0 days have not ended\n", cli.good("collect" .. PERIOD .. where))
    assert.equal("0 files written, 2 were there; 0 refusals; 0 days have not ended\n", cli.good("collect" .. PERIOD .. where))
    local out = cli.good(("bill%s --from %s/files --customers %s --into %s/bills --format html"):format(PERIOD, folder, customers, folder),
      "env HOME=/nonexistent")
    -- 4,494,949 octets are 119,865.3 bit/s; see cli_spec.
    assert.matches("\nACME,7,[^\n]*,120,120,,0,100.00,120.00,EUR,%x+\r?\n", out)
    assert.equal("ACME.html\nACME.json\n____1.html\n____1.json\n", list(folder .. "/bills"))
    local bill = assert(billing.verify(folder .. "/bills/ACME.json"))
    assert.equal(12000, bill.total)
    assert.equal("inbound", assert(billing.verify(folder .. "/bills/____1.json")).members[1].usage.direction)
  end)

  it("names what it cannot do, and does the rest", function()
    cli.write(customers, [[{ { name = "ACME", network = "10.8.0.0/24", exporter = "all" },
      { name = "bad", network = "10.8.0.1/24", exporter = "all" } }]])
    local out, err, status = cli.run(("collect%s --customers %s --dir %s/files"):format(PERIOD, customers, folder))
    assert.equal("2 files written, 0 were there; 1 refusals; 0 days have not ended\n", out)
    assert.matches("^scrutinizer: collect: bad: [^\n]*10%.8%.0%.1/24[^\n]*\n$", err)
    assert.equal(65, status)
    local words = "bill%s --from %s/files --customers %s --into %s/bills --tariff %s"
    out, err, status = cli.run(words:format(PERIOD, folder, customers, folder, tariff))
    assert.matches("\nACME,", out)
    assert.matches('^scrutinizer: bill: bad: "bad" is not among the customers of 2023%-11%-15', err)
    assert.equal(65, status)
    assert.equal("ACME.json\nACME.txt\n", list(folder .. "/bills"))
  end)

  it("refuses what is wrong, with the status for it", function()
    for _, case in ipairs {
      { "collect --dir " .. folder, 64, "%-%-customers" },
      { ("collect --customers %s --dir /nonexistent" .. PERIOD):format(customers), 74, "nonexistent" },
      { ("collect --customers /nonexistent --dir %s" .. PERIOD):format(folder), 78, "No such file" },
      { ("collect --customers %s --dir %s --coverage 2" .. PERIOD):format(customers, folder), 64, "coverage_by_totals: got" },
      { ("bill --from %s --customers %s" .. PERIOD):format(folder, customers), 64, "%-%-from needs %-%-customers and %-%-into" },
      { ("bill --from %s --customers %s --into %s" .. PERIOD):format(folder, customers, folder), 65, "is not in" },
    } do
      local out, err, status = cli.run(case[1])
      assert.equal("", out)
      assert.matches("^scrutinizer: ", err)
      assert.matches(case[3], err)
      assert.equal(case[2], status)
    end
  end)

  it("takes the seven days before today when no period is named", function()
    local out = cli.good(("collect --timezone Asia/Kathmandu --customers %s --dir %s/files"):format(customers, folder))
    assert.equal("14 files written, 0 were there; 0 refusals; 0 days have not ended\n", out)
    local days = support.shell("for i in 7 6 5 4 3 2 1; do TZ=Asia/Kathmandu date -d \"$i days ago\" +%F; done")
    local there = {}
    for name in list(folder .. "/files"):gmatch "(%d+%-%d+%-%d+)%.inbound%.ndjson\n" do there[#there + 1] = name .. "\n" end
    assert.equal(days, table.concat(there))
  end)
end)
