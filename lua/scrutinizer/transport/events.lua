--- The events that `on_event` receives.

local errors = require "scrutinizer.errors"

local events = {}

---@class scrutinizer.Event
--- `type` is the kind of event. No event contains a secret: no token, no password, no form field, no query of a URL. Texts from outside are cut
--- and escaped.
---
--- * `request`: a request is about to be sent. `url`, `method`, `run_mode`, `action` (if it has one), `bytes` (of the body; nil for GET)
--- * `response`: the header of an answer has arrived, of any status. `status`, `reused` (the connection was reused), `first_byte` (seconds
---   from the start to the answer's first byte), `run_mode`, `page` (of a report, from 1)
--- * `page`: one page of a report was read to its end. `page`, `rows` (returned from it), `bytes` (of JSON), `waited` (seconds)
--- * `held`: an answer's rows came before its columns and did not name them, so they were held in memory until the columns came. `page`,
---   `bytes` (of these rows)
--- * `retry`: a read has failed and will be sent again. `attempt` (number of the next try), `after` (seconds until then); `kind`, `status`
---   and `message` of the failure
--- * `redirect`: the client moves to another address of the same host. `url` (the new one), `status`
--- * `warning`: sent once per client when TLS is not verified or not used; for each report that filters by ports in data without ports. `message`
--- * `done`: a report or a plain call has ended, with or without an error. `run_mode`, `kind` (of the error; nil without one), `bytes` (of
---   JSON), `waited` (seconds); for a report also `rows`, `pages` and `requests`
---@field type "request"|"response"|"page"|"held"|"retry"|"redirect"|"warning"|"done"
---@field url? string
---@field method? "POST"|"GET"
---@field run_mode? string
---@field action? string
---@field bytes? integer
---@field status? integer
---@field reused? boolean
---@field first_byte? number
---@field page? integer
---@field rows? integer
---@field pages? integer
---@field requests? integer
---@field waited? number
---@field attempt? integer
---@field after? number
---@field kind? scrutinizer.ErrorKind
---@field message? string

local function shown(text)
  return text and errors.neutral(text, 100)
end

local function emit(client, event)
  local listener = client._options.on_event
  if listener then listener(event) end
end

function events.request(client, request, form)
  emit(client, {
    type = "request", url = client.url, method = request.method, run_mode = shown(form.rm), action = shown(form.action),
    bytes = request.body and #request.body or nil,
  })
end

function events.response(client, info, run_mode, page)
  emit(client, {
    type = "response", status = info.status, reused = info.reused, first_byte = info.first_byte, run_mode = shown(run_mode), page = page,
  })
end

function events.page(client, page, rows, bytes, waited)
  emit(client, { type = "page", page = page, rows = rows, bytes = bytes, waited = waited })
end

function events.held(client, page, bytes)
  emit(client, { type = "held", page = page, bytes = bytes })
end

function events.retry(client, attempt, after, err)
  emit(client, { type = "retry", attempt = attempt, after = after, kind = err.kind, status = err.status, message = err.message })
end

function events.redirect(client, status)
  emit(client, { type = "redirect", url = client.url, status = status })
end

function events.warning(client, message)
  emit(client, { type = "warning", message = message })
end

function events.done(client, event)
  event.type, event.run_mode = "done", shown(event.run_mode)
  emit(client, event)
end

return events
