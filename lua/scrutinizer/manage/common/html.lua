--- Reads texts of the appliance's web pages: removes HTML, and converts speeds and percentages to numbers.

local ascii = require "scrutinizer.ascii"

local html = {}

local ENTITIES = { amp = "&", lt = "<", gt = ">", quot = '"', apos = "'", nbsp = " " }

local function entity(name)
  if ENTITIES[name] then return ENTITIES[name] end
  local code = tonumber(name:match "^#(%d+)$" or "") or tonumber(name:match "^#[xX](%x+)$" or "", 16)
  return code and code >= 32 and code < 127 and string.char(code) or nil
end

--- A text without HTML tags and outer spaces; entities of ASCII characters are decoded.
---@param text string
---@return string
function html.plain(text)
  text = text:gsub("<[A-Za-z/!][^<>]*>", ""):gsub("&(#?[A-Za-z0-9]+);", entity)
  return (text:match "^%s*(.-)%s*$")
end

local UNITS = { [""] = 1, k = 1e3, m = 1e6, g = 1e9, t = 1e12, p = 1e15 }

--- The bits per second in a text such as "Interface Speed: 10.00 Mb/s"; nil if there are none.
---@param text? string
---@return integer?
function html.bits_per_second(text)
  if not text then return nil end
  local number, prefix, unit = html.plain(text):match "(%d[%d,]*%.?%d*)%s*([A-Za-z]?)(b[A-Za-z]*/?s)"
  if not number or (unit ~= "b/s" and unit ~= "bps" and unit ~= "bits/s" and unit ~= "bit/s") then return nil end
  local factor = UNITS[ascii.lower(prefix)]
  return factor and math.floor(ascii.number((number:gsub(",", ""))) * factor + 0.5)
end

--- The number of a text such as "44.0755%"; nil if it is not a percentage.
---@param text? string
---@return number?
function html.percent(text)
  return text and ascii.number(html.plain(text):match "^(%-?[%d.]+)%s*%%$") or nil
end

return html
