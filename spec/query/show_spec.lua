local show = require "scrutinizer.query.show"

local URL = "https://scrutinizer.example.net/fcgi/scrut_fcgi.fcgi"

describe("show.url", function()
  it("puts the form into the query, the token masked", function()
    local form = { rm = "report_api", action = "get", rpt_json = '{"a":"b c"}', data_requested = "{}" }
    assert.equal(URL .. "?rm=report_api&action=get&rpt_json=%7B%22a%22%3A%22b%20c%22%7D&data_requested=%7B%7D&authToken=***",
      show.url(URL, form, true))
    assert.equal(URL .. "?rm=x", show.url(URL, { rm = "x" }, false))
    assert.equal(URL .. "?a=1&rm=x", show.url(URL .. "?a=1", { rm = "x" }, false))
  end)
end)

describe("show.curl", function()
  it("quotes each field", function()
    assert.equal("curl --silent --show-error --globoff --data-urlencode 'rm=x' --data-urlencode 'rpt_json={\"a\":1}' "
      .. "--data-urlencode 'authToken=***' '" .. URL .. "'", show.curl(URL, { rm = "x", rpt_json = '{"a":1}' }, true))
  end)

  it("gives a shell nothing but words", function()
    local hostile = [[it's $(touch /tmp/x) `id` "q" \ ! ; & | > < * ? ~ # %20 @file]]
    local command = show.curl(URL, { rm = hostile, action = "''" }, true)
    local pipe = assert(io.popen("printf '%s\\n' " .. command:gsub("^curl ", "")))
    local words = {}
    for line in pipe:lines() do words[#words + 1] = line end
    pipe:close()
    assert.same({
      "--silent", "--show-error", "--globoff", "--data-urlencode", "rm=" .. hostile, "--data-urlencode", "action=''",
      "--data-urlencode", "authToken=***", URL,
    }, words)
  end)
end)
