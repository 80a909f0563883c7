-- make deb: the package is built, looked into with dpkg's own tools, put into a root of its own, and taken out again.

local support = require "spec.support"

local LUA = os.getenv "SCRUTINIZER_LUA" or "lua5.4"
local ABI = LUA == "luajit" and "5.1" or LUA:sub(4)
local quote = support.quote

local function set(text)
  local found = {}
  for line in text:gmatch "[^\n]+" do found[line] = true end
  return found
end

describe("make deb", function()
  local folder, package, triplet

  setup(function()
    folder = support.folder()
    triplet = support.shell("gcc -dumpmachine"):match "%S+"
    local said = support.shell(("env -u OUT -u CFLAGS -u LD_PRELOAD -u MAKEFLAGS -u MAKELEVEL DEBFULLNAME='Jo Doe' DEBEMAIL=jo@example.net "
      .. "make -s deb LUA=%s DEB=%s 2>&1"):format(LUA, quote(folder)))
    package = assert(said:match "\n(/%S+%.deb)\n$", said)
  end)

  teardown(function() os.execute("rm -rf " .. quote(folder)) end)

  it("writes one package and says where it is", function()
    local architecture = support.shell("dpkg --print-architecture"):match "%S+"
    assert.equal(("%s/%s-scrutinizer_0.2.0-1_%s.deb\n"):format(folder, LUA, architecture), support.shell("ls -d " .. quote(folder) .. "/*"))
    assert.equal(package .. "\n", support.shell("ls -d " .. quote(folder) .. "/*"))
  end)

  it("says who made it, what it needs and what it excludes", function()
    local function field(name) return (support.shell(("dpkg-deb -f %s %s"):format(quote(package), name)):gsub("\n$", "")) end
    assert.equal(LUA .. "-scrutinizer", field "Package")
    assert.equal("0.2.0-1", field "Version")
    assert.equal("Jo Doe <jo@example.net>", field "Maintainer")
    assert.equal("lua-scrutinizer", field "Provides")
    assert.equal("lua-scrutinizer", field "Conflicts")
    local needs = ", " .. field "Depends" .. ","
    for _, name in ipairs { LUA == "luajit" and "luajit | luajit2" or LUA, "lua-cjson", "lua-argparse", "tzdata" } do
      assert.is_truthy(needs:find(", " .. name .. ",", 1, true), needs)
    end
    -- Each library that the loader will look for is in a package that is needed.
    local owners = support.shell(("ldd build/%s/scrutinizer/core.so"):format(LUA))
    for _, library in ipairs { "libcurl.so.4", "libz.so.1", "libc.so.6" } do
      local path = assert(owners:match(library:gsub("%.", "%%.") .. " => (%S+)"), owners)
      local owner = support.shell(("dpkg -S %s $(readlink -f %s) /usr%s 2>/dev/null"):format(path, path, path)):match "^([^:]+):"
      assert.is_truthy(needs:find(", " .. owner .. " (>= ", 1, true), owner .. " is not in " .. needs)
    end
  end)

  it("has the module's files, the command and the documents, all of root's, and no more", function()
    local wanted = {}
    local share, lib = "./usr/share/lua/" .. ABI .. "/", "./usr/lib/" .. triplet .. "/lua/" .. ABI .. "/"
    for path in support.shell "cd lua && find scrutinizer -name '*.lua'":gmatch "%S+" do wanted["-rw-r--r-- root/root " .. share .. path] = true end
    wanted["-rw-r--r-- root/root " .. lib .. "scrutinizer/core.so"] = true
    wanted["-rwxr-xr-x root/root ./usr/bin/scrutinizer"] = true
    for _, name in ipairs { "README.md.gz", "changelog.Debian.gz", "changelog.gz", "copyright" } do
      wanted[("-rw-r--r-- root/root ./usr/share/doc/%s-scrutinizer/%s"):format(LUA, name)] = true
    end
    assert.same(wanted, set(support.shell(("dpkg-deb -c %s | grep -v '/$' | awk '{ print $1, $2, $6 }'"):format(quote(package)))))
  end)

  it("has a module and a command that work where it is unpacked, and sums that hold", function()
    local root = folder .. "/root"
    assert.equal("", support.shell(("mkdir %s && dpkg-deb -R %s %s 2>&1"):format(quote(root), quote(package), quote(root))))
    assert.equal("0\n", support.shell(("cd %s && md5sum -c --quiet DEBIAN/md5sums >&2; echo $?"):format(quote(root))))
    assert.equal("#!/usr/bin/" .. LUA .. "\n", support.read(root .. "/usr/bin/scrutinizer"):match "^[^\n]*\n")
    local on = ("cd / && env -u LUA_INIT -u LD_PRELOAD LUA_PATH='%s/usr/share/lua/%s/?.lua;%s/usr/share/lua/%s/?/init.lua;;' "
      .. "LUA_CPATH='%s/usr/lib/%s/lua/%s/?.so;;' "):format(root, ABI, root, ABI, root, triplet, ABI)
    assert.equal("scrutinizer 0.2.0\n", support.shell(on .. quote(root .. "/usr/bin/scrutinizer") .. " --version 2>&1"))
    assert.equal("0.2.0\tconnect\n", support.shell(on .. LUA .. " -e " .. quote [[
      local s = require "scrutinizer"
      local _, err = s.connect { url = "https://127.0.0.1:1", token = "t" }:report("host2host"):last(60):fetch()
      print(s.VERSION, err.kind)]] .. " 2>&1"))
    os.execute("rm -rf " .. quote(root))
  end)

  -- dpkg gives files their owners, which only root may.
  if support.shell "id -u" == "0\n" then
    it("is installed and removed by dpkg, and leaves nothing", function()
      local root, name = folder .. "/system", LUA .. "-scrutinizer"
      local dpkg = ("env -u LD_PRELOAD dpkg --root=%s --force-depends "):format(quote(root))
      os.execute(("cd %s && mkdir -p system/var/lib/dpkg/updates system/var/lib/dpkg/info && touch system/var/lib/dpkg/status"):format(quote(folder)))
      assert.matches("\nSetting up " .. name:gsub("%p", "%%%0") .. " %(0%.2%.0%-1%)", support.shell(dpkg .. "-i " .. quote(package) .. " 2>&1"))
      local query = "dpkg-query --admindir=%s/var/lib/dpkg -f '${db:Status-Abbrev} ${Package}' -W"
      assert.equal("ii  " .. name, support.shell(query:format(quote(root))))
      assert.is_truthy(support.shell(("find %s/usr -type f | wc -l"):format(quote(root))):match "^1%d%d\n")
      support.shell(dpkg .. "-r " .. name .. " 2>&1")
      assert.equal("", support.shell(("find %s/usr -mindepth 1 2>/dev/null"):format(quote(root))))
      os.execute("rm -rf " .. quote(root))
    end)
  end
end)
