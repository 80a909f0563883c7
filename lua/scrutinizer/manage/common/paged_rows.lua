--- Lists of the appliance's web pages: rows of cells, requested page by page until a page is empty.

local call = require "scrutinizer.transport.call"
local errors = require "scrutinizer.errors"
local object_lists = require "scrutinizer.manage.common.object_lists"
local item_results = require "scrutinizer.manage.common.item_results"

local paged_rows = {}

-- Rows per request.
local PAGE = 10000

-- Requests one page. Returns its rows as `read` returns them; or nil and err.
local function page(client, method, form, read)
  local answer, err = call.send(client, form)
  if answer == nil then return nil, err end
  local found = type(answer) == "table" and answer.rows
  if not item_results.is_list(found) then return object_lists.malformed(method, "a list 'rows'") end
  local list = {}
  for i, row in ipairs(found) do
    list[i] = read(row)
    if list[i] == nil then return object_lists.malformed(method, ("the expected fields in row %d"):format(i)) end
  end
  return list
end

-- Adds a page's rows; false if one of them occurred before.
local function take(all, seen, list, key)
  for _, item in ipairs(list) do
    local mark = key(item)
    if seen[mark] then return false end
    seen[mark], all[#all + 1] = true, item
  end
  return true
end

local function same(list, other, key)
  if #list ~= #other then return false end
  for i, item in ipairs(list) do
    if key(item) ~= key(other[i]) then return false end
  end
  return true
end

-- Two pages had the same rows: whether they are the whole list. They are if the appliance ignores the limit as well. If it ignores only the
-- offset, the list may be cut at a limit, its own or ours.
local function ignores_limits(client, method, form, read, all)
  if #all == 1 then return true end
  local one, err = page(client, method, form(0, 1), read)
  if not one then return nil, err end
  return #one == #all
end

-- A page repeats a row: returns true if the list is complete, else nil and err.
local function repeated(client, method, form, read, all, list, key)
  local whole, err = false, nil
  if same(all, list, key) then whole, err = ignores_limits(client, method, form, read, all) end
  if whole then return true end
  return nil, err
    or errors.new("changed", method .. ": a row came twice: the list changed between two pages, or the appliance sends the same page again")
end

--- All rows of a list. Only an empty page ends it: a short page may be the appliance's own limit.
---@param client scrutinizer.Client
---@param method string
---@param form fun(offset: integer, rows: integer): table<string, string>
---@param read fun(row: any): any a row's value; nil: the row cannot be read, which is an error
---@param key fun(item: any): string a text that is unique for each row
---@return any[]?
---@return scrutinizer.Error? err
function paged_rows.all(client, method, form, read, key)
  local all, seen = {}, {}
  while true do
    local before = #all
    local list, err = page(client, method, form(before, PAGE), read)
    if not list then return nil, err end
    if #list == 0 then return all end
    if not take(all, seen, list, key) then
      for i = #all, before + 1, -1 do all[i] = nil end
      local whole
      whole, err = repeated(client, method, form, read, all, list, key)
      if not whole then return nil, err end
      return all
    end
  end
end

--- The rows of a list that fits in one answer.
---@param client scrutinizer.Client
---@param method string
---@param form table<string, string>
---@param read fun(row: any): any
---@return any[]?
---@return scrutinizer.Error? err
function paged_rows.once(client, method, form, read)
  return page(client, method, form, read)
end

return paged_rows
