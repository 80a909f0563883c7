/*
** lua_source.h - the transfer userdata: an answer being received, from any
** kind of source. Also helpers for the objects that start transfers.
*/
#ifndef SZ_LUA_SOURCE_H
#define SZ_LUA_SOURCE_H

#include "lua_guard.h"
#include "source.h"

/* Registers the metatable; leaves the stack as it was. */
void sz_lua_source_register(lua_State *L);

/*
** Pushes a transfer that has not started: its object is NULL, and the caller
** sets it. The transfer keeps the value at index 1 alive.
*/
struct sz_source *sz_lua_source_push(lua_State *L,
                                     const struct sz_source_type *type);

/*
** The transfer at 'index'; NULL if Lua has closed it. Raises when the value is
** no transfer. The pointer is valid as long as the userdata is reachable, even
** if a finalizer closes the transfer meanwhile.
*/
struct sz_source *sz_lua_source_check(lua_State *L, int index);

/* For a closed transfer: pushes nil, "cancelled", message; returns 3. */
int sz_lua_source_closed(lua_State *L);

/* Pushes nil, kind, message: returns 3. '*why' must not change meanwhile. */
int sz_lua_fail(lua_State *L, const struct sz_failure *why);

/* Pushes a list of { fd =, read =, write = }. */
void sz_lua_fds_push(lua_State *L, const struct sz_fd *list, int count);

/*
** The seconds at 'index' as milliseconds, at least 'least'; too large a value
** becomes the greatest one possible.
*/
int sz_lua_milliseconds(lua_State *L, int index, int least);

/*
** Makes a type's metatable. The methods are in a table of their own, so that
** scripts cannot reach object.__gc.
*/
void sz_lua_register_type(lua_State *L, const char *name, const luaL_Reg *meta,
                          const luaL_Reg *methods);

#endif
