/* lua_ties.h - remembers rows that tie, from one answer to the next. */
#ifndef SZ_LUA_TIES_H
#define SZ_LUA_TIES_H

#include "compat.h"
#include "ties.h"

/* core.ties(max [, saved]) -> ties; see lua_ties.c */
int sz_lua_ties_new(lua_State *L);

/* The ties at 'index'; raises for any other value. */
struct sz_ties *sz_lua_ties_check(lua_State *L, int index);

void sz_lua_ties_register(lua_State *L);

#endif
