--- A query from arguments: the options of `report`, `explain` and `series`.

local scrutinizer = require "scrutinizer"
local check = require "scrutinizer.check"

local unpack = table.unpack or unpack -- luacheck: ignore

local query = {}

local function words(map)
  local list = {}
  for name in pairs(map) do list[#list + 1] = name end
  table.sort(list, check.before)
  return table.concat(list, " ")
end

-- Splits "name=value"; nil and a complaint for other text.
local function pair(text)
  local name, value = text:match "^([^=]+)=(.*)$"
  if not name then return nil, ("'%s' is not of the form name=value"):format(text) end
  return { name = name, value = value }
end

--- Adds the options of a query.
---@param command table argparse's
---@param graph? boolean the command fetches no rows: leave out the options for fields and pages
---@return table command
function query.options(command, graph)
  command:argument("type", "Report type, such as host2host or conversations."):argname "<type>"
  command:group("When (one of)",
    command:option("--last", "A span that ends now, such as 90m, 24h or 7d; units: s, m, h, d, w."):argname "<span>",
    command:option("--between", "From <from> up to, not including, <to>: epoch seconds, or ISO 8601 text."):args(2):argname { "<from>", "<to>" },
    command:option("--range", "A named range: " .. words(scrutinizer.date_ranges)):argname "<name>")
  command:group("Which flows",
    command:option("--where", "Only flows that match. Keys: ip, ip_group, network, port (or with src_ or dst_ in front), app_port. "
      .. "Conditions of one kind are ORed, whatever their side (ip, src_ip and dst_ip are one kind); different kinds are ANDed. "
      .. "Commas separate values."):argname "<key=value>":count "*":convert(pair),
    command:option("--exclude", "Leave out flows that match; keys as with --where."):argname "<key=value>":count "*":convert(pair),
    command:option("--exporter", "An exporter: its address or any of its names."):argname "<exporter>",
    command:option("--interface", "An interface of that exporter: its number or name."):argname "<interface>",
    command:option("--device-group", "Id of a device group."):argname "<id>":convert(tonumber),
    command:option("--filter", "A filter by the appliance's own type and value; it is not checked."):argname "<type=value>":count "*":convert(pair),
    command:option("--direction", "inbound (default), outbound or both."):choices { "inbound", "outbound", "both" })
  local how = {
    command:option("--timezone", "IANA time zone of times without a zone, and of the appliance's calendar."):argname "<zone>",
    command:option("--granularity", "Minutes per bucket, or auto."):argname "<minutes>",
    command:option("--order-by", "Column to sort by."):argname "<column>",
    command:option("--set", "Set a field of the request to a JSON value."):argname "<field=json>":count "*":convert(pair),
    command:option("--limit", "Maximum number of rows."):argname "<rows>":convert(tonumber),
    command:option("--offset", "Number of rows to skip first."):argname "<rows>":convert(tonumber),
  }
  if not graph then
    how[#how + 1] = command:option("--unit", "Unit of label texts."):choices { "bits", "bytes", "percent" }
    how[#how + 1] = command:option("--values", "Label texts as rates or totals."):choices { "rate", "total" }
    how[#how + 1] = command:option("--select", "Fields, separated by commas: column or alias=column; column.label, column.title; column? may be "
      .. "missing."):argname "<fields>"
    how[#how + 1] = command:option("--page-size", "Rows per request (default: all in one answer)."):argname "<rows>":convert(tonumber)
  end
  command:group("How", unpack(how))
  return command
end

local NUMERIC = { ip_group = true, src_ip_group = true, dst_ip_group = true, port = true, src_port = true, dst_port = true }

-- { key = { values } } from the pairs; values become numbers for keys that take numbers.
local function conditions(pairs_given)
  local map = {}
  for _, given in ipairs(pairs_given) do
    local list = map[given.name] or {}
    map[given.name] = list
    for value in (given.value .. ","):gmatch "([^,]*)," do list[#list + 1] = NUMERIC[given.name] and tonumber(value) or value end
  end
  return map
end

-- The fields of --select in order, and the map for the query's `select`.
local function selection(text)
  local order, map, aliased = {}, {}, false
  for item in (text .. ","):gmatch "([^,]*)," do
    local alias, column = item:match "^([^=]+)=(.+)$"
    aliased = aliased or alias ~= nil
    column = column or item
    local field = alias or column:gsub("%?$", "")
    if map[field] then error("--select: " .. field .. " is given twice", 0) end
    order[#order + 1], map[field] = field, column
  end
  return order, map
end

-- A time; a text of digits is epoch seconds.
local function moment(text)
  return text:find "^%d+$" and tonumber(text) or text
end

local function say_when(q, args)
  local times_given = 0
  for _, name in ipairs { "last", "between", "range" } do times_given = times_given + (args[name] and 1 or 0) end
  if times_given ~= 1 then error("give exactly one of --last, --between and --range", 0) end
  if args.last then return q:last(args.last) end
  if args.range then return q:range(args.range) end
  return q:between(moment(args.between[1]), moment(args.between[2]))
end

local function say_which(q, args)
  if args.direction then q = q[args.direction](q) end
  if next(args.where) then q = q:where(conditions(args.where)) end
  if next(args.exclude) then q = q:exclude(conditions(args.exclude)) end
  if args.interface and not args.exporter then error("--interface needs --exporter", 0) end
  if args.exporter then q = q:exporter(args.exporter, tonumber(args.interface) or args.interface) end
  if args.device_group then q = q:device_group(args.device_group) end
  for _, filter in ipairs(args.filter) do q = q:filter(filter.name, filter.value) end
  return q
end

local function say_how(q, args)
  if args.granularity then q = q:granularity(tonumber(args.granularity) or args.granularity) end
  if args.order_by then q = q:order_by(args.order_by) end
  if args.unit then q = q[args.unit](q) end
  if args.values then q = q[args.values](q) end
  for _, field in ipairs(args.set) do
    local value, err = scrutinizer.decode(field.value)
    if value == nil then error(("--set %s: %s"):format(field.name, err.message), 0) end
    q = q:set(field.name, value)
  end
  for _, name in ipairs { "limit", "offset", "page_size" } do
    if args[name] then q = q[name](q, args[name]) end
  end
  return q
end

--- The query, and the fields of `--select` in order (nil: all). Raises for wrong arguments.
---@param client scrutinizer.Client
---@param args table
---@return scrutinizer.Query
---@return string[]? order
function query.build(client, args)
  local q = client:report(args.type)
  if args.timezone then q = q:timezone(args.timezone) end
  q = say_how(say_which(say_when(q, args), args), args)
  if not args.select then return q end
  local order, map = selection(args.select)
  return q:select(map), order
end

return query
