-- Pictures: what gnuplot drew is read back from the SVG and the PNG, and measured against the points.
local axis = require "scrutinizer.chart.axis"
local chart = require "scrutinizer.chart"
local gnuplot = require "scrutinizer.chart.gnuplot"
local support = require "spec.support"
local zone = require "scrutinizer.time.zone"

local NOON = 1793534400 -- 2026-11-01T12:00:00Z

local function drawn(kind, given, options)
  local parts = {}
  local ok, err = chart[kind](given, function(text) parts[#parts + 1] = text end, options)
  assert.is_nil(err)
  assert.is_true(ok)
  return table.concat(parts)
end

-- A series of these values, one a bucket of five minutes; false is a bucket without a point.
local function series(label, values, more)
  local entry = { label = label, direction = "inbound", other = false, interval = 300, missing = 0, points = {} }
  for i, value in ipairs(values) do
    if value then entry.points[#entry.points + 1] = { NOON + (i - 1) * 300, value } end
  end
  for key, value in pairs(more or {}) do entry[key] = value end
  return entry
end

-- The plots of an SVG: { title =, paths = { { { x, y }, … } … } }: lines' paths (an "M" begins one), and polygons.
local function plots(svg)
  local list = {}
  for number, title, body in svg:gmatch '<g id="gnuplot_plot_(%d+)"[^>]*><title>(.-)</title>(.-)\n\t</g>' do
    local plot = { title = title, paths = {} }
    for coordinates in body:gmatch "[sd] ?= ?'([M%d][^']*)'" do
      local shape = coordinates:gsub("^%d", "M%0")
      for path in shape:gmatch "M[^M]*" do
        local points = {}
        for x, y in path:gmatch "([%d.]+),([%d.]+)" do points[#points + 1] = { tonumber(x), tonumber(y) } end
        plot.paths[#plot.paths + 1] = points
      end
    end
    list[tonumber(number)] = plot
  end
  return list
end

local function by_title(svg)
  local map = {}
  for _, plot in ipairs(plots(svg)) do map[plot.title] = plot end
  return map
end

local function extremes(plot)
  local high, low = math.huge, -math.huge
  for _, path in ipairs(plot.paths) do
    for _, point in ipairs(path) do high, low = math.min(high, point[2]), math.max(low, point[2]) end
  end
  return high, low
end

-- Heights of the horizontal grid's lines, from the top.
local function grid(svg)
  local list = {}
  for y in svg:gmatch 'class="gridline"  d=.M[%d.]+,([%d.]+) L' do list[#list + 1] = tonumber(y) end
  table.sort(list)
  return list
end

-- All texts that stand in an SVG, by a real XML parser, which refuses what is not well formed.
local function texts(svg)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(svg)
  file:close()
  local out = support.shell([[python3 -c '
import sys, xml.etree.ElementTree as E
for e in E.parse(sys.argv[1]).iter():
    if e.tag.endswith("}text"): print("".join(e.itertext()))' ]] .. path .. " 2>&1")
  os.remove(path)
  local set = {}
  for line in out:gmatch "[^\n]+" do set[line] = true end
  return set, out
end

local near = function(wanted, got) assert.is_true(math.abs(wanted - got) < 0.6, ("%s is not near %s"):format(got, wanted)) end

describe("chart.series", function()
  it("has a line for each series, its label, and its extremes at the right height", function()
    local svg = drawn("series", { series("one", { 0, 400000, 1000000, 20 }), series("two", { 0, 500000, 250000, 0 }) },
      { format = "svg", unit = "bits/s", title = "Peaks" })
    local found = plots(svg)
    assert.equal(2, #found)
    local lines, rules = by_title(svg), grid(svg)
    local top, bottom = rules[1], rules[#rules]
    local words = texts(svg)
    for _, word in ipairs { "one", "two", "Peaks", "1 Mb/s", "0.6 Mb/s", "12:00", "UTC" } do assert.is_true(words[word], word) end
    local high, low = extremes(lines.one)
    near(top, high) -- the axis ends at 1 Mb/s
    near(bottom, low)
    high = extremes(lines.two)
    near(bottom - (bottom - top) / 2, high)
    -- Values stand in the middle of their buckets; the line begins and ends at the window's edges.
    local path = lines.one.paths[1]
    assert.equal(6, #path)
    near((path[6][1] - path[1][1]) * 2.5 / 4, path[4][1] - path[1][1])
  end)

  it("breaks a line where a bucket has no point", function()
    local svg = drawn("series", { series("gap", { 5, 6, false, 7, false, false, 8 }) }, { format = "svg", unit = "bytes" })
    local paths = plots(svg)[1].paths
    assert.equal(3, #paths)
    assert.equal(2, #paths[3] - 1) -- one bucket: its edges and its middle
    assert.equal(paths[3][1][2], paths[3][3][2])
  end)

  it("puts areas upon one another", function()
    local svg = drawn("series", { series("low", { 100, 100 }), series("high", { 200, 300 }), series(nil, { 100, 100 }, { other = true }) },
      { format = "svg", unit = "bytes", stacked = true })
    local rules, found = grid(svg), plots(svg)
    assert.equal(3, #found)
    assert.same({ "low", "high", "Other" }, { found[1].title, found[2].title, found[3].title })
    local scale = (rules[#rules] - rules[1]) / 500 -- the axis ends at 500 B
    for i, top in ipairs { 100, 400, 500 } do near(rules[#rules] - top * scale, (extremes(found[i]))) end
  end)

  it("has outbound below zero, with one colour and one legend for a label", function()
    local list = { series("a", { 100, 50 }), series("a", { 200, 80 }, { direction = "outbound" }) }
    local svg = drawn("series", list, { format = "svg", unit = "bytes" })
    local _, out = texts(svg)
    assert.equal(1, select(2, out:gsub("%f[^\n%z]a\n", "")))
    assert.matches("\ninbound\n", out)
    assert.matches("outbound\n", out)
    assert.is_nil(out:find("-", 1, true))
    local found, rules = plots(svg), grid(svg)
    local zero = rules[1] + (rules[#rules] - rules[1]) / 3 -- from 100 B above to 200 B below
    local heights = {}
    for i, plot in ipairs(found) do heights[i] = { extremes(plot) } end
    table.sort(heights, function(a, b) return a[1] < b[1] end)
    near(rules[1], heights[1][1])
    near(rules[#rules], heights[2][2])
    assert.is_true(heights[1][2] < zero + 1 and heights[2][1] > zero - 1)
  end)

  it("sums what is over `top` into Other", function()
    local list = {}
    for i = 1, 20 do list[i] = series("host " .. i, { 1000 - i, 10 }) end
    list[21] = series("Other", { 5, 5 }, { other = true })
    local svg = drawn("series", list, { format = "svg", unit = "bytes", top = 2 })
    local lines, rules = by_title(svg), grid(svg)
    assert.equal(3, #plots(svg))
    local sum = 5
    for i = 3, 20 do sum = sum + 1000 - i end
    local scale = (rules[#rules] - rules[1]) / 20000
    near(rules[#rules] - sum * scale, (extremes(lines.Other)))
    assert.is_nil(lines["host 3"])
  end)

  it("draws a query's rates, as high as awk finds the flows", function()
    support.clear()
    local from = NOON - 12 * 3600
    local query = support.connect():report("srcHosts"):between(from, from + 86400):granularity(30):limit(3)
    local svg = drawn("series", query, { format = "svg" })
    assert.same({}, support.violations())
    local most = {}
    for host, octets in support.awk('NR > 1 { s[$7 " " int($1 / 1800000)] += $12 } END { for (k in s) { split(k, p, " "); '
      .. 'if (s[k] > m[p[1]]) m[p[1]] = s[k] } for (h in m) printf "%s %.0f\\n", h, m[h] }')
      :gmatch "(%S+) (%d+)\n" do most[host] = tonumber(octets) * 8 / 1800 end
    local rules, checked = grid(svg), 0
    local scale = (rules[#rules] - rules[1]) / 400000 -- 400 kb/s
    for title, plot in pairs(by_title(svg)) do
      if most[title] then
        near(rules[#rules] - most[title] * scale, (extremes(plot)))
        checked = checked + 1
      end
    end
    assert.equal(3, checked)
    assert.equal(4, #plots(svg)) -- and Other
    local words = texts(svg)
    assert.is_true(words["400 kb/s"])
    assert.is_true(words["srcHosts, inbound, 2026-11-01 00:00 to 2026-11-02 00:00 UTC, bits/s"])
  end)

  it("fits a terminal", function()
    local text = drawn("series", { series("busy", { 1, 900, 3 }), series("idle", { 1, 1, 1 }) }, { unit = "bytes", title = "Load" })
    assert.matches("Load", text)
    assert.matches("busy %*+", text)
    assert.matches("1 kB", text)
    assert.is_nil(text:find "\27")
    for line in text:gmatch "[^\n]*" do assert.is_true(#line <= 80) end
    assert.matches("\27%[", (drawn("series", { series("busy", { 1, 900, 3 }) }, { unit = "bytes", colors = true })))
  end)

  it("says when there is nothing to draw", function()
    local path = os.tmpname()
    for _, list in ipairs { {}, { series("empty", {}) } } do
      local ok, err = chart.series(list, path, { format = "svg", unit = "bytes" })
      assert.is_nil(ok)
      assert.equal("api", err.kind)
      assert.matches("^there is nothing to draw: ", err.message)
    end
    os.remove(path)
  end)
end)

local ROWS = { { host = "10.0.0.1", bytes = 300 }, { host = "10.0.0.2", bytes = 600 }, { host = "10.0.0.3", bytes = 100 } }

describe("chart.pie", function()
  it("has parts of the right angle, the largest first, and says their shares", function()
    local svg = drawn("pie", ROWS, { format = "svg", unit = "bytes", height = 400 })
    local words = texts(svg)
    for _, word in ipairs { "10.0.0.1", "300 B", "30.0 %", "60.0 %", "10.0 %", "1.0 kB", "in all" } do assert.is_true(words[word], word) end
    local found = plots(svg)
    assert.same({ "10.0.0.2", "10.0.0.1", "10.0.0.3" }, { found[1].title, found[2].title, found[3].title })
    -- Areas by the shoelace rule: as the shares.
    local areas = {}
    for i = 1, 3 do
      local path, sum = found[i].paths[1], 0
      for p, point in ipairs(path) do
        local after = path[p % #path + 1]
        sum = sum + point[1] * after[2] - after[1] * point[2]
      end
      areas[i] = math.abs(sum)
    end
    assert.is_true(math.abs(areas[1] / areas[2] - 2) < 0.03, areas[1] / areas[2])
    assert.is_true(math.abs(areas[2] / areas[3] - 3) < 0.06, areas[2] / areas[3])
  end)
end)

describe("chart.bars", function()
  it("has bars of the right length", function()
    local svg = drawn("bars", ROWS, { format = "svg", unit = "bytes", top = 2 })
    local widths = {}
    for left, right in svg:gmatch "points = '([%d.]+),[%d.]+ ([%d.]+),[%d.]+ [%d.]+,[%d.]+ [%d.]+,[%d.]+ '/>" do
      widths[#widths + 1] = tonumber(right) - tonumber(left)
    end
    assert.equal(3, #widths)
    near(widths[1] / 2, widths[2])
    near(widths[1] / 6, widths[3])
    local words = texts(svg)
    for _, word in ipairs { "10.0.0.2", "600 B", "Other", "100 B" } do assert.is_true(words[word], word) end
  end)

  it("finds octets and texts in a report by itself, and tells when rows are left out", function()
    support.clear()
    local query = support.connect():report("host2host"):between(NOON - 43200, NOON + 43200):limit(3)
    local text = drawn("bars", query, { width = 100 })
    assert.matches("^host2host, inbound, 2026%-11%-01 00:00 to 2026%-11%-02 00:00 UTC, 3 of 5696 rows\n", text)
    assert.matches("\n157%.240%.30%.63 – 10%.8%.0%.69 +█+.* 192%.1 MB\n", text)
    assert.equal(4, select(2, text:gsub("\n", "")))
    assert.same({}, support.violations())
  end)

  it("says when there is nothing to draw", function()
    local _, err = chart.bars({}, io.stdout)
    assert.equal("there is nothing to draw: the report has no rows", err.message)
    _, err = chart.pie({ { host = "x", bytes = 0 } }, io.stdout)
    assert.equal('there is nothing to draw: field "bytes" is zero in all rows', err.message)
  end)
end)

describe("a label", function()
  it("may hold anything: nothing in it is run, and it stands in the picture as it is", function()
    local mark = ("mark%06d"):format(math.random(0, 999999)) -- in this folder: a long name would be cut
    local labels = {
      "`touch " .. mark .. "`", "$(touch " .. mark .. ")", "\"; !touch " .. mark .. "; #", "'.system('touch " .. mark .. "').'",
      "@x\\n%d%s{/Bold y}_1^2",
      "</title><script>alert(1)</script>&amp;", "\27[2J\nEOD\nplot sin(x)", "é\255€",
    }
    local list, rows = {}, {}
    for i, label in ipairs(labels) do
      list[i], rows[i] = series(label, { i, 2 * i }, { dns = label }), { label = label, bytes = i }
    end
    local function seen(svg)
      local words, out = texts(svg)
      for _, label in ipairs(labels) do
        local shown = gnuplot.cut(gnuplot.plain(label), 40)
        local found = false
        for word in pairs(words) do found = found or word:sub(1, #shown - 4) == shown:sub(1, #shown - 4) end
        assert.is_true(found, shown .. "\n" .. out)
      end
    end
    for _, format in ipairs { "svg", "text", "png" } do
      for _, stacked in ipairs { false, true } do
        local picture = drawn("series", list, { format = format, unit = "bytes", title = labels[1], subtitle = labels[3], stacked = stacked })
        if format == "svg" then seen(picture) end
      end
      for _, kind in ipairs { "pie", "bars" } do
        local picture = drawn(kind, rows, { format = format, unit = labels[1], title = labels[2] })
        if format == "svg" then seen(picture) end
      end
    end
    assert.is_nil(io.open(mark))
  end)
end)

describe("a PNG", function()
  it("has the size asked for and is not blank", function()
    local path = os.tmpname()
    os.remove(path)
    path = path .. ".png"
    assert.is_true(chart.series({ series("one", { 1, 5, 2 }) }, path, { unit = "bytes", width = 500, height = 300 }))
    local out = support.shell([[python3 -c '
import sys, struct, zlib
d = open(sys.argv[1], "rb").read()
w, h, depth, kind = struct.unpack(">IIBB", d[16:26])
at, packed = 8, b""
while at < len(d):
    n, = struct.unpack(">I", d[at:at+4])
    if d[at+4:at+8] == b"IDAT": packed += d[at+8:at+8+n]
    at += n + 12
raw, bpp = zlib.decompress(packed), {2: 3, 6: 4}[kind]
stride, before, colors = w * bpp, bytearray(w * bpp), {}
for y in range(h):
    f, line = raw[y*(stride+1)], bytearray(raw[y*(stride+1)+1:(y+1)*(stride+1)])
    for i in range(stride):
        a = line[i-bpp] if i >= bpp else 0
        b, c = before[i], before[i-bpp] if i >= bpp else 0
        p = a + b - c
        paeth = min((abs(p-a), 0, a), (abs(p-b), 1, b), (abs(p-c), 2, c))[2]
        line[i] = (line[i] + [0, a, b, (a+b)//2, paeth][f]) & 255
    for x in range(0, stride, bpp):
        k = bytes(line[x:x+3]).hex(); colors[k] = colors.get(k, 0) + 1
    before = line
print(w, h, colors.get("0072b2", 0) > 500, colors["ffffff"] > w*h/2, len(colors) > 50)' ]] .. path)
    os.remove(path)
    assert.equal("1000 600 True True True\n", out)
  end)
end)

describe("the time axis", function()
  local function marks(from, hours, count, name)
    local list = {}
    for i, mark in ipairs(axis.times(from, from + hours * 3600, count, zone.load(name))) do
      list[i] = ("%d %s%s"):format((mark.at - from) / 3600, mark.text, mark.below and "/" .. mark.below or "")
    end
    return table.concat(list, ", ")
  end

  it("goes by the zone's clock, also over its changes", function()
    -- Clocks in New York go back at 06:00 UTC on 1 November 2026, and forward at 07:00 UTC on 8 March.
    assert.equal("0 00:00/Nov 1, 7 06:00, 13 12:00, 19 18:00, 25 00:00/Nov 2", marks(1793505600, 25, 6, "America/New_York"))
    assert.equal("0 00:00/Mar 8, 5 06:00, 11 12:00, 17 18:00, 23 00:00/Mar 9", marks(1772946000, 23, 6, "America/New_York"))
    assert.equal("0 23:00/Mar 7, 1 00:00/Mar 8, 2 01:00, 3 03:00", marks(1772946000 - 3600, 3, 4, "America/New_York"))
    assert.equal("0 09:00/Nov 1, 1 10:00, 2 11:00", marks(1793491200 + 3.5 * 3600, 2, 3, "Asia/Kolkata"))
  end)

  it("goes by days, weeks, months and years where the span is long", function()
    local from = 1793491200 -- 2026-11-01T00:00:00Z, a Sunday
    assert.equal("0 Nov 1/2026, 24 Nov 2, 48 Nov 3, 72 Nov 4", marks(from, 72, 4, "UTC"))
    assert.equal("24 Nov 2/2026, 192 Nov 9, 360 Nov 16, 528 Nov 23, 696 Nov 30", marks(from, 720, 6, "UTC"))
    assert.equal("0 Nov/2026, 720 Dec, 1464 Jan/2027, 2208 Feb, 2880 Mar", marks(from, 24 * 125, 6, "UTC"))
    assert.matches("^1464 2027, 10224 2028, ", marks(from, 24 * 1500, 5, "UTC"))
  end)

  it("shows values with readable units", function()
    local function values(most, count, unit)
      local list = {}
      for i, mark in ipairs(axis.values(most, count, unit)) do list[i] = mark.text end
      return table.concat(list, ", ")
    end
    assert.equal("0, 100 kb/s, 200 kb/s, 300 kb/s, 400 kb/s", values(327000, 5, "bits/s"))
    assert.equal("0, 0.5 GB, 1 GB, 1.5 GB", values(1.2e9, 4, "bytes"))
    assert.equal("0, 1", values(0, 4, "count"))
    assert.equal("1.0 MB", axis.value(999950, "bytes"))
    assert.equal("999 B", axis.value(999, "bytes"))
    assert.equal("9.2 EB", axis.value(2 ^ 63, "bytes"))
  end)
end)

describe("a file", function()
  it("appears when the picture is whole, and stays as it was when there is none", function()
    local path = os.tmpname() .. ".svg"
    assert.is_true(chart.bars(ROWS, path))
    local file = assert(io.open(path, "rb"))
    local text = file:read "*a"
    file:close()
    assert.matches("^<%?xml", text)
    assert.is_nil((chart.bars({}, path)))
    file = assert(io.open(path, "rb"))
    assert.equal(text, file:read "*a")
    file:close()
    assert.equal(path .. "\n", support.shell("ls " .. path .. "*"))
    os.remove(path)
    os.remove((path:gsub("%.svg$", "")))
    local _, err = chart.bars(ROWS, "/nonexistent/x.svg")
    assert.equal("file", err.kind)
  end)

  it("cannot be drawn without gnuplot, and the message says what to install", function()
    local lua = support.shell("command -v " .. (os.getenv "SCRUTINIZER_LUA" or "lua5.4")):match "%S+"
    local out = support.shell(("%s PATH=/nonexistent %s -e %s 2>&1"):format(os.getenv "SCRUTINIZER_WRAP" or "env", lua, support.quote([[
      local chart = require "scrutinizer.chart"
      local rows = { { host = "a", bytes = 1 } }
      local ok, err = chart.bars(rows, function() end, { format = "svg" })
      print(ok, err.kind, err.message)
      print(chart.bars(rows, function() end))]])))
    assert.equal("nil\tfile\tcharts need gnuplot, which is not installed: install it (Debian: apt-get install gnuplot-nox)\n"
      .. "true\n", (out:gsub("true\tnil\n", "true\n")))
  end)
end)

describe("misuse", function()
  it("raises at the caller's line and says what is allowed", function()
    local client = support.connect()
    local list = { series("a", { 1 }) }
    for _, case in ipairs {
      { function() chart.series(1, "x.svg", { unit = "bytes" }) end, "series: source: got 1; allowed: a query, or the list" },
      { function() chart.series(list, "x.svg") end, 'series: unit: got nil; allowed: "bits/s" for rates, "bytes" for series' },
      { function() chart.series(list, "x.gif", { unit = "bytes" }) end, 'series: target: got "x.gif"; allowed: a path that ends in .svg' },
      { function() chart.series(list, 5, { unit = "bytes" }) end, "series: target: got 5" },
      { function() chart.series(list, "x.svg", { unit = "bytes", with = 3 }) end, 'series: option: got "with"; allowed: colors, format, ' },
      { function() chart.series(list, "x.svg", { unit = "bytes", width = 3 }) end, "series: width: got 3; allowed: a whole number from 200" },
      { function() chart.series(list, "x.svg", { unit = "bytes", timezone = "Mars" }) end, 'series: timezone: got "Mars"' },
      { function() chart.bars(ROWS, "x.svg", { format = "gif" }) end, 'bars: format: got "gif"; allowed: svg, png, text' },
      { function() chart.bars(ROWS, io.stdout, { value = "host" }) end, 'bars: value: field "host": got "10.0.0.1"; allowed: a field of numbers' },
      { function() chart.bars(list, io.stdout) end, 'allowed: rows of plain values: "points" holds a table; say label and value' },
      { function() chart.pie({ { a = "x" } }, io.stdout) end, "pie: no field of the rows is a number" },
      { function() chart.series(client:report("srcHosts"):range("LastHour"):percent(), io.stdout) end, "rates: the report is in percent" },
    } do
      local ok, message = pcall(case[1])
      assert.is_false(ok)
      assert.is_truthy(tostring(message):find(case[2], 1, true), tostring(message))
      assert.matches("chart_spec%.lua:%d+: ", message)
    end
  end)
end)
