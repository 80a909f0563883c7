-- Tests a script of your own without an appliance: the first run records the appliance's answers, later runs replay them. Run it with busted.
--
-- The first run needs SCRUTINIZER_URL, SCRUTINIZER_TOKEN and, if the appliance has a self-signed certificate, SCRUTINIZER_CA. It writes a file
-- (named by ANSWERS, default answers.ndjson). Keep that file beside your spec: then no run needs these variables. To record again, delete it.

local scrutinizer = require "scrutinizer"

-- The script: lists the hosts that send most. Its caller passes the client, so that a test can pass a replaying one.
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
    client = assert(recorder:connect {})
  end)

  teardown(function()
    client:close()
    assert(recorder:close()) -- the file appears only now, and is complete
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
