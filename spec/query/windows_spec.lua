-- `query:windows`: the parts of a query's window, over the recorded flows, against awk. Where days begin is in spec/time/window_spec.lua.
local support = require "spec.support"

local FROM, TO = "2026-11-22T00:00:00Z", "2026-11-24T00:00:00Z"

describe("windows", function()
  local client
  before_each(function()
    support.clear()
    client = support.connect()
  end)
  after_each(function()
    client:close()
    assert.same({}, support.violations())
  end)

  -- The octets of the recorded day's flows that begin in each window of this many milliseconds, from this one on.
  local function awk(length, first)
    local out = {}
    for line in support.awk(([[NR > 1 { s[int(($1 + 86400000 - %d) %% 86400000 / %d)] += $12 }
      END { for (i = 0; i * %d < 86400000; i++) printf "%%.0f\n", s[i] }]]):format(first, length, length)):gmatch "%d+" do
      out[#out + 1] = tonumber(line)
    end
    return out
  end

  local function octets(queries)
    local out = {}
    for i, query in ipairs(queries) do
      local groups = assert(query:aggregate { sum = { "sum_octetdeltacount" } })
      out[i] = groups[1] and groups[1].sum_octetdeltacount or 0
    end
    return out
  end

  it("have the flows of each, and together those of the whole", function()
    local quarters = awk(6 * 3600000, 0)
    local day = client:report("tos"):between(FROM, "2026-11-23T00:00:00Z"):granularity(1)
    local parts = day:windows "6h"
    assert.equal(4, #parts)
    assert.same(quarters, octets(parts))
    assert.equal(quarters[1] + quarters[2] + quarters[3] + quarters[4], octets({ day })[1])
    -- Days of Berlin, which begin at 23:00 UTC: a piece of the first, one whole, and what is left of the last.
    local hours = awk(3600000, 0)
    local whole = 0
    for _, n in ipairs(hours) do whole = whole + n end
    parts = client:report("tos"):between(FROM, TO):timezone("Europe/Berlin"):granularity(1):windows "1d"
    assert.same({ whole - hours[24], whole, hours[24] }, octets(parts))
  end)

  it("say from when to when they are", function()
    local list = {}
    local two = client:report("tos"):between("2026-10-25", "2026-10-27"):timezone "Europe/Berlin"
    for i, part in ipairs(two:windows "1d") do list[i] = part:window() end
    -- date -d 'TZ="Europe/Berlin" 2026-10-25' +%s and so on
    assert.same({ { from = 1792879200, to = 1792969200 }, { from = 1792969200, to = 1793055600 } }, list)
    assert.same({ from = 1792879200, to = 1792882800 }, client:report("tos"):between(1792879200, 1792882800):window())
    local now, window = os.time(), client:report("tos"):last("90m"):shift("-1h"):window()
    assert.equal(5400, window.to - window.from)
    assert.is_true(window.to >= now - 3600 and window.to <= now - 3590)
    for query, text in pairs {
      [client:report("tos")] = "window: the query has no times", [client:report("tos"):day(0)] = "the query has no time zone",
      [client:report("tos"):set("times", { start = 1 })] = "window: :set has replaced",
    } do
      local _, message = pcall(function() return (query:window()) end)
      assert.is_truthy(message:find("windows_spec.lua:%d+: ") and message:find(text, 1, true), message)
    end
  end)

  it("keep all else that the query says, in each of them", function()
    local query = client:report("host2host"):between(FROM, TO):timezone("UTC"):granularity(1):order_by("sum_packetdeltacount"):limit(2)
      :where({ src_ip = "10.8.0.69" }):select { packets = "sum_packetdeltacount" }
    local before, texts = tostring(query), {}
    for i, part in ipairs(query:windows(86400)) do
      local from = 1795305600 + (i - 1) * 86400
      assert.equal(tostring(query:between(from, from + 86400)), tostring(part))
      assert.same(query:between(from, from + 86400):request(), part:request())
      assert.equal(2, #assert(part:fetch()).rows)
      texts[#texts + 1] = tostring(part)
    end
    assert.equal(2, #texts)
    assert.is_true(texts[1] ~= texts[2])
    assert.equal(before, tostring(query))
    assert.matches("^2 windows\n", tostring(query:windows "1d"))
  end)

  it("are moved with the query, and counted when they are asked for", function()
    local moved = client:report("tos"):day("2026-11-23"):timezone("UTC"):shift("-1d"):windows "12h"
    assert.equal(tostring(client:report("tos"):timezone("UTC"):between(1795305600, 1795348800)), tostring(moved[1]))
    local before = os.time()
    local last = client:report("tos"):last("3h"):windows "1h"
    local first, after = tostring(last[1]):match "(%d+) to (%d+)"
    assert.equal(3, #last)
    assert.equal(3600, after - first)
    assert.is_true(tonumber(first) >= before - 10800 and tonumber(first) <= os.time() - 10800)
    local asked = {}
    for i, part in ipairs(client:gather(last)) do asked[i] = part.time end
    assert.equal(3, #asked)
  end)
end)
