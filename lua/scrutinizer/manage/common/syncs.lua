--- Shared by the `sync` calls, which change the appliance's list until it is the same as a given list: their options, their results, and how an
--- error tells what was already done.

local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"

local syncs = {}

local OPTIONS = { gone = true, dry = true }

--- Checks the options of a sync whose objects the appliance cannot list. Returns `gone`, or nil and err, or raises (`level`, as `error` counts
--- from the caller).
---@param method string
---@param what string what cannot be listed, such as "its users"
---@param options any
---@param read fun(list: any): table?, string? checks `gone`
---@param level integer
---@return table? gone
---@return scrutinizer.Error? err
function syncs.options(method, what, options, read, level)
  if options == nil then options = {} end
  if type(options) ~= "table" then error(check.message(method .. ": options", options, "a table with gone, dry"), level + 1) end
  for key in next, options do
    if not OPTIONS[key] then error(check.message(method .. ": option", key, "gone, dry"), level + 1) end
  end
  if options.dry ~= nil and type(options.dry) ~= "boolean" then error(check.message(method .. ": dry", options.dry, "true or false"), level + 1) end
  local gone, complaint
  if options.gone ~= nil then
    gone, complaint = read(options.gone)
    if not gone then error(complaint, level + 1) end
  end
  local cannot = ("%s: the appliance has no call that lists %s"):format(method, what)
  if options.dry then return errors.fail("api", cannot .. ", so dry cannot tell what would change; without dry, the result tells what changed") end
  if not gone then
    return errors.fail("api", cannot .. ", so it is not known who must be removed: set gone = { … } to those who have left, or gone = {} for nobody")
  end
  return gone
end

-- An item in a line: a rule prints itself; a member, a user.
local function item_text(item)
  local text = getmetatable(item) and tostring(item)
  if item.user then text = ("%s in %s"):format(check.show(item.user), check.show(item.group)) end
  text = text or (item.name and check.show(item.name)) or check.show(item.id)
  if not item.error then return text end
  return ("%s: %s (%s)"):format(text, errors.neutral(item.error), item.code)
end

-- How many items each list has: "2 created, 1 removed".
local function counts(lists, words, verb)
  local parts = {}
  for _, word in ipairs(words) do
    if #(lists[word] or {}) > 0 then parts[#parts + 1] = ("%d %s%s"):format(#lists[word], verb, word) end
  end
  return parts[1] and table.concat(parts, ", ") or "nothing"
end

-- Items that are printed at most, and the lists of items that are as they were.
local MOST, STILL = 100, { kept = true, absent = true }

local function text_of(out, what, lists)
  local head = type(what) == "function" and what(out) or what
  local lines, more = { ("%s: %s%s"):format(head, counts(out, lists, ""), out.dry and " (dry: nothing was changed)" or "") }, 0
  for _, word in ipairs(lists) do
    for _, item in ipairs(not STILL[word] and out[word] or {}) do
      if #lines <= MOST then lines[#lines + 1] = ("%s  %s"):format(word, item_text(item)) else more = more + 1 end
    end
  end
  if more > 0 then lines[#lines + 1] = ("… and %d more"):format(more) end
  return table.concat(lines, "\n")
end

--- Lets `tostring` of a result with lists of items show them.
---@generic T: table
---@param out T
---@param what string|fun(out: T): string the method, and what it was for
---@param lists string[]    the result's lists, in the order of the text
---@return T out
function syncs.result(out, what, lists)
  return setmetatable(out, { __name = "scrutinizer.Synced", __tostring = function(self) return text_of(self, what, lists) end })
end

--- Sorts the results of a call into the lists of a sync's result: successes into `out[done]`, those that `is_so` already into `out[still]`, all
--- others into `out.failed`.
---@param out table<string, table[]>
---@param results table[]
---@param done string
---@param still string
---@param is_so fun(result: table): boolean
function syncs.sort(out, results, done, still, is_so)
  for _, result in ipairs(results) do
    local place = not result.error and done or (is_so(result) and still) or "failed"
    if place == still then result.error, result.code = nil, nil end
    table.insert(out[place], result)
  end
end

--- Says in the error of a call that failed half-way what the sync has done before, and what is left. `err.partial` is the result so far, and
--- `err.partial.left` what is left: what the failed call was sent for counts as left, though the appliance may have done it.
---@param err scrutinizer.Error
---@param out table<string, table[]> the result so far
---@param lists string[]
---@param left table<string, table[]> such as { add = { … }, remove = { … } }
---@return nil, scrutinizer.Error
function syncs.broke_off(err, out, lists, left)
  out.left, err.partial = left, out
  err.message = ("%s; before this: %s; left, if the failed call did nothing: %s"):format(err.message, counts(out, lists, ""),
    counts(left, check.sorted_keys(left), "to "))
  return nil, err
end

return syncs
