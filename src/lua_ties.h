/* lua_ties.h - memory of rows that tie, for the walk from answer to answer. */
#ifndef SZ_LUA_TIES_H
#define SZ_LUA_TIES_H

#include "compat.h"
#include "ties.h"

/* core.ties(bytes) -> ties */
int sz_lua_ties_new(lua_State *L);

/* The memory at 'index'; raises when it is none. */
struct sz_ties *sz_lua_ties_check(lua_State *L, int index);

void sz_lua_ties_register(lua_State *L);

#endif
