-- What the Makefile promises: the demo's words, one line to eval, and no package manager when nothing is missing.

local support = require "spec.support"

local LUA = os.getenv "SCRUTINIZER_LUA" or "lua5.4"

-- Commands run as from a plain shell: nothing of this spec run's own build or preloads.
local function make(arguments)
  return support.shell("env -u OUT -u CFLAGS -u LD_PRELOAD -u SCRUTINIZER_SANDBOX -u MAKEFLAGS -u MAKELEVEL " .. arguments)
end

-- A folder with an apt-get and a dpkg that only leave a mark that they were called.
local function with_watched_packages(body)
  local folder = support.folder()
  for _, name in ipairs { "apt-get", "apt", "dpkg", "dpkg-query" } do
    local path = folder .. "/" .. name
    support.write(path, "#!/bin/sh\necho called >>", folder, "/called\nexit 1\n")
    os.execute("chmod +x " .. path)
  end
  local good, err = pcall(body, folder)
  local called = io.open(folder .. "/called")
  if called then called:close() end
  os.execute("rm -rf " .. support.quote(folder))
  if not good then error(err, 0) end
  return called ~= nil
end

describe("make demo", function()
  it("prints what it started, the script, ten rows of the recorded day and what exists; leaves nothing running", function()
    local out, left
    local called = with_watched_packages(function(folder)
      -- Its processes have this folder in their arguments: other sandboxes may come and go meanwhile.
      local own = folder .. "/own"
      support.shell("mkdir " .. own)
      out = make(("TMPDIR=%s PATH=%s:$PATH make demo LUA=%s 2>&1"):format(own, folder, LUA))
      left = support.shell(("pgrep -fc '[/]%s'"):format(own:sub(2))) .. support.shell("ls -A " .. own)
    end)
    assert.is_false(called, "a package manager was called though nothing was missing")
    assert.matches("Started the sandbox appliance at https://127%.0%.0%.1:%d+: nginx, TLS with a CA of its own, 28783 recorded flows", out)
    local script = 0
    for line in out:gmatch "[^\n]+" do
      if line:find "^    %S" or line:find "^      %S" then script = script + 1 end
    end
    assert.equal(11, script) -- a comment and ten lines
    local rows = 0
    for rank in out:gmatch "\n +(%d+)  %d+%.%d+%.%d+%.%d+ +%d+%.%d+%.%d+%.%d+ +[^\n]- +[%d.]+ [kMG]?B +[%d.]+ %%" do
      rows = rows + 1
      assert.equal(rows, tonumber(rank))
    end
    assert.equal(10, rows)
    assert.matches("\n   1  157%.240%.30%.63    10%.8%.0%.69        HTTPS %(443 %- TCP%)%s+192%.1 MB   50%.23 %%", out)
    assert.matches("\n%d+ conversations exist\n", out)
    assert.matches("Done in %d+ ms on " .. LUA:gsub("%.", "%%."), out)
    assert.equal("0\n", left)
  end)
end)

describe("make env", function()
  it("prints one line to eval, absolute and quoted, and nothing else", function()
    local out
    local called = with_watched_packages(function(folder)
      out = make(("PATH=%s:$PATH make -s env LUA=%s"):format(folder, LUA))
    end)
    assert.is_false(called)
    assert.matches("^export LUA_PATH='/[^']*/lua/%?%.lua;/[^']*/lua/%?/init%.lua;;' LUA_CPATH='/[^']*/build/"
      .. LUA:gsub("%.", "%%.") .. "/%?%.so;;'\n$", out)
  end)
end)

describe("make sandbox", function()
  it("prints its line whatever LUA* is in the environment, and ends with its signal", function()
    local out = make [[LUA_INIT='error("no")' LUA_PATH=nowhere LUA_CPATH=nowhere bash -c '
      coproc { exec make sandbox PORT=0 HTTP_PORT=0; }
      read -r line <&"${COPROC[0]}"; echo "$line"
      set -- $line
      curl -s --cacert "${3#ca=}" -d rm=report_api "$1/fcgi/scrut_fcgi.fcgi"; echo
      kill -TERM "$COPROC_PID"; wait "$COPROC_PID"
      [ -e "${3#ca=}" ] && echo left || echo gone' 2>/dev/null]]
    assert.matches("^https://127%.0%.0%.1:%d+ token=%w+ ca=/%S+\n", out)
    assert.matches('"err"', out)
    assert.matches("\ngone\n$", out)
  end)
end)

-- A run inside the run, once.
if not os.getenv "SANDBOX_CHECKED" and not os.getenv "SCRUTINIZER_SANITIZED" then
  describe("spec/run", function()
    -- A spec that leaves processes, each another way out of its parent's sight: in a session of its own, twice forked, deaf to TERM. Each
    -- sleeps for seconds that nobody else asks for.
    local SPEC = [[it("passes", function()
      os.execute "setsid sleep 86401.%d & (setsid sh -c 'trap : TERM; sleep 86402.%d; sleep 86403.%d' &)"
      %s
    end)]]

    -- What a run says whose spec goes on with this; whether a sleeper is left.
    local function run(more, command)
      local name, id = os.tmpname(), math.random(100000, 999999)
      local path = name .. "_spec.lua"
      support.write(path, (SPEC:gsub("%%d", id):gsub("%%s", more)))
      local out = make(("FILES=%s WRAP= bash -c %s 2>&1"):format(path, support.quote((command:gsub("@LUA@", LUA)))))
      local left = support.shell(("pgrep -fc '[s]leep 8640.[.]%d'"):format(id))
      os.remove(path)
      os.remove(name)
      return out, left, id
    end

    it("fails where there is nothing to run", function()
      local path = os.tmpname()
      local out = make(("FILES=%s WRAP= bash -c 'spec/run %s; echo status $?' 2>&1"):format(path, LUA))
      os.remove(path)
      assert.matches("\nspec/run: no spec ran\n0 passed, 1 failed\nstatus 1\n$", out)
    end)

    it("names what a spec leaves running, ends it, and fails", function()
      local out, left, id = run("", "spec/run @LUA@; echo status $?")
      for seconds = 1, 2 do
        local line = ("\nspec/run: the specs on %s left behind: process %%d+, %%d+ s old: sleep 8640%d%%.%d\n")
        assert.matches(line:format((LUA:gsub("%.", "%%.")), seconds, id), out)
      end
      assert.matches("\n1 passed, 1 failed\nstatus 1\n$", out)
      assert.equal("0\n", left)
    end)

    it("names the files, sockets and folders that a spec leaves, removes them, and fails", function()
      local id = math.random(100000, 999999)
      local spec = support.folder() .. "/left_spec.lua"
      support.write(spec, ([[it("passes", function()
        assert(io.open(os.tmpname(), "w")):close()
        local at = os.getenv "TMPDIR"
        os.execute("mkdir -p " .. at .. "/folder%d/in && python3 -c 'import socket, sys; "
          .. "socket.socket(socket.AF_UNIX).bind(sys.argv[1])' " .. at .. "/socket%d; echo " .. at .. " >" .. debug.getinfo(1).source:sub(2) .. ".at")
      end)]]):format(id, id))
      local out = make(("FILES=%s WRAP= bash -c 'spec/run %s; echo status $?' 2>&1"):format(spec, LUA))
      local line = "\nspec/run: the specs on " .. LUA:gsub("%.", "%%.") .. " left behind: "
      assert.matches(line .. "directory folder" .. id .. " in\n", out)
      assert.matches(line .. "socket socket" .. id .. "\n", out)
      assert.matches(line .. "regular empty file lua_1\n", out)
      assert.matches("\n1 passed, 1 failed\nstatus 1\n$", out)
      local at = support.read(spec .. ".at"):match "%S+"
      assert.equal("gone\n", support.shell(("[ -e %s ] || echo gone"):format(support.quote(at))))
      os.execute("rm -rf " .. support.quote(spec:match "^(.*)/"))
    end)

    it("ends what a spec leaves when the interpreter is killed", function()
      local out, left = run("os.execute 'kill -9 $PPID'", "spec/run @LUA@; echo status $?")
      assert.matches("ended without a count %(status 137%)", out)
      assert.matches("\n0 passed, 1 failed\nstatus 1\n$", out)
      assert.equal("0\n", left)
    end)

    it("ends all that it started when TERM ends it", function()
      local out, left = run("os.execute 'echo begun >&2; sleep 86404'", [[
        TMPDIR=$(mktemp -d); export TMPDIR
        spec/run @LUA@ & run=$!
        for _ in $(seq 900); do ! grep -qs begun "$TMPDIR"/*/*.out || break; sleep 0.1; done
        kill $run; wait $run; echo status $?
        ls -A "$TMPDIR"; pgrep -fa "$TMPDIR"
        rm -rf "$TMPDIR"]])
      assert.matches("status 130\n$", out)
      assert.equal("0\n", left)
    end)
  end)
end

describe("the version", function()
  it("is said once", function()
    local found = support.shell [[grep -rlE '(^|[^0-9.])0\.2\.0([^0-9.]|$)' src lua rockspec Makefile]]
    assert.equal("src/version.h\n", found)
  end)
end)

describe("the library", function()
  it("sets no global when it is required", function()
    local out = support.shell(([[%s -e '
      require "cjson" -- sets none either, but is not ours to prove
      local before = {}
      for name in pairs(_G) do before[name] = true end
      require "scrutinizer"
      for name in pairs(_G) do if not before[name] then print(name) end end']]):format(LUA))
    assert.equal("", out)
  end)
end)
