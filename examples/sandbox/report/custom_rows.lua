-- custom_rows_<N>: N made-up rows in the shape of conversations. A test can compute them; they are written in constant memory.
--
-- Row i (from 1): source 10.a.b.c from i's low 24 bits, i packets, i * 1000 octets, plus 2^53 octets if 7 divides i. One in five values of each
-- counter is a JSON number. The other columns have varied values as real flows have: made_up.lua.
local bit = require "bit"
local columns = require "sandbox.report.columns"
local json = require "sandbox.http.json"
local keys = require "sandbox.report.keys"
local made_up = require "sandbox.report.made_up"
local buffer = require "string.buffer"

local band, bxor, lshift, rshift, floor = bit.band, bit.bxor, bit.lshift, bit.rshift, math.floor

local custom_rows = {}
local MOST = 5000000
local BLOCK_ROWS = 40 -- about 55 kB: blocks of more than 128 kB would each be mapped again by malloc
local EXPORTER = "192.0.2.1"
local FORMS = 64 -- the most different orders of keys in one column's cells
local MASK = FORMS - 1
-- 2^53 is 9007199254740992: its first four digits, and the others, to which i * 1000 is added without a carry.
local HIGH, LOW = "9007", 199254740992

--- N of a type custom_rows_<N>; nil if the type is another or N is too large.
function custom_rows.size(report_type)
  local digits = report_type:match "^custom_rows_([1-9]%d*)$"
  local n = digits and tonumber(digits)
  return n and n <= MOST and n or nil
end

-- The sum of octets over rows first … last, as a double for shares (not exact beyond 2^53).
local function octets_between(first, last)
  if last < first then return 0 end
  local count = last - first + 1
  return (first + last) * count / 2 * 1000 + (math.floor(last / 7) - math.floor((first - 1) / 7)) * 2 ^ 53
end

local function packets_between(first, last)
  return last < first and 0 or (first + last) * (last - first + 1) / 2
end

local function sums(first, last)
  return { octets = octets_between(first, last), packets = packets_between(first, last), flows = math.max(0, last - first + 1) }
end

-- A form is a cell with one order of keys: { text, n, text, n, text, n, text }. Each n is a value between the texts: 1 raw value, 2 title,
-- 3 label. A member is { key, text }, or { key, text, n, text }.
local function form(options, head, members)
  local list, text = {}, head .. "{"
  for i, member in ipairs(keys.arrange(options, members)) do
    text = text .. (i > 1 and "," or "") .. json.string(member[1]) .. ":" .. member[2]
    if member[3] then
      list[#list + 1], list[#list + 2] = text, member[3]
      text = member[4]
    end
  end
  list[#list + 1] = text .. "}"
  return list
end

-- FORMS forms, numbered from 0. Each row uses a random one.
local function forms(options, head, members)
  local list = {}
  for n = 0, FORMS - 1 do
    local copy = {}
    for i, member in ipairs(members) do copy[i] = member end
    list[n] = form(options, head, copy)
  end
  return list
end

local function cell_forms(options, name, class, quote)
  return forms(options, ",", {
    { "rawValue", quote, 1, quote }, { "dataJson", json.string('{"column":"' .. name .. '"}') }, { "klasstd", json.string(class) },
    { "klassLabel", '""' }, { "title", '"', 2, '"' }, { "label", '"', 3, '"' },
  })
end

local function rank_forms(options)
  return forms(options, "[", { { "klasstd", '"rank', 1, '"' }, { "title", '"Rank: ', 2, '"' }, { "label", '"', 3, '"' } })
end

-- For a counter: row i uses the forms at index i % 5, which write either text or numbers.
local function counter_forms(options, name, shift)
  local text, number, chosen = cell_forms(options, name, "alignRight", '"'), cell_forms(options, name, "alignRight", ""), { n = 5 }
  for k = 0, chosen.n - 1 do chosen[k] = made_up.is_number(options, k + shift) and number or text end
  return chosen
end

-- Makes a function that returns the text of a row's share of the whole.
local function shares(whole)
  local texts = {}
  return function(i, big)
    local hundredths = math.floor((i * 1000 + (big and 2 ^ 53 or 0)) / whole * 10000 + 0.5)
    local text = texts[hundredths]
    if not text then
      text = ("%.2f %%"):format(hundredths / 100)
      texts[hundredths] = text
    end
    return text
  end
end

-- Writes a form with its three values.
local function put(out, f, values)
  out:put(f[1], values[f[2]], f[3], values[f[4]], f[5], values[f[6]], f[7])
end

-- Writes a form with the same value three times.
local function put_same(out, f, value)
  out:put(f[1], value, f[3], value, f[5], value, f[7])
end

-- Makes a function that writes rows first … last into a buffer. Its loop uses table lookups instead of branches, which keeps it fast.
local function row_writer(spec, whole)
  local options, share = spec.options, shares(whole)
  local rank, source = rank_forms(options), cell_forms(options, "sourceipaddress", "alignLeft", '"')
  local port, destination = cell_forms(options, "commonport", "alignLeft", ""), cell_forms(options, "destinationipaddress", "alignLeft", "")
  local percent = cell_forms(options, "percenttotal", "alignRight", "")
  local packets, octets = counter_forms(options, "sum_packetdeltacount", 0), counter_forms(options, "sum_octetdeltacount", 2)
  local first_seen, last_seen = cell_forms(options, "first_flow_epoch", "alignLeft", ""), cell_forms(options, "last_flow_epoch", "alignLeft", "")
  local ports, destinations, firsts, lasts = made_up.ports(options), made_up.destinations(options), made_up.times(spec)
  local share_value, octet_value, unit_is_percent = { "null" }, { nil, "--", "NA" }, spec.unit == "percent"
  local state = options.random(2 ^ 31 - 2)
  -- At least 30 random bits: 6 for each of five cells, to choose their forms.
  local function bits()
    state = bxor(state, lshift(state, 13))
    state = bxor(state, rshift(state, 17))
    state = bxor(state, lshift(state, 5))
    return state
  end
  return function(out, first, last, shift, separator)
    for i = first, last do
      local big = i % 7 == 0
      local octet_text = big and HIGH .. (LOW + i * 1000) or tostring(i * 1000)
      local address = "10." .. floor(i / 65536) % 256 .. "." .. floor(i / 256) % 256 .. "." .. i % 256
      local a, b = bits(), bits()
      out:put(i > separator and "," or "")
      put_same(out, rank[band(a, MASK)], i - shift)
      put_same(out, source[band(rshift(a, 6), MASK)], address)
      put(out, port[band(rshift(a, 12), MASK)], ports[i % ports.n])
      put(out, destination[band(rshift(a, 18), MASK)], destinations[i % destinations.n])
      share_value[2] = share(i, big)
      share_value[3] = share_value[2]
      put(out, percent[band(rshift(a, 24), MASK)], share_value)
      put_same(out, packets[i % 5][band(b, MASK)], i)
      octet_value[1] = octet_text
      if not unit_is_percent then octet_value[2], octet_value[3] = octet_text, octet_text end
      put(out, octets[i % 5][band(rshift(b, 6), MASK)], octet_value)
      put(out, first_seen[band(rshift(b, 12), MASK)], firsts[i % firsts.n])
      put(out, last_seen[band(rshift(b, 18), MASK)], lasts[i % lasts.n])
      out:put "]"
    end
  end
end

local function writer(spec, first, last, whole)
  return function(sink)
    local put_rows, shift = row_writer(spec, whole), spec.options.rank == "page" and first - 1 or 0
    local out = buffer.new(BLOCK_ROWS * 1400)
    sink:write "["
    for from = first, last, BLOCK_ROWS do
      put_rows(out, from, math.min(last, from + BLOCK_ROWS - 1), shift, first)
      sink:block(out:get())
    end
    sink:write "]"
  end
end

--- Like report.run: returns the sums, and a function that writes the rows.
function custom_rows.run(spec, wanted, n)
  local list = columns.of("conversations", wanted.name)
  local max = wanted.max
  if type(spec.options.max_rows) == "number" then max = math.min(max, spec.options.max_rows) end
  local first, last = wanted.offset + 1, math.min(n, wanted.offset + max)
  local whole = sums(1, n)
  return { columns = list, rows = {}, count = math.max(0, last - first + 1), offset = wanted.offset, exists = n, whole = whole,
    shown = sums(first, last), exporters = { { EXPORTER, n } }, write_rows = writer(spec, first, last, whole.octets) }
end

return custom_rows
