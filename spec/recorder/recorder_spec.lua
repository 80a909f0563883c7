-- scrutinizer.recorder: answers go into a file once, and come out of it ever after.
local core = require "scrutinizer.core"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local PASSWORD = "Tr0ub4dor & \"three\""
local folder, path
local count = 0

-- Runs a script once against the appliance and once against what was recorded; gives what it returned each time.
local function twice(script, more, how)
  local recorder = scrutinizer.recorder(path, how)
  local client = assert(recorder:connect(support.options(more)))
  local first = { script(client) }
  client:close()
  assert(recorder:close())
  support.clear()
  recorder = scrutinizer.recorder(path, how)
  client = assert(recorder:connect { retry = false })
  local second = { script(client) }
  client:close()
  assert(recorder:close())
  assert.same({}, support.log()) -- nothing went over the network
  return first, second
end

-- What is told of an error, as a plain table.
local function plain(err)
  return err and { kind = err.kind, message = err.message, status = err.status, retryable = err.retryable, resume = support.place(err.resume) }
end

local function collect(cursor)
  local rows, err = support.rest(cursor)
  return rows, plain(err)
end

-- Runs with another os.time().
local function with_clock(now, run)
  local clock = os.time
  rawset(os, "time", function(...) return select("#", ...) == 0 and now(clock) or clock(...) end)
  local results = { pcall(run) }
  rawset(os, "time", clock)
  assert(results[1], results[2])
  return (table.unpack or unpack)(results, 2)
end

local function in_a_day(run)
  return with_clock(function(clock) return clock() + 86400 end, run)
end

-- The minute must not turn between what is compared.
local function at_one_time(run)
  local now = os.time()
  return with_clock(function() return now end, run)
end

setup(function() folder = support.folder() end)
teardown(function()
  support.collect()
  assert.equal("", support.shell("find " .. folder .. " -name '*.part'"))
  support.shell("rm -rf " .. folder)
end)

support.clean_for_each(function()
  count = count + 1
  path = ("%s/answers%d.ndjson"):format(folder, count)
end)

describe("a recorded script", function()
  it("gets the same from the file as from the appliance", function()
    local first, second = twice(function(client)
      local query = client:report("host2host"):between(1441146000, 1441149600)
      local report = assert(query:both():limit(20):fetch())
      return report.rows, report.columns, report.totals, report.time, report.exporters, report.footer,
        assert(query:aggregate { by = { "sourceipaddress" }, sum = { "sum_octetdeltacount" }, top = 5 }), query:count(), query:first(),
        assert(query:limit(3):series()), assert(client:call { rm = "get_known_objects", type = "deviceGroups" }), client:ping()
    end)
    assert.is_true(#first[1] == 40)
    assert.same(first, second)
  end)

  it("walks its pages, in the same pieces", function()
    local first, second = twice(function(client)
      local rows = collect(client:report("custom_rows_1000"):range("LastHour"):page_size(300):rows())
      return #rows, rows[1], rows[301], rows[1000]
    end)
    assert.equal(1000, first[1])
    assert.same(first, second)
  end)

  it("writes: what it changed is told again, and no password is kept", function()
    local first, second = twice(function(client)
      local name = "recorded" .. count
      local made = assert(client.users:create { { name = name, password = PASSWORD },
        { name = name .. "y", password = PASSWORD, groups = { 9999 } } })
      local raw = assert(client:call { rm = "user_api", action = "createUser", json = { users = { { name = name .. "x", pass = PASSWORD } } } })
      assert(client.users:delete { name, name .. "x" })
      return made[1].name, made[1].id, made[2].error, raw.data[1].name
    end)
    assert.same(first, second)
    assert.is_truthy(first[2] and first[3])
    local text = support.read(path)
    assert.is_nil(text:find("Tr0ub4dor", 1, true))
    assert.is_nil(text:find(support.sandbox().token, 1, true))
    assert.is_truthy(text:find('"pass":"***"', 1, true))
  end)

  it("asks by the clock, and is understood on another day", function()
    local function script(client)
      local query = client:report("host2host"):timezone "Europe/Berlin"
      return collect(query:last("90m"):limit(4):rows()), collect(query:last("90m"):page_size(3):limit(7):rows()),
        collect(query:range("Yesterday"):page_size(3):limit(7):rows()), query:last(5400):limit(2):series(), query:range("LastHour"):limit(2):series(),
        collect(query:day(-1):limit(3):rows()), collect(query:last("90m"):shift("-1d"):limit(3):rows())
    end
    local recorder = scrutinizer.recorder(path)
    local first = { script(recorder:connect(support.options())) }
    assert(recorder:close())
    assert.equal(7, #first[2])
    assert.same(first, { in_a_day(function() return script(scrutinizer.recorder(path):connect { retry = false }) end) })
  end)

  it("goes on after a broken walk, also on another day", function()
    local function script(client)
      local query = client:report("custom_rows_40"):last("60m"):page_size(10)
      local before, err = collect(query:rows())
      local after = collect(query:resume(err):rows())
      return #before, err.kind, err.resume.offset, #after, after[#after].sum_packetdeltacount
    end
    support.faults { { kind = "none" }, { kind = "truncate", at = 500 } }
    local recorder = scrutinizer.recorder(path)
    local first = { script(recorder:connect(support.options())) }
    assert(recorder:close())
    assert.same({ 10, "truncated", 10, 30, 40 }, first)
    assert.same(first, { in_a_day(function() return script(scrutinizer.recorder(path):connect { retry = false }) end) })
  end)

  it("gets answers to one question in the order they came", function()
    local function ask(client)
      local seen = {}
      for i = 1, 3 do
        local value, err = client:call { rm = "licensing" }
        seen[i] = plain(err) or type(value)
      end
      return seen
    end
    support.faults { { kind = "none" }, { kind = "503", seconds = 7 }, { kind = "none" } }
    local first, second = twice(function(client) return ask(client) end)
    assert.same({ "table", "http", "table" }, { first[1][1], first[1][2].kind, first[1][3] })
    assert.same(first, second)
  end)

  it("fails again as it failed", function()
    for _, faults in ipairs {
      { { kind = "truncate", at = 3000 } }, { { kind = "reset", after_bytes = 5000 } }, { { kind = "drop" } }, { { kind = "html" } },
      { { kind = "bad_token" } }, { { kind = "500" } }, { { kind = "redirect", location = "https://elsewhere.example/x?y=z" } },
      { { kind = "bad_gzip" } }, { { kind = "report_error", text = "no \27[31m" } }, { { kind = "empty" } },
    } do
      path = path .. "x"
      support.faults(faults)
      local first, second = at_one_time(function()
        return twice(function(client) return collect(client:report("custom_rows_50"):range("LastHour"):limit(50):rows()) end)
      end)
      assert.is_truthy(first[2], faults[1].kind)
      assert.same(first, second)
    end
    path = path .. "y"
    local recorder = scrutinizer.recorder(path)
    local gone = recorder:connect(support.options { url = "https://127.0.0.1:9", retry = false })
    local _, err = gone:ping()
    local _, unsent = gone:call { rm = "anything" }
    gone:close()
    local there = recorder:connect(support.options { retry = false })
    support.faults { { kind = "drop" } }
    local _, sent = there:call { rm = "anything else" }
    there:close()
    assert(recorder:close())
    support.clear()
    local client = scrutinizer.recorder(path):connect { retry = false }
    local _, again = client:ping()
    assert.equal("connect", err.kind)
    assert.same(plain(err), plain(again))
    assert.same({ "connect", true, "connect", false }, { unsent.kind, unsent.retryable, sent.kind, sent.retryable })
    _, again = client:call { rm = "anything" }
    assert.same(plain(unsent), plain(again))
    _, again = client:call { rm = "anything else" }
    assert.same(plain(sent), plain(again))
  end)

  it("leaves an answer early, and may not read on where the record ends", function()
    local recorder = scrutinizer.recorder(path)
    local cursor = recorder:connect(support.options()):report("custom_rows_100000"):range("LastHour"):rows()
    assert.equal(1, cursor:next().sum_packetdeltacount)
    cursor:close()
    assert(recorder:close())
    cursor = scrutinizer.recorder(path):connect { retry = false }:report("custom_rows_100000"):range("LastHour"):rows()
    assert.equal(1, cursor:next().sum_packetdeltacount)
    local rows, err = collect(cursor)
    assert.is_true(#rows < 99999)
    assert.equal("file", err.kind)
    assert.matches("the recorded answer ends here, because its reader stopped here when it was recorded", err.message)
  end)

  it("needs no address, no token and no file of theirs to be replayed", function()
    local first, second = twice(function(client) return client:report("custom_rows_2"):range("LastHour"):fetch().rows end)
    assert.same(first, second)
    local called = false
    local client = assert(scrutinizer.recorder(path):connect {
      host = "appliance.example", token = function() called = true end, tls = { ca_file = "/nonexistent/ca.pem" }, proxy = "http://u:p@127.0.0.1:9",
    })
    local query = client:report("custom_rows_2"):range("LastHour")
    assert.equal(2, #query:fetch().rows)
    assert.is_false(called)
    assert.matches("^https://appliance.example/.*authToken=%*%*%*$", query:url())
    client = assert(scrutinizer.recorder(path):connect { wait = function() end, url = "http://plain.example", allow_http = true })
    assert.equal(2, #client:report("custom_rows_2"):range("LastHour"):fetch().rows)
    assert.equal("scrutinizer.Client: https://recorded.invalid/fcgi/scrut_fcgi.fcgi", tostring(scrutinizer.recorder(path):connect { retry = false }))
  end)

  it("follows the redirects that it followed, whatever its host is called now", function()
    support.faults { { kind = "redirect", location = support.sandbox().url .. "/" } }
    local recorder = scrutinizer.recorder(path)
    assert(recorder:connect(support.options()):ping())
    assert(recorder:close())
    assert.equal(2, #support.log())
    assert.is_truthy(support.read(path):find('"location":"https://{host}:', 1, true))
    local client = scrutinizer.recorder(path):connect { host = "other.example" }
    assert.equal(true, client:ping())
    assert.matches("^https://other.example:%d+/fcgi/", client.url)
  end)

  it("may run a command instead", function()
    local program = folder .. "/program"
    -- A body whose characters and pieces do not end together, and bytes that are no text at all.
    support.write(program, [[#!/bin/sh
printf '{"err":"caf\303'; sleep 0.1; printf '\251 '; sleep 0.1; printf '\377\376\342\202'; sleep 0.1; printf '\254 \360\237"}'
]])
    support.shell("chmod +x " .. program)
    local function ask(client) return plain(select(2, client:report("host2host"):between(1, 60):fetch())) end
    local recorder = scrutinizer.recorder(path)
    local first = ask(recorder:connect { command = program })
    assert(recorder:close())
    local text = support.read(path)
    assert.is_truthy(text:find('"body":', 1, true) and text:find('"hex":', 1, true))
    assert.equal("the appliance answers: café \\xFF\\xFE€ \\xF0\\x9F", first.message)
    assert.same(first, ask(scrutinizer.recorder(path):connect { command = program }))
  end)
end)

describe("an unknown request", function()
  local recorder, client

  before_each(function()
    recorder = scrutinizer.recorder(path)
    client = recorder:connect(support.options())
    assert(client:report("custom_rows_2"):between(1000, 2000):fetch())
    assert(client:ping())
    assert(recorder:close())
    recorder = scrutinizer.recorder(path)
    client = recorder:connect()
  end)

  it("says what was asked and what is nearest", function()
    local _, err = client:report("custom_rows_2"):between(1000, 3000):where({ ip = "10.1.1.1" }):fetch()
    assert.equal("file", err.kind)
    assert.is_false(err.retryable)
    assert.equal(path .. ' has no answer to rm=report_api action=get reportTypeLang=custom_rows_2: the most similar is number 1 (rm=report_api '
      .. 'action=get reportTypeLang=custom_rows_2), which differs in rpt_json.filters.sdfIps_0: recorded nothing, requested "in_10.1.1.1_Both"; '
      .. "rpt_json.times.end: recorded 2000, requested 3000; record it again if the script has changed", err.message)
    _, err = client:call { rm = "no_such", z = "\27[2J" }
    assert.matches('the most similar is number 2 %(rm=licensing%), which differs in rm: recorded "licensing", requested "no_such"; '
      .. 'z: recorded nothing, requested "\\x1B%[2J"', err.message)
  end)

  it("is also one that is asked too often, unless the last answer may be repeated", function()
    assert(client:ping())
    local _, err = client:ping()
    assert.equal("file", err.kind)
    assert.matches("has only 1 answer to rm=licensing; record it again, or set repeats = true", err.message)
    local other = scrutinizer.recorder(path, { repeats = true }):connect()
    for _ = 1, 3 do assert.equal(true, other:ping()) end
  end)

  it("is told apart by no field that is to be ignored", function()
    path = path .. "i"
    local stamp = 0
    local function ask(client_)
      stamp = stamp + 1
      return (client_:call { rm = "get_known_objects", type = "devices", st = stamp }) ~= nil
    end
    local first, second = twice(ask, nil, { ignore = { "st" } })
    assert.same({ { true }, { true } }, { first, second })
    support.clear()
  end)

  it("is anything where nothing was recorded", function()
    path = path .. "e"
    local empty = scrutinizer.recorder(path)
    assert(empty:connect(support.options()))
    assert(empty:close())
    local _, err = scrutinizer.recorder(path):connect { retry = false }:ping()
    assert.matches("has no answer to rm=licensing: it holds no requests", err.message)
  end)
end)

describe("the file", function()
  it("is there when it is whole, and the old one until then", function()
    local recorder = scrutinizer.recorder(path)
    assert.equal("scrutinizer.Recorder: " .. path, tostring(recorder))
    local client = recorder:connect(support.options())
    assert.equal("scrutinizer.Recorder: " .. path .. " (records)", tostring(recorder))
    assert(client:ping())
    assert.is_nil(io.open(path))
    assert(recorder:close())
    assert.equal(true, recorder:close())
    assert.equal("scrutinizer.Recorder: " .. path .. " (closed)", tostring(recorder))
    local old = support.read(path)
    recorder = scrutinizer.recorder(path, { mode = "record" })
    client = recorder:connect(support.options())
    assert(client:ping())
    assert(client:ping())
    assert.equal(old, support.read(path))
    assert(recorder:close())
    assert.equal(2, select(2, support.read(path):gsub('"asked"', "")))
    local _, err = recorder:connect(support.options())
    assert.equal("cancelled", err.kind)
    _, err = client:ping()
    assert.equal("file", err.kind)
  end)

  it("is not there when recording was given up", function()
    local function give_up() assert(scrutinizer.recorder(path):connect(support.options()):ping()) end
    give_up()
    support.collect()
    assert.is_nil(io.open(path))
    assert.equal("", support.shell("ls " .. path .. "* 2>/dev/null"))
    local meta = getmetatable(scrutinizer.recorder(path))
    local recorder = scrutinizer.recorder(path)
    assert(recorder:connect(support.options()):ping())
    meta.__close(recorder, "an error in the block")
    assert.is_nil(io.open(path))
    recorder = scrutinizer.recorder(path)
    assert(recorder:connect(support.options()):ping())
    meta.__close(recorder)
    assert.is_truthy(io.open(path))
  end)

  it("cannot be written or read: an error of kind file", function()
    local _, client, err
    client, err = scrutinizer.recorder(folder .. "/none/x.ndjson"):connect(support.options())
    assert.same({ nil, "file" }, { client, err.kind })
    client, err = scrutinizer.recorder(folder .. "/none.ndjson", { mode = "replay" }):connect()
    assert.same({ nil, "file" }, { client, err.kind })
    assert.matches("No such file", err.message)
    for text, pattern in pairs { [""] = "line 1: not a recording", ["{}"] = "line 1: not a recording", ['{"scrutinizer_recording":2}\n'] = "line 1",
      ['{"scrutinizer_recording":1}\nhello\n'] = "line 2: not a line of a recording",
      ['{"scrutinizer_recording":1}\n{"id":1,"asked":[}\n'] = "line 2: its request cannot be read" } do
      support.write(path, text)
      client, err = scrutinizer.recorder(path):connect { retry = false }
      assert.same({ nil, "file" }, { client, err.kind })
      assert.matches(pattern, err.message)
    end
    support.write(path, '{"scrutinizer_recording":1}\n{"id":1,"asked":{"rm":"licensing"}}\n{"id":1,"header":{"status":200}}\n{"id":1,"body":7}\n')
    _, err = scrutinizer.recorder(path):connect { retry = false }:ping()
    assert.same({ "file", path .. ": an answer is damaged" }, { err.kind, err.message })
    if support.shell("test -w /dev/full && echo yes") == "yes\n" then
      local recorder = scrutinizer.recorder("/dev/full", { mode = "record" })
      local full = recorder:connect(support.options())
      full:report("custom_rows_20000"):range("LastHour"):fetch()
      assert.equal("file", select(2, recorder:close()).kind)
    end
  end)

  it("holds answers of any size in little memory", function()
    local rows = (support.sanitized or os.getenv "SANDBOX_CHECKED") and 3000 or 12000
    local function script(client)
      local seen, most = 0, 0
      for row in client:report("custom_rows_" .. rows):range("LastHour"):rows { reuse = true } do
        seen = seen + 1
        if seen % 2000 == 0 then
          support.collect()
          most = math.max(most, collectgarbage "count")
        end
        assert(row.sum_packetdeltacount == seen)
      end
      return seen, most
    end
    support.collect()
    local base = collectgarbage "count"
    local first, second = twice(script)
    assert.same({ rows, rows }, { first[1], second[1] })
    local size = tonumber((support.shell("wc -c <" .. path)))
    assert.is_true(size > rows * 1000)
    for _, one in ipairs { first, second } do
      assert.is_true(one[2] - base < 4096, ("Lua held %.0f KiB more than before"):format(one[2] - base))
    end
  end)

  if not support.sanitized and not os.getenv "SANDBOX_CHECKED" then
    -- In a process of its own: what is garbage of other specs here may be resident or not.
    it("holds answers of 12,000 rows within 10 MB over idle", function()
      local box = support.sandbox()
      local program = os.tmpname()
      support.write(program, ([[
        local scrutinizer, support = require "scrutinizer", require "spec.support"
        support.collect()
        local idle, peak, seen = support.rss(), 0, 0
        for _, options in ipairs { { url = %q, token = %q, tls = { ca_file = %q } }, { retry = false } } do
          local recorder = scrutinizer.recorder(%q)
          local client = assert(recorder:connect(options))
          for _ in client:report("custom_rows_12000"):range("LastHour"):rows() do
            seen = seen + 1
            if seen %% 2000 == 0 then peak = math.max(peak, support.rss()) end
          end
          client:close()
          assert(recorder:close())
        end
        print(("%%d rows, %%d KiB"):format(seen, math.max(0, peak - idle)))
      ]]):format(box.url, box.token, box.ca, path))
      local said = support.shell(support.lua .. " " .. program .. " 2>&1")
      os.remove(program)
      local rows, grown = said:match "^(%d+) rows, (%d+) KiB\n$"
      assert.equal("24000", rows, said)
      assert.is_true(tonumber(grown) <= 10e3, grown .. " KiB")
    end)
  end

  it("keeps several answers apart that came at the same time", function()
    local first, second = twice(function(client)
      local a = client:report("custom_rows_3000"):range("LastHour"):rows()
      local b = client:report("custom_rows_3001"):range("LastHour"):rows()
      local sum, row, other = 0, a:next(), b:next()
      while row or other do
        sum = sum + (row and row.sum_packetdeltacount or 0) + 2 * (other and other.sum_packetdeltacount or 0)
        row, other = row and a:next(), other and b:next()
      end
      return sum
    end)
    assert.same({ 3000 * 3001 / 2 + 3001 * 3002 }, first)
    assert.same(first, second)
  end)

  it("serves many reports at once, and pages asked for ahead", function()
    local first, second = twice(function(client)
      local queries = { concurrency = 4 }
      for i = 1, 12 do queries[i] = client:report("custom_rows_" .. 200 + i):range("LastHour") end
      local list, failed = client:gather(queries)
      local counts = {}
      for i = 1, list.n do counts[i] = #list[i].rows end
      local ahead = collect(client:report("custom_rows_90"):range("LastHour"):page_size(20):prefetch(3):rows())
      return failed, counts, #ahead, ahead[90].sum_packetdeltacount, client:warm()
    end)
    assert.same({ 0, 90, 90, true }, { first[1], first[3], first[4], first[5] })
    for i = 1, 12 do assert.equal(200 + i, first[2][i]) end
    assert.same(first, second)
  end)

  it("leaves no descriptor behind", function()
    twice(function(client) return (client:ping()) end)
    support.collect()
    local before = support.descriptors()
    for _ = 1, 20 do
      local recorder = scrutinizer.recorder(path)
      assert(recorder:connect():ping())
      assert(recorder:close())
    end
    support.collect()
    assert.is_true(support.descriptors() <= before + 2)
  end)
end)

describe("the example", function()
  it("records, then replays without an appliance", function()
    local box = support.sandbox()
    local answers = folder .. "/example.ndjson"
    local command = ("%s -e 'package.path = package.path' $(command -v busted) -o plainTerminal examples/replay_spec.lua 2>&1")
      :format(support.lua)
    local first = support.shell(("ANSWERS=%s SCRUTINIZER_URL=%s SCRUTINIZER_TOKEN=%s SCRUTINIZER_CA=%s %s"):format(
      answers, box.url, box.token, box.ca, command))
    assert.matches("2 successes / 0 failures / 0 errors", first)
    assert.equal(2, #support.log())
    local kept = support.read(answers)
    assert.is_nil(kept:find(box.token, 1, true))
    local second = support.shell(("ANSWERS=%s env -u SCRUTINIZER_URL -u SCRUTINIZER_TOKEN -u SCRUTINIZER_SANDBOX %s"):format(answers, command))
    assert.matches("2 successes / 0 failures / 0 errors", second)
    assert.equal(2, #support.log())
    assert.equal(kept, support.read(answers))
  end)
end)

describe("secrets in a recording", function()
  it("are masked wherever an answer repeats them", function()
    local token = support.sandbox().token
    local echo = ('{"err":"you sent %s and %s","x":"%s"}'):format(token, (" "):rep(70000) .. token, token:sub(1, 9))
    support.faults { { kind = "status", status = 200, body = echo, content_type = token },
      { kind = "redirect", location = "https://elsewhere.example/" .. token } }
    local first, second = twice(function(client)
      return plain(select(2, client:ping())), plain(select(2, client:ping()))
    end)
    assert.same(first, second)
    local text = support.read(path)
    assert.is_nil(text:find(token, 1, true))
    assert.is_truthy(text:find("you sent *** and", 1, true))
    for _, err in ipairs(first) do assert.is_nil(err.message:find(token, 1, true)) end
  end)
end)

describe("a secret that a request repeats", function()
  -- Looked for in: other fields, keys, lists under a secret's name, numbers, texts around it, JSON within; short ones as whole values.
  it("is nowhere in the file, and the request is known again", function()
    local function script(client)
      local list = { client:call {
        rm = "user_api", action = "createUser", note = "it is " .. PASSWORD .. "!",
        json = { users = { { name = "ann", password = PASSWORD, comment = PASSWORD } }, [PASSWORD] = 1, passwords = { "Sw0rdfish-one", "x7" },
          other = { "Sw0rdfish-one", "x7", "x7 and more" }, secret_pin = 987654, pin = 987654, name = "ann" },
        password = "Hunter2-again", why = "Hunter2-again",
      } }
      return list[1] ~= nil, plain(list[2])
    end
    local first, second = twice(script)
    assert.same(first, second)
    local text = support.read(path)
    for _, secret in ipairs { "Tr0ub4dor", "Sw0rdfish", "Hunter2", "987654", '"x7"' } do
      assert.is_nil(text:find(secret, 1, true), secret .. " in " .. text)
    end
    assert.is_truthy(text:find("x7 and more", 1, true)) -- so short a word is any word
    assert.is_truthy(text:find('"name":"ann"', 1, true))
  end)
end)

describe("a damaged recording", function()
  -- Cut at every byte, a bit of every byte turned, values of other types in every place: an error of kind file, or another typed one where the
  -- answer itself is damaged, or right rows; nothing is raised.
  local function read_all(text)
    support.write(path, text)
    local recorder = scrutinizer.recorder(path, { mode = "replay", repeats = true })
    local good, complaint = pcall(function()
      local client, err = recorder:connect { retry = false }
      if not client then return assert.equal("file", err.kind) end
      for _, use in ipairs {
        function() return client:report("custom_rows_2"):range("LastHour"):fetch() end, function() return client:ping() end,
      } do
        local value
        value, err = use()
        if value == nil then
          assert.is_true(require "scrutinizer.errors".is(err), tostring(err))
          assert.is_nil(err.message:find "%c")
        end
      end
      client:close()
    end)
    recorder:close()
    if not good then error(text:sub(1, 3000) .. "\n" .. tostring(complaint)) end
  end

  it("is an error with a kind, whatever the damage", function()
    local recorder = scrutinizer.recorder(path)
    local client = assert(recorder:connect(support.options()))
    assert(client:report("custom_rows_2"):range("LastHour"):fetch())
    assert(client:ping())
    client:close()
    assert(recorder:close())
    local text = support.read(path)
    local step = support.sanitized and 97 or 13
    for at = 0, #text - 1, step do read_all(text:sub(1, at)) end
    for at = 1, #text, step do
      local byte = text:byte(at)
      read_all(text:sub(1, at - 1) .. string.char((byte + 2 ^ (at % 8)) % 256) .. text:sub(at + 1))
    end
    local odd = { "null", "7", "1e99", "true", '"x"', "[]", "{}", '[["x"]]', '{"a":"\255"}', '{"\255":1}', '[7,8]', '["nonsense","a\\nb"]', "" }
    for _, value in ipairs(odd) do
      for _, what in ipairs { "asked", "header", "body", "hex", "end", "failed" } do
        read_all((text:gsub('("id":%d+,"' .. what .. '":)[^\n]*', function(head) return head .. value .. "}" end)))
        read_all(text .. ('{"id":1,"%s":%s}\n'):format(what, value))
        read_all((text:gsub('("id":%d+,"header"[^\n]*\n)', function(line) return line .. ('{"id":1,"%s":%s}\n'):format(what, value) end)))
      end
      read_all((text:gsub('"status":%d+', function() return '"status":' .. value end)))
      read_all((text:gsub('"id":1', function() return '"id":' .. value end)))
    end
    for _, id in ipairs { "99999999999999999999", "-1", "1.5", "0" } do read_all((text:gsub('"id":1', function() return '"id":' .. id end))) end
    read_all(("x"):rep(100) .. "\n" .. text)
    read_all(text:gsub('"id":1,"body":"', function(head) return head .. ("y"):rep(2 ^ 21) end))
  end)
end)

describe("misuse of the recorder", function()
  it("raises at the caller's line", function()
    for _, case in ipairs {
      { nil, nil, "recorder: got nil; allowed: a file's path" }, { "", nil, "allowed: a file's path" }, { path, 7, "recorder: options: got 7" },
      { path, { mode = "often" }, 'recorder: mode: got "often"; allowed: "auto", "record", "replay"' },
      { path, { ignore = "st" }, "recorder: ignore" }, { path, { ignore = { 7 } }, "recorder: ignore: got 7" },
      { path, { repeats = 1 }, "recorder: repeats: got 1" }, { path, { moed = "auto" }, 'recorder: option: got "moed"' },
    } do
      local ok, message = pcall(function() scrutinizer.recorder(case[1], case[2]) end)
      assert.is_false(ok)
      assert.matches("recorder_spec.lua:%d+: ", message)
      assert.is_truthy(message:find(case[3], 1, true), message)
    end
    for _, bad in ipairs { { urll = "x" }, { url = "https://a", timeout = -1 } } do
      local ok, message = pcall(function() scrutinizer.recorder(path):connect(bad) end)
      assert.is_false(ok)
      assert.matches("recorder_spec.lua:%d+: connect: ", message)
    end
  end)
end)

describe("core.feed", function()
  it("gives what it is fed, and says what is wrong", function()
    local feed = core.feed()
    assert.same({ true, false }, { core.feed_ready(feed), feed:read() })
    core.feed_header(feed, { status = 503, location = "/x", retry_after = "7", content_type = "a/b", http_version = "1.1", reused = true })
    core.feed_push(feed, "hello")
    assert.is_false(core.feed_ready(feed))
    assert.has_error(function() core.feed_push(feed, "more") end)
    local info = feed:info()
    assert.same({ 503, "/x", "7", "a/b", "1.1", true, 5 }, { info.status, info.location, info.retry_after, info.content_type, info.http_version,
      info.reused, info.buffered })
    assert.same({ "hel", "lo", false }, { feed:read(3), feed:read(), feed:read() })
    core.feed_finish(feed, "no such kind", ("x"):rep(1000))
    local _, kind, message = feed:read()
    assert.same({ "truncated", 511 }, { kind, #message })
    feed:close()
    assert.is_nil(core.feed_ready(feed))
    core.feed_push(feed, "into the void")
    local http = core.http()
    local transfer = http:start { url = "https://127.0.0.1:9/" }
    assert.has_error(function() core.feed_ready(transfer) end)
    feed = core.feed(transfer)
    feed:close()
    assert.equal("cancelled", select(2, transfer:read()))
    assert.has_error(function() core.feed(7) end)
    http:close()
  end)
end)

describe("an answer on its way into a recording", function()
  it("has its header before its body, also where one look brings both", function()
    local file, record = require "scrutinizer.recorder.recording_file", require "scrutinizer.recorder.record"
    local program = folder .. "/word"
    support.write(program, "#!/bin/sh\necho word\n")
    support.shell("chmod +x " .. program)
    local writer = assert(file.create(path, false))
    local multi = record.over(core.command(), { writer = writer, ignore = {}, secrets = require("scrutinizer.secrets").new {} })
    local outer = assert(multi:start { program, asked = { form = { rm = "report_api" } } })
    support.shell "sleep 0.3" -- all is there before anybody looks, and nobody has stepped
    assert.is_true(multi:wait(1))
    assert.is_true(outer:info().headers_done)
    assert.equal(200, outer:info().status)
    assert.equal("word\n", outer:read())
    while outer:read() == false do multi:wait(0.1) end
    multi:close()
    assert(writer:finish())
    assert.matches('"header".*"body"', (support.read(path):gsub("\n", " ")))
  end)
end)
