--- The command `scrutinizer`: see cli.lua.
os.exit(require("scrutinizer.cli").run(arg), true)
