-- Sends an answer's text to the client in blocks, indented or compressed if required. Faults delay, slow down, cut or reset it. Memory use does
-- not depend on the answer's size.
local gzip = require "sandbox.http.gzip"
local indent = require "sandbox.http.indent"

local sinks = {}
local BLOCK = 65536

local Sink = {}
Sink.__index = Sink

--- `effects`: list of { kind = stall|drip|cut|reset, after_bytes =, … } in order of after_bytes; `options`: the switches.
function sinks.new(options, effects, declared)
  local accepted = (ngx.var.http_accept_encoding or ""):find("gzip", 1, true)
  local self = setmetatable({ parts = {}, held = 0, sent = 0, effects = effects, declared = declared }, Sink)
  self.type = options.content_type
  if options.pretty == "yes" then self.indent = indent.new() end
  if options.gzip == "always" or (options.gzip == "accepted" and accepted) then self.gzip = gzip.new() end
  self.damage = options.damage
  return self
end

local function start(self)
  self.started = true
  ngx.header["Content-Type"] = self.type
  if self.gzip or self.damage then ngx.header["Content-Encoding"] = "gzip" end
  if self.declared then ngx.header["Content-Length"] = self.declared end
end

local function push(bytes)
  if #bytes == 0 then return end
  local ok, why = ngx.print(bytes)
  if ok then ok, why = ngx.flush(true) end
  if not ok then error({ gone = why }, 0) end
end

local function drip(self, bytes, rate)
  local piece = math.max(1, math.ceil(rate / 20))
  for at = 1, #bytes, piece do
    push(bytes:sub(at, at + piece - 1))
    ngx.sleep(piece / rate)
  end
  self.sent = self.sent + #bytes
end

local function act(self, effect)
  if effect.kind == "stall" then ngx.sleep(effect.seconds) end
  if effect.kind == "drip" then self.rate = effect.bytes_per_second end
  -- nginx sends what is written, then closes: 499 ends the connection, 444 resets it.
  if effect.kind == "cut" then ngx.exit(499) end
  if effect.kind == "reset" then ngx.exit(444) end
end

-- Sends bytes, and applies each effect exactly at its position.
local function send(self, bytes)
  if not self.started then start(self) end
  while self.effects[1] and self.effects[1].after_bytes <= self.sent + #bytes do
    local effect = table.remove(self.effects, 1)
    local before = effect.after_bytes - self.sent
    if before > 0 then
      local head = bytes:sub(1, before)
      bytes = bytes:sub(before + 1)
      if self.rate then drip(self, head, self.rate) else push(head) self.sent = self.sent + before end
    elseif not ngx.headers_sent then
      ngx.send_headers()
      ngx.flush(true)
    end
    act(self, effect)
  end
  if self.rate then return drip(self, bytes, self.rate) end
  push(bytes)
  self.sent = self.sent + #bytes
end

-- Damages a gzip stream: cuts off its second half, or overwrites bytes in the middle.
local function damaged(how, bytes)
  if how == "cut" then return bytes:sub(1, math.floor(#bytes / 2)) end
  local middle = math.floor(#bytes / 2)
  return bytes:sub(1, middle) .. ("\255"):rep(8) .. bytes:sub(middle + 9)
end

local function encoded(self, text, last)
  if self.indent then text = self.indent(text) end
  if self.damage and self.damage ~= "plain" then
    self.gzip = self.gzip or gzip.new()
    self.whole = (self.whole or "") .. self.gzip(text, last)
    return last and damaged(self.damage, self.whole) or ""
  end
  return self.gzip and self.gzip(text, last) or text
end

local function drain(self, last)
  local text = table.concat(self.parts)
  self.parts, self.held = {}, 0
  return encoded(self, text, last)
end

function Sink:write(text)
  self.parts[#self.parts + 1] = text
  self.held = self.held + #text
  if self.held >= BLOCK then send(self, drain(self, false)) end
end

--- Sends a large text at once, without buffering it.
function Sink:block(text)
  if self.held > 0 then send(self, drain(self, false)) end
  send(self, encoded(self, text, false))
end

--- Ends the answer. A short one is sent with its length, a long one is chunked.
function Sink:finish()
  local bytes = drain(self, true)
  if not self.started then
    if not self.declared and not self.effects[1] then self.declared = #bytes end
  end
  send(self, bytes)
  if #bytes == 0 and not ngx.headers_sent then ngx.send_headers() end
  local rest = table.remove(self.effects, 1)
  if rest then act(self, rest) end
  if self.declared and self.declared > self.sent then ngx.exit(499) end
end

return sinks
