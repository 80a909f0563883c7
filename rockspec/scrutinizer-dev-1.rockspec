rockspec_format = "3.0"
package = "scrutinizer"
version = "dev-1"
source = { url = "git+https://localhost/scrutinizer.git" }
description = {
  summary = "Flow reports of Plixer Scrutinizer as plain Lua rows",
  detailed = [[
A client for the Plixer Scrutinizer HTTP API. A C core does HTTP with libcurl and decodes the JSON stream straight into
Lua rows; a thin Lua layer gives a fluent query for report types, filters and pages.
]],
  license = "MIT",
}
dependencies = { "lua >= 5.1, < 5.5", "lua-cjson" }
-- No external_dependencies block: LuaRocks would look for curl/curl.h in /usr/include itself, where multiarch Debian
-- has none. Say CURL_INCDIR=/usr/include/$(gcc -dumpmachine) when the compiler does not find it by itself.
build = {
  type = "builtin",
  modules = {
    ["scrutinizer.core"] = {
      sources = {
        "src/aggregate.c",
        "src/buffer.c",
        "src/columns.c",
        "src/core.c",
        "src/hash.c",
        "src/http.c",
        "src/http_callbacks.c",
        "src/http_failure.c",
        "src/http_global.c",
        "src/http_inspect.c",
        "src/http_setup.c",
        "src/inflate.c",
        "src/json.c",
        "src/lua_aggregate.c",
        "src/lua_fold.c",
        "src/lua_http.c",
        "src/lua_json.c",
        "src/lua_json_text.c",
        "src/lua_report.c",
        "src/lua_rows.c",
        "src/number.c",
        "src/report.c",
        "src/report_row.c",
        "src/scan.c",
        "src/shape.c",
        "src/utf8.c",
      },
      defines = { "_POSIX_C_SOURCE=200809L" },
      incdirs = { "$(CURL_INCDIR)" },
      libdirs = { "$(CURL_LIBDIR)" },
      libraries = { "curl", "z" },
    },
    ["scrutinizer.aggregate"] = "lua/scrutinizer/aggregate.lua",
    ["scrutinizer.answer"] = "lua/scrutinizer/answer.lua",
    ["scrutinizer.call"] = "lua/scrutinizer/call.lua",
    ["scrutinizer.check"] = "lua/scrutinizer/check.lua",
    ["scrutinizer.client"] = "lua/scrutinizer/client.lua",
    ["scrutinizer.cursor"] = "lua/scrutinizer/cursor.lua",
    ["scrutinizer.decoder"] = "lua/scrutinizer/decoder.lua",
    ["scrutinizer.errors"] = "lua/scrutinizer/errors.lua",
    ["scrutinizer.exchange"] = "lua/scrutinizer/exchange.lua",
    ["scrutinizer.export"] = "lua/scrutinizer/export.lua",
    ["scrutinizer.export.cells"] = "lua/scrutinizer/export/cells.lua",
    ["scrutinizer.export.source"] = "lua/scrutinizer/export/source.lua",
    ["scrutinizer.export.target"] = "lua/scrutinizer/export/target.lua",
    ["scrutinizer.filters"] = "lua/scrutinizer/filters.lua",
    ["scrutinizer"] = "lua/scrutinizer/init.lua",
    ["scrutinizer.names"] = "lua/scrutinizer/names.lua",
    ["scrutinizer.options"] = "lua/scrutinizer/options.lua",
    ["scrutinizer.pages"] = "lua/scrutinizer/pages.lua",
    ["scrutinizer.projection"] = "lua/scrutinizer/projection.lua",
    ["scrutinizer.query"] = "lua/scrutinizer/query.lua",
    ["scrutinizer.report_json"] = "lua/scrutinizer/report_json.lua",
    ["scrutinizer.resume"] = "lua/scrutinizer/resume.lua",
    ["scrutinizer.show"] = "lua/scrutinizer/show.lua",
    ["scrutinizer.times"] = "lua/scrutinizer/times.lua",
    ["scrutinizer.wait"] = "lua/scrutinizer/wait.lua",
    ["scrutinizer.wire"] = "lua/scrutinizer/wire.lua",
    ["scrutinizer.zone"] = "lua/scrutinizer/zone.lua",
  },
}
