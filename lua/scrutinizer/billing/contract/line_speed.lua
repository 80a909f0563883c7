--- The speed of a customer's line: the sum of its interfaces' speeds, as the appliance shows them.

local bigint = require "scrutinizer.arithmetic.bigint"
local check = require "scrutinizer.check"
local errors = require "scrutinizer.errors"

local line_speed = {}

-- The interface by its number or name.
local function find(list, wanted)
  for _, interface in ipairs(list) do
    if interface.index == wanted or interface.name == wanted then return interface end
  end
end

--- The sum of the speeds of a customer's interfaces.
---@param client scrutinizer.Client
---@param interfaces table[] { exporter, number or name }
---@return scrutinizer.Whole? bits per second
---@return scrutinizer.Error? err kind "bill" when the appliance does not show one's speed
function line_speed.of(client, interfaces)
  local sum, lists = 0, {}
  for _, port in ipairs(interfaces) do
    local exporter, err = port[1], nil
    if not lists[exporter] then lists[exporter], err = client.interfaces:list { exporter = exporter } end
    if not lists[exporter] then return nil, err end
    local found = find(lists[exporter], port[2])
    if not found or not found.speed then
      return nil, errors.new("bill", ("interface %s of %s: the appliance does not show %s; set line_speed yourself"):format(check.show(port[2]),
        check.show(exporter), found and "its speed" or "it"))
    end
    sum = bigint.add(sum, found.speed)
  end
  return sum
end

return line_speed
