local resume = require "scrutinizer.resume"

local ONE, BOTH = { "inbound" }, { "inbound", "outbound" }

-- Directions, what the error says, what is left: of one, of each.
local CASES = {
  { ONE, { offset = 5, remaining = 7 }, { offset = 5, limit = 7 } },
  { ONE, { offset = 0 }, { offset = 0 } },
  { ONE, { offset = 5, remaining = 0 } },
  { ONE, { remaining = 7 } },
  { ONE, { offset = -1 } },
  { ONE, { offset = 1.5 } },
  { ONE, { offset = 5, remaining = "7" } },
  { ONE, {} },
  { ONE, { inbound = { offset = 5 } }, nil, { inbound = { offset = 5 } } },
  { BOTH, { inbound = { offset = 5, remaining = 7 }, outbound = { offset = 1 } }, nil,
    { inbound = { offset = 5, limit = 7 }, outbound = { offset = 1 } } },
  { BOTH, { outbound = { offset = 1 } }, nil, { outbound = { offset = 1 } } },
  { BOTH, { inbound = { offset = 5, remaining = 0 }, outbound = { offset = 1 } }, nil, { outbound = { offset = 1 } } },
  { BOTH, { offset = 5 } },
  { BOTH, { inbound = 5 } },
}

describe("resume", function()
  for i, case in ipairs(CASES) do
    it("reads case " .. i, function()
      local one, each = resume.rest(case[1], case[2])
      assert.same(case[3], one)
      assert.same(case[4], each)
    end)
  end
end)
