-- Lasting switches: each fact of the wire that is only inferred has one, with every reading. `POST /sandbox/switches {"name": value}`.
local json = require "sandbox.http.json"
local store = require "sandbox.state.store"

local switches = {}

-- name = { default, further values... }. A list that holds only the default is open: any value of the default's type; "number"
-- stands for any number besides.
switches.known = {
  -- windows and filters
  window_start = { "closed", "open", "bucket" }, -- open: what starts exactly then is left out; bucket: from the bucket's start on
  window_end = { "open", "closed", "bucket" }, -- closed: the second named by `end` counts; bucket: its whole bucket does
  filters_within = { "or", "and" }, -- several of one type
  filters_across = { "and", "or" }, -- different types
  unknown_filter = { "error", "ignore" },
  week_start = { "sunday", "monday" },
  now = { "clock", "number" }, -- an epoch: the sandbox's clock stands still there
  empty_window = { "rows", "error" }, -- from >= to: no rows, or report.error
  -- which rows, in which order
  ties = { "stable", "shuffled", "reverse" }, -- rows with the same measure, anew for each request
  rank = { "absolute", "page" },
  directions = { "requested", "selected" }, -- data sets by data_requested's keys, or by reportDirections.selected
  max_rows = { "none", "number" }, -- the server's cap on max_num_rows
  late_flows = { 0, "number" }, -- so many further flows have come in, of late_octets each,
  late_octets = { 1, "number" }, -- from hosts of rows that are there, or from new ones (198.51.100.n)
  late_hosts = { "existing", "new" },
  show_others = { "ignored", "honoured" }, -- showOthers = 0 takes Other out of graph and footer
  -- shape of the answer
  total = { "string", "number", "missing", "null", "page" }, -- totalRowCount; page: the rows of this answer
  total_value = { "none", "number" }, -- totalRowCount says this, whatever is true
  footer = { "short", "full", "missing", "empty", "reversed", "other", "total" },
  rows_before_columns = { "random", "always", "never" }, -- random: as the order of keys has it
  keys = { "shuffled", "one", "sorted", "fixed" }, -- an order of each object (a Perl of today), one for all objects with the same keys (an older
  -- one), by name, or as the documents list them
  seed = { "random", "number" }, -- the orders of keys: other ones for each request, or those of a number
  numbers = { "usual", "strings", "numbers" }, -- usual: text, but for some cells of custom_rows_<N>
  made_up = { "varied", "plain" }, -- custom_rows_<N>; plain: but for what anyone can compute, every row is as the others
  pretty = { "no", "yes" },
  empty = { "rows", "no_rows", "null_rows", "no_direction", "no_table", "null_table" }, -- a report without rows
  time_details = { "bucket", "exact", "missing", "numbers" },
  granularity_used = { "no", "yes" }, -- adds report.graphView and report.dataGranularity, as report_start answers them
  granularity_kept = { "all", "30" }, -- 30: finer data is gone, shorter buckets are answered in 30 minutes
  graph_parts = { "both", "asked" }, -- graph "timeseries" or "pie": both parts, or only that
  graph_other = { "both", "pie", "missing" }, -- where the series Other is
  graph_points = { "numbers", "strings" },
  graph_gaps = { "zero", "left_out", "null" }, -- buckets without traffic: a point of 0, no point, or one whose value is null
  graph_parts_missing = { "none", "pie", "timeseries" }, -- a part that is never there
  report_start = { "both", "seconds", "used", "neither", "unknown" }, -- what it says; unknown: an appliance without this run mode
  error_beside_table = { "no", "yes" },
  -- the inventory: devices, interfaces, groups
  device_names = { "name", "dns", "ip" }, -- what get_known_objects calls a device by
  object_ids = { "usual", "strings", "numbers" }, -- ids of groups and objects, interface numbers
  inventory_cells = { "documented", "shifted" }, -- shifted: one further cell before all others
  group_cells = { "both", "old", "new" }, -- of mapping_configuration: the pair in cell 1, the label and id in cells 3 and 8, or all
  inventory_rows = { "none", "number" }, -- the server's cap on max_num_rows in session_state
  inventory_offset = { "honoured", "ignored" },
  inventory_order = { "stable", "shuffled", "once" }, -- rows of status, anew for each request; once: at the second request of a walk
  exporter_search = { "part", "word", "ignored", "label" }, -- of an address: any part of it; only between blanks; no row is left out; of the label
  status_html = { "some", "all", "none" }, -- tags in labels and tooltips
  status_tips = { "some", "all", "none" }, -- oTip is missing where the recorded day has nothing in that direction
  status_labels = { "usual", "odd" }, -- odd: percent, speed and rate as no source shows them
  manage_exporters = { "allowed", "refused" },
  host_counts = { "strings", "numbers", "odd" }, -- connections of quick_search
  capture_answer = { "rule", "empty", "list" },
  -- IP groups
  ip_group_names = { "unique", "free" }, -- free: several groups may have one name
  update_answer = { "saved", "bare", "empty" }, -- of update: as saveRule's, the group alone, or {}
  rule_fields = { "all", "bare" }, -- a rule in an answer: with its fields, or its id and type alone
  rule_order = { "given", "shuffled" },
  removed_rules = { "numbers", "strings", "objects" }, -- how an answer names rules that are gone
  load_rules = { "results", "rows", "rules", "bare" }, -- where loadRules has its list
  -- users and usergroups
  account_ids = { "usual", "strings", "numbers" }, -- ids of what was made; usual: numbers, but members of a group as strings
  group_delete = { "group", "bare" }, -- the sentence of delUsergroups: as delUsers says it, or without `id` and `named`
  membership_shape = { "data", "top" }, -- added and removed inside data, or at the top
  membership_names = { "given", "quoted", "ids" }, -- how a sentence calls those that were given by name
  rename_names = { "given", "name" }, -- whom the sentence of changeUsername names: what was sent, or the old name
  -- transport
  content_type = { "application/json; charset=utf-8", "text/html", "text/plain; charset=iso-8859-1" },
  error_status = { "200", "400", "401", "403", "500" }, -- of auth errors
  http = { "origin", "query_lost", "kept", "serve" }, -- plain http: a 302 to https:// and / (path and query lost), with the path, with both; or the
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

--- The values that hold now: defaults, then lasting switches, then what this request's faults overlay.
function switches.current(overlay)
  local values = {}
  for name, known in pairs(switches.known) do values[name] = known[1] end
  for _, row in ipairs(store.rows "SELECT name, value FROM switches") do
    values[row.name] = json.plain(json.read(row.value))
  end
  for name, value in pairs(overlay or {}) do values[name] = value end
  return values
end

--- Sets switches from a table; json.null puts one back. Gives true, or nil and a message; nothing is set on a mistake.
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
