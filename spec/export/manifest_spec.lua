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
end)
