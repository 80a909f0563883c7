/* lua_http.h - http and transfer userdata for Lua. */
#ifndef SZ_LUA_HTTP_H
#define SZ_LUA_HTTP_H

#include "compat.h"
#include "http.h"

/* Registers the metatables; leaves the stack as it was. */
void sz_lua_http_register(lua_State *L);

/* core.http() -> http */
int sz_lua_http_new(lua_State *L);

/*
** The transfer at 'index': NULL once it was closed from Lua. Raises when the
** value is no transfer. It lives as long as the userdata is reachable, also
** when a finalizer closes it meanwhile.
*/
struct sz_transfer *sz_lua_transfer_check(lua_State *L, int index);

/* Pushes nil, kind, message: returns 3. */
int sz_lua_http_fail(lua_State *L, const struct sz_failure *why);

#endif
