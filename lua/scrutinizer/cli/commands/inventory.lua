--- `scrutinizer devices`, `interfaces` and `hosts`.

local action_commands = require "scrutinizer.cli.action_commands"
local exit_status = require "scrutinizer.cli.exit_status"
local output = require "scrutinizer.cli.output"
local profile = require "scrutinizer.cli.profile"

local function devices(client, args)
  local list, err = client.devices:list()
  return action_commands.show(args, list, err, { "ip", "name" })
end

local function names(client, args)
  local list, err = client.exporters:list()
  return action_commands.show(args, list, err, { "ip", "name", "dns", "sysname", "label" })
end

local function groups(client, args)
  local list, err = client.device_groups:list()
  return action_commands.show(args, list, err, { "id", "name" })
end

local function members(client, args)
  local id, wrong = action_commands.id_of(client.device_groups, args.who, "device group")
  if not id then return nil, wrong end
  local list, err = client.device_groups:members(id)
  return action_commands.show(args, list, err, { "ip", "name" })
end

local INTERFACE = { "exporter", "device", "index", "name", "speed", "in_percent", "in_rate", "out_percent", "out_rate" }

local function interfaces(args)
  local list, err = profile.connect(args).interfaces:list { exporter = args.exporter }
  for _, one in ipairs(list or {}) do
    one.in_percent, one.in_rate = one.inbound.percent, one.inbound.rate
    one.out_percent, one.out_rate = one.outbound.percent, one.outbound.rate
  end
  return action_commands.show(args, list, err, INTERFACE)
end

local function addresses(args)
  local list = args.ips
  if args.from then
    for word in action_commands.read(args.from):gmatch "%S+" do list[#list + 1] = word end
  end
  if #list == 0 then error("hosts: give addresses, or --from", 0) end
  return list
end

local HOST = { "ip", "found", "exporter", "first", "last", "connections", "error" }

-- One row for each exporter that has seen a host; one row for a host that no exporter has seen.
local function host_rows(hosts)
  local rows = {}
  for _, host in ipairs(hosts) do
    for _, seen in ipairs(host.seen) do
      seen.ip, seen.found = host.ip, "yes"
      rows[#rows + 1] = seen
    end
    if #host.seen == 0 then rows[#rows + 1] = { ip = host.ip, found = host.found == false and "no" or "", error = host.error } end
  end
  return rows
end

local function hosts(args)
  local list, err = profile.connect(args).hosts:find(addresses(args))
  return action_commands.show(args, list and host_rows(list), err, HOST)
end

return function(root)
  local command = root:command("interfaces",
    "List interfaces: their number (for report --interface), speed and rates in bit/s, load in percent of the speed.",
    "Example: scrutinizer interfaces --exporter core-1 --format csv")
  command:option("--exporter", "Only interfaces of this exporter: its address or any of its names."):argname "<exporter>"
  output.options(command)
  command = root:command("hosts", "List the exporters that have seen an address, with first and last time. `found` is `no` if none has seen it.",
    ("Example: scrutinizer hosts --from addresses.txt --format csv. Exit status %d when the appliance refused one of them.")
      :format(exit_status.REFUSED))
  command:argument("ips", "Addresses."):args "*":argname "<ip>"
  command:option("--from", "File with addresses, separated by spaces or line ends; - is standard input."):argname "<file>"
  output.options(command)
  return {
    devices = action_commands.command(root, "devices", "List devices, their names, device groups and the members of a group.", {
      { name = "list", run = devices, help = "All devices." },
      { name = "names", run = names, help = "All devices with DNS name, sysname and label, if the token may see them." },
      { name = "groups", run = groups, help = "All device groups." },
      {
        name = "members", run = members, help = "The devices in a group. " .. action_commands.WHO, example = "members Campus",
        setup = function(sub) sub:argument("who", "The group."):argname "<who>":convert(action_commands.who) end,
      },
    }),
    interfaces = interfaces, hosts = hosts,
  }
end
