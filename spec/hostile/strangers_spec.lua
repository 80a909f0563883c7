-- Device names, users, labels are strangers' words: one label with all that can hurt, and every place where such a text is shown.
local scrutinizer = require "scrutinizer"
local export = require "scrutinizer.export"
local errors = require "scrutinizer.errors"
local recording = require "spec.recording"
local support = require "spec.support"

-- A terminal's escapes (also in C1 form), quotes, a shell's and HTML's ways to run things, line breaks of all kinds, NUL, bytes that are no UTF-8
-- (alone, overlong, half of a pair), a turn of the writing direction, a formula.
local LABEL = "=cmd('calc')\27[31m\7\"'`id`$(touch pwned)<script>alert(1)</script>\r\n\0\127\255\192\175\237\160\128"
  .. "\226\128\174\226\128\168\226\129\166\194\155x é"

local folder

-- The sequences of RFC 3629; and how many bytes of a text are of them.
local SEQUENCES = {
  "^[%z\1-\127]+", "^[\194-\223][\128-\191]", "^\224[\160-\191][\128-\191]", "^[\225-\236\238\239][\128-\191][\128-\191]",
  "^\237[\128-\159][\128-\191]", "^\240[\144-\191][\128-\191][\128-\191]", "^[\241-\243][\128-\191][\128-\191][\128-\191]",
  "^\244[\128-\143][\128-\191][\128-\191]",
}

local function utf8_length(text)
  local at = 1
  while at <= #text do
    local last
    for _, sequence in ipairs(SEQUENCES) do last = last or select(2, text:find(sequence, at)) end
    if not last then return at - 1 end
    at = last + 1
  end
  return at - 1
end

-- Fit for one line of a terminal or a log.
local function assert_neutral(text, what)
  text = tostring(text)
  assert.is_nil(text:find "%c", what)
  for _, bad in ipairs { "\194[\128-\159]", "\226\128[\142\143\168-\174]", "\226\129[\166-\169]" } do assert.is_nil(text:find(bad), what) end
  assert.equal(#text, utf8_length(text), what)
end

-- All texts of an error or event are neutral, however deep.
local function assert_all_neutral(value, what)
  if type(value) == "string" then assert_neutral(value, what) end
  if type(value) ~= "table" then return end
  for key, member in pairs(value) do
    assert_all_neutral(key, what)
    assert_all_neutral(member, what .. "." .. tostring(key))
  end
end

local function json(text)
  return '"' .. text:gsub('[%c"\\\127]', function(char) return ("\\u%04x"):format(char:byte()) end) .. '"'
end

local LABEL_JSON = json(LABEL)

-- A client whose next answers are these bodies, whatever it asks; and what it says in events.
local function client_of(...)
  local events = {}
  local client = recording.client(folder, { ... }, { retry = false, on_event = function(event) events[#events + 1] = event end })
  return client, events
end

local function report_of(columns, rows, more)
  return ('{"report":{%s"table":{"inbound":{"columns":[%s],"totalRowCount":"1","rows":[%s]}}}}'):format(more or "", columns, rows)
end

local NAME = '{"elementName":"device","title":' .. json(LABEL:gsub("%z", "")) .. ',"label":""}'
local GOOD = report_of(NAME .. ',{"elementName":"sum_octets"}',
  '[{"rawValue":' .. LABEL_JSON .. ',"label":' .. LABEL_JSON .. '},{"rawValue":"7"}]', '"request_id":' .. LABEL_JSON .. ",")

setup(function() folder = support.folder() end)
teardown(function() support.shell("rm -rf " .. folder) end)

describe("a stranger's words", function()
  it("come as they are in rows and columns: they are data", function()
    local report = assert(client_of(GOOD):report("host2host"):range("LastHour"):fetch())
    assert.equal(LABEL, report.rows[1].device)
    assert.equal((LABEL:gsub("%z", "")), report.columns[1].title)
    assert.equal(LABEL, report.request_id)
  end)

  it("are neutral in every error of a report", function()
    local cases = {
      { "auth", '{"err":' .. LABEL_JSON .. ',"msg":' .. LABEL_JSON .. ',"details":"invalidToken"}' },
      { "api", '{"err":' .. LABEL_JSON .. "}" }, { "api", '{"report":{"error":' .. LABEL_JSON .. "}}" },
      { "decode", "<html>" .. LABEL }, { "decode", LABEL }, { "decode", '"' .. LABEL }, { "decode", LABEL_JSON },
      { "decode", "{" .. LABEL_JSON .. ":}" },
      { "decode", report_of('{"elementName":"sum_' .. LABEL_JSON:sub(2) .. "}", '[{"rawValue":"x"}]', '"request_id":' .. LABEL_JSON .. ",") },
      { "decode", report_of('{"elementName":"sum_a"}', '[{"rawValue":' .. LABEL_JSON .. "}]", '"request_id":' .. LABEL_JSON .. ",") },
      { "truncated", GOOD:sub(1, -8) },
    }
    for i, case in ipairs(cases) do
      local client, events = client_of(case[2])
      local report, err = client:report("host2host"):range("LastHour"):fetch()
      assert.is_nil(report)
      assert.equal(case[1], err.kind, i .. ": " .. tostring(err))
      assert_neutral(tostring(err), "case " .. i)
      assert_all_neutral(err, "case " .. i)
      assert_all_neutral(events, "case " .. i)
      assert.is_true(#events >= 3)
    end
    local columns = NAME:gsub('"device"', function() return (json(LABEL:gsub("%z", ""))) end)
    local _, err = client_of(report_of(columns, "")):report("host2host"):range("LastHour"):select("device"):fetch()
    assert.equal("api", err.kind)
    assert_all_neutral(err, "columns there are")
  end)

  it("are neutral in every error of a call, and in items' errors", function()
    for i, body in ipairs { '{"err":' .. LABEL_JSON .. "}", LABEL, "{" .. LABEL_JSON .. ":}", "<html>" .. LABEL } do
      local client, events = client_of(body)
      local _, err = client:call { rm = "x" .. LABEL, action = LABEL }
      assert_all_neutral(err, "call " .. i)
      assert_all_neutral(events, "call " .. i)
      assert_neutral(tostring(err))
    end
    local client = client_of('{"data":[{"name":"viewer","error":' .. LABEL_JSON .. "}]}")
    local made = assert(client.users:create { { name = "viewer", password = "long and secret" } })
    assert_neutral(made[1].error)
    client = client_of('{"data":[' .. LABEL_JSON .. "]}")
    local gone, err = client.users:delete { "viewer" }
    assert_all_neutral(gone and gone[1].error or err, "delete")
  end)

  it("are neutral in the errors of statuses and redirects", function()
    local header = { status = 500, location = "https://elsewhere.example/" .. LABEL:gsub("[%z\r\n]", "") }
    local _, err = client_of({ header = header, '{"err":' .. LABEL_JSON .. "}" }):ping()
    assert.equal("http", err.kind)
    assert_all_neutral(err, "status")
    header.status = 302
    _, err = client_of({ header = header }):ping()
    assert.matches("redirects", err.message)
    assert_all_neutral(err, "redirect")
    _, err = client_of({ failed = { "connect", LABEL } }):ping()
    assert.equal("connect", err.kind)
    assert_all_neutral(err, "transfer")
  end)

  it("are neutral in tostring and in messages of misuse", function()
    local client = scrutinizer.connect { host = "a.example" }
    local query = client:report("custom_x"):filter("sdfX", LABEL:gsub("[\128-\255]", "")):range "LastHour"
    assert_neutral(tostring(query))
    assert_neutral(tostring(scrutinizer.recorder(folder .. "/" .. LABEL:gsub("[%z/]", ""))))
    assert_neutral(tostring(scrutinizer.connect { command = "/" .. LABEL:gsub("[%z\r\n]", "") }))
    for _, misuse in ipairs {
      function() client:report(LABEL) end, function() query:range(LABEL) end, function() query:where { ip = LABEL } end,
      function() query:where { [LABEL] = 1 } end, function() query:order_by(LABEL) end, function() query:exporter(LABEL, LABEL) end,
      function() query:select { [LABEL] = LABEL } end, function() scrutinizer.connect { url = LABEL } end,
      function() scrutinizer.connect { [LABEL] = LABEL } end, function() scrutinizer.connect { host = LABEL } end,
      function() client:call { rm = "x", [LABEL] = print } end, function() client.users:create { { name = LABEL, [LABEL] = 1 } } end,
      function() scrutinizer.recorder(folder, { mode = LABEL }) end, function() query:timezone(LABEL) end,
    } do
      local ok, message = pcall(misuse)
      if not ok then assert_neutral(message) end
    end
  end)

  it("cannot leave the quotes of a curl command, nor run in a shell", function()
    local text = LABEL:gsub("[\128-\255]", "") -- a request is UTF-8
    local query = scrutinizer.connect({ host = "a.example" }):report("custom_x"):range("LastHour"):filter("sdfX", text):set("note", text)
    local curl = query:curl()
    assert_neutral(curl)
    assert_neutral(query:url())
    assert.is_nil(query:url():find "[^%w%-._~:/?=&%%*]")
    local said = support.shell("cd " .. folder .. " && curl() { for word; do printf '%s\\n' \"$word\"; done; } && " .. curl .. " 2>&1; ls pwned 2>&1")
    local rpt_json = said:match "\nrpt_json=([^\n]*)\n"
    assert.equal(text, scrutinizer.decode(rpt_json).note)
    assert.matches("No such file", said)
    assert.equal(query:request().rpt_json, rpt_json)
  end)

  it("are shown in tables as what they are, and are guarded in CSV", function()
    local rows = { { device = LABEL, n = 1 }, { device = "=1+1", n = -2 }, { device = "plain", n = 3 } }
    local out = {}
    assert(export.table(rows, function(text) out[#out + 1] = text end))
    for line in table.concat(out):gmatch "[^\n]+" do assert_neutral(line) end
    assert.is_truthy(table.concat(out):find("\\x1B[31m", 1, true))
    assert(export.csv(rows, folder .. "/rows.csv", { guard = true, columns = { "device", "n" } }))
    local read_back = support.shell([[python3 - <<'END'
import csv
rows = list(csv.reader(open("]] .. folder .. [[/rows.csv", newline="", encoding="latin-1")))
print(len(rows), ascii(rows[1][0][:6]), rows[2], rows[3], rows[1][0][1:].encode("latin-1").hex())
END]])
    local hex = LABEL:gsub(".", function(char) return ("%02x"):format(char:byte()) end)
    assert.equal("4 \"'=cmd(\" [\"'=1+1\", '-2'] ['plain', '3'] " .. hex .. "\n", read_back)
  end)

  it("cannot begin another line of a request's header", function()
    for _, bad in ipairs {
      { ["X-A"] = "a\r\nX-B: c" }, { ["X-A"] = "a\nb" }, { ["X-A"] = "a\0b" }, { ["X-A\r\nX-B"] = "c" }, { ["X A"] = "b" }, { [LABEL] = "x" },
    } do
      local ok, message = pcall(scrutinizer.connect, { host = "a.example", headers = bad })
      assert.is_false(ok)
      assert.matches("connect: headers: got .*allowed: a table of header names and values", message)
      assert_neutral(message)
    end
    for _, name in ipairs { "user_agent", "proxy", "unix_socket" } do
      assert.is_false((pcall(scrutinizer.connect, { host = "a.example", [name] = "a\r\nb" })))
    end
  end)

  it("are neutral where a recording lacks an answer", function()
    local client = recording.client(folder, { "{}" }, nil, { strict = true })
    for _, text in ipairs { LABEL, (LABEL:gsub("[\128-\255]", "")) } do
      local _, err = client:call { rm = text, [text] = text }
      assert.equal("file", err.kind)
      assert_all_neutral(err, "recording")
    end
  end)
end)

describe("errors.neutral", function()
  it("shows broken UTF-8, controls and turns of direction as bytes, and nothing else", function()
    assert.equal("\\xED\\xA0\\x80 \\xC0\\xAF \\xF4\\x90\\x80\\x80 \\xE2\\x80\\xAE \\xC2\\x9B \\xE0\\x80\\xAF é € 😀 \\x7F",
      errors.neutral "\237\160\128 \192\175 \244\144\128\128 \226\128\174 \194\155 \224\128\175 é € 😀 \127")
  end)
end)
