--- The command `scrutinizer`: see cli/init.lua.
require "scrutinizer.cli.lua_paths"()
os.exit(require("scrutinizer.cli").run(arg), true)
