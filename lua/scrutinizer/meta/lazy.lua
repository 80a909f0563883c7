---@meta scrutinizer.lazy
-- For editors: what is joined to a client only when the program runs.
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
