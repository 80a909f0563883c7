-- client.users against the sandbox over TLS; what the sandbox keeps is looked up with the sqlite3 command.
local support = require "spec.support"

local answer_with = support.answer_with

describe("users", function()
  local client
  support.client_for_each(function(made)
    client = made
    support.reset "accounts"
  end)

  local function users() return support.state "SELECT id, name FROM users ORDER BY id" end

  describe("create", function()
    it("gives an id per user, in the order given", function()
      local made = assert(client.users:create {
        { name = "zoe", password = "first secret", groups = { 2, 1 } }, { name = "Ann O'Hara", password = 'pass"w\\ört', groups = {} },
        { name = "bo", password = "third secret" },
      })
      assert.same({ { id = 3, name = "zoe" }, { id = 4, name = "Ann O'Hara" }, { id = 5, name = "bo" } }, made)
      assert.same({ "3|zoe|first secret", "4|Ann O'Hara|pass\"w\\ört", "5|bo|third secret" },
        support.state "SELECT id, name, password FROM users WHERE id > 2 ORDER BY id")
      assert.same({ "3|1", "3|2" }, support.state "SELECT * FROM memberships WHERE user_id > 2 ORDER BY 1, 2")
      assert.equal(1, #support.log())
    end)

    it("makes the others where one is refused, and keeps what was said of it", function()
      local made = assert(client.users:create {
        { name = "guest", password = "s3cret-one" }, { name = "new", password = "s3cret-two", groups = { 1 } },
        { name = "lost", password = "s3cret-three", groups = { 77 } },
      })
      assert.same({ { name = "guest", error = "A user already exists with that name", code = "exists" }, { id = 3, name = "new" },
        { name = "lost", error = "Usergroup 77 does not exist", code = "missing" } }, made)
      assert.same({ "1|admin", "2|guest", "3|new" }, users())
    end)

    it("reads ids that are strings", function()
      support.switches { account_ids = "strings" }
      assert.same({ { id = 3, name = "new" } }, client.users:create { { name = "new", password = "x" } })
    end)

    it("goes by each way of sending", function()
      local name = 'x"\\y & z=1+2%\n;ü'
      for i, options in ipairs { { method = "GET" }, { encoding = "multipart" }, { encoding = "urlencoded" } } do
        local other = support.connect(options)
        assert.same({ { id = 2 + i, name = name .. i } }, other.users:create { { name = name .. i, password = name, groups = { 1 } } })
        assert.same({ { name = name .. i } }, other.users:delete { name .. i })
      end
      assert.same({ "1|admin", "2|guest" }, users())
    end)

    it("sends nothing for nothing", function()
      assert.same({}, client.users:create {})
      assert.equal(0, #support.log())
    end)

    it("goes by names, whatever the order of the answer", function()
      answer_with '{"data":[{"name":"b","error":"no"},{"id":"7","name":"a"},{"id":9,"name":"stranger"}]}'
      assert.same({ { id = 7, name = "a" }, { name = "b", error = "no", code = "refused" },
        { name = "c", error = 'the answer does not mention this item; it contains: {"id":9,"name":"stranger"}', code = "unconfirmed" } },
        client.users:create { { name = "a", password = "x1" }, { name = "b", password = "x2" }, { name = "c", password = "x3" } })
    end)

    it("takes nothing without an id for success", function()
      for body, said in pairs {
        ['{"data":[{"name":"a"}]}'] = '{"name":"a"}', ['{"data":[{"name":"a","id":null}]}'] = '{"id":null,"name":"a"}',
        ['{"data":[{"name":"a","id":"none"}]}'] = '{"id":"none","name":"a"}', ['{"data":[{"id":5,"name":"a","error":"half done"}]}'] = "half done",
        ['{"data":["fine"]}'] = "fine", ['{"data":[]}'] = "the answer does not mention this item",
      } do
        answer_with(body)
        assert.same({ { name = "a", error = said, code = body:find "%[%]" and "unconfirmed" or "refused" } }, client.users:create { { name = "a",
          password = "x1" } })
      end
    end)

    it("makes an answer of another shape an error", function()
      for _, body in ipairs { "{}", "[1]", '{"data":"done"}', '{"data":{"id":3,"name":"a"}}', '"done"', "true", "null" } do
        answer_with(body)
        local made, err = client.users:create { { name = "a", password = "x1" } }
        assert.is_nil(made, body)
        assert.equal("decode", err.kind)
        assert.matches("^users:create: the answer lacks .*, so it is not known what the call did$", err.message)
        assert.is_false(err.retryable)
      end
    end)

    it("is refused with a wrong token, and nothing is made", function()
      local made, err = support.connect({ token = "wrong_token_000000000000" }).users:create { { name = "a", password = "x1" } }
      assert.is_nil(made)
      assert.equal("auth", err.kind)
      assert.same({ "1|admin", "2|guest" }, users())
    end)

    it("is sent once, whatever happens", function()
      for _, fault in ipairs { { kind = "drop" }, { kind = "503" }, { kind = "html" }, { kind = "empty" }, { kind = "reset" } } do
        support.clear()
        support.faults { fault }
        local made, err = client.users:create { { name = "once", password = "x1" } }
        assert.is_nil(made)
        assert.is_string(err.message)
        assert.equal(1, #support.log())
      end
    end)

    it("shows no password in what it returns, raises or tells", function()
      local secret, events = 'Gr8 "secret\\\n\27', {}
      local talking = support.connect { on_event = function(event) events[#events + 1] = event end }
      local json = require("cjson").encode(secret):sub(2, -2)
      local function hidden(value)
        local text = require("cjson").encode(value) .. tostring(value.message or value)
        for _, form in ipairs { "Gr8", json } do assert.is_nil(text:find(form, 1, true), text) end
      end
      for _, case in ipairs {
        { '{"data":[{"name":"a","error":"\\"' .. json .. '\\" is too weak"}]}' }, { '{"err":"no: ' .. json .. '"}' },
        { '{"err":"no","details":"invalidToken","msg":"' .. json .. '"}' }, { '{"data":["' .. json .. '"]}' }, { "bad: " .. json },
        { '{"err":"cannot read {\\"pass\\":\\"' .. json:gsub('[\\"]', "\\%0") .. '\\"}"}' }, { '{"err":"' .. json .. '"}', 500 },
        { '{"data":[{"name":"a","error":{"pass":"' .. json .. '"}}]}' }, { "<p>" .. secret .. "</p>", 403 },
      } do
        answer_with(case[1], case[2])
        local made, err = talking.users:create { { name = "a", password = secret } }
        hidden(made or err)
      end
      for _, event in ipairs(events) do hidden(event) end
      local _, message = pcall(talking.users.create, talking.users, { { name = "a", password = { secret } } })
      assert.is_nil(message:find("Gr8", 1, true))
      hidden { message = tostring(talking) .. tostring(talking.users) }
    end)

    it("masks the longer of two passwords whole", function()
      answer_with '{"data":[{"name":"a","error":"abc and abcdef"}]}'
      assert.same({ { name = "a", error = "*** and ***", code = "refused" }, { name = "b", error = "the answer does not mention this item",
        code = "unconfirmed" } },
        client.users:create { { name = "a", password = "abc" }, { name = "b", password = "abcdef" } })
    end)

    it("refuses misuse at the caller's line", function()
      for _, case in ipairs {
        { nil, "users:create: got nil; allowed: a list of users" }, { { name = "a" }, "users:create: got a table; allowed: a list of users" },
        { { "a" }, 'item 1: got "a"; allowed: a table of groups, name, password' }, { { {} }, "item 1: name: got nil; allowed: a name" },
        { { { name = "a" } }, "item 1: password: got nil; allowed: text" },
        { { { name = "a", password = 12345 } }, "item 1: password: got a secret number; allowed: text" },
        { { { name = "a", password = "" } }, "item 1: password: got a secret string" },
        { { { name = "a", password = "\255" } }, "item 1: password: got a secret string" },
        { { { name = "", password = "x" } }, 'item 1: name: got ""' },
        { { { name = "a", password = "x", groups = { true } } }, "item 1: groups: got a table; allowed: a list of usergroups' ids" },
        { { { name = "a", pasword = "x" } }, 'field: got "pasword"; allowed: groups, name, password; did you mean "password"?' },
        { { { name = "a", password = "x" }, { name = "a", password = "y" } }, "item 2: a occurs already, as item 1" },
      } do
        local ok, message = pcall(function() local _ = client.users:create(case[1]) end)
        assert.is_false(ok)
        assert.matches("users_spec%.lua:%d+: users:create: ", message)
        assert.is_truthy(message:find(case[2], 1, true), message)
      end
      assert.equal(0, #support.log())
    end)
  end)

  describe("delete", function()
    it("takes ids and names, and tells those that are not there in the appliance's words", function()
      assert(client.users:create { { name = "a'b", password = "x1" }, { name = "c", password = "x2" }, { name = "11", password = "x3" } })
      assert.same({ { id = 4 }, { name = "a'b" }, { id = 207, error = "Deleting user id 207 (0 matched)", code = "missing" },
        { name = "MyGuest", error = "Deleting user named 'MyGuest' (0 matched)", code = "missing" },
        { name = "11" }, { id = 11, error = "Deleting user id 11 (0 matched)", code = "missing" } },
        client.users:delete { 4, "a'b", 207, "MyGuest", "11", 11 })
      assert.same({ "1|admin", "2|guest" }, users())
    end)

    it("takes no other sentence for success", function()
      for sentence, said in pairs {
        ["Deleting user id 111 (1 matched)"] = "Deleting user id 111 (1 matched)", ["User 11 may not be deleted"] = "User 11 may not be deleted",
        ["Deleting user id 11 (none matched)"] = "Deleting user id 11 (none matched)",
        ["Not Deleting user id 11 (1 matched)"] = "Not Deleting user id 11 (1 matched)",
      } do
        answer_with('{"data":["' .. sentence .. '"]}')
        assert.same({ { id = 11, error = said, code = said:find "[Nn]ot " and "refused" or "unconfirmed" } }, client.users:delete { 11 })
      end
      answer_with '{"data":[" Deleting user id 12 (0 matched)","Deleting user id 11 (2 matched) "]}'
      assert.same({ { id = 11 }, { id = 12, error = " Deleting user id 12 (0 matched)", code = "missing" } }, client.users:delete { 11, 12 })
    end)

    it("makes refusals and other shapes errors", function()
      for body, kind in pairs {
        ['{"err":"You may not."}'] = "api", ['{"data":"all"}'] = "decode", ["{}"] = "decode", ["1"] = "decode", ["<b>"] = "decode",
      } do
        answer_with(body)
        local gone, err = client.users:delete { 1 }
        assert.is_nil(gone)
        assert.equal(kind, err.kind)
      end
      assert.same({ "1|admin", "2|guest" }, users())
    end)

    it("shows strangers' sentences without what a terminal obeys", function()
      answer_with '{"data":["\\u001b[31mno\\u0007\\r\\n"]}'
      assert.same({ { id = 5, error = "\\x1B[31mno\\x07\\x0D\\x0A", code = "unconfirmed" } }, client.users:delete { 5 })
    end)

    it("refuses misuse", function()
      for _, case in ipairs {
        { 11, "users:delete: got 11; allowed: a list of ids and names" }, { { 0 }, "item 1: got 0; allowed: an id (a whole number) or a name" },
        { { 1.5 }, "got 1.5" }, { { {} }, "item 1: got a table" }, { { 3, "a", 3 }, "item 3: 3 occurs already, as item 1" },
      } do
        assert.is_truthy(select(2, pcall(function() local _ = client.users:delete(case[1]) end)):find(case[2], 1, true))
      end
    end)
  end)

  describe("rename", function()
    it("goes by name or id", function()
      assert.same({ name = "visitor" }, client.users:rename("guest", "visitor"))
      assert.same({ id = 1, name = "root" }, client.users:rename(1, "root"))
      support.switches { rename_names = "name" }
      assert.same({ id = 1, name = "boss" }, client.users:rename(1, "boss"))
      assert.same({ "1|boss", "2|visitor" }, users())
    end)

    it("keeps what was said where it fails", function()
      assert.same({ name = "nobody", error = "User nobody does not exist", code = "missing" }, client.users:rename("nobody", "x"))
      assert.same({ id = 2, error = "A user named admin already exists", code = "exists" }, client.users:rename(2, "admin"))
      assert.same({ "1|admin", "2|guest" }, users())
    end)

    it("is refused", function()
      answer_with '{"err":"You may not."}'
      local done, err = client.users:rename("guest", "x")
      assert.is_nil(done)
      assert.equal("api: the appliance answers: You may not.", tostring(err))
      answer_with '{"err":"You may not."}'
      done, err = client.users:set_preferences(2, { language = "english" })
      assert.is_nil(done)
      assert.equal("api", err.kind)
      assert.same({ "1|admin", "2|guest" }, users())
    end)

    it("takes no other sentence for success", function()
      for _, sentence in ipairs { "User other successfully renamed to x", "User guest renamed to x", "User guest successfully renamed to xx" } do
        answer_with('{"data":{"message":"' .. sentence .. '"}}')
        assert.same({ name = "guest", error = sentence, code = "unconfirmed" }, client.users:rename("guest", "x"))
      end
      for _, body in ipairs { '{"data":{}}', '{"data":["User guest successfully renamed to x"]}', '{"data":1}', "{}" } do
        answer_with(body)
        local done, err = client.users:rename("guest", "x")
        assert.is_nil(done)
        assert.equal("decode", err.kind)
      end
    end)

    it("refuses misuse", function()
      assert.matches("users_spec.lua:%d+: users:rename: got nil", select(2, pcall(function() local _ = client.users:rename(nil, "x") end)))
      assert.matches("new name: got 5; allowed: a name", select(2, pcall(function() local _ = client.users:rename("a", 5) end)))
    end)
  end)

  describe("set_preferences", function()
    it("sets them, in the order of their names", function()
      assert.same({ { name = "language", setting = "english" }, { name = "statusTopn", setting = 10 } },
        client.users:set_preferences(2, { statusTopn = 10, language = "english" }))
      assert.same({ "2|language|english", "2|statusTopn|10" }, support.state "SELECT * FROM preferences ORDER BY 1, 2")
    end)

    it("keeps what was said of those that are not known", function()
      assert.same({ { name = "colour", setting = "red", error = "colour is not a preference", code = "refused" }, { name = "language",
        setting = "german" } },
        client.users:set_preferences(2, { colour = "red", language = "german" }))
      assert.same({ { name = "language", setting = "x", error = "language not updated: no such user", code = "missing" } },
        client.users:set_preferences(99, { language = "x" }))
      assert.same({ "2|language|german" }, support.state "SELECT * FROM preferences")
    end)

    it("takes no other sentence for success", function()
      for _, sentence in ipairs { "language updated to english for user_id 22", "language updated to en for user_id 2", "none" } do
        answer_with('{"data":{"updated":["' .. sentence .. '"],"errors":[]}}')
        assert.same({ { name = "language", setting = "english", error = sentence, code = "unconfirmed" } }, client.users:set_preferences(2,
          { language = "english" }))
      end
      for _, body in ipairs { '{"data":{"errors":[]}}', '{"data":[]}', '{"data":{"updated":"all"}}' } do
        answer_with(body)
        local done, err = client.users:set_preferences(2, { language = "english" })
        assert.is_nil(done)
        assert.equal("decode", err.kind)
      end
    end)

    it("refuses misuse", function()
      for _, case in ipairs {
        { { "guest", {} }, "a user's id, a whole number; the appliance accepts no name here" }, { { 2, "x" }, "a table such as" },
        { { 2, { a = true } }, "users:set_preferences: a: got true; allowed: text or a number" }, { { 2, { "x" } }, "name: got 1" },
        { { 2, { a = 0 / 0 } }, "allowed: text or a number" },
      } do
        local _, message = pcall(function() local _ = client.users:set_preferences(case[1][1], case[1][2]) end)
        assert.is_truthy(message:find(case[2], 1, true), message)
      end
      assert.same({}, client.users:set_preferences(2, {}))
    end)
  end)

  it("print what became of each", function()
    assert.equal("2 users: id, name, code, error\n3  ann  -  -\n-  guest  exists  A user already exists with that name",
      tostring(client.users:create { { name = "ann", password = "secret" }, { name = "guest", password = "secret" } }))
    assert.equal('user: id 3, name "bo"', tostring(client.users:rename(3, "bo")))
    assert.equal('user: name "nobody": User nobody does not exist (missing)', tostring(client.users:rename("nobody", "x")))
    assert.equal("2 members: user, group, code, error\nbo  Guests  -  -\nbo  Nowhere  missing  Usergroup Nowhere does not exist",
      tostring(client.groups:add_members { { user = "bo", group = "Guests" }, { user = "bo", group = "Nowhere" } }))
  end)
end)
