-- The appliance's single URL: reads a request, applies faults, checks the caller, calls the run mode.
local faults = require "sandbox.state.faults"
local json = require "sandbox.http.json"
local keys = require "sandbox.report.keys"
local modes = require "sandbox.modes"
local requests = require "sandbox.http.requests"
local sinks = require "sandbox.http.sink"
local store = require "sandbox.state.store"
local switches = require "sandbox.state.switches"

local api = {}
local NOT_FOUND = "<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>\n"

local function page(status, text)
  ngx.status = status
  ngx.header["Content-Type"] = "text/html"
  ngx.header["Content-Length"] = #text
  ngx.print(text)
end

local function allowed_address(options)
  for address in options.allowed:gmatch "%S+" do
    if address == ngx.var.remote_addr then return true end
  end
  return false
end

-- Whether the request needs no token.
local function is_open(request)
  local mode = modes[request.value.rm]
  return mode ~= nil and mode.open ~= nil and mode.open[request.value.action] == true
end

-- Nil if the caller is allowed, else the error's members.
local function refusal(request, options, forced)
  local token = request.value.authToken
  if not forced and is_open(request) then return nil end
  local by_address = allowed_address(options)
  if forced == "refused" or (options.auth == "address" and not by_address) then
    return { msg = "Request cannot be authenticated.", err = "oauthFailure" }
  end
  if forced ~= "bad_token" and (options.auth == "address" or (options.auth == "either" and by_address)) then return nil end
  if forced ~= "bad_token" and (not token or token == "") then return { err = "Authentication is needed: no authToken was passed." } end
  if forced == "bad_token" or token ~= store.token() then return { err = "The authentication token is not valid.", details = "invalidToken" } end
end

local function route(request, options, sink)
  if request.unreadable then error({ err = request.unreadable }, 0) end
  local name = request.value.rm
  if not name then error({ err = "No run mode (rm) was passed." }, 0) end
  local mode = modes[name]
  if not mode then error({ err = ("Run mode '%s' is not known."):format(name) }, 0) end
  request:check_fields(mode.fields)
  mode.run(request, options, sink)
end

local function send_error(sink, err, options)
  if type(err) ~= "table" then
    ngx.log(ngx.ERR, tostring(err))
    err = { err = "Internal error: " .. tostring(err) }
  end
  if err.gone then return end
  if sink.started then return ngx.exit(499) end
  sink.parts, sink.held = {}, 0
  local members = {}
  for _, key in ipairs { "msg", "err", "details" } do
    if err[key] then members[#members + 1] = json.string(key) .. ":" .. json.string(err[key]) end
  end
  if err.report then members = { '"report":{"error":' .. json.string(err.report) .. "}" } end
  sink:write(json.object(keys.arrange(options, members)))
  sink:finish()
end

local function serve(plain)
  local request = requests.take(plain)
  if request.method ~= "GET" and request.method ~= "POST" then return page(405, "<html><h1>Method Not Allowed</h1></html>\n") end
  local now = faults.take()
  if faults.before(now) then return end
  local options = switches.current(now.overlay)
  options.random = keys.generator(options.seed)
  local sink = sinks.new(options, now.effects, now.declared)
  local refused = refusal(request, options, now.forced)
  if refused then
    ngx.status = tonumber(options.error_status)
    return send_error(sink, refused, options)
  end
  if now.forced == "report_error" then return send_error(sink, { report = now.text or "The report could not be run." }, options) end
  local ok, err = pcall(route, request, options, sink)
  if not ok then send_error(sink, err, options) end
end

--- The API over TLS.
function api.serve() serve(false) end

--- Any other path over TLS.
function api.not_found()
  requests.take(false)
  page(404, NOT_FOUND)
end

-- What a 302 keeps of path and query.
local LEFT = {
  origin = function() return "/" end,
  query_lost = function() return ngx.var.uri end,
  kept = function() return ngx.var.request_uri end,
}

--- Plain http: a 302 to https, or the API itself.
function api.serve_plain()
  local kind = switches.current().http
  local is_api = ngx.var.uri == "/fcgi/scrut_fcgi.fcgi"
  if kind == "serve" and is_api then return serve(true) end
  requests.take(kind == "serve")
  if kind == "serve" then return page(404, NOT_FOUND) end
  local origin = ("https://%s:%s"):format(ngx.var.host, os.getenv "SANDBOX_HTTPS_PORT")
  ngx.header["Location"] = origin .. LEFT[kind]()
  page(302, "<html><head><title>302 Found</title></head><body><h1>Found</h1></body></html>\n")
end

return api
