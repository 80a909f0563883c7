-- The reference is the annotations: whatever a script can reach has its words, its parameters and its results said above it, and editors are
-- told what the C core gives and which groups of calls a client has.
local core = require "scrutinizer.core"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local function lines_of(path)
  local list = {}
  for line in io.lines(path) do list[#list + 1] = line end
  return list
end

-- What is wrong with the annotation of the function that begins at a line; nil when it is whole.
local function complaint(path, at)
  local lines = lines_of(path)
  local doc, above = {}, at - 1
  while lines[above] and lines[above]:find "^%s*%-%-%-" do
    table.insert(doc, 1, lines[above])
    above = above - 1
  end
  local text = table.concat(doc, "\n")
  if not text:find "%-%-%- %S" then return "has no words" end
  for name in (lines[at]:match "%((.-)%)" or ""):gmatch "[%w_.]+" do
    if name ~= "..." and not text:find("---@param " .. name .. "%??%s") then return "does not say its parameter " .. name end
  end
  -- A function that ends in a return gives something.
  local indent, line = lines[at]:match "^%s*", at + 1
  local gives = lines[at]:find "return .* end$" ~= nil
  while lines[line] and not lines[line]:find("^" .. indent .. "end") do
    gives = gives or lines[line]:find("^" .. indent .. "  return ") ~= nil
    line = line + 1
  end
  if gives and not text:find "---@return" then return "does not say what it returns" end
end

-- The groups of a client's calls: a file each in manage/, or a folder.
local function parts()
  local list = {}
  for name in support.shell "cd lua/scrutinizer/manage && ls -d *":gmatch "[%w_.]+" do
    if name ~= "common" then list[#list + 1] = name:gsub("%.lua$", "") end
  end
  return list
end

-- Whatever a script can reach, by name: { [name] = function }.
local function reachable()
  local client = support.connect()
  local query = client:report "host2host"
  local all = {}
  local function add(prefix, list)
    for name, value in pairs(list) do
      if type(value) == "function" and type(name) == "string" and not name:find "^_" then all[prefix .. name] = value end
    end
  end
  add("scrutinizer.", scrutinizer)
  add("export.", require "scrutinizer.export")
  add("chart.", require "scrutinizer.chart")
  add("billing.", require "scrutinizer.billing")
  add("query:", getmetatable(query).__index)
  add("decoder:", getmetatable(scrutinizer.decoder {}).__index)
  for _, part in ipairs(parts()) do
    assert.is_table(client[part], part .. ": its name is not in PARTS of client.lua")
    add("client." .. part .. ":", getmetatable(client[part]).__index)
  end
  -- The client's and the cursor's methods stand behind functions that look fields up.
  local written = support.shell "grep -oh '^function methods:[a-z]\\w*' lua/scrutinizer/client.lua"
  for name in written:gmatch ":(%w+)" do all["client:" .. name] = client[name] end
  local cursor = query:last "1h":rows()
  for _, name in ipairs { "next", "close" } do all["cursor:" .. name] = cursor[name] end
  return all
end

describe("every function that a script can reach", function()
  it("is annotated", function()
    local wrong, count = {}, 0
    for name, value in pairs(reachable()) do
      local info = debug.getinfo(value, "S")
      count = count + 1
      if info.what == "Lua" then
        local problem = complaint(info.source:sub(2), info.linedefined)
        if problem then wrong[#wrong + 1] = ("%s (%s:%d) %s"):format(name, info.source:sub(2), info.linedefined, problem) end
      end
    end
    table.sort(wrong)
    assert.same({}, wrong)
    assert.is_true(count > 130, count)
  end)
end)

-- What the core lacks and the file names is stale; what the core has beyond it is for the library's own use.
local function stale(known, given)
  local list = {}
  for name in pairs(known) do
    if given[name] == nil then list[#list + 1] = name end
  end
  return list
end

describe("the files for editors", function()
  local text = support.shell "cat lua/scrutinizer/meta/core.lua"

  it("know what the core gives", function()
    local known, given = {}, {}
    for name in text:gmatch "\nfunction core%.([%w_]+)" do known[name] = true end
    for name in text:gmatch "\ncore%.([%w_]+) =" do known[name] = true end
    for name in pairs(core) do given[name] = true end
    given.caller = true -- 5.3 and later
    assert.same({}, stale(known, given))
    for _, name in ipairs { "decode", "decoder", "http", "aggregate", "writer", "now", "VERSION", "null" } do assert.is_true(known[name], name) end
  end)

  for class, metatable in pairs(debug.getregistry()) do
    local name = type(class) == "string" and class:match "^scrutinizer%.([%l_]+)$"
    if name and type(metatable) == "table" and type(metatable.__index) == "table" then
      it("know methods of the core's " .. name, function()
        if name == "command" then name = "commands" end
        local known, given = {}, {}
        for method in text:gmatch("\nfunction " .. name .. ":([%w_]+)") do known[method] = true end
        for method in pairs(metatable.__index) do given[method] = true end
        assert.same({}, stale(known, given))
      end)
    end
  end

  it("know the groups of a client's calls, and find the query's methods", function()
    local of_client = support.read "lua/scrutinizer/client.lua"
    for _, name in ipairs(parts()) do assert.matches("%-%-%-@field " .. name .. " scrutinizer%.%u", of_client) end
    local written = support.shell "cat lua/scrutinizer/query/*.lua"
    for name in pairs(getmetatable(support.connect():report "host2host").__index) do
      assert.is_truthy(written:find("\nfunction methods:" .. name .. "(", 1, true), "query:" .. name)
    end
  end)

  it("are Lua, and are not to be required", function()
    assert.is_function(loadfile "lua/scrutinizer/meta/core.lua")
    assert.is_false((pcall(require, "scrutinizer.meta.core")))
  end)
end)
