-- custom_rows_<N>: N made-up rows in the shape of conversations, computable by anyone, written in constant memory.
--
-- Row i (from 1): source 10.a.b.c of i's low 24 bits, i packets, i * 1000 octets and 2^53 more when 7 divides i.
local columns = require "sandbox.columns"
local json = require "sandbox.json"
local buffer = require "string.buffer"

local custom_rows = {}
local MOST = 5000000
local BLOCK_ROWS = 200
local EXPORTER = "192.0.2.1"
local DESTINATION, PORT = "203.0.113.1", "HTTPS (443 - TCP)"
-- 2^53 is 9007199254740992: its first four digits, and the rest, to which i * 1000 adds without a carry.
local HIGH, LOW = "9007", 199254740992

--- N of a type custom_rows_<N> that exists.
function custom_rows.size(report_type)
  local digits = report_type:match "^custom_rows_([1-9]%d*)$"
  local n = digits and tonumber(digits)
  return n and n <= MOST and n or nil
end

-- The exact sum of octets over rows first … last, as a double for shares (its digits are not exact beyond 2^53).
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

-- A cell is texts around values: `pieces` is a list of texts and of names of values, in the answer's order of keys.
local function cell(pieces, name, class, raw, title, label, options, number)
  local quote = (number and options.numbers == "numbers") and "" or '"'
  local members = {
    raw and { '"rawValue":' .. quote, raw, quote } or { '"rawValue":null', false, "" },
    { '"dataJson":' .. json.string('{"column":"' .. name .. '"}'), false, "" },
    { '"klasstd":"' .. class .. '"', false, "" }, { '"klassLabel":""', false, "" },
    { '"title":"', title, '"' }, { '"label":"', label, '"' },
  }
  if options.keys ~= "fixed" then json.shuffle(members) end
  pieces[#pieces + 1] = ",{"
  for i, member in ipairs(members) do
    if i > 1 then pieces[#pieces + 1] = "," end
    pieces[#pieces + 1] = member[1]
    if member[2] then pieces[#pieces + 1] = { member[2] } end
    pieces[#pieces + 1] = member[3]
  end
  pieces[#pieces + 1] = "}"
end

local function row_pieces(spec)
  local options, label = spec.options, spec.unit == "percent" and "na" or "octets"
  local pieces = { '[{"klasstd":"rank', { "rank" }, '","title":"Rank: ', { "rank" }, '","label":"', { "rank" }, '"}' }
  cell(pieces, "sourceipaddress", "alignLeft", "source", "source", "source", options)
  cell(pieces, "commonport", "alignLeft", "port", "port", "port", options)
  cell(pieces, "destinationipaddress", "alignLeft", "destination", "destination", "destination", options)
  cell(pieces, "percenttotal", "alignRight", nil, "percent", "percent", options)
  cell(pieces, "sum_packetdeltacount", "alignRight", "packets", "packets", "packets", options, true)
  cell(pieces, "sum_octetdeltacount", "alignRight", "octets", label, label, options, true)
  cell(pieces, "first_flow_epoch", "alignLeft", "first", "first", "first", options, true)
  cell(pieces, "last_flow_epoch", "alignLeft", "last", "last", "last", options, true)
  pieces[#pieces + 1] = "]"
  return pieces
end

local function epoch_text(epoch, bucket) return ("%.0f"):format(epoch - epoch % bucket) end

-- Lua source of a loop that puts rows first … last into a buffer: constant texts joined, values in between.
local PUT = {
  rank = "rank", packets = "i", source = '"10.", floor(i / 65536) % 256, ".", floor(i / 256) % 256, ".", i % 256',
  octets = "high, low", percent = "percent",
}

local function compile(pieces, constants)
  local arguments, held = {}, {}
  local function release()
    if #held > 0 then arguments[#arguments + 1] = ("%q"):format(table.concat(held)) end
    held = {}
  end
  for _, piece in ipairs(pieces) do
    local text = type(piece) == "string" and piece or constants[piece[1]]
    if text then
      held[#held + 1] = text
    else
      release()
      arguments[#arguments + 1] = PUT[piece[1]]
    end
  end
  release()
  local source = [[
    local floor, share, HIGH, LOW = ...
    return function(out, first, last, shift, separator)
      for i = first, last do
        local rank = i - shift
        local high, low = "", i * 1000
        if i % 7 == 0 then high, low = HIGH, low + LOW end
        local percent = share(i, high ~= "")
        out:put(i > separator and "," or "", ]] .. table.concat(arguments, ", ") .. [[)
      end
    end]]
  return assert(loadstring(source, "=custom_rows"))
end

-- Text of a row's share of the whole.
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

local function writer(spec, first, last, whole)
  return function(sink)
    local constants = { port = PORT, destination = DESTINATION, na = "NA", first = epoch_text(spec.from, spec.bucket),
      last = epoch_text(spec.to - 1, spec.bucket) }
    local put = compile(row_pieces(spec), constants)(math.floor, shares(whole), HIGH, LOW)
    local out = buffer.new(BLOCK_ROWS * 1400)
    sink:write "["
    for from = first, last, BLOCK_ROWS do
      put(out, from, math.min(last, from + BLOCK_ROWS - 1), spec.options.rank == "page" and first - 1 or 0, first)
      sink:block(out:get())
    end
    sink:write "]"
  end
end

--- As report.run: the sums, and a function that writes the rows.
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
