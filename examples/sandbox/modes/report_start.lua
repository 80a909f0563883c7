-- rm=report_start: the length of a report's buckets. The rest of report_object is assumed to be the request with defaults filled in.
local check = require "sandbox.report.check"
local json = require "sandbox.http.json"
local reply = require "sandbox.http.reply"

local mode = { fields = { "report_data" } }

function mode.run(request, options, sink)
  if options.report_start == "unknown" then error({ err = "Run mode 'report_start' is not known." }, 0) end
  local spec, rpt = check.start(request, options)
  local function number(value) return options.numbers == "numbers" and value or ("%.0f"):format(value) end
  local object = {}
  for _, name in ipairs { "reportTypeLang", "reportDirections", "times", "filters" } do object[name] = json.plain(rpt.value[name]) end
  local kind = options.report_start
  if kind == "both" or kind == "seconds" then object.graphView = { graphGranularity = { seconds = number(spec.bucket) } } end
  object.dataGranularity = { selected = rpt.value.dataGranularity and json.plain(rpt.value.dataGranularity).selected or "auto" }
  if kind == "both" or kind == "used" then object.dataGranularity.used = number(spec.bucket / 60) end
  reply.send(sink, options, { report_object = object })
end

return mode
