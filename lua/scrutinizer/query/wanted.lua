--- What a query says: which flows are wanted, from where and when, and how. Each method gives a new query.

local check = require "scrutinizer.check"
local draft = require "scrutinizer.query.draft"
local filters = require "scrutinizer.query.filters"
local names = require "scrutinizer.query.names"
local projection = require "scrutinizer.report.projection"
local resume = require "scrutinizer.report.resume"
local suggest = require "scrutinizer.suggest"
local times = require "scrutinizer.time.times"
local wire = require "scrutinizer.wire"
local zone = require "scrutinizer.time.zone"

---@class scrutinizer.Query
local methods = draft.methods

local function add_filters(spec, list)
  local all = {}
  for i, entry in ipairs(spec.filters) do all[i] = entry end
  for _, entry in ipairs(list) do all[#all + 1] = entry end
  spec.filters = all
end

-- A draft for a filter to be added to; filters set as a whole have no place for one more.
local function filter_draft(query, method)
  local spec = draft.of(query, method, nil, 1)
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
  local spec = draft.of(self, "inbound", "directions")
  set_directions(spec, { "inbound" })
  return draft.finish(self, spec)
end

--- Only traffic that went out on the interfaces.
---@return scrutinizer.Query
function methods:outbound()
  local spec = draft.of(self, "outbound", "directions")
  set_directions(spec, { "outbound" })
  return draft.finish(self, spec)
end

--- Both directions in one request: rows come inbound first, each with its `direction`; limit and offset hold for each.
---@return scrutinizer.Query
function methods:both()
  local spec = draft.of(self, "both", "directions")
  set_directions(spec, { "inbound", "outbound" })
  return draft.finish(self, spec)
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
  local spec = draft.of(self, "range", "times")
  local good, hint = suggest.open(name, names.date_ranges)
  if not good then draft.misuse("range", name, "a name as in scrutinizer.date_ranges", hint) end
  if name == wire.CUSTOM then draft.misuse("range", name, "a named range; for times of your own say :between(from, to)") end
  set_times(spec, { range = name })
  return draft.finish(self, spec)
end

local MOMENT = 'epoch seconds or ISO 8601 text such as "2026-11-01T00:00:00Z"'

--- From one moment up to, not including, another: epoch seconds, or ISO 8601 text. Text without a zone needs `:timezone` said first;
--- a local time that the clocks skip is moved forward by the gap, of one that they show twice the earlier moment is taken.
---@param from integer|string
---@param to integer|string
---@return scrutinizer.Query
function methods:between(from, to)
  local spec = draft.of(self, "between", "times")
  local first, complaint = times.moment(from, spec.timezone)
  if not first then draft.misuse("between: from", from, MOMENT, complaint) end
  local after
  after, complaint = times.moment(to, spec.timezone)
  if not after then draft.misuse("between: to", to, MOMENT, complaint) end
  if first >= after then
    draft.misuse("between: to", to, "a moment after from", ("from is %s"):format(check.show(from)))
  end
  set_times(spec, { from = first, to = after })
  return draft.finish(self, spec)
end

--- The last seconds, or "90m" (s m h d w), counted back from each time the query runs.
---@param span integer|string
---@return scrutinizer.Query
function methods:last(span)
  local spec = draft.of(self, "last", "times")
  local seconds = times.seconds(span)
  if not seconds then
    draft.misuse("last", span, 'whole seconds from 1 to 10^9, or such a number with a unit of s, m, h, d, w, as "90m"')
  end
  set_times(spec, { last = seconds })
  return draft.finish(self, spec)
end

--- The zone in which the appliance shows times and counts days, and in which `:between` said later reads text without a zone.
--- Its effect on the appliance's own calendar ranges is unverified.
---@param name string IANA name, such as "America/New_York"
---@return scrutinizer.Query
function methods:timezone(name)
  local spec = draft.of(self, "timezone")
  if spec.fields[wire.field.times] ~= nil then
    draft.blame "timezone: the times were set as a whole by :set; say the zone there"
  end
  local known, complaint, unreadable = zone.load(name)
  -- Without zone files nothing can be judged but the name's form.
  local plausible = unreadable and type(name) == "string" and name:find "^[A-Za-z][A-Za-z0-9_+/-]*$"
  if not known and not plausible then draft.misuse("timezone", name, 'an IANA name such as "Europe/Berlin"', complaint) end
  spec.timezone = name
  return draft.finish(self, spec)
end

--- Minutes per bucket, or "auto". Kept by the appliance: 1, 5, 30, 120, 720; also 1440 and 10080 are likely.
---@param minutes integer|"auto"
---@return scrutinizer.Query
function methods:granularity(minutes)
  local spec = draft.of(self, "granularity", "granularity")
  local hint = type(minutes) == "string" and suggest.did_you_mean(suggest.nearest(minutes, { auto = true })) or nil
  spec.granularity = minutes == "auto" and minutes or check.integer(minutes, 1)
    or draft.misuse("granularity", minutes, 'whole minutes from 1, or "auto"', hint)
  return draft.finish(self, spec)
end

--- Labels per second.
---@return scrutinizer.Query
function methods:rate()
  local spec = draft.of(self, "rate", "rate_total")
  spec.rate_total = "rate"
  return draft.finish(self, spec)
end

--- Labels as totals.
---@return scrutinizer.Query
function methods:total()
  local spec = draft.of(self, "total", "rate_total")
  spec.rate_total = "total"
  return draft.finish(self, spec)
end

--- Labels in bits. Raw values stay bytes.
---@return scrutinizer.Query
function methods:bits()
  local spec = draft.of(self, "bits", "unit")
  spec.unit = "bits"
  return draft.finish(self, spec)
end

--- Labels in bytes.
---@return scrutinizer.Query
function methods:bytes()
  local spec = draft.of(self, "bytes", "unit")
  spec.unit = "bytes"
  return draft.finish(self, spec)
end

--- Labels as percent of the interface's speed. Raw values stay bytes.
---@return scrutinizer.Query
function methods:percent()
  local spec = draft.of(self, "percent", "unit")
  spec.unit = "percent"
  return draft.finish(self, spec)
end

--- Labels are plain numbers.
---@return scrutinizer.Query
function methods:raw()
  local spec = draft.of(self, "raw", "data_format")
  spec.data_format = "raw"
  return draft.finish(self, spec)
end

--- Labels are made for people ("1.2 Mb/s").
---@return scrutinizer.Query
function methods:formatted()
  local spec = draft.of(self, "formatted", "data_format")
  spec.data_format = "normal"
  return draft.finish(self, spec)
end

local DATA_MODES = { saf = true, traditional = true, raw_flows = true }

--- Which tables the appliance reads: "saf" (its default), "traditional", "raw_flows". Unknown names pass, misspelt known ones raise.
---@param mode string
---@return scrutinizer.Query
function methods:data_mode(mode)
  local spec = draft.of(self, "data_mode", "data_mode")
  local good, hint = suggest.open(mode, DATA_MODES)
  spec.data_mode = good or draft.misuse("data_mode", mode, 'a name such as "saf", "traditional", "raw_flows"', hint)
  return draft.finish(self, spec)
end

--- The column to sort by, descending: its element name, such as "sum_octetdeltacount".
---@param column string
---@return scrutinizer.Query
function methods:order_by(column)
  local spec = draft.of(self, "order_by", "order_by")
  if type(column) ~= "string" or column == "" then draft.misuse("order_by", column, "a column's element name") end
  spec.order_by = column
  return draft.finish(self, spec)
end

--- Whether the graph shows what is not in the top rows as "Other".
---@param shown boolean
---@return scrutinizer.Query
function methods:others(shown)
  local spec = draft.of(self, "others", "others")
  if type(shown) ~= "boolean" then draft.misuse("others", shown, "true or false") end
  spec.others = shown
  return draft.finish(self, spec)
end

--- Only flows of this device, or of one of its interfaces. Said again: of this one too. IPv6 is passed on as text, which is unverified.
--- Names are looked up when the query runs, once per client and five minutes (`client.exporters`); one that means none or several is an error.
---@param device string its address, name, DNS name, sysname or label
---@param interface? integer|string its SNMP index or its name, such as "xe-0/0/1"
---@return scrutinizer.Query
function methods:exporter(device, interface)
  local spec = filter_draft(self, "exporter")
  local entry, message = filters.exporter(device, interface)
  if not entry then draft.blame(message) end
  add_filters(spec, { entry })
  return draft.finish(self, spec)
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
  return draft.finish(self, spec)
end

--- Only flows of the devices in this group. Said again, or with `:exporter`: of these too.
---@param id integer see client.device_groups:list()
---@return scrutinizer.Query
function methods:device_group(id)
  local spec = filter_draft(self, "device_group")
  local number = check.digits(id, 0)
  if not number then draft.misuse("device_group", id, "the id of a device group, a whole number from 0") end
  add_filters(spec, { wire.filters.device_group("in", number) })
  return draft.finish(self, spec)
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
  if not list then draft.blame(message) end
  add_filters(spec, list)
  return draft.finish(self, spec)
end

--- No flows that meet these conditions.
---@param conditions scrutinizer.Conditions
---@return scrutinizer.Query
function methods:exclude(conditions)
  local spec = filter_draft(self, "exclude")
  local list, message = filters.conditions("exclude", "ex", conditions)
  if not list then draft.blame(message) end
  add_filters(spec, list)
  return draft.finish(self, spec)
end

local TEXT = "text in UTF-8"

--- Any filter in the appliance's own words, unchecked: `:filter("sdfIps", "in_10.1.1.1_Both")`. It is numbered with the others.
---@param type_name string see scrutinizer.filters
---@param value string
---@return scrutinizer.Query
function methods:filter(type_name, value)
  local spec = filter_draft(self, "filter")
  if type(type_name) ~= "string" or type_name == "" or not wire.try_encode(type_name) then
    draft.misuse("filter: type", type_name, TEXT .. ", not empty")
  end
  if type(value) ~= "string" or not wire.try_encode(value) then draft.misuse("filter: value", value, TEXT) end
  add_filters(spec, { { type = type_name, value = value } })
  return draft.finish(self, spec)
end

--- Any field of the request's JSON, unchecked: `:set("byInt", { selected = 0 })`. It stands in place of what other methods said before
--- of the same field; what they say afterwards stands in its place.
---@param field string
---@param value any what JSON can hold; scrutinizer.null for null
---@return scrutinizer.Query
function methods:set(field, value)
  local spec = draft.of(self, "set")
  if type(field) ~= "string" or field == "" or not wire.try_encode(field) then
    draft.misuse("set: field", field, TEXT .. ", not empty")
  end
  local _, complaint = wire.try_encode(value)
  if complaint then
    draft.misuse("set: value", value, "what JSON can hold (scrutinizer.null for null)", "it holds " .. complaint)
  end
  local fields = {}
  for name, other in pairs(spec.fields) do fields[name] = other end
  fields[field] = wire.copy(value)
  spec.fields = fields
  return draft.finish(self, spec)
end

--- Exactly these fields in each row; see `projection.parse`. Without it: every column's raw value, and rank.
---@param ... string|table names, or one list of names, or one map of aliases to names
---@return scrutinizer.Query
function methods:select(...)
  local spec = draft.of(self, "select")
  spec.projection = projection.parse(2, ...)
  return draft.finish(self, spec)
end

--- At most so many rows, over all pages; in both directions, of each.
---@param n integer
---@return scrutinizer.Query
function methods:limit(n)
  local spec = draft.of(self, "limit")
  spec.limit = check.integer(n, 1) or draft.misuse("limit", n, "a whole number from 1")
  if spec.window then -- each direction begins where it did
    local window = {}
    for direction, part in pairs(spec.window) do window[direction] = { offset = part.offset, limit = spec.limit } end
    spec.window = window
  end
  return draft.finish(self, spec)
end

--- Leave out so many rows at the beginning.
---@param n integer
---@return scrutinizer.Query
function methods:offset(n)
  local spec = draft.of(self, "offset")
  spec.offset = check.integer(n, 0) or draft.misuse("offset", n, "a whole number from 0")
  spec.window, spec.proof, spec.ties = nil, nil, nil
  return draft.finish(self, spec)
end

--- Rows to ask for per request. Without it everything is asked for at once and streamed: one answer, one snapshot.
---@param n integer
---@return scrutinizer.Query
function methods:page_size(n)
  local spec = draft.of(self, "page_size")
  spec.page_size = check.integer(n, 1) or draft.misuse("page_size", n, "a whole number from 1")
  return draft.finish(self, spec)
end

--- Pages to ask for ahead of the loop.
---@param n integer
---@return scrutinizer.Query
function methods:prefetch(n)
  local spec = draft.of(self, "prefetch")
  spec.prefetch = check.integer(n, 0, 64) or draft.misuse("prefetch", n, "a whole number from 0 to 64")
  return draft.finish(self, spec)
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
  local spec = draft.of(self, "resume")
  local said = type(err) == "table" and err.resume
  if type(said) ~= "table" then draft.misuse("resume", err, "an error with the field resume, as a broken walk gives it") end
  local one, each = resume.rest(spec.directions, said)
  if not one and not each then draft.blame "resume: the error says of no direction of this query that rows are left" end
  if one then spec.offset, spec.limit = one.offset, one.limit end
  spec.window, spec.ties, spec.proof = each, resume.recall(said), {}
  for _, direction in ipairs(spec.directions) do
    local part = one or each[direction]
    spec.proof[direction] = part and part.proof
  end
  if said.from and said.to then set_times(spec, { from = said.from, to = said.to, words = times.words(spec) }) end
  return draft.finish(self, spec)
end
