--- One graph for many customers: which report shows them, which of its series is whose, and which customers could be hidden in it.

local addresses = require "scrutinizer.addresses"
local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local bigint = require "scrutinizer.arithmetic.bigint"
local wire = require "scrutinizer.wire"

local many_graphs = {}

---@class scrutinizer.GraphCustomer
---@field name string
---@field of string        what it is, as text
---@field parts { name: string, keys: string[] }[] the keys of its series

local function list_of(value) return type(value) == "table" and value or { value } end

-- ---- whose series ----

-- A key for the first bits of an address. "v4"/"v6" are told apart by the number of digits.
local function prefix_key(digits, length)
  local whole, rest = math.floor(length / 4), length % 4
  local bits = rest > 0 and math.floor(tonumber(digits:sub(whole + 1, whole + 1), 16) / 2 ^ (4 - rest)) or 0
  return ("%d/%d/%s/%d"):format(#digits, length, digits:sub(1, whole), bits)
end

local KINDS = {}

-- Hosts: one series for each address.
KINDS.hosts = {
  report = { inbound = "dstHosts", outbound = "srcHosts" },
  column = { inbound = "destinationipaddress", outbound = "sourceipaddress" },
  exact = true, -- a series is all traffic of its address
}

function KINDS.hosts.parts(customer)
  local keys, name = {}, {}
  for _, ip in ipairs(list_of(customer.ip or {})) do
    local digits = addresses.digits(ip)
    keys[#keys + 1], name[#name + 1] = prefix_key(digits, #digits * 4), ip
  end
  for _, text in ipairs(list_of(customer.network or {})) do
    local network = addresses.network(text)
    keys[#keys + 1], name[#name + 1] = prefix_key(addresses.digits(network.address), network.length), text
  end
  return { { name = table.concat(name, ", "), keys = keys } }
end

function KINDS.hosts.select(side) return { key = KINDS.hosts.column[side] } end

function KINDS.hosts.keys(row, lengths)
  if not addresses.is_ip(row.key) then return {} end
  local digits, keys = addresses.digits(row.key), {}
  for _, length in ipairs(lengths[#digits] or {}) do keys[#keys + 1] = prefix_key(digits, length) end
  return keys
end

function KINDS.hosts.filter(query, customers, side)
  local ips, networks = {}, {}
  for _, customer in ipairs(customers) do
    for _, ip in ipairs(list_of(customer.given.ip or {})) do ips[#ips + 1] = ip end
    for _, network in ipairs(list_of(customer.given.network or {})) do networks[#networks + 1] = network end
  end
  local key = side == "inbound" and "dst_" or "src_"
  if not networks[1] then return query:where { [key .. "ip"] = ips } end
  for _, ip in ipairs(ips) do networks[#networks + 1] = ("%s/%d"):format(ip, #addresses.digits(ip) * 4) end
  return query:where { [key .. "network"] = networks }
end

-- IP groups: one series for each pair of groups.
KINDS.groups = { report = { inbound = "ipGroupGroup", outbound = "ipGroupGroup" } }

local GROUP = { inbound = "destinationipgroup", outbound = "sourceipgroup" }

function KINDS.groups.parts(customer)
  local keys, name = {}, {}
  for i, group in ipairs(list_of(customer.ip_group)) do
    keys[i] = type(group) == "number" and ("id %.0f"):format(group) or "name " .. group
    name[i] = tostring(group)
  end
  return { { name = "IP group " .. table.concat(name, ", "), keys = keys } }
end

function KINDS.groups.select(side) return { key = GROUP[side], label = GROUP[side] .. ".label" } end

function KINDS.groups.keys(row)
  return { "id " .. tostring(row.key), "name " .. tostring(row.label) }
end

function KINDS.groups.filter(query, customers, side)
  local groups = {}
  for _, customer in ipairs(customers) do
    for _, group in ipairs(list_of(customer.given.ip_group)) do groups[#groups + 1] = group end
  end
  return query:where { [(side == "inbound" and "dst_" or "src_") .. "ip_group"] = groups }
end

-- Interfaces: one series for each, from their totals.
KINDS.interfaces = { report = { inbound = wire.TOTALS, outbound = wire.TOTALS }, exact = true }

function KINDS.interfaces.parts(customer)
  local parts = {}
  for i, port in ipairs(customer.interfaces) do
    parts[i] = { name = ("%s/%s"):format(port[1], port[2]), keys = { ("%s/%.0f"):format(addresses.digits(port.ip), port.index) } }
  end
  return parts
end

function KINDS.interfaces.select(side)
  return { exporter = "exporteripaddress", index = side == "inbound" and "ingressinterface" or "egressinterface" }
end

function KINDS.interfaces.keys(row)
  local index = check.digits(row.index)
  if not addresses.is_ip(row.exporter) or not index then return {} end
  return { ("%s/%.0f"):format(addresses.digits(row.exporter), index) }
end

function KINDS.interfaces.filter(query, customers, side)
  local seen = {}
  query = query:order_by(wire.graph.BYTES_COLUMN)[side](query)
  for _, customer in ipairs(customers) do
    for _, port in ipairs(customer.given.interfaces) do
      local key = ("%s %.0f"):format(port.ip, port.index)
      if not seen[key] then query = query:exporter(port.ip, port.index) end
      seen[key] = true
    end
  end
  return query
end

--- The kind of graph that shows a customer.
---@param customer table as of `billing.queries`
---@return "hosts"|"groups"|"interfaces"
function many_graphs.kind(customer)
  return customer.interfaces and "interfaces" or customer.ip_group ~= nil and "groups" or "hosts"
end

--- A customer's parts in its graph.
---@param customer table
---@return { name: string, keys: string[] }[]
function many_graphs.parts(customer)
  return KINDS[many_graphs.kind(customer)].parts(customer)
end

--- The query for the graph of customers of one kind and exporter.
---@param client scrutinizer.Client
---@param kind string
---@param exporter string|nil nil and "all": every one
---@param customers table[]
---@param side "inbound"|"outbound"
---@return scrutinizer.Query
function many_graphs.query(client, kind, exporter, customers, side)
  local of = KINDS[kind]
  local query = client:report(of.report[side]):select(of.select(side))
  if exporter and exporter ~= "all" then query = query:exporter(exporter) end
  return of.filter(query, customers, side)
end

-- ---- summing ----

--- The intervals in which the appliance has points of the same origin as a part: for interfaces those of its exporter, because another exporter's
--- traffic does not tell whether this one was heard.
---@param sums scrutinizer.GraphSums
---@param kind string
---@param key string one of the part's
---@return table<integer, boolean>
function many_graphs.present(sums, kind, key)
  local origin = kind == "interfaces" and key:match "^%x+" or ""
  sums.present[origin] = sums.present[origin] or {}
  return sums.present[origin]
end

-- Which parts a key belongs to, and the lengths of networks by the number of an address's digits.
local function index_of(customers)
  local index, lengths, seen = {}, {}, {}
  for _, customer in ipairs(customers) do
    for p, part in ipairs(customer.parts) do
      for _, key in ipairs(part.keys) do
        index[key] = index[key] or {}
        table.insert(index[key], { customer = customer, part = p, key = key })
        local digits, length = key:match "^(%d+)/(%d+)/"
        if digits and not seen[digits .. "/" .. length] then
          seen[digits .. "/" .. length] = true
          lengths[tonumber(digits)] = lengths[tonumber(digits)] or {}
          table.insert(lengths[tonumber(digits)], tonumber(length))
        end
      end
    end
  end
  return index, lengths
end

local floor = math.floor
local MOST_PLAIN = 2 ^ 50

-- Adds points to a list of sums. Plain numbers take the short way. Nil when a value is not a whole number of octets.
local function add_points(sums, points, from, interval, n, present)
  for i = 1, #points do
    local point = points[i]
    local place, value = floor((point[1] - from) / interval) + 1, point[2]
    local before = sums[place]
    if type(value) == "number" and value % 1 == 0 and value >= 0 and value < MOST_PLAIN then
      value = floor(value)
    else
      value = bigint.whole(value)
      if not value or bigint.compare(value, 0) < 0 then return nil end
    end
    if before then value = bigint.add(value, before) end
    if place >= 1 and place <= n then sums[place] = value end
    if present then present[place] = true end
  end
  return true
end

local function refuse(text, ...)
  return nil, errors.new("bill", text:format(...))
end

-- The parts of the series' customers, each once; none when the series is nobody's.
local function owners_of(entry, kind, index, lengths)
  local list, seen = {}, {}
  for _, key in ipairs(entry.row and KINDS[kind].keys(entry.row, lengths) or {}) do
    for _, owner in ipairs(index[key] or {}) do
      local id = owner.customer.name .. "\0" .. owner.part
      if not seen[id] then list[#list + 1] = owner end
      seen[id] = true
    end
  end
  return list
end

---@class scrutinizer.GraphSums
---@field found table<string, table<integer, table<integer, scrutinizer.Whole>>> customer → part → interval → octets
---@field present? table<string, table<integer, boolean>> by origin: the intervals that have a point; nil when nobody asks

--- Sums a graph's series by customer and interval into `sums`, which may hold those of an earlier piece of the same window.
---@param sums scrutinizer.GraphSums
---@param list scrutinizer.Series[]
---@param kind string
---@param customers table[]
---@param window scrutinizer.Period
---@param interval integer
---@return table<string, boolean>? keys those that have a series in this graph
---@return scrutinizer.Error? err
function many_graphs.add(sums, list, kind, customers, window, interval)
  local index, lengths = index_of(customers)
  local n, shown = floor((window.to - window.from) / interval), {}
  for _, entry in ipairs(list) do
    if not entry.other then
      if not entry.row then return refuse "the graph's series cannot be matched with its rows" end
      local owners = owners_of(entry, kind, index, lengths)
      if #owners == 0 then
        return refuse("the graph has a series that is no customer's (%s): the filter found traffic that its rows name otherwise",
          check.show(entry.label))
      end
      for _, owner in ipairs(owners) do
        local parts = sums.found[owner.customer.name] or {}
        sums.found[owner.customer.name] = parts
        parts[owner.part] = parts[owner.part] or {}
        local present = sums.present and many_graphs.present(sums, kind, owner.key)
        if not add_points(parts[owner.part], entry.points, window.from, interval, n, present) then
          return refuse "a point is not a whole number of octets"
        end
      end
      for _, key in ipairs(KINDS[kind].keys(entry.row, lengths)) do shown[key] = true end
    end
  end
  return shown
end

-- Whether Other has traffic: then some rows have no series.
local function has_traffic(list)
  for _, entry in ipairs(list) do
    for _, point in ipairs(entry.other and entry.points or {}) do
      if bigint.compare(bigint.whole(point[2]) or 1, 0) ~= 0 then return true end
    end
  end
  return false
end

--- Whether every row of the report has a series. Nil and err when the appliance cannot be asked.
---@param query scrutinizer.Query
---@param list scrutinizer.Series[]
---@return boolean?
---@return scrutinizer.Error? err
function many_graphs.complete(query, list)
  local shown, other = 0, nil
  for _, entry in ipairs(list) do
    if entry.other then other = entry else shown = shown + 1 end
  end
  if other and other.points[1] then return not has_traffic(list) end
  if list.total then return list.total <= shown end
  local count, err = query:count()
  if not count then return nil, err end
  return count <= shown
end

--- Whether an incomplete graph may lack traffic of a customer: not when each of its addresses or interfaces has its series.
---@param shown table<string, boolean> the keys that have a series in it
---@param kind string
---@param customer table
---@return boolean
function many_graphs.hidden(shown, kind, customer)
  if not KINDS[kind].exact then return true end
  for _, part in ipairs(customer.parts) do
    for _, key in ipairs(part.keys) do
      local digits, length = key:match "^(%d+)/(%d+)/"
      if not shown[key] or (digits and tonumber(length) ~= tonumber(digits) * 4) then return true end
    end
  end
  return false
end

return many_graphs
