--- The methods that run a query or show what it sends. They raise when the query has no times; other failures return nil and err.

local aggregate = require "scrutinizer.report.aggregate"
local check = require "scrutinizer.check"
local query_words = require "scrutinizer.report.query_words"
local draft = require "scrutinizer.query.draft"
local explain = require "scrutinizer.query.explain"
local listing = require "scrutinizer.listing"
local named_exporters = require "scrutinizer.report.named_exporters"
local pages = require "scrutinizer.report.pages"
local prepare = require "scrutinizer.query.prepare"
local series = require "scrutinizer.report.series"
local show = require "scrutinizer.query.show"
local wire = require "scrutinizer.wire"

---@class scrutinizer.Query
local methods = draft.methods
local prepared = prepare.of_query

local run = {}

local GRAPHS = { series = true, rates = true, pie = true }

--- The message that a running method would raise with this argument, or nil. `client:gather` checks this before it runs queries.
---@param query scrutinizer.Query
---@param method string
---@param argument any
---@return string?
function run.complaint(query, method, argument)
  local spec, complaint = prepare.spec(query._spec, method, GRAPHS[method])
  if complaint then return complaint end
  if method == "aggregate" then return select(2, aggregate.plan(spec, argument)) end
  complaint = method == "rates" and series.complaint(spec)
  return complaint and "rates: " .. complaint or nil
end

---@class scrutinizer.RowsOptions
---@field reuse? boolean every row is the same table, with its fields overwritten

local function check_options(options)
  if options == nil then return end
  if type(options) ~= "table" then error(check.message("rows", options, "a table of options, or nothing"), 3) end
  for key, value in pairs(options) do
    if key ~= "reuse" then error(check.message("rows: option", key, "reuse"), 3) end
    if type(value) ~= "boolean" then error(check.message("rows: reuse", value, "true or false"), 3) end
  end
end

--- Runs the query: `for row in query:rows() do`. The loop raises an error; `cursor:next()` returns it.
---@param options? scrutinizer.RowsOptions
---@return scrutinizer.Cursor
function methods:rows(options)
  local spec = prepared(self, "rows")
  check_options(options)
  return require("scrutinizer.report.cursor").rows(self, spec, options)
end

--- Runs the query and returns all rows, in `report.rows`.
---@return table? report
---@return scrutinizer.Error? err
function methods:fetch()
  local spec = prepared(self, "fetch")
  return require("scrutinizer.report.cursor").fetch(self, spec)
end

--- The first row; nil without an error when there is none.
---@return table? row
---@return scrutinizer.Error? err
function methods:first()
  local spec = prepared(self, "first")
  return require("scrutinizer.report.cursor").first(self, spec)
end

--- How many rows exist. `:limit` and `:offset` have no effect.
---@return integer? count
---@return scrutinizer.Error? err
function methods:count()
  local spec = prepared(self, "count")
  return require("scrutinizer.report.cursor").count(self, spec)
end

--- Groups the rows, with sums, minima, maxima and counts. The core does this while it reads the answer: results are exact, no row becomes a table.
--- Fields have the names of `:select`, else element names. Groups are sorted by the first sum, else by the count, descending; equal ones by
--- their `by` values.
---@param options scrutinizer.AggregateOptions
---@return table[]? groups
---@return scrutinizer.Error? err
function methods:aggregate(options)
  local spec = prepared(self, "aggregate")
  local plan, complaint = aggregate.plan(spec, options)
  if not plan then draft.blame(complaint) end
  return require("scrutinizer.report.cursor").aggregate(self, spec, plan)
end

--- The columns that this query's answer has, the rank first: what rows hold, and what `:select` and `:order_by` can name. With `:select`: its
--- fields in order, each with the `column` that it comes from. Asks for one row; a query without times, of the last hour.
---@return scrutinizer.Column[]?
---@return scrutinizer.Error? err of kind `decode` when the answer has no columns
function methods:columns()
  local timeless = draft.is(self) and not self._spec.times and self._spec.fields[wire.field.times] == nil
  local query = timeless and self:range "LastHour" or self
  local spec = prepared(query, "columns")
  return require("scrutinizer.report.cursor").columns(query, spec)
end

-- A call's result, or nil and an error that says which query failed.
local function of_query(query, result, err)
  if result ~= nil then return result end
  return nil, query_words.blame(err, query)
end

-- The form that the query sends. Asks the appliance only when the query names exporters; nil and err when it does not know them.
local function form_of(query, spec)
  local looked_up, err = named_exporters.look_up(query._client, spec)
  if not looked_up then return nil, query_words.blame(err, query) end
  return wire.report_form(looked_up, pages.first(looked_up))
end

--- The form's fields that the query sends, as text, without the token. Names of exporters are looked up.
---@return { rm: string, action: string, rpt_json: string, data_requested: string }?
---@return scrutinizer.Error? err a name could not be looked up
function methods:request()
  local form, err = form_of(self, prepared(self, "request"))
  if not form then return nil, err end
  return form
end

--- Describes the query in words, one line each: its times, what is sent, by what the client filters rows, which rows are given. It sends no
--- request.
---@return string
function methods:explain()
  local spec = prepared(self, "explain")
  return explain.text(spec)
end

--- The request as a GET URL. The token is shown as `***`. Raises for a client with `command`.
---@return string?
---@return scrutinizer.Error? err a name could not be looked up
function methods:url()
  local form, err = form_of(self, prepared(self, "url"))
  if not form then return nil, err end
  if self._client.command then error("url: this client runs a command and has no URL; :curl() shows the command line", 2) end
  return show.url(self._client.url, form, self._client.has_token)
end

--- The request as a curl command that is safe to paste into a shell. The token is shown as `***`. For a client with `command`: that
--- program's command line.
---@return string?
---@return scrutinizer.Error? err a name could not be looked up
function methods:curl()
  local form, err = form_of(self, prepared(self, "curl"))
  if not form then return nil, err end
  if self._client.command then return show.command(self._client.command, form) end
  return show.curl(self._client.url, form, self._client.has_token)
end

local SERIES_FIELDS = { "direction", "label", "dns", "interval", "points", "missing" }

--- The report's graph: one series for each row that the table shows (:limit, :offset), and Other. Without a limit every row has a series.
--- A point is the bytes of one bucket; in a report ordered by another column, that column's value. The bucket's length is the query's
--- :granularity; when the answer reports another length and the points agree, that one. Without :granularity it comes from the answer, else from
--- `report_start` (a second request), else from the distance between points. Points that do not fit it are an error of kind `decode`;
--- a graph larger than `max_held` is an error of kind `limit`.
---@return scrutinizer.Series[]? list
---@return scrutinizer.Error? err
function methods:series()
  local list, err = series.find(self._client, prepared(self, "series", true))
  return listing.result("series", SERIES_FIELDS, of_query(self, list, err))
end

--- Like `series`, in bits per second instead of bytes. Raises when the report's points are not bytes: in percent, or ordered by another column.
---@return scrutinizer.Series[]? list
---@return scrutinizer.Error? err
function methods:rates()
  local spec = prepared(self, "rates", true)
  local complaint = series.complaint(spec)
  if complaint then error("rates: " .. complaint, 2) end
  local list, err = series.find(self._client, spec)
  if not list then return of_query(self, nil, err) end
  return listing.of(series.to_rates(list), "series of rates", SERIES_FIELDS)
end

--- The entries of the report's pie chart: `label`, `dns`, `direction`, `other`, and other members that the appliance sends (`tooltip`).
---@return table[]? list
---@return scrutinizer.Error? err
function methods:pie()
  local list, err = series.pie(self._client, prepared(self, "pie", true))
  return listing.result("parts", { "direction", "label", "dns", "other" }, of_query(self, list, err))
end

--- Seconds per bucket that the appliance will use for this query. Asks `report_start`, which does not run the report.
---@return integer? seconds
---@return scrutinizer.Error? err
function methods:interval()
  return of_query(self, series.interval(self._client, prepared(self, "interval")))
end

return run
