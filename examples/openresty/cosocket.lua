-- The decoder by itself, fed by nginx's own socket: for those who want nginx's resolver, TLS and pool of connections, and need no more of the
-- client than its rows. GET /raw asks for the ten heaviest conversations of an hour and prints them as they come.
local scrutinizer = require "scrutinizer"

local cosocket = {}

-- What the client would send: the request's fields come from a query, the token is ours to add.
local asking = assert(scrutinizer.connect { tls = { ca_file = os.getenv "SCRUTINIZER_CA" } })

local function fields()
  local form = asking:report("conversations"):last("1h"):limit(10):request()
  form.authToken = os.getenv "SCRUTINIZER_TOKEN"
  return ngx.encode_args(form)
end

local function open(host, port)
  local socket = ngx.socket.tcp()
  socket:settimeouts(5000, 5000, 60000)
  assert(socket:connect(host, port))
  -- Verified by lua_ssl_trusted_certificate, which the configuration sets. nginx compares names alone: for an appliance that is known by its
  -- address SCRUTINIZER_NAME says the name on its certificate.
  assert(socket:sslhandshake(nil, os.getenv "SCRUTINIZER_NAME" or host, true))
  return socket
end

-- Reads the answer's header. HTTP/1.0 was asked for: the body ends with the connection, and no chunks have to be taken apart.
local function header(socket)
  local status = assert(socket:receive "*l"):match "^HTTP/%d%.%d (%d+)"
  repeat local line = assert(socket:receive "*l") until line == ""
  return tonumber(status)
end

-- Feeds the decoder with whatever comes, and gives each row as soon as it is whole.
local function read_rows(socket, give)
  local decoder = scrutinizer.decoder { direction = "inbound" }
  while true do
    local bytes, why = socket:receiveany(16384)
    if not bytes and why ~= "closed" then error("the appliance's answer breaks off: " .. why, 0) end
    if not bytes then break end
    assert(decoder:feed(bytes))
    for row in decoder:rows() do give(row) end
  end
  local report = assert(decoder:finish())
  for row in decoder:rows() do give(row) end
  return report
end

--- GET /raw
function cosocket.serve()
  local host, port, path = asking.url:match "^https://([^:/]+):?(%d*)(/.*)$"
  local socket, body = open(host, tonumber(port) or 443), fields()
  assert(socket:send { "POST ", path, " HTTP/1.0\r\nHost: ", host, "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ",
    tostring(#body), "\r\n\r\n", body })
  local status = header(socket)
  if status ~= 200 then return ngx.exit(ngx.HTTP_BAD_GATEWAY) end
  local report = read_rows(socket, function(row)
    ngx.say(row.sourceipaddress, " ", row.destinationipaddress, " ", row.sum_octetdeltacount)
    ngx.flush(true)
  end)
  ngx.say("# ", report.total, " conversations")
  socket:close()
end

return cosocket
