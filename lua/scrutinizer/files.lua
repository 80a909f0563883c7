--- Files that are read whole: certificates, lists, saved bills.

local files = {}

--- A file's bytes.
---@param path string
---@param max? integer bytes: a longer one is not read to its end
---@return string? text
---@return string? why with the path in it, as the system says it; nothing is made neutral yet
function files.read(path, max)
  local file, why = io.open(path, "rb")
  if not file then return nil, why end
  local text
  text, why = file:read(max and max + 1 or "*a") -- a folder can be opened, and not be read
  if max and not text and not why then text = "" end -- the end at once
  if max and text and #text > max then text, why = nil, ("over %d bytes"):format(max) end
  file:close()
  if text then return text end
  return nil, path .. ": " .. (why or "it cannot be read")
end

-- What stands in the place of PEM, in words: pattern of the text, what it is, how PEM is made of it.
local NOT_PEM = {
  { "^%s*$", "is empty" },
  { "^\48[\128-\132]", "is binary (DER)", "openssl x509 -inform der, or openssl pkcs7 -inform der -print_certs, makes PEM of it" },
  { "^[\254\255][\254\255]", "is text in UTF-16", "save it as plain text" },
  { "%-%-%-%-%-BEGIN PKCS7%-", "holds PKCS#7", "openssl pkcs7 -print_certs makes PEM certificates of it" },
  { "%-%-%-%-%-BEGIN CERTIFICATE REQUEST%-", "holds a request for a certificate, and not the certificate" },
  { "[ \t]%-%-%-%-%-BEGIN ", "has blanks before its -----BEGIN", "take them out of each line" },
  { "%-%-%-%-%-BEGIN [A-Z ]*PRIVATE KEY%-", "holds a private key, and no certificate" },
  { "%-%-%-%-%-BEGIN [A-Z0-9 ]*CERTIFICATE%-", "holds a certificate, and no private key" },
}

--- PEM text with a block of this kind, without what an editor has put before it (a byte order mark).
---@param text string
---@param kind "CERTIFICATE"|"PRIVATE KEY"
---@return string? pem
---@return string? what it is instead
---@return string? how that is answered
function files.pem(text, kind)
  text = text:gsub("^\239\187\191", "")
  if ("\n" .. text):find("[\r\n]%-%-%-%-%-BEGIN [A-Z0-9 ]*" .. kind .. "%-%-%-%-%-") then return text end
  for _, other in ipairs(NOT_PEM) do
    if text:find(other[1]) then
      return nil, other[2], "PEM text is wanted" .. (other[3] and ": " .. other[3] or (", with -----BEGIN %s-----"):format(kind))
    end
  end
  return nil, "holds no PEM text"
end

return files
