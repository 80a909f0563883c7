--- "Did you mean": finds the known name that is nearest to a misspelt one.

local ascii = require "scrutinizer.ascii"
local check = require "scrutinizer.check"

local suggest = {}

-- Edits that turn `a` into `b` (insert, delete, replace, swap neighbours), or nil when more than `max`.
local function distance(a, b, max)
  if math.abs(#a - #b) > max then return nil end
  local before, row = {}, {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local two_before = before
    before, row = row, { [0] = i }
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      row[j] = math.min(before[j] + 1, row[j - 1] + 1, before[j - 1] + cost)
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], two_before[j - 2] + 1)
      end
    end
  end
  return row[#b] <= max and row[#b] or nil
end

--- The known name that is nearest to a misspelt one, ignoring case; nil when none is near.
---@param name string
---@param list table<string, any> the known names are its keys
---@param max? integer edits allowed (default 2; case alone is no edit)
---@return string?
function suggest.nearest(name, list, max)
  if type(name) ~= "string" or #name > 100 then return nil end
  local lower, best, best_edits = ascii.lower(name), nil, nil
  for _, known in ipairs(check.sorted_keys(list)) do
    local edits = distance(lower, ascii.lower(known), max or 2)
    if edits and (not best_edits or edits < best_edits) then best, best_edits = known, edits end
  end
  return best
end

--- The known names that are near to a name: those that differ by case or a few edits, and those that contain it or are contained in it.
---@param name string
---@param list string[]
---@param most integer how many to give at most
---@return string[] near sorted by their bytes
function suggest.near(name, list, most)
  local lower, set, near = ascii.lower(name), {}, {}
  local edits = math.max(2, math.floor(#name / 4))
  for _, known in ipairs(list) do
    local other = ascii.lower(known)
    local within = #lower > 2 and #other > 2 and (other:find(lower, 1, true) or lower:find(other, 1, true))
    if within or (#name <= 100 and #known <= 200 and distance(lower, other, edits)) then set[known] = true end
  end
  for _, known in ipairs(check.sorted_keys(set)) do
    if #near < most then near[#near + 1] = known end
  end
  return near
end

--- For open lists: the known name that `name` misspells; nil when `name` is known or is a different name.
--- Short names are close to many others by chance. Up to 4 bytes only the case may differ; up to 8 bytes one edit, above that two.
---@param name string
---@param list table<string, any>
---@return string?
function suggest.misspelt(name, list)
  if list[name] then return nil end
  local max = #name < 5 and 0 or #name < 9 and 1 or 2
  return suggest.nearest(name, list, max)
end

--- The hint of a message: `did you mean "x"?`, or nil.
---@param known? string
---@return string?
function suggest.did_you_mean(known)
  return known and ('did you mean "%s"?'):format(known) or nil
end

--- A name from an open list. Unknown names are accepted; a misspelt known name, an empty string or another type is not.
---@param value any
---@param list table<string, any>
---@return string? value
---@return string? hint "did you mean", when it is misspelt
function suggest.open(value, list)
  if type(value) ~= "string" or value == "" then return nil end
  local meant = suggest.misspelt(value, list)
  if meant then return nil, suggest.did_you_mean(meant) end
  return value
end

return suggest
