-- Which flows the tables of five minutes and more keep. The appliance keeps per exporter and bucket only the top conversations by octets (ties: by
-- the conversation), so each flow has the rank of its conversation in its bucket of each length. A conversation is what summary tables keep: both
-- addresses, the well-known port, the protocol and both interfaces. The day recurs, so the ranks of a week's buckets are those of a day's.
ALTER TABLE flows ADD COLUMN rank_300 INTEGER;
ALTER TABLE flows ADD COLUMN rank_1800 INTEGER;
ALTER TABLE flows ADD COLUMN rank_7200 INTEGER;
ALTER TABLE flows ADD COLUMN rank_43200 INTEGER;
ALTER TABLE flows ADD COLUMN rank_86400 INTEGER;
CREATE TEMP TABLE conversations AS
  SELECT rowid AS flow, start_ms, exporter, octets, dense_rank() OVER (ORDER BY src_ip, dst_ip, protocol, input_if, output_if, wkp) AS conversation
  FROM flows;
CREATE TEMP VIEW lengths AS
  SELECT 300 AS length UNION ALL SELECT 1800 UNION ALL SELECT 7200 UNION ALL SELECT 43200 UNION ALL SELECT 86400;
CREATE TEMP TABLE ranks AS
  SELECT length, flow, dense_rank() OVER (PARTITION BY length, exporter, bucket ORDER BY whole DESC, conversation) AS place
  FROM (
    SELECT length, flow, exporter, start_ms / (length * 1000) AS bucket, conversation,
      SUM(octets) OVER (PARTITION BY length, exporter, start_ms / (length * 1000), conversation) AS whole
    FROM conversations, lengths);
CREATE TEMP TABLE wide AS
  SELECT flow, MAX(CASE length WHEN 300 THEN place END) AS a, MAX(CASE length WHEN 1800 THEN place END) AS b,
    MAX(CASE length WHEN 7200 THEN place END) AS c, MAX(CASE length WHEN 43200 THEN place END) AS d, MAX(CASE length WHEN 86400 THEN place END) AS e
  FROM ranks GROUP BY flow;
UPDATE flows SET rank_300 = a, rank_1800 = b, rank_7200 = c, rank_43200 = d, rank_86400 = e FROM wide WHERE wide.flow = flows.rowid;
DROP TABLE wide;
DROP TABLE ranks;
DROP VIEW lengths;
DROP TABLE conversations;
