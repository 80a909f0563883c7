-- Labels: the texts of cells for people, according to rateTotal, bbp and dataFormat.
local store = require "sandbox.state.store"

local labels = {}
local PREFIXES = { "", "K", "M", "G", "T", "P", "E", "Z", "Y" }

local function scaled(value, unit)
  local step = 1
  while value >= 1000 and step < #PREFIXES do
    value, step = value / 1000, step + 1
  end
  return (value < 10 and "%.2f %s%s" or "%.1f %s%s"):format(value, PREFIXES[step], unit)
end
labels.scaled = scaled

local function plain(value)
  return value == math.floor(value) and ("%.0f"):format(value) or ("%.4f"):format(value)
end

--- Octets or packets as text; octets are "NA" if the unit is percent.
function labels.amount(spec, kind, value)
  if kind == "octets" and spec.unit == "percent" then return "NA" end
  local unit = "p"
  if kind == "octets" then
    unit = spec.unit == "bytes" and "B" or "b"
    if unit == "b" then value = value * 8 end
  end
  if spec.rate then value, unit = value / math.max(1, spec.to - spec.from), unit .. "/s" end
  return spec.format == "raw" and plain(value) or scaled(value, unit)
end

function labels.percent(part, whole)
  return ("%.2f %%"):format(whole > 0 and part / whole * 100 or 0)
end

--- The names for a kind of key: { [key as text] = name }.
function labels.names(kind)
  local names, sql = {}, nil
  if kind == "interfaces" then
    sql = "SELECT exporter || '/' || number AS key, name FROM interfaces"
  elseif kind == "ip_groups" then
    sql = "SELECT id AS key, name FROM ip_groups"
  elseif kind == "protocols" then
    sql = "SELECT number AS key, name FROM protocols"
  end
  store.query(sql, function(row) names[tostring(row.key)] = row.name end)
  return names
end

--- The speed in bits per second of each interface, by "exporter/number".
function labels.speeds()
  local speeds = {}
  store.query("SELECT exporter || '/' || number AS key, speed FROM interfaces", function(row) speeds[row.key] = row.speed end)
  return speeds
end

return labels
