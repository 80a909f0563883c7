-- SQLite: the flows, and the sandbox's state. Each worker has its own handles; the one for reports is read-only.
local luasql = require "luasql.sqlite3"

local store = {}
local LOCK_WAIT_MS = 10000
local environment, reader, writer

local function open(setting)
  environment = environment or luasql.sqlite3()
  local connection = assert(environment:connect(os.getenv "SANDBOX_HOME" .. "/database", LOCK_WAIT_MS))
  assert(connection:execute("PRAGMA synchronous = OFF"))
  if setting then assert(connection:execute(setting)) end
  return connection
end

local function quote(value)
  if value == nil then return "NULL" end
  if type(value) == "number" then return ("%.17g"):format(value) end
  return "'" .. tostring(value):gsub("%z", "\\0"):gsub("'", "''") .. "'"
end

--- An SQL statement with each `?` replaced by a quoted value.
local function fill(sql, ...)
  local values, i = { ... }, 0
  return (sql:gsub("%?", function()
    i = i + 1
    return quote(values[i])
  end))
end

--- A value as SQL text.
store.quote = quote

--- Calls `each(row)` for every row of a report's query. The row table is reused.
function store.query(sql, each)
  reader = reader or open "PRAGMA query_only = ON"
  local cursor = assert(reader:execute(sql))
  local row = cursor:fetch({}, "a")
  while row do
    each(row)
    row = cursor:fetch(row, "a")
  end
  cursor:close()
end

local function run(sql, ...)
  writer = writer or open()
  return assert(writer:execute(fill(sql, ...)))
end

--- Runs one statement that changes the state; returns the number of changed rows.
function store.change(sql, ...)
  return run(sql, ...)
end

--- All rows of a query over the state.
function store.rows(sql, ...)
  local cursor, rows = run(sql, ...), {}
  local row = cursor:fetch({}, "a")
  while row do
    rows[#rows + 1] = row
    row = cursor:fetch({}, "a")
  end
  cursor:close()
  return rows
end

--- Runs `body` as one transaction, exclusive among all workers.
function store.atomic(body)
  run "BEGIN IMMEDIATE"
  local ok, result = pcall(body)
  run(ok and "COMMIT" or "ROLLBACK")
  if not ok then error(result, 0) end
  return result
end

--- Seeds math.random, differently in each worker.
function store.seed()
  local file = assert(io.open("/dev/urandom", "rb"))
  local a, b, c = file:read(3):byte(1, 3)
  file:close()
  math.randomseed(a * 65536 + b * 256 + c)
end

function store.token()
  return store.rows("SELECT value FROM setting WHERE name = 'token'")[1].value
end

--- Records a violation by a request that was tolerated.
function store.violation(rule, text, request_id)
  store.change("INSERT INTO violations (time, rule, text, request_id) VALUES (?, ?, ?, ?)", ngx.now(), rule, text:sub(1, 2000), request_id)
end

return store
