/*
** compat.h - one Lua C API for 5.1 to 5.5 and LuaJIT 2.1. Tested by feature,
** not by version: LuaJIT has LUA_VERSION_NUM 501, but helpers of 5.2.
*/
#ifndef SZ_COMPAT_H
#define SZ_COMPAT_H

#include <lauxlib.h>
#include <lua.h>

#ifndef luaL_newlib /* PUC 5.1 only */
#define luaL_setfuncs(L, l, n) ((void)(n), luaL_register(L, NULL, l))
#define luaL_newlib(L, l) (lua_newtable(L), luaL_setfuncs(L, l, 0))
#define luaL_setmetatable(L, tn)                                              \
  (luaL_getmetatable(L, tn), lua_setmetatable(L, -2))
#endif

#if LUA_VERSION_NUM < 502
#define lua_rawlen(L, i) lua_objlen(L, i)
#define sz_getuservalue(L, i) lua_getfenv(L, i)
#define sz_setuservalue(L, i) lua_setfenv(L, i)
#else
#define sz_getuservalue(L, i) lua_getuservalue(L, i)
#define sz_setuservalue(L, i) lua_setuservalue(L, i)
#endif

/* luaL_checkstack says "stack overflow" also where memory runs out. */
#define sz_checkstack(L, n, what)                                             \
  ((void)(lua_checkstack(L, n) ||                                             \
          luaL_error(L, "not enough memory, or the stack is full (%s)",       \
                     what)))

/* Lua 5.3 and later have 64-bit integers; before, numbers are doubles. */
#if LUA_VERSION_NUM >= 503
#define SZ_HAS_INTEGERS 1
#else
#define SZ_HAS_INTEGERS 0
#endif

#endif
