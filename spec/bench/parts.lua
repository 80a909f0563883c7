-- What `make bench` compares, part by part, and the goals. measure.lua runs these.
local measure = require "measure"

local ROWS = 40000 -- of each answer that answers.py and answers.pl write
local parts = {}

-- A run over files of the inputs' folder.
local function run(task, files, more)
  local made = { task = task, files = type(files) == "table" and files or { files } }
  for key, value in pairs(more or {}) do made[key] = value end
  return made
end

-- The names of files that a pattern of the shell gives.
local function names(pattern)
  local list = {}
  for name in measure.shell(("cd %s && ls %s 2>/dev/null"):format(os.getenv "BENCH_WORK", pattern)):gmatch "%S+" do list[#list + 1] = name end
  return list
end

local function at_least(slow, fast, goal) return { ratio = measure.over(slow, fast), goal = goal } end
local function at_most(slow, fast, goal) return { ratio = measure.over(slow, fast), goal = goal, most = true } end

-- ---- the kinds of answers ----

-- Goals: over lua-cjson, simdjson (read again; read once has none unless said), the limit loop.
local KINDS = {
  { name = "one_make", says = "one make, values vary; an escape in every fourth name", goals = { 15, 0.8, 0.5 } },
  { name = "perl_sorted", says = "Perl (JSON::XS), sorted keys", goals = { 15, 0.8, 0.5 } },
  { name = "perl", says = "Perl, each cell's keys in its own order", goals = { 12, 0.7, 0.4 } },
  { name = "perl_rows_first", says = "the same, rows before columns", goals = { 12, 0.7, 0.4 } },
  { name = "shuffled", says = "each cell's members shuffled freely", goals = { 12, 0.7, 0.4 } },
  { name = "perl_pretty", says = "Perl, pretty-printed", goals = { 10, 0.6, 0.35 } },
  { name = "flows", says = "recorded flows, %d report types", files = "flow_*.json", goals = { 12, 0.7, 0.4 } },
  { name = "made_up", says = "made-up rows (custom_rows), all alike", goals = { 14, 0.8, 0.85, once = 0.8 } },
}

local function measure_kind(kind)
  local files = kind.files and names(kind.files) or { kind.name .. ".json" }
  local ours, once, limit = run("rows", files), run("rows_once", files), run("limit", files)
  local peer, again, first = run("cjson_rows", files), run("simdjson_again", files), run("simdjson_once", files)
  measure.group { name = "rows: " .. kind.name, ours, peer, again, once, first, limit }
  measure.agree { ours, once, limit, peer, again, first }
  local goals = kind.goals
  measure.line(kind.says:format(#files), { measure.rate(ours), at_least(peer, ours, goals[1]), at_least(again, ours, goals[2]),
    at_least(first, once, goals.once), at_least(limit, ours, goals[3]), ("%s, %s, %s"):format(measure.rate(peer), measure.rate(again),
    measure.rate(limit)) }, { ours, once, limit, peer, again, first })
end

-- KINDS="perl flows" chooses some.
function parts.kinds()
  measure.table("answers, Lua 5.4", "rows/s", "× lua-cjson", "× simdjson, read again", "× simdjson, read once", "× limit loop",
    "rows/s of these: cjson, simdjson again, limit")
  local chosen = os.getenv "KINDS" or ""
  for _, kind in ipairs(KINDS) do
    if not chosen:find "%S" or (" " .. chosen .. " "):find(" " .. kind.name .. " ", 1, true) then measure_kind(kind) end
  end
end

-- ---- one make and Perl's orders, in other ways ----

local TWO = { one_make = "one make", perl = "Perl's orders" }

-- Measures each of both kinds: each(name, what it is called, its goal).
local function both(goals, each)
  for i, name in ipairs { "one_make", "perl" } do each(name, TWO[name], goals[i]) end
end

local function begin(what) measure.heading(what, "what", "× or value (goal)", "figures") end

local function against(ours, other) return ("%s against %s rows/s"):format(measure.rate(ours), measure.rate(other)) end

function parts.aggregate()
  begin "aggregate, 512 groups, Lua 5.4"
  both({ { 40, 1.5 }, { 25, 1 } }, function(name, says, goals)
    local more, file, sums = { rows = ROWS }, name .. "_512.json", name .. "_512_sums.json"
    local ours, peer, again = run("aggregate", file, more), run("cjson_aggregate", file, more), run("simdjson_again", sums)
    local once, first = run("aggregate_once", file, more), run("simdjson_once", sums)
    measure.group { name = "aggregate: " .. name, ours, peer, again, once, first }
    measure.agree { ours, peer, once }
    measure.line("over lua-cjson: " .. says, { at_least(peer, ours, goals[1]), against(ours, peer) }, { ours, peer })
    measure.line("over simdjson, the same three values, read again: " .. says, { at_least(again, ours, goals[2]), against(ours, again) },
      { ours, again })
    measure.line("… read once: " .. says, { at_least(first, once), against(once, first) }, { once, first })
  end)
end

function parts.full()
  begin "full rows, Lua 5.4"
  both({ 9, 7 }, function(name, says, goal)
    local ours, peer = run("full", name .. ".json"), run("cjson_full", name .. ".json")
    measure.group { name = "full rows: " .. name, ours, peer }
    measure.agree { ours, peer }
    measure.line("over lua-cjson: " .. says, { at_least(peer, ours, goal), against(ours, peer) }, { ours, peer })
  end)
end

function parts.luas()
  begin "rows on other Luas"
  for _, lua in ipairs { "luajit", "lua5.3" } do
    both({ 10, 7 }, function(name, says, goal)
      local ours, peer = run("rows", name .. ".json", { lua = lua }), run("cjson_rows", name .. ".json", { lua = lua })
      measure.group { name = lua .. ": " .. name, ours, peer }
      measure.agree { ours, peer }
      measure.line(("%s, over lua-cjson: %s"):format(lua == "luajit" and "LuaJIT" or "Lua 5.3", says),
        { at_least(peer, ours, goal), against(ours, peer) }, { ours, peer })
    end)
  end
end

function parts.chunks()
  begin "answers in small pieces"
  both({ 5, 5 }, function(name, says, goal)
    local whole, cut = run("rows", name .. ".json", { chunk = 1 << 40 }), run("rows", name .. ".json", { chunk = 64 })
    measure.group { name = "chunks: " .. name, whole, cut }
    measure.agree { whole, cut }
    measure.line("pieces of 64 bytes over the whole text, time a byte: " .. says, { at_most(cut, whole, goal), against(cut, whole) }, { whole, cut })
  end)
end

-- The same core with all that it asks of the processor answered by no: SSE2 on x86.
function parts.scanners()
  begin "without AVX"
  both({ 0.7, 0.7 }, function(name, says, goal)
    local best, plain = run("rows", name .. ".json"), run("rows", name .. ".json", { core = "plain" })
    measure.group { name = "without AVX: " .. name, best, plain }
    measure.agree { best, plain }
    measure.line("rows with SSE2 only over rows with AVX: " .. says, { at_least(best, plain, goal), against(plain, best) }, { plain, best })
  end)
end

function parts.export()
  begin "rows to text"
  both({ 0.6, 0.6 }, function(name, says, goal)
    local rows, csv, ndjson = run("rows", name .. ".json"), run("csv", name .. ".json"), run("ndjson", name .. ".json")
    measure.group { name = "export: " .. name, rows, csv, ndjson }
    measure.line("CSV over the row loop: " .. says, { at_least(rows, csv, goal), against(csv, rows) }, { csv, rows })
    measure.line("NDJSON over the row loop: " .. says, { at_least(rows, ndjson, goal), against(ndjson, rows) }, { ndjson, rows })
  end)
end

-- Other readers for Lua. rapidjson is not in Debian: it is measured where it can be loaded. Debian's lua-json is not for Lua 5.4.
local PEERS = { { "lua-cjson", "cjson_rows" }, { "lua-rapidjson", "rapidjson_rows" }, { "dkjson with lpeg", "dkjson_rows" },
  { "lua-json", "luajson_rows", "lua5.3" } }

function parts.peers()
  measure.table("readers of whole texts; Perl's orders, 4,000 rows", "rows/s", "× our rows are faster")
  local group, ours = { name = "peers" }, {}
  for i, peer in ipairs(PEERS) do
    local lua = peer[3] or "lua5.4"
    if not ours[lua] then
      ours[lua] = run("rows", "perl_few.json", { lua = lua })
      group[#group + 1] = ours[lua]
    end
    PEERS[i].run, PEERS[i].lua = run(peer[2], "perl_few.json", { lua = lua }), lua
    group[#group + 1] = PEERS[i].run
  end
  measure.group(group)
  measure.agree(group)
  for _, peer in ipairs(PEERS) do
    local what = ("%s, L%s"):format(peer[1], peer.lua:sub(2):gsub("(%a)(%d)", "%1 %2"))
    if (peer.run.failed or ""):find "not found" then
      measure.line(what, { "not installed", "" }, {})
    else
      measure.line(what, { measure.rate(peer.run), { ratio = measure.over(peer.run, ours[peer.lua]) } }, { peer.run, ours[peer.lua] })
    end
  end
end

-- ---- made-up rows: what the kinds do not ask ----

local function made_up_runs()
  local file, again = "rows_100000.json", "recurring_100000.json"
  local function of(task) return run(task, file, { rows = 100000 }) end
  local r = { rows = of "rows", reuse = of "reuse", keep_all = of "keep_all", keep_few = of "keep_few", aggregate = of "aggregate",
    top = of "aggregate_top", peer = of "cjson_aggregate", recurring = run("aggregate", again, { rows = 100000 }),
    peer_recurring = run("cjson_aggregate", again, { rows = 100000 }) }
  measure.group { name = "made-up rows", r.rows, r.reuse, r.keep_all, r.keep_few }
  measure.group { name = "made-up rows: aggregate", r.recurring, r.peer_recurring, r.aggregate, r.top, r.peer }
  measure.agree { r.rows, r.reuse, r.keep_all }
  measure.agree { r.recurring, r.peer_recurring }
  return r
end

function parts.made_up()
  begin "made-up rows (custom_rows), all alike, Lua 5.4"
  local r = made_up_runs()
  local function faster(what, goal, ours, other)
    measure.line(what, { at_least(other, ours, goal), against(ours, other) }, { ours, other })
  end
  faster("`rows { reuse = true }` over fresh rows", 1.1, r.reuse, r.rows)
  faster("rows that `keep` keeps all over rows without it", 0.9, r.keep_all, r.rows)
  faster("one row in a hundred kept, over rows without `keep`", 2, r.keep_few, r.rows)
  faster("aggregate over lua-cjson, 512 groups", 50, r.recurring, r.peer_recurring)
  faster("… each of 100,000 rows a group, the first 10", 50, r.top, r.peer)
  faster("… all 100,000 groups as Lua tables", 50, r.aggregate, r.peer)
end

function parts.growth()
  begin "growth"
  local group, worst, raw = { name = "growth" }, 0, {}
  for i, n in ipairs { 1000, 10000, 100000, 1000000 } do group[i] = run("growth", ("rows_%d.json"):format(n), { rows = n }) end
  measure.group(group)
  for i, one in ipairs(group) do
    raw[i] = ("%.3f"):format(one.median / one.rows * 1e6)
    if i > 1 then worst = math.max(worst, measure.over(one, group[1]) * group[1].rows / one.rows) end
  end
  measure.line("time per made-up row, 10,000 to 1,000,000 rows over 1,000", { { ratio = worst, goal = 1.1, most = true },
    table.concat(raw, ", ") .. " µs" }, group)
end

-- ---- texts, bills ----

function parts.decode()
  begin "`decode`, Lua 5.4"
  for _, name in ipairs { "report", "numbers", "deep", "strings", "escapes", "config" } do
    local ours, peer = run("decode", name .. ".json"), run("cjson_decode", name .. ".json")
    measure.group { name = "decode: " .. name, ours, peer }
    local function speed(one) return one.check / one.median / 1e6 end
    measure.line("over lua-cjson: " .. name, { at_least(peer, ours, 1.5), ("%.0f against %.0f MB/s"):format(speed(ours), speed(peer)) },
      { ours, peer })
  end
end

-- 1,000 customers' percentiles of a month, their samples being in memory.
function parts.billing()
  begin "bills: percentiles of 1,000 customers × 8,928 samples"
  local group = { name = "billing" }
  for i, lua in ipairs { "lua5.4", "lua5.3", "luajit" } do
    group[i] = run("billing_percentile", {}, { lua = lua })
    group[i + 3] = run("billing_stream", {}, { lua = lua })
  end
  group[7] = run("billing_sort", {})
  measure.group(group)
  for i, lua in ipairs { "Lua 5.4", "Lua 5.3", "LuaJIT" } do
    measure.line(lua, { { ratio = group[i].median, goal = 1, most = true, unit = " s" },
      ("sample by sample %.2f s"):format(group[i + 3].median) }, { group[i], group[i + 3] })
  end
  measure.line("over sorting, Lua 5.4", { at_least(group[7], group[1], 4), ("sorting %.2f s"):format(group[7].median) }, { group[7], group[1] })
end

-- ---- over TLS ----

function parts.memory()
  begin "1,000,000 rows of Perl's orders over TLS (1.3 GB), Lua 5.4"
  local group = { name = "memory and the first row" }
  for i, name in ipairs { "perl", "perl_rows_first" } do
    group[i], group[i + 2] = run("net_memory", name .. "_1000000.json"), run("net_first", name .. "_1000000.json")
  end
  measure.group(group)
  for i, says in ipairs { "columns first", "rows before columns" } do
    measure.line("peak memory over idle: " .. says, { { ratio = group[i].median, goal = 4, most = true, unit = " MB" }, "" }, { group[i] })
  end
  for i, says in ipairs { "columns first", "rows before columns" } do
    local one = group[i + 2]
    local ms = one.median and one.median * 1000
    measure.line("first byte to first row: " .. says, { { ratio = ms, goal = 2, most = true, unit = " ms" }, "" }, { one })
  end
end

local function curl_of(file, words, wall)
  local command = ("curl -sS --cacert %s%s -o /dev/null %s/%s"):format(measure.ca, words, measure.server, file)
  if wall then return { command = command .. " -w '%{time_total}'", said = command } end
  local timed = ([[bash -c 'TIMEFORMAT="%%U %%S"; time %s' 2>&1 | awk '{ print $1 + $2 }']]):format(command)
  return { command = timed, said = command }
end

function parts.network()
  begin "made-up rows over TLS, Lua 5.4"
  local file, packed = "recurring_400000.json", "rows_100000.json.gz"
  local curl, sums, fresh = curl_of(file, "", true), run("net_aggregate", file), run("net_rows", file)
  measure.group { name = "over TLS", curl, sums, fresh }
  local function slower(what, goal, one)
    measure.line(what, { at_most(one, curl, goal), ("%.3f against %.3f s"):format(one.median, curl.median) }, { one, curl })
  end
  slower("512 MB, wall time: aggregate over curl", 1.3, sums)
  slower("512 MB, wall time: fresh rows over curl", 2, fresh)
  local inflated, ours = curl_of(packed, " --compressed", false), run("net_rows_cpu", packed)
  local plain = run("rows_once", "rows_100000.json")
  measure.group { name = "over TLS, gzip", inflated, ours, plain }
  local ratios = {}
  for i = 1, measure.rounds do ratios[i] = ours.rounds[i] / (inflated.rounds[i] + plain.rounds[i]) end
  measure.line("gzip, 128 MB, processor time: fresh rows over curl --compressed and the plain rows",
    { { ratio = measure.median(ratios), goal = 1.1, most = true },
      ("%.3f against %.3f + %.3f s"):format(ours.median, inflated.median, plain.median) }, { ours, inflated, plain })
end

return parts
