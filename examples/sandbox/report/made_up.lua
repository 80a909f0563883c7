-- The columns of made-up rows with varied values: names, addresses and times as in real flows. Each kind is a list of `n` values, numbered
-- from 0; row i has value i % n. A value is { raw value as JSON, title, label }; title and label are escaped for JSON, without quotes.
local made_up = {}

local LONG = ("collector-of-records-with-a-name-that-goes-on-"):rep(4)

-- Labels: plain, with every kind of escape, not ASCII, like JSON or HTML, long, empty, with a number as raw value, with null as raw value.
local PORTS = {
  { "HTTPS (443 - TCP)" }, { "HTTPS (443 - UDP)" }, { "domain (53 - UDP)" }, { "SSH (22 - TCP)" }, { "ipfix (4739 - UDP)" }, { "HTTP (80 - TCP)" },
  { "ipsec-nat-t (4500 - UDP)" }, { "globe (2002 - UDP)" }, { "NetFlow (Defined application)" }, { "ntp (123 - UDP)" }, { "irdmi (8000 - UDP)" },
  { "x (1 - TCP)" }, { "icmp (0 - ICMP)" }, { "smtp (25 - TCP)" },
  { [[\"quoted\" back\\slash \/ (7000 - TCP)]] }, { [[caf\u00e9 \u20ac (7001 - TCP)]] }, { [[\ud83d\ude80 rocket (7002 - UDP)]] },
  { [[bell\u0007 tab\t line\r\nend (7003 - TCP)]] }, { [[\u2028 \u0000 (7004 - TCP)]] },
  { "Zürich Gäste (7005 - TCP)" }, { "監視サービス (7006 - UDP)" }, { "🚀 rocket (7007 - TCP)" },
  { [=[}],[{ ] } , : (7008 - TCP)]=] }, { [[{\"rawValue\":\"1\",\"label\":\"2\"} (7009 - TCP)]] }, { [[AT&amp;T <b>backup<\/b> (7010 - TCP)]] },
  { LONG .. "(7011 - TCP)" }, { "" },
  { "8443 (8443 - TCP)", raw = "8443" }, { "1.5e3 (1500 - TCP)", raw = "1.5e3" },
  { "NA", raw = "null", title = "Value undefined" }, { " - ", raw = "null", title = "--" },
}

local function entry(label, raw, title) return { raw or '"' .. label .. '"', title or label, label } end

-- Makes a list of `n` values, numbered from 0. With made_up = "plain" it has only the first value.
local function values(options, count, make)
  local list = { n = options.made_up == "plain" and 1 or count }
  for k = 0, list.n - 1 do list[k] = make(k) end
  return list
end

function made_up.ports(options)
  return values(options, #PORTS, function(k)
    local port = PORTS[k + 1]
    return entry(port[1], port.raw, port.title)
  end)
end

local ADDRESSES = {
  "203.0.113.%d", "198.51.100.%d", "10.%d.0.1", "2001:db8::%x", "2001:db8:a0%02x:1234:5678:9abc:def0:4321", "fe80::21b:2%02x:fe3c:9d",
  "::ffff:192.0.2.%d",
}

function made_up.destinations(options)
  return values(options, 61, function(k)
    if k == 17 then return entry("NA", "null", "Value undefined") end
    local address = ADDRESSES[k % #ADDRESSES + 1]:format(k)
    local name = k % 4 == 1 and ("host-%d.branch-office.example.net"):format(k) or k % 10 == 3 and ("bücher-%d.example"):format(k)
    return entry(name or address, '"' .. address .. '"', address)
  end)
end

--- Whether value k is written as a JSON number; an appliance usually writes text.
function made_up.is_number(options, k)
  if options.numbers == "usual" then return options.made_up == "varied" and k % 5 == 3 end
  return options.numbers == "numbers"
end

--- The values of first and last seen: starts of the report's buckets; last is never before first. One in 13 rows has no last.
function made_up.times(spec)
  local start, options = spec.from - spec.from % spec.bucket, spec.options
  local count = math.max(1, math.ceil((spec.to - start) / spec.bucket))
  local half = math.ceil(count / 2)
  local function moment(k, step)
    local text = ("%.0f"):format(start + step * spec.bucket)
    return entry(text, made_up.is_number(options, k) and text or nil)
  end
  local firsts = values(options, 11, function(k) return moment(k, k % half) end)
  local lasts = values(options, 13, function(k)
    return k == 9 and entry("NA", "null", "--") or moment(k, count - 1 - k % math.max(1, count - half))
  end)
  return firsts, lasts
end

return made_up
