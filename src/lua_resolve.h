/* lua_resolve.h - looks up host names for Lua; blocks this thread. */
#ifndef SZ_LUA_RESOLVE_H
#define SZ_LUA_RESOLVE_H

#include "compat.h"

/*
** core.resolve(host) -> list of addresses as text (IPv6 in brackets), in the
** order of the system's resolver | nil, message. Blocks until the resolver
** answers.
*/
int sz_lua_resolve(lua_State *L);

#endif
