--- Files that are read whole: certificates, lists, saved bills. A Lua without the library io can do everything else.

local files = {}

-- The most bytes that are read of a file: a device such as /dev/zero never ends.
local MOST = 64 * 2 ^ 20

local NO_IO = "%s: files cannot be used: this Lua has no library io (HAProxy: tune.lua.openlibs)"

--- Opens a file, as io.open does.
---@param path string
---@param mode? string
---@return file*? file
---@return string? why
---@return integer? code
function files.open(path, mode)
  if not io then return nil, NO_IO:format(path) end
  return io.open(path, mode)
end

--- Whether a value is a file that is open.
---@param value any
---@return boolean
function files.is_open(value)
  return io ~= nil and io.type(value) == "file"
end

--- A file's bytes.
---@param path string
---@param max? integer bytes (default 64 MiB): a longer file is an error, and is not read to its end
---@return string? text
---@return string? why the system's message, with the path; not yet made neutral
---@return boolean? absent the file does not exist
function files.read(path, max)
  local file, why, code = files.open(path, "rb")
  if not file then return nil, why, code == 2 or code == 20 end -- ENOENT, ENOTDIR
  local text
  max = max or MOST
  text, why = file:read(max + 1) -- a folder can be opened but not read
  if not text and not why then text = "" end -- an empty file
  if text and #text > max then text, why = nil, ("longer than %d bytes"):format(max) end
  file:close()
  if text then return text end
  return nil, path .. ": " .. (why or "it cannot be read")
end

--- Some bytes of a file.
---@param path string
---@param from integer how many bytes to pass over
---@param count integer
---@return string? text
---@return string? why
function files.part(path, from, count)
  local file, why = files.open(path, "rb")
  if not file then return nil, why end
  local text
  if file:seek("set", from) then text = file:read(count) end
  file:close()
  if text and #text == count then return text end
  return nil, path .. ": it is shorter than it was"
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

-- Blocks whose content is one DER sequence, if no header says that it is encrypted.
local SEQUENCES = { "^CERTIFICATE$", "^X509 CERTIFICATE$", "PRIVATE KEY$" }

-- The bytes of a DER sequence by its first bytes; nil: it does not begin as one.
local function sequence_length(base64)
  local bits, bytes = 0, {}
  for char in (base64 .. "AAAA"):sub(1, 8):gsub("=", "A"):gmatch "." do
    bits = bits * 64 + ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"):find(char, 1, true) - 1
  end
  for i = 6, 1, -1 do bytes[i], bits = bits % 256, math.floor(bits / 256) end
  if bytes[1] ~= 0x30 then return nil end
  local size = bytes[2] - 0x80
  if size < 0 then return 2 + bytes[2] end
  if size > 4 then return nil end
  local length = 0
  for i = 3, 2 + size do length = length * 256 + (bytes[i] or 0) end
  return 2 + size + length
end

-- What is wrong with the text between a block's BEGIN and END; nil: nothing that can be told without OpenSSL.
local function complaint_of(kind, body)
  local head, rest = body:match "^(%s*[A-Za-z0-9-]+:.-\r?\n)%s*\r?\n(.*)$" -- as of an encrypted key
  local base64 = rest or body
  if (base64 .. "-"):find "[\r\n][ \t]+%S" then return "has spaces before its lines", "remove them from each line" end
  base64 = base64:gsub("%s", "")
  if not base64:find "^[A-Za-z0-9+/]+=?=?$" or #base64 % 4 ~= 0 then return "is damaged: a block of it is not base64" end
  for _, pattern in ipairs(SEQUENCES) do
    if not head and kind:find(pattern) then
      local length = sequence_length(base64)
      if not length or length > #base64 / 4 * 3 - #base64:match "=*$" then return "is damaged: a block of it contains no complete " .. kind end
    end
  end
end

local BEGIN = "[\r\n]%-%-%-%-%-BEGIN ([A-Z0-9 ]+)%-%-%-%-%-[^\r\n]*"

-- Looks at every block, as OpenSSL refuses the whole text for one that is broken.
local function blocks_complaint(text)
  text = "\n" .. text .. "\n"
  local at, last, kind = text:find(BEGIN)
  while at do
    local stop, over = text:find("%-%-%-%-%-[A-Z]+ [A-Z0-9 ]+%-%-%-%-%-", last + 1)
    local wanted = "-----END " .. kind .. "-----"
    if not stop or text:sub(stop, over) ~= wanted then return "is cut short: a block of it has no " .. wanted end
    local what, answer = complaint_of(kind, text:sub(last + 1, stop - 1))
    if what then return what, answer end
    at, last, kind = text:find(BEGIN, over + 1)
  end
end

--- PEM text that has a block of this kind. A byte order mark before it is removed.
---@param text string
---@param kind "CERTIFICATE"|"PRIVATE KEY"
---@return string? pem
---@return string? what the text is instead
---@return string? how to correct it
function files.pem(text, kind)
  text = text:gsub("^\239\187\191", "")
  if ("\n" .. text):find("[\r\n]%-%-%-%-%-BEGIN [A-Z0-9 ]*" .. kind .. "%-%-%-%-%-") then
    local what, answer = blocks_complaint(text)
    if not what then return text end
    return nil, what, "PEM text is required" .. (answer and ": " .. answer or "")
  end
  for _, other in ipairs(NOT_PEM) do
    if text:find(other[1]) then
      return nil, other[2], "PEM text is required" .. (other[3] and ": " .. other[3] or (", with -----BEGIN %s-----"):format(kind))
    end
  end
  return nil, "holds no PEM text"
end

return files
