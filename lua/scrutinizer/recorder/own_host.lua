--- Redirects in a recording. In a target on the client's own host, the host name is replaced by `{host}`, so a client of another host can follow it.

local ascii = require "scrutinizer.ascii"

local host = {}

local HERE = "{host}"

-- The first and last position of the host name in a URL; nil: the URL has another host.
local function find(url, name)
  local from, to = ascii.lower(url):find("//" .. ascii.lower(name), 1, true)
  local behind = to and url:sub(to + 1, to + 1)
  if from and url:find "^[A-Za-z]+://" and from == url:find("//", 1, true) and (behind == "" or behind:find "[:/?#]") then return from + 2, to end
end

--- A URL as the recording stores it.
---@param url string
---@param name? string the client's host
---@return string
function host.out_of(url, name)
  local from, to = find(url, name or "")
  if not name or not from then return url end
  return url:sub(1, from - 1) .. HERE .. url:sub(to + 1)
end

--- A stored URL, with the name of the client's host.
---@param url string
---@param name? string the client's host
---@return string
function host.into(url, name)
  local from, to = url:find(HERE, 1, true)
  if not from or not name then return url end
  return url:sub(1, from - 1) .. name .. url:sub(to + 1)
end

return host
