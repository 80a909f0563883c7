-- How hard the sandbox appliance makes it: the order of keys, the made-up rows, report types that flows cannot answer, what a redirect loses,
-- numbers as text. Answers are read by Python's json and measured against what Perl itself makes of a hash; nothing here uses the client, and
-- nothing depends on the Lua it runs on.
local cjson = require "cjson"
local sandbox = dofile "spec/sandbox.lua"

local DAY = 1700006400 -- 2023-11-15 00:00:00 UTC
local NEXT = DAY + 86400
local unpack = table.unpack or unpack

-- Reads answers, one a line, refusing keys said twice. For every set of two keys and more: how many objects, how many orders, how many in the
-- order of their names; how many tables have rows before columns; how often a cell has the same order as the one above it.
local ORDERS = [==[
import collections, json, sys
objects, orders, by_name = collections.Counter(), collections.defaultdict(set), collections.Counter()
tables = first = above = same = 0
CELL = "dataJson klassLabel klasstd label rawValue title"
def pairs(members):
    global tables, first
    names = [name for name, _ in members]
    assert len(set(names)) == len(names), names
    key = " ".join(sorted(names))
    objects[key] += 1
    orders[key].add(" ".join(names))
    by_name[key] += names == sorted(names)
    if "rows" in names and "columns" in names:
        tables += 1
        first += names.index("rows") < names.index("columns")
    return dict(members, **{"": names}) if key == CELL else dict(members)
for line in sys.stdin:
    report = json.loads(line, object_pairs_hook=pairs)
    for part in (report["report"].get("table") or {}).values() if isinstance(report, dict) and "report" in report else []:
        for a, b in zip(part["rows"], part["rows"][1:]):
            for x, y in zip(a[1:], b[1:]):
                above += 1
                same += x[""] == y[""]
sets = {key: [objects[key], len(orders[key]), by_name[key]] for key in objects if " " in key}
print(json.dumps({"sets": sets, "tables": tables, "rows_first": first, "above": above, "same": same}))
]==]

-- What a program makes of some answers.
local function through(program, bodies)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  for _, body in ipairs(bodies) do file:write(body, "\n") end
  file:close()
  local out, code = sandbox.sh(("env -u LD_PRELOAD %s <%s"):format(program, path))
  os.remove(path)
  assert.equal(0, code, out)
  return out
end

local function python(program, bodies) return cjson.decode(through("python3 -c " .. sandbox.quote(program), bodies)) end
local function orders_of(bodies) return python(ORDERS, bodies) end

local PERL = "perl -MJSON::PP -ne %s"
local REWRITTEN = PERL:format(sandbox.quote 'BEGIN { $j = JSON::PP->new->utf8 } print $j->encode($j->decode($_)), "\\n"')
local CANONICAL = PERL:format(sandbox.quote 'BEGIN { $j = JSON::PP->new->utf8->canonical } print $j->encode($j->decode($_)), "\\n"')

local function body(options)
  options.from, options.to = options.from or DAY, options.to or NEXT
  local got = sandbox.ask(options)
  assert.equal(200, got.status)
  return got.body
end

local BOTH = '{"inbound":{"table":{"query_limit":{"offset":0,"max_num_rows":3}},"graph":"all"},'
  .. '"outbound":{"table":{"query_limit":{"offset":0,"max_num_rows":3}},"graph":"all"}}'

local function both() return body { type = "interfaces", direction = "both", data = BOTH } end

local function post(fields)
  local words = { sandbox.endpoint() }
  for name, value in pairs(fields) do words[#words + 1], words[#words + 2] = "--data-urlencode", name .. "=" .. value end
  return sandbox.curl(unpack(words)).body
end

local function status(session)
  return cjson.decode(post { rm = "status", view = "topInterfaces", authToken = sandbox.token, session_state = session }).rows
end

local describe_once = os.getenv "SANDBOX_CHECKED" and function() end or describe

describe_once("the sandbox is as hard as the real one:", function()
  setup(sandbox.start)
  teardown(sandbox.finish)
  before_each(function() sandbox.clear() end)
  after_each(function()
    assert.equal("", sandbox.violations())
    sandbox.clear()
  end)

  describe("the order of keys", function()
    local CELL = "dataJson klassLabel klasstd label rawValue title"

    it("is one of each cell's own", function()
      local said = orders_of { body { type = "custom_rows_2000" } }
      assert.equal(16000, said.sets[CELL][1])
      assert.is_true(said.sets[CELL][2] > 200, "orders of cells: " .. said.sets[CELL][2])
      assert.is_true(said.same < said.above / 20, ("%d of %d cells are ordered as the one above"):format(said.same, said.above))
      assert.equal(6, said.sets["klasstd label title"][2])
    end)

    -- The same objects through a Perl's own hashes: as many kinds of them, and no kind in one order alone, where there are some of it.
    it("is as Perl's", function()
      local ours = body { type = "custom_rows_300" }
      local theirs = orders_of { (through(REWRITTEN, { ours }):gsub("\n$", "")) }
      ours = orders_of { ours }
      for key, counts in pairs(theirs.sets) do
        assert.equal(counts[1], ours.sets[key][1], key)
        if counts[1] > 20 then assert.is_true(counts[2] > 1 and ours.sets[key][2] > 1, key) end
      end
      assert.is_true(theirs.same < theirs.above / 2, "Perl gives each hash an order of its own")
    end)

    it("changes at every level, and rows come before columns in half of the answers", function()
      local bodies = {}
      for i = 1, 24 do bodies[i] = both() end
      local said = orders_of(bodies)
      for key, counts in pairs(said.sets) do assert.is_true(counts[2] > 1, key .. " has one order") end
      for _, key in ipairs { "exporter_details graph request_id table time_details", "inbound outbound", "columns footer rows totalRowCount",
        "pie timeseries", "label label_dns tooltip", "first_time last_time timezone", "epoch formatted", "exporter_hex flow_count", "label title",
        "isRate niceLtr perSecMode" } do
        assert.is_table(said.sets[key], key)
      end
      assert.equal(48, said.tables)
      assert.is_true(said.rows_first > 8 and said.rows_first < 40, "rows first: " .. said.rows_first)
    end)

    it("changes in the answers of plain calls too, and in errors", function()
      local bodies = {}
      for i = 1, 30, 3 do
        bodies[i] = post { rm = "status", view = "topInterfaces", authToken = sandbox.token,
          session_state = '{"query_limit":{"offset":0,"max_num_rows":9}}' }
        bodies[i + 1] = post { rm = "get_known_objects", type = "devices", authToken = sandbox.token }
        bodies[i + 2] = post { rm = "licensing", authToken = "wrong" }
      end
      local said = orders_of(bodies)
      for _, key in ipairs { "ip name", "ip label", "details err", "filterDrag label", "searchStr type" } do
        assert.is_true(said.sets[key][2] > 1, key)
      end
    end)

    it("may be one for all, as an older Perl has it: in every answer the same, by no rule that one sees", function()
      sandbox.post("switches", { keys = "one" })
      local bodies = { body { type = "custom_rows_500" }, both(), both(), body { type = "custom_rows_500" } }
      local said = orders_of(bodies)
      for key, counts in pairs(said.sets) do
        assert.equal(1, counts[2], key)
        if select(2, key:gsub(" ", "")) > 2 then assert.equal(0, counts[3], key) end
      end
      sandbox.post("switches", { seed = 5 })
      assert.equal(2, orders_of({ bodies[1], body { type = "custom_rows_500" } }).sets[CELL][2])
    end)

    -- Perl's canonical text of the same answer, byte for byte.
    it("may be that of the names", function()
      sandbox.post("switches", { keys = "sorted" })
      for _, options in ipairs { { type = "conversations", max = 40 }, { type = "applications", graph = "all", max = 20 } } do
        local ours = body(options)
        assert.equal(ours .. "\n", through(CANONICAL, { ours }))
      end
      local said = orders_of { body { type = "custom_rows_500" }, both() }
      for key, counts in pairs(said.sets) do assert.same({ counts[1], 1, counts[1] }, counts, key) end
    end)

    it("comes again with the seed", function()
      local function text(options) return (body(options):gsub('"0x%x+"', "")) end
      for _, options in ipairs { { type = "custom_rows_700" }, { type = "host2host", max = 50, graph = "all" } } do
        sandbox.post("switches", { seed = 1 })
        local one = text(options)
        assert.equal(one, text(options))
        sandbox.post("switches", { seed = 2 })
        assert.is_true(one ~= text(options))
        sandbox.post("switches", '{"seed":null}')
        assert.is_true(text(options) ~= text(options))
      end
    end)
  end)

  -- Values by kind, and whether rows are what the documents say. Without their order two answers are the same.
  local ROWS = [==[
import hashlib, ipaddress, json, sys
text = sys.stdin.read()
report = json.loads(text)["report"]
part = report["table"]["inbound"]
names = [column.get("elementName") for column in part["columns"]]
kinds, labels, six, places, wrong, late = {}, [], 0, [], 0, 0
for n, cells in enumerate(part["rows"]):
    i = n + 1
    row = {name: cell for name, cell in zip(names, cells)}
    for name in names[1:]:
        kind = type(row[name]["rawValue"]).__name__
        kinds.setdefault(name, {}).setdefault(kind, 0)
        kinds[name][kind] += 1
        assert json.loads(row[name]["dataJson"]) == {"column": name}
        labels.append(row[name]["label"])
    octets = i * 1000 + (2 ** 53 if i % 7 == 0 else 0)
    source = "10.%d.%d.%d" % (i >> 16 & 255, i >> 8 & 255, i & 255)
    wrong += row["sourceipaddress"]["rawValue"] != source or int(row["sum_packetdeltacount"]["rawValue"]) != i
    wrong += int(row["sum_octetdeltacount"]["rawValue"]) != octets
    wrong += cells[0] != {"klasstd": "rank%d" % i, "title": "Rank: %d" % i, "label": "%d" % i}
    to = row["destinationipaddress"]["rawValue"]
    six += to is not None and ipaddress.ip_address(to).version == 6
    first, last = int(row["first_flow_epoch"]["rawValue"]), row["last_flow_epoch"]["rawValue"]
    late += not (1700006400 <= first <= int(last or 1700092799) < 1700092800)
print(json.dumps({"rows": len(part["rows"]), "kinds": kinds, "six": six, "wrong": wrong, "late": late,
    "beyond": sum(any(ord(c) > 127 for c in label) for label in labels), "longest": max(map(len, labels)), "shortest": min(map(len, labels)),
    "lengths": len(set(map(len, labels))),
    "escapes": [mark for mark in ('\\"', '\\\\', '\\/', '\\u00', '\\ud83d', '\\t', '\\n', '\\r') if mark in text],
    "all": hashlib.sha256(json.dumps(part, sort_keys=True).encode()).hexdigest()}))
]==]

  describe("made-up rows", function()
    it("vary as flows do, and hold what anyone can compute", function()
      local said = python(ROWS, { body { type = "custom_rows_2000" } })
      assert.equal(2000, said.rows)
      assert.equal(0, said.wrong)
      assert.equal(0, said.late)
      assert.same({ str = 2000 }, said.kinds.sourceipaddress)
      assert.same({ NoneType = 2000 }, said.kinds.percenttotal)
      assert.same({ str = 1600, int = 400 }, said.kinds.sum_packetdeltacount)
      assert.same({ str = 1600, int = 400 }, said.kinds.sum_octetdeltacount)
      for _, name in ipairs { "commonport", "destinationipaddress", "last_flow_epoch" } do
        assert.is_true(said.kinds[name].NoneType > 20 and said.kinds[name].str > 1000, name)
      end
      assert.is_true(said.kinds.commonport.int > 20 and said.kinds.commonport.float > 20)
      assert.is_true(said.kinds.first_flow_epoch.int > 20 and said.kinds.last_flow_epoch.int > 20)
      assert.is_true(said.six > 500 and said.beyond > 200, said.six .. " " .. said.beyond)
      assert.is_true(said.shortest == 0 and said.longest > 150 and said.lengths > 30)
      assert.equal(8, #said.escapes)
    end)

    it("are the same rows in every order, and on every page", function()
      local said = {}
      for _, keys in ipairs { "shuffled", "one", "sorted", "fixed" } do
        sandbox.post("switches", { keys = keys })
        said[python(ROWS, { body { type = "custom_rows_900" } }).all] = true
      end
      assert.is_nil(next(said, next(said)))
      local whole = sandbox.rows { type = "custom_rows_900", from = DAY, to = NEXT }
      local page = sandbox.rows { type = "custom_rows_900", from = DAY, to = NEXT, offset = 640, max = 100 }
      for i, row in ipairs(page) do assert.same(whole[640 + i], row) end
    end)

    it("have their counters as text, or as numbers, where that is asked for", function()
      for numbers, kind in pairs { strings = "str", numbers = "int" } do
        sandbox.post("switches", { numbers = numbers })
        local kinds = python(ROWS, { body { type = "custom_rows_100" } }).kinds
        for _, name in ipairs { "sum_packetdeltacount", "sum_octetdeltacount", "first_flow_epoch" } do assert.same({ [kind] = 100 }, kinds[name]) end
      end
    end)
  end)

  describe("plain made-up rows", function()
    it("are alike but for what anyone can compute", function()
      sandbox.post("switches", { made_up = "plain" })
      local said = python(ROWS, { body { type = "custom_rows_2000" } })
      assert.equal(0, said.wrong)
      assert.same({ str = 2000 }, said.kinds.sum_octetdeltacount)
      assert.same({ str = 2000 }, said.kinds.last_flow_epoch)
      assert.same({ 0, 0, 0 }, { said.six, said.beyond, #said.escapes - 1 }) -- the dataJson has its quotes
    end)
  end)

  describe("report types", function()
    -- wire-api, 2.2, but for the designed ones.
    local FULL = { "conversations", "host2host", "ipGroupGroup", "applications", "conversationsApp", "conversationsWKP", "connections", "srcHosts",
      "dstHosts", "srcHostFlows", "tos", "interfaces", "flowCountByWKP", "flowCountBySource" }
    local EMPTY = { "country2country", "srcCountries", "topMacsSrc", "newSrcAs", "newDstAs", "srcdomains", "dstdomains", "gigamonSSLVersionCount",
      "postTranslationsNAT", "paApplications", "paUsers", "paFirewallEvents" }

    it("are all there, empty where flows cannot tell", function()
      for _, name in ipairs(FULL) do
        local rows = sandbox.rows { type = name, from = DAY, to = NEXT, max = 2, graph = "all" }
        assert.is_true(#rows > 0, name)
      end
      for _, name in ipairs(EMPTY) do
        local rows, part, report = sandbox.rows { type = name, from = DAY, to = NEXT, graph = "all" }
        assert.same({}, rows, name)
        assert.equal("0", part.totalRowCount)
        assert.is_true(#part.columns > 4)
        assert.same({ inbound = {} }, report.graph.timeseries, name)
      end
    end)

    it("that somebody designed elsewhere are not there", function()
      for _, name in ipairs { "custom_smbversion", "custom_ApplicationSourceCount", "custom_rows_0", "custom_rows_5000001", "custom_rows_" } do
        local answer = sandbox.answer { type = name, from = DAY, to = NEXT }
        assert.same({ report = { error = ("There is no such report: '%s'."):format(name) } }, answer)
      end
    end)
  end)

  it("http loses path and query on its way to https, or the query, or nothing", function()
    local plain = ("http://127.0.0.1:%d/fcgi/scrut_fcgi.fcgi"):format(sandbox.http_port)
    local function location() return sandbox.curl("-i", plain .. "?rm=licensing").body:match "Location: (%S+)" end
    assert.equal(sandbox.url .. "/", location())
    assert.equal(404, sandbox.curl("-L", plain).status)
    sandbox.post("switches", { http = "query_lost" })
    assert.equal(sandbox.endpoint(), location())
    sandbox.post("switches", { http = "kept" })
    assert.equal(sandbox.endpoint() .. "?rm=licensing", location())
  end)

  it("numbers as text are honoured in session_state", function()
    local whole = status '{"query_limit":{"offset":0,"max_num_rows":"100000"}}'
    assert.equal(40, #whole)
    local page = status '{"query_limit":{"offset":"3","max_num_rows":"2"}}'
    assert.equal(2, #page)
    assert.equal(whole[4][6].filterDrag.searchStr, page[1][6].filterDrag.searchStr)
    assert.equal("", sandbox.violations())
    assert.equal(10, #status '{"query_limit":{"offset":0,"max_num_rows":"many"}}')
    assert.equal("type: session_state.query_limit.max_num_rows: a JSON string for a whole number", sandbox.violations())
    sandbox.clear "violations"
  end)

  it("a search is taken by its column and value, whatever its _key says", function()
    local rows = status('{"query_limit":{"offset":0,"max_num_rows":100},"search":[{"column":"exporter_search","value":"192.0.2.3",'
      .. '"comparison":"like","data":{},"_key":"x"}]}')
    assert.equal(10, #rows)
    for _, cells in ipairs(rows) do assert.equal("192.0.2.3", cells[5].ip) end
  end)

  it("many hosts are asked for in one call", function()
    local function seen(hosts)
      return cjson.decode(post { rm = "quick_search", action = "check_hosts", view = "quick_search", authToken = sandbox.token,
        data_requested = ('{"hosts":["%s"]}'):format(table.concat(hosts, '","')) }).rows
    end
    local one, two = seen { "10.8.0.69" }, seen { "192.168.1.1" }
    assert.is_true(#one > 0 and #two > 0)
    assert.equal(#one + #two, #seen { "10.8.0.69", "192.168.1.1" })
  end)

  it("the version is told to anybody, and takes no token", function()
    local fields = { rm = "auth", action = "initLogin", nosso = "0" }
    for _, auth in ipairs { "token", "address", "either" } do
      sandbox.post("switches", { auth = auth, allowed = "192.0.2.1" })
      assert.same({ installedVersion = "19.7.0.87654" }, cjson.decode(post(fields)))
    end
    sandbox.post("switches", { version = "" })
    assert.equal("{}", post(fields))
    assert.is_string(cjson.decode(post { rm = "auth", action = "login" }).err)
    assert.equal("", sandbox.violations())
    fields.authToken = sandbox.token
    post(fields)
    assert.equal("unknown field: the form field authToken: initLogin takes none", sandbox.violations())
    sandbox.clear "violations"
  end)
end)
