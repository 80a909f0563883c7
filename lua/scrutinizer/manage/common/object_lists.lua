--- Lists of the appliance's objects, with ids, names and addresses. The shape of the answers differs between versions.

local call = require "scrutinizer.transport.call"
local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local item_results = require "scrutinizer.manage.common.item_results"
local suggest = require "scrutinizer.suggest"

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

--- The error for a name that several objects have.
---@param method string
---@param what string such as "IP groups"
---@param name string
---@param ids integer[]
---@return nil, scrutinizer.Error
function object_lists.ambiguous(method, what, name, ids)
  local texts = {}
  for i, id in ipairs(ids) do texts[i] = ("%d"):format(id) end
  return errors.fail("api", ("%s: %d %s have the name %s: %s; use the id of one"):format(method, #ids, what, check.show(name),
    table.concat(texts, ", ")), { code = "ambiguous" })
end

-- The most names that an error lists.
local MOST_NAMES = 10

--- The error for a name that no object has. It lists the names that are near, or else the first ones.
---@param method string
---@param what string such as "IP group"
---@param name string
---@param names string[] the names that there are
---@return nil, scrutinizer.Error
function object_lists.unknown(method, what, name, names)
  local near, shown = suggest.near(name, names, MOST_NAMES), {}
  for i, other in ipairs(near[1] and near or names) do
    if i <= MOST_NAMES then shown[i] = check.show(other) end
  end
  local rest = near[1] and "similar names: " .. table.concat(shown, ", ") or ("there are %d: %s"):format(#names, table.concat(shown, ", "))
  if not near[1] and #names > MOST_NAMES then rest = rest .. ", …" end
  return errors.fail("api", ("%s: no %s has the name %s; %s"):format(method, what, check.show(name), rest), { code = "missing" })
end

--- The id of the object with this name. Case matters.
---@param list { id: integer, name: string }[]
---@param method string
---@param what string such as "IP group"; with an s for several
---@param name string
---@return integer? id
---@return scrutinizer.Error? err no object, or several have this name
function object_lists.id_of(list, method, what, name)
  local ids, names = {}, {}
  for i, object in ipairs(list) do
    names[i] = object.name
    if object.name == name then ids[#ids + 1] = object.id end
  end
  if #ids > 1 then return object_lists.ambiguous(method, what .. "s", name, ids) end
  if ids[1] then return ids[1] end
  return object_lists.unknown(method, what, name, names)
end

--- A function that looks names up; it reads the list once, at the first name.
---@param part { list: fun(self: table): table[]?, scrutinizer.Error? }
---@param what string
---@return fun(method: string, name: string): integer?, scrutinizer.Error? finder `method`: for messages
function object_lists.finder(part, what)
  local list
  return function(method, name)
    local err
    if not list then list, err = part:list() end
    if not list then return nil, err end
    return object_lists.id_of(list, method, what, name)
  end
end

--- An id (a number), or a name (a text), as `look_up` takes it; nil when it is neither.
---@param value any
---@param least integer the least id
---@return integer|string|nil
function object_lists.who(value, least)
  return check.integer(value, least) or (check.name(value) and value) or nil
end

--- The id for what `who` has returned: a name is looked up.
---@param part table
---@param method string
---@param what string
---@param who integer|string
---@return integer? id
---@return scrutinizer.Error? err
function object_lists.look_up(part, method, what, who)
  if type(who) == "number" then return who end
  local id, err = object_lists.finder(part, what)(method, who)
  return id, err
end

return object_lists
