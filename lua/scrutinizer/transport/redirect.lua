--- Redirects: an appliance moves within its host, to https; the token goes nowhere else. The request is sent again whole: what a browser
--- does (a GET without the form) is of no use here, and some appliances lose the path on the way.
---
--- A read may always be sent again. A write only where whoever redirects has not taken it: README has the table.

local ascii = require "scrutinizer.ascii"
local errors = require "scrutinizer.errors"
local events = require "scrutinizer.transport.events"
local url = require "scrutinizer.transport.url"

local redirect = {}

-- Moves that one request may cause.
local MOST = 3

-- What a redirect says of a write (RFC 9110, 15.4). "done": it was done here, and its result is elsewhere. "unsure": clients ask with GET
-- behind it, so it is what a server answers to a form that it has taken, too. "not done": to be sent elsewhere as it is.
local WRITE = { [301] = "unsure", [302] = "unsure", [303] = "done", [307] = "not done", [308] = "not done" }

--- Whether an answer is a redirect. Without a target it is one that cannot be followed.
---@param info table
---@return boolean
function redirect.is(info)
  return WRITE[info.status] ~= nil
end

local ADVICE = {
  done = "which says that the write was done; it is not sent again: look what became of it",
  unsure = "which leaves open whether the write was done; it is not sent again: look what became of it",
  read = "not https on the same host; connect to where it really is",
}

--- The error of a redirect that is not followed: it names the target, without its query.
---@param info table
---@param how? { mask?: (fun(text: string): string), write?: boolean, who?: string } `mask` takes secrets out
---@return scrutinizer.Error
function redirect.error(info, how)
  how = how or {}
  local target = info.location and info.location:match "^[^?#]*"
  local where = target and "to " .. errors.neutral(how.mask and how.mask(target) or target, 200) or "and does not say where to"
  local advice = ADVICE[how.write and WRITE[info.status] or "read"] or ADVICE.read
  return errors.new("http", ("%s redirects (HTTP %d) %s: %s"):format(how.who or "the appliance", info.status, where, advice),
    { status = info.status })
end

-- Where a Location leads from here: it may leave out scheme, host, or the beginning of the path.
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

-- Whether a write may be sent once more. An appliance with TLS takes nothing over http: what redirects there has no more than an address to
-- give. Elsewhere only a status that forbids to turn the request into a GET says that it was not taken.
local function may_repeat(from, status)
  return WRITE[status] == "not done" or (from.scheme == "http" and WRITE[status] == "unsure")
end

-- A path that names nothing was lost on the way.
local function is_lost(path)
  return path == "" or path == "/"
end

--- Where the appliance is, as a redirect says: https on the same host. The path stays that of the client; `other` is the one that the
--- redirect named, where it named another. Within one origin another path is no appliance that has moved (a login page, most likely).
---@param endpoint { scheme: string, host: string, port?: string, path: string }
---@param location? string
---@return table? target nil: elsewhere
---@return string? other
function redirect.target(endpoint, location)
  local said = location and resolve(endpoint, location)
  if not said or said.scheme ~= "https" or ascii.lower(said.host) ~= ascii.lower(endpoint.host) then return nil end
  local other = not is_lost(said.path) and said.path ~= endpoint.path and said.path or nil
  if other and same_origin(endpoint, said) then return nil end
  return { scheme = "https", host = endpoint.host, port = said.port, path = endpoint.path }, other
end

--- Moves a client for good.
---@param client scrutinizer.Client
---@param target table
---@param status integer
function redirect.settle(client, target, status)
  if target.port == "443" then target.port = nil end
  client._options.endpoint, client.url = target, url.join(target)
  events.redirect(client, status)
end

--- Moves the client as an answer says: a redirect within its host, or 404 after one that had named another path. False: stay, this is the
--- answer.
---@param client scrutinizer.Client
---@param info table
---@param exchange table counts its moves; `_write`: its request must not be done twice
---@return boolean
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
  -- The same address again may be a stumble; a second time it is a loop.
  if not target or (exchange._moves > 1 and url.join(target) == client.url) then return false end
  exchange._other_path = other
  redirect.settle(client, target, info.status)
  return true
end

return redirect
