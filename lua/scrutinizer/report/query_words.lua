--- A query in a few words: for errors, and for `tostring` of reports and cursors.

local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local window = require "scrutinizer.time.window"
local wire = require "scrutinizer.wire"

local query_words = {}

--- The query's times as they were set; nil when none were.
---@param spec table a query's spec
---@return string?
function query_words.times(spec)
  if spec.fields[wire.field.times] ~= nil then return "times as set" end
  return window.text(spec)
end

--- The direction that a query asks for.
---@param spec table
---@return "inbound"|"outbound"|"both"
function query_words.direction(spec)
  return #spec.directions > 1 and wire.BOTH or spec.directions[1]
end

--- Type, direction and times.
---@param spec table
---@return string
function query_words.text(spec)
  return ("%s, %s, %s"):format(check.show(spec.type), query_words.direction(spec), query_words.times(spec) or "no times yet")
end

--- Adds to an error which query failed: `report`, `direction`, `window`, and `query`, which stays out of the error's own members.
---@param err scrutinizer.Error
---@param query scrutinizer.Query
---@return scrutinizer.Error err
function query_words.blame(err, query)
  if not errors.is(err) or err.query then return err end
  local spec = query._spec
  err.report, err.direction = errors.neutral(spec.type, 200), query_words.direction(spec)
  err.window = errors.neutral(query_words.times(spec) or "no times yet", 200)
  errors.keep_query(err, query)
  return err
end

return query_words
