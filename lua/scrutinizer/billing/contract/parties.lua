--- What an invoice says about its two sides: seller and buyer with address and references, the dates, free text. Nothing is computed from it.

local check = require "scrutinizer.check"
local fields = require "scrutinizer.billing.contract.fields"
local times = require "scrutinizer.time.times"

local parties = {}

---@class scrutinizer.Party
---@field name? string       required for the seller; the buyer's name is `customer`
---@field address? string    may have several lines
---@field tax_number? string
---@field reference? string  the contract's, order's or customer's number
---@field contact? string

---@class scrutinizer.Parties
---@field seller? scrutinizer.Party
---@field buyer? scrutinizer.Party
---@field issued? string     date, "2026-12-01"
---@field due? string        date, not before `issued`
---@field note? string       free text; may have several lines

--- The fields of an invoice's input that are kept here.
parties.FIELDS = { "seller", "buyer", "issued", "due", "note" }

local SELLER = { name = true, address = true, tax_number = true, reference = true, contact = true }
local BUYER = { address = true, tax_number = true, reference = true, contact = true }

--- A party's fields in the order in which a bill shows them.
parties.SHOWN = { { "name", "Name" }, { "address", "Address" }, { "tax_number", "Tax number" },
  { "reference", "Reference" }, { "contact", "Contact" } }

local function party_complaint(what, party, known)
  if party == nil then return nil end
  if type(party) ~= "table" or next(party) == nil then
    return check.message(what, party, "a table with " .. table.concat(check.sorted_keys(known), ", "))
  end
  local complaint = fields.unknown(what, party, known)
  for _, name in ipairs(check.sorted_keys(party)) do complaint = complaint or fields.text(("%s.%s"):format(what, name), party[name]) end
  if not complaint and known.name and party.name == nil then return check.message(what .. ".name", nil, fields.TEXT) end
  return complaint
end

local function date_complaint(what, value)
  if value == nil or (type(value) == "string" and value:find "^%d%d%d%d%-%d%d%-%d%d$" and times.parse(value, "UTC")) then return nil end
  return check.message(what, value, 'a date such as "2026-12-01"')
end

--- What is wrong with the parties, dates and text of an invoice, or nil.
---@param given table
---@return string?
function parties.complaint(given)
  local complaint = party_complaint("seller", given.seller, SELLER) or party_complaint("buyer", given.buyer, BUYER)
    or date_complaint("issued", given.issued) or date_complaint("due", given.due)
    or (given.note ~= nil and fields.text("note", given.note) or nil)
  if complaint then return complaint end
  if given.issued and given.due and check.before(given.due, given.issued) then return "due: it is before issued" end
end

return parties
