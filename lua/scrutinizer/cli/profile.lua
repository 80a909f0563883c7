--- The appliance's URL, token and connection settings: from options, environment and profile file.

local check = require "scrutinizer.check"
local data_file = require "scrutinizer.cli.data_files"
local suggest = require "scrutinizer.suggest"
local scrutinizer = require "scrutinizer"

local profile = {}

local wrong = data_file.wrong

local KNOWN = { url = "string", token = "string", ca_file = "string", verify = "boolean", pin = "string", proxy = "string", timeout = "number" }

--- Adds the options that every command has.
function profile.options(parser)
  parser:group("Appliance",
    parser:option("--url", "The appliance's address."):argname "<url>",
    parser:option("--ca", "File with the CA certificate that signed the appliance's certificate."):argname "<file>",
    parser:option("--pin", "Hash of the appliance's public key: sha256//…"):argname "<pin>",
    parser:flag("--no-verify", "Do not check the certificate: an attacker on the network path can then read the token."),
    parser:option("--token-file", "File with the token; it must be readable by its owner only."):argname "<file>",
    parser:option("--config", "Profile file (default ~/.config/scrutinizer/config.lua); it must be readable by its owner only."):argname "<file>",
    parser:option("--profile", "Name of a profile in that file."):argname "<name>",
    parser:option("--proxy", "URL of a proxy."):argname "<url>",
    parser:option("--timeout", "Seconds to wait for the appliance in total (default 300)."):argname "<seconds>":convert(tonumber))
end

-- What is wrong with a file's owner and mode (for a link: its target's), by the stat command; nil when nothing is, or without stat.
local function exposed(path)
  local pipe = io.popen("stat -L -c '%f %u' -- '" .. path:gsub("'", "'\\''") .. "' 2>/dev/null && id -u")
  local output = pipe and pipe:read "*a" or ""
  if pipe then pipe:close() end
  local mode, owner, me = output:match "^(%x+) (%d+)\n(%d+)"
  if not mode then return nil end
  if tonumber(mode, 16) % 64 ~= 0 then return "others can read it; run chmod 600 on it" end -- any bit of group or others
  if owner ~= me and owner ~= "0" then return "it belongs to another user; change its owner" end
end

-- Neither names that are not known nor values are shown: they may be a token in the wrong place.
local function check_settings(path, settings, where)
  for name, value in pairs(settings) do
    local is_profile = where == "" and type(name) == "string" and not KNOWN[name] and type(value) == "table"
    if not is_profile and not KNOWN[name] then
      local hint = type(name) == "string" and suggest.did_you_mean(suggest.nearest(name, KNOWN))
      wrong("%s: unknown setting%s; %s", path, where == "" and "" or " in " .. where:sub(1, -2),
        hint or "allowed: url, token, ca_file, verify, pin, proxy, timeout, and profiles (tables of these)")
    end
    if not is_profile and type(value) ~= KNOWN[name] then wrong("%s: %s%s must be a %s", path, where, name, KNOWN[name]) end
  end
  if settings.url and not settings.url:find "^[A-Za-z]+://" then wrong("%s: %surl must begin with https://", path, where) end
end

-- Refuses a file that others can read, whatever it contains.
local function guard(path)
  local why = exposed(path)
  if why then wrong("%s may hold a secret and %s", path, why) end
end

local function from_file(args)
  local home = os.getenv "HOME"
  local base = os.getenv "XDG_CONFIG_HOME" or (home and home .. "/.config")
  local path = args.config or (base and base .. "/scrutinizer/config.lua")
  local text, why, absent
  if path then
    guard(path)
    text, why, absent = data_file.read(path)
  end
  if not text then
    if args.config or (path and not absent) then wrong("%s", why) end
    if args.profile then wrong("the profile file %s does not exist", path or "") end
    return {}
  end
  local data = data_file.parse(path, text)
  check_settings(path, data, "")
  if not args.profile then return data end
  local chosen = data[args.profile]
  if type(chosen) ~= "table" then wrong("%s: it has no profile %s", path, check.show(args.profile)) end
  check_settings(path, chosen, args.profile .. ".")
  return chosen
end

local function token_of(args, settings)
  if not args.token_file then return settings.token end
  guard(args.token_file)
  local text, why = data_file.read(args.token_file)
  if not text then wrong("%s", why) end
  local token = text:match "^%s*(%S+)%s*$"
  if not token then wrong("%s: it must contain one token and nothing else", args.token_file) end
  return token
end

--- Connects as the arguments, the environment and the profile file say. Raises a scrutinizer.Error.
---@param args table
---@param more? table further options of connect; they replace the others
---@return scrutinizer.Client
function profile.connect(args, more)
  local settings = from_file(args)
  local ca = args.ca or settings.ca_file or os.getenv "SCRUTINIZER_CA"
  local verify = settings.verify
  if args.no_verify then verify = false end
  local options = {
    url = args.url or os.getenv "SCRUTINIZER_URL" or settings.url,
    token = token_of(args, settings),
    proxy = args.proxy or settings.proxy, timeout = args.timeout or settings.timeout,
    tls = { ca_file = ca, verify = verify, pin = args.pin or settings.pin },
  }
  -- A profile's token is only for that profile's URL.
  if not args.token_file and settings.token and settings.url and options.url ~= settings.url then options.token = nil end
  if not options.url then wrong("no appliance is named: use --url, set SCRUTINIZER_URL, or write a profile file") end
  -- connect uses the environment's token only for the environment's URL.
  if not options.token and not os.getenv "SCRUTINIZER_TOKEN" then options.token = false end
  for name, value in pairs(more or {}) do options[name] = value end
  local client, err = scrutinizer.connect(options)
  if not client then error(err, 0) end
  return client
end

return profile
