--- What the appliance's sentence about a refused item means, as a code.
---
--- The vendor shows two of these sentences: "A usergroup already exists with that name", and "… (0 matched)" for a user that does not exist. The
--- others are unverified. A sentence that is not known may also be a success in other words: then the item is "unconfirmed", not "refused".

local ascii = require "scrutinizer.ascii"

local item_codes = {}

---@alias scrutinizer.ItemCode
---| "exists"      the object or the membership exists already
---| "missing"     what the item names does not exist
---| "not_member"  the user is not in the group
---| "ambiguous"   several have the item's name
---| "refused"     the appliance refused it for another reason
---| "unconfirmed" the answer tells neither success nor failure

-- In this order. Names may hold anything, so sentences are matched at their ends where they have no name there.
local SAID = {
  { "not_member", " is not in usergroup ", " is not a member of ", " is not a member%.?$" },
  { "exists", " already exists with that name%.?$", " already exists%.?$", " is already in usergroup ", " is already a member" },
  { "missing", "%(0 matched%)$", " does not exist%.?$", "no such [a-z]+%.?$", " not found%.?$" },
  { "refused", "^not ", " not ", "cannot", "denied", "refused", "invalid", "failed", " has no " },
}

--- The code of a sentence that is not a documented success.
---@param sentence string
---@param otherwise scrutinizer.ItemCode of a sentence that is not known
---@return scrutinizer.ItemCode
function item_codes.of(sentence, otherwise)
  local text = ascii.lower(sentence):match "^%s*(.-)%s*$"
  for _, known in ipairs(SAID) do
    for i = 2, #known do
      if text:find(known[i]) then return known[1] end
    end
  end
  return otherwise
end

return item_codes
