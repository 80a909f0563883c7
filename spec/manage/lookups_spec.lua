-- Host search, capture rules, entities and forecasts against the sandbox over TLS. Sums are awk's.
local support = require "spec.support"

local answer_with = support.answer_with

local DAY = 1772323200 -- 2026-03-01 00:00:00 UTC

describe("lookups", function()
  local client
  support.client_for_each(function(made) client = made end)

  local function misuse(part, cases)
    for _, case in ipairs(cases) do
      local _, message = pcall(function() local _ = client[part][case[1]](client[part], case[2], case[3]) end)
      assert.matches("lookups_spec%.lua:%d+: " .. part .. ":" .. case[1], message)
      assert.is_truthy(message:find(case[4], 1, true), message)
    end
    assert.equal(0, #support.log())
  end

  describe("hosts", function()
    it("are found or not, in the order given, each asked for once", function()
      support.switches { now = DAY + 43200 }
      local progress = {}
      local hosts = assert(client.hosts:find({ "10.9.9.9", "10.8.0.69", "8.8.8.8", "10.8.0.69", "2001:db8::1" },
        { on_progress = function(done, all) progress[#progress + 1] = done .. "/" .. all end }))
      assert.same({ "10.9.9.9", "10.8.0.69", "8.8.8.8", "10.8.0.69", "2001:db8::1" },
        { hosts[1].ip, hosts[2].ip, hosts[3].ip, hosts[4].ip, hosts[5].ip })
      assert.same({ ip = "10.9.9.9", found = false, seen = {} }, hosts[1])
      assert.is_false(hosts[5].found)
      assert.same({ "1/4", "2/4", "3/4", "4/4" }, progress)
      assert.equal(4, #support.log())
      local counted = {}
      local program = [[NR > 1 && ($7 == "10.8.0.69" || $9 == "10.8.0.69") { n[$3] += ($7 == "10.8.0.69") }
        END { for (k in n) print k, n[k] }]]
      for exporter, count in support.awk(program):gmatch "(%S+) (%d+)" do counted[exporter] = tonumber(count) end
      assert.is_true(hosts[2].found)
      for _, seen in ipairs(hosts[2].seen) do
        assert.equal(counted[seen.exporter] > 0 and counted[seen.exporter] or nil, seen.connections)
        assert.matches("^2026%-01%-01 %d%d:%d%d:%d%d$", seen.first)
        counted[seen.exporter] = nil
      end
      assert.same({}, counted)
      assert.same(hosts[2], hosts[4])
    end)

    it("have no connections where the appliance shows no number", function()
      local function first() return assert(client.hosts:find { "10.8.0.69" })[1].seen[1].connections end
      local count = first()
      support.switches { host_counts = "numbers" }
      assert.equal(count, first())
      support.switches { host_counts = "odd" }
      assert.is_nil(first())
    end)

    it("keep what was said of one", function()
      support.faults { { kind = "none" }, { kind = "status", status = 200, body = '{"err":"no index"}', content_type = "application/json" },
        { kind = "status", status = 200, body = "{}", content_type = "application/json" } }
      local hosts = assert(client.hosts:find({ "10.9.9.9", "10.9.9.8", "10.9.9.7", "10.9.9.6" }, { concurrency = 1 }))
      assert.same({ ip = "10.9.9.8", seen = {}, error = "the appliance answers: no index", code = "refused" }, hosts[2])
      assert.same({ ip = "10.9.9.7", seen = {}, error = "hosts:find: the answer lacks a list 'rows' for 10.9.9.7", code = "unconfirmed" }, hosts[3])
      assert.is_false(hosts[4].found)
      for _, body in ipairs { '{"rows":[[]]}', '{"rows":[5]}', '{"rows":[[{"label":"a"},{"label":"b"}]]}', "[]" } do
        answer_with(body)
        assert.is_string(client.hosts:find({ "10.9.9.9" })[1].error)
      end
    end)

    it("stop where the call as a whole fails", function()
      local wrong = support.connect { token = "wrong_token_000000000000" }
      local list = {}
      for i = 1, 50 do list[i] = "10.9.9." .. i end
      local hosts, err = wrong.hosts:find(list, { concurrency = 2 })
      assert.is_nil(hosts)
      assert.equal("auth", err.kind)
      assert.same({}, err.partial)
      assert.is_true(#support.log() <= 2)
    end)

    it("share connections", function()
      local list = {}
      for i = 1, support.sanitized and 50 or 300 do list[i] = ("10.9.%d.%d"):format(math.floor(i / 250), i % 250) end
      local fresh = 0
      local talking = support.connect { on_event = function(event)
        if event.type == "response" and event.reused == false then fresh = fresh + 1 end
      end }
      local hosts = assert(talking.hosts:find(list))
      assert.equal(#list, #hosts)
      assert.is_true(fresh > 0 and fresh <= #list / 4, tostring(fresh))
    end)

    it("refuse misuse", function()
      misuse("hosts", {
        { "find", "10.1.1.1", nil, "a list of addresses" }, { "find", { "core-1" }, nil, 'item 1: got "core-1"' },
        { "find", {}, { concurrency = 0 }, "concurrency: got 0" }, { "find", {}, { batch = 1 }, 'option: got "batch"' },
        { "find", {}, { on_progress = 1 }, "a function" }, { "find", { a = "10.1.1.1" }, nil, "item a" },
      })
      assert.same({}, client.hosts:find {})
    end)
  end)

  describe("capture rules", function()
    local function rule(changes)
      local made = { name = "LDAP " .. os.time() .. os.clock(), server_ip = "1.1.1.1/32", client_ip = "2001:db8::/32", max_packets = 1000,
        stops_on = 1743048000, port = "389/tcp", retention_hours = 168 }
      for key, value in pairs(changes or {}) do made[key] = value end
      return made
    end

    it("are added, the port coded with its protocol", function()
      for _, case in ipairs { { {}, "393605|1743048000|1" }, { { port = { 53, "udp" }, enabled = false }, "1114165|1743048000|0" },
        { { port = "443/6", stops_on = "2025-03-27T04:00:00Z", enabled = true }, "393659|1743048000|1" } } do
        local given = rule(case[1])
        local made = assert(client.capture_rules:add(given))
        assert.equal(given.name, made.name)
        assert.same({ ("%d|1.1.1.1/32|2001:db8::/32|1000|168|%s"):format(made.id, case[2]) }, support.state(([[SELECT id, server_ip, client_ip,
          max_packets, retention_hours, well_known_port, stops_on, enabled FROM capture_rules WHERE name = '%s']]):format(given.name)))
      end
    end)

    it("are added whatever is answered that is no refusal", function()
      support.switches { capture_answer = "list" }
      assert.is_number(client.capture_rules:add(rule()).id)
      support.switches { capture_answer = "empty" }
      local given = rule()
      assert.same({ name = given.name }, client.capture_rules:add(given))
      local made, err = client.capture_rules:add(given)
      assert.is_nil(made)
      assert.equal("api: the appliance answers: A capture rule of that name exists.", tostring(err))
      answer_with "5"
      made, err = client.capture_rules:add(rule())
      assert.is_nil(made)
      assert.equal("decode", err.kind)
    end)

    it("refuse misuse", function()
      misuse("capture_rules", {
        { "add", nil, nil, "got nil" }, { "add", rule { port = 389 }, nil, 'allowed: a port with its protocol' },
        { "add", rule { port = "389/tcpp" }, nil, 'did you mean "tcp"?' }, { "add", rule { server_ip = "ldap" }, nil, 'server_ip: got "ldap"' },
        { "add", rule { server_ip = "10.1.1.1/8" }, nil, 'did you mean "10.0.0.0/8"?' },
        { "add", rule { stops_on = "2026-03-01" }, nil, "stops_on: got" },
        { "add", rule { enabled = 1 }, nil, "enabled: got 1; allowed: true or false" },
        { "add", rule { max_packets = 0 }, nil, "max_packets: got 0" }, { "add", rule { packets = 5 }, nil, 'field: got "packets"' },
      })
    end)
  end)

  describe("entities", function()
    it("are listed by kind, without HTML", function()
      support.switches { inventory_rows = 500 }
      assert.equal(tonumber((support.awk 'NR > 1 { h[$7]; h[$9] } END { print length(h) }')), #assert(client.entities:list "hosts"))
      assert.same({ { id = 64496, label = "EXAMPLE-AS & Sons" }, { id = 64511, label = "DOCUMENTATION-AS" } },
        client.entities:list "autonomous-systems")
      for _, kind in ipairs { "applications", "ipgroups", "countries", "protocols" } do
        local list = assert(client.entities:list(kind))
        assert.is_number(list[1].id)
        assert.is_string(list[2].label)
      end
    end)

    local function hourly(condition, from)
      local sums = {}
      local program = ("NR > 1 && (%s) { s[int($1 / 3600000)] += $12 } END { for (h in s) printf \"%%d %%.0f\\n\", h, s[h] }"):format(condition)
      for hour, sum in support.awk(program):gmatch "(%d+) (%d+)" do sums[#sums + 1] = { from + hour * 3600, tonumber(sum) } end
      table.sort(sums, function(a, b) return a[1] < b[1] end)
      return sums
    end

    it("have trends that add up", function()
      for _, numbers in ipairs { "strings", "numbers" } do
        support.switches { numbers = numbers }
        for side, column in pairs { src = "$7", dst = "$9" } do
          assert.same(hourly(column .. ' == "10.8.0.69"', DAY),
            client.entities:trend { [side] = "10.8.0.69", from = DAY, to = "2026-03-02T00:00:00Z" })
        end
      end
      local by_name = {}
      for _, one in ipairs(assert(client.entities:trend { protocols = true, from = DAY, to = DAY + 86400 })) do by_name[one.name] = one.points end
      assert.same(hourly("$6 == 6", DAY), by_name.TCP)
      assert.same(hourly("$6 == 17", DAY), by_name.UDP)
      local http
      for _, one in ipairs(assert(client.entities:list "applications")) do
        if one.label == "HTTP (80 - TCP)" then http = one.id end
      end
      assert.same(hourly("$6 == 6 && ($8 + 0 < $10 + 0 ? $8 : $10) == 80", DAY),
        client.entities:trend { application = http, from = DAY, to = DAY + 86400 })
      assert.same({}, client.entities:trend { src = "10.9.9.9", from = DAY, to = DAY + 86400 })
    end)

    it("make other shapes errors", function()
      for _, body in ipairs { "{}", '{"trend":{"a":1}}', '{"trend":[1]}', '{"trend":[{"ts":1}]}', '{"trend":[{"ts":"x","bytes":1}]}' } do
        answer_with(body)
        local trend, err = client.entities:trend { application = 1, from = 1, to = 2 }
        assert.is_nil(trend)
        assert.equal("decode", err.kind)
      end
      answer_with '{"trend":[{"ts":1,"bytes":1}]}'
      local _, err = client.entities:trend { protocols = true, from = 1, to = 2 }
      assert.equal("decode", err.kind)
      answer_with '{"rows":[[{"label":"a"}]]}'
      _, err = client.entities:list "hosts"
      assert.equal("decode", err.kind)
      _, err = client.entities:trend { application = 1, from = 1, to = 2 }
      assert.equal("api: the appliance answers: No such application.", tostring(err))
    end)

    it("refuse misuse", function()
      misuse("entities", {
        { "list", "application", nil, 'did you mean "applications"?' }, { "trend", { from = 1, to = 2 }, nil, "set one of" },
        { "trend", { src = "10.1.1.1", dst = "10.1.1.2", from = 1, to = 2 }, nil, "set only one of" },
        { "trend", { src = "core-1", from = 1, to = 2 }, nil, "a host's address" },
        { "trend", { src = "10.1.1.1", from = 2, to = 2 }, nil, "a moment after" },
        { "trend", { src = "10.1.1.1", from = "2026-03-01", to = 2 }, nil, "from: got" },
      })
    end)
  end)

  describe("forecasts", function()
    it("are listed, summed up and drawn", function()
      assert.same({ { id = 7, description = "Top hosts, next day" }, { id = 8, description = "Uplinks" } }, client.forecasts:list())
      assert.same({ rank = "1", sourceipaddress = "192.168.1.104", max_forecast_time = DAY + 108000, upper_bound = "10000", expected_value = "5000" },
        client.forecasts:summary(7)[1])
      local points = assert(client.forecasts:points(7))
      assert.equal(16, #points)
      assert.same({ rank = 1, direction = "inbound", time = DAY, kind = "train", mean = 1000.5 }, points[1])
      assert.same({ rank = 2, direction = "inbound", time = DAY + 4 * 21600, kind = "forecast", mean = 2004.5, upper = 4008, lower = 1002 },
        points[13])
      local _, err = client.forecasts:points(9)
      assert.equal("api: the appliance answers: No such forecast.", tostring(err))
    end)

    it("make other shapes errors", function()
      for call, bodies in pairs {
        list = { "{}", '{"rows":[[{"type":"description","title":"x"}]]}' }, summary = { "{}", '{"inbound_rows":[5]}', '{"inbound_rows":[[]]}' },
        points = { "[]", '{"rows":[{"target":"x"}]}', '{"rows":[{"target":"1-inbound","record_type":"train","intervaltime":"x"}]}' },
      } do
        for _, body in ipairs(bodies) do
          answer_with(body)
          local got, err = client.forecasts[call](client.forecasts, 7)
          assert.is_nil(got)
          assert.equal("decode", err.kind)
        end
      end
      support.clear()
      misuse("forecasts", { { "summary", {}, nil, "a forecast's id" }, { "points", "", nil, "a forecast's id" } })
    end)
  end)
end)
