--- SQL for databases: the table that fits a report's columns, and the statements that load the file of a window. A window is loaded whole and at
--- once, and replaces itself.

local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"
local manifest = require "scrutinizer.export.manifest"
local wire = require "scrutinizer.wire"
local zone = require "scrutinizer.time.zone"

local store = {}

---@class scrutinizer.Statement
---@field sql string
---@field file? string the file whose text is sent behind the statement

---@class scrutinizer.StoreColumn
---@field name string
---@field type "address"|"whole"|"decimal"|"time"|"text"

local TYPES = {
  -- A counter has up to 64 bits without a sign, which bigint has not. Of numeric and UBIGINT, sum() gives numbers that are long enough. numeric with
  -- a number of digits would round a fraction and say nothing.
  postgresql = { address = "inet", whole = "numeric", decimal = "numeric", time = "bigint", text = "text" },
  clickhouse = {
    address = "String", whole = "Nullable(UInt64)", decimal = "Nullable(Float64)", time = "Nullable(DateTime('UTC'))", text = "String",
  },
  duckdb = { address = "VARCHAR", whole = "UBIGINT", decimal = "DOUBLE", time = "BIGINT", text = "VARCHAR" },
}

--- The stores that are known, and what they are fed with.
store.FORMATS = { postgresql = "csv", clickhouse = "ndjson", duckdb = "csv" }

local function moment(epoch)
  return zone.load("UTC"):text(epoch)
end

local function literal(text)
  return "'" .. text:gsub("'", "''") .. "'"
end

local function name_of(text, mark)
  return mark .. text:gsub(mark, mark .. mark) .. mark
end

local MARKS = { postgresql = '"', clickhouse = "`", duckdb = '"' }

-- The columns' names, in quotes.
local function names_of(kind, columns)
  local list = {}
  for i, column in ipairs(columns) do list[i] = name_of(column.name, MARKS[kind]) end
  return table.concat(list, ", ")
end

-- Names and types, one a line.
local function definitions(kind, columns, before)
  local list = { before }
  for _, column in ipairs(columns) do list[#list + 1] = name_of(column.name, MARKS[kind]) .. " " .. TYPES[kind][column.type] end
  return table.concat(list, ",\n  ")
end

-- ClickHouse sorts by what is not summed.
local function keys_of(columns)
  local list = {}
  for _, column in ipairs(columns) do
    if column.type == "address" or column.type == "text" then list[#list + 1] = name_of(column.name, "`") end
  end
  return list[1] and "(" .. table.concat(list, ", ") .. ")" or "tuple()"
end

local TABLE = {}

function TABLE.postgresql(name, columns)
  return ([[
-- A window is a partition. Sums of numeric are exact. Times of flows are seconds since 1970: to_timestamp(x).
create table if not exists %s (
  %s
) partition by list (window_start);
]]):format(name_of(name, '"'), definitions("postgresql", columns, "window_start timestamptz not null,\n  window_end timestamptz not null"))
end

local function clickhouse_table(name, columns, times)
  return ([[
create table if not exists %s (
  %s
) engine = MergeTree partition by window_start order by %s]]):format(
    name_of(name, "`"),
    definitions("clickhouse", columns, ("window_start DateTime('UTC')%s,\n  window_end DateTime('UTC')%s"):format(times[1], times[2])),
    keys_of(columns))
end

function TABLE.clickhouse(name, columns)
  return "-- A window is a partition. sum() of UInt64 wraps without an error: write sum(toDecimal128(x, 0)).\n"
    .. clickhouse_table(name, columns, { "", "" }) .. ";\n"
end

function TABLE.duckdb(name, columns)
  return ([[
-- Each window is a Parquet file of its own; sum() of UBIGINT is a HUGEINT, which is exact. Times of flows are seconds since 1970: to_timestamp(x).
create or replace view %s as select * from read_parquet(%s);
-- Their columns:
-- window_start TIMESTAMP, window_end TIMESTAMP,
-- %s
]]):format(name_of(name, '"'), literal(name .. ".*.parquet"), (definitions("duckdb", columns):gsub("\n", "\n--")))
end

--- The statement that makes a table, as text.
---@param kind "postgresql"|"clickhouse"|"duckdb"
---@param name string of the table: letters, digits and underscores
---@param columns scrutinizer.StoreColumn[]
---@return string
function store.schema(kind, name, columns)
  return TABLE[kind](name, columns)
end

-- ---- loading a window ----

local LOADING = {}

-- Everything in one transaction: others see the old window until it is committed, and then the new one.
local POSTGRESQL = [[
begin;
do $do$ begin
  perform pg_advisory_xact_lock(hashtext($PARTITION_TEXT));
  $OVERLAP
end $do$;
create table $NEW (like $TABLE including defaults including constraints);
alter table $NEW alter column window_start set default $FROM, alter column window_end set default $TO,
  add check (window_start = $FROM and window_end = $TO);
\copy $NEW ($NAMES) from $PATH with (format csv, header match)
do $do$ begin
  if (select count(*) from $NEW) <> $ROWS then raise exception 'the file has not $ROWS rows, as its manifest says'; end if;
  lock table $TABLE in share update exclusive mode;
  $OVERLAP
  if to_regclass($PARTITION_TEXT) is not null then
    alter table $TABLE detach partition $PARTITION;
    drop table $PARTITION;
  end if;
end $do$;
alter table $NEW rename to $PARTITION;
alter table $TABLE attach partition $PARTITION for values in ($FROM);
commit;
]]

-- It is asked twice: early, and when no other loader can attach a window any more until this one has committed.
local OVERLAP = [[
if exists (select from $TABLE where window_start < $TO and window_end > $FROM and (window_start, window_end) <> ($FROM, $TO)) then
    raise exception 'the table has a window that overlaps the one from % to %: drop it first', $FROM, $TO;
  end if;]]

local function filled(template, values)
  return (template:gsub("%$([A-Z_]+)", values))
end

function LOADING.postgresql(name, path, of)
  local window, columns = of.asked.window, of.found.columns
  local partition = name .. "_" .. moment(window.from):gsub("[-:]", "")
  return { { sql = filled(POSTGRESQL:gsub("%$OVERLAP", OVERLAP:gsub("%%", "%%%%")), {
    TABLE = name_of(name, '"'), NEW = name_of(partition .. "_new", '"'), PARTITION = name_of(partition, '"'),
    PARTITION_TEXT = literal(name_of(partition, '"')), NAMES = names_of("postgresql", columns), PATH = literal(path),
    FROM = ("timestamptz '%s'"):format(moment(window.from)), TO = ("timestamptz '%s'"):format(moment(window.to)),
    ROWS = ("%d"):format(of.found.rows),
  }) } }
end

-- A table beside the real one takes the file. One statement puts its partition in the place of the old one.
function LOADING.clickhouse(name, path, of)
  local window, columns = of.asked.window, of.found.columns
  local from, to = ("toDateTime(%.0f, 'UTC')"):format(window.from), ("toDateTime(%.0f, 'UTC')"):format(window.to)
  local new = ("%s_%.0f_new"):format(name, window.from)
  local partition = ("'%s'"):format(moment(window.from):gsub("T", " "):gsub("Z", ""))
  local list = {
    { sql = ("select throwIf(count() > 0) from %s where window_start < %s and window_end > %s and (window_start != %s or window_end != %s)"):format(
      name_of(name, "`"), to, from, from, to) },
    { sql = "drop table if exists " .. name_of(new, "`") },
    { sql = clickhouse_table(new, columns, { " default " .. from, " default " .. to }) },
    { sql = ("insert into %s (%s) format JSONEachRow"):format(name_of(new, "`"), names_of("clickhouse", columns)), file = path },
    { sql = ("select throwIf(count() != %d) from %s"):format(of.found.rows, name_of(new, "`")) },
    { sql = ("alter table %s replace partition %s from %s"):format(name_of(name, "`"), partition, name_of(new, "`")) },
    { sql = "drop table " .. name_of(new, "`") },
  }
  if of.found.rows == 0 then list = { list[1], { sql = ("alter table %s drop partition %s"):format(name_of(name, "`"), partition) } } end
  return list
end

-- The path of one file, where DuckDB takes patterns of paths.
local function one_path(path)
  return literal((path:gsub("[%[*?]", "[%0]")))
end

local COPY = [[
copy (select $FROM as window_start, $TO as window_end, $COLUMNS from read_csv($CSV, header = true, auto_detect = false, delim = ',', quote = '"',
  escape = '"', new_line = '\r\n', columns = {$TYPES})) to $PART (format parquet)]]

local COUNT = [[
select case when count(*) <> $ROWS then error('the file has not $ROWS rows, as its manifest says') end from read_parquet($MADE)]]

-- A column as DuckDB reads it from a file, and as it stands in the Parquet file. A cast to a whole number would round a fraction and say nothing.
local function duckdb_column(column)
  local type, name = TYPES.duckdb[column.type], name_of(column.name, '"')
  if column.type ~= "whole" then return literal(column.name) .. ": " .. literal(type), name end
  return literal(column.name) .. ": 'VARCHAR'", ("cast(case when contains(%s, '.') then error(%s || %s) else %s end as %s) as %s"):format(
    name, literal(column.name .. ": not a whole number: "), name, name, type, name)
end

-- A Parquet file; it gets its name by a rename when it is whole.
function LOADING.duckdb(_, path, of)
  local window, types, list = of.asked.window, {}, {}
  for i, column in ipairs(of.found.columns) do types[i], list[i] = duckdb_column(column) end
  local function at(epoch) return ("TIMESTAMP %s"):format(literal((moment(epoch):gsub("T", " "):gsub("Z", "")))) end
  local part = path:gsub("%.csv$", "") .. ".parquet.part"
  local values = {
    FROM = at(window.from), TO = at(window.to), COLUMNS = table.concat(list, ", "), CSV = one_path(path), TYPES = table.concat(types, ", "),
    PART = literal(part), MADE = one_path(part), ROWS = ("%d"):format(of.found.rows),
  }
  return { { sql = filled(COPY, values) }, { sql = filled(COUNT, values) } }
end

local function bad(path, text, ...)
  return errors.fail("file", errors.neutral(path, 200) .. ": " .. text:format(...), { exit = "DATA" })
end

local function accept() return true end

local MOST = "18446744073709551615" -- that UInt64 holds; ClickHouse takes more, lets it wrap, and says nothing

local function is_too_long(digits)
  return #digits > #MOST or (#digits == #MOST and digits > MOST)
end

-- Takes the text of an NDJSON file: nil and an error where a whole number is too long for ClickHouse. Such numbers stand in quotes.
local function check_wholes(path, columns)
  local wanted, longest, rest = {}, 0, ""
  for _, column in ipairs(columns) do
    local before = wire.encode(column.name) .. ':"'
    if column.type == "whole" then wanted[column.name], longest = before, math.max(longest, #before) end
  end
  return function(text)
    text = rest .. text
    for name, before in pairs(wanted) do
      local _, at = text:find(before, 1, true)
      while at do
        local digits = text:match("^0*(%d+)", at + 1)
        if digits and is_too_long(digits) then
          return bad(path, "%s: %s is more than ClickHouse's UInt64 holds", name, digits:sub(1, 60))
        end
        _, at = text:find(before, at + 1, true)
      end
    end
    rest = text:sub(-longest - #MOST) -- a number may continue in the next piece
    return true
  end
end

--- What is wrong with the columns of a store, or nil. psql reads a line that begins with a backslash as a command, even if a column's name brought
--- it; ClickHouse reads a backslash in a name.
---@param columns scrutinizer.StoreColumn[]
---@return string?
function store.complaint(columns)
  for _, column in ipairs(columns) do
    if type(column.name) ~= "string" or column.name:find "[%z\1-\31\127\\]" or column.name == "" then
      return ("the column %s: a name without control bytes and backslashes is needed; --select gives it one"):format(check.show(column.name))
    end
    if not TYPES.postgresql[column.type] then
      return check.message(("the column %s: type"):format(column.name), column.type, table.concat(check.sorted_keys(TYPES.duckdb), ", "))
    end
  end
end

--- The statements that load a window's file, after its hash was checked.
---@param kind "postgresql"|"clickhouse"|"duckdb"
---@param name string of the table
---@param path string of the file
---@return scrutinizer.Statement[]?
---@return scrutinizer.Error? err
function store.loading(kind, name, path)
  local of, err = manifest.window(path)
  if not of then return nil, err end
  local found, asked = of.found, of.asked
  if asked.format ~= store.FORMATS[kind] then return bad(path, "%s takes files of report --format %s", kind, store.FORMATS[kind]) end
  if asked.format == "csv" and not asked.header then return bad(path, "fetch it without --no-header") end
  if asked.guard then return bad(path, "--guard has changed its texts for spreadsheets: fetch it without") end
  if path:find "[\r\n]" then return bad(path, "a path without line breaks is needed") end
  if not found.columns[1] then return bad(path, "the answer named no columns: fetch it with --select") end
  local complaint = store.complaint(found.columns)
  if complaint then return bad(path, "%s", complaint) end
  local ok
  ok, err = manifest.pour(path, of, kind == "clickhouse" and check_wholes(path, found.columns) or accept)
  if not ok then return nil, err end
  return LOADING[kind](name, path, of)
end

return store
