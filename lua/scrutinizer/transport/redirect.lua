--- Redirects. Only a redirect to https on the same host is followed; the token is sent nowhere else. The whole request is sent again: a GET
--- without the form, as a browser sends it, is useless here. Some appliances lose the path in the redirect.
---
--- A read may always be sent again. A write is sent again only if the redirecting server did not execute it: README has the table.

local ascii = require "scrutinizer.ascii"
local errors = require "scrutinizer.errors"
local events = require "scrutinizer.transport.events"
local url = require "scrutinizer.transport.url"

local redirect = {}

-- The most redirects that one request may follow.
local MOST = 3

-- What a redirect means for a write (RFC 9110, 15.4). "done": the write was executed, and its result is at the target. "unsure": clients follow
-- with GET, so a server may send it after it executed the write. "not done": the same request is to be sent to the target.
local WRITE = { [301] = "unsure", [302] = "unsure", [303] = "done", [307] = "not done", [308] = "not done" }

--- Whether an answer is a redirect. It may lack a target; then it cannot be followed.
---@param info table
---@return boolean
function redirect.is(info)
  return WRITE[info.status] ~= nil
end

local ADVICE = {
  done = "the write was executed and is not sent again; check its result on the appliance",
  unsure = "it is unknown whether the write was executed, so it is not sent again; check on the appliance",
  read = "this redirect is not followed; set url to the appliance's real address",
}

--- The error of a redirect that is not followed. It names the target without its query.
---@param info table
---@param how? { mask?: (fun(text: string): string), write?: boolean, who?: string } mask: masks secrets; write: the request is a write; who:
---  who redirects (default "the appliance")
---@return scrutinizer.Error
function redirect.error(info, how)
  how = how or {}
  local target = info.location and info.location:match "^[^?#]*"
  local where = target and "to " .. errors.neutral(how.mask and how.mask(target) or target, 200) or "without a target"
  local advice = ADVICE[how.write and WRITE[info.status] or "read"] or ADVICE.read
  return errors.new("http", ("%s redirects (HTTP %d) %s: %s"):format(how.who or "the appliance", info.status, where, advice),
    { status = info.status })
end

-- The target of a Location header; missing scheme, host and port are those of the endpoint.
local function resolve(endpoint, location)
  local plain = location:gsub("[?#].*$", "")
  if plain:find "^//" then plain = endpoint.scheme .. ":" .. plain end
  if plain:find "^/" then
    return { scheme = endpoint.scheme, host = endpoint.host, port = endpoint.port, path = plain }
  end
  local target = url.split(plain)
  if target then target.path = plain:match "^[A-Za-z]+://[^/]*(.*)$" end
  return target
end

local function same_origin(a, b)
  return a.scheme == b.scheme and (a.port or "443") == (b.port or "443")
end

-- Whether a write may be sent again. An appliance that uses TLS executes nothing over http, so its http port only redirects. Over https only a
-- status that forbids changing the method to GET (307, 308) shows that the write was not executed.
local function may_repeat(from, status)
  return WRITE[status] == "not done" or (from.scheme == "http" and WRITE[status] == "unsure")
end

-- An empty path: the redirect has lost it.
local function is_lost(path)
  return path == "" or path == "/"
end

--- The new endpoint after a redirect to https on the same host. It keeps the client's path. A different path at the same scheme and port is
--- not followed: it is probably a login page.
---@param endpoint { scheme: string, host: string, port?: string, path: string }
---@param location? string
---@return table? target nil: not to be followed
---@return string? other the path that the redirect named, if it is a different one
function redirect.target(endpoint, location)
  local found = location and resolve(endpoint, location)
  if not found or found.scheme ~= "https" or ascii.lower(found.host) ~= ascii.lower(endpoint.host) then return nil end
  local other = not is_lost(found.path) and found.path ~= endpoint.path and found.path or nil
  if other and same_origin(endpoint, found) then return nil end
  return { scheme = "https", host = endpoint.host, port = found.port, path = endpoint.path }, other
end

--- Changes a client's endpoint for all further requests.
---@param client scrutinizer.Client
---@param target table
---@param status integer
function redirect.settle(client, target, status)
  if target.port == "443" then target.port = nil end
  client._options.endpoint, client.url = target, url.join(target)
  events.redirect(client, status)
end

--- Changes the client's endpoint after a redirect within its host, or after a 404 that follows a redirect with a different path.
---@param client scrutinizer.Client
---@param info table
---@param exchange table counts its moves; `_write`: its request must not be executed twice
---@return boolean moved false: this answer is the final one
function redirect.move(client, info, exchange)
  exchange._moves = (exchange._moves or 0) + 1
  if exchange._moves > MOST then return false end
  local target, other
  local here = client._options.endpoint
  if redirect.is(info) then
    if exchange._write and not may_repeat(here, info.status) then return false end
    target, other = redirect.target(here, info.location)
  elseif info.status == 404 and exchange._other_path then
    target = { scheme = here.scheme, host = here.host, port = here.port, path = exchange._other_path }
  end
  -- A redirect to the same address is followed once; a second time it is a loop.
  if not target or (exchange._moves > 1 and url.join(target) == client.url) then return false end
  exchange._other_path = other
  redirect.settle(client, target, info.status)
  return true
end

return redirect
