--- Failed handshakes: what is wrong, which option answers it, and what certificate the server showed. libcurl tells nothing of a certificate
--- that it refuses, so a second handshake looks at it, and is ended before anything of a request is sent.

local errors = require "scrutinizer.errors"

local tls = {}

local OWN_AUTHORITY = 'say tls.ca_file = "its or its authority\'s certificate.pem"%s'

-- What libcurl and OpenSSL say: plain pattern, what it means, what answers it. The first that fits. `%s`: with a pin, how to go by it.
local REASONS = {
  { "public key does not match pinned", "the server's key is not the one of tls.pin", "if the key was changed on purpose, copy the new pin" },
  { "certificate has expired", "the server's certificate has expired", "renew it on the appliance%s" },
  { "certificate is not yet valid", "the server's certificate is not yet valid", "compare the clocks of this host and the appliance%s" },
  { "self[- ]signed certificate", "the server's certificate is signed by itself, or by an authority unknown here", OWN_AUTHORITY },
  { "unable to get local issuer", "the server's certificate is signed by an authority unknown here", OWN_AUTHORITY },
  { "unable to get issuer", "the server's certificate is signed by an authority unknown here", OWN_AUTHORITY },
  { "key too weak", "the server's certificate has a key that is too weak", "make a stronger one on the appliance (RSA 2048, or EC)" },
  { "key too small", "the server's certificate has a key that is too weak", "make a stronger one on the appliance (RSA 2048, or EC)" },
  { "md too weak", "the server's certificate is signed with a hash that is too weak", "make a new one on the appliance" },
  { "does not match target host", "the server's certificate is for another name",
    "connect by a name in it; with resolve = { [\"name:443\"] = \"address\" } where it is not in the DNS" },
  { "subject name", "the server's certificate is for another name",
    "connect by a name in it; with resolve = { [\"name:443\"] = \"address\" } where it is not in the DNS" },
  { "IP address", "the server's certificate is for another name or address",
    "connect by a name in it; with resolve = { [\"name:443\"] = \"address\" } where it is not in the DNS" },
  { "certificate required", "the server wants a client certificate", "say tls.cert and tls.key" },
  { "unsupported protocol", "the server speaks only TLS before 1.2", "turn TLS 1.2 or 1.3 on at the appliance" },
  { "legacy sigalg", "the server speaks only TLS before 1.2", "turn TLS 1.2 or 1.3 on at the appliance" },
  { "protocol version", "the server speaks no version of TLS that is spoken here", "turn TLS 1.2 or 1.3 on at the appliance" },
  { "wrong version number", "the server does not speak TLS at this port", "look at the port; http:// needs allow_http" },
  { "client certificate", "the client certificate or its key cannot be used", "look at tls.cert, tls.key and tls.passphrase" },
  { "private key", "the client certificate or its key cannot be used", "look at tls.cert, tls.key and tls.passphrase" },
  { "CA certificates", "the authorities cannot be read", "look at tls.ca_file or tls.ca_blob" },
  { "adding trust anchors", "the authorities cannot be read", "look at tls.ca_file or tls.ca_blob" },
  { "handshake failure", "the server ends the handshake", "it may want a client certificate (tls.cert, tls.key), or other ciphers" },
  { "bad certificate", "the server refuses the client certificate", "look at tls.cert" },
  { "unknown ca", "the server does not know who signed the client certificate", "look at tls.cert" },
}

-- Failures on this side: the server has shown nothing that would help.
local OURS = { ["look at tls.cert, tls.key and tls.passphrase"] = true, ["look at tls.ca_file or tls.ca_blob"] = true }

local function reason_of(message)
  for _, reason in ipairs(REASONS) do
    if message:find(reason[1]) then return reason[2], reason[3] end
  end
end

local function neutral(certificate)
  local texts = {}
  for name, text in pairs(certificate) do texts[name] = errors.neutral(text, 300) end
  return texts
end

local function describe(certificate)
  local parts = { "subject " .. (certificate.subject or "unknown"), "issuer " .. (certificate.issuer or "unknown") }
  if certificate.from and certificate.to then
    parts[#parts + 1] = ("valid from %s to %s"):format(certificate.from, certificate.to)
  end
  if certificate.pin then parts[#parts + 1] = "pin " .. certificate.pin end
  return "its certificate: " .. table.concat(parts, "; ")
end

local function remedy(answer, certificate)
  local by_key = certificate and certificate.pin
    and (', or go by its key alone: tls = { verify = false, pin = "%s" }'):format(certificate.pin) or ""
  local text = answer:gsub("%%s", function() return by_key end)
  return text
end

--- The error of a failed handshake; `certificate` in it is the one that the server showed, where it helps.
---@param message string libcurl's
---@param seen? { subject?: string, issuer?: string, from?: string, to?: string, pin?: string } as `transfer:certificate()` gives it
---@return scrutinizer.Error
function tls.error(message, seen)
  local what, answer = reason_of(message)
  local certificate = seen and not OURS[answer] and neutral(seen) or nil
  local parts = { what and ("%s (%s)"):format(what, message) or message }
  if answer then parts[#parts + 1] = remedy(answer, certificate) end
  if certificate then parts[#parts + 1] = describe(certificate) end
  return errors.new("tls", table.concat(parts, "; "), { certificate = certificate })
end

return tls
