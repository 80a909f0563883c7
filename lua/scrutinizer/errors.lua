--- Typed errors: what the world does comes back as `nil, err` with one of these tables (inside a `for`, it is raised).

---@alias scrutinizer.ErrorKind
---| "connect"   # name not found, refused, unreachable, reset before the first byte, proxy refused
---| "tls"       # chain, host name, dates, pin, protocol, client certificate, unreadable CA
---| "timeout"   # connect, total, low speed
---| "http"      # status other than 200, redirect elsewhere
---| "auth"      # 401, 403, 407, invalid or missing token, address not allowed
---| "api"       # the appliance refused or failed; a selected column is missing
---| "decode"    # not JSON, wrong shape, bad number
---| "truncated" # the answer or the walk ended before its time
---| "changed"   # the report changed between pages
---| "limit"     # a cap of ours
---| "bill"      # samples that no bill can be made of; a saved bill that does not come out again
---| "file"      # a file of the caller's cannot be written
---| "cancelled" # closed while running
---| "phase"     # the host cannot wait here

---@class scrutinizer.Error
---@field kind scrutinizer.ErrorKind
---@field message string      one line, no secret, hostile bytes shown as escapes
---@field status? integer     HTTP status, when one was received
---@field retryable boolean   true when the same call may succeed later
---@field request_id? string  the appliance's id of the report
---@field position? integer   byte offset from 0 in the answer (decode)
---@field retry_after? number seconds that the appliance asked to wait
---@field certificate? table  { subject =, issuer =, from =, to =, pin = }: the one at fault, and the pin of the server's key (tls)
---@field place? integer      of that certificate in what the server sent; 1: its own; 0: none of them is at fault, this is its own
---@field which? string       "connect" "total" "low_speed" "deadline": the limit that was reached (timeout)
---@field resume? table       { offset =, remaining =, proof = text }, per direction in both: give it to `query:resume(err)`, which says more
local Error = {}
Error.__index = Error
Error.__name = "scrutinizer.Error"

function Error:__tostring()
  return ("%s: %s"):format(self.kind, self.message)
end

local errors = {}

local RETRYABLE = { connect = true, timeout = true, truncated = true, changed = true }
local RETRYABLE_STATUS = { [429] = true, [502] = true, [503] = true, [504] = true }

local function escape_byte(char)
  return ("\\x%02X"):format(char:byte())
end

-- What a sequence of UTF-8 may not be: overlong, half of a pair or beyond Unicode; a terminal's control (U+0080 to U+009F, CSI among them);
-- a change of the writing direction or a break of the line, with which a text can show what it does not say.
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

-- Lengths of well-formed UTF-8 sequences by their first byte, as patterns; what matches none of them is shown as bytes.
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

--- Make a stranger's text fit for one line of a terminal or a log: control bytes and broken UTF-8 become `\xNN`, long texts are cut.
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

--- The same, as a failing call returns it.
---@return nil, scrutinizer.Error
function errors.fail(kind, message, fields)
  return nil, errors.new(kind, message, fields)
end

--- Whether a value is one of our errors.
---@param value any
---@return boolean
function errors.is(value)
  return getmetatable(value) == Error
end

return errors
