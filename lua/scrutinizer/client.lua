--- The client: one appliance, its token and its connections. Made by `scrutinizer.connect`.

local call = require "scrutinizer.transport.call"
local check = require "scrutinizer.check"
local command = require "scrutinizer.transport.command"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local events = require "scrutinizer.transport.events"
local exchange = require "scrutinizer.transport.exchange"
local gather = require "scrutinizer.report.gather"
local listing = require "scrutinizer.listing"
local login = require "scrutinizer.secrets.login"
local options = require "scrutinizer.options"
local pace = require "scrutinizer.transport.pace"
local query = require "scrutinizer.query"
local redirect = require "scrutinizer.transport.redirect"
local report_json = require "scrutinizer.query.report_json"
local secrets = require "scrutinizer.secrets"
local url = require "scrutinizer.transport.url"
local wait = require "scrutinizer.transport.wait"
local warm = require "scrutinizer.transport.warm"
local wire = require "scrutinizer.wire"

---@class scrutinizer.Client
---@field url string          where requests go; with `command`, the program's path
---@field command? string     the program that is run instead of sending requests
---@field has_token boolean   false: the appliance may refuse because no token is sent
---@field users scrutinizer.Users
---@field groups scrutinizer.Groups               groups of users
---@field ip_groups scrutinizer.IpGroups
---@field devices scrutinizer.Devices
---@field device_groups scrutinizer.DeviceGroups
---@field exporters scrutinizer.Exporters         finds exporters by any of their names
---@field interfaces scrutinizer.Interfaces
---@field hosts scrutinizer.Hosts
---@field capture_rules scrutinizer.CaptureRules
---@field entities scrutinizer.Entities
---@field forecasts scrutinizer.Forecasts
---@field private _options table    checked options, without the token
---@field private _private table    functions that use the token and the connections, which themselves stay hidden
local methods = {}
local Client = { __name = "scrutinizer.Client" }

-- Groups of calls, such as `client.users`. Each is loaded at its first use, and its module has `new(client)`.
local PARTS = {}
for _, name in ipairs {
  "capture_rules", "device_groups", "devices", "entities", "exporters", "forecasts", "groups", "hosts", "interfaces", "ip_groups", "users",
} do
  PARTS[name] = "scrutinizer.manage." .. name
end

function Client:__index(name)
  local method = methods[name]
  if method then return method end
  local part = PARTS[name]
  if not part then return nil end
  local made = require(part).new(self)
  rawset(self, name, made)
  return made
end

function Client:__tostring()
  return ("scrutinizer.Client: %s%s"):format(errors.neutral(self.url), self._private.closed() and " (closed)" or "")
end

-- The options that every request of this client shares.
local function transport_of(o)
  local common = {
    connect_timeout = o.connect_timeout, headers = o.headers, http2 = o.http2, proxy = o.proxy,
    unix_socket = o.unix_socket, resolve = o.resolve, allow_http = o.allow_http,
    user_agent = o.user_agent or "scrutinizer-lua/" .. core.VERSION,
    ca_blob = o.tls.ca_blob, verify = o.tls.verify, pin = o.tls.pin,
    cert = o.tls.cert, key = o.tls.key, passphrase = o.tls.passphrase,
  }
  local function copied()
    local copy = {}
    for name, value in pairs(common) do copy[name] = value end
    return copy
  end
  -- Addresses looked up by `warm` come before those of the option `resolve`.
  local function resolved(entries)
    for _, entry in ipairs(o.resolve or {}) do entries[#entries + 1] = entry end
    common.resolve = entries
  end
  return copied, resolved
end

-- Secrets among the options: the passphrase, the proxy's password, headers with credentials. (A token is added when it is sent.)
local function secrets_of(given)
  local set = secrets.new { given.tls.passphrase }
  local function add(list)
    for _, secret in pairs(list) do set.add(secret) end
  end
  for _, proxy in ipairs(given.proxy and { given.proxy } or login.environment()) do add(login.of_proxy(proxy)) end
  for _, line in ipairs(given.headers or {}) do
    local name, value = line:match "^([^:]*): (.*)$"
    if name and secrets.is_name(name) then
      add(login.of_header(value))
    end
  end
  return secrets.new({}, set) -- tokens may change often; they must not push these secrets out
end

-- What the client must not show. Token and passphrase are kept in closures, so that a dump of the client's tables does not print them.
local function make_private(given, token, through)
  local http, closed
  local running = setmetatable({}, { __mode = "k" })
  local private = { host = wait.resolve(given.wait), secrets = secrets_of(given) }
  private.transport, private.resolved = transport_of(given)
  given.tls, given.proxy, given.headers = nil, nil, nil
  local function fresh() return given.command and core.command() or core.http() end
  -- The object that runs the transfers, made at first use or with `again`; nil and err when it cannot be made.
  function private.multi(again)
    if http and not again then return http end
    if not through then
      http = fresh()
      return http
    end
    local err
    http, err = through.multi(fresh, again, private.secrets, given.endpoint and given.endpoint.host)
    return http, err
  end
  function private.closed() return closed end
  function private.pause(over, seconds) return pace.pause(private.host, over, seconds) end
  -- Registers an object to be cancelled when the client closes: `cancel(object, why)`. The table is weak and keeps no object alive.
  function private.watch(object, cancel) running[object] = cancel end
  function private.close()
    closed = true
    for object, cancel in pairs(running) do cancel(object, "the client was closed") end
    if http then http:close() end
  end
  function private.token()
    local value = token
    if type(token) == "function" then value = token() end
    if value ~= false and (type(value) ~= "string" or value == "") then
      error(check.message("connect: token()", type(value), "a function that returns the token's text"), 0)
    end
    private.secrets.add(value)
    return value
  end
  -- Text from outside with the secrets masked: tokens that were sent, passphrase, password.
  function private.mask(text) return private.secrets.mask(text) end
  return private
end

-- `through` is a recorder's layer between the client and its connections: { replays = whether it replays, open(has_token) → true or nil and err,
-- has_token() for a client that is replayed, multi(make, again, secrets, host) → an object with the methods of core.http }.
local function build(given, level, through)
  local checked, err = options.read(given, level, through and through.replays)
  if not checked then return nil, err end
  local token = checked.token
  checked.token = nil
  local has_token = token ~= false or checked.command ~= nil -- a command needs none
  if through then
    local ok
    ok, err = through.open(has_token)
    if not ok then return nil, err end
    if through.replays then token, has_token = false, through.has_token() end
  end
  return setmetatable({
    url = checked.command or url.join(checked.endpoint),
    command = checked.command,
    has_token = has_token,
    _options = checked,
    _replays = through and through.replays,
    _private = make_private(checked, token, through),
  }, Client)
end

-- While the host loads, load the modules that are otherwise loaded at first use: after a chroot their files may be out of reach.
local function load_all()
  require "scrutinizer.report.cursor"
  for _, part in pairs(PARTS) do require(part) end
end

--- Makes a client: checks every option and reads the certificate files, but opens no connection. Misuse raises.
---@param given table see the README's table of options
---@return scrutinizer.Client? client
---@return scrutinizer.Error? err kind `tls`: a certificate or key file that cannot be read
local function connect(given)
  if wait.loading() then load_all() end
  return errors.result(build(given, 3))
end

-- The request for a form, in the client's method and encoding. The token is its last field, unless the form is `open` (needs no token).
local function request_of(client, form, open)
  if client.command then return command.request(client.command, form) end
  local o, request, fields = client._options, client._private.transport(), wire.form_list(form)
  local token = not open and client._private.token()
  if token then fields[#fields + 1] = { wire.form.token, token } end
  request.method, request.url = o.method, client.url
  if o.method == "GET" then
    request.url = client.url .. "?" .. wire.urlencode(fields)
  elseif o.encoding == "multipart" then
    request.form = fields
  else
    request.body = wire.urlencode(fields)
  end
  return request
end

-- Before the token is sent over http: one GET without any field. An appliance with TLS answers it with a redirect.
local function probe(client)
  local request = client._private.transport()
  request.method, request.url = "GET", client.url
  local x, err = exchange.start(client, request)
  if not x then return nil, err end
  local info, who
  info, err = x:answered()
  if info then who = x:_who(info) end
  x:close()
  if not info then return nil, err end
  if redirect.is(info) then
    local target = redirect.target(client._options.endpoint, info.location)
    if not target then return nil, redirect.error(info, { who = who, mask = client._private.mask }) end
    redirect.settle(client, target, info.status)
    return true
  end
  events.warning(client, "the appliance does not redirect to https: anyone on the network path can read the token")
  return true
end

-- Warns once when certificate verification is off.
local function warn(client)
  client._warned = true
  local tls = client._private.transport()
  if tls.verify ~= false then return end
  events.warning(client, tls.pin and "the server's certificate is not verified (tls.verify = false): only its key is checked, against tls.pin"
    or "the server's certificate is not verified (tls.verify = false): an attacker on the network path can read the token")
end

local function ready(client)
  if client._private.closed() then return errors.fail("cancelled", "the client is closed; connect again") end
  local endpoint = client._options.endpoint
  if endpoint and endpoint.scheme == "http" and not client._probed and not client._replays then
    local ok, err = probe(client)
    if not ok then return nil, err end
    client._probed = true
  end
  if not client._warned then warn(client) end
  return true
end

--- Sends a form. Does not wait for the answer's header.
---@param form table<string, string>
---@param how? { write?: boolean, limit?: number, page?: integer, secrets?: string[], like?: (fun(): table<string, string>), open?: boolean }
---  `write`: never sent over a kept connection, see call.send; `limit`: seconds that this try may wait; `page`: its number, for events; `like`
---  gives the form with the query's times in words, for recorders; `open`: the token is neither fetched nor sent
---@return scrutinizer.Exchange?
---@return scrutinizer.Error? err
function methods:_send(form, how)
  local ok, err = ready(self)
  if not ok then return nil, err end
  how = how or {}
  local function request()
    local made, complaint = request_of(self, form, how.open)
    if not made then return nil, complaint end
    made.fresh = not self.command and how.write or nil
    made.asked = { form = form, like = how.like, secrets = how.secrets }
    events.request(self, made, form)
    return made
  end
  local first
  first, err = request()
  if not first then return nil, err end
  return exchange.start(self, first, {
    limit = how.limit, again = request, write = how.write,
    on_header = function(info) events.response(self, info, form[wire.form.run_mode], how.page) end,
  })
end

--- A query for a report type; see `scrutinizer.report_types`. Unknown names are accepted; a misspelling of a known name raises.
---@param report_type string
---@return scrutinizer.Query
function methods:report(report_type)
  local made = query.new(self, report_type)
  return made
end

--- The columns that a report type has on this appliance. It runs the report for one row of the last hour. `query:columns` is for one query.
---@param report_type string
---@return scrutinizer.Column[]? columns in the appliance's order, rank first
---@return scrutinizer.Error? err of kind `decode` when the answer has no columns
function methods:columns(report_type)
  local made = query.new(self, report_type)
  return made:columns()
end

--- A query from report JSON, as the appliance's UI shows it or the vendor's article prints it; see `scrutinizer.report_json`.
---@param text string
---@return scrutinizer.Query?
---@return scrutinizer.Error? err kind `decode`: the text is not report JSON
function methods:report_from(text)
  return errors.result(report_json.from(self, text))
end

--- Sends any run mode of the appliance and decodes the answer. For run modes that have no method here. Counts as
--- a write: it is never retried, and its error is not `retryable` once the appliance may have done it.
---@param fields table<string, string|number|boolean|table> such as { rm = "licensing" }; tables are sent as JSON text
---@return any value as `scrutinizer.decode` gives it; the option `integers` holds
---@return scrutinizer.Error? err also when the answer holds `err`
function methods:call(fields)
  local form = call.form(fields)
  local _, found = secrets.of_form(form, core.decode)
  return call.send(self, form, { write = true, secrets = found[1] and found, int64 = self._options.integers == "int64" })
end

--- Checks that the appliance answers and accepts the token. It sends the cheapest request that the appliance has, which changes nothing.
---@return true?
---@return scrutinizer.Error? err
function methods:ping()
  local value, err = call.send(self, { [wire.form.run_mode] = wire.run_mode.licensing })
  if value == nil then return nil, err end
  return true
end

--- The appliance's version, such as "19.7.0.87654". Sends no token. Unverified: a public program that detects appliances uses this request,
--- but the vendor does not document it.
---@return string?
---@return scrutinizer.Error? err of kind `decode` when the answer holds no version
function methods:version()
  local value, err = call.send(self, wire.version_form(), { open = true })
  if value == nil then return nil, err end
  local version = type(value) == "table" and value[wire.answer.version]
  if type(version) == "string" and #version <= 100 and version:find "^%d+%.[A-Za-z0-9.+_-]+$" then return version end
  return errors.fail("decode", ("version: the answer contains no %s such as 19.7.0"):format(wire.answer.version), { status = 200 })
end

--- Runs many reports at the same time over this client's connections. If one fails, the others go on. Misuse raises.
---@param queries { [integer]: scrutinizer.Query|scrutinizer.GatherEntry, concurrency?: integer } { q1, q2, concurrency = 8 }: at most 8 at a
---  time; 1 to 1000, default 8. An entry may name the method to run: { q1, aggregate = { … } }, { q2, series = true }; rates, pie, count
---@return { n: integer, [integer]: any } list entry i is what the query's method (default `fetch`) returns, or { error = err }
---@return integer failed how many entries hold an error
function methods:gather(queries)
  local list, failed = gather.run(self, queries, query)
  return listing.of(list, "reports", {}), failed
end

--- Looks up the host names that requests will need; opens no connection. For processes that cannot look up names later, such as HAProxy.
--- Call it while the host loads. The addresses are kept until the next call.
---@return true?
---@return scrutinizer.Error? err kind `connect`: a name was not found; `phase`: the host already serves requests; `cancelled`: the client is closed
function methods:warm()
  if self._private.closed() then return errors.fail("cancelled", "the client is closed; connect again") end
  local err = warm.refusal(self._private.host)
  if err then return nil, err end
  if self._options.command or self._replays then return true end
  local entries
  self._private.resolved {}
  entries, err = warm.entries(self._options.endpoint, self._private.transport())
  if not entries then return nil, err end
  self._private.resolved(entries)
  return true
end

--- Ends all transfers of this client. May be called any number of times.
---@return true
function methods:close()
  self._private.close()
  return true
end

Client.__close = methods.close

return { connect = connect, build = build }
