-- The command as people and schedulers run it: a real process, its output, its exit status.
local cli = require "spec.command"
local support = require "spec.support"

local box, quote = support.sandbox(), support.quote
local run, good, temporary, contents, write = cli.run, cli.good, cli.temporary, cli.contents, cli.write
local ENVIRONMENT, FROM, TO = cli.ENVIRONMENT, cli.FROM, cli.TO

describe("scrutinizer", function()
  support.clean_for_each()

  it("prints a report as CSV, to the octet", function()
    local out = good(("report host2host --between %s %s --select src=sourceipaddress,octets=sum_octetdeltacount --format csv"):format(FROM, TO))
    local sum = 0
    for octets in out:gmatch ",(%d+)\r\n" do sum = sum + tonumber(octets) end
    assert.equal(support.awk "NR>1{s+=$12}END{printf \"%.0f\", s}", ("%.0f"):format(sum))
    assert.equal("src,octets\r", out:match "^[^\n]*")
  end)

  it("says filters, limits and formats in the library's words", function()
    local out = good(("report conversations --between %s %s --where ip=10.8.0.69,10.8.0.1 --where port=443 --exclude src_ip=157.240.30.63 "
      .. "--select from=sourceipaddress,octets=sum_octetdeltacount --order-by sum_octetdeltacount --limit 3 --format ndjson"):format(FROM, TO))
    assert.equal(3, select(2, out:gsub("\n", "")))
    assert.matches('^{"from":"[%d.]+","octets":%d+}\n', out)
    local form = {}
    for _, field in ipairs(support.log()[1].fields) do form[field[1]] = field[2] end
    assert.matches('"in_10%.8%.0%.69_Both"', form.rpt_json)
    assert.matches('"ex_157%.240%.30%.63_src"', form.rpt_json)
    assert.matches('"in_443_both"', form.rpt_json)
  end)

  it("narrows by each --where, and keeps rows by --keep", function()
    local function octets_of(arguments)
      local out, sum = good(("report host2host --between %s %s --select %s --format csv %s"):format(FROM, TO,
        "src=sourceipaddress,dst=destinationipaddress,octets=sum_octetdeltacount", arguments)), 0
      for octets in out:gmatch ",(%d+)\r\n" do sum = sum + tonumber(octets) end
      return ("%.0f"):format(sum)
    end
    local function awk(condition) return support.awk(('NR>1&&(%s){s+=$12}END{printf "%%.0f", s}'):format(condition)) end
    assert.equal(awk '$7=="10.8.0.69"&&$9=="8.8.8.8"', octets_of "--where src_ip=10.8.0.69 --where dst_ip=8.8.8.8")
    assert.equal(awk '$7=="10.8.0.69"&&$9=="8.8.8.8"||$7=="8.8.8.8"&&$9=="10.8.0.69"', octets_of "--where ip=10.8.0.69 --where ip=8.8.8.8")
    assert.equal(awk '$7~/^10\\.8\\./&&$9!="8.8.8.8"&&$9!="8.8.4.4"&&$9~/^8/',
      octets_of "--keep src=10.8.0.0/16 --keep 'dst!=8.8.8.8,8.8.4.4' --keep 'dst^=8'")
    local many = support.awk 'NR>1{o[$7","$9]+=$12}END{for(k in o)if(o[k]>=100000&&o[k]<=200000)s+=o[k];printf "%.0f",s}'
    assert.equal(many, octets_of "--keep 'octets>=100000' --keep 'octets<=200000'")
    local out = good(("explain host2host --between %s %s --keep 'dst*=8.8'"):format(FROM, TO))
    assert.matches('\nkept here: dst contains "8.8"\n', out, 1, true)
    for _, text in ipairs { "dst", "=1", "'octets>=1,2'" } do
      local _, err, status = run(("report host2host --last 5m --keep %s"):format(text))
      assert.equal(64, status)
      assert.truthy(err:find(text:gsub("'", ""):match "^[^>]*", 1, true), err)
    end
  end)

  it("prints an aligned table with units", function()
    local out = good(("report host2host --between %s %s --select src=sourceipaddress,octets=sum_octetdeltacount --limit 2"):format(FROM, TO))
    assert.equal("src                octets\n157.240.30.63    192.1 MB\n195.113.214.205   39.4 MB\n", out)
  end)

  it("writes a file when it is whole", function()
    local path = temporary()
    assert.equal("", good(("report host2host --between %s %s --limit 2 --format csv -o %s"):format(FROM, TO, path)))
    assert.equal(3, select(2, contents(path):gsub("\n", "")))
    os.remove(path)
    support.faults { { kind = "truncate", at = 50000, times = 9 } }
    local _, err, status = run(("report host2host --between %s %s --format csv -o %s"):format(FROM, TO, path))
    assert.matches("^scrutinizer: truncated: ", err)
    assert.equal(75, status)
    assert.is_nil(io.open(path))
  end)

  it("explains without sending", function()
    local out = good "explain host2host --range LastHour --direction both"
    assert.matches("^rm +report_api\n", out)
    assert.matches("\ncurl %-%-silent", out)
    assert.matches("authToken=%*%*%*", out)
    assert.same({}, support.log())
  end)

  it("takes days, months, hours and shifts", function()
    local function sent(arguments)
      local out = good("explain host2host --timezone America/New_York " .. arguments)
      return out:match '"end":(%d+),"start":(%d+)'
    end
    assert.same({ "1793595600", "1793505600" }, { sent "--day 2026-11-01" }) -- 25 hours
    assert.same({ "1793595600", "1793505600" }, { sent "--day 2026-11-02 --shift -1d" })
    assert.same({ "1793509200", "1793505600" }, { sent "--hour 2026-11-01T00" })
    assert.same({ "1793509200", "1793505600" }, { sent "--hour 2026-11-08T00 --shift=-1w" })
    assert.same({ "1796101200", "1793505600" }, { sent "--month 2026-11" })
    local to, from = sent "--day -1"
    assert.is_true(to - from >= 82800 and to - from <= 90000 and tonumber(to) <= os.time())
    assert.same({ "1793595600", "1793505600" }, { sent "--between 2026-11-01 2026-11-02" })
  end)

  it("takes flows of any of the exporters that are named", function()
    local out = good("report tos --between 2026-11-26 2026-11-27 --timezone UTC --exporter core-1 --exporter 192.0.2.2 --select sum_octetdeltacount "
      .. "--format csv --no-header")
    local sum = 0
    for octets in out:gmatch "%d+" do sum = sum + octets end
    assert.equal((support.awk 'NR>1&&($3=="192.0.2.1"||$3=="192.0.2.2"){s+=$12}END{printf "%.0f",s}'), ("%.0f"):format(sum))
  end)

  it("pings, and calls any run mode", function()
    assert.matches("answers\n$", good "ping")
    assert.matches("^{.*}\n$", good "call rm=licensing")
  end)

  it("has an exit status for each way to fail", function()
    local cases = {
      { "report host2host", 64, "give exactly one of --last" }, { "report", 64, "missing argument" },
      { "report host2host --day 2026-11-01", 64, "the query has no time zone; set one, such as --timezone Europe/Berlin" },
      { "report host2host --day 2026-11-01 --last 5m", 64, "give exactly one of --last" },
      { "report host2host --last 5m --shift 7d", 64, "text with a sign" },
      { "report tos --last 5m --exporter 192.0.2.1 --interface 8", 64, "--interface needs --direction" },
      { "report tos --last 5m --exporter core-1 --exporter core-2 --interface 8 --direction both", 64, "--interface needs --exporter, exactly one" },
      { "report tos --last 5m --interface 8 --direction both", 64, "--interface needs --exporter, exactly one" },
      { "report tos --last 5m --limit 5 --limit 6", 64, "option '--limit' must be used at most 1 time" },
      { "report tos --last 5m --select tos --select rank", 64, "option '--select' must be used at most 1 time" },
      { "series tos --last 5m --last 6m", 64, "option '--last' must be used at most 1 time" },
      { "bill --customer a --customer b", 64, "option '--customer' must be used at most 1 time" },
      { "users sync --csv a --csv b", 64, "option '--csv' must be used 1 time" },
      { "report host2host --last 5m --order-by nonsense", 76, "no column 'nonsense' to order by" }, { "nothing", 64, "unknown command" },
      { "report host2host --last 5x", 64, "last: got \"5x\"" }, { "report host2hots --last 5m", 64, "host2host" },
      { "report host2host --last 5m --where ipp=10.1.1.1", 64, "ip" }, { "report nosuchreport --last 5m", 76, "api: the report failed" },
      { "--url https://127.0.0.1:1 ping", 75, "connect: " }, { "--config /nonexistent ping", 78, "No such file" },
      { "report host2host --last 5m -o /nonexistent/x", 74, "file: /nonexistent/x" },
    }
    for _, case in ipairs(cases) do
      local _, err, status = run(case[1])
      assert.equal(case[2], status, case[1] .. ": " .. err)
      assert.is_truthy(err:find(case[3], 1, true), err)
      assert.equal(1, select(2, err:gsub("\n", "")), err)
    end
    assert.same({ "unknown value: orderBy: 'nonsense'" }, support.violations())
    support.clear()
    support.faults { { kind = "bad_token" }, { kind = "html" } }
    assert.equal(77, select(3, run "ping"))
    assert.equal(65, select(3, run "ping"))
  end)

  it("ends quietly when the reader goes", function()
    local command = ENVIRONMENT .. " " .. support.lua .. " lua/scrutinizer/main.lua"
    local out = support.shell(command .. " report custom_rows_50000 --last 1h --format csv 2>&1 | head -n 1")
    assert.equal(1, select(2, out:gsub("\n", "")))
    assert.matches("^rank,sourceipaddress", out)
  end)

  it("shows progress on a terminal's stderr only", function()
    local path = temporary()
    local command = ("%s %s lua/scrutinizer/main.lua report custom_rows_100000 --last 1h --format csv -o %s"):format(ENVIRONMENT, support.lua, path)
    local shown = support.terminal(command)
    -- How many there are is known early or late, as the appliance orders its keys.
    local bar = "\r\27%[K%[=*>? *%]%s*%d+ %%  [%d,]+ of 100,000 rows  [%d.]+ MB"
    assert.is_truthy(shown:find(bar) or shown:find "\r\27%[K[%d,]+ rows  [%d.]+ MB", shown)
    assert.equal("", (support.shell(command .. " 2>&1")))
    os.remove(path)
  end)

  it("gives help to work from, and completion for bash", function()
    assert.matches("Exit status: 0 done; 64 wrong arguments", good "--help")
    assert.matches("%-%-where <key=value>", good "report --help")
    local script = temporary()
    write(script, good "--completion bash")
    local out = support.shell(("bash -c %s"):format(quote("source " .. script
      .. "; COMP_WORDS=(scrutinizer rep); COMP_CWORD=1; _scrutinizer; echo ${COMPREPLY[@]}")))
    assert.equal("report\n", out)
    os.remove(script)
    assert.equal("scrutinizer " .. require("scrutinizer").VERSION .. "\n", good "--version")
  end)
end)

describe("the profile file", function()
  local home, path
  local function environment()
    return "env -u SCRUTINIZER_URL -u SCRUTINIZER_TOKEN -u SCRUTINIZER_CA -u XDG_CONFIG_HOME HOME=" .. quote(home)
  end
  before_each(function()
    support.clear()
    home = temporary()
    path = home .. "/.config/scrutinizer/config.lua"
    support.shell("mkdir -p " .. quote(home .. "/.config/scrutinizer"))
  end)
  after_each(function() support.shell("rm -rf " .. quote(home)) end)

  local function settings() return ("{ url = %q, token = %q, ca_file = %q }"):format(box.url, box.token, box.ca) end

  it("names the appliance, also by profile", function()
    write(path, settings())
    assert.matches("answers", good("ping", environment()))
    write(path, ("return { url = 'https://192.0.2.1', lab = %s }"):format(settings()))
    assert.matches("answers", good("--profile lab ping", environment()))
    local _, err, status = run("--profile none ping", environment())
    assert.equal(78, status)
    assert.matches("no profile", err)
  end)

  -- Every bit of group and others, alone and together; of a file, of a link's target, of a token's file. Modes whose first digits are 0, too.
  it("is refused when others can read it", function()
    local function refused(arguments, mode)
      local _, err, status = run(arguments, environment())
      assert.equal(78, status, mode)
      assert.matches("may hold a secret and others can read it; run chmod 600", err)
    end
    local modes = "644 640 604 610 601 620 602 660 606 004 007 070 040 001 010 4604 1777"
    for mode in modes:gmatch "%d+" do
      write(path, settings(), mode)
      if support.shell "id -u" == "0\n" or mode:find "^%d?6" then refused("ping", mode) end
    end
    local link, token = home .. "/link", home .. "/token"
    support.shell(("ln -s %s %s"):format(quote(path), quote(link)))
    write(path, settings(), "604")
    refused("--config " .. quote(link) .. " ping", "link")
    write(token, box.token, "604")
    refused(("--url %s --token-file %s ping"):format(quote(box.url), quote(token)), "token")
    -- Whatever is in it: other secrets than a token, those of other profiles, faults that hide them from the command.
    for _, text in ipairs {
      "{ url = 'https://192.0.2.1', proxy = 'http://user:password@192.0.2.2' }", "{ lab = { token = 'x' } }", "{ token = 'x",
      "{ token = 'x', urll = 'y' }",
      "{ lab = { proxy = 'http://user:password@192.0.2.2' } }", "{ passphrase = 'x' }", "{ token = nowhere.x }", "not Lua", "7", "",
      ("x"):rep(1100000),
    } do
      write(path, text, "644")
      refused("ping", text:sub(1, 50))
    end
    for _, mode in ipairs { "600", "400", "700" } do
      write(path, settings(), mode)
      assert.matches("answers", good("--config " .. quote(link) .. " ping", environment()))
    end
  end)

  it("is refused when it is another user's", function()
    if support.shell "id -u" ~= "0\n" then return end -- nobody else can make such a file
    write(path, settings())
    support.shell("chown 65534 " .. quote(path))
    local _, err, status = run("ping", environment())
    assert.equal(78, status)
    assert.matches("may hold a secret and it belongs to another user", err)
  end)

  it("is data: no call, no loop, no unknown name", function()
    for _, case in ipairs {
      { "os.exit(3)", "attempt to index" }, { "(function() while true do end end)()", "runs too long" }, { "{ urll = 'x' }", 'did you mean "url"' },
      { "{ url = 5 }", "must be a string" }, { "{", "expected" }, { "7", "no table" },
      -- Functions of C, in which no step is counted, and texts that double: looked for in rep, find, gsub, format, concatenation, tables.
      { '{ url = ("a"):rep(40):find(("a*"):rep(40) .. "b") }', "index" }, { '{ url = ("x"):rep(1e10) }', "index" },
      { '{ url = ("x").rep }', "index" }, { '{ url = ("%s"):format("x") }', "index" },
      { '(function() local s = "x" while true do s = s .. s end end)()', "it uses too much memory" },
      { '(function() local t = {} while true do t = { t, t, "x" } end end)()', "it " },
      { "{ url = '" .. ("x"):rep(1100000) .. "' }", "longer than 1048576 bytes" },
    } do
      write(path, case[1])
      local begun = os.time()
      local _, err, status = run("ping", environment())
      assert.is_true(os.time() - begun < 20)
      assert.equal(78, status, err)
      assert.is_truthy(err:find(case[2], 1, true), err)
    end
  end)

  -- Lua's own messages quote the text. Brothers looked for: each place of llex.c, lparser.c and ldebug.c that quotes; what is checked after reading;
  -- a token in the place of another word; the token's file, a tariff.
  it("is quoted in no message, for it may hold a token", function()
    for _, case in ipairs {
      { '{ token = "sekrit-123', ":1: unfinished string" }, { '{\n\n token = "sekrit-123\n}', ":3: unfinished string" }, { "{ token = [[sekrit",
      ":1: unfinished long string" },
      { "{ token = sekrit-123 }", ":1: only data is allowed, and texts need quotes: attempt to perform arithmetic" },
      { "{ token = 12sekrit }", ":1: " },
      { '{ token = "x",\n url = sekrit sekrit }', ":2: '}' expected" }, { '{ token = "x" }\n"sekrit"', "expected" }, { "{ token = @sekrit }",
      ":1: unexpected symbol" },
      { '{ token = "x\\300sekrit" }', ":1: " }, { "{ token = sekrit() }", "attempt to call" }, { "{ token = sekrit.x }", "attempt to index" },
      { '{ token = "x" .. sekrit }', "attempt to concatenate" }, { "{ token = #sekrit }", "attempt to get length" }, { "{ token = sekrit < 5 }",
      "attempt to compare" },
      { '{ token = "sekrit":x() }', "'}' expected" }, { '{ token = ("sekrit"):x() }', "attempt to " }, { "{ [sekrit] = 5 }", ":1: " },
      { "return {} goto sekrit", ":1: " }, { "return (function() local sekrit <sekrit> = 1 end)()", ":1: " },
      { "return (function() goto sekrit end)()", ":1: " },
      { "return (function() ::sekrit:: ::sekrit:: end)()", ":1: " }, { "return (function(...) sekrit = ... sekrit:x() end)()", "attempt to index" },
      { '{ ["sekrit-123"] = 5 }', ": unknown setting; allowed: url" }, { '{ "sekrit-123" }', ": unknown setting; allowed: url" },
      { '{ sekrit = "token" }', "unknown setting" }, { '{ token = { "sekrit" } }', "token" }, { '{ { token = "sekrit" } }', "unknown setting" },
      { '{ url = "sekrit" }', "url must begin with https://" },
      { '{ verify = "sekrit" }', "verify must be a boolean" }, { '{ proxy = "http://u:sekrit@192.0.2.1\\n", url = "https://192.0.2.1" }', "proxy" },
      { '"sekrit"', "no table" }, { "sekrit", "no table" }, { "{ lab = 'sekrit' }", "unknown setting" },
    } do
      write(path, case[1])
      local out, err, status = run("ping", environment())
      assert.is_true(status == 78 or status == 64, case[1] .. err)
      assert.is_nil((out .. err):find("sekrit", 1, true), case[1] .. err)
      assert.is_nil((out .. err):find("sek", 1, true), case[1] .. err)
      assert.is_truthy(err:find(case[2], 1, true), case[1] .. err)
    end
    write(path, "{ lab = { url = 'https://192.0.2.1', ['sekrit-123'] = 'x' } }")
    local _, err = run("--profile lab ping", environment())
    assert.matches("unknown setting in lab;", err)
    assert.is_nil(err:find("sekrit", 1, true))
    write(path, "{}")
    write(home .. "/token", "token sekrit-123")
    _, err = run(("--url %s --token-file %s ping"):format(quote(box.url), quote(home .. "/token")), environment())
    assert.matches("one token and nothing else", err)
    assert.is_nil(err:find("sekrit", 1, true))
  end)

  it("does not lend its token to another url", function()
    write(path, settings())
    run(("--url %s ping"):format(quote((box.url:gsub("127%.0%.0%.1", "localhost")))), environment())
    for _, request in ipairs(support.log()) do
      for _, field in ipairs(request.fields) do assert.are_not.equal("authToken", field[1]) end
    end
    support.clear()
  end)
end)
