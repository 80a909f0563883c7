/* lua_report.h - the report reader as a userdata: core.decoder. */
#ifndef SZ_LUA_REPORT_H
#define SZ_LUA_REPORT_H

#include "compat.h"

/* Registers metatables; call once per state. Leaves the stack as it was. */
void sz_lua_report_register(lua_State *L);

/* core.decoder { … } -> decoder; see lua/scrutinizer/report/decoder.lua */
int sz_lua_report_new(lua_State *L);

#if LUA_VERSION_NUM >= 503
/*
** core.caller(slow) -> function(cursor), which returns the next row of the
** decoder cursor[1] if decoder:pass gives one, else slow(cursor)'s results.
*/
int sz_lua_caller(lua_State *L);
#endif

#endif
