--- Files of data that the command reads: profiles, tariffs. What is wrong with them is raised as an error of ours, with its exit status.

local errors = require "scrutinizer.errors"
local files = require "scrutinizer.files"

local data_files = {}

--- Raises: the configuration is wrong.
---@param text string format
function data_files.wrong(text, ...)
  error(errors.new("file", text:format(...), { exit = "CONFIG" }), 0)
end

local wrong = data_files.wrong

local MAX_TEXT = 2 ^ 20 -- bytes
local MAX_STEPS = 100000 -- of Lua's machine
local MAX_MADE = 2 ^ 20 -- bytes, beside what the text itself takes

--- A file's text.
---@param path string
---@return string? text
---@return string? why
function data_files.read(path)
  return files.read(path, MAX_TEXT)
end

-- Runs a chunk that knows no global, in bounded time and memory: every step is counted. Strings have no methods meanwhile: a step inside `rep` or
-- `find` has no end that could be counted.
local function run(chunk, size)
  local strings = debug.getmetatable ""
  local methods, steps, most = strings.__index, 0, collectgarbage "count" + (MAX_MADE + 40 * size) / 1024
  local over = false -- from then on the steps are ours
  local function stop(why)
    over = true
    error(why, 0)
  end
  strings.__index = nil
  debug.sethook(function()
    steps = steps + 1
    if over then return end
    if steps > MAX_STEPS then stop "it does not end" end
    if collectgarbage "count" > most then stop "it makes too much" end
  end, "", 1)
  local ok, value = pcall(chunk)
  debug.sethook()
  strings.__index = methods
  return ok, value
end

--- The table that a text holds as Lua data. It runs without any global, in bounded time and memory: data, not a program.
---@param path string for messages
---@param text string
---@return table
function data_files.parse(path, text)
  if not text:find "^%s*return" then text = "return " .. text end
  local chunk, why
  local old_load, set_environment = rawget(_G, "loadstring"), rawget(_G, "setfenv")
  if set_environment then
    chunk, why = old_load(text, "=" .. path)
    if chunk then set_environment(chunk, {}) end
  else
    chunk, why = load(text, "=" .. path, "t", {})
  end
  if not chunk then wrong("%s", why) end
  -- Compiled code asks no hook.
  local jit = rawget(_G, "jit")
  if jit then jit.off(chunk, true) end
  local ok, value = run(chunk, #text)
  if not ok then wrong("%s: %s", path, errors.neutral(value, 200)) end
  if type(value) ~= "table" then wrong("%s: no table of settings in it", path) end
  return value
end

--- The table of a file of Lua data; of JSON where its name ends so.
---@param path string
---@return table
function data_files.load(path)
  local text, why = data_files.read(path)
  if not text then wrong("%s", why) end
  if not path:find "%.json$" then return data_files.parse(path, text) end
  local value, err = require("scrutinizer").decode(text)
  if type(value) ~= "table" then wrong("%s: %s", path, err and err.message or "no object in it") end
  return value
end

return data_files
