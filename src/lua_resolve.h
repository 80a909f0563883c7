/* lua_resolve.h - names looked up for Lua, at once and in this thread. */
#ifndef SZ_LUA_RESOLVE_H
#define SZ_LUA_RESOLVE_H

#include "compat.h"

/*
** core.resolve(host) -> list of addresses as text (IPv6 in brackets), in the
** system's order | nil, message. Blocks as long as the system's resolver
** does.
*/
int sz_lua_resolve(lua_State *L);

#endif
