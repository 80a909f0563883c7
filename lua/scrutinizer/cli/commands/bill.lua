--- `scrutinizer bill`: makes an invoice for a customer's month by percentile, and verifies saved bills.

local action_commands = require "scrutinizer.cli.action_commands"
local billing = require "scrutinizer.billing"
local customers = require "scrutinizer.cli.customers"
local data_file = require "scrutinizer.cli.data_files"
local errors = require "scrutinizer.errors"
local exit_status = require "scrutinizer.cli.exit_status"
local many_bills = require "scrutinizer.cli.many_bills"
local output = require "scrutinizer.cli.output"
local profile = require "scrutinizer.cli.profile"
local sink = require "scrutinizer.sink"

local TARIFF = 'The tariff is a file with a Lua table, or with JSON if its name ends in .json: { currency = "EUR", unit = "Mbps", commit = 100, '
  .. 'commit_price = 500, price = 750, step = 1, fees = { { name = "Port", amount = 10000, prorate = true } } }. Money is in minor units '
  .. "(cents). The library's billing/tariff.lua lists all fields."

local function number_pair(text)
  local exporter, index = text:match "^(.-)/(%d+)$"
  if not exporter then return nil, ("'%s' is not of the form exporter/interface"):format(text) end
  return { exporter, tonumber(index) }
end

local function add_customer(command)
  command:group("Whose traffic (one kind)",
    command:option("--interface", "Exporter and interface number. Repeat it for more ports; they are summed before ranking.")
      :argname "<exporter/index>":count "*":convert(number_pair),
    command:option("--ip-group", "An IP group. " .. action_commands.WHO):argname "<group>":count "*":convert(action_commands.who),
    command:option("--network", "A network, such as 10.0.0.0/8."):argname "<network>":count "*",
    command:option("--ip", "An address."):argname "<ip>":count "*",
    command:option("--exporter", "Required with --ip-group, --network and --ip: count only the flows of this exporter. all: count the flows of all "
      .. "exporters; use it only if no two exporters report the same flow, because such a flow would be counted twice.")
      :argname "<exporter>",
    command:option("--report", "Type of the report whose graph is read (default host2host)."):argname "<type>",
    command:option("--limit", "Number of series in the graph (default 1); the rest is summed as Other."):argname "<rows>":convert(tonumber))
end

local function add_rules(command)
  command:group("Percentile",
    command:option("--percent", "The percentile (default 95)."):argname "<percent>",
    command:option("--method", "Formula of the rank (default nearest_rank)."):choices { "nearest_rank", "librenms", "cacti", "rrdtool", "linear" },
    command:option("--direction", "Which direction counts (default higher_percentile).")
      :choices { "higher_percentile", "higher_sample", "sum", "inbound", "outbound" },
    command:option("--missing", "What a missing sample counts as (default error)."):choices { "error", "zero", "drop", "carry" },
    command:option("--threshold", "Share of the samples that may be missing, such as 0.01."):argname "<share>")
  command:group("Accept what is refused by default",
    command:option("--coarser", "Bill from buckets of this many minutes (more than five)."):argname "<minutes>":convert(tonumber),
    command:flag("--sparse", "Accept points that are more than five minutes apart as five-minute sums."),
    command:flag("--truncated", "Bill although some rows have no series."),
    command:flag("--unfinished", "Bill a period that has not ended."),
    command:option("--coverage", "Least share of the interfaces' totals that the appliance's conversations must hold (default 0.99).")
      :argname "<share>")
end

local function add_options(command)
  customers.period_options(command)
  add_customer(command)
  add_rules(command)
  command:group("The invoice",
    command:option("--tariff", "File with the prices; see below."):argname "<file>",
    command:option("--customer", "Name on the invoice."):argname "<name>",
    command:option("--number", "Number of the invoice."):argname "<number>",
    command:option("--format", "text, csv, json or html."):choices { "text", "csv", "json", "html" }:default "text",
    command:option("-o --output", "File to write; it appears only when it is complete. Default: standard output."):argname "<file>",
    command:option("--save", "Also keep the samples and the invoice in a file that --verify reads."):argname "<file>",
    command:option("--from", "Make the bills of all --customers from the files of scrutinizer collect in this folder; needs no appliance. Each "
      .. "bill is saved in the folder --into (with --format html, csv or text that, too), and a table of all is written."):argname "<folder>",
    command:option("--customers", "With --from: file with the customers, as of scrutinizer collect."):argname "<file>",
    command:option("--into", "With --from: folder of the bills."):argname "<folder>",
    command:option("--verify", "Compute a saved bill again and compare it byte by byte; needs no appliance."):argname "<file>")
end

local function period_of(args)
  return customers.period(args, "bill") or error("bill: give the period: --month or --between", 0)
end

local function list(values)
  return values and #values > 0 and values or nil
end

local function customer_of(args)
  return { interfaces = list(args.interface), ip_group = list(args.ip_group), network = list(args.network), ip = list(args.ip),
    exporter = args.exporter, report = args.report, limit = args.limit }
end

-- The customer's name; default: the addresses or interfaces.
local function name_of(args)
  if args.customer then return args.customer end
  local words = {}
  for _, kind in ipairs { "ip_group", "network", "ip" } do
    for _, value in ipairs(args[kind]) do words[#words + 1] = (kind == "ip_group" and "IP group " or "") .. tostring(value) end
  end
  for _, port in ipairs(args.interface) do words[#words + 1] = ("%s/%d"):format(port[1], port[2]) end
  return table.concat(words, ", ")
end

local function write(args, text)
  local to, err = sink.open(args.output or io.stdout)
  if not to then return nil, err end
  local ok
  ok, err = to:write(text)
  if ok then ok, err = to:finish() end
  if ok and not args.output then ok, err = output.flushed(true) end
  if ok then return exit_status.DONE end
  to:abort()
  return nil, err
end

local function verify(args)
  local bill, done = billing.verify(args.verify)
  if not bill then return nil, done end
  if done then
    io.stderr:write(("scrutinizer: bill: its custom rule, %s, was %s; billing.verify runs it when it is handed over\n"):format(
      errors.neutral(bill.rule.name, 100), done.rule))
  end
  return write(args, bill[args.format](bill))
end

local function usage_of(args)
  return { percent = args.percent, method = args.method, direction = args.direction, missing = args.missing, threshold = args.threshold }
end

local function make(args)
  if not args.tariff then error("bill: --tariff is missing: the file with the prices; see scrutinizer bill --help", 0) end
  local of, tariff = period_of(args), data_file.load(args.tariff)
  local queries = billing.queries(profile.connect(args), customer_of(args))
  local samples, err = billing.collect(of, queries, { coarser = args.coarser, sparse = args.sparse, truncated = args.truncated,
    unfinished = args.unfinished, coverage_by_totals = args.coverage })
  if not samples then return nil, err end
  return billing.invoice {
    customer = name_of(args), number = args.number, samples = samples, tariff = tariff,
    usage = usage_of(args),
  }
end

local function bill(args)
  if args.verify then return verify(args) end
  if args.from then return many_bills.run(args, usage_of(args)) end
  local made, err = make(args)
  if not made then return nil, err end
  if args.save then
    local ok
    ok, err = made:save(args.save)
    if not ok then return nil, err end
  end
  return write(args, made[args.format](made))
end

--- Adds the command; returns its handler.
return function(root)
  local command = root:command("bill", "Invoice for a customer's month, by the 95th percentile of five-minute samples.",
    TARIFF .. "\n\nExample: scrutinizer bill --month 2025-11 --timezone Europe/Berlin "
      .. "--network 10.8.0.0/24 --exporter 10.1.1.4 --tariff gold.lua --save bill.json\n\n" .. customers.HELP)
  add_options(command)
  return { bill = bill }
end
