---@meta scrutinizer.core
-- For editors: the functions of the C core. Scripts do not need them; arguments are checked only so far that memory stays safe.
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

--- Sets the function that makes large whole numbers on LuaJIT when the option `int64` is set.
---@param make fun(high: number, low: number): ffi.cdata*
function core.int64(make) end

--- Decodes a JSON text. `exact`: a number from 2^53 on that this Lua cannot hold exactly becomes text, also when it has an exponent or a fraction.
---@param text string
---@param options? { max_depth?: integer, utf8?: "pass"|"replace"|"error", exact?: boolean, int64?: boolean, max_made?: number } max_made: bytes of
---  memory for the Lua values
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
---@field prefix? integer  groups by network, in bits; prefix6: bits for IPv6, by default the same
---@field prefix6? integer
---@field every? integer   groups numbers in steps of this size

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

---@param bytes number the most memory that it may use
---@param saved? string the result of `ties:save()`
---@return scrutinizer.core.Ties? ties nil: `saved` is not such a text
function core.ties(bytes, saved) end

---@return scrutinizer.core.Http
function core.http() end

---@return scrutinizer.core.Commands
function core.command() end

--- A function that returns a cursor's next row from the core, or else calls `slow` (Lua 5.3 and later; nil elsewhere).
---@param slow fun(cursor: table): table?, table?
---@return fun(cursor: table): table?, table?
function core.caller(slow) end

--- A host's addresses in the system's order; blocks until the system's resolver answers.
---@param host string
---@return string[]? addresses
---@return string? message
function core.resolve(host) end

---@param text string
---@return string hex
function core.sha256(text) end

--- A SHA-256 of a text that comes in pieces.
---@return scrutinizer.core.Hash
function core.hash() end

---@class scrutinizer.core.Hash
local Hash = {}

---@param text string
function Hash:add(text) end

---@return string hex of all that was added so far
---@return number bytes
function Hash:digest() end

--- For the command: signals that end it remove the parts of files that are not finished; TERM ends the process with this status, if not 0.
---@param status integer
function core.handle_signals(status) end

--- A file that appears at `path` when it is finished, whole and on the disk. It is written as `part`; a part that exists is replaced.
--- It has the mode of a file that it replaces. No folder, pipe or device is replaced.
---@param path string
---@param part string a name in the same folder
---@return scrutinizer.core.File?
---@return string? reason
function core.file(path, part) end

---@class scrutinizer.core.File
local File = {}

--- After a failure it fails again, and so does `finish`.
---@param text string
---@return true?
---@return string? reason
function File:write(text) end

---@return string? hex SHA-256 of the content
---@return number|string bytes, or the reason
---@return boolean? busy another process has begun the same part
function File:finish() end

--- Removes what was written, unless the file is finished.
function File:abort() end

--- Compares two JSON numbers by value, in any form and of any length. Raises for any other value.
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

--- A transfer whose bytes come from Lua code.
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
--- Lets libcurl work without waiting: for this transfer, and for those that no reader has waited for yet; without a transfer for all.
---@param only? scrutinizer.core.Transfer
---@return integer? running
---@return string? kind
---@return string? message
function http:step(only) end
--- The same, for the transfers that no reader has waited for yet.
---@return integer? running
---@return string? kind
---@return string? message
function http:step_ahead() end
---@param of scrutinizer.core.Transfer
---@return boolean idle a step would find nothing to do for it
function http:idle(of) end
---@param seconds number
---@return true?
---@return string? kind
---@return string? message
function http:wait(seconds) end
---@param only? scrutinizer.core.Transfer
---@return number? seconds after which `step` must be called even if no socket is ready
function http:timeout(only) end
---@param only? scrutinizer.core.Transfer
---@return scrutinizer.core.Fd[]?
---@return string? kind
---@return string? message
function http:fds(only) end
--- Limits the work: after this many seconds nothing is received or read until the next call.
---@param seconds? number
function http:allow(seconds) end
---@param only? scrutinizer.core.Transfer
---@return boolean held its bytes, or any, are waiting because the time was used up
function http:held(only) end
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
---@return string|false|nil bytes false: none yet; nil: the end, or, with kind and message, a failure
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

--- Decodes the kept text and frees it.
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
---@param place? integer place in the chain that the server sent; 1, the default, is its own certificate, and only this one has a pin
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
---@return boolean cut a row that matches the tests came after `left` rows
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

---@param count? integer at most this many groups
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
---@return integer? place of a value that is not a whole number
function top:add_list(list, n, first, step, fill) end
---@param points? boolean
---@return table list
---@return integer count
function top:finish(points) end

---@return scrutinizer.core.Ties
function ties:copy() end
---@param from? scrutinizer.core.Decoder of the answer that gave the last row
---@param direction? integer
---@return boolean told whether repeated rows can be detected
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
