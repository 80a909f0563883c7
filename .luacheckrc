std = "min"
max_line_length = 150
cache = false
files["spec"] = { std = "max+busted" }
files["spec/http_server.lua"] = { std = "max" }
files["examples/openresty"] = { std = "ngx_lua" }
files["examples/haproxy"] = { std = "max", read_globals = { "core" } }
files["examples/sandbox"] = { std = "ngx_lua" }
files["examples/*.lua"] = { std = "max" }
files["examples/management"] = { std = "max" }
files["examples/export"] = { std = "max" }
files["examples/*_spec.lua"] = { std = "max+busted" }
files["lua/scrutinizer/transport/wait/nginx.lua"] = { std = "+ngx_lua" }
files["lua/scrutinizer/transport/wait/haproxy.lua"] = { globals = { "core" } }
files["rockspec"] = { std = "+rockspec" }
files["lua/scrutinizer/meta"] = { ignore = { "212", "241" } }
