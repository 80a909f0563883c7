-- Fills IP groups from a CSV file with one rule per line: creates missing groups, adds the rules, and prints the result for each group.
-- Usage: ip_groups_from_csv.lua file.csv, with lines such as "Branches,10.20.0.0/16", "Branches,10.9.0.1-10.9.0.99" or "All,group:Branches".
local scrutinizer = require "scrutinizer"

local client = assert(scrutinizer.connect {})
local path = assert(arg[1], "usage: ip_groups_from_csv.lua file.csv")
local groups, err = client.ip_groups:from_csv(path)
if not groups then
  -- One line is wrong: nothing was sent.
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end

local failed = 0
for _, group in ipairs(groups) do
  local refused = {}
  for _, rule in ipairs(group.rules or {}) do
    if rule.error then refused[#refused + 1] = ("  %s %s: %s"):format(rule.type, rule.address or rule.from or rule.group or "", rule.error) end
  end
  local what = group.error and "failed: " .. group.error or ("%s, %d rules"):format(group.created and "made" or "was there", #(group.rules or {}))
  print(("%-24s %s"):format(group.name, what))
  if #refused > 0 then print(table.concat(refused, "\n")) end
  failed = failed + #refused + (group.error and 1 or 0)
end
os.exit(failed == 0 and 0 or 1)
