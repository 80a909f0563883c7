--- The text of one value, for people. Whole numbers have all their digits on every Lua.

local ascii = require "scrutinizer.ascii"
local errors = require "scrutinizer.errors"
local int64 = require "scrutinizer.arithmetic.int64"

local cells = {}

local find, format, gsub = string.find, string.format, string.gsub
local host_type = rawget(math, "type")
local math_type = host_type or function() return "float" end

-- The shortest text that reads back as the same number.
local function number_text(value)
  if math_type(value) == "integer" then return format("%d", value) end
  if value == math.floor(value) and value > -2 ^ 53 and value < 2 ^ 53 then return format("%.0f", value) end
  local short = ascii.format("%.15g", value)
  return ascii.number(short) == value and short or ascii.format("%.17g", value)
end
cells.number = number_text

--- Whether a value is a number, or the decimal text or int64 of one that this Lua cannot hold exactly.
---@param value any
---@return boolean
function cells.is_number(value)
  return type(value) == "number" or type(value) == "cdata" or (type(value) == "string" and find(value, "^%-?%d+%.?%d*$") ~= nil)
end

--- The width of a text on a terminal: one column per character.
---@param text string
---@return integer
function cells.width(text)
  if not find(text, "[\128-\255]") then return #text end
  return #gsub(text, "[\128-\191]", "")
end

--- A text from outside with control bytes shown as `\xNN`.
---@param text string
---@param max? integer bytes, default 1000; longer text is cut
---@return string
function cells.visible(text, max)
  return errors.neutral(text, max or 1000)
end

local PREFIXES = { "", "k", "M", "G", "T", "P", "E" }
local SUFFIX = { bytes = "B", bits = "b", count = "" }

--- A number for people, with a unit prefix in steps of 1000: 192134567 is "192.1 MB".
---@param value number|string
---@param unit "bytes"|"bits"|"count"
---@return string
function cells.units(value, unit)
  local number, step = ascii.number(value), 1
  if math.abs(number) < 1000 then
    local text = type(value) == "string" and value or number_text(value)
    return SUFFIX[unit] == "" and text or text .. " " .. SUFFIX[unit]
  end
  -- 999.95 would be written as 1000.0, so it takes the next prefix.
  while math.abs(number) >= 999.95 and PREFIXES[step + 1] do
    number, step = number / 1000, step + 1
  end
  return (ascii.format("%.1f %s%s", number, PREFIXES[step], SUFFIX[unit]):gsub(" $", ""))
end

local function unit_of(field, units)
  if units == false then return nil end
  if units and units[field.field] ~= nil then return units[field.field] or nil end
  if find(field.column, "octet") then return "bytes" end
  if find(field.column, "packet") then return "count" end
end

--- The function that writes a field's values in a table.
---@param field { field: string, column: string }
---@param o scrutinizer.ExportOptions
---@return fun(value: any): string
function cells.shown(field, o)
  local unit, max, null = unit_of(field, o.units), o.max_width or 60, o.null or ""
  return function(value)
    if value == nil then return null end
    value = int64.text(value) or value
    if unit and cells.is_number(value) then return cells.units(value, unit) end
    if type(value) == "number" then return number_text(value) end
    return cells.visible(tostring(value), max)
  end
end

return cells
