---@meta scrutinizer.core
-- For editors: what the C core gives. Scripts have no need of it; its arguments are checked only as far as memory is concerned.
error "this file is read by editors, not required"

local core = {}

---@class scrutinizer.core.Http libcurl's transfers
local http = {}

---@class scrutinizer.core.Commands programs that are run in place of the network
local commands = {}

---@class scrutinizer.core.Transfer one answer's bytes
local transfer = {}

---@class scrutinizer.core.Decoder bytes of a report to rows
local decoder = {}

---@class scrutinizer.core.Aggregate rows folded into groups
local aggregate = {}

---@class scrutinizer.core.Top the greatest of many whole numbers
local top = {}

---@class scrutinizer.core.Writer rows to CSV or NDJSON
local writer = {}

---@class scrutinizer.core.Keep tests of rows: which of them are given
local keep = {} -- luacheck: ignore 211

---@class scrutinizer.core.Ties rows that tie, remembered from answer to answer
local ties = {}

---@class scrutinizer.core.Fd
---@field fd integer
---@field read? boolean
---@field write? boolean

--- The library's version.
---@type string
core.VERSION = nil

--- JSON null.
---@type lightuserdata
core.null = nil

--- Marks a table as a JSON array.
---@type table
core.array_mt = nil

--- Seconds of a monotonic clock.
---@return number
function core.now() end

--- How large whole numbers are made on LuaJIT where the option `int64` is set.
---@param make fun(high: number, low: number): ffi.cdata*
function core.int64(make) end

--- A JSON text as a Lua value. `exact`: what no number of this Lua holds is its text also with an exponent or a fraction, from 2^53 on.
---@param text string
---@param options? { max_depth?: integer, utf8?: "pass"|"replace"|"error", exact?: boolean, int64?: boolean, max_made?: number } the last: bytes of
---  Lua's memory
---@return any value nil: it failed
---@return string? kind
---@return string? message
---@return integer? position
function core.decode(text, options) end

---@param options table projection, directions, keep (with quotas: overlap, skip, left) and caps
---@return scrutinizer.core.Decoder
function core.decoder(options) end

---@class scrutinizer.core.By
---@field field integer
---@field name string      the result's field
---@field prefix? integer  by network; prefix6: of IPv6, default the same
---@field prefix6? integer
---@field every? integer   in steps

---@class scrutinizer.core.Folded
---@field field integer
---@field fold "sum"|"min"|"max"
---@field name? string     the result's field; default such as sum_octets

---@param options { fields: string[], by: (integer|scrutinizer.core.By)[], folded: scrutinizer.core.Folded[], max_keys?: number, int64?: boolean }
---@return scrutinizer.core.Aggregate
function core.aggregate(options) end

---@param options table fields and headers (lists), json and guard (flags), separator, null, newline (texts), tostring
---@return scrutinizer.core.Writer
function core.writer(options) end

---@param count integer how many are kept
---@return scrutinizer.core.Top
function core.top(count) end

--- A test has one of: `all`, `any` (lists of tests), `no` (a test), `one_of` ({ texts =, decimals =, numbers =, networks = }), `between` ({ min =,
--- max = }), `begins`, `contains`; and perhaps `field`, the number of the field that it and the tests in it read.
---@param options { fields: { column: string, member?: string, why?: string }[], test: table }
---@return scrutinizer.core.Keep
function core.keep(options) end

---@param bytes number how much it may remember
---@param saved? string what `ties:save()` gave
---@return scrutinizer.core.Ties? ties nil: what was saved is no such text
function core.ties(bytes, saved) end

---@return scrutinizer.core.Http
function core.http() end

---@return scrutinizer.core.Commands
function core.command() end

--- A function that gives a cursor's next row from the core, and else asks `slow` (Lua 5.3 and later; nil elsewhere).
---@param slow fun(cursor: table): table?, table?
---@return fun(cursor: table): table?, table?
function core.caller(slow) end

--- A host's addresses in the system's order; blocks as long as its resolver does.
---@param host string
---@return string[]? addresses
---@return string? message
function core.resolve(host) end

---@param text string
---@return string hex
function core.sha256(text) end

--- Compares two JSON numbers by value, in any form and of any length. Raises when one is no JSON number.
---@param a string
---@param b string
---@return -1|0|1
function core.compare(a, b) end

--- A text with `***` in place of each occurrence of a secret, in any encoding.
---@param text string
---@param secret string not empty
---@param least? integer the text may end within the secret, behind at least this many bytes of it
---@return string masked
---@return string rest with `least`: the end of the text that may be the beginning of the secret; else empty
function core.mask(text, secret, least) end

--- A transfer whose bytes Lua hands on.
---@param from? table
---@return scrutinizer.core.Transfer
function core.feed(from) end

---@param to scrutinizer.core.Transfer
---@return boolean? ready the next piece may come; nil: closed
function core.feed_ready(to) end

---@param to scrutinizer.core.Transfer
---@param info table as `transfer:info()`
function core.feed_header(to, info) end

---@param to scrutinizer.core.Transfer
---@param text string
function core.feed_push(to, text) end

---@param to scrutinizer.core.Transfer
---@param kind? string
---@param message? string
---@param unsent? boolean it failed before a byte of the request left
function core.feed_finish(to, kind, message, unsent) end

---@param options table
---@return scrutinizer.core.Transfer?
---@return string? kind
---@return string? message
function http:start(options) end
--- Lets libcurl work without waiting.
---@return integer? running
---@return string? kind
---@return string? message
function http:step() end
---@param seconds number
---@return true?
---@return string? kind
---@return string? message
function http:wait(seconds) end
---@return number? seconds after which to step whatever the sockets do
function http:timeout() end
---@param only? scrutinizer.core.Transfer
---@return scrutinizer.core.Fd[]?
---@return string? kind
---@return string? message
function http:fds(only) end
--- Nothing is received or read after so many seconds, until the next call.
---@param seconds? number
function http:allow(seconds) end
---@return boolean held bytes wait because the time allowed was over
function http:held() end
function http:close() end

---@param argv string[]
---@return scrutinizer.core.Transfer?
---@return string? kind
---@return string? message
function commands:start(argv) end
---@return integer? running
---@return string? kind
---@return string? message
function commands:step() end
---@param seconds number
---@return true?
---@return string? kind
---@return string? message
function commands:wait(seconds) end
---@return number? seconds
function commands:timeout() end
---@return scrutinizer.core.Fd[]?
---@return string? kind
---@return string? message
function commands:fds() end
function commands:close() end

---@param max? integer
---@return string|false|nil bytes false: none yet; nil: the end, or kind and message say what failed
---@return string? kind
---@return string? message
function transfer:read(max) end

--- Reads the answer to its end and keeps it outside of Lua.
---@param max integer
---@return false? wait nil: it is complete, or failed
---@return string? kind
---@return string? message
function transfer:keep(max) end

--- How many bytes are kept, and the first 200 of them.
---@return integer size
---@return string head
function transfer:kept() end

--- The value of what was kept, which is given up.
---@param options? { max_depth?: integer, utf8?: "pass"|"replace"|"error", max_made?: number }
---@return any value nil: it failed
---@return string? kind
---@return string? message
---@return integer? position
function transfer:decode(options) end
---@return table
function transfer:info() end
---@return boolean
function transfer:ready() end
---@param place? integer of those that the server sent; 1, the default, is its own, which alone has a pin
---@return { subject: string, issuer: string, from: string, to: string, pin?: string }?
function transfer:certificate(place) end
function transfer:close() end

---@param chunk string
---@return true?
---@return string? kind
---@return string? message
---@return integer? position
function decoder:feed(chunk) end
---@return true?
---@return string? kind
---@return string? message
---@return integer? position
function decoder:finish() end
---@param from? scrutinizer.core.Transfer
---@return table|false|nil row false: wait for bytes; nil: the end, or what failed
---@return integer|string|nil direction 1 inbound, 2 outbound; or the failure's kind
---@return string? message
---@return integer? position
function decoder:next(from) end
---@param from scrutinizer.core.Transfer
---@return boolean? more
---@return string? kind
---@return string? message
---@return integer? position
function decoder:hold(from) end
---@param direction integer
---@param limit number rows that `pass` may give
function decoder:fast_path(direction, limit) end
---@return table? row already parsed and checked
function decoder:pass() end
---@return integer rows that `pass` gave since `fast_path`
function decoder:passed() end
---@param direction integer
---@return integer rows that the tests dropped since the last call
---@return integer skipped of these, by the quota's `skip`
---@return boolean cut one came that meets the tests, after `left` rows
function decoder:dropped(direction) end
---@param from scrutinizer.core.Transfer
---@param sums scrutinizer.core.Aggregate
---@param direction integer
---@param limit number
---@return integer? count
---@return false|integer|string|nil state
---@return string? message
---@return integer? position
function decoder:fold(from, sums, direction, limit) end
---@param name string
---@param direction? integer
---@return any value
---@return any position
function decoder:fact(name, direction) end
---@param direction integer
---@return any[]? cells
function decoder:last_row(direction) end
---@param direction integer
---@return { name: string, label: string, title: string, numeric: boolean }[]?
function decoder:columns(direction) end
---@param direction integer
---@return string[]?
function decoder:fields(direction) end
---@return integer bytes
function decoder:unnamed() end
---@return boolean done
---@return integer bytes
---@return boolean found
---@return string head
function decoder:state() end
function decoder:close() end

---@param count? integer only the first so many groups
---@param with_count? boolean
---@param metatable? table of each group
---@return table[]
function aggregate:rows(count, with_count, metatable) end
function aggregate:close() end

---@param value number
---@param at integer
---@return boolean whole it is a whole number of 64 bits
function top:add(value, at) end
---@param list table
---@param n integer
---@param first integer
---@param step integer
---@param fill? number
---@return integer? added
---@return integer? place of one that is no whole number
function top:add_list(list, n, first, step, fill) end
---@param points? boolean
---@return table list
---@return integer count
function top:finish(points) end

---@return scrutinizer.core.Ties
function ties:copy() end
---@param from? scrutinizer.core.Decoder of the answer that gave the last row
---@param direction? integer
---@return boolean told whether it can be told who comes again
function ties:join(from, direction) end
--- The memory as bytes, for another process.
---@return string? saved nil: too many rows tie
function ties:save() end

---@param row table
---@return integer? waiting bytes
---@return string? kind
---@return string? message
function writer:add(row) end
---@return integer waiting bytes
function writer:header() end
---@return string text what waited
function writer:take() end
function writer:close() end

return core
