--- `scrutinizer merge`: joins the files of a report's windows into one.

local errors = require "scrutinizer.errors"
local exit_status = require "scrutinizer.cli.exit_status"
local export = require "scrutinizer.export"
local manifest = require "scrutinizer.export.manifest"
local scrutinizer = require "scrutinizer"
local sink = require "scrutinizer.sink"
local wire = require "scrutinizer.wire"
local zone = require "scrutinizer.time.zone"

local function bad(text, ...)
  return errors.fail("file", text:format(...), { exit = "DATA" })
end

local function time(epoch)
  return zone.load("UTC"):text(epoch)
end

-- What must be equal in all windows, as a text: the request without its times.
local function request_of(asked)
  local same, report = {}, scrutinizer.decode(asked.request.rpt_json)
  for name, value in pairs(asked) do same[name] = value end
  local said = type(report) == "table" and report[wire.field.times]
  if type(said) == "table" then said[wire.times.from], said[wire.times.to] = nil, nil end
  same.window, same.request = nil, { rpt_json = report, data_requested = asked.request.data_requested }
  return wire.encode(same)
end

local function is_window(value)
  return type(value) == "table" and type(value.from) == "number" and type(value.to) == "number" and value.from < value.to
end

-- Names of columns with their types, as a text; nil for an answer without columns, which has no rows.
local function columns_of(one)
  return one.found.columns[1] and wire.encode(one.found.columns) or nil
end

-- Complaints about windows that are of different reports.
local function check_same(list)
  local request, columns, first = request_of(list[1].asked), nil, nil
  for _, one in ipairs(list) do
    if request_of(one.asked) ~= request then return bad("%s: its request differs from that of %s", one.path, list[1].path) end
    local named = columns_of(one)
    if named and columns and named ~= columns then return bad("%s: its columns differ from those of %s", one.path, first) end
    if named and not columns then columns, first = named, one.path end
  end
  return true
end

-- Windows must follow each other, and cover whatever they say that they are parts of.
local function check_order(list)
  local from, to = list[1].asked.window.from, list[#list].asked.window.to
  for i, one in ipairs(list) do
    local next_one, whole = list[i + 1], one.found.part_of
    if next_one and next_one.asked.window.from < one.asked.window.to then
      return bad("%s and %s overlap: both have %s", one.path, next_one.path, time(next_one.asked.window.from))
    end
    if next_one and next_one.asked.window.from > one.asked.window.to then
      return bad("no file has the time from %s to %s", time(one.asked.window.to), time(next_one.asked.window.from))
    end
    if is_window(whole) and whole.from < from then return bad("no file has the time from %s to %s", time(whole.from), time(from)) end
    if is_window(whole) and whole.to > to then return bad("no file has the time from %s to %s", time(to), time(whole.to)) end
  end
  return true
end

local function read_all(paths)
  local list = {}
  for i, path in ipairs(paths) do
    local one, err = manifest.window(path)
    if not one then return nil, err end
    one.path, list[i] = path, one
  end
  table.sort(list, function(a, b) return a.asked.window.from < b.asked.window.from end)
  local ok, err = check_same(list)
  if ok then ok, err = check_order(list) end
  if not ok then return nil, err end
  return list
end

-- The line of names that each file begins with.
local function header_of(list)
  local names = {}
  for _, one in ipairs(list) do
    for i, column in ipairs(one.found.columns) do names[i] = column.name end
    if names[1] then break end
  end
  local asked, text = list[1].asked, ""
  if not asked.header or not names[1] then return text end
  export.csv({}, function(piece) text = text .. piece end, { columns = names, guard = asked.guard })
  return text
end

-- Gives a file's text without its header.
local function without_header(header, put)
  local missing = header
  return function(text)
    local part = text:sub(1, #missing)
    if part ~= missing:sub(1, #part) then return bad "a window's file does not begin with its columns' names" end
    missing = missing:sub(#part + 1)
    if #part == #text then return true end
    return put(text:sub(#part + 1))
  end
end

local function join(list, to)
  local header = header_of(list)
  local ok, err = to:write(header)
  for _, one in ipairs(list) do
    local own = one.found.columns[1] and header or ""
    if ok then ok, err = manifest.pour(one.path, one, without_header(own, function(text) return to:write(text) end)) end
  end
  if ok then ok, err = to:finish() end
  if ok then return exit_status.DONE end
  to:abort()
  return nil, err
end

local function merge(args)
  local paths = {}
  for _, path in ipairs(args.files) do
    if args.output == path or args.output == path .. manifest.SUFFIX then error("merge: --output is one of the windows' files: " .. path, 0) end
    if path:sub(-#manifest.SUFFIX) ~= manifest.SUFFIX then paths[#paths + 1] = path end
  end
  if not paths[1] then error("merge: name the windows' files, not only their manifests", 0) end
  local list, err = read_all(paths)
  if not list then return nil, err end
  local to
  to, err = sink.open(args.output)
  if not to then return nil, err end
  return join(list, to)
end

return function(root)
  local command = root:command("merge", "Join the files that report --split wrote, in the order of their windows. Refuses files of different "
    .. "requests, files that were changed, and windows that overlap or are missing. Rows are not summed.",
    "Example: scrutinizer merge -o november.csv november.*.csv")
  command:argument("files", "The windows' files; their manifests must be beside them."):args "+":argname "<file>"
  command:option("-o --output", "The file to write."):argname "<file>":count(1)
  return { merge = merge }
end
