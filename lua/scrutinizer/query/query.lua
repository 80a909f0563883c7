--- The query: an immutable value that says which flows are wanted and how. Every method gives a new one.

local aggregate = require "scrutinizer.report.aggregate"
local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local named_exporters = require "scrutinizer.report.named_exporters"
local filters = require "scrutinizer.query.filters"
local names = require "scrutinizer.query.names"
local suggest = require "scrutinizer.suggest"
local pages = require "scrutinizer.report.pages"
local projection = require "scrutinizer.report.projection"
local resume = require "scrutinizer.report.resume"
local series = require "scrutinizer.report.series"
local show = require "scrutinizer.query.show"
local times = require "scrutinizer.time.times"
local wire = require "scrutinizer.wire"
local zone = require "scrutinizer.time.zone"

---@class scrutinizer.Query
---@field private _spec table    never changed once the query is made
---@field private _client table
local methods = {}

local Query = { __index = methods, __name = "scrutinizer.Query" }

-- When the flows were, in words.
local function when(spec)
  local said = spec.times
  if spec.fields[wire.field.times] ~= nil then return "times as set" end
  if not said then return "no times yet" end
  if said.last then return ("last %d s"):format(said.last) end
  return said.range or ("%d to %d"):format(said.from, said.to)
end

function Query.__newindex(_, key)
  error(("queries are immutable: field %s cannot be set"):format(check.show(key)), 2)
end

function Query:__tostring()
  local spec = self._spec
  return errors.neutral(("scrutinizer.Query: %s, %s, %s"):format(
    check.show(spec.type), table.concat(spec.directions, " and "), when(spec)), 200)
end

-- Raises at the line that called the method which calls this.
local function misuse(method, value, allowed, hint)
  error(check.message(method, value, allowed, hint), 3)
end

local function blame(message)
  error(message, 3)
end

-- A copy of the query's spec, for the method to change. What was set by wire name in the same place gives way to it. Raises as `misuse`, or
-- so many levels above.
local function draft(query, method, part, above)
  if getmetatable(query) ~= Query then
    error(("%s: called without its query; write query:%s(…)"):format(method, method), 3 + (above or 0))
  end
  local spec = {}
  for key, value in pairs(query._spec) do spec[key] = value end
  local name = part and wire.field[part]
  if name and spec.fields[name] ~= nil then
    spec.fields = {}
    for key, value in pairs(query._spec.fields) do
      if key ~= name then spec.fields[key] = value end
    end
  end
  return spec
end

local function finish(query, spec)
  return setmetatable({ _spec = spec, _client = query._client }, Query)
end

local function add_filters(spec, list)
  local all = {}
  for i, entry in ipairs(spec.filters) do all[i] = entry end
  for _, entry in ipairs(list) do all[#all + 1] = entry end
  spec.filters = all
end

-- A draft for a filter to be added to; filters set as a whole have no place for one more.
local function filter_draft(query, method)
  local spec = draft(query, method, nil, 1)
  if spec.fields[wire.field.filters] ~= nil then
    error(("%s: the filters were set as a whole by :set; add to them there"):format(method), 3)
  end
  return spec
end

-- Limits that were kept by direction stay with theirs.
local function set_directions(spec, list)
  local part = spec.window and #list == 1 and spec.window[list[1]]
  if part then spec.offset, spec.limit = part.offset, part.limit end
  spec.directions = list
  spec.window = #list == 2 and spec.window or nil
end

--- Only traffic that came in on the interfaces (the default).
---@return scrutinizer.Query
function methods:inbound()
  local spec = draft(self, "inbound", "directions")
  set_directions(spec, { "inbound" })
  return finish(self, spec)
end

--- Only traffic that went out on the interfaces.
---@return scrutinizer.Query
function methods:outbound()
  local spec = draft(self, "outbound", "directions")
  set_directions(spec, { "outbound" })
  return finish(self, spec)
end

--- Both directions in one request: rows come inbound first, each with its `direction`; limit and offset hold for each.
---@return scrutinizer.Query
function methods:both()
  local spec = draft(self, "both", "directions")
  set_directions(spec, { "inbound", "outbound" })
  return finish(self, spec)
end

-- What came with a pasted report beside its times was about other times.
local function set_times(spec, said)
  spec.times = said
  if spec.extras.times then
    local extras = {}
    for key, value in pairs(spec.extras) do extras[key] = value end
    extras.times = nil
    spec.extras = extras
  end
end

--- A named range, such as "LastHour"; see `scrutinizer.date_ranges`. Unknown names pass, misspelt known ones raise.
---@param name string
---@return scrutinizer.Query
function methods:range(name)
  local spec = draft(self, "range", "times")
  local good, hint = suggest.open(name, names.date_ranges)
  if not good then misuse("range", name, "a name as in scrutinizer.date_ranges", hint) end
  if name == wire.CUSTOM then misuse("range", name, "a named range; for times of your own say :between(from, to)") end
  set_times(spec, { range = name })
  return finish(self, spec)
end

local MOMENT = 'epoch seconds or ISO 8601 text such as "2026-11-01T00:00:00Z"'

--- From one moment up to, not including, another: epoch seconds, or ISO 8601 text. Text without a zone needs `:timezone` said first;
--- a local time that the clocks skip is moved forward by the gap, of one that they show twice the earlier moment is taken.
---@param from integer|string
---@param to integer|string
---@return scrutinizer.Query
function methods:between(from, to)
  local spec = draft(self, "between", "times")
  local first, complaint = times.moment(from, spec.timezone)
  if not first then misuse("between: from", from, MOMENT, complaint) end
  local after
  after, complaint = times.moment(to, spec.timezone)
  if not after then misuse("between: to", to, MOMENT, complaint) end
  if first >= after then
    misuse("between: to", to, "a moment after from", ("from is %s"):format(check.show(from)))
  end
  set_times(spec, { from = first, to = after })
  return finish(self, spec)
end

--- The last seconds, or "90m" (s m h d w), counted back from each time the query runs.
---@param span integer|string
---@return scrutinizer.Query
function methods:last(span)
  local spec = draft(self, "last", "times")
  local seconds = times.seconds(span)
  if not seconds then
    misuse("last", span, 'whole seconds from 1 to 10^9, or such a number with a unit of s, m, h, d, w, as "90m"')
  end
  set_times(spec, { last = seconds })
  return finish(self, spec)
end

--- The zone in which the appliance shows times and counts days, and in which `:between` said later reads text without a zone.
--- Its effect on the appliance's own calendar ranges is unverified.
---@param name string IANA name, such as "America/New_York"
---@return scrutinizer.Query
function methods:timezone(name)
  local spec = draft(self, "timezone")
  if spec.fields[wire.field.times] ~= nil then
    blame "timezone: the times were set as a whole by :set; say the zone there"
  end
  local known, complaint, unreadable = zone.load(name)
  -- Without zone files nothing can be judged but the name's form.
  local plausible = unreadable and type(name) == "string" and name:find "^[A-Za-z][A-Za-z0-9_+/-]*$"
  if not known and not plausible then misuse("timezone", name, 'an IANA name such as "Europe/Berlin"', complaint) end
  spec.timezone = name
  return finish(self, spec)
end

--- Minutes per bucket, or "auto". Kept by the appliance: 1, 5, 30, 120, 720; also 1440 and 10080 are likely.
---@param minutes integer|"auto"
---@return scrutinizer.Query
function methods:granularity(minutes)
  local spec = draft(self, "granularity", "granularity")
  local hint = type(minutes) == "string" and suggest.did_you_mean(suggest.nearest(minutes, { auto = true })) or nil
  spec.granularity = minutes == "auto" and minutes or check.integer(minutes, 1)
    or misuse("granularity", minutes, 'whole minutes from 1, or "auto"', hint)
  return finish(self, spec)
end

--- Labels per second.
---@return scrutinizer.Query
function methods:rate()
  local spec = draft(self, "rate", "rate_total")
  spec.rate_total = "rate"
  return finish(self, spec)
end

--- Labels as totals.
---@return scrutinizer.Query
function methods:total()
  local spec = draft(self, "total", "rate_total")
  spec.rate_total = "total"
  return finish(self, spec)
end

--- Labels in bits. Raw values stay bytes.
---@return scrutinizer.Query
function methods:bits()
  local spec = draft(self, "bits", "unit")
  spec.unit = "bits"
  return finish(self, spec)
end

--- Labels in bytes.
---@return scrutinizer.Query
function methods:bytes()
  local spec = draft(self, "bytes", "unit")
  spec.unit = "bytes"
  return finish(self, spec)
end

--- Labels as percent of the interface's speed. Raw values stay bytes.
---@return scrutinizer.Query
function methods:percent()
  local spec = draft(self, "percent", "unit")
  spec.unit = "percent"
  return finish(self, spec)
end

--- Labels are plain numbers.
---@return scrutinizer.Query
function methods:raw()
  local spec = draft(self, "raw", "data_format")
  spec.data_format = "raw"
  return finish(self, spec)
end

--- Labels are made for people ("1.2 Mb/s").
---@return scrutinizer.Query
function methods:formatted()
  local spec = draft(self, "formatted", "data_format")
  spec.data_format = "normal"
  return finish(self, spec)
end

local DATA_MODES = { saf = true, traditional = true, raw_flows = true }

--- Which tables the appliance reads: "saf" (its default), "traditional", "raw_flows". Unknown names pass, misspelt known ones raise.
---@param mode string
---@return scrutinizer.Query
function methods:data_mode(mode)
  local spec = draft(self, "data_mode", "data_mode")
  local good, hint = suggest.open(mode, DATA_MODES)
  spec.data_mode = good or misuse("data_mode", mode, 'a name such as "saf", "traditional", "raw_flows"', hint)
  return finish(self, spec)
end

--- The column to sort by, descending: its element name, such as "sum_octetdeltacount".
---@param column string
---@return scrutinizer.Query
function methods:order_by(column)
  local spec = draft(self, "order_by", "order_by")
  if type(column) ~= "string" or column == "" then misuse("order_by", column, "a column's element name") end
  spec.order_by = column
  return finish(self, spec)
end

--- Whether the graph shows what is not in the top rows as "Other".
---@param shown boolean
---@return scrutinizer.Query
function methods:others(shown)
  local spec = draft(self, "others", "others")
  if type(shown) ~= "boolean" then misuse("others", shown, "true or false") end
  spec.others = shown
  return finish(self, spec)
end

--- Only flows of this device, or of one of its interfaces. Said again: of this one too. IPv6 is passed on as text, which is unverified.
--- Names are looked up when the query runs, once per client and five minutes (`client.exporters`); one that means none or several is an error.
---@param device string its address, name, DNS name, sysname or label
---@param interface? integer|string its SNMP index or its name, such as "xe-0/0/1"
---@return scrutinizer.Query
function methods:exporter(device, interface)
  local spec = filter_draft(self, "exporter")
  local entry, message = filters.exporter(device, interface)
  if not entry then blame(message) end
  add_filters(spec, { entry })
  return finish(self, spec)
end

--- Flows of every device: takes back `:exporter` and `:device_group`.
---@return scrutinizer.Query
function methods:all_exporters()
  local spec = filter_draft(self, "all_exporters")
  local rest = {}
  for _, entry in ipairs(spec.filters) do
    if not wire.includes_exporter(entry) then rest[#rest + 1] = entry end
  end
  spec.filters = rest
  add_filters(spec, { wire.filters.all_exporters() })
  return finish(self, spec)
end

--- Only flows of the devices in this group. Said again, or with `:exporter`: of these too.
---@param id integer see client.device_groups:list()
---@return scrutinizer.Query
function methods:device_group(id)
  local spec = filter_draft(self, "device_group")
  local number = check.digits(id, 0)
  if not number then misuse("device_group", id, "the id of a device group, a whole number from 0") end
  add_filters(spec, { wire.filters.device_group("in", number) })
  return finish(self, spec)
end

---@class scrutinizer.Conditions one value or a list of values each
---@field ip? string|string[]
---@field src_ip? string|string[]
---@field dst_ip? string|string[]
---@field ip_group? integer|integer[]
---@field src_ip_group? integer|integer[]
---@field dst_ip_group? integer|integer[]
---@field network? string|string[]      "10.0.0.0/8"; unverified, dst_network has been seen in use
---@field src_network? string|string[]  unverified
---@field dst_network? string|string[]
---@field port? integer|integer[]
---@field src_port? integer|integer[]   unverified
---@field dst_port? integer|integer[]   unverified
---@field app_port? string|table        "443/tcp", "443/6", { 443, "tcp" }

--- Only flows that meet these conditions. Conditions of one kind widen, kinds narrow: that is the appliance's way, though stated nowhere.
--- IPv6 addresses and networks are passed on as text, which is unverified.
---@param conditions scrutinizer.Conditions
---@return scrutinizer.Query
function methods:where(conditions)
  local spec = filter_draft(self, "where")
  local list, message = filters.conditions("where", "in", conditions)
  if not list then blame(message) end
  add_filters(spec, list)
  return finish(self, spec)
end

--- No flows that meet these conditions.
---@param conditions scrutinizer.Conditions
---@return scrutinizer.Query
function methods:exclude(conditions)
  local spec = filter_draft(self, "exclude")
  local list, message = filters.conditions("exclude", "ex", conditions)
  if not list then blame(message) end
  add_filters(spec, list)
  return finish(self, spec)
end

local TEXT = "text in UTF-8"

--- Any filter in the appliance's own words, unchecked: `:filter("sdfIps", "in_10.1.1.1_Both")`. It is numbered with the others.
---@param type_name string see scrutinizer.filters
---@param value string
---@return scrutinizer.Query
function methods:filter(type_name, value)
  local spec = filter_draft(self, "filter")
  if type(type_name) ~= "string" or type_name == "" or not wire.try_encode(type_name) then
    misuse("filter: type", type_name, TEXT .. ", not empty")
  end
  if type(value) ~= "string" or not wire.try_encode(value) then misuse("filter: value", value, TEXT) end
  add_filters(spec, { { type = type_name, value = value } })
  return finish(self, spec)
end

--- Any field of the request's JSON, unchecked: `:set("byInt", { selected = 0 })`. It stands in place of what other methods said before
--- of the same field; what they say afterwards stands in its place.
---@param field string
---@param value any what JSON can hold; scrutinizer.null for null
---@return scrutinizer.Query
function methods:set(field, value)
  local spec = draft(self, "set")
  if type(field) ~= "string" or field == "" or not wire.try_encode(field) then
    misuse("set: field", field, TEXT .. ", not empty")
  end
  local _, complaint = wire.try_encode(value)
  if complaint then
    misuse("set: value", value, "what JSON can hold (scrutinizer.null for null)", "it holds " .. complaint)
  end
  local fields = {}
  for name, other in pairs(spec.fields) do fields[name] = other end
  fields[field] = wire.copy(value)
  spec.fields = fields
  return finish(self, spec)
end

--- Exactly these fields in each row; see `projection.parse`. Without it: every column's raw value, and rank.
---@param ... string|table names, or one list of names, or one map of aliases to names
---@return scrutinizer.Query
function methods:select(...)
  local spec = draft(self, "select")
  spec.projection = projection.parse(2, ...)
  return finish(self, spec)
end

--- At most so many rows, over all pages; in both directions, of each.
---@param n integer
---@return scrutinizer.Query
function methods:limit(n)
  local spec = draft(self, "limit")
  spec.limit = check.integer(n, 1) or misuse("limit", n, "a whole number from 1")
  if spec.window then -- each direction begins where it did
    local window = {}
    for direction, part in pairs(spec.window) do window[direction] = { offset = part.offset, limit = spec.limit } end
    spec.window = window
  end
  return finish(self, spec)
end

--- Leave out so many rows at the beginning.
---@param n integer
---@return scrutinizer.Query
function methods:offset(n)
  local spec = draft(self, "offset")
  spec.offset = check.integer(n, 0) or misuse("offset", n, "a whole number from 0")
  spec.window, spec.proof, spec.ties = nil, nil, nil
  return finish(self, spec)
end

--- Rows to ask for per request. Without it everything is asked for at once and streamed: one answer, one snapshot.
---@param n integer
---@return scrutinizer.Query
function methods:page_size(n)
  local spec = draft(self, "page_size")
  spec.page_size = check.integer(n, 1) or misuse("page_size", n, "a whole number from 1")
  return finish(self, spec)
end

--- Pages to ask for ahead of the loop.
---@param n integer
---@return scrutinizer.Query
function methods:prefetch(n)
  local spec = draft(self, "prefetch")
  spec.prefetch = check.integer(n, 0, 64) or misuse("prefetch", n, "a whole number from 0 to 64")
  return finish(self, spec)
end

--- The query for the rows that an error kept from coming: `err.resume` says where to go on. Times that depend on the clock are those of the
--- broken walk when the error carries them (`resume.from`, `resume.to`).
---
--- `err.resume` is plain data: `offset` and `remaining` (nil: no limit), in both directions under `inbound` and `outbound`, and `proof`, a text
--- that only this method reads. It may be saved, as JSON too, and given as `{ resume = saved }`. The proof holds the overlap rule up here as
--- well: the rest begins with the last row given, which must be what it was, as must total and window, and nobody may come again of up to
--- 1,024 rows that tie with it (of more only while `err.resume` itself is given, in the process where it broke). Else the rest is an error of
--- kind `changed`, or `limit` where it cannot be told. Without `proof` nothing is held against anything, as after `:offset`.
---
--- An error of `fetch` or `aggregate` has given no rows: the rest is then all of it.
---@param err scrutinizer.Error|{ resume: table }
---@return scrutinizer.Query
function methods:resume(err)
  local spec = draft(self, "resume")
  local said = type(err) == "table" and err.resume
  if type(said) ~= "table" then misuse("resume", err, "an error with the field resume, as a broken walk gives it") end
  local one, each = resume.rest(spec.directions, said)
  if not one and not each then blame "resume: the error says of no direction of this query that rows are left" end
  if one then spec.offset, spec.limit = one.offset, one.limit end
  spec.window, spec.ties, spec.proof = each, resume.recall(said), {}
  for _, direction in ipairs(spec.directions) do
    local part = one or each[direction]
    spec.proof[direction] = part and part.proof
  end
  if said.from and said.to then set_times(spec, { from = said.from, to = said.to, words = times.words(spec) }) end
  return finish(self, spec)
end

-- Running.

-- The query's spec, when it can run. Raises at the line that called the method which calls this.
local function ready(query, method)
  local spec = draft(query, method, nil, 1)
  if not spec.times and spec.fields[wire.field.times] == nil then
    error(('%s: say when: :range "LastHour", :between(from, to) or :last "90m"'):format(method), 3)
  end
  return spec
end

---@class scrutinizer.RowsOptions
---@field reuse? boolean the same row table each time, its fields overwritten

local function check_options(options)
  if options == nil then return end
  if type(options) ~= "table" then error(check.message("rows", options, "a table of options, or nothing"), 3) end
  for key, value in pairs(options) do
    if key ~= "reuse" then error(check.message("rows: option", key, "reuse"), 3) end
    if type(value) ~= "boolean" then error(check.message("rows: reuse", value, "true or false"), 3) end
  end
end

--- Runs the query: `for row in query:rows() do`. An error is raised there; `cursor:next()` returns it.
---@param options? scrutinizer.RowsOptions
---@return scrutinizer.Cursor
function methods:rows(options)
  ready(self, "rows")
  check_options(options)
  return require("scrutinizer.report.cursor").rows(self, options)
end

--- Runs the query and gathers all rows.
---@return table? report
---@return scrutinizer.Error? err
function methods:fetch()
  ready(self, "fetch")
  return require("scrutinizer.report.cursor").fetch(self)
end

--- The first row; nil without an error when there is none.
---@return table? row
---@return scrutinizer.Error? err
function methods:first()
  ready(self, "first")
  return require("scrutinizer.report.cursor").first(self)
end

--- How many rows exist.
---@return integer? count
---@return scrutinizer.Error? err
function methods:count()
  ready(self, "count")
  return require("scrutinizer.report.cursor").count(self)
end

--- Groups of rows with sums, minima, maxima and counts, made in the core while the bytes stream in: exact, and without a table per row.
--- Names are those of `:select`, else element names. Descending by the first sum, else by the count; equal ones by their `by` values.
---@param options scrutinizer.AggregateOptions
---@return table[]? groups
---@return scrutinizer.Error? err
function methods:aggregate(options)
  local plan, complaint = aggregate.plan(ready(self, "aggregate"), options)
  if not plan then blame(complaint) end
  return require("scrutinizer.report.cursor").aggregate(self, plan)
end

-- The form that would be sent. Asks the appliance only where the query names exporters; nil and err where it does not know them.
local function form_of(query, spec)
  local looked_up, err = named_exporters.look_up(query._client, spec)
  if not looked_up then return nil, err end
  return wire.report_form(looked_up, pages.first(looked_up))
end

--- What would be sent: the form's fields as text, without the token. Names of exporters are looked up.
---@return { rm: string, action: string, rpt_json: string, data_requested: string }?
---@return scrutinizer.Error? err a name could not be looked up
function methods:request()
  local form, err = form_of(self, ready(self, "request"))
  return form, err
end

--- The request as a GET URL. The token is shown as `***`.
---@return string?
---@return scrutinizer.Error? err a name could not be looked up
function methods:url()
  local form, err = form_of(self, ready(self, "url"))
  if not form then return nil, err end
  if self._client.command then error("url: this client runs a command and has no URL; :curl() shows the command line", 2) end
  return show.url(self._client.url, form, self._client.has_token)
end

--- The request as a curl command that is safe to paste into a shell. The token is shown as `***`. With `connect { command = … }`: the
--- command line of that.
---@return string?
---@return scrutinizer.Error? err a name could not be looked up
function methods:curl()
  local form, err = form_of(self, ready(self, "curl"))
  if not form then return nil, err end
  if self._client.command then return show.command(self._client.command, form) end
  return show.curl(self._client.url, form, self._client.has_token)
end

series.install(methods, ready)

local query = {}

-- Not sent unless said, but for these.
local function new_spec(report_type)
  return {
    type = report_type,
    directions = { "inbound" },
    granularity = "auto",
    filters = {},
    fields = {},
    extras = {},
    offset = 0,
    prefetch = 0,
  }
end

--- A query for a report type. Unknown names pass, misspelt known ones raise; names that begin with `custom_` are never judged.
---@param client table its `url` and `has_token` are shown by `:url()` and `:curl()`
---@param report_type string
---@param level? integer where misuse is blamed, as `error` counts from here: by default 3, the line that called the caller (which must not
--- call this as its tail)
---@return scrutinizer.Query
function query.new(client, report_type, level)
  local designed = type(report_type) == "string" and report_type:find "^custom_" and wire.try_encode(report_type)
  local good, hint = suggest.open(report_type, names.report_types)
  if hint then
    hint = ('%s (if the name is right, say :set("%s", %s))'):format(hint, wire.field.type, check.show(report_type))
  end
  if not designed and not (good and wire.try_encode(good)) then
    error(check.message("report", report_type, "a report type's name, as in scrutinizer.report_types", hint), level or 3)
  end
  return setmetatable({ _spec = new_spec(report_type), _client = client }, Query)
end

--- A query with a spec that is made already (`report_json.from`). Members that are absent get their defaults.
---@param client table
---@param spec table
---@return scrutinizer.Query
function query.from_spec(client, spec)
  local whole = new_spec(spec.type)
  for key, value in pairs(spec) do whole[key] = value end
  return setmetatable({ _spec = whole, _client = client }, Query)
end

--- Whether a value is a query.
---@param value any
---@return boolean
function query.is(value)
  return getmetatable(value) == Query
end

return query
