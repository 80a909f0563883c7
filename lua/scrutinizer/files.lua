--- Files that are read whole: certificates, lists, saved bills.

local files = {}

--- A file's bytes.
---@param path string
---@param max? integer bytes: a longer file is an error, and is not read to its end
---@return string? text
---@return string? why the system's message, with the path; not yet made neutral
---@return boolean? absent the file does not exist
function files.read(path, max)
  local file, why, code = io.open(path, "rb")
  if not file then return nil, why, code == 2 or code == 20 end -- ENOENT, ENOTDIR
  local text
  text, why = file:read(max and max + 1 or "*a") -- a folder can be opened but not read
  if max and not text and not why then text = "" end -- an empty file
  if max and text and #text > max then text, why = nil, ("longer than %d bytes"):format(max) end
  file:close()
  if text then return text end
  return nil, path .. ": " .. (why or "it cannot be read")
end

-- Texts that are not the PEM that is needed: pattern of the text, what it is, how to make PEM of it.
local NOT_PEM = {
  { "^%s*$", "is empty" },
  { "^\48[\128-\132]", "is binary (DER)", "convert it with openssl x509 -inform der, or with openssl pkcs7 -inform der -print_certs" },
  { "^[\254\255][\254\255]", "is text in UTF-16", "save it as plain text" },
  { "%-%-%-%-%-BEGIN PKCS7%-", "holds PKCS#7", "convert it with openssl pkcs7 -print_certs" },
  { "%-%-%-%-%-BEGIN CERTIFICATE REQUEST%-", "holds a certificate request, not a certificate" },
  { "[ \t]%-%-%-%-%-BEGIN ", "has spaces before -----BEGIN", "remove them from each line" },
  { "%-%-%-%-%-BEGIN [A-Z ]*PRIVATE KEY%-", "holds a private key, but no certificate" },
  { "%-%-%-%-%-BEGIN [A-Z0-9 ]*CERTIFICATE%-", "holds a certificate, but no private key" },
}

--- PEM text that has a block of this kind. A byte order mark before it is removed.
---@param text string
---@param kind "CERTIFICATE"|"PRIVATE KEY"
---@return string? pem
---@return string? what the text is instead
---@return string? how to correct it
function files.pem(text, kind)
  text = text:gsub("^\239\187\191", "")
  if ("\n" .. text):find("[\r\n]%-%-%-%-%-BEGIN [A-Z0-9 ]*" .. kind .. "%-%-%-%-%-") then return text end
  for _, other in ipairs(NOT_PEM) do
    if text:find(other[1]) then
      return nil, other[2], "PEM text is required" .. (other[3] and ": " .. other[3] or (", with -----BEGIN %s-----"):format(kind))
    end
  end
  return nil, "holds no PEM text"
end

return files
