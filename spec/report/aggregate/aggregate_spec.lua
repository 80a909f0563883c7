-- query:aggregate against sums made elsewhere: awk over the flows, and arithmetic that anyone can do for the made-up rows.

local answers = require "spec.answers"
local command = require "spec.command"
local core = require "scrutinizer.core"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local SANITIZED = os.getenv "SCRUTINIZER_SANITIZED"
local DAY = { "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z" }

local function day(client, report_type)
  return client:report(report_type or "host2host"):between(DAY[1], DAY[2])
end

-- Whole numbers of any size as python writes them.
local function python(expression)
  return (support.shell("python3 -c " .. support.quote("print(" .. expression .. ")")):gsub("%s+$", ""))
end

local function as_text(value)
  if type(value) == "number" then return ("%.0f"):format(value) end
  return value
end

describe("aggregate", function()
  local client
  support.client_for_each(function(made) client = made end)

  it("gives each source's octets as awk does, descending", function()
    local expected = {}
    for line in support.awk([[NR > 1 { s[$7] += $12 } END { for (k in s) print k, s[k] }]]):gmatch "[^\n]+" do
      local ip, octets = line:match "^(%S+) (%d+)$"
      expected[ip] = tonumber(octets)
    end
    local groups = assert(day(client):aggregate { by = { "sourceipaddress" }, sum = { "sum_octetdeltacount" } })
    local got, before = {}, math.huge
    for _, group in ipairs(groups) do
      got[group.sourceipaddress] = group.sum_octetdeltacount
      assert.is_true(group.sum_octetdeltacount <= before)
      before = group.sum_octetdeltacount
    end
    assert.same(expected, got)
  end)

  it("goes by aliases, and gives minima, maxima and counts", function()
    local query = day(client):select { src = "sourceipaddress", octets = "sum_octetdeltacount" }
    local expected = {}
    for row in query:rows() do
      local group = expected[row.src] or { src = row.src, sum_octets = 0, min_octets = row.octets, max_octets = row.octets, count = 0 }
      expected[row.src] = group
      group.sum_octets, group.count = group.sum_octets + row.octets, group.count + 1
      group.min_octets, group.max_octets = math.min(group.min_octets, row.octets), math.max(group.max_octets, row.octets)
    end
    local options = { by = { "src" }, sum = { "octets" }, min = { "octets" }, max = { "octets" }, count = true }
    local groups = assert(query:aggregate(options))
    for _, group in ipairs(groups) do
      assert.same(expected[group.src], group)
      expected[group.src] = nil
    end
    assert.is_nil(next(expected))
    options.top = 3
    assert.same({ groups[1], groups[2], groups[3] }, assert(query:aggregate(options)))
  end)

  it("is the same over pages, over capped answers, and within a limit", function()
    local options = { by = { "sourceipaddress" }, sum = { "sum_octetdeltacount" }, count = true }
    local whole = assert(day(client):aggregate(options))
    assert.same(whole, assert(day(client):page_size(700):aggregate(options)))
    support.faults { { kind = "cap_rows", rows = 2000, times = 20 } }
    assert.same(whole, assert(day(client):aggregate(options)))
    support.clear()
    local expected = {}
    for row in day(client):limit(150):offset(20):page_size(40):rows() do
      expected[row.sourceipaddress] = (expected[row.sourceipaddress] or 0) + row.sum_octetdeltacount
    end
    for _, group in ipairs(assert(day(client):limit(150):offset(20):page_size(40):aggregate(options))) do
      assert.equal(expected[group.sourceipaddress], group.sum_octetdeltacount)
      expected[group.sourceipaddress] = nil
    end
    assert.is_nil(next(expected))
  end)

  it("takes both directions, and tells them apart when asked", function()
    local one = assert(day(client):aggregate { sum = { "sum_octetdeltacount" }, count = true })
    for _, query in ipairs { day(client):both(), day(client):both():page_size(3000) } do
      local groups = assert(query:aggregate { by = { "direction" }, sum = { "sum_octetdeltacount" }, count = true })
      assert.equal(2, #groups)
      assert.equal("inbound", groups[1].direction)
      assert.equal("outbound", groups[2].direction)
      assert.equal(one[1].sum_octetdeltacount, groups[1].sum_octetdeltacount)
      assert.equal(one[1].count, groups[2].count)
    end
  end)

  it("is exact beyond the host's integers", function()
    local n = SANITIZED and 20000 or 100000
    local groups = assert(client:report("custom_rows_" .. n):last(3600)
      :select { octets = "sum_octetdeltacount", packets = "sum_packetdeltacount" }
      :aggregate { sum = { "octets", "packets" }, max = { "octets" }, count = true })
    local sum = python(("sum(i * 1000 + (2**53 if i %% 7 == 0 else 0) for i in range(1, %d + 1))"):format(n))
    assert.equal(sum, as_text(groups[1].sum_octets))
    assert.equal("string", type(groups[1].sum_octets))
    assert.equal(n * (n + 1) / 2, groups[1].sum_packets)
    assert.equal(n, groups[1].count)
    assert.equal(python(("max(i * 1000 + 2**53 for i in range(7, %d + 1, 7))"):format(n)),
      (as_text(groups[1].max_octets):gsub("%.0$", "")))
  end)

  it("says what cannot be added up, and keeps nothing", function()
    local groups, err = day(client):aggregate { sum = { "sourceipaddress" } }
    assert.is_nil(groups)
    assert.equal("decode", err.kind)
    assert.equal("'sourceipaddress' has a value that is not a number, so it cannot be aggregated", err.message)
    groups, err = day(client):aggregate { by = { "nowhere" }, count = true }
    assert.is_nil(groups)
    assert.equal("api", err.kind)
    assert.matches("no column 'nowhere' in this report; it has: rank, sourceipaddress, ", err.message)
  end)

  local MISUSE = {
    { nil, "aggregate: got nil; allowed: a table with by" },
    { {}, "aggregate: set at least one of by, sum, min, max, count" },
    { { by = 5 }, "aggregate: by: got 5; allowed: a list of field names" },
    { { by = { "a", "a" } }, 'aggregate: by: got "a"; allowed: a name that is not in the list yet' },
    { { sum = { 1 } }, "aggregate: sum: got a table; allowed: a list of field names" },
    { { sum = { "a" }, top = 0 }, "aggregate: top: got 0; allowed: a whole number from 1" },
    { { sum = { "a" }, count = 1 }, "aggregate: count: got 1; allowed: true or false" },
    { { sum = { "a" }, avg = { "a" } }, 'aggregate: option: got "avg"; allowed: by, sum, min, max, count, top' },
  }
  it("raises at the caller's line", function()
    local query = client:report("host2host"):last(60)
    for _, case in ipairs(MISUSE) do
      local _, message = pcall(function()
        local _ = query:aggregate(case[1])
      end)
      assert.matches("aggregate_spec%.lua:%d+: ", message)
      assert.equal(case[2], (message:gsub("^.-:%d+: ", "")):sub(1, #case[2]))
    end
    local _, message = pcall(function()
      local _ = query:select("a"):aggregate { by = { "b" }, count = true }
    end)
    assert.matches('aggregate: by: got "b"; allowed: a field that the query selects$', message)
  end)

  it("stops at a million groups", function()
    if SANITIZED or os.getenv "SCRUTINIZER_LUA" ~= "lua5.4" then return end -- the core is the same
    support.switches { rows_before_columns = "never" } -- or so many rows would have to be held
    local groups, err = client:report("custom_rows_1000001"):last(3600):aggregate { by = { "sourceipaddress" }, count = true }
    assert.equal("nil", type(groups)) -- a million rows take long to show
    assert.equal("limit", err.kind)
    assert.matches("more than 1000000 groups", err.message)
  end)
end)

-- A client of a program that always gives the same answer: `count` rows, a host each, whose sums `sum(i)` says as texts. And what removes it.
local function fixed_answer(count, sum, host)
  local rows, answer, program = {}, command.temporary(), command.temporary()
  for i = 1, count do
    rows[i] = answers.array { answers.rank(i), answers.cell("host", host and host(i) or "h" .. i), answers.cell("sum_octetdeltacount", sum(i)) }
  end
  local columns = { answers.rank_column(), answers.column "host", answers.column "sum_octetdeltacount" }
  command.write(answer, answers.write(answers.report("inbound", answers.direction(columns, rows))))
  command.write(program, ("#!/bin/sh\ncat >/dev/null\ncat %s\n"):format(answer), "700")
  local function remove()
    os.remove(answer)
    os.remove(program)
  end
  return assert(scrutinizer.connect { command = program }), remove
end

describe("an aggregate of a few rows", function()
  -- Groups of rows with these sums, and hosts where they are said.
  local function groups_of(sums, hosts, options)
    local client, remove = fixed_answer(#sums, function(i) return sums[i] end, function(i) return hosts and hosts[i] or "h" end)
    local groups, err = client:report("hosts"):last(3600):select { host = "host", octets = "sum_octetdeltacount" }:aggregate(options)
    client:close()
    remove()
    return groups, err
  end

  local MOST = "170141183460469231731687303715884105727" -- 2^127 - 1, as Python writes it

  it("is exact up to 127 bits, and an error beyond: in one number, and in a sum", function()
    local function sum(...) return groups_of({ ... }, nil, { sum = { "octets" }, min = { "octets" }, max = { "octets" } }) end
    local one = assert(sum(MOST))[1]
    assert.same({ MOST, MOST, MOST }, { one.sum_octets, one.min_octets, one.max_octets })
    one = assert(sum(MOST, "-1", "-" .. MOST))[1]
    assert.same({ "-1", "-" .. MOST, MOST }, { as_text(one.sum_octets), one.min_octets, one.max_octets })
    for _, bad in ipairs { { MOST, "1" }, { "-" .. MOST, "-2" }, { MOST, MOST }, { "170141183460469231731687303715884105728" }, { ("9"):rep(39) },
      { ("9"):rep(60) }, { "1" .. ("0"):rep(39) } } do
      local groups, err = sum((unpack or table.unpack)(bad))
      assert.is_nil(groups)
      assert.equal("decode", err.kind)
      assert.equal("'octets' has a value that is not a number, so it cannot be aggregated", err.message)
    end
  end)

  it("puts sums of any size in order, the greatest first", function()
    -- As Python's sorted has them: on both sides of 63 and of 64 bits, and what 64 bits would make of them is another order.
    local over = { "36893488147419103233", "27670116110564327424", "18446744073709551617", "18446744073709551616", "9223372036854775808",
      "9223372036854775807", "9223372036854775806", "7", "0" }
    local under = { "7", "0", "-1", "-9223372036854775807", "-9223372036854775808", "-9223372036854775809", "-18446744073709551615",
      "-18446744073709551617" }
    for _, sorted in ipairs { over, under } do
      for shift = 0, #sorted - 1 do
        local sums, hosts = {}, {}
        for i = 1, #sorted do
          sums[i] = sorted[(i * 5 + shift) % #sorted + 1]
          hosts[i] = "h" .. i
        end
        local groups = assert(groups_of(sums, hosts, { by = { "host" }, sum = { "octets" } }))
        for i, group in ipairs(groups) do assert.equal(sums[tonumber(group.host:sub(2))], sorted[i]) end
        groups = assert(groups_of(sums, hosts, { by = { "host" }, sum = { "octets" }, top = 3 }))
        for i = 1, 3 do assert.equal(sums[tonumber(groups[i].host:sub(2))], sorted[i]) end
      end
    end
  end)

  it("puts sums that round to the same double in order", function()
    -- python: sorted(fractions.Fraction(...), reverse=True): what is behind the point, or beyond 53 bits, decides.
    local sorted = { "1152921504606846978", "1152921504606846977", "1152921504606846976.5", "1152921504606846976", "1152921504606846975.5",
      "1152921504606846975" }
    for shift = 0, #sorted - 1 do
      local sums, hosts, got = {}, {}, {}
      for i = 1, #sorted do
        local whole, rest = sorted[(i * 5 + shift) % #sorted + 1]:match "^(%d+)(.*)$"
        sums[#sums + 1], hosts[#hosts + 1] = whole, "h" .. i .. "_" .. whole .. rest
        if rest ~= "" then sums[#sums + 1], hosts[#hosts + 1] = "0" .. rest, hosts[#hosts] end
      end
      for i, group in ipairs(assert(groups_of(sums, hosts, { by = { "host" }, sum = { "octets" } }))) do got[i] = group.host:match "_(.*)" end
      assert.same(sorted, got)
    end
  end)

  it("keeps absent, empty and equal texts apart, and sorts them by their bytes", function()
    local groups = assert(groups_of({ "1", "1", "1", "1", "1", "1" },
      { "", answers.NULL, "ab", "a", "b", "a" }, { by = { "host" }, sum = { "octets" } }))
    local names = {}
    for i, group in ipairs(groups) do names[i] = tostring(group.host) .. "=" .. group.sum_octets end
    assert.equal("a=2", names[1])
    assert.same({ "ab=1", "b=1" }, { names[4], names[5] })
    table.sort(names)
    assert.same({ "=1", "a=2", "ab=1", "b=1", "nil=1" }, names)
  end)
end)

describe("the first groups", function()
  local MANY = SANITIZED and 6000 or 20000

  local function check(sum)
    local client, remove = fixed_answer(MANY, sum)
    local query = client:report("hosts"):last(3600):select { host = "host", octets = "sum_octetdeltacount" }
    local options = { by = { "host" }, sum = { "octets" } }
    local all = assert(query:aggregate(options))
    assert.equal(MANY, #all)
    for _, top in ipairs { 1, 7, 1000, MANY - 1, MANY, MANY + 1 } do
      options.top = top
      local groups = assert(query:aggregate(options))
      assert.equal(math.min(top, MANY), #groups)
      for i, group in ipairs(groups) do
        assert.equal(all[i].host, group.host)
        assert.equal(all[i].sum_octets, group.sum_octets)
      end
    end
    client:close()
    remove()
    return all
  end

  it("are the first of all, where many sums are the same", function()
    local chance = answers.chance(7)
    local all = check(function() return ("%d"):format(chance(50)) end)
    for i = 2, MANY do
      local a, b = all[i - 1], all[i]
      assert.is_true(a.sum_octets > b.sum_octets or a.sum_octets == b.sum_octets and a.host < b.host)
    end
  end)

  it("are the first of all, where sums pass 64 bits and have fractions late", function()
    local huge = "170141183460469231731687303715884105"
    local all = check(function(i)
      if i == MANY then return huge end
      return i > MANY - 50 and ("%d.5"):format(i) or ("%d"):format(i * 7919 % MANY)
    end)
    assert.equal(huge, all[1].sum_octets)
    for i = 3, MANY do assert.is_true(all[i - 1].sum_octets >= all[i].sum_octets) end
  end)
end)

describe("the core's aggregate", function()
  it("may be closed twice, and says so when used after", function()
    local sums = core.aggregate { fields = { "a" }, by = { 1 }, folded = {} }
    sums:close()
    sums:close()
    assert.has_error(function() sums:rows() end, "attempt to use a closed aggregate")
  end)

  it("is collected when dropped", function()
    local weak = setmetatable({ core.aggregate { fields = { "a" }, by = { 1 }, folded = {} } }, { __mode = "v" })
    support.collect()
    assert.is_nil(weak[1])
  end)
end)
