-- What the appliance says where something failed, as any JSON value with any bytes: a refusal stays one, and is shown. Looked for in: `err` with
-- `details` and `msg` (plain calls, rows, aggregate, series, HTTP 403 and 500), report.error, items' errors, sentences and what is said beside them,
-- rules' warnings, names in answers, rows of an overlap.

local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local client, token

before_each(function()
  support.clear()
  client = support.connect()
  token = support.sandbox().token
end)

after_each(function()
  support.clear()
  client:close()
end)

-- The next answers, one after the other: JSON texts, or { text, HTTP status }.
local function answers(...)
  local list = {}
  for i, one in ipairs { ... } do
    local body, status = one, 200
    if type(one) == "table" then body, status = one[1], one[2] end
    list[i] = { kind = "status", status = status, content_type = "application/json", body = body }
  end
  support.faults(list)
end

local function filled(pattern, value)
  return (pattern:gsub("%%s", function() return value end))
end

-- JSON texts of values, and what of them must be seen.
local BYTE = "\255"
local function values()
  return {
    { '{"a":"x' .. BYTE .. 'y"}', '{"a":"x\\xFFy"}' }, { '["x' .. BYTE .. '"]', '["x\\xFF"]' }, { '"x' .. BYTE .. '"', "x\\xFF" },
    { '{"k' .. BYTE .. '":1}', '{"k\\xFF":1}' }, { '{"a":{"b":[{"c":"\195"}]}}', '{"a":{"b":[{"c":"\\xC3"}]}}' },
    { '{"a":"\237\160\128"}', '{"a":"\\xED\\xA0\\x80"}' }, { '{"a":"\\u0001\\u007f"}', '{"a":"\\u0001\\u007f"}' }, { "7", "7" }, { "1.5", "1.5" },
    { "18446744073709551615", "18446744073709551615" }, { "1e15", "1000000000000000" }, { "true", "true" }, { "false", "false" }, { "{}", "{}" },
    { "[]", "[]" }, { "[null]", "[null]" }, { '{"a":null}', '{"a":null}' }, { '""', "" }, { '"\\u001b[2J\\n"', "\\x1B[2J\\x0A" },
    { ("["):rep(50) .. '"' .. BYTE .. '"' .. ("]"):rep(50), '[["\\xFF"]]' }, { '{"a":"' .. ("long "):rep(3000) .. BYTE .. '"}', '{"a":"long long ' },
    { '{"a":"' .. BYTE .. " " .. token .. '","' .. token .. '":1}', '"a":"\\xFF ***"' },
    { '"\195\169t\195\169"', "\195\169t\195\169" },
  }
end

local function must_say(said, part, json)
  assert.equal("string", type(said))
  assert.is_truthy(said:find(part, 1, true), ("%s: %s lacks %s"):format(json:sub(1, 60), said, part))
  for _, wrong in ipairs { "table:", "userdata", "0x", "nil", token } do assert.is_nil(said:find(wrong, 1, true), said) end
  assert.is_nil(said:find "[%c\127]", said)
  assert.is_true(#said < 2100)
end

local function refused(value, err, kinds, part, json)
  assert.is_nil(value)
  assert.is_true(require "scrutinizer.errors".is(err), tostring(err))
  assert.is_truthy(kinds:find(err.kind, 1, true), err.kind)
  must_say(err.message, part, json)
end

local function report() return client:report("host2host"):last(3600) end

describe("a refusal", function()
  it("is one, whatever stands under err: in a plain call, under another status, beside a code and words", function()
    for _, case in ipairs(values()) do
      local said, seen = '{"err":' .. case[1] .. "}", #case[1] < 1000
      answers(said, { said, 500 }, { filled('{"err":"oauthFailure","msg":%s}', case[1]), 403 }, filled('{"err":"no","details":%s}', case[1]))
      local ok, err = client:ping()
      refused(ok, err, "api", case[2], case[1])
      ok, err = client:ping()
      refused(ok, err, "http", seen and case[2] or "HTTP ", case[1]) -- of an error's body the beginning is read
      ok, err = client:ping()
      refused(ok, err, "auth", seen and case[2] or "", case[1])
      ok, err = client:call { rm = "x", action = "y" }
      refused(ok, err, "api", "no", case[1])
    end
  end)

  it("is one in a report, whoever reads it", function()
    local ways = {
      function() return report():fetch() end, function() return report():first() end, function() return report():rows():next() end,
      function() return report():aggregate { sum = { "sum_octetdeltacount" } } end, function() return report():granularity(5):series() end,
    }
    for i, case in ipairs(values()) do
      answers(filled('{"err":%s}', case[1]), filled('{"report":{"error":%s}}', case[1]))
      for _ = 1, 2 do
        local value, err = ways[i % #ways + 1]()
        refused(value, err, "api", case[2], case[1])
      end
    end
  end)

  it("is one in the decoder by itself", function()
    for _, case in ipairs(values()) do
      local decoder = scrutinizer.decoder()
      assert(decoder:feed('{"err":' .. case[1] .. "}"))
      local ok, err = decoder:finish()
      assert.is_nil(ok)
      assert.equal("api", err.kind)
      if not case[1]:find(token, 1, true) then must_say(err.message, case[2], case[1]) end
    end
  end)

  it("is none where err is null", function()
    answers '{"err":null,"data":[]}'
    assert.is_table(client:call { rm = "x", action = "y" })
  end)
end)

describe("an item's error", function()
  -- Each call with an answer that says the value of one item, or beside all.
  local CALLS = {
    ["users:create"] = { function() return client.users:create { { name = "ann", password = "S3cret-pass" } } end,
      '{"data":[{"name":"ann","error":%s}]}' },
    ["users:create, no entry"] = { function() return client.users:create { { name = "ann", password = "S3cret-pass" } } end, '{"data":[%s]}' },
    ["users:rename"] = { function()
      local result, err = client.users:rename("ann", "bob")
      return result and { result }, err
    end, '{"data":{"message":%s}}' },
    ["users:delete"] = { function() return client.users:delete { 7 } end, '{"data":[%s]}' },
    ["users:set_preferences"] = { function() return client.users:set_preferences(3, { language = "x" }) end,
      '{"data":{"updated":[],"errors":[%s]}}' },
    ["groups:add_members"] = { function() return client.groups:add_members { { user = "ann", group = "g" } } end,
      '{"data":{"added":[],"errors":%s}}' },
    ["device_groups:create"] = { function()
      local result, err = client.device_groups:create "g"
      return result and { result }, err
    end, '{"lbl":%s}' },
  }

  for name, case in pairs(CALLS) do
    it("is shown, whatever it is: " .. name, function()
      local bodies = {}
      for i, value in ipairs(values()) do bodies[i] = filled(case[2], value[1]) end
      answers((table.unpack or unpack)(bodies))
      for _, value in ipairs(values()) do
        local list, err = case[1]()
        if list then
          assert.equal(1, #list)
          assert.equal("string", type(list[1].error), value[1]:sub(1, 80))
          for _, wrong in ipairs { "table:", "userdata", "nil", token, "S3cret-pass" } do
            assert.is_nil(list[1].error:find(wrong, 1, true), list[1].error)
          end
          assert.is_nil(list[1].error:find "[%c\127]")
          assert.is_true(#list[1].error < 1100)
          -- A list of errors under `errors` is that of each; a list that is empty says nothing.
          if value[1]:find(BYTE, 1, true) and #value[1] < 1000 then assert.is_truthy(list[1].error:find("\\xFF", 1, true), list[1].error) end
        else
          assert.equal("decode", err.kind)
        end
      end
    end)
  end

  it("shows secrets of the call as ***, also inside of objects with broken bytes", function()
    answers('{"data":[{"name":"ann","error":{"' .. BYTE .. 'S3cret-pass":["S3cret-pass' .. BYTE .. '"]}}]}')
    local list = assert(client.users:create { { name = "ann", password = "S3cret-pass" } })
    assert.equal('{"\\xFF***":["***\\xFF"]}', list[1].error)
  end)
end)

describe("a warning about rules", function()
  it("is shown, whatever it is", function()
    local bodies = {}
    for i, value in ipairs(values()) do
      bodies[i] = '{"fc_id":7,"fc_name":"g","rules":[],"warnings":[' .. value[1] .. ',{"a":"10.0.0.1 ' .. BYTE .. '"}]}'
    end
    answers((table.unpack or unpack)(bodies))
    for _ = 1, #bodies do
      local group, err = client.ip_groups:create("g", { "10.0.0.1" })
      local text = group and group.rules and group.rules[1].error or err and err.message or "none"
      for _, wrong in ipairs { "table:", "userdata", "0x", token } do assert.is_nil(text:find(wrong, 1, true), text) end
      if group then assert.is_truthy(text:find("10.0.0.1 \\xFF", 1, true), text) end
    end
  end)
end)

describe("a row that two pages share", function()
  it("may have any value in cells that nobody reads", function()
    local function page(rows)
      return '{"report":{"table":{"inbound":{"columns":[{"elementName":"a"},{"elementName":"b"}],"rows":[' .. rows .. '],"totalRowCount":"3"}}}}'
    end
    local function row(a, b) return ('[{"rawValue":"%s"},{"rawValue":%s}]'):format(a, b) end
    local odd = '{"x' .. BYTE .. '":["' .. BYTE .. '"]}'
    support.faults {
      { kind = "status", status = 200, content_type = "application/json", body = page(row("1", odd) .. "," .. row("2", odd)) },
      { kind = "status", status = 200, content_type = "application/json", body = page(row("2", odd) .. "," .. row("3", odd)) },
    }
    local list, err = support.walk(report():select "a")
    assert.is_nil(err)
    assert.same({ { a = "1" }, { a = "2" }, { a = "3" } }, list)
  end)
end)
