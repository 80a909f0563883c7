--- What a report's columns hold, by their names: the type of their values, and whether these add up over windows of time.

local columns = {}

---@alias scrutinizer.cli.Type "address"|"whole"|"decimal"|"time"|"text"

---@class scrutinizer.cli.Kind
---@field type scrutinizer.cli.Type
---@field apart? boolean the values of several windows do not add up

-- By the column's name; the first one that fits.
local KINDS = {
  { "^rank$", { type = "whole", apart = true } },
  { "percent", { type = "decimal", apart = true } },
  { "peak", { type = "decimal", apart = true } },
  { "[0-9]th$", { type = "decimal", apart = true } }, -- percentiles
  { "^sum_", { type = "whole" } },
  { "^count_", { type = "whole" } },
  { "^countdistinct_", { type = "whole", apart = true } },
  { "^min_", { type = "decimal", apart = true } },
  { "^max_", { type = "decimal", apart = true } },
  { "^avg_", { type = "decimal", apart = true } },
  { "_epoch$", { type = "time" } }, -- the earliest and the latest of all windows are those of the whole
  { "ipaddress$", { type = "address" } },
  { "ipv[46]address$", { type = "address" } },
}
local TEXT, TEXT_OF_NUMBER, OTHER_NUMBER = { type = "text" }, { type = "text", apart = true }, { type = "decimal", apart = true }

-- The column that a name of `:select` is of, and the member if it is not the raw value.
local function parts_of(name)
  local column, member = name:gsub("%?$", ""):match "^(.-)(%.?[a-z]*)$"
  if member == ".label" or member == ".title" then return column, member end
  return column .. member
end

--- The column that a name is of: "jitter" of "jitter.label?".
---@param name string
---@return string
function columns.of(name)
  return (parts_of(name))
end

--- The kind of a column, as `:select` takes its name.
---@param name string such as "sum_octetdeltacount", "sourceipaddress.label"
---@param numeric? boolean whether the answer's header says that it holds numbers; nil: not known
---@return scrutinizer.cli.Kind
function columns.kind(name, numeric)
  local column, member = parts_of(name)
  local kind = numeric and OTHER_NUMBER or TEXT
  for _, known in ipairs(KINDS) do
    if column:gsub("#%d+$", ""):find(known[1]) then
      kind = known[2]
      break
    end
  end
  if not member then return kind end
  local is_number = kind.type ~= "text" and kind.type ~= "address"
  return is_number and TEXT_OF_NUMBER or TEXT
end

return columns
