---@meta scrutinizer.lazy
-- For editors: what is joined to a client and a query only when the program runs.
error "this file is read by editors, not required"

---@class scrutinizer.Client
---@field capture_rules scrutinizer.CaptureRules
---@field device_groups scrutinizer.DeviceGroups
---@field devices scrutinizer.Devices
---@field entities scrutinizer.Entities
---@field exporters scrutinizer.Exporters
---@field forecasts scrutinizer.Forecasts
---@field groups scrutinizer.Groups
---@field hosts scrutinizer.Hosts
---@field interfaces scrutinizer.Interfaces
---@field ip_groups scrutinizer.IpGroups
---@field users scrutinizer.Users

---@class scrutinizer.Query
local query = {}

--- The report's graph, see series.lua.
---@return scrutinizer.Series[]? list
---@return scrutinizer.Error? err
function query:series() end

--- The graph in bits per second, see series.lua.
---@return scrutinizer.Series[]? list
---@return scrutinizer.Error? err
function query:rates() end

--- The entries of the report's pie, see series.lua.
---@return table[]? list
---@return scrutinizer.Error? err
function query:pie() end

--- Seconds per bucket that the appliance will use, see series.lua.
---@return integer? seconds
---@return scrutinizer.Error? err
function query:interval() end
