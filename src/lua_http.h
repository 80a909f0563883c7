/* lua_http.h - the userdata that makes HTTP transfers: core.http. */
#ifndef SZ_LUA_HTTP_H
#define SZ_LUA_HTTP_H

#include "compat.h"

/* Registers the metatable; leaves the stack as it was. */
void sz_lua_http_register(lua_State *L);

/* core.http() -> http */
int sz_lua_http_new(lua_State *L);

#endif
