-- Runs the tasks of task.lua interleaved, takes medians, compares them with the goals. Started by spec/bench/run, which says where all is.

local cjson = require "cjson"

local WORK, OUT, SERVER, CA = os.getenv "BENCH_WORK", os.getenv "BENCH_OUT", os.getenv "BENCH_SERVER", os.getenv "BENCH_CA"
local ROUNDS = tonumber(os.getenv "ROUNDS" or 5)
local WITH = os.getenv "WITH" or "" -- stands before each command that is measured

local function shell(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  pipe:close()
  return text
end

local function median(values)
  local list = table.move(values, 1, #values, 1, {})
  table.sort(list)
  local middle = #list // 2
  return #list % 2 == 1 and list[middle + 1] or (list[middle] + list[middle + 1]) / 2
end

-- ---- one run ----

-- How to start a task: what a reader can type, with paths relative to the inputs' folder.
local function command_of(run)
  if run.command then return run.command end
  if run.task:find "^simdjson" then return ("%s/simdjson %s/%s%s"):format(OUT, WORK, run.file, run.task:find "_once" and " once" or "") end
  local lua = run.lua or "lua5.4"
  local product = run.task:find "^net_"
  local folder = product and OUT:gsub("bench$", lua) or OUT .. "/" .. lua
  local where = product and ("BENCH_URL=%s/%s BENCH_CA=%s"):format(SERVER, run.file, CA) or ("BENCH_ANSWER=%s/%s"):format(WORK, run.file)
  return ("LUA_PATH='%s' LUA_CPATH='%s/?.so;;' %s %s spec/bench/task.lua %s"):format(
    os.getenv "BENCH_LUA_PATH", folder, where, lua, run.task)
end

local function short(run)
  local text = run.said or command_of(run)
  text = text:gsub("LUA_PATH='[^']*' ", ""):gsub("LUA_CPATH='[^']*' ", "")
  for _, path in ipairs { WORK, OUT } do text = text:gsub(path:gsub("%p", "%%%0"), path == WORK and "$inputs" or "build/bench") end
  return (text:gsub("https://127%.0%.0%.1:%d+", "$server"))
end

local function start(run)
  local out = shell((WITH ~= "" and WITH .. " env " or "") .. command_of(run))
  local seconds, count, check = out:match "^(%S+)%s*(%S*)%s*(%S*)"
  run.count, run.check = tonumber(count), check
  return assert(tonumber(seconds), "no figure from: " .. command_of(run))
end

-- Runs all of a group in turn, ROUNDS times; each gets its `rounds` and their `median`.
local function measure(group)
  io.stderr:write("bench: ", group.name, "\n")
  for _, run in ipairs(group) do run.rounds = {} end
  for round = 1, ROUNDS do
    for _, run in ipairs(group) do run.rounds[round] = start(run) end
  end
  for _, run in ipairs(group) do run.median = median(run.rounds) end
end

-- The ratio of two runs in each round, then the median: what disturbs a round disturbs both.
local function over(slow, fast)
  local ratios = {}
  for i = 1, ROUNDS do ratios[i] = slow.rounds[i] / fast.rounds[i] end
  return median(ratios)
end

-- ---- what is compared ----

local rows = {}

local function add(what, goal, ratio, good, raw, runs)
  local commands = {}
  for i, run in ipairs(runs) do commands[i] = short(run) end
  rows[#rows + 1] = { what = what, goal = goal, measured = ratio, met = good, raw = raw, commands = commands }
end

-- "At least" goals: how many times faster `ours` is than `other`.
local function faster(what, goal, ours, other)
  local ratio = over(other, ours)
  local function rate(run) return (("%.0f"):format(tonumber(run.file:match "%d+") / run.median)) end
  add(what, ("≥ %g×"):format(goal), ("%.2f×"):format(ratio), ratio >= goal, ("%s against %s rows/s"):format(rate(ours), rate(other)),
    { ours, other })
end

local function in_memory()
  local file, again = "rows_100000.json", "recurring_100000.json"
  local r = {
    limit = { task = "limit", file = file }, rows = { task = "rows", file = file }, reuse = { task = "reuse", file = file },
    full = { task = "full", file = file }, keep_all = { task = "keep_all", file = file }, keep_few = { task = "keep_few", file = file },
    csv = { task = "csv", file = file }, ndjson = { task = "ndjson", file = file },
    simdjson = { task = "simdjson", file = file }, aggregate = { task = "aggregate", file = file },
    recurring = { task = "aggregate", file = again }, simdjson_recurring = { task = "simdjson", file = again },
    rows_once = { task = "rows_once", file = file }, simdjson_once = { task = "simdjson_once", file = file },
    recurring_once = { task = "aggregate_once", file = again }, simdjson_recurring_once = { task = "simdjson_once", file = again },
    top = { task = "aggregate_top", file = file },
    rows53 = { task = "rows", file = file, lua = "lua5.3" }, rowsjit = { task = "rows", file = file, lua = "luajit" },
    cjson_rows = { task = "cjson_rows", file = file }, cjson_full = { task = "cjson_full", file = file },
    cjson_aggregate = { task = "cjson_aggregate", file = file }, cjson_recurring = { task = "cjson_aggregate", file = again },
    cjson53 = { task = "cjson_rows", file = file, lua = "lua5.3" }, cjsonjit = { task = "cjson_rows", file = file, lua = "luajit" },
  }
  measure { name = "in memory: rows", r.limit, r.rows, r.cjson_rows, r.simdjson, r.reuse, r.csv, r.ndjson, r.keep_all, r.keep_few,
    r.full, r.cjson_full, r.rows53, r.cjson53, r.rowsjit, r.cjsonjit }
  measure { name = "in memory: aggregate", r.recurring, r.simdjson_recurring, r.cjson_recurring, r.aggregate, r.top, r.cjson_aggregate }
  measure { name = "in memory: read once", r.rows_once, r.simdjson_once, r.recurring_once, r.simdjson_recurring_once }
  return r
end

local function rows_goals(r)
  faster("projected rows over the limit loop, Lua 5.4", 0.85, r.rows, r.limit)
  faster("projected rows over lua-cjson, Lua 5.4", 14, r.rows, r.cjson_rows)
  faster("projected rows over lua-cjson, Lua 5.3", 10, r.rows53, r.cjson53)
  faster("projected rows over lua-cjson, LuaJIT", 10, r.rowsjit, r.cjsonjit)
  faster("projected rows over simdjson On-Demand, an answer read once", 0.8, r.rows_once, r.simdjson_once)
  faster("  the same bytes read again, in memory touched before", 0.8, r.rows, r.simdjson)
  faster("aggregate over lua-cjson, 512 groups", 50, r.recurring, r.cjson_recurring)
  faster("aggregate over simdjson On-Demand, 512 groups, read once", 2, r.recurring_once, r.simdjson_recurring_once)
  faster("  the same bytes read again", 2, r.recurring, r.simdjson_recurring)
  faster("aggregate over lua-cjson, each of 100,000 rows a group, the first 10", 50, r.top, r.cjson_aggregate)
  faster("  all 100,000 groups as Lua tables", 50, r.aggregate, r.cjson_aggregate)
  faster("rows { reuse = true } over fresh rows", 1.1, r.reuse, r.rows)
  faster("rows that keep keeps all over rows without it", 0.9, r.keep_all, r.rows)
  faster("one row in a hundred kept, over rows without keep", 2, r.keep_few, r.rows)
  faster("full rows over lua-cjson", 10, r.full, r.cjson_full)
  faster("rows to CSV over the row loop", 0.5, r.csv, r.rows)
  faster("rows to NDJSON over the row loop", 0.5, r.ndjson, r.rows)
end

local function decode_goals()
  for _, name in ipairs { "report", "numbers", "deep", "strings", "escapes", "config" } do
    local ours = { task = "decode", file = name .. ".json" }
    local other = { task = "cjson_decode", file = name .. ".json" }
    measure { name = "decode: " .. name, ours, other }
    local ratio = over(other, ours)
    local function rate(run) return tonumber(run.check) / run.median / 1e6 end
    add("decode over lua-cjson: " .. name, "≥ 1.5×", ("%.2f×"):format(ratio), ratio >= 1.5,
      ("%.0f against %.0f MB/s"):format(rate(ours), rate(other)), { ours, other })
  end
end

-- 1,000 customers' percentiles of a month, their samples being in memory.
local function billing_goals()
  local group = { name = "billing" }
  for i, lua in ipairs { "lua5.4", "lua5.3", "luajit" } do
    group[i] = { task = "billing_percentile", file = "report.json", lua = lua }
    group[i + 3] = { task = "billing_stream", file = "report.json", lua = lua }
  end
  group[7] = { task = "billing_sort", file = "report.json" }
  measure(group)
  for i, lua in ipairs { "Lua 5.4", "Lua 5.3", "LuaJIT" } do
    local run, stream = group[i], group[i + 3]
    add("percentiles of 1,000 customers × 8,928 samples, " .. lua, "< 1 s", ("%.2f s"):format(run.median), run.median < 1,
      ("sample by sample %.2f s"):format(stream.median), { run, stream })
  end
  add("  the same over sorting, Lua 5.4", "≥ 4×", ("%.1f×"):format(over(group[7], group[1])), over(group[7], group[1]) >= 4,
    ("%.2f s"):format(group[7].median), { group[7] })
end

local function memory_goals()
  local small, large = { task = "net_memory", file = "rows_1000.json" }, { task = "net_memory", file = "rows_1000000.json" }
  local first = { task = "net_first", file = "rows_1000000.json" }
  measure { name = "memory and the first row", small, large, first }
  for _, run in ipairs { small, large } do
    add(("peak memory over idle, %s rows"):format(run == small and "1,000 (1.3 MB)" or "1,000,000 (1.3 GB)"), "≤ 4 MB",
      ("%.2f MB"):format(run.median), run.median <= 4, "", { run })
  end
  add("first byte to first row of 1.3 GB", "< 2 ms", ("%.2f ms"):format(first.median * 1000), first.median < 0.002, "", { first })
end

local function growth_goals()
  local group, worst, raw = { name = "growth" }, 0, {}
  for i, n in ipairs { 1000, 10000, 100000, 1000000 } do group[i] = { task = "growth", file = ("rows_%d.json"):format(n), rows = n } end
  measure(group)
  for i, run in ipairs(group) do
    raw[i] = ("%.3f"):format(run.median / run.rows * 1e6)
    if i > 1 then worst = math.max(worst, over(run, group[1]) * group[1].rows / run.rows) end
  end
  add("time per row, 10,000 to 1,000,000 rows over 1,000", "≤ 1.1×", ("%.2f×"):format(worst), worst <= 1.1,
    table.concat(raw, ", ") .. " µs", group)
end

local function curl_of(file, words, wall)
  local command = ("curl -sS --cacert %s%s -o /dev/null %s/%s"):format(CA, words, SERVER, file)
  if wall then return { command = command .. " -w '%{time_total}'", said = command } end
  local timed = ([[bash -c 'TIMEFORMAT="%%U %%S"; time %s' 2>&1 | awk '{ print $1 + $2 }']]):format(command)
  return { command = timed, said = command }
end

local function network_goals()
  local file, packed = "recurring_400000.json", "rows_100000.json.gz"
  local curl, sums, fresh = curl_of(file, "", true), { task = "net_aggregate", file = file }, { task = "net_rows", file = file }
  measure { name = "over TLS", curl, sums, fresh }
  local function slower(what, goal, run)
    local ratio = over(run, curl)
    add(what, ("≤ %g×"):format(goal), ("%.2f×"):format(ratio), ratio <= goal,
      ("%.3f against %.3f s"):format(run.median, curl.median), { run, curl })
  end
  slower("TLS, 512 MB, wall time: aggregate over curl", 1.3, sums)
  slower("TLS, 512 MB, wall time: fresh rows over curl", 2, fresh)
  local inflated, ours = curl_of(packed, " --compressed", false), { task = "net_rows_cpu", file = packed }
  local plain = { task = "rows_once", file = "rows_100000.json" }
  measure { name = "over TLS, gzip", inflated, ours, plain }
  local ratios = {}
  for i = 1, ROUNDS do ratios[i] = ours.rounds[i] / (inflated.rounds[i] + plain.rounds[i]) end
  local ratio = median(ratios)
  add("gzip, 128 MB, processor time: fresh rows over curl --compressed and the plain rows", "≤ 1.1×", ("%.2f×"):format(ratio), ratio <= 1.1,
    ("%.3f against %.3f + %.3f s"):format(ours.median, inflated.median, plain.median), { ours, inflated, plain })
end

-- ---- what comes out ----

local function versions()
  local function first(command) return (shell(command):match "[^\n]*") end
  local packages = {}
  local asked = "lua5.4 lua5.3 luajit2 lua-cjson libsimdjson14 libcurl4 nginx gcc"
  for name, version in shell("dpkg-query -W -f '${Package} ${Version}\\n' " .. asked .. " 2>/dev/null"):gmatch "(%S+) (%S+)\n" do
    packages[#packages + 1] = name .. " " .. version
  end
  return {
    machine = ("%s, %s cores"):format(first "sed -n 's/^model name[^:]*: //p' /proc/cpuinfo", first "nproc"),
    system = first "uname -sr", versions = table.concat(packages, ", "), rounds = ROUNDS,
    with = WITH, load = first "cut -d' ' -f1-3 /proc/loadavg", revision = first "git describe --always --dirty 2>/dev/null",
  }
end

local function width(text) return utf8.len(text) end
local function pad(text, n) return text .. (" "):rep(n - width(text)) end

local function print_table(about)
  local lines, widths = { { "what", "goal", "measured", "", "figures" } }, {}
  for _, row in ipairs(rows) do lines[#lines + 1] = { row.what, row.goal, row.measured, row.met and "holds" or "MISSED", row.raw or "" } end
  for _, line in ipairs(lines) do
    for i, cell in ipairs(line) do widths[i] = math.max(widths[i] or 0, width(cell)) end
  end
  for _, line in ipairs(lines) do
    for i, cell in ipairs(line) do line[i] = pad(cell, widths[i]) end
    print((table.concat(line, "  "):gsub("%s+$", "")))
  end
  print(("\n%s; %s; revision %s; load %s\n%s"):format(about.machine, about.system, about.revision, about.load, about.versions))
  print(("Medians of %d interleaved rounds. In memory: the product with memory.c in libcurl's place, lending 128 KiB at a time; every reader "
    .. "takes\nthe same bytes twice and tells the faster pass, in processor seconds; read once: the first pass of a new process, whose memory "
    .. "is\nfirst touched then.\n"):format(ROUNDS))
  if WITH ~= "" then print("Each command ran with: " .. WITH) end
  print "Commands (LUA_PATH and LUA_CPATH as spec/bench/run says them):"
  local seen = {}
  for _, row in ipairs(rows) do
    for _, command in ipairs(row.commands) do
      if not seen[command] then print("  " .. command) end
      seen[command] = true
    end
  end
end

local r = in_memory()
rows_goals(r)
decode_goals()
billing_goals()
memory_goals()
growth_goals()
network_goals()
local about = versions()
print_table(about)
about.figures = rows
local file = assert(io.open(OUT .. ".json", "w"))
file:write(cjson.encode(about), "\n")
file:close()
