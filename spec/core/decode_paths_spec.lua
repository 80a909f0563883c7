-- Whole texts are read in one go where nothing is out of the ordinary, and by the push scanner where utf8 is looked at: both must say the same.

local core = require "scrutinizer.core"

local SEEDS = {
  [[{"a":[1,-2,3.5,-0,0,1e3,12345678901234567890,123456789012345678,-123456789012345678,9007199254740993],"b":{"c":null,"d":true,"e":false}}]],
  [[ [ "plain", "a \"quote\"", "\u20ac\ud83d\ude00", "\ud83d", "\ud83d\ud83d\ude00", "\ude00\u0041", "\/\b\f\n\r\t\\", "" , {} , [] ] ]],
  [[{"same":"value","list":[{"same":"value"},{"same":"value","more":"value"},{"same":"valu"},{"a":1,"a":2,"a":null}]}]],
  [["a text of more than forty bytes that no table of short strings holds\n, twice as long as that, and with an escape near its end\u00e9"]],
  '[[[[[["deep"]]]]],{"x":{"y":{"z":[{"w":0.1}]}}}]',
  "\239\187\191[1]", "1", '"x"', "null", "-1.5e-7", "",
}
local BYTES = { '"', "\\", "{", "}", "[", "]", ":", ",", " ", "\n", "0", "1", "-", ".", "e", "+", "t", "u", "n", "\0", "\31", "a", "\127" }

-- A value as text, arrays told from objects, integers from floats.
local function show(value)
  if type(value) ~= "table" then
    return (math.type and math.type(value) or type(value)) .. (value == 0 and 1 / value < 0 and "-" or "") .. tostring(value)
  end
  local parts = {}
  for key, item in pairs(value) do parts[#parts + 1] = show(key) .. "=" .. show(item) end
  table.sort(parts)
  return (getmetatable(value) == core.array_mt and "[" or "{") .. table.concat(parts, ",") .. "}"
end

local function outcome(text, options)
  local value, kind, message, position = core.decode(text, options)
  return kind and ("%s %s %s"):format(kind, message, position) or show(value)
end

local function agree(text)
  for depth = 3, 64, 61 do
    local careful = outcome(text, { utf8 = "replace", max_depth = depth })
    -- A surrogate by itself is no UTF-8: looked at, it is replaced.
    if not text:find "\\u" then assert.equal(careful, outcome(text, { max_depth = depth }), text) end
    assert.equal((careful:match "^%l+ %l.* %d+$"), (outcome(text, { max_depth = depth }):match "^%l+ %l.* %d+$"), text)
  end
end

describe("decode", function()
  it("reads a text in one go as it reads it token by token", function()
    for _, text in ipairs(SEEDS) do agree(text) end
  end)

  it("finds the same mistakes, at any byte", function()
    for _, text in ipairs(SEEDS) do
      for at = 1, #text do
        agree(text:sub(1, at - 1))
        for _, byte in ipairs(BYTES) do
          agree(text:sub(1, at - 1) .. byte .. text:sub(at + 1))
          agree(text:sub(1, at - 1) .. byte .. text:sub(at))
        end
      end
    end
  end)

  it("decodes escapes wherever they stand in a text", function()
    for length = 0, 2100, 7 do
      local plain = ("x"):rep(length)
      local text = core.decode('["' .. plain .. '\\u20ac\\ud83d\\ude00\\n' .. plain .. '\\ud83d\\ud83d\\ude00\\\\"]')[1]
      assert.equal(plain .. "\226\130\172\240\159\152\128\n" .. plain .. "\237\160\189\240\159\152\128\\", text)
    end
  end)
end)
