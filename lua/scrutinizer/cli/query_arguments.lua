--- A query from arguments: the options of `report`, `explain` and `series`.

local action_commands = require "scrutinizer.cli.action_commands"
local conditions_of_where = require "scrutinizer.wire.conditions"
local scrutinizer = require "scrutinizer"

local unpack = table.unpack or unpack -- luacheck: ignore

local query = {}

--- The names of a list of known names, in a row.
---@param known scrutinizer.Names
---@return string
function query.words(known)
  local list = {}
  for i, entry in ipairs(known) do list[i] = entry.name end
  return table.concat(list, " ")
end

-- Splits "name=value"; nil and a complaint for other text.
local function pair(text)
  local name, value = text:match "^([^=]+)=(.*)$"
  if not name then return nil, ("'%s' is not of the form name=value"):format(text) end
  return { name = name, value = value }
end

-- The conditions of --keep by their signs; `values` is a list.
local KEPT = {
  ["="] = function(values) return values end,
  ["!="] = function(values) return { no = values } end,
  ["^="] = function(values) return { begins = values } end,
  ["*="] = function(values) return { contains = values } end,
  [">="] = function(values) return { min = values[1] } end,
  ["<="] = function(values) return { max = values[1] } end,
}

local function values_of(text)
  local list = {}
  for value in (text .. ","):gmatch "([^,]*)," do list[#list + 1] = value end
  return list
end

-- Splits "field=value" by the sign before the first "="; nil and a complaint for other text.
local function kept(text)
  local field, sign, value = text:match "^([^=]-)([!^*<>]?=)(.*)$"
  local values = field and field ~= "" and values_of(value)
  if not values then return nil, ("'%s' is not of the form field=value"):format(text) end
  if values[2] and (sign == ">=" or sign == "<=") then return nil, ("'%s': %s takes one number"):format(text, sign) end
  return { [field] = KEPT[sign](values) }
end

--- Adds the options of a query.
---@param command table argparse's
---@param graph? boolean the command fetches no rows: leave out the options for fields and pages
---@return table command
function query.options(command, graph)
  command:argument("type", "Report type, such as host2host or conversations."):argname "<type>"
  command:group("When (one of)",
    command:option("--last", "A span that ends now, such as 90m, 24h or 7d; units: s, m, h, d, w."):argname "<span>",
    command:option("--between", "From <from> up to but not including <to>: epoch seconds, or ISO 8601 text."):args(2):argname { "<from>", "<to>" },
    command:option("--day", "A day of the calendar in --timezone: 2026-11-26, or 0 for today, -1 for yesterday."):argname "<day>",
    command:option("--month", "A month: 2026-11, or 0 for this month, -1 for the last month."):argname "<month>",
    command:option("--hour", "An hour: 2026-11-26T14, or 0 for this hour, -1 for the last hour."):argname "<hour>",
    command:option("--range", "A named range: " .. query.words(scrutinizer.date_ranges)):argname "<name>")
  command:group("Which flows",
    command:option("--where", "Only flows that match. Keys: ip, ip_group, network, port (or with src_ or dst_ in front), app_port. "
      .. "Commas separate values, which are ORed: ip=A,B matches flows of A or of B. Several --where are ANDed, also of one key: --where ip=A "
      .. "--where ip=B matches flows between A and B. The appliance ORs filters of the same type: then the client filters the rows, or the query "
      .. "is refused. ip_group: " .. action_commands.WHO):argname "<key=value>":count "*":convert(pair),
    command:option("--exclude", "Leave out every flow that matches any of these; keys as with --where."):argname "<key=value>":count "*"
      :convert(pair),
    command:option("--exporter", "An exporter: its address or any of its names. Several --exporter are ORed."):argname "<exporter>":count "*",
    command:option("--interface", "An interface of that exporter. Digits mean its number, other text a name; `name:42` means the name 42.")
      :argname "<interface>":convert(action_commands.who),
    command:option("--device-group", "A device group. " .. action_commands.WHO):argname "<group>":convert(action_commands.who),
    command:option("--filter", "A filter in the appliance's form, such as sdfIps=in_10.1.1.1_Both; not checked.")
      :argname "<type=value>":count "*":convert(pair),
    command:option("--direction", "inbound (default), outbound or both; required with --interface."):choices { "inbound", "outbound", "both" })
  local how = {
    command:option("--timezone", "IANA time zone for --day, --month, --hour, --range, and for times without a zone."):argname "<zone>",
    command:option("--shift", "Move the times by a span: -7d is the same local time a week earlier. Units: s, m, h, d, w."):argname "<span>",
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
    how[#how + 1] = command:option("--keep", "Only rows that match, filtered in the client: field=value, field!=value, field>=number, field<=number, "
      .. "field^=text (begins), field*=text (contains). field is one of --select, or a column; a value may be a network. Commas separate values, "
      .. "which are ORed; several --keep are ANDed. --limit counts the kept rows."):argname "<field=value>":count "*":convert(kept)
    how[#how + 1] = command:option("--page-size", "Rows per request (default: all in one answer)."):argname "<rows>":convert(tonumber)
  end
  command:group("How", unpack(how))
  return command
end

-- { key = { values } } of one pair; digits are ids where names can be meant.
local function conditions(given)
  local list, key = values_of(given.value), conditions_of_where.keys[given.name]
  for i, value in ipairs(list) do list[i] = key and key.kind == "ip_group" and action_commands.who(value) or value end
  return { [given.name] = list }
end

--- The fields of --select in order, and the map for the query's `select`.
---@param text string
---@return string[] order
---@return table<string, string> map
function query.selection(text)
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

local WHEN = { "last", "between", "range", "day", "month", "hour" }

local function say_when(q, args)
  local said
  for _, name in ipairs(WHEN) do
    if args[name] and said then error("give exactly one of --" .. table.concat(WHEN, ", --"), 0) end
    said = args[name] and name or said
  end
  if not said then error("give exactly one of --" .. table.concat(WHEN, ", --"), 0) end
  if args.shift then q = q:shift(args.shift) end
  if said == "between" then return q:between(moment(args.between[1]), moment(args.between[2])) end
  if said == "day" or said == "month" or said == "hour" then return q[said](q, tonumber(args[said]) or args[said]) end
  return q[said](q, args[said])
end

local function say_which(q, args)
  if args.direction then q = q[args.direction](q) end
  for _, given in ipairs(args.where) do q = q:where(conditions(given)) end
  for _, given in ipairs(args.exclude) do q = q:exclude(conditions(given)) end
  if args.interface and #args.exporter ~= 1 then error("--interface needs --exporter, exactly one", 0) end
  if args.interface and not args.direction then error("--interface needs --direction inbound, outbound or both", 0) end
  for _, exporter in ipairs(args.exporter) do q = q:exporter(exporter, args.interface) end
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
  for _, condition in ipairs(args.keep or {}) do q = q:keep(condition) end
  for _, name in ipairs { "limit", "offset", "page_size" } do
    if args[name] then q = q[name](q, args[name]) end
  end
  return q
end

local SIGNED = { ["--day"] = true, ["--month"] = true, ["--hour"] = true, ["--shift"] = true }

--- The arguments with values such as -1 joined to their option, as --day=-1: otherwise they look like options.
---@param argv string[]
---@return string[]
function query.joined(argv)
  local out = {}
  for _, word in ipairs(argv) do
    if SIGNED[out[#out]] and word:find "^%-[0-9]" then out[#out] = out[#out] .. "=" .. word else out[#out + 1] = word end
  end
  return out
end

--- Whether the arguments name a window that does not move with the clock.
---@param args table
---@return boolean
function query.is_fixed(args)
  local said = args.day or args.month or args.hour
  return args.between ~= nil or (said ~= nil and not tonumber(said))
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
  local order, map = query.selection(args.select)
  return q:select(map), order
end

return query
