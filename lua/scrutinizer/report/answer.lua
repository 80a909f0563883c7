--- Reads from one answer what it has besides its rows: totals, times, exporters, footers. Also finds out whether an answer with status 200 is a
--- failure.

local check = require "scrutinizer.check"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local refusal = require "scrutinizer.transport.refusal"

local answer = {}

local null = core.null

local function wrong(position, what)
  return errors.fail("decode", what, { position = position })
end

--- A whole number from 0; the appliance sends it as a number or as text. Nil for anything else.
---@param value any
---@return integer?
local function whole(value)
  if type(value) == "string" and value:find "^%d+$" then value = core.decode(value) end
  return check.integer(value, 0)
end

-- A fact's value and, third, its position. Nil when it is absent or null; nil and err when it cannot be decoded.
local function fact(decoder, name, direction)
  local value, kind, message, position = decoder:fact(name, direction)
  if value == nil and message then return nil, errors.new(kind, message, { position = position }) end
  if value == null then return nil, nil, kind end
  return value, nil, kind -- after a value, the second result of `fact` is its position
end

--- How many rows exist in a direction (1 inbound, 2 outbound); nil when the answer does not contain it.
---@return integer? total
---@return scrutinizer.Error? err
function answer.total(decoder, direction)
  local value, err, position = fact(decoder, "totalRowCount", direction)
  if value == nil then return nil, err end
  local total = whole(value)
  if total then return total end
  return wrong(position, "totalRowCount is not a whole number")
end

-- Epoch seconds in { epoch = "1552408380", formatted = … }.
local function epoch_of(moment)
  if type(moment) ~= "table" then return nil end
  return whole(moment.epoch)
end

--- The window of the report: starts of its first and last bucket in epoch seconds, as sent.
---@return { first?: integer, last?: integer, timezone?: string }? time
---@return scrutinizer.Error? err
function answer.time(decoder)
  local value, err, position = fact(decoder, "time_details")
  if value == nil then return nil, err end
  if type(value) ~= "table" then return wrong(position, "time_details is not an object") end
  local zone = value.timezone
  return {
    first = epoch_of(value.first_time), last = epoch_of(value.last_time),
    timezone = type(zone) == "string" and zone or nil,
  }
end

--- The exporters whose flows are in the report, by address.
---@return table<string, { flows?: integer, hex?: string }>? exporters
---@return scrutinizer.Error? err
function answer.exporters(decoder)
  local value, err, position = fact(decoder, "exporter_details")
  if value == nil then return nil, err end
  -- Perl may write an empty object as an empty list.
  if type(value) ~= "table" or value[1] ~= nil then return wrong(position, "exporter_details is not an object") end
  local exporters = {}
  for ip, details in pairs(value) do
    if type(details) ~= "table" then return wrong(position, "an entry of exporter_details is not an object") end
    local hex = details.exporter_hex
    exporters[ip] = { flows = whole(details.flow_count), hex = type(hex) == "string" and hex or nil }
  end
  return exporters
end

--- Seconds per bucket: `graphView.graphGranularity.seconds`, or the older `dataGranularity.used` (minutes). Nil when the answer has neither.
---@param view any decoded graphView
---@param granularity any decoded dataGranularity
---@return integer? seconds
function answer.seconds_used(view, granularity)
  local inner = type(view) == "table" and view.graphGranularity
  local seconds = type(inner) == "table" and whole(inner.seconds)
  if seconds and seconds > 0 then return seconds end
  local minutes = type(granularity) == "table" and whole(granularity.used)
  return minutes and minutes > 0 and minutes * 60 or nil
end

--- The same for an answer that is being read.
---@param decoder userdata
---@return integer? seconds
function answer.interval(decoder)
  return answer.seconds_used(fact(decoder, "graphView"), (fact(decoder, "dataGranularity")))
end

---@return string? request_id
---@return scrutinizer.Error? err
function answer.request_id(decoder)
  local value, err = fact(decoder, "request_id")
  if type(value) ~= "string" then return nil, err end
  return value
end

-- One line of the footer: labels by element name. A cell without an element name (the first) only names the line.
local function footer_line(cells)
  local line = {}
  for _, cell in ipairs(type(cells) == "table" and cells or {}) do
    if type(cell) == "table" and type(cell.elementName) == "string" and type(cell.label) == "string" then
      line[cell.elementName] = cell.label
    end
  end
  return line
end

--- The footer of a direction: its lines "Other" and "Total", each with labels as sent, by element name. It has fewer cells than columns.
---@return { others: table<string, string>, total: table<string, string> }? footer
---@return scrutinizer.Error? err
function answer.footer(decoder, direction)
  local value, err, position = fact(decoder, "footer", direction)
  if value == nil then return nil, err end
  if type(value) ~= "table" then return wrong(position, "footer is not a list") end
  return { others = footer_line(value[1]), total = footer_line(value[2]) }
end

--- The error that a complete answer means, or nil when it is a report.
---@param decoder userdata
---@param client? scrutinizer.Client its secrets are masked; nil when the bytes come from elsewhere
---@param status? integer
---@return scrutinizer.Error?
function answer.failure(decoder, client, status)
  local mask = client and client._private.mask or function(text) return text end
  local object, context = {}, { has_token = not client or client.has_token, status = status, mask = mask }
  for _, name in ipairs { "err", "details", "msg" } do
    local value, err = fact(decoder, name)
    if err then return err end
    object[name] = value
  end
  local refused = refusal.of(object, context)
  if refused then return refused end
  local reported, err = fact(decoder, "error")
  if err then return err end
  if reported ~= nil then
    return errors.new("api", "the report failed: " .. mask(refusal.text(reported)), { status = status, request_id = (answer.request_id(decoder)) })
  end
  local _, _, found, head = decoder:state()
  if not found then
    return errors.new("decode", "the answer has no report; it begins with " .. check.show(mask(head)), { position = 0 })
  end
end

-- Adds the first bytes of an answer that is not a report, such as a login page or a proxy's message. Masks the token.
local function with_head(client, decoder, message)
  local _, _, found, head = decoder:state()
  if found or head == "" then return message end
  head = client._private.mask(head)
  return ("not a report: %s; the answer begins with \"%s\""):format(message, errors.neutral(head, 60))
end

--- The error for an answer that cannot be read further, made from the decoder's error.
---@param client scrutinizer.Client
---@param decoder userdata
---@param kind string
---@param message string
---@param position? integer
---@return scrutinizer.Error
function answer.broken(client, decoder, kind, message, position)
  if kind == "decode" and position then message = with_head(client, decoder, message) end
  if kind == "truncated" then message = "the answer ended early: " .. message end
  return errors.new(kind, message, { position = position, status = 200, request_id = (answer.request_id(decoder)) })
end

return answer
