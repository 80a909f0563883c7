-- rm=ipgroups: groups of addresses, defined by rules. saveRule and delete answer as the vendor shows; update is assumed to answer like saveRule.
-- No source shows the fields of search, loadRules, deleteRule and deleteAll: these are guesses.
local fields = require "sandbox.http.fields"
local ip_groups = require "sandbox.state.ip_groups"
local json = require "sandbox.http.json"
local keys = require "sandbox.report.keys"
local listing = require "sandbox.http.listing"
local reply = require "sandbox.http.reply"
local rules = require "sandbox.modes.ipgroups.rules"
local store = require "sandbox.state.store"

local mode = { fields = { "new_fc", "name", "added", "updated", "removed", "fc_id", "json", "apptype", "subCat", "view", "rule_id" } }
local actions = {}

local function group_of(request)
  local id = fields.digits(request, "fc_id", true)
  return id and ip_groups.get(id) or error({ err = "No such IP group." }, 0)
end

local TEXTS = {
  ip = function(rule) return "IP Address:" .. rule.address end,
  range = function(rule) return ("IP Range:%s-%s"):format(rule.sip, rule.eip) end,
  network = function(rule) return ("IP Network:%s/%s"):format(rule.address, rule.mask) end,
  wildcard = function(rule) return ("Wildcard:%s/%s"):format(rule.address, rule.mask) end,
  child = function(rule) return "Child:" .. rule.child_id end,
  ipall = function() return "All" end,
}

-- The answer of saveRule.
local function saved(group, change, options)
  local all, texts = ip_groups.rules(group.id), {}
  for i, rule in ipairs(all) do
    if i > 20 then break end
    texts[i] = TEXTS[rule.type](rule)
  end
  if options.rule_order == "shuffled" then keys.shuffle(options, change.added) end
  return {
    added = change.added, updated = change.updated, removed = change.removed, warnings = change.warnings, total = #all,
    fc_id = listing.id(options, group.id, "numbers"), fc_name = group.name, myrules = table.concat(texts, ", "),
    rule_id = change.added[1] and change.added[1].rule_id or json.null,
  }
end

-- The ids of the rules to delete: numbers, or objects with rule_id.
local function ids_of(request, node)
  local list = {}
  for i, item in ipairs(node and node.value or {}) do
    local value = item.kind == "object" and item.value.rule_id and item.value.rule_id.value or item.value
    if item.kind ~= "number" then request:violate("type", ("removed[%d]: a JSON %s for a rule's id"):format(i - 1, item.kind)) end
    list[i] = tonumber(value)
  end
  return list
end

local function apply(request, group, options)
  local change = { added = reply.list(), updated = reply.list(), removed = reply.list(), warnings = reply.list() }
  local given = {}
  for _, name in ipairs { "added", "updated", "removed" } do given[name] = request.value[name] and fields.json(request, name, "array") end
  if given.removed then
    for _, id in ipairs(ip_groups.remove(group.id, ids_of(request, given.removed))) do
      change.removed[#change.removed + 1] = options.removed_rules == "strings" and ("%d"):format(id)
        or options.removed_rules == "objects" and { rule_id = id } or id
    end
  end
  rules.update(request, group, given.updated, change, options)
  rules.add(request, group, given.added, change, options)
  return change
end

local function make(request, name, options)
  if not name or name == "" then error({ err = "An IP group needs a name." }, 0) end
  if options.ip_group_names == "unique" and ip_groups.named(name)[1] then error({ err = "An IP group of that name exists." }, 0) end
  local group = { id = ip_groups.make(name), name = name }
  return saved(group, apply(request, group, options), options)
end

function actions.saveRule(request, options)
  if not request.value.added then request:violate("missing field", "the form field added") end
  return make(request, request.value.new_fc, options)
end

-- Makes a group as the web interface and other clients do.
function actions.add(request, options)
  return make(request, request.value.name, options)
end

function actions.update(request, options)
  local group = group_of(request)
  if request.value.name and request.value.name ~= "" and request.value.name ~= group.name then
    ip_groups.rename(group.id, request.value.name)
    group.name = request.value.name
  end
  local change = apply(request, group, options)
  if options.update_answer == "bare" then return { fc_id = listing.id(options, group.id, "numbers"), fc_name = group.name } end
  if options.update_answer == "empty" then return {} end
  return saved(group, change, options)
end

function actions.delete(request)
  local node, removed = fields.json(request, "json", "array"), reply.list()
  if not node then error({ err = "No IP groups to delete." }, 0) end
  for i, item in ipairs(node.value) do
    local id = item.kind == "object" and item.value.id
    if not id then error({ err = "An IP group to delete needs its id." }, 0) end
    if id.kind ~= "string" then request:violate("type", ("json[%d].id: a JSON %s"):format(i - 1, id.kind)) end
    if ip_groups.delete(tonumber(id.value) or -1) == 1 then removed[#removed + 1] = tostring(id.value) end
  end
  return { processedCount = #removed, removed = removed }
end

local function list_of(options, wanted)
  local list = reply.list()
  for _, group in ipairs(store.rows "SELECT id, name FROM ip_groups ORDER BY id") do
    if not wanted or group.name:lower():find(wanted:lower(), 1, true) then
      list[#list + 1] = { fc_id = listing.id(options, group.id, "strings"), fc_name = group.name }
    end
  end
  return { results = list }
end

function actions.loadTreeRootFast(_, options) return list_of(options) end
function actions.search(request, options) return list_of(options, request.value.name or "") end

function actions.loadRules(request, options)
  local group, list = group_of(request), reply.list()
  for _, rule in ipairs(ip_groups.rules(group.id)) do list[#list + 1] = rules.show(rule, options) end
  if options.load_rules == "bare" then return list end
  return { [options.load_rules] = list }
end

function actions.deleteRule(request)
  local group = group_of(request)
  return { removed = reply.list(ip_groups.remove(group.id, { fields.digits(request, "rule_id", true) })) }
end

function actions.deleteAll()
  local count = 0
  for _, group in ipairs(store.rows "SELECT id FROM ip_groups") do count = count + ip_groups.delete(group.id) end
  return { processedCount = count }
end

-- The list page: cell 1 holds name and id, and some rows lack it.
local function view(options)
  local rows = reply.list { reply.list { { title = "" } } }
  for _, group in ipairs(store.rows "SELECT id, name FROM ip_groups ORDER BY id") do
    rows[#rows + 1] = reply.list { { title = "" }, { fc_id = listing.id(options, group.id, "strings"), fc_name = group.name } }
  end
  return { rows = rows }
end

function mode.run(request, options, sink)
  local name, answer = request.value.action, nil
  if not name and request.value.view == "IPGroups" then return reply.send(sink, options, view(options)) end
  if not actions[name or ""] then error({ err = "No such action of ipgroups." }, 0) end
  store.atomic(function() answer = actions[name](request, options) end)
  reply.send(sink, options, answer)
end

return mode
