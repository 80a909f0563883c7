--- The fields of a cursor, such as `total` and `footer`: computed from what its answers have besides their rows (answer.lua reads it).

local answer = require "scrutinizer.report.answer"
local query_words = require "scrutinizer.report.query_words"
local pages = require "scrutinizer.report.pages"
local wire = require "scrutinizer.wire"

local report_fields = {}

--- The column that the report is ordered by; "" means the column that the answer's headers mark. The second result is true when the answer must
--- have this column; a column given by `:set` is not checked.
---@param spec table
---@return string order
---@return boolean said
function report_fields.order(spec)
  local set = spec.fields[wire.field.order_by]
  if set ~= nil then return type(set) == "string" and set or "", false end
  return spec.order_by or "", spec.order_by ~= nil
end

--- Facts of the answer being read, as far as they have arrived.
---@return table? found { totals = { [direction] = rows }, time = }
---@return scrutinizer.Error? err
function report_fields.read(decoder, asked)
  local found, err = { totals = {} }
  for _, part in ipairs(asked) do
    found.totals[part.direction], err = answer.total(decoder, part.index)
    if err then return nil, err end
  end
  found.time, err = answer.time(decoder)
  return not err and found or nil, err
end

-- The total of a part. When the appliance gives none, or one smaller than the rows that came, a walk to the end has counted the rows.
local function total_of(part, totals)
  local reported, seen = totals[part.direction], part.base + part.given
  if reported and (reported >= seen or part.given == 0) then return reported end
  local to_the_end = part.done and not (part.limit and part.given >= part.limit)
  return to_the_end and seen or nil
end

local function sum_of(totals, parts)
  local sum = 0
  for _, part in ipairs(parts) do
    local total = total_of(part, totals)
    if not total then return nil end
    sum = sum + total
  end
  return sum
end

-- Facts of the first answer: those kept, or those that have arrived so far.
local function facts_of(self)
  if self._report_fields then return self._report_fields end
  if not self._decoder then return nil end
  local found = report_fields.read(self._decoder, self._asked)
  if not found then return nil end
  found.exporters = answer.exporters(self._decoder)
  found.request_id = answer.request_id(self._decoder)
  found.interval = answer.interval(self._decoder)
  found.footers = {}
  for _, part in ipairs(self._asked) do found.footers[part.direction] = answer.footer(self._decoder, part.index) end
  return found
end
--- The fields of a cursor that are computed when they are read.
local GETTERS = {}

function GETTERS.direction(self)
  return query_words.direction(self._spec)
end

function GETTERS.columns(self)
  return self._columns or (self._decoder and (self._decoder:columns(1) or self._decoder:columns(2))) or nil
end

-- The names of the columns; known with the first row, also when the rows come before the columns.
local function names_of(self)
  local names, columns = {}, GETTERS.columns(self)
  if not columns then return self._decoder and (self._decoder:fields(1) or self._decoder:fields(2)) or nil end
  for i, column in ipairs(columns) do names[i] = column.name end
  return names
end

-- The row's fields in order: those of `:select`, else one per column, after `direction` when the query has both directions.
function GETTERS.fields(self)
  local list = {}
  for i, entry in ipairs(self._spec.projection or {}) do list[i] = { field = entry.field, column = entry.column } end
  if self._spec.projection then return list end
  local names = names_of(self)
  if not names then return nil end
  if #self._spec.directions > 1 then list[1] = { field = "direction", column = "direction" } end
  for _, name in ipairs(names) do list[#list + 1] = { field = name, column = name } end
  return list
end

-- Bytes of JSON read so far, over all pages.
function GETTERS.bytes(self)
  local size = self._read
  if self._exchange and self._decoder then size = size + select(2, self._decoder:state()) end
  return size
end

-- Totals and footers cover all rows of the appliance, so they are absent where the client filters rows.
function GETTERS.total(self)
  local known = not self._keep and facts_of(self) or nil
  return known and sum_of(known.totals, self._parts)
end

function GETTERS.totals(self)
  local known = not self._keep and facts_of(self) or nil
  return known and #self._spec.directions > 1 and known.totals or nil
end

function GETTERS.footer(self)
  local known = not self._keep and facts_of(self) or nil
  if not known or not known.footers then return nil end
  if #self._spec.directions > 1 then return known.footers end
  return known.footers[self._spec.directions[1]]
end

for _, name in ipairs { "time", "exporters", "request_id" } do
  GETTERS[name] = function(self)
    local known = facts_of(self)
    return known and known[name]
  end
end

function GETTERS.granularity(self)
  local reported = self._spec.granularity
  if type(reported) == "number" then return reported end
  local known = facts_of(self)
  return known and known.interval and known.interval % 60 == 0 and math.floor(known.interval / 60) or nil
end

function GETTERS.truncated(self)
  return pages.truncated(self._parts)
end

report_fields.getters = GETTERS

return report_fields
