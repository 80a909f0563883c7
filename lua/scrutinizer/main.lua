--- The command `scrutinizer`: see cli/init.lua. It finds libraries, besides those in its Lua's own paths.

local VERSION = _VERSION:match "%d+%.%d+"

local function add(paths, list)
  for _, path in ipairs(list) do
    if not paths:find(path, 1, true) then paths = paths .. ";" .. path end
  end
  return paths
end

-- Adds OpenResty's libraries (cjson), for which OpenResty's LuaJIT itself does not look, and Debian's (argparse), for which a Lua from elsewhere
-- does not.
local function look_for_libraries()
  local root = (";" .. package.path):match ";([^;]*)/luajit/share/lua/5%.1/%?%.lua"
  if root then
    package.path = add(package.path, { root .. "/site/lualib/?.lua", root .. "/lualib/?.lua" })
    package.cpath = add(package.cpath, { root .. "/site/lualib/?.so", root .. "/lualib/?.so" })
  end
  package.path = add(package.path, { ("/usr/share/lua/%s/?.lua"):format(VERSION), ("/usr/share/lua/%s/?/init.lua"):format(VERSION) })
end

look_for_libraries()
os.exit(require("scrutinizer.cli").run(arg), true)
