--- What specs share: the sandbox of this test run, watched and steered by curl (never by our client), and clocks of memory.

local assert = require "luassert"
local json = require "cjson"

local support = {}

local function read_all(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return text
end
support.shell = read_all

--- The bytes of a file that must be there.
function support.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

--- Writes a file anew, of these texts.
function support.write(path, ...)
  local file = assert(io.open(path, "wb"))
  file:write(...)
  file:close()
end

--- What the rockspec says: { package =, build =, … }.
function support.rockspec()
  local env, path = {}, "rockspec/scrutinizer-dev-1.rockspec"
  local chunk = rawget(_G, "setfenv") and setfenv(assert(loadfile(path)), env) or assert(loadfile(path, "t", env)) -- luacheck: ignore
  chunk()
  return env
end

--- A new folder; who asks for it removes it.
function support.folder()
  return (support.shell("mktemp -d"):gsub("%s+$", ""))
end

--- A new folder with the certificates of spec/certificates.sh.
function support.certificates()
  local folder = support.folder()
  assert(support.shell(("spec/certificates.sh %s >%s/said 2>&1 && echo made"):format(folder, folder)) == "made\n", "openssl cannot make certificates")
  return folder
end

--- The command of the Lua under test, for children: with the sanitizers' libraries where the core needs them.
support.lua = (os.getenv "SCRUTINIZER_WRAP" or "") .. " " .. (os.getenv "SCRUTINIZER_LUA" or "lua5.4")

--- Whether this run is watched by sanitizers or valgrind: then memory figures mean nothing, and loops are shorter.
support.sanitized = os.getenv "SCRUTINIZER_SANITIZED" ~= nil

--- Quotes a text for the shell.
function support.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- Stands before a command where no devpts is mounted, as in a bare chroot: root mounts one for it alone. It is unmounted too, since a chroot
-- cannot keep its mounts from those who made it.
local WITH_DEVPTS = "unshare --mount --propagation unchanged sh -c 'mount -t devpts devpts /dev/pts && "
  .. "{ \"$@\"; status=$?; umount /dev/pts; exit $status; }' sh "

--- What a shell command prints on a terminal.
function support.terminal(command)
  local on = "script -qec %s /dev/null </dev/null"
  for _, before in ipairs { "env -u LD_PRELOAD ", "env -u LD_PRELOAD " .. WITH_DEVPTS } do
    if read_all(before .. on:format "true" .. " 2>&1 && echo yes") == "yes\n" then return read_all(before .. on:format(support.quote(command))) end
  end
  error("this spec needs a terminal, and there is none: mount one with `mount -t devpts devpts /dev/pts`", 0)
end

--- The sandbox that spec/run started: { url =, token =, ca = }.
function support.sandbox()
  local line = os.getenv "SCRUTINIZER_SANDBOX" or ""
  local url, token, ca = line:match "^(%S+) token=(%S+) ca=(%S+)"
  assert(url, "start specs with make test, or set SCRUTINIZER_SANDBOX to the line that make sandbox prints")
  return { url = url, token = token, ca = ca }
end

--- Options of a client for the sandbox: these, added to url, token and CA. It asks once: what is asked again is the matter of specs that say so.
function support.options(options)
  local box = support.sandbox()
  local all = { url = box.url, token = box.token, tls = { ca_file = box.ca }, retry = false }
  for name, value in pairs(options or {}) do all[name] = value end
  return all
end

local open = setmetatable({}, { __mode = "k" }) -- the clients that `client_for_each` closes

--- A client with those options.
function support.connect(options)
  local client = assert(require("scrutinizer").connect(support.options(options)))
  open[client] = true
  return client
end

--- Where a broken walk goes on, without what proves it: that is opaque.
function support.place(resume)
  if type(resume) ~= "table" then return resume end
  local plain = {}
  for name, value in pairs(resume) do
    if name == "proof" then
      assert(type(value) == "string")
    else
      plain[name] = support.place(value)
    end
  end
  return plain
end

--- All rows that a cursor still gives, the error that ends them if there is one, and the cursor.
function support.rest(cursor)
  local list = {}
  local row, err = cursor:next()
  while row do
    list[#list + 1] = row
    row, err = cursor:next()
  end
  return list, err, cursor
end

--- The same of a query.
function support.walk(query) return support.rest(query:rows()) end

--- The message of a misuse, without its place, which must be the one line of `call`.
function support.complaint(call)
  local ok, message = pcall(call)
  assert.is_false(ok)
  local from = debug.getinfo(call, "S")
  local place = ("%s:%d: "):format(from.short_src, from.linedefined)
  assert.equal(place, message:sub(1, #place), message)
  return message:sub(#place + 1)
end

--- Asserts that these are the rows `from` (1 for the first) to `to` of a whole report. Rows over pages have the same ranks: the sandbox
--- counts them over the report.
function support.same_rows(whole, got, from, to)
  assert.equal(math.max(0, to - from + 1), #got)
  for i, row in ipairs(got) do assert.same(whole[from + i - 1], row) end
end

local function control(page, arguments)
  local box = support.sandbox()
  local text = read_all(("curl -sS --cacert %s %s %s/sandbox/%s"):format(support.quote(box.ca), arguments or "", box.url, page))
  return json.decode(text)
end

local function post(page, value)
  local answer = control(page, "--data-binary " .. support.quote(json.encode(value)))
  assert(answer.ok, answer.error)
end

--- Makes the sandbox forget its faults, switches, log and violations.
function support.clear()
  control("all", "-X DELETE")
end

--- Puts a part of the sandbox's state back to what it was at first, such as "accounts".
function support.reset(part)
  control(part, "-X DELETE")
end

--- The sandbox's own database, quoted for the shell.
function support.database()
  return support.quote(support.sandbox().ca:match "^(.*)/[^/]*$" .. "/database")
end

--- Rows of the sandbox's own database, read with the sqlite3 command: each row a text, its columns joined by "|".
function support.state(sql)
  local rows = {}
  for line in read_all(("sqlite3 %s %s"):format(support.database(), support.quote(sql))):gmatch "[^\n]+" do rows[#rows + 1] = line end
  return rows
end

--- Rules of an IP group as the sandbox keeps them, by their ids: "type address mask sip eip child".
function support.rules(group)
  local sql = "SELECT type, address, mask, sip, eip, child_id FROM ip_group_rules WHERE group_id = %d ORDER BY rule_id"
  local rows = support.state(sql:format(group))
  for i, row in ipairs(rows) do rows[i] = row:gsub("|+", " "):gsub(" $", "") end
  return rows
end

--- Faults for the next API requests: a list of { kind =, times =, … }; see examples/sandbox/README.md.
function support.faults(list)
  post("faults", list)
end

--- The next API request gets this body of JSON.
function support.answer_with(body, status)
  support.faults { { kind = "status", status = status or 200, body = body, content_type = "application/json" } }
end

--- Lasting switches: { name = value }.
function support.switches(map)
  post("switches", map)
end

--- The API requests that the sandbox saw since the last clear.
function support.log()
  return control "log"
end

--- What the sandbox had to be lenient about since the last clear; an end-to-end spec ends by finding none.
function support.violations()
  local found = {}
  for i, row in ipairs(control "violations") do found[i] = ("%s: %s"):format(row.rule, row.text) end
  return found
end

--- For a group of specs: each begins with a sandbox that was cleared, then with what `prepare` does, and ends without violations.
function support.clean_for_each(prepare)
  local busted = require "busted"
  busted.before_each(function()
    support.clear()
    if prepare then prepare() end
  end)
  busted.after_each(function() assert.same({}, support.violations()) end)
end

--- The same with a client of its own for each: `take` gets it and may prepare more; `options` as of `connect`. At the end it is closed, and so
--- are the other clients of `connect`.
function support.client_for_each(take, options)
  require("busted").after_each(function()
    for client in pairs(open) do client:close() end
    open = setmetatable({}, { __mode = "k" })
  end)
  support.clean_for_each(function() take(support.connect(options)) end)
end

--- Rows of the recorded flows, as awk sums them: `program` sees the columns of flows.csv by position.
function support.awk(program)
  return read_all(("zcat examples/sandbox/flows.csv.gz | awk -F, %s"):format(support.quote(program)))
end

--- luv, opened once in this process. busted forgets loaded modules after each file; opened again, luv would use the loop of before, whose memory
--- is gone.
function support.luv()
  local registry = debug.getregistry()
  registry["spec.luv"] = registry["spec.luv"] or require "luv"
  package.loaded.luv = registry["spec.luv"]
  return package.loaded.luv
end

--- This process's resident memory in KiB.
function support.rss()
  local file = assert(io.open "/proc/self/status")
  local kib = file:read("*a"):match "VmRSS:%s+(%d+)"
  file:close()
  return tonumber(kib)
end

--- How many descriptors this process has open: after a moment, since the pipe to the command that counts is itself open on both ends for
--- an instant.
function support.descriptors()
  return tonumber((read_all "sleep 0.1; ls /proc/$PPID/fd | wc -l"))
end

--- Collects all garbage, finalizers' too.
function support.collect()
  for _ = 1, 3 do collectgarbage() end
end

return support
