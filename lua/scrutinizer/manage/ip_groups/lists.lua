--- Adds thousands of rules from lists and CSV to groups by name; creates missing groups.

local ascii = require "scrutinizer.ascii"
local check = require "scrutinizer.check"
local csv = require "scrutinizer.csv"
local errors = require "scrutinizer.errors"
local files = require "scrutinizer.files"
local listing = require "scrutinizer.listing"
local rules = require "scrutinizer.manage.ip_groups.rules"
local syncs = require "scrutinizer.manage.common.syncs"

local lists = {}

local function head(group) return ("IP group %s (%d)"):format(check.show(group.name), group.id) end

--- Lets a group print itself, with the rules that were sent.
---@param group scrutinizer.IpGroup
---@return scrutinizer.IpGroup group
function lists.shown(group)
  return syncs.result(group, head, { "rules", "changed", "removed" })
end

local OPTIONS = { create = true, batch = true, on_progress = true }
local SYNC = { dry = true, batch = true, on_progress = true }

--- Checks the options. Returns them; or nil and the complaint.
---@param method string
---@param given any
---@param batch integer the default of `batch`
---@param sync? boolean the options are those of `sync`
---@return table? how
---@return string? complaint
function lists.options(method, given, batch, sync)
  local known = sync and SYNC or OPTIONS
  local names = sync and "dry, batch, on_progress" or "create, batch, on_progress"
  if given == nil then return { batch = batch, create = true } end
  if type(given) ~= "table" then return nil, check.message(method .. ": options", given, "a table of " .. names) end
  for key in next, given do
    if not known[key] then return nil, check.message(method .. ": option", key, names) end
  end
  if given.dry ~= nil and type(given.dry) ~= "boolean" then return nil, check.message(method .. ": dry", given.dry, "true or false") end
  local size = given.batch == nil and batch or check.integer(given.batch, 1, 100000)
  if not size then return nil, check.message(method .. ": batch", given.batch, "a whole number from 1 to 100000") end
  if given.on_progress ~= nil and type(given.on_progress) ~= "function" then
    return nil, check.message(method .. ": on_progress", given.on_progress, "a function")
  end
  return { batch = size, create = given.create ~= false, dry = given.dry, on_progress = given.on_progress }
end

-- A text that is equal for equal rules, before names of child groups are replaced by ids.
local function key(rule)
  return ascii.lower(table.concat({ rule.type, rule.address or "", rule.length or "", rule.mask or "", rule.from or "", rule.to or "",
    rule.group and ("%d"):format(rule.group) or "", rule.group_name or "" }, "\0"))
end

local function add_once(list, seen, rule)
  local mark = key(rule)
  if not seen[mark] then list[#list + 1] = rule end
  seen[mark] = true
end

-- Adds checked rules to the group; creates it if it does not exist.
local function add_to_group(hands, method, name, list, how, there)
  local ok, err = hands.resolve_children(method, list)
  if not ok then return nil, err end
  local found = there[name] or {}
  if #found > 1 then return errors.fail("api", ("%s: %d IP groups have the name %s"):format(method, #found, check.show(name))) end
  if not found[1] and not how.create then
    return errors.fail("api", ("%s: no IP group has the name %s, and create is false"):format(method, check.show(name)))
  end
  local group
  if found[1] then
    group, err = hands.add(method, lists.shown { id = found[1], name = name, rules = {} }, list, how)
  else
    group, err = hands.create(method, name, list, how)
  end
  if not group then return nil, err end
  group.created = not found[1]
  there[name] = { group.id }
  return group
end

--- See `client.ip_groups:from_list`.
function lists.from_list(hands, name, list, how)
  local read, seen = {}, {}
  for i = 1, #list do
    local rule, complaint = rules.read(list[i])
    if not rule then return errors.fail("decode", ("ip_groups:from_list: entry %d: %s"):format(i, complaint)) end
    add_once(read, seen, rule)
  end
  local there, err = hands.there()
  if not there then return nil, err end
  return add_to_group(hands, "ip_groups:from_list", name, read, how, there)
end

local function wrong(number, what)
  return errors.fail("decode", ("ip_groups:from_csv: line %d: %s"):format(number, what))
end

local function read_line(number, line)
  local fields = csv.fields(line)
  if not fields then return wrong(number, "a quote is not closed, or text follows a closing quote") end
  if #fields ~= 2 or fields[1] == "" then return wrong(number, ("got %s; allowed: name,rule"):format(check.show(line))) end
  local child = fields[2]:match "^group:%s*(.+)$"
  local rule, complaint = rules.read(child and { type = "child", group = child } or fields[2])
  if not rule then return wrong(number, complaint) end
  return { name = fields[1], rule = rule }
end

-- The groups in the order of their first lines: { { name =, rules = } }.
local function read_groups(text)
  local order, by_name = {}, {}
  for number, line in csv.lines(text) do
    local entry, err = read_line(number, line)
    if not entry then return nil, err end
    local group = by_name[entry.name]
    if not group then
      group = { name = entry.name, rules = {}, seen = {} }
      by_name[entry.name], order[#order + 1] = group, group
    end
    add_once(group.rules, group.seen, entry.rule)
  end
  return order, by_name
end

-- The groups, each after its child groups in the same file.
local function children_first(order, by_name)
  local sorted, state = {}, {}
  local function visit(group)
    if state[group.name] == "done" then return true end
    if state[group.name] then return errors.fail("decode", "ip_groups:from_csv: " .. check.show(group.name) .. " is among its own child groups") end
    state[group.name] = "open"
    for _, rule in ipairs(group.rules) do
      local child = rule.group_name and by_name[rule.group_name]
      if child then
        local ok, err = visit(child)
        if not ok then return nil, err end
      end
    end
    state[group.name], sorted[#sorted + 1] = "done", group
    return true
  end
  for _, group in ipairs(order) do
    local ok, err = visit(group)
    if not ok then return nil, err end
  end
  return sorted
end

-- After an error of these kinds the requests for the other groups would fail too, so they are not sent.
local FATAL = { auth = true, connect = true, tls = true, timeout = true, cancelled = true, phase = true, http = true }

-- What an error of a call means for its group.
local function code_of(err)
  return err.code or (err.kind == "api" and "refused" or "unconfirmed")
end

--- See `client.ip_groups:from_csv`.
function lists.from_csv(hands, source, how)
  local text, err = type(source) == "table" and source.text or nil, nil
  if not text then text, err = files.read(source) end
  if not text then return errors.fail("file", err) end
  local order, by_name = read_groups(text)
  if not order then return nil, by_name end
  local sorted, there
  sorted, err = children_first(order, by_name)
  if not sorted then return nil, err end
  there, err = hands.there()
  if not there then return nil, err end
  local made = {}
  for _, group in ipairs(sorted) do
    local done
    done, err = add_to_group(hands, "ip_groups:from_csv", group.name, group.rules, how, there)
    if not done and FATAL[err.kind] then
      err.partial = err.partial or made
      if next(made) then err.retryable = false end -- the whole call again would send these groups' rules twice
      return nil, err
    end
    made[group.name] = done or listing.one("IP group", { name = group.name, error = err.message, code = code_of(err), partial = err.partial })
  end
  local out = {}
  for i, group in ipairs(order) do out[i] = made[group.name] end
  return listing.of(out, "IP groups", {})
end

return lists
