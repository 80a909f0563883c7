--- `scrutinizer schema`: the table of a database that fits a report's columns, and how files of windows are loaded into it.

local columns = require "scrutinizer.cli.columns"
local exit_status = require "scrutinizer.cli.exit_status"
local export = require "scrutinizer.export"
local output = require "scrutinizer.cli.output"
local profile = require "scrutinizer.cli.profile"
local query_arguments = require "scrutinizer.cli.query_arguments"

-- The fields that files of these windows have, with their types.
local function fields_of(args)
  local client, list = profile.connect(args), {}
  local q, order, map = client:report(args.type), nil, {}
  if args.select then order, map = query_arguments.selection(args.select) end
  local known, err = (order and q:select(map) or q):columns()
  if not known then return nil, err end
  local by_name = {}
  for _, column in ipairs(known) do by_name[column.name] = column end
  for _, column in ipairs(order or known) do
    local name = order and column or column.name
    local kind = columns.kind(map[name] or name, by_name[name] and by_name[name].numeric)
    if kind.apart and order then error(("--select: %s does not add up over windows: report --split refuses it"):format(map[name]), 0) end
    if not kind.apart then list[#list + 1] = { name = name, type = kind.type } end
  end
  return list
end

-- Prints the statements that load files.
local function print_loading(args, name)
  for _, path in ipairs(args.load) do
    local list, err = export.loading(args["for"], name, path)
    if not list then return nil, err end
    for _, statement in ipairs(list) do
      io.stdout:write(statement.sql, statement.sql:find "\n$" and "" or ";\n")
    end
  end
  return output.flushed(exit_status.DONE)
end

local function schema(args)
  local name = args.table or args.type
  if not name:find "^[A-Za-z_][A-Za-z0-9_]*$" or #name > 40 then
    error("--table: letters, digits and underscores, at most 40, got " .. name, 0)
  end
  if args.load then return print_loading(args, name) end
  local list, err = fields_of(args)
  if not list then return nil, err end
  io.stdout:write(export.schema(args["for"], name, list))
  return output.flushed(exit_status.DONE)
end

return function(root)
  local command = root:command("schema", "Print the table of a database that fits the files of report --split: a window is a partition. With --load, "
    .. "print the statements that load such files. A window is loaded whole and at once, and replaces itself.",
    "Example: scrutinizer schema conversations --select src=sourceipaddress,octets=sum_octetdeltacount --for postgresql | psql")
  command:argument("type", "Report type, such as host2host or conversations."):argname "<type>"
  command:option("--for", "The database."):choices({ "postgresql", "clickhouse", "duckdb" }):count(1)
  command:option("--select", "The fields, as report has them."):argname "<fields>"
  command:option("--table", "The table's name (default: the report type)."):argname "<name>"
  command:option("--load", "Files of windows, with their manifests beside them: CSV for postgresql and duckdb, NDJSON for clickhouse."):args "+"
    :argname "<file>"
  return { schema = schema }
end
