-- Files with manifests: against sha256sum, with processes that are killed, and with two that write the same file.
local core = require "scrutinizer.core"
local manifest = require "scrutinizer.export.manifest"
local support = require "spec.support"

local quote = support.quote

describe("a file with a manifest", function()
  local folder, path
  before_each(function()
    folder = os.tmpname()
    os.remove(folder)
    support.shell("mkdir " .. folder)
    path = folder .. "/day.csv"
  end)
  after_each(function() support.shell("rm -rf " .. quote(folder)) end)

  local ASKED = { report = "tos", window = { 1, 2 }, keep = setmetatable({}, core.array_mt) }

  local function listing() return support.shell("ls -A " .. quote(folder)) end

  local function write(text, asked)
    return manifest.write(path, asked or ASKED, function(put)
      assert(put(text))
      return { rows = 1 }
    end)
  end

  it("has the hash and the length of what is in the file", function()
    -- Lengths around the blocks of SHA-256, in pieces of all kinds.
    for _, length in ipairs { 0, 1, 55, 56, 63, 64, 65, 119, 128, 1000, 70000 } do
      local text = (("%s\0\r\n"):rep(8):format(1, 2, 3, 4, 5, 6, 7, 8)):rep(2200):sub(1, length)
      for _, piece in ipairs { 1, 7, 64, 100, 65536 } do
        local made = assert(manifest.write(path, ASKED, function(put)
          for at = 1, length, piece do assert(put(text:sub(at, at + piece - 1))) end
          return { rows = 3 }
        end))
        if piece > 1 or length < 2000 then
          assert.equal(support.shell("sha256sum <" .. quote(path)):match "%x+", made.sha256)
        end
        assert.equal(length, made.bytes)
        assert.equal(text, support.read(path))
      end
    end
    assert.equal("day.csv\nday.csv.manifest\n", listing())
    local read = assert(manifest.read(path))
    assert.equal(core.VERSION, read.version)
    assert.same({ rows = 3 }, read.found)
    assert.same({ 1, 2 }, read.asked.window)
  end)

  it("is there already when what was asked is equal and the hash is right", function()
    assert.is_nil(manifest.find(path, ASKED))
    local made = write "1,2\n"
    assert.equal(made.sha256, manifest.find(path, ASKED).sha256)
    assert.is_nil(manifest.find(path, { report = "tos", window = { 1, 3 }, keep = ASKED.keep }))
    assert.is_nil(manifest.find(path, { report = "tos", window = { 1, 2 } }))
    support.write(path, "1,3\n") -- of the same length
    assert.is_nil(manifest.find(path, ASKED))
    local _, err = manifest.pour(path, made, function() return true end)
    assert.equal("file", err.kind)
    assert.matches("day.csv: its SHA%-256 differs from the one in its manifest", err.message)
    write "1,2\n"
    os.remove(path)
    assert.is_nil(manifest.find(path, ASKED))
    for _, text in ipairs { "", "{", "[]", '{"manifest":2,"asked":{},"found":{},"sha256":""}', '{"manifest":1}' } do
      support.write(path .. ".manifest", text)
      err = select(2, manifest.read(path))
      assert.matches("day.csv.manifest: not a manifest", err.message)
    end
  end)

  it("stays as it is when another one fails, and leaves nothing behind", function()
    write "old\n"
    local none, err = manifest.write(path, { other = true }, function(put)
      put "new"
      return nil, "broken"
    end)
    assert.is_nil(none)
    assert.equal("broken", err)
    assert.has_error(function()
      manifest.write(path, { other = true }, function(put)
        put "new"
        error("boom", 0)
      end)
    end, "boom")
    assert.equal("old\n", support.read(path))
    assert.is_truthy(manifest.find(path, ASKED))
    assert.equal("day.csv\nday.csv.manifest\n", listing())
    none, err = manifest.write(folder .. "/none/x.csv", ASKED, function() return {} end)
    assert.is_nil(none)
    assert.matches("none/x.csv: No such file or directory$", err.message)
  end)

  it("survives a process that is killed at any moment", function()
    write "old\n"
    local script = folder .. "/w.lua"
    support.write(script, ([[local m = require "scrutinizer.export.manifest"
      io.stdout:setvbuf "no"
      m.write(%q, { n = 2 }, function(put) put(("x"):rep(100000)) print "written" while true do put "y" end end)]]):format(path))
    support.shell(("%s %s >%s/out & pid=$!; while ! grep -q written %s/out; do sleep 0.02; done; kill -9 $pid; wait $pid 2>/dev/null; rm %s/out %s")
      :format(support.lua, script, folder, folder, folder, script))
    assert.equal("day.csv\nday.csv.manifest\nday.csv.part\n", listing())
    assert.is_truthy(manifest.find(path, ASKED))
    -- The next process removes what the killed one left.
    write("new\n", { n = 2 })
    assert.equal("day.csv\nday.csv.manifest\n", listing())
    assert.equal("new\n", support.read(path))
  end)

  it("belongs to the later one of two processes that write it at once", function()
    local first = core.file(path, path .. ".part")
    first:write "first"
    local second = core.file(path, path .. ".part")
    second:write "second"
    local none, why, busy = first:finish()
    assert.is_nil(none)
    assert.equal("another process writes this file", why)
    assert.is_true(busy)
    assert.equal("day.csv.part\n", listing())
    assert.is_string(second:finish())
    assert.equal("second", support.read(path))
    -- The earlier one ends after the later one has, or gives up.
    first = core.file(path, path .. ".part")
    second = core.file(path, path .. ".part")
    second:write "third"
    first:abort()
    assert.is_string(second:finish())
    second = core.file(path, path .. ".part")
    assert.is_string(second:finish())
    assert.has_error(function() second:write "x" end)
    assert.equal("day.csv\n", listing())
    local _, err = manifest.write(path, ASKED, function(put)
      put "1"
      second = core.file(path, path .. ".part")
      return {}
    end)
    assert.is_true(err.retryable)
    second:abort()
    second:abort()
    assert.equal("day.csv\n", listing())
  end)

  it("says why nothing more can be written", function()
    local script = folder .. "/w.lua"
    support.write(script, ([[local m = require "scrutinizer.export.manifest"
      print(m.write(%q, {}, function(put)
        local ok, why
        for _ = 1, 1000 do ok, why = put(("x"):rep(4096)) if not ok then return nil, why end end
        return {}
      end))]]):format(path))
    -- A limit of the shell on files' lengths; the signal of it is ignored.
    local out = support.shell(("trap '' XFSZ; ulimit -f 64; %s %s; rm %s"):format(support.lua, script, script))
    assert.matches("^nil\tfile: %S+/day.csv: File too large\n$", out)
    assert.equal("", listing())
  end)

  it("is not there when a write has failed, whoever asks for it", function()
    local script = folder .. "/w.lua"
    support.write(script, ([[local file = require "scrutinizer.core".file(%q, %q)
      for _ = 1, 20 do print(file:write(("x"):rep(4096))) end
      print(file:finish())]]):format(path, path .. ".part"))
    local out = support.shell(("trap '' XFSZ; ulimit -f 64; %s %s | sort | uniq -c | sed 's/^ *//'; rm %s"):format(support.lua, script, script))
    -- 64 blocks of 1,024 bytes, or of 512 where the shell counts as POSIX says.
    local failed = out:match "(%d+) nil\tFile too large\tfalse"
    assert.is_truthy(failed == "5" or failed == "13", out)
    assert.equal("", listing())
  end)

  it("may have any name that leaves room for that of its part", function()
    for length = 200, 250 do
      local name = folder .. "/" .. ("n"):rep(length)
      local file = assert(core.file(name, name .. ".part"))
      assert.is_true(file:write "x")
      assert.is_string(file:finish())
      assert.equal(("n"):rep(length) .. "\n", listing())
      os.remove(name)
    end
    local name = folder .. "/" .. ("\226\130\172"):rep(83) .. "." -- the euro sign: no character is cut
    local file = assert(core.file(name, name .. "part"))
    assert.is_string(file:finish())
    os.remove(name)
  end)

  it("replaces a plain file alone, and says so before anything is made", function()
    support.shell(("cd %s; mkdir d; mkfifo f; ln -s d to_d; ln -s f to_f; ln -s /dev/null to_n"):format(quote(folder)))
    local folders, others = "Is a directory", "not a plain file"
    for name, why in pairs { d = folders, to_d = folders, f = others, to_f = others, to_n = others } do
      local made
      local _, err = manifest.write(folder .. "/" .. name, ASKED, function() made = true return {} end)
      assert.matches("/" .. name .. ": " .. why .. "$", err.message)
      assert.is_nil(made)
    end
    assert.equal("d\nf\nto_d\nto_f\nto_n\n", listing())
  end)

  it("has the mode of the file that it replaces, from its first byte on", function()
    local function modes(names) return support.shell(("cd %s; stat -c %%a %s"):format(quote(folder), names)) end
    for _, mode in ipairs { "600", "640", "400", "666", "755" } do
      support.write(path, "old")
      support.shell(("chmod %s %s"):format(mode, quote(path)))
      local file = assert(core.file(path, path .. ".part"))
      assert.equal(mode .. "\n", modes "day.csv.part")
      assert.is_true(file:write "new")
      assert.is_string(file:finish())
      assert.equal(mode .. "\n", modes "day.csv")
      assert.equal("new", support.read(path))
      os.remove(path)
    end
  end)

  -- A process that writes a part and goes on by `what`; its standard output goes to `reader`.
  local function by_signal(what, reader, before)
    local script = os.tmpname()
    support.write(script, ([[local core = require "scrutinizer.core"
      core.handle_signals(0)
      local file = core.file(%q, %q)
      file:write "x"
      io.stdout:setvbuf "no"
      print "ready"
      %s
      os.exit(9)]]):format(path, path .. ".part", what))
    local out = support.shell(("%s; %s %s %s; rm %s"):format(before or "true", support.lua, script, reader, script))
    for _ = 1, 50 do -- the reader may end before the process has tidied up
      if listing() == "" then break end
      support.shell "sleep 0.1"
    end
    return out, listing()
  end

  it("is gone whatever signal ends the command", function()
    assert.same({ "ready\n", "" }, { by_signal("for _ = 1, 100000 do print 'x' end", "| head -n 1") })
    local much = "for _ = 1, 1000 do file:write(('x'):rep(4096)) end"
    assert.same({ "153\n", "" }, { by_signal(much, ">/dev/null 2>&1; echo $?", "ulimit -f 64") })
    assert.same({ "131\n", "" }, { by_signal("io.popen('kill -QUIT $PPID'):close()", ">/dev/null; echo $?") })
  end)

  it("leaves the terminal alone while another program has it", function()
    local program, script = os.tmpname(), os.tmpname()
    support.write(program, ([[require "scrutinizer.core".handle_signals(0) print "ready" io.stdout:flush() while true do end]]))
    support.write(script, ([[
import fcntl, os, subprocess, sys, termios
main, end = os.openpty()
os.setsid()
fcntl.ioctl(end, termios.TIOCSCTTY, 0)
for background in False, True:
    before = termios.tcgetattr(end)
    p = subprocess.Popen(sys.argv[1:], stdin=end, stdout=subprocess.PIPE, preexec_fn=os.setpgrp if background else None)
    p.stdout.readline()
    raw = termios.tcgetattr(end)
    raw[3] &= ~(termios.ECHO | termios.ICANON)
    termios.tcsetattr(end, termios.TCSANOW, raw)
    p.terminate()
    p.wait()
    print("raw" if termios.tcgetattr(end)[3] == raw[3] else "as before")
    termios.tcsetattr(end, termios.TCSANOW, before)
]]))
    -- In a process that leads no group: it may begin a session.
    local fork = 'import os, sys; os.fork() or os.execvp("python3", ["python3"] + sys.argv[1:]); os.wait()'
    local out = support.shell(("python3 -c '%s' %s %s %s; rm %s %s"):format(fork, script, support.lua, program, script, program))
    assert.equal("as before\nraw\n", out)
  end)
end)
