-- scrutinizer.decode: one whole JSON text to its exact value.

local wire = require "scrutinizer.wire"
local answers = require "spec.answers"
local cjson = require "cjson"
local errors = require "scrutinizer.errors"
local scrutinizer = require "scrutinizer"

local decode, null = scrutinizer.decode, scrutinizer.null
local HAS_INTEGERS = math.type ~= nil
local SANITIZED = os.getenv "SCRUTINIZER_SANITIZED"

local function refused(text, kind, position, pattern, options)
  local value, err = decode(text, options)
  assert.is_nil(value)
  assert.is_true(errors.is(err))
  assert.equal(kind, err.kind)
  if position then assert.equal(position, err.position) end
  if pattern then assert.matches(pattern, err.message) end
end

describe("decode: numbers", function()
  local function check_integer(text)
    local value = decode(text)
    if HAS_INTEGERS then
      assert.equal("integer", math.type(value), text)
      assert.equal(text, tostring(value))
    elseif #text < 16 or text == "9007199254740991" or text:find "^%-?9007199254740992$" then
      assert.equal("number", type(value), text)
      assert.equal(text, ("%.0f"):format(value))
    else
      assert.equal(text, value) -- a double would say another number
    end
  end

  local WHOLE = {
    "0", "1", "-1", "10", "4759190101", "9007199254740991", "9007199254740992", "9007199254740993", "-9007199254740992",
    "-9007199254740993", "1000000000000000000", "9223372036854775806", "9223372036854775807", "-9223372036854775807",
    "-9223372036854775808",
  }
  for _, text in ipairs(WHOLE) do
    it("reads " .. text .. " exactly", function() check_integer(text) end)
  end

  local AS_TEXT = {
    "9223372036854775808", "-9223372036854775809", "18446744073709551615", "18446744073709551616", "1" .. ("0"):rep(400),
    "1e999", "-1e999", "1.7976931348623159e308", "1e99999999999999999999", "123456789.5e400",
  }
  for _, text in ipairs(AS_TEXT) do
    it("leaves " .. text:sub(1, 40) .. " its text", function() assert.equal(text, decode(text)) end)
  end

  local ZEROS = ("0"):rep(780)
  -- Text, and what %.17g says of the nearest double.
  local REAL = {
    { "1.0", "1" }, { "-1.0", "-1" }, { "0.1", "0.10000000000000001" }, { "0.3", "0.29999999999999999" },
    { "1e2", "100" }, { "1E2", "100" }, { "1e+2", "100" }, { "1e-2", "0.01" }, { "12.5e1", "125" }, { "0e0", "0" }, { "0.0", "0" },
    { "1e22", "1e+22" }, { "1e23", "9.9999999999999992e+22" }, { "1e-23", "9.9999999999999996e-24" },
    { "1e308", "1e+308" }, { "1.7976931348623157e308", "1.7976931348623157e+308" }, { "2.2250738585072014e-308", "2.2250738585072014e-308" },
    { "2.2250738585072011e-308", "2.2250738585072009e-308" }, { "5e-324", "4.9406564584124654e-324" },
    { "2.4703282292062328e-324", "4.9406564584124654e-324" }, { "2.4703282292062327e-324", "0" }, { "1e-999", "0" },
    { "1e-99999999999999999999", "0" }, { "0e99999999999999999999", "0" }, { "1e00000000000000000002", "100" },
    { "0.30000000000000004", "0.30000000000000004" }, { "9007199254740992.0", "9007199254740992" },
    { "9007199254740993" .. "." .. ZEROS .. "1", "9007199254740994" }, { "9007199254740994.9", "9007199254740994" },
    { "1" .. ZEROS .. "e-780", "1" }, { "0." .. ZEROS .. "1e781", "1" }, { "1" .. ZEROS .. ".0e-781", "0.10000000000000001" },
    { "3.14159265358979323846264338327950288419716939937510582097494459", "3.1415926535897931" },
    { "179769313486231580793e288", "1.7976931348623157e+308" }, { "8.98846567431158e307", "8.9884656743115795e+307" },
  }
  for _, case in ipairs(REAL) do
    it("reads " .. case[1]:sub(1, 40) .. " to the nearest double", function()
      local value = decode(case[1])
      assert.equal("number", type(value))
      if HAS_INTEGERS then assert.equal("float", math.type(value)) end
      assert.equal(case[2], ("%.17g"):format(value))
    end)
  end

  it("reads a whole number written with a point exactly, or keeps its text", function()
    for _, text in ipairs { "9007199254740993.0", "9007199254740993." .. ZEROS .. "0" } do
      local value = decode(text)
      if HAS_INTEGERS then
        assert.equal("integer", math.type(value))
        assert.equal("9007199254740993", tostring(value))
      else
        assert.equal(text, value)
      end
    end
    for _, text in ipairs { "18446744073709551615.0", "-18446744073709551615.000" } do assert.equal(text, decode(text)) end
    assert.equal(2 ^ 64, decode "18446744073709551616.0")
  end)

  it("keeps the sign of zero", function()
    for _, text in ipairs { "-0", "-0.0", "-0e5", "-1e-999" } do
      local value = decode(text)
      if HAS_INTEGERS then assert.equal("float", math.type(value)) end
      assert.equal(-math.huge, 1 / value, text)
    end
    assert.equal(math.huge, 1 / decode "0")
  end)

  -- An installed locale with a decimal comma, or one made for the purpose: what it takes to run Lua in it.
  local function comma_locale(name)
    if os.setlocale(name, "numeric") then
      os.setlocale("C", "numeric")
      return ""
    end
    local folder = os.tmpname()
    os.remove(folder)
    local done = os.execute(("mkdir %s && localedef -i %s -f UTF-8 %s/%s >/dev/null 2>&1"):format(folder, name:match "^[^.]+", folder, name))
    if done == true or done == 0 then return "LOCPATH=" .. folder .. " ", folder end
    os.execute("rm -rf " .. folder)
  end

  it("does not depend on the locale's point", function()
    -- German has a comma; Pashto a point of two bytes.
    for _, name in ipairs { "de_DE.UTF-8", "ps_AF.UTF-8" } do
      local env, folder = nil, nil
      if not SANITIZED then env, folder = comma_locale(name) end -- another process would not have the sanitizer
      if env then
        local script = ([[assert(os.setlocale(%q)); assert(jit or not ("%%.1f"):format(0.5):find "%%."); local d = require "scrutinizer.core".decode;
          local t = d "[1.5,0.1,1e-7,3.14159265358979323846,5e-324,0.30000000000000004,2.25e-300]";
          io.write(tostring(t[1] == 3 / 2 and t[2] == 1 / 10 and t[3] == 1 / 10 ^ 7 and t[4] == math.pi and t[5] > 0
            and t[6] ~= 3 / 10 and t[6] - 3 / 10 < 1e-16 and t[7] > 0))]]):format(name)
        local lua = os.getenv "SCRUTINIZER_LUA" or arg[-1]
        local pipe = assert(io.popen(("%s%s -e '%s'"):format(env, lua, script)))
        local said = pipe:read "*a"
        pipe:close()
        if folder then os.execute("rm -rf " .. folder) end
        assert.equal("true", said, name)
      end
    end
  end)
end)

describe("decode: values", function()
  it("gives literals, and null as one value", function()
    assert.equal(true, decode "true")
    assert.equal(false, decode " false ")
    assert.equal(null, decode "\t\r\n null")
    assert.equal(null, decode '{"a":null}'.a)
    assert.same({ 1, null, 3 }, decode "[1,null,3]")
    assert.equal(3, #decode "[1,null,3]")
  end)

  it("marks arrays, and not objects", function()
    assert.equal(scrutinizer.array_mt, getmetatable(decode "[]"))
    assert.equal(scrutinizer.array_mt, getmetatable(decode "[[]]"[1]))
    assert.is_nil(getmetatable(decode "{}"))
    assert.is_nil(next(decode "{}"))
    assert.is_nil(next(decode "[]"))
  end)

  it("keeps the last of duplicate keys", function()
    assert.same({ a = 3, b = 2 }, decode '{"a":1,"b":2,"\\u0061":3}')
    assert.same({ a = null }, decode '{"a":1,"a":null}')
    assert.same({ a = { c = 1 } }, decode '{"a":{"b":1},"a":{"c":1}}')
  end)

  it("nests", function()
    assert.same({ { a = { {}, { b = { 1, { 2 } } } } }, "x" }, decode '[{"a":[{},{"b":[1,[2]]}]},"x"]')
    assert.same({ [""] = { [""] = "" } }, decode '{"":{"":""}}')
  end)

  it("takes a byte order mark, once and first", function()
    assert.same({ 1 }, decode "\239\187\191[1]")
    refused(" \239\187\191[1]", "decode", 1, "unexpected byte")
    refused("\239\187\191\239\187\191[1]", "decode", 3, "unexpected byte")
    refused("\239\187[1]", "decode", 2, "unexpected byte")
    refused("\239\187\191", "truncated", 3)
  end)

  it("takes a large text", function()
    local n = SANITIZED and 2000 or 100000
    local list = decode("[" .. ('"x",'):rep(n - 1) .. '"y"]')
    assert.equal(n, #list)
    assert.equal("y", list[n])
    local keys = {}
    for i = 1, n do keys[i] = ('"k%d":%d'):format(i, i) end
    local map = decode("{" .. table.concat(keys, ",") .. "}")
    assert.equal(n, map["k" .. n])
  end)
end)

describe("decode: strings", function()
  local ESCAPES = {
    { [["\"\\\/\b\f\n\r\t"]], "\"\\/\b\f\n\r\t" }, { [["\u0041\u00e9\u20AC"]], "A\195\169\226\130\172" },
    { [["\uD83D\uDE00"]], "\240\159\152\128" }, { [["\ud800\udc00\udbff\udfff"]], "\240\144\128\128\244\143\191\191" },
    { [["\u0000"]], "\0" }, { [["a\u0000b"]], "a\0b" }, { [["\uffff\u07ff\u0800"]], "\239\191\191\223\191\224\160\128" },
    { '""', "" }, { [["\\u0041"]], "\\u0041" }, { '"\127"', "\127" }, { '"\195\169"', "\195\169" },
    -- A surrogate without its partner keeps the three bytes that say it.
    { [["\ud800"]], "\237\160\128" }, { [["\udfff!"]], "\237\191\191!" }, { [["\ud800\u0041"]], "\237\160\128A" },
    { [["\ud800\ud800\udc00"]], "\237\160\128\240\144\128\128" }, { [["\udc00\ud800"]], "\237\176\128\237\160\128" },
    { [["\ud800\n"]], "\237\160\128\n" },
  }
  for _, case in ipairs(ESCAPES) do
    it("reads " .. case[1], function()
      assert.equal(case[2], decode(case[1]))
      assert.equal(1, decode("{" .. case[1] .. ":1}")[case[2]])
    end)
  end

  -- Bytes that are not UTF-8, and how many U+FFFD stand for them.
  local BROKEN = {
    { "\255", 1 }, { "\128", 1 }, { "\192\128", 2 }, { "\193\191", 2 }, { "\194", 1 }, { "\224\128\128", 3 }, { "\226\130", 1 },
    { "\237\160\128", 3 }, { "\240\128\128\128", 4 }, { "\240\159\152", 1 }, { "\244\144\128\128", 4 }, { "\245\128\128\128", 4 },
    { "\226\40\161", 1, "(", 1 }, { "\237\159\192", 2 },
  }
  local MARK = "\239\191\189"

  it("passes, replaces or refuses bytes that are not UTF-8", function()
    for _, case in ipairs(BROKEN) do
      local text = '["ok","a' .. case[1] .. 'z"]'
      assert.equal("a" .. case[1] .. "z", decode(text)[2])
      local expected = MARK:rep(case[2]) .. (case[3] and case[3] .. MARK:rep(case[4]) or "")
      assert.equal("a" .. expected .. "z", decode(text, { utf8 = "replace" })[2])
      refused(text, "decode", 6, "not UTF%-8", { utf8 = "error" })
      refused('{"' .. case[1] .. '":1}', "decode", 1, "not UTF%-8", { utf8 = "error" })
    end
  end)

  it("knows broken UTF-8 from good, and its parts, as Python does", function()
    -- Each first byte with second bytes around each bound, and up to two more.
    local file = assert(io.popen [[python3 -c '
for first in range(0x80, 0x100):
    for second in [b"", b"z", b"\x7f", b"\x80", b"\x8f", b"\x90", b"\x9f", b"\xa0", b"\xbf", b"\xc0"]:
        for third in [b"", b"\x80", b"\xbf", b"\xc2"]:
            for fourth in [b"", b"\x80", b"\xbf"]:
                text = b"a" + bytes([first]) + second + third + fourth + b"z"
                print(text.hex(), text.decode("utf-8", "replace").encode().hex())
']])
    local count = 0
    for line in file:lines() do
      local given, wanted = line:match "^(%x+) (%x+)$"
      local function bytes(hex) return (hex:gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end)) end
      given, wanted = bytes(given), bytes(wanted)
      local text = '"' .. given .. '"'
      if decode(text, { utf8 = "replace" }) ~= wanted then assert.equal(line, "replaced otherwise") end
      if (decode(text, { utf8 = "error" }) ~= nil) ~= (given == wanted) then assert.equal(line, "judged otherwise") end
      if (wire.try_encode(given) ~= nil) ~= (given == wanted) then assert.equal(line, "written otherwise") end
      count = count + 1
    end
    file:close()
    assert.equal(128 * 10 * 4 * 3, count)
  end)

  it("reads the escape of every character as Python writes it", function()
    local file = assert(io.popen [[python3 -c '
import sys
for first in range(0, 0x110000, 0x800):
    if first >> 11 != 0x1b and (first < 0x11000 or first % 0x5800 == 0 or first >= 0x10f000):
        text = "".join(chr(i) for i in range(first, first + 0x800))
        units = text.encode("utf-16-be").hex()
        print("".join("\\u" + units[i:i + 4] for i in range(0, len(units), 4)), text.encode().hex())
']])
    local count = 0
    for line in file:lines() do
      local escapes, hex = line:match "^(%S+) (%x+)$"
      local wanted = hex:gsub("%x%x", function(byte) return string.char(tonumber(byte, 16)) end)
      local upper = escapes:gsub("%x%x%x%x", string.upper)
      if decode('"' .. escapes .. '"') ~= wanted or decode('"' .. upper .. '"') ~= wanted then assert.equal(escapes:sub(1, 12), "read otherwise") end
      count = count + 1
    end
    file:close()
    assert.is_true(count > 60, count)
  end)

  it("holds a lone surrogate for broken UTF-8", function()
    assert.equal(MARK:rep(3), decode([["\ud800"]], { utf8 = "replace" }))
    refused([["\udc00"]], "decode", 0, "not UTF%-8", { utf8 = "error" })
    assert.equal("\240\159\152\128", decode([["\uD83D\uDE00"]], { utf8 = "error" }))
  end)

  it("leaves good UTF-8 alone in every mode", function()
    local good = "aZ\194\128\223\191\224\160\128\237\159\191\238\128\128\239\191\191\240\144\128\128\244\143\191\191"
    for _, mode in ipairs { "pass", "replace", "error" } do
      assert.equal(good, decode('"' .. good .. '"', { utf8 = mode }))
    end
  end)
end)

describe("decode: bad text", function()
  local CASES = {
    { "", "decode", 0, "empty" }, { "  ", "decode", 2, "empty" }, { "[", "truncated", 1 }, { "[1", "truncated", 2 }, { "{\"a\"", "truncated", 4 },
    { '"abc', "truncated", 4 }, { '"abc\\', "truncated", 5 }, { '"\\u12', "truncated", 5 }, { "tru", "truncated", 3 }, { "-", "truncated", 1 },
    { "1.", "truncated", 2 }, { "1e", "truncated", 2 }, { "1e+", "truncated", 3 },
    { "[1,]", "decode", 3, "a value must be" }, { "[,1]", "decode", 1, "a value must be" }, { "{,}", "decode", 1, "a key must be" },
    { '{"a":1,}', "decode", 7, "a key must be" }, { "{a:1}", "decode", 1, "a key must be" }, { '{"a" 1}', "decode", 5, "colon" },
    { '{"a",1}', "decode", 4, "colon" }, { "[1 2]", "decode", 3, "comma" }, { '{"a":1 "b":2}', "decode", 7, "comma" },
    { "[1}", "decode", 2, "closing bracket" }, { '{"a":1]', "decode", 6, "closing bracket" }, { "]", "decode", 0 }, { "}", "decode", 0 },
    { "[] []", "decode", 3, "after the end" }, { "1 2", "decode", 2, "after the end" }, { "[]\0", "decode", 2, "after the end" },
    { "\0[]", "decode", 0 }, { "[\0]", "decode", 1 }, { '"\0"', "decode", 1, "control byte" }, { '"a\nb"', "decode", 2, "control byte" },
    { '"\31"', "decode", 1, "control byte" }, { [["\x41"]], "decode", 2, "escape" }, { [["\u12G4"]], "decode", 5, "escape" },
    { [["\U0041"]], "decode", 2, "escape" }, { '"\\\0"', "decode", 2, "escape" }, { [["\'"]], "decode", 2, "escape" },
    { "trux", "decode", 3, "word" }, { "truee", "decode", 4, "after the end" }, { "nul]", "decode", 3, "word" }, { "True", "decode", 0 },
    { "NaN", "decode", 0 }, { "Infinity", "decode", 0 }, { "+1", "decode", 0 }, { ".5", "decode", 0 }, { "-a", "decode", 1, "invalid number" },
    { "01", "decode", 1, "after the end" }, { "[-01]", "decode", 3, "a comma must be" }, { "[1.]", "decode", 3, "invalid number" },
    { "[1e]", "decode", 3, "invalid number" }, { "1.e1", "decode", 2, "invalid number" }, { "0x10", "decode", 1, "after the end" },
    { "[-]", "decode", 2, "invalid number" }, { "1,", "decode", 1, "after the end" }, { "'a'", "decode", 0 }, { "[1] //", "decode", 4 },
    { "<html>", "decode", 0 }, { "\160[]", "decode", 0 }, { "\11[]", "decode", 0 },
  }
  for _, case in ipairs(CASES) do
    it(("refuses %q"):format(case[1]):gsub("%z", "NUL"), function() refused(case[1], case[2], case[3], case[4]) end)
  end

  it("refuses every part of a text", function()
    local text = '{"a":[1.5e+3,"\\ud83d\\ude00x",{"b":null,"c":[true,false]}],"d":-0.25}'
    assert.is_table(decode(text))
    for n = 1, #text - 1 do refused(text:sub(1, n), "truncated", n) end
  end)
end)

describe("decode: depth", function()
  local function nested(open, close, n)
    return open:rep(n) .. "1" .. close:rep(n)
  end

  it("has a cap, 64 unless told", function()
    assert.is_table(decode(nested("[", "]", 64)))
    refused(nested("[", "]", 65), "limit", 64, "max_depth")
    assert.is_table(decode(nested('{"a":', "}", 64)))
    refused(nested('{"a":', "}", 65), "limit", 320, "max_depth")
    assert.is_table(decode("[1]", { max_depth = 1 }))
    refused("[[1]]", "limit", 1, "max_depth", { max_depth = 1 })
    assert.equal(1, decode("1", { max_depth = 1 }))
  end)

  it("takes no harm from bombs, nor from the largest cap", function()
    local n = SANITIZED and 20000 or 1000000
    for _, open in ipairs { "[", '{"a":', '[{"a":' } do
      refused(open:rep(n), "limit", nil, "max_depth")
      refused(open:rep(n), "limit", nil, "deeper", { max_depth = 4000 })
    end
    assert.is_table(decode(nested("[", "]", 3900), { max_depth = 4000 }))
    local value, err = decode(nested('{"a":', "}", 4000), { max_depth = 4000 })
    assert.is_true(type(value) == "table" or err.kind == "limit") -- what the Lua stack of 5.1 does not reach
  end)
end)

describe("decode: misuse", function()
  local CASES = {
    { "a text", { n = 1 }, "decode: got nil; allowed: a JSON text" },
    { "a text", { 12 }, "decode: got 12; allowed: a JSON text" },
    { "options", { "[]", 1 }, "decode: options: got 1; allowed: a table" },
    { "options", { "[]", false }, "decode: options: got false; allowed: a table" },
    { "options", { "[]", { depth = 1 } }, 'decode: option: got "depth"; allowed: max_depth, utf8' },
    { "max_depth", { "[]", { max_depth = 0 } }, "decode: max_depth: got 0; allowed: a whole number from 1 to 4000" },
    { "max_depth", { "[]", { max_depth = 4001 } }, "decode: max_depth: got 4001; allowed: a whole" },
    { "max_depth", { "[]", { max_depth = 1.5 } }, "decode: max_depth: got 1.5; allowed: a whole" },
    { "max_depth", { "[]", { max_depth = "8" } }, 'decode: max_depth: got "8"; allowed: a whole' },
    { "utf8", { "[]", { utf8 = "strict" } }, 'decode: utf8: got "strict"; allowed: "pass", "replace", "error"' },
    { "utf8", { "[]", { utf8 = true } }, 'decode: utf8: got true; allowed: "pass"' },
  }
  for _, case in ipairs(CASES) do
    it("blames the caller for its " .. case[1] .. ": " .. case[3], function()
      local line
      local ok, message = pcall(function()
        line = debug.getinfo(1, "l").currentline + 1
        local _ = decode(case[2][1], case[2][2])
      end)
      assert.is_false(ok)
      assert.is_truthy(message:find(("decode_spec.lua:%d: %s"):format(line, case[3]), 1, true), message)
    end)
  end
end)

describe("decode and lua-cjson", function()
  local object, array, plain = answers.object, answers.array, answers.plain
  local WORDS = { "", "a", "key", "sum_octets", "\195\169t\195\169", "\240\159\152\128", 'q"q', "b\\b", "n\nn", "/", "\127", "x y" }

  local function number(chance)
    local text = (chance(3) == 1 and "-" or "") .. (chance(4) == 1 and "0" or tostring(chance(99999999)))
    if chance(3) == 1 then text = text .. "." .. ("%06d"):format(chance(999999)) end
    if chance(4) == 1 then text = text .. "e" .. tostring(chance(40) - 20) end
    return plain(text == "-0" and "0" or text)
  end

  local function value(chance, depth)
    local pick = chance(depth > 5 and 6 or 9)
    if pick <= 2 then return WORDS[chance(#WORDS)] .. chance(1000) end
    if pick <= 4 then return number(chance) end
    if pick == 5 then return plain(chance(2) == 1 and "true" or "false") end
    if pick == 6 then return answers.NULL end
    local items = {}
    for i = 1, chance(6) - 1 do items[i] = value(chance, depth + 1) end
    if pick == 7 then return array(items) end
    local flat = {}
    for i, item in ipairs(items) do
      flat[i * 2 - 1], flat[i * 2] = WORDS[chance(#WORDS)], item -- at times a key twice
    end
    return object((table.unpack or unpack)(flat))
  end

  local function same(a, b, path)
    if type(a) ~= "table" then return assert.is_true(a == b, path) end
    assert.equal("table", type(b), path)
    for k, v in pairs(a) do same(v, b[k], path .. "." .. tostring(k)) end
    for k in pairs(b) do assert.is_true(a[k] ~= nil, path) end
  end

  it("agree on made-up documents", function()
    local chance = answers.chance(20240607)
    for i = 1, SANITIZED and 100 or 1500 do
      local text = answers.write(array { value(chance, 1), value(chance, 1) }, { pretty = i % 2 == 0, escapes = i % 3 == 0 and 4 or nil, seed = i })
      same(cjson.decode(text), assert(decode(text)), "document " .. i .. " ")
    end
  end)
end)
