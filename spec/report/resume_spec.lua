-- Where a broken walk goes on: what is read out of an error, and that the rest is proven to be the rest.
local json = require "cjson"
local python_server = require "spec.python_server"
local resume = require "scrutinizer.report.resume"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

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
  it("reads and writes proofs, and takes nothing else for one", function()
    local last = ("0123456789abcdef"):rep(4)
    for _, proof in ipairs {
      { answered = false, tied = false },
      { last = last, answered = true, total = 20, time = { first = 1, last = 2 ^ 40 }, ties = "\0\255x", tied = true },
      { last = last, answered = true, tied = true }, { refused = "window" },
    } do
      assert.same(proof, resume.read(resume.text(proof)))
    end
    for _, text in ipairs { "", "1", "2;-;?;-;-", "1;xyz;?;-;-", "1;" .. last .. ";?;-;abc", "1;" .. last .. "00;?;-;-", 7, true } do
      assert.is_nil(resume.read(text))
      assert.is_nil((resume.rest(ONE, { offset = 5, proof = text })))
    end
  end)

  for i, case in ipairs(CASES) do
    it("reads case " .. i, function()
      local one, each = resume.rest(case[1], case[2])
      assert.same(case[3], one)
      assert.same(case[4], each)
    end)
  end
end)

-- ---- against a server whose rows change between two requests ----

local dir, pipe, port, client
local run = 0

-- Rows by falling counts; those at these places have the count of the one before.
local function rows_of(count, ties)
  local list, tied = {}, {}
  for _, at in ipairs(ties or {}) do tied[at] = true end
  for i = 1, count do list[i] = { "host" .. i, tied[i] and list[i - 1][2] or 1000 - 10 * i } end
  return list
end

local function copy_of(list)
  local copy = {}
  for i, row in ipairs(list) do copy[i] = row end
  return copy
end

local function write(name, text)
  support.write(dir .. "/" .. name, text)
end

-- What the server has from now on.
local function have(state)
  run = run + 1
  state.run = run
  write("state", json.encode(state))
  write("log", "")
end

local function asked()
  local list = {}
  for line in io.lines(dir .. "/log") do list[#list + 1] = line end
  return list
end

local function connect(options)
  if client then client:close() end
  local all = { url = "http://127.0.0.1:" .. port, allow_http = true, token = "a-token-of-this-spec", retry = false, tls = {} }
  for name, value in pairs(options or {}) do all[name] = value end
  client = assert(scrutinizer.connect(all))
end

local function query()
  local made = client:report("host2host"):between(1795341600, 1795342800):page_size(5)
  return made
end

local function names(rows)
  local list = {}
  for i, row in ipairs(rows) do list[i] = row.name end
  return table.concat(list, " ")
end

local function expected(rows, from, to)
  local list = {}
  for i = from, to or #rows do list[#list + 1] = rows[i][1] end
  return table.concat(list, " ")
end

-- The error as it is, and as it comes back from a file.
local function as_json(err) return { resume = json.decode(json.encode(err.resume)) } end
local WAYS = { { "in this process", function(err) return err end }, { "out of JSON", as_json } }

-- A walk over 20 rows in pages of 5 whose third answer is as said. Gives the error; the rows before it are the report's.
local function break_at_page_3(answer, state)
  state = state or {}
  state.inbound = state.inbound or rows_of(20)
  state.answers = { "ok", "ok", answer }
  have(state)
  local got, err = support.walk(query())
  assert.is_table(err)
  assert.equal(expected(state.inbound, 1, #got), names(got))
  return err, #got, state
end

local function start()
  dir = support.folder()
  pipe, port = python_server.start("rows_server", dir)
end

local function stop()
  client:close()
  client = nil
  pipe:close()
  support.shell("rm -rf " .. dir)
end

describe("a walk that is taken up", function()
  setup(start)
  teardown(stop)
  before_each(function() connect() end)

  for _, way in ipairs(WAYS) do
    it("begins with the last row given, and gives the rest: " .. way[1], function()
      local err, given, state = break_at_page_3 "cut"
      assert.equal("truncated", err.kind)
      assert.is_true(given > 9 and given < 14, given)
      assert.same({ offset = given }, support.place(err.resume))
      have { inbound = state.inbound }
      local rest, again = support.walk(query():resume(way[2](err)))
      assert.is_nil(again)
      assert.equal(expected(state.inbound, given + 1), names(rest))
      assert.equal(("inbound %d 5"):format(given - 1), asked()[1])
    end)

    it("is changed, before any row, when the report is another: " .. way[1], function()
      local function changes(rows)
        local list = { inserted = copy_of(rows), deleted = copy_of(rows), swapped = copy_of(rows), grown = copy_of(rows) }
        table.insert(list.inserted, 3, { "late", 975 })
        table.remove(list.deleted, 3)
        table.insert(list.swapped, 3, { "late", 975 }) -- one came and one went: the same total
        table.remove(list.swapped)
        list.grown[#list.grown + 1] = { "late", 1 }
        return list
      end
      for _, what in ipairs { "inserted", "deleted", "swapped", "grown" } do
        local err, _, state = break_at_page_3 "cut"
        have { inbound = changes(state.inbound)[what] }
        local rest, again = support.walk(query():resume(way[2](err)))
        assert.same({}, rest, what)
        assert.equal("changed", again and again.kind, what)
      end
      local err, given, state = break_at_page_3 "cut"
      have { inbound = state.inbound, window = { 1795341600, 1795342799 } }
      local rest, again = support.walk(query():resume(way[2](err)))
      assert.same({}, rest)
      assert.matches("time range has changed", again.message)
      assert.same({ offset = given }, support.place(again.resume)) -- and it can be tried once more
      have { inbound = state.inbound }
      assert.equal(expected(state.inbound, given + 1), names((support.walk(query():resume(way[2](again))))))
    end)

    it("is changed when a row comes again that ties with the last one given: " .. way[1], function()
      local rows = rows_of(20, { 8, 9, 10, 11, 12, 13, 14, 15, 16 })
      local err, given = break_at_page_3("drop", { inbound = rows })
      assert.equal(9, given)
      have { inbound = rows }
      assert.equal(expected(rows, 10), names((support.walk(query():resume(way[2](err))))))
      local moved = copy_of(rows)
      moved[8], moved[13] = moved[13], moved[8] -- of one count, in another order: row 9 stays where it was
      have { inbound = moved }
      local rest, again = support.walk(query():resume(way[2](err)))
      assert.equal("changed", again and again.kind)
      assert.equal(expected(rows, 10, 12), names(rest))
    end)
  end

  it("cannot be proven by JSON where more rows tie than are kept in it; in the process it can", function()
    local many = {}
    for i = 1, 1500 do many[i] = { "host" .. i, 7 } end
    have { inbound = many, answers = { "ok", "drop" } }
    local big = query():page_size(1400)
    local got, err = support.walk(big)
    assert.equal(1400, #got)
    have { inbound = many }
    assert.equal(expected(many, 1401), names((support.walk(big:resume(err)))))
    local rest, again = support.walk(big:resume(as_json(err)))
    assert.same({}, rest)
    assert.same({ "limit", false }, { again.kind, again.retryable })
    assert.matches("run the query again from its beginning", again.message)
  end)

  it("holds limit, offset, both directions and aggregates", function()
    local rows = rows_of(20)
    have { inbound = rows, answers = { "ok", "drop" } }
    local limited = query():offset(2):limit(9)
    local _, err = support.walk(limited)
    assert.same({ offset = 7, remaining = 4 }, support.place(err.resume))
    have { inbound = rows }
    assert.equal(expected(rows, 8, 11), names((support.walk(limited:resume(as_json(err))))))
    have { inbound = rows }
    local groups = assert(limited:resume(err):aggregate { by = { "name" }, count = true })
    assert.equal(4, #groups)

    -- The table ends "]]}}}}": of the last row itself nothing is missing up to the fifth byte.
    for missing = 1, 6 do
      have { inbound = rows, answers = { "ok", "cut " .. missing } }
      local got
      got, err = support.walk(query():limit(9))
      local left = missing > 5 and { offset = 8, remaining = 1 } or nil
      assert.same({ "truncated", left and 8 or 9, left }, { err.kind, #got, support.place(err.resume) })
      have { inbound = rows, outbound = rows, answers = { "ok", "ok", "ok", "ok", "cut " .. missing } }
      _, err = support.walk(query():both():page_size(3):limit(6))
      left = { outbound = missing > 5 and { offset = 4, remaining = 2 } or { offset = 5, remaining = 1 } }
      assert.same({ "truncated", left }, { err.kind, support.place(err.resume) }, missing)
    end

    have { inbound = rows, outbound = rows_of(8), answers = { "ok", "ok", "ok", "ok", "ok", "ok", "drop" } }
    local both = query():both()
    local got
    got, err = support.walk(both)
    assert.equal(25, #got)
    assert.same({ outbound = { offset = 5 } }, support.place(err.resume))
    have { inbound = rows, outbound = rows_of(8) }
    assert.equal("host6 host7 host8", names((support.walk(both:resume(as_json(err))))))
    have { inbound = rows, outbound = rows_of(9) }
    assert.equal("changed", select(2, support.walk(both:resume(as_json(err)))).kind)

    -- Outbound had not begun: it is of the same window, or it is not given.
    have { inbound = rows, outbound = rows_of(8), answers = { "ok", "ok", "drop" } }
    got, err = support.walk(both)
    assert.same({ inbound = { offset = #got }, outbound = { offset = 0 } }, support.place(err.resume))
    have { inbound = rows, outbound = rows_of(8) }
    local rest = support.walk(both:resume(as_json(err)))
    assert.equal(expected(rows, #got + 1) .. " " .. expected(rows, 1, 8), names(rest))
    for i, row in ipairs(rest) do assert.equal(i <= 20 - #got and "inbound" or "outbound", row.direction) end
  end)

  it("shows what it will ask for, and forgets the proof with another offset", function()
    local err, given = break_at_page_3 "drop"
    local function limits(made) return (made:request().data_requested:match '"query_limit":(%b{})') end
    assert.equal(('{"max_num_rows":5,"offset":%d}'):format(given - 1), limits(query():resume(err)))
    assert.equal('{"max_num_rows":5,"offset":3}', limits(query():resume(err):offset(3)))
    have { inbound = rows_of(4) }
    assert.equal(4, query():resume(err):count())
    assert.equal("changed", select(2, query():resume(err):first()).kind)
  end)

  it("of times that move, where no answer has said the window, is never given as the rest", function()
    have { inbound = rows_of(20), window = json.null, answers = { "cut" } }
    local named = client:report("host2host"):range "LastHour"
    local got, err = support.walk(named)
    assert.is_true(#got > 0 and #got < 20)
    have { inbound = rows_of(20), window = json.null }
    local rest, again = support.walk(named:resume(err))
    assert.same({}, rest)
    assert.same({ "changed", false }, { again.kind, again.retryable })
    assert.matches("relative to now", again.message)
  end)

  it("that only gathered rows begins again: none were given", function()
    for _, way in ipairs { "fetch", "aggregate" } do
      have { inbound = rows_of(20), answers = { "ok", "ok", "drop" } }
      local limited = query():offset(1):limit(18)
      local _, err = limited[way](limited, { by = { "name" }, count = true })
      assert.same({ offset = 1, remaining = 18 }, err.resume)
      have { inbound = rows_of(20) }
      assert.equal(18, #assert(limited:resume(err):fetch()).rows)
    end
    for _, way in ipairs { "first", "count" } do
      have { inbound = rows_of(20), answers = { "drop" } }
      local made = query()
      local _, err = made[way](made)
      assert.is_nil(err.resume)
    end
    have { inbound = rows_of(20), answers = { "ok", "drop" } }
    local path = dir .. "/rows.csv"
    local _, err = require("scrutinizer.export").csv(query(), path)
    assert.equal("connect", err.kind)
    assert.is_nil(err.resume) -- the file is not there
    assert.is_nil(io.open(path))
  end)

  local EMPTY_PAGE = '{"report":{"time_details":{"first_time":{"epoch":1795341600},"last_time":{"epoch":1795342740}},'
    .. '"table":{"inbound":{"rows":[],"totalRowCount":"%d"}}}}'

  -- Every kind that can end a walk, on its third page. Not here: `file` (a recording that ends: recorder_spec) and `phase` (a fork: the same
  -- way out); `bill` ends no walk.
  for _, case in ipairs {
    { "connect", "drop" }, { "timeout", "delay", { timeout = 0.3 } }, { "http", "500" }, { "http", "503" }, { "auth", "401" }, { "auth", "403" },
    { "auth", '{"err":"The token has expired.","details":"invalidToken"}' }, { "auth", '{"err":"oauthFailure"}' },
    { "api", '{"err":"The database is away."}' }, { "api", '{"report":{"error":"No such table."}}' }, { "decode", "html" },
    { "decode", '{"report":{"table":{"inbound":{"rows":[],"rows":[]}}}}' }, { "truncated", "cut" },
    { "truncated", (EMPTY_PAGE:format(20)) },
    { "changed", (EMPTY_PAGE:format(21)) }, { "tls", "redirect" },
    { "limit", '{"report":{"error":"' .. ("x"):rep(70000) .. '"}}', { max_body = 60000 } },
    { "cancelled", "delay", { closes = true } },
  } do
    it(("by an error of kind %s (%s) has a rest, and gives it"):format(case[1], case[2]:sub(1, 40)), function()
      local options = case[3] or {}
      if options.closes then
        options = { wait = function(seconds)
          if #asked() == 3 then client:close() end
          support.shell("sleep " .. math.min(seconds, 0.02))
        end }
      end
      connect(options)
      local answer = case[2] == "redirect" and "redirect " .. support.sandbox().url .. "/" or case[2] -- of an authority unknown here
      local err, given, state = break_at_page_3(answer)
      assert.equal(case[1], err.kind, tostring(err))
      assert.is_true(given >= 9 and given < 15, given)
      assert.same({ offset = given }, support.place(err.resume))
      assert.is_string(err.resume.proof)
      connect()
      have { inbound = state.inbound }
      local rest, again = support.walk(query():resume(err))
      assert.is_nil(again)
      assert.equal(expected(state.inbound, given + 1), names(rest))
    end)
  end
end)

describe("an appliance that caps both directions together", function()
  setup(start)
  teardown(stop)
  before_each(function() connect() end)

  it("is asked for outbound alone where inbound left no room for it", function()
    for _, total in ipairs { true, false } do
      for inbound = 0, 12 do
        for _, outbound in ipairs { 0, 1, 6, 7 } do
          have { inbound = rows_of(inbound), outbound = rows_of(outbound), cap = 6, total = total }
          local got, err = support.walk(client:report("host2host"):between(1795341600, 1795342800):both())
          local what = ("%d and %d rows, total %s"):format(inbound, outbound, tostring(total))
          assert.is_nil(err, what .. ": " .. tostring(err))
          assert.equal(inbound + outbound, #got, what)
          for i, row in ipairs(got) do
            assert.equal(i <= inbound and "inbound" or "outbound", row.direction, what)
            assert.equal("host" .. (i <= inbound and i or i - inbound), row.name, what)
          end
          if total and inbound == 6 then -- the case in point: one request more, and only where outbound has rows
            local seen = asked()
            assert.equal(outbound > 0 and "outbound 0 10000000000" or nil, seen[2], what)
          end
        end
      end
    end
  end)

  it("also in aggregates, with limits, and counted", function()
    have { inbound = rows_of(6), outbound = rows_of(5), cap = 6 }
    local both = client:report("host2host"):between(1795341600, 1795342800):both()
    assert.equal(6, #assert(both:aggregate { by = { "name" }, count = true }))
    assert.equal(11, both:count())
    local report = assert(both:limit(6):fetch())
    assert.equal(11, #report.rows)
    assert.same({ inbound = 6, outbound = 5 }, report.totals)
    assert.equal(10, #assert(both:limit(5):fetch()).rows)
  end)
end)
