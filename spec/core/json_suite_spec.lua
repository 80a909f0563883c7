-- JSONTestSuite: what must be accepted (y_), what must be refused (n_), and what may be either (i_), by every way that JSON is read here.

local answers = require "spec.answers"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local FOLDER = "spec/json_test_suite/"
local LUA = os.getenv "SCRUTINIZER_LUA" or "lua5.4"
local OUT = os.getenv "OUT" or "build/" .. LUA
local BOM = "\239\187\191"
local SCAN = "env -u LD_PRELOAD -u MAKEFLAGS -u MAKELEVEL make -s scan-host OUT=%s LUA=%s 2>&1 && env -u LD_PRELOAD %s/scan_host %s*.json 2>&1"

local files, texts = { y = {}, n = {}, i = {} }, {}
for name in support.shell("ls " .. FOLDER):gmatch "%C+" do
  local prefix = name:match "^([yni])_.*%.json$"
  if prefix then
    local file = assert(io.open(FOLDER .. name, "rb"))
    texts[name] = file:read "*a"
    file:close()
    table.insert(files[prefix], name)
  end
end

local function each(prefixes, visit)
  for prefix in prefixes:gmatch "%l" do
    for _, name in ipairs(files[prefix]) do visit(name, texts[name], prefix) end
  end
end

describe("JSONTestSuite", function()
  it("is whole", function()
    assert.same({ 95, 188, 35 }, { #files.y, #files.n, #files.i })
  end)
end)

describe("JSONTestSuite: decode", function()
  it("accepts what must be accepted, however UTF-8 is looked at", function()
    each("y", function(name, text)
      local plain, err = scrutinizer.decode(text)
      assert.is_nil(err, name)
      assert.is_not_nil(plain, name)
      for _, utf8 in ipairs { "replace", "error" } do -- token by token
        local value
        value, err = scrutinizer.decode(text, { utf8 = utf8 })
        if not text:find "\\u[dD][89a-fA-F]" then -- half a pair is no UTF-8
          assert.is_nil(err, name)
          assert.same(plain, value, name)
        end
      end
    end)
  end)

  it("refuses what must be refused, and says where", function()
    each("n", function(name, text)
      local first
      for _, utf8 in ipairs { "pass", "replace", "error" } do
        local value, err = scrutinizer.decode(text, { utf8 = utf8 })
        assert.is_nil(value, name)
        assert.is_true(errors.is(err), name)
        assert.is_truthy(err.kind == "decode" or err.kind == "truncated" or err.kind == "limit", name)
        assert.is_true(err.position >= 0 and err.position <= #text, name)
        first = first or err
        if utf8 ~= "error" then assert.same({ first.kind, first.position }, { err.kind, err.position }, name) end
      end
    end)
  end)

  it("gives a value or an error where either is right", function()
    each("i", function(name, text)
      for _, utf8 in ipairs { "pass", "replace", "error" } do
        local value, err = scrutinizer.decode(text, { utf8 = utf8 })
        assert.is_true(value ~= nil or errors.is(err), name)
      end
    end)
  end)
end)

describe("JSONTestSuite: the push scanner", function()
  local said = {}

  setup(function()
    local out = support.shell(SCAN:format(OUT, LUA, OUT, FOLDER))
    for line in out:gmatch "%C+" do
      local name, verdict = line:match "([^/ ]+) (%l+)"
      said[name or line] = verdict
    end
  end)

  it("says the same whole, cut at every byte, and of values that are skipped", function()
    each("yn", function(name, _, prefix) assert.equal(prefix == "y" and "accepts" or "refuses", said[name], name) end)
    each("i", function(name) assert.is_truthy(said[name] == "accepts" or said[name] == "refuses", name) end)
  end)
end)

-- A case as a value in an answer; what else stands there is whole.
local PLACES = {
  { "that nobody reads", '{"unread":%s,"report":{"table":[]}}' },
  { "that is kept", '{"report":{"time_details":%s,"table":[]}}' },
  { "in a cell", '{"report":{"table":{"inbound":{"columns":[{"elementName":"a"}],"rows":[[{"unread":%s,"rawValue":"1"}]]}}}}' },
  { "in a cell that is skipped", '{"report":{"table":{"inbound":{"columns":[{"elementName":"b"},{"elementName":"a"}],"rows":'
    .. '[[{"unread":%s},{"rawValue":"1"}]]}}}}' },
  { "in a row like those before it", '{"report":{"table":{"inbound":{"columns":[{"elementName":"a"}],"rows":[[{"unread":"x","rawValue":"1"}],'
    .. '[{"unread":"yy","rawValue":"2"}],[{"unread":"z","rawValue":"3"}],[{"unread":%s,"rawValue":"4"}]]}}}}' },
  { "in rows that wait for their columns", '{"report":{"table":{"inbound":{"rows":[[{"unread":%s,"rawValue":"1"}]],'
    .. '"columns":[{"elementName":"a"}]}}}}' },
}

local CAPS = { inbound = true, max_body = 2 ^ 50, max_depth = 72, max_row = 2 ^ 20, max_held = 2 ^ 26, projection = { { field = "a", column = "a",
  optional = true } } }

-- Feeds the pieces; gives true, or the error's kind and position.
local function read(pieces)
  local decoder = core.decoder(CAPS)
  local good, kind, _, position = true, nil, nil, nil
  for i = 1, #pieces do
    good, kind, _, position = decoder:feed(pieces[i])
    if not good then break end
    while decoder:next() do good = true end
  end
  if good then good, kind, _, position = decoder:finish() end
  decoder:close()
  if good then return true end
  return kind, position
end

describe("JSONTestSuite: an answer", function()
  for _, place in ipairs(PLACES) do
    it("is refused with a bad value " .. place[1] .. ", whole and in pieces", function()
      each("yn", function(name, text, prefix)
        local from = place[2]:find("%s", 1, true)
        local whole = place[2]:sub(1, from - 1) .. text:gsub("^" .. BOM, "") .. place[2]:sub(from + 2)
        local verdict, position = read { whole }
        if prefix == "y" then assert.is_true(verdict, name) else assert.is_string(verdict, name) end
        local function agree(pieces)
          local kind, at = read(pieces)
          if kind ~= verdict or at ~= position then
            error(("%s: %s at %s, in pieces %s at %s"):format(name, tostring(verdict), tostring(position), tostring(kind), tostring(at)))
          end
        end
        local last = position and math.min(position + 1, #whole) or from + #text
        for cut = from - 1, last, support.sanitized and 5 or 1 do agree { whole:sub(1, cut), whole:sub(cut + 1) } end
        if #whole < 1000 then agree(answers.bytes(whole)) end
      end)
    end)
  end
end)

describe("a value that is skipped", function()
  it("may hold what the grammar allows and a reader might not like", function()
    for _, value in ipairs {
      '"\128\255"', '"\\ud800"', '"\\udc00\\ud800"', '{"a":1,"a":2}', '{"\255":1,"rows":1,"rows":2}', "1e999", "-1e-999", ("9"):rep(500),
    } do
      for i, place in ipairs(PLACES) do
        if i ~= 2 then -- that one is kept
          local whole = place[2]:gsub("%%s", function() return value end)
          assert.is_true((read { whole }), whole)
          assert.is_true((read(answers.bytes(whole))), whole)
        end
      end
    end
  end)
end)
