--- One report in windows of time, each in a file of its own with a manifest: many processes may share the work, and what is there already is not
--- asked for again.

local check = require "scrutinizer.check"
local columns = require "scrutinizer.cli.columns"
local core = require "scrutinizer.core"
local errors = require "scrutinizer.errors"
local exit_status = require "scrutinizer.cli.exit_status"
local export = require "scrutinizer.export"
local manifest = require "scrutinizer.export.manifest"
local progress = require "scrutinizer.cli.progress"
local query_arguments = require "scrutinizer.cli.query_arguments"
local times = require "scrutinizer.time.times"
local zone = require "scrutinizer.time.zone"

local windows = {}

local NO_SLICES = "--shard i/n is gone: slices of rows lose rows and double others when the order of equal rows changes between requests. "
  .. "Cut the report in windows of time: --split 1d --shard k fetches the k-th day, counted from 0"

--- Adds `--split` and its options.
function windows.options(command)
  command:group("Windows of time, for many processes",
    command:option("--split", "Fetch each window of this length into a file of its own, with a manifest beside it: november.csv becomes "
      .. "november.2026-11-03T00.csv. 1d is a day of the calendar in --timezone. A file that is there already, with the same request and "
      .. "unchanged, is not fetched again. Needs --between, --day, --month or --hour, --output, and --format csv or ndjson; takes only "
      .. "columns that add up: sums and counts."):argname "<span>",
    command:option("--shard", "Only one window, counted from 0 at the beginning of the times. auto: its number is in one of "
      .. "SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX (from 0) or PARALLEL_SEQ (from 1)."):argname "<k>",
    command:option("--settle", "A window is complete this long after its end (default 15m): before that, exit status 75."):argname "<span>",
    command:flag("--open", "Fetch a window that is not complete. It is fetched again each time, and merge refuses it."))
end

local function misuse(text, ...)
  error(text:format(...), 0)
end

-- The number of this process's window, from the variables of Slurm, Kubernetes or GNU parallel.
local SOURCES = { { "SLURM_ARRAY_TASK_ID", 0 }, { "JOB_COMPLETION_INDEX", 0 }, { "PARALLEL_SEQ", 1 } }

local function from_environment(range)
  local found, names
  for _, source in ipairs(SOURCES) do
    local text = os.getenv(source[1])
    if text and found then misuse("--shard auto: %s and %s are both set: say --shard k, k %s", found[1], source[1], range) end
    if text then found = { source[1], text, source[2] } end
    names = names and names .. ", " .. source[1] or source[1]
  end
  if not found then misuse("--shard auto: none of %s is set: say --shard k, k %s", names, range) end
  local number = check.digits(found[2])
  return number and number - found[3], found[1] .. "=" .. found[2]
end

-- The index of the window that --shard names, from 1.
local function index_of(shard, count)
  local range = count == 1 and "0, as there is 1 window" or ("from 0 to %d, as there are %d windows"):format(count - 1, count)
  local number, said = check.digits(shard), "--shard " .. shard
  if shard == "auto" then number, said = from_environment(range) end
  if not number or number < 0 or number >= count then misuse("%s: no such window; allowed: %s", said, range) end
  return number + 1
end

local WRITTEN = { csv = true, ndjson = true }

-- Conditions that hold for a window's rows and not for their sums. `numeric`: which columns hold numbers, once the answer has told.
local function check_kept(args, map, numeric)
  for _, condition in ipairs(args.keep) do
    local field = next(condition)
    local column = map and map[field] or field
    local kind = columns.kind(column, numeric and numeric[columns.of(column)])
    if kind.apart or (kind.type ~= "text" and kind.type ~= "address") then
      misuse("--split: --keep %s: a condition on the value of one window is another one than on the sum of all windows", field)
    end
  end
end

-- Options whose result for the whole is not that of the windows together.
local function check_adds_up(args)
  for _, name in ipairs { "limit", "offset" } do
    if args[name] then misuse("--split: --%s does not add up: the first rows of each window are not those of the whole", name) end
  end
  if args.unit == "percent" then misuse "--split: --unit percent does not add up over windows" end
  if args.values == "rate" then misuse "--split: --values rate does not add up over windows: use totals" end
  local order, map, apart = nil, nil, {}
  if args.select then order, map = query_arguments.selection(args.select) end
  for _, field in ipairs(order or {}) do
    if columns.kind(map[field]).apart then apart[#apart + 1] = map[field] end
  end
  if apart[1] then
    misuse("--split: %s: such values do not add up over windows; sums, counts and times of flows do", table.concat(apart, ", "))
  end
  check_kept(args, map)
end

local function check_options(args)
  if args.shard and (args.shard:find "/" or not args.split) then misuse(NO_SLICES) end
  for _, name in ipairs { "shard", "settle", "open" } do
    if args[name] and not args.split then misuse("--%s needs --split", name) end
  end
  if not args.split then return end
  if not args.output or not WRITTEN[args.format] then misuse "--split needs --output and --format csv or ndjson" end
  if args.output:find "^/dev/" or args.output:find "/$" then misuse "--split needs a file as --output: each window gets one of a similar name" end
  if args.last or args.range then misuse "--split needs --between, --day, --month or --hour: other times move with the clock" end
  if args.shard and not query_arguments.is_fixed(args) then
    misuse "--shard needs --between, or a --day, --month or --hour with its date: without fixed times each process would count other windows"
  end
  if args.settle and not times.seconds(args.settle) then misuse("--settle: got %s; allowed: a span such as 15m", args.settle) end
  check_adds_up(args)
end

-- ---- windows and their files ----

-- The clock's text at a window's beginning; with the offset where the clock shows that time twice.
local function label_of(local_zone, from)
  local c = local_zone:civil(from)
  local text = ("%04d-%02d-%02dT%02d"):format(c.year, c.month, c.day, c.hour)
  if c.min ~= 0 then text = text .. ("%02d"):format(c.min) end
  if #local_zone:showings(c, 1) < 2 then return text end
  return text .. zone.offset_text(local_zone:offset(from)):gsub(":", "")
end

-- november.csv becomes november.2026-11-03T00.csv.
local function path_of(output, label)
  local stem, ending = output:match "^(.*[^/])(%.[^./]*)$"
  return ("%s.%s%s"):format(stem or output, label, ending or "")
end

---@class scrutinizer.cli.Window
---@field query scrutinizer.Query
---@field from integer
---@field to integer
---@field path string

-- Windows must begin and end with a bucket: else a bucket belongs to two of them, or to none.
local function check_buckets(part, minutes, said)
  for _, edge in ipairs { part.from, part.to } do
    if edge % (minutes * 60) ~= 0 then
      misuse("--split: %d is not the beginning of a bucket of %s: windows must begin and end with one", edge, said)
    end
  end
end

-- The windows of a query, and its whole.
---@return scrutinizer.cli.Window[]
local function parts_of(q, args)
  local list, whole = q:windows(args.split), q:window()
  local local_zone, complaint = zone.load(args.timezone or "UTC")
  if not local_zone then misuse("--timezone %s: %s", args.timezone, complaint) end
  for i, query in ipairs(list) do
    local part = query:window()
    part.query, part.path = query, path_of(args.output, label_of(local_zone, part.from))
    local minutes = tonumber(args.granularity)
    check_buckets(part, minutes or 1, minutes and ("--granularity %d"):format(minutes) or "a minute")
    list[i] = part
  end
  return list, whole
end

-- ---- one window ----

-- All that decides the content of a window's file.
local function asked_of(part, args, client, order, map)
  local form, err = part.query:request()
  if not form then return nil, err end
  local fields = order and {}
  for i, field in ipairs(order or {}) do fields[i] = { name = field, column = map[field] } end
  return {
    appliance = client.url, report = args.type, window = { from = part.from, to = part.to }, open = args.open and true or nil,
    request = { rpt_json = form.rpt_json, data_requested = form.data_requested }, select = fields or nil,
    where = args.where[1] and args.where, exclude = args.exclude[1] and args.exclude, keep = args.keep[1] and args.keep,
    format = args.format, header = args.format == "csv" and not args.no_header, guard = args.guard or false,
  }
end

-- Which columns hold numbers, by the answer's header; an empty table while it is not known.
local function numeric_of(cursor)
  local numeric = {}
  for _, column in ipairs(cursor.columns or {}) do numeric[column.name] = column.numeric end
  return numeric
end

-- Without --select: a source of the cursor's rows that has only the columns which add up, and the names of the others.
local function adding_up(cursor)
  local row, err = cursor:next()
  if err then return nil, err end
  local fields, others, numeric = {}, setmetatable({}, core.array_mt), numeric_of(cursor)
  for _, field in ipairs(cursor.fields or {}) do
    local is_apart = columns.kind(field.column, numeric[columns.of(field.column)]).apart
    if is_apart then others[#others + 1] = field.field else fields[#fields + 1] = field end
  end
  local source = { fields = fields }
  function source.next()
    local given = row
    row = nil
    if given then return given end
    return cursor:next()
  end
  function source.close() return cursor:close() end
  return setmetatable(source, { __index = function(_, key) return cursor[key] end }), others
end

-- What the manifest says of the columns; raises for one that does not add up, as only the answer's header can tell.
local function described(fields, cursor)
  local list, numeric = setmetatable({}, core.array_mt), numeric_of(cursor)
  for i, field in ipairs(fields) do
    local kind = columns.kind(field.column, numeric[columns.of(field.column)])
    if kind.apart then misuse("--split: %s: the answer says that it holds numbers, which may not add up over windows", field.column) end
    list[i] = { name = field.name, column = field.column, type = kind.type }
  end
  return list
end

-- The fields of a window's file: those of --select, else those of the source.
local function fields_of(source, asked)
  if asked.select then return asked.select end
  local fields = {}
  for i, field in ipairs(source.fields) do fields[i] = { name = field.field, column = field.column } end
  return fields
end

-- Writes the rows of a window: what was found, or nil and err.
local function write_rows(part, args, asked, put)
  local cursor = part.query:rows { reuse = true }
  local source, others = cursor, nil
  if not asked.select then source, others = adding_up(cursor) end
  if not source then return nil, others end
  local fields, names, map, rows, err = fields_of(source, asked), {}, {}, 0, nil
  for i, field in ipairs(fields) do names[i], map[field.name] = field.name, field.column end
  local listener, wipe = progress.listener(args)
  local options = { columns = names, on_progress = listener }
  if args.format == "csv" then options.header, options.guard = asked.header, asked.guard end
  if names[1] then rows, err = export[args.format](source, put, options) end -- no names: an answer without columns and rows
  wipe()
  if not rows then return nil, err end
  check_kept(args, map, numeric_of(cursor))
  if cursor.granularity then check_buckets(part, cursor.granularity, ("the report, %d minutes"):format(cursor.granularity)) end
  return { rows = rows, columns = described(fields, cursor), left_out = others, granularity = cursor.granularity }
end

local function tell(args, text, ...)
  if not args.quiet then io.stderr:write("scrutinizer: ", errors.neutral(text:format(...), 1000), "\n") end
end

-- Whether a window has ended, and late flows are in it.
local function is_complete(part, args)
  local complete = part.to + times.seconds(args.settle or "15m")
  if args.open or os.time() >= complete then return true end
  local clock = zone.load "UTC"
  io.stderr:write(("scrutinizer: the window from %s to %s is complete at %s; --open fetches it as it is now\n"):format(
    clock:text(part.from), clock:text(part.to), clock:text(complete)))
  return false
end

local function is_equal(one, other)
  return type(one) == "table" and one.from == other.from and one.to == other.to
end

-- A file that is there already may now be a part of another whole, which `merge` must know.
local function keep(part, there, whole, args)
  tell(args, "%s is there already", part.path)
  if is_equal(there.found.part_of, whole) then return there end
  there.found.part_of = whole
  local ok, err = manifest.amend(part.path, there)
  if ok then return there end
  return nil, err
end

-- Fetches a window, unless its file is there already: its manifest; false while it is not complete; nil and err.
local function fetch(part, whole, args, client, order, map)
  local asked, err = asked_of(part, args, client, order, map)
  if not asked then return nil, err end
  local there = not args.open and manifest.find(part.path, asked)
  if there then return keep(part, there, whole, args) end
  if not is_complete(part, args) then return false end
  return errors.result(manifest.write(part.path, asked, function(put)
    local found, why = write_rows(part, args, asked, put)
    if found then found.part_of = whole end
    return found, why
  end))
end

--- Fetches the windows that the arguments name, one after the other. Nil without err: there is no --split.
---@param q scrutinizer.Query
---@param args table
---@param client scrutinizer.Client
---@return integer? status
---@return scrutinizer.Error? err
function windows.run(q, args, client)
  check_options(args)
  if not args.split then return nil end
  local order, map
  if args.select then order, map = query_arguments.selection(args.select) end
  local parts, whole = parts_of(q, args)
  local first, last, told = 1, #parts, false
  if args.shard then
    first = index_of(args.shard, #parts)
    last = first
  end
  for i = first, last do
    local done, err = fetch(parts[i], whole, args, client, order, map)
    if err then return nil, err end
    if not done then return exit_status.TRY_AGAIN end
    local others = done.found.left_out
    if others and others[1] and not told then
      told = true
      tell(args, "without %s, which do not add up over windows", table.concat(others, ", "))
    end
  end
  return exit_status.DONE
end

return windows
