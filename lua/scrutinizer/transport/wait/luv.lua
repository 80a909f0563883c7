--- Waiting inside luv's loop: by descriptors, in a coroutine that the loop's own callbacks resume.

local luv = {}

-- Descriptors that are being watched: libuv takes each once.
local watched = {}

local function module()
  local loaded = package.loaded.luv or package.loaded.uv
  return type(loaded) == "table" and type(loaded.new_poll) == "function" and loaded or nil
end

local function current()
  local co, main = coroutine.running()
  return not main and co or nil
end

--- Whether luv's loop runs us.
function luv.here()
  local uv = module()
  return uv ~= nil and uv.loop_mode ~= nil and uv.loop_mode() ~= nil
end

--- Nil where we may wait, else why not and what to do instead.
---@return string?
function luv.refusal()
  if not module() then return 'luv is not loaded; require "luv" first' end
  if current() then return nil end
  return "luv's loop cannot wait in a callback of its own; run it in a coroutine: coroutine.wrap(function() … end)()"
end

local function resume(co)
  local good, complaint = coroutine.resume(co)
  if not good then error(debug.traceback(co, tostring(complaint)), 0) end
end

-- Runs `begin(wake)`, which starts handles, and yields until one of them calls `wake`; ends them then.
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

-- Where another coroutine watches the same socket, as both of them connect: look again soon.
local SHARED = 0.02

-- What a transfer's coroutine waits with.
local waiting = setmetatable({}, { __mode = "k" })

--- Its descriptors are about to be closed: whoever waits for them comes back.
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

--- Sleeps, whatever the sockets do.
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

-- An idle handle runs once in each turn of the loop, sockets included; a timer of 0 ms may run on in the same one.
function luv.turn()
  sleep(function(wake)
    local idle = module().new_idle()
    idle:start(wake)
    return { idle }
  end)
  return true
end

return luv
