--- Many reports at the same time over one client's connections. Each runs in its own coroutine; one loop waits for all of them.

local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local wait = require "scrutinizer.transport.wait"

local gather = {}

local CONCURRENCY = 8
local ALLOWED = 'a list of queries, { q1, q2, concurrency = 8 }'

-- A query that would raise when it runs raises here, at the line that called `gather`.
local function check_query(client, value, i, is_query)
  if not is_query(value) then error(check.message(("gather: entry %d"):format(i), value, "a query of client:report"), 5) end
  if value._client ~= client then error(("gather: entry %d is a query of another client"):format(i), 5) end
  local good, complaint = pcall(value.request, value)
  if not good then error(("gather: entry %d: %s"):format(i, (tostring(complaint):gsub("^.-:%d+: ", ""))), 5) end
end

-- How many queries there are, and how many may run at a time.
local function read(client, given, is_query)
  if type(given) ~= "table" then error(check.message("gather", given, ALLOWED), 4) end
  local count = #given
  for key in pairs(given) do
    local place = check.integer(key, 1, count)
    if not place and key ~= "concurrency" then error(check.message("gather: " .. tostring(key), given[key], ALLOWED), 4) end
  end
  for i = 1, count do check_query(client, given[i], i, is_query) end
  if given.concurrency == nil then return count, CONCURRENCY end
  local at_once = check.integer(given.concurrency, 1, 1000)
  if not at_once then error(check.message("gather: concurrency", given.concurrency, "a whole number from 1 to 1000"), 4) end
  return count, at_once
end

---@class scrutinizer.GatherLane one report that runs
---@field co thread
---@field index integer
---@field http? userdata     the transfers whose sockets it waits for
---@field seconds? number    how long it wants to sleep; nil: it waits for the host's next turn
---@field number? integer    the turn in which it stopped

-- The host object for a task: to pause, it yields to the code that resumes the task.
local function task_host(host)
  return {
    turns = host.turns, sleeps = host.sleeps, aborts = host.aborts,
    pause = function(http, seconds)
      coroutine.yield(http, seconds)
      return true
    end,
    turn = function(number, http)
      coroutine.yield(http, nil, number)
      return true
    end,
  }
end

-- Runs a task until it waits or ends. Returns true when it has ended, then the result and whether it failed.
local function resume(task, one)
  local good, first, second, third = coroutine.resume(task.co, one)
  if not good then error(first, 0) end
  if coroutine.status(task.co) == "dead" then return true, first or { error = second }, not first end
  task.http, task.seconds, task.number = first, second, third
  return false
end

local function fetch(one)
  local report, err = one:fetch()
  return report, err
end

local Gathering = {}
Gathering.__index = Gathering

-- Starts the next report and returns its task once it waits; nil when all have started. Reports that end without waiting have no task.
function Gathering:begin()
  while self.begun < self.list.n do
    self.begun = self.begun + 1
    local task = { co = coroutine.create(self.job), index = self.begun }
    wait.task(task.co, self.host)
    if not self:advance(task) then return task end
  end
end

-- Runs the task further. Returns true when it has ended.
function Gathering:advance(task)
  local done, result, failed = resume(task, self.items[task.index])
  if not done then return false end
  self.list[task.index] = result
  if failed then self.failed = self.failed + 1 end
  return true
end

-- Runs each task once. Between two rounds the host has its turn.
function Gathering:round(tasks)
  local left = {}
  for _, task in ipairs(tasks) do
    if self:advance(task) then task = self:begin() end
    left[#left + 1] = task
  end
  while #left < self.at_once do
    local task = self:begin()
    if not task then break end
    left[#left + 1] = task
  end
  return left
end

-- Waits until one of the tasks can continue.
local function pass(host, tasks)
  local least = math.huge
  for _, task in ipairs(tasks) do
    if not task.seconds then return host.turn(task.number, task.http) end
    least = math.min(least, task.seconds)
  end
  return host.pause(tasks[1].http, least)
end

--- Does a job for each item and returns the results in the order of the items. If one fails, the others go on.
---@param client scrutinizer.Client
---@param items any[]
---@param at_once integer how many at a time
---@param job fun(item: any): any, scrutinizer.Error? may wait for the appliance; nil and err: it has failed
---@return { n: integer, [integer]: any } list entry i is what the job gave, or { error = err }
---@return integer failed
function gather.each(client, items, at_once, job)
  local count = #items
  local host, kind, message = client._private.host()
  local self = setmetatable({ items = items, job = job, at_once = at_once, list = { n = count }, begun = 0, failed = 0 }, Gathering)
  self.host = host and task_host(host)
  local tasks = host and self:round {} or {}
  while #tasks > 0 do
    local ok
    ok, kind, message = pass(host, tasks)
    if not ok then break end
    tasks = self:round(tasks)
  end
  for i = 1, count do -- where the host could not wait
    if not self.list[i] then self.list[i], self.failed = { error = errors.new(kind, message) }, self.failed + 1 end
  end
  return self.list, self.failed
end

--- Runs the queries and returns their reports in the order of the queries. If one fails, the others go on.
---@param client scrutinizer.Client
---@param given { [integer]: scrutinizer.Query, concurrency?: integer } concurrency: how many at a time, 1 to 1000, default 8
---@param is_query fun(value: any): boolean
---@return { n: integer, [integer]: table } list entry i is report i, or { error = err }
---@return integer failed
function gather.run(client, given, is_query)
  local _, at_once = read(client, given, is_query)
  return gather.each(client, given, at_once, fetch)
end

return gather
