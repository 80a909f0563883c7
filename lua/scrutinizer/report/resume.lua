--- Where to continue after a failed walk: what `query:resume` reads from an error.

local check = require "scrutinizer.check"

local resume = {}

-- For each error's `resume`: the given rows that tie with the last one, { [direction] = { offset =, ties = } }. The `resume` table itself
-- is plain data that may be saved, and holds only as many of them as fit into its text.
local memories = setmetatable({}, { __mode = "k" })

--- Keeps which tied rows were given, for the query that continues.
---@param rest table an error's `resume`
---@param memory table
function resume.remember(rest, memory)
  memories[rest] = memory
end

--- What was kept; nil for a `resume` that was saved and read again.
---@param rest table
---@return table?
function resume.recall(rest)
  return memories[rest]
end

-- ---- the proof: what the rest of the report is compared with, as text ----
--
-- "1;" and then either "!" and why nothing can be proven, such as "!window"; or four parts: the last row's identity ("-": no row was given), the
-- total ("?": not known yet, "-": the answer has none), the window ("-": unknown), the given rows that tie ("-": none, "*": too many for a text).

local function hex_of(bytes)
  return (bytes:gsub(".", function(char) return ("%02x"):format(char:byte()) end))
end

local function bytes_of(hex)
  return (hex:gsub("..", function(pair) return string.char(tonumber(pair, 16)) end))
end

local function number_text(number) return ("%.0f"):format(number) end

---@class scrutinizer.Proof
---@field offset? integer  offset of the next row
---@field refused? "row"|"ties"|"window" why nothing can be proven
---@field last? string     identity of the last row given
---@field answered? boolean whether an answer has told the total, or that it has none
---@field total? integer
---@field time? { first: integer, last: integer }
---@field ties? string     `ties:save()`
---@field tied? boolean    there were rows that tie

--- Writes a proof as text.
---@param proof scrutinizer.Proof
---@return string
function resume.text(proof)
  if proof.refused then return "1;!" .. proof.refused end
  local time = proof.time
  return table.concat({
    "1", proof.last or "-", not proof.answered and "?" or proof.total and number_text(proof.total) or "-",
    time and time.first and time.last and number_text(time.first) .. "-" .. number_text(time.last) or "-",
    proof.ties and hex_of(proof.ties) or proof.tied and "*" or "-",
  }, ";")
end

--- Reads a proof from text; nil when the text is not a proof.
---@param text any
---@return scrutinizer.Proof?
function resume.read(text)
  if type(text) ~= "string" then return nil end
  local refused = text:match "^1;!([a-z]+)$"
  if refused then return { refused = refused } end
  local last, total, time, ties = text:match "^1;([%x-]+);([%d?-]+);([%d-]+);([%x*-]*)$"
  if not last or (#last ~= 64 and last ~= "-") then return nil end
  if #ties % 2 == 1 and ties ~= "-" and ties ~= "*" then return nil end
  local first, ended = time:match "^(%d+)%-(%d+)$"
  return {
    last = last ~= "-" and last or nil, answered = total ~= "?", total = check.digits(total),
    time = first and { first = check.digits(first), last = check.digits(ended) } or nil,
    ties = #ties > 1 and bytes_of(ties) or nil, tied = ties ~= "-",
  }
end

-- Where one direction continues; nil when `rest` does not tell, or when nothing of it is left.
local function part_of(rest)
  if type(rest) ~= "table" then return nil end
  local offset = check.integer(rest.offset, 0)
  local limit = check.integer(rest.remaining, 1)
  if not offset or (rest.remaining ~= nil and not limit) then return nil end
  local proof = rest.proof ~= nil and resume.read(rest.proof) or nil
  if rest.proof ~= nil and not proof then return nil end
  if proof then proof.offset = offset end
  local skip = check.integer(rest.skip, 1)
  if rest.skip ~= nil and not skip then return nil end
  return { offset = offset, limit = limit, skip = skip, proof = proof }
end

--- What is left of a query. `rest` is `{ offset =, remaining =, proof = }` for one direction; for both, one such table under each unfinished
--- direction.
---@param directions string[] the query's
---@param rest table an error's `resume`
---@return { offset: integer, limit?: integer, skip?: integer, proof?: scrutinizer.Proof }? one
---@return table<string, { offset: integer, limit?: integer, skip?: integer, proof?: scrutinizer.Proof }>? each by direction; both results are nil
---  when nothing is left
function resume.rest(directions, rest)
  local one = #directions == 1 and part_of(rest)
  if one then return one end
  local each
  for _, direction in ipairs(directions) do
    local part = part_of(rest[direction])
    if part then
      each = each or {}
      each[direction] = part
    end
  end
  return nil, each
end

return resume
