--- Pages asked for before the loop needs them (`:prefetch(n)`): their answers come while the loop works on the page it has.
---
--- What the next page will be is foretold: this one as full as it was asked for. A page that was foretold and is not the one that is asked
--- for then (the appliance caps its answers, or the report ends) is dropped, unread.

local clock = require("scrutinizer.core").now
local pages = require "scrutinizer.report.pages"

local prefetch = {}

-- Bytes at hand from which on a page needs no care until it is read.
local PLENTY = 64 * 1024
-- Rows that go by between two looks at the connections: so many that it takes about this time.
local SOON, LATE = 0.0005, 0.002
local MOST_ROWS = 4096

---@class scrutinizer.Ahead
---@field count integer     pages to ask for ahead
---@field list table[]      { exchange =, direction =, offset =, max = }, the next page first
---@field rows integer      rows between two looks
---@field looked number
---@field foretold? table   the part as it will be behind the last page asked for

--- What a cursor of this query needs; false where nothing is asked for ahead.
---@param spec table
---@return scrutinizer.Ahead|false
function prefetch.new(spec)
  if not spec.page_size or (spec.prefetch or 0) == 0 then return false end
  return { count = spec.prefetch, list = {}, rows = 1, looked = 0 }
end

-- The part as it will be when a page that was asked for has come whole. Nil where nothing is left then, or it is not known yet.
local function behind(part, request, overlap, total)
  local later = setmetatable({ given = part.given + request.max - overlap }, { __index = part })
  if not total or later.base + later.given >= total then return nil end
  if part.limit and later.given >= part.limit then return nil end
  return later
end

--- A page has been asked for: `part` is as it was then.
---@param self scrutinizer.Ahead|false
---@param part scrutinizer.Part
---@param request { max: integer }
function prefetch.asked(self, part, request)
  if not self then return end
  local kept = { given = part.given }
  self.page = { part = setmetatable(kept, { __index = part }), request = request, overlap = pages.overlap(part) }
  if #self.list == 0 then self.foretold = nil end
end

-- Asks for pages until there are as many as wished. `send(part, request)` gives an exchange, or nil.
local function fill(self, total, send)
  while #self.list < self.count do
    local from = self.foretold or self.page
    local part = behind(from.part, from.request, from.overlap, total)
    if not part then return end
    local request = pages.request(part, self.size)
    local exchange = send(request, #self.list + 1)
    if not exchange then return end
    self.list[#self.list + 1] = { exchange = exchange, direction = request.direction, offset = request.offset, max = request.max }
    self.foretold = { part = part, request = request, overlap = 1 }
  end
end

-- Whether all have come as far as they can without being read.
local function settled(self)
  for _, page in ipairs(self.list) do
    local info = page.exchange.transfer:info()
    if not info.done and info.buffered < PLENTY then return false end
  end
  return true
end

--- Asks for what is due and looks after the connections. Gives how many rows may go by before it is to be called again.
---@param self scrutinizer.Ahead
---@param total? integer    rows that exist, once known
---@param size integer      rows of a page
---@param send fun(request: table, place: integer): table?
---@return number
function prefetch.tend(self, total, size, send)
  self.size = size
  if self.page then fill(self, total, send) end
  if total and settled(self) then return 2 ^ 53 end
  if self.list[1] then self.list[1].exchange:nudge() end
  local now = clock()
  local took = now - self.looked
  self.looked = now
  if took < SOON then
    self.rows = math.min(self.rows * 2, MOST_ROWS)
  elseif took > LATE then
    self.rows = math.max(math.floor(self.rows / 2), 1)
  end
  return self.rows
end

--- The exchange of the page that is wanted now, where it was asked for ahead. Otherwise what was foretold is dropped.
---@param self scrutinizer.Ahead|false
---@param request { direction: string, offset: integer, max: integer }
---@return table? exchange
function prefetch.take(self, request)
  local page = self and table.remove(self.list, 1)
  if not page then return nil end
  if page.direction == request.direction and page.offset == request.offset and page.max == request.max then return page.exchange end
  page.exchange:close()
  prefetch.drop(self)
  self.count = 0 -- it foretells wrongly
end

--- Closes what was asked for and is not wanted.
---@param self scrutinizer.Ahead|false
function prefetch.drop(self)
  if not self then return end
  for _, page in ipairs(self.list) do page.exchange:close() end
  self.list, self.foretold = {}, nil
end

return prefetch
