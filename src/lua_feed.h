/* lua_feed.h - transfers that get their bytes from Lua: core.feed*. */
#ifndef SZ_LUA_FEED_H
#define SZ_LUA_FEED_H

#include "compat.h"

/*
** core.feed([from]) -> transfer; 'from' is a transfer: see sz_feed_new
** core.feed_ready(transfer) -> whether it takes the next piece | nil: closed
** core.feed_header(transfer, info): sets the header; info as transfer:info()
** core.feed_push(transfer, text): adds the next piece
** core.feed_finish(transfer [, kind, message, unsent]): ends the answer
*/
int sz_lua_feed_new(lua_State *L);
int sz_lua_feed_ready(lua_State *L);
int sz_lua_feed_header(lua_State *L);
int sz_lua_feed_push(lua_State *L);
int sz_lua_feed_finish(lua_State *L);

#endif
