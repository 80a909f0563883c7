--- Writes rows as CSV, NDJSON and aligned tables, from a query, a cursor, a report or a list. It streams in constant memory.

local cells = require "scrutinizer.export.cells"
local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local suggest = require "scrutinizer.suggest"
local source = require "scrutinizer.export.source"
local store = require "scrutinizer.export.store"
local sink = require "scrutinizer.sink"

local export = {}

---@alias scrutinizer.ExportSource scrutinizer.Query|scrutinizer.Cursor|table[]|{ rows: table[] }|fun(): table?
---@alias scrutinizer.ExportTarget string|file*|fun(text: string): any, string?

---@class scrutinizer.ExportOptions
---@field columns? (string|{ field: string, header?: string })[] the fields, in order; default: the order of `select` (sorted by alias when
---   `select` took a map), else the appliance's order
---@field on_progress? fun(progress: { rows: integer, bytes?: integer, total?: integer }) called every few thousand rows and at the end
---@field header? boolean       csv, table: write the line of column names (default true)
---@field separator? string     csv: one character (default ",")
---@field null? string          csv, table: text for an absent value (default "")
---@field guard? boolean        csv: put ' before text that a spreadsheet would run as a formula (default false)
---@field newline? string       csv: "\r\n" (RFC 4180, the default) or "\n"
---@field units? table<string, "bytes"|"bits"|"count"|false>|false  table: the unit of each field's numbers; default: octets in bytes, packets
---   as a count; false: all digits
---@field max_width? integer    table: characters; longer cells are cut (default 60)

-- Text is written to the target in pieces of about this many bytes.
local PIECE = 65536
local PROGRESS_ROWS = 4096

local ODD = "rows of plain values: %s holds a table; say columns = {…} with fields that hold none"

local SHARED = { columns = "table", on_progress = "function" }
local OPTIONS = {
  csv = { header = "boolean", separator = "string", null = "string", guard = "boolean", newline = "string" },
  ndjson = {},
  table = { header = "boolean", null = "string", units = "table", max_width = "number" },
}

local function check_value(kind, name, value)
  local allowed = OPTIONS[kind][name] or SHARED[name]
  if not allowed then
    local known = {}
    for other in pairs(OPTIONS[kind]) do known[other] = true end
    for other in pairs(SHARED) do known[other] = true end
    local list = table.concat(check.sorted_keys(known), ", ")
    return check.message(kind .. ": option", name, list, suggest.did_you_mean(suggest.nearest(tostring(name), known)))
  end
  if type(value) ~= allowed and not (name == "units" and value == false) then return check.message(kind .. ": " .. name, value, "a " .. allowed) end
  if name == "separator" and (#value ~= 1 or value:find '["\r\n]') then return check.message("csv: separator", value, "one character, no quote") end
  if name == "newline" and value ~= "\n" and value ~= "\r\n" then return check.message("csv: newline", value, '"\\r\\n" or "\\n"') end
  if name == "max_width" and not check.integer(value, 3) then return check.message("table: max_width", value, "a whole number from 3") end
end

local function check_options(kind, options)
  if options == nil then return {} end
  if type(options) ~= "table" then error(check.message(kind .. ": options", options, "a table"), 4) end
  for name, value in pairs(options) do
    local complaint = check_value(kind, name, value)
    if complaint then error(complaint, 4) end
  end
  return options
end

-- A writer buffers the text of rows: the core's, or an object like it. `add` returns how many bytes are buffered.

local function hand_on(writer, to)
  local text = writer:take()
  if text == "" then return true end
  return to:write(text)
end

-- Writes all rows, in pieces. Returns how many, or nil and err.
local function write_rows(from, to, writer, row, progress)
  local add, next_row, state = writer.add, from.next, from.state
  local rows, err = 0, nil
  while row do
    local waiting, kind, message = add(writer, row)
    if not waiting then return errors.fail(kind, message) end
    rows = rows + 1
    if waiting >= PIECE then
      local ok, why = hand_on(writer, to)
      if not ok then return nil, why end
    end
    if progress and rows % PROGRESS_ROWS == 0 then progress(from:progress(rows)) end
    row, err = next_row(state)
  end
  if err then return nil, err end
  return rows
end

-- Writes header and rows. Returns the number of rows, or nil and err. The target is finished, or aborted and unchanged.
local function pump(from, to, options, begin)
  local progress, writer, rows, ok = options.on_progress, nil, nil, nil
  local row, err = from.next(from.state)
  if not err then
    writer = begin(from:fields(options.columns, row), options)
    rows, err = write_rows(from, to, writer, row, progress)
  end
  if rows and writer.finish then writer:finish() end
  if rows then ok, err = hand_on(writer, to) end
  if ok then err = select(2, to:finish()) end
  if writer then writer:close() end
  if err then
    from:close()
    to:abort()
    err.resume = nil -- the rows before it are not in the target either
    return nil, err
  end
  if progress then progress(from:progress(rows)) end
  return rows
end

local function run(kind, given, out, options, begin)
  options = check_options(kind, options)
  local from, complaint = source.open(given, options.columns)
  if from and from.odd then from, complaint = nil, ODD:format(check.show(from.odd)) end
  if not from then error(check.message(kind .. ": source", given, complaint), 3) end
  local to, err = sink.open(out)
  if to == nil and not err then error(check.message(kind .. ": target", out, "a path, a file open for writing, or a function(text)"), 3) end
  if not to then
    from:close()
    return nil, err
  end
  -- A progress listener or a function target may raise: then remove the partial file and close the cursor.
  local ok, rows, why = pcall(pump, from, to, options, begin)
  if ok then return rows, why end
  from:close()
  to:abort()
  error(rows, 0)
end

-- The core's writer for these fields.
local function core_writer(fields, o, json)
  local list, headers = {}, {}
  for i, field in ipairs(fields) do list[i], headers[i] = field.field, field.header end
  local writer = core.writer {
    fields = list, headers = headers, json = json, guard = o.guard or false, separator = o.separator or ",", null = o.null or "",
    newline = o.newline or "\r\n", tostring = tostring,
  }
  if not json and o.header ~= false then writer:header() end
  return writer
end

local function csv_writer(fields, o) return core_writer(fields, o, false) end
local function json_writer(fields, o) return core_writer(fields, o, true) end

--- Writes comma-separated values (RFC 4180): a header, quotes where needed, CR LF. Counters keep all their digits.
--- A path gets a temporary file that is renamed at the end: a report that fails creates no file and leaves an existing one unchanged.
---@param given scrutinizer.ExportSource
---@param out scrutinizer.ExportTarget
---@param options? scrutinizer.ExportOptions
---@return integer? rows how many were written
---@return scrutinizer.Error? err the report's, or kind "file"
function export.csv(given, out, options)
  return errors.result(run("csv", given, out, options, csv_writer))
end

--- Writes one JSON object per line. Absent values are left out; bytes that are not UTF-8 become U+FFFD. Files as with `csv`.
---@param given scrutinizer.ExportSource
---@param out scrutinizer.ExportTarget
---@param options? scrutinizer.ExportOptions
---@return integer? rows
---@return scrutinizer.Error? err
function export.ndjson(given, out, options)
  return errors.result(run("ndjson", given, out, options, json_writer))
end

-- How many rows set the column widths; a later cell that is longer makes its line longer.
local SAMPLE = 200

-- A writer of padded cells. It keeps the first rows until the widths are known.
local Table = {}
Table.__index = Table

local function table_writer(fields, o)
  local writer = setmetatable({
    lines = {}, size = 0, held = {}, widths = {}, numeric = {}, seen = {}, fields = fields, shown = {}, header = o.header ~= false,
  }, Table)
  for i, field in ipairs(fields) do
    writer.shown[i], writer.widths[i], writer.numeric[i] = cells.shown(field, o), cells.width(field.header), true
  end
  return writer
end

function Table:print(line)
  for i, text in ipairs(line) do
    local pad = (" "):rep(self.widths[i] - cells.width(text))
    line[i] = self.numeric[i] and self.seen[i] and pad .. text or (i < #line and text .. pad or text)
  end
  local text = table.concat(line, "  "):gsub(" +$", "") .. "\n"
  self.lines[#self.lines + 1], self.size = text, self.size + #text
end

-- Writes the header and the kept rows.
function Table:finish()
  if not self.held then return end
  if self.header then
    local line = {}
    for i, field in ipairs(self.fields) do line[i] = cells.visible(field.header) end
    self:print(line)
  end
  for _, line in ipairs(self.held) do self:print(line) end
  self.held = nil
end

function Table:add(row)
  local line, held = {}, self.held
  for i, field in ipairs(self.fields) do
    local value = row[field.field]
    line[i] = self.shown[i](value)
    if held and value ~= nil then
      self.seen[i] = true
      self.numeric[i] = self.numeric[i] and cells.is_number(value)
    end
    if held then self.widths[i] = math.max(self.widths[i], cells.width(line[i])) end
  end
  if held then held[#held + 1] = line else self:print(line) end
  if held and #held >= SAMPLE then self:finish() end
  return self.size
end

function Table:take()
  local text = table.concat(self.lines)
  self.lines, self.size = {}, 0
  return text
end

function Table:close()
  self.lines = {}
end

--- Writes an aligned table for people: numbers on the right and with units, control bytes as `\xNN`. The first 200 rows set the widths.
---@param given scrutinizer.ExportSource
---@param out scrutinizer.ExportTarget
---@param options? scrutinizer.ExportOptions
---@return integer? rows
---@return scrutinizer.Error? err
function export.table(given, out, options)
  return errors.result(run("table", given, out, options, table_writer))
end

local STORES = "postgresql, clickhouse, duckdb"

local function check_store(method, kind, name)
  if not store.FORMATS[kind] then error(check.message(method, kind, STORES), 3) end
  if type(name) ~= "string" or not name:find "^[A-Za-z_][A-Za-z0-9_]*$" or #name > 40 then
    error(check.message(method .. ": table", name, "letters, digits and underscores, at most 40"), 3)
  end
end

--- The statement that makes a table for the files of `report --split`; a window is a partition.
---@param kind "postgresql"|"clickhouse"|"duckdb"
---@param name string of the table
---@param columns scrutinizer.StoreColumn[]
---@return string sql
function export.schema(kind, name, columns)
  check_store("schema", kind, name)
  local complaint = store.complaint(columns)
  if complaint then error("schema: " .. complaint, 2) end
  return store.schema(kind, name, columns)
end

--- The statements that load the file of a window, after its hash was checked. They put the window in the place of an earlier one, whole and at
--- once; when they are ended in between, the earlier one stays. psql runs those of PostgreSQL.
---@param kind "postgresql"|"clickhouse"|"duckdb"
---@param name string of the table
---@param path string of the file; its manifest is beside it
---@return scrutinizer.Statement[]?
---@return scrutinizer.Error? err kind "file"
function export.loading(kind, name, path)
  check_store("loading", kind, name)
  if type(path) ~= "string" then error(check.message("loading: path", path, "the path of a window's file"), 2) end
  return errors.result(store.loading(kind, name, path))
end

return export
