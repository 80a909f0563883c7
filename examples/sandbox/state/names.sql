-- Names the sandbox gives to what the flows hold by number. Made up, but for the ports and protocols.
CREATE TABLE protocols (number INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO protocols VALUES
  (0, 'HOPOPT'), (1, 'ICMP'), (2, 'IGMP'), (4, 'IPIP'), (6, 'TCP'), (17, 'UDP'), (41, 'IPv6'), (47, 'GRE'), (50, 'ESP'), (51, 'AH'),
  (58, 'IPv6-ICMP'), (88, 'EIGRP'), (89, 'OSPF'), (103, 'PIM'), (112, 'VRRP'), (132, 'SCTP');

CREATE TABLE ports (port INTEGER, protocol INTEGER, name TEXT NOT NULL, defined TEXT, PRIMARY KEY (port, protocol));
INSERT INTO ports (port, protocol, name) VALUES
  (20, 6, 'ftp-data'), (21, 6, 'ftp'), (22, 6, 'SSH'), (23, 6, 'telnet'), (25, 6, 'smtp'), (53, 6, 'domain'), (53, 17, 'domain'),
  (67, 17, 'bootps'), (69, 17, 'tftp'), (80, 6, 'HTTP'), (88, 6, 'kerberos'), (110, 6, 'pop3'), (123, 17, 'ntp'), (137, 17, 'netbios-ns'),
  (138, 17, 'netbios-dgm'), (139, 6, 'netbios-ssn'), (143, 6, 'imap'), (161, 17, 'snmp'), (162, 17, 'snmptrap'), (179, 6, 'bgp'),
  (389, 6, 'ldap'), (443, 6, 'HTTPS'), (443, 17, 'HTTPS'), (445, 6, 'microsoft-ds'), (500, 17, 'isakmp'), (514, 17, 'syslog'),
  (554, 6, 'rtsp'), (587, 6, 'submission'), (631, 6, 'ipp'), (853, 6, 'domain-s'), (993, 6, 'imaps'), (995, 6, 'pop3s'),
  (1080, 6, 'socks'), (1194, 17, 'openvpn'), (1433, 6, 'ms-sql-s'), (1812, 17, 'radius'), (1883, 6, 'mqtt'), (1900, 17, 'ssdp'),
  (2002, 17, 'globe'), (2152, 17, 'gtp-user'), (3306, 6, 'mysql'), (3389, 6, 'ms-wbt-server'), (3478, 17, 'stun'),
  (4500, 17, 'ipsec-nat-t'), (4739, 17, 'ipfix'), (4789, 17, 'vxlan'), (5060, 17, 'sip'), (5222, 6, 'xmpp-client'), (5353, 17, 'mdns'),
  (5432, 6, 'postgresql'), (5938, 6, 'teamviewer'), (6379, 6, 'redis'), (8000, 17, 'irdmi'), (8080, 6, 'http-alt'), (8333, 6, 'bitcoin');
-- "Defined applications" take several ports under one name, in the application reports only.
UPDATE ports SET defined = 'DNS' WHERE name IN ('domain', 'domain-s', 'mdns');
UPDATE ports SET defined = 'NetBIOS' WHERE name LIKE 'netbios%' OR name = 'microsoft-ds';

-- The exporters of the recorded flows, and the numbers of their interfaces. A name of a device may belong to two of them (sysname "edge").
CREATE TABLE devices (ip TEXT PRIMARY KEY, id INTEGER NOT NULL UNIQUE, name TEXT NOT NULL, dns TEXT NOT NULL, sysname TEXT NOT NULL,
  label TEXT NOT NULL);
INSERT INTO devices VALUES
  ('192.0.2.1', 1001, 'core-1', 'core-1.example.net', 'CORE-SW-1', 'Core switch 1'),
  ('192.0.2.2', 1002, 'core-2', 'core-2.example.net', 'CORE-SW-2', 'Core switch 2'),
  ('192.0.2.3', 1003, 'branch-1', 'branch-1.example.net', 'edge', 'Branch router 1'),
  ('192.0.2.4', 1004, 'branch-2', 'branch-2.example.net', 'edge', 'Branch router 2');

CREATE TABLE interfaces (exporter TEXT, number INTEGER, name TEXT NOT NULL, speed INTEGER NOT NULL, PRIMARY KEY (exporter, number));
WITH RECURSIVE port(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM port WHERE n < 10)
INSERT INTO interfaces SELECT devices.ip, port.n,
  port.n || ' - ' || CASE WHEN port.n < 7 THEN 'GigabitEthernet0/' || port.n
    ELSE 'Uplink ' || (port.n - 7) || ' (xe-0/0/' || (port.n - 7) || ')' END,
  CASE WHEN port.n < 7 THEN 1000000000 ELSE 10000000000 END FROM devices, port;
UPDATE interfaces SET speed = 10000000 WHERE exporter = '192.0.2.3' AND number = 3;

CREATE TABLE device_groups (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE device_group_members (id INTEGER, exporter TEXT, PRIMARY KEY (id, exporter));
INSERT INTO device_groups VALUES (1, 'Campus'), (2, 'Branches');
INSERT INTO device_group_members VALUES (1, '192.0.2.1'), (1, '192.0.2.2'), (2, '192.0.2.3'), (2, '192.0.2.4');

-- An address belongs to the first group (by id) whose rule holds; the last group takes the rest. Ranges are IPv4 addresses as
-- numbers, both ends included; -1 stands for every IPv6 address.
CREATE TABLE ip_groups (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
INSERT INTO ip_groups VALUES (16800000, 'Loopback and link-local'), (16800023, 'Private networks'), (16900006, 'Multicast'),
  (16900032, 'IPv6'), (16900046, 'Public resolvers'), (16900092, 'Internet');
CREATE TABLE ip_group_ranges (id INTEGER, low INTEGER, high INTEGER);
INSERT INTO ip_group_ranges VALUES
  (16800000, 2130706432, 2147483647), (16800000, 2851995648, 2852061183),
  (16800023, 167772160, 184549375), (16800023, 2886729728, 2887778303), (16800023, 3232235520, 3232301055),
  (16900006, 3758096384, 4026531839), (16900032, -1, -1),
  (16900046, 134744072, 134744072), (16900046, 134743044, 134743044), (16900046, 16843009, 16843009),
  (16900092, 0, 4294967295);
