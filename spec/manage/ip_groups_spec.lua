-- client.ip_groups against the sandbox over TLS; what the sandbox keeps is looked up with the sqlite3 command.
local support = require "spec.support"

local NEW = 16900093 -- the id of the first group that is made

local answer_with = support.answer_with

local kept = support.rules

describe("ip_groups", function()
  local client
  support.client_for_each(function(made)
    client = made
    support.reset "ipgroups"
  end)
  teardown(function() support.reset "ipgroups" end)

  local function plain(rules)
    local list = {}
    for i, rule in ipairs(rules) do
      list[i] = ("%s %s"):format(rule.type, rule.error or type(rule.id))
    end
    return list
  end

  describe("list and find", function()
    it("give ids and names", function()
      local list = assert(client.ip_groups:list())
      assert.equal(6, #list)
      assert.same({ id = 16800000, name = "Loopback and link-local" }, list[1])
      support.switches { object_ids = "numbers" }
      assert.same(list, client.ip_groups:list())
      assert.same({ id = 16900006, name = "Multicast" }, client.ip_groups:find "Multicast")
      assert.same({}, { client.ip_groups:find "multicast" })
    end)

    it("come from the other page where the first is refused", function()
      local list = assert(client.ip_groups:list())
      answer_with '{"err":"What is that?"}'
      assert.same(list, client.ip_groups:list())
      support.faults { { kind = "status", status = 200, body = '{"err":"No."}', content_type = "application/json", times = 2 } }
      local none, err = client.ip_groups:list()
      assert.is_nil(none)
      assert.equal("api: the appliance answers: No.", tostring(err))
    end)

    it("are asked for again where that may help; groups are made once", function()
      local patient = support.connect { retry = { attempts = 3, base = 0.01, cap = 0.05, deadline = 30 } }
      support.faults { { kind = "503", seconds = 0 } }
      assert.equal(6, #assert(patient.ip_groups:list()))
      assert.equal(2, #support.log())
      support.faults { { kind = "503", seconds = 0 } }
      local made, err = patient.ip_groups:create("once", {})
      assert.is_nil(made)
      assert.equal(503, err.status)
      assert.equal(3, #support.log())
    end)

    it("tell several groups of one name apart by an error", function()
      support.switches { ip_group_names = "free" }
      assert(client.ip_groups:create("twin", {}))
      assert(client.ip_groups:create("twin", {}))
      local found, err = client.ip_groups:find "twin"
      assert.is_nil(found)
      assert.equal('api: ip_groups:find: 2 IP groups have the name "twin": 16900093, 16900094; use the id of one', tostring(err))
      found, err = client.ip_groups:create("parent", { { type = "child", group = "twin" } })
      assert.is_nil(found)
      assert.equal('api: ip_groups:create: 2 IP groups have the name "twin": 16900093, 16900094; use the id of one', tostring(err))
      found, err = client.ip_groups:from_list("twin", {})
      assert.is_nil(found)
      assert.equal('api: ip_groups:from_list: 2 IP groups have the name "twin"', tostring(err))
      assert.same({ { name = "twin", error = "2 IP groups have this name: use the id of one", code = "ambiguous" }, { id = 16900094 } },
        client.ip_groups:delete { "twin", 16900094 })
    end)

    it("make other shapes errors", function()
      for body, message in pairs {
        ["{}x"] = "not JSON", ['{"results":[]}'] = "lacks a list", ['[{"id":"x","name":"a"}]'] = "lacks 'id' in entry 1",
        ['[{"id":1,"name":"a"},{"id":2}]'] = "lacks 'name' in entry 2", ["[1]"] = "in entry 1",
      } do
        answer_with(body)
        local list, err = client.ip_groups:list()
        assert.is_nil(list)
        assert.equal("decode", err.kind)
        assert.is_truthy(err.message:find(message, 1, true), err.message)
      end
      answer_with "[]"
      assert.same({}, client.ip_groups:list())
    end)
  end)

  local ALL = { "10.30.10.1", "10.0.0.0/8", "10.1.1.1-10.1.1.9", "10.0.4.0/0.255.0.255", { type = "child", group = "Multicast" },
    { type = "ipall" }, "2001:db8::/32", "::1", { type = "range", from = "2001:db8::1", to = "2001:db8::ffff" } }
  local KEPT = { "ip 10.30.10.1", "network 10.0.0.0 8", "range 10.1.1.1 10.1.1.9", "wildcard 10.0.4.0 0.255.0.255", "child 16900006", "ipall",
    "network 2001:db8:: 32", "ip ::1", "range 2001:db8::1 2001:db8::ffff" }

  describe("create", function()
    it("makes a group of all six kinds of rules", function()
      local group = assert(client.ip_groups:create("UK Datacenter", ALL))
      assert.equal(NEW, group.id)
      assert.equal("UK Datacenter", group.name)
      assert.same({ id = 506013, type = "network", address = "10.0.0.0", length = 8 }, group.rules[2])
      assert.same({ id = 506016, type = "child", group = 16900006 }, group.rules[5])
      assert.same({ id = 506020, type = "range", from = "2001:db8::1", to = "2001:db8::ffff" }, group.rules[9])
      assert.same({ "16900093|UK Datacenter" }, support.state("SELECT * FROM ip_groups WHERE id = 16900093"))
      assert.same(KEPT, kept(NEW))
    end)

    it("goes by what each rule is, whatever the order, and by its place where that is all there is", function()
      for _, switches in ipairs { { rule_order = "shuffled" }, { rule_fields = "bare" }, { object_ids = "strings" } } do
        support.reset "ipgroups"
        support.switches(switches)
        local group = assert(client.ip_groups:create("any", ALL))
        for i, rule in ipairs(group.rules) do
          assert.equal(506011 + i, rule.id)
          assert.is_nil(rule.error)
        end
        support.clear()
      end
    end)

    it("keeps what is said of a rule that is left out", function()
      local group = assert(client.ip_groups:create("half", { "10.0.0.1", { type = "child", group = 99 }, "10.0.0.2" }))
      assert.same({ "ip number", "child 99: no such child", "ip number" }, plain(group.rules))
      assert.same({ "99: no such child" }, group.warnings)
      assert.same({ "ip 10.0.0.1", "ip 10.0.0.2" }, kept(NEW))
    end)

    it("is refused where the name is taken", function()
      local group, err = client.ip_groups:create("Multicast", {})
      assert.is_nil(group)
      assert.equal("api: the appliance answers: An IP group of that name exists.", tostring(err))
    end)

    it("sends nothing where a child group's name means none", function()
      local group, err = client.ip_groups:create("a", { { type = "child", group = "nobody" } })
      assert.is_nil(group)
      assert.equal('api: ip_groups:create: no IP group has the name "nobody"; there are 6: '
        .. '"Loopback and link-local", "Private networks", "Multicast", "IPv6", "Public resolvers", "Internet"', tostring(err))
      assert.equal(1, #support.log())
    end)

    it("makes other shapes errors", function()
      for _, body in ipairs { "{}", "[]", '{"fc_id":"new"}', '{"fc_id":null,"added":[]}', "3" } do
        answer_with(body)
        local group, err = client.ip_groups:create("a", { "10.0.0.1" })
        assert.is_nil(group)
        assert.equal("decode: ip_groups:create: the answer lacks fc_id, the group's id, so it is not known what the call did", tostring(err))
      end
      for body, said in pairs {
        ['{"fc_id":5}'] = "the answer does not mention this rule", ['{"fc_id":5,"added":[{"type":"ip","address":"10.0.0.1"}]}'] =
        "the answer does not mention this rule", ['{"fc_id":5,"added":[],"warnings":["\\u001b[2J"]}'] =
        "the answer does not mention this rule; it contains: \\x1B[2J",
      } do
        answer_with(body)
        assert.same({ { type = "ip", address = "10.0.0.1", error = said, code = "unconfirmed" } }, assert(client.ip_groups:create("a",
          { "10.0.0.1" })).rules)
      end
    end)

    it("refuses wrong rules at the caller's line", function()
      for _, case in ipairs {
        { { "10.0.0.256" }, 'rule 1: address: got "10.0.0.256"; allowed: the text of an IPv4 or IPv6 address' },
        { { "10.0.0.1/8" }, 'rule 1: network: got "10.0.0.1/8"; allowed: an address and its length, as 10.0.0.0 and 8; did you mean "10.0.0.0/8"?' },
        { { "10.0.0.0/33" }, 'network: got "10.0.0.0/33"' }, { { "::/129" }, 'network: got "129"' },
        { { "10.0.0.9-10.0.0.1" }, 'to: got "10.0.0.1"; allowed: no address before 10.0.0.9' },
        { { "2001:db8::2-2001:db8::1" }, "no address before 2001:db8::2" }, { { "::2-::1:0:0" , "::2-::1.0.0.1", "::3-::0.0.0.2" }, "rule 3: to" },
        { { "10.0.0.1-::1" }, "an address of the family of 10.0.0.1" }, { { "10.0.0.0/0.0.0.256" }, 'mask: got "0.0.0.256"' },
        { { "10.20.0.0/255.255.0.0" }, 'mask: got "255.255.0.0"; allowed: a wildcard mask, whose 1 bits do not count (a netmask only in a table, '
          .. '{ type = "wildcard", address =, mask = }); did you mean "10.20.0.0/16"?' },
        { { "10.20.5.0/255.255.0.0" }, 'did you mean "10.20.0.0/16"?' }, { { "10.0.0.1/255.255.255.255" }, 'did you mean "10.0.0.1/32"?' },
        { { "10.0.0.1/0.0.0.0" }, 'mask: got "0.0.0.0"' },
        { { "::/0.0.0.255" }, 'address: got "::"' }, { { { type = "child" } }, "group: got nil" }, { { { type = "chld" } }, 'did you mean "child"?' },
        { { { type = "ip", adress = "10.0.0.1" } }, 'field: got "adress"' },
        { { 5 }, 'rule: got 5; allowed: "10.1.1.1"' }, { "10.0.0.1", "a list of rules" },
      } do
        local ok, message = pcall(function() local _ = client.ip_groups:create("a", case[1]) end)
        assert.is_false(ok)
        assert.matches("ip_groups_spec%.lua:%d+: ip_groups:create: ", message)
        assert.is_truthy(message:find(case[2], 1, true), message)
      end
      assert.equal(0, #support.log())
    end)
  end)

  describe("update", function()
    local group
    before_each(function() group = assert(client.ip_groups:create("one", { "10.0.0.1", "10.0.0.2", "10.1.0.0/16" })) end)

    it("renames, adds, changes and removes", function()
      for _, removed in ipairs { "numbers", "strings", "objects" } do
        support.switches { removed_rules = removed }
        local ids = {}
        for i, rule in ipairs(assert(client.ip_groups:rules(group.id))) do ids[i] = rule.id end
        local changed = assert(client.ip_groups:update(group.id, { name = "two", add = { "10.0.0.3" },
          change = { { [removed == "strings" and "rule_id" or "id"] = ids[1], type = "ip", address = "10.0.0.9" } },
          remove = { removed == "numbers" and { id = ids[2] } or ids[2] } }))
        assert.equal("two", changed.name)
        assert.same({ "ip number" }, plain(changed.rules))
        assert.same({ { id = ids[1], type = "ip", address = "10.0.0.9" } }, changed.changed)
        assert.same({ { id = ids[2] } }, changed.removed)
      end
      assert.same({ "ip 10.0.0.9", "ip 10.0.0.3", "ip 10.0.0.3" }, kept(group.id))
      assert.same({ "two" }, support.state("SELECT name FROM ip_groups WHERE id = 16900093"))
    end)

    it("keeps what was not done", function()
      local changed = assert(client.ip_groups:update(group.id, { change = { { id = 99, type = "ip", address = "10.0.0.9" },
        { id = group.rules[1].id, type = "network", address = "10.0.0.0", length = 8 } }, remove = { 98 } }))
      assert.same({ "ip Rule 99 is not in this group", "network Rule 506012 is of type ip" },
        { "ip " .. tostring(changed.warnings[1]), "network " .. tostring(changed.warnings[2]) })
      assert.is_string(changed.changed[1].error)
      assert.is_string(changed.changed[2].error)
      assert.same({ { id = 98, error = "the answer does not confirm that it was removed", code = "unconfirmed" } }, changed.removed)
      assert.same({ "ip 10.0.0.1", "ip 10.0.0.2", "network 10.1.0.0 16" }, kept(group.id))
    end)

    it("confirms nothing that its answer does not", function()
      support.switches { update_answer = "bare" }
      local changed = assert(client.ip_groups:update(group.id, { add = { "10.0.0.3" }, remove = { group.rules[1].id } }))
      assert.same({ "ip the answer does not mention this rule" }, plain(changed.rules))
      assert.is_string(changed.removed[1].error)
      support.switches { update_answer = "empty" }
      local _, err = client.ip_groups:update(group.id, { add = { "10.0.0.4" } })
      assert.matches("^decode: ip_groups:update: the answer lacks fc_id", tostring(err))
      answer_with '{"fc_id":5,"added":[{"rule_id":1,"type":"ip","address":"10.0.0.5"}]}'
      _, err = client.ip_groups:update(group.id, { add = { "10.0.0.5" } })
      assert.matches("^decode: ip_groups:update: the answer lacks the group that it was sent for", tostring(err))
    end)

    it("is refused for a group that is not there", function()
      local changed, err = client.ip_groups:update(5, { name = "x" })
      assert.is_nil(changed)
      assert.equal("api: the appliance answers: No such IP group.", tostring(err))
    end)

    it("refuses misuse", function()
      for _, case in ipairs {
        { { true, {} }, "ip_groups:update: got true; allowed: the group's id (a whole number) or name" }, { { 5, {} },
          "a table with name, add, change, remove" },
        { { 5, { adds = {} } }, 'field: got "adds"' }, { { 5, { change = { "10.0.0.1" } } }, "rule 1 needs the id of the rule" },
        { { 5, { remove = { "x" } } }, "remove: item 1: got \"x\"; allowed: a rule's id" }, { { 5, { name = "" } }, "the group's new name" },
      } do
        local _, message = pcall(function() local _ = client.ip_groups:update(case[1][1], case[1][2]) end)
        assert.is_truthy(message:find(case[2], 1, true), message)
      end
    end)
  end)

  describe("rules", function()
    it("are read from wherever the answer has them", function()
      local made = assert(client.ip_groups:create("one", ALL))
      for _, place in ipairs { "results", "rows", "rules", "bare" } do
        support.switches { load_rules = place }
        assert.same(made.rules, client.ip_groups:rules(made.id))
      end
      for _, body in ipairs { "{}", "3", '{"rules":[{"type":"ip"}]}', '{"rows":[[1]]}' } do
        answer_with(body)
        local _, err = client.ip_groups:rules(5)
        assert.equal("decode: ip_groups:rules: the answer lacks a list of rules", tostring(err))
      end
    end)
  end)

  describe("delete", function()
    it("takes ids and names", function()
      assert(client.ip_groups:create("one", {}))
      assert(client.ip_groups:create("two", { "10.0.0.1" }))
      local out = assert(client.ip_groups:delete { "two", NEW, "nobody", 7 })
      assert.same({ { id = NEW + 1, name = "two" }, { id = NEW }, { name = "nobody", error = "no IP group has this name", code = "missing" } },
        { out[1], out[2], out[3] })
      assert.matches("^the answer does not confirm that it was removed; it contains: {\"processedCount\":2", out[4].error)
      assert.same({ "6" }, support.state "SELECT count(*) FROM ip_groups")
      assert.same({}, kept(NEW + 1))
    end)

    it("sends nothing where no name means a group", function()
      assert.same({ { name = "nobody", error = "no IP group has this name", code = "missing" } }, client.ip_groups:delete { "nobody" })
      assert.same({}, client.ip_groups:delete {})
      assert.equal(1, #support.log())
    end)

    it("makes other shapes errors", function()
      for body, text in pairs {
        ["{}"] = "decode: ip_groups:delete: the answer lacks a list 'removed'", ['{"err":"no"}'] = "api: the appliance answers: no",
      } do
        answer_with(body)
        local _, err = client.ip_groups:delete { 5 }
        assert.equal(text, tostring(err):sub(1, #text))
      end
    end)
  end)

  describe("from_list", function()
    -- The sandbox takes its time over so many; one Lua shows it.
    local many = os.getenv "SANDBOX_CHECKED" and 2000 or 10000

    it(("puts %d prefixes into a new group, batch by batch"):format(many), function()
      local list, wanted = {}, {}
      for i = 1, many do
        list[i] = ("%d.%d.%d.0/24"):format(11 + math.floor(i / 65536), math.floor(i / 256) % 256, i % 256)
        wanted[i] = "network " .. list[i]:gsub("/", " ")
      end
      local seen = {}
      local group = assert(client.ip_groups:from_list("big", list, { on_progress = function(done, all) seen[#seen + 1] = done .. "/" .. all end }))
      assert.is_true(group.created)
      assert.equal(many, #group.rules)
      for i, rule in ipairs(group.rules) do assert.equal(506011 + i, rule.id) end
      local progress = {}
      for i = 1, many / 1000 do progress[i] = ("%d000/%d"):format(i, many) end
      assert.same(progress, seen)
      assert.same(wanted, kept(NEW))
      local log = support.log()
      assert.equal(1 + many / 1000, #log)
      assert.same({ "saveRule", "update" }, { log[2].action, log[3].action })
    end)

    it("adds to a group that is there, and sends what is twice once", function()
      assert(client.ip_groups:create("one", { "10.0.0.1" }))
      local group = assert(client.ip_groups:from_list("one", { "10.0.0.2", " 10.0.0.3 ", "10.0.0.2" }, { create = false, batch = 1 }))
      assert.is_false(group.created)
      assert.same({ "ip number", "ip number" }, plain(group.rules))
      assert.same({ "ip 10.0.0.1", "ip 10.0.0.2", "ip 10.0.0.3" }, kept(NEW))
    end)

    it("tells how far it came where a batch fails, and sends none twice", function()
      support.faults { { kind = "none", times = 3 }, { kind = "drop" } }
      local group, err = client.ip_groups:from_list("torn", { "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4" }, { batch = 1 })
      assert.is_nil(group)
      assert.equal(NEW, err.partial.id)
      assert.same({ "ip number", "ip number" }, plain(err.partial.rules))
      assert.equal(4, #support.log())
      assert.same({ "ip 10.0.0.1", "ip 10.0.0.2" }, kept(NEW))
    end)

    it("gives a wrong entry back before anything is sent", function()
      local group, err = client.ip_groups:from_list("a", { "10.0.0.1", "10.0.0.0/33" })
      assert.is_nil(group)
      assert.equal("decode", err.kind)
      assert.matches("^ip_groups:from_list: entry 2: network: got", err.message)
      group, err = client.ip_groups:from_list("a", {}, { create = false })
      assert.is_nil(group)
      assert.equal('api: ip_groups:from_list: no IP group has the name "a", and create is false', tostring(err))
      assert.equal(1, #support.log())
    end)

    it("refuses misuse", function()
      for _, case in ipairs {
        { { nil, {} }, "the group's name" }, { { "a", 5 }, "a list of rules" }, { { "a", {}, { batch = 0 } }, "batch: got 0" },
        { { "a", {}, { size = 1 } }, 'option: got "size"' }, { { "a", {}, { on_progress = 1 } }, "on_progress: got 1; allowed: a function" },
      } do
        local _, message = pcall(function() local _ = client.ip_groups:from_list(case[1][1], case[1][2], case[1][3]) end)
        assert.is_truthy(message:find(case[2], 1, true), message)
      end
    end)
  end)

  it("print what they did, each rule as it is written", function()
    assert.equal('IP group "One" (16900093): 2 rules\nrules  10.0.0.0/8\nrules  10.1.1.1-10.1.1.9',
      tostring(client.ip_groups:create("One", { "10.0.0.0/8", "10.1.1.1-10.1.1.9" })))
    assert.equal("2 rules\n10.0.0.0/8\n10.1.1.1-10.1.1.9", tostring(client.ip_groups:rules "One"))
    assert.equal('IP group: id 16900093, name "One"', tostring(client.ip_groups:find "One"))
    assert.equal('2 IP groups\nIP group "Two" (16900094): 1 rules\nIP group "One" (16900093): 1 rules',
      tostring(client.ip_groups:from_csv { text = "Two,10.2.0.0/16\nOne,group:Two\n" }))
    assert.equal("2 IP groups: id, name, code, error\n16900093  One  -  -\n-  Three  missing  no IP group has this name",
      tostring(client.ip_groups:delete { "One", "Three" }))
  end)

  describe("from_csv", function()
    it("makes groups, children first, and gives them in the file's order", function()
      local groups = assert(client.ip_groups:from_csv { text = table.concat({ "\239\187\191Name,Prefix", "# sites", "", "All sites,group:Berlin",
        "All sites, group:Multicast",
        'Berlin,10.2.0.0/16\r', '"Paris, ""north""" , "10.3.0.1-10.3.0.9"', "Berlin,10.2.0.0/16", "Multicast,232.0.0.1" },
        "\n") })
      assert.same({ "All sites", "Berlin", 'Paris, "north"', "Multicast" }, { groups[1].name, groups[2].name, groups[3].name, groups[4].name })
      assert.same({ true, true, true, false }, { groups[1].created, groups[2].created, groups[3].created, groups[4].created })
      assert.same({ ("child %d"):format(groups[2].id), "child 16900006" }, kept(groups[1].id))
      assert.same({ "network 10.2.0.0 16" }, kept(groups[2].id))
      assert.same({ "range 10.3.0.1 10.3.0.9" }, kept(groups[3].id))
    end)

    it("reads files", function()
      local path = os.tmpname()
      support.write(path, "a,10.0.0.1")
      assert.equal(NEW, assert(client.ip_groups:from_csv(path))[1].id)
      os.remove(path)
      local groups, err = client.ip_groups:from_csv(path)
      assert.is_nil(groups)
      assert.equal("file", err.kind)
    end)

    it("goes on after a group that is refused, and keeps what was said", function()
      support.faults { { kind = "none" }, { kind = "status", status = 200, body = '{"err":"too many"}', content_type = "application/json" } }
      local groups = assert(client.ip_groups:from_csv { text = "a,10.0.0.1\nb,10.0.0.2\n" })
      assert.same({ name = "a", error = "the appliance answers: too many", code = "refused" }, groups[1])
      assert.equal(NEW, groups[2].id)
    end)

    it("stops where the appliance is gone", function()
      support.faults { { kind = "none", times = 2 }, { kind = "drop" } }
      local groups, err = client.ip_groups:from_csv { text = "a,10.0.0.1\nb,10.0.0.2\nc,10.0.0.3\n" }
      assert.is_nil(groups)
      assert.equal(NEW, err.partial.a.id)
      assert.equal(3, #support.log())
    end)

    it("is retryable only where nothing was written by the whole call", function()
      local list, busy = { "10.0.0.1", "10.0.0.2", "10.0.0.3" }, { kind = "status", status = 429 }
      local function outcome(before, way)
        support.clear()
        if before > 0 then support.faults { { kind = "none", times = before }, busy } else support.faults { busy } end
        local quick = support.connect { retry = false }
        local done, err = way(quick.ip_groups)
        assert.is_nil(done)
        return err.status == 429 and err.retryable
      end
      local function csv(groups) return groups:from_csv { text = "x,10.0.0.1\ny,10.0.0.2\n" } end
      local function one_by_one(name)
        return function(groups) return groups:from_list(name, list, { batch = 1 }) end
      end
      assert.same({ true, true, false }, { outcome(0, csv), outcome(1, csv), outcome(2, csv) })
      assert.same({ true, true, false }, { outcome(0, one_by_one "u"), outcome(1, one_by_one "u"), outcome(2, one_by_one "u") })
      -- to a group that is there now
      assert.same({ true, true, false }, { outcome(0, one_by_one "u"), outcome(1, one_by_one "u"), outcome(2, one_by_one "u") })
    end)

    it("gives wrong lines back before anything is sent", function()
      for text, message in pairs {
        ["a,10.0.0.1\nb"] = 'line 2: got "b"; allowed: name,rule', ["a,10.0.0.1,x"] = "line 1: got", [",10.0.0.1"] = "line 1",
        ['"a,10.0.0.1'] = "line 1: a quote is not closed", ['"a"b,10.0.0.1'] = "text follows a closing quote", ["a,10.0.0.0/40"] = "line 1: network",
        ["a,group:b\nb,group:a"] = '"a" is among its own child groups', ["a,group:a"] = "among its own",
      } do
        local groups, err = client.ip_groups:from_csv { text = text }
        assert.is_nil(groups)
        assert.equal("decode", err.kind)
        assert.is_truthy(err.message:find(message, 1, true), err.message)
      end
      assert.equal(0, #support.log())
    end)
  end)

  it("are what reports are filtered by", function()
    local group = assert(client.ip_groups:create("resolver", { "8.8.8.8", { type = "child", group = "Multicast" } }))
    local function octets(condition)
      return tonumber((support.awk("NR > 1 && (" .. condition .. ") { sum += $12 } END { printf \"%.0f\", sum }")))
    end
    local rows = assert(client:report("tos"):between("2026-03-01T00:00:00Z", "2026-03-02T00:00:00Z"):where { src_ip_group = group.id }:fetch()).rows
    local sum = 0
    for _, row in ipairs(rows) do sum = sum + row.sum_octetdeltacount end
    assert.equal(octets '$7 == "8.8.8.8" || ($7 !~ /:/ && $7 + 0 >= 224 && $7 + 0 < 240)', sum)
    assert.is_true(sum > 0)
  end)
end)
