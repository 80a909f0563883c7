-- rm=report_api, action=get: a flow report.
local answer = require "sandbox.report.answer"
local check = require "sandbox.report.check"
local columns = require "sandbox.report.columns"
local custom_rows = require "sandbox.report.custom_rows"
local report = require "sandbox.report.run"

local mode = { fields = { "rpt_json", "data_requested" } }

local function results(spec)
  local made_up = custom_rows.size(spec.type)
  if not made_up and not columns.types[spec.type] then
    local sentence = spec.type:find "^custom_" and "There is no such report: '%s'." or "Report type '%s' is not known."
    error({ report = sentence:format(spec.type) }, 0)
  end
  if spec.from >= spec.to and spec.options.empty_window == "error" then error({ report = "The report's time range is empty." }, 0) end
  local list = {}
  for i, wanted in ipairs(spec.directions) do
    local result = made_up and custom_rows.run(spec, wanted, made_up) or report.run(spec, wanted)
    result.direction, result.graph, result.no_table = wanted.name, wanted.graph, wanted.no_table
    list[i] = result
  end
  return list
end

function mode.run(request, options, sink)
  local action = request.value.action
  if not action then request:violate("missing field", "the form field action") end
  if action and action ~= "get" then error({ err = ("Action '%s' is not known."):format(action) }, 0) end
  local spec = check.report(request, options)
  answer.write(sink, spec, results(spec), request.id)
end

return mode
