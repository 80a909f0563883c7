-- Altered bills: whatever is changed in a saved bill, `verify` refuses it. ALTERED=10000 alters that many; by default some hundred of each kind.
local billing = require "scrutinizer.billing"
local core = require "scrutinizer.core"
local support = require "spec.support"
local wire = require "scrutinizer.wire"

local ALTERED = tonumber(os.getenv "ALTERED") or 600
local HOUR = billing.period("2023-11-15T00:00:00+01:00", "2023-11-15T01:00:00+01:00", "Europe/Berlin")

local function samples(seed, forced)
  local one, other = {}, {}
  for i = 0, 11 do one[i + 1], other[i + 1] = { HOUR.from + i * 300, (i * seed % 12 + 1) * 37500000 }, { HOUR.from + i * 300, i * 1000 } end
  table.remove(other, 3)
  local set = assert(billing.samples(HOUR, { inbound = { { name = "port 1", points = one }, { name = "port 2", points = other } },
    outbound = other }))
  -- As billing.collect keeps it.
  set.inbound[1].query = { data_requested = '{"inbound":{"table":{"query_limit":{"offset":0,"max_num_rows":1}}}}',
    rpt_json = '{"reportTypeLang":"host2host"}' }
  set.forced[1] = forced
  return set
end

-- A bill with all that a bill may have.
local function given()
  return {
    customer = "ACME", number = "7", note = "Thank you", issued = "2023-12-01", due = "2023-12-31",
    seller = { name = "Carrier", address = "1 Road\nTown", tax_number = "DE1" }, buyer = { address = "2 Street", reference = "PO 5" },
    members = { { name = "north", samples = samples(5, "truncated"), commit = 3 }, { name = "south", samples = samples(7), commit = "2.5" } },
    usage = { percent = 90, missing = "zero", line_speed = 2000000000,
      exclude = { { name = "night", reason = "as agreed", weekdays = { "wed" }, from = "00:00", to = "00:10" } } },
    tariff = { currency = "EUR", unit = "Mbps", step = 1, commit_price = 500, prorate_commit = true, prorate = "seconds", minimum = 10, cap = 900000,
      tiers = { { up_to = 4, price = "750.5" }, { price = 600 } }, fees = { { name = "Port", amount = 31000, prorate = true } },
      taxes = { { name = "VAT", rate = 19 } }, rounding = { line = "half_up" } },
    rule = billing.rule { name = "all but the last", version = "1", apply = function(list)
      table.remove(list)
      return { samples = list, lines = { { name = "Discount", amount = -5 } } }
    end },
  }
end

local function saved(all, path)
  assert(assert(billing.invoice(all)):save(path))
  return support.read(path)
end

local function refused(path, text)
  support.write(path, text)
  local bill, err = billing.verify(path)
  return bill == nil and err.kind == "bill"
end

local function with_file(body)
  local path = os.tmpname()
  local fine, err = pcall(body, path)
  os.remove(path)
  if not fine then error(err, 0) end
end

-- All leaves of a decoded file: { table, key }.
local function leaves(value, list)
  for key, item in pairs(value) do
    if type(item) == "table" then leaves(item, list) else list[#list + 1] = { value, key } end
  end
  return list
end

-- Another value: near the old one, or of another type.
local function other(value)
  local kind, pick = type(value), math.random(4)
  if pick == 1 then return kind == "number" and tostring(value) or 1 end
  if kind == "number" then return value + (math.random(2) == 1 and 1 or -1) * math.random(3) end
  if kind == "boolean" then return not value end
  if kind ~= "string" then return 0 end
  local at = math.random(0, #value)
  return pick == 2 and value:sub(1, at) .. "1" .. value:sub(at + 1) or value:sub(1, at) .. value:sub(at + 2) .. "x"
end

describe("a saved bill", function()
  it(("is refused however one value of it is changed, removed or added: %d times"):format(ALTERED), function()
    with_file(function(path)
      local text = saved(given(), path)
      assert.is_truthy(billing.verify(path))
      for i = 1, ALTERED do
        local file = assert(core.decode(text))
        local list = leaves(file, {})
        local place = list[math.random(#list)]
        local where, key = place[1], place[2]
        local how = math.random(10)
        if how == 1 and type(key) == "string" then where[key] = nil
        elseif how == 2 and type(key) == "string" then where[key .. "_2"] = where[key]
        else where[key] = other(where[key]) end
        local altered = assert(wire.encode(file)) .. "\n"
        if altered ~= text then assert(refused(path, altered), ("%d: %s accepted with another value: %s"):format(i, key, altered)) end
      end
    end)
  end)

  -- The forger makes the whole file anew, so that all figures agree, and keeps the hash that was published.
  for name, change in pairs {
    ["the customer"] = function(all) all.customer = "ACNE" end, ["the number"] = function(all) all.number = "8" end,
    ["no number"] = function(all) all.number = nil end, ["a member's name"] = function(all) all.members[1].name = "west" end,
    ["the seller"] = function(all) all.seller.name = "Other" end, ["an address"] = function(all) all.buyer.address = "3 Street" end,
    ["no buyer"] = function(all) all.buyer = nil end, ["the note"] = function(all) all.note = "-" end,
    ["a date"] = function(all) all.due = "2024-01-31" end,
    ["a default that was said"] = function(all) all.tariff.rounding = nil end,
    ["a default that was not"] = function(all) all.usage.method = "nearest_rank" end,
    ["a number as text"] = function(all) all.members[1].commit = "3" end,
    ["a number written otherwise"] = function(all) all.members[2].commit = "2.50" end,
    ["a price"] = function(all) all.tariff.tiers[2].price = 599 end, ["a step that changes nothing"] = function(all) all.tariff.step = "0.5" end,
    ["the cap"] = function(all) all.tariff.cap = 900001 end, ["no minimum"] = function(all) all.tariff.minimum = nil end,
    ["a tax's name"] = function(all) all.tariff.taxes[1].name = "TAX" end,
    ["a fee more"] = function(all) all.tariff.fees[2] = { name = "x", amount = 0 } end,
    ["what was forced"] = function(all) all.members[1].samples.forced = {} end,
    ["more forced"] = function(all) all.members[2].samples.forced = { "sparse" } end,
    ["a query"] = function(all) all.members[1].samples.inbound[1].query.rpt_json = '{"reportTypeLang":"other"}' end,
    ["no query"] = function(all) all.members[1].samples.inbound[1].query = nil end,
    ["a part's name"] = function(all) all.members[1].samples.inbound[2].name = "port 3" end,
    ["an exclusion's reason"] = function(all) all.usage.exclude[1].reason = "other" end,
    ["the line's speed"] = function(all) all.usage.line_speed = 3000000000 end,
    ["a sample"] = function(all) all.members[2].samples.outbound[1].values[1] = 1 end,
    ["where the samples come from"] = function(all) all.members[1].samples.source = "minute" end,
  } do
    it("is refused when it is made anew with another hash behind the old one: " .. name, function()
      with_file(function(path)
        local hash = saved(given(), path):match '"record_sha256":"(%x+)"'
        local all = given()
        change(all)
        local text = saved(all, path)
        local own = text:match '"record_sha256":"(%x+)"'
        assert.not_equal(hash, own)
        assert.is_truthy(billing.verify(path))
        support.write(path, (text:gsub(own, hash)))
        local bill, err = billing.verify(path)
        assert.is_nil(bill)
        assert.equal("invoice.audit.record_sha256", err.difference.path)
      end)
    end)
  end

  it("has in its record nothing that is not checked, even where the hash was made for it", function()
    with_file(function(path)
      local text = saved(given(), path)
      for _, change in ipairs {
        function(record) record.extra = 1 end, function(record) record.members[1].samples.extra = 1 end,
        function(record) record.members[1].extra = 1 end,
        function(record) record.tariff.extra = 1 end, function(record) record.usage.extra = 1 end, function(record) record.period.extra = 1 end,
        function(record) record.members[1].samples.inbound[1].extra = 1 end, function(record) record.tariff.fees[1].extra = 1 end,
        function(record) record.rule.extra = 1 end, function(record) record.members[1].ruled.extra = 1 end,
        function(record) record.members[1].ruled.lines[1].extra = 1 end, function(record) record.members[1].ruled.inbound.extra = 1 end,
        function(record) record.members[3] = record.members[1]; record.pool = false end,
      } do
        local file = assert(core.decode(text))
        change(file.record)
        local hash = core.sha256(assert(wire.encode(file.record)))
        file.invoice.audit.record_sha256 = hash
        assert(refused(path, assert(wire.encode(file)) .. "\n"))
      end
    end)
  end)

  it("has a hash of its record that others can check", function()
    with_file(function(path)
      local text = saved(given(), path)
      local command = "env -u LD_PRELOAD python3 -c 'import json, sys, hashlib; r = json.load(open(sys.argv[1], encoding=\"utf-8\"))[\"record\"]; "
        .. "print(hashlib.sha256(json.dumps(r, sort_keys=True, separators=(\",\", \":\"), ensure_ascii=False).encode()).hexdigest())' "
      assert.equal(text:match '"record_sha256":"(%x+)"', (support.shell(command .. path):gsub("%s", "")))
    end)
  end)

  it("of the format before is not taken for one", function()
    with_file(function(path)
      assert(refused(path, (saved(given(), path):gsub("scrutinizer bill 2", "scrutinizer bill 1"))))
      local _, err = billing.verify(path)
      assert.matches("a bill of format 1, whose hash does not cover parties, rules and queries; verify it with the version that made it", err.message)
    end)
  end)
end)
