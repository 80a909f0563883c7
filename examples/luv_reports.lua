-- Runs three reports at the same time in luv's loop, beside another task. Set SCRUTINIZER_URL, SCRUTINIZER_TOKEN and SCRUTINIZER_CA.
local uv = require "luv"
local scrutinizer = require "scrutinizer"

local client = assert(scrutinizer.connect {})
local running, ticks = 0, 0

-- Starts a function as a coroutine inside the loop; the loop's callbacks resume it.
local function in_loop(run, ...)
  local arguments, timer = { ... }, uv.new_timer()
  timer:start(0, 0, function()
    timer:close()
    coroutine.wrap(run)((table.unpack or unpack)(arguments))
  end)
end

local function report(report_type)
  local rows, octets, count = client:report(report_type):last("1d"):rows(), 0, 0
  local row, err = rows:next() -- Lua 5.1 cannot yield inside a `for` iterator; other versions can use `for row in rows do`
  while row do
    octets, count = octets + row.sum_octetdeltacount, count + 1
    row, err = rows:next()
  end
  print(err and ("%s: %s"):format(report_type, tostring(err)) or ("%-14s %6d rows %12.0f octets"):format(report_type, count, octets))
  running = running - 1
end

for _, report_type in ipairs { "srcHosts", "host2host", "conversations" } do
  running = running + 1
  in_loop(report, report_type)
end
local clock = uv.new_timer()
clock:start(1, 1, function()
  ticks = ticks + 1
  if running == 0 then clock:close() end
end)
uv.run()
print(("the loop went round %s"):format(ticks > 3 and "meanwhile" or "too seldom"))
client:close()
