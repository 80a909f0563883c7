-- connect { command = … }: reports by a program that is run here, good ones and bad ones.
local core = require "scrutinizer.core"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local HERE = support.shell("pwd"):gsub("%s+$", "")
local GOOD = HERE .. "/spec/command/reporting.cgi"
local FROM = 1441146000 -- an hour of the recorded day

-- valgrind makes vfork a fork: a program that cannot be run then ends with an odd status instead of never having begun.
local VALGRIND = (os.getenv "LD_PRELOAD" or ""):find "vgpreload"

local folder

-- A program of so many shell lines.
local function program(name, text)
  local path = folder .. "/" .. name
  support.write(path, text:find "^#!" and text or "#!/bin/sh\n" .. text)
  support.shell("chmod +x " .. support.quote(path))
  return path
end

local function connect(path, options)
  local all = { command = path }
  for name, value in pairs(options or {}) do all[name] = value end
  return assert(scrutinizer.connect(all))
end

local function query(client)
  return client:report("host2host"):between(FROM, FROM + 3600)
end

-- Children of this process that ps still lists but itself; processes whose command line has the folder's name.
local function children()
  return support.shell "ps -o stat=,args= --ppid $PPID | grep -v -e 'ps -o' -e '^S.*sh -c'"
end

local function alive()
  return support.shell("pgrep -fc " .. support.quote(folder .. "/"):gsub("^'/", "'[/]")):match "%d+"
end

-- An error's kind and message, and the rows before it.
local function outcome(path, options)
  local client = connect(path, options)
  local rows, err = support.walk(query(client))
  client:close()
  return err, #rows
end

-- A report's beginning, of two rows.
local HALF = [=[printf '%s' '{"report":{"table":{"inbound":{"totalRowCount":"3","columns":[{"elementName":"a"}],']=] .. "\n"
  .. [=[printf '%s' '"rows":[[{"rawValue":"1"}],[{"rawValue":"2"}],']=] .. "\n"

setup(function() folder = support.folder() end)
teardown(function()
  assert.equal("0", alive())
  support.shell("rm -rf " .. support.quote(folder))
end)

describe("a command", function()
  before_each(support.clear)
  after_each(function()
    assert.same({}, support.violations())
    assert.equal("", children())
  end)

  it("gives the rows that the network gives", function()
    local near, far = query(connect(GOOD)), query(support.connect())
    local a, b = assert(near:fetch()), assert(far:fetch())
    assert.is_true(#a.rows > 100)
    assert.same(b.rows, a.rows)
    assert.same(b.columns, a.columns)
    assert.same({ b.total, b.time, b.exporters }, { a.total, a.time, a.exporters })
    local sums = { by = { "sourceipaddress" }, sum = { "sum_octetdeltacount" }, top = 5 }
    assert.same(far:aggregate(sums), near:aggregate(sums))
    assert.equal(far:count(), near:count())
  end)

  it("gives pages, both directions and a graph", function()
    local client = connect(GOOD)
    local paged = assert(query(client):page_size(50):limit(120):fetch())
    assert.same(assert(query(client):limit(120):fetch()).rows, paged.rows)
    assert.same(query(support.connect()):both():fetch().rows, query(client):both():fetch().rows)
    local near, far = query(client):limit(3):series(), query(support.connect()):limit(3):series()
    assert.same(far, near)
  end)

  it("streams: the first row is there long before the end", function()
    local path = program("slow", HALF .. "sleep 30\n")
    local client, before = connect(path), core.now()
    local cursor = query(client):rows()
    assert.equal("1", cursor:next().a)
    assert.is_true(core.now() - before < 15)
    cursor:close()
    assert.equal("cancelled", select(2, cursor:next()).kind)
    client:close()
  end)

  it("gets its arguments as they are, without a shell, and nothing else", function()
    local seen = folder .. "/seen"
    local path = program("args", ([[for word; do printf '%%s\n' "$word"; done >%s
ls /proc/self/fd | tr '\n' ' ' >>%s
printf '{"err":"seen"}'
]]):format(seen, seen))
    local hostile = "$(touch " .. folder .. "/pwned) `id` \"'; \\ \27[31m"
    local held = assert(io.open(seen, "w")) -- a file of the host's own: not the program's business
    local _, err = connect(path):report("host2host"):between(FROM, FROM + 60):set("note", hostile):fetch()
    held:close()
    assert.same({ "api", "the appliance answers: seen" }, { err.kind, err.message })
    local lines = {}
    for line in io.lines(seen) do lines[#lines + 1] = line end
    local form = connect(path):report("host2host"):between(FROM, FROM + 60):set("note", hostile):request()
    assert.same({ "-getReport", "-rpt_json=" .. form.rpt_json, "-data_requested=" .. form.data_requested }, { lines[1], lines[2], lines[3] })
    assert.equal(hostile, scrutinizer.decode(lines[2]:match "=(.*)$").note)
    assert.equal("0 1 2 3 ", lines[4]) -- 3 is ls's own
    assert.is_nil(io.open(folder .. "/pwned"))
  end)

  it("is shown by curl as a command line that the shell takes back apart", function()
    local asked = connect(folder .. "/it's"):report("host2host"):between(FROM, FROM + 60):where { ip = "10.1.1.1" }
    local line = asked:curl()
    local words = support.shell("for word in " .. line .. "; do printf '%s\\n' \"$word\"; done")
    local form = asked:request()
    assert.equal(("%s/it's\n-getReport\n-rpt_json=%s\n-data_requested=%s\n"):format(folder, form.rpt_json, form.data_requested), words)
    local ok, message = pcall(function() return (asked:url()) end)
    assert.is_false(ok)
    assert.matches("command_spec.lua:%d+: url: this client runs a command", message)
    assert.equal("scrutinizer.Client: " .. folder .. "/it's", tostring(asked._client))
  end)

  it("says that it gives nothing but reports", function()
    local client = connect(GOOD)
    for name, ask in pairs {
      call = function() return client:call { rm = "licensing" } end,
      ping = function() return client:ping() end,
      version = function() return client:version() end,
      interval = function() return query(client):interval() end,
    } do
      local value, err = ask()
      assert.is_nil(value, name)
      assert.equal("api", err.kind)
      assert.matches("^reporting.cgi only makes reports and does not know run mode %w+; connect with url and token", (err.message:gsub("_", "")))
    end
  end)

  it("is not run beside options of the network", function()
    for name, value in pairs { url = "https://a.example", host = "a", token = "abc", tls = {}, proxy = "http://a", method = "GET",
      headers = {}, connect_timeout = 3, http2 = true, unix_socket = "/x", user_agent = "x" } do
      local ok, message = pcall(function() scrutinizer.connect { command = GOOD, [name] = value } end)
      assert.is_false(ok, name)
      assert.matches("command_spec.lua:%d+: connect: set command or " .. name .. ", not both", message)
    end
    for _, bad in ipairs { "reporting.cgi", "", "/a\0b", "/a\nb", 7 } do
      local ok, message = pcall(function() scrutinizer.connect { command = bad } end)
      assert.is_false(ok)
      assert.matches("connect: command: got .*allowed: the path of reporting.cgi", message)
    end
    assert.is_false(connect(GOOD, { token = false }):report("host2host") == nil)
  end)
end)

describe("a bad command", function()
  after_each(function() assert.equal("", children()) end)

  local CASES = {
    { "prints half and dies", HALF .. "kill -9 $$\n", "truncated", "ended early: bad1 was ended by signal 9$", 1 },
    { "prints half and exits", HALF .. "exit 0\n", "truncated", "ended early", 1 },
    { "prints half and fails", HALF .. "echo disk full >&2; exit 3\n", "truncated", "ended with exit status 3: disk full$", 1 },
    { "fails with words", "echo 'no such \27[31mreport' >&2; echo two >&2; exit 1\n", "api",
      "ended with exit status 1: no such \\x1B%[31mreport two$", 0 },
    { "fails without words", "exit 7\n", "api", "ended with exit status 7$", 0 },
    { "is killed at once", "kill -15 $$\n", "connect", "was ended by signal 15$", 0 },
    { "prints no JSON", "echo '<html>login</html>'\n", "decode", 'begins with "<html>login</html>', 0 },
    { "prints nothing", "exit 0\n", "decode", "empty", 0 },
    { "refuses", [[echo '{"err":"no such report"}']], "api", "^the appliance answers: no such report$", 0 },
    { "says more on stderr than it should", "yes 'warning: deep recursion' | head -c 3000000 >&2; exit 9\n", "api",
      "exit status 9: warning: deep recursion warning", 0 },
    { "has no interpreter", "#!/nonexistent/perl\n", "connect", "cannot be run: No such file or directory$", 0 },
  }
  for i, case in ipairs(CASES) do
    it(case[1], function()
      local err, rows = outcome(program("bad" .. i, case[2]), { retry = false })
      if VALGRIND and err.message:find "exit status 1[02]" then return end
      assert.equal(case[3], err.kind, err.message)
      assert.matches(case[4], err.message)
      assert.is_nil(err.message:find "[%c]")
      if case[5] == 0 then assert.equal(0, rows) else assert.is_true(rows >= 1) end
    end)
  end

  it("is missing, is not executable, is a folder, is no program", function()
    local plain = folder .. "/plain"
    support.write(plain, "text")
    for _, case in ipairs {
      { folder .. "/missing", "missing cannot be run: No such file or directory" }, { plain, "plain cannot be run: Permission denied" },
      { folder .. "/", "cannot be run: Permission denied" }, { program("text", "#!/bin/sh\n"):gsub("text$", "raw"), "No such file" },
    } do
      local err = outcome(case[1], { retry = false })
      if VALGRIND then return assert.matches("exit status 1[02]", err.message) end
      assert.equal("connect", err.kind)
      assert.is_truthy(err.message:find(case[2], 1, true), err.message)
    end
  end)

  it("has too long an argument", function()
    local client, many = connect(GOOD), {}
    for i = 1, 8000 do many[i] = ("10.%d.%d.1"):format(math.floor(i / 256), i % 256) end
    local _, err = query(client):where({ ip = many }):fetch()
    if VALGRIND then return assert.matches("exit status 1[02]", err.message) end
    assert.equal("limit", err.kind)
    assert.matches("the request is longer than the system allows for an argument", err.message)
  end)

  it("never ends: timeout and low_speed hold, and it is gone", function()
    local silent = program("silent", "sleep 300\n")
    local err = outcome(silent, { timeout = 0.3, retry = false })
    assert.same({ "timeout", "waited 0.3 s for the appliance (timeout)" }, { err.kind, err.message })
    err = outcome(program("stuck", HALF .. "sleep 300\n"), { low_speed = { bytes = 10, seconds = 0.3 }, retry = false })
    assert.equal("timeout", err.kind)
    assert.matches("low_speed", err.message)
    err = outcome(program("closed", HALF .. "exec >&- 2>&-; sleep 300\n"), { timeout = 0.3, retry = false })
    assert.equal("timeout", err.kind)
    for _, first in ipairs { "", HALF } do -- words on stderr are no answer
      local path = program("talks", first .. "exec yes 'words without end' >&2\n")
      err = outcome(path, { timeout = 1, low_speed = { bytes = 10, seconds = 0.3 }, retry = false })
      assert.same({ "timeout", first == "" and "total" or "low_speed" }, { err.kind, err.which })
    end
    assert.equal("0", alive())
  end)

  it("ignores SIGTERM, and its children too: all are gone on close", function()
    local path = program("deaf", "trap '' TERM HUP\nsh -c 'trap \"\" TERM; while :; do sleep 1; done' \"$0\" &\n" .. HALF
      .. "while :; do sleep 1; done\n")
    local client = connect(path)
    local cursor = query(client):rows()
    assert.equal("1", cursor:next().a)
    assert.is_true(tonumber(alive()) >= 1)
    local before = core.now()
    cursor:close()
    assert.equal("0", alive())
    assert.is_true(core.now() - before < 5)
    client:close()
  end)

  it("ends with the collector, and with the client", function()
    local path = program("left", HALF .. "sleep 300\n")
    do
      local cursor = query(connect(path)):rows()
      cursor:next()
    end
    support.collect()
    assert.equal("0", alive())
    local client = connect(path)
    local cursor = query(client):rows()
    cursor:next()
    client:close()
    assert.equal("0", alive())
    assert.equal("cancelled", select(2, cursor:next()).kind)
    assert.equal("cancelled", select(2, query(client):fetch()).kind)
  end)
end)

describe("many commands", function()
  it("leave no descriptor, no zombie, and no memory behind", function()
    local client = connect(program("quick", [[printf '{"err":"no"}']]))
    query(client):fetch()
    support.collect()
    local descriptors, rss = support.descriptors(), support.rss()
    for _ = 1, support.sanitized and 20 or 200 do query(client):fetch() end
    support.collect()
    assert.is_true(support.descriptors() <= descriptors + 2) -- libraries may open one of their own
    assert.equal("", children())
    if not support.sanitized then assert.is_true(support.rss() - rss < 4096) end
    client:close()
  end)

  it("run side by side, each waited for by a function of the caller's", function()
    local path, waits = program("pair", "sleep 0.5\n" .. HALF .. "sleep 0.5\nprintf '[{\"rawValue\":\"3\"}]]}}}}'\n"), {}
    local client = connect(path, { wait = function(seconds, fds)
      for _, item in ipairs(fds) do assert(item.fd > 2 and item.read and not item.write) end
      if seconds > 0 then waits[#waits + 1] = #fds end -- with 0 the loop only has its turn
      support.shell(("sleep %.3f"):format(math.min(seconds, 0.02)))
    end })
    local a, b = query(client):rows(), query(client):rows()
    local row, other = a:next(), b:next()
    local rows = 0
    while row and other do
      assert.same(row, other)
      rows = rows + 1
      row, other = a:next(), b:next()
    end
    assert.equal(3, rows)
    assert.is_true(#waits > 1 and math.max((table.unpack or unpack)(waits)) == 2, #waits .. ": " .. table.concat(waits, " ")) -- its own pipes only
    client:close()
  end)

  if rawget(_G, "jit") then -- it can fork
    it("are the parent's after fork", function()
      local ffi = require "ffi"
      ffi.cdef "int fork(void); int waitpid(int, int *, int); void _exit(int);"
      local runner = core.command()
      local running = runner:start { program("parents", "echo word; sleep 300\n") }
      local child = ffi.C.fork()
      if child == 0 then
        local good = select(2, runner:step()) == "phase" and select(2, running:read()) == "phase"
          and select(2, runner:start { "/bin/true" }) == "phase" and select(2, runner:wait(0)) == "phase"
        runner:close()
        ffi.C._exit(good and 0 or 1)
      end
      local status = ffi.new "int[1]"
      ffi.C.waitpid(child, status, 0)
      assert.equal(0, status[0])
      assert.equal("1", alive())
      repeat
        runner:wait(0.1)
        local text = running:read()
      until text == "word\n"
      runner:close()
      assert.equal("0", alive())
    end)
  end

  it("work in a host that leaves no zombies to anyone (SIGCHLD ignored)", function()
    local path = program("orphan", HALF .. "printf '[{\"rawValue\":\"3\"}]]}}}}'\n")
    local script = folder .. "/host.lua"
    local file = assert(io.open(script, "w"))
    file:write(([[
      local client = require "scrutinizer".connect { command = %q }
      print(#client:report("host2host"):between(1, 2):fetch().rows)
      local cursor = client:report("host2host"):between(1, 2):rows()
      cursor:next()
      cursor:close()
    ]]):format(path))
    file:close()
    assert.equal("3\n", support.shell(("bash -c \"trap '' CHLD; exec %s %s\" 2>&1"):format(support.lua, script)))
    assert.equal("0", alive())
  end)

  it("are gathered, and those that fail fail alone", function()
    local client = connect(GOOD)
    local unknown = client:report("no_such"):between(FROM, FROM + 60)
    local list, failed = client:gather { query(client):limit(3), unknown, query(client):limit(5), concurrency = 3 }
    assert.same({ 3, 1, 3, 5 }, { list.n, failed, #list[1].rows, #list[3].rows })
    assert.equal("api", list[2].error.kind)
    assert.equal(true, client:warm())
    client:close()
    assert.equal("", children())
    support.clear()
  end)

  it("are bounded in number", function()
    local runner, running = core.command(), {}
    local path = program("bounded", "sleep 300\n")
    local transfer, kind, message
    repeat
      transfer, kind, message = runner:start { path }
      running[#running + 1] = transfer
    until not transfer
    assert.same({ 128, "limit" }, { #running, kind })
    assert.matches("is running too many times already", message)
    assert.equal(256, #runner:fds())
    runner:close()
    assert.equal("0", alive())
    assert.same({ "cancelled" }, { (select(2, running[1]:read())) })
    assert.same({ nil, "cancelled", "closed" }, { runner:step() })
    assert.same({ nil, "cancelled", "closed" }, { runner:start { path } })
  end)
end)

describe("core.command", function()
  it("raises on misuse", function()
    local runner = core.command()
    for _, bad in ipairs { {}, { 7 }, { "/a\0b" } } do assert.is_false(pcall(runner.start, runner, bad)) end
    assert.is_false(pcall(runner.start, runner, "text"))
    assert.equal("scrutinizer.command", tostring(runner))
    runner:close()
    runner:close()
    assert.equal("scrutinizer.command (closed)", tostring(runner))
  end)
end)
