-- Each field of a report's JSON that a query knows has a method that sets it, is sent, is in the query's text, and is read back from pasted JSON.
local scrutinizer = require "scrutinizer"
local wire = require "scrutinizer.wire"

local function base()
  local client = scrutinizer.connect { url = "https://127.0.0.1:1", token = "t" }
  return client, client:report("host2host"):between(1767225600, 1767229200)
end

-- For each name in `wire.field`: the method that sets it, and a value that is not the default.
local SET = {
  type = function(_, client) return client:report("tos"):between(1767225600, 1767229200) end,
  directions = function(query) return query:outbound() end,
  times = function(query) return query:between(1767225600, 1767232800) end,
  granularity = function(query) return query:granularity(5) end,
  filters = function(query) return query:filter("sdfIps", "in_10.1.1.1_Both") end,
  rate_total = function(query) return query:total() end,
  unit = function(query) return query:percent() end,
  data_format = function(query) return query:raw() end,
  data_mode = function(query) return query:data_mode "raw_flows" end,
  order_by = function(query) return query:order_by "sum_octetdeltacount" end,
  others = function(query) return query:others(false) end,
}

describe("a report option", function()
  for name, field in pairs(wire.field) do
    it("is known wherever one is: " .. name, function()
      assert.is_function(SET[name], "the method that sets it, in this spec")
      local client, plain = base()
      local query = SET[name](plain, client)
      local sent, sent_before = query:request().rpt_json, plain:request().rpt_json
      assert.not_same(scrutinizer.decode(sent_before)[field], scrutinizer.decode(sent)[field])
      assert.not_equal(tostring(plain), tostring(query))
      local pasted = client:report_from(sent)
      assert.same({}, pasted._spec.fields)
      assert.equal(sent, pasted:request().rpt_json)
    end)
  end
end)
