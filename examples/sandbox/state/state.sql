-- What the sandbox remembers. Times are epoch seconds with fractions.
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS violations (id INTEGER PRIMARY KEY, time REAL, rule TEXT, text TEXT, request_id TEXT);
CREATE TABLE IF NOT EXISTS log (id INTEGER PRIMARY KEY, time REAL, request_id TEXT, scheme TEXT, method TEXT, path TEXT, encoding TEXT,
  rm TEXT, action TEXT, fields TEXT, status INTEGER, bytes INTEGER);
CREATE INDEX IF NOT EXISTS log_request ON log (request_id);
CREATE TABLE IF NOT EXISTS faults (id INTEGER PRIMARY KEY, fault TEXT NOT NULL, times INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS switches (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS capture_rules (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, server_ip TEXT, client_ip TEXT, max_packets INTEGER,
  stops_on INTEGER, well_known_port INTEGER, retention_hours INTEGER, enabled INTEGER);

-- Users and their groups. The initial_ tables say what they begin with, and `DELETE /sandbox/accounts` goes back to that.
CREATE TABLE IF NOT EXISTS initial_users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, password TEXT);
CREATE TABLE IF NOT EXISTS initial_usergroups (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS initial_memberships (user_id INTEGER, usergroup_id INTEGER, PRIMARY KEY (user_id, usergroup_id));
CREATE TABLE IF NOT EXISTS initial_preferences (user_id INTEGER, name TEXT, setting TEXT, PRIMARY KEY (user_id, name));
CREATE TABLE IF NOT EXISTS initial_permissions (usergroup_id INTEGER, type TEXT, seccode TEXT, PRIMARY KEY (usergroup_id, type, seccode));
INSERT OR IGNORE INTO initial_users VALUES (1, 'admin', NULL), (2, 'guest', NULL);
INSERT OR IGNORE INTO initial_usergroups VALUES (1, 'Administrators'), (2, 'Guests');
INSERT OR IGNORE INTO initial_memberships VALUES (1, 1), (2, 2);
INSERT OR IGNORE INTO initial_permissions VALUES (1, 'plixer', 'adminTab'), (1, 'plixer', 'allGadgets'), (2, 'plixer', 'statusTab');
CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, password TEXT);
CREATE TABLE IF NOT EXISTS usergroups (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS memberships (user_id INTEGER, usergroup_id INTEGER, PRIMARY KEY (user_id, usergroup_id));
CREATE TABLE IF NOT EXISTS preferences (user_id INTEGER, name TEXT, setting TEXT, PRIMARY KEY (user_id, name));
CREATE TABLE IF NOT EXISTS permissions (usergroup_id INTEGER, type TEXT, seccode TEXT, PRIMARY KEY (usergroup_id, type, seccode));
INSERT INTO users SELECT * FROM initial_users WHERE NOT EXISTS (SELECT 1 FROM setting WHERE name = 'accounts');
INSERT INTO usergroups SELECT * FROM initial_usergroups WHERE NOT EXISTS (SELECT 1 FROM setting WHERE name = 'accounts');
INSERT INTO memberships SELECT * FROM initial_memberships WHERE NOT EXISTS (SELECT 1 FROM setting WHERE name = 'accounts');
INSERT INTO permissions SELECT * FROM initial_permissions WHERE NOT EXISTS (SELECT 1 FROM setting WHERE name = 'accounts');
INSERT OR IGNORE INTO setting VALUES ('accounts', 'made');

-- IP groups' rules, and which of the flows' addresses the rules of groups made through the API hold for. `DELETE /sandbox/ipgroups` takes
-- everything back. Deleting or changing the six first groups does not change the recorded flows' own groups.
CREATE TABLE IF NOT EXISTS ip_group_rules (rule_id INTEGER PRIMARY KEY AUTOINCREMENT, group_id INTEGER NOT NULL, type TEXT NOT NULL, address TEXT,
  mask TEXT, sip TEXT, eip TEXT, child_id INTEGER);
CREATE INDEX IF NOT EXISTS ip_group_rules_group ON ip_group_rules (group_id);
CREATE TABLE IF NOT EXISTS ip_group_members (group_id INTEGER, ip TEXT, PRIMARY KEY (group_id, ip)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS addresses_number ON addresses (number);
CREATE INDEX IF NOT EXISTS flows_src_ip ON flows (src_ip);
CREATE INDEX IF NOT EXISTS flows_dst_ip ON flows (dst_ip);
INSERT INTO ip_group_rules (rule_id, group_id, type, address, mask, sip, eip)
  SELECT 506000 + row_number() OVER (), id, CASE WHEN low = -1 THEN 'network' ELSE 'range' END,
    CASE WHEN low = -1 THEN '::' END, CASE WHEN low = -1 THEN '0' END,
    CASE WHEN low >= 0 THEN (low >> 24) || '.' || ((low >> 16) & 255) || '.' || ((low >> 8) & 255) || '.' || (low & 255) END,
    CASE WHEN low >= 0 THEN (high >> 24) || '.' || ((high >> 16) & 255) || '.' || ((high >> 8) & 255) || '.' || (high & 255) END
  FROM ip_group_ranges WHERE NOT EXISTS (SELECT 1 FROM setting WHERE name = 'ip_groups');
INSERT OR IGNORE INTO setting VALUES ('ip_groups', 'made');
CREATE TABLE IF NOT EXISTS initial_ip_groups AS SELECT * FROM ip_groups;
CREATE TABLE IF NOT EXISTS initial_ip_group_rules AS SELECT * FROM ip_group_rules;
