-- Every memory has a maximum that holds: answers made to hurt, each read in each way by a process of its own. Looked at are the peak of its
-- memory over what it had before, its processor time for each byte of JSON, and the result: rows, or kind and words of the error.
--
-- The server is Python's (spec/servers/bounds_server.py), which streams, compresses with its own zlib and writes framing by itself. BOUNDS=10 makes
-- what is large ten times larger (a gigabyte of JSON in each), takes minutes, and changes no figure; BOUNDS_TABLE=path writes a table of all.
-- Brothers that were looked for: every buffer of src/ that grows (buffer_init), every list made of what an answer says, every part of HTTP
-- that has no length of its own, every byte of HTTP, gzip and deflate that may be sent without end and holds nothing (headers, 1xx, trailers,
-- chunk sizes and extensions; gzip's name, comment and extra field, empty members and blocks, before, amid and behind the answer; blanks of JSON
-- are bytes of the answer). A refusal's body ends with them, too, and a proxy's answer to CONNECT within connect_timeout.

local python_server = require "spec.python_server"
local support = require "spec.support"

local TIMES = tonumber(os.getenv "BOUNDS") or 1
local MEGABYTE = 1024 -- in KiB

local PROGRAM = [[
  local way, case, port, times = ...
  local scrutinizer = require "scrutinizer"
  local events = { bytes = 0 }

  local function status(name)
    local file = assert(io.open "/proc/self/status")
    local kib = file:read("*a"):match(name .. ":%s+(%d+)")
    file:close()
    return tonumber(kib)
  end

  local function connect(name)
    return assert(scrutinizer.connect { url = "http://127.0.0.1:" .. port .. "/" .. name, allow_http = true, token = "secret-token", retry = false,
      on_event = function(event) events.bytes = math.max(events.bytes, event.bytes or 0) end })
  end

  local function report(client)
    return client:report("conversations"):range "LastHour"
  end

  local WAYS = {}
  function WAYS.rows(client)
    local cursor, count = report(client):rows(), 0
    local row, err = cursor:next()
    while row do
      count = count + 1
      row, err = cursor:next()
    end
    return not err and "rows " .. count, err
  end
  function WAYS.fetch(client)
    local found, err = report(client):fetch()
    return found and "rows " .. #found.rows, err
  end
  function WAYS.aggregate(client)
    local list, err = report(client):aggregate { by = { "a" }, count = true, top = 3 }
    return list and "groups " .. #list, err
  end
  function WAYS.series(client)
    local list, err = report(client):granularity(5):series()
    return list and "series " .. #list, err
  end
  function WAYS.pie(client)
    local list, err = report(client):pie()
    return list and "slices " .. #list, err
  end
  function WAYS.call(client)
    local value, err = client:call { rm = "anything" }
    return err == nil and "a " .. type(value), err
  end
  function WAYS.ping(client)
    local value, err = client:ping()
    return value and "pong", err
  end
  function WAYS.devices(client)
    local list, err = client.devices:list()
    return list and "devices " .. #list, err
  end
  local function decode(size)
    return function(pipe)
      local decoder, count = scrutinizer.decoder { direction = "inbound" }, 0
      local piece = pipe:read(size)
      while piece do
        events.bytes = events.bytes + #piece
        local good, err = decoder:feed(piece)
        for _ in decoder:rows() do count = count + 1 end
        if not good then return nil, err end
        piece = pipe:read(size)
      end
      local found, err = decoder:finish()
      return found and "rows " .. count, err
    end
  end
  WAYS.decoder, WAYS.decoder64 = decode(65536), decode(64)

  local subject
  if way:find "decoder" then
    -- What Lua itself takes to read such pieces is none of ours.
    subject = assert(io.popen("python3 -B spec/servers/bounds_server.py body " .. case .. " " .. times))
  else
    local warm = connect "small"
    report(warm):fetch()
    warm:call { rm = "anything" }
    warm:close()
    subject = connect(case)
  end
  collectgarbage("setpause", 100) -- what is measured is ours, not the garbage that the collector lets lie
  for _ = 1, 3 do collectgarbage() end
  events.bytes = 0
  local file = assert(io.open("/proc/self/clear_refs", "w"))
  file:write "5"
  file:close()
  local idle, started = status "VmRSS", os.clock()
  local good, result, err = pcall(WAYS[way], subject)
  local took, peak = os.clock() - started, math.max(0, status "VmHWM" - idle)
  if not good then err, result = { kind = "raised", message = tostring(result) }, nil end
  io.write(("%d\t%d\t%.0f\t%s\t%s\n"):format(peak, events.bytes, took * 1e9, result and "" or err.kind, result or err.message))
  os.exit(0, false)
]]

local server, port, program

setup(function()
  program = os.tmpname()
  support.write(program, PROGRAM)
  server, port = python_server.start("bounds_server", "serve " .. TIMES)
end)

teardown(function()
  server:close()
  os.remove(program)
end)

-- Runs a case. Gives peak in KiB, bytes of JSON, nanoseconds, kind ("" for none), words.
local function run(way, case)
  local line = support.shell(("timeout %d %s %s %s %s %d %d 2>&1"):format(120 * TIMES, support.lua, program, way, case, port, TIMES))
  local peak, bytes, nanoseconds, kind, words = line:match "^(%d+)\t(%d+)\t(%d+)\t([^\t]*)\t(.*)\n$"
  assert(peak, line)
  return { way = way, case = case, peak = tonumber(peak), bytes = tonumber(bytes), time = tonumber(nanoseconds), kind = kind, words = words }
end

local table_path = os.getenv "BOUNDS_TABLE"

local function note(r)
  if not table_path then return end
  local file = assert(io.open(table_path, "a"))
  file:write(("| %s | %s | %.1f | %s | %s %s |\n"):format(r.case, r.way, r.peak / MEGABYTE,
    r.bytes > 2 ^ 20 and ("%.1f"):format(r.time / r.bytes) or "", r.kind, r.words:sub(1, 110)))
  file:close()
end

---------------------------------------------------------------------------------------------------------------------- the table

-- Rows that a piece of so many bytes makes in 20 MB (as the server counts), and the one behind them.
local function many(size)
  local per = math.max(1, math.floor(2 ^ 20 / size))
  return per * math.max(1, math.floor(TIMES * 20 * 2 ^ 20 / (per * size))) + 1
end

local OVER_BODY = "limit: longer than 67108864 bytes %(max_body%)"
local OVER_MADE = "limit: its decoded values take more memory than max_body allows"
local OVER_ROW = "limit: max_row"
local OVER_HELD = "limit: the parts of the answer that must be kept in memory take more than max_held bytes"
local OVER_GRAPH = "limit: graph: its text and its decoded values take more than max_held; ask for fewer"
local NO_TABLE = "decode: the answer is not a JSON object"

-- `report`: what every way of reading rows gives, a number of rows or the error's kind and a part of its words; `aggregate`, `series`, `pie`
-- say where they give something else, `groups` how many of the three first there are. `held`: what must be kept may take max_held * 1.5.
-- `given`: rows before an error.
local CASES = {
  { "small", report = 1, call = "a table", ping = "pong" },
  -- rows
  { "rows_without_cells", report = "decode: a row has 0 cells for 2 columns", call = OVER_MADE },
  { "rows_of_empty_cells", report = many(8), call = OVER_MADE, groups = 2 },
  { "rows_alike", report = 300000 * TIMES + 1, call = OVER_MADE, groups = 3, decoder64 = true },
  { "rows_that_tie", report = many(36), call = OVER_MADE },
  { "rows_differ_and_tie", report = 600000 * TIMES + 1, call = OVER_MADE, groups = 3, held = true },
  { "pages_without_facts", report = "limit: rows not yet read take more than max_held bytes", call = OVER_MADE, held = true, series = "series 0",
    decoder = "rows", given = 873811 * TIMES },
  { "rows_before_columns", report = OVER_HELD, call = OVER_BODY, held = true },
  { "outbound_rows_first", report = 1, call = OVER_MADE },
  { "cells_by_the_million", report = "decode: more cells than the 2 columns", call = OVER_MADE },
  { "members_by_the_million", report = 1, call = OVER_MADE },
  { "members_twice", report = OVER_ROW, pie = "slices 0", call = OVER_MADE },
  { "long_rows", report = many(60040), call = "a table", decoder64 = true },
  { "groups_of_long_names", report = 20001, call = OVER_BODY, held = true,
    aggregate = "limit: the values of the 'by' fields take more than max_held bytes" },
  -- one long thing
  { "string_wanted", report = OVER_ROW, pie = "slices 0", call = "a table" },
  -- The collectors of Luas before 5.4 count the text's scratch memory beside its string.
  { "string_of_escapes", report = OVER_ROW, pie = "slices 0", call = _VERSION >= "Lua 5.4" and "a table" or OVER_MADE },
  { "string_unwanted", report = 1, call = "a table", decoder64 = true },
  { "number_wanted", report = OVER_ROW, pie = "slices 0", call = "a table" },
  { "number_unwanted", report = 1, call = "a table", decoder64 = true },
  { "member_name", report = OVER_ROW, pie = "slices 0", call = "a table" },
  { "key_of_the_answer", report = OVER_ROW, call = "a table" },
  { "blanks", report = 1, call = "a table", decoder64 = true },
  { "deep", report = "limit: max_depth", call = "limit: max_depth" },
  -- what stands beside the rows
  { "err_text", report = "limit: err is longer than 65536 bytes", call = "api: the appliance answers: no no" },
  { "err_list", report = "limit: err is longer than 65536 bytes", call = OVER_MADE },
  { "err_again", report = "api: the appliance answers: no", call = OVER_MADE, held = true },
  { "report_error", report = "limit: error is longer than 65536 bytes", call = "a table" },
  { "time_details", report = "limit: time_details is longer than 65536 bytes", call = "a table" },
  { "request_id", report = "limit: request_id is longer than 65536 bytes", call = "a table" },
  { "granularity", report = "limit: dataGranularity is longer than 65536 bytes", call = OVER_MADE },
  { "exporters", report = "limit: exporter_details is longer than 4194304 bytes", call = OVER_MADE, held = true },
  { "exporters_few", report = 1, call = "a table", held = true },
  { "total", report = "limit: totalRowCount is longer than 65536 bytes", call = "a table" },
  { "footer", report = "limit: footer is longer than 4194304 bytes", call = OVER_MADE, held = true },
  { "footer_below_its_length", report = "limit: footer: its decoded values take more than an eighth of max_held", series = "series 0",
    call = OVER_MADE, held = true },
  { "columns", report = "limit: a table has more than 10000 columns", call = OVER_MADE, held = true },
  { "columns_of_long_names", report = "limit: columns is longer than 4194304 bytes", call = "a table", held = true },
  { "columns_of_one_name", report = 1, call = "a table", held = true },
  -- graphs: rows pass them over
  { "series", report = 1, series = OVER_GRAPH, pie = OVER_GRAPH, call = OVER_MADE, held = true },
  { "series_below_its_length", report = 1, series = "limit: more than 65536 series", pie = "slices 0", call = "a table", held = true },
  { "points", report = 1, series = "limit: max_held bytes; ask for fewer", call = OVER_BODY, held = true },
  { "pie", report = 1, series = OVER_GRAPH, pie = OVER_GRAPH, call = OVER_MADE, held = true },
  { "pie_members", report = 1, series = OVER_GRAPH, pie = OVER_GRAPH, call = OVER_MADE, held = true },
  -- lists of plain calls
  { "items", call = OVER_MADE, devices = OVER_MADE },
  { "too_long", report = NO_TABLE, call = OVER_BODY, ping = OVER_BODY, devices = OVER_BODY },
  { "tables", call = OVER_MADE, ping = OVER_MADE },
  { "objects", call = OVER_MADE },
  { "numbers", call = OVER_MADE },
  { "numbers_below", call = "a table" },
  { "keys", call = OVER_MADE },
  { "one_string", call = OVER_MADE },
  { "one_string_of_escapes", call = OVER_MADE },
  { "half_a_string", call = "a string" },
  { "wrong_at_its_end", call = OVER_MADE },
  { "deep_then_long", call = "limit: max_depth" },
}

-- HTTP's own parts: the same for a report and for a plain call.
-- libcurl 8 itself refuses codings that were not asked for, and more than 5000 lines of header.
local LIBCURL_8 = tonumber(support.shell "pkg-config --modversion libcurl":match "^%d+") >= 8
local CODING = LIBCURL_8 and "http: Transfer%%-Encoding %%(%s%%)" or 'http: the answer has the Transfer%%-Encoding "%s"; only chunked is supported'
local MANY_LINES = LIBCURL_8 and "limit: the answer's header has more than 5000 lines" or "limit: the answer's headers are longer than 64 KiB"
local HOLLOW = "limit: more than 1 MiB plus 16 times the answer's length was received"
local HTTP_CASES = {
  { "bomb_deflate", report = 1, call = "a table" },
  { "bomb_bare_deflate", report = 1, call = "a table" },
  { "bomb_x_gzip", report = 1, call = "a table" },
  { "bomb_in_one_member_each", report = 1, call = OVER_BODY },
  { "te_gzip", both = CODING:format "gzip" },
  { "te_odd", both = CODING:format "X%-GZip" },
  { "te_deflate", both = CODING:format "deflate" },
  { "te_br", both = CODING:format "br" },
  { "te_two_lines", both = CODING:format "gzip" },
  { "te_behind_identity", both = CODING:format "gzip" },
  { "te_many", both = LIBCURL_8 and CODING:format "gzip" or "http: content encodings" }, -- libcurl's own, before the header is ours
  { "te_on_302", both = CODING:format "gzip" },
  { "te_identity", report = 1, call = "a table" },
  { "ce_twice", both = 'decode: unknown Content%-Encoding "gzip, gzip"' },
  { "ce_two_lines", both = 'decode: unknown Content%-Encoding "gzip, gzip"' },
  { "ce_gzip_in_gzip", both = "decode: unexpected byte" },
  { "ce_br", both = 'decode: unknown Content%-Encoding "br"' },
  { "status_500", both = "http: the appliance answers with HTTP status 500" },
  { "status_500_tables", both = "http: the appliance answers with HTTP status 500" },
  { "status_302", both = "http: 192.0.2.1" },
  { "header_long", both = "limit: a line of the answer's header is longer than 100 KB" },
  { "header_endless", both = "limit: a line of the answer's header is longer than 100 KB" },
  { "header_lines", both = MANY_LINES },
  { "header_continued", both = "limit: the answer's headers are longer than 64 KiB" },
  { "headers_1xx", both = "limit: the answer's headers are longer than 64 KiB" },
  { "trailer_lines", both = MANY_LINES },
  { "trailer_long", both = "limit: a line of the answer's trailer is longer than 4 KB" },
  { "chunk_extension", both = HOLLOW },
  { "chunk_extension_endless", both = HOLLOW },
  { "chunk_extensions_endless", both = HOLLOW },
  { "chunks_of_1_flushed", report = 1, call = "a table" }, -- 13 bytes for each of the answer's
  { "hollow_blocks", both = HOLLOW },
  { "hollow_blocks_deflate", both = HOLLOW },
  { "hollow_blocks_bare_deflate", both = HOLLOW },
  { "hollow_blocks_by_length", both = HOLLOW },
  { "hollow_blocks_to_the_end", both = HOLLOW },
  { "hollow_members", both = HOLLOW },
  { "hollow_members_extra", both = HOLLOW },
  { "hollow_members_behind", both = HOLLOW },
  { "hollow_name", both = HOLLOW },
  { "hollow_comment", both = HOLLOW },
  { "hollow_but_a_byte", both = HOLLOW },
  { "hollow_refusal", both = "http: the appliance answers with HTTP status 500" },
  { "chunk_extensions", report = 1, call = "a table" },
  { "chunk_size_long", both = LIBCURL_8 and "truncated: chunk hex%-length" or "truncated: hexadecimal" },
  { "chunks_of_64", report = 300000 * TIMES + 1, call = OVER_MADE },
  { "long_rows_in_chunks_of_64", report = many(60040), call = "a table" },
}

-- Tables of Lua 5.1 are larger: so is the little that is read of a refusal.
local STREAMED, HELD, CALLED = (_VERSION == "Lua 5.1" and 4.5 or 4) * MEGABYTE, 96 * MEGABYTE, 96 * MEGABYTE
local NANOSECONDS = 50 -- for each byte
local MAKING = 200 -- the same where a table of Lua's is made of three bytes, up to the maximum
local GROUP, ROW = 0.15, 0.3 -- KiB of a group, and of a row in a list: the result itself
local ROWS = 40 * MEGABYTE -- of the rows that are kept for the series of a graph: 16 MB of values, and what waits for the collector

-- What a case must give when it is read in a way.
local function expected(case, way)
  local said = case[way] or case.both
  if way == "pie" and not said and case.series then said = case.series == "series 0" and "slices 0" or case.series end
  if type(said) == "string" then return said end
  if way == "call" then return case.call end
  if type(case.report) == "string" then return case.report end
  if way == "aggregate" then return "groups " .. (case.groups or 1) end
  if way == "series" then return "series 0" end
  if way == "pie" then return "slices 0" end
  return "rows " .. case.report
end

local function allowed(case, way)
  if way == "call" or way == "ping" or way == "devices" then return CALLED end
  local rows = type(case.report) == "number" and case.report or case.given or 0
  local result = way == "fetch" and rows * ROW or way == "aggregate" and case.groups == 3 and rows * GROUP
    or way == "series" and math.min(rows * ROW, ROWS) or 0
  return (case.held and HELD or STREAMED) + result
end

local function is_slow(r)
  local makes = r.way == "call" or r.way == "ping" or r.way == "devices" or r.way == "fetch" or r.way == "series" or r.way == "pie"
  return r.bytes > 4 * 2 ^ 20 and r.time > (makes and MAKING or NANOSECONDS) * r.bytes
end

local function is_right(r, want)
  local kind, words = want:match "^(%l+): (.*)$"
  if not kind then return r.kind == "" and r.words:sub(1, #want) == want end
  return r.kind == kind and r.words:find(words) ~= nil
end

local function check(case, way)
  local r, want = run(way, case[1]), expected(case, way)
  for _ = 1, 2 do -- a busy machine is slow by itself
    if is_slow(r) and not support.sanitized then r = run(way, case[1]) end
  end
  note(r)
  local what = ("%s by %s: %s: %s; %d KiB, %d bytes in %.3f s"):format(case[1], way, r.kind, r.words, r.peak, r.bytes, r.time / 1e9)
  assert.is_true(is_right(r, want) or (TIMES > 1 and r.kind == "limit"), what .. "; due: " .. want)
  if support.sanitized then return end
  assert.is_true(r.peak <= allowed(case, way), what)
  assert.is_false(is_slow(r), what)
end

-- Each case is read as rows, by a plain call and by the decoder; by the other ways in turn, or by all where BOUNDS is set.
local OTHERS = { "fetch", "aggregate", "series", "pie" }

local function ways_of(case, i)
  if os.getenv "SANDBOX_CHECKED" then return case.report and { "call", "series" } or { "call" } end
  local ways = { "call" }
  for _, way in ipairs { "ping", "devices", "decoder64" } do
    if case[way] then ways[#ways + 1] = way end
  end
  if not case.report then return ways end
  ways[#ways + 1], ways[#ways + 2] = "rows", "decoder"
  for n, way in ipairs(OTHERS) do
    local own = (way == "series" or way == "pie" or way == "aggregate") and case[way]
    if own or os.getenv "BOUNDS" or i % #OTHERS == n - 1 then ways[#ways + 1] = way end
  end
  return ways
end

if not support.sanitized then
  describe("an answer made to hurt", function()
    -- What is bounded is the core's: further Luas look at a third of the cases.
    for i = 1, #CASES, os.getenv "SANDBOX_CHECKED" and 3 or 1 do
      local case = CASES[i]
      it("takes bounded memory and linear time: " .. case[1], function()
        for _, way in ipairs(ways_of(case, i)) do check(case, way) end
      end)
    end
  end)
end

describe("HTTP made to hurt", function()
  for _, case in ipairs(HTTP_CASES) do
    it("takes bounded memory and linear time: " .. case[1], function()
      for _, way in ipairs { "rows", "call" } do check(case, way) end
    end)
  end
end)

describe("an answer that holds nothing and comes slowly", function()
  it("is a timeout by low_speed: only the answer's own bytes count", function()
    for _, way in ipairs { "rows", "call" } do
      local client = assert(require("scrutinizer").connect { url = "http://127.0.0.1:" .. port .. "/hollow_slowly", allow_http = true,
        token = "secret-token", retry = false, timeout = 20, low_speed = { bytes = 100, seconds = 0.5 } })
      local _, err
      if way == "rows" then
        _, err = client:report("conversations"):range("LastHour"):rows():next()
      else
        _, err = client:call { rm = "anything" }
      end
      assert.same({ "timeout", "low_speed" }, { err.kind, err.which }, tostring(err))
      client:close()
    end
  end)
end)
