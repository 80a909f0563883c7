-- Lists of rows of cells, as the web interface's own pages receive them, one page at a time. The switches choose the variant.
local keys = require "sandbox.report.keys"
local reply = require "sandbox.http.reply"

local listing = {}

--- One page of a list, as session_state and switches require.
function listing.page(rows, session, options)
  local max, offset, page = session.max, session.offset, reply.list()
  if type(options.inventory_rows) == "number" then max = math.min(max, options.inventory_rows) end
  if options.inventory_offset == "ignored" then offset = 0 end
  if options.inventory_order == "shuffled" or (options.inventory_order == "once" and offset > 0) then keys.shuffle(options, rows) end
  for i = offset + 1, math.min(#rows, offset + max) do
    local cells = reply.list(rows[i])
    if options.inventory_cells == "shifted" then table.insert(cells, 1, { title = "", klasstd = "select" }) end
    page[#page + 1] = cells
  end
  return page
end

--- An id, as the mode usually writes it or as the switch requires.
function listing.id(options, number, usual)
  local kind = options.object_ids == "usual" and usual or options.object_ids
  return kind == "strings" and ("%d"):format(number) or number
end

--- "10.00 Mb/s".
function listing.speed(bits)
  local prefixes, step = { "", "K", "M", "G", "T" }, 1
  while bits >= 1000 and step < #prefixes do bits, step = bits / 1000, step + 1 end
  return ("%.2f %sb/s"):format(bits, prefixes[step])
end

return listing
