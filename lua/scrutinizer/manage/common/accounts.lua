--- Shared by the calls for users and usergroups: sends one request, reads `data` from its answer, returns one result per item.

local call = require "scrutinizer.transport.call"
local core = require "scrutinizer.core"
local item_results = require "scrutinizer.manage.common.item_results"
local wire = require "scrutinizer.wire.accounts"

local accounts = {}

--- A judge for answers whose entries are objects with the item's name. An `id` means success; `error` is the reason of a failure.
---@param result fun(item: table, entry?: table): table
---@return scrutinizer.Judge
function accounts.made(result)
  local function concerns(item, entry) return type(entry) == "table" and entry.name == item.name end
  local function complaint(entry) return entry.error ~= core.null and entry.error or nil end
  return {
    success = function(item, entry) return concerns(item, entry) and not complaint(entry) and item_results.whole(entry.id) ~= nil end,
    concerns = concerns,
    result = result,
    reason = function(entry) return item_results.text(complaint(entry) or entry) end,
  }
end

--- A judge for answers in sentences. The caller adds `success`.
---@param result fun(item: any): table
---@return scrutinizer.Judge
function accounts.about(result)
  return { concerns = function(item, sentence) return item_results.mentions(sentence, item) end, result = result }
end

--- Deletes the items that a list of ids and names refers to.
---@param client scrutinizer.Client
---@param method string
---@param who (integer|string)[] checked
---@param form fun(list: any[]): table<string, string>
---@param success fun(who: integer|string, sentence: any): boolean
---@return table[]? results
---@return scrutinizer.Error? err
function accounts.delete(client, method, who, form, success)
  local judge = accounts.about(function(one) return type(one) == "number" and { id = one } or { name = one } end)
  judge.success = success
  return accounts.change(client, method, who, form, judge)
end

--- Sends a write; its answer must be an object.
---@param client scrutinizer.Client
---@param method string
---@param form table<string, string>
---@param secrets? string[]
---@return table? answer
---@return scrutinizer.Error? err
function accounts.ask(client, method, form, secrets)
  local answer, err = call.send(client, form, { write = true, secrets = secrets })
  if answer == nil then return nil, err end
  if type(answer) ~= "table" then return item_results.malformed(method, "an object") end
  return answer
end

-- The sentences of an answer: those of the `wanted` lists, inside `data` or at the top level; and the errors. Nil if a wanted list is missing.
local function sentences_of(answer, wanted)
  local all, data = {}, answer.data
  if type(data) ~= "table" then data = answer end
  for _, name in ipairs(wanted) do
    if not item_results.is_list(data[name]) then return nil end
    for _, sentence in ipairs(data[name]) do all[#all + 1] = sentence end
  end
  local rest = data.errors
  if rest == core.null then rest = nil end
  if not item_results.is_list(rest) then rest = { rest } end -- a single object or text is one error
  return all, rest
end

--- Changes a list of items in one call.
---@param client scrutinizer.Client
---@param method string
---@param list any[] checked items; nothing is sent if it is empty
---@param form fun(list: any[]): table<string, string>
---@param judge scrutinizer.Judge
---@param how? { secrets?: string[], sentences?: string[] } sentences: the names of the answer's lists of successes; without it `data` is the list
---@return table[]? results
---@return scrutinizer.Error? err
function accounts.change(client, method, list, form, judge, how)
  if #list == 0 then return {} end
  how = how or {}
  local answer, err = accounts.ask(client, method, form(list), how.secrets)
  if not answer then return nil, err end
  local sayings, complaints = answer.data, nil
  if how.sentences then
    sayings, complaints = sentences_of(answer, how.sentences)
    if not sayings then return item_results.malformed(method, "a list '" .. how.sentences[1] .. "'") end
  elseif not item_results.is_list(sayings) then
    return item_results.malformed(method, "a list 'data'")
  end
  return item_results.judge(list, sayings, judge, call.masker(client, how.secrets), complaints)
end

--- Adds users to usergroups, or removes them.
---@param client scrutinizer.Client
---@param method string
---@param key "add"|"remove"
---@param list { user: integer|string, group: integer|string }[] checked
---@return table[]? results
---@return scrutinizer.Error? err
function accounts.change_members(client, method, key, list)
  local judge = accounts.about(function(item) return { user = item.user, group = item.group } end)
  function judge.success(item, sentence) return wire.said.member(key, item, sentence) end
  function judge.concerns(item, sentence) return item_results.mentions(sentence, item.user, item.group) end
  return accounts.change(client, method, list, function(all) return wire.membership(key, all) end, judge,
    { sentences = { key == "add" and "added" or "removed" } })
end

return accounts
