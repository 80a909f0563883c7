-- A member that is named twice: the last one counts, however the answer is cut and wherever it stands. Python's reader of JSON says which that is.
-- Looked for in: cells (raw value, label, title; texts, numbers, null; three times; with an escaped name; unwanted), in rows of a known shape and
-- others, held back and not; rows as tables, aggregates, NDJSON; rows that tie; headers; footers; the graph; time_details; plain values.

local command = require "spec.command"
local core = require "scrutinizer.core"
local export = require "scrutinizer.export"
local scrutinizer = require "scrutinizer"
local support = require "spec.support"

local CAPS = { max_body = 2 ^ 50, max_depth = 64, max_row = 2 ^ 20, max_held = 2 ^ 26 }
local COLUMNS = '[{"title":"Rank","label":""},{"elementName":"host","elementName":"ip"},{"elementName":"sum_octets","colHasBbp":0,"colHasBbp":1},'
  .. '{"elementName":"note","label":"x","label":"Note"}]'

-- What stands in a cell instead of its value `v`.
local WAYS = {
  '"rawValue":"%s"', -- as ever
  '"rawValue":"%s","label":"a","rawValue":5', '"rawValue":5,"rawValue":"%s"', '"rawValue":"%s","rawValue":"5"', '"rawValue":"%s","rawValue":null',
  '"rawValue":null,"rawValue":"%s"', '"rawValue":"%s","rawValue":5,"rawValue":"12"', '"rawValue":"%s","raw\\u0056alue":5',
  '"raw\\u0056alue":"%s","rawValue":5', '"rawValue":"%s","x":{"rawValue":7},"rawValue":5', '"x":{"rawValue":7},"rawValue":"%s"',
  '"rawValue":"%s","title":"{","rawValue":"5"', '"rawValue":"5","label":"},{","rawValue":"%s"',
  '"label":"1","rawValue":"%s","label":"2"', '"rawValue":"%s","label":"1","label":2', '"rawValue":"%s","label":"1","label":null',
}

-- Rows whose first two are alike, so that a shape can be learned from them, whatever they hold; then the value changes.
local function rows_of(ip, octets, last)
  local rows = {}
  for i = 1, 12 do
    local value = i <= 2 and "5" or ("%d"):format(i)
    local cells = ("{" .. (i == 12 and last or ip) .. "},{" .. (i == 12 and last or octets) .. "}"):format(value, value)
    rows[i] = ('[{"label":"%d","title":"Rank: %d"},%s,{"rawValue":"n%d"}]'):format(i, i, cells, i)
  end
  return table.concat(rows, ",\n")
end

local function answer(rows, before, total)
  local columns, list = '"columns":' .. COLUMNS, '"rows":[' .. rows .. "]"
  return ('{"report":{"time_details":{"timezone":"UTC"},"time_details":{"timezone":"Europe/Vienna"},"table":{"inbound":{%s,%s,'
    .. '"totalRowCount":"7",' .. '"totalRowCount":"%d","footer":[[],[{"rawValue":"1","rawValue":"2"}]]}}}}')
    :format(before and list or columns, before and columns or list, total or 12)
end

local PYTHON = [[
import json, sys
for line in open(sys.argv[1], "rb"):
    for row in json.loads(line)["report"]["table"]["inbound"]["rows"]:
        cells = [row[1].get("rawValue"), row[2].get("rawValue"), row[1].get("label"), row[2].get("label")]
        print("|".join("nil" if c is None else str(c) for c in cells))
    print()
]]

local function text_of(value)
  if type(value) == "number" then return ("%d"):format(value) end
  return tostring(value)
end

local function line_of(row)
  return table.concat({ text_of(row.ip), text_of(row.octets), text_of(row.label), text_of(row.second) }, "|")
end

local SELECT = {
  { field = "ip", column = "ip" }, { field = "octets", column = "sum_octets" }, { field = "label", column = "ip", member = "label" },
  { field = "second", column = "sum_octets", member = "label" },
}

-- The rows of a text that comes in pieces, a line each.
local function read(text, size, projection)
  local options, lines = { inbound = true, projection = projection }, {}
  for name, value in pairs(CAPS) do options[name] = value end
  local decoder = core.decoder(options)
  local function take(ok, kind, message)
    if not ok then error(tostring(kind) .. ": " .. tostring(message)) end
    local row = decoder:next()
    while row do
      lines[#lines + 1] = projection and line_of(row) or text_of(row.ip) .. "|" .. text_of(row.sum_octets)
      row = decoder:next()
    end
  end
  for at = 1, #text, size do take(decoder:feed(text:sub(at, at + size - 1))) end
  take(decoder:finish())
  decoder:close()
  return lines
end

describe("a member named twice in a cell", function()
  local texts, expected = {}, {}

  setup(function()
    local path = command.temporary()
    for i, way in ipairs(WAYS) do
      for _, last in ipairs { way, WAYS[1], WAYS[2] } do
        texts[#texts + 1] = answer(rows_of(WAYS[1], way, last))
        texts[#texts + 1] = answer(rows_of(way, i % 2 == 0 and way or WAYS[1], last), i % 3 == 0)
      end
    end
    local flat = {}
    for i, text in ipairs(texts) do flat[i] = text:gsub("\n", " ") end
    command.write(path, table.concat(flat, "\n") .. "\n")
    local said = support.shell(("python3 -c %s %s"):format(support.quote(PYTHON), path))
    os.remove(path)
    for block in said:gmatch "(.-)\n\n" do
      local lines = {}
      for line in block:gmatch "[^\n]+" do lines[#lines + 1] = line end
      expected[#expected + 1] = lines
    end
    assert.equal(#texts, #expected)
  end)

  it("counts last, at every cut", function()
    for i, text in ipairs(texts) do
      assert.equal(12, #expected[i])
      for _, size in ipairs { #text, 1, 7, 150, 613 } do assert.same(expected[i], read(text, size, SELECT), text:sub(1, 400) .. size) end
    end
  end)

  it("counts last without a selection, at every cut", function()
    for i, text in ipairs(texts) do
      local short = {}
      for n, line in ipairs(expected[i]) do short[n] = line:match "^[^|]*|[^|]*" end
      for _, size in ipairs { #text, 1, 150 } do assert.same(short, read(text, size)) end
    end
  end)

  it("counts last in aggregates and in NDJSON", function()
    local path, program = command.temporary(), command.temporary()
    command.write(program, ("#!/bin/sh\ncat >/dev/null\ncat %s\n"):format(path), "700")
    local client = assert(scrutinizer.connect { command = program })
    local query = client:report("hosts"):last(3600):select { ip = "ip", octets = "sum_octets" }
    for i, text in ipairs(texts) do
      command.write(path, text)
      local sums, lines = {}, {}
      for _, line in ipairs(expected[i]) do
        local ip, octets = line:match "^([^|]*)|([^|]*)"
        sums[ip] = (sums[ip] or 0) + (tonumber(octets) or 0)
        local fields = { ip ~= "nil" and '"ip":"' .. ip .. '"' or nil }
        fields[#fields + 1] = octets ~= "nil" and '"octets":' .. octets or nil
        lines[#lines + 1] = "{" .. table.concat(fields, ",") .. "}"
      end
      local groups, got = assert(query:aggregate { by = { "ip" }, sum = { "octets" } }), {}
      for _, group in ipairs(groups) do -- the text "5" and the number 5 are two groups
        local ip = text_of(group.ip)
        got[ip] = (got[ip] or 0) + group.sum_octets
      end
      assert.same(sums, got)
      local written = {}
      assert(export.ndjson(query, function(piece)
        written[#written + 1] = piece
        return true
      end, { columns = { "ip", "octets" } }))
      local joined = table.concat(written):gsub('"ip":(%d+)', '"ip":"%1"') -- a number stays one in a text's column
      assert.equal(table.concat(lines, "\n") .. "\n", joined)
    end
    client:close()
    os.remove(path)
    os.remove(program)
  end)

  it("counts last where rows are told apart that tie", function()
    local ties = core.ties(2 ^ 20)
    local function decoder()
      local options = { inbound = true, order = "sum_octets", ties = { ties } }
      for name, value in pairs(CAPS) do options[name] = value end
      return core.decoder(options)
    end
    local function row(host) return "[{},{" .. host .. '},{"rawValue":"9"},{}]' end
    local first = decoder()
    assert(first:feed(answer(row '"rawValue":"x","title":"{","rawValue":"a"' .. "," .. row '"rawValue":"b"' .. "," .. row '"rawValue":"c"')))
    assert.is_true(ties:join(first, 1))
    local second = decoder()
    local ok, kind, message = second:feed(answer(row '"rawValue":"c"' .. "," .. row '"rawValue":"y","rawValue":"d"' .. "," .. row '"rawValue":"a"'))
    assert.same({ nil, "changed" }, { ok, kind })
    assert.matches("a row came twice", message)
  end)
end)

describe("a member named twice elsewhere", function()
  local function program(text)
    local path = command.temporary()
    command.write(path, "#!/bin/sh\ncat >/dev/null\ncat <<'END'\n" .. text .. "\nEND\n", "700")
    return assert(scrutinizer.connect { command = path }), path
  end

  it("counts last in headers, totals, times and footers", function()
    local client, path = program(answer(rows_of(WAYS[1], WAYS[1], WAYS[1])))
    local cursor = client:report("hosts"):last(3600):rows()
    local row = assert(cursor:next())
    assert.equal("5", row.ip)
    assert.is_nil(row.host)
    assert.equal(5, row.sum_octets) -- a counter by the last colHasBbp
    assert.equal("Note", cursor.columns[4].label)
    while cursor:next() do end
    assert.equal(12, cursor.total)
    assert.equal("Europe/Vienna", cursor.time.timezone)
    client:close()
    os.remove(path)
  end)

  it("counts last in the graph and in plain values", function()
    local client, path = program('{"report":{"table":{"inbound":{"columns":[],"rows":[]}},"graph":{"timeseries":{"inbound":[[[0,1]]],'
      .. '"inbound":[[[0,2],[300,3]]]},"pie":{"inbound":[{"label":"a","label":"b"}]}}}}')
    local list = assert(client:report("hosts"):between(0, 600):inbound():granularity(5):series())
    assert.equal("b", list[1].label)
    assert.same({ { 0, 2 }, { 300, 3 } }, list[1].points)
    client:close()
    os.remove(path)
    assert.same({ a = scrutinizer.null, b = 3 }, scrutinizer.decode '{"a":1,"b":{},"a":"x","b":3,"a":null}')
  end)

  it("is an error where the answer's own parts come twice", function()
    for _, text in ipairs {
      '{"report":{},"report":{}}', '{"report":{"table":{},"table":{}}}', '{"report":{"table":{"inbound":{},"inbound":{}}}}',
      '{"report":{"table":{"inbound":{"rows":[],"rows":[]}}}}', '{"report":{"table":{"inbound":{"columns":[],"columns":[]}}}}',
    } do
      local decoder = scrutinizer.decoder { direction = "inbound" }
      local ok, err = decoder:feed(text)
      assert.is_nil(ok)
      assert.equal("decode", err.kind)
      assert.matches("occurs twice", err.message)
    end
  end)
end)
