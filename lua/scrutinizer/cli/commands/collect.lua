--- `scrutinizer collect`: samples of many customers into files, for bills.

local billing = require "scrutinizer.billing"
local customers = require "scrutinizer.cli.customers"
local errors = require "scrutinizer.errors"
local exit_status = require "scrutinizer.cli.exit_status"
local output = require "scrutinizer.cli.output"
local period = require "scrutinizer.billing.period"
local profile = require "scrutinizer.cli.profile"

local EPILOG = "Run it every day (examples/collect has a cron line and a systemd timer), while the appliance still has its one-minute tables: from "
  .. "five minutes on it keeps only the greatest conversations. Files that are complete are not asked for again. A customer that cannot be collected "
  .. "is named on standard error, does not stop the others, and is tried again the next time; then the exit status is 65.\n\n"

local function day_text(refusal, timezone)
  if not refusal.from then return "" end
  return (" (%s, %s)"):format(period.clock_text(timezone, refusal.from), refusal.side)
end

-- Names each customer that was refused, with its first day.
local function complain(refused, timezone)
  local seen, more = {}, {}
  for _, refusal in ipairs(refused) do
    local text = refusal.error.message
    local key = refusal.customer .. "\0" .. text:sub(1, 40)
    if seen[key] then more[key] = (more[key] or 0) + 1 end
    seen[key] = seen[key] or refusal
  end
  for _, refusal in ipairs(refused) do
    local key = refusal.customer .. "\0" .. refusal.error.message:sub(1, 40)
    if seen[key] == refusal then
      io.stderr:write(("scrutinizer: collect: %s%s: %s%s\n"):format(errors.neutral(refusal.customer, 100), day_text(refusal, timezone),
        refusal.error.message, more[key] and (" (and %d more times)"):format(more[key]) or ""))
    end
  end
end

local function collect(args)
  local of = customers.period(args, "collect") or customers.last_week(args.timezone, os.time())
  local list = customers.load(args.customers)
  local got, err = billing.collect_many(of, list, {
    client = profile.connect(args), dir = args.dir, settle = args.settle, coverage_by_totals = args.coverage,
  })
  if not got then return nil, err end
  local kept = 0
  for _, file in ipairs(got.files) do kept = kept + (file.kept and 1 or 0) end
  complain(got.refused, args.timezone)
  io.stdout:write(("%d files written, %d were there; %d refusals; %d days have not ended\n"):format(#got.files - kept, kept, #got.refused, got.open))
  return output.flushed(got.refused[1] and exit_status.DATA or exit_status.DONE)
end

--- Adds the command; returns its handler.
return function(root)
  local command = root:command("collect", "Samples of many customers into files, one for each day and side, for scrutinizer bill --from.",
    EPILOG .. customers.HELP .. "\n\nExample: scrutinizer collect --customers customers.lua --dir /var/lib/scrutinizer --timezone Europe/Berlin")
  customers.period_options(command)
  command:option("--customers", "File with the customers; see below."):argname "<file>":count(1)
  command:option("--dir", "Folder of the files; it must exist."):argname "<folder>":count(1)
  command:option("--settle", "How many seconds after its end a day is collected (default 900)."):argname "<seconds>":convert(tonumber)
  command:option("--coverage", "Least share of the interfaces' totals that the conversations must hold (default 0.99)."):argname "<share>"
  return { collect = collect }
end
