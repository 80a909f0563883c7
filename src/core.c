/* core.c - luaopen_scrutinizer_core: the C functions for Lua. */
#include "compat.h"
#include "http.h"
#include "lua_aggregate.h"
#include "lua_billing.h"
#include "lua_command.h"
#include "lua_feed.h"
#include "lua_file.h"
#include "lua_guard.h"
#include "lua_http.h"
#include "lua_json.h"
#include "lua_keep.h"
#include "lua_report.h"
#include "lua_resolve.h"
#include "lua_secret.h"
#include "lua_source.h"
#include "lua_ties.h"
#include "lua_writer.h"
#include "version.h"

#include <string.h>
#include <time.h>

#if defined(__GNUC__)
#define SZ_EXPORT __attribute__((visibility("default")))
#else
#define SZ_EXPORT
#endif

SZ_EXPORT int luaopen_scrutinizer_core(lua_State *L);

/* core.now() -> seconds of the monotonic clock, to measure waits */
static int now(lua_State *L) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  lua_pushnumber(L, (lua_Number)t.tv_sec + (lua_Number)t.tv_nsec / 1e9);
  return 1;
}

static const luaL_Reg FUNCTIONS[] = {
    {"aggregate", sz_lua_aggregate_new},
    {"calls", sz_lua_calls},
#if LUA_VERSION_NUM >= 503
    {"caller", sz_lua_caller},
#endif
    {"command", sz_lua_command_new},
    {"compare", sz_lua_json_compare},
    {"decode", sz_lua_json_decode},
    {"decoder", sz_lua_report_new},
    {"feed", sz_lua_feed_new},
    {"feed_finish", sz_lua_feed_finish},
    {"feed_header", sz_lua_feed_header},
    {"feed_push", sz_lua_feed_push},
    {"feed_ready", sz_lua_feed_ready},
    {"file", sz_lua_file_new},
    {"handle_signals", sz_lua_handle_signals},
    {"hash", sz_lua_hash_new},
    {"http", sz_lua_http_new},
    {"int64", sz_lua_json_set_int64},
    {"keep", sz_lua_keep_new},
    {"mask", sz_lua_mask},
    {"now", now},
    {"resolve", sz_lua_resolve},
    {"running", sz_lua_running},
    {"sha256", sz_lua_sha256},
    {"ties", sz_lua_ties_new},
    {"top", sz_lua_top_new},
    {"writer", sz_lua_writer_new},
    {NULL, NULL},
};

/*
** When a state is closed, its libraries may be unloaded before its finalizers
** run (LuaJIT does this). Finalizers of the core's objects, and finalizers of
** a script that use them, need the core's code.
*/
static void keep_core(void) {
  int (*function)(lua_State *) = luaopen_scrutinizer_core;
  void *address;
  memcpy(&address, &function, sizeof address);
  sz_keep_loaded(address);
}

SZ_EXPORT int luaopen_scrutinizer_core(lua_State *L) {
  keep_core();
  if (!sz_http_global_init())
    return luaL_error(L, "libcurl cannot be initialised");
  sz_lua_json_register(L);
  sz_lua_report_register(L);
  sz_lua_ties_register(L);
  sz_lua_keep_register(L);
  sz_lua_aggregate_register(L);
  sz_lua_billing_register(L);
  sz_lua_file_register(L);
  sz_lua_source_register(L);
  sz_lua_writer_register(L);
  sz_lua_http_register(L);
  sz_lua_command_register(L);
  luaL_newlib(L, FUNCTIONS);
  lua_pushliteral(L, SZ_VERSION);
  lua_setfield(L, -2, "VERSION");
  lua_pushlightuserdata(L, NULL);
  lua_setfield(L, -2, "null");
  sz_lua_json_push_array_mt(L);
  lua_setfield(L, -2, "array_mt");
  return 1;
}
