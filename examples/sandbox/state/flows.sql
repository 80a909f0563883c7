-- Loads the recorded day. `start` puts the .import of flows.csv.gz into the table "raw" before this.
CREATE TABLE addresses (ip TEXT PRIMARY KEY, number INTEGER NOT NULL, ip_group INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO addresses
  SELECT ip, number, (SELECT min(id) FROM ip_group_ranges WHERE number BETWEEN low AND high)
  FROM (
    SELECT ip, CASE WHEN ip LIKE '%:%' THEN -1 ELSE
      (parts ->> 0) * 16777216 + (parts ->> 1) * 65536 + (parts ->> 2) * 256 + (parts ->> 3) END AS number
    FROM (
      SELECT ip, CASE WHEN ip LIKE '%:%' THEN NULL ELSE '[' || replace(ip, '.', ',') || ']' END AS parts
      FROM (SELECT src_ip AS ip FROM raw UNION SELECT dst_ip FROM raw)));

-- wkp: the well-known port, which is the lower of the two that is not 0, with its protocol. app: the same, or the defined application.
CREATE TABLE flows AS
  SELECT start_ms, exporter, input_if, output_if, named.protocol AS protocol, src_ip, src_port, dst_ip, dst_port, packets, octets, tos,
    src_number, dst_number, src_group, dst_group, coalesce(ports.name, 'unknown') || tail AS wkp,
    coalesce(ports.defined || ' (Defined application)', coalesce(ports.name, 'unknown') || tail) AS app
  FROM (
    SELECT flow.*, s.number AS src_number, s.ip_group AS src_group, d.number AS dst_number, d.ip_group AS dst_group,
      ' (' || common || ' - ' || coalesce(protocols.name, flow.protocol) || ')' AS tail
    FROM (
      SELECT CAST(start_ms AS INTEGER) AS start_ms, exporter, CAST(input_if AS INTEGER) AS input_if,
        CAST(output_if AS INTEGER) AS output_if, CAST(protocol AS INTEGER) AS protocol, src_ip, CAST(src_port AS INTEGER) AS src_port,
        dst_ip, CAST(dst_port AS INTEGER) AS dst_port, CAST(packets AS INTEGER) AS packets, CAST(octets AS INTEGER) AS octets,
        CAST(tos AS INTEGER) AS tos,
        CASE WHEN protocol NOT IN ('6', '17', '132') THEN 0
          WHEN CAST(src_port AS INTEGER) = 0 THEN CAST(dst_port AS INTEGER)
          WHEN CAST(dst_port AS INTEGER) = 0 THEN CAST(src_port AS INTEGER)
          ELSE min(CAST(src_port AS INTEGER), CAST(dst_port AS INTEGER)) END AS common
      FROM raw) AS flow
    JOIN addresses AS s ON s.ip = flow.src_ip
    JOIN addresses AS d ON d.ip = flow.dst_ip
    LEFT JOIN protocols ON protocols.number = flow.protocol) AS named
  LEFT JOIN ports ON ports.port = named.common AND ports.protocol = named.protocol;
DROP TABLE raw;
