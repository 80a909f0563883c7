--- The walk behind a cursor: requests answers, reads them row by row, joins pages, and knows when the report is complete. Its functions work on
--- the cursor's own table.

local prefetch = require "scrutinizer.report.prefetch"
local answer = require "scrutinizer.report.answer"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local events = require "scrutinizer.transport.events"
local named_exporters = require "scrutinizer.report.named_exporters"
local report_fields = require "scrutinizer.report.fields"
local pages = require "scrutinizer.report.pages"
local retry = require "scrutinizer.transport.retry"
local secrets = require "scrutinizer.secrets"
local times = require "scrutinizer.time.times"
local summary_data = require "scrutinizer.wire.summary_data"
local wire = require "scrutinizer.wire"

-- cursor[FAST_PATH]: the decoder while its next rows may be given without checks in Lua (the fast path), or false. The core reads this slot.
local FAST_PATH = 1
local walk = { FAST_PATH = FAST_PATH }

-- Rows per request when the rest of a report must be held until its facts are known, and is larger than `max_held`.
local PIECE = 10000

-- ---- who reads ----

-- How many calls of `alone` for this cursor are on the stack of the coroutine that entered last. A raised error leaves `_reader` set, but
-- leaves no call on the stack.
local readers

-- One step at a time. A call that comes in between (from a finalizer, a hook, or another coroutine while this one waits) gets an error and
-- changes nothing.
local function alone(self, step, argument)
  if self._error then return nil, self._error end
  local thread = core.running()
  local own = self._reader == thread and 1 or 0
  if readers(self) > own then
    if own == 0 then return errors.fail("phase", "the cursor is being read by another coroutine; only one can read it at a time") end
    return errors.fail("phase", "the cursor is being read by another call; a finalizer, hook or metamethod must not use it meanwhile")
  end
  if self._decoder and self._decoder:busy() then
    return errors.fail("phase", "a row of the cursor is being made; a finalizer, hook or metamethod must not use it meanwhile")
  end
  self._reader = thread
  local value, err = step(self, argument)
  self._reader = false
  return value, err
end

function readers(self)
  return self._reader and core.calls(self._reader, alone, self) or 0
end

-- The error for a walk that was cancelled while a call was inside it.
local function cancelled(self)
  return errors.new("cancelled", self._cancelled)
end

-- ---- one answer ----

local function new_decoder(self, asked)
  local o, spec = self._client._options, self._spec
  local wanted, ties, quotas = {}, {}, {}
  for _, part in ipairs(asked) do wanted[part.direction], ties[part.index], quotas[part.index] = true, part.reading, pages.quota(part) end
  local order, said = report_fields.order(spec)
  return core.decoder {
    inbound = wanted.inbound, outbound = wanted.outbound, ties = ties, order = order, check_order = said, ordered = true,
    with_direction = #spec.directions > 1,
    projection = spec.projection or nil, keep = self._keep or nil, quotas = quotas, reuse = self._reuse, graph = spec.graph ~= nil,
    max_body = o.max_body, max_depth = o.max_depth, max_row = o.max_row, max_held = o.max_held, utf8 = o.utf8,
    int64 = o.integers == "int64",
  }
end

-- Epochs for the requests of this walk, the same for all its pages. False: the query's own times are sent (enough for one answer).
local function walk_epochs(self, paged)
  local span = self._spec.times
  if self._epochs or not span or not (paged or span.last) then return self._epochs end
  local epochs, message = times.epochs(self._spec, self._now)
  if not epochs then
    local why = paged == "further" and "the appliance limits its answers, and further pages need fixed times: " or "pages need fixed times: "
    return nil, errors.new("truncated", why .. message)
  end
  self._epochs = epochs
  return epochs
end

-- Whether the user has rows of this walk: from then on, answers must be of the same report.
local function has_begun(self)
  for _, part in ipairs(self._parts) do
    if part.given > 0 or part.done then return true end
  end
  return false
end

-- Sends one request of the walk; `page` is the page's number.
local function send(self, wanted, page)
  local form = wire.report_form(self._spec, wanted, self._epochs or nil, self._now)
  local like = times.like(wire.report_form, self._spec, wanted, self._epochs or nil)
  return self._client:_send(form, { limit = self._retry:left(), page = page, like = like })
end

-- Sends the request for some parts and waits until its answer begins.
local function ask(self, asked)
  local spec, complaint = named_exporters.look_up(self._client, self._spec)
  if not spec then return nil, complaint end
  if self._cancelled then return nil, cancelled(self) end
  self._spec = spec
  local warning = self._requests == 0 and summary_data.warning(spec)
  if warning then events.warning(self._client, warning) end
  local _, err = walk_epochs(self, has_begun(self) and "further" or spec.page_size)
  if err then return nil, err end
  local wanted = {}
  for i, part in ipairs(asked) do
    wanted[i] = pages.request(part, self._spec.page_size or self._pieces)
    pages.begin(part, self._client._options.max_held / 16)
  end
  if self._decoder then self._decoder:close() end -- frees its large memory now; Lua's collector does not count it
  self._decoder = false
  self._asked, self._decoder, self._ended, self._direction_index = asked, new_decoder(self, asked), false, nil
  self._retry = self._retry or retry.new(self._client)
  self._requests = self._requests + 1
  self._exchange = #wanted == 1 and prefetch.take(self._prefetch, wanted[1])
  if #wanted == 1 then prefetch.asked(self._prefetch, asked[1], wanted[1]) end
  if not self._exchange then self._exchange, err = send(self, wanted, self._answers + 1) end
  if not self._exchange then return nil, err end
  self._client._private.watch(self, walk.cancel)
  self._exchange:read_by(self, walk.cancel)
  if self._cancelled then return nil, cancelled(self) end
  local info
  info, err = self._exchange:accepted()
  return info and true, err
end

local function part_at(self, index)
  for _, part in ipairs(self._asked) do
    if part.index == index then return part end
  end
end

local function read_error(self, kind, message, position)
  return answer.broken(self._client, self._decoder, kind, message, position)
end

-- Checks that a further page has the first page's total and window; it gives no rows before this check.
local function check_page(self, part)
  local found, err = report_fields.read(self._decoder, self._asked)
  if not found then return err end
  local first = self._report_fields and self._report_fields.time or self._time or found.time
  return pages.check_fields(part, found.totals[part.direction], first, found.time)
end

-- Whether the facts to compare a page with have arrived. A direction that only starts has no total to compare.
local function fields_known(self, part)
  local total_known = not part.answered or self._decoder:fact("totalRowCount", part.index) ~= nil
  return total_known and self._decoder:fact "time_details" ~= nil
end

-- Keeps the report's facts from the first answer that has each of them. `broken`: the answer is not complete, and facts may still be missing.
local function keep_report_fields(self, parts, broken)
  local found, err = report_fields.read(self._decoder, parts)
  if not found then return err end
  local decoder, kept = self._decoder, self._report_fields or { totals = {}, footers = {} }
  for _, part in ipairs(parts) do
    local direction = part.direction
    if not part.answered and not (broken and decoder:fact("totalRowCount", part.index) == nil) then
      part.total, part.answered = found.totals[direction], true
    end
    if part.answered then kept.totals[direction] = part.total end
    if not kept.footers[direction] then
      kept.footers[direction], err = answer.footer(decoder, part.index)
      if err then return err end
    end
  end
  kept.time = kept.time or found.time
  if not kept.exporters then
    kept.exporters, err = answer.exporters(decoder)
    if err then return err end
  end
  kept.request_id = kept.request_id or answer.request_id(decoder)
  kept.interval = kept.interval or answer.interval(decoder)
  self._report_fields = kept
end

-- ---- the walk ----

-- Counts the rows that the fast path gave to the user, and those that the tests dropped.
function walk.count_passed(self)
  if self[FAST_PATH] then
    local part, passed = part_at(self, self._direction_index), self._decoder:passed()
    part.given, part.fresh = part.given + passed, part.fresh + passed
  end
  if not self._keep or not self._decoder then return end
  for _, part in ipairs(self._asked) do pages.count_dropped(part, self._decoder) end
end

-- Requests further pages while the loop reads this one. Returns after how many rows it must be called again.
local function tend_prefetch(self, part)
  local total = part.answered and part.total or answer.total(self._decoder, part.index)
  return prefetch.tend(self._prefetch, total, self._spec.page_size, function(request, place)
    return (send(self, { request }, self._answers + 1 + place))
  end)
end

-- Opens the fast path: the rows after a given one are given without checks in Lua, up to the limit.
local function open_fast_path(self, part)
  local limit = pages.left(part) or 2 ^ 53
  if self._prefetch and #self._asked == 1 then limit = math.min(limit, tend_prefetch(self, part)) end
  self._decoder:fast_path(part.index, limit)
  self[FAST_PATH] = self._decoder
end

local function leave_fast_path(self)
  walk.count_passed(self)
  self[FAST_PATH] = false
end

local function close_answer(self)
  leave_fast_path(self)
  if self._exchange then
    self._waited = self._waited + self._exchange._waited
    self._exchange:close()
  end
  self._exchange = false
end

-- Sends the event for the end of the walk, successful or not, once.
local function report_end(self, err)
  if self._end_reported then return end
  self._end_reported = true
  local rows = 0
  for _, part in ipairs(self._parts) do rows = rows + part.given - part.dropped end
  events.done(self._client, {
    run_mode = wire.run_mode.report, kind = err and err.kind, rows = rows, pages = self._answers, requests = self._requests,
    bytes = report_fields.getters.bytes(self), waited = self._waited,
  })
end

-- Whether further requests have the same window as the first: they send the same epochs, or an answer has told its window.
local function has_window(self)
  local span = self._spec.times
  return self._epochs or (span and (span.from or span.last)) or self._time or (self._report_fields and self._report_fields.time)
end

-- The parts of the answer that have given rows or are done.
local function begun_parts(self)
  local begun = {}
  for _, part in ipairs(self._asked or {}) do
    if part.given > 0 or part.done then begun[#begun + 1] = part end
  end
  return begun
end

-- Where the rest of the report begins. Rows that `fetch` or `aggregate` collected and dropped were never given.
local function rest_of(self)
  local span = self._spec.times
  -- The rest must have the same window, even when the query's times move with the clock.
  local epochs = span and (not span.from or span.words) and (self._epochs or times.epochs(self._spec, self._now)) or nil
  return pages.resume(self._gathers and pages.parts(self._spec) or self._parts, self._spec.directions, {
    epochs = epochs, time = self._report_fields and self._report_fields.time or self._time or nil, fixed = has_window(self) and true or false,
  })
end

-- ---- continuing after an answer that broke off ----

-- Like `has_window`, and the epochs are known.
local function same_window(self)
  local span = self._spec.times
  if self._epochs or (span and (span.from or span.last)) then return true end
  return has_window(self) and walk_epochs(self, "further") ~= nil
end

-- Prepares the parts to continue after the last row given. False: nothing could prove that what follows is the rest.
local function join(self)
  for _, part in ipairs(self._asked) do
    pages.leave(part, self._decoder)
    if part.given > 0 and not part.done and (not part.last or part.spilled or part.joined == false) then return false end
  end
  return not keep_report_fields(self, begun_parts(self), true) and same_window(self)
end

-- Whether the user has all rows that the limit allows, where the client filters rows: the appliance continues to send, as it does not know the limit.
-- `surely`: and it is known that the limit has cut some off.
local function has_all(self, surely)
  if not self._keep or not self._decoder then return false end
  walk.count_passed(self)
  for _, part in ipairs(self._parts) do
    if not part.done and not (part.limit and pages.left(part) <= 0 and (part.cut or not surely)) then return false end
  end
  return true
end

-- Ends the walk before the end of its answer. Returns an error if a fact that has arrived is malformed.
local function stop_early(self)
  local err = keep_report_fields(self, self._asked, true)
  if err then return err end
  local _, size = self._decoder:state()
  self._columns = self._columns or self._decoder:columns(1) or self._decoder:columns(2)
  self._read, self._answers = self._read + size, self._answers + 1
  for _, part in ipairs(self._asked) do part.done = true end
  close_answer(self)
end

-- After a failure while reading: true when the answer is to be requested again; it has then waited as `retry` says. An error that a complete
-- answer means is never retried here. When all rows were given that were asked for, there is nothing to request.
local function recover(self, err)
  walk.count_passed(self)
  if self._ended or not self._decoder then return false end
  if err.kind ~= "changed" and has_all(self) then return stop_early(self) == nil end
  secrets.clean(err, self._client._private.mask)
  if self._exchange then self._retry:spend(self._exchange._waited) end
  self._read = report_fields.getters.bytes(self)
  local same, pieces = err.kind ~= "changed", self._pieces == "wanted"
  local may_go_on = same and (not has_begun(self) or join(self))
  close_answer(self)
  if pieces then self._pieces = PIECE end
  return may_go_on and (pieces or self._retry:again(err))
end

-- The first part that is not finished.
local function next_part(self)
  for _, part in ipairs(self._parts) do
    if not part.done then return part end
  end
end

-- Called when the answer is complete: checks it, and finishes the parts that have all their rows.
local function end_answer(self)
  self._ended = true
  local err = answer.failure(self._decoder, self._client, 200)
  if err then return err end
  for _, part in ipairs(self._asked) do
    if part.answered or self._report_fields or self._resumed then
      err = check_page(self, part)
      if err then return err end
    end
  end
  err = keep_report_fields(self, self._asked)
  if err then return err end
  self._columns = self._columns or self._decoder:columns(1) or self._decoder:columns(2)
  local _, size = self._decoder:state()
  self._read, self._answers = self._read + size, self._answers + 1
  self._retry:succeeded()
  local waited, rows, held = self._exchange._waited, 0, self._decoder:unnamed()
  close_answer(self)
  if held > 0 then events.held(self._client, self._answers, held) end
  for _, part in ipairs(self._asked) do rows = rows + part.fresh - part.unseen end
  events.page(self._client, self._answers, rows, size, waited)
  for i, part in ipairs(self._asked) do
    if i > 1 and pages.may_be_crowded_out(part) then break end
    err = pages.finish(part)
    if err then return err end
    if not part.done then -- the parts after it are requested again later
      for later = i + 1, #self._asked do pages.restart(self._asked[later]) end
      break
    end
  end
end

-- Reads on and drops the rows, until the report's window is known: further pages are compared with it.
local function pass_to_time(self)
  while self._decoder:fact "time_details" == nil do
    local row, kind, message, position = self._decoder:next(self._exchange.transfer)
    if row == nil then return kind and read_error(self, kind, message, position) end
    if row == false then
      local ok, err = self._exchange:wait()
      if not ok then return err end
    end
  end
end

-- In an answer for both directions, called at the first outbound row. False when the appliance cut inbound short: the rest of inbound is then
-- requested first, and outbound again after it.
local function turn(self, part)
  local before = self._asked[1]
  self._direction_index = part.index
  if before == part or before.done then return true end
  local found, err = report_fields.read(self._decoder, self._asked)
  if not found then return nil, err end
  before.total = found.totals[before.direction]
  if self._keep then pages.count_dropped(before, self._decoder) end
  pages.leave(before, self._decoder)
  err = pages.finish(before)
  if err then return nil, err end
  if before.done then return true end
  err = pass_to_time(self) or keep_report_fields(self, { before })
  if err then return nil, err end
  self._ended = true
  self._retry:succeeded()
  close_answer(self)
  pages.restart(part)
  return false
end

-- Checks that the first row of a further page is the last row given. It is not given again.
local function pass_overlap(self, part)
  local err = pages.check_overlap(part, pages.identity(self._decoder:last_row(part.index)))
  if err then return err end
end

-- Reads rows into the decoder's queue until the page's facts are known, then checks the facts.
local function read_fields(self, part)
  while not fields_known(self, part) do
    local state, kind, message, position = self._decoder:hold(self._exchange.transfer)
    if state == nil and kind then
      if kind == "limit" and not self._pieces and not self._spec.page_size then self._pieces = "wanted" end
      return read_error(self, kind, message, position)
    end
    if state == nil then break end
    if state == false then
      local ok, err = self._exchange:wait()
      if not ok then return err end
    end
  end
  return check_page(self, part)
end

-- The same. After a failure the rows of the queue are not given: those dropped between them do not count either.
local function hold(self, part)
  local err = read_fields(self, part)
  if err then self._decoder:dropped(part.index) end
  return err
end

-- Decides about a row that the decoder gave: true when the user gets it.
local function accept(self, index)
  local part = part_at(self, index)
  if index ~= self._direction_index then
    local mine, err = turn(self, part)
    if not mine then return false, err end
  end
  if part.overlap then
    local err = pass_overlap(self, part) or hold(self, part)
    return false, err
  end
  if part.limit and pages.left(part) <= 0 then -- more than was asked for
    part.spilled = true
    return false
  end
  part.given, part.fresh = part.given + 1, part.fresh + 1
  open_fast_path(self, part)
  return true
end

-- Called at the end of the answer: its parts are finished, or another page is needed.
local function after_answer(self)
  walk.count_passed(self)
  for _, part in ipairs(self._asked) do pages.leave(part, self._decoder) end
  return end_answer(self)
end

local function begin_answer(self)
  if not has_begun(self) and self._answers == 0 and not self._resumed then return ask(self, self._parts) end
  local part = next_part(self)
  if part then
    local ok, err = nil, pages.check_proof(part, self._client._options.max_held / 4)
    if not err then ok, err = ask(self, { part }) end
    -- Outbound starts in its own answer: check the window before the first row.
    if ok and pages.overlap(part) == 0 then err = hold(self, part) end
    return not err and ok or nil, err
  end
  self._done = true
  prefetch.drop(self._prefetch)
  report_end(self)
  return true
end

-- One step of the walk with the decoder's results: returns a row for the user, false to continue, or nil and err.
local function take(self, row, kind, message, position)
  local ok, err
  if row then
    ok, err = accept(self, kind)
    if ok then return row end
    return not err and false or nil, err
  elseif row == false then
    if has_all(self, true) and self._decoder:fact "time_details" ~= nil and self._decoder:fact "exporter_details" ~= nil then
      err = stop_early(self)
      return not err and false or nil, err
    end
    ok, err = self._exchange:wait()
    return ok and false or nil, err
  elseif kind then
    return nil, read_error(self, kind, message, position)
  end
  err = after_answer(self)
  return not err and false or nil, err
end

local function fail(self, err)
  secrets.clean(err, self._client._private.mask)
  close_answer(self)
  prefetch.drop(self._prefetch)
  if not self._ended then
    for _, part in ipairs(self._asked or {}) do pages.leave(part, self._decoder) end
    if self._decoder and err.kind ~= "changed" then keep_report_fields(self, begun_parts(self), true) end
  end
  if not err.resume then err.resume = rest_of(self) end
  self._error = err
  report_end(self, err)
  return nil, err
end

-- Repeats `step` until there is a row for the user, an error that cannot be retried, or the end.
local function run(self, step, argument)
  while not self._done do
    if self._error then return nil, self._error end
    if self._cancelled then return fail(self, cancelled(self)) end
    local row, err
    if self._exchange then
      row, err = step(self, argument)
    else
      row, err = begin_answer(self)
    end
    if err and not self._cancelled and not recover(self, err) then return fail(self, err) end
    if row and row ~= true then return row end
  end
end

local function next_row(self)
  return take(self, self._decoder:next(self._exchange.transfer))
end

local function read_row(self)
  leave_fast_path(self)
  local row, err = run(self, next_row)
  if self._cancelled then leave_fast_path(self) end
  return row, err
end

--- The next row for the user; nil at the end; nil and err.
function walk.next(self)
  if self._done then return nil end
  local row, err = alone(self, read_row)
  return row, err
end

-- The part whose rows may be folded in the core without checks in Lua, and how many; nil at a page's first row and over the limit.
local function foldable(self)
  local part = part_at(self, self._direction_index or self._asked[1].index)
  local left = pages.left(part) or 2 ^ 53
  if not part.overlap and left > 0 then return part, left end
end

-- Folds the rows that have arrived. Returns what `take` returns; a row that it returns is over the limit, and is dropped.
local function fold(self, sums)
  local part, left = foldable(self)
  local transfer = self._exchange.transfer
  if not part then return take(self, self._decoder:next(transfer)) end
  local count, state, message, position = self._decoder:fold(transfer, sums, part.index, left)
  if not count then return take(self, nil, state, message, position) end
  part.given, part.fresh = part.given + count, part.fresh + count
  self._direction_index = self._direction_index or (count > 0 and part.index) or nil
  if state and state ~= part.index then
    local mine, err = turn(self, part_at(self, state))
    return (mine or not err) and false or nil, err
  end
  if state then return take(self, self._decoder:next(transfer)) end
  return take(self, state)
end

local function fold_rows(self, sums)
  repeat local row = run(self, fold, sums) until not row
  return self._done or nil, self._error
end

--- Folds all rows into an aggregate. True at the end; nil and err after a failure.
function walk.fold(self, sums)
  local done, err = alone(self, fold_rows, sums)
  return done, err
end

local function counted(self, getter)
  walk.count_passed(self)
  return getter(self)
end

--- A computed field of the cursor, from `getter`.
function walk.look(self, getter)
  if not self[FAST_PATH] or readers(self) > 0 or self._decoder:busy() then return getter(self) end
  local value = alone(self, counted, getter)
  return value
end

--- Ends the walk. When a call is inside it and does not wait, that call finishes first, so that nothing changes under it.
function walk.cancel(self, why)
  local err = errors.new("cancelled", why) -- first: a finalizer that comes in meanwhile finds the walk as it was
  local ended, exchange = self._done or self._error, self._exchange
  if not ended and readers(self) > 0 and not (exchange and exchange:pauses()) then
    self._cancelled = self._cancelled or why
    if exchange then exchange:close(why) end
    return
  end
  self._error = self._error or not ended and err
  local part = self[FAST_PATH] and self[FAST_PATH]:busy() and part_at(self, self._direction_index)
  if part then part.given = part.given + 1 end -- count the row that is being made
  close_answer(self)
  prefetch.drop(self._prefetch)
  if not ended and self._requests > 0 then report_end(self, err) end
end

return walk
