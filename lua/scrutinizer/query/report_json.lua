--- Reads report JSON that people paste: as the appliance's UI shows it, or as the vendor's article prints it, with comments. A comment begins
--- with `#` or `//`.

local ascii = require "scrutinizer.ascii"
local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local query = require "scrutinizer.query"
local wire = require "scrutinizer.wire"

local report_json = {}

-- Cleaning: comments become blanks, line by line, so that positions and line numbers do not change. A JSON string never spans lines.

-- Position of the quote that closes the string whose first quote is at `at`, or nil.
local function string_end(text, at)
  repeat
    at = text:find('["\\]', at + 1)
    local escape = at and text:sub(at, at) == "\\"
    if escape then at = at + 1 end
  until not escape
  return at
end

-- Where a comment's `//` stands at `at`: true; else the position from which to look on. A URL has such slashes after its scheme, and may in its path.
local function slashes(line, at)
  if line:sub(at + 1, at + 1) ~= "/" then return false, at + 1 end
  if not line:sub(1, at - 1):find "[A-Za-z]:$" then return true end
  return false, line:match("^[^%s?{]*()", at)
end

-- Position of the first `#` or `//` outside of strings and URLs, or nil.
local function comment_start(line)
  local at = 1
  while at do
    local mark = line:find('["#/]', at)
    local char = mark and line:sub(mark, mark)
    if not mark or char == "#" then return mark end
    if char == "/" then
      local found
      found, at = slashes(line, mark)
      if found then return mark end
    else
      -- Skip the string; an unclosed one reaches to the line's end.
      local quote = string_end(line, mark)
      at = quote and quote + 1
    end
  end
end

-- Whether a line begins with `rpt_json=` or `data_requested=` (a head), or is a URL that has one.
local function begins_head(text)
  for _, name in ipairs { wire.form.report, wire.form.data } do
    if text:find("^" .. name .. "%s*=") or text:find("^[A-Za-z]+://.*[?&]" .. name .. "=") then return true end
  end
  return false
end

-- Whether this text may follow a value on its line.
local function value_ends(rest)
  return rest:find "^%s*$" or rest:find "^%s*[,:%]}#]" or rest:find "^%s*//"
end

-- Whether a line can begin JSON or a head. Otherwise, after a comment, it is the comment's continuation.
local function begins_json(line)
  local text = line:match "^%s*(.*)$"
  if text:find "^[%[%]{},:]" or begins_head(text) then return true end
  local quote = text:find '^"' and string_end(text, 1)
  local rest = quote and text:sub(quote + 1) or text:match "^-?%d[%d.eE+-]*(.*)$"
  if not rest then
    local word, after = text:match "^([A-Za-z]+)(.*)$"
    rest = (word == "true" or word == "false" or word == "null") and after or nil
  end
  return rest ~= nil and value_ends(rest) ~= nil
end

-- As many blanks as the text has bytes.
local function blanks(text)
  return (" "):rep(#text)
end

-- Web pages indent with no-break spaces.
local function clean_indent(line)
  local count
  repeat
    line, count = line:gsub("^([ \t]*)\194\160", "%1  ")
  until count == 0
  return line
end

local function clean_line(line, in_comment)
  line = clean_indent(line)
  local mark = comment_start(line)
  local whole_line = mark and (line:find "^%s*#" or line:find "^%s*//")
  if in_comment and not whole_line and line:find "%S" and not begins_json(line) then return blanks(line), true end
  if not mark then return line, false end
  return line:sub(1, mark - 1) .. blanks(line:sub(mark)), true
end

local function clean(text)
  text = text:gsub("^\239\187\191", "   "):gsub("\r\n", " \n"):gsub("\r", "\n")
  local out, in_comment = {}, false
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    out[#out + 1], in_comment = clean_line(line, in_comment)
  end
  return table.concat(out, "\n")
end

-- Reading.

local function line_of(text, position)
  local _, breaks = text:sub(1, position):gsub("\n", "")
  return breaks + 1
end

local function fail(text, position, message)
  return errors.fail("decode", ("report JSON, line %d: %s"):format(line_of(text, position - 1), message),
    { position = position - 1 })
end

-- Position of the last byte of the object that begins at `at`. When it is not closed: the text's end, and the decoder reports the error.
local function object_end(text, at)
  local depth = 0
  while true do
    local mark = text:find('["{}]', at)
    if not mark then return #text end
    local char = text:sub(mark, mark)
    if char == '"' then
      mark = string_end(text, mark) or #text
    else
      depth = depth + (char == "{" and 1 or -1)
      if depth == 0 then return mark end
    end
    at = mark + 1
  end
end

-- Reads the object at `at`: its table and the position after it.
local function read_object(text, at)
  if text:sub(at, at) ~= "{" then return fail(text, at, "expected an object in braces") end
  local last = object_end(text, at)
  local value, _, message, position = require("scrutinizer.core").decode(text:sub(at, last))
  if value == nil then return fail(text, at + (position or 0), message or "not JSON") end
  return value, last + 1
end

-- Which of the two an object without a head is: data_requested has only directions.
local function bare_name(object)
  local known = { [wire.DIRECTIONS[1]] = true, [wire.DIRECTIONS[2]] = true }
  for key in pairs(object) do
    if not known[key] then return wire.form.report end
  end
  return next(object) and wire.form.data or wire.form.report
end

-- Skips blanks, a URL up to its "?", the "&" between its fields, and fields whose values are not objects.
local function skip(text, at)
  while true do
    local before = at
    at = text:match("^[%s&]*()", at)
    at = text:match("^[A-Za-z]+://[^\n{?]*%?()", at) or at
    at = text:match("^[A-Za-z_]+=[A-Za-z0-9_*]+&()", at) or at
    if at == before then return at end
  end
end

--- Reads report JSON. The text may have comments behind `#` or `//`, also wrapped ones whose next line does not begin JSON; the heads `rpt_json=` and
--- `data_requested=`, both, one or none; or the article's URL form. Without a head, an object that has only directions is `data_requested`,
--- any other is `rpt_json`. A part that the text lacks is nil; a text with neither is an error. Raises when `text` is not a string.
---@param text string
---@return { rpt_json?: table, data_requested?: table }?
---@return scrutinizer.Error? err kind "decode", with the line
function report_json.read(text)
  if type(text) ~= "string" then error(check.message("report_json", text, "the text of a report's JSON"), 2) end
  local source, found = clean(text), {}
  local at = skip(source, 1)
  while at <= #source do
    local head, after = source:match("^([A-Za-z_]+)%s*=%s*()", at)
    if head and head ~= wire.form.report and head ~= wire.form.data then
      return fail(source, at, ("expected rpt_json= or data_requested=, got %s="):format(head))
    end
    local object, rest = read_object(source, head and after or at)
    if not object then return nil, rest end
    local name = head or bare_name(object)
    if found[name] then return fail(source, at, name .. " occurs twice") end
    found[name] = object
    at = skip(source, rest)
  end
  if not next(found) then return fail(source, 1, "the text contains no JSON") end
  return found
end

-- Making a query of it. What is understood becomes part of the spec; the rest is kept unchanged in `fields` and `extras`.

local function is_text(value)
  return type(value) == "string" and value ~= ""
end

-- A whole number, or the text of one.
local function whole(value)
  if type(value) == "string" then value = ascii.number(value) end
  return check.integer(value, 0)
end

-- The members that are not understood; nil when there are none.
local function others_of(object, understood)
  local rest
  for key, value in pairs(object) do
    if not understood[key] then
      rest = rest or {}
      rest[key] = value
    end
  end
  return rest
end

local READERS = {}

-- A reader for a field of the form {"selected": value}. `convert` returns the spec's value, or nil when it does not know the value.
local function selected_reader(name, convert)
  return function(spec, value)
    if type(value) ~= "table" then return false end
    local known = convert(value.selected)
    if known == nil then return false end
    spec[name], spec.extras[name] = known, others_of(value, { selected = true })
    return true
  end
end

local function one_of(...)
  local known = {}
  for _, word in ipairs { ... } do known[word] = true end
  return function(value) return type(value) == "string" and known[value] and value or nil end
end

-- 5, "5", "5m" or "auto".
local function minutes(value)
  if value == "auto" then return value end
  if type(value) == "string" then value = tonumber(value:match "^(%d+)m?$") end
  return check.integer(value, 1)
end

local function directions(value)
  if value == wire.BOTH then return { wire.DIRECTIONS[1], wire.DIRECTIONS[2] } end
  return (value == wire.DIRECTIONS[1] or value == wire.DIRECTIONS[2]) and { value } or nil
end

local read_directions = selected_reader("directions", directions)

function READERS.directions(spec, value)
  spec.direction_said = read_directions(spec, value)
  return spec.direction_said
end

READERS.granularity = selected_reader("granularity", minutes)
READERS.rate_total = selected_reader("rate_total", one_of("rate", "total"))
READERS.unit = selected_reader("unit", one_of("bits", "bytes", "percent"))
READERS.data_format = selected_reader("data_format", one_of("raw", "normal"))
READERS.data_mode = selected_reader("data_mode", function(value) return is_text(value) and value or nil end)

function READERS.type(spec, value)
  spec.type = is_text(value) and value or nil
  return spec.type ~= nil
end

function READERS.order_by(spec, value)
  spec.order_by = is_text(value) and value or nil
  return spec.order_by ~= nil
end

function READERS.others(spec, value)
  if type(value) == "boolean" then
    spec.others = value
  else
    local number = whole(value)
    if number ~= 0 and number ~= 1 then return false end
    spec.others = number == 1
  end
  return true
end

-- With a named range, start and end have no meaning: they are left out.
function READERS.times(spec, value)
  local name = wire.times
  if type(value) ~= "table" or not is_text(value[name.range]) then return false end
  local zone_name = value[name.timezone]
  if zone_name ~= nil and not is_text(zone_name) then return false end
  if value[name.range] == wire.CUSTOM then
    local from, to = whole(value[name.from]), whole(value[name.to])
    if not from or not to or from >= to then return false end
    spec.times = { from = from, to = to }
  else
    spec.times = { range = value[name.range] }
  end
  spec.timezone = zone_name
  spec.extras.times = others_of(value, { [name.range] = 1, [name.from] = 1, [name.to] = 1, [name.timezone] = 1 })
  return true
end

-- sdfIps_0, sdfIps_1 … sorted by type and number; a key of another form is kept as it is.
function READERS.filters(spec, value)
  if type(value) ~= "table" then return false end
  local entries = {}
  for _, key in ipairs(check.sorted_keys(value)) do
    local kind, number = key:match "^(.+)_(%d+)$"
    local entry = kind and { type = kind, value = value[key] } or { key = key, value = value[key] }
    entries[#entries + 1] = { entry = entry, kind = kind or key, number = tonumber(number or 0), at = #entries }
  end
  table.sort(entries, function(a, b)
    if a.kind ~= b.kind then return check.before(a.kind, b.kind) end
    if a.number ~= b.number then return a.number < b.number end
    return a.at < b.at
  end)
  for i, item in ipairs(entries) do spec.filters[i] = item.entry end
  return true
end

-- This many rows or more mean all rows.
local ALL_FROM = 1e9

-- One direction's part of data_requested: { offset =, limit = }, or nil and what is wrong.
local function read_limits(part)
  local name = wire.limit
  if type(part) ~= "table" then return nil, "its directions must be objects" end
  local said = type(part[name.table]) == "table" and part[name.table][name.query]
  if type(said) ~= "table" then return { offset = 0 } end
  local offset, rows = whole(said[name.offset] or 0), whole(said[name.rows] or wire.ALL_ROWS)
  local huge = ascii.number(said[name.rows])
  if not rows and huge and huge >= ALL_FROM then rows = wire.ALL_ROWS end
  if not offset then return nil, "offset must be a whole number from 0" end
  if not rows or rows < 1 then return nil, "max_num_rows must be a whole number from 1" end
  return { offset = offset, limit = rows < ALL_FROM and rows or nil }
end

-- Limits that are the same in each direction become the query's; different ones are kept per direction.
local function set_limits(spec, parts)
  local first = parts[spec.directions[1]]
  for _, direction in ipairs(spec.directions) do
    local part = parts[direction]
    if part.offset ~= first.offset or part.limit ~= first.limit then
      spec.window = parts
      return
    end
  end
  spec.offset, spec.limit = first.offset, first.limit
end

-- The directions in data_requested become the query's. When `reportDirections` differs, it is kept unchanged.
local function read_data(spec, data, said_directions)
  local parts, asked = {}, {}
  for _, direction in ipairs(wire.DIRECTIONS) do
    if data[direction] ~= nil then
      local part, message = read_limits(data[direction])
      if not part then return message end
      parts[direction], asked[#asked + 1] = part, direction
      spec.graph = spec.graph or data[direction][wire.limit.graph]
    end
  end
  if not asked[1] then return "it names no direction" end
  if table.concat(asked, ",") ~= table.concat(spec.directions or {}, ",") then
    spec.directions, spec.direction_said, spec.extras.directions = asked, true, nil
    spec.fields[wire.field.directions] = said_directions
  end
  set_limits(spec, parts)
end

local function spec_of(found)
  local spec = { filters = {}, fields = {}, extras = {} }
  local part_of = {}
  for part, name in pairs(wire.field) do part_of[name] = part end
  for name, value in pairs(found.rpt_json) do
    local read = READERS[part_of[name]]
    if not (read and read(spec, value)) then spec.fields[name] = value end
  end
  if not spec.type then return nil, ("rpt_json has no %s"):format(wire.field.type) end
  if found.data_requested then
    local message = read_data(spec, found.data_requested, found.rpt_json[wire.field.directions])
    if message then return nil, "data_requested: " .. message end
  end
  return spec
end

--- A query from report JSON, for `client:report_from`. The query's methods can change what it knows: type, directions, times, zone, granularity,
--- units, order, filters, limits. The rest, including the texts of filters, is sent unchanged. 1,000,000,000 rows or more mean no limit.
---@param client table
---@param text string
---@return scrutinizer.Query?
---@return scrutinizer.Error? err kind "decode"
function report_json.from(client, text)
  if type(text) ~= "string" then error(check.message("report_from", text, "the text of a report's JSON"), 3) end
  local found, err = report_json.read(text)
  if not found then return nil, err end
  if not found.rpt_json then return errors.fail("decode", "report JSON: rpt_json is missing") end
  local spec, message = spec_of(found)
  if not spec then return errors.fail("decode", "report JSON: " .. message) end
  return query.from_spec(client, spec)
end

return report_json
