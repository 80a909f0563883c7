-- Each documented exchange of spec/wire/*.txt, put to the sandbox by curl: answered as documented, and without a violation.
--
-- A file has lines `name: value`; `#` begins a comment. `source` and `mark` are the wire document's keys. `method`, `encoding` (query, urlencoded,
-- json-labelled, multipart, multipart-mislabelled), `header` and `auth` (token, none, bad, address, refused) say how it is sent; `rm`, `action`,
-- `rpt_json`, `data_requested`, and `field …` for any other, are the form, as the source writes them. `canonical …` is the same JSON with sorted
-- keys and no blanks. `given` is SQL that prepares the sandbox's state, `state SQL: text` what the sandbox must hold after it (rows by "/").
-- `expect …` are facts of the answer: of a report's by name, of any answer by `expect path a.b.1.c: text` (`*`: any value).
local cjson = require "cjson"
local sandbox = dofile "spec/sandbox.lua"

local function read(path)
  local exchange = { path = path, expect = {}, canonical = {}, field = {}, paths = {}, state = {}, auth = "token" }
  for line in io.lines(path) do
    local name, value = line:match "^([%w_. ]+): (.*)$"
    if line:find "^state " then name, value = line:match "^(state .-): (.*)$" end
    if name and not line:find "^#" then
      local kind, rest = name:match "^(%w+) (.+)$"
      local place = rest and rest:match "^path (.+)$"
      if place then
        exchange.paths[place] = value
      elseif kind then
        exchange[kind][rest] = value
      else
        exchange[name] = value
      end
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
  for name, value in pairs(exchange.field) do add(flag, name .. "=" .. value) end
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

local function sql(text)
  local out, code = sandbox.sh(("sqlite3 %s %s"):format(sandbox.quote(sandbox.ca:match "^(.*)/" .. "/database"), sandbox.quote(text)))
  assert.equal(0, code, out)
  return (out:gsub("\n$", ""):gsub("\n", "/"))
end

-- What stands at a path such as rows.1.2.label.
local function at_path(value, path)
  for key in path:gmatch "[^.]+" do
    assert.is_table(value, path)
    value = value[tonumber(key) or key]
  end
  return value
end

local function check_paths(paths, answer)
  for path, wanted in pairs(paths) do
    local found = at_path(answer, path)
    assert.is_not_nil(found, path)
    if type(found) == "number" then found = ("%.0f"):format(found) end
    if wanted ~= "*" then assert.equal(wanted, tostring(found), path) end
  end
end

-- Nothing here depends on the Lua it runs on.
local describe_once = os.getenv "SANDBOX_CHECKED" and function() end or describe

describe_once("documented exchanges", function()
  setup(sandbox.start)
  teardown(sandbox.finish)
  before_each(function()
    sandbox.clear()
    sandbox.clear "accounts"
    sandbox.clear "ipgroups"
  end)
  after_each(function() sandbox.clear "switches" end)

  for _, exchange in ipairs(exchanges()) do
    it(exchange.path .. " is answered as documented", function()
      set_switches(exchange)
      if exchange.given then sql(exchange.given) end
      local got = send(exchange)
      assert.equal(tonumber(exchange.expect.status), got.status)
      local answer = cjson.decode(got.body)
      if next(exchange.paths) then check_paths(exchange.paths, answer) else check_answer(exchange.expect, answer) end
      assert.equal("", sandbox.violations())
      for query, rows in pairs(exchange.state) do assert.equal(rows, sql(query), query) end
      local log = sandbox.get "log"
      assert.equal(1, #log)
      assert.equal(exchange.method, log[1].method)
    end)

    it(exchange.path .. " says the same in canonical text", function()
      for name, text in pairs(exchange.canonical) do
        assert.same(cjson.decode(exchange[name] or exchange.field[name]), cjson.decode(text))
        assert.is_nil(text:find('[,:{] '))
      end
      assert.is_true(exchange.rm ~= "report_api" or (exchange.canonical.rpt_json and exchange.canonical.data_requested) ~= nil)
    end)
  end
end)
