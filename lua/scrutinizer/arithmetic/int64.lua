--- LuaJIT's cdata of 64 bits: for whole numbers that no double holds exactly. On other Luas there are none.

local core = require "scrutinizer.core"

local int64 = {}

-- Hosts may give scripts a table of globals of their own; `package` they share. A LuaJIT may be built without its ffi.
local found, module = false, nil
if package.loaded.jit then found, module = pcall(require, "ffi") end
local ffi = found and module or nil

--- Whether this Lua holds all whole numbers of 64 bits: as integers (Lua 5.3 and later), or as cdata (LuaJIT).
int64.available = ffi ~= nil or rawget(math, "type") ~= nil

local signed = ffi and ffi.typeof "int64_t"
local unsigned = ffi and ffi.typeof "uint64_t"

-- The number with these halves; the low one is from 0 to 2^32-1.
local function make(high, low)
  return signed(high) * 4294967296 + signed(low)
end

if ffi then core.int64(make) end

--- The decimal digits of a cdata, with "-" first if it is negative; nil for any other value.
---@param value any
---@return string?
function int64.text(value)
  if not ffi or type(value) ~= "cdata" or not (ffi.istype(signed, value) or ffi.istype(unsigned, value)) then return nil end
  return (tostring(value):match "^%-?%d+")
end

local MOST, LEAST = "9223372036854775807", "9223372036854775808"

--- The cdata for decimal digits; nil if 64 bits do not hold the number, or this Lua has no cdata.
---@param text string digits, with "-" first if negative
---@return any
function int64.make(text)
  local minus, digits = text:match "^(%-?)(%d+)$"
  local most = minus == "-" and LEAST or MOST
  if not ffi or #digits > #most or (#digits == #most and digits > most) then return nil end
  local value = signed(0)
  for at = 1, #digits do
    local digit = digits:byte(at) - 48
    value = value * 10 - digit -- negative: the least number has no positive counterpart
  end
  return minus == "-" and value or -value
end

return int64
