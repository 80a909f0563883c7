-- `report --split` and `merge`, as people and schedulers run them. What the files hold comes from awk over the recorded flows.
local command = require "spec.command"
local support = require "spec.support"

local quote, run, contents = support.quote, command.run, command.contents
local DAY = "--between 2026-11-01T00:00:00Z 2026-11-02T00:00:00Z --granularity 1"
local SELECT = "--select src=sourceipaddress,dst=destinationipaddress,octets=sum_octetdeltacount --quiet"
local NONE = "env -u SLURM_ARRAY_TASK_ID -u JOB_COMPLETION_INDEX -u PARALLEL_SEQ "

local folder, path

local function prepare()
  support.clear()
  folder = command.temporary()
  path = folder .. "/nov.csv"
  support.shell("mkdir " .. folder)
end

local function clean()
  support.shell("rm -rf " .. quote(folder))
  assert.same({}, support.violations())
end

local function arguments(rest)
  return ("report host2host %s %s --format csv --output %s --split 6h %s"):format(DAY, SELECT, path, rest or "")
end

-- Runs it and expects nothing but success.
local function good(words, environment)
  local out, err, status = run(words, environment)
  assert.equal("", err .. out)
  assert.equal(0, status)
end

-- Runs it and expects this status, and a text on stderr.
local function refused(status, text, words, environment)
  local _, err, got = run(words, environment)
  assert.is_truthy(err:find(text, 1, true), err)
  assert.equal(status, got, err)
end

local function listing() return support.shell("cd " .. quote(folder) .. " && ls -A | grep -v manifest$") end

-- The rows of the flows that begin in these hours of the recorded day, sorted.
local function awk(first, last)
  return support.shell((([[zcat examples/sandbox/flows.csv.gz | awk -F, 'NR > 1 && $1 >= %d && $1 < %d { s[$7","$9] += $12 }
    END { for (k in s) printf "%%s,%%.0f\r\n", k, s[k] }' | LC_ALL=C sort]]):format(first * 3600000, last * 3600000)))
end

-- The rows of files, sorted.
local function rows(names)
  return support.shell(("cd %s && for f in %s; do tail -n +2 $f; done | LC_ALL=C sort"):format(quote(folder), names or "nov.*.csv"))
end

-- Rows added up by their first two fields, sorted.
local function summed(names)
  return support.shell(([[cd %s && for f in %s; do tail -n +2 $f; done | tr -d '\r' | awk -F, '{ s[$1","$2] += $3 }
    END { for (k in s) printf "%%s,%%.0f\r\n", k, s[k] }' | LC_ALL=C sort]]):format(quote(folder), names or "nov.*.csv"))
end

describe("report --split", function()
  before_each(prepare)
  after_each(clean)

  it("gives each window a file; together they are the whole, to the octet", function()
    good(arguments())
    assert.equal("nov.2026-11-01T00.csv\nnov.2026-11-01T06.csv\nnov.2026-11-01T12.csv\nnov.2026-11-01T18.csv\n", listing())
    assert.equal(4, #support.log()) -- one request a window
    for hour = 0, 18, 6 do assert.equal(awk(hour, hour + 6), rows(("nov.2026-11-01T%02d.csv"):format(hour))) end
    assert.equal(awk(0, 24), summed())
    good(("merge -o %s/all %s/nov.*.csv*"):format(folder, folder))
    assert.equal(rows(), rows "all")
    assert.equal(1, select(2, contents(folder .. "/all"):gsub("src,dst,octets", "")))
    assert.equal("src,dst,octets\r\n", contents(folder .. "/all"):match "^[^\n]*\n")
  end)

  it("has the rows right though those of equal measure come in another order each time", function()
    support.switches { ties = "shuffled" }
    for k = 3, 0, -1 do good(arguments("--shard " .. k)) end
    assert.equal(awk(0, 24), summed())
    for hour = 0, 18, 6 do assert.equal(awk(hour, hour + 6), rows(("nov.2026-11-01T%02d.csv"):format(hour))) end
  end)

  it("does not ask for what is there already, with the same request and unchanged", function()
    good(arguments())
    support.clear()
    good(arguments())
    local _, err = run((arguments():gsub("%-%-quiet", "")))
    assert.equal(4, select(2, err:gsub("T%d%d.csv is there already\n", "")))
    assert.same({}, support.log())
    -- Whatever decides the content makes another file.
    local count = 0
    for _, change in ipairs { "--select src=destinationipaddress,dst=sourceipaddress,octets=sum_octetdeltacount --quiet",
      "--select src=sourceipaddress,dst=destinationipaddress,octets=sum_packetdeltacount --quiet" } do
      local words = arguments("--shard 0"):gsub("%-%-select %S+ %-%-quiet", change)
      good(words)
      count = count + 1
      assert.equal(count, #support.log())
    end
    for _, more in ipairs { "--where port=443", "--exclude port=443", "--keep src=10.0.0.0/8", "--keep src=10.8.0.0/16", "--no-header", "--guard",
      "--direction outbound", "--order-by sum_packetdeltacount", "--set showOthers=0" } do
      good(arguments("--shard 0 " .. more))
      count = count + 1
      assert.equal(count, #support.log(), more)
    end
    good((arguments("--shard 0"):gsub("host2host", "conversations")))
    good((arguments("--shard 0"):gsub("format csv", "format ndjson")))
    good(arguments("--shard 0"), NONE .. command.ENVIRONMENT .. " SCRUTINIZER_URL=" .. quote((support.sandbox().url:gsub("127.0.0.1", "localhost"))))
    assert.equal(count + 3, #support.log())
    good(arguments("--shard 0"))
    support.write(path:gsub("csv$", "2026-11-01T00.csv"), "x")
    good(arguments("--shard 0"))
    assert.equal(count + 5, #support.log())
    assert.equal(awk(0, 6), rows "nov.2026-11-01T00.csv")
  end)

  it("fetches a file again that was changed at the same length; merge refuses it", function()
    good(arguments())
    local one = path:gsub("csv$", "2026-11-01T06.csv")
    local text = contents(one)
    support.write(one, (text:gsub("1\r\n", "2\r\n", 1)))
    refused(65, "nov.2026-11-01T06.csv: its SHA-256 differs from the one in its manifest", ("merge -o %s/all %s/nov.*.csv"):format(folder, folder))
    assert.is_nil(io.open(folder .. "/all"))
    good(arguments())
    assert.equal(awk(6, 12), rows "nov.2026-11-01T06.csv")
    assert.equal(5, #support.log())
  end)

  it("leaves nothing of a window that fails, and tries it again", function()
    support.faults { { kind = "none" }, { kind = "truncate", at = 50000, times = 9 } }
    refused(75, "truncated", arguments())
    assert.equal("nov.2026-11-01T00.csv\n", listing())
    support.faults {}
    support.clear()
    good(arguments())
    assert.equal(3, #support.log())
    assert.equal(awk(0, 24), summed())
  end)

  it("leaves out columns that do not add up, and says which", function()
    local words = ("report conversations %s --format ndjson --output %s/n.json --split 12h --quiet"):format(DAY, folder)
    local _, err = run((words:gsub(" %-%-quiet", "")))
    assert.equal("scrutinizer: without rank, percenttotal, which do not add up over windows\n", err)
    local text = contents(folder .. "/n.2026-11-01T00.json")
    assert.matches('^{"sourceipaddress":"[^"]*","commonport":"[^"]*","destinationipaddress":"[^"]*","sum_packetdeltacount":%d+,'
      .. '"sum_octetdeltacount":%d+,"first_flow_epoch":%d+,"last_flow_epoch":%d+}\n', text)
    local sum = 0
    for _, hour in ipairs { "00", "12" } do
      for octets in contents(folder .. "/n.2026-11-01T" .. hour .. ".json"):gmatch '"sum_octetdeltacount":(%d+)' do sum = sum + octets end
    end
    assert.equal(support.awk 'NR>1{s+=$12}END{printf "%.0f", s}', ("%.0f"):format(sum))
    good(("merge -o %s/all.json %s/n.*.json"):format(folder, folder))
    assert.equal(text .. contents(folder .. "/n.2026-11-01T12.json"), contents(folder .. "/all.json"))
    -- Rows before the columns, numbers that only the header tells: the same.
    support.switches { rows_before_columns = "always" }
    os.remove(folder .. "/n.2026-11-01T00.json")
    good(words)
    assert.equal(text, contents(folder .. "/n.2026-11-01T00.json"))
  end)

  it("makes files of windows without rows too", function()
    local words = ("report host2host %s --where ip=203.0.113.77 --format csv --output %s --split 12h --quiet "):format(DAY, path)
    good(words .. "--select src=sourceipaddress,octets=sum_octetdeltacount")
    assert.equal("src,octets\r\n", contents(path:gsub("csv$", "2026-11-01T12.csv")))
    good(("merge -o %s/all %s/nov.*.csv"):format(folder, folder))
    assert.equal("src,octets\r\n", contents(folder .. "/all"))
    for _, empty in ipairs { "rows", "no_rows", "no_table" } do
      support.switches { empty = empty }
      support.shell("rm " .. folder .. "/*")
      good(words)
      good(("merge -o %s/all %s/nov.*.csv"):format(folder, folder))
      assert.equal(0, select(2, contents(folder .. "/all"):gsub("\n.", "")), empty)
    end
  end)
end)

describe("the windows' names", function()
  before_each(prepare)
  after_each(clean)

  local function names(rest)
    good(("report tos --select sum_octetdeltacount --quiet --output %s --format csv %s"):format(path, rest))
    return (listing():gsub("\n", " "))
  end

  it("are on the zone's clock", function()
    assert.equal("nov.2026-10-31T20.csv nov.2026-11-01T00.csv ",
      names "--between 2026-11-01T00:00Z 2026-11-01T12:00Z --timezone America/New_York --split 1d")
    assert.equal("28800", support.shell(("grep -o '\"window\":{[^}]*}' %s/nov.2026-11-01T00.csv.manifest | tr -dc '0-9,' | awk -F, '{print $2-$1}'")
      :format(folder)):match "%d+") -- up to the end of the times
  end)

  it("have the offset where the clock shows an hour twice, and minutes where they are not zero", function()
    assert.equal("nov.2026-10-25T01.csv nov.2026-10-25T02+0100.csv nov.2026-10-25T02+0200.csv nov.2026-10-25T03.csv ",
      names "--between 2026-10-24T23:00Z 2026-10-25T03:00Z --timezone Europe/Berlin --split 1h")
    support.shell("rm " .. folder .. "/*")
    assert.equal("nov.2026-11-01T05.csv nov.2026-11-01T0530.csv ",
      names "--between 2026-11-01T05:00 2026-11-01T06:00 --timezone Asia/Kolkata --split 30m")
    support.shell("rm " .. folder .. "/*")
    path = folder .. "/no.dots/../nov"
    support.shell("mkdir " .. folder .. "/no.dots")
    assert.equal("no.dots nov.2026-11-01T05 ", names "--hour 2026-11-01T05 --timezone UTC --split 1h")
  end)
end)

describe("--shard", function()
  before_each(prepare)
  after_each(clean)

  it("takes its number from Slurm, Kubernetes and parallel; it is absolute", function()
    local base = NONE .. command.ENVIRONMENT .. " "
    local function named(variables)
      good(arguments "--shard auto", base .. variables)
      local name = listing():match "T(%d+).csv"
      support.shell("rm " .. folder .. "/*")
      return name
    end
    assert.equal("00", named "SLURM_ARRAY_TASK_ID=0")
    -- The tasks 1 and 3 once more, or every second one.
    assert.equal("18", named "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=2 SLURM_ARRAY_TASK_STEP=2")
    assert.equal("12", named "JOB_COMPLETION_INDEX=2")
    assert.equal("00", named "PARALLEL_SEQ=1")
    assert.equal("18", named "PARALLEL_SEQ=4")
    refused(64, "none of SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX, PARALLEL_SEQ is set: say --shard k, k from 0 to 3, as there are 4 windows",
      arguments "--shard auto", base)
    refused(64, "SLURM_ARRAY_TASK_ID and PARALLEL_SEQ are both set", arguments "--shard auto", base .. "SLURM_ARRAY_TASK_ID=1 PARALLEL_SEQ=1")
    for _, variable in ipairs { "SLURM_ARRAY_TASK_ID=4", "PARALLEL_SEQ=0", "PARALLEL_SEQ=5", "JOB_COMPLETION_INDEX=x", "JOB_COMPLETION_INDEX=-1" } do
      refused(64, "from 0 to 3, as there are 4 windows", arguments "--shard auto", base .. variable)
    end
    for _, number in ipairs { "4", "1.5", "x", "=-1" } do
      refused(64, "from 0 to 3, as there are 4 windows", (arguments("--shard " .. number):gsub(" =", "=")))
    end
  end)

  it("takes no slices any longer, and says what to use", function()
    for _, words in ipairs { "--shard 1/10", "--shard auto/16" } do
      refused(64, "--shard i/n is gone: slices of rows lose rows and double others", arguments(words))
      refused(64, "--split 1d --shard k fetches the k-th day", (arguments(words):gsub("%-%-split 6h", "")))
    end
    refused(64, "--split 1d --shard k", (arguments("--shard 1"):gsub("%-%-split 6h", "")))
    assert.same({}, support.log())
  end)

  it("refuses what does not add up, and what has no fixed windows", function()
    local selected = "report conversations " .. DAY .. " --format csv -o x --split 6h --select "
    for words, text in pairs {
      [arguments "--limit 5"] = "--limit does not add up",
      [arguments "--offset 5"] = "--offset does not add up",
      [arguments "--unit percent"] = "--unit percent does not add up",
      [arguments "--values rate"] = "--values rate does not add up",
      [arguments "--keep 'octets>=1000'"] = "--keep octets: a condition on the value of one window",
      [arguments "--keep 'sum_packetdeltacount!=7'"] = "--keep sum_packetdeltacount: a condition",
      [arguments "--keep 'rank<=10'"] = "--keep rank: a condition",
      [selected .. "rank,percenttotal,sourceipaddress"] = "--split: rank, percenttotal: such values do not add up",
      [selected .. "p=percenttotal.label"] = "percenttotal.label: such values",
      [selected .. "o=sum_octetdeltacount.label"] = "sum_octetdeltacount.label: such values",
      [selected .. "max_interfacespeed?"] = "max_interfacespeed?: such values",
      [selected .. "rpt_man_peak,rpt_man_95th"] = "--split: rpt_man_peak, rpt_man_95th: such values",
      [selected .. "countdistinct_ip"] = "countdistinct_ip: such values",
      [selected .. "custom_interfacepercent"] = "custom_interfacepercent: such values",
      ["report tos --last 1h --format csv -o x --split 5m"] = "--split needs --between, --day, --month or --hour",
      ["report tos --range LastHour --format csv -o x --split 5m"] = "--split needs --between",
      ["report tos --day -1 --timezone UTC --format csv -o x --split 1h --shard 0"] = "--shard needs --between",
      ["report tos --day 2026-11-01 --timezone UTC --split 1h"] = "--split needs --output",
      ["report tos --day 2026-11-01 --timezone UTC --split 1h -o x"] = "--format csv or ndjson",
      ["report tos --day 2026-11-01 --timezone UTC --split 1h --format csv -o /dev/stdout"] = "--split needs a file",
      ["report tos --day 2026-11-01 --timezone UTC --split 1h --format csv -o /tmp/"] = "--split needs a file",
      ["report tos --day 2026-11-01 --timezone UTC --split 1h --format csv -o -"] = "--output -: name a file; standard output is /dev/stdout",
      ["report tos --day 2026-11-01 --timezone UTC --format csv -o -"] = "--output -: name a file",
      ["report tos --day 2026-11-01 --timezone UTC --settle 5m"] = "--settle needs --split",
      ["report tos --day 2026-11-01 --timezone UTC --open"] = "--open needs --split",
      [arguments "--settle x"] = "--settle: got x",
      [(arguments():gsub("6h", "6x"))] = "windows: got \"6x\"",
      [(arguments():gsub("6h", "90s"))] = "1793491290 is not the beginning of a bucket of --granularity 1",
      [(arguments():gsub("granularity 1", "granularity 5"):gsub("6h", "7m"))] = "is not the beginning of a bucket of --granularity 5",
      ["report tos --between 1793491201 1793494801 --format csv -o x --split 1h"] = "1793491201 is not the beginning of a bucket of a minute",
    } do
      refused(64, text, words)
    end
    assert.same({}, support.log())
  end)

  it("refuses columns of numbers that only the answer tells, whatever the way they are named", function()
    local cell, list = '{"label":"%s","title":"%s","rawValue":"%s"}', {}
    for _, one in ipairs { { "10.0.0.1", "7", "100" }, { "10.0.0.2", "4", "200" } } do
      local row = {}
      for i, value in ipairs(one) do row[i] = cell:format(value, value, value) end
      list[#list + 1] = "[" .. table.concat(row, ",") .. "]"
    end
    local body = ([[{"report":{"table":{"inbound":{"totalRowCount":2,"rows":[%s],"columns":[{"elementName":"sourceipaddress","label":"S","title":"s"},
      {"elementName":"jitter","label":"J","title":"j","canBeRate":1},{"elementName":"sum_octetdeltacount","label":"O","title":"o"}]}}}}]]):format(
      table.concat(list, ","))
    local words = ("report tos %s --format csv --output %s --split 1d --timezone UTC --quiet "):format(DAY, path)
    local function answered(more, text)
      support.faults { { kind = "status", status = 200, content_type = "application/json", body = body } }
      if text then refused(64, text, words .. more) else good(words .. more) end
      support.faults {}
    end
    for _, name in ipairs { "jitter", "jitter?", "jitter.label", "jitter.title?" } do
      answered("--select v=" .. name, "--split: " .. name .. ": the answer says that it holds numbers")
    end
    for _, kept in ipairs { "jitter>=5", "jitter=7", "jitter.label=7" } do
      answered(("--keep '%s'"):format(kept), "--split: --keep " .. kept:match "^[a-z.]+" .. ": a condition on the value of one window")
    end
    answered("--keep 'v>=5' --select src=sourceipaddress,v=jitter?", "--split")
    assert.equal("", listing())
    answered("--keep src=10.0.0.1 --select src=sourceipaddress,o=sum_octetdeltacount")
    assert.equal("src,o\r\n10.0.0.1,100\r\n", contents(path:gsub("csv$", "2026-11-01T00.csv")))
  end)

  it("refuses windows that the answer's buckets do not fit", function()
    support.switches { granularity_used = "yes", granularity_kept = "30" }
    refused(64, "is not the beginning of a bucket of the report, 30 minutes", ("report tos --between 1793491200 1793491260 --select "
      .. "sum_octetdeltacount --format csv -o %s --split 1d --timezone UTC"):format(path))
  end)

  it("refuses a window that is not complete, unless that is asked for", function()
    local to = os.time() - os.time() % 3600 + 3600
    local words = ("report tos --between %d %d --split 1h --format csv --output %s --select sum_octetdeltacount --quiet "):format(
      to - 10800, to, path)
    refused(75, "; --open fetches it as it is now", words .. "--settle 5s")
    assert.equal(2, select(2, listing():gsub("\n", ""))) -- those that have ended
    assert.equal(2, #support.log())
    refused(75, "is complete at " .. os.date("!%Y-%m-%dT%H:%M:%SZ", to - 10800 + 3600 + 86400), words .. "--settle 1d --shard 0 --no-header")
    good(words .. "--open --shard 2")
    good(words .. "--open --shard 2")
    assert.equal(4, #support.log()) -- it is never there already
    refused(65, "its window was not complete when it was fetched", ("merge -o %s/all %s/nov.*.csv"):format(folder, folder))
  end)
end)

describe("signals", function()
  before_each(prepare)
  after_each(clean)

  -- Ends the command by a signal while the appliance lets it wait: its status, and what is left.
  local function ended(signal, words)
    support.faults { { kind = "delay", seconds = 3 } }
    local out = support.shell(([[%s setsid %s %s >/dev/null 2>&1 & pid=$!
      n=0; while [ $n -lt 100 ] && ! ls %s | grep -q part; do sleep 0.05; n=$((n+1)); done
      ls %s | grep -c part; kill -%s $pid; wait $pid; echo $?; ls -A %s]])
      :format(command.ENVIRONMENT, command.words, words, folder, folder, signal, folder))
    support.faults {}
    return out
  end

  it("TERM ends a window with 75, INT and HUP as if they were not handled; nothing is left", function()
    assert.equal("1\n75\n", ended("TERM", arguments()))
    assert.equal("1\n130\n", ended("INT", arguments()))
    assert.equal("1\n129\n", ended("HUP", arguments()))
    assert.equal("1\n75\n", ended("TERM", ("report host2host %s --format csv --output %s"):format(DAY, path)))
    good(arguments())
    assert.equal(awk(0, 24), summed())
  end)

  it("TERM does not say that a write may be done again", function()
    support.faults { { kind = "delay", seconds = 3 } }
    local out = support.shell(("%s setsid %s call rm=licensing & pid=$!; sleep 0.7; kill -TERM $pid; wait $pid; echo $?"):format(
      command.ENVIRONMENT, command.words))
    assert.equal("143\n", out)
  end)
end)

describe("merge", function()
  before_each(prepare)
  after_each(clean)

  local function merged(status, text, names)
    refused(status, text, ("merge -o %s/all %s"):format(folder, names:gsub("%S+", function(name) return folder .. "/" .. name end)))
    assert.is_nil(io.open(folder .. "/all"))
  end

  it("refuses windows that are missing or overlap", function()
    good(arguments())
    merged(65, "no file has the time from 2026-11-01T06:00:00Z to 2026-11-01T12:00:00Z",
      "nov.2026-11-01T00.csv nov.2026-11-01T18.csv nov.2026-11-01T12.csv")
    merged(65, "no file has the time from 2026-11-01T00:00:00Z to 2026-11-01T06:00:00Z", "nov.2026-11-01T06.csv nov.2026-11-01T1*.csv")
    merged(65, "no file has the time from 2026-11-01T18:00:00Z to 2026-11-02T00:00:00Z", "nov.2026-11-01T0*.csv nov.2026-11-01T12.csv")
    merged(65, "overlap: both have 2026-11-01T06:00:00Z", "nov.*.csv nov.2026-11-01T06.csv")
    merged(64, "name the windows' files", "nov.2026-11-01T06.csv.manifest")
    for _, ending in ipairs { "", ".manifest" } do
      local one = path:gsub("csv$", "2026-11-01T06.csv")
      local before = contents(one .. ending)
      refused(64, "merge: --output is one of the windows' files", ("merge -o %s%s %s/nov.*.csv"):format(one, ending, folder))
      assert.equal(before, contents(one .. ending))
    end
    -- A day that was fetched by itself, and is now a part of two.
    support.shell("rm " .. folder .. "/*")
    support.clear()
    local words = ("report tos --timezone UTC --split 1d --format csv --output %s --select sum_octetdeltacount --quiet "):format(path)
    good(words .. "--day 2026-11-01")
    good(("merge -o %s/one %s/nov.*.csv"):format(folder, folder))
    good(words .. "--between 2026-11-01 2026-11-03 --shard 0")
    assert.equal(1, #support.log())
    merged(65, "no file has the time from 2026-11-02T00:00:00Z to 2026-11-03T00:00:00Z", "nov.*.csv")
  end)

  it("refuses files of different requests", function()
    good(arguments())
    for more, text in pairs {
      ["--where port=443"] = "its request differs from that of", ["--no-header"] = "its request differs from that of",
      ["--guard"] = "its request differs from that of", ["--direction outbound"] = "its request differs from that of",
    } do
      good(arguments("--shard 1 " .. more))
      merged(65, text, "nov.*.csv")
    end
    good((arguments("--shard 1"):gsub("octets=sum_octetdeltacount", "packets=sum_packetdeltacount")))
    merged(65, "its request differs from that of", "nov.*.csv")
    good(arguments "--shard 1")
    good(("merge -o %s/all %s/nov.*.csv"):format(folder, folder))
    os.remove(folder .. "/all")
    os.remove(folder .. "/nov.2026-11-01T06.csv.manifest")
    merged(74, "nov.2026-11-01T06.csv.manifest", "nov.*.csv")
    support.write(folder .. "/nov.2026-11-01T06.csv.manifest", "{}")
    merged(65, "not a manifest", "nov.*.csv")
    -- What a hand has changed in a manifest.
    good(arguments "--shard 1")
    local name = folder .. "/nov.2026-11-01T06.csv.manifest"
    local whole = contents(name)
    for from, to in pairs {
      ['"from":1793512800'] = '"from":1793512800.5', ['"to":1793534400'] = '"to":"x"', ['"rpt_json":"'] = '"json":"',
      ['"name":"octets","type"'] = '"n":"octets","type"', ['"columns":%b[]'] = '"columns":[]', ['"rows":%d+'] = '"rows":-1',
    } do
      local changed, count = whole:gsub(from, to, 1)
      assert.equal(1, count)
      support.write(name, changed)
      merged(65, "its manifest is not one of report --split", "nov.*.csv")
      refused(65, "its manifest is not one of report --split", "schema t --for postgresql --load " .. name:gsub(".manifest", ""))
    end
    os.remove(folder .. "/nov.2026-11-01T06.csv")
  end)
end)

describe("GNU parallel", function()
  before_each(prepare)
  after_each(clean)

  -- Two windows at a time: parallel's status, which is how many jobs have failed.
  local function fan_out(options)
    local job = command.words .. " " .. arguments "--shard {}"
    return tonumber(support.shell(("%s HOME=%s parallel --will-cite -j 2 --joblog %s/log %s %s ::: 0 1 2 3 >/dev/null 2>&1; echo $?"):format(
      command.ENVIRONMENT, folder, folder, options or "", quote(job))))
  end

  it("runs the windows, and with --resume-failed only those that failed", function()
    support.faults { { kind = "none", times = 2 }, { kind = "report_error", text = "busy" } }
    assert.equal(1, fan_out())
    local files = ("merge -o %s/all %s/nov.*.csv"):format(folder, folder)
    refused(65, "no file has the time from", files)
    support.clear()
    assert.equal(0, fan_out "--resume-failed")
    assert.equal(1, #support.log()) -- the window that was missing
    good(files)
    assert.equal(awk(0, 24), summed "all")
    assert.equal(awk(0, 24), summed())
  end)
end)
