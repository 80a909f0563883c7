/* lua_feed.h - transfers that Lua feeds: core.feed and what belongs to it. */
#ifndef SZ_LUA_FEED_H
#define SZ_LUA_FEED_H

#include "compat.h"

/*
** core.feed([from]) -> transfer
** core.feed_ready(transfer) -> whether the next piece may come | nil: closed
** core.feed_header(transfer, info): says the header; info as transfer:info()
** core.feed_push(transfer, text): hands on the next piece
** core.feed_finish(transfer [, kind, message]): the answer's end
*/
int sz_lua_feed_new(lua_State *L);
int sz_lua_feed_ready(lua_State *L);
int sz_lua_feed_header(lua_State *L);
int sz_lua_feed_push(lua_State *L);
int sz_lua_feed_finish(lua_State *L);

#endif
