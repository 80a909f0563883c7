-- The process's locale changes nothing of what goes over the wire, into a file, or is hidden. Turkish has another small I, German a comma for a
-- point, and Turkish in eight bits letters above 127. Looked for in: requests' text and order, filters, options, hosts, schemes, names of headers
-- and codings, secrets' names, numbers in JSON, CSV and scripts of charts, sums' order, bills; `.ci/locale` looks at the sources.

local support = require "spec.support"

local quote = support.quote
local folder

-- Built here: the system's own locales stay as they are.
local LOCALES = { ["tr_TR.UTF-8"] = "UTF-8", ["de_DE.UTF-8"] = "UTF-8", ["tr_TR.ISO-8859-9"] = "ISO-8859-9" }

-- Pashto's point is U+066B: two bytes. Lua itself, but for LuaJIT, then reads no 0.5 in a source: the modules are loaded before the locale is set.
local TWO_BYTES = "ps_AF.UTF-8"

-- Every name here is a file whose specs hold in each locale.
local SPECS = "spec/wire/wire_spec.lua spec/query/filters_spec.lua spec/transport/options_spec.lua spec/query/names_spec.lua"
local MORE = " spec/chart/chart_spec.lua spec/export/export_spec.lua spec/billing/invoice_spec.lua" -- on one Lua, with the other point

setup(function()
  folder = os.tmpname()
  os.remove(folder)
  support.shell("mkdir " .. folder)
  local all = { [TWO_BYTES] = "UTF-8" }
  for name, charset in pairs(LOCALES) do all[name] = charset end
  for name, charset in pairs(all) do
    support.shell(("localedef -i %s -f %s %s/%s 2>&1"):format(name:match "^[^.]+", charset, folder, name))
  end
end)

teardown(function() support.shell("rm -rf " .. folder) end)

-- Runs Lua in a locale; what it prints.
local function in_locale(name, arguments)
  return support.shell(("LOCPATH=%s %s -e %s %s 2>&1"):format(folder, support.lua, quote(("assert(os.setlocale %q)"):format(name)), arguments))
end

describe("the locales of these specs", function()
  it("are there, and are what C and Lua follow", function()
    if not os.getenv "SCRUTINIZER_LUA" or not os.getenv "SCRUTINIZER_LUA":find "jit" then
      assert.matches("^0\217\171"
        .. "5 nil\n$", in_locale(TWO_BYTES, "-e " .. quote 'print(("%.1f"):format(1/2), tonumber("0.5"))'):gsub("\t", " "))
      assert.matches("^I 0,5\n$", in_locale("tr_TR.UTF-8", "-e " .. quote 'print(("I"):lower(), ("%.1f"):format(0.5))'):gsub("\t", " "))
    end
  end)
end)

describe("specs in another locale", function()
  for name in pairs(LOCALES) do
    it("pass as ever: " .. name, function()
      if support.sanitized then return end
      local files = SPECS .. (os.getenv "SCRUTINIZER_LUA" == "lua5.4" and name:find "^de" and MORE or "")
      local busted = support.shell "command -v busted":gsub("%s", "")
      local said = in_locale(name, ("%s -o plainTerminal %s"):format(busted, files))
      assert.matches("\n%d+ successes / 0 failures / 0 errors / 0 pending", said)
    end)
  end
end)

local SERVER = [[
import gzip, http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        if "moved" in self.path:
            self.send_response(302)
            self.send_header("LOCATION", "https://elsewhere.test/IN-Istanbul")
            self.send_header("CONTENT-LENGTH", "0")
            self.end_headers()
            return
        body = gzip.compress(('{"err":"you sent %s"}' % self.headers.get("authorization")).encode())
        self.send_response(200)
        self.send_header("CONTENT-ENCODING", "GZIP")
        self.send_header("CONTENT-LENGTH", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_POST = answer
    def log_message(self, *rest): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
]]

local CLIENT = [==[
if arg[2] then
  for i = 3, #arg do require(arg[i]) end
  assert(os.setlocale(arg[2]))
end
local scrutinizer = require "scrutinizer"
local function client(path)
  return assert(scrutinizer.connect { url = "HTTP://127.0.0.1:" .. arg[1] .. path, token = "T0ken-IN-ISTANBUL", allow_http = true, retry = false,
    headers = { AUTHORIZATION = "Basic SVNUQU5CVUw6SVM=", ["X-API-TOKEN"] = "IIIIII" } })
end
print((select(2, client "/":ping())))
print((select(2, client "/moved":ping())))
local query = client "/":report("host2host"):between(0, 600):inbound():where { app_port = "0/ICMP", src_ip = "10.1.1.1" }:set("I", 0.5):set("i", 1e21)
print(query:request().rpt_json)
print(scrutinizer.decode '[1.5,1e-3,18446744073709551615.0]'[1] == 3 / 2, require "scrutinizer.wire".encode { 0.1, 1e-7, 2 ^ 70 })
local ascii = require "scrutinizer.ascii"
print(ascii.format("%.2f %d %s %%", 1.005, 3, "0,5"), ascii.number "0,5", ascii.number "1.5" == 3 / 2)
local decoder = scrutinizer.decoder { direction = "inbound" }
decoder:feed('{"report":{"table":{"inbound":{"columns":[{"elementName":"sum_I"},{"elementName":"\196\177"}],'
  .. '"rows":[[{"rawValue":"1.5"},{"rawValue":"x"}]]}}}}')
for row in decoder:rows() do print(row.sum_I == 3 / 2, row["\196\177"]) end
print(query:keep { sum_octetdeltacount = { min = 0.5, max = 1e21 } }:request().rpt_json == query:request().rpt_json)
local grouped = scrutinizer.decoder { direction = "inbound" }
grouped:feed('{"report":{"table":{"inbound":{"columns":[{"elementName":"sum_a"}],"rows":[[{"rawValue":"0.1"}],[{"rawValue":"-2.5e-1"}]]}}}}')
for row in grouped:rows() do print(ascii.text(row.sum_a), require "scrutinizer.wire".encode { row.sum_a }) end
print(ascii.number "-12.75e2" == -1275, ascii.number "0.1" == 1 / 10, ascii.format("%g %.3e", 1e-7, 12345.678))
local text = {}
scrutinizer.export = require "scrutinizer.export"
scrutinizer.export.csv({ { a = 0.5, b = "I" } }, function(piece) text[#text + 1] = piece return true end)
print(table.concat(text))
]==]

describe("a client in another locale", function()
  it("asks, reads, hides and writes as in C", function()
    local server, script = folder .. "/server.py", folder .. "/client.lua"
    for path, text in pairs { [server] = SERVER, [script] = CLIENT } do
      support.write(path, text)
    end
    local pipe = assert(io.popen(("python3 %s & echo $!"):format(server)))
    local first, second = pipe:read "*l", pipe:read "*l"
    local pid, port = first, second
    if tonumber(first) and tonumber(second) and support.shell("test -d /proc/" .. first .. " && echo y") == "" then pid, port = second, first end
    local good, complaint = pcall(function()
      local plain = in_locale("C", script .. " " .. port)
      assert.matches("you sent %*%*%*", plain)
      assert.matches("elsewhere%.test", plain)
      assert.matches('"0%-1"', (plain:gsub("_?%d?in_", ""))) -- port 0, protocol 1
      for name in pairs(LOCALES) do
        local said = in_locale(name, script .. " " .. port)
        assert.equal(plain, said, name)
        assert.is_nil(said:find("SVNU", 1, true))
      end
      local modules = support.shell "cd lua && find scrutinizer -name '*.lua' ! -name main.lua ! -path '*/meta/*' ! -path '*/wait/*'"
      modules = modules:gsub("/init%.lua", ""):gsub("%.lua", ""):gsub("/", "."):gsub("\n", " ")
      assert.equal(plain, in_locale("C", ("%s %s %s %s"):format(script, port, TWO_BYTES, modules)))
    end)
    support.shell("kill " .. pid)
    pipe:close()
    if not good then error(complaint, 0) end
  end)
end)

describe(".ci/locale", function()
  it("is content with the sources", function()
    assert.equal("", support.shell ".ci/locale 2>&1")
  end)

  it("finds what follows the locale", function()
    local planted = {
      ["lua/a.lua"] = { "local a = b:lower()", "x = y:find '%a+'", "x = y:match \"[%w_]\"", "x = ('%.1f'):format(z)", "x = (\"%g\"):format(z)",
        "table.sort(names)", "x = os.date '%B'", "x = string.upper(y)" },
      ["src/a.c"] = { "  if (strcasecmp(a, b))", "  c = tolower(c);", "  if (isalpha(c))", "  x = strtod(s, NULL);", "  snprintf(s, n, \"%.3f\", x);",
        "  setlocale(LC_ALL, \"\");", "  printf(\"%g\", x);" },
    }
    local root = folder .. "/planted"
    support.shell(("mkdir -p %s/lua %s/src"):format(root, root))
    for path, lines in pairs(planted) do
      for _, line in ipairs(lines) do
        support.write(root .. "/" .. path, line, "\n")
        assert.matches(path:gsub("%.", "%%.") .. ":1:.*<%-", support.shell((".ci/locale %s 2>&1"):format(root)), line)
      end
      os.remove(root .. "/" .. path)
    end
    assert.equal("", support.shell((".ci/locale %s 2>&1"):format(root)))
  end)
end)
