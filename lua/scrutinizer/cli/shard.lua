--- One report fetched by several processes. Each writes a slice of the rows and a manifest; `merge` checks the slices and joins them.

local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local exit_status = require "scrutinizer.cli.exit_status"
local export = require "scrutinizer.export"
local output = require "scrutinizer.cli.output"
local query_arguments = require "scrutinizer.cli.query_arguments"
local scrutinizer = require "scrutinizer"
local sink = require "scrutinizer.sink"
local wire = require "scrutinizer.wire"

local shard = {}

--- Adds `--shard`.
function shard.options(command)
  command:group("Many processes", command:option("--shard", "Fetch slice i of n (1/10 to 10/10) of the rows into <file>.<i>-of-<n>, with a "
    .. "manifest beside it. auto/10 takes i from SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX or PARALLEL_SEQ; auto also takes n from Slurm. "
    .. "A slice that exists already is not fetched again. Needs a window that does not move (--between, --day 2026-11-26 …), "
    .. "--output, and --format csv or ndjson."):argname "<i/n>")
end

-- This process's number, from 1, from the variables of Slurm, Kubernetes or GNU parallel; and the number of processes, if known.
local function from_environment()
  local slurm, kubernetes, parallel = os.getenv "SLURM_ARRAY_TASK_ID", os.getenv "JOB_COMPLETION_INDEX", os.getenv "PARALLEL_SEQ"
  if slurm then
    local first = tonumber(os.getenv "SLURM_ARRAY_TASK_MIN" or "1")
    return check.digits(slurm) - first + 1, check.digits(os.getenv "SLURM_ARRAY_TASK_COUNT")
  end
  if kubernetes then return check.digits(kubernetes) + 1 end
  if parallel then return check.digits(parallel) end
  error("--shard auto: none of SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX, PARALLEL_SEQ is set", 0)
end

local SLICED = { csv = true, ndjson = true }

--- The slice that `--shard` names, or nil.
---@param args table
---@return { index: integer, count: integer }?
function shard.of(args)
  if not args.shard then return nil end
  local index, count = args.shard:match "^([A-Za-z0-9]+)/(%d+)$"
  if args.shard == "auto" then index = "auto" end
  local total
  if index == "auto" then index, total = from_environment() end
  index, count = check.digits(index, 1), check.digits(count or total, 1, 100000)
  if not index or not count or index > count then error(("--shard: got %s; allowed: i/n with i from 1 to n, or auto/n"):format(args.shard), 0) end
  if not args.output or not SLICED[args.format] then error("--shard needs --output and --format csv or ndjson", 0) end
  if not query_arguments.is_fixed(args) then
    error("--shard needs --between, or a --day, --month or --hour with its date: without fixed times the slices would be of different reports", 0)
  end
  if args.direction == "both" then error("--shard needs one direction; run it once for each", 0) end
  return { index = index, count = count }
end

local function path_of(path, part)
  local width = #tostring(part.count)
  return ("%s.%0" .. width .. "d-of-%d"):format(path, part.index, part.count)
end

local function read_manifest(path)
  local file, why = io.open(path .. ".manifest", "rb")
  if not file then return errors.fail("file", why) end
  local manifest = scrutinizer.decode(file:read "*a" or "")
  file:close()
  if type(manifest) ~= "table" then return errors.fail("file", path .. ".manifest is not a manifest") end
  return manifest
end

local function size_of(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local size = file:seek "end"
  file:close()
  return size
end

local function finished(path, text)
  local manifest = read_manifest(path)
  return manifest and manifest.query == text and manifest.bytes == size_of(path) and manifest or nil
end

-- First row (from 0) and number of rows of a slice of `total` rows.
local function slice(args, part, total)
  local base = args.offset or 0
  local all = math.max(0, math.min(args.limit or total, total - base))
  local from = math.floor((part.index - 1) * all / part.count)
  return base + from, math.floor(part.index * all / part.count) - from
end

-- Writes a file completely, or not at all.
local function write_file(path, text)
  local to, err = sink.open(path)
  if not to then return nil, err end
  local ok
  ok, err = to:write(text)
  if ok then ok, err = to:finish() end
  if not ok then to:abort() end
  return ok, err
end

local function fields_of(cursor, order)
  if order then return order end
  local list = {}
  for i, field in ipairs(cursor.fields or {}) do list[i] = field.field end
  return setmetatable(list, scrutinizer.array_mt)
end

local function write_slice(q, order, args, path, offset, size)
  local cursor = q:offset(offset):limit(size):rows { reuse = true }
  local rows, err = output.write(cursor, { format = args.format, output = path, no_header = true, guard = args.guard, quiet = args.quiet }, order)
  if not rows then return nil, err end
  if rows ~= size then
    return errors.fail("changed", ("the slice has %d rows instead of %d: the report has changed since its rows were counted"):format(rows, size))
  end
  return fields_of(cursor, order)
end

--- Writes one slice and its manifest.
---@return integer? status
---@return scrutinizer.Error? err
function shard.run(q, order, args, part)
  local form, wrong = q:request()
  if not form then return nil, wrong end
  local path, text = path_of(args.output, part), form.rpt_json
  if finished(path, text) then
    if not args.quiet then io.stderr:write("scrutinizer: ", path, " already exists\n") end
    return exit_status.DONE
  end
  os.remove(path .. ".manifest")
  local total, err = q:count()
  if not total then return nil, err end
  local offset, size = slice(args, part, total)
  local columns, ok = order or {}, true
  if size > 0 then
    columns, err = write_slice(q, order, args, path, offset, size)
  else
    ok, err = write_file(path, "")
  end
  if not columns or not ok then return nil, err end
  ok, err = write_file(path .. ".manifest", wire.encode {
    query = text, shard = part.index, shards = part.count, offset = offset, rows = size, total = total, bytes = size_of(path),
    format = args.format, header = not args.no_header, columns = setmetatable(columns, scrutinizer.array_mt),
  } .. "\n")
  if not ok then return nil, err end
  return exit_status.DONE
end

-- ---- merge ----

local function bad(text, ...)
  return errors.fail("file", text:format(...), { exit = "DATA" })
end

local SAME = { "query", "total", "shards", "format", "header" }

local function read_all(paths)
  local list, first = {}, nil
  for _, path in ipairs(paths) do
    local manifest, err = read_manifest(path)
    if not manifest then return nil, err end
    first = first or manifest
    for _, name in ipairs(SAME) do
      if manifest[name] ~= first[name] then return bad("%s: its %s differs from that of %s", path, name, paths[1]) end
    end
    if list[manifest.shard] then return bad("%s: slice %d is given twice", path, manifest.shard) end
    if size_of(path) ~= manifest.bytes then return bad("%s: its size differs from the one in its manifest", path) end
    manifest.path = path
    list[manifest.shard] = manifest
  end
  local row = nil
  for i = 1, first.shards do
    if not list[i] then return bad("slice %d of %d is missing", i, first.shards) end
    if row and list[i].offset ~= row then return bad("%s does not begin where the slice before it ends", list[i].path) end
    row = list[i].offset + list[i].rows
  end
  return list
end

local function copy(put, list)
  for _, manifest in ipairs(list) do
    local file, why = io.open(manifest.path, "rb")
    if not file then return errors.fail("file", why) end
    for block in function() return file:read(65536) end do
      local ok, err = put(block)
      if not ok then
        file:close()
        return nil, err
      end
    end
    file:close()
  end
  return true
end

local function header_of(list)
  for _, manifest in ipairs(list) do
    if #manifest.columns > 0 then return manifest.columns end
  end
end

--- Joins slices in order. Refuses slices of different reports, and missing or damaged slices.
---@param paths string[] the slices' files
---@param path string the file to write
---@return integer? status
---@return scrutinizer.Error? err
function shard.merge(paths, path)
  local list, err = read_all(paths)
  if not list then return nil, err end
  local to
  to, err = sink.open(path)
  if not to then return nil, err end
  local function put(text) return to:write(text) end
  local ok, columns = true, header_of(list)
  if list[1].format == "csv" and list[1].header and columns then ok, err = export.csv({}, put, { columns = columns }) end
  if ok then ok, err = copy(put, list) end
  if ok then ok, err = to:finish() end
  if ok then return exit_status.DONE end
  to:abort()
  return nil, err
end

return shard
