--- Files of data that the command reads: profiles, tariffs. What is wrong with them is raised as an error of ours, with its exit status.

local errors = require "scrutinizer.errors"
local files = require "scrutinizer.files"

local data = {}

--- Raises: the configuration is wrong.
---@param text string format
function data.wrong(text, ...)
  error(errors.new("file", text:format(...), { exit = "CONFIG" }), 0)
end

local wrong = data.wrong

--- The table that a text holds as Lua data. It runs without any global and for a bounded time: data, not a program.
---@param path string for messages
---@param text string
---@return table
function data.parse(path, text)
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
  debug.sethook(function() error("it does not end", 0) end, "", 100000)
  local ok, value = pcall(chunk)
  debug.sethook()
  if not ok then wrong("%s: %s", path, errors.neutral(value, 200)) end
  if type(value) ~= "table" then wrong("%s: no table of settings in it", path) end
  return value
end

--- The table of a file of Lua data; of JSON where its name ends so.
---@param path string
---@return table
function data.load(path)
  local text, why = files.read(path)
  if not text then wrong("%s", why) end
  if not path:find "%.json$" then return data.parse(path, text) end
  local value, err = require("scrutinizer").decode(text)
  if type(value) ~= "table" then wrong("%s: %s", path, err and err.message or "no object in it") end
  return value
end

return data
