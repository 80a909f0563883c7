-- A task keeps a list of the sources with the most traffic in the last minutes. An action delays or denies their requests. A service returns
-- a report from the appliance as CSV.
local scrutinizer = require "scrutinizer"

local EVERY, WINDOW = 30, "5m"              -- seconds between two reports; the time they cover
local LIST = 200                            -- number of sources in the list
local SLOW, DENY = 50e6, 500e6              -- octets in the window: from here on a source is delayed, denied
local DELAY = 250                           -- milliseconds of delay for a slow source
local OLD = 300                             -- seconds after which a list is ignored

SLOW = tonumber(os.getenv "HEAVY_SLOW") or SLOW
DENY = tonumber(os.getenv "HEAVY_DENY") or DENY
WINDOW = os.getenv "HEAVY_WINDOW" or WINDOW

-- This runs while HAProxy reads its configuration: the process is still root, can read all files and may start threads. So `connect` reads the
-- CA and `warm` resolves the appliance's name now; later neither is possible.
-- HAProxy shows only errors that are texts.
local function need(value, err) return value or error(tostring(err)) end
local client = need(scrutinizer.connect { tls = { ca_file = os.getenv "SCRUTINIZER_CA" }, timeout = 120 })
need(client:warm())

local sources = client:report("srcHosts"):last(WINDOW):select { address = "sourceipaddress", octets = "sum_octetdeltacount" }

-- The task's result: octets by address, and its time. Each run makes a new table, so that readers never see an incomplete one.
local heavy = { octets = {}, at = 0 }

core.register_task(function()
  while true do
    local octets = {}
    local report, err = sources:limit(LIST):fetch()
    if report then
      for _, row in ipairs(report.rows) do octets[row.address] = row.octets end
      heavy = { octets = octets, at = os.time() }
    else
      core.Warning("the heaviest sources stay as they were: " .. tostring(err)) -- this goes into HAProxy's log
    end
    core.msleep(EVERY * 1000)
  end
end)

-- http-request lua.weigh
core.register_action("weigh", { "http-req" }, function(txn)
  local known = heavy
  -- Behind another proxy, take the client's address from that proxy (PROXY protocol or a header), but only if you trust it.
  local address = txn.f:src()
  local octets = os.time() - known.at <= OLD and known.octets[address] or 0
  if octets >= DENY then
    txn:set_var("txn.heavy", "deny")
  elseif octets >= SLOW then
    txn:set_var("txn.heavy", "slow")
    core.msleep(DELAY)
  else
    txn:set_var("txn.heavy", "")
  end
end)

local function quoted(value)
  local text = tostring(value or "")
  return text:find '[",\r\n]' and '"' .. text:gsub('"', '""') .. '"' or text
end

-- http-request use-service lua.heaviest_csv: GET /heaviest.csv?minutes=60
core.register_service("heaviest_csv", "http", function(applet)
  local minutes = tonumber((applet.qs or ""):match "minutes=(%d+)") or 60
  local rows = client:report("srcHosts"):last(math.max(1, math.min(minutes, 1440)) * 60):limit(1000)
    :select { address = "sourceipaddress", octets = "sum_octetdeltacount", packets = "sum_packetdeltacount" }:rows()
  local row, err = rows:next() -- before the status is sent, so that a failure can set it
  applet:set_status(err and 502 or 200)
  applet:add_header("content-type", err and "text/plain" or "text/csv; charset=utf-8")
  applet:start_response()
  if err then return applet:send("the appliance could not be asked: " .. err.kind .. "\n") end
  applet:send "address,octets,packets\r\n"
  while row do
    applet:send(("%s,%s,%s\r\n"):format(quoted(row.address), quoted(row.octets), quoted(row.packets)))
    row, err = rows:next()
  end
  -- The last line shows whether the list is complete.
  applet:send(err and "# broken off\r\n" or "# end\r\n")
end)
