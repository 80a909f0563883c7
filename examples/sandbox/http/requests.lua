-- One API request: its fields from the query, a urlencoded or a multipart body, and its entry in the log.
local json = require "sandbox.http.json"
local store = require "sandbox.state.store"

local requests = {}
local COMMON = { rm = true, action = true, authToken = true }

local function hex(n)
  local file = assert(io.open("/dev/urandom", "rb"))
  local bytes = file:read(n)
  file:close()
  return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

local function parse_urlencoded(text, fields)
  for pair in text:gmatch "[^&]+" do
    local name, value = pair:match "^([^=]*)=?(.*)$"
    fields[#fields + 1] = { ngx.unescape_uri(name), ngx.unescape_uri(value) }
  end
end

-- Parts may say form-data or attachment: curl sends the second when a form's Content-Type is overridden.
local function parse_multipart(text, boundary, fields)
  local mark = "--" .. boundary
  local _, at = text:find(mark, 1, true)
  while at do
    if text:sub(at + 1, at + 2) == "--" then return true end
    local head, body_at = text:match("^\r\n(.-)\r\n\r\n()", at + 1)
    local stop, next_at = text:find("\r\n" .. mark, body_at or #text + 1, true)
    local name = head and head:match '[Nn]ame="([^"]*)"'
    if not stop or not name then return false end
    fields[#fields + 1] = { name, text:sub(body_at, stop - 1) }
    at = next_at
  end
  return false
end

local function read_body()
  ngx.req.read_body()
  local body, path = ngx.req.get_body_data(), ngx.req.get_body_file()
  if not body and path then
    local file = assert(io.open(path, "rb"))
    body = file:read "*a"
    file:close()
  end
  return body or ""
end

-- Returns the encoding's name, or nil and why the body cannot be read.
local function parse_body(request)
  local media = ngx.var.content_type or ""
  local boundary = media:match 'boundary="([^"]+)"' or media:match "boundary=([^;%s]+)"
  local body = read_body()
  if boundary then
    if not parse_multipart(body, boundary, request.fields) then return nil, "multipart body cut or without names" end
    if media:lower():find("multipart/form-data", 1, true) then return "multipart" end
    return "multipart as " .. media:match "^[^;]*"
  end
  if media:lower():find("application/json", 1, true) and body:find "^%s*[{%[]" then return nil, "fields must be form fields, not a JSON body" end
  parse_urlencoded(body, request.fields)
  if media:lower():find("application/x-www-form-urlencoded", 1, true) then return "urlencoded" end
  if not media:lower():find("application/json", 1, true) then request:violate("encoding", "urlencoded body under Content-Type '" .. media .. "'") end
  return "urlencoded as " .. media
end

local TOKEN_HEADERS = { authtoken = true, ["x-auth-token"] = true, ["x-api-key"] = true }

-- The Grafana plugin may send basic authorization, for a proxy.
local function check_token_place(request)
  for name, value in pairs(ngx.req.get_headers()) do
    if TOKEN_HEADERS[name] or (name == "authorization" and not tostring(value):find "^Basic ") then
      request:violate("token place", "a token in the header " .. name)
    end
  end
  if request.method == "POST" and (ngx.var.args or ""):find("authToken=", 1, true) then
    request:violate("token place", "the token in the URL of a POST")
  end
  if request.scheme == "http" and request.value.authToken and not request.plain_allowed then
    request:violate("token place", "the token over plain http")
  end
end

local function take_fields(request)
  for _, field in ipairs(request.fields) do
    local name, value = field[1], field[2]
    if request.value[name] then
      request:violate("field twice", "the form field " .. name)
    else
      request.value[name] = value
    end
  end
end

local function read(request)
  local args = ngx.var.args
  if args and args ~= "" then
    parse_urlencoded(args, request.fields)
    if request.method == "POST" then request:violate("encoding", "fields in the URL of a POST") end
  end
  request.encoding = "query"
  local why
  if request.method == "POST" then request.encoding, why = parse_body(request) end
  take_fields(request)
  check_token_place(request)
  return why
end

local function log(request)
  local fields = {}
  for i, field in ipairs(request.fields) do
    local value = field[1] == "authToken" and "***" or field[2]
    if field[1] == "json" then value = value:gsub('("pass"%s*:%s*)".-[^\\]"', '%1"***"') end
    fields[i] = { field[1], value }
  end
  local path = ngx.var.uri
  store.change(
    "INSERT INTO log (time, request_id, scheme, method, path, encoding, rm, action, fields) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    ngx.now(), request.id, request.scheme, request.method, path, request.encoding or "unreadable",
    request.value.rm, request.value.action, json.write(setmetatable(fields, json.list)))
end

local Request = {}
Request.__index = Request

--- Records a violation by this request that is tolerated.
function Request:violate(rule, text)
  store.violation(rule, text, self.id)
end

--- Records the form fields that are neither common nor in the list.
function Request:check_fields(list)
  local known = {}
  for _, name in ipairs(list) do known[name] = true end
  for _, field in ipairs(self.fields) do
    if not COMMON[field[1]] and not known[field[1]] then self:violate("unknown field", "the form field " .. field[1]) end
  end
end

--- Reads the current request and logs it. Fields: `value` (by name), `fields` (in order), `encoding`, `method`, `scheme`, `id`; `unreadable`
--- says why the body could not be read.
function requests.take(plain_allowed)
  local request = setmetatable({
    id = "0x" .. hex(16), method = ngx.req.get_method(), scheme = ngx.var.scheme, fields = {}, value = {}, plain_allowed = plain_allowed,
  }, Request)
  request.unreadable = read(request)
  log(request)
  ngx.ctx.request_id = request.id
  return request
end

--- Called in the log phase: records how the request ended.
function requests.finish()
  if ngx.ctx.request_id then
    store.change("UPDATE log SET status = ?, bytes = ? WHERE request_id = ?", ngx.status, tonumber(ngx.var.body_bytes_sent), ngx.ctx.request_id)
  end
end

return requests
