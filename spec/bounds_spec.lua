-- Every memory has a maximum that holds: answers made to hurt, each read in each way by a process of its own. Looked at are the peak of its
-- memory over what it had before, its processor time for each byte of JSON, and the result: rows, or kind and words of the error.
--
-- The server is Python's (spec/bounds_server.py), which streams, compresses with its own zlib and writes framing by itself. BOUNDS=10 makes
-- what is large ten times larger (a gigabyte of JSON in each), takes minutes, and changes no figure; BOUNDS_TABLE=path writes a table of all.
-- Brothers that were looked for: every buffer of src/ that grows (buffer_init), every list made of what an answer says, every part of HTTP
-- that has no length of its own.

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
    subject = assert(io.popen("python3 spec/bounds_server.py body " .. case .. " " .. times))
  else
    local warm = connect "small"
    report(warm):fetch()
    warm:call { rm = "anything" }
    warm:close()
    subject = connect(case)
  end
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
  local file = assert(io.open(program, "w"))
  file:write(PROGRAM)
  file:close()
  -- Its standard input ends with this process, and so does it.
  local fifo = os.tmpname()
  os.remove(fifo)
  support.shell("mkfifo " .. fifo)
  server = assert(io.popen(("python3 spec/bounds_server.py serve %d < %s"):format(TIMES, fifo), "r"))
  local keeper = assert(io.open(fifo, "w"))
  port = server:read "*n"
  os.remove(fifo)
  server = { pipe = server, keeper = keeper }
end)

teardown(function()
  server.keeper:close()
  server.pipe:close()
  os.remove(program)
end)

-- Runs a case. Gives peak in KiB, bytes of JSON, nanoseconds, kind ("" for none), words.
local function run(way, case)
  local line = support.shell(("%s %s %s %s %d %d 2>&1"):format(support.lua, program, way, case, port, TIMES))
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
