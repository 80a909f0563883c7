--- Waiting inside a cqueues controller, on file descriptors.

local cqueues_host = {}

local function module()
  local loaded = package.loaded.cqueues
  return type(loaded) == "table" and loaded or nil
end

--- Whether a cqueues controller is running this code.
function cqueues_host.here()
  local cqueues = module()
  return cqueues ~= nil and cqueues.running() ~= nil
end

--- Nil where waiting is possible; else why not, and what to do instead.
---@return string?
function cqueues_host.refusal()
  if cqueues_host.here() then return nil end
  return "no cqueues controller is running this code; run it in one: controller:wrap(function() … end)"
end

-- The descriptors that each transfer's coroutine waits for.
local waiting = setmetatable({}, { __mode = "k" })

-- libcurl may close them, so the controller must not keep them.
local function forget(fds)
  for _, fd in ipairs(fds) do module().cancel(fd.fd) end
end

--- To be called before a transfer's descriptors are closed: wakes the coroutine that waits for them.
function cqueues_host.release(transfer)
  local fds = waiting[transfer]
  waiting[transfer] = nil
  if fds then forget(fds) end
end

function cqueues_host.pause(http, seconds, transfer)
  local cqueues = module()
  local fds, kind, message = http:fds(transfer)
  if not fds and kind ~= "limit" then return nil, kind, message end
  local list = {}
  for i, fd in ipairs(fds or {}) do
    list[i] = { pollfd = fd.fd, events = (fd.read and "r" or "") .. (fd.write and "w" or "") }
  end
  list[#list + 1] = seconds
  local key = transfer or http
  waiting[key] = fds
  cqueues.poll((table.unpack or unpack)(list)) -- luacheck: ignore
  if waiting[key] then forget(fds) end
  waiting[key] = nil
  return true
end

--- Sleeps for the whole time, even if a socket becomes ready.
---@param seconds number
---@return true
function cqueues_host.moment(seconds)
  module().sleep(seconds)
  return true
end

function cqueues_host.turn()
  module().sleep(0)
  return true
end

return cqueues_host
