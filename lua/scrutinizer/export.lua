--- Rows to files: CSV, NDJSON and aligned tables, from a query, a cursor, a report or a list, streamed in constant memory.

local cells = require "scrutinizer.export.cells"
local check = require "scrutinizer.check"
local names = require "scrutinizer.names"
local source = require "scrutinizer.export.source"
local target = require "scrutinizer.export.target"

local concat_exact = cells.concat_exact
local export = {}

---@alias scrutinizer.ExportSource scrutinizer.Query|scrutinizer.Cursor|table[]|{ rows: table[] }|fun(): table?
---@alias scrutinizer.ExportTarget string|file*|fun(text: string): any, string?

---@class scrutinizer.ExportOptions
---@field columns? (string|{ field: string, header?: string })[] which fields, in this order; default: `select`'s order (a map's: by
---   alias), else wire order
---@field on_progress? fun(progress: { rows: integer, bytes?: integer, total?: integer }) called every few thousand rows and at the end
---@field header? boolean       csv, table: the line of names (default true)
---@field separator? string     csv: one character (default ",")
---@field null? string          csv, table: what stands for an absent value (default "")
---@field guard? boolean        csv: texts that a spreadsheet would run as a formula get a leading ' (default false)
---@field newline? string       csv: "\r\n" (RFC 4180, the default) or "\n"
---@field units? table<string, "bytes"|"bits"|"count"|false>|false  table: how numbers are written, by field; default: octets as
---   bytes, packets as a count
---@field max_width? integer    table: longer cells are cut (default 60)

-- Text is handed on in pieces of about this size.
local PIECE, PIECES = 65536, 8192
local PROGRESS_ROWS = 4096

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
    return check.message(kind .. ": option", name, list, names.did_you_mean(names.suggest(tostring(name), known)))
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

-- Text on its way: pieces (texts, and numbers that concat writes exactly), joined when there are enough of them.
local Buffer = {}
Buffer.__index = Buffer

function Buffer:put(text)
  local n = self.n + 1
  self[n], self.n, self.size = text, n, self.size + #text
end

function Buffer:flush(to)
  if self.n == 0 then return true end
  local text = table.concat(self, "", 1, self.n)
  self.n, self.size = 0, 0
  return to:write(text)
end

-- Calls `line(row)` for each row and hands the texts on; returns rows, or nil and err. The target is finished, or left as if nothing had been.
local function pump(from, to, options, begin)
  local buffer, rows = setmetatable({ n = 0, size = 0 }, Buffer), 0
  local progress = options.on_progress
  local row, err = from:next()
  local line, close, ok
  if not err then line, close = begin(from:fields(options.columns, row), buffer) end
  while row do
    line(row)
    rows = rows + 1
    if buffer.size >= PIECE or buffer.n >= PIECES then
      ok, err = buffer:flush(to)
      if not ok then break end
    end
    if progress and rows % PROGRESS_ROWS == 0 then progress(from:progress(rows)) end
    row, err = from:next()
  end
  if not err and close then close() end
  ok = not err
  if ok then ok, err = buffer:flush(to) end
  if ok then err = select(2, to:finish()) end
  if err then
    from:close()
    to:abort()
    return nil, err
  end
  if progress then progress(from:progress(rows)) end
  return rows
end

local function run(kind, given, out, options, begin)
  options = check_options(kind, options)
  local from, complaint = source.open(given, options.columns)
  if not from then error(check.message(kind .. ": source", given, complaint), 3) end
  local to, err = target.open(out)
  if to == nil and not err then error(check.message(kind .. ": target", out, "a path, a file open for writing, or a function(text)"), 3) end
  if not to then
    from:close()
    return nil, err
  end
  -- A listener or a function target may raise: no half file is left then, and the cursor is closed.
  local ok, rows, why = pcall(pump, from, to, options, begin(options))
  if ok then return rows, why end
  from:close()
  to:abort()
  error(rows, 0)
end

local function csv_writer(fields, buffer, o)
  local separator, newline = o.separator or ",", o.newline or "\r\n"
  local text_of = cells.csv(separator, o.null or "", o.guard or false)
  local count, list, line = #fields, {}, {}
  for i, field in ipairs(fields) do list[i], line[i] = field.field, text_of(field.header) end
  if o.header ~= false then buffer:put(table.concat(line, separator) .. newline) end
  return function(row)
    local n, size = buffer.n, buffer.size
    for i = 1, count do
      local value = row[list[i]]
      if not concat_exact(value) then
        value = text_of(value)
        size = size + #value
      end
      buffer[n + 1], buffer[n + 2] = value, separator
      n = n + 2
    end
    buffer[n], buffer.n, buffer.size = newline, n, size
  end
end

--- Comma-separated values after RFC 4180: a header, quotes where needed, CR LF. Counters come out as exact digits.
--- A path is written aside and renamed at the end: a report that breaks off leaves no file of that name, and an old one as it was.
---@param given scrutinizer.ExportSource
---@param out scrutinizer.ExportTarget
---@param options? scrutinizer.ExportOptions
---@return integer? rows
---@return scrutinizer.Error? err the report's, or kind "file"
function export.csv(given, out, options)
  local rows, err = run("csv", given, out, options, function(o)
    return function(fields, buffer) return csv_writer(fields, buffer, o) end
  end)
  return rows, err
end

local function json_writer(fields, buffer)
  local text_of, count = cells.json, #fields
  local first, further, list = {}, {}, {}
  for i, field in ipairs(fields) do
    local key = text_of(field.header) .. ":"
    first[i], further[i], list[i] = "{" .. key, "," .. key, field.field
  end
  return function(row)
    local n, size, keys = buffer.n, buffer.size, first
    for i = 1, count do
      local value = row[list[i]]
      if value ~= nil then
        if not concat_exact(value) then
          value = text_of(value)
          size = size + #value
        end
        buffer[n + 1], buffer[n + 2] = keys[i], value
        n, keys = n + 2, further
      end
    end
    buffer[n + 1] = keys == first and "{}\n" or "}\n"
    buffer.n, buffer.size = n + 1, size
  end
end

--- One JSON object a line. Absent values are left out; texts that are not UTF-8 get U+FFFD for what is not. Files as with `csv`.
---@param given scrutinizer.ExportSource
---@param out scrutinizer.ExportTarget
---@param options? scrutinizer.ExportOptions
---@return integer? rows
---@return scrutinizer.Error? err
function export.ndjson(given, out, options)
  local rows, err = run("ndjson", given, out, options, function() return json_writer end)
  return rows, err
end

-- Rows whose cells set the widths; later cells that are longer push their line out.
local SAMPLE = 200

local function table_writer(fields, buffer, o)
  local held, widths, numeric, seen = {}, {}, {}, {}
  local text_of = {}
  for i, field in ipairs(fields) do
    text_of[i] = cells.shown(field, o)
    widths[i], numeric[i] = cells.width(field.header), true
  end
  local function print_line(line)
    for i, text in ipairs(line) do
      local pad = (" "):rep(widths[i] - cells.width(text))
      line[i] = numeric[i] and seen[i] and pad .. text or (i < #line and text .. pad or text)
    end
    buffer:put((table.concat(line, "  "):gsub(" +$", "")) .. "\n")
  end
  local function release()
    if o.header ~= false then
      local line = {}
      for i, field in ipairs(fields) do line[i] = cells.visible(field.header) end
      print_line(line)
    end
    for _, line in ipairs(held) do print_line(line) end
    held = nil
  end
  local function add(row)
    local line = {}
    for i, field in ipairs(fields) do
      local value = row[field.field]
      line[i] = text_of[i](value)
      if held and value ~= nil then
        seen[i] = true
        numeric[i] = numeric[i] and cells.is_number(value)
      end
      if held then widths[i] = math.max(widths[i], cells.width(line[i])) end
    end
    if not held then return print_line(line) end
    held[#held + 1] = line
    if #held >= SAMPLE then release() end
  end
  return add, function() if held then release() end end
end

--- An aligned table for people: numbers to the right and with units, control bytes shown as `\xNN`. Widths are those of the first 200 rows.
---@param given scrutinizer.ExportSource
---@param out scrutinizer.ExportTarget
---@param options? scrutinizer.ExportOptions
---@return integer? rows
---@return scrutinizer.Error? err
function export.table(given, out, options)
  local rows, err = run("table", given, out, options, function(o)
    return function(fields, buffer) return table_writer(fields, buffer, o) end
  end)
  return rows, err
end

return export
