-- The ways to install: the rock and `make install`, each into an empty prefix.

local support = require "spec.support"

local LUA = os.getenv "SCRUTINIZER_LUA" or "lua5.4"
local ABI = LUA == "luajit" and "5.1" or LUA:sub(4)

-- Runs Lua code with nothing but an installed prefix (and Debian's lua-cjson) on its paths, outside the checkout.
local function run_in(prefix, code)
  local command = ("cd / && env -u LUA_INIT LUA_PATH=%s LUA_CPATH=%s %s -e %s 2>&1"):format(
    support.quote(("%s/share/lua/%s/?.lua;%s/share/lua/%s/?/init.lua;;"):format(prefix, ABI, prefix, ABI)),
    support.quote(("%s/lib/lua/%s/?.so;;"):format(prefix, ABI)), LUA, support.quote(code))
  return support.shell(command)
end

local PROBE = [[
local s = require "scrutinizer"
local from = package.searchpath and package.searchpath("scrutinizer.core", package.cpath) or "?"
local client = s.connect { url = "https://127.0.0.1:1", token = "t" }
local _, err = client:report("host2host"):last(60):fetch()
print(s.VERSION, s.decode("[1,2]")[2], err.kind, from)
]]

-- The installed command, with nothing in the environment to help it.
local COMMAND = "cd / && env -u LUA_INIT -u LUA_PATH -u LUA_CPATH -u LD_PRELOAD SCRUTINIZER_URL=https://192.0.2.1 %s/bin/scrutinizer %s 2>&1"

-- The rock's command, with the paths that `luarocks path` would print for its tree.
local IN_TREE = "cd / && env -u LUA_INIT -u LD_PRELOAD LUA_PATH='%s/tree/share/lua/%s/?.lua;%s/tree/share/lua/%s/?/init.lua;;' "
  .. "LUA_CPATH='%s/tree/lib/lua/%s/?.so;;' %s/tree/bin/scrutinizer --version 2>&1"

local function temporary(body)
  local folder = support.folder()
  local good, err = pcall(body, folder)
  os.execute("rm -rf " .. support.quote(folder))
  if not good then error(err, 0) end
end

describe("the rockspec", function()
  it("never links the module with a Lua library", function()
    assert.same({ "curl", "z" }, support.rockspec().build.modules["scrutinizer.core"].libraries)
    assert.is_nil(support.shell(("ldd build/%s/scrutinizer/core.so"):format(LUA)):find "lua5")
  end)
end)

describe("make install", function()
  it("puts a module that works into an empty prefix, and uninstall leaves nothing", function()
    temporary(function(prefix)
      local make = ("env -u OUT -u CFLAGS -u LD_PRELOAD make -s LUA=%s PREFIX=%s "):format(LUA, support.quote(prefix))
      support.shell(make .. "install 2>&1")
      assert.matches("^0%.2%.0%s+2%s+connect%s", run_in(prefix, PROBE))
      local function command(words) return support.shell(COMMAND:format(support.quote(prefix), words)) end
      assert.equal("scrutinizer 0.2.0\n", command "--version")
      assert.matches("^rm +report_api\naction +get\nrpt_json +{.*\ncurl ", command "explain host2host --range LastHour")
      assert.matches("in a checkout of the repository, run make sandbox\n64$", command "sandbox 2>&1; echo -n $?")
      support.shell(make .. "uninstall 2>&1")
      assert.equal("", support.shell(("find %s -mindepth 1"):format(support.quote(prefix))))
    end)
  end)

  -- As OpenResty lies: its LuaJIT in a prefix of its own, which pkg-config names, and its libraries beside that.
  if LUA == "luajit" then
    it("starts the Lua it was built with, and finds the libraries beside it", function()
      temporary(function(root)
        support.shell(([[cd %s && mkdir -p luajit/bin luajit/lib/pkgconfig lualib && ln -s "$(command -v luajit)" luajit/bin/luajit
          ln -s /usr/lib/*/lua/5.1/cjson.so lualib/cjson.so
          sed 's|^prefix=.*|prefix=%s/luajit|; s|^Cflags:.*|Cflags: -I/usr/include/luajit-2.1|' \
            "$(pkg-config --variable=pcfiledir luajit)/luajit.pc" >luajit/lib/pkgconfig/luajit.pc]]):format(root, root))
        support.shell(("env -u OUT -u CFLAGS -u LD_PRELOAD make -s LUA=luajit PREFIX=%s/luajit PKG_CONFIG_PATH=%s/luajit/lib/pkgconfig install 2>&1")
          :format(root, root))
        assert.equal(("#!%s/luajit/bin/luajit\n"):format(root), support.shell(("head -n 1 %s/luajit/bin/scrutinizer"):format(root)))
        local command = "cd / && env -u LUA_INIT -u LUA_PATH -u LD_PRELOAD LUA_CPATH='/none/?.so' %s/luajit/bin/scrutinizer --version 2>&1"
        assert.equal("scrutinizer 0.2.0\n", support.shell(command:format(root)))
      end)
    end)
  end
end)

-- LuaRocks knows no LuaJIT apart from 5.1.
if LUA ~= "luajit" then
  describe("luarocks make", function()
    it("builds a rock that works from an empty tree", function()
      temporary(function(folder)
        support.shell(("cp -r src lua rockspec LICENSE README.md %s/ 2>&1"):format(support.quote(folder)))
        local said = support.shell(("cd %s && env -u LD_PRELOAD luarocks --lua-version %s --tree %s/tree make --deps-mode=none "
          .. "rockspec/scrutinizer-dev-1.rockspec CURL_INCDIR=/usr/include/$(gcc -dumpmachine) 2>&1")
          :format(support.quote(folder), ABI, support.quote(folder)))
        assert.matches("scrutinizer dev%-1 is now installed", said)
        assert.matches("^0%.2%.0%s+2%s+connect%s", run_in(folder .. "/tree", PROBE))
        assert.equal("scrutinizer 0.2.0\n", support.shell(IN_TREE:format(folder, ABI, folder, ABI, folder, ABI, folder)))
      end)
    end)
  end)
end
