--- The walk over a report's pages, one direction at a time: what to ask for next, when it ends, and whether the report is still the same.
---
--- One answer is one snapshot, so everything is asked for at once; a walk of several pages is needed when a page size was said or the
--- appliance caps its answers. Each further request overlaps the last by one row, which must be the last row given.

local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local wire = require "scrutinizer.wire"

local pages = {}

---@class scrutinizer.Part one direction of a walk
---@field direction "inbound"|"outbound"
---@field index 1|2            the decoder's number for it
---@field base integer         offset of its first row
---@field limit? integer       rows to give at most
---@field given integer        rows given so far
---@field fresh integer        rows given from the page being read
---@field overlap? string      identity of the row that the page must begin with
---@field last? string         identity of the last row given
---@field ties? userdata       who was given of the rows that tie with the last one (core.ties)
---@field reading? userdata    the same of the page being read
---@field joined? boolean      false: too many rows tie to be remembered
---@field total? integer       rows that exist, as the first page said
---@field said boolean         whether the first page has been read
---@field done boolean

local INDEX = { inbound = 1, outbound = 2 }

--- The parts of a query's walk.
---@param spec table
---@return scrutinizer.Part[]
function pages.parts(spec)
  local parts = {}
  for _, direction in ipairs(spec.directions) do
    local from = spec
    if spec.window then from = spec.window[direction] end
    if from then
      local base, before = from.offset or 0, spec.ties and spec.ties[direction]
      parts[#parts + 1] = {
        direction = direction, index = INDEX[direction], base = base, limit = from.limit, given = 0, fresh = 0, said = false, done = false,
        ties = before and before.offset == base and before.ties or nil,
      }
    end
  end
  return parts
end

--- What to ask for next in one part: the rest, at most a page, beginning with the last row given.
---@param part scrutinizer.Part
---@param page_size? integer
---@return { direction: string, offset: integer, max: integer }
function pages.request(part, page_size)
  local overlap = part.given > 0 and 1 or 0
  local rest = part.limit and part.limit - part.given + overlap or wire.ALL_ROWS
  local size = page_size or wire.ALL_ROWS
  if overlap == 1 and size < 2 then size = 2 end
  return { direction = part.direction, offset = part.base + part.given - overlap, max = math.min(rest, size) }
end

--- Makes a part ready for the answer to its request.
---@param part scrutinizer.Part
---@param max integer bytes that may be remembered of rows that tie
function pages.begin(part, max)
  part.fresh = 0
  part.overlap = part.given > 0 and part.last or nil
  -- A copy: rows that were read and not given are none of those that were given.
  part.reading = part.ties and part.ties:copy() or core.ties(max)
end

--- Keeps what the next answer is held against: the last row given, and who was given of those that tie with it.
---@param part scrutinizer.Part
---@param decoder userdata of the answer that is over for this part
function pages.leave(part, decoder)
  if part.fresh == 0 then return end
  part.last = pages.identity(decoder:last_row(part.index))
  part.ties = part.reading
  part.joined = part.ties:join(decoder, part.index)
end

--- What makes a row the same row: the raw values of all its cells, whatever was selected. Rank is left out (it has no raw value):
--- whether it counts from the page or from the report is not known.
---@param cells? table[] as `decoder:last_row` gives them
---@return string?
function pages.identity(cells)
  if not cells then return nil end
  local parts = {}
  for i, cell in ipairs(cells) do
    local value = cell.rawValue
    if value == nil or value == core.null then
      parts[i] = "-"
    else
      value = wire.show(value)
      parts[i] = #value .. ":" .. value
    end
  end
  return table.concat(parts, ",")
end

local function changed(message)
  return errors.new("changed", message .. "; the rows given so far are one report's, the rest would be another's")
end

--- The row that a page begins with must be the last one given.
---@param part scrutinizer.Part
---@param identity? string of the page's first row
---@return scrutinizer.Error?
function pages.check_overlap(part, identity)
  if identity and identity == part.overlap then
    part.overlap = nil
    return nil
  end
  return changed(("row %d of %s is not what it was"):format(part.base + part.given, part.direction))
end

local function same_time(a, b)
  if not a or not b then return not a and not b end
  return a.first == b.first and a.last == b.last
end

--- Total and window of a further page must be those of the first.
---@param part scrutinizer.Part
---@param total? integer
---@param first_time? table the first page's
---@param time? table
---@return scrutinizer.Error?
function pages.check_facts(part, total, first_time, time)
  if not same_time(first_time, time) then return changed "the report's window has moved between pages" end
  if part.said and part.total ~= total then
    return changed(("%s had %s rows and now has %s"):format(part.direction, part.total or "unknown", total or "unknown"))
  end
end

local function known_total(part)
  local seen = part.base + part.given
  -- A total below what was seen is no number of rows that exist.
  if part.total and (part.total >= seen or part.given == 0) then return part.total, seen end
  return nil, seen
end

--- After a page of this part was read to its end: sets `done`, or says why the walk cannot go on. When neither, another page is due.
---@param part scrutinizer.Part
---@return scrutinizer.Error?
function pages.finish(part)
  local total, seen = known_total(part)
  if part.overlap then
    -- Asked for rows that begin with one that exists, and got none at all.
    if total then return pages.short(part, total) end
    return changed(("row %d of %s has gone"):format(seen, part.direction))
  end
  if part.limit and part.given >= part.limit then
    part.done = true
  elseif total then
    part.done = seen >= total
  else
    part.done = part.fresh == 0
  end
  if part.done then return nil end
  if part.fresh == 0 then return pages.short(part, total) end
  if part.joined == false then
    return errors.new("limit", "the page ends among more rows of one value than can be remembered (max_held): nothing could show that the "
      .. "next one repeats none of them; ask for larger pages, or another order")
  end
  if not part.last then
    return errors.new("limit", "the last row is longer than max_row: further pages cannot be joined to it")
  end
end

function pages.short(part, total)
  return errors.new("truncated",
    ("%s ends after %d of %d rows: the appliance sent an empty page"):format(part.direction, part.base + part.given, total))
end

--- Who was given of the rows that tie with the last ones, for a query that goes on without an overlap.
---@param parts scrutinizer.Part[]
---@return table memory { [direction] = { offset =, ties = } }
function pages.memory(parts)
  local memory = {}
  for _, part in ipairs(parts) do
    if part.ties and part.joined ~= false then
      local ties = part.ties:copy()
      ties:follow()
      memory[part.direction] = { offset = part.base + part.given, ties = ties }
    end
  end
  return memory
end

--- Where a broken walk goes on; nil when nothing is left.
---@param parts scrutinizer.Part[]
---@param directions string[] the query's
---@param epochs? { from: integer, to: integer } the walk's own, for times that depend on the clock
---@return table?
function pages.resume(parts, directions, epochs)
  local resume, any = {}, false
  for _, part in ipairs(parts) do
    if not part.done then
      local rest = { offset = part.base + part.given, remaining = part.limit and part.limit - part.given }
      any = true
      if #directions == 1 then resume = rest else resume[part.direction] = rest end
    end
  end
  if not any then return nil end
  if epochs then resume.from, resume.to = epochs.from, epochs.to end
  return resume
end

--- Whether rows exist that a limit kept from coming.
---@param parts scrutinizer.Part[]
---@return boolean
function pages.truncated(parts)
  for _, part in ipairs(parts) do
    if part.total and part.base + part.given < part.total then return true end
  end
  return false
end

return pages
