--- Pages requested before the loop needs them (`:prefetch(n)`): their answers arrive while the loop works on its page.
---
--- The next page is predicted, on the assumption that this one will be full. When the prediction is wrong (the appliance limits its answers, or
--- the report ends), the page is dropped unread.

local clock = require("scrutinizer.core").now
local pages = require "scrutinizer.report.pages"

local prefetch = {}

-- A page with this many bytes received needs no attention until it is read.
local ENOUGH_BYTES = 64 * 1024
-- Seconds between two checks of the connections; the number of rows between them is adjusted to this.
local SOON, LATE = 0.0005, 0.002
local MOST_ROWS = 4096

---@class scrutinizer.Prefetch
---@field count integer     how many pages to request ahead
---@field list table[]      { exchange =, direction =, offset =, max = }, the next page first
---@field rows integer      rows between two checks of the connections
---@field looked number     time of the last check, in seconds
---@field predicted? table   the part as predicted after the last page requested

--- The state for a cursor of this query; false when no pages are requested ahead.
---@param spec table
---@return scrutinizer.Prefetch|false
function prefetch.new(spec)
  if not spec.page_size or (spec.prefetch or 0) == 0 then return false end
  return { count = spec.prefetch, list = {}, rows = 1, looked = 0 }
end

-- The part as it will be when a requested page has arrived full. Nil when nothing will be left, or when the total is not known yet.
local function behind(part, request, overlap, total)
  local later = setmetatable({ given = part.given + request.max - overlap }, { __index = part })
  if not total or later.base + later.given >= total then return nil end
  if part.limit and not part.tested and later.given >= part.limit then return nil end
  return later
end

--- Notes that a page was requested, and the part's state at that moment.
---@param self scrutinizer.Prefetch|false
---@param part scrutinizer.Part
---@param request { max: integer }
function prefetch.asked(self, part, request)
  if not self then return end
  local kept = { given = part.given }
  self.page = { part = setmetatable(kept, { __index = part }), request = request, overlap = pages.overlap(part) }
  if #self.list == 0 then self.predicted = nil end
end

-- Requests pages until there are `count` of them. `send(request, place)` returns an exchange, or nil.
local function fill(self, total, send)
  while #self.list < self.count do
    local from = self.predicted or self.page
    local part = behind(from.part, from.request, from.overlap, total)
    if not part then return end
    local request = pages.request(part, self.size)
    local exchange = send(request, #self.list + 1)
    if not exchange then return end
    self.list[#self.list + 1] = { exchange = exchange, direction = request.direction, offset = request.offset, max = request.max }
    self.predicted = { part = part, request = request, overlap = 1 }
  end
end

-- Whether every page has ended, or has received all that it can before it is read.
local function settled(self)
  for _, page in ipairs(self.list) do
    local info = page.exchange.transfer:info()
    if not info.done and info.buffered < ENOUGH_BYTES then return false end
  end
  return true
end

--- Requests the pages that are due and checks the connections. Returns after how many rows it must be called again.
---@param self scrutinizer.Prefetch
---@param total? integer    rows that exist, once known
---@param size integer      rows of a page
---@param send fun(request: table, place: integer): table? returns an exchange, or nil
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

--- The exchange of the page that is needed now, when it was requested ahead. Otherwise nil, and all predicted pages are dropped.
---@param self scrutinizer.Prefetch|false
---@param request { direction: string, offset: integer, max: integer }
---@return table? exchange
function prefetch.take(self, request)
  local page = self and table.remove(self.list, 1)
  if not page then return nil end
  if page.direction == request.direction and page.offset == request.offset and page.max == request.max then return page.exchange end
  page.exchange:close()
  prefetch.drop(self)
  self.count = 0 -- the prediction is wrong for this report: stop
end

--- Closes the pages that were requested ahead.
---@param self scrutinizer.Prefetch|false
function prefetch.drop(self)
  if not self then return end
  for _, page in ipairs(self.list) do page.exchange:close() end
  self.list, self.predicted = {}, nil
end

return prefetch
