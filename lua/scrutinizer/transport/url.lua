--- Splits and joins the appliance's URL.

local ascii = require "scrutinizer.ascii"
local check = require "scrutinizer.check"

local url = {}

local PATH = "/fcgi/scrut_fcgi.fcgi"

--- The parts of a URL: scheme, host (IPv6 in brackets), port or nil, path. An empty path becomes the appliance's default.
---@param text string
---@return { scheme: string, host: string, port?: string, path: string }? parts nil: the URL cannot be used
---@return string? complaint what is allowed instead
function url.split(text)
  local scheme, authority, path = text:match "^([A-Za-z]+)://([^/?#]*)(.*)$"
  scheme = scheme and ascii.lower(scheme)
  if scheme ~= "https" and scheme ~= "http" then return nil, "a URL that begins with https://" end
  if authority:find "@" then return nil, "a URL without user name and password" end
  local host, port = authority:match "^(%[[%x:.]+%])(.*)$"
  if not host then host, port = authority:match "^([A-Za-z0-9._-]+)(.*)$" end
  if not host or not (port == "" or port:find "^:%d+$") then
    return nil, "a URL with a host name or address (IPv6 in brackets), and perhaps a port"
  end
  if port ~= "" and not check.digits(port:sub(2), 1, 65535) then return nil, "a URL with a port from 1 to 65535" end
  if path:find "[?#%s%z\1-\31\127]" then return nil, "a URL without query" end
  if path == "" or path == "/" then path = PATH end
  return { scheme = scheme, host = host, port = port ~= "" and port:sub(2) or nil, path = path }
end

local PROXY_SCHEMES = { http = true, https = true, socks4 = true, socks4a = true, socks5 = true, socks5h = true }

--- Whether libcurl can read a text as a proxy's URL: [scheme://][user:password@]host[:port][/…].
---@param text string
---@return boolean
function url.is_proxy(text)
  local scheme, rest = text:match "^([A-Za-z0-9]+)://(.*)$"
  if scheme and not PROXY_SCHEMES[ascii.lower(scheme)] then return false end
  local authority = (rest or text):match "^[^/?#]*"
  local place = authority:match "^.*@(.*)$" or authority
  local port = place:match "^%[[%x:.]+%%?[A-Za-z0-9.%%_-]*%](.*)$" or place:match "^[A-Za-z0-9._\128-\255-]+(.*)$"
  if not port or text:find "[%z\1-\32\127]" then return false end
  return port == "" or (port:find "^:%d+$" ~= nil and check.digits(port:sub(2), 1, 65535) ~= nil)
end

--- Builds a URL from these parts.
---@param parts { scheme: string, host: string, port?: string, path: string }
---@return string
function url.join(parts)
  return ("%s://%s%s%s"):format(parts.scheme, parts.host, parts.port and ":" .. parts.port or "", parts.path)
end

--- A URL for messages, without user name, password and query (the query of a pasted URL may contain the token).
---@param text string
---@return string
function url.shown(text)
  local shown = text:gsub("//.*@", "//***@"):gsub("[?#].*$", "?***")
  return shown
end

return url
