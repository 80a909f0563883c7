-- What the sandbox remembers. Times are epoch seconds with fractions.
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS violations (id INTEGER PRIMARY KEY, time REAL, rule TEXT, text TEXT, request_id TEXT);
CREATE TABLE IF NOT EXISTS log (id INTEGER PRIMARY KEY, time REAL, request_id TEXT, scheme TEXT, method TEXT, path TEXT, encoding TEXT,
  rm TEXT, action TEXT, fields TEXT, status INTEGER, bytes INTEGER);
CREATE TABLE IF NOT EXISTS faults (id INTEGER PRIMARY KEY, fault TEXT NOT NULL, times INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS switches (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS capture_rules (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, server_ip TEXT, client_ip TEXT, max_packets INTEGER,
  stops_on INTEGER, well_known_port INTEGER, retention_hours INTEGER, enabled INTEGER);
