-- client.groups against the sandbox over TLS; what the sandbox keeps is looked up with the sqlite3 command.
local support = require "spec.support"

local answer_with = support.answer_with

describe("groups", function()
  local client
  support.client_for_each(function(made)
    client = made
    support.reset "accounts"
  end)

  local function memberships() return support.state "SELECT * FROM memberships ORDER BY 1, 2" end

  local function malformed(call, bodies)
    for _, body in ipairs(bodies) do
      answer_with(body)
      local done, err = call()
      assert.is_nil(done, body)
      assert.equal("decode", err.kind)
      assert.matches("it is not known what the call did", err.message)
    end
    answer_with '{"err":"You may not."}'
    local done, err = call()
    assert.is_nil(done)
    assert.equal("api: the appliance answers: You may not.", tostring(err))
  end

  local function misuse(cases)
    for _, case in ipairs(cases) do
      local _, message = pcall(function() local _ = client.groups[case[1]](client.groups, case[2]) end)
      assert.matches("groups_spec%.lua:%d+: groups:" .. case[1] .. ": ", message)
      assert.is_truthy(message:find(case[3], 1, true), message)
    end
    assert.equal(0, #support.log())
  end

  describe("create", function()
    it("gives id and members, and what a template may", function()
      assert.same({ { id = 3, name = "GroupA", members = { 1, 2 } }, { id = 4, name = "GroupB", members = {} } },
        client.groups:create { { name = "GroupA", template = 1, users = { 1, "guest" } }, { name = "GroupB", template = 2 } })
      assert.same({ "1|1", "1|3", "2|2", "2|3" }, memberships())
      assert.same({ "3|plixer|adminTab", "3|plixer|allGadgets", "4|plixer|statusTab" },
        support.state "SELECT * FROM permissions WHERE usergroup_id > 2 ORDER BY 1, 2, 3")
    end)

    it("keeps the errors of single groups, and tells who is missing", function()
      for _, kind in ipairs { "usual", "strings", "numbers" } do
        support.reset "accounts"
        support.switches { account_ids = kind }
        assert.same({ { name = "Guests", error = "A usergroup already exists with that name", code = "exists" },
          { id = 3, name = "Half", members = { 1 }, missing = { 99 } }, { name = "No", error = "The template usergroup does not exist",
            code = "missing" } },
          client.groups:create { { name = "Guests", template = 1 }, { name = "Half", template = 1, users = { 99, 1 } },
            { name = "No", template = 9 } })
      end
      assert.same({ "1|Administrators", "2|Guests", "3|Half" }, support.state "SELECT * FROM usergroups ORDER BY id")
    end)

    it("makes other shapes errors", function()
      malformed(function() return client.groups:create { { name = "a", template = 1 } } end,
        { "{}", '{"data":{"id":1,"name":"a"}}', '{"data":1}', "2" })
      answer_with '{"data":[{"name":"a","id":4}]}'
      assert.same({ { id = 4, name = "a", members = {} } }, client.groups:create { { name = "a", template = 1 } })
    end)

    it("refuses misuse", function()
      misuse {
        { "create", { { name = "a" } }, "item 1: template: got nil; allowed: the id of the usergroup" },
        { "create", { { name = "a", template = "Guests" } }, 'template: got "Guests"' },
        { "create", { { name = "a", template = 1, users = { {} } } }, "users: got a table; allowed: a list of users' ids and names" },
        { "create", { { name = "a", template = 1 }, { name = "a", template = 2 } }, "item 2: a occurs already" },
      }
    end)
  end)

  describe("delete", function()
    it("goes by id and name, whatever words the sentence has around them", function()
      for _, words in ipairs { "group", "bare" } do
        support.reset "accounts"
        support.switches { group_delete = words }
        assert(client.groups:create { { name = "A", template = 1 }, { name = "B's", template = 1 } })
        local gone = client.groups:delete { 3, "B's", 9, "nobody" }
        assert.same({ { id = 3 }, { name = "B's" } }, { gone[1], gone[2] })
        assert.matches("^Deleting usergroup .*9 %(0 matched%)$", gone[3].error)
        assert.matches("^Deleting usergroup .*nobody'? %(0 matched%)$", gone[4].error)
        assert.same({ "1|Administrators", "2|Guests" }, support.state "SELECT * FROM usergroups ORDER BY id")
      end
    end)

    it("makes other shapes errors, other sentences the item's error", function()
      malformed(function() return client.groups:delete { 5 } end, { "{}", '{"data":"gone"}', '{"data":{"removed":[5]}}' })
      answer_with '{"data":["Usergroup 5 is gone"]}'
      assert.same({ { id = 5, error = "Usergroup 5 is gone", code = "unconfirmed" } }, client.groups:delete { 5 })
    end)

    it("refuses misuse", function()
      misuse { { "delete", "A", 'got "A"; allowed: a list of ids and names' }, { "delete", { -1 }, "item 1: got -1" } }
    end)
  end)

  describe("members", function()
    it("are added and removed, by id and name", function()
      assert(client.users:create { { name = "bo", password = "x" } })
      for _, reading in ipairs { { "data", "given" }, { "top", "quoted" } } do
        support.switches { membership_shape = reading[1], membership_names = reading[2] }
        assert.same({ { user = 3, group = 1 }, { user = "guest", group = 1 }, { user = "bo", group = "Guests" } },
          client.groups:add_members { { user = 3, group = 1 }, { user = "guest", group = 1 }, { user = "bo", group = "Guests" } })
        assert.same({ "1|1", "2|1", "2|2", "3|1", "3|2" }, memberships())
        assert.same({ { user = "bo", group = "Guests" }, { user = 3, group = "Administrators" }, { user = 2, group = 1 } },
          client.groups:remove_members { { user = "bo", group = "Guests" }, { user = 3, group = "Administrators" }, { user = 2, group = 1 } })
        assert.same({ "1|1", "2|2" }, memberships())
      end
    end)

    it("keep what was said where one fails", function()
      assert.same({ { user = 2, group = 2, error = "User 2 is already in usergroup 2", code = "exists" }, { user = 2, group = 1 },
        { user = "nobody", group = 1, error = "User nobody does not exist", code = "missing" }, { user = 1, group = 99,
          error = "Usergroup 99 does not exist",
          code = "missing" } },
        client.groups:add_members { { user = 2, group = 2 }, { user = 2, group = 1 }, { user = "nobody", group = 1 }, { user = 1, group = 99 } })
      assert.same({ { user = 1, group = 2, error = "User 1 is not in usergroup 2", code = "not_member" } },
        client.groups:remove_members { { user = 1, group = 2 } })
      assert.same({ "1|1", "2|1", "2|2" }, memberships())
    end)

    it("whose sentence has ids for names given are not taken for done: the sentence is the error", function()
      support.switches { membership_names = "ids" }
      assert.same({ { user = "guest", group = 1, error = "User 2 added to usergroup 1", code = "unconfirmed" }, { user = 1, group = 2 } },
        client.groups:add_members { { user = "guest", group = 1 }, { user = 1, group = 2 } })
    end)

    it("go by what is said of them, in any order", function()
      answer_with '{"data":{"added":["User 12 added to usergroup 1","User 2 added to usergroup 11","User 2 added to usergroup 1 "],"removed":[]}}'
      assert.same({ { user = 2, group = 1 }, { user = 12, group = 1 }, { user = 2, group = 3,
        error = "the answer does not mention this item; it contains: User 2 added to usergroup 11", code = "unconfirmed" } },
        client.groups:add_members { { user = 2, group = 1 }, { user = 12, group = 1 }, { user = 2, group = 3 } })
    end)

    it("make other shapes errors", function()
      malformed(function() return client.groups:add_members { { user = 1, group = 2 } } end,
        { "{}", '{"data":[]}', '{"data":{"removed":["User 1 added to usergroup 2"]}}', '{"added":"User 1 added to usergroup 2"}', '"x"' })
      malformed(function() return client.groups:remove_members { { user = 1, group = 2 } } end, { '{"data":{"added":[]}}' })
    end)

    it("refuse misuse", function()
      misuse {
        { "add_members", { { user = 1 } }, "item 1: group: got nil; allowed: an id" },
        { "remove_members", { { user = {}, group = 1 } }, "user: got a table" },
        { "add_members", { { user = 1, group = 2, id = 3 } }, 'field: got "id"; allowed: group, user' },
      }
    end)
  end)

  describe("permissions", function()
    local function permissions() return support.state "SELECT type, seccode FROM permissions WHERE usergroup_id = 2 ORDER BY 1, 2" end

    it("are granted and revoked, of all eight types", function()
      local list = {
        { group = 2, type = "device", code = "0A010107" }, { group = "Guests", type = "interface", code = "0A010107-1" },
        { group = 2, type = "group", code = 5 }, { group = 2, type = "report", code = "12" }, { group = 2, type = "gadget", code = "lLabelCPU" },
        { group = 2, type = "thirdparty", code = "3" }, { group = 2, type = "bboard", code = "4" }, { group = 2, type = "plixer", code = "adminTab" },
      }
      local wanted = {}
      for i, item in ipairs(list) do wanted[i] = { group = item.group, type = item.type, code = tostring(item.code) } end
      assert.same(wanted, client.groups:grant(list))
      assert.same({ "bboard|4", "device|0A010107", "gadget|lLabelCPU", "group|5", "interface|0A010107-1", "plixer|adminTab", "plixer|statusTab",
        "report|12", "thirdparty|3" }, permissions())
      assert.same(wanted, client.groups:revoke(list))
      assert.same({ "plixer|statusTab" }, permissions())
    end)

    it("keep what was said where one fails", function()
      assert.same({ { group = 9, type = "plixer", code = "adminTab", error = "Usergroup 9 does not exist", error_code = "missing" },
        { group = 2, type = "plixer", code = "adminTab" },
          { group = 2, type = "wish", code = "x", error = "wish is not a permission type", error_code = "refused" } },
        client.groups:grant { { group = 9, type = "plixer", code = "adminTab" }, { group = 2, type = "plixer", code = "adminTab" },
          { group = 2, type = "wish", code = "x" } })
      assert.same({ { group = 2, type = "gadget", code = "none", error = "Usergroup 2 has no gadget permission none", error_code = "refused" } },
        client.groups:revoke { { group = 2, type = "gadget", code = "none" } })
      assert.same({ "plixer|adminTab", "plixer|statusTab" }, permissions())
    end)

    it("make other shapes errors", function()
      malformed(function() return client.groups:grant { { group = 2, type = "plixer", code = "adminTab" } } end,
        { "{}", '{"data":{"errors":[]}}', '{"data":["Added plixer permission adminTab to usergroup 2 "]}' })
      answer_with '{"data":{"updated":["Removed plixer permission adminTab from usergroup 2 "]}}'
      assert.same({ { group = 2, type = "plixer", code = "adminTab", error = "Removed plixer permission adminTab from usergroup 2 ",
        error_code = "unconfirmed" } },
        client.groups:grant { { group = 2, type = "plixer", code = "adminTab" } })
    end)

    it("refuse misuse", function()
      misuse {
        { "grant", { { group = 2, type = "device", code = "10.1.1.7" } }, 'item 1: code of a device: got "10.1.1.7"; allowed: eight hex digits' },
        { "grant", { { group = 2, type = "interface", code = "0A010107" } }, "a hyphen and the interface's number" },
        { "revoke", { { group = 2, type = "divice", code = "x" } }, 'did you mean "device"?' },
        { "revoke", { { group = 2, type = "report", code = "mine" } }, "a saved report's id" },
        { "grant", { { group = 2, type = "plixer" } }, "code: got nil" },
      }
    end)
  end)
end)
