-- Each documented exchange of spec/wire/*.txt, put to the sandbox by curl: answered as documented, and without a violation.
--
-- A file has lines `name: value`; `#` begins a comment. `source` and `mark` are the wire document's keys. `method`, `encoding` (query, urlencoded,
-- json-labelled, multipart, multipart-mislabelled), `header` and `auth` (token, none, bad, address, refused) say how it is sent; `rm`, `action`,
-- `rpt_json`, `data_requested` are the form, as the source writes them. `canonical …` is the same JSON with sorted keys and no blanks.
-- `expect …` are facts of the answer.
local cjson = require "cjson"
local sandbox = dofile "spec/sandbox.lua"

local JSON_FIELDS = { "rpt_json", "data_requested" }

local function read(path)
  local exchange = { path = path, expect = {}, canonical = {}, auth = "token" }
  for line in io.lines(path) do
    local name, value = line:match "^([%w_. ]+): (.*)$"
    if name and not line:find "^#" then
      local kind, rest = name:match "^(%w+) (.+)$"
      if kind then exchange[kind][rest] = value else exchange[name] = value end
    end
  end
  return exchange
end

local function exchanges()
  local list = {}
  for path in sandbox.sh("ls spec/wire/*.txt"):gmatch "%S+" do list[#list + 1] = read(path) end
  return list
end

local function send(exchange)
  local words = {}
  local function add(...)
    for _, word in ipairs { ... } do words[#words + 1] = word end
  end
  local flag = exchange.encoding:find "^multipart" and "--form-string" or "--data-urlencode"
  if exchange.method == "GET" then add "-G" end
  if exchange.encoding:find "json%-labelled$" or exchange.encoding:find "mislabelled$" then add("-H", "Content-Type: application/json") end
  if exchange.header then add("-H", exchange.header) end
  for _, name in ipairs { "rm", "action", "rpt_json", "data_requested" } do
    if exchange[name] then add(flag, name .. "=" .. exchange[name]) end
  end
  local tokens = { token = sandbox.token, bad = "0123456789abcdefghij_XYZ" }
  if tokens[exchange.auth] then add(flag, "authToken=" .. tokens[exchange.auth]) end
  add(sandbox.endpoint())
  return sandbox.curl((table.unpack or unpack)(words))
end

local function set_switches(exchange)
  if exchange.auth == "address" then sandbox.post("switches", '{"auth":"address"}') end
  if exchange.auth == "refused" then sandbox.post("switches", '{"auth":"address","allowed":"192.0.2.99"}') end
end

local function names(columns)
  local list = {}
  for i, column in ipairs(columns) do list[i] = column.elementName or column.title end
  return table.concat(list, " ")
end

local function check_report(expect, report)
  for direction in expect.directions:gmatch "%S+" do
    local part = report.table[direction]
    assert.is_table(part, direction)
    assert.is_string(part.totalRowCount)
    if expect.columns then assert.equal(expect.columns, names(part.columns)) end
    if expect.total then assert.equal(expect.total, part.totalRowCount) end
    if expect.rows then assert.equal(tonumber(expect.rows), #part.rows) end
    for _, cells in ipairs(part.rows) do assert.equal(#part.columns, #cells) end
    if expect.label then assert.is_string(part.rows[1][expect.label + 1].label) end
  end
  assert.equal(select(2, expect.directions:gsub("%S+", "")), report.table.inbound and report.table.outbound and 2 or 1)
  assert.equal(expect.graph == "yes", report.graph ~= nil)
end

local function check_answer(expect, answer)
  if expect["report.error"] then
    assert.is_string(answer.report.error)
  elseif expect.err then
    assert.is_string(answer.err)
    if expect.err ~= "yes" then assert.equal(expect.err, answer.err) end
    assert.equal(expect.details, answer.details)
    assert.equal(expect.msg, answer.msg)
    assert.is_nil(answer.report)
  else
    check_report(expect, answer.report)
  end
end

describe("documented exchanges", function()
  setup(sandbox.start)
  teardown(sandbox.finish)
  before_each(function() sandbox.clear() end)
  after_each(function() sandbox.clear "switches" end)

  for _, exchange in ipairs(exchanges()) do
    it(exchange.path .. " is answered as documented", function()
      set_switches(exchange)
      local got = send(exchange)
      assert.equal(tonumber(exchange.expect.status), got.status)
      check_answer(exchange.expect, cjson.decode(got.body))
      assert.equal("", sandbox.violations())
      local log = sandbox.get "log"
      assert.equal(1, #log)
      assert.equal(exchange.method, log[1].method)
    end)

    it(exchange.path .. " says the same in canonical text", function()
      for _, name in ipairs(JSON_FIELDS) do
        assert.same(cjson.decode(exchange[name]), cjson.decode(exchange.canonical[name]))
        assert.is_nil(exchange.canonical[name]:find('[,:{] '))
      end
    end)
  end
end)
