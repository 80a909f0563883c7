--- How time passes while the appliance works: the one place that knows the host.

local wait = {}

--- Names that `connect { wait = … }` knows.
wait.PRESETS = { "auto", "poll", "ngx", "haproxy", "cqueues", "luv" }

---@class scrutinizer.Host
---@field turns boolean   whether others share the loop: work is bounded, see turns.lua
---@field sleeps boolean  whether it can only sleep: sockets do not wake it
---@field aborts boolean  whether the host ends coroutines without a word to them, see live.lua
---@field pause fun(http: userdata, seconds: number, transfer: userdata): true?, string?, string?  returns after about `seconds` at most, or
---   when a socket has something
---@field moment? fun(seconds: number): true   sleeps, whatever the sockets do
---@field release? fun(transfer: userdata)  whoever waits for the transfer's sockets comes back: they are about to be closed
---@field turn fun(number: integer, http: userdata): true?, string?, string?  lets the host's loop go round once, and comes back

local POLL = {
  turns = false, sleeps = false, aborts = false,
  pause = function(http, seconds) return http:wait(seconds) end,
}

-- Each host's module has `here()`, `refusal()`, `pause` and `turn`; some have `loading()`.
local HOSTS = {
  { preset = "ngx", name = "nginx", aborts = true },
  { preset = "haproxy", name = "haproxy", aborts = true },
  { preset = "cqueues", name = "cqueues", aborts = false },
  { preset = "luv", name = "luv", aborts = false },
}

for _, entry in ipairs(HOSTS) do
  local module = require("scrutinizer.transport.wait." .. entry.name)
  entry.module = module
  entry.host = {
    turns = true, sleeps = entry.aborts, aborts = entry.aborts,
    pause = module.pause, moment = module.moment, turn = module.turn, release = module.release,
  }
end

-- Hosts of coroutines that a scheduler of ours runs.
local lanes = setmetatable({}, { __mode = "k" })

--- Gives a coroutine a host of its own: whoever resumes it lets the time pass.
---@param co thread
---@param host scrutinizer.Host
function wait.lane(co, host)
  lanes[co] = host
end

local isyieldable = coroutine.isyieldable -- luacheck: ignore 143 (Lua 5.1 cannot tell)
local INSIDE = "nothing can wait here: a finalizer, a hook or a metamethod runs inside a coroutine"

-- A host that waits by yielding, where that can be.
local function yielding(host)
  if isyieldable and not isyieldable() then return nil, "phase", INSIDE end
  return host
end

local function use(entry)
  local module = entry.module
  if module.loading and module.loading() then return POLL end
  local refusal = module.refusal()
  if refusal then return nil, "phase", refusal end
  return yielding(entry.host)
end

local function automatic()
  for _, entry in ipairs(HOSTS) do
    if entry.module.here() then return use(entry) end
  end
  return POLL
end

-- A loop of the caller's own.
local function custom(option)
  local function pause(http, seconds, transfer)
    local fds, kind, message = http:fds(transfer)
    if not fds then return nil, kind, message end
    option(seconds, fds)
    return true
  end
  local host = { turns = true, sleeps = false, aborts = false, pause = pause, turn = function(_, http) return pause(http, 0) end }
  return function() return host end
end

local function finder(option)
  if type(option) == "function" then return custom(option) end
  if option == "auto" then return automatic end
  for _, entry in ipairs(HOSTS) do
    if entry.preset == option then
      return function() return use(entry) end
    end
  end
  return function() return POLL end
end

--- Whether a host is loading and serves nobody yet. A worker of nginx that begins is that as well.
---@return boolean
function wait.loading()
  for _, entry in ipairs(HOSTS) do
    local module = entry.module
    if module.here() and (module.beginning or module.loading) then return (module.beginning or module.loading)() end
  end
  return false
end

--- For an option of `connect`: a function that finds the host here and now. It gives nil, kind and message where the host cannot wait.
---@param option string|fun(seconds: number, fds: table)
---@return fun(): scrutinizer.Host?, string?, string?
function wait.resolve(option)
  local find = finder(option)
  for _, entry in ipairs(HOSTS) do
    if entry.module.watch then entry.module.watch() end
  end
  return function()
    local co = coroutine.running()
    local lane = co and lanes[co]
    if lane then return yielding(lane) end
    return find()
  end
end

return wait
