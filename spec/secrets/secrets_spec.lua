-- Tokens, passwords, passphrases: in no error, event, recording, tostring or process argument, whatever fails and whoever repeats them.
local scrutinizer = require "scrutinizer"
local core = require "scrutinizer.core"
local secrets = require "scrutinizer.secrets"
local support = require "spec.support"

-- Each has what URLs, JSON, HTML and our own messages write in another way.
local TOKEN = "tok&n<one>\"two\"%/three+four \\five-ü~0123456789"
local PASSWORD = "pass'w<ord> of & a \"user\" \\ 987654321"
local PASSPHRASE = "phrase of a key; 5551212"
local PROXY = "prxy-secret-24680"
local HEADER = "aGVhZGVyOnNlY3JldC0xMzU3OQ=="
local ALL = { TOKEN, PASSWORD, PASSPHRASE, PROXY, HEADER }

local function percent(text, format)
  return (text:gsub("[^A-Za-z0-9._~-]", function(char) return (format or "%%%02X"):format(char:byte()) end))
end

local function json(text) return (text:gsub('["\\]', "\\%0")) end
local function html(text) return (text:gsub("[&<>\"']", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" })) end

-- No secret is in the text, in no form, not even its beginning.
local function assert_clean(text, what)
  text = tostring(text)
  for _, secret in ipairs(ALL) do
    for _, form in ipairs { secret, percent(secret), percent(secret, "%%%02x"), json(secret), html(secret) } do
      local at = text:find(form:sub(1, 8), 1, true)
      assert.is_nil(at, at and what .. ": " .. text:sub(math.max(1, at - 100), at + 200))
    end
  end
end

-- All that can be reached from a value without the debug library.
local function assert_all_clean(value, what, seen)
  seen = seen or {}
  if type(value) == "string" then return assert_clean(value, what) end
  if type(value) ~= "table" or seen[value] then return end
  seen[value] = true
  for key, member in next, value do
    assert_all_clean(key, what, seen)
    assert_all_clean(member, what .. "." .. tostring(key), seen)
  end
  assert_all_clean(getmetatable(value), what .. " (metatable)", seen)
end

-- What a server may say back, each secret that it knows in each form.
local function echo(more, known)
  local parts = {}
  for _, secret in ipairs(known or ALL) do
    for _, form in ipairs {
      secret, percent(secret), json(secret), html(secret), percent(json(secret)), json(json(secret)), percent(json(json(secret))),
      html(percent(json(secret))), percent(html(secret)),
    } do
      parts[#parts + 1] = form
    end
  end
  return (more or "") .. table.concat(parts, " ")
end

local folder

setup(function() folder = support.folder() end)
teardown(function() support.shell("rm -rf " .. folder) end)

describe("a set of secrets", function()
  it("masks each in every form", function()
    local set = secrets.new(ALL)
    assert.equal("a *** b", set.mask("a " .. TOKEN .. " b"))
    assert_clean(set.mask(echo()), "echo")
    assert.equal("nothing of them", set.mask "nothing of them")
    assert.equal("x", secrets.new({}).mask "x")
    assert.equal("a *** b *** c", secrets.new({ "inner1" }, set).mask("a " .. TOKEN .. " b inner1 c"))
    local odd = secrets.new { 'Gr8 "one\\\n\27é%&<' }
    for _, form in ipairs {
      'Gr8 \\"one\\\\\\n\\u001b\\u00e9%&\\u003c', 'Gr8 \\\\\\"one\\\\\\\\\\n\\\\u001bé%&<',
      'Gr8+%22one%5c%0A%1b%c3%a9%25%26%3C', 'Gr8%2520%2522one%255C%250A%251B%25C3%25A9%2525%2526%253C',
      'Gr8 &#34;one\\\n\27&#xE9;%&amp;&lt;', 'Gr8 &amp;quot;one\\\n\27é%&amp;amp;&amp;lt;', 'Gr8 "one\\\\x0A\\x1Bé%&<',
    } do
      assert.equal("a *** b", odd.mask("a " .. form .. " b"))
      for cut = 5, #form - 1 do assert.is_nil(odd.mask("a " .. form:sub(1, cut)):find("one", 1, true)) end
    end
    -- Each name that HTML has for one of its signs, as python's html module reads it.
    for char, name in pairs { ["&"] = "amp", ["<"] = "lt", [">"] = "gt", ['"'] = "quot", ["'"] = "apos" } do
      assert.equal("a *** b", secrets.new({ "it" .. char .. "s1" }).mask("a it&" .. name .. ";s1 b"))
    end
    set.add(nil)
    set.add(false)
    set.add("")
    assert.equal("", set.mask "")
  end)

  -- Brothers looked for: every order of up to three encodings by Python's json, urllib.parse and html; signs at either end of the secret; secrets
  -- that look encoded themselves; UTF-8 read as Latin-1; beyond the BMP; texts in pieces; half an encoding before and behind it.
  it("masks each in every order of encodings", function()
    local function bytes(hex) return (hex:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end)) end
    local sets, wrong, count = {}, {}, 0
    local function check(good, secret, ...)
      if not good and #wrong < 20 then wrong[#wrong + 1] = ("%q: %s: %s"):format(secret, ...) end
    end
    for line in support.shell("env -u LD_PRELOAD python3 -B spec/secrets/encodings.py"):gmatch "[^\n]+" do
      local secret, text, names = line:match "^(%x+) (%x+) (.*)$"
      secret, text, count = bytes(secret), bytes(text), count + 1
      sets[secret] = sets[secret] or secrets.new { secret }
      local set = sets[secret]
      check(set.mask("(" .. text .. ")") == "(***)", secret, names, text)
      check(set.stream()("{" .. text .. "}", true) == "{***}", secret, names .. " in one piece", text)
      for _, around in ipairs { { "%", "41" }, { "C:\\", "n" }, { "&am", "p;" }, { "%4", "25" } } do
        local masked = set.mask(around[1] .. text .. around[2])
        check(masked:find("***", 1, true) and not masked:find(text, 1, true), secret, names .. " behind " .. around[1], text)
      end
      local clean, cut = set.stream(), count % #text + 1
      check(clean("{" .. text:sub(1, cut)) .. clean(text:sub(cut + 1) .. "}") .. clean("", true) == "{***}", secret, names .. " in two pieces", text)
    end
    assert.same({}, wrong)
    assert.equal(24 * (1 + 9 + 81 + 729), count)
  end)

  it("masks what no encoding changes only where it is", function()
    local set = secrets.new { "Hunter22", "it's \\ 100%" }
    for _, text in ipairs {
      "DOM\\\\***", "{\\\"***\\\":1}", "%22***%22", "&quot;***&quot;", "\\u0022***\\u0022", "100%***", "a+***+", "it&#39;s%20%5C%5C%20100 or so",
    } do
      assert.equal(text, set.mask((text:gsub("%*%*%*", "Hunter22"))))
      assert.equal(text, set.stream()((text:gsub("%*%*%*", "Hunter22")), true))
    end
  end)

  it("masks all of secrets that overlap, however the text is cut", function()
    -- python: the union of {m.span(1) for m in re.finditer("(?=(" + secret + "))", text)}, each stretch of it as ***
    for _, case in ipairs {
      { "abcab", "x abcabcab y", "x *** y" }, { "abcab", "abcabcabcabcabc", "***c" }, { "aaaa", ("a"):rep(4001) .. "b", "***b" },
      { "aaaa", "aaa aaaaaa", "aaa ***" }, { "abcdefabcd", "abcdefabcdefabcd abcdefabcde", "*** ***e" },
      { "tok-to", "[tok-tok-tok-to]", "[***]" }, { "tok-to", "[tok%2dtok%2Dtok-to]", "[***]" },
    } do
      local secret, text, wanted = case[1], case[2], case[3]
      local set = secrets.new { secret }
      assert.equal(wanted, set.stream()(text, true))
      for size = 1, 12 do
        local clean, out = set.stream(), {}
        for at = 1, #text, size do out[#out + 1] = clean(text:sub(at, at + size - 1)) end
        out[#out + 1] = clean("", true)
        assert.equal(wanted, (table.concat(out):gsub("%*+", "***")), size)
      end
    end
    assert.equal("abc ***", secrets.new { "abcdefabcd" }.mask "abc abcdefabcdefab")
    -- What is held of a run without an end does not grow.
    local masked, rest = core.mask(("a"):rep(10000), "aaaa", 0)
    assert.same({ "***", "aaaa" }, { masked, rest })
  end)

  -- Brothers looked for: a run of each sign that begins an encoding, of each whole encoding, of each secret's beginning, of secrets themselves; each
  -- with secrets of one such sign to many; as a whole and as a stream.
  it("takes time that grows with the text alone, whoever wrote it", function()
    local runs = {
      "\\", "%", "%25", "25", "%5C", "&", "&amp;", "amp;", "&#38;", "&#", "+", "\\u005c", "\\x5C", "\195\131", "a", "a\\", "a%25", "50%25", ".",
    }
    local known = {
      "a\\b", "a\\\\b", "a\\\\\\\\b", ("\\"):rep(60) .. "b", "%%b!", ("%"):rep(16) .. "b!", "%25%25%25%25b!", "&&b!", ("&amp;"):rep(9) .. "b!",
      "&#38;b", "50%off!!", "....!", ("a"):rep(300) .. "b", "b" .. ("a"):rep(300), "aaaa", "\\\\\\\\", "%%%%", "&&&&", "ÃÃÃÃb",
    }
    local size = support.sanitized and 2000 or 32000
    for _, secret in ipairs(known) do
      local set = secrets.new { secret }
      for _, run in ipairs(runs) do
        for _, first in ipairs { "", secret:sub(1, 1), secret:sub(1, -2) } do
          local text = first .. run:rep(math.floor(size / #run)) .. "c"
          local begun = os.clock()
          set.mask(text)
          local clean = set.stream()
          for at = 1, #text, size / 8 do clean(text:sub(at, at + size / 8 - 1)) end
          clean("", true)
          local spent = os.clock() - begun
          assert.is_true(spent < 1, ("%g s for %q in a run of %q"):format(spent, secret, run))
        end
      end
    end
  end)

  it("holds little of a text back, and loses nothing of it", function()
    for _, run in ipairs { "\\", "%25", "&amp;", "a", '\\"' } do
      local clean, out, fed = secrets.new({ '"aaaa\\' }).stream(), {}, 0
      for _ = 1, 200 do
        out[#out + 1] = clean(run:rep(100))
        fed = fed + 100 * #run
        assert.is_true(fed - #table.concat(out) < 3000)
      end
      out[#out + 1] = clean("", true)
      assert.equal(run:rep(20000), table.concat(out))
    end
  end)

  it("masks all of a long list, such as the passwords of a thousand new users", function()
    local list, text = {}, {}
    for i = 1, 1000 do list[i], text[i] = ("p%dss%d"):format(i, i), ("p%dss%d"):format(i, i) end
    assert.equal(("*** "):rep(1000), secrets.new(list).mask(table.concat(text, " ") .. " "))
    assert.equal(("*** "):rep(1000), secrets.new(list).stream()(table.concat(text, " ") .. " ", true))
    assert.equal("***", secrets.new({ [3] = "third" }).mask "third") -- a user without a password leaves a hole
  end)

  it("masks one that was cut off", function()
    local set = secrets.new { TOKEN }
    for n = 4, #TOKEN - 1 do
      assert.equal("begins with ***", set.mask("begins with " .. TOKEN:sub(1, n)))
      assert.equal("begins with ***…", set.mask("begins with " .. TOKEN:sub(1, n) .. "…"))
    end
    assert.equal("begins with tok", set.mask "begins with tok")
  end)

  it("masks the longer of two first, and forgets the oldest of very many", function()
    assert.equal("***!", secrets.new({ "abcdef", "abcdefghi" }).mask "abcdefghi!")
    local set = secrets.new {}
    for i = 1, 1000 do set.add(i .. "th token") end
    assert.equal("*** 1th token.", set.mask "1000th token 1th token.")
  end)

  it("masks a text in pieces, cut anywhere", function()
    local text = echo "begin " .. " tok&n<one tok " .. TOKEN:sub(1, 20) .. " end"
    local whole = secrets.new(ALL).stream()(text, true)
    assert_clean(whole:gsub("tok&n<one ?", ""), "whole")
    for cut = 1, #text do
      local clean = secrets.new(ALL).stream()
      assert.equal(whole, clean(text:sub(1, cut)) .. clean(text:sub(cut + 1)) .. clean("", true))
    end
    local clean, out = secrets.new(ALL, secrets.new { "others" }).stream(), {}
    for char in (text .. " others"):gmatch "." do out[#out + 1] = clean(char) end
    assert.equal(whole .. " ***", table.concat(out) .. clean("", true))
    assert.equal("a *** is none", secrets.new({ "pin4" }).stream()("a pin4 is none", true))
    assert.equal("pin is data", secrets.new({ "pin" }).stream()("pin is data", true)) -- too short to be told from words
  end)

  it("knows secrets by the names of fields", function()
    local fields, found = secrets.of_form({ rm = "x", authToken = "t1", json = '{"users":[{"name":"a","pass":"p1"},{"PASSWORD":7,"tokens":["k"]}]}' },
      scrutinizer.decode)
    assert.equal("***", fields.authToken)
    assert.equal("***", fields.json.users[1].pass)
    assert.same({ "a", "***" }, { fields.json.users[1].name, fields.json.users[2].PASSWORD })
    table.sort(found)
    assert.same({ "7", "k", "p1", "t1" }, found)
    for _, name in ipairs {
      "pass", "pwd", "password", "userPasswd", "passphrase", "client_secret", "access_token", "Authorization", "proxy-authorization", "Cookie",
      "Set-Cookie", "apikey", "api_key", "X-API-Key", "COOKIE",
    } do
      assert.is_true(secrets.is_name(name), name)
    end
    for _, name in ipairs { "passage", "compass", "name", "author" } do assert.is_false(secrets.is_name(name), name) end
  end)
end)

describe("secrets", function()
  local events, said

  -- The client whose every word is kept.
  local function connect(recorder, more)
    local box = support.sandbox()
    local options = {
      url = box.url, token = TOKEN, retry = false, headers = { Authorization = "Basic " .. HEADER, ["X-Note"] = "plain" },
      tls = { ca_file = box.ca, passphrase = PASSPHRASE }, on_event = function(event) events[#events + 1] = event end,
    }
    for name, value in pairs(more or {}) do options[name] = value end
    return assert(recorder and recorder:connect(options) or scrutinizer.connect(options))
  end

  local CALLS = {
    loop = function(client)
      local ok, err = pcall(function()
        for _ in client:report("custom_rows_50"):range("LastHour"):rows() do end
      end)
      return ok or nil, err
    end,
    fetch = function(client) return client:report("custom_rows_50"):range("LastHour"):fetch() end,
    aggregate = function(client) return client:report("custom_rows_50"):range("LastHour"):aggregate { by = { "sourceipaddress" }, count = true } end,
    series = function(client) return client:report("host2host"):range("LastHour"):series() end,
    ping = function(client) return client:ping() end,
    raw = function(client)
      return client:call { rm = "user_api", action = "createUser", json = { users = { { name = "raw", pass = PASSWORD } } } }
    end,
    create = function(client)
      local made, err = client.users:create { { name = "viewer", password = PASSWORD } }
      said[#said + 1] = made
      return made and not made[1].error and made or nil, err or made[1].error
    end,
  }

  -- Faults that give strangers the word, who say what they were sent. `pad` moves it across the place where messages cut.
  local function faults(pad, known)
    local function back() return echo("", known) end
    local list = {
      { kind = "html", body = "<html>" .. pad .. back() }, { kind = "status", status = 200, body = pad .. back() },
      { kind = "status", status = 500, body = '{"err":"' .. pad .. json(back()) .. '"}' },
      { kind = "status", status = 401, body = '{"err":"' .. pad .. json(back()) .. '","msg":"' .. json(TOKEN) .. '"}' },
      { kind = "status", status = 200, body = '{"err":"' .. pad .. json(back()) .. '","details":"invalidToken"}' },
      { kind = "status", status = 200, body = '{"err":"oauthFailure","msg":"' .. pad .. json(back()) .. '"}' },
      { kind = "status", status = 200, body = '{"report":{"request_id":"' .. json(TOKEN) .. '","error":"' .. pad .. json(back()) .. '"}}' },
      { kind = "status", status = 200, body = '{"data":[{"name":"viewer","error":"' .. pad .. json(back()) .. '"}]}' },
      { kind = "status", status = 200, body = '{"data":["' .. pad .. json(back()) .. '"]}' },
      { kind = "status", status = 200, body = '{"report":{"table":{"inbound":{"columns":[{"elementName":"sum_' .. pad .. json(known[#known])
        .. '"}],"rows":[[{"rawValue":"' .. json(back()) .. '"}]]}}}}' },
      { kind = "redirect", location = "https://elsewhere.example/" .. pad .. percent(TOKEN) .. "/" .. HEADER .. "?" .. percent(TOKEN) },
      { kind = "bad_token" }, { kind = "truncate", at = 40 }, { kind = "bad_gzip" }, { kind = "drop" },
    }
    return list
  end

  before_each(function()
    support.clear()
    events, said = {}, {}
  end)
  after_each(support.clear)

  local function check_all(client, path)
    assert_all_clean(events, "events")
    assert_all_clean(said, "results")
    assert_all_clean(client, "the client")
    assert_clean(tostring(client), "tostring")
    if path then assert_clean(support.read(path), "the recording") end
  end

  local once = os.getenv "SANDBOX_CHECKED"
  for _, pad in ipairs(once and { 57 } or { 0, 57, 1980 }) do
    it(("are in nothing that is said of what fails, %d bytes on"):format(pad), function()
      local path = ("%s/answers%d.ndjson"):format(folder, pad)
      local recorder = scrutinizer.recorder(path)
      local client = connect(recorder)
      local failed = 0
      for name, ask in pairs(CALLS) do
        local known = { TOKEN, HEADER, PASSPHRASE, (name == "create" or name == "raw") and PASSWORD or nil }
        local list = faults(("x"):rep(pad), known)
        support.faults(list)
        for i = 1, #list do
          local value, err = ask(client) -- some of them are answers to a plain call
          if value == nil then failed = failed + 1 end
          assert_all_clean(err, name .. " " .. list[i].kind .. i)
          assert_clean(tostring(err), name .. i)
        end
      end
      client:close()
      assert(recorder:close())
      assert.is_true(failed > 90 and #events > 200)
      check_all(client, path)
    end)
  end

  local it_once = once and function() end or it
  it_once("are in nothing that is said of a network that fails", function()
    local box = support.sandbox()
    for what, options in pairs {
      refused = { url = "https://127.0.0.1:9" }, unknown = { url = "https://no-such-host.invalid" },
      authority = { tls = { passphrase = PASSPHRASE } },
      pin = { tls = { ca_file = box.ca, pin = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", passphrase = PASSPHRASE } },
      proxy = { proxy = "http://user:" .. PROXY .. "@127.0.0.1:9" }, socks = { proxy = "socks5://user:" .. PROXY .. "@127.0.0.1:9" },
      silent = { timeout = 0.2 }, get = { method = "GET" }, multipart = { encoding = "multipart", url = "https://127.0.0.1:9" },
      small = { max_body = 1 },
    } do
      support.clear()
      if what == "silent" then support.faults { { kind = "stall", seconds = 3, times = 3 } } end
      local client = connect(nil, options)
      for name, ask in pairs { fetch = CALLS.fetch, create = CALLS.create, ping = CALLS.ping } do
        local value, err = ask(client)
        assert.is_nil(value, what .. name)
        assert_all_clean(err, what .. " " .. name)
      end
      local query = client:report("host2host"):range "LastHour"
      assert_clean(query:url() .. query:curl() .. tostring(query), what)
      check_all(client)
      client:close()
      assert_all_clean(select(2, CALLS.fetch(client)), "closed")
    end
  end)

  it("are in no message of misuse", function()
    for _, options in ipairs {
      { host = "a.example", token = TOKEN, tokne = TOKEN },
      { url = "https://user:" .. PASSWORD:gsub("[<> \"\\&]", "") .. "@a.example", token = TOKEN },
      { url = "https://a.example/?authToken=" .. percent(TOKEN) }, { host = "a.example/?" .. TOKEN },
      { host = "a.example", tls = { passphrase = { PASSPHRASE } } },
      { host = "a.example", proxy = PROXY .. "\n" }, { host = "a.example", headers = { Authorization = "Basic " .. HEADER .. "\n" } },
      { host = "a.example", headers = { [HEADER .. " "] = "x" } }, { command = "/bin/true", token = TOKEN },
      { host = "a.example", tls = { key = PASSPHRASE .. "\n" } },
    } do
      local ok, message = pcall(scrutinizer.connect, options)
      assert.is_false(ok)
      assert_clean(message, "misuse")
    end
    local client = connect()
    for _, item in ipairs {
      { name = "a", password = { PASSWORD } }, { name = 7, password = PASSWORD }, { name = "a", password = PASSWORD, pasword = 1 },
      { name = "a", password = PASSWORD .. "\255" },
    } do
      local ok, message = pcall(client.users.create, client.users, { item })
      assert.is_false(ok)
      assert_clean(message, "users:create")
    end
    local _, err = scrutinizer.connect { host = "a.example", tls = { ca_file = folder .. "/none", passphrase = PASSPHRASE } }
    assert_all_clean(err, "ca_file")
    local failing = connect(nil, { token = function() return { TOKEN } end })
    local ok, message = pcall(failing.ping, failing)
    assert.is_false(ok)
    assert_clean(message, "token()")
  end)

  it("are in no argument of a process, and not in what the command prints", function()
    local box = support.sandbox()
    assert_clean(support.shell "tr '\\0' ' ' </proc/$PPID/cmdline", "this process")
    support.faults { { kind = "delay", seconds = 1.5, times = 3 } }
    local out = support.shell(([[
      export SCRUTINIZER_URL=%s SCRUTINIZER_CA=%s SCRUTINIZER_TOKEN=%s
      %s lua/scrutinizer/main.lua report host2host --last 1h --limit 3 >%s/out 2>&1 & pid=$!
      sleep 0.7
      ps -ww -o args= -p $pid --ppid $pid
      wait $pid; echo "status $?"
      cat %s/out]]):format(box.url, box.ca, support.quote(TOKEN), support.lua, folder, folder))
    assert.matches("main.lua report host2host", out)
    assert.matches("status %d", out)
    assert_clean(out, "the command line")
  end)

  it("are in no argument or input of the program that a command client runs", function()
    local program = folder .. "/program"
    support.write(program, "#!/bin/sh\n",
      ("tr '\\0' '\\n' </proc/$$/cmdline >%s/seen; cat >>%s/seen; printf '{\"err\":\"no\"}'\n"):format(folder, folder))
    support.shell("chmod +x " .. program)
    local client = assert(scrutinizer.connect { command = program, on_event = function(event) events[#events + 1] = event end })
    local _, err = client:report("host2host"):range("LastHour"):fetch()
    assert.equal("api", err.kind)
    assert.matches("%-getReport", support.read(folder .. "/seen"))
    assert_clean(support.read(folder .. "/seen"), "the program")
    check_all(client)
  end)
end)
