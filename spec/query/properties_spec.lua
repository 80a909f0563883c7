-- What holds for any queries: the order of methods does not matter except where one replaces another's words, a query never changes, and two
-- different requests have two different texts. Queries are made by chance, the same in every run.
local answers = require "spec.answers"
local core = require "scrutinizer.core"
local query = require "scrutinizer.query"

local unpack = table.unpack or unpack -- luacheck: ignore
local CLIENT = { url = "https://scrutinizer.example.net/fcgi/scrut_fcgi.fcgi", has_token = true }

-- Groups of calls. The calls of one list replace each other, so a query gets one of them at most; those of MANY may come several times.
local ONE = {
  { { "range", "LastHour" }, { "range", "Yesterday" }, { "range", "Last24Hours" }, { "between", 1000000000, 1000003600 },
    { "between", "2026-03-28", "2026-03-30" }, { "between", "2026-03-28T00:00:00Z", "2026-03-30" }, { "day", "2026-03-29" }, { "day", "2026-10-25" },
    { "month", "2026-03" }, { "hour", "2026-03-29T05" } },
  { { "timezone", "Europe/Berlin" }, { "timezone", "America/New_York" }, { "timezone", "UTC" } },
  { { "inbound" }, { "outbound" }, { "both" } },
  { { "granularity", 5 }, { "granularity", 30 } }, { { "rate" }, { "total" } }, { { "bits" }, { "bytes" }, { "percent" } },
  { { "raw" }, { "formatted" } }, { { "data_mode", "saf" }, { "data_mode", "traditional" } },
  { { "order_by", "sum_octetdeltacount" }, { "order_by", "sum_packetdeltacount" } }, { { "others", true }, { "others", false } },
  { { "select", "a", "b.label" }, { "select", { x = "a" } }, { "select", "a", "b?" } },
  { { "limit", 5 }, { "limit", 50 } }, { { "offset", 5 }, { "offset", 0 } }, { { "page_size", 10 }, { "page_size", 20 } },
  { { "prefetch", 1 }, { "prefetch", 2 } }, { { "set", "byInt", { selected = 0 } }, { "set", "byInt", { selected = 1 } } },
}
local MANY = {
  { "exporter", "10.1.1.1" }, { "exporter", "10.1.1.2", 7 }, { "device_group", 5 }, { "device_group", 6 }, { "filter", "sdfNew", "a" },
  { "filter", "sdfNew", "b" }, { "where", { ip = "10.0.0.1" } }, { "where", { port = 53 } }, { "exclude", { network = "10.0.0.0/8" } },
  { "where", { src_ip = { "10.0.0.1", "10.0.0.2" } } }, { "where", { dst_ip = "10.0.0.1" } }, { "where", { src_network = "10.0.0.0/16" } },
  { "where", { dst_network = "10.0.0.0/8", ip = { "10.0.0.1", "::1" } } }, { "where", { ip_group = { 5, 6 } } }, { "exclude", { src_ip_group = 5 } },
  { "exclude", { dst_ip = "10.0.0.3", src_network = "::/0" } }, { "exclude", { src_port = 53, dst_port = 53 } },
  { "exclude", { app_port = "53/udp" } },
  { "keep", { octets = { min = 5 } } }, { "keep", { src = "10.0.0.0/8", a = { no = { "x", 7 } } } }, { "keep", { octets = { max = "5", min = 1 } } },
  { "exclude", { port = { 80, 443 } } }, { "shift", "-7d" }, { "shift", "-1h" }, { "shift", "+2d" }, { "where", { app_port = { 443, "tcp" } } },
}

local function pick(list, chance) return list[chance(#list)] end

-- Calls for one query.
local function some_calls(chance)
  local calls = {}
  for _, group in ipairs(ONE) do
    if chance(3) == 1 or group == ONE[1] then calls[#calls + 1] = pick(group, chance) end
  end
  for _ = 1, chance(5) - 1 do calls[#calls + 1] = pick(MANY, chance) end
  return calls
end

local function copy(value)
  if type(value) ~= "table" then return value end
  local out = {}
  for key, member in pairs(value) do out[key] = copy(member) end
  return out
end

local function apply(q, calls, check)
  for _, call in ipairs(calls) do
    local before, text = check and copy(q._spec), check and tostring(q)
    local after = q[call[1]](q, unpack(call, 2))
    if check then
      assert.same(before, q._spec)
      assert.equal(text, tostring(q))
      assert.is_true(after ~= q)
    end
    q = after
  end
  return q
end

local function new() return query.new(CLIENT, "host2host", 2) end

-- What a query sends, with its filters as sorted texts, because their numbers follow the order of the calls; or what it raises. And what it keeps
-- to itself.
local function meaning(q)
  local good, form = pcall(q.request, q)
  local spec = q._spec
  local own = { spec.projection or false, spec.limit or false, spec.offset, spec.page_size or false, spec.prefetch }
  if not good then return { (form:gsub("^.-:%d+: ", "")), own } end
  local object, filters = core.decode(form.rpt_json), {}
  for key, value in pairs(object.filters) do filters[#filters + 1] = key:gsub("_%d+$", "") .. " " .. value end
  table.sort(filters)
  object.filters = filters
  local here = {}
  for line in q:explain():gmatch "[^\n]+" do
    if not line:find "^sent: " then here[#here + 1] = line end
  end
  table.sort(here)
  return { object, form.data_requested, own, here }
end

-- A value as text, tables by sorted keys.
local function flat(value)
  if type(value) ~= "table" then return type(value) .. tostring(value) end
  local words = {}
  for key, member in pairs(value) do words[#words + 1] = tostring(key) .. "=" .. flat(member) end
  table.sort(words)
  return "{" .. table.concat(words, ",") .. "}"
end

-- The request's text and what stays here: equal for equal requests only.
local function identity(q)
  local good, form = pcall(q.request, q)
  if not good then return nil end
  local words = { flat(q._spec.conditions), flat(q._spec.kept) }
  for _, text in ipairs { form.rpt_json, form.data_requested, tostring(q._spec.page_size), tostring(q._spec.prefetch) } do
    words[#words + 1] = text
  end
  for _, entry in ipairs(q._spec.projection or {}) do
    words[#words + 1] = entry.field .. "=" .. entry.column .. "." .. entry.member .. tostring(entry.optional)
  end
  return table.concat(words, "|")
end

describe("any query", function()
  it("means the same in whatever order its methods are called", function()
    local chance, ran, refused = answers.chance(11), 0, 0
    for _ = 1, 400 do
      local calls = some_calls(chance)
      local wanted = meaning(apply(new(), calls))
      for _ = 1, 3 do assert.same(wanted, meaning(apply(new(), answers.shuffled(calls, chance)))) end
      if type(wanted[1]) == "string" then refused = refused + 1 else ran = ran + 1 end
    end
    assert.is_true(ran > 100 and refused > 20, ran .. " " .. refused)
  end)

  it("is not changed by its methods, nor by running", function()
    local chance = answers.chance(5)
    for _ = 1, 100 do
      local q = apply(new(), some_calls(chance), true)
      local before = copy(q._spec)
      identity(q)
      assert.same(before, q._spec)
    end
  end)

  it("has a text that no other request has", function()
    local chance, texts, count = answers.chance(3), {}, 0
    for _ = 1, 3000 do
      local q = apply(new(), some_calls(chance))
      local text, request = tostring(q), identity(q)
      if request then
        assert.is_nil(text:find "[%c\128-\255]")
        assert.is_true(texts[text] == nil or texts[text] == request, text)
        count = count + (texts[text] and 0 or 1)
        texts[text] = request
      end
    end
    assert.is_true(count > 1000, count)
  end)

  it("has a text of its own where requests differ by one word", function()
    local base = new():range("LastHour"):both()
    local seen = {}
    local function add(q)
      local text, request = tostring(q), identity(q)
      assert.is_true(seen[text] == nil or seen[text] == request, text)
      seen[text] = request
    end
    for _, group in ipairs(ONE) do
      for _, call in ipairs(group) do add(apply(base:timezone "UTC", { call })) end
    end
    for _, call in ipairs(MANY) do add(apply(base:timezone "UTC", { call })) end
    add(base:set("x", {}))
    add(base:set("x", setmetatable({}, core.array_mt)))
    add(base:set("x", "null"))
    add(base:set("x", core.null))
    add(base:set("x", 1))
    add(base:set("x", "1"))
    add(base:set("x", 0.1 + 0.2))
    add(base:set("x", 0.3))
    add(base:filter("sdfX", "\27"))
    add(base:filter("sdfX", "\\x1B"))
    add(base:filter("sdfX", 'a" "b'))
    add(base:filter("sdfDips", "in_10.1.1.1_ALL"))
    add(base:filter("sdfDips", "in_0a010101_ALL"))
    add(base:exporter "10.1.1.1")
    add(base:where { ip = "1.1.1.1", port = 53 })
    add(base:where({ ip = "1.1.1.1" }):where { port = 53 })
    add(base:exclude { ip = "1.1.1.1" })
    add(base:where { src_ip = "1.1.1.1" })
  end)
end)
