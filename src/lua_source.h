/*
** lua_source.h - the transfer userdata: an answer being received, whatever
** brings it. And what the objects that begin transfers share.
*/
#ifndef SZ_LUA_SOURCE_H
#define SZ_LUA_SOURCE_H

#include "lua_guard.h"
#include "source.h"

/* Registers the metatable; leaves the stack as it was. */
void sz_lua_source_register(lua_State *L);

/*
** Pushes a transfer that has not begun: its object is NULL, to be filled by
** the caller. It keeps the value at index 1 alive.
*/
struct sz_source *sz_lua_source_push(lua_State *L,
                                     const struct sz_source_type *type);

/*
** The transfer at 'index': NULL once it was closed from Lua. Raises when the
** value is no transfer. It lives as long as the userdata is reachable, also
** when a finalizer closes it meanwhile.
*/
struct sz_source *sz_lua_source_check(lua_State *L, int index);

/* What a closed transfer reads as: pushes nil, "cancelled", message. */
int sz_lua_source_closed(lua_State *L);

/* Pushes nil, kind, message: returns 3. 'why' must not move meanwhile. */
int sz_lua_fail(lua_State *L, const struct sz_failure *why);

/* Pushes a list of { fd =, read =, write = }. */
void sz_lua_fds_push(lua_State *L, const struct sz_fd *list, int count);

/* Seconds at 'index' as milliseconds, at least 'least'; what is too much is
** a lot. */
int sz_lua_milliseconds(lua_State *L, int index, int least);

/* A metatable with its methods in a table of their own: object.__gc is out
** of reach. */
void sz_lua_register_type(lua_State *L, const char *name, const luaL_Reg *meta,
                          const luaL_Reg *methods);

#endif
