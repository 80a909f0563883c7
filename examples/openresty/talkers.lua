-- A customer's top talkers. At most one report per minute is sent to the appliance; all workers and requests share the answer.
local cjson = require "cjson.safe"
local scrutinizer = require "scrutinizer"

local customers = require "customers"

local talkers = {}

local ROWS, FRESH, STALE, PATIENCE = 10, 60, 600, 20 -- rows; seconds: answer is fresh, answer is usable, longest wait
local MINUTES = { [15] = true, [60] = true, [1440] = true }
local REFRESHED = { 60 } -- minutes: the windows that the timer keeps fresh

-- Created once, when nginx starts. Each worker has its own connections.
local client = assert(scrutinizer.connect {
  tls = { ca_file = os.getenv "SCRUTINIZER_CA" },
  retry = { attempts = 2, deadline = PATIENCE }, timeout = PATIENCE,
})

-- Asks the appliance. Returns JSON text, or nil and err.
local function ask(customer, minutes)
  local query = client:report("srcHosts"):last(minutes * 60):where { network = customer.networks }:limit(ROWS)
    :select { address = "sourceipaddress", label = "sourceipaddress.label", octets = "sum_octetdeltacount" }
  local report, err = query:fetch()
  if not report then return nil, err end
  local rows = {}
  for i, row in ipairs(report.rows) do
    -- Octets as text, because JavaScript rounds large numbers. Those that LuaJIT would round are text already.
    local octets = type(row.octets) == "string" and row.octets or ("%.0f"):format(row.octets)
    rows[i] = { address = row.address, label = row.label, octets = octets }
  end
  return cjson.encode {
    customer = customer.name, minutes = minutes, hosts = report.total, at = os.time(),
    rows = #rows > 0 and rows or cjson.empty_array,
  }
end

-- Asks and stores the answer. Only one request at a time asks for the same report; for the others it returns nil.
local function refresh(name, minutes)
  local kept, key = ngx.shared.talkers, name .. ":" .. minutes
  if not kept:add(key .. ":asking", true, PATIENCE + 5) then return nil end
  local text, err = ask(customers[name], minutes)
  if text then
    kept:set(key, text, STALE)
    kept:set(key .. ":new", true, FRESH)
  end
  kept:delete(key .. ":asking")
  return text, err
end

-- Returns a fresh answer from the store, else asks; while another request asks, returns the old answer, or waits if there is none.
local function answer(name, minutes)
  local kept, key = ngx.shared.talkers, name .. ":" .. minutes
  local text = kept:get(key)
  if text and kept:get(key .. ":new") then return text, nil, "hit" end
  local asked, err = refresh(name, minutes)
  if asked then return asked, nil, "miss" end
  if text then return text, nil, "stale" end
  if err then return nil, err end
  for _ = 1, PATIENCE * 20 do -- another request is asking: wait for its answer
    ngx.sleep(0.05)
    text = kept:get(key)
    if text then return text, nil, "shared" end
  end
  return nil, { kind = "timeout", message = "the appliance takes too long" }
end

local function say(status, text, how)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.header["X-Content-Type-Options"] = "nosniff"
  ngx.header["X-Cache"] = how
  ngx.print(text)
end

--- GET /talkers?customer=home&minutes=60
function talkers.serve()
  local name, minutes = ngx.var.arg_customer or "", tonumber(ngx.var.arg_minutes or 60)
  if not customers[name] then return say(404, cjson.encode { error = "no such customer" }) end
  if not MINUTES[minutes] then return say(400, cjson.encode { error = "minutes must be 15, 60 or 1440" }) end
  local text, err, how = answer(name, minutes)
  if text then return say(200, text, how) end
  ngx.log(ngx.ERR, "top talkers of ", name, ": ", tostring(err))
  say(err.kind == "timeout" and 504 or 502, cjson.encode { error = "the appliance could not be asked", kind = err.kind })
end

--- GET /customers
function talkers.list()
  local list = {}
  for id, customer in pairs(customers) do list[#list + 1] = { id = id, name = customer.name } end
  table.sort(list, function(a, b) return a.id < b.id end)
  say(200, cjson.encode(list))
end

local function refresh_all(premature)
  if premature then return end -- the worker exits
  for name in pairs(customers) do
    for _, minutes in ipairs(REFRESHED) do
      local _, err = refresh(name, minutes)
      if err then ngx.log(ngx.WARN, "top talkers of ", name, " stay as they were: ", tostring(err)) end
    end
  end
end

--- In one worker: refreshes the answers by a timer before they are old.
function talkers.keep_fresh()
  if ngx.worker.id() ~= 0 then return end
  assert(ngx.timer.at(0, refresh_all))
  assert(ngx.timer.every(FRESH - 10, refresh_all))
end

return talkers
