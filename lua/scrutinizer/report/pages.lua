--- The walk over a report's pages, one direction at a time: what to request next, when it ends, and whether the report is still the same.
---
--- One answer is one snapshot, so one request asks for everything. Several pages are needed when the query has a page size or the appliance
--- limits its answers. Each further page overlaps the one before by one row: its first row must be the last row given.

local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local resume = require "scrutinizer.report.resume"
local wire = require "scrutinizer.wire"

local pages = {}

---@class scrutinizer.Part one direction of a walk
---@field direction "inbound"|"outbound"
---@field index 1|2            the decoder's number for it
---@field base integer         offset of its first row, on the wire
---@field limit? integer       rows to give at most
---@field tested boolean       the client filters rows: not every row that is passed is given
---@field given integer        rows passed so far: given, or dropped by the tests
---@field dropped integer      of these, those dropped
---@field to_skip integer      `skip` at the beginning
---@field skip integer         rows that meet the tests to drop first (`:offset` where the client filters rows)
---@field cut boolean          a row that meets the tests came after the limit
---@field fresh integer        rows passed of the page being read
---@field unseen integer       of these, those dropped
---@field overlap? string      identity of the row that must be the page's first
---@field last? string         identity of the last row given
---@field ties? userdata       the given rows that tie with the last one (core.ties)
---@field reading? userdata    the same for the page being read
---@field joined? boolean      false: too many rows tie to be remembered
---@field total? integer       rows that exist, from the first page
---@field answered boolean     whether the first page has been read
---@field done boolean
---@field proof? scrutinizer.Proof what a resumed walk starts with

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
      -- A query's offset counts the rows that are kept; that of a resumed one is the appliance's.
      local skip = not spec.tests and 0 or spec.proof and from.skip or not spec.proof and from.offset or 0
      local base = (spec.proof or not spec.tests) and from.offset or 0
      local part = { direction = direction, index = INDEX[direction], base = base, limit = from.limit, given = 0, fresh = 0 }
      part.tested, part.to_skip = spec.tests and true or false, skip
      part.skip, part.dropped, part.unseen, part.cut = skip, 0, 0, false
      part.answered, part.done = false, false
      local proof, before = spec.proof and spec.proof[direction], spec.ties and spec.ties[direction]
      if proof and proof.offset == base then
        part.proof, part.last, part.answered, part.total = proof, proof.last, proof.answered or false, proof.total
        part.ties = before and before.offset == base and before.ties or nil
      end
      parts[#parts + 1] = part
    end
  end
  return parts
end

--- How many rows of the next answer were already given: 1, the last row given, or 0 when no row was given.
---@param part scrutinizer.Part
---@return 0|1
function pages.overlap(part)
  return (part.given > 0 or part.last) and 1 or 0
end

--- How many rows may still be given; nil without a limit.
---@param part scrutinizer.Part
---@return integer?
function pages.left(part)
  return part.limit and part.limit - (part.given - part.dropped)
end

--- What the core still gives of a part, when the client filters rows.
---@param part scrutinizer.Part
---@return { overlap: boolean, skip: integer, left?: integer }
function pages.quota(part)
  return { overlap = part.overlap ~= nil, skip = part.skip, left = pages.left(part) }
end

--- Counts the rows that the tests have dropped since the last call.
---@param part scrutinizer.Part
---@param decoder userdata
function pages.count_dropped(part, decoder)
  local rows, skipped, cut = decoder:dropped(part.index)
  part.given, part.fresh = part.given + rows, part.fresh + rows
  part.dropped, part.unseen = part.dropped + rows, part.unseen + rows
  part.skip, part.cut = part.skip - skipped, part.cut or cut
end

--- Forgets that rows of a part were dropped: it is requested again from its beginning.
---@param part scrutinizer.Part
function pages.restart(part)
  part.given, part.fresh, part.dropped, part.unseen, part.skip, part.cut = 0, 0, 0, 0, part.to_skip, false
  part.last, part.ties, part.joined = nil, nil, nil
end

--- Whether this walk resumes a failed one: the failed walk's window, true when that is not known, or false.
---@param parts scrutinizer.Part[]
---@return { first: integer, last: integer }|boolean
function pages.resumed(parts)
  local resumed = false
  for _, part in ipairs(parts) do resumed = resumed or (part.proof and (part.proof.time or true)) end
  return resumed or false
end

local REFUSED = {
  row = "the last row given is longer than max_row, so the client cannot check that the rest begins after it",
  ties = "too many rows have the same sort value as the last row given (limit: max_held), so repeated rows could not be detected",
  window = "the answer ended before its time range arrived, and the query's times are relative to now, so the rest could belong to another report",
}

--- Why a resumed walk cannot prove that it gives the rest; nil when it can, or need not. Restores the record of rows that tie.
---@param part scrutinizer.Part
---@param max integer bytes of memory for rows that tie
---@return scrutinizer.Error?
function pages.check_proof(part, max)
  local proof = part.proof
  if not proof or part.given > 0 then return nil end
  local refused = proof.refused
  if not refused and not part.ties and proof.tied then
    part.ties = proof.ties and core.ties(max, proof.ties) or nil
    if not part.ties then refused = "ties" end
  end
  if not refused then return nil end
  return errors.new(refused == "window" and "changed" or "limit", (REFUSED[refused] or REFUSED.row) .. "; run the query again from its beginning",
    { retryable = false })
end

--- What to request next in one part: the rest, at most one page, starting with the last row given.
---@param part scrutinizer.Part
---@param page_size? integer
---@return { direction: string, offset: integer, max: integer }
function pages.request(part, page_size)
  local overlap = pages.overlap(part)
  -- How many rows must be read until enough are kept is not known.
  local rest = part.limit and not part.tested and part.limit - part.given + overlap or wire.ALL_ROWS
  local size = page_size or wire.ALL_ROWS
  if overlap == 1 and size < 2 then size = 2 end
  return { direction = part.direction, offset = part.base + part.given - overlap, max = math.min(rest, size) }
end

--- What the first request of a walk asks for: all directions; in a resumed walk, only its first direction.
---@param spec table
---@return { direction: string, offset: integer, max: integer }[]
function pages.first(spec)
  local list, parts = {}, pages.parts(spec)
  for i, part in ipairs(pages.resumed(parts) and { parts[1] } or parts) do list[i] = pages.request(part, spec.page_size) end
  return list
end

--- Prepares a part for the answer to its request.
---@param part scrutinizer.Part
---@param max integer bytes of memory for rows that tie
function pages.begin(part, max)
  part.fresh, part.unseen = 0, 0
  part.overlap = part.last
  -- A copy, because rows that were read but not given must not count as given.
  part.reading = part.ties and part.ties:copy() or core.ties(max)
end

--- Keeps what the next answer is compared with: the last row given, and the given rows that tie with it.
---@param part scrutinizer.Part
---@param decoder userdata of the answer that has ended for this part
function pages.leave(part, decoder)
  if part.fresh == 0 then return end
  part.last = pages.identity(decoder:last_row(part.index))
  part.ties = part.reading
  part.joined = part.ties:join(decoder, part.index)
end

--- A row's identity: a hash of the raw values of all its cells, also those not selected. Rank is left out, as it has no raw value: it is
--- unknown whether it counts from the page or from the report.
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
  return core.sha256(table.concat(parts, ","))
end

local function changed(message)
  return errors.new("changed", message .. "; the rows given so far and the rest would be of different reports")
end

--- Checks that a page's first row is the last row given.
---@param part scrutinizer.Part
---@param identity? string of the page's first row
---@return scrutinizer.Error?
function pages.check_overlap(part, identity)
  if identity and identity == part.overlap then
    part.overlap = nil
    return nil
  end
  return changed(("row %d of %s is not the same as before"):format(part.base + part.given, part.direction))
end

local function same_time(a, b)
  if not a or not b then return not a and not b end
  return a.first == b.first and a.last == b.last
end

--- Checks that the total and the window of a further page are those of the first.
---@param part scrutinizer.Part
---@param total? integer
---@param first_time? table the first page's
---@param time? table
---@return scrutinizer.Error?
function pages.check_fields(part, total, first_time, time)
  if not same_time(first_time, time) then return changed "the report's time range has changed between pages" end
  if part.answered and part.total ~= total then
    return changed(("%s had %s rows and now has %s"):format(part.direction, part.total or "unknown", total or "unknown"))
  end
end

local function known_total(part)
  local seen = part.base + part.given
  -- A total smaller than the number of rows seen cannot be right.
  if part.total and (part.total >= seen or part.given == 0) then return part.total, seen end
  return nil, seen
end

--- To be called when a page of this part has been read. Sets `done`, or returns why the walk cannot continue; otherwise another page is needed.
---@param part scrutinizer.Part
---@return scrutinizer.Error?
function pages.finish(part)
  local total, seen = known_total(part)
  if part.overlap then
    -- The request started with a row that existed, but the page has no rows.
    if total then return pages.short(part, total) end
    return changed(("row %d of %s no longer exists"):format(seen, part.direction))
  end
  if part.limit and pages.left(part) <= 0 then
    part.done = true
  elseif total then
    part.done = seen >= total
  else
    part.done = part.fresh == 0
  end
  if part.done then return nil end
  if part.fresh == 0 then return pages.short(part, total) end
  if part.joined == false then
    return errors.new("limit", "too many rows at the end of the page have the same sort value (limit: max_held), so repeated rows on the next page "
      .. "could not be detected; use larger pages, or order by another column")
  end
  if not part.last then
    return errors.new("limit", "the last row of the page is longer than max_row, so the next page cannot be compared with it")
  end
end

--- For a later direction of an answer: whether its rows may be missing because the appliance limits the size of the whole answer. It has then
--- no rows, which proves nothing, and is requested alone.
---@param part scrutinizer.Part
---@return boolean
function pages.may_be_crowded_out(part)
  local total, seen = known_total(part)
  return part.fresh == 0 and not (total and seen >= total)
end

function pages.short(part, total)
  return errors.new("truncated",
    ("%s ends after %d of %d rows: the appliance sent an empty page"):format(part.direction, part.base + part.given, total))
end

-- What the rest of one part will be compared with.
local function proof_of(part, walk)
  if part.given == 0 and part.proof and part.proof.refused then return part.proof end
  local proof = { answered = part.answered, total = part.total, time = walk.time }
  if not walk.fixed then proof.refused = "window" end
  if pages.overlap(part) == 0 then return proof end
  proof.last, proof.tied = part.last, part.ties ~= nil
  proof.ties = part.ties and part.ties:save()
  if not part.last then proof.refused = "row" end
  if part.joined == false then proof.refused = "ties" end
  return proof
end

--- Where to continue after a failed walk; nil when nothing is left. The proof that the rest is of the same report is opaque text. The record of
--- given rows that tie may be too large for it, and is also kept in this process.
---@param parts scrutinizer.Part[]
---@param directions string[] the query's
---@param walk { epochs?: { from: integer, to: integer }, time?: table, fixed: boolean } `epochs`: for times that depend on the clock; `time`: the
---  report's window, as an answer gave it; `fixed`: whether further requests have the same window
---@return table?
function pages.resume(parts, directions, walk)
  local rest, memory, any, begun = {}, {}, false, pages.resumed(parts)
  for _, part in ipairs(parts) do begun = begun or part.given > 0 or part.done end
  for _, part in ipairs(parts) do
    if not part.done and not (part.limit and pages.left(part) <= 0) then
      local left = { offset = part.base + part.given, remaining = pages.left(part), skip = part.skip > 0 and part.skip or nil }
      left.proof = begun and resume.text(proof_of(part, walk)) or nil
      any = true
      if #directions == 1 then rest = left else rest[part.direction] = left end
      if part.ties and part.joined ~= false then memory[part.direction] = { offset = left.offset, ties = part.ties:copy() } end
    end
  end
  if not any then return nil end
  if walk.epochs then rest.from, rest.to = walk.epochs.from, walk.epochs.to end
  resume.remember(rest, memory)
  return rest
end

-- Where the client filters rows, a kept row came after the limit, or may come in what was not read.
local function is_cut(part)
  if not part.tested then return part.total and part.base + part.given < part.total end
  if part.cut or not part.limit or pages.left(part) > 0 then return part.cut end
  return not part.total or part.base + part.given < part.total
end

--- Whether more rows exist than were given, because of a limit; true also when rows were left unread that may be among them.
---@param parts scrutinizer.Part[]
---@return boolean
function pages.truncated(parts)
  for _, part in ipairs(parts) do
    if is_cut(part) then return true end
  end
  return false
end

return pages
