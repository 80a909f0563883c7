-- The command beyond rows: series, pictures, completion, many processes at once.
local command = require "spec.command"
local support = require "spec.support"

local good, run, quote = command.good, command.run, support.quote
local WINDOW = ("--between %s %s"):format(command.FROM, command.TO)

describe("scrutinizer series", function()
  support.clean_for_each()

  it("prints a row for each point, whose bytes are the flows'", function()
    local out = good("series srcHosts " .. WINDOW .. " --limit 2 --granularity 30 --bytes --format csv")
    assert.equal("time,epoch,direction,label,other,bytes\r", out:match "^[^\n]*")
    local sum, rows = 0, 0
    for octets in out:gmatch ",(%d+)\r\n" do sum, rows = sum + tonumber(octets), rows + 1 end
    assert.equal(support.awk 'NR>1{s+=$12}END{printf "%.0f", s}', ("%.0f"):format(sum)) -- Other is among them
    assert.equal(3 * 48, rows)
    assert.matches("\n2026%-11%-01T14:00:00Z,1793541600,inbound,157%.240%.30%.63,false,%d+\r\n", out)
  end)

  it("prints bits per second, on the zone's clock", function()
    local out = good("series srcHosts " .. WINDOW .. " --limit 1 --granularity 30 --timezone America/New_York --format ndjson")
    assert.matches('{"time":"2026%-10%-31T20:00:00%-04:00","epoch":1793491200,"direction":"inbound","label":"157.240.30.63","other":false,'
      .. '"bits_per_second":0}\n', out)
    assert.matches('"time":"2026%-11%-01T01:00:00%-04:00","epoch":1793509200', out)
    assert.matches('"time":"2026%-11%-01T01:00:00%-05:00","epoch":1793512800', out)
    local peak = 0
    for rate in out:gmatch '"label":"157.240.30.63","other":false,"bits_per_second":([%d.]+)' do peak = math.max(peak, tonumber(rate)) end
    local octets = support.awk [[NR>1&&$7=="157.240.30.63"{s[int($1/1800000)]+=$12}END{for(k in s)if(s[k]>m)m=s[k];printf "%.0f",m}]]
    assert.is_true(math.abs(peak - tonumber(octets) * 8 / 1800) < 1e-6)
  end)

  it("refuses rates of what is not bytes, and takes its values as they are", function()
    local _, err, status = run("series srcHosts " .. WINDOW .. " --limit 1 --order-by sum_packetdeltacount")
    assert.equal(64, status)
    assert.matches("^scrutinizer: rates: the points are values of", err)
  end)

  it("draws", function()
    local path = command.temporary() .. ".svg"
    assert.equal("", good("series srcHosts " .. WINDOW .. " --limit 3 --format chart --stacked --title Sources -o " .. path))
    local svg = command.contents(path)
    os.remove(path)
    assert.matches("<title>Sources</title>", svg)
    assert.matches('gnuplot_plot_4"[^>]*><title>Other</title>', svg)
    local text = good("series srcHosts " .. WINDOW .. " --limit 1 --format chart --width 70")
    assert.matches("157%.240%.30%.63 %*+", text)
    for line in text:gmatch "[^\n]+" do assert.is_true(#line:gsub("[\128-\191]", "") <= 70, line) end
  end)
end)

describe("scrutinizer report --format chart", function()
  support.clean_for_each()

  it("shows bars on standard output, and rings with shares", function()
    local out = good("report host2host " .. WINDOW .. " --limit 2 --format chart --width 90")
    assert.matches("2 of 5696 rows\n157%.240%.30%.63 – 10%.8%.0%.69 .*█ +192%.1 MB\n195%.113%.214%.205 – 10%.8%.0%.69 .* 39%.4 MB\n$", out)
    out = good("report host2host " .. WINDOW .. " --format chart --chart pie --top 1 --label sourceipaddress")
    assert.matches("\n157%.240%.30%.63 .* 192%.1 MB +50%.2 %%\nOther .* 190%.4 MB +49%.8 %%\n$", out)
  end)

  it("draws files, and says what a picture's name may be", function()
    local path = command.temporary() .. ".png"
    good("report host2host " .. WINDOW .. " --limit 5 --format chart --chart pie -o " .. path)
    assert.equal("\137PNG\r\n", command.contents(path):sub(1, 6))
    os.remove(path)
    local _, err, status = run("report host2host " .. WINDOW .. " --format chart -o picture.gif")
    assert.equal(64, status)
    assert.matches("a path that ends in %.svg, %.png or %.txt", err)
    assert.equal(64, select(3, run("report host2host " .. WINDOW .. " --format chart -o x.svg --split 6h")))
    _, err, status = run("report host2host " .. WINDOW .. " --where ip=192.0.2.77 --format chart")
    assert.equal(76, status)
    assert.matches("there is nothing to draw: the report has no rows", err)
  end)
end)

-- What is the same on every Lua is proven once.
if os.getenv "SANDBOX_CHECKED" then return end

describe("strangers' text", function()
  local HOSTILE = '{"report":{"table":{"inbound":{"columns":[{"elementName":"sourceipaddress","label":"A"}],"rows":[[{"rawValue":'
    .. '"a\\u001b[2Jb\\u0007\\u009b31m\\u00e9\\ttab"}]],"totalRowCount":"1"}}}}'

  it("moves no terminal, and is in files and pipes as it is", function()
    local asked = "report host2host " .. WINDOW .. " --select sourceipaddress --no-header --format "
    local function on_terminal(format)
      support.faults { { kind = "status", status = 200, content_type = "application/json", body = HOSTILE } }
      return (support.terminal(command.ENVIRONMENT .. " " .. command.words .. " " .. asked .. format):gsub("\r", ""))
    end
    assert.equal("a\\x1B[2Jb\\x07\\xC2\\x9B31mé\ttab\n", on_terminal "csv")
    assert.equal('{"sourceipaddress":"a\\u001b[2Jb\\u0007\\xC2\\x9B31mé\\ttab"}\n', on_terminal "ndjson")
    assert.equal("a\\x1B[2Jb\\x07\\xC2\\x9B31mé\\x09tab\n", on_terminal "table")
    support.faults { { kind = "status", status = 200, content_type = "application/json", body = HOSTILE } }
    assert.equal("a\27[2Jb\7\194\15531mé\ttab\r\n", good(asked .. "csv"))
    support.clear()
  end)
end)

describe("a reader that goes", function()
  it("ends the command quietly, also where nobody is told by a signal", function()
    support.clear()
    for _, words in ipairs { "report host2host " .. WINDOW, "report custom_rows_50000 --last 1h --format ndjson",
      "series srcHosts " .. WINDOW .. " --granularity 1 --limit 10", "report host2host " .. WINDOW .. " --format csv" } do
      local out = support.shell(("bash -c %s 2>&1"):format(quote(("trap '' PIPE; %s %s %s | head -n 1 | wc -l; echo ${PIPESTATUS[0]}"):format(
        command.ENVIRONMENT, command.words, words))))
      assert.equal("1\n0\n", out, words)
    end
  end)
end)

describe("completion", function()
  it("knows commands, options, choices, keys and report types", function()
    local script = command.temporary()
    command.write(script, good "--completion bash")
    local function complete(words)
      return support.shell(("bash -c %s"):format(quote(("source %s; COMP_WORDS=(%s); COMP_CWORD=$((${#COMP_WORDS[@]}-1)); _scrutinizer; "
        .. 'echo "${COMPREPLY[@]}"'):format(script, words))))
    end
    assert.equal("series\n", complete "scrutinizer se")
    assert.equal("--stacked\n", complete "scrutinizer series --st")
    assert.equal("csv chart\n", complete "scrutinizer report host2host --format c")
    assert.equal("host2host\n", complete "scrutinizer report host2")
    assert.equal("LastHour\n", complete "scrutinizer explain --range LastH")
    assert.equal("src_ip= src_ip_group=\n", complete "scrutinizer report host2host --where src_ip")
    os.remove(script)
    assert.matches("^#compdef scrutinizer", (good "--completion zsh"))
    assert.matches("complete %-c scrutinizer", (good "--completion fish"))
  end)

  it("covers every command that --help names, each of which has help of its own", function()
    local script, help = good "--completion bash", good "--help"
    local count = 0
    for name in help:match "Commands:\n(.-)\n\n":gmatch "\n?   ([%w-]+)%s%s" do
      assert.is_truthy(script:find(("cmd=%q"):format(name), 1, true), name)
      assert.matches("^Usage: scrutinizer " .. name:gsub("%-", "%%-"), (good(name .. " --help")))
      count = count + 1
    end
    assert.is_true(count >= 7)
  end)
end)

describe("the token", function()
  it("is in no list of processes", function()
    support.clear()
    support.faults { { kind = "delay", seconds = 1 } }
    local box, home = support.sandbox(), command.temporary()
    support.shell("mkdir -p " .. home)
    command.write(home .. "/token", box.token .. "\n")
    local out = support.shell(("env -u SCRUTINIZER_TOKEN HOME=%s %s --url %s --ca %s --token-file %s ping & pid=$!; sleep 0.4; "
      .. "tr '\\0' ' ' </proc/$pid/cmdline; echo; wait $pid"):format(home, command.words, quote(box.url), quote(box.ca), home .. "/token"))
    support.shell("rm -rf " .. home)
    assert.matches("main%.lua %-%-url", out)
    assert.matches("answers\n$", out)
    assert.is_nil(out:find(box.token, 1, true))
    support.clear()
  end)
end)
