-- Test a script of your own without an appliance: its answers are recorded the first time and replayed ever after. Run it with busted.
--
-- The first run needs SCRUTINIZER_URL, SCRUTINIZER_TOKEN and, where the appliance signs its own certificate, SCRUTINIZER_CA. Put the file that
-- it leaves (ANSWERS, else answers.ndjson) beside your spec: with it no run needs any of them. To record anew, delete it.

local scrutinizer = require "scrutinizer"

-- The script: who sends most, as lines for people? It gets its client from its caller, so that a test can bring one.
local function top_talkers(client, hours, n)
  local query = client:report("host2host"):last(hours .. "h"):select { who = "sourceipaddress", bytes = "sum_octetdeltacount" }
  local groups, err = query:aggregate { by = { "who" }, sum = { "bytes" }, top = n }
  if not groups then return nil, err end
  local lines = {}
  for i, group in ipairs(groups) do lines[i] = ("%d. %s %.1f MB"):format(i, group.who, group.sum_bytes / 1e6) end
  return lines
end

describe("top talkers", function()
  local recorder, client

  setup(function()
    recorder = scrutinizer.recorder(os.getenv "ANSWERS" or "answers.ndjson")
    client = assert(recorder:connect { tls = { ca_file = os.getenv "SCRUTINIZER_CA" } })
  end)

  teardown(function()
    client:close()
    assert(recorder:close()) -- only now is the file there, and whole
  end)

  it("are numbered lines, the greatest first", function()
    local lines = assert(top_talkers(client, 24, 3))
    assert.equal(3, #lines)
    for i, line in ipairs(lines) do assert.matches("^" .. i .. "%. [%x.:]+ [%d.]+ MB$", line) end
    assert.is_true(tonumber(lines[1]:match "([%d.]+) MB") >= tonumber(lines[3]:match "([%d.]+) MB"))
  end)

  it("are asked for in hours", function()
    assert.equal(1, #assert(top_talkers(client, 1, 1)))
  end)
end)
