-- Uses only the decoder, with an nginx socket: for users who want nginx's resolver, TLS and connection pool instead of the client's transport.
-- GET /raw fetches the ten largest conversations of an hour and prints each row as it arrives.
local scrutinizer = require "scrutinizer"

local cosocket = {}

-- The request as the client would send it: a query makes the form's fields, and we add the token.
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
  -- nginx verifies the certificate with lua_ssl_trusted_certificate from its configuration. It compares names only: if SCRUTINIZER_URL has an IP
  -- address, set SCRUTINIZER_NAME to the name on the certificate.
  assert(socket:sslhandshake(nil, os.getenv "SCRUTINIZER_NAME" or host, true))
  return socket
end

-- Reads the response header. The request is HTTP/1.0, so the body ends when the connection closes, and there is no chunked encoding.
local function header(socket)
  local status = assert(socket:receive "*l"):match "^HTTP/%d%.%d (%d+)"
  repeat local line = assert(socket:receive "*l") until line == ""
  return tonumber(status)
end

-- Feeds the decoder with the bytes received, and passes on each row as soon as it is complete.
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
