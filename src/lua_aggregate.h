/* lua_aggregate.h - the aggregate as a userdata: core.aggregate. */
#ifndef SZ_LUA_AGGREGATE_H
#define SZ_LUA_AGGREGATE_H

#include "aggregate.h"
#include "lua_guard.h"

/* Registers metatables; call once per state. Leaves the stack as it was. */
void sz_lua_aggregate_register(lua_State *L);

/* core.aggregate { … } -> aggregate */
int sz_lua_aggregate_new(lua_State *L);

/*
** Returns the aggregate at 'index' and enters it (see lua_guard.h). Raises
** for any other value, or a closed one. NULL, with nil, kind, message
** pushed, 'what' before the message: another call uses it.
*/
struct sz_aggregate *sz_lua_aggregate_enter(lua_State *L, int index,
                                            lua_CFunction in,
                                            const char *what);
void sz_lua_aggregate_leave(lua_State *L, int index);

#endif
