-- /sandbox/: observes and controls the sandbox, for specs and people. README.md documents it.
local accounts = require "sandbox.state.accounts"
local faults = require "sandbox.state.faults"
local ip_groups = require "sandbox.state.ip_groups"
local json = require "sandbox.http.json"
local store = require "sandbox.state.store"
local switches = require "sandbox.state.switches"

local control = {}

local function list(rows) return setmetatable(rows, json.list) end

local function send(status, value)
  local text = json.write(value) .. "\n"
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Content-Length"] = #text
  ngx.print(text)
end

local function body()
  ngx.req.read_body()
  local node, why = json.read(ngx.req.get_body_data() or "")
  if not node then return nil, "the body is not JSON: " .. why end
  return json.plain(node)
end

local function violations()
  return list(store.rows "SELECT id, time, rule, text, request_id FROM violations ORDER BY id")
end

local function log()
  local rows = store.rows "SELECT * FROM log ORDER BY id"
  for _, row in ipairs(rows) do row.fields = setmetatable(json.plain(json.read(row.fields)), json.list) end
  return list(rows)
end

local function queue()
  local rows = faults.list()
  for _, row in ipairs(rows) do row.fault = json.plain(json.read(row.fault)) end
  return list(rows)
end

local function ready()
  return { ready = true, https_port = tonumber(os.getenv "SANDBOX_HTTPS_PORT"), http_port = tonumber(os.getenv "SANDBOX_HTTP_PORT") }
end

local function clear_table(name)
  return function() store.change("DELETE FROM " .. name) end
end

local routes = {
  ready = { GET = ready },
  violations = { GET = violations, clear = clear_table "violations" },
  log = { GET = log, clear = clear_table "log" },
  faults = { GET = queue, POST = faults.add, clear = faults.clear },
  switches = { GET = switches.current, POST = switches.set, clear = switches.clear },
  accounts = { clear = accounts.reset },
  ipgroups = { clear = ip_groups.reset },
  clock = { GET = function() return { now = ngx.now() } end },
}

routes.all = {
  clear = function()
    for _, name in ipairs { "violations", "log", "faults", "switches" } do routes[name].clear() end
  end,
}

local function post(route)
  local value, why = body()
  if not value then return send(400, { error = why }) end
  if type(value) ~= "table" then return send(400, { error = "the body must be a JSON list or object" }) end
  local ok
  ok, why = route.POST(value)
  if not ok then return send(400, { error = why }) end
  send(200, { ok = true })
end

--- GET shows, POST adds or sets, DELETE and POST …/clear clear.
function control.serve()
  local name, action = ngx.var.uri:match "^/sandbox/(%l+)/?(%l*)$"
  local route, method = routes[name], ngx.req.get_method()
  if not route or (action ~= "" and action ~= "clear") then return send(404, { error = "no such page under /sandbox/" }) end
  if route.clear and (method == "DELETE" or (method == "POST" and action == "clear")) then
    route.clear()
    return send(200, { ok = true })
  end
  if method == "POST" and route.POST then return post(route) end
  if method == "GET" and route.GET then return send(200, route.GET()) end
  send(405, { error = "this page knows no " .. method })
end

return control
