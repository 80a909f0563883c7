--- The command `scrutinizer`: see cli/init.lua.
os.exit(require("scrutinizer.cli").run(arg), true)
