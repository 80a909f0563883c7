-- Devices, device groups, interfaces, exporters by name: against the sandbox over TLS, in every reading of its pages.
local support = require "spec.support"

local answer_with = support.answer_with

local DAY = { "2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z" }
-- Noon: the last hour of the recorded day is from 11:00 to 12:00.
local NOON = 1772366400

describe("inventory", function()
  local client
  support.client_for_each(function(made) client = made end)

  local function malformed(call, bodies)
    for body, lacks in pairs(bodies) do
      answer_with(body)
      local list, err = call()
      assert.is_nil(list, body)
      assert.equal("decode", err.kind)
      assert.is_truthy(err.message:find(lacks, 1, true), err.message)
      assert.equal(200, err.status)
    end
    answer_with '{"err":"You may not."}'
    local list, err = call()
    assert.is_nil(list)
    assert.equal("api: the appliance answers: You may not.", tostring(err))
  end

  describe("devices", function()
    it("are listed with what the appliance calls them", function()
      local ips = { "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4" }
      for kind, names in pairs {
        name = { "core-1", "core-2", "branch-1", "branch-2" }, ip = ips,
        dns = { "core-1.example.net", "core-2.example.net", "branch-1.example.net", "branch-2.example.net" },
      } do
        support.switches { device_names = kind }
        local wanted = {}
        for i, ip in ipairs(ips) do wanted[i] = { name = names[i], ip = ip } end
        assert.same(wanted, client.devices:list())
      end
    end)

    it("make other shapes errors", function()
      malformed(function() return client.devices:list() end, {
        ["{}x"] = "not JSON", ['{"a":1}'] = "a list", ["[{}]"] = "in entry 1", ['[{"name":"a","ip":5}]'] = "'ip' in entry 1", ["3"] = "a list",
      })
    end)
  end)

  describe("device_groups", function()
    it("are listed, found, and show their members", function()
      for _, ids in ipairs { "usual", "strings" } do
        support.switches { object_ids = ids }
        assert.same({ id = 1, name = "Campus" }, client.device_groups:list()[1])
        assert.same({ id = 2, name = "Branches" }, client.device_groups:find "Branches")
      end
      assert.same({}, { client.device_groups:find "nowhere" })
      assert.same({ { ip = "192.0.2.3", name = "branch-1" }, { ip = "192.0.2.4", name = "branch-2" } }, client.device_groups:members(2))
      local _, err = client.device_groups:members(99)
      assert.equal("api: the appliance answers: No such group.", tostring(err))
    end)

    it("are made and filled", function()
      local name = "Site " .. os.time() .. os.clock()
      assert.same({ name = name }, client.device_groups:create(name))
      local group = assert(client.device_groups:find(name))
      assert.same({ { ip = "192.0.2.2" }, { ip = "10.9.9.9", error = "no object of the appliance has this address", code = "missing" },
        { ip = "192.0.2.4" } },
        client.device_groups:add_members(group.id, { "192.0.2.2", "10.9.9.9", "192.0.2.4" }))
      assert.same({ "192.0.2.2", "192.0.2.4" },
        support.state(("SELECT exporter FROM device_group_members WHERE id = %d ORDER BY 1"):format(group.id)))
      assert.same({ { ip = "10.9.9.9", error = "no object of the appliance has this address", code = "missing" } },
        client.device_groups:add_members(group.id, { "10.9.9.9" }))
      local quick = support.connect({ retry = false }).device_groups
      support.clear()
      assert(quick:add_members(group.id, { "192.0.2.2" }))
      local all = #support.log()
      for before, retryable in pairs { [0] = true, [all - 2] = true, [all - 1] = false } do -- the last request reads the members again
        local busy = { kind = "status", status = 429 }
        support.faults(before > 0 and { { kind = "none", times = before }, busy } or { busy })
        local added, err = quick:add_members(group.id, { "192.0.2.2" })
        assert.is_nil(added)
        assert.same({ 429, retryable }, { err.status, err.retryable })
        support.clear()
      end
      local done, err = client.device_groups:create(name)
      assert.is_nil(done)
      assert.equal("api: the appliance answers: A group of that name exists.", tostring(err))
      support.shell(("sqlite3 %s %s"):format(support.database(), support.quote(
        ("DELETE FROM device_groups WHERE id = %d; DELETE FROM device_group_members WHERE id = %d"):format(group.id, group.id))))
    end)

    it("make other shapes errors", function()
      malformed(function() return client.device_groups:list() end,
        { ["{}x"] = "not JSON", ['{"results":[]}'] = "a list", ['[{"id":"x","name":"a"}]'] = "'id'" })
      malformed(function() return client.device_groups:members(1) end,
        { ["[]"] = "a list 'results'", ['{"results":[{"lbl":"a"}]}'] = "'exporter_ip'" })
      malformed(function() return client.device_groups:create "x" end, { ["{}"] = "lbl", ["[]"] = "lbl" })
      answer_with '{"lbl":"y"}'
      assert.same({ name = "x", error = "y", code = "unconfirmed" }, client.device_groups:create "x")
    end)

    it("refuse misuse", function()
      for _, case in ipairs { { "find", 5 }, { "members", "" }, { "create", "" }, { "add_members", "x" }, { "add_members", 1, { 5 } } } do
        local _, message = pcall(function() local _ = client.device_groups[case[1]](client.device_groups, case[2], case[3]) end)
        assert.matches("inventory_spec.lua:%d+: device_groups:" .. case[1] .. ": ", message)
      end
    end)
  end)

  describe("interfaces", function()
    it("have speeds in bits per second, rates, and the numbers that filters want", function()
      support.switches { now = NOON }
      local list = assert(client.interfaces:list())
      assert.equal(40, #list)
      local by_key, sums = {}, {}
      for _, interface in ipairs(list) do by_key[interface.exporter .. " " .. interface.index] = interface end
      local seen = by_key["192.0.2.1 8"]
      assert.equal("8 - Uplink 1 (xe-0/0/1)", seen.name)
      assert.equal("core-1.example.net", seen.device)
      assert.equal(10000000000, seen.speed)
      assert.equal(10000000, by_key["192.0.2.3 3"].speed)
      local program = [[NR > 1 && $1 >= 39600000 && $1 < 43200000 { i[$3 " " $4] += $12; o[$3 " " $5] += $12 }
        END { for (k in i) print "i", k, i[k]; for (k in o) print "o", k, o[k] }]]
      for way, ip, index, octets in support.awk(program):gmatch "(%a) (%S+) (%d+) (%d+)" do
        sums[way .. ip .. " " .. index] = octets * 8 / 3600
      end
      local checked = 0
      for key, interface in pairs(by_key) do
        for way, use in pairs { i = interface.inbound, o = interface.outbound } do
          local rate = sums[way .. key] or 0
          assert.is_true(math.abs(use.percent - rate / interface.speed * 100) <= 0.00005, key)
          if use.rate then
            -- Shown with two digits after the point, of bits, Kb, Mb.
            assert.is_true(math.abs(use.rate - rate) <= math.max(0.51, rate * 0.005 + 0.51), key)
            checked = checked + 1
          end
        end
      end
      assert.is_true(checked > 10)
    end)

    it("are the same in every reading of the page", function()
      support.switches { now = NOON, status_html = "none" }
      local wanted = assert(client.interfaces:list())
      for _, reading in ipairs {
        { status_html = "all" }, { status_html = "some", inventory_cells = "shifted" }, { object_ids = "numbers" }, { inventory_rows = 7 },
        { inventory_rows = 40 },
      } do
        support.switches(reading)
        assert.same(wanted, client.interfaces:list())
        for name in pairs(reading) do support.switches { [name] = require("cjson").null } end
      end
    end)

    it("lack what the page does not show", function()
      support.switches { now = NOON, status_labels = "odd", status_tips = "all" }
      local one = assert(client.interfaces:list())[1]
      assert.same({ {}, 10000000, {} }, { one.inbound, one.speed, one.outbound })
    end)

    it("are one exporter's, however the page searches", function()
      for _, how in ipairs { "part", "word", "ignored", "label" } do
        support.switches { exporter_search = how }
        for _, name in ipairs { "192.0.2.4", "branch-2", "BRANCH-2.example.net", "Branch router 2" } do
          local list = assert(client.interfaces:list { exporter = name })
          assert.equal(10, #list)
          for i, interface in ipairs(list) do assert.same({ "192.0.2.4", i }, { interface.exporter, interface.index }) end
        end
      end
      assert.same({}, client.interfaces:list { exporter = "192.0.2.99" })
    end)

    it("are never a part only: lists that change or repeat between pages are errors", function()
      for _, reading in ipairs { { inventory_offset = "ignored" }, { inventory_rows = 7, inventory_offset = "ignored" },
        { inventory_rows = 30, inventory_order = "once" } } do
        support.switches(reading)
        local list, err = client.interfaces:list()
        if list then
          assert.equal(40, #list)
        else
          assert.equal("changed", err.kind)
          assert.matches("a row came twice", err.message)
        end
        for name in pairs(reading) do support.switches { [name] = require("cjson").null } end
      end
    end)

    it("are whole where the appliance does not go by limits at all", function()
      local function row(n) return ('[{"ip":"10.1.1.4"},{"filterDrag":{"searchStr":%d}}]'):format(n) end
      local function answer(...)
        local texts = {}
        for i, n in ipairs { ... } do texts[i] = row(n) end
        return { kind = "status", status = 200, content_type = "application/json", body = '{"rows":[' .. table.concat(texts, ",") .. "]}" }
      end
      for rows, case in ipairs { { answer(5), answer(5) }, { answer(1, 2), answer(1, 2), answer(1, 2) } } do
        support.clear()
        support.faults(case)
        assert.equal(rows, #assert(client.interfaces:list()))
        assert.equal(#case, #support.log())
      end
      for _, case in ipairs { { answer(1, 2), answer(1, 2), answer(1) }, { answer(1, 2), answer(2, 1) }, { answer(1, 2), answer(3, 1) } } do
        support.clear()
        support.faults(case)
        local list, err = client.interfaces:list()
        assert.is_nil(list)
        assert.equal("changed", err.kind)
        assert.equal(#case, #support.log())
      end
    end)

    it("make other shapes errors", function()
      malformed(function() return client.interfaces:list() end, {
        ["[]"] = "a list 'rows'", ['{"rows":{"a":1}}'] = "a list 'rows'", ['{"rows":[[]]}'] = "row 1", ['{"rows":[5]}'] = "row 1",
        ['{"rows":[[{"ip":"10.1.1.4"},{"label":"1 - a"}]]}'] = "row 1", ['{"rows":[[{"ip":"1"},{"filterDrag":{"searchStr":"x"}}]]}'] = "row 1",
      })
    end)

    it("may have little but their numbers", function()
      support.faults { { kind = "status", status = 200, content_type = "application/json",
        body = '{"rows":[[{"ip":"10.1.1.4"},{"filterDrag":{"searchStr":11}}]]}' } }
      support.faults { { kind = "status", status = 200, content_type = "application/json", body = '{"rows":[]}' } }
      assert.same({ { exporter = "10.1.1.4", index = 11, name = "11", inbound = {}, outbound = {} } }, client.interfaces:list())
    end)

    it("refuse misuse", function()
      for _, given in ipairs { "core-1", { device = "x" }, { exporter = 5 }, { exporter = "" } } do
        local _, message = pcall(function() local _ = client.interfaces:list(given) end)
        assert.matches("inventory_spec.lua:%d+: interfaces:list", message)
      end
    end)
  end)

  describe("exporters", function()
    it("are found by every name they have", function()
      for _, name in ipairs { "192.0.2.1", "core-1", "Core-1", "core-1.example.net", "CORE-SW-1", "Core switch 1" } do
        assert.equal("192.0.2.1", assert(client.exporters:find(name)).ip)
      end
      assert.same({ ip = "192.0.2.3", name = "branch-1", dns = "branch-1.example.net", sysname = "edge", label = "Branch router 1" },
        client.exporters:find "branch-1")
      assert.equal(4, #client.exporters:list())
    end)

    it("are found by the names of the list alone where the token may not manage them", function()
      support.switches { manage_exporters = "refused", device_names = "dns" }
      assert.equal("192.0.2.1", assert(client.exporters:find "core-1").ip)
      local found, err = client.exporters:find "CORE-SW-1"
      assert.is_nil(found)
      assert.equal("api", err.kind)
    end)

    it("tell of none and of several", function()
      local found, err = client.exporters:find "edge"
      assert.is_nil(found)
      assert.equal('api: exporter: 2 exporters have the name "edge": 192.0.2.3 (branch-1), 192.0.2.4 (branch-2); use the address of one',
        tostring(err))
      found, err = client.exporters:find "core-9"
      assert.is_nil(found)
      assert.matches('^api: exporter: no exporter of the appliance has the name "core%-9"; did you mean "core%-%d"', tostring(err))
    end)

    it("are kept for a while, and asked for again then", function()
      assert(client.exporters:find "core-1")
      local asked = #support.log()
      assert(client.exporters:find "core-2")
      assert.equal(asked, #support.log())
      client.exporters:max_age(0)
      assert(client.exporters:find "core-2")
      assert.is_true(#support.log() > asked)
      client.exporters:max_age(300)
      asked = #support.log()
      client.exporters:forget()
      assert(client.exporters:find "core-2")
      assert.is_true(#support.log() > asked)
    end)

    it("know their interfaces by number and by each part of the name", function()
      for _, name in ipairs { 8, "8 - Uplink 1 (xe-0/0/1)", "Uplink 1 (xe-0/0/1)", "uplink 1", "XE-0/0/1" } do
        assert.equal(8, assert(client.exporters:interface("core-1", name)).index)
      end
      assert.equal(3, assert(client.exporters:interface("branch-1", "GigabitEthernet0/3")).index)
      local found, err = client.exporters:interface("core-1", "xe-9")
      assert.is_nil(found)
      assert.matches('^api: exporter: no interface has the name "xe%-9"; the interfaces of 192.0.2.1 are "1 %- GigabitEthernet0/1", ', tostring(err))
      found, err = client.exporters:interface("core-1", "8") -- a text is a name
      assert.is_nil(found)
      assert.matches('no interface has the name "8"; ', tostring(err))
    end)

    it("make a query's filters when it runs, once", function()
      local query = client:report("tos"):outbound():between(DAY[1], DAY[2]):exporter("core-1", "xe-0/0/1")
      assert.equal(0, #support.log())
      local by_number = client:report("tos"):outbound():between(DAY[1], DAY[2]):exporter("192.0.2.1", 8)
      assert.same(by_number:request(), query:request())
      local asked = #support.log()
      assert.is_true(asked > 0)
      assert.same(by_number:fetch().rows, assert(query:fetch()).rows)
      assert.equal(asked + 2, #support.log())
      local sum = 0
      for row in query:rows() do sum = sum + row.sum_octetdeltacount end
      assert.equal(support.awk 'NR > 1 && $3 == "192.0.2.1" && $5 == 8 { s += $12 } END { printf "%.0f", s }', ("%.0f"):format(sum))
      assert.is_true(sum > 0)
      assert.same(by_number:series(), query:series())
      assert.same(by_number:pie(), query:pie())
      assert.equal(by_number:interval(), query:interval())
      assert.equal(by_number:url(), query:url())
      assert.equal(by_number:curl(), query:curl())
      assert.equal(by_number:count(), query:count())
      assert.same(by_number:aggregate { sum = { "sum_octetdeltacount" } }, query:aggregate { sum = { "sum_octetdeltacount" } })
      for _, entry in ipairs(support.log()) do
        if entry.rm ~= "report_api" and entry.rm ~= "report_start" then asked = asked - 1 end
      end
      assert.equal(0, asked)
    end)

    it("make no report of other devices where a name means nothing", function()
      local query = client:report("tos"):between(DAY[1], DAY[2]):exporter "core-9"
      for _, run in ipairs { "fetch", "first", "count", "series", "rates", "pie", "interval", "request", "url", "curl" } do
        local got, err = query[run](query)
        assert.is_nil(got)
        assert.equal("api", err.kind)
        assert.matches("core%-9", err.message)
      end
      assert.is_false((pcall(function() for _ in query:rows() do error "a row" end end)))
      for _, entry in ipairs(support.log()) do assert.is_true(entry.rm ~= "report_api" and entry.rm ~= "report_start") end
      local _, err = client:report("tos"):between(DAY[1], DAY[2]):exporter("192.0.2.1", "xe-9"):both():fetch()
      assert.equal("api", err.kind)
    end)

    it("refuse misuse", function()
      for _, case in ipairs { { "find" }, { "interface", "core-1", {} }, { "max_age", -1 }, { "max_age", "x" } } do
        local _, message = pcall(function() local _ = client.exporters[case[1]](client.exporters, case[2], case[3]) end)
        assert.matches("inventory_spec.lua:%d+: exporters:" .. case[1] .. ": ", message)
      end
    end)
  end)
end)
