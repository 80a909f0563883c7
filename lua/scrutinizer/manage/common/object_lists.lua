--- Lists of what the appliance knows: objects with ids, names, addresses; out of answers whose shapes differ between versions.

local call = require "scrutinizer.transport.call"
local errors = require "scrutinizer.errors"
local item_results = require "scrutinizer.manage.common.item_results"

local object_lists = {}

-- What a member of an object must be.
local READ = {
  id = item_results.whole,
  text = function(value) return type(value) == "string" and value or nil end,
}
local KINDS = { id = "id", name = "text", ip = "text" }

--- An answer that is not the list it should be.
---@param method string
---@param lacks string
---@return nil, scrutinizer.Error
function object_lists.malformed(method, lacks)
  return errors.fail("decode", ("%s: the answer lacks %s"):format(method, lacks), { status = 200 })
end

--- A list of objects, each with all of `members` (ours by the wire's). A bare array, or the list under `under`.
---@param client scrutinizer.Client
---@param method string
---@param form table<string, string>
---@param members table<string, string> our name by the wire's: { id = "fc_id" }
---@param under? string
---@return table[]?
---@return scrutinizer.Error? err
function object_lists.list(client, method, form, members, under)
  local answer, err = call.send(client, form)
  if answer == nil then return nil, err end
  local entries = answer
  if under then entries = type(answer) == "table" and answer[under] end
  if not item_results.is_list(entries) then return object_lists.malformed(method, under and "a list '" .. under .. "'" or "a list") end
  local list = {}
  for i, entry in ipairs(entries) do
    local object = {}
    for ours, theirs in pairs(members) do
      object[ours] = type(entry) == "table" and READ[KINDS[ours]](entry[theirs]) or nil
      if object[ours] == nil then return object_lists.malformed(method, ("'%s' in entry %d"):format(theirs, i)) end
    end
    list[i] = object
  end
  return list
end

return object_lists
