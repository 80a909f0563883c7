-- Makes the users of a staff list, puts them into their groups, and deletes those who have left. It may run every night: what is done is kept.
-- Usage: sync_users.lua staff.csv left.txt, with lines "name,password,group" and "name"; set SCRUTINIZER_URL and SCRUTINIZER_TOKEN.
local scrutinizer = require "scrutinizer"

assert(arg[2], "usage: sync_users.lua staff.csv left.txt")
local users, left = {}, {}
for line in io.lines(arg[1]) do
  local name, password, group = line:match "^([^,]+),([^,]+),([^,]+)$"
  users[#users + 1] = { name = assert(name, "no name,password,group: line " .. #users + 1), password = password, groups = { group } }
end
for name in io.lines(arg[2]) do left[#left + 1] = name end

local client = assert(scrutinizer.connect {})
local result = assert(client.users:sync(users, { gone = left }))
for _, done in ipairs { "created", "kept", "removed", "absent" } do
  for _, user in ipairs(result[done]) do print(("%-8s %s"):format(done, user.name)) end
end
for _, member in ipairs(result.joined) do print(("%-8s %s: %s"):format("joined", member.user, member.group)) end
for _, item in ipairs(result.failed) do print(("%-8s %s: %s (%s)"):format("failed", item.name or item.user, item.error, item.code)) end
os.exit(#result.failed == 0 and 0 or 1)
