--- Exit statuses, with the numbers of sysexits.h, so that scripts and schedulers can decide what to do.

local exits = {
  DONE = 0,
  MISUSE = 64,
  DATA = 65,
  UNAVAILABLE = 69,
  INTERNAL = 70,
  FILE = 74,
  TRY_AGAIN = 75,
  REFUSED = 76,
  DENIED = 77,
  CONFIG = 78,
}

exits.HELP = "Exit status: 0 done; 64 wrong arguments; 65 the answer is damaged or exceeds a limit; 69 the appliance cannot be reached "
  .. "and trying again will not help; 70 a bug in this command; 74 a file cannot be read or written; 75 try again later, also after TERM; 76 the "
  .. "appliance refused the request; 77 token, address or certificate refused; 78 the configuration is "
  .. "wrong; 130 interrupted."

local OF_KIND = {
  connect = exits.UNAVAILABLE, timeout = exits.UNAVAILABLE, http = exits.UNAVAILABLE, auth = exits.DENIED, tls = exits.DENIED,
  api = exits.REFUSED, decode = exits.DATA, truncated = exits.DATA, changed = exits.DATA, limit = exits.DATA, bill = exits.DATA, file = exits.FILE,
}

--- The status for an error.
---@param err scrutinizer.Error
---@return integer
function exits.of(err)
  if err.exit then return exits[err.exit] end
  if err.retryable then return exits.TRY_AGAIN end
  return OF_KIND[err.kind] or exits.INTERNAL
end

--- Whether the error is only a closed pipe: the reader of our output has ended.
---@param err scrutinizer.Error
---@return boolean
function exits.quiet(err)
  return err.kind == "file" and err.message:find("Broken pipe", 1, true) ~= nil
end

return exits
