-- Passwords of a proxy's URL and of Basic authorization, in the forms in which they are sent. Python's encoders are the second hand; a server that
-- echoes what it was sent is the proxy.

local json = require "cjson"
local login = require "scrutinizer.secrets.login"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local function python(program, text)
  local path, input = os.tmpname(), os.tmpname()
  support.write(path, program)
  support.write(input, text or "")
  local out = support.shell(("python3 %s < %s"):format(path, input))
  os.remove(path)
  os.remove(input)
  return out
end

describe("the secrets of a login", function()
  it("are those that python finds in a proxy's URL", function()
    local urls = json.decode(python [[
import base64, json, random, urllib.parse
random.seed(5)
out = []
for n in range(300):
    user = "".join(random.choice("abc%+ü@: ") for _ in range(n % 5)).replace(":", "")
    password = "".join(random.choice("xyz:@%/ é\0\xff~") for _ in range(1 + n % 23))
    quoted = urllib.parse.quote(password, safe=random.choice(["", ":", ":~"]))
    scheme = random.choice(["", "http://", "HTTPS://", "socks5h://"])
    end = random.choice(["", ":3128", ":3128/", "/a@b?c@d"])
    out.append({"url": scheme + urllib.parse.quote(user, safe="") + ":" + quoted + "@proxy" + end, "quoted": quoted.encode().hex(),
        "password": password.encode().hex(), "basic": base64.b64encode((user + ":" + password).encode()).hex()})
print(json.dumps(out))
]])
    assert.equal(300, #urls)
    for _, case in ipairs(urls) do
      local found = login.of_proxy(case.url)
      for i, text in ipairs(found) do found[i] = text:gsub(".", function(c) return ("%02x"):format(c:byte()) end) end
      assert.same({ case.quoted, case.password, case.basic }, found, case.url)
    end
  end)

  it("are none where there is no password", function()
    for _, proxy in ipairs {
      "", "proxy", "proxy:3128", "http://proxy:3128/a:b@c", "http://user@proxy:1", "http://user:@proxy:1", "http://[::1]:80",
    } do
      assert.same({}, login.of_proxy(proxy), proxy)
    end
  end)

  it("are those that python finds in a header", function()
    local headers = json.decode(python [[
import base64, json
out = []
for n in range(60):
    password = ("pä:" * 30)[:1 + n] + chr(33 + n)
    out.append(["Basic " + base64.b64encode(("u:" + password).encode()).decode(), password])
print(json.dumps(out))
]])
    for _, case in ipairs(headers) do assert.same({ case[1], case[1]:sub(7), case[2] }, login.of_header(case[1])) end
    assert.same({ "Bearer dTpwYXNz", "dTpwYXNz" }, login.of_header "Bearer dTpwYXNz") -- not "u:pass"
    assert.same({ "Basic ?", "?" }, login.of_header "Basic ?")
    assert.same({ "alone" }, login.of_header "alone")
  end)
end)

local PROXY = [[
import base64, http.server, json, re, urllib.parse
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self):
        self.rfile.read(int(self.headers.get("content-length") or 0))
        basic = (self.headers.get("proxy-authorization") or " ").split(" ", 1)[1]
        text = base64.b64decode(basic).decode()
        quoted = urllib.parse.quote(text.split(":", 1)[-1], safe="")
        body = json.dumps({"err": " | ".join(["sent", basic, text, quoted,
            re.sub("%..", lambda m: m[0].lower(), quoted), json.dumps(text)])}).encode()
        self.send_response(407 if "refuse" in self.path else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    do_GET = do_POST = answer
    def log_message(self, *rest): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
]]

describe("a proxy's password", function()
  it("is masked in all forms in which a proxy can say it, however the proxy is given", function()
    local path = os.tmpname()
    support.write(path, PROXY)
    local pipe = assert(io.popen(("python3 %s & echo pid $!; wait"):format(path)))
    local pid, port
    for _ = 1, 2 do
      local line = pipe:read "*l"
      pid, port = line:match "^pid (%d+)" or pid, line:match "^%d+$" or port
    end
    local good, complaint = pcall(function()
      for _, scheme in ipairs { "http://", "HTTP://", "" } do
        for _, to in ipairs { "http://nowhere.test/", "http://nowhere.test/refuse" } do
          local client = assert(scrutinizer.connect { url = to, token = "a-token-of-the-client", allow_http = true, retry = false,
            proxy = scheme .. "user:" .. "Wort:%22%C3%BC%2Fzwei%25drei" .. "@127.0.0.1:" .. port })
          local value, err = client:ping()
          assert.is_nil(value)
          assert.matches("sent", err.message)
          assert.matches("%*%*%*", err.message)
          for _, part in ipairs { "ort", "zwei", "drei", "dXNlcj", "V29ydD" } do assert.is_nil(err.message:find(part, 1, true), err.message) end
          client:close()
        end
      end
    end)
    support.shell("kill " .. pid)
    pipe:close()
    os.remove(path)
    if not good then error(complaint, 0) end
  end)
end)
