-- One state's work: reports of every kind, over TLS and over plain HTTP, by cursors, gather and aggregates. See host.c.
local number, url, plain, ca, count = ...
local scrutinizer = require "scrutinizer"

local secure = assert(scrutinizer.connect { url = url, token = "t" .. number, tls = { ca_file = ca } })
local open = assert(scrutinizer.connect { url = plain, token = "t" .. number, allow_http = true })

local function check(value, expected)
  if value ~= expected then error(("thread %d: %s instead of %s"):format(number, tostring(value), tostring(expected)), 2) end
end

local done, kinds = 0, {}

kinds[1] = function(client)
  local sum = 0
  for row in client:report("host2host"):range("LastHour"):rows() do sum = sum + row.sum_octetdeltacount end
  check(sum, 6000)
  return 1
end

kinds[2] = function(client)
  local list, failed = client:gather {
    client:report("host2host"):range "LastHour", client:report("host2host"):last("1h"):select("sourceipaddress"), concurrency = 2,
  }
  check(failed, 0)
  check(#list[1].rows + #list[2].rows, 6)
  return 2
end

kinds[3] = function(client)
  local groups = assert(client:report("host2host"):range("LastHour"):aggregate { by = { "sourceipaddress" }, sum = { "sum_octetdeltacount" } })
  check(#groups, 3)
  return 1
end

while done < tonumber(count) do
  local client = done % 5 == 0 and secure or open
  done = done + kinds[done % #kinds + 1](client)
  if done % 97 == 0 then -- a client that nobody closes, and one refused
    assert(scrutinizer.connect { url = url, token = "x", tls = { ca_file = ca } }):report("host2host"):range("LastHour"):first()
    local _, err = assert(scrutinizer.connect { url = "https://127.0.0.1:1", token = "x", retry = false }):ping()
    check(err.kind, "connect")
    collectgarbage()
  end
end
secure:close()
open:close()
