--- Users, groups, IP groups, devices, interfaces and hosts on the command line.
return function() return {} end
