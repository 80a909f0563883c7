--- Data files that the command reads: profiles, tariffs. A wrong file raises a scrutinizer.Error with its exit status.

local errors = require "scrutinizer.errors"
local files = require "scrutinizer.files"

local data_files = {}

--- Raises an error with the exit status "the configuration is wrong".
---@param text string format
function data_files.wrong(text, ...)
  error(errors.new("file", text:format(...), { exit = "CONFIG" }), 0)
end

local wrong = data_files.wrong

local MAX_TEXT = 2 ^ 20 -- bytes
local MAX_STEPS = 100000 -- instructions of the Lua virtual machine
local MAX_MADE = 2 ^ 20 -- bytes, in addition to the memory for the text

--- A file's text, at most 1 MiB.
---@param path string
---@return string? text
---@return string? why
---@return boolean? absent the file does not exist
function data_files.read(path)
  return files.read(path, MAX_TEXT)
end

-- Runs a chunk without globals, in bounded time and memory: a hook counts every step. Meanwhile strings have no methods, because one step inside
-- `rep` or `find` may take any time.
local function run(chunk, size)
  local strings = debug.getmetatable ""
  local methods, steps, most = strings.__index, 0, collectgarbage "count" + (MAX_MADE + 40 * size) / 1024
  local over -- why it was stopped: a limit was exceeded, the next steps are our own
  local function stop(why)
    over = why
    error(why, 0)
  end
  strings.__index = nil
  debug.sethook(function()
    steps = steps + 1
    if over then return end
    if steps > MAX_STEPS then stop "it runs too long" end
    if collectgarbage "count" > most then stop "it uses too much memory" end
  end, "", 1)
  local ok, value = pcall(chunk)
  debug.sethook()
  strings.__index = methods
  return ok, value, over
end

local ATTEMPTS = { "call", "index", "concatenate", "perform arithmetic", "get length", "compare" }

-- The line and the fault of Lua's message. Nothing else of it is shown: Lua quotes the text, which may hold a token.
local function fault_of(message)
  local line, said = tostring(message):match "^text:(%d+): (.*)$"
  if not line then return "", "it is not a Lua table" end
  for _, verb in ipairs(ATTEMPTS) do
    if said:find("attempt to " .. verb, 1, true) == 1 then return ":" .. line, "only data is allowed, and texts need quotes: attempt to " .. verb end
  end
  local fault = said:match "^'%S+' expected" or said:match "^<[a-z]+> expected"
    or said:match "^unfinished [a-z ]*[a-z]" or said:match "^([a-z ]+) near "
  return ":" .. line, fault or "it is not a Lua table"
end

--- Reads a text as a Lua table. The text runs without globals, in bounded time and memory: it is data, not a program. Errors name the line and the
--- kind of fault, and quote nothing.
---@param path string for messages
---@param text string
---@return table
function data_files.parse(path, text)
  if not text:find "^%s*return" then text = "return " .. text end
  local chunk, why
  local old_load, set_environment = rawget(_G, "loadstring"), rawget(_G, "setfenv")
  if set_environment then
    chunk, why = old_load(text, "=text")
    if chunk then set_environment(chunk, {}) end
  else
    chunk, why = load(text, "=text", "t", {})
  end
  if not chunk then wrong("%s%s: %s", path, fault_of(why)) end
  -- Code that LuaJIT has compiled calls no hook.
  local jit = rawget(_G, "jit")
  if jit then jit.off(chunk, true) end
  local ok, value, over = run(chunk, #text)
  if over then wrong("%s: %s", path, over) end
  if not ok then wrong("%s%s: %s", path, fault_of(value)) end
  if type(value) ~= "table" then wrong("%s: it contains no table of settings", path) end
  return value
end

--- Reads a file as a Lua table, or as JSON when its name ends in .json. Raises when the file is wrong.
---@param path string
---@return table
function data_files.load(path)
  local text, why = data_files.read(path)
  if not text then wrong("%s", why) end
  if not path:find "%.json$" then return data_files.parse(path, text) end
  local value, err = require("scrutinizer").decode(text)
  if type(value) ~= "table" then wrong("%s: %s", path, err and err.message or "it contains no object") end
  return value
end

return data_files
