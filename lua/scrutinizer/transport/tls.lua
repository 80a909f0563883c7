--- Errors of failed TLS handshakes: the cause, the option that solves it, and the server's certificate. libcurl does not report a certificate
--- that it refuses. So a second handshake reads it; the connection is closed before any byte of a request is sent.

local errors = require "scrutinizer.errors"
local zone = require "scrutinizer.time.zone"

local tls = {}

local OWN_AUTHORITY = "set tls.ca_file to a PEM file with this certificate or that of its authority%s"

-- `%s` becomes the option that the CA certificates came from, with its file.
local OF_CA = "check %s: PEM certificates are required (-----BEGIN CERTIFICATE-----)"
local STRONGER = "install a stronger certificate chain on the appliance"
local OF_OURS = "check tls.cert, tls.key and tls.passphrase"

-- Messages of libcurl and OpenSSL: Lua pattern, meaning, remedy. The first match counts. `%s` becomes advice to use the pin, when the pin is known.
local REASONS = {
  { "CA certificate blob", "the CA certificates cannot be read", OF_CA },
  { "CA certificate key too weak", "a certificate above the server's own has a key that is too weak", STRONGER },
  { "CA signature digest", "a certificate above the server's own is signed with a hash that is too weak", STRONGER },
  { "invalid CA certificate", "a certificate above the server's own is not a CA certificate",
    "install the right certificate chain on the appliance" },
  { "public key does not match pinned", "the server's key does not match tls.pin", "if the key was changed on purpose, set tls.pin to the new pin" },
  { "certificate has expired", "the server's certificate has expired", "renew it on the appliance%s" },
  { "certificate is not yet valid", "the server's certificate is not yet valid", "compare the clocks of this host and the appliance%s" },
  { "self[- ]signed certificate", "the server's certificate is self-signed, or signed by an unknown authority", OWN_AUTHORITY },
  { "unable to get local issuer", "the server's certificate is signed by an unknown authority", OWN_AUTHORITY },
  { "unable to get issuer", "the server's certificate is signed by an unknown authority", OWN_AUTHORITY },
  { "key too weak", "the server's certificate has a key that is too weak", "make a stronger one on the appliance (RSA 2048, or EC)" },
  { "key too small", "the server's certificate has a key that is too weak", "make a stronger one on the appliance (RSA 2048, or EC)" },
  { "md too weak", "the server's certificate is signed with a hash that is too weak", "make a new one on the appliance" },
  { "does not match target host", "the server's certificate is for another name",
    "connect by a name in it; with resolve = { [\"name:443\"] = \"address\" } where it is not in the DNS" },
  { "subject name", "the server's certificate is for another name",
    "connect by a name in it; with resolve = { [\"name:443\"] = \"address\" } where it is not in the DNS" },
  { "IP address", "the server's certificate is for another name or address",
    "connect by a name in it; with resolve = { [\"name:443\"] = \"address\" } where it is not in the DNS" },
  { "certificate required", "the server requires a client certificate", "set tls.cert and tls.key" },
  { "unsupported protocol", "the server supports only TLS versions before 1.2", "enable TLS 1.2 or 1.3 on the appliance" },
  { "legacy sigalg", "the server supports only TLS versions before 1.2", "enable TLS 1.2 or 1.3 on the appliance" },
  { "protocol version", "the server and this client have no TLS version in common", "enable TLS 1.2 or 1.3 on the appliance" },
  { "wrong version number", "the server does not use TLS on this port", "check the port; http:// needs allow_http = true" },
  { "client certificate", "the client certificate or its key cannot be used", OF_OURS },
  { "private key", "the client certificate or its key cannot be used", OF_OURS },
  { "CA certificates", "the CA certificates cannot be read", OF_CA },
  { "adding trust anchors", "the CA certificates cannot be read", OF_CA },
  { "handshake failure", "the server refuses the handshake", "it may require a client certificate (tls.cert, tls.key), or other ciphers" },
  { "bad certificate", "the server refuses the client certificate", "check tls.cert" },
  { "unknown ca", "the server does not know the authority that signed the client certificate", "check tls.cert" },
}

-- Failures on our side: the server's certificate does not explain them.
local OURS = { [OF_OURS] = true, [OF_CA] = true }

local function reason_of(message)
  for _, reason in ipairs(REASONS) do
    if message:find(reason[1]) then return reason[2], reason[3] end
  end
end

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12 }

-- The epoch seconds of a certificate's date, such as "Jan  1 00:00:00 2021 GMT"; nil for any other format.
local function epoch_of(text)
  local month, day, hour, minute, second, year = (text or ""):match "^([A-Z][a-z][a-z]) +(%d+) (%d+):(%d+):(%d+) (%d+) GMT$"
  if not MONTHS[month] then return nil end
  return zone.days(tonumber(year), MONTHS[month], tonumber(day)) * 86400 + hour * 3600 + minute * 60 + second
end

-- The position of the topmost certificate: follows the issuers from the server's own certificate upwards, as far as the server sent them.
local function top_of(chain)
  local place, steps = 1, 0
  while steps < #chain do
    local issuer, above = chain[place].issuer, nil
    for i, certificate in ipairs(chain) do
      if i ~= place and certificate.subject == issuer and chain[place].subject ~= issuer then above = i end
    end
    if not above then break end
    place, steps = above, steps + 1
  end
  return place
end

local function by_date(chain, is_wrong)
  for place, certificate in ipairs(chain) do
    if is_wrong(certificate, os.time()) then return place end
  end
end

local function is_over(certificate, now)
  local to = epoch_of(certificate.to)
  return to ~= nil and to < now
end

local function is_to_come(certificate, now)
  local from = epoch_of(certificate.from)
  return from ~= nil and from > now
end

-- The position in the chain of the certificate at fault; 0: not one that the server sent.
local function place_of_fault(message, chain)
  if message:find "certificate has expired" then return by_date(chain, is_over) or 0 end
  if message:find "not yet valid" then return by_date(chain, is_to_come) or 0 end
  if message:find "issuer" or message:find "certificate in certificate chain" then return top_of(chain) end
  if message:find "CA signature digest" or message:find "CA certificate" then return chain[2] and 2 or 1 end
  return 1
end

local function neutral(certificate)
  local texts = {}
  for name, text in pairs(certificate) do texts[name] = errors.neutral(text, 300) end
  return texts
end

-- The fields of the certificate at fault, and the pin of the server's own key.
local function certificate_at(chain, place)
  local certificate = neutral(chain[place] or chain[1])
  certificate.pin = chain[1].pin and errors.neutral(chain[1].pin, 300)
  return certificate
end

local function described_as(chain, place)
  if place == 0 then return "the server sent no certificate that is at fault; its own certificate: " end
  if place == 1 then return "its certificate: " end
  return ("the certificate at fault, number %d of the %d that the server sent: "):format(place, #chain)
end

local function describe(certificate, head, place)
  local parts = { "subject " .. (certificate.subject or "unknown"), "issuer " .. (certificate.issuer or "unknown") }
  if certificate.from and certificate.to then
    parts[#parts + 1] = ("valid from %s to %s"):format(certificate.from, certificate.to)
  end
  if certificate.pin then
    parts[#parts + 1] = (place > 1 and "the server's own pin " or "pin ") .. certificate.pin
  end
  return head .. table.concat(parts, "; ")
end

local function remedy(answer, certificate, ca)
  if answer == OF_CA then return (answer:gsub("%%s", function() return ca or "tls.ca_file or tls.ca_blob" end)) end
  local by_key = certificate and certificate.pin
    and (', or check only its key: tls = { verify = false, pin = "%s" }'):format(certificate.pin) or ""
  local text = answer:gsub("%%s", function() return by_key end)
  return text
end

-- Changes the text of a reason when the certificate at fault is not the server's own.
local function words_for(what, chain, place)
  if place == 0 then
    return (what:gsub("the server's certificate", "a CA certificate on this host, above the server's own,"))
  end
  if place > 1 then return (what:gsub("the server's certificate", "a certificate above the server's own")) end
  local own = chain[1]
  if what:find "unknown authority$" and own.issuer ~= own.subject then
    return what .. (#chain == 1 and ", and the server does not send that authority's certificate" or "")
  end
  return what
end

--- The error of a failed handshake. Where it helps, its field `certificate` is the certificate at fault and `place` is the position of that one in
--- the chain that the server sent (0: the server did not send it, `certificate` is the server's own).
---@param message string from libcurl
---@param chain? { subject?: string, issuer?: string, from?: string, to?: string, pin?: string }[] as `transfer:certificate(place)` gives them
---@param ca? string the option and file of the CA certificates
---@return scrutinizer.Error
function tls.error(message, chain, ca)
  local what, answer = reason_of(message)
  if not chain or not chain[1] or OURS[answer] then chain = nil end
  local place = chain and place_of_fault(message, chain)
  local certificate = chain and certificate_at(chain, place)
  if what and chain then what = words_for(what, chain, place) end
  local parts = { what and ("%s (%s)"):format(what, message) or message }
  if answer then parts[#parts + 1] = remedy(answer, certificate, ca and errors.neutral(ca, 300)) end
  if certificate then parts[#parts + 1] = describe(certificate, described_as(chain, place), place) end
  return errors.new("tls", table.concat(parts, "; "), { certificate = certificate, place = place })
end

return tls
