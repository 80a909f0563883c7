-- client.users against the sandbox over TLS; what the sandbox keeps is looked up with the sqlite3 command.
local support = require "spec.support"

describe("users", function()
  local client
  before_each(function()
    support.clear()
    support.reset "accounts"
    client = support.connect()
  end)
  after_each(function() assert.same({}, support.violations()) end)

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
  end)
end)
