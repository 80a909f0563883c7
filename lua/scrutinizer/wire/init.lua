--- The appliance's names: only this folder knows them. Also the only JSON encoder: equal values give the same text in every process.

local ascii = require "scrutinizer.ascii"
local check = require "scrutinizer.check"
local conditions = require "scrutinizer.wire.conditions"
local filters = require "scrutinizer.wire.filters"
local json = require("cjson").new()

local wire = {}

-- Names.

--- Form fields.
wire.form = {
  run_mode = "rm",
  action = "action",
  report = "rpt_json",
  data = "data_requested",
  token = "authToken",
  start = "report_data",
}

wire.run_mode = { report = "report_api", start = "report_start", licensing = "licensing", auth = "auth" }
wire.action = { get = "get", login = "initLogin" }

--- Fields of `rpt_json`, by the query spec's names. WRITERS below has how each is written.
wire.field = {
  type = filters.TYPE_FIELD,
  directions = "reportDirections",
  times = "times",
  granularity = "dataGranularity",
  filters = filters.FIELD,
  rate_total = "rateTotal",
  unit = "bbp",
  data_format = "dataFormat",
  data_mode = "dataMode",
  order_by = "orderBy",
  others = "showOthers",
}

wire.times = { range = "dateRange", from = "start", to = "end", timezone = "clientTimezone" }
wire.CUSTOM = "Custom"

--- Members of answers that Lua code reads.
wire.answer = {
  error = "err",
  details = "details",
  message = "msg",
  bad_token = "invalidToken",
  refused = "oauthFailure",
  report = "report",
  report_error = "error",
  version = "installedVersion",
}

wire.limit = { offset = "offset", rows = "max_num_rows", query = "query_limit", table = "table", graph = "graph" }

--- Graphs: what to request, the parts of the answer, and what the points of a report contain.
wire.graph = {
  ALL = "all",
  OTHER = "Other",
  pie = "pie",
  series = "timeseries",
  dns = "label_dns",
  PERCENT = "percent",
  PERCENT_COLUMN = "custom_interfacepercent",
  BYTES_COLUMN = "sum_octetdeltacount",
  BYTES_WORD = "octet",
}

--- The report type of interfaces. Without other filters than exporters it reads the totals of interfaces, which are whole at any age.
wire.TOTALS = "interfaces"

--- Members of the answer to report_start.
wire.start = { object = "report_object", view = "graphView", granularity = "dataGranularity" }

--- The number of rows that means all rows.
wire.ALL_ROWS = 10000000000

wire.DIRECTIONS = { "inbound", "outbound" }
wire.BOTH = "both"

wire.filter_type, wire.filters = filters.type, filters.write
wire.includes_all_exporters, wire.includes_interface, wire.filter_key = filters.includes_all_exporters, filters.includes_interface, filters.key
wire.device, wire.distinct, wire.contradiction = filters.device, filters.distinct, filters.contradiction

-- JSON.

local MAX_DEPTH = 100

-- The metatable of arrays that the decoder made. The core is loaded when it is first needed.
local function array_mark()
  local found, core = pcall(require, "scrutinizer.core")
  return found and core.array_mt or nil
end

local function is_array(value)
  local mark = getmetatable(value)
  return mark ~= nil and mark == array_mark()
end

-- Position of the last byte of the valid UTF-8 sequence at `at`, or nil.
local function utf8_end(text, at)
  local _, last = text:find("^[%z\1-\127]+", at)
  if not last then _, last = text:find("^[\194-\223][\128-\191]", at) end
  if not last then _, last = text:find("^\224[\160-\191][\128-\191]", at) end
  if not last then _, last = text:find("^[\225-\236\238\239][\128-\191][\128-\191]", at) end
  if not last then _, last = text:find("^\237[\128-\159][\128-\191]", at) end
  if not last then _, last = text:find("^\240[\144-\191][\128-\191][\128-\191]", at) end
  if not last then _, last = text:find("^[\241-\243][\128-\191][\128-\191][\128-\191]", at) end
  if not last then _, last = text:find("^\244[\128-\143][\128-\191][\128-\191]", at) end
  return last
end

local function is_utf8(text)
  local at = 1
  while at <= #text do
    local last = utf8_end(text, at)
    if not last then return false end
    at = last + 1
  end
  return true
end

local function c1_escape(char)
  return ("\\u%04x"):format(char:byte(2))
end

local function bidi_escape(first, char)
  return ("\\u20%02x"):format((first:byte() % 2) * 64 + char:byte() - 128)
end

-- Escapes what cjson leaves unescaped but a terminal obeys: controls above U+007F, changes of the writing direction. This matters because
-- `query:curl()` shows the text.
local function encode_string(text, any_bytes)
  if not any_bytes and not is_utf8(text) then return nil, "a string that is not UTF-8" end
  -- The pattern takes a backslash and its next byte together: the second of two backslashes must not start an escape.
  local out = json.encode(text):gsub("\\(.)", { ["/"] = "/" })
  if out:find "[\128-\255]" then
    out = out:gsub("\194[\128-\159]", c1_escape)
    out = out:gsub("\226([\128])([\142\143\168-\174])", bidi_escape)
    out = out:gsub("\226([\129])([\166-\169])", bidi_escape)
  end
  return out
end

--- A string's JSON text, made fast. It is correct, but may differ from the text that `encode` makes. Nil when the string is not UTF-8.
---@param text string
---@return string?
function wire.quick_string(text)
  return is_utf8(text) and json.encode(text) or nil
end

local kind_of_number = rawget(math, "type")

-- Whole numbers as digits on every Lua; others as the shortest text that reads back as the same number.
local function encode_number(value)
  if value ~= value or value == math.huge or value == -math.huge then return nil, "a number that JSON cannot hold" end
  if kind_of_number and kind_of_number(value) == "integer" then return ("%d"):format(value) end
  if value == 0 then return "0" end -- no sign: a compiler may fold 0 and -0.0
  if value == math.floor(value) and math.abs(value) < 2 ^ 63 then return ("%.0f"):format(value) end
  for _, format in ipairs { "%.15g", "%.16g" } do -- points
    local text = ascii.format(format, value)
    if ascii.number(text) == value then return text end
  end
  return ascii.format("%.17g", value)
end

local encode_value

-- The keys must be 1 to n. `#` is not used, because its result for a table with holes is not defined.
local function encode_array(value, out, depth)
  local length = 0
  for _ in next, value do length = length + 1 end
  for i = 1, length do
    if rawget(value, i) == nil then return "a table that is both array and object, or an array with holes" end
  end
  for i = 1, length do
    out[#out + 1] = i == 1 and "[" or ","
    local complaint = encode_value(value[i], out, depth)
    if complaint then return complaint end
  end
  out[#out + 1] = length == 0 and "[]" or "]"
end

local function encode_object(value, out, depth)
  for key in next, value do
    if type(key) ~= "string" then return "a key that is a " .. type(key) end
  end
  out[#out + 1] = "{"
  for i, key in ipairs(check.sorted_keys(value)) do
    local name, complaint = encode_string(key, out.for_show)
    if not name then return complaint end
    out[#out + 1] = (i > 1 and "," or "") .. name .. ":"
    complaint = encode_value(value[key], out, depth)
    if complaint then return complaint end
  end
  out[#out + 1] = "}"
end

-- Appends the value's text to `out`; returns what is wrong with the value, or nil. Calls no metamethods.
function encode_value(value, out, depth)
  local kind, text, complaint = type(value), nil, nil
  if kind == "string" then
    text, complaint = encode_string(value, out.for_show)
  elseif kind == "number" then
    text, complaint = encode_number(value)
  elseif kind == "boolean" then
    text = tostring(value)
  elseif value == json.null then
    text = "null"
  elseif kind ~= "table" then
    complaint = "a " .. kind
  elseif depth >= MAX_DEPTH and out.for_show then
    text = "…"
  elseif depth >= MAX_DEPTH then
    complaint = "tables nested too deep, perhaps a table that contains itself"
  elseif rawget(value, 1) ~= nil or is_array(value) then
    return encode_array(value, out, depth + 1)
  else
    return encode_object(value, out, depth + 1)
  end
  out[#out + 1] = text
  return complaint
end

--- The JSON text of a value, or nil and what JSON cannot hold in it.
---@param value any
---@return string? text
---@return string? complaint such as "a function"
function wire.try_encode(value)
  local out = {}
  local complaint = encode_value(value, out, 0)
  if complaint then return nil, complaint end
  return table.concat(out)
end

--- Any decoded JSON value as text to show: a string as it is, everything else as JSON, whose strings may hold any bytes. Never nil.
---@param value any
---@return string
function wire.show(value)
  if type(value) == "string" then return value end
  local out = { for_show = true }
  local complaint = encode_value(value, out, 0)
  return complaint and "(" .. complaint .. ")" or table.concat(out)
end

--- The JSON text of a value. The keys of objects are sorted. A table with a first element, or with the metatable `array_mt`, is an
--- array; any other empty table is `{}`. Whole numbers are written as digits. `scrutinizer.null` is null.
--- Raises for a value that JSON cannot hold.
---@param value any
---@return string
function wire.encode(value)
  local text, complaint = wire.try_encode(value)
  if not text then error("JSON cannot hold " .. complaint, 2) end
  return text
end

--- A deep copy of a value that JSON can hold; empty arrays stay arrays.
---@param value any
---@return any
function wire.copy(value)
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, member in next, value do copy[key] = wire.copy(member) end
  return is_array(value) and setmetatable(copy, getmetatable(value)) or copy
end

-- Forms.

local FORM_ORDER = { "rm", "action", "rpt_json", "data_requested" }

--- A form's fields in a fixed order: rm, action, rpt_json, data_requested, then the others sorted by name.
---@param form table<string, string>
---@return { [1]: string, [2]: string }[]
function wire.form_list(form)
  local list, first = {}, {}
  for _, name in ipairs(FORM_ORDER) do
    first[name] = true
    if form[name] then list[#list + 1] = { name, form[name] } end
  end
  for _, name in ipairs(check.sorted_keys(form)) do
    if not first[name] then list[#list + 1] = { name, form[name] } end
  end
  return list
end

--- Percent-encodes everything except letters, digits and `-._~`.
---@param text string
---@return string
function wire.percent(text)
  return (text:gsub("[^A-Za-z0-9._~-]", function(char)
    return ("%%%02X"):format(char:byte())
  end))
end

--- A form as `application/x-www-form-urlencoded` text, or a URL's query.
---@param form_list { [1]: string, [2]: string }[]|table<string, string> a list of { name, value } keeps its order; a map is ordered as in `form_list`
---@return string
function wire.urlencode(form_list)
  if form_list[1] == nil then form_list = wire.form_list(form_list) end
  local out = {}
  for i, field in ipairs(form_list) do
    out[i] = wire.percent(field[1]) .. "=" .. wire.percent(field[2])
  end
  return table.concat(out, "&")
end

-- The report request.

-- The first page of each direction: its first row and how many rows.
local function first_pages(spec)
  local pages = {}
  for _, direction in ipairs(spec.directions) do
    local part = spec
    if spec.window then part = spec.window[direction] end
    if part then
      local rows = math.min(part.limit or wire.ALL_ROWS, spec.page_size or wire.ALL_ROWS)
      pages[#pages + 1] = { direction = direction, offset = part.offset or 0, max = rows }
    end
  end
  return pages
end

local function data_requested(spec, pages)
  local name, data = wire.limit, {}
  for _, page in ipairs(pages) do
    data[page.direction] = {
      [name.table] = { [name.query] = { [name.offset] = page.offset, [name.rows] = page.max } },
      [name.graph] = spec.graph,
    }
  end
  return data
end

local function selected(value, extra)
  local object = {}
  for key, other in pairs(extra or {}) do object[key] = other end
  object.selected = value
  return object
end

local function write_times(spec, epochs, now)
  local span, object = spec.times, {}
  for key, value in pairs(spec.extras.times or {}) do object[key] = value end
  if not epochs and span and span.last then
    now = now or os.time()
    epochs = { from = now - span.last, to = now }
  end
  epochs = epochs or (span and span.from and span)
  if epochs then
    object[wire.times.range] = wire.CUSTOM
    object[wire.times.from], object[wire.times.to] = epochs.from, epochs.to
  elseif span then
    object[wire.times.range] = span.range
  end
  object[wire.times.timezone] = spec.timezone
  return object
end

-- Filters are numbered per type, in the given order. Without any device filter, all devices are included.
local function write_filters(list)
  local object, counts, exporter = {}, {}, wire.filter_type.exporter
  for _, entry in ipairs(list) do
    local key = entry.key
    if not key then
      local n = counts[entry.type] or 0
      counts[entry.type] = n + 1
      key = ("%s_%d"):format(entry.type, n)
    end
    -- A name that was not looked up must not turn into a report about all devices.
    if entry.named then error "an exporter's name was not looked up" end
    object[key] = entry.value
  end
  if not counts[exporter] then
    local all = wire.filters.all_exporters()
    object[all.type .. "_0"] = all.value
  end
  return object
end

-- The appliance's word for the requested directions: "inbound", "outbound" or "both".
local function direction_word(pages)
  local first = pages[1] and pages[1].direction
  for _, page in ipairs(pages) do
    if page.direction ~= first then return wire.BOTH end
  end
  return first
end

-- How each field of `wire.field` is written; nil: the field is not sent.
local WRITERS = {
  type = function(spec) return spec.type end,
  directions = function(spec, pages) return selected(direction_word(pages), spec.extras.directions) end,
  times = function(spec, _, epochs, now) return write_times(spec, epochs, now) end,
  filters = function(spec) return write_filters(conditions.entries(spec)) end,
  order_by = function(spec) return spec.order_by end,
}

function WRITERS.others(spec)
  if spec.others == nil then return nil end
  return spec.others and 1 or 0
end

for _, name in ipairs { "granularity", "rate_total", "unit", "data_format", "data_mode" } do
  WRITERS[name] = function(spec) return spec[name] and selected(spec[name], spec.extras[name]) end
end

--- The report's JSON as a table: first the fields that the query knows, then those that `:set` gave.
---@param spec table
---@param pages table[]
---@param epochs? { from: integer, to: integer }
---@param now? integer
---@return table
function wire.report_object(spec, pages, epochs, now)
  local field, object = wire.field, {}
  for name, key in pairs(field) do object[key] = WRITERS[name](spec, pages, epochs, now) end
  for name, value in pairs(spec.fields) do
    -- All pages of one walk must have the same epochs, also when `:set` gave others.
    if not (epochs and name == field.times) then object[name] = value end
  end
  return object
end

--- The form of a report request. Without `pages`: the query's first request, with every direction. `epochs` replace the query's times.
--- `:last` counts back from `now`.
---@param spec table a query's spec
---@param pages? { direction: string, offset: integer, max: integer }[]
---@param epochs? { from: integer, to: integer }
---@param now? integer epoch seconds, default the clock's
---@return { rm: string, action: string, rpt_json: string, data_requested: string }
function wire.report_form(spec, pages, epochs, now)
  pages = pages or first_pages(spec)
  return {
    [wire.form.run_mode] = wire.run_mode.report,
    [wire.form.action] = wire.action.get,
    [wire.form.report] = wire.encode(wire.report_object(spec, pages, epochs, now)),
    [wire.form.data] = wire.encode(data_requested(spec, pages)),
  }
end

--- The arguments of `reporting.cgi` for a report's form; nil for any other form.
---@param form table<string, string>
---@return string[]?
function wire.command_arguments(form)
  local field = wire.form
  if form[field.run_mode] ~= wire.run_mode.report or form[field.action] ~= wire.action.get then return nil end
  local out = { "-getReport" }
  for i, name in ipairs { field.report, field.data } do out[i + 1] = ("-%s=%s"):format(name, form[name] or "") end
  return out
end

--- The form that asks for the version. It takes no token.
---@return { rm: string, action: string, nosso: string }
function wire.version_form()
  return { [wire.form.run_mode] = wire.run_mode.auth, [wire.form.action] = wire.action.login, nosso = "0" }
end

--- The form of `report_start`, which asks for the report's bucket length. Epochs, where they are known, are sent as text.
---@param spec table a query's spec
---@param epochs? { from: integer, to: integer }
---@return { rm: string, report_data: string }
function wire.start_form(spec, epochs)
  local field = wire.field
  local whole = wire.report_object(spec, first_pages(spec), epochs)
  local object = { parse = true, oneCollectorRequest = false }
  for _, name in ipairs { "type", "directions", "times", "filters", "granularity" } do object[field[name]] = whole[field[name]] end
  local sent_times = wire.copy(object[field.times]) -- it may be the query's own table
  object[field.times] = sent_times
  for _, name in ipairs { wire.times.from, wire.times.to } do
    if type(sent_times) == "table" and type(sent_times[name]) == "number" then sent_times[name] = wire.encode(sent_times[name]) end
  end
  return { [wire.form.run_mode] = wire.run_mode.start, [wire.form.start] = wire.encode(object) }
end

return wire
