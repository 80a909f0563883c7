-- Names in queries: IP groups in where and exclude, device groups. Looked up when the query runs; held against ids, and awk over the flows.
local support = require "spec.support"

local FROM, TO = "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"

describe("names in a query", function()
  local client
  support.client_for_each(function(made)
    client = made
    support.reset "ipgroups"
  end)

  local function octets(query)
    local groups = assert(query:aggregate { sum = { "sum_octetdeltacount" } })
    return groups[1] and groups[1].sum_octetdeltacount or 0
  end

  local function day() return client:report("host2host"):between(FROM, TO) end

  local function awk(condition)
    return tonumber((support.awk(('NR > 1 && (%s) { s += $12 } END { printf "%%.0f", s }'):format(condition))))
  end

  local PRIVATE = [[(%s ~ /^10\./ || %s ~ /^192\.168\./ || %s ~ /^172\.(1[6-9]|2[0-9]|3[01])\./)]]
  local function private(column) return (PRIVATE:gsub("%%s", column)) end

  it("are IP groups in where and exclude, on each side", function()
    assert.equal(awk(private "$7"), octets(day():where { src_ip_group = "Private networks" }))
    assert.equal(awk(private "$9"), octets(day():where { dst_ip_group = "Private networks" }))
    assert.equal(awk(private "$7" .. "||" .. private "$9"), octets(day():where { ip_group = "Private networks" }))
    assert.equal(awk("!" .. private "$7"), octets(day():exclude { src_ip_group = "Private networks" }))
    local mixed = day():where { src_ip_group = { "Private networks", 16900006, "Multicast" } }
    assert.same(day():where { src_ip_group = { 16800023, 16900006, 16900006 } }:request(), mixed:request())
  end)

  it("are device groups", function()
    assert.equal(awk [[$3 == "192.0.2.3" || $3 == "192.0.2.4"]], octets(day():device_group "Branches"))
    assert.same(day():device_group(2):request(), day():device_group("Branches"):request())
    assert.equal(awk [[$3 == "192.0.2.3" || $3 == "192.0.2.4" || $3 == "192.0.2.1"]],
      octets(day():device_group("Branches"):exporter "192.0.2.1"))
  end)

  it("that mean one device twice are sent once; a device and its interface are refused once they are known", function()
    local name = client.exporters:list()[1]
    assert.same(day():exporter(name.ip):request(), day():exporter(name.name):exporter(name.ip):request())
    local rows, err = day():exporter(name.name):exporter(name.ip, 1):both():fetch()
    assert.is_nil(rows)
    assert.equal("api", err.kind)
    assert.matches("exporter: the query says in_%x+_ALL and in_%x+_%x+%-1: the appliance would take the whole device", err.message)
  end)

  it("are asked for once in a run, and never before it", function()
    local query = day():where { src_ip_group = { "Private networks", "Internet", "IPv6" } }:exclude { ip_group = "Multicast" }
      :device_group "Campus"
    assert.equal(0, #support.log())
    octets(query:page_size(2000))
    local counts = {}
    for _, row in ipairs(support.log()) do counts[row.rm] = (counts[row.rm] or 0) + 1 end
    assert.equal(2, counts.get_known_objects)
    assert.is_true(counts.report_api > 1)
    support.clear()
    octets(day():where { ip_group = 16800023 }:device_group(1))
    assert.equal(1, #support.log())
  end)

  it("work in graphs, in gather, and in what is shown", function()
    local named, by_id = day():where { ip_group = "Public resolvers" }:granularity(30), day():where { ip_group = 16900046 }:granularity(30)
    assert.same(by_id:limit(3):series(), named:limit(3):series())
    assert.same(by_id:curl(), named:curl())
    local list, failed = client:gather { named:limit(2), { named, aggregate = { count = true } } }
    assert.equal(0, failed)
    assert.same(by_id:limit(2):fetch().rows, list[1].rows)
    assert.same(by_id:aggregate { count = true }, list[2])
  end)

  it("that are unknown are errors with those that are near", function()
    local function fails(query, said, code)
      local rows, err = query:fetch()
      assert.is_nil(rows)
      assert.equal(said, err.message)
      assert.equal("api", err.kind)
      assert.equal(code, err.code)
    end
    fails(day():where { src_ip_group = "Private network" },
      'where: src_ip_group: no IP group has the name "Private network"; similar names: "Private networks"', "missing")
    fails(day():exclude { ip_group = "multicast" }, 'exclude: ip_group: no IP group has the name "multicast"; similar names: "Multicast"', "missing")
    fails(day():where { ip_group = "Berlin" }, 'where: ip_group: no IP group has the name "Berlin"; there are 6: "Loopback and link-local", '
      .. '"Private networks", "Multicast", "IPv6", "Public resolvers", "Internet"', "missing")
    fails(day():device_group "Brnches", 'device_group: no device group has the name "Brnches"; similar names: "Branches"', "missing")
    assert.same({ 0 }, { #support.violations() })
    for _, row in ipairs(support.log()) do assert.not_equal("report_api", row.rm) end
    support.switches { ip_group_names = "free" }
    assert(client.ip_groups:create("twin", {}))
    assert(client.ip_groups:create("twin", {}))
    fails(day():where { ip_group = "twin" }, 'where: ip_group: 2 IP groups have the name "twin": 16900093, 16900094; use the id of one', "ambiguous")
  end)

  it("are device groups in permissions", function()
    support.reset "accounts"
    local done = assert(client.groups:grant { { group = "Guests", type = "group", code = "Branches" }, { group = 2, type = "group", code = 1 } })
    assert.same({ { group = "Guests", type = "group", code = "2" }, { group = 2, type = "group", code = "1" } }, done)
    assert.same({ "1", "2" }, support.state "SELECT seccode FROM permissions WHERE type = 'group' AND usergroup_id = 2 ORDER BY 1")
    local none, err = client.groups:revoke { { group = 2, type = "group", code = "Branch" } }
    assert.is_nil(none)
    assert.equal('api: groups:revoke: no device group has the name "Branch"; similar names: "Branches"', tostring(err))
    support.reset "accounts"
  end)

  it("are texts, also those made of digits; numbers are ids", function()
    assert(client.ip_groups:create("16900006", { "10.8.0.0/16" })) -- the name is Multicast's id
    assert.equal(awk [[split($7, a, ".") == 4 && a[1] "." a[2] == "10.8"]], octets(day():where { src_ip_group = "16900006" }))
    assert.same(day():where { src_ip_group = "Multicast" }:request(), day():where { src_ip_group = 16900006 }:request())
    assert.not_equal(tostring(day():where { ip_group = 16900006 }), tostring(day():where { ip_group = "16900006" }))
    assert.same({ "10.8.0.0" }, { client.ip_groups:rules("16900006")[1].address })
    local made = assert(client.ip_groups:create("Sums", { { type = "child", group = "16900006" }, { type = "child", group = 16900006 } }))
    assert.same({ "16900006", "16900093" },
      support.state(("SELECT child_id FROM ip_group_rules WHERE group_id = %d ORDER BY 1"):format(made.id)))
    assert.equal(16900093, assert(client.ip_groups:update("16900006", { add = { "10.9.0.0/16" } })).id)
    assert.same({ { id = 16900093, name = "16900006" } }, client.ip_groups:delete { "16900006" })
    assert.is_not_nil(client.ip_groups:find "Multicast")
    -- No device group is called "2", though one has this id.
    for _, call in ipairs {
      function() return day():device_group("2"):fetch() end, function() return client.device_groups:members "2" end,
      function() return client.device_groups:add_members("2", { "192.0.2.1" }) end,
      function() return client.groups:grant { { group = 2, type = "group", code = "2" } } end,
    } do
      local none, err = call()
      assert.is_nil(none)
      assert.matches('no device group has the name "2"', tostring(err))
    end
  end)

  it("stand where management calls take ids", function()
    assert.same(client.device_groups:members(2), client.device_groups:members "Branches")
    local made = assert(client.ip_groups:create("Sites", { "10.1.0.0/16" }))
    assert.same(client.ip_groups:rules(made.id), client.ip_groups:rules "Sites")
    assert.equal(made.id, assert(client.ip_groups:update("Sites", { add = { "10.2.0.0/16" } })).id)
    assert.same({ "10.1.0.0", "10.2.0.0" }, support.state("SELECT address FROM ip_group_rules WHERE group_id = " .. ("%d"):format(made.id)))
    local group, err = client.ip_groups:update("Sitez", { add = { "10.2.0.0/16" } })
    assert.is_nil(group)
    assert.equal('api: ip_groups:update: no IP group has the name "Sitez"; similar names: "Sites"', tostring(err))
    local members
    members, err = client.device_groups:add_members("Nowhere", { "192.0.2.1" })
    assert.is_nil(members)
    -- Other specs make more of them.
    assert.matches('^api: device_groups:add_members: no device group has the name "Nowhere"; there are %d+: "Campus", "Branches"', tostring(err))
  end)
end)
