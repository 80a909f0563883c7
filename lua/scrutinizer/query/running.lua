--- How a query runs, and what it would send.

local aggregate = require "scrutinizer.report.aggregate"
local check = require "scrutinizer.check"
local draft = require "scrutinizer.query.draft"
local named_exporters = require "scrutinizer.report.named_exporters"
local pages = require "scrutinizer.report.pages"
local series = require "scrutinizer.report.series"
local show = require "scrutinizer.query.show"
local wire = require "scrutinizer.wire"

---@class scrutinizer.Query
local methods = draft.methods

-- The query's spec, when it can run. Raises at the line that called the method which calls this.
local function ready(query, method)
  local spec = draft.of(query, method, nil, 1)
  if not spec.times and spec.fields[wire.field.times] == nil then
    error(('%s: say when: :range "LastHour", :between(from, to) or :last "90m"'):format(method), 3)
  end
  return spec
end

---@class scrutinizer.RowsOptions
---@field reuse? boolean the same row table each time, its fields overwritten

local function check_options(options)
  if options == nil then return end
  if type(options) ~= "table" then error(check.message("rows", options, "a table of options, or nothing"), 3) end
  for key, value in pairs(options) do
    if key ~= "reuse" then error(check.message("rows: option", key, "reuse"), 3) end
    if type(value) ~= "boolean" then error(check.message("rows: reuse", value, "true or false"), 3) end
  end
end

--- Runs the query: `for row in query:rows() do`. An error is raised there; `cursor:next()` returns it.
---@param options? scrutinizer.RowsOptions
---@return scrutinizer.Cursor
function methods:rows(options)
  ready(self, "rows")
  check_options(options)
  return require("scrutinizer.report.cursor").rows(self, options)
end

--- Runs the query and gathers all rows.
---@return table? report
---@return scrutinizer.Error? err
function methods:fetch()
  ready(self, "fetch")
  return require("scrutinizer.report.cursor").fetch(self)
end

--- The first row; nil without an error when there is none.
---@return table? row
---@return scrutinizer.Error? err
function methods:first()
  ready(self, "first")
  return require("scrutinizer.report.cursor").first(self)
end

--- How many rows exist.
---@return integer? count
---@return scrutinizer.Error? err
function methods:count()
  ready(self, "count")
  return require("scrutinizer.report.cursor").count(self)
end

--- Groups of rows with sums, minima, maxima and counts, made in the core while the bytes stream in: exact, and without a table per row.
--- Names are those of `:select`, else element names. Descending by the first sum, else by the count; equal ones by their `by` values.
---@param options scrutinizer.AggregateOptions
---@return table[]? groups
---@return scrutinizer.Error? err
function methods:aggregate(options)
  local plan, complaint = aggregate.plan(ready(self, "aggregate"), options)
  if not plan then draft.blame(complaint) end
  return require("scrutinizer.report.cursor").aggregate(self, plan)
end

-- The form that would be sent. Asks the appliance only where the query names exporters; nil and err where it does not know them.
local function form_of(query, spec)
  local looked_up, err = named_exporters.look_up(query._client, spec)
  if not looked_up then return nil, err end
  return wire.report_form(looked_up, pages.first(looked_up))
end

--- What would be sent: the form's fields as text, without the token. Names of exporters are looked up.
---@return { rm: string, action: string, rpt_json: string, data_requested: string }?
---@return scrutinizer.Error? err a name could not be looked up
function methods:request()
  local form, err = form_of(self, ready(self, "request"))
  return form, err
end

--- The request as a GET URL. The token is shown as `***`.
---@return string?
---@return scrutinizer.Error? err a name could not be looked up
function methods:url()
  local form, err = form_of(self, ready(self, "url"))
  if not form then return nil, err end
  if self._client.command then error("url: this client runs a command and has no URL; :curl() shows the command line", 2) end
  return show.url(self._client.url, form, self._client.has_token)
end

--- The request as a curl command that is safe to paste into a shell. The token is shown as `***`. With `connect { command = … }`: the
--- command line of that.
---@return string?
---@return scrutinizer.Error? err a name could not be looked up
function methods:curl()
  local form, err = form_of(self, ready(self, "curl"))
  if not form then return nil, err end
  if self._client.command then return show.command(self._client.command, form) end
  return show.curl(self._client.url, form, self._client.has_token)
end

--- The report's graph: one series for each row that the table shows (:limit, :offset), and Other. Points are the bytes of each bucket;
--- in a report ordered by another column, that column's values. The bucket's length is the query's :granularity (the answer's own, where it
--- says that it used another and the points agree), else what the answer or
--- `report_start` (a second request) says, else the distance of the points. Points that do not fit it are an error of kind `decode`,
--- a graph over `max_held` is one of kind `limit`. Without a limit every row has a series.
---@return scrutinizer.Series[]? list
---@return scrutinizer.Error? err
function methods:series()
  local spec = ready(self, "series")
  return series.find(self._client, spec)
end

--- The same with bits per second in place of bytes. Raises for reports whose points are no bytes: in percent, or ordered by another column.
---@return scrutinizer.Series[]? list
---@return scrutinizer.Error? err
function methods:rates()
  local spec = ready(self, "rates")
  local complaint = series.complaint(spec)
  if complaint then error("rates: " .. complaint, 2) end
  local list, err = series.find(self._client, spec)
  if not list then return nil, err end
  return series.to_rates(list)
end

--- The entries of the report's pie: `label`, `dns`, `direction`, `other`, and what else the appliance says of each (`tooltip`).
---@return table[]? list
---@return scrutinizer.Error? err
function methods:pie()
  local spec = ready(self, "pie")
  return series.pie(self._client, spec)
end

--- Seconds per bucket that the appliance will use for this query: asks `report_start`, which runs no report.
---@return integer? seconds
---@return scrutinizer.Error? err
function methods:interval()
  local spec = ready(self, "interval")
  return series.interval(self._client, spec)
end
