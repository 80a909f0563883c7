--- Typed errors. A call that fails for outside reasons returns `nil, err`, where `err` is one of these tables; inside a `for` it is raised.

---@alias scrutinizer.ErrorKind
---| "connect"   # name not found, refused, unreachable, reset before the first byte, proxy refused
---| "tls"       # chain, host name, dates, pin, protocol, client certificate, unreadable CA
---| "timeout"   # connect, total, low speed
---| "http"      # status other than 200, redirect elsewhere
---| "auth"      # 401, 403, 407, invalid or missing token, address not allowed
---| "api"       # the appliance refused or failed; a selected column is missing
---| "decode"    # not JSON, wrong shape, bad number
---| "truncated" # the answer or the walk ended too early
---| "changed"   # the report changed between pages
---| "limit"     # a limit of this client was reached
---| "bill"      # the samples do not allow a bill; a saved bill cannot be reproduced
---| "file"      # the caller's file cannot be written
---| "cancelled" # closed while running
---| "phase"     # the host cannot wait here, or the object is in use

---@class scrutinizer.Error
---@field kind scrutinizer.ErrorKind
---@field message string      one line, no secret; control bytes are shown as escapes
---@field status? integer     HTTP status, when one was received
---@field retryable boolean   true when the same call may succeed later; false for a write or `client:call` that the appliance may have done
---@field request_id? string  the appliance's id of the report
---@field position? integer   byte offset from 0 in the answer (decode)
---@field retry_after? number how many seconds the appliance asked to wait
---@field certificate? table  { subject =, issuer =, from =, to =, pin = }: the certificate at fault; pin: of the server's key (tls)
---@field place? integer      its place in the chain sent; 1: the server's own; 0: the server's own is shown, but no certificate is at fault
---@field which? string       "connect" "total" "low_speed" "deadline": the limit that was reached (timeout)
---@field partial? table      what a management call had done before it failed, in the shape of its result; of a sync with `left`
---@field code? string        "missing" or "ambiguous": a name that no object has, or several (api)
---@field resume? table       { offset =, remaining =, proof = text }; with both directions, one for each. See `query:resume`
---@field report? string      the report's type, when a query failed
---@field direction? string   "inbound", "outbound" or "both" of that query
---@field window? string      that query's times, as they were set
---@field query? scrutinizer.Query the query that failed. It is not a member of the table, so code that prints or saves an error skips it
local Error = {}
Error.__name = "scrutinizer.Error"

-- The queries that failed, by their errors.
local queries = setmetatable({}, { __mode = "k" })

function Error:__index(name)
  if name == "query" then return queries[self] end
  return Error[name]
end

function Error:__tostring()
  local text = ("%s: %s"):format(self.kind, self.message)
  if not self.report then return text end
  return ('%s (report "%s", %s, %s)'):format(text, self.report, self.direction, self.window)
end

local errors = {}

local RETRYABLE = { connect = true, timeout = true, truncated = true, changed = true }
local RETRYABLE_STATUS = { [429] = true, [502] = true, [503] = true, [504] = true }

local function escape_byte(char)
  return ("\\x%02X"):format(char:byte())
end

-- UTF-8 sequences that are shown as bytes: overlong ones, surrogates, those beyond Unicode; control characters of terminals (U+0080 to U+009F,
-- which include CSI); changes of the writing direction and line breaks, which can make a text look like another one.
local UNFIT = {
  "^\224[\128-\159]", "^\237[\160-\191]", "^\240[\128-\143]", "^\244[\144-\191]", "^\194[\128-\159]", "^\226\128[\142\143\168-\174]",
  "^\226\129[\166-\169]",
}

local function is_fit(sequence)
  for _, pattern in ipairs(UNFIT) do
    if sequence:find(pattern) then return false end
  end
  return true
end

-- The patterns match well-formed UTF-8 sequences by their first byte. What matches none of them is shown as bytes.
local function escape_high(text)
  local out, at = {}, 1
  while at <= #text do
    local run = text:match("^[ -~]+", at)
      or text:match("^[\194-\223][\128-\191]", at)
      or text:match("^[\224-\239][\128-\191][\128-\191]", at)
      or text:match("^[\240-\244][\128-\191][\128-\191][\128-\191]", at)
    if not run or not is_fit(run) then
      run = text:sub(at, at)
      out[#out + 1] = escape_byte(run)
    else
      out[#out + 1] = run
    end
    at = at + #run
  end
  return table.concat(out)
end

--- Makes text from outside safe for one line of a terminal or a log: control bytes and broken UTF-8 become `\xNN`, long texts are cut.
---@param text any
---@param max? integer bytes kept of the text (default 400)
---@return string
function errors.neutral(text, max)
  text = tostring(text)
  max = max or 400
  local cut = #text > max
  if cut then text = text:sub(1, max) end
  if text:find("[^ -~]") then text = escape_high(text) end
  return cut and text .. "…" or text
end

--- A text in quotes, whole and on one line. Two texts never give the same: backslashes are doubled, so that `\x1B` as it stands differs from the
--- byte.
---@param text string
---@return string
function errors.quoted(text)
  return '"' .. errors.neutral(text:gsub('[\\"]', "\\%0"), math.huge) .. '"'
end

--- A new error.
---@param kind scrutinizer.ErrorKind
---@param message string  made neutral here
---@param fields? table   status, position, request_id, resume, retryable …
---@return scrutinizer.Error
function errors.new(kind, message, fields)
  local err = {}
  for k, v in pairs(fields or {}) do err[k] = v end
  err.kind = kind
  err.message = errors.neutral(message, 2000)
  if err.request_id then err.request_id = errors.neutral(err.request_id, 200) end
  if err.retryable == nil then
    err.retryable = RETRYABLE[kind] or RETRYABLE_STATUS[err.status] or false
  end
  return setmetatable(err, Error)
end

--- Returns nil and a new error, as a failing call does.
---@return nil, scrutinizer.Error
function errors.fail(kind, message, fields)
  return nil, errors.new(kind, message, fields)
end

--- Keeps the query that failed, as `err.query`.
---@param err scrutinizer.Error
---@param query scrutinizer.Query
function errors.keep_query(err, query)
  queries[err] = query
end

--- What a public call returns: one value on success; nil and err on failure.
---@generic T
---@param value T?
---@param err? scrutinizer.Error
---@return T? value
---@return scrutinizer.Error? err
function errors.result(value, err)
  if value ~= nil then return value end
  return nil, err
end

--- Whether a value is one of our errors.
---@param value any
---@return boolean
function errors.is(value)
  return getmetatable(value) == Error
end

return errors
