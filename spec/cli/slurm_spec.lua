-- Windows under a real Slurm: the appliance is busy at times, a node dies, tasks are preempted, windows are submitted again, and merge waits for all.
if os.getenv "SANDBOX_CHECKED" == "1" then return end -- once is enough

local command = require "spec.command"
local slurm = require "spec.slurm"
local support = require "spec.support"

local quote = support.quote

describe("Slurm", function()
  local missing = slurm.missing()
  if missing then
    it("runs windows", function() pending(missing .. " is not installed: apt-get install slurmctld slurmd slurm-client munge") end)
    return
  end

  local server
  before_each(function()
    support.clear()
    server = slurm.start()
    -- Each start of the command is a line in a file.
    local script = "#!/bin/sh\necho $SLURM_ARRAY_TASK_ID >>%s/tries\nexec %s %s/lua/scrutinizer/main.lua \"$@\"\n"
    support.write(server.folder .. "/scrutinizer", script:format(
      server.folder, command.ENVIRONMENT .. " " .. support.lua, (support.shell "pwd":gsub("\n", ""))))
    support.shell("chmod 755 " .. server.folder .. "/scrutinizer")
  end)
  after_each(function()
    server.stop()
    assert.same({}, support.violations())
  end)

  -- Submits one of the examples, changed: the job's number.
  local function submit(name, options, changes)
    local text = support.read("examples/slurm/" .. name)
    for from, to in pairs(changes or {}) do
      local count
      text, count = text:gsub(from:gsub("%W", "%%%0"), (to:gsub("%%", "%%%%")))
      assert.is_true(count > 0, from)
    end
    support.write(server.folder .. "/" .. name, text)
    return assert(server.run(("sbatch --parsable %s %s"):format(options or "", name)):match "^%d+")
  end

  local REPORT = { ["conversations"] = "tos", ['"src=sourceipaddress,dst=destinationipaddress,octets=sum_octetdeltacount"'] =
    "tos=ipclassofservice,octets=sum_octetdeltacount --granularity 1", ["Europe/Berlin"] = "UTC" }

  local function changed(more)
    local all = {}
    for from, to in pairs(REPORT) do all[from] = to end
    for from, to in pairs(more) do all[from] = to end
    return all
  end

  -- The octets of files by their first field, sorted, as awk adds them up.
  local function summed(files)
    return support.shell(([[cd %s && for f in %s; do tail -n +2 $f; done | tr -d '\r' | awk -F, '{ s += $2 } END { printf "%%.0f", s }']]):format(
      quote(server.folder), files))
  end

  local DAY = tonumber((support.awk 'NR>1{s+=$12}END{printf "%.0f", s}'))

  local function listing(pattern) return support.shell(("ls -A %s | grep -c '%s'"):format(quote(server.folder), pattern)):match "%d+" end

  it("fetches a day in eight windows while the appliance is busy at times, and merges them", function()
    support.faults { { kind = "status", status = 503, times = 16 } }
    local id = submit("report.sbatch", "--array=0-7", changed { ["--month 2026-10"] = "--day 2026-10-05", ["--split 1d"] = "--split 3h" })
    submit("merge.sbatch", "--dependency=afterany:" .. id)
    server.wait(60)
    assert.equal("8", listing "^october.*T[0-9]*.csv$")
    assert.equal("0", listing "part$")
    assert.equal(24, #support.log()) -- one for each window, and the sixteen that were refused
    local tries = tonumber((support.shell(("grep -c . %s/tries"):format(server.folder))))
    assert.is_true(tries > 8) -- 75: run again
    assert.equal(("%.0f"):format(DAY), summed "october.2*.csv")
    assert.equal(("%.0f"):format(DAY), summed "october.all.csv")
    -- Two windows alone once more.
    support.shell(("cd %s && rm october.2026-10-05T03.csv october.2026-10-05T15.csv.manifest && : >tries"):format(server.folder))
    support.clear()
    server.run "sbatch --array=1,5 report.sbatch"
    server.wait(30)
    assert.equal("1\n5\n", support.shell(("sort %s/tries"):format(server.folder)))
    assert.equal(2, #support.log())
    assert.equal(("%.0f"):format(DAY), summed "october.2*.csv")
  end)

  it("fetches a month in thirty windows while a node dies and tasks are preempted", function()
    support.faults { { kind = "delay", seconds = 5, times = 6 } }
    local id = submit("report.sbatch", "--array=0-29 -p low", changed { ["--month 2026-10"] = "--month 2026-09" })
    submit("merge.sbatch", "--dependency=afterany:" .. id)
    -- Four windows are asked for; then a node dies, and two of the other tasks are preempted.
    support.shell(("n=0; while [ $n -lt 100 ] && [ $(ls %s | grep -c part$) -lt 4 ]; do sleep 0.1; n=$((n+1)); done"):format(server.folder))
    server.run "sbatch -p high --array=0-1 --exclude=n1 --output=/dev/null --wrap 'sleep 1'"
    server.kill_node(1)
    server.wait(90)
    assert.equal("30", listing "^october.*T[0-9]*.csv$")
    assert.equal("0", listing "part$")
    local tries = tonumber(support.shell(("grep -c . %s/tries"):format(server.folder)))
    local requests = #support.log()
    -- One request for a window and try; a task that was killed may not have come to it.
    assert.is_true(requests >= 30 and requests <= tries and tries > 30, requests .. " requests, tries " .. tries)
    assert.matches("has been requeued to reclaim resources", support.read(server.folder .. "/slurmctld.log"))
    assert.equal(("%.0f"):format(30 * DAY), summed "october.2*.csv")
    assert.equal(("%.0f"):format(30 * DAY), summed "october.all.csv")
  end)
end)
