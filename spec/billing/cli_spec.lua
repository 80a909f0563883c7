-- `scrutinizer bill` as people run it.
local billing = require "scrutinizer.billing"
local cli = require "spec.command"
local support = require "spec.support"

local run, good, temporary, contents, write = cli.run, cli.good, cli.temporary, cli.contents, cli.write
local BASE = "bill --between 2023-11-15 2023-11-16 --network 10.8.0.0/24 --exporter all "

describe("scrutinizer bill", function()
  local tariff = temporary()

  setup(function()
    write(tariff, [[{ currency = "EUR", unit = "kbps", step = 1, commit = 100, prorate_commit = true, commit_price = 30, price = "12.5",
      fees = { { name = "Port", amount = 3000, prorate = true } } }]])
  end)
  teardown(function() os.remove(tariff) end)
  support.clean_for_each()

  -- 4,494,949 octets are 119,865.3 bit/s: 120 kbps upwards, 20 over the commit. 100 × 0.30 / 30 + 20 × 0.125 + 30.00 / 30.
  it("prints a customer's bill, and verifies the one that it saved", function()
    local saved = temporary()
    local out = good(BASE .. ("--tariff %s --customer ACME --save %s"):format(tariff, saved))
    assert.matches("^Customer +ACME\n", out)
    assert.matches("\nPercentile 95 +119%.865 kbit/s %(nearest_rank, rank 274 of 288;", out)
    assert.matches("\nCommit +100 kbps × 0%.30 × 1/30 of the month +1%.00\n", out)
    assert.matches("\nOver the commit +20 kbps × 0%.125 +2%.50\n", out)
    assert.matches("\nTotal EUR +4%.50\n", out)
    -- No appliance is needed to verify.
    assert.equal(out, good("bill --verify " .. saved, "env HOME=/nonexistent"))
    assert.equal(450, billing.verify(saved).total)
    write(saved, (contents(saved):gsub('"total":450', '"total":449')))
    local text, err, status = run("bill --verify " .. saved)
    assert.equal("", text)
    assert.equal("scrutinizer: bill: invoice.total: the file says 449, the samples give 450\n", err)
    assert.equal(65, status)
    os.remove(saved)
  end)

  it("says that it did not run the custom rule of a saved bill", function()
    local saved, hour = temporary(), billing.period(0, 3600)
    local bill = assert(billing.invoice { customer = "c", samples = assert(billing.samples(hour, { inbound = { { 0, 300 } } })),
      usage = { missing = "zero", threshold = 1 }, tariff = { currency = "EUR", unit = "bps", price = 1 },
      rule = billing.rule { name = "free", version = "1", apply = function() return { lines = { { name = "free", amount = -8 } } } end } })
    assert(bill:save(saved))
    local text, err, status = run("bill --verify " .. saved)
    assert.equal(bill:text(), text)
    assert.equal("scrutinizer: bill: its custom rule, free, was not run; billing.verify runs it when it is handed over\n", err)
    assert.equal(0, status)
    os.remove(saved)
  end)

  it("writes CSV, JSON and a page", function()
    local path = temporary()
    assert.matches("\r\n,10%.8%.0%.0/24,[^\r]*,Total,,,,,4%.50,EUR\r\n$", good(BASE .. "--format csv --tariff " .. tariff))
    assert.matches('"total":450', good(BASE .. "--format json --tariff " .. tariff))
    assert.equal("", good(BASE .. ("--format html --tariff %s -o %s"):format(tariff, path)))
    assert.matches("^<!DOCTYPE html>", contents(path))
    os.remove(path)
  end)

  it("takes the rules of a contract", function()
    local out = good(BASE .. "--percent 99.9 --method cacti --direction sum --missing drop --threshold 0.1 --tariff " .. tariff)
    assert.matches("\nPercentile 99%.9 +[%d.]+ .bit/s %(cacti, rank 287 of 288; of inbound and outbound together, 300 s samples%)", out)
  end)

  it("refuses what the library refuses, with the status for it", function()
    for _, case in ipairs {
      { BASE, 64, "%-%-tariff is missing" },
      { "bill --network 10.8.0.0/24 --exporter all --tariff " .. tariff, 64, "give the period: %-%-month or %-%-between" },
      { "bill --month 2023-13 --network 10.8.0.0/24 --exporter all --tariff " .. tariff, 64, 'month: got "2023%-13"' },
      { "bill --month 2023-11 --tariff " .. tariff, 64, "set exactly one of interfaces" }, { BASE .. "--tariff /nonexistent", 78, "No such file" },
      { BASE .. "--coarser 3 --tariff " .. tariff, 64, "coarser: got 3" }, { "bill --verify /nonexistent", 74, "No such file" },
      { "bill --between 2023-11-15 2023-11-16 --ip 203.0.113.254 --exporter all --tariff " .. tariff, 65, "288 of 288 samples are missing" },
      { "bill --month 2023-11 --ip 10.8.0.69 --tariff " .. tariff, 64, "set exporter: a flow that several exporters report" },
      { "bill --month 2023-11 --interface 10.1.1.4 --tariff " .. tariff, 64, "is not of the form exporter/interface" },
    } do
      local out, err, status = run(case[1])
      assert.equal("", out)
      assert.matches("^scrutinizer: ", err)
      assert.matches(case[3], err)
      assert.equal(case[2], status)
    end
  end)

  it("says how", function()
    local out = good "bill --help"
    for _, word in ipairs { "--interface", "--missing", "The tariff is a file with a Lua table", "--verify", "Example: scrutinizer bill" } do
      assert.is_truthy(out:find(word, 1, true), word)
    end
  end)
end)
