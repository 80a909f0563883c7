-- For specs: the sandbox appliance, driven by the curl command, and sums over its flows by awk. Uses nothing of the client.
--
-- SCRUTINIZER_SANDBOX="https://127.0.0.1:PORT token=... ca=..." names one that runs already; else start() starts one.
local cjson = require "cjson"

local sandbox = {}
local FLOWS = "examples/sandbox/flows.csv.gz"

local function quote(text) return "'" .. tostring(text):gsub("'", "'\\''") .. "'" end
sandbox.quote = quote

--- What a shell command prints, and its exit code.
function sandbox.sh(command)
  local pipe = assert(io.popen(command .. '\nprintf "\\n%d" $?'))
  local text = pipe:read "*a"
  pipe:close()
  local out, code = text:match "^(.*)\n(%d+)$"
  return out, tonumber(code)
end

local function adopt(line)
  sandbox.url, sandbox.token, sandbox.ca = line:match "^(https://%S+) token=(%S+) ca=(%S+)"
  assert(sandbox.url, "cannot read the sandbox's line: " .. line)
end

local function wait_for_line(path)
  for _ = 1, 200 do
    local file = io.open(path)
    local line = file and file:read "*l"
    if file then file:close() end
    if line and line:find "^https" then return line end
    os.execute "sleep 0.05"
  end
  error("the sandbox did not start:\n" .. sandbox.sh("cat " .. path))
end

--- Starts examples/sandbox/start with these variables; gives its process id and its output's path. The caller ends it with sandbox.stop.
function sandbox.launch(variables)
  local path = os.tmpname()
  local pid = sandbox.sh(("%s examples/sandbox/start >%s 2>&1 & echo $!"):format(variables, path)):match "%d+"
  return tonumber(pid), path
end

--- Ends a process that was launched, and waits until it is gone.
function sandbox.stop(pid, path)
  sandbox.sh(("kill %d; while kill -0 %d; do sleep 0.05; done 2>/dev/null"):format(pid, pid))
  if path then os.remove(path) end
end

--- Runs something with an appliance of its own, started with these variables, and ends that whatever came of it. The function gets
--- { url =, token =, ca =, stop = function() }: it may end it earlier.
function sandbox.during(variables, run)
  local pid, path = sandbox.launch(variables)
  local box = {}
  function box.stop()
    if pid then sandbox.stop(pid, path) end
    pid = nil
  end
  local good, complaint = pcall(function()
    box.url, box.token, box.ca = wait_for_line(path):match "^(https://%S+) token=(%S+) ca=(%S+)"
    run(box)
  end)
  box.stop()
  if not good then error(complaint, 0) end
end

function sandbox.start()
  local given = os.getenv "SCRUTINIZER_SANDBOX"
  if given and given ~= "" then
    adopt(given)
  else
    sandbox.pid, sandbox.path = sandbox.launch "PORT=0 HTTP_PORT=0 STATE="
    adopt(wait_for_line(sandbox.path))
  end
  sandbox.http_port = sandbox.get("ready").http_port
end

--- Waits for the line of a launched sandbox.
sandbox.line = wait_for_line

function sandbox.finish()
  if sandbox.pid then sandbox.stop(sandbox.pid, sandbox.path) end
  sandbox.pid = nil
end

--- Runs curl; gives { body =, status =, code = curl's exit code, seconds = }.
function sandbox.curl(...)
  local words = {}
  for i, word in ipairs { ... } do words[i] = quote(word) end
  local out, code = sandbox.sh(("curl -s -g --noproxy '*' --max-time 30 --cacert %s -w '\\n%%{time_total} %%{http_code}' %s"):format(
    quote(sandbox.ca), table.concat(words, " ")))
  local body, seconds, status = out:match "^(.*)\n(%S+) (%d+)$"
  return { body = body, status = tonumber(status), code = code, seconds = tonumber(seconds) }
end

function sandbox.get(name)
  return cjson.decode(sandbox.curl(sandbox.url .. "/sandbox/" .. name).body)
end

function sandbox.post(name, body)
  local text = type(body) == "string" and body or cjson.encode(body)
  return cjson.decode(sandbox.curl("-d", text, sandbox.url .. "/sandbox/" .. name).body)
end

function sandbox.clear(name)
  sandbox.curl("-X", "DELETE", sandbox.url .. "/sandbox/" .. (name or "all"))
end

--- Rules of the violations written down, joined.
function sandbox.violations()
  local rules = {}
  for i, violation in ipairs(sandbox.get "violations") do rules[i] = violation.rule .. ": " .. violation.text end
  return table.concat(rules, "\n")
end

--- The appliance's URL.
function sandbox.endpoint() return sandbox.url .. "/fcgi/scrut_fcgi.fcgi" end

local function rpt_json(options)
  local members = {
    ('"reportTypeLang":"%s"'):format(options.type or "host2host"),
    ('"reportDirections":{"selected":"%s"}'):format(options.direction or "inbound"),
    ('"times":%s'):format(options.times or ('{"dateRange":"Custom","start":%d,"end":%d}'):format(options.from, options.to)),
    ('"filters":{%s}'):format(options.filters or '"sdfDips_0":"in_GROUP_ALL"'),
    ('"dataGranularity":{"selected":%s}'):format(options.granularity or '"auto"'),
  }
  if options.more then members[#members + 1] = options.more end
  return "{" .. table.concat(members, ",") .. "}"
end

local function data_requested(options)
  if options.data then return options.data end
  local graph = options.graph and (',"graph":"%s"'):format(options.graph) or ""
  return ('{"%s":{"table":{"query_limit":{"offset":%d,"max_num_rows":%s}}%s}}'):format(
    options.direction or "inbound", options.offset or 0, options.max or "10000000000", graph)
end

--- The form fields of a report: type, from, to (or times, JSON), direction, filters, granularity, more (JSON members), offset, max, graph.
function sandbox.fields(options)
  return { authToken = options.token or sandbox.token, rm = "report_api", action = "get", rpt_json = options.rpt_json or rpt_json(options),
    data_requested = data_requested(options) }
end

--- Posts a report; gives curl's result.
function sandbox.ask(options)
  local words = { options.url or sandbox.endpoint() }
  for name, value in pairs(sandbox.fields(options)) do
    words[#words + 1] = "--data-urlencode"
    words[#words + 1] = name .. "=" .. value
  end
  for _, word in ipairs(options.curl or {}) do words[#words + 1] = word end
  return sandbox.curl((table.unpack or unpack)(words))
end

--- Posts a report; gives the decoded answer.
function sandbox.answer(options)
  local got = sandbox.ask(options)
  assert(got.code == 0, "curl ended with " .. got.code)
  return cjson.decode(got.body)
end

--- Rows by element name, raw values (rank: the label), and the direction's table.
function sandbox.rows(options)
  local answer = sandbox.answer(options)
  local part = answer.report.table[options.direction or "inbound"]
  local rows = {}
  for i, cells in ipairs(part.rows) do
    rows[i] = { rank = cells[1].label, label = {} }
    for c = 2, #part.columns do
      local name = part.columns[c].elementName
      rows[i][name], rows[i].label[name] = cells[c].rawValue, cells[c].label
    end
  end
  return rows, part, answer.report
end

--- Sums by awk over the flows, each repeated on every day: { [key] = octets }, { [key] = flows }. Condition and key are awk over the CSV's
--- columns: $1 start_ms, $3 exporter, $4 input, $5 output, $6 protocol, $7 $8 source, $9 $10 destination, $11 packets, $12 octets.
function sandbox.awk(from, to, condition, key, value)
  local program = [[NR > 1 && (]] .. condition .. [[) {
    for (day = int(A / D) - 1; day <= int(B / D) + 1; day++) {
      t = day * D + $1
      if (t >= A && t < B) { sum[]] .. key .. [[] += ]] .. (value or "$12") .. [[; count[]] .. key .. [[]++ }
    }
  } END { for (k in sum) printf "%s %.0f %d\n", k, sum[k], count[k] }]]
  local out = sandbox.sh(("gzip -dc %s | awk -F, -v D=86400000 -v A=%d000 -v B=%d000 %s"):format(FLOWS, from, to, quote(program)))
  local sums, counts = {}, {}
  for name, sum, count in out:gmatch "([^\n]+) (%d+) (%d+)" do sums[name], counts[name] = sum, tonumber(count) end
  return sums, counts
end

return sandbox
