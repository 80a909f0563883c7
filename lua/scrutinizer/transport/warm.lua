--- Resolves host names in advance, for processes that cannot do it later. Example: HAProxy after it has dropped root, in its chroot.

local ascii = require "scrutinizer.ascii"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local wait = require "scrutinizer.transport.wait"

local warm = {}

local PORTS = { https = 443, http = 80 }
local PROXY_PORT = 1080 -- libcurl's own default

local function is_address(host)
  return host:find "^%[" ~= nil or host:find "^%d+%.%d+%.%d+%.%d+$" ~= nil
end

-- The host and ports that libcurl will resolve: the proxy's, if there is a proxy.
local function targets(endpoint, proxy)
  if proxy then
    local rest = proxy:gsub("^[A-Za-z][A-Za-z0-9+.-]*://", ""):gsub("^.*@", ""):gsub("/.*$", "")
    local host, port = rest:match "^(%[[^%]]*%]):?(%d*)$"
    if not host then host, port = rest:match "^([^:]*):?(%d*)$" end
    if not host or host == "" then return nil end
    local default = proxy:find "^https://" and PORTS.https or PROXY_PORT
    return host, { tonumber(port) or default }
  end
  local ports = { tonumber(endpoint.port) or PORTS[endpoint.scheme] }
  if endpoint.scheme == "http" then ports[2] = PORTS.https end -- the appliance may redirect to https
  return endpoint.host, ports
end

local function is_resolved(resolve, host, port)
  local head = ascii.lower(("%s:%d:"):format(host, port))
  for _, entry in ipairs(resolve) do
    if ascii.lower(entry:sub(1, #head)) == head then return true end
  end
  return false
end

--- Resolves the names that the client's requests need. Returns entries for libcurl: "host:port:address,address".
---@param endpoint { scheme: string, host: string, port?: string }
---@param transport table the client's options `proxy`, `resolve`, `unix_socket`
---@return string[]? entries empty when no name has to be resolved
---@return scrutinizer.Error? err kind `connect`: the name cannot be resolved
function warm.entries(endpoint, transport)
  local host, ports = targets(endpoint, transport.proxy ~= "" and transport.proxy or nil)
  local entries = {}
  if transport.unix_socket or not host or is_address(host) then return entries end
  local addresses, complaint
  for _, port in ipairs(ports) do
    if not is_resolved(transport.resolve or entries, host, port) then
      if not addresses then addresses, complaint = core.resolve(host) end
      if not addresses then
        return errors.fail("connect", ("%s cannot be resolved: %s"):format(errors.neutral(host, 200), complaint))
      end
      entries[#entries + 1] = ("%s:%d:%s"):format(host, port, table.concat(addresses, ","))
    end
  end
  return entries
end

--- Nil where a lookup may block, else an error of kind `phase`.
---@param find fun(): scrutinizer.WaitHost?, string?, string?
---@return scrutinizer.Error?
function warm.refusal(find)
  if wait.loading() then return nil end
  local host = find()
  if host and not host.turns then return nil end
  return errors.new("phase", "warm blocks while it looks up host names; call it while the host starts (nginx: init_by_lua; HAProxy: the body of a "
    .. "lua-load file), or in a script without a host")
end

return warm
