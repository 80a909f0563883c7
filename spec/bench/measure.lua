-- Runs tasks of task.lua interleaved, takes medians, compares them with the goals, prints tables. Started by spec/bench/run, which says where
-- all is; the arguments are the parts to run (parts.lua).

local cjson = require "cjson"

local WORK, OUT, SERVER, CA = os.getenv "BENCH_WORK", os.getenv "BENCH_OUT", os.getenv "BENCH_SERVER", os.getenv "BENCH_CA"
local ROUNDS = tonumber(os.getenv "ROUNDS" or 5)
local WITH = os.getenv "WITH" or "" -- stands before each command that is measured

local measure = { rounds = ROUNDS, ca = CA, server = SERVER }

local function shell(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  pipe:close()
  return text
end
measure.shell = shell

local function median(values)
  local list = table.move(values, 1, #values, 1, {})
  table.sort(list)
  local middle = #list // 2
  return #list % 2 == 1 and list[middle + 1] or (list[middle] + list[middle + 1]) / 2
end
measure.median = median

-- ---- one run ----

-- A run is { task =, files = { names in the inputs' folder }, lua =, core = a folder beside it, chunk = bytes, rows = to count by }, or
-- { command = }. This is how to start it: what a reader can type.
local function command_of(run)
  if run.command then return run.command end
  local paths = {}
  for i, name in ipairs(run.files) do paths[i] = WORK .. "/" .. name end
  local all = table.concat(paths, " ")
  if run.task:find "^simdjson" then return ("%s/simdjson %s %s"):format(OUT, run.task:match "_(%w+)$", all) end
  local lua = run.lua or "lua5.4"
  local product = run.task:find "^net_"
  local folder = product and OUT:gsub("bench$", lua) or OUT .. "/" .. (run.core or lua)
  local where = product and ("BENCH_URL=%s/%s BENCH_CA=%s"):format(SERVER, run.files[1], CA) or ("BENCH_ANSWER='%s'"):format(all)
  if run.chunk then where = where .. " BENCH_CHUNK=" .. run.chunk end
  return ("LUA_PATH='%s' LUA_CPATH='%s/?.so;%s' %s %s spec/bench/task.lua %s"):format(
    os.getenv "BENCH_LUA_PATH", folder, os.getenv "BENCH_PEERS_CPATH" or ";", where, lua, run.task)
end

local function short(run)
  local text = run.said or command_of(run)
  if run.files and #run.files > 9 then -- the recorded flows
    local all = run.task:find "^simdjson" and "$inputs/flow_*.json" or '"$(echo $inputs/flow_*.json)"'
    text = text:gsub("'?" .. WORK:gsub("%p", "%%%0") .. "/flow_.*%.json'?", all)
  end
  text = text:gsub("LUA_PATH='[^']*' ", ""):gsub("LUA_CPATH='([^']*)' ", run.core and "LUA_CPATH='%1' " or "")
  for _, path in ipairs { WORK, OUT } do text = text:gsub(path:gsub("%p", "%%%0"), path == WORK and "$inputs" or "build/bench") end
  return (text:gsub("https://127%.0%.0%.1:%d+", "$server"))
end

-- Gives the seconds, or sets the run's `failed`: the last thing it said that has a sentence.
local function start(run)
  local complaint = WORK .. "/stderr"
  local out = shell((WITH ~= "" and WITH .. " env " or "") .. command_of(run) .. " 2>" .. complaint)
  local seconds, count, check = out:match "^(%S+)%s*(%S*)%s*(%S*)"
  if tonumber(seconds) then
    run.count, run.check = tonumber(count), tonumber(check)
    return tonumber(seconds)
  end
  local file = assert(io.open(complaint))
  local text = file:read "a"
  file:close()
  run.failed = (text:match "^[^\n]*" or ""):gsub("^%S+: ", ""):gsub("^%S+:%d+: ", "")
end

-- All readers of the same values must have seen the same: as near as doubles are, and integers wrap at 2^64.
local complaints = {}
local function agree(runs)
  local first = runs[1]
  for _, run in ipairs(runs) do
    local apart = not (run.failed or first.failed) and math.abs(run.check - first.check) % 2 ^ 64 or 0
    if math.min(apart, 2 ^ 64 - apart) > 1e-9 * math.abs(first.check or 1) or (not run.failed and not first.failed and run.count ~= first.count) then
      complaints[#complaints + 1] = ("different answers: %s %s against %s %s"):format(short(run), run.check, short(first), first.check)
    end
  end
end
measure.agree = agree

--- Runs all of a group in turn, ROUNDS times; each gets its `rounds` and their `median`, or `failed`.
function measure.group(group)
  io.stderr:write("bench: ", group.name, "\n")
  for _, run in ipairs(group) do run.rounds = {} end
  for round = 1, ROUNDS do
    for _, run in ipairs(group) do
      if not run.failed then run.rounds[round] = start(run) end
    end
  end
  for _, run in ipairs(group) do
    if not run.failed then run.median = median(run.rounds) end
  end
end

--- The ratio of two runs in each round, then the median: what disturbs a round disturbs both. nil if one has failed.
function measure.over(slow, fast)
  if slow.failed or fast.failed then return nil end
  local ratios = {}
  for i = 1, ROUNDS do ratios[i] = slow.rounds[i] / fast.rounds[i] end
  return median(ratios)
end

-- ---- what comes out ----

local tables, figures, commands = {}, {}, {}

local function remember(runs)
  for _, run in ipairs(runs) do
    local command = short(run)
    if not commands[command] then commands[#commands + 1] = command end
    commands[command] = true
  end
end

--- Begins a table; the first column says what was measured.
function measure.table(...)
  tables[#tables + 1] = { { ... } }
end

--- A heading within a table of these columns: the last one, if it has them.
function measure.heading(what, ...)
  local last, columns = tables[#tables], table.pack(...)
  if not last or table.concat(last[1], "|") ~= table.concat(columns, "|") then measure.table(...) end
  table.insert(tables[#tables], { "*" .. what .. "*" })
end

--- A line of the last table. Cells are texts or { ratio =, goal =, most = if it is the most allowed, unit = }; a goal that is missed is bold.
function measure.line(what, cells, runs)
  local line, failed = { what }, nil
  for _, run in ipairs(runs) do failed = failed or run.failed end
  for i, cell in ipairs(cells) do
    local text = cell
    if type(cell) == "table" then
      local sign, met = cell.most and "≤" or "≥", nil
      if cell.ratio and cell.goal then met = cell.most and cell.ratio <= cell.goal or not cell.most and cell.ratio >= cell.goal end
      text = cell.ratio and ("%.2f%s"):format(cell.ratio, cell.unit or "×") or "**fails**"
      if met == false then text = "**" .. text .. "**" end
      if cell.goal then text = ("%s (%s %g)"):format(text, sign, cell.goal) end
      figures[#figures + 1] = { what = what, column = tables[#tables][1][i + 1], goal = cell.goal and sign .. cell.goal, measured = cell.ratio,
        met = met, failed = failed }
    end
    line[i + 1] = text
  end
  if failed then line[#line] = line[#line] .. (line[#line] ~= "" and "; " or "") .. failed:match "^[^(]*" end
  table.insert(tables[#tables], line)
  remember(runs)
end

--- Rows per second, as text.
function measure.rate(run)
  return run.median and ("%.0f"):format((run.rows or run.count) / run.median) or "–"
end

local function versions()
  local function first(command) return (shell(command):match "[^\n]*") end
  local packages = {}
  local asked = "lua5.4 lua5.3 'luajit*' lua-cjson lua-dkjson lua-json 'libsimdjson[0-9]*' 'libcurl4*' nginx gcc perl libjson-xs-perl"
  local query = "dpkg-query -W -f '${db:Status-Abbrev}|${Package} ${Version}\\n' " .. asked .. " 2>/dev/null"
  for name, version in shell(query):gmatch "ii |(%S+) (%S+)\n" do
    if not name:find "%-dev$" and not name:find "%-doc$" then packages[#packages + 1] = name .. " " .. version end
  end
  return {
    machine = ("%s, %s cores"):format(first "sed -n 's/^model name[^:]*: //p' /proc/cpuinfo", first "nproc"),
    system = first "uname -sr", versions = table.concat(packages, ", "), rounds = ROUNDS,
    with = WITH, load = first "cut -d' ' -f1-3 /proc/loadavg", revision = first "git describe --always --dirty 2>/dev/null",
  }
end

local function pad(text, n) return text .. (" "):rep(n - utf8.len(text)) end

-- As Markdown: README's tables are these.
local function print_table(lines)
  local widths = {}
  for _, line in ipairs(lines) do
    for i, cell in ipairs(line) do widths[i] = math.max(widths[i] or 3, utf8.len(cell)) end
  end
  for n, line in ipairs(lines) do
    local cells, rule = {}, {}
    for i, width in ipairs(widths) do cells[i], rule[i] = pad(line[i] or "", width), ("-"):rep(width) end
    print("| " .. table.concat(cells, " | ") .. " |")
    if n == 1 then print("|-" .. table.concat(rule, "-|-") .. "-|") end
  end
  print ""
end

local function print_all(about)
  for _, lines in ipairs(tables) do print_table(lines) end
  for _, text in ipairs(complaints) do print("WRONG: " .. text) end
  print(("%s; %s; revision %s; load %s\n%s"):format(about.machine, about.system, about.revision, about.load, about.versions))
  print(("Medians of %d interleaved rounds; bold: a goal that is missed. In memory: the product with memory.c in libcurl's place, lending\n"
    .. "128 KiB at a time; every reader takes the same bytes twice and tells the faster pass, in processor seconds. Read once: the first pass of\n"
    .. "a new process, whose memory is first touched then.\n"):format(ROUNDS))
  if WITH ~= "" then print("Each command ran with: " .. WITH) end
  print "Commands (LUA_PATH and LUA_CPATH as spec/bench/run says them):"
  for _, command in ipairs(commands) do print("  " .. command) end
end

package.loaded.measure = measure
local parts = dofile "spec/bench/parts.lua"
for _, name in ipairs(arg) do
  local part = assert(parts[name], "no part of this name: " .. name)
  local good, why = pcall(part)
  if not good then complaints[#complaints + 1] = ("part %s ended: %s"):format(name, why) end
end
local about = versions()
print_all(about)
about.figures, about.wrong = figures, complaints
local file = assert(io.open(OUT .. ".json", "w"))
file:write(cjson.encode(about), "\n")
file:close()
