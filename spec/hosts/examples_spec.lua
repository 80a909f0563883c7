-- The examples inside other programs, run as `make` runs them: nginx and its page in a real browser, HAProxy, cqueues, luv.
-- They bring their own Lua, so once is enough.
if os.getenv "SANDBOX_CHECKED" or os.getenv "SCRUTINIZER_SANITIZED" then return end

local json = require "cjson"
local servers = require "spec.hosts.servers"
local support = require "spec.support"

local box = support.sandbox()
local quote = support.quote

local function environment(more)
  return ("env SCRUTINIZER_URL=%s SCRUTINIZER_TOKEN=%s SCRUTINIZER_CA=%s %s"):format(
    quote(more and more.url or box.url), quote(box.token), quote(box.ca), more and more.set or "")
end

-- Starts an example, which listens on a port of its own, runs, and ends it.
local function with(example, lua, more, run)
  servers.core(lua, example)
  local port, out = servers.port(), os.tmpname()
  local pid = tonumber(support.shell(("PORT=%d %s examples/%s/start >%s 2>&1 & echo $!"):format(port, environment(more), example, out)))
  local function get(path, options)
    local text = support.shell(("curl -s -g --noproxy '*' --max-time 60 %s 'http://127.0.0.1:%d%s'"):format(options or "", port, path))
    return text
  end
  local good, complaint = pcall(function()
    for _ = 1, 300 do
      if support.shell("cat " .. out):find("http://127.0.0.1:" .. port, 1, true) then break end
      support.shell "sleep 0.1"
    end
    run(get, port)
  end)
  support.shell(("kill %d; while kill -0 %d; do sleep 0.05; done"):format(pid, pid):gsub("kill", "kill 2>/dev/null"))
  local said = support.shell(("cat %s; rm -f %s"):format(out, out))
  assert.is_nil(said:find(box.token, 1, true))
  if not good then
    io.stderr:write(said)
    error(complaint, 0)
  end
  return said
end

-- Octets that awk finds for a source in the recorded day.
local function octets_of(address)
  return support.awk(("NR>1 && $7==%q {s+=$12} END {printf %q, s}"):format(address, "%.0f"))
end

-- What a browser makes of a page.
local function browse(url)
  local chromium = servers.program("chromium", "chromium")
  local home = support.folder()
  local text = support.shell(("timeout 60 %s --headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    .. "--disable-background-networking --disable-component-update --disable-sync --user-data-dir=%s --virtual-time-budget=8000 "
    .. "--dump-dom %s 2>/dev/null"):format(chromium, home, quote(url)))
  support.shell("rm -rf " .. home)
  return text
end

describe("the example inside nginx", function()
  it("gives top talkers as JSON, asked for once however many want them, and draws them", function()
    support.clear()
    with("openresty", "luajit", nil, function(get, port)
      local text = get "/talkers?customer=lab&minutes=1440"
      local report = json.decode(text)
      assert.equal("Lab <b>10.8</b>", report.customer)
      assert.is_true(#report.rows == 10 and report.hosts > 10)
      local last = math.huge
      for _, row in ipairs(report.rows) do
        assert.is_true(tonumber(row.octets) <= last)
        last = tonumber(row.octets)
      end
      -- All the traffic of the heaviest network is with this customer, so its source's sum is the day's.
      assert.equal("157.240.30.63", report.rows[1].address)
      assert.equal(octets_of "157.240.30.63", report.rows[1].octets)
      local asked = #support.log()
      for _ = 1, 5 do assert.matches("X%-Cache: hit", get("/talkers?customer=lab&minutes=1440", "-i")) end
      assert.equal(asked, #support.log())
      assert.matches("404", get("/talkers?customer=nobody", "-i"))
      assert.matches("400", get("/talkers?customer=lab&minutes=7", "-i"))
      assert.matches("# %d+ conversations", get "/raw")
      local page = browse(("http://127.0.0.1:%d/"):format(port))
      assert.matches("of %d+ hosts of Home office", page)
      assert.equal(10, select(2, page:gsub("<meter", "")))
    end)
    assert.same({}, support.violations())
  end)

  it("shows labels as text, whatever they are", function()
    local hostile = '<img src=x onerror=document.title="owned"><script>document.title="owned"</script>&amp;'
    local home = box.ca:match "^(.*)/[^/]*$"
    local answer = json.encode { report = { request_id = "x", table = { inbound = {
      columns = { { elementName = "rank", label = "", title = "Rank" }, { elementName = "sourceipaddress", label = "Source", title = "Source" },
        { elementName = "sum_octetdeltacount", label = "Traffic", title = "Traffic", colHasBbp = 1, canBeRate = 1 } },
      rows = { { { label = "1" }, { rawValue = "192.0.2.1", label = hostile }, { rawValue = "9007199254740993", label = "9 PB" } } },
      totalRowCount = 1, footer = { {}, {} } } } } }
    local port = servers.port()
    local stub = servers.nginx { server = ([[} server {
      listen 127.0.0.1:%d ssl; ssl_certificate %s/server.pem; ssl_certificate_key %s/server.key;
      location / { content_by_lua_block { ngx.req.read_body() ngx.print(%q) } }]]):format(port, home, home, answer) }
    local good, complaint = pcall(with, "openresty", "luajit", { url = "https://127.0.0.1:" .. port }, function(get, at)
      local report = json.decode(get "/talkers?customer=home")
      assert.equal(hostile, report.rows[1].label)
      assert.equal("9007199254740993", report.rows[1].octets)
      local page = browse(("http://127.0.0.1:%d/"):format(at))
      assert.matches("<title>Top talkers</title>", page)
      assert.is_nil(page:find("<img", 1, true))
      assert.is_not_nil(page:find("&lt;img src=x", 1, true), page)
    end)
    stub:stop()
    assert(good, complaint)
  end)
end)

describe("the example inside HAProxy", function()
  -- A request as another proxy hands it on for a client of that address: the answer's first line, its body, seconds.
  local function from(port, address)
    return support.shell(([[python3 -c '
import socket, time
s = socket.create_connection(("127.0.0.1", %d)); begin = time.time()
s.sendall(b"PROXY TCP4 %s 192.0.2.1 1234 80\r\nGET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
out = b""
while True:
  part = s.recv(65536)
  if not part: break
  out += part
print(out.decode().split("\r\n")[0].split(" ")[1], out.decode().strip().split("\n")[-1], int((time.time() - begin) * 1000))
']]):format(port, address))
  end

  it("slows and denies the heaviest sources, and gives the list as CSV", function()
    support.clear()
    -- 157.240.30.63 sent most of the recorded day; 195.113.214.205 comes behind it.
    local first, second = tonumber((octets_of "157.240.30.63")), tonumber((octets_of "195.113.214.205"))
    assert.is_true(first > second and second > 1e6)
    local set = ("HEAVY_WINDOW=1d HEAVY_DENY=%d HEAVY_SLOW=%d BIND=accept-proxy"):format(first, second)
    with("haproxy", servers.haproxy_lua(), { set = set }, function(_, port)
      local said
      for _ = 1, 100 do
        said = from(port, "157.240.30.63")
        if said:find "^429" then break end
        support.shell "sleep 0.1"
      end
      assert.matches("^429 ", said)
      local status, word, ms = from(port, "195.113.214.205"):match "^(%d+) .-(%a+) (%d+)%s*$"
      assert.same({ "200", "slow" }, { status, word })
      assert.is_true(tonumber(ms) >= 240, ms)
      assert.matches("^200 welcome %d+", (from(port, "203.0.113.9"):gsub("welcome%s+", "welcome ")))
    end)
    with("haproxy", servers.haproxy_lua(), nil, function(get)
      local csv = get "/heaviest.csv?minutes=1440"
      assert.matches("^address,octets,packets\r\n", csv)
      assert.matches("# end\r\n$", csv)
      assert.is_not_nil(csv:find(("157.240.30.63,%d,"):format(first), 1, true))
      assert.equal(1002, select(2, csv:gsub("\n", "")))
    end)
    assert.same({}, support.violations())
  end)
end)

describe("the scripts in other loops", function()
  it("run their reports side by side", function()
    for _, path in ipairs { "examples/cqueues_reports.lua", "examples/luv_reports.lua" } do
      local out = support.shell(("%s %s %s 2>&1"):format(environment(), support.lua, path))
      local octets = support.awk 'NR>1{s+=$12}END{printf "%.0f",s}'
      assert.equal(3, select(2, out:gsub(octets .. " octets", "")), out)
      assert.matches("the loop went round meanwhile", out)
    end
  end)
end)
