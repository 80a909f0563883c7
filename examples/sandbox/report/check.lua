-- Reads rpt_json and data_requested strictly. What the vendor or other clients show is correct; any other form is recorded as a violation.
-- Returns the report's specification, or raises { report = text } for report.error and { err = text } for {"err": …}.
local columns = require "sandbox.report.columns"
local filters = require "sandbox.report.filters"
local json = require "sandbox.http.json"
local times = require "sandbox.report.times"

local check = {}

local function set(...)
  local names = {}
  for _, name in ipairs { ... } do names[name] = true end
  return names
end

local RPT_FIELDS = set("reportTypeLang", "reportDirections", "times", "filters", "dataGranularity", "rateTotal", "dataFormat", "bbp", "dataMode",
  "orderBy", "showOthers", "saved", "byInt", "ipDns", "tableView", "graphView")
local START_FIELDS = set("parse", "reportDirections", "reportTypeLang", "times", "filters", "dataGranularity", "oneCollectorRequest")
local MINUTES = set("1", "5", "30", "120", "720", "1440", "10080")
local RANGES = times.names()

local function read_object(request, name, text)
  if not text then
    request:violate("missing field", "the form field " .. name)
    return { kind = "object", value = {}, keys = {}, twice = {} }
  end
  local node, why = json.read(text)
  if not node then error({ err = ("%s is not JSON: %s"):format(name, why) }, 0) end
  if node.kind == "array" and #node.value == 0 then
    request:violate("type", name .. ": [] for {}")
    return { kind = "object", value = {}, keys = {}, twice = {} }
  end
  if node.kind ~= "object" then error({ err = name .. " must be a JSON object" }, 0) end
  return node
end

local Reader = {}
Reader.__index = Reader

function Reader:violate(rule, ...) self.request:violate(rule, (...):format(select(2, ...))) end

-- A member that is an object; its keys are checked against `allowed` (nil: any).
function Reader:object(node, path, allowed)
  if not node then return nil end
  if node.kind == "array" and #node.value == 0 then
    self:violate("type", "%s: [] for {}", path)
    return { kind = "object", value = {}, keys = {}, twice = {} }
  elseif node.kind ~= "object" then
    error({ report = path .. " must be an object" }, 0)
  end
  for _, key in ipairs(node.twice) do self:violate("field twice", "%s.%s", path, key) end
  for _, key in ipairs(node.keys) do
    if allowed and not allowed[key] then self:violate("unknown field", "%s.%s", path, key) end
  end
  return node
end

function Reader:text(node, path)
  if not node then return nil end
  if node.kind == "string" then return node.value end
  if node.kind ~= "number" and node.kind ~= "boolean" then error({ report = path .. " must be a string" }, 0) end
  self:violate("type", "%s: a %s for a string", path, node.kind)
  return node.digits or tostring(node.value)
end

-- One of a set of words; wrong case is tolerated, as a violation.
function Reader:word(node, path, allowed)
  local text = self:text(node, path)
  if not text or allowed[text] then return text end
  for word in pairs(allowed) do
    if word:lower() == text:lower() then
      self:violate("case", "%s: '%s' for '%s'", path, text, word)
      return word
    end
  end
  self:violate("unknown value", "%s: '%s'", path, text)
  return nil
end

function Reader:integer(node, path, string_is_usual)
  if not node then return nil end
  local number = tonumber(node.value)
  if node.kind == "string" and not string_is_usual then self:violate("type", "%s: a string for a number", path) end
  if not number or number < 0 or (node.kind == "string" and not node.value:find "^%d+$") then
    error({ report = path .. " must be a whole number" }, 0)
  end
  if node.kind == "number" and not node.integer then self:violate("float for integer", "%s: %s", path, node.digits) end
  return math.floor(number)
end

-- {"selected": word}, the form of most options.
function Reader:selected(rpt, name, allowed)
  local node = self:object(rpt.value[name], name, set("selected", "available"))
  if not node then return nil end
  if not node.value.selected then self:violate("missing field", "%s.selected", name) end
  return self:word(node.value.selected, name .. ".selected", allowed)
end

function Reader:directions(rpt)
  if not rpt.value.reportDirections then self:violate("missing field", "reportDirections") end
  return self:selected(rpt, "reportDirections", set("inbound", "outbound", "both")) or "inbound"
end

-- Epoch seconds as number or string; "" is usual with a named range.
function Reader:epoch(node, name)
  if not node or (node.kind == "string" and node.value == "") then return nil end
  return self:integer(node, "times." .. name, true)
end

function Reader:zone(node)
  local zone = self:text(node, "times.clientTimezone")
  if not zone or times.known_zone(zone) then return zone end
  self:violate("unknown value", "times.clientTimezone: '%s'", zone)
  local joined = zone:gsub(" ", "_")
  return times.known_zone(joined) and joined or nil
end

function Reader:window(rpt, spec, options)
  local node = self:object(rpt.value.times, "times", set("dateRange", "start", "end", "clientTimezone"))
  if not node then error({ report = "No time range given." }, 0) end
  local range = self:word(node.value.dateRange, "times.dateRange", RANGES)
  local from, to = self:epoch(node.value.start, "start"), self:epoch(node.value["end"], "end")
  spec.zone = self:zone(node.value.clientTimezone)
  if not range then
    if not (from and to) or node.value.dateRange then error({ report = "Unknown date range." }, 0) end
    self:violate("missing field", "times.dateRange")
    range = "Custom"
  end
  if range ~= "Custom" then
    local now = type(options.now) == "number" and options.now or ngx.now()
    from, to = times.range(range, spec.zone or "UTC", now, options.week_start)
  end
  if not (from and to) then error({ report = "A custom date range needs start and end." }, 0) end
  spec.range, spec.from, spec.to = range, from, to
end

function Reader:granularity(rpt, spec)
  local node = self:object(rpt.value.dataGranularity, "dataGranularity", set("selected", "available", "used"))
  local chosen = node and node.value.selected
  if not chosen then self:violate("missing field", "dataGranularity.selected") end
  if not chosen or chosen.value == "auto" then
    spec.bucket = times.auto(spec.to - spec.from, filters.one_device(spec.filters))
    return
  end
  local minutes = chosen.kind == "string" and chosen.value:match "^(%d+)m?$" or chosen.digits
  if chosen.kind == "number" and not chosen.integer then self:violate("float for integer", "dataGranularity.selected: %s", chosen.digits) end
  local whole = tonumber(minutes)
  if not whole or whole < 1 or whole % 1 ~= 0 then error({ report = "Unknown granularity." }, 0) end
  if not MINUTES[("%d"):format(whole)] or (tostring(chosen.value):find "m" and chosen.value ~= "1m") then
    self:violate("unknown value", "dataGranularity.selected: '%s'", tostring(chosen.value))
  end
  spec.bucket = whole * 60
end

function Reader:filters(rpt, spec, options)
  local node = self:object(rpt.value.filters, "filters")
  if not node then self:violate("missing field", "filters") end
  spec.filters = {}
  local dips = false
  for _, key in ipairs(node and node.keys or {}) do
    local value = self:text(node.value[key], "filters." .. key)
    local filter, why = filters.parse(key, value, function(...) self:violate(...) end)
    if filter then
      spec.filters[#spec.filters + 1] = filter
      dips = dips or filter.type == "sdfDips"
    else
      self:violate("unknown filter", "%s", why)
      if options.unknown_filter == "error" then error({ report = why }, 0) end
    end
  end
  if not dips then self:violate("missing field", "filters.sdfDips_N") end
end

function Reader:order(rpt, spec)
  local name = self:text(rpt.value.orderBy, "orderBy")
  if not name then return end
  spec.order = columns.orders[name]
  if not spec.order then self:violate("unknown value", "orderBy: '%s'", name) end
end

function Reader:show_others(rpt, spec)
  local node = rpt.value.showOthers
  if not node then return end
  if node.kind == "boolean" then
    self:violate("type", "showOthers: a boolean for 0 or 1")
    spec.show_others = node.value
  else
    local number = self:integer(node, "showOthers")
    if number > 1 then self:violate("unknown value", "showOthers: %d", number) end
    spec.show_others = number ~= 0
  end
end

-- Tables of one minute are kept for a while only. A report that begins before reads the table of five minutes, or gets what is left.
local function retain_minutes(spec, options)
  local retention = options.minute_retention
  if retention == "all" or spec.bucket >= 300 then return end
  local now = type(options.now) == "number" and options.now or ngx.now()
  local oldest = now - retention
  oldest = oldest - oldest % 60
  if spec.from >= oldest then return end
  if options.minutes_gone == "coarser" then spec.bucket = 300 else spec.minutes_from = oldest end
end

local function read_rpt(request, name, allowed, options)
  local self = setmetatable({ request = request }, Reader)
  local rpt = self:object(read_object(request, name, request.value[name]), name, allowed)
  local spec = { type = self:text(rpt.value.reportTypeLang, "reportTypeLang"), selected = self:directions(rpt), show_others = true }
  if not spec.type then error({ report = "No report type given." }, 0) end
  self:filters(rpt, spec, options)
  self:window(rpt, spec, options)
  self:granularity(rpt, spec)
  retain_minutes(spec, options)
  if options.granularity_kept == "30" and spec.bucket < 1800 then spec.bucket = 1800 end
  spec.rate = self:selected(rpt, "rateTotal", set("rate", "total")) ~= "total"
  spec.format = self:selected(rpt, "dataFormat", set("normal", "raw")) or "normal"
  spec.unit = self:selected(rpt, "bbp", set("bits", "bytes", "percent")) or "bits"
  self:selected(rpt, "dataMode", set("saf", "traditional", "raw_flows"))
  self:order(rpt, spec)
  self:show_others(rpt, spec)
  return spec, self, rpt
end

local function read_limit(self, node, path)
  local limit = self:object(node, path, set("query_limit"))
  limit = limit and self:object(limit.value.query_limit, path .. ".query_limit", set("offset", "max_num_rows"))
  if not limit then return nil end
  local offset = self:integer(limit.value.offset, path .. ".offset")
  local max = self:integer(limit.value.max_num_rows, path .. ".max_num_rows", true)
  if not offset then self:violate("missing field", "%s.query_limit.offset", path) end
  if not max then self:violate("missing field", "%s.query_limit.max_num_rows", path) end
  return { offset = offset or 0, max = max or 10 }
end

local function read_wanted(self, node, spec)
  for _, name in ipairs { "inbound", "outbound" } do
    local part = self:object(node.value[name], name, set("table", "graph"))
    if part then
      local wanted = read_limit(self, part.value.table, name .. ".table") or { offset = 0, max = 10, no_table = true }
      if part.value.table and wanted.no_table then
        self:violate("missing field", "%s.table.query_limit", name)
        wanted.no_table = nil
      end
      wanted.name, wanted.graph = name, self:word(part.value.graph, name .. ".graph", set("all", "timeseries", "pie"))
      spec.directions[#spec.directions + 1], spec.directions[name] = wanted, wanted
    end
  end
end

local function check_directions(self, spec, options)
  if #spec.directions == 0 then
    self:violate("missing field", "data_requested.inbound or .outbound")
    spec.directions[1] = { name = spec.selected == "outbound" and "outbound" or "inbound", offset = 0, max = 10 }
  elseif spec.selected ~= "both" and not spec.directions[spec.selected] then
    self:violate("directions", "reportDirections.selected is %s, data_requested asks for another", spec.selected)
  end
  if options.directions == "selected" and spec.selected ~= "both" then spec.directions = { spec.directions[spec.selected] } end
end

--- The report's specification from the two JSON texts.
function check.report(request, options)
  local spec, self = read_rpt(request, "rpt_json", RPT_FIELDS, options)
  local node = self:object(read_object(request, "data_requested", request.value.data_requested), "data_requested", set("inbound", "outbound"))
  spec.directions = {}
  read_wanted(self, node, spec)
  check_directions(self, spec, options)
  spec.options = options
  return spec
end

-- A flag of report_start; `usual` is the only value seen so far.
local function check_flag(self, rpt, name, usual)
  local node = rpt.value[name]
  if not node then return self:violate("missing field", "%s", name) end
  if node.kind ~= "boolean" then return self:violate("type", "%s: a %s for a boolean", name, node.kind) end
  if node.value ~= usual then self:violate("unknown value", "%s: %s", name, tostring(node.value)) end
end

--- The specification in report_start's report_data, and its JSON node. Times there are epoch seconds as strings.
function check.start(request, options)
  local spec, self, rpt = read_rpt(request, "report_data", START_FIELDS, options)
  check_flag(self, rpt, "parse", true)
  check_flag(self, rpt, "oneCollectorRequest", false)
  for _, name in ipairs { "start", "end" } do
    local node = rpt.value.times.value[name]
    if node and node.kind ~= "string" then self:violate("type", "times.%s: a %s for a string", name, node.kind) end
  end
  if spec.range ~= "Custom" then self:violate("unknown value", "times.dateRange: '%s' for 'Custom'", spec.range) end
  spec.options = options
  return spec, rpt
end

return check
