--- The cursor: gives a report's rows one by one while the answer arrives. Also fetch, first, count and aggregate, which use it.

local aggregate = require "scrutinizer.report.aggregate"
local check = require "scrutinizer.check"
local prefetch = require "scrutinizer.report.prefetch"
local core = require "scrutinizer.core"
local query_words = require "scrutinizer.report.query_words"
local errors = require "scrutinizer.errors"
local listing = require "scrutinizer.listing"
local report_fields = require "scrutinizer.report.fields"
local pages = require "scrutinizer.report.pages"
local wait = require "scrutinizer.transport.wait"
local walk = require "scrutinizer.report.walk"

---@class scrutinizer.Cursor
---@field direction string      "inbound", "outbound" or "both": what the query asks for
---@field columns? scrutinizer.Column[] once known, in the answer's order
---@field total? integer        rows that exist; with both directions, the sum; absent where the client filters rows (`:keep`, some `:where`)
---@field totals? table         with both directions: { inbound =, outbound = }
---@field time? table           { first =, last =, timezone = }: bucket starts, epoch seconds
---@field exporters? table      { [ip] = { flows =, hex = } }
---@field request_id? string
---@field fields? table[]       the row's fields in order: { { field =, column = }, … }
---@field bytes integer         bytes of JSON read so far
---@field granularity? integer  minutes per bucket, when the query or the answer has them
---@field footer? table         { others = { [name] = text }, total = { [name] = text } }
local methods = {}

---@class scrutinizer.Column
---@field name string      the row's field
---@field label string     the column's heading
---@field title string
---@field numeric boolean
---@field column? string   `query:columns` with `:select`: the column that the field comes from

local FAST_PATH = walk.FAST_PATH

--- The next row; nil at the end; nil and err after a failure (later calls return the same err).
---@return table? row
---@return scrutinizer.Error? err
function methods:next()
  local decoder = self[FAST_PATH]
  local row = decoder and decoder:pass()
  if row then return row end
  local next_row, err = walk.next(self)
  if not err then return next_row end
  return nil, query_words.blame(err, self._query)
end

--- Ends the transfer. May be called any number of times. After it, `next` returns an error of kind `cancelled`, unless all rows were given.
---@return true
function methods:close()
  walk.cancel(self, "the cursor was closed before its end")
  return true
end

local Cursor = { __name = "scrutinizer.Cursor", __close = methods.close }

function Cursor:__index(key)
  local method = methods[key]
  if method then return method end
  local getter = report_fields.getters[key]
  if not getter then return nil end
  return walk.look(self, getter)
end

-- A `for` loop cannot receive an error: it is raised.
local function row_or_error(self)
  local row, err = walk.next(self)
  if err then wait.raise(query_words.blame(err, self._query)) end
  return row
end

-- Two versions of the same call: one in C, on Luas where C may call a function that yields; and one in Lua for the others.
Cursor.__call = core.caller and core.caller(row_or_error) or function(self)
  local decoder = self[FAST_PATH]
  return decoder and decoder:pass() or row_or_error(self)
end

function Cursor:__tostring()
  local state = self._done and " (done)" or self._error and " (closed)" or ""
  return ("scrutinizer.Cursor%s: %s"):format(state, query_words.text(self._query._spec))
end

local function with(spec, changes)
  local copy = {}
  for key, value in pairs(spec) do copy[key] = value end
  for key, value in pairs(changes) do copy[key] = value end
  return copy
end

-- `spec` is the query's, or a changed copy; rows are tested by `spec.tests`.
local function open(query, spec, reuse)
  local parts = pages.parts(spec)
  local resumed = pages.resumed(parts)
  return setmetatable({
    false, -- FAST_PATH
    _query = query, _client = query._client, _spec = spec, _parts = parts, _keep = spec.tests and core.keep(spec.tests) or false,
    _reuse = reuse or false,
    _resumed = resumed and true, _time = type(resumed) == "table" and resumed, _gathers = false,
    _answers = 0, _now = os.time(), _done = false, _error = false, _exchange = false, _epochs = false,
    _report_fields = false, _columns = false, _decoder = false, _asked = false, _direction_index = false, _read = 0,
    _requests = 0, _waited = 0, _retry = false, _ended = false, _end_reported = false, _reader = false, _cancelled = false,
    _prefetch = prefetch.new(spec),
  }, Cursor)
end

local cursor = {}

--- A cursor over the query's rows. Nothing is sent before the first row is requested. From Lua 5.4 on, the fourth result closes the cursor when a
--- loop is left early; on other Luas the garbage collector closes it.
---@param query scrutinizer.Query
---@param spec table the query's, with its times settled; so in the functions below
---@param options? scrutinizer.RowsOptions
---@return scrutinizer.Cursor
function cursor.rows(query, spec, options)
  local opened = open(query, spec, options and options.reuse)
  return opened, nil, nil, opened
end

-- A report's table has `__tostring`; its rows have no metatable.
local Report = { __name = "scrutinizer.Report" }

function Report:__tostring()
  local count = self.total and self.total ~= #self.rows and ("%d of %d rows"):format(#self.rows, self.total) or ("%d rows"):format(#self.rows)
  return ("scrutinizer.Report: %s, %s, %s, %s"):format(check.show(self.type), self.direction, self.window, count)
end

local FIELDS = { "columns", "fields", "total", "totals", "time", "exporters", "request_id", "granularity", "footer", "truncated" }

--- All rows at once.
---@param query scrutinizer.Query
---@param spec table
---@return table? report
---@return scrutinizer.Error? err
function cursor.fetch(query, spec)
  local opened, rows = open(query, spec), {}
  opened._gathers = true
  local row, err = opened:next()
  while row do
    rows[#rows + 1] = row
    row, err = opened:next()
  end
  if err then return nil, err end
  local report = { rows = rows }
  for _, name in ipairs(FIELDS) do report[name] = report_fields.getters[name](opened) end
  report.columns = report.columns or {}
  report.type, report.direction, report.window = spec.type, query_words.direction(spec), query_words.times(query._spec)
  return setmetatable(report, Report)
end

--- Groups of the query's rows, made in the core without a table per row.
---@param query scrutinizer.Query
---@param spec table
---@param plan table see aggregate.plan
---@return table[]? groups
---@return scrutinizer.Error? err
function cursor.aggregate(query, spec, plan)
  local opened, sums = open(query, with(spec, { projection = plan.projection })), aggregate.new(plan, query._client._options)
  opened._gathers = true
  local done, err = walk.fold(opened, sums)
  if not done then return nil, query_words.blame(err, query) end
  return listing.of(sums:rows(plan.top, plan.count, plan.metatable), "groups")
end

-- A single value has no rest to request: its error has no `resume`.
local function without_resume(err)
  err.resume = nil
  return err
end

--- The first row, or nil. Reads the answer to its end, so that a broken answer is an error.
---@param query scrutinizer.Query
---@param spec table
---@return table? row
---@return scrutinizer.Error? err
function cursor.first(query, spec)
  local opened = open(query, with(spec, { limit = 1, prefetch = 0 }))
  local first, err = opened:next()
  local row = first
  while row do row, err = opened:next() end
  if err then return nil, without_resume(err) end
  return first
end

local COLUMN_FIELDS = { "name", "numeric", "label", "title" }

-- The columns of a selection, which are the row's fields, from those of the answer.
local function selected_columns(projection, columns)
  local by_name, list = { direction = { label = "", title = "Direction", numeric = false } }, {}
  for _, column in ipairs(columns) do by_name[column.name] = column end
  for _, entry in ipairs(projection) do
    local column = by_name[entry.column]
    if column then -- else it is optional
      list[#list + 1] = {
        name = entry.field, column = entry.column, label = column.label, title = column.title,
        numeric = column.numeric and entry.member == "raw",
      }
    end
  end
  return list
end

--- The columns of the query's answer. Requests one row.
---@param query scrutinizer.Query
---@param spec table
---@return scrutinizer.Column[]?
---@return scrutinizer.Error? err
function cursor.columns(query, spec)
  local opened = open(query, with(spec, { limit = 1, offset = 0, window = false, proof = false, prefetch = 0, tests = false }), true)
  local row, err
  repeat row, err = opened:next() until not row
  if err then return nil, without_resume(err) end
  local columns = opened.columns
  if not columns or not columns[1] then
    err = errors.new("decode", ("columns: the answer to the report %s has no columns"):format(check.show(spec.type)), { status = 200 })
    return nil, query_words.blame(err, query)
  end
  if not spec.projection then return listing.of(columns, "columns", COLUMN_FIELDS) end
  return listing.of(selected_columns(spec.projection, columns), "columns", COLUMN_FIELDS)
end

local function count_rows(query, spec)
  local opened, count = open(query, spec, true), 0
  local row, err = opened:next()
  while row do
    count = count + 1
    row, err = opened:next()
  end
  if err then return nil, without_resume(err) end
  return count
end

--- How many rows exist; limit and offset have no effect. Requests one row; when the answer has no total, requests all rows and counts them.
---@param query scrutinizer.Query
---@param spec table
---@return integer? count
---@return scrutinizer.Error? err
function cursor.count(query, spec)
  local whole = { offset = 0, projection = false, window = false, proof = false, prefetch = 0 }
  local unlimited = with(spec, whole)
  unlimited.limit = nil
  if spec.tests then return count_rows(query, unlimited) end
  local opened = open(query, with(spec, with(whole, { limit = 1 })))
  local row, err
  repeat row, err = opened:next() until not row
  if err then return nil, without_resume(err) end
  if opened.total then return opened.total end
  return count_rows(query, unlimited)
end

return cursor
