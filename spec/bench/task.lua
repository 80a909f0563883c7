-- One measured run, in a process of its own. Usage: lua task.lua TASK, with the variables of spec/bench/run; prints "seconds rows check".
--
-- In-memory tasks take the bytes of BENCH_ANSWER (one file or several, blanks between them) twice and tell the faster pass, in processor
-- seconds; a task called ..._once takes them once. A task called net_... goes over TLS to BENCH_URL, once. `check` is the sum of what the
-- loop has seen: equal for all readers of the same values.

local fields = dofile "spec/bench/fields.lua"

local task = ...
local WANTED = { "sourceipaddress", "commonport", "destinationipaddress", "sum_packetdeltacount", "sum_octetdeltacount" }
local use = fields.loop { { name = WANTED[1] }, { name = WANTED[2] }, { name = WANTED[3] }, { name = WANTED[4], number = true },
  { name = WANTED[5], number = true } }

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

-- A client over TLS, or one that is answered with that file from memory.
local function client(path)
  local url = os.getenv "BENCH_URL"
  return assert(require("scrutinizer").connect {
    url = url or "https://127.0.0.1/", token = "bench", method = "GET", retry = false, headers = { ["X-Answer"] = path },
    tls = url and { ca_file = os.getenv "BENCH_CA" } or nil,
  })
end

local function query(c) return c:report("custom_rows_1"):last("1h") end

-- The query of a file whose bytes are in memory: a first request for one row has brought them there.
local function query_of(path)
  local asked = query(client(path))
  local cursor = asked:limit(1):rows()
  assert(cursor:next())
  cursor:close()
  return asked
end

local function select(asked, list)
  return asked:select((table.unpack or unpack)(list)) -- luacheck: ignore
end

-- Joins the runs of all files into one: their rows and checks are added. make(path) -> function() -> rows, check, seconds (if it told them).
local function of_files(make)
  return function()
    local runs = {}
    for path in os.getenv("BENCH_ANSWER"):gmatch "%S+" do runs[#runs + 1] = make(path) end
    return function()
      local count, check, told = 0, 0, nil
      for _, run in ipairs(runs) do
        local rows, seen, seconds = run()
        count, check, told = count + rows, check + seen, seconds
      end
      return count, check, told
    end
  end
end

local tasks = {}

-- ---- other readers ----

tasks.limit = of_files(function(path)
  local list = fields.of(path)
  local next_row, loop = require("limit").rows(path, list), fields.loop(list)
  return function() return loop(next_row) end
end)

-- Readers of whole texts: the function that decodes, and what a null becomes.
local readers = {
  cjson = function() return require("cjson").decode, require("cjson").null end,
  rapidjson = function() return require("rapidjson").decode, require("rapidjson").null end,
  dkjson = function() return require("dkjson").use_lpeg().decode end,
  luajson = function() return require("json").decode, require("json.util").null end,
}

for name, load_reader in pairs(readers) do
  tasks[name .. "_rows"] = of_files(function(path)
    local decode, null = load_reader()
    local text, loop = read(path), fields.decoded_loop(fields.of(path))
    return function() return loop(decode(text).report.table.inbound.rows, null) end
  end)
end

tasks.cjson_full = of_files(function(path)
  local decode, null = readers.cjson()
  local text = read(path)
  local loop = fields.decoded_loop(fields.full(decode(text).report.table.inbound.columns))
  return function() return loop(decode(text).report.table.inbound.rows, null) end
end)

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

-- The cells' places, by element name, as a reader of decoded JSON must find them.
local function places(columns)
  local at = {}
  for i, column in ipairs(columns) do at[column.elementName or "rank"] = i end
  return at
end

tasks.cjson_aggregate = of_files(function(path)
  local decode, text = require("cjson").decode, read(path)
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
end)

-- ---- the product, answered from memory ----

local function rows_of(options)
  return of_files(function(path)
    local list = fields.of(path)
    local asked, loop = select(query_of(path), fields.names(list)), fields.loop(list)
    return function() return loop(asked:rows(options)) end
  end)
end

tasks.rows, tasks.reuse = rows_of(nil), rows_of { reuse = true }
tasks.rows_once = tasks.rows

-- Filtered in the core: every row is kept; one in a hundred is, by its packets, which count the rows.
tasks.keep_all = of_files(function(path)
  local asked = select(query_of(path), WANTED):keep { [WANTED[1]] = "10.0.0.0/8", [WANTED[4]] = { min = 1 } }
  return function() return use(asked:rows()) end
end)

tasks.keep_few = of_files(function(path)
  local packets = {}
  for i = 1, 1000 do packets[i] = i * 100 end
  local asked = select(query_of(path), WANTED):keep { [WANTED[4]] = packets }
  return function() return use(asked:rows()) end
end)

tasks.full = of_files(function(path)
  local asked = query_of(path)
  local loop = fields.loop(fields.full(require("cjson").decode(read(path)).report.table.inbound.columns))
  return function() return loop(asked:rows()) end
end)

-- The same fields to text, which a function takes.
local function exported(format)
  return of_files(function(path)
    local export, names = require "scrutinizer.export", fields.names(fields.of(path))
    local asked = select(query_of(path), names)
    return function()
      local size = 0
      local count = assert(export[format](asked, function(text) size = size + #text end, { columns = names }))
      return count, size
    end
  end)
end

tasks.csv, tasks.ndjson = exported "csv", exported "ndjson"

local function aggregate_of(asked, top)
  local groups, err = asked:select { src = WANTED[1], packets = WANTED[4], octets = WANTED[5] }
    :aggregate { by = { "src" }, sum = { "octets", "packets" }, count = true, top = top }
  if err then error(err) end
  return check_groups(groups)
end

local function aggregated(top)
  return of_files(function(path)
    local asked = query_of(path)
    return function() return aggregate_of(asked, top) end
  end)
end

tasks.aggregate, tasks.aggregate_top = aggregated(nil), aggregated(10)
tasks.aggregate_once = tasks.aggregate

-- Small answers are taken again and again for a fifth of a second.
tasks.growth = of_files(function(path)
  local asked = select(query_of(path), WANTED)
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
end)

-- decode against cjson's on one text: repeats that take about a fifth of a second each.
local function decoder_of(decode)
  local text = read(os.getenv "BENCH_ANSWER")
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

-- ---- the product, over TLS ----

local function selected(c) return select(query(c or client()), WANTED) end

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
  local count = use(selected(c):rows())
  return (status "VmHWM" - idle) / 1024, count
end

-- From the answer's first byte to the first row.
function tasks.net_first()
  local core = require "scrutinizer.core"
  local c = client()
  local rows = selected(c):rows()
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
  local now, asked = require("scrutinizer.core").now, query(client())
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
