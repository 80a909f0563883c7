-- The house: which room may use which, and how large a room and a function may be. A room is a folder of lua/scrutinizer; the files beside
-- the folders are in the rooms that FILES names.
local lua_source = require "spec.lua_source"
local support = require "spec.support"

-- ---- the table of allowed arrows: a room uses only what stands behind it here ----

local ARROWS = {
  core = {},
  basic = { "core" },
  arithmetic = { "basic", "core" },
  secrets = { "basic", "core" },
  time = { "basic" },
  wire = { "basic", "core" },
  transport = { "wire", "time", "secrets", "basic", "core" },
  report = { "transport", "wire", "time", "secrets", "arithmetic", "basic", "core" },
  query = { "report", "wire", "time", "basic", "core" },
  manage = { "report", "transport", "wire", "time", "basic", "core" },
  client = { "query", "manage", "report", "transport", "wire", "secrets", "basic", "core" },
  recorder = { "client", "wire", "secrets", "basic", "core" },
  init = { "client", "recorder", "query", "report", "arithmetic", "basic", "core" },
  export = { "wire", "time", "arithmetic", "basic", "core" },
  chart = { "export", "time", "basic" },
  billing = { "export", "report", "time", "wire", "arithmetic", "basic", "core" },
  cli = { "init", "billing", "chart", "export", "wire", "time", "basic", "core" },
  meta = {},
}

-- Modules of others, and the rooms that may use each.
local LIBRARIES = {
  argparse = { cli = true }, cjson = { wire = true }, ffi = { arithmetic = true, transport = true }, ["ngx.semaphore"] = { transport = true },
}

-- Calls of `require` whose name is computed, as written; the names that they can mean are in the module's strings.
local COMPUTED = { client = { "require(part)" } }

-- Modules that nothing else has to use: scripts, the command and editors do.
local ENTRANCES = { init = true, main = true, billing = true, chart = true, export = true, ["meta.core"] = true }

-- Folders of specs that have no room's name.
local SPEC_FOLDERS = { core = true, hostile = true, hosts = true, project = true, sandbox = true }

-- The rooms of the modules that lie beside the folders. `core` is the C core.
local FILES = { init = "init", main = "cli", client = "client", options = "client", limits = "report", core = "core" }
for _, name in ipairs { "addresses", "ascii", "check", "csv", "errors", "files", "listing", "sink", "suggest" } do FILES[name] = "basic" end

-- The same in C. A file's whole name stands in C_ROOM, or its first word does, or its first word is the name of its room; all others are `bytes`.
-- Which headers of others a room may include is the matter of OUTSIDE.
local C_ARROWS = {
  bytes = {},
  json = { "bytes" },
  secret = { "bytes" },
  report = { "json", "bytes" },
  aggregate = { "report", "bytes" },
  inflate = {},
  http = { "inflate", "bytes" },
  command = { "bytes" },
  lua = { "secret", "json", "bytes" },
  lua_source = { "lua", "http", "command", "bytes" },
  lua_report = { "lua_source", "lua", "aggregate", "report", "bytes" },
  core = { "lua_report", "lua_source", "lua", "http", "bytes" },
}
local C_ROOM = { compat = "lua", reading = "secret", scan = "json", token = "json" }
for room, names in pairs {
  report = { "columns", "cross", "guess", "keep", "raws", "slot", "ties" },
  lua_report = { "lua_aggregate", "lua_decoder", "lua_fast_path", "lua_fold", "lua_keep", "lua_report", "lua_rows", "lua_ties" },
  lua_source = { "lua_command", "lua_feed", "lua_http", "lua_source" },
} do
  for _, name in ipairs(names) do C_ROOM[name] = room end
end
local LUA = { lua = true, lua_source = true, lua_report = true, core = true }
-- Headers of others and symbols of others by how their names begin, and the rooms that may use them.
local OUTSIDE = { ["^lua"] = LUA, ["^lauxlib"] = LUA, ["^curl"] = { http = true }, ["^zlib"] = { inflate = true }, ["^inflate"] = { inflate = true } }

local MOST_FILES, MOST_LINES = 15, 60

-- ---- reading ----

local function lines_of(command)
  local list = {}
  for line in support.shell(command):gmatch "[^\n]+" do list[#list + 1] = line end
  return list
end

-- "query.names" of lua/scrutinizer/query/names.lua; "query" of its init.lua, "init" of the outermost.
local function module_of(path)
  local name = path:match "^lua/scrutinizer/(.*)%.lua$" or path
  return (name:gsub("/", "."):gsub("%.init$", ""))
end

-- The Lua modules of the checkout: { [module] = text }.
local function modules()
  local found = {}
  for _, path in ipairs(lines_of "find lua -name '*.lua'") do found[module_of(path)] = support.read(path) end
  return found
end

-- The modules that a module names in a string, however it asks for them, without the "scrutinizer." before them. A name that goes on at run time
-- ("scrutinizer.manage." .. name) stands for every module of `found` in that folder.
local function required(text, found)
  local list, code, strings = {}, lua_source.parts(text)
  for i, content in ipairs(strings) do
    local name = content:match "^scrutinizer%.(%l[%w_.]*)$"
    if content == "scrutinizer" and code:find(('%%f[%%w_]require%%W*"%d"'):format(i)) then name = "init" end
    if name and name:sub(-1) ~= "." then list[#list + 1] = name end
    for module in pairs(name and name:sub(-1) == "." and found or {}) do
      if module:sub(1, #name) == name then list[#list + 1] = module end
    end
  end
  return list
end

-- How else a module could get at others, where a reader of names would not see it. Only `package.loaded.name` is allowed.
local HIDDEN = { "getregistry", "_G%s*[.%[]" }
for _, word in ipairs { "dofile", "loadfile", "loadstring", "load", "package", "_ENV", "getfenv" } do
  HIDDEN[#HIDDEN + 1] = "%f[%w_.:]" .. word .. "%f[^%w_]"
end
local MAY_LOAD = { ["cli.data_files"] = true, main = true } -- it runs the user's file; it adds folders to the paths

-- Names that `require` gets in the code, in the forms allowed: one string, or one that ends in "." with the rest after it. Then what is left of
-- the code, in which no `require` may remain.
local function names_asked_for(code, strings)
  local list = {}
  local function take(number, more)
    local name = strings[tonumber(number)]
    if more ~= "" and name:sub(-1) ~= "." then return "require" end
    list[#list + 1] = name
    return ""
  end
  code = code:gsub('%f[%w_]require%s*"(%d+)"()', function(number) return take(number, "") end)
  code = code:gsub('%f[%w_]require%s*%(%s*"(%d+)"%s*([.]?[.]?)', take)
  code = code:gsub('%f[%w_]pcall%s*%(%s*require%s*,%s*"(%d+)"%s*([.]?[.]?)', take)
  return list, code
end

-- Complaints about a module that asks for others in a form that hides their names, and about modules of others in a room that may not use them.
local function hidden(module, room, text)
  local wrong, code, strings = {}, lua_source.parts(text)
  local names, rest = names_asked_for(code, strings)
  for _, form in ipairs(COMPUTED[module] or {}) do rest = rest:gsub(form:gsub("%W", "%%%0"), "") end
  if rest:find "%f[%w_]require%f[^%w_]" then wrong[#wrong + 1] = module .. " hides a name from require" end
  for _, name in ipairs(names) do
    local own = name == "scrutinizer" or name:find "^scrutinizer%.%l[%l%d_.]*$"
    if not own and not (LIBRARIES[name] or {})[room] then wrong[#wrong + 1] = ("%s (%s) must not use the module %s"):format(module, room, name) end
  end
  rest = rest:gsub("%f[%w_]package%s*%.%s*loaded%s*%.%s*([%a_][%w_]*)", function(name) return name ~= "scrutinizer" and "" or nil end)
  for _, pattern in ipairs(MAY_LOAD[module] and {} or HIDDEN) do
    local found = rest:match(pattern)
    if found then wrong[#wrong + 1] = ("%s has %s"):format(module, found) end
  end
  return wrong
end

local function room_of(module)
  local first = module:match "^[^.]+"
  return FILES[first] or first
end

-- ---- judging: each gives a list of complaints ----

local function wrong_arrows(found)
  local wrong = {}
  for module, text in pairs(found) do
    local room, allowed = room_of(module), {}
    if not ARROWS[room] then wrong[#wrong + 1] = module .. " is in no room" end
    for _, name in ipairs(ARROWS[room] or {}) do allowed[name] = true end
    for _, complaint in ipairs(hidden(module, room, text)) do wrong[#wrong + 1] = complaint end
    for _, other in ipairs(required(text, found)) do
      local target = room_of(other)
      if target ~= room and not allowed[target] then wrong[#wrong + 1] = ("%s (%s) must not use %s (%s)"):format(module, room, other, target) end
    end
  end
  table.sort(wrong)
  return wrong
end

-- Circles of a graph { [name] = list of names }: names that reach themselves.
local function in_circles(graph)
  local circles = {}
  for start in pairs(graph) do
    local seen, stack = {}, { start }
    while #stack > 0 do
      for _, other in ipairs(graph[table.remove(stack)] or {}) do
        if not seen[other] then seen[other], stack[#stack + 1] = true, other end
      end
    end
    if seen[start] then circles[#circles + 1] = start end
  end
  table.sort(circles)
  return circles
end

local function lua_circles(found)
  local graph = {}
  for module, text in pairs(found) do graph[module] = required(text, found) end
  return in_circles(graph)
end

-- What the linker sees: `nm` over the object files as { [file] = { defines = symbols, uses = symbols } }. Names that begin with "_" are the
-- compiler's.
local function symbols_of(listing)
  local files, file = {}, nil
  for _, line in ipairs(listing) do
    local object = line:match "([%w_]+)%.o:$"
    if object then
      file = { defines = {}, uses = {} }
      files[object] = file
    else
      local kind, symbol = line:match "(%u) (%a[%w_]*)$"
      if kind then table.insert(kind == "U" and file.uses or file.defines, symbol) end
    end
  end
  return files
end

-- Which C file uses a symbol of which.
local function c_graph(files)
  local home, graph = {}, {}
  for object, file in pairs(files) do
    for _, symbol in ipairs(file.defines) do home[symbol] = object end
  end
  for object, file in pairs(files) do
    graph[object] = {}
    for _, symbol in ipairs(file.uses) do
      if home[symbol] then table.insert(graph[object], home[symbol]) end
    end
  end
  return graph
end

local function c_room(path)
  local name = path:match "([^/]+)%.[ch]$"
  local first = name:match "^%l+"
  return C_ROOM[name] or C_ROOM[first] or (C_ARROWS[first] and first) or "bytes"
end

-- Whether a room may not use a header or symbol of others.
local function is_outside(name, room)
  for beginning, rooms in pairs(OUTSIDE) do
    if name:find(beginning) and not rooms[room] then return true end
  end
  return false
end

-- The rooms that a room may use, as a set.
local function allowed_in_c(room)
  local allowed = { [room] = true }
  for _, name in ipairs(C_ARROWS[room]) do allowed[name] = true end
  return allowed
end

-- Symbols that a C file uses against the tables, with or without the header; and symbols that it gives without the prefix of our own.
local function wrong_symbols(files)
  local wrong = {}
  for object, others in pairs(c_graph(files)) do
    local room = c_room(object .. ".c")
    for _, other in ipairs(others) do
      local target = c_room(other .. ".c")
      if not allowed_in_c(room)[target] then wrong[#wrong + 1] = ("%s (%s) must not use %s (%s)"):format(object, room, other, target) end
    end
    for _, symbol in ipairs(files[object].uses) do
      if is_outside(symbol, room) then wrong[#wrong + 1] = ("%s (%s) must not use %s"):format(object, room, symbol) end
    end
    for _, symbol in ipairs(files[object].defines) do
      if not symbol:find "^sz_" and symbol ~= "luaopen_scrutinizer_core" then wrong[#wrong + 1] = object .. " gives " .. symbol end
    end
  end
  table.sort(wrong)
  return wrong
end

-- Headers that a C file includes against the table.
local function wrong_includes(found)
  local wrong = {}
  for path, text in pairs(found) do
    local room = c_room(path)
    local allowed = allowed_in_c(room)
    for name in ("\n" .. text):gmatch '\n%s*#%s*include%s*"([^"]+)"' do
      local target = c_room(name)
      if not allowed[target] then wrong[#wrong + 1] = ("%s (%s) must not include %s (%s)"):format(path, room, name, target) end
    end
    for name in ("\n" .. text):gmatch "\n%s*#%s*include%s*<([^>]+)>" do
      if is_outside(name, room) or found["src/" .. name] then wrong[#wrong + 1] = ("%s (%s) must not include <%s>"):format(path, room, name) end
    end
  end
  table.sort(wrong)
  return wrong
end

-- Headers that include each other.
local function header_circles(found)
  local graph = {}
  for path, text in pairs(found) do
    graph[path] = {}
    for name in ("\n" .. text):gmatch '\n%s*#%s*include%s*"([^"]+)"' do table.insert(graph[path], "src/" .. name) end
  end
  return in_circles(graph)
end

-- Arrows of a table that nothing in `used`, { [room] = { [room] = true } }, needs.
local function idle_arrows(arrows, used)
  local list = {}
  for room, targets in pairs(arrows) do
    for _, target in ipairs(targets) do
      if not (used[room] and used[room][target]) then list[#list + 1] = ("%s needs no %s"):format(room, target) end
    end
  end
  table.sort(list)
  return list
end

local function add_arrow(used, from, to)
  used[from] = used[from] or {}
  used[from][to] = true
end

-- The arrows between rooms of Lua.
local function used_in_lua(found)
  local used = {}
  for module, text in pairs(found) do
    for _, other in ipairs(required(text, found)) do add_arrow(used, room_of(module), room_of(other)) end
  end
  return used
end

-- The arrows between rooms of C.
local function used_in_c(found)
  local used = {}
  for path, text in pairs(found) do
    for name in ("\n" .. text):gmatch '\n%s*#%s*include%s*"([^"]+)"' do add_arrow(used, c_room(path), c_room(name)) end
  end
  return used
end

-- Folders with too many files of source. src is flat: there the rooms of C stand for folders, and a .c with its .h counts once.
local function crowded(paths)
  local count, seen, list = {}, {}, {}
  for _, path in ipairs(paths) do
    local folder, name = path:match "^(.*)/([^/]+)$"
    if folder == "src" then name, folder = name:match "^(.*)%.", "src, room " .. c_room(path) end
    if not seen[folder .. "/" .. name] then
      seen[folder .. "/" .. name] = true
      count[folder] = (count[folder] or 0) + 1
    end
  end
  for folder, n in pairs(count) do
    if n > MOST_FILES then list[#list + 1] = ("%s has %d files"):format(folder, n) end
  end
  return list
end

-- The files of a rock's modules: { [path] = the name it must have }. A C file has the name of its module.
local function rock_files(modules_of_rock)
  local names = {}
  for name, module in pairs(modules_of_rock) do
    if type(module) == "string" then
      names[module] = name
    else
      for _, path in ipairs(module.sources) do names[path] = name end
    end
  end
  return names
end

-- Files that the rock does not list under their names, and files that it lists and that are not there.
local function strays(paths, modules_of_rock)
  local list, names, there = {}, rock_files(modules_of_rock), {}
  for _, path in ipairs(paths) do
    local module = path:find "^src/" and "core" or module_of(path)
    local name = module == "init" and "scrutinizer" or "scrutinizer." .. module
    there[path] = true
    if names[path] ~= name then list[#list + 1] = ("%s is not listed as %s but as %s"):format(path, name, tostring(names[path])) end
  end
  for path in pairs(names) do
    if not there[path] then list[#list + 1] = path .. " is listed and not there" end
  end
  table.sort(list)
  return list
end

-- Modules that no other module uses.
local function unused(found)
  local list, used = {}, {}
  for module, text in pairs(found) do
    for _, other in ipairs(required(text, found)) do used[other] = used[other] or other ~= module end
  end
  for module in pairs(found) do
    if not used[module] and not ENTRANCES[module] then list[#list + 1] = module .. " is not used" end
  end
  table.sort(list)
  return list
end

-- Headers that no C file includes.
local function unused_headers(found)
  local list, used = {}, {}
  for path, text in pairs(found) do
    for name in text:gmatch 'include%s*"([^"]+)"' do used["src/" .. name] = used["src/" .. name] or "src/" .. name ~= path end
  end
  for path in pairs(found) do
    if path:find "%.h$" and not used[path] then list[#list + 1] = path .. " is not used" end
  end
  table.sort(list)
  return list
end

-- Specs that lie in no room's folder.
local function strange_specs(paths)
  local list = {}
  for _, path in ipairs(paths) do
    local folder = path:match "^spec/([^/]+)/"
    if not (ARROWS[folder or ""] or SPEC_FOLDERS[folder or ""]) and path ~= "spec/house_spec.lua" then list[#list + 1] = path .. " is in no room" end
  end
  return list
end

-- Functions that are too long, of luac's listing: "function <file:from,to> …". In spec/ a group of specs (describe) may be long: what is in it
-- counts.
local function long_in_lua(listing, line_at)
  local list = {}
  for _, line in ipairs(listing) do
    local path, from, to = line:match "^function <(.-):(%d+),(%d+)>"
    local is_group = path and path:find "^spec/" and line_at(path, tonumber(from)):find "%f[%w]describe[%w_]*%("
    if path and to - from + 1 > MOST_LINES and not is_group then
      list[#list + 1] = ("%s:%d has %d lines"):format(path, from, to - from + 1)
    end
  end
  return list
end

-- A line of a file of the checkout.
local function source_line(path, number)
  local lines = {}
  for line in (support.read(path) .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
  return lines[number]
end

-- The same of C: a body begins with "{" at the end of its head or on a line of its own and ends with "}" at the first column; the lines of its head
-- begin behind an empty line, a comment or a macro.
local function long_in_c(path, text)
  local list, from, number, head = {}, nil, 0, 1
  for line in (text .. "\n"):gmatch "(.-)\n" do
    number = number + 1
    local plain = line:gsub("%s*/%*.-%*/%s*$", "")
    if not from and (plain == "" or plain:find "^#" or plain:find "%*/$" or plain:find ";$") then head = number + 1 end
    if not from and (plain == "{" or plain:find "^[%w_ *].*%)%s*{$") then from = head end
    if plain == "}" then
      if from and number - from + 1 > MOST_LINES then list[#list + 1] = ("%s:%d has %d lines"):format(path, from, number - from + 1) end
      from, head = nil, number + 1
    end
  end
  return list
end

-- The symbols of the objects of the core under test. An object whose file is gone is left from an earlier build.
local function objects()
  local out = os.getenv "OUT" or "build/" .. (os.getenv "SCRUTINIZER_LUA" or "lua5.4")
  local paths = {}
  for _, path in ipairs(lines_of "find src -name '*.c'") do paths[#paths + 1] = ("%s/obj/%s.o"):format(out, path:match "([^/]+)%.c$") end
  return symbols_of(lines_of("nm " .. table.concat(paths, " ")))
end

local function c_files()
  local found = {}
  for _, path in ipairs(lines_of "find src -name '*.[ch]'") do found[path] = support.read(path) end
  return found
end

describe("the house", function()
  it("lets arrows run one way, and allows none that nothing needs", function()
    local found = modules()
    assert.same({}, wrong_arrows(found))
    assert.same({}, idle_arrows(ARROWS, used_in_lua(found)))
    assert.same({}, in_circles(ARROWS))
  end)

  it("has no circle of Lua modules", function()
    assert.same({}, lua_circles(modules()))
  end)

  it("has no C files that call each other", function()
    local graph = c_graph(objects())
    assert.is_truthy(graph.http and #graph.http > 0)
    assert.same({}, in_circles(graph))
  end)

  it("lets headers run one way", function()
    local found = c_files()
    assert.same({}, wrong_includes(found))
    assert.same({}, header_circles(found))
    assert.same({}, idle_arrows(C_ARROWS, used_in_c(found)))
    assert.same({}, in_circles(C_ARROWS))
  end)

  it("lets symbols run one way, and gives none without our prefix", function()
    assert.same({}, wrong_symbols(objects()))
  end)

  it("has no crowded room", function()
    assert.same({}, crowded(lines_of "find lua src spec examples -name '*.lua' -o -name '*.[ch]' -o -name '*.py'"))
  end)

  it("lists each file in the rock under its name", function()
    assert.same({}, strays(lines_of "find lua -type f; find src -type f ! -name '*.h'", support.rockspec().build.modules))
  end)

  it("has no module and no header that nothing uses, and no spec in no room", function()
    assert.same({}, unused(modules()))
    assert.same({}, unused_headers(c_files()))
    assert.same({}, strange_specs(lines_of "find spec -name '*_spec.lua'"))
  end)

  it("has no long function", function()
    local luac = support.shell "command -v luac5.4 || command -v luac5.3 || command -v luac5.1":match "%S+"
    assert.is_truthy(luac, "luac is missing; install lua5.4")
    local listing = lines_of("find lua spec examples -name '*.lua' | xargs -n 1 " .. luac .. " -p -l 2>&1 | grep '^function\\|^luac'")
    for _, line in ipairs(listing) do assert.is_nil(line:match "^luac.*", line) end
    assert.same({}, long_in_lua(listing, source_line))
    for path, text in pairs(c_files()) do assert.same({}, long_in_c(path, text)) end
  end)
end)

describe("the house's inspector", function()
  it("sees an arrow that runs upwards, and a module in no room", function()
    assert.same({ "transport.call (transport) must not use query (query)" }, wrong_arrows {
      ["transport.call"] = 'local query = require "scrutinizer.query"', query = 'require("scrutinizer.check")', check = "",
    })
    assert.same({ "stray is in no room" }, wrong_arrows { stray = "" })
    assert.same({ "chart (chart) must not use core (core)" }, wrong_arrows {
      chart = 'require "scrutinizer.core"', ["export.cells"] = 'require "scrutinizer.core"' })
    for _, text in ipairs { 'pcall(require, "scrutinizer.query")', "require 'scrutinizer.query'", "require [[scrutinizer.query]]",
      'local r = require("scrutinizer.query.x")' } do
      assert.equal(1, #wrong_arrows { ["transport.call"] = text, query = "" }, text)
    end
    for _, text in ipairs { 'pcall(require, "scrutinizer")', 'local name = "scrutinizer.query" return f(name)',
      'require --[[x]] "scrutinizer.query"' } do
      assert.equal(1, #wrong_arrows { ["transport.call"] = text, query = "" }, text)
    end
    assert.same({}, wrong_arrows { query = '-- not require "scrutinizer.client"\nlocal text = \'say require "scrutinizer"\'' })
  end)

  it("sees names that are hidden from it, and modules of others", function()
    for _, text in ipairs { 'dofile "x.lua"', 'loadfile("x")', 'package.loaded["x"]', "local r = require\n", 'require("scrutin" .. "izer.query")',
      'require("scrutinizer/query")', 'require(("scrutinizer.%s"):format "query")', 'require(table.concat { "scrutinizer", ".query" })',
      'local p = "scrutinizer." require(p .. "query")', 'package.loaded.scrutinizer', 'package.searchpath("a", "b")', 'local p = package\n',
      'load(text)', 'local l = load --', 'package.loaders[2]("x")', 'debug.getregistry()',
      'package.loaded["scrutinizer"]', '_G.x', '_G["x"]', "_ENV.x", 'local f = require --',
      'local s = "--" .. require(x)', 'require "lfs"', 'require "cjson"', 'require((...):gsub("a", "b"))' } do
      assert.equal(1, #wrong_arrows { ["transport.call"] = text }, text)
    end
    assert.same({}, wrong_arrows { ["wire.a"] = 'require "cjson"', ["time.zone"] = "zone.load(x)", client = "require(part)",
      ["transport.b"] = 'pcall(require, "ngx.semaphore") package.loaded.luv' })
    assert.same({ "cli.commands.a", "cli" }, { "cli.commands.a", lua_circles {
      cli = 'require("scrutinizer.cli.commands." .. name)', ["cli.commands.a"] = 'require "scrutinizer.cli"' }[1] })
  end)

  it("sees an arrow of the table that nothing needs", function()
    local table_of_two = { a = { "b", "c" }, b = { "c" }, c = {} }
    assert.same({ "a needs no c", "b needs no c" }, idle_arrows(table_of_two, { a = { b = true } }))
    assert.same({}, idle_arrows({ wire = { "basic" }, client = { "query" } }, used_in_lua {
      ["wire.filters"] = 'require "scrutinizer.check"', client = 'require("scrutinizer.query")' }))
    assert.same({ "http needs no bytes" }, idle_arrows({ http = { "inflate", "bytes" } }, used_in_c { ["src/http.c"] = '#include "inflate.h"' }))
  end)

  it("sees a header of a room above, Lua's below the bindings, curl's outside http", function()
    assert.same({
      "src/http.c (http) must not include <lua.h>", "src/http.c (http) must not include report.h (report)",
      "src/json.c (json) must not include <curl/easy.h>", "src/json.c (json) must not include <number.h>",
      "src/json.c (json) must not include lua_json.h (lua)",
    }, wrong_includes {
      ["src/http.c"] = '#include "report.h"\n#include <lua.h>\n#include <curl/curl.h>\n',
      ["src/json.c"] = '#include "lua_json.h"\n# include <curl/easy.h>\n#include <number.h>\n', ["src/number.h"] = "",
      ["src/lua_json.c"] = '#include "json.h"\n#include <lua.h>\n', ["src/report_row.c"] = '#include "scan.h"\n',
    })
    assert.same({ "src/lua_feed.c (lua_source) must not include lua_rows.h (lua_report)" }, wrong_includes {
      ["src/lua_feed.c"] = '#include "lua_rows.h"\n#include "feed.h"\n#include "lua_guard.h"\n#include <lua.h>\n',
    })
  end)

  it("sees a circle", function()
    assert.same({ "report.a", "report.b", "report.c" }, lua_circles {
      ["report.a"] = 'require "scrutinizer.report.b"', ["report.b"] = 'require("scrutinizer.report.c")',
      ["report.c"] = 'require "scrutinizer.report.a"', ["report.d"] = 'require "scrutinizer.report.a"',
    })
    assert.same({ "x", "y" }, in_circles(c_graph(symbols_of {
      "x.o:", "0 T sz_x", " U sz_y", "y.o:", "0 T sz_y", " U sz_x", "z.o:", "0 T sz_z", " U sz_x", " U malloc",
    })))
    assert.same({ "src/a.h", "src/b.h" }, header_circles {
      ["src/a.h"] = '#include "b.h"', ["src/b.h"] = '#include "a.h"\n', ["src/c.c"] = '#include "a.h"' })
  end)

  it("sees symbols that are used without their header, and names without our prefix", function()
    assert.same({ "sha256 (bytes) must not use curl_version", "sha256 (bytes) must not use http (http)", "sha256 (bytes) must not use lua_pushnil",
      "sha256 gives helper" }, wrong_symbols(symbols_of {
      "sha256.o:", "0 T sz_sha256", "0 T helper", " U sz_http_new", " U curl_version", " U lua_pushnil", " U memcpy",
      "0 t hidden", "0 B __odr_asan.x",
      "http.o:", "0 T sz_http_new", " U curl_easy_init", "core.o:", "0 T luaopen_scrutinizer_core", " U lua_pushnil",
    }))
  end)

  it("sees a crowded room", function()
    local paths, c_paths = {}, {}
    for i = 1, 16 do paths[i] = ("lua/scrutinizer/query/a%d.lua"):format(i) end
    assert.same({ "lua/scrutinizer/query has 16 files" }, crowded(paths))
    -- One file more than fifteen of the bindings that are in no other room, each with its header.
    for _, letter in ipairs { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o" } do
      c_paths[#c_paths + 1] = ("src/lua_%s.c"):format(letter)
      c_paths[#c_paths + 1] = ("src/lua_%s.h"):format(letter)
    end
    assert.same({}, crowded(c_paths))
    c_paths[#c_paths + 1] = "src/lua_p.h"
    assert.same({ "src, room lua has 16 files" }, crowded(c_paths))
  end)

  it("sees a file that no rock lists, one under another's name, one that is gone, and is not content with a comment", function()
    local rock = { ["scrutinizer"] = "lua/scrutinizer/init.lua", ["scrutinizer.check"] = "lua/scrutinizer/check.lua",
      ["scrutinizer.query"] = "lua/scrutinizer/query/init.lua", ["scrutinizer.core"] = { sources = { "src/a.c" } } }
    local paths = { "lua/scrutinizer/init.lua", "lua/scrutinizer/check.lua", "lua/scrutinizer/query/init.lua", "src/a.c" }
    assert.same({}, strays(paths, rock))
    rock["scrutinizer.query"], rock["scrutinizer.queries"] = nil, "lua/scrutinizer/query/init.lua"
    paths[2], paths[4] = "lua/scrutinizer/files.lua", "src/b.c"
    assert.same({
      "lua/scrutinizer/check.lua is listed and not there",
      "lua/scrutinizer/files.lua is not listed as scrutinizer.files but as nil",
      "lua/scrutinizer/query/init.lua is not listed as scrutinizer.query but as scrutinizer.queries",
      "src/a.c is listed and not there", "src/b.c is not listed as scrutinizer.core but as nil",
    }, strays(paths, rock))
  end)

  it("sees a file of another kind, a module and a header that nothing uses, and a spec in no room", function()
    assert.same({ "lua/other/x.lua is not listed as scrutinizer.lua.other.x.lua but as nil",
      "lua/scrutinizer/notes.txt is not listed as scrutinizer.lua.scrutinizer.notes.txt but as nil",
      "src/a.cpp is not listed as scrutinizer.core but as nil",
    }, strays({ "lua/scrutinizer/notes.txt", "lua/other/x.lua", "src/a.cpp" }, {}))
    assert.same({ "time.alone is not used" }, unused {
      ["time.alone"] = 'require "scrutinizer.time.alone"', main = 'require "scrutinizer.time.zone"', ["time.zone"] = "" })
    assert.same({ "src/b.h is not used" }, unused_headers { ["src/a.c"] = '#include "a.h"', ["src/a.h"] = "", ["src/b.h"] = '#include "b.h"' })
    assert.same({ "spec/loose_spec.lua is in no room", "spec/x/a_spec.lua is in no room" }, strange_specs {
      "spec/loose_spec.lua", "spec/x/a_spec.lua", "spec/house_spec.lua", "spec/query/a_spec.lua", "spec/core/b_spec.lua" })
  end)

  it("sees long functions", function()
    local function line_at(path, number)
      local lines = { [3] = "local function f()", [70] = 'it("works", function()', [200] = '  describe_once("switches", function()' }
      return path:find "^spec/" and lines[number] or "function M.describe(x)"
    end
    assert.same({ "spec/a.lua:3 has 61 lines", "spec/a.lua:70 has 61 lines", "lua/b.lua:1 has 61 lines" }, long_in_lua({
      "function <spec/a.lua:3,63> (5 instructions)", "function <spec/a.lua:70,130> (5 instructions)",
      "function <spec/a.lua:140,199> (5 instructions)",
      "function <spec/a.lua:200,400> (5 instructions)", "function <lua/b.lua:1,61> (5 instructions)" }, line_at))
    local body = "int f(void) {\n" .. ("  g();\n"):rep(59) .. "}\n"
    assert.same({ "a.c:1 has 61 lines" }, long_in_c("a.c", body))
    assert.same({}, long_in_c("a.c", (body:gsub("  g%(%);\n", "", 1))))
    assert.same({ "a.c:1 has 62 lines" }, long_in_c("a.c", (body:gsub(" {\n", "\n{\n", 1))))
    assert.same({ "a.c:1 has 61 lines" }, long_in_c("a.c", (body:gsub("{\n", "{ /* long */\n", 1):gsub("}\n", "} /* f */\n"))))
    assert.same({ "a.c:2 has 61 lines" }, long_in_c("a.c", "\nint f(int a,\n      int b) {\n" .. ("  g();\n"):rep(58) .. "}\n"))
  end)
end)
