-- ip_groups:sync, users:sync and groups:sync_members against the sandbox over TLS; what it keeps is looked up with the sqlite3 command.
local support = require "spec.support"

local NEW = 16900093 -- the id of the first group that is made

-- Rules of a group as the sandbox keeps them, sorted: a sync may add rules in any order.
local function kept(id)
  local rows = support.rules(id)
  table.sort(rows)
  return rows
end

local function ids(id)
  return support.state(("SELECT rule_id FROM ip_group_rules WHERE group_id = %d ORDER BY rule_id"):format(id))
end

-- Rules of a result in a line each, without ids.
local function plain(rules)
  local list = {}
  for i, rule in ipairs(rules) do
    list[i] = table.concat({ rule.type, rule.address or rule.from or rule.group or "-", rule.length or rule.to or rule.mask or "-" }, " ")
  end
  table.sort(list)
  return list
end

-- The actions of the requests since the last clear.
local function actions()
  local list = {}
  for i, row in ipairs(support.log()) do list[i] = (row.action or "") == "" and row.rm or row.action end
  return list
end

describe("ip_groups:sync", function()
  local client
  support.client_for_each(function(made)
    client = made
    support.reset "ipgroups"
  end)
  teardown(function() support.reset "ipgroups" end)

  it("gives the group these rules and no others, and says what it did", function()
    assert(client.ip_groups:create("Branches", { "10.20.0.0/16", "10.9.0.1-10.9.0.99", "10.30.10.1", "2001:DB8::/32" }))
    local before = ids(NEW)
    local group = assert(client.ip_groups:sync("Branches", { "10.20.0.0/16", "10.40.0.0/16", "2001:db8:0::/32", "10.30.10.2", "10.40.0.0/16" }))
    assert.equal(NEW, group.id)
    assert.is_false(group.created)
    assert.is_nil(group.dry)
    assert.same({ "ip 10.30.10.2 -", "network 10.40.0.0 16" }, plain(group.added))
    assert.same({ "ip 10.30.10.1 -", "range 10.9.0.1 10.9.0.99" }, plain(group.removed))
    assert.same({ "network 10.20.0.0 16", "network 2001:DB8:: 32" }, plain(group.kept))
    assert.same({ "ip 10.30.10.2", "network 10.20.0.0 16", "network 10.40.0.0 16", "network 2001:DB8:: 32" }, kept(NEW))
    -- Kept rules are the same ones; each added rule has the id that the sandbox knows it by.
    assert.equal(before[1], ("%d"):format(group.kept[1].id))
    for _, rule in ipairs(group.added) do
      assert.is_nil(rule.error)
      assert.same({ NEW .. "|" .. rule.address },
        support.state(("SELECT group_id, address FROM ip_group_rules WHERE rule_id = %d"):format(rule.id)))
    end
    -- Again: nothing is left to do, and nothing is written.
    support.clear()
    group = assert(client.ip_groups:sync("Branches", { "10.30.10.2", "10.20.0.0/16", "10.40.0.0/16", "2001:db8::/32" }))
    assert.same({ 0, 0, 4 }, { #group.added, #group.removed, #group.kept })
    assert.same({ "get_known_objects", "loadRules" }, actions())
  end)

  it("takes rules of all kinds, child groups by name or id, and rules that stand there twice", function()
    local all = { "10.30.10.1", "10.0.0.0/8", "10.1.1.1-10.1.1.9", "10.0.4.0/0.255.0.255", { type = "child", group = "Multicast" },
      { type = "ipall" },
      "2001:db8::1-2001:db8::ffff" }
    local group = assert(client.ip_groups:sync("All", all))
    assert.is_true(group.created)
    assert.equal(7, #group.added)
    local state = kept(NEW)
    assert.equal(7, #state)
    all[5] = { type = "child", group = 16900006 }
    group = assert(client.ip_groups:sync("All", all))
    assert.same({ 0, 0, 7 }, { #group.added, #group.removed, #group.kept })
    assert(client.ip_groups:from_list("All", all)) -- doubles each rule
    assert.equal(14, #kept(NEW))
    group = assert(client.ip_groups:sync("All", { all[1], all[5], { type = "child", group = "Multicast" } }))
    assert.same({ 0, 12, 2 }, { #group.added, #group.removed, #group.kept })
    assert.same({ "child 16900006", "ip 10.30.10.1" }, kept(NEW))
    group = assert(client.ip_groups:sync("All", {}))
    assert.equal(2, #group.removed)
    assert.same({}, kept(NEW))
  end)

  it("says with dry = true what it would do, and sends no write", function()
    local group = assert(client.ip_groups:sync("Fresh", { "10.1.1.1" }, { dry = true }))
    assert.same({ name = "Fresh", created = true, dry = true, added = { { type = "ip", address = "10.1.1.1" } }, removed = {}, kept = {} }, group)
    assert.same({ "get_known_objects" }, actions())
    local made = assert(client.ip_groups:create("Fresh", { "10.1.1.1", "10.2.0.0/16" }))
    local before = kept(NEW)
    support.clear()
    group = assert(client.ip_groups:sync("Fresh", { "10.1.1.1", "10.3.0.0/16" }, { dry = true }))
    assert.same({ "get_known_objects", "loadRules" }, actions())
    assert.same({ id = NEW, name = "Fresh", created = false, dry = true, added = { { type = "network", address = "10.3.0.0", length = 16 } },
      removed = { made.rules[2] }, kept = { made.rules[1] } }, group)
    assert.same(before, kept(NEW))
  end)

  it("does and tells the same whatever the appliance answers to the update", function()
    for _, switches in ipairs { { update_answer = "bare" }, { update_answer = "empty" }, { removed_rules = "objects" }, { rule_order = "shuffled" },
      { load_rules = "bare" }, { load_rules = "rules", object_ids = "strings" } } do
      support.reset "ipgroups"
      support.switches(switches)
      assert(client.ip_groups:create("one", { "10.1.1.1", "10.1.1.2" }))
      local group = assert(client.ip_groups:sync("one", { "10.1.1.2", "10.1.1.3" }))
      assert.same({ "ip 10.1.1.3 -" }, plain(group.added))
      assert.is_nil(group.added[1].error)
      assert.same({ "ip 10.1.1.1 -" }, plain(group.removed))
      assert.is_nil(group.removed[1].error)
      assert.same({ "ip 10.1.1.2", "ip 10.1.1.3" }, kept(NEW))
    end
  end)

  it("sends rules in batches, and removes others with the last", function()
    local list, progress = {}, {}
    for i = 1, 25 do list[i] = ("10.50.%d.0/24"):format(i) end
    assert(client.ip_groups:create("many", { "10.1.1.1", list[3] }))
    support.clear()
    local group = assert(client.ip_groups:sync("many", list, { batch = 10, on_progress = function(done, all) progress[#progress + 1] = done
      .. "/" .. all end }))
    assert.same({ 24, 1, 1 }, { #group.added, #group.removed, #group.kept })
    assert.same({ "10/24", "20/24", "24/24" }, progress)
    assert.same({ "get_known_objects", "loadRules", "update", "update", "update", "loadRules" }, actions())
    assert.equal(25, #kept(NEW))
  end)

  it("sends nothing where the group's rules cannot be read", function()
    assert(client.ip_groups:create("one", { "10.1.1.1" }))
    for body, said in pairs {
      ["{}"] = "the group's rules cannot be read: ip_groups:rules: the answer lacks a list of rules",
      ['{"err":"No such action."}'] = "the group's rules cannot be read: the appliance answers: No such action.",
      ['{"rules":[{"type":"ip","rule_id":7}]}'] = 'rule 7 of the group, of type "ip", cannot be read',
      ['{"rules":[{"type":"asn","rule_id":8,"address":"65000"}]}'] = 'rule 8 of the group, of type "asn", cannot be read',
    } do
      support.clear()
      support.faults { { kind = "status", status = 200, body = '[{"id":16900093,"name":"one"}]', content_type = "application/json" },
        { kind = "status", status = 200, body = body, content_type = "application/json" } }
      local group, err = client.ip_groups:sync("one", { "10.2.2.2" })
      assert.is_nil(group)
      assert.equal("api: ip_groups:sync: " .. said, tostring(err))
      assert.equal(2, #support.log())
    end
    assert.same({ "ip 10.1.1.1" }, kept(NEW))
  end)

  it("tells of each rule that is not as it should be afterwards", function()
    assert(client.ip_groups:create("one", { "10.1.1.1" }))
    local function json(body) return { kind = "status", status = 200, body = body, content_type = "application/json" } end
    local there = json '{"rules":[{"type":"ip","rule_id":7,"address":"10.1.1.1"}]}'
    support.faults { json '[{"id":16900093,"name":"one"}]', there, json '{"fc_id":16900093,"warnings":["10.2.2.2 is taken"]}', there }
    local group = assert(client.ip_groups:sync("one", { "10.2.2.2", "10.3.3.3" }))
    assert.same({ { type = "ip", address = "10.2.2.2", error = "10.2.2.2 is taken", code = "refused" },
      { type = "ip", address = "10.3.3.3", error = "the group does not have this rule after the call", code = "refused" } }, group.added)
    assert.same({ { id = 7, type = "ip", address = "10.1.1.1", error = "the group still has this rule after the call",
      code = "refused" } }, group.removed)
  end)

  it("that breaks off says what it did, and what is left", function()
    local list, failed = {}, { kind = "status", status = 500 }
    for i = 1, 25 do list[i] = ("10.50.%d.0/24"):format(i) end
    assert(client.ip_groups:create("many", { "10.1.1.1", list[3] }))
    support.faults { { kind = "none" }, { kind = "none" }, { kind = "none" }, failed }
    local group, err = client.ip_groups:sync("many", list, { batch = 10 })
    assert.is_nil(group)
    assert.equal("http", err.kind)
    assert.matches("; before this: 10 added, 1 kept; left, if the failed call did nothing: 14 to add, 1 to remove$", err.message)
    local partial = err.partial
    assert.same({ NEW, "many", false }, { partial.id, partial.name, partial.created })
    local now = plain(partial.added)
    for _, rule in ipairs { "ip 10.1.1.1 -", "network 10.50.3.0 24" } do now[#now + 1] = rule end
    table.sort(now)
    assert.same((table.concat(kept(NEW), "\n"):gsub("10.1.1.1", "%0 -")), table.concat(now, "\n"))
    assert.same({ "network 10.50.3.0 24" }, plain(partial.kept))
    assert.same({}, partial.removed)
    assert.same({ "ip 10.1.1.1 -" }, plain(partial.left.remove))
    local all = plain(partial.added)
    for _, rule in ipairs(plain(partial.left.add)) do all[#all + 1] = rule end
    table.sort(all)
    assert.equal(24, #all)
    for i = 2, #all do assert.not_equal(all[i - 1], all[i]) end
    -- What comes afterwards fails: all was sent.
    support.faults { { kind = "none" }, { kind = "none" }, { kind = "none" }, { kind = "none" }, { kind = "status", status = 403 } }
    group, err = client.ip_groups:sync("many", list, { batch = 10 })
    assert.is_nil(group)
    assert.matches("; before this: 14 added, 1 removed, 11 kept; left, if the failed call did nothing: nothing$", err.message)
    assert.equal(25, #kept(NEW))
    -- A group that is made.
    support.faults { { kind = "none" }, { kind = "none" }, failed }
    group, err = client.ip_groups:sync("new", list, { batch = 10 })
    assert.is_nil(group)
    assert.matches("before this: 10 added; left, if the failed call did nothing: 15 to add$", err.message)
    assert.same({ NEW + 1, true, 10, 15 }, { err.partial.id, err.partial.created, #err.partial.added, #err.partial.left.add })
    assert.equal(10, #kept(NEW + 1))
    support.faults { { kind = "none" }, failed }
    group, err = client.ip_groups:sync("newer", list, { batch = 10 })
    assert.is_nil(group)
    assert.same({ false, 0, 25 }, { err.partial.created, #err.partial.added, #err.partial.left.add })
    group = assert(client.ip_groups:sync("new", list))
    assert.same({ 15, 10 }, { #group.added, #group.kept })
    -- A sync may be run again whatever was done, so an answer that says "later" makes it retryable.
    support.faults { { kind = "none" }, { kind = "none" }, { kind = "status", status = 429 } }
    group, err = client.ip_groups:sync("newest", list, { batch = 10 })
    assert.is_nil(group)
    assert.same({ 429, true, 10 }, { err.status, err.retryable, #err.partial.added })
  end)

  it("takes a group's id, and makes none of an id", function()
    local made = assert(client.ip_groups:create("one", { "10.1.1.1" }))
    local group = assert(client.ip_groups:sync(made.id, { "10.1.1.2" }))
    assert.same({ NEW, "one", false }, { group.id, group.name, group.created })
    assert.same({ "ip 10.1.1.2" }, kept(NEW))
    local none, err = client.ip_groups:sync(12, { "10.1.1.2" })
    assert.is_nil(none)
    assert.equal("api: ip_groups:sync: no IP group has the id 12", tostring(err))
    assert.equal("missing", err.code)
    assert.equal("12", assert(client.ip_groups:sync("12", { "10.1.1.3" })).name) -- a text is a name
    assert.same({ "12" }, support.state("SELECT name FROM ip_groups WHERE id = " .. NEW + 1))
  end)

  it("prints what it did", function()
    assert(client.ip_groups:create("one", { "10.1.1.1", "10.1.1.2-10.1.1.9" }))
    local list = { "10.1.1.1", "10.4.0.0/16", "10.0.4.0/0.255.0.255", { type = "child", group = "Multicast" }, { type = "ipall" } }
    local text = 'ip_groups:sync of "one": 4 added, 1 removed, 1 kept%s\nadded  10.4.0.0/16\nadded  10.0.4.0/0.255.0.255\n'
      .. "added  group:16900006\nadded  all\nremoved  10.1.1.2-10.1.1.9"
    assert.equal(text:format " (dry: nothing was changed)", tostring(client.ip_groups:sync("one", list, { dry = true })))
    assert.equal(text:format "", tostring(client.ip_groups:sync("one", list)))
    assert.equal('ip_groups:sync of "one": 5 kept', tostring(client.ip_groups:sync("one", list)))
  end)

  it("is an error for a wrong entry, two groups of one name, an unknown child group", function()
    local group, err = client.ip_groups:sync("x", { "10.1.1.1", "10.1.1.1/99" })
    assert.is_nil(group)
    assert.equal("decode", err.kind)
    assert.matches("^ip_groups:sync: entry 2: ", err.message)
    assert.equal(0, #support.log())
    group, err = client.ip_groups:sync("x", { { type = "child", group = "Multicasts" } })
    assert.is_nil(group)
    assert.equal('api: ip_groups:sync: no IP group has the name "Multicasts"; similar names: "Multicast"', tostring(err))
    assert.equal("missing", err.code)
    support.switches { ip_group_names = "free" }
    assert(client.ip_groups:create("twin", {}))
    assert(client.ip_groups:create("twin", {}))
    group, err = client.ip_groups:sync("twin", { "10.1.1.1" })
    assert.is_nil(group)
    assert.matches('2 IP groups have the name "twin"', err.message)
  end)

  it("refuses misuse; a map is no list", function()
    for _, case in ipairs {
      { "", {}, nil, "ip_groups:sync: got \"\"; allowed: the group's id (a whole number) or name (a text)" },
      { "x", "10.1.1.1", nil, "a list of rules" },
      { "x", { rules = {} }, nil, "a list of rules" },
      { "x", {}, { dry = 1 }, "dry: got 1; allowed: true or false" }, { "x", {}, { create = false },
        'option: got "create"; allowed: dry, batch, on_progress' },
    } do
      local _, message = pcall(function() local _ = client.ip_groups:sync(case[1], case[2], case[3]) end)
      assert.matches("sync_spec.lua:%d+: ", message)
      assert.is_truthy(message:find(case[4], 1, true), message)
    end
    assert.equal(0, #support.log())
  end)
end)

describe("accounts", function()
  local client
  support.client_for_each(function(made)
    client = made
    support.reset "accounts"
  end)
  teardown(function() support.reset "accounts" end)

  local function users() return support.state "SELECT name, password FROM users ORDER BY id" end
  local function memberships()
    return support.state [[SELECT users.name, usergroups.name FROM memberships JOIN users ON users.id = user_id JOIN usergroups
      ON usergroups.id = usergroup_id ORDER BY 1, 2]]
  end

  describe("users:create", function()
    it("takes names of groups, and tells of a user that is not in all of them", function()
      for i, names in ipairs { "given", "quoted" } do
        support.switches { membership_names = names }
        local a, b = "a" .. i, "b" .. i
        local made = assert(client.users:create { { name = a, password = "x1", groups = { "Guests", 1 } },
          { name = b, password = "x2", groups = { 2, "Nowhere" } }, { name = "admin", password = "x3", groups = { "Guests" } } })
        assert.same({ { id = 1 + 2 * i, name = a },
          { id = 2 + 2 * i, name = b, error = 'the user was created, but is not in group "Nowhere": Usergroup Nowhere does not exist',
            code = "missing" },
          { name = "admin", error = "A user already exists with that name", code = "exists" } }, made)
      end
      assert.same({ "a1|Administrators", "a1|Guests", "a2|Administrators", "a2|Guests", "admin|Administrators", "b1|Guests", "b2|Guests",
        "guest|Guests" }, memberships())
      local second = { kind = "status", status = 500 }
      support.faults { { kind = "status", status = 200, body = '{"data":[{"id":9,"name":"z"}]}', content_type = "application/json" }, second }
      local made = assert(client.users:create { { name = "z", password = "secret z", groups = { "Guests" } } })
      assert.equal(9, made[1].id)
      assert.equal("unconfirmed", made[1].code)
      assert.matches('^the user was created, but is not in group "Guests": ', made[1].error)
    end)
  end)

  describe("users:sync", function()
    it("makes who is missing, puts them into groups, removes who has left", function()
      assert(client.users:create { { name = "ann", password = "old", groups = { 2 } }, { name = "leo", password = "x", groups = { 1 } } })
      local result = assert(client.users:sync({
        { name = "ann", password = "ignored", groups = { "Administrators", 2 } }, { name = "bo", password = "pw", groups = { "Guests" } },
        { name = "cy", password = "pw" }, { name = "di", password = "pw", groups = { 77 } },
      }, { gone = { "leo", "never", 999 } }))
      assert.same({ { id = 5, name = "bo" }, { id = 6, name = "cy" } }, result.created)
      assert.same({ { name = "ann" } }, result.kept)
      assert.same({ { user = "ann", group = "Administrators" } }, result.joined)
      assert.same({ { name = "leo" } }, result.removed)
      assert.same({ { name = "never" }, { id = 999 } }, result.absent)
      assert.same({ { name = "di", error = "Usergroup 77 does not exist", code = "missing" } }, result.failed)
      assert.is_nil(result.in_group)
      assert.same({ "admin|", "guest|", "ann|old", "bo|pw", "cy|pw" }, users())
      assert.same({ "admin|Administrators", "ann|Administrators", "ann|Guests", "bo|Guests", "guest|Guests" }, memberships())
      -- Again: nothing changes.
      result = assert(client.users:sync({ { name = "ann", password = "x", groups = { 1, 2 } }, { name = "bo", password = "x" } },
        { gone = { "leo" } }))
      assert.same({ created = {}, kept = { { name = "ann" }, { name = "bo" } }, joined = {}, removed = {}, absent = { { name = "leo" } },
        failed = {} },
        result)
    end)

    it("says what the appliance cannot list", function()
      local result, err = client.users:sync { { name = "ann", password = "x" } }
      assert.is_nil(result)
      assert.equal("api: users:sync: the appliance has no call that lists its users, so it is not known who must be removed: "
        .. "set gone = { … } to those who have left, or gone = {} for nobody", tostring(err))
      result, err = client.users:sync({ { name = "ann", password = "x" } }, { gone = {}, dry = true })
      assert.is_nil(result)
      assert.equal("api: users:sync: the appliance has no call that lists its users, so dry cannot tell what would change; without dry, the "
        .. "result tells what changed", tostring(err))
      assert.equal(0, #support.log())
    end)

    it("that breaks off says what it did, and what is left", function()
      assert(client.users:create { { name = "ann", password = "old" }, { name = "leo", password = "x" } })
      local failed = { kind = "status", status = 500 }
      local function sync(name)
        local result, err = client.users:sync({ { name = "ann", password = "secret ann", groups = { "Guests" } },
          { name = name, password = "secret z" } }, { gone = { "leo", 14 } })
        assert.is_nil(result)
        assert.equal(500, err.status)
        assert.is_nil(tostring(err):find("secret", 1, true))
        return err.message:match "; before this: (.*)$", err.partial
      end
      support.faults { failed }
      local said, partial = sync "bo"
      assert.equal("nothing; left, if the failed call did nothing: 2 to create, 2 to remove", said)
      assert.same({ { name = "ann" }, { name = "bo" } }, partial.left.create)
      assert.same({ { name = "leo" }, { id = 14 } }, partial.left.remove)
      assert.same({ "admin|", "guest|", "ann|old", "leo|x" }, users())
      support.faults { { kind = "none" }, failed }
      said, partial = sync "bo"
      assert.equal("1 created, 1 kept; left, if the failed call did nothing: 1 to join, 2 to remove", said)
      assert.same({ { id = 5, name = "bo" } }, partial.created)
      assert.same({ create = {}, join = { { user = "ann", group = "Guests" } }, remove = { { name = "leo" }, { id = 14 } } }, partial.left)
      assert.same({ "admin|Administrators", "guest|Guests" }, memberships())
      support.faults { { kind = "none" }, { kind = "none" }, failed }
      said, partial = sync "cy"
      assert.equal("1 created, 1 kept, 1 joined; left, if the failed call did nothing: 2 to remove", said)
      assert.same({ { user = "ann", group = "Guests" } }, partial.joined)
      assert.same({ "admin|Administrators", "ann|Guests", "guest|Guests" }, memberships())
      assert.same({ "admin|", "guest|", "ann|old", "leo|x", "bo|secret z", "cy|secret z" }, users())
    end)

    it("prints what it did", function()
      local staff = { { name = "bo", password = "pw", groups = { "Nowhere" } }, { name = "guest", password = "pw", groups = { 1 } } }
      local result = assert(client.users:sync(staff, { gone = { "admin", 77 } }))
      assert.equal('users:sync: 1 kept, 1 joined, 1 removed, 1 absent, 1 failed\njoined  "guest" in 1\nremoved  "admin"\n'
        .. 'failed  "bo": the user was created, but is not in group "Nowhere": Usergroup Nowhere does not exist (missing)', tostring(result))
      assert.equal("users:sync: 1 kept", tostring(client.users:sync({ { name = "bo", password = "pw" } }, { gone = {} })))
      assert.equal("users:sync: nothing", tostring(client.users:sync({}, { gone = {} })))
    end)

    it("refuses misuse, and shows no password", function()
      for _, case in ipairs {
        { { { name = "a", password = 5 } }, { gone = {} }, "users:sync: item 1: password: got a secret number" },
        { { { name = "a", password = "x" } }, { gone = { "a" } }, 'users:sync: gone: "a" is in both lists' },
        { { { name = "a", password = "x" } }, { gone = "a" }, "users:sync: gone: got \"a\"; allowed: a list of ids and names" },
        { {}, { left = {} }, 'users:sync: option: got "left"; allowed: gone, dry' }, { {}, 5, "users:sync: options: got 5" },
        { {}, { dry = "no" }, 'users:sync: dry: got "no"; allowed: true or false' },
      } do
        local _, message = pcall(function() local _ = client.users:sync(case[1], case[2]) end)
        assert.matches("sync_spec.lua:%d+: ", message)
        assert.is_truthy(message:find(case[3], 1, true), message)
      end
    end)
  end)

  describe("groups:sync_members", function()
    it("puts users into the group and others out of it", function()
      assert(client.users:create { { name = "ann", password = "x", groups = { 2 } }, { name = "bo", password = "x" },
        { name = "leo", password = "x", groups = { 2 } } })
      local result = assert(client.groups:sync_members("Guests", { "ann", "bo", "nobody" }, { gone = { "leo", "admin" } }))
      assert.same({ { user = "bo", group = "Guests" } }, result.added)
      assert.same({ { user = "ann", group = "Guests" } }, result.kept)
      assert.same({ { user = "leo", group = "Guests" } }, result.removed)
      assert.same({ { user = "admin", group = "Guests" } }, result.absent)
      assert.same({ { user = "nobody", group = "Guests", error = "User nobody does not exist", code = "missing" } }, result.failed)
      assert.same({ "admin|Administrators", "ann|Guests", "bo|Guests", "guest|Guests" }, memberships())
    end)

    it("tells one who is no user any more from one that failed", function()
      assert(client.users:create { { name = "leo", password = "x", groups = { 2 } } })
      assert(client.users:delete { "leo" })
      local result = assert(client.groups:sync_members("Guests", {}, { gone = { "leo", 99, "guest" } }))
      assert.same({ { user = "leo", group = "Guests" }, { user = 99, group = "Guests" } }, result.absent)
      assert.same({ { user = "guest", group = "Guests" } }, result.removed)
      assert.same({}, result.failed)
      assert.equal('groups:sync_members of "Guests": 1 removed, 2 absent\nremoved  "guest" in "Guests"', tostring(result))
      -- The group is missing, not the user.
      for _, group in ipairs { "Nowhere", 77 } do
        result = assert(client.groups:sync_members(group, {}, { gone = { "admin", 1 } }))
        assert.same({}, result.absent)
        local said = ("Usergroup %s does not exist"):format(group)
        assert.same({ { user = "admin", group = group, error = said, code = "missing" }, { user = 1, group = group, error = said,
          code = "missing" } }, result.failed)
      end
      support.answer_with '{"data":{"removed":["Permission denied for admin"],"added":[]}}'
      result = assert(client.groups:sync_members("Guests", {}, { gone = { "admin" } }))
      assert.same({ {}, "refused" }, { result.absent, result.failed[1].code })
    end)

    it("that breaks off says what it did, and what is left", function()
      assert(client.users:create { { name = "ann", password = "x" }, { name = "leo", password = "x", groups = { 2 } } })
      local failed = { kind = "status", status = 500 }
      for at, case in ipairs {
        { { failed }, "nothing; left, if the failed call did nothing: 1 to add, 1 to remove", "leo" },
        { { { kind = "none" }, failed }, "1 added; left, if the failed call did nothing: 1 to remove", "ann", "leo" },
      } do
        support.faults(case[1])
        local result, err = client.groups:sync_members(2, { "ann" }, { gone = { "leo" } })
        assert.is_nil(result)
        assert.equal(case[2], err.message:match "; before this: (.*)$")
        assert.same({ { user = "leo", group = 2 } }, err.partial.left.remove)
        assert.same(at == 1 and { { user = "ann", group = 2 } } or {}, err.partial.left.add)
        local there = {}
        for i = 3, #case do there[#there + 1] = case[i] end
        there[#there + 1] = "guest"
        table.sort(there)
        assert.same(there, support.state "SELECT users.name FROM memberships JOIN users ON users.id = user_id WHERE usergroup_id = 2 ORDER BY 1")
      end
    end)

    it("says what the appliance cannot list, and refuses misuse", function()
      local result, err = client.groups:sync_members(2, { "ann" })
      assert.is_nil(result)
      assert.matches("^api: groups:sync_members: the appliance has no call that lists a group's members, so it is not known who",
        tostring(err))
      result, err = client.groups:sync_members(2, { "ann" }, { gone = {}, dry = true })
      assert.is_nil(result)
      assert.matches("lists a group's members, so dry cannot tell what would change", tostring(err))
      for _, case in ipairs { { {}, {} }, { 2, "ann" }, { 2, { "ann" }, { gone = { "ann" } } }, { 2, {}, { gone = {}, all = true } } } do
        local _, message = pcall(function() local _ = client.groups:sync_members(case[1], case[2], case[3]) end)
        assert.matches("sync_spec.lua:%d+: groups:sync_members", message)
      end
      assert.equal(0, #support.log())
    end)
  end)
end)
