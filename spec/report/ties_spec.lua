-- Rows that tie may come in another order each time: whatever the appliance does between two requests, the rows are the report's, each once, or
-- the walk ends in an error of kind `changed` with `resume`. Never a wrong row.
local support = require "spec.support"

local FROM, TO = 1795341600, 1795342800
local client, whole

local function report()
  local query = client:report("host2host"):between(FROM, TO):order_by "sum_packetdeltacount" -- of which many have the same
  return query
end

local function key(row) return row.sourceipaddress .. " " .. row.destinationipaddress end

-- The rows that come are of the report, none twice, in an order that it could have. Gives how many, and the error.
local function walk(query)
  local rows, seen, count = query:rows(), {}, 0
  local right = {}
  for _, row in ipairs(whole) do right[key(row)] = row.sum_octetdeltacount end
  local row, err = rows:next()
  while row do
    count = count + 1
    local name = key(row)
    assert.is_nil(seen[name], "twice: " .. name)
    seen[name] = true
    assert.equal(right[name], row.sum_octetdeltacount)
    assert.equal(whole[count].sum_packetdeltacount, row.sum_packetdeltacount or whole[count].sum_packetdeltacount)
    row, err = rows:next()
  end
  if err then
    assert.equal("changed", err.kind, tostring(err))
    assert.is_true(err.retryable)
    assert.same({ offset = count }, support.place(err.resume))
    assert.is_true(count < #whole)
  else
    assert.equal(#whole, count)
  end
  return count, err
end

-- Where a run of rows with the same number of packets begins and ends.
local function runs()
  local list, from = {}, 1
  for i = 2, #whole + 1 do
    if i > #whole or whole[i].sum_packetdeltacount ~= whole[from].sum_packetdeltacount then
      if i - from > 1 then list[#list + 1] = { from = from, to = i - 1 } end
      from = i
    end
  end
  return list
end

support.client_for_each(function(made)
  client = made
  whole = whole or assert(report():fetch()).rows
  support.clear()
end, { retry = { attempts = 10, base = 0.001, cap = 0.002 } })

local MANY = support.sanitized or os.getenv "SANDBOX_CHECKED"

describe("rows that tie, in another order for each request", function()
  it("are all there, each once, or it is changed: over pages of every kind of end", function()
    local list = runs()
    assert.is_true(#list >= 3)
    local ended, round = 0, 0
    repeat
      round = round + 1
      for _, size in ipairs { list[1].from, list[1].to, list[2].from, 40, 75, 100 } do
        support.clear()
        support.switches { ties = "shuffled" }
        local _, err = walk(report():page_size(size))
        if err then ended = ended + 1 end
      end
    until (round >= (MANY and 2 or 6) and ended > 0) or round == 20
    assert.is_true(ended > 0) -- the spec can fail: shuffled rows are met
  end)

  it("with select and without, in aggregates, and reversed", function()
    local list = runs()
    local middle = math.floor((list[#list].from + list[#list].to) / 2)
    for _, query in ipairs {
      report():page_size(middle), report():page_size(middle):select("sourceipaddress", "destinationipaddress", "sum_octetdeltacount"),
    } do
      support.clear()
      support.faults { { kind = "none" }, { kind = "switch", name = "ties", value = "reverse" } }
      walk(query)
    end
    local names = report():select("sourceipaddress", "destinationipaddress"):page_size(middle)
    for _ = 1, 3 do
      support.clear()
      support.switches { ties = "shuffled" }
      local seen, count, rows = {}, 0, names:rows()
      local row = rows:next()
      while row do
        count = count + 1
        assert.is_nil(seen[key(row)])
        seen[key(row)] = true
        row = rows:next()
      end
      assert.is_true(count >= middle)
      support.clear()
      support.switches { ties = "shuffled" }
      local groups, err = names:aggregate { by = { "sourceipaddress", "destinationipaddress" }, count = true }
      for _, group in ipairs(groups or {}) do assert.equal(1, group.count) end
      assert.is_true(groups == nil or #groups == #whole)
      assert.is_true(groups ~= nil or err.kind == "changed")
    end
  end)

  it("are all there, each once, or it is changed: where an answer breaks off among them", function()
    local ended, i = 0, 0
    repeat -- until chance has shown both ends, at last
      i = i + 1
      support.clear()
      support.switches { ties = "shuffled", rows_before_columns = "never" }
      support.faults { { kind = "reset", after_bytes = 90000 + (i - 1) % 8 * 9000 + 9000 } }
      local _, err = walk(report())
      if err then ended = ended + 1 end
    until (i >= (MANY and 3 or 8) and ended > 0) or i == 40
    assert.is_true(ended > 0)
  end)
end)

describe("a walk that was ended by rows that tie", function()
  it("is taken up by query:resume: the rest has none of those given, or it is changed again", function()
    local ended_again, done = 0, 0
    local shuffled = { kind = "switch", name = "ties", value = "shuffled" }
    for _ = 1, MANY and 4 or 12 do
      support.clear()
      support.faults { { kind = "none" }, shuffled, shuffled }
      local query, seen, count = report():page_size(130), {}, 0
      local function take(from)
        local rows = from:rows()
        local row, err = rows:next()
        while row do
          count = count + 1
          assert.is_nil(seen[key(row)])
          seen[key(row)] = true
          row, err = rows:next()
        end
        return err
      end
      local err = take(query)
      if err then
        assert.equal("changed", err.kind)
        assert.same({ offset = count }, support.place(err.resume))
        err = take(query:resume(err))
        if err then
          assert.equal("changed", err.kind)
          ended_again = ended_again + 1
        else
          assert.equal(#whole, count)
          done = done + 1
        end
      end
    end
    assert.is_true(ended_again + done > 0)
  end)
end)

describe("rows that tie, in the same order for each request", function()
  it("end nothing: pages end anywhere among them, and answers break off there", function()
    for _, size in ipairs { 30, 61, 75, 90, 113 } do
      support.clear()
      local count, err = walk(report():page_size(size))
      assert.is_nil(err)
      assert.equal(#whole, count)
    end
    for at = 90000, 160000, 23000 do
      support.clear()
      support.switches { rows_before_columns = "never" }
      support.faults { { kind = "reset", after_bytes = at }, { kind = "reset", after_bytes = 20000 } }
      local _, err = walk(report())
      assert.is_nil(err)
    end
  end)

  it("that cannot be told apart end nothing", function()
    local function cell(name, value) return ('{"rawValue":%s,"label":"%s","title":"x"}'):format(value, name) end
    local columns = '[{"elementName":"name","label":"","title":""},{"elementName":"sum_a","label":"a","title":"a","defaultSort":"DESC"}]'
    local function page(from, to)
      local rows = {}
      for i = from, to do rows[#rows + 1] = "[" .. cell(i, "null") .. "," .. cell("x", '"7"') .. "]" end
      local body = '{"report":{"time_details":{},"table":{"inbound":{"columns":%s,"totalRowCount":"9","rows":[%s]}}}}'
      return { kind = "status", status = 200, body = body:format(columns, table.concat(rows, ",")) }
    end
    support.faults { page(1, 4), page(4, 7), page(7, 9) }
    local got = assert(client:report("host2host"):between(FROM, TO):page_size(4):select("name.label"):fetch())
    for i, row in ipairs(got.rows) do assert.equal(tostring(i), row["name.label"]) end
    assert.equal(9, #got.rows)
    support.clear()
  end)

  it("are more than can be remembered: an error says so, before it could be wrong", function()
    client:close()
    client = support.connect { max_held = 16 * 8 * 16 } -- sixteen places
    support.clear()
    local _, err = client:report("host2host"):between(FROM, TO):page_size(#whole - 1):select("sourceipaddress"):fetch()
    assert.is_true(err == nil or err.kind == "limit" or err.kind == "changed", tostring(err))
  end)
end)

describe("late flows between two answers", function()
  it("give the right rows, or changed", function()
    for _, hosts in ipairs { "existing", "new" } do
      for _, flows in ipairs { 1, 20, 3000 } do
        support.clear()
        support.faults { { kind = "none" }, { { kind = "switch", name = "late_flows", value = flows },
          { kind = "switch", name = "late_hosts", value = hosts }, { kind = "switch", name = "late_octets", value = 100 } } }
        local rows = report():page_size(60):rows()
        local count, row, err = 0, rows:next()
        while row do
          count = count + 1
          if count <= 60 then assert.same(whole[count], row) end
          row, err = rows:next()
        end
        assert.is_true(count >= 60)
        if err then assert.equal("changed", err.kind) end
      end
    end
  end)
end)

describe("the memory of rows that tie", function()
  local answers = require "spec.answers"
  local core = require "scrutinizer.core"

  -- Whether rows with these values of the order's column can be joined to further ones, where so many bytes may be remembered. With `utf8` the
  -- rows are read token by token.
  local function joins(values, max, host, utf8)
    local rows = {}
    for i, value in ipairs(values) do
      rows[i] = answers.array { answers.rank(i), answers.cell("host", (host or "h") .. i), answers.cell("sum_octetdeltacount", value) }
    end
    local columns = { answers.rank_column(), answers.column "host", answers.column "sum_octetdeltacount" }
    local ties = core.ties(max)
    local decoder = core.decoder {
      inbound = true, ties = { ties }, order = "sum_octetdeltacount", max_body = 2 ^ 50, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 26,
      utf8 = utf8,
    }
    assert.is_true(decoder:feed(answers.write(answers.report("inbound", answers.direction(columns, rows)))))
    assert.is_true(decoder:finish())
    while decoder:next() do end
    local joined = ties:join(decoder, 1)
    decoder:close()
    return joined, ties:save()
  end

  local function values_of(count, value)
    local list = {}
    for i = 1, count do list[i] = value(i) end
    return list
  end

  it("is of rows with the last one's very value: no value that only begins like it", function()
    assert.is_true(joins(values_of(40, function(i) return "1" .. ("0"):rep(41 - i) end), 128))
    assert.is_true(joins(values_of(40, function(i) return "1" .. ("0"):rep(i) end), 128))
    assert.is_true(joins(values_of(40, function(i) return i < 35 and "7" or ("%d"):format(i) end), 128 * 8))
  end)

  it("holds each row that ties with the last one, the last and the first of them too", function()
    local nothing = #core.ties(2 ^ 12):save()
    for count = 1, 9 do
      local _, kept = joins(values_of(count, function() return "7" end), 2 ^ 12)
      assert.equal(nothing + 8 * count, #kept)
      _, kept = joins(values_of(count + 3, function(i) return i > 3 and "7" or "8" end), 2 ^ 12)
      assert.equal(nothing + 8 * count, #kept)
    end
  end)

  it("tells rows apart by what stands behind an escaped quote, too", function()
    local seven = values_of(9, function() return "7" end)
    local _, plain = joins(seven, 2 ^ 12)
    for _, host in ipairs { 'a"', 'a\\', '\\"\\"', 'a",b', '"rawValue":"' } do
      for _, utf8 in ipairs { "pass", "replace" } do
        local _, kept = joins(seven, 2 ^ 12, host, utf8)
        assert.equal(#plain, #kept)
      end
    end
  end)

  it("has a maximum, beyond which nothing is joined", function()
    for _, count in ipairs { 1, 5, 12 } do assert.is_true(joins(values_of(count, function() return "7" end), 128)) end
    for _, count in ipairs { 16, 40, 400 } do assert.is_false(joins(values_of(count, function() return "7" end), 128)) end
    assert.is_true(joins(values_of(400, function() return "7" end), 2 ^ 16))
  end)
end)
