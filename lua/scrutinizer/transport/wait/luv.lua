--- Waiting inside luv's loop, on file descriptors. The loop's callbacks resume the coroutine.

local luv = {}

-- Descriptors watched now: libuv accepts each only once.
local watched = {}

local function module()
  local loaded = package.loaded.luv or package.loaded.uv
  return type(loaded) == "table" and type(loaded.new_poll) == "function" and loaded or nil
end

local function current()
  local co, main = coroutine.running()
  return not main and co or nil
end

--- Whether luv's loop is running this code.
function luv.here()
  local uv = module()
  return uv ~= nil and uv.loop_mode ~= nil and uv.loop_mode() ~= nil
end

--- Nil where waiting is possible; else why not, and what to do instead.
---@return string?
function luv.refusal()
  if not module() then return 'luv is not loaded; require "luv" first' end
  if current() then return nil end
  return "cannot wait in a callback of luv's loop; run it in a coroutine: coroutine.wrap(function() … end)()"
end

local function resume(co)
  local good, complaint = coroutine.resume(co)
  if not good then error(debug.traceback(co, tostring(complaint)), 0) end
end

-- Calls `begin(wake)`, which starts handles and returns them. Yields until one of them calls `wake`, then closes them.
local function sleep(begin)
  local co, asleep = current(), true
  local handles = begin(function()
    if not asleep then return end
    asleep = false
    resume(co)
  end)
  coroutine.yield()
  for _, handle in ipairs(handles) do
    handle:stop()
    handle:close()
  end
end

local function watch(uv, fds, handles, wake)
  local mine = {}
  for _, fd in ipairs(fds) do
    if not watched[fd.fd] then
      local poll = uv.new_poll(fd.fd)
      if poll then
        watched[fd.fd], mine[#mine + 1], handles[#handles + 1] = true, fd.fd, poll
        poll:start((fd.read and "r" or "") .. (fd.write and "w" or ""), wake)
      end
    end
  end
  return mine
end

-- Seconds to wait when another coroutine already watches the same socket, for example while both connect.
local SHARED = 0.02

-- The handles that each transfer's coroutine waits for.
local waiting = setmetatable({}, { __mode = "k" })

--- To be called before a transfer's descriptors are closed: wakes the coroutine that waits for them.
function luv.release(transfer)
  local handles, wake = waiting[transfer] and waiting[transfer].handles, waiting[transfer] and waiting[transfer].wake
  for i = 2, #(handles or {}) do handles[i]:stop() end
  if handles then handles[1]:start(0, 0, wake) end
end

function luv.pause(http, seconds, transfer)
  local uv = module()
  local fds, kind, message = http:fds(transfer)
  if not fds and kind ~= "limit" then return nil, kind, message end
  local key, mine = transfer or http, nil
  sleep(function(wake)
    local timer = uv.new_timer()
    local handles = { timer }
    mine = watch(uv, fds or {}, handles, wake)
    if #mine < #(fds or {}) or not fds then seconds = math.min(seconds, SHARED) end
    timer:start(math.ceil(seconds * 1000), 0, wake)
    waiting[key] = { handles = handles, wake = wake }
    return handles
  end)
  waiting[key] = nil
  for _, fd in ipairs(mine) do watched[fd] = nil end
  return true
end

--- Sleeps for the whole time, even if a socket becomes ready.
---@param seconds number
---@return true
function luv.moment(seconds)
  sleep(function(wake)
    local timer = module().new_timer()
    timer:start(math.ceil(seconds * 1000), 0, wake)
    return { timer }
  end)
  return true
end

-- An idle handle runs once per turn of the loop, and the loop polls its sockets in between. A timer of 0 ms might fire in the same turn.
function luv.turn()
  sleep(function(wake)
    local idle = module().new_idle()
    idle:start(wake)
    return { idle }
  end)
  return true
end

return luv
