-- A million rows through the loop: the right ones, in a process that stays small.
local support = require "spec.support"

local ROWS = support.sanitized and 100000 or os.getenv "SANDBOX_CHECKED" and 300000 or 1000000 -- a million once
local ALLOWED_KIB = 8 * 1024

-- Run by a fresh process of the Lua under test. Octets are i * 1000, and 2^53 more for every seventh row: kept apart as two sums, since no
-- number here holds their whole; where 2^53 and more cannot be held exactly, they come as text.
local PROGRAM = [[
  package.path = "./?.lua;" .. package.path
  local support = require "spec.support"
  local client = support.connect()
  local HIGH = "9007"
  local LOW = 199254740992
  local rows, packets, low, high, peak = 0, 0, 0, 0, 0
  support.collect()
  local idle = support.rss()
  for row in client:report("custom_rows_%d"):range("LastHour"):rows(%s) do
    rows, packets = rows + 1, packets + row.sum_packetdeltacount
    local octets = row.sum_octetdeltacount
    if type(octets) == "string" then
      assert(#octets == 16 and octets:sub(1, 4) == HIGH, octets)
      high, low = high + 1, low + tonumber(octets:sub(5)) - LOW
    elseif octets >= 2 ^ 53 then
      high, low = high + 1, low + (octets - 9007199254740992)
    else
      low = low + octets
    end
    if rows %% 10000 == 0 then peak = math.max(peak, support.rss()) end
  end
  print(("%%d %%.0f %%.0f %%d %%d"):format(rows, packets, low, high, peak - idle))
]]

local function run(count, options)
  local path = os.tmpname()
  support.write(path, PROGRAM:format(count, options))
  local text = support.shell(support.lua .. " " .. support.quote(path) .. " 2>&1")
  os.remove(path)
  local numbers = {}
  for word in text:gmatch "%S+" do numbers[#numbers + 1] = tonumber(word) end
  assert.equal(5, #numbers, text)
  return numbers
end

describe("a report of a million rows", function()
  support.clean_for_each(function()
    support.switches { rows_before_columns = "never" }
  end)

  for _, case in ipairs { { ROWS, "" }, { ROWS / 10, "{ reuse = true }" } } do
    local count, options = case[1], case[2]
    it(("gives each of %d rows(%s) once and exactly, within 8 MB over idle"):format(count, options), function()
      local got = run(count, options)
      local sum = count * (count + 1) / 2
      assert.equal(count, got[1])
      assert.equal(sum, got[2])
      assert.equal(sum * 1000, got[3])
      assert.equal(math.floor(count / 7), got[4])
      -- sanitizers keep freed memory, and say nothing about ours
      if not support.sanitized then assert.is_true(got[5] <= ALLOWED_KIB, got[5] .. " KiB") end
    end)
  end
end)
