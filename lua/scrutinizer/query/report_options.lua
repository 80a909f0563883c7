--- The methods that build a query: which rows, columns and filters are wanted, and in what form. Each returns a new query; misuse raises.

local check = require "scrutinizer.check"
local draft = require "scrutinizer.query.draft"
local filters = require "scrutinizer.query.filters"
local keep = require "scrutinizer.query.keep"
local projection = require "scrutinizer.report.projection"
local resume = require "scrutinizer.report.resume"
local suggest = require "scrutinizer.suggest"
local times = require "scrutinizer.time.times"
local wire = require "scrutinizer.wire"

---@class scrutinizer.Query
local methods = draft.methods

-- Adds the conditions of one call of `where` or `exclude`.
local function add_conditions(spec, list)
  local all = {}
  for i, condition in ipairs(spec.conditions) do all[i] = condition end
  local call = #all > 0 and all[#all].call + 1 or 1
  for _, condition in ipairs(list) do
    condition.call = call
    all[#all + 1] = condition
  end
  spec.conditions = all
end

-- Limits that are kept per direction stay with their direction.
local function set_directions(spec, list)
  local part = spec.window and #list == 1 and spec.window[list[1]]
  if part then spec.offset, spec.limit, spec.skip = part.offset, part.limit, part.skip end
  spec.directions, spec.direction_said = list, true
  spec.window = #list == 2 and spec.window or nil
end

--- Only traffic into the interfaces. This is the default; a query that names an interface must set its direction.
---@return scrutinizer.Query
function methods:inbound()
  local spec = draft.of(self, "inbound", "directions")
  set_directions(spec, { "inbound" })
  return draft.finish(self, spec)
end

--- Only traffic out of the interfaces.
---@return scrutinizer.Query
function methods:outbound()
  local spec = draft.of(self, "outbound", "directions")
  set_directions(spec, { "outbound" })
  return draft.finish(self, spec)
end

--- Both directions in one request. Inbound rows come first; each row has its `direction`. Limit and offset apply to each direction.
---@return scrutinizer.Query
function methods:both()
  local spec = draft.of(self, "both", "directions")
  set_directions(spec, { "inbound", "outbound" })
  return draft.finish(self, spec)
end

--- Minutes per bucket, or "auto". The appliance stores buckets of 1, 5, 30, 120 and 720 minutes, probably also 1440 and 10080.
---@param minutes integer|"auto"
---@return scrutinizer.Query
function methods:granularity(minutes)
  local spec = draft.of(self, "granularity", "granularity")
  local hint = type(minutes) == "string" and suggest.did_you_mean(suggest.nearest(minutes, { auto = true })) or nil
  spec.granularity = minutes == "auto" and minutes or check.integer(minutes, 1)
    or draft.misuse("granularity", minutes, 'whole minutes from 1, or "auto"', hint)
  return draft.finish(self, spec)
end

--- Labels are rates per second.
---@return scrutinizer.Query
function methods:rate()
  return (draft.set(self, "rate", "rate_total", "rate"))
end

--- Labels are totals.
---@return scrutinizer.Query
function methods:total()
  return (draft.set(self, "total", "rate_total", "total"))
end

--- Labels are in bits. Raw values stay bytes.
---@return scrutinizer.Query
function methods:bits()
  return (draft.set(self, "bits", "unit", "bits"))
end

--- Labels are in bytes.
---@return scrutinizer.Query
function methods:bytes()
  return (draft.set(self, "bytes", "unit", "bytes"))
end

--- Labels are percentages of the interface's speed. Raw values stay bytes.
---@return scrutinizer.Query
function methods:percent()
  return (draft.set(self, "percent", "unit", "percent"))
end

--- Labels are plain numbers.
---@return scrutinizer.Query
function methods:raw()
  return (draft.set(self, "raw", "data_format", "raw"))
end

--- Labels are formatted for people ("1.2 Mb/s").
---@return scrutinizer.Query
function methods:formatted()
  return (draft.set(self, "formatted", "data_format", "normal"))
end

local DATA_MODES = { saf = true, traditional = true, raw_flows = true }

--- Which tables the appliance reads: "saf" (its default), "traditional", "raw_flows". Unknown names are accepted; a misspelling of these raises.
---@param mode string
---@return scrutinizer.Query
function methods:data_mode(mode)
  local spec = draft.of(self, "data_mode", "data_mode")
  local good, hint = suggest.open(mode, DATA_MODES)
  spec.data_mode = good and wire.try_encode(good) and good
    or draft.misuse("data_mode", mode, 'a name such as "saf", "traditional", "raw_flows"', hint)
  return draft.finish(self, spec)
end

--- The column to sort by, descending: the appliance has no other order. An answer that lacks the column is an error of kind `api` before the
--- first row, which lists the columns there are. By which of its columns the appliance can sort is not documented. In use have been seen
--- "sum_octetdeltacount", "sum_packetdeltacount", "sum_plixeraggregatedrecordcount", "countdistinct_destinationipaddress" and
--- "custom_interfacepercent". Of others it may keep the report's own order and not say so: look at the rows.
---@param column string its element name, such as "sum_octetdeltacount"
---@param second? nil an order such as "asc" raises
---@return scrutinizer.Query
function methods:order_by(column, second)
  local spec = draft.of(self, "order_by", "order_by")
  if second ~= nil then draft.misuse("order_by: a second argument", second, "the column alone: reports are in descending order") end
  if type(column) ~= "string" or column == "" or column:find("\0", 1, true) or not wire.try_encode(column) then
    draft.misuse("order_by", column, "a column's element name")
  end
  if column == "rank" or column == "direction" then
    draft.misuse("order_by", column, 'a column that the appliance can sort by, such as "sum_octetdeltacount"; ranks follow from it')
  end
  spec.order_by = column
  return draft.finish(self, spec)
end

--- Whether the graph shows the traffic outside the top rows as "Other".
---@param shown boolean
---@return scrutinizer.Query
function methods:others(shown)
  local spec = draft.of(self, "others", "others")
  if type(shown) ~= "boolean" then draft.misuse("others", shown, "true or false") end
  spec.others = shown
  return draft.finish(self, spec)
end

---@class scrutinizer.Conditions each is one value or a list of values
---@field ip? string|string[]
---@field src_ip? string|string[]
---@field dst_ip? string|string[]
---@field ip_group? integer|string|(integer|string)[] ids or names; names are looked up when the query runs
---@field src_ip_group? integer|string|(integer|string)[]
---@field dst_ip_group? integer|string|(integer|string)[]
---@field network? string|string[]      "10.0.0.0/8"; unverified: only dst_network has been seen in use
---@field src_network? string|string[]  unverified
---@field dst_network? string|string[]
---@field port? integer|integer[]
---@field src_port? integer|integer[]   unverified
---@field dst_port? integer|integer[]   unverified
---@field app_port? string|table        "443/tcp", "443/6", { 443, "tcp" }

--- Only flows that match these conditions. Values of one key are ORed; different keys, and further calls, are ANDed.
---
--- The appliance ORs filters of the same type (`ip`, `src_ip` and `dst_ip` are one type; so are groups, networks, ports) and ANDs filters of
--- different types; it does not document this. Of several conditions of one type, one is sent, and the client filters the rows by the others
--- (`:explain()` tells which). This needs rows with the columns for it: addresses of both ends (`host2host`, `conversations`), ports
--- (`connections`). Otherwise the query raises when it runs; if only the answer shows it, the error is of kind `api`. The client cannot filter
--- rows by IP group or `app_port`. IPv6 addresses and networks are passed on as text, which is unverified.
---@param conditions scrutinizer.Conditions
---@return scrutinizer.Query
function methods:where(conditions)
  local spec = draft.with_filters(self, "where")
  local list, message = filters.conditions("where", "in", conditions)
  if not list then draft.blame(message) end
  add_conditions(spec, list)
  return draft.finish(self, spec)
end

--- Leaves out every flow that matches at least one of these conditions, from one call or several.
---@param conditions scrutinizer.Conditions
---@return scrutinizer.Query
function methods:exclude(conditions)
  local spec = draft.with_filters(self, "exclude")
  local list, message = filters.conditions("exclude", "ex", conditions)
  if not list then draft.blame(message) end
  add_conditions(spec, list)
  return draft.finish(self, spec)
end

---@class scrutinizer.KeepCondition all conditions that are set must hold
---@field min? number|string      a number, or its decimal text: from this one on
---@field max? number|string      up to and including this one
---@field begins? string|string[] the field's text begins with it, or with one of a list
---@field contains? string|string[]
---@field no? any                 any condition: keeps the rows that do not match it

--- Only rows that match these conditions. The client filters the rows that the appliance sends. A key is a field of the row (an alias of
--- `:select`), else a column's name; the column need not be selected. A condition is a value, a list of values (ORed), or a table as
--- `scrutinizer.KeepCondition`. A text matches an equal text; an address also in another spelling; "10.0.0.0/8" every address in this
--- network. A number matches an equal number, also one that is text in the row. An absent value matches no condition, and so it matches every
--- `no`. Different keys, and further calls, are ANDed.
---
--- `:limit` and `:offset` count the kept rows. `total` and `footer` are absent then. The appliance computes `rank` and `percenttotal` from all its
--- rows: if the client also filters by a `:where` (see `:explain()`), they raise in `:keep`, `:select` and `:aggregate`. Graphs (`series`, `rates`,
--- `pie`) cannot be filtered.
---@param conditions table<string, string|number|table>
---@return scrutinizer.Query
function methods:keep(conditions)
  local spec = draft.of(self, "keep")
  local list, message = keep.conditions(conditions)
  if not list then draft.blame(message) end
  local all = {}
  for i, condition in ipairs(spec.kept) do all[i] = condition end
  for _, condition in ipairs(list) do all[#all + 1] = condition end
  spec.kept = all
  return draft.finish(self, spec)
end

local TEXT = "text in UTF-8"

--- Adds any filter in the appliance's own form, unchecked: `:filter("sdfIps", "in_10.1.1.1_Both")`. It is numbered together with the others.
---@param type_name string see scrutinizer.filters
---@param value string
---@return scrutinizer.Query
function methods:filter(type_name, value)
  local spec = draft.with_filters(self, "filter")
  if type(type_name) ~= "string" or type_name == "" or not wire.try_encode(type_name) then
    draft.misuse("filter: type", type_name, TEXT .. ", not empty")
  end
  if type(value) ~= "string" or not wire.try_encode(value) then draft.misuse("filter: value", value, TEXT) end
  draft.add_filters(spec, { { type = type_name, value = value } })
  return draft.finish(self, spec)
end

--- Sets any field of the request's JSON, unchecked: `:set("byInt", { selected = 0 })`. It replaces what other methods set before in the same
--- field; a later call of those methods replaces it. Filters are not replaced so: `:set` of them beside `:where`, `:exporter` and their like raises;
--- say `:without "filters"` first.
---@param field string
---@param value any any value that JSON can hold; scrutinizer.null for null
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
  if field == wire.field.filters and (spec.filters[1] or spec.conditions[1]) then
    draft.blame 'set: the query has filters or exporters already: say :without "filters" first, or add with :filter'
  end
  local fields = {}
  for name, other in pairs(spec.fields) do fields[name] = other end
  fields[field] = wire.copy(value)
  spec.fields = fields
  if field == wire.field.times then spec.shift = nil end
  return draft.finish(self, spec)
end

--- Rows have exactly these fields; see `projection.parse`. Without it: the raw value of every column, and rank.
---@param ... string|table names, or one list of names, or one map of aliases to names
---@return scrutinizer.Query
function methods:select(...)
  local spec = draft.of(self, "select")
  spec.projection = projection.parse(2, ...)
  return draft.finish(self, spec)
end

--- At most this many rows, over all pages. With both directions: in each. Where the client filters rows (`:keep`), it counts the kept rows.
---@param n integer from 1
---@return scrutinizer.Query
function methods:limit(n)
  local spec = draft.of(self, "limit")
  spec.limit = check.integer(n, 1) or draft.misuse("limit", n, "a whole number from 1")
  if spec.window then -- each direction keeps its offset
    local window = {}
    for direction, part in pairs(spec.window) do window[direction] = { offset = part.offset, skip = part.skip, limit = spec.limit } end
    spec.window = window
  end
  return draft.finish(self, spec)
end

--- Skips this many rows at the beginning; where the client filters rows, this many kept rows.
---@param n integer from 0
---@return scrutinizer.Query
function methods:offset(n)
  local spec = draft.of(self, "offset")
  spec.offset = check.integer(n, 0) or draft.misuse("offset", n, "a whole number from 0")
  spec.window, spec.proof, spec.ties, spec.skip = nil, nil, nil, nil
  return draft.finish(self, spec)
end

--- Rows per request. Without it one request asks for all rows, and its answer is streamed: all rows are of the same moment.
---@param n integer from 1
---@return scrutinizer.Query
function methods:page_size(n)
  local spec = draft.of(self, "page_size")
  spec.page_size = check.integer(n, 1) or draft.misuse("page_size", n, "a whole number from 1")
  return draft.finish(self, spec)
end

--- How many pages to request before the loop needs them. Has an effect only with `:page_size`.
---@param n integer 0 (the default) to 64
---@return scrutinizer.Query
function methods:prefetch(n)
  local spec = draft.of(self, "prefetch")
  spec.prefetch = check.integer(n, 0, 64) or draft.misuse("prefetch", n, "a whole number from 0 to 64")
  return draft.finish(self, spec)
end

--- A query for the rows that are missing after an error: `err.resume` says where to continue. Times that depend on the clock stay those of the
--- failed run when the error carries them (`resume.from`, `resume.to`).
---
--- `err.resume` is plain data: `offset`, `remaining` (nil: no limit) and `proof`, a text that only this method reads. With both directions there
--- is one under `inbound` and one under `outbound`. It may be saved, for example as JSON, and given as `{ resume = saved }`.
---
--- The new query uses `proof` to check that it reads the same report. Its first row must be the last row given before the error, and the total and
--- the window must be the same as before. No row with the same sort value as that row may be repeated. Up to 1,024 such rows are stored in
--- `proof`; more are remembered only in the same process, with the same `err.resume`. If a check fails, the error is of kind `changed`; if it is
--- not possible, of kind `limit`. Without `proof` nothing is checked, as with `:offset`.
---
--- `fetch` and `aggregate` give no rows when they fail: after their error the new query reads the whole report.
---@param err scrutinizer.Error|{ resume: table }
---@return scrutinizer.Query
function methods:resume(err)
  local spec = draft.of(self, "resume")
  local saved = type(err) == "table" and err.resume
  if type(saved) ~= "table" then draft.misuse("resume", err, "an error that has the field resume") end
  local one, each = resume.rest(spec.directions, saved)
  if not one and not each then draft.blame "resume: the error names no direction of this query that has rows left" end
  if one then spec.offset, spec.limit, spec.skip = one.offset, one.limit, one.skip end
  spec.window, spec.ties, spec.proof = each, resume.recall(saved), {}
  for _, direction in ipairs(spec.directions) do
    local part = one or each[direction]
    spec.proof[direction] = part and part.proof
  end
  if saved.from and saved.to then
    draft.set_times(spec, { from = saved.from, to = saved.to, words = times.words(spec) })
    spec.shift = nil -- the failed run's window was moved
  end
  return draft.finish(self, spec)
end
