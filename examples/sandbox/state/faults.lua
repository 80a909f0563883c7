-- Faults on demand: a queue; each API request takes the first entry. README.md lists the kinds.
local json = require "sandbox.http.json"
local store = require "sandbox.state.store"
local switches = require "sandbox.state.switches"

local faults = {}

-- kind = its fields besides kind and times; "!" marks a required one.
local KINDS = {
  none = "", delay = "seconds!", drop = "", reset = "after_bytes", stall = "seconds! after_bytes", drip = "bytes_per_second! after_bytes",
  truncate = "at! length", unended = "at!", redirect = "location! status", status = "status! body content_type headers", html = "status body",
  empty = "status", retry_after = "seconds status body", gzip = "", bad_gzip = "how", bad_token = "", refused = "", report_error = "text",
  switch = "name! value!",
}

-- Short names and their meaning.
local SHORT = {
  ["302"] = { kind = "redirect" }, ["404"] = { kind = "html", status = 404 }, ["500"] = { kind = "html", status = 500 },
  ["503"] = { kind = "retry_after" }, cap_rows = { kind = "switch", name = "max_rows", from = "rows" },
  no_total = { kind = "switch", name = "total", value = "missing" }, total_value = { kind = "switch", name = "total_value", from = "value" },
  rows_before_columns = { kind = "switch", name = "rows_before_columns", value = "always" },
  pretty = { kind = "switch", name = "pretty", value = "yes" }, numbers = { kind = "switch", name = "numbers", value = "numbers" },
  ties = { kind = "switch", name = "ties", value = "shuffled" }, late = { kind = "switch", name = "late_flows", from = "flows" },
}

local function expand(fault)
  local short = SHORT[fault.kind]
  if not short then return fault end
  local full = {}
  for key, value in pairs(fault) do full[key] = value end
  for key, value in pairs(short) do
    if key ~= "from" then full[key] = value end
  end
  if short.from then full.value, full[short.from] = fault[short.from], short.from == "value" and fault.value or nil end
  return full
end

local function problem(fault)
  if type(fault) ~= "table" or type(fault.kind) ~= "string" then return "a fault must be an object with a kind" end
  local known = KINDS[fault.kind]
  if not known then return ("no fault of kind '%s'"):format(fault.kind) end
  local allowed = { kind = true, times = true }
  for name, needed in known:gmatch "([%w_]+)(!?)" do
    allowed[name] = true
    if needed == "!" and fault[name] == nil then return ("%s needs %s"):format(fault.kind, name) end
  end
  for name in pairs(fault) do
    if not allowed[name] then return ("%s knows no field '%s'"):format(fault.kind, name) end
  end
  if fault.kind == "switch" then
    local ok, why = switches.fits(fault.name, fault.value)
    return not ok and ("switch %s: %s"):format(fault.name, why) or nil
  end
end

local function expand_all(entry)
  local list, times = {}, 1
  for i, fault in ipairs(entry[1] and entry or { entry }) do
    list[i] = type(fault) == "table" and expand(fault) or fault
    local why = problem(list[i])
    if why then return nil, why end
    times = list[i].times or times
  end
  return list, times
end

--- Adds faults to the end of the queue. Each item of the list is a fault, or a list of faults for one request. Returns true, or nil and why not.
function faults.add(entries)
  local ready = {}
  for i, entry in ipairs(entries) do
    local list, times = expand_all(type(entry) == "table" and entry or { entry })
    if not list then return nil, times end
    ready[i] = { json.write(list), times }
  end
  return store.atomic(function()
    for _, entry in ipairs(ready) do store.change("INSERT INTO faults (fault, times) VALUES (?, ?)", entry[1], entry[2]) end
    return true
  end)
end

function faults.list()
  return store.rows "SELECT id, fault, times FROM faults ORDER BY id"
end

function faults.clear()
  store.change "DELETE FROM faults"
end

-- The first entry of the queue; times = 0: it stays until cleared.
local function pop()
  if not store.rows "SELECT 1 FROM faults LIMIT 1"[1] then return {} end
  return store.atomic(function()
    local first = store.rows "SELECT id, fault, times FROM faults ORDER BY id LIMIT 1"[1]
    if not first then return {} end
    if first.times == 1 then
      store.change("DELETE FROM faults WHERE id = ?", first.id)
    elseif first.times > 1 then
      store.change("UPDATE faults SET times = times - 1 WHERE id = ?", first.id)
    end
    return json.plain(json.read(first.fault))
  end)
end

local sort = {}
local function effect(now, fault, kind, at)
  now.effects[#now.effects + 1] = { kind = kind, after_bytes = at or 0, seconds = fault.seconds, bytes_per_second = fault.bytes_per_second }
end

function sort.stall(now, fault) effect(now, fault, "stall", fault.after_bytes) end
function sort.drip(now, fault) effect(now, fault, "drip", fault.after_bytes) end
function sort.unended(now, fault) effect(now, fault, "cut", fault.at) end
function sort.truncate(now, fault)
  effect(now, fault, "cut", fault.at)
  now.declared = fault.length or fault.at + 1000
end
function sort.reset(now, fault)
  if fault.after_bytes then effect(now, fault, "reset", fault.after_bytes) else now.first[#now.first + 1] = fault end
end
function sort.gzip(now) now.overlay.gzip = "always" end
function sort.bad_gzip(now, fault) now.overlay.damage = fault.how or "corrupt" end
function sort.bad_token(now, fault) now.forced = fault.kind end
function sort.refused(now, fault) now.forced = fault.kind end
function sort.report_error(now, fault) now.forced, now.text = fault.kind, fault.text end
function sort.switch(now, fault) now.overlay[fault.name] = fault.value end

--- Takes the faults for this request: { first = faults before the answer, effects = for the sink, overlay = switches, forced =, declared = }.
function faults.take()
  local now = { first = {}, effects = {}, overlay = {} }
  for _, fault in ipairs(pop()) do
    local place = sort[fault.kind]
    if place then place(now, fault) else now.first[#now.first + 1] = fault end
  end
  table.sort(now.effects, function(a, b) return a.after_bytes < b.after_bytes end)
  return now
end

local function send(status, body, content_type, headers)
  ngx.status = status
  ngx.header["Content-Type"] = content_type or "text/html"
  for name, value in pairs(headers or {}) do ngx.header[name] = value end
  ngx.header["Content-Length"] = #body
  if #body > 0 then ngx.print(body) else ngx.send_headers() end
  return true
end

local function html(status, body)
  return body or ("<html>\n<head><title>%d</title></head>\n<body><h1>%d</h1><hr>proxy</body>\n</html>\n"):format(status, status)
end

local before = {}

function before.none() end
function before.delay(fault) ngx.sleep(fault.seconds) end
function before.drop() return ngx.exit(499) end
function before.reset() return ngx.exit(444) end
function before.redirect(fault) return send(fault.status or 302, html(fault.status or 302), nil, { Location = fault.location }) end
function before.status(fault) return send(fault.status, fault.body or "", fault.content_type, fault.headers) end
function before.html(fault) return send(fault.status or 200, html(fault.status or 200, fault.body)) end
function before.empty(fault) return send(fault.status or 200, "") end
function before.retry_after(fault)
  local headers = { ["Retry-After"] = ("%d"):format(fault.seconds or 1) }
  return send(fault.status or 503, html(fault.status or 503, fault.body), nil, headers)
end

--- Applies the faults before the answer; true if one of them has answered already.
function faults.before(now)
  for _, fault in ipairs(now.first) do
    if before[fault.kind](fault) then return true end
  end
  return false
end

return faults
