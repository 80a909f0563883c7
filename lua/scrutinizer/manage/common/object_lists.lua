--- Lists of the appliance's objects, with ids, names and addresses. The shape of the answers differs between versions.

local call = require "scrutinizer.transport.call"
local errors = require "scrutinizer.errors"
local item_results = require "scrutinizer.manage.common.item_results"

local object_lists = {}

-- Readers of an object's members, by kind.
local READ = {
  id = item_results.whole,
  text = function(value) return type(value) == "string" and value or nil end,
}
local KINDS = { id = "id", name = "text", ip = "text" }

--- The error for an answer that is not the expected list.
---@param method string
---@param lacks string what the answer lacks, such as "a list 'rows'"
---@return nil, scrutinizer.Error
function object_lists.malformed(method, lacks)
  return errors.fail("decode", ("%s: the answer lacks %s"):format(method, lacks), { status = 200 })
end

--- Sends a form and reads a list of objects. Each object must have all `members`. The answer is an array, or has it under the key `under`.
---@param client scrutinizer.Client
---@param method string
---@param form table<string, string>
---@param members table<string, string> our name = the wire's name, such as { id = "fc_id" }
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
