-- Permanent switches: one for each fact of the wire that is only inferred, with all its variants. `POST /sandbox/switches {"name": value}`.
local json = require "sandbox.http.json"
local store = require "sandbox.state.store"

local switches = {}

-- name = { default, other values... }. With only a default, any value of its type is allowed. "number" means that any number is allowed
-- too.
switches.known = {
  -- windows and filters
  window_start = { "closed", "open", "bucket" }, -- open: flows at exactly this time are left out; bucket: from the bucket's start
  window_end = { "open", "closed", "bucket" }, -- closed: includes the second `end`; bucket: includes its whole bucket
  filters_within = { "or", "and" }, -- filters of the same type
  filters_across = { "and", "or" }, -- filters of different types
  unknown_filter = { "error", "ignore" },
  week_start = { "sunday", "monday" },
  now = { "clock", "number" }, -- a number: the sandbox's clock is fixed at this epoch
  empty_window = { "rows", "error" }, -- from >= to: no rows, or report.error
  -- which rows, in which order
  ties = { "stable", "shuffled", "reverse" }, -- order of rows with the same measure; shuffled: a new order for each request
  rank = { "absolute", "page" },
  directions = { "requested", "selected" }, -- directions from data_requested's keys, or from reportDirections.selected
  max_rows = { "none", "number" }, -- the server's limit for max_num_rows
  late_flows = { 0, "number" }, -- number of flows that arrived late, of late_octets each,
  late_octets = { 1, "number" }, -- from hosts that have rows already, or from new hosts (198.51.100.n)
  late_hosts = { "existing", "new" },
  show_others = { "ignored", "honoured" }, -- honoured: showOthers = 0 removes Other from graph and footer
  -- shape of the answer
  total = { "string", "number", "missing", "null", "page" }, -- totalRowCount; page: the number of rows in this answer
  total_value = { "none", "number" }, -- totalRowCount has this value, true or not
  footer = { "short", "full", "missing", "empty", "reversed", "other", "total" },
  rows_before_columns = { "random", "always", "never" }, -- random: as switch `keys` orders them
  keys = { "shuffled", "one", "sorted", "fixed" }, -- each object has its own order (Perl since 5.18), one order for all objects with the same keys
  -- (older Perl), sorted by name, or as in the documents
  seed = { "random", "number" }, -- orders of keys: different for each request, or determined by a number
  numbers = { "usual", "strings", "numbers" }, -- usual: text, except some cells of custom_rows_<N>
  made_up = { "varied", "plain" }, -- custom_rows_<N>; plain: all rows are the same, except the columns that a test can compute
  pretty = { "no", "yes" },
  empty = { "rows", "no_rows", "null_rows", "no_direction", "no_table", "null_table" }, -- a report without rows
  time_details = { "bucket", "exact", "missing", "numbers" },
  granularity_used = { "no", "yes" }, -- yes: adds report.graphView and report.dataGranularity, as in report_start's answer
  max_conversations = { 1000, "number" }, -- tables of five minutes and more keep this many conversations per exporter and bucket, by octets
  minute_retention = { "all", "number" }, -- how long tables of one minute are kept, in seconds
  minutes_gone = { "coarser", "empty" }, -- a report by minutes that begins before that: in buckets of five minutes, or without what is gone
  granularity_kept = { "all", "30" }, -- 30: finer data is deleted; shorter buckets become 30 minutes
  graph_parts = { "both", "asked" }, -- for graph "timeseries" or "pie": sends both parts, or only that one
  graph_other = { "both", "pie", "missing" }, -- the parts that have the series Other
  graph_points = { "numbers", "strings" },
  graph_gaps = { "zero", "left_out", "null" }, -- buckets without traffic: a point of 0, no point, or a point of null
  graph_parts_missing = { "none", "pie", "timeseries" }, -- a part that is always missing
  report_start = { "both", "seconds", "used", "neither", "unknown" }, -- which fields it has; unknown: an appliance without this run mode
  error_beside_table = { "no", "yes" },
  -- the inventory: devices, interfaces, groups
  device_names = { "name", "dns", "ip" }, -- what get_known_objects shows as a device's name
  object_ids = { "usual", "strings", "numbers" }, -- ids of groups and objects, interface numbers
  inventory_cells = { "documented", "shifted" }, -- shifted: one more cell before the others
  group_cells = { "both", "old", "new" }, -- mapping_configuration; old: name and id in cell 1; new: label in cell 3, id in cell 8
  inventory_rows = { "none", "number" }, -- the server's limit for max_num_rows in session_state
  inventory_offset = { "honoured", "ignored" },
  inventory_order = { "stable", "shuffled", "once" }, -- rows of status; shuffled: a new order for each request; once: only for pages after the first
  exporter_search = { "part", "word", "ignored", "label" }, -- matches part of the address; a whole word; every row; part of the label
  status_html = { "some", "all", "none" }, -- tags in labels and tooltips
  status_tips = { "some", "all", "none" }, -- some: no oTip if the recorded day has no traffic in that direction
  status_labels = { "usual", "odd" }, -- odd: percent, speed and rate in forms that no source shows
  manage_exporters = { "allowed", "refused" },
  host_counts = { "strings", "numbers", "odd" }, -- connections of quick_search
  capture_answer = { "rule", "empty", "list" },
  -- IP groups
  ip_group_names = { "unique", "free" }, -- free: several groups may have one name
  update_answer = { "saved", "bare", "empty" }, -- answer of update: like saveRule's, only the group, or {}
  rule_fields = { "all", "bare" }, -- a rule in an answer: all fields, or only id and type
  rule_order = { "given", "shuffled" },
  removed_rules = { "numbers", "strings", "objects" }, -- how an answer names removed rules
  load_rules = { "results", "rows", "rules", "bare" }, -- the key of loadRules' list; bare: no key
  -- users and usergroups
  account_ids = { "usual", "strings", "numbers" }, -- ids of created items; usual: numbers, but strings for members of a group
  group_delete = { "group", "bare" }, -- the sentence of delUsergroups: like delUsers', or without `id` and `named`
  membership_shape = { "data", "top" }, -- added and removed inside data, or at the top
  membership_names = { "given", "quoted", "ids" }, -- how a sentence shows items that were given by name
  rename_names = { "given", "name" }, -- the user in changeUsername's sentence: as sent, or the old name
  -- transport
  content_type = { "application/json; charset=utf-8", "text/html", "text/plain; charset=iso-8859-1" },
  error_status = { "200", "400", "401", "403", "500" }, -- of auth errors
  http = { "origin", "query_lost", "kept", "serve" }, -- plain http: a 302 to https:// with path /, with the path, with path and query; serve: the
  -- API itself
  version = { "19.7.0.87654" }, -- of initLogin's answer; "" leaves it out
  auth = { "token", "address", "either" },
  allowed = { "127.0.0.1 ::1" }, -- addresses allowed when auth is "address"
  gzip = { "never", "accepted", "always" },
}

local function fits(name, value)
  local known = switches.known[name]
  if not known then return false, "no switch of this name" end
  if #known == 1 and type(value) == type(known[1]) then return true end
  for _, choice in ipairs(known) do
    if value == choice or (choice == "number" and type(value) == "number") then return true end
  end
  return false, "must be one of: " .. table.concat(known, ", ")
end
switches.fits = fits

--- The current values: defaults, overridden by permanent switches, overridden by this request's faults.
function switches.current(overlay)
  local values = {}
  for name, known in pairs(switches.known) do values[name] = known[1] end
  for _, row in ipairs(store.rows "SELECT name, value FROM switches") do
    values[row.name] = json.plain(json.read(row.value))
  end
  for name, value in pairs(overlay or {}) do values[name] = value end
  return values
end

--- Sets switches from a table; json.null resets one to its default. Returns true; or nil and a message, then nothing is set.
function switches.set(wanted)
  for name, value in pairs(wanted) do
    local default = switches.known[name] and switches.known[name][1]
    local ok, why = fits(name, value == json.null and default or value)
    if not ok then return nil, ("switch %s: %s"):format(tostring(name), why) end
  end
  return store.atomic(function()
    for name, value in pairs(wanted) do
      store.change("DELETE FROM switches WHERE name = ?", name)
      if value ~= json.null then store.change("INSERT INTO switches VALUES (?, ?)", name, json.write(value)) end
    end
    return true
  end)
end

function switches.clear()
  store.change "DELETE FROM switches"
end

return switches
