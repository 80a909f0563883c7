-- For specs: a client whose answers are typed by hand, bytes of any kind, over scrutinizer.recorder's file.
local scrutinizer = require "scrutinizer"
local cjson = require "cjson"

local recording = {}
local count = 0

local function hex(text)
  return (text:gsub(".", function(char) return ("%02x"):format(char:byte()) end))
end

-- A field that every request has, so that ignoring all others makes them the same.
local FIELDS = { "rm", "action", "rpt_json", "data_requested", "json", "report_data", "type" }

--- A client that gets these answers, one after the other, whatever it asks (with `how.strict` it asks for them in vain). An answer is a body, or
--- { body, header = {…} }, or { failed = { kind, message } }.
function recording.client(folder, answers, options, how)
  count = count + 1
  local path = ("%s/recording%d.ndjson"):format(folder, count)
  local file = assert(io.open(path, "wb"))
  local function line(id, what, text) file:write(('{"id":%d,"%s":%s}\n'):format(id, what, text)) end
  file:write '{"scrutinizer_recording":1,"token":true}\n'
  for id, answer in ipairs(answers) do
    if type(answer) == "string" then answer = { answer } end
    line(id, "asked", "{}")
    if not answer.failed then
      local header = answer.header or { status = 200 }
      file:write(('{"id":%d,"header":{"status":%d%s}}\n'):format(id, header.status,
        header.location and ',"location":"' .. header.location:gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end) .. '"' or ""))
      if answer[1] then line(id, "hex", '"' .. hex(answer[1]) .. '"') end
      line(id, "end", "true")
    else
      line(id, "failed", ('["%s","%s"]'):format(answer.failed[1],
        (answer.failed[2]:gsub('[%c"\\]', function(c) return ("\\u%04x"):format(c:byte()) end))))
    end
  end
  file:close()
  local recorder = scrutinizer.recorder(path, { repeats = true, mode = "replay", ignore = not (how and how.strict) and FIELDS or nil })
  return assert(recorder:connect(options)), path
end

recording.json = cjson

return recording
