local addresses = require "scrutinizer.addresses"
local ascii = require "scrutinizer.ascii"
local conditions = require "scrutinizer.wire.conditions"
local filters = require "scrutinizer.query.filters"
local names = require "scrutinizer.query.names"
local support = require "spec.support"
local wire_filters = require "scrutinizer.wire.filters"

-- What is given; the filters it makes with "in".
local CONDITIONS = {
  { { ip = "10.1.5.2" }, { "sdfIps=in_10.1.5.2_Both" } },
  { { src_ip = "8.8.8.8" }, { "sdfIps=in_8.8.8.8_src" } },
  { { dst_ip = { "1.2.3.4", "5.6.7.8" } }, { "sdfIps=in_1.2.3.4_dst", "sdfIps=in_5.6.7.8_dst" } },
  { { ip = "2001:db8::1" }, { "sdfIps=in_2001:db8::1_Both" } },
  { { ip = "::" }, { "sdfIps=in_::_Both" } },
  { { ip = "::ffff:10.0.0.1" }, { "sdfIps=in_::ffff:10.0.0.1_Both" } },
  { { ip = "1:2:3:4:5:6:7:8" }, { "sdfIps=in_1:2:3:4:5:6:7:8_Both" } },
  { { ip_group = 16800023 }, { "sdfIPGroups=in_16800023_both" } },
  { { ip_group = 16800023.0 }, { "sdfIPGroups=in_16800023_both" } },
  { { src_ip_group = { 1, 2 } }, { "sdfIPGroups=in_1_src", "sdfIPGroups=in_2_src" } },
  { { dst_ip_group = 7 }, { "sdfIPGroups=in_7_dst" } },
  { { network = "10.0.0.0/8" }, { "sdfIpns=in_10.0.0.0_8_both" } },
  { { src_network = "0.0.0.0/0" }, { "sdfIpns=in_0.0.0.0_0_src" } },
  { { dst_network = "20.140.0.0/15" }, { "sdfIpns=in_20.140.0.0_15_dst" } },
  { { network = "192.0.2.7/32" }, { "sdfIpns=in_192.0.2.7_32_both" } },
  { { network = "2001:db8::/32" }, { "sdfIpns=in_2001:db8::_32_both" } },
  { { port = 443 }, { "sdfSdPorts=in_443_both" } },
  { { src_port = 0 }, { "sdfSdPorts=in_0_src" } },
  { { dst_port = "65535" }, { "sdfSdPorts=in_65535_dst" } },
  { { app_port = "443/tcp" }, { "sdfPorts=in_443-6" } },
  { { app_port = "53/UDP" }, { "sdfPorts=in_53-17" } },
  { { app_port = "443/6" }, { "sdfPorts=in_443-6" } },
  { { app_port = { 443, "tcp" } }, { "sdfPorts=in_443-6" } },
  { { app_port = { 443, 6 } }, { "sdfPorts=in_443-6" } },
  { { app_port = { "443/tcp", { 53, "udp" } } }, { "sdfPorts=in_443-6", "sdfPorts=in_53-17" } },
  { { port = 53, app_port = "53/udp", ip = "10.0.0.1" },
    { "sdfPorts=in_53-17", "sdfIps=in_10.0.0.1_Both", "sdfSdPorts=in_53_both" } },
}

-- What is given; parts of the message.
local MISUSE = {
  { nil, "where: got nil; allowed: a table with any of the keys app_port, dst_ip," },
  { {}, "where: got a table; allowed: a table with any of the keys" },
  { "10.0.0.1", 'where: got "10.0.0.1"; allowed: a table' },
  { { scr_ip = "1.1.1.1" }, 'where: key: got "scr_ip"; allowed: app_port', 'did you mean "src_ip"?' },
  { { "1.1.1.1" }, "where: key: got 1; allowed: app_port" },
  { { ip = "server1" }, 'where: ip: got "server1"; allowed: the text of an IPv4 or IPv6 address' },
  { { ip = 10 }, "where: ip: got 10;" },
  { { ip = true }, "where: ip: got true;" },
  { { ip = {} }, "where: ip: got a table;", "or a list of them that is not empty" },
  { { ip = { a = "1.1.1.1" } }, "where: ip: got a table;" },
  { { ip = { "1.1.1.1", { "1.1.1.2" } } }, "where: ip: got a table;" },
  { { ip = { "1.1.1.1", "nope" } }, 'where: ip: got "nope";' },
  { { ip = "256.1.1.1" }, 'got "256.1.1.1"' },
  { { ip = "1.2.3" }, 'got "1.2.3"' },
  { { ip = "1.2.3.4.5" }, 'got "1.2.3.4.5"' },
  { { ip = "010.1.1.1" }, 'got "010.1.1.1"' },
  { { ip = "1.2.3.4 " }, 'got "1.2.3.4 "' },
  { { ip = "1.2.3.4_src" }, 'got "1.2.3.4_src"' },
  { { ip = "1::2::3" }, 'got "1::2::3"' },
  { { ip = ":::" }, 'got ":::"' },
  { { ip = "1:2:3:4:5:6:7" }, 'got "1:2:3:4:5:6:7"' },
  { { ip = "1:2:3:4:5:6:7:8:9" }, "got" },
  { { ip = "12345::" }, 'got "12345::"' },
  { { ip = "fe80::1%eth0" }, "got" },
  { { ip = "1:2:3:4:5:6:7:8:" }, "got" },
  { { ip_group = " " }, 'where: ip_group: got " "; allowed: the id of an IP group, a whole number from 1, or its name' },
  { { ip_group = 0 }, "got 0" },
  { { ip_group = 1.5 }, "got 1.5" },
  { { ip_group = -1 }, "got -1" },
  { { network = "10.1.2.3/8" }, 'where: network: got "10.1.2.3/8"', 'did you mean "10.0.0.0/8"?' },
  { { network = "192.168.129.0/17" }, 'did you mean "192.168.128.0/17"?' },
  { { network = "10.0.0.0" }, 'where: network: got "10.0.0.0"' },
  { { network = "10.0.0.0/33" }, "got" },
  { { network = "10.0.0.0/255.0.0.0" }, "got" },
  { { network = "2001:db8::/129" }, "got" },
  { { network = 10 }, "where: network: got 10;" },
  { { port = 65536 }, "where: port: got 65536; allowed: a port, a whole number from 0 to 65535" },
  { { port = -1 }, "got -1" },
  { { port = 1.5 }, "got 1.5" },
  { { port = "http" }, 'got "http"' },
  { { port = "-1" }, 'got "-1"' },
  { { src_port = math.huge }, "where: src_port: got" },
  { { app_port = 443 }, "where: app_port: got 443; allowed: a port with its protocol" },
  { { app_port = "443" }, 'got "443"' },
  { { app_port = "443/tpc" }, 'got "443/tpc"', 'did you mean "tcp"?' },
  { { app_port = "443/256" }, 'got "443/256"' },
  { { app_port = "70000/tcp" }, 'got "70000/tcp"' },
  { { app_port = { 443 } }, "where: app_port: got a table" },
  { { app_port = { 443, "tcp", "x" } }, "where: app_port: got a table" },
  { { app_port = { "tcp", 443 } }, 'got "tcp"' },
}

-- The wire's filters of conditions.
local function texts(list)
  local out = {}
  local spec = { type = "connections", fields = {}, filters = {}, conditions = list }
  for i, entry in ipairs(conditions.entries(spec)) do out[i] = entry.type .. "=" .. entry.value end
  return out
end

describe("filters", function()
  for i, case in ipairs(CONDITIONS) do
    it("writes condition " .. i .. ", " .. case[2][1], function()
      local list = assert(filters.conditions("where", "in", case[1]))
      assert.same(case[2], texts(list))
      local excluded = assert(filters.conditions("exclude", "ex", case[1]))
      for n, text in ipairs(texts(excluded)) do
        assert.equal((case[2][n]:gsub("=in", "=ex")), text)
      end
    end)
  end

  for i, case in ipairs(MISUSE) do
    it("refuses condition " .. i .. ", " .. case[2], function()
      local list, message = filters.conditions("where", "in", case[1])
      assert.is_nil(list)
      for n = 2, #case do assert.truthy(message:find(case[n], 1, true), message) end
    end)
  end

  -- Lines of two words that Python says.
  local function python(program)
    local file, list = assert(io.popen("python3 -c '" .. program .. "'")), {}
    for line in file:lines() do list[#list + 1] = { line:match "^(%S+) (%S+)$" } end
    file:close()
    return list
  end

  it("takes for addresses what Python's ipaddress does", function()
    local cases = python [[
import ipaddress, random
random.seed(11)
def valid(text):
    try:
        ipaddress.ip_address(text)
        return "yes"
    except ValueError:
        return "no"
texts = ["1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1::2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8::", "1:2:3:4:5:6::8", "::1.2.3.4", "1:2:3:4:5:6:1.2.3.4",
         "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5::1.2.3.4", "1:2:3:4:5:6::1.2.3.4", "::01.2.3.4", "::1.2.3", "1.2.3.4::", "00001::",
         "255.255.255.255", "0.0.0.0", "256.0.0.0",
         "1.2.3.00", "1.02.3.4", "1.2.3.256", "0000:0000:0000:0000:0000:ffff:255.255.255.255", "g::", ":1:2:3:4:5:6:7", "1:2:3:4:5:6:7:"]
for _ in range(3000):
    groups = ["%x" % random.randrange(1 << random.choice([4, 8, 12, 16, 17])) for _ in range(random.choice([1, 5, 6, 7, 7, 8, 8, 9]))]
    if random.random() < 0.7:
        at = random.randrange(len(groups) + 1)
        groups[at:at] = [""] if 0 < at < len(groups) else ["", ""]
    texts.append(":".join(groups))
    texts.append(".".join(str(random.choice([0, 1, 9, 99, 255, 256, random.randrange(300)])) for _ in range(random.choice([4, 4, 4, 3, 5]))))
for text in texts:
    print(text, valid(text))
]]
    local good = 0
    for _, case in ipairs(cases) do
      assert.equal(case[2] == "yes", addresses.is_ip(case[1]), case[1])
      good = good + (case[2] == "yes" and 1 or 0)
    end
    assert.is_true(good > 1000 and good < #cases - 1000, good)
  end)

  it("takes networks of every length without bits of a host, and says which one was meant", function()
    local cases = python [[
import ipaddress, random
random.seed(12)
for length in range(33):
    network = ipaddress.ip_network((random.getrandbits(32), length), strict=False)
    first = int(network.network_address)
    for host in [0] + [1 << bit for bit in range(32 - length)]:
        text = "%s/%d" % (ipaddress.ip_address(first | host), length)
        print(text, ipaddress.ip_network(text, strict=False))
]]
    assert.equal(33 + 32 * 33 / 2, #cases)
    for _, case in ipairs(cases) do
      local network, hint = addresses.network(case[1])
      if case[1] == case[2] then
        assert.equal(case[1], ("%s/%d"):format(network.address, network.length))
      else
        assert.is_nil(network)
        assert.equal(('did you mean "%s"?'):format(case[2]), hint)
      end
    end
  end)

  it("knows protocols by their names in the registry", function()
    -- From IANA's list of protocol numbers, by hand.
    for name, number in pairs {
      icmp = 1, igmp = 2, ipip = 4, tcp = 6, egp = 8, udp = 17, dccp = 33, rsvp = 46, gre = 47, esp = 50, ah = 51, icmpv6 = 58, eigrp = 88, ospf = 89,
      pim = 103, vrrp = 112, l2tp = 115, sctp = 132, udplite = 136,
    } do
      assert.same({ port = 7, protocol = number }, addresses.app_port("7/" .. name))
      assert.same({ port = 7, protocol = number }, addresses.app_port("7/" .. ascii.upper(name)))
    end
  end)

  it("writes exporters as upper-case hex", function()
    local cases = {
      { "10.25.1.1", nil, "in_0A190101_ALL" },
      { "10.1.1.4", 11, "in_0A010104_0A010104-11" },
      { "172.16.3.58", 410, "in_AC10033A_AC10033A-410" },
      { "255.255.255.255", 0, "in_FFFFFFFF_FFFFFFFF-0" },
      { "10.1.1.4", 4294967295, "in_0A010104_0A010104-4294967295" },
      { "2001:db8::1", nil, "in_2001:db8::1_ALL" },
      { "2001:db8::1", 3, "in_2001:db8::1_2001:db8::1-3" },
    }
    for _, case in ipairs(cases) do
      assert.same({ type = "sdfDips", value = case[3] }, filters.exporter(case[1], case[2]))
    end
  end)

  it("keeps names, to be looked up later", function()
    assert.same({ type = "sdfDips", named = { exporter = "core-1" } }, filters.exporter "core-1")
    assert.same({ type = "sdfDips", named = { exporter = "core-1.example.net", interface = 3 } }, filters.exporter("core-1.example.net", 3))
    -- Text made of digits is a name, too.
    assert.same({ type = "sdfDips", named = { exporter = "10.1.1.4", interface = "3" } }, filters.exporter("10.1.1.4", "3"))
    assert.same({ type = "sdfDips", named = { device_group = "3" } }, filters.device_group "3")
    assert.same({ { mode = "in", key = "ip_group", values = { "16800023" } } }, filters.conditions("where", "in", { ip_group = "16800023" }))
    assert.same({ type = "sdfDips", named = { exporter = "10.1.1.4", interface = "Gi0/1" } }, filters.exporter("10.1.1.4", "Gi0/1"))
  end)

  it("refuses exporters that are no addresses, and strange interfaces", function()
    for _, bad in ipairs { "", " ", 5, "10.1.1", "10.1.1.0/24", "10.1.1.256", "fe80::1::", "\255", {} } do
      local entry, message = filters.exporter(bad)
      assert.is_nil(entry)
      assert.matches("^exporter: got .*allowed: the text of the device's IPv4 or IPv6 address, or its name$", message)
    end
    for _, bad in ipairs { -1, 1.5, 4294967296, "", " ", "\255", true } do
      local entry, message = filters.exporter("10.1.1.4", bad)
      assert.is_nil(entry)
      assert.matches("^exporter: interface: got .*allowed: an interface's SNMP index", message)
    end
  end)
end)

-- Two values of each kind.
local TWO = {
  ip = { "10.1.1.1", "10.1.1.2" }, ip_group = { 1, 2 }, network = { "10.0.0.0/8", "11.0.0.0/8" }, port = { 53, 443 },
  app_port = { "53/udp", "443/tcp" },
}

-- Where a kind of filter is named besides the folders that read and write it: { path, what is in the line that names it }.
local PLACES = {
  { "lua/scrutinizer/query/report_options.lua", "---@field " },
  { "lua/scrutinizer/cli/query_arguments.lua", "Only flows that match. Keys: " },
  { "README.md", "| `:where { " },
}

-- Whether a line of a file has both texts, the second as a word of its own.
local function has_line(path, text, word)
  for line in support.read(path):gmatch "[^\n]+" do
    if line:find(text, 1, true) and line:find("%f[%w_]" .. word .. "%f[^%w_]") then return true end
  end
  return false
end

-- Two conditions of one kind, in a report that has no columns for them.
local function plan_of(kind)
  local list = {}
  for call, value in ipairs(TWO[kind]) do list[call] = { mode = "in", key = kind, values = { value }, call = call } end
  return conditions.plan { type = "applications", fields = {}, filters = {}, conditions = list }
end

describe("a kind of filter", function()
  for kind, type_name in pairs(wire_filters.type) do
    if kind ~= "exporter" then
      it("is known wherever one is: " .. kind, function()
        assert.is_table(TWO[kind], "two values of it in this spec")
        local _, refused = filters.conditions("where", "in", { [kind] = print })
        assert.matches("^where: " .. kind .. ": got .*; allowed: %w", refused)
        assert.is_string(names.filters[type_name], "query/names.lua")
        local plan, message = plan_of(kind)
        assert.is_nil(plan)
        assert.matches("^where: " .. kind .. " in several calls: the appliance ORs filters of the same type, and .+", message)
        assert.is_nil(message:find("nil", 1, true), message)
        for _, place in ipairs(PLACES) do assert.is_true(has_line(place[1], place[2], kind), place[1]) end
        assert.matches("\nfunction parse%." .. type_name .. "%(", support.read "examples/sandbox/report/filters.lua")
      end)
    end
  end
end)
