-- Gives an IP group the rules of a file and no others, and prints what was done. With --dry it prints what would be done.
-- Usage: sync_ip_group.lua NAME prefixes.txt [--dry], one rule on each line; set SCRUTINIZER_URL and SCRUTINIZER_TOKEN.
local scrutinizer = require "scrutinizer"

local name, path, dry = arg[1], arg[2], arg[3] == "--dry"
assert(path, "usage: sync_ip_group.lua NAME prefixes.txt [--dry]")
local rules = {}
for line in io.lines(path) do
  local rule = line:match "^%s*([^%s#]+)"
  if rule then rules[#rules + 1] = rule end
end

local client = assert(scrutinizer.connect {})
local group = assert(client.ip_groups:sync(name, rules, { dry = dry }))
local failed = 0
for _, done in ipairs { "added", "removed" } do
  for _, rule in ipairs(group[done]) do
    if rule.error then failed = failed + 1 end
    print(("%-8s %-8s %s %s"):format(rule.error and "failed" or done, rule.type, rule.address or rule.from,
      rule.error or rule.length or rule.to or ""))
  end
end
print(("%s: %d added, %d removed, %d kept%s"):format(name, #group.added, #group.removed, #group.kept, dry and " (nothing was changed)" or ""))
os.exit(failed == 0 and 0 or 1)
