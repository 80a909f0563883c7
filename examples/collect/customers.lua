-- The customers of `scrutinizer collect` and `scrutinizer bill --from`. "all": no two exporters report the same flow; see billing.queries.
return {
  { name = "ACME", network = "10.8.0.0/24", exporter = "all", tariff = "gold.lua", number = "2025-10-001" },
  { name = "Bolt", ip = { "157.240.30.18", "10.8.0.69" }, exporter = "all", tariff = "gold.lua", usage = { direction = "sum" } },
  { name = "Two ports", interfaces = { { "core-2", 1 }, { "192.0.2.1", 2 } }, tariff = "gold.lua", usage = { missing = "zero" } },
}
