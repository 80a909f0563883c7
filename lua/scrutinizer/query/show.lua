--- A request as text for people: a URL, or a shell command. It never contains the token.

local wire = require "scrutinizer.wire"

local show = {}

-- Does not show the secret's length either.
local MASK = "***"

--- The request as a GET URL, percent-encoded.
---@param base string the appliance's URL
---@param form table<string, string>
---@param has_token boolean
---@return string
function show.url(base, form, has_token)
  local url = base .. (base:find("?", 1, true) and "&" or "?") .. wire.urlencode(form)
  if has_token then url = url .. "&" .. wire.form.token .. "=" .. MASK end
  return url
end

-- For a POSIX shell: within single quotes only the single quote is special.
local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- The request as one curl command line. Values are in single quotes; the JSON encoder has already escaped their control bytes.
---@param base string
---@param form table<string, string>
---@param has_token boolean
---@return string
function show.curl(base, form, has_token)
  local words = { "curl", "--silent", "--show-error", "--globoff" }
  local list = wire.form_list(form)
  if has_token then list[#list + 1] = { wire.form.token, MASK } end
  for _, field in ipairs(list) do
    words[#words + 1] = "--data-urlencode"
    words[#words + 1] = quote(field[1] .. "=" .. field[2])
  end
  words[#words + 1] = quote(base)
  return table.concat(words, " ")
end

--- A report's request as the command line that runs `reporting.cgi` on the appliance.
---@param path string
---@param form table<string, string>
---@return string
function show.command(path, form)
  local words = { quote(path) }
  for _, word in ipairs(wire.command_arguments(form)) do words[#words + 1] = quote(word) end
  return table.concat(words, " ")
end

return show
