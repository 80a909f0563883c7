-- What breaks the files of collect_many: killed processes, graphs in pieces, neighbours, customers that are others by the time of their bill.
local billing = require "scrutinizer.billing"
local cli = require "spec.command"
local manifest = require "scrutinizer.export.manifest"
local support = require "spec.support"

local DAY = billing.period("2023-11-15", "2023-11-16")

describe("the files of collect_many", function()
  local client, folder

  support.client_for_each(function(made)
    client, folder = made, support.folder()
  end)
  after_each(function() os.execute("rm -rf " .. folder) end)

  local ACME, BOLT = { name = "ACME", network = "10.8.0.0/24", exporter = "all" }, { name = "Bolt", ip = "157.240.30.18", exporter = "all" }

  local function collect(customers, more)
    local options = { client = client, dir = folder }
    for name, value in pairs(more or {}) do options[name] = value end
    return assert(billing.collect_many(DAY, customers, options))
  end

  local function samples_of(name) return assert(assert(billing.collected(DAY, folder)):samples(name)) end

  local function missing(values)
    local count = 0
    for _, octets in ipairs(values) do count = count + (octets == false and 1 or 0) end
    return count
  end

  -- Runs `call`, which ends where the process is killed: at the n-th call of a function of the manifests.
  local function killed(name, n, call)
    local own, count = manifest[name], 0
    manifest[name] = function(...)
      count = count + 1
      if count == n then error("killed", 0) end
      return own(...)
    end
    local fine, why = pcall(call)
    manifest[name] = own
    assert.same({ false, "killed" }, { fine, why })
  end

  for _, at in ipairs { { "amend", 1, "before the announcement" }, { "write", 1, "before the file" }, { "amend", 2, "between file and manifest" } } do
    it("stay readable when the process that adds a customer is killed " .. at[3], function()
      collect { ACME }
      local before = samples_of "ACME".inbound[1].values
      killed(at[1], at[2], function() collect { ACME, BOLT } end)
      assert.same(before, samples_of "ACME".inbound[1].values)
      support.clear()
      assert.same({}, collect({ ACME, BOLT }).refused)
      assert.same({ "ACME", "Bolt" }, assert(billing.collected(DAY, folder)):names())
      -- ACME is not asked for again.
      for _, request in ipairs(support.log()) do
        for _, field in ipairs(request.fields) do assert.is_nil(field[2]:find("10.8.0.0_24", 1, true)) end
      end
      -- Still, a file that no run announced is refused.
      local path = folder .. "/2023-11-15.inbound.ndjson"
      support.write(path, (support.read(path):gsub("%d,", "7,", 1)))
      local got, err = billing.collected(DAY, folder)
      assert.is_nil(got)
      assert.matches("its SHA%-256 differs", err.message)
    end)
  end

  it("keep the customers that another process adds meanwhile", function()
    local other, done = client, false
    local slow = support.connect { on_event = function(event)
      if event.type ~= "request" or done then return end
      done = true
      assert.same({}, assert(billing.collect_many(DAY, { BOLT }, { client = other, dir = folder })).refused)
    end }
    assert.same({}, assert(billing.collect_many(DAY, { ACME }, { client = slow, dir = folder })).refused)
    assert.is_true(done)
    assert.same({ "ACME", "Bolt" }, assert(billing.collected(DAY, folder)):names())
    for _, name in ipairs { "ACME", "Bolt" } do assert.equal(0, missing(samples_of(name).outbound[1].values)) end
  end)

  it("have no customer that is hidden in Other in one piece of a graph and shown in another", function()
    -- 202 customers' minutes are two graphs, up to 20:00 and after it; the greatest host of the first is not that of the second.
    support.switches { max_rows = 1 }
    local customers = { { name = "early", ip = "192.168.2.126", exporter = "all" }, { name = "late", ip = "192.168.1.103", exporter = "all" } }
    for i = 1, 200 do customers[#customers + 1] = { name = "idle " .. i, ip = "203.0.113." .. i, exporter = "all" } end
    local refused = {}
    for _, refusal in ipairs(collect(customers, { coverage_by_totals = false }).refused) do
      if refusal.side == "inbound" then refused[refusal.customer] = refusal.error.message end
    end
    assert.matches("may be hidden in Other", refused.early)
    assert.matches("may be hidden in Other", refused.late)
  end)

  it("do not take one exporter's traffic for another's: what an exporter did not tell is missing", function()
    support.switches { graph_gaps = "left_out" }
    local one, two = { name = "one", interfaces = { { "192.0.2.1", 1 } } }, { name = "two", interfaces = { { "192.0.2.2", 1 } } }
    local same = { name = "same", interfaces = { { "192.0.2.1", 2 } } }
    -- Intervals in which none of the exporter's interfaces among the customers has a flow.
    local function silent(condition)
      return 288 - tonumber(support.awk(('NR > 1 && $3 == "192.0.2.1" && (%s) { seen[int($1 / 300000)] = 1 } END { for (i in seen) n++; print n }')
        :format(condition)))
    end
    collect { one, two }
    assert.equal(silent "$4 == 1", missing(samples_of "one".inbound[1].values))
    os.execute("rm -f " .. folder .. "/*")
    collect { one, two, same }
    assert.equal(silent "$4 == 1 || $4 == 2", missing(samples_of "one".inbound[1].values))
  end)

  it("are not billed for a customer that is defined otherwise by then", function()
    local list, words = folder .. "/customers.lua", ("bill --between 2023-11-15 2023-11-16 --from %s --customers %s --into %s"):format(folder,
      folder .. "/customers.lua", folder)
    collect { ACME, BOLT }
    cli.write(list, [[{ { name = "ACME", network = "10.8.0.0/16", exporter = "all", tariff = { currency = "EUR", unit = "kbps", price = 200 } },
      { name = "Bolt", exporter = "all", ip = "157.240.30.18", tariff = { currency = "EUR", unit = "kbps", price = 200 }, number = "1" } }]])
    local out, err, status = cli.run(words)
    assert.equal(65, status)
    assert.matches('^scrutinizer: bill: ACME: "ACME" was collected as [^\n]*10%.8%.0%.0/24[^\n]*, and is now [^\n]*10%.8%.0%.0/16[^\n]*: '
      .. "collect again\n$", err)
    assert.matches("\nBolt,1,", out)
    assert.is_nil(out:find("ACME", 1, true))
  end)
end)
