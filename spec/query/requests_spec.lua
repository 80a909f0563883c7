-- Our requests against the documented exchanges of spec/wire/*.txt, as text: built by the query's methods, and read from the exchange's own JSON.
-- How those files are written: spec/wire/exchanges_spec.lua.
local errors = require "scrutinizer.errors"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"
local wire = require "scrutinizer.wire"
local inventory = require "scrutinizer.wire.inventory"

local client = scrutinizer.connect { url = "https://scrutinizer.example.net", token = "x", retry = false }

local function report(name)
  local query = client:report(name)
  return query
end

local function last_hour(name)
  return report(name):range("LastHour"):limit(10)
end

-- The exchanges by their files' names, as a script would ask for them. Where a source writes numbers as text, or says what the query has no
-- word for, that one field is set as it stands.
local BUILT = {
  blog_host2host = function()
    return report("host2host"):granularity(1):between(1441146000, 1441149600):where({ ip_group = 16800023 })
      :filter("sdfIps", "in_x.x.x.x_Both"):limit(1000)
  end,
  cmp_interfaces = function()
    return report("interfaces"):range("Last24Hours"):filter("sdfIPGroups", "in_16800023_Both"):order_by("custom_interfacepercent")
      :rate():formatted():percent():limit(1000)
  end,
  conn_connections = function() return report("connections"):range("LastHour"):total():formatted():bits() end,
  dash_src_host_flows = function()
    return report("srcHostFlows"):range("Last24Hours"):where({ app_port = { "445/tcp", "443/6", { 3389, "tcp" }, "53/udp", "80/tcp" } })
      :order_by("countdistinct_destinationipaddress"):total():raw():bytes():limit(10)
  end,
  doc_r191_minimal = function()
    return report("conversations"):exporter("192.0.2.1"):timezone("America/New_York"):range("Yesterday"):data_mode("saf"):rate():bits():limit(10)
  end,
  ds_grafana_plugin = function()
    return report("conversations"):outbound():others(false):set("times", { dateRange = "Custom", start = "1700030000", ["end"] = "1700051600" })
      :order_by("sum_octetdeltacount"):exporter("192.0.2.2", 9):where({ port = 443 }):set("dataGranularity", { selected = "5" }):limit(10)
  end,
  dm_saved_report = false, -- the user interface's own state: read by report_from only
  cs_both_keys = false, -- data sets of both directions while one is selected
  error_address_refused = function() return last_hour "host2host" end,
  error_report = function() return last_hour "noSuchReport" end,
  error_token_bad = function() return last_hour "host2host" end,
  error_token_missing = function() return last_hour "host2host" end,
  gb_grafana_backend = function()
    return report("applications"):between(1700030000, 1700033600):exporter("192.0.2.1"):set("dataGranularity", { selected = "1m" }):limit(10)
  end,
  ips_conversations_app = function()
    return report("conversationsApp"):set("times", { dateRange = "Custom", start = "1700006400", ["end"] = "1700092800" })
      :where({ ip = { "8.8.8.8", "8.8.4.4", "1.1.1.1", "10.8.0.69", "192.168.1.1" } }):total():formatted():bits():limit(10000)
  end,
  ips_nf_subnets = function()
    return report("conversationsApp"):range("LastHour"):where({ dst_network = "20.140.0.0/15" }):total():formatted():bits():limit(10000)
  end,
  log_src_hosts = function() return report("srcHosts"):range("Last24Hours"):exclude({ src_ip_group = 16800000 }):total():raw():bytes() end,
  multipart_host2host = function()
    return report("host2host"):outbound():timezone("America/New_York"):range("LastMonth"):exporter("10.1.1.4", 11):limit(10)
  end,
  multipart_mislabelled = function()
    return report("ipGroupGroup"):timezone("America/New_York"):range("ThisWeek"):device_group(1)
      :set("dataGranularity", { selected = "720" }):limit(10)
  end,
  pydoc_api_printer = function()
    return report("applications"):range("LastTenMinutes"):filter("sdfDips", "in_10.1.1.252_ALL"):order_by("sum_octetdeltacount")
      :rate():formatted():percent():limit(10)
  end,
}

-- The form that a call would send. Nothing is sent.
local function form_of(call)
  local form
  client._send = function(_, given)
    form = given
    return nil, errors.new("connect", "not sent")
  end
  call()
  return form
end

-- Forms of other run modes, by their files' names.
local FORMS = {
  ds_known_devices = function() return form_of(function() return client.devices:list() end) end,
  ds_known_device_groups = function() return form_of(function() return client.device_groups:list() end) end,
  ds_interfaces = function() return form_of(function() return client.interfaces:list { exporter = "192.0.2.3" } end) end,
  cmp_group_members = function() return form_of(function() return client.device_groups:members(2) end) end,
  imp_objects = function() return form_of(function() return client.device_groups:add_members(9, { "192.0.2.1" }) end) end,
  imp_new_group = function() return form_of(function() return client.device_groups:create "Wire site" end) end,
  imp_save_members = function() return inventory.add_to_group(9, { 1001, 1004 }) end,
  imp_manage_exporters = function() return inventory.exporters(0, 10000) end,
  ds_licensing = function() return form_of(function() return client:ping() end) end,
  auth_init_login = function() return form_of(function() return client:version() end) end,
  ips_check_hosts = function() return inventory.host "10.8.0.69" end,
  doc_adv_capture_rule = function()
    return form_of(function()
      return client.capture_rules:add { name = "LDAP Traffic 2", server_ip = "1.1.1.1/32", client_ip = "2.2.2.2/32", max_packets = 1000,
        stops_on = 1743048000, port = "389/tcp", retention_hours = 168 }
    end)
  end,
  ds_ent_hosts = function() return form_of(function() return client.entities:list "ipgroups" end) end,
  ds_ent_application = function()
    return form_of(function() return client.entities:trend { application = 1001, from = 1772323200, to = 1772409600 } end)
  end,
  ds_ent_protocols = function()
    return form_of(function() return client.entities:trend { protocols = true, from = 1772323200, to = 1772409600 } end)
  end,
  ds_ent_host = function()
    return form_of(function() return client.entities:trend { src = "10.8.0.69", from = 1772323200, to = 1772409600 } end)
  end,
  ds_fc_table = function() return form_of(function() return client.forecasts:list() end) end,
  ds_fc_summary = function() return form_of(function() return client.forecasts:summary(7) end) end,
  ds_fc_data = function() return form_of(function() return client.forecasts:points(7) end) end,
  doc_g_create = function() return form_of(function() return client.ip_groups:create("UK Datacenter", { "10.30.10.1" }) end) end,
  doc_g_rules = function()
    return form_of(function()
      return client.ip_groups:create("All kinds", { "10.1.1.1", "10.1.1.1-10.1.1.254", "192.168.0.0/16", "10.0.4.0/0.255.0.255",
        { type = "child", group = 16900032 }, { type = "ipall" } })
    end)
  end,
  doc_g_update = function()
    return form_of(function()
      return client.ip_groups:update(16900093, { name = "DE Datacenter", add = { "192.168.0.0/16" },
        change = { { id = 506588, type = "ip", address = "10.30.10.2" } }, remove = { 506589 } })
    end)
  end,
  doc_g_delete = function() return form_of(function() return client.ip_groups:delete { 16900093 } end) end,
  ds_known_ipgroups = function() return form_of(function() return client.ip_groups:list() end) end,
  load_rules = function() return form_of(function() return client.ip_groups:rules(16900032) end) end,
  doc_u_create_users = function()
    return form_of(function()
      return client.users:create { { name = "MyAdmin", password = "secret1", groups = { 1 } },
        { name = "MyGuest", password = "secret2", groups = { 2 } } }
    end)
  end,
  doc_u_delete_users = function() return form_of(function() return client.users:delete { 11, "MyGuest", 207 } end) end,
  doc_u_create_usergroups = function()
    return form_of(function()
      return client.groups:create { { name = "GroupA", template = 1, users = { 1, "guest" } }, { name = "GroupB", template = 2, users = {} } }
    end)
  end,
  doc_u_delete_usergroups = function() return form_of(function() return client.groups:delete { 5, "GroupB" } end) end,
  doc_u_membership_add = function()
    return form_of(function() return client.groups:add_members { { user = 13, group = 1 }, { user = "guest", group = "Administrators" } } end)
  end,
  doc_u_membership_remove = function() return form_of(function() return client.groups:remove_members { { user = 15, group = 4 } } end) end,
  doc_u_prefs = function()
    return form_of(function() return client.users:set_preferences(11, { statusTopn = 10, language = "english" }) end)
  end,
  doc_u_permissions_add = function()
    return form_of(function()
      return client.groups:grant { { group = 26, type = "gadget", code = "lLabelCPU" }, { group = "Guests", type = "device", code = "0A010107" } }
    end)
  end,
  doc_u_permissions_remove = function()
    return form_of(function() return client.groups:revoke { { group = 27, type = "plixer", code = "allGadgets" } } end)
  end,
  doc_u_rename = function() return form_of(function() return client.users:rename("myUser", "OpSCT") end) end,
  doc_u_rename_by_id = function() return form_of(function() return client.users:rename(14, "OpSCT") end) end,
  ds_report_start = function()
    local query = client:report("conversations"):between(1700030000, 1700051600):timezone("America/New_York"):exporter("192.0.2.2", 9)
      :where { port = 443 }
    return wire.start_form(query._spec, { from = 1700030000, to = 1700051600 })
  end,
}

local function read(path)
  local exchange = { canonical = {}, field = {} }
  for line in io.lines(path) do
    local name, value = line:match "^([%w_. ]+): (.*)$"
    if name and not line:find "^#" then
      local kind, rest = name:match "^(%w+) (.+)$"
      if exchange[kind] then exchange[kind][rest] = value elseif not kind then exchange[name] = value end
    end
  end
  return exchange
end

-- Numbers of rows are numbers, and every one from 10^10 on means all there are.
local function all_rows(text)
  return (text:gsub("100000000000000000", "10000000000"):gsub('"max_num_rows":"(%d+)"', '"max_num_rows":%1'))
end

-- What reading makes a value of the query's own, to be changed by its methods, is sent in one way: numbers as numbers, minutes without their
-- letter, and a named range without the epochs that the user interface keeps beside it.
local function as_read(text)
  text = text:gsub('("dataGranularity":{"selected":)"(%d+)m?"', "%1%2")
  if text:find('"dateRange":"Custom"', 1, true) then return (text:gsub('("end":)"(%d+)","start":"(%d+)"', '%1%2,"start":%3')) end
  return (text:gsub(',"end":"%d+","start":"%d+"', ""))
end

-- The methods ask for no graph.
local function without_graph(text)
  return (text:gsub('"graph":"%a+",', ""))
end

local function same_text(query, rm, action, rpt_json, data_requested)
  assert.same({ rm = rm, action = action, rpt_json = rpt_json, data_requested = data_requested }, query:request())
end

describe("the documented exchanges", function()
  local seen = {}
  for path in support.shell("ls spec/wire/*.txt"):gmatch "%S+" do
    local name, exchange = path:match "([^/]+)%.txt$", read(path)
    seen[name] = true
    local build = BUILT[name]

    if exchange.rm == "report_api" then
      it(name .. " is read by report_from, and sent as it stands", function()
        local query = assert(client:report_from("rpt_json=" .. exchange.rpt_json .. "\ndata_requested=" .. exchange.data_requested))
        local wanted = exchange.canonical
        same_text(query, exchange.rm, exchange.action, as_read(wanted.rpt_json), all_rows(wanted.data_requested))
      end)

      it(name .. " is built by the query's methods, or is known not to be", function()
        assert.is_not_nil(build, "no query for " .. path)
        local wanted = exchange.canonical
        if build then
          same_text(build(), exchange.rm, exchange.action, wanted.rpt_json, all_rows(without_graph(wanted.data_requested)))
        end
      end)
    end
  end

  for name, form in pairs(FORMS) do
    it(name .. " is what the call sends", function()
      local exchange = read("spec/wire/" .. name .. ".txt")
      local wanted = { rm = exchange.rm, action = exchange.action, data_requested = exchange.canonical.data_requested }
      for field, text in pairs(exchange.field) do wanted[field] = exchange.canonical[field] or text end
      assert.same(wanted, form())
    end)
  end

  it("are all there", function()
    for name in pairs(BUILT) do assert.is_true(seen[name], name) end
    for name in pairs(FORMS) do assert.is_true(seen[name], name) end
  end)
end)
