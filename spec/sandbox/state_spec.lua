-- What the sandbox keeps survives a restart where STATE names its file: users, groups, IP groups, device groups, capture rules. Driven by our
-- client, looked up with sqlite3. Nothing here depends on the Lua it runs on.
local sandbox = dofile "spec/sandbox.lua"
local scrutinizer = require "scrutinizer"

local describe_once = os.getenv "SANDBOX_CHECKED" and function() end or describe

describe_once("the sandbox's state", function()
  it("survives a restart", function()
    local state = os.tmpname()
    os.remove(state)
    local function with_client(run)
      sandbox.during("PORT=0 HTTP_PORT=0 STATE=" .. state, function(box)
        run(assert(scrutinizer.connect { url = box.url, token = box.token, tls = { ca_file = box.ca } }))
      end)
    end
    local function kept(sql) return (sandbox.sh(("sqlite3 %s %s"):format(state, sandbox.quote(sql)))) end
    local group
    with_client(function(client)
      assert(client.users:create { { name = "viewer", password = "x1", groups = { 2 } } })
      assert(client.users:delete { "guest" })
      assert(client.groups:create { { name = "Readers", template = 2, users = { "viewer" } } })
      group = assert(client.ip_groups:create("Berlin", { "10.2.0.0/16", "10.8.0.69" }))
      assert(client.device_groups:create "Site")
      assert(client.capture_rules:add { name = "LDAP", server_ip = "1.1.1.1", client_ip = "2.2.2.2", max_packets = 1, stops_on = 1, port = "389/tcp",
        retention_hours = 1 })
    end)
    with_client(function(client)
      local made = assert(client.users:create { { name = "viewer", password = "x2" }, { name = "new", password = "x3" } })
      assert.same({ { name = "viewer", error = "A user already exists with that name", code = "exists" }, { id = 4, name = "new" } }, made)
      assert.same({ id = group.id, name = "Berlin" }, client.ip_groups:find "Berlin")
      assert.equal(2, #assert(client.ip_groups:rules(group.id)))
      assert.equal("Site", assert(client.device_groups:find "Site").name)
      local rows = assert(client:report("tos"):last("24h"):where({ ip_group = group.id }):fetch()).rows
      assert.is_true(#rows > 0)
    end)
    assert.equal("1|admin\n3|viewer\n4|new\n", kept "SELECT id, name FROM users ORDER BY id")
    assert.equal("3|2\n3|3\n", kept "SELECT * FROM memberships WHERE user_id > 1 ORDER BY 1, 2")
    assert.equal("LDAP\n", kept "SELECT name FROM capture_rules")
    sandbox.sh(("rm -f %s %s-wal %s-shm"):format(state, state, state))
  end)
end)
