-- One measured run, in a process of its own. Usage: lua task.lua TASK, with the variables of spec/bench/run; prints "seconds rows check".
--
-- In-memory tasks take BENCH_ANSWER's bytes twice and tell the faster pass, in processor seconds. A task called net_... goes over
-- TLS to BENCH_URL, once. `check` is the sum of what the loop has seen: equal for all readers of the same values.

local task = ...
local WANTED = { "sourceipaddress", "commonport", "destinationipaddress", "sum_packetdeltacount", "sum_octetdeltacount" }

local function read_answer()
  local file = assert(io.open(assert(os.getenv "BENCH_ANSWER"), "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

local function client()
  local scrutinizer = require "scrutinizer"
  local url = os.getenv "BENCH_URL"
  return assert(scrutinizer.connect {
    url = url or "https://127.0.0.1/", token = "bench", method = "GET", retry = false,
    tls = url and { ca_file = os.getenv "BENCH_CA" } or nil,
  })
end

local function query(c)
  return (c or client()):report("custom_rows_" .. (os.getenv "BENCH_ROWS" or 1)):last("1h")
end

-- What the user's loop does: uses all five fields.
local function use(next_row, state)
  local count, sum = 0, 0
  for row in next_row, state do
    count = count + 1
    sum = sum + #row.sourceipaddress + #row.commonport + #row.destinationipaddress + row.sum_packetdeltacount + row.sum_octetdeltacount
  end
  return count, sum
end

local function use_all(next_row, state)
  local count, sum = 0, 0
  for row in next_row, state do
    count = count + 1
    sum = sum + row.rank + #row.sourceipaddress + #row.commonport + #row.destinationipaddress + row.sum_packetdeltacount
      + row.sum_octetdeltacount + row.first_flow_epoch + row.last_flow_epoch
  end
  return count, sum
end

-- The cells' places, by element name, as a reader of decoded JSON must find them.
local function places(columns)
  local at = {}
  for i, column in ipairs(columns) do at[column.elementName or "rank"] = i end
  return at
end

-- cjson's whole-text decode, then the five values of each row. No table is made of them: the least that a user can do.
local function cjson_rows()
  local decode, text = require("cjson").decode, read_answer()
  return function()
    local inbound = decode(text).report.table.inbound
    local at, count, sum = places(inbound.columns), 0, 0
    local source, port, destination, packets, octets = at[WANTED[1]], at[WANTED[2]], at[WANTED[3]], at[WANTED[4]], at[WANTED[5]]
    for _, row in ipairs(inbound.rows) do
      count = count + 1
      sum = sum + #row[source].rawValue + #row[port].rawValue + #row[destination].rawValue
        + tonumber(row[packets].rawValue) + tonumber(row[octets].rawValue)
    end
    return count, sum
  end
end

local function cjson_full()
  local decode, text = require("cjson").decode, read_answer()
  return function()
    local inbound = decode(text).report.table.inbound
    local at, count, sum = places(inbound.columns), 0, 0
    local rank, first, last = at.rank, at.first_flow_epoch, at.last_flow_epoch
    local source, port, destination, packets, octets = at[WANTED[1]], at[WANTED[2]], at[WANTED[3]], at[WANTED[4]], at[WANTED[5]]
    for _, row in ipairs(inbound.rows) do
      count = count + 1
      sum = sum + tonumber(row[rank].label) + #row[source].rawValue + #row[port].rawValue + #row[destination].rawValue
        + tonumber(row[packets].rawValue) + tonumber(row[octets].rawValue) + tonumber(row[first].rawValue) + tonumber(row[last].rawValue)
    end
    return count, sum
  end
end

local function sorted(groups)
  local list = {}
  for _, group in pairs(groups) do list[#list + 1] = group end
  table.sort(list, function(a, b)
    if a.sum_octets ~= b.sum_octets then return a.sum_octets > b.sum_octets end
    return a.src < b.src
  end)
  return list
end

local function check_groups(list)
  local packets = 0
  for _, group in ipairs(list) do packets = packets + group.sum_packets + group.count end
  return #list, packets
end

local function cjson_aggregate()
  local decode, text = require("cjson").decode, read_answer()
  return function()
    local inbound = decode(text).report.table.inbound
    local at, groups = places(inbound.columns), {}
    local source, packets, octets = at[WANTED[1]], at[WANTED[4]], at[WANTED[5]]
    for _, row in ipairs(inbound.rows) do
      local src = row[source].rawValue
      local group = groups[src]
      if not group then
        group = { src = src, sum_octets = 0, sum_packets = 0, count = 0 }
        groups[src] = group
      end
      group.sum_octets = group.sum_octets + tonumber(row[octets].rawValue)
      group.sum_packets = group.sum_packets + tonumber(row[packets].rawValue)
      group.count = group.count + 1
    end
    return check_groups(sorted(groups))
  end
end

local function aggregate_of(asked, top)
  local groups, err = asked:select { src = WANTED[1], packets = WANTED[4], octets = WANTED[5] }
    :aggregate { by = { "src" }, sum = { "octets", "packets" }, count = true, top = top }
  if err then error(err) end
  return check_groups(groups)
end

local function selected()
  return query():select((table.unpack or unpack)(WANTED)) -- luacheck: ignore
end

local tasks = {}

function tasks.limit()
  local next_row = require("limit").rows(os.getenv "BENCH_ANSWER", {
    { 1, WANTED[1], false }, { 2, WANTED[2], false }, { 3, WANTED[3], false }, { 5, WANTED[4], true }, { 6, WANTED[5], true },
  })
  return function() return use(next_row) end
end

function tasks.rows()
  local asked = selected()
  return function() return use(asked:rows()) end
end

function tasks.reuse()
  local asked = selected()
  return function() return use(asked:rows { reuse = true }) end
end

-- Filtered in the core: every row is kept; one in a hundred is, by its packets, which count the rows.
function tasks.keep_all()
  local asked = selected():keep { [WANTED[1]] = "10.0.0.0/8", [WANTED[4]] = { min = 1 } }
  return function() return use(asked:rows()) end
end

function tasks.keep_few()
  local packets = {}
  for i = 1, 1000 do packets[i] = i * 100 end
  local asked = selected():keep { [WANTED[4]] = packets }
  return function() return use(asked:rows()) end
end

function tasks.full()
  local asked = query()
  return function() return use_all(asked:rows()) end
end

-- The same five fields to text, which a function takes.
local function exported(format)
  local export, asked = require "scrutinizer.export", selected()
  return function()
    local size = 0
    local count = assert(export[format](asked, function(text) size = size + #text end, { columns = WANTED }))
    return count, size
  end
end

function tasks.csv() return exported "csv" end
function tasks.ndjson() return exported "ndjson" end

function tasks.aggregate()
  local asked = query()
  return function() return aggregate_of(asked) end
end

function tasks.aggregate_top()
  local asked = query()
  return function() return aggregate_of(asked, 10) end
end

-- One pass, as over the network. The answer's bytes must be in memory before: a first request brings them there, for one row.
local function once(asked, run)
  local cursor = asked:limit(1):rows()
  assert(cursor:next())
  cursor:close()
  return run
end

function tasks.rows_once()
  local asked = selected()
  return once(asked, function() return use(asked:rows()) end)
end

function tasks.aggregate_once()
  local asked = query()
  return once(asked, function() return aggregate_of(asked) end)
end

-- Small answers are taken again and again for a fifth of a second.
function tasks.growth()
  local asked = selected()
  return function()
    local before, best = os.clock(), nil
    local count
    repeat
      local from = os.clock()
      count = use(asked:rows())
      local seconds = os.clock() - from
      if not best or seconds < best then best = seconds end
    until os.clock() - before > 0.2
    return count, 0, best
  end
end

tasks.cjson_rows, tasks.cjson_full, tasks.cjson_aggregate = cjson_rows, cjson_full, cjson_aggregate

-- decode against cjson's on one text: repeats that take about a fifth of a second each.
local function decoder_of(decode)
  local text = read_answer()
  return function()
    local count, before = 0, os.clock()
    repeat
      assert(decode(text))
      count = count + 1
    until os.clock() - before > 0.2
    return count, #text, (os.clock() - before) / count
  end
end

function tasks.decode() return decoder_of(require("scrutinizer").decode) end
function tasks.cjson_decode() return decoder_of(require("cjson").decode) end

local function status(name)
  for line in io.lines "/proc/self/status" do
    local kib = line:match("^" .. name .. ":%s+(%d+)")
    if kib then return tonumber(kib) end
  end
end

-- The peak of resident memory over what the process had after require and connect.
function tasks.net_memory()
  local c = client()
  local idle = status "VmRSS"
  local count = use(query(c):select((table.unpack or unpack)(WANTED)):rows()) -- luacheck: ignore
  return (status "VmHWM" - idle) / 1024, count
end

-- From the answer's first byte to the first row.
function tasks.net_first()
  local core = require "scrutinizer.core"
  local c = client()
  local rows = query(c):select((table.unpack or unpack)(WANTED)):rows() -- luacheck: ignore
  local before = core.now()
  assert(rows:next())
  local seconds = core.now() - before - rows._exchange.transfer:info().first_byte
  rows:close()
  return seconds, 1
end

function tasks.net_rows()
  local now, asked = require("scrutinizer.core").now, selected()
  local before = now()
  local count = use(asked:rows())
  return now() - before, count
end

function tasks.net_aggregate()
  local now, asked = require("scrutinizer.core").now, query()
  local before = now()
  local count = aggregate_of(asked)
  return now() - before, count
end

-- Processor time, for what wall time cannot tell.
function tasks.net_rows_cpu()
  local asked = selected()
  local before = os.clock()
  local count = use(asked:rows())
  return os.clock() - before, count
end

for name, begin in pairs(dofile "spec/bench/billing.lua") do tasks[name] = begin end

local begin = assert(tasks[task], "no task of this name")
if task:find "^net_" then
  local seconds, count = begin()
  print(("%.6f %d 0"):format(seconds, count))
  return
end
local run, best, count, check = begin(), nil, nil, nil
for _ = 1, task:find "_once$" and 1 or 2 do
  collectgarbage()
  local before = os.clock()
  local counted, seen, told = run()
  local seconds = told or os.clock() - before
  count, check = counted, seen
  if not best or seconds < best then best = seconds end
end
print(("%.9f %d %.0f"):format(best, count, check))
