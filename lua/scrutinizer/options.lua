--- The options of `connect`: every option is checked at once, and misuse raises with the option's name.

local ascii = require "scrutinizer.ascii"
local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local files = require "scrutinizer.files"
local limits = require "scrutinizer.limits"
local suggest = require "scrutinizer.suggest"
local url = require "scrutinizer.transport.url"
local wait = require "scrutinizer.transport.wait"

local options = {}

-- Checks: each returns the value to use, or nil and what is allowed, or nil, nil and what is wrong with the value.

local function text(value)
  if type(value) == "string" and value ~= "" and not value:find "[%z\r\n]" then return value end
  return nil, "text, not empty, without line breaks"
end

local function flag(value)
  if type(value) == "boolean" then return value end
  return nil, "true or false"
end

local function seconds(value)
  if type(value) == "number" and value > 0 and value <= 1e6 then return value end
  return nil, "seconds, more than 0"
end

local function one_of(...)
  local allowed = { ... }
  return function(value)
    for _, word in ipairs(allowed) do
      if value == word then return value end
    end
    return nil, ('"%s"'):format(table.concat(allowed, '", "'))
  end
end

local function callable(value)
  if type(value) == "function" then return value end
  return nil, "a function"
end

local function token(value)
  if value == false or type(value) == "function" then return value end
  if type(value) == "string" and value ~= "" then return value end
  return nil, "text, a function that returns it, or false for an appliance that accepts this host's address without a token"
end

local function wait_option(value)
  if type(value) == "function" then return value end
  for _, name in ipairs(wait.PRESETS) do
    if value == name then return value end
  end
  return nil, ('"%s", or function(seconds, fds)'):format(table.concat(wait.PRESETS, '", "'))
end

-- Headers that only the client writes, by their lower-case names: which option sets them, or why no option does.
local BODY = "it writes the body; the option encoding selects its form"
local CONNECTION = "it manages its connections; the option http2 selects the protocol"
local OWN = {
  host = "it is the host of url; to connect to another address, use the option resolve", ["user-agent"] = "use the option user_agent",
  ["accept-encoding"] = "it asks for gzip and decompresses the answer itself", ["content-type"] = BODY, ["content-length"] = BODY,
  ["content-encoding"] = BODY, ["transfer-encoding"] = BODY, expect = "it sends the body without waiting for 100 Continue",
  connection = CONNECTION, ["keep-alive"] = CONNECTION, ["proxy-connection"] = CONNECTION, te = CONNECTION, trailer = CONNECTION,
  upgrade = CONNECTION, ["http2-settings"] = CONNECTION,
  ["proxy-authorization"] = 'use proxy = "http://user:password@host:port"; a header would be sent to the appliance',
}

-- A header's value: no control bytes, and no blank at either end, because such a blank is lost on the way.
local function header_value(value)
  if type(value) == "string" and not value:find "[%z\1-\8\10-\31\127]" and not value:find "^[ \t]" and not value:find "[ \t]$" then return value end
end

local function user_agent(value)
  if text(value) and header_value(value) then return value end
  return nil, "text, not empty, without line breaks, other control characters, or spaces at its ends"
end

-- Header lines as libcurl takes them; an empty header needs a semicolon, otherwise libcurl does not send it.
local function headers(value)
  local allowed = 'a table of header names and values, such as { ["X-Name"] = "value" }, without line breaks, other control characters, '
    .. "or spaces at the ends"
  if type(value) ~= "table" then return nil, allowed end
  local out = {}
  for name, content in pairs(value) do
    if type(name) ~= "string" or not name:find "^[A-Za-z0-9!#$%%&'*+.^_`|~-]+$" or not header_value(content) then return nil, allowed end
    local own = OWN[ascii.lower(name)]
    if own then return nil, nil, ("the client sets %s itself: %s"):format(name, own) end
    out[#out + 1] = content == "" and name .. ";" or name .. ": " .. content
  end
  table.sort(out, check.before)
  return out
end

local function resolve(value)
  local allowed = 'a table such as { ["host:443"] = "192.0.2.7" }'
  if type(value) ~= "table" then return nil, allowed end
  local out = {}
  for host, address in pairs(value) do
    if type(host) ~= "string" or not host:find "^[^%s:][^%s]*:%d+$" or not text(address) then return nil, allowed end
    out[#out + 1] = host .. ":" .. address
  end
  table.sort(out, check.before)
  return out
end

local function proxy(value)
  if text(value) and url.is_proxy(value) then return value end
  return nil, "text such as http://host:port or socks5://user:password@host:port (http, https, socks4, socks4a, socks5, socks5h)"
end

-- Checks a table whose members are known, each with its own check.
local check_table

local function members(known)
  return function(value, name)
    if type(value) ~= "table" then return nil, "a table" end
    return check_table(name .. ".", value, known)
  end
end

local TLS = {
  ca_file = text, ca_blob = function(value) return type(value) == "string" and value ~= "" and value or nil, "PEM text" end,
  verify = flag, pin = function(value)
    if type(value) == "string" and value:find "^sha256//[A-Za-z0-9+/]+=*$" then return value end
    return nil, 'text such as "sha256//…=", as errors of kind tls show it'
  end,
  cert = text, key = text, passphrase = text,
}

local function attempts(value)
  local whole = check.integer(value, 1, 100)
  if whole then return whole end
  return nil, "a whole number from 1 to 100"
end

local RETRY = members { attempts = attempts, base = seconds, cap = seconds, deadline = seconds }

local function retry(value, name)
  if value == false then return false end
  if type(value) ~= "table" then return nil, "false, or a table with attempts, base, cap, deadline" end
  return RETRY(value, name)
end

-- The program is run by this path; PATH is not searched.
local function program(value)
  if text(value) and value:find("/", 1, true) then return value end
  return nil, 'the path of reporting.cgi, such as "/home/plixer/scrutinizer/cgi-bin/reporting.cgi"'
end

local KNOWN = {
  command = program,
  url = text, host = text, token = token,
  timeout = seconds, connect_timeout = seconds,
  low_speed = members { bytes = limits.bytes, seconds = seconds },
  tls = members(TLS), allow_http = flag,
  method = one_of("POST", "GET"), encoding = one_of("urlencoded", "multipart"),
  http2 = flag, headers = headers, proxy = proxy, unix_socket = text, resolve = resolve, user_agent = user_agent,
  retry = retry, wait = wait_option,
  on_event = callable,
}
for name, good in pairs(limits.CHECKS) do KNOWN[name] = good end

-- The class of misuse errors inside this file; `options.read` raises their message at the line that called `connect`.
local Misuse = {}

local function misuse(message)
  error(setmetatable({ message = message }, Misuse))
end

local function unknown(prefix, key, known)
  local meant = type(key) == "string" and suggest.nearest(key, known)
  misuse(("connect: unknown option %s%s"):format(prefix, check.show(key):gsub('"', ""))
    .. (meant and "; " .. suggest.did_you_mean(prefix .. meant) or "; allowed: " .. table.concat(check.sorted_keys(known), ", ")))
end

-- Options whose value may be a secret, even by mistake: a key instead of its file's name, a header with credentials.
local SECRET = { token = true, passphrase = true, proxy = true, key = true, cert = true, headers = true }

-- A bad value as a message may show it.
local function shown(key, value)
  local kind = type(value)
  if SECRET[key] and kind ~= "boolean" then return (kind == "string" or kind == "number") and "***" or value end
  if (key == "url" or key == "host") and kind == "string" then return url.shown(value) end
  return value
end

function check_table(prefix, given, known)
  local out = {}
  for key, value in pairs(given) do
    if not known[key] then unknown(prefix, key, known) end
    local good, allowed, wrong = known[key](value, prefix .. key)
    if good == nil then
      local name = "connect: " .. prefix .. key
      misuse(wrong and name .. ": " .. wrong or check.message(name, shown(key, value), allowed))
    end
    out[key] = good
  end
  return out
end

-- An environment variable; an empty one counts as unset.
local function env(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local function find_url(given, otherwise)
  if given.url and given.host then misuse "connect: set url or host, not both" end
  local address = given.url or (given.host and "https://" .. given.host) or env "SCRUTINIZER_URL" or otherwise
  if not address then
    local hidden = wait.environment()
    misuse('connect: no address: set url = "https://…" or host = "…", or the environment variable SCRUTINIZER_URL'
      .. (hidden and "; " .. hidden or ""))
  end
  local parts, complaint = url.split(address)
  if not parts then
    local name = given.url and "url" or given.host and "host" or "SCRUTINIZER_URL"
    misuse(check.message("connect: " .. name, url.shown(address), complaint))
  end
  if parts.scheme == "http" and not given.allow_http then
    misuse "connect: url: over http:// anyone on the network path can read the token; use https://, or set allow_http = true"
  end
  return parts
end

-- A variable that is used only with the host of the environment's URL, or where the environment has no URL.
local function env_for(name, parts)
  local value, env_url = env(name), env "SCRUTINIZER_URL"
  if not value or not env_url then return value end
  local env_parts = url.split(env_url)
  return env_parts and ascii.lower(env_parts.host) == ascii.lower(parts.host) and value or nil
end

local function find_token(given, parts)
  if given.token ~= nil then return given.token end
  return env_for("SCRUTINIZER_TOKEN", parts) or false
end

-- The CA file of the environment, used when no CA certificate is set.
local function find_ca(tls, parts)
  if tls.ca_file or tls.ca_blob then return nil end
  return env_for("SCRUTINIZER_CA", parts)
end

local PEM = { ca_file = "CERTIFICATE", cert = "CERTIFICATE", key = "PRIVATE KEY" }

-- The most bytes of such a file. A system's list of authorities has less than half a megabyte.
local MAX_PEM = 4 * 2 ^ 20

-- One file's PEM text; nil and err. `said` names the option or the variable that names the file.
local function read_pem(name, path, said)
  local content, complaint = files.read(path, MAX_PEM)
  if not content then return errors.fail("tls", ("%s cannot be read: %s"):format(said, complaint)) end
  local pem, what, answer = files.pem(content, PEM[name])
  if pem then return pem end
  return errors.fail("tls", ("%s %s: %s%s"):format(said, what, path, answer and "; " .. answer or ""))
end

-- Files are read now: later the process may be in a chroot, or may have lost the right to read them.
local function read_files(tls, env_ca)
  if tls.ca_file and tls.ca_blob then misuse "connect: set tls.ca_file or tls.ca_blob, not both" end
  for _, name in ipairs { "ca_file", "cert", "key" } do
    if tls[name] then
      local pem, err = read_pem(name, tls[name], name == "ca_file" and env_ca and "SCRUTINIZER_CA" or "tls." .. name)
      if not pem then return nil, err end
      tls[name] = pem
    end
  end
  if tls.key and not tls.cert then misuse "connect: tls.key belongs to a client certificate; set tls.cert too" end
  if tls.ca_blob then
    local pem, what, answer = files.pem(tls.ca_blob, "CERTIFICATE")
    if not pem then misuse(("connect: tls.ca_blob: the text %s; %s"):format(what, answer or "PEM text is required")) end
    tls.ca_blob = pem
  end
  tls.ca_blob = tls.ca_blob or tls.ca_file
  return tls
end

local DEFAULTS = {
  timeout = 300, connect_timeout = 10, allow_http = false, method = "POST", encoding = "urlencoded", http2 = false,
  headers = {}, wait = "auto",
}
for name, value in pairs(limits.DEFAULTS) do DEFAULTS[name] = value end

local NESTED = {
  low_speed = { bytes = 1, seconds = 60 },
  tls = { verify = true },
  retry = { attempts = 4, base = 0.5, cap = 20, deadline = 600 },
}

-- The most bytes that the answer to a plain call may have, when `max_body` is not set.
local MAX_ANSWER = 64 * 2 ^ 20

local function with_defaults(given)
  given.max_answer = given.max_body or MAX_ANSWER
  for name, value in pairs(DEFAULTS) do
    if given[name] == nil then given[name] = value end
  end
  for name, defaults in pairs(NESTED) do
    local group = given[name]
    if group == nil then group = {} end
    for key, value in pairs(group and defaults or {}) do
      if group[key] == nil then group[key] = value end
    end
    given[name] = group
  end
  return given
end

-- Network options, which a command does not use.
local NETWORK = {
  "url", "host", "token", "connect_timeout", "tls", "allow_http", "method", "encoding", "http2", "headers", "proxy", "unix_socket", "resolve",
  "user_agent",
}

-- A command needs no address and no token; `token = false` is accepted.
local function read_command(checked)
  for _, name in ipairs(NETWORK) do
    if checked[name] then misuse(("connect: set command or %s, not both: a command runs on this host, without network or token"):format(name)) end
  end
  checked.token = false
  checked.tls = nil
  return with_defaults(checked)
end

-- The URL of a replayed client that has none.
local REPLAY_URL = "https://recorded.invalid"

local function read(given, replays)
  if type(given) ~= "table" then misuse(check.message("connect", given, "a table of options")) end
  local checked = check_table("", given, KNOWN)
  if checked.command then return read_command(checked) end
  checked.endpoint = find_url(checked, replays and REPLAY_URL)
  checked.token = find_token(checked, checked.endpoint)
  if checked.method == "GET" and checked.encoding == "multipart" then
    misuse 'connect: encoding: "multipart" needs method = "POST"'
  end
  checked = with_defaults(checked)
  if replays then return checked end
  local env_ca = find_ca(checked.tls, checked.endpoint)
  local ca = checked.tls.ca_file or env_ca
  checked.tls.ca_file = ca
  checked.ca = env_ca and "SCRUTINIZER_CA (" .. env_ca .. ")" or ca and "tls.ca_file (" .. ca .. ")" or checked.tls.ca_blob and "tls.ca_blob" or nil
  local tls, err = read_files(checked.tls, env_ca)
  if not tls then return nil, err end
  return checked
end

--- Checks the options of `connect`, reads the files and fills in the defaults. Misuse raises at `level` (as `error` counts from the caller).
---@param given table
---@param level integer
---@param replays? boolean for a replayed client: needs no address, and files are not read
---@return table? checked
---@return scrutinizer.Error? err  kind `tls`: a file that cannot be read
function options.read(given, level, replays)
  local good, checked, err = pcall(read, given, replays)
  if good then return checked, err end
  if getmetatable(checked) == Misuse then error(checked.message, level + 1) end
  error(checked, 0)
end

return options
