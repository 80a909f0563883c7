--- A report's graph as series of points or of rates, its pie chart, and the length of its buckets.
---
--- The graph comes in the same answer as the table, for the rows that the table shows: `:limit` and `:offset` select the rows that have series.
--- All other traffic is in "Other", when the appliance sends it. The graph is one answer, held in memory up to `max_held`. Each series has
--- its row of the table.

local answer = require "scrutinizer.report.answer"
local ascii = require "scrutinizer.ascii"
local call = require "scrutinizer.transport.call"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local events = require "scrutinizer.transport.events"
local named_exporters = require "scrutinizer.report.named_exporters"
local graph_points = require "scrutinizer.report.graph_points"
local report_fields = require "scrutinizer.report.fields"
local retry = require "scrutinizer.transport.retry"
local secrets = require "scrutinizer.secrets"
local times = require "scrutinizer.time.times"
local summary_data = require "scrutinizer.wire.summary_data"
local wire = require "scrutinizer.wire"

local series = {}

local null = core.null

-- ---- one answer, read for its graph ----

local function new_decoder(client, spec)
  local o, wanted = client._options, {}
  for _, direction in ipairs(spec.directions) do wanted[direction] = true end
  local order, said = report_fields.order(spec)
  return core.decoder {
    inbound = wanted.inbound, outbound = wanted.outbound, with_direction = #spec.directions > 1, graph = true,
    order = order, check_order = said,
    projection = not spec.with_rows and {} or spec.projection or nil, reuse = not spec.with_rows,
    max_body = o.max_body, max_depth = o.max_depth, max_row = o.max_row, max_held = o.max_held, utf8 = o.utf8,
    int64 = o.integers == "int64",
  }
end

-- How many series or pie entries a graph may have for each byte of `max_held`; and the part of it that the rows kept for them may take.
local SERIES_PER_BYTE, ROWS_PART = 1 / 1024, 1 / 4

local function most_series(client)
  return math.max(1000, math.floor(client._options.max_held * SERIES_PER_BYTE))
end

local FEWER = "; ask for fewer series with :limit(n), or longer buckets with :granularity(minutes)"

-- About how many bytes of memory a row takes.
local function size_of(row)
  local size = 100
  for _, value in next, row do size = size + (type(value) == "string" and #value or 0) + 50 end
  return size
end

-- Keeps a row of a direction, until there are more rows than a graph can have series, or they take too much memory: then it keeps none.
local function keep_row(rows, direction, row, most, room)
  local list = rows[direction]
  if not list then return end
  rows.size = rows.size + size_of(row)
  if #list == most or rows.size > room then
    rows[direction] = false
  else
    list[#list + 1] = row
  end
end

-- Reads the answer to its end. Returns the rows of each direction, and in `n` how many rows there were.
local function read_whole(client, x, decoder, with_rows)
  local rows, most, room = { with_rows and {}, with_rows and {}, n = 0, size = 0 }, most_series(client), client._options.max_held * ROWS_PART
  while true do
    local row, kind, message, position = decoder:next(x.transfer)
    if row then
      rows.n = rows.n + 1
      keep_row(rows, kind, row, most, room)
    elseif row == false then
      local ok, err = x:wait()
      if not ok then return nil, err end
    elseif kind then
      if kind == "limit" and message:find "kept in memory" then message = message .. FEWER end
      return nil, answer.broken(client, decoder, kind, message, position)
    else
      return rows
    end
  end
end

local function cancel(x)
  x:close()
end

-- Sends the request and reads its answer to the end. Returns the decoder and the rows.
local function attempt(client, spec, form, how, spent)
  local x, err = client:_send(form, how)
  if not x then return nil, err end
  client._private.watch(x, cancel)
  local decoder = new_decoder(client, spec)
  local accepted, rows
  accepted, err = x:accepted()
  if accepted then rows, err = read_whole(client, x, decoder, spec.with_rows) end
  spent.requests, spent.waited = spent.requests + 1, spent.waited + x._waited
  x:close()
  err = err or answer.failure(decoder, client, 200)
  if err then return nil, secrets.clean(err, client._private.mask) end
  return decoder, rows
end

-- The same, with retries. A retry is always safe, because nothing of a broken graph was given to the caller.
local function ask(client, spec, form, like)
  local spent = { requests = 0, waited = 0 }
  local decoder, rows = retry.run(client, function(limit)
    return attempt(client, spec, form, { limit = limit, page = 1, like = like }, spent)
  end)
  local err = not decoder and rows or nil
  events.done(client, {
    run_mode = form[wire.form.run_mode], kind = err and err.kind, requests = spent.requests, waited = spent.waited,
    rows = decoder and rows.n, pages = decoder and 1, bytes = decoder and select(2, decoder:state()),
  })
  return decoder, rows
end

-- ---- the graph ----

-- One direction's list in one part of the graph; empty when there is none.
local function part_of(graph, part, direction)
  local by_direction = graph[part]
  local list = type(by_direction) == "table" and by_direction[direction]
  if list == nil or list == null or list == false then return {} end
  if type(list) == "table" and (list[1] ~= nil or next(list) == nil) then return list end
  return nil, ("graph.%s.%s is not a list"):format(part, direction)
end

local function text_of(value)
  if type(value) == "string" then return value end
  return type(value) == "number" and wire.show(value) or nil
end

-- The entry of one series: label, dns, other, direction. Other members that the appliance sends stay in the table unchanged.
local function entry_of(slice, direction)
  local entry = type(slice) == "table" and setmetatable(slice, nil) or {}
  for key, value in next, entry do
    if value == null then entry[key] = nil end
  end
  entry.label, entry.dns, entry[wire.graph.dns] = text_of(entry.label), text_of(entry[wire.graph.dns]), nil
  entry.direction, entry.other = direction, entry.label == wire.graph.OTHER
  return entry
end

-- The answer's graph; an empty one when the report has no rows.
local function graph_of(decoder, rows)
  local graph, kind, message, position = decoder:fact "graph"
  if graph == nil and message then return errors.fail(kind, message .. (kind == "limit" and FEWER or ""), { position = position }) end
  if graph == nil or graph == null then
    if rows == 0 then return {} end
    return errors.fail("api", "the answer has rows but no graph: this report type has none", { status = 200 })
  end
  if type(graph) ~= "table" then return errors.fail("decode", "graph is not an object", { position = kind }) end
  return graph
end

local function too_many(client, list)
  local max = most_series(client)
  if #list <= max then return nil end
  return errors.new("limit", ("the graph has more than %d series (max_held); ask for fewer with :limit(n)"):format(max), { status = 200 })
end

-- ---- the rows ----

-- Whether an entry's label is a value of another entry's row: then entries and rows are not in the same order.
local function out_of_order(entries, rows)
  local place = {}
  for i, row in ipairs(rows) do
    for _, value in pairs(row) do
      if type(value) == "string" then place[value] = place[value] == nil and i or false end -- false: several rows have it
    end
  end
  for i, entry in ipairs(entries) do
    local at = entry.label and place[entry.label]
    if at and at ~= i then return true end
  end
  return false
end

-- Gives each series of a direction its row of the table. Rows and series come in the same order, with Other among the series. When their
-- numbers differ, or a label is another row's, nothing tells which belong together: then they have no row.
local function join_rows(list, from, rows)
  if not rows then return end
  local entries = {}
  for i = from, #list do
    if not list[i].other then entries[#entries + 1] = list[i] end
  end
  local fits = #entries == #rows and not out_of_order(entries, rows)
  for i, entry in ipairs(entries) do entry.row = fits and rows[i] or nil end
end

-- Joins the pie's entries and the lists of points by index. When one list is longer, its rest is kept too. Returns what is wrong, or nil and err.
local function pair(client, graph, direction, list, all)
  local pie, complaint = part_of(graph, wire.graph.pie, direction)
  local lines
  if pie then lines, complaint = part_of(graph, wire.graph.series, direction) end
  if not lines then return complaint end
  local err = too_many(client, pie) or too_many(client, lines)
  if err then return nil, err end
  for i = 1, math.max(#pie, #lines) do
    local entry = entry_of(pie[i], direction)
    entry.points, complaint = graph_points.read(lines[i], client._options.integers == "int64")
    if not entry.points then return ("series %d of %s: %s"):format(i, direction, complaint) end
    list[#list + 1], all[#all + 1] = entry, entry.points
  end
end

-- ---- how long a bucket is ----

-- Minutes that the query itself gives: by :granularity, or by :set.
local function asked_minutes(spec)
  local set = spec.fields[wire.field.granularity]
  if set == nil then return type(spec.granularity) == "number" and spec.granularity or nil end
  local chosen = type(set) == "table" and set.selected
  if type(chosen) == "string" then chosen = tonumber(chosen:match "^(%d+)m?$") end
  return type(chosen) == "number" and chosen > 0 and chosen or nil
end

-- The window that the query asks for, when it can be known here.
local function window(spec, now)
  if spec.fields[wire.field.times] ~= nil then return nil end
  return (times.epochs(spec, now))
end

-- Asks report_start for the seconds per bucket. Nil and err also when its answer does not contain them.
local function ask_start(client, spec, epochs)
  local like = times.like(function(_, _, words) return wire.start_form(spec, words) end, spec, nil, epochs)
  local value, err = call.send(client, wire.start_form(spec, epochs), { like = like })
  if value == nil then return nil, err end
  local object = type(value) == "table" and value[wire.start.object]
  local seconds = type(object) == "table" and answer.seconds_used(object[wire.start.view], object[wire.start.granularity])
  if seconds then return seconds end
  return errors.fail("api", "report_start does not tell the bucket length; set it with :granularity(minutes)", { status = 200 })
end

-- Kinds of errors of report_start that do not concern the report: the appliance may not know report_start.
local OPTIONAL = { api = true, decode = true, http = true }

-- The requested length, unless the answer reports another one and the points agree with that.
local function asked_or_reported(asked, told, all)
  if not asked or not told or asked == told then return asked or told end
  local step = graph_points.spacing(all)
  return step ~= asked and (not step or step % told == 0) and told or asked
end

-- The bucket length of the query or the answer, else of report_start, else the distance between points.
local function find_interval(client, spec, decoder, all, epochs)
  local minutes = asked_minutes(spec)
  local seconds = asked_or_reported(minutes and minutes * 60, answer.interval(decoder), all)
  if seconds then return seconds end
  local err
  seconds, err = ask_start(client, spec, epochs)
  if seconds then return seconds end
  if not OPTIONAL[err.kind] then return nil, err end
  seconds = graph_points.spacing(all)
  if seconds then return seconds end
  return errors.fail("decode", "the bucket length is unknown: neither the answer nor report_start tells it, and no series has "
    .. "two points; set it with :granularity(minutes)", { status = 200 })
end

--- Whether a series of the list has points.
---@param list scrutinizer.Series[]
---@return boolean
function series.drawn(list)
  for _, entry in ipairs(list) do
    if #entry.points > 0 then return true end
  end
  return false
end

-- ---- running ----

local function graph_spec(client, given, with_rows)
  local spec, err = named_exporters.look_up(client, given)
  if not spec then return nil, err end
  local copy = {}
  for key, value in pairs(spec) do copy[key] = value end
  copy.graph, copy.page_size, copy.with_rows = wire.graph.ALL, nil, with_rows
  local warning = summary_data.warning(copy)
  if warning then events.warning(client, warning) end
  return copy
end

-- Requests the query's graph. Returns the graph, the decoder, the window and the rows; or nil and err.
local function fetch_graph(client, spec)
  local now = os.time()
  local epochs = window(spec, now)
  local sent = spec.times and spec.times.last and epochs or nil
  local decoder, rows = ask(client, spec, wire.report_form(spec, nil, sent, now), times.like(wire.report_form, spec, nil, sent))
  if not decoder then return nil, rows end
  local graph, err = graph_of(decoder, rows.n)
  if not graph then return nil, err end
  return graph, decoder, epochs, rows
end

-- How many rows the report has in its directions, which are more than the series when there is a limit; nil when the answer does not say.
local function total_of(decoder, directions)
  local sum = 0
  for _, direction in ipairs(directions) do
    local total = answer.total(decoder, direction == "outbound" and 2 or 1)
    if not total then return nil end
    sum = sum + total
  end
  return sum
end

--- The report's graph as a list of series. `total` of the list: how many rows the report has, if the answer says that.
---@param client scrutinizer.Client
---@param given table a query's spec
---@return scrutinizer.Series[]? list
---@return scrutinizer.Error? err
function series.find(client, given)
  local spec, wrong = graph_spec(client, given, true)
  if not spec then return nil, wrong end
  local list, all = {}, {}
  local graph, decoder, epochs, rows = fetch_graph(client, spec)
  if not graph then return nil, decoder end
  list.total = total_of(decoder, spec.directions)
  for _, direction in ipairs(spec.directions) do
    local from = #list + 1
    local complaint, err = pair(client, graph, direction, list, all)
    if err then return nil, err end
    if complaint then return errors.fail("decode", complaint, { status = 200 }) end
    join_rows(list, from, rows[direction == "outbound" and 2 or 1])
  end
  if #list == 0 then return list end
  local interval, err = find_interval(client, spec, decoder, all, epochs)
  if not interval and (series.drawn(list) or not OPTIONAL[err.kind]) then return nil, err end
  if not interval then return list end
  local fits, distance = graph_points.fit(all, interval)
  if not fits then
    return errors.fail("decode", ("points are %d s apart, which does not fit buckets of %d s"):format(distance, interval), { status = 200 })
  end
  local time
  time, err = answer.time(decoder)
  if err then return nil, err end
  local buckets = graph_points.buckets(all, interval, time, epochs)
  for _, entry in ipairs(list) do entry.interval, entry.missing = interval, buckets - #entry.points end
  return list
end

--- Turns bytes into bits per second, in place. A value that this Lua cannot hold exactly is rounded once, like any rate.
---@param list scrutinizer.Series[]
---@return scrutinizer.Series[]
function series.to_rates(list)
  for _, entry in ipairs(list) do
    for _, point in ipairs(entry.points) do point[2] = ascii.number(point[2]) * 8.0 / entry.interval end
  end
  return list
end

--- The entries of the report's pie.
---@param client scrutinizer.Client
---@param given table a query's spec
---@return table[]? list
---@return scrutinizer.Error? err
function series.pie(client, given)
  local spec, wrong = graph_spec(client, given)
  if not spec then return nil, wrong end
  local list = {}
  local graph, err = fetch_graph(client, spec)
  if not graph then return nil, err end
  for _, direction in ipairs(spec.directions) do
    local pie, complaint = part_of(graph, wire.graph.pie, direction)
    if not pie then return errors.fail("decode", complaint, { status = 200 }) end
    err = too_many(client, pie)
    if err then return nil, err end
    for _, slice in ipairs(pie) do list[#list + 1] = entry_of(slice, direction) end
  end
  return list
end

--- Why the points of a query are not bytes; nil when they are.
---@param spec table
---@return string?
function series.complaint(spec)
  local unit, order = spec.fields[wire.field.unit], spec.fields[wire.field.order_by]
  unit = unit ~= nil and type(unit) == "table" and unit.selected or (unit == nil and spec.unit)
  if order == nil then order = spec.order_by end
  if unit == wire.graph.PERCENT or order == wire.graph.PERCENT_COLUMN then
    return ('the report is in percent; remove :percent(), and order by "%s"'):format(wire.graph.BYTES_COLUMN)
  end
  if order ~= nil and not tostring(order):find(wire.graph.BYTES_WORD, 1, true) then
    return ('the points are values of %s, the column that the report is ordered by, and not bytes; use :order_by "%s", or :series()')
      :format(errors.neutral(order, 60), wire.graph.BYTES_COLUMN)
  end
end

---@class scrutinizer.Series
---@field label? string       as the pie names it; nil where the pie has no entry for these points
---@field dns? string         the label with host names
---@field direction "inbound"|"outbound"
---@field other boolean       true: this is "Other", the traffic that has no series of its own
---@field row? table           the table's row of this series, as `rows` gives it (:select holds); nil for Other, when the series and the rows of
---  the answer cannot be matched, and when the rows take more than a quarter of `max_held`
---@field interval integer    seconds per bucket; nil, like `missing`, when there are no points and no answer gives the length
---@field points table[]      { { epoch seconds of the bucket's start, bytes }, … } by time; exact (text when this Lua's numbers cannot hold a value)
---@field missing integer     how many buckets of the window have no point

--- Seconds per bucket that the appliance will use. Asks `report_start`, which does not run the report.
---@param client scrutinizer.Client
---@param given table a query's spec
---@return integer? seconds
---@return scrutinizer.Error? err
function series.interval(client, given)
  local spec, err = named_exporters.look_up(client, given)
  if not spec then return nil, err end
  return ask_start(client, spec, window(spec))
end

return series
