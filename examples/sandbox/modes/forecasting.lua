-- rm=forecasting: one invented forecast for two hosts: one day of training values, one day of expected values.
local fields = require "sandbox.http.fields"
local json = require "sandbox.http.json"
local reply = require "sandbox.http.reply"

local mode = { fields = { "view", "forecast_id" } }
local views = {}
local START, STEP = 1772323200, 21600

function views.table()
  return { rows = reply.list { reply.list { { type = "forecast_id", title = "7" }, { type = "description", title = "Top hosts, next day" } },
    reply.list { { type = "select", title = "" }, { type = "forecast_id", title = "8" }, { type = "description", title = "Uplinks" } } } }
end

local function check_id(request)
  if request.value.forecast_id ~= "7" then error({ err = "No such forecast." }, 0) end
end

function views.summary(request)
  check_id(request)
  local function row(rank, host, expected)
    return reply.list { { Rank = { label = rank } }, { sourceipaddress = { label = host } }, { max_forecast_time = START + 5 * STEP },
      { upper_bound = tostring(expected * 2) }, { expected_value = tostring(expected) } }
  end
  return { inbound_rows = reply.list { row("1", "192.168.1.104", 5000), row("2", "192.168.1.20", 700) } }
end

function views.forecast_data(request)
  check_id(request)
  local list = reply.list()
  for rank = 1, 2 do
    for i = 0, 7 do
      local mean = 1000 * rank + i
      list[#list + 1] = { target = ("%d-inbound"):format(rank), intervaltime = ("%d"):format(START + i * STEP), mean = ("%d.5"):format(mean),
        conf_upper = i > 3 and mean * 2 or json.null, conf_lower = i > 3 and mean / 2 or json.null, record_type = i > 3 and "forecast" or "train" }
    end
  end
  return { rows = list }
end

function mode.run(request, options, sink)
  local view = fields.word(request, "view", { "table", "summary", "forecast_data" })
  if not view then error({ err = "No such view of forecasting." }, 0) end
  reply.send(sink, options, views[view](request))
end

return mode
