-- README is true: its scripts run, its commands are understood, the names in it exist, and what exists is in it.
if os.getenv "SANDBOX_CHECKED" then return end

local command = require "spec.command"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local README = command.contents "README.md"
local box = support.sandbox()

-- Makes README's script one for the sandbox: its address, its CA, a window in which it has flows.
local PREAMBLE = [[
local scrutinizer = require "scrutinizer"
local options = { url = %q, token = %q, tls = { ca_file = %q } }
local client = assert(scrutinizer.connect(options))
local secret = "not for print"
local query = client:report("srcHosts"):between("2026-11-01T00:00:00Z", "2026-11-01T06:00:00Z"):limit(5)
]]

local function adapt(block)
  block = block:gsub("https://scrutinizer%.example%.net", box.url):gsub("/etc/ssl/scrutinizer%.pem", box.ca)
  block = block:gsub("10%.1%.1%.1", "10.8.0.69"):gsub("2026%-10", "2023-10")
  return PREAMBLE:format(box.url, box.token, box.ca) .. "do\n" .. block .. "\nend\n"
end

-- Each script by a word that only it has: what it leaves, given its folder and its output.
local BLOCKS = {
  ['client:report("host2host"):last("24h"):where'] = function(_, out)
    assert.matches("157%.240%.30%.63\t10%.8%.0%.69\t192133242\n", out)
    assert.equal(50, select(2, out:gsub("\n", "")))
  end,
  ['export.csv(query, "top.csv")'] = function(folder) assert.equal(6, select(2, command.contents(folder .. "/top.csv"):gsub("\n", ""))) end,
  ['chart.series(query, "sources.svg"'] = function(folder, out)
    assert.matches("<svg", command.contents(folder .. "/sources.svg"))
    assert.matches("^\137PNG", command.contents(folder .. "/shares.png"))
    assert.matches("157%.240%.30%.63 +█", out)
  end,
  -- By awk, as below: any 24 hours hold the whole recorded day.
  ['integers = "int64"'] = function(_, out)
    assert.equal(support.awk [[NR > 1 { all += $12; sum[$7 " " $9] += $12 }
      END { for (k in sum) if (sum[k] > most) most = sum[k]; printf "%.0f\t%.0f\n", all, most }]], out)
  end,
  -- By awk over the flows that are recorded, of which the sandbox's day consists.
  ["by = { net ="] = function(_, out)
    assert.equal(support.shell [[gzip -dc examples/sandbox/flows.csv.gz | awk -F, 'NR > 1 &&
      split($7, a, ".") == 4 { sum[a[1] "." a[2] "." a[3] ".0/24"] += $12 }
      END { for (net in sum) if (sum[net] > sum[most]) most = net; print most "\t" sum[most] }']], out)
  end,
  ["client.users:create"] = function(_, out)
    assert.equal("2\t0\t0\n", out)
    local client = support.connect()
    assert.is_nil((client.ip_groups:find "Branches"))
    assert.same({ { name = "viewer" } }, { { name = client.users:delete { "viewer" }[1].name } })
  end,
  ["billing.invoice {"] = function(_, out) assert.matches("ACME", out) end,
  -- 31 days from 16 October, one of them of 25 hours.
  ["billing.rule {"] = function(_, out) assert.matches("Discount, 31 days +%-1%.55\nSubtotal +", out) end,
  ["scrutinizer.recorder"] = function(folder) assert.matches("host2host", command.contents(folder .. "/spec/answers.ndjson")) end,
  ['io.open("answer.json", "rb")'] = function(_, out) assert.equal("10.8.0.1\t7\n", out) end,
}

local ANSWER = '{"report":{"table":{"inbound":{"columns":[{"elementName":"sourceipaddress"},{"elementName":"sum_octetdeltacount"}],'
  .. '"rows":[[{"rawValue":"10.8.0.1"},{"rawValue":"7"}]],"totalRowCount":"1"}}}}'

local function run(block, folder)
  command.write(folder .. "/answer.json", ANSWER)
  support.shell("mkdir -p " .. folder .. "/spec")
  command.write(folder .. "/block.lua", adapt(block:gsub("…", 'assert(client:report("host2host"):last("1h"):first())')))
  local paths = ("LUA_PATH=%s LUA_CPATH=%s"):format(support.quote((package.path:gsub("%./", support.shell("pwd"):match "%S+" .. "/"))),
    support.quote(package.cpath))
  local appliance = ("SCRUTINIZER_URL=%s SCRUTINIZER_CA=%s SCRUTINIZER_TOKEN=%s"):format(box.url, box.ca, box.token)
  return support.shell(("cd %s && env %s %s %s block.lua 2>&1; printf ' %%d' $?"):format(folder, appliance, paths, support.lua))
end

describe("README", function()
  local seen = 0
  for block in README:gmatch "\n```lua\n(.-)\n```" do
    seen = seen + 1
    it("holds scripts that run: " .. block:match "[^\n]*", function()
      support.clear()
      local folder = support.folder()
      local good, err = pcall(function()
        local check
        for word, case in pairs(BLOCKS) do check = block:find(word, 1, true) and case or check end
        assert.is_function(check, "no case for\n" .. block)
        local out, status = run(block, folder):match "^(.*) (%d+)$"
        assert.equal("0", status, out)
        check(folder, out)
      end)
      support.shell("rm -rf " .. folder)
      if not good then error(err, 0) end
      assert.same({}, support.violations())
    end)
  end

  it("holds all scripts that this spec knows", function()
    local count = 0
    for word in pairs(BLOCKS) do
      assert.is_truthy(README:find(word, 1, true), word)
      count = count + 1
    end
    assert.equal(count, seen)
  end)

  it("shows commands that the command understands", function()
    local count = 0
    for line in README:gmatch "\n    (scrutinizer %l[^\n]*)" do
      if not line:find "…" then
        local words = line:gsub("^scrutinizer ", ""):gsub(" +#.*", ""):gsub(" | .*", "") -- without a remark, without what reads its output
        local _, err, status = command.run(words .. " --help")
        assert.equal(0, status, line .. "\n" .. err)
        count = count + 1
      end
    end
    assert.is_true(count >= 4)
  end)

  it("names methods of the query that exist, and all of them", function()
    local methods = getmetatable(support.connect():report "host2host").__index
    for name in README:match "\n| method | says |\n(.-)\n\n":gmatch "`:([%l_]+)" do assert.is_function(methods[name], ":" .. name) end
    for name in README:gmatch "query:([%l_]+)" do assert.is_function(methods[name], "query:" .. name) end
    for name in pairs(methods) do assert.is_truthy(README:find(":" .. name, 1, true), name .. " is not in README") end
  end)

  it("names the groups of calls, the kinds of errors and the files that exist", function()
    local parts = support.shell "sed -n '/^local PARTS = {/,/^}/p' lua/scrutinizer/client.lua"
    for name in parts:gmatch '([%w_]+) = "' do assert.is_truthy(README:find("client%." .. name) or README:find("%." .. name), name) end
    for kind in command.contents "lua/scrutinizer/errors.lua":gmatch '\n%-%-%-| "(%l+)"' do
      assert.is_truthy(README:find("`" .. kind .. "`", 1, true), kind)
    end
    for path in README:gmatch "`([%w_][%w_/]*/[%w_]+%.%l+)`" do
      if not path:find "^build/" then -- what make leaves there
        local file = assert(io.open(path) or io.open("lua/scrutinizer/" .. path) or io.open("examples/" .. path), path)
        file:close()
      end
    end
    local targets = command.contents "Makefile":match "\n%.PHONY:([^\n]*)" .. " "
    for target in README:gmatch "`?make (%l+)" do assert.is_truthy(targets:find(" " .. target .. " ", 1, true), target) end
  end)
end)

describe("CHANGELOG", function()
  it("begins with the version that the library says", function()
    assert.equal(scrutinizer.VERSION, command.contents "CHANGELOG.md":match "\n## (%S+)")
  end)
end)
