--- Answers for specs, written by an encoder of their own that can say the same in many ways: keys in any order, blanks anywhere,
--- any character as an escape. And ways to cut them into chunks.

local answers = {}

---------------------------------------------------------------------------------------------------------------------- chance

--- The same numbers on every Lua: next(n) gives 1 to n.
function answers.chance(seed)
  local state = seed * 2654435 % 2147483647 + 1
  return function(n)
    state = state * 16807 % 2147483647
    return math.floor(state / 7) % n + 1
  end
end

--- A new list of the same items in an order by chance.
local function shuffled(list, chance)
  local out = {}
  for i, item in ipairs(list) do out[i] = item end
  for i = #out, 2, -1 do
    local k = chance(i)
    out[i], out[k] = out[k], out[i]
  end
  return out
end
answers.shuffled = shuffled

---------------------------------------------------------------------------------------------------------------------- values

local Object, Array, Plain = {}, {}, {}

--- An object: key, value, key, value … in the order to be written (nil cannot be a value: see NULL).
function answers.object(...)
  local pairs_, given = {}, { ... }
  for i = 1, select("#", ...), 2 do pairs_[#pairs_ + 1] = { given[i], given[i + 1] } end
  return setmetatable(pairs_, Object)
end

function answers.array(list)
  local out = {}
  for i, item in ipairs(list) do out[i] = item end
  return setmetatable(out, Array)
end

--- Text to be written as it stands: numbers, literals, broken JSON.
function answers.plain(text)
  return setmetatable({ text }, Plain)
end

answers.NULL = answers.plain "null"

--- The object with a key's value set (the first of that name, else added); a new object.
function answers.with(object, key, value)
  local out, done = {}, false
  for i, pair in ipairs(object) do
    local here = pair[1] == key and not done
    done = done or here
    out[i] = here and { key, value } or pair
  end
  if not done then out[#out + 1] = { key, value } end
  return setmetatable(out, Object)
end

--- The object without a key.
function answers.without(object, key)
  local out = {}
  for _, pair in ipairs(object) do
    if pair[1] ~= key then out[#out + 1] = pair end
  end
  return setmetatable(out, Object)
end

---------------------------------------------------------------------------------------------------------------------- writing

local SHORT = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r", ["\b"] = "\\b", ["\f"] = "\\f" }

local function quote(text)
  return '"' .. text:gsub('[%c"\\]', function(c) return SHORT[c] or ("\\u%04x"):format(c:byte()) end) .. '"'
end

local function code_point(bytes)
  local a, b, c, d = bytes:byte(1, 4)
  if #bytes == 1 then return a end
  if #bytes == 2 then return (a - 192) * 64 + b - 128 end
  if #bytes == 3 then return (a - 224) * 4096 + (b - 128) * 64 + c - 128 end
  return (a - 240) * 262144 + (b - 128) * 4096 + (c - 128) * 64 + d - 128
end

local function escape(bytes, chance)
  local code = code_point(bytes)
  local form = chance(2) == 1 and "\\u%04x" or "\\u%04X"
  if code < 65536 then return form:format(code) end
  code = code - 65536
  return (form .. form):format(55296 + math.floor(code / 1024), 56320 + code % 1024)
end

--- Quotes with escapes where none is needed; one character in `rarity`.
local function odd_quote(text, chance, rarity)
  local out = {}
  for bytes in text:gmatch "[%z\1-\127\194-\244][\128-\191]*" do
    local must = bytes:find '[%c"\\]'
    if chance(rarity) == 1 then
      out[#out + 1] = escape(bytes, chance)
    elseif bytes == "/" and chance(2) == 1 then
      out[#out + 1] = "\\/"
    else
      out[#out + 1] = must and quote(bytes):sub(2, -2) or bytes
    end
  end
  return '"' .. table.concat(out) .. '"'
end

local write

local function list_text(items, open, close, style)
  return open .. style.blank() .. table.concat(items, style.blank() .. "," .. style.blank()) .. style.blank() .. close
end

function write(value, style)
  local kind = getmetatable(value)
  if type(value) == "string" then return style.quote(value) end
  if kind == Plain then return value[1] end
  local items = {}
  if kind == Array then
    for i, item in ipairs(value) do items[i] = write(item, style) end
    return list_text(items, "[", "]", style)
  end
  assert(kind == Object, "no value that can be written")
  for i, pair in ipairs(style.order(value)) do
    items[i] = style.quote(pair[1]) .. style.blank() .. ":" .. style.blank() .. write(pair[2], style)
  end
  return list_text(items, "{", "}", style)
end

local BLANKS = { "", "", " ", "\n", "\t", "\r\n", "   " }

--- A value as JSON text. Options: `seed` shuffles all keys; with `pretty` blanks stand anywhere; `escapes` writes characters as \u.
function answers.write(value, options)
  options = options or {}
  local chance = answers.chance(options.seed or 1)
  return write(value, {
    blank = function() return options.pretty and BLANKS[chance(#BLANKS)] or "" end,
    order = function(pairs_) return options.seed and shuffled(pairs_, chance) or pairs_ end,
    quote = function(text) return options.escapes and odd_quote(text, chance, options.escapes) or quote(text) end,
  })
end

---------------------------------------------------------------------------------------------------------------------- cells

local object, array, plain, NULL = answers.object, answers.array, answers.plain, answers.NULL

function answers.rank_column()
  return object("title", "Rank", "label", "", "klassth", "alignRight")
end

function answers.column(element, more)
  local out = object("elementName", element, "label", "L " .. element, "title", element, "klassth", "  sortable",
    "format", object("isRate", plain "0", "niceLtr", "%"), "colHasBbp", plain "0", "canBeRate", NULL)
  for key, value in pairs(more or {}) do out = answers.with(out, key, value) end
  return out
end

function answers.rank(n)
  return object("klasstd", "rank" .. n, "title", "Rank: " .. n, "label", tostring(n))
end

--- A cell; label and title say the raw value unless given.
function answers.cell(element, raw, label, title)
  return object("rawValue", raw, "dataJson", '{"column":"' .. element .. '"}', "klasstd", "alignLeft", "klassLabel", "",
    "title", title or raw, "label", label or raw)
end

--- A direction of a table.
function answers.direction(columns, rows, more)
  local out = object("columns", array(columns), "rows", array(rows), "totalRowCount", tostring(#rows))
  for key, value in pairs(more or {}) do out = answers.with(out, key, value) end
  return out
end

--- A whole answer: `directions` are name, direction, name, direction …
function answers.report(...)
  return object("report", object(
    "table", object(...),
    "request_id", "0x0123456789abcdef0123456789abcdef",
    "time_details", object("timezone", "EDT",
      "first_time", object("epoch", "1552408380", "formatted", "2019-03-12 12:33:00"),
      "last_time", object("epoch", "1552408920", "formatted", "2019-03-12 12:42:00")),
    "exporter_details", object("10.1.1.252", object("flow_count", plain "664", "exporter_hex", "0A0101FC"))))
end

---------------------------------------------------------------------------------------------------------------------- chunks

--- Feeds the chunks to a decoder, taking rows as they come. Returns the rows, then report and err of finish (or of the feed that failed).
function answers.feed(decoder, chunks)
  local rows = {}
  local function take()
    for row in decoder:rows() do rows[#rows + 1] = row end
  end
  for _, chunk in ipairs(chunks) do
    local ok, err = decoder:feed(chunk)
    take()
    if not ok then return rows, nil, err end
  end
  local report, err = decoder:finish()
  take()
  return rows, report, err
end

function answers.bytes(text)
  local chunks = {}
  for i = 1, #text do chunks[i] = text:sub(i, i) end
  return chunks
end

--- Random cuts, `size` bytes on the average; some chunks are empty.
function answers.cuts(text, chance, size)
  local chunks, at = {}, 1
  while at <= #text do
    local n = chance(size * 2) - 1
    chunks[#chunks + 1] = text:sub(at, at + n - 1)
    at = at + n
  end
  return chunks
end

return answers
