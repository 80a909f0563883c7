-- Runs three reports at the same time in a cqueues loop, beside another task. Set SCRUTINIZER_URL, SCRUTINIZER_TOKEN and SCRUTINIZER_CA.
local cqueues = require "cqueues"
local scrutinizer = require "scrutinizer"

local client = assert(scrutinizer.connect {})
local loop, running, ticks = cqueues.new(), 0, 0

local function run(report_type)
  running = running + 1
  loop:wrap(function()
    local rows, octets, count = client:report(report_type):last("1d"):rows(), 0, 0
    local row, err = rows:next() -- Lua 5.1 cannot yield inside a `for` iterator; other versions can use `for row in rows do`
    while row do
      octets, count = octets + row.sum_octetdeltacount, count + 1
      row, err = rows:next()
    end
    print(err and ("%s: %s"):format(report_type, tostring(err)) or ("%-14s %6d rows %12.0f octets"):format(report_type, count, octets))
    running = running - 1
  end)
end

run "srcHosts"
run "host2host"
run "conversations"
loop:wrap(function()
  while running > 0 do
    ticks = ticks + 1
    cqueues.sleep(0.001)
  end
end)
assert(loop:loop())
print(("the loop went round %s"):format(ticks > 3 and "meanwhile" or "too seldom"))
client:close()
