--- Drafts: copies of a query's spec that its methods change; the query's own table; and the errors for misuse.

local check = require "scrutinizer.check"
local to_text = require "scrutinizer.query.to_text"
local wire = require "scrutinizer.wire"

local draft = {}

---@class scrutinizer.Query
---@field private _spec table    never changed once the query is made
---@field private _client table
local methods = {}
draft.methods = methods

local Query = { __index = methods, __name = "scrutinizer.Query" }

function Query.__newindex(_, key)
  error(("queries are immutable: field %s cannot be set"):format(check.show(key)), 2)
end

function Query:__tostring()
  local private = self._client._private
  local text = "scrutinizer.Query: " .. to_text.spec(self._spec)
  return private and private.mask(text) or text
end

--- Raises a misuse error. A query method calls this; the error is at the line that called the method.
---@param method string
---@param value any
---@param allowed string
---@param hint? string
function draft.misuse(method, value, allowed, hint)
  error(check.message(method, value, allowed, hint), 3)
end

--- Like `misuse`, with a finished message.
---@param message string
function draft.blame(message)
  error(message, 3)
end

--- A copy of the query's spec, for the method to change. A value that `:set` gave to the method's field is removed. Raises where `misuse` does.
---@param query scrutinizer.Query
---@param method string
---@param part? string the wire field that the method writes, by its name in `wire.field`
---@param above? integer how many levels higher to raise
---@return table spec
function draft.of(query, method, part, above)
  if getmetatable(query) ~= Query then
    error(("%s: called without its query; write query:%s(…)"):format(method, method), 3 + (above or 0))
  end
  local spec = {}
  for key, value in pairs(query._spec) do spec[key] = value end
  local name = part and wire.field[part]
  if name and spec.fields[name] ~= nil then
    spec.fields = {}
    for key, value in pairs(query._spec.fields) do
      if key ~= name then spec.fields[key] = value end
    end
  end
  return spec
end

--- A draft to which a filter can be added. Raises when `:set` has replaced all filters.
---@param query scrutinizer.Query
---@param method string
---@return table spec
function draft.with_filters(query, method)
  local spec = draft.of(query, method, nil, 1)
  if spec.fields[wire.field.filters] ~= nil then
    error(("%s: :set has replaced the query's filters; add this one in :set"):format(method), 3)
  end
  return spec
end

--- Adds filters in the appliance's form.
---@param spec table a draft
---@param list table[]
function draft.add_filters(spec, list)
  local all = {}
  for i, entry in ipairs(spec.filters) do all[i] = entry end
  for _, entry in ipairs(list) do all[#all + 1] = entry end
  spec.filters = all
end

--- Gives a draft its times. Other members of `times` in a pasted report belong to the old times: they are dropped.
---@param spec table a draft
---@param times table
function draft.set_times(spec, times)
  spec.times = times
  if spec.extras.times then
    local extras = {}
    for key, value in pairs(spec.extras) do extras[key] = value end
    extras.times = nil
    spec.extras = extras
  end
end

--- Makes a query of a finished draft.
---@param query scrutinizer.Query the one that the draft was made from
---@param spec table
---@return scrutinizer.Query
function draft.finish(query, spec)
  return setmetatable({ _spec = spec, _client = query._client }, Query)
end

--- Makes a query with this spec.
---@param client table
---@param spec table
---@return scrutinizer.Query
function draft.query(client, spec)
  return setmetatable({ _spec = spec, _client = client }, Query)
end

--- A query with one member of its spec set, for a method that takes no value: `return (draft.set(self, "bits", "unit", "bits"))`. The
--- parentheses keep the method's line in the error of a call without its query.
---@param query scrutinizer.Query
---@param method string
---@param member string of the spec, and its wire field's name in `wire.field`
---@param value any
---@return scrutinizer.Query
function draft.set(query, method, member, value)
  local spec = draft.of(query, method, member, 1)
  spec[member] = value
  return draft.finish(query, spec)
end

--- Whether a value is a query.
---@param value any
---@return boolean
function draft.is(value)
  return getmetatable(value) == Query
end

return draft
