--- Many reports at the same time over one client's connections. Each runs in its own coroutine; one loop waits for all of them.

local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local wait = require "scrutinizer.transport.wait"

local gather = {}

---@class scrutinizer.GatherEntry a query, and what is asked of it instead of the whole report: one of these
---@field [1] scrutinizer.Query
---@field aggregate? scrutinizer.AggregateOptions
---@field series? true
---@field rates? true
---@field pie? true
---@field count? true

local CONCURRENCY = 8
local ALLOWED = 'a list of queries, { q1, q2, concurrency = 8 }; an entry may be { q1, aggregate = { … } }'

-- The methods of its query that an entry can name, instead of `fetch`.
local METHODS = { aggregate = true, series = true, rates = true, pie = true, count = true }
local METHOD_LIST = "aggregate = { … }, series = true, rates = true, pie = true, count = true"

-- The method that an entry { query, method = argument } names, and its argument; `fetch` for a bare query. Nil and what is wrong.
local function read_entry(value, is_query)
  if is_query(value) then return { query = value, method = "fetch" } end
  local query = type(value) == "table" and rawget(value, 1)
  if not is_query(query) then return nil, ("got %s; allowed: a query, or a query with one of %s"):format(check.show(value), METHOD_LIST) end
  local entry = { query = query }
  for key, argument in pairs(value) do
    if key ~= 1 then
      if not METHODS[key] then return nil, check.message("key", key, METHOD_LIST) end
      if entry.method then return nil, ("set either %s or %s"):format(entry.method, key) end
      if key ~= "aggregate" and argument ~= true then return nil, check.message(key, argument, "true") end
      entry.method, entry.argument = key, argument
    end
  end
  entry.method = entry.method or "fetch"
  return entry
end

-- What would raise when the entry's query runs raises here, at the line that called `gather`.
local function check_entry(client, value, i, about)
  local entry, complaint = read_entry(value, about.is)
  if entry and entry.query._client ~= client then error(("gather: entry %d is a query of another client"):format(i), 5) end
  if entry then complaint = about.complaint(entry.query, entry.method, entry.argument) end
  if complaint then error(("gather: entry %d: %s"):format(i, complaint), 5) end
  return entry
end

-- The entries, and how many may run at a time.
local function read(client, given, about)
  if type(given) ~= "table" then error(check.message("gather", given, ALLOWED), 4) end
  local count, entries = #given, {}
  for key in pairs(given) do
    local place = check.integer(key, 1, count)
    if not place and key ~= "concurrency" then error(check.message("gather: " .. tostring(key), given[key], ALLOWED), 4) end
  end
  for i = 1, count do entries[i] = check_entry(client, given[i], i, about) end
  if given.concurrency == nil then return entries, CONCURRENCY end
  local at_once = check.integer(given.concurrency, 1, 1000)
  if not at_once then error(check.message("gather: concurrency", given.concurrency, "a whole number from 1 to 1000"), 4) end
  return entries, at_once
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

local function run_entry(entry)
  local query = entry.query
  local result, err = query[entry.method](query, entry.argument)
  return result, err
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

--- Runs the queries and returns their results in the order of the queries. If one fails, the others go on.
---@param client scrutinizer.Client
---@param given { [integer]: scrutinizer.Query|scrutinizer.GatherEntry, concurrency?: integer } concurrency: how many at a time, 1 to 1000, default 8
---@param about { is: (fun(value: any): boolean), complaint: fun(query: scrutinizer.Query, method: string, argument: any): string? } the queries'
---  own functions: whether a value is one, and what running it would raise
---@return { n: integer, [integer]: any } list entry i is result i, or { error = err }
---@return integer failed
function gather.run(client, given, about)
  local entries, at_once = read(client, given, about)
  return gather.each(client, entries, at_once, run_entry)
end

return gather
