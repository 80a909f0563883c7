-- What the sandbox's tables keep: all conversations by the minute, the greatest ones from five minutes on, exact totals of interfaces. Asked by
-- curl; the right answers are python's, from the flows alone.
local cjson = require "cjson"
local sandbox = dofile "spec/sandbox.lua"

local DAY = 1700006400 -- 2023-11-15 00:00:00 UTC
local FROM, TO = DAY + 4 * 3600, DAY + 6 * 3600

local describe_once = os.getenv "SANDBOX_CHECKED" and function() end or describe

-- "epoch octets" lines of python.
local function kept(...)
  local words = { "env -u LD_PRELOAD python3 spec/sandbox/kept_flows.py" }
  for _, word in ipairs { ... } do words[#words + 1] = sandbox.quote(word) end
  local out, code = sandbox.sh(table.concat(words, " "))
  assert.equal(0, code, out)
  return (out:gsub("%s+$", ""))
end

-- The same of an answer: the sums over its series.
local function points(options)
  options.graph = "timeseries"
  local report = cjson.decode(sandbox.ask(options).body).report
  local sums, order = {}, {}
  for _, series in ipairs(report.graph.timeseries[options.direction or "inbound"]) do
    for _, point in ipairs(series) do
      if not sums[point[1]] then order[#order + 1] = point[1] end
      sums[point[1]] = (sums[point[1]] or 0) + point[2]
    end
  end
  table.sort(order)
  local lines = {}
  for i, epoch in ipairs(order) do lines[i] = ("%.0f %.0f"):format(epoch, sums[epoch]) end
  return table.concat(lines, "\n")
end

local function total(lines)
  local sum = 0
  for octets in (lines .. "\n"):gmatch " (%d+)\n" do sum = sum + octets end
  return sum
end

local NETWORK = '"sdfDips_0":"in_GROUP_ALL","sdfIpns_0":"in_10.8.0.0_24_dst"'

describe_once("the sandbox's rollups", function()
  setup(sandbox.start)
  teardown(sandbox.finish)
  before_each(function() sandbox.clear() end)
  after_each(function()
    assert.equal("", sandbox.violations())
    sandbox.clear()
  end)

  it("keep the top conversations per exporter and bucket, by octets", function()
    sandbox.post("switches", { max_conversations = 30 })
    for _, minutes in ipairs { 5, 30, 120 } do
      local wanted = kept(FROM, TO, minutes * 60, minutes * 60, 30)
      assert.equal(wanted, points { from = FROM, to = TO, granularity = ('"%d"'):format(minutes) })
      assert.is_true(total(wanted) < total(kept(FROM, TO, minutes * 60, 60, 30)))
    end
    local wanted = kept(DAY, DAY + 86400, 86400, 86400, 30, "dst", "10.8.0.0/24")
    assert.equal(wanted, points { from = DAY, to = DAY + 86400, granularity = '"1440"', filters = NETWORK })
  end)

  it("are of the whole table: a filter finds what was kept of it", function()
    sandbox.post("switches", { max_conversations = 30 })
    local wanted = kept(FROM, TO, 300, 300, 30, "dst", "10.8.0.0/24")
    assert.equal(wanted, points { from = FROM, to = TO, granularity = '"5"', filters = NETWORK })
    assert.is_true(total(wanted) < total(kept(FROM, TO, 300, 60, 30, "dst", "10.8.0.0/24")))
    wanted = kept(FROM, TO, 300, 300, 30, "dst", "0.0.0.0/0", "192.0.2.2")
    local filters = '"sdfDips_0":"in_C0000202_ALL","sdfIpns_0":"in_0.0.0.0_0_dst"'
    assert.equal(total(wanted), total(points { from = FROM, to = TO, granularity = '"5"', filters = filters }))
  end)

  it("drop nothing by the minute, and nothing of the totals of interfaces", function()
    sandbox.post("switches", { max_conversations = 1 })
    assert.equal(kept(FROM, TO, 60, 60, 1), points { from = FROM, to = TO, granularity = '"1"' })
    local wanted = kept(FROM, TO, 300, 60, 1)
    for _, direction in ipairs { "inbound", "outbound" } do
      assert.equal(wanted, points { type = "interfaces", direction = direction, from = FROM, to = TO, granularity = '"5"' })
    end
    -- With any other filter it is conversations that are read.
    wanted = kept(FROM, TO, 300, 300, 1, "dst", "10.8.0.0/24")
    assert.equal(wanted, points { type = "interfaces", from = FROM, to = TO, granularity = '"5"', filters = NETWORK })
  end)

  it("keep 1000 by default: of the recorded day everything up to two hours, less of longer buckets", function()
    for _, minutes in ipairs { 5, 30, 120 } do
      local wanted = kept(DAY, DAY + 86400, minutes * 60, 60, 1000)
      assert.equal(wanted, points { from = DAY, to = DAY + 86400, granularity = ('"%d"'):format(minutes) })
    end
    local wanted = kept(DAY, DAY + 86400, 43200, 43200, 1000)
    assert.equal(wanted, points { from = DAY, to = DAY + 86400, granularity = '"720"' })
    assert.is_true(total(wanted) < total(kept(DAY, DAY + 86400, 43200, 60, 1000)))
  end)

  it("are all that is left of what is older than the minutes are kept", function()
    sandbox.post("switches", { now = TO, minute_retention = 7200, max_conversations = 30 })
    assert.equal(kept(FROM, TO, 60, 60, 30), points { from = FROM, to = TO, granularity = '"1"' })
    sandbox.post("switches", { minute_retention = 3600 })
    assert.equal(kept(FROM, TO, 300, 300, 30), points { from = FROM, to = TO, granularity = '"1"' })
    sandbox.post("switches", { minutes_gone = "empty" })
    assert.equal(kept(FROM + 3600, TO, 60, 60, 30), points { from = FROM, to = TO, granularity = '"1"' })
  end)
end)

describe_once("a state file", function()
  it("of a version without rollups gets them", function()
    local path = os.tmpname()
    os.remove(path)
    sandbox.during("PORT=0 HTTP_PORT=0 STATE=" .. path, function() end)
    local out, code = sandbox.sh(("sqlite3 %s 'ALTER TABLE flows DROP COLUMN rank_300'"
      .. " 'ALTER TABLE flows DROP COLUMN rank_1800' 'ALTER TABLE flows DROP COLUMN rank_7200' 'ALTER TABLE flows DROP COLUMN rank_43200'"
      .. " 'ALTER TABLE flows DROP COLUMN rank_86400'"):format(path))
    assert.equal(0, code, out)
    sandbox.during("PORT=0 HTTP_PORT=0 STATE=" .. path, function()
      assert.equal("28783\n", (sandbox.sh(("sqlite3 %s 'SELECT count(rank_300) FROM flows WHERE rank_86400 > 0'"):format(path))))
    end)
    sandbox.sh("rm -f " .. path .. "*")
  end)
end)
