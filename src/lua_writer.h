/* lua_writer.h - rows as CSV and NDJSON: core.writer. */
#ifndef SZ_LUA_WRITER_H
#define SZ_LUA_WRITER_H

#include "compat.h"

/* Registers the metatable; call once per state. Leaves the stack as it was. */
void sz_lua_writer_register(lua_State *L);

/* core.writer { … } -> writer, see lua_writer.c */
int sz_lua_writer_new(lua_State *L);

#endif
