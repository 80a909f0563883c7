-- Creates users from a CSV file and adds them to usergroups. It prints the result for each user, and exits with 1 when anything failed.
-- Usage: users_from_csv.lua file.csv, with the columns name,password,groups (names of usergroups, separated by semicolons).
local scrutinizer = require "scrutinizer"

-- The fields of a line; a field in quotes may contain commas and doubled quotes.
local function fields_of(line)
  local list, at = {}, 1
  line = line:gsub("\r$", "") .. ","
  while at <= #line do
    local text, after = line:match('^"(.-)",()', at)
    while text and text:gsub('""', ""):find '"$' do
      local more
      more, after = line:match('^(.-)",()', after)
      text = more and text .. '",' .. more
    end
    if not text then text, after = line:match("^([^,]*),()", at) end
    list[#list + 1], at = text:gsub('""', '"'), after
  end
  return list
end

local client = assert(scrutinizer.connect {})
local users, members = {}, {}
local file = assert(io.open(assert(arg[1], "usage: users_from_csv.lua file.csv"), "rb"))
for line in file:lines() do
  local name, password, groups = (table.unpack or unpack)(fields_of(line)) -- luacheck: ignore
  if name ~= "" and name ~= "name" then
    users[#users + 1] = { name = name, password = password }
    for group in (groups or ""):gmatch "[^;]+" do members[#members + 1] = { user = name, group = group } end
  end
end
file:close()

local failed = 0
local function tell(what, item)
  if item.error then failed = failed + 1 end
  print(("%-24s %s"):format(what, item.error and "failed: " .. item.error or "done"))
end

for i, made in ipairs(assert(client.users:create(users))) do tell("user " .. users[i].name, made) end
for i, added in ipairs(assert(client.groups:add_members(members))) do tell(members[i].user .. " in " .. members[i].group, added) end
os.exit(failed == 0 and 0 or 1)
