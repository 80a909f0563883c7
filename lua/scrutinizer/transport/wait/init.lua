--- How the client waits while the appliance works. Only this folder knows the hosts (nginx, HAProxy, cqueues, luv).

local wait = {}

---@class scrutinizer.WaitHost
---@field turns boolean   whether others share the loop: then the work per turn is limited, see turn_budget.lua
---@field sleeps boolean  whether it can only sleep: sockets do not wake it
---@field aborts boolean  whether the host ends coroutines without notice, see running_list.lua
---@field pause fun(http: userdata, seconds: number, transfer: userdata): true?, string?, string?  returns after about `seconds`, or earlier
---   when a socket is ready; nil, kind and message when it cannot wait
---@field moment? fun(seconds: number): true   sleeps for the whole time, even if a socket becomes ready
---@field release? fun(transfer: userdata)  to be called before the transfer's sockets are closed: wakes the coroutine that waits for them
---@field turn fun(number: integer, http: userdata): true?, string?, string?  returns after the host's loop has run once

local POLL = {
  turns = false, sleeps = false, aborts = false,
  pause = function(http, seconds) return http:wait(seconds) end,
}

---@class scrutinizer.WaitModule a file of this folder: one host
---@field here fun(): boolean    whether the host's loop is running this code
---@field refusal fun(): string? nil where waiting is possible; else why not, and what to do instead
---@field log? fun(text: string)    writes to the host's error log, where the host itself shows no error that is a table
---@field environment? string       what hides environment variables from scripts in this host, and what to do
---@field pause function         this and the next three: see scrutinizer.WaitHost
---@field turn function
---@field moment? function
---@field release? function
---@field loading? fun(): boolean   whether the host is starting, so that blocking is harmless
---@field beginning? fun(): boolean the same, and while a worker of the host starts

-- The hosts, in the order in which "auto" asks them. `preset` is the name for `connect`, `name` the file's.
local HOSTS = {
  { preset = "ngx", name = "nginx", aborts = true },
  { preset = "haproxy", name = "haproxy", aborts = true },
  { preset = "cqueues", name = "cqueues", aborts = false },
  { preset = "luv", name = "luv", aborts = false },
}

--- The names that `connect { wait = … }` accepts.
wait.PRESETS = { "auto", "poll" }

for _, entry in ipairs(HOSTS) do
  wait.PRESETS[#wait.PRESETS + 1] = entry.preset
  local module = require("scrutinizer.transport.wait." .. entry.name)
  entry.module = module
  entry.host = {
    turns = true, sleeps = entry.aborts, aborts = entry.aborts,
    pause = module.pause, moment = module.moment, turn = module.turn, release = module.release,
  }
end

-- The hosts of coroutines that our own scheduler runs.
local tasks = setmetatable({}, { __mode = "k" })

--- Gives a coroutine its own host: the scheduler that resumes it does the waiting.
---@param co thread
---@param host scrutinizer.WaitHost
function wait.task(co, host)
  tasks[co] = host
end

local isyieldable = coroutine.isyieldable -- luacheck: ignore 143 (Lua 5.1 cannot tell)
local INSIDE = "cannot wait here: this is a finalizer, a hook or a metamethod that runs inside a coroutine"

-- Returns a host that waits by yielding; nil, kind and message where nothing can yield.
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

-- The caller's own loop.
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

--- Whether the host is starting and serves no requests yet. This includes an nginx worker in init_worker.
---@return boolean
function wait.loading()
  for _, entry in ipairs(HOSTS) do
    local module = entry.module
    if module.here() and (module.beginning or module.loading) then return (module.beginning or module.loading)() end
  end
  return false
end

-- The module of the host whose loop runs this code; nil in a plain script.
local function current()
  for _, entry in ipairs(HOSTS) do
    if entry.module.here() then return entry.module end
  end
end

--- What hides environment variables in the current host, and what to do; nil where nothing hides them.
---@return string?
function wait.environment()
  local module = current()
  return module and module.environment
end

-- Whether a pcall of this coroutine catches an error that is raised now. An xpcall may be the host's, as in OpenResty's `resty`, which cannot show
-- a table either.
local function is_caught()
  local level = 1
  local frame = debug.getinfo(level, "f")
  while frame do
    if frame.func == pcall then return true end
    level = level + 1
    frame = debug.getinfo(level, "f")
  end
  return false
end

--- Raises an error of the world in a `for` loop. nginx and HAProxy show only errors that are texts, so where nobody catches it in this coroutine,
--- its text also goes to the host's log.
---@param err scrutinizer.Error
function wait.raise(err)
  local module = current()
  if module and module.log and not is_caught() then module.log("scrutinizer: " .. tostring(err)) end
  error(err, 0)
end

--- For the option `wait` of `connect`: a function that finds the current host. That function returns nil, kind and message where the host
--- cannot wait.
---@param option string|fun(seconds: number, fds: table) a name from PRESETS, or the caller's own wait function
---@return fun(): scrutinizer.WaitHost?, string?, string?
function wait.resolve(option)
  local find = finder(option)
  return function()
    local co = coroutine.running()
    local task = co and tasks[co]
    if task then return yielding(task) end
    return find()
  end
end

return wait
