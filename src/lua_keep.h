/* lua_keep.h - tests of rows, made from Lua tables. */
#ifndef SZ_LUA_KEEP_H
#define SZ_LUA_KEEP_H

#include "compat.h"
#include "keep.h"

/* core.keep(options) -> keep; see lua_keep.c */
int sz_lua_keep_new(lua_State *L);

/* The tests at 'index'; raises for any other value. */
const struct sz_keep *sz_lua_keep_check(lua_State *L, int index);

void sz_lua_keep_register(lua_State *L);

#endif
