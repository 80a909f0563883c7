--- The file of customers that `collect` and `bill --from` read, and the periods that both take.

local billing = require "scrutinizer.billing"
local data_files = require "scrutinizer.cli.data_files"
local zone = require "scrutinizer.time.zone"

local customers = {}

customers.HELP = 'The customers are a file with a Lua table, or with JSON if its name ends in .json: { { name = "ACME", network = "10.8.0.0/24", '
  .. 'exporter = "all", tariff = "gold.lua" }, { name = "Bolt", interfaces = { { "core-1", 3 } } }, … }. Each has a name and one of interfaces, '
  .. "ip_group, network, ip (all but interfaces with exporter); for bills also tariff (a table, or a file beside this one), usage, number."

--- Adds `--month`, `--between` and `--timezone`.
---@param command table argparse's
function customers.period_options(command)
  command:group("When (one of)",
    command:option("--month", "A calendar month, such as 2026-11."):argname "<month>",
    command:option("--between", "Part of a month, from <from> up to but not including <to>: epoch seconds or ISO 8601 text."):args(2)
      :argname { "<from>", "<to>" })
  command:option("--timezone", "IANA time zone in which days and months begin."):argname "<zone>":default "UTC"
end

local function moment(text)
  return text:find "^%d+$" and tonumber(text) or text
end

--- The period that the arguments name; nil when they name none.
---@param args table
---@param command string
---@return scrutinizer.Period?
function customers.period(args, command)
  if args.month and args.between then error(command .. ": give the period: --month or --between", 0) end
  if args.month then return (billing.month(args.month, args.timezone)) end
  if args.between then return (billing.period(moment(args.between[1]), moment(args.between[2]), args.timezone)) end
end

local WEEK = 7 -- days

--- The last seven days that have ended in the time zone.
---@param timezone string
---@param now integer
---@return scrutinizer.Period
function customers.last_week(timezone, now)
  local clock, complaint = zone.load(timezone)
  if not clock then error("--timezone: " .. complaint, 0) end
  local c = clock:civil(now)
  local to = clock:start { year = c.year, month = c.month, day = c.day }
  return (billing.period(clock:start { year = c.year, month = c.month, day = c.day - WEEK }, to, timezone))
end

--- Reads the customers. Raises when the file is wrong.
---@param path string
---@return table[]
function customers.load(path)
  local list = data_files.load(path)
  if list[1] == nil then data_files.wrong("%s: it contains no list of customers", path) end
  return list
end

--- A customer's tariff: its own table, the file that it names beside the customers' file, or the default.
---@param customer table
---@param path string of the customers' file
---@param default? table
---@param seen table<string, table> files that were read
---@return table? tariff
function customers.tariff(customer, path, default, seen)
  local given = customer.tariff
  if type(given) ~= "string" then return given or default end
  local file = given:find "^/" and given or (path:match "^(.*/)[^/]*$" or "") .. given
  seen[file] = seen[file] or data_files.load(file)
  return seen[file]
end

return customers
