-- Filters: reads `in_…` and `ex_…` texts, and converts them to an SQL condition on the flows.
--
-- A port filter (sdfPorts) matches flows of that protocol with the port on either side.
local store = require "sandbox.state.store"

local filters = {}

local function quads(text)
  local a, b, c, d = text:match "^(%d+)%.(%d+)%.(%d+)%.(%d+)$"
  if not a then return nil end
  for _, part in ipairs { a, b, c, d } do
    if tonumber(part) > 255 then return nil end
  end
  return a * 16777216 + b * 65536 + c * 256 + d
end

local function dotted(number)
  return ("%d.%d.%d.%d"):format(math.floor(number / 16777216), math.floor(number / 65536) % 256, math.floor(number / 256) % 256, number % 256)
end

-- An IPv4 or IPv6 address as the flows write it; nil for other text. The vendor's own example has x.x.x.x.
local function address(text)
  if quads(text) then return dotted(quads(text)) end
  if text == "x.x.x.x" or (text:find ":" and text:find "^[%x:.]+$") then return text:lower() end
  return nil
end

-- An exporter: eight upper-case hex digits, dotted, or IPv6 text.
local function device(text, violate)
  if text:find "^%x%x%x%x%x%x%x%x$" then
    if text ~= text:upper() then violate("case", "exporter '%s' in lower-case hex", text) end
    return dotted(tonumber(text, 16))
  end
  return address(text)
end

local SIDE = { src = "src", dst = "dst", both = "both" }

-- The side (src, dst, both) at the end of a filter; `usual` lists the spellings documented for its type.
local function side(text, usual, key, violate)
  local body, word = text:match "^(.*)_(%a+)$"
  local known = word and SIDE[word:lower()]
  if not known then return nil end
  if not usual[word] then violate("case", "%s: side '%s'", key, word) end
  return body, known
end

local BOTH_CAPITAL = { src = true, dst = true, Both = true }
local BOTH_SMALL = { src = true, dst = true, both = true }
local BOTH_ANY = { src = true, dst = true, both = true, Both = true }

local parse = {}

function parse.sdfDips(body, key, violate)
  if body == "GROUP_ALL" then return { all = true } end
  if body:find "^GROUP_%d+$" then return { group = tonumber(body:match "%d+") } end
  local first, rest = body:match "^([^_]+)_(.+)$"
  if not first then return nil end
  if first == "ALL" then
    violate("unknown value", "%s: '%s' names no exporter", key, body)
    return { all = true }
  end
  local exporter = device(first, violate)
  if not exporter then return nil end
  if rest == "ALL" then return { exporter = exporter } end
  local again, interface = rest:match "^(.+)%-(%d+)$"
  if not again and device(rest, violate) == exporter then
    violate("unknown value", "%s: '%s' has no interface", key, body)
    return { exporter = exporter }
  end
  if not again or device(again, violate) ~= exporter then return nil end
  if again ~= first then violate("unknown value", "%s: '%s' spells one exporter in two ways", key, body) end
  return { exporter = exporter, interface = tonumber(interface) }
end

function parse.sdfIps(text, key, violate)
  local body, where = side(text, BOTH_CAPITAL, key, violate)
  local ip = body and address(body)
  return ip and { column = "ip", side = where, test = "= " .. store.quote(ip) }
end

function parse.sdfIPGroups(text, key, violate)
  local body, where = side(text, BOTH_ANY, key, violate)
  return body and body:find "^%d+$" and { column = "group", side = where, test = "= " .. body, ip_group = tonumber(body) } or nil
end

-- A group, its child groups, and their child groups.
local FAMILY = "WITH RECURSIVE family (id) AS (SELECT %d UNION SELECT child_id FROM ip_group_rules JOIN family ON group_id = id WHERE child_id > 0) "

-- The condition for a group. Groups made through the API match the addresses of their own rules and of their child groups' rules.
local function members(group)
  local family = FAMILY:format(group)
  return ("(src_group IN (%sSELECT id FROM family) OR src_ip IN (%sSELECT ip FROM ip_group_members JOIN family ON group_id = id))")
    :format(family, family)
end

function parse.sdfSdPorts(text, key, violate)
  local body, where = side(text, BOTH_SMALL, key, violate)
  return body and body:find "^%d+$" and { column = "port", side = where, test = "= " .. body } or nil
end

function parse.sdfPorts(body)
  local port, protocol = body:match "^(%d+)%-(%d+)$"
  return port and { column = "port", side = "both", test = "= " .. port, protocol = protocol } or nil
end

-- The 32 hex digits of an IPv6 address; nil for other text (also for the meter's truncated addresses).
local function digits6(text)
  local head, tail = text:match "^(.-)::(.*)$"
  local function groups(part)
    local list = {}
    for group in part:gmatch "[^:]+" do list[#list + 1] = #group <= 4 and group:find "^%x+$" and ("0"):rep(4 - #group) .. group:lower() or "?" end
    return list
  end
  local left, right = groups(head or text), groups(tail or "")
  local gap = 8 - #left - #right
  if (head and gap < 1) or (not head and gap ~= 0) then return nil end
  local all = table.concat(left) .. ("0000"):rep(gap) .. table.concat(right)
  return not all:find "%?" and all or nil
end

local function same_bits(a, b, count)
  local whole = math.floor(count / 4)
  if a:sub(1, whole) ~= b:sub(1, whole) then return false end
  if count % 4 == 0 then return true end
  local function bits(digits) return math.floor(tonumber(digits:sub(whole + 1, whole + 1), 16) / 2 ^ (4 - count % 4)) end
  return bits(a) == bits(b)
end

local function network6(net, length)
  local wanted, inside = digits6(net), {}
  if not wanted or length > 128 then return nil end
  store.query("SELECT ip FROM addresses WHERE number = -1", function(row)
    local digits = digits6(row.ip)
    if digits and same_bits(wanted, digits, length) then inside[#inside + 1] = store.quote(row.ip) end
  end)
  return { column = "ip", test = "IN (" .. table.concat(inside, ",") .. ")" }
end

local function network4(number, length)
  if length > 32 then return nil end
  local size = 2 ^ (32 - length)
  local low = number - number % size
  return { column = "number", test = ("BETWEEN %.0f AND %.0f"):format(low, low + size - 1) }
end

function parse.sdfIpns(text, key, violate)
  local body, where = side(text, BOTH_SMALL, key, violate)
  local net, length = (body or ""):match "^(.+)_(%d+)$"
  if not net then return nil end
  local filter = filters.network(net, tonumber(length))
  if filter then filter.side = where end
  return filter
end

--- Helpers of parse.sdfIpns, also for rules of IP groups: an IPv4 address as number, an IPv6 address as 32 hex digits, the condition of a network.
filters.quads, filters.digits6 = quads, digits6
function filters.network(net, length)
  local number = quads(net)
  return (number and network4 or network6)(number or net, length)
end

--- Reads one filter. Returns { type =, exclude =, … }, or nil and why it cannot be run. Calls `violate(rule, …)` for each tolerated violation.
function filters.parse(key, value, violate)
  local name, number = key:match "^(.-)_(%d+)$"
  if not name then return nil, ("Unknown filter '%s'."):format(key) end
  if tostring(tonumber(number)) ~= number then violate("unknown value", "filter number in '%s'", key) end
  if not parse[name] then return nil, ("Unknown filter type '%s'."):format(name) end
  local sign, body = value:match "^(%a%a)_(.+)$"
  if sign and sign ~= sign:lower() then
    violate("case", "%s: '%s'", key, value)
    sign = sign:lower()
  end
  local filter = (sign == "in" or sign == "ex") and parse[name](body, key, violate)
  if not filter then return nil, ("Bad filter %s: '%s'."):format(key, value) end
  filter.type, filter.exclude = name, sign == "ex"
  return filter
end

--- Whether the filters name a single exporter (or interface): the bucket size depends on it.
function filters.one_device(list)
  local seen, count = {}, 0
  for _, filter in ipairs(list) do
    if filter.type == "sdfDips" and not filter.exclude then
      if not filter.exporter then return false end
      if not seen[filter.exporter] then seen[filter.exporter], count = true, count + 1 end
    end
  end
  return count == 1
end

local function condition(filter, direction)
  if filter.type == "sdfDips" then
    if filter.all then return "1" end
    if filter.group then return ("exporter IN (SELECT exporter FROM device_group_members WHERE id = %d)"):format(filter.group) end
    local text = "exporter = " .. store.quote(filter.exporter)
    if not filter.interface then return text end
    return ("(%s AND %s = %d)"):format(text, direction == "outbound" and "output_if" or "input_if", filter.interface)
  end
  local src, dst = ("src_%s %s"):format(filter.column, filter.test), ("dst_%s %s"):format(filter.column, filter.test)
  if filter.ip_group then
    src = members(filter.ip_group)
    dst = src:gsub("src_", "dst_")
  end
  local text = filter.side == "both" and ("(%s OR %s)"):format(src, dst) or filter.side == "src" and src or dst
  return filter.protocol and ("(protocol = %s AND %s)"):format(filter.protocol, text) or text
end

-- Conditions joined by OR in the shape of a tree: SQLite bounds how deep an expression may be.
local function any_of(list, first, last)
  if first == last then return list[first] end
  local middle = math.floor((first + last) / 2)
  return "(" .. any_of(list, first, middle) .. " OR " .. any_of(list, middle + 1, last) .. ")"
end

-- Joins "column = value" of many filters to "column IN (…)".
local function shorter(list)
  local values, out = {}, {}
  for _, text in ipairs(list) do
    local column, value = text:match "^([%w_]+) = ('[^']*')$"
    if not column then
      out[#out + 1] = text
    else
      values[column] = values[column] or {}
      table.insert(values[column], value)
    end
  end
  for column, items in pairs(values) do out[#out + 1] = ("%s IN (%s)"):format(column, table.concat(items, ",")) end
  return out
end

--- The SQL condition of all filters in one direction. By default filters of one type are ORed, different types are ANDed, excludes are ANDed as NOT.
function filters.sql(list, direction, options)
  local kinds, order, removed = {}, {}, {}
  for _, filter in ipairs(list) do
    local text = condition(filter, direction)
    if filter.exclude then
      removed[#removed + 1] = "NOT " .. text
    else
      if not kinds[filter.type] then
        kinds[filter.type] = {}
        order[#order + 1] = filter.type
      end
      table.insert(kinds[filter.type], text)
    end
  end
  local groups = {}
  for i, kind in ipairs(order) do
    local texts = kinds[kind]
    if options.filters_within == "and" then
      groups[i] = "(" .. table.concat(texts, " AND ") .. ")"
    else
      texts = shorter(texts)
      groups[i] = any_of(texts, 1, #texts)
    end
  end
  local all = #groups > 0 and "(" .. table.concat(groups, options.filters_across == "or" and " OR " or " AND ") .. ")" or "1"
  return #removed > 0 and all .. " AND " .. table.concat(removed, " AND ") or all
end

return filters
