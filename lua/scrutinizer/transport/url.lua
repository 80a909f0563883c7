--- The appliance's URL, taken apart and put together.

local ascii = require "scrutinizer.ascii"
local check = require "scrutinizer.check"

local url = {}

local PATH = "/fcgi/scrut_fcgi.fcgi"

--- The parts of a URL: scheme, host (IPv6 in brackets), port or nil, path. Nil and a complaint when it is none we can use.
---@param text string
---@return { scheme: string, host: string, port?: string, path: string }?
---@return string? complaint
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

--- The URL of such parts.
---@param parts { scheme: string, host: string, port?: string, path: string }
---@return string
function url.join(parts)
  return ("%s://%s%s%s"):format(parts.scheme, parts.host, parts.port and ":" .. parts.port or "", parts.path)
end

--- A URL as a message may show it: neither user name and password nor a query (a pasted one holds the token).
---@param text string
---@return string
function url.shown(text)
  local shown = text:gsub("//.*@", "//***@"):gsub("[?#].*$", "?***")
  return shown
end

return url
