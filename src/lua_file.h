/* lua_file.h - C functions for files: core.file, core.hash,
 * core.handle_signals. */
#ifndef SZ_LUA_FILE_H
#define SZ_LUA_FILE_H

#include "compat.h"

/* core.file(path, part) -> file | nil, reason */
int sz_lua_file_new(lua_State *L);

/* core.hash() -> hash: SHA-256 of a text in pieces */
int sz_lua_hash_new(lua_State *L);

/* core.handle_signals(status): see signals.h */
int sz_lua_handle_signals(lua_State *L);

/* Makes the metatables. */
void sz_lua_file_register(lua_State *L);

#endif
