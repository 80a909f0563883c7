--- How time passes while the appliance works: the one place that knows the host.

local wait = {}

--- Names that `connect { wait = … }` knows.
wait.PRESETS = { "auto", "poll" }

local function poll(http, seconds)
  return http:wait(seconds)
end

--- The waiting function for an option: called as `pause(http, seconds)`, it returns after at most `seconds`, or when a socket of
--- `http` has something. Returns true, or nil, kind and message.
---@param option string|fun(seconds: number, fds: table)
---@return fun(http: userdata, seconds: number): true?, string?, string?
function wait.resolve(option)
  if type(option) ~= "function" then return poll end
  return function(http, seconds)
    local fds, kind, message = http:fds()
    if not fds then return nil, kind, message end
    option(seconds, fds)
    return true
  end
end

return wait
