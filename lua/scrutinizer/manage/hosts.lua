--- `client.hosts`: which exporters have seen an address, and when.

local call = require "scrutinizer.transport.call"
local addresses = require "scrutinizer.addresses"
local check = require "scrutinizer.check"
local gather = require "scrutinizer.report.gather"
local listing = require "scrutinizer.listing"
local object_lists = require "scrutinizer.manage.common.object_lists"
local item_results = require "scrutinizer.manage.common.item_results"
local wire = require "scrutinizer.wire.inventory"

---@class scrutinizer.Host
---@field ip string
---@field found? boolean nil if the lookup failed; see `error`
---@field seen { exporter: string, first: string, last: string, connections?: integer }[] times as the appliance writes them; connections
---  if it shows a number
---@field error? string

---@class scrutinizer.Hosts
---@field private _client scrutinizer.Client
local methods = {}
local Hosts = { __index = methods, __name = "scrutinizer.Hosts" }

local CONCURRENCY = 8
-- Error kinds that concern one host only; others stop the whole call.
local OF_ONE = { api = true, decode = true }

local function read_rows(ip, answer)
  local rows = type(answer) == "table" and answer.rows
  if not item_results.is_list(rows) then return object_lists.malformed("hosts:find", "a list 'rows' for " .. ip) end
  local seen = {}
  for i, row in ipairs(rows) do
    local sighting = wire.read_sighting(row)
    if not sighting then return object_lists.malformed("hosts:find", ("exporter and times in row %d for %s"):format(i, ip)) end
    sighting.connections = item_results.whole(sighting.connections)
    seen[i] = sighting
  end
  return { ip = ip, found = #seen > 0, seen = seen }
end

-- The result for one host; or nil and err when the whole call has failed.
local function find_one(client, ip)
  local answer, err = call.send(client, wire.host(ip))
  local host
  if answer ~= nil then host, err = read_rows(ip, answer) end
  if host then return host end
  if not OF_ONE[err.kind] then return nil, err end
  return { ip = ip, seen = {}, error = err.message, code = err.kind == "api" and "refused" or "unconfirmed" }
end

local OPTIONS = { concurrency = true, on_progress = true }

local function read_options(given)
  if given == nil then return CONCURRENCY end
  if type(given) ~= "table" then return nil, check.message("hosts:find: options", given, "a table with concurrency, on_progress") end
  for key in next, given do
    if not OPTIONS[key] then return nil, check.message("hosts:find: option", key, "concurrency, on_progress") end
  end
  if given.on_progress ~= nil and type(given.on_progress) ~= "function" then
    return nil, check.message("hosts:find: on_progress", given.on_progress, "a function")
  end
  local at_once = given.concurrency == nil and CONCURRENCY or check.integer(given.concurrency, 1, 1000)
  if not at_once then return nil, check.message("hosts:find: concurrency", given.concurrency, "a whole number from 1 to 1000") end
  return at_once
end

-- The addresses without duplicates; or nil and the complaint.
local function read_ips(list)
  if type(list) ~= "table" then return nil, check.message("hosts:find", list, "a list of addresses") end
  local once, seen = {}, {}
  for key, ip in next, list do
    if not check.integer(key, 1, #list) or not addresses.is_ip(ip) then
      return nil, check.message(("hosts:find: item %s"):format(tostring(key)), ip, "the text of an IPv4 or IPv6 address")
    end
  end
  for _, ip in ipairs(list) do
    if not seen[ip] then once[#once + 1] = ip end
    seen[ip] = true
  end
  return once
end

-- The results in the order of the list. A repeated address gets its own copy of the result, but was requested only once.
local function in_order(list, by_ip)
  local out = {}
  for i, ip in ipairs(list) do
    local copy = {}
    for key, value in pairs(by_ip[ip]) do copy[key] = value end
    out[i] = copy
  end
  return out
end

--- Looks hosts up in the appliance's index. It sends one request per host, because an answer does not name its host.
---@param list string[] addresses
---@param options? { concurrency?: integer, on_progress?: fun(done: integer, all: integer) } concurrency: requests at the same time, 1 to 1000
---  (default 8)
---@return scrutinizer.Host[]? hosts in the order given; `found` is false if no exporter has seen the host
---@return scrutinizer.Error? err the whole call failed; `err.partial` has the results so far, by address
function methods:find(list, options)
  local once, complaint = read_ips(list)
  if not once then error(complaint, 2) end
  local at_once
  at_once, complaint = read_options(options)
  if not at_once then error(complaint, 2) end
  local by_ip, done, broken = {}, 0, nil
  gather.each(self._client, once, at_once, function(ip)
    if broken then return nil, broken end
    local host, err = find_one(self._client, ip)
    if not host then
      broken = broken or err
      return nil, err
    end
    by_ip[ip], done = host, done + 1
    if options and options.on_progress then options.on_progress(done, #once) end
    return host
  end)
  if broken then
    broken.partial = by_ip
    return nil, broken
  end
  return listing.of(in_order(list, by_ip), "hosts", { "ip", "found", "seen", "error" })
end

return { new = function(client) return setmetatable({ _client = client }, Hosts) end }
