--- The secrets of a login: the password of a proxy's URL or of an Authorization header, as it is given and as it is sent.

local login = {}

local LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

-- Up to three bytes as four letters.
local function letters_of(three)
  local a, b, c = three:byte(1, 3)
  local bits, text = a * 65536 + (b or 0) * 256 + (c or 0), {}
  for i = 4, 1, -1 do
    local at = bits % 64 + 1
    text[i], bits = LETTERS:sub(at, at), math.floor(bits / 64)
  end
  return table.concat(text, "", 1, #three + 1) .. ("="):rep(3 - #three)
end

local function to_base64(text)
  return (text:gsub("..?.?", letters_of))
end

-- Up to four letters as up to three bytes.
local function bytes_of(four)
  local bits = 0
  for i = 1, 4 do
    local at = LETTERS:find(four:sub(i, i), 1, true)
    bits = bits * 64 + (i <= #four and at - 1 or 0)
  end
  return string.char(math.floor(bits / 65536), math.floor(bits / 256) % 256, bits % 256):sub(1, #four - 1)
end

-- Nil when it is no base64.
local function from_base64(text)
  text = text:match "^([A-Za-z0-9+/]+)=*$"
  return text and (text:gsub("..?.?.?", bytes_of))
end

local function unescaped(text)
  return (text:gsub("%%([0-9a-fA-F][0-9a-fA-F])", function(hex) return string.char(tonumber(hex, 16)) end))
end

--- The password in a proxy's URL, as it stands there and decoded, and what is sent for Basic authorization.
---@param proxy string
---@return string[] secrets "" is none
function login.of_proxy(proxy)
  local authority = proxy:gsub("^[A-Za-z0-9]+://", ""):match "^[^/?#]*"
  local user, password = authority:match "^([^:]*):(.*)@"
  if not password or password == "" then return {} end
  return { password, unescaped(password), (to_base64(unescaped(user) .. ":" .. unescaped(password))) }
end

--- The proxies that libcurl takes from the environment.
---@return string[]
function login.environment()
  local list = {}
  for _, name in ipairs { "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" } do list[#list + 1] = os.getenv(name) end
  return list
end

--- The secrets in a header's value: all of it, what stands behind a scheme such as "Basic", and the password in that.
---@param value string
---@return string[] secrets
function login.of_header(value)
  local behind = value:match "^[A-Za-z]+ +(.+)$"
  local basic = behind and value:find "^[Bb][Aa][Ss][Ii][Cc] " and from_base64(behind)
  return { value, behind, basic and basic:match ":(.+)$" }
end

return login
